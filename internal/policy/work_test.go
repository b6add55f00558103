package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

func TestJudgeWork(t *testing.T) {
	p := &policy.Policy{Licenses: map[string]policy.Acceptance{
		"software": {Reason: "S", Accepted: []policy.Accepted{{IDs: []string{"MIT", "Apache-2.0"}}, {IDs: []string{"EPL-1.0"}, Until: "2026-12-31"}}},
		"data":     {Reason: "D", Accepted: []policy.Accepted{{IDs: []string{"CC-BY-4.0", "CC0-1.0"}}}},
	}}
	for _, tt := range []struct {
		name, types, licenses string // a licence is "covers=expression"
		want                  string // type at basis verdict by: licences
	}{
		{"one type, one licence", "software", "=MIT", "software 0 whole accepted MIT: 0"},
		{"all of several have to be", "software", "=MIT; =CC-BY-4.0", "software 0 whole not-accepted CC-BY-4.0: 0 1"},
		{"the one that ends first", "software", "=MIT; =EPL-1.0", "software 0 whole accepted-until EPL-1.0: 0 1"},
		{"each part by its own", "software data", "software=MIT; data=CC-BY-4.0", "software 0 own accepted MIT: 0\ndata 1 own accepted CC-BY-4.0: 1"},
		{"the other way round", "software data", "software=CC-BY-4.0; data=MIT", "software 0 own not-accepted CC-BY-4.0: 0\ndata 1 own not-accepted MIT: 1"},
		{"its own before that of all", "software data", "=CC-BY-4.0; software=MIT", "software 0 own accepted MIT: 1\ndata 1 whole accepted CC-BY-4.0: 0"},
		{"all of its own have to be", "software data", "software=MIT; software=CC0-1.0; =CC0-1.0", "software 0 own not-accepted CC0-1.0: 0 1\ndata 1 whole accepted CC0-1.0: 2"},
		{"one for all", "software data", "=MIT", "software 0 whole accepted MIT: 0\ndata 1 whole not-accepted MIT: 0"},
		{"several for all: one will do", "software data", "=CC0-1.0; =MIT; =LicenseRef-x", "software 0 choice accepted MIT: 0 1 2\ndata 1 choice accepted CC0-1.0: 0 1 2"},
		{"several for all: none", "software data", "=ISC; =Zlib", "software 0 choice not-accepted ISC: 0 1\ndata 1 choice not-accepted ISC: 0 1"},
		{"a part without one", "software data", "software=MIT; documentation=CC-BY-4.0", "software 0 own accepted MIT: 0\ndata 1 none unknown : "},
		{"documentation is not judged", "software", "=MIT; documentation=CC-BY-NC-4.0", "software 0 whole accepted MIT: 0"},
		{"a type twice", "software software", "=MIT; =CC0-1.0", "software 0 choice accepted MIT: 0 1"},
		{"a type without a list", "standard software", "=MIT", "standard 0 whole unknown , no list: 0\nsoftware 1 whole accepted MIT: 0"},
		{"no licence", "software", "", "software 0 none unknown : "},
		{"no type", "", "=MIT", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var licenses []policy.Licensed
			for _, l := range strings.Split(tt.licenses, "; ") {
				if covers, expr, ok := strings.Cut(l, "="); ok {
					x, err := spdx.Parse(expr)
					if err != nil {
						t.Fatal(err)
					}
					licenses = append(licenses, policy.Licensed{Covers: covers, Expr: x})
				}
			}
			var got []string
			for _, part := range p.JudgeWork(strings.Fields(tt.types), licenses, "2026-06-01") {
				var by []string
				for _, l := range part.Licenses {
					by = append(by, fmt.Sprint(l.At))
				}
				listed := ""
				if !part.Listed {
					listed = ", no list"
				}
				got = append(got, fmt.Sprintf("%s %d %s %s %s%s: %s", part.Type, part.At, part.Basis, part.Verdict.State, part.Verdict.License, listed, strings.Join(by, " ")))
				if part.Verdict.Reason == "" {
					t.Errorf("%s: no reason", part.Type)
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("JudgeWork (-want +got):\n%s", diff)
			}
		})
	}
	var none *policy.Policy
	if parts := none.JudgeWork([]string{"software"}, []policy.Licensed{{}}, ""); len(parts) != 1 || parts[0].Listed || parts[0].Verdict.State != policy.StateUnknown {
		t.Errorf("without a policy: %+v", parts)
	}
}
