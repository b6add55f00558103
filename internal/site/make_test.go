package site

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
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

var every = flag.Bool("every", false, "try many more edits of a registry, not only some")

// A builder keeps one folder up to date as dpg build does.
type builder struct {
	t          *testing.T
	out, cache string
	program    string
	check      func(*catalog.Catalog) error
}

// make builds a registry into the folder.
func (b *builder) make(files map[string]string, head *registry.Stamp, changes map[string]registry.Stamp) catalog.WriteReport {
	b.t.Helper()
	ctx := b.t.Context()
	listed, blobs, err := registry.Hashed(ctx, registry.FromFS(treeOf(files)), nil, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	stored, err := catalog.OpenStored(b.out, filepath.Join(b.cache, "stored"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer stored.Close()
	spool, err := catalog.NewSpool()
	if err != nil {
		b.t.Fatal(err)
	}
	defer spool.Close()
	report, err := Publish(ctx, Source{
		Blobs: blobs, Files: listed, Keep: filepath.Join(b.cache, "facts"), Program: b.program,
		Input: catalog.Input{Head: head, Changes: changes, Stored: stored, Spool: spool},
	}, b.check)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

// whole is what the folder should hold: made at once, in memory.
func whole(t *testing.T, files map[string]string, head *registry.Stamp, changes map[string]registry.Stamp) map[string][]byte {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(treeOf(files)), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Build(context.Background(), catalog.Input{Registry: reg, Head: head, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range c.Names() {
		if all[name], err = c.File(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func treeOf(files map[string]string) fs.FS {
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return tree
}

// differing names the files that two catalogs do not have alike.
func differing(want, got map[string][]byte) []string {
	names := map[string]bool{}
	for name, data := range want {
		if !bytes.Equal(got[name], data) || got[name] == nil {
			names[name] = true
		}
	}
	for name := range got {
		if want[name] == nil {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

var base = map[string]string{
	"registry.yaml": "schema: registry/v1\nname: R\nbase_url: https://example.org/\nlanguages: [en]\nkinds: [dpg, resource]\nframeworks: [mini, sdgs]\nlicense: CC0-1.0\nattribution: R\n",
	"frameworks/mini.yaml": "schema: framework/v1\nid: mini\nname: Mini\nversion: \"1.0\"\nsource: {publisher: A body, url: https://example.org/mini, license: CC0-1.0}\n" +
		"lists: [{id: principles, name: Principles, mapped: true}]\ncodes: [{code: P1, list: principles, name: Keep data safe}]\n",
	"dpgs/first.yaml":  "schema: dpg/v1\nid: first\nname: First\ntypes: [software]\nstatus: {stage: nominee, review_by: 2026-01-20}\n",
	"dpgs/second.yaml": "schema: dpg/v1\nid: second\nname: Second\ntypes: [software]\nsame_as: {dpga: older}\nstatus: {stage: dpg}\n",
}

// further is an edit of the sorts that reach beyond the entry.
func further(r *rand.Rand, files map[string]string, step int) string {
	entries := slices.DeleteFunc(slices.Sorted(maps.Keys(files)), func(name string) bool {
		return !strings.HasPrefix(name, "dpgs/") || !strings.Contains(files[name], "name: ")
	})
	name := entries[r.IntN(len(entries))]
	id := strings.TrimSuffix(filepath.Base(name), ".yaml")
	switch r.IntN(9) {
	case 0: // another claims the predecessor's id, or gives it up
		if i := strings.Index(files[name], "same_as"); i >= 0 {
			files[name] = files[name][:i] + files[name][strings.Index(files[name][i:], "\n")+i+1:]
			return name + " gives up its old id"
		}
		files[name] += "same_as: {dpga: older}\n"
		return name + " claims an old id"
	case 1:
		files[name] = fmt.Sprintf("schema: dpg/v1\nid: %s\nstatus: {stage: removed, as_of: 2026-01-02, reason: Asked for.}\n", id)
		return "remove " + name
	case 2: // it moves to an id that comes later, or never
		files[name] = fmt.Sprintf("schema: dpg/v1\nid: %s\nname: %s\ntypes: [software]\nstatus: {stage: renamed, moved_to: e%d}\n", id, id, step+r.IntN(3))
		return "rename " + name
	case 3:
		files["policy.yaml"] = fmt.Sprintf("schema: policy/v1\nseverities: {sdg-evidence: %s}\n", []string{"off", "info", "error"}[r.IntN(3)])
		return "change the policy"
	case 4:
		files["registry.yaml"] = strings.Replace(files["registry.yaml"], "name: R", "name: RR", 1)
		return "change the settings"
	case 5: // two of one name
		files[name] = strings.Replace(files[name], "name: ", "aliases: [Shared]\nname: ", 1)
		if strings.Count(files[name], "aliases:") > 1 {
			files[name] = strings.Replace(files[name], "aliases: [Shared]\n", "", 1)
		}
		return name + " is called as others are"
	case 6:
		to := strings.Replace(name, "dpgs/", "dpgs/deep/", 1)
		if strings.Count(name, "/") > 1 {
			return "nothing"
		}
		files[to] = files[name]
		delete(files, name)
		return "move " + name
	case 7:
		files[name] += "waivers: [{rule: sdg-evidence, reason: It is coming., by: {github: a, id: 1}, until: 2026-01-10}]\n"
		if strings.Count(files[name], "waivers:") > 1 {
			files[name] = files[name][:strings.LastIndex(files[name], "waivers:")]
		}
		return "waive for " + name
	}
	files["observations/"+name] = fmt.Sprintf("schema: observation/v1\nentry: dpg/%s\nrepositories: []\n", id)
	return "observe " + name
}

// break does to cache or folder what may happen to them.
func (b *builder) harm(r *rand.Rand) string {
	pick := func(dir string) string {
		var names []string
		_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				names = append(names, name)
			}
			return nil
		})
		if len(names) == 0 {
			return ""
		}
		return names[r.IntN(len(names))]
	}
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	switch r.IntN(9) {
	case 0:
		must(os.RemoveAll(b.cache))
		return "the cache is gone"
	case 1, 2:
		name := pick(b.cache)
		if name == "" {
			return "no harm"
		}
		data, err := os.ReadFile(name)
		must(err)
		if r.IntN(2) == 0 {
			data = data[:r.IntN(len(data)+1)]
		} else if len(data) > 0 {
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		}
		must(os.WriteFile(name, data, 0o644))
		return "damaged " + filepath.Base(name)
	case 3:
		b.program += "+"
		return "another version"
	case 4, 5: // same size, same time
		name := pick(b.out)
		if name == "" || filepath.Base(name) == "manifest.json" {
			return "no harm"
		}
		info, err := os.Stat(name)
		must(err)
		data, err := os.ReadFile(name)
		must(err)
		if len(data) == 0 {
			return "no harm"
		}
		data[r.IntN(len(data))] ^= 1
		must(os.WriteFile(name, data, 0o644))
		must(os.Chtimes(name, info.ModTime(), info.ModTime()))
		return "tampered with " + name
	case 6:
		if name := pick(b.out); name != "" && filepath.Base(name) != "manifest.json" {
			must(os.Remove(name))
			return "deleted " + name
		}
	case 7:
		must(os.RemoveAll(filepath.Join(b.out, "en")))
		return "deleted the pages"
	}
	return "no harm"
}

// However a registry came to be what it is, and whatever became of the cache and of
// the folder meanwhile, a folder that is kept up to date holds what is made at once, to
// the byte; and what is built again with nothing changed writes nothing.
func TestMakeIsBuild(t *testing.T) {
	t.Parallel()
	seeds, steps := uint64(2), 12
	if *every {
		seeds, steps = 12, 30
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			files, changes := maps.Clone(base), map[string]registry.Stamp{}
			b := &builder{t: t, out: filepath.Join(t.TempDir(), "out"), cache: filepath.Join(t.TempDir(), "cache"), program: "1"}
			day, reused := 1, 0
			var told []string
			for step := range steps {
				before := maps.Clone(files)
				what := "nothing"
				switch r.IntN(4) {
				case 0, 1:
					what = further(r, files, step)
				case 2:
					what = edit(r, files, step)
				}
				day += r.IntN(4)
				head := &registry.Stamp{Commit: fmt.Sprintf("%040x", step), At: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
				for name, data := range files {
					if before[name] != data || step == 0 {
						changes[name] = *head
					}
				}
				told = append(told, what, b.harm(r))
				report := b.make(files, head, changes)
				if report.Unchanged > len(report.Written) {
					reused++
				}
				if diff := differing(whole(t, files, head, changes), onDisk(t, b.out)); len(diff) > 0 {
					t.Fatalf("step %d (%s): these differ: %q", step, strings.Join(told, "; "), diff)
				}
				if again := b.make(files, head, changes); len(again.Written)+len(again.Removed) > 0 {
					t.Fatalf("step %d (%s): built again, it wrote %q", step, what, again.Written)
				}
			}
			if reused == 0 {
				t.Error("no step left most files as they were: the test looks at nothing")
			}
		})
	}
}

// What is kept of rows is read late. Where it was damaged, before a build or between its
// making the catalog and its writing it, the folder holds what it should all the same, and
// what is kept is whole again.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	whileBuilding := 0 // how often the kept files were damaged in a build
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, name string)
		late   bool // between making and writing
	}{
		{"changed", flipRows, false},
		{"one byte less", cutBy(1), false},
		{"cut", cutBy(1 << 20), false},
		{"something else", func(t *testing.T, name string) { write(t, name, []byte("dpg facts")) }, false},
		{"changed while it builds", flipRows, true},
		{"cut while it builds", cutBy(1 << 20), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, files, head, changes := built(t)
			kept, err := filepath.Glob(filepath.Join(b.cache, "facts", "run-*"))
			if err != nil {
				t.Fatal(err)
			}
			damaged := 0
			damage := func() {
				for _, name := range kept {
					if info, err := os.Stat(name); err != nil {
						t.Fatal(err)
					} else if info.Size() > 100 { // it holds an entry
						tt.damage(t, name)
						damaged++
					}
				}
			}
			checked := 0
			if tt.late {
				b.check = func(*catalog.Catalog) error {
					if checked++; checked == 1 {
						damage()
						whileBuilding++
					}
					return nil
				}
			} else {
				damage()
			}
			if damaged == 0 && !tt.late {
				t.Fatal("no kept file holds an entry: the test looks at nothing")
			}
			for _, name := range []string{"full.json", "full.ndjson", "dpgs.json", "csv/entries.csv"} {
				if err := os.Remove(filepath.Join(b.out, "api/v1", name)); err != nil {
					t.Fatal(err)
				}
			}
			b.make(files, head, changes)
			if diff := differing(whole(t, files, head, changes), onDisk(t, b.out)); len(diff) > 0 {
				t.Errorf("these differ: %q", diff)
			}
			if tt.late && checked != 2 {
				t.Errorf("the catalog was made %d times, want 2: what was kept must not be believed", checked)
			}
			// What is kept is whole: it is made once, though rows are read.
			if err := os.Remove(filepath.Join(b.out, "api/v1/full.json")); err != nil {
				t.Fatal(err)
			}
			checked = 0
			b.check = func(*catalog.Catalog) error { checked++; return nil }
			b.make(files, head, changes)
			if diff := differing(whole(t, files, head, changes), onDisk(t, b.out)); len(diff) > 0 || checked != 1 {
				t.Errorf("made %d times, want 1; these differ: %q", checked, diff)
			}
		})
	}
	if whileBuilding != 2 {
		t.Errorf("kept files were damaged in %d builds, want 2", whileBuilding)
	}
}

// flipRows changes a bit in every byte of the rows that a kept file holds.
func flipRows(t *testing.T, name string) {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// Magic, a hash, the size of the facts, these, a checksum, the rows.
	const head = len("dpg facts n\n") + 32
	rows := data[head+8+int(binary.LittleEndian.Uint64(data[head:]))+4:]
	for i := range rows {
		rows[i] ^= 1
	}
	write(t, name, data)
}

// cutBy leaves out the last bytes of a file, or all but a few.
func cutBy(n int64) func(*testing.T, string) {
	return func(t *testing.T, name string) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, max(info.Size()-n, 64)); err != nil {
			t.Fatal(err)
		}
	}
}

// write puts bytes where a file stands, in the same inode.
func write(t *testing.T, name string, data []byte) {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// built is a catalog of the base that was made once, and what it was made of.
func built(t *testing.T) (b *builder, files map[string]string, head *registry.Stamp, changes map[string]registry.Stamp) {
	files, changes = maps.Clone(base), map[string]registry.Stamp{}
	head = &registry.Stamp{Commit: strings.Repeat("a", 40), At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name := range files {
		changes[name] = *head
	}
	b = &builder{t: t, out: filepath.Join(t.TempDir(), "out"), cache: filepath.Join(t.TempDir(), "cache")}
	b.make(files, head, changes)
	return b, files, head, changes
}

// One changed entry reads one entry, and writes what holds something of it.
func TestOneChange(t *testing.T) {
	b, files, _, changes := built(t)
	head := &registry.Stamp{Commit: strings.Repeat("b", 40), At: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	files["dpgs/second.yaml"] += "website: https://example.org/second\n"
	changes["dpgs/second.yaml"] = *head
	report := b.make(files, head, changes)
	want := []string{
		"api/v1/csv/entries.csv", "api/v1/dpgs.json", "api/v1/dpgs/pages/000001.json", "api/v1/dpgs/pages/index.json", "api/v1/dpgs/second.json",
		"api/v1/full.json", "api/v1/full.ndjson", "api/v1/full/0.json", "api/v1/full/index.json", "api/v1/index.json", "api/v1/status.json",
		"dpg/older/index.json", "dpgs/index.json", "en/dpgs/second.html", "en/index.html", "index.html", "sitemap.xml", "api/v1/manifest/pages/000001.json", "api/v1/manifest/pages/index.json", "api/v1/manifest.json",
	}
	if diff := cmp.Diff(want, report.Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// A folder that is kept up to date has the pages of long lists too: those that come
// and go, the one that an entry stands in, and no other is written.
func TestPagesFurther(t *testing.T) {
	t.Parallel()
	files, changes := maps.Clone(base), map[string]registry.Stamp{}
	long, many := strings.Repeat("long words ", 260), 400
	for i := range many {
		files[fmt.Sprintf("dpgs/e%03d.yaml", i)] = fmt.Sprintf("schema: dpg/v1\nid: e%03[1]d\nname: Entry %03[1]d %[2]s\ntypes: [software]\n"+
			"repositories: [{url: \"https://git.example.org/%[1]d/%[3]s\"}]\nsdgs: [{goal: 3, text: %[2]s}]\nstatus: {stage: nominee}\n", i, long, strings.Repeat("x", 3000))
	}
	head := &registry.Stamp{Commit: strings.Repeat("a", 40), At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	b := &builder{t: t, out: filepath.Join(t.TempDir(), "out"), cache: filepath.Join(t.TempDir(), "cache"), program: "1"}
	isPage := func(name string) bool {
		return strings.Contains(name, "/pages/") && filepath.Base(name) != "index.json" && !strings.HasPrefix(name, "api/v1/manifest/")
	}
	for _, step := range []struct {
		name  string
		edit  func()
		pages map[string]int // how many are written at most, and removed at least
	}{
		{"from nothing", func() {}, map[string]int{"written": 1000}},
		{"again", func() {}, map[string]int{}},
		{"one address more", func() {
			files["dpgs/e200.yaml"] = strings.Replace(files["dpgs/e200.yaml"], "repositories: [", "repositories: [{url: \"https://git.example.org/more\"}, ", 1)
		}, map[string]int{"written": 1}},
		{"one entry more", func() {
			files["dpgs/e200b.yaml"] = "schema: dpg/v1\nid: e200b\nname: New\ntypes: [software]\nstatus: {stage: nominee}\n"
		}, map[string]int{"written": 3}},
		{"fewer", func() {
			for i := range many * 3 / 4 {
				files[fmt.Sprintf("dpgs/e%03d.yaml", i)] = fmt.Sprintf("schema: dpg/v1\nid: e%03d\nstatus: {stage: removed, as_of: 2026-01-02, reason: Asked for.}\n", i)
			}
		}, map[string]int{"written": 10, "removed": 4}},
	} {
		step.edit()
		report := b.make(files, head, changes)
		if diff := differing(whole(t, files, head, changes), onDisk(t, b.out)); len(diff) > 0 {
			t.Fatalf("%s: these differ: %q", step.name, diff)
		}
		written := slices.DeleteFunc(slices.Clone(report.Written), func(name string) bool { return !isPage(name) })
		removed := slices.DeleteFunc(slices.Clone(report.Removed), func(name string) bool { return !isPage(name) })
		if len(written) > step.pages["written"] || len(removed) < step.pages["removed"] {
			t.Errorf("%s: pages written %q, removed %q, want at most %v", step.name, written, removed, step.pages)
		}
	}
}
