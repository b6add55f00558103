package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// State is what a policy makes of a licence.
type State string

// The states of a Verdict. The zero State is no verdict at all.
const (
	StateAccepted      State = "accepted"
	StateAcceptedUntil State = "accepted-until" // a last day is set, and it has not passed
	StateNotAccepted   State = "not-accepted"
	StateUnknown       State = "unknown" // nothing says so either way
)

// A Verdict is what a policy makes of the licence of one type of work.
type Verdict struct {
	State   State
	License string // the part of the expression that decided, such as "CC-BY-NC-4.0"; "" where no list is kept for the type
	Until   string // last day, "2006-01-02"; only of StateAcceptedUntil
	Reason  string // why, for a contributor: a sentence of the policy, or of this package without capital or period
	Source  string // where the rule that decided can be read; "" where the policy does not say
}

// Sentence says the verdict and its reason to a contributor, in one sentence
// without a final period.
func (v Verdict) Sentence(workType string) string {
	reason := strings.TrimSuffix(v.Reason, ".")
	switch what := fmt.Sprintf("licence %q", v.License); v.State {
	case StateAccepted:
		return fmt.Sprintf("%s is accepted for type %q: %s", what, workType, reason)
	case StateAcceptedUntil:
		return fmt.Sprintf("%s is accepted for type %q until %s, not after: %s", what, workType, v.Until, reason)
	case StateNotAccepted:
		return fmt.Sprintf("%s is not accepted for type %q: %s", what, workType, reason)
	}
	if v.License == "" {
		return fmt.Sprintf("whether a licence is accepted for type %q is unknown: %s", workType, reason)
	}
	return fmt.Sprintf("whether licence %q is accepted for type %q is unknown: %s", v.License, workType, reason)
}

// Judge says whether work of a type, such as "software", may carry a licence. Of
// OR one branch has to be accepted, of AND all.
//
// asOf is the day to judge at, "2006-01-02". Without it what is accepted from or
// until a day is unknown: no clock is asked.
//
// A licence "or later" is judged as the version it starts from, and an exception
// of the SPDX list, which only adds permissions, as if it were not there. A
// deprecated id that the policy does not name is as good as all that SPDX has
// put in its place. LicenseRef- and AdditionRef- say nothing of what they stand
// for, so they are unknown.
func (p *Policy) Judge(workType string, expr spdx.Expr, asOf string) Verdict {
	if p == nil {
		return Verdict{State: StateUnknown, Reason: "there is no policy"}
	}
	list, kept := p.Licenses[workType]
	if !kept {
		return Verdict{State: StateUnknown, Reason: "the policy keeps no list of licences for this type"}
	}
	j := judge{list: list, asOf: asOf, known: map[string]Verdict{}}
	return j.expression(expr)
}

// AcceptedIDs lists the licences that are accepted for a type on a day, in the
// policy's order, each once. Without a day, those that have no dates.
func (p *Policy) AcceptedIDs(workType, asOf string) []string {
	if p == nil {
		return nil
	}
	var ids []string
	seen := map[string]bool{}
	for _, row := range p.Licenses[workType].Accepted {
		if row.covers(asOf) != within {
			continue
		}
		for _, id := range row.IDs {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// A span is where a day lies to the dates of a row.
type span int

const (
	within  span = iota
	before       // not yet
	after        // no longer
	undated      // there is no day to compare
)

func (a Accepted) covers(asOf string) span {
	switch {
	case a.Since == "" && a.Until == "":
		return within
	case asOf == "":
		return undated
	case asOf < a.Since:
		return before
	case a.Until != "" && asOf > a.Until:
		return after
	}
	return within
}

// judge is one question to one list. It answers once for each licence: a hostile
// expression may name one thousands of times.
type judge struct {
	list  Acceptance
	asOf  string
	known map[string]Verdict
}

func (j *judge) expression(x spdx.Expr) Verdict {
	if x.Op == spdx.Single {
		name := x.String()
		v, seen := j.known[name]
		if !seen {
			v = j.single(x)
			v.License = name
			j.known[name] = v
		}
		return v
	}
	var best, worst Verdict
	for i, arg := range x.Args {
		v := j.expression(arg)
		if i == 0 || better(v, best) {
			best = v
		}
		if i == 0 || better(worst, v) {
			worst = v
		}
	}
	if x.Op == spdx.Or {
		return best
	}
	return worst
}

// better reports whether a is better news than b.
func better(a, b Verdict) bool {
	rank := func(v Verdict) int {
		return slices.Index([]State{StateNotAccepted, StateUnknown, StateAcceptedUntil, StateAccepted}, v.State)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Until, b.Until)) > 0
}

func (j *judge) single(x spdx.Expr) Verdict {
	if x.License == "" {
		return Verdict{State: StateUnknown, Reason: "there is no licence"}
	}
	id := x.License
	if x.Plus {
		id += "+"
	}
	if strings.Contains(id, "LicenseRef-") || strings.Contains(x.Exception, "AdditionRef-") {
		return Verdict{State: StateUnknown, Reason: "what is not on the SPDX list has to be read by a person"}
	}
	best := j.id(id)
	if v := j.id(x.License); better(v, best) {
		best = v
	}
	// The owner meant one of the successors: what holds for all of them holds.
	var worst Verdict
	for i, next := range spdx.Successors(id) {
		s, err := spdx.Parse(next)
		if err != nil {
			return best
		}
		if v := j.id(s.License); i == 0 || better(worst, v) {
			worst = v
		}
	}
	if worst.State != "" && better(worst, best) {
		best = worst
	}
	return best
}

// id looks an id up in the rows of the list.
func (j *judge) id(id string) Verdict {
	best := Verdict{State: StateNotAccepted, Reason: j.list.Reason, Source: j.list.Source}
	ended := ""
	for _, row := range j.list.Accepted {
		if !slices.ContainsFunc(row.IDs, func(s string) bool { return strings.EqualFold(s, id) }) {
			continue
		}
		v := Verdict{State: StateAccepted, Reason: cmp.Or(row.Reason, j.list.Reason), Source: cmp.Or(row.Source, j.list.Source)}
		switch row.covers(j.asOf) {
		case within:
			if row.Until != "" {
				v.State, v.Until = StateAcceptedUntil, row.Until
			}
		case undated:
			v = Verdict{State: StateUnknown, Source: v.Source, Reason: "it is accepted for a time only, and no day is given to judge at"}
		case before:
			v = Verdict{State: StateNotAccepted, Source: v.Source, Reason: "it is accepted from " + row.Since + " on, not before"}
		case after:
			if row.Until < ended {
				continue
			}
			ended = row.Until
			v = Verdict{State: StateNotAccepted, Source: v.Source, Reason: "it was accepted until " + row.Until}
		}
		if better(v, best) || v.State == best.State && v.State == StateNotAccepted {
			best = v
		}
	}
	return best
}
