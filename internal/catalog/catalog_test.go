package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/schemas"
)

var update = flag.Bool("update", false, "write what the tests get into testdata")

// small is the input of testdata/small.txtar, with a change to its files made by
// edit: the bytes of each file by name.
func small(t *testing.T, edit func(files map[string]string)) Input {
	t.Helper()
	a, err := txtar.ParseFile("testdata/small.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	if edit != nil {
		edit(files)
	}
	stamp := registry.Stamp{Commit: strings.Repeat("ab", 20), At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))}
	older := registry.Stamp{Commit: strings.Repeat("cd", 20), At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
	evidence := []assess.Evidence{{Pointer: "/description", Quote: "records safe & sound"}}
	return Input{
		Registry: load(t, files, registry.Options{}),
		Assessments: map[entry.Ref]*assess.Assessment{
			{Kind: "dpg", ID: "alpha"}: {
				Entry: "dpg/alpha",
				Summary: &assess.Summary{Language: "en", Engine: "offline", Sentences: []assess.Sentence{
					{Text: "Alpha is software.", From: []string{"/name", "/types"}},
					{Text: "Its licence is MIT.", From: []string{"/licenses/0/expression"}},
				}},
				Mappings: []assess.Mapping{
					{Code: "mini/R1", Strength: 1, Engines: []string{"offline"}, Evidence: evidence, Review: assess.Review{State: "proposed"}},
					{Code: "mini/P1", Strength: 2, Engines: []string{"offline"}, Evidence: evidence, Review: assess.Review{State: "confirmed_by_steward"}},
					{Code: "mini/P2", Strength: 2, Engines: []string{"offline"}, Evidence: evidence, Review: assess.Review{State: "rejected"}},
					{Code: "other/X", Strength: 2, Review: assess.Review{State: "proposed"}},
				},
				Unknown: []assess.Unknown{{Framework: "other", Reason: "language: no signals for pt"}},
				Made:    assess.Made{Engine: "offline/1"},
			},
		},
		Head:    &stamp,
		Changes: map[string]registry.Stamp{"dpgs/alpha.yaml": older, "dpgs/gone.yaml": older, "assessments/dpgs/alpha.yaml": stamp, "observations/dpgs/alpha.yaml": older},
		History: &history.Log{Changes: []history.Change{
			{Seq: 1, Action: history.Added, Ref: entry.Ref{Kind: "dpg", ID: "alpha"}, Stage: "nominee", Commit: older.Commit, At: older.At},
			{Seq: 2, Action: history.Added, Ref: entry.Ref{Kind: "dpg", ID: "gone"}, Stage: "nominee", Commit: older.Commit, At: older.At},
			{Seq: 3, Action: history.Changed, Ref: entry.Ref{Kind: "dpg", ID: "alpha"}, Fields: []string{"/assessment", "/status/stage"},
				Stage: "dpg", Commit: stamp.Commit, At: stamp.At},
			{Seq: 4, Action: history.Removed, Ref: entry.Ref{Kind: "dpg", ID: "gone"}, Stage: "removed",
				Reason: map[string]string{"": "The owner asked for it."}, Commit: stamp.Commit, At: stamp.At},
			{Seq: 5, Action: history.Renamed, Ref: entry.Ref{Kind: "dpg", ID: "moved"}, Stage: "renamed", MovedTo: "alpha", Commit: stamp.Commit, At: stamp.At},
			{Seq: 6, Action: history.Removed, Ref: entry.Ref{Kind: "resource", ID: "lost"}, Commit: older.Commit, At: older.At},
		}},
		Findings: &diag.Count{Warnings: 2},
		AsOf:     stamp.At.Format(time.DateOnly),
	}
}

