package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// heavy is a registry of few entries with much text, so that every list of theirs is
// larger than a page.
func heavy(t *testing.T, n int, edit func(files map[string]string)) Input {
	t.Helper()
	files := map[string]string{"registry.yaml": "schema: registry/v1\nname: Heavy\nlicense: CC0-1.0\nattribution: Nobody\n"}
	long := strings.Repeat("lorem ipsum ", 250)
	for i := range n {
		files[fmt.Sprintf("dpgs/e%05d.yaml", i)] = fmt.Sprintf(`schema: dpg/v1
id: e%05[1]d
name: Entry %[1]d %[2]s
aliases: [Alias %[1]d]
description: %[2]s
types: [software]
licenses: [{expression: MIT, url: "https://example.org/%[1]d"}]
repositories: [{url: "https://git.example.org/%[1]d/%[3]s"}]
organizations: [{name: Owner %[1]d of %[2]s, role: owner}]
sdgs: [{goal: 3, text: %[2]s, evidence: ["https://example.org/%[3]s"]}]
status: {stage: nominee}
`, i, long, strings.Repeat("x", 3000))
	}
	files["resources/guide.yaml"] = "schema: resource/v1\nid: guide\nname: Guide\nurl: https://example.org\nstatus: {stage: listed}\n"
	if edit != nil {
		edit(files)
	}
	return Input{Registry: load(t, files, registry.Options{})}
}

// A paging is what any response with a list has of these.
type paging struct {
	Total     int
	Digest    string
	ListPath  string  `json:"list_path"`
	NextPath  *string `json:"next_path"`
	PagesPath *string `json:"pages_path"`
	Items     []json.RawMessage
	Files     []json.RawMessage // of the manifest, which has no items
}

func (p paging) rows() []string {
	return each(append(p.Items, p.Files...), func(row json.RawMessage) string { return string(row) })
}

