package lint

import (
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var reference = &Rule{
	ID:       "reference",
	Severity: diag.Error,
	Summary:  "entries refer to entries that are there",
	Doc: `"about" names other entries as kind and id, such as ` + "`dpg/dhis2`, and `status.moved_to`" + ` names the id that stands for
a renamed entry now. Both have to lead to a file of this registry, and moves have to end somewhere.`,
	CheckAll: func(p *RegistryPass) {
		for _, d := range p.Registry.Docs {
			if d.Record == nil || !p.Wants(d.Path) {
				continue
			}
			referencesOf(p, d)
		}
	},
}

func referencesOf(p *RegistryPass, d *registry.Doc) {
	for _, r := range outgoing(d) {
		if _, isKind := p.Registry.Kind(r.to.Kind); isKind && p.Registry.Place(r.to) == nil {
			ids := p.near(d, r.to.ID, func() []string { return idsOf(p.Registry, d, r.to.Kind) })
			if strings.HasPrefix(r.pointer, "/about") {
				ids = withPrefix(r.to.Kind+"/", ids)
			}
			p.Reportf(d, r.pointer, didYouMean(ids), "there is no entry %s", quote(r.to.String()))
		}
	}
	const hint = "name the entry that is kept"
	switch ids, circle := moves(p.Registry, d); {
	case circle:
		p.Reportf(d, "/status/moved_to", hint, "moves go in a circle: %s", quoteAll(ids, "and"))
	case len(ids) > maxMoves:
		p.Reportf(d, "/status/moved_to", hint, "more than %d moves follow each other", maxMoves)
	}
}

// maxMoves is how many moves may lead from an id to the entry that stands for it.
const maxMoves = 20

// moves returns the ids that an entry moved to, one after the other, its own in
// front. circle says that they lead back to it; a circle further on is a finding
// on its own entries.
func moves(reg *registry.Registry, d *registry.Doc) (ids []string, circle bool) {
	ids = []string{d.Ref.ID}
	for at := d; at != nil && at.Record != nil && at.Record.MovedTo != "" && len(ids) <= maxMoves; {
		next := at.Record.MovedTo
		again := slices.Contains(ids, next)
		ids = append(ids, next)
		if again {
			return ids, next == d.Ref.ID
		}
		at = reg.Place(entry.Ref{Kind: d.Ref.Kind, ID: next})
	}
	return ids, false
}

// related points at a value of the same file.
func related(d *registry.Doc, pointer, message string) []diag.Related {
	n, _ := d.Source.Locate(pointer)
	return []diag.Related{{Path: d.Path, Start: n.Start(), Message: message}}
}
