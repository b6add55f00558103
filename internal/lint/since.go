package lint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// Span is what Since compares.
type Span struct {
	Repo       *registry.Repo
	Base, Head *object.Commit
	Load       registry.Options
	// Cache is a folder for the key index of the base, so that the next run need
	// not read the registry; "" keeps none.
	Cache string
}

// Changes says what Since looked at.
type Changes struct {
	Files int  // files of the registry that differ
	Read  int  // files read to judge them, of both commits
	All   bool // the rules themselves changed, so that everything was judged
}

// Since gives the findings that a registry has at one commit and had not at
// another: what Run gives of the head less what it gives of the base, and a
// finding for each entry that is no longer there. It reads the files that changed
// and those that share a name, a repository or a reference with them.
func Since(ctx context.Context, s Span, opt Options) ([]diag.Diagnostic, Changes, error) {
	changed, err := s.Repo.Changed(s.Base, s.Head)
	if err != nil {
		return nil, Changes{}, err
	}
	c := Changes{Files: len(changed)}
	w := &since{Span: s, opt: opt, changed: changed}
	var now, then []diag.Diagnostic
	if slices.ContainsFunc(changed, governs) {
		c.All = true
		now, then, err = w.whole(ctx, &c)
	} else {
		now, then, err = w.part(ctx, &c)
	}
	if err != nil {
		return nil, c, err
	}
	found := append(diag.Minus(now, then), w.deleted()...)
	return diag.Sort(found), c, nil
}

// governs reports whether a change is of the rules and not of an entry.
func governs(c registry.Change) bool {
	return !strings.Contains(c.Path, "/") || strings.HasPrefix(c.Path, "frameworks/")
}

type since struct {
	Span
	opt     Options
	changed []registry.Change

	old, new []*registry.Doc // the changed files' documents at both ends
	rest     *view           // the unchanged ones; nil where all are in new
}

// whole judges both commits.
func (w *since) whole(ctx context.Context, c *Changes) (now, then []diag.Diagnostic, err error) {
	opt := w.opt
	for _, side := range []struct {
		commit *object.Commit
		found  *[]diag.Diagnostic
		docs   *[]*registry.Doc
	}{{w.Base, &then, &w.old}, {w.Head, &now, &w.new}} {
		files, err := w.Repo.Files(side.commit)
		if err != nil {
			return nil, nil, err
		}
		reg, found, err := Check(ctx, files, w.Load, opt)
		if err != nil {
			return nil, nil, err
		}
		opt.New = isNew(func(r entry.Ref) bool { return reg.Place(r) != nil }, w.Load.Kinds, w.prefix()) // of the head, which is next
		c.Read += reg.Files
		*side.found, *side.docs = found, reg.Docs
	}
	return now, then, nil
}

