package forge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"unicode"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"go.yaml.in/yaml/v3"
)

const (
	pullFile    = "pull.yaml"
	bodyFile    = "body.md"
	commentsDir = "comments"
)

// A pullRecord is pull.yaml.
type pullRecord struct {
	Number         int     `yaml:"number"`
	Title          plain   `yaml:"title"`
	State          State   `yaml:"state"`
	Head           string  `yaml:"head"`
	HeadRepository string  `yaml:"head_repository,omitempty"`
	HeadSHA        string  `yaml:"head_sha"`
	Base           string  `yaml:"base"`
	Author         author  `yaml:"author"`
	Labels         []plain `yaml:"labels,flow"`
	Draft          bool    `yaml:"draft,omitempty"`
	MayPush        bool    `yaml:"may_push,omitempty"` // to a fork; set by whoever plays its owner
}

type author struct {
	Login plain `yaml:"login"`
	ID    int64 `yaml:"id,omitempty"`
}

func (a author) user() User { return User{string(a.Login), a.ID} }

func authorOf(u User) author { return author{plain(u.Login), u.ID} }

// plain is text that was typed by somebody. Where it is more than one printable
// line it is quoted, with escapes, so that it cannot drive a terminal.
type plain string

// MarshalYAML makes a quoted scalar of text that is more than one printable line.
func (p plain) MarshalYAML() (any, error) {
	for _, r := range string(p) {
		if !unicode.IsPrint(r) {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: string(p)}, nil
		}
	}
	return string(p), nil
}

// texts turns one kind of text into another.
func texts[B, A ~string](in []A) []B {
	out := make([]B, len(in))
	for i, s := range in {
		out[i] = B(s)
	}
	return out
}

// headRef is the reference in repo.git that the head branch is.
func headRef(repository, branch string) string {
	if repository == "" {
		return branchRef(branch)
	}
	return "refs/forks/" + repository + "/" + branch
}

func checkHead(repository, branch string) error {
	if err := CheckBranch(branch); err != nil {
		return err
	}
	if err := plumbing.ReferenceName(headRef(repository, branch)).Validate(); err != nil {
		return fmt.Errorf("%q cannot name a fork; a name such as \"alice\" or \"alice/registry\" can", repository)
	}
	return nil
}

func (r pullRecord) check(number int) error {
	if r.Number != number {
		return fmt.Errorf("number is %d; in this folder it is %d", r.Number, number)
	}
	if err := checkTitle(string(r.Title)); err != nil {
		return err
	}
	switch r.State {
	case Open, Closed, Merged:
	default:
		return fmt.Errorf("state %q is not one of closed, merged, open", r.State)
	}
	if err := checkHead(r.HeadRepository, r.Head); err != nil {
		return err
	}
	if err := CheckBranch(r.Base); err != nil {
		return err
	}
	_, err := CheckLabels(texts[string](r.Labels))
	return errors.Join(err, CheckSHA(r.HeadSHA))
}

func pullDir(number int) string { return path.Join(pullsDir, strconv.Itoa(number)) }

func pullRef(number int) string { return fmt.Sprintf("refs/pull/%d/head", number) }

// load reads a pull request and settles its state; mu is held.
func (l *Local) load(ctx context.Context, repo *git.Repository, number int) (pullRecord, error) {
	var r pullRecord
	name := path.Join(pullDir(number), pullFile)
	if err := l.readYAML(name, &r); errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("pull request %d: %w", number, ErrNotFound)
	} else if err != nil {
		return r, err
	}
	if err := r.check(number); err != nil {
		return r, fmt.Errorf("read %s: %w", l.full(name), err)
	}
	if r.State != Open {
		return r, nil
	}
	return l.settle(ctx, repo, r)
}

