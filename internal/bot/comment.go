package bot

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// Bounds that keep a comment below what a forge takes (65,536 characters) and a
// reader bears.
const (
	maxRows  = 60
	maxBytes = 60_000
)

func itoa(n int) string { return strconv.Itoa(n) }

// Title is the verdict in one line.
func (v *Verdict) Title() string {
	count := diag.Tally(v.Findings)
	switch v.Conclusion {
	case forge.Failure:
		return plural(count.Errors, "thing", "things") + " to mend before this can be merged"
	case forge.Neutral:
		return "Nothing wrong found, but a person must look"
	}
	if count.Warnings > 0 {
		return "Good, with " + plural(count.Warnings, "remark", "remarks")
	}
	return "Good"
}

// next says whose turn it is.
func (v *Verdict) next() string {
	switch {
	case v.Conclusion == forge.Failure:
		return "**Next: you.** Mend what the table says and push to this branch; this report is then made anew."
	case v.Conclusion == forge.Neutral:
		return "**Next: a maintainer.** What follows needs somebody's decision."
	}
	return "**Next: a maintainer**, who reads the change and merges it."
}

func (v *Verdict) icon() string {
	return map[forge.Conclusion]string{forge.Failure: "❌", forge.Neutral: "⚠️", forge.Success: "✅"}[v.Conclusion]
}

// comment writes the one comment on a pull request. It holds nothing that
// changes from run to run on the same commits.
func (v *Verdict) comment(pr forge.PullRequest) string {
	var b strings.Builder
	b.WriteString(marker("review", "") + "\n")
	fmt.Fprintf(&b, "## %s %s\n\n%s\n\n", v.icon(), v.Title(), v.next())
	if len(v.Person) > 0 {
		b.WriteString("A person must look because:\n\n")
		for i, why := range v.Person {
			if i == maxRows {
				fmt.Fprintf(&b, "- and %d more reasons.\n", len(v.Person)-i)
				break
			}
			b.WriteString("- " + why + "\n")
		}
		b.WriteString("\n")
	}
	b.WriteString(v.table())
	for i, p := range v.Previews {
		if b.Len() > maxBytes/2 {
			fmt.Fprintf(&b, "_%d more entries are not shown._\n\n", len(v.Previews)-i)
			break
		}
		b.WriteString(p.markdown())
	}
	fmt.Fprintf(&b, "<sub>%s of the registry changed. Judged by the rules of branch %s at commit %.12s. "+
		"To try again, push to this branch. `dpg validate` gives the same findings on your machine, `dpg explain RULE` the reason for a rule.</sub>\n",
		plural(v.Files, "file", "files"), code(pr.Base, 80), pr.HeadSHA)
	return clip(b.String())
}

func (v *Verdict) table() string {
	if len(v.Findings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | where | rule | what to do |\n|---|---|---|---|\n")
	icons := [...]string{diag.Info: "ℹ️", diag.Warning: "⚠️", diag.Error: "❌"}
	for i, d := range v.Findings {
		if i == maxRows || b.Len() > maxBytes/3 {
			fmt.Fprintf(&b, "| | | | and %d more: run `dpg validate` to see all |\n", len(v.Findings)-i)
			break
		}
		where := d.Path
		if d.Start.Line > 0 {
			where += fmt.Sprintf(":%d:%d", d.Start.Line, d.Start.Col)
		}
		what := code(d.Message, 300)
		if d.Hint != "" {
			what += "<br>" + code(d.Hint, 300)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", icons[d.Severity], code(where, 150), code(d.Rule, 60), what)
	}
	return b.String() + "\n"
}

func (p Preview) markdown() string {
	var b strings.Builder
	e := p.Entry
	fmt.Fprintf(&b, "### How %s will look\n\n", code(e.Name, 120))
	if p.Text != "" {
		fmt.Fprintf(&b, "%s\n\n", code(p.Text, 400))
	}
	var facts []string
	for _, l := range e.Licenses {
		facts = append(facts, "licence "+code(l.Expression, 80))
	}
	if len(e.Types) > 0 {
		facts = append(facts, code(strings.Join(e.Types, ", "), 120))
	}
	facts = append(facts, "stage "+code(e.Status.Stage, 40))
	b.WriteString(strings.Join(facts, " · ") + "\n\n")
	if p.Assessment != nil {
		b.WriteString(proposal(p.Assessment, p.Names))
	}
	return b.String()
}

// proposal shows an assessment, folded: what it proposes and the words it rests on.
func proposal(a *assess.Assessment, names map[string]string) string {
	var b strings.Builder
	clear := 0
	if a.Summary != nil {
		var text []string
		for _, s := range a.Summary.Sentences {
			text = append(text, s.Text)
		}
		fmt.Fprintf(&b, "Summary: %s\n\n", code(strings.Join(text, " "), 400))
	}
	for _, m := range a.Mappings {
		if m.Strength < 2 {
			continue
		}
		clear++
		fmt.Fprintf(&b, "- **%s** %s, %s\n", m.Code, code(names[m.Code], 120), strings.ReplaceAll(m.Review.State, "_", " "))
		for _, e := range m.Evidence {
			fmt.Fprintf(&b, "  - %s: %s\n", code(e.Pointer, 100), code(e.Quote, 300))
		}
	}
	for _, u := range a.Unknown {
		fmt.Fprintf(&b, "- %s: unknown, %s\n", code(u.Framework, 80), code(u.Reason, 120))
	}
	if b.Len() == 0 {
		return ""
	}
	return fold(fmt.Sprintf("Proposals of the bot: %s with evidence", plural(clear, "code", "codes")), b.String())
}

// check is the verdict as a check.
func (v *Verdict) check() forge.Check {
	c := forge.Check{
		Name: CheckName, Conclusion: v.Conclusion, Title: v.Title(),
		Summary:     clip(v.next() + "\n\n" + strings.Join(v.Person, "\n") + "\n\n" + v.table()),
		Annotations: []forge.Annotation{},
	}
	levels := [...]forge.Level{diag.Info: forge.NoticeLevel, diag.Warning: forge.WarningLevel, diag.Error: forge.FailureLevel}
	for _, d := range v.Findings {
		a := forge.Annotation{
			Path: d.Path, StartLine: max(1, d.Start.Line), EndLine: max(1, d.Start.Line, d.End.Line),
			Level: levels[d.Severity], Title: d.Rule, Message: d.Message,
		}
		if d.Hint != "" {
			a.Message += "\nhint: " + d.Hint
		}
		if a.StartLine == a.EndLine {
			a.StartColumn, a.EndColumn = d.Start.Col, d.End.Col
		}
		c.Annotations = append(c.Annotations, a)
	}
	return c
}

// clip keeps a text within what a forge takes, at a line's end.
func clip(s string) string {
	if len(s) <= maxBytes {
		return s
	}
	s = s[:maxBytes]
	return s[:strings.LastIndexByte(s, '\n')+1] + "\n_Cut here: the report is too long._\n"
}
