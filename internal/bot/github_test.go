package bot

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

// A hub is a fake GitHub with a registry, and the bot as a workflow run starts it:
// anew each time, with nothing kept from the run before.
type hub struct {
	*githubtest.Server
	t      *testing.T
	token  string
	person bool // whose token it is, so that the bot asks who it is
	log    []string
}

func newHub(t *testing.T, files map[string]string) *hub {
	t.Helper()
	all := maps.Clone(smallRegistry)
	maps.Copy(all, files)
	s := githubtest.New(t, githubtest.Options{Files: all, PageSize: 100})
	s.AddUser("ada", "write")
	s.AddUser("mallory", "read")
	return &hub{Server: s, t: t, token: s.WorkflowToken()}
}

func (h *hub) bot() *Bot {
	h.t.Helper()
	login, id := github.Workflow()
	if h.person {
		login, id = "", 0
	}
	f, err := github.Open(github.Options{
		Owner: "octo", Name: "registry", Tokens: github.StaticToken(h.token), Login: login, UserID: id,
		API: h.API(), Server: h.URL(), Now: func() time.Time { return time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return &Bot{Forge: f, AsOf: asOf, Log: func(format string, args ...any) { h.log = append(h.log, fmt.Sprintf(format, args...)) }}
}

func (h *hub) review(number int) error {
	_, err := h.bot().Review(h.t.Context(), number)
	return err
}

func (h *hub) sync() error {
	_, err := h.bot().Sync(h.t.Context())
	return err
}

// requests runs something that must not fail, and returns what it asked for.
func (h *hub) requests(do func() error) githubtest.Requests {
	h.t.Helper()
	h.Reset()
	if err := do(); err != nil {
		h.t.Fatal(err)
	}
	return h.Requests()
}

// faulty is an entry with an error that --fix mends and one that it does not.
func faulty(t *testing.T, id string) string {
	return swap(t, swap(t, entryFile(id, ""), "MIT", "apache-2.0"), "status:", "locations: {deployed_in: [UK]}\nstatus:")
}

// propose opens a pull request from a fork, with another one open beside it.
func (h *hub) propose(text string) int {
	h.t.Helper()
	fork := h.Fork("mallory")
	fork.Commit("new", map[string]string{dpg("new"): text}, "add new")
	number := h.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "new"})
	h.Server.Commit("other", map[string]string{dpg("other"): swap(h.t, entryFile("other", ""), "git.example.org/other/other", "git.example.org/new/new")}, "add other")
	h.OpenPull(githubtest.NewPull{As: "ada", Head: "other"})
	return number
}

// The requests that the documentation promises, Git's own apart.
func TestRequestsOfAReview(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		person     func(*hub, string) string // makes a token of a person's; nil is that of a workflow
		again      int                       // requests at most when nothing changed
	}{
		{"a good entry", entryFile("new", ""), nil, 4},
		{"one to mend, with a suggestion", faulty(t, "new"), nil, 5},
		{"with a person's token", faulty(t, "new"), func(h *hub, who string) string { return h.PersonToken(who) }, 5},
		{"with a person's classic token", faulty(t, "new"), func(h *hub, who string) string { return h.ClassicToken(who) }, 5},
		{"a good entry with a person's token", entryFile("new", ""), func(h *hub, who string) string { return h.PersonToken(who) }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t, entries(2))
			if tt.person != nil {
				h.token, h.person = tt.person(h, "ada"), true
			}
			number := h.propose(tt.text)
			first := h.requests(func() error { return h.review(number) })
			again := h.requests(func() error { return h.review(number) })
			t.Logf("%d requests the first time, %d again:\n%v\n%v", len(first.API()), len(again.API()), first, again)
			if n := len(first.API()); n > 12 {
				t.Errorf("the first review takes %d requests, want 12 at most", n)
			}
			if n := len(again.API()); n > tt.again {
				t.Errorf("another review takes %d requests, want %d at most", n, tt.again)
			}
			if w := again.Writes(); len(w) > 0 {
				t.Errorf("another review writes: %v", w)
			}
			if c := h.Comments(number); len(c) != 1 || !strings.Contains(c[0].Body, "#2 has `dpg/other` with the repository") {
				t.Errorf("comments are %+v", c)
			}
		})
	}
}

