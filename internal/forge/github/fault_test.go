package github_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

// a world is a fake with something to write about.
type world struct {
	*githubtest.Server
	*github.Forge
	opt         github.Options
	pull, issue int
	said        forge.Comment // the bot's own, on the pull request
	topic       string        // head of the pull request
}

func newWorld(t *testing.T, set func(*github.Options)) *world {
	t.Helper()
	w := &world{Server: githubtest.New(t, githubtest.Options{})}
	w.AddUser("ada", "read")
	w.topic = w.Server.Commit("topic", map[string]string{"registry/dpgs/x.yaml": "id: x\nname: X\n"}, "add x")
	w.pull = w.OpenPull(githubtest.NewPull{As: "ada", Head: "topic", Title: "add x"})
	w.issue = w.Server.OpenIssue("ada", "a matter", "why")
	w.opt = options(t, w.Server)
	if set != nil {
		set(&w.opt)
	}
	w.Forge = open(t, w.opt)
	var err error
	if w.said, err = w.Forge.Comment(t.Context(), w.pull, "hello"); err != nil {
		t.Fatal(err)
	}
	w.Reset()
	return w
}

var day = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func (w *world) bot(parent string) forge.NewCommit {
	return forge.NewCommit{
		Branch: "bot/x", Parent: parent, When: day, Message: "assess x",
		Files: map[string][]byte{"registry/assessments/x.yaml": []byte("id: x\n"), "logo.png": {0x89, 'P', 0, 0xff}},
	}
}

// writes are all that change something, with the operations they are made of.
var writes = []struct {
	name       string
	operations []string
	do         func(context.Context, *world) error
}{
	{"commit", []string{"git/create-blob", "git/create-tree", "git/create-commit", "git-receive-pack"}, func(ctx context.Context, w *world) error {
		_, err := w.Forge.Commit(ctx, w.bot(w.Server.Head("main")))
		return err
	}},
	{"delete branch", []string{"git-receive-pack"}, func(ctx context.Context, w *world) error {
		return w.Forge.DeleteBranch(ctx, "topic", w.topic)
	}},
	{"open", []string{"pulls/create", "issues/add-labels"}, func(ctx context.Context, w *world) error {
		w.Server.Commit("bot/y", map[string]string{"y": "y\n"}, "add y")
		p, err := w.Forge.Open(ctx, forge.NewPullRequest{Title: "add y", Body: "why", Head: "bot/y", Base: "main", Labels: []string{"bot"}})
		if err == nil && (p.Number == 0 || !p.Own || !slices.Equal(p.Labels, []string{"bot"})) {
			err = fmt.Errorf("opened %+v", p)
		}
		return err
	}},
	{"update", []string{"issues/update"}, func(ctx context.Context, w *world) error {
		title := "add X"
		return w.Update(ctx, w.pull, forge.Change{Title: &title})
	}},
	{"labels", []string{"issues/add-labels", "issues/remove-label"}, func(ctx context.Context, w *world) error {
		return errors.Join(w.AddLabels(ctx, w.pull, []string{"next: you", "dpg: good"}), w.RemoveLabel(ctx, w.pull, "next: you"))
	}},
	{"close", []string{"issues/create-comment", "issues/update"}, func(ctx context.Context, w *world) error {
		return w.ClosePullRequest(ctx, w.pull, "no longer needed")
	}},
	{"open issue", []string{"issues/create"}, func(ctx context.Context, w *world) error {
		i, err := w.Forge.OpenIssue(ctx, forge.NewIssue{Title: "the bot fails", Body: "so", Labels: []string{"bot"}})
		if err == nil && (i.Number == 0 || !i.Own) {
			err = fmt.Errorf("opened %+v", i)
		}
		return err
	}},
	{"update issue", []string{"issues/update"}, func(ctx context.Context, w *world) error {
		closed := forge.Closed
		return w.UpdateIssue(ctx, w.issue, forge.IssueChange{State: &closed})
	}},
	{"comment", []string{"issues/create-comment"}, func(ctx context.Context, w *world) error {
		c, err := w.Forge.Comment(ctx, w.pull, "good")
		if err == nil && (c.ID == 0 || c.ID == w.said.ID || c.Body != "good") {
			err = fmt.Errorf("said %+v", c)
		}
		return err
	}},
	{"edit comment", []string{"issues/update-comment"}, func(ctx context.Context, w *world) error {
		return w.EditComment(ctx, w.pull, w.said.ID, "better")
	}},
	{"react", []string{"reactions/create-for-issue-comment", "reactions/create-for-issue"}, func(ctx context.Context, w *world) error {
		return errors.Join(w.React(ctx, w.pull, w.said.ID, forge.Eyes), w.React(ctx, w.pull, 0, forge.ThumbsUp))
	}},
	{"comment lines", []string{"pulls/create-review"}, func(ctx context.Context, w *world) error {
		return w.CommentLines(ctx, w.pull, w.topic, []forge.NewLineComment{
			{Path: "registry/dpgs/x.yaml", StartLine: 1, EndLine: 2, Body: "both"}, {Path: "registry/dpgs/x.yaml", StartLine: 2, EndLine: 2, Body: "one"},
		})
	}},
	{"check", []string{"checks/create", "checks/update"}, func(ctx context.Context, w *world) error {
		return w.SetCheck(ctx, w.topic, checkWith(120))
	}},
	{"check again", []string{"checks/update"}, func(ctx context.Context, w *world) error {
		good := forge.Check{Name: "dpg/validate", Conclusion: forge.Success, Title: "no findings"}
		return errors.Join(w.SetCheck(ctx, w.topic, good), w.SetCheck(ctx, w.topic, forge.Check{Name: "dpg/validate", Conclusion: forge.Neutral, Title: "a person"}))
	}},
	{"status", []string{"repos/create-commit-status"}, func(ctx context.Context, w *world) error {
		opt := w.opt
		opt.Tokens, opt.Login = github.StaticToken(w.PersonToken("octo")), ""
		f, err := github.Open(opt)
		return errors.Join(err, f.SetCheck(ctx, w.topic, checkWith(1)))
	}},
}

