package dpg

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var validateCommand = cli.Command{
	Name:    "validate",
	Args:    "[FILE...]",
	Summary: "check entries and say all that is wrong with them",
	Help: `
Checks every file of the registry, or only the files and folders named, against
its JSON Schema and the rules. Entries that are not named are still read, since
some rules look across entries. Findings go to standard output, the count to
standard error. Warnings pass, unless --strict.

Of the formats, github is annotations in GitHub Actions, markdown a table for the
summary of a job there, and sarif a file for code scanning.

With --fix, what has one right answer is mended in the files first, and said on
standard error: white space around a text, a country's code, the spelling of a
licence, a slip in a link, keys that hold nothing, soft hyphens and zero width
spaces. The findings are what is left.`,
	Examples: []string{
		"dpg validate",
		"dpg validate registry/dpgs/dhis2.yaml",
		"dpg validate --format json | jq '.findings[].rule'",
		"dpg validate --format markdown >> \"$GITHUB_STEP_SUMMARY\"",
		"dpg validate --changed-since origin/main",
		"dpg validate --fix",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		v := validate{format: cli.OneOf{Value: "text", Allowed: []string{"text", "json", "github", "sarif", "markdown"}}}
		dir := cli.RegistryFlag(flags)
		jobs := cli.JobsFlag(flags)
		flags.Var(&v.format, "format", "`FORMAT` of the findings: text, json, github, sarif, markdown")
		flags.StringVar(&v.asOf, "as-of", "", "judge dated rules as of `DATE`, such as 2026-01-31 (default today)")
		flags.StringVar(&v.since, "changed-since", "", "judge only what the commits since `REV` changed")
		flags.BoolVar(&v.fix, "fix", false, "mend what has one right answer, in the files")
		flags.BoolVar(&v.strict, "strict", false, "let warnings fail the run as errors do")
		return func(ctx context.Context, o *cli.IO, files []string) error {
			v.dir, v.jobs, v.files = *dir, *jobs, files
			return v.run(ctx, o)
		}
	},
}

type validate struct {
	dir    string
	files  []string
	format cli.OneOf
	asOf   string
	since  string
	strict bool
	fix    bool
	jobs   int
	texts  registry.Files // what was judged, to be read once more
}

func (v *validate) run(ctx context.Context, o *cli.IO) error {
	if v.asOf == "" {
		v.asOf = cli.Today()
	} else if _, err := time.Parse(time.DateOnly, v.asOf); err != nil {
		return cli.Usagef("--as-of %q is not a date such as 2026-01-31", v.asOf)
	}
	if v.fix && v.since != "" {
		return cli.Usagef("--fix mends files, and --changed-since judges commits; use one of the two")
	}
	only, err := onlyFiles(v.dir, v.files)
	if err != nil {
		return err
	}
	done := o.Busy("checking")
	defer done()
	load := registry.Options{Jobs: v.jobs}
	files, err := cli.Open(v.dir, &load)
	if err != nil {
		return err
	}
	v.texts = files
	opt := lint.Options{AsOf: v.asOf, Only: only, Jobs: v.jobs, Derived: assess.Findings}
	if v.fix {
		if err := v.mend(ctx, o, files, load, opt); err != nil {
			return err
		}
	}
	opt.NoEdits = true // no format shows them
	judge := v.judge
	if v.since != "" {
		judge = v.judgeSince
	}
	found, checked, err := judge(ctx, o, files, load, opt)
	if err != nil {
		return err
	}
	done()
	if err := v.write(o, found, checked); err != nil {
		return err
	}
	count := diag.Tally(found)
	if v.format.Value != "json" { // where the report says it
		o.Say("%s checked as of %s: %s", plural(checked, "file", "files"), v.asOf, count)
	}
	if count.Errors > 0 || v.strict && count.Warnings > 0 {
		return cli.ErrFound
	}
	if v.format.Value == "text" {
		o.Next("dpg build --out public")
	}
	return nil
}

// mend repairs files on disk and says what it did.
func (v *validate) mend(ctx context.Context, o *cli.IO, files registry.Files, load registry.Options, opt lint.Options) error {
	out, err := fix.Registry(files, load.Prefix, func(files registry.Files) ([]diag.Diagnostic, error) {
		_, found, err := lint.Check(ctx, files, load, opt)
		return found, err
	})
	if err != nil {
		return err
	}
	if err := writeChanges(ctx, v.dir, out.Changed); err != nil {
		return err
	}
	for _, d := range out.Mended {
		o.Say("mended %s:%d:%d: %s [%s]", d.Path, d.Start.Line, d.Start.Col, d.Message, d.Rule)
	}
	o.Say("%s mended in %s", plural(len(out.Mended), "finding", "findings"), plural(len(out.Changed), "file", "files"))
	return nil
}

