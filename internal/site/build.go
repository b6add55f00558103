package site

import (
	"context"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

// Build makes the whole of what is published: the catalog of a registry with the
// assessments that stand in it and the count of what a check finds, and the
// pages. Dated rules are judged as of the commit, so that it gives the same
// bytes for ever; without one they are not judged.
func Build(ctx context.Context, in catalog.Input) (*catalog.Catalog, error) {
	var opt lint.Options
	if in.Head != nil {
		opt.AsOf = in.Head.At.Format(time.DateOnly)
	}
	found, err := lint.Run(ctx, in.Registry, opt)
	if err != nil {
		return nil, err
	}
	assessments, unread := assess.Read(in.Registry)
	count := diag.Tally(append(found, unread...))
	in.Assessments, in.Findings, in.AsOf = assessments, &count, opt.AsOf
	in.Pages = Pages{}
	return catalog.Build(in)
}
