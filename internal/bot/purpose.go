package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A purpose is what one branch and its one pull request are for.
type purpose struct {
	name, branch, base   string
	parent               *object.Commit    // the base's
	files                map[string][]byte // what to propose, by path in the repository; nil deletes
	title, message, body string            // "" without files
	// facts are what of the files tells one proposal from another, by the same
	// paths; nil is all of them. A day on which something was seen is no reason to
	// propose again what a person declined.
	facts  map[string][]byte
	credit []forge.Signature // people whose work it takes up
	desk   *desktop          // nil to ask the forge for this purpose alone
}

// A desktop is what the purposes of one run know of the forge together.
type desktop struct {
	open         []forge.PullRequest // all that are open
	taken, limit int                 // how many the bot has open, and may have
}

// A standing is what there is of a purpose on the forge.
type standing struct {
	open     *forge.PullRequest // nil if none
	closed   *forge.PullRequest // the last that was closed without being merged; nil if none
	at       string             // where the branch is; "" if there is none
	theirs   string             // a commit on the branch that a person made; "" if none
	holds    bool               // the branch proposes just the files of the purpose
	said     forge.Comment      // the bot's, on open, about a person's commit; zero if none
	comments []forge.Comment    // on open; never nil there
	full     bool               // the bot has as many pull requests open as it may
}

// keep brings the branch and pull request of a purpose in line with what it
// proposes now: made, updated, closed when empty, or left to a person, who is told.
func (b *Bot) keep(ctx context.Context, repo *registry.Repo, p purpose) error {
	s, err := b.standing(ctx, repo, p)
	if err != nil {
		return err
	}
	actions, leave := p.actions(s)
	if leave != "" {
		b.logf("%s", leave)
	}
	if err := b.run(ctx, actions); err != nil || leave != "" || len(p.files) == 0 || b.DryRun {
		return err
	}
	if s.open == nil && p.desk != nil {
		p.desk.taken++
	}
	return b.checkOwn(ctx, p, s, len(actions) > 0)
}

// actions turn a standing into what the purpose wants; or leave says why things
// are left as they are, but for the comment that says so too.
func (p purpose) actions(s standing) (actions []Action, leave string) {
	if s.open != nil {
		if body := s.leftAlone(); body != s.said.Body {
			actions = append(actions, PutComment{s.open.Number, s.said.ID, body})
		}
	}
	if s.theirs != "" {
		return actions, fmt.Sprintf("branch %s holds commit %.7s, which the bot did not make; it is left alone until it is merged or deleted", p.branch, s.theirs)
	}
	if len(p.files) == 0 {
		return append(actions, p.withdraw(s)...), ""
	}
	head := marker(p.name, p.key())
	if s.open == nil && s.closed != nil && strings.HasPrefix(s.closed.Body, head) {
		return nil, fmt.Sprintf("pull request %d proposed the same and was closed; nothing is proposed until that changes", s.closed.Number)
	}
	if s.open == nil && s.full {
		return nil, fmt.Sprintf("what is proposed on branch %s waits: as many pull requests of the bot are open as bot.pull_requests in the settings allows", p.branch)
	}
	if !s.holds {
		actions = append(actions, PushCommit{forge.NewCommit{
			Branch: p.branch, Parent: p.parent.Hash.String(), ExpectedHead: s.at,
			Files: p.files, Message: p.message, CoAuthors: p.coAuthors(), When: p.date(),
		}})
	}
	body := head + "\n" + p.body
	switch {
	case s.open == nil:
		actions = append(actions, OpenPull{forge.NewPullRequest{Title: p.title, Body: body, Head: p.branch, Base: p.base}})
	case s.open.Body != body || s.open.Title != p.title:
		actions = append(actions, UpdatePull{s.open.Number, p.title, body})
	}
	return actions, ""
}

// leftAlone is what a comment should say of a person's commit; "" where there was
// none that the bot spoke of.
func (s standing) leftAlone() string {
	head := marker("left-alone", "") + "\n"
	switch {
	case s.theirs != "":
		return head + fmt.Sprintf("The bot did not make commit %.12s on this branch, so it leaves the branch, and what is said above, as they are.\n\n"+
			"**Next: a maintainer.** Merge this pull request, or close it and delete the branch: the bot then goes on from there. "+
			"If the commit goes from the branch, so does this.\n", s.theirs)
	case s.said.ID != 0:
		return head + "The branch has only commits of the bot again, which goes on with it.\n"
	}
	return ""
}

// withdraw closes what is open and deletes the branch.
func (p purpose) withdraw(s standing) (actions []Action) {
	if s.open != nil {
		// Without its key: a proposal that the bot closed may come back, one that a
		// person closed may not.
		_, text, _ := strings.Cut(s.open.Body, "\n")
		if body := marker(p.name, "") + "\n" + text; body != s.open.Body {
			actions = append(actions, UpdatePull{s.open.Number, s.open.Title, body})
		}
		actions = append(actions, ClosePull{s.open.Number, "Nothing is left to propose, so the bot closes this."})
	}
	if s.at != "" {
		actions = append(actions, DeleteBranch{p.branch, s.at})
	}
	return actions
}

