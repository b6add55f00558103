package assess

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// tree is a registry folder in memory.
type tree map[string]string

func testTree(t *testing.T) tree {
	t.Helper()
	care, err := os.ReadFile("testdata/framework.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return tree{
		"registry.yaml": "schema: registry/v1\nname: Test\npublisher: {name: Test}\nlanguages: [en]\n" +
			"kinds: [dpg, resource]\nframeworks: [care]\nlicense: CC0-1.0\nattribution: Test\n",
		"frameworks/care.yaml": string(care),
		"dpgs/vault.yaml":      testFile("vault", "nominee", "The clinic sends encrypted data to the ministry."),
		"dpgs/o/openbox.yaml":  testFile("openbox", "dpg", "A box of open source software for schools."),
		"dpgs/old.yaml":        testFile("old", "archived", "It sent encrypted data until last year."),
	}
}

func testFile(id, stage, description string) string {
	status := "{stage: " + stage + "}"
	if stage == "dpg" {
		status = "{stage: dpg, recognised_by: DPGA, as_of: 2023-01-13}"
	}
	if stage == "archived" {
		status = "{stage: archived, as_of: 2023-01-13, reason: Its owner closed it.}"
	}
	return fmt.Sprintf("schema: dpg/v1\nid: %s\nname: %s\ndescription: %s\nwebsite: https://example.org/\ntypes: [software]\n"+
		"licenses: [{expression: MIT}]\nstatus: %s\n", id, id, description, status)
}

