package lint

import (
	"fmt"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var sbomObserved = &Rule{
	ID:       "sbom-observed",
	Severity: diag.Warning,
	Summary:  "what the project is built from has licences that the policy accepts",
	Doc: `An entry may point at an SPDX document that lists its dependencies. The bot fetches it, judges each licence in it by the
policy of that day as that of software, and notes in observations/ which dependencies create restrictions: a work that
needs a closed one is not open to everybody, which is what indicator 4 of the DPG Standard asks about. A licence that the
policy does not accept is a warning; one that the document does not tell is a note, since tools often leave it out. Ask
the project to do without the dependency, or to offer an open one beside it, and say so under standard. If the document
is out of date, or nothing that can be read, give the address of another. If the entry is right all the same, say why in
a waiver.`,
	Check: func(p *Pass) {
		seen := p.Registry.Observation(p.Doc)
		if seen == nil || seen.SBOM == nil || p.Entry.SBOM == nil || !p.Entry.Status.Live() {
			return
		}
		const at = "/sbom/url"
		s := seen.SBOM
		if s.URL != strings.TrimSpace(p.Entry.SBOM.URL) {
			return // of another document; the bot will look again
		}
		switch {
		case s.State == registry.StateGone:
			p.Reportf(at, "give the address where it is kept now, or take sbom out",
				"the document %s was not there, or not for the public, on %s", quote(s.URL), s.AsOf)
		case s.State == registry.StateUnreadable:
			p.Reportf(at, "give the address of an SPDX 2.2 or 2.3 document, as JSON or tag-value; dpg license sbom FILE tries one",
				"the document %s could not be read on %s: %s", quote(s.URL), s.AsOf, s.Fault)
		case s.NotAccepted > 0:
			p.Reportf(at, "ask the project to do without these, or to offer open ones beside them; if the document is out of date, give a newer one",
				"the document %s lists %s, %d of them under licences that are not accepted, as seen on %s: %s",
				quote(s.URL), counted(s.Dependencies), s.NotAccepted, s.AsOf, restrictionsOf(s, policy.StateNotAccepted))
		case s.Unknown > 0:
			p.Reportf(at, "ask the project to have its tool fill in these licences; nothing is wrong as far as is known",
				"the document %s lists %s, %d of them under licences that nobody can judge, as seen on %s: %s",
				quote(s.URL), counted(s.Dependencies), s.Unknown, s.AsOf, restrictionsOf(s, policy.StateUnknown)).Severity = diag.Info
		}
	},
}

func counted(n int) string {
	if n == 1 {
		return "1 dependency"
	}
	return fmt.Sprintf("%d dependencies", n)
}

// restrictionsOf lists the licences with a verdict, and a few of what is under each.
func restrictionsOf(s *registry.ObservedSBOM, verdict policy.State) string {
	const most, mostNames = 3, 3
	var all []string
	more := 0
	for _, r := range s.Restrictions {
		if r.Verdict != string(verdict) {
			continue
		}
		if len(all) == most {
			more++
			continue
		}
		names := quoteAll(r.Packages[:min(len(r.Packages), mostNames)], "and")
		if n := len(r.Packages) + r.More - mostNames; n > 0 {
			names += fmt.Sprintf(" and %d more", n)
		}
		all = append(all, fmt.Sprintf("%s (%s)", quote(r.License), names))
	}
	if more += s.More; more > 0 {
		return strings.Join(all, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}
