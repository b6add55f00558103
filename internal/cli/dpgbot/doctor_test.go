package dpgbot

import (
	"slices"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

// The doctor makes every label that the bot sets.
func TestLabelsAreTheBots(t *testing.T) {
	var made []string
	for _, l := range labels {
		made = append(made, l.name)
	}
	want := append(bot.OwnLabels(), policy.Bot{}.Silent())
	if slices.Sort(want); !slices.Equal(made, want) {
		t.Errorf("made are %q, the bot's are %q", made, want)
	}
}

// Each case changes one thing of a repository where all is well.
func TestExamineSetup(t *testing.T) {
	well := func(change func(*github.Setup)) *github.Setup {
		s := &github.Setup{
			MayOpenPulls: github.Yes, Pages: github.Yes, PagesFrom: "workflow", PagesURL: "https://octo.example.org/registry/",
			Protected: github.Yes, Ruled: github.No, Required: []string{"build", "dpg-registry/validate"},
			May: []github.May{
				{Permission: "checks: write", For: "checks", Answer: github.Yes},
				{Permission: "statuses: write", For: "statuses", Answer: github.Yes},
				{Permission: "contents: write", For: "branches", Answer: github.Yes},
			},
		}
		for _, l := range labels {
			s.Labels = append(s.Labels, strings.ToUpper(l.name)) // GitHub tells no case apart
		}
		change(s)
		return s
	}
	for _, tt := range []struct {
		name      string
		change    func(*github.Setup)
		workflows bool
		want      []string // all that is not ok: its state, and the beginning of what it says
	}{
		{"well", func(*github.Setup) {}, true, nil},
		{"archived", func(s *github.Setup) { s.Archived = true }, true, []string{"fail the repository is archived"}},
		{"may not push", func(s *github.Setup) { s.May[2].Answer = github.No }, true, []string{`fail the token may not do "contents: write", for branches`}},
		{"checks not told", func(s *github.Setup) { s.May[0].Answer = github.Unknown }, true, []string{`skip whether the token may do "checks: write"`}},
		{"statuses only", func(s *github.Setup) { s.May[0].Answer = github.No }, true, nil},
		{"checks only", func(s *github.Setup) { s.May[1].Answer = github.No }, true, nil},
		{"neither", func(s *github.Setup) { s.May[0].Answer, s.May[1].Answer = github.No, github.No }, true,
			[]string{`fail the token may not do "checks: write"`, `fail the token may not do "statuses: write"`}},
		{"no pull requests, with a workflow", func(s *github.Setup) { s.MayOpenPulls = github.No }, true, []string{"fail workflows may not open"}},
		{"no pull requests, without one", func(s *github.Setup) { s.MayOpenPulls = github.No }, false, []string{"warn workflows may not open"}},
		{"pull requests not told", func(s *github.Setup) { s.MayOpenPulls = github.Unknown }, true, []string{"skip whether workflows may open"}},
		{"pages from a branch", func(s *github.Setup) { s.PagesFrom = "gh-pages" }, true, []string{`warn Pages come from branch "gh-pages"`}},
		{"no pages", func(s *github.Setup) { s.Pages = github.No }, true, []string{"warn Pages are off"}},
		{"pages not told", func(s *github.Setup) { s.Pages = github.Unknown }, true, []string{"skip where Pages come from"}},
		{"another check required", func(s *github.Setup) { s.Required = []string{"build"} }, true, []string{"warn the default branch is protected, but does not require"}},
		{"not protected", func(s *github.Setup) { s.Protected, s.Required = github.No, nil }, true, []string{"warn the default branch is not protected"}},
		{"protection not told", func(s *github.Setup) { s.Protected, s.Required = github.Unknown, nil }, true, []string{`skip whether the default branch requires the check "dpg-registry/validate": no ruleset does`}},
		{"protection not told, a ruleset of other things", func(s *github.Setup) { s.Protected, s.Ruled, s.Required = github.Unknown, github.Yes, nil }, true, []string{`skip whether the default branch requires the check "dpg-registry/validate": no ruleset does`}},
		{"protection not told, a ruleset that requires it", func(s *github.Setup) { s.Protected, s.Ruled = github.Unknown, github.Yes }, true, nil},
		{"rulesets not told", func(s *github.Setup) { s.Ruled, s.Required = github.Unknown, nil }, true, []string{`skip whether the default branch requires the check "dpg-registry/validate": branch protection does not`}},
		{"nothing told", func(s *github.Setup) { s.Protected, s.Ruled, s.Required = github.Unknown, github.Unknown, nil }, true, []string{"skip whether the default branch requires the bot's check"}},
		{"a ruleset of other things", func(s *github.Setup) { s.Protected, s.Ruled, s.Required = github.No, github.Yes, nil }, true, []string{"warn the default branch is protected, but does not require"}},
		{"one label missing", func(s *github.Setup) { s.Labels = s.Labels[1:] }, true, []string{`warn labels that are missing: "dpg: good"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range examineSetup(well(tt.change), tt.workflows) {
				if s.state != "ok" {
					got = append(got, s.state+" "+s.what)
				}
				if (s.state == "fail" || s.state == "warn") && s.do == "" {
					t.Errorf("%q says not what to do", s.what)
				}
			}
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("not ok: %q, want %q", got, tt.want)
			}
		})
	}
}
