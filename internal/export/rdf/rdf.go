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
	prefixes []prefix // by name
	nodes    map[IRI]*node
	order    []IRI // some of which may be gone
}

type prefix struct{ name, begins string }

// A node is what is said of one. Most have few statements, and all of these are
// of a graph that may be large.
type node struct {
	said []statement
	has  map[statement]bool // of what is said, once that is much
}

type statement struct {
	property IRI
	object   Term
}

// few statements are looked through faster than looked up.
const few = 16

func (n *node) add(s statement) {
	switch {
	case n.has != nil:
		if n.has[s] {
			return
		}
		n.has[s] = true
	case slices.Contains(n.said, s):
		return
	case len(n.said) == few:
		n.has = map[statement]bool{s: true}
		for _, old := range n.said {
			n.has[old] = true
		}
	}
	n.said = append(n.said, s)
}

// New makes an empty graph. Names that begin with the value of a prefix are
// written short. A prefix must not be the scheme of an address.
func New(prefixes map[string]string) *Graph {
	g := &Graph{nodes: map[IRI]*node{}}
	for _, name := range slices.Sorted(maps.Keys(prefixes)) {
		g.prefixes = append(g.prefixes, prefix{name, prefixes[name]})
	}
	return g
}

// Empty makes an empty graph with the same prefixes.
func (g *Graph) Empty() *Graph { return &Graph{prefixes: g.prefixes, nodes: map[IRI]*node{}} }

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
		g.node(subject).add(statement{property, o})
	}
}

// node is what is said of a subject, which is spoken of from now on.
func (g *Graph) node(subject IRI) *node {
	n := g.nodes[subject]
	if n == nil {
		n = &node{}
		g.nodes[subject] = n
		g.order = append(g.order, subject)
	}
	return n
}

// Take states of a node what another graph says of it.
func (g *Graph) Take(from *Graph, subject IRI) {
	if n := from.nodes[subject]; n != nil {
		to := g.node(subject)
		for _, s := range n.said {
			to.add(s)
		}
	}
}

// Drop takes back all that is said of a node.
func (g *Graph) Drop(subject IRI) { delete(g.nodes, subject) }

// Subjects are the nodes in the order they were first spoken of.
func (g *Graph) Subjects() []IRI {
	all := make([]IRI, 0, len(g.nodes))
	for _, subject := range g.order {
		if g.Has(subject) {
			all = append(all, subject)
		}
	}
	return all
}

// Has reports whether anything is said of a node.
func (g *Graph) Has(subject IRI) bool { return g.nodes[subject] != nil }

// Len counts the statements.
func (g *Graph) Len() int {
	n := 0
	for _, node := range g.nodes {
		n += len(node.said)
	}
	return n
}

// A said is a property of a node with its objects.
type said struct {
	property IRI
	objects  []Term
}

// properties lists what is said of a node: what it is, then by name. The objects
// are in the order of their Turtle.
func (g *Graph) properties(subject IRI) []said {
	by := map[IRI][]Term{}
	for _, s := range g.nodes[subject].said {
		by[s.property] = append(by[s.property], s.object)
	}
	all := make([]said, 0, len(by))
	for _, p := range slices.Sorted(maps.Keys(by)) {
		all = append(all, said{p, g.sorted(by[p])})
	}
	if i := slices.IndexFunc(all, func(s said) bool { return s.property == Type }); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, said{Type, g.sorted(by[Type])})
	}
	return all
}

func (g *Graph) sorted(terms []Term) []Term {
	if len(terms) < 2 {
		return terms
	}
	type written struct {
		term   Term
		turtle string
	}
	all := make([]written, len(terms))
	for i, t := range terms {
		all[i] = written{t, t.turtle(g)}
	}
	slices.SortFunc(all, func(a, b written) int { return strings.Compare(a.turtle, b.turtle) })
	for i, w := range all {
		terms[i] = w.term
	}
	return terms
}

// local is what may stand behind a prefix without an escape, in Turtle and as a
// compact IRI of JSON-LD.
var local = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// short writes a name with a prefix where there is one.
func (g *Graph) short(name IRI) (string, bool) {
	var best prefix
	for _, p := range g.prefixes {
		rest, has := strings.CutPrefix(string(name), p.begins)
		if has && len(p.begins) > len(best.begins) && local.MatchString(rest) {
			best = p
		}
	}
	if best.begins == "" {
		return "", false
	}
	return best.name + ":" + strings.TrimPrefix(string(name), best.begins), true
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
