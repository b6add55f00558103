package dpg

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

var licenseDetectCommand = cli.Command{
	Name:    "license detect",
	Args:    "FILE...|-",
	Summary: "say which licence a text is",
	Help: `
Compares each file, or standard input for "-", with the texts of the SPDX licence
list by SPDX's matching guidelines: layout, case, quotes, comment markers,
copyright lines and names to be filled in make no difference, any other word does.
Prints "FILE: EXPRESSION", and below it, indented, the other expressions that fit
the same words, what the file says beside the licence, and what to know. The GNU
licences' texts do not say whether later versions may be used, so the alternatives
list both; a notice such as "or (at your option) any later version" decides.

A licence with a clause added or words changed, and a text that is no licence
known, has no expression: "FILE: ?", with the reason, and the exit code is 1.
Confidence is the share of the licence's words that stand in the text as they should.

With --jsonl, every line of standard input is an object with "id", any value, and
"text", a string. For each there is one line out, in the same order, with the keys
id, expression (null for none), alternatives, confidence (0 to 1), spans (each
with start, end, license, kind and confidence), unmatched (what the text says
beside, each with start and end) and note. Starts and ends count bytes of the text
as UTF-8. A line that holds no such object gives line, its number, error and, where it
has one, id, and the exit code is then 1; a text without an expression is an answer
and no mistake.`,
	Examples: []string{
		"dpg license detect LICENSE",
		"git show HEAD:COPYING | dpg license detect -",
		"dpg license detect --jsonl < texts.jsonl",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		lines := flags.Bool("jsonl", false, "read lines of JSON on standard input, and answer each")
		return func(ctx context.Context, o *cli.IO, files []string) error {
			switch {
			case *lines && len(files) > 0:
				return cli.Usagef("--jsonl reads standard input, no files")
			case !*lines && len(files) == 0:
				return cli.Usagef("license detect takes files, or - for standard input")
			}
			d, err := match.Load()
			if err != nil {
				return err
			}
			if *lines {
				return eachLine(ctx, o, 0, maxTextLine, func(line inLine) (any, bool) { return detectLine(d, line) })
			}
			return detectFiles(ctx, d, o, files)
		}
	},
}

func detectFiles(ctx context.Context, d *match.Detector, o *cli.IO, files []string) error {
	missing := false
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		text, err := readText(o, name)
		if err != nil {
			return err
		}
		r := d.Detect(text)
		expression := r.Expression
		if expression == "" {
			expression, missing = "?", true
		} else {
			expression += fmt.Sprintf(" (confidence %.2f)", r.Confidence)
		}
		fmt.Fprintf(o.Out, "%s: %s\n", diag.OneLine(name), expression)
		if len(r.Alternatives) > 1 {
			fmt.Fprintf(o.Out, "\talternatives: %s\n", strings.Join(r.Alternatives, ", "))
		}
		for _, s := range r.Unmatched {
			fmt.Fprintf(o.Out, "\tbeside the licence, line %d: %s\n", 1+bytes.Count(text[:min(s.Start, len(text))], []byte("\n")), excerpt(text, s))
		}
		if r.Note != "" {
			fmt.Fprintf(o.Out, "\tnote: %s\n", diag.OneLine(r.Note))
		}
	}
	if missing {
		return cli.ErrFound
	}
	return nil
}

// excerpt is the start of a part of a text, quoted.
func excerpt(text []byte, s match.Span) string {
	if s.Start > s.End || s.End > len(text) {
		return "" // the text was decoded: its bytes are others
	}
	q := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[s.Start:min(s.End, s.Start+100)]), "")), " ")
	return fmt.Sprintf("%q", q)
}

// readText reads no more of a file than is needed to know that it is too long.
func readText(o *cli.IO, name string) ([]byte, error) {
	in := o.In
	if name != "-" {
		// A pipe may keep whoever opens it waiting for ever.
		if info, err := os.Stat(name); err != nil {
			return nil, err
		} else if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a file; give a text that comes through a pipe to standard input, with -", name)
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, match.MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// An answer is what is said of one line.
type answer struct {
	ID           json.RawMessage `json:"id"`
	Expression   *string         `json:"expression"`
	Alternatives []string        `json:"alternatives"`
	Confidence   float64         `json:"confidence"`
	Spans        []match.Match   `json:"spans"`
	Unmatched    []match.Span    `json:"unmatched"`
	Note         string          `json:"note"`
}

// maxTextLine is the most bytes of a line: every byte of a text may be written as
// six in JSON.
const maxTextLine = 6*match.MaxText + 1<<16

func detectLine(d *match.Detector, line inLine) (any, bool) {
	var q question
	if fault := line.decode(&q, &q.ID); fault != nil {
		return fault, false
	}
	if q.Text == nil {
		return line.fail(q.ID, `the line has no "text"`), false
	}
	a := answer{ID: q.ID, Alternatives: []string{}, Spans: []match.Match{}, Unmatched: []match.Span{}}
	r := d.Detect([]byte(*q.Text))
	if r.Expression != "" {
		a.Expression = &r.Expression
	}
	a.Confidence, a.Note = r.Confidence, r.Note
	a.Alternatives = append(a.Alternatives, r.Alternatives...)
	a.Spans = append(a.Spans, r.Matches...)
	a.Unmatched = append(a.Unmatched, r.Unmatched...)
	return a, true
}