func (f tree) load(t *testing.T) *registry.Registry {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range f {
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	var fsys fs.FS = files
	reg, err := registry.Load(t.Context(), registry.FromFS(fsys), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// plan gives one line a proposal.
func (f tree) plan(t *testing.T) ([]Proposal, []string) {
	t.Helper()
	all, err := Plan(t.Context(), f.load(t))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, p := range all {
		verb := "write"
		switch {
		case p.Delete:
			verb = "delete"
		case p.Old != nil:
			verb = "change"
		}
		lines = append(lines, verb+" "+p.Path)
	}
	return all, lines
}

func (f tree) apply(all []Proposal) {
	for _, p := range all {
		if p.Delete {
			delete(f, p.Path)
			continue
		}
		f[p.Path] = string(p.Data)
	}
}

// olderEngine makes a file look as if a version before this one had written it.
func olderEngine(f tree, name string) {
	text := strings.Replace(f[name], "engine: "+EngineName, "engine: offline/1", 1)
	before, key, _ := strings.Cut(text, "key: ")
	f[name] = before + "key: " + strings.Repeat("0", 10) + key[10:]
}

const (
	vaultPath = "assessments/dpgs/vault.yaml"
	boxPath   = "assessments/dpgs/o/openbox.yaml"
)

func TestPlan(t *testing.T) {
	tests := []struct {
		name   string
		change func(tree) // after a first plan was carried out
		want   []string
	}{
		{"nothing changed", func(tree) {}, nil},
		{"entry changed", func(f tree) {
			f["dpgs/vault.yaml"] = testFile("vault", "nominee", "A vault with role-based access control for clinics.")
		}, []string{"change " + vaultPath}},
		{"entry written otherwise", func(f tree) { f["dpgs/vault.yaml"] = "# a remark\n" + f["dpgs/vault.yaml"] }, nil},
		{"entry gone", func(f tree) { delete(f, "dpgs/vault.yaml") }, []string{"delete " + vaultPath}},
		{"entry archived", func(f tree) { f["dpgs/vault.yaml"] = testFile("vault", "archived", "Closed.") }, []string{"delete " + vaultPath}},
		{"entry moved", func(f tree) {
			f["dpgs/v/vault.yaml"] = f["dpgs/vault.yaml"]
			delete(f, "dpgs/vault.yaml")
		}, []string{"change assessments/dpgs/v/vault.yaml", "delete " + vaultPath}},
		{"entry broken", func(f tree) { f["dpgs/vault.yaml"] += "typo: 1\n" }, nil},
		{"entry unreadable", func(f tree) { f["dpgs/vault.yaml"] = "{" }, nil},
		{"assessment gone", func(f tree) { delete(f, vaultPath) }, []string{"write " + vaultPath}},
		{"assessment unreadable", func(f tree) { f[vaultPath] = "{" }, []string{"write " + vaultPath}},
		{"assessment empty", func(f tree) { f[vaultPath] = "" }, []string{"write " + vaultPath}},
		{"assessment of another", func(f tree) { f[vaultPath] = f[boxPath] }, []string{"change " + vaultPath}},
		{"quote forged", func(f tree) {
			f[vaultPath] = strings.ReplaceAll(f[vaultPath], "The clinic sends", "The ministry sends")
		}, []string{"change " + vaultPath}},
		{"state forged", func(f tree) {
			f[vaultPath] = strings.ReplaceAll(f[vaultPath], "state: proposed", "state: confirmed_by_registry")
		}, []string{"change " + vaultPath}},
		{"engine upgraded, the answer is the same", func(f tree) { olderEngine(f, vaultPath) }, nil},
		{"engine upgraded, the answer differs", func(f tree) {
			olderEngine(f, vaultPath)
			f[vaultPath] = strings.Replace(f[vaultPath], "strength: 2", "strength: 1", 1)
		}, []string{"change " + vaultPath}},
		{"engine upgraded, quote forged", func(f tree) {
			olderEngine(f, vaultPath)
			f[vaultPath] = strings.ReplaceAll(f[vaultPath], "The clinic sends", "The ministry sends")
		}, []string{"change " + vaultPath}},
		{"engine unknown", func(f tree) {
			f[vaultPath] = strings.Replace(f[vaultPath], "engine: "+EngineName, "engine: oracle/9", 1)
			f[vaultPath] = strings.Replace(f[vaultPath], "key: ", "key: 0", 1)
		}, []string{"change " + vaultPath}},
		{"framework changed", func(f tree) {
			f["frameworks/care.yaml"] = strings.ReplaceAll(f["frameworks/care.yaml"], `version: "3"`, `version: "4"`)
		}, []string{"change " + boxPath, "change " + vaultPath}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := testTree(t)
			for _, d := range f.load(t).Findings {
				if d.Severity == diag.Error {
					t.Fatalf("the test's own registry has an error: %s %s", d.Path, d.Message)
				}
			}
			first, lines := f.plan(t)
			if want := []string{"write " + boxPath, "write " + vaultPath}; !slices.Equal(lines, want) {
				t.Fatalf("first plan %q, want %q", lines, want)
			}
			f.apply(first)
			if line, _, _ := strings.Cut(f[vaultPath], "\n"); line != "# yaml-language-server: $schema=../../../schemas/assessment.schema.json" {
				t.Errorf("the first line is %q", line)
			}
			tt.change(f)
			second, lines := f.plan(t)
			slices.Sort(lines)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(lines, want) {
				t.Fatalf("plan %q, want %q", lines, want)
			}
			if !slices.IsSortedFunc(second, func(a, b Proposal) int { return strings.Compare(a.Path, b.Path) }) {
				t.Error("the proposals are not sorted by path")
			}
			f.apply(second)
			for _, d := range f.load(t).Findings {
				if strings.HasPrefix(d.Path, "registry/assessments/") {
					t.Errorf("%s: %s", d.Path, d.Message)
				}
			}
			if _, lines := f.plan(t); len(lines) > 0 {
				t.Errorf("a plan carried out leaves %q", lines)
			}
		})
	}
}

func TestPlanIsTheSameWithAnyNumberOfProcessors(t *testing.T) {
	f := testTree(t)
	for i := range 40 {
		id := fmt.Sprintf("entry-%d", i)
		f["dpgs/"+id+".yaml"] = testFile(id, "nominee", "A tool with encrypted data and open standards for everybody.")
	}
	want, _ := f.plan(t)
	for _, procs := range []int{1, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		got, _ := f.plan(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("differs with %d processors:\n%s", procs, diff)
		}
	}
}

func TestRead(t *testing.T) {
	f := testTree(t)
	first, _ := f.plan(t)
	f.apply(first)
	f["assessments/dpgs/stray.yaml"] = f[vaultPath]
	f["assessments/dpgs/elsewhere/openbox.yaml"] = f[boxPath]
	reg := f.load(t)
	all, found := Read(reg)
	got := slices.SortedFunc(maps.Keys(all), func(a, b entry.Ref) int { return strings.Compare(a.String(), b.String()) })
	if want := []entry.Ref{{Kind: "dpg", ID: "openbox"}, {Kind: "dpg", ID: "vault"}}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	var lines []string
	for _, d := range found {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", d.Path, d.Start.Line, d.Message))
	}
	want := []string{
		`registry/assessments/dpgs/elsewhere/openbox.yaml:2: the file does not stand where the assessment of dpg/openbox belongs, "assessments/dpgs/o/openbox.yaml"`,
		`registry/assessments/dpgs/stray.yaml:3: entry "dpg/vault" is not "dpg/stray", which the file's place says`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}
