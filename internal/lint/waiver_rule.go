package lint

import (
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/typo"
)

var waiverRule = &Rule{
	ID:       "waiver-rule",
	Severity: diag.Error,
	Summary:  "every waiver names a rule that can be set aside",
	Doc: `A waiver names one rule by its id, as it stands in brackets behind a finding. What does not load or breaks its
schema cannot be waived, and neither can the rules about waivers and the policy.`,
	Check: func(p *Pass) {
		for i, w := range p.Entry.Waivers {
			at := item("/waivers", i, "rule")
			switch text, _ := trim(w.Rule); {
			case text == "":
			case find(p.Rules, w.Rule) == nil:
				p.Reportf(at, ruleHint(p.Rules, w.Rule), "there is no rule %s to set aside", quote(w.Rule))
			case !waivable(w.Rule):
				p.Reportf(at, "delete the waiver", "rule %s cannot be set aside by an entry", quote(w.Rule))
			}
		}
	},
}

func ruleHint(rules []*Rule, id string) string {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	if find(Others, id) != nil {
		return "what " + quote(id) + " finds is an error always; mend that instead"
	}
	if hint := didYouMean(typo.Near(id, ids)); hint != "" {
		return hint
	}
	return "the id of a rule stands in brackets behind its findings"
}
