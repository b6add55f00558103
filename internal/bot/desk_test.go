package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// A desk is a local forge with a bot at it, and the people who use Git on it.
type desk struct {
	t      *testing.T
	dir    string
	main   string       // name of the default branch
	local  *forge.Local // the bot's view
	ada    *forge.Local // a contributor's view
	writes *writes
	bot    *Bot
	log    []string
	clock  int // of commits, in days
}

const asOf = "2026-06-30"

// newDesk makes a forge whose main holds a small registry and the given files.
func newDesk(t *testing.T, files map[string]string) *desk {
	t.Helper()
	all := maps.Clone(smallRegistry)
	maps.Copy(all, files)
	d := emptyDesk(t)
	d.push("main", "", all)
	return d
}

func emptyDesk(t *testing.T) *desk {
	t.Helper()
	testgit.Need(t)
	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "forge"), main: "main"}
	local, err := forge.InitLocal(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	d.sit(local)
	return d
}

// copied is a desk at a copy of the forge as it stands, which it leaves alone.
func (d *desk) copied() *desk {
	d.t.Helper()
	c := &desk{t: d.t, dir: filepath.Join(d.t.TempDir(), "forge"), main: d.main, clock: d.clock}
	if err := os.CopyFS(c.dir, os.DirFS(d.dir)); err != nil {
		d.t.Fatal(err)
	}
	local, err := forge.OpenLocal(c.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	c.sit(local)
	return c
}

// sit puts the bot and the people at a forge.
func (d *desk) sit(local *forge.Local) {
	d.t.Cleanup(func() { local.Close() })
	d.local, d.ada = local, local.As(forge.User{Login: "ada", ID: 1})
	d.writes = &writes{Forge: local}
	d.bot = &Bot{Forge: d.writes, AsOf: asOf, Log: func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		if strings.ContainsAny(line, "\n\r\x1b") {
			d.t.Errorf("log line %q is not one line", line)
		}
		d.log = append(d.log, line)
	}}
}

// git runs the git program in the forge's repository, cut off from the machine's
// own settings. Whoever commits is Ada.
func (d *desk) git(stdin string, args ...string) string {
	d.t.Helper()
	w := testgit.Work{Dir: filepath.Join(d.dir, "repo.git"), Date: time.Unix(1767225600+86400*int64(d.clock), 0)}
	return w.Feed(d.t, stdin, args...)
}

const gone = "\x00" // in place of a file's text: it is deleted

// push commits files to a branch as Ada, and makes the branch where it is not
// there: at the commit from, or without a parent. Paths may be any bytes.
func (d *desk) push(branch, from string, files map[string]string) (sha string) {
	d.t.Helper()
	d.clock++
	var b strings.Builder
	ref := "refs/heads/" + branch
	fmt.Fprintf(&b, "commit %s\ncommitter Ada <ada@example.org> %d +0000\ndata 1\nc\n", ref, 1767225600+86400*d.clock)
	if at, ok, err := d.local.Head(d.t.Context(), branch); err != nil {
		d.t.Fatal(err)
	} else if ok {
		from = at
	}
	if from != "" {
		fmt.Fprintf(&b, "from %s\n", d.git("", "rev-parse", from))
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch text := files[name]; text {
		case gone:
			fmt.Fprintf(&b, "D %s\n", testgit.Quote(name))
		default:
			mode := "100644"
			if target, ok := strings.CutPrefix(text, "-> "); ok {
				mode, text = "120000", target
			}
			fmt.Fprintf(&b, "M %s inline %s\ndata %d\n%s\n", mode, testgit.Quote(name), len(text), text)
		}
	}
	d.git(b.String(), "fast-import", "--quiet", "--force")
	return d.git("", "rev-parse", ref)
}

// open pushes a branch that starts at main and opens a pull request for it.
func (d *desk) open(branch string, files map[string]string) int {
	d.t.Helper()
	d.push(branch, "refs/heads/"+d.main, files)
	return d.openPull(branch, "Propose it")
}

func (d *desk) openPull(branch, title string) int {
	d.t.Helper()
	pr, err := d.ada.Open(d.t.Context(), forge.NewPullRequest{Title: title, Head: branch, Base: d.main})
	if err != nil {
		d.t.Fatal(err)
	}
	return pr.Number
}

// merge merges a branch into main with a merge commit, as Ada.
func (d *desk) merge(branch string) {
	d.t.Helper()
	d.clock++
	tree := d.git("", "merge-tree", "--write-tree", "refs/heads/"+d.main, "refs/heads/"+branch)
	sha := d.git("", "commit-tree", tree, "-p", "refs/heads/"+d.main, "-p", "refs/heads/"+branch, "-m", "merge")
	d.git("", "update-ref", "refs/heads/"+d.main, sha)
}