func TestRequestsOfASync(t *testing.T) {
	h := newHub(t, entries(2))
	first := h.requests(h.sync)
	waiting := h.requests(h.sync)
	h.Merge(1)
	merged := h.requests(h.sync) // deletes the branch
	idle := h.requests(h.sync)
	t.Logf("%d requests to propose, %d while that waits, %d once it is merged, %d with nothing to do:\n%v\n%v\n%v\n%v",
		len(first.API()), len(waiting.API()), len(merged.API()), len(idle.API()), first, waiting, merged, idle)
	for _, tt := range []struct {
		name string
		is   githubtest.Requests
		most int
	}{{"with a pull request that waits", waiting, 4}, {"with nothing at all to do", idle, 2}} {
		if n := len(tt.is.API()); n > tt.most {
			t.Errorf("a sync %s takes %d requests, want %d at most", tt.name, n, tt.most)
		}
		if w := tt.is.Writes(); len(w) > 0 {
			t.Errorf("a sync %s writes: %v", tt.name, w)
		}
	}
}

// Killed after any of its requests, Git's too, the bot repairs what it left by running
// again. What reads leaves the forge as the request before it did, so without -every
// it is killed at those that may write, and at one in four of the rest.
func TestKilledAtGitHub(t *testing.T) {
	type scene struct {
		name  string
		begin func(t *testing.T) (h *hub, run func() error)
	}
	kills := 0
	for _, sc := range []scene{
		{"a review", func(t *testing.T) (*hub, func() error) {
			h := newHub(t, entries(1))
			number := h.propose(faulty(t, "new"))
			return h, func() error { return h.review(number) }
		}},
		{"a sync", func(t *testing.T) (*hub, func() error) {
			h := newHub(t, map[string]string{dpg("aid"): faulty(t, "aid"), dpg("led"): entryFile("led", "")})
			return h, h.sync
		}},
	} {
		t.Run(sc.name, func(t *testing.T) {
			calm, run := sc.begin(t)
			all := calm.requests(run)
			want := calm.State()
			if w := calm.requests(run).Writes(); len(w) > 0 {
				t.Fatalf("an undisturbed second run writes %v", w)
			}
			t.Logf("an undisturbed run makes %d requests, %d of them to the API", len(all), len(all.API()))
			reads := 0
			for k := 1; k <= len(all); k++ {
				if r := all[k-1]; r.Method == http.MethodGet || r.Operation == "git-upload-pack" {
					if reads++; !*every && reads%4 != 1 {
						continue
					}
				}
				h, run := sc.begin(t)
				h.Fail(githubtest.Fault{Nth: k, Times: -1, Status: 401, Body: `{"message": "Bad credentials"}`})
				// A sync that was well does not fail for not knowing whether an issue says otherwise.
				if err := run(); err == nil && all[k-1].Operation != "issues/list-for-repo" {
					t.Errorf("killed at request %d, %s: the run says nothing of it", k, all[k-1].Operation)
				}
				kills++
				h.Reset()
				if err := run(); err != nil {
					t.Errorf("killed at request %d, then: %v", k, err)
					continue
				}
				if diff := cmp.Diff(want, h.State()); diff != "" {
					t.Errorf("killed at request %d (%s): another end (-undisturbed +repaired):\n%s", k, all[k-1].Operation, diff)
				}
			}
		})
	}
	t.Logf("killed at %d places", kills)
}

// An answer that is lost after GitHub did what was asked leaves nothing twice: this run
// finds what it did, or the next one does.
func TestLostAnswers(t *testing.T) {
	begin := func(t *testing.T) (*hub, int) {
		h := newHub(t, map[string]string{dpg("aid"): faulty(t, "aid"), dpg("led"): entryFile("led", "")})
		return h, h.propose(faulty(t, "new"))
	}
	for _, tt := range []struct {
		name string
		run  func(h *hub, number int) error
	}{
		{"a review", func(h *hub, number int) error { return h.review(number) }},
		{"a sync", func(h *hub, _ int) error { return h.sync() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calm, number := begin(t)
			all := calm.requests(func() error { return tt.run(calm, number) })
			want := calm.State()
			for op := range all.Writes().Count() {
				h, number := begin(t)
				h.Fail(githubtest.Fault{Operation: op, Drop: true})
				first := tt.run(h, number)
				if err := tt.run(h, number); err != nil {
					t.Errorf("the answer to %s is lost (%v), then: %v", op, first, err)
				}
				if diff := cmp.Diff(want, h.State()); diff != "" {
					t.Errorf("the answer to %s is lost: another end (-undisturbed +repaired):\n%s", op, diff)
				}
			}
		})
	}
}

