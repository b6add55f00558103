// Package registry loads a tree of entries with the settings, policy and
// frameworks that apply to it, from a folder or from a Git commit. It says what
// could not be read; whether what was read is right is for package lint.
package registry

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Registry is a loaded tree.
type Registry struct {
	Prefix     string // folder of the tree, as it stands in paths of findings
	Settings   *policy.Settings
	Policy     *policy.Policy
	Frameworks framework.Set
	// Crosswalks are by id, without what names a framework that is not in use.
	Crosswalks []*framework.Crosswalk
	Kinds      []entry.Kind // the kinds in use here
	Docs       []*Doc       // entries, sorted by path
	PolicyDoc  *Doc         // this tree's own policy.yaml, whatever policy applies; nil where it has none
	Derived    []*Doc       // assessments, sorted by path
	Observed   []*Doc       // observations, readable or not, sorted by path
	Findings   []diag.Diagnostic
	Files      int // how many files were read

	files     Files
	elsewhere Elsewhere
	byRef     map[entry.Ref]*Doc
	blobs     map[string]string       // path to Git blob id, of every file read
	observed  map[string]*Observation // by path in the registry folder
	schemas   *schema.Set
}

// A Doc is one file that was read.
//
// In a registry loaded with Options.Each, Entry and Source are there only while
// Each runs; Record stays.
type Doc struct {
	Path    string // with Prefix
	Kind    entry.Kind
	Ref     entry.Ref        // by the file's place and name, whatever the file says
	Entry   *entry.Entry     // nil for Derived, and where the file has no readable entry
	Partial bool             // values of the wrong sort are left out of Entry; Findings say which
	Derived bool             // the bot's file about the entry, not the entry
	Broken  bool             // it does not parse, or breaks its schema; Findings say how
	Source  *source.Document // what was read, whatever it is
	Record  *Record          // what stays of the entry; nil where there is no readable one
	Hash    string           // Git blob id
}

// A Record is what is kept of an entry for looking across entries. It costs a
// tenth of the entry's tree.
type Record struct {
	Name         string
	Aliases      []string
	Repositories []string // addresses as they are written, blank ones too
	About        []string
	Stage        string
	MovedTo      string
	Waivers      []entry.Waiver
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
	// Elsewhere, when set, knows the rest of a registry of which only a part is loaded.
	Elsewhere Elsewhere
	// Each, when set, is called with every entry and every derived file as soon as
	// it is read, from several goroutines. The registry it gets has its rules and
	// the places of all entries. What is read is dropped after the call, so that a
	// large registry needs little memory.
	Each func(*Registry, *Doc)
	// Known, when set, tells of files that need not be read, since all that is wanted
	// of them is kept from an earlier run: of an entry what Record it has. It is asked about
	// entries, assessments and observations whose hash the list of files gives. Files with
	// findings must not be among them.
	Known func(Blob) (record *Record, known bool)
}

// The file names and folders that are not entries.
const (
	settingsFile    = "registry.yaml"
	policyFile      = "policy.yaml"
	frameworkFolder = "frameworks"
	crosswalkFolder = frameworkFolder + "/crosswalk"
	// AssessmentFolder holds the bot's assessments, in a sub-folder per kind.
	AssessmentFolder = "assessments"
	// ObservationFolder holds what the bot saw outside, likewise.
	ObservationFolder = "observations"
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
	if opt.Rules == nil {
		go builtinRules() // meanwhile; they are wanted once the registry's own are read
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
	l := &loader{opt: opt, reg: &Registry{
		Prefix: opt.Prefix, Kinds: opt.Kinds, files: files, elsewhere: opt.Elsewhere,
		byRef: map[entry.Ref]*Doc{}, blobs: map[string]string{},
		observed: map[string]*Observation{}, schemas: opt.Schemas,
	}}
	if err := l.load(ctx); err != nil {
		return nil, fmt.Errorf("load registry %s: %w", opt.Prefix, err)
	}
	return l.reg, nil
}

// Whole reports whether the file has an entry and all of it was read. What is not
// whole is judged, so that all findings come at once, and used for nothing else.
func (d *Doc) Whole() bool { return d.Entry != nil && !d.Partial }

// Entry returns the entry that a reference names, live or not, or nil where there
// is none that is whole.
func (r *Registry) Entry(ref entry.Ref) *Doc {
	if d := r.byRef[ref]; d != nil && d.Whole() {
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

// Select lists those of the files that were read which are wanted, sorted. Unlike
// Paths it has them relative to the registry folder.
func (r *Registry) Select(wanted func(name string) bool) []string {
	var names []string
	for name := range r.blobs {
		if wanted(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Place returns the file that stands for a reference, readable or not, or nil. Of
// an entry that is elsewhere it has the path alone.
func (r *Registry) Place(ref entry.Ref) *Doc {
	d := r.byRef[ref]
	if d == nil && r.elsewhere != nil {
		if name, ok := r.elsewhere.Find(ref); ok {
			return &Doc{Path: path.Join(r.Prefix, name), Ref: ref}
		}
	}
	return d
}

// IDs lists the ids of a kind that are taken, in order of their files.
func (r *Registry) IDs(kind string) []string {
	if r.elsewhere != nil {
		return r.elsewhere.IDs(kind)
	}
	var ids []string
	for _, d := range r.Docs {
		if d.Ref.Kind == kind {
			ids = append(ids, d.Ref.ID)
		}
	}
	return ids
}

// Reopen gives a file's tree, reading it once more where it was dropped.
func (r *Registry) Reopen(d *Doc) (*source.Document, error) {
	if d.Source != nil {
		return d.Source, nil
	}
	data, err := r.files.Read(strings.TrimPrefix(d.Path, r.Prefix+"/"))
	if err != nil {
		return nil, err
	}
	doc, _ := source.Parse(d.Path, data)
	return doc, nil
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
