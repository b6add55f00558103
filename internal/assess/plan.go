package assess

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const schemaFile = "assessment.schema.json"

// A Proposal is one assessment file that should be written or deleted.
type Proposal struct {
	Path   string      // relative to the registry folder
	Ref    entry.Ref   // of the entry; of the file's own place where the entry is gone
	Old    *Assessment // what stands now, or stood where the entry was before; nil for none
	New    *Assessment // nil for Delete
	Data   []byte      // what the file should hold; nil for Delete
	Delete bool        // the entry is gone, or no longer live
}

// Plan compares the assessments of a registry with what they should be, and
// proposes what differs, sorted by path. An assessment that was made from the
// same input and still passes the evidence check is left alone without being
// made again. An entry with errors in its file is not assessed, and what stands
// beside it stays.
func Plan(ctx context.Context, reg *registry.Registry) ([]Proposal, error) {
	return PlanWith(ctx, reg, nil)
}

// PlanWith is Plan with answers of a model, which take the place of those in the
// files; one that failed takes the place of none that stands. See Offered.
func PlanWith(ctx context.Context, reg *registry.Registry, answers map[entry.Ref]*Answer) ([]Proposal, error) {
	p := planner{reg: reg, engine: NewOffline(reg.Frameworks), derived: map[string]*registry.Doc{}, answers: answers,
		byRef: map[entry.Ref]*registry.Doc{}, renamed: map[entry.Ref][]entry.Ref{}}
	for _, d := range reg.Derived {
		p.derived[strings.TrimPrefix(d.Path, reg.Prefix+"/")] = d
		p.byRef[d.Ref] = d
	}
	for _, d := range reg.Docs {
		if d.Whole() && d.Entry.Status.Stage == entry.StageRenamed {
			to := entry.Ref{Kind: d.Kind.Name, ID: d.Entry.Status.MovedTo}
			p.renamed[to] = append(p.renamed[to], d.Ref)
		}
	}
	wanted := map[string]bool{}
	var todo []*registry.Doc
	for _, d := range reg.Docs {
		at := d.AssessmentPath(reg.Prefix)
		switch {
		case !d.Whole() || d.Broken || reg.Entry(d.Ref) != d:
			wanted[at] = true
		case d.Entry.Status.Live():
			wanted[at] = true
			todo = append(todo, d)
		}
	}
	made := make([]*Proposal, len(todo))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, d := range todo {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			made[i], err = p.propose(d)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("plan assessments: %w", err)
	}
	var all []Proposal
	for _, m := range made {
		if m != nil {
			all = append(all, *m)
		}
	}
	for at, d := range p.derived {
		if !wanted[at] {
			old, _ := decode(d)
			all = append(all, Proposal{Path: at, Ref: d.Ref, Old: old, Delete: true})
		}
	}
	slices.SortFunc(all, func(a, b Proposal) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

type planner struct {
	reg     *registry.Registry
	engine  *Offline
	derived map[string]*registry.Doc    // assessment files, by path in the registry folder
	byRef   map[entry.Ref]*registry.Doc // the same, by the entry that their place names
	renamed map[entry.Ref][]entry.Ref   // the ids that lead to an entry, one step
	answers map[entry.Ref]*Answer
}

// propose returns nil where the file is as it should be.
func (p *planner) propose(d *registry.Doc) (*Proposal, error) {
	at := d.AssessmentPath(p.reg.Prefix)
	existing := p.derived[at]
	var old *Assessment
	fits := false
	if existing != nil {
		old, _ = decode(existing) // one that cannot be read is made anew
		if old != nil && old.Entry == d.Ref.String() && !existing.Broken && old.Made.Key == p.engine.Key(d.Entry, p.reg.Settings) {
			_, dropped := p.engine.asker(p.reg.Settings).check(d.Entry, old)
			fits = len(dropped) == 0
		}
	}
	if existing == nil {
		old = p.inherited(d)
	}
	previous := old
	if answer := p.answers[d.Ref]; answer != nil && !(fits && answer.Failed != "") {
		// What stands of the old answer by now is better than that the new one failed.
		if answer.Failed == "" || old == nil || !p.stands(d.Entry, old.Model) {
			previous = with(old, answer)
			fits = fits && reflect.DeepEqual(old.Model, answer)
		}
	}
	if fits {
		return nil, nil
	}
	a, data, err := p.engine.Derive(p.reg, d, previous)
	if err != nil {
		return nil, err
	}
	if existing != nil && bytes.Equal(existing.Source.Bytes(), data) {
		return nil, nil
	}
	if old != nil && existing != nil && !existing.Broken && olderOffline(old) && claimsTheSame(old, a) {
		// A new version of the engine is no news where its answer is not.
		if _, dropped := p.engine.asker(p.reg.Settings).check(d.Entry, old); len(dropped) == 0 {
			return nil, nil
		}
	}
	return &Proposal{Path: at, Ref: d.Ref, Old: old, New: a, Data: data}, nil
}

// inherited is the assessment that an entry had under another path, or under an id
// that leads to it now: what people locked in it moves along. It is nil where there
// is none.
func (p *planner) inherited(d *registry.Doc) *Assessment {
	seen := map[entry.Ref]bool{}
	for refs := []entry.Ref{d.Ref}; len(refs) > 0; refs = refs[1:] {
		if ref := refs[0]; !seen[ref] {
			seen[ref] = true
			if at := p.byRef[ref]; at != nil && !at.Broken {
				if a, err := decode(at); err == nil && a.Entry == ref.String() {
					return a
				}
			}
			refs = append(refs, p.renamed[ref]...)
		}
	}
	return nil
}

// stands reports whether a model's answer holds for the entry as it is.
func (p *planner) stands(e *entry.Entry, answer *Answer) bool {
	if !answer.answers() {
		return false
	}
	kept, _ := p.engine.asker(p.reg.Settings).Check(e, answer)
	return kept != nil
}

// with is an assessment, or an empty one in place of nil, with a model's answer.
func with(a *Assessment, answer *Answer) *Assessment {
	var b Assessment
	if a != nil {
		b = *a
	}
	b.Model = answer
	return &b
}

// olderOffline reports whether another version of this engine made an assessment.
func olderOffline(a *Assessment) bool {
	name, _, _ := strings.Cut(EngineName, "/")
	return a.Made.Engine != EngineName && strings.HasPrefix(a.Made.Engine, name+"/")
}

// claimsTheSame reports whether two assessments of an entry give the same codes with
// the same strengths, and the same summary. Which words they quote may differ.
func claimsTheSame(a, b *Assessment) bool {
	return a.Entry == b.Entry && reflect.DeepEqual(a.Summary, b.Summary) && reflect.DeepEqual(a.Model, b.Model) && slices.Equal(a.Unknown, b.Unknown) &&
		slices.EqualFunc(a.Mappings, b.Mappings, func(x, y Mapping) bool {
			return x.Code == y.Code && x.Strength == y.Strength && x.Review == y.Review && slices.Equal(x.Engines, y.Engines)
		})
}

// Derive makes the assessment of an entry of a registry, and the bytes of its
// file. What stands in previous is kept only where a person locked it; nil is none.
func (o *Offline) Derive(reg *registry.Registry, d *registry.Doc, previous *Assessment) (*Assessment, []byte, error) {
	a := o.Assess(d.Entry, previous, reg.Settings)
	a.Entry = d.Ref.String()
	// A registry lies in a folder of its repository's root, beside schemas/.
	at := d.AssessmentPath(reg.Prefix)
	data, err := entry.Encode(a, entry.SchemaPath("registry/"+at, schemaFile))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	return a, data, nil
}

// Read decodes the assessments of a registry. One that cannot be used is a
// finding and is left out: nobody shows what nobody can read.
func Read(reg *registry.Registry) (map[entry.Ref]*Assessment, []diag.Diagnostic) {
	all := map[entry.Ref]*Assessment{}
	var found []diag.Diagnostic
	for _, d := range reg.Derived {
		if f := Findings(reg, d); f != nil {
			found = append(found, f...)
		} else if a, err := decode(d); err == nil && !d.Broken {
			all[d.Ref] = a
		}
	}
	return all, found
}

// DeriveWith is Derive with a model's answer in place of that of previous.
func (o *Offline) DeriveWith(reg *registry.Registry, d *registry.Doc, previous *Assessment, answer *Answer) (*Assessment, []byte, error) {
	return o.Derive(reg, d, with(previous, answer))
}

// Of decodes one assessment; nil for one that cannot be used.
func Of(reg *registry.Registry, d *registry.Doc) *Assessment {
	if d.Broken || Findings(reg, d) != nil {
		return nil
	}
	a, err := decode(d)
	if err != nil {
		return nil
	}
	return a
}

// Findings says why an assessment file cannot be used. It gives nil if it can, and
// where the findings of loading the file say it already.
func Findings(reg *registry.Registry, d *registry.Doc) []diag.Diagnostic {
	if d.Broken {
		return nil
	}
	pointer, message := "", ""
	a, err := decode(d)
	switch want := entryPath(reg, d.Ref); {
	case err != nil:
		message = err.Error()
	case a.Entry != d.Ref.String():
		pointer, message = "/entry", fmt.Sprintf("entry %q is not %q, which the file's place says", a.Entry, d.Ref)
	case want != "" && want != strings.TrimPrefix(d.Path, reg.Prefix+"/"):
		message = fmt.Sprintf("the file does not stand where the assessment of %s belongs, %q", d.Ref, want)
	default:
		return nil
	}
	n, _ := d.Source.Locate(pointer)
	return []diag.Diagnostic{{
		Path: d.Path, Start: n.Start(), End: n.End(), Pointer: pointer, Rule: "assessment-file", Severity: diag.Error,
		Message: message, Hint: "delete the file; the bot writes it again",
	}}
}

// entryPath is where the assessment of an entry belongs; "" without the entry.
func entryPath(reg *registry.Registry, ref entry.Ref) string {
	if d := reg.Place(ref); d != nil {
		return d.AssessmentPath(reg.Prefix)
	}
	return ""
}

// decode reads an assessment file as far as its shape allows.
func decode(d *registry.Doc) (*Assessment, error) {
	a := new(Assessment)
	if err := d.Source.Decode(a); err != nil {
		return nil, fmt.Errorf("the file does not have the shape of an assessment: %w", err)
	}
	if a.Schema != Schema {
		return nil, fmt.Errorf("schema %q of %q is not %q", a.Schema, path.Base(d.Path), Schema)
	}
	return a, nil
}
