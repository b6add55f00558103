package lint

import (
	"path"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/registry"
	builtin "github.com/dpg-registry/dpg-registry/registry"
)

// The files by which a registry governs itself, as package registry reads them.
const (
	settingsFile    = "registry.yaml"
	frameworkFolder = "frameworks"
	crosswalkFolder = frameworkFolder + "/crosswalk"
)

// ownFile opens a file of the registry that was read and is no entry; nil where
// nobody waits for findings on it.
func (p *RegistryPass) ownFile(name string) *registry.Doc {
	d := &registry.Doc{Path: path.Join(p.Registry.Prefix, name)}
	if !p.Wants(d.Path) {
		return nil
	}
	src, err := p.Registry.Reopen(d)
	if err != nil {
		return nil // deleted since it was read
	}
	d.Source = src
	return d
}

// ownFrameworks lists the registry's own files of frameworks, in order.
func ownFrameworks(reg *registry.Registry) []string {
	return reg.Select(func(rel string) bool {
		return strings.HasPrefix(rel, frameworkFolder+"/") && !strings.HasPrefix(rel, crosswalkFolder+"/")
	})
}

// ownCrosswalks lists the registry's own files of crosswalks, in order.
func ownCrosswalks(reg *registry.Registry) []string {
	return reg.Select(func(rel string) bool { return strings.HasPrefix(rel, crosswalkFolder+"/") })
}

// frameworkID is the id that a file of a framework must carry.
func frameworkID(name string) string { return strings.TrimSuffix(path.Base(name), ".yaml") }

// builtinFrameworks lists the ids of the frameworks that every registry may use.
func builtinFrameworks() []string {
	var ids []string
	files, err := builtin.FS.ReadDir(frameworkFolder)
	if err != nil {
		return nil // a test of package registry holds that it is there
	}
	for _, f := range files {
		if !f.IsDir() {
			ids = append(ids, frameworkID(f.Name()))
		}
	}
	return ids
}
