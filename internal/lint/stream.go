package lint

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Stream counts what Run would find in a registry whose files are read one after
// the other, or were judged before.
type Stream struct {
	run  *run
	kept diag.Count
}

// NewStream begins a count. The registry has its rules and the places of entries.
func NewStream(reg *registry.Registry, opt Options) *Stream {
	opt.NoEdits, opt.noPlaces = true, true
	return &Stream{run: newRun(reg, opt)}
}

// File judges one file by the rules that look at no other, and counts what they
// find. It may be called from several goroutines.
func (s *Stream) File(d *registry.Doc) diag.Count {
	return diag.Tally(diag.Sort(s.run.file(d)))
}

// Kept counts what File found in a file before.
func (s *Stream) Kept(c diag.Count) {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	s.kept = s.kept.Plus(c)
}

// Finish looks across the entries, by their records, and counts all.
func (s *Stream) Finish(ctx context.Context) (diag.Count, error) {
	found, err := s.run.finish(ctx)
	if err != nil {
		return diag.Count{}, err
	}
	return diag.Tally(found).Plus(s.kept), nil
}

// soon is further than any rule looks from the day it judges at to a date.
const soon = 48 * time.Hour

var dateLike = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}`)

// Holds tells for how long the findings on a file hold that were made on a day: up
// to the day before until, or for ever where that is "". Rules compare dates of the
// entry and of the policy with the day; a waiver is looked at every day.
func Holds(d *registry.Doc, asOf string) (until string) {
	if asOf == "" {
		return ""
	}
	if d.Record != nil && len(d.Record.Waivers) > 0 {
		return nextDay(asOf)
	}
	for _, s := range stringsOf(d.Source) {
		until = earlier(until, s.Text, asOf)
	}
	return until
}

// PolicyHolds is Holds for what the policy says.
func PolicyHolds(reg *registry.Registry, asOf string) (until string) {
	if asOf == "" {
		return ""
	}
	data, err := json.Marshal(reg.Policy)
	if err != nil {
		return nextDay(asOf)
	}
	return earlier("", string(data), asOf)
}

// earlier is the earlier of a day and those at which the dates in a text begin to
// matter.
func earlier(until, text, asOf string) string {
	if len(text) < len(time.DateOnly) {
		return until
	}
	for _, date := range dateLike.FindAllString(text, -1) {
		at := date
		if t, err := time.Parse(time.DateOnly, date); err == nil {
			if t.Add(soon).Format(time.DateOnly) < asOf {
				continue // long past
			}
			at = t.Add(-soon).Format(time.DateOnly)
		}
		if at <= asOf {
			at = nextDay(asOf)
		}
		if until == "" || at < until {
			until = at
		}
	}
	return until
}

// nextDay is the day after.
func nextDay(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}
