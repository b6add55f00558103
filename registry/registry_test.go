package registry_test

import (
	"bytes"
	"os"
	"path"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func load(t *testing.T) *registry.Registry {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(os.DirFS(".")), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// The included registry has no finding at all, and enough in it to show.
func TestRegistryIsClean(t *testing.T) {
	reg := load(t)
	found, err := lint.Run(t.Context(), reg, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, more := assess.Read(reg)
	var report bytes.Buffer
	diag.WriteText(&report, append(found, more...), false)
	if report.Len() > 0 {
		t.Error(report.String())
	}
	count := map[string]int{}
	for _, d := range reg.Docs {
		count[d.Kind.Name]++
		if len(d.Entry.Sources) == 0 {
			t.Errorf("%s has no sources", d.Path)
		}
	}
	if count["dpg"] < 10 || count["resource"] < 5 {
		t.Errorf("there are %v entries, want at least 10 DPGs and 5 resources", count)
	}
}

// Entries stand in their canonical form, so that a diff shows what changed and
// nothing else.
func TestEntriesAreCanonical(t *testing.T) {
	for _, d := range load(t).Docs {
		want, err := entry.Encode(d.Entry, entry.SchemaPath(d.Path, d.Kind.Schema))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, d.Source.Bytes()) {
			t.Errorf("%s is not in canonical form", d.Path)
		}
	}
}

// The assessments that stand here are those that the engine makes of the entries.
func TestAssessmentsAreDerived(t *testing.T) {
	reg := load(t)
	engine := assess.NewOffline(reg.Frameworks)
	stand := map[string][]byte{}
	for _, d := range reg.Derived {
		stand[d.Path] = d.Source.Bytes()
	}
	for _, d := range reg.Docs {
		_, want, err := engine.Derive(reg, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := path.Join(reg.Prefix, d.AssessmentPath(reg.Prefix))
		if !bytes.Equal(stand[at], want) {
			t.Errorf("%s is not what the engine makes; run: go run ./cmd/dpg assess", at)
		}
		delete(stand, at)
	}
	for at := range stand {
		t.Errorf("%s belongs to no entry", at)
	}
}

// Every framework is whole: as many codes as its source has, each with a name
// and a description, each relation to a code of the list it names.
func TestFrameworks(t *testing.T) {
	want := map[string]int{
		"dpg-charter/outcomes": 5, "dpg-standard/indicators": 12, "sdgs/goals": 17,
		"dpi-safeguards/principles": 18, "dpi-safeguards/risks": 13, "dpi-safeguards/authorities": 5,
		"dpi-safeguards/stages": 5, "dpi-safeguards/processes": 102,
	}
	got := map[string]int{}
	for id, f := range load(t).Frameworks {
		if f.Version == "" || f.Source.License == "" || f.Source.URL == "" || f.Source.Attribution.IsZero() {
			t.Errorf("%s does not say its version, source, licence and credit", id)
		}
		seen := map[string]bool{}
		for _, c := range f.Codes {
			got[id+"/"+c.List]++
			if seen[c.Code] {
				t.Errorf("%s/%s stands twice", id, c.Code)
			}
			seen[c.Code] = true
			list := f.List(c.List)
			if list == nil || c.Name.IsZero() || c.Description.IsZero() {
				t.Errorf("%s/%s has no list, name or description", id, c.Code)
				continue
			}
			if list.Mapped && len(c.Signals["en"].Clear) == 0 {
				t.Errorf("%s/%s is to be mapped and has no signals", id, c.Code)
			}
			if c.Parent != "" && f.Code(c.Parent) == nil {
				t.Errorf("%s/%s has the parent %q, which is no code", id, c.Code, c.Parent)
			}
			for list, codes := range c.Relations {
				for _, other := range codes {
					if o := f.Code(other); o == nil || o.List != list {
						t.Errorf("%s/%s relates to %q, which is not in %s", id, c.Code, other, list)
					}
				}
			}
		}
	}
	for list, n := range want {
		if got[list] != n {
			t.Errorf("%s has %d codes, want %d", list, got[list], n)
		}
		delete(got, list)
	}
	for list := range got {
		t.Errorf("unexpected list %s", list)
	}
}
