package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Table says how a CSV file is to be read. The zero value reads one that the
// catalog publishes.
type Table struct {
	Columns  map[string]string // key of Fields to the column that has it
	Values   map[string]string // key of Fields to what every row has
	Split    string            // between several values in a cell; "" is "|"
	Origin   string            // address that the table is from; "" is not known
	AsOf     string            // the day of reading, "2006-01-02"
	Language string            // of the registry's plain text; "" is English
}

const (
	maxTable   = 64 << 20 // bytes
	maxColumns = 1000
)

// A column takes a cell into an entry. What it cannot take it says in a Note.
type column struct {
	name string
	help string
	take func(r *row, cell string)
	out  string // why the column is left out on purpose, "" for others
}

// Fields lists the keys that a column can be mapped to, each with what it is.
func Fields() [][2]string {
	var all [][2]string
	for _, c := range columns() {
		if c.out == "" {
			all = append(all, [2]string{c.name, c.help})
		}
	}
	return all
}

// A Loss is something of an entry that the catalog's tables do not hold.
type Loss struct {
	Key  string // as in a file, such as "repositories.name"
	When string // in which case, as the end of a sentence; "" is always
}

// Losses lists what an entry does not have any more that was published in the
// catalog's tables and read from them, by key. In all texts a carriage return is
// lost too, and in lists what is blank. An entry that was renamed or removed is not
// made again at all. The catalog's JSON, which ReadCatalog reads, holds all but
// decisions, stewards and waivers, which are for the people of each registry.
func Losses() []Loss {
	const (
		bar       = "where it holds a vertical bar, which becomes a slash"
		languages = "but for one language: the registry's, or else the first by tag"
		live      = "where the entry is not live"
	)
	return []Loss{
		{"about", bar},
		{"aliases", bar},
		{"decisions", ""},
		{"description", languages},
		{"language", "where the texts are kept in another language than that"},
		{"languages", bar},
		{"licenses.covers", live},
		{"licenses.expression", "where it holds a vertical bar, as none should, and the entry is not live"},
		{"licenses.url", live},
		{"locations", live},
		{"organizations", live},
		{"repositories", "those that have no address"},
		{"repositories.name", ""},
		{"repositories.url", bar},
		{"sdgs.evidence", bar + ", or the entry is not live"},
		{"sdgs.text", languages + "; all " + live},
		{"sectors", bar},
		{"sources", live},
		{"standard", ""},
		{"status.reason", languages},
		{"stewards", ""},
		{"topics", bar},
		{"waivers", ""},
	}
}

func set(to func(*entry.Entry) *string) func(*row, string) {
	return func(r *row, cell string) { *to(&r.entry) = cell }
}

func several(to func(*entry.Entry) *[]string) func(*row, string) {
	return func(r *row, cell string) { *to(&r.entry) = r.split(cell) }
}

// same gives the entry's identities, made where there are none yet.
func same(e *entry.Entry) *entry.SameAs {
	if e.SameAs == nil {
		e.SameAs = &entry.SameAs{}
	}
	return e.SameAs
}

// sbom gives the entry's list of dependencies, made where there is none yet.
func sbom(e *entry.Entry) *entry.SBOM {
	if e.SBOM == nil {
		e.SBOM = &entry.SBOM{}
	}
	return e.SBOM
}

func organization(role string) func(*row, string) {
	return func(r *row, cell string) {
		for _, name := range r.split(cell) {
			r.entry.Organizations = append(r.entry.Organizations, entry.Organization{Name: name, Role: role})
		}
	}
}

