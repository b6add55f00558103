package entry

import (
	"fmt"
	"path"
	"strings"
)

// A Kind is a sort of entry. A new kind is a new row of Kinds and a new schema.
type Kind struct {
	Name   string // as in "schema: dpg/v1" and in references "dpg/dhis2"
	Folder string // in the registry, and the name of its list in the catalog
	Schema string // file in schemas/
	Title  string // one of it, for people
	Plural string // several of it
}

// Kinds are the kinds of this version.
var Kinds = []Kind{
	{Name: "dpg", Folder: "dpgs", Schema: "dpg.schema.json", Title: "digital public good", Plural: "digital public goods"},
	{Name: "resource", Folder: "resources", Schema: "resource.schema.json", Title: "resource", Plural: "resources"},
}

// A Ref names an entry across kinds, written "dpg/dhis2".
type Ref struct{ Kind, ID string }

// ParseRef reads "kind/id".
func ParseRef(s string) (Ref, error) {
	kind, id, ok := strings.Cut(s, "/")
	if !ok || kind == "" || id == "" || strings.Contains(id, "/") {
		return Ref{}, fmt.Errorf("%q is not of the form kind/id, such as dpg/dhis2", s)
	}
	return Ref{kind, id}, nil
}

func (r Ref) String() string { return r.Kind + "/" + r.ID }

// FileID returns the id that a file of an entry must carry: its base name
// without ".yaml".
func FileID(name string) string { return strings.TrimSuffix(path.Base(name), ".yaml") }

// KindNamed returns the kind of that name.
func KindNamed(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
