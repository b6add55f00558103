package lint

import (
	"maps"
	"path"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// maxPerFramework bounds the findings on one file of a framework: its relations
// may be many thousands, and wrong by one mistake.
const maxPerFramework = 100

var frameworkFile = &Rule{
	ID:       "framework-file",
	Severity: diag.Error,
	Summary:  "a registry's own framework is whole: its codes stand once, and what they name is there",
	Doc: `A framework is a file in frameworks/, named by its id. Entries, mappings and decisions refer to its codes, so each
code is given once and kept for ever. A code belongs to one of the lists at the top of the file; its parent and the
codes that it relates to stand in the same file, the related ones in the list that they are given under.`,
	CheckAll: func(p *RegistryPass) {
		for _, name := range ownFrameworks(p.Registry) {
			if d := p.ownFile(name); d != nil {
				c := &frameworkCheck{p: p, d: d, lists: map[string]string{}, codes: map[string]frameworkCodeAt{}}
				c.file(name)
			}
		}
	},
}

// frameworkCheck is the look at one file of a framework. It goes by the tree: a
// file that breaks its schema elsewhere is judged as far as it goes.
type frameworkCheck struct {
	p       *RegistryPass
	d       *registry.Doc
	lists   map[string]string // id to pointer
	codes   map[string]frameworkCodeAt
	reports int
}

type frameworkCodeAt struct{ pointer, list string }

func (c *frameworkCheck) report(pointer, hint, format string, args ...any) *diag.Diagnostic {
	if c.reports++; c.full() {
		return new(diag.Diagnostic) // counted, not shown
	}
	return c.p.Reportf(c.d, pointer, hint, format, args...)
}

func (c *frameworkCheck) full() bool { return c.reports > maxPerFramework }

// once reports what is given for the second time, with the first.
func (c *frameworkCheck) once(pointer, first, what, id string) {
	d := c.report(pointer, "keep one of the two", "%s %s is given twice", what, quote(id))
	if !c.full() {
		d.Related = related(c.d, first, "first given here")
	}
}

func (c *frameworkCheck) file(name string) {
	root := c.d.Source.Root
	if id := textOf(root, "id"); id != "" && id != frameworkID(name) {
		hint := "write " + quote(frameworkID(name))
		if kebab.MatchString(id) && !slices.Contains(ownFrameworks(c.p.Registry), path.Join(frameworkFolder, id+".yaml")) {
			hint += ", or rename the file to " + quote(id+".yaml")
		}
		c.report("/id", hint, "id %s differs from the file's name, %s", quote(id), quote(path.Base(name)))
	}
	if license := textOf(root.Get("source"), "license"); license != "" {
		checkLicense(c.p, c.d, "/source/license", license)
	}
	for i, l := range itemsOf(root, "lists") {
		id, at := textOf(l, "id"), item("/lists", i, "id")
		if first, seen := c.lists[id]; seen {
			c.once(at, first, "list", id)
		} else if id != "" {
			c.lists[id] = at
		}
	}
	for i, n := range itemsOf(root, "codes") {
		code, at := textOf(n, "code"), item("/codes", i, "code")
		if first, seen := c.codes[code]; seen {
			c.once(at, first.pointer, "code", code)
		} else if code != "" {
			c.codes[code] = frameworkCodeAt{at, textOf(n, "list")}
		}
	}
	for i, n := range itemsOf(root, "codes") {
		c.code(item("/codes", i), n)
	}
	if more := c.reports - maxPerFramework; more > 0 {
		c.p.Reportf(c.d, "/codes", "mend the others first", "%d more things are wrong with this framework", more)
	}
}

// code judges what one code says of others.
func (c *frameworkCheck) code(at string, n *source.Node) {
	name := textOf(n, "code")
	if list := textOf(n, "list"); list != "" && c.lists[list] == "" {
		c.report(at+"/list", c.listHint(list), "code %s belongs to list %s, which is not among the lists of this file", quote(name), quote(list))
	}
	if parent := textOf(n, "parent"); parent != "" {
		if _, there := c.codes[parent]; !there {
			c.report(at+"/parent", c.codeHint(parent), "code %s is part of %s, which is no code of this file", quote(name), quote(parent))
		} else if parent == name {
			c.report(at+"/parent", "name the code that it is a part of, or leave parent out", "code %s is given as a part of itself", quote(name))
		}
	}
	relations := n.Get("relations")
	if relations == nil {
		return
	}
	for _, f := range relations.Fields {
		list := f.Key.Text
		pointer := at + source.Pointer("relations", list)
		if c.lists[list] == "" {
			c.report(pointer, c.listHint(list), "code %s relates to codes of list %s, which is not among the lists of this file", quote(name), quote(list))
			continue
		}
		for j, other := range f.Value.Items {
			to, there := c.codes[other.Text]
			switch {
			case other.Text == "":
			case !there:
				c.report(item(pointer, j), c.codeHint(other.Text), "code %s relates to %s, which is no code of this file", quote(name), quote(other.Text))
			case to.list != list:
				c.report(item(pointer, j), "move it to the relations under "+quote(to.list), "code %s relates to %s as one of list %s, but it is in list %s",
					quote(name), quote(other.Text), quote(list), quote(to.list))
			}
		}
	}
}

func (c *frameworkCheck) listHint(list string) string {
	return c.hint(list, "the lists are ", func() []string { return slices.Sorted(maps.Keys(c.lists)) })
}

func (c *frameworkCheck) codeHint(code string) string {
	return c.hint(code, "", func() []string { return slices.Sorted(maps.Keys(c.codes)) })
}

// hint asks for what was likely meant, or names what there is.
func (c *frameworkCheck) hint(s, otherwise string, known func() []string) string {
	if c.full() {
		return ""
	}
	if hint := didYouMean(c.p.near(c.d, s, known)); hint != "" || otherwise == "" {
		return hint
	}
	if all := known(); len(all) > 0 {
		return otherwise + someOf(all)
	}
	return ""
}

// textOf is the text of a key; "" where it is not there or is no text. A number
// counts as text: the schema asks for its quotes.
func textOf(n *source.Node, key string) string {
	v := n.Get(key)
	if v == nil || v.Kind == source.List || v.Kind == source.Map || v.Kind == source.Null {
		return ""
	}
	return v.Text
}

func itemsOf(n *source.Node, key string) []*source.Node {
	if v := n.Get(key); v != nil {
		return v.Items
	}
	return nil
}
