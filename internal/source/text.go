package source

import "unicode/utf8"

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func controlByte(text []byte) int {
	for i, b := range text {
		if b < 0x20 && b != '\t' && b != '\n' && b != '\r' || b == 0x7f {
			return i
		}
	}
	return -1
}

// tooDeep spares the YAML scanner what it is slow at: a run of brackets or of
// "- - - " thousands deep. It looks at single lines only and knows no quoting,
// so it refuses nothing below four times the real bound.
func tooDeep(text []byte) (at int, deep bool) {
	const bound = 4 * MaxDepth
	open, dashes := 0, 0
	for i, b := range text {
		switch b {
		case '[', '{':
			if open++; open > bound {
				return i, true
			}
		case ']', '}':
			open = max(0, open-1)
		case '\n':
			dashes = 0
		case '-', '?':
			if i+1 < len(text) && text[i+1] == ' ' {
				if dashes++; dashes > bound {
					return i, true
				}
			}
		}
	}
	return 0, false
}

func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
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
