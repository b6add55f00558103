package source

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Style is how a Token is written.
type Style int

// The styles. The zero Style is Plain.
const (
	Plain        Style = iota
	SingleQuoted       // 'text'
	DoubleQuoted       // "text"
	Literal            // | and lines below it
	Folded             // > and lines below it
	Alias              // *name
	Comment            // # to the end of the line
)

// Block reports whether the text stands on lines of its own below "|" or ">".
func (s Style) Block() bool { return s == Literal || s == Folded }

// A Token is a scalar, an alias or a comment with its exact place. Byte offsets
// count from the start of the file.
//
// An anchor or a tag is no part of the token that follows it; a value that is
// not written at all has no token.
type Token struct {
	Start, End int // End is just past it; of a block, just before its last line feed
	Style      Style
	Text       string // what it reads as; of a Comment, with its "#"

	// Of a block only.
	Body   int // where the line below the head starts
	Indent int // spaces in front of its lines; 0 where all of them are blank
}

// Tokens lists the scalars, aliases and comments of the file in their order. What
// stands between them is white space, indicators such as "-" and ":", anchors,
// tags, and marks of the document. It is an error if one of them cannot be placed,
// which takes YAML that nobody writes by hand.
//
// The document must be free of findings of this package.
func (d *Document) Tokens() ([]Token, error) {
	d.once.Do(func() {
		s := scanner{doc: d, breaks: d.breaks()}
		if d.yaml != nil {
			s.walk(d.yaml)
		}
		slices.SortFunc(s.tokens, func(a, b Token) int { return a.Start - b.Start })
		s.comments()
		d.tokens, d.untold = s.tokens, s.err
		d.aliases = slices.ContainsFunc(s.tokens, func(t Token) bool { return t.Style == Alias })
	})
	return d.tokens, d.untold
}

type scanner struct {
	doc    *Document
	breaks []int
	tokens []Token
	err    error
}

func (s *scanner) fail(at int) {
	if s.err == nil {
		p := s.doc.Pos(min(at, len(s.doc.text)))
		s.err = fmt.Errorf("%s:%d:%d: this is written in a way that cannot be followed; write it more plainly", s.doc.Path, p.Line, p.Col)
	}
}

func (s *scanner) walk(y *yaml.Node) {
	switch y.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		for _, c := range y.Content {
			s.walk(c)
		}
	case yaml.AliasNode:
		at := offset(s.doc.text, s.breaks, y.Line, y.Column)
		s.tokens = append(s.tokens, Token{Start: at, End: at + 1 + len(y.Value), Style: Alias, Text: y.Value})
	case yaml.ScalarNode:
		s.scalar(y)
	}
}

func (s *scanner) scalar(y *yaml.Node) {
	text := s.doc.text
	at := offset(text, s.breaks, y.Line, y.Column)
	style := y.Style &^ yaml.TaggedStyle
	if style == 0 && y.Value == "" {
		return
	}
	for at < len(text) && (text[at] == '&' || text[at] == '!') {
		at = skipBlank(text, skipProperty(text, at))
	}
	if at >= len(text) {
		s.fail(at)
		return
	}
	t := Token{Start: at, Text: y.Value}
	ok := false
	switch {
	case style == 0:
		t.End, ok = plainEnd(text, at, y.Value)
	case style == yaml.SingleQuotedStyle && text[at] == '\'':
		t.Style = SingleQuoted
		t.End, ok = quotedEnd(text, at)
	case style == yaml.DoubleQuotedStyle && text[at] == '"':
		t.Style = DoubleQuoted
		t.End, ok = quotedEnd(text, at)
	case style == yaml.LiteralStyle && text[at] == '|':
		t.Style = Literal
		ok = t.block(text)
	case style == yaml.FoldedStyle && text[at] == '>':
		t.Style = Folded
		ok = t.block(text)
	}
	if !ok {
		s.fail(at)
		return
	}
	s.tokens = append(s.tokens, t)
}

// skipProperty steps over an anchor or a tag.
func skipProperty(text []byte, at int) int {
	for at < len(text) && !space(text[at]) {
		at++
	}
	return at
}

// skipBlank steps over white space and comments.
func skipBlank(text []byte, at int) int {
	for at < len(text) {
		switch {
		case space(text[at]):
			at++
		case text[at] == '#':
			at = lineEnd(text, at)
		default:
			return at
		}
	}
	return at
}

// lineEnd is where the line feed stands that ends the line, or the file's end.
func lineEnd(text []byte, at int) int {
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(text)
}

