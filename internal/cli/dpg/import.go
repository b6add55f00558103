package dpg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

var importCommand = cli.Command{
	Name:    "import dpga",
	Args:    "DIR",
	Summary: "import the DPGA's registry of 2023 (publicgoods-candidates)",
	Help: `
Reads the folders nominees, digitalpublicgoods, archive and excluded-nominees of a
checkout of DPGAlliance/publicgoods-candidates and writes one entry of each
subject: nominee and screening record merged, countries as ISO codes, personal
contacts dropped, the predecessor's id kept in same_as.dpga. A file that is there
already and differs is kept as it is and named, unless --overwrite.`,
	Examples: []string{
		"dpg import dpga ../publicgoods-candidates --registry registry",
		"dpg import dpga ../publicgoods-candidates --report report.json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var i importDPGA
		dir := cli.RegistryFlag(flags)
		flags.StringVar(&i.report, "report", "", "write what became of every value to `FILE`, as JSON")
		flags.StringVar(&i.asOf, "as-of", dpga.DataAsOf, "the `DATE` that the facts are of")
		flags.BoolVar(&i.overwrite, "overwrite", false, "replace files that are there and differ")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("import dpga takes one folder, a checkout of publicgoods-candidates")
			}
			i.from, i.to = args[0], *dir
			return i.run(ctx, o)
		}
	},
}

type importDPGA struct {
	from, to, report, asOf string
	overwrite              bool
}

func (i *importDPGA) run(ctx context.Context, o *cli.IO) error {
	done := o.Busy("importing")
	defer done()
	root, err := os.OpenRoot(i.from) // a stranger's checkout: no link leads out of it
	if err != nil {
		return cli.Usagef("there is no folder %q", i.from)
	}
	defer root.Close()
	source, err := dpga.Read(root.FS())
	if errors.Is(err, dpga.ErrNone) {
		return cli.Usagef("%q is no checkout of publicgoods-candidates: %v", i.from, err)
	}
	if err != nil {
		return err
	}
	entries, report, err := source.Convert(dpga.Options{AsOf: i.asOf})
	if err != nil {
		return cli.Usagef("%v", err)
	}
	if len(entries) == 0 {
		return cli.Usagef("%q is no checkout of publicgoods-candidates: no file in it describes a subject", i.from)
	}
	if err := i.write(ctx, o, entries); err != nil {
		return err
	}
	done()
	if i.report != "" {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
		if _, err := disk.WriteFile(i.report, b.Bytes()); err != nil {
			return err
		}
		o.Say("what became of every value is in %s", i.report)
	}
	o.Say("%d values carried, %d changed, %d dropped", report.Leaves.Carried, report.Leaves.Changed, report.Leaves.Dropped)
	o.Next("dpg validate --registry %s", i.to)
	return nil
}

func (i *importDPGA) write(ctx context.Context, o *cli.IO, entries []dpga.Converted) error {
	folder, err := disk.Open(i.to)
	if err != nil {
		return err
	}
	defer folder.Close()
	written, kept := 0, 0
	for _, c := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		kind, _ := entry.KindNamed("dpg")
		data, err := entry.Encode(c.Entry, entry.SchemaPath("registry/"+c.Path, kind.Schema))
		if err != nil {
			return err
		}
		old, err := folder.Read(c.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !i.overwrite && !bytes.Equal(old, data) {
			o.Say("kept %s: it is there and differs; --overwrite replaces it", path.Join(cli.Prefix(i.to), c.Path))
			kept++
			continue
		}
		changed, err := folder.Write(c.Path, data)
		if err != nil {
			return err
		}
		if changed {
			written++
		}
	}
	o.Say("%s: %d written, %d kept, %d as they were", plural(len(entries), "entry", "entries"), written, kept, len(entries)-written-kept)
	return nil
}
