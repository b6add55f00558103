package source

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// The edits below are exact: only what they are about changes, in the file and in
// what it reads as. A file that uses aliases is left alone, since one value of it
// may stand for several.

// Rewrite gives the edit that makes the scalar at a pointer read as text. It keeps
// the way the scalar is quoted, and quotes a plain one where the text needs it. It
// is nil where there is no scalar, or it cannot take the text on one line.
func (d *Document) Rewrite(pointer, text string) []diag.Edit {
	_, t, ok := d.scalar(pointer)
	if !ok {
		return nil
	}
	if t.Style.Block() {
		if t.keeps(d.text) || t.Indent == 0 || text == "" || strings.TrimSpace(text) != text || strings.ContainsFunc(text, unseen) {
			return nil
		}
		end := t.End
		if d.text[end-1] == '\r' {
			end--
		}
		return d.replace(t.Body, end, strings.Repeat(" ", t.Indent)+text)
	}
	written, ok := write(text, t.Style)
	if !ok {
		return nil
	}
	// YAML lets a tab follow plain text where it lets none follow quotes.
	if t.Style == Plain && written != text && bytes.IndexByte(d.text[t.End:skipBlank(d.text, t.End)], '\t') >= 0 {
		return nil
	}
	return d.replace(t.Start, t.End, written)
}

// Trim gives the edits that leave the bytes from up to to of the text of the
// scalar at a pointer. The line feeds that end a block stay as its head says. It
// is nil where that would take more than deleting bytes, or quotes.
func (d *Document) Trim(pointer string, from, to int) []diag.Edit {
	n, t, ok := d.scalar(pointer)
	if !ok || from < 0 || from >= to || to > len(n.Text) {
		return nil
	}
	kept := n.Text[from:to]
	first, ok := n.within(from)
	last, ok2 := n.within(to - 1)
	if !ok || !ok2 { // a rare escape
		return d.Rewrite(pointer, kept)
	}
	switch {
	case t.Style == DoubleQuoted && d.text[last] == '\\', t.Style == SingleQuoted && d.text[last] == '\'':
		last += 2
	default:
		last++
	}
	start, end := t.Start, t.End
	var edits []diag.Edit
	switch t.Style {
	case Plain:
		// On one line, what is left may need quotes; on several, it could not get them.
		flat := strings.Join(strings.Fields(kept), " ")
		if written, ok := write(flat, Plain); !ok || written != flat {
			if bytes.IndexByte(d.text[start:end], '\n') >= 0 {
				return nil
			}
			return d.Rewrite(pointer, kept)
		}
	case SingleQuoted, DoubleQuoted:
		start, end = start+1, end-1
	default:
		if t.keeps(d.text) || t.Indent == 0 {
			return nil
		}
		line := bytes.LastIndexByte(d.text[:first], '\n') + 1
		if line < t.Body || line+t.Indent > first {
			return nil
		}
		edits = d.cut(edits, t.Body, line)
		start = line + t.Indent
		if t.Style == Folded && start < first && bytes.IndexByte(d.text[first:last], '\n') >= 0 {
			return nil // lines that begin with spaces are not folded
		}
		if end > last && d.text[end-1] == '\r' {
			end--
		}
	}
	return d.cut(d.cut(edits, start, first), last, end)
}

// Remove gives the edits that take a key with its value, or an item of a list,
// out of the file, with the comment on its line. It is nil where nothing would be
// left to hold, or where that would take more than deleting bytes.
func (d *Document) Remove(pointer string) []diag.Edit {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 || !d.editable() {
		return nil
	}
	parent, exact := d.Locate(pointer[:i])
	child, found := d.Locate(pointer)
	if !exact || !found {
		return nil
	}
	at, count := -1, len(parent.Fields)+len(parent.Items)
	if parent.Kind == Map {
		at = slices.IndexFunc(parent.Fields, func(f Field) bool { return f.Value == child })
	} else {
		at = slices.Index(parent.Items, child)
	}
	open, flow := d.opening(parent)
	if at < 0 || count == 1 && !flow {
		return nil
	}
	// It with its neighbours.
	from := max(0, at-1)
	var near []stretch
	for j := from; j < min(count, at+2); j++ {
		var s stretch
		ok := false
		if parent.Kind == Map {
			s, ok = d.field(parent.Fields[j])
		} else {
			s, ok = d.item(parent.Items[j], flow)
		}
		if !ok {
			return nil
		}
		near = append(near, s)
	}
	if flow {
		return d.removeFlow(near, at-from, open)
	}
	return d.removeBlock(near, at-from)
}

// A stretch is bytes from start up to end.
type stretch struct{ start, end int }

