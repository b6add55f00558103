package importer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// settings are those of both registries, so that nothing differs but entries.
const settings = `schema: registry/v1
name: A
publisher: {name: A}
base_url: https://a.example.org/
languages: [en]
kinds: [dpg, resource]
license: CC0-1.0
attribution: A
`

// included is the registry of this repository with the settings above.
func included(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{"registry.yaml": {Data: []byte(settings)}}
	for _, k := range entry.Kinds {
		names, err := filepath.Glob("../../registry/" + k.Folder + "/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[k.Folder+"/"+filepath.Base(name)] = &fstest.MapFile{Data: data}
		}
	}
	if len(files) < 50 {
		t.Fatalf("the registry has %d files", len(files))
	}
	return files
}

// generated is a registry of entries with whatever may stand in a field.
func generated(t *testing.T, seed uint64, n int) fstest.MapFS {
	t.Helper()
	return made(t, seed, n, true, []string{"map", "=1+1", "@here", "'quoted'", "-", "+49", "'=x", "a|b", `say "so"`, "one\ntwo", "é", "地図", "<b>x</b>", "a,b;c", "\tx", "&amp;", "x\\n", "{}", "# no", "null", "yes", "3", "＝1", "\n-1"})
}

// made is a registry of entries made of words. Wild ones hold what tables do not;
// others say everything that may be said once and in one language.
func made(t *testing.T, seed uint64, n int, wild bool, words []string) fstest.MapFS {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	word := func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }
	maybe := func() string {
		if r.IntN(3) == 0 {
			return ""
		}
		return word()
	}
	address := func() string {
		if wild {
			return maybe()
		}
		return word()
	}
	list := func() []string {
		var all []string
		for range r.IntN(4) {
			all = append(all, word())
		}
		return all
	}
	text := func() entry.Text {
		switch r.IntN(4) {
		case 0:
			return entry.Text{}
		case 1:
			if !wild {
				break
			}
			return entry.Plain(word()).With("fr", "en", word())
		}
		return entry.Plain(word())
	}
	files := fstest.MapFS{"registry.yaml": {Data: []byte(settings)}}
	for i := range n {
		kind := entry.Kinds[r.IntN(len(entry.Kinds))]
		e := entry.Entry{
			Schema: kind.Name + "/v1", ID: fmt.Sprintf("e-%d", i), Name: word(), Aliases: list(), Description: text(), Website: maybe(), Sectors: list(), Topics: list(),
			Status:     entry.Status{Stage: []string{"nominee", "dpg", "listed"}[r.IntN(3)], RecognisedBy: maybe(), AsOf: "2024-02-03", URL: maybe(), Reason: text(), ReviewBy: "2027-01-01"},
			ContactURL: maybe(), About: list(), Languages: list(), Language: []string{"", "fr"}[r.IntN(2)],
			SBOM: &entry.SBOM{URL: word(), AsOf: "2025-01-01"},
		}
		if wild && r.IntN(4) == 0 {
			e.Status.Stage = []string{"archived", "declined"}[r.IntN(2)]
		}
		if kind.Name == "dpg" {
			e.Types = []string{"software", "data"}[:r.IntN(3)]
		} else {
			e.URL, e.Format = maybe(), "guide"
		}
		for range r.IntN(3) {
			e.Licenses = append(e.Licenses, entry.License{Expression: word(), URL: maybe(), Covers: maybe()})
			e.Repositories = append(e.Repositories, entry.Repository{Name: maybe(), URL: address()})
			e.Organizations = append(e.Organizations, entry.Organization{Name: word(), Role: "owner", Website: maybe()})
			e.SDGs = append(e.SDGs, entry.SDG{Goal: 1 + r.IntN(17), Text: text(), Evidence: list()})
			e.Sources = append(e.Sources, entry.Source{Name: word(), URL: maybe(), AsOf: "2024-02-03"})
			e.Waivers = append(e.Waivers, entry.Waiver{Rule: word(), Reason: word(), By: entry.Person{GitHub: "someone"}, Until: "2024-02-03"})
		}
		if r.IntN(2) == 0 {
			e.Locations = &entry.Locations{DevelopedIn: []string{"NO"}, DeployedIn: []string{"AF", "KE"}}
			e.SameAs = &entry.SameAs{DPGA: maybe(), Wikidata: fmt.Sprintf("Q%d", i+1), PURL: maybe()}
			e.Standard = &entry.Answers{Privacy: &entry.Answer{Answer: "yes", Text: text(), Items: list()}}
			e.Decisions = []entry.Decision{{Ruling: "lock", On: "all", By: entry.Person{GitHub: "someone"}, As: "steward", Date: "2024-02-03", Reason: "so"}}
			e.Stewards = []entry.Person{{GitHub: "someone", ID: 1}}
		}
		data, err := entry.Encode(e, "")
		if err != nil {
			t.Fatal(err)
		}
		files[kind.Folder+"/"+e.ID+".yaml"] = &fstest.MapFile{Data: data}
	}
	return files
}

