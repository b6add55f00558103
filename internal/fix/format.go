package fix

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Unreadable is the error of Format for a file that does not parse.
type Unreadable struct {
	Findings []diag.Diagnostic // one or more
}

func (e *Unreadable) Error() string {
	d := e.Findings[0]
	return fmt.Sprintf("%s:%d:%d: %s", d.Path, d.Start.Line, d.Start.Col, d.Message)
}

// Format lays the file of an entry out: two spaces for each level, lists set in
// below their key, one space behind "-" and ":", no white space at the end of a
// line, no tabs, line feeds only, one at the end, and a first line that tells
// editors the schema. Comments move with what they stand at; the order of keys, the
// quoting of values, brackets and blank lines stay.
//
// The schema is its path from the file, such as "../../schemas/dpg.schema.json";
// with "" the first line is left alone. An error names the file, as path, and the
// place that cannot be followed; it is an *Unreadable where the file is not YAML of
// this project.
func Format(path string, text []byte, schema string) ([]byte, error) {
	before, found := source.Parse(path, text)
	if len(found) > 0 {
		return nil, &Unreadable{found}
	}
	if before.Root.Kind != source.Map {
		return nil, fmt.Errorf("%s: the file does not hold keys with values, as an entry does", path)
	}
	plain, found := source.Parse(path, lineFeeds(text))
	if len(found) > 0 {
		return nil, &Unreadable{found}
	}
	tokens, err := plain.Tokens()
	if err != nil {
		return nil, err
	}
	p := printer{doc: plain, text: plain.Bytes(), tokens: tokens}
	if err := p.print(); err != nil {
		return nil, err
	}
	out := p.out.Bytes()
	if schema != "" {
		out = withSchema(out, schema)
	}
	if !faithful(before, plain, out) {
		return nil, fmt.Errorf("%s: the file cannot be laid out without changing what it says", path)
	}
	return out, nil
}

// faithful holds that a text reads as a document does, comments included.
func faithful(before, plain *source.Document, text []byte) bool {
	after, found := source.Parse(before.Path, text)
	if len(found) > 0 || !same(before.Root, after.Root, nil) {
		return false
	}
	had, err := comments(plain, nil)
	if err != nil {
		return false
	}
	has, err := comments(after, nil)
	isModeline := func(s string) bool { return modeline.MatchString(s) }
	return err == nil && slices.Equal(slices.DeleteFunc(had, isModeline), slices.DeleteFunc(has, isModeline))
}

// lineFeeds ends every line with a line feed and drops a byte order mark.
func lineFeeds(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}

var modeline = regexp.MustCompile(`^#\s*yaml-language-server:\s*\$schema=(\S*)\s*$`)

// withSchema puts the line that tells editors the schema first, and takes out
// others. An address on the web that a person chose stays.
func withSchema(text []byte, schema string) []byte {
	first := "# yaml-language-server: $schema=" + schema + "\n"
	var rest []byte
	top, chosen, seen, at := true, false, false, 0
	for line := range bytes.Lines(text) {
		trimmed := bytes.TrimSpace(line)
		if top = top && (len(trimmed) == 0 || trimmed[0] == '#'); !top {
			break
		}
		if m := modeline.FindSubmatch(trimmed); m != nil {
			address := string(m[1])
			if !chosen && strings.HasPrefix(address, "https://") && path.Base(address) == path.Base(schema) {
				first, chosen = string(trimmed)+"\n", true
			}
		} else if len(trimmed) > 0 || seen { // no blank line above all others
			rest = append(rest, line...)
		}
		seen = seen || len(trimmed) > 0
		at += len(line)
	}
	return append(append([]byte(first), rest...), text[at:]...)
}

// A level is a mapping or list that stands on lines of its own.
type level struct {
	old, new int // its column, before and after
	list     bool
}

// A heldLine is a blank line, or one with a comment, that waits for the line below
// it: that tells what it belongs to.
type heldLine struct {
	column  int
	comment string // "" is a blank line
}

type printer struct {
	doc    *source.Document
	text   []byte
	tokens []source.Token
	next   int // of tokens
	out    bytes.Buffer
	levels []level
	open   bool // the last line left a value to the lines below it
	held   []heldLine
}

