package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// The local forge is a folder: a bare repository, with pull requests, comments
// and checks as files. It serves to try the bot, and to run one without a network.

// openLocal opens a local forge; a folder that is none is a mistake in the
// command line.
func openLocal(dir string) (*forge.Local, error) {
	if scheme, _, found := strings.Cut(dir, ":"); found && len(scheme) > 1 { // C: is a drive
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, cli.Usagef("there is no forge %q; name it as github:OWNER/REPO, or as a folder made by dpgbot forge init", dir)
		}
	}
	f, err := forge.OpenLocal(dir)
	if _, missing := os.Stat(filepath.Join(dir, "repo.git")); err != nil && errors.Is(missing, fs.ErrNotExist) {
		return nil, cli.Usagef("%v", err)
	}
	return f, err
}

var initCommand = cli.Command{
	Name:    "forge init",
	Args:    "DIR",
	Summary: "make a local forge: a bare repository with pull requests as files",
	Help: `
Makes a folder that stands in for GitHub. DIR/repo.git is a bare Git repository to
clone from and push to. Pull requests, comments and checks are files beside it.

To merge a pull request, merge its branch with git and push the default branch. To
close one, write "state: closed" in DIR/pulls/NUMBER/pull.yaml.`,
	Examples: []string{
		"dpgbot forge init ./forge",
		"git push ./forge/repo.git main",
	},
	Setup: func(*flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		return func(_ context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("forge init takes one folder")
			}
			if _, err := forge.InitLocal(args[0]); err != nil {
				return err
			}
			o.Say("made %s; push a registry to %s/repo.git", args[0], args[0])
			return nil
		}
	},
}

var openCommand = cli.Command{
	Name:     "forge open",
	Args:     "DIR",
	Summary:  "open a pull request on a local forge, as a contributor would",
	Help:     `Opens a pull request from a branch that was pushed to the local forge, and prints its number.`,
	Examples: []string{`dpgbot forge open ./forge --head add-x --title "Add DPG: X"`},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		head := flags.String("head", "", "the `BRANCH` to merge")
		title := flags.String("title", "", "the pull request's `TITLE` (default the branch)")
		var t talkFlags
		t.declare(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 || *head == "" {
				return cli.Usagef("forge open takes one folder and --head BRANCH")
			}
			text, err := t.text()
			if err != nil {
				return err
			}
			f, err := openLocal(args[0])
			if err != nil {
				return err
			}
			base, err := f.DefaultBranch(ctx)
			if err != nil {
				return err
			}
			if *title == "" {
				*title = *head
			}
			pr, err := f.As(t.user()).Open(ctx, forge.NewPullRequest{Title: *title, Body: text, Head: *head, Base: base})
			if err != nil {
				return err
			}
			fmt.Fprintln(o.Out, pr.Number)
			o.Say("opened pull request %d: %s", pr.Number, pr.URL)
			o.Next("dpgbot review --forge %s --pr %d", args[0], pr.Number)
			return nil
		}
	},
}

var listCommand = cli.Command{
	Name:     "forge list",
	Args:     "DIR",
	Summary:  "list the pull requests of a local forge",
	Help:     `Lists number, state, branch and title of every pull request.`,
	Examples: []string{"dpgbot forge list ./forge"},
	Setup: func(*flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("forge list takes one folder")
			}
			f, err := openLocal(args[0])
			if err != nil {
				return err
			}
			pulls, err := f.PullRequests(ctx, forge.Filter{})
			if err != nil {
				return err
			}
			for _, pr := range pulls {
				// %q keeps a hostile title on its line.
				fmt.Fprintf(o.Out, "%4d  %-6s  %-24s  %q\n", pr.Number, pr.State, diag.OneLine(pr.Head), pr.Title)
			}
			return nil
		}
	},
}
