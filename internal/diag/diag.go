// Package diag holds findings: what is wrong with what a person wrote, where it
// stands, and what would be right. A finding is data, not a Go error; errors are
// for runs that could not finish.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Diagnostic is one finding about one place in one file.
type Diagnostic struct {
	Path     string    // slash-separated, relative to the repository root
	Start    Pos       // first byte of the offending value or key; zero means the whole file
	End      Pos       // just past its last byte; zero if unknown
	Pointer  string    // RFC 6901 pointer to the value, such as "/licenses/1"; "" is the whole document
	Rule     string    // stable kebab-case id, such as "license-id"; never reused for something else
	Severity Severity  // zero is Info
	Message  string    // one line, lower case, no final period; quotes input with %q
	Hint     string    // what to do about it, or ""
	Edits    []Edit    // what --fix would change; nil if it needs a person
	Related  []Related // other places that matter, such as a first definition
}

// A Pos is a position in a file. Line and Col are 1-based; Col counts bytes.
// The zero Pos means no position.
type Pos struct{ Line, Col int }

// An Edit replaces the bytes from Start up to End by Text.
type Edit struct {
	Start, End Pos
	Text       string
}

// Related is another place that explains a finding.
type Related struct {
	Path    string
	Start   Pos
	Message string // such as "first defined here"
}

// Severity says how much a finding matters. The zero value is Info.
type Severity int

// Only errors fail a run, unless it is strict: then warnings do too.
const (
	Info Severity = iota
	Warning
	Error
)

var severityNames = [...]string{Info: "info", Warning: "warning", Error: "error"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText writes the severity as "info", "warning" or "error".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity is the inverse of String.
func ParseSeverity(s string) (Severity, error) {
	if i := slices.Index(severityNames[:], s); i >= 0 {
		return Severity(i), nil
	}
	return 0, fmt.Errorf("severity %q is not one of %s", s, strings.Join(severityNames[:], ", "))
}

// Sort orders findings by place, then rule, then message, and drops repeats.
// Loading and checking run in parallel; this is what makes their output stable.
func Sort(ds []Diagnostic) []Diagnostic {
	slices.SortStableFunc(ds, compare)
	return slices.CompactFunc(ds, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Start.Line, b.Start.Line),
		cmp.Compare(a.Start.Col, b.Start.Col),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Pointer, b.Pointer),
	)
}

// A Count is how many findings there are of each severity.
type Count struct{ Errors, Warnings, Infos int }

// Tally counts findings by severity.
func Tally(ds []Diagnostic) Count {
	var c Count
	for _, d := range ds {
		switch d.Severity {
		case Error:
			c.Errors++
		case Warning:
			c.Warnings++
		default:
			c.Infos++
		}
	}
	return c
}

// Plus adds two counts.
func (c Count) Plus(d Count) Count {
	return Count{c.Errors + d.Errors, c.Warnings + d.Warnings, c.Infos + d.Infos}
}

func (c Count) String() string {
	return plural(c.Errors, "error") + ", " + plural(c.Warnings, "warning")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Minus gives the findings that are not among those before, wherever in their file
// they stand now: a line further down is not a new finding. One that was there
// once and is there twice now is new once.
func Minus(now, before []Diagnostic) []Diagnostic {
	type key struct{ path, rule, message string }
	had := map[key]int{}
	for _, d := range before {
		had[key{d.Path, d.Rule, d.Message}]++
	}
	var left []Diagnostic
	for _, d := range now {
		k := key{d.Path, d.Rule, d.Message}
		if had[k] > 0 {
			had[k]--
			continue
		}
		left = append(left, d)
	}
	return left
}
