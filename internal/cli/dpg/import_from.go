package dpg

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/importer"
)

// An importFrom is an import into a registry that is there already.
type importFrom struct {
	to              target
	base, report    string
	offline         bool
	overwrite       bool
	origin, asOf    string
	takesURL, reads bool // an address; standard input
	read            func(context.Context, *importer.Source) (*importer.Batch, error)
}

// importReport is what --report writes.
type importReport struct {
	Schema   string                  `json:"schema"` // "import/v1"
	Source   string                  `json:"source"`
	DryRun   bool                    `json:"dry_run"`
	Read     int                     `json:"read"`   // records that the source has
	Counts   map[importer.Action]int `json:"counts"` // of records, by what became of them; they add up to read
	Outcomes []importer.Outcome      `json:"outcomes"`
	Notes    []importer.Note         `json:"notes"`
}

const importAgain = `

Importing again merges field by field. Decisions, waivers, stewards and whatever
else the source does not say are kept in any case. Where an entry says something
else than the import would, the entry is right: the place is named, and the file is
not touched. --overwrite takes the import's word in those places. --base names what
was imported last time, so that a change which only the source has made since is
taken over, and no conflict. Nothing is written before all of it is worked out; it
exits with 1 where a record was refused.`

func (i *importFrom) declare(flags *flag.FlagSet) {
	flags.StringVar(&i.to.dir, "registry", "registry", "the registry's `DIR`")
	flags.StringVar(&i.report, "report", "", "write what became of every record to `FILE`, as JSON; - is standard output")
	flags.BoolVar(&i.overwrite, "overwrite", false, "where an entry differs, take what the import says")
	flags.BoolVar(&i.to.dry, "dry-run", false, "say what would change, and write nothing")
	flags.StringVar(&i.base, "base", "", "what was imported last time, a `SOURCE` of the same format")
	if i.takesURL {
		flags.BoolVar(&i.offline, "offline", false, "do not use the network")
	}
}

func (i *importFrom) declareAsOf(flags *flag.FlagSet) {
	flags.StringVar(&i.asOf, "as-of", "", "the `DATE` that the facts are of (default today)")
}

// day is the date of the facts.
func (i *importFrom) day() (string, error) {
	if i.asOf == "" {
		return cli.Today(), nil
	}
	if _, err := time.Parse(time.DateOnly, i.asOf); err != nil {
		return "", cli.Usagef("--as-of: date %q is not of the form 2006-01-02", i.asOf)
	}
	return i.asOf, nil
}

func (i *importFrom) open(o *cli.IO, name string) (*importer.Source, error) {
	switch {
	case importer.IsURL(name) && !i.takesURL:
		return nil, cli.Usagef("%q is an address; fetch it, and name the file", name)
	case importer.IsURL(name) && i.offline:
		return nil, cli.Usagef("--offline: %q is an address; name a file that is here", name)
	case importer.IsURL(name):
		s, err := importer.Web(fetch.New(fetch.Options{MaxBytes: importer.MaxBytes, Timeout: 2 * time.Minute}), name)
		if err != nil {
			return nil, cli.Usagef("%v", err)
		}
		return s, nil
	case name == "-" && i.reads:
		return importer.Stream("standard input", o.In), nil
	}
	s, err := importer.Local(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cli.Usagef("there is no file or folder %q", name)
	}
	return s, err
}

