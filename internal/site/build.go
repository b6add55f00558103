package site

import (
	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// Build makes the whole of what is published: the catalog of a registry with the
// assessments that stand in it, and the pages.
func Build(in catalog.Input) (*catalog.Catalog, error) {
	if in.Assessments == nil {
		// One that cannot be used is left out here and a finding of the check.
		in.Assessments, _ = assess.Read(in.Registry)
	}
	cat, err := catalog.Build(in)
	if err != nil {
		return nil, err
	}
	return cat, Add(cat)
}
