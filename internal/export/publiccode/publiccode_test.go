package publiccode

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func build(t *testing.T, files registry.Files) *catalog.Export {
	t.Helper()
	reg, err := registry.Load(context.Background(), files, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := catalog.ExportOf(catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// of is what Each visits.
func of(x *catalog.Export, facts Facts) (all []Software, strange []string, err error) {
	strange, err = Each(x, facts, func(s Software) error { all = append(all, s); return nil })
	return all, strange, err
}

func included(t *testing.T) *catalog.Export {
	t.Helper()
	return build(t, registry.FromFS(os.DirFS("../../../registry")))
}

// valid holds a file against what the standard asks for.
func valid(t *testing.T, data []byte) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/publiccode-0.5.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v:\n%s", err, data)
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(v)
}

func facts(t *testing.T, text string) Facts {
	t.Helper()
	f, err := ReadFacts(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// No entry says by itself all that the standard asks for, and nothing is invented.
func TestNothingInvented(t *testing.T) {
	all, strange, err := of(included(t), nil)
	if err != nil || len(strange) > 0 {
		t.Fatal(strange, err)
	}
	if len(all) < 40 {
		t.Errorf("%d software entries, want those of the included registry", len(all))
	}
	why := map[string]int{}
	for _, s := range all {
		if s.File != nil {
			t.Errorf("%s has a file, and nobody said its platforms", s.Ref)
		}
		for _, g := range s.Gaps {
			why[g.Key]++
		}
	}
	for _, key := range []string{"platforms", "developmentStatus", "softwareType", "maintenance/type", "localisation/localisationReady", "localisation/availableLanguages"} {
		if why[key] != len(all) {
			t.Errorf("%s is missing of %d of %d", key, why[key], len(all))
		}
	}
	t.Log(why)
}

const said = `
dhis2:
  platforms: [web, android]
  developmentStatus: stable
  softwareType: standalone/web
  description:
    en:
      shortDescription: Collects, analyses and shares data.
      features: [Charts, Maps]
      documentation: https://docs.dhis2.org/
  maintenance: {type: community, contacts: [{name: A Person, affiliation: A University}]}
  localisation: {localisationReady: true, availableLanguages: [en, fr, pt-BR]}
no-such: {platforms: [web]}
`

func TestWithFacts(t *testing.T) {
	all, strange, err := of(included(t), facts(t, said))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"no-such"}, strange); diff != "" {
		t.Error(diff)
	}
	written := 0
	for _, s := range all {
		if s.File == nil {
			continue
		}
		written++
		want, err := os.ReadFile("testdata/dhis2.publiccode.yml")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(s.File)); s.ID != "dhis2" || diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.ID, diff)
		}
		if err := valid(t, s.File); err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
	}
	if written != 1 {
		t.Errorf("%d files, want 1", written)
	}
}

const long = "A \\\"quoted\\\" text: with # signs, '''quotes''', {braces} and <script>alert(1)</script>.\\n--- It goes on, so that it is long enough for the long description, which takes 150 characters."

func software(set func(map[string]string)) registry.Files {
	parts := map[string]string{
		"name": `"x: {y} # \"z\"\n!!python/object"`, "description": `"` + long + `"`, "licenses": "[{expression: MIT, covers: software}, {expression: CC-BY-4.0, covers: documentation}]",
		"repositories":  `[{url: "https://example.org/src#a:b"}, {url: "https://example.org/src"}, {url: "https://user:secret@example.org/"}, {url: "git@example.org:x"}]`,
		"organizations": `[{name: "*a &b\n- c", role: owner, website: "javascript:alert(1)"}, {name: Fund, role: funder, website: "https://fund.example/"}]`,
	}
	set(parts)
	text := "schema: dpg/v1\nid: x\ntypes: [software]\nstatus: {stage: nominee}\n"
	for _, key := range []string{"name", "description", "licenses", "repositories", "organizations"} {
		if parts[key] != "" {
			text += key + ": " + parts[key] + "\n"
		}
	}
	return registry.FromFS(fstest.MapFS{
		"registry.yaml": {Data: []byte("schema: registry/v1\nname: Test\nlanguages: [en]\nlicense: CC0-1.0\n")},
		"dpgs/x.yaml":   {Data: []byte(text)},
	})
}

