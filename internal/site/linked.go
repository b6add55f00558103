package site

import (
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// A thing is an object in schema.org's words. Its keys are written sorted.
type thing = map[string]any

const schemaOrg = "https://schema.org"

// linkedData tells a search engine what an entry is, in schema.org's words, with
// what the entry says and nothing else. Address is that of its page, or "".
func linkedData(ix catalog.Index, e catalog.Entry, address string) thing {
	out := thing{"@context": schemaOrg, "@type": schemaTypes(e), "identifier": e.ID}
	set := func(key, v string) {
		if v != "" {
			out[key] = v
		}
	}
	web := func(key string, addresses ...*string) {
		var all []string
		for _, a := range addresses {
			if a != nil && webAddress(*a) && !slices.Contains(all, *a) {
				all = append(all, *a)
			}
		}
		put(out, key, all)
	}
	set("@id", address)
	set("name", value(e.Name))
	about := phraseOf(e.Description)
	if about.Text == "" && e.Assessment != nil && e.Assessment.Summary != nil {
		about = phraseOf(e.Assessment.Summary.Text)
	}
	set("description", about.Text)
	web("url", e.Website, e.URL)
	put(out, "alternateName", e.Aliases)
	put(out, "inLanguage", e.Languages)
	put(out, "keywords", append(slices.Clone(e.Sectors), e.Topics...))
	set("datePublished", value(e.Published))
	set("dateModified", value(e.UpdatedAt))
	var licenses []string
	for _, l := range e.Licenses {
		if u := value(l.URL); webAddress(u) {
			licenses = append(licenses, u)
		} else if l.Expression != "" {
			licenses = append(licenses, l.Expression)
		}
	}
	put(out, "license", licenses)
	var same []string
	if w := value(e.SameAs.Wikidata); w != "" {
		same = append(same, "https://www.wikidata.org/entity/"+w)
	}
	for _, r := range e.Repositories {
		if u := value(r.URL); webAddress(u) {
			same = append(same, u)
		}
	}
	put(out, "sameAs", same)
	roles := map[string]string{"owner": "creator", "maintainer": "maintainer", "funder": "funder"}
	bodies := map[string][]thing{}
	for _, o := range e.Organizations {
		if key := roles[value(o.Role)]; key != "" && o.Name != nil {
			body := thing{"@type": "Organization", "name": *o.Name}
			if u := value(o.Website); webAddress(u) {
				body["url"] = u
			}
			bodies[key] = append(bodies[key], body)
		}
	}
	for key, all := range bodies {
		put(out, key, all)
	}
	if ix.BaseURL != nil {
		in := thing{"@type": "DataCatalog", "@id": baseOf(ix), "name": ix.Name}
		out["isPartOf"] = in
		if slices.Contains(e.Types, "data") {
			out["includedInDataCatalog"] = in
		}
	}
	return out
}

// schemaTypes are an entry's types as schema.org names them.
func schemaTypes(e catalog.Entry) any {
	var all []string
	for _, t := range e.Types {
		name := "CreativeWork"
		switch t {
		case "software", "ai-system":
			name = "SoftwareApplication"
		case "data":
			name = "Dataset"
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "CreativeWork"
	}
	if len(all) == 1 {
		return all[0]
	}
	slices.Sort(all)
	return all
}

// put sets a list, one value as itself, none not at all.
func put[T any](in thing, key string, all []T) {
	switch len(all) {
	case 0:
	case 1:
		in[key] = all[0]
	default:
		in[key] = all
	}
}

// catalogData tells what the whole is, and where it can be had in one piece.
func catalogData(ix catalog.Index) thing {
	base := ""
	if ix.BaseURL != nil {
		base = baseOf(ix)
	}
	file := func(name, kind string) thing {
		return thing{"@type": "DataDownload", "contentUrl": base + "api/v1/" + name, "encodingFormat": kind}
	}
	whole := thing{"@type": "Dataset", "name": ix.Name, "distribution": []thing{
		file("full.json", "application/json"), file("full.ndjson", "application/x-ndjson"), file("csv/entries.csv", "text/csv"),
	}}
	out := thing{"@context": schemaOrg, "@type": "DataCatalog", "name": ix.Name, "dataset": whole}
	if base != "" {
		out["@id"], out["url"] = base, base
	}
	for _, t := range []thing{out, whole} {
		if about := phraseOf(ix.Description).Text; about != "" {
			t["description"] = about
		}
		if l := value(ix.License); l != "" {
			t["license"] = licenseAddress(l)
		}
		if p := value(ix.Publisher.Name); p != "" {
			body := thing{"@type": "Organization", "name": p}
			if u := value(ix.Publisher.URL); webAddress(u) {
				body["url"] = u
			}
			t["publisher"] = body
		}
	}
	if d := value(ix.GeneratedAt); d != "" {
		out["dateModified"] = d
	}
	return out
}

// licenseAddress is where SPDX has the text of one licence; an expression of
// several stays as it is.
func licenseAddress(expression string) string {
	if strings.ContainsAny(expression, " ()+:") {
		return expression
	}
	return "https://spdx.org/licenses/" + expression + ".html"
}
