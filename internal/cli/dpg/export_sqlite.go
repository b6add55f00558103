package dpg

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/export/sqlite"
)

var exportSQLiteCommand = cli.Command{
	Name:    "export sqlite",
	Summary: "write the catalog as one SQLite database with a full-text index",
	Help: `
Writes everything the catalog holds as one SQLite 3 database, to standard output or
to a file: entries (live or not, each also as JSON), texts by language, terms
(aliases, types, sectors, topics, languages), licenses, license_ids, repositories,
sdgs, organizations, locations, answers, evidence, sources, identifiers, frameworks,
codes, mappings with their quotes, changes, meta (name, licence, credit and commit
of the registry), and search, an FTS5 index of the live entries. The same commit
gives the same bytes from the same version of dpg.

The database explains itself: its schema stands in it with a comment at every
column that needs one (sqlite3 catalog.db .schema). Tables name an entry by ref,
which is its kind and id. Three queries to begin with:
` + queryHelp(),
	Examples: []string{
		"dpg export sqlite --out catalog.db",
		`sqlite3 catalog.db "SELECT name FROM search WHERE search MATCH 'vaccin*' ORDER BY rank"`,
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		e := newExporter(flags, "write to `FILE` instead of standard output").dated(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			return e.export(ctx, o, args, func(w io.Writer, x *catalog.Export) ([]catalog.Note, error) {
				return nil, sqlite.Write(ctx, w, x)
			})
		}
	},
}

func queryHelp() string {
	var b strings.Builder
	for _, q := range sqlite.Queries() {
		fmt.Fprintf(&b, "\n\t-- %s\n\t%s;\n", q.For, strings.ReplaceAll(q.SQL, "\n", "\n\t"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
