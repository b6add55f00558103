// Package sqlite writes a whole catalog as one SQLite database with a full-text
// index. The database tells of itself: schema.sql says what its tables hold, and
// its comments stand in every file that is made. The same catalog gives the same
// bytes. The driver is SQLite in Go, so no C compiler is needed.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// Schema is what makes the tables, with what they mean.
//
//go:embed schema.sql
var Schema string

// Version is that of the tables: a column may come without a new one, and none
// goes or changes its meaning.
const Version = 1

// applicationID tells file(1) and its like whose database this is: "DPGR".
const applicationID = 0x44504752

// A Query is an example of what can be asked.
type Query struct{ For, SQL string }

// Queries are examples, for help and for a first try.
func Queries() []Query {
	return []Query{
		{
			"what is there about health records? the best first",
			"SELECT ref, entries.name FROM search JOIN entries ON n = search.rowid\nWHERE search MATCH 'health record*' ORDER BY bm25(search, 10, 5) LIMIT 5",
		},
		{
			"which countries is most of it used in?",
			"SELECT country, count(*) AS goods FROM locations\nWHERE relation = 'deployed_in' GROUP BY country ORDER BY goods DESC, country LIMIT 5",
		},
		{
			"which words of which entry speak clearly for a principle?",
			"SELECT ref, quote FROM mappings JOIN quotes USING (ref, code)\nWHERE code = 'dpi-safeguards/O4' AND strength = 2 AND state <> 'rejected'",
		},
	}
}

// cacheKiB is how much of the database stands in memory while it is made.
const cacheKiB = 16 << 10

// Write writes the database of a catalog. It is made in a temporary folder, whole,
// so that nothing is written if something is wrong.
func Write(ctx context.Context, w io.Writer, x *catalog.Export) (err error) {
	dir, remove, err := disk.ScratchFolder("dpg-export-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	name := filepath.Join(dir, "catalog.db")
	if err := database(ctx, name, x); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, headSize)
	if _, err := io.ReadFull(f, head); err != nil {
		return err
	}
	clear(head[24:28])  // how often the file was changed
	clear(head[92:100]) // by then, and by which version of SQLite
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// headSize is that of a database's header. What it tells of how the file came to
// be is left at zero, as in a database that was never on a disk.
const headSize = 100

func database(ctx context.Context, name string, x *catalog.Export) (err error) {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx) // settings are a connection's
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, s := range []string{
		// A crash leaves a file that nobody knows.
		"PRAGMA synchronous = OFF", "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA cache_size = -" + strconv.Itoa(cacheKiB),
		"PRAGMA page_size = 4096", "PRAGMA encoding = 'UTF-8'", "PRAGMA journal_mode = OFF", "PRAGMA foreign_keys = ON",
		"PRAGMA application_id = " + strconv.Itoa(applicationID), "PRAGMA user_version = " + strconv.Itoa(Version), Schema,
	} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%.40s: %w", s, err)
		}
	}
	if err := fill(ctx, conn, x); err != nil {
		return err
	}
	for _, s := range []string{"INSERT INTO search (search) VALUES ('optimize')", "ANALYZE", "VACUUM"} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// A filler puts rows into tables, with one statement for each table. The first
// error stays, and nothing is done after it.
type filler struct {
	ctx  context.Context
	tx   *sql.Tx
	puts map[string]*sql.Stmt
	main string // the registry's language
	err  error
}

func fill(ctx context.Context, conn *sql.Conn, x *catalog.Export) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	f := &filler{ctx: ctx, tx: tx, puts: map[string]*sql.Stmt{}, main: "en"}
	if len(x.Index.Languages) > 0 {
		f.main = x.Index.Languages[0]
	}
	f.meta(x.Index)
	for _, fw := range x.Frameworks {
		f.framework(fw)
	}
	n := 0
	for e, err := range x.Entries() {
		if err != nil {
			f.err = cmp.Or(f.err, err)
			break
		}
		n++
		f.entry(n, *e)
	}
	f.identifiers(x)
	for c := range x.Changes() {
		f.put("changes", c.Seq, c.Action, c.Kind+"/"+c.ID, f.json(c.Fields), c.Stage, null(f.best(c.Reason)), c.MovedTo, c.Commit, c.ChangedAt)
	}
	if f.err != nil {
		return errors.Join(f.err, tx.Rollback())
	}
	return tx.Commit()
}

