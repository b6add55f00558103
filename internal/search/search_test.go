package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// build makes the catalog of entries in YAML, by their path in the registry, with
// the frameworks of the registry that comes with the program.
func build(t testing.TB, entries map[string]string) fs.FS {
	t.Helper()
	tree := fstest.MapFS{"registry.yaml": {Data: []byte("schema: registry/v1\nname: Test\npublisher: {name: Nobody}\nlanguages: [en]\nlicense: CC0-1.0\nattribution: Nobody\n")}}
	for name, data := range entries {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return publish(t, registry.FromFS(tree))
}

func publish(t testing.TB, files registry.Files) fs.FS {
	t.Helper()
	reg, err := registry.Load(context.Background(), files, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Build(catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := cat.Write(dir); err != nil {
		t.Fatal(err)
	}
	return os.DirFS(dir)
}

func read(t testing.TB, files fs.FS, jobs int) *Index {
	t.Helper()
	ix, err := Read(context.Background(), files, jobs)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// dpg is an entry with the lines that a test is about.
func dpg(id, name string, more ...string) string {
	return fmt.Sprintf("schema: dpg/v1\nid: %s\nname: %s\nwebsite: https://%s.example.org/\nstatus: {stage: nominee, as_of: 2026-01-15}\n%s\n", id, name, id, strings.Join(more, "\n"))
}

var small = map[string]string{
	"dpgs/clinic.yaml": dpg("clinic", "Clinic Records", "description: Keeps health records of patients in rural clinics, and works offline.",
		"sectors: [health]", "types: [software]", "licenses: [{expression: MIT, covers: software}]", "sdgs: [{goal: 3}]", "locations: {deployed_in: [KE, TZ]}"),
	"dpgs/school.yaml": dpg("school", "Escola Aberta", "aliases: [Open School]", "description: {pt: 'Educação para crianças.', en: Lessons for children about health.}",
		"sectors: [education]", "types: [content]", "licenses: [{expression: CC-BY-4.0, covers: content}]", "sdgs: [{goal: 4}, {goal: 3}]", "locations: {deployed_in: [BR]}"),
	"dpgs/farm.yaml": dpg("farm", "Farm Weather", "description: Forecasts for farmers. <script>alert(1)</script>",
		"organizations: [{name: Straße Institute, role: owner}]", "types: [software, data]", "licenses: [{expression: MIT OR Apache-2.0, covers: software}]", "sdgs: [{goal: 2}]", "locations: {developed_in: [KE]}"),
	"dpgs/gone.yaml": "schema: dpg/v1\nid: gone\nname: Gone Health\nwebsite: https://gone.example.org/\nstatus: {stage: archived, as_of: 2026-01-15, reason: over}\n",
}

func ids(r Result) []string {
	out := []string{}
	for _, it := range r.Items {
		out = append(out, it.ID)
	}
	return out
}

func TestSearch(t *testing.T) {
	ix := read(t, build(t, small), 2)
	if ix.Len() != 3 {
		t.Fatalf("%d entries can be found, want the 3 live ones", ix.Len())
	}
	tests := []struct {
		name, query string
		want        []string // the best first
	}{
		{"everything", "", []string{"clinic", "farm", "school"}},
		{"a word of a name", "q=clinic+", []string{"clinic"}},
		{"an alias", "q=open+school", []string{"school"}},
		{"an organisation, folded", "q=STRASSE+", []string{"farm"}},
		{"another language, without accents", "q=educacao+criancas+", []string{"school"}},
		{"accents too many", "q=clínïc+", []string{"clinic"}},
		{"one letter wrong", "q=helth+", []string{"clinic", "school"}},
		{"two neighbours in turn", "q=claesroom+haelth+clinics", []string{"clinic"}},
		{"two letters wrong in a long word", "q=forcasst+weathr+", []string{"farm"}},
		{"short words are as they are spelt", "q=fro+", []string{}},
		{"the last word may be a beginning", "q=health+rec", []string{"clinic"}},
		{"but not where a space ends it", "q=health+rec+", []string{"clinic", "school"}},
		{"a name counts more than a text", "q=farm", []string{"farm"}},
		{"in a text", "q=children", []string{"school"}},
		{"what is not there", "q=zzzzqqqq", []string{}},
		{"punctuation", "q=%21%3F%2A", []string{}},
		{"an archived entry is not found", "q=gone+", []string{}},
		{"a filter", "sdg=3", []string{"clinic", "school"}},
		{"one of two values", "country=BR&country=TZ", []string{"clinic", "school"}},
		{"two filters", "sdg=3&country=KE", []string{"clinic"}},
		{"a licence within an expression", "license=apache-2.0", []string{"farm"}},
		{"a goal that nobody has", "sdg=14", []string{}},
		{"a country that nobody has", "country=tv", []string{}},
		{"and one that somebody has", "country=TV&country=KE", []string{"clinic", "farm"}},
		{"a licence that nobody has", "license=mpl-2.0", []string{}},
		{"a type that nobody has", "type=ai-system", []string{}},
		{"a stage that nobody is in", "stage=dpg", []string{}},
		{"words and a filter", "q=health&type=content", []string{"school"}},
		{"a page", "per_page=1&page=2", []string{"farm"}},
		{"a page after the last", "page=9999", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			params, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			q, err := ix.Parse(params)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the memory of a search is used again
				if diff := cmp.Diff(tt.want, ids(ix.Search(q))); diff != "" {
					t.Errorf("?%s (-want +got):\n%s", tt.query, diff)
				}
			}
		})
	}
}

// The count of a value is what the filter for it finds.
func TestFacetsCountWhatFiltersFind(t *testing.T) {
	ix := read(t, build(t, small), 1)
	checked := 0
	for _, q := range []Query{{}, {Text: "health"}, {Filters: map[string][]string{"sdg": {"3"}}}, {Text: "health", Filters: map[string][]string{"country": {"KE"}, "type": {"software"}}}} {
		for _, f := range ix.Search(q).Facets {
			for _, v := range f.Values {
				with := Query{Text: q.Text, Filters: map[string][]string{}}
				for k, vs := range q.Filters {
					with.Filters[k] = vs
				}
				with.Filters[f.Facet] = []string{v.ID}
				if got := ix.Search(with).Total; got != v.Count {
					t.Errorf("%v: %s=%s is counted %d times and finds %d", q, f.Facet, v.ID, v.Count, got)
				}
				if want := slices.Contains(q.Filters[f.Facet], v.ID); v.Selected != want {
					t.Errorf("%v: %s=%s selected: %t", q, f.Facet, v.ID, v.Selected)
				}
				checked++
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d values were counted", checked)
	}
}

func TestParseRefuses(t *testing.T) {
	ix := read(t, build(t, small), 1)
	tests := []struct{ name, query, says string }{
		{"no page 0", "page=0", `page is "0"; it is a number from 1 to 10000`},
		{"a negative page", "page=-1", `page is "-1"`},
		{"a huge page", "page=99999999999999999999", "from 1 to 10000"},
		{"a page too long", "per_page=101", "from 1 to 100"},
		{"two queries", "q=a&q=b", "q is given 2 times"},
		{"a value that is none", "license=GPL", `license is "GPL"; here it is one of Apache-2.0, CC-BY-4.0, MIT`},
		{"a country that is none", "country=ZZ", `country is "ZZ"; here it is one of `},
		{"a sector that nobody has", "sector=magic", `sector is "magic"; here it is one of `},
		{"a stage that is not searched", "stage=removed", `stage is "removed"; here it is one of `},
		{"a parameter that is none", "colour=red", `there is no parameter "colour"; there are q, page, per_page, kind, type`},
		{"markup", "kind=%3Cscript%3E", `kind is "<script>"; here it is one of dpg, resource`},
		{"a control character", "kind=%00%0A::error", `kind is "\x00\n::error"`},
		{"too many words", "q=" + strings.Repeat("a+", 25), "q has 25 words; it may have 24"},
		{"too many characters", "q=" + strings.Repeat("é", 401), "q has 401 characters; it may have 400"},
		{"no UTF-8", "q=%FF", "q is not UTF-8"},
		{"too many values", strings.Repeat("sdg=3&", 51), "sdg is given 51 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			params, err := url.ParseQuery(strings.TrimSuffix(tt.query, "&"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = ix.Parse(params); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it says %v, want %q", err, tt.says)
			}
		})
	}
}

// However many goroutines read a catalog, the index answers the same, and the
// included registry's names each find their entry first or second.
func TestIncludedRegistry(t *testing.T) {
	files := publish(t, registry.FromFS(os.DirFS("../../registry")))
	one, four := read(t, files, 1), read(t, files, 4)
	names := 0
	for _, d := range one.docs {
		q := Query{Text: cut(d.name, MaxText)}
		a, b := one.Search(q), four.Search(q)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("%q (-one reader +four):\n%s", d.name, diff)
		}
		if at := slices.Index(ids(a), d.id); at < 0 || at > 1 {
			t.Errorf("the name %q finds %q; %s should be among the first two", d.name, ids(a), d.id)
		}
		names++
	}
	if names < 50 {
		t.Errorf("only %d entries", names)
	}
	for _, f := range []string{"principle", "outcome"} {
		if at := one.facet(f); at < 0 || len(one.facets[at].values) < 3 {
			t.Errorf("there is no facet %s from the frameworks", f)
		}
	}
	short, err := one.Parse(url.Values{"principle": {"f1"}})
	if err != nil || !slices.Equal(short.Filters["principle"], []string{"dpi-safeguards/F1"}) {
		t.Errorf("principle=f1 is %v, %v", short, err)
	}
}

