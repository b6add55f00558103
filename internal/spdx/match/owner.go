package match

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Copyright notices are looked for on every line of every text, so that what
// finds them is written by hand; the test beside holds it to expressions.

// isOwnerLine reports whether a line without decoration begins with a copyright
// notice.
func isOwnerLine(line []byte) bool {
	if !hasOwnerSign(line) || !startsNotice(line) || licenceFirst(line) || notOwner(line) {
		return false
	}
	// Without a sign or a year it is one only if it is short.
	if letterC(line) || named(line) {
		return hasYear(line) || len(bytes.Fields(line)) <= 10 && !claims(line)
	}
	return true
}

// startsNotice reports whether a line begins with a sign of copyright and what
// stands behind one in a notice: a year, a second sign, a name. Behind up to 52
// bytes of other words the name alone does not do.
func startsNotice(line []byte) bool {
	for _, n := range signAt(line) {
		if n > 0 && (startsSigned(line[n:]) || startsNamed(line[n:])) {
			return true
		}
	}
	if len(line) == 0 || !letterAt(line, 0) {
		return false
	}
	for i := 1; i < len(line) && i <= 51; i++ {
		c := line[i]
		if c == ' ' {
			for _, n := range signAt(line[i+1:]) {
				if n > 0 && startsSigned(line[i+1+n:]) {
					return true
				}
			}
		}
		if classes[c] != classWord && c != '_' && c != ' ' && c != ',' && c != '\'' && c != '-' {
			return false
		}
	}
	return false
}

// signAt is how many bytes the sign of copyright at the start of a text has, in
// up to two ways to read it; 0 for none.
func signAt(text []byte) [2]int {
	if len(text) == 0 {
		return [2]int{}
	}
	switch text[0] {
	case 'c', 'C':
		switch {
		case hasFold(text, "copyright"):
			return [2]int{9}
		case hasFold(text, "copyleft"):
			return [2]int{8}
		case hasFold(text, "copr."):
			return [2]int{5, 4}
		case hasFold(text, "copr"):
			return [2]int{4}
		}
	case '(':
		if letterC(text) {
			return [2]int{3}
		}
	case '&':
		if hasFold(text, "&copy;") {
			return [2]int{6}
		}
	case 0xC2:
		if bytes.HasPrefix(text, []byte("©")) {
			return [2]int{2}
		}
	}
	return [2]int{}
}

// hasFold reports whether a text begins with a word given in lower case.
func hasFold(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func afterBlanks(text []byte) []byte { return bytes.TrimLeft(text, " \t") }

func digitAt(text []byte, i int) bool { return i < len(text) && '0' <= text[i] && text[i] <= '9' }

// startsSigned is what surely goes on with a notice.
func startsSigned(rest []byte) bool {
	rest = afterBlanks(rest)
	return digitAt(rest, 0) || letterC(rest) || hasFold(rest, "by ") || bytes.HasPrefix(rest, []byte("©")) ||
		bytes.HasPrefix(rest, []byte("&copy;")) || bytes.HasPrefix(rest, []byte(`\(`))
}

// startsNamed is what goes on with one at the start of a line.
func startsNamed(rest []byte) bool {
	r := afterBlanks(rest)
	blank := len(r) < len(rest)
	if blank && hasExactly(r, "the ") && len(r) > 5 && 'A' <= r[4] && r[4] <= 'Z' && 'a' <= r[5] && r[5] <= 'z' {
		return true
	}
	marked := r
	if len(r) > 0 && (r[0] == ':' || r[0] == ',') {
		marked = afterBlanks(r[1:])
		blank = r[0] == ':' && len(marked) < len(r)-1
	}
	if len(marked) == 0 {
		return false
	}
	switch marked[0] {
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '(', '<', '[', '{', '%', '*', '_':
		return true
	}
	first, size := utf8.DecodeRune(marked)
	switch {
	case first == '©' || bytes.HasPrefix(marked, []byte("&copy;")):
		return true
	case first == '–' || first == '-':
		return digitAt(afterBlanks(marked[size:]), 0)
	case blank && unicode.Is(unicode.Lu, first):
		second, _ := utf8.DecodeRune(marked[size:])
		return unicode.Is(unicode.Ll, second)
	}
	return false
}

func hasExactly(text []byte, start string) bool {
	return len(text) >= len(start) && string(text[:len(start)]) == start
}

// wordEnds reports whether a word ends before byte n of a text.
func wordEnds(text []byte, n int) bool {
	return n >= len(text) || classes[text[n]] != classWord && text[n] != '_'
}

// licenceFirst reports whether a line begins with a licence's name: "MIT © Somebody".
func licenceFirst(line []byte) bool {
	for _, name := range [...]string{"mit", "isc", "bsd", "apache", "lgpl", "gpl", "agpl", "mpl", "cc0", "wtfpl", "unlicense", "0bsd", "licensed", "licenced", "license", "licence"} {
		if hasFold(line, name) && wordEnds(line, len(name)) {
			return true
		}
	}
	return false
}

// notOwner reports whether a line begins as a sentence on copyright.
func notOwner(line []byte) bool {
	if hasFold(line, "the ") {
		line = line[4:]
	}
	if !hasFold(line, "copyright ") {
		return false
	}
	line = line[len("copyright "):]
	if len(line) == 0 || !letterAt(line, 0) {
		return false
	}
	for _, w := range [...]string{"notices", "notice", "laws", "law", "holders", "holder", "owners", "owner", "license", "licence", "and", "interests", "interest", "in the",
		"statements", "statement", "protection", "infringement", "permission", "on", "treaties", "is hereby", "is disclaimed", "rights", "right", "or", "disclaimer", "status",
		"terms", "term", "grant", "patent", "trademark", "statutes", "statute", "acts", "act", "licensors", "licensor", "agreement"} {
		if hasFold(line, w) && wordEnds(line, len(w)) {
			return true
		}
	}
	return false
}

// letterC reports whether a line begins with "(c)", as likely the third of a list.
func letterC(line []byte) bool {
	return len(line) >= 3 && line[0] == '(' && line[1]|0x20 == 'c' && line[2] == ')'
}

// named reports whether a line is "Copyright" and a name.
func named(line []byte) bool {
	n := 0
	switch {
	case hasFold(line, "copyright"):
		n = 9
	case hasFold(line, "copr."):
		n = 5
	case hasFold(line, "copr"):
		n = 4
	default:
		return false
	}
	rest := afterBlanks(line[n:])
	blank := len(rest) < len(line)-n
	if len(rest) > 0 && rest[0] == ':' {
		blank = len(rest) > 1 && (rest[1] == ' ' || rest[1] == '\t')
		rest = afterBlanks(rest[1:])
	}
	if !blank {
		return false
	}
	if hasExactly(rest, "the ") {
		rest = rest[4:]
	}
	first, _ := utf8.DecodeRune(rest)
	return unicode.Is(unicode.Lu, first)
}

// hasYear reports whether a line has a year of this or the last century.
func hasYear(line []byte) bool {
	for i := 0; i+4 <= len(line); i++ {
		if c := line[i]; c != '1' && c != '2' {
			continue
		}
		if (line[i] == '1' && line[i+1] == '9' || line[i] == '2' && line[i+1] == '0') && digitAt(line, i+2) && digitAt(line, i+3) && wordEnds(line, i+4) &&
			(i == 0 || classes[line[i-1]] != classWord && line[i-1] != '_') {
			return true
		}
	}
	return false
}
