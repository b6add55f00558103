package match

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A word is one word of a text: what it is called in the vocabulary, and where
// it stands.
type word struct {
	id         uint16 // 0 for a word that stands in no licence
	start, end int32  // bytes of the text
}

// maxWord is the most bytes of one word; a longer run of letters is cut, as it
// is no word of any licence.
const maxWord = 64

// split reads the words of a text, which must be UTF-8 or nearly so. What the
// matching guidelines ignore is left out: punctuation, quotes, list markers,
// comment markers; of HTML the tags. Every word is asked for in look, with its
// hash. The words are appended to those given.
func split(words []word, text []byte, look func(lower []byte, hash uint32) uint16) []word {
	words = slices.Grow(words, len(text)/6+8)
	html := looksLikeHTML(text)
	var buf [maxWord + utf8.UTFMax]byte
	lineStart := true // only blanks and decoration since the last line break
	for i := 0; i < len(text); {
		c := text[i]
		class := classes[c]
		if class == classSkip {
			switch c {
			case '\n':
				lineStart = true
			case '(':
				if n := parenthesised(text[i:]); n > 0 {
					i += n
					continue
				}
			case '<':
				if html {
					if n := htmlTag(text[i:]); n > 0 {
						i += n
						continue
					}
				}
			case '&':
				if n := entity(text[i:]); n > 0 {
					i += n
					continue
				}
			}
			i++
			continue
		}
		if class == classWord && lineStart {
			if n := listMarker(text[i:]); n > 0 {
				i += n
				lineStart = false
				continue
			}
		}
		// Nearly every word is of ASCII letters and ends plainly.
		start, n, hash := i, 0, uint32(hashStart)
		for i < len(text) && n < maxWord {
			c := lower[text[i]]
			if c == 0 {
				break
			}
			buf[n] = c
			hash = (hash ^ uint32(c)) * hashStep
			n++
			i++
		}
		if n > 0 && (i == len(text) || plainEnd[text[i]] && (n != 3 || text[i] != '-')) {
			lineStart = false
			words = append(words, word{look(buf[:n], hash), int32(start), int32(i)})
			continue
		}
	scan:
		for i < len(text) && n < maxWord {
			c = text[i]
			switch classes[c] {
			case classWord:
				if 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				buf[n] = c
				n++
				i++
			case classWide:
				r, size := utf8.DecodeRune(text[i:])
				switch {
				case r == '’' || r == '´' || r == 'ʼ':
					if n == 0 || !letterAt(text, i+size) {
						if n == 0 {
							i += size
						}
						break scan
					}
					i += size
				case unicode.IsLetter(r) || unicode.IsDigit(r):
					n += utf8.EncodeRune(buf[n:], unicode.ToLower(r))
					i += size
				case r == '\u00ad' || r == '\u200b' || r == '\ufeff': // soft hyphen and the like
					i += size
				default:
					if n == 3 && (r == '–' || r == '‐' || r == '‑') && (string(buf[:3]) == "non" || string(buf[:3]) == "sub") && letterAt(text, i+size) {
						i += size
						continue
					}
					if n == 0 {
						i += size
					}
					break scan
				}
			default:
				// "licensor's" is one word in every spelling of the apostrophe.
				if (c == '\'' || c == '`') && n > 0 && letterAt(text, i+1) {
					i++
					continue
				}
				if c == '&' && n > 0 {
					if m := entity(text[i:]); m > 0 && apostrophe(text[i:i+m]) && letterAt(text, i+m) {
						i += m
						continue
					}
				}
				// "Non-commercial" and "sub-license" are one word as often as two.
				if n == 3 && c == '-' && (string(buf[:3]) == "non" || string(buf[:3]) == "sub") {
					if m := hyphen(text[i:]); m > 0 {
						i += m
						continue
					}
				}
				break scan
			}
		}
		if n == 0 {
			continue
		}
		lineStart = false
		words = append(words, word{look(buf[:n], hashWord(buf[:n])), int32(start), int32(i)})
	}
	return words
}

// hyphen is the length of a hyphen, and of a line break behind it, if a letter follows.
func hyphen(text []byte) int {
	n := 1
	for n < len(text) && n < 80 && (text[n] == ' ' || text[n] == '\n' || text[n] == '\r' || text[n] == '\t') {
		n++
	}
	if n > 1 && !bytes.Contains(text[:n], []byte("\n")) || !letterAt(text, n) {
		return 0
	}
	return n
}

// apostrophe reports whether an HTML character reference is one.
func apostrophe(ref []byte) bool {
	switch string(ref) {
	case "&#39;", "&#x27;", "&apos;", "&rsquo;", "&#8217;", "&#x2019;":
		return true
	}
	return false
}

// The classes of bytes: what is never part of a word, ASCII letters and digits,
// and the bytes of other runes.
const (
	classSkip = iota
	classWord
	classWide
)

var classes = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = classWide
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			t[c] = classWord
		}
	}
	return t
}()

