package dpg

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var licenseParseCommand = cli.Command{
	Name:    "license parse",
	Args:    "EXPRESSION",
	Summary: "read an SPDX licence expression and print it in canonical form",
	Help: `
Prints the canonical expression alone: ids as the SPDX list spells them, operators
in capitals, no parentheses that change nothing. What is no expression by SPDX 3.0.1,
annex B, is shown with its place, and the exit code is 1. Deprecated ids are read
and kept; "dpg license fix" names their successors.

With --jsonl, every line of standard input is an object with "id", any value, and
"expression", a string. For each there is one line out, in the same order, with the
keys id, expression, error and position: either expression is the canonical form
and the others are null, or expression is null and error says what is wrong, at
the byte that position counts from 0, in the line with the number line. Blank lines
are passed over; one that holds no such object gives line, error and, where it has
one, id. The exit code is 1 if any line has an error.`,
	Examples: []string{
		"dpg license parse 'mit or (apache-2.0 and gpl-2.0-only with classpath-exception-2.0)'",
		"dpg license parse --jsonl < expressions.jsonl",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		lines := flags.Bool("jsonl", false, "read lines of JSON on standard input, and answer each")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if *lines {
				return eachQuestion(ctx, o, args, parseLine)
			}
			text, err := oneText(args, "an expression")
			if err != nil {
				return err
			}
			x, err := spdx.Parse(text)
			if err != nil {
				showFaults(o, text, err)
				return cli.ErrFound
			}
			fmt.Fprintln(o.Out, x)
			return nil
		}
	},
}

var licenseFixCommand = cli.Command{
	Name:    "license fix",
	Args:    "STRING",
	Summary: "print the SPDX expression that somebody meant, or ask",
	Help: `
Prints the expression alone that was meant by a name, an id with a slip in it, the
address of a licence, or several of these. Where that would be a guess, because a
version is missing, or whether a later version may be used, or whether both of two
licences apply, it prints nothing, asks on standard error, names what there is to
choose from, and exits with 1. Deprecated ids are treated as names.

With --jsonl, every line of standard input is an object with "id", any value, and
"text", a string ("expression" will do too). For each there is one line out, in the
same order, with the keys id, expression, question, candidates and slip. Either
expression is a string, or it is null and question is one; candidates is a list,
the likelier first; slip says that a word was taken for a misspelling. A line that
holds no such object gives line, its number, error and, where it has one, id. The
exit code is 1 if any line has a question or an error.`,
	Examples: []string{
		"dpg license fix 'Apache License, Version 2.0'",
		"dpg license fix https://creativecommons.org/licenses/by/4.0/",
		"dpg license fix 'CC BY-NC'    # asks for the version",
		"dpg license fix --jsonl < names.jsonl",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		lines := flags.Bool("jsonl", false, "read lines of JSON on standard input, and answer each")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if *lines {
				return eachQuestion(ctx, o, args, fixLine)
			}
			text, err := oneText(args, "what is to be repaired")
			if err != nil {
				return err
			}
			r := spdx.Repair(text)
			if r.Expression != "" {
				fmt.Fprintln(o.Out, r.Expression)
				return nil
			}
			o.Say("dpg: %s", r.Question)
			for _, c := range r.Candidates {
				fmt.Fprintf(o.Err, "\t%s\n", diag.OneLine(c))
			}
			return cli.ErrFound
		}
	},
}

var licenseCheckCommand = cli.Command{
	Name:    "license check",
	Args:    "EXPRESSION",
	Summary: "say whether the policy accepts a licence for a type of work",
	Help: `
Judges an SPDX licence expression by the registry's policy.yaml, or by the policy
that is built in where the registry has none. The first line is the verdict:
accepted, accepted-until, not-accepted or unknown; the second says why. Of licences
joined by OR one has to be accepted, of those joined by AND all. An exception of
the SPDX list only adds permissions, so with one a licence is judged as without.

The exit code is 0 if the licence is accepted, until a day or for good, and 1 if it is
not or a person has to look.

With --jsonl, every line of standard input is an object with "id", any value,
"expression", a string, and where it is another than that of --type "type". For each
there is one line out, in the same order: the verdict as with --format json, and id.
A line that holds no such object, or no expression, gives line, its number, error
and, where it has one, id. The exit code is 0 only if all are accepted.`,
	Examples: []string{
		"dpg license check --jsonl --type software < expressions.jsonl",
		"dpg license check Apache-2.0 --type software",
		"dpg license check 'CC-BY-NC-4.0 OR CC-BY-4.0' --type data",
		"dpg license check CC-BY-4.0 --type content --as-of 2026-01-31 --format json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		c := licenseCheck{format: cli.OneOf{Value: "text", Allowed: []string{"text", "json"}}}
		flags.StringVar(&c.workType, "type", "", "the `TYPE` of the work, such as software, data, content, standard, ai-system")
		flags.StringVar(&c.asOf, "as-of", "", "judge as of `DATE`, such as 2026-01-31 (default today)")
		flags.Var(&c.format, "format", "`FORMAT` of the verdict: text, json")
		flags.BoolVar(&c.lines, "jsonl", false, "read lines of JSON on standard input, and answer each")
		dir := cli.RegistryFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			named := false
			flags.Visit(func(f *flag.Flag) { named = named || f.Name == "registry" })
			return c.run(ctx, o, *dir, named, args)
		}
	},
}

