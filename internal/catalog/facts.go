package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// Facts are what files about more than one entry need to know of an entry: its
// rows in them, written already, and what they are found, counted and sorted by.
// They are made by several goroutines, and may be kept from run to run: with those
// of the entries that did not change, a build writes the whole catalog without reading
// them again. Of an entry a kilobyte or two are in memory; its rows lie elsewhere where there is a Spool.
type Facts struct {
	Ref        entry.Ref
	SourcePath string // as Entry has it
	Hash       string // Git blob id of the source file
	Path       string // of the entry's file, relative to api/v1/
	Name       string // "" where nobody gave one
	Stage      string
	MovedTo    string
	Moved      bool   // MovedTo is the id of an entry
	UpdatedAt  string // "" where not known
	OldClaim   string // same_as.dpga
	OldID      string // the id in the predecessor's views; "" where it stands in none
	tells      int    // how good an example it makes, see openAPI

	row         row   // in full.json, and but for the envelope in full.ndjson
	item        row   // in the list of its kind; like those below none unless live
	facetItem   row   // in views by facet; in memory
	searchItem  row   // in search.json
	oldRow      row   // in the predecessor's list
	csv         []row // lines of each table
	identifiers row   // the rows in identifiers.json, as codeIdentifiers has them
	views       []codeRow
	facets      [][][2]string // for each facet what it is found under: id and spelling
	types       []string
	sectors     []string
	goals       []string
	codes       []string

	// PageKey is what pages about many entries sort by; see PageLines.
	PageKey []byte
	page    []row // its line on them, in each of their forms

	files []ownFile // those of this entry alone

	// Judged is what a check found in the entry's files, and Record what rules that
	// look across entries read of it. Both are for who keeps facts; see Keep.
	Judged Judged
	Record *registry.Record

	inputs  [sha256.Size]byte        // what they were made of; see Keep.Find
	ids     [parts][sha256.Size]byte // of what files about many entries take from them; see identify
	altered bool                     // since they were kept
}

type (
	identifierRow struct {
		key [4]string // scheme, value, kind and id, which it is sorted by
		row []byte
	}
	// A codeRow is a row in the view of a framework code.
	codeRow struct {
		code string
		row  row
	}
	fileSum struct {
		path string
		size int
		sum  [sha256.Size]byte
	}
	ownFile struct {
		fileSum
		content *content
	}
)

// Live reports whether lists and views name the entry.
func (f *Facts) Live() bool { return entry.Status{Stage: f.Stage}.Live() }

// PageLines visits entries with their lines on pages about many, in one of the forms
// of these. A line is good until the next is visited. Entries without one are left out.
// It is fastest in the order of the catalog.
func PageLines(of []*Facts, form int, visit func(f *Facts, line []byte) error) error {
	var with []*Facts
	var rows []row
	for _, f := range of {
		if form < len(f.page) {
			with, rows = append(with, f), append(rows, f.page[form])
		}
	}
	return readRows(rows, func(line []byte) error {
		f := with[0]
		with = with[1:]
		return visit(f, line)
	})
}

// facts makes the facts of an entry and adds its own files to the catalog. It may
// be called from several goroutines.
func (b *builder) facts(d *registry.Doc, e Entry) (*Facts, error) {
	f := &Facts{
		Ref: d.Ref, SourcePath: d.Path, Hash: d.Hash, Path: e.Path, Name: str(e.Name), Stage: e.Status.Stage, MovedTo: str(e.Status.MovedTo),
		Record: d.Record, UpdatedAt: str(e.UpdatedAt), OldClaim: oldClaim(d.Entry), tells: telling(e),
	}
	if f.MovedTo != "" {
		f.Moved = b.in.Registry.Place(entry.Ref{Kind: d.Ref.Kind, ID: f.MovedTo}) != nil
	}
	for p := range parts {
		f.identify(p)
	}
	rows := &block{}
	whole, err := compact(e)
	if err != nil {
		return nil, err
	}
	f.row = rows.add(whole)
	f.identify(partRow, whole)
	var tables [][]byte
	for _, t := range b.tables {
		var lines []byte
		if f.Live() || t.name == "entries" {
			if lines, err = csvLines(t.rows(e)); err != nil {
				return nil, err
			}
		}
		tables = append(tables, lines)
		f.csv = append(f.csv, rows.add(lines))
	}
	f.identify(partTable, tables[:1]...)
	f.identify(partTables, tables[1:]...)
	names, err := identifiers(e)
	if err != nil {
		return nil, err
	}
	c := &codec{writing: true}
	codeIdentifiers(c, &names)
	f.identifiers = rows.add(c.data)
	f.identify(partNames, c.data)
	var it *Item
	if f.Live() {
		made := b.item(e)
		it = &made
		if err := b.liveFacts(f, d, e, made, rows); err != nil {
			return nil, err
		}
	}
	data, err := encode(EntryResponse{b.envelope(), e})
	if err != nil {
		return nil, err
	}
	if err := b.own(f, apiFolder+"/"+e.Path, data); err != nil {
		return nil, err
	}
	if f.OldID = b.oldID(f); f.OldID != "" {
		if err := b.oldFacts(f, d.Entry, rows); err != nil {
			return nil, err
		}
	}
	if b.in.Pages != nil {
		p, err := b.in.Pages.Entry(PageInput{Index: &b.cat.Index, Entry: &e, Item: it, Moved: f.Moved, HasView: b.hasView})
		if err != nil {
			return nil, err
		}
		f.page, f.PageKey = each(p.Lines, rows.add), p.Key
		if err := b.own(f, p.Path, p.Data); err != nil {
			return nil, err
		}
	}
	return f, b.in.Spool.hold(rows)
}

