package match

import (
	"bytes"
	"regexp"
)

var (
	decoration    = " \t\r\f\v#*/%;!>|=~_+\"'-–—·•."
	ownerLine     = regexp.MustCompile(`^(?:[A-Za-z][\w ,'-]{0,50}? )?(?i:copyright|copr\.?|©|&copy;|\(c\)|copyleft)[ \t]*(?:(?i:by )|[(©<\[{:,%*_–-]|&copy;|\d|\\\(|the [A-Z])|^(?i:copyright|copr\.?|©|&copy;|\(c\)|copyleft)[ \t]+\p{Lu}`)
	notOwner      = regexp.MustCompile(`(?i)^(?:the )?copyright (?:notices?|laws?|holders?|owners?|licen[sc]e|and (?:licen[sc]e|permission|related|similar|other)|interests?|in the|statements?|protection|infringement|permission|on|treaties|is (?:hereby|disclaimed)|rights?|or|disclaimer|status|terms|grant)\b`)
	letterC       = regexp.MustCompile(`^\(c\)[ \t]+[^\d(<\[{]`) // more likely the third of a list
	reservedLine  = regexp.MustCompile(`(?i)^all rights? (?:are )?reserved\.?$`)
	authorLine    = regexp.MustCompile(`(?i)^(?:(?:written|created|developed|maintained|authored|designed|ported|adapted|translated|contributed|modified|originally (?:written|developed|created))\b[^.]{0,30}? by|by|authors?|contributors?|maintainers?|credits?|contact|e-?mail|web(?:site)?|url|homepage|source|version|date|see|file|project|package|name|website|repository|\$\w+)\b[:,]? `)
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
	start := bytes.LastIndexByte(text[:from], '\n') + 1
	end := len(text)
	if n := bytes.IndexByte(text[to:], '\n'); n >= 0 {
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
		line := bytes.Trim(text[at:stop], decoration)
		n := len(bytes.Fields(line))
		switch {
		case n == 0:
		case reservedLine.Match(line):
			idle = append(idle, Span{at, stop})
		case isOwnerLine(line):
			owner = true
			idle = append(idle, Span{at, at + ownerEnd(text[at:stop])})
		case owner && n <= maxIdle && !claims(line):
			idle = append(idle, Span{at, stop})
		case n <= maxIdle && (mailOrAddress.Match(line) || authorLine.Match(line)) && !saysHeavy(line):
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

func isOwnerLine(line []byte) bool {
	return ownerLine.Match(line) && !notOwner.Match(line) && !(letterC.Match(line) && len(line) > 60)
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
		if claims(part) {
			return end
		}
		end += n + 1
		rest = rest[n+1:]
	}
	return end
}

// claims reports whether what looks like part of a copyright notice says more
// than who and when. Names may be any words, so the list is short.
func claims(part []byte) bool {
	part = mail.ReplaceAll(part, nil)
	for w := range bytes.FieldsFuncSeq(part, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' && r < 0x80 }) {
		if claimWords[lowerASCII(w)] {
			return true
		}
	}
	return false
}

var (
	mail       = regexp.MustCompile(`[\w.+-]+@[\w.-]+|(?:https?://|www\.)\S+`)
	claimWords = func() map[string]bool {
		m := map[string]bool{}
		for w := range bytes.FieldsSeq([]byte(`not no nor never only must shall may cannot without unless except permission permitted granted grant grants prohibited forbidden
restricted restriction restrictions use used using uses redistribution redistribute distribute distributed copy copies modify commercial noncommercial license licensed licensee
warranty liable condition conditions provided agree agrees fee sell sold military evil good`)) {
			m[string(w)] = true
		}
		return m
	}()
)

// saysHeavy reports whether a part of a text has a word that could change what is
// allowed.
func saysHeavy(part []byte) bool {
	for w := range bytes.FieldsFuncSeq(part, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' && r < 0x80 }) {
		if heavy.has(lowerASCII(w)) {
			return true
		}
	}
	return false
}

// ownerLines finds the copyright notices of a whole text, a line or the start of
// one each.
func ownerLines(text []byte) []Span {
	var out []Span
	at := 0
	for line := range bytes.Lines(text) {
		lead := len(line) - len(bytes.TrimLeft(line, decoration))
		if trimmed := bytes.Trim(line, decoration+"\n"); isOwnerLine(trimmed) && len(line) < maxLine {
			if n := ownerEnd(bytes.TrimRight(line, "\n")); n > lead {
				out = append(out, Span{at, at + n})
			}
		}
		at += len(line)
	}
	return out
}