// put adds a row: a value for each column, in the order of the schema.
func (f *filler) put(table string, values ...any) {
	if f.err != nil {
		return
	}
	put := f.puts[table]
	if put == nil {
		places := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		if put, f.err = f.tx.PrepareContext(f.ctx, "INSERT INTO "+table+" VALUES ("+places+")"); f.err != nil {
			return
		}
		f.puts[table] = put
	}
	if _, err := put.ExecContext(f.ctx, values...); err != nil {
		f.err = fmt.Errorf("table %s, row %.200v: %w", table, values, err)
	}
}

func (f *filler) meta(ix catalog.Index) {
	for _, m := range []struct{ key, value string }{
		{"attribution", f.best(ix.Attribution)}, {"base_url", str(ix.BaseURL)}, {"catalog_version", ix.SchemaVersion},
		{"generated_at", str(ix.GeneratedAt)}, {"license", str(ix.License)}, {"name", ix.Name}, {"notice", f.best(ix.Notice)},
		{"publisher", str(ix.Publisher.Name)}, {"repository", str(ix.Repository)}, {"schema_version", strconv.Itoa(Version)},
		{"source_commit", str(ix.SourceCommit)},
	} {
		if m.value != "" {
			f.put("meta", m.key, m.value)
		}
	}
}

func (f *filler) framework(fw catalog.Framework) {
	f.put("frameworks", fw.ID, null(f.best(fw.Title)), fw.Version, fw.URL, fw.SourceLicense, null(f.best(fw.SourceAttribution)))
	for i, c := range fw.Codes {
		f.put("codes", c.Code, fw.ID, c.List, i+1, null(f.best(c.Title)), null(f.best(c.Description)), c.Parent, c.URL)
	}
}

func (f *filler) entry(n int, e catalog.Entry) {
	ref, live := e.Kind+"/"+e.ID, (entry.Status{Stage: e.Status.Stage}).Live()
	var summary catalog.Text
	if e.Assessment != nil && e.Assessment.Summary != nil {
		summary = e.Assessment.Summary.Text
	}
	var sbom *string
	if e.SBOM != nil {
		sbom = e.SBOM.URL
	}
	f.put("entries", n, ref, e.Kind, e.ID, live, e.Status.Stage, e.Status.RecognisedBy, e.Status.AsOf, e.Status.URL,
		null(f.best(e.Status.Reason)), e.Status.MovedTo, e.Status.ReviewBy, e.Name, null(f.best(e.Description)), null(f.best(summary)),
		e.Website, e.URL, e.Format, e.Published, e.ContactURL, sbom, e.Language, e.Path, e.SourcePath, e.UpdatedAt, e.UpdatedCommit, f.json(e))
	f.texts(ref, "description", e.Description)
	f.texts(ref, "summary", summary)
	f.texts(ref, "status_reason", e.Status.Reason)
	for _, t := range []struct {
		field  string
		values []string
	}{{"aliases", e.Aliases}, {"types", e.Types}, {"sectors", e.Sectors}, {"topics", e.Topics}, {"languages", e.Languages}, {"about", e.About}} {
		for i, v := range t.values {
			f.put("terms", ref, t.field, i+1, v)
		}
	}
	f.licenses(ref, e.Licenses)
	for i, r := range e.Repositories {
		f.put("repositories", ref, i+1, r.Name, r.URL)
	}
	for i, s := range e.SDGs {
		field := "sdgs/" + strconv.Itoa(i+1)
		f.put("sdgs", ref, i+1, s.Goal, null(f.best(s.Text)))
		f.texts(ref, field, s.Text)
		f.evidence(ref, field, s.Evidence)
	}
	var bodies []string
	for i, o := range e.Organizations {
		bodies = append(bodies, str(o.Name))
		f.put("organizations", ref, i+1, o.Name, o.Role, o.Website)
	}
	f.locations(ref, "developed_in", e.Locations.DevelopedIn)
	f.locations(ref, "deployed_in", e.Locations.DeployedIn)
	f.answers(ref, e.Standard)
	for i, s := range e.Sources {
		f.put("sources", ref, i+1, s.Name, s.URL, s.AsOf)
	}
	if e.Assessment != nil {
		f.mappings(ref, e.Assessment.Mappings)
	}
	if live {
		f.put("search (rowid, name, aliases, description, summary, terms, organizations)", n, str(e.Name), lines(e.Aliases), all(e.Description), all(summary),
			lines(slices.Concat(e.Types, e.Sectors, e.Topics)), lines(bodies))
	}
}