func (i *importFrom) batch(ctx context.Context, o *cli.IO, name string) (*importer.Batch, *importer.Source, error) {
	s, err := i.open(o, name)
	if err != nil {
		return nil, nil, err
	}
	b, err := i.read(ctx, s)
	if errors.Is(err, importer.ErrFormat) {
		return nil, nil, cli.Usagef("%v", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, s, nil
}

func (i *importFrom) run(ctx context.Context, o *cli.IO, name string) error {
	if i.origin != "" {
		if _, err := fetch.Parse(i.origin); err != nil {
			return cli.Usagef("--origin: %v", err)
		}
	}
	i.to.silent = i.report == "-"
	if err := i.to.open(o, nil); err != nil {
		return err
	}
	defer i.to.close()
	done := o.Busy("importing")
	defer done()
	b, s, err := i.batch(ctx, o, name)
	if err != nil {
		return err
	}
	options := importer.Options{Overwrite: i.overwrite, Kinds: i.to.kinds()}
	if i.base != "" {
		if options.Base, _, err = i.batch(ctx, o, i.base); err != nil {
			return err
		}
	}
	done()
	notes(o, s.Name, b.Notes, i.report != "")
	i.terms(o, b)
	plan, err := i.to.lay(ctx, o, b, options)
	if err != nil {
		return err
	}
	report := importReport{Schema: "import/v1", Source: s.Name, DryRun: i.to.dry, Read: b.Read, Counts: map[importer.Action]int{},
		Outcomes: append([]importer.Outcome{}, plan.Outcomes...), Notes: append([]importer.Note{}, b.Notes...)}
	for _, out := range plan.Outcomes {
		report.Counts[out.Action]++
	}
	if err := saveReport(o, i.report, report); err != nil {
		return err
	}
	o.Next("dpg validate --registry %s", i.to.dir)
	if plan.Count(importer.Refused) > 0 {
		return cli.ErrFound
	}
	return nil
}

// notes says what was not understood; the report has all of it.
func notes(o *cli.IO, name string, all []importer.Note, reported bool) {
	const most = 50
	for _, n := range all[:min(len(all), most)] {
		separator := ": "
		if n.Line > 0 {
			separator = ":"
		}
		o.Say("%s%s%s", name, separator, n)
	}
	if len(all) > most {
		where := "--report FILE writes all of them"
		if reported {
			where = "the report has all of them"
		}
		o.Say("%d more notes; %s", len(all)-most, where)
	}
}

// terms says under what licence the source gives its data, where this registry
// gives its own under another.
func (i *importFrom) terms(o *cli.IO, b *importer.Batch) {
	if b.License != "" && i.to.settings != nil && b.License != i.to.settings.License {
		o.Say("its data are under %s, those of this registry under %q: see that they may be taken over", quote(b.License), i.to.settings.License)
	}
	if b.Credit != "" {
		o.Say("it asks for this credit: %s", short(b.Credit))
	}
}

func quote(s string) string { return fmt.Sprintf("%q", short(s)) }

// A pairs flag takes KEY=VALUE,KEY=VALUE and may be repeated.
type pairs map[string]string

func (p pairs) String() string { return "" }

func (p pairs) Set(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		k, v, ok := strings.Cut(pair, "=")
		if k = strings.TrimSpace(k); !ok || k == "" || strings.TrimSpace(v) == "" {
			return fmt.Errorf("%q is not of the form key=value", pair)
		}
		if _, twice := p[k]; twice {
			return fmt.Errorf("%q is given twice", k)
		}
		p[k] = strings.TrimSpace(v)
	}
	return nil
}

func oneSource(command string, args []string, what string) error {
	if len(args) != 1 {
		return cli.Usagef("%s takes one %s", command, what)
	}
	return nil
}

var importCSVCommand = cli.Command{
	Name:    "import csv",
	Args:    "FILE|DIR|-",
	Summary: "import a table with one row an entry",
	Help: `
Reads a table that this program published, or any with a header whose columns are
mapped. Of a catalog's folder api/v1/csv it reads all tables, and so gets back all
that they hold; entries.csv alone does not say which countries an entry is made or
used in, nor what part an organisation has. Commas, semicolons and tabs, byte order
marks, UTF-16 and Latin-1 are recognised and reported. What is not understood is
named by line, column and row, and left out.

--map names the column for a key, --set gives all rows one value, --columns reads
both from a file with the keys columns, values and split. The keys are
` + wrapped(fieldKeys()) + `.
An id that a row lacks is made of its name.

The tables of a catalog do not hold all of an entry; to take over everything, dpg
import catalog reads its JSON. Lost are
` + losses() + importAgain,
	Examples: []string{
		"dpg import csv public/api/v1/csv",
		`dpg import csv goods.csv --map name=Title,website=URL,sectors=Field --split ";" --set types=software`,
		"dpg import csv goods.csv --columns goods.yaml --origin https://example.org/goods.csv --dry-run",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		i := &importFrom{reads: true}
		i.declare(flags)
		i.declareAsOf(flags)
		flags.StringVar(&i.origin, "origin", "", "the `URL` that the table is from, for the sources of its entries")
		columns, values := pairs{}, pairs{}
		flags.Var(columns, "map", "which column has what, as `KEY=COLUMN,...`; may be repeated")
		flags.Var(values, "set", "what every row has, as `KEY=VALUE,...`; may be repeated")
		file := flags.String("columns", "", "read the layout of the table from a YAML `FILE`")
		split := flags.String("split", "", "what `TEXT` stands between several values in a cell (default |)")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if err := oneSource("import csv", args, "file or folder, or - for standard input"); err != nil {
				return err
			}
			layout := importer.Table{}
			if *file != "" {
				data, err := readColumns(*file)
				if err != nil {
					return cli.Usagef("--columns %q: %v", *file, err)
				}
				if layout, err = importer.ReadColumns(*file, data); err != nil {
					return cli.Usagef("--columns: %v", err)
				}
			}
			day, err := i.day()
			if err != nil {
				return err
			}
			layout.Columns, layout.Values = joined(layout.Columns, columns), joined(layout.Values, values)
			if *split != "" {
				layout.Split = *split
			}
			i.read = func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
				layout.Origin, layout.AsOf, layout.Language = i.origin, day, i.to.settings.Language()
				return importer.ReadCSV(ctx, s, layout)
			}
			return i.run(ctx, o, args[0])
		}
	},
}