func checkWith(annotations int) forge.Check {
	c := forge.Check{Name: "dpg/validate", Conclusion: forge.Failure, Title: "errors", Summary: "| a |"}
	for i := range annotations {
		c.Annotations = append(c.Annotations, forge.Annotation{Path: "registry/dpgs/x.yaml", StartLine: 1 + i, EndLine: 1 + i, Level: forge.FailureLevel, Message: "wrong " + strconv.Itoa(i)})
	}
	return c
}

// Whatever happens to any request of a write, the write is made once.
func TestWritesOnce(t *testing.T) {
	faults := []struct {
		name  string
		fault githubtest.Fault
	}{
		{"answer lost", githubtest.Fault{Drop: true}},
		{"cut off before", githubtest.Fault{Refuse: true}},
		{"502", githubtest.Fault{Status: http.StatusBadGateway, Body: "<html>Bad Gateway</html>"}},
		{"no answer", githubtest.Fault{Hang: true}},
		{"slow down", githubtest.Fault{Status: http.StatusForbidden, Header: http.Header{"Retry-After": {"0"}}, Body: `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}},
	}
	for _, tt := range writes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calm := newWorld(t, nil)
			if err := tt.do(t.Context(), calm); err != nil {
				t.Fatal(err)
			}
			want := calm.State()
			for _, op := range tt.operations {
				if n := calm.Requests().Count()[op]; n == 0 {
					t.Errorf("%s is not asked for", op)
				}
			}
			count := calm.Requests().Count()
			for _, op := range tt.operations {
				for nth := 1; nth <= count[op]; nth++ {
					for _, f := range faults {
						if op == "git-receive-pack" && (f.name == "slow down" || f.name == "no answer") {
							continue // GitHub's words for its API; and the bound of Git is a test of its own
						}
						w := newWorld(t, func(o *github.Options) {
							if f.fault.Hang {
								o.Timeout = time.Second
							}
						})
						f.fault.Operation, f.fault.Nth = op, nth
						w.Fail(f.fault)
						if err := tt.do(t.Context(), w); err != nil {
							t.Errorf("%s, %s %d: %v", f.name, op, nth, err)
						}
						if got := w.State(); got != want {
							t.Errorf("%s, %s %d: left\n%s\nwant\n%s", f.name, op, nth, got, want)
						}
					}
				}
			}
		})
	}
}

// What GitHub refuses is said in words that tell what to do.
func TestRefusals(t *testing.T) {
	answer := func(status int, header http.Header, body string) githubtest.Fault {
		return githubtest.Fault{Operation: "pulls/get", Times: -1, Status: status, Header: header, Body: body}
	}
	noonPlus := func(d time.Duration) string { return strconv.FormatInt(noon().Add(d).Unix(), 10) }
	for _, tt := range []struct {
		name  string
		fault githubtest.Fault
		want  string
		is    func(error) bool
	}{
		{"401", answer(401, nil, `{"message":"Bad credentials"}`), "GITHUB_TOKEN", isSetup},
		{"403 for good", answer(403, nil, `{"message":"Resource not accessible by integration"}`), "GET /api/v3/repos/octo/registry/pulls/1", isSetup},
		{"403 archived", answer(403, nil, `{"message":"Repository was archived so is read-only."}`), "unarchive", isSetup},
		{"403 until an hour from now", answer(403, http.Header{"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {noonPlus(time.Hour)}}, `{"message":"API rate limit exceeded"}`), "5000 requests an hour is used up until 13:00 UTC", isLimit},
		{"403 secondary", answer(403, http.Header{"Retry-After": {"3600"}}, `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`), "run again in", isLimit},
		{"429", answer(429, http.Header{"Retry-After": {"3600"}}, `{"message":"Too many requests"}`), "slow down", isLimit},
		{"404", answer(404, nil, `{"message":"Not Found"}`), "not found", func(err error) bool { return errors.Is(err, forge.ErrNotFound) }},
		{"409", answer(409, nil, `{"message":"Git Repository is empty."}`), `answered 409, "Git Repository is empty."`, nil},
		{"422", answer(422, nil, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"No commits between main and x"}]}`), "No commits between main and x", nil},
		{"502 for good", answer(502, nil, "<html>"), "answered 502", nil},
		{"200 that is no JSON", answer(200, nil, "<html>"), "", nil},
		{"301 to nowhere", answer(301, nil, ""), "no address", nil},
		{"301 in circles", answer(301, http.Header{"Location": {"?again"}}, ""), "circles", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.Fail(tt.fault)
			_, err := w.PullRequest(t.Context(), w.pull)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !tt.is(err) {
				t.Errorf("PullRequest = %v (%T), want it to say %q", err, errors.Unwrap(err), tt.want)
			}
			if n := w.Requests().Count()["pulls/get"]; n > 6 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func isSetup(err error) bool {
	var e *github.SetupError
	return errors.As(err, &e)
}

func isLimit(err error) bool {
	var e *github.LimitError
	return errors.As(err, &e)
}

// What passes by itself is waited for.
func TestWaits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault githubtest.Fault
	}{
		{"the primary limit", githubtest.Fault{Status: 403, Header: http.Header{"X-Ratelimit-Limit": {"60"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(noon().Unix(), 10)}}, Body: `{"message":"API rate limit exceeded"}`}},
		{"Retry-After", githubtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"1"}}, Body: `{"message":"slow down"}`}},
		{"three times 502", githubtest.Fault{Status: 502, Times: 3}},
		{"no answer", githubtest.Fault{Hang: true}},
		{"cut off", githubtest.Fault{Drop: true}},
		{"Git cut off", githubtest.Fault{Operation: "git-upload-pack", Drop: true}},
		{"Git's 502", githubtest.Fault{Operation: "git-upload-pack", Status: 502, Times: 2}},
		{"branches cut off", githubtest.Fault{Operation: "info/git-upload-pack", Drop: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *github.Options) {
				if tt.fault.Hang {
					o.Timeout = time.Second
				}
			})
			tt.fault.Operation = cmp.Or(tt.fault.Operation, "pulls/get")
			w.Fail(tt.fault)
			if p, err := w.PullRequest(t.Context(), w.pull); err != nil || p.Number != w.pull {
				t.Errorf("PullRequest = %+v, %v", p, err)
			}
			if _, err := w.Git(t.Context()); err != nil {
				t.Errorf("Git = %v", err)
			}
		})
	}
}

