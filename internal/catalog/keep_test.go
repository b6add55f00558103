package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// keptRun writes what a file of facts holds: facts and rows that anybody may have
// put there, with a checksum that is right.
func keptRun(general [sha256.Size]byte, facts, rows []byte) []byte {
	data := append([]byte(keepMagic), general[:]...)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(facts)))
	return append(disk.Seal(append(data, facts...)), rows...)
}

// Whatever a kept file holds, it is read to its end and no further, and so are its rows.
func FuzzKept(f *testing.F) {
	c := &codec{writing: true, column: map[string]*column{}}
	facts := sampleFacts("one", 3)
	facts.code(c)
	body := c.data
	c.data = nil
	rows := c.columns()
	f.Add(append(c.data, body...), rows)
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 1, 'x', 0xff, 0xff, 0xff, 0xff, 3}, []byte("rows"))
	f.Fuzz(func(t *testing.T, facts, rows []byte) {
		dir := t.TempDir()
		general := [sha256.Size]byte{1}
		if err := os.WriteFile(filepath.Join(dir, runPrefix+"x"), keptRun(general, facts, rows), 0o600); err != nil {
			t.Fatal(err)
		}
		spool, err := NewSpool()
		if err != nil {
			t.Fatal(err)
		}
		defer spool.Close()
		lazy, whole := OpenKeep(dir, general, spool), OpenKeep(dir, general, nil)
		if len(lazy.by) != len(whole.by) {
			t.Fatalf("%d entries where rows are read late, %d where they are read", len(lazy.by), len(whole.by))
		}
		for ref, x := range lazy.by {
			all, same := rowsIn(x), rowsIn(whole.by[ref])
			if len(all) != len(same) {
				t.Fatalf("%s has %d rows, or %d", ref, len(all), len(same))
			}
			// Those are found to be damaged, or are what stands there.
			for i := range all {
				got, err := bytesOf(all[i])
				var damaged *KeptError
				if err != nil && !errors.As(err, &damaged) {
					t.Fatal(err)
				}
				want, _ := bytesOf(same[i])
				if err == nil && !bytes.Equal(got, want) {
					t.Fatalf("row %d of %s is %q, or %q", i, ref, got, want)
				}
			}
		}
	})
}

func rowsIn(f *Facts) []row {
	all := append([]row{f.row, f.item, f.facetItem, f.searchItem, f.oldRow, f.identifiers}, f.csv...)
	all = append(all, f.page...)
	for _, v := range f.views {
		all = append(all, v.row)
	}
	return all
}

// sampleFacts has rows that name the entry, n of them in views.
func sampleFacts(id string, n int) *Facts {
	in := &block{}
	add := func(what string) row { return in.add([]byte(what + " of " + id)) }
	f := &Facts{
		Ref: entry.Ref{Kind: "dpg", ID: id}, Stage: "archived", row: add("row"), item: add("item"), searchItem: add("search"), identifiers: add("identifiers"),
		facetItem: new(block).add([]byte("facet of " + id)), csv: make([]row, tableCount), page: []row{add("line"), add("other line")},
	}
	f.csv[0], f.csv[2] = add("entries"), add("licenses")
	for i := range n {
		code := fmt.Sprint("sdgs/", i)
		f.views = append(f.views, codeRow{code, add(code)})
	}
	return f
}

