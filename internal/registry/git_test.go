package registry_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// work is a Git repository that real git made.
type work struct {
	*testgit.Work // each commit a day after the one before
	t             *testing.T
}

func newWork(t *testing.T) *work {
	t.Helper()
	return &work{testgit.Init(t, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)), t}
}

func (w *work) git(args ...string) string {
	w.t.Helper()
	return w.Git(w.t, args...)
}

// commit writes files ("" deletes) and commits all there is.
func (w *work) commit(files map[string]string) {
	w.t.Helper()
	w.Commit(w.t, files)
	w.Date = w.Date.Add(24 * time.Hour)
}

func (w *work) repo() *registry.Repo {
	w.t.Helper()
	r, err := registry.FindRepo(filepath.Join(w.Dir, "registry"))
	if err != nil || r == nil {
		w.t.Fatalf("FindRepo: %v, %v", r, err)
	}
	if r.Folder != "registry" {
		w.t.Fatalf("folder is %q", r.Folder)
	}
	return r
}

func (w *work) commitAt(r *registry.Repo, rev string) *object.Commit {
	w.t.Helper()
	c, err := r.Commit(rev)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func yamlEntry(id, name string) string {
	return "schema: dpg/v1\nid: " + id + "\nname: " + name + "\ntypes: [software]\nstatus: {stage: nominee}\n"
}

// The own tree walk gives what git diff gives.
func TestChangedIsWhatGitSays(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{
		"registry/dpgs/a.yaml": "a", "registry/dpgs/b.yaml": "b", "registry/dpgs/x/c.yaml": "c",
		"registry/dpgs/z": "file", "README.md": "r",
	})
	w.commit(map[string]string{
		"registry/dpgs/a.yaml": "a2", "registry/dpgs/b.yaml": "", "registry/dpgs/x/d.yaml": "d",
		"registry/dpgs/z": "", "README.md": "r2",
	})
	w.commit(map[string]string{"registry/dpgs/z/now-a-folder.yaml": "z", "registry/dpgs/x-y.yaml": "between x and x/ in git's order"})
	r := w.repo()
	for _, pair := range [][2]string{{"HEAD~2", "HEAD"}, {"HEAD", "HEAD~2"}, {"HEAD~1", "HEAD"}, {"HEAD", "HEAD"}} {
		changes, err := r.Changed(w.commitAt(r, pair[0]), w.commitAt(r, pair[1]))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range changes {
			status := "changed"
			if c.Deleted {
				status = "deleted"
			}
			got = append(got, status+" registry/"+c.Path)
		}
		var want []string
		for line := range strings.Lines(w.git("diff", "--no-renames", "--name-status", pair[0], pair[1], "--", "registry")) {
			letter, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
			status := "changed"
			if letter == "D" {
				status = "deleted"
			}
			want = append(want, status+" "+name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Changed(%s, %s) differs from git (-git +ours):\n%s", pair[0], pair[1], diff)
		}
	}
}

// A file's stamp is the commit on the first-parent line that brought it to the
// branch, not when it was written.
func TestLastChanges(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"registry/dpgs/a.yaml": "a", "registry/dpgs/b.yaml": "b"})
	first := w.git("rev-parse", "HEAD")
	w.git("switch", "-q", "-c", "side")
	w.commit(map[string]string{"registry/dpgs/b.yaml": "b2"})
	w.git("switch", "-q", "main")
	w.commit(map[string]string{"other": "x"})
	w.git("merge", "-q", "--no-ff", "-m", "m", "side")
	merge := w.git("rev-parse", "HEAD")
	w.Date = w.Date.Add(24 * time.Hour)
	w.commit(map[string]string{"other": "y"})

	r := w.repo()
	head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	stamps, err := r.LastChanges(head)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, s := range stamps {
		got[name] = s.Commit
	}
	if diff := cmp.Diff(map[string]string{"dpgs/a.yaml": first, "dpgs/b.yaml": merge}, got); diff != "" {
		t.Errorf("LastChanges (-want +got):\n%s", diff)
	}
}

// What is known of an earlier commit changes nothing but how much is read.
func TestLastChangesSince(t *testing.T) {
	w := newWork(t)
	known := map[string]map[string]registry.Stamp{} // by commit
	for i, files := range []map[string]string{
		{"registry/dpgs/a.yaml": "a", "registry/dpgs/b.yaml": "b", "registry/dpgs/c": "c"},
		{"registry/dpgs/a.yaml": "a2", "other": "x"},
		{"registry/dpgs/b.yaml": "", "registry/dpgs/c": ""},
		{"registry/dpgs/c/d.yaml": "d"}, // a folder where a file was
		{"registry/dpgs/b.yaml": "b", "registry/dpgs/c/d.yaml": "", "registry/dpgs/e.yaml": "e"},
		{"other": "y"},
	} {
		w.commit(files)
		r := w.repo()
		head, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		want, err := r.LastChanges(head)
		if err != nil {
			t.Fatal(err)
		}
		known[head.Hash.String()] = want
		for before, stamps := range known {
			got, err := r.LastChangesSince(head, before, stamps)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("commit %d, knowing %s (-LastChanges +LastChangesSince):\n%s", i, before, diff)
			}
		}
		// Of another line of history nothing is known.
		got, err := r.LastChangesSince(head, "gone", map[string]registry.Stamp{"dpgs/z.yaml": {}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("commit %d, knowing another history (-LastChanges +LastChangesSince):\n%s", i, diff)
		}
	}
}

