package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// viewFolder holds what is found by a property of entries rather than by a code:
// views/license.json lists the licences, views/license/MIT.json the entries under
// one.
const viewFolder = "views"

// A facet is a property to find entries by.
type facet struct {
	name string
	// values gives what an entry is found under: how it is spelt by its name in
	// addresses.
	values func(Entry) map[string]string
}

var facets = []facet{
	{"country", func(e Entry) map[string]string {
		return same(e.countries())
	}},
	{"license", func(e Entry) map[string]string {
		// A reference to a text of the entry's own is no licence that others have.
		return same(slices.DeleteFunc(e.licenseIDs(), func(id string) bool { return strings.Contains(id, "Ref-") }))
	}},
	{"organization", func(e Entry) map[string]string {
		out := map[string]string{}
		for _, o := range e.Organizations {
			if o.Name != nil {
				out[slug(*o.Name)] = *o.Name
			}
		}
		return out
	}},
	{"sector", func(e Entry) map[string]string { return slugs(e.Sectors) }},
	{"type", func(e Entry) map[string]string { return slugs(e.Types) }},
}

// same is values that are names in addresses themselves.
func same(values []string) map[string]string {
	out := map[string]string{}
	for _, v := range values {
		if plainSegment(v) {
			out[v] = v
		}
	}
	return out
}

func slugs(values []string) map[string]string {
	out := map[string]string{}
	for _, v := range values {
		if plainSegment(v) && v == strings.ToLower(v) {
			out[v] = v
		} else {
			out[slug(v)] = v
		}
	}
	return out
}

// slug is a name for addresses that stays the same whoever else has a like name:
// its letters in plain ASCII, and the beginning of a hash of the name without regard
// to case and space.
func slug(name string) string {
	folded := strings.Join(strings.Fields(strings.ToLower(name)), " ")
	sum := sha256.Sum256([]byte(folded))
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(folded) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // an accent
		default:
			gap = true
		}
		if b.Len() >= 60 {
			break
		}
	}
	return strings.TrimPrefix(b.String()+"-"+hex.EncodeToString(sum[:3]), "-")
}

// facets writes the lists and views of every facet.
func (b *builder) facets() error {
	all := Facets{Envelope: b.envelope(), Items: []FacetSummary{}}
	for n := range facets {
		s, err := b.facet(n)
		if err != nil {
			return err
		}
		all.Items = append(all.Items, s)
	}
	all.Total = len(all.Items)
	return b.put(viewFolder+".json", all)
}

// facet writes the list of the values of one facet, by its place, and their views.
func (b *builder) facet(n int) (FacetSummary, error) {
	list := Facet{Envelope: b.envelope(), Facet: facets[n].name, Items: []FacetValue{}}
	s := FacetSummary{Facet: list.Facet, Path: viewFolder + "/" + list.Facet + ".json"}
	values := b.facetValues(n)
	var rows []row
	all := &block{}
	ids := slices.Sorted(maps.Keys(values))
	for _, id := range ids {
		v, err := b.facetView(list.Facet, id, values[id])
		if err != nil {
			return s, err
		}
		data, err := compact(v)
		if err != nil {
			return s, err
		}
		rows = append(rows, all.add(data))
	}
	list.Total, s.ValueCount = len(rows), len(rows)
	pages, err := b.pages(listing{
		path: s.Path, sorted: []string{"id"}, count: len(rows),
		row: func(i int) row { return rows[i] }, key: func(i int) []string { return ids[i : i+1] },
	})
	if err != nil {
		return s, err
	}
	list.PagesPath, s.PagesPath = pages, pages
	return s, b.putRows(s.Path, list, "items", made{}, rows)
}

// A found is a value of a facet, with the live entries that have it.
type found struct {
	name string // as it is spelt: of spellings that differ in case or space, the first in order
	from []*Facts
}

// facetValues are those of one facet, by its place, by their names in addresses.
func (b *builder) facetValues(n int) map[string]*found {
	values := map[string]*found{}
	for _, e := range b.all {
		if !e.Live() {
			continue
		}
		for _, value := range e.facets[n] {
			id, name := value[0], value[1]
			v := values[id]
			if v == nil {
				v = &found{name: name}
				values[id] = v
			}
			v.name = min(v.name, name)
			v.from = append(v.from, e)
		}
	}
	return values
}

// facetView writes the view of one value, and says where it is.
func (b *builder) facetView(facet, id string, v *found) (FacetValue, error) {
	path := viewFolder + "/" + facet + "/" + id + ".json"
	pages, err := b.pages(listing{path: path}.of(partFacets, v.from, func(i int) row { return v.from[i].facetItem }))
	if err != nil {
		return FacetValue{}, err
	}
	err = b.putMade(path, madeOf(partFacets, v.from), v.name, "items", func() (any, []row, error) {
		rows := each(v.from, func(f *Facts) row { return f.facetItem })
		digest, err := digestOf(rows)
		return FacetView{
			Envelope: b.envelope(), Facet: facet, ID: id, Name: &v.name, Total: len(rows), Digest: digest, PagesPath: pages, Items: []FacetItem{},
		}, rows, err
	})
	return FacetValue{id, &v.name, path, pages, len(v.from)}, err
}

// Facets is api/v1/views.json: by what entries are found, beside framework codes.
type Facets struct {
	Envelope
	Total int            `json:"total"`
	Items []FacetSummary `json:"items"`
}

// FacetSummary is one property to find entries by.
type FacetSummary struct {
	Facet      string  `json:"facet"`
	Path       string  `json:"path"`
	PagesPath  *string `json:"pages_path"`
	ValueCount int     `json:"value_count"`
}

// Facet is api/v1/views/<facet>.json: the values that live entries have.
type Facet struct {
	Envelope
	Facet     string       `json:"facet"`
	Total     int          `json:"total"`
	PagesPath *string      `json:"pages_path"`
	Items     []FacetValue `json:"items"`
}

// FacetValue is one value with how many live entries have it.
type FacetValue struct {
	ID         string  `json:"id"` // its name in addresses
	Name       *string `json:"name"`
	Path       string  `json:"path"`
	PagesPath  *string `json:"pages_path"` // of the index of its view's pages
	EntryCount int     `json:"entry_count"`
}

// FacetView is api/v1/views/<facet>/<id>.json: the live entries with one value.
type FacetView struct {
	Envelope
	Facet     string      `json:"facet"`
	ID        string      `json:"id"`
	Name      *string     `json:"name"`
	Total     int         `json:"total"`
	Digest    string      `json:"digest"` // of items, see digest
	PagesPath *string     `json:"pages_path"`
	Items     []FacetItem `json:"items"`
}

// FacetItem is an entry in a view.
type FacetItem struct {
	ID   string  `json:"id"`
	Kind string  `json:"kind"`
	Path string  `json:"path"`
	Name *string `json:"name"`
}
