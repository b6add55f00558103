package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	identifiersName = "identifiers.json"
	searchName      = "search.json"
)

// flat writes what is easier to use in one piece or as a table: a line of JSON an
// entry, CSV, counts, other catalogs' names, and an index to search in.
func (b *builder) flat() error {
	opening, err := compact(b.envelope())
	if err != nil {
		return err
	}
	opening[len(opening)-1] = ',' // the entry's own keys follow
	if err := b.addMade(apiFolder+"/full.ndjson", madeOf(partRow, b.all), [][]byte{opening}, func(w io.Writer) error {
		return readRows(each(b.all, func(f *Facts) row { return f.row }), func(row []byte) error {
			for _, part := range [][]byte{opening, row[1:], newline} {
				if _, err := w.Write(part); err != nil {
					return err
				}
			}
			return nil
		})
	}); err != nil {
		return err
	}
	if err := b.csv(); err != nil {
		return err
	}
	if err := b.put("stats.json", b.stats()); err != nil {
		return err
	}
	if err := b.identifiers(); err != nil {
		return err
	}
	return b.search()
}

// identifiers writes the names that others have, whole and in pages. Entries' names
// lie in no order, so that they are read only where one of them changed.
func (b *builder) identifiers() error {
	return b.sortedPages(identifiersName, madeOf(partNames, b.all), func() (listing, error) {
		var names []identifierRow
		if err := readRows(each(b.all, func(f *Facts) row { return f.identifiers }), func(data []byte) error {
			var of []identifierRow
			c := &codec{data: data}
			if codeIdentifiers(c, &of); c.bad {
				return &KeptError{errors.New("what others call an entry cannot be read")}
			}
			names = append(names, of...)
			return nil
		}); err != nil {
			return listing{}, err
		}
		slices.SortStableFunc(names, func(x, y identifierRow) int { return slices.Compare(x.key[:], y.key[:]) })
		names = slices.CompactFunc(names, func(x, y identifierRow) bool { return bytes.Equal(x.row, y.row) })
		all := &block{}
		rows := each(names, func(n identifierRow) row { return all.add(n.row) })
		if err := b.in.Spool.hold(all); err != nil {
			return listing{}, err
		}
		return listing{
			sorted: []string{"scheme", "value", "kind", "id"}, count: len(rows),
			row: func(i int) row { return rows[i] }, key: func(i int) []string { return names[i].key[:] },
		}, nil
	}, func(items int, pages *string) any {
		return IdentifiersResponse{b.envelope(), items, pages, []Identifier{}}
	})
}

// search writes what to look for entries in, whole and in pages.
func (b *builder) search() error {
	live := slices.DeleteFunc(slices.Clone(b.all), func(f *Facts) bool { return !f.Live() })
	rows := each(live, func(f *Facts) row { return f.searchItem })
	pages, err := b.pages(listing{path: searchName, always: true}.of(partSearch, live, func(i int) row { return rows[i] }))
	if err != nil {
		return err
	}
	return b.putRows(searchName, SearchResponse{b.envelope(), len(rows), pages, []SearchItem{}}, "items", madeOf(partSearch, live), rows)
}

var newline = []byte("\n")

// tableCount is how many tables there are, and so how many rows for tables an entry has.
const tableCount = 7

// A table is one CSV file: its columns, and the rows that an entry has in it.
type table struct {
	name    string
	columns []string
	rows    func(Entry) [][]string
}

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// several joins values in one cell, those that there are; none of them holds a
// vertical bar.
func several(values []string) string {
	var some []string
	for _, v := range values {
		if v != "" {
			some = append(some, strings.ReplaceAll(v, "|", "/"))
		}
	}
	return strings.Join(some, "|")
}