func build(t *testing.T, files fs.FS) *catalog.Catalog {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Build(catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publish writes of what was built what an import reads.
func publish(t *testing.T, c *catalog.Catalog) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range c.Names() {
		base := strings.TrimPrefix(name, "api/v1/")
		if base != "index.json" && !strings.HasPrefix(base, "full.") && !strings.HasPrefix(base, "csv/") {
			continue
		}
		data, err := c.File(name)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// memory is a registry's folder that costs no disk.
type memory struct{ fstest.MapFS }

func (m memory) Files() ([]string, error)         { return slices.Sorted(maps.Keys(m.MapFS)), nil }
func (m memory) Read(name string) ([]byte, error) { return fs.ReadFile(m.MapFS, name) }
func (m memory) Write(name string, data []byte) (bool, error) {
	m.MapFS[name] = &fstest.MapFile{Data: data}
	return true, nil
}

func empty() memory {
	return memory{fstest.MapFS{"registry.yaml": {Data: []byte(settings)}}}
}

// takeOver imports a published catalog into a registry without entries, twice.
func takeOver(t *testing.T, from string, read func(context.Context, *importer.Source) (*importer.Batch, error)) fs.FS {
	t.Helper()
	folder := empty()
	for again := range 2 {
		s, err := importer.Local(from)
		if err != nil {
			t.Fatal(err)
		}
		b, err := read(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := importer.Prepare(t.Context(), folder, b, importer.Options{Language: "en"})
		if err != nil {
			t.Fatal(err)
		}
		if b.Read == 0 || len(plan.Outcomes) != b.Read {
			t.Fatalf("%d records became %d outcomes", b.Read, len(plan.Outcomes))
		}
		want := importer.Written
		if again == 1 {
			want = importer.Same
		}
		for _, o := range plan.Outcomes {
			if o.Action != want {
				t.Errorf("%s %q is %s, want %s: %s %s", o.Record, o.ID, o.Action, want, o.Why, conflicts(o))
			}
		}
		if err := plan.Write(t.Context(), folder, nil); err != nil {
			t.Fatal(err)
		}
	}
	return folder.MapFS
}

// conflicts are those of an outcome in words.
func conflicts(o importer.Outcome) string {
	var b strings.Builder
	for _, c := range o.Conflicts {
		fmt.Fprintf(&b, "%s: %s, imported %s; ", c.Pointer, c.Local, c.Imported)
	}
	return b.String()
}

// of2023 is the DPGA's registry of 2023.
func of2023(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	read, err := dpga.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := read.Convert(dpga.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"registry.yaml": {Data: []byte(settings)}}
	for _, c := range made {
		data, err := entry.Encode(c.Entry, "")
		if err != nil {
			t.Fatal(err)
		}
		files[c.Path] = &fstest.MapFile{Data: data}
	}
	return files
}

func registries(t *testing.T) map[string]fs.FS {
	all := map[string]fs.FS{"included": included(t)}
	for seed := range uint64(3) {
		all[fmt.Sprintf("generated %d", seed)] = generated(t, seed, 100)
	}
	if dir, ok := realdata.Find(t, "data/dpga/dpga"); ok {
		all["of 2023"] = of2023(t, dir)
	} else {
		t.Log("SKIPPED in part, no real input: ../shared/data/dpga/dpga is not beside the repository")
	}
	return all
}

// What the tables do not hold is what Losses lists, and no more: of the included
// registry, of entries as they should be, and of such as never should.
func TestLosses(t *testing.T) {
	always, ever := map[string]bool{}, map[string]bool{}
	for _, l := range importer.Losses() {
		ever[l.Key] = true
		if l.When == "" {
			always[l.Key] = true
		}
	}
	all := registries(t)
	for seed := range uint64(3) {
		all[fmt.Sprintf("tame %d", seed)] = made(t, seed, 100, false, []string{"map", "=1+1", "@here", "'quoted'", "-", "'=x", `say "so"`, "one\ntwo", "é", "a,b;c", "\tx", "＝1", "null"})
	}
	seen := map[string]map[string]bool{} // by sort of registry
	for name, files := range all {
		dir := publish(t, build(t, files))
		after := entries(t, takeOver(t, filepath.Join(dir, "api/v1/csv"), func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
			return importer.ReadCSV(ctx, s, importer.Table{AsOf: "2026-01-15", Language: "en"})
		}))
		before := entries(t, files)
		if len(before) < 90 {
			t.Fatalf("%s has %d entries", name, len(before))
		}
		sort := strings.Fields(name)[0]
		if seen[sort] == nil {
			seen[sort] = map[string]bool{}
		}
		for ref, was := range before {
			is, ok := after[ref]
			if !ok {
				t.Errorf("%s: %s is lost whole", name, ref)
				continue
			}
			for _, key := range lostKeys(was, is) {
				if !seen[sort][key] && !ever[key] {
					t.Errorf("%s: %s of %s is lost, and Losses does not say so", name, key, ref)
				}
				seen[sort][key] = true
			}
		}
	}
	if diff := cmp.Diff(ever, seen["generated"]); diff != "" {
		t.Errorf("lost of odd entries (-Losses +seen)\n%s", diff)
	}
	if diff := cmp.Diff(always, seen["tame"]); diff != "" {
		t.Errorf("lost of live entries with one language and no vertical bar (-Losses +seen)\n%s", diff)
	}
	t.Logf("lost of the included registry: %s", strings.Join(slices.Sorted(maps.Keys(seen["included"])), ", "))
}

// entries are those of a registry by reference, as JSON of their files would be.
func entries(t *testing.T, files fs.FS) map[string]map[string]any {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, d := range reg.Docs {
		data, err := entry.Encode(*d.Entry, "")
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		all[d.Ref.String()] = v
	}
	return all
}

// lostKeys are the keys under which two entries differ, "a.b" where both have
// lists or mappings of one size at "a".
func lostKeys(was, is map[string]any) []string {
	var lost []string
	for key := range keys(was, is) {
		at, a, b := key, was[key], is[key]
		if cmp.Equal(a, b) {
			continue
		}
		deeper := map[string]bool{}
		x, y := flat(a), flat(b)
		if key != "description" && key != "sources" && len(x) == len(y) {
			for i := range x {
				for k := range keys(x[i], y[i]) {
					if !cmp.Equal(x[i][k], y[i][k]) {
						deeper[at+"."+k] = true
					}
				}
			}
		}
		if len(deeper) == 0 {
			deeper[at] = true
		}
		lost = append(lost, slices.Sorted(maps.Keys(deeper))...)
	}
	return lost
}

func keys(a, b map[string]any) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

// flat gives the mappings in a value that is one or a list of them.
func flat(v any) []map[string]any {
	var all []map[string]any
	switch v := v.(type) {
	case map[string]any:
		all = append(all, v)
	case []any:
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				all = append(all, m)
			}
		}
	}
	return all
}

// notInTablesOfOthers are those that it cannot fill for entries that are not live,
// of which the longer tables have nothing.
var notInTablesOfOthers = []string{"organizations", "countries"}

// notInTables are the columns that an import of the tables cannot fill again: the
// one is made by the engine, the other is known to Git.
var notInTables = []string{"summary", "updated_at"}

func TestTablesThereAndBack(t *testing.T) {
	for name, files := range registries(t) {
		t.Run(name, func(t *testing.T) {
			first := build(t, files)
			dir := publish(t, first)
			second := build(t, takeOver(t, filepath.Join(dir, "api/v1/csv"), func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
				return importer.ReadCSV(ctx, s, importer.Table{AsOf: "2026-01-15"})
			}))
			for _, table := range []string{"entries", "countries", "licenses", "organizations", "sdgs"} {
				was, is := rows(t, first, table), rows(t, second, table)
				if len(was) < 2 {
					t.Fatalf("table %s has %d rows", table, len(was))
				}
				if diff := cmp.Diff(was, is); diff != "" {
					t.Errorf("table %s (-first +second)\n%s", table, diff)
				}
			}
		})
	}
}

