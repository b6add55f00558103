package dpg

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/registry"
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

// open reads what is exported; Close ends it.
func (e *exporter) open(ctx context.Context, o *cli.IO) (*catalog.Export, error) {
	src, err := catalogSource(ctx, o, *e.dir, e.noHistory, *e.jobs)
	if err != nil {
		return nil, err
	}
	r := &reading{in: src.Input, assessed: map[entry.Ref]*registry.Doc{}}
	src.Load.Each = r.each
	reg, err := registry.Load(ctx, src.Files, src.Load)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.begin(reg)
	if r.unread > 0 {
		o.Say("note: %s in assessments; dpg validate names them", plural(r.unread, "finding", "findings"))
	}
	if r.err == nil && src.Log != nil {
		var log *history.Log
		log, r.err = src.Log(reg)
		if r.err == nil {
			r.export.Log(log)
		}
	}
	if r.err == nil {
		r.err = r.export.Finish()
	}
	if r.err != nil {
		return nil, errors.Join(r.err, r.close())
	}
	return r.export, nil
}

// A reading takes a registry into an export as it is read, file by file.
type reading struct {
	once   sync.Once
	in     catalog.Input
	export *catalog.Export

	mu       sync.Mutex
	assessed map[entry.Ref]*registry.Doc // assessments that can be used, without what is in them
	unread   int                         // findings in those that cannot
	err      error
}

func (r *reading) begin(reg *registry.Registry) {
	r.once.Do(func() {
		r.in.Registry = reg
		r.export, r.err = catalog.NewExport(r.in)
	})
}

func (r *reading) close() error {
	if r.export == nil {
		return nil
	}
	return r.export.Close()
}

// each takes in what is read, from several goroutines; assessments come first, and
// are read once more when their entry comes.
func (r *reading) each(reg *registry.Registry, d *registry.Doc) {
	r.begin(reg)
	if r.export == nil {
		return
	}
	if d.Derived {
		found := len(assess.Findings(reg, d))
		usable := assess.Of(reg, d) != nil
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unread += found
		if usable {
			r.assessed[d.Ref] = d
		}
		return
	}
	r.mu.Lock()
	at := r.assessed[d.Ref]
	r.mu.Unlock()
	var a *assess.Assessment
	if at != nil {
		again := *at
		var err error
		if again.Source, err = reg.Reopen(at); err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			return
		}
		a = assess.Of(reg, &again)
	}
	if d.Entry != nil {
		r.export.Entry(d, a)
	}
}

// A form writes a catalog in another form, and notes what that has no words for.
type form func(io.Writer, *catalog.Export) ([]catalog.Note, error)

// export makes a form of the catalog in one file or, without a name, on standard
// output: whole or not at all, also in a pipe.
func (e *exporter) export(ctx context.Context, o *cli.IO, args []string, write form) error {
	if err := e.ready(args); err != nil {
		return err
	}
	whole, err := disk.NewScratch("dpg-export-")
	if err != nil {
		return err
	}
	defer whole.Close()
	size, err := e.spool(ctx, o, whole, write)
	if err != nil {
		return err
	}
	copied := func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(whole, 0, size))
		return err
	}
	if *e.out == "" {
		return copied(o.Out)
	}
	if err := disk.WriteTo(*e.out, copied); err != nil {
		return err
	}
	o.Say("wrote %s", *e.out)
	return nil
}

// spool makes it in a file that nobody sees, and tells its size.
func (e *exporter) spool(ctx context.Context, o *cli.IO, to io.WriterAt, write form) (size int64, err error) {
	done := o.Busy("exporting")
	defer done()
	x, err := e.open(ctx, o)
	if err != nil {
		return 0, err
	}
	defer x.Close()
	w := io.NewOffsetWriter(to, 0)
	buffered := bufio.NewWriterSize(w, 1<<20)
	notes, err := write(buffered, x)
	if err := cmp.Or(err, buffered.Flush()); err != nil {
		return 0, err
	}
	for _, n := range notes {
		note(o, n.Text, n.Entries)
	}
	return w.Seek(0, io.SeekCurrent)
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
