package lint

import (
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// severityOff in a policy leaves a rule out.
const severityOff = "off"

var policySeverity = &Rule{
	ID:       "policy-severity",
	Severity: diag.Error,
	Summary:  "the policy's severities are of rules that are there",
	Doc: `"severities" in policy.yaml says for a rule whether its findings are an error, a warning or an info, or turns it
off. A rule that is misspelt there is not changed, which nobody would notice. What does not load or breaks its
schema is an error always.`,
	CheckAll: func(p *RegistryPass) {
		doc := p.Registry.PolicyDoc
		if doc == nil || doc.Source == nil {
			return
		}
		table := doc.Source.Root.Get("severities")
		if table == nil {
			return
		}
		for _, f := range table.Fields {
			pointer := source.Pointer("severities", f.Key.Text)
			if find(p.Rules, f.Key.Text) == nil {
				d := p.Reportf(doc, pointer, ruleHint(p.Rules, f.Key.Text), "there is no rule %s whose severity can be set", quote(f.Key.Text))
				d.Start, d.End = f.Key.Start(), f.Key.End()
				continue
			}
			if _, err := diag.ParseSeverity(f.Value.Text); err != nil && f.Value.Text != severityOff {
				p.Reportf(doc, pointer, "", "severity %s is not one of error, info, off, warning", quote(f.Value.Text))
			}
		}
	},
}
