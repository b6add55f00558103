package lint

import (
	"path"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var crosswalk = &Rule{
	ID:       "crosswalk",
	Severity: diag.Error,
	Summary:  "a registry's own crosswalk relates codes that are there, each pair once",
	Doc: `A crosswalk is a file in frameworks/crosswalk/, named by its id. It says which codes of one framework have to do with
which of others, as a reading of its author's: readers see it as "related", and nobody takes it for evidence. A code that
is in none of the frameworks in use here would lead nowhere, and codes of one framework are related in its own file.`,
	CheckAll: func(p *RegistryPass) {
		for _, name := range ownCrosswalks(p.Registry) {
			if d := p.ownFile(name); d != nil {
				c := &crosswalkCheck{p: p, d: d, rows: map[string]string{}}
				c.file(name)
			}
		}
	},
}

type crosswalkCheck struct {
	p       *RegistryPass
	d       *registry.Doc
	rows    map[string]string // code to pointer
	reports int
}

func (c *crosswalkCheck) report(pointer, hint, format string, args ...any) *diag.Diagnostic {
	if c.reports++; c.reports > maxPerFramework {
		return new(diag.Diagnostic) // counted, not shown
	}
	return c.p.Reportf(c.d, pointer, hint, format, args...)
}

func (c *crosswalkCheck) file(name string) {
	root := c.d.Source.Root
	if id := textOf(root, "id"); id != "" && id != frameworkID(name) {
		c.report("/id", "write "+quote(frameworkID(name)), "id %s differs from the file's name, %s", quote(id), quote(path.Base(name)))
	}
	for i, row := range itemsOf(root, "rows") {
		code, at := textOf(row, "code"), item("/rows", i, "code")
		if code == "" {
			continue
		}
		if first, seen := c.rows[code]; seen {
			c.report(at, "put what both relate it to in one row", "code %s has two rows", quote(code)).Related = related(c.d, first, "first given here")
		} else {
			c.rows[code] = at
			c.code(at, code)
		}
		c.row(item("/rows", i), code, row)
	}
	if more := c.reports - maxPerFramework; more > 0 {
		c.p.Reportf(c.d, "/rows", "mend the others first", "%d more things are wrong with this crosswalk", more)
	}
}

func (c *crosswalkCheck) row(at, code string, n *source.Node) {
	from, _, _ := framework.Split(code)
	seen := map[string]string{}
	for i, r := range itemsOf(n, "related") {
		to, at := textOf(r, "code"), item(at+"/related", i, "code")
		if to == "" {
			continue
		}
		if first, twice := seen[to]; twice {
			c.report(at, "keep one of the two", "%s is related to %s twice", quote(code), quote(to)).Related = related(c.d, first, "first given here")
			continue
		}
		seen[to] = at
		if id, _, ok := framework.Split(to); ok && id == from {
			c.report(at, "name a code of another framework, or relate the two in the file of "+quote(id), "%s and %s are codes of one framework", quote(code), quote(to))
			continue
		}
		c.code(at, to)
	}
}

// code reports one that none of the frameworks in use has.
func (c *crosswalkCheck) code(at, full string) {
	set := c.p.Registry.Frameworks
	_, _, err := set.Find(full)
	if err == nil {
		return
	}
	hint := ""
	id, code, ok := framework.Split(full)
	switch f := set[id]; {
	case !ok:
		hint = "write the id of the framework, a slash and the code, such as dpi-safeguards/O3"
	case f == nil:
		hint = didYouMean(withSuffix(c.p.near(c.d, id, set.IDs), "/"+code))
	default:
		hint = didYouMean(withPrefix(id+"/", c.p.near(c.d, code, func() []string { return codes(f) })))
		if hint == "" && len(f.Codes) <= 20 {
			hint = "its codes are " + quoteAll(codes(f), "and")
		}
	}
	c.report(at, hint, "%s", strings.ToValidUTF8(err.Error(), "\ufffd"))
}
