package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// An outcome is what came of one string that a person put right.
type outcome int

const (
	exact   outcome = iota // the person's id, alone; of a deprecated id, the one that succeeded it
	port                   // their licence and version, as ported; the string says for whom
	later                  // their licence and version; whether a later version may be used is asked
	version                // the version is asked, and theirs is among the candidates
	asked                  // a question without theirs among the candidates
	wrong                  // an answer, and another licence
	outcomes
)

func (o outcome) String() string {
	return [...]string{"right id", "right licence and version, in the port that the string names", "right but for -only or -or-later, which is asked", "right family, and theirs among the versions asked for", "another question", "another licence"}[o]
}

// A fix is a string that stood in an entry and the id that a person put there.
type fix struct {
	path, before, after string
	outcome             outcome
	got                 spdx.Repaired
}

// fixes reads the one-to-one fixes of the predecessor's history and tries each.
func fixes(shared string) ([]fix, error) {
	rows, err := tsv(filepath.Join(shared, "data", "dpga", "licenses", "fixes_by_humans.tsv"), 5)
	if err != nil {
		return nil, err
	}
	var all []fix
	for _, row := range rows {
		var before, after []string
		if err := json.Unmarshal([]byte(row[1]), &before); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(row[2]), &after); err != nil {
			return nil, err
		}
		if len(before) != 1 || len(after) != 1 {
			continue
		}
		f := fix{path: row[0], before: before[0], after: after[0], got: spdx.Repair(before[0])}
		f.outcome = judge(f.got, f.after)
		all = append(all, f)
	}
	return all, nil
}

// judge compares an answer with the id that a person chose. They wrote the bare ids
// of the GNU licences, which SPDX has split since.
func judge(got spdx.Repaired, want string) outcome {
	meant := spdx.Successors(want)
	if meant == nil {
		meant = []string{want}
	}
	switch {
	case got.Expression != "" && slices.Contains(meant, got.Expression):
		return exact
	case got.Expression != "" && family(got.Expression) == family(want):
		return port
	case got.Expression != "":
		return wrong
	case slices.Equal(got.Candidates, meant):
		return later
	case slices.ContainsFunc(meant, func(id string) bool { return slices.Contains(got.Candidates, id) }):
		return version
	}
	return asked
}

var ported = regexp.MustCompile(`^(CC-.*-\d\.\d)-[A-Z]+$`)

// family is an id without what says -only, -or-later or, of a Creative Commons
// licence, for whom it was ported.
func family(id string) string {
	id = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(id, "+"), "-only"), "-or-later")
	return ported.ReplaceAllString(id, "$1")
}

// repairTable writes how well spdx.Repair does on what people put right by hand,
// and every string it did not answer as they did. The folder shared stands
// beside the repository; without it there is an error.
func repairTable(w io.Writer, shared string) error {
	all, err := fixes(shared)
	if err != nil {
		return err
	}
	var count [outcomes]int
	for _, f := range all {
		count[f.outcome]++
	}
	fmt.Fprintf(w, "Repair of the %d strings that a person replaced by one id\n\n| outcome | strings |\n|---|---|\n", len(all))
	for o := range outcomes {
		fmt.Fprintf(w, "| %s | %d |\n", o, count[o])
	}
	fmt.Fprintf(w, "| **the right family, answered or asked** | **%d** |\n\n", count[exact]+count[port]+count[later]+count[version])
	for _, f := range all {
		if f.outcome >= version {
			fmt.Fprintf(w, "- %q: %s: %s%s (a person: %s, in %s)\n", f.before, f.outcome, f.got.Expression, f.got.Question, f.after, f.path)
		}
	}
	return nil
}

// stringsTable writes how the licence strings of the predecessor's history are
// told apart, against the labels they came with.
func stringsTable(w io.Writer, shared string) error {
	rows, err := tsv(filepath.Join(shared, "data", "dpga", "licenses", "strings_in_history.tsv"), 5)
	if err != nil {
		return err
	}
	right, total := map[string]int{}, map[string]int{}
	var differ []string
	for _, row := range rows {
		var s string
		if err := json.Unmarshal([]byte(row[0]), &s); err != nil {
			return err
		}
		total[row[2]]++
		if got := class(s); got == row[2] {
			right[got]++
		} else {
			differ = append(differ, fmt.Sprintf("%q is %s, labelled %s", s, got, row[2]))
		}
	}
	fmt.Fprintf(w, "\nThe %d licence strings of the history\n\n| label | strings | as labelled |\n|---|---|---|\n", len(rows))
	for _, label := range []string{"valid", "deprecated", "case", "invalid"} {
		fmt.Fprintf(w, "| %s | %d | %d |\n", label, total[label], right[label])
	}
	for _, s := range differ {
		fmt.Fprintf(w, "- %s\n", s)
	}
	if len(differ) > 0 {
		return fmt.Errorf("%d of %d strings are not as labelled", len(differ), len(rows))
	}
	return nil
}

// class tells an id of the list from one that is deprecated or misspelt in case,
// and from what is none.
func class(s string) string {
	switch l, ok := spdx.Lookup(s); {
	case !ok:
		return "invalid"
	case l.ID != s:
		return "case"
	case l.Deprecated:
		return "deprecated"
	}
	return "valid"
}

// tsv reads a table with a heading.
func tsv(name string, columns int) ([][]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows [][]string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		if len(row) != columns {
			return nil, fmt.Errorf("%s: %q has %d columns, want %d", name, lines.Text(), len(row), columns)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	return rows[1:], nil
}
