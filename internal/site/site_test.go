package site

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const hostile = "</script></style><img src=x onerror=alert(1)>\u2028\u202e\"'{{.Name}}"

// build makes a catalog with pages; some of its text means harm.
func build(t *testing.T) *catalog.Catalog {
	t.Helper()
	quoted, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"registry.yaml": `schema: registry/v1
name: Small registry
description: {en: A registry for tests., fr: Un registre d'essai.}
notice: This is an example.
publisher: {name: A foundation, url: "javascript:alert(1)"}
base_url: https://example.org/sub/
languages: [en]
kinds: [dpg, resource]
frameworks: [mini]
license: CC0-1.0
attribution: Small registry
`,
		"frameworks/mini.yaml": `schema: framework/v1
id: mini
name: Mini framework
version: "1.0"
source: {publisher: A body, url: https://example.org/mini, license: CC-BY-SA-4.0, attribution: A body's framework}
lists: [{id: principles, name: Principles, mapped: true}]
codes: [{code: P1, list: principles, name: Keep data safe, description: Data is kept safe.}]
`,
		"dpgs/alpha.yaml": "schema: dpg/v1\nid: alpha\nname: Alpha\ndescription: {fr: Une chose.}\ntypes: [software]\n" +
			"licenses: [{expression: MIT}]\nstatus: {stage: dpg}\n",
		"dpgs/evil.yaml": "schema: dpg/v1\nid: evil\nname: " + string(quoted) + "\ndescription: " + string(quoted) +
			"\ntypes: [software]\nlicenses: [{expression: " + string(quoted) + "}]\nstatus: {stage: nominee}\n",
		"dpgs/old.yaml": "schema: dpg/v1\nid: old\nname: Old thing\ntypes: [software]\nstatus: {stage: archived}\n",
	}
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(tree), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	head := registry.Stamp{Commit: strings.Repeat("ab", 20), At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	c, err := catalog.Build(catalog.Input{Registry: reg, Head: &head, Pages: Pages{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// element is a start tag with its attributes and the text up to its end.
type element struct {
	tag  string
	attr map[string]string
	text string
}

// parse reads a page and holds it to what every page must be: each element
// closed in its turn, no id twice, no element that could run or load something.
func parse(t *testing.T, page []byte) []element {
	t.Helper()
	var (
		all  []element
		open []int
		ids  = map[string]bool{}
	)
	void := []string{"meta", "link", "br", "img", "hr", "input"}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		switch kind {
		case html.TextToken:
			for _, i := range open {
				all[i].text += token.Data
			}
		case html.StartTagToken:
			e := element{tag: token.Data, attr: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attr[a.Key]; twice || strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" {
					t.Errorf("<%s> has the attribute %q", e.tag, a.Key)
				}
				e.attr[a.Key] = a.Val
			}
			if id := e.attr["id"]; id != "" {
				if ids[id] {
					t.Errorf("id %q is there twice", id)
				}
				ids[id] = true
			}
			if slices.Contains([]string{"img", "iframe", "object", "form", "base", "svg"}, e.tag) {
				t.Errorf("the page has a <%s>", e.tag)
			}
			if e.tag == "script" && e.attr["type"] != "application/ld+json" { // data, which nothing runs
				t.Errorf("the page has a <script> of type %q", e.attr["type"])
			}
			all = append(all, e)
			if !slices.Contains(void, e.tag) {
				open = append(open, len(all)-1)
			}
		case html.EndTagToken:
			if len(open) == 0 || all[open[len(open)-1]].tag != token.Data {
				t.Fatalf("</%s> closes nothing", token.Data)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("<%s> is not closed", all[open[len(open)-1]].tag)
	}
	for _, e := range all {
		if e.tag == "script" && !json.Valid([]byte(e.text)) {
			t.Errorf("the page's data is no JSON: %s", e.text)
		}
		for _, key := range []string{"aria-labelledby"} {
			if id, has := e.attr[key]; has && !ids[id] {
				t.Errorf("<%s %s=%q> leads nowhere", e.tag, key, id)
			}
		}
		if id, inside := strings.CutPrefix(e.attr["href"], "#"); inside && !ids[id] && id != "ZgotmplZ" {
			t.Errorf("href %q leads nowhere", e.attr["href"])
		}
	}
	return all
}

func TestFrontPage(t *testing.T) {
	c := build(t)
	for _, name := range []string{"index.html", "en/index.html"} {
		t.Run(name, func(t *testing.T) {
			page, err := c.File(name)
			if err != nil {
				t.Fatal(err)
			}
			all := parse(t, page)
			if !bytes.HasPrefix(page, []byte("<!DOCTYPE html>\n<html lang=\"en\">")) {
				t.Errorf("the page begins %.40q", page)
			}
			headings, links := 0, 0
			for _, e := range all {
				if e.tag == "h1" {
					headings++
				}
				href, has := e.attr["href"]
				if !has || strings.HasPrefix(href, "#") {
					continue
				}
				if strings.HasPrefix(href, "https://") {
					t.Errorf("href = %q, want none out of the site but those of the settings", href)
					continue
				}
				// Relative, and to a file that is there.
				u, err := url.Parse(href)
				if err != nil || u.IsAbs() || strings.HasPrefix(href, "/") {
					t.Errorf("href = %q, %v, want a relative one", href, err)
					continue
				}
				links++
				if _, err := c.File(path.Join(path.Dir(name), u.Path)); err != nil {
					t.Errorf("href %q: %v", href, err)
				}
			}
			if headings != 1 || links < 8 {
				t.Errorf("%d main headings and %d links", headings, links)
			}
			for _, want := range []string{
				"This is an example.", "Alpha", "MIT", "Une chose.", "Keep data safe", "A body's framework", "CC0-1.0",
				strings.Repeat("ab", 20), "2026-03-04", "curl https://example.org/sub/api/v1/dpgs/alpha.json",
			} {
				if !strings.Contains(all[0].text, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			if strings.Contains(all[0].text, "Old thing") {
				t.Error("the page lists what is archived")
			}
			if bytes.Contains(page, []byte("javascript:")) || bytes.Contains(page, []byte("<img")) {
				t.Error("hostile text came through as markup")
			}
			french := slices.ContainsFunc(all, func(e element) bool { return e.attr["lang"] == "fr" && e.text == "Une chose." })
			if !french {
				t.Error("text in French is not marked as such")
			}
		})
	}
}

func TestFrontPageOfNothing(t *testing.T) {
	reg, err := registry.Load(context.Background(), registry.FromFS(fstest.MapFS{}), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Build(catalog.Input{Registry: reg, Pages: Pages{}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := frontPage(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if text := parse(t, page)[0].text; !strings.Contains(text, "There is nothing here yet.") || !strings.Contains(text, "files that are not committed") {
		t.Errorf("the page says %q", text)
	}
}

func TestOneLine(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a\n b\t", "a b"},
		{strings.Repeat("word ", 60), strings.TrimSpace(strings.Repeat("word ", 36)) + "…"},
		{strings.Repeat("é", 300), strings.Repeat("é", 180) + "…"},
	}
	for _, tt := range tests {
		if got := oneLine(tt.in); got != tt.want {
			t.Errorf("oneLine(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// textOf is the text of the first element of a class.
func textOf(all []element, class string) string {
	for _, e := range all {
		if e.attr["class"] == class {
			return strings.TrimSpace(e.text)
		}
	}
	return ""
}

// Entries stand as a reader looks for a name, each with its standing in words.
func TestEntriesByName(t *testing.T) {
	tree := fstest.MapFS{}
	for id, rest := range map[string]string{
		"a1": "name: zeta\nstatus: {stage: nominee}\n",
		"b2": "name: Écho\nstatus: {stage: dpg, recognised_by: DPGA, as_of: 2023-01-13}\n",
		"c3": "name: delta\nstatus: {stage: dpg}\n",
		"d4": "name: Delta\nstatus: {stage: nominee, as_of: 2024-05-06}\n",
		"e5": "name: Foxtrot\nstatus: {stage: dpg, recognised_by: A ministry}\n",
	} {
		tree["dpgs/"+id+".yaml"] = &fstest.MapFile{Data: []byte("schema: dpg/v1\nid: " + id + "\ntypes: [software]\n" + rest)}
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(tree), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Build(catalog.Input{Registry: reg, Pages: Pages{}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	front, err := pageOf(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range front.Kinds[0].Entries {
		all := parse(t, []byte(l))
		got = append(got, textOf(all, "name")+": "+textOf(all, "tag"))
	}
	want := []string{
		"delta: recognised", "Delta: nominated, 2024-05-06", "Écho: recognised by DPGA, 2023-01-13",
		"Foxtrot: recognised by A ministry", "zeta: nominated",
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries = %q, want %q", got, want)
	}
}

func TestAboutOf(t *testing.T) {
	text := func(s string) catalog.Text {
		if s == "" {
			return nil
		}
		return catalog.Text{"en": s}
	}
	long := strings.TrimSpace(strings.Repeat("a long text ", 30))
	for _, tt := range []struct {
		name, description, summary, engine string
		first                              bool
		about, derived                     string
	}{
		{"a description alone", "Keeps records.", "", "", false, "Keeps records.", ""},
		{"a description first, a summary second", "Keeps records.", "A is software.", "offline", false, "Keeps records.", "A is software."},
		{"no description", "", "A is software.", "offline", true, "", "A is software."},
		{"a long description", long, "A is software.", "offline", true, "", "A is software."},
		{"a long description and no summary", long, "", "", true, oneLine(long), ""},
		{"a model's", "Keeps records.", "A is software.", "model", false, "Keeps records.", "A is software."},
		{"a person's for a long description", long, "A keeps records.", "person", true, "A keeps records.", ""},
		{"a person's beside a description", "Keeps records.", "A keeps records.", "person", false, "Keeps records.", ""},
		{"a summary is not cut", "", long[:289], "offline", true, "", long[:289]},
	} {
		it := catalog.Item{Description: text(tt.description), SummaryText: text(tt.summary), SummaryFirst: tt.first}
		if tt.engine != "" {
			it.SummaryEngine = &tt.engine
		}
		if about, derived := aboutOf(it); about.Text != tt.about || derived.Text != tt.derived {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.name, about.Text, derived.Text, tt.about, tt.derived)
		}
	}
}
