package rdf

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Turtle writes the graph as RDF 1.1 Turtle, in UTF-8: its prefixes, then its
// nodes in the order they were first spoken of.
func (g *Graph) Turtle(w io.Writer) error {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(g.prefixes)) {
		fmt.Fprintf(&b, "@prefix %s: <%s> .\n", p, g.prefixes[p])
	}
	for _, subject := range g.order {
		fmt.Fprintf(&b, "\n%s", subject.turtle(g))
		for i, property := range g.properties(subject) {
			if i > 0 {
				b.WriteString(" ;\n   ")
			}
			name := property.turtle(g)
			if property == Type {
				name = "a"
			}
			b.WriteString(" " + name)
			for j, o := range g.objects(subject, property) {
				if j > 0 {
					b.WriteString(",\n       ")
				}
				b.WriteString(" " + o.turtle(g))
			}
		}
		b.WriteString(" .\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (i IRI) turtle(g *Graph) string {
	if s, ok := g.short(i); ok {
		return s
	}
	return "<" + string(i) + ">"
}

func (l Literal) turtle(g *Graph) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range l.Value {
		switch {
		case r == '"':
			b.WriteString(`\"`)
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ', r >= 0x7f && r <= 0x9f, r == 0x2028, r == 0x2029:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	switch {
	case l.Lang != "":
		b.WriteString("@" + l.Lang)
	case l.Type != "":
		b.WriteString("^^" + l.Type.turtle(g))
	}
	return b.String()
}