// What has not changed is not sent again.
func TestAsksWhetherChanged(t *testing.T) {
	w := newWorld(t, nil)
	for range 2 {
		if _, err := w.PullRequest(t.Context(), w.pull); err != nil {
			t.Fatal(err)
		}
	}
	rs := w.Requests()
	if len(rs) != 2 || rs[0].Status != 200 || rs[1].Status != 304 {
		t.Errorf("requests %+v, want 200 and then 304", rs)
	}
	w.SetLabels(w.pull, "new")
	if p, err := w.PullRequest(t.Context(), w.pull); err != nil || !slices.Equal(p.Labels, []string{"new"}) {
		t.Errorf("after a change: labels %q, %v", p.Labels, err)
	}
}

// Somebody else is quicker, at any moment: what they did stays.
func TestMovedMeanwhile(t *testing.T) {
	for _, op := range []string{"", "git/create-tree", "git/create-commit", "info/git-receive-pack", "git-receive-pack"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			main := w.Server.Head("main")
			old, err := w.Forge.Commit(t.Context(), w.bot(main))
			if err != nil {
				t.Fatal(err)
			}
			theirs := ""
			w.Reset()
			w.Fail(githubtest.Fault{Operation: op, Then: func() { theirs = w.Server.Commit("bot/x", map[string]string{"person": "was here\n"}, "mine") }})
			again := w.bot(main) // rebuilt on the base, which would overwrite
			again.ExpectedHead, again.Files["more"] = old, []byte("more\n")
			_, err = w.Forge.Commit(t.Context(), again)
			var moved *forge.MovedError
			if !errors.As(err, &moved) || moved.Got != theirs || moved.Want != old {
				t.Errorf("Commit = %v, want a MovedError to %s", err, theirs)
			}
			if at := w.Server.Head("bot/x"); at != theirs {
				t.Errorf("the branch is at %s, want %s", at, theirs)
			}
			if err := w.Forge.DeleteBranch(t.Context(), "bot/x", old); !errors.As(err, &moved) {
				t.Errorf("DeleteBranch = %v, want a MovedError", err)
			}
		})
	}
}

