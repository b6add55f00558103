package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// A Setup is what people have set up at a repository and for the token, as far as the
// token may see it.
type Setup struct {
	Archived     bool
	MayOpenPulls Answer // workflows may open pull requests
	Pages        Answer // a site is published
	// PagesFrom is "workflow", or the branch that the site is built from.
	PagesFrom string
	PagesURL  string
	Labels    []string // sorted
	Protected Answer   // the default branch has branch protection; few tokens may ask
	Ruled     Answer   // rulesets are about the default branch
	// Required are the checks without which nothing is merged into it, by branch
	// protection or by a ruleset, as far as they are known; sorted.
	Required []string
	May      []May // in a fixed order
}

// An Answer may be that the token may not ask.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// May says whether the token may do a thing.
type May struct {
	Permission string // as under "permissions:" in a workflow, such as "checks: write"
	For        string // what the bot needs it for
	Answer     Answer
	Why        string // GitHub's refusal in words, where it is not Yes
}

// Setup asks for all of it, and changes nothing.
func (f *Forge) Setup(ctx context.Context) (*Setup, error) {
	owner, name := f.opt.Owner, f.opt.Name
	repo, _, err := f.api.Repositories.Get(ctx, owner, name)
	if err != nil {
		return nil, fmt.Errorf("repository %s/%s: %w", owner, name, explain(err))
	}
	s := &Setup{Archived: repo.GetArchived(), MayOpenPulls: Unknown, Pages: Unknown, Protected: Unknown, Ruled: Unknown}
	main := repo.GetDefaultBranch()

	if may, _, err := f.api.Repositories.GetDefaultWorkflowPermissions(ctx, owner, name); err == nil {
		s.MayOpenPulls = answer(may.GetCanApprovePullRequestReviews())
	} else if !hidden(err) {
		return nil, fmt.Errorf("what workflows may do: %w", explain(err))
	}

	switch pages, _, err := f.api.Repositories.GetPagesInfo(ctx, owner, name); {
	case err == nil:
		s.Pages, s.PagesURL = Yes, pages.GetHTMLURL()
		s.PagesFrom = pages.GetSource().GetBranch()
		if pages.GetBuildType() == "workflow" {
			s.PagesFrom = "workflow"
		}
	case status(err) == http.StatusNotFound:
		s.Pages = No
	case !hidden(err):
		return nil, fmt.Errorf("pages: %w", explain(err))
	}

	if s.Labels, err = f.labels(ctx); err != nil {
		return nil, err
	}
	switch rules, _, err := f.api.Repositories.GetBranchProtection(ctx, owner, name, main); {
	case err == nil:
		s.Protected, s.Required = Yes, required(rules)
	case errors.Is(err, github.ErrBranchNotProtected):
		s.Protected = No
	case !hidden(err):
		return nil, fmt.Errorf("protection of branch %q: %w", main, explain(err))
	}
	switch ruled, checks, err := f.rules(ctx, main); {
	case err == nil:
		s.Ruled = answer(ruled)
		s.Required = append(s.Required, checks...)
		slices.Sort(s.Required)
		s.Required = slices.Compact(s.Required)
	case !errors.Is(err, forge.ErrNotFound) && !hidden(err):
		return nil, fmt.Errorf("rules for branch %q: %w", main, err)
	}
	s.May, err = f.may(ctx, main, s.Labels)
	return s, err
}

// rules asks which rules of rulesets hold for a branch, the organisation's too: whether
// there are any, and the checks that they require. The library's own call refuses
// kinds of rules that are newer than itself, and reads one page.
func (f *Forge) rules(ctx context.Context, branch string) (any bool, checks []string, err error) {
	err = pages(func(page github.ListOptions) (*github.Response, error) {
		at := fmt.Sprintf("repos/%s/%s/rules/branches/%s?per_page=%d&page=%d", f.opt.Owner, f.opt.Name, url.PathEscape(branch), page.PerPage, max(page.Page, 1))
		req, err := f.api.NewRequest(http.MethodGet, at, nil)
		if err != nil {
			return nil, err
		}
		var some []struct {
			Parameters struct {
				Checks []struct {
					Context string `json:"context"`
				} `json:"required_status_checks"`
			} `json:"parameters"`
		}
		resp, err := f.api.Do(ctx, req, &some)
		for _, rule := range some {
			any = true
			for _, c := range rule.Parameters.Checks {
				checks = append(checks, c.Context)
			}
		}
		return resp, err
	})
	return any, checks, err
}

