package lint

import "github.com/dpg-registry/dpg-registry/internal/diag"

var waiverExpired = &Rule{
	ID:       "waiver-expired",
	Severity: diag.Warning,
	Summary:  "no waiver is past its last day",
	Dated:    true,
	Doc: `A waiver sets a rule aside for one entry until a day, so that an exception is looked at again. After that day it
has no effect. Repair what the rule finds, or ask for a new day.`,
	Check: func(p *Pass) {
		for i, w := range p.Entry.Waivers {
			if isDate(w.Until) && w.Until < p.AsOf {
				p.Reportf(item("/waivers", i, "until"), "delete the waiver, or ask for a new day", "waiver of rule %s ended on %s", quote(w.Rule), quote(w.Until))
			}
		}
	},
}
