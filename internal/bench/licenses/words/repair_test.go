package main

import (
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/realdata"
)

// Of the 72 strings 16 name no version, so that only a guess could answer them, and
// five have labels that no words in them lead to: two are empty, and of three
// people found another licence than the one that was named. 51 are left.
func TestRepairOfFixes(t *testing.T) {
	all, err := fixes(realdata.Folder(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	// People here looked at the work, and found another licence than the entry had.
	relicensed := map[string]string{
		"nominees/open-terms-archive.json": "ODC-By-1.0", // EUPL-1.2
		"nominees/opendronemap.json":       "Apache-2.0", // AGPL-3.0
	}
	var count [outcomes]int
	for _, f := range all {
		if right, ok := relicensed[f.path]; ok {
			if f.got.Expression != right {
				t.Errorf("%s: Repair(%q) = %+v, want %s", f.path, f.before, f.got, right)
			}
			continue
		}
		count[f.outcome]++
		switch f.outcome {
		case wrong:
			t.Errorf("%s: Repair(%q) = %q, a person chose %q", f.path, f.before, f.got.Expression, f.after)
		case version, asked:
			t.Logf("%q: %s %q (a person: %s)", f.before, f.got.Question, f.got.Candidates, f.after)
		}
	}
	t.Logf("%d strings: %v", len(all), count)
	if len(all) != 72 {
		t.Errorf("%d fixes are one to one, want 72", len(all))
	}
	if n := count[exact] + count[port] + count[later]; n < 51 {
		t.Errorf("%d are right up to -only or -or-later, were 51", n)
	}
	if n := count[exact] + count[port] + count[later] + count[version]; n < 67 {
		t.Errorf("%d have the right family, were 67", n)
	}
}

func TestStringsOfTheHistory(t *testing.T) {
	var b strings.Builder
	if err := stringsTable(&b, realdata.Folder(t, "")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(b.String(), "The 127 licence strings") {
		t.Errorf("not all strings were looked at:\n%s", b.String())
	}
}

func TestTablesWithoutData(t *testing.T) {
	if err := repairTable(new(strings.Builder), t.TempDir()); err == nil {
		t.Error("no error where there is no data")
	}
	if err := stringsTable(new(strings.Builder), t.TempDir()); err == nil {
		t.Error("no error where there is no data")
	}
}
