package diag

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a Markdown report. GitHub takes a job summary of up to 1 MiB.
const (
	maxMarkdown = 900_000 // bytes
	maxCell     = 500     // characters
)

// WriteMarkdown writes a report as Markdown, for the summary of a job: the count,
// then a table of the findings, errors first. What people wrote stands in code
// spans, where it mentions nobody and is no link, picture or HTML. A table that
// would be too long is cut, with a last line that says so.
func WriteMarkdown(w io.Writer, r Report) error {
	var b strings.Builder
	judged := ""
	if r.AsOf != nil {
		judged = ", judged as of " + Code(*r.AsOf, maxCell)
	}
	fmt.Fprintf(&b, "**%s** in %s%s\n", Count{r.Errors, r.Warnings, len(r.Findings) - r.Errors - r.Warnings}.all(), plural(r.Checked, "file"), judged)
	if len(r.Findings) > 0 {
		b.WriteString("\n| | where | what | rule |\n|---|---|---|---|\n")
	}
	shown := 0
	for _, severity := range []Severity{Error, Warning, Info} {
		for _, f := range r.Findings {
			if f.Severity != severity || b.Len() > maxMarkdown {
				continue
			}
			shown++
			where := f.Path
			if f.Line > 0 {
				where += fmt.Sprintf(":%d:%d", f.Line, f.Col)
			}
			what := Cell(f.Message, maxCell)
			if f.Hint != nil {
				what += "<br>" + Cell(*f.Hint, maxCell)
			}
			for _, rel := range f.Related {
				what += "<br>" + Cell(fmt.Sprintf("%s:%d:%d: %s", rel.Path, rel.Line, rel.Col, rel.Message), maxCell)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Severity, Cell(where, maxCell), what, Cell(f.Rule, maxCell))
		}
	}
	if n := len(r.Findings) - shown; n > 0 {
		fmt.Fprintf(&b, "\nAnd %d more.\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// all is the count with its infos.
func (c Count) all() string {
	s := c.String()
	if c.Infos > 0 {
		s += ", " + plural(c.Infos, "info")
	}
	return s
}

// Code shows hostile text in Markdown, as a code span: nothing in it is a mention,
// a link, HTML or a picture. White space becomes single spaces; text over limit
// characters is cut and marked. In a table it has to be a Cell.
func Code(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = strings.TrimSpace(string([]rune(s)[:limit])) + " …"
	}
	if s == "" {
		return "(blank)"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}

var escapedPipe = regexp.MustCompile(`(\\+)\|`)

// Cell is Code in a cell of a table. Tables are cut at pipes before code spans are
// looked for, so a pipe gets a backslash; readers differ on a backslash of the text
// right before it, so a space parts the two.
func Cell(s string, limit int) string {
	s = escapedPipe.ReplaceAllString(Code(s, limit), `$1 |`)
	return strings.ReplaceAll(s, "|", `\|`)
}
