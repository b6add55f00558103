package schema_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/schemas"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata")

func builtin(tb testing.TB) *schema.Set {
	tb.Helper()
	set, err := schema.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// Each archive says why it exists, then holds KIND.yaml, judged by
// KIND.schema.json, and the text of the findings.
func TestValidate(t *testing.T) {
	set := builtin(t)
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	fired := map[string]bool{}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(bytes.TrimSpace(a.Comment)) == 0 || len(a.Files) != 2 || a.Files[1].Name != "want" {
				t.Fatal("a case is a reason, KIND.yaml and want")
			}
			in := a.Files[0]
			doc, found := source.Parse(in.Name, in.Data)
			if len(found) > 0 {
				t.Fatalf("the case is not YAML: %v", found)
			}
			ds := set.Validate(strings.TrimSuffix(in.Name, ".yaml")+".schema.json", doc)
			for _, d := range ds {
				fired[d.Rule] = true
				checkFinding(t, doc, d)
			}
			var got bytes.Buffer
			if err := diag.WriteText(&got, ds, false); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(t.Name(), "TestValidate/ok-") && got.Len() > 0 {
				t.Errorf("nothing is wrong here, got:\n%s", got.String())
			}
			if *update {
				a.Files[1].Data = got.Bytes()
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got.String()); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	for _, rule := range schema.Rules() {
		if rule != "schema" && !fired[rule] {
			t.Errorf("no case makes %q fire", rule)
		}
	}
}

// checkFinding holds what is true of every finding, whatever it says.
func checkFinding(t *testing.T, doc *source.Document, d diag.Diagnostic) {
	t.Helper()
	switch {
	case !slices.Contains(schema.Rules(), d.Rule):
		t.Errorf("rule %q is not in Rules", d.Rule)
	case d.Severity != diag.Error || d.Path != doc.Path:
		t.Errorf("finding %+v is not an error of %s", d, doc.Path)
	case d.Start.Line < 1 || d.Start.Col < 1:
		t.Errorf("%s: no place", d.Message)
	}
	for _, banned := range []string{"oneOf", "anyOf", "jsonschema", "additionalProperties", "\n"} {
		if strings.Contains(d.Message+d.Hint, banned) {
			t.Errorf("%q is not in our words", d.Message)
		}
	}
}

// An edit must leave a file with fewer findings: --fix applies it unseen.
func TestEdits(t *testing.T) {
	set := builtin(t)
	tests := []struct{ kind, text, want string }{
		{"dpg", "types: software\n", "types: [software]\n"},
		{"dpg", "sdgs: [{goal: \"3\"}]\n", "sdgs: [{goal: 3}]\n"},
		{"dpg", "name: 123 # a name\n", "name: \"123\" # a name\n"},
		{"dpg", "name: 'é': 1\n", ""}, // not YAML: no findings, no edits
		{"dpg", "sdgs: [{text: {fr: é, en: 1.5}}]\n", "sdgs: [{text: {fr: é, en: \"1.5\"}}]\n"},
		{"framework", "version: 0x10\n", "version: \"0x10\"\n"},
		{"dpg", "types: \"software\"\n", "types: [software]\n"},
		{"dpg", "types: |\n  software\n", ""}, // a block: where it ends is not known
		{"dpg", "status: {as_of: [2023-01-13]}\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			doc, found := source.Parse("x.yaml", []byte(tt.text))
			if len(found) > 0 {
				return
			}
			got := ""
			for _, d := range set.Validate(tt.kind+".schema.json", doc) {
				for _, e := range d.Edits {
					line := []byte(tt.text)
					got = string(line[:e.Start.Col-1]) + e.Text + string(line[e.End.Col-1:])
				}
			}
			if got != tt.want {
				t.Errorf("edited %q, want %q", got, tt.want)
			}
		})
	}
}

func TestValidateUnknownSchema(t *testing.T) {
	doc, _ := source.Parse("x.yaml", []byte("a: 1\n"))
	ds := builtin(t).Validate("poem.schema.json", doc)
	if len(ds) != 1 || ds[0].Rule != "schema" {
		t.Errorf("got %v, want one finding of rule schema", ds)
	}
}

// The library reports in the order of Go's maps; two runs must not differ.
func TestValidateIsStable(t *testing.T) {
	set := builtin(t)
	var text strings.Builder
	for i := range 300 {
		text.WriteString("k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + ": {}\n")
	}
	text.WriteString("name: [1]\ntypes: {a: b}\nstatus: {a: 1, b: 2, c: 3}\n")
	doc, found := source.Parse("x.yaml", []byte(text.String()))
	if len(found) > 0 {
		t.Fatal(found)
	}
	first := set.Validate("dpg.schema.json", doc)
	if len(first) != schema.MaxFindings+1 {
		t.Errorf("%d findings, want %d and one that says so", len(first), schema.MaxFindings)
	}
	for range 5 {
		if diff := cmp.Diff(first, set.Validate("dpg.schema.json", doc)); diff != "" {
			t.Fatalf("a second run differs:\n%s", diff)
		}
	}
}

func FuzzValidate(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	set := builtin(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, found := source.Parse("x.yaml", text)
		if len(found) > 0 {
			return
		}
		for _, name := range []string{"dpg", "resource", "policy", "framework", "registry", "assessment", "report"} {
			for _, d := range set.Validate(name+".schema.json", doc) {
				checkFinding(t, doc, d)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := schema.Compile(schemas.FS); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	set := builtin(b)
	a, err := txtar.ParseFile("testdata/ok-dpg.txtar")
	if err != nil {
		b.Fatal(err)
	}
	doc, _ := source.Parse("x.yaml", a.Files[0].Data)
	b.ReportAllocs()
	for b.Loop() {
		if ds := set.Validate("dpg.schema.json", doc); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}

// The dearest file that a stranger can send: as many wrong keys as fit.
func BenchmarkValidateHostile(b *testing.B) {
	set := builtin(b)
	var text strings.Builder
	text.WriteString("description:\n")
	for i := range 40_000 {
		text.WriteString("  x" + strings.Repeat("a", i%5) + string(rune('A'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576)) + ": 1\n")
	}
	doc, found := source.Parse("x.yaml", []byte(text.String()))
	if len(found) > 0 {
		b.Fatal(found)
	}
	for b.Loop() {
		set.Validate("dpg.schema.json", doc)
	}
}
