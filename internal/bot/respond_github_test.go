package bot

import (
	"flag"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

func (h *hub) respond(number int, comment int64) *Response {
	h.t.Helper()
	r, err := h.bot().Respond(h.t.Context(), number, comment)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// said is what the bot said, by the start of its markers.
func (h *hub) said(number int, purpose string) []string {
	var all []string
	for _, c := range h.Comments(number) {
		if strings.HasPrefix(c.Body, markerStart+purpose) {
			all = append(all, c.Body)
		}
	}
	return all
}

func TestRespondAtGitHub(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fork     bool
		closed   bool // to maintainers
		person   bool // the bot has a token of a person's, not a workflow's
		mends    bool
		answered string
	}{
		{"a branch of the repository", false, false, false, true, "Done, on the branch"},
		{"a fork, with a workflow's token", true, false, false, false, "may not push"},
		{"a fork that lets nobody in", true, true, false, false, "may not push"},
		{"a fork, with a maintainer's token", true, false, true, true, "Done, on the branch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t, entries(2))
			h.AddUser("botty", "write")
			if tt.person {
				h.token, h.person = h.PersonToken("botty"), true
			}
			repo := h.Repo
			pull := githubtest.NewPull{As: "mallory", Head: "new", NoMaintainers: tt.closed}
			if tt.fork {
				repo = h.Fork("mallory")
				pull.From = repo
			}
			repo.Commit("new", map[string]string{dpg("new"): faulty(t, "new")}, "add new")
			number := h.OpenPull(pull)
			stranger := h.Comment("nobody", number, "/dpg fix")
			id := h.Comment("ada", number, "/dpg fix")

			h.respond(number, stranger)
			if text, _ := repo.File("new", dpg("new")); strings.Contains(text, "expression: MIT") {
				t.Error("a stranger's command was followed")
			}
			first := h.requests(func() error { h.respond(number, id); return nil })
			again := h.requests(func() error { h.respond(number, id); return nil })
			t.Logf("%d requests to mend, %d again", len(first.API()), len(again.API()))
			if w := again.Writes(); len(w) > 0 {
				t.Errorf("the second time writes %v", w)
			}
			text, _ := repo.File("new", dpg("new"))
			if mended := !strings.Contains(text, "apache-2.0"); mended != tt.mends {
				t.Errorf("mended is %t, want %t:\n%s", mended, tt.mends, text)
			}
			answers := h.said(number, "answer ")
			if len(answers) != 2 || !strings.Contains(answers[1], tt.answered) {
				t.Errorf("the answers are %q, want %q in the second of two", answers, tt.answered)
			}
		})
	}
}

func TestIssueAtGitHub(t *testing.T) {
	h := newHub(t, entries(2))
	number := h.OpenIssue("mallory", "Add: Open Wells", issueBody("dpg", wells()))
	first := h.requests(func() error { h.respond(number, 0); return nil })
	again := h.requests(func() error { h.respond(number, 0); return nil })
	t.Logf("%d requests to propose, %d again:\n%v\n%v", len(first.API()), len(again.API()), first, again)
	if w := again.Writes(); len(w) > 0 {
		t.Errorf("the second time writes %v", w)
	}
	if said := h.said(number, "issue"); len(said) != 1 || !strings.Contains(said[0], "Proposed as #2") {
		t.Errorf("the bot said %q", said)
	}
	steward := h.Comment("ada", 2, "/dpg reject needs/N1 because a map is no clinic")
	h.respond(2, steward)
	if text, _ := h.File("dpg-bot/issue-1", dpg("open-wells")); !strings.Contains(text, "a map is no clinic") {
		t.Errorf("the ruling is not on the branch:\n%s", text)
	}
}

var every = flag.Bool("every", false, "kill runs at each of their requests to GitHub, not at some")

// Whatever request is refused, or does its work and loses its answer, the next run
// leaves one pull request and one answer.
func TestRespondAtGitHubKilled(t *testing.T) {
	start := func() (*hub, int) {
		h := newHub(t, entries(1))
		number := h.OpenIssue("mallory", "Wells", "Something is not right.")
		h.Comment("ada", number, "/dpg reject e000 needs/N1 because no")
		return h, number
	}
	calm, number := start()
	n := len(calm.requests(func() error { calm.respond(number, 0); return nil }))
	step := 4
	if *every {
		step = 1
	}
	places := 0
	for k := 1; k <= n; k += step {
		h, number := start()
		f := githubtest.Fault{Nth: k, Status: 502}
		if places++; places%2 == 0 {
			f = githubtest.Fault{Nth: k, Drop: true}
		}
		h.Fail(f)
		if _, err := h.bot().Respond(t.Context(), number, 0); err != nil {
			h.respond(number, 0)
		}
		if w := h.requests(func() error { h.respond(number, 0); return nil }).Writes(); len(w) > 0 {
			t.Errorf("request %d: once all is done it writes %v", k, w)
		}
		if answers := h.said(number, "answer "); len(answers) != 1 || !strings.Contains(answers[0], "Done: #2 proposes it") {
			t.Errorf("request %d: the answers are %q, want one that names pull request 2", k, answers)
		}
	}
	t.Logf("failed at %d of %d requests", places, n)
}
