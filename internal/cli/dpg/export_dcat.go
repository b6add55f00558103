package dpg

import (
	"context"
	"flag"
	"io"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/export/dcat"
	"github.com/dpg-registry/dpg-registry/internal/export/rdf"
)

var exportDCATCommand = cli.Command{
	Name:    "export dcat-ap",
	Summary: "write the catalog for data portals, as DCAT-AP 3 in Turtle or JSON-LD",
	Help: `
Writes the catalog in the words of DCAT-AP 3, which European data portals harvest,
to standard output or to a file. The same commit gives the same bytes. What the
format has no words for is said on standard error.

The catalog's own data are a dcat:Dataset, with its JSON and CSV files as
distributions, and so is each live entry of type data or content. Software,
standards, AI systems and documents are no datasets: they are a dcat:Resource that
is a schema:SoftwareSourceCode, dct:Standard, schema:SoftwareApplication or
foaf:Document as well. Licences, publishers, languages, countries and themes are
named as the European lists name them, goals as the United Nations do. A theme
stands only where the entry's sector plainly is one.

Things are named by their address, so registry.yaml has to have a base_url. Each
dataset has a dcat:CatalogRecord with the date of its entry's last change, from Git.`,
	Examples: []string{
		"dpg export dcat-ap --out public/catalog.jsonld",
		"dpg export dcat-ap --to turtle | rapper --input turtle --count - https://example.org/",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		e := newExporter(flags, "write to `FILE` instead of standard output").dated(flags)
		to := cli.OneOf{Value: string(rdf.JSONLD), Allowed: []string{string(rdf.JSONLD), string(rdf.Turtle)}}
		flags.Var(&to, "to", "the `SYNTAX` of RDF: json-ld, turtle")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			return e.export(ctx, o, args, func(w io.Writer, x *catalog.Export) ([]catalog.Note, error) {
				return dcat.Write(w, rdf.Syntax(to.Value), x)
			})
		}
	},
}