// columns are what a column can be, in the order of an entry.
func columns() []column {
	return []column{
		{"kind", "dpg or resource; dpg where nothing is said", func(r *row, s string) { r.kind = s }, ""},
		{"id", "the entry's id; made of the name where there is none", func(r *row, s string) { r.entry.ID = s }, ""},
		{"name", "what it is called", set(func(e *entry.Entry) *string { return &e.Name }), ""},
		{"aliases", "other names, several", several(func(e *entry.Entry) *[]string { return &e.Aliases }), ""},
		{"description", "what it is and whom it serves", func(r *row, s string) { r.entry.Description = entry.Plain(s) }, ""},
		{"summary", "", nil, "summaries are made here, by the engine or by a person's decision"},
		{"website", "its own address", set(func(e *entry.Entry) *string { return &e.Website }), ""},
		{"url", "where a resource is read", set(func(e *entry.Entry) *string { return &e.URL }), ""},
		{"format", "of a resource, such as guide", set(func(e *entry.Entry) *string { return &e.Format }), ""},
		{"published", "of a resource: a year, a month or a day", set(func(e *entry.Entry) *string { return &e.Published }), ""},
		{"languages", "of a resource, several: BCP 47 tags it can be had in", several(func(e *entry.Entry) *[]string { return &e.Languages }), ""},
		{"types", "of a dpg, several: " + strings.Join(propose.Types, ", "), (*row).types, ""},
		{"sectors", "fields it serves, several", several(func(e *entry.Entry) *[]string { return &e.Sectors }), ""},
		{"topics", "what it is about, several", several(func(e *entry.Entry) *[]string { return &e.Topics }), ""},
		{"licenses", "SPDX expressions, several", func(r *row, s string) {
			for _, l := range r.split(s) {
				r.entry.Licenses = append(r.entry.Licenses, entry.License{Expression: l})
			}
		}, ""},
		{"repositories", "addresses of its source, several", func(r *row, s string) {
			for _, u := range r.split(s) {
				r.entry.Repositories = append(r.entry.Repositories, entry.Repository{URL: u})
			}
		}, ""},
		{"sbom_url", "of a dpg: where its list of dependencies is, an SPDX document", func(r *row, s string) { sbom(&r.entry).URL = s }, ""},
		{"sbom_as_of", "the day that list was made", func(r *row, s string) {
			if r.date(s) {
				sbom(&r.entry).AsOf = s
			}
		}, ""},
		{"sdgs", "numbers of goals, several", (*row).goals, ""},
		{"about", "entries and codes it speaks of, several, such as dpg/dhis2", several(func(e *entry.Entry) *[]string { return &e.About }), ""},
		{"countries", "", nil, "it does not say whether a country is where it is made or where it is used; import the folder with countries.csv, or map the column to deployed_in or developed_in"},
		{"developed_in", "countries where it is made, several", func(r *row, s string) { r.places(s, func(l *entry.Locations) *[]string { return &l.DevelopedIn }) }, ""},
		{"deployed_in", "countries where it is used, several", func(r *row, s string) { r.places(s, func(l *entry.Locations) *[]string { return &l.DeployedIn }) }, ""},
		{"organizations", "", nil, "it does not say what part they have; import the folder with organizations.csv, or map the column to owner, maintainer, funder, implementer or publisher"},
		{"owner", "organisations that own it, several", organization("owner"), ""},
		{"maintainer", "organisations that maintain it, several", organization("maintainer"), ""},
		{"funder", "organisations that fund it, several", organization("funder"), ""},
		{"implementer", "organisations that put it to use, several", organization("implementer"), ""},
		{"publisher", "organisations that published a resource, several", organization("publisher"), ""},
		{"contact_url", "a page to reach its people by", set(func(e *entry.Entry) *string { return &e.ContactURL }), ""},
		{"language", "of its texts, a BCP 47 tag; the registry's where nothing is said", func(r *row, s string) {
			if s != cmp.Or(r.table.Language, "en") {
				r.entry.Language = s
			}
		}, ""},
		{"stage", "where it stands: nominee, dpg, listed, archived, declined", (*row).stage, ""},
		{"recognised_by", "who recognised it as a DPG", set(func(e *entry.Entry) *string { return &e.Status.RecognisedBy }), ""},
		{"status_as_of", "the day that stage was so", func(r *row, s string) {
			if !r.date(s) {
				return
			}
			r.entry.Status.AsOf = s
		}, ""},
		{"status_url", "where that can be read", set(func(e *entry.Entry) *string { return &e.Status.URL }), ""},
		{"status_reason", "why it is archived, declined or removed", func(r *row, s string) { r.entry.Status.Reason = entry.Plain(s) }, ""},
		{"moved_to", "of stage renamed: the id that stands for it now", set(func(e *entry.Entry) *string { return &e.Status.MovedTo }), ""},
		{"review_by", "the day somebody should look again", func(r *row, s string) {
			if r.date(s) {
				r.entry.Status.ReviewBy = s
			}
		}, ""},
		{"dpga_id", "its file's name in the DPGA's registry of 2023", func(r *row, s string) { same(&r.entry).DPGA = s }, ""},
		{"wikidata", "its item of Wikidata", func(r *row, s string) { same(&r.entry).Wikidata = s }, ""},
		{"purl", "its package URL", func(r *row, s string) { same(&r.entry).PURL = s }, ""},
		{"dial", "its slug in the Digital Impact Exchange", func(r *row, s string) { same(&r.entry).DIAL = s }, ""},
		{"sources", "where its facts are from, several: addresses or names", func(r *row, s string) {
			for _, from := range r.split(s) {
				if isAddress(from) {
					r.entry.Sources = append(r.entry.Sources, entry.Source{URL: from})
				} else {
					r.entry.Sources = append(r.entry.Sources, entry.Source{Name: from})
				}
			}
		}, ""},
		{"updated_at", "", nil, "Git has the times of changes"},
	}
}

