package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText writes findings for a person at a terminal, one a line:
//
//	path:line:col: error: message [rule-id]
//		hint: what to do
//
// With color, severities are coloured by ANSI escapes.
func WriteText(w io.Writer, ds []Diagnostic, color bool) error {
	const usual = 160 // bytes of a finding with its hint
	var b strings.Builder
	b.Grow(usual * len(ds))
	for _, d := range ds {
		b.WriteString(place(d))
		b.WriteString(": ")
		b.WriteString(paint(d.Severity, color))
		fmt.Fprintf(&b, ": %s [%s]\n", OneLine(d.Message), d.Rule)
		if d.Hint != "" {
			fmt.Fprintf(&b, "\thint: %s\n", OneLine(d.Hint))
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "\t%s:%d:%d: %s\n", OneLine(r.Path), r.Start.Line, r.Start.Col, OneLine(r.Message))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func place(d Diagnostic) string {
	path := OneLine(d.Path)
	if d.Start == (Pos{}) {
		return path
	}
	return fmt.Sprintf("%s:%d:%d", path, d.Start.Line, d.Start.Col)
}

func paint(s Severity, color bool) string {
	if !color {
		return s.String()
	}
	code := [...]string{Info: "36", Warning: "33", Error: "31"}[s]
	return "\x1b[" + code + "m" + s.String() + "\x1b[0m"
}

// OneLine keeps hostile text from starting a line of its own or driving the
// terminal: a line that starts with "::" is a command to GitHub Actions, and
// an escape character one to the terminal.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
			return '\ufffd'
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069': // bidirectional overrides
			return '\ufffd'
		}
		return r
	}, s)
}

// WriteGitHub writes findings as GitHub Actions workflow commands, which the
// runner shows as annotations on the lines of a pull request.
func WriteGitHub(w io.Writer, ds []Diagnostic) error {
	var b strings.Builder
	for _, d := range ds {
		command := [...]string{Info: "notice", Warning: "warning", Error: "error"}[d.Severity]
		fmt.Fprintf(&b, "::%s file=%s", command, property(d.Path))
		if d.Start != (Pos{}) {
			fmt.Fprintf(&b, ",line=%d,col=%d", d.Start.Line, d.Start.Col)
		}
		if d.End != (Pos{}) {
			fmt.Fprintf(&b, ",endLine=%d", d.End.Line)
		}
		fmt.Fprintf(&b, ",title=%s::%s", property(d.Rule), data(d.Message))
		if d.Hint != "" {
			b.WriteString("%0Ahint: " + data(d.Hint))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The two escapes are those of the Actions toolkit, packages/core/src/command.ts.
var (
	dataEscape     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscape = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func data(s string) string     { return dataEscape.Replace(s) }
func property(s string) string { return propertyEscape.Replace(s) }

// Report is the JSON form of a run's findings, described by
// schemas/report.schema.json.
type Report struct {
	Schema   string        `json:"schema"` // "report/v1"
	AsOf     *string       `json:"as_of"`  // the date that dated rules judged at, or null
	Checked  int           `json:"checked"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
	Findings []jsonFinding `json:"findings"`
}

type jsonFinding struct {
	Path     string        `json:"path"`
	Line     int           `json:"line"` // 0 when the whole file is meant
	Col      int           `json:"col"`
	EndLine  int           `json:"end_line"`
	EndCol   int           `json:"end_col"`
	Pointer  string        `json:"pointer"`
	Rule     string        `json:"rule"`
	Severity Severity      `json:"severity"`
	Message  string        `json:"message"`
	Hint     *string       `json:"hint"`
	Related  []jsonRelated `json:"related"`
}

type jsonRelated struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	Message string `json:"message"`
}

// NewReport makes the JSON report of findings over the given number of files.
// An empty asOf means that dated rules were not judged.
func NewReport(ds []Diagnostic, checked int, asOf string) Report {
	c := Tally(ds)
	r := Report{Schema: "report/v1", Checked: checked, Errors: c.Errors, Warnings: c.Warnings, Findings: []jsonFinding{}}
	if asOf != "" {
		r.AsOf = &asOf
	}
	for _, d := range ds {
		f := jsonFinding{
			Path: d.Path, Line: d.Start.Line, Col: d.Start.Col, EndLine: d.End.Line, EndCol: d.End.Col,
			Pointer: d.Pointer, Rule: d.Rule, Severity: d.Severity, Message: d.Message, Related: []jsonRelated{},
		}
		if d.Hint != "" {
			f.Hint = &d.Hint
		}
		for _, rel := range d.Related {
			f.Related = append(f.Related, jsonRelated{rel.Path, rel.Start.Line, rel.Start.Col, rel.Message})
		}
		r.Findings = append(r.Findings, f)
	}
	return r
}

// WriteJSON writes the report as one indented JSON document.
func WriteJSON(w io.Writer, r Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