// joined has what both have; the second is right.
func joined(a, b map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func fieldKeys() []string {
	var keys []string
	for _, f := range importer.Fields() {
		keys = append(keys, f[0])
	}
	return slices.Clip(keys)
}

// losses lists what tables do not hold, by when that is.
func losses() string {
	var cases []string
	keys := map[string][]string{}
	for _, l := range importer.Losses() {
		if keys[l.When] == nil {
			cases = append(cases, l.When)
		}
		keys[l.When] = append(keys[l.When], l.Key)
	}
	slices.Sort(cases) // what is always lost comes first
	var b strings.Builder
	for _, when := range cases {
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(wrapped(keys[when]), "\n", "\n  "))
		if when != "" {
			fmt.Fprintf(&b, "    %s\n", when)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// wrapped joins words with commas in lines of a help's width.
func wrapped(words []string) string {
	var b strings.Builder
	width := 0
	for i, w := range words {
		if i > 0 {
			b.WriteByte(',')
			if width += 2 + len(w); width > 84 {
				b.WriteByte('\n')
				width = len(w)
			} else {
				b.WriteByte(' ')
			}
		} else {
			width = len(w)
		}
		b.WriteString(w)
	}
	return b.String()
}

var importPubliccodeCommand = cli.Command{
	Name:    "import publiccode",
	Args:    "FILE|URL",
	Summary: "import the publiccode.yml of a project",
	Help: `
Reads the file by which a project describes itself and makes one entry of it: name,
description by language, addresses, licence, owner, funders. Everything else is named
and left out, above all the people to contact. An entry with the same repository is
found under any id.` + importAgain,
	Examples: []string{
		"dpg import publiccode ../project/publiccode.yml --id project",
		"dpg import publiccode https://example.org/project/raw/main/publiccode.yml --dry-run",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		i := &importFrom{takesURL: true, reads: true}
		i.declare(flags)
		i.declareAsOf(flags)
		flags.StringVar(&i.origin, "origin", "", "the `URL` that the file is from (default the one it is read from, or the repository's)")
		id := flags.String("id", "", "the entry's `ID` (default made of the name)")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if err := oneSource("import publiccode", args, "file or address, or - for standard input"); err != nil {
				return err
			}
			day, err := i.day()
			if err != nil {
				return err
			}
			i.read = func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
				return importer.ReadPubliccode(ctx, s, importer.Project{ID: *id, Origin: i.origin, AsOf: day, Language: i.to.settings.Language()})
			}
			return i.run(ctx, o, args[0])
		}
	},
}

var importDPGAAPICommand = cli.Command{
	Name:    "import dpga-api",
	Args:    "FILE|URL",
	Summary: "import what the DPGA's live registry answers with",
	Help: `
Reads the list of the live registry, in either of the forms that its public readers
know, from a file or from its address. That form was promised by nobody: keys that
are not known are counted and left out, and records that no entry can be made of
are refused by name. An entry that was imported from the registry of 2023 is found
by its name there.` + importAgain,
	Examples: []string{
		"dpg import dpga-api " + importer.LiveRegistry + " --dry-run",
		"dpg import dpga-api dpgs.json --as-of 2026-01-15 --report report.json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		i := &importFrom{takesURL: true, reads: true}
		i.declare(flags)
		i.declareAsOf(flags)
		flags.StringVar(&i.origin, "origin", "", "the `URL` that a file is from (default "+importer.LiveRegistry+")")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if err := oneSource("import dpga-api", args, "file or address, or - for standard input"); err != nil {
				return err
			}
			day, err := i.day()
			if err != nil {
				return err
			}
			i.read = func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
				return importer.ReadDPGAAPI(ctx, s, importer.Live{Origin: i.origin, AsOf: day})
			}
			return i.run(ctx, o, args[0])
		}
	},
}

