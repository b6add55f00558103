package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Tree is the registry's folder. *disk.Folder is one.
type Tree interface {
	Files() ([]string, error)
	Read(name string) ([]byte, error)
}

// A Writer writes files whole or not at all. *disk.Folder is one.
type Writer interface {
	Write(name string, data []byte) (changed bool, err error)
}

// Options say how a batch is laid over a registry.
type Options struct {
	Overwrite bool         // take the import's word where an entry differs
	Language  string       // the registry's, of plain text; "" is English
	Kinds     []entry.Kind // in use in the registry; nil is every kind
	Base      *Batch       // what the source held when it was imported last; nil is not known
}

// An Action is what becomes of a record.
type Action string

// The actions.
const (
	Written   Action = "written"   // a new entry
	Rewritten Action = "rewritten" // an entry that takes something over
	Kept      Action = "kept"      // an entry that differs and stays as it is
	Same      Action = "same"      // an entry that says it all already
	LeftOut   Action = "left-out"  // the source says that it is gone, and it is not here
	Refused   Action = "refused"   // no entry can be made of it, or it would be the wrong one
)

// An Outcome is what becomes of one record.
type Outcome struct {
	Record    string           `json:"record"`              // as the source counts, such as "row 3"
	ID        string           `json:"id"`                  // in the source; may be ""
	Action    Action           `json:"action"`              //
	Path      string           `json:"path,omitempty"`      // of the entry's file in the registry
	Why       string           `json:"why,omitempty"`       // of a refusal, or how the entry was found under another id
	Conflicts []merge.Conflict `json:"conflicts,omitempty"` // where the entry says something else
	Updates   []merge.Conflict `json:"updates,omitempty"`   // where only the source has changed since the base

	data []byte
}

// A Plan is what an import would do. Nothing is written before all of it is known.
type Plan struct {
	Outcomes []Outcome // one for each record of the batch: refused ones last
}

// Count is how many records have an action.
func (p *Plan) Count(a Action) int {
	n := 0
	for _, o := range p.Outcomes {
		if o.Action == a {
			n++
		}
	}
	return n
}

// Write puts the files where they belong, in the order of the plan. Each is
// written whole. An error says which ones were written before it.
func (p *Plan) Write(ctx context.Context, to Writer, wrote func(Outcome)) error {
	var done []string
	for _, o := range p.Outcomes {
		if o.Action != Written && o.Action != Rewritten {
			continue
		}
		err := ctx.Err()
		if err == nil {
			_, err = to.Write(o.Path, o.data)
		}
		if err != nil {
			return p.broken(done, err)
		}
		done = append(done, o.Path)
		if wrote != nil {
			wrote(o)
		}
	}
	return nil
}

func (p *Plan) broken(done []string, err error) error {
	const most = 20
	total := p.Count(Written) + p.Count(Rewritten)
	if len(done) == 0 {
		return fmt.Errorf("none of %d files was written: %w", total, err)
	}
	names := strings.Join(done[:min(len(done), most)], ", ")
	if len(done) > most {
		names += fmt.Sprintf(" and %d more", len(done)-most)
	}
	return fmt.Errorf("%d of %d files were written, whole (%s); run this again to finish: %w", len(done), total, names, err)
}

