package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// Keep keeps facts from run to run in a folder outside the repository. All of it may
// be deleted. What is damaged, of another version or made of anything else is not
// used: the entry is read again. It holds the entries of one registry as they are, and no more, in files
// by the hash of kind and id, so that a change to one entry writes one of them.
//
// A file begins with the facts, under a checksum, and ends with the rows, each under its
// own: these are read where a file of the catalog has to be written. What of them was
// damaged is found then, and is a *KeptError.
type Keep struct {
	dir     string
	general [sha256.Size]byte
	spool   *Spool // holds the files open; nil is that rows are in memory
	by      map[entry.Ref]*Facts
	stale   [keptFiles]bool // files to be written

	sums, nowSums map[string]sumOf // of files about many entries: what was told of them, and what is now
	newSums       bool             // now there are others
}

// keptFiles is how many files facts are kept in. At ten thousand entries each has
// forty, some 300 KB.
const keptFiles = 256

// maxKept bounds one of them, in bytes.
const maxKept = 1 << 30

// keepMagic changes with the form of kept facts, and with what facts mean.
const keepMagic = "dpg facts 3\n"

// OpenKeep reads the facts that are kept in a folder; "" keeps none. general is a
// hash of all that they depend on and that is of no single entry: the program,
// settings, policy and frameworks. Their rows stay where they are until the spool is
// closed; without one they are read too.
func OpenKeep(dir string, general [sha256.Size]byte, spool *Spool) *Keep {
	k := NewKeep(dir, general)
	if dir == "" {
		return k
	}
	k.spool = spool
	for n := range keptFiles {
		k.stale[n] = !k.read(n)
	}
	k.readSums()
	return k
}

// NewKeep is OpenKeep for a folder of which nothing is to be used.
func NewKeep(dir string, general [sha256.Size]byte) *Keep {
	k := &Keep{dir: dir, general: general, by: map[entry.Ref]*Facts{}, sums: map[string]sumOf{}, nowSums: map[string]sumOf{}}
	for n := range k.stale {
		k.stale[n] = true
	}
	return k
}

func (k *Keep) name(n int) string { return filepath.Join(k.dir, fmt.Sprintf("%02x", n)) }

func (k *Keep) sumsName() string { return filepath.Join(k.dir, "sums") }

func bucket(ref entry.Ref) int { return int(sha256.Sum256([]byte(ref.String()))[0]) }

func (k *Keep) readSums() {
	if info, err := os.Lstat(k.sumsName()); err != nil || !info.Mode().IsRegular() || info.Size() > maxKept {
		return
	}
	data, err := os.ReadFile(k.sumsName())
	if err != nil {
		return
	}
	data, whole := unchecked(data, string(k.head()))
	if !whole {
		return
	}
	c := &codec{data: data}
	sums := map[string]sumOf{}
	for len(c.data) > 0 && !c.bad {
		var name string
		var s sumOf
		c.text(&name)
		s.code(c)
		sums[name] = s
	}
	if !c.bad {
		k.sums = sums
	}
}

func (s *sumOf) code(c *codec) {
	c.hash((*[sha256.Size]byte)(&s.of))
	c.number(&s.size)
	c.hash(&s.sum)
}

// A keptFile is one that holds facts, open for their rows.
type keptFile struct{ *os.File }

// read takes in one of the files, and reports whether it will do.
func (k *Keep) read(n int) bool {
	if info, err := os.Lstat(k.name(n)); err != nil || !info.Mode().IsRegular() {
		return false
	}
	opened, err := os.Open(k.name(n))
	if err != nil {
		return false
	}
	f := &keptFile{opened}
	all, ok := k.factsIn(f)
	for _, x := range all {
		ok = ok && bucket(x.Ref) == n
	}
	if !ok || k.spool == nil {
		f.Close()
	} else {
		k.spool.closeLater(f)
	}
	if !ok {
		return false
	}
	for _, x := range all {
		k.by[x.Ref] = x
	}
	return true
}

