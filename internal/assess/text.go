package assess

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds that keep hostile text cheap. Prose stays far below them.
const (
	maxWordBytes      = 96  // of a word that a signal could match; longer ones match nothing
	maxSentenceTokens = 200 // a sentence that runs on is cut here
)

// A token is a word of a text, or a part of one: "open-source" is two, and so
// is "don't" ("do" and "not"). A character of a script that writes no spaces
// between words is one of its own.
type token struct {
	key        string // lower case, NFC; "" where it is too long to be a word
	start, end int    // bytes of the text
	sentence   int    // tokens of one sentence share a number
	segment    int    // tokens with no link and no control character between them share one
	word       bool   // starts a word as a person counts words
}

// tokenize takes a text apart in one pass. Links and addresses give no tokens.
func tokenize(text string) []token {
	s := scanner{text: text, linkAt: -1, fresh: true}
	for s.at < len(text) {
		s.next()
	}
	return s.tokens
}

type scanner struct {
	text     string
	at       int
	tokens   []token
	sentence int
	segment  int
	inSent   int  // tokens in this sentence
	fresh    bool // the next token starts a word
	inChunk  bool // between spaces
	last     rune // last character that is no space
	linkAt   int  // where a link starts in this chunk, or -1
	linkEnd  int
}

func (s *scanner) next() {
	r, n := utf8.DecodeRuneInString(s.text[s.at:])
	if unicode.IsSpace(r) {
		s.space()
		return
	}
	if !s.inChunk {
		s.inChunk = true
		s.linkEnd = s.at + chunkLen(s.text[s.at:])
		s.linkAt = linkStart(s.text[s.at:s.linkEnd])
		if s.linkAt >= 0 {
			s.linkAt += s.at
		}
	}
	switch {
	case s.at == s.linkAt:
		s.at = s.linkEnd
		s.barrier()
		s.last = 0
		return
	case wordRune(r):
		s.word(r, n)
		return
	case unsafeRune(r), r == utf8.RuneError && n == 1:
		s.barrier()
	case strings.ContainsRune("。！？؟۔।;•", r):
		s.endSentence()
	case r == '.' || r == '!' || r == '?' || r == '…':
		s.stop(r, n)
	}
	s.last = r
	s.at += n
}

// stop decides whether a full stop ends a sentence. "e.g. this", "U.S. law",
// "Art. 9" and "v2.41" do not; "the end.The next" does.
func (s *scanner) stop(r rune, n int) {
	rest := strings.TrimLeft(s.text[s.at+n:min(len(s.text), s.at+n+8)], ".!?\"'”’)]")
	next, size := utf8.DecodeRuneInString(rest)
	if rest != "" && !unicode.IsSpace(next) {
		second, _ := utf8.DecodeRuneInString(rest[size:])
		if r == '.' && unicode.IsLower(s.last) && unicode.IsUpper(next) && unicode.IsLower(second) {
			s.endSentence()
		}
		return
	}
	if r == '.' && len(s.tokens) > 0 {
		t := s.tokens[len(s.tokens)-1]
		after, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, " \t"))
		short := t.end == s.at && unicode.IsLetter(s.last) && (len(t.key) == 1 || len(t.key) <= 3 && unicode.IsDigit(after))
		if short || t.end == s.at && unicode.IsLower(after) {
			return
		}
	}
	s.endSentence()
}

// space skips a run of spaces. A line break ends a sentence unless it looks
// like one that an editor made in the middle of a sentence.
func (s *scanner) space() {
	breaks := 0
	for s.at < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		if !unicode.IsSpace(r) {
			break
		}
		if r == '\n' || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			breaks++
		}
		s.at += n
	}
	if breaks > 0 {
		next, _ := utf8.DecodeRuneInString(s.text[s.at:])
		if breaks > 1 || !unicode.IsLower(next) || s.last == ':' {
			s.endSentence()
		}
	}
	s.fresh, s.inChunk, s.linkAt = true, false, -1
}