func load(t *testing.T, files map[string]string, opt registry.Options) *registry.Registry {
	t.Helper()
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(tree), opt)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func build(t *testing.T, in Input) *Catalog {
	t.Helper()
	c, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func file(t *testing.T, c *Catalog, name string) []byte {
	t.Helper()
	data, err := c.File(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestGolden shows every file's name, and the files that a reader would ask for
// first in full.
func TestGolden(t *testing.T) {
	const golden = "testdata/small.golden.txtar"
	in := small(t, nil)
	for _, d := range in.Registry.Findings {
		// That of "gone" is what the case is about.
		if d.Path != "registry/dpgs/gone.yaml" {
			t.Errorf("the input has a finding: %s: %s", d.Path, d.Message)
		}
	}
	c := build(t, in)
	var list strings.Builder
	for _, name := range c.Names() {
		if !strings.HasPrefix(name, "api/v1/schemas/") {
			list.WriteString(name + "\n")
		}
	}
	got := &txtar.Archive{Comment: []byte("Written by the tests, with -update.\n")}
	got.Files = append(got.Files, txtar.File{Name: "names", Data: []byte(list.String())})
	for _, name := range []string{
		"api/v1/index.json", "api/v1/dpgs.json", "api/v1/dpgs/alpha.json", "api/v1/dpgs/beta.json", "api/v1/dpgs/gone.json",
		"api/v1/dpgs/moved.json", "api/v1/resources/guide.json", "api/v1/frameworks.json", "api/v1/frameworks/mini.json", "api/v1/frameworks/mini/P1.json",
		"api/v1/frameworks/mini/P2.json", "api/v1/frameworks/sdgs/3.json", "api/v1/frameworks/sdgs/4.json",
		"api/v1/frameworks/dpg-standard/4.json", "api/v1/frameworks/dpg-standard/9a.json", "api/v1/status.json",
		"api/v1/changes.json", "api/v1/changes/000001.json", "api/v1/changes.atom", "dpgs/index.json", "dpg/Alpha.old/index.json", "nominee/beta/index.json",
	} {
		got.Files = append(got.Files, txtar.File{Name: name, Data: file(t, c, name)})
	}
	data := txtar.Format(got)
	if *update {
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := build(t, small(t, nil))
	runtime.GOMAXPROCS(4)
	four := build(t, small(t, nil))
	if diff := cmp.Diff(one.Names(), four.Names()); diff != "" {
		t.Fatalf("names (-one +four):\n%s", diff)
	}
	for _, name := range one.Names() {
		if !bytes.Equal(file(t, one, name), file(t, four, name)) {
			t.Errorf("%s differs from one build to the next", name)
		}
	}
}

// What did not change keeps its bytes when the registry's commit moves on.
func TestOnlyFourFilesNameTheCommit(t *testing.T) {
	in := small(t, nil)
	one := build(t, in)
	in.Head = nil
	other := build(t, in)
	var differ []string
	for _, name := range one.Names() {
		if !bytes.Equal(file(t, one, name), file(t, other, name)) {
			differ = append(differ, name)
		}
	}
	// The pages of the manifest have the hashes of the others.
	want := []string{
		"api/v1/full.json", "api/v1/index.json", "api/v1/manifest.json", "api/v1/manifest/pages/000001.json", "api/v1/manifest/pages/index.json", "api/v1/status.json",
	}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("files that name the commit (-want +got):\n%s", diff)
	}
	var ix struct {
		SourceCommit, GeneratedAt any
	}
	if err := json.Unmarshal(file(t, other, "api/v1/index.json"), &ix); err != nil || ix.SourceCommit != nil || ix.GeneratedAt != nil {
		t.Errorf("without a commit: source_commit = %v, generated_at = %v, want null", ix.SourceCommit, ix.GeneratedAt)
	}
}

// schemaOf names the schema of a file of the catalog; "" where it has none.
func schemaOf(name string) string {
	name, api := strings.CutPrefix(name, apiFolder+"/")
	dir, base := path.Split(name)
	switch {
	case !api, dir == "schemas/", dir == "csv/", name == openAPIName, path.Ext(base) != ".json":
		return ""
	case dir == "":
		switch base {
		case "index.json", "full.json", "status.json", "manifest.json", "frameworks.json", "views.json", "stats.json", "identifiers.json", "search.json", "changes.json":
			return "catalog-" + strings.TrimSuffix(base, ".json") + ".schema.json"
		}
		return "catalog-list.schema.json"
	case strings.HasSuffix(dir, "/pages/") && !strings.HasPrefix(dir, "frameworks/pages/"):
		switch parts := strings.Split(dir, "/"); { // the last is empty
		case base == "index.json" && slices.Contains([]string{"dpgs", "resources"}, parts[0]):
			return "catalog-list-pages.schema.json"
		case base == "index.json":
			return "catalog-pages.schema.json"
		case parts[0] == "frameworks" && len(parts) == 5:
			return "catalog-view-page.schema.json"
		case parts[0] == "views" && len(parts) == 5:
			return "catalog-facet-view-page.schema.json"
		case parts[0] == "views" && len(parts) == 4:
			return "catalog-facet-page.schema.json"
		case slices.Contains([]string{"identifiers", "search", "manifest"}, parts[0]):
			return "catalog-" + parts[0] + "-page.schema.json"
		}
		return "catalog-list-page.schema.json"
	case dir == "frameworks/":
		return "catalog-framework.schema.json"
	case strings.HasPrefix(dir, "frameworks/"):
		return "catalog-view.schema.json"
	case dir == "changes/":
		return "catalog-changes-shard.schema.json"
	case dir == "full/" && base == "index.json":
		return "catalog-full-shards.schema.json"
	case dir == "full/":
		return "catalog-full-shard.schema.json"
	case dir == "views/":
		return "catalog-facet.schema.json"
	case strings.HasPrefix(dir, "views/"):
		return "catalog-facet-view.schema.json"
	}
	return "catalog-entry.schema.json"
}

// closed compiles the responses' schemas so that a key they do not describe is
// an error: a reader must be able to look up every one.
func closed(t *testing.T) func(name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	names, err := fs.Glob(schemas.FS, "catalog-*.schema.json")
	if err != nil || len(names) != 28 {
		t.Fatalf("%d schemas of responses, %v, want 28", len(names), err)
	}
	var shut func(v any)
	shut = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["properties"] != nil && v["type"] == "object" {
				v["additionalProperties"] = false
			}
			for _, x := range v {
				shut(x)
			}
		case []any:
			for _, x := range v {
				shut(x)
			}
		}
	}
	for _, name := range names {
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		shut(doc)
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) *jsonschema.Schema {
		s, err := c.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestEveryResponseIsAsItsSchemaSays(t *testing.T) {
	schema := closed(t)
	for name, in := range map[string]Input{
		"full":  small(t, nil),
		"bare":  {Registry: load(t, nil, registry.Options{})},
		"alien": {Registry: load(t, map[string]string{"dpgs/x.yaml": "schema: dpg/v1\nid: x\n"}, registry.Options{})},
	} {
		t.Run(name, func(t *testing.T) {
			c := build(t, in)
			used := map[string]bool{}
			for _, name := range c.Names() {
				data := file(t, c, name)
				if path.Ext(name) == ".json" && (!json.Valid(data) || data[len(data)-1] != '\n') {
					t.Errorf("%s is not JSON with a line's end", name)
				}
				want := schemaOf(name)
				if want == "" {
					continue
				}
				used[want] = true
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				if err := schema(want).Validate(v); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				keys := envelopeKeys(t, data)
				if diff := cmp.Diff([]string{"schema_version", "license", "attribution"}, keys); diff != "" {
					t.Errorf("%s opens with (-want +got):\n%s", name, diff)
				}
			}
			// Those of pages that a small catalog has none of are looked at by TestPages.
			if name == "full" && len(used) != 25 {
				t.Errorf("%d schemas were used, want 25", len(used))
			}
		})
	}
}

// envelopeKeys are the first three keys of an object.
func envelopeKeys(t *testing.T, data []byte) []string {
	t.Helper()
	var keys []string
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for len(keys) < 3 {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// A key that comes to entries must come to the catalog.
func TestEntriesArePublishedWhole(t *testing.T) {
	for _, tt := range []struct{ onDisk, published any }{
		{entry.Entry{}, Entry{}},
		{entry.License{}, License{}},
		{entry.Repository{}, Repository{}},
		{entry.SBOM{}, SBOM{}},
		{entry.SDG{}, SDG{}},
		{entry.Organization{}, Organization{}},
		{entry.Person{}, Person{}},
		{entry.Locations{}, Locations{}},
		{entry.Answers{}, Standard{}},
		{entry.Answer{}, Answer{}},
		{entry.Status{}, Status{}},
		{entry.SameAs{}, SameAs{}},
		{entry.Source{}, Source{}},
		{entry.Decision{}, Decision{}},
		{entry.Waiver{}, Waiver{}},
		{assess.Mapping{}, struct {
			Mapping
			Review   string `json:"review"`   // its one key is "state" here
			Evidence string `json:"evidence"` // "quotes" here: that key is what people point at
		}{}},
	} {
		have := keys(reflect.TypeOf(tt.published), "json")
		for _, key := range keys(reflect.TypeOf(tt.onDisk), "yaml") {
			if !slices.Contains(have, key) {
				t.Errorf("%T has the key %q, %T has not", tt.onDisk, key, tt.published)
			}
		}
	}
	// Each question of the standard finds its way too.
	var answers entry.Answers
	v := reflect.ValueOf(&answers).Elem()
	for i := range v.NumField() {
		v.Field(i).Set(reflect.ValueOf(&entry.Answer{Answer: "yes"}))
	}
	s := reflect.ValueOf(standardOf(&answers, "en"))
	for i := range s.NumField() {
		if s.Field(i).IsNil() {
			t.Errorf("question %s is lost", s.Type().Field(i).Name)
		}
	}
}

func keys(t reflect.Type, tag string) []string {
	var out []string
	for f := range fields(t) {
		name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
		out = append(out, name)
	}
	return out
}

func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if !f.Anonymous && !yield(f) {
				return
			}
		}
	}
}

func TestRemovedShowsNothingElse(t *testing.T) {
	c := build(t, small(t, nil))
	for _, name := range c.Names() {
		if bytes.Contains(file(t, c, name), []byte("must not be seen")) {
			t.Errorf("%s still shows what was removed", name)
		}
	}
}

func TestHostileText(t *testing.T) {
	const hostile = "</script><img src=x onerror=alert(1)>\u2028\u202e\"'&{{.}}"
	quoted, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	c := build(t, small(t, func(files map[string]string) {
		files["dpgs/evil.yaml"] = "schema: dpg/v1\nid: evil\nname: " + string(quoted) + "\ndescription: " + string(quoted) +
			"\ntypes: [software]\nstatus: {stage: dpg}\nsame_as: {dpga: ../../../etc/passwd}\n"
		files["dpgs/thief.yaml"] = "schema: dpg/v1\nid: thief\nname: Thief\ntypes: [software]\nstatus: {stage: dpg}\nsame_as: {dpga: BETA}\n"
	}))
	var got EntryResponse
	if err := json.Unmarshal(file(t, c, "api/v1/dpgs/evil.json"), &got); err != nil {
		t.Fatal(err)
	}
	if *got.Name != hostile || got.Description["en"] != hostile {
		t.Errorf("name = %q, description = %q, want %q", *got.Name, got.Description["en"], hostile)
	}
	for _, name := range c.Names() {
		if !confined(name) || !fs.ValidPath(name) {
			t.Errorf("a file is named %q", name)
		}
	}
	for _, name := range []string{"dpg/evil/index.json", "dpg/thief/index.json", "nominee/beta/index.json", "dpg/Alpha.old/index.json"} {
		file(t, c, name)
	}
}

func TestAdd(t *testing.T) {
	c := build(t, small(t, nil))
	for _, name := range []string{
		"", ".", "..", "../x", "/x", "x/", "x//y", "x/../y", `x\y`, ".hidden", "x/.git/config", "a b", "é", "x\x00", "x:y", "x.",
		"api/v1/index.json", "api/v1/manifest.json", "API/v1/Index.json", "x/" + strings.Repeat("y", 300),
	} {
		if err := c.Add(name, nil); err == nil {
			t.Errorf("Add(%q) = nil, want an error", name)
		}
	}
	for _, name := range []string{"index.html", "en/index.html", "@firma/x_y.txt"} {
		if err := c.Add(name, []byte("x")); err != nil {
			t.Errorf("Add(%q) = %v", name, err)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		name, file, text, want string
	}{
		{"part of an entry", "dpgs/bad.yaml", "schema: dpg/v1\nid: bad\nname: [Bad]\nstatus: {stage: nominee}\n", "registry/dpgs/bad.yaml has no entry that can be read"},
		{"no entry", "dpgs/bad.yaml", "- a list\n", "registry/dpgs/bad.yaml has no entry that can be read"},
		{"one id twice", "dpgs/other/alpha.yaml", "schema: dpg/v1\nid: alpha\nname: Other\ntypes: [software]\nstatus: {stage: dpg}\n", "are both dpg/alpha"},
		{"no file name", "dpgs/a b.yaml", "schema: dpg/v1\nid: a\nname: A\ntypes: [software]\nstatus: {stage: dpg}\n", "cannot be the name"},
		{"names that differ in case", "dpgs/ALPHA.yaml", "schema: dpg/v1\nid: alpha\nname: A\ntypes: [software]\nstatus: {stage: dpg}\n", "two published files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Build(small(t, func(files map[string]string) { files[tt.file] = tt.text }))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Build = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// A kind is a row of a table: one that nobody has heard of goes all the way.
func TestMadeUpKind(t *testing.T) {
	kinds := append(slices.Clone(entry.Kinds), entry.Kind{Name: "widget", Folder: "widgets", Schema: "resource.schema.json", Title: "widget", Plural: "widgets"})
	reg := load(t, map[string]string{
		"widgets/w.yaml": "schema: resource/v1\nid: w\nname: W\nurl: https://example.org\nstatus: {stage: listed}\n",
	}, registry.Options{Kinds: kinds})
	c := build(t, Input{Registry: reg})
	var l List
	if err := json.Unmarshal(file(t, c, "api/v1/widgets.json"), &l); err != nil || l.Total != 1 || l.Items[0].Path != "widgets/w.json" {
		t.Errorf("list = %+v, %v", l, err)
	}
	file(t, c, "api/v1/widgets/w.json")
	if got := c.Index.Kinds[2].Stages[entry.StageListed]; got != 1 {
		t.Errorf("index counts %d widgets, want 1", got)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("wörter und ", 60)
	tests := []struct{ in, want string }{
		{"  short \n", "short"},
		{"", ""},
		{strings.Repeat("ä", 400), strings.Repeat("ä", 300)},
	}
	for _, tt := range tests {
		if got := excerpt(tt.in); got != tt.want {
			t.Errorf("excerpt(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	got := excerpt(long)
	if !strings.HasPrefix(long, got) || len([]rune(got)) > 300 || !strings.HasSuffix(got, "und") && !strings.HasSuffix(got, "wörter") {
		t.Errorf("excerpt = %q, want a beginning that ends with a word", got)
	}
}

// One key has one shape wherever it stands: who learns it in one response knows it
// in the others.
func TestOneKeyOneShape(t *testing.T) {
	shapes := map[string]map[string]bool{}
	var walk func(at string, typ reflect.Type)
	seen := map[reflect.Type]bool{}
	shape := func(typ reflect.Type) string {
		for typ.Kind() == reflect.Pointer { // null or not is said in the schema
			typ = typ.Elem()
		}
		return typ.String()
	}
	walk = func(at string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for f := range fields(typ) {
			key := f.Tag.Get("json")
			if shapes[key] == nil {
				shapes[key] = map[string]bool{}
			}
			shapes[key][shape(f.Type)] = true
			walk(at+"/"+key, f.Type)
		}
	}
	for _, v := range []any{Index{}, List{}, EntryResponse{}, Frameworks{}, Framework{}, View{}, Full{}, StatusResponse{}, Manifest{}, ChangesResponse{}, ShardResponse{}} {
		walk("", reflect.TypeOf(v))
	}
	excepted := map[string]string{
		"id":    "a person's is a number, as in the files that people write",
		"kinds": "the index tells more of a kind than the status",
		"items": "the things listed",
	}
	for key, got := range shapes {
		if _, ok := excepted[key]; len(got) > 1 && !ok {
			t.Errorf("%q is %v", key, slices.Sorted(maps.Keys(got)))
		}
	}
	for key, why := range excepted {
		if len(shapes[key]) < 2 {
			t.Errorf("%q has one shape, and is excepted for %q", key, why)
		}
	}
}
