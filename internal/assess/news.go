package assess

import (
	"slices"
	"strings"
)

// NewEvidence gives, of the codes that a person rejected, the evidence in an
// assessment that the one before it did not hold. A rejection stands whatever is
// found; whoever rejected it may want to know. A nil before says nothing is news.
func NewEvidence(before, now *Assessment) []Mapping {
	if before == nil || now == nil {
		return nil
	}
	known := map[string][]Evidence{}
	for _, m := range before.Mappings {
		known[m.Code] = append(known[m.Code], m.Evidence...)
	}
	var news []Mapping
	for _, m := range now.Mappings {
		if m.Review.State != StateRejected {
			continue
		}
		m.Evidence = slices.DeleteFunc(slices.Clone(m.Evidence), func(ev Evidence) bool {
			return slices.ContainsFunc(known[m.Code], func(old Evidence) bool { return sameWords(old, ev) })
		})
		if len(m.Evidence) > 0 {
			news = append(news, m)
		}
	}
	return news
}

// sameWords reports whether one quote holds the other: a sentence that is quoted
// more widely is no news.
func sameWords(a, b Evidence) bool {
	return a.Pointer == b.Pointer && (strings.Contains(a.Quote, b.Quote) || strings.Contains(b.Quote, a.Quote))
}
