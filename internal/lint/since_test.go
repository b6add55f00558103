package lint_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// What Since finds is what checking everything finds at the head and not at the
// base, and the deletions, whatever a commit does: entries share names, aliases
// and repositories, refer to each other and move; files come, go, break and
// change folders; the policy changes.
func TestSinceIsTheDifference(t *testing.T) {
	const commits = 120
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(1, 2))
	w := writer{t: t, Work: testgit.Work{Dir: dir}, rnd: rnd}
	w.git("init", "-q", "-b", "main")
	var heads []string
	for i := range commits {
		for range 1 + rnd.IntN(4) {
			w.edit(i == 0)
		}
		w.git("add", "-A")
		w.git("commit", "-q", "--allow-empty", "-m", "c")
		heads = append(heads, w.git("rev-parse", "HEAD"))
	}
	repo, err := registry.FindRepo(filepath.Join(dir, "registry"))
	if err != nil {
		t.Fatal(err)
	}
	opt := lint.Options{AsOf: "2026-06-01", Derived: assess.Findings}
	full := map[string][]diag.Diagnostic{}
	docs := map[string]map[string]*registry.Doc{}
	at := func(sha string) *object.Commit {
		c, err := repo.Commit(sha)
		if err != nil {
			t.Fatal(err)
		}
		if docs[sha] == nil {
			files, err := repo.Files(c)
			if err != nil {
				t.Fatal(err)
			}
			reg, found, err := lint.Check(t.Context(), files, registry.Options{}, opt)
			if err != nil {
				t.Fatal(err)
			}
			full[sha], docs[sha] = found, map[string]*registry.Doc{}
			for _, d := range reg.Docs {
				if docs[sha][d.Ref.String()] == nil {
					docs[sha][d.Ref.String()] = d
				}
			}
		}
		return c
	}
	cache, total, deleted, seen, whole := t.TempDir(), 0, 0, 0, 0
	for i := range heads[1:] {
		from, to := heads[i], heads[i+1]
		if i%5 == 4 { // a long way, and back
			from = heads[rnd.IntN(len(heads))]
		}
		base, head := at(from), at(to)
		got, changes, err := lint.Since(t.Context(), lint.Span{Repo: repo, Base: base, Head: head, Cache: cache}, opt)
		if err != nil {
			t.Fatal(err)
		}
		want := diag.Minus(full[to], full[from])
		for ref, d := range docs[from] {
			if docs[to][ref] == nil {
				want = append(want, lint.Deleted(d))
				deleted++
			}
		}
		if changes.All {
			whole++
		}
		total += len(want)
		for _, d := range want {
			if strings.HasSuffix(d.Rule, "-observed") {
				seen++
			}
		}
		if diff := cmp.Diff(words(plainHints(diag.Sort(want))), words(plainHints(got))); diff != "" {
			t.Fatalf("step %d, %s..%s (-full +since):\n%s\n%s", i, from, to, diff, w.git("diff", from, to))
		}
	}
	t.Logf("%d steps with %d findings, %d of them deletions, %d of what was seen; %d changed the rules", commits-1, total, deleted, seen, whole)
	if total == 0 || seen == 0 || deleted == 0 || whole == 0 {
		t.Error("the edits are too tame to test anything")
	}
}

// plainHints leaves out those that depend on what is new, which one commit alone
// does not tell.
func plainHints(ds []diag.Diagnostic) []diag.Diagnostic {
	ds = slices.Clone(ds)
	for i := range ds {
		if ds[i].Rule == "duplicate" {
			ds[i].Hint = ""
		}
	}
	return ds
}

