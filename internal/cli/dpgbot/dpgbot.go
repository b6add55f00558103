// Package dpgbot is the commands of the program dpgbot.
package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var program = cli.Program{
	Name:    "dpgbot",
	Summary: "dpgbot reviews pull requests of a registry, proposes changes as pull requests, and publishes.",
	Commands: []cli.Command{
		reviewCommand,
		respondCommand,
		syncCommand,
		observeCommand,
		watchCommand,
		doctorCommand,
		publishCommand,
		initCommand,
		openCommand,
		issueCommand,
		commentCommand,
		listCommand,
	},
}

// Main runs dpgbot and returns its exit code.
func Main(args []string, in io.Reader, out, err io.Writer) int {
	return program.Main(args, in, out, err)
}

// botFlags are the flags of the commands that act on a forge.
type botFlags struct {
	forge, folder, asOf, cache string
	push, dryRun               bool
}

func (b *botFlags) declare(flags *flag.FlagSet) {
	flags.StringVar(&b.forge, "forge", "", "the `FORGE`: github:OWNER/REPO, or a folder made by dpgbot forge init")
	flags.StringVar(&b.cache, "git-cache", "", "keep Git objects from GitHub in `DIR` between runs (default in memory)")
	flags.BoolVar(&b.push, "push", false, "push commits made here, not ones made and signed by GitHub")
	flags.StringVar(&b.folder, "registry", "registry", "the registry's `DIR` within the repository")
	flags.StringVar(&b.asOf, "as-of", "", "judge dated rules as of `DATE`, such as 2026-01-31 (default today)")
}

// declareDryRun is of commands that need nothing else to try themselves.
func (b *botFlags) declareDryRun(flags *flag.FlagSet) {
	flags.BoolVar(&b.dryRun, "dry-run", false, "say what would be done, and write nothing to the forge")
}

func (b *botFlags) open(ctx context.Context, o *cli.IO) (*bot.Bot, error) {
	if b.forge == "" {
		return nil, cli.Usagef("name the forge with --forge github:OWNER/REPO or --forge DIR")
	}
	if err := b.date(); err != nil {
		return nil, err
	}
	folder := path.Clean(filepath.ToSlash(b.folder))
	if !fs.ValidPath(folder) {
		return nil, cli.Usagef("--registry %q is not a folder within the repository, such as registry", b.folder)
	}
	f, err := b.openForge(ctx, o)
	if err != nil {
		return nil, err
	}
	return &bot.Bot{Forge: f, Folder: folder, AsOf: b.asOf, Log: o.Say, DryRun: b.dryRun}, nil
}

// date settles --as-of.
func (b *botFlags) date() error {
	if b.asOf == "" {
		b.asOf = cli.Today()
	} else if _, err := time.Parse(time.DateOnly, b.asOf); err != nil {
		return cli.Usagef("--as-of %q is not a date such as 2026-01-31", b.asOf)
	}
	return nil
}

func (b *botFlags) openForge(ctx context.Context, o *cli.IO) (forge.Forge, error) {
	if repository, ok := strings.CutPrefix(b.forge, "github:"); ok {
		return openGitHub(ctx, o, repository, b.cache, b.push)
	}
	return openLocal(b.forge)
}

var reviewCommand = cli.Command{
	Name:    "review",
	Summary: "review one pull request: its check, its labels, its one comment",
	Help: `
Judges what a pull request changes by the base branch's rules, sets the check
dpg-registry/validate of its head commit, with remarks on the lines that it
shows, and the labels that say how it stands and whose turn it is. It writes one
comment that is edited in place and left alone when nothing changed, and suggests
a repair, once, where there is one right answer. The label "dpg: silent", or the
one that bot.silent_label in the settings names, leaves only the check. Exits 1 if
there is something to mend.

With --outdated it reviews again the open pull requests that were judged by another
policy, other frameworks or settings than the default branch has now, or that pass
although the default branch has got the same entry since: at most a hundred, the
oldest first. What it finds in them is no reason to exit 1.

At GitHub a review takes at most 12 requests the first time, and 6 when nothing
changed since; --outdated takes one for each open pull request beside those.
` + environment,
	Examples: []string{
		"dpgbot review --forge github:OWNER/REPO --pr 7",
		"dpgbot review --forge ./forge --pr 7",
		"dpgbot review --forge ./forge --pr 7 --dry-run --summary report.md",
		"dpgbot review --forge github:OWNER/REPO --outdated",
		"dpgbot review --forge github:OWNER/REPO --event \"$GITHUB_EVENT_PATH\" --format github",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		b.declareDryRun(flags)
		var pull pullFlags
		pull.declare(flags)
		format := cli.OneOf{Allowed: []string{"github", "json", "text"}}
		flags.Var(&format, "format", "print findings as `FORMAT`: github, json or text")
		outputs := outputsFlag(flags)
		summary := flags.String("summary", "", "add the report, as Markdown, to `FILE`, such as that of $GITHUB_STEP_SUMMARY")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("review takes no arguments")
			}
			if err := pull.check(); err != nil {
				return err
			}
			bt, err := b.open(ctx, o)
			if err != nil {
				return err
			}
			if pull.outdated {
				done, err := bt.ReviewOutdated(ctx)
				o.Say("%d pull requests reviewed again as of %s", len(done), b.asOf)
				return err
			}
			number, err := pull.find(ctx, o, bt, strings.TrimPrefix(b.forge, "github:"))
			if err != nil || number == 0 {
				return err
			}
			v, err := bt.Review(ctx, number)
			if err != nil || v == nil {
				return err
			}
			if err := writeFindings(o, format.Value, v, b.asOf); err != nil {
				return err
			}
			o.Say("pull request %d as of %s: %s", number, b.asOf, v.Title())
			if *summary != "" {
				if err := appendTo(*summary, v.Report); err != nil {
					return err
				}
			}
			count := diag.Tally(v.Findings)
			var results stepOutputs
			results.add("findings", count.Errors+count.Warnings)
			results.pull(number, v.URL)
			if err := results.write(*outputs); err != nil {
				return err
			}
			if v.Conclusion == forge.Failure {
				return cli.ErrFound
			}
			return nil
		}
	},
}

