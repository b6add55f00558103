package bot

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// differing lists what a change makes different in an entry; nil where it was not
// there to be read, or has no content of its own.
func differing(before, after *registry.Doc) []history.Field {
	if after.Entry.Status.Stage == entry.StageRemoved {
		return nil // what was erased is not repeated
	}
	was, is := valuesOf(before), valuesOf(after)
	if was == nil || is == nil {
		return nil
	}
	return history.Differing(was, is)
}

func valuesOf(d *registry.Doc) map[string]any {
	if d == nil || d.Source == nil || d.Source.Root == nil {
		return nil
	}
	values, _ := d.Source.Root.Value().(map[string]any)
	return values
}

// Bounds of a table of changes, of one entry.
const (
	maxFields = 30
	maxItems  = 12  // of a list, on one side
	maxValue  = 240 // characters
)

// changesTable shows what differs, for whoever decides: of lists only what
// comes and goes.
func changesTable(fields []history.Field) string {
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| what changes | was | becomes |\n|---|---|---|\n")
	for _, f := range fields[:min(len(fields), maxFields)] {
		was, is := sides(f)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", diag.Cell(strings.TrimPrefix(f.Pointer, "/"), 100), was, is)
	}
	b.WriteString("\n")
	if n := len(fields) - maxFields; n > 0 {
		fmt.Fprintf(&b, "And %s.\n\n", plural(n, "field more", "fields more"))
	}
	return b.String()
}

// sides are the two cells of a field. Addresses of people are masked, as in
// findings: who takes one out does not want it in a comment.
func sides(f history.Field) (was, is string) {
	before, wasList := f.Was.([]any)
	after, isList := f.Is.([]any)
	if !wasList && f.Was != nil || !isList && f.Is != nil {
		return shown(f.Was), shown(f.Is)
	}
	gone, come := without(before, after), without(after, before)
	if len(gone) == 0 && len(come) == 0 {
		return "the same", "in another order"
	}
	return items(gone), items(come)
}

// without lists the items of a that b has not, as often as a has them more.
func without(a, b []any) []string {
	have := map[string]int{}
	for _, v := range b {
		have[oneValue(v)]++
	}
	var out []string
	for _, v := range a {
		if s := oneValue(v); have[s] > 0 {
			have[s]--
		} else {
			out = append(out, s)
		}
	}
	return out
}

func items(all []string) string {
	cells := make([]string, 0, maxItems)
	for _, s := range all[:min(len(all), maxItems)] {
		cells = append(cells, diag.Cell(s, maxValue))
	}
	s := strings.Join(cells, ", ")
	if n := len(all) - maxItems; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

func shown(v any) string {
	if v == nil {
		return ""
	}
	return diag.Cell(oneValue(v), maxValue)
}

// oneValue is a value on one line: texts as they are, all else as JSON.
func oneValue(v any) string {
	if s, ok := v.(string); ok {
		return lint.MaskContacts(s)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // a number that JSON has no word for
		return fmt.Sprint(v)
	}
	return lint.MaskContacts(b.String())
}