func pagingOf(t *testing.T, c *Catalog, name string) (p paging) {
	t.Helper()
	if err := json.Unmarshal(file(t, c, apiFolder+"/"+name), &p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// No file that a client has to read is over 1 MiB: of every larger list there are
// pages, which hold what the whole does, and a null says that there are none.
func TestPages(t *testing.T) {
	c := build(t, heavy(t, 400, nil))
	schema := closed(t)
	var paged []string
	for _, name := range c.Names() {
		name, api := strings.CutPrefix(name, apiFolder+"/")
		if !api || path.Ext(name) != ".json" || strings.HasPrefix(name, "schemas/") || name == openAPIName {
			continue
		}
		data := file(t, c, apiFolder+"/"+name)
		switch isPage := strings.Contains(name, "/pages/"); {
		case isPage:
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema(schemaOf(apiFolder + "/" + name)).Validate(v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(data) > maxPage {
				t.Errorf("%s has %d bytes, and a page at most %d", name, len(data), maxPage)
			}
			continue
		case name == "full.json": // has shards
			continue
		}
		p := pagingOf(t, c, name)
		if p.PagesPath == nil && len(data) > maxPage {
			t.Errorf("%s has %d bytes and no pages", name, len(data))
		}
		if at := apiFolder + "/" + pagesPath(name); (c.files[at] != nil) != (p.PagesPath != nil) {
			t.Errorf("%s says that its pages are at %v; %s is there: %t", name, p.PagesPath, at, c.files[at] != nil)
		}
		if p.PagesPath != nil {
			paged = append(paged, name)
			samePages(t, c, name, p)
		}
	}
	want := []string{
		"dpgs.json", "frameworks/sdgs/3.json", "identifiers.json", "manifest.json", "resources.json", "search.json",
		"views/license/MIT.json", "views/organization.json", "views/type/software.json",
	}
	if diff := cmp.Diff(want, paged); diff != "" {
		t.Errorf("lists with pages (-want +got):\n%s", diff)
	}
	// What leads to a list says so too.
	var led []string
	for _, name := range []string{"index.json", "frameworks/sdgs.json", "views.json", "views/license.json", "views/type.json"} {
		var v any
		if err := json.Unmarshal(file(t, c, apiFolder+"/"+name), &v); err != nil {
			t.Fatal(err)
		}
		walkPaths(v, func(list, pages string) {
			if pages != pagesPath(list) {
				t.Errorf("%s says that the pages of %s are at %s", name, list, pages)
			}
			led = append(led, list)
		})
	}
	slices.Sort(led)
	want = slices.DeleteFunc(want, func(name string) bool { // fixed addresses, which the index has as links
		return name == identifiersName || name == searchName || name == manifestFile
	})
	if diff := cmp.Diff(want, led); diff != "" {
		t.Errorf("lists that others say have pages (-want +got):\n%s", diff)
	}
}

// walkPaths tells of every object that names a list and its pages.
func walkPaths(v any, tell func(list, pages string)) {
	switch v := v.(type) {
	case map[string]any:
		list, _ := v["path"].(string)
		if pages, ok := v["pages_path"].(string); ok && list != "" {
			tell(list, pages)
		}
		for _, x := range v {
			walkPaths(x, tell)
		}
	case []any:
		for _, x := range v {
			walkPaths(x, tell)
		}
	}
}

// digestOfTexts is the digest of a list without white space between its tokens.
func digestOfTexts(items []string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("["+strings.Join(items, ",")+"]")))
}

// samePages compares the pages of a list with the whole of it.
func samePages(t *testing.T, c *Catalog, name string, whole paging) {
	t.Helper()
	var index PagesResponse
	if err := json.Unmarshal(file(t, c, apiFolder+"/"+*whole.PagesPath), &index); err != nil {
		t.Fatal(err)
	}
	if index.ListPath != name || index.Total != len(index.Items) || index.Total == 0 {
		t.Errorf("%s is of %q, with %d of %d pages", *whole.PagesPath, index.ListPath, len(index.Items), index.Total)
	}
	var rows []string
	next := &index.Items[0].Path
	var last []string
	for _, s := range index.Items {
		if next == nil || *next != s.Path {
			t.Fatalf("%s: the pages do not lead to %s", name, s.Path)
		}
		p := pagingOf(t, c, s.Path)
		got := p.rows()
		if p.ListPath != name || p.Total != s.ItemCount || p.Total != len(got) || p.Digest != s.Digest || p.Digest != digestOfTexts(got) {
			t.Errorf("%s is told as %+v", s.Path, s)
		}
		if len(got) > 0 {
			for _, at := range []struct {
				row string
				key []string
				id  *string
			}{{got[0], s.FirstKey, s.FirstID}, {got[len(got)-1], s.LastKey, s.LastID}} {
				var item map[string]any
				if err := json.Unmarshal([]byte(at.row), &item); err != nil {
					t.Fatal(err)
				}
				for i, key := range index.SortedBy {
					if item[key] != at.key[i] {
						t.Errorf("%s: %s is %q in the page and %q in the index", s.Path, key, item[key], at.key[i])
					}
				}
				if id, ok := item["id"].(string); ok != (at.id != nil) || ok && id != *at.id {
					t.Errorf("%s: id %q is %v in the index", s.Path, id, at.id)
				}
			}
			if slices.Compare(last, s.FirstKey) >= 0 {
				t.Errorf("%s begins with %q, and the page before ends with %q", s.Path, s.FirstKey, last)
			}
			last = s.LastKey
		}
		rows = append(rows, got...)
		next = p.NextPath
	}
	if next != nil {
		t.Errorf("%s: the last page leads to %s", name, *next)
	}
	want := whole.rows()
	if name == manifestFile {
		want = slices.DeleteFunc(want, func(row string) bool { return strings.HasPrefix(row, `{"path":"`+apiFolder+`/manifest/`) })
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("%s (-whole +pages):\n%s", name, diff)
	}
}

// One entry more changes the page that it stands in, and what tells of the pages.
func TestPagesKeepTheirBytes(t *testing.T) {
	one := build(t, heavy(t, 400, nil))
	two := build(t, heavy(t, 400, func(files map[string]string) {
		files["dpgs/e00100x.yaml"] = "schema: dpg/v1\nid: e00100x\nname: New\ntypes: [software]\nlicenses: [{expression: MIT}]\nsdgs: [{goal: 3}]\nstatus: {stage: nominee}\n"
	}))
	for _, list := range []string{"dpgs.json", "search.json", "frameworks/sdgs/3.json", "views/type/software.json"} {
		folder := path.Dir(apiFolder + "/" + pagesPath(list))
		differ, same := 0, 0
		for _, name := range two.Names() {
			if path.Dir(name) != folder || path.Base(name) == "index.json" {
				continue
			}
			if was, err := one.File(name); err == nil && bytes.Equal(was, file(t, two, name)) {
				same++
			} else {
				differ++
			}
		}
		if differ != 1 || same < 1 {
			t.Errorf("%s: %d pages differ and %d do not", list, differ, same)
		}
	}
}

// A list of one item that is larger than a page is one page, and nothing hangs.
func TestEnds(t *testing.T) {
	sized := func(room int, sizes ...int) listing {
		return listing{
			count: len(sizes), room: room,
			row: func(i int) row { return new(block).add(make([]byte, sizes[i]-len(",\n    "))) },
			key: func(i int) []string { return []string{fmt.Sprint(i)} },
		}
	}
	for _, tt := range []struct {
		name string
		l    listing
		want []int
	}{
		{"nothing", sized(100), []int{0}},
		{"one", sized(100, 50), []int{1}},
		{"one too large", sized(100, 5000), []int{1}},
		{"a large one among small ones", sized(100, 10, 5000, 10), []int{1, 2, 3}},
		{"full to the byte", sized(4000, 2000, 2000, 10), []int{2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.l.ends()); diff != "" {
				t.Errorf("ends (-want +got):\n%s", diff)
			}
		})
	}
}

// The names of pages are no entry's, code's or value's, whatever these are named.
func TestPagesAreNoIDs(t *testing.T) {
	files := func(files map[string]string) {
		for _, id := range []string{"pages", "index", "000001", "search", "manifest"} {
			files["dpgs/"+id+".yaml"] = "schema: dpg/v1\nid: " + id + "\nname: " + id + "\ntypes: [pages, index]\nsectors: [pages, index]\norganizations: [{name: pages}]\nstatus: {stage: nominee}\n"
		}
	}
	c := build(t, heavy(t, 400, files))
	for _, name := range []string{"dpgs/pages.json", "dpgs/index.json", "dpgs/000001.json", "dpgs/pages/000001.json", "views/sector/pages.json", "views/sector/index.json"} {
		file(t, c, apiFolder+"/"+name)
	}
	dir := t.TempDir()
	write(t, c, dir)
	// Pages that go are no ids that are lost.
	fewer := build(t, heavy(t, 400, func(all map[string]string) {
		files(all)
		for name := range all {
			if strings.HasPrefix(name, "dpgs/e") {
				id := strings.TrimSuffix(path.Base(name), ".yaml")
				all[name] = "schema: dpg/v1\nid: " + id + "\nstatus: {stage: removed, as_of: 2026-01-02, reason: Asked for.}\n"
			}
		}
	}))
	report := write(t, fewer, dir)
	if !slices.Contains(report.Removed, "api/v1/frameworks/sdgs/3/pages/index.json") {
		t.Errorf("removed %d files, and not the pages of what is small now", len(report.Removed))
	}
}