// writeFindings prints what the review found to standard output; "" prints nothing.
func writeFindings(o *cli.IO, format string, v *bot.Verdict, asOf string) error {
	switch format {
	case "github":
		return diag.WriteGitHub(o.Out, v.Findings)
	case "json":
		return diag.WriteJSON(o.Out, diag.NewReport(v.Findings, v.Files, asOf))
	case "text":
		return diag.WriteText(o.Out, v.Findings, o.Color)
	}
	return nil
}

// appendTo adds text to a file, as the steps of a workflow share one.
func appendTo(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// A pullNumber is a flag; 0 is that it was not given.
type pullNumber int32

func (n *pullNumber) String() string { return strconv.Itoa(int(*n)) }

func (n *pullNumber) Set(s string) error {
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil || v < 1 {
		return errors.New("the number of a pull request is wanted, such as 7")
	}
	*n = pullNumber(v)
	return nil
}

var syncCommand = cli.Command{
	Name:    "sync",
	Summary: "propose what the default branch lacks, and publish its catalog",
	Help: `
Reads the default branch, validates it, and keeps one pull request for each
purpose: the assessments that are new or changed, and the repairs that dpg
validate --fix would make. Each holds at most 25 entries at a time; the next come
when it is merged. It is updated in place, closed when nothing is left, not opened
again once a person closed it until something else is proposed, and left alone
once a person has pushed to its branch. The bot has at most 5 pull requests open
at a time, or as many as bot.pull_requests in the settings says. While a sync
fails an issue says why.

With --publish the catalog of the default branch is written too, only the files
that changed.

With --assessments it takes what dpg assess --model --out DIR left there: only the
models' answers about entries of the default branch, each checked against the
entry's words and the frameworks again. All else in the folder is named and left.

At GitHub a sync with nothing to do takes 2 requests, and 2 more for each pull
request of the bot that is open.
` + environment,
	Examples: []string{
		"dpgbot sync --forge github:OWNER/REPO",
		"dpgbot sync --forge ./forge",
		"dpgbot sync --forge ./forge --assessments ./answers",
		"dpgbot sync --forge ./forge --publish ./public",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		b.declareDryRun(flags)
		publish := flags.String("publish", "", "write the catalog to `DIR`")
		outputs := outputsFlag(flags)
		answers := flags.String("assessments", "", "propose the models' answers in `DIR` that can be shown from the entries")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("sync takes no arguments")
			}
			bt, err := b.open(ctx, o)
			if err != nil {
				return err
			}
			if err := checkPublish(b.forge, *publish); err != nil {
				return err
			}
			if *answers != "" {
				root, err := os.OpenRoot(*answers) // no link in it leads out of it
				if err != nil {
					return cli.Usagef("--assessments %q is no folder that can be read", *answers)
				}
				defer root.Close()
				bt.Answers = registry.FromFS(root.FS())
			}
			done := o.Busy("reading the default branch")
			defer done()
			s, err := bt.Sync(ctx)
			if err != nil {
				return err
			}
			done()
			o.Say("%d entries at commit %.7s as of %s: %s", s.Entries, s.Head.Commit, b.asOf, s.Findings)
			switch {
			case s.Proposed == 0:
				o.Say("every assessment is up to date")
			case s.Waiting == 0:
				o.Say("%s to propose", assessments(s.Proposed))
			default:
				o.Say("%s to propose, %d of them once the pull request before is merged", assessments(s.Proposed), s.Waiting)
			}
			if s.Fixes > 0 {
				o.Say("%s to mend", entries(s.Fixes))
			}
			if *outputs != "" {
				if err := proposalOutputs(ctx, bt, *outputs); err != nil {
					return err
				}
			}
			if *publish == "" {
				return nil
			}
			return publishTo(o, s, *publish)
		}
	},
}

// proposalOutputs hands on the first pull request that the bot has open.
func proposalOutputs(ctx context.Context, b *bot.Bot, name string) error {
	open, err := b.Proposals(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	var results stepOutputs
	results.pull(open[0].Number, open[0].URL)
	return results.write(name)
}

// checkPublish says why the catalog of a forge cannot go to a folder; "" is none.
func checkPublish(forge, dir string) error {
	if dir == "" {
		return nil
	}
	if _, inside, err := cli.Within(forge, dir); err != nil {
		return err
	} else if inside {
		return cli.Usagef("--publish %q is in the forge %q, which holds the repository; name a folder of its own", dir, forge)
	}
	if inside, err := cli.InGit(dir); err != nil {
		return err
	} else if inside {
		return cli.Usagef("--publish %q is in a folder of Git's own, which a catalog would break; name a folder of its own", dir)
	}
	return nil
}

func assessments(n int) string {
	if n == 1 {
		return "1 assessment"
	}
	return fmt.Sprintf("%d assessments", n)
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func publishTo(o *cli.IO, s *bot.Synced, dir string) error {
	if s.Catalog == nil { // the log says why
		o.Say("nothing is published to %s, and what is there stays", dir)
		return cli.ErrFound
	}
	report, err := s.Catalog.Write(dir)
	if err != nil {
		return err
	}
	if err := bot.Heartbeat(dir, s, cli.Now()); err != nil {
		return err
	}
	o.Say("published to %s: %s", dir, report)
	o.Next("dpg serve --dir %s", dir)
	return nil
}
