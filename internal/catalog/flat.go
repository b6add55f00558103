package catalog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// flat writes what is easier to use in one piece or as a table: a line of JSON an
// entry, CSV, counts, other catalogs' names, and an index to search in.
func (b *builder) flat(entries map[string][]Entry) error {
	var all []Entry
	for _, k := range b.in.Registry.Kinds {
		all = append(all, entries[k.Name]...)
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, e := range all {
		if err := enc.Encode(EntryResponse{b.envelope(), e}); err != nil {
			return err
		}
	}
	if err := b.cat.Add(apiFolder+"/full.ndjson", lines.Bytes()); err != nil {
		return err
	}
	if err := b.tables(all); err != nil {
		return err
	}
	if err := b.put("stats.json", b.stats(entries)); err != nil {
		return err
	}
	if err := b.put("identifiers.json", b.identifiers(all)); err != nil {
		return err
	}
	return b.put("search.json", b.search(all))
}

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

// several joins values in one cell; none of them holds a vertical bar.
func several(values []string) string {
	return strings.Join(each(values, func(v string) string { return strings.ReplaceAll(v, "|", "/") }), "|")
}

func (b *builder) csvTables() []table {
	main := b.in.Registry.Settings.Language()
	best := func(t Text) string { return t.best(main) }
	return []table{
		{"entries", []string{"kind", "id", "name", "description", "summary", "website", "types", "sectors", "licenses", "sdgs", "countries",
			"organizations", "repositories", "stage", "recognised_by", "status_as_of", "dpga_id", "wikidata", "purl", "updated_at"},
			func(e Entry) [][]string {
				summary := ""
				if e.Assessment != nil && e.Assessment.Summary != nil {
					summary = best(e.Assessment.Summary.Text)
				}
				countries := append(slices.Clone(e.Locations.DevelopedIn), e.Locations.DeployedIn...)
				slices.Sort(countries)
				return [][]string{{e.Kind, e.ID, str(e.Name), best(e.Description), summary, str(e.Website), several(e.Types), several(e.Sectors),
					several(each(e.Licenses, func(l License) string { return l.Expression })),
					several(each(e.SDGs, func(s SDG) string { return strconv.Itoa(s.Goal) })),
					several(slices.Compact(countries)),
					several(each(e.Organizations, func(o Organization) string { return str(o.Name) })),
					several(each(e.Repositories, func(r Repository) string { return str(r.URL) })),
					e.Status.Stage, str(e.Status.RecognisedBy), str(e.Status.AsOf), str(e.SameAs.DPGA), str(e.SameAs.Wikidata), str(e.SameAs.PURL), str(e.UpdatedAt)}}
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
				return []string{e.Kind, e.ID, strconv.Itoa(s.Goal), best(s.Text), several(s.Evidence)}
			})
		}},
	}
}

// cell keeps a value from being run as a formula where a table is opened in an
// office program: an apostrophe goes before it, which a reader of such a value
// takes off again.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r'", rune(s[0])) {
		return "'" + s
	}
	return s
}

