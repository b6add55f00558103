package dcat

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/export/rdf"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// load builds the catalog of a registry as if everything had last been changed by
// one commit.
func load(t *testing.T, files registry.Files) *catalog.Export {
	t.Helper()
	reg, err := registry.Load(context.Background(), files, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stamp := registry.Stamp{Commit: strings.Repeat("a", 40), At: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)}
	in := catalog.Input{Registry: reg, Head: &stamp, Changes: map[string]registry.Stamp{}}
	for _, d := range reg.Docs {
		in.Changes[strings.TrimPrefix(d.Path, reg.Prefix+"/")] = stamp
	}
	x, err := catalog.ExportOf(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func included(t *testing.T) *catalog.Export {
	t.Helper()
	return load(t, registry.FromFS(os.DirFS("../../../registry")))
}

const settings = `schema: registry/v1
name: 'Test "registry" <script>alert(1)</script>'
publisher: {name: "Tests \\ \" \n of \"\"\" quotes", url: "https://example.org/a b"}
base_url: https://example.org/sub
contact_url: https://example.org/contact
languages: [en, fr]
license: CC0-1.0
attribution: Tests
`

// Everything in it tries to end what it stands in.
const hostile = `schema: dpg/v1
id: hostile
name: "\"\"\" <script>alert('x')</script> \\"
aliases: ["a\tb\r\nc", "@en .", "]] ; a <http://evil.example/> ."]
description: {en: "quotes \" \"\"\" '''\n\\u0041 \\ \u0001 \u2028 ^^xsd:string", fr: "}\\\"@en ."}
website: "https://example.org/<script>?a={b}|c\\d^e` + "`" + `f g#h#i"
types: [software, data, content, standard, ai-system]
sectors: [Health, "humanitarian \"aid\""]
licenses:
  - {expression: MIT, covers: software}
  - {expression: CC-BY-4.0, covers: data, url: "https://example.org/> . <x"}
  - {expression: MIT OR Apache-2.0, covers: documentation, url: "https://example.org/license text"}
  - {expression: "MIT> <x", covers: content}
repositories: [{url: "https://example.org/r>o \"x\""}, {url: "javascript:alert(1)"}, {url: "git@example.org:x"}]
sdgs: [{goal: 3}, {goal: 99}]
organizations:
  - {name: "> . <http://evil.example/a> a <b> .", role: owner, website: "https://[::1]/x[1]"}
  - {name: "   ", role: publisher}
  - {name: Second, role: "owner> ."}
contact_url: "https://example.org/%zz 100%"
locations: {developed_in: [XK], deployed_in: [KE, "ZZ", "../../KE"]}
status: {stage: dpg, recognised_by: "A \" B", as_of: "2023-01-13\"@en", url: "ftp://x"}
same_as: {dpga: "a\"b", wikidata: "Q1> .", purl: "pkg:x/<y>"}
`

func hostileFiles() fstest.MapFS {
	return fstest.MapFS{
		"registry.yaml":     {Data: []byte(settings)},
		"dpgs/hostile.yaml": {Data: []byte(hostile)},
		"dpgs/mute.yaml":    {Data: []byte("schema: dpg/v1\nid: mute\nname: Mute\ntypes: [data]\nstatus: {stage: nominee}\n")},
		"dpgs/gone.yaml":    {Data: []byte("schema: dpg/v1\nid: gone\nname: Gone\ntypes: [data]\nstatus: {stage: archived}\n")},
		"resources/doc.yaml": {Data: []byte("schema: resource/v1\nid: doc\nname: Doc\ndescription: A guide.\nurl: https://example.org/doc\n" +
			"format: guide\npublished: 2024-02\nlanguages: [en, fr-CA, zzzz-not]\nstatus: {stage: listed}\n")},
	}
}

func written(t *testing.T, x *catalog.Export, syntax rdf.Syntax) ([]byte, []catalog.Note) {
	t.Helper()
	var b bytes.Buffer
	notes, err := Write(&b, syntax, x)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), notes
}

func turtle(t *testing.T, x *catalog.Export) []byte {
	t.Helper()
	data, _ := written(t, x, rdf.Turtle)
	return data
}

func jsonLD(t *testing.T, x *catalog.Export) []byte {
	t.Helper()
	data, _ := written(t, x, rdf.JSONLD)
	return data
}

// checked is what others' programs say of an export.
type checked struct {
	Turtle, JSONLD, Fetched, Results []string
	Conforms                         bool
}

var shapes = flag.String("shapes", "", "further shapes in Turtle, such as the European ones, to hold exports against")

// TestForOthers has the export read by programs that others wrote: both forms
// hold the same statements, as many as were made, and they have the shape that
// DCAT-AP asks for, also where the text is hostile.
func TestForOthers(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not here, so the DCAT-AP export was NOT READ and NOT VALIDATED by others' programs; apt-get install npm")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/check")); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, name string, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		var problems bytes.Buffer
		cmd.Stderr = &problems
		said, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s%s", name, args, err, said, problems.Bytes())
		}
		return said
	}
	if *shapes != "" {
		more, err := os.ReadFile(*shapes)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "more.ttl"), more, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
	check := func(t *testing.T, ttl, ld []byte) checked {
		t.Helper()
		for name, data := range map[string][]byte{"data.ttl": ttl, "data.jsonld": ld} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var c checked
		if err := json.Unmarshal(run(t, "node", "check.mjs", "data.ttl", "data.jsonld", "shapes.ttl"), &c); err != nil {
			t.Fatal(err)
		}
		if *shapes != "" {
			var more checked
			if err := json.Unmarshal(run(t, "node", "check.mjs", "data.ttl", "data.jsonld", "more.ttl"), &more); err != nil {
				t.Fatal(err)
			}
			c.Conforms, c.Results = c.Conforms && more.Conforms, append(c.Results, more.Results...)
		}
		return c
	}
	for name, c := range map[string]*catalog.Export{"included": included(t), "hostile": load(t, registry.FromFS(hostileFiles()))} {
		t.Run(name, func(t *testing.T) {
			got := check(t, turtle(t, c), jsonLD(t, c))
			if diff := cmp.Diff(got.Turtle, got.JSONLD); diff != "" {
				t.Errorf("Turtle and JSON-LD do not hold the same (-turtle +jsonld):\n%s", diff)
			}
			if g := whole(t, c); len(got.Turtle) != g.Len() {
				t.Errorf("%d statements were read, want the %d that were made", len(got.Turtle), g.Len())
			}
			if len(got.Fetched) > 0 {
				t.Errorf("reading it fetches %q", got.Fetched)
			}
			if !got.Conforms || len(got.Results) > 0 {
				t.Errorf("the shapes find:\n%s", strings.Join(got.Results, "\n"))
			}
			if name == "hostile" {
				for _, line := range got.Turtle {
					if strings.HasPrefix(line, "<http://evil.example") || strings.Contains(line, "> <http://evil.example") {
						t.Errorf("text became a statement: %s", line)
					}
				}
			}
		})
	}
	t.Run("the shapes bite", func(t *testing.T) {
		x := load(t, registry.FromFS(hostileFiles()))
		ttl := string(turtle(t, x))
		for _, tt := range []struct{ name, old, new, want string }{
			{"a record without its date", `dct:modified "2026-01-15T12:00:00Z"^^xsd:dateTime ;` + "\n    foaf:primaryTopic", "foaf:primaryTopic", "terms/modified"},
			{"an agent without a name", "foaf:name", "foaf:nick", "foaf/0.1/name"},
			{"a record of what is no dataset", "foaf:primaryTopic <https://example.org/sub/api/v1/dpgs/hostile", "foaf:primaryTopic <https://example.org/sub/api/v1/dpgs/mute", "primaryTopic"},
			{"rights twice", `dct:rights `, `dct:rights <http://example.org/r>, `, "terms/rights"},
			{"a theme that is none", "data-theme/HEAL>", "data-theme/HEALTH>", "dcat#theme"},
			{"a distribution without an address", "dcat:accessURL", "dcat:landingPage", "dcat#accessURL"},
		} {
			spoilt := strings.ReplaceAll(ttl, tt.old, tt.new)
			if spoilt == ttl {
				t.Errorf("%s: there is nothing to spoil", tt.name)
				continue
			}
			got := check(t, []byte(spoilt), jsonLD(t, x))
			if got.Conforms || !slices.ContainsFunc(got.Results, func(r string) bool { return strings.Contains(r, tt.want) }) {
				t.Errorf("%s: the shapes find nothing about %s, but %q", tt.name, tt.want, got.Results)
			}
		}
	})
}