// Whoever adds an entry is asked whether it is there already, and whoever has two
// is told how to bring them together.
func TestSinceHintsOfDuplicates(t *testing.T) {
	dir := t.TempDir()
	w := writer{t: t, Work: testgit.Work{Dir: dir}}
	w.git("init", "-q", "-b", "main")
	add := func(id, name string) {
		w.write("dpgs/"+id+".yaml", "schema: dpg/v1\nid: "+id+"\nname: "+name+"\ntypes: [software]\nstatus: {stage: nominee}\n")
	}
	commit := func() {
		w.git("add", "-A")
		w.git("commit", "-q", "-m", "c")
	}
	add("m", "Aid")
	add("o", "Book")
	commit()
	hints := func() (hints []string) {
		repo, err := registry.FindRepo(filepath.Join(dir, "registry"))
		if err != nil {
			t.Fatal(err)
		}
		base, _ := repo.Commit("HEAD~1")
		head, _ := repo.Commit("HEAD")
		found, _, err := lint.Since(t.Context(), lint.Span{Repo: repo, Base: base, Head: head}, lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Rule == "duplicate" {
				hints = append(hints, d.Hint)
			}
		}
		return hints
	}
	const (
		edit = `is it the same? then edit "registry/dpgs/m.yaml" instead; if it is not, same_as can say what each is elsewhere`
		keep = `if it is the same, keep one and give the other stage "renamed" and "moved_to"`
		one  = `is it the same? then keep one of the two; if it is not, same_as can say what each is elsewhere`
	)
	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"a new entry behind the old one", func() { add("z", "Aid") }, []string{edit}},
		{"an old entry gets the name", func() { add("o", "aid!") }, []string{keep}},
		{"two new ones", func() { add("x", "Cup"); add("y", "Cup") }, []string{one}},
		{"a new entry, with the policy", func() {
			add("a", "Dish")
			add("b", "Dish")
			w.write("policy.yaml", "schema: policy/v1\n")
		}, []string{one}},
	} {
		step.change()
		commit()
		if diff := cmp.Diff(step.want, hints()); diff != "" {
			t.Errorf("%s: hints differ (-want +got):\n%s", step.name, diff)
		}
	}
	// In front of the old one by name.
	w.git("rm", "-q", "-r", "registry/dpgs")
	add("m", "Aid")
	commit()
	add("a", "Aid")
	commit()
	if diff := cmp.Diff([]string{edit}, hints()); diff != "" {
		t.Errorf("a new entry in front of the old one: hints differ (-want +got):\n%s", diff)
	}
}

func words(ds []diag.Diagnostic) string {
	var b bytes.Buffer
	diag.WriteText(&b, ds, false)
	return b.String()
}

// An index that is cut, changed or of another version is made anew.
func TestSinceWithDamagedCache(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	w := writer{t: t, Work: testgit.Work{Dir: dir}, rnd: rand.New(rand.NewPCG(3, 4))}
	w.git("init", "-q", "-b", "main")
	w.edit(true)
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "c")
	for range 5 {
		w.edit(false)
	}
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "c")
	repo, err := registry.FindRepo(filepath.Join(dir, "registry"))
	if err != nil {
		t.Fatal(err)
	}
	since := func() string {
		base, _ := repo.Commit("HEAD~1")
		head, _ := repo.Commit("HEAD")
		found, _, err := lint.Since(t.Context(), lint.Span{Repo: repo, Base: base, Head: head, Cache: cache}, lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return words(found)
	}
	want := since()
	file := filepath.Join(cache, "keys")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)/2], "other version": append([]byte("dpg key index 0\n"), good[16:]...),
		"a bit": append(append(slices.Clone(good[:len(good)/2]), good[len(good)/2]^1), good[len(good)/2+1:]...),
	} {
		if err := os.WriteFile(file, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := since(); got != want {
			t.Errorf("with %s in the cache: found\n%swant\n%s", name, got, want)
		}
		if again, _ := os.ReadFile(file); !bytes.Equal(again, good) {
			t.Errorf("with %s in the cache: the index is not made anew", name)
		}
	}
}

// writer makes random changes to a registry in a Git work tree.
type writer struct {
	testgit.Work
	t   *testing.T
	rnd *rand.Rand
	n   int
}