// lower is each letter and digit of ASCII in lower case, and 0 for other bytes.
var lower = func() (t [256]byte) {
	for c := range t {
		switch {
		case 'A' <= c && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		case classes[c] == classWord:
			t[c] = byte(c)
		}
	}
	return t
}()

// plainEnd are the bytes behind a word that end it whatever follows; a hyphen does
// unless it is that of "non-" or "sub-".
var plainEnd = func() (t [256]bool) {
	for c := range t {
		t[c] = classes[c] == classSkip && c != '\'' && c != '`' && c != '&'
	}
	return t
}()

func letterAt(text []byte, i int) bool {
	return i < len(text) && (text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z')
}

// parenthesised is the length of a list marker such as "(a)", "(iv)" or "(12)"
// at the start of text, and of "(c)", which is either that or a copyright sign.
func parenthesised(text []byte) int {
	n := markerBody(text[1:])
	if n == 0 || 1+n >= len(text) || text[1+n] != ')' {
		return 0
	}
	return n + 2
}

// listMarker is the length of "1.", "a)", "iv.", "2.1." and the like.
func listMarker(text []byte) int {
	n := markerBody(text)
	for n > 0 && n+1 < len(text) && text[n] == '.' && '0' <= text[n+1] && text[n+1] <= '9' {
		m := markerBody(text[n+1:])
		if m == 0 {
			return 0
		}
		n += 1 + m
	}
	if n == 0 || n >= len(text) || text[n] != '.' && text[n] != ')' {
		return 0
	}
	if n+1 < len(text) && text[n+1] != ' ' && text[n+1] != '\t' && text[n+1] != '\n' && text[n+1] != '\r' {
		return 0
	}
	return n + 1
}

// markerBody is the length of one letter, a Roman number up to four digits, or
// a number up to two.
func markerBody(text []byte) int {
	n := 0
	for n < len(text) && n < 2 && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n > 0 {
		return n
	}
	if len(text) > 1 && letterAt(text, 0) && classes[text[1]] == classSkip {
		return 1
	}
	for n < len(text) && n < 4 && (text[n]|0x20 == 'i' || text[n]|0x20 == 'v' || text[n]|0x20 == 'x') {
		n++
	}
	if n < len(text) && classes[text[n]] != classSkip {
		return 0
	}
	return n
}

// looksLikeHTML wants two common elements, so that "<year>" and "<name of author>"
// make no HTML of a text.
func looksLikeHTML(text []byte) bool {
	found := 0
	for i := 0; i+3 < len(text) && i < 1<<16; i++ {
		n := bytes.IndexByte(text[i:], '<')
		if n < 0 {
			return false
		}
		if i += n; i+3 >= len(text) || i >= 1<<16 {
			return false
		}
		rest := text[i+1:]
		if rest[0] == '/' || rest[0] == '!' {
			rest = rest[1:]
		}
		n = 0
		for n < len(rest) && n < 10 && (letterAt(rest, n) || '0' <= rest[n] && rest[n] <= '9') {
			n++
		}
		if htmlNames[lowerASCII(rest[:n])] {
			if found++; found == 2 {
				return true
			}
		}
	}
	return false
}

var htmlNames = map[string]bool{"html": true, "body": true, "p": true, "br": true, "div": true, "span": true, "li": true, "ul": true, "ol": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "pre": true, "doctype": true, "a": true, "em": true, "strong": true, "b": true, "i": true,
	"td": true, "tr": true, "table": true, "head": true, "title": true, "meta": true, "center": true, "font": true, "blockquote": true, "hr": true,
	"dl": true, "dt": true, "dd": true, "section": true, "article": true, "header": true, "footer": true, "main": true, "nav": true, "tt": true, "code": true}

func lowerASCII(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return string(out)
}

// htmlTag is the length of a tag or comment at the start of text, or 0. What
// stands in style and script is no text either.
func htmlTag(text []byte) int {
	if len(text) < 3 {
		return 0
	}
	if c := text[1]; !letterAt(text, 1) && c != '/' && c != '!' && c != '?' {
		return 0
	}
	end := 0
	for n := 2; n < len(text) && n < 4096; n++ {
		if text[n] == '>' {
			end = n + 1
			break
		}
		if text[n] == '<' {
			return 0
		}
	}
	if end == 0 {
		return 0
	}
	for _, name := range []string{"script", "style"} {
		if end <= len(name)+1 || lowerASCII(text[1:1+len(name)]) != name || letterAt(text, 1+len(name)) {
			continue
		}
		for n := end; n+2+len(name) <= len(text); n++ {
			if text[n] == '<' && text[n+1] == '/' && lowerASCII(text[n+2:n+2+len(name)]) == name {
				return n
			}
		}
		return len(text)
	}
	return end
}

// entity is the length of an HTML character reference at the start of text, or
// 0. All that matter here stand for punctuation.
func entity(text []byte) int {
	for n := 1; n < len(text) && n < 10; n++ {
		switch c := text[n]; {
		case c == ';':
			if n < 3 {
				return 0
			}
			return n + 1
		case classes[c] != classWord && c != '#':
			return 0
		}
	}
	return 0
}
