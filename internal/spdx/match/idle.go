package match

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	decoration    = " \t\r\f\v#*/%;!>|=~_+\"'`´“”‘’-–—·•."
	tagsBefore    = regexp.MustCompile(`^(?:\s*<[!/a-zA-Z][^<>\n]{0,200}>)+`)
	reservedLine  = regexp.MustCompile(`(?i)^all rights? (?:are )?reserved\.?$`)
	authorLine    = regexp.MustCompile(`(?i)^(?:(?:written|created|developed|maintained|authored|designed|ported|adapted|translated|contributed|modified|originally (?:written|developed|created))\b[^.]{0,30}? by|by|authors?|contributors?|maintainers?|credits?|contact|e-?mail|web(?:site)?|url|homepage|source|version|date|see|file|project|package|name|website|repository|\$\w+)\b[:,]? `)
	reserved      = regexp.MustCompile(`(?i)\ball rights? (?:are )?reserved\b`)
	mailOrAddress = regexp.MustCompile(`[\w.+-]+(?:@| at )[\w-]+(?:\.| dot )[\w.-]+|https?://|www\.`)
)

// maxLine is the most bytes of a line that may be a copyright notice.
const maxLine = 4096

// maxIdle is the most words of a line that only names somebody or something.
const maxIdle = 16

// idleLines finds in text[from:to] the lines that are no words of a licence:
// copyright notices, authors, addresses, rules. A copyright notice goes on over
// the lines behind it as long as those only name.
func idleLines(text []byte, from, to int) []Span {
	// Whole lines, so that the word "copyright" counts even where it matched.
	near := max(0, from-maxLine)
	start := near + bytes.LastIndexByte(text[near:from], '\n') + 1
	end := min(len(text), to+maxLine)
	if n := bytes.IndexByte(text[to:end], '\n'); n >= 0 {
		end = to + n
	}
	var idle []Span
	owner := false
	for at := start; at < end; {
		stop := end
		if n := bytes.IndexByte(text[at:end], '\n'); n >= 0 {
			stop = at + n
		}
		if stop-at > maxLine {
			return idle
		}
		line := undecorated(text[at:stop])
		n := countFields(line)
		switch {
		case n == 0:
		case n <= 5 && line[0]|0x20 == 'a' && reservedLine.Match(line):
			idle = append(idle, Span{at, stop})
		case isOwnerLine(line):
			owner = true
			idle = append(idle, Span{at, at + ownerEnd(text[at:stop])})
		case owner && n <= maxIdle && !claims(line) && !limitsAbroad(line) && !saysNoName(line):
			idle = append(idle, Span{at, stop})
		case n <= maxIdle && (hasAddress(line) || isAuthorLine(line)) && !saysMore(line):
			idle = append(idle, Span{at, stop})
		default:
			owner = false
		}
		if n == 0 {
			owner = false
		}
		at = stop + 1
	}
	return idle
}

func hasAddress(line []byte) bool {
	for _, sign := range [...]string{"@", " at ", "http", "www."} {
		if bytes.Contains(line, []byte(sign)) {
			return mailOrAddress.Match(line)
		}
	}
	return false
}

func isAuthorLine(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	var first [16]byte
	n := 0
	for n < len(line) && n < len(first) && lower[line[n]] != 0 {
		first[n] = lower[line[n]]
		n++
	}
	return (line[0] == '$' || among(authorWords, first[:n])) && authorLine.Match(line)
}

// authorWords are the first words of lines such as authorLine finds; the rest of
// them is for the expression, which is slow.
var authorWords = newLexicon(`written created developed maintained authored designed ported adapted translated contributed modified originally by author authors
contributor contributors maintainer maintainers credit credits contact e email web website url homepage source version date see file project package name repository`)

// undecorated is a line without comment markers, HTML tags and the like around it.
func undecorated(line []byte) []byte {
	line = trimmed(line)
	if len(line) > 0 && line[0] == '<' {
		line = trimmed(line[len(tagsBefore.Find(line)):])
	}
	return line
}

// trimmed is a line without decoration at its ends.
func trimmed(line []byte) []byte {
	for len(line) > 0 {
		size := 1
		if c := line[0]; c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(line); !strings.ContainsRune(decoration, r) {
				break
			}
		} else if !decorative[c] {
			break
		}
		line = line[size:]
	}
	for len(line) > 0 {
		size := 1
		if c := line[len(line)-1]; c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeLastRune(line); !strings.ContainsRune(decoration, r) {
				break
			}
		} else if !decorative[c] {
			break
		}
		line = line[:len(line)-size]
	}
	return line
}

var decorative = func() (t [utf8.RuneSelf]bool) {
	for _, c := range decoration + "\n" {
		if c < utf8.RuneSelf {
			t[c] = true
		}
	}
	return t
}()

