package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/schemas"
)

const botBranch = "dpg-bot/assess"

// entries are so many good ones.
func entries(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		id := fmt.Sprintf("e%03d", i)
		files[dpg(id)] = entryFile(id, "")
	}
	return files
}

func TestSyncProposes(t *testing.T) {
	d := newDesk(t, entries(2))
	main := d.head("main")
	s := d.sync()
	if s.Entries != 2 || s.Findings.Errors != 0 || s.Proposed != 2 || s.Waiting != 0 || s.Catalog == nil || s.Head.Commit != main {
		t.Errorf("Sync: %+v", s)
	}
	pr := d.onlyPull()
	if pr.Title != "Assess 2 entries" || pr.Head != botBranch || pr.Base != "main" || !pr.Own {
		t.Errorf("pull request is %+v", pr)
	}
	if diff := cmp.Diff([]string{"A\t" + assessment("e000"), "A\t" + assessment("e001")}, d.proposed(botBranch)); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	for _, want := range []string{"**Next: a maintainer.**", "**`dpg/e000`**: new `needs/N1`", "`/description` says `It keeps patient records"} {
		if !strings.Contains(pr.Body, want) {
			t.Errorf("body does not say %q:\n%s", want, pr.Body)
		}
	}
	if c, _ := d.check(pr.HeadSHA); c.Conclusion != forge.Success {
		t.Errorf("the check of the bot's pull request is %q: %s", c.Conclusion, c.Summary)
	}
	if c := d.comment(pr.Number); c != "" {
		t.Errorf("the bot comments on its own good pull request:\n%s", c)
	}
	if d.head("main") != main {
		t.Error("the bot wrote to main")
	}
	d.still("a second sync", func() { d.sync() })
	if testing.Verbose() {
		t.Log(pr.Body)
	}
}

// The same base gives the same commit, wherever and whenever the bot runs.
func TestSyncIsReproducible(t *testing.T) {
	a, b := newDesk(t, entries(3)), newDesk(t, entries(3))
	a.sync()
	b.bot.AsOf = "2027-01-01"
	b.sync()
	if a.head(botBranch) != b.head(botBranch) {
		t.Error("two syncs of one commit made two commits")
	}
	if got, want := a.git("", "log", "-1", "--format=%ct %at", botBranch), a.git("", "log", "-1", "--format=%ct %ct", "main"); got != want {
		t.Errorf("the commit is dated %s, want the base's %s", got, want)
	}
}

// The first base commit may be dated as its author pleases.
func TestSyncOnACommitBefore1970(t *testing.T) {
	d := emptyDesk(t)
	d.clock = -1767225600/86400 - 1
	all := maps.Clone(smallRegistry)
	maps.Copy(all, entries(1))
	d.push("main", "", all)
	d.sync()
	d.onlyPull()
}

// A large registry is worked off in parts that people can read.
func TestSyncOfALargeRegistry(t *testing.T) {
	files := entries(735)
	for name, text := range files {
		files[name] = swap(t, text, "needs little power.", "needs little power. "+strings.Repeat("All is encrypted, and it works offline - 'ün 🐘 wörd' ``. ", 40))
	}
	d := newDesk(t, files)
	for round := range 2 {
		s := d.sync()
		pr := d.onlyPull()
		want := 735 - 25*round
		if s.Proposed != want || s.Waiting != want-25 || len(d.proposed(botBranch)) != 25 {
			t.Errorf("round %d: %d proposed, %d waiting, %d files", round, s.Proposed, s.Waiting, len(d.proposed(botBranch)))
		}
		if n := utf8.RuneCountInString(pr.Body); n > maxBytes || len(pr.Body) > maxBytes || n < 10_000 || !utf8.ValidString(pr.Body) {
			t.Errorf("round %d: body has %d characters in %d bytes", round, n, len(pr.Body))
		}
		if !strings.Contains(pr.Body, fmt.Sprintf("%d more entries wait", want-25)) {
			t.Errorf("round %d: the body does not say what waits", round)
		}
		d.merge(botBranch)
	}
	if n := len(d.pulls(forge.Merged)); n != 2 {
		t.Errorf("%d pull requests are merged, want 2", n)
	}
}

