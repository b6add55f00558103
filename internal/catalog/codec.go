package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A codec writes values one after the other, or reads them back into the same
// places. What it reads may be anything: it never reads past its end.
type codec struct {
	writing, bad bool
	data         []byte
	words        map[string]string // one copy of each that many entries have

	column map[string]*column // rows of one sort, one after the other
	rows   *block             // where they are read from
	reader rowReader          // of those that are written
}

type column struct {
	start, size int64
	data        []byte // while they are written
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
	if !c.writing && (f.row.size == 0 || len(f.csv) != tableCount || len(f.facets) != len(facets) && f.Live()) {
		c.bad = true
	}
}

// codeRows is what files about many entries are made of.
func (f *Facts) codeRows(c *codec) {
	c.row("full", &f.row)
	c.row("item", &f.item)
	c.row("search", &f.searchItem)
	c.row("old", &f.oldRow)
	c.row("identifiers", &f.identifiers)
	c.eachRow("csv", &f.csv)
	c.eachRow("page", &f.page)
	codeEach(c, &f.views, func(r *codeRow) { c.word(&r.code); c.row(r.code, &r.row) })
	codeEach(c, &f.facets, func(values *[][2]string) {
		codeEach(c, values, func(v *[2]string) { c.word(&v[0]); c.word(&v[1]) })
	})
	for _, l := range []*[]string{&f.types, &f.sectors, &f.goals, &f.codes} {
		codeEach(c, l, c.word)
	}
	c.memory(&f.facetItem)
	c.bytes(&f.PageKey)
}

// codeIdentifiers is an entry's rows in identifiers.json.
func codeIdentifiers(c *codec, rows *[]identifierRow) {
	codeEach(c, rows, func(r *identifierRow) {
		for i := range r.key {
			c.text(&r.key[i])
		}
		c.bytes(&r.row)
	})
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

// row writes a row to its column, and where it lies there; or reads that.
func (c *codec) row(name string, r *row) {
	size, off := int(r.size), 0
	if c.writing && size > 0 {
		data, err := c.reader.read(*r)
		c.bad = c.bad || err != nil
		col := c.column[name]
		if col == nil {
			col = &column{}
			c.column[name] = col
		}
		off = len(col.data)
		col.data = append(col.data, data...)
	}
	if c.number(&size); size == 0 {
		return
	}
	if c.number(&off); c.writing {
		c.data = binary.LittleEndian.AppendUint32(c.data, r.sum)
		return
	}
	col, sum := c.column[name], c.take(4)
	if col == nil || sum == nil || int64(off)+int64(size) > col.size {
		c.bad, c.data = true, nil
		return
	}
	*r = row{c.rows, col.start + int64(off), uint32(size), binary.LittleEndian.Uint32(sum)}
}

func (c *codec) eachRow(name string, rows *[]row) {
	n := 0
	codeEach(c, rows, func(r *row) {
		c.row(name+"/"+strconv.Itoa(n), r)
		n++
	})
}

// columns writes how long each column is, and gives them in this order; or reads it.
func (c *codec) columns() []byte {
	names := slices.Sorted(maps.Keys(c.column))
	if !c.writing {
		c.column = map[string]*column{}
	}
	var rows []byte
	at := int64(0)
	codeEach(c, &names, func(name *string) {
		c.text(name)
		col := c.column[*name]
		if !c.writing {
			col = &column{start: at}
			c.column[*name] = col
		}
		size := len(col.data)
		c.number(&size)
		col.size = int64(size)
		at += col.size
		rows = append(rows, col.data...)
		col.data = nil
	})
	c.bad = c.bad || !c.writing && at != c.rows.size
	return rows
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
		if one(&(*l)[i]); c.bad {
			return // however many are said to follow
		}
	}
}
