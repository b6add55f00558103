package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var fileName = &Rule{
	ID:       "file-name",
	Severity: diag.Error,
	Summary:  "a file's name, folder, id and schema agree",
	Doc: `An entry is found by its file: the name is its id, in small letters, digits and single hyphens, and the
folder is that of its kind. When they disagree, links to the entry lead nowhere. Rename the file or correct
the field; an id that was published is kept for ever.`,
	Check: func(p *Pass) {
		id := p.Doc.Ref.ID
		if !kebab.MatchString(id) {
			right, hint := kebabCase(id), ""
			if kebab.MatchString(p.Entry.ID) {
				right = p.Entry.ID
			}
			if free(p, right) {
				hint = "rename it to " + quote(right+".yaml")
			} else if right != "" {
				hint = "choose another name: " + quote(right) + " is taken"
			}
			d := p.Reportf("", hint, "file name %s is not in small letters, digits and single hyphens", quote(path.Base(p.Doc.Path)))
			d.Start, d.End = diag.Pos{}, diag.Pos{} // the file itself
			if p.Entry.ID == id {
				d.Pointer = "/id"
			}
		}
		if p.Entry.ID != "" && p.Entry.ID != id && kebab.MatchString(id) {
			hint := "write " + quote(id)
			if kebab.MatchString(p.Entry.ID) && free(p, p.Entry.ID) {
				hint += ", or, if the entry is new, rename the file to " + quote(p.Entry.ID+".yaml")
			}
			p.Reportf("/id", hint, "id %s differs from the file's name, %s", quote(p.Entry.ID), quote(id))
		}
		if _, ok := p.Registry.Kind(p.Doc.Kind.Name); !ok {
			p.Reportf("/schema", "add it to kinds in registry.yaml", "kind %q is not in use in this registry", p.Doc.Kind.Name)
			return
		}
		name, _, _ := strings.Cut(p.Entry.Schema, "/")
		if name == "" || name == p.Doc.Kind.Name {
			return
		}
		hint := "write " + quote(p.Doc.Kind.Name+"/v1")
		if k, ok := p.Registry.Kind(name); ok {
			hint += ", or move the file to folder " + quote(k.Folder)
		}
		p.Reportf("/schema", hint, "schema %s is not that of folder %q", quote(p.Entry.Schema), p.Doc.Kind.Folder)
	},
}

// free reports whether no other file has an id of the entry's kind, so that a file
// may be renamed to it.
func free(p *Pass, id string) bool {
	return id != "" && p.Registry.Place(entry.Ref{Kind: p.Doc.Kind.Name, ID: id}) == nil
}

var (
	kebab    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	notKebab = regexp.MustCompile(`[^a-z0-9]+`)
)

// kebabCase makes an id of a name, or "".
func kebabCase(s string) string {
	return strings.Trim(notKebab.ReplaceAllString(strings.ToLower(s), "-"), "-")
}

// idsOf lists the ids of a kind that are taken, in order of their files, but for
// the entry's own.
func idsOf(reg *registry.Registry, self *registry.Doc, kind string) []string {
	ids := reg.IDs(kind)
	if kind == self.Ref.Kind {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == self.Ref.ID })
	}
	return ids
}