// Prepare works out what laying a batch over a registry does.
//
// A record finds its entry by where it came from, else by its id, else by a name
// that other catalogs have for it (same_as), its repository, or, for a resource,
// its address. An id that is taken by a subject with which the record has nothing
// in common is no match: the record is refused.
func Prepare(ctx context.Context, tree Tree, b *Batch, o Options) (*Plan, error) {
	if o.Kinds == nil {
		o.Kinds = entry.Kinds
	}
	here, err := look(ctx, tree, o.Kinds, b.OwnIDs)
	if err != nil {
		return nil, err
	}
	before := map[entry.Ref]*entry.Entry{}
	if o.Base != nil {
		for _, r := range o.Base.Records {
			before[entry.Ref{Kind: kindName(&r.Entry), ID: r.Entry.ID}] = &r.Entry
		}
	}
	matches := make([]found, len(b.Records))
	ids := map[string]string{} // "kind/id" there to "kind/id" here, where they differ
	for i, r := range b.Records {
		kind := kindName(&r.Entry)
		matches[i] = here.match(kind, r, b.OwnIDs)
		if id := matches[i].id; id != "" && id != r.Entry.ID {
			ids[entry.Ref{Kind: kind, ID: r.Entry.ID}.String()] = entry.Ref{Kind: kind, ID: id}.String()
		}
	}
	p := &Plan{}
	taken := map[string]string{} // file to record
	for i, r := range b.Records {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.Entry.About = renamed(r.Entry.About, ids)
		out := Outcome{Record: r.Label, ID: r.Entry.ID, Action: Refused}
		refuse := func(format string, args ...any) {
			out.Action, out.Path, out.Why, out.data = Refused, "", fmt.Sprintf(format, args...), nil
		}
		kind, used := kindIn(o.Kinds, kindName(&r.Entry))
		switch {
		case !used:
			refuse("kind %q is not in use in this registry", kindName(&r.Entry))
		case propose.CheckID(r.Entry.ID) != "":
			refuse("%s", propose.CheckID(r.Entry.ID))
		default:
			if err := here.place(&out, tree, kind, r, matches[i], b, before[entry.Ref{Kind: kind.Name, ID: r.Entry.ID}], ids, o); err != nil {
				return nil, err
			}
		}
		if out.Path != "" {
			if first := taken[out.Path]; first != "" {
				refuse("%s becomes %s already", first, out.Path)
			} else {
				taken[out.Path] = r.Label
			}
		}
		p.Outcomes = append(p.Outcomes, out)
	}
	for _, r := range b.Refused {
		p.Outcomes = append(p.Outcomes, Outcome{Record: r.Label, ID: r.ID, Action: Refused, Why: r.Why})
	}
	return p, nil
}

func kindName(e *entry.Entry) string {
	name, _, _ := strings.Cut(e.Schema, "/")
	return name
}

func kindIn(kinds []entry.Kind, name string) (entry.Kind, bool) {
	i := slices.IndexFunc(kinds, func(k entry.Kind) bool { return k.Name == name })
	if i < 0 {
		return entry.Kind{}, false
	}
	return kinds[i], true
}

// renamed gives references the ids that the entries have here.
func renamed(refs []string, ids map[string]string) []string {
	out := slices.Clone(refs)
	for i, ref := range out {
		out[i] = cmp.Or(ids[ref], ref)
	}
	return out
}

