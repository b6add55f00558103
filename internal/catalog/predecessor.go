package catalog

import (
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// predecessorKind is the one kind that the predecessor had.
const predecessorKind = "dpg"

// predecessor writes the paths that the predecessor served, for those who still
// read them: bare lists and objects at the catalog's root.
func (b *builder) predecessor() error {
	if _, used := b.in.Registry.Kind(predecessorKind); !used {
		return nil
	}
	var dpgs, nominees []*registry.Doc
	for _, d := range b.in.Registry.Docs {
		switch {
		case d.Kind.Name != predecessorKind:
		case d.Entry.Status.Stage == entry.StageDPG:
			dpgs = append(dpgs, d)
		case d.Entry.Status.Live():
			nominees = append(nominees, d)
		}
	}
	ids := predecessorIDs(slices.Concat(dpgs, nominees))
	if err := b.oldViews("dpgs", "dpg", dpgs, ids); err != nil {
		return err
	}
	return b.oldViews("nominees", "nominee", nominees, ids)
}

// oldViews writes one list and the object of each of its entries.
func (b *builder) oldViews(many, one string, docs []*registry.Doc, ids map[*registry.Doc]string) error {
	slices.SortFunc(docs, func(x, y *registry.Doc) int { return dpga.CompareIDs(ids[x], ids[y]) })
	all := []dpga.View{}
	for _, d := range docs {
		main := b.language(d.Entry)
		view := dpga.ViewOf(d.Entry, ids[d], main)
		all = append(all, view)
		var whole any = view
		if d.Entry.Status.Stage == entry.StageDPG {
			whole = dpga.ScreenedViewOf(d.Entry, ids[d], main)
		}
		if err := b.putOld(path.Join(one, ids[d]), whole); err != nil {
			return err
		}
	}
	return b.putOld(many, all)
}

func (b *builder) putOld(folder string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return b.cat.Add(folder+"/index.json", data)
}

// predecessorIDs gives each entry the id that it had there: same_as.dpga, or
// else its own. A claim to an id that another entry has or claims too, or that
// cannot be a folder's name, is not heard; the entry's own id stands.
func predecessorIDs(docs []*registry.Doc) map[*registry.Doc]string {
	claims := map[string]int{} // in lower case, as some disks compare names
	for _, d := range docs {
		own, old := strings.ToLower(d.Ref.ID), strings.ToLower(oldID(d))
		claims[own]++
		if old != own {
			claims[old]++
		}
	}
	ids := make(map[*registry.Doc]string, len(docs))
	for _, d := range docs {
		ids[d] = d.Ref.ID
		if old := oldID(d); plainSegment(old) && claims[strings.ToLower(old)] == 1 {
			ids[d] = old
		}
	}
	return ids
}

func oldID(d *registry.Doc) string {
	if d.Entry.SameAs == nil {
		return ""
	}
	return d.Entry.SameAs.DPGA
}
