package catalog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What office programs would run as a formula comes with an apostrophe before it.
func TestTables(t *testing.T) {
	c := build(t, small(t, func(files map[string]string) {
		files["dpgs/evil.yaml"] = "schema: dpg/v1\nid: evil\nname: \"=HYPERLINK(\\\"https://example.org\\\")\"\ndescription: |-\n  one, \"two\"\n  three\n" +
			"types: [software, data]\norganizations: [{name: '@ally', role: owner}, {name: \"a|b\", role: owner}]\nstatus: {stage: nominee}\n"
	}))
	read := func(name string) map[string][]string {
		data := file(t, c, "api/v1/csv/"+name+".csv")
		if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
			t.Errorf("%s has a line end that is not CRLF", name)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		by := map[string][]string{"": rows[0]}
		for _, r := range rows[1:] {
			by[r[1]] = r
		}
		return by
	}
	entries := read("entries")
	got := map[string]string{}
	for i, column := range entries[""] {
		got[column] = entries["evil"][i]
	}
	for column, want := range map[string]string{
		"name": `'=HYPERLINK("https://example.org")`, "description": "one, \"two\"\nthree", "types": "software|data", "organizations": "'@ally|a/b", "stage": "nominee",
	} {
		if got[column] != want {
			t.Errorf("column %s is %q, want %q", column, got[column], want)
		}
	}
	if row := read("organizations")["evil"]; row[2] != "a|b" && row[2] != "'@ally" {
		t.Errorf("organizations of evil: %q", row)
	}
}

func TestEscaped(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "plain": false, "a=1": false, " =1": false, "é": false, "#1": false,
		"=1": true, "+49 1": true, "-": true, "@a": true, "\t=1": true, "\r=1": true, "\n=1": true, "'": true, "'=1": true,
		"＝1": true, "＋1": true, "－1": true, "＠a": true,
	} {
		if got := Escaped(value); got != want {
			t.Errorf("Escaped(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	for _, tt := range []struct{ a, b, starts string }{
		{"University of Oslo", " university  OF oslo ", "university-of-oslo-"},
		{"Ministère de la Santé", "MINISTÈRE de la santé", "ministere-de-la-sante-"},
		{"国連", "国連", ""},
		{"../../etc", "../../ETC", "etc-"},
	} {
		a, b := slug(tt.a), slug(tt.b)
		if a != b || !strings.HasPrefix(a, tt.starts) || !plainSegment(a) {
			t.Errorf("slug(%q) = %q and slug(%q) = %q, want the same, beginning with %q", tt.a, a, tt.b, b, tt.starts)
		}
	}
	if slug("a b") == slug("a-b") {
		t.Error("two names have one slug")
	}
}

// Every line stands for itself, and all together are what full.json has.
func TestFullLines(t *testing.T) {
	c := build(t, small(t, nil))
	var got []Entry
	for line := range bytes.Lines(file(t, c, "api/v1/full.ndjson")) {
		var r EntryResponse
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.Index.Envelope, r.Envelope); diff != "" {
			t.Errorf("envelope (-index +line):\n%s", diff)
		}
		got = append(got, r.Entry)
	}
	var want []Entry
	for _, k := range c.Index.Kinds {
		want = append(want, c.Full.Entries[k.Name]...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-full.json +full.ndjson):\n%s", diff)
	}
}

func TestFacets(t *testing.T) {
	c := build(t, small(t, func(files map[string]string) {
		files["dpgs/x.yaml"] = "schema: dpg/v1\nid: x\nname: X\ndescription: X.\ntypes: [software]\nsectors: [Public Health]\nlicenses: [{expression: MIT OR (Apache-2.0 AND LicenseRef-x)}]\n" +
			"locations: {developed_in: [NO], deployed_in: [NO, MW]}\nstatus: {stage: nominee}\n"
		files["dpgs/gone.yaml"] = "schema: dpg/v1\nid: gone\nname: Gone\ndescription: Gone.\ntypes: [software]\nlicenses: [{expression: Zlib}]\nstatus: {stage: archived}\n"
	}))
	has := func(path string) []string {
		data, err := c.File("api/v1/views/" + path + ".json")
		if err != nil {
			return nil
		}
		var v FacetView
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		ids := []string{}
		for _, it := range v.Items {
			if it.ID == "x" || it.ID == "gone" {
				ids = append(ids, it.ID)
			}
		}
		return ids
	}
	for path, want := range map[string][]string{
		"license/MIT": {"x"}, "license/Apache-2.0": {"x"}, "license/Zlib": nil, "license/LicenseRef-x": nil,
		"country/NO": {"x"}, "country/MW": {"x"}, "type/software": {"x"}, "sector/" + slug("Public Health"): {"x"},
	} {
		if diff := cmp.Diff(want, has(path)); diff != "" {
			t.Errorf("views/%s (-want +got):\n%s", path, diff)
		}
	}
}
