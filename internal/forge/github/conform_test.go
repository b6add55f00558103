package github_test

import (
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/forge/forgetest"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

// noon is the clock of the tests.
func noon() time.Time { return time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC) }

// options are those of a forge at the fake, with the token of a workflow run.
func options(t *testing.T, s *githubtest.Server) github.Options {
	opt := github.Options{
		Owner: "octo", Name: "registry", Tokens: github.StaticToken(s.WorkflowToken()),
		API: s.API(), Server: s.URL(), Now: noon, Log: t.Logf,
	}
	opt.Login, opt.UserID = github.Workflow()
	return opt
}

func open(t *testing.T, opt github.Options) *github.Forge {
	t.Helper()
	f, err := github.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestConforms(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     func(*testing.T, *githubtest.Server, *github.Options)
		differs forgetest.Differs
	}{
		{"workflow", func(*testing.T, *githubtest.Server, *github.Options) {}, forgetest.Differs{SignsCommits: true}},
		{"workflow pushes", func(_ *testing.T, _ *githubtest.Server, o *github.Options) { o.Push = true }, forgetest.Differs{}},
		{"person", func(_ *testing.T, s *githubtest.Server, o *github.Options) {
			s.AddUser("ada", "write")
			o.Tokens, o.Login, o.UserID = github.StaticToken(s.PersonToken("ada")), "", 0
		}, forgetest.Differs{SignsCommits: true, ShortChecks: true}},
		{"app, with a cache", func(t *testing.T, s *githubtest.Server, o *github.Options) {
			o.Cache, o.Login, o.UserID = t.TempDir(), "", 0
			id, key := s.AddApp("dpg-bot")
			if err := github.AsApp(t.Context(), o, id, key); err != nil {
				t.Fatal(err)
			}
		}, forgetest.Differs{SignsCommits: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := githubtest.New(t, githubtest.Options{})
			opt := options(t, s)
			tt.set(t, s, &opt)
			forgetest.Run(t, open(t, opt), tt.differs)
			t.Logf("requests:\n%s", s.Requests())
		})
	}
}
