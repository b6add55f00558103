package dpg

import (
	"context"
	"flag"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/spdx/document"
)

var exportSPDXCommand = cli.Command{
	Name:    "export spdx",
	Summary: "write the licences of all entries as an SPDX 2.3 document",
	Help: `
Writes an SPDX 2.3 document as JSON, with one package for each live entry, to
standard output or to a file. The same commit gives the same bytes. What the
format has no words for is said on standard error.

An SPDX document carries the id and the date of its commit, so the registry has to
be committed. Its own data have to be under CC0-1.0, as SPDX asks.`,
	Examples: []string{
		"dpg export spdx --out catalog.spdx.json",
		"dpg export spdx | jq '.packages[] | {name, licenseDeclared}'",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		e := newExporter(flags, "write to `FILE` instead of standard output")
		e.noHistory = true // the document has no date but its commit's
		return func(ctx context.Context, o *cli.IO, args []string) error {
			return e.export(ctx, o, args, document.Write)
		}
	},
}
