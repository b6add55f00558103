package lint

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var licenseID = &Rule{
	ID:       "license-id",
	Severity: diag.Error,
	Summary:  "every licence is an SPDX licence expression",
	Doc: `Licences are compared by the identifiers of the SPDX licence list (<https://spdx.org/licenses/>), so a name
such as "GPL" cannot be judged. Several licences are joined by AND where all apply and by OR where one may be
chosen; a licence that is not on the list is written ` + "`LicenseRef-` with a name of its own" + `.`,
	Check: func(p *Pass) {
		for i, l := range p.Entry.Licenses {
			pointer := item("/licenses", i, "expression")
			text, front := trim(l.Expression)
			if text == "" {
				continue
			}
			expr, err := spdx.Parse(text)
			if fault := (*spdx.Error)(nil); errors.As(err, &fault) {
				reportFaults(p, pointer, text, front, append([]*spdx.Error{fault}, fault.Others...))
				continue
			}
			if right := expr.String(); right != text && strings.EqualFold(right, text) {
				d := p.Reportf(pointer, "write "+quote(right), "licence %s is spelt %s on the SPDX list", quote(text), quote(right))
				d.Severity = diag.Info
				d.Edits = p.edits.of(func() []diag.Edit { return p.Doc.Source.Rewrite(pointer, right) })
			}
		}
	},
}

// reportFaults reports what is wrong with an expression. A name such as "Apache 2",
// which fails at both of its words, is one finding; in what is an expression but
// for some words, each of them is one.
func reportFaults(p *Pass, pointer, text string, front int, faults []*spdx.Error) {
	r := repair(p, text)
	words := !slices.ContainsFunc(faults, func(e *spdx.Error) bool { return e.Kind == spdx.Syntax })
	joined := strings.Contains(r.Expression+strings.Join(r.Candidates, ""), " ") // it is several licences
	switch first := faults[0]; {
	case words && len(strings.Fields(text)) > 1:
	case len(faults) == 1 && first.Kind == spdx.Syntax && (joined || !slices.Contains(operators, strings.ToLower(first.Token))):
		if !joined { // what is wrong is no matter of names
			r = spdx.Repaired{}
		}
		d := p.ReportWithinf(pointer, front+first.Offset, len(first.Token), repairHint(r), "licence %s: %s", quote(text), first.Msg)
		d.Edits = p.edits.of(func() []diag.Edit { return repairLicense(p, pointer, text, 0, len(text), r) })
		return
	case r.Expression != "", r.Candidates != nil:
		d := p.ReportWithinf(pointer, front, len(text), repairHint(r), "licence %s is not an SPDX licence expression", quote(text))
		d.Edits = p.edits.of(func() []diag.Edit { return repairLicense(p, pointer, text, 0, len(text), r) })
		return
	}
	unknownTo := -1 // where the unknown word before ended
	for _, e := range faults {
		if unknownTo >= 0 && e.Kind == spdx.Syntax && unknownTo <= e.Offset && e.Offset <= len(text) && strings.TrimSpace(text[unknownTo:e.Offset]) == "" {
			continue // the second word of a name
		}
		if e.Kind != spdx.Syntax {
			unknownTo = min(e.Offset+len(e.Token), len(text))
		}
		if e.Token == text {
			p.Reportf(pointer, cmp.Or(repairHint(r), lookUp), "licence %s", e.Msg)
			continue
		}
		hint, meant := "", spdx.Repaired{}
		if e.Kind == spdx.UnknownLicense {
			meant = repair(p, e.Token)
			hint = cmp.Or(repairHint(meant), lookUp)
		}
		d := p.ReportWithinf(pointer, front+e.Offset, len(e.Token), hint, "licence %s: %s", quote(text), e.Msg)
		d.Edits = p.edits.of(func() []diag.Edit { return repairLicense(p, pointer, text, e.Offset, e.Offset+len(e.Token), meant) })
	}
}

// lookUp is the hint where nothing looks like what was meant.
const lookUp = "look the licence up at https://spdx.org/licenses/; one that is not there is written LicenseRef- and a name"

// repair says what was meant by a string, while the entry has guesses left.
func repair(p *Pass, s string) spdx.Repaired {
	if p.guesses++; p.guesses > maxGuesses {
		return spdx.Repaired{}
	}
	return spdx.Repair(s)
}

// operators are what people put between licences, in their places or not.
var operators = []string{"and", "or", "with", ",", ";", "/", "|", "&"}

// repairHint is the answer or the question of a repair in a hint's words; ""
// where nothing looks like what was meant.
func repairHint(r spdx.Repaired) string {
	const most = 5
	switch {
	case r.Expression != "":
		return didYouMean([]string{r.Expression})
	case len(r.Candidates) == 0 && (r.Question == "" || r.Question == spdx.Unrecognised):
		return ""
	case len(r.Candidates) == 0:
		return r.Question
	}
	shown := r.Candidates[:min(most, len(r.Candidates))]
	if !slices.ContainsFunc(shown, func(s string) bool { return !strings.Contains(r.Question, s) }) {
		return r.Question // which names them
	}
	ask := r.Question + " "
	if !strings.HasSuffix(r.Question, "?") {
		ask = r.Question + ". "
	}
	if len(shown) < len(r.Candidates) {
		return ask + "For example " + quoteAll(shown, "or")
	}
	return ask + "Write " + quoteAll(shown, "or")
}
