package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// Bounds that keep a text below what a forge takes (65,536 characters) and a
// reader bears.
const (
	maxBytes       = 60_000 // of a comment, a body or a summary
	maxRows        = 60     // of the table
	maxMappings    = 20     // shown of one entry
	maxAnnotations = 500
	maxMessage     = 2000 // characters of an annotation
)

// Title is the verdict in one line.
func (v *Verdict) Title() string {
	count := diag.Tally(v.Findings)
	remarks := plural(count.Warnings+count.Infos, "remark", "remarks")
	switch {
	case v.Conclusion == forge.Failure:
		return plural(count.Errors, "thing", "things") + " to mend before this can be merged"
	case v.Conclusion == forge.Neutral && len(v.Findings) > 0:
		return "Nothing to mend, " + remarks + ", and a maintainer must decide"
	case v.Conclusion == forge.Neutral:
		return "Nothing to mend, but a maintainer must decide"
	case len(v.Findings) > 0:
		return "Good, with " + remarks
	case v.Files == 0:
		return "Nothing in the registry changes"
	}
	return "Good"
}

// next says whose turn it is.
func (v *Verdict) next() string {
	s := "**Next: a maintainer**, who reads the change and merges it. You have nothing left to do."
	if v.own && v.Conclusion == forge.Failure {
		return "**Next: the bot.** It made this pull request, and brings it up to date when it runs again."
	}
	switch v.Conclusion {
	case forge.Failure:
		s = "**Next: you.** Change what the table marks with ❌ and push to this branch; this report then changes with it."
		if len(v.Reasons) > 0 {
			s += " After that it is a maintainer's turn."
		}
		return s
	case forge.Neutral:
		s = "**Next: a maintainer.** You have nothing left to do."
	}
	if len(v.Findings) > 0 {
		s += " The remarks do not stand in the way; mend them if you can."
	}
	return s
}

func (v *Verdict) icon() string {
	return map[forge.Conclusion]string{forge.Failure: "❌", forge.Neutral: "⚠️", forge.Success: "✅"}[v.Conclusion]
}

// comment is the one comment on a pull request. It holds nothing that changes from
// run to run on the same commits and day.
func (v *Verdict) comment(pr forge.PullRequest) string {
	return marker("review", "") + "\n" + v.report(pr)
}

// report is what the bot says of a pull request, as Markdown.
func (v *Verdict) report(pr forge.PullRequest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s\n\n%s\n\n", v.icon(), v.Title(), v.next())
	b.WriteString(v.Doing.markdown())
	b.WriteString(v.table())
	b.WriteString(v.because())
	b.WriteString(v.twins())
	b.WriteString(v.NewRules.markdown())
	b.WriteString(v.Published.markdown())
	if n := len(v.Suggested); n > 0 && v.plain {
		b.WriteString("Some repairs have one right answer, but the forge took no suggestions at the lines: `dpg validate --fix` makes them all.\n\n")
	} else if n > 0 {
		fmt.Fprintf(&b, "Where a repair has one right answer the bot suggests it at the line itself, to be taken with one click (%d here); `dpg validate --fix` makes them all.\n\n", n)
	}
	end := fmt.Sprintf("<sub>This is about commit %.12s, which changes %s of the registry, judged by the rules on %s. To try again, push to this branch, or write `/dpg validate` in a comment. "+
		"On your machine, `dpg validate` gives the same findings, and `dpg explain RULE` the reason for a rule.</sub>\n",
		pr.HeadSHA, plural(v.Files, "file", "files"), diag.Code(pr.Base, 80))
	shown := 0
	for _, p := range v.Previews {
		section := p.markdown()
		if b.Len()+len(section)+len(end) > maxBytes-300 { // what is left is for the line below and the marker
			break
		}
		b.WriteString(section)
		shown++
	}
	if n := v.Entries - shown; n > 0 {
		fmt.Fprintf(&b, "%s without a preview here.\n\n", plural(n, "changed entry is", "changed entries are"))
	}
	return b.String() + end
}