func TestProtectedBranch(t *testing.T) {
	w := newWorld(t, nil)
	w.Protect("bot/x")
	_, err := w.Forge.Commit(t.Context(), w.bot(w.Server.Head("main")))
	if err == nil || !strings.Contains(err.Error(), `refuses to move branch "bot/x"`) {
		t.Errorf("Commit = %v", err)
	}
	if n := w.Requests().Count()["git-receive-pack"]; n != 1 {
		t.Errorf("pushed %d times, want once: a refusal stays one", n)
	}
}

func TestRenamedRepository(t *testing.T) {
	var log strings.Builder
	w := newWorld(t, func(o *github.Options) {
		o.Log = func(format string, args ...any) { fmt.Fprintf(&log, format+"\n", args...) }
	})
	w.Rename("registry-two")
	for _, tt := range writes {
		if tt.name == "status" { // which opens another forge
			continue
		}
		if err := tt.do(t.Context(), w); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := w.Git(t.Context()); err != nil {
		t.Errorf("Git = %v", err)
	}
	if n := strings.Count(log.String(), "another name"); n != 1 {
		t.Errorf("the log says %d times that the name is another, want once:\n%s", n, log.String())
	}
}

// Another host gets nothing: no request, or at least no token.
func TestTokenStaysHome(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	t.Run("redirects", func(t *testing.T) {
		for _, op := range []string{"pulls/get", "issues/create-comment", "git/create-tree", "info/git-upload-pack", "git-upload-pack", "info/git-receive-pack", "git-receive-pack"} {
			for _, status := range []int{301, 307} {
				t.Run(fmt.Sprint(op, status), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, nil)
					w.Fail(githubtest.Fault{Operation: op, Times: -1, Status: status, Header: http.Header{"Location": {thief.URL + "/x"}}})
					ctx := t.Context()
					_, err1 := w.PullRequest(ctx, w.pull)
					_, err2 := w.Forge.Comment(ctx, w.pull, "x")
					_, err3 := w.Forge.Commit(ctx, w.bot(w.Server.Head("main")))
					if errors.Join(err1, err2, err3) == nil {
						t.Error("nothing failed")
					}
				})
			}
		}
	})
	w := newWorld(t, nil)
	id, key := w.AddApp("dpg-bot")
	for _, op := range []string{"apps/get-repo-installation", "apps/create-installation-access-token"} {
		w.Reset()
		w.Fail(githubtest.Fault{Operation: op, Times: -1, Status: 307, Header: http.Header{"Location": {thief.URL + "/x"}}})
		opt := w.opt
		err := github.AsApp(t.Context(), &opt, id, key)
		if err == nil {
			_, err = open(t, opt).PullRequest(t.Context(), w.pull)
		}
		if err == nil {
			t.Errorf("%s: nothing failed", op)
		}
	}
	if len(got) > 0 {
		t.Errorf("another host was asked: %q", got)
	}
}

