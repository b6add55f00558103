// Package source turns the bytes of a YAML file into a tree that knows where
// each value stands. It accepts the part of YAML that entries need (mappings
// with string keys, sequences, scalars) and reports the rest as findings.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// Bounds on what one file may hold. A file past a bound is a finding.
const (
	MaxBytes   = 1 << 20 // bytes in a file
	MaxDepth   = 32      // mappings and sequences inside each other
	MaxAliases = 100     // uses of "*name" in a file
	MaxNodes   = 100_000 // values in a file, aliases counted where they are used
)

// Kind says what a Node is.
type Kind int

// The kinds of values. The zero Kind is Null.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"null", "true or false", "whole number", "number", "text", "list", "mapping"}[k]
}

// A Node is a value in a file.
type Node struct {
	Kind   Kind
	Text   string // a scalar as it reads after YAML's quoting is undone
	Items  []*Node
	Fields []Field // of a Map, in the order they are written

	doc        *Document
	start, end int // byte offsets; end is start where it is not known
}

// A Field is a key of a Map with its value.
type Field struct {
	Key   *Node
	Value *Node
}

// A Document is a parsed file.
type Document struct {
	Path string // slash-separated, relative to the repository root
	Root *Node  // never nil; Null for an empty file

	yaml  *yaml.Node // nil where Root is Null
	text  []byte
	lines []int // byte offset of each line's start, as an editor counts lines

	once    sync.Once // of Tokens
	tokens  []Token
	untold  error
	aliases bool // whether there is one among them
}

// Parse reads a file. It always returns a Document; its Root is Null where the
// file could not be read at all, and the findings then say why.
func Parse(path string, text []byte) (*Document, []diag.Diagnostic) {
	p := &parser{doc: &Document{Path: path, text: text, lines: lineStarts(text)}}
	p.doc.Root = p.node(0)
	p.parse(text)
	return p.doc, p.found
}

type parser struct {
	doc     *Document
	breaks  []int // line starts as YAML counts lines
	found   []diag.Diagnostic
	nodes   int
	aliases int
	open    []*yaml.Node // the lists and mappings around, outermost first
	slab    []Node       // nodes to hand out
}

// node makes a node that stands at an offset. Nodes are made many at a time: a
// file is kept or dropped as a whole.
func (p *parser) node(at int) *Node {
	if len(p.slab) == 0 {
		const few, many = 16, 64
		size := few
		if p.nodes > 0 {
			size = many
		}
		p.slab = make([]Node, size)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.doc, n.start, n.end = p.doc, at, at
	return n
}

func (p *parser) parse(text []byte) {
	if len(text) > MaxBytes {
		p.report(0, 0, "file-size", "the file is over 1 MiB", "an entry is a few kilobytes; link to long documents instead")
		return
	}
	if i := invalidUTF8(text); i >= 0 {
		p.report(i, i+1, "file-encoding", fmt.Sprintf("byte 0x%02x is not UTF-8", text[i]), "save the file as UTF-8")
		return
	}
	control, deep := survey(text)
	if i := control; i >= 0 {
		p.report(i, i+1, "file-encoding", fmt.Sprintf("control character U+%04X is not allowed", text[i]), "delete the character")
		return
	}
	if deep >= 0 {
		p.report(deep, deep, "yaml-depth", fmt.Sprintf("values are nested more than %d deep", MaxDepth), "")
		return
	}
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&root); err != nil {
		p.syntax(err)
		return
	}
	p.breaks = p.doc.breaks()
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case err == nil:
		at := p.offset(second.Line, second.Column)
		p.report(at, at, "yaml-document", "the file holds more than one YAML document", "keep one entry a file")
		return
	case !errors.Is(err, io.EOF):
		p.syntax(err)
		return
	}
	if len(root.Content) != 1 {
		return
	}
	if n := p.build(root.Content[0], 1); n != nil {
		p.doc.Root, p.doc.yaml = n, root.Content[0]
	}
}