type licenseCheck struct {
	workType string
	asOf     string
	format   cli.OneOf
	lines    bool
}

func (c *licenseCheck) run(ctx context.Context, o *cli.IO, dir string, named bool, args []string) error {
	text := ""
	if !c.lines {
		var err error
		if text, err = oneText(args, "an expression"); err != nil {
			return err
		}
	}
	if c.asOf == "" {
		c.asOf = cli.Today()
	} else if _, err := time.Parse(time.DateOnly, c.asOf); err != nil {
		return cli.Usagef("--as-of %q is not a date such as 2026-01-31", c.asOf)
	}
	rules, err := loadPolicy(ctx, o, dir, named)
	if err != nil {
		return err
	}
	if why := unkept(rules, c.workType); why != "" && (c.workType != "" || !c.lines) {
		return cli.Usagef("%s", why)
	}
	if c.lines {
		return eachQuestion(ctx, o, args, func(line inLine, q question) (any, bool) { return c.line(rules, line, q) })
	}
	x, err := spdx.Parse(text)
	if err != nil {
		showFaults(o, text, err)
		return cli.ErrFound
	}
	v := rules.Judge(c.workType, x, c.asOf)
	if c.format.Value == "text" {
		fmt.Fprintf(o.Out, "%s\n%s\n", v.State, v.Sentence(c.workType))
	} else if _, err := o.Out.Write(encodeLine(c.verdict(nil, c.workType, x, v))); err != nil {
		return err
	}
	if !isAccepted(v) {
		return cli.ErrFound
	}
	return nil
}

// unkept says why licences cannot be judged for a type; "" where they can.
func unkept(rules *policy.Policy, workType string) string {
	if _, kept := rules.Licenses[workType]; kept {
		return ""
	}
	types := strings.Join(slices.Sorted(maps.Keys(rules.Licenses)), ", ")
	if workType == "" {
		return "say with --type what the licence is for: " + types
	}
	return fmt.Sprintf("the policy has no licences for type %q; it has them for %s", workType, types)
}

func isAccepted(v policy.Verdict) bool {
	return v.State == policy.StateAccepted || v.State == policy.StateAcceptedUntil
}

// line judges one line of --jsonl.
func (c *licenseCheck) line(rules *policy.Policy, line inLine, q question) (any, bool) {
	workType := c.workType
	if q.Type != nil {
		workType = *q.Type
	}
	switch why := unkept(rules, workType); {
	case q.Expression == nil:
		return line.fail(q.ID, `the line has no "expression"`), false
	case workType == "":
		return line.fail(q.ID, `the line has no "type", and --type gives none`), false
	case why != "":
		return line.fail(q.ID, "%s", why), false
	}
	x, err := spdx.Parse(*q.Expression)
	if err != nil {
		return line.fail(q.ID, "%v", err), false
	}
	v := rules.Judge(workType, x, c.asOf)
	id := q.ID
	if id == nil {
		id = json.RawMessage("null")
	}
	return c.verdict(id, workType, x, v), isAccepted(v)
}

// A verdict is what the policy makes of one expression, as JSON.
type verdict struct {
	ID         json.RawMessage `json:"id,omitempty"` // of a line
	Expression string          `json:"expression"`
	Type       string          `json:"type"`
	AsOf       string          `json:"as_of"`
	State      policy.State    `json:"state"`
	Until      *string         `json:"until"`   // last day; null where there is none
	License    *string         `json:"license"` // the part of the expression that decided
	Reason     string          `json:"reason"`
	Source     *string         `json:"source"` // where the rule can be read
}

func (c *licenseCheck) verdict(id json.RawMessage, workType string, x spdx.Expr, v policy.Verdict) verdict {
	return verdict{id, x.String(), workType, c.asOf, v.State, filled(v.Until), filled(v.License), v.Sentence(workType), filled(v.Source)}
}

// filled is nil for "", which JSON writes as null.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// loadPolicy reads the policy of the registry in a folder, and nothing else of it.
// Where there is none, and none was asked for, it is the one that is built in.
func loadPolicy(ctx context.Context, o *cli.IO, dir string, named bool) (*policy.Policy, error) {
	var files registry.Files = policyOnly{}
	load := registry.Options{}
	if _, err := os.Stat(dir); named || err == nil {
		folder, err := cli.Open(dir, &load)
		if err != nil {
			return nil, err
		}
		files = policyOnly{folder}
	} else {
		o.Say("there is no registry folder here: the built-in policy applies")
	}
	reg, err := registry.Load(ctx, files, load)
	if err != nil {
		return nil, err
	}
	if d := slices.IndexFunc(reg.Findings, func(d diag.Diagnostic) bool { return d.Severity == diag.Error }); d >= 0 {
		return nil, fmt.Errorf("%s cannot be read: %s; dpg validate says more", reg.Findings[d].Path, reg.Findings[d].Message)
	}
	return reg.Policy, nil
}