const enough = `
x:
  url: https://example.org/src
  platforms: ["web # \"x\"\u0085"]
  developmentStatus: beta
  softwareType: library
  description: {en: {shortDescription: "Short: 'quoted' # no comment", features: ["a: b", "- c"]}, fr: {features: [x]}}
  maintenance: {type: contract, contractors: [{name: "B: {c}", until: 2027-01-31}]}
  localisation: {localisationReady: false, availableLanguages: ["no"]}
`

func TestHostile(t *testing.T) {
	all, _, err := of(build(t, software(func(map[string]string) {})), facts(t, enough))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if len(all[0].Gaps) > 0 {
		t.Fatalf("gaps: %+v", all[0].Gaps)
	}
	if err := valid(t, all[0].File); err != nil {
		t.Errorf("%v\n%s", err, all[0].File)
	}
	var got File
	if err := yaml.Unmarshal(all[0].File, &got); err != nil {
		t.Fatal(err)
	}
	no := false
	want := File{
		Version: Version, Name: `x: {y} # "z" !!python/object`, URL: "https://example.org/src",
		Organisation: &Body{Name: "*a &b - c"}, FundedBy: []Body{{"Fund", "https://fund.example/"}},
		Platforms: []string{"web # \"x\"\u0085"}, DevelopmentStatus: "beta", SoftwareType: "library",
		Description: map[string]Description{"en": {
			Short: "Short: 'quoted' # no comment", Long: strings.NewReplacer(`\"`, `"`, `\n`, "\n").Replace(long), Features: []string{"a: b", "- c"},
		}},
		Legal: Legal{"MIT"}, Maintenance: Maintenance{Type: "contract", Contractors: []Contractor{{Name: "B: {c}", Until: "2027-01-31"}}},
		Localisation: Localisation{&no, []string{"no"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s\n%s", diff, all[0].File)
	}
}

func TestGaps(t *testing.T) {
	same := func(map[string]string) {}
	without := func(key string) func(map[string]string) { return func(m map[string]string) { delete(m, key) } }
	with := func(key, v string) func(map[string]string) { return func(m map[string]string) { m[key] = v } }
	tests := []struct {
		name     string
		set      func(map[string]string)
		old, new string // in the facts
		key, why string
	}{
		{"no name", without("name"), "", "", "name", "the entry has no name"},
		{"no repository", without("repositories"), "", "", "url", "names no repository"},
		{"which repository", same, "  url: https://example.org/src\n", "", "url", "the entry names 2 repositories"},
		{"another repository", same, "org/src", "com/src", "url", `"https://example.com/src" is no repository of the entry`},
		{"no platform", same, `"web # \"x\"\u0085"`, "' '", "platforms", "no key for it"},
		{"a status of one's own", same, "beta", "great", "developmentStatus", `"great" is none of concept, development`},
		{"a type of one's own", same, "library", "website", "softwareType", `"website" is none of`},
		{"short description too long", same, "Short: 'quoted' # no comment", strings.Repeat("é", 151), "description/en/shortDescription", "it has 151 characters, of 150 at most"},
		{"short description of two lines", same, "Short: 'quoted'", "Short\\n", "description/en/shortDescription", "it is not one line"},
		{"no long description", with("description", "Short."), "", "", "description/en/longDescription", "fewer than 150 characters"},
		{"no features", same, `["a: b", "- c"]`, "[]", "description/en/features", "no key for it"},
		{"no licence", with("licenses", "[{expression: CC-BY-4.0, covers: content}]"), "", "", "legal/license", "no SPDX expression"},
		{"a licence of one's own", with("licenses", "[{expression: LicenseRef-x}]"), "", "", "legal/license", "no SPDX expression"},
		{"no contractor", same, `, contractors: [{name: "B: {c}", until: 2027-01-31}]`, "", "maintenance/contractors", "a contract is with somebody"},
		{"no day", same, "2027-01-31", "2027-02-31", "maintenance/contractors", `until "2027-02-31" is no date`},
		{"no contact", same, "type: contract", "type: internal", "maintenance/contacts", "names no persons"},
		{"not known if ready", same, "localisationReady: false, ", "", "localisation/localisationReady", "no key for it"},
		{"no language", same, `["no"]`, `["n o"]`, "localisation/availableLanguages", `"n o" is no language tag`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := enough
			if tt.old != "" {
				if text = strings.Replace(enough, tt.old, tt.new, 1); text == enough {
					t.Fatal("there is nothing to take away")
				}
			}
			all, _, err := of(build(t, software(tt.set)), facts(t, text))
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range all[0].Gaps {
				if g.Key == tt.key && strings.Contains(g.Why, tt.why) {
					if all[0].File != nil {
						t.Error("a file was made all the same")
					}
					return
				}
			}
			t.Errorf("gaps are %+v, want %s: %s", all[0].Gaps, tt.key, tt.why)
		})
	}
}

func TestReadFacts(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"x: {licence: MIT}", `line 1: "licence" is no key of a file of facts here; dpg help`},
		{"x: {platforms: web}", `line 1: here stands a text ("web"), and it is to be a list, such as [web, linux]`},
		{"x:\n  platforms:\n    web: yes", "line 3: here stands a mapping, and it is to be a list"},
		{"[]", "line 1: here stands a list, and it is to be keys with their values"},
		{"x: [web]", "line 1: here stands a list, and it is to be keys with their values"},
		{"x: {url: [a]}", "line 1: here stands a list, and it is to be a text"},
		{"x: {localisation: {localisationReady: perhaps}}", `line 1: here stands a text ("perhaps"), and it is to be true or false`},
		{"x: {maintenance: {contacts: 3}}", `line 1: here stands a number ("3"), and it is to be a list`},
		{"x: {}\nx: {}", "already defined"},
		{"x: [", "did not find"},
		{strings.Repeat("#", maxFacts+1), "more than"},
	} {
		if _, err := ReadFacts(strings.NewReader(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ReadFacts(%.40q): error %v, want %q", tt.in, err, tt.want)
		} else if strings.Contains(err.Error(), "publiccode.") || strings.Contains(err.Error(), "[]string") {
			t.Errorf("ReadFacts(%.40q): error %v speaks of this program's own types", tt.in, err)
		}
	}
	if f, err := ReadFacts(strings.NewReader("")); err != nil || len(f) > 0 {
		t.Errorf("of nothing: %v, %v", f, err)
	}
}

func TestFirstSentence(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"One thing. Another thing.", "One thing."},
		{"No end", "No end"},
		{"Tools, e.g. Maps and charts. More.", "Tools, e.g. Maps and charts."},
		{"By Dr. Who of the U.S. Army. More.", "By Dr. Who of the U.S. Army."},
		{"Is it (really)? Écoute.", "Is it (really)?"},
	} {
		if got := firstSentence(tt.in); got != tt.want {
			t.Errorf("firstSentence(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzReadFacts(f *testing.F) {
	f.Add(enough)
	f.Add("x: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		known, err := ReadFacts(strings.NewReader(text))
		if err != nil {
			return
		}
		for id, k := range known {
			file := fileOf(catalog.Entry{ID: id}, k)
			if len(file.gaps(catalog.Entry{ID: id})) == 0 {
				t.Errorf("an empty entry has no gaps with %q", text)
			}
		}
	})
}
