package published

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// sample is a small catalog: what the tests change is a line of it.
var sample = map[string]string{
	"api/v1/index.json": `{"schema_version":"1.0","license":null,"attribution":null,"name":"R","kinds":[{"name":"dpg","entry_count":1,"path":"dpgs.json"}],
		"links":[{"rel":"list","path":"dpgs.json","schema_path":"schemas/catalog-list.schema.json"}]}`,
	"api/v1/dpgs.json":                        `{"schema_version":"1.0","license":null,"attribution":null,"kind":"dpg","total":0,"pages_path":null,"digest":"sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","items":[]}`,
	"api/v1/dpgs/a.json":                      `{"id":"a","path":"dpgs/a.json","name":"A","title":{"en":"A","fr":"A"},"licenses":[{"expression":"MIT","url":null}],"status":{"stage":"dpg"}}`,
	"api/v1/dpgs/b.json":                      `{"id":"b","path":"dpgs/b.json","name":"B","title":{"en":"B"},"licenses":[],"status":{"stage":"archived"}}`,
	"api/v1/schemas/catalog-list.schema.json": `{}`,
	"dpgs/index.json":                         `[]`,
	"index.html":                              `<a href="api/v1/index.json">API</a> <a href="https://example.org/">elsewhere</a>`,
}

// with changes a copy of the sample: "" deletes a file.
func with(changes map[string]string) map[string]string {
	files := maps.Clone(sample)
	for name, text := range changes {
		if text == "" {
			delete(files, name)
		} else {
			files[name] = text
		}
	}
	return files
}