// rows are those of a published table, without the columns that do not count.
func rows(t *testing.T, c *catalog.Catalog, table string) [][]string {
	t.Helper()
	data, err := c.File("api/v1/csv/" + table + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	stage := slices.Index(all[0], "stage")
	for n, row := range all[1:] {
		if stage >= 0 && (row[stage] == entry.StageArchived || row[stage] == entry.StageDeclined) {
			for _, column := range notInTablesOfOthers {
				all[n+1][slices.Index(all[0], column)] = ""
			}
		}
	}
	for i := len(all[0]) - 1; i >= 0; i-- {
		if slices.Contains(notInTables, all[0][i]) {
			for n := range all {
				all[n] = slices.Delete(all[n], i, i+1)
			}
		}
	}
	return all
}

// notFederated are the keys of a published entry that another registry does not
// take over.
var notFederated = []string{"assessment", "stewards", "decisions", "waivers", "sources", "updated_at", "updated_commit"}

func TestCatalogThereAndBack(t *testing.T) {
	for name, files := range registries(t) {
		t.Run(name, func(t *testing.T) {
			first := build(t, files)
			dir := publish(t, first)
			sources := []string{dir}
			if name == "included" {
				sources = append(sources, filepath.Join(dir, "api/v1/full.json"), filepath.Join(dir, "api/v1/full.ndjson"), filepath.Join(dir, "api/v1/index.json"))
			}
			for _, from := range sources {
				second := build(t, takeOver(t, from, func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
					return importer.ReadCatalog(ctx, s, importer.Federation{Language: "en"})
				}))
				if diff := cmp.Diff(full(t, first), full(t, second)); diff != "" {
					t.Errorf("from %s: full.json (-first +second)\n%s", from, diff)
				}
				checkOrigins(t, first, second)
			}
		})
	}
}

