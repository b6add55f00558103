package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// rulesMark begins the hidden line of a check that tells by which rules it was made.
const rulesMark = "rules"

// rules tells apart what entries are judged by in a commit: the settings, the policy and
// the frameworks.
func (b *Bot) rules(c *object.Commit) (string, error) {
	tree, err := c.Tree()
	if err == nil && b.folder() != "." {
		tree, err = tree.Tree(b.folder())
	}
	h := sha256.New()
	switch {
	case err == nil:
		for _, e := range tree.Entries { // sorted
			if governs(e.Name) || governs(e.Name+"/") {
				fmt.Fprintf(h, "%s %s\n", e.Name, e.Hash)
			}
		}
	case !errors.Is(err, object.ErrDirectoryNotFound):
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// Outdated lists the open pull requests whose check may say something else by now, by
// rising number: those that were judged by other rules than the default branch has,
// and those that pass although it has since got the same entry, or changed the same
// file; of the latter only the newest 200 are looked at. Pulls are those that are open,
// by rising number. had are the rules that every check was made by,
// as an earlier call returned them, "" if that is not known. One that has no check is
// not among them.
//
// The check of each that may be outdated is read: on the network a request for each
// where the rules are not those of had, and else one for each that clashes. A commit
// status, which is what a person's token can set, does not tell the rules; it counts
// as outdated only where had says that they have changed.
func (b *Bot) Outdated(ctx context.Context, pulls []forge.PullRequest, had string) (numbers []int, rules string, err error) {
	main, err := b.Forge.DefaultBranch(ctx)
	if err != nil {
		return nil, "", err
	}
	sha, ok, err := b.Forge.Head(ctx, main)
	if err != nil || !ok {
		return nil, "", err
	}
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return nil, "", err
	}
	base, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return nil, "", fmt.Errorf("branch %q at %.7s: %w", main, sha, err)
	}
	if rules, err = b.rules(base); err != nil {
		return nil, "", err
	}
	repo := b.repo(g)
	for i, pr := range pulls {
		if pr.State != forge.Open || pr.Base != main {
			continue
		}
		clash := false
		if len(pulls)-i <= maxOthers {
			if clash, err = clashes(repo, base, pr); err != nil {
				return nil, "", fmt.Errorf("pull request %d: %w", pr.Number, err)
			}
		}
		if rules == had && !clash {
			continue
		}
		check, ok, err := b.Forge.Check(ctx, pr.HeadSHA, CheckName)
		if err != nil {
			return nil, "", err
		}
		by := markOf(check.Summary, rulesMark)
		switch {
		case !ok:
		case by != rules && (by != "" || had != "" && rules != had), clash && check.Conclusion != forge.Failure:
			numbers = append(numbers, pr.Number)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), rules, nil
}

// markOf is what the hidden line of a purpose that ends a text holds, "" if it ends
// otherwise. What strangers wrote stands before it.
func markOf(text, purpose string) string {
	text, ok := strings.CutSuffix(strings.TrimSpace(text), " -->")
	at := strings.LastIndexByte(text, '\n') + 1
	key, is := strings.CutPrefix(text[at:], markerStart+purpose+" ")
	if !ok || !is {
		return ""
	}
	return key
}

// clashes reports whether the base has got an entry since with the kind and id of one
// that a pull request brings, or has changed a file that it changes, to something else.
func clashes(repo *registry.Repo, base *object.Commit, pr forge.PullRequest) (bool, error) {
	head, err := repo.Git.CommitObject(plumbing.NewHash(pr.HeadSHA))
	if err != nil { // its branch is gone, or it was pushed to a moment ago
		return false, nil
	}
	fork, err := registry.MergeBase(base, head)
	if err != nil || fork == nil || fork.Hash == base.Hash {
		return false, err
	}
	moved, err := repo.Changed(fork, base)
	if err != nil || len(moved) == 0 {
		return false, err
	}
	theirs, err := repo.Changed(fork, head)
	if err != nil {
		return false, err
	}
	apart, err := repo.Changed(base, head)
	if err != nil {
		return false, err
	}
	if len(both(paths(theirs), both(paths(moved), paths(apart)))) > 0 {
		return true, nil
	}
	at := map[string]string{} // where the base has put an entry, by kind and id
	for _, c := range moved {
		if !c.Deleted {
			at[entryKey(c.Path)] = c.Path
		}
	}
	for _, c := range theirs {
		if there := at[entryKey(c.Path)]; !c.Deleted && there != "" && there != c.Path {
			return true, nil
		}
	}
	return false, nil
}

// entryKey is the folder of a kind, and the name of a file in it: any sub-folder will do.
func entryKey(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	return kind + "/" + path.Base(name)
}

// maxAgain bounds what ReviewOutdated does in one run.
const maxAgain = 100

// ReviewOutdated reviews the open pull requests that are Outdated again, in order, at
// most a hundred of them, and returns their numbers. One that fails does not keep the
// others from their turn. It costs a list, a request for each open pull request, and
// for each that is reviewed what Review takes but for the list.
func (b *Bot) ReviewOutdated(ctx context.Context) (done []int, err error) {
	open, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	if err != nil {
		return nil, err
	}
	numbers, _, err := b.Outdated(ctx, open, "")
	if err != nil {
		return nil, err
	}
	if more := len(numbers) - maxAgain; more > 0 {
		b.logf("%s left for another run", plural(more, "pull request is", "pull requests are"))
		numbers = numbers[:maxAgain]
	}
	var failed []error
	for _, pr := range open {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if !slices.Contains(numbers, pr.Number) {
			continue
		}
		others := open
		if ours(pr) {
			others = nil
		}
		if _, err := b.reviewPull(ctx, pr, others, nil); err != nil {
			failed = append(failed, fmt.Errorf("review pull request %d: %w", pr.Number, err))
			continue
		}
		done = append(done, pr.Number)
	}
	return done, errors.Join(failed...)
}