var importCatalogCommand = cli.Command{
	Name:    "import catalog",
	Args:    "URL|DIR|FILE",
	Summary: "import the catalog of another registry",
	Help: `
Reads the catalog that another registry publishes: the address or folder that holds
api/v1, or its index.json, full.json or full.ndjson. Of the first two it reads the
shards, each held against its digest. Each entry says in its sources where it is
from, and keeps its same_as. An entry is found by that source, by its id,
by its same_as or by its repository. An id that another subject has here is refused
and named. Assessments, rulings, waivers and stewards of the other registry are not
taken over. What it renamed or removed is said, and stays here as it is.` + importAgain,
	Examples: []string{
		"dpg import catalog https://registry.example.org/ --dry-run",
		"dpg import catalog ../other/public --base last/full.json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		i := &importFrom{takesURL: true, reads: true}
		i.declare(flags)
		flags.StringVar(&i.origin, "origin", "", "the `URL` that the catalog is published at (default what its index says)")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if err := oneSource("import catalog", args, "address, folder or file"); err != nil {
				return err
			}
			i.read = func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
				return importer.ReadCatalog(ctx, s, importer.Federation{Origin: i.origin, Own: i.to.address(), Language: i.to.settings.Language()})
			}
			return i.run(ctx, o, args[0])
		}
	},
}

// maxColumns is more than the layout of any table takes, in bytes.
const maxColumns = 1 << 20

func readColumns(name string) ([]byte, error) {
	f, err := openNamed(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxColumns+1))
	if err == nil && len(data) > maxColumns {
		err = fmt.Errorf("it has more than %d bytes", maxColumns)
	}
	return data, err
}

// openNamed opens a file that a flag names; a link to one will do. Anything else than a
// file is refused before it is opened: a named pipe keeps whoever opens it waiting.
func openNamed(name string) (fs.File, error) {
	return disk.OpenRegular(os.DirFS(filepath.Dir(name)), filepath.Base(name))
}