func TestDefaultBranchNotMain(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{DefaultBranch: "trunk/stable"})
	f := open(t, options(t, s))
	if got, err := f.DefaultBranch(t.Context()); err != nil || got != "trunk/stable" {
		t.Errorf("DefaultBranch = %q, %v", got, err)
	}
	repo, err := f.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if head, err := repo.Head(); err != nil || head.Hash().String() != s.Head("trunk/stable") {
		t.Errorf("HEAD = %v, %v", head, err)
	}
}

func TestEmptyRepository(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{Empty: true, DefaultBranch: "trunk"})
	f, ctx := open(t, options(t, s)), t.Context()
	main, err := f.DefaultBranch(ctx)
	if err != nil || main != "trunk" {
		t.Fatalf("DefaultBranch = %q, %v", main, err)
	}
	if sha, ok, err := f.Head(ctx, main); ok || err != nil {
		t.Errorf("Head = %q, %v, %v", sha, ok, err)
	}
	if _, err := f.Git(ctx); err != nil {
		t.Errorf("Git = %v", err)
	}
	if pulls, err := f.PullRequests(ctx, forge.Filter{}); err != nil || len(pulls) > 0 {
		t.Errorf("PullRequests = %v, %v", pulls, err)
	}
	sha, err := f.Commit(ctx, forge.NewCommit{Branch: main, When: day, Message: "begin", Files: map[string][]byte{"README.md": []byte("hello\n")}})
	if err != nil || s.Head(main) != sha {
		t.Errorf("Commit = %q, %v; the branch is at %q", sha, err, s.Head(main))
	}
}

func TestActionsMayNotOpenPulls(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{NoActionsPulls: true})
	s.Commit("bot/x", map[string]string{"x": "x\n"}, "x")
	_, err := open(t, options(t, s)).Open(t.Context(), forge.NewPullRequest{Title: "t", Head: "bot/x", Base: "main"})
	if !isSetup(err) || !strings.Contains(err.Error(), "Settings, Actions, General") {
		t.Errorf("Open = %v, want a SetupError that says what to tick", err)
	}
}

func TestManyFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("registry/dpgs/%04d.yaml", i)] = fmt.Sprintf("id: x%d\n", i)
	}
	w.Server.Commit("many", files, "many")
	n := w.OpenPull(githubtest.NewPull{As: "ada", Head: "many"})
	w.Reset()
	p, err := w.PullRequest(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	repo, err := w.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := repo.CommitObject(plumbing.NewHash(p.HeadSHA))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := c.Tree()
	if err != nil {
		t.Fatal(err)
	}
	if sub, err := tree.Tree("registry/dpgs"); err != nil || len(sub.Entries) != 3000 {
		t.Errorf("folder: %v, want 3000 files", err)
	}
	if got := len(w.Requests().API()); got != 1 {
		t.Errorf("%d requests to the API, want 1: files are read through Git", got)
	}
}

func TestLongTexts(t *testing.T) {
	w := newWorld(t, nil)
	long := strings.Repeat("é", forge.MaxBody)
	if c, err := w.Forge.Comment(t.Context(), w.pull, long); err != nil || c.Body != long {
		t.Errorf("a comment of %d characters: %v", forge.MaxBody, err)
	}
	n := len(w.Requests())
	if _, err := w.Forge.Comment(t.Context(), w.pull, long+"x"); err == nil || !strings.Contains(err.Error(), "65537 characters; at most 65536 fit") {
		t.Errorf("one more = %v", err)
	}
	if len(w.Requests()) != n {
		t.Error("what does not fit was sent")
	}
	c := checkWith(0)
	c.Summary = long
	if err := w.SetCheck(t.Context(), w.topic, c); err != nil {
		t.Errorf("a check of as many: %v", err)
	}
}

func TestAnnotationsInBatches(t *testing.T) {
	w := newWorld(t, nil)
	for _, n := range []int{120, 50, 0, 51} {
		w.Reset()
		if err := w.SetCheck(t.Context(), w.topic, checkWith(n)); err != nil {
			t.Fatal(err)
		}
		if runs := w.Runs(w.topic); len(runs) != 1 || runs[0].Annotations != n {
			t.Errorf("%d annotations: runs %+v", n, runs)
		}
		before := len(w.Requests())
		if err := w.SetCheck(t.Context(), w.topic, checkWith(n)); err != nil || len(w.Requests()) != before {
			t.Errorf("the same again: %v, %d more requests, want none", err, len(w.Requests())-before)
		}
	}
	// Another process finds it as it is.
	w.Reset()
	if err := open(t, w.opt).SetCheck(t.Context(), w.topic, checkWith(51)); err != nil || len(w.Requests().Writes()) != 0 {
		t.Errorf("the same by another process: %v, wrote %v", err, w.Requests().Writes())
	}
}

// A check that was cut short between two batches is no verdict, and is set again.
func TestCheckCutShort(t *testing.T) {
	w := newWorld(t, nil)
	w.Fail(githubtest.Fault{Operation: "checks/update", Times: -1, Status: 502})
	if err := w.SetCheck(t.Context(), w.topic, checkWith(120)); err == nil {
		t.Fatal("SetCheck did not fail")
	}
	w.Reset()
	f := open(t, w.opt)
	if _, ok, err := f.Check(t.Context(), w.topic, "dpg/validate"); ok || err != nil {
		t.Errorf("Check of half a check = %v, %v, want none", ok, err)
	}
	if err := f.SetCheck(t.Context(), w.topic, checkWith(120)); err != nil {
		t.Fatal(err)
	}
	if c, ok, err := f.Check(t.Context(), w.topic, "dpg/validate"); !ok || err != nil || len(c.Annotations) != 120 {
		t.Errorf("Check = %d annotations, %v, %v", len(c.Annotations), ok, err)
	}
}

