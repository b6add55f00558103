package history_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// A work is a Git repository with a registry in the folder "registry".
type work struct {
	*testgit.Work // each commit a minute after the one before
	t             *testing.T
}

func newWork(t *testing.T) *work {
	t.Helper()
	return &work{testgit.Init(t, time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)), t}
}

func (w *work) git(args ...string) string {
	w.t.Helper()
	return w.Git(w.t, args...)
}

// commit writes files of the registry ("" deletes) and commits all there is.
func (w *work) commit(files map[string]string) {
	w.t.Helper()
	for name, text := range files {
		w.Write(w.t, "registry/"+name, text)
	}
	w.Commit(w.t, nil)
	w.Date = w.Date.Add(time.Minute)
}

// read gives the log of what is checked out.
func (w *work) read(kept *history.Log) (*history.Log, *registry.Repo, *registry.Registry) {
	w.t.Helper()
	dir := filepath.Join(w.Dir, "registry")
	repo, err := registry.FindRepo(dir)
	if err != nil || repo == nil {
		w.t.Fatalf("FindRepo: %v, %v", repo, err)
	}
	head, err := repo.Head()
	if err != nil {
		w.t.Fatal(err)
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(os.DirFS(dir)), registry.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	log, err := history.Read(w.t.Context(), repo, head, reg, kept)
	if err != nil {
		w.t.Fatal(err)
	}
	return log, repo, reg
}

// told puts a log in lines, commits by their place in the work's history.
func told(w *work, log *history.Log) string {
	w.t.Helper()
	place := map[string]int{}
	for i, hash := range strings.Fields(w.git("rev-list", "--first-parent", "--reverse", log.Head)) {
		place[hash] = i + 1
	}
	var b strings.Builder
	for i, c := range log.Changes {
		if c.Seq != i+1 {
			w.t.Errorf("change %d has seq %d", i+1, c.Seq)
		}
		fmt.Fprintf(&b, "%d %s %s", place[c.Commit], c.Action, c.Ref)
		if len(c.Fields) > 0 {
			fmt.Fprintf(&b, " %s", strings.Join(c.Fields, ","))
		}
		if c.Stage != "nominee" {
			fmt.Fprintf(&b, " stage=%q", c.Stage)
		}
		if len(c.Reason) > 0 {
			fmt.Fprintf(&b, " reason=%v", c.Reason)
		}
		if c.MovedTo != "" {
			fmt.Fprintf(&b, " to=%s", c.MovedTo)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func nominee(id, more string) string {
	return "schema: dpg/v1\nid: " + id + "\nname: " + id + "\ntypes: [software]\nstatus: {stage: nominee}\n" + more
}

func staged(id, status string) string {
	return "schema: dpg/v1\nid: " + id + "\nname: " + id + "\ntypes: [software]\nstatus: {" + status + "}\n"
}

const tombstone = "schema: dpg/v1\nid: a\nstatus: {stage: removed, as_of: 2026-01-01, reason: %s}\n"

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		commits []map[string]string
		want    string
	}{
		{"added, sorted by kind and id", []map[string]string{{
			"dpgs/b.yaml": nominee("b", ""), "dpgs/a/a.yaml": nominee("a", ""), "resources/a.yaml": "schema: resource/v1\nid: a\nstatus: {stage: listed}\n",
		}}, "1 added dpg/a\n1 added dpg/b\n1 added resource/a stage=\"listed\"\n"},
		{"what is no entry is nothing", []map[string]string{{
			"registry.yaml": "schema: registry/v1\n", "README.md": "x", "dpgs/README.md": "x", "dpgs/.a.yaml": nominee("a", ""), "others/a.yaml": nominee("a", ""),
			"observations/dpgs/a.yaml": "x: y\n", "assessments/dpgs/a.yaml": "x: y\n", "frameworks/f.yaml": "x: y\n",
		}}, ""},
		{"fields, one step into groups", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "website: https://a.example\nstandard: {privacy: {answer: yes}, ownership: {answer: yes}}\nlocations: {developed_in: [NO]}\n")},
			{"dpgs/a.yaml": nominee("a", "aliases: [x]\nstandard: {privacy: {answer: no}, ownership: {answer: yes}}\nlocations: {developed_in: [NO], deployed_in: [SE]}\n")},
		}, "1 added dpg/a\n2 changed dpg/a /aliases,/locations/deployed_in,/standard/privacy,/website\n"},
		{"how it is written does not matter", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "aliases: [x]\n")},
			{"dpgs/a.yaml": "# changed\n" + nominee("a", "aliases:\n  - \"x\"\n")},
			{},
		}, "1 added dpg/a\n"},
		{"a file that moves", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "")},
			{"dpgs/a.yaml": "", "dpgs/a-m/a.yaml": nominee("a", "")},
			{"dpgs/a-m/a.yaml": "", "dpgs/a.yaml": nominee("a", "aliases: [x]\n")},
		}, "1 added dpg/a\n3 changed dpg/a /aliases\n"},
		{"renamed", []map[string]string{
			{"dpgs/a.yaml": nominee("a", ""), "dpgs/b.yaml": nominee("b", "")},
			{"dpgs/a.yaml": staged("a", "stage: renamed, moved_to: b")},
			{"dpgs/a.yaml": staged("a", "stage: renamed, moved_to: b, as_of: 2026-01-01")},
		}, "1 added dpg/a\n1 added dpg/b\n2 renamed dpg/a stage=\"renamed\" to=b\n3 changed dpg/a /status/as_of stage=\"renamed\" to=b\n"},
		{"archived and back", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "")},
			{"dpgs/a.yaml": staged("a", "stage: archived, reason: {en: Nobody keeps it., fr: Personne.}")},
			{"dpgs/a.yaml": nominee("a", "")},
		}, "1 added dpg/a\n2 changed dpg/a /status/reason,/status/stage stage=\"archived\" reason=map[en:Nobody keeps it. fr:Personne.]\n" +
			"3 changed dpg/a /status/reason,/status/stage\n"},
		{"removed, another reason, and back", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "")},
			{"dpgs/a.yaml": fmt.Sprintf(tombstone, "asked for")},
			{"dpgs/a.yaml": "# again\n" + fmt.Sprintf(tombstone, "asked for")},
			{"dpgs/a.yaml": fmt.Sprintf(tombstone, "by law")},
			{"dpgs/a.yaml": nominee("a", "")},
		}, "1 added dpg/a\n2 removed dpg/a stage=\"removed\" reason=map[:asked for]\n4 removed dpg/a stage=\"removed\" reason=map[:by law]\n5 added dpg/a\n"},
		{"a deleted file, and its tombstone later", []map[string]string{
			{"dpgs/a.yaml": nominee("a", "")},
			{"dpgs/a.yaml": ""},
			{"dpgs/a.yaml": fmt.Sprintf(tombstone, "asked for")},
			{"dpgs/a.yaml": ""},
		}, "1 added dpg/a\n2 removed dpg/a stage=\"\"\n3 removed dpg/a stage=\"removed\" reason=map[:asked for]\n"},
		{"what cannot be read was not published", []map[string]string{
			{"dpgs/a.yaml": nominee("a", ""), "dpgs/b.yaml": "id: [\n"},
			{"dpgs/a.yaml": "id: a\nid: a\n", "dpgs/b.yaml": nominee("b", "")},
			{"dpgs/a.yaml": nominee("a", "sectors: [Health]\n")},
		}, "1 added dpg/a\n2 added dpg/b\n3 changed dpg/a /sectors\n"},
		{"assessments", []map[string]string{
			{"dpgs/a.yaml": nominee("a", ""), "assessments/dpgs/a.yaml": "x: 1\n"},
			{"assessments/dpgs/a.yaml": "x: 2\n"},
			{"assessments/dpgs/a.yaml": "x: 3\n", "dpgs/a.yaml": nominee("a", "types: [data]\n")},
			{"assessments/dpgs/a.yaml": "x: 4\n", "dpgs/a.yaml": nominee("a", "website: https://a.example\n")},
			{"assessments/dpgs/a.yaml": "", "dpgs/a.yaml": fmt.Sprintf(tombstone, "asked for")},
		}, "1 added dpg/a\n2 changed dpg/a /assessment\n3 changed dpg/a /assessment\n4 changed dpg/a /assessment,/website\n" +
			"5 removed dpg/a stage=\"removed\" reason=map[:asked for]\n"},
		{"observations", []map[string]string{
			{"observations/dpgs/a.yaml": "x: 0\n"},
			{"dpgs/a.yaml": nominee("a", "")},
			{"observations/dpgs/a.yaml": "x: 1\n", "assessments/dpgs/a.yaml": "x: 1\n"},
			{"observations/dpgs/a.yaml": "", "observations/dpgs/a-m/a.yaml": "x: 1\n"},
		}, "2 added dpg/a\n3 changed dpg/a /assessment,/observations\n4 changed dpg/a /observations\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWork(t)
			var kept *history.Log
			for _, files := range tt.commits {
				w.commit(files)
				if _, err := os.Stat(filepath.Join(w.Dir, "registry")); err != nil {
					t.Fatal(err)
				}
				kept, _, _ = w.read(kept)
			}
			if diff := cmp.Diff(tt.want, told(w, kept)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			// Commit by commit or all at once: the same.
			whole, _, _ := w.read(nil)
			if diff := cmp.Diff(whole, kept); diff != "" {
				t.Errorf("all at once and one after another (-whole +kept):\n%s", diff)
			}
		})
	}
}

