package source

import "github.com/dpg-registry/dpg-registry/internal/diag"

// Within returns where a byte of the value's text stands in the file, so that a
// finding can point at a word in a long description. It steps over quoting,
// folded lines and indentation; ok is false where it cannot, such as for a value
// written as an alias, and the value's start is returned instead.
func (n *Node) Within(offset int) (at diag.Pos, ok bool) {
	i, ok := n.within(offset)
	return n.doc.Pos(i), ok
}

// within is Within as a byte offset in the file.
func (n *Node) within(offset int) (at int, ok bool) {
	if n.Kind == List || n.Kind == Map || offset < 0 || offset >= len(n.Text) {
		return n.start, false
	}
	file, j := n.doc.text, n.start
	for j < len(file) && (file[j] == '&' || file[j] == '!') { // an anchor or a tag comes first
		for j < len(file) && !space(file[j]) {
			j++
		}
		for j < len(file) && space(file[j]) {
			j++
		}
	}
	var quote byte
	if j < len(file) {
		switch file[j] {
		case '\'', '"':
			quote = file[j]
			j++
		case '|', '>':
			for j < len(file) && file[j] != '\n' {
				j++
			}
		}
	}
	for i := 0; j < len(file); {
		want, have := n.Text[i], file[j]
		escaped := byte(0)
		if j+1 < len(file) && (quote == '"' && have == '\\' || quote == '\'' && have == '\'') {
			escaped = unescape(quote, file[j+1])
		}
		switch {
		case escaped != 0 && escaped == want, space(want) && space(have), escaped == 0 && want == have:
			if i == offset {
				return j, true
			}
			i++
			j++
			if escaped != 0 {
				j++
			}
		case space(have):
			j++
		default:
			return n.start, false
		}
	}
	return n.start, false
}

func space(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// unescape returns the byte that an escape stands for, or 0 for the rarer ones.
func unescape(quote, b byte) byte {
	switch {
	case b == quote, quote == '"' && (b == '\\' || b == '/'):
		return b
	case quote == '"' && b == 'n':
		return '\n'
	case quote == '"' && b == 't':
		return '\t'
	}
	return 0
}
