package lint

import (
	"fmt"
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
