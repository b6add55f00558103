package lint

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longest is how many letters of a value a message repeats.
const longest = 80

// quote quotes a value for a message, cut where it is long.
func quote(s string) string {
	if utf8.RuneCountInString(s) > longest {
		s = string([]rune(s)[:longest]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// quoteAll joins values with commas and a last word: "a", "b" or "c".
func quoteAll(values []string, last string) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			b.WriteString(" " + last + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(quote(v))
	}
	return b.String()
}

// didYouMean asks for one of the values; it is "" where there are none.
func didYouMean(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "did you mean " + quoteAll(values, "or") + "?"
}

// near returns up to three of the known words that s is likely to be a slip of,
// nearest first.
func near(s string, known []string) []string {
	const tooLong = 100
	if s == "" || len(s) > tooLong {
		return nil
	}
	type guess struct {
		word string
		far  int
	}
	low := strings.ToLower(s)
	bound := len(low) / 4 // a short word is only ever a slip of case
	var guesses []guess
	for _, k := range known {
		if len(k) > tooLong || len(k)-len(low) > bound || len(low)-len(k) > bound {
			continue
		}
		if d := distance(low, strings.ToLower(k)); d <= bound && d < len(k) {
			guesses = append(guesses, guess{k, d})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int {
		if a.far != b.far {
			return a.far - b.far
		}
		return strings.Compare(a.word, b.word)
	})
	var out []string
	for _, g := range guesses {
		if len(out) == 3 || g.far > guesses[0].far {
			break
		}
		out = append(out, g.word)
	}
	return out
}

// distance is how many bytes to put in, take out, change or swap to make b of a.
func distance(a, b string) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// fold reduces a name to what makes it the same name: letters and digits without
// case, Latin accents or punctuation.
func fold(s string) string {
	if ascii(s) {
		return foldASCII(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '\u0300' && r <= '\u036f': // combining accents
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r): // marks are vowels in Indic scripts
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(s))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func foldASCII(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			b = append(b, c)
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		}
	}
	return string(b)
}

// trim cuts white space and invisible characters off both ends. front is how many
// bytes went from the beginning.
func trim(s string) (trimmed string, front int) {
	left := strings.TrimLeftFunc(s, invisible)
	return strings.TrimRightFunc(left, invisible), len(s) - len(left)
}

func invisible(r rune) bool {
	switch r {
	case '\u200b', '\u2060', '\ufeff': // zero width space, word joiner, byte order mark
		return true
	}
	return unicode.IsSpace(r)
}
