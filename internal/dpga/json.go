package dpga

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A node is a value of a JSON file. Unlike what encoding/json gives, it keeps
// the order of keys and keys given twice, and it remembers what became of it.
type node struct {
	kind   kind
	text   string // of text: decoded; of a number: as written
	fields []field
	items  []*node

	halved bool     // text that lost half of a surrogate pair in decoding
	fate   *outcome // of a leaf: nil until somebody has dealt with it
}

type kind int

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "text", "a list", "an object"}[k]
}

type field struct {
	key   string
	value *node
}

// leaf reports whether the node is a value without values in it. An empty list
// or object is one, so that nothing a file says goes unaccounted for.
func (n *node) leaf() bool { return len(n.items) == 0 && len(n.fields) == 0 }

// get returns the value of a key, the last where it is given twice, as JSON.parse
// does. It returns nil where there is none, or n is no object.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := len(n.fields) - 1; i >= 0; i-- {
		if n.fields[i].key == key {
			return n.fields[i].value
		}
	}
	return nil
}

func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.items, c.fields = nil, nil
	for _, item := range n.items {
		c.items = append(c.items, item.clone())
	}
	for _, f := range n.fields {
		c.fields = append(c.fields, field{f.key, f.value.clone()})
	}
	return &c
}

// maxBytes bounds a JSON file: ten times the largest there is. An entry made
// from two such files stays readable by package source.
const maxBytes = 256 << 10

// errDeep is for values nested deeper than package source reads.
var errDeep = fmt.Errorf("values are nested more than %d deep", source.MaxDepth)

// parseJSON reads a file. Its error says where the file stops being JSON.
func parseJSON(data []byte) (*node, error) {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, fmt.Errorf("%s: byte 0x%02x is not UTF-8", lineCol(data, i), data[i])
		}
		i += n
	}
	if !json.Valid(data) {
		err := json.Unmarshal(data, new(json.RawMessage))
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s: %w", lineCol(data, int(syntax.Offset)-1), err)
		}
		return nil, err
	}
	p := &jsonParser{
		dec:    json.NewDecoder(bytes.NewReader(data)),
		honest: bytes.ContainsRune(data, utf8.RuneError) || bytes.Contains(bytes.ToLower(data), []byte(`\ufffd`)),
	}
	p.dec.UseNumber()
	n, err := p.value(1)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return n, nil
}

type jsonParser struct {
	dec    *json.Decoder
	honest bool // the file itself holds U+FFFD, which else stands for half a surrogate pair
}

func (p *jsonParser) value(depth int) (*node, error) {
	if depth > source.MaxDepth {
		return nil, errDeep
	}
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return p.list(depth)
		}
		return p.object(depth)
	case string:
		return &node{kind: text, text: t, halved: !p.honest && strings.ContainsRune(t, utf8.RuneError)}, nil
	case json.Number:
		return &node{kind: number, text: t.String()}, nil
	case bool:
		return &node{kind: boolean, text: strconv.FormatBool(t)}, nil
	}
	return &node{kind: null}, nil
}

func (p *jsonParser) list(depth int) (*node, error) {
	n := &node{kind: list}
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := p.dec.Token()
	return n, err
}

func (p *jsonParser) object(depth int) (*node, error) {
	n := &node{kind: object}
	for p.dec.More() {
		key, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not text", key)
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, field{name, value})
	}
	_, err := p.dec.Token()
	return n, err
}

func lineCol(data []byte, offset int) string {
	before := data[:max(0, min(offset, len(data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("line %d column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}
