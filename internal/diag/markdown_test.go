package diag_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

func markdown(t *testing.T, r diag.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := diag.WriteMarkdown(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Errors come first, and each finding is one row.
func TestMarkdown(t *testing.T) {
	ds := diag.Sort(append([]diag.Diagnostic(nil), findings...))
	ds = append(ds, diag.Diagnostic{
		Path: "registry/dpgs/c.yaml", Start: diag.Pos{Line: 3, Col: 1}, Rule: "link-http", Message: "not protected",
		Related: []diag.Related{{Path: "registry/dpgs/a.yaml", Start: diag.Pos{Line: 1, Col: 1}, Message: "first given here"}},
	})
	want := "**2 errors, 1 warning, 1 info** in 12 files, judged as of `2026-01-20`\n" + `
| | where | what | rule |
|---|---|---|---|
| error | ` + "`registry/dpgs/a.yaml:4:5` | `\"GPL\" is not an SPDX licence identifier`<br>`which version: GPL-2.0-only, GPL-3.0-only?` | `license-id`" + ` |
| error | ` + "`registry/dpgs/b.yaml` | `the file is over 1 MiB` | `file-size`" + ` |
| warning | ` + "`registry/dpgs/a.yaml:2:1` | `name ends in a space` | `space`" + ` |
| info | ` + "`registry/dpgs/c.yaml:3:1` | `not protected`<br>`registry/dpgs/a.yaml:1:1: first given here` | `link-http`" + ` |
`
	if diff := cmp.Diff(want, markdown(t, diag.NewReport(ds, 12, "2026-01-20"))); diff != "" {
		t.Errorf("report differs (-want +got):\n%s", diff)
	}
	if got, want := markdown(t, diag.NewReport(nil, 1, "")), "**0 errors, 0 warnings** in 1 file\n"; got != want {
		t.Errorf("without findings the report is %q, want %q", got, want)
	}
}

// Whatever an entry says stays in its cell and its code span.
func TestMarkdownHostile(t *testing.T) {
	tests := []struct{ in, want string }{
		{"@someone <b> ![x](https://evil.example)", "`@someone <b> ![x](https://evil.example)`"},
		{"a`b``c", "``` a`b``c ```"},
		{"`", "`` ` ``"},
		{"a | b", "`a \\| b`"},
		{`a \| b`, "`a \\ \\| b`"},
		{"a\n| b |\n", "`a \\| b \\|`"},
		{" \t\n", "(blank)"},
		{"\x1b[2J\u202e\u200d\ufeff", "`[2J\u200d\ufeff`"},
		{strings.Repeat("é", 30), "`" + strings.Repeat("é", 20) + " …`"},
	}
	for _, tt := range tests {
		if got := diag.Cell(tt.in, 20); got != tt.want && !strings.HasPrefix(tt.in, "@") {
			t.Errorf("Cell(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if got := diag.Cell(tt.in, 100); strings.HasPrefix(tt.in, "@") && got != tt.want {
			t.Errorf("Cell(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A report stays below what a job summary may have, and says what it left out.
func TestMarkdownCut(t *testing.T) {
	var ds []diag.Diagnostic
	for i := range 5000 {
		ds = append(ds, diag.Diagnostic{Path: "a.yaml", Start: diag.Pos{Line: i + 1, Col: 1}, Rule: "x", Message: strings.Repeat("é", 300), Hint: strings.Repeat("|", 300)})
	}
	got := markdown(t, diag.NewReport(ds, 1, ""))
	if len(got) > 1<<20 || !utf8.ValidString(got) {
		t.Errorf("the report has %d bytes", len(got))
	}
	rows := strings.Count(got, "\n| info |")
	if rows == 0 || rows == len(ds) || !strings.HasSuffix(got, " more.\n") {
		t.Errorf("the report has %d rows and ends %q", rows, got[len(got)-40:])
	}
}
