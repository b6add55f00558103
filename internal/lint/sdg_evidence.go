package lint

import (
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var sdgEvidence = &Rule{
	ID:       "sdg-evidence",
	Severity: diag.Warning,
	Summary:  "every Sustainable Development Goal comes with words or evidence",
	Doc: `A goal without a word on what is done for it is a claim that nobody can check, and the DPG Standard asks for
evidence (indicator 1). Write ` + "`text`, `evidence`" + ` or both; leave out a goal that nothing can be shown for.`,
	Check: func(p *Pass) {
		for i, s := range p.Entry.SDGs {
			if s.Goal == 0 || written(s.Text) || p.misread(item("/sdgs", i, "text"), source.String) || p.misread(item("/sdgs", i, "evidence"), source.List) {
				continue
			}
			shown := false
			for _, e := range s.Evidence {
				text, _ := trim(e)
				shown = shown || text != ""
			}
			if !shown {
				p.Reportf(item("/sdgs", i), `say in "text" what is done for it, or give a link in "evidence"`, "goal %d comes with neither text nor evidence", s.Goal)
			}
		}
	},
}

// written reports whether a text says anything in any language.
func written(t entry.Text) bool {
	const main = "" // the language does not matter here
	for _, s := range t.ByLanguage(main) {
		if text, _ := trim(s); text != "" {
			return true
		}
	}
	return false
}
