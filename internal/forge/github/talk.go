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

func (f *Forge) pullOf(p *github.PullRequest, me forge.User) forge.PullRequest {
	out := forge.PullRequest{
		Number: p.GetNumber(), Title: p.GetTitle(), Body: p.GetBody(),
		Head: p.GetHead().GetRef(), HeadSHA: p.GetHead().GetSHA(), Base: p.GetBase().GetRef(),
		Author: userOf(p.GetUser()), Own: isUser(p.GetUser(), me), Labels: labelsOf(p.Labels), URL: p.GetHTMLURL(),
		Draft: p.GetDraft(),
	}
	switch {
	case !p.GetMergedAt().IsZero() || p.GetMerged():
		out.State = forge.Merged
	case p.GetState() == "closed":
		out.State = forge.Closed
	default:
		out.State = forge.Open
	}
	switch repo := p.GetHead().GetRepo(); {
	case repo == nil: // the fork was deleted
		out.HeadRepository = p.GetHead().GetUser().GetLogin() + "/(deleted)"
	case repo.GetID() != p.GetBase().GetRepo().GetID():
		out.HeadRepository = repo.GetFullName()
		out.MayPush = p.GetMaintainerCanModify()
	default:
		out.MayPush = true
	}
	f.git.saw(out)
	return out
}