// policyOnly is a registry's files without its entries; the zero policyOnly has
// none.
type policyOnly struct{ registry.Files }

func (p policyOnly) List() ([]registry.Blob, error) {
	if p.Files == nil {
		return nil, nil
	}
	all, err := p.Files.List()
	return slices.DeleteFunc(all, func(b registry.Blob) bool { return b.Path != "policy.yaml" }), err
}

// oneText is what a person wrote with or without quotes around it.
func oneText(args []string, what string) (string, error) {
	if len(args) == 0 {
		return "", cli.Usagef("give %s, or --jsonl for many", what)
	}
	return strings.Join(args, " "), nil
}

// showFaults says what is wrong with an expression, each thing with the place
// under a line of the text.
func showFaults(o *cli.IO, text string, err error) {
	fault := (*spdx.Error)(nil)
	if !errors.As(err, &fault) {
		o.Say("dpg: %v", err)
		return
	}
	for _, e := range append([]*spdx.Error{fault}, fault.Others...) {
		o.Say("dpg: %v", e)
		line, caret := pointAt(text, e.Offset, len(e.Token))
		fmt.Fprintf(o.Err, "\t%s\n\t%s\n", line, caret)
	}
	if r := spdx.Repair(text); r.Expression != "" {
		fmt.Fprintf(o.Err, "\thint: did you mean %q?\n", r.Expression)
	} else if len(r.Candidates) > 0 {
		fmt.Fprintf(o.Err, "\thint: %s\n", diag.OneLine(r.Question))
	}
}

// pointAt cuts a line around the place of length bytes out of a text, and makes
// one with carets below it.
func pointAt(text string, offset, length int) (line, caret string) {
	const around = 50 // letters before and behind the place
	offset = min(offset, len(text))
	end := min(offset+length, len(text))
	before, place, behind := shown(text[:offset]), shown(text[offset:end]), shown(text[end:])
	if n := len(before) - around; n > 0 {
		before = append([]rune("…"), before[n:]...)
	}
	if len(place) > around {
		place = append(place[:around:around], '…')
	}
	if len(behind) > around {
		behind = append(behind[:around:around], '…')
	}
	return string(before) + string(place) + string(behind), strings.Repeat(" ", len(before)) + strings.Repeat("^", max(1, len(place)))
}

// shown is a text on one line, one column a letter.
func shown(s string) []rune {
	return []rune(diag.OneLine(strings.NewReplacer("\n", " ", "\r", " ").Replace(s)))
}

// maxLine is how many bytes a line of JSON may have.
const maxLine = 4 << 20

// eachQuestion answers every line of JSON on standard input.
func eachQuestion(ctx context.Context, o *cli.IO, args []string, answer func(inLine, question) (out any, ok bool)) error {
	if len(args) > 0 {
		return cli.Usagef("--jsonl reads standard input and takes no arguments")
	}
	return eachLine(ctx, o, 0, maxLine, func(line inLine) (any, bool) {
		var q question
		if fault := line.decode(&q, &q.ID); fault != nil {
			return fault, false
		}
		return answer(line, q)
	})
}

// A question is a line of JSON on a licence.
type question struct {
	ID         json.RawMessage `json:"id"`
	Expression *string         `json:"expression"`
	Text       *string         `json:"text"` // for fix
	Type       *string         `json:"type"` // for check
}

func parseLine(line inLine, q question) (any, bool) {
	out := struct {
		Line       int             `json:"line,omitzero"` // beside an error
		ID         json.RawMessage `json:"id"`
		Expression *string         `json:"expression"`
		Error      *string         `json:"error"`
		Position   *int            `json:"position"`
	}{ID: q.ID}
	if q.Expression == nil {
		return line.fail(q.ID, `the line has no "expression"`), false
	}
	x, err := spdx.Parse(*q.Expression)
	if fault := (*spdx.Error)(nil); errors.As(err, &fault) {
		out.Line, out.Error, out.Position = line.number, &fault.Msg, &fault.Offset
		return out, false
	}
	text := x.String()
	out.Expression = &text
	return out, true
}

func fixLine(line inLine, q question) (any, bool) {
	out := struct {
		ID         json.RawMessage `json:"id"`
		Expression *string         `json:"expression"`
		Question   *string         `json:"question"`
		Candidates []string        `json:"candidates"`
		Slip       bool            `json:"slip"`
	}{ID: q.ID, Candidates: []string{}}
	if q.Text == nil {
		q.Text = q.Expression
	}
	if q.Text == nil {
		return line.fail(q.ID, `the line has no "text"`), false
	}
	r := spdx.Repair(*q.Text)
	out.Expression, out.Question, out.Slip = filled(r.Expression), filled(r.Question), r.Slip
	out.Candidates = append(out.Candidates, r.Candidates...)
	return out, r.Expression != ""
}
