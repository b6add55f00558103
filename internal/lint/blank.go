package lint

import "github.com/dpg-registry/dpg-registry/internal/diag"

var blank = &Rule{
	ID:       "blank",
	Severity: diag.Error,
	Summary:  "no text is blank",
	Doc: `A text that is empty or only white space looks like an answer and is none. Leave the key out where
nothing is known; an answer of the DPG Standard can say ` + "`unknown`, `not-asked` or `not-applicable`" + `.`,
	Check: func(p *Pass) {
		removals := 0
		for _, s := range p.Strings {
			if text, _ := trim(s.Text); text != "" {
				continue
			}
			what, hint := quote(s.Field), "write it, or leave the key out"
			if s.InList {
				what, hint = "an item of "+what, "write it, or take the item out of the list"
			}
			d := p.Reportf(s.Pointer, hint, "%s is blank", what)
			if removals++; removals <= maxRemovals {
				d.Edits = p.edits.of(func() []diag.Edit { return removal(p, s.Pointer) })
			}
		}
	},
}
