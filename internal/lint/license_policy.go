package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var licensePolicy = &Rule{
	ID:       "license-policy",
	Severity: diag.Warning,
	Summary:  "every type of a work has a licence that the policy accepts",
	Doc: `Which licences are accepted for software, data, content and so on stands in policy.yaml, with a reason and sometimes
with dates. Where licences say by "covers" what they are for, each is judged for that type; one without "covers" is
for all of the work. An entry of several types with several such licences needs one that is accepted for each type.
Of licences joined by OR one has to be accepted, of those joined by AND all. Only entries that are live are judged,
and a licence for documentation is not. To put this right, correct the expression, say with "covers" which part a
licence is for, or, where the policy is what is wrong, propose a change to policy.yaml.`,
	Check: func(p *Pass) {
		if p.Registry.Policy == nil || !p.Entry.Status.Live() || len(p.Entry.Licenses) == 0 {
			return
		}
		licenses, readable := parsedLicenses(p)
		if !readable { // another rule says so; what is left would be judged as if it were all
			return
		}
		for _, part := range p.Registry.Policy.JudgeWork(p.Entry.Types, licenses, p.AsOf) {
			if part.Listed {
				reportPart(p, part, licenses)
			}
		}
	},
}

// parsedLicenses reads the licences of the entry.
func parsedLicenses(p *Pass) (all []policy.Licensed, readable bool) {
	for _, l := range p.Entry.Licenses {
		text, _ := trim(l.Expression)
		expr, err := spdx.Parse(text)
		if err != nil {
			return nil, false
		}
		all = append(all, policy.Licensed{Covers: l.Covers, Expr: expr})
	}
	return all, true
}

// reportPart says what the policy makes of one type of the work.
func reportPart(p *Pass, part policy.Part, licenses []policy.Licensed) {
	t, other := part.Type, ""
	switch part.Basis {
	case policy.BasisNone:
		p.Reportf(item("/types", part.At), fmt.Sprintf("give the licence of the %s too, with covers: %s; if there is none of its own, leave the type out", t, t),
			"no licence is given for type %q: those that are there cover other parts", t)
		return
	case policy.BasisChoice:
		reportNone(p, part, licenses)
		return
	case policy.BasisWhole:
		if len(p.Entry.Types) > 1 {
			other = fmt.Sprintf("if the %s is under another licence, give that too, with covers: %s; ", t, t)
		}
	}
	for _, l := range part.Licenses {
		reportVerdict(p, l, t, other)
	}
}

// reportVerdict says what the policy makes of one licence for one type. advice
// comes first in the hint.
func reportVerdict(p *Pass, v policy.Judged, workType, advice string) {
	pointer, text := item("/licenses", v.At, "expression"), p.Entry.Licenses[v.At].Expression
	at, length := strings.Index(text, v.License), len(v.License)
	if at < 0 { // spelt in another way
		at, length = 0, len(text)
	}
	switch {
	case v.State == policy.StateNotAccepted:
		p.ReportWithinf(pointer, at, length, advice+acceptedHint(p, v.License, workType),
			"licence %s is not accepted for type %q: %s", quote(v.License), workType, strings.TrimSuffix(v.Reason, "."))
	case v.State == policy.StateAcceptedUntil:
		p.ReportWithinf(pointer, at, length, "plan the change of licence with the owner of the work",
			"licence %s is accepted for type %q until %s, not after", quote(v.License), workType, v.Until).Severity = diag.Info
	case v.State == policy.StateUnknown && strings.Contains(v.License, "Ref-"):
		p.ReportWithinf(pointer, at, length, "if the text is that of a licence on the SPDX list, write its id; else wait for a maintainer, who reads the text",
			"licence %s is not on the SPDX list, so only a person can say whether it is accepted for type %q", quote(v.License), workType).Severity = diag.Info
	}
}

// reportNone says that of several licences for all of the work none is accepted
// for one of its types. It is quiet where one of them may be.
func reportNone(p *Pass, part policy.Part, licenses []policy.Licensed) {
	if part.Verdict.State != policy.StateNotAccepted {
		return
	}
	var names []string
	for _, l := range part.Licenses {
		if name := licenses[l.At].Expr.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	last := part.Licenses[len(part.Licenses)-1]
	p.Reportf(item("/types", part.At), acceptedHint(p, last.License, part.Type), "none of the licences (%s) is accepted for type %q: %s",
		someOf(names), part.Type, strings.TrimSuffix(last.Reason, "."))
}

// acceptedHint names up to five licences that are accepted instead: the one that
// looks like what is there, then those that people know.
func acceptedHint(p *Pass, not, workType string) string {
	const most = 5
	accepted := slices.DeleteFunc(p.Registry.Policy.AcceptedIDs(workType, p.AsOf), func(id string) bool {
		known, ok := spdx.Lookup(id)
		return ok && known.Deprecated
	})
	if len(accepted) == 0 {
		return "the policy accepts no licence for this type; ask the registry's maintainers"
	}
	var shown []string
	add := func(id string) {
		if len(shown) < most && slices.Contains(accepted, id) && !slices.Contains(shown, id) {
			shown = append(shown, id)
		}
	}
	for _, id := range p.near(not, func() []string { return accepted }) {
		add(id)
	}
	for _, id := range familiar {
		add(id)
	}
	for _, id := range accepted {
		add(id)
	}
	hint := fmt.Sprintf("accepted for type %q: %s", workType, quoteAll(shown, "and"))
	if n := len(accepted) - len(shown); n > 0 {
		hint += fmt.Sprintf(" (and %d more)", n)
	}
	if source := p.Registry.Policy.Licenses[workType].Source; source != "" {
		hint += "; see " + source
	}
	return hint
}

// familiar are licences that many works carry, so that a hint does not begin with
// the first of the alphabet. A policy need not accept any of them.
var familiar = []string{
	"Apache-2.0", "MIT", "GPL-3.0-or-later", "AGPL-3.0-or-later", "MPL-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "ODbL-1.0", "ODC-By-1.0",
}

// someOf quotes the first few of many values.
func someOf(values []string) string {
	const most = 5
	if n := len(values) - most; n > 0 {
		return quoteAll(values[:most], "and") + fmt.Sprintf(" and %d more", n)
	}
	return quoteAll(values, "and")
}
