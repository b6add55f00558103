package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/source"
	builtin "github.com/dpg-registry/dpg-registry/registry"
)

type loader struct {
	opt Options
	reg *Registry
	own ownRules
}

// ownRules are the files by which a tree governs itself.
type ownRules struct {
	settings   *policy.Settings
	policy     *policy.Policy
	frameworks []*framework.Framework
	crosswalks []*framework.Crosswalk
}

// A task is one file to read with what is to be made of it.
type task struct {
	blob   Blob
	doc    *Doc
	schema string
	decode func(*source.Document) error // nil where nothing is decoded
	found  []diag.Diagnostic
}

// load reads the rules first, since they apply to what comes next, and knows
// where all entries stand before it reads the first: one refers to another.
func (l *loader) load(ctx context.Context) error {
	blobs, err := l.reg.files.List()
	if err != nil {
		return err
	}
	slices.SortFunc(blobs, func(a, b Blob) int { return strings.Compare(a.Path, b.Path) })
	rules, observations, files := l.sort(blobs)
	observations, unread := unknown(observations, l.opt.Known), unknown(files, l.opt.Known)
	l.prepare(append(slices.Clone(observations), unread...))
	if err := l.read(ctx, rules, l.readOne); err != nil {
		return err
	}
	if err := l.govern(); err != nil {
		return err
	}
	if err := l.readObservations(ctx, observations); err != nil {
		return err
	}
	for _, t := range files {
		if !t.doc.Derived {
			l.reg.Docs = append(l.reg.Docs, t.doc)
			if _, taken := l.reg.byRef[t.doc.Ref]; !taken {
				l.reg.byRef[t.doc.Ref] = t.doc
			}
		}
	}
	// What was derived of entries comes before them: who is called for each of these
	// can have seen all of that.
	derived, entries := split(unread)
	if err := l.read(ctx, derived, l.readEntry); err != nil {
		return err
	}
	if err := l.read(ctx, entries, l.readEntry); err != nil {
		return err
	}
	for _, t := range rules {
		if !l.collect(t) && l.reg.PolicyDoc == t.doc {
			l.reg.PolicyDoc = nil
		}
	}
	for _, t := range observations {
		l.collect(t)
	}
	l.reg.Docs = l.reg.Docs[:0]
	for _, t := range files {
		switch read := l.collect(t); {
		case !read && l.reg.byRef[t.doc.Ref] == t.doc:
			delete(l.reg.byRef, t.doc.Ref)
		case !read:
		case t.doc.Derived:
			l.reg.Derived = append(l.reg.Derived, t.doc)
		default:
			l.reg.Docs = append(l.reg.Docs, t.doc)
		}
	}
	l.reg.Findings = diag.Sort(l.reg.Findings)
	return nil
}

// unknown leaves out the files that need not be read, and notes what is known of
// them.
func unknown(tasks []*task, known func(Blob) (*Record, bool)) []*task {
	if known == nil {
		return tasks
	}
	return slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool {
		if t.blob.Hash == "" || !t.blob.Mode.IsRegular() {
			return false
		}
		record, ok := known(t.blob)
		if ok {
			t.doc.Record, t.doc.Hash = record, t.blob.Hash
		}
		return ok
	})
}

func split(tasks []*task) (derived, entries []*task) {
	for _, t := range tasks {
		if t.doc.Derived {
			derived = append(derived, t)
		} else {
			entries = append(entries, t)
		}
	}
	return derived, entries
}

// prepare has the schemas of these files compiled meanwhile.
func (l *loader) prepare(files []*task) {
	var last string // files of a kind stand side by side
	for _, t := range files {
		if t.schema != last {
			last = t.schema
			go l.opt.Schemas.Prepare(last)
		}
	}
}

// collect takes over what came of a file, and reports whether it was read.
func (l *loader) collect(t *task) (read bool) {
	l.reg.Findings = append(l.reg.Findings, t.found...)
	if t.doc.Hash == "" {
		return false
	}
	l.reg.Files++
	l.reg.blobs[t.blob.Path] = t.doc.Hash
	return true
}

