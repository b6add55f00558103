// Package bot turns what happens on a forge into actions: a check, a comment, a
// pull request. What to do is worked out from the state of things and nothing
// else, so doing it twice changes nothing; a crash is repaired by running again.
package bot

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// CheckName is the check that tells whether a pull request may be merged.
const CheckName = "dpg-registry/validate"

// A Bot works on one repository.
type Bot struct {
	Forge  forge.Forge
	Folder string                           // of the registry in the repository; "" is "registry", "." the root
	AsOf   string                           // the date that dated rules judge at, "2006-01-02"
	Log    func(format string, args ...any) // says what is done; nil is silent
	Lookup Lookup                           // what a project says of itself, for a proposal; nil asks nobody
	DryRun bool                             // says what would be done, and writes nothing to the forge
	// Answers, when set, is a folder that dpg assess --model --out wrote. Sync takes
	// the models' answers in it that pass the evidence check, and nothing else.
	Answers registry.Files
}

func (b *Bot) folder() string { return path.Clean(cmp.Or(b.Folder, "registry")) }

// repo finds the registry in a repository.
func (b *Bot) repo(g *git.Repository) *registry.Repo {
	if b.folder() == "." {
		return &registry.Repo{Git: g}
	}
	return &registry.Repo{Git: g, Folder: b.folder()}
}

func (b *Bot) logf(format string, args ...any) {
	if b.Log != nil {
		b.Log(format, args...)
	}
}

// An Action is one thing to do on the forge: one write.
type Action interface {
	// String says what is done, for a log; on one line, whatever it names.
	String() string
	do(ctx context.Context, f forge.Forge) error
}

// run does the actions in order and stops at the first that fails: what is left
// is done by the next run.
func (b *Bot) run(ctx context.Context, actions []Action) error {
	for _, a := range actions {
		if b.DryRun {
			b.logf("would %s", a)
			continue
		}
		b.logf("%s", a)
		if err := a.do(ctx, b.Forge); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	return nil
}

// SetCheck sets the check of a commit.
type SetCheck struct {
	SHA   string
	Check forge.Check
}

func (a SetCheck) String() string {
	return fmt.Sprintf("set check %s of %.7s to %s", a.Check.Name, a.SHA, a.Check.Conclusion)
}

func (a SetCheck) do(ctx context.Context, f forge.Forge) error {
	return f.SetCheck(ctx, a.SHA, a.Check)
}

// PutComment writes the bot's one comment of a purpose, or edits it in place.
type PutComment struct {
	Number int
	ID     int64 // of the comment to edit; 0 writes a new one
	Body   string
}

func (a PutComment) String() string {
	if a.ID == 0 {
		return fmt.Sprintf("comment on pull request %d", a.Number)
	}
	return fmt.Sprintf("edit the comment on pull request %d", a.Number)
}

func (a PutComment) do(ctx context.Context, f forge.Forge) error {
	return put(ctx, f, a.Number, a.ID, a.Body)
}

// put writes a comment, or edits the one that has an id.
func put(ctx context.Context, f forge.Forge, number int, id int64, body string) error {
	if id != 0 {
		return f.EditComment(ctx, number, id, body)
	}
	_, err := f.Comment(ctx, number, body)
	return err
}

// AddLabels puts labels on a pull request, beside those that it has.
type AddLabels struct {
	Number int
	Labels []string
}

func (a AddLabels) String() string {
	var shown []string
	for _, l := range a.Labels {
		shown = append(shown, fmt.Sprintf("%q", l))
	}
	return fmt.Sprintf("label pull request %d %s", a.Number, strings.Join(shown, ", "))
}

func (a AddLabels) do(ctx context.Context, f forge.Forge) error {
	return f.AddLabels(ctx, a.Number, a.Labels)
}

// RemoveLabel takes a label of the bot's from a pull request.
type RemoveLabel struct {
	Number int
	Label  string
}

func (a RemoveLabel) String() string {
	return fmt.Sprintf("take label %q from pull request %d", a.Label, a.Number)
}

func (a RemoveLabel) do(ctx context.Context, f forge.Forge) error {
	return f.RemoveLabel(ctx, a.Number, a.Label)
}

// Suggest makes suggestions on lines of a pull request, all at once.
type Suggest struct {
	Number  int
	SHA     string // its head
	Remarks []forge.NewLineComment
}

func (a Suggest) String() string {
	return fmt.Sprintf("make %s on pull request %d", plural(len(a.Remarks), "suggestion", "suggestions"), a.Number)
}

func (a Suggest) do(ctx context.Context, f forge.Forge) error {
	return f.CommentLines(ctx, a.Number, a.SHA, a.Remarks)
}

// PushCommit puts a commit on a branch of the bot.
type PushCommit struct{ Commit forge.NewCommit }

func (a PushCommit) String() string {
	return fmt.Sprintf("commit %s to %s", plural(len(a.Commit.Files), "file", "files"), a.Commit.Branch)
}

func (a PushCommit) do(ctx context.Context, f forge.Forge) error {
	_, err := f.Commit(ctx, a.Commit)
	return err
}

// OpenPull opens a pull request.
type OpenPull struct{ Pull forge.NewPullRequest }

func (a OpenPull) String() string { return fmt.Sprintf("open pull request %q", a.Pull.Title) }

func (a OpenPull) do(ctx context.Context, f forge.Forge) error {
	_, err := f.Open(ctx, a.Pull)
	return err
}

// UpdatePull rewrites the title and body of a pull request.
type UpdatePull struct {
	Number      int
	Title, Body string
}

func (a UpdatePull) String() string { return fmt.Sprintf("update pull request %d", a.Number) }

func (a UpdatePull) do(ctx context.Context, f forge.Forge) error {
	return f.Update(ctx, a.Number, forge.Change{Title: &a.Title, Body: &a.Body})
}

// ClosePull closes a pull request that has nothing left to propose.
type ClosePull struct {
	Number int
	Reason string // said in a comment
}

func (a ClosePull) String() string { return fmt.Sprintf("close pull request %d", a.Number) }

func (a ClosePull) do(ctx context.Context, f forge.Forge) error {
	return f.ClosePullRequest(ctx, a.Number, a.Reason)
}

// DeleteBranch deletes a branch of the bot.
type DeleteBranch struct {
	Branch, At string // At is the sha it is at
}

func (a DeleteBranch) String() string { return "delete branch " + a.Branch }

func (a DeleteBranch) do(ctx context.Context, f forge.Forge) error {
	return f.DeleteBranch(ctx, a.Branch, a.At)
}

// markerStart begins the hidden line by which the bot knows its own texts again.
const markerStart = "<!-- dpg-registry:"

// marker is that line for a purpose; the key, if any, tells what the text is about.
func marker(purpose, key string) string {
	if key == "" {
		return markerStart + purpose + " -->"
	}
	return markerStart + purpose + " " + key + " -->"
}

// ownComment finds the bot's comment of a purpose. Anybody can write the marker,
// so it counts only in what the bot itself wrote.
func ownComment(comments []forge.Comment, purpose string) (forge.Comment, bool) {
	for _, c := range comments {
		if c.Own && strings.HasPrefix(c.Body, marker(purpose, "")) {
			return c, true
		}
	}
	return forge.Comment{}, false
}
