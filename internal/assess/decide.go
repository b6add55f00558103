package assess

import (
	"strconv"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// The states of a review. Only a decision in the entry changes a state.
const (
	StateProposed            = "proposed"
	StateConfirmedBySteward  = "confirmed_by_steward"
	StateConfirmedByRegistry = "confirmed_by_registry"
	StateRejected            = "rejected"
)

// rulings are what the decisions of an entry come to. The last one on a thing
// wins; who may rule at all is for the rules to say.
type rulings struct {
	states       map[string]string // by full code
	noMappings   bool
	lockMappings bool
	noSummary    bool
	lockSummary  bool
	own          *entry.Text // a person's own summary
	ownAt        string      // pointer to it
}

func rulingsOf(e *entry.Entry) rulings {
	r := rulings{states: map[string]string{}}
	for i, d := range e.Decisions {
		summary := d.On == "summary" || d.On == "all"
		mappings := d.On == "mappings" || d.On == "all"
		switch d.Ruling {
		case "accept":
			switch d.As {
			case "steward":
				r.states[d.Code] = StateConfirmedBySteward
			case "registry":
				r.states[d.Code] = StateConfirmedByRegistry
			}
		case "reject":
			r.states[d.Code] = StateRejected
		case "own-summary":
			r.own, r.ownAt = &e.Decisions[i].Text, source.Pointer("decisions", strconv.Itoa(i), "text")
			r.noSummary, r.lockSummary = false, false
		case "lock":
			r.lockSummary = r.lockSummary || summary && r.own == nil && !r.noSummary
			r.lockMappings = r.lockMappings || mappings
		case "opt-out":
			r.noMappings = r.noMappings || mappings
			if summary {
				r.noSummary, r.lockSummary, r.own = true, false, nil
			}
		}
	}
	return r
}

// state is the review state of a code.
func (r rulings) state(code string) string {
	if s := r.states[code]; s != "" {
		return s
	}
	return StateProposed
}
