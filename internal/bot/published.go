package bot

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

// Published says which files of the catalog a change would change, beside those
// that name the commit and so change with every one.
type Published struct {
	Any   bool     // the rules or settings change, so that any file may
	Files []string // sorted
	Of    int      // changed entries that were looked at
	More  int      // changed entries that were not, since there are too many
}

// maxPublished is how many changed entries are looked at.
const maxPublished = 100

func (p *Published) markdown() string {
	switch {
	case p == nil:
		return ""
	case p.Any:
		return "**What is published:** any file may change, since the rules or settings do.\n\n"
	case len(p.Files) == 0 && p.More == 0:
		return "**What is published:** nothing changes but the commit that some files name.\n\n"
	}
	list := some(p.Files, 120)
	if p.More > 0 {
		list += ", and those of " + plural(p.More, "more entry", "more entries")
	}
	return "**What is published:** " + plural(len(p.Files), "file changes", "files change") + " beside those that name the commit: " + list + ".\n\n"
}

// partial tells the files that hold parts of whole lists, or examples: which of these
// change cannot be told from a part of the registry, and follows from those that can.
func partial(name string) bool {
	return name == "api/v1/openapi.json" || strings.HasPrefix(name, "api/v1/full/") || strings.HasPrefix(name, "api/v1/") && strings.Contains(name, "/pages/")
}

// published builds the catalog of the changed entries alone, as they are and as they
// would be, and compares: that takes time by the size of the change. It is nil where
// nothing could be published.
func (m *merge) published(ctx context.Context) (*Published, error) {
	out := &Published{}
	var names []string
	for _, c := range m.changes {
		switch {
		case governs(c.Path):
			return &Published{Any: true}, nil
		case m.isEntry(c.Path):
			if out.Of++; out.Of > maxPublished {
				out.More++
				continue
			}
			names = append(names, c.Path, registry.AssessmentFolder+"/"+c.Path, registry.ObservationFolder+"/"+c.Path)
		case len(names) > 4*maxPublished:
		case inFolder(c.Path, registry.AssessmentFolder):
			names = append(names, c.Path, strings.TrimPrefix(c.Path, registry.AssessmentFolder+"/"))
		case inFolder(c.Path, registry.ObservationFolder):
			names = append(names, c.Path, strings.TrimPrefix(c.Path, registry.ObservationFolder+"/"))
		}
	}
	out.Of -= out.More
	if len(names) == 0 {
		return out, nil
	}
	before, err := m.repo.Pick(m.base, names)
	if err != nil {
		return nil, err
	}
	head, err := m.repo.Pick(m.headCommit, names)
	if err != nil {
		return nil, err
	}
	was, err := m.catalogOf(ctx, before)
	if err != nil || was == nil {
		return nil, err
	}
	is, err := m.catalogOf(ctx, registry.Overlay(before, head, m.changes))
	if err != nil || is == nil {
		return nil, err
	}
	all := append(was.Names(), is.Names()...)
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		switch name {
		case "api/v1/index.json", "api/v1/full.json", "api/v1/status.json", "api/v1/manifest.json":
			continue // they name the commit
		}
		if !strings.HasPrefix(name, "api/") && strings.HasSuffix(name, "index.html") && strings.Count(name, "/") < 2 {
			continue // so do the front pages
		}
		if partial(name) {
			continue
		}
		a, err := fileOf(was, name)
		if err != nil {
			return nil, err
		}
		b, err := fileOf(is, name)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(a, b) {
			out.Files = append(out.Files, name)
		}
	}
	return out, nil
}

// catalogOf builds a catalog of some files; nil where they cannot be published.
func (m *merge) catalogOf(ctx context.Context, files registry.Files) (*catalog.Catalog, error) {
	reg, err := registry.Load(ctx, files, registry.Options{Prefix: m.folder, Rules: m.before})
	if err != nil {
		return nil, err
	}
	if diag.Tally(reg.Findings).Errors > 0 {
		return nil, nil
	}
	cat, err := site.Build(ctx, catalog.Input{Registry: reg})
	if err != nil { // two files of one id, a name that no file should have: findings say so
		return nil, ctx.Err()
	}
	return cat, nil
}

// fileOf is a file of a catalog, nil if it has none of that name.
func fileOf(c *catalog.Catalog, name string) ([]byte, error) {
	data, err := c.File(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// governs reports whether a file, named relative to the registry's folder, is one of
// those by which entries are judged.
func governs(name string) bool {
	return name == "registry.yaml" || name == "policy.yaml" || inFolder(name, "frameworks")
}