func (d *Document) removeBlock(all []stretch, at int) []diag.Edit {
	s := all[at]
	start := bytes.LastIndexByte(d.text[:s.start], '\n') + 1
	if tail, ok := d.blankTo(s.end); ok && len(bytes.Trim(d.text[start:s.start], " ")) == 0 {
		tail = min(tail+1, len(d.text))
		if !d.standsAlone(start, tail, s.start-start) {
			return nil
		}
		return d.cut(nil, start, tail)
	}
	// It shares its first line with the dash of a list; what follows moves up.
	if at+1 == len(all) || len(bytes.TrimSpace(d.text[s.end:all[at+1].start])) > 0 {
		return nil
	}
	return d.cut(nil, s.start, all[at+1].start)
}

// standsAlone reports whether lines from start up to end, that far indented, can
// go without a block of text before them taking in what follows: blank lines, or
// comments that are indented more.
func (d *Document) standsAlone(start, end, indent int) bool {
	next := end
	for next < len(d.text) && space(d.text[next]) {
		next++
	}
	last := max(end, bytes.LastIndexByte(d.text[:next], '\n')+1)
	if next < len(d.text) && d.text[next] == '#' && next-last > indent {
		return false
	}
	i, _ := slices.BinarySearchFunc(d.tokens, start, func(t Token, at int) int { return t.Start - at })
	if i == 0 {
		return true
	}
	t := d.tokens[i-1] // what stands before it
	takes := t.keeps(d.text) || bytes.ContainsAny(d.text[end:last], " \t") || next == len(d.text) && last < next
	return !t.Style.Block() || t.End+1 != start || !takes
}

// blankTo finds the end of a line on which nothing but a comment follows.
func (d *Document) blankTo(at int) (end int, ok bool) {
	end = lineEnd(d.text, min(at, len(d.text)))
	rest := bytes.TrimLeft(d.text[min(at, end):end], " \t\r")
	return end, len(rest) == 0 || rest[0] == '#'
}

func (d *Document) removeFlow(all []stretch, at, open int) []diag.Edit {
	s := all[at]
	clean := func(from, to int) bool { return len(bytes.Trim(d.text[from:to], ", \t\r\n")) == 0 }
	// With a line of its own, the line goes.
	after := s.end
	for after < len(d.text) && (d.text[after] == ' ' || d.text[after] == ',') {
		after++
	}
	start := bytes.LastIndexByte(d.text[:s.start], '\n') + 1
	if tail, ok := d.blankTo(after); ok && start > open && len(bytes.Trim(d.text[start:s.start], " \t")) == 0 {
		comma := bytes.IndexByte(d.text[s.end:after], ',') >= 0
		if next := skipBlank(d.text, tail); comma || next < len(d.text) && d.text[next] != ',' {
			return d.cut(nil, start, min(tail+1, len(d.text)))
		}
	}
	switch {
	case at > 0 && clean(all[at-1].end, s.start):
		return d.cut(nil, all[at-1].end, s.end)
	case at+1 < len(all) && clean(s.end, all[at+1].start):
		return d.cut(nil, s.start, all[at+1].start)
	case len(all) > 1:
		return nil
	}
	next := skipBlank(d.text, after)
	switch comma := bytes.IndexByte(d.text[s.end:after], ','); {
	case comma >= 0:
		return d.cut(nil, s.start, s.end+comma+1)
	case next < len(d.text) && d.text[next] == ',':
		return nil
	}
	return d.cut(nil, s.start, s.end)
}

// field is a key with its value.
func (d *Document) field(f Field) (stretch, bool) {
	_, keyEnd, ok := d.extent(f.Key)
	if !ok {
		return stretch{}, false
	}
	s := stretch{f.Key.start, keyEnd}
	colon := keyEnd
	for colon < len(d.text) && space(d.text[colon]) {
		colon++
	}
	if colon < len(d.text) && d.text[colon] == ':' {
		s.end = colon + 1
	}
	if _, end, ok := d.extent(f.Value); ok {
		s.end = max(s.end, end)
	} else {
		return stretch{}, false
	}
	return s, true
}

// item is an item of a list, from its dash on where it has one.
func (d *Document) item(n *Node, flow bool) (stretch, bool) {
	start, end, ok := d.extent(n)
	if !ok || flow {
		return stretch{start, end}, ok
	}
	for start--; start >= 0 && space(d.text[start]); start-- {
	}
	if start < 0 || d.text[start] != '-' {
		return stretch{}, false
	}
	return stretch{start, max(end, start+1)}, true
}

