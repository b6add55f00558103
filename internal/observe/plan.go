package observe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const schemaFile = "observation.schema.json"

// A Proposal is one observation file that should be written or deleted.
type Proposal struct {
	Path   string    // relative to the registry folder
	Ref    entry.Ref // of the entry; of the file's own place where the entry is gone
	New    *registry.Observation
	Data   []byte // what the file should hold; nil for Delete
	Delete bool   // the entry is gone, no longer live, or without anything to look at
}

// Plan compares the observation files of a registry with what was seen, and
// proposes what differs, sorted by path. Entries that were not looked at keep
// their files.
func Plan(reg *registry.Registry, r *Report) ([]Proposal, error) {
	files := map[string]*registry.Doc{}
	for _, d := range reg.Observed {
		files[strings.TrimPrefix(d.Path, reg.Prefix+"/")] = d
	}
	var all []Proposal
	for _, s := range r.Seen {
		at := s.Doc.ObservationPath(reg.Prefix)
		if s.Observation == nil {
			continue
		}
		was := files[at]
		if was != nil && !was.Broken && SameFacts(reg.Observation(s.Doc), s.Observation) {
			continue
		}
		data, err := Encode(s.Observation, at)
		if err != nil {
			return nil, err
		}
		if was != nil && was.Source != nil && bytes.Equal(was.Source.Bytes(), data) {
			continue
		}
		all = append(all, Proposal{Path: at, Ref: s.Doc.Ref, New: s.Observation, Data: data})
	}
	wanted := map[string]bool{}
	for _, d := range reg.Docs {
		// What cannot be read may be mended tomorrow.
		if d.Entry == nil || d.Broken || d.Entry.Status.Live() && hasAny(d.Entry, Everything) {
			wanted[d.ObservationPath(reg.Prefix)] = true
		}
	}
	for at, d := range files {
		if !wanted[at] {
			all = append(all, Proposal{Path: at, Ref: d.Ref, Delete: true})
		}
	}
	slices.SortFunc(all, func(a, b Proposal) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// Encode writes the file of an observation; at is its path in the registry folder.
func Encode(o *registry.Observation, at string) ([]byte, error) {
	// A registry lies in a folder of its repository's root, beside schemas/.
	data, err := entry.Encode(o, entry.SchemaPath("registry/"+at, schemaFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return data, nil
}

// Facts are the bytes that stand for what a proposal says, whenever it was seen:
// equal for two proposals that say the same. nil is a deletion.
func Facts(p Proposal) ([]byte, error) {
	if p.Delete {
		return nil, nil
	}
	o := p.New.Clone()
	if s := o.SBOM; s != nil {
		s.AsOf, s.SHA256, s.Dependencies = "", "", 0
	}
	for i := range o.Repositories {
		r := &o.Repositories[i]
		r.AsOf, r.Commit = "", ""
		r.Files = slices.Clone(r.Files)
		for j := range r.Files {
			r.Files[j].Confidence = 0
		}
	}
	return Encode(o, p.Path)
}
