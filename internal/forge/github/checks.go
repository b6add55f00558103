package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

type checkKey struct{ sha, name string }

// remoteCheck is where a check stands.
type remoteCheck struct {
	id     int64  // of the check run to change; 0 for a commit status, and where a new one is made
	last   int64  // of the last check run of the name
	digest string // of what it says; "" for a commit status
	status string // state and description of a commit status
}

// batch is how many annotations GitHub takes at once.
const batch = 50

// maxSummary is how many characters GitHub takes of a check's summary: one fewer
// than of a comment.
const maxSummary = 65_535

func digest(c forge.Check) string {
	text, _ := json.Marshal(c) // of plain fields it cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// SetCheck makes a check run, or changes the one that is there. Annotations are
// sent fifty at a time. Where the token may not make check runs it sets a commit
// status, which has a title and no more.
func (f *Forge) SetCheck(ctx context.Context, sha string, c forge.Check) error {
	if err := errors.Join(c.Check(), forge.CheckSHA(sha)); err != nil {
		return err
	}
	if c.Annotations == nil {
		c.Annotations = []forge.Annotation{}
	}
	key := checkKey{sha, c.Name}
	f.mu.Lock()
	had, looked, statuses := f.checks[key], f.checks[key] != nil, f.statuses
	f.mu.Unlock()
	if !looked {
		if _, _, err := f.Check(ctx, sha, c.Name); err != nil {
			return err
		}
		f.mu.Lock()
		had, statuses = f.checks[key], f.statuses
		f.mu.Unlock()
	}
	if had == nil {
		had = &remoteCheck{}
	}
	if had.digest == digest(c) || statuses && had.status == statusOf(c) {
		return nil
	}
	if !statuses {
		last, err := f.setRun(ctx, sha, c, *had)
		if status(err) != http.StatusForbidden {
			if err != nil {
				f.forget(key) // how far it came is asked for the next time
				return fmt.Errorf("set check %s of %.7s: %w", c.Name, sha, explain(err))
			}
			id := last
			if len(c.Annotations) > 0 {
				id = 0 // they cannot be taken back: a change is a new run
			}
			f.remember(key, &remoteCheck{id: id, last: last, digest: digest(c)})
			return nil
		}
		// Only an app may make check runs, such as the one that a workflow runs as.
		f.logf("the token may not make check runs; a commit status says the same in short")
		f.mu.Lock()
		f.statuses = true
		f.mu.Unlock()
		me, err := f.me(ctx)
		if err != nil {
			return err
		}
		if !isPerson(me) { // of a person's, Check has looked
			if s, err := f.status(ctx, key); err != nil {
				return err
			} else if s.GetState() != "" && s.GetState()+" "+s.GetDescription() == statusOf(c) {
				return nil
			}
		}
	}
	state, text, _ := strings.Cut(statusOf(c), " ")
	err := f.twice(ctx, func() error {
		_, _, err := f.api.Repositories.CreateStatus(ctx, f.opt.Owner, f.opt.Name, sha, &github.RepoStatus{State: &state, Description: &text, Context: &c.Name})
		return err
	})
	if err != nil {
		return fmt.Errorf("set commit status %s of %.7s: %w", c.Name, sha, explain(err))
	}
	f.remember(key, &remoteCheck{status: statusOf(c)})
	return nil
}

func (f *Forge) remember(key checkKey, r *remoteCheck) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.checks) > 10_000 {
		clear(f.checks)
	}
	f.checks[key] = r
}

func (f *Forge) forget(key checkKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.checks, key)
}

// statusOf is a check as a commit status: neutral passes, as it does for a required
// check run.
func statusOf(c forge.Check) string {
	state := "success"
	if c.Conclusion == forge.Failure {
		state = "failure"
	}
	return state + " " + clip(c.Title, 139)
}

