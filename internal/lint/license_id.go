package lint

import (
	"cmp"
	"errors"
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
// which fails at both of its words, is one finding.
func reportFaults(p *Pass, pointer, text string, front int, faults []*spdx.Error) {
	if ids := suggest(p, text); len(ids) > 0 {
		d := p.ReportWithinf(pointer, front, len(text), didYouMean(ids), "licence %s is not an SPDX licence expression", quote(text))
		d.Edits = p.edits.of(func() []diag.Edit { return repairLicense(p, pointer, text, 0, len(text), spdx.Named(text)) })
		return
	}
	unknownTo := -1 // where the unknown word before ended
	for _, e := range faults {
		if unknownTo >= 0 && e.Kind == spdx.Syntax && unknownTo <= e.Offset && e.Offset <= len(text) && strings.TrimSpace(text[unknownTo:e.Offset]) == "" {
			continue // the second word of a name
		}
		hint := ""
		if e.Kind == spdx.UnknownLicense {
			hint = cmp.Or(didYouMean(suggest(p, e.Token)), lookUp)
		}
		if e.Kind != spdx.Syntax {
			unknownTo = min(e.Offset+len(e.Token), len(text))
		}
		if e.Token == text {
			p.Reportf(pointer, hint, "licence %s", e.Msg)
			continue
		}
		d := p.ReportWithinf(pointer, front+e.Offset, len(e.Token), hint, "licence %s: %s", quote(text), e.Msg)
		if e.Kind == spdx.UnknownLicense {
			d.Edits = p.edits.of(func() []diag.Edit {
				return repairLicense(p, pointer, text, e.Offset, e.Offset+len(e.Token), spdx.Named(e.Token))
			})
		}
	}
}

// lookUp is the hint where nothing looks like what was meant.
const lookUp = "look the licence up at https://spdx.org/licenses/; one that is not there is written LicenseRef- and a name"

// suggest finds licences by name, while the entry has guesses left.
func suggest(p *Pass, s string) []string {
	if p.guesses++; p.guesses > maxGuesses {
		return nil
	}
	return spdx.Suggest(s)
}