// judge checks the registry as it is on disk.
func (v *validate) judge(ctx context.Context, _ *cli.IO, files registry.Files, load registry.Options, opt lint.Options) (found []diag.Diagnostic, checked int, err error) {
	// Nearly all that a check allocates is garbage at once: collecting it less often
	// saves a quarter of the time, and the limit keeps that from showing in a large
	// registry. Not collecting at all would save nothing more, since fresh memory has
	// a price too. A GOGC of the caller's own goes first.
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(800))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(640 << 20))
	}
	reg, found, err := lint.Check(ctx, files, load, opt)
	if err != nil {
		return nil, 0, err
	}
	for _, name := range reg.Paths() {
		if opt.Only == nil || opt.Only(name) {
			checked++
		}
	}
	return found, checked, nil
}

// judgeSince checks what the commits since a revision changed.
func (v *validate) judgeSince(ctx context.Context, o *cli.IO, _ registry.Files, load registry.Options, opt lint.Options) (found []diag.Diagnostic, checked int, err error) {
	repo, err := registry.FindRepo(v.dir)
	if err != nil {
		return nil, 0, err
	}
	if repo == nil {
		return nil, 0, cli.Usagef("--changed-since compares commits, and %q is in no Git repository", v.dir)
	}
	rev, err := repo.Commit(v.since)
	if err != nil {
		return nil, 0, cli.Usagef("--changed-since: %v", err)
	}
	head, err := repo.Commit("HEAD")
	if err != nil {
		return nil, 0, err
	}
	base, err := registry.MergeBase(rev, head)
	if err != nil {
		return nil, 0, err
	}
	if base == nil {
		return nil, 0, fmt.Errorf("%q and HEAD have no commit in common; fetch all of the history (in GitHub Actions: fetch-depth: 0)", v.since)
	}
	dirty := make(chan error, 1)
	var isDirty bool
	go func() { // most of it waits for the disk
		var err error
		isDirty, err = repo.Dirty(v.dir, head)
		dirty <- err
	}()
	found, changes, err := lint.Since(ctx, lint.Span{Repo: repo, Base: base, Head: head, Load: load, Cache: cacheDir(v.dir)}, opt)
	if err := errors.Join(err, <-dirty); err != nil {
		return nil, 0, err
	}
	if v.texts, err = repo.Files(head); err != nil {
		return nil, 0, err
	}
	if isDirty {
		o.Say("changes that are not committed were not looked at")
	}
	if changes.All {
		o.Say("the rules themselves changed, so everything was checked")
	}
	return found, changes.Files, nil
}

func (v *validate) write(o *cli.IO, found []diag.Diagnostic, files int) error {
	switch v.format.Value {
	case "json":
		return diag.WriteJSON(o.Out, diag.NewReport(found, files, v.asOf))
	case "github":
		return diag.WriteGitHub(o.Out, found)
	case "markdown":
		return diag.WriteMarkdown(o.Out, diag.NewReport(found, files, v.asOf))
	case "sarif":
		return diag.WriteSARIF(o.Out, found, diag.SARIF{AsOf: v.asOf, Rules: ruleHelp(), Text: v.text})
	}
	return diag.WriteText(o.Out, found, o.Color)
}

// text reads a file that a finding names; nil where that fails, and then the
// finding has no columns.
func (v *validate) text(name string) []byte {
	data, err := v.texts.Read(strings.TrimPrefix(name, cli.Prefix(v.dir)+"/"))
	if err != nil {
		return nil
	}
	return data
}

func ruleHelp() []diag.RuleHelp {
	var all []diag.RuleHelp
	for _, r := range everyRule() {
		all = append(all, diag.RuleHelp{ID: r.ID, Severity: r.Severity, Summary: r.Summary, Help: r.Doc})
	}
	return all
}

// onlyFiles turns the files named on the command line into a filter on the paths of
// findings; nil where none is named.
func onlyFiles(dir string, files []string) (func(string) bool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var wanted []string
	for _, f := range files {
		if _, err := os.Lstat(f); err != nil {
			return nil, cli.Usagef("there is no file %q", f)
		}
		rel, inside, err := cli.Within(dir, f)
		if err != nil {
			return nil, err
		}
		if !inside {
			return nil, cli.Usagef("%q is not in the registry folder %q; --registry DIR names another", f, dir)
		}
		if rel == "." {
			return nil, nil // the whole of it
		}
		wanted = append(wanted, path.Join(cli.Prefix(dir), rel))
	}
	return func(p string) bool {
		for _, w := range wanted {
			if p == w || strings.HasPrefix(p, w+"/") {
				return true
			}
		}
		return false
	}, nil
}