func (p *printer) print() error {
	for at := 0; at < len(p.text); {
		first := skipSpace(p.text, at)
		if first == len(p.text) || p.text[first] == '\n' {
			p.held = append(p.held, heldLine{})
			at = first + 1
			continue
		}
		if t := p.token(first); t != nil && t.Style == source.Comment {
			p.held = append(p.held, heldLine{first - at, trimEnd(t.Text)})
			at = t.End + 1
			continue
		}
		end, err := p.line(at, first)
		if err != nil {
			return err
		}
		at = end
	}
	for len(p.held) > 0 && p.held[len(p.held)-1].comment == "" {
		p.held = p.held[:len(p.held)-1]
	}
	p.release(p.levels, p.open, -1, 0)
	return nil
}

// token returns the token that starts at an offset, or nil.
func (p *printer) token(at int) *source.Token {
	for p.next < len(p.tokens) && p.tokens[p.next].Start < at {
		p.next++
	}
	if p.next < len(p.tokens) && p.tokens[p.next].Start == at {
		return &p.tokens[p.next]
	}
	return nil
}

// line prints a line that starts at start and holds something from at on, with the
// lines that its last value goes on over. It returns where the next line starts.
func (p *printer) line(start, at int) (end int, err error) {
	levels, open := slices.Clone(p.levels), p.open
	begun, sep := false, ""
	begin := func(column, indent int) {
		if !begun {
			p.release(levels, open, column, indent)
			p.out.WriteString(strings.Repeat(" ", indent))
			begun = true
		}
	}
	write := func(s []byte) {
		p.out.WriteString(sep)
		p.out.Write(s)
		sep = " "
	}
	property := -1 // column of an anchor or tag that the next key follows
	for {
		gap := at
		at = skipSpace(p.text, at)
		if at == len(p.text) || p.text[at] == '\n' {
			break
		}
		column, t := at-start, p.token(at)
		switch b := p.text[at]; {
		case t != nil && t.Style == source.Comment:
			p.out.WriteString(spacing(p.text[gap:at]))
			p.out.WriteString(trimEnd(t.Text))
			at = t.End
		case t != nil:
			if colon, isKey := p.keyEnd(t); isKey {
				if property < 0 {
					property = column
				}
				l := p.enter(property, false, begun)
				begin(property, l.new)
				write(p.text[t.Start:t.End])
				if t.Style == source.Alias {
					p.out.WriteByte(' ') // a colon would be taken for a part of its name
				}
				p.out.WriteByte(':')
				at, property, p.open = colon, -1, true
				break
			}
			begin(column, p.inner())
			p.out.WriteString(sep)
			sep = " "
			p.scalar(t, p.inner())
			at, p.open = t.End, false
		case column == 0 && (b == '%' || isMarker(p.text[at:])):
			begin(0, 0)
			p.levels, p.open = nil, false
			stop := at + 3
			if b == '%' {
				stop = lineEnd(p.text, at)
			}
			write(bytes.TrimRight(p.text[at:stop], " \t"))
			if at = skipSpace(p.text, stop); at < len(p.text) && p.text[at] != '\n' && p.text[at] != '#' {
				return 0, p.unknown(at)
			}
		case b == '-' && (at+1 == len(p.text) || isSpace(p.text[at+1])):
			l := p.enter(column, true, begun)
			begin(column, l.new)
			write(p.text[at : at+1])
			at, p.open = at+1, true
		case b == '[' || b == '{':
			begin(column, p.inner())
			p.out.WriteString(sep)
			sep = " "
			if at, err = p.flow(at); err != nil {
				return 0, err
			}
			p.open = false
		case b == '&' || b == '!':
			if p.beforeKey(at) {
				if property < 0 {
					property = column
					l := p.enter(property, false, begun)
					begin(property, l.new)
				}
			} else {
				begin(column, p.inner())
			}
			stop := at
			for stop < len(p.text) && !isSpace(p.text[stop]) {
				stop++
			}
			write(p.text[at:stop])
			at = stop
		default:
			return 0, p.unknown(at)
		}
	}
	p.out.WriteByte('\n')
	return min(at+1, len(p.text)), nil
}

