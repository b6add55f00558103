package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// health keeps the one issue that says that the bot fails: opened when a sync does,
// edited while it goes on, closed when it is well. It returns failed.
//
// Where the forge itself is what fails, nothing can be said there, and the heartbeat
// that does not come is what tells.
func (b *Bot) health(ctx context.Context, failed error) error {
	var moved *forge.MovedError
	switch {
	case ctx.Err() != nil, errors.Is(failed, errNoCommit): // somebody stopped it, or has not begun
		return failed
	case errors.As(failed, &moved): // somebody was quicker: the next run goes on from there
		return failed
	}
	issues, err := b.Forge.Issues(ctx, forge.IssueFilter{State: forge.Open, Own: true})
	if err != nil {
		b.logf("whether an issue says that the bot fails is not known: %s", diag.OneLine(err.Error()))
		return failed
	}
	var said []forge.Issue
	for _, i := range issues {
		if i.Own && strings.HasPrefix(i.Body, marker("failing", "")) {
			said = append(said, i)
		}
	}
	return errors.Join(failed, b.run(ctx, healthActions(said, failed)))
}

// healthActions turn what failed, nil for nothing, and the open issues about it into
// what is to be done.
func healthActions(said []forge.Issue, failed error) (actions []Action) {
	if failed == nil {
		for _, i := range said {
			body := marker("failing", "") + "\nThe bot is well again.\n"
			actions = append(actions, UpdateIssue{i.Number, body, forge.Closed})
		}
		return actions
	}
	body := marker("failing", "") + "\nThe bot could not bring its pull requests and the catalog up to date:\n\n" +
		diag.Code(failed.Error(), 4000) + "\n\n" +
		"**Next: a maintainer.** Do what the message says, or look into the log of the last run. This issue changes with what fails, and the bot closes it once it is well.\n"
	for n, i := range said {
		switch {
		case n > 0: // opened by two runs at once
			actions = append(actions, UpdateIssue{i.Number, i.Body, forge.Closed})
		case i.Body != body:
			actions = append(actions, UpdateIssue{i.Number, body, forge.Open})
		}
	}
	if len(said) == 0 {
		actions = append(actions, OpenIssue{forge.NewIssue{Title: "The registry's bot fails", Body: body}})
	}
	return actions
}

// OpenIssue opens an issue.
type OpenIssue struct{ Issue forge.NewIssue }

func (a OpenIssue) String() string { return fmt.Sprintf("open issue %q", a.Issue.Title) }

func (a OpenIssue) do(ctx context.Context, f forge.Forge) error {
	_, err := f.OpenIssue(ctx, a.Issue)
	return err
}

// UpdateIssue rewrites the body of an issue, and opens or closes it.
type UpdateIssue struct {
	Number int
	Body   string
	State  forge.State
}

func (a UpdateIssue) String() string {
	if a.State == forge.Closed {
		return fmt.Sprintf("close issue %d", a.Number)
	}
	return fmt.Sprintf("update issue %d", a.Number)
}

func (a UpdateIssue) do(ctx context.Context, f forge.Forge) error {
	return f.UpdateIssue(ctx, a.Number, forge.IssueChange{Body: &a.Body, State: &a.State})
}
