package dpg

import (
	"regexp"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/export/sqlite"
)

// Whoever asks for help learns of every table that there is.
func TestHelpNamesEveryTable(t *testing.T) {
	tables := regexp.MustCompile(`(?m)^CREATE (?:VIRTUAL )?TABLE ([a-z_]+)`).FindAllStringSubmatch(sqlite.Schema, -1)
	if len(tables) < 10 {
		t.Fatalf("%d tables: the test looks for the wrong thing", len(tables))
	}
	for _, table := range tables {
		if !regexp.MustCompile(`\b` + table[1] + `\b`).MatchString(exportSQLiteCommand.Help) {
			t.Errorf("dpg help export sqlite does not name the table %s", table[1])
		}
	}
}