// setRun makes or changes a check run and returns its id. A write whose answer was
// lost is done again only if it took no effect.
func (f *Forge) setRun(ctx context.Context, sha string, c forge.Check, had remoteCheck) (int64, error) {
	key := checkKey{sha, c.Name}
	completed, conclusion, external := "completed", string(c.Conclusion), digest(c)
	notes := make([]*github.CheckRunAnnotation, len(c.Annotations))
	for i, a := range c.Annotations {
		notes[i] = annotationOf(a)
	}
	summary := cmp.Or(c.Summary, c.Title) // GitHub wants one
	if r := []rune(summary); len(r) > maxSummary {
		summary = string(r[:maxSummary])
	}
	id := had.id
	for at := 0; at == 0 || at < len(notes); at += batch {
		end := min(at+batch, len(notes))
		// The digest goes with the last batch: a check that is cut short is set again.
		mark := ""
		if end == len(notes) {
			mark = external
		}
		output := &github.CheckRunOutput{Title: &c.Title, Summary: &summary, Annotations: notes[at:end]}
		write := func() (run *github.CheckRun, err error) {
			if id == 0 {
				run, _, err = f.api.Checks.CreateCheckRun(ctx, f.opt.Owner, f.opt.Name, github.CreateCheckRunOptions{
					Name: c.Name, HeadSHA: sha, ExternalID: &mark, Status: &completed, Conclusion: &conclusion, Output: output,
				})
			} else {
				run, _, err = f.api.Checks.UpdateCheckRun(ctx, f.opt.Owner, f.opt.Name, id, github.UpdateCheckRunOptions{
					Name: c.Name, ExternalID: &mark, Status: &completed, Conclusion: &conclusion, Output: output,
				})
			}
			return run, err
		}
		run, err := write()
		if unsure(ctx, err) {
			now, lerr := f.run(ctx, key)
			if lerr != nil {
				return 0, errors.Join(err, lerr)
			}
			took := now != nil && (id == 0 && now.GetID() > had.last || now.GetID() == id && now.GetOutput().GetAnnotationsCount() == end && end > at)
			if took {
				run, err = now, nil
			} else {
				run, err = write()
			}
		}
		if err != nil {
			return 0, err
		}
		id = run.GetID()
	}
	return id, nil
}

func annotationOf(a forge.Annotation) *github.CheckRunAnnotation {
	level := string(a.Level)
	out := &github.CheckRunAnnotation{
		Path: &a.Path, StartLine: &a.StartLine, EndLine: &a.EndLine,
		AnnotationLevel: &level, Message: &a.Message,
	}
	if a.Title != "" {
		out.Title = &a.Title
	}
	if a.StartColumn > 0 && a.StartLine == a.EndLine { // GitHub refuses columns of several lines
		end := max(a.EndColumn, a.StartColumn)
		out.StartColumn, out.EndColumn = &a.StartColumn, &end
	}
	return out
}

// run finds the last check run of a name, nil if there is none.
func (f *Forge) run(ctx context.Context, key checkKey) (*github.CheckRun, error) {
	list, _, err := f.api.Checks.ListCheckRunsForRef(ctx, f.opt.Owner, f.opt.Name, key.sha, &github.ListCheckRunsOptions{CheckName: &key.name})
	if err != nil {
		return nil, err
	}
	var last *github.CheckRun
	for _, r := range list.CheckRuns {
		if r.GetName() == key.name && (last == nil || r.GetID() > last.GetID()) {
			last = r
		}
	}
	return last, nil
}