func (w *writer) git(args ...string) string {
	w.t.Helper()
	return w.Git(w.t, args...)
}

func (w *writer) pick(of ...string) string { return of[w.rnd.IntN(len(of))] }

func (w *writer) write(name, text string) {
	name = filepath.Join(w.Dir, "registry", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) id() string { return fmt.Sprintf("e%d", w.rnd.IntN(30)) }

// entry is a random entry: little to choose from makes entries meet.
func (w *writer) entry(id string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: resource/v1\nid: %s\nname: %s\nurl: https://example.org/%s\n", id, w.pick("Alpha", "Beta", "Gamma", "alpha ", id, id, id), id)
	if w.rnd.IntN(2) == 0 {
		fmt.Fprintf(&b, "aliases: [%s, %s]\n", w.pick("Alpha", "Delta", id+"x"), w.pick("Beta", "Epsilon", id+"y"))
	}
	if w.rnd.IntN(2) == 0 {
		fmt.Fprintf(&b, "about: [resource/%s, resource/%s, %s]\n", w.id(), w.id(), w.pick("sdgs/3", "sdgs/99"))
	}
	switch w.rnd.IntN(5) {
	case 0:
		fmt.Fprintf(&b, "status: {stage: renamed, moved_to: %s}\n", w.id())
	case 1:
		b.WriteString("status: {stage: archived, reason: Old.}\n")
	default:
		b.WriteString("status: {stage: listed}\n")
	}
	if w.rnd.IntN(2) == 0 {
		fmt.Fprintf(&b, "repositories: [{url: https://git.example.org/%s}]\n", id)
	}
	if w.rnd.IntN(8) == 0 {
		b.WriteString("waivers: [{rule: duplicate, reason: Known., by: {github: a}, until: 2026-12-31}]\n")
	}
	return b.String()
}

func (w *writer) edit(start bool) {
	if start {
		w.write("registry.yaml", "schema: registry/v1\nname: R\npublisher: {name: P}\nlanguages: [en]\nlicense: CC0-1.0\nattribution: A\n")
		for i := range 20 {
			id := fmt.Sprintf("e%d", i)
			w.write("resources/"+id+".yaml", w.entry(id))
		}
		return
	}
	w.n++
	id := w.id()
	name := "resources/" + w.pick("", "", "", "sub/") + id + ".yaml"
	switch full := filepath.Join(w.Dir, "registry", name); w.rnd.IntN(15) {
	case 0, 1:
		os.Remove(full)
	case 2:
		os.MkdirAll(filepath.Join(w.Dir, "registry/resources/sub"), 0o755)
		os.Rename(full, filepath.Join(w.Dir, "registry/resources/sub", id+".yaml"))
	case 3:
		w.write(name, w.pick("id: [", "name: a\nname: b\n", "", "schema: dpg/v1\nid: x\n"))
	case 4:
		w.write("assessments/resources/"+id+".yaml", w.pick("schema: assessment/v1\nentry: resource/other\nmappings: []\nmade: {engine: offline/1, frameworks: {}, key: \""+strings.Repeat("0", 64)+"\"}\n", "{", "schema: x\n"))
	case 12, 13:
		w.write("observations/"+name, "schema: observation/v1\nentry: resource/"+w.pick(id, id, id, "other")+"\nrepositories: [{url: https://git.example.org/"+id+
			", as_of: 2026-01-0"+w.pick("1", "2")+", state: "+w.pick("gone", "moved, moved_to: https://git.example.org/x", "present, files: [{path: LICENSE, expression: MIT}]", "odd")+"}]\n")
	case 14:
		os.Remove(filepath.Join(w.Dir, "registry/observations", name))
	case 5:
		if w.n%4 == 0 {
			w.write("policy.yaml", "schema: policy/v1\nseverities: {duplicate: "+w.pick("error", "off", "info")+"}\n")
		}
	default:
		w.write(name, w.entry(id))
	}
}
