package site

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// However a registry came to be what it is, a folder that was written to after
// each edit holds what a folder has that is written once, to the byte; and only
// files whose bytes changed were written.
func TestWritingAgainIsWritingOnce(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if *every {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			files := map[string]string{
				"registry.yaml": "schema: registry/v1\nname: R\nbase_url: https://example.org/\nlanguages: [en]\nkinds: [dpg, resource]\nframeworks: [mini]\nlicense: CC0-1.0\nattribution: R\n",
				"frameworks/mini.yaml": "schema: framework/v1\nid: mini\nname: Mini\nversion: \"1.0\"\nsource: {publisher: A body, url: https://example.org/mini, license: CC0-1.0}\n" +
					"lists: [{id: principles, name: Principles, mapped: true}]\ncodes: [{code: P1, list: principles, name: Keep data safe}]\n",
			}
			dir := filepath.Join(t.TempDir(), "out")
			for step := range 15 {
				what := edit(r, files, step)
				c := catalogOf(t, files, step)
				before := onDisk(t, dir)
				report, err := c.Write(dir)
				if err != nil {
					t.Fatalf("step %d, %s: %v", step, what, err)
				}
				after := onDisk(t, dir)
				var changed []string
				for name := range after {
					if old, was := before[name]; !was || !bytes.Equal(old, after[name]) {
						changed = append(changed, name)
					}
				}
				slices.Sort(changed)
				written := slices.Sorted(slices.Values(report.Written))
				if diff := cmp.Diff(changed, written); diff != "" {
					t.Errorf("step %d, %s: files written (-that changed +said to be):\n%s", step, what, diff)
				}
				fresh := filepath.Join(t.TempDir(), "fresh")
				if _, err := c.Write(fresh); err != nil {
					t.Fatal(err)
				}
				if want := onDisk(t, fresh); !maps.EqualFunc(want, after, bytes.Equal) {
					t.Fatalf("step %d, %s: the folder differs from one written once", step, what)
				}
			}
		})
	}
}

// edit makes one change of those that happen to registries and says which.
func edit(r *rand.Rand, files map[string]string, step int) string {
	var live []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "dpgs/") && strings.Contains(files[name], "stage: nominee") {
			live = append(live, name)
		}
	}
	add := func() string {
		id := fmt.Sprint("e", step)
		files["dpgs/"+id+".yaml"] = fmt.Sprintf("schema: dpg/v1\nid: %s\nname: Entry %d\ndescription: Keeps data safe.\ntypes: [software]\nlicenses: [{expression: %s}]\n"+
			"sdgs: [{goal: %d, text: Serves it.}]\nlocations: {deployed_in: [%s]}\nstatus: {stage: nominee}\n",
			id, step, []string{"MIT", "Apache-2.0"}[r.IntN(2)], 1+r.IntN(17), []string{"NO", "MW", "AF"}[r.IntN(3)])
		return id
	}
	if len(live) < 2 {
		return "add " + add()
	}
	name := live[r.IntN(len(live))]
	switch r.IntN(5) {
	case 0:
		return "add " + add()
	case 1:
		files[name] = strings.Replace(files[name], "Keeps data", "Always keeps data", 1)
		return "change " + name
	case 2:
		files[name] = strings.Replace(files[name], "stage: nominee", "stage: archived", 1)
		return "archive " + name
	case 3:
		to := add()
		files[name] = strings.Replace(files[name], "{stage: nominee}", "{stage: renamed, moved_to: "+to+"}", 1)
		return "rename " + name
	}
	files["frameworks/mini.yaml"] += fmt.Sprintf("# %d\n", step)
	files["frameworks/mini.yaml"] = strings.Replace(files["frameworks/mini.yaml"], "name: Keep data safe", "name: Keep all data safe", 1)
	return "change the framework"
}

func catalogOf(t *testing.T, files map[string]string, step int) *catalog.Catalog {
	t.Helper()
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(tree), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	head := registry.Stamp{Commit: fmt.Sprintf("%040x", step), At: time.Date(2026, 1, 1+step, 0, 0, 0, 0, time.UTC)}
	c, err := Build(context.Background(), catalog.Input{Registry: reg, Head: &head})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onDisk reads every file of a folder; nothing where there is none.
func onDisk(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(rel)], err = os.ReadFile(name)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}