// A row is one line of a table on its way to become an entry.
type row struct {
	batch     *Batch
	table     *Table
	label     string
	line, col int    // of the cell that is being taken
	name      string // of its column
	exact     bool   // the table is this program's own: white space is meant
	kind      string
	entry     entry.Entry
}

func (r *row) note(format string, args ...any) {
	r.batch.Notes = append(r.batch.Notes, Note{r.line, r.col, r.label + ", column " + strconv.Quote(r.name), fmt.Sprintf(format, args...)})
}

func (r *row) split(cell string) []string {
	separator := r.table.Split
	if separator == "" {
		separator = "|"
	}
	var all []string
	for part := range strings.SplitSeq(cell, separator) {
		if !r.exact {
			part = strings.TrimSpace(part)
		}
		if part != "" {
			all = append(all, part)
		}
	}
	return all
}

func (r *row) types(cell string) {
	for _, t := range r.split(cell) {
		word := strings.ReplaceAll(strings.ToLower(t), " ", "-")
		if !slices.Contains(propose.Types, word) {
			r.note("type %q is none of %s, and is left out", clip(t), strings.Join(propose.Types, ", "))
			continue
		}
		r.entry.Types = append(r.entry.Types, word)
	}
}

func (r *row) stage(cell string) {
	stages := []string{entry.StageNominee, entry.StageDPG, entry.StageListed, entry.StageArchived, entry.StageDeclined, entry.StageRenamed, entry.StageRemoved}
	word := strings.ToLower(strings.TrimSpace(cell))
	if !slices.Contains(stages, word) {
		r.note("stage %q is none of %s, and is left out", clip(cell), strings.Join(stages, ", "))
		return
	}
	r.entry.Status.Stage = word
}

func (r *row) goals(cell string) {
	for _, s := range r.split(cell) {
		n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(strings.ToUpper(s), "SDG")))
		if err != nil || n < 1 || n > 17 {
			r.note("goal %q is no number from 1 to 17, and is left out", clip(s))
			continue
		}
		r.entry.SDGs = append(r.entry.SDGs, entry.SDG{Goal: n})
	}
}

func (r *row) places(cell string, to func(*entry.Locations) *[]string) {
	for _, s := range r.split(cell) {
		code, ok := countryCode(s)
		if !ok {
			r.note("country %q is neither a code nor the name of one country, and is left out", clip(s))
			continue
		}
		if r.entry.Locations == nil {
			r.entry.Locations = &entry.Locations{}
		}
		list := to(r.entry.Locations)
		*list = append(*list, code)
	}
}

// countryCode takes a country by its code or its English name.
func countryCode(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z' {
		return s, true // whether it is one is for the rules
	}
	return dpga.CountryCode(s)
}

