package lint

import (
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var tombstone = &Rule{
	ID:       "tombstone",
	Severity: diag.Info,
	Summary:  "an entry that is archived or declined says why",
	Doc: `An entry that left the lists stays where it is, since links lead to it. Whoever follows one wants to know why the
entry is no longer live: say so in ` + "`status.reason`" + `, in a sentence. The schema sees to the other ways out: "removed" keeps
the id, the reason and the date and nothing else, and "renamed" names the new id in "moved_to".`,
	Check: func(p *Pass) {
		s := p.Entry.Status
		if (s.Stage == entry.StageArchived || s.Stage == entry.StageDeclined) && !written(s.Reason) && !p.misread("/status/reason", source.String) {
			p.Reportf("/status/stage", `say why under "status", in "reason"`, "stage %q is given without a reason", s.Stage)
		}
	},
}