// Check reads the last check run of the name, or the commit status where the token
// may not make check runs.
func (f *Forge) Check(ctx context.Context, sha, name string) (c forge.Check, ok bool, err error) {
	if err := forge.CheckSHA(sha); err != nil {
		return c, false, err
	}
	key := checkKey{sha, name}
	me, err := f.me(ctx)
	if err != nil {
		return c, false, err
	}
	f.mu.Lock()
	statuses := f.statuses
	f.mu.Unlock()
	// A person's token may not make check runs, which is found out when it tries. One
	// that set a commit status before has tried.
	if statuses || isPerson(me) {
		s, err := f.status(ctx, key)
		if err != nil {
			return c, false, err
		}
		if !statuses && s != nil && isUser(s.GetCreator(), me) {
			statuses = true
			f.mu.Lock()
			f.statuses = true
			f.mu.Unlock()
		}
		if statuses {
			c, ok = checkOf(name, s)
			return c, ok, nil
		}
	}
	run, err := f.run(ctx, key)
	if err != nil {
		return c, false, fmt.Errorf("check %s of %.7s: %w", name, sha, explain(err))
	}
	if run == nil || run.GetStatus() != "completed" {
		f.remember(key, &remoteCheck{id: run.GetID(), last: run.GetID()})
		return c, false, nil
	}
	c = forge.Check{
		Name: name, Conclusion: forge.Conclusion(run.GetConclusion()),
		Title: run.GetOutput().GetTitle(), Summary: run.GetOutput().GetSummary(), Annotations: []forge.Annotation{},
	}
	if c.Summary == c.Title { // which is what setRun gives for none
		c.Summary = ""
	}
	if run.GetOutput().GetAnnotationsCount() > 0 {
		err = pages(func(page github.ListOptions) (*github.Response, error) {
			some, resp, err := f.api.Checks.ListCheckRunAnnotations(ctx, f.opt.Owner, f.opt.Name, run.GetID(), &page)
			for _, a := range some {
				c.Annotations = append(c.Annotations, forge.Annotation{
					Path: a.GetPath(), StartLine: a.GetStartLine(), EndLine: a.GetEndLine(),
					StartColumn: a.GetStartColumn(), EndColumn: a.GetEndColumn(),
					Level: forge.Level(a.GetAnnotationLevel()), Title: a.GetTitle(), Message: a.GetMessage(),
				})
			}
			return resp, err
		})
		if err != nil {
			return c, false, fmt.Errorf("annotations of check %s of %.7s: %w", name, sha, err)
		}
	}
	if run.GetExternalID() == "" && len(c.Annotations) >= batch { // its making was cut short
		f.remember(key, &remoteCheck{last: run.GetID()})
		return forge.Check{}, false, nil
	}
	r := &remoteCheck{id: run.GetID(), last: run.GetID(), digest: cmp.Or(run.GetExternalID(), "none")}
	if len(c.Annotations) > 0 {
		r.id = 0 // they cannot be taken back: a change is a new run
	}
	f.remember(key, r)
	return c, true, nil
}

// isPerson reports whether somebody is neither an app nor a workflow run.
func isPerson(u forge.User) bool { return !strings.HasSuffix(u.Login, "[bot]") }

// checkOf is a commit status as a check; ok is false if there is none.
func checkOf(name string, s *github.RepoStatus) (c forge.Check, ok bool) {
	if s == nil {
		return c, false
	}
	conclusion := forge.Success
	if s.GetState() != "success" {
		conclusion = forge.Failure
	}
	return forge.Check{Name: name, Conclusion: conclusion, Title: s.GetDescription(), Annotations: []forge.Annotation{}}, true
}

// status finds the commit status of a name, nil if there is none.
func (f *Forge) status(ctx context.Context, key checkKey) (*github.RepoStatus, error) {
	var found *github.RepoStatus
	err := pages(func(page github.ListOptions) (*github.Response, error) {
		some, resp, err := f.api.Repositories.ListStatuses(ctx, f.opt.Owner, f.opt.Name, key.sha, &page)
		// The newest comes first.
		if i := slices.IndexFunc(some, func(s *github.RepoStatus) bool { return s.GetContext() == key.name }); i >= 0 && found == nil {
			found = some[i]
			return nil, err
		}
		return resp, err
	})
	if err != nil {
		return nil, fmt.Errorf("commit status %s of %.7s: %w", key.name, key.sha, err)
	}
	r := &remoteCheck{}
	if found != nil {
		r.status = found.GetState() + " " + found.GetDescription()
	}
	f.remember(key, r)
	return found, nil
}
