package site

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// maxSitemap is how many addresses one sitemap may hold, by sitemaps.org.
const maxSitemap = 50_000

type (
	sitemapURL struct {
		Loc     string `xml:"loc"`
		LastMod string `xml:"lastmod,omitempty"`
	}
	sitemap struct {
		XMLName xml.Name     `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []sitemapURL `xml:"url"`
	}
	sitemapIndex struct {
		XMLName xml.Name     `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Maps    []sitemapURL `xml:"sitemap"`
	}
)

// addSitemap lists the pages of live entries for search engines, and leads them
// there by robots.txt where the site stands at the root of its host: elsewhere
// nobody reads one. A sitemap needs full addresses, so there is none without a
// base_url.
func addSitemap(c *catalog.Catalog) error {
	if c.Index.BaseURL == nil {
		return nil
	}
	base := baseOf(c.Index)
	urls := []sitemapURL{{Loc: base}}
	for _, k := range c.Index.Kinds {
		for _, f := range c.Facts[k.Name] {
			if f.Live() {
				urls = append(urls, sitemapURL{base + pagePath(f.Path), f.UpdatedAt})
			}
		}
	}
	if err := addSitemaps(c, base, urls, maxSitemap); err != nil {
		return err
	}
	if u, err := url.Parse(base); err != nil || u.Path != "/" {
		return nil
	}
	return c.Add("robots.txt", []byte("User-agent: *\nAllow: /\nSitemap: "+base+"sitemap.xml\n"))
}

// addSitemaps writes one sitemap, or several with an index of them where there
// are more addresses than most.
func addSitemaps(c *catalog.Catalog, base string, urls []sitemapURL, most int) error {
	if len(urls) <= most {
		return addXML(c, "sitemap.xml", sitemap{URLs: urls})
	}
	var ix sitemapIndex
	for n := 1; len(urls) > 0; n++ {
		name := fmt.Sprintf("sitemaps/%d.xml", n)
		if err := addXML(c, name, sitemap{URLs: urls[:min(most, len(urls))]}); err != nil {
			return err
		}
		urls = urls[min(most, len(urls)):]
		ix.Maps = append(ix.Maps, sitemapURL{Loc: base + name})
	}
	return addXML(c, "sitemap.xml", ix)
}

func addXML(c *catalog.Catalog, name string, v any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", " ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.WriteByte('\n')
	return c.Add(name, b.Bytes())
}
