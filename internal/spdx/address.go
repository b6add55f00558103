package spdx

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

var (
	webAddress = regexp.MustCompile(`(?i)\bhttps?://[^\s<>"'\[\]()|,;]+`)
	// bareAddress is an address without its scheme, and nothing else.
	bareAddress = regexp.MustCompile(`(?i)^(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|net|com|eu|uk|no|fr|de|io|edu|gov)/\S*$`)
)

// repairAddresses answers for addresses and the text around them.
func repairAddresses(urls []string, rest string) Repaired {
	var all Repaired
	for i, url := range urls {
		r := address(url)
		switch {
		case i == 0:
			all = r
		case len(r.options()) > 0 && len(all.options()) > 0:
			all = agree(all, r)
		case len(r.options()) > 0:
			all = r
		}
	}
	if len(normalise(tag.ReplaceAllString(rest, " "))) == 0 {
		return all
	}
	text := Repair(tag.ReplaceAllString(rest, " "))
	switch {
	case len(text.options()) == 0:
		return all
	case len(all.options()) == 0:
		return text
	}
	return agree(text, all)
}

// tag is what is left of a link in HTML without its address.
var tag = regexp.MustCompile(`<[^<>]*>`)

// address answers for one address: one that SPDX names for a licence's text, or
// one of a site that has a page for each licence.
func address(url string) Repaired {
	key, fragment := addressKey(url)
	host, path, _ := strings.Cut(key, "/")
	name := siteName(host, strings.Split(path, "/"))
	if x, err := Parse(strings.ReplaceAll(name, " ", "-")); err == nil {
		return renew(x)
	}
	if r, ok := known(name); ok {
		return r
	}
	for _, key := range []string{key + fragment, key} {
		if ids := addresses()[key]; len(ids) > 0 && len(ids) <= maxCandidates {
			return answer(ids)
		}
	}
	if r := resembling(name); len(r.Candidates) > 0 {
		return r
	}
	return ask(nil, "which licence stands there? An address says where, not which")
}

// addresses are those of the list, each with what may be meant by it.
var addresses = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for _, l := range loaded().licenses {
		key, fragment := addressKey(l.URL)
		if l.Deprecated || !strings.Contains(key, "/") {
			continue
		}
		key += fragment // many licences stand on one page of a wiki
		if !slices.Contains(m[key], l.ID) {
			m[key] = append(m[key], l.ID)
		}
	}
	return m
})

// addressKey is an address without what makes no difference; fragment is what
// stands behind "#", with it.
func addressKey(url string) (key, fragment string) {
	url = strings.ToLower(url)
	if i := strings.IndexByte(url, '#'); i >= 0 {
		url, fragment = url[:i], url[i:]
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	url, _, _ = strings.Cut(url, "?")
	url = strings.TrimRight(strings.TrimPrefix(url, "www."), "/.,;:!")
	for _, end := range []string{".html", ".htm", ".txt", ".md", ".php", ".xml", ".json", ".rdf", ".pdf", ".en", ".de", ".fr", ".es"} {
		if strings.Contains(url, "/") {
			url = strings.TrimSuffix(url, end)
		}
	}
	return strings.TrimRight(url, "/"), strings.TrimRight(fragment, "#/")
}

var (
	dashedVersion = regexp.MustCompile(`(\d)[-_](\d)`)            // apache-2-0
	shortVersion  = regexp.MustCompile(`\bv?(\d)(\d)\b`)          // epl-v20, eupl-12
	numbered      = regexp.MustCompile(`\d+(?:\.\d+)*`)           // any version
	gnuName       = regexp.MustCompile(`^(a|l|f)?(gpl|dl)\b(.*)`) // gpl-3.0-standalone
)

// siteName makes a licence's name of the path of an address on a site that has
// a page for each licence; "" where it is no such site or page.
func siteName(host string, path []string) string {
	last := path[len(path)-1]
	switch host {
	case "creativecommons.org":
		return creativeCommons(path)
	case "spdx.org", "choosealicense.com", "licenses.nuget.org", "opensource.org", "osi.org", "tldrlegal.com":
		name := last
		if _, ok := Lookup(last); !ok {
			name = dashedVersion.ReplaceAllString(last, "$1.$2")
		}
		if host == "licenses.nuget.org" {
			return name
		}
		if len(path) < 2 || !strings.HasPrefix(path[0], "licen") {
			return ""
		}
		return strings.TrimSuffix(strings.TrimSuffix(name, "-license"), "-licence")
	case "gnu.org", "fsf.org":
		m := gnuName.FindStringSubmatch(last)
		if m == nil {
			return ""
		}
		if m[1] == "f" {
			m[1] = "gf"
		}
		return m[1] + m[2] + " " + numbered.FindString(m[3])
	case "apache.org":
		return "apache " + numbered.FindString(last)
	case "mozilla.org":
		return "mpl " + numbered.FindString(strings.Join(path, " "))
	case "eclipse.org":
		if rest, ok := strings.CutPrefix(last, "epl-"); ok {
			return "epl " + numbered.FindString(shortVersion.ReplaceAllString(rest, "$1.$2"))
		}
	case "opendatacommons.org":
		if len(path) > 1 && path[0] == "licenses" {
			return "odc " + path[1] + " " + numbered.FindString(dashedVersion.ReplaceAllString(strings.Join(path[2:], " "), "$1.$2"))
		}
	case "joinup.ec.europa.eu", "eupl.eu", "interoperable-europe.ec.europa.eu":
		all := strings.Join(path, " ")
		if host == "eupl.eu" || strings.Contains(all, "eupl") {
			return "eupl " + numbered.FindString(shortVersion.ReplaceAllString(all, "$1.$2"))
		}
	case "nationalarchives.gov.uk":
		if slices.Contains(path, "open-government-licence") {
			return "ogl " + numbered.FindString(last)
		}
	case "data.norge.no":
		return "nlod " + numbered.FindString(strings.Join(path, " "))
	case "boost.org":
		return "boost"
	case "unlicense.org":
		return "unlicense"
	case "wtfpl.net":
		return "wtfpl"
	case "isc.org":
		return "isc"
	case "openfontlicense.org", "scripts.sil.org":
		return "ofl " + numbered.FindString(last)
	case "php.net":
		return "php " + strings.ReplaceAll(last, "_", ".")
	case "zlib.net":
		return "zlib"
	}
	return ""
}

// creativeCommons reads licenses/by-sa/3.0/igo/deed.fr and publicdomain/zero/1.0.
func creativeCommons(path []string) string {
	path = slices.DeleteFunc(slices.Clone(path), func(s string) bool {
		return strings.HasPrefix(s, "deed") || strings.HasPrefix(s, "legalcode") || s == "rdf" || s == ""
	})
	if len(path) < 2 {
		return ""
	}
	switch path[0] {
	case "licenses":
		return "cc " + strings.Join(path[1:], " ")
	case "publicdomain":
		if path[1] == "mark" {
			path[1] = "pdm"
		}
		return "cc " + strings.Join(path[1:], " ")
	}
	return ""
}
