package entry

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestEncodeWhiteSpace writes every short text of the characters that matter to
// YAML's blocks in every place an entry has text, and reads it back.
func TestEncodeWhiteSpace(t *testing.T) {
	alphabet := []string{"a", " ", "\t", "\n", "#", "-", "|", ": "}
	var texts []string
	var grow func(s string, more int)
	grow = func(s string, more int) {
		texts = append(texts, s)
		if more > 0 {
			for _, c := range alphabet {
				grow(s+c, more-1)
			}
		}
	}
	grow("", 4)
	texts = append(texts, "\t\n k: |\n  \tx\n", "\tx\n  y: |-\n    \tz\nw", "a\n- |\n  \tb")
	for _, s := range texts {
		want := Entry{
			Aliases:     []string{s, "last"},
			Description: Plain(s),
			SDGs:        []SDG{{Text: Text{by: map[string]string{"en": s, "pt-BR": s}}, Evidence: []string{"first", s, s}}},
			Website:     s,
			Standard:    &Answers{Privacy: &Answer{Items: []string{s}, Source: s}},
		}
		data, err := Encode(want, "x")
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		var got Entry
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Fatalf("%q: %v\n%s", s, err, data)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Text{})); diff != "" {
			t.Fatalf("%q: (-want +got)\n%s\n%s", s, diff, data)
		}
	}
	t.Logf("%d texts", len(texts))
}