// settle follows the branches of an open pull request and writes down what
// changed.
func (l *Local) settle(ctx context.Context, repo *git.Repository, r pullRecord) (pullRecord, error) {
	head, err := l.refs.read(headRef(r.HeadRepository, r.Head))
	if err != nil {
		return r, err
	}
	base, err := l.refs.read(branchRef(r.Base))
	if err != nil {
		return r, err
	}
	now := r
	if head != "" {
		now.HeadSHA = head
	}
	merged := false
	if base != "" {
		merged, err = l.contains(ctx, repo, base, now.HeadSHA)
		if err != nil {
			return r, fmt.Errorf("pull request %d: %w", r.Number, err)
		}
	}
	switch {
	case merged:
		now.State = Merged
	case head == "":
		now.State = Closed
	}
	if now.State == r.State && now.HeadSHA == r.HeadSHA {
		return r, nil
	}
	return now, l.save(ctx, now)
}

// contains reports whether the history of base holds the commit sha. A commit
// that is no longer in the repository is in no history.
func (l *Local) contains(ctx context.Context, repo *git.Repository, base, sha string) (bool, error) {
	a, b := plumbing.NewHash(sha), plumbing.NewHash(base)
	in, err := ancestor(ctx, repo.Storer, a, b)
	if !errors.Is(err, plumbing.ErrObjectNotFound) {
		return in, err
	}
	// Perhaps it was pushed after repo was opened.
	repo, err = l.Git(ctx)
	if err != nil {
		return false, err
	}
	if _, err := object.GetCommit(repo.Storer, a); errors.Is(err, plumbing.ErrObjectNotFound) {
		return false, nil
	}
	return ancestor(ctx, repo.Storer, a, b)
}

// save writes pull.yaml. The reference goes first: it keeps the commits that the
// file names from being thrown away when the branch is gone.
func (l *Local) save(ctx context.Context, r pullRecord) error {
	if _, _, err := l.refs.move(ctx, l.held, pullRef(r.Number), nil, r.HeadSHA); err != nil {
		return err
	}
	return l.writeYAML(pullDir(r.Number), pullFile, r)
}

// pull adds to a record what stands elsewhere.
func (l *Local) pull(r pullRecord) (PullRequest, error) {
	dir := pullDir(r.Number)
	body, err := l.read(path.Join(dir, bodyFile), maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return PullRequest{}, err
	}
	labels, err := CheckLabels(texts[string](r.Labels))
	return PullRequest{
		Number: r.Number, Title: string(r.Title), Body: string(body), State: r.State,
		Head: r.Head, HeadSHA: r.HeadSHA, HeadRepository: r.HeadRepository, Base: r.Base,
		Author: r.Author.user(), Own: r.Author.user() == l.user, Labels: labels, URL: l.full(dir),
		Draft: r.Draft, MayPush: r.MayPush || r.HeadRepository == "",
	}, err
}

// PullRequest reads pulls/NUMBER.
func (l *Local) PullRequest(ctx context.Context, number int) (PullRequest, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return PullRequest{}, err
	}
	defer leave()
	repo, err := l.Git(ctx)
	if err != nil {
		return PullRequest{}, err
	}
	r, err := l.load(ctx, repo, number)
	if err != nil {
		return PullRequest{}, err
	}
	return l.pull(r)
}

// PullRequests reads every folder in pulls.
func (l *Local) PullRequests(ctx context.Context, f Filter) ([]PullRequest, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return l.list(ctx, f)
}

