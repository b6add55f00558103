// Package forgetest holds forges to the contract of forge.Forge. Only tests import it.
package forgetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

var day = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// Differs says where a forge differs by its nature from what a folder does.
type Differs struct {
	// SignsCommits is a forge that writes author and date of a commit itself, so that
	// the same commit has another sha each time.
	SignsCommits bool
	// ShortChecks is a token that may only set commit statuses: these have a title, pass
	// or fail, and cannot be taken from Failure to Neutral.
	ShortChecks bool
}

// Run holds a forge to its contract. Its default branch must have a commit; branches,
// issues and pull requests are left behind.
func Run(t *testing.T, f forge.Forge, differs Differs) {
	ctx := t.Context()
	main, err := f.DefaultBranch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	base, ok, err := f.Head(ctx, main)
	if err != nil || !ok {
		t.Fatalf("Head(%q) = %q, %v, %v; the test needs a commit there", main, base, ok, err)
	}
	c := conform{f, differs, main, base}
	t.Run("commit", c.commit)
	t.Run("delete branch", c.deleteBranch)
	t.Run("pull request", c.pullRequest)
	t.Run("refused", c.refused)
	t.Run("follow", c.follow)
	t.Run("comments", c.comments)
	t.Run("issues", c.issues)
	t.Run("reactions and lines", c.remarks)
	t.Run("checks", c.checks)
	t.Run("numbers", c.numbers)
}

type conform struct {
	f          forge.Forge
	differs    Differs
	main, base string
}

