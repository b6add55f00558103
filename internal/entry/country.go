package entry

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country is the English name of the country that an ISO 3166-1 alpha-2 code stands
// for, as a list shows it: "Netherlands". It is "" for what is no such code. Names are
// those of CLDR, without abbreviations, but where a country has told the United Nations another.
func Country(code string) string {
	if name, ok := countryNow[code]; ok {
		return name
	}
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() || region.Canonicalize().String() != code {
		return ""
	}
	name := display.English.Regions().Name(region)
	return strings.ReplaceAll(strings.ReplaceAll(name, " & ", " and "), "St. ", "Saint ")
}

// countryNow has the names that the library's edition of CLDR is behind with, or
// writes as no sentence does.
var countryNow = map[string]string{
	"CD": "Democratic Republic of the Congo",
	"CG": "Republic of the Congo",
	"CV": "Cabo Verde",
	"HK": "Hong Kong",
	"MK": "North Macedonia",
	"MM": "Myanmar",
	"MO": "Macao",
	"PS": "Palestine",
	"SZ": "Eswatini",
	"TR": "Türkiye",
}