// plainEnd follows a plain scalar over its folded lines.
func plainEnd(text []byte, at int, value string) (end int, ok bool) {
	for i := 0; i < len(value); {
		switch {
		case at >= len(text):
			return 0, false
		case space(value[i]) && space(text[at]), value[i] == text[at]:
			i++
			at++
		case space(text[at]):
			at++
		default:
			return 0, false
		}
	}
	return at, true
}

func quotedEnd(text []byte, at int) (end int, ok bool) {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}

// block finds where a block of text ends and how far it is indented, and makes
// sure that it holds the text it should.
func (t *Token) block(text []byte) bool {
	if !t.lines(text) {
		return false
	}
	for at := t.Start; at < t.End; at++ {
		if oddBreak(text, at) {
			return false
		}
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return squeeze(string(text[min(t.Body, t.End):t.End])) == squeeze(t.Text)
}

func (t *Token) lines(text []byte) bool {
	head := lineEnd(text, t.Start)
	t.Body = min(head+1, len(text))
	t.End = head
	keep := t.keeps(text)
	filled := strings.TrimLeft(t.Text, "\n")
	if filled == "" {
		for n := len(t.Text); n > 0 && keep && t.End < len(text); n-- {
			t.End = lineEnd(text, t.End+1)
		}
		return true
	}
	// The first line that is not blank tells the indentation: what it has in the
	// file less what it has as text.
	first, _, _ := strings.Cut(filled, "\n")
	if strings.Trim(first, " \t") == "" {
		return false
	}
	at := t.Body
	for at < len(text) && len(bytes.Trim(line(text, at), " \r")) == 0 {
		at = lineEnd(text, at) + 1
	}
	if at >= len(text) {
		return false
	}
	t.Indent = leading(string(line(text, at))) - leading(first)
	if t.Indent < 0 {
		return false
	}
	for ; at < len(text); at = lineEnd(text, at) + 1 {
		l := string(bytes.TrimRight(line(text, at), "\r"))
		switch {
		case strings.Trim(l, " ") == "" && len(l) <= t.Indent: // blank
			if keep && at+len(l) < len(text) {
				t.End = lineEnd(text, at)
			}
			continue
		case leading(l) < t.Indent, t.Indent == 0 && (strings.HasPrefix(l, "---") || strings.HasPrefix(l, "...")):
			return true
		}
		t.End = lineEnd(text, at)
	}
	return true
}

// keeps reports whether the head of a block says that the blank lines at its end
// are part of its text.
func (t *Token) keeps(text []byte) bool {
	if !t.Style.Block() {
		return false
	}
	head := text[t.Start+1 : min(t.Start+3, t.Body)]
	return bytes.IndexByte(head, '+') >= 0 && !bytes.ContainsAny(head[:bytes.IndexByte(head, '+')], " \t#\r\n")
}

func line(text []byte, at int) []byte { return text[at:lineEnd(text, at)] }

func leading(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// comments finds the comments between the scalars.
func (s *scanner) comments() {
	text, at := s.doc.text, 0
	var all []Token
	for i := 0; ; i++ {
		end := len(text)
		if i < len(s.tokens) {
			end = s.tokens[i].Start
		}
		if at > end { // tokens overlap
			s.fail(end)
			return
		}
		for at < end {
			switch b := text[at]; {
			case b == '?', oddBreak(text, at): // "? key" on its own
				s.fail(at)
				return
			case b == '#':
				stop := at
				for stop < len(text) && !breakAt(text, stop) {
					stop++
				}
				if stop > end {
					s.fail(end)
					return
				}
				all = append(all, Token{Start: at, End: stop, Style: Comment, Text: string(text[at:stop])})
				at = stop
			case b == '&' || b == '!':
				at = min(skipProperty(text, at), end)
			default:
				at++
			}
		}
		if i == len(s.tokens) {
			break
		}
		all = append(all, s.tokens[i])
		at = s.tokens[i].End
	}
	s.tokens = all
}

// oddBreak reports whether YAML ends a line here and an editor may not.
func oddBreak(text []byte, at int) bool {
	return breakAt(text, at) && text[at] != '\n' && !bytes.HasPrefix(text[at:], []byte("\r\n"))
}

// breakAt reports whether YAML ends a line here.
func breakAt(text []byte, at int) bool {
	switch text[at] {
	case '\n', '\r':
		return true
	case 0xc2, 0xe2:
		r, _ := utf8.DecodeRune(text[at:])
		return r == '\u0085' || r == '\u2028' || r == '\u2029'
	}
	return false
}
