package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord bounds a word in bytes, in entries and in queries alike: what is longer
// is cut, so that an address without a space costs no more than a word.
const maxWord = 64

// eachWord calls yield with every word of a text: where it stands, in bytes, and
// its folded form. Letters, digits and marks make words; an ideograph or a kana is
// a word of its own, since nothing parts them. It stops when yield gives false.
func eachWord(text string, yield func(start, end int, word string) bool) {
	start := -1
	flush := func(end int) bool {
		if start < 0 {
			return true
		}
		from := start
		start = -1
		word := fold(text[from:end])
		return word == "" || yield(from, end, word)
	}
	for i, r := range text {
		switch {
		case r < utf8.RuneSelf:
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
				if start < 0 {
					start = i
				}
				continue
			}
			if !flush(i) {
				return
			}
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			if !flush(i) {
				return
			}
			start = i
			if !flush(i + utf8.RuneLen(r)) {
				return
			}
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			if !flush(i) {
				return
			}
		}
	}
	flush(len(text))
}

// words are the folded words of a text, in order.
func words(text string) []string {
	var out []string
	eachWord(text, func(_, _ int, w string) bool {
		out = append(out, w)
		return true
	})
	return out
}

// undecomposed are letters that Unicode does not take apart, as people without
// them on their keyboards write them.
var undecomposed = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "þ", "th", "ħ", "h", "ı", "i")

// fold brings a word to the form that is compared: lower case, without accents,
// at most maxWord bytes.
func fold(word string) string {
	plain := true
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if !plain {
		word = undecomposed.Replace(strings.ToLower(norm.NFKD.String(word[:min(len(word), 4*maxWord)])))
		word = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, word)
	} else {
		word = strings.ToLower(word)
	}
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// letters is a set of a word's letters in 32 bits. Words that are d edits apart
// differ in at most 2d of them, which rules most words out without a comparison.
func letters(word string) uint32 {
	var m uint32
	for _, r := range word {
		m |= 1 << (uint32(r) & 31)
	}
	return m
}

// edits is how many letters a word may be wrong in: none for short ones and
// numbers, where another word is rather what was meant.
func edits(word string) int {
	n, digits := 0, 0
	for _, r := range word {
		n++
		if unicode.IsDigit(r) {
			digits++
		}
	}
	switch {
	case digits*2 >= n, n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// snippetLength is how much of a text a snippet shows, in characters.
const snippetLength = 240

// snippet is the part of a text around the first word that was looked for, or its
// beginning, as plain text on one line.
func snippet(text string, matched map[string]bool) string {
	at := 0
	eachWord(text, func(start, _ int, w string) bool {
		if matched[w] {
			at = start
			return false
		}
		return true
	})
	from, to := 0, len(text)
	if at > snippetLength/3 {
		// Begin at a word, a third of the length before.
		from = at
		for n := 0; n < snippetLength/3; n++ {
			_, size := utf8.DecodeLastRuneInString(text[:from])
			from -= size
		}
		if space := strings.IndexByte(text[from:at], ' '); space >= 0 {
			from += space + 1
		}
	}
	n := 0
	for i := range text[from:] {
		if n == snippetLength {
			to = from + i
			if space := strings.LastIndexByte(text[from:to], ' '); space > 0 && from+space > at {
				to = from + space
			}
			break
		}
		n++
	}
	out := strings.Join(strings.FieldsFunc(text[from:to], func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if from > 0 {
		out = "… " + out
	}
	if to < len(text) {
		out += " …"
	}
	return out
}
