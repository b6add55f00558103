package policy

import (
	"fmt"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// A Licensed is a licence of a work.
type Licensed struct {
	Covers string // the type of the part that it is for, or "documentation"; "" is all of the work
	Expr   spdx.Expr
}

// Basis is why certain licences decide about a type of a work.
type Basis string

// The bases of a Part.
const (
	BasisOwn    Basis = "own"    // licences that say they are for this type; each has to be accepted
	BasisWhole  Basis = "whole"  // licences for all of the work; each has to be accepted
	BasisChoice Basis = "choice" // several licences for all of a work of several types, which do not say what each is for; one has to be accepted
	BasisNone   Basis = "none"   // those that are there are for other parts
)

// A Part is what a policy makes of the licences of one type of a work.
type Part struct {
	Type     string
	At       int  // of the type among those of the work
	Listed   bool // the policy keeps a list for the type; without one, nothing is known
	Basis    Basis
	Licenses []Judged // those that decide, in their order
	Verdict  Verdict  // of all of them
}

// Judged is a licence with its verdict.
type Judged struct {
	At int // of the licence among those of the work
	Verdict
}

// JudgeWork judges a work type by type, each once, in their order. A type is
// judged by the licences that cover it, and where there are none by those for all
// of the work. A licence for documentation is not judged. asOf is as for Judge.
func (p *Policy) JudgeWork(types []string, licenses []Licensed, asOf string) []Part {
	var all []Part
	for i, t := range types {
		if slices.Index(types, t) < i {
			continue
		}
		part := p.judgePart(t, licenses, len(types) > 1, asOf)
		part.At = i
		all = append(all, part)
	}
	return all
}

func (p *Policy) judgePart(t string, licenses []Licensed, several bool, asOf string) Part {
	part := Part{Type: t, Basis: BasisOwn}
	if p != nil {
		_, part.Listed = p.Licenses[t]
	}
	part.Licenses = p.judgeCovering(t, t, licenses, asOf)
	if len(part.Licenses) == 0 {
		part.Licenses = p.judgeCovering("", t, licenses, asOf)
		switch {
		case len(part.Licenses) == 0:
			part.Basis = BasisNone
			part.Verdict = Verdict{State: StateUnknown, Reason: fmt.Sprintf("no licence is given for type %q: those that are there cover other parts", t)}
			if len(licenses) == 0 {
				part.Verdict.Reason = "no licence is given"
			}
			return part
		case several && len(part.Licenses) > 1:
			part.Basis = BasisChoice
		default:
			part.Basis = BasisWhole
		}
	}
	part.Verdict = part.Licenses[0].Verdict
	for _, l := range part.Licenses[1:] {
		if part.Basis == BasisChoice && better(l.Verdict, part.Verdict) || part.Basis != BasisChoice && better(part.Verdict, l.Verdict) {
			part.Verdict = l.Verdict
		}
	}
	return part
}

// judgeCovering judges the licences that say they cover something, for a type.
func (p *Policy) judgeCovering(covers, t string, licenses []Licensed, asOf string) []Judged {
	var all []Judged
	for i, l := range licenses {
		if l.Covers == covers {
			all = append(all, Judged{i, p.Judge(t, l.Expr, asOf)})
		}
	}
	return all
}