// Merging one opens the next, until none is left and the branch is gone.
func TestSyncToTheEnd(t *testing.T) {
	files := entries(7)
	files["registry/registry.yaml"] = settingsFile("bot: {entries_per_pull_request: 3, branch_prefix: robot-}\n")
	d := newDesk(t, files)
	var sizes []int
	for {
		d.sync()
		open := d.pulls(forge.Open)
		if len(open) == 0 {
			break
		}
		if len(open) > 1 || len(sizes) > 5 {
			t.Fatalf("%d are open after %v", len(open), sizes)
		}
		sizes = append(sizes, len(d.proposed("robot-assess")))
		d.merge("robot-assess")
	}
	if diff := cmp.Diff([]int{3, 3, 1}, sizes); diff != "" {
		t.Errorf("files per pull request (-want +got):\n%s", diff)
	}
	if d.head("robot-assess") != "" {
		t.Error("the merged branch is still there")
	}
	d.still("another sync", func() { d.sync() })
}

func TestSyncFollowsMain(t *testing.T) {
	d := newDesk(t, entries(2))
	d.sync()
	pr := d.onlyPull()

	d.push("main", "", map[string]string{"README.md": "Another.\n", dpg("x-archived"): swap(t, entryFile("x-archived", ""), "nominee", "archived")})
	d.still("a sync after main moved on elsewhere", func() { d.sync() })

	d.push("main", "", map[string]string{dpg("e000"): swap(t, entryFile("e000", ""), "works offline", "is encrypted")})
	d.sync()
	now := d.onlyPull()
	if now.Number != pr.Number || now.HeadSHA == pr.HeadSHA || !strings.Contains(now.Body, "**`dpg/e000`**: new `needs/N2`") {
		t.Errorf("the pull request was not updated in place: %+v", now)
	}
	if got, want := d.git("", "rev-parse", botBranch+"^"), d.head("main"); got != want {
		t.Errorf("the branch stands on %s, want main at %s", got, want)
	}
	d.still("another sync", func() { d.sync() })

	// Somebody puts the same files on main in another way.
	d.push("main", "", map[string]string{assessment("e000"): d.file(botBranch, assessment("e000")) + "\n", assessment("e001"): d.file(botBranch, assessment("e001")) + "\n"})
	d.sync()
	if got := d.pull(pr.Number); got.State != forge.Closed {
		t.Errorf("with nothing left it is %s", got.State)
	}
	if d.head(botBranch) != "" {
		t.Error("the branch is still there")
	}
	if c := d.comment(pr.Number); !strings.Contains(c, "Nothing is left to propose") {
		t.Errorf("it was closed with %q", c)
	}
	d.still("another sync", func() { d.sync() })
}

// What the bot closed itself comes back when it is wanted again.
func TestSyncProposesAgainWhatItWithdrew(t *testing.T) {
	d := newDesk(t, entries(1))
	d.sync()
	d.push("main", "", map[string]string{dpg("e000"): swap(t, entryFile("e000", ""), "nominee", "archived")})
	d.sync()
	if len(d.pulls(forge.Open)) != 0 {
		t.Fatal("it proposes to assess an archived entry")
	}
	d.push("main", "", map[string]string{dpg("e000"): entryFile("e000", "")})
	d.sync()
	d.onlyPull()
}

// The title says what happens.
func TestTitles(t *testing.T) {
	d := newDesk(t, entries(3))
	d.sync()
	d.merge(botBranch)
	archived := func(id string) string { return swap(t, entryFile(id, ""), "nominee", "archived") }
	for _, tt := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{dpg("e000"): archived("e000"), dpg("new"): entryFile("new", "")}, "Assess 1 entry and remove 1 assessment"},
		{map[string]string{dpg("e001"): archived("e001"), dpg("new"): archived("new")}, "Remove 2 assessments"},
	} {
		d.push("main", "", tt.files)
		d.sync()
		pr := d.onlyPull()
		if pr.Title != tt.want {
			t.Errorf("title is %q, want %q", pr.Title, tt.want)
		}
		checkMarkdown(t, pr.Body)
	}
}

// What a body prints for pasting can be pasted.
func TestSampleDecision(t *testing.T) {
	for name, description := range map[string]string{"with a code": "works offline", "without one": "is good"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, map[string]string{dpg("e000"): swap(t, entryFile("e000", ""), "works offline", description)})
			d.sync()
			pr := d.onlyPull()
			_, sample, found := strings.Cut(pr.Body, "  `decisions: ")
			sample, _, closed := strings.Cut(sample, "`\n")
			if !found || !closed {
				t.Fatalf("the body has no sample:\n%s", pr.Body)
			}
			number := d.open("pasted", map[string]string{dpg("e000"): d.file("main", dpg("e000")) + "\ndecisions: " + sample + "\n"})
			v := d.review(number)
			if len(v.Findings) > 0 {
				t.Errorf("%s\nhas findings %+v", sample, v.Findings)
			}
			if why := why(v); len(why) != 1 || !strings.Contains(why[0], "decisions") {
				t.Errorf("a maintainer must look because %q", why)
			}
		})
	}
}

