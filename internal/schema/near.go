package schema

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dpg-registry/dpg-registry/internal/typo"
)

// nearest returns the candidate that a misspelt word most likely meant, or ""
// where it would be a guess.
func nearest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	plain := squash(word)
	best, bestAt, tied := "", max(1, len(plain)/3)+1, false
	for _, c := range candidates {
		other := squash(c)
		d := typo.Distance([]rune(plain), []rune(other), bestAt)
		if d >= len(other) { // nothing in common
			continue
		}
		switch {
		case d < bestAt:
			best, bestAt, tied = c, d, false
		case d == bestAt && best != "":
			tied = true
		}
	}
	if tied && bestAt > 0 {
		return ""
	}
	if best == "" {
		return begins(plain, candidates)
	}
	return best
}

// begins returns the only candidate that begins with a word, or with which it
// begins: "AI" is short for "ai-system", and "dataset" is a sort of "data".
func begins(plain string, candidates []string) string {
	found := ""
	for _, c := range candidates {
		other := squash(c)
		if plain == "" || !strings.HasPrefix(other, plain) && (len(other) < 4 || !strings.HasPrefix(plain, other)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}

// squash drops what people vary most: case, separators and the plural.
func squash(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', ' ', '.':
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	if len(s) > 3 {
		s = strings.TrimSuffix(s, "s")
	}
	return s
}

// kebab writes a name as an id: accents off, lower case, hyphens.
func kebab(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(s) {
		r = unicode.ToLower(r)
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.IsLetter(r):
			return "" // another script: an id for it is a person's choice
		default:
			gap = true
		}
	}
	return b.String()
}

var (
	yearFirst = regexp.MustCompile(`^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[T ].*)?$`)
	digits    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	yearLast  = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})$`)
)

// date reads a day in another notation and returns it as 2006-01-02, or "" where
// two days could be meant.
func date(s string) string {
	for _, layout := range []string{
		"2 January 2006", "2 Jan 2006", "2. January 2006", "January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006", "2-Jan-2006",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	for _, re := range []*regexp.Regexp{yearFirst, digits} {
		if m := re.FindStringSubmatch(s); m != nil {
			return day(m[1], m[2], m[3])
		}
	}
	if m := yearLast.FindStringSubmatch(s); m != nil {
		dayFirst, monthFirst := day(m[3], m[2], m[1]), day(m[3], m[1], m[2])
		switch {
		case monthFirst == "" || monthFirst == dayFirst:
			return dayFirst
		case dayFirst == "":
			return monthFirst
		}
	}
	return ""
}

func day(y, m, d string) string {
	t, err := time.Parse("2006-1-2", y+"-"+strings.TrimPrefix(m, "0")+"-"+strings.TrimPrefix(d, "0"))
	if err != nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
