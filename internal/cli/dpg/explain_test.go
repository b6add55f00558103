package dpg

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Every finding can be explained: those of the schemas, and those of files that
// are no entry at all.
func TestFindingsOfReadingCanBeExplained(t *testing.T) {
	known := map[string]bool{}
	for _, r := range everyRule() {
		if known[r.ID] {
			t.Errorf("rule %s stands twice", r.ID)
		}
		known[r.ID] = true
		if r.Summary == "" || strings.TrimSpace(r.Doc) == "" {
			t.Errorf("rule %s has no summary or no reason", r.ID)
		}
	}
	for _, id := range schema.Rules() {
		if !known[id] {
			t.Errorf("rule %s of the schemas cannot be explained", id)
		}
	}
	for want, text := range map[string]string{
		"duplicate-key": "a: 1\na: 2\n",
		"file-encoding": "a: \xff\n",
		"file-size":     strings.Repeat("a: very long\n", source.MaxBytes/13+2),
		"yaml-alias":    "a: &a [*a]\n",
		"yaml-depth":    strings.Repeat("[", source.MaxDepth+2) + strings.Repeat("]", source.MaxDepth+2),
		"yaml-document": "a: 1\n---\nb: 2\n",
		"yaml-key":      "[a]: 1\n",
		"yaml-syntax":   "a: [\n",
	} {
		_, found := source.Parse("a.yaml", []byte(text))
		if len(found) == 0 || found[0].Rule != want {
			t.Errorf("%.20q gives %+v, want rule %s", text, found, want)
		}
		if !known[want] {
			t.Errorf("rule %s cannot be explained", want)
		}
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(fstest.MapFS{
		"nowhere/a.yaml": {}, "dpgs/a.txt": {}, "dpgs/b.yaml": {Mode: fs.ModeSymlink},
	}), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(reg.Findings) < 3 {
		t.Errorf("loading gives %+v", reg.Findings)
	}
	for _, d := range reg.Findings {
		if !known[d.Rule] {
			t.Errorf("rule %s cannot be explained", d.Rule)
		}
	}
}