func TestReadRefuses(t *testing.T) {
	good := build(t, small)
	index, err := fs.ReadFile(good, "api/v1/index.json")
	if err != nil {
		t.Fatal(err)
	}
	frameworks := `{"items": []}`
	tests := []struct {
		name, says string
		files      fstest.MapFS
	}{
		{"nothing", "file does not exist", fstest.MapFS{}},
		{"no JSON", "invalid character", fstest.MapFS{"api/v1/index.json": {Data: []byte("nothing")}}},
		{"a line that is none", "line 2:", fstest.MapFS{"api/v1/index.json": {Data: index}, "api/v1/frameworks.json": {Data: []byte(frameworks)},
			"api/v1/full.ndjson": {Data: []byte(`{"id":"a","status":{"stage":"dpg"}}` + "\n[]\n")}}},
		{"a line without end", "it has a line of more than", fstest.MapFS{"api/v1/index.json": {Data: index}, "api/v1/frameworks.json": {Data: []byte(frameworks)},
			"api/v1/full.ndjson": {Data: bytes.Repeat([]byte("x"), maxLine+1)}}},
		{"a path that leads out", "is no path", fstest.MapFS{"api/v1/index.json": {Data: index}, "api/v1/frameworks.json": {Data: []byte(`{"items":[{"path":"../../x"}]}`)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(context.Background(), tt.files, 2); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it says %v, want %q", err, tt.says)
			}
		})
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("before ", 60) + "the Café here " + strings.Repeat("after ", 60)
	got := snippet(long, map[string]bool{"cafe": true})
	if !strings.HasPrefix(got, "… before") || !strings.Contains(got, "the Café here after") || !strings.HasSuffix(got, "after …") || utf8.RuneCountInString(got) > snippetLength+4 {
		t.Errorf("snippet = %q", got)
	}
	if got := snippet("a\nb\u202ec\x1b[31m", nil); got != "a b c [31m" {
		t.Errorf("snippet = %q", got)
	}
	if got := snippet("", nil); got != "" {
		t.Errorf("snippet of nothing = %q", got)
	}
}

// Whatever is asked is answered within the page, or refused with words; the answer
// is JSON without markup in it.
func FuzzQuery(f *testing.F) {
	ix := read(f, build(f, small), 1)
	for _, s := range []string{"q=health", "q=%00%ff&page=-1", "q=<b>.*(a%2B)%2B$&sdg=3", "page=10000&per_page=100", "q=%E2%80%AE%F0%9F%98%80", "q=健康", "q=ﬃ%CC%81"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := ix.Parse(params)
		if err != nil {
			if !utf8.ValidString(err.Error()) || len(err.Error()) > 4000 {
				t.Errorf("it says %q", err)
			}
			return
		}
		r := ix.Search(q)
		if len(r.Items) > r.PerPage || r.Total > ix.Len() || len(r.Items) > r.Total {
			t.Errorf("%d items of %d", len(r.Items), r.Total)
		}
		data, err := json.Marshal(r)
		if err != nil || strings.ContainsAny(string(data), "<>\n") {
			t.Errorf("answered %s, %v", data, err)
		}
		if diff := cmp.Diff(r, ix.Search(q)); diff != "" {
			t.Errorf("asked again (-first +second):\n%s", diff)
		}
	})
}
