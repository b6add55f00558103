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
		switch says := DescribeSBOM(s); JudgeSBOM(s) {
		case SBOMGone:
			p.Reportf(at, "give the address where it is kept now, or take sbom out", "%s", says)
		case SBOMUnreadable:
			p.Reportf(at, "give the address of an SPDX 2.2 or 2.3 document, as JSON or tag-value; dpg license sbom FILE tries one", "%s", says)
		case SBOMRestricted:
			p.Reportf(at, "ask the project to do without these, or to offer open ones beside them; if the document is out of date, give a newer one", "%s", says)
		case SBOMUntold:
			p.Reportf(at, "ask the project to have its tool fill in these licences; nothing is wrong as far as is known", "%s", says).Severity = diag.Info
		}
	},
}

// An SBOMVerdict is what comes of looking at a document of dependencies.
type SBOMVerdict string

// The verdicts, the gravest first.
const (
	SBOMGone       SBOMVerdict = "gone"
	SBOMUnreadable SBOMVerdict = "unreadable"
	SBOMRestricted SBOMVerdict = "restricted" // a licence in it is not accepted
	SBOMUntold     SBOMVerdict = "untold"     // of some licence in it nobody can say
	SBOMAccepted   SBOMVerdict = "accepted"   // all of them are
)

// JudgeSBOM sums up what was seen of a document.
func JudgeSBOM(s *registry.ObservedSBOM) SBOMVerdict {
	switch {
	case s.State == registry.StateGone:
		return SBOMGone
	case s.State == registry.StateUnreadable:
		return SBOMUnreadable
	case s.NotAccepted > 0:
		return SBOMRestricted
	case s.Unknown > 0:
		return SBOMUntold
	}
	return SBOMAccepted
}

// DescribeSBOM says the same in words, for those who keep the entry; one line.
func DescribeSBOM(s *registry.ObservedSBOM) string {
	switch JudgeSBOM(s) {
	case SBOMGone:
		return fmt.Sprintf("the document %s was not there, or not for the public, on %s", quote(s.URL), s.AsOf)
	case SBOMUnreadable:
		return fmt.Sprintf("the document %s could not be read on %s: %s", quote(s.URL), s.AsOf, s.Fault)
	case SBOMRestricted:
		return fmt.Sprintf("the document %s lists %s, %d of them under licences that are not accepted, as seen on %s: %s",
			quote(s.URL), counted(s.Dependencies), s.NotAccepted, s.AsOf, restrictionsOf(s, policy.StateNotAccepted))
	case SBOMUntold:
		return fmt.Sprintf("the document %s lists %s, %d of them under licences that nobody can judge, as seen on %s: %s",
			quote(s.URL), counted(s.Dependencies), s.Unknown, s.AsOf, restrictionsOf(s, policy.StateUnknown))
	}
	return fmt.Sprintf("the document %s lists %s, none under a licence that is not accepted, as seen on %s", quote(s.URL), counted(s.Dependencies), s.AsOf)
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
