package lint

import (
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// A LicenseConclusion is what all that was observed of an entry's licences comes to.
type LicenseConclusion struct {
	// Expression is that of the whole work, in canonical form; "" where what was
	// seen does not tell all of it.
	Expression string
	Verdict    Verdict // of all repositories together: one that is different decides
}

// ConcludeLicense draws together what CompareLicenses says of each repository. It
// would rather say nothing than too much: there is an expression only where every
// repository was looked at, each that holds something tells its licence, and no
// licence that the entry gives for a part of the work is without its text.
func ConcludeLicense(e *entry.Entry, seen *registry.Observation) LicenseConclusion {
	compared := CompareLicenses(e, seen)
	out := LicenseConclusion{Verdict: VerdictUnknown}
	var all []spdx.Expr
	told, silent := true, false
	for _, c := range compared {
		o := seen.Repository(e.Repositories[c.Repository].URL)
		if o.State == registry.StateGone || o.State == registry.StateEmpty {
			continue // nothing is there that could have a licence
		}
		switch {
		case c.Verdict == VerdictDifferent, out.Verdict == VerdictDifferent:
			out.Verdict = VerdictDifferent
		case c.Verdict == VerdictCompatible:
			out.Verdict = VerdictCompatible
		case c.Verdict == VerdictSame && out.Verdict == VerdictUnknown:
			out.Verdict = VerdictSame
		case c.Verdict == VerdictUnknown:
			silent = true
		}
		x, err := spdx.Parse(c.Expression)
		if c.Expression == "" || err != nil {
			told = false
			continue
		}
		all = append(all, x)
	}
	if out.Verdict == VerdictSame && (silent || len(compared) < len(e.Repositories)) {
		out.Verdict = VerdictCompatible // as far as was seen
	}
	if told && len(compared) == len(e.Repositories) && partsSeen(e, all) {
		out.Expression = allOf(all)
	}
	return out
}

// partsSeen reports whether each licence that is for a part of the work is among
// those found.
func partsSeen(e *entry.Entry, found []spdx.Expr) bool {
	var have []string
	for _, x := range found {
		have = append(have, terms(x)...)
	}
	for _, l := range e.Licenses {
		if l.Covers == "" {
			continue
		}
		text, _ := trim(l.Expression)
		x, err := spdx.Parse(text)
		if err != nil || !slices.ContainsFunc(terms(x), func(t string) bool { return slices.Contains(have, t) }) {
			return false
		}
	}
	return true
}

// conclude says what the texts of a repository come to, given how they compare
// with what is declared; "" where one of them cannot be told or was not read.
func (d declared) conclude(o *registry.ObservedRepository, v Verdict) string {
	found, untold := detected(o)
	if len(found) == 0 || len(untold) > 0 || o.More > 0 {
		return ""
	}
	// Several texts side by side do not say whether they are a choice. An entry that
	// gives just these licences does.
	if v == VerdictSame && len(d.exprs) == 1 && len(d.loose) == 0 {
		return d.exprs[0].String()
	}
	var all []spdx.Expr
	for _, f := range found {
		x, ok := d.reading(f)
		if !ok {
			return ""
		}
		all = append(all, x)
	}
	return allOf(all)
}

// reading is the expression of a text; among several that fit it, the one that is
// declared. It is false where nothing tells which.
func (d declared) reading(f foundText) (spdx.Expr, bool) {
	if len(f.readings) < 2 {
		return f.expr, true
	}
	var fits []spdx.Expr
	for _, x := range f.readings {
		if !slices.ContainsFunc(terms(x), func(t string) bool { return !slices.Contains(d.terms, t) || slices.Contains(d.loose, family(t)) }) {
			fits = append(fits, x)
		}
	}
	if len(fits) != 1 {
		return spdx.Expr{}, false
	}
	return fits[0], true
}

// allOf joins expressions with AND, each once; "" is of none.
func allOf(all []spdx.Expr) string {
	var args []spdx.Expr
	said := map[string]bool{}
	for _, x := range all {
		parts := []spdx.Expr{x}
		if x.Op == spdx.And {
			parts = x.Args
		}
		for _, part := range parts {
			if s := part.String(); !said[s] {
				said[s] = true
				args = append(args, part)
			}
		}
	}
	switch len(args) {
	case 0:
		return ""
	case 1:
		return args[0].String()
	}
	return spdx.Expr{Op: spdx.And, Args: args}.String()
}
