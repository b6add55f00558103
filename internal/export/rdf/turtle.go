package rdf

import (
	"fmt"
	"strings"
)

// opening are the prefixes.
func (g *Graph) opening() string {
	var b strings.Builder
	for _, p := range g.prefixes {
		fmt.Fprintf(&b, "@prefix %s: <%s> .\n", p.name, p.begins)
	}
	return b.String()
}

// block is what is said of a node.
func (g *Graph) block(subject IRI) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s", subject.turtle(g))
	for i, said := range g.properties(subject) {
		if i > 0 {
			b.WriteString(" ;\n   ")
		}
		name := said.property.turtle(g)
		if said.property == Type {
			name = "a"
		}
		b.WriteString(" " + name)
		for j, o := range said.objects {
			if j > 0 {
				b.WriteString(",\n       ")
			}
			b.WriteString(" " + o.turtle(g))
		}
	}
	b.WriteString(" .\n")
	return b.String()
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
