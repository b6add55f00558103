package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/realdata"
)

// The predecessor's whole data goes through every command of dpg, as somebody who
// takes it over would type them.
func TestPredecessorsData(t *testing.T) {
	old := realdata.Folder(t, "data/dpga/dpga")
	t.Parallel()
	dir := t.TempDir()
	timed := func(args ...string) (stdout, stderr string, code int) {
		t.Helper()
		began := time.Now()
		stdout, stderr, code = run(t, dir, "dpg", args...)
		t.Logf("%5.1f s, exit %d: dpg %s\n%s", time.Since(began).Seconds(), code, strings.ReplaceAll(strings.Join(args, " "), old, "OLD"), stderr)
		return stdout, stderr, code
	}

	if _, stderr, code := timed("import", "dpga", old, "--report", "report.json"); code != 0 || !strings.Contains(stderr, "569 entries: 569 written") {
		t.Fatalf("import exits %d: %s", code, stderr)
	}
	var imported struct {
		Entries int
		Leaves  struct{ Carried, Changed, Dropped int }
	}
	decode(t, read(t, dir, "report.json"), &imported)
	if imported.Entries != 569 || imported.Leaves.Carried == 0 {
		t.Errorf("the report has %+v, want 569 entries", imported)
	}
	if _, stderr, _ := timed("import", "dpga", old); !strings.Contains(stderr, "0 written, 0 rewritten, 0 kept as they differ, 569 as they were") {
		t.Errorf("a second import: %s", stderr)
	}

	stdout, stderr, code := timed("validate", "--format", "json", "--as-of", "2023-02-01")
	if code > 1 || stderr != "" {
		t.Errorf("validate exits %d and says %q", code, stderr)
	}
	var report struct {
		Schema                    string
		Checked, Errors, Warnings int
		Findings                  []struct{ Path, Rule, Message string }
	}
	decode(t, stdout, &report)
	if report.Checked != 570 || // entries and registry.yaml
		report.Schema != "report/v1" || code == 1 != (report.Errors > 0) {
		t.Errorf("%d files checked, %d errors, exit %d", report.Checked, report.Errors, code)
	}
	counts := map[string]int{}
	for _, f := range report.Findings {
		counts[f.Rule]++
		if strings.HasPrefix(f.Rule, "schema") || strings.HasPrefix(f.Rule, "yaml") {
			t.Errorf("an imported entry does not fit its schema: %s: %s [%s]", f.Path, f.Message, f.Rule)
		}
	}
	var table strings.Builder
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&table, "%6d %s\n", counts[rule], rule)
	}
	t.Logf("%d errors, %d warnings:\n%s", report.Errors, report.Warnings, table.String())

	if _, stderr, code := timed("assess"); code != 0 || !strings.HasPrefix(stderr, "569 entries: ") {
		t.Errorf("assess exits %d: %s", code, stderr)
	}
	if stdout, stderr, _ := timed("assess", "--dry-run"); stdout != "" || !strings.Contains(stderr, " 0 assessments would be written") {
		t.Errorf("a second assess would write %.200s", stdout)
	}
	if _, stderr, code := timed("build", "--out", "public"); code != 0 {
		t.Errorf("build exits %d: %s", code, stderr)
	}
	var dpgs struct{ Items []struct{ ID string } }
	decode(t, read(t, dir, "public/api/v1/dpgs.json"), &dpgs)
	if len(dpgs.Items) == 0 {
		t.Error("the catalog lists no entries")
	}
	if _, stderr, code := timed("validate", "--as-of", "2023-02-01"); code > 1 || !strings.Contains(stderr, "files checked as of 2023-02-01") {
		t.Errorf("validate with assessments exits %d: %s", code, stderr)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func decode(t *testing.T, data string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(data), v); err != nil {
		t.Fatalf("%v in %.200q", err, data)
	}
}