// sort tells the files apart by their place.
func (l *loader) sort(blobs []Blob) (rules, observations, files []*task) {
	for _, b := range blobs {
		if ignored(b.Path) {
			continue
		}
		t := &task{blob: b, doc: &Doc{Path: path.Join(l.opt.Prefix, b.Path)}}
		top, rest, nested := strings.Cut(b.Path, "/")
		switch {
		case b.Path == settingsFile:
			l.own.settings = new(policy.Settings)
			t.schema, t.decode = "registry.schema.json", func(d *source.Document) error { return d.Decode(l.own.settings) }
			rules = append(rules, t)
		case b.Path == policyFile:
			l.own.policy, l.reg.PolicyDoc = new(policy.Policy), t.doc
			t.schema, t.decode = "policy.schema.json", func(d *source.Document) error { return d.Decode(l.own.policy) }
			rules = append(rules, t)
		case !nested:
			// README.md and the like
		case strings.HasPrefix(b.Path, crosswalkFolder+"/"):
			w := new(framework.Crosswalk)
			l.own.crosswalks = append(l.own.crosswalks, w)
			t.schema, t.decode = "crosswalk.schema.json", func(d *source.Document) error { return d.Decode(w) }
			rules = append(rules, t)
		case top == frameworkFolder:
			f := new(framework.Framework)
			l.own.frameworks = append(l.own.frameworks, f)
			t.schema, t.decode = "framework.schema.json", func(d *source.Document) error { return d.Decode(f) }
			rules = append(rules, t)
		case top == ObservationFolder:
			t.schema, t.doc.Derived = observationFile, true
			l.place(t.doc, rest)
			observations = append(observations, t)
		case top == AssessmentFolder:
			t.schema, t.doc.Derived = "assessment.schema.json", true
			l.place(t.doc, rest)
			files = append(files, t)
		default:
			l.place(t.doc, b.Path)
			if t.doc.Kind.Name == "" {
				t.report("file-place", "no kind of entry lives in folder %q", "the folders are "+l.folders(), top)
				l.reg.Findings = append(l.reg.Findings, t.found...)
				continue
			}
			t.schema, t.decode = t.doc.Kind.Schema, t.doc.decode
			files = append(files, t)
		}
	}
	return rules, observations, files
}

// place finds the kind and the reference that a path stands for.
func (l *loader) place(d *Doc, name string) {
	top, rest, _ := strings.Cut(name, "/")
	for _, k := range l.opt.Kinds {
		if k.Folder == top && rest != "" {
			d.Kind = k
			d.Ref = entry.Ref{Kind: k.Name, ID: entry.FileID(name)}
		}
	}
}

func (l *loader) folders() string {
	var names []string
	for _, k := range l.opt.Kinds {
		names = append(names, k.Folder)
	}
	return strings.Join(append(names, AssessmentFolder, frameworkFolder, ObservationFolder), ", ")
}