// enter finds the level of a key or a dash, and ends those that it stands outside
// of. Inline is behind a dash on its line.
func (p *printer) enter(column int, list, inline bool) level {
	if !inline {
		for n := len(p.levels); n > 0; n-- {
			// A list may stand in the column of the key that it is the value of.
			if l := p.levels[n-1]; l.old < column || l.old == column && (list || !l.list) {
				break
			}
			p.levels = p.levels[:n-1]
		}
		if n := len(p.levels); n > 0 && p.levels[n-1].old == column && p.levels[n-1].list == list {
			return p.levels[n-1]
		}
	} else if n := len(p.levels); n > 0 && p.levels[n-1].old == column {
		return p.levels[n-1] // of an anchor in front of the key
	}
	l := level{old: column, new: p.inner(), list: list}
	p.levels = append(p.levels, l)
	return l
}

// inner is the column of what stands below the last key or dash.
func (p *printer) inner() int {
	if len(p.levels) == 0 {
		return 0
	}
	return p.levels[len(p.levels)-1].new + 2
}

// keyEnd finds where what follows a key starts, if a scalar is one.
func (p *printer) keyEnd(t *source.Token) (at int, isKey bool) {
	if t.Style.Block() || t.Style == source.Comment {
		return 0, false
	}
	at = skipSpace(p.text, t.End)
	return at + 1, at < len(p.text) && p.text[at] == ':' && (at+1 == len(p.text) || isSpace(p.text[at+1]))
}

// beforeKey reports whether the anchors and tags at an offset are those of a key.
func (p *printer) beforeKey(at int) bool {
	for at < len(p.text) && (p.text[at] == '&' || p.text[at] == '!') {
		for at < len(p.text) && !isSpace(p.text[at]) {
			at++
		}
		at = skipSpace(p.text, at)
	}
	i, found := slices.BinarySearchFunc(p.tokens, at, func(t source.Token, at int) int { return t.Start - at })
	if !found {
		return false
	}
	_, isKey := p.keyEnd(&p.tokens[i])
	return isKey
}

// release prints the lines that were held, above one whose column becomes indent;
// column -1 is the end of the file. Levels and open are as before that line.
func (p *printer) release(levels []level, open bool, column, indent int) {
	for _, h := range p.held {
		if h.comment != "" {
			p.out.WriteString(strings.Repeat(" ", commentIndent(h.column, levels, open, column, indent)))
			p.out.WriteString(h.comment)
		}
		p.out.WriteByte('\n')
	}
	p.held = p.held[:0]
}

// commentIndent keeps a comment with what it is set in like: the line below it,
// else a mapping or list that goes on or ends here, else the nearest of these.
func commentIndent(at int, levels []level, open bool, column, indent int) int {
	if at == column {
		return indent
	}
	best, away := 0, -1
	consider := func(old, new int) {
		far := max(old-at, at-old)
		if away < 0 || far < away || far == away && new > best {
			best, away = new, far
		}
	}
	for _, l := range levels {
		consider(l.old, l.new)
	}
	if away == 0 {
		return best
	}
	if n := len(levels); n > 0 && open && at > levels[n-1].old {
		return levels[n-1].new + 2
	}
	if column >= 0 {
		consider(column, indent)
	}
	return best
}

// scalar prints a value; the lines that it goes on over begin at indent.
func (p *printer) scalar(t *source.Token, indent int) {
	pad := strings.Repeat(" ", indent)
	if t.Style.Block() {
		p.block(t, pad)
		return
	}
	lines := strings.Split(string(p.text[t.Start:t.End]), "\n")
	for i, l := range lines {
		if i > 0 {
			p.out.WriteByte('\n')
			if l = strings.TrimLeft(l, " \t"); l != "" {
				p.out.WriteString(pad)
			}
		}
		if i < len(lines)-1 {
			l = trimFolded(l, t.Style)
		}
		p.out.WriteString(l)
	}
}