// keptHead is how long the beginning of such a file is: the magic, the general hash and how
// many bytes of facts follow.
const keptHead = len(keepMagic) + sha256.Size + 8

func (k *Keep) factsIn(f *keptFile) (all []*Facts, ok bool) {
	info, err := f.Stat()
	if err != nil || info.Size() > maxKept || info.Size() < int64(keptHead) {
		return nil, false
	}
	head := make([]byte, keptHead)
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head[:keptHead-8], k.head()) {
		return nil, false
	}
	size := binary.LittleEndian.Uint64(head[keptHead-8:])
	if size > uint64(info.Size()) {
		return nil, false
	}
	data := slices.Grow(head, int(size)+crc32.Size)[:keptHead+int(size)+crc32.Size]
	if _, err := io.ReadFull(f, data[keptHead:]); err != nil {
		return nil, false
	}
	at := int64(len(data))
	data, whole := unchecked(data, keepMagic)
	if !whole {
		return nil, false
	}
	c := &codec{data: data[keptHead-len(keepMagic):], words: map[string]string{}}
	for len(c.data) > 0 && !c.bad {
		x := new(Facts)
		c.rows = &block{from: f, at: at}
		x.code(c)
		at += c.rows.size
		all = append(all, x)
		if k.spool == nil && !c.bad {
			if at > info.Size() {
				return nil, false
			}
			rows := make([]byte, c.rows.size)
			if _, err := f.ReadAt(rows, c.rows.at); err != nil {
				return nil, false
			}
			c.rows.data, c.rows.from = rows, nil
		}
	}
	return all, !c.bad && at == info.Size()
}

func (k *Keep) head() []byte { return append([]byte(keepMagic), k.general[:]...) }

// write writes a file of facts with their rows. Where that cannot be done none stands
// there, and nothing is lost but time.
func (k *Keep) write(n int, fs []*Facts) {
	c := &codec{writing: true, data: binary.LittleEndian.AppendUint64(k.head(), 0), reader: rowReader{blocks: true}}
	var rows []byte
	for _, f := range fs {
		c.rows = &block{}
		f.code(c)
		rows = append(rows, c.rows.data...)
	}
	binary.LittleEndian.PutUint64(c.data[keptHead-8:], uint64(len(c.data)-keptHead))
	if c.bad || len(c.data)+len(rows) > maxKept {
		_ = os.Remove(k.name(n))
		return
	}
	_, _ = disk.WriteFile(k.name(n), append(checked(c.data), rows...))
}

// Find gives the facts that were made of these inputs, a hash of all that they
// depend on and that is of the entry; nil where there are none.
func (k *Keep) Find(ref entry.Ref, inputs [sha256.Size]byte) *Facts {
	if f := k.by[ref]; f != nil && f.inputs == inputs {
		return f
	}
	return nil
}

// Save keeps the facts of a catalog for the next run, with the inputs and judgements
// of those that are new. Where that fails, it is slower and nothing else.
func (k *Keep) Save(c *Catalog, note func(*Facts) (inputs [sha256.Size]byte, judged Judged, ok bool)) {
	if k.dir == "" {
		return
	}
	var buckets [keptFiles][]*Facts
	seen := 0
	for _, fs := range c.Facts {
		for _, f := range fs {
			n := bucket(f.Ref)
			if k.by[f.Ref] == f {
				seen++
			}
			if k.by[f.Ref] != f || f.altered {
				k.stale[n] = true
			}
			if k.by[f.Ref] != f {
				inputs, judged, ok := note(f)
				if !ok {
					continue
				}
				f.inputs, f.Judged = inputs, judged
			}
			buckets[n] = append(buckets[n], f)
		}
	}
	if seen < len(k.by) { // some are gone, or were made anew
		for ref, f := range k.by {
			if fs := buckets[bucket(ref)]; !slices.Contains(fs, f) {
				k.stale[bucket(ref)] = true
			}
		}
	}
	for n, fs := range buckets {
		if !k.stale[n] {
			continue
		}
		slices.SortFunc(fs, func(x, y *Facts) int { return bytes.Compare([]byte(x.Ref.String()), []byte(y.Ref.String())) })
		k.write(n, fs)
	}
	if k.newSums || len(k.sums) != len(k.nowSums) {
		c := &codec{writing: true, data: k.head()}
		for _, name := range slices.Sorted(maps.Keys(k.nowSums)) {
			s := k.nowSums[name]
			c.text(&name)
			s.code(c)
		}
		_, _ = disk.WriteFile(k.sumsName(), checked(c.data))
	}
}