// place finds where a record goes, and what that file holds then.
func (h *here) place(out *Outcome, tree Tree, kind entry.Kind, r Record, m found, b *Batch, base *entry.Entry, ids map[string]string, o Options) error {
	imported := r.Entry
	if m.refused != "" {
		out.Why = m.refused
		return nil
	}
	if m.id == "" {
		if gone := imported.Status.Stage; gone == entry.StageRemoved || gone == entry.StageRenamed {
			out.Action, out.Why = LeftOut, fmt.Sprintf("it is %s there, and was never here", gone)
			return nil
		}
		m.id = imported.ID
	} else if m.id != imported.ID {
		out.Why = m.by
		imported.ID = m.id // which id it has here is not for the source to say
	}
	if base != nil {
		said := *base
		said.ID, said.About = m.id, renamed(said.About, ids)
		base = &said
	}
	out.Path = cmp.Or(h.files[entry.Ref{Kind: kind.Name, ID: m.id}], r.Path, kind.Folder+"/"+imported.ID+".yaml")
	old, err := tree.Read(out.Path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isNew {
		return err
	}
	if isNew && imported.Status.Stage == "" {
		imported.Status.Stage = entry.StageNominee
		if kind.Name == "resource" {
			imported.Status.Stage = entry.StageListed
		}
	}
	if why := unfitEntry(&imported); why != "" && !b.Verbatim {
		out.Path, out.Why = "", "a text cannot stand in an entry: "+why
		return nil
	}
	data, err := lay(out, kind, imported, old, isNew, merge.Options{Overwrite: o.Overwrite, Language: o.Language, Base: base, KeepDates: b.KeepDates})
	if err != nil {
		return err
	}
	for i := range out.Conflicts {
		out.Conflicts[i].Path = out.Path
	}
	for i := range out.Updates {
		out.Updates[i].Path = out.Path
	}
	switch {
	case isNew:
		if _, found := source.Parse(out.Path, data); len(found) > 0 {
			out.Why, out.Path = "its file could not be read back: "+found[0].Message, ""
			return nil
		}
		out.Action, out.data = Written, data
	case !bytes.Equal(old, data):
		out.Action, out.data = Rewritten, data
	case len(out.Conflicts) > 0:
		out.Action = Kept
	default:
		out.Action = Same
	}
	return nil
}

// lay returns what a file should hold: the imported entry, or the one that is
// there with the import laid over it. A file in which nothing has to change keeps
// its bytes, and with them its comments.
func lay(out *Outcome, kind entry.Kind, imported entry.Entry, old []byte, isNew bool, options merge.Options) ([]byte, error) {
	name := out.Path
	schemaPath := entry.SchemaPath("registry/"+name, kind.Schema)
	if isNew {
		return entry.Encode(imported, schemaPath)
	}
	whole := func(format string, args ...any) []merge.Conflict {
		null := json.RawMessage("null")
		return []merge.Conflict{{Local: null, Imported: null, Kept: merge.Local, Why: fmt.Sprintf(format, args...)}}
	}
	doc, found := source.Parse(name, old)
	if len(found) > 0 {
		out.Conflicts = whole("the file cannot be read: line %d: %s", found[0].Start.Line, found[0].Message)
		return old, nil
	}
	var local entry.Entry
	if err := doc.Decode(&local); err != nil {
		out.Conflicts = whole("the file cannot be read: %v", err)
		return old, nil
	}
	if !strings.HasPrefix(local.Schema, kind.Name+"/") {
		out.Conflicts = whole("the file is of %q, not of %q", local.Schema, imported.Schema)
		return old, nil
	}
	before, err := entry.Encode(local, schemaPath)
	if err != nil {
		return nil, err
	}
	merged, conflicts, updates := merge.Entries(local, imported, options)
	after, err := entry.Encode(merged, schemaPath)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(before, after) {
		out.Conflicts = conflicts
		return old, nil
	}
	refuse := func(format string, args ...any) []byte {
		options.Overwrite, options.Base = false, nil
		_, conflicts, _ = merge.Entries(local, imported, options)
		out.Conflicts = append(whole(format, args...), conflicts...)
		return old
	}
	// What the file holds beyond an entry would be lost in writing it.
	back, found := source.Parse(name, before)
	if len(found) > 0 || !reflect.DeepEqual(said(doc.Root.Value()), said(back.Root.Value())) {
		return refuse("the file holds keys or values that an entry has no place for, and writing it would lose them"), nil
	}
	if _, found := source.Parse(name, after); len(found) > 0 {
		return refuse("the file could not be read with the import in it: %s", found[0].Message), nil
	}
	out.Conflicts, out.Updates = conflicts, updates
	return after, nil
}

// said leaves out of a value what says nothing: an entry is written without it.
func said(v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for k, child := range v {
			if child = said(child); child != nil {
				kept[k] = child
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, child := range v {
			kept[i] = said(child)
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case string:
		if v == "" {
			return nil
		}
	case int64: // an id of 0 is not known
		if v == 0 {
			return nil
		}
	}
	return v
}

// here is what the registry has.
type here struct {
	files   map[entry.Ref]string
	entries map[entry.Ref]*entry.Entry // those that can be read; empty where only ids count
	keys    map[string][]string        // what a subject is known by, to ids
	sources map[string][]string        // addresses that its facts come from, to ids
}

// look finds the files of entries by id: any sub-folder will do. Unless only ids
// count, it reads them too.
func look(ctx context.Context, tree Tree, kinds []entry.Kind, idsOnly bool) (*here, error) {
	names, err := tree.Files()
	if err != nil {
		return nil, err
	}
	h := &here{map[entry.Ref]string{}, map[entry.Ref]*entry.Entry{}, map[string][]string{}, map[string][]string{}}
	for _, name := range names {
		for _, kind := range kinds {
			if !strings.HasPrefix(name, kind.Folder+"/") || path.Ext(name) != ".yaml" {
				continue
			}
			ref := entry.Ref{Kind: kind.Name, ID: entry.FileID(name)}
			// The file that stands where the import would put it goes first.
			if h.files[ref] == "" || path.Dir(name) == kind.Folder {
				h.files[ref] = name
			}
		}
	}
	if idsOnly {
		return h, nil
	}
	for ref, name := range h.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := tree.Read(name)
		if err != nil {
			return nil, err
		}
		doc, found := source.Parse(name, data)
		var e entry.Entry
		if len(found) > 0 || doc.Decode(&e) != nil {
			continue // whoever meets it is told so
		}
		h.entries[ref] = &e
		for _, k := range keysOf(&e) {
			k = ref.Kind + " " + k
			h.keys[k] = append(h.keys[k], ref.ID)
		}
		for _, s := range e.Sources {
			if k := ref.Kind + " " + s.URL; s.URL != "" && !slices.Contains(h.sources[k], ref.ID) {
				h.sources[k] = append(h.sources[k], ref.ID)
			}
		}
	}
	return h, nil
}

// key is one thing that a subject is known by.
func key(scheme, value string) string { return scheme + " " + value }

// keysOf are the things that an entry is known by beyond its id.
func keysOf(e *entry.Entry) []string {
	var keys []string
	add := func(scheme, value string) {
		if value != "" {
			keys = append(keys, key(scheme, value))
		}
	}
	if s := e.SameAs; s != nil {
		add("same_as.dpga", s.DPGA)
		add("same_as.wikidata", s.Wikidata)
		add("same_as.purl", s.PURL)
		add("same_as.dial", s.DIAL)
	}
	for _, r := range e.Repositories {
		add("repository", lint.CanonicalRepository(r.URL))
	}
	add("url", place(e.URL))
	return keys
}

// place reduces an address to what makes it the same one: scheme, "www." and a
// final slash do not count.
func place(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" {
		return ""
	}
	at := strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimRight(u.Path, "/")
	if u.RawQuery != "" {
		at += "?" + u.RawQuery
	}
	return at
}

// found is the entry that a record is about.
type found struct {
	id      string // "" is none
	by      string // how it was found under another id, in words
	refused string // why the record is not to be taken at all, or ""
}

// match finds the entry that a record is about.
func (h *here) match(kind string, r Record, ownIDs bool) found {
	ref := entry.Ref{Kind: kind, ID: r.Entry.ID}
	file, taken := h.files[ref]
	if ownIDs {
		if taken {
			return found{id: ref.ID}
		}
		return found{}
	}
	if r.Here != "" && h.files[entry.Ref{Kind: kind, ID: r.Here}] != "" {
		return h.follow(kind, found{id: r.Here, by: fmt.Sprintf("%q here, where it is from", r.Here)})
	}
	var from []string
	if r.Origin != "" {
		from = h.sources[kind+" "+r.Origin]
	}
	if slices.Contains(from, ref.ID) {
		return found{id: ref.ID}
	}
	if len(from) == 1 {
		return h.follow(kind, found{id: from[0], by: fmt.Sprintf("%q here, by its source", from[0])})
	}
	keys := append(keysOf(&r.Entry), r.Keys...)
	by := map[string]string{}
	for _, k := range keys {
		for _, id := range h.keys[kind+" "+k] {
			if by[id] == "" {
				by[id] = k
			}
		}
	}
	if taken {
		local := h.entries[ref]
		switch {
		case local == nil, by[ref.ID] != "", gone(local), akin(local, &r.Entry):
			return found{id: ref.ID}
		}
		if len(by) == 0 {
			return found{refused: fmt.Sprintf("the id %q is that of %s, which is known by no name, address or identity that this has; if they are one, say so in its same_as", ref.ID, file)}
		}
	}
	ids := make([]string, 0, len(by))
	for id := range by {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	switch len(ids) {
	case 0:
		return found{}
	case 1:
		return h.follow(kind, found{id: ids[0], by: fmt.Sprintf("%q here, by %s", ids[0], by[ids[0]])})
	}
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf("%q by %s", id, by[id]))
	}
	return found{refused: "it could be any of " + strings.Join(all, ", ")}
}

func gone(e *entry.Entry) bool {
	return e.Status.Stage == entry.StageRemoved || e.Status.Stage == entry.StageRenamed
}

// follow leads from a renamed entry to the one that stands for it now.
func (h *here) follow(kind string, m found) found {
	for range 10 { // a circle of renames is for the rules to find
		e := h.entries[entry.Ref{Kind: kind, ID: m.id}]
		if e == nil || e.Status.Stage != entry.StageRenamed || h.files[entry.Ref{Kind: kind, ID: e.Status.MovedTo}] == "" {
			break
		}
		m.id = e.Status.MovedTo
		m.by += fmt.Sprintf(", renamed to %q", m.id)
	}
	return m
}

// akin reports whether two entries of one id may be taken for one subject: they
// share a name or a website.
func akin(a, b *entry.Entry) bool {
	if w := place(a.Website); w != "" && w == place(b.Website) {
		return true
	}
	names := map[string]bool{}
	for _, n := range append([]string{a.Name}, a.Aliases...) {
		names[propose.ID(n)] = true
	}
	delete(names, "")
	return slices.ContainsFunc(append([]string{b.Name}, b.Aliases...), func(n string) bool { return names[propose.ID(n)] })
}
