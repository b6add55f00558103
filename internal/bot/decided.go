package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// ruledOn says in words what state a mapping is in, and by whose decision.
func ruledOn(m assess.Mapping, decisions []entry.Decision) string {
	state := strings.ReplaceAll(m.Review.State, "_", " ")
	ruling := "accept"
	switch m.Review.State {
	case assess.StateProposed:
		return state
	case assess.StateRejected:
		ruling, state = "reject", "rejected"
	}
	for _, d := range slices.Backward(decisions) { // the last one counts
		if d.Ruling == ruling && d.Code == m.Code {
			return fmt.Sprintf("%s by %s as %s on %s because: %s", strings.TrimSuffix(state, " by "+d.As),
				diag.Code(d.By.GitHub, 40), diag.Code(d.As, 20), diag.Code(d.Date, 20), diag.Code(d.Reason, 300))
		}
	}
	return state // in a file that a lock keeps
}

// standsAnyway is folded: what is found now for codes that a person rejected. The
// rejection stands; whoever made it may want to know.
func standsAnyway(old, new *assess.Assessment) string {
	var lines []string
	for _, m := range assess.NewEvidence(old, new) {
		var quotes []string
		for _, e := range m.Evidence {
			quotes = append(quotes, diag.Code(e.Pointer, 100)+" says "+diag.Code(e.Quote, 300))
		}
		lines = append(lines, "- **"+diag.Code(m.Code, 100)+"** stays rejected, though "+strings.Join(quotes, "; ")+"\n")
	}
	if len(lines) == 0 {
		return ""
	}
	return fold("New evidence for "+plural(len(lines), "rejected code", "rejected codes")+", which changes nothing", firstOf(lines))
}

// keptText says of a locked summary that it stays though its facts changed; "" where
// there is nothing to say.
func keptText(s *assess.Summary) string {
	if s == nil || s.Locked == nil || len(s.Locked.Changed) == 0 {
		return ""
	}
	var fields []string
	for _, p := range s.Locked.Changed {
		fields = append(fields, diag.Code(p, 100))
	}
	shown := fields[:min(len(fields), 5)]
	more := ""
	if n := len(fields) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return "The summary is locked and stays, though its facts changed: " + strings.Join(shown, ", ") + more + ".\n\n"
}

// wentAway says why an assessment goes, whose entry may live on under another path
// or id.
func wentAway(reg *registry.Registry, ref entry.Ref) string {
	d := reg.Entry(ref)
	switch {
	case d != nil && d.Entry.Status.Live():
		return "its file moved, and its assessment moves along."
	case d != nil && d.Entry.Status.Stage == entry.StageRenamed:
		return "now " + diag.Code(ref.Kind+"/"+d.Entry.Status.MovedTo, 200) + ", and its assessment moves along."
	}
	return "no longer listed, so its assessment goes."
}
