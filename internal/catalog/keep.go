package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
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
type Keep struct {
	dir     string
	general [sha256.Size]byte
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
const keepMagic = "dpg facts 2\n"

// OpenKeep reads the facts that are kept in a folder; "" keeps none. general is a
// hash of all that they depend on and that is of no single entry: the program,
// settings, policy and frameworks.
func OpenKeep(dir string, general [sha256.Size]byte) *Keep {
	k := &Keep{dir: dir, general: general, by: map[entry.Ref]*Facts{}, sums: map[string]sumOf{}, nowSums: map[string]sumOf{}}
	if dir == "" {
		return k
	}
	for n := range keptFiles {
		if !k.read(n) {
			k.stale[n] = true
		}
	}
	k.readSums()
	return k
}

func (k *Keep) name(n int) string { return filepath.Join(k.dir, fmt.Sprintf("%02x", n)) }

func (k *Keep) sumsName() string { return filepath.Join(k.dir, "sums") }

func bucket(ref entry.Ref) int { return int(sha256.Sum256([]byte(ref.String()))[0]) }

// open reads one of the files; nil where there is none that will do.
func (k *Keep) open(name string) *codec {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxKept {
		return nil
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil
	}
	data, whole := unchecked(data, keepMagic)
	if !whole || len(data) < sha256.Size || [sha256.Size]byte(data) != k.general {
		return nil
	}
	return &codec{data: data[sha256.Size:]}
}

func (k *Keep) write(name string, code func(*codec)) {
	w := &codec{writing: true, data: append([]byte(keepMagic), k.general[:]...)}
	code(w)
	_, _ = disk.WriteFile(name, checked(w.data))
}

func (k *Keep) readSums() {
	c := k.open(k.sumsName())
	if c == nil {
		return
	}
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

func (k *Keep) read(n int) bool {
	c := k.open(k.name(n))
	if c == nil {
		return false
	}
	var all []*Facts
	for len(c.data) > 0 && !c.bad {
		f := new(Facts)
		f.code(c)
		if bucket(f.Ref) != n {
			return false
		}
		all = append(all, f)
	}
	if c.bad {
		return false
	}
	for _, f := range all {
		k.by[f.Ref] = f
	}
	return true
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
		k.write(k.name(n), func(c *codec) {
			for _, f := range fs {
				f.code(c)
			}
		})
	}
	if k.newSums || len(k.sums) != len(k.nowSums) {
		k.write(k.sumsName(), func(c *codec) {
			for _, name := range slices.Sorted(maps.Keys(k.nowSums)) {
				s := k.nowSums[name]
				c.text(&name)
				s.code(c)
			}
		})
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
	for _, b := range []*[]byte{&f.row, &f.item, &f.facetItem, &f.searchItem, &f.oldRow, &f.PageKey} {
		c.bytes(b)
	}
	codeEach(c, &f.csv, c.bytes)
	codeEach(c, &f.Page, c.bytes)
	codeEach(c, &f.identifiers, func(r *identifierRow) { c.text(&r.key); c.bytes(&r.row) })
	codeEach(c, &f.views, func(r *codeRow) { c.text(&r.code); c.bytes(&r.row) })
	codeEach(c, &f.facets, func(values *[][2]string) {
		codeEach(c, values, func(v *[2]string) { c.text(&v[0]); c.text(&v[1]) })
	})
	for _, l := range []*[]string{&f.types, &f.sectors, &f.goals, &f.codes} {
		codeEach(c, l, c.text)
	}
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
	switch {
	case c.writing:
		c.data = append(c.data, h[:]...)
	case len(c.data) < len(h):
		c.bad, c.data = true, nil
	default:
		copy(h[:], c.data)
		c.data = c.data[len(h):]
	}
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

// bytes reads a part of the data itself, which stays in memory with it; nil and
// empty are one.
func (c *codec) bytes(b *[]byte) {
	n := len(*b)
	c.number(&n)
	switch {
	case c.writing:
		c.data = append(c.data, *b...)
	case n > len(c.data):
		c.bad, c.data = true, nil
	case n == 0:
		*b = nil
	default:
		*b, c.data = c.data[:n:n], c.data[n:]
	}
}

func (c *codec) text(s *string) {
	b := []byte(*s)
	c.bytes(&b)
	if !c.writing {
		*s = string(b)
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
