package importer_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

func stream(data string) *importer.Source {
	return importer.Stream("in", strings.NewReader(data))
}

// say is what became of a batch in words: entries as they are written, then
// refusals, then notes.
func say(t *testing.T, b *importer.Batch) string {
	t.Helper()
	if b.Read != len(b.Records)+len(b.Refused) {
		t.Errorf("%d records were read, %d kept, %d refused", b.Read, len(b.Records), len(b.Refused))
	}
	var s strings.Builder
	for _, r := range b.Records {
		data, err := entry.Encode(r.Entry, "")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&s, "%s\n%s", r.Label, data)
	}
	for _, r := range b.Refused {
		fmt.Fprintf(&s, "refused %s: %s\n", r.Label, r.Why)
	}
	for _, n := range b.Notes {
		fmt.Fprintf(&s, "note %s\n", n)
	}
	return s.String()
}

func TestReadCSV(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    string
		table importer.Table
		want  string
	}{
		{
			name:  "mapped columns, several values, what is not understood",
			in:    "Title;Field;Kind of;Where;Colour\r\n\"Open \"\"x\"\"\";Health | Care;Software|magic;Norway|Atlantis|KE;green\r\n",
			table: importer.Table{Columns: map[string]string{"name": "Title", "sectors": "Field", "types": "Kind of", "deployed_in": "Where"}, Values: map[string]string{"stage": "dpg"}, Origin: "https://a.example.org/t.csv", AsOf: "2026-01-15"},
			want: `row 1
schema: dpg/v1
id: open-x
name: Open "x"
types:
  - software
sectors:
  - Health
  - Care
locations:
  deployed_in:
    - "NO"
    - KE
status:
  stage: dpg
sources:
  - url: https://a.example.org/t.csv
    as_of: "2026-01-15"
note cells are parted by ';'
note column 5, "Colour": it is no key of an entry, and mapped to none; it is left out, with 1 cell that is not empty
note 2:28: row 1, column "Kind of": type "magic" is none of software, data, content, standard, ai-system, and is left out
note 2:43: row 1, column "Where": country "Atlantis" is neither a code nor the name of one country, and is left out
`,
		},
		{
			name: "cells that are no formulas any more",
			in:   "name,description,website\n'=HYPERLINK(1),'@x,it's\n",
			want: "row 1\nschema: dpg/v1\nid: hyperlink-1\nname: =HYPERLINK(1)\ndescription: '@x'\nwebsite: it's\nstatus:\n  stage: \"\"\n",
		},
		{
			name: "line breaks in quotes, HTML",
			in:   "\xef\xbb\xbfname,description\n\"A\",\"one\r\ntwo <script>\"\"x\"\"</script>\"\n",
			want: "row 1\nschema: dpg/v1\nid: a\nname: A\ndescription: |-\n  one\n  two <script>\"x\"</script>\nstatus:\n  stage: \"\"\n" +
				"note it begins with a byte order mark, which is left out\n",
		},
		{
			name: "Latin-1",
			in:   "name\nCaf\xe9\n",
			want: "row 1\nschema: dpg/v1\nid: cafe\nname: Café\nstatus:\n  stage: \"\"\nnote read as Windows-1252 (Latin-1), as it is not UTF-8\n",
		},
		{
			name: "UTF-16",
			in:   "\xff\xfen\x00a\x00m\x00e\x00\n\x00A\x00\n\x00",
			want: "row 1\nschema: dpg/v1\nid: a\nname: A\nstatus:\n  stage: \"\"\nnote read as UTF-16\n",
		},
		{
			name: "ids that are none",
			in:   "kind,id,name\ndpg,../../x,A\ndpg,CON,B\ndpg,con,C\ndpg,a,D\ndpg,a,E\nbox,f,F\ndpg,g,\ndpg,h\ndpg,,!!\n",
			want: "row 4\nschema: dpg/v1\nid: a\nname: D\nstatus:\n  stage: \"\"\n" +
				`refused row 1: "../../x" is not an id: lower-case letters and digits in groups joined by single hyphens, at most 100 characters, such as open-map
refused row 2: "CON" is not an id: lower-case letters and digits in groups joined by single hyphens, at most 100 characters, such as open-map
refused row 3: "con" is a name that Windows keeps for itself; choose another, such as con-project
refused row 5: row 4 has the id "a" already
refused row 6: kind "box" is not dpg or resource
refused row 7: it has no name
refused row 8: it has 2 cells, and the header has 3
refused row 9: no id can be made of the name "!!"; give it one in a column id
`,
		},
		{
			name: "cells that cannot be taken",
			in:   "name,description,sdgs,status_as_of\nA,x\x00y,3|18|four,tomorrow\nB," + strings.Repeat("z", 65537) + ",,\n",
			want: "row 1\nschema: dpg/v1\nid: a\nname: A\nsdgs:\n  - goal: 3\nstatus:\n  stage: \"\"\nrow 2\nschema: dpg/v1\nid: b\nname: B\nstatus:\n  stage: \"\"\n" +
				`note 2:3: row 1, column "description": it holds the control character U+0000; it is left out
note 2:7: row 1, column "sdgs": goal "18" is no number from 1 to 17, and is left out
note 2:7: row 1, column "sdgs": goal "four" is no number from 1 to 17, and is left out
note 2:17: row 1, column "status_as_of": date "tomorrow" is not of the form 2006-01-02, and is left out
note 3:3: row 2, column "description": it has 65537 bytes, and at most 65536 are taken; it is left out
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := importer.ReadCSV(t.Context(), stream(tt.in), tt.table)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, say(t, b)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Each names the place and what would be right.
func TestNotOfTheFormat(t *testing.T) {
	csv := func(table importer.Table) func(*testing.T, string) error {
		return func(t *testing.T, in string) error {
			_, err := importer.ReadCSV(t.Context(), stream(in), table)
			return err
		}
	}
	api := func(t *testing.T, in string) error {
		_, err := importer.ReadDPGAAPI(t.Context(), stream(in), importer.Live{})
		return err
	}
	catalog := func(t *testing.T, in string) error {
		_, err := importer.ReadCatalog(t.Context(), stream(in), importer.Federation{})
		return err
	}
	publiccode := func(t *testing.T, in string) error {
		_, err := importer.ReadPubliccode(t.Context(), stream(in), importer.Project{})
		return err
	}
	for _, tt := range []struct {
		name, in, want string
		read           func(*testing.T, string) error
	}{
		{"an empty table", "", "in has no header", csv(importer.Table{})},
		{"a table without a name", "a,b\n1,2\n", `in has no column id or name: map them, such as --map name=a; there are "a", "b"`, csv(importer.Table{})},
		{"a quote that never ends", "name\n\"A\nB\n", `in:3:3: extraneous or missing " in quoted-field, of a row that begins in line 2; `, csv(importer.Table{})},
		{"a quote in a cell", "name\nA\"B\n", `in:2:2: bare " in non-quoted-field; a quote in a cell is written twice`, csv(importer.Table{})},
		{"two columns of one name", "name,name\nA,B\n", `in has two columns "name"`, csv(importer.Table{})},
		{"a column that is not there", "Title\nA\n", `in has no column "Titel"; there are "Title"`, csv(importer.Table{Columns: map[string]string{"name": "Titel"}})},
		{"a key that is none", "name\nA\n", `"colour" is not what a column can be; there are kind, id, name`, csv(importer.Table{Columns: map[string]string{"colour": "name"}})},
		{"a key that no table can give", "name\nA\n", `"summary" is not what a column can be`, csv(importer.Table{Values: map[string]string{"summary": "x"}})},
		{"no JSON", "[{", "in:1: unexpected EOF", api},
		{"two documents", "[] []", "in: more follows after the JSON", api},
		{"deep JSON", strings.Repeat("[", 20000), "exceeded max depth", api},
		{"not UTF-8", "[\"\xff\"]", "in:1:3: byte 0xff is not UTF-8", api},
		{"a number", "3", "in is neither a list of records nor an object with one in it", api},
		{"two lists", `{"a": [], "b": []}`, "in is an object with 2 lists in it", api},
		{"another document", `{"a": 1}`, "in is not full.json of a catalog: it has no schema_version and entries", catalog},
		{"a later version", `{"schema_version": "2.0", "entries": {}}`, `in is of version "2.0" of the catalog's format; this program reads version 1`, catalog},
		{"a deep catalog", `{"entries": ` + strings.Repeat("[", 20000), "exceeded max depth", catalog},
		{"a list of YAML", "- a\n", "in: publiccode.yml is not a mapping of keys", publiccode},
		{"no YAML", "a: [\n", "in: publiccode.yml:1: ", publiccode},
		{"an alias of itself", "a: &a [*a]\n", "in: publiccode.yml:1: ", publiccode},
		{"a large file", strings.Repeat("#", source.MaxBytes+1), "in has 1048577 bytes, and at most 1048576 are read", publiccode},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.read(t, tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, importer.ErrFormat) {
				t.Errorf("error %v, want an ErrFormat with %q", err, tt.want)
			}
		})
	}
}