// trimFolded cuts white space that folding drops anyway. An escaped space stays.
func trimFolded(l string, style source.Style) string {
	short := strings.TrimRight(l, " \t")
	slashes := len(short) - len(strings.TrimRight(short, `\`))
	if style == source.DoubleQuoted && slashes%2 == 1 && len(short) < len(l) {
		return l[:len(short)+1]
	}
	return short
}

// block prints a block of text. A head that says how far it is set in says so
// again, by the new measure.
func (p *printer) block(t *source.Token, pad string) {
	signs, comment := blockHead(p.text[t.Start:t.Body])
	given := strings.ContainsAny(signs, "123456789")
	chomp := ""
	switch {
	case strings.Contains(signs, "-"):
		chomp = "-"
	case strings.Contains(signs, "+"):
		chomp = "+"
	}
	body := ""
	if t.Body < t.End {
		body = string(p.text[t.Body:t.End])
	}
	// At the end of a file the last line feed can be missing, and so be no part of
	// the text; now it will be there.
	if t.Indent > 0 && !strings.HasSuffix(t.Text, "\n") {
		chomp = "-"
	}
	if chomp == "-" {
		body = strings.TrimRight(body, "\n")
	}
	p.out.WriteByte(p.text[t.Start])
	if given {
		p.out.WriteByte('2')
	}
	p.out.WriteString(chomp)
	if comment != "" {
		p.out.WriteString(" " + comment)
	}
	if t.Indent == 0 {
		if chomp == "+" { // blank lines are all that it holds
			p.out.WriteString(strings.Repeat("\n", len(t.Text)))
		}
		return
	}
	for l := range strings.SplitSeq(body, "\n") {
		p.out.WriteByte('\n')
		if len(l) > t.Indent {
			p.out.WriteString(pad + l[t.Indent:])
		}
	}
}

// blockHead takes the head of a block apart: the signs behind "|" or ">", and the
// comment.
func blockHead(head []byte) (signs, comment string) {
	line, _, _ := strings.Cut(string(head[1:]), "\n")
	signs, comment, _ = strings.Cut(line, "#")
	if len(line) > len(signs) {
		comment = trimEnd("#" + comment)
	}
	return strings.TrimSpace(signs), comment
}

// flow prints a list or mapping in brackets and returns where it ends. Closing
// brackets stand in line with what opened them, but further in than the key, as
// YAML wants them.
func (p *printer) flow(at int) (end int, err error) {
	base := p.inner()
	level := 0       // of the line, in steps from base
	var opened []int // for each open bracket, the level of lines inside it
	pad := func(level int) string { return strings.Repeat(" ", base+2*level) }
	breaks, gap := 0, at
	for at < len(p.text) {
		b := p.text[at]
		if isSpace(b) {
			if at++; b == '\n' {
				breaks++
			}
			continue
		}
		if breaks > 0 {
			level = opened[len(opened)-1]
			if n := p.closing(at); n > 0 {
				level = opened[max(0, len(opened)-n)] - 1
			}
			p.out.WriteString(strings.Repeat("\n", breaks) + pad(level))
			breaks = 0
		} else if gap < at {
			p.out.WriteString(spacing(p.text[gap:at]))
		}
		switch t := p.token(at); {
		case t != nil && t.Style == source.Comment:
			p.out.WriteString(trimEnd(t.Text))
			at = t.End
		case t != nil:
			p.scalar(t, len(pad(opened[len(opened)-1])))
			at = t.End
		case b == '&' || b == '!':
			stop := at
			for stop < len(p.text) && !isSpace(p.text[stop]) && strings.IndexByte(",[]{}", p.text[stop]) < 0 {
				stop++
			}
			p.out.Write(p.text[at:stop])
			at = stop
		case strings.IndexByte(",:[]{}", b) >= 0:
			p.out.WriteByte(b)
			at++
			switch b {
			case '[', '{':
				opened = append(opened, level+1)
			case ']', '}':
				if opened = opened[:len(opened)-1]; len(opened) == 0 {
					return at, nil
				}
			}
		default:
			return 0, p.unknown(at)
		}
		gap = at
	}
	return 0, p.unknown(at)
}

// closing counts the brackets that close at the start of a line.
func (p *printer) closing(at int) (n int) {
	for ; at < len(p.text) && strings.IndexByte("]} ", p.text[at]) >= 0; at++ {
		if p.text[at] != ' ' {
			n++
		}
	}
	return n
}

func (p *printer) unknown(at int) error {
	pos := p.doc.Pos(at)
	return fmt.Errorf("%s:%d:%d: this is written in a way that cannot be followed; write it more plainly", p.doc.Path, pos.Line, pos.Col)
}

// isMarker knows the marks between documents.
func isMarker(text []byte) bool {
	return (bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("..."))) && (len(text) == 3 || isSpace(text[3]))
}

// spacing keeps the space that sets something apart, without tabs.
func spacing(gap []byte) string {
	if len(gap) == 0 || bytes.IndexByte(gap, '\t') >= 0 {
		return " "
	}
	return string(gap)
}

func trimEnd(s string) string { return strings.TrimRight(s, " \t\r") }

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	return at
}

func lineEnd(text []byte, at int) int {
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(text)
}
