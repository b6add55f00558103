package propose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

func TestID(t *testing.T) {
	for name, want := range map[string]string{
		"Open Map": "open-map", "DHIS2": "dhis2", "  Ünïcødé & Co. ": "unic-de-co", "People's Map": "peoples-map",
		"../../etc/passwd": "etc-passwd", "地図": "", "--": "", "a_b.c": "a-b-c", strings.Repeat("ab ", 100): strings.Repeat("ab-", 33) + "a",
	} {
		if got := ID(name); got != want {
			t.Errorf("ID(%q) = %q, want %q", name, got, want)
		}
		if got := ID(name); got != "" && CheckID(got) != "" {
			t.Errorf("ID(%q) = %q, which is no id", name, got)
		}
	}
}

func TestEntryOfForm(t *testing.T) {
	for _, tt := range []struct {
		name, form string
		answers    map[string]string
		want       string // the file
		problems   []string
	}{
		{"all answers", "dpg", map[string]string{
			"name": "Open  Map", "description": "A map of wells.\nAnyone may copy it.", "types": "data, software", "website": "https://openmap.example.org",
			"repositories": "https://git.example.org/a\n\n- <https://git.example.org/b>", "license": "ODbL-1.0", "license-url": "https://openmap.example.org/licence",
			"sdgs": "6: Wells are mended sooner.\nSDG 13\n- Goal 2. Less hunger", "owner": "Well Co-op",
		}, `# yaml-language-server: $schema=../../schemas/dpg.schema.json
schema: dpg/v1
id: open-map
name: Open Map
description: A map of wells. Anyone may copy it.
website: https://openmap.example.org
types:
  - data
  - software
licenses:
  - expression: ODbL-1.0
    url: https://openmap.example.org/licence
repositories:
  - url: https://git.example.org/a
  - url: https://git.example.org/b
sdgs:
  - goal: 6
    text: Wells are mended sooner.
  - goal: 13
  - goal: 2
    text: Less hunger
organizations:
  - name: Well Co-op
    role: owner
status:
  stage: nominee
`, nil},
		{"YAML in the answers stays text", "dpg", map[string]string{
			"name": "x: [*a, !!b]", "description": "- &a {b: c} # d\nstatus: {stage: dpg}", "types": "software", "id": "x", "license": "MIT\"\nstewards: [{github: me}]",
		}, `# yaml-language-server: $schema=../../schemas/dpg.schema.json
schema: dpg/v1
id: x
name: 'x: [*a, !!b]'
description: '- &a {b: c} # d status: {stage: dpg}'
types:
  - software
licenses:
  - expression: 'MIT" stewards: [{github: me}]'
status:
  stage: nominee
`, nil},
		{"a resource", "resource", map[string]string{"name": "Guide", "url": "https://example.org/g", "format": "guide", "published": "2024", "owner": "Well Co-op"},
			`# yaml-language-server: $schema=../../schemas/resource.schema.json
schema: resource/v1
id: guide
name: Guide
url: https://example.org/g
format: guide
published: "2024"
organizations:
  - name: Well Co-op
    role: publisher
status:
  stage: listed
`, nil},
		{"no id can be made", "dpg", map[string]string{"name": "地図", "types": "data"}, "", []string{`Id: no id can be made of the name "地図"; give one, such as open-map`}},
		{"an id that leads elsewhere", "dpg", map[string]string{"name": "x", "types": "data", "id": "../policy"}, "",
			[]string{`Id: "../policy" is not an id: lower-case letters and digits in groups joined by single hyphens, at most 100 characters, such as open-map`}},
		{"no such goal", "dpg", map[string]string{"name": "x", "types": "data", "sdgs": "18: Space"}, "",
			[]string{`Sustainable Development Goals: "18: Space" does not begin with the number of a goal, 1 to 17, such as 3: Nurses use it.`}},
		{"an address of no licence", "dpg", map[string]string{"name": "x", "types": "data", "license-url": "https://example.org"}, "",
			[]string{"Licence: name the licence that can be read there, such as Apache-2.0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, problems, ok := Read(filled(form(tt.form), tt.answers))
			if !ok || len(problems) > 0 {
				t.Fatalf("Read: %t, %v", ok, problems)
			}
			e, problems := s.Entry()
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.problems, got); diff != "" {
				t.Fatalf("problems (-want +got):\n%s", diff)
			}
			if tt.problems != nil {
				return
			}
			_, data, err := File(e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(data)); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, form := range Forms {
		f.Add(filled(form, map[string]string{"name": "Open Map", "types": "data", "format": "guide", "url": "x", "entry": "x", "what": "name", "reason": "x", "sdgs": "3: x"}))
	}
	f.Add("### Name of the digital public good\n\n\x00\u202e: [\n\n### Types\n\ndata")
	f.Fuzz(func(t *testing.T, body string) {
		s, problems, ok := Read(body)
		if !ok || len(problems) > 0 || s.Form.Kind == "" {
			return
		}
		e, problems := s.Entry()
		if len(problems) > 0 {
			return
		}
		name, data, err := File(e)
		if err != nil {
			t.Fatalf("File: %v", err)
		}
		if want := map[string]string{"dpg": "dpgs/", "resource": "resources/"}[s.Form.Kind] + e.ID + ".yaml"; name != want || CheckID(e.ID) != "" {
			t.Errorf("the file is %q, want %q", name, want)
		}
		doc, found := source.Parse(name, data)
		if len(found) > 0 {
			t.Fatalf("the file has findings: %v\n%s", found, data)
		}
		var back entry.Entry
		if err := doc.Decode(&back); err != nil {
			t.Fatal(err)
		}
		if back.ID != e.ID || len(back.Stewards)+len(back.Decisions)+len(back.Waivers) > 0 || back.Status.Stage != e.Status.Stage {
			t.Errorf("answers reached keys that no question is about:\n%s", data)
		}
	})
}

func TestPubliccode(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       Facts
		fails      bool
	}{
		{"usual", `publiccodeYmlVersion: "0.4"
name: Medusa
url: "https://git.example.org/medusa.git"
landingURL: "https://medusa.example.org"
releaseDate: 2024-02-01
description:
  it: {shortDescription: Un gestionale}
  en:
    localisedName: Medusa
    shortDescription: >
      Keeps records
      of streets.
legal: {license: AGPL-3.0-or-later, authorsFile: AUTHORS}
`, Facts{"Medusa", "Keeps records of streets.", "https://medusa.example.org", "https://git.example.org/medusa.git", "AGPL-3.0-or-later"}, false},
		{"another English", "name: A\ndescription: {fr: {shortDescription: F}, en-GB: {longDescription: E}}\n", Facts{Name: "A", Description: "E"}, false},
		{"no English", "name: A\ndescription: {fr: {shortDescription: F}}\n", Facts{Name: "A", Description: "F"}, false},
		{"values of other sorts", "name: [A]\nurl: {a: b}\nlandingURL: 3\nlegal: MIT\ndescription: {en: x}\n", Facts{}, false},
		{"addresses that are none", "name: A\nurl: javascript:alert(1)\nlandingURL: https://user:secret@example.org/\n", Facts{Name: "A"}, false},
		{"what cannot be seen", "name: \"A\\u202eB\"\n", Facts{}, false},
		{"too long", "name: " + strings.Repeat("a", 201) + "\n", Facts{}, false},
		{"a list", "- a\n", Facts{}, true},
		{"no YAML", "a: [", Facts{}, true},
		{"aliases without end", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n" + strings.Repeat("d: [*c,*c,*c]\n", 200), Facts{}, true},
		{"empty", "", Facts{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Publiccode([]byte(tt.file))
			if (err != nil) != tt.fails {
				t.Fatalf("error %v, want one: %t", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Publiccode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFill(t *testing.T) {
	e := entry.Entry{Name: "Mine", Licenses: []entry.License{{Expression: "MIT"}}}
	Facts{"A", "B", "https://a.example.org", "https://git.example.org/a", "Apache-2.0"}.Fill(&e)
	if e.Name != "Mine" || e.Licenses[0].Expression != "MIT" {
		t.Errorf("facts replaced what the entry said: %+v", e)
	}
	if e.Website != "https://a.example.org" || len(e.Repositories) != 1 || e.Description.IsZero() {
		t.Errorf("facts are not in %+v", e)
	}
}

func FuzzPubliccode(f *testing.F) {
	f.Add([]byte("name: A\nurl: https://a.example.org\ndescription: {en: {shortDescription: x}}\nlegal: {license: MIT}\n"))
	f.Add([]byte("description: {en: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := Publiccode(data)
		if err != nil {
			return
		}
		e := entry.Entry{Schema: "dpg/v1", ID: "x"}
		facts.Fill(&e)
		_, out, err := File(&e)
		if err != nil {
			t.Fatal(err)
		}
		if _, found := source.Parse("x.yaml", out); len(found) > 0 {
			t.Errorf("%v\n%s", found, out)
		}
	})
}
