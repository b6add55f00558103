package rdf

import (
	"bytes"
	"encoding/json"
)

// context is what a document begins with, as far as its first node.
func (g *Graph) context() ([]byte, error) {
	prefixes := map[string]string{}
	for _, p := range g.prefixes {
		prefixes[p.name] = p.begins
	}
	data, err := indented("  ", prefixes)
	return append([]byte("{\n  \"@context\": "), append(data, ",\n  \"@graph\": ["...)...), err
}

// object is what is said of a node.
func (g *Graph) object(subject IRI) ([]byte, error) {
	node := map[string]any{"@id": string(subject)}
	for _, said := range g.properties(subject) {
		var values []any
		for _, o := range said.objects {
			switch v := o.(type) {
			case IRI:
				if said.property == Type {
					values = append(values, g.compact(v))
				} else {
					values = append(values, map[string]string{"@id": string(v)})
				}
			case Literal:
				values = append(values, g.value(v))
			}
		}
		name := g.compact(said.property)
		if said.property == Type {
			name = "@type"
		}
		node[name] = values
	}
	return indented("    ", node)
}

// indented is a value within a document, without a line's end.
func indented(prefix string, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (g *Graph) compact(name IRI) string {
	if s, ok := g.short(name); ok {
		return s
	}
	return string(name)
}

func (g *Graph) value(l Literal) map[string]string {
	v := map[string]string{"@value": l.Value}
	switch {
	case l.Lang != "":
		v["@language"] = l.Lang
	case l.Type != "":
		v["@type"] = g.compact(l.Type)
	}
	return v
}