func full(t *testing.T, c *catalog.Catalog) any {
	t.Helper()
	data, err := c.File("api/v1/full.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Entries map[string][]map[string]any `json:"entries"`
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, entries := range all.Entries {
		for _, e := range entries {
			for _, k := range notFederated {
				if _, ok := e[k]; !ok {
					t.Fatalf("no entry has the key %q any more", k)
				}
				delete(e, k)
			}
		}
	}
	return all.Entries
}

// checkOrigins holds that every entry has the sources it had, and then the place
// where it was published.
func checkOrigins(t *testing.T, first, second *catalog.Catalog) {
	t.Helper()
	for kind, entries := range first.Full.Entries {
		for i, e := range entries {
			folder := map[string]string{"dpg": "dpgs", "resource": "resources"}[kind]
			at := "https://a.example.org/api/v1/" + folder + "/" + e.ID + ".json"
			name := "A"
			want := append(slices.Clone(e.Sources), catalog.Source{Name: &name, URL: &at})
			if diff := cmp.Diff(want, second.Full.Entries[kind][i].Sources); diff != "" {
				t.Errorf("sources of %s (-want +got)\n%s", e.ID, diff)
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(second.Full.Entries)), slices.Sorted(maps.Keys(first.Full.Entries)); !slices.Equal(got, want) {
		t.Errorf("kinds %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}
