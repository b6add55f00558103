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
	for n, f := range facets {
		type view struct {
			name string
			from []*Facts
		}
		views := map[string]*view{}
		for _, e := range b.all {
			if !e.Live() {
				continue
			}
			for _, value := range e.facets[n] {
				id, name := value[0], value[1]
				v := views[id]
				if v == nil {
					v = &view{name: name}
					views[id] = v
				}
				// Of spellings that differ in case or space, the first in order.
				v.name = min(v.name, name)
				v.from = append(v.from, e)
			}
		}
		list := Facet{Envelope: b.envelope(), Facet: f.name, Items: []FacetValue{}}
		for _, id := range slices.Sorted(maps.Keys(views)) {
			v := views[id]
			path := viewFolder + "/" + f.name + "/" + id + ".json"
			pages, err := b.pages(listing{path: path}.of(partFacets, v.from, func(i int) row { return v.from[i].facetItem }))
			if err != nil {
				return err
			}
			if err := b.putMade(path, madeOf(partFacets, v.from), v.name, "items", func() (any, []row, error) {
				rows := each(v.from, func(f *Facts) row { return f.facetItem })
				digest, err := digestOf(rows)
				return FacetView{
					Envelope: b.envelope(), Facet: f.name, ID: id, Name: &v.name, Total: len(rows), Digest: digest, PagesPath: pages, Items: []FacetItem{},
				}, rows, err
			}); err != nil {
				return err
			}
			list.Items = append(list.Items, FacetValue{id, &v.name, path, pages, len(v.from)})
		}
		list.Total = len(list.Items)
		path := viewFolder + "/" + f.name + ".json"
		rows, err := rowsOf(list.Items)
		if err != nil {
			return err
		}
		values := list.Items
		if list.PagesPath, err = b.pages(listing{
			path: path, sorted: []string{"id"}, count: len(rows),
			row: func(i int) row { return rows[i] }, key: func(i int) []string { return []string{values[i].ID} },
		}); err != nil {
			return err
		}
		list.Items = []FacetValue{}
		if err := b.putRows(path, list, "items", made{}, rows); err != nil {
			return err
		}
		all.Items = append(all.Items, FacetSummary{f.name, path, list.PagesPath, list.Total})
	}
	all.Total = len(all.Items)
	return b.put(viewFolder+".json", all)
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
