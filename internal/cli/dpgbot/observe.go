package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	Summary: "look at what entries name: repositories, their licences, lists of dependencies",
	Help: `
Looks at what every live entry names outside, and notes it with the day in
observations/. A file is rewritten only when a fact changes. With --forge the notes
are proposed as one pull request, at most 25 entries at a time; without it they are
written to the registry's folder.

--licenses  the repositories: whether they are there, and which licences the texts in
            them are, at the head of the default branch, with its commit
--sbom      the SPDX documents of dependencies that entries name with sbom.url: which
            of these create restrictions, by the policy of that day

Without one of the two, both. Where what is seen does not agree with an entry, dpg
validate says so.

GitHub is asked through its API, without a token about a dozen repositories an
hour; with one in GITHUB_TOKEN a thousand. Other repositories are read over Git's
own protocol. Only public addresses are asked, never through a proxy. What could
not be read is named and counted, and stops nothing else; a host that did not answer
three times is left alone. Entries of which nothing is known come first, so a run
that a limit or a person ended is carried on by the next.

Standard output has a line for each repository and document: verdict, entry, address,
reason. Exits 3 if nothing at all could be read.`,
	Examples: []string{
		"dpgbot observe --licenses --entry dhis2 --dry-run",
		"dpgbot observe --forge ./forge",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		flags.Lookup("forge").Usage = "propose on this `FORGE`, github:OWNER/REPO or a local folder, and write nothing here"
		flags.Lookup("as-of").Usage = "note what is seen as of `DATE`, such as 2026-01-31 (default today)"
		licenses := flags.Bool("licenses", false, "look at repositories and the licence texts in them; alone, at nothing else")
		sbom := flags.Bool("sbom", false, "look at the documents of dependencies that entries name; alone, at nothing else")
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
			if *licenses {
				run.of |= observe.Repositories
			}
			if *sbom {
				run.of |= observe.SBOMs
			}
			refused := false
			flags.Visit(func(f *flag.Flag) { refused = refused || (f.Name == "licenses" || f.Name == "sbom") && run.of == 0 })
			if refused {
				return cli.Usagef("nothing is left to look at: without --licenses and --sbom, both are")
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
	of      observe.Subject // 0 is everything
	only    []string
	dry     bool
	client  *http.Client // nil is the guarded one; there for tests, whose servers are on this machine
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
		Of: r.of, Client: r.client, Detector: detector, Token: os.Getenv("GITHUB_TOKEN"), Cache: r.cache,
		Jobs: *r.jobs, Entry: r.timeout, AllBytes: r.mib << 20,
	}
	if o.Terminal {
		opt.Each = func(done, all int) {
			if done == 1 || done%10 == 0 || done == all {
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

// sound refuses a registry whose own rules cannot be read, by which dependencies
// would be judged, and names the entries that are left out.
func sound(o *cli.IO, reg *registry.Registry) error {
	const most = 10
	var named []string
	for _, d := range reg.Findings {
		at := strings.TrimPrefix(d.Path, reg.Prefix+"/")
		top, _, nested := strings.Cut(at, "/")
		switch {
		case d.Severity != diag.Error || slices.Contains(named, d.Path):
		case !nested:
			return fmt.Errorf("%s: %s; dpg validate says all of it", d.Path, d.Message)
		case top != registry.ObservationFolder && top != registry.AssessmentFolder:
			if named = append(named, d.Path); len(named) <= most {
				o.Say("warning: %s is left out: %s", d.Path, d.Message)
			}
		}
	}
	if more := len(named) - most; more > 0 {
		o.Say("warning: %d more files are left out; dpg validate names them", more)
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
	if err := sound(o, reg); err != nil {
		return err
	}
	docs, err := observe.Entries(reg, r.only, opt.Of)
	if err != nil {
		return mistaken(err)
	}
	report, stopped := observe.Look(ctx, reg, docs, opt)
	if report == nil {
		return stopped
	}
	// What was seen until a run was interrupted is not to be asked again.
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
	failed := r.tell(o, report)
	deleted := 0
	for _, p := range proposals {
		if p.Delete {
			deleted++
		}
	}
	o.Say("%s %s, %d deleted", observations(len(proposals)-deleted), verb, deleted)
	if stopped != nil {
		o.Say("%d of %s were looked at; the next run begins with the others", len(report.Seen), entries(len(docs)))
		return stopped
	}
	if failed != nil {
		return failed
	}
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

// What a line begins with where there is no verdict.
const (
	wordFailed  = "failed"
	wordSkipped = "skipped"
)

// tell prints what every repository and document came to, entry by entry, and a
// summary.
func (r *observing) tell(o *cli.IO, report *observe.Report) error {
	type thing struct {
		ref entry.Ref
		of  observe.Subject
		url string
	}
	missed := map[thing]bool{}
	misses := map[entry.Ref][]observe.Miss{}
	for _, m := range report.Missed {
		missed[thing{m.Ref, m.Of, m.URL}] = true
		misses[m.Ref] = append(misses[m.Ref], m)
	}
	count := map[observe.Subject]map[string]int{observe.Repositories: {}, observe.SBOMs: {}}
	looked := 0
	say := func(of observe.Subject, word string, ref entry.Ref, url, why string) {
		count[of][word]++
		fmt.Fprintln(o.Out, diag.OneLine(fmt.Sprintf("%-10s %s %s: %s", word, ref, url, why)))
	}
	// What is known from before, and was not looked at now, is no news.
	now := func(t thing) bool { return (r.of == 0 || r.of&t.of != 0) && !missed[t] }
	for _, s := range report.Seen {
		ref := s.Doc.Ref
		for _, c := range lint.CompareLicenses(s.Doc.Entry, s.Observation) {
			url := strings.TrimSpace(s.Doc.Entry.Repositories[c.Repository].URL)
			if now(thing{ref, observe.Repositories, url}) {
				looked++
				word, why := seenWords(s.Observation.Repository(url), c)
				say(observe.Repositories, word, ref, url, why)
			}
		}
		if s.Observation != nil && s.Observation.SBOM != nil && now(thing{ref, observe.SBOMs, s.Observation.SBOM.URL}) {
			looked++
			say(observe.SBOMs, string(lint.JudgeSBOM(s.Observation.SBOM)), ref, s.Observation.SBOM.URL, lint.DescribeSBOM(s.Observation.SBOM))
		}
		for _, m := range misses[ref] {
			word := wordFailed
			if m.Skipped {
				word = wordSkipped
			}
			say(m.Of, word, ref, m.URL, m.Why)
		}
	}
	o.Say("%s looked at as of %s", entries(len(report.Seen)), r.asOf)
	sum(o, "repositories", count[observe.Repositories], string(lint.VerdictSame), string(lint.VerdictCompatible), string(lint.VerdictDifferent), string(lint.VerdictUnknown),
		registry.StateEmpty, registry.StateGone)
	sum(o, "documents", count[observe.SBOMs], string(lint.SBOMAccepted), string(lint.SBOMRestricted), string(lint.SBOMUntold), string(lint.SBOMUnreadable), string(lint.SBOMGone))
	if looked == 0 && len(report.Missed) > 0 {
		return errors.New("nothing could be read")
	}
	return nil
}

// seenWords puts what was seen of a repository in a word and a reason, behind its
// address.
func seenWords(o *registry.ObservedRepository, c lint.LicenseComparison) (word, why string) {
	word = string(c.Verdict)
	why = strings.Replace(c.Reason, "repository "+strconv.Quote(o.URL), "it", 1)
	switch o.State {
	case registry.StateGone, registry.StateEmpty:
		word = o.State
	case registry.StateMoved:
		why += "; it has moved to " + o.MovedTo
	}
	if o.Archived {
		why += "; its owners archived it"
	}
	return word, why
}

// sum says how many of what came to what; nothing where there was none.
func sum(o *cli.IO, what string, count map[string]int, verdicts ...string) {
	all := 0
	var parts []string
	for _, w := range append(verdicts, wordFailed, wordSkipped) {
		all += count[w]
		parts = append(parts, fmt.Sprintf("%d %s", count[w], w))
	}
	if all > 0 {
		o.Say("%-12s %4d: %s", what, all, strings.Join(parts, ", "))
	}
}
