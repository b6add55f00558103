package lint

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var linkHTTP = &Rule{
	ID:       "link-http",
	Severity: diag.Info,
	Summary:  "links use https",
	Doc: `A page that is asked for by "http" can be read and changed on its way. Nearly every site answers by "https" too;
try it, and keep "http" where the site does not.`,
	Check: func(p *Pass) {
		for _, l := range linksOf(p) {
			if rest, ok := cutHTTP(l.text); ok && faultOf(l.text) == nil {
				p.ReportWithinf(l.pointer, l.front, len(l.text), "try "+quote("https://"+rest), "%s uses http, where anybody on the way can read and change the page", quote(l.text))
			}
		}
	},
}

func cutHTTP(s string) (rest string, ok bool) {
	const scheme = "http://"
	if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		return s[len(scheme):], true
	}
	return "", false
}