func (l *loader) read(ctx context.Context, tasks []*task, one func(*task) error) error {
	g, running := errgroup.WithContext(ctx) // done once Wait returns
	// A few goroutines that stay, since a deep call's stack has to grow only once.
	var next atomic.Int64
	for range min(l.opt.Jobs, len(tasks)) {
		g.Go(func() error {
			for running.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(tasks) {
					break
				}
				if err := one(tasks[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// readObservations reads what was seen outside, and keeps of it what rules ask for.
func (l *loader) readObservations(ctx context.Context, tasks []*task) error {
	seen := make(map[*task]*Observation, len(tasks))
	for _, t := range tasks {
		o := new(Observation)
		seen[t], t.decode = o, func(d *source.Document) error { return d.Decode(o) }
	}
	if err := l.read(ctx, tasks, l.readOne); err != nil {
		return err
	}
	l.observe(tasks, seen)
	if l.opt.Each != nil {
		for _, t := range tasks {
			t.doc.Source = nil
		}
	}
	return nil
}

// readEntry is readOne, with Options.Each.
func (l *loader) readEntry(t *task) error {
	if err := l.readOne(t); err != nil || l.opt.Each == nil {
		return err
	}
	if t.doc.Source != nil {
		l.opt.Each(l.reg, t.doc)
	}
	t.doc.Source, t.doc.Entry = nil, nil
	return nil
}

func (l *loader) readOne(t *task) error {
	name := path.Base(t.blob.Path)
	switch {
	case t.blob.Mode&fs.ModeSymlink != 0:
		t.report(notPlain, "%q is a symbolic link", "put the file itself here", name)
		return nil
	case !t.blob.Mode.IsRegular():
		t.report(notPlain, "%q is not a plain file", "put a plain file here", name)
		return nil
	case name == "README.md":
		return nil
	case path.Ext(name) != ".yaml":
		t.report("file-name", "%q does not end in .yaml, so nobody reads it", "rename the file, or move it out of the registry", name)
		return nil
	}
	data, err := l.reg.files.Read(t.blob.Path)
	if err != nil {
		return err
	}
	if t.doc.Hash = t.blob.Hash; t.doc.Hash == "" {
		t.doc.Hash = blobHash(data)
	}
	defer func() { t.doc.Broken = len(t.found) > 0 }()
	doc, found := source.Parse(t.doc.Path, data)
	t.doc.Source, t.found = doc, found
	if len(found) > 0 {
		return nil // one cause, one finding: the schema would only echo it
	}
	t.found = l.opt.Schemas.Validate(t.schema, doc)
	if t.decode == nil {
		return nil
	}
	if err := t.decode(doc); err != nil && len(t.found) == 0 {
		t.report("schema", "the file does not have the shape of its kind: %s", "", err.Error())
	}
	return nil
}

// decode reads the entry in a file and records what others may look at.
func (d *Doc) decode(doc *source.Document) error {
	e := new(entry.Entry)
	err := doc.Decode(e)
	var wrong *yaml.TypeError // all else was read
	if err != nil && (!errors.As(err, &wrong) || doc.Root.Kind != source.Map) {
		return err
	}
	d.Entry, d.Partial = e, err != nil
	d.Record = &Record{
		Name: e.Name, Aliases: e.Aliases, About: e.About,
		Stage: e.Status.Stage, MovedTo: e.Status.MovedTo, Waivers: e.Waivers,
	}
	for _, r := range e.Repositories {
		d.Record.Repositories = append(d.Record.Repositories, r.URL)
	}
	return err
}

func (t *task) report(rule, format, hint string, args ...any) {
	t.found = append(t.found, diag.Diagnostic{
		Path: t.doc.Path, Rule: rule, Severity: diag.Error,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// govern settles which settings, policy and frameworks apply: those of
// Options.Rules, else the registry's own where it has them, else what is built in.
func (l *loader) govern() error {
	if r := l.opt.Rules; r != nil {
		l.reg.Settings, l.reg.Policy, l.reg.Frameworks, l.reg.Kinds = r.Settings, r.Policy, r.Frameworks, r.Kinds
		l.reg.Crosswalks = r.Crosswalks
		return nil
	}
	b, err := builtinRules()
	if err != nil {
		return err
	}
	s, p := l.own.settings, l.own.policy
	if s == nil {
		s = &policy.Settings{Name: "Registry", Languages: []string{"en"}, License: "CC0-1.0"}
	}
	if p == nil {
		p = b.policy
	}
	set := framework.Set{}
	for _, f := range append(slices.Clone(b.frameworks), l.own.frameworks...) {
		if f.ID != "" && (len(s.Frameworks) == 0 || slices.Contains(s.Frameworks, f.ID)) {
			set[f.ID] = f
		}
	}
	if len(s.Kinds) > 0 {
		l.reg.Kinds = slices.DeleteFunc(slices.Clone(l.reg.Kinds), func(k entry.Kind) bool {
			return !slices.Contains(s.Kinds, k.Name)
		})
	}
	l.reg.Settings, l.reg.Policy, l.reg.Frameworks = s, p, set
	l.reg.Crosswalks = crosswalks(append(slices.Clone(b.crosswalks), l.own.crosswalks...), set)
	return nil
}

// crosswalks are those that have something to say of the frameworks in use, by id.
// Of one id, the registry's own stands for the one that is built in.
func crosswalks(all []*framework.Crosswalk, set framework.Set) []*framework.Crosswalk {
	by := map[string]*framework.Crosswalk{}
	for _, w := range all {
		if w.ID != "" {
			by[w.ID] = w.Within(set)
		}
	}
	var used []*framework.Crosswalk
	for _, id := range slices.Sorted(maps.Keys(by)) {
		if by[id] != nil {
			used = append(used, by[id])
		}
	}
	return used
}

// builtinRules decodes what is built in, once a process. Nobody changes it.
var builtinRules = sync.OnceValues(func() (ownRules, error) {
	var b ownRules
	b.policy = new(policy.Policy)
	if err := decodeBuiltin(policyFile, b.policy); err != nil {
		return b, err
	}
	names, err := fs.Glob(builtin.FS, frameworkFolder+"/*.yaml")
	if err != nil {
		return b, err
	}
	for _, name := range names {
		f := new(framework.Framework)
		if err := decodeBuiltin(name, f); err != nil {
			return b, err
		}
		b.frameworks = append(b.frameworks, f)
	}
	if names, err = fs.Glob(builtin.FS, crosswalkFolder+"/*.yaml"); err != nil {
		return b, err
	}
	for _, name := range names {
		w := new(framework.Crosswalk)
		if err := decodeBuiltin(name, w); err != nil {
			return b, err
		}
		b.crosswalks = append(b.crosswalks, w)
	}
	return b, nil
})

func decodeBuiltin(name string, v any) error {
	data, err := fs.ReadFile(builtin.FS, name)
	if err != nil {
		return err
	}
	doc, found := source.Parse("builtin/"+name, data)
	if len(found) > 0 {
		return fmt.Errorf("built-in %s: %s", name, found[0].Message)
	}
	return doc.Decode(v)
}
