package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// An Export is a catalog for those who put it in another form: what it says of
// itself, and its entries one at a time, as often as they are asked for. The
// entries lie in a temporary file; of each, memory holds its name and its place there.
type Export struct {
	Index      Index       // but for what it counts of frameworks
	Frameworks []Framework // by id, but for what it counts

	b     *builder
	spool *Spool

	mu     sync.Mutex
	lying  []lying
	failed map[string]error // by path
}

// lying is where an entry lies.
type lying struct {
	kind, id, path string
	at             int64
	size           int
}

// NewExport begins an export, which Close ends. As for NewMaker, the registry of the
// input need hold no entries yet; only its Head, Changes and History count beside it.
func NewExport(in Input) (*Export, error) {
	spool, err := NewSpool()
	if err != nil {
		return nil, err
	}
	b := newBuilder(in)
	b.cat.files, b.cat.taken = nil, nil // no file is made
	x := &Export{Index: b.cat.Index, b: b, spool: spool, failed: map[string]error{}}
	for _, k := range in.Registry.Kinds {
		x.Index.Kinds = append(x.Index.Kinds, b.summary(k))
	}
	for _, id := range in.Registry.Frameworks.IDs() {
		f := in.Registry.Frameworks[id]
		out := b.bare(f)
		for _, c := range f.Codes {
			out.Codes = append(out.Codes, Code{CodeInfo: b.codeInfo(f, c), Path: viewPath(f.ID, c.Code)})
		}
		x.Frameworks = append(x.Frameworks, out)
	}
	return x, nil
}

// ExportOf is an export of a registry that is in memory.
func ExportOf(in Input) (*Export, error) {
	x, err := NewExport(in)
	if err != nil {
		return nil, err
	}
	for _, d := range in.Registry.Docs {
		x.Entry(d, in.Assessments[d.Ref])
	}
	if err := x.Finish(); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// Close deletes what lies on disk.
func (x *Export) Close() error { return x.spool.Close() }

// Entry takes in an entry with its assessment, as Maker.Entry does.
func (x *Export) Entry(d *registry.Doc, a *assess.Assessment) {
	l, err := x.lay(d, a)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case err != nil:
		x.failed[d.Path] = err
	case l.path != "":
		x.lying = append(x.lying, l)
		i := slices.IndexFunc(x.Index.Kinds, func(k KindSummary) bool { return k.Name == l.kind })
		x.Index.Kinds[i].Stages[d.Entry.Status.Stage]++
		if d.Entry.Status.Live() {
			x.Index.Kinds[i].EntryCount++
		}
	}
}

// lay puts an entry on disk. Its path is "" where its kind is not in use.
func (x *Export) lay(d *registry.Doc, a *assess.Assessment) (lying, error) {
	if used, err := x.b.admit(d); !used || err != nil {
		return lying{}, err
	}
	data, err := compact(x.b.entryOf(d, a))
	if err != nil {
		return lying{}, err
	}
	at, err := x.spool.put(data)
	return lying{d.Kind.Name, d.Ref.ID, d.Path, at, len(data)}, err
}

// Finish makes sure that every entry was taken in. The error is as that of Maker.Finish.
func (x *Export) Finish() error {
	for _, path := range slices.Sorted(maps.Keys(x.failed)) {
		return fmt.Errorf("build catalog: %w", x.failed[path])
	}
	taken := make(map[string]bool, len(x.lying))
	for _, l := range x.lying {
		taken[l.path] = true
	}
	if err := x.b.complete(taken); err != nil {
		return fmt.Errorf("build catalog: %w", err)
	}
	order := map[string]int{}
	for i, k := range x.b.in.Registry.Kinds {
		order[k.Name] = i
	}
	slices.SortFunc(x.lying, func(a, b lying) int {
		return cmp.Or(cmp.Compare(order[a.kind], order[b.kind]), strings.Compare(a.id, b.id))
	})
	return nil
}

// Entries gives every entry, live or not, by kind in the registry's order and by
// id. After an error there is none.
func (x *Export) Entries() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		var data []byte
		for _, l := range x.lying {
			data = slices.Grow(data[:0], l.size)[:l.size]
			_, err := x.spool.file.ReadAt(data, l.at)
			e := new(Entry)
			if err == nil {
				err = json.Unmarshal(data, e)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read back %s: %w", l.path, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Live gives the entries that the catalog's lists name, in the same order.
func (x *Export) Live() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for e, err := range x.Entries() {
			if err == nil && !e.live() {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Identifiers are the items of identifiers.json, in their order.
func (x *Export) Identifiers() ([]Identifier, error) {
	var all []Identifier
	for e, err := range x.Entries() {
		if err != nil {
			return nil, err
		}
		rows, err := identifiers(*e)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			var id Identifier
			if err := json.Unmarshal(r.row, &id); err != nil {
				return nil, err
			}
			all = append(all, id)
		}
	}
	slices.SortStableFunc(all, func(a, b Identifier) int {
		return cmp.Or(strings.Compare(a.Scheme, b.Scheme), strings.Compare(a.Value, b.Value), strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	return slices.Compact(all), nil
}

// Changes are what happened to entries, oldest first; none without Git's history.
func (x *Export) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		if x.b.in.History == nil {
			return
		}
		for _, c := range x.b.in.History.Changes {
			if !yield(x.b.changeOf(c)) {
				return
			}
		}
	}
}

// Log gives the log of changes, which may come after the entries.
func (x *Export) Log(log *history.Log) { x.b.in.History = log }

// admit reports whether an entry's kind is in use. It is an error if the entry
// cannot be read, or if its id has another file.
func (b *builder) admit(d *registry.Doc) (used bool, err error) {
	if _, used := b.in.Registry.Kind(d.Kind.Name); !used {
		return false, nil
	}
	if !d.Whole() {
		return true, unreadable(d)
	}
	if first := b.in.Registry.Place(d.Ref); first != d {
		return true, twice(first, d)
	}
	return true, nil
}

func unreadable(d *registry.Doc) error {
	return fmt.Errorf("%s has no entry that can be read; `dpg validate` says why", d.Path)
}

func twice(first, d *registry.Doc) error {
	return fmt.Errorf("%s and %s are both %s; an id has one file", first.Path, d.Path, d.Ref)
}

// summary is a kind without its counts.
func (b *builder) summary(k entry.Kind) KindSummary {
	list := k.Folder + ".json"
	return KindSummary{
		Name: k.Name, Title: Text{"en": k.Title}, Plural: Text{"en": k.Plural}, Path: list, PagesPath: known(pagesPath(list)),
		SchemaPath: schemaFolder + "/" + k.Schema, Stages: noStages(),
	}
}

// A Note says what a form of the catalog leaves out or puts otherwise, and of which
// entries.
type Note struct {
	Text    string
	Entries []string // such as "dpg/dhis2", in the order of the catalog
}

// Notes collects such.
type Notes map[string][]string // text to entries

// Add notes something of an entry. Entries come in the order of the catalog; what is
// said of one twice is noted once.
func (n Notes) Add(text, entry string) {
	if all := n[text]; len(all) == 0 || all[len(all)-1] != entry {
		n[text] = append(all, entry)
	}
}

// In gives the notes in an order of their texts.
func (n Notes) In(order []string) []Note {
	var all []Note
	for _, text := range order {
		if entries := n[text]; len(entries) > 0 {
			all = append(all, Note{text, entries})
		}
	}
	return all
}