// part judges what a change can reach.
func (w *since) part(ctx context.Context, c *Changes) (now, then []diag.Diagnostic, err error) {
	if len(w.changed) == 0 {
		return nil, nil, nil
	}
	x, err := w.baseIndex(ctx)
	if err != nil {
		return nil, nil, err
	}
	if w.old, err = w.records(ctx, w.Base, paths(w.changed)); err != nil {
		return nil, nil, err
	}
	if w.new, err = w.records(ctx, w.Head, paths(w.changed)); err != nil {
		return nil, nil, err
	}
	reach, err := w.reach(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	before, after := w.views(x)
	w.rest = after
	opt := w.opt
	opt.New = isNew(func(r entry.Ref) bool { _, ok := before.Find(r); return ok }, w.Load.Kinds, w.prefix())
	for _, side := range []struct {
		commit *object.Commit
		found  *[]diag.Diagnostic
		rest   *view
	}{{w.Base, &then, before}, {w.Head, &now, after}} {
		files, err := w.Repo.Pick(side.commit, reach)
		if err != nil {
			return nil, nil, err
		}
		load := w.Load
		load.Elsewhere = side.rest
		reg, found, err := Check(ctx, files, load, opt)
		if err != nil {
			return nil, nil, err
		}
		c.Read += reg.Files
		*side.found = found
	}
	return now, then, nil
}

// isNew tells the files of the head whose ids the base has not.
func isNew(base func(entry.Ref) bool, kinds []entry.Kind, prefix string) func(path string) bool {
	return func(path string) bool {
		name := strings.TrimPrefix(path, prefix+"/")
		k, ok := kindOf(kinds, name)
		return ok && !base(entry.Ref{Kind: k.Name, ID: entry.FileID(name)})
	}
}

// records reads some entries of a commit as far as their records.
func (w *since) records(ctx context.Context, at *object.Commit, names []string) ([]*registry.Doc, error) {
	files, err := w.Repo.Pick(at, names)
	if err != nil {
		return nil, err
	}
	load := w.Load
	load.Each = func(*registry.Registry, *registry.Doc) {}
	reg, err := registry.Load(ctx, files, load)
	if err != nil {
		return nil, err
	}
	return reg.Docs, nil
}

// reach lists the files whose findings can differ, with all that these findings
// speak of: the changed files, those that share a key with one at either end, and
// those that refer to one, step by step where entries moved.
func (w *since) reach(ctx context.Context, x *index) ([]string, error) {
	set := map[string]bool{}
	for _, c := range w.changed {
		set[c.Path] = true
		// What was seen of an entry speaks in the findings on that entry.
		if of, ok := strings.CutPrefix(c.Path, registry.ObservationFolder+"/"); ok {
			set[of] = true
		}
	}
	add := func(files []string) (fresh []string) {
		for _, f := range files {
			if !set[f] {
				set[f] = true
				fresh = append(fresh, f)
			}
		}
		return fresh
	}
	sharing := func(docs []*registry.Doc) (fresh []string) {
		for _, d := range docs {
			fresh = append(fresh, add(x.with(idKey+d.Ref.String()))...)
			eachMention(d, func(key string, _ mention) { fresh = append(fresh, add(x.with(key))...) })
		}
		return fresh
	}
	// Two steps: which of two entries' shared names is reported depends on all who
	// share one with them.
	near, err := w.records(ctx, w.Base, append(sharing(w.old), sharing(w.new)...))
	if err != nil {
		return nil, err
	}
	sharing(near)
	var ids []string // entries whose referrers are wanted
	for _, d := range append(slices.Clone(w.old), w.new...) {
		ids = append(ids, d.Ref.String())
		set[path.Join(registry.AssessmentFolder, strings.TrimPrefix(d.Path, w.prefix()+"/"))] = true
		set[d.ObservationPath(w.prefix())] = true
	}
	// Moves go both ways: who leads here, and where this leads.
	follow := append(slices.Clone(w.old), w.new...)
	for step := 0; (len(ids) > 0 || len(follow) > 0) && step <= maxMoves+1; step++ {
		var fresh []string
		for _, id := range ids {
			add(x.with(refKey + id))
			fresh = append(fresh, add(x.with(movedKey+id))...)
		}
		for _, d := range follow {
			if d.Record != nil && d.Record.MovedTo != "" {
				fresh = append(fresh, add(x.with(idKey+entry.Ref{Kind: d.Ref.Kind, ID: d.Record.MovedTo}.String()))...)
			}
		}
		ids = nil
		for _, f := range fresh {
			if k, ok := kindOf(w.Load.Kinds, f); ok {
				ids = append(ids, entry.Ref{Kind: k.Name, ID: entry.FileID(f)}.String())
			}
		}
		if follow, err = w.records(ctx, w.Base, fresh); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(set)), nil
}

func (w *since) prefix() string {
	if w.Load.Prefix == "" {
		return "registry"
	}
	return w.Load.Prefix
}

func kindOf(kinds []entry.Kind, name string) (entry.Kind, bool) {
	if kinds == nil {
		kinds = entry.Kinds
	}
	for _, k := range kinds {
		if strings.HasPrefix(name, k.Folder+"/") {
			return k, true
		}
	}
	return entry.Kind{}, false
}

// views are what the parts of both commits know of the rest.
func (w *since) views(x *index) (before, after *view) {
	kinds := map[string]string{}
	all := w.Load.Kinds
	if all == nil {
		all = entry.Kinds
	}
	for _, k := range all {
		kinds[k.Name] = k.Folder
	}
	gone := map[string]bool{}
	for _, c := range w.changed {
		gone[c.Path] = true
	}
	here := map[entry.Ref]string{}
	for _, d := range w.new {
		here[d.Ref] = strings.TrimPrefix(d.Path, w.prefix()+"/")
	}
	return &view{index: x, kinds: kinds}, &view{index: x, kinds: kinds, gone: gone, here: here}
}

// deleted gives a finding for each entry of the base whose id the head has not.
func (w *since) deleted() []diag.Diagnostic {
	here := map[entry.Ref]bool{}
	for _, d := range w.new {
		here[d.Ref] = true
	}
	deleted := map[string]bool{}
	for _, c := range w.changed {
		if c.Deleted {
			deleted[c.Path] = true
		}
	}
	var found []diag.Diagnostic
	for _, d := range w.old {
		if w.rest != nil && !here[d.Ref] {
			_, here[d.Ref] = w.rest.Find(d.Ref)
		}
		if deleted[strings.TrimPrefix(d.Path, w.prefix()+"/")] && !here[d.Ref] && w.opt.wants(d.Path) {
			found = append(found, Deleted(d))
			here[d.Ref] = true // one id, one finding, if two files had it
		}
	}
	return found
}

// Deleted is the finding on an entry whose file is gone, or has got another id.
func Deleted(d *registry.Doc) diag.Diagnostic {
	return diag.Diagnostic{
		Path: d.Path, Rule: "entry-deleted", Severity: diag.Error,
		Message: fmt.Sprintf("entry %s is deleted or has got another id; an id is kept for ever, so that links to it do not break", quote(d.Ref.ID)),
		Hint: `bring the file back and give it status.stage "archived" to take it out of the lists, "removed" to erase what it says, ` +
			`or "renamed" with moved_to to lead to its new id`,
	}
}

func paths(changes []registry.Change) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Path
	}
	return names
}