// A run for a fork's pull request has a token that may only read: it says what it
// found, and writes nothing.
func TestReviewWithATokenThatOnlyReads(t *testing.T) {
	h := newHub(t, entries(1))
	number := h.propose(faulty(t, "new"))
	h.token = h.WorkflowToken("contents: read", "pull-requests: read", "issues: read", "checks: read")
	before := h.State()
	b := h.bot()
	b.DryRun = true
	v, err := b.Review(t.Context(), number)
	if err != nil || !strings.Contains(v.Report, "1 thing to mend") {
		t.Errorf("Review: %+v, %v", v, err)
	}
	if diff := cmp.Diff(before, h.State()); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
	if err := h.review(number); err == nil || !strings.Contains(err.Error(), "permission") {
		t.Errorf("without --dry-run the error is %v, which does not say what the token lacks", err)
	}
}

// A label that a person adds or takes away while the bot writes its own is not lost, nor
// does it come back.
func TestLabelsOfTwoAtOnce(t *testing.T) {
	h := newHub(t, entries(1))
	number := h.propose(faulty(t, "new"))
	h.SetLabels(number, "health", "DPG: Good", "next: you", "later")
	h.Fail(githubtest.Fault{Operation: "issues/add-labels", Then: func() { h.SetLabels(number, "water", "health", "DPG: Good", "next: you") }})
	h.Fail(githubtest.Fault{Operation: "issues/remove-label", Then: func() {
		h.SetLabels(number, "urgent", "water", "health", "DPG: Good", "next: you", "dpg: needs changes")
	}})
	if err := h.review(number); err != nil {
		t.Fatal(err)
	}
	if want := `"dpg: needs changes" "health" "next: you" "urgent" "water"`; !strings.Contains(h.State(), want) {
		t.Errorf("want the labels %s in:\n%s", want, h.State())
	}
	if w := h.requests(func() error { return h.review(number) }).Writes(); len(w) > 0 {
		t.Errorf("another review writes: %v", w)
	}
}

// Where GitHub takes no suggestions, the rest of the report stands, and says nothing of
// suggestions that are not there.
func TestSuggestionsRefused(t *testing.T) {
	h := newHub(t, entries(1))
	fork := h.Fork("mallory")
	fork.Commit("new", map[string]string{dpg("new"): faulty(t, "new")}, "add new")
	number := h.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "new"})
	refused := githubtest.Fault{Operation: "pulls/create-review", Times: -1, Status: 422, Body: `{"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}`}
	h.Fail(refused)
	if err := h.review(number); err != nil {
		t.Fatal(err)
	}
	if c := h.Comments(number); len(c) != 1 || !strings.Contains(c[0].Body, "1 thing to mend") || strings.Contains(c[0].Body, "suggests it at the line itself") {
		t.Errorf("comments are %+v, want one that promises no suggestion", c)
	}
	if want := `"dpg: needs changes" "next: you"`; !strings.Contains(h.State(), want) {
		t.Errorf("want the labels %s in:\n%s", want, h.State())
	}
	if log := strings.Join(h.log, "\n"); !strings.Contains(log, "without suggestions") || !strings.Contains(log, "Line could not be resolved") {
		t.Errorf("the log does not say why there is no suggestion:\n%s", log)
	}
	before := h.State()
	h.Reset()
	h.Fail(refused)
	if err := h.review(number); err != nil || h.State() != before {
		t.Errorf("another review: %v, and changes\n%s\nto\n%s", err, before, h.State())
	}
	h.Reset()
	if again := h.requests(func() error { return h.review(number) }); len(again.API()) > 6 {
		t.Errorf("another review takes %d requests, want 6 at most:\n%s", len(again.API()), again)
	}
	// The next commit is another try.
	fork.Commit("new", map[string]string{dpg("new"): swap(t, faulty(t, "new"), "Nurses", "Doctors")}, "again")
	if err := h.review(number); err != nil || !strings.Contains(h.State(), "```suggestion") {
		t.Errorf("later: %v\n%s", err, h.State())
	}
}

// What a fork proposes is reviewed as what the repository itself does, and a person
// reads one message of all suggestions.
func TestReviewAtGitHub(t *testing.T) {
	h := newHub(t, entries(1))
	number := h.propose(faulty(t, "new"))
	if err := h.review(number); err != nil {
		t.Fatal(err)
	}
	state := h.State()
	for _, want := range []string{
		"\"dpg: needs changes\" \"next: you\"", "remark by github-actions[bot] on " + dpg("new") + ":", "```suggestion",
		"check " + CheckName, "failure",
	} {
		if !strings.Contains(state, want) {
			t.Errorf("the state does not have %q:\n%s", want, state)
		}
	}
}
