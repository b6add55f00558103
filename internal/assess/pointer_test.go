package assess

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A pointer comes from a file or from a model: whatever it is, nothing breaks, and
// what it names can be written.
func FuzzFieldAt(f *testing.F) {
	e := &entry.Entry{
		Name: "Vault", Types: []string{"software"}, Licenses: []entry.License{{Expression: "MIT"}}, SDGs: []entry.SDG{{Goal: 3}},
		Description: entry.Text{}.With("fr", "en", "Un coffre."), Locations: &entry.Locations{DeployedIn: []string{"KE"}},
		Standard:  &entry.Answers{Privacy: &entry.Answer{Answer: "yes", Text: entry.Plain("Yes.")}},
		Decisions: []entry.Decision{{Ruling: "lock", By: entry.Person{GitHub: "ann", ID: 7}}},
	}
	for _, p := range []string{"/name", "/types/0", "/description/fr", "/standard/privacy/text", "/sdgs/0/goal", "/decisions/0/by/id", "/~1~0", "//", "/types/99999999999999999999"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pointer string) {
		if v, ok := fieldAt(e, pointer); ok {
			if _, err := yaml.Marshal(v); err != nil {
				t.Errorf("%q names %v, which cannot be written: %v", pointer, v, err)
			}
		}
	})
}