func (f *filler) texts(ref, field string, t catalog.Text) {
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		f.put("texts", ref, field, lang, t[lang])
	}
}

func (f *filler) evidence(ref, field string, values []string) {
	for i, v := range values {
		f.put("evidence", ref, field, i+1, v)
	}
}

func (f *filler) licenses(ref string, licenses []catalog.License) {
	var ids []string
	for i, l := range licenses {
		f.put("licenses", ref, i+1, l.Expression, l.Covers, l.URL)
		if x, err := spdx.Parse(l.Expression); err == nil {
			ids = append(ids, x.Licenses()...)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		f.put("license_ids", ref, id)
	}
}

func (f *filler) locations(ref, relation string, countries []string) {
	countries = slices.Clone(countries)
	slices.Sort(countries)
	for _, c := range slices.Compact(countries) {
		f.put("locations", ref, relation, c)
	}
}

// answers puts those that are given. The questions are the keys of the catalog's
// own JSON, so that a new one is here as soon as it is there.
func (f *filler) answers(ref string, s catalog.Standard) {
	var by map[string]*catalog.Answer
	if f.err != nil {
		return
	}
	if f.err = json.Unmarshal([]byte(f.json(s)), &by); f.err != nil {
		return
	}
	for _, q := range slices.Sorted(maps.Keys(by)) {
		a := by[q]
		if a == nil {
			continue
		}
		field := "standard/" + q
		f.put("answers", ref, q, a.Indicator, a.Answer, null(f.best(a.Text)), f.json(a.Items), a.Source, a.AsOf)
		f.texts(ref, field, a.Text)
		f.evidence(ref, field, a.Evidence)
	}
}

func (f *filler) mappings(ref string, mappings []catalog.Mapping) {
	seen := map[string]bool{}
	for _, m := range mappings {
		if seen[m.Code] { // the catalog lists by code, and the first is what it shows
			continue
		}
		seen[m.Code] = true
		framework, _, _ := strings.Cut(m.Code, "/")
		f.put("mappings", ref, m.Code, framework, m.Strength, m.State, f.json(m.Engines))
		for i, q := range m.Quotes {
			f.put("quotes", ref, m.Code, i+1, q.Pointer, q.Quote)
		}
	}
}

func (f *filler) identifiers(x *catalog.Export) {
	all, err := x.Identifiers()
	f.err = cmp.Or(f.err, err)
	for _, id := range all {
		f.put("identifiers", id.Scheme, id.Value, id.Kind+"/"+id.ID)
	}
}

// json is a value as the catalog writes it, on one line.
func (f *filler) json(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && f.err == nil {
		f.err = err
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// best is prose in the registry's language, or else in English, or in the first
// by tag.
func (f *filler) best(t catalog.Text) string {
	s := cmp.Or(t[f.main], t["en"])
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		s = cmp.Or(s, t[lang])
	}
	return s
}

// all is prose in all languages, to search in.
func all(t catalog.Text) string {
	var parts []string
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, t[lang])
	}
	return lines(parts)
}

func lines(parts []string) string { return strings.Join(parts, "\n") }

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// null is NULL for what nobody said.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