// Judged is what a check found in the files of one entry, and for how long that
// holds: dated rules find other things on other days.
type Judged struct {
	Count diag.Count
	AsOf  string // the day it was judged at; "" where dated rules were not
	Until string // the first day on which it may be otherwise; "" is never
}

// On reports whether the judgement holds on a day.
func (j Judged) On(day string) bool {
	return j.AsOf == day || j.AsOf != "" && j.AsOf < day && (j.Until == "" || day < j.Until)
}

// Stands reports whether the facts' own files stand in a folder as they should.
func (f *Facts) Stands(s *Stored) bool {
	for i := range f.files {
		o := &f.files[i]
		if !s.has(o.fileSum) {
			return false
		}
		o.content = s.content(o.fileSum)
	}
	return true
}

// A codec writes values one after the other, or reads them back into the same
// places. What it reads may be anything: it never reads past its end.
type codec struct {
	writing, bad bool
	data         []byte
	rows         *block            // where rows lie, or go to
	reader       rowReader         // of rows that are written
	end          int64             // of the rows that were read
	words        map[string]string // one copy of each that many entries have
}

func (f *Facts) code(c *codec) {
	c.hash(&f.inputs)
	for p := range f.ids {
		c.hash(&f.ids[p])
	}
	for _, s := range []*string{
		&f.Ref.Kind, &f.Ref.ID, &f.SourcePath, &f.Hash, &f.Path, &f.Name, &f.Stage, &f.MovedTo, &f.UpdatedAt, &f.OldClaim, &f.OldID,
		&f.Judged.AsOf, &f.Judged.Until,
	} {
		c.text(s)
	}
	c.flag(&f.Moved)
	for _, n := range []*int{&f.tells, &f.Judged.Count.Errors, &f.Judged.Count.Warnings, &f.Judged.Count.Infos} {
		c.number(n)
	}
	f.codeRows(c)
	codeEach(c, &f.files, func(o *ownFile) { c.text(&o.path); c.number(&o.size); c.hash(&o.sum) })
	if f.Record == nil {
		f.Record = new(registry.Record)
	}
	f.codeRecord(c)
	if !c.writing && !c.bad && len(f.facets) != len(facets) && f.Live() {
		c.bad = true
	}
}

// codeRows is what files about many entries are made of.
func (f *Facts) codeRows(c *codec) {
	for _, r := range []*row{&f.row, &f.item, &f.searchItem, &f.oldRow, &f.identifiers} {
		c.row(r)
	}
	codeEach(c, &f.csv, c.row)
	codeEach(c, &f.page, c.row)
	codeEach(c, &f.views, func(r *codeRow) { c.word(&r.code); c.row(&r.row) })
	codeEach(c, &f.facets, func(values *[][2]string) {
		codeEach(c, values, func(v *[2]string) { c.word(&v[0]); c.word(&v[1]) })
	})
	for _, l := range []*[]string{&f.types, &f.sectors, &f.goals, &f.codes} {
		codeEach(c, l, c.word)
	}
	c.memory(&f.facetItem)
	c.bytes(&f.PageKey)
	// Last, when it is known.
	size := int(c.rows.size)
	if c.number(&size); c.writing {
		return
	}
	c.bad = c.bad || c.end > int64(size)
	c.end, c.rows.size = 0, int64(size)
}

