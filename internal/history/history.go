// Package history tells what each commit did to each entry: it walks the
// first-parent line of a registry's Git history, from the first commit on, and
// numbers what it finds. It keeps no name and no text of an entry but the reason
// it went, so that what is erased from the registry does not live on in a list of
// changes.
package history

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// What may happen to an entry.
const (
	Added   = "added"   // it is there, and was not or was removed
	Changed = "changed" // in the fields named
	Renamed = "renamed" // another id stands for it
	Removed = "removed" // all but its id, date and reason is erased, or its file is gone
)

// A Change is what one commit did to one entry.
type Change struct {
	Seq     int // from 1, one more with each change
	Action  string
	Ref     entry.Ref
	Fields  []string          // of Changed: RFC 6901 pointers, sorted
	Stage   string            // afterwards; "" where the file is gone
	Reason  map[string]string // of the stage, by language; "" is the registry's own
	MovedTo string            // of Renamed
	Commit  string
	At      time.Time // when it was committed, UTC

	Blob string // the entry's file afterwards, as Git names it
}

// A Log is all changes up to a commit, oldest first: by commit, then by kind and id.
type Log struct {
	Head    string // the commit; "" where nothing was read yet
	Changes []Change
}

// What stands in Fields for what the bot derived of an entry, and for what it saw
// of it outside.
const (
	assessmentField  = "/assessment"
	observationField = "/observations"
)

type walker struct {
	repo  *registry.Repo
	reg   *registry.Registry
	log   *Log
	last  map[entry.Ref]int        // index in log of the last change
	known map[string]*registry.Doc // of the registry as it is, by blob
}

// Read lists the changes up to a commit of which reg was loaded. Of a log that was
// kept, only what came since is read; where history was rewritten, all of it. The
// error is registry.ErrShallow where the clone has only a part of history.
//
// A file that could not be read as an entry was not published either: what was
// there before counts until it can be.
func Read(ctx context.Context, repo *registry.Repo, head *object.Commit, reg *registry.Registry, kept *Log) (*Log, error) {
	if kept == nil {
		kept = &Log{}
	}
	commits, err := repo.FirstParents(head, func(hash string) bool { return hash == kept.Head })
	if err != nil {
		return nil, err
	}
	w := walker{repo: repo, reg: reg, log: &Log{Head: head.Hash.String()}, last: map[entry.Ref]int{}, known: map[string]*registry.Doc{}}
	var parent *object.Commit
	if first := len(commits) - 1; first < 0 || commits[first].NumParents() > 0 {
		w.log.Changes = slices.Clone(kept.Changes)
		for i, c := range w.log.Changes {
			w.last[c.Ref] = i
		}
		if first >= 0 {
			if parent, err = commits[first].Parent(0); err != nil {
				return nil, err
			}
		}
	}
	for _, d := range reg.Docs {
		if d.Whole() || d.Entry == nil && d.Record != nil && !d.Broken {
			w.known[d.Hash] = d
		}
	}
	for _, c := range slices.Backward(commits) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := w.commit(parent, c); err != nil {
			return nil, fmt.Errorf("commit %s: %w", c.Hash, err)
		}
		parent = c
	}
	return w.log, nil
}

// commit adds what one commit did.
func (w *walker) commit(parent, c *object.Commit) error {
	deltas, err := w.repo.Deltas(parent, c, w.reg.Kinds)
	if err != nil {
		return err
	}
	type touched struct {
		entry bool
		blob  string
		bots  []string // fields that stand for the bot's files
	}
	refs := map[entry.Ref]*touched{}
	for _, d := range deltas {
		t := refs[d.Ref]
		if t == nil {
			t = &touched{}
			refs[d.Ref] = t
		}
		switch d.Derived {
		case registry.AssessmentFolder:
			t.bots = append(t.bots, assessmentField)
			continue
		case registry.ObservationFolder:
			t.bots = append(t.bots, observationField)
			continue
		}
		t.entry = true
		// A file that moved is there under another path.
		t.blob = cmp.Or(t.blob, d.Hash)
	}
	stamp := registry.StampOf(c)
	for _, ref := range slices.SortedFunc(maps.Keys(refs), func(a, b entry.Ref) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	}) {
		t := refs[ref]
		var before Change
		if i, ok := w.last[ref]; ok {
			before = w.log.Changes[i]
		}
		after, changed := before, false
		if t.entry {
			if after, changed, err = w.change(before, t.blob); err != nil {
				return fmt.Errorf("%s: %w", ref, err)
			}
		}
		if len(t.bots) > 0 && (after.Action == Changed || !changed && before.there()) {
			if !changed {
				after.Action, after.Fields, changed = Changed, nil, true
			}
			after.Fields = append(after.Fields, t.bots...)
			slices.Sort(after.Fields)
			after.Fields = slices.Compact(after.Fields) // a file that moved is there twice
		}
		if !changed {
			continue
		}
		after.Ref, after.Seq, after.Commit, after.At = ref, len(w.log.Changes)+1, stamp.Commit, stamp.At
		w.last[ref] = len(w.log.Changes)
		w.log.Changes = append(w.log.Changes, after)
	}
	return nil
}

