package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// Doing is what a pull request does to entries.
type Doing struct {
	Adds, Changes, Deletes []string // references of entries
	Moves                  []Move
}

// A Move is an entry that keeps its id and gets another place.
type Move struct {
	Entry string
	To    string // path
	Same  bool   // not a word of it changes
}

// doing sorts the changed entries.
func (m *merge) doing() Doing {
	var do Doing
	for _, c := range m.changes {
		if !m.isEntry(c.Path) {
			continue
		}
		full := m.full(c.Path)
		was, is := m.before.At(full), m.after.At(full)
		switch {
		case c.Deleted && was != nil && m.after.Place(was.Ref) == nil:
			do.Deletes = append(do.Deletes, was.Ref.String())
		case c.Deleted || is == nil: // told where it went to
		case was != nil:
			do.Changes = append(do.Changes, is.Ref.String())
		default:
			if old := m.before.Place(is.Ref); old != nil && m.after.At(old.Path) == nil {
				do.Moves = append(do.Moves, Move{is.Ref.String(), full, old.Hash == is.Hash})
			} else {
				do.Adds = append(do.Adds, is.Ref.String())
			}
		}
	}
	return do
}

func (d Doing) markdown() string {
	var what []string
	for _, part := range []struct {
		verb string
		of   []string
	}{{"adds", d.Adds}, {"changes", d.Changes}, {"deletes", d.Deletes}} {
		if len(part.of) > 0 {
			what = append(what, part.verb+" "+some(part.of, 200))
		}
	}
	const most = 5
	for _, m := range d.Moves[:min(len(d.Moves), most)] {
		text := "moves " + diag.Code(m.Entry, 200) + " to " + diag.Code(m.To, 200)
		if m.Same {
			text += " as it is"
		}
		what = append(what, text)
	}
	if n := len(d.Moves) - most; n > 0 {
		what = append(what, fmt.Sprintf("moves %d more", n))
	}
	if len(what) == 0 {
		return ""
	}
	return "This pull request " + strings.Join(what, "; it ") + ".\n\n"
}

// A LicenseVerdict is what the policy makes of one licence for one type of work.
type LicenseVerdict struct {
	Type, Expression string
	policy.Verdict
}

// licenseVerdicts judges each type of an entry by the licence for it, or by the one
// for all of the work.
func licenseVerdicts(p *policy.Policy, e *entry.Entry, asOf string) []LicenseVerdict {
	const most = 12
	licenses := make([]policy.Licensed, len(e.Licenses))
	unreadable := make([]bool, len(e.Licenses))
	for i, l := range e.Licenses {
		expr, err := spdx.Parse(strings.TrimSpace(l.Expression))
		licenses[i], unreadable[i] = policy.Licensed{Covers: l.Covers, Expr: expr}, err != nil
	}
	var all []LicenseVerdict
	for _, part := range p.JudgeWork(e.Types[:min(len(e.Types), most)], licenses, asOf) {
		for _, l := range part.Licenses[:min(len(part.Licenses), most-len(all))] {
			v := LicenseVerdict{Type: part.Type, Expression: e.Licenses[l.At].Expression, Verdict: l.Verdict}
			if unreadable[l.At] {
				v.Verdict = policy.Verdict{State: policy.StateUnknown, Reason: "it is not an SPDX licence expression"}
			}
			all = append(all, v)
		}
	}
	return all
}

func (v LicenseVerdict) markdown() string {
	state := strings.ReplaceAll(string(v.State), "-", " ")
	if v.Until != "" {
		state += " " + v.Until
	}
	s := fmt.Sprintf("- licence %s for %s: **%s**", diag.Code(v.Expression, 80), diag.Code(v.Type, 40), state)
	if v.Reason != "" {
		s += ", because: " + diag.Code(strings.TrimSuffix(v.Reason, "."), 300)
	}
	return s + "\n"
}

// NewRules is what the rules that a pull request proposes would find, compared with
// those that are in force.
type NewRules struct {
	More, Fewer []diag.Diagnostic
}

// newRules judges everything by the rules of the pull request itself. It decides
// nothing: a maintainer sees what merging would bring. nil is that no rule changes.
func (m *merge) newRules(ctx context.Context, asOf string) (*NewRules, error) {
	if !slices.ContainsFunc(m.changes, func(c registry.Change) bool { return governs(c.Path) }) {
		return nil, nil
	}
	opt := lint.Options{AsOf: asOf}
	then, err := lint.Run(ctx, m.before, opt)
	if err != nil {
		return nil, err
	}
	_, now, err := lint.Check(ctx, m.files, registry.Options{Prefix: m.folder}, opt)
	if err != nil {
		return nil, err
	}
	return &NewRules{More: diag.Minus(now, then), Fewer: diag.Minus(then, now)}, nil
}

func (n *NewRules) markdown() string {
	if n == nil {
		return ""
	}
	const most = 10
	if len(n.More)+len(n.Fewer) == 0 {
		return "Under the rules as this pull request would have them, every entry is judged as it is now.\n\n"
	}
	var b strings.Builder
	for _, part := range []struct {
		title string
		of    []diag.Diagnostic
	}{{"found then and not now", n.More}, {"found now and no longer then", n.Fewer}} {
		if len(part.of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%d %s:\n\n", len(part.of), part.title)
		for _, d := range part.of[:min(len(part.of), most)] {
			fmt.Fprintf(&b, "- %s %s: %s\n", d.Severity, diag.Code(cmp.Or(d.Path, "."), 150), diag.Cell(d.Message, 200))
		}
		if more := len(part.of) - most; more > 0 {
			fmt.Fprintf(&b, "- and %d more\n", more)
		}
		b.WriteString("\n")
	}
	return fold(fmt.Sprintf("Under the rules as this pull request would have them: %s more, %d fewer",
		plural(len(n.More), "finding", "findings"), len(n.Fewer)), b.String())
}
