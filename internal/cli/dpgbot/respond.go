package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/propose"
)

var respondCommand = cli.Command{
	Name:    "respond",
	Summary: "do what comments ask for, and make pull requests of issue forms",
	Help: `
Reads the comments on a pull request or an issue, or the one comment that is named,
and does what their lines ask for that begin with /dpg: validate, fix, assess,
accept, reject, waive or help. Each comment is answered once. An issue that was made
with one of the forms becomes a pull request with the entry and its assessment, or
gets one comment that says what to change; editing the issue tries again. What it
leaves out is filled in from the publiccode.yml of the repository that it names, and
from GitHub's record of it, as anybody may see them; --offline asks nobody.

In a workflow on issue_comment or issues the event says what to look at. An answer
that says no is an answer: the exit code is 0.
` + environment,
	Examples: []string{
		"dpgbot respond --forge github:OWNER/REPO",
		"dpgbot respond --forge github:OWNER/REPO --issue 7 --comment 1234567",
		"dpgbot respond --forge ./forge --issue 3",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		var number pullNumber
		var id commentID
		flags.Var(&number, "issue", "the `NUMBER` of the pull request or issue")
		flags.Var(&id, "comment", "only the comment with this `ID` (default all that are not answered)")
		offline := flags.Bool("offline", false, "ask no project's repository what it says of itself")
		outputs := outputsFlag(flags)
		event := flags.String("event", "", "take them from GitHub's event in `FILE` (default GITHUB_EVENT_PATH)")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("respond takes no arguments")
			}
			asked := bot.Asked{Number: int(number), Comment: int64(id)}
			if number == 0 {
				if id != 0 {
					return cli.Usagef("--comment needs --issue NUMBER")
				}
				file := *event
				if file == "" {
					file = os.Getenv("GITHUB_EVENT_PATH")
				}
				if file == "" {
					return cli.Usagef("name what to respond to with --issue NUMBER or --event FILE")
				}
				var err error
				if asked, err = readEvent(file); err != nil {
					return err
				}
				if asked.Number == 0 {
					o.Say("the event asks for nothing")
					return nil
				}
			} else if *event != "" {
				return cli.Usagef("--issue and --event exclude each other")
			}
			bt, err := b.open(ctx, o)
			if err != nil {
				return err
			}
			if !*offline {
				bt.Lookup = propose.Asker{}.Facts
			}
			r, err := bt.Respond(ctx, asked.Number, asked.Comment)
			if err != nil {
				return err
			}
			o.Say("%d as of %s: %s", asked.Number, b.asOf, outcome(r))
			if r.Pull == 0 || *outputs == "" {
				return nil
			}
			pr, err := bt.Forge.PullRequest(ctx, r.Pull)
			if err != nil {
				return err
			}
			var results stepOutputs
			results.pull(pr.Number, pr.URL)
			return results.write(*outputs)
		}
	},
}

func outcome(r *bot.Response) string {
	noun, things := "commands", "things"
	if r.Taken == 1 {
		noun = "command"
	}
	if r.Problems == 1 {
		things = "thing"
	}
	s := fmt.Sprintf("%d %s taken, %d refused", r.Taken, noun, r.Refused)
	switch {
	case r.Pull > 0:
		s += fmt.Sprintf("; the issue is proposed as pull request %d", r.Pull)
	case r.Problems > 0:
		s += fmt.Sprintf("; the issue has %d %s to change", r.Problems, things)
	}
	return s
}

func readEvent(file string) (bot.Asked, error) {
	f, err := os.Open(file)
	if err != nil {
		return bot.Asked{}, cli.Usagef("--event: %v", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err != nil {
		return bot.Asked{}, err
	}
	if len(data) > maxEvent {
		return bot.Asked{}, cli.Usagef("--event %q is larger than any event of GitHub's", file)
	}
	asked, err := bot.ReadAsked(data)
	if err != nil {
		return asked, fmt.Errorf("%s: %w", file, err)
	}
	return asked, nil
}

// A commentID is a flag; 0 is that it was not given.
type commentID int64

func (n *commentID) String() string { return strconv.FormatInt(int64(*n), 10) }

func (n *commentID) Set(s string) error {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 1 {
		return errors.New("the id of a comment is wanted: the number at the end of its address")
	}
	*n = commentID(v)
	return nil
}
