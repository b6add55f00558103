package site

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// dataOf is the schema.org object in a page.
func dataOf(t *testing.T, all []element) map[string]any {
	t.Helper()
	for _, e := range all {
		if e.tag == "script" {
			var v map[string]any
			if err := json.Unmarshal([]byte(e.text), &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return nil
}

// Every entry has a page; what its text means to do, it does not; and what leads
// away from it is there.
func TestEntryPages(t *testing.T) {
	for name, c := range map[string]*catalog.Catalog{"hostile": build(t), "included": included(t)} {
		t.Run(name, func(t *testing.T) {
			pages := 0
			for _, k := range c.Index.Kinds {
				for _, e := range c.Full.Entries[k.Name] {
					pages++
					name := pagePath(e.Path)
					page, err := c.File(name)
					if err != nil {
						t.Fatal(err)
					}
					all := parse(t, page)
					for _, x := range all {
						u, err := url.Parse(x.attr["href"])
						if err != nil || u.Scheme == "javascript" {
							t.Errorf("%s: href %q, %v", name, x.attr["href"], err)
							continue
						}
						if x.attr["href"] == "" || u.IsAbs() || u.Path == "" {
							continue
						}
						if _, err := c.File(path.Join(path.Dir(name), u.Path)); err != nil {
							t.Errorf("%s: href %q: %v", name, x.attr["href"], err)
						}
					}
					data := dataOf(t, all)
					if !live(e) {
						if data != nil || !strings.Contains(string(page), `content="noindex"`) {
							t.Errorf("%s is not live, and search engines are told of it", name)
						}
						continue
					}
					if data["name"] != *e.Name || data["identifier"] != e.ID || data["@context"] != schemaOrg {
						t.Errorf("%s: its data is of %q, %q, want %q, %q", name, data["identifier"], data["name"], e.ID, *e.Name)
					}
					if !strings.Contains(all[0].text, *e.Name) {
						t.Errorf("%s does not say %q", name, *e.Name)
					}
				}
			}
			if pages < 3 {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

func TestLinkedData(t *testing.T) {
	text := func(s string) *string { return &s }
	ix := catalog.Index{Name: "R", BaseURL: text("https://example.org/sub")}
	e := catalog.Entry{
		ID: "x", Name: text("X"), Description: catalog.Text{"fr": "Une chose."}, Website: text("javascript:alert(1)"),
		Types: []string{"data", "software", "ai-system"}, Licenses: []catalog.License{{Expression: "MIT"}, {Expression: "CC-BY-4.0", URL: text("https://example.org/l")}},
		Organizations: []catalog.Organization{{Name: text("O"), Role: text("owner"), Website: text("https://o.example")}, {Name: text("P"), Role: text("implementer")}},
		SameAs:        catalog.SameAs{Wikidata: text("Q1")},
	}
	in := thing{"@type": "DataCatalog", "@id": "https://example.org/sub/", "name": "R"}
	want := thing{
		"@context": "https://schema.org", "@type": []string{"Dataset", "SoftwareApplication"}, "@id": "https://example.org/sub/en/dpgs/x.html",
		"identifier": "x", "name": "X", "description": "Une chose.", "license": []string{"MIT", "https://example.org/l"},
		"creator": thing{"@type": "Organization", "name": "O", "url": "https://o.example"}, "sameAs": "https://www.wikidata.org/entity/Q1",
		"isPartOf": in, "includedInDataCatalog": in,
	}
	if diff := cmp.Diff(want, linkedData(ix, e, "https://example.org/sub/en/dpgs/x.html")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if got := schemaTypes(catalog.Entry{}); got != "CreativeWork" {
		t.Errorf("what has no type is %v", got)
	}
}

func TestFrontPageData(t *testing.T) {
	c := build(t)
	page, err := frontPage(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	data := dataOf(t, parse(t, page))
	if data["@type"] != "DataCatalog" || data["@id"] != "https://example.org/sub/" || data["license"] != "https://spdx.org/licenses/CC0-1.0.html" {
		t.Errorf("data = %v", data)
	}
	if p := data["publisher"].(map[string]any); p["url"] != nil {
		t.Errorf("the publisher's address is %v, want none that runs", p["url"])
	}
	for _, d := range data["dataset"].(map[string]any)["distribution"].([]any) {
		to := d.(map[string]any)["contentUrl"].(string)
		if _, err := c.File(strings.TrimPrefix(to, "https://example.org/sub/")); err != nil {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// The sitemap leads to the page of every live entry and to nothing else.
func TestSitemap(t *testing.T) {
	c := build(t)
	data, err := c.File("sitemap.xml")
	if err != nil {
		t.Fatal(err)
	}
	var m sitemap
	if err := xml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range m.URLs {
		got = append(got, u.Loc)
	}
	want := []string{"https://example.org/sub/", "https://example.org/sub/en/dpgs/alpha.html", "https://example.org/sub/en/dpgs/evil.html"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if _, err := c.File("robots.txt"); err == nil {
		t.Error("there is a robots.txt below the root of a host, where nobody reads it")
	}
}

func TestSitemapInParts(t *testing.T) {
	c := build(t)
	var urls []sitemapURL
	for i := range 5 {
		urls = append(urls, sitemapURL{Loc: fmt.Sprint("https://example.org/", i)})
	}
	// The one sitemap is taken, so the parts stand and their index is refused.
	if err := addSitemaps(c, "https://example.org/", urls, 2); err == nil {
		t.Error("sitemap.xml was written twice")
	}
	total := 0
	for n := 1; n <= 3; n++ {
		data, err := c.File(fmt.Sprintf("sitemaps/%d.xml", n))
		if err != nil {
			t.Fatal(err)
		}
		var m sitemap
		if err := xml.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		total += len(m.URLs)
	}
	if total != 5 {
		t.Errorf("%d addresses in the parts, want 5", total)
	}
}

// Codes are shown by what they are called, in the order a reader looks them up in.
func TestFactsNameCodes(t *testing.T) {
	e := catalog.Entry{Languages: []string{"pt-BR", "x-private", "sw"}}
	e.Locations.DeployedIn = []string{"AX", "DZ", "ZZ", "TR", "BR"}
	got := map[string]string{}
	for _, f := range factsOf(e) {
		for _, v := range f.Values {
			got[f.Name] += v.Text + "; "
		}
	}
	want := map[string]string{
		"Languages":   "Brazilian Portuguese; x-private; Swahili; ",
		"Deployed in": "Åland Islands; Algeria; Brazil; Türkiye; ZZ; ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts differ (-want +got):\n%s", diff)
	}
}
