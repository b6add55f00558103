package lint

import (
	"fmt"
	"strconv"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Pass is one rule's look at one entry.
type Pass struct {
	Registry *registry.Registry
	Doc      *registry.Doc
	Entry    *entry.Entry // never nil; a field that did not decode is zero
	AsOf     string       // see Options
	Rules    []*Rule      // the table of rules
	Strings  []String     // every text of the file, in its order

	rule    *Rule
	found   []*diag.Diagnostic
	guesses int // how many times a rule looked for what was meant
}

// maxGuesses is how many findings on one entry may search for what was meant,
// which takes time that grows with the registry.
const maxGuesses = 20

// near is the function near, while the entry has guesses left.
func (p *Pass) near(s string, known func() []string) []string {
	if p.guesses++; p.guesses > maxGuesses {
		return nil
	}
	return near(s, known())
}

// A RegistryPass is one rule's look at all entries.
type RegistryPass struct {
	Registry *registry.Registry
	AsOf     string
	Rules    []*Rule

	rule  *Rule
	wants func(path string) bool
	found []*diag.Diagnostic
}

// Wants reports whether findings on a file will be seen. A finding about two
// files goes to the one that is wanted.
func (p *RegistryPass) Wants(path string) bool { return p.wants(path) }

// Reportf adds a finding about the value that a pointer names, or about its
// nearest ancestor that is there. The caller may change the finding it gets.
func (p *Pass) Reportf(pointer, hint, format string, args ...any) *diag.Diagnostic {
	d := finding(p.rule, p.Doc.Source, pointer, hint, format, args...)
	p.found = append(p.found, d)
	return d
}

// ReportKeyf is Reportf about a key instead of its value.
func (p *Pass) ReportKeyf(pointer, hint, format string, args ...any) *diag.Diagnostic {
	d := p.Reportf(pointer, hint, format, args...)
	if key := p.Doc.Source.KeyAt(pointer); key != nil {
		d.Start, d.End = key.Start(), key.End()
	}
	return d
}

// ReportWithinf is Reportf about length bytes at an offset of the value's text.
func (p *Pass) ReportWithinf(pointer string, offset, length int, hint, format string, args ...any) *diag.Diagnostic {
	d := p.Reportf(pointer, hint, format, args...)
	n, exact := p.Doc.Source.Locate(pointer)
	if !exact || offset == 0 && length == len(n.Text) { // the whole value, its quotes included
		return d
	}
	start, ok := n.Within(offset)
	if !ok {
		return d
	}
	d.Start, d.End = start, start
	if last, ok := n.Within(offset + length - 1); ok && length > 0 {
		d.End = diag.Pos{Line: last.Line, Col: last.Col + 1}
	}
	return d
}

// Reportf adds a finding about a value of a file.
func (p *RegistryPass) Reportf(doc *registry.Doc, pointer, hint, format string, args ...any) *diag.Diagnostic {
	d := finding(p.rule, doc.Source, pointer, hint, format, args...)
	if p.wants(doc.Path) {
		p.found = append(p.found, d)
	}
	return d
}

func finding(rule *Rule, doc *source.Document, pointer, hint, format string, args ...any) *diag.Diagnostic {
	n, _ := doc.Locate(pointer)
	return &diag.Diagnostic{
		Path: doc.Path, Start: n.Start(), End: n.End(), Pointer: pointer,
		Rule: rule.ID, Severity: rule.Severity,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// A String is one text of a file.
type String struct {
	Pointer string
	Field   string // key that it is the value of, or that holds the list it stands in
	InList  bool
	Text    string
}

// stringsOf lists the texts of a file in order.
func stringsOf(doc *source.Document) []String {
	var out []String
	var walk func(n *source.Node, pointer, field string, inList bool)
	walk = func(n *source.Node, pointer, field string, inList bool) {
		switch n.Kind {
		case source.Map:
			for _, f := range n.Fields {
				walk(f.Value, pointer+source.Pointer(f.Key.Text), f.Key.Text, false)
			}
		case source.List:
			for i, it := range n.Items {
				walk(it, item(pointer, i), field, true)
			}
		case source.String:
			out = append(out, String{pointer, field, inList, n.Text})
		}
	}
	walk(doc.Root, "", "", false)
	return out
}

// item is the pointer of a list's item.
func item(list string, i int, rest ...string) string {
	return list + "/" + strconv.Itoa(i) + source.Pointer(rest...)
}