// Weak readings are folded, and a rejected code says its name, who and why.
func TestBodyShowsWeakAndRejected(t *testing.T) {
	d := newDesk(t, map[string]string{
		"registry/frameworks/needs.yaml": swap(t, needsFile, "clear: [encrypt*]", "clear: [encrypt*], weak: [little power, records]"),
		dpg("e000"): entryFile("e000", `stewards: [{github: ann}]
decisions: [{ruling: reject, code: needs/N1, by: {github: ann}, as: steward, date: 2026-01-15, reason: "It @needs a <b>network</b>."}]
`),
	})
	d.sync()
	body := d.onlyPull().Body
	for _, want := range []string{
		"- **`needs/N1`** `Works offline`, rejected by `ann` as `steward` on `2026-01-15` because: `It @needs a <b>network</b>.`\n",
		"<details><summary>1 weak reading, kept with the entry and in no list</summary>\n\n- **`needs/N2`** `Keeps secrets`, proposed\n  - `/description` says `",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the body does not say %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "(blank)") {
		t.Errorf("the body shows something as blank:\n%s", body)
	}
	checkMarkdown(t, body)
}

// An assessment goes with its entry.
func TestSyncDeletes(t *testing.T) {
	d := newDesk(t, entries(2))
	d.sync()
	d.merge(botBranch)
	d.push("main", "", map[string]string{dpg("e000"): swap(t, entryFile("e000", ""), "nominee", "archived")})
	d.sync()
	if diff := cmp.Diff([]string{"D\t" + assessment("e000")}, d.proposed(botBranch)); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	pr := d.onlyPull()
	if pr.Title != "Remove the assessment of dpg/e000" || strings.Contains(pr.Body, "decisions:") || !strings.Contains(pr.Body, "no longer listed, so its assessment goes") {
		t.Errorf("pull request is %q:\n%s", pr.Title, pr.Body)
	}
	if c, _ := d.check(pr.HeadSHA); c.Conclusion != forge.Success {
		t.Errorf("its check is %q: %s", c.Conclusion, c.Summary)
	}
}