// word reads one run of letters, digits and marks.
func (s *scanner) word(r rune, n int) {
	start := s.at
	s.at += n
	alone := unspaced(r)
	for s.at < len(s.text) {
		c, size := utf8.DecodeRuneInString(s.text[s.at:])
		if !unicode.IsMark(c) && !invisible(c) && (alone || !wordRune(c) || unspaced(c)) {
			break
		}
		s.at += size
		r = c
	}
	s.last = r
	s.fresh = s.fresh || alone
	key := wordKey(s.text[start:s.at])
	if base, size := s.contracted(key); size > 0 {
		if s.inSent == maxSentenceTokens-1 {
			s.endSentence() // never between the two parts
		}
		s.add(base, start, s.at-1)
		start, s.at = s.at-1, s.at+size
		key = "not"
	}
	s.add(key, start, s.at)
	s.fresh = alone
}

// contracted reports whether the word just read is the first part of one such
// as "doesn't", and how many bytes its ending has.
func (s *scanner) contracted(key string) (base string, size int) {
	if len(key) < 3 || key[len(key)-1] != 'n' || s.text[s.at-1]|0x20 != 'n' {
		return "", 0
	}
	rest := s.text[s.at:]
	for _, end := range []string{"'t", "’t", "'T", "’T"} {
		if !strings.HasPrefix(rest, end) {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(rest[len(end):]); len(rest) > len(end) && wordRune(r) {
			continue
		}
		switch base = key[:len(key)-1]; base {
		case "ca":
			base = "can"
		case "wo":
			base = "will"
		}
		return base, len(end)
	}
	return "", 0
}

func (s *scanner) add(key string, start, end int) {
	if s.inSent == maxSentenceTokens {
		s.endSentence()
	}
	s.inSent++
	s.tokens = append(s.tokens, token{key, start, end, s.sentence, s.segment, s.fresh})
	s.fresh = false
}

func (s *scanner) endSentence() { s.sentence, s.inSent = s.sentence+1, 0 }

func (s *scanner) barrier() {
	s.endSentence()
	s.segment++
}

// wordKey is the form of a word that signals are compared with.
func wordKey(w string) string {
	if len(w) > maxWordBytes {
		return ""
	}
	for i := 0; i < len(w); i++ {
		if c := w[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			w = strings.Map(func(r rune) rune {
				if invisible(r) {
					return -1
				}
				return unicode.ToLower(r)
			}, w)
			return norm.NFC.String(w)
		}
	}
	return w
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// invisible characters stand inside words of several scripts, or mark where a
// word may be broken.
func invisible(r rune) bool { return r == '\u00ad' || r == '\u200c' || r == '\u200d' }

// unsafeRune says which characters no quote may hold: they drive terminals or
// change the order in which a reader sees the rest.
func unsafeRune(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' ||
		unicode.Is(unicode.Cf, r) && !invisible(r)
}

// unspaced reports whether a script writes words without spaces between them.
func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func chunkLen(s string) int {
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return i
	}
	return len(s)
}

// linkStart finds a web or mail address in a text without spaces; -1 is none.
func linkStart(chunk string) int {
	if i := strings.Index(chunk, "://"); i >= 0 {
		return wordStart(chunk, i)
	}
	if i := strings.Index(chunk, "www."); i >= 0 {
		return wordStart(chunk, i)
	}
	if i := strings.IndexByte(chunk, '@'); i > 0 && strings.IndexByte(chunk[i:], '.') > 0 {
		return 0
	}
	host, _, ok := strings.Cut(chunk, "/")
	if dot := strings.LastIndexByte(host, '.'); ok && dot > 0 && dot < len(host)-2 {
		return 0 // github.com/dhis2
	}
	return -1
}

func wordStart(s string, at int) int {
	for at > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:at])
		if !wordRune(r) && !invisible(r) {
			break
		}
		at -= n
	}
	return at
}

// countWords counts as a person does: by spaces, or by character in a script
// that has none.
func countWords(s string) int {
	n, open := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			open = false
		case unspaced(r) && !unicode.IsMark(r):
			n, open = n+1, false
		case wordRune(r) && !open && !unspaced(r):
			n, open = n+1, true
		}
	}
	return n
}
