// Package registry loads a tree of entries with the settings, policy and
// frameworks that apply to it, from a folder or from a Git commit. It says what
// could not be read; whether what was read is right is for package lint.
package registry

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
	builtin "github.com/dpg-registry/dpg-registry/registry"
)

// A Registry is a loaded tree.
type Registry struct {
	Prefix     string // folder of the tree, as it stands in paths of findings
	Settings   *policy.Settings
	Policy     *policy.Policy
	Frameworks framework.Set
	Kinds      []entry.Kind // the kinds in use here
	Docs       []*Doc       // entries, sorted by path
	PolicyDoc  *Doc         // this tree's own policy.yaml, whatever policy applies; nil where it has none
	Derived    []*Doc       // assessments and other bot-owned files, sorted by path
	Findings   []diag.Diagnostic
	Files      int // how many files were read

	byRef map[entry.Ref]*Doc
	blobs map[string]string // path to Git blob id, of every file read
}

// A Doc is one file that was read.
type Doc struct {
	Path   string // with Prefix
	Kind   entry.Kind
	Ref    entry.Ref        // by the file's place and name, whatever the file says
	Entry  *entry.Entry     // nil for Derived, and where the file has no readable entry
	Source *source.Document // never nil
	Hash   string           // Git blob id
}

// Options say how to load. The zero value loads with what is built in.
type Options struct {
	Prefix  string       // put before paths in findings; "" is "registry"
	Kinds   []entry.Kind // nil is entry.Kinds
	Schemas *schema.Set  // nil is schema.Builtin
	Jobs    int          // files parsed at a time; 0 is one a processor
	// Rules, when set, is the registry whose settings, policy and frameworks apply
	// instead of the tree's own: a pull request is judged by its base.
	Rules *Registry
}

// The file names and folders that are not entries.
const (
	settingsFile    = "registry.yaml"
	policyFile      = "policy.yaml"
	frameworkFolder = "frameworks"
	// AssessmentFolder holds the bot's assessments, in a sub-folder per kind.
	AssessmentFolder = "assessments"
	observedFolder   = "observations"
)

// Load reads a tree. An error means that the tree could not be read at all;
// what is wrong with single files is in Findings.
func Load(ctx context.Context, files Files, opt Options) (*Registry, error) {
	if opt.Prefix == "" {
		opt.Prefix = "registry"
	}
	if opt.Kinds == nil {
		opt.Kinds = entry.Kinds
	}
	if opt.Schemas == nil {
		set, err := schema.Builtin()
		if err != nil {
			return nil, err
		}
		opt.Schemas = set
	}
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	l := &loader{files: files, opt: opt, reg: &Registry{
		Prefix: opt.Prefix, Kinds: opt.Kinds,
		byRef: map[entry.Ref]*Doc{}, blobs: map[string]string{},
	}}
	if err := l.load(ctx); err != nil {
		return nil, fmt.Errorf("load registry %s: %w", opt.Prefix, err)
	}
	return l.reg, nil
}

type loader struct {
	files Files
	opt   Options
	reg   *Registry
}

// A task is one file to read with what is to be made of it.
type task struct {
	blob    Blob
	schema  string
	doc     *Doc
	decode  func(*source.Document) error // nil where nothing is decoded
	found   []diag.Diagnostic
	derived bool
}

func (l *loader) load(ctx context.Context) error {
	blobs, err := l.files.List()
	if err != nil {
		return err
	}
	slices.SortFunc(blobs, func(a, b Blob) int { return strings.Compare(a.Path, b.Path) })
	var (
		tasks      []*task
		settings   policy.Settings
		rules      policy.Policy
		frameworks []*framework.Framework
		own        = map[string]bool{} // settings and policy files that exist
	)
	for _, b := range blobs {
		if ignored(b.Path) {
			continue
		}
		t := &task{blob: b, doc: &Doc{Path: path.Join(l.opt.Prefix, b.Path), Hash: b.Hash}}
		top, rest, nested := strings.Cut(b.Path, "/")
		switch {
		case b.Path == settingsFile:
			own[settingsFile] = true
			t.schema, t.decode = "registry.schema.json", func(d *source.Document) error { return d.Decode(&settings) }
		case b.Path == policyFile:
			own[policyFile] = true
			t.schema, t.decode = "policy.schema.json", func(d *source.Document) error { return d.Decode(&rules) }
		case !nested:
			continue // README.md and the like
		case top == frameworkFolder:
			f := new(framework.Framework)
			frameworks = append(frameworks, f)
			t.schema, t.decode = "framework.schema.json", func(d *source.Document) error { return d.Decode(f) }
		case top == AssessmentFolder:
			t.schema, t.derived = "assessment.schema.json", true
			l.place(t, rest)
		case top == observedFolder:
			continue
		default:
			l.place(t, b.Path)
			if t.doc.Kind.Name == "" {
				t.report("file-place", "no kind of entry lives in folder %q", "the folders are "+l.folders(), top)
				l.reg.Findings = append(l.reg.Findings, t.found...)
				continue
			}
			t.schema = t.doc.Kind.Schema
			t.decode = func(d *source.Document) error {
				e := new(entry.Entry)
				if err := d.Decode(e); err != nil {
					return err
				}
				t.doc.Entry = e
				return nil
			}
		}
		tasks = append(tasks, t)
	}
	if err := l.read(ctx, tasks); err != nil {
		return err
	}
	for _, t := range tasks {
		l.reg.Findings = append(l.reg.Findings, t.found...)
		if t.doc.Source == nil {
			continue
		}
		l.reg.Files++
		l.reg.blobs[t.blob.Path] = t.doc.Hash
		switch {
		case t.blob.Path == policyFile:
			l.reg.PolicyDoc = t.doc
		case t.derived:
			l.reg.Derived = append(l.reg.Derived, t.doc)
		case t.doc.Kind.Name != "":
			l.reg.Docs = append(l.reg.Docs, t.doc)
			if _, taken := l.reg.byRef[t.doc.Ref]; !taken {
				l.reg.byRef[t.doc.Ref] = t.doc
			}
		}
	}
	l.reg.Findings = diag.Sort(l.reg.Findings)
	if r := l.opt.Rules; r != nil {
		l.reg.Settings, l.reg.Policy, l.reg.Frameworks = r.Settings, r.Policy, r.Frameworks
		return nil
	}
	return l.govern(own, &settings, &rules, frameworks)
}