// build returns nil once a bound is passed; what the bound is has then been reported.
func (p *parser) build(y *yaml.Node, depth int) *Node {
	p.nodes++
	at := p.offset(y.Line, y.Column)
	switch {
	case depth > MaxDepth:
		p.report(at, at, "yaml-depth", fmt.Sprintf("values are nested more than %d deep", MaxDepth), "")
		return nil
	case p.nodes > MaxNodes:
		p.report(at, at, "yaml-alias", fmt.Sprintf("the file holds more than %d values, aliases written out", MaxNodes), "write values out instead of repeating them with *")
		return nil
	}
	n := p.node(at)
	switch y.Kind {
	case yaml.AliasNode:
		p.aliases++
		if p.aliases > MaxAliases {
			p.report(at, at, "yaml-alias", fmt.Sprintf("more than %d aliases (*name) are used", MaxAliases), "write the values out")
			return nil
		}
		if slices.Contains(p.open, y.Alias) {
			p.report(at, at, "yaml-alias", fmt.Sprintf("alias %q stands inside the value it names", "*"+y.Value), "write the value out")
			return nil
		}
		target := p.build(y.Alias, depth)
		if target == nil {
			return nil
		}
		target.start, target.end = at, at+1+len(y.Value)
		return target
	case yaml.MappingNode:
		n.Kind, n.Fields = Map, slices.Grow(n.Fields, len(y.Content)/2)
		p.open = append(p.open, y)
		var seen keys
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := p.build(y.Content[i], depth+1)
			if key == nil {
				return nil
			}
			value := p.build(y.Content[i+1], depth+1)
			if value == nil {
				return nil
			}
			if y.Content[i].Tag == "!!merge" || key.Kind == List || key.Kind == Map {
				p.report(key.start, key.end, "yaml-key", "a key must be plain text", "YAML's << and composed keys are not used here")
				return nil
			}
			if first := seen.find(n.Fields, key.Text); first != nil {
				p.found = append(p.found, diag.Diagnostic{
					Path: p.doc.Path, Start: p.doc.Pos(key.start), End: p.doc.Pos(key.end),
					Rule: "duplicate-key", Severity: diag.Error,
					Message: fmt.Sprintf("key %q is given twice", key.Text),
					Hint:    "keep one of the two",
					Related: []diag.Related{{Path: p.doc.Path, Start: p.doc.Pos(first.start), Message: "first given here"}},
				})
				continue
			}
			n.Fields = append(n.Fields, Field{key, value})
		}
		p.open = p.open[:len(p.open)-1]
	case yaml.SequenceNode:
		n.Kind, n.Items = List, slices.Grow(n.Items, len(y.Content))
		p.open = append(p.open, y)
		for _, c := range y.Content {
			item := p.build(c, depth+1)
			if item == nil {
				return nil
			}
			n.Items = append(n.Items, item)
		}
		p.open = p.open[:len(p.open)-1]
	default:
		n.Kind, n.Text = scalarKind(y), y.Value
		n.end = p.scalarEnd(y, at)
	}
	return n
}

// keys finds the keys of a mapping that were there before. Most mappings are
// small, and looking through them is faster than an index.
type keys struct{ index map[string]*Node }

func (k *keys) find(fields []Field, key string) *Node {
	const small = 32
	if len(fields) <= small {
		for i := range fields {
			if fields[i].Key.Text == key {
				return fields[i].Key
			}
		}
		return nil
	}
	if k.index == nil {
		k.index = make(map[string]*Node, 2*len(fields))
		for _, f := range fields {
			k.index[f.Key.Text] = f.Key
		}
	} else if last := fields[len(fields)-1].Key; k.index[last.Text] == nil {
		k.index[last.Text] = last
	}
	return k.index[key]
}

func scalarKind(y *yaml.Node) Kind {
	switch y.ShortTag() {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int":
		return Int
	case "!!float":
		return Float
	}
	return String // dates too: an entry's dates are text with a pattern
}

