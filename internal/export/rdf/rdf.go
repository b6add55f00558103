// Package rdf writes statements as Turtle and as JSON-LD. It holds what an export
// of this project needs and no more: named nodes and literals, no blank nodes, no
// collections, nothing that reads. The same statements give the same bytes.
//
// Whatever text it is given, what it writes is well formed: a literal is always
// between single double quotes with everything escaped that could end it, and an
// address is either one that RDF takes or none at all.
package rdf

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// An IRI names a node or a property. Address makes one of an address that somebody
// wrote; a constant of a vocabulary is one as it stands.
type IRI string

// A Literal is text in a language, or a value of a datatype. At most one of Lang
// and Type is set; with neither it is plain text.
type Literal struct {
	Value string
	Lang  string // BCP 47 tag, see Language
	Type  IRI
}

// A Term is what a statement says of its subject: an IRI or a Literal.
type Term interface{ turtle(*Graph) string }

// A Graph is a set of statements about nodes. The zero Graph is not usable; New
// makes one.
type Graph struct {
	prefixes map[string]string
	nodes    map[IRI]map[IRI]map[Term]bool
	order    []IRI
}

// New makes an empty graph. Names that begin with the value of a prefix are
// written short. A prefix must not be the scheme of an address.
func New(prefixes map[string]string) *Graph {
	return &Graph{prefixes: maps.Clone(prefixes), nodes: map[IRI]map[IRI]map[Term]bool{}}
}

// Type is the property that says what a node is.
const Type IRI = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

// Add states something. A statement that is there already, an empty name and an
// empty literal change nothing.
func (g *Graph) Add(subject, property IRI, objects ...Term) {
	for _, o := range objects {
		switch v := o.(type) {
		case IRI:
			if v == "" {
				continue
			}
		case Literal:
			if v.Value == "" {
				continue
			}
			v.Value = strings.ToValidUTF8(v.Value, string(utf8.RuneError))
			o = v
		}
		if subject == "" || property == "" {
			continue
		}
		node := g.nodes[subject]
		if node == nil {
			node = map[IRI]map[Term]bool{}
			g.nodes[subject] = node
			g.order = append(g.order, subject)
		}
		if node[property] == nil {
			node[property] = map[Term]bool{}
		}
		node[property][o] = true
	}
}

// Has reports whether anything is said of a node.
func (g *Graph) Has(subject IRI) bool { return g.nodes[subject] != nil }

// Len counts the statements.
func (g *Graph) Len() int {
	n := 0
	for _, node := range g.nodes {
		for _, objects := range node {
			n += len(objects)
		}
	}
	return n
}

// properties lists what is said of a node: what it is, then by name.
func (g *Graph) properties(subject IRI) []IRI {
	all := slices.Sorted(maps.Keys(g.nodes[subject]))
	if i := slices.Index(all, Type); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, Type)
	}
	return all
}

// objects lists the terms of a property in the order of their Turtle.
func (g *Graph) objects(subject, property IRI) []Term {
	all := slices.Collect(maps.Keys(g.nodes[subject][property]))
	slices.SortFunc(all, func(a, b Term) int { return strings.Compare(a.turtle(g), b.turtle(g)) })
	return all
}

// local is what may stand behind a prefix without an escape, in Turtle and as a
// compact IRI of JSON-LD.
var local = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// short writes a name with a prefix where there is one.
func (g *Graph) short(name IRI) (string, bool) {
	best := ""
	for _, p := range slices.Sorted(maps.Keys(g.prefixes)) {
		rest, has := strings.CutPrefix(string(name), g.prefixes[p])
		if has && local.MatchString(rest) && (best == "" || len(g.prefixes[p]) > len(g.prefixes[best])) {
			best = p
		}
	}
	if best == "" {
		return "", false
	}
	return best + ":" + strings.TrimPrefix(string(name), g.prefixes[best]), true
}

// Address makes an IRI of a web address as somebody wrote it, with what no IRI
// holds as it is, such as a space or an angle bracket, put as a percent escape. It is "" for
// what is no absolute http or https address, or carries a password.
func Address(s string) IRI {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) {
		return ""
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '%' && !escape.MatchString(s[i:]):
			b.WriteString("%25")
		case r <= ' ', r >= 0x7f && r <= 0x9f, strings.ContainsRune("<>\"{}|\\^`", r), r == 0xa0, r >= 0x2000 && r <= 0x206f, r == 0xfeff, r >= 0xe000 && r <= 0xf8ff, r >= 0xfff0 && r <= 0xffff, r >= 0xe0000:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		default:
			b.WriteRune(r)
		}
	}
	u, err := url.Parse(b.String())
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !host.MatchString(u.Host) {
		return ""
	}
	// Brackets are for the host alone, and one "#" begins the fragment.
	head, tail, found := strings.Cut(b.String(), u.Host)
	if !found { // the host is written with escapes
		return ""
	}
	before, fragment, has := strings.Cut(tail, "#")
	tail = before
	if has {
		tail += "#" + strings.ReplaceAll(fragment, "#", "%23")
	}
	return IRI(head + u.Host + strings.NewReplacer("[", "%5B", "]", "%5D").Replace(tail))
}

var (
	escape = regexp.MustCompile(`^%[0-9A-Fa-f]{2}`)
	// A host by name, number or, in brackets, number of version 6, with its port.
	host = regexp.MustCompile(`^([\pL\pN.~_-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?$`)
	tag  = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
)

// Text is words in a language. A tag that is none is left off, and the words stand
// as plain text.
func Text(value, lang string) Literal {
	if !tag.MatchString(lang) {
		lang = ""
	}
	return Literal{Value: value, Lang: lang}
}
