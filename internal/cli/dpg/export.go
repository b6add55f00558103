package dpg

import (
	"bytes"
	"context"
	"flag"
	"io"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// An exporter is what the commands that export have in common: forms of the
// catalog that are made on demand, beside the one that is published.
type exporter struct {
	dir       *string
	out       *string
	jobs      *int
	noHistory bool // leave out the dates of changes, which take Git's history to know
}

func newExporter(flags *flag.FlagSet, out string) *exporter {
	e := &exporter{dir: cli.RegistryFlag(flags)}
	e.out = flags.String("out", "", out)
	flags.StringVar(e.out, "o", "", "short for --out `PATH`")
	e.jobs = cli.JobsFlag(flags)
	return e
}

// dated lets the person choose to do without dates.
func (e *exporter) dated(flags *flag.FlagSet) *exporter {
	flags.BoolVar(&e.noHistory, "no-history", false, "do without Git's history, and so without the dates of changes")
	return e
}

// ready reports a mistake in the command line.
func (e *exporter) ready(args []string) error {
	if len(args) > 0 {
		return cli.Usagef("export takes no argument behind the format, and %q is one; name the file with --out", args[0])
	}
	if *e.out == "" {
		return nil
	}
	if _, inside, err := cli.Within(*e.dir, *e.out); err != nil {
		return err
	} else if inside {
		return cli.Usagef("--out %q is in the registry folder %q, where files are entries; name one beside it", *e.out, *e.dir)
	}
	return nil
}

// catalog builds what is exported.
func (e *exporter) catalog(ctx context.Context, o *cli.IO) (*catalog.Catalog, error) {
	done := o.Busy("exporting")
	defer done()
	in, err := catalogInput(ctx, o, *e.dir, e.noHistory, *e.jobs)
	if err != nil {
		return nil, err
	}
	assessments, unread := assess.Read(in.Registry)
	if len(unread) > 0 {
		o.Say("note: %s in assessments; dpg validate names them", plural(len(unread), "finding", "findings"))
	}
	in.Assessments = assessments
	return catalog.Build(in)
}

// write writes one file or, without a name, to standard output: whole or not at
// all, also in a pipe.
func (e *exporter) write(o *cli.IO, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if *e.out == "" {
		_, err := o.Out.Write(b.Bytes())
		return err
	}
	if _, err := disk.WriteFile(*e.out, b.Bytes()); err != nil {
		return err
	}
	o.Say("wrote %s", *e.out)
	return nil
}

// shownEntries is how many entries a note names.
const shownEntries = 10

// note says what an export leaves out, and of which entries.
func note(o *cli.IO, text string, entries []string) {
	more, names := "", entries
	if len(names) > shownEntries {
		more, names = " and "+strconv.Itoa(len(names)-shownEntries)+" more", names[:shownEntries]
	}
	o.Say("note: %s: %s%s", text, strings.Join(names, ", "), more)
}