// ownerSigns are the bytes that words and signs of copyright begin with.
var ownerSigns = [256]bool{'c': true, 'C': true, '(': true, 0xC2: true, '&': true}

// hasOwnerSign is a quick look before the slow one: near the start a word or sign
// of copyright, and behind it no common word such as "notice".
func hasOwnerSign(line []byte) bool {
	for i := 0; i < len(line) && i < 80; i++ {
		if !ownerSigns[line[i]] {
			continue
		}
		n := 0
		switch line[i] {
		case 'c', 'C':
			if i+4 < len(line) && line[i+1]|0x20 == 'o' && line[i+2]|0x20 == 'p' && (line[i+3]|0x20 == 'r' || line[i+3]|0x20 == 'y') {
				n = 4
				for i+n < len(line) && letterAt(line, i+n) {
					n++
				}
			}
		case '(', 0xC2, '&': // "(c)", "©", "&copy;"
			return true
		}
		if n == 0 {
			continue
		}
		for i+n < len(line) && classes[line[i+n]] == classSkip && line[i+n] != '(' {
			n++
		}
		if i+n < len(line) && (line[i+n] < 'a' || line[i+n] > 'z' || line[i+n] == 'b' || line[i+n] == 't' || line[i+n] == 'c') {
			return true
		}
	}
	return false
}

// ownerEnd is where the copyright notice at the start of a line ends: a sentence
// behind it on the same line may be the licence, or a clause nobody should miss.
func ownerEnd(line []byte) int {
	end, rest := 0, line
	for len(rest) > 0 {
		n := bytes.IndexAny(rest, ".;!")
		for n >= 0 && n+1 < len(rest) && rest[n+1] != ' ' && rest[n+1] != '\t' {
			m := bytes.IndexAny(rest[n+1:], ".;!")
			if m < 0 {
				n = -1
				break
			}
			n += 1 + m
		}
		if n < 0 {
			n = len(rest) - 1
		}
		part := rest[:n+1]
		// Who and when is said first; of what follows only that rights are reserved.
		if claims(part) || end > 0 && saysMore(part) && !reservedLine.Match(bytes.Trim(part, decoration+" .")) && !isOwnerLine(bytes.TrimLeft(part, " \t")) {
			return end
		}
		end += n + 1
		rest = rest[n+1:]
	}
	return end
}

func countFields(line []byte) int {
	n, in := 0, false
	for _, c := range line {
		space := c == ' ' || c == '\t'
		if !space && !in {
			n++
		}
		in = !space
	}
	return n
}

// claims reports whether what looks like part of a copyright notice says more
// than who and when. Names may be any words, so the list is short.
func claims(part []byte) bool {
	return says(part, claimWords, nil) || forbidsAbroad(part) && forbidsAbroad(withoutAddresses(part))
}

// says reports whether a part of a text has, but for addresses, a word of a lexicon
// or of another, which may be nil. The words are runs of letters, in lower case; of
// more than maxWord bytes only the first.
func says(part []byte, l, other *lexicon) bool {
	if !anyWord(part, l, other) {
		// To leave addresses out can only bring a word to light that runs into one.
		if !bytes.Contains(part, []byte("http")) && !bytes.Contains(part, []byte("www.")) {
			return false
		}
	}
	return anyWord(withoutAddresses(part), l, other)
}

func anyWord(part []byte, l, other *lexicon) bool {
	var buf [maxWord]byte
	n := 0
	for i := 0; i <= len(part); i++ {
		if i < len(part) && (part[i] >= 0x80 || letterAt(part, i)) {
			if n < maxWord {
				c := part[i]
				if 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				buf[n] = c
				n++
			}
			continue
		}
		if n > 0 && (among(l, buf[:n]) || other != nil && among(other, buf[:n])) {
			return true
		}
		n = 0
	}
	return false
}

var (
	claimWords = newLexicon(`not no nor never only must shall may cannot without unless except permission permitted granted grant grants prohibited forbidden
restricted restriction restrictions use used using uses redistribution redistribute distribute distributed copy copies modify commercial noncommercial license licensed licensee
warranty liable condition conditions provided agree agrees fee sell sold military evil good sale resale distribution distributions modification modifications derivative
derivatives subject exclude excludes excluding proprietary eula individuals companies needs need please void expires expire pay paid clause clauses`)
)

// withoutAddresses leaves out addresses in the web and of mail.
func withoutAddresses(part []byte) []byte {
	if bytes.IndexByte(part, '@') < 0 && bytes.IndexByte(part, '/') < 0 && !bytes.Contains(part, []byte("www.")) {
		return part
	}
	var out []byte
	kept := 0
	a := addresses{text: part}
	for i := 0; i < len(part); {
		end := a.at(i)
		if end == 0 {
			i++
			continue
		}
		out = append(out, part[kept:i]...)
		i, kept = end, end
	}
	if kept == 0 {
		return part
	}
	return append(out, part[kept:]...)
}

