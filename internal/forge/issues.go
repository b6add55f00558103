package forge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const issueFile = "issue.yaml"

// An issueRecord is issue.yaml.
type issueRecord struct {
	Number int     `yaml:"number"`
	Title  plain   `yaml:"title"`
	State  State   `yaml:"state"`
	Author author  `yaml:"author"`
	Labels []plain `yaml:"labels,flow"`
}

func (r issueRecord) check(number int) error {
	if r.Number != number {
		return fmt.Errorf("number is %d; in this folder it is %d", r.Number, number)
	}
	title := string(r.Title)
	if err := (IssueChange{Title: &title, State: &r.State}).Check(); err != nil {
		return err
	}
	_, err := CheckLabels(texts[string](r.Labels))
	return err
}

// Issue reads pulls/NUMBER, where it is an issue.
func (l *Local) Issue(ctx context.Context, number int) (Issue, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return Issue{}, err
	}
	defer leave()
	return l.issue(number)
}

func (l *Local) issueRecord(number int) (issueRecord, error) {
	var r issueRecord
	name := path.Join(pullDir(number), issueFile)
	if err := l.readYAML(name, &r); errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("issue %d: %w", number, ErrNotFound)
	} else if err != nil {
		return r, err
	}
	if err := r.check(number); err != nil {
		return r, fmt.Errorf("read %s: %w", l.full(name), err)
	}
	return r, nil
}

func (l *Local) issue(number int) (Issue, error) {
	r, err := l.issueRecord(number)
	if err != nil {
		return Issue{}, err
	}
	dir := pullDir(number)
	body, err := l.read(path.Join(dir, bodyFile), maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Issue{}, err
	}
	labels, err := CheckLabels(texts[string](r.Labels))
	u := r.Author.user()
	return Issue{
		Number: number, Title: string(r.Title), Body: string(body), State: r.State,
		Author: u, Own: u == l.user, Labels: labels, URL: l.full(dir),
	}, err
}

// Issues reads every folder in pulls that holds an issue.
func (l *Local) Issues(ctx context.Context, f IssueFilter) ([]Issue, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	numbers, err := l.numbered(pullsDir)
	if err != nil {
		return nil, err
	}
	var list []Issue
	for _, n := range numbers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i, err := l.issue(n)
		if errors.Is(err, ErrNotFound) { // a pull request
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.Match(i) {
			list = append(list, i)
		}
	}
	return list, nil
}

// OpenIssue makes pulls/NUMBER.
func (l *Local) OpenIssue(ctx context.Context, n NewIssue) (Issue, error) {
	if err := n.Check(); err != nil {
		return Issue{}, err
	}
	labels, err := CheckLabels(n.Labels)
	if err != nil {
		return Issue{}, err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return Issue{}, err
	}
	defer leave()
	number, err := l.next(pullsDir, issueFile)
	if err != nil {
		return Issue{}, err
	}
	// issue.yaml comes last: without it there is no issue.
	if err := l.write(pullDir(number), file{bodyFile, []byte(n.Body)}); err != nil {
		return Issue{}, err
	}
	r := issueRecord{Number: number, Title: plain(n.Title), State: Open, Author: authorOf(l.user), Labels: texts[plain](labels)}
	if err := l.writeYAML(pullDir(number), issueFile, r); err != nil {
		return Issue{}, err
	}
	return l.issue(number)
}

// UpdateIssue rewrites the files that change.
func (l *Local) UpdateIssue(ctx context.Context, number int, c IssueChange) error {
	if err := c.Check(); err != nil {
		return err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	r, err := l.issueRecord(number)
	if err != nil {
		return err
	}
	if c.Title != nil {
		r.Title = plain(*c.Title)
	}
	if c.State != nil {
		r.State = *c.State
	}
	if c.Body != nil {
		if err := l.write(pullDir(number), file{bodyFile, []byte(*c.Body)}); err != nil {
			return err
		}
	}
	return l.writeYAML(pullDir(number), issueFile, r)
}

const reactionsFile = "reactions.yaml"

// A reactionRecord is one item of reactions.yaml.
type reactionRecord struct {
	Author   author `yaml:"author"`
	Reaction plain  `yaml:"reaction"`
}

// React writes reactions.yaml beside what is reacted to.
func (l *Local) React(ctx context.Context, number int, id int64, r Reaction) error {
	if err := r.Check(); err != nil {
		return err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := l.exists(number); err != nil {
		return err
	}
	dir := pullDir(number)
	if id != 0 {
		if _, err := l.comment(number, id); err != nil {
			return err
		}
		dir = commentDir(number, id)
	}
	var all []reactionRecord
	if err := l.readYAML(path.Join(dir, reactionsFile), &all); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mine := reactionRecord{authorOf(l.user), plain(r)}
	if slices.Contains(all, mine) {
		return nil
	}
	return l.writeYAML(dir, reactionsFile, append(all, mine))
}

// Permission reads people.yaml. The bot may do anything in its own folder, as may
// whoever runs it; who is not listed may do nothing.
func (l *Local) Permission(_ context.Context, login string) (Permission, error) {
	if login == BotName {
		return AdminPermission, nil
	}
	var people map[string]struct {
		ID         int64  `yaml:"id"`
		Permission string `yaml:"permission"`
	}
	if err := l.readYAML(peopleFile, &people); errors.Is(err, fs.ErrNotExist) {
		return NoPermission, nil
	} else if err != nil {
		return NoPermission, err
	}
	for name, p := range people {
		if !strings.EqualFold(name, login) { // as forges compare logins
			continue
		}
		i := slices.Index([]string{"none", "read", "write", "admin"}, p.Permission)
		if i < 0 {
			return NoPermission, fmt.Errorf("%s: permission %q of %q is not one of admin, none, read, write", l.full(peopleFile), p.Permission, name)
		}
		return Permission(i), nil
	}
	return NoPermission, nil
}