func (l *Local) list(ctx context.Context, f Filter) ([]PullRequest, error) {
	numbers, err := l.numbered(pullsDir)
	if err != nil {
		return nil, err
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return nil, err
	}
	var list []PullRequest
	for _, n := range numbers {
		r, err := l.load(ctx, repo, n)
		if errors.Is(err, ErrNotFound) { // its opening was cut short, or is under way
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := l.pull(r)
		if err != nil {
			return nil, err
		}
		if f.Match(p) {
			list = append(list, p)
		}
	}
	return list, nil
}

// Open makes pulls/NUMBER.
func (l *Local) Open(ctx context.Context, n NewPullRequest) (PullRequest, error) {
	if err := n.Check(); err != nil {
		return PullRequest{}, err
	}
	if err := checkHead(n.HeadRepository, n.Head); err != nil {
		return PullRequest{}, err
	}
	labels, err := CheckLabels(n.Labels)
	if err != nil {
		return PullRequest{}, err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return PullRequest{}, err
	}
	defer leave()
	head, err := l.openable(ctx, n)
	if err != nil {
		return PullRequest{}, err
	}
	number, err := l.next(pullsDir, pullFile)
	if err != nil {
		return PullRequest{}, err
	}
	// pull.yaml comes last: without it there is no pull request.
	if err := l.write(pullDir(number), file{bodyFile, []byte(n.Body)}); err != nil {
		return PullRequest{}, err
	}
	r := pullRecord{
		Number: number, Title: plain(n.Title), State: Open,
		Head: n.Head, HeadRepository: n.HeadRepository, HeadSHA: head, Base: n.Base,
		Author: authorOf(l.user), Labels: texts[plain](labels),
	}
	if err := l.save(ctx, r); err != nil {
		return PullRequest{}, err
	}
	return l.pull(r)
}

// openable returns the sha of the head, if there is anything to merge that no
// other pull request proposes.
func (l *Local) openable(ctx context.Context, n NewPullRequest) (head string, err error) {
	head, err = l.refs.read(headRef(n.HeadRepository, n.Head))
	if err != nil {
		return "", err
	}
	base, err := l.refs.read(branchRef(n.Base))
	if err != nil {
		return "", err
	}
	if head == "" {
		return "", fmt.Errorf("there is no %s to propose; push it first", headRef(n.HeadRepository, n.Head))
	}
	if base == "" {
		return "", fmt.Errorf("there is no branch %q to merge into; push it first", n.Base)
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return "", err
	}
	if _, err := object.GetCommit(repo.Storer, plumbing.NewHash(head)); err != nil {
		return "", fmt.Errorf("head %s: %w", head, err)
	}
	merged, err := l.contains(ctx, repo, base, head)
	if err != nil {
		return "", err
	}
	if merged {
		return "", fmt.Errorf("branch %q has no commit that %q does not have; there is nothing to propose", n.Head, n.Base)
	}
	open, err := l.list(ctx, Filter{State: Open})
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(open, func(p PullRequest) bool {
		return p.Head == n.Head && p.HeadRepository == n.HeadRepository && p.Base == n.Base
	}); i >= 0 {
		return "", fmt.Errorf("pull request %d already proposes %q for %q; update it", open[i].Number, n.Head, n.Base)
	}
	return head, nil
}

// Update rewrites the files that change.
func (l *Local) Update(ctx context.Context, number int, c Change) error {
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	repo, err := l.Git(ctx)
	if err != nil {
		return err
	}
	r, err := l.load(ctx, repo, number)
	if err != nil {
		return err
	}
	if c.Title != nil {
		if err := checkTitle(*c.Title); err != nil {
			return err
		}
		r.Title = plain(*c.Title)
	}
	if c.Body != nil {
		if err := checkText("body", *c.Body, MaxBody); err != nil {
			return err
		}
		if err := l.write(pullDir(number), file{bodyFile, []byte(*c.Body)}); err != nil {
			return err
		}
	}
	return l.writeYAML(pullDir(number), pullFile, r)
}

// ClosePullRequest says why and closes.
func (l *Local) ClosePullRequest(ctx context.Context, number int, reason string) error {
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	repo, err := l.Git(ctx)
	if err != nil {
		return err
	}
	r, err := l.load(ctx, repo, number)
	if err != nil || r.State != Open {
		return err
	}
	if reason != "" {
		if err := l.sayOnce(ctx, number, reason); err != nil {
			return err
		}
	}
	r.State = Closed
	return l.writeYAML(pullDir(number), pullFile, r)
}
