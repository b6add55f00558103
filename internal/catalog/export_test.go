package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An export has what the catalog has, but for what it counts of frameworks.
func TestExport(t *testing.T) {
	in := small(t, func(files map[string]string) {
		files["dpgs/gone.yaml"] = "schema: dpg/v1\nid: gone\nname: Gone\nstatus: {stage: removed, reason: asked for}\n"
	})
	c := build(t, in)
	x, err := ExportOf(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	for range 2 {
		var got, want []Entry
		for e, err := range x.Entries() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, *e)
		}
		for _, k := range c.Index.Kinds {
			want = append(want, c.Full.Entries[k.Name]...)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 3 {
			t.Errorf("%d entries (-catalog +export):\n%s", len(got), diff)
		}
	}
	live := 0
	for e, err := range x.Live() {
		if err != nil || !e.live() {
			t.Errorf("%v is among the live entries: %v", e, err)
		}
		live++
	}
	total := 0
	for _, k := range c.Index.Kinds {
		total += k.EntryCount
	}
	if live == 0 || live != total {
		t.Errorf("%d live entries, want %d", live, total)
	}
	var names IdentifiersResponse
	if err := json.Unmarshal(file(t, c, "api/v1/identifiers.json"), &names); err != nil {
		t.Fatal(err)
	}
	ids, err := x.Identifiers()
	if diff := cmp.Diff(names.Items, ids); err != nil || diff != "" || len(ids) == 0 {
		t.Errorf("identifiers (-catalog +export), %v:\n%s", err, diff)
	}
	index := c.Index
	index.Links, index.Frameworks = nil, nil
	if diff := cmp.Diff(index, x.Index); diff != "" {
		t.Errorf("index (-catalog +export):\n%s", diff)
	}
	for i, f := range c.Frameworks {
		for n := range f.Codes {
			f.Codes[n].EntryCount = 0
		}
		if diff := cmp.Diff(f, x.Frameworks[i]); diff != "" {
			t.Errorf("framework %s (-catalog +export):\n%s", f.ID, diff)
		}
	}
}

// What cannot be built cannot be exported, with the same words.
func TestExportRefuses(t *testing.T) {
	for name, file := range map[string]string{"dpgs/broken.yaml": "schema: dpg/v1\nid: broken\nname: [a\n", "dpgs/sub/alpha.yaml": "schema: dpg/v1\nid: alpha\nname: Alpha\nstatus: {stage: nominee}\n"} {
		in := small(t, func(files map[string]string) { files[name] = file })
		_, want := Build(in)
		x, got := ExportOf(in)
		if got == nil {
			x.Close()
		}
		if want == nil || got == nil || got.Error() != want.Error() || !strings.Contains(got.Error(), name) {
			t.Errorf("%s: export says %v, and build %v", name, got, want)
		}
	}
}