// baseIndex gives the key index of the base: from the cache, brought up to date
// where it is of another commit, or made anew.
func (w *since) baseIndex(ctx context.Context) (*index, error) {
	tree, err := w.Repo.TreeHash(w.Base)
	if err != nil {
		return nil, err
	}
	x, err := w.cached()
	if err != nil {
		return nil, err
	}
	if x.tree == tree {
		return x, nil
	}
	changed, err := w.Repo.ChangedFrom(x.tree, w.Base)
	if err != nil { // the cached tree is not in this clone any more
		x = &index{}
		if changed, err = w.Repo.ChangedFrom("", w.Base); err != nil {
			return nil, err
		}
	}
	gone := map[string]bool{}
	for _, c := range changed {
		gone[c.Path] = true
	}
	docs, err := w.records(ctx, w.Base, paths(changed))
	if err != nil {
		return nil, err
	}
	x.replace(gone, docs, w.prefix())
	x.tree = tree
	if w.Cache != "" && tree != "" {
		// Where that fails, the next run is slower and nothing else.
		_, _ = disk.WriteFile(w.cacheFile(), x.encode())
	}
	return x, nil
}

func (w *since) cacheFile() string { return filepath.Join(w.Cache, "keys") }

// cached reads the index of an earlier run. One that is damaged, or of another
// version, is as good as none.
func (w *since) cached() (*index, error) {
	if w.Cache == "" {
		return &index{}, nil
	}
	data, err := os.ReadFile(w.cacheFile())
	if errors.Is(err, fs.ErrNotExist) {
		return &index{}, nil
	}
	if err != nil {
		return nil, err
	}
	x, err := decodeIndex(data)
	if err != nil {
		return &index{}, nil
	}
	return x, nil
}