func (b *builder) liveFacts(f *Facts, d *registry.Doc, e Entry, it Item, rows *block) error {
	for _, x := range []struct {
		part part
		row  *row
		in   *block
		item any
	}{
		{partItem, &f.item, rows, it},
		// It is short, and read for each of the many views that it stands in.
		{partFacets, &f.facetItem, &block{}, FacetItem{e.ID, e.Kind, e.Path, e.Name}},
		{partSearch, &f.searchItem, rows, b.searchItem(e, it)},
	} {
		data, err := compact(x.item)
		if err != nil {
			return err
		}
		*x.row = x.in.add(data)
		f.identify(x.part, data)
	}
	for _, x := range facets {
		var values [][2]string
		by := x.values(e)
		for _, id := range slices.Sorted(maps.Keys(by)) {
			values = append(values, [2]string{id, by[id]})
		}
		f.facets = append(f.facets, values)
	}
	f.types, f.sectors, f.codes = e.Types, e.Sectors, it.MappedCodes
	f.goals = each(e.SDGs, func(g SDG) string { return strconv.Itoa(g.Goal) })
	in := b.viewItems(d.Entry, e)
	f.views = make([]codeRow, 0, len(in))
	var views [][]byte
	for _, v := range in {
		data, err := compact(v.item)
		if err != nil {
			return err
		}
		f.views = append(f.views, codeRow{v.code, rows.add(data)})
		views = append(views, []byte(v.code), data)
	}
	f.identify(partViews, views...)
	return nil
}

// own notes a file that is of one entry alone.
func (b *builder) own(f *Facts, name string, data []byte) (err error) {
	c := contentOf(data)
	sum := fileSum{name, c.size, c.sum}
	switch {
	case b.in.Stored.has(sum): // its bytes need not be kept
		c = b.in.Stored.content(sum)
	case b.in.Spool != nil:
		if c, err = b.in.Spool.keep(c); err != nil {
			return err
		}
	}
	f.files = append(f.files, ownFile{sum, c})
	return nil
}

// oldFacts writes an entry as the predecessor had it, under OldID.
func (b *builder) oldFacts(f *Facts, e *entry.Entry, rows *block) error {
	main := b.language(e)
	view := dpga.ViewOf(e, f.OldID, main)
	data, err := compact(view)
	if err != nil {
		return err
	}
	f.oldRow = rows.add(data)
	f.identify(partOld, data)
	var whole any = view
	if f.Stage == entry.StageDPG {
		whole = dpga.ScreenedViewOf(e, f.OldID, main)
	}
	if data, err = encode(whole); err != nil {
		return err
	}
	return b.own(f, oldPath(f), data)
}

// telling says how good an example a response makes: a live entry with an
// assessment tells most.
func telling(e Entry) int {
	n := 1
	if e.live() {
		n++
	}
	if e.Assessment != nil && len(e.Assessment.Mappings) > 0 {
		n += 2
	}
	return n
}

// compact writes a row: one line, "<" as it is, no newline.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func csvLines(rows [][]string) ([]byte, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true // RFC 4180
	for _, row := range rows {
		if err := w.Write(each(row, cell)); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func identifiers(e Entry) (rows []identifierRow, err error) {
	add := func(scheme string, value *string) {
		if value == nil || err != nil {
			return
		}
		var row []byte
		row, err = compact(Identifier{scheme, *value, e.ID, e.Kind, e.Path})
		rows = append(rows, identifierRow{[4]string{scheme, *value, e.Kind, e.ID}, row})
	}
	add("dial", e.SameAs.DIAL)
	add("dpga", e.SameAs.DPGA)
	add("purl", e.SameAs.PURL)
	add("wikidata", e.SameAs.Wikidata)
	for _, r := range e.Repositories {
		if r.URL != nil {
			add("repository", known(lint.CanonicalRepository(*r.URL)))
		}
	}
	return rows, err
}

func (b *builder) searchItem(e Entry, it Item) SearchItem {
	main := b.in.Registry.Settings.Language()
	words := e.Description.best(main)
	if words == "" {
		words = it.SummaryText.best(main)
	}
	if r := []rune(words); len(r) > maxWords {
		words = string(r[:maxWords])
	}
	return SearchItem{e.ID, e.Kind, e.Path, e.Name, list(e.Aliases), known(words), list(e.Types), list(e.Sectors),
		list(e.licenseIDs()), it.SDGGoals, list(e.countries()), it.MappedCodes}
}

// countries are those where it was made or is used, sorted.
func (e Entry) countries() []string {
	all := slices.Concat(e.Locations.DevelopedIn, e.Locations.DeployedIn)
	slices.Sort(all)
	return slices.Compact(all)
}

// licenseIDs are those that its licence expressions name, sorted.
func (e Entry) licenseIDs() []string {
	var ids []string
	for _, l := range e.Licenses {
		if x, err := spdx.Parse(l.Expression); err == nil {
			ids = append(ids, x.Licenses()...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// hasView reports whether a code has a view, or a framework its file.
func (b *builder) hasView(code string) bool {
	if b.in.Registry.Frameworks[code] != nil {
		return true
	}
	_, _, err := b.in.Registry.Frameworks.Find(code)
	return err == nil
}

func oldPath(f *Facts) string {
	if f.Stage == entry.StageDPG {
		return "dpg/" + f.OldID + "/index.json"
	}
	return "nominee/" + f.OldID + "/index.json"
}

func oldClaim(e *entry.Entry) string {
	if e.SameAs == nil {
		return ""
	}
	return e.SameAs.DPGA
}
