package lint

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var country = &Rule{
	ID:       "country",
	Severity: diag.Error,
	Summary:  "every country is an ISO 3166-1 alpha-2 code",
	Doc: `Countries are written as the two capital letters of ISO 3166-1, plus XK for Kosovo, so that the catalog can
group by them and show their names in any language. A region, a continent or "global" is no country: name the
countries one by one, or say it in the description.`,
	Check: func(p *Pass) {
		repair := countryRepair{p: p}
		for _, c := range countries(p) {
			text, _ := trim(c.code)
			if text == "" || isCountry(c.code) {
				continue
			}
			hint := `write the two-letter code of a country, such as "KE"; a region is given as its countries`
			code := countryCode(text)
			if code != "" {
				hint = "write " + quote(code)
			} else if names := p.near(fold(text), func() []string { return slices.Collect(maps.Keys(countryNames())) }); len(names) == 1 {
				hint = didYouMean([]string{countryNames()[names[0]]})
			}
			d := p.Reportf(c.pointer, hint, "country %s is not an ISO 3166-1 alpha-2 code", quote(c.code))
			d.Edits = p.edits.of(func() []diag.Edit { return repair.edits(c, code) })
		}
	},
}

type listedCountry struct{ list, pointer, code string }

func countries(p *Pass) []listedCountry {
	var all []listedCountry
	if l := p.Entry.Locations; l != nil {
		for i, c := range l.DevelopedIn {
			all = append(all, listedCountry{"developed_in", item("/locations/developed_in", i), c})
		}
		for i, c := range l.DeployedIn {
			all = append(all, listedCountry{"deployed_in", item("/locations/deployed_in", i), c})
		}
	}
	return all
}

// isCountry knows the codes that are in force. The library also takes codes of
// states that are gone, and those reserved for groups and islands.
func isCountry(code string) bool {
	if len(code) != 2 || strings.ToUpper(code) != code || strings.Contains(formerCodes, code) {
		return false
	}
	r, err := language.ParseRegion(code)
	return err == nil && r.IsCountry() && r.String() == code && r.Canonicalize() == r && r.M49() != 0
}

// formerCodes are those that the library does not map to a successor.
const formerCodes = "AN CS FQ MI NQ NT PC PU SU YU"

// countryCode finds the code that was meant by a name, an alpha-3 code or a code
// that is reserved or gone; "" where there is not one answer.
func countryCode(s string) string {
	up := strings.ToUpper(s)
	if isCountry(up) {
		return up
	}
	if r, err := language.ParseRegion(up); err == nil && isCountry(r.Canonicalize().String()) {
		return r.Canonicalize().String()
	}
	return countryNames()[fold(strings.TrimPrefix(strings.ToLower(s), "the "))]
}

// countryNames maps the English names of countries, folded, to their codes.
var countryNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if code := string(a) + string(b); isCountry(code) {
				names[fold(display.English.Regions().Name(language.MustParseRegion(code)))] = code
			}
		}
	}
	for line := range strings.Lines(countryAliases) {
		if code, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			names[fold(name)] = code
		}
	}
	return names
})

// countryAliases are names in use beside those of the library, which are CLDR's.
const countryAliases = `
BN Brunei Darussalam
BO Plurinational State of Bolivia
BO Bolivia (Plurinational State of)
CD Democratic Republic of the Congo
CD Democratic Republic of Congo
CD DR Congo
CD DRC
CG Republic of the Congo
CI Côte d'Ivoire
CI Ivory Coast
CV Cabo Verde
CV Cape Verde
CZ Czech Republic
CZ Czechia
FM Federated States of Micronesia
GB England
GB Great Britain
GB Northern Ireland
GB Scotland
GB Wales
GM Gambia
GM Gambia, The
GR EL
HK Hong Kong
IR Iran (Islamic Republic of)
IR Islamic Republic of Iran
KP Democratic People's Republic of Korea
KR Republic of Korea
LA Lao PDR
LA Lao People's Democratic Republic
MD Republic of Moldova
MK Macedonia
MK North Macedonia
MM Burma
MM Myanmar
MO Macao
MO Macau
NL Holland
PS Palestine
PS State of Palestine
RU Russian Federation
SY Syrian Arab Republic
SZ Eswatini
SZ Swaziland
TL East Timor
TR Türkiye
TZ United Republic of Tanzania
US United States of America
VE Bolivarian Republic of Venezuela
VN Viet Nam
`
