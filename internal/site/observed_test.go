package site

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// What was observed is told in a line each, beside what is declared.
func TestObservedFacts(t *testing.T) {
	text := func(s string) *string { return &s }
	count := func(n int) *int { return &n }
	const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	repository := func(edit func(*catalog.ObservedRepository)) catalog.ObservedRepository {
		r := catalog.ObservedRepository{
			URL: text("https://github.com/o/r"), AsOf: text("2026-01-05"), Presence: registry.StatePresent, Agreement: "same",
			Commit: text(commit), CommitURL: text("https://github.com/o/r/tree/" + commit),
			Files: []catalog.ObservedFile{{File: "LICENSE", LicenseExpression: text("MIT")}},
		}
		if edit != nil {
			edit(&r)
		}
		return r
	}
	one := func(edit func(*catalog.ObservedRepository)) catalog.Entry {
		r := repository(edit)
		return catalog.Entry{
			Licenses: []catalog.License{{Expression: "MIT"}}, Repositories: []catalog.Repository{{URL: r.URL}},
			Observations: &catalog.Observations{Repositories: []catalog.ObservedRepository{r}},
		}
	}
	const seen = "Licence seen | Declared MIT; the repository at 1a2b3c4: "
	const source = "Source code | https://github.com/o/r"
	list := func(s *catalog.ObservedSBOM) catalog.Entry {
		return catalog.Entry{SBOM: &catalog.SBOM{URL: text("https://o.example/sbom")}, Observations: &catalog.Observations{SBOM: s}}
	}
	for _, tt := range []struct {
		name string
		e    catalog.Entry
		want []string
	}{
		{"nobody looked", catalog.Entry{Licenses: []catalog.License{{Expression: "MIT"}}}, []string{"Licence | MIT"}},
		{"the same", one(nil), []string{"Licence | MIT", seen + "LICENSE says MIT, seen 2026-01-05 (the same)", source}},
		{"another, at a place that has moved", one(func(r *catalog.ObservedRepository) {
			r.Files[0].LicenseExpression, r.Agreement = text("ISC"), "different"
			r.Presence, r.MovedTo, r.Archived = registry.StateMoved, text("https://github.com/o/s"), true
		}), []string{"Licence | MIT", seen + "LICENSE says ISC, seen 2026-01-05 (they differ)",
			source + " (moved to https://github.com/o/s, archived by its owners, seen 2026-01-05)"}},
		{"what cannot be told", one(func(r *catalog.ObservedRepository) {
			r.Files = []catalog.ObservedFile{{File: "COPYING", Skipped: text("binary")}, {File: "LICENSE"},
				{File: "LICENSE.md", LicenseExpression: text("GPL-3.0-only"), Alternatives: []string{"GPL-3.0-only", "GPL-3.0-or-later"}}, {File: "LICENSE.txt"}}
			r.Agreement = "unknown"
		}), []string{"Licence | MIT", seen + "COPYING was not read, LICENSE cannot be told, LICENSE.md says GPL-3.0-only or GPL-3.0-or-later, and 1 more, seen 2026-01-05", source}},
		{"no text", one(func(r *catalog.ObservedRepository) { r.Files, r.Agreement = nil, "unknown" }),
			[]string{"Licence | MIT", seen + "no licence text, seen 2026-01-05", source}},
		{"gone", one(func(r *catalog.ObservedRepository) {
			r.Presence, r.Commit, r.CommitURL, r.Files = registry.StateGone, nil, nil, nil
		}),
			[]string{"Licence | MIT", source + " (not there, seen 2026-01-05)"}},
		{"a list of dependencies that nobody looked at", catalog.Entry{SBOM: &catalog.SBOM{URL: text("https://o.example/sbom"), AsOf: text("2025-01-01")}},
			[]string{"Dependencies | listed by the project (2025-01-01)"}},
		{"restrictions", list(&catalog.ObservedSBOM{
			AsOf: text("2026-01-05"), Presence: registry.StatePresent, DependencyCount: count(12), NotAcceptedCount: count(3), UnknownCount: count(1),
			Restrictions: []catalog.Restriction{{License: "BUSL-1.1", Dependencies: []string{"driver"}, More: 2}, {License: "NOASSERTION", Dependencies: []string{"odd"}}},
		}), []string{"Dependencies | 12 listed, 3 under licences that the policy does not accept, 1 under ones that nobody can tell (BUSL-1.1: driver and 2 more; NOASSERTION: odd; seen 2026-01-05)"}},
		{"a list that is no list", list(&catalog.ObservedSBOM{AsOf: text("2026-01-05"), Presence: registry.StateUnreadable}),
			[]string{"Dependencies | the list cannot be read (seen 2026-01-05)"}},
		{"a list that is gone", list(&catalog.ObservedSBOM{AsOf: text("2026-01-05"), Presence: registry.StateGone}),
			[]string{"Dependencies | the list is not there (seen 2026-01-05)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range factsOf(tt.e) {
				for _, v := range f.Values {
					s := f.Name + " | " + v.Text
					if v.Note != "" {
						s += " (" + v.Note + ")"
					}
					got = append(got, s)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}

	// Of many repositories a few are told, each by its address.
	e := one(nil)
	for i := range 5 {
		e.Repositories = append(e.Repositories, catalog.Repository{URL: text(fmt.Sprintf("https://git.example.org/%d", i))})
		e.Observations.Repositories = append(e.Observations.Repositories, repository(func(r *catalog.ObservedRepository) { r.URL, r.CommitURL = e.Repositories[i+1].URL, nil }))
	}
	all := licensesSeen(e)
	if len(all) != shownSeen+1 || all[shownSeen].Text != "and 3 more" || !strings.HasPrefix(all[1].Text, "the same; https://git.example.org/0 at 1a2b3c4: ") {
		t.Errorf("of many: %q", all)
	}
}
