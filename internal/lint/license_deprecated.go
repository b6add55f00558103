package lint

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var licenseDeprecated = &Rule{
	ID:       "license-deprecated",
	Severity: diag.Warning,
	Summary:  "no licence identifier is deprecated",
	Doc: `SPDX keeps old identifiers and asks for their successors. "GPL-3.0" is the usual case: it leaves open whether
a later version may be used, so the list now has GPL-3.0-only and GPL-3.0-or-later. Only the owner of the work
can say which; the notice in its source files usually does.`,
	Check: func(p *Pass) {
		for i, l := range p.Entry.Licenses {
			expr, err := spdx.Parse(strings.TrimSpace(l.Expression))
			if err != nil {
				continue
			}
			pointer, seen := item("/licenses", i, "expression"), map[string]bool{}
			for _, x := range singles(expr) {
				id := x.License
				if x.Plus {
					id += "+"
				}
				if known, ok := spdx.Lookup(x.License); ok && known.Deprecated && !seen[id] {
					seen[id] = true
					reportDeprecated(p, pointer, l.Expression, "licence", id)
				}
				if e, ok := spdx.Exception(x.Exception); ok && e.Deprecated && !seen[e.ID] {
					seen[e.ID] = true
					reportDeprecated(p, pointer, l.Expression, "licence exception", e.ID)
				}
			}
		}
	},
}

func reportDeprecated(p *Pass, pointer, text, what, id string) {
	hint := ""
	if next := spdx.Successors(id); len(next) > 0 {
		hint = "write " + quoteAll(next, "or")
		if len(next) > 1 {
			hint += "; the notice in the source files says which"
		}
	}
	at := max(0, strings.Index(strings.ToLower(text), strings.ToLower(id)))
	p.ReportWithinf(pointer, at, len(id), hint, "%s %s is deprecated by SPDX", what, quote(id))
}

func singles(x spdx.Expr) []spdx.Expr {
	if x.Op == spdx.Single {
		return []spdx.Expr{x}
	}
	var all []spdx.Expr
	for _, arg := range x.Args {
		all = append(all, singles(arg)...)
	}
	return all
}