// tables writes the CSV files, and what CSV cannot say of itself: their columns,
// licence and credit, as the W3C's "CSV on the Web" has it.
func (b *builder) tables(all []Entry) error {
	const folder = "csv"
	meta := csvMetadata{Context: "http://www.w3.org/ns/csvw", License: str(known(b.in.Registry.Settings.License)), Attribution: b.envelope().Attribution}
	for _, t := range b.csvTables() {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.UseCRLF = true // RFC 4180
		if err := w.Write(t.columns); err != nil {
			return err
		}
		for _, e := range all {
			if !e.live() && t.name != "entries" {
				continue
			}
			for _, row := range t.rows(e) {
				if err := w.Write(each(row, cell)); err != nil {
					return err
				}
			}
		}
		w.Flush()
		if err := w.Error(); err != nil {
			return err
		}
		if err := b.cat.Add(apiFolder+"/"+folder+"/"+t.name+".csv", out.Bytes()); err != nil {
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

func (b *builder) stats(entries map[string][]Entry) StatsResponse {
	out := StatsResponse{Envelope: b.envelope(), Kinds: []KindStats{}}
	for _, k := range b.in.Registry.Kinds {
		s := KindStats{Name: k.Name, Stages: noStages(), Types: map[string]int{}, Sectors: map[string]int{},
			Licenses: map[string]int{}, Countries: map[string]int{}, Goals: map[string]int{}, Codes: map[string]int{}}
		for _, e := range entries[k.Name] {
			s.Stages[e.Status.Stage]++
			if !e.live() {
				continue
			}
			s.EntryCount++
			count(s.Types, e.Types)
			count(s.Sectors, e.Sectors)
			for _, f := range facets {
				switch f.name {
				case "license":
					for id := range f.values(e) {
						s.Licenses[id]++
					}
				case "country":
					for id := range f.values(e) {
						s.Countries[id]++
					}
				}
			}
			count(s.Goals, each(e.SDGs, func(g SDG) string { return strconv.Itoa(g.Goal) }))
			count(s.Codes, b.item(e).MappedCodes)
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
	Total int          `json:"total"`
	Items []Identifier `json:"items"` // by scheme, value, kind and id
}

// Identifier is one such name.
type Identifier struct {
	Scheme string `json:"scheme"` // dial, dpga, purl, repository, wikidata
	Value  string `json:"value"`
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Path   string `json:"path"`
}

func (b *builder) identifiers(all []Entry) IdentifiersResponse {
	out := IdentifiersResponse{Envelope: b.envelope(), Items: []Identifier{}}
	for _, e := range all {
		add := func(scheme string, value *string) {
			if value != nil {
				out.Items = append(out.Items, Identifier{scheme, *value, e.ID, e.Kind, e.Path})
			}
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
	}
	slices.SortFunc(out.Items, func(x, y Identifier) int {
		return strings.Compare(x.Scheme+"\x00"+x.Value+"\x00"+x.Kind+"\x00"+x.ID, y.Scheme+"\x00"+y.Value+"\x00"+y.Kind+"\x00"+y.ID)
	})
	out.Items = slices.Compact(out.Items)
	out.Total = len(out.Items)
	return out
}

// SearchResponse is api/v1/search.json: what a program needs to look for live
// entries by itself, in one small file.
type SearchResponse struct {
	Envelope
	Total int          `json:"total"`
	Items []SearchItem `json:"items"`
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

func (b *builder) search(all []Entry) SearchResponse {
	main := b.in.Registry.Settings.Language()
	out := SearchResponse{Envelope: b.envelope(), Items: []SearchItem{}}
	for _, e := range all {
		if !e.live() {
			continue
		}
		it := b.item(e)
		words := e.Description.best(main)
		if words == "" {
			words = it.SummaryText.best(main)
		}
		if r := []rune(words); len(r) > maxWords {
			words = string(r[:maxWords])
		}
		countries := append(slices.Clone(e.Locations.DevelopedIn), e.Locations.DeployedIn...)
		slices.Sort(countries)
		var ids []string
		for _, l := range e.Licenses {
			if x, err := spdx.Parse(l.Expression); err == nil {
				ids = append(ids, x.Licenses()...)
			}
		}
		slices.Sort(ids)
		out.Items = append(out.Items, SearchItem{e.ID, e.Kind, e.Path, e.Name, list(e.Aliases), known(words), list(e.Types), list(e.Sectors),
			list(slices.Compact(ids)), it.SDGGoals, list(slices.Compact(countries)), it.MappedCodes})
	}
	out.Total = len(out.Items)
	return out
}

// best is the text in a language, or else in the first by tag.
func (t Text) best(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	for _, l := range slices.Sorted(maps.Keys(t)) {
		if t[l] != "" {
			return t[l]
		}
	}
	return ""
}