func labelsOf(labels []*github.Label) []string {
	out := []string{}
	for _, l := range labels {
		out = append(out, l.GetName())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// positive keeps numbers that nothing can have off the network.
func positive(number int) error {
	if number < 1 {
		return fmt.Errorf("number %d: %w", number, forge.ErrNotFound)
	}
	return nil
}

// PullRequest asks for one.
func (f *Forge) PullRequest(ctx context.Context, number int) (forge.PullRequest, error) {
	if err := positive(number); err != nil {
		return forge.PullRequest{}, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return forge.PullRequest{}, err
	}
	p, _, err := f.api.PullRequests.Get(ctx, f.opt.Owner, f.opt.Name, number)
	if err != nil {
		return forge.PullRequest{}, fmt.Errorf("pull request %d: %w", number, explain(err))
	}
	return f.pullOf(p, me), nil
}

// PullRequests lists a hundred with each request. A filter by head costs one
// request however many there are.
func (f *Forge) PullRequests(ctx context.Context, filter forge.Filter) ([]forge.PullRequest, error) {
	me, err := f.me(ctx)
	if err != nil {
		return nil, err
	}
	opt := &github.PullRequestListOptions{State: "all", Sort: "created", Direction: "asc"}
	switch filter.State {
	case forge.Open:
		opt.State = "open"
	case forge.Closed, forge.Merged:
		opt.State = "closed"
	}
	if filter.Head != "" {
		opt.Head = f.opt.Owner + ":" + filter.Head
	}
	var list []forge.PullRequest
	err = pages(func(page github.ListOptions) (*github.Response, error) {
		opt.ListOptions = page
		some, resp, err := f.api.PullRequests.List(ctx, f.opt.Owner, f.opt.Name, opt)
		for _, p := range some {
			if pr := f.pullOf(p, me); filter.Match(pr) {
				list = append(list, pr)
			}
		}
		return resp, err
	})
	// A page may repeat the last of the one before, where one was opened meanwhile.
	slices.SortStableFunc(list, func(a, b forge.PullRequest) int { return a.Number - b.Number })
	list = slices.CompactFunc(list, func(a, b forge.PullRequest) bool { return a.Number == b.Number })
	return list, err
}

// Open makes a pull request. Where the answer is lost, it looks whether it took
// effect.
func (f *Forge) Open(ctx context.Context, n forge.NewPullRequest) (forge.PullRequest, error) {
	if err := n.Check(); err != nil {
		return forge.PullRequest{}, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return forge.PullRequest{}, err
	}
	head := n.Head
	if n.HeadRepository != "" {
		owner, _, _ := strings.Cut(n.HeadRepository, "/")
		head = owner + ":" + n.Head
	}
	wish := &github.NewPullRequest{Title: &n.Title, Body: &n.Body, Head: &head, Base: &n.Base}
	p, _, err := f.api.PullRequests.Create(ctx, f.opt.Owner, f.opt.Name, wish)
	if unsure(ctx, err) {
		filter := forge.Filter{State: forge.Open}
		if n.HeadRepository == "" {
			filter.Head = n.Head
		}
		open, lerr := f.PullRequests(ctx, filter)
		if lerr != nil {
			return forge.PullRequest{}, fmt.Errorf("open a pull request of %q: %w", n.Head, errors.Join(explain(err), lerr))
		}
		i := slices.IndexFunc(open, func(p forge.PullRequest) bool {
			return p.Own && p.Head == n.Head && p.HeadRepository == n.HeadRepository && p.Base == n.Base && p.Title == n.Title
		})
		if i >= 0 {
			return f.labelled(ctx, open[i], n.Labels)
		}
		p, _, err = f.api.PullRequests.Create(ctx, f.opt.Owner, f.opt.Name, wish)
	}
	if err != nil {
		return forge.PullRequest{}, fmt.Errorf("open a pull request of %q: %w", n.Head, explain(err))
	}
	return f.labelled(ctx, f.pullOf(p, me), n.Labels)
}

func (f *Forge) labelled(ctx context.Context, p forge.PullRequest, labels []string) (forge.PullRequest, error) {
	labels, err := forge.CheckLabels(labels)
	if err != nil || len(labels) == 0 || slices.Equal(labels, p.Labels) {
		return p, err
	}
	p.Labels = labels
	return p, f.AddLabels(ctx, p.Number, labels)
}

// AddLabels sends all of them in one request. Sent twice, it does the same.
func (f *Forge) AddLabels(ctx context.Context, number int, labels []string) error {
	labels, err := forge.CheckLabels(labels)
	if err = errors.Join(positive(number), err); err != nil || len(labels) == 0 {
		return err
	}
	err = f.twice(ctx, func() error {
		// The library's own call sends a bare list, which GitHub does not describe.
		at := fmt.Sprintf("repos/%s/%s/issues/%d/labels", f.opt.Owner, f.opt.Name, number)
		req, err := f.api.NewRequest(http.MethodPost, at, map[string][]string{"labels": labels})
		if err != nil {
			return err
		}
		_, err = f.api.Do(ctx, req, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("label number %d: %w", number, explain(err))
	}
	return nil
}

// RemoveLabel asks GitHub to; a label that is not there is told from a number that is
// not by GitHub's words.
func (f *Forge) RemoveLabel(ctx context.Context, number int, label string) error {
	_, err := forge.CheckLabels([]string{label})
	if err := errors.Join(positive(number), err); err != nil {
		return err
	}
	err = f.twice(ctx, func() error {
		_, err := f.api.Issues.RemoveLabelForIssue(ctx, f.opt.Owner, f.opt.Name, number, url.PathEscape(label))
		return err
	})
	var resp *github.ErrorResponse
	if errors.As(err, &resp) && status(err) == http.StatusNotFound && strings.Contains(strings.ToLower(resp.Message), "label") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take label %q from number %d: %w", label, number, explain(err))
	}
	return nil
}

// Update edits the pull request as the issue that it also is: title and body in one
// request. Sent twice, it does the same.
func (f *Forge) Update(ctx context.Context, number int, c forge.Change) error {
	return f.edit(ctx, number, forge.IssueChange{Title: c.Title, Body: c.Body})
}

func (f *Forge) edit(ctx context.Context, number int, c forge.IssueChange) error {
	if err := errors.Join(positive(number), c.Check()); err != nil {
		return err
	}
	wish := &github.IssueRequest{Title: c.Title, Body: c.Body}
	if c.State != nil {
		state := string(*c.State)
		wish.State = &state
	}
	err := f.twice(ctx, func() error {
		_, _, err := f.api.Issues.Edit(ctx, f.opt.Owner, f.opt.Name, number, wish)
		return err
	})
	if err != nil {
		return fmt.Errorf("update number %d: %w", number, explain(err))
	}
	return nil
}

// twice repeats once, where its answer was lost, a write that does the same when it
// is done twice.
func (f *Forge) twice(ctx context.Context, write func() error) error {
	err := write()
	if unsure(ctx, err) {
		err = write()
	}
	return err
}

// ClosePullRequest says why, once, and closes.
func (f *Forge) ClosePullRequest(ctx context.Context, number int, reason string) error {
	p, err := f.PullRequest(ctx, number)
	if err != nil || p.State != forge.Open {
		return err
	}
	if reason != "" {
		said, err := f.Comments(ctx, number)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(said, func(c forge.Comment) bool { return c.Own && c.Body == reason }) {
			if _, err := f.Comment(ctx, number, reason); err != nil {
				return err
			}
		}
	}
	closed := forge.Closed
	return f.edit(ctx, number, forge.IssueChange{State: &closed})
}

func issueOf(i *github.Issue, me forge.User) forge.Issue {
	state := forge.Open
	if i.GetState() == "closed" {
		state = forge.Closed
	}
	return forge.Issue{
		Number: i.GetNumber(), Title: i.GetTitle(), Body: i.GetBody(), State: state,
		Author: userOf(i.GetUser()), Own: isUser(i.GetUser(), me), Labels: labelsOf(i.Labels), URL: i.GetHTMLURL(),
	}
}

// Issue asks for one.
func (f *Forge) Issue(ctx context.Context, number int) (forge.Issue, error) {
	if err := positive(number); err != nil {
		return forge.Issue{}, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return forge.Issue{}, err
	}
	i, _, err := f.api.Issues.Get(ctx, f.opt.Owner, f.opt.Name, number)
	if err != nil {
		return forge.Issue{}, fmt.Errorf("issue %d: %w", number, explain(err))
	}
	if i.IsPullRequest() {
		return forge.Issue{}, fmt.Errorf("issue %d, which is a pull request: %w", number, forge.ErrNotFound)
	}
	return issueOf(i, me), nil
}

// Issues lists a hundred with each request, of which the pull requests are left out.
func (f *Forge) Issues(ctx context.Context, filter forge.IssueFilter) ([]forge.Issue, error) {
	me, err := f.me(ctx)
	if err != nil {
		return nil, err
	}
	opt := &github.IssueListByRepoOptions{State: "all", Sort: "created", Direction: "asc"}
	if filter.State != "" {
		opt.State = string(filter.State)
	}
	if filter.Label != "" {
		opt.Labels = []string{filter.Label}
	}
	if filter.Own {
		opt.Creator = me.Login
	}
	var list []forge.Issue
	err = pages(func(page github.ListOptions) (*github.Response, error) {
		opt.ListOptions = page
		some, resp, err := f.api.Issues.ListByRepo(ctx, f.opt.Owner, f.opt.Name, opt)
		for _, i := range some {
			if issue := issueOf(i, me); !i.IsPullRequest() && filter.Match(issue) {
				list = append(list, issue)
			}
		}
		return resp, err
	})
	slices.SortStableFunc(list, func(a, b forge.Issue) int { return a.Number - b.Number })
	return slices.CompactFunc(list, func(a, b forge.Issue) bool { return a.Number == b.Number }), err
}

// OpenIssue makes an issue. Where the answer is lost, it looks whether it took effect.
func (f *Forge) OpenIssue(ctx context.Context, n forge.NewIssue) (forge.Issue, error) {
	if err := n.Check(); err != nil {
		return forge.Issue{}, err
	}
	labels, err := forge.CheckLabels(n.Labels)
	if err != nil {
		return forge.Issue{}, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return forge.Issue{}, err
	}
	wish := &github.IssueRequest{Title: &n.Title, Body: &n.Body, Labels: &labels}
	i, _, err := f.api.Issues.Create(ctx, f.opt.Owner, f.opt.Name, wish)
	if unsure(ctx, err) {
		open, lerr := f.Issues(ctx, forge.IssueFilter{State: forge.Open, Own: true})
		if lerr != nil {
			return forge.Issue{}, fmt.Errorf("open an issue: %w", errors.Join(explain(err), lerr))
		}
		if at := slices.IndexFunc(open, func(i forge.Issue) bool { return i.Title == n.Title && i.Body == n.Body }); at >= 0 {
			return open[at], nil
		}
		i, _, err = f.api.Issues.Create(ctx, f.opt.Owner, f.opt.Name, wish)
	}
	if err != nil {
		return forge.Issue{}, fmt.Errorf("open an issue: %w", explain(err))
	}
	return issueOf(i, me), nil
}

// UpdateIssue edits an issue, in one request.
func (f *Forge) UpdateIssue(ctx context.Context, number int, c forge.IssueChange) error {
	return f.edit(ctx, number, c)
}

// Comments lists a hundred with each request.
func (f *Forge) Comments(ctx context.Context, number int) ([]forge.Comment, error) {
	if err := positive(number); err != nil {
		return nil, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return nil, err
	}
	var list []forge.Comment
	err = pages(func(page github.ListOptions) (*github.Response, error) {
		some, resp, err := f.api.Issues.ListComments(ctx, f.opt.Owner, f.opt.Name, number, &github.IssueListCommentsOptions{ListOptions: page})
		for _, c := range some {
			list = append(list, commentOf(c, me))
		}
		return resp, err
	})
	if err != nil {
		return nil, fmt.Errorf("comments on number %d: %w", number, err)
	}
	return list, nil
}

func commentOf(c *github.IssueComment, me forge.User) forge.Comment {
	return forge.Comment{ID: c.GetID(), Author: userOf(c.GetUser()), Own: isUser(c.GetUser(), me), Body: c.GetBody()}
}

// Comment adds a comment. Where the answer is lost, it looks whether it took effect.
func (f *Forge) Comment(ctx context.Context, number int, body string) (forge.Comment, error) {
	if err := errors.Join(positive(number), forge.CheckComment(body)); err != nil {
		return forge.Comment{}, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return forge.Comment{}, err
	}
	c, _, err := f.api.Issues.CreateComment(ctx, f.opt.Owner, f.opt.Name, number, &github.IssueComment{Body: &body})
	if unsure(ctx, err) {
		said, lerr := f.Comments(ctx, number)
		if lerr != nil {
			return forge.Comment{}, fmt.Errorf("comment on number %d: %w", number, errors.Join(explain(err), lerr))
		}
		// The last of ours, if it says the same: an older one was said before.
		said = slices.DeleteFunc(said, func(c forge.Comment) bool { return !c.Own })
		if n := len(said); n > 0 && said[n-1].Body == body {
			return said[n-1], nil
		}
		c, _, err = f.api.Issues.CreateComment(ctx, f.opt.Owner, f.opt.Name, number, &github.IssueComment{Body: &body})
	}
	if err != nil {
		return forge.Comment{}, fmt.Errorf("comment on number %d: %w", number, explain(err))
	}
	return commentOf(c, me), nil
}

// EditComment replaces the body.
func (f *Forge) EditComment(ctx context.Context, number int, id int64, body string) error {
	if err := errors.Join(positive(number), forge.CheckComment(body)); err != nil {
		return err
	}
	err := f.twice(ctx, func() error {
		_, _, err := f.api.Issues.EditComment(ctx, f.opt.Owner, f.opt.Name, id, &github.IssueComment{Body: &body})
		return err
	})
	if err != nil {
		return fmt.Errorf("edit comment %d on number %d: %w", id, number, explain(err))
	}
	return nil
}

// React adds a reaction; GitHub itself counts the same one once.
func (f *Forge) React(ctx context.Context, number int, id int64, r forge.Reaction) error {
	if err := errors.Join(positive(number), r.Check()); err != nil {
		return err
	}
	err := f.twice(ctx, func() error {
		var err error
		if id == 0 {
			_, _, err = f.api.Reactions.CreateIssueReaction(ctx, f.opt.Owner, f.opt.Name, number, string(r))
		} else {
			_, _, err = f.api.Reactions.CreateIssueCommentReaction(ctx, f.opt.Owner, f.opt.Name, id, string(r))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("react to number %d: %w", number, explain(err))
	}
	return nil
}

// LineComments lists a hundred with each request.
func (f *Forge) LineComments(ctx context.Context, number int) ([]forge.LineComment, error) {
	if err := positive(number); err != nil {
		return nil, err
	}
	me, err := f.me(ctx)
	if err != nil {
		return nil, err
	}
	var list []forge.LineComment
	err = pages(func(page github.ListOptions) (*github.Response, error) {
		some, resp, err := f.api.PullRequests.ListComments(ctx, f.opt.Owner, f.opt.Name, number, &github.PullRequestListCommentsOptions{ListOptions: page})
		for _, c := range some {
			end := c.GetLine()
			start := end
			if c.GetStartLine() != 0 {
				start = c.GetStartLine()
			}
			list = append(list, forge.LineComment{
				ID: c.GetID(), Author: userOf(c.GetUser()), Own: isUser(c.GetUser(), me),
				NewLineComment: forge.NewLineComment{Path: c.GetPath(), StartLine: start, EndLine: end, Body: c.GetBody()},
			})
		}
		return resp, err
	})
	if err != nil {
		return nil, fmt.Errorf("remarks on pull request %d: %w", number, err)
	}
	return list, nil
}

// CommentLines adds one review that holds all the remarks. Where the answer is lost,
// it looks whether it took effect.
func (f *Forge) CommentLines(ctx context.Context, number int, sha string, remarks []forge.NewLineComment) error {
	if len(remarks) == 0 {
		return nil
	}
	event, right := "COMMENT", "RIGHT"
	wish := &github.PullRequestReviewRequest{CommitID: &sha, Event: &event}
	for _, r := range remarks {
		if err := r.Check(); err != nil {
			return err
		}
		c := &github.DraftReviewComment{Path: &r.Path, Body: &r.Body, Line: &r.EndLine, Side: &right}
		if r.StartLine != r.EndLine {
			c.StartLine, c.StartSide = &r.StartLine, &right
		}
		wish.Comments = append(wish.Comments, c)
	}
	_, _, err := f.api.PullRequests.CreateReview(ctx, f.opt.Owner, f.opt.Name, number, wish)
	if unsure(ctx, err) {
		there, lerr := f.LineComments(ctx, number)
		if lerr != nil {
			return fmt.Errorf("remarks on pull request %d: %w", number, errors.Join(explain(err), lerr))
		}
		there = slices.DeleteFunc(there, func(c forge.LineComment) bool { return !c.Own })
		if !slices.ContainsFunc(remarks, func(r forge.NewLineComment) bool {
			return !slices.ContainsFunc(there, func(c forge.LineComment) bool { return c.NewLineComment == r })
		}) {
			return nil
		}
		_, _, err = f.api.PullRequests.CreateReview(ctx, f.opt.Owner, f.opt.Name, number, wish)
	}
	if status(err) == http.StatusUnprocessableEntity {
		if p, perr := f.PullRequest(ctx, number); perr == nil && p.HeadSHA != sha {
			return fmt.Errorf("remarks on pull request %d: %w", number, &forge.MovedError{Branch: p.Head, Want: sha, Got: p.HeadSHA})
		}
		return fmt.Errorf("remarks on pull request %d: %w, %w", number, forge.ErrRefused, explain(err))
	}
	if err != nil {
		return fmt.Errorf("remarks on pull request %d: %w", number, explain(err))
	}
	return nil
}

// Permission asks for somebody's role. In a public repository everybody may read.
func (f *Forge) Permission(ctx context.Context, login string) (forge.Permission, error) {
	if !plainName(strings.TrimSuffix(login, "[bot]")) {
		return forge.NoPermission, nil
	}
	level, _, err := f.api.Repositories.GetPermissionLevel(ctx, f.opt.Owner, f.opt.Name, login)
	if status(err) == http.StatusNotFound {
		return forge.NoPermission, nil
	}
	if err != nil {
		return forge.NoPermission, fmt.Errorf("permission of %q: %w", login, explain(err))
	}
	switch level.GetPermission() {
	case "admin":
		return forge.AdminPermission, nil
	case "write", "maintain":
		return forge.WritePermission, nil
	case "read", "triage":
		return forge.ReadPermission, nil
	}
	return forge.NoPermission, nil
}
