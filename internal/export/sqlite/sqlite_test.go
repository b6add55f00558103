package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func build(t *testing.T, files registry.Files) *catalog.Export {
	t.Helper()
	reg, err := registry.Load(context.Background(), files, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := catalog.Input{Registry: reg}
	in.Assessments, _ = assess.Read(reg)
	in.History = &history.Log{Changes: []history.Change{{
		Seq: 1, Action: "added", Ref: entry.Ref{Kind: "dpg", ID: "gone"}, Commit: strings.Repeat("a", 40), At: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC),
	}, {
		Seq: 2, Action: "removed", Ref: entry.Ref{Kind: "dpg", ID: "gone"}, Stage: "removed", Reason: map[string]string{"": "asked for, '; DROP TABLE entries; --"},
		Commit: strings.Repeat("b", 40), At: time.Date(2026, 1, 16, 12, 0, 0, 0, time.UTC),
	}}}
	x, err := catalog.ExportOf(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func bytesOf(t *testing.T, c *catalog.Export) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// open opens a database as a reader would: as a file.
func open(t *testing.T, data []byte) *sql.DB {
	t.Helper()
	name := filepath.Join(t.TempDir(), "catalog.db")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+name+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// ask returns rows with "|" between values.
func ask(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, v := range values {
			s := "NULL"
			if v.Valid {
				s = v.String
			}
			parts = append(parts, s)
		}
		out = append(out, strings.Join(parts, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func included(t *testing.T) *catalog.Export {
	t.Helper()
	return build(t, registry.FromFS(os.DirFS("../../../registry")))
}

func TestSameBytes(t *testing.T) {
	one, two := bytesOf(t, included(t)), bytesOf(t, included(t))
	if !bytes.Equal(one, two) {
		t.Error("the same registry gave other bytes")
	}
	t.Logf("%d bytes", len(one))
}

// What the catalog holds, the database holds.
func TestWhole(t *testing.T) {
	c := included(t)
	db := open(t, bytesOf(t, c))
	for _, check := range []struct{ query, want string }{
		{"PRAGMA integrity_check", "ok"},
		{"PRAGMA user_version", "1"},
		{"PRAGMA freelist_count", "0"},
		{"SELECT value FROM meta WHERE key = 'license'", "CC0-1.0"},
		{"SELECT count(*) FROM pragma_foreign_key_check", "0"},
	} {
		if got := ask(t, db, check.query); len(got) != 1 || got[0] != check.want {
			t.Errorf("%s: %q, want %q", check.query, got, check.want)
		}
	}
	// What the tables mean stands in the file itself.
	for _, sql := range ask(t, db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE %STRICT%'") {
		if name, rest, _ := strings.Cut(sql, " ("); !strings.Contains(rest, "--") && name != "CREATE TABLE repositories" {
			t.Errorf("%s says nothing of what it holds", name)
		}
	}
	want := map[string]int{}
	for e, err := range c.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		want["entries"]++
		want["licenses"] += len(e.Licenses)
		want["repositories"] += len(e.Repositories)
		want["sdgs"] += len(e.SDGs)
		want["organizations"] += len(e.Organizations)
		want["sources"] += len(e.Sources)
		want["terms"] += len(e.Aliases) + len(e.Types) + len(e.Sectors) + len(e.Topics) + len(e.Languages) + len(e.About)
		if e.Assessment != nil {
			want["mappings"] += len(e.Assessment.Mappings)
			for _, m := range e.Assessment.Mappings {
				want["quotes"] += len(m.Quotes)
			}
		}
	}
	for _, k := range c.Index.Kinds {
		want["search"] += k.EntryCount
	}
	for _, f := range c.Frameworks {
		want["frameworks"]++
		want["codes"] += len(f.Codes)
	}
	want["changes"] = 2
	for table, n := range want {
		got := ask(t, db, "SELECT count(*) FROM "+table)
		if n == 0 || got[0] != strconv.Itoa(n) {
			t.Errorf("%s has %s rows, want %d", table, got[0], n)
		}
	}
	for _, table := range []string{"texts", "license_ids", "locations", "answers", "evidence", "identifiers"} {
		if got := ask(t, db, "SELECT count(*) FROM "+table); got[0] == "0" {
			t.Errorf("%s is empty", table)
		}
	}
}

// The examples that help shows work, and find something.
func TestQueries(t *testing.T) {
	db := open(t, bytesOf(t, included(t)))
	if len(Queries()) != 3 {
		t.Errorf("%d examples, want 3", len(Queries()))
	}
	for _, q := range Queries() {
		got := ask(t, db, q.SQL)
		if len(got) == 0 {
			t.Errorf("%s: %s finds nothing", q.For, q.SQL)
		}
		t.Logf("%s\n%s", q.For, strings.Join(got, "\n"))
	}
}

const hostile = `schema: dpg/v1
id: hostile
name: "'); DROP TABLE entries; -- \" <script>"
aliases: ["a\0b", "\"quoted\" OR NEAR("]
description: {en: "quotes ' \" \n and more", fr: "aussi en français"}
types: [software]
licenses: [{expression: MIT OR (Apache-2.0 AND MIT)}, {expression: "none '"}]
repositories: [{url: "https://example.org/' x"}, {url: "https://example.org/' x"}]
sdgs: [{goal: 3, text: first, evidence: ["https://example.org/'"]}, {goal: 3, text: again}]
locations: {deployed_in: [KE, KE]}
status: {stage: nominee}
`

func TestHostile(t *testing.T) {
	db := open(t, bytesOf(t, build(t, registry.FromFS(fstest.MapFS{
		"registry.yaml":     {Data: []byte("schema: registry/v1\nname: \"T'est\"\nlanguages: [en]\nlicense: CC0-1.0\n")},
		"dpgs/hostile.yaml": {Data: []byte(hostile)},
		"dpgs/gone.yaml":    {Data: []byte("schema: dpg/v1\nid: gone\nname: Secret\nstatus: {stage: removed, reason: asked for, as_of: 2026-01-16}\n")},
	}))))
	tests := []struct {
		query string
		args  []any
		want  []string
	}{
		{"SELECT ref, live, stage, name, status_reason FROM entries ORDER BY n", nil,
			[]string{"dpg/gone|0|removed|NULL|asked for", "dpg/hostile|1|nominee|'); DROP TABLE entries; -- \" <script>|NULL"}},
		{"SELECT value FROM terms WHERE field = 'aliases' ORDER BY position", nil, []string{"a\x00b", `"quoted" OR NEAR(`}},
		{"SELECT field, language, text FROM texts ORDER BY field, language", nil, []string{
			"description|en|quotes ' \" \n and more", "description|fr|aussi en français", "sdgs/1|en|first", "sdgs/2|en|again", "status_reason|en|asked for"}},
		{"SELECT license_id FROM license_ids", nil, []string{"Apache-2.0", "MIT"}},
		{"SELECT count(*) FROM repositories", nil, []string{"2"}},
		{"SELECT field, evidence FROM evidence", nil, []string{"sdgs/1|https://example.org/'"}},
		{"SELECT relation, country FROM locations", nil, []string{"deployed_in|KE"}},
		{"SELECT seq, action, ref, reason FROM changes", nil, []string{"1|added|dpg/gone|NULL", "2|removed|dpg/gone|asked for, '; DROP TABLE entries; --"}},
		{"SELECT json_extract(json, '$.description.fr') FROM entries WHERE id = 'hostile'", nil, []string{"aussi en français"}},
		{"SELECT ref FROM search JOIN entries ON n = search.rowid WHERE search MATCH ?", []any{"francais"}, []string{"dpg/hostile"}},
		{"SELECT ref FROM search JOIN entries ON n = search.rowid WHERE search MATCH ?", []any{"secret OR gone"}, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, ask(t, db, tt.query, tt.args...)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.query, tt.args, diff)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b bytes.Buffer
	if err := Write(ctx, &b, included(t)); err == nil || b.Len() > 0 {
		t.Errorf("error %v and %d bytes of a run that was called off", err, b.Len())
	}
}
