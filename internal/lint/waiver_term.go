package lint

import (
	"time"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// maxWaiver is how many years ahead a waiver may end.
const maxWaiver = 2

var waiverTerm = &Rule{
	ID:       "waiver-term",
	Severity: diag.Warning,
	Summary:  "every waiver ends within two years",
	Dated:    true,
	Doc: `A waiver is an exception that somebody looks at again. One without an end in sight is a change of the rules for a
single entry, which nobody sees. Choose a day within two years; if the rule does not fit this registry at all, its
severity can be set in policy.yaml.`,
	Check: func(p *Pass) {
		day, err := time.Parse(time.DateOnly, p.AsOf)
		if err != nil {
			return
		}
		latest := day.AddDate(maxWaiver, 0, 0).Format(time.DateOnly)
		for i, w := range p.Entry.Waivers {
			if isDate(w.Until) && w.Until > latest {
				p.Reportf(item("/waivers", i, "until"), "write "+quote(latest)+" or a day before it",
					"the waiver of rule %s lasts until %s, more than %d years from now", quote(w.Rule), quote(w.Until), maxWaiver)
			}
		}
	},
}
