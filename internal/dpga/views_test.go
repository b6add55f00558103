package dpga

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
)

func TestViewOf(t *testing.T) {
	e := &entry.Entry{
		ID: "x", Name: "X", Description: entry.Plain("A thing."), Types: []string{"software", "ai-system"},
		Licenses: []entry.License{{Expression: "MIT"}}, SDGs: []entry.SDG{{Goal: 3, Evidence: []string{"a", "b"}}},
		Repositories:  []entry.Repository{{Name: "main"}},
		Organizations: []entry.Organization{{Name: "O", Role: "owner"}},
		ContactURL:    "https://example.org/contact",
		Stewards:      []entry.Person{{GitHub: "someone"}},
		Status:        entry.Status{Stage: entry.StageNominee},
	}
	want := `{"id":"old-x","name":"X","aliases":[],"description":"A thing.","website":"",` +
		`"license":[{"spdx":"MIT","licenseURL":""}],"SDGs":[{"SDGNumber":3,"evidenceURL":"a\nb"}],"sectors":[],` +
		`"type":["software","aimodel"],"repositories":[{"name":"main","url":""}],` +
		`"organizations":[{"name":"O","website":"","org_type":"owner"}],"stage":"nominee"}`
	got, err := json.Marshal(ViewOf(e, "old-x", "en"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("ViewOf (-want +got):\n%s", diff)
	}
	// Without an answer there are no screening blocks, and no nulls for them.
	if got, err = json.Marshal(ScreenedViewOf(e, "old-x", "en")); err != nil || string(got) != want {
		t.Errorf("ScreenedViewOf = %s, %v, want the same", got, err)
	}
	e.Standard = &entry.Answers{DataSecurity: &entry.Answer{Answer: "not-asked"}, PersonalData: &entry.Answer{Answer: "yes", Items: []string{"name"}}}
	e.Locations = &entry.Locations{DevelopedIn: []string{"PS", "ZZ"}}
	s := ScreenedViewOf(e, "old-x", "en")
	if got, want := s.DoNoHarm.DataPrivacySecurity.CollectsPII, "Yes"; got != want {
		t.Errorf("collectsPII = %q, want %q", got, want)
	}
	if got, want := s.DoNoHarm.DataPrivacySecurity.EnsurePrivacySecurity, ""; got != want {
		t.Errorf("ensurePrivacySecurity = %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"Palestine State", "ZZ"}, s.Locations.DevelopmentCountries); diff != "" {
		t.Errorf("developmentCountries (-want +got):\n%s", diff)
	}
}

func TestCompareIDs(t *testing.T) {
	want := []string{"@firma", "1-x", "a-b", "a", "a1", "ab", "b"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareIDs)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestRealViews goes once around: the predecessor's files to entries, and
// entries to what the predecessor published. Blanks and spellings of countries
// are all that may differ.
func TestRealViews(t *testing.T) {
	expected := realdata.Folder(t, "data/dpga/api_expected")
	source, err := Read(os.DirFS(realdata.Folder(t, "data/dpga/dpga")))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := source.Convert(Options{})
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]View{}
	files, exact, differ := 0, 0, 0
	compare := func(name string, v any) {
		files++
		want, err := os.ReadFile(filepath.Join(expected, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			return
		}
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w, g any
		if err := json.Unmarshal(want, &w); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &g); err != nil {
			t.Fatal(err)
		}
		// Its script left the screening of some entries out by name.
		if old, ok := w.(map[string]any); ok && old["clearOwnership"] == nil && g.(map[string]any)["clearOwnership"] != nil {
			t.Logf("%s: the predecessor left its screening out", name)
			for _, key := range []string{"clearOwnership", "platformIndependence", "documentation", "NonPII", "privacy", "standards", "doNoHarm", "locations"} {
				delete(g.(map[string]any), key)
			}
		}
		if cmp.Equal(w, g) {
			exact++
		}
		if diff := cmp.Diff(withoutBlanks(w), withoutBlanks(g)); diff != "" {
			if differ++; differ <= 10 {
				t.Errorf("%s (-predecessor +ours):\n%s", name, diff)
			}
		}
	}
	for _, c := range made {
		e := c.Entry
		if !e.Status.Live() {
			continue
		}
		id := e.SameAs.DPGA
		if e.Status.Stage == entry.StageDPG {
			compare("dpg/"+id+"/index.json", ScreenedViewOf(&e, id, "en"))
			lists["dpgs"] = append(lists["dpgs"], ViewOf(&e, id, "en"))
		} else {
			compare("nominee/"+id+"/index.json", ViewOf(&e, id, "en"))
			lists["nominees"] = append(lists["nominees"], ViewOf(&e, id, "en"))
		}
	}
	for name, list := range lists {
		slices.SortFunc(list, func(x, y View) int { return CompareIDs(x.ID, y.ID) })
		compare(name+"/index.json", list)
	}
	t.Logf("%d files, %d with the same values, %d more but for blanks and countries, %d that differ", files, exact, files-exact-differ, differ)
	if files < 230 {
		t.Errorf("only %d files were compared", files)
	}
}

// withoutBlanks drops what says nothing and spells countries one way.
func withoutBlanks(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = withoutBlanks(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, x := range v {
			if x = withoutBlanks(x); x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if strings.TrimSpace(v) == "" {
			return nil
		}
		if code, ok := CountryCode(v); ok {
			name, _ := CountryName(code)
			return name
		}
	}
	return v
}