func (r *row) date(s string) bool {
	if isDate(s) {
		return true
	}
	r.note("date %q is not of the form 2006-01-02, and is left out", clip(s))
	return false
}

// unescape takes off the apostrophe that keeps a cell from being run as a
// formula, as the catalog's own tables have it.
func unescape(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && catalog.Escaped(rest) {
		return rest
	}
	return s
}

// ReadCSV reads a table with one row an entry: the catalog's own entries.csv, or
// any whose columns are mapped. Of a folder it reads entries.csv and, with it, the
// longer tables that the catalog publishes beside it.
//
// The error is an ErrFormat where it is no such table.
func ReadCSV(ctx context.Context, s *Source, t Table) (*Batch, error) {
	b := &Batch{KeepDates: true}
	if !s.Folder {
		data, err := s.read(ctx, "")
		if err != nil {
			return nil, err
		}
		err = b.table(s.Name, data, &t, nil)
		for i := range b.Notes {
			if b.Notes[i].At == s.Name {
				b.Notes[i].At = "" // there is no other file
			}
		}
		return b, err
	}
	folder := ""
	for _, at := range []string{"", "csv/", "api/v1/csv/"} {
		if data, err := s.read(ctx, at+"entries.csv"); err == nil {
			folder = at
			long := map[string]*table{}
			for _, name := range []string{"countries", "licenses", "organizations", "sdgs", "sources"} {
				data, err := s.read(ctx, folder+name+".csv")
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return nil, err
				}
				if long[name], err = b.read(name+".csv", data); err != nil {
					return nil, err
				}
			}
			return b, b.table("entries.csv", data, &t, long)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, formatf("%s has no entries.csv; name the folder csv of a catalog, or a file", s.Name)
}

// A table is a CSV file as it was read.
type table struct {
	name   string
	header []string
	rows   []tableRow
}

type tableRow struct {
	cells []string
	pos   [][2]int // line and column of each cell
	n     int      // 1 is the first below the header
}

// decodeText finds out how a table is encoded, and says so where that is not
// plain UTF-8.
func (b *Batch) decodeText(name string, data []byte) ([]byte, error) {
	decoded := func(what string, e encoding.Encoding) ([]byte, error) {
		out, err := e.NewDecoder().Bytes(data)
		if err != nil {
			return nil, formatf("%s is not %s: %v", name, what, err)
		}
		b.note(name, "read as %s", what)
		return out, nil
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		b.note(name, "it begins with a byte order mark, which is left out")
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decoded("UTF-16", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM))
	}
	if !utf8.Valid(data) {
		return decoded("Windows-1252 (Latin-1), as it is not UTF-8", charmap.Windows1252)
	}
	return data, nil
}

// read reads a table whole.
func (b *Batch) read(name string, data []byte) (*table, error) {
	if len(data) > maxTable {
		return nil, formatf("%s has %d bytes, and at most %d are read", name, len(data), maxTable)
	}
	data, err := b.decodeText(name, data)
	if err != nil {
		return nil, err
	}
	comma := delimiter(data)
	if comma != ',' {
		b.note(name, "cells are parted by %q", comma)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = comma
	r.FieldsPerRecord = -1
	r.ReuseRecord = false
	t := &table{name: name}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			begins := ""
			if parse.StartLine != parse.Line {
				begins = fmt.Sprintf(", of a row that begins in line %d", parse.StartLine)
			}
			return nil, formatf("%s:%d:%d: %v%s; a quote in a cell is written twice, in a cell in quotes", name, parse.Line, parse.Column, parse.Err, begins)
		}
		if err != nil {
			return nil, err
		}
		if t.header == nil {
			t.header = cells
			continue
		}
		if len(t.rows) == maxRecords {
			return nil, formatf("%s has more than %d rows", name, maxRecords)
		}
		row := tableRow{cells: cells, n: len(t.rows) + 1, pos: make([][2]int, len(cells))}
		for i := range cells {
			row.pos[i][0], row.pos[i][1] = r.FieldPos(i)
		}
		t.rows = append(t.rows, row)
	}
	if t.header == nil {
		return nil, formatf("%s has no header", name)
	}
	if len(t.header) > maxColumns {
		return nil, formatf("%s has %d columns, and at most %d are read", name, len(t.header), maxColumns)
	}
	for i, h := range t.header {
		t.header[i] = strings.TrimSpace(h)
	}
	return t, nil
}

