package lint

import (
	"cmp"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var policyLicense = &Rule{
	ID:       "policy-license",
	Severity: diag.Error,
	Summary:  "the policy's licences are on the SPDX list, and their dates make a span",
	Doc: `policy.yaml accepts licences by their SPDX ids. One that is misspelt there accepts nothing, and entries that carry
the right id are then said not to be accepted. A span whose first day comes after its last holds on no day at all.`,
	CheckAll: func(p *RegistryPass) {
		doc := p.Registry.PolicyDoc
		if doc == nil || doc.Source == nil || !p.Wants(doc.Path) {
			return
		}
		types := doc.Source.Root.Get("licenses")
		if types == nil {
			return
		}
		for _, t := range types.Fields {
			rows := t.Value.Get("accepted")
			if rows == nil {
				continue
			}
			for i, row := range rows.Items {
				at := item(source.Pointer("licenses", t.Key.Text, "accepted"), i)
				if ids := row.Get("ids"); ids != nil {
					for j, id := range ids.Items {
						if id.Kind != source.String {
							continue // the schema says so
						}
						if l, ok := spdx.Lookup(strings.TrimSuffix(id.Text, "+")); !ok {
							p.Reportf(doc, item(at+"/ids", j), cmp.Or(repairHint(spdx.Repair(id.Text)), "look the licence up at https://spdx.org/licenses/"), "licence %s is not on the SPDX list, so it accepts nothing", quote(id.Text))
						} else if right := l.ID + id.Text[len(l.ID):]; right != id.Text {
							p.Reportf(doc, item(at+"/ids", j), "write "+quote(right), "licence %s is spelt %s on the SPDX list", quote(id.Text), quote(right)).Severity = diag.Info
						}
					}
				}
				since, until := row.Get("since"), row.Get("until")
				if since != nil && until != nil && isDate(since.Text) && isDate(until.Text) && until.Text < since.Text {
					p.Reportf(doc, at+"/until", "look at the two days: the first is since, the last is until", "the span from %s until %s holds on no day", quote(since.Text), quote(until.Text))
				}
			}
		}
	},
}
