package entry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A value of the wrong sort costs itself and nothing else.
func TestDecodeKeepsWhatItCan(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       entry.Entry
		wrong      bool
	}{
		{"all right", "id: a\naliases: [b, 5]\n", entry.Entry{ID: "a", Aliases: []string{"b", "5"}}, false},
		{"a list for a text", "id: a\ndescription: [x]\nname: A\n", entry.Entry{ID: "a", Name: "A"}, true},
		{"a list in a language", "id: a\ndescription: {en: [x], fr: y}\nname: A\n", entry.Entry{ID: "a", Name: "A", Description: entry.Text{}.With("fr", "en", "y")}, true},
		{"a text for a list", "aliases: x\nname: A\n", entry.Entry{Name: "A"}, true},
		{"a text for a mapping", "locations: NO\nstatus: dpg\nname: A\n", entry.Entry{Name: "A", Locations: &entry.Locations{}}, true},
		{"items keep their places", "aliases: [{}, b, null, [c], d]\n", entry.Entry{Aliases: []string{"", "b", "", "", "d"}}, true},
		{"mappings keep their places", "licenses: [MIT, {expression: [], covers: data}, null, {expression: X}]\n", entry.Entry{Licenses: []entry.License{{}, {Covers: "data"}, {}, {Expression: "X"}}}, true},
		{"lists within lists", "sdgs: [{goal: three, evidence: [[], b]}]\n", entry.Entry{SDGs: []entry.SDG{{Evidence: []string{"", "b"}}}}, true},
		{"an answer", "standard: {privacy: {items: [[], b]}, ownership: yes}\n", entry.Entry{Standard: &entry.Answers{Privacy: &entry.Answer{Items: []string{"", "b"}}, Ownership: &entry.Answer{}}}, true},
		{"null is nothing", "aliases: null\nstatus: null\nname: A\n", entry.Entry{Name: "A"}, false},
		{"an alias", "topics: &t [[], b]\naliases: *t\n", entry.Entry{Topics: []string{"", "b"}, Aliases: []string{"", "b"}}, true},
		{"a list for an entry", "[a]\n", entry.Entry{}, true},
		{"an unknown key", "x: [[]]\nid: a\n", entry.Entry{ID: "a"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got entry.Entry
			err := yaml.Unmarshal([]byte(tt.yaml), &got)
			var wrong *yaml.TypeError
			if errors.As(err, &wrong) != tt.wrong || !tt.wrong && err != nil {
				t.Errorf("error %v, want a *yaml.TypeError: %t", err, tt.wrong)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(entry.Text{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// FuzzDecode holds that no list of texts gets shorter by what it cannot read, and
// that nothing panics.
func FuzzDecode(f *testing.F) {
	f.Add("[a, [b], null, {c: d}, 5, !!binary x, ~]")
	f.Add("- &a [x]\n- *a\n- b\n")
	f.Fuzz(func(t *testing.T, list string) {
		var n yaml.Node
		text := "aliases:\n  " + strings.ReplaceAll(list, "\n", "\n  ") + "\n"
		if len(text) > 1000 || yaml.Unmarshal([]byte(text), &n) != nil || n.Kind == 0 || n.Content[0].Kind != yaml.MappingNode || len(n.Content[0].Content) != 2 {
			return
		}
		l := n.Content[0].Content[1]
		if l.Kind != yaml.SequenceNode || n.Content[0].Content[0].Value != "aliases" || strings.Contains(text, "*") || strings.Contains(text, "!") {
			return
		}
		var e entry.Entry
		_ = n.Decode(&e)
		if len(e.Aliases) != len(l.Content) {
			t.Errorf("%d items were read of %d:\n%s", len(e.Aliases), len(l.Content), text)
		}
	})
}