// review runs a review that must not fail.
func (d *desk) review(number int) *Verdict {
	d.t.Helper()
	v, err := d.bot.Review(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func (d *desk) sync() *Synced {
	d.t.Helper()
	s, err := d.bot.Sync(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// still fails the test if what is done next writes anything to the forge.
func (d *desk) still(what string, do func()) {
	d.t.Helper()
	before := len(d.writes.done)
	do()
	if more := d.writes.done[before:]; len(more) > 0 {
		d.t.Errorf("%s: wrote %q, want nothing", what, more)
	}
}

func (d *desk) pull(number int) forge.PullRequest {
	d.t.Helper()
	pr, err := d.local.PullRequest(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	return pr
}

func (d *desk) pulls(state forge.State) []forge.PullRequest {
	d.t.Helper()
	all, err := d.local.PullRequests(d.t.Context(), forge.Filter{State: state})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// onlyPull is the one open pull request.
func (d *desk) onlyPull() forge.PullRequest {
	d.t.Helper()
	all := d.pulls(forge.Open)
	if len(all) != 1 {
		d.t.Fatalf("there are %d open pull requests, want 1", len(all))
	}
	return all[0]
}

func (d *desk) check(sha string) (forge.Check, bool) {
	d.t.Helper()
	c, ok, err := d.local.Check(d.t.Context(), sha, CheckName)
	if err != nil {
		d.t.Fatal(err)
	}
	return c, ok
}

// comment is the bot's only comment on a pull request; "" if there is none.
func (d *desk) comment(number int) string {
	d.t.Helper()
	all, err := d.local.Comments(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(c forge.Comment) bool { return !c.Own })
	if len(all) > 1 {
		d.t.Fatalf("pull request %d has %d comments of the bot, want one at most", number, len(all))
	}
	if len(all) == 0 {
		return ""
	}
	return all[0].Body
}

func (d *desk) head(branch string) string {
	d.t.Helper()
	sha, _, err := d.local.Head(d.t.Context(), branch)
	if err != nil {
		d.t.Fatal(err)
	}
	return sha
}

// state is all that the forge holds, to be compared. The dates and parents of
// commits are part of their hashes.
func (d *desk) state() string {
	d.t.Helper()
	var b strings.Builder
	pulls := d.pulls("")
	b.WriteString(d.git("", "for-each-ref", "--format=%(refname) %(objectname) %(tree)"))
	for _, pr := range pulls {
		pr.URL = ""
		fmt.Fprintf(&b, "\n\npull %+v", pr)
		comments, err := d.local.Comments(d.t.Context(), pr.Number)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, c := range comments {
			fmt.Fprintf(&b, "\ncomment %+v", c)
		}
		remarks, err := d.local.LineComments(d.t.Context(), pr.Number)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, c := range remarks {
			fmt.Fprintf(&b, "\nremark %+v", c)
		}
		if c, ok := d.check(pr.HeadSHA); ok {
			fmt.Fprintf(&b, "\ncheck %+v", c)
		}
	}
	issues, err := d.local.Issues(d.t.Context(), forge.IssueFilter{})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, i := range issues {
		i.URL = ""
		fmt.Fprintf(&b, "\n\nissue %+v", i)
	}
	return b.String()
}

// logged reports whether a line of the log has all these words.
func (d *desk) logged(words ...string) bool {
	return slices.ContainsFunc(d.log, func(line string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) })
	})
}

// writes is a forge that counts what is written to it, and from some write on
// does nothing but fail, as if the program were killed there.
type writes struct {
	forge.Forge
	done     []string
	failFrom int    // counting from 1; 0 never
	before   func() // called once before the next write, as if somebody were quicker
}

var errKilled = errors.New("killed")

func (w *writes) write(what string, do func() error) error {
	if w.failFrom > 0 && len(w.done)+1 >= w.failFrom {
		return errKilled
	}
	if quicker := w.before; quicker != nil {
		w.before = nil
		quicker()
	}
	w.done = append(w.done, what)
	return do()
}

func (w *writes) Open(ctx context.Context, n forge.NewPullRequest) (pr forge.PullRequest, err error) {
	err = w.write("open", func() error { pr, err = w.Forge.Open(ctx, n); return err })
	return pr, err
}

func (w *writes) Update(ctx context.Context, number int, c forge.Change) error {
	return w.write("update", func() error { return w.Forge.Update(ctx, number, c) })
}

func (w *writes) AddLabels(ctx context.Context, number int, labels []string) error {
	return w.write("add labels", func() error { return w.Forge.AddLabels(ctx, number, labels) })
}

func (w *writes) RemoveLabel(ctx context.Context, number int, label string) error {
	return w.write("remove label", func() error { return w.Forge.RemoveLabel(ctx, number, label) })
}

func (w *writes) ClosePullRequest(ctx context.Context, number int, reason string) error {
	return w.write("close", func() error { return w.Forge.ClosePullRequest(ctx, number, reason) })
}

func (w *writes) Comment(ctx context.Context, number int, body string) (c forge.Comment, err error) {
	err = w.write("comment", func() error { c, err = w.Forge.Comment(ctx, number, body); return err })
	return c, err
}

func (w *writes) EditComment(ctx context.Context, number int, id int64, body string) error {
	return w.write("edit comment", func() error { return w.Forge.EditComment(ctx, number, id, body) })
}

func (w *writes) React(ctx context.Context, number int, id int64, r forge.Reaction) error {
	return w.write("react", func() error { return w.Forge.React(ctx, number, id, r) })
}

func (w *writes) SetCheck(ctx context.Context, sha string, c forge.Check) error {
	return w.write("set check", func() error { return w.Forge.SetCheck(ctx, sha, c) })
}

func (w *writes) CommentLines(ctx context.Context, number int, sha string, remarks []forge.NewLineComment) error {
	return w.write("suggest", func() error { return w.Forge.CommentLines(ctx, number, sha, remarks) })
}

func (w *writes) OpenIssue(ctx context.Context, n forge.NewIssue) (i forge.Issue, err error) {
	err = w.write("open issue", func() error { i, err = w.Forge.OpenIssue(ctx, n); return err })
	return i, err
}

func (w *writes) UpdateIssue(ctx context.Context, number int, c forge.IssueChange) error {
	return w.write("update issue", func() error { return w.Forge.UpdateIssue(ctx, number, c) })
}

func (w *writes) Commit(ctx context.Context, n forge.NewCommit) (sha string, err error) {
	err = w.write("commit", func() error { sha, err = w.Forge.Commit(ctx, n); return err })
	return sha, err
}

func (w *writes) DeleteBranch(ctx context.Context, branch, expected string) error {
	return w.write("delete branch", func() error { return w.Forge.DeleteBranch(ctx, branch, expected) })
}

// smallRegistry is a registry with two codes and no entry.
var smallRegistry = map[string]string{
	"registry/registry.yaml":         settingsFile(""),
	"registry/policy.yaml":           policyFile(""),
	"registry/frameworks/needs.yaml": needsFile,
	"README.md":                      "A registry.\n",
}

func settingsFile(bot string) string {
	return `schema: registry/v1
name: Test
publisher: {name: Testers}
languages: [en]
kinds: [dpg, resource]
frameworks: [needs]
license: CC0-1.0
attribution: Testers
` + bot
}

func policyFile(more string) string {
	return `schema: policy/v1
licenses:
  software:
    reason: Anyone must be free to use and change it.
    accepted: [{ids: [MIT, Apache-2.0]}]
` + more
}

const needsFile = `schema: framework/v1
id: needs
name: Needs
version: "1"
source: {publisher: Testers, url: "https://example.org/needs", license: CC0-1.0, attribution: Testers}
lists: [{id: needs, name: Needs, mapped: true}]
codes:
  - {code: N1, list: needs, name: Works offline, description: It works without a network., signals: {en: {clear: [works offline]}}}
  - {code: N2, list: needs, name: Keeps secrets, description: It keeps data secret., signals: {en: {clear: [encrypt*]}}}
`

// entryFile is an entry in which nothing is wrong.
func entryFile(id, more string) string {
	return `schema: dpg/v1
id: ` + id + `
name: Clinic ` + id + `
description: Free software for small clinics. It keeps patient records on a tablet, works offline and needs little power.
website: https://` + id + `.example.org/
types: [software]
sectors: [health]
licenses: [{expression: MIT, url: "https://` + id + `.example.org/licence"}]
repositories: [{url: "https://git.example.org/` + id + `/` + id + `"}]
sdgs: [{goal: 3, text: Nurses in rural clinics see a patient's history during the visit.}]
organizations: [{name: Clinic Cooperative, role: owner}]
status: {stage: nominee, as_of: 2026-01-15}
sources: [{name: Its own description, url: "https://` + id + `.example.org/", as_of: 2026-01-15}]
` + more
}

// dpg is where the entry of that id stands.
func dpg(id string) string { return "registry/dpgs/" + id + ".yaml" }

// swap replaces words of a file, which must be there.
func swap(t *testing.T, text, old, with string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q does not hold %q", text, old)
	}
	return strings.ReplaceAll(text, old, with)
}

// file reads a file of a branch.
func (d *desk) file(branch, name string) string {
	d.t.Helper()
	return d.git("", "cat-file", "blob", "refs/heads/"+branch+":"+name)
}

// proposed lists the files of a branch that differ from main, as "A\tpath".
func (d *desk) proposed(branch string) []string {
	d.t.Helper()
	out := d.git("", "diff-tree", "-r", "--no-renames", "--name-status", "refs/heads/"+d.main, "refs/heads/"+branch)
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}

func assessment(id string) string { return path.Join("registry/assessments/dpgs", id+".yaml") }