func TestReadDPGAAPI(t *testing.T) {
	const in = `{"total": 9, "data": [
		{"dpgId": 17, "slug": "open-map", "name": "Open Map", "description": "A map.", "website": "https://map.example.org", "openLicense": ["ODbL-1.0"],
		 "sdgs": [{"number": 11, "title": "x"}, {"number": "3"}, {"number": 40}], "deploymentCountries": ["Norway", "KE", "Atlantis"], "ownerName": "Mappers", "openStandards": ["GeoJSON"], "colour": "green", "empty": null},
		{"dpgId": "GID0090", "slug": "Clinic Notes", "name": "Clinic Notes", "openlicenses": [{"openLicense": "Apache-2.0"}], "sdgs": [3], "description": {"en": "x"}, "colour": "red"},
		{"slug": "open-map", "name": "Again"},
		{"slug": "../../etc", "name": ""},
		{"slug": "con", "name": "Con"},
		"text",
		{},
		{"slug": "still-new", "name": "Still New", "stage": "nominee"},
		{"slug": "gone", "name": "Gone", "stage": "expired"}
	]}`
	const want = `/data/0
schema: dpg/v1
id: open-map
name: Open Map
description: A map.
website: https://map.example.org
licenses:
  - expression: ODbL-1.0
sdgs:
  - goal: 11
  - goal: 3
organizations:
  - name: Mappers
    role: owner
locations:
  deployed_in:
    - "NO"
    - KE
standard:
  standards:
    items:
      - GeoJSON
language: en
status:
  stage: dpg
  recognised_by: DPGA
  as_of: "2026-01-15"
  url: https://app.digitalpublicgoods.net/api/v1/dpgs
sources:
  - name: Digital Public Goods Alliance, registry, dpgId 17
    url: https://app.digitalpublicgoods.net/api/v1/dpgs
    as_of: "2026-01-15"
/data/1
schema: dpg/v1
id: clinic-notes
name: Clinic Notes
licenses:
  - expression: Apache-2.0
sdgs:
  - goal: 3
language: en
status:
  stage: dpg
  recognised_by: DPGA
  as_of: "2026-01-15"
  url: https://app.digitalpublicgoods.net/api/v1/dpgs
sources:
  - name: Digital Public Goods Alliance, registry, dpgId GID0090
    url: https://app.digitalpublicgoods.net/api/v1/dpgs
    as_of: "2026-01-15"
/data/7
schema: dpg/v1
id: still-new
name: Still New
language: en
status:
  stage: nominee
  as_of: "2026-01-15"
  url: https://app.digitalpublicgoods.net/api/v1/dpgs
sources:
  - name: Digital Public Goods Alliance, registry
    url: https://app.digitalpublicgoods.net/api/v1/dpgs
    as_of: "2026-01-15"
/data/8
schema: dpg/v1
id: gone
name: Gone
language: en
status:
  stage: ""
sources:
  - name: Digital Public Goods Alliance, registry
    url: https://app.digitalpublicgoods.net/api/v1/dpgs
    as_of: "2026-01-15"
refused /data/2: /data/0 has the id "open-map" already
refused /data/3: it has no name
refused /data/4: "con" is a name that Windows keeps for itself; choose another, such as con-project
refused /data/5: it is not a JSON object
refused /data/6: it has no slug and no name of which an id could be made
note /total: the key is not known here, and is left out
note /colour: the key is not known here, and is left out (2 times, first in /data/0)
note /deploymentCountries/*: country "Atlantis" is neither a code nor the name of one country, and is left out (/data/0)
note /description: the value is not understood, and is left out (/data/1)
note /sdgs/*: goal "40" is no number from 1 to 17, and is left out (/data/0)
note /sdgs/*/title: the key is not known here, and is left out (/data/0)
note /stage: stage "expired" is neither dpg nor nominee, and no recognition is noted (/data/8)
`
	b, err := importer.ReadDPGAAPI(t.Context(), stream(in), importer.Live{AsOf: "2026-01-15"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, say(t, b)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadPubliccode(t *testing.T) {
	const in = `publiccodeYmlVersion: "0.4"
name: Medusa
url: https://git.example.org/medusa.git
landingURL: javascript:alert(1)
softwareVersion: "1.0"
platforms: [web]
description:
  en: {localisedName: Medusa, shortDescription: Keeps records., features: [a, b]}
  it: {localisedName: Medusa IT, longDescription: "Tiene i registri."}
legal: {license: AGPL-3.0-or-later, mainCopyrightOwner: A, repoOwner: City of X}
maintenance:
  type: internal
  contacts: [{name: A Person, email: person@example.org}]
`
	const want = `the file
schema: dpg/v1
id: medusa
name: Medusa
aliases:
  - Medusa IT
description:
  en: Keeps records.
  it: Tiene i registri.
types:
  - software
licenses:
  - expression: AGPL-3.0-or-later
repositories:
  - url: https://git.example.org/medusa.git
organizations:
  - name: City of X
    role: owner
status:
  stage: ""
sources:
  - name: publiccode.yml
    url: https://git.example.org/medusa.git
    as_of: "2026-01-15"
note 4:1: /landingURL: the value is not understood, and is left out
note 5:1: /softwareVersion: an entry has no place for it, and it is left out
note 6:1: /platforms: an entry has no place for it, and it is left out
note 8:65: /description/en/features: an entry has no place for it, and it is left out
note 10:37: /legal/mainCopyrightOwner: an entry has no place for it, and it is left out
note 11:1: /maintenance: people to contact are not taken over
`
	b, err := importer.ReadPubliccode(t.Context(), stream(in), importer.Project{AsOf: "2026-01-15"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, say(t, b)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Version 0.5 of the standard names the owner elsewhere, and those who pay; its URI
// of an organisation need be no link.
func TestReadPubliccodeOrganisations(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []entry.Organization
		notes    []string
	}{
		{"both keys of a body", "organisation: {name: City of X, uri: 'https://x.example.org/'}",
			[]entry.Organization{{Name: "City of X", Role: "owner", Website: "https://x.example.org/"}}, nil},
		{"a URI that is no link", "organisation: {name: City of X, uri: 'urn:x-italian-pa:x'}",
			[]entry.Organization{{Name: "City of X", Role: "owner"}}, []string{"/organisation/uri"}},
		{"a link that is none", "organisation: {name: City of X, uri: 'javascript:alert(1)'}",
			[]entry.Organization{{Name: "City of X", Role: "owner"}}, []string{"/organisation/uri"}},
		{"a body without a name", "organisation: {uri: 'https://x.example.org/'}", nil, []string{"/organisation"}},
		{"a body that is text", "organisation: City of X", nil, []string{"/organisation"}},
		{"the old key beside it, of another", "organisation: {name: City of X}\nlegal: {license: MIT, repoOwner: Y}",
			[]entry.Organization{{Name: "City of X", Role: "owner"}}, []string{"/legal/repoOwner"}},
		{"the old key beside it, of the same", "organisation: {name: City of X}\nlegal: {license: MIT, repoOwner: City of X}",
			[]entry.Organization{{Name: "City of X", Role: "owner"}}, nil},
		{"funders", "fundedBy: [{name: A Fund, uri: 'https://fund.example.org/'}, {name: B}]",
			[]entry.Organization{{Name: "A Fund", Role: "funder", Website: "https://fund.example.org/"}, {Name: "B", Role: "funder"}}, nil},
		{"a funder without a name", "fundedBy: [{name: A Fund}, 3]", []entry.Organization{{Name: "A Fund", Role: "funder"}}, []string{"/fundedBy"}},
		{"funders that are text", "fundedBy: A Fund", nil, []string{"/fundedBy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := importer.ReadPubliccode(t.Context(), stream("name: A\nurl: https://git.example.org/a\n"+tt.in+"\n"), importer.Project{AsOf: "2026-01-15"})
			if err != nil || len(b.Records) != 1 {
				t.Fatalf("%+v, %v", b, err)
			}
			if diff := cmp.Diff(tt.want, b.Records[0].Entry.Organizations); diff != "" {
				t.Errorf("organizations (-want +got)\n%s", diff)
			}
			var notes []string
			for _, n := range b.Notes {
				notes = append(notes, n.At)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("left out (-want +got)\n%s", diff)
			}
		})
	}
}

// What a catalog of a later version says beyond this one, or of another type, is
// named; rulings and people are not taken over.
func TestReadCatalogOddly(t *testing.T) {
	const in = `{"schema_version": "1.7", "license": "CC-BY-4.0", "attribution": {"en": "B"}, "entries": {
		"dpg": [
			{"id": "a", "kind": "dpg", "name": "A", "colour": "green", "website": 3, "status": {"stage": "nominee"}, "stewards": [{"github": "x"}],
			 "decisions": [{"ruling": "lock"}], "waivers": [{"rule": "x"}], "assessment": {"engine": "offline/1"}, "same_as": {"dpga": "nmf.earth"}},
			{"id": "../up", "kind": "dpg", "name": "B"},
			{"id": "nul", "kind": "dpg", "name": "B"},
			{"id": "c", "kind": "dpg", "name": null, "status": {"stage": "nominee"}},
			[],
			{"id": "gone", "kind": "dpg", "status": {"stage": "removed", "as_of": "2026-01-15"}}
		],
		"box": [{"id": "x", "name": "X"}]
	}}`
	const want = `/entries/dpg/0
schema: dpg/v1
id: a
name: A
status:
  stage: nominee
same_as:
  dpga: nmf.earth
sources:
  - url: https://b.example.org/api/v1/dpgs/a.json
/entries/dpg/5
schema: dpg/v1
id: gone
status:
  stage: removed
  as_of: "2026-01-15"
refused /entries/box/0: kind "box" is not known to this program
refused /entries/dpg/1: "../up" is not an id: lower-case letters and digits in groups joined by single hyphens, at most 100 characters, such as open-map
refused /entries/dpg/2: "nul" is a name that Windows keeps for itself; choose another, such as nul-project
refused /entries/dpg/3: it has no name
refused /entries/dpg/4: it is not a JSON object
note /assessment: assessments are made here, not taken over (/entries/dpg/0)
note /colour: the key is not known here, and is left out (/entries/dpg/0)
note /decisions: rulings are made here, not taken over (/entries/dpg/0)
note /stewards: who may rule on an assessment here is for people here to say (/entries/dpg/0)
note /waivers: waivers are given here, not taken over (/entries/dpg/0)
note /website: the value is not understood, and is left out (/entries/dpg/0)
`
	b, err := importer.ReadCatalog(t.Context(), stream(in), importer.Federation{Origin: "https://b.example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, say(t, b)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if b.License != "CC-BY-4.0" || b.Credit != "B" {
		t.Errorf("licence %q, credit %q", b.License, b.Credit)
	}
}

// plan imports records into a registry of files.
func plan(t *testing.T, files map[string]string, b *importer.Batch, o importer.Options) (*importer.Plan, memory) {
	t.Helper()
	folder := empty()
	for name, text := range files {
		folder.MapFS[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := importer.Prepare(t.Context(), folder, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return p, folder
}

func TestPrepareFindsTheEntry(t *testing.T) {
	const local = "schema: dpg/v1\nid: ours\nname: Ours\nrepositories: [{url: https://github.com/o/r}]\nsame_as: {wikidata: Q1}\n" +
		"sources: [{url: https://b.example.org/api/v1/dpgs/far.json}]\nstatus: {stage: nominee}\n"
	files := map[string]string{
		"dpgs/o/ours.yaml": local,
		"dpgs/other.yaml":  "schema: dpg/v1\nid: other\nname: Other\nsame_as: {wikidata: Q2}\nstatus: {stage: nominee}\n",
		"dpgs/gone.yaml":   "schema: dpg/v1\nid: gone\nstatus: {stage: removed, as_of: 2026-01-15, reason: x}\n",
		"dpgs/old.yaml":    "schema: dpg/v1\nid: old\nname: Old\nsame_as: {dial: old}\nstatus: {stage: renamed, moved_to: other}\n",
		"dpgs/broken.yaml": "a: [\n",
	}
	for _, tt := range []struct {
		name   string
		record importer.Record
		want   string
	}{
		{"new", importer.Record{Entry: entry.Entry{ID: "new", Name: "New"}}, "written dpgs/new.yaml"},
		{"a source", importer.Record{Origin: "https://b.example.org/api/v1/dpgs/far.json", Entry: entry.Entry{ID: "far", Name: "Ours"}}, `same dpgs/o/ours.yaml "ours" here, by its source`},
		{"a repository, otherwise written", importer.Record{Entry: entry.Entry{ID: "far", Name: "Ours", Repositories: []entry.Repository{{URL: "http://www.github.com/O/R.git/"}}}},
			`kept dpgs/o/ours.yaml "ours" here, by repository github.com/o/r /repositories/0/url`},
		{"an identity", importer.Record{Entry: entry.Entry{ID: "far", Name: "Ours", SameAs: &entry.SameAs{Wikidata: "Q1"}}}, `same dpgs/o/ours.yaml "ours" here, by same_as.wikidata Q1`},
		{"two of them", importer.Record{Entry: entry.Entry{ID: "far", Name: "X", SameAs: &entry.SameAs{Wikidata: "Q2"}, Repositories: []entry.Repository{{URL: "https://github.com/o/r"}}}},
			`refused it could be any of "other" by same_as.wikidata Q2, "ours" by repository github.com/o/r`},
		{"an id and a name", importer.Record{Entry: entry.Entry{ID: "other", Name: "OTHER"}}, `kept dpgs/other.yaml /name`},
		{"an id and nothing else", importer.Record{Entry: entry.Entry{ID: "other", Name: "Something else"}},
			`refused the id "other" is that of dpgs/other.yaml, which is known by no name, address or identity that this has; if they are one, say so in its same_as`},
		{"what was removed here", importer.Record{Entry: entry.Entry{ID: "gone", Name: "Gone", Status: entry.Status{Stage: "dpg"}}}, "kept dpgs/gone.yaml /status/stage"},
		{"what was renamed here", importer.Record{Entry: entry.Entry{ID: "x", Name: "Other", SameAs: &entry.SameAs{DIAL: "old"}}}, `kept dpgs/other.yaml "old" here, by same_as.dial old, renamed to "other" /same_as/dial`},
		{"what was removed there", importer.Record{Entry: entry.Entry{ID: "x", Status: entry.Status{Stage: "removed"}}}, "left-out it is removed there, and was never here"},
		{"what was removed there and is here", importer.Record{Entry: entry.Entry{ID: "other", Name: "Other", Status: entry.Status{Stage: "removed"}}}, "kept dpgs/other.yaml /status/stage"},
		{"a file that cannot be read", importer.Record{Entry: entry.Entry{ID: "broken", Name: "Broken"}}, "kept dpgs/broken.yaml "},
		{"no id", importer.Record{Entry: entry.Entry{ID: "../x", Name: "X"}}, `refused "../x" is not an id: lower-case letters and digits in groups joined by single hyphens, at most 100 characters, such as open-map`},
		{"a control character", importer.Record{Entry: entry.Entry{ID: "x", Name: "X", Website: "a\x1b[2J"}}, `refused a text cannot stand in an entry: of "a\x1b[2J": it holds the control character U+001B`},
		{"a kind that is not in use", importer.Record{Entry: entry.Entry{Schema: "resource/v1", ID: "x", Name: "X"}}, `refused kind "resource" is not in use in this registry`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.record.Entry.Schema == "" {
				tt.record.Entry.Schema = "dpg/v1"
			}
			p, _ := plan(t, files, &importer.Batch{Read: 1, Records: []importer.Record{tt.record}}, importer.Options{Kinds: entry.Kinds[:1]})
			o := p.Outcomes[0]
			got := []string{string(o.Action)}
			for _, s := range []string{o.Path, o.Why} {
				if s != "" {
					got = append(got, s)
				}
			}
			for _, c := range o.Conflicts {
				got = append(got, c.Pointer)
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// References lead to the ids that entries have here.
func TestPrepareRenamesReferences(t *testing.T) {
	b := &importer.Batch{Read: 2, Records: []importer.Record{
		{Label: "a", Entry: entry.Entry{Schema: "resource/v1", ID: "guide", Name: "Guide", About: []string{"dpg/far", "dpg/else", "dpi-safeguards/O3"}}},
		{Label: "b", Entry: entry.Entry{Schema: "dpg/v1", ID: "far", Name: "Ours", SameAs: &entry.SameAs{Wikidata: "Q1"}}},
	}}
	p, folder := plan(t, map[string]string{"dpgs/ours.yaml": "schema: dpg/v1\nid: ours\nname: Ours\nsame_as: {wikidata: Q1}\nstatus: {stage: nominee}\n"}, b, importer.Options{})
	if err := p.Write(t.Context(), folder, nil); err != nil {
		t.Fatal(err)
	}
	data, _ := folder.Read("resources/guide.yaml")
	if want := "about:\n  - dpg/ours\n  - dpg/else\n  - dpi-safeguards/O3\n"; !strings.Contains(string(data), want) {
		t.Errorf("no %q in\n%s", want, data)
	}
	if got := b.Records[0].Entry.About[0]; got != "dpg/far" {
		t.Errorf("the batch was changed: %q", got)
	}
}

// What another registry took over from here comes back as what it is here, and is
// not its own source. A registry's own catalog brings back what was lost.
func TestReadCatalogFromHere(t *testing.T) {
	const theirs = `{"schema_version": "1.0", "entries": {"dpg": [{"id": "theirs", "name": "Renamed", "status": {"stage": "nominee"},
		"sources": [{"url": "https://a.example.org/api/v1/dpgs/ours.json"}, {"url": "https://c.example.org/"}]}]}}`
	b, err := importer.ReadCatalog(t.Context(), stream(theirs), importer.Federation{Own: "https://a.example.org/", Origin: "https://b.example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	const local = "schema: dpg/v1\nid: ours\nname: Ours\nstatus: {stage: nominee}\n"
	p, _ := plan(t, map[string]string{"dpgs/ours.yaml": local}, b, importer.Options{Overwrite: true})
	if o := p.Outcomes[0]; o.Path != "dpgs/ours.yaml" || o.Action != importer.Rewritten || o.Why != `"ours" here, where it is from` {
		t.Errorf("%+v", o)
	}
	want := []entry.Source{{URL: "https://c.example.org/"}, {URL: "https://b.example.org/api/v1/dpgs/theirs.json"}}
	if diff := cmp.Diff(want, b.Records[0].Entry.Sources); diff != "" {
		t.Errorf("sources (-want +got)\n%s", diff)
	}
	const own = `{"schema_version": "1.0", "entries": {"dpg": [{"id": "ours", "name": "Another name altogether", "status": {"stage": "nominee"}}]}}`
	if b, err = importer.ReadCatalog(t.Context(), stream(own), importer.Federation{Own: "https://a.example.org/", Origin: "https://a.example.org"}); err != nil {
		t.Fatal(err)
	}
	p, _ = plan(t, map[string]string{"dpgs/ours.yaml": local}, b, importer.Options{})
	if o := p.Outcomes[0]; o.Action != importer.Kept || len(o.Conflicts) != 1 || len(b.Records[0].Entry.Sources) != 0 {
		t.Errorf("%+v", o)
	}
}

// Two records of one source that are one entry here: the second is refused.
func TestPrepareTwoOfOne(t *testing.T) {
	record := func(id string) importer.Record {
		return importer.Record{Label: id, Entry: entry.Entry{Schema: "dpg/v1", ID: id, Name: "Ours", SameAs: &entry.SameAs{Wikidata: "Q1"}}}
	}
	p, _ := plan(t, map[string]string{"dpgs/ours.yaml": "schema: dpg/v1\nid: ours\nname: Ours\nsame_as: {wikidata: Q1}\nstatus: {stage: nominee}\n"},
		&importer.Batch{Read: 2, Records: []importer.Record{record("a"), record("b")}}, importer.Options{})
	if p.Outcomes[0].Action != importer.Same || p.Outcomes[1].Action != importer.Refused || p.Outcomes[1].Why != "a becomes dpgs/ours.yaml already" {
		t.Errorf("%+v", p.Outcomes)
	}
}

// With what was imported last time at hand, a change that only the source made is
// taken over, and one that a person made is kept.
func TestPrepareFromABase(t *testing.T) {
	record := func(e entry.Entry) *importer.Batch {
		e.Schema, e.ID = "dpg/v1", "far"
		return &importer.Batch{Read: 1, Records: []importer.Record{{Label: "far", Entry: e, Origin: "https://b.example.org/far"}}}
	}
	base := record(entry.Entry{Name: "Far", Website: "https://old.example.org", Description: entry.Plain("One."), Sectors: []string{"health"},
		Licenses: []entry.License{{Expression: "MIT"}}, Organizations: []entry.Organization{{Name: "A", Role: "owner"}}})
	now := record(entry.Entry{Name: "Far away", Website: "https://new.example.org", Description: entry.Plain("Two."), Sectors: []string{"health", "care"},
		Licenses: []entry.License{{Expression: "Apache-2.0"}}, Organizations: []entry.Organization{{Name: "B", Role: "owner"}}, ContactURL: "https://new.example.org/contact"})
	const local = `schema: dpg/v1
id: near
name: Near
description: One.
website: https://old.example.org
sectors: [health]
licenses: [{expression: MIT, covers: software}]
status: {stage: nominee}
sources: [{url: https://b.example.org/far}]
decisions: [{ruling: lock, "on": all, by: {github: someone}, as: steward, date: 2026-01-15, reason: so}]
`
	const want = `# yaml-language-server: $schema=../../schemas/dpg.schema.json
schema: dpg/v1
id: near
name: Near
description: Two.
website: https://new.example.org
sectors:
  - health
  - care
licenses:
  - expression: Apache-2.0
    covers: software
contact_url: https://new.example.org/contact
status:
  stage: nominee
sources:
  - url: https://b.example.org/far
decisions:
  - ruling: lock
    "on": all
    by:
      github: someone
    as: steward
    date: "2026-01-15"
    reason: so
`
	p, folder := plan(t, map[string]string{"dpgs/near.yaml": local}, now, importer.Options{Base: base})
	o := p.Outcomes[0]
	var got []string
	for _, c := range o.Updates {
		got = append(got, "updated "+c.Pointer)
	}
	for _, c := range o.Conflicts {
		got = append(got, string(c.Kept)+" "+c.Pointer)
	}
	// The name is a person's; the organisation was taken out by one.
	if diff := cmp.Diff([]string{"updated /description", "updated /website", "updated /sectors", "updated /licenses/0/expression", "updated /contact_url", "local /name", "local /organizations"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := p.Write(t.Context(), folder, nil); err != nil {
		t.Fatal(err)
	}
	data, _ := folder.Read("dpgs/near.yaml")
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// brittle fails after so many files.
type brittle struct {
	memory
	left int
}

func (b *brittle) Write(name string, data []byte) (bool, error) {
	if b.left == 0 {
		return false, errors.New("no space left on device")
	}
	b.left--
	return b.memory.Write(name, data)
}

// A write that fails says what was written before it, and running again finishes.
func TestWriteHalfWay(t *testing.T) {
	b := &importer.Batch{}
	for _, id := range []string{"a", "b", "c"} {
		b.Read++
		b.Records = append(b.Records, importer.Record{Label: id, Entry: entry.Entry{Schema: "dpg/v1", ID: id, Name: id}})
	}
	p, folder := plan(t, nil, b, importer.Options{})
	for left, want := range map[int]string{
		0: "none of 3 files was written: no space left on device",
		2: "2 of 3 files were written, whole (dpgs/a.yaml, dpgs/b.yaml); run this again to finish: no space left on device",
	} {
		if err := p.Write(t.Context(), &brittle{folder, left}, nil); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	again, err := importer.Prepare(t.Context(), folder, b, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Count(importer.Same) != 2 || again.Count(importer.Written) != 1 {
		t.Errorf("again: %+v", again.Outcomes)
	}
}

// A catalog on the web is read from where it is; what is not there is said.
func TestWeb(t *testing.T) {
	files := map[string]string{
		"/sub/api/v1/index.json": `{"schema_version": "1.0", "name": "B", "license": "CC0-1.0", "base_url": "https://b.example.org/"}`,
		"/sub/api/v1/full.json":  `{"schema_version": "1.0", "entries": {"dpg": [{"id": "a", "name": "A", "status": {"stage": "nominee"}, "updated_at": "2026-01-15T12:00:00Z"}]}}`,
		"/publiccode.yml":        "name: A\nurl: https://git.example.org/a\n",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	}))
	defer server.Close()
	client := fetch.New(fetch.Options{Exception: func(netip.AddrPort) bool { return true }})
	for _, at := range []string{"/sub", "/sub/", "/sub/api/v1/", "/sub/api/v1/index.json", "/sub/api/v1/full.json"} {
		s, err := importer.Web(client, server.URL+at)
		if err != nil {
			t.Fatal(err)
		}
		b, err := importer.ReadCatalog(t.Context(), s, importer.Federation{})
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		want := []entry.Source{{Name: "B", URL: "https://b.example.org/api/v1/dpgs/a.json", AsOf: "2026-01-15"}}
		if len(b.Records) != 1 || !cmp.Equal(want, b.Records[0].Entry.Sources) {
			t.Errorf("%s: %s", at, say(t, b))
		}
	}
	s, err := importer.Web(client, server.URL+"/publiccode.yml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := importer.ReadPubliccode(t.Context(), s, importer.Project{})
	if err != nil || len(b.Records) != 1 || b.Records[0].Origin != server.URL+"/publiccode.yml" {
		t.Errorf("%v %+v", err, b)
	}
	if s, err = importer.Web(client, server.URL+"/nowhere/"); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.ReadCatalog(t.Context(), s, importer.Federation{}); !errors.Is(err, importer.ErrFormat) || !strings.Contains(err.Error(), "has none of api/v1/index.json") {
		t.Errorf("error %v", err)
	}
	// Without the exception the guard stands before it.
	guarded, err := importer.Web(fetch.New(fetch.Options{}), server.URL+"/sub/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.ReadCatalog(t.Context(), guarded, importer.Federation{}); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("error %v, want one of the guard", err)
	}
}
