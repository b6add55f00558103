package source

import (
	"bytes"
	"unicode/utf8"
)

func invalidUTF8(text []byte) int {
	if utf8.Valid(text) { // several bytes at a time
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// survey finds the first control character and the first place that is too deep;
// -1 is none.
//
// Depth is looked at to spare the YAML scanner what it is slow at: a run of
// brackets or of "- - - " thousands deep. That looks at single lines only and
// knows no quoting, so it refuses nothing below four times the real bound.
func survey(text []byte) (control, deep int) {
	const bound = 4 * MaxDepth
	control, deep = -1, -1
	open, dashes := 0, 0
	for i, b := range text {
		if !telling[b] { // nearly all of any text
			continue
		}
		if b < 0x20 && b != '\n' || b == 0x7f {
			return i, deep
		}
		if deep >= 0 {
			continue
		}
		switch b {
		case '[', '{':
			if open++; open > bound {
				deep = i
			}
		case ']', '}':
			open = max(0, open-1)
		case '\n':
			dashes = 0
		case '-', '?':
			if i+1 < len(text) && text[i+1] == ' ' {
				if dashes++; dashes > bound {
					deep = i
				}
			}
		}
	}
	return control, deep
}

// telling are the bytes that survey looks at.
var telling = func() (bytes [256]bool) {
	for b := range 0x20 {
		bytes[b] = b != '\t' && b != '\r'
	}
	for _, b := range "[]{}-?\x7f" {
		bytes[b] = true
	}
	return bytes
}()

func lineStarts(text []byte) []int {
	starts := make([]int, 1, 1+bytes.Count(text, []byte{'\n'}))
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return starts
		}
		at += i + 1
		starts = append(starts, at)
	}
}

// breaks is where lines start as yaml.v3 counts them, which in nearly all files
// is as editors do.
func (d *Document) breaks() []int {
	for _, odd := range []string{"\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(d.text, []byte(odd)) {
			return yamlLineStarts(d.text)
		}
	}
	return d.lines
}

// yamlLineStarts counts lines as yaml.v3 does: CR, LF, CR LF, NEL, LS and PS end one.
func yamlLineStarts(text []byte) []int {
	starts := []int{0}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		i += n
		switch r {
		case '\r':
			if i < len(text) && text[i] == '\n' {
				i++
			}
			starts = append(starts, i)
		case '\n', '\u0085', '\u2028', '\u2029':
			starts = append(starts, i)
		}
	}
	return starts
}