// place finds the kind and the reference that a path stands for.
func (l *loader) place(t *task, name string) {
	top, rest, _ := strings.Cut(name, "/")
	for _, k := range l.opt.Kinds {
		if k.Folder == top && rest != "" {
			t.doc.Kind = k
			t.doc.Ref = entry.Ref{Kind: k.Name, ID: entry.FileID(name)}
		}
	}
}

func (l *loader) folders() string {
	var names []string
	for _, k := range l.opt.Kinds {
		names = append(names, k.Folder)
	}
	return strings.Join(append(names, AssessmentFolder, frameworkFolder, observedFolder), ", ")
}

func (l *loader) read(ctx context.Context, tasks []*task) error {
	g, running := errgroup.WithContext(ctx) // done once Wait returns
	g.SetLimit(l.opt.Jobs)
	for _, t := range tasks {
		if running.Err() != nil {
			break
		}
		g.Go(func() error { return l.readOne(t) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (l *loader) readOne(t *task) error {
	switch {
	case t.blob.Mode&fs.ModeSymlink != 0:
		t.report("file-symlink", "%q is a symbolic link", "put the file itself here", path.Base(t.blob.Path))
		return nil
	case !t.blob.Mode.IsRegular():
		t.report("file-symlink", "%q is not a plain file", "put a plain file here", path.Base(t.blob.Path))
		return nil
	case path.Base(t.blob.Path) == "README.md":
		return nil
	case path.Ext(t.blob.Path) != ".yaml":
		t.report("file-name", "%q does not end in .yaml, so nobody reads it", "rename the file, or move it out of the registry", path.Base(t.blob.Path))
		return nil
	}
	data, err := l.files.Read(t.blob.Path)
	if err != nil {
		return err
	}
	if t.doc.Hash == "" {
		t.doc.Hash = blobHash(data)
	}
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

func (t *task) report(rule, format, hint string, args ...any) {
	t.found = append(t.found, diag.Diagnostic{
		Path: t.doc.Path, Rule: rule, Severity: diag.Error,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// govern settles which settings, policy and frameworks apply: the registry's own
// where it has them, what is built in where it has not.
func (l *loader) govern(own map[string]bool, s *policy.Settings, p *policy.Policy, fws []*framework.Framework) error {
	if !own[settingsFile] {
		*s = policy.Settings{Name: "Registry", Languages: []string{"en"}, License: "CC0-1.0"}
	}
	if !own[policyFile] {
		if err := decodeBuiltin(policyFile, p); err != nil {
			return err
		}
	}
	names, err := fs.Glob(builtin.FS, frameworkFolder+"/*.yaml")
	if err != nil {
		return err
	}
	set := framework.Set{}
	for _, name := range names {
		f := new(framework.Framework)
		if err := decodeBuiltin(name, f); err != nil {
			return err
		}
		set[f.ID] = f
	}
	for _, f := range fws {
		if f.ID != "" {
			set[f.ID] = f
		}
	}
	if len(s.Frameworks) > 0 {
		for id := range set {
			if !slices.Contains(s.Frameworks, id) {
				delete(set, id)
			}
		}
	}
	if len(s.Kinds) > 0 {
		l.reg.Kinds = slices.DeleteFunc(slices.Clone(l.reg.Kinds), func(k entry.Kind) bool {
			return !slices.Contains(s.Kinds, k.Name)
		})
	}
	l.reg.Settings, l.reg.Policy, l.reg.Frameworks = s, p, set
	return nil
}

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

// Entry returns the entry that a reference names, live or not, or nil.
func (r *Registry) Entry(ref entry.Ref) *Doc {
	if d := r.byRef[ref]; d != nil && d.Entry != nil {
		return d
	}
	return nil
}

// Paths lists the files that were read, as findings name them, sorted.
func (r *Registry) Paths() []string {
	var names []string
	for name := range r.blobs {
		names = append(names, path.Join(r.Prefix, name))
	}
	slices.Sort(names)
	return names
}

// Kind returns the kind of that name.
func (r *Registry) Kind(name string) (entry.Kind, bool) {
	for _, k := range r.Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return entry.Kind{}, false
}

// AssessmentPath is where the assessment of an entry stands, relative to the
// registry folder. It mirrors the entry's own place, sub-folders included.
func (d *Doc) AssessmentPath(prefix string) string {
	return AssessmentFolder + "/" + strings.TrimPrefix(d.Path, prefix+"/")
}

// At returns the entry's file at a path of a finding, or nil.
func (r *Registry) At(path string) *Doc {
	i, found := slices.BinarySearchFunc(r.Docs, path, func(d *Doc, p string) int { return strings.Compare(d.Path, p) })
	if !found {
		return nil
	}
	return r.Docs[i]
}