func (b *builder) csvTables() [tableCount]table {
	main := b.in.Registry.Settings.Language()
	best := func(t Text) string { return t.best(main) }
	// One language of a text has room in a row. All texts of an entry that may be
	// read back are in the one of its description, if they are in that one at all.
	language := func(e Entry) string {
		for _, t := range []Text{e.Description, e.Status.Reason} {
			if tag := t.bestTag(main); tag != "" {
				return tag
			}
		}
		return str(e.Language)
	}
	return [tableCount]table{
		{"entries", []string{"kind", "id", "name", "description", "summary", "website", "types", "sectors", "licenses", "sdgs", "countries",
			"organizations", "repositories", "stage", "recognised_by", "status_as_of", "dpga_id", "wikidata", "purl", "updated_at",
			// A new column goes to the end: people count columns in a table.
			"url", "format", "published", "aliases", "topics", "contact_url", "status_url", "dial",
			"moved_to", "review_by", "status_reason", "sources", "languages", "about", "language", "sbom_url", "sbom_as_of"},
			func(e Entry) [][]string {
				summary := ""
				if e.Assessment != nil && e.Assessment.Summary != nil {
					summary = best(e.Assessment.Summary.Text)
				}
				var sbom SBOM
				if e.SBOM != nil {
					sbom = *e.SBOM
				}
				return [][]string{{e.Kind, e.ID, str(e.Name), best(e.Description), summary, str(e.Website), several(e.Types), several(e.Sectors),
					several(each(e.Licenses, func(l License) string { return l.Expression })),
					several(each(e.SDGs, func(s SDG) string { return strconv.Itoa(s.Goal) })),
					several(e.countries()),
					several(each(e.Organizations, func(o Organization) string { return str(o.Name) })),
					several(each(e.Repositories, func(r Repository) string { return str(r.URL) })),
					e.Status.Stage, str(e.Status.RecognisedBy), str(e.Status.AsOf), str(e.SameAs.DPGA), str(e.SameAs.Wikidata), str(e.SameAs.PURL), str(e.UpdatedAt),
					str(e.URL), str(e.Format), str(e.Published), several(e.Aliases), several(e.Topics), str(e.ContactURL), str(e.Status.URL), str(e.SameAs.DIAL),
					str(e.Status.MovedTo), str(e.Status.ReviewBy), e.Status.Reason.best(language(e)),
					several(each(e.Sources, func(s Source) string { return cmp.Or(str(s.URL), str(s.Name)) })),
					several(e.Languages), several(e.About), language(e), str(sbom.URL), str(sbom.AsOf)}}
			}},
		{"countries", []string{"kind", "id", "country", "relation"}, func(e Entry) (rows [][]string) {
			for _, c := range e.Locations.DevelopedIn {
				rows = append(rows, []string{e.Kind, e.ID, c, "developed_in"})
			}
			for _, c := range e.Locations.DeployedIn {
				rows = append(rows, []string{e.Kind, e.ID, c, "deployed_in"})
			}
			return rows
		}},
		{"licenses", []string{"kind", "id", "expression", "covers", "url"}, func(e Entry) [][]string {
			return each(e.Licenses, func(l License) []string { return []string{e.Kind, e.ID, l.Expression, str(l.Covers), str(l.URL)} })
		}},
		{"mappings", []string{"kind", "id", "code", "strength", "state"}, func(e Entry) [][]string {
			if e.Assessment == nil {
				return nil
			}
			return each(e.Assessment.Mappings, func(m Mapping) []string {
				return []string{e.Kind, e.ID, m.Code, strconv.Itoa(m.Strength), m.State}
			})
		}},
		{"organizations", []string{"kind", "id", "name", "role", "website"}, func(e Entry) [][]string {
			return each(e.Organizations, func(o Organization) []string {
				return []string{e.Kind, e.ID, str(o.Name), str(o.Role), str(o.Website)}
			})
		}},
		{"sdgs", []string{"kind", "id", "goal", "text", "evidence"}, func(e Entry) [][]string {
			return each(e.SDGs, func(s SDG) []string {
				return []string{e.Kind, e.ID, strconv.Itoa(s.Goal), s.Text.best(language(e)), several(s.Evidence)}
			})
		}},
		{"sources", []string{"kind", "id", "name", "url", "as_of"}, func(e Entry) [][]string {
			return each(e.Sources, func(s Source) []string { return []string{e.Kind, e.ID, str(s.Name), str(s.URL), str(s.AsOf)} })
		}},
	}
}

// cell keeps a value from being run as a formula where a table is opened in an
// office program: an apostrophe goes before it, which a reader of such a value
// takes off again.
func cell(s string) string {
	if Escaped(s) {
		return "'" + s
	}
	return s
}

// Escaped reports whether a value stands in a table with an apostrophe before it:
// one that begins as formulas do, in Latin or full-width signs or behind white
// space that some programs skip, or with an apostrophe of its own.
func Escaped(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n'", r)
}

// csv writes the tables, and what CSV cannot say of itself: their columns,
// licence and credit, as the W3C's "CSV on the Web" has it.
func (b *builder) csv() error {
	const folder = "csv"
	meta := csvMetadata{Context: "http://www.w3.org/ns/csvw", License: str(known(b.in.Registry.Settings.License)), Attribution: b.envelope().Attribution}
	rest := madeOf(partTables, b.all)
	for n, t := range b.tables {
		head, err := csvLines([][]string{t.columns})
		if err != nil {
			return err
		}
		of := rest
		if n == 0 {
			of = madeOf(partTable, b.all)
		}
		if err := b.addMade(apiFolder+"/"+folder+"/"+t.name+".csv", of, [][]byte{head}, func(w io.Writer) error {
			if _, err := w.Write(head); err != nil {
				return err
			}
			return readRows(each(b.all, func(f *Facts) row { return f.csv[n] }), func(lines []byte) error {
				_, err := w.Write(lines)
				return err
			})
		}); err != nil {
			return err
		}
		meta.Tables = append(meta.Tables, csvTable{t.name + ".csv", csvSchema{each(t.columns, func(c string) csvColumn { return csvColumn{c} })}})
	}
	data, err := encode(meta)
	if err != nil {
		return err
	}
	return b.cat.Add(apiFolder+"/"+folder+"/csv-metadata.json", data)
}