// A merge is one commit; what the branch did before is not told apart.
func TestMergesCountOnce(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"dpgs/a.yaml": nominee("a", "")})
	w.git("checkout", "-q", "-b", "other")
	w.commit(map[string]string{"dpgs/b.yaml": nominee("b", "")})
	w.commit(map[string]string{"dpgs/b.yaml": nominee("b", "aliases: [x]\n")})
	w.git("checkout", "-q", "main")
	w.commit(map[string]string{"dpgs/a.yaml": nominee("a", "aliases: [x]\n")})
	w.git("merge", "-q", "--no-ff", "-m", "m", "other")
	log, _, _ := w.read(nil)
	if diff := cmp.Diff("1 added dpg/a\n2 changed dpg/a /aliases\n3 added dpg/b\n", told(w, log)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// A log of another history is not built on.
func TestRewrittenHistory(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"dpgs/a.yaml": nominee("a", "")})
	w.commit(map[string]string{"dpgs/b.yaml": nominee("b", "")})
	kept, _, _ := w.read(nil)
	w.git("reset", "-q", "--hard", "HEAD~1")
	w.commit(map[string]string{"dpgs/c.yaml": nominee("c", "")})
	log, _, _ := w.read(kept)
	if diff := cmp.Diff("1 added dpg/a\n2 added dpg/c\n", told(w, log)); diff != "" {
		t.Errorf("after another commit (-want +got):\n%s", diff)
	}
	w.git("checkout", "-q", "--orphan", "fresh")
	w.commit(nil)
	log, _, _ = w.read(log)
	if diff := cmp.Diff("1 added dpg/a\n1 added dpg/c\n", told(w, log)); diff != "" {
		t.Errorf("after a new beginning (-want +got):\n%s", diff)
	}
	w.git("checkout", "-q", "main")
	again, _, _ := w.read(log)
	if diff := cmp.Diff("1 added dpg/a\n2 added dpg/c\n", told(w, again)); diff != "" {
		t.Errorf("back again (-want +got):\n%s", diff)
	}
}

