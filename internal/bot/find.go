package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// Find returns the open pull request whose head is at a commit now. Repository is
// the OWNER/REPO that the head is a branch of; home is that of the forge itself. The
// forge is asked, since an event that a stranger's pull request started may say
// anything. Where several have that head, the first is returned; where none has, ok
// is false: it was closed, or has moved on and is reviewed anew.
func (b *Bot) Find(ctx context.Context, home, repository, sha string) (number int, ok bool, err error) {
	if err := forge.CheckSHA(sha); err != nil {
		return 0, false, err
	}
	if strings.EqualFold(repository, home) { // so GitHub compares names
		repository = ""
	}
	open, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	if err != nil {
		return 0, false, fmt.Errorf("find the pull request at %.7s: %w", sha, err)
	}
	for _, pr := range open {
		if pr.HeadSHA == sha && strings.EqualFold(pr.HeadRepository, repository) {
			return pr.Number, true, nil
		}
	}
	return 0, false, nil
}

// Proposals are the pull requests that the bot has open, by rising number.
func (b *Bot) Proposals(ctx context.Context) ([]forge.PullRequest, error) {
	open, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	return slices.DeleteFunc(open, func(pr forge.PullRequest) bool { return !ours(pr) }), err
}
