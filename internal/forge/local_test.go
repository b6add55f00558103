package forge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// git runs the git program in dir, cut off from the machine's own settings.
func gitIn(t *testing.T, dir string, stdin string, args ...string) string {
	t.Helper()
	w := testgit.Work{Dir: dir, Date: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	return w.Feed(t, stdin, args...)
}

// a desk is a local forge and a person's clone of it.
type desk struct {
	*Local
	dir, bare, clone string
}

// newDesk makes a forge whose main has one commit, pushed by git.
func newDesk(t *testing.T) desk {
	t.Helper()
	testgit.Need(t)
	dir := filepath.Join(t.TempDir(), "forge")
	l, err := InitLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := desk{l, dir, filepath.Join(dir, "repo.git"), filepath.Join(t.TempDir(), "clone")}
	gitIn(t, dir, "", "clone", "-q", d.bare, d.clone)
	d.put(t, "README.md", "hello\n")
	d.put(t, "registry/dpgs/one.yaml", "id: one\n")
	d.git(t, "commit", "-qm", "start")
	d.git(t, "push", "-q", "origin", "HEAD")
	return d
}

func (d desk) git(t *testing.T, args ...string) string {
	t.Helper()
	return gitIn(t, d.clone, "", args...)
}

// put writes and stages a file in the clone.
func (d desk) put(t *testing.T, name, text string) {
	t.Helper()
	full := filepath.Join(d.clone, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	d.git(t, "add", name)
}

// topic pushes a branch with one commit on main.
func (d desk) topic(t *testing.T, branch string) (sha string) {
	t.Helper()
	d.git(t, "checkout", "-qb", branch, "origin/main")
	d.put(t, "registry/dpgs/"+strings.ReplaceAll(branch, "/", "-")+".yaml", "id: x\n")
	d.git(t, "commit", "-qm", "add "+branch)
	d.git(t, "push", "-q", "origin", branch)
	return d.git(t, "rev-parse", "HEAD")
}

func (d desk) head(t *testing.T, branch string) string {
	t.Helper()
	sha, _, err := d.Head(t.Context(), branch)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

func (d desk) fsck(t *testing.T) {
	t.Helper()
	if out := gitIn(t, d.bare, "", "fsck", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck --strict: %s", out)
	}
}

func (d desk) state(t *testing.T, number int) State {
	t.Helper()
	p, err := d.PullRequest(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return p.State
}

func (d desk) open(t *testing.T, head string) PullRequest {
	t.Helper()
	p, err := d.Local.Open(t.Context(), NewPullRequest{Title: "propose " + head, Head: head, Base: "main"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMergedByGit(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	head := d.topic(t, "fix")
	p := d.open(t, "fix")
	if p.Number != 1 || p.HeadSHA != head || p.State != Open {
		t.Fatalf("opened %d at %s, %q, want 1 at %s, open", p.Number, p.HeadSHA, p.State, head)
	}
	other := d.topic(t, "other")
	if q := d.open(t, "other"); q.Number != 2 || q.HeadSHA != other {
		t.Errorf("opened %d at %s, want 2 at %s", q.Number, q.HeadSHA, other)
	}
	d.git(t, "checkout", "-q", "main")
	d.git(t, "merge", "-q", "--no-ff", "-m", "merge fix", "fix")
	if s := d.state(t, 1); s != Open {
		t.Errorf("merged only in a clone: %q, want open", s)
	}
	d.git(t, "push", "-q", "origin", "main")
	d.git(t, "push", "-q", "origin", ":fix")
	if s := d.state(t, 1); s != Merged {
		t.Errorf("merged and deleted: %q, want merged", s)
	}
	// It stays so, whatever becomes of main.
	d.git(t, "push", "-qf", "origin", "main~1:main")
	if s := d.state(t, 1); s != Merged {
		t.Errorf("after main was put back: %q, want merged", s)
	}
	list, err := d.PullRequests(ctx, Filter{State: Open})
	if err != nil || len(list) != 1 || list[0].Number != 2 {
		t.Errorf("open: %v, %v, want number 2 only", list, err)
	}
	d.git(t, "push", "-q", "origin", ":other")
	if s := d.state(t, 2); s != Closed {
		t.Errorf("deleted without a merge: %q, want closed", s)
	}
	// What was proposed can still be fetched, after Git cleaned up too.
	gitIn(t, d.bare, "", "gc", "-q", "--prune=now")
	d.git(t, "fetch", "-q", "origin", "refs/pull/2/head")
	if got := d.git(t, "rev-parse", "FETCH_HEAD"); got != other {
		t.Errorf("refs/pull/2/head = %s, want %s", got, other)
	}
	if err := exec.Command("git", "-C", d.clone, "push", "-q", "origin", "+main:refs/pull/2/head").Run(); err == nil {
		t.Error("a push moved refs/pull/2/head")
	}
}

// A head that was merged, fast-forwarded and deleted before anybody looked.
func TestMergedUnseen(t *testing.T) {
	d := newDesk(t)
	d.topic(t, "fix")
	p := d.open(t, "fix")
	for i := range 150 { // more than a push keeps loose
		d.put(t, fmt.Sprintf("many/%d", i), fmt.Sprint(i))
	}
	d.git(t, "commit", "-qm", "many")
	d.git(t, "push", "-q", "origin", "fix", "fix:main")
	d.git(t, "push", "-q", "origin", ":fix")
	if s := d.state(t, p.Number); s != Merged {
		t.Errorf("state %q, want merged", s)
	}
}

func TestFork(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	d.git(t, "checkout", "-qb", "bot/entries")
	d.put(t, "registry/dpgs/two.yaml", "id: two\n")
	d.git(t, "commit", "-qm", "two")
	d.git(t, "push", "-q", "origin", "HEAD:refs/forks/alice/registry/bot/entries")
	alice := d.As(User{Login: "alice", ID: 7})
	n := NewPullRequest{Title: "two", Head: "bot/entries", HeadRepository: "alice/registry", Base: "main"}
	if _, err := alice.Open(ctx, n); err != nil {
		t.Fatal(err)
	}
	p, err := d.PullRequest(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.Own || p.Author != (User{Login: "alice", ID: 7}) || p.HeadRepository != "alice/registry" || p.HeadSHA != d.git(t, "rev-parse", "HEAD") {
		t.Errorf("PullRequest = %+v", p)
	}
	list, err := d.PullRequests(ctx, Filter{HeadPrefix: "bot/"})
	if err != nil || len(list) != 0 {
		t.Errorf("a fork's branch counts as one of ours: %v, %v", list, err)
	}
	if _, ok, _ := d.Head(ctx, "bot/entries"); ok {
		t.Error("a fork's branch is one of the forge's")
	}
	if c, err := alice.Comment(ctx, 1, "<!-- marker -->"); err != nil || !c.Own {
		t.Errorf("Comment = %+v, %v", c, err)
	}
	if cs, err := d.Comments(ctx, 1); err != nil || len(cs) != 1 || cs[0].Own {
		t.Errorf("Comments = %+v, %v, want one that is not the bot's", cs, err)
	}
	n.HeadRepository = "../heads"
	if _, err := alice.Open(ctx, n); err == nil {
		t.Error("a fork's name led out of refs/forks")
	}
}

// Each case breaks one thing in the files of pull request 1, and wants the error
// to name the file.
func TestBroken(t *testing.T) {
	const good = "number: 1\ntitle: t\nstate: open\nhead: fix\nhead_sha: 1111111111111111111111111111111111111111\nbase: main\nauthor: {login: x}\nlabels: []\n"
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, text := range map[string]string{
		"not YAML":         "{",
		"empty":            "",
		"unknown key":      good + "more: 1\n",
		"two documents":    good + "---\n" + good,
		"another number":   swap("number: 1", "number: 2"),
		"unknown state":    swap("open", "opened"),
		"branch elsewhere": swap("head: fix", "head: ../../../etc/passwd"),
		"fork elsewhere":   swap("base:", "head_repository: ../heads\nbase:"),
		"option as base":   swap("base: main", "base: --upload-pack=x"),
		"not a sha":        swap("1111111111111111111111111111111111111111", "main"),
		"blank title":      swap("title: t", "title: ' '"),
		"list as title":    swap("title: t", "title: [t]"),
		"aliases":          "number: &a [&b [x,x,x,x,x,x,x,x,x], *b]\ntitle: *a\n",
		"too long":         "title: " + strings.Repeat("x", maxYAML),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.topic(t, "fix")
			d.open(t, "fix")
			file := filepath.Join(d.dir, "pulls", "1", "pull.yaml")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := d.PullRequest(t.Context(), 1); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("PullRequest = %v, want an error that names %s", err, file)
			}
			if _, err := d.PullRequests(t.Context(), Filter{}); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("PullRequests = %v, want an error that names %s", err, file)
			}
		})
	}
}

func TestBrokenCheck(t *testing.T) {
	d := newDesk(t)
	sha := d.head(t, "main")
	if err := d.SetCheck(t.Context(), sha, Check{Name: "a/b", Conclusion: Neutral, Title: "t"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.dir, "checks", sha, "a_b.json")
	for _, text := range []string{"", "{", "[]", `{"name":"a/b","conclusion":"success","title":"t","extra":1}`, `{"name":"other","conclusion":"success","title":"t"}`, `{"name":"a/b","conclusion":"yes","title":"t"}`} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Check(t.Context(), sha, "a/b"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("Check of %q = %v, want an error that names %s", text, err, file)
		}
	}
}

// Nothing is read or written through a link that leads out of the forge.
func TestLinksOut(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a symbolic link needs a privilege on Windows")
	}
	d := newDesk(t)
	ctx := t.Context()
	d.topic(t, "fix")
	d.open(t, "fix")
	out := t.TempDir()
	if err := os.Symlink(out, filepath.Join(d.dir, "pulls", "1", "comments")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Comment(ctx, 1, "hello"); err == nil {
		t.Error("a comment was written through a link")
	}
	if err := os.Symlink(out, filepath.Join(d.dir, "checks", d.head(t, "main"))); err != nil {
		t.Fatal(err)
	}
	if err := d.SetCheck(ctx, d.head(t, "main"), Check{Name: "a", Conclusion: Success, Title: "t"}); err == nil {
		t.Error("a check was written through a link")
	}
	if err := os.Symlink(out, filepath.Join(d.bare, "refs", "heads", "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(ctx, NewCommit{Branch: "out/x", Parent: d.head(t, "main"), When: day, Message: "m", Files: map[string][]byte{"a": {}}}); err == nil {
		t.Error("a branch was written through a link")
	}
	if left, _ := os.ReadDir(out); len(left) != 0 {
		t.Errorf("%d files were written outside the forge", len(left))
	}
	body := filepath.Join(d.dir, "pulls", "1", "body.md")
	if err := errors.Join(os.Remove(body), os.Symlink("/etc/hostname", body)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PullRequest(ctx, 1); err == nil {
		t.Error("a body was read through a link")
	}
}

func TestOpening(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenLocal(dir); err == nil || !strings.Contains(err.Error(), `run "dpgbot forge init `+dir+`" first`) {
		t.Errorf("OpenLocal of an empty folder = %v, want what to run", err)
	}
	if _, err := OpenLocal(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "forge init") {
		t.Errorf("OpenLocal of no folder = %v, want what to run", err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := InitLocal(full); err == nil || !strings.Contains(err.Error(), `"thesis.txt"`) {
		t.Errorf("InitLocal of a folder in use = %v, want it refused", err)
	}
	d := newDesk(t)
	d.topic(t, "fix")
	d.open(t, "fix")
	for _, open := range []func(string) (*Local, error){InitLocal, OpenLocal} {
		l, err := open(d.dir)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := l.PullRequest(t.Context(), 1); err != nil || p.Title != "propose fix" {
			t.Errorf("opened again: %+v, %v", p, err)
		}
		l.Close()
	}
}

// Two openings of one folder stand for two processes.
func TestTwoProcesses(t *testing.T) {
	d := newDesk(t)
	other, err := OpenLocal(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const n = 5
	for i := range 2 * n {
		d.topic(t, fmt.Sprintf("t%d", i))
	}
	var wg sync.WaitGroup
	numbers := make([]int, 2*n)
	for i, l := range []*Local{d.Local, other} {
		wg.Go(func() {
			for j := range n {
				head := fmt.Sprintf("t%d", i*n+j)
				p, err := l.Open(t.Context(), NewPullRequest{Title: head, Head: head, Base: "main"})
				if err != nil {
					t.Error(err)
				}
				numbers[i*n+j] = p.Number
			}
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for i, number := range numbers {
		p, err := d.PullRequest(t.Context(), number)
		if err != nil || seen[number] || p.Title != fmt.Sprintf("t%d", i) {
			t.Errorf("number %d is %q, %v", number, p.Title, err)
		}
		seen[number] = true
	}
}

// A crash leaves folders and files half made; the next run goes on.
func TestAfterCrash(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	d.topic(t, "fix")
	pulls := filepath.Join(d.dir, "pulls")
	for _, name := range []string{"1", "notes", "007", "-3"} {
		if err := os.Mkdir(filepath.Join(pulls, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody has seen number 1, so it is given; 2 is somebody's file, 3 what a person
	// has laid there, and none of them is written over.
	thesis := filepath.Join(pulls, "3", "thesis.txt")
	if err := errors.Join(
		os.WriteFile(filepath.Join(pulls, "1", "body.md"), []byte("an earlier run's, and longer"), 0o644),
		os.WriteFile(filepath.Join(pulls, "1", ".dpg-aside-pull.yaml"), []byte("half"), 0o644),
		os.WriteFile(filepath.Join(pulls, "2"), []byte("a file"), 0o644),
		os.Mkdir(filepath.Dir(thesis), 0o755), os.WriteFile(thesis, []byte("a thesis"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	d.topic(t, "more")
	if first, second := d.open(t, "fix").Number, d.open(t, "more").Number; first != 1 || second != 4 {
		t.Errorf("numbers %d and %d, want 1 and 4", first, second)
	}
	list, err := d.PullRequests(ctx, Filter{})
	if err != nil || len(list) != 2 || list[0].Body != "" {
		t.Errorf("PullRequests = %+v, %v, want two without text", list, err)
	}
	for name, want := range map[string]string{filepath.Join(pulls, "2"): "a file", thesis: "a thesis"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(pulls, "1")); len(left) != 2 {
		t.Errorf("pull request 1 holds %v, want its record and its body", left)
	}
	if err := os.WriteFile(filepath.Join(pulls, "1", ".dpg-aside-body.md"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	body := "whole"
	if err := d.Update(ctx, 1, Change{Body: &body}); err != nil {
		t.Error(err)
	}
	if p, err := d.PullRequest(ctx, 1); err != nil || p.Body != body {
		t.Errorf("PullRequest = %+v, %v, want the new body", p, err)
	}
}

// The files are what their descriptions say, for people who read them with cat.
func TestLayout(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	head := d.topic(t, "fix")
	if _, err := d.As(User{Login: "ada"}).Open(ctx, NewPullRequest{Title: "fix: one\x1b[2J", Body: "because", Head: "fix", Base: "main", Labels: []string{"entry"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Comment(ctx, 1, "looks good"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"body.md": "because",
		"pull.yaml": "number: 1\ntitle: \"fix: one\\e[2J\"\nstate: open\nhead: fix\nhead_sha: " + head +
			"\nbase: main\nauthor:\n    login: ada\nlabels: [entry]\n",
		"comments/1/body.md":      "looks good",
		"comments/1/comment.yaml": "author:\n    login: dpg-bot\n",
	} {
		got, err := os.ReadFile(filepath.Join(d.dir, "pulls", "1", filepath.FromSlash(name)))
		if err != nil || string(got) != want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestLocalForksAndPeople(t *testing.T) {
	l := newDesk(t).Local
	ctx := t.Context()
	base, _, err := l.Head(ctx, "main")
	if err != nil {
		t.Fatal(err)
	}
	one, err := l.Commit(ctx, NewCommit{Repository: "alice", Branch: "fix", Parent: base, When: day, Message: "m", Files: map[string][]byte{"a": {}}})
	if err != nil {
		t.Fatal(err)
	}
	if sha, err := l.refs.read("refs/forks/alice/fix"); err != nil || sha != one {
		t.Errorf("the fork's branch is at %q, %v, want %q", sha, err, one)
	}
	if _, ok, err := l.Head(ctx, "fix"); ok || err != nil {
		t.Errorf("the fork's branch is one of this repository: %v, %v", ok, err)
	}

	const people = "Alice: {id: 7, permission: write}\nbob: {permission: read}\neve: {permission: owner}\n"
	if err := os.WriteFile(l.full(peopleFile), []byte(people), 0o644); err != nil {
		t.Fatal(err)
	}
	for login, want := range map[string]Permission{"alice": WritePermission, "bob": ReadPermission, "carol": NoPermission} {
		if got, err := l.Permission(ctx, login); err != nil || got != want {
			t.Errorf("Permission(%q) = %v, %v, want %v", login, got, err, want)
		}
	}
	if _, err := l.Permission(ctx, "eve"); err == nil {
		t.Error("an unknown permission was not refused")
	}
}
