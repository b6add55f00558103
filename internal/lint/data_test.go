package lint_test

import (
	"maps"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// The predecessor's data, as imported, is the one large thing that people really
// wrote. Rules that guess are held to about what they find there now, each looked at
// by eye: one that finds much more has most likely begun to find what is right.
func TestImported(t *testing.T) {
	reg := loadFS(t, imported(t))
	found, err := lint.Run(t.Context(), reg, lint.Options{AsOf: "2023-02-01"})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, d := range found {
		counts[d.Rule]++
		switch d.Rule {
		case "duplicate", "link", "personal-contact":
			t.Logf("%s:%d:%d: %s", d.Path, d.Start.Line, d.Start.Col, d.Message)
		}
		if lint.Lookup(d.Rule) == nil {
			t.Errorf("the import has a finding that is not of a rule: %s: %s [%s]", d.Path, d.Message, d.Rule)
		}
	}
	for rule, most := range map[string]int{"duplicate": 20, "license-id": 0, "link": 6, "personal-contact": 2} {
		if counts[rule] > most {
			t.Errorf("rule %s finds %d, want at most %d", rule, counts[rule], most)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[rule], rule)
	}
}

// imported converts the predecessor's files to a tree of entries in memory.
func imported(t testing.TB) fstest.MapFS {
	t.Helper()
	src, err := dpga.Read(os.DirFS(realdata.Folder(t, "data/dpga/dpga")))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := src.Convert(dpga.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, c := range made {
		data, err := entry.Encode(c.Entry, "")
		if err != nil {
			t.Fatal(err)
		}
		files[c.Path] = &fstest.MapFile{Data: data}
	}
	return files
}

// BenchmarkRun judges the imported entries, loading left out.
func BenchmarkRun(b *testing.B) {
	reg, err := registry.Load(b.Context(), registry.FromFS(imported(b)), registry.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := lint.Run(b.Context(), reg, lint.Options{AsOf: "2023-02-01"}); err != nil {
			b.Fatal(err)
		}
	}
}

// The entries that come with the project are an example, and nothing is wrong with
// an example.
func TestOwnRegistry(t *testing.T) {
	found, err := lint.Run(t.Context(), loadFS(t, os.DirFS("../../registry")), lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		t.Errorf("%s:%d:%d: %s: %s [%s] hint: %s", d.Path, d.Start.Line, d.Start.Col, d.Severity, d.Message, d.Rule, d.Hint)
	}
}