// delimiter is what parts the cells of the first line: the most frequent of those
// in use, outside quotes.
func delimiter(data []byte) rune {
	counts := map[rune]int{}
	quoted := false
	for _, c := range string(data[:min(len(data), 1<<20)]) {
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == '\n' || c == '\r' {
			break
		}
		counts[c]++
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// table makes records of a table. Long ones, by name, say more of its rows.
func (b *Batch) table(name string, data []byte, t *Table, long map[string]*table) error {
	read, err := b.read(name, data)
	if err != nil {
		return err
	}
	known := map[string]column{}
	for _, c := range columns() {
		known[c.name] = c
	}
	at, err := b.headers(read, t, known, long)
	if err != nil {
		return err
	}
	_, mapped := t.Columns["id"]
	b.OwnIDs = !mapped && slices.Contains(read.header, "id") && slices.Contains(read.header, "kind")
	more := rowsOf(long)
	short := shortened{}
	seen := map[string]string{}
	for _, cells := range read.rows {
		b.Read++
		label := fmt.Sprintf("row %d", cells.n)
		if len(cells.cells) != len(read.header) {
			b.refuse(label, "", "it has %d cells, and the header has %d", len(cells.cells), len(read.header))
			continue
		}
		r := &row{batch: b, table: t, label: label, exact: b.OwnIDs}
		for _, c := range columns() {
			i, has := at[c.name]
			value := t.Values[c.name]
			r.name, r.line, r.col = c.name, 0, 0
			if has {
				value, r.name = cells.cells[i], read.header[i]
				r.line, r.col = cells.pos[i][0], cells.pos[i][1]
			}
			if c.take == nil || strings.TrimSpace(value) == "" {
				continue
			}
			if why := unfit(value); why != "" {
				r.note("%s; it is left out", why)
				continue
			}
			c.take(r, unescape(value))
		}
		r.line, r.col = 0, 0
		if len(cells.pos) > 0 {
			r.line, r.col = cells.pos[0][0], cells.pos[0][1]
		}
		b.row(r, more, seen)
		short.look(read, cells, long, &r.entry)
	}
	for _, k := range slices.Sorted(maps.Keys(short)) {
		b.note("column "+strconv.Quote(k), "%s.csv, which would say more, has nothing of %d entries, as of those that are not live; what the column has of them is left out", k, short[k])
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if rows := more[name]; len(rows) > 0 && seen[name] == "" {
			b.note(rows[0].table, "%d rows are of %s, which %s does not have", len(rows), name, read.name)
		}
	}
	return nil
}

// shortened counts, by column, the entries of which a longer table has nothing
// though their own rows have.
type shortened map[string]int

func (s shortened) look(read *table, cells tableRow, long map[string]*table, e *entry.Entry) {
	for column, has := range map[string]bool{"organizations": len(e.Organizations) > 0, "countries": e.Locations != nil} {
		i := slices.Index(read.header, column)
		if i >= 0 && !has && long[column] != nil && strings.TrimSpace(cells.cells[i]) != "" {
			s[column]++
		}
	}
}

// row makes a record of a row.
func (b *Batch) row(r *row, more map[string][]longRow, seen map[string]string) {
	kind := r.kind
	if kind == "" {
		kind = "dpg"
	}
	e := &r.entry
	if _, ok := entry.KindNamed(kind); !ok {
		b.refuse(r.label, e.ID, "kind %q is not dpg or resource", clip(kind))
		return
	}
	e.Schema = kind + "/v1"
	if e.ID == "" {
		e.ID = propose.ID(e.Name)
	}
	if why := propose.CheckID(e.ID); why != "" {
		if e.Name == "" && e.ID == "" {
			why = "it has neither an id nor a name"
		} else if e.ID == "" {
			why = fmt.Sprintf("no id can be made of the name %q; give it one in a column id", clip(e.Name))
		}
		b.refuse(r.label, e.ID, "%s", why)
		return
	}
	ref := kind + "/" + e.ID
	if first := seen[ref]; first != "" {
		b.refuse(r.label, e.ID, "%s has the id %q already", first, e.ID)
		return
	}
	seen[ref] = r.label
	if e.Name == "" && !gone(e) {
		b.refuse(r.label, e.ID, "it has no name")
		return
	}
	b.longer(e, more[ref])
	if r.table.Origin != "" && !gone(e) { // of a file without it only its owner knows where it is from
		e.Sources = append(e.Sources, entry.Source{URL: r.table.Origin, AsOf: r.table.AsOf})
	}
	b.Records = append(b.Records, Record{Label: r.label, Entry: *e})
}

// A longRow is one row of a table that says more than one thing of an entry.
type longRow struct {
	table string
	line  int
	cells map[string]string
}

// rowsOf gives the rows of the long tables by kind and id.
func rowsOf(long map[string]*table) map[string][]longRow {
	rows := map[string][]longRow{}
	for _, name := range slices.Sorted(maps.Keys(long)) {
		t := long[name]
		for _, r := range t.rows {
			cells := map[string]string{}
			for i, c := range r.cells {
				if i < len(t.header) && unfit(c) == "" {
					cells[t.header[i]] = unescape(c)
				}
			}
			ref := cells["kind"] + "/" + cells["id"]
			rows[ref] = append(rows[ref], longRow{t.name, r.pos[0][0], cells})
		}
	}
	return rows
}

// longer puts in an entry what the long tables say of it, in place of what its
// own row says in short.
func (b *Batch) longer(e *entry.Entry, rows []longRow) {
	var licenses []entry.License
	var goals []entry.SDG
	var organizations []entry.Organization
	var sources []entry.Source
	var places entry.Locations
	for _, r := range rows {
		c := r.cells
		switch r.table {
		case "licenses.csv":
			licenses = append(licenses, entry.License{Expression: c["expression"], Covers: c["covers"], URL: c["url"]})
		case "organizations.csv":
			organizations = append(organizations, entry.Organization{Name: c["name"], Role: c["role"], Website: c["website"]})
		case "sources.csv":
			sources = append(sources, entry.Source{Name: c["name"], URL: c["url"], AsOf: c["as_of"]})
		case "sdgs.csv":
			n, err := strconv.Atoi(c["goal"])
			if err != nil || n < 1 || n > 17 {
				b.Notes = append(b.Notes, Note{r.line, 0, r.table, fmt.Sprintf("goal %q is no number from 1 to 17, and is left out", clip(c["goal"]))})
				continue
			}
			g := entry.SDG{Goal: n}
			if c["text"] != "" {
				g.Text = entry.Plain(c["text"])
			}
			if c["evidence"] != "" {
				g.Evidence = strings.Split(c["evidence"], "|")
			}
			goals = append(goals, g)
		case "countries.csv":
			code, ok := countryCode(c["country"])
			switch {
			case ok && c["relation"] == "developed_in":
				places.DevelopedIn = append(places.DevelopedIn, code)
			case ok && c["relation"] == "deployed_in":
				places.DeployedIn = append(places.DeployedIn, code)
			default:
				b.Notes = append(b.Notes, Note{r.line, 0, r.table, fmt.Sprintf("country %q, relation %q is not understood, and is left out", clip(c["country"]), clip(c["relation"]))})
			}
		}
	}
	if licenses != nil {
		e.Licenses = licenses
	}
	if goals != nil {
		e.SDGs = goals
	}
	if organizations != nil {
		e.Organizations = organizations
	}
	if sources != nil {
		e.Sources = sources
	}
	if places.DevelopedIn != nil || places.DeployedIn != nil {
		e.Locations = &places
	}
}

// headers finds which column is which.
func (b *Batch) headers(read *table, t *Table, known map[string]column, long map[string]*table) (map[string]int, error) {
	at := map[string]int{}
	index := map[string]int{}
	for i, h := range read.header {
		if _, twice := index[h]; twice && h != "" {
			return nil, formatf("%s has two columns %q", read.name, clip(h))
		}
		index[h] = i
	}
	used := map[int]bool{}
	for _, key := range slices.Sorted(maps.Keys(t.Columns)) {
		c, ok := known[key]
		if !ok || c.out != "" {
			return nil, formatf("%q is not what a column can be; there are %s", key, fieldNames())
		}
		i, ok := index[t.Columns[key]]
		if !ok {
			return nil, formatf("%s has no column %q; there are %s", read.name, t.Columns[key], quoted(read.header))
		}
		at[key], used[i] = i, true
	}
	for _, key := range slices.Sorted(maps.Keys(t.Values)) {
		if c, ok := known[key]; !ok || c.out != "" {
			return nil, formatf("%q is not what a column can be; there are %s", key, fieldNames())
		}
	}
	for i, h := range read.header {
		if used[i] {
			continue
		}
		c, ok := known[h]
		filled := 0
		for _, r := range read.rows {
			if i < len(r.cells) && strings.TrimSpace(r.cells[i]) != "" {
				filled++
			}
		}
		_, mapped := at[h]
		_, given := t.Values[h]
		why := ""
		switch {
		case !ok:
			why = "it is no key of an entry, and mapped to none"
		case long[h] != nil && c.out != "": // the longer table has it
			continue
		case c.out != "":
			why = c.out
		case mapped || given:
			why = "another value is given for it"
		default:
			at[h] = i
			continue
		}
		b.Notes = append(b.Notes, Note{At: fmt.Sprintf("column %d, %q", i+1, clip(h)), Message: fmt.Sprintf("%s; it is left out, with %s", why, cellCount(filled))})
	}
	_, id := at["id"]
	_, name := at["name"]
	if !id && !name {
		return nil, formatf("%s has no column id or name: map them, such as --map name=%s; there are %s", read.name, sample(read.header), quoted(read.header))
	}
	return at, nil
}

func cellCount(n int) string {
	if n == 1 {
		return "1 cell that is not empty"
	}
	return fmt.Sprintf("%d cells that are not empty", n)
}

func sample(header []string) string {
	if len(header) == 0 || header[0] == "" {
		return "Title"
	}
	return clip(header[0])
}

func quoted(names []string) string {
	var all []string
	for i, n := range names {
		if i == 30 {
			all = append(all, fmt.Sprintf("%d more", len(names)-i))
			break
		}
		all = append(all, strconv.Quote(clip(n)))
	}
	return strings.Join(all, ", ")
}

func fieldNames() string {
	var all []string
	for _, f := range Fields() {
		all = append(all, f[0])
	}
	return strings.Join(all, ", ")
}

// ReadColumns reads a file that says how a table is laid out: a mapping with the
// keys "columns", "values" and "split".
func ReadColumns(name string, data []byte) (Table, error) {
	var t struct {
		Columns map[string]string `yaml:"columns"`
		Values  map[string]string `yaml:"values"`
		Split   string            `yaml:"split"`
	}
	doc, found := source.Parse(name, data)
	if len(found) > 0 {
		return Table{}, formatf("%s:%d: %s", name, found[0].Start.Line, found[0].Message)
	}
	if doc.Root.Kind != source.Map {
		return Table{}, formatf("%s is not a mapping with the key columns", name)
	}
	for _, f := range doc.Root.Fields {
		if !slices.Contains([]string{"columns", "values", "split"}, f.Key.Text) {
			return Table{}, formatf("%s:%d: key %q is not columns, values or split", name, f.Key.Start().Line, f.Key.Text)
		}
	}
	if err := doc.Decode(&t); err != nil {
		return Table{}, formatf("%s: %v", name, err)
	}
	return Table{Columns: t.Columns, Values: t.Values, Split: t.Split}, nil
}
