package lint

import "github.com/dpg-registry/dpg-registry/internal/diag"

var sdg = &Rule{
	ID:       "sdg",
	Severity: diag.Error,
	Summary:  "every Sustainable Development Goal is one of 17 and given once",
	Doc: `The goals are numbered 1 to 17. What an entry does for a goal stands in one place, with all its evidence, so a
goal that is given twice has to be brought together.`,
	Check: func(p *Pass) {
		first := map[int]string{}
		for i, s := range p.Entry.SDGs {
			at := item("/sdgs", i, "goal")
			if s.Goal < 1 || s.Goal > 17 {
				if n, exact := p.Doc.Source.Locate(at); exact && n.Text != "" {
					p.Reportf(at, "write a number from 1 to 17", "goal %s is not a Sustainable Development Goal", quote(n.Text))
				}
				continue
			}
			if before, seen := first[s.Goal]; seen {
				d := p.Reportf(at, "put the text and the evidence of both in one place", "goal %d is given twice", s.Goal)
				d.Related = related(p.Doc, before, "first given here")
				continue
			}
			first[s.Goal] = at
		}
	},
}
