package assess

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a crosswalk relates is shown to readers and believed by nobody: with it,
// without it and with its reverse, the same is proposed, byte by byte.
func TestCrosswalkIsNoEvidence(t *testing.T) {
	const walk = "frameworks/crosswalk/care.yaml"
	goals := "schema: framework/v1\nid: goals\nname: Goals\nversion: \"1\"\n" +
		"source: {publisher: Nobody, url: \"https://example.org\", license: CC0-1.0, attribution: None}\n" +
		"lists: [{id: goals, name: Goals, mapped: true}]\n" +
		"codes: [{code: safe, list: goals, name: Safe, description: Safe.}]\n"
	with := func(row string) tree {
		f := testTree(t)
		f["frameworks/goals.yaml"] = goals
		delete(f, "registry.yaml") // all frameworks, the built-in ones too
		if row != "" {
			f[walk] = "schema: crosswalk/v1\nid: care\nname: Care\nnotice: Ours.\nrows: [" + row + "]\n"
		}
		return f
	}
	forward := "{code: care/security, related: [{code: goals/safe, why: Both are about safety.}]}"
	back := "{code: goals/safe, related: [{code: care/privacy, why: Both are about safety.}]}"
	f := with(forward)
	if reg := f.load(t); len(reg.Crosswalks) != 2 || len(reg.Findings) > 0 {
		t.Fatalf("%d crosswalks and findings %v, want the built-in one and the test's own", len(reg.Crosswalks), reg.Findings)
	}
	want, _ := f.plan(t)
	found := false
	for _, p := range want {
		for _, m := range p.New.Mappings {
			found = found || m.Code == "care/security"
			if m.Code == "goals/safe" {
				t.Errorf("%s is mapped to %s, of which its words say nothing", p.Ref, m.Code)
			}
		}
	}
	if !found {
		t.Fatal("no entry is mapped to care/security, so the test shows nothing")
	}
	for name, row := range map[string]string{"without it": "", "reversed": back, "both": forward + ", " + back} {
		got, _ := with(row).plan(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, what is proposed differs:\n%s", name, diff)
		}
	}
	// The built-in one too.
	reg := f.load(t)
	reg.Crosswalks = nil
	got, err := Plan(t.Context(), reg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("without any crosswalk, what is proposed differs:\n%s", diff)
	}
}
