package dpg

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/spdx/sbom"
)

var licenseSBOMCommand = cli.Command{
	Name:    "license sbom",
	Args:    "FILE|-",
	Summary: "say which dependencies in an SPDX document have licences that restrict",
	Help: `
Reads a project's software bill of materials, an SPDX 2.2 or 2.3 document as JSON
or tag-value, and judges the licence of every dependency by the registry's policy:
the licence concluded, or else the one declared. It lists those that the policy
does not accept and those of which nobody can say, by licence. The package that
the document is about is no dependency of itself and is left out. "-" is standard
input; what GitHub's API answers, with the document inside, will do too.

Without a registry folder the built-in policy applies. Nothing is fetched.
Exit code 1 says that some dependency creates a restriction.`,
	Examples: []string{
		"dpg license sbom app.spdx.json",
		"npm sbom --sbom-format spdx | dpg license sbom -",
		"dpg license sbom app.spdx --type data --format json | jq '.licenses[] | select(.restricting)'",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		l := licenseSBOM{format: cli.OneOf{Value: "text", Allowed: []string{"text", "json"}}}
		dir := cli.RegistryFlag(flags)
		flags.StringVar(&l.workType, "type", "software", "judge as work of `TYPE`, as the policy names it")
		flags.StringVar(&l.asOf, "as-of", "", "judge dated rules as of `DATE`, such as 2026-01-31 (default today)")
		flags.Var(&l.format, "format", "`FORMAT` of the report: text, json")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("license sbom takes one file, or - for standard input")
			}
			named := false
			flags.Visit(func(f *flag.Flag) { named = named || f.Name == "registry" })
			l.dir, l.named, l.file = *dir, named, args[0]
			return l.run(ctx, o)
		}
	},
}

type licenseSBOM struct {
	dir      string
	named    bool // whether --registry names it
	file     string
	workType string
	asOf     string
	format   cli.OneOf
}

func (l *licenseSBOM) run(ctx context.Context, o *cli.IO) error {
	if l.asOf == "" {
		l.asOf = cli.Today()
	} else if _, err := time.Parse(time.DateOnly, l.asOf); err != nil {
		return cli.Usagef("--as-of %q is not a date such as 2026-01-31", l.asOf)
	}
	p, err := loadPolicy(ctx, o, l.dir, l.named)
	if err != nil {
		return err
	}
	if _, kept := p.Licenses[l.workType]; !kept {
		return cli.Usagef("--type %q is none that the policy keeps a list of licences for; there are %s",
			l.workType, strings.Join(slices.Sorted(maps.Keys(p.Licenses)), ", "))
	}
	name, in := "standard input", io.Reader(o.In)
	if l.file != "-" {
		info, err := os.Stat(l.file)
		if errors.Is(err, fs.ErrNotExist) {
			return cli.Usagef("there is no file %q", l.file)
		}
		if err == nil && !info.Mode().IsRegular() { // a pipe may keep whoever opens it waiting for ever
			return fmt.Errorf("%s is not a file; give a document that comes through a pipe to standard input, with -", l.file)
		}
		if err != nil {
			return err
		}
		f, err := os.Open(l.file)
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = l.file, f
	}
	done := o.Busy("reading")
	defer done()
	doc, err := sbom.Read(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	report := sbom.Judge(doc, p, l.workType, l.asOf)
	done()
	if l.format.Value == "json" {
		enc := json.NewEncoder(o.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		err = writeRestrictions(o.Out, report)
	}
	if err != nil {
		return err
	}
	of := ""
	if report.Subject != nil {
		of = fmt.Sprintf(" of %q", *report.Subject)
	}
	o.Say("%s: %s%s judged as %s as of %s: %d accepted, %d not accepted, %d unknown", name,
		plural(report.Dependencies, "dependency", "dependencies"), of, l.workType, l.asOf, report.Accepted, report.NotAccepted, report.Unknown)
	if report.Restricting() {
		return cli.ErrFound
	}
	return nil
}

// shownPackages is how many packages of one licence are named in text; JSON has
// them all.
const shownPackages = 20

func writeRestrictions(w io.Writer, r sbom.Report) error {
	for _, g := range r.Licenses {
		if !g.Restrict {
			continue
		}
		var names []string
		for _, p := range g.Packages[:min(len(g.Packages), shownPackages)] {
			name := p.Name
			if p.Version != nil {
				name += " " + *p.Version
			}
			names = append(names, name)
		}
		if more := len(g.Packages) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		_, err := fmt.Fprintf(w, "%s: %s: %s: %s\n\twhy: %s\n", oneLine(g.License), strings.ReplaceAll(string(g.State), "-", " "),
			plural(g.Count, "package", "packages"), oneLine(strings.Join(names, ", ")), oneLine(g.Reason))
		if err != nil {
			return err
		}
	}
	return nil
}

// oneLine keeps a stranger's words from filling the terminal or driving it.
func oneLine(s string) string {
	const most = 2000
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return diag.OneLine(s)
}
