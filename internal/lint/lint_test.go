package lint_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var update = flag.Bool("update", false, "rewrite what the cases want")

const wantFile = "want"

// TestRules runs every archive of testdata/<rule>: the files of a small registry,
// then the findings on it. Lines "as_of: DATE" and "only: PATH" among the words
// at the top are options of the run.
func TestRules(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("Glob found %d cases, error %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(name), "testdata/"), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(string(a.Comment)) == "" {
				t.Error("the first lines must say why the case exists")
			}
			got := run(t, a)
			rule := filepath.Base(filepath.Dir(name))
			if strings.Contains(got, "["+rule+"]\n") {
				fires[rule] = true
			} else {
				quiet[rule] = true
			}
			at := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == wantFile })
			if *update {
				if at < 0 {
					a.Files, at = append(a.Files, txtar.File{Name: wantFile}), len(a.Files)
				}
				a.Files[at].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if at < 0 {
				t.Fatal("the case has no file " + wantFile)
			}
			if diff := cmp.Diff(string(a.Files[at].Data), got); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
		})
	}
	for _, r := range lint.Rules {
		if !fires[r.ID] {
			t.Errorf("rule %s has no case where it fires", r.ID)
		}
		if !quiet[r.ID] {
			t.Errorf("rule %s has no case where it is quiet", r.ID)
		}
		delete(fires, r.ID)
	}
	for id := range fires {
		t.Errorf("testdata/%s is of no rule", id)
	}
}

