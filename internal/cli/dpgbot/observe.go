package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/observe"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

var observeCommand = cli.Command{
	Name:    "observe",
	Summary: "look at the entries' repositories: are they there, under which licence",
	Help: `
Looks at the repositories of every live entry, reads the licence texts in them at
the head of the default branch, tells which licences they are, and notes that with
the commit and the day in observations/. A file is rewritten only when a fact
changes. Where a text does not agree with its entry, dpg validate says so. With
--forge the notes are proposed as one pull request, at most 25 entries at a time;
without it they are written to the registry's folder.

GitHub is asked through its API, without a token about a dozen repositories an
hour; with one in GITHUB_TOKEN a thousand. Other repositories are read over Git's
own protocol. Only public addresses are asked, never through a proxy. What could
not be read is named and counted, and stops nothing else.

Standard output has one line a repository: verdict, entry, address, reason. Exits 3
if nothing at all could be read.`,
	Examples: []string{
		"dpgbot observe --licenses --entry dhis2 --dry-run",
		"dpgbot observe --licenses --forge ./forge",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		flags.Lookup("forge").Usage = "propose on this forge, a `DIR`, and write nothing here"
		flags.Lookup("as-of").Usage = "note what is seen as of `DATE`, such as 2026-01-31 (default today)"
		licenses := flags.Bool("licenses", true, "read licence texts; in this version all there is to look at")
		run := observing{botFlags: &b, outputs: outputsFlag(flags)}
		flags.Func("entry", "look at the entry of this `ID` only; may be given again for more", func(s string) error {
			if s == "" {
				return errors.New("it is blank")
			}
			run.only = append(run.only, s)
			return nil
		})
		flags.BoolVar(&run.dry, "dry-run", false, "tell what is seen, and write and propose nothing")
		run.jobs = cli.JobsFlag(flags)
		flags.Lookup("jobs").Usage = "look at `N` entries at a time (default 4)"
		flags.DurationVar(&run.timeout, "timeout", time.Minute, "leave an entry after this `TIME`")
		flags.Int64Var(&run.mib, "max-mib", 2048, "fetch no more than `N` MiB in all")
		flags.StringVar(&run.cache, "cache", "", "keep what was fetched in `DIR` (default in your cache folder); none keeps nothing")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("observe takes no arguments; name entries with --entry ID")
			}
			if !*licenses {
				return cli.Usagef("nothing is left to look at: leave --licenses=false out")
			}
			if run.timeout <= 0 || run.mib <= 0 {
				return cli.Usagef("--timeout and --max-mib must be more than nothing")
			}
			return run.run(ctx, o)
		}
	},
}

// cacheDir is where answers are kept from run to run; "" where the system has no
// place for such.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "dpg-registry", "observe")
}

type observing struct {
	*botFlags
	only    []string
	dry     bool
	jobs    *int
	timeout time.Duration
	mib     int64
	cache   string
	outputs *string
}

func (r *observing) run(ctx context.Context, o *cli.IO) error {
	switch r.cache {
	case "":
		r.cache = cacheDir()
	case "none":
		r.cache = ""
	}
	if r.cache != "" { // what is fetched must not be taken for the registry's own
		for _, dir := range []string{r.folder, r.forge} {
			if dir == "" {
				continue
			}
			if _, inside, err := cli.Within(dir, r.cache); err != nil {
				return err
			} else if inside {
				return cli.Usagef("--cache %q is in %q; name a folder outside", r.cache, dir)
			}
		}
	}
	detector, err := match.Load()
	if err != nil {
		return err
	}
	opt := observe.Options{
		Detector: detector, Token: os.Getenv("GITHUB_TOKEN"), Cache: r.cache,
		Jobs: *r.jobs, Entry: r.timeout, AllBytes: r.mib << 20,
	}
	if o.Terminal {
		opt.Each = func(done, all int) {
			if done%10 == 0 || done == all {
				o.Say("%d of %d entries looked at", done, all)
			}
		}
	}
	if r.forge != "" {
		return r.propose(ctx, o, opt)
	}
	return r.write(ctx, o, opt)
}

