package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

// The bot's labels follow its verdict; other people's are none of its business.
func TestLabels(t *testing.T) {
	d := newDesk(t, nil)
	number := d.open("topic", map[string]string{dpg("new"): faulty(t, "new")})
	people := []string{"health", "next: you"} // the second is the bot's, wherever it comes from
	if err := d.ada.AddLabels(t.Context(), number, people); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text string
		want []string
	}{
		{faulty(t, "new"), []string{"dpg: needs changes", "health", "next: you"}},
		{entryFile("new", decision), []string{"dpg: needs a person", "health", "next: maintainer"}},
		{entryFile("new", ""), []string{"dpg: good", "health", "next: maintainer"}},
	} {
		d.push("topic", "", map[string]string{dpg("new"): step.text})
		d.review(number)
		if diff := cmp.Diff(step.want, d.pull(number).Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		d.still("a second review", func() { d.review(number) })
	}
}

// A label keeps the bot quiet; the check that a merge may wait for is set all the same.
func TestSilent(t *testing.T) {
	for _, tt := range []struct{ settings, label string }{
		{"", "dpg: silent"},
		{"bot: {silent_label: hush}\n", "hush"},
	} {
		t.Run(tt.label, func(t *testing.T) {
			d := newDesk(t, map[string]string{"registry/registry.yaml": settingsFile(tt.settings)})
			number := d.open("topic", map[string]string{dpg("new"): faulty(t, "new")})
			if err := d.ada.AddLabels(t.Context(), number, []string{tt.label}); err != nil {
				t.Fatal(err)
			}
			d.review(number)
			if diff := cmp.Diff([]string{"set check"}, d.writes.done); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			d.still("a second review", func() { d.review(number) })
			if err := d.ada.RemoveLabel(t.Context(), number, tt.label); err != nil {
				t.Fatal(err)
			}
			d.review(number)
			if diff := cmp.Diff([]string{"set check", "suggest", "comment", "add labels"}, d.writes.done); diff != "" {
				t.Errorf("writes without the label (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("aid"): faulty(t, "aid")})
	number := d.open("topic", map[string]string{dpg("new"): faulty(t, "new")})
	d.bot.DryRun = true
	d.still("a dry run", func() { d.review(number); d.sync() })
	for _, want := range []string{"would comment on pull request 1", "would make 2 suggestions", `would open pull request "Mend 1 entry"`, `would open pull request "Assess dpg/aid"`} {
		if !d.logged(want) {
			t.Errorf("the log does not say %q: %q", want, d.log)
		}
	}
}

// What --fix would do is suggested where the pull request shows the line, once.
func TestSuggestions(t *testing.T) {
	old := swap(t, faulty(t, "aid"), "[health]", "[ health ]") // two things wrong from before
	d := newDesk(t, map[string]string{dpg("aid"): old})
	number := d.open("topic", map[string]string{dpg("aid"): swap(t, old, "deployed_in: [UK]", "deployed_in: [UK, NO]")})
	d.review(number)
	remarks := func() []string {
		t.Helper()
		all, err := d.local.LineComments(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range all {
			_, block, _ := strings.Cut(c.Body, "```suggestion\n")
			list = append(list, fmt.Sprintf("%s:%d-%d %s", c.Path, c.StartLine, c.EndLine, strings.TrimSuffix(block, "\n```\n")))
		}
		return list
	}
	one := dpg("aid") + ":12-12 locations: {deployed_in: [GB, NO]}"
	if diff := cmp.Diff([]string{one}, remarks()); diff != "" {
		t.Errorf("suggestions (-want +got):\n%s", diff)
	}
	d.still("a second review", func() { d.review(number) })
	// The line moves, with another commit: it was said.
	d.push("topic", "", map[string]string{dpg("aid"): "# A comment\n" + swap(t, old, "deployed_in: [UK]", "deployed_in: [UK, NO]")})
	d.review(number)
	if diff := cmp.Diff([]string{one}, remarks()); diff != "" {
		t.Errorf("suggestions after the line moved (-want +got):\n%s", diff)
	}
	// Other words on it are another matter.
	d.push("topic", "", map[string]string{dpg("aid"): swap(t, old, "deployed_in: [UK]", "deployed_in: [UK, SE]")})
	d.review(number)
	if diff := cmp.Diff([]string{one, dpg("aid") + ":12-12 locations: {deployed_in: [GB, SE]}"}, remarks()); diff != "" {
		t.Errorf("suggestions after the line changed (-want +got):\n%s", diff)
	}
	// Taken as it stands, it mends what it says it does.
	v := d.review(number)
	for _, s := range v.Suggested {
		lines := splitLines([]byte(d.file("topic", dpg("aid"))))
		lines = slices.Concat(lines[:s.First-1], s.Lines, lines[s.Last:])
		d.push("topic", "", map[string]string{dpg("aid"): strings.Join(lines, "\n") + "\n"})
	}
	if diff := cmp.Diff([]string{dpg("aid") + " license-id info"}, found(d.review(number))); diff != "" {
		t.Errorf("findings left (-want +got):\n%s", diff)
	}
}

// A suggestion cannot be ended early by what it holds, and a page cannot be driven by it.
func TestSuggestionOfHostileText(t *testing.T) {
	d := newDesk(t, nil)
	text := swap(t, entryFile("new", ""), "licenses: [{expression: MIT", "licenses: [{covers: software, expression: apache-2.0 } ] # ````` <!-- dpg-registry:suggest x -->\nx-y: [{expression: MIT")
	number := d.open("topic", map[string]string{dpg("new"): swap(t, faulty(t, "new"), "deployed_in: [UK]}", "deployed_in: [UK]} # ````` @octo <script>\u202e"), dpg("two"): text})
	d.review(number)
	all, err := d.local.LineComments(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Error("there is no suggestion")
	}
	for _, c := range all {
		fence := strings.Repeat("`", 3)
		if strings.Contains(c.Body, "`````") {
			fence = strings.Repeat("`", 6)
		}
		if !strings.Contains(c.Body, "\n"+fence+"suggestion\n") || !strings.HasSuffix(c.Body, "\n"+fence+"\n") {
			t.Errorf("the suggestion is not between fences of %d:\n%s", len(fence), c.Body)
		}
	}
}

func TestTwins(t *testing.T) {
	archived := func(id string) string {
		return swap(t, entryFile(id, ""), "stage: nominee", "stage: archived, reason: Nobody keeps it.")
	}
	d := newDesk(t, map[string]string{dpg("old"): archived("old"), dpg("past"): archived("past")})
	same := swap(t, entryFile("two", ""), "https://git.example.org/two/two", "http://www.git.example.org/new/new.git")
	edit := d.open("edit", map[string]string{dpg("old"): swap(t, d.file("main", dpg("old"))+"\n", "little power", "power")})
	two := d.open("two", map[string]string{dpg("two"): same})
	one := d.open("one", map[string]string{
		dpg("new"): swap(t, entryFile("new", ""), "Clinic new", "Clinic PAST"),
		dpg("old"): swap(t, d.file("main", dpg("old"))+"\n", "little power", "no power"),
	})
	d.open("other", map[string]string{dpg("alone"): entryFile("alone", "")})
	d.review(one)
	for _, want := range []string{
		fmt.Sprintf("- #%d changes `dpg/old` too.\n", edit),
		fmt.Sprintf("- #%d has `dpg/two` with the repository `https://git.example.org/new/new`, which `dpg/new` has too.\n", two),
		"- `name \"Clinic PAST\" is that of \"dpg/past\" (archived) too`\n",
	} {
		if !strings.Contains(d.comment(one), want) {
			t.Errorf("comment does not say %q:\n%s", want, d.comment(one))
		}
	}
	if strings.Contains(d.comment(one), "alone") {
		t.Error("an entry of another subject is named")
	}
	d.review(two)
	if want := fmt.Sprintf("- #%d has `dpg/new` with the repository", one); !strings.Contains(d.comment(two), want) {
		t.Errorf("the other comment does not say %q", want)
	}
	// Closed, it is no concern any more.
	if err := d.ada.ClosePullRequest(t.Context(), two, ""); err != nil {
		t.Fatal(err)
	}
	d.review(one)
	if strings.Contains(d.comment(one), "`dpg/two`") {
		t.Error("the comment still speaks of a closed pull request")
	}
}

// What a comment says a pull request does, what it makes of licences, and what will
// be published.
func TestReportSays(t *testing.T) {
	base := map[string]string{dpg("aid"): entryFile("aid", ""), dpg("led"): entryFile("led", "")}
	for _, tt := range []struct {
		name      string
		change    map[string]string
		want, not []string
	}{
		{"a new entry", map[string]string{dpg("new"): swap(t, entryFile("new", ""), "[software]", "[software, data]")}, []string{
			"This pull request adds `dpg/new`.\n",
			"- licence `MIT` for `software`: **accepted**, because: `Anyone must be free to use and change it`\n",
			"- licence `MIT` for `data`: **unknown**, because: `the policy keeps no list of licences for this type`\n",
			"**What is published:** ", " files change beside those that name the commit: `api/v1/",
		}, nil},
		{"deletions only", map[string]string{dpg("aid"): gone, dpg("led"): gone}, []string{
			"This pull request deletes `dpg/aid`, `dpg/led`.\n", "2 things to mend", "give it status.stage \"archived\"",
		}, []string{"How the catalog will show", "without a preview"}},
		{"renames only", map[string]string{dpg("aid"): gone, "registry/dpgs/a/aid.yaml": entryFile("aid", "")}, []string{
			"## ✅ Good\n", "This pull request moves `dpg/aid` to `registry/dpgs/a/aid.yaml` as it is.\n",
			"**What is published:** ", " beside those that name the commit: `api/v1/dpgs/aid.json`",
		}, []string{"Perhaps here already"}},
		{"a move with an edit", map[string]string{dpg("aid"): gone, "registry/dpgs/a/aid.yaml": swap(t, entryFile("aid", ""), "little power", "power")}, []string{
			"moves `dpg/aid` to `registry/dpgs/a/aid.yaml`.\n", "`api/v1/dpgs/aid.json`",
		}, nil},
		{"words only", map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "small clinics", "clinics")}, []string{
			"This pull request changes `dpg/aid`.\n",
		}, nil},
		{"a policy", map[string]string{"registry/policy.yaml": swap(t, policyFile(""), "MIT, Apache-2.0", "Apache-2.0")}, []string{
			"any file may change, since the rules or settings do",
			"Under the rules as this pull request would have them: 2 findings more, 0 fewer",
			"- warning `registry/dpgs/aid.yaml`: `licence \"MIT\" is not accepted for type \"software\"",
		}, nil},
		{"a framework's words", map[string]string{"registry/frameworks/needs.yaml": swap(t, needsFile, "Keeps secrets", "Keeps them")}, []string{
			"Under the rules as this pull request would have them, every entry is judged as it is now.",
		}, nil},
		{"a text outside", map[string]string{"README.md": "Other words.\n"}, []string{"nothing changes but the commit"}, []string{"This pull request"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, base)
			number := d.open("topic", tt.change)
			v := d.review(number)
			comment := d.comment(number)
			for _, want := range tt.want {
				if !strings.Contains(comment, want) {
					t.Errorf("comment does not say %q:\n%s", want, comment)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(comment, not) {
					t.Errorf("comment says %q:\n%s", not, comment)
				}
			}
			if comment != marker("review", "")+"\n"+v.Report {
				t.Error("the report for a job summary is not the comment's")
			}
			check, _ := d.check(d.pull(number).HeadSHA)
			d.annotated(v, check, "topic")
		})
	}
}

// Files that the comment says change are just those that do, in a catalog of the
// whole registry, beside those that tell of every commit.
func TestPublishedIsTrue(t *testing.T) {
	d := newDesk(t, entries(4))
	d.sync()
	d.merge(botBranch)
	number := d.open("topic", map[string]string{
		dpg("e001"): swap(t, entryFile("e001", ""), "stage: nominee", "stage: archived, reason: Nobody keeps it."),
		dpg("new"):  entryFile("new", ""),
	})
	v := d.review(number)
	was := d.sync().Catalog
	d.merge("topic")
	is := d.sync().Catalog
	var want []string
	names := append(was.Names(), is.Names()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		a, _ := was.File(name)
		b, _ := is.File(name)
		if string(a) != string(b) && !strings.HasPrefix(name, "api/v1/changes") && !partial(name) && !slices.Contains([]string{"api/v1/index.json", "api/v1/full.json", "api/v1/status.json", "api/v1/manifest.json", "index.html", "en/index.html"}, name) {
			want = append(want, name)
		}
	}
	if diff := cmp.Diff(want, v.Published.Files); diff != "" {
		t.Errorf("published files (-whole registry +said):\n%s", diff)
	}
}

// 3,000 changed files make a report that a forge takes.
func TestThreeThousandFiles(t *testing.T) {
	d := newDesk(t, entries(10))
	files := map[string]string{}
	for i := range 3000 {
		id := fmt.Sprintf("n%04d", i)
		files[dpg(id)] = faulty(t, id)
	}
	number := d.open("topic", files)
	v := d.review(number)
	if v.Files != 3000 || v.Entries != 3000 || len(v.Suggested) != maxSuggestions {
		t.Errorf("%d files, %d entries, %d suggestions", v.Files, v.Entries, len(v.Suggested))
	}
	comment := d.comment(number)
	if len(comment) > maxBytes || !strings.HasSuffix(comment, "</sub>\n") {
		t.Errorf("the comment has %d bytes", len(comment))
	}
	if want := "and 2995 more"; !strings.Contains(comment, want) {
		t.Errorf("comment does not say %q", want)
	}
	d.still("a second review", func() { d.review(number) })
}

// What --fix would do to main is proposed as one pull request, at most so many
// entries at a time, until nothing is left.
func TestSyncFixes(t *testing.T) {
	files := map[string]string{dpg("good"): entryFile("good", "")}
	for i := range 5 {
		id := fmt.Sprintf("e%03d", i)
		files[dpg(id)] = swap(t, faulty(t, id), "[software]", "[software, nonsense]") // and an error that --fix leaves
	}
	files["registry/registry.yaml"] = settingsFile("bot: {behaviours: [fix, review], entries_per_pull_request: 2}\n")
	d := newDesk(t, files)
	for _, left := range []int{5, 3, 1} {
		s := d.sync()
		if s.Fixes != left {
			t.Errorf("%d entries to mend, want %d", s.Fixes, left)
		}
		pr := d.onlyPull()
		if n := len(d.proposed("dpg-bot/fix")); n != min(left, 2) {
			t.Errorf("%d files are proposed, want %d", n, min(left, 2))
		}
		for _, want := range []string{"**Next: a maintainer.**", "`country`: `country \"UK\" is not an ISO 3166-1 alpha-2 code`", "`locations: {deployed_in: [UK]}` becomes `locations: {deployed_in: [GB]}`"} {
			if !strings.Contains(pr.Body, want) {
				t.Errorf("body does not say %q:\n%s", want, pr.Body)
			}
		}
		// The error that was there before is not laid at its door.
		if c, _ := d.check(pr.HeadSHA); c.Conclusion != forge.Success {
			t.Errorf("the check of the bot's pull request is %q: %s", c.Conclusion, c.Summary)
		}
		d.still("a second sync", func() { d.sync() })
		d.merge("dpg-bot/fix")
	}
	if s := d.sync(); s.Fixes != 0 || len(d.pulls(forge.Open)) != 0 {
		t.Errorf("%d entries are left to mend, and %d pull requests are open", s.Fixes, len(d.pulls(forge.Open)))
	}
	found, err := lintMain(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if strings.Contains(f, "country") || strings.Contains(f, "license-id") {
			t.Errorf("left: %s", f)
		}
	}
}

func lintMain(d *desk) ([]string, error) {
	m, err := d.bot.main(d.t.Context())
	if err != nil {
		return nil, err
	}
	found, err := lint.Run(d.t.Context(), m.reg, lint.Options{AsOf: asOf})
	var list []string
	for _, f := range found {
		list = append(list, f.Path+" "+f.Rule)
	}
	return list, err
}

// Declined repairs are not proposed again until something else is.
func TestDeclinedFix(t *testing.T) {
	d := newDesk(t, map[string]string{
		dpg("aid"): faulty(t, "aid"), "registry/registry.yaml": settingsFile("bot: {behaviours: [fix]}\n"),
	})
	d.sync()
	if err := d.ada.ClosePullRequest(t.Context(), d.onlyPull().Number, ""); err != nil {
		t.Fatal(err)
	}
	d.still("a sync after it was declined", func() { d.sync() })
	d.push("main", "", map[string]string{dpg("led"): faulty(t, "led")})
	d.sync()
	if got := d.onlyPull().Title; got != "Mend 2 entries" {
		t.Errorf("title is %q", got)
	}
}

// 735 entries to mend and to assess: the bodies stay below what a forge takes.
func TestBodiesOfALargeRegistry(t *testing.T) {
	files := map[string]string{}
	for i := range 735 {
		id := fmt.Sprintf("e%03d", i)
		files[dpg(id)] = swap(t, faulty(t, id), "UK]", "UK, "+strings.Repeat("uk, ", 20)+"EN]")
	}
	d := newDesk(t, files)
	s := d.sync()
	if s.Fixes != 735 {
		t.Errorf("%d entries to mend, want 735", s.Fixes)
	}
	for _, pr := range d.pulls(forge.Open) {
		t.Logf("%q has a body of %d bytes", pr.Title, len(pr.Body))
		if len(pr.Body) > maxBytes {
			t.Errorf("the body of %q has %d bytes", pr.Title, len(pr.Body))
		}
	}
	if n := len(d.proposed("dpg-bot/fix")); n != 25 {
		t.Errorf("%d files are proposed, want 25", n)
	}
}

// The bot has only so many pull requests open at a time.
func TestPullRequestLimit(t *testing.T) {
	d := newDesk(t, map[string]string{
		dpg("aid"): faulty(t, "aid"), "registry/registry.yaml": settingsFile("bot: {pull_requests: 1}\n"),
	})
	d.sync()
	if pr := d.onlyPull(); pr.Head != botBranch {
		t.Errorf("the open pull request is of %q", pr.Head)
	}
	if !d.logged("dpg-bot/fix waits") {
		t.Errorf("the log does not say that the other waits: %q", d.log)
	}
	d.still("a second sync", func() { d.sync() })
	d.merge(botBranch)
	d.sync()
	if pr := d.onlyPull(); pr.Head != "dpg-bot/fix" {
		t.Errorf("the open pull request is of %q", pr.Head)
	}
}

// A bot that fails says so in one issue, which follows what fails and is closed when
// it is well.
func TestFailingBot(t *testing.T) {
	d := newDesk(t, entries(1))
	issues := func(state forge.State) []forge.Issue {
		t.Helper()
		all, err := d.local.Issues(t.Context(), forge.IssueFilter{State: state})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	mallory := marker("failing", "") + "\nnot the bot's\n"
	if _, err := d.ada.OpenIssue(t.Context(), forge.NewIssue{Title: "The registry's bot fails", Body: mallory}); err != nil {
		t.Fatal(err)
	}
	fails := func(folder string) {
		t.Helper()
		d.bot.Folder = folder
		if _, err := d.bot.Sync(t.Context()); err == nil {
			t.Fatalf("a sync of folder %q does not fail", folder)
		}
	}
	fails("nowhere")
	open := issues(forge.Open)
	if len(open) != 2 || !open[1].Own || !strings.Contains(open[1].Body, `has no folder "nowhere"`) || !strings.Contains(open[1].Body, "**Next: a maintainer.**") {
		t.Fatalf("open issues are %+v", open)
	}
	d.still("failing again", func() { fails("nowhere") })
	fails("`elsewhere")
	if open = issues(forge.Open); len(open) != 2 || !strings.Contains(open[1].Body, "`elsewhere") {
		t.Errorf("open issues are %+v", open)
	}
	d.bot.Folder = ""
	d.sync()
	if open = issues(forge.Open); len(open) != 1 || open[0].Body != mallory {
		t.Errorf("open issues are %+v", open)
	}
	if closed := issues(forge.Closed); len(closed) != 1 || !strings.Contains(closed[0].Body, "well again") {
		t.Errorf("closed issues are %+v", closed)
	}
	d.still("well again", func() { d.sync() })

	// Somebody who stops it does not make it ill.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.bot.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped sync gives %v", err)
	}
	if open = issues(forge.Open); len(open) != 1 {
		t.Errorf("open issues are %+v", open)
	}
}

// Who ruled on a code is credited by the commit that takes it up.
func TestCoAuthors(t *testing.T) {
	d := newDesk(t, entries(2))
	d.sync()
	d.merge(botBranch)
	change := map[string]string{}
	for id, who := range map[string]string{"e000": "ada, id: 1", "e001": "'not a login', id: 2"} {
		change[dpg(id)] = entryFile(id, swap(t, decision, "ada, id: 1", who))
	}
	d.push("main", "", change)
	d.sync()
	message := d.git("", "log", "-1", "--format=%B", "refs/heads/"+botBranch)
	if n := strings.Count(message, "Co-authored-by: "); n != 1 || !strings.Contains(message, "Co-authored-by: ada <1+ada@users.noreply.github.com>") {
		t.Errorf("the commit says\n%s", message)
	}
	d.merge(botBranch)
	d.push("main", "", map[string]string{dpg("e000"): swap(t, change[dpg("e000")], "works offline", "works offline and is encrypted")})
	d.sync()
	if message := d.git("", "log", "-1", "--format=%B", "refs/heads/"+botBranch); strings.Contains(message, "Co-authored-by: ") {
		t.Errorf("what was credited before is credited again:\n%s", message)
	}
}

// A push in the middle of a review is no failure: it gets a review of its own.
func TestPushedMeanwhile(t *testing.T) {
	d := newDesk(t, nil)
	number := d.open("topic", map[string]string{dpg("new"): faulty(t, "new")})
	d.writes.before = func() { d.push("topic", "", map[string]string{dpg("two"): entryFile("two", "")}) }
	d.review(number)
	if !d.logged("was pushed to meanwhile") {
		t.Errorf("the log says nothing of it: %q", d.log)
	}
	d.review(number)
	if said, err := d.local.LineComments(t.Context(), number); err != nil || len(said) != 2 {
		t.Errorf("there are %d suggestions, %v, want 2", len(said), err)
	}
	if c, _ := d.check(d.pull(number).HeadSHA); c.Conclusion != forge.Failure {
		t.Errorf("the check of the new head is %q", c.Conclusion)
	}
}