// What Git notes of its index spares a walk and changes no answer.
func TestHolds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *work)
		want bool
	}{
		{"as committed", func(*work) {}, true},
		{"a file that nobody reads", func(w *work) { w.Write(w.t, "registry/dpgs/notes.txt", "x") }, true},
		{"another folder", func(w *work) { w.Write(w.t, "other/dpgs/a.yaml", "x") }, true},
		{"changed", func(w *work) { w.Write(w.t, "registry/dpgs/a.yaml", "x") }, false},
		{"changed and staged", func(w *work) { w.Write(w.t, "registry/dpgs/a.yaml", "x"); w.git("add", "-A") }, false},
		{"changed back but staged", func(w *work) {
			w.Write(w.t, "registry/dpgs/a.yaml", "x")
			w.git("add", "-A")
			w.Write(w.t, "registry/dpgs/a.yaml", "a")
		}, true},
		{"one byte more", func(w *work) { w.Write(w.t, "registry/dpgs/a.yaml", "a\n") }, false},
		{"added", func(w *work) { w.Write(w.t, "registry/dpgs/new.yaml", "x") }, false},
		{"another observation", func(w *work) { w.Write(w.t, "registry/observations/dpgs/a.yaml", "x") }, false},
		{"deleted", func(w *work) { w.Write(w.t, "registry/dpgs/a.yaml", "") }, false},
		{"one instead of another", func(w *work) {
			w.Write(w.t, "registry/dpgs/a.yaml", "")
			w.Write(w.t, "registry/dpgs/c.yaml", "a")
		}, false},
		{"a link in place of a file", func(w *work) {
			w.Write(w.t, "registry/dpgs/a.yaml", "")
			if err := os.Symlink("x/b.yaml", filepath.Join(w.Dir, "registry/dpgs/a.yaml")); err != nil {
				w.t.Fatal(err)
			}
		}, false},
		{"changed, and the same as it was elsewhere", func(w *work) {
			w.commit(map[string]string{"a/registry/dpgs/a.yaml": "a", "a/registry/dpgs/x/b.yaml": "b", "a/registry/registry.yaml": "name: x\n"})
			w.Write(w.t, "registry/dpgs/a.yaml", "x")
			w.git("add", "-A")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWork(t)
			w.commit(map[string]string{"registry/registry.yaml": "name: x\n", "registry/dpgs/a.yaml": "a", "registry/dpgs/x/b.yaml": "b", "registry-old/a.yaml": "x"})
			tt.do(w)
			r := w.repo()
			head, err := r.Head()
			if err != nil {
				t.Fatal(err)
			}
			files, blobs, err := registry.Hashed(t.Context(), registry.FromFS(os.DirFS(filepath.Join(w.Dir, "registry"))), r, 0)
			if err != nil {
				t.Fatal(err)
			}
			for name, files := range map[string]registry.Files{"with what Git noted": files, "without": registry.Subset(files, blobs)} {
				if got, err := r.Holds(head, files); err != nil || got != tt.want {
					t.Errorf("Holds %s = %t, %v, want %t", name, got, err, tt.want)
				}
			}
		})
	}
}

func TestShallowCloneSaysWhatToDo(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"registry/dpgs/a.yaml": "a"})
	w.commit(map[string]string{"registry/dpgs/b.yaml": "b"})
	w.commit(map[string]string{"other": "c"})
	shallow := &work{&testgit.Work{Dir: t.TempDir()}, t}
	shallow.git("clone", "-q", "--depth", "1", "file://"+w.Dir, ".")
	r := shallow.repo()
	head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.LastChanges(head); !errors.Is(err, registry.ErrShallow) || !strings.Contains(err.Error(), "fetch-depth: 0") {
		t.Errorf("LastChanges in a shallow clone: %v", err)
	}
}

// From a folder, from a commit and from a branch laid over its base: the same entries.
func TestLoadFromCommit(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"registry/dpgs/a.yaml": yamlEntry("a", "A"), "registry/dpgs/sub/b.yaml": yamlEntry("b", "B")})
	w.git("switch", "-q", "-c", "side")
	w.commit(map[string]string{"registry/dpgs/a.yaml": yamlEntry("a", "A2"), "registry/dpgs/sub/b.yaml": ""})
	w.git("switch", "-q", "main")
	w.commit(map[string]string{"registry/dpgs/c.yaml": yamlEntry("c", "C")})
	r := w.repo()
	base, side := w.commitAt(r, "main"), w.commitAt(r, "side")
	fork, err := registry.MergeBase(base, side)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := r.Changed(fork, side)
	if err != nil {
		t.Fatal(err)
	}
	files := func(c *object.Commit) registry.Files {
		f, err := r.Files(c)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, tt := range []struct {
		name  string
		files registry.Files
		want  []string
	}{
		{"folder", registry.FromFS(os.DirFS(filepath.Join(w.Dir, "registry"))), []string{"dpg/a A", "dpg/c C", "dpg/b B"}},
		{"commit", files(base), []string{"dpg/a A", "dpg/c C", "dpg/b B"}},
		{"branch", files(side), []string{"dpg/a A2"}},
		{"branch laid over base", registry.Overlay(files(base), files(side), changes), []string{"dpg/a A2", "dpg/c C"}},
	} {
		reg, err := registry.Load(t.Context(), tt.files, registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range reg.Docs {
			got = append(got, d.Ref.String()+" "+d.Entry.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if len(reg.Findings) > 0 {
			t.Errorf("%s: %v", tt.name, reg.Findings)
		}
	}
}