func run(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	reg, opt := load(t, a), lint.Options{AsOf: option(a, "as_of")}
	if only := option(a, "only"); only != "" {
		opt.Only = func(path string) bool { return path == only }
	}
	found, err := lint.Run(t.Context(), reg, opt)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := diag.WriteText(&b, found, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func load(t testing.TB, a *txtar.Archive) *registry.Registry {
	t.Helper()
	files, err := txtar.FS(&txtar.Archive{Files: slices.DeleteFunc(slices.Clone(a.Files), func(f txtar.File) bool { return f.Name == wantFile })})
	if err != nil {
		t.Fatal(err)
	}
	return loadFS(t, files)
}

func loadFS(t testing.TB, files fs.FS) *registry.Registry {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// option reads "key: value" from the words at the top of an archive.
func option(a *txtar.Archive, key string) string {
	for line := range strings.Lines(string(a.Comment)) {
		if value, ok := strings.CutPrefix(line, key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestTable(t *testing.T) {
	if !slices.IsSortedFunc(lint.Rules, func(a, b *lint.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("Rules are not sorted by id")
	}
	for i, r := range lint.Rules {
		if i > 0 && lint.Rules[i-1].ID == r.ID {
			t.Errorf("rule %s stands twice in the table", r.ID)
		}
		if r.Check == nil && r.CheckAll == nil {
			t.Errorf("rule %s checks nothing", r.ID)
		}
		if r.Summary == "" || strings.HasSuffix(r.Summary, ".") || strings.Contains(r.Summary, "\n") {
			t.Errorf("rule %s: Summary %q is not one line without a period", r.ID, r.Summary)
		}
		if len(r.Doc) < 80 || strings.Contains(r.Doc, "\n\n") || !strings.HasSuffix(r.Doc, ".") {
			t.Errorf("rule %s: Doc is not one whole paragraph", r.ID)
		}
		if lint.Lookup(r.ID) != r {
			t.Errorf("Lookup(%q) does not return the rule", r.ID)
		}
	}
	if r := lint.Lookup("no-such-rule"); r != nil {
		t.Errorf("Lookup returned rule %s for a name that is none", r.ID)
	}
}

const twoEntries = `
-- dpgs/a.yaml --
schema: dpg/v1
id: a
name: ""
types: [software]
status: {stage: nominee}
-- dpgs/b.yaml --
schema: dpg/v1
id: b
name: B
types: [software]
status: {stage: renamed, moved_to: a}
-- resources/r.yaml --
schema: resource/v1
id: r
name: R
url: https://r.example.org/
about: [dpg/a, dpg-standard/1]
status: {stage: listed}
`

// The number of jobs must not show.
func TestRunJobs(t *testing.T) {
	reg := load(t, txtar.Parse([]byte(twoEntries)))
	want, err := lint.Run(t.Context(), reg, lint.Options{Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Fatal("nothing was found")
	}
	for _, jobs := range []int{0, 2, 16, -1} {
		got, err := lint.Run(t.Context(), reg, lint.Options{Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Jobs %d differs (-1 job +this):\n%s", jobs, diff)
		}
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lint.Run(ctx, load(t, txtar.Parse([]byte(twoEntries))), lint.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run with a cancelled context returned error %v", err)
	}
}

func TestReferences(t *testing.T) {
	reg := load(t, txtar.Parse([]byte(twoEntries)))
	tests := []struct {
		name string
		refs []entry.Ref
		want []string
	}{
		{"by about and moved_to", []entry.Ref{{Kind: "dpg", ID: "a"}}, []string{"registry/dpgs/b.yaml", "registry/resources/r.yaml"}},
		{"of nobody", []entry.Ref{{Kind: "dpg", ID: "b"}}, nil},
		{"of another kind", []entry.Ref{{Kind: "resource", ID: "a"}}, nil},
		{"none", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lint.References(reg, tt.refs)); diff != "" {
				t.Errorf("References differ (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzRun gives whole files to all rules. None may panic, and every finding must
// have a place in its file.
func FuzzRun(f *testing.F) {
	for _, file := range txtar.Parse([]byte(twoEntries)).Files {
		f.Add(file.Data)
	}
	f.Add([]byte("schema: dpg/v1\nid: a\nlicenses: [{expression: (Gpl 3 AND}]\nlocations: {deployed_in: [é, \"\"]}\nstatus: {stage: renamed, moved_to: a}\n"))
	f.Add([]byte("schema: resource/v1\nid: b\nurl: '：'\nsdgs: [{goal: 99}, {goal: 1}]\ndescription: {en_GB: |\n  a@b.io\n}\nwaivers: [{rule: x, until: 2020-01-01}]\n"))
	f.Add([]byte("schema: framework/v1\nid: d\nlists: [{id: a}, {id: a}]\ncodes: [{code: é, list: b, parent: é, relations: {a: [é, x], c: []}}]\nlicenses: {software: {accepted: [{ids: [Mit, x+], since: 2026-01-02, until: 2026-01-01}]}}\nkinds: [dpg, dgp]\nlanguages: [x_y]\nlicense: (\n"))
	f.Add([]byte("schema: dpg/v1\nid: a\ntypes: [software, data]\nlicenses: [{expression: mit AND LicenseRef-x}, {expression: cc-by-nc-4.0}]\nstatus: {stage: dpg}\ndecisions: [{ruling: own-summary, text: {é: <b>}, as: steward, by: {github: x}}, {ruling: accept}, {ruling: reject}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		reg := loadFS(t, fstest.MapFS{"dpgs/a.yaml": {Data: data}, "resources/b.yaml": {Data: data}, "policy.yaml": {Data: data}, "registry.yaml": {Data: data}, "frameworks/c.yaml": {Data: data}})
		found, err := lint.Run(t.Context(), reg, lint.Options{AsOf: "2026-01-01", Jobs: 1})
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
		for _, d := range found {
			if d.Start.Line > lines || d.Message == "" || d.Rule == "" {
				t.Errorf("finding %+v has no place, words or rule", d)
			}
		}
	})
}

// Without edits, a run finds the same.
func TestRunWithoutEdits(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	edits := 0
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var found [2][]diag.Diagnostic
		for i, without := range []bool{false, true} {
			if found[i], err = lint.Run(t.Context(), load(t, a), lint.Options{AsOf: "2026-01-01", NoEdits: without}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range found[0] {
			if !strings.HasPrefix(found[0][i].Rule, "schema") {
				edits += len(found[0][i].Edits)
				found[0][i].Edits = nil
			}
		}
		if diff := cmp.Diff(found[0], found[1]); diff != "" {
			t.Errorf("%s (-with +without):\n%s", name, diff)
		}
	}
	if edits == 0 {
		t.Error("no case has edits")
	}
}
