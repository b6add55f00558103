package dpg

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

var importCommand = cli.Command{
	Name:    "import dpga",
	Args:    "DIR",
	Summary: "import the DPGA's registry of 2023 (publicgoods-candidates)",
	Help: `
Reads the folders nominees, digitalpublicgoods, archive and excluded-nominees of a
checkout of DPGAlliance/publicgoods-candidates and writes one entry of each
subject: nominee and screening record merged, countries as ISO codes, personal
contacts dropped, the predecessor's id kept in same_as.dpga. A folder without a
registry.yaml gets a first one.

Importing again merges field by field. Decisions, waivers, stewards and whatever
else the import never writes are kept in any case. Where an entry says something
else than the import would, the entry is right: the place is named, here and in
the report, and the file is not touched. --overwrite takes the import's word in
those places; a file that is written anew loses its comments, and is named. --base
names the checkout that was imported last time, so that a change which only the
source has made since is taken over, and no conflict.
Entries that were renamed or removed are left alone.`,
	Examples: []string{
		"dpg import dpga ../publicgoods-candidates --registry registry",
		"dpg import dpga ../publicgoods-candidates --report report.json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var i importDPGA
		dir := cli.RegistryFlag(flags)
		flags.StringVar(&i.report, "report", "", "write what became of every value to `FILE`, as JSON; - is standard output")
		flags.StringVar(&i.asOf, "as-of", dpga.DataAsOf, "the `DATE` that the facts are of")
		flags.BoolVar(&i.overwrite, "overwrite", false, "where an entry differs, take what the import says")
		flags.StringVar(&i.base, "base", "", "the checkout that was imported last time, a `DIR`")
		flags.BoolVar(&i.dry, "dry-run", false, "say what would change, and write nothing")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("import dpga takes one folder, a checkout of publicgoods-candidates")
			}
			i.from, i.to.dir = args[0], *dir
			return i.run(ctx, o)
		}
	},
}

type importDPGA struct {
	from, base, report, asOf string
	overwrite, dry           bool
	to                       target
}

func (i *importDPGA) run(ctx context.Context, o *cli.IO) error {
	done := o.Busy("importing")
	defer done()
	batch, report, err := i.read(i.from)
	if err != nil {
		return err
	}
	options := importer.Options{Overwrite: i.overwrite, Kinds: []entry.Kind{kindDPG()}}
	if i.base != "" {
		if options.Base, _, err = i.read(i.base); err != nil {
			return err
		}
	}
	i.to.dry, i.to.silent = i.dry, i.report == "-"
	if err := i.to.open(o, firstSettings()); err != nil {
		return err
	}
	defer i.to.close()
	plan, err := i.to.lay(ctx, o, batch, options)
	if err != nil {
		return err
	}
	report.Conflicts = []merge.Conflict{}
	for _, out := range plan.Outcomes {
		report.Conflicts = append(report.Conflicts, out.Conflicts...)
	}
	done()
	if err := saveReport(o, i.report, report); err != nil {
		return err
	}
	o.Say("%d values carried, %d changed, %d dropped", report.Leaves.Carried, report.Leaves.Changed, report.Leaves.Dropped)
	o.Next("dpg validate --registry %s", i.to.dir)
	if plan.Count(importer.Refused) > 0 {
		return cli.ErrFound
	}
	return nil
}

// read makes entries of a checkout.
func (i *importDPGA) read(dir string) (*importer.Batch, *dpga.Report, error) {
	root, err := os.OpenRoot(dir) // a stranger's checkout: no link leads out of it
	if err != nil {
		return nil, nil, cli.Usagef("there is no folder %q", dir)
	}
	defer root.Close()
	source, err := dpga.Read(root.FS())
	if errors.Is(err, dpga.ErrNone) {
		return nil, nil, cli.Usagef("%q is no checkout of publicgoods-candidates: %v", dir, err)
	}
	if err != nil {
		return nil, nil, err
	}
	entries, report, err := source.Convert(dpga.Options{AsOf: i.asOf})
	if err != nil {
		return nil, nil, cli.Usagef("%v", err)
	}
	if len(entries) == 0 {
		return nil, nil, cli.Usagef("%q is no checkout of publicgoods-candidates: no file in it describes a subject", dir)
	}
	batch := &importer.Batch{Read: len(entries), OwnIDs: true, Verbatim: true}
	for _, c := range entries {
		batch.Records = append(batch.Records, importer.Record{Label: strings.Join(c.From, ", "), Entry: c.Entry, Path: c.Path})
	}
	return batch, report, nil
}

func kindDPG() entry.Kind {
	kind, _ := entry.KindNamed("dpg")
	return kind
}

// firstSettings are written where a folder has no registry.yaml yet.
func firstSettings() *policy.Settings {
	return &policy.Settings{
		Schema:      "registry/v1",
		Name:        "Imported registry",
		Notice:      entry.Plain("Imported from the Digital Public Goods Alliance's publicgoods-candidates. It grants no recognition to anything it lists."),
		Publisher:   policy.Publisher{Name: "Not named yet"},
		Languages:   []string{"en"},
		Kinds:       []string{"dpg"},
		License:     "Unlicense",
		Attribution: "Digital Public Goods Alliance, publicgoods-candidates (" + dpga.Repository + ")",
	}
}
