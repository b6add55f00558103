package lint

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/internal/typo"
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
	edits   edits
}

// edits tells whether anybody will see the edits of findings.
type edits bool

// of computes the edits of a finding, where somebody will.
func (wanted edits) of(compute func() []diag.Edit) []diag.Edit {
	if !wanted {
		return nil
	}
	return compute()
}

// maxGuesses is how many findings on one entry may search for what was meant,
// which takes time that grows with the registry.
const maxGuesses = 20

// near is the function near, while the entry has guesses left.
func (p *Pass) near(s string, known func() []string) []string {
	if p.guesses++; p.guesses > maxGuesses {
		return nil
	}
	return typo.Near(s, known())
}

// misread reports whether a value is there that is not of the sort its field holds,
// so that the Entry lacks it. The schema says so of it: it is not missing. Of a
// text, want is String.
func (p *Pass) misread(pointer string, want source.Kind) bool {
	if !p.Doc.Partial {
		return false
	}
	n, exact := p.Doc.Source.Locate(pointer)
	composed := func(k source.Kind) bool { return k == source.List || k == source.Map }
	return exact && n.Kind != want && (composed(n.Kind) || composed(want))
}

// A RegistryPass is one rule's look at all entries. It sees their records: the
// entries themselves may be gone.
type RegistryPass struct {
	Registry *registry.Registry
	AsOf     string
	Rules    []*Rule

	rule    *Rule
	wants   func(path string) bool
	isNew   func(path string) bool // nil where nobody knows
	found   []*acrossFinding
	guesses map[*registry.Doc]int
	edits   edits
}

// acrossFinding is a finding whose places are looked up when all are known: most
// files have none, and those that have are read once more.
type acrossFinding struct {
	*diag.Diagnostic
	doc     *registry.Doc
	related *place
}

type place struct {
	doc              *registry.Doc
	pointer, message string
}

// Wants reports whether findings on a file will be seen. A finding about two
// files goes to the one that is wanted.
func (p *RegistryPass) Wants(path string) bool { return p.wants(path) }

// Reportf adds a finding about a value of a file. The caller may change the
// finding it gets, but for its place.
func (p *RegistryPass) Reportf(doc *registry.Doc, pointer, hint, format string, args ...any) *diag.Diagnostic {
	return p.report(doc, pointer, hint, fmt.Sprintf(format, args...)).Diagnostic
}

func (p *RegistryPass) report(doc *registry.Doc, pointer, hint, message string) *acrossFinding {
	f := &acrossFinding{doc: doc, Diagnostic: &diag.Diagnostic{
		Path: doc.Path, Pointer: pointer, Rule: p.rule.ID, Severity: p.rule.Severity, Message: message, Hint: hint,
	}}
	if doc.Source != nil {
		n, _ := doc.Source.Locate(pointer)
		f.Start, f.End = n.Start(), n.End()
	}
	if p.wants(doc.Path) {
		p.found = append(p.found, f)
	}
	return f
}

// near is the function near, while the entry has guesses left.
func (p *RegistryPass) near(d *registry.Doc, s string, known func() []string) []string {
	if p.guesses[d]++; p.guesses[d] > maxGuesses {
		return nil
	}
	return typo.Near(s, known())
}

// locate gives each finding its places.
func (p *RegistryPass) locate(ctx context.Context, jobs int) error {
	wanted := map[*registry.Doc][]func(*source.Document){}
	for _, f := range p.found {
		if f.Start == (diag.Pos{}) {
			wanted[f.doc] = append(wanted[f.doc], func(doc *source.Document) {
				n, _ := doc.Locate(f.Pointer)
				f.Start, f.End = n.Start(), n.End()
			})
		}
		if r := f.related; r != nil {
			f.Related = []diag.Related{{Path: r.doc.Path, Message: r.message}}
			wanted[r.doc] = append(wanted[r.doc], func(doc *source.Document) {
				n, _ := doc.Locate(r.pointer)
				f.Related[0].Start = n.Start()
			})
		}
	}
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for d, set := range wanted { // each writes to places of its own
		g.Go(func() error {
			doc, err := p.Registry.Reopen(d)
			if err != nil {
				return err
			}
			for _, f := range set {
				f(doc)
			}
			return running.Err()
		})
	}
	return g.Wait()
}

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
	out := make([]String, 0, 64)
	var walk func(n *source.Node, pointer, field string, inList bool)
	walk = func(n *source.Node, pointer, field string, inList bool) {
		switch n.Kind {
		case source.Map:
			for _, f := range n.Fields {
				key := f.Key.Text
				at := pointer + "/" + key
				if strings.ContainsAny(key, "~/") {
					at = pointer + source.Pointer(key)
				}
				walk(f.Value, at, key, false)
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
	if len(rest) == 0 {
		return list + "/" + strconv.Itoa(i)
	}
	return list + "/" + strconv.Itoa(i) + source.Pointer(rest...)
}
