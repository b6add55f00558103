package rdf

import (
	"encoding/json"
	"io"
)

// JSONLD writes the graph as JSON-LD 1.1 whose context stands inside, so that a
// reader fetches nothing: one object a node, in the order they were first spoken of.
func (g *Graph) JSONLD(w io.Writer) error {
	nodes := make([]map[string]any, 0, len(g.order))
	for _, subject := range g.order {
		node := map[string]any{"@id": string(subject)}
		for _, property := range g.properties(subject) {
			var values []any
			for _, o := range g.objects(subject, property) {
				switch v := o.(type) {
				case IRI:
					if property == Type {
						values = append(values, g.compact(v))
					} else {
						values = append(values, map[string]string{"@id": string(v)})
					}
				case Literal:
					values = append(values, g.value(v))
				}
			}
			name := g.compact(property)
			if property == Type {
				name = "@type"
			}
			node[name] = values
		}
		nodes = append(nodes, node)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Context map[string]string `json:"@context"`
		Graph   []map[string]any  `json:"@graph"`
	}{g.prefixes, nodes})
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
