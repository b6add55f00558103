package search

import (
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// canonical spells a value that a facet may have though no entry here has it, as
// the catalog would. Such a value finds nothing, and is no mistake: what a program
// asked for yesterday must not be one because the last entry of a country, a
// licence or a type is gone. Only live entries are searched, so other stages than
// theirs are none. Sectors have no list of their own: entries make it.
func canonical(facet, v string) (id string, ok bool) {
	switch facet {
	case "country":
		code := strings.ToUpper(v)
		_, ok = dpga.CountryName(code)
		return code, ok
	case "license":
		l, ok := spdx.Lookup(v)
		return l.ID, ok
	case "type":
		id = strings.ToLower(v)
		return id, slices.Contains(entry.Types(), id)
	case "stage":
		id = strings.ToLower(v)
		return id, entry.Status{Stage: id}.Live()
	}
	return "", false
}
