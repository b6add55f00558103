package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// made names what rows were made of: two lists of rows at one place of a catalog
// with one name hold the same. The zero value says nothing.
type made [sha256.Size]byte

// madeOf names the rows that entries have at some place, in this order.
func madeOf(fs []*Facts) made {
	sum := sha256.New()
	for _, f := range fs {
		sum.Write(f.id[:])
	}
	return made(sum.Sum(nil))
}

// identify names all that files about many entries take from an entry.
func (f *Facts) identify() {
	c := &codec{writing: true}
	for _, s := range []*string{&f.Ref.Kind, &f.Ref.ID, &f.OldID} {
		c.text(s)
	}
	f.codeRows(c)
	f.id = sha256.Sum256(c.data)
}

// A sumOf is what was counted and summed of bytes: those of a file, or a digest.
type sumOf struct {
	of   made
	size int
	sum  [sha256.Size]byte
}

// sum gives the size and SHA-256 of what is named, as they were told for the same
// rows by an earlier run, or as find has them. It may be called on nil.
func (k *Keep) sum(name string, of made, find func() (size int, sum [sha256.Size]byte, err error)) (int, [sha256.Size]byte, error) {
	if k == nil || k.dir == "" || of == (made{}) {
		return find()
	}
	was, known := k.sums[name]
	if !known || was.of != of {
		size, sum, err := find()
		if err != nil {
			return 0, sum, err
		}
		was = sumOf{of, size, sum}
		k.newSums = true
	}
	k.nowSums[name] = was
	return was.size, was.sum, nil
}

// digest is digestOf, where it is not known of these rows.
func (b *builder) digest(name string, of made, rows [][]byte) string {
	_, sum, _ := b.in.Keep.sum("items of "+name, of, func() (int, [sha256.Size]byte, error) {
		return 0, digestSum(rows), nil
	})
	return "sha256:" + hex.EncodeToString(sum[:])
}

// addMade adds a file that is made of rows and of the parts around them.
func (b *builder) addMade(name string, of made, parts [][]byte, write func(io.Writer) error) error {
	if b.samples != nil {
		return b.addWritten(name, write)
	}
	if of != (made{}) {
		all := sha256.New()
		all.Write(of[:])
		for _, p := range parts {
			part := sha256.Sum256(p)
			all.Write(part[:])
		}
		of = made(all.Sum(nil))
	}
	size, sum, err := b.in.Keep.sum(name, of, func() (int, [sha256.Size]byte, error) {
		made, err := contentBy(write)
		if err != nil {
			return 0, [sha256.Size]byte{}, err
		}
		return made.size, made.sum, nil
	})
	if err != nil {
		return err
	}
	return b.cat.add(name, &content{size: size, sum: sum, write: buffered(write)})
}