// branch makes a branch of one commit that adds a file.
func (c conform) branch(t *testing.T, name string) (sha string) {
	t.Helper()
	sha, err := c.f.Commit(t.Context(), forge.NewCommit{
		Branch: name, Parent: c.base, When: day, Message: "add a file",
		Files: map[string][]byte{"made/" + name + ".txt": []byte(name)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

func (c conform) open(t *testing.T, n forge.NewPullRequest) forge.PullRequest {
	t.Helper()
	if n.Base == "" {
		n.Base = c.main
	}
	p, err := c.f.Open(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c conform) commit(t *testing.T) {
	ctx := t.Context()
	first := forge.NewCommit{
		Branch: "conform/commit", Parent: c.base, When: day, Message: "first",
		Files: map[string][]byte{"a/b/c.txt": []byte("one\n"), "a/empty": {}},
	}
	one, err := c.f.Commit(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := c.f.Head(ctx, first.Branch); got != one || !ok || err != nil {
		t.Errorf("Head = %q, %v, %v, want %q", got, ok, err, one)
	}
	var moved *forge.MovedError
	_, err = c.f.Commit(ctx, first)
	if !errors.As(err, &moved) || moved.Got != one || moved.Want != "" {
		t.Errorf("Commit where a branch is = %v, want a MovedError to %s", err, one)
	}
	second := first
	second.Parent, second.ExpectedHead = one, one
	second.Files = map[string][]byte{"a/b/c.txt": nil, "a/gone": nil, "a/d": []byte("two\n")}
	two, err := c.f.Commit(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.f.Commit(ctx, second)
	if !errors.As(err, &moved) || moved.Got != two || moved.Want != one {
		t.Errorf("Commit on an old head = %v, want a MovedError to %s", err, two)
	}
	same := second
	same.Parent, same.ExpectedHead = two, two
	if _, err := c.f.Commit(ctx, same); !errors.Is(err, forge.ErrNoChange) {
		t.Errorf("Commit of nothing new = %v, want ErrNoChange", err)
	}
	rebuilt := first
	rebuilt.ExpectedHead = two
	if sha, err := c.f.Commit(ctx, rebuilt); err != nil || sha != one && !c.differs.SignsCommits {
		t.Errorf("Commit rebuilt on its base = %q, %v, want %q as the first time", sha, err, one)
	} else {
		one = sha
	}

	repo, err := c.f.Git(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, err := repo.CommitObject(plumbing.NewHash(one))
	if err != nil {
		t.Fatal(err)
	}
	if made, err := c.f.Made(ctx, got); !made || err != nil {
		t.Errorf("Made of its own commit = %v, %v", made, err)
	}
	if start, err := repo.CommitObject(plumbing.NewHash(c.base)); err != nil {
		t.Error(err)
	} else if made, err := c.f.Made(ctx, start); made || err != nil {
		t.Errorf("Made of somebody else's commit = %v, %v", made, err)
	}
	if !c.differs.SignsCommits && (got.Author.Name != forge.BotName || got.Author.Email != forge.BotEmail || !got.Committer.When.Equal(day)) {
		t.Errorf("author %v, committed %v, want the bot, %v", got.Author, got.Committer.When, day)
	}
	if len(got.ParentHashes) != 1 || got.ParentHashes[0].String() != c.base {
		t.Errorf("parents %v, want %s", got.ParentHashes, c.base)
	}
}

func (c conform) deleteBranch(t *testing.T) {
	ctx := t.Context()
	const name = "conform/delete"
	sha := c.branch(t, name)
	var moved *forge.MovedError
	if err := c.f.DeleteBranch(ctx, name, c.base); !errors.As(err, &moved) || moved.Got != sha {
		t.Errorf("DeleteBranch expecting another head = %v, want a MovedError to %s", err, sha)
	}
	for range 2 { // the second time it is gone, which is what was asked for
		if err := c.f.DeleteBranch(ctx, name, sha); err != nil {
			t.Errorf("DeleteBranch = %v", err)
		}
	}
	if _, ok, err := c.f.Head(ctx, name); ok || err != nil {
		t.Errorf("Head of a deleted branch = %v, %v", ok, err)
	}
	if err := c.f.DeleteBranch(ctx, c.main, c.base); err == nil {
		t.Error("the default branch was deleted")
	}
}

func (c conform) pullRequest(t *testing.T) {
	ctx := t.Context()
	const name = "conform/pull"
	sha := c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "add it", Body: "why\n", Head: name, Labels: []string{"zeta", "alpha", "zeta"}})
	want := forge.PullRequest{
		Title: "add it", Body: "why\n", State: forge.Open, Head: name, HeadSHA: sha, Base: c.main,
		Own: true, Labels: []string{"alpha", "zeta"}, MayPush: true,
	}
	elsewhere := cmpopts.IgnoreFields(forge.PullRequest{}, "Number", "Author", "URL")
	if diff := cmp.Diff(want, p, elsewhere); diff != "" {
		t.Errorf("Open (-want +got):\n%s", diff)
	}
	if p.Number < 1 || p.Author.Login == "" || p.URL == "" {
		t.Errorf("number %d, author %v, URL %q, want all three", p.Number, p.Author, p.URL)
	}
	if _, err := c.f.Open(ctx, forge.NewPullRequest{Title: "again", Head: name, Base: c.main}); err == nil {
		t.Error("a second pull request for one head was opened")
	}

	title := "add them"
	if err := c.f.Update(ctx, p.Number, forge.Change{Title: &title}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second does nothing
		if err := c.f.AddLabels(ctx, p.Number, []string{"beta: 50 %/?#", "alpha"}); err != nil {
			t.Fatal(err)
		}
		for _, label := range []string{"zeta", "was never there"} {
			if err := c.f.RemoveLabel(ctx, p.Number, label); err != nil {
				t.Fatal(err)
			}
		}
	}
	body := ""
	if err := c.f.Update(ctx, p.Number, forge.Change{Body: &body}); err != nil {
		t.Fatal(err)
	}
	want.Title, want.Labels, want.Body = title, []string{"alpha", "beta: 50 %/?#"}, body
	got, err := c.f.PullRequest(ctx, p.Number)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, elsewhere); diff != "" {
		t.Errorf("after Update (-want +got):\n%s", diff)
	}

	for _, tt := range []struct {
		filter forge.Filter
		want   bool
	}{
		{forge.Filter{}, true},
		{forge.Filter{State: forge.Open}, true},
		{forge.Filter{State: forge.Closed}, false},
		{forge.Filter{HeadPrefix: "conform/pu"}, true},
		{forge.Filter{State: forge.Open, HeadPrefix: "other/"}, false},
	} {
		list, err := c.f.PullRequests(ctx, tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for i, q := range list {
			found = found || q.Number == p.Number
			if i > 0 && list[i-1].Number >= q.Number {
				t.Errorf("PullRequests(%v): %d before %d", tt.filter, list[i-1].Number, q.Number)
			}
		}
		if found != tt.want {
			t.Errorf("PullRequests(%v) finds it: %v, want %v", tt.filter, found, tt.want)
		}
	}

	for range 2 { // the second does nothing
		if err := c.f.ClosePullRequest(ctx, p.Number, "no longer needed"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.f.PullRequest(ctx, p.Number); err != nil || got.State != forge.Closed {
		t.Errorf("after ClosePullRequest: %q, %v", got.State, err)
	}
	said, err := c.f.Comments(ctx, p.Number)
	if err != nil || len(said) != 1 || said[0].Body != "no longer needed" {
		t.Errorf("after ClosePullRequest, Comments = %v, %v, want the reason once", said, err)
	}
	again := c.open(t, forge.NewPullRequest{Title: "once more", Head: name})
	if again.Number <= p.Number {
		t.Errorf("number %d after %d, want a higher one", again.Number, p.Number)
	}
}

func (c conform) refused(t *testing.T) {
	ctx := t.Context()
	const name = "conform/refused"
	sha := c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "t", Head: name})
	const most = 1 << 40
	for _, n := range []int{-1, 0, 1 << 30} {
		if _, err := c.f.PullRequest(ctx, n); !errors.Is(err, forge.ErrNotFound) {
			t.Errorf("PullRequest(%d) = %v, want ErrNotFound", n, err)
		}
		if _, err := c.f.Comment(ctx, n, "hello"); !errors.Is(err, forge.ErrNotFound) {
			t.Errorf("Comment(%d) = %v, want ErrNotFound", n, err)
		}
	}
	if err := c.f.EditComment(ctx, p.Number, most, "hello"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("EditComment = %v, want ErrNotFound", err)
	}
	bad := "\xff"
	for what, err := range map[string]error{
		"blank title":         c.f.Update(ctx, p.Number, forge.Change{Title: new(string)}),
		"title not UTF-8":     c.f.Update(ctx, p.Number, forge.Change{Title: &bad}),
		"body not UTF-8":      c.f.Update(ctx, p.Number, forge.Change{Body: &bad}),
		"blank label":         c.f.AddLabels(ctx, p.Number, []string{" "}),
		"label of nothing":    c.f.AddLabels(ctx, 1<<30, []string{"x"}),
		"no label of nothing": c.f.RemoveLabel(ctx, 1<<30, "x"),
		"check of no commit":  c.f.SetCheck(ctx, strings.Repeat("1", 40), forge.Check{Name: "n", Conclusion: forge.Success, Title: "t"}),
		"check of a branch":   c.f.SetCheck(ctx, name, forge.Check{Name: "n", Conclusion: forge.Success, Title: "t"}),
		"unknown conclusion":  c.f.SetCheck(ctx, sha, forge.Check{Name: "n", Conclusion: "fine", Title: "t"}),
		"annotation's line 0": c.f.SetCheck(ctx, sha, forge.Check{Name: "n", Conclusion: forge.Failure, Title: "t", Annotations: []forge.Annotation{{Path: "a", Level: forge.NoticeLevel, Message: "m"}}}),
		"nothing to propose":  second(c.f.Open(ctx, forge.NewPullRequest{Title: "t", Head: c.main, Base: c.main})),
		"no such head":        second(c.f.Open(ctx, forge.NewPullRequest{Title: "t", Head: "conform/none", Base: c.main})),
		"no such base":        second(c.f.Open(ctx, forge.NewPullRequest{Title: "t", Head: name, Base: "conform/none"})),
		"head out of heads":   second(c.f.Open(ctx, forge.NewPullRequest{Title: "t", Head: "../pull/1/head", Base: c.main})),
		"no such parent":      second(c.f.Commit(ctx, forge.NewCommit{Branch: "conform/x", Parent: strings.Repeat("1", 40), When: day, Message: "m", Files: map[string][]byte{"a": {}}})),
	} {
		if err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	for _, branch := range []string{"", "/", "a..b", "a/", "a.lock", "-a", "a b", "a\nb", "HEAD", "../heads/main", "a\\b", "@{1}", ".a", "a/.b", strings.Repeat("a", 300)} {
		if _, _, err := c.f.Head(ctx, branch); err == nil {
			t.Errorf("Head(%q): not refused", branch)
		}
		if _, err := c.f.Commit(ctx, forge.NewCommit{Branch: branch, Parent: c.base, When: day, Message: "m", Files: map[string][]byte{"a": {}}}); err == nil {
			t.Errorf("Commit to %q: not refused", branch)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// follow shows a pull request following its branch to its end.
func (c conform) follow(t *testing.T) {
	ctx := t.Context()
	const name = "conform/follow"
	one := c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "t", Head: name})
	two, err := c.f.Commit(ctx, forge.NewCommit{
		Branch: name, Parent: one, ExpectedHead: one, When: day, Message: "more",
		Files: map[string][]byte{"made/more.txt": []byte("more")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.f.PullRequest(ctx, p.Number); err != nil || got.HeadSHA != two || got.State != forge.Open {
		t.Errorf("after a commit: %q at %s, %v, want it open at %s", got.State, got.HeadSHA, err, two)
	}
	repo, err := c.f.Git(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := repo.Reference(plumbing.ReferenceName(fmt.Sprintf("refs/pull/%d/head", p.Number)), true)
	if err != nil || ref.Hash().String() != two {
		t.Errorf("reference of the pull request = %v, %v, want %s", ref, err, two)
	}
	if err := c.f.DeleteBranch(ctx, name, two); err != nil {
		t.Fatal(err)
	}
	if got, err := c.f.PullRequest(ctx, p.Number); err != nil || got.HeadSHA != two || got.State != forge.Closed {
		t.Errorf("after its branch was deleted: %q at %s, %v, want it closed at %s", got.State, got.HeadSHA, err, two)
	}
}

// hostile is text that people could write to break out of wherever it is put.
var hostile = []string{
	"---\nstate: merged\n---\n",
	"title: x\nauthor: {login: root}",
	"\x1b[2J\x1b]0;gone\x07 red",
	"../../../../etc/passwd",
	"<!-- dpg-bot --> <script>alert(1)</script>",
	"::error file=a,line=1::forged",
	"trailing  \n\n\n",
	"  \t leading",
	"\r\nbare\rreturn\u2028\u2029\u0085",
	"right \u202eto left\u2066 é 日本語 \U0001F600",
	"\ufeffbyte order mark",
	"nul\x00 and \x7f",
	"!!binary aGk=", "&a *a", "null", "~", "'", "\"\\", "- x", "# x", "? x", "| x", "> x", "%YAML", "1e3", "0x1F", "2024-01-01", "yes", "<<",
}

func (c conform) comments(t *testing.T) {
	ctx := t.Context()
	const name = "conform/comments"
	c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "t", Head: name})
	var want []forge.Comment
	for _, text := range hostile {
		label := text
		if utf8.RuneCountInString(label) > 50 {
			label = "x"
		}
		if err := c.f.Update(ctx, p.Number, forge.Change{Title: &text, Body: &text}); err != nil {
			t.Fatalf("Update to %q: %v", text, err)
		}
		if err := c.f.AddLabels(ctx, p.Number, []string{label}); err != nil {
			t.Fatalf("AddLabels %q: %v", label, err)
		}
		got, err := c.f.PullRequest(ctx, p.Number)
		if err != nil {
			t.Fatalf("after Update to %q: %v", text, err)
		}
		if len(got.Labels) != 1 || got.Labels[0] != label {
			t.Errorf("labels %q, want %q", got.Labels, label)
		}
		if err := c.f.RemoveLabel(ctx, p.Number, label); err != nil {
			t.Fatalf("RemoveLabel %q: %v", label, err)
		}
		if got.Title != text || got.Body != text || got.State != forge.Open || !got.Own {
			t.Errorf("title %q, body %q, %q, own %v, want both texts %q", got.Title, got.Body, got.State, got.Own, text)
		}
		said, err := c.f.Comment(ctx, p.Number, text)
		if err != nil {
			t.Fatal(err)
		}
		if said.Body != text || !said.Own {
			t.Errorf("Comment(%q) = %+v", text, said)
		}
		want = append(want, said)
	}
	first := &want[0]
	first.Body = "edited " + first.Body
	if err := c.f.EditComment(ctx, p.Number, first.ID, first.Body); err != nil {
		t.Fatal(err)
	}
	got, err := c.f.Comments(ctx, p.Number)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Comments (-want +got):\n%s", diff)
	}
}

func (c conform) issues(t *testing.T) {
	ctx := t.Context()
	i, err := c.f.OpenIssue(ctx, forge.NewIssue{Title: "a matter", Body: "why\n", Labels: []string{"conform", "beta"}})
	if err != nil {
		t.Fatal(err)
	}
	want := forge.Issue{Title: "a matter", Body: "why\n", State: forge.Open, Own: true, Labels: []string{"beta", "conform"}}
	elsewhere := cmpopts.IgnoreFields(forge.Issue{}, "Number", "Author", "URL")
	if diff := cmp.Diff(want, i, elsewhere); diff != "" {
		t.Errorf("OpenIssue (-want +got):\n%s", diff)
	}
	if _, err := c.f.PullRequest(ctx, i.Number); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("PullRequest of an issue = %v, want ErrNotFound", err)
	}
	const name = "conform/issues"
	c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "t", Head: name})
	if p.Number <= i.Number {
		t.Errorf("pull request %d after issue %d, want a higher number", p.Number, i.Number)
	}
	if _, err := c.f.Issue(ctx, p.Number); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Issue of a pull request = %v, want ErrNotFound", err)
	}
	if _, err := c.f.Comment(ctx, i.Number, "seen"); err != nil {
		t.Errorf("Comment on an issue = %v", err)
	}

	if err := errors.Join(c.f.AddLabels(ctx, i.Number, []string{"gamma"}), c.f.RemoveLabel(ctx, i.Number, "beta")); err != nil {
		t.Error(err)
	}
	title, closed, body := "another matter", forge.Closed, hostile[0]
	for _, change := range []forge.IssueChange{{Title: &title}, {State: &closed, Body: &body}} {
		if err := c.f.UpdateIssue(ctx, i.Number, change); err != nil {
			t.Fatal(err)
		}
	}
	want.Title, want.Labels, want.State, want.Body = title, []string{"conform", "gamma"}, closed, body
	got, err := c.f.Issue(ctx, i.Number)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, elsewhere); diff != "" {
		t.Errorf("after UpdateIssue (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		filter forge.IssueFilter
		want   bool
	}{
		{forge.IssueFilter{}, true},
		{forge.IssueFilter{State: forge.Closed, Label: "conform", Own: true}, true},
		{forge.IssueFilter{State: forge.Open}, false},
		{forge.IssueFilter{Label: "beta"}, false},
	} {
		list, err := c.f.Issues(ctx, tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		if found := slices.ContainsFunc(list, func(j forge.Issue) bool { return j.Number == i.Number }); found != tt.want {
			t.Errorf("Issues(%v) finds it: %v, want %v", tt.filter, found, tt.want)
		}
		if slices.ContainsFunc(list, func(j forge.Issue) bool { return j.Number == p.Number }) {
			t.Errorf("Issues(%v) lists a pull request", tt.filter)
		}
	}
	merged, blank := forge.Merged, " "
	for what, err := range map[string]error{
		"a merged issue": c.f.UpdateIssue(ctx, i.Number, forge.IssueChange{State: &merged}),
		"a blank title":  c.f.UpdateIssue(ctx, i.Number, forge.IssueChange{Title: &blank}),
		"no such issue":  c.f.UpdateIssue(ctx, 1<<30, forge.IssueChange{Title: &title}),
		"a blank issue":  second(c.f.OpenIssue(ctx, forge.NewIssue{Title: blank})),
	} {
		if err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
}

func (c conform) remarks(t *testing.T) {
	ctx := t.Context()
	const name = "conform/remarks"
	sha := c.branch(t, name)
	p := c.open(t, forge.NewPullRequest{Title: "t", Head: name})
	said, err := c.f.Comment(ctx, p.Number, "/dpg help")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(c.f.React(ctx, p.Number, said.ID, forge.ThumbsUp), c.f.React(ctx, p.Number, 0, forge.Eyes)); err != nil {
			t.Errorf("React = %v", err)
		}
	}
	if err := c.f.React(ctx, p.Number, 0, "shrug"); err == nil {
		t.Error("an unknown reaction was not refused")
	}
	want := []forge.NewLineComment{{Path: "made/" + name + ".txt", StartLine: 1, EndLine: 1, Body: "write\n```suggestion\nthis\n```\n"}}
	if err := c.f.CommentLines(ctx, p.Number, sha, want); err != nil {
		t.Fatal(err)
	}
	var moved *forge.MovedError
	if err := c.f.CommentLines(ctx, p.Number, c.base, want); !errors.As(err, &moved) {
		t.Errorf("CommentLines on another commit = %v, want a MovedError", err)
	}
	list, err := c.f.LineComments(ctx, p.Number)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || !list[0].Own || list[0].ID == 0 || list[0].NewLineComment != want[0] {
		t.Errorf("LineComments = %+v, want %+v of its own", list, want)
	}
	if got, err := c.f.Permission(ctx, p.Author.Login); err != nil || got < forge.WritePermission {
		t.Errorf("Permission of whoever acts = %v, %v, want to write", got, err)
	}
	if got, err := c.f.Permission(ctx, "nobody-at-all"); err != nil || got > forge.ReadPermission {
		t.Errorf("Permission of a stranger = %v, %v, want at most to read", got, err)
	}
}

func (c conform) checks(t *testing.T) {
	ctx := t.Context()
	sha := c.branch(t, "conform/checks")
	want := map[string]forge.Check{}
	names := []string{"dpg-registry/validate", "dpg-registry_validate", "dpg-registry/Validate", "../up", ".hidden", "CON", "a b\n", "é"}
	for i, name := range names {
		if _, ok, err := c.f.Check(ctx, sha, name); ok || err != nil {
			t.Errorf("Check(%q) before it is set = %v, %v", name, ok, err)
		}
		want[name] = forge.Check{
			Name: name, Conclusion: forge.Failure, Title: "1 error", Summary: hostile[i] + "\n| a | b |",
			Annotations: []forge.Annotation{{Path: "registry/dpgs/x.yaml", StartLine: 2, EndLine: 2, StartColumn: 3, EndColumn: 4, Level: forge.FailureLevel, Title: "license-id", Message: hostile[i]}},
		}
		if err := c.f.SetCheck(ctx, sha, want[name]); err != nil {
			t.Fatal(err)
		}
	}
	clean := forge.Check{Name: names[0], Conclusion: forge.Success, Title: "no findings", Annotations: []forge.Annotation{}}
	if err := c.f.SetCheck(ctx, sha, clean); err != nil {
		t.Fatal(err)
	}
	want[names[0]] = clean
	for _, name := range names {
		if c.differs.ShortChecks {
			short := want[name]
			short.Summary, short.Annotations = "", []forge.Annotation{}
			want[name] = short
		}
		got, ok, err := c.f.Check(ctx, sha, name)
		if !ok || err != nil {
			t.Fatalf("Check(%q) = %v, %v", name, ok, err)
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("Check(%q) (-want +got):\n%s", name, diff)
		}
	}
}

// numbers shows that concurrent pull requests get numbers of their own.
func (c conform) numbers(t *testing.T) {
	const n = 6
	for i := range n {
		c.branch(t, fmt.Sprintf("conform/numbers-%d", i))
	}
	var wg sync.WaitGroup
	got := make([]forge.PullRequest, n)
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("conform/numbers-%d", i)
			got[i], errs[i] = c.f.Open(context.WithoutCancel(t.Context()), forge.NewPullRequest{Title: name, Head: name, Base: c.main})
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for i, p := range got {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if seen[p.Number] {
			t.Errorf("number %d twice", p.Number)
		}
		seen[p.Number] = true
		if want := fmt.Sprintf("conform/numbers-%d", i); p.Title != want || p.Head != want {
			t.Errorf("opened %q for %q, want both %q", p.Title, p.Head, want)
		}
	}
}