// publish lists the files in a manifest.
func publish(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	m := catalog.Manifest{Envelope: catalog.Envelope{SchemaVersion: "1.0"}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data := []byte(files[name])
		tree[name] = &fstest.MapFile{Data: data}
		sum := sha256.Sum256(data)
		m.Files = append(m.Files, catalog.ManifestFile{Path: name, Bytes: len(data), SHA256: hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	tree[manifestName] = &fstest.MapFile{Data: text}
	return tree
}

func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		harm  func(fstest.MapFS) // after the manifest was written
		want  []string
	}{
		{name: "whole"},
		{"a link to nowhere", with(map[string]string{"index.html": `<a href="gone.html">x</a>`}), nil,
			[]string{`index.html: its link "gone.html" leads to "gone.html", which is no file of the catalog`}},
		{"a path to nowhere", with(map[string]string{"api/v1/dpgs/a.json": `{"id":"a","path":"dpgs/z.json"}`}), nil,
			[]string{`api/v1/dpgs/a.json: its "path" leads to "dpgs/z.json", which is no file of the catalog`}},
		{"a path out of the API", with(map[string]string{"api/v1/dpgs/a.json": `{"path":"../../../etc/passwd"}`}), nil,
			[]string{`api/v1/dpgs/a.json: its "path" leads to "../../../etc/passwd", which is no file of the catalog`}},
		{"another shape", with(map[string]string{"api/v1/dpgs.json": `{"schema_version":1}`}), nil, []string{
			`api/v1/dpgs.json: /schema_version: "type" of catalog-list.schema.json is broken`,
			`api/v1/dpgs.json: the whole of it: "required" of catalog-list.schema.json is broken`}},
		{"no JSON", with(map[string]string{"api/v1/dpgs/a.json": `{} {}`}), nil,
			[]string{`api/v1/dpgs/a.json: it is not JSON: more follows after the JSON`}},
		{"missing", sample, func(f fstest.MapFS) { delete(f, "dpgs/index.json") },
			[]string{`dpgs/index.json: it is missing; the manifest lists it`}},
		{"changed", sample, func(f fstest.MapFS) { f["dpgs/index.json"] = &fstest.MapFile{Data: []byte("{}")} },
			[]string{fmt.Sprintf(`dpgs/index.json: its SHA-256 is %x; the manifest says "%x"`, sha256.Sum256([]byte("{}")), sha256.Sum256([]byte("[]")))}},
		{"longer", sample, func(f fstest.MapFS) { f["dpgs/index.json"] = &fstest.MapFile{Data: []byte("[] ")} },
			[]string{`dpgs/index.json: it has more than the 2 bytes that the manifest says`}},
		{"shorter", sample, func(f fstest.MapFS) { f["dpgs/index.json"] = &fstest.MapFile{Data: []byte("1")} },
			[]string{`dpgs/index.json: it has 1 bytes; the manifest says 2`}},
		{"no index", sample, func(f fstest.MapFS) {
			delete(f, indexName)
			delete(f, "dpgs/index.json")
		}, []string{
			`api/v1/index.json: it cannot be read, and it tells which file has which schema: no shapes were checked`,
			`api/v1/index.json: it is missing; the manifest lists it`,
			`dpgs/index.json: it is missing; the manifest lists it`}},
		{"an index that is none", with(map[string]string{indexName: `[]`}), nil,
			[]string{`api/v1/index.json: it cannot be read, and it tells which file has which schema: no shapes were checked`}},
		{"left over", sample, func(f fstest.MapFS) { f["api/v1/dpgs/old.json"] = &fstest.MapFile{} },
			[]string{`api/v1/dpgs/old.json: the manifest does not list it; it may be left from another build`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.files == nil {
				tt.files = sample
			}
			tree := publish(t, tt.files)
			if tt.harm != nil {
				tt.harm(tree)
			}
			if diff := cmp.Diff(tt.want, problems(t, tree)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerifyOverHTTP(t *testing.T) {
	tree := publish(t, sample)
	delete(tree, "dpgs/index.json")
	server := httptest.NewServer(http.StripPrefix("/sub/path", http.FileServerFS(tree)))
	defer server.Close()
	at, err := url.Parse(server.URL + "/sub/path/?x#y")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(t.Context(), Web(server.Client(), at), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Problem{{"dpgs/index.json", "it is missing; the manifest lists it"}}
	if diff := cmp.Diff(want, v.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestNoCatalog(t *testing.T) {
	const envelope = `{"schema_version":"1.0","files":[`
	for want, tree := range map[string]fstest.MapFS{
		"is no published catalog": {},
		"is not a manifest":       {manifestName: {Data: []byte(`[]`)}},
		`lists a file at "../x", which is no path below the catalog's folder`: {manifestName: {Data: []byte(envelope + `{"path":"../x","bytes":1,"sha256":""}]}`)}},
		`lists "a" with -1 bytes; no catalog has a file of`:                   {manifestName: {Data: []byte(envelope + `{"path":"a","bytes":-1,"sha256":""}]}`)}},
		`lists "a" with 9223372036854775807 bytes`:                            {manifestName: {Data: []byte(envelope + `{"path":"a","bytes":9223372036854775807,"sha256":""}]}`)}},
		`lists "a" twice`: {manifestName: {Data: []byte(envelope + `{"path":"a","bytes":1,"sha256":""},{"path":"a","bytes":1,"sha256":""}]}`)}},
	} {
		if _, err := Verify(t.Context(), Folder("x", tree), 0, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Verify = %v, want an error that says %s", err, want)
		}
	}
}

// The manifest is judged by its schema where the index names that, and the files that
// name the commit of the whole catalog name that of the manifest.
func TestVerifyManifest(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	files := maps.Clone(sample)
	files["api/v1/index.json"] = `{"schema_version":"1.0","source_commit":"` + commit + `","generated_at":"2026-01-02T03:04:05Z","kinds":[],
		"links":[{"rel":"manifest","path":"manifest.json","schema_path":"schemas/catalog-manifest.schema.json"}]}`
	files["api/v1/schemas/catalog-manifest.schema.json"] = "{}"
	files["api/v1/status.json"] = `{"source_commit":"` + commit + `","generated_at":"2026-01-02T03:04:05Z"}`
	const attribution = `"attribution":{"en":"x"}`
	whole := strings.NewReplacer(`"license":null`, `"license":"CC0-1.0"`, `"attribution":null`, attribution, `"source_commit":null`, `"source_commit":"`+commit+`"`,
		`"generated_at":null`, `"generated_at":"2026-01-02T03:04:05Z"`)
	for _, tt := range []struct {
		name, old, new string
		want           []string
	}{
		{"whole", "", "", nil},
		{"a key more is no harm", attribution, attribution + `,"more":1`, nil},
		{"no commit", `"` + commit + `"`, "null", []string{
			`api/v1/index.json: its source_commit is "` + commit + `", and the manifest's null; the files are of two builds`,
			`api/v1/status.json: its source_commit is "` + commit + `", and the manifest's null; the files are of two builds`}},
		{"another commit", commit, strings.Repeat("f", 40), []string{
			`api/v1/index.json: its source_commit is "` + commit + `", and the manifest's "` + strings.Repeat("f", 40) + `"; the files are of two builds`,
			`api/v1/status.json: its source_commit is "` + commit + `", and the manifest's "` + strings.Repeat("f", 40) + `"; the files are of two builds`}},
		{"a key gone", attribution + ",", "", []string{
			`api/v1/manifest.json: the whole of it: "required" of catalog-manifest.schema.json is broken`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := publish(t, files)
			text := whole.Replace(string(tree[manifestName].Data))
			if !strings.Contains(text, tt.old) {
				t.Fatalf("the manifest has no %q: %s", tt.old, text)
			}
			tree[manifestName].Data = []byte(strings.Replace(text, tt.old, tt.new, 1))
			if diff := cmp.Diff(tt.want, problems(t, tree)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	const a, b = "api/v1/dpgs/a.json", "api/v1/dpgs/b.json"
	edit := func(file, old, new string) map[string]string {
		if !strings.Contains(sample[file], old) {
			t.Fatalf("%s has no %q", file, old)
		}
		return with(map[string]string{file: strings.ReplaceAll(sample[file], old, new)})
	}
	for _, tt := range []struct {
		name string
		now  map[string]string
		want []string
	}{
		{"the same", sample, nil},
		{"an entry more", with(map[string]string{"api/v1/dpgs/c.json": strings.ReplaceAll(sample[b], `"b"`, `"c"`)}),
			[]string{`harmless dpgs/c.json: entry "c" is new`}},
		{"an id lost", with(map[string]string{b: ""}),
			[]string{`breaking dpgs/b.json: the id is gone; it should answer for ever, if only to say that it was removed [id-lost dpgs/b]`}},
		{"a key gone", edit(a, `,"url":null`, ``),
			[]string{`breaking entry: entry.licenses[].url, always there before, is missing [key-gone entry.licenses[].url]`, `harmless dpgs/a.json: it says other things`}},
		{"a language gone", edit(a, `,"fr":"A"`, ``), []string{`harmless dpgs/a.json: it says other things`}},
		{"a key more", edit(a, `"name":"A"`, `"name":"A","more":1`), []string{
			`harmless dpgs/a.json: it says other things`, `harmless entry: entry.more is a new key`}},
		{"a type changed", edit(a, `"name":"A"`, `"name":7`), []string{
			`breaking entry: entry.name was string and now is number too [type-changed entry.name]`, `notable dpgs/a.json: its name: "A" before, "" now`}},
		{"null for the first time", edit(a, `"name":"A"`, `"name":null`), []string{
			`notable dpgs/a.json: its name: "A" before, null now`, `notable entry: entry.name, always there before, is null in places`}},
		{"a response that says nothing", with(map[string]string{"api/v1/dpgs.json": "null"}), []string{
			`breaking dpgs: dpgs was object and now is null [type-changed dpgs]`}},
		{"a stage", edit(a, `"stage":"dpg"`, `"stage":"archived"`), []string{`notable dpgs/a.json: its stage was "dpg" and is "archived"`}},
		{"a licence", edit(a, `MIT`, `GPL-3.0-only`), []string{
			`notable dpgs/a.json: its licences: [{"expression":"MIT","url":null,"covers":null}] before, [{"expression":"GPL-3.0-only","url":null,"covers":null}] now`}},
		{"far fewer", edit("api/v1/index.json", `"entry_count":1`, `"entry_count":0`), []string{
			`breaking dpgs.json: it had 1 entries and has 0; fewer than 90 % are left [entries-lost dpg]`}},
		{"a list gone", with(map[string]string{"api/v1/dpgs.json": ""}), []string{`breaking dpgs.json: it is gone [file-gone dpgs.json]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := Compare(t.Context(), Folder("old", publish(t, sample)), Folder("new", publish(t, tt.now)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range found {
				line := fmt.Sprintf("%s %s: %s", d.Severity, d.Path, d.What)
				if d.Break != "" {
					line += " [" + d.Break + "]"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzShape(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `{"a":[{"b":"x"}]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		c := comparison{}
		var shapes [2]*shape
		for i, text := range []string{before, after} {
			v, err := decode([]byte(text))
			if err != nil {
				return
			}
			shapes[i] = &shape{}
			shapes[i].see(v)
		}
		c.shape("x", "x", shapes[0], shapes[0])
		if len(c.out) > 0 {
			t.Errorf("%s differs from itself: %v", before, c.out)
		}
		c.shape("x", "x", shapes[0], shapes[1])
	})
}

// problems are what Verify finds in a catalog, a line each.
func problems(t *testing.T, tree fs.FS) []string {
	t.Helper()
	v, err := Verify(t.Context(), Folder("x", tree), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range v.Problems {
		found = append(found, p.Path+": "+p.What)
	}
	return found
}