func TestForks(t *testing.T) {
	w := newWorld(t, nil)
	fork := w.Fork("mallory")
	head := fork.Commit("fix", map[string]string{"registry/dpgs/z.yaml": "id: z\n"}, "add z")
	n := w.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "fix"})
	kept := w.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "fix", Base: "topic", NoMaintainers: true})
	p, err := w.PullRequest(t.Context(), n)
	if err != nil || p.HeadRepository != "mallory/registry" || p.HeadSHA != head || !p.MayPush {
		t.Fatalf("PullRequest = %+v, %v", p, err)
	}
	if q, err := w.PullRequest(t.Context(), kept); err != nil || q.MayPush {
		t.Errorf("one that maintainers may not push to = %+v, %v", q, err)
	}
	if list, err := w.PullRequests(t.Context(), forge.Filter{Head: "fix"}); err != nil || len(list) != 0 {
		t.Errorf("a filter by head finds a fork's: %v, %v", list, err)
	}
	repo, err := w.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ref, err := repo.Reference(plumbing.ReferenceName(fmt.Sprintf("refs/pull/%d/head", n)), false); err != nil || ref.Hash().String() != head {
		t.Errorf("its reference = %v, %v", ref, err)
	}
	fix := forge.NewCommit{Branch: "fix", Repository: p.HeadRepository, Parent: head, ExpectedHead: head, When: day, Message: "fix", Files: map[string][]byte{"fixed": []byte("yes\n")}}
	if _, err := w.Forge.Commit(t.Context(), fix); !isSetup(err) || !strings.Contains(err.Error(), "mallory/registry") {
		t.Errorf("Commit by a workflow = %v, want a SetupError that names the fork", err)
	}
	opt := w.opt
	opt.Tokens, opt.Login = github.StaticToken(w.PersonToken("octo")), ""
	if sha, err := open(t, opt).Commit(t.Context(), fix); !isNotFoundParent(err) {
		t.Errorf("Commit on a parent that was never read = %q, %v", sha, err)
	}
	f := open(t, opt)
	if _, err := f.PullRequest(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	sha, err := f.Commit(t.Context(), fix)
	if err != nil || fork.Head("fix") != sha {
		t.Errorf("Commit by a maintainer = %q, %v; the fork is at %s", sha, err, fork.Head("fix"))
	}
	if p, err := w.PullRequest(t.Context(), n); err != nil || p.HeadSHA != sha {
		t.Errorf("afterwards the pull request is at %s, %v", p.HeadSHA, err)
	}

	w.DeleteFork(fork)
	p, err = w.PullRequest(t.Context(), n)
	if err != nil || p.HeadRepository == "" || p.MayPush || p.HeadSHA != sha {
		t.Errorf("after the fork was deleted: %+v, %v", p, err)
	}
	if list, err := w.PullRequests(t.Context(), forge.Filter{HeadPrefix: "fix"}); err != nil || len(list) != 0 {
		t.Errorf("a deleted fork's branch counts as one of this repository: %v, %v", list, err)
	}
	if _, err := w.Git(t.Context()); err != nil {
		t.Errorf("Git = %v", err)
	}
}

func isNotFoundParent(err error) bool { return err != nil && strings.Contains(err.Error(), "parent") }

// What a caller holds stays as it is, whatever others do meanwhile.
func TestAtOnce(t *testing.T) {
	for _, cache := range []string{"", t.TempDir()} {
		w := newWorld(t, func(o *github.Options) { o.Cache = cache })
		main := w.Server.Head("main")
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				n := w.bot(main)
				n.Branch = fmt.Sprintf("bot/%d", i)
				ctx := context.WithoutCancel(t.Context())
				sha, err := w.Forge.Commit(ctx, n)
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := w.Forge.Head(ctx, n.Branch); err != nil {
					t.Error(err)
				}
				repo, err := w.Git(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				c, err := repo.CommitObject(plumbing.NewHash(sha))
				if err != nil {
					t.Error(err)
					return
				}
				if f, err := c.File("logo.png"); err != nil || f.Size != 4 {
					t.Errorf("logo.png: %v", err)
				} else if r, err := f.Reader(); err == nil {
					var b bytes.Buffer
					if _, err := b.ReadFrom(r); err != nil || !bytes.Equal(b.Bytes(), n.Files["logo.png"]) {
						t.Errorf("logo.png holds %q, %v", b.Bytes(), err)
					}
				}
			})
		}
		wg.Wait()
	}
}
