package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

const (
	open    = "Software must be open."
	ended   = "it was accepted until 2023-12-31"
	notYet  = "it is accepted from 2027-01-01 on, not before"
	undated = "it is accepted for a time only, and no day is given to judge at"
	noRef   = "what is not on the SPDX list has to be read by a person"
)

func example() *policy.Policy {
	return &policy.Policy{Licenses: map[string]policy.Acceptance{
		"software": {Reason: open, Accepted: []policy.Accepted{
			{IDs: []string{"MIT", "apache-2.0", "GPL-2.0-only", "GPL-2.0-or-later"}},
			{IDs: []string{"EPL-1.0"}, Until: "2023-12-31", Reason: "For those that were there."},
			{IDs: []string{"EUPL-1.1", "OSL-2.0"}, Until: "2026-12-31", Reason: "Kept for a while."},
			{IDs: []string{"OSL-2.0"}, Until: "2028-12-31"},
			{IDs: []string{"EUPL-1.2"}, Since: "2027-01-01"},
			{IDs: []string{"MPL-2.0"}, Until: "2020-12-31"},
			{IDs: []string{"MPL-2.0"}, Since: "2021-01-01"},
			{IDs: []string{"LGPL-3.0-only"}},
		}},
	}}
}

func TestJudge(t *testing.T) {
	const day = "2026-06-01"
	tests := []struct {
		expr, asOf string
		want       policy.Verdict
	}{
		{"MIT", day, policy.Verdict{State: policy.StateAccepted, License: "MIT", Reason: open}},
		{"MIT", "", policy.Verdict{State: policy.StateAccepted, License: "MIT", Reason: open}},
		{"Apache-2.0", day, policy.Verdict{State: policy.StateAccepted, License: "Apache-2.0", Reason: open}}, // whatever case the policy writes
		{"CC-BY-4.0", day, policy.Verdict{State: policy.StateNotAccepted, License: "CC-BY-4.0", Reason: open}},

		// Either will do; all have to.
		{"CC-BY-4.0 OR MIT", day, policy.Verdict{State: policy.StateAccepted, License: "MIT", Reason: open}},
		{"CC-BY-4.0 AND MIT", day, policy.Verdict{State: policy.StateNotAccepted, License: "CC-BY-4.0", Reason: open}},
		{"MIT AND (CC-BY-4.0 OR Apache-2.0)", day, policy.Verdict{State: policy.StateAccepted, License: "MIT", Reason: open}},
		{"(MIT AND CC-BY-4.0) OR (MIT AND CC0-1.0)", day, policy.Verdict{State: policy.StateNotAccepted, License: "CC-BY-4.0", Reason: open}},
		{"LicenseRef-Own OR CC-BY-4.0", day, policy.Verdict{State: policy.StateUnknown, License: "LicenseRef-Own", Reason: noRef}},
		{"LicenseRef-Own AND CC-BY-4.0", day, policy.Verdict{State: policy.StateNotAccepted, License: "CC-BY-4.0", Reason: open}},
		{"LicenseRef-Own AND MIT", day, policy.Verdict{State: policy.StateUnknown, License: "LicenseRef-Own", Reason: noRef}},

		// Dates: the last day counts, and so does the first.
		{"EUPL-1.1", day, policy.Verdict{State: policy.StateAcceptedUntil, License: "EUPL-1.1", Until: "2026-12-31", Reason: "Kept for a while."}},
		{"EUPL-1.1", "2026-12-31", policy.Verdict{State: policy.StateAcceptedUntil, License: "EUPL-1.1", Until: "2026-12-31", Reason: "Kept for a while."}},
		{"EUPL-1.1", "2027-01-01", policy.Verdict{State: policy.StateNotAccepted, License: "EUPL-1.1", Reason: "it was accepted until 2026-12-31"}},
		{"EPL-1.0", day, policy.Verdict{State: policy.StateNotAccepted, License: "EPL-1.0", Reason: ended}},
		{"EUPL-1.2", day, policy.Verdict{State: policy.StateNotAccepted, License: "EUPL-1.2", Reason: notYet}},
		{"EUPL-1.2", "2027-01-01", policy.Verdict{State: policy.StateAccepted, License: "EUPL-1.2", Reason: open}},
		{"MPL-2.0", day, policy.Verdict{State: policy.StateAccepted, License: "MPL-2.0", Reason: open}}, // one row ends, the next begins
		{"OSL-2.0", day, policy.Verdict{State: policy.StateAcceptedUntil, License: "OSL-2.0", Until: "2028-12-31", Reason: open}},
		{"EUPL-1.1 AND OSL-2.0", day, policy.Verdict{State: policy.StateAcceptedUntil, License: "EUPL-1.1", Until: "2026-12-31", Reason: "Kept for a while."}},
		{"EUPL-1.1 OR OSL-2.0", day, policy.Verdict{State: policy.StateAcceptedUntil, License: "OSL-2.0", Until: "2028-12-31", Reason: open}},

		// Without a day, dated rows are not judged.
		{"EUPL-1.1", "", policy.Verdict{State: policy.StateUnknown, License: "EUPL-1.1", Reason: undated}},
		{"EPL-1.0 AND MIT", "", policy.Verdict{State: policy.StateUnknown, License: "EPL-1.0", Reason: undated}},
		{"EPL-1.0 OR MIT", "", policy.Verdict{State: policy.StateAccepted, License: "MIT", Reason: open}},

		// Later versions, exceptions, and ids that SPDX has split.
		{"GPL-2.0+", day, policy.Verdict{State: policy.StateAccepted, License: "GPL-2.0+", Reason: open}},
		{"GPL-2.0", day, policy.Verdict{State: policy.StateAccepted, License: "GPL-2.0", Reason: open}},
		{"LGPL-3.0", day, policy.Verdict{State: policy.StateNotAccepted, License: "LGPL-3.0", Reason: open}}, // only one of its two successors is
		{"MIT+", day, policy.Verdict{State: policy.StateAccepted, License: "MIT+", Reason: open}},
		{"GPL-2.0-only WITH Classpath-exception-2.0", day, policy.Verdict{State: policy.StateAccepted, License: "GPL-2.0-only WITH Classpath-exception-2.0", Reason: open}},
		{"GPL-2.0-with-classpath-exception", day, policy.Verdict{State: policy.StateAccepted, License: "GPL-2.0-with-classpath-exception", Reason: open}},
		{"MIT WITH AdditionRef-mine", day, policy.Verdict{State: policy.StateUnknown, License: "MIT WITH AdditionRef-mine", Reason: noRef}},
		{"DocumentRef-x:LicenseRef-y", day, policy.Verdict{State: policy.StateUnknown, License: "DocumentRef-x:LicenseRef-y", Reason: noRef}},
	}
	for _, tt := range tests {
		expr, err := spdx.Parse(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, example().Judge("software", expr, tt.asOf)); diff != "" {
			t.Errorf("Judge(%q, %q) differs (-want +got):\n%s", tt.expr, tt.asOf, diff)
		}
	}
}

