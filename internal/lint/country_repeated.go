package lint

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var countryRepeated = &Rule{
	ID:       "country-repeated",
	Severity: diag.Warning,
	Summary:  "no list names a country twice",
	Doc: `A country that stands twice in one list is counted once, so one of the two was probably meant to be another.
The same country in both lists is right where it is both.`,
	Check: func(p *Pass) {
		type key struct{ list, code string }
		first := map[key]listedCountry{}
		for _, c := range countries(p) {
			code, _ := trim(c.code)
			k := key{c.list, strings.ToUpper(code)}
			if code == "" {
				continue
			}
			if at, seen := first[k]; seen {
				d := p.Reportf(c.pointer, "delete it, or write the one that was meant", "country %s is given twice in %q", quote(code), c.list)
				d.Related = related(p.Doc, at.pointer, "first given here")
				// Of two spellings, rule "country" mends the one that is not the code.
				if at.code == c.code && isCountry(c.code) {
					d.Edits = p.edits.of(func() []diag.Edit { return p.Doc.Source.Remove(c.pointer) })
				}
				continue
			}
			first[k] = c
		}
	},
}