func TestSyncAndPeople(t *testing.T) {
	changed := func(d *desk) {
		d.push("main", "", map[string]string{dpg("e000"): swap(d.t, entryFile("e000", ""), "works offline", "is encrypted")})
	}
	t.Run("a person pushed to the branch", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.sync()
		d.push(botBranch, "", map[string]string{assessment("e000"): "mine\n"})
		changed(d)
		body, at := d.onlyPull().Body, d.head(botBranch)
		d.sync()
		d.still("another sync", func() { d.sync() })
		if !d.logged("which the bot did not make") {
			t.Errorf("log: %q", d.log)
		}
		pr := d.onlyPull()
		if pr.Body != body || d.head(botBranch) != at {
			t.Error("the bot went on with the branch")
		}
		if c := d.comment(pr.Number); !strings.Contains(c, "did not make commit "+at[:12]) || !strings.Contains(c, "**Next: a maintainer.**") {
			t.Errorf("comment is\n%s", c)
		}
		// Another commit changes the comment, and none takes it back.
		d.push(botBranch, "", map[string]string{assessment("e001"): "mine too\n"})
		d.sync()
		if c := d.comment(pr.Number); !strings.Contains(c, d.head(botBranch)[:12]) {
			t.Errorf("comment is\n%s", c)
		}
		d.git("", "update-ref", "refs/heads/"+botBranch, at+"^")
		d.sync()
		if c := d.comment(pr.Number); !strings.Contains(c, "only commits of the bot again") {
			t.Errorf("comment is\n%s", c)
		}
		d.still("yet another sync", func() { d.sync() })
	})
	t.Run("a review of what a person pushed to the branch", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.sync()
		d.push(botBranch, "", map[string]string{assessment("e000"): "mine\n"})
		v := d.review(d.onlyPull().Number) // as of anybody's
		if v.Conclusion != forge.Failure || !strings.Contains(d.comment(d.onlyPull().Number), "to mend") {
			t.Errorf("verdict is %+v", v)
		}
	})
	t.Run("a person merged main into the branch", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.sync()
		d.push("main", "", map[string]string{"README.md": "x"})
		tree := d.git("", "merge-tree", "--write-tree", botBranch, "main")
		d.git("", "update-ref", "refs/heads/"+botBranch, d.git("", "commit-tree", tree, "-p", botBranch, "-p", "main", "-m", "m"))
		changed(d)
		at := d.head(botBranch)
		d.sync()
		d.still("another sync", func() { d.sync() })
		if d.head(botBranch) != at {
			t.Error("the bot went on with the branch")
		}
	})
	t.Run("a person closed it", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.sync()
		pr := d.onlyPull()
		if err := d.ada.ClosePullRequest(t.Context(), pr.Number, "No, thank you."); err != nil {
			t.Fatal(err)
		}
		d.still("sync", func() { d.sync() })
		d.push("main", "", map[string]string{"README.md": "x"})
		d.still("sync after main moved on", func() { d.sync() })
		if !d.logged("was closed") {
			t.Errorf("log: %q", d.log)
		}
		changed(d)
		d.sync()
		if now := d.onlyPull(); now.Number == pr.Number {
			t.Error("the closed one was opened again")
		}
	})
	t.Run("a person deleted the branch", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.sync()
		d.git("", "update-ref", "-d", "refs/heads/"+botBranch)
		d.still("sync", func() { d.sync() })
		changed(d)
		d.sync()
		d.onlyPull()
	})
	t.Run("the branch is there without a pull request", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.writes.failFrom = 2
		if _, err := d.bot.Sync(t.Context()); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		d.writes.failFrom = 0
		at := d.head(botBranch)
		d.sync()
		if d.onlyPull().HeadSHA != at || d.head(botBranch) != at {
			t.Error("the branch was made again")
		}
	})
	t.Run("a person was quicker", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.writes.before = func() { d.push(botBranch, "refs/heads/main", map[string]string{"README.md": "mine"}) }
		_, err := d.bot.Sync(t.Context())
		var moved *forge.MovedError
		if !errors.As(err, &moved) || moved.Branch != botBranch {
			t.Fatalf("Sync: %v", err)
		}
		at := d.head(botBranch)
		d.still("the next sync", func() { d.sync() })
		d.git("", "update-ref", "-d", "refs/heads/"+botBranch)
		d.sync()
		if d.onlyPull().HeadSHA == at {
			t.Error("the person's commit is proposed")
		}
	})
	t.Run("the bot was quicker with an older base", func(t *testing.T) {
		d := newDesk(t, entries(2))
		d.writes.before = func() { changed(d) }
		d.sync()
		d.sync()
		if body := d.onlyPull().Body; !strings.Contains(body, "`needs/N2`") {
			t.Errorf("body is\n%s", body)
		}
		d.still("a third sync", func() { d.sync() })
	})
}

// Most people merge by squashing, which leaves the branch with commits that are
// not in main; a person's commit among them is merged all the same.
func TestSquashedBranchIsFree(t *testing.T) {
	p := purpose{name: "assess", branch: botBranch, base: "main"}
	d := newDesk(t, entries(1))
	d.sync()
	d.push(botBranch, "", map[string]string{"README.md": "mine"})
	tree := d.git("", "rev-parse", botBranch+"^{tree}")
	d.git("", "update-ref", "refs/heads/main", d.git("", "commit-tree", tree, "-p", "main", "-m", "squashed"))
	g, err := d.local.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	repo := &registry.Repo{Git: g, Folder: "registry"}
	if p.parent, err = repo.Commit("refs/heads/main"); err != nil {
		t.Fatal(err)
	}
	s, err := d.bot.standing(t.Context(), repo, p)
	if err != nil || s.theirs == "" {
		t.Fatalf("before the forge says that it is merged: %+v, %v", s, err)
	}
	b := *d.bot
	b.Forge = saysMerged{d.local}
	s, err = b.standing(t.Context(), repo, p)
	if err != nil || s.theirs != "" {
		t.Errorf("after: %+v, %v", s, err)
	}
}

// saysMerged is a forge that merges by squashing.
type saysMerged struct{ forge.Forge }

func (f saysMerged) PullRequests(ctx context.Context, filter forge.Filter) ([]forge.PullRequest, error) {
	all, err := f.Forge.PullRequests(ctx, filter)
	for i := range all {
		all[i].State = forge.Merged
	}
	return all, err
}

