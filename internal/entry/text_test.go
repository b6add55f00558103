package entry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

func TestTextWith(t *testing.T) {
	both := entry.Plain("a").With("fr", "en", "b")
	tests := []struct {
		name  string
		got   entry.Text
		plain bool
		want  map[string]string
	}{
		{"first", entry.Text{}.With("en", "en", "a"), true, map[string]string{"en": "a"}},
		{"first, of another language", entry.Text{}.With("fr", "en", "b"), false, map[string]string{"fr": "b"}},
		{"plain replaced", entry.Plain("a").With("en", "en", "c"), true, map[string]string{"en": "c"}},
		{"second", both, false, map[string]string{"en": "a", "fr": "b"}},
		{"one of two replaced", both.With("en", "en", "c"), false, map[string]string{"en": "c", "fr": "b"}},
		{"the one it came from stays", both, false, map[string]string{"en": "a", "fr": "b"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got.ByLanguage("en")); diff != "" || tt.got.IsPlain() != tt.plain {
			t.Errorf("%s: plain is %v; (-want +got)\n%s", tt.name, tt.got.IsPlain(), diff)
		}
	}
}