// What is kept of many entries is what was there, each row at its entry, also where
// entries came, went or changed since, in every order in which rows are read.
func TestKeptRows(t *testing.T) {
	dir := t.TempDir()
	ids := func(from, to int) (out []string) {
		for i := from; i < to; i++ {
			out = append(out, fmt.Sprintf("e%05d", i))
		}
		return out
	}
	inputs := [sha256.Size]byte{2}
	note := func(*Facts) ([sha256.Size]byte, Judged, bool) { return inputs, Judged{}, true }
	for step, list := range [][]string{ids(0, 2000), ids(3, 1999), ids(0, 40), ids(0, 40), {}, ids(100, 103)} {
		spool, err := NewSpool()
		if err != nil {
			t.Fatal(err)
		}
		k := OpenKeep(dir, [sha256.Size]byte{}, spool)
		var all []*Facts
		reused := 0
		for _, id := range list {
			f := k.Find(entry.Ref{Kind: "dpg", ID: id}, inputs)
			if f == nil || id == "e00007" { // it changed
				f = sampleFacts(id, 4)
				if err := spool.hold(f.row.in); err != nil {
					t.Fatal(err)
				}
			} else {
				reused++
			}
			all = append(all, f)
		}
		k.Save(&Catalog{Facts: map[string][]*Facts{"dpg": all}}, note)
		kept := OpenKeep(dir, [sha256.Size]byte{}, spool)
		if len(kept.by) != len(list) {
			t.Errorf("step %d: %d entries are kept, want %d", step, len(kept.by), len(list))
		}
		if most := max(len(list)/4, 1) * 3; len(kept.runs) > min(most, 2*runsWanted) {
			t.Errorf("step %d: %d files for %d entries", step, len(kept.runs), len(list))
		}
		var want, got []string
		var rows []row
		for _, id := range list {
			f := kept.by[entry.Ref{Kind: "dpg", ID: id}]
			if f == nil {
				t.Fatalf("step %d: %s is not kept", step, id)
			}
			for i, x := range rowsIn(sampleFacts(id, 4)) {
				data, err := bytesOf(x)
				if err != nil {
					t.Fatal(err)
				}
				want, rows = append(want, string(data)), append(rows, rowsIn(f)[i])
			}
		}
		read := func(data []byte) error { got = append(got, string(data)); return nil }
		if err := readRows(rows, read); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("step %d: rows differ from those that were kept", step)
		}
		// By sort, as files take them: many at a time.
		want, got, rows = nil, nil, nil
		for _, id := range list {
			want, rows = append(want, "row of "+id), append(rows, kept.by[entry.Ref{Kind: "dpg", ID: id}].row)
		}
		if err := readRows(rows, read); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("step %d: rows of one sort differ from those that were kept", step)
		}
		if wantReused := map[int]int{1: 1995, 2: 36, 3: 39}[step]; reused != wantReused {
			t.Errorf("step %d: %d entries were found, want %d", step, reused, wantReused)
		}
		if err := spool.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What others call an entry is read from its kept row when the file is made: one that
// has another form, under a checksum that is right, is damage and nothing worse.
func TestIdentifiersThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"more than there are", []byte{9}},
		{"too few words", []byte{1, 1, 'a', 1, 'b'}},
		{"a word that is cut", []byte{1, 200, 1, 'a'}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &Facts{Ref: entry.Ref{Kind: "dpg", ID: "one"}, identifiers: new(block).add(tt.data)}
			b := &builder{cat: newCatalog(1), all: []*Facts{f}}
			var damaged *KeptError
			if err := b.identifiers(); !errors.As(err, &damaged) {
				t.Errorf("identifiers = %v, want a KeptError", err)
			}
		})
	}
}

// Rows for more or fewer tables than there are cannot be of this program.
func TestKeptForOtherTables(t *testing.T) {
	for _, tt := range []struct{ tables, want int }{{tableCount, 1}, {tableCount - 1, 0}, {tableCount + 1, 0}} {
		f := sampleFacts("one", 0)
		f.csv = append(f.csv, row{})[:tt.tables]
		c := &codec{writing: true, column: map[string]*column{}}
		f.code(c)
		body := c.data
		c.data = nil
		rows := c.columns()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, runPrefix+"x"), keptRun([sha256.Size]byte{}, append(c.data, body...), rows), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := len(OpenKeep(dir, [sha256.Size]byte{}, nil).by); got != tt.want {
			t.Errorf("with rows for %d tables %d entries are kept, want %d", tt.tables, got, tt.want)
		}
	}
}