// key tells one proposal from another: what files it would leave behind.
func (p purpose) key() string {
	h := sha256.New()
	of := p.files
	if p.facts != nil {
		of = p.facts
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		fmt.Fprintf(h, "%q %t %x\n", name, of[name] == nil, sha256.Sum256(of[name]))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// coAuthors are the people to credit, each once, as many as a message bears.
func (p purpose) coAuthors() []forge.Signature {
	const most = 25
	var all []forge.Signature
	for _, who := range p.credit {
		if !slices.Contains(all, who) && len(all) < most {
			all = append(all, who)
		}
	}
	return all
}

// date is the base commit's, so that the same proposal is the same commit. Anybody
// can date a commit before 1970, which Git's own tools refuse.
func (p purpose) date() time.Time {
	if first := time.Unix(1, 0); p.parent.Committer.When.Before(first) {
		return first
	}
	return p.parent.Committer.When
}

// standing looks at the forge.
func (b *Bot) standing(ctx context.Context, repo *registry.Repo, p purpose) (standing, error) {
	var s standing
	var err error
	if s.at, _, err = b.Forge.Head(ctx, p.branch); err != nil {
		return s, err
	}
	var pulls []forge.PullRequest
	if p.desk != nil {
		s.full = p.desk.taken >= p.desk.limit
		pulls = slices.Clone(p.desk.open)
	}
	if !slices.ContainsFunc(pulls, p.has) && (s.at != "" || len(p.files) > 0 || p.desk == nil) {
		// Those that are closed matter only now: what was declined, what was merged.
		if pulls, err = b.Forge.PullRequests(ctx, forge.Filter{Head: p.branch}); err != nil {
			return s, err
		}
	}
	merged := false // what is on the branch, perhaps as one commit of another hash
	for i, pr := range pulls {
		if !p.has(pr) {
			continue
		}
		switch pr.State {
		case forge.Open:
			s.open = &pulls[i]
		case forge.Closed:
			s.closed = &pulls[i]
		case forge.Merged:
			merged = merged || pr.HeadSHA == s.at
		}
	}
	if s.open != nil {
		comments, err := b.Forge.Comments(ctx, s.open.Number)
		if err != nil {
			return s, err
		}
		s.comments = append([]forge.Comment{}, comments...)
		s.said, _ = ownComment(comments, "left-alone")
	}
	if s.at == "" {
		return s, nil
	}
	// The branch's objects, which a forge on the network fetches once it was asked
	// where the branch is.
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return s, err
	}
	head, err := g.CommitObject(plumbing.NewHash(s.at))
	if err != nil {
		return s, fmt.Errorf("branch %q at %.7s: %w", p.branch, s.at, err)
	}
	fork, err := registry.MergeBase(p.parent, head)
	if err != nil {
		return s, err
	}
	if s.open != nil || !merged {
		if s.theirs, err = b.personsCommit(ctx, fork, head); err != nil || s.theirs != "" {
			return s, err
		}
	}
	s.holds, err = p.held(&registry.Repo{Git: g}, fork, head)
	return s, err
}

// has reports whether a pull request is one of the purpose.
func (p purpose) has(pr forge.PullRequest) bool {
	return pr.HeadRepository == "" && pr.Head == p.branch && pr.Base == p.base
}

// personsCommit returns a commit of a branch, since it left its base at fork, that
// the bot did not make, or "".
func (b *Bot) personsCommit(ctx context.Context, fork, head *object.Commit) (string, error) {
	for c := head; fork == nil || c.Hash != fork.Hash; {
		if ours, err := b.Forge.Made(ctx, c); err != nil || !ours || c.NumParents() > 1 {
			return c.Hash.String(), err
		}
		if c.NumParents() == 0 {
			break
		}
		var err error
		if c, err = c.Parent(0); err != nil {
			return "", err
		}
	}
	return "", nil
}

// held reports whether a branch proposes just the files of the purpose, on the
// present base or on an older one that they still fit.
func (p purpose) held(repo *registry.Repo, fork, head *object.Commit) (bool, error) {
	if fork == nil {
		return false, nil
	}
	changes, err := repo.Changed(fork, head)
	if err != nil || len(changes) != len(p.files) {
		return false, err
	}
	files, err := repo.Files(head)
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		want, ours := p.files[c.Path]
		if !ours || c.Deleted != (want == nil) {
			return false, nil
		}
		if c.Deleted {
			continue
		}
		got, err := files.Read(c.Path)
		if err != nil || string(got) != string(want) {
			return false, err
		}
	}
	// A file that moved on in the base since would conflict.
	moved, err := repo.Changed(fork, p.parent)
	if err != nil {
		return false, err
	}
	for _, c := range moved {
		if _, ours := p.files[c.Path]; ours {
			return false, nil
		}
	}
	return true, nil
}

// checkOwn sets the check on the bot's pull request: on GitHub, one that is
// opened with the workflow's own token starts no workflow that would. Where the
// standing is no longer what it was, it is read again.
func (b *Bot) checkOwn(ctx context.Context, p purpose, s standing, changed bool) error {
	if !changed && s.open != nil {
		_, err := b.reviewPull(ctx, *s.open, nil, s.comments)
		return err
	}
	pulls, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open, Head: p.branch})
	if err != nil {
		return err
	}
	for _, pr := range pulls {
		if p.has(pr) {
			_, err := b.reviewPull(ctx, pr, nil, nil)
			return err
		}
	}
	return nil
}