// hidden reports whether the token may not ask. GitHub says "not found" of what some
// may not see.
func hidden(err error) bool {
	switch status(err) {
	case http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

func (f *Forge) labels(ctx context.Context) ([]string, error) {
	var names []string
	err := pages(func(page github.ListOptions) (*github.Response, error) {
		some, resp, err := f.api.Issues.ListLabels(ctx, f.opt.Owner, f.opt.Name, &page)
		for _, l := range some {
			names = append(names, l.GetName())
		}
		return resp, err
	})
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

func required(p *github.Protection) []string {
	if p.RequiredStatusChecks == nil {
		return nil
	}
	var names []string
	if p.RequiredStatusChecks.Checks != nil {
		for _, c := range *p.RequiredStatusChecks.Checks {
			names = append(names, c.Context)
		}
	}
	if p.RequiredStatusChecks.Contexts != nil {
		names = append(names, *p.RequiredStatusChecks.Contexts...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// may finds out what the token may write without writing anything: it asks for what
// cannot be, such as a check of a commit that is not there. Who may not is told so
// before GitHub looks whether it could be done.
func (f *Forge) may(ctx context.Context, main string, labels []string) ([]May, error) {
	owner, name := f.opt.Owner, f.opt.Name
	nowhere := strings.Repeat("0", 40)
	probes := []struct {
		permission, use string
		ask             func() error
	}{
		{"checks: write", "checks with remarks on lines", func() error {
			_, _, err := f.api.Checks.CreateCheckRun(ctx, owner, name, github.CreateCheckRunOptions{Name: "doctor", HeadSHA: nowhere})
			return err
		}},
		{"statuses: write", "checks where it may not make those with remarks", func() error {
			_, _, err := f.api.Repositories.CreateStatus(ctx, owner, name, nowhere, &github.RepoStatus{State: github.String("pending")})
			return err
		}},
		{"contents: write", "branches of its own", func() error {
			_, _, err := f.api.Git.CreateRef(ctx, owner, name, &github.Reference{Ref: github.String("refs/heads/dpg-doctor"), Object: &github.GitObject{SHA: &nowhere}})
			return err
		}},
		{"pull-requests: write", "pull requests of its own", func() error {
			_, _, err := f.api.PullRequests.Create(ctx, owner, name, &github.NewPullRequest{Title: github.String("doctor"), Head: github.String("dpg-doctor/is-not-there"), Base: &main})
			return err
		}},
	}
	if len(labels) > 0 {
		probes = append(probes, struct {
			permission, use string
			ask             func() error
		}{"issues: write", "comments, labels and issues", func() error {
			_, _, err := f.api.Issues.CreateLabel(ctx, owner, name, &github.Label{Name: &labels[0]})
			return err
		}})
	}
	var all []May
	for _, p := range probes {
		m := May{Permission: p.permission, For: p.use, Answer: Unknown}
		err := p.ask()
		switch status(err) {
		case http.StatusUnprocessableEntity, http.StatusConflict:
			m.Answer = Yes
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			m.Answer, m.Why = No, explain(err).Error()
			if setup := (*SetupError)(nil); errors.As(explain(err), &setup) {
				m.Why = setup.What
			}
		default:
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m.Why = "GitHub's answer does not tell"
			if err != nil {
				m.Why = explain(err).Error()
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// MakeLabel makes a label that is not there yet.
func (f *Forge) MakeLabel(ctx context.Context, name, color, description string) error {
	_, _, err := f.api.Issues.CreateLabel(ctx, f.opt.Owner, f.opt.Name, &github.Label{Name: &name, Color: &color, Description: &description})
	if status(err) == http.StatusUnprocessableEntity { // somebody was quicker, or the answer was lost
		if there, lerr := f.labels(ctx); lerr == nil && slices.ContainsFunc(there, func(l string) bool { return strings.EqualFold(l, name) }) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("make label %q: %w", name, explain(err))
	}
	return nil
}
