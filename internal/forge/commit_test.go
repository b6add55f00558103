package forge

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

var day = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func second[T any](_ T, err error) error { return err }

func TestCommitShown(t *testing.T) {
	d := newDesk(t)
	base := d.head(t, "main")
	ada := Signature{"Ada", "ada@example.org"}
	sha, err := d.Commit(t.Context(), NewCommit{
		Branch: "bot/one", Parent: base, When: day, Message: "registry: say hello\n\nAsked for in a form.",
		Files:     map[string][]byte{"README.md": nil, "registry/dpgs/two.yaml": []byte("id: two\n"), "registry/dpgs/one.yaml": []byte("id: one\nname: One\n")},
		CoAuthors: []Signature{ada, {BotName, BotEmail}, ada, {"Grace", "grace@example.org"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.git(t, "fetch", "-q", "origin", "bot/one")
	got := d.git(t, "show", "--format=%an <%ae> %cn %cI%n%B", "--name-status", sha)
	want := `dpg-bot <dpg-bot@users.noreply.github.com> dpg-bot 2024-02-29T12:00:00+00:00
registry: say hello

Asked for in a form.

Co-authored-by: Ada <ada@example.org>
Co-authored-by: Grace <grace@example.org>


D	README.md
M	registry/dpgs/one.yaml
A	registry/dpgs/two.yaml`
	if got != want {
		t.Errorf("git show:\n%s\nwant:\n%s", got, want)
	}
	if got := d.git(t, "show", "-s", "--format=%(trailers:key=Co-authored-by,valueonly,separator=;)", sha); got != "Ada <ada@example.org>;Grace <grace@example.org>" {
		t.Errorf("trailers = %q", got)
	}
	d.fsck(t)
}

func TestMessage(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"one", "one\n\nCo-authored-by: A <a@b>\n"},
		{"Fix: one\n", "Fix: one\n\nCo-authored-by: A <a@b>\n"},
		{"one\n\nSigned-off-by: B <b@c>\n", "one\n\nSigned-off-by: B <b@c>\nCo-authored-by: A <a@b>\n"},
		{"one\n\nNote: x\nplain", "one\n\nNote: x\nplain\n\nCo-authored-by: A <a@b>\n"},
		{"", ""}, {" \n", ""}, {"a\x00b", ""}, {"\xff", ""},
	} {
		got, err := NewCommit{Message: tt.in, CoAuthors: []Signature{{"A", "a@b"}}}.FullMessage()
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("message of %q = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestCommitRefused(t *testing.T) {
	d := newDesk(t)
	base := d.head(t, "main")
	good := func() NewCommit {
		return NewCommit{Branch: "x", Parent: base, When: day, Message: "m", Files: map[string][]byte{"a": []byte("a")}}
	}
	for name, breakIt := range map[string]func(*NewCommit){
		"no date":          func(n *NewCommit) { n.When = time.Time{} },
		"date before 1970": func(n *NewCommit) { n.When = time.Unix(-5, 0) },
		"no message":       func(n *NewCommit) { n.Message = "" },
		"author's address": func(n *NewCommit) { n.Author = Signature{"A", "a@b>\ncommitter x <c@d"} },
		"author's name":    func(n *NewCommit) { n.Author = Signature{"A\nparent 0", "a@b"} },
		"co-author":        func(n *NewCommit) { n.CoAuthors = []Signature{{"A\nSigned-off-by: Boss", "a@b"}} },
		"parent":           func(n *NewCommit) { n.Parent = "main" },
		"expected head":    func(n *NewCommit) { n.ExpectedHead = "main" },
		"file below file":  func(n *NewCommit) { n.Files = map[string][]byte{"README.md/x": {}} },
		"file over folder": func(n *NewCommit) { n.Files = map[string][]byte{"registry": {}} },
		"folder deleted":   func(n *NewCommit) { n.Files = map[string][]byte{"registry": nil} },
		"both new":         func(n *NewCommit) { n.Files = map[string][]byte{"n": {}, "n/n": {}} },
	} {
		n := good()
		breakIt(&n)
		if _, err := d.Commit(t.Context(), n); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	for _, p := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "./a", `a\b`, "c:a", "a\x00", "a\nb", "\xff",
		".git", ".git/config", "a/.git/hooks/post-commit", ".GIT/config", ".Git", ".git.", ".git ", ".git. .", ".g\u200cit/config", "git~1/config", "GIT~2", ".gitmodules", "a/.GitModules",
		"a.", "a /b", strings.Repeat("a", 256), strings.Repeat("a/", 600) + "a",
	} {
		n := good()
		n.Files = map[string][]byte{p: []byte("a")}
		if _, err := d.Commit(t.Context(), n); err == nil {
			t.Errorf("path %q: not refused", p)
		}
	}
	if _, ok, _ := d.Head(t.Context(), "x"); ok {
		t.Error("a refused commit made its branch")
	}
	n := good()
	n.Files = map[string][]byte{".github/workflows/x.yml": {}, ".gitignore": {}, "é/日本 語": {}, "git": {}, "a..b": {}, "...a": {}}
	if _, err := d.Commit(t.Context(), n); err != nil {
		t.Errorf("good paths: %v", err)
	}
	d.fsck(t)
}

// A first commit has no parent.
func TestFirstCommit(t *testing.T) {
	l, err := InitLocal(filepath.Join(t.TempDir(), "forge"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if branch, err := l.DefaultBranch(t.Context()); branch != "main" || err != nil {
		t.Errorf("DefaultBranch = %q, %v", branch, err)
	}
	n := NewCommit{Branch: "main", When: day, Message: "start"}
	if _, err := l.Commit(t.Context(), n); !errors.Is(err, ErrNoChange) {
		t.Errorf("Commit of nothing = %v, want ErrNoChange", err)
	}
	n.Files = map[string][]byte{"a": nil, "b/c": []byte("c")}
	sha, err := l.Commit(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	// The last file goes, and the folder with it; a file may then take its name.
	n.Parent, n.ExpectedHead, n.Files = sha, sha, map[string][]byte{"b/c": nil}
	if sha, err = l.Commit(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	n.Parent, n.ExpectedHead, n.Files = sha, sha, map[string][]byte{"b": []byte("b")}
	if _, err = l.Commit(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// TestTrees makes random commits and compares each tree with the one git
// write-tree makes of the same files.
func TestTrees(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	type blob struct{ mode, text string }
	files := map[string]blob{
		"README.md": {"100644", "hello\n"}, "bin/run": {"100755", "#!/bin/sh\n"}, "bin/link": {"120000", "run"},
		"a/b/c/d": {"100644", "deep"}, "a.b": {"100644", "sorts before a/"}, "a-b/x": {"100644", "sorts between"}, "a0": {"100644", "after"},
	}
	for i := range 8 {
		files[fmt.Sprintf("bin/run%d", i)] = blob{"100755", "#!/bin/sh\n"}
		files[fmt.Sprintf("bin/link%d", i)] = blob{"120000", "run"}
	}
	// index gives git an index of all files and returns the tree it makes of it.
	index := func() string {
		var info strings.Builder
		for _, name := range slices.Sorted(maps.Keys(files)) {
			f := files[name]
			fmt.Fprintf(&info, "%s %s\t%s\n", f.mode, plumbing.ComputeHash(plumbing.BlobObject, []byte(f.text)), name)
		}
		d.git(t, "read-tree", "--empty")
		gitIn(t, d.clone, info.String(), "update-index", "--add", "--index-info")
		return d.git(t, "write-tree", "--missing-ok")
	}
	for _, f := range files {
		gitIn(t, d.clone, f.text, "hash-object", "-w", "--stdin")
	}
	head := d.git(t, "commit-tree", "-m", "base", index())
	d.git(t, "push", "-q", "origin", head+":refs/heads/random")

	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "a.b", "a-b", "a0", "c"}
	randomPath := func() string {
		var p []string
		for range 1 + random.IntN(4) {
			p = append(p, parts[random.IntN(len(parts))])
		}
		return path.Join(p...)
	}
	made := 0
	for round := range 80 {
		changes := map[string][]byte{}
		next := maps.Clone(files)
		existing := slices.Sorted(maps.Keys(files))
		for range 1 + random.IntN(6) {
			switch k := random.IntN(4); {
			case k == 0 && len(existing) > 0: // delete
				name := existing[random.IntN(len(existing))]
				changes[name] = nil
				delete(next, name)
			case k == 1 && len(existing) > 0: // edit; a link becomes a file
				name := existing[random.IntN(len(existing))]
				f := blob{strings.Replace(files[name].mode, "120000", "100644", 1), fmt.Sprintf("edited %d", random.IntN(50))}
				changes[name], next[name] = []byte(f.text), f
			default:
				name := randomPath()
				f := blob{"100644", fmt.Sprintf("new %d", random.IntN(50))}
				if old, ok := files[name]; ok && old.mode == "100755" {
					f.mode = old.mode
				}
				changes[name], next[name] = []byte(f.text), f
			}
		}
		sha, err := d.Commit(ctx, NewCommit{Branch: "random", Parent: head, ExpectedHead: head, Files: changes, When: day.Add(time.Duration(round) * time.Hour), Message: "m"})
		// A file cannot also be a folder; a commit that would make one is refused.
		clash := slices.ContainsFunc(slices.Collect(maps.Keys(next)), func(name string) bool {
			for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
				if _, ok := next[dir]; ok {
					return true
				}
			}
			return false
		})
		switch {
		case clash:
			if err == nil || errors.Is(err, ErrNoChange) {
				t.Fatalf("round %d: a file that is also a folder: %v", round, err)
			}
			continue
		case maps.Equal(files, next):
			if !errors.Is(err, ErrNoChange) {
				t.Fatalf("round %d: no change: %v", round, err)
			}
			continue
		case err != nil:
			t.Fatalf("round %d: %v\n%q", round, err, changes)
		}
		files, head = next, sha
		made++
		if got, want := gitIn(t, d.bare, "", "rev-parse", sha+"^{tree}"), index(); got != want {
			t.Fatalf("round %d: tree %s, git makes %s", round, got, want)
		}
		if round == 40 {
			gitIn(t, d.bare, "", "gc", "-q")
		}
	}
	if made < 30 {
		t.Errorf("only %d of the random commits were possible; the test has lost its point", made)
	}
	d.fsck(t)
}

// The work is in proportion to the change: a commit touches the folders on the
// way to its files and no others.
func TestCommitIsSmall(t *testing.T) {
	d := newDesk(t)
	files := map[string][]byte{}
	for i := range 200 {
		files[fmt.Sprintf("x/%d/y/%d", i%20, i)] = fmt.Appendf(nil, "%d", i)
	}
	sha, err := d.Commit(t.Context(), NewCommit{Branch: "b", Parent: d.head(t, "main"), When: day, Message: "m", Files: files})
	if err != nil {
		t.Fatal(err)
	}
	before := looseObjects(t, d.bare)
	if _, err := d.Commit(t.Context(), NewCommit{Branch: "b", Parent: sha, ExpectedHead: sha, When: day, Message: "m", Files: map[string][]byte{"x/3/y/new": []byte("new")}}); err != nil {
		t.Fatal(err)
	}
	if got := looseObjects(t, d.bare) - before; got != 6 { // a blob, the trees of y, 3, x and the top, a commit
		t.Errorf("%d objects were written, want 6", got)
	}
}

func looseObjects(t *testing.T, bare string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(bare, "objects", "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// Of commits made at once on one head only one wins; who lost starts again, and
// nothing is lost.
func TestCompareAndSet(t *testing.T) {
	d := newDesk(t)
	const writers, each = 4, 4
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				for {
					head, _, err := d.Head(t.Context(), "main")
					if err != nil {
						t.Error(err)
						return
					}
					_, err = d.Commit(t.Context(), NewCommit{
						Branch: "main", Parent: head, ExpectedHead: head, When: day, Message: "m",
						Files: map[string][]byte{fmt.Sprintf("w/%d-%d", w, i): {}},
					})
					var moved *MovedError
					if err == nil {
						break
					}
					if !errors.As(err, &moved) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if got := gitIn(t, d.bare, "", "rev-list", "--count", "main"); got != fmt.Sprint(1+writers*each) {
		t.Errorf("%s commits, want %d", got, 1+writers*each)
	}
	if got := strings.Count(gitIn(t, d.bare, "", "ls-tree", "--name-only", "main", "w/"), "w/"); got != writers*each {
		t.Errorf("%d files, want %d", got, writers*each)
	}
	d.fsck(t)
}

func TestReferences(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	base := d.head(t, "main")
	commit := func(branch, expected string) error {
		return second(d.Commit(ctx, NewCommit{Branch: branch, Parent: base, ExpectedHead: expected, When: day, Message: "m", Files: map[string][]byte{"f": []byte(branch)}}))
	}
	if err := commit("a/b", ""); err != nil {
		t.Fatal(err)
	}
	for _, packed := range []bool{false, true} {
		for _, branch := range []string{"a", "a/b/c"} {
			if err := commit(branch, ""); err == nil || !strings.Contains(err.Error(), "cannot both exist") {
				t.Errorf("packed %v: branch %q beside a/b: %v", packed, branch, err)
			}
		}
		gitIn(t, d.bare, "", "pack-refs", "--all")
	}
	// A branch deleted from packed-refs does not come back, and its folder is free.
	d.git(t, "push", "-q", "origin", "origin/main:refs/heads/keep")
	d.git(t, "tag", "-a", "-m", "m", "v1", "origin/main")
	d.git(t, "push", "-q", "origin", "v1")
	gitIn(t, d.bare, "", "pack-refs", "--all")
	old := d.head(t, "a/b")
	if err := commit("a/b", old); err != nil && !errors.Is(err, ErrNoChange) {
		t.Fatal(err)
	}
	if err := d.DeleteBranch(ctx, "a/b", d.head(t, "a/b")); err != nil {
		t.Fatal(err)
	}
	if got := gitIn(t, d.bare, "", "for-each-ref", "--format=%(refname) %(*objecttype)"); got != "refs/heads/keep \nrefs/heads/main \nrefs/tags/v1 commit" {
		t.Errorf("references: %q", got)
	}
	if err := commit("a", ""); err != nil {
		t.Errorf("branch a after a/b is gone: %v", err)
	}
	// Somebody else's lock holds: the branch does not move under it.
	lock := filepath.Join(d.bare, "refs", "heads", "a.lock")
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	at := d.head(t, "a")
	if err := second(d.Commit(ctx, NewCommit{Branch: "a", Parent: base, ExpectedHead: at, When: day, Message: "m", Files: map[string][]byte{"f": []byte("other")}})); err == nil || !strings.Contains(err.Error(), "a.lock") {
		t.Errorf("Commit under a lock = %v, want the lock named", err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Errorf("somebody else's lock is gone: %v", err)
	}
	if got := d.head(t, "a"); got != at {
		t.Errorf("branch a moved to %s under a lock", got)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.bare, "refs", "heads", "bad"), []byte("ref: refs/heads/a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Head(ctx, "bad"); err == nil || !strings.Contains(err.Error(), "refs/heads/bad") {
		t.Errorf("Head of a broken branch = %v, want it named", err)
	}
}

// Ancestors are right whatever the dates say, compared with git.
func TestAncestor(t *testing.T) {
	d := newDesk(t)
	random := rand.New(rand.NewPCG(3, 4))
	tree := d.git(t, "rev-parse", "origin/main^{tree}")
	var commits []string
	for i := range 24 {
		text := "tree " + tree + "\n"
		for _, back := range []int{1 + random.IntN(4), 1 + random.IntN(9)} {
			if back <= i && random.IntN(6) > 0 && !strings.Contains(text, commits[i-back]) {
				text += "parent " + commits[i-back] + "\n"
			}
		}
		who := fmt.Sprintf("Ada <ada@example.org> %d +0000\n", 1_700_000_000+random.IntN(1_000_000)) // in no order
		text += "author " + who + "committer " + who + fmt.Sprintf("\n%d\n", i)
		commits = append(commits, gitIn(t, d.clone, text, "hash-object", "-t", "commit", "-w", "--stdin"))
		d.git(t, "push", "-q", "origin", fmt.Sprintf("%s:refs/heads/c%d", commits[i], i))
	}
	repo, err := d.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	yes := 0
	for _, b := range commits {
		in := strings.Fields(d.git(t, "rev-list", b))
		for _, a := range commits {
			got, err := ancestor(t.Context(), repo.Storer, plumbing.NewHash(a), plumbing.NewHash(b))
			if want := slices.Contains(in, a); got != want || err != nil {
				t.Errorf("ancestor(%s, %s) = %v, %v, want %v", a, b, got, err, want)
			}
			if got {
				yes++
			}
		}
	}
	if yes < 50 {
		t.Errorf("only %d pairs are related; the test has lost its point", yes)
	}
}
