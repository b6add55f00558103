package lint

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var recognition = &Rule{
	ID:       "recognition",
	Severity: diag.Warning,
	Summary:  `stage "dpg" comes with who recognised it, when, and where that can be read`,
	Doc: `A registry does not make anything a digital public good: it reports who did, and when. An entry of stage "dpg" says so
in ` + "`status.recognised_by`, `status.as_of` and `status.url`" + `, so that a reader can look it up. Until there is such a
recognition, the stage is "nominee".`,
	Check: func(p *Pass) {
		s := p.Entry.Status
		if s.Stage != entry.StageDPG {
			return
		}
		var missing []string
		for _, f := range []struct{ key, value string }{{"recognised_by", s.RecognisedBy}, {"as_of", s.AsOf}, {"url", s.URL}} {
			if text, _ := trim(f.value); text == "" && !p.misread("/status/"+f.key, source.String) {
				missing = append(missing, f.key)
			}
		}
		if len(missing) > 0 {
			p.Reportf("/status", `add `+strings.Join(missing, ", ")+` under status, or write stage "nominee"`,
				`stage "dpg" is given without %s: nobody can look up the recognition`, quoteAll(missing, "and"))
		}
	},
}
