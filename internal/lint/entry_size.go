package lint

import "github.com/dpg-registry/dpg-registry/internal/diag"

// MaxStrings is how many texts an entry may hold for rules to look at it, some ten
// times as many as the longest entry that people wrote. The bound keeps a file
// that was made to be slow from being so.
const MaxStrings = 5000

var entrySize = &Rule{
	ID:       "entry-size",
	Severity: diag.Error,
	Summary:  "no entry holds more than 5000 texts",
	Doc: `An entry is for people to read and for every copy of the catalog to carry. No other rule looks at one that holds
more than 5000 texts; what is that long belongs on a page that the entry links to.`,
	Check: func(p *Pass) {
		if n := len(p.Strings); n > MaxStrings {
			p.Reportf("", "link to what is long instead", "the entry holds %d texts, so that no other rule looked at it", n)
		}
	},
}
