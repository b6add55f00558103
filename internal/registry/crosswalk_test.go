package registry

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/framework"
	builtin "github.com/dpg-registry/dpg-registry/registry"
)

func loadCrosswalks(t *testing.T, files map[string]string) *Registry {
	t.Helper()
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	reg, err := Load(t.Context(), FromFS(tree), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range reg.Findings {
		t.Errorf("%s: %s", d.Path, d.Message)
	}
	return reg
}

// Every code that a built-in crosswalk names is there, every principle has a row,
// and each pair stands once.
func TestBuiltinCrosswalkIsWhole(t *testing.T) {
	names, err := fs.Glob(builtin.FS, crosswalkFolder+"/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no built-in crosswalk: %v", err)
	}
	set := loadCrosswalks(t, nil).Frameworks
	rows := map[string]bool{}
	for _, name := range names {
		w := new(framework.Crosswalk)
		if err := decodeBuiltin(name, w); err != nil {
			t.Fatal(err)
		}
		if w.Notice.Best("en", "en") == "" || crosswalkFolder+"/"+w.ID+".yaml" != name {
			t.Errorf("%s has id %q and notice %q", name, w.ID, w.Notice.Best("en", "en"))
		}
		seen := map[[2]string]bool{}
		for _, r := range w.Rows {
			if _, _, err := set.Find(r.Code); err != nil || rows[r.Code] {
				t.Errorf("%s: row %s: seen %v, %v", name, r.Code, rows[r.Code], err)
			}
			rows[r.Code] = true
			for _, to := range r.Related {
				if _, _, err := set.Find(to.Code); err != nil || seen[[2]string{r.Code, to.Code}] {
					t.Errorf("%s: %s to %s: seen %v, %v", name, r.Code, to.Code, seen[[2]string{r.Code, to.Code}], err)
				}
				seen[[2]string{r.Code, to.Code}] = true
			}
		}
	}
	for _, c := range set["dpi-safeguards"].Codes {
		if c.List == "principles" && !rows["dpi-safeguards/"+c.Code] {
			t.Errorf("principle %s has no row", c.Code)
		}
	}
}

func TestCrosswalks(t *testing.T) {
	settings := func(frameworks string) string {
		return "schema: registry/v1\nname: Test\npublisher: {name: Test}\nlanguages: [en]\nkinds: [dpg]\nframeworks: [" + frameworks +
			"]\nlicense: CC0-1.0\nattribution: Test\n"
	}
	own := func(id string) string {
		return "schema: crosswalk/v1\nid: " + id + "\nname: Own\nnotice: Ours.\nrows: " +
			"[{code: dpi-safeguards/O3, related: [{code: dpg-standard/9a, why: Privacy.}, {code: sdgs/3, why: Health.}]}]\n"
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  map[string]int // relations of dpi-safeguards/O3 by crosswalk
	}{
		{"built in", nil, map[string]int{"safeguards": 3}},
		{"not all frameworks in use", map[string]string{"registry.yaml": settings("dpi-safeguards, dpg-charter")}, map[string]int{"safeguards": 1}},
		{"none left", map[string]string{"registry.yaml": settings("dpi-safeguards")}, map[string]int{}},
		{"one of its own beside", map[string]string{"frameworks/crosswalk/own.yaml": own("own")}, map[string]int{"safeguards": 3, "own": 2}},
		{"one of its own instead", map[string]string{"frameworks/crosswalk/safeguards.yaml": own("safeguards")}, map[string]int{"safeguards": 2}},
	} {
		reg := loadCrosswalks(t, tt.files)
		got := map[string]int{}
		for _, r := range framework.Relations(reg.Crosswalks)["dpi-safeguards/O3"] {
			got[r.Crosswalk]++
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: relations %v, want %v", tt.name, got, tt.want)
		}
		for id, n := range tt.want {
			if got[id] != n {
				t.Errorf("%s: %d relations by %q, want %d", tt.name, got[id], id, n)
			}
		}
	}
}