// addresses finds the addresses in a text, from its start to its end. As all copyright
// notices with one are read this way, it is written by hand; the test beside holds it
// to an expression.
type addresses struct {
	text []byte
	// What starts anywhere before these ends as well where they end.
	mailEnd, hostEnd int
	lastDot          int // of the host, -1 for none
}

// at is the end of the address that begins at byte i, 0 for none.
func (a *addresses) at(i int) int {
	text := a.text
	if a.mailEnd <= i {
		for a.mailEnd = i; a.mailEnd < len(text) && (isNameByte(text[a.mailEnd]) || text[a.mailEnd] == '.' || text[a.mailEnd] == '+'); {
			a.mailEnd++
		}
	}
	if n := a.mailEnd; n > i && n+1 < len(text) && text[n] == '@' {
		end := n + 1
		for end < len(text) && (isNameByte(text[end]) || text[end] == '.') {
			end++
		}
		if end > n+1 {
			return end
		}
	}
	n := 0
	switch text[i] {
	case 'h':
		if hasExactly(text[i:], "http://") {
			n = 7
		} else if hasExactly(text[i:], "https://") {
			n = 8
		}
	case 'w':
		if hasExactly(text[i:], "www.") {
			n = 4
		}
	}
	if n > 0 {
		if end := afterInk(text, i+n); end > i+n {
			return end
		}
	}
	if !isNameByte(text[i]) || (i > 0 && isWordByte(text[i-1])) == isWordByte(text[i]) {
		return 0
	}
	if a.hostEnd <= i {
		a.hostEnd, a.lastDot = i, -1
		for a.hostEnd < len(text) {
			if c := text[a.hostEnd]; c == '.' && a.hostEnd+1 < len(text) && isNameByte(text[a.hostEnd+1]) {
				a.lastDot = a.hostEnd
			} else if !isNameByte(c) {
				break
			}
			a.hostEnd++
		}
	}
	if a.lastDot > i && a.hostEnd < len(text) && text[a.hostEnd] == '/' {
		return afterInk(text, a.hostEnd+1)
	}
	return 0
}

func isWordByte(c byte) bool { return classes[c] == classWord || c == '_' }

func isNameByte(c byte) bool { return isWordByte(c) || c == '-' }

// afterInk is where the bytes end that are no blanks.
func afterInk(text []byte, i int) int {
	for i < len(text) && text[i] != ' ' && text[i] != '\n' && text[i] != '\t' && text[i] != '\r' && text[i] != '\f' {
		i++
	}
	return i
}

// saysMore reports whether a part of a text has, but for addresses, a word that
// could change what is allowed.
func saysMore(part []byte) bool {
	return says(part, heavy, rights)
}

var closedName = regexp.MustCompile(`(?i)\bby[- ]n[cd]\b`)

// saysNoName reports whether a line behind a copyright notice is surely more than a name.
func saysNoName(line []byte) bool { return caselessSentence(line) || closedName.Match(line) }

// namesOnly reports whether a line looks like names: most of its words begin with
// a capital or a digit, though it is not in capitals throughout.
func namesOnly(line []byte) bool {
	if saysNoName(line) {
		return false
	}
	words, capital, lower := 0, 0, false
	for w := range bytes.FieldsSeq(line) {
		w = bytes.TrimLeft(w, decoration+"(<[,")
		if len(w) == 0 {
			continue
		}
		words++
		if w[0] < 'a' || w[0] > 'z' {
			capital++
		}
		lower = lower || bytes.ContainsFunc(w, func(r rune) bool { return r >= 'a' && r <= 'z' })
	}
	return capital*10 >= words*6 && (lower || words <= 6)
}

// ownerLines finds the copyright notices of a text: a line or the start of one,
// and the lines behind it that go on with names.
func ownerLines(text []byte) []Span {
	var out []Span
	owner := false
	for at := 0; at < len(text); {
		end := len(text)
		if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n
		}
		line := text[at:end]
		if len(line) > maxLine || !owner && !hasOwnerSign(line) {
			owner, at = false, end+1
			continue
		}
		line = bytes.TrimRight(line, "\r")
		bare := undecorated(line)
		switch {
		case len(bare) == 0:
			owner = false
		case isOwnerLine(bare):
			stop := ownerEnd(line)
			if owner = stop == len(line) && hasYear(bare); stop > 4 {
				out = append(out, Span{at, at + stop})
			}
		case owner && countFields(bare) <= maxIdle && namesOnly(bare) && !claims(bare) && !limitsAbroad(bare):
			out = append(out, Span{at, at + len(line)})
		default:
			owner = false
		}
		at = end + 1
	}
	return out
}
