package dpg

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/spdx/document"
)

// An exportFormat is a form of the catalog that is made on demand, beside the one
// that is published.
type exportFormat struct {
	name    string
	summary string // what it is, for the help
	write   func(*cli.IO, io.Writer, *catalog.Catalog) error
}

// exportFormats are the formats, by name.
var exportFormats = []exportFormat{
	{"spdx", "an SPDX 2.3 document as JSON, one package a live entry", exportSPDX},
}

var exportCommand = cli.Command{
	Name:    "export",
	Args:    "FORMAT",
	Summary: "write the catalog in another format: " + formatNames(),
	Help: `
Writes the whole catalog in a format that other programs read, to standard output
or to a file. The same commit gives the same bytes. What the format has no words
for is said on standard error.

` + formatHelp() + `
An SPDX document carries the id and the date of its commit, so the registry has to
be committed. Its own data have to be under CC0-1.0, as SPDX asks.`,
	Examples: []string{
		"dpg export spdx --out catalog.spdx.json",
		"dpg export spdx | jq '.packages[] | {name, licenseDeclared}'",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		dir := cli.RegistryFlag(flags)
		out := flags.String("out", "", "write to `FILE` instead of standard output")
		jobs := cli.JobsFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("export takes one format: %s", formatNames())
			}
			for _, f := range exportFormats {
				if f.name == args[0] {
					return export(ctx, o, f, *dir, *out, *jobs)
				}
			}
			return cli.Usagef("there is no format %q to export; there is %s", args[0], formatNames())
		}
	},
}

func export(ctx context.Context, o *cli.IO, f exportFormat, dir, out string, jobs int) error {
	if out != "" {
		if _, inside, err := cli.Within(dir, out); err != nil {
			return err
		} else if inside {
			return cli.Usagef("--out %q is in the registry folder %q, where files are entries; name one beside it", out, dir)
		}
	}
	done := o.Busy("exporting")
	defer done()
	in, err := catalogInput(ctx, o, dir, true, jobs)
	if err != nil {
		return err
	}
	cat, err := catalog.Build(in)
	if err != nil {
		return err
	}
	var b bytes.Buffer // whole or not at all, also in a pipe
	if err := f.write(o, &b, cat); err != nil {
		return err
	}
	done()
	if out == "" {
		_, err := o.Out.Write(b.Bytes())
		return err
	}
	if _, err := disk.WriteFile(out, b.Bytes()); err != nil {
		return err
	}
	o.Say("wrote %s", out)
	return nil
}

// shownEntries is how many entries a note names.
const shownEntries = 10

func exportSPDX(o *cli.IO, w io.Writer, cat *catalog.Catalog) error {
	doc, notes, err := document.Of(cat)
	if err != nil {
		return err
	}
	for _, n := range notes {
		more, names := "", n.Entries
		if len(names) > shownEntries {
			more, names = fmt.Sprintf(" and %d more", len(names)-shownEntries), names[:shownEntries]
		}
		o.Say("note: %s: %s%s", n.Text, strings.Join(names, ", "), more)
	}
	return document.Write(w, doc)
}

func formatNames() string {
	var names []string
	for _, f := range exportFormats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func formatHelp() string {
	var b strings.Builder
	for _, f := range exportFormats {
		fmt.Fprintf(&b, "%-6s %s\n", f.name, f.summary)
	}
	return b.String()
}
