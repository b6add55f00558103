package dpgbot

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// talkFlags are those of the commands that say something on a local forge.
type talkFlags struct {
	body, bodyFile, as string
	id                 commentID
}

func (t *talkFlags) declare(flags *flag.FlagSet) {
	flags.StringVar(&t.body, "body", "", "its `TEXT`")
	flags.StringVar(&t.bodyFile, "body-file", "", "take its text from `FILE`")
	flags.StringVar(&t.as, "as", "contributor", "the `NAME` of who writes it")
	flags.Var(&t.id, "as-id", "the `ID` of that account (default none)")
}

func (t *talkFlags) text() (string, error) {
	if t.bodyFile == "" {
		return t.body, nil
	}
	f, err := os.Open(t.bodyFile)
	if err != nil {
		return "", cli.Usagef("--body-file: %v", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 4*forge.MaxBody+1))
	return string(data), err
}

func (t *talkFlags) user() forge.User { return forge.User{Login: t.as, ID: int64(t.id)} }

var issueCommand = cli.Command{
	Name:    "forge issue",
	Args:    "DIR",
	Summary: "open an issue on a local forge, or change its text with --number",
	Help: `
Opens an issue on the local forge and prints its number. With --number it gives one
that is there another text.`,
	Examples: []string{`dpgbot forge issue ./forge --title "Add: X" --body-file form.md`},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var t talkFlags
		t.declare(flags)
		title := flags.String("title", "An issue", "the issue's `TITLE`")
		var number pullNumber
		flags.Var(&number, "number", "change the issue with this `NUMBER`")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("forge issue takes one folder")
			}
			text, err := t.text()
			if err != nil {
				return err
			}
			f, err := openLocal(args[0])
			if err != nil {
				return err
			}
			if number != 0 {
				return f.As(t.user()).UpdateIssue(ctx, int(number), forge.IssueChange{Body: &text})
			}
			i, err := f.As(t.user()).OpenIssue(ctx, forge.NewIssue{Title: *title, Body: text})
			if err != nil {
				return err
			}
			fmt.Fprintln(o.Out, i.Number)
			o.Say("opened issue %d: %s", i.Number, i.URL)
			o.Next("dpgbot respond --forge %s --issue %d", args[0], i.Number)
			return nil
		}
	},
}

var commentCommand = cli.Command{
	Name:    "forge comment",
	Args:    "DIR",
	Summary: "comment on a pull request or an issue of a local forge",
	Help: `
Writes a comment on the local forge and prints its id. Who may do what there stands
in DIR/people.yaml, a line for each, such as "alice: {id: 7, permission: write}".`,
	Examples: []string{`dpgbot forge comment ./forge --number 3 --as alice --as-id 7 --body "/dpg fix"`},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var t talkFlags
		t.declare(flags)
		var number pullNumber
		flags.Var(&number, "number", "the `NUMBER` of the pull request or issue")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 || number == 0 {
				return cli.Usagef("forge comment takes one folder and --number NUMBER")
			}
			text, err := t.text()
			if err != nil {
				return err
			}
			f, err := openLocal(args[0])
			if err != nil {
				return err
			}
			c, err := f.As(t.user()).Comment(ctx, int(number), text)
			if err != nil {
				return err
			}
			fmt.Fprintln(o.Out, c.ID)
			o.Next("dpgbot respond --forge %s --issue %d", args[0], int(number))
			return nil
		}
	},
}
