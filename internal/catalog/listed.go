package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// made names what rows were made of: two lists of rows at one place of a catalog
// with one name hold the same. The zero value says nothing.
type made [sha256.Size]byte

// A part is what some files about many entries take from each.
type part int

const (
	partRow    part = iota // full.json, its shards and full.ndjson
	partItem               // lists
	partSearch             // search.json
	partNames              // identifiers.json
	partOld                // the predecessor's lists
	partViews              // views of codes
	partFacets             // views by facet
	partTable              // csv/entries.csv
	partTables             // the other tables
	parts
)

// madeOf names the rows that entries have in files that take a part, in this order.
func madeOf(p part, fs []*Facts) made {
	sum := sha256.New()
	for _, f := range fs {
		sum.Write(f.ids[p][:])
	}
	return made(sum.Sum(nil))
}

// identify names what files about many entries take from an entry: the texts of a
// part, one after the other.
func (f *Facts) identify(p part, texts ...[]byte) {
	c := &codec{writing: true}
	codeEach(c, &texts, c.bytes)
	// Where a file takes a part of some entries only, which these are comes from the name.
	c.text(&f.Ref.Kind)
	c.text(&f.Ref.ID)
	f.ids[p] = sha256.Sum256(c.data)
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
	now, known := k.sums[name]
	known = known && now.of == of
	if !known {
		size, sum, err := find()
		if err != nil {
			return 0, sum, err
		}
		now = sumOf{of, size, sum}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nowSums[name] = now
	k.newSums = k.newSums || !known
	return now.size, now.sum, nil
}

// digest is digestOf, where it is not known of these rows.
func (b *builder) digest(name string, of made, rows []row) (string, error) {
	_, sum, err := b.in.Keep.sum("items of "+name, of, func() (int, [sha256.Size]byte, error) {
		sum, err := digestSum(rows)
		return 0, sum, err
	})
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

// putMade is putRows for a response that comes from its rows alone, with what else
// names it: it is made where it has to be.
func (b *builder) putMade(name string, of made, also string, key string, make func() (head any, rows []row, err error)) error {
	return b.addMade(apiFolder+"/"+name, of, [][]byte{[]byte(also)}, func(w io.Writer) error {
		head, rows, err := make()
		if err != nil {
			return err
		}
		data, err := encode(head)
		if err != nil {
			return err
		}
		before, after, err := split(data, key)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return writeBetween(w, before, rows, after)
	})
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
