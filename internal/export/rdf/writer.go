package rdf

import "io"

// A Syntax is a form in which statements are written.
type Syntax string

// The syntaxes: RDF 1.1 Turtle, in UTF-8, and JSON-LD 1.1 with one object a node,
// whose context stands inside so that a reader fetches nothing.
const (
	Turtle Syntax = "turtle"
	JSONLD Syntax = "json-ld"
)

// A Writer writes nodes one at a time, so that no graph need be whole in memory. The
// zero Writer is not usable; NewWriter makes one.
type Writer struct {
	w      io.Writer
	syntax Syntax
	begun  bool
	err    error
}

// NewWriter begins a document. All graphs that it is given have the prefixes of g.
func NewWriter(w io.Writer, syntax Syntax, g *Graph) *Writer {
	out := &Writer{w: w, syntax: syntax}
	if syntax == Turtle {
		out.write([]byte(g.opening()), nil)
	} else {
		out.write(g.context())
	}
	return out
}

func (w *Writer) write(data []byte, err error) {
	if w.err == nil {
		w.err = err
	}
	if w.err == nil {
		_, w.err = w.w.Write(data)
	}
}

// Node writes what a graph says of a node, if it says anything. A node is to be
// written once. The first error stays, and Close returns it.
func (w *Writer) Node(g *Graph, subject IRI) {
	if !g.Has(subject) {
		return
	}
	if w.syntax == Turtle {
		w.write([]byte(g.block(subject)), nil)
		return
	}
	separator := "\n    "
	if w.begun {
		separator = ",\n    "
	}
	w.begun = true
	w.write([]byte(separator), nil)
	w.write(g.object(subject))
}

// Close ends the document.
func (w *Writer) Close() error {
	if w.syntax == JSONLD {
		end := "]\n}\n"
		if w.begun {
			end = "\n  ]\n}\n"
		}
		w.write([]byte(end), nil)
	}
	return w.err
}

// Write writes the whole graph, its nodes in the order they were first spoken of.
func (g *Graph) Write(w io.Writer, syntax Syntax) error {
	out := NewWriter(w, syntax, g)
	for _, subject := range g.Subjects() {
		out.Node(g, subject)
	}
	return out.Close()
}