// codeIdentifiers is an entry's rows in identifiers.json.
func codeIdentifiers(c *codec, rows *[]identifierRow) {
	codeEach(c, rows, func(r *identifierRow) { c.text(&r.key); c.bytes(&r.row) })
}

func (f *Facts) codeRecord(c *codec) {
	r := f.Record
	for _, s := range []*string{&r.Name, &r.Stage, &r.MovedTo} {
		c.text(s)
	}
	for _, l := range []*[]string{&r.Aliases, &r.Repositories, &r.About} {
		codeEach(c, l, c.text)
	}
	var waivers []byte
	if c.writing && len(r.Waivers) > 0 {
		waivers, _ = json.Marshal(r.Waivers)
	}
	if c.bytes(&waivers); !c.writing && len(waivers) > 0 && json.Unmarshal(waivers, &r.Waivers) != nil {
		c.bad = true
	}
}

func (c *codec) hash(h *[sha256.Size]byte) {
	if c.writing {
		c.data = append(c.data, h[:]...)
		return
	}
	copy(h[:], c.take(len(h)))
}

func (c *codec) number(n *int) {
	if c.writing {
		c.data = binary.AppendUvarint(c.data, uint64(*n))
		return
	}
	v, used := binary.Uvarint(c.data)
	if used <= 0 || v > maxKept {
		c.bad, c.data = true, nil
		return
	}
	*n, c.data = int(v), c.data[used:]
}

func (c *codec) flag(b *bool) {
	n := 0
	if *b {
		n = 1
	}
	c.number(&n)
	*b = n == 1
}

// bytes reads a copy: of a file, little is held. Nil and empty are one.
func (c *codec) bytes(b *[]byte) {
	n := len(*b)
	if c.number(&n); c.writing {
		c.data = append(c.data, *b...)
		return
	}
	*b = nil
	if n > 0 {
		*b = bytes.Clone(c.take(n))
	}
}

func (c *codec) text(s *string) {
	n := len(*s)
	if c.number(&n); c.writing {
		c.data = append(c.data, *s...)
		return
	}
	*s = string(c.take(n))
}

// take reads bytes that are good as long as the data is.
func (c *codec) take(n int) []byte {
	if n > len(c.data) {
		c.bad, c.data = true, nil
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

// word is text that many entries have.
func (c *codec) word(s *string) {
	if c.writing {
		c.text(s)
		return
	}
	n := 0
	c.number(&n)
	b := c.take(n)
	known, ok := c.words[string(b)]
	if !ok {
		known = string(b)
		c.words[known] = known
	}
	*s = known
}

// row writes a row to the block of rows, and where it lies there; or reads that.
func (c *codec) row(r *row) {
	off, size := int(r.off), int(r.size)
	if c.writing {
		data, err := c.reader.read(*r)
		c.bad = c.bad || err != nil
		off, size = int(c.rows.size), len(data)
		c.rows.add(data)
	}
	if c.number(&size); size == 0 {
		return
	}
	c.number(&off)
	if c.writing {
		c.data = binary.LittleEndian.AppendUint32(c.data, r.sum)
	} else if sum := c.take(4); sum != nil {
		*r = row{c.rows, int64(off), uint32(size), binary.LittleEndian.Uint32(sum)}
		c.end = max(c.end, r.off+int64(r.size))
	}
}

// memory is a row that is kept in memory.
func (c *codec) memory(r *row) {
	var data []byte
	if c.writing && r.size > 0 {
		data = r.in.data
	}
	if c.bytes(&data); !c.writing {
		*r = new(block).add(data)
	}
}

func codeEach[T any](c *codec, l *[]T, one func(*T)) {
	n := len(*l)
	c.number(&n)
	if !c.writing {
		if n > len(c.data) { // an item takes a byte at least
			c.bad, c.data = true, nil
			return
		}
		*l = nil
		if n > 0 {
			*l = make([]T, n)
		}
	}
	for i := range *l {
		one(&(*l)[i])
	}
}