// propose works on a forge.
func (r *observing) propose(ctx context.Context, o *cli.IO, opt observe.Options) error {
	bt, err := r.open(ctx, o)
	if err != nil {
		return err
	}
	opt.AsOf = r.asOf
	seen, err := bt.Observe(ctx, bot.Observing{Options: opt, Only: r.only, DryRun: r.dry})
	if err != nil {
		return mistaken(err)
	}
	if seen.Report == nil { // the log says why
		return nil
	}
	if *r.outputs != "" {
		if err := proposalOutputs(ctx, bt, *r.outputs); err != nil {
			return err
		}
	}
	if err := r.tell(o, seen.Report); err != nil {
		return err
	}
	switch {
	case len(seen.Proposed) == 0:
		o.Say("every observation is up to date")
	case seen.Waiting == 0:
		o.Say("%s to propose", observations(len(seen.Proposed)))
	default:
		o.Say("%s to propose, %d of them once the pull request before is merged", observations(len(seen.Proposed)), seen.Waiting)
	}
	return nil
}

// mistaken takes an entry that is not there for a mistake in the command line.
func mistaken(err error) error {
	var unknown *observe.UnknownEntry
	if errors.As(err, &unknown) {
		return cli.Usagef("--entry: %v", err)
	}
	return err
}

func observations(n int) string {
	if n == 1 {
		return "1 observation"
	}
	return fmt.Sprintf("%d observations", n)
}

// write works on the registry's folder.
func (r *observing) write(ctx context.Context, o *cli.IO, opt observe.Options) error {
	if err := r.date(); err != nil {
		return err
	}
	opt.AsOf = r.asOf
	reg, err := cli.Load(ctx, r.folder, registry.Options{})
	if err != nil {
		return err
	}
	if !reg.Settings.Bot.Does("observe") {
		o.Say("nothing is looked at: bot.behaviours in the settings leaves out %q", "observe")
		return nil
	}
	docs, err := observe.Entries(reg, r.only, opt.Of)
	if err != nil {
		return mistaken(err)
	}
	report, err := observe.Look(ctx, reg, docs, opt)
	if err != nil {
		return err
	}
	proposals, err := observe.Plan(reg, report)
	if err != nil {
		return err
	}
	verb := "written"
	if r.dry {
		verb = "would be written"
	} else if err := writeObservations(r.folder, proposals); err != nil {
		return err
	}
	if err := r.tell(o, report); err != nil {
		return err
	}
	deleted := 0
	for _, p := range proposals {
		if p.Delete {
			deleted++
		}
	}
	o.Say("%s %s, %d deleted", observations(len(proposals)-deleted), verb, deleted)
	if len(proposals) > 0 && !r.dry {
		o.Next("dpg validate --registry %s", r.folder)
	}
	return nil
}

func writeObservations(dir string, proposals []observe.Proposal) error {
	if len(proposals) == 0 {
		return nil
	}
	folder, err := disk.Open(filepath.Join(dir, registry.ObservationFolder))
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, p := range proposals {
		name := strings.TrimPrefix(p.Path, registry.ObservationFolder+"/")
		if p.Delete {
			err = folder.Remove(name)
		} else {
			_, err = folder.Write(name, p.Data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell prints what every repository came to, and a summary.
func (r *observing) tell(o *cli.IO, report *observe.Report) error {
	missed := map[entry.Ref]map[string]bool{}
	for _, m := range report.Missed {
		if missed[m.Ref] == nil {
			missed[m.Ref] = map[string]bool{}
		}
		missed[m.Ref][m.URL] = true
	}
	count := map[lint.Verdict]int{}
	looked := 0
	for _, s := range report.Seen {
		for _, c := range lint.CompareLicenses(s.Doc.Entry, s.Observation) {
			url := strings.TrimSpace(s.Doc.Entry.Repositories[c.Repository].URL)
			if missed[s.Doc.Ref][url] {
				continue // known from before
			}
			looked++
			count[c.Verdict]++
			fmt.Fprintln(o.Out, diag.OneLine(fmt.Sprintf("%-10s %s %s: %s", c.Verdict, s.Doc.Ref, url, c.Reason)))
		}
	}
	failed, skipped := 0, 0
	for _, m := range report.Missed {
		word := "failed"
		if m.Skipped {
			word, skipped = "skipped", skipped+1
		} else {
			failed++
		}
		fmt.Fprintln(o.Out, diag.OneLine(fmt.Sprintf("%-10s %s %s: %s", word, m.Ref, m.URL, m.Why)))
	}
	o.Say("%d repositories of %d entries as of %s: %d the same, %d compatible, %d different, %d unknown; %d failed, %d skipped",
		looked+len(report.Missed), len(report.Seen), r.asOf,
		count[lint.VerdictSame], count[lint.VerdictCompatible], count[lint.VerdictDifferent], count[lint.VerdictUnknown], failed, skipped)
	if looked == 0 && len(report.Missed) > 0 {
		return errors.New("no repository could be read")
	}
	return nil
}