// Where nothing can be said, nothing is.
func TestJudgeWithoutList(t *testing.T) {
	mit := spdx.Expr{License: "MIT"}
	for name, got := range map[string]policy.Verdict{
		"no policy":     (*policy.Policy)(nil).Judge("software", mit, ""),
		"no such type":  example().Judge("poem", mit, ""),
		"no expression": example().Judge("software", spdx.Expr{}, ""),
	} {
		if got.State != policy.StateUnknown || got.Reason == "" {
			t.Errorf("%s gives %+v, want unknown with a reason", name, got)
		}
	}
}

func TestAcceptedIDs(t *testing.T) {
	always := []string{"MIT", "apache-2.0", "GPL-2.0-only", "GPL-2.0-or-later"}
	tests := []struct {
		asOf string
		want []string
	}{
		{"", append(slices.Clone(always), "LGPL-3.0-only")},
		{"2026-06-01", append(slices.Clone(always), "EUPL-1.1", "OSL-2.0", "MPL-2.0", "LGPL-3.0-only")},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, example().AcceptedIDs("software", tt.asOf)); diff != "" {
			t.Errorf("AcceptedIDs at %q differ (-want +got):\n%s", tt.asOf, diff)
		}
	}
	if got := (*policy.Policy)(nil).AcceptedIDs("software", ""); got != nil {
		t.Errorf("no policy accepts %q", got)
	}
}

// A long expression is no more work than a short one.
func BenchmarkJudge(b *testing.B) {
	expr, err := spdx.Parse("MIT" + strings.Repeat(" AND (MIT OR CC-BY-4.0 OR LicenseRef-a)", 1000))
	if err != nil {
		b.Fatal(err)
	}
	p := example()
	for b.Loop() {
		p.Judge("software", expr, "2026-06-01")
	}
}