// twins lists what may be of one subject with a changed entry: entries that are
// there, archived ones too, and those of other open pull requests.
func (v *Verdict) twins() string {
	const most = 20
	var lines []string
	for _, d := range v.Findings {
		if d.Rule == "duplicate" {
			lines = append(lines, "- "+diag.Cell(d.Message, 300)+"\n")
		}
	}
	for _, t := range v.Twins {
		lines = append(lines, t.markdown())
	}
	if len(lines) == 0 {
		return ""
	}
	s := "**Perhaps here already:**\n\n" + strings.Join(lines[:min(len(lines), most)], "")
	if more := len(lines) - most; more > 0 {
		s += fmt.Sprintf("- and %d more\n", more)
	}
	return s + "\n"
}

// because lists why a person must look.
func (v *Verdict) because() string {
	if len(v.Reasons) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("A maintainer must decide, because:\n\n")
	for _, r := range v.Reasons {
		b.WriteString(r.markdown())
	}
	return b.String() + "\n"
}

// table lists the findings, errors first, so that none of them is left out for
// the sake of a remark.
func (v *Verdict) table() string {
	if len(v.Findings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | where | rule | what to do |\n|---|---|---|---|\n")
	icons := [...]string{diag.Info: "ℹ️", diag.Warning: "⚠️", diag.Error: "❌"}
	rows := 0
	for severity := diag.Error; severity >= diag.Info; severity-- {
		for _, d := range v.Findings {
			if d.Severity != severity || rows == maxRows || b.Len() > maxBytes/3 {
				continue
			}
			rows++
			where := d.Path
			if d.Start.Line > 0 {
				where += fmt.Sprintf(":%d:%d", d.Start.Line, d.Start.Col)
			}
			what := diag.Cell(d.Message, 300)
			if d.Hint != "" {
				what += "<br>" + diag.Cell(d.Hint, 300)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", icons[d.Severity], diag.Cell(where, 150), diag.Cell(d.Rule, 60), what)
		}
	}
	b.WriteString("\n")
	if n := len(v.Findings) - rows; n > 0 {
		fmt.Fprintf(&b, "And %d more: `dpg validate` lists them all.\n\n", n)
	}
	return b.String()
}

func (p Preview) markdown() string {
	var b strings.Builder
	e := p.Entry
	name := cmp.Or(e.Name, e.ID) // one that is removed has no name any more
	if name == "" {
		return ""
	}
	fmt.Fprintf(&b, "### How the catalog will show %s\n\n", diag.Code(name, 120))
	if p.Text != "" {
		fmt.Fprintf(&b, "%s\n\n", diag.Code(p.Text, 400))
	}
	var facts []string
	if len(p.Licenses) == 0 {
		for _, l := range e.Licenses[:min(len(e.Licenses), 10)] {
			facts = append(facts, "licence "+diag.Code(l.Expression, 80))
		}
	}
	if len(e.Types) > 0 {
		facts = append(facts, diag.Code(strings.Join(e.Types, ", "), 120))
	}
	if e.Status.Stage != "" {
		facts = append(facts, "stage "+diag.Code(e.Status.Stage, 40))
	}
	b.WriteString(strings.Join(facts, " · ") + "\n\n")
	b.WriteString(changesTable(p.Changes))
	for _, l := range p.Licenses {
		b.WriteString(l.markdown())
	}
	if len(p.Licenses) > 0 {
		b.WriteString("\n")
	}
	if p.Assessment != nil {
		b.WriteString(proposal(p.Assessment, p.Names, e.Decisions))
	}
	return b.String()
}

// proposal shows an assessment, folded: what it proposes and the words it rests
// on, then what people rejected, and folded once more, what is weak. The decisions
// are the entry's.
func proposal(a *assess.Assessment, names map[string]string, decisions []entry.Decision) string {
	var b strings.Builder
	if a.Summary != nil {
		var text []string
		for _, s := range a.Summary.Sentences {
			text = append(text, s.Text)
		}
		fmt.Fprintf(&b, "Summary: %s\n\n", diag.Code(strings.Join(text, " "), 400))
	}
	var clear, rejected, weak []string
	for _, m := range a.Mappings {
		line := "- **" + diag.Code(m.Code, 100) + "**"
		if name := names[m.Code]; name != "" {
			line += " " + diag.Code(name, 120)
		}
		if m.Review.State == assess.StateRejected {
			rejected = append(rejected, line+", "+ruledOn(m, decisions)+"\n")
			continue
		}
		line += ", " + ruledOn(m, decisions)
		if slices.Contains(m.Engines, assess.EngineModel) {
			line += ", found by " + strings.Join(m.Engines, " and ")
		}
		line += "\n"
		for _, e := range m.Evidence {
			line += fmt.Sprintf("  - %s says %s\n", diag.Code(e.Pointer, 100), diag.Code(e.Quote, 300))
		}
		if m.Strength == 2 {
			clear = append(clear, line)
		} else {
			weak = append(weak, line)
		}
	}
	b.WriteString(firstOf(clear) + firstOf(rejected))
	for _, u := range a.Unknown {
		fmt.Fprintf(&b, "- %s: unknown, %s\n", diag.Code(u.Framework, 80), diag.Code(u.Reason, 120))
	}
	if a.Model != nil {
		b.WriteString(answerLine(a.Model))
	}
	if n := len(weak); n > 0 {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		b.WriteString(fold(plural(n, "weak reading", "weak readings")+", kept with the entry and in no list", firstOf(weak)))
	}
	if b.Len() == 0 {
		return ""
	}
	summary := "What the bot reads in it: "
	switch n := len(clearCodes(a)); n {
	case 0:
		summary += "no code"
	case 1:
		summary += "1 code, with the words it rests on"
	default:
		summary += strconv.Itoa(n) + " codes, with the words each rests on"
	}
	return fold(summary, b.String())
}

// answerLine says what came of asking a model.
func answerLine(m *assess.Answer) string {
	name := diag.Code(m.Name, 80)
	switch {
	case m.Failed != "":
		return "- model " + name + ": no answer (" + diag.Code(m.Failed, 40) + "), so what is found without it stands alone\n"
	case m.Dropped > 0:
		return "- model " + name + ": " + plural(m.Dropped, "part of its answer was", "parts of its answer were") + " dropped, since the entry's words do not bear them out\n"
	}
	return "- model " + name + ": all of its answer stands on the entry's words\n"
}

// firstOf joins the first lines of many, and says how many are left out.
func firstOf(lines []string) string {
	s := strings.Join(lines[:min(len(lines), maxMappings)], "")
	if n := len(lines) - maxMappings; n > 0 {
		s += fmt.Sprintf("- and %d more\n", n)
	}
	return s
}

// check is the verdict as a check.
func (v *Verdict) check() forge.Check {
	c := forge.Check{
		Name: CheckName, Conclusion: v.Conclusion, Title: v.Title(),
		Summary:     v.next() + "\n\n" + v.table() + v.because() + marker(rulesMark, v.rules) + "\n",
		Annotations: []forge.Annotation{},
	}
	for _, d := range v.Findings {
		if v.shown == nil || len(c.Annotations) == maxAnnotations {
			break
		}
		// A forge shows a remark on other lines nowhere near them: the summary has it.
		shown := v.shown(d.Path)
		at := d.Start.Line
		if at == 0 {
			at = firstShown(shown)
		}
		if shown[at] {
			c.Annotations = append(c.Annotations, annotation(d, at))
		}
	}
	return c
}

// annotation is a finding on its lines, or where it is of the whole file, on a line
// that the pull request shows. A forge takes only UTF-8, which a path in
// Git need not be.
func annotation(d diag.Diagnostic, line int) forge.Annotation {
	levels := [...]forge.Level{diag.Info: forge.NoticeLevel, diag.Warning: forge.WarningLevel, diag.Error: forge.FailureLevel}
	message := strings.ToValidUTF8(d.Message, "\ufffd")
	if d.Hint != "" {
		message += "\nhint: " + strings.ToValidUTF8(d.Hint, "\ufffd")
	}
	if letters := []rune(message); len(letters) > maxMessage {
		message = string(letters[:maxMessage]) + " …"
	}
	a := forge.Annotation{
		Path: strings.ToValidUTF8(d.Path, "\ufffd"), StartLine: line, EndLine: max(line, d.End.Line),
		Level: levels[d.Severity], Title: d.Rule, Message: message,
	}
	if a.StartLine == a.EndLine && d.Start.Line == line {
		a.StartColumn, a.EndColumn = d.Start.Col, d.End.Col
	}
	return a
}
