package dpg

import (
	"context"
	"flag"
	"os"
	"path"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
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
standard error. Warnings pass, unless --strict.`,
	Examples: []string{
		"dpg validate",
		"dpg validate registry/dpgs/dhis2.yaml",
		"dpg validate --format json | jq '.findings[].rule'",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		v := validate{format: cli.OneOf{Value: "text", Allowed: []string{"text", "json", "github"}}}
		dir := cli.RegistryFlag(flags)
		jobs := cli.JobsFlag(flags)
		flags.Var(&v.format, "format", "`FORMAT` of the findings: text, json or github (annotations in GitHub Actions)")
		flags.StringVar(&v.asOf, "as-of", "", "judge dated rules as of `DATE`, such as 2026-01-31 (default today)")
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
	strict bool
	jobs   int
}

func (v *validate) run(ctx context.Context, o *cli.IO) error {
	if v.asOf == "" {
		v.asOf = cli.Today()
	} else if _, err := time.Parse(time.DateOnly, v.asOf); err != nil {
		return cli.Usagef("--as-of %q is not a date such as 2026-01-31", v.asOf)
	}
	only, err := v.only()
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
	reg, found, err := lint.Check(ctx, files, load, lint.Options{AsOf: v.asOf, Only: only, Jobs: v.jobs, Derived: assess.Findings})
	if err != nil {
		return err
	}
	checked := 0
	for _, name := range reg.Paths() {
		if only == nil || only(name) {
			checked++
		}
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

func (v *validate) write(o *cli.IO, found []diag.Diagnostic, files int) error {
	switch v.format.Value {
	case "json":
		return diag.WriteJSON(o.Out, diag.NewReport(found, files, v.asOf))
	case "github":
		return diag.WriteGitHub(o.Out, found)
	}
	return diag.WriteText(o.Out, found, o.Color)
}

// only turns the files named on the command line into a filter on the paths of
// findings; nil where none is named.
func (v *validate) only() (func(string) bool, error) {
	if len(v.files) == 0 {
		return nil, nil
	}
	var wanted []string
	for _, f := range v.files {
		if _, err := os.Lstat(f); err != nil {
			return nil, cli.Usagef("there is no file %q", f)
		}
		rel, inside, err := cli.Within(v.dir, f)
		if err != nil {
			return nil, err
		}
		if !inside {
			return nil, cli.Usagef("%q is not in the registry folder %q; --registry DIR names another", f, v.dir)
		}
		if rel == "." {
			return nil, nil // the whole of it
		}
		wanted = append(wanted, path.Join(cli.Prefix(v.dir), rel))
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