// extent finds where a value stands as a whole, whatever it is.
func (d *Document) extent(n *Node) (start, end int, ok bool) {
	if n.Kind == Null && n.Text == "" {
		return n.start, n.start, n.start >= len(d.text) || d.text[n.start] != '&' && d.text[n.start] != '!'
	}
	if t, ok := d.tokenOf(n); ok {
		return n.start, t.End, true
	}
	if n.Kind != List && n.Kind != Map {
		return 0, 0, false
	}
	open, flow := d.opening(n)
	end = open
	if flow {
		end++
	}
	if k := len(n.Fields); k > 0 {
		s, ok := d.field(n.Fields[k-1])
		if !ok {
			return 0, 0, false
		}
		end = s.end
	}
	if k := len(n.Items); k > 0 {
		s, ok := d.item(n.Items[k-1], flow)
		if !ok {
			return 0, 0, false
		}
		end = s.end
	}
	if !flow {
		return n.start, end, len(n.Fields)+len(n.Items) > 0
	}
	for end < len(d.text) && (space(d.text[end]) || d.text[end] == ',' || d.text[end] == '#') {
		end = skipBlank(d.text, end)
		if end < len(d.text) && d.text[end] == ',' {
			end++
		}
	}
	if end >= len(d.text) || d.text[end] != ']' && d.text[end] != '}' {
		return 0, 0, false
	}
	return n.start, end + 1, true
}

// opening is where a list or mapping starts past its anchor and tag, and whether
// it stands in brackets.
func (d *Document) opening(n *Node) (at int, flow bool) {
	at = n.start
	for at < len(d.text) && (d.text[at] == '&' || d.text[at] == '!') {
		at = skipBlank(d.text, skipProperty(d.text, at))
	}
	return at, at < len(d.text) && (d.text[at] == '[' || d.text[at] == '{')
}

func (d *Document) editable() bool {
	_, err := d.Tokens()
	return err == nil && !d.aliases
}

// scalar finds a scalar and how it is written.
func (d *Document) scalar(pointer string) (*Node, Token, bool) {
	n, exact := d.Locate(pointer)
	if !exact || !d.editable() {
		return nil, Token{}, false
	}
	t, ok := d.tokenOf(n)
	return n, t, ok
}

// tokenOf finds the token of a scalar, which anchors and tags on its line may
// precede.
func (d *Document) tokenOf(n *Node) (Token, bool) {
	if n.Kind == List || n.Kind == Map {
		return Token{}, false
	}
	at := n.start
	for at < len(d.text) && (d.text[at] == '&' || d.text[at] == '!') {
		at = skipProperty(d.text, at)
		for at < len(d.text) && (d.text[at] == ' ' || d.text[at] == '\t') {
			at++
		}
	}
	all, err := d.Tokens()
	if err != nil {
		return Token{}, false
	}
	i, found := slices.BinarySearchFunc(all, at, func(t Token, at int) int { return t.Start - at })
	if !found || all[i].Style == Comment || all[i].Text != n.Text {
		return Token{}, false
	}
	return all[i], true
}

func (d *Document) replace(start, end int, text string) []diag.Edit {
	return []diag.Edit{{Start: d.Pos(start), End: d.Pos(end), Text: text}}
}

// cut adds the edit that deletes bytes, if there are any.
func (d *Document) cut(edits []diag.Edit, start, end int) []diag.Edit {
	if start < end {
		edits = append(edits, d.replace(start, end, "")...)
	}
	return edits
}

// Offset is the inverse of Pos. It is not ok for a place that the file lacks.
func (d *Document) Offset(p diag.Pos) (offset int, ok bool) {
	if p.Line < 1 || p.Line > len(d.lines) || p.Col < 1 {
		return 0, false
	}
	end := len(d.text)
	if p.Line < len(d.lines) {
		end = d.lines[p.Line] - 1
	}
	offset = d.lines[p.Line-1] + p.Col - 1
	return offset, offset <= end
}

// write writes a text as a scalar on one line. Plain means plain where the text
// allows it wherever it stands, brackets included.
func write(text string, style Style) (written string, ok bool) {
	if !utf8.ValidString(text) {
		return "", false
	}
	odd := strings.ContainsFunc(text, unseen)
	switch {
	case style == DoubleQuoted, odd:
		return doubleQuote(text), true
	case style == SingleQuoted:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'", true
	case style != Plain:
		return "", false
	}
	out, err := yaml.Marshal(text)
	if err != nil {
		return "", false
	}
	written = strings.TrimSuffix(string(out), "\n")
	switch {
	case strings.Contains(written, "\n"):
		return doubleQuote(text), true
	case written == text && strings.ContainsAny(text, ",[]{}"):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'", true
	}
	return written, true
}

// unseen knows what must be written as an escape, or is taken for a line's end.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// doubleQuote writes a text between double quotes, with escapes that YAML knows.
func doubleQuote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !unseen(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