// whole is the same in one graph: all statements, in the order they are made.
func whole(t *testing.T, x *catalog.Export) *rdf.Graph {
	t.Helper()
	m, err := newMaker(x)
	if err != nil {
		t.Fatal(err)
	}
	m.catalog()
	for e, err := range x.Live() {
		if err != nil {
			t.Fatal(err)
		}
		m.entry(*e)
	}
	m.vocabularies()
	return m.Graph
}

// What is written entry by entry is what a graph of it all says, byte for byte.
func TestSameBytes(t *testing.T) {
	for name, x := range map[string]*catalog.Export{"included": included(t), "hostile": load(t, registry.FromFS(hostileFiles()))} {
		for _, syntax := range []rdf.Syntax{rdf.Turtle, rdf.JSONLD} {
			var want bytes.Buffer
			if err := whole(t, x).Write(&want, syntax); err != nil {
				t.Fatal(err)
			}
			if got, _ := written(t, x, syntax); !bytes.Equal(got, want.Bytes()) {
				t.Errorf("%s as %s: %s", name, syntax, cmp.Diff(want.String(), string(got)))
			}
		}
	}
}

// What the catalog's own data can be had as is published, and each of its tables is
// among that.
func TestForms(t *testing.T) {
	reg, err := registry.Load(t.Context(), registry.FromFS(hostileFiles()), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Build(catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, f := range forms {
		has[f.name] = true
		if _, err := c.File("api/v1/" + f.name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range c.Names() {
		if table, api := strings.CutPrefix(name, "api/v1/"); api && strings.HasSuffix(table, ".csv") && !has[table] {
			t.Errorf("the table %s is no distribution", table)
		}
	}
}

// Every live entry is there, once, and as what it is.
func TestEveryEntry(t *testing.T) {
	c := included(t)
	ld, notes := written(t, c, rdf.JSONLD)
	doc := struct {
		Graph []map[string]any `json:"@graph"`
	}{}
	if err := json.Unmarshal(ld, &doc); err != nil {
		t.Fatal(err)
	}
	is := map[string][]any{}
	listed := map[string][]string{}
	for _, n := range doc.Graph {
		id := n["@id"].(string)
		is[id], _ = n["@type"].([]any)
		if !strings.HasSuffix(id, "index.json#catalog") {
			continue
		}
		for _, key := range []string{"dcat:dataset", "dcat:resource", "dcat:record"} {
			for _, v := range n[key].([]any) {
				listed[key] = append(listed[key], v.(map[string]any)["@id"].(string))
			}
		}
	}
	entries := 0
	for item, err := range c.Live() {
		if err != nil {
			t.Fatal(err)
		}
		entries++
		it := "https://dpg-registry.github.io/dpg-registry/api/v1/" + item.Path + "#entry"
		data := slices.Contains(item.Types, "data") || slices.Contains(item.Types, "content")
		if got := slices.Contains(listed["dcat:dataset"], it); got != data {
			t.Errorf("%s (%q): among the datasets: %t", item.ID, item.Types, got)
		}
		if got := slices.Contains(listed["dcat:resource"], it); got == data {
			t.Errorf("%s (%q): among the other resources: %t", item.ID, item.Types, got)
		}
		if got := slices.Contains(is[it], any("schema:SoftwareSourceCode")); got != slices.Contains(item.Types, "software") {
			t.Errorf("%s (%q): software: %t", item.ID, item.Types, got)
		}
	}
	if entries < 90 || len(listed["dcat:record"]) != len(listed["dcat:dataset"])-1 {
		t.Errorf("%d entries, %d datasets with the catalog's own, and %d records", entries, len(listed["dcat:dataset"]), len(listed["dcat:record"]))
	}
	for _, n := range notes {
		t.Logf("note: %s: %q", n.Text, n.Entries)
	}
}

func TestNotes(t *testing.T) {
	_, got := written(t, load(t, registry.FromFS(hostileFiles())), rdf.Turtle)
	want := []catalog.Note{
		{Text: noteAddress, Entries: []string{"dpg/hostile"}},
		{Text: noteDescription, Entries: []string{"dpg/mute"}},
		{Text: noteLicense, Entries: []string{"dpg/hostile"}},
		{Text: noteLanguage, Entries: []string{"resource/doc"}},
		{Text: noteCountry, Entries: []string{"dpg/hostile"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestNeedsAnAddress(t *testing.T) {
	for _, base := range []string{"", "base_url: https://example.org/?x=\n", "base_url: /sub/\n"} {
		files := hostileFiles()
		files["registry.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(settings, "base_url: https://example.org/sub\n", base, 1))}
		if _, err := Write(io.Discard, rdf.Turtle, load(t, registry.FromFS(files))); err == nil || !strings.Contains(err.Error(), "set base_url in registry.yaml") {
			t.Errorf("with %q: error %v", base, err)
		}
	}
}
