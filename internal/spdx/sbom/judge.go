package sbom

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// A Report says which dependencies have licences that a policy accepts. Its JSON
// is what `dpg license sbom --format json` prints.
type Report struct {
	Document     string  `json:"document"`     // its name
	SPDXVersion  string  `json:"spdx_version"` // such as "SPDX-2.3"
	Form         string  `json:"form"`         // "JSON" or "tag-value"
	Subject      *string `json:"subject"`      // name of the package whose dependencies these are; null where the document does not single one out
	WorkType     string  `json:"type"`         // the type of work that the policy was asked about
	AsOf         string  `json:"as_of"`        // the day it was judged at
	Dependencies int     `json:"dependency_count"`
	Accepted     int     `json:"accepted_count"`
	NotAccepted  int     `json:"not_accepted_count"`
	Unknown      int     `json:"unknown_count"`
	Licenses     []Group `json:"licenses"` // those that create restrictions first, then the most frequent
}

// A Group is the dependencies under one licence.
type Group struct {
	License  string       `json:"license"`     // canonical expression; as it is written where it is none; "NONE" or "NOASSERTION"
	State    policy.State `json:"state"`       // as the policy has it
	Until    *string      `json:"until"`       // last day it is accepted; null where no day is set
	Reason   string       `json:"reason"`      // why, for the people of the project
	Restrict bool         `json:"restricting"` // whether it is not accepted, or not known to be
	Count    int          `json:"package_count"`
	Packages []Named      `json:"packages"` // by name and version
}

// Named is a dependency in a Group.
type Named struct {
	Name    string  `json:"name"`
	Version *string `json:"version"` // null is not known
	ID      *string `json:"id"`      // in the document, without "SPDXRef-"; null where it gives none
}

// Restricting reports whether a dependency creates a restriction.
func (r Report) Restricting() bool { return r.NotAccepted+r.Unknown > 0 }

// Judge asks the policy about the licence of every dependency, as if it were that
// of work of a type, such as "software". A licence that nobody asserts, and one
// that is no SPDX expression, is unknown; "NONE" is not accepted, for work without
// a licence may not be used. asOf is the day to judge at, "2006-01-02".
func Judge(doc *Document, p *policy.Policy, workType, asOf string) Report {
	r := Report{
		Document: doc.Name, SPDXVersion: doc.Version, Form: doc.Format, WorkType: workType, AsOf: asOf,
		Dependencies: len(doc.Packages), Licenses: []Group{},
	}
	if doc.Subject != nil {
		r.Subject = &doc.Subject.Name
	}
	at := map[string]int{}    // canonical licence to its place in r.Licenses
	spelt := map[string]int{} // likewise, as it is written
	for _, d := range doc.Packages {
		i, seen := spelt[d.License]
		if !seen {
			g := judge(d.License, doc.LicenseNames, p, workType, asOf)
			if i, seen = at[g.License]; !seen {
				i = len(r.Licenses)
				at[g.License] = i
				r.Licenses = append(r.Licenses, g)
			}
			spelt[d.License] = i
		}
		g := &r.Licenses[i]
		g.Count++
		g.Packages = append(g.Packages, Named{d.Name, known(d.Version), known(d.ID)})
		switch {
		case !g.Restrict:
			r.Accepted++
		case g.State == policy.StateNotAccepted:
			r.NotAccepted++
		default:
			r.Unknown++
		}
	}
	for _, g := range r.Licenses {
		slices.SortStableFunc(g.Packages, func(a, b Named) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(value(a.Version), value(b.Version)), cmp.Compare(value(a.ID), value(b.ID)))
		})
	}
	slices.SortFunc(r.Licenses, func(a, b Group) int {
		return cmp.Or(cmp.Compare(gravity(a), gravity(b)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.License, b.License))
	})
	return r
}

func gravity(g Group) int {
	return slices.Index([]policy.State{policy.StateNotAccepted, policy.StateUnknown, policy.StateAcceptedUntil, policy.StateAccepted}, g.State)
}

func judge(license string, names map[string]string, p *policy.Policy, workType, asOf string) Group {
	switch license {
	case noAssertion:
		return Group{License: noAssertion, State: policy.StateUnknown, Restrict: true,
			Reason: "the document does not say what licence it is under"}
	case none:
		return Group{License: none, State: policy.StateNotAccepted, Restrict: true,
			Reason: "the document says that it has no licence, and what has none may not be used"}
	}
	x, err := spdx.Parse(license)
	if err != nil {
		reason := err.Error()
		if fault := (*spdx.Error)(nil); errors.As(err, &fault) {
			reason = fault.Msg
		}
		return Group{License: license, State: policy.StateUnknown, Restrict: true, Reason: reason}
	}
	v := p.Judge(workType, x, asOf)
	g := Group{License: x.String(), State: v.State, Until: known(v.Until), Reason: v.Reason}
	g.Restrict = v.State != policy.StateAccepted && v.State != policy.StateAcceptedUntil
	if g.Restrict && v.License != "" && v.License != g.License {
		g.Reason = v.License + ": " + g.Reason
	}
	var called []string
	for _, id := range x.Licenses() {
		if name := names[id]; name != "" && len(called) < maxNames {
			called = append(called, id+" is called \""+clip(name)+"\" there")
		}
	}
	if g.Restrict && len(called) > 0 {
		g.Reason += "; " + strings.Join(called, ", ")
	}
	return g
}

// maxNames is how many names of a document's own licences one reason gives.
const maxNames = 5

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