// scalarEnd finds where a scalar ends, exactly for plain and quoted ones on one
// line; a block scalar's end is its start.
func (p *parser) scalarEnd(y *yaml.Node, at int) int {
	rest := p.doc.text[at:]
	switch y.Style &^ yaml.TaggedStyle {
	case 0:
		if len(rest) >= len(y.Value) && string(rest[:len(y.Value)]) == y.Value {
			return at + len(y.Value)
		}
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		if len(rest) == 0 {
			return at
		}
		for i := 1; i < len(rest) && rest[i] != '\n'; i++ {
			switch {
			case rest[i] == '\\' && rest[0] == '"':
				i++
			case rest[i] == rest[0]:
				if rest[0] == '\'' && i+1 < len(rest) && rest[i+1] == '\'' {
					i++
					continue
				}
				return at + i + 1
			}
		}
	}
	return at
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )+(?:line (\d+): )?(.*)$`)

// syntax puts the library's error in a place: that of the slips which are known to
// lead to it. Where none is known, the library's own words are kept: they name the
// construct, which is what helps then.
func (p *parser) syntax(err error) {
	if errors.Is(err, io.EOF) { // an empty file
		return
	}
	m := yamlLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	line, message := 1, err.Error()
	if m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	known := slips(p.doc.text)
	for _, s := range known {
		at := p.doc.lines[min(s.line, len(p.doc.lines)-1)]
		p.report(at+s.start, at+s.end, "yaml-syntax", "this is not YAML: "+s.message, s.hint)
	}
	if known != nil {
		return
	}
	at := p.doc.lines[min(line, len(p.doc.lines))-1]
	p.report(at, at, "yaml-syntax", "this is not YAML: "+message,
		"look at this line and the one above it for a missing quote, a tab, or a colon inside plain text")
}

func (p *parser) report(start, end int, rule, message, hint string) {
	p.found = append(p.found, diag.Diagnostic{
		Path: p.doc.Path, Start: p.doc.Pos(start), End: p.doc.Pos(end),
		Rule: rule, Severity: diag.Error, Message: message, Hint: hint,
	})
}

// offset turns yaml.v3's position into a byte offset: it counts columns in runes
// and ends lines at more characters than editors do.
func (p *parser) offset(line, col int) int { return offset(p.doc.text, p.breaks, line, col) }

func offset(text []byte, breaks []int, line, col int) int {
	if line < 1 || line > len(breaks) {
		return len(text)
	}
	at := breaks[line-1]
	if at == 0 && bytes.HasPrefix(text, []byte(byteOrderMark)) { // which it does not count
		at = len(byteOrderMark)
	}
	for ; col > 1 && at < len(text); col-- {
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	return at
}

const byteOrderMark = "\ufeff"

// Pos turns a byte offset into a position as editors count.
func (d *Document) Pos(offset int) diag.Pos {
	lo, hi := 0, len(d.lines)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if d.lines[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return diag.Pos{Line: lo + 1, Col: offset - d.lines[lo] + 1}
}

// Decode fills v from the document, as yaml.v3 does. It must not be called on a
// document with findings of this package: those keep hostile YAML out.
func (d *Document) Decode(v any) error {
	if d.yaml == nil {
		return nil
	}
	return d.yaml.Decode(v)
}

// Bytes returns the file's text.
func (d *Document) Bytes() []byte { return d.text }

// Start and End are where the value stands.
func (n *Node) Start() diag.Pos { return n.doc.Pos(n.start) }

// End is just past the value, or Start where that is not known.
func (n *Node) End() diag.Pos { return n.doc.Pos(n.end) }

// Get returns the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Key.Text == key {
			return f.Value
		}
	}
	return nil
}

// Locate follows an RFC 6901 pointer. Where the value is not there it returns
// its nearest ancestor that is, so that a finding always has a place.
func (d *Document) Locate(pointer string) (n *Node, exact bool) {
	n = d.Root
	if pointer == "" {
		return n, true
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = unescapeToken(token)
		var next *Node
		switch n.Kind {
		case Map:
			next = n.Get(token)
		case List:
			if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Items) {
				next = n.Items[i]
			}
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// KeyAt returns the key node of the field that a pointer names, or nil.
func (d *Document) KeyAt(pointer string) *Node {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return nil
	}
	parent, exact := d.Locate(pointer[:i])
	if !exact {
		return nil
	}
	name := unescapeToken(pointer[i+1:])
	for _, f := range parent.Fields {
		if f.Key.Text == name {
			return f.Key
		}
	}
	return nil
}

// unescapeToken reads a token of an RFC 6901 pointer.
func unescapeToken(token string) string {
	if strings.IndexByte(token, '~') < 0 { // nearly always
		return token
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
}

// Pointer joins tokens to an RFC 6901 pointer.
func Pointer(tokens ...string) string {
	if len(tokens) == 1 && !strings.ContainsAny(tokens[0], "~/") {
		return "/" + tokens[0]
	}
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		if strings.ContainsAny(t, "~/") {
			t = strings.NewReplacer("~", "~0", "/", "~1").Replace(t)
		}
		b.WriteString(t)
	}
	return b.String()
}

// Value returns the tree as the plain values a JSON Schema validator takes.
func (n *Node) Value() any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Key.Text] = f.Value.Value()
		}
		return m
	case List:
		l := make([]any, len(n.Items))
		for i, item := range n.Items {
			l[i] = item.Value()
		}
		return l
	case Null:
		return nil
	case Bool:
		return strings.EqualFold(n.Text, "true")
	case Int:
		if i, err := strconv.ParseInt(n.Text, 0, 64); err == nil {
			return i
		}
		return n.Text
	case Float:
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return f
		}
		return n.Text
	}
	return n.Text
}
