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
		said := map[string]bool{}
		for i, t := range p.Entry.Types {
			if _, kept := p.Registry.Policy.Licenses[t]; !kept || said[t] {
				continue
			}
			said[t] = true
			own := licenses[t]
			all := licenses[""]
			switch {
			case len(own) > 0:
				for _, l := range own {
					reportVerdict(p, l, t, "")
				}
			case len(all) == 0:
				p.Reportf(item("/types", i), fmt.Sprintf("give the licence of the %s too, with covers: %s; if there is none of its own, leave the type out", t, t),
					"no licence is given for type %q: those that are there cover other parts", t)
			case len(p.Entry.Types) == 1 || len(all) == 1:
				other := ""
				if len(p.Entry.Types) > 1 {
					other = fmt.Sprintf("if the %s is under another licence, give that too, with covers: %s; ", t, t)
				}
				for _, l := range all {
					reportVerdict(p, l, t, other)
				}
			default:
				reportNone(p, item("/types", i), all, t)
			}
		}
	},
}

// A coveredLicense is one licence of an entry, read.
type coveredLicense struct {
	pointer string
	text    string // as written
	expr    spdx.Expr
}

// parsedLicenses sorts the licences by what they cover; "" is all of the work.
func parsedLicenses(p *Pass) (by map[string][]coveredLicense, readable bool) {
	by = map[string][]coveredLicense{}
	for i, l := range p.Entry.Licenses {
		text, _ := trim(l.Expression)
		expr, err := spdx.Parse(text)
		if err != nil {
			return nil, false
		}
		by[l.Covers] = append(by[l.Covers], coveredLicense{item("/licenses", i, "expression"), l.Expression, expr})
	}
	return by, true
}

// reportVerdict says what the policy makes of one licence for one type. advice
// comes first in the hint.
func reportVerdict(p *Pass, l coveredLicense, workType, advice string) {
	v := p.Registry.Policy.Judge(workType, l.expr, p.AsOf)
	at, length := strings.Index(l.text, v.License), len(v.License)
	if at < 0 { // spelt in another way
		at, length = 0, len(l.text)
	}
	switch {
	case v.State == policy.StateNotAccepted:
		p.ReportWithinf(l.pointer, at, length, advice+acceptedHint(p, v.License, workType),
			"licence %s is not accepted for type %q: %s", quote(v.License), workType, strings.TrimSuffix(v.Reason, "."))
	case v.State == policy.StateAcceptedUntil:
		p.ReportWithinf(l.pointer, at, length, "plan the change of licence with the owner of the work",
			"licence %s is accepted for type %q until %s, not after", quote(v.License), workType, v.Until).Severity = diag.Info
	case v.State == policy.StateUnknown && strings.Contains(v.License, "Ref-"):
		p.ReportWithinf(l.pointer, at, length, "if the text is that of a licence on the SPDX list, write its id; else wait for a maintainer, who reads the text",
			"licence %s is not on the SPDX list, so only a person can say whether it is accepted for type %q", quote(v.License), workType).Severity = diag.Info
	}
}

// reportNone says that of several licences for all of the work none is accepted
// for one of its types. It is quiet where one of them may be.
func reportNone(p *Pass, pointer string, licenses []coveredLicense, workType string) {
	var names []string
	var last policy.Verdict
	for _, l := range licenses {
		v := p.Registry.Policy.Judge(workType, l.expr, p.AsOf)
		if v.State != policy.StateNotAccepted {
			return
		}
		last = v
		if name := l.expr.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	p.Reportf(pointer, acceptedHint(p, last.License, workType), "none of the licences (%s) is accepted for type %q: %s",
		someOf(names), workType, strings.TrimSuffix(last.Reason, "."))
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