func TestShallow(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"dpgs/a.yaml": nominee("a", "")})
	w.commit(map[string]string{"dpgs/b.yaml": nominee("b", "")})
	kept, _, _ := w.read(nil)
	clone := t.TempDir()
	w.git("clone", "-q", "--depth", "1", "file://"+w.Dir, clone)
	repo, err := registry.FindRepo(filepath.Join(clone, "registry"))
	if err != nil {
		t.Fatal(err)
	}
	head, err := repo.Head()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := history.Read(t.Context(), repo, head, &registry.Registry{}, nil); !errors.Is(err, registry.ErrShallow) {
		t.Errorf("Read of a shallow clone = %v, want ErrShallow", err)
	}
	// What was kept of an earlier run reaches up to where the clone begins.
	if log, err := history.Read(t.Context(), repo, head, &registry.Registry{}, kept); err != nil || len(log.Changes) != 2 {
		t.Errorf("Read on what was kept = %v, %v, want both changes", log, err)
	}
}

func TestCache(t *testing.T) {
	w := newWork(t)
	w.commit(map[string]string{"dpgs/a.yaml": nominee("a", "")})
	w.commit(map[string]string{"dpgs/a.yaml": fmt.Sprintf(tombstone, "{en: asked for}")})
	log, repo, reg := w.read(nil)
	cache := history.Cache{Dir: filepath.Join(t.TempDir(), "not", "there")}
	if got := cache.Load(repo, reg); got != nil {
		t.Errorf("Load of nothing = %v, want nil", got)
	}
	if err := cache.Save(repo, reg, log); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(log, cache.Load(repo, reg)); diff != "" {
		t.Errorf("Load (-saved +loaded):\n%s", diff)
	}
	other := *reg
	other.Kinds = reg.Kinds[:1]
	if got := cache.Load(repo, &other); got != nil {
		t.Error("Load gives a log of other kinds")
	}
	name := filepath.Join(cache.Dir, "history")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "\n", string(whole[:len(whole)-1]), strings.Replace(string(whole), "asked", "ASKED", 1)} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cache.Load(repo, reg); got != nil {
			t.Errorf("Load of a damaged file = %v, want nil", got)
		}
	}
}