type (
	csvMetadata struct {
		Context     string     `json:"@context"`
		License     string     `json:"dc:license"`
		Attribution Text       `json:"dc:rights"`
		Tables      []csvTable `json:"tables"`
	}
	csvTable struct {
		URL    string    `json:"url"`
		Schema csvSchema `json:"tableSchema"`
	}
	csvSchema struct {
		Columns []csvColumn `json:"columns"`
	}
	csvColumn struct {
		Name string `json:"name"`
	}
)

// StatsResponse is api/v1/stats.json: how many live entries there are of what.
type StatsResponse struct {
	Envelope
	Kinds []KindStats `json:"kinds"`
}

// KindStats counts the live entries of one kind by what they are found under.
type KindStats struct {
	Name       string         `json:"name"`
	EntryCount int            `json:"entry_count"`
	Stages     Stages         `json:"stages"` // every entry
	Types      map[string]int `json:"by_type"`
	Sectors    map[string]int `json:"by_sector"`
	Licenses   map[string]int `json:"by_license"`
	Countries  map[string]int `json:"by_country"`
	Goals      map[string]int `json:"by_sdg"`
	Codes      map[string]int `json:"by_code"` // with strength 2 and not rejected
}

func (b *builder) stats() StatsResponse {
	out := StatsResponse{Envelope: b.envelope(), Kinds: []KindStats{}}
	for _, k := range b.in.Registry.Kinds {
		s := KindStats{Name: k.Name, Stages: noStages(), Types: map[string]int{}, Sectors: map[string]int{},
			Licenses: map[string]int{}, Countries: map[string]int{}, Goals: map[string]int{}, Codes: map[string]int{}}
		for _, e := range b.kinds[k.Name] {
			s.Stages[e.Stage]++
			if !e.Live() {
				continue
			}
			s.EntryCount++
			count(s.Types, e.types)
			count(s.Sectors, e.sectors)
			for n, f := range facets {
				for _, value := range e.facets[n] {
					switch f.name {
					case "license":
						s.Licenses[value[0]]++
					case "country":
						s.Countries[value[0]]++
					}
				}
			}
			count(s.Goals, e.goals)
			count(s.Codes, e.codes)
		}
		out.Kinds = append(out.Kinds, s)
	}
	return out
}

// count adds one to each value, however often it stands there.
func count(in map[string]int, values []string) {
	values = slices.Clone(values)
	slices.Sort(values)
	for _, v := range slices.Compact(values) {
		in[v]++
	}
}

// IdentifiersResponse is api/v1/identifiers.json: from the names that others have
// for a subject to its entry.
type IdentifiersResponse struct {
	Envelope
	Total     int          `json:"total"`
	PagesPath *string      `json:"pages_path"`
	Items     []Identifier `json:"items"` // by scheme, value, kind and id
}

// Identifier is one such name.
type Identifier struct {
	Scheme string `json:"scheme"` // dial, dpga, purl, repository, wikidata
	Value  string `json:"value"`
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Path   string `json:"path"`
}

// SearchResponse is api/v1/search.json: what a program needs to look for live
// entries by itself, in one small file.
type SearchResponse struct {
	Envelope
	Total     int          `json:"total"`
	PagesPath *string      `json:"pages_path"`
	Items     []SearchItem `json:"items"`
}

// SearchItem is one entry as it is looked for.
type SearchItem struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	Path        string   `json:"path"`
	Name        *string  `json:"name"`
	Aliases     []string `json:"aliases"`
	Words       *string  `json:"words"` // the description, or else the summary, in the registry's language
	Types       []string `json:"types"`
	Sectors     []string `json:"sectors"`
	LicenseIDs  []string `json:"license_ids"`
	Goals       []int    `json:"sdg_goals"`
	Countries   []string `json:"country_codes"`
	MappedCodes []string `json:"mapped_codes"` // with strength 2 and not rejected
}

// maxWords bounds the words of an entry in the index, in characters.
const maxWords = 600

// best is the text in a language, or else in the first by tag.
func (t Text) best(lang string) string { return t[t.bestTag(lang)] }

// bestTag is the language that best chooses, "" where there is no text.
func (t Text) bestTag(lang string) string {
	if t[lang] != "" {
		return lang
	}
	for _, l := range slices.Sorted(maps.Keys(t)) {
		if t[l] != "" {
			return l
		}
	}
	return ""
}