func TestSyncSettings(t *testing.T) {
	d := newDesk(t, entries(1))
	d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [review]}\n")})
	d.still("sync without assess", func() {
		if s := d.sync(); s.Catalog == nil || s.Proposed != 0 {
			t.Errorf("Sync: %+v", s)
		}
	})
	d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("")})
	d.sync()
	d.onlyPull()
	d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [review]}\n")})
	d.sync()
	if open := d.pulls(forge.Open); len(open) > 0 {
		t.Errorf("what is switched off still proposes %q", open[0].Title)
	}

	// A sync that is not to review sets no check.
	d = newDesk(t, entries(1))
	d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [assess]}\n")})
	d.sync()
	if _, ok := d.check(d.onlyPull().HeadSHA); ok {
		t.Error("a check is set")
	}

	d = newDesk(t, entries(1))
	d.main = "rob-assess"
	d.git("", "branch", "-m", "main", d.main)
	d.git("", "symbolic-ref", "HEAD", "refs/heads/"+d.main)
	d.push(d.main, "", map[string]string{"registry/registry.yaml": settingsFile("bot: {branch_prefix: rob-}\n")})
	if _, err := d.bot.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "bot.branch_prefix") {
		t.Errorf("the default branch is the bot's: %v", err)
	}
}

// What is broken on main is reported; the bot does what it can be sure of.
func TestSyncOfABrokenMain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		files    map[string]string
		proposed []string // files
		catalog  bool
		log      string
	}{
		{"an entry that is not YAML", map[string]string{dpg("e001"): "id: [\n"}, []string{"A\t" + assessment("e000")}, false, `there is no catalog until files on branch "main" load without errors; now there are 1, in "registry/dpgs/e001.yaml"`},
		{"an entry against its schema", map[string]string{dpg("e001"): "schema: dpg/v1\nid: e001\n"}, []string{"A\t" + assessment("e000")}, false, "there is no catalog"},
		{"an entry with a licence that is none", map[string]string{dpg("e001"): swap(t, entryFile("e001", ""), "MIT", "Apache 2")},
			[]string{"A\t" + assessment("e000"), "A\t" + assessment("e001")}, true, ""},
		{"a name that no forge takes", map[string]string{"registry/dpgs/e001: @ada.yaml": entryFile("e001", "")}, []string{"A\t" + assessment("e000")}, false, "nothing is proposed for"},
		{"two files of one id", map[string]string{"registry/dpgs/e/e000.yaml": entryFile("e000", "")}, []string{"A\t" + assessment("e/e000")}, false, "there is no catalog"},
		{"settings", map[string]string{"registry/registry.yaml": "schema: registry/v1\n"}, nil, false, "proposes nothing"},
		{"settings that are not YAML", map[string]string{"registry/registry.yaml": "x: [\n"}, nil, false, "proposes nothing"},
		{"a framework", map[string]string{"registry/frameworks/needs.yaml": "schema: framework/v1\n"}, nil, false, "proposes nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := entries(1)
			maps.Copy(files, tt.files)
			d := newDesk(t, files)
			s := d.sync()
			if s.Findings.Errors == 0 {
				t.Error("nothing was found")
			}
			if (s.Catalog != nil) != tt.catalog {
				t.Errorf("there is a catalog: %v, want %v", s.Catalog != nil, tt.catalog)
			}
			var proposed []string
			if d.head(botBranch) != "" {
				proposed = d.proposed(botBranch)
			}
			if diff := cmp.Diff(tt.proposed, proposed); diff != "" {
				t.Errorf("proposed (-want +got):\n%s", diff)
			}
			if !d.logged(tt.log) {
				t.Errorf("the log does not say %q: %q", tt.log, d.log)
			}
			d.still("another sync", func() { d.sync() })
		})
	}
}

func TestSyncErrors(t *testing.T) {
	d := emptyDesk(t)
	if _, err := d.bot.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), `branch "main" has no commit yet`) {
		t.Errorf("Sync of an empty forge: %v", err)
	}
	d.push("main", "", map[string]string{"README.md": "x"})
	if _, err := d.bot.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), `has no folder "registry"`) {
		t.Errorf("Sync without a registry: %v", err)
	}
}

func TestHeartbeat(t *testing.T) {
	d := newDesk(t, entries(2))
	dir := t.TempDir()
	s := d.sync()
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	if err := Heartbeat(dir, s, at); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, HeartbeatFile))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"last_run": "2026-03-04T04:06:07Z", "source_commit": d.head("main"), "errors": 0.0, "warnings": 0.0, "assessments_waiting": 2.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("heartbeat (-want +got):\n%s", diff)
	}

	// And it is as its schema says, which wants each of these keys.
	text, err := fs.ReadFile(schemas.FS, "heartbeat.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	doc.(map[string]any)["additionalProperties"] = false
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("heartbeat", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("heartbeat")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	for key := range want {
		without := maps.Clone(value.(map[string]any))
		delete(without, key)
		if schema.Validate(without) == nil {
			t.Errorf("the schema does without %q", key)
		}
	}
}
