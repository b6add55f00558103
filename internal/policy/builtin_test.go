package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// load reads the policy of a tree of files; without policy.yaml, the built-in one.
func load(t *testing.T, files fstest.MapFS) *policy.Policy {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range reg.Findings {
		t.Errorf("%s: %s", d.Path, d.Message)
	}
	return reg.Policy
}

func parse(t *testing.T, s string) spdx.Expr {
	t.Helper()
	x, err := spdx.Parse(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return x
}

// What the policy that comes with the project makes of licences, by the words of
// the DPG Standard and the Alliance's own list.
func TestBuiltin(t *testing.T) {
	p := load(t, nil)
	const yes, no, unknown = policy.StateAccepted, policy.StateNotAccepted, policy.StateUnknown
	for _, tt := range []struct {
		expr                                  string
		software, data, content, standard, ai policy.State
	}{
		{"MIT", yes, no, no, yes, yes},
		{"Apache-2.0", yes, no, no, yes, yes},
		{"GPL-3.0-only", yes, no, no, yes, yes},
		{"GPL-3.0-or-later", yes, no, no, yes, yes},
		{"GPL-3.0", yes, no, no, yes, yes},       // deprecated; the list of the Alliance has it
		{"GPL-3.0+", yes, no, no, yes, yes},      // as much as GPL-3.0-or-later
		{"LGPL-2.0", yes, no, no, yes, yes},      // deprecated and not named: both successors are
		{"EUPL-1.1", yes, no, no, yes, yes},      // approved by the OSI, not on the Alliance's list
		{"BSD-4-Clause", no, no, no, no, no},     // not approved
		{"TAPR-OHL-1.0", no, no, no, no, no},     // hardware
		{"CC0-1.0", no, yes, yes, yes, yes},      // not approved for software
		{"CC-BY-4.0", no, yes, yes, yes, yes},    //
		{"CC-BY-SA-4.0", no, yes, yes, yes, yes}, //
		{"CC-BY-3.0", no, no, yes, yes, no},      //
		{"CC-BY-NC-4.0", no, no, yes, yes, no},   // a bar on commercial use, for content only
		{"CC-BY-NC-SA-3.0-IGO", no, no, yes, yes, no},
		{"CC-BY-ND-4.0", no, no, no, no, no}, // no derivatives: nowhere
		{"CC-BY-NC-ND-4.0", no, no, no, no, no},
		{"ODbL-1.0", no, yes, no, no, yes},
		{"OGL-UK-3.0", no, no, no, no, no},
		{"MIT OR CC-BY-4.0", yes, yes, yes, yes, yes}, // a choice: the better one
		{"MIT AND CC-BY-4.0", no, no, no, yes, yes},   // both apply
		{"MIT AND CC-BY-NC-4.0", no, no, no, yes, no}, //
		{"(MIT OR ISC) AND 0BSD", yes, no, no, yes, yes},
		{"GPL-2.0-only WITH Classpath-exception-2.0", yes, no, no, yes, yes}, // only adds permissions
		{"CC-BY-ND-4.0 WITH LLVM-exception", no, no, no, no, no},             // and makes nothing acceptable
		{"LicenseRef-own", unknown, unknown, unknown, unknown, unknown},
		{"MIT WITH AdditionRef-own", unknown, unknown, unknown, unknown, unknown},
		{"MIT OR LicenseRef-own", yes, unknown, unknown, yes, yes},
		{"MIT AND LicenseRef-own", unknown, no, no, unknown, unknown},
	} {
		for workType, want := range map[string]policy.State{"software": tt.software, "data": tt.data, "content": tt.content, "standard": tt.standard, "ai-system": tt.ai} {
			v := p.Judge(workType, parse(t, tt.expr), "2026-06-01")
			if v.State != want {
				t.Errorf("%s for %s is %s, want %s (%s)", tt.expr, workType, v.State, want, v.Reason)
			}
			if s := v.Sentence(workType); !strings.Contains(s, workType) || strings.Contains(s, "\n") || strings.HasSuffix(s, ".") || len(v.Reason) < 20 {
				t.Errorf("%s for %s: %q is no sentence with a reason", tt.expr, workType, s)
			}
			if want != unknown && !strings.HasPrefix(v.Source, "https://") {
				t.Errorf("%s for %s has the source %q", tt.expr, workType, v.Source)
			}
		}
	}
}

// The reason given for software is that the OSI approved its licence: so whatever
// the SPDX list says is approved has to be accepted, after an update of it too.
// And every id has to be one of the list.
func TestBuiltinAgreesWithTheList(t *testing.T) {
	p := load(t, nil)
	n := 0
	for _, l := range spdx.Licenses() {
		if v := p.Judge("software", spdx.Expr{License: l.ID}, ""); l.OSI && v.State != policy.StateAccepted {
			t.Errorf("%s is approved by the OSI, and %s for software", l.ID, v.State)
		}
		if l.OSI {
			n++
		}
	}
	if n < 140 {
		t.Errorf("only %d ids are approved by the OSI", n)
	}
	for workType, list := range p.Licenses {
		for _, row := range list.Accepted {
			for _, id := range row.IDs {
				if l, ok := spdx.Lookup(id); !ok || l.ID != id {
					t.Errorf("%s: %q is not on the SPDX list", workType, id)
				}
			}
		}
	}
}

// A registry's own policy takes the place of the built-in one.
func TestOwnPolicy(t *testing.T) {
	p := load(t, fstest.MapFS{"policy.yaml": {Data: []byte(`schema: policy/v1
licenses:
  software:
    reason: Only what we know.
    source: https://example.org/licences
    accepted:
      - ids: [ISC]
      - {ids: [EUPL-1.2], until: 2026-12-31, reason: Until we have asked., source: "https://example.org/eupl"}
`)}})
	for _, tt := range []struct {
		workType, expr, asOf, want, source string
	}{
		{"software", "ISC", "2026-06-01", `licence "ISC" is accepted for type "software": Only what we know`, "https://example.org/licences"},
		{"software", "MIT", "2026-06-01", `licence "MIT" is not accepted for type "software": Only what we know`, "https://example.org/licences"},
		{"software", "EUPL-1.2", "2026-06-01", `licence "EUPL-1.2" is accepted for type "software" until 2026-12-31, not after: Until we have asked`, "https://example.org/eupl"},
		{"software", "EUPL-1.2", "2027-01-01", `licence "EUPL-1.2" is not accepted for type "software": it was accepted until 2026-12-31`, "https://example.org/eupl"},
		{"software", "EUPL-1.2", "", `whether licence "EUPL-1.2" is accepted for type "software" is unknown: it is accepted for a time only, and no day is given to judge at`, "https://example.org/eupl"},
		{"data", "CC-BY-4.0", "2026-06-01", `whether a licence is accepted for type "data" is unknown: the policy keeps no list of licences for this type`, ""},
	} {
		v := p.Judge(tt.workType, parse(t, tt.expr), tt.asOf)
		if got := v.Sentence(tt.workType); got != tt.want || v.Source != tt.source {
			t.Errorf("%s for %s at %q: %q (%s), want %q (%s)", tt.expr, tt.workType, tt.asOf, got, v.Source, tt.want, tt.source)
		}
	}
}