// there reports whether an entry is published in full after a change.
func (c Change) there() bool { return c.Action != "" && c.Action != Removed }

// change sets what was last said of an entry beside its file as it is now.
func (w *walker) change(before Change, blob string) (after Change, changed bool, err error) {
	if blob == "" { // the file is gone, or no plain one
		return Change{Action: Removed}, before.there(), nil
	}
	if blob == before.Blob {
		return before, false, nil
	}
	// Of a live entry that was not there nothing is told but its stage.
	if d := w.known[blob]; d != nil && !before.there() && d.Record != nil && (entry.Status{Stage: d.Record.Stage}).Live() {
		return Change{Action: Added, Stage: d.Record.Stage, Blob: blob}, true, nil
	}
	now, err := w.read(blob)
	if now == nil || err != nil {
		return before, false, err
	}
	after = Change{Stage: now.Status.Stage, Blob: blob}
	var was *state
	if before.there() {
		if was, err = w.read(before.Blob); err != nil {
			return before, false, err
		}
	}
	switch {
	case now.Status.Stage == entry.StageRemoved:
		after.Action = Removed
		after.Reason = now.reason()
		same := before.Action == Removed && before.Stage == after.Stage && maps.Equal(before.Reason, after.Reason)
		return after, !same, nil
	case was == nil:
		after.Action = Added
	case now.Status.Stage == entry.StageRenamed && (was.Status.Stage != entry.StageRenamed || was.Status.MovedTo != now.Status.MovedTo):
		after.Action = Renamed
	default:
		after.Action = Changed
		for _, f := range Differing(was.values, now.values) {
			after.Fields = append(after.Fields, f.Pointer)
		}
		if len(after.Fields) == 0 {
			return before, false, nil
		}
	}
	if now.Status.Stage == entry.StageRenamed {
		after.MovedTo = now.Status.MovedTo
	}
	if now.Status.Live() {
		return after, true, nil
	}
	after.Reason = now.reason()
	return after, true, nil
}

// A state is what a file said.
type state struct {
	entry.Entry
	values map[string]any
}

func (s *state) reason() map[string]string { return s.Status.Reason.ByLanguage(s.Language) }

// read gives what a file said, or nil where it has no whole entry.
func (w *walker) read(blob string) (*state, error) {
	if d := w.known[blob]; d != nil && d.Source != nil && d.Entry != nil {
		values, _ := d.Source.Root.Value().(map[string]any)
		return &state{*d.Entry, values}, nil
	}
	data, err := w.repo.Blob(blob)
	if err != nil {
		return nil, err
	}
	doc, found := source.Parse("", data)
	if len(found) > 0 || doc.Root == nil || doc.Root.Kind != source.Map {
		return nil, nil
	}
	var e entry.Entry
	if err := doc.Decode(&e); err != nil {
		return nil, nil // that is for whoever wrote it, and was told them
	}
	values, _ := doc.Root.Value().(map[string]any)
	return &state{e, values}, nil
}

// A Field is a part of an entry that two versions of it have otherwise.
type Field struct {
	Pointer string // RFC 6901, such as "/status/stage"
	Was, Is any    // plain values as source.Node.Value gives them; nil is nothing, or null
}

// Differing lists what is not the same in two versions of an entry, by pointer: a
// key, or what is within one that groups others.
func Differing(was, is map[string]any) []Field {
	var out []Field
	for _, key := range union(was, is) {
		x, y := was[key], is[key]
		if reflect.DeepEqual(x, y) {
			continue
		}
		mx, okx := x.(map[string]any)
		my, oky := y.(map[string]any)
		if okx != (x != nil) || oky != (y != nil) || len(mx)+len(my) == 0 {
			out = append(out, Field{source.Pointer(key), x, y})
			continue
		}
		for _, inner := range union(mx, my) {
			if !reflect.DeepEqual(mx[inner], my[inner]) {
				out = append(out, Field{source.Pointer(key, inner), mx[inner], my[inner]})
			}
		}
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return out
}

func union(a, b map[string]any) []string {
	keys := slices.Sorted(maps.Keys(a))
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
