// Package merge lays an imported entry over the one that is there already, field
// by field, and names every place where the two say different things. It is pure:
// it reads no file and asks nobody.
package merge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Conflict is one place where an entry that is there already and the import
// say different things.
type Conflict struct {
	Path     string          `json:"path"`          // of the entry's file in the registry; Entries leaves it to its caller
	Pointer  string          `json:"pointer"`       // RFC 6901, in the entry; "" is the whole file
	Local    json.RawMessage `json:"local"`         // what stands there; null where nothing does
	Imported json.RawMessage `json:"imported"`      // what the import would write; null where it would write nothing
	Kept     Side            `json:"kept"`          // which of the two the entry has now
	Why      string          `json:"why,omitempty"` // where the entry could not be merged by field
}

// A Side is one of the two that a conflict is between.
type Side string

// The sides.
const (
	Local    Side = "local"
	Imported Side = "imported"
)

// Options are what a caller of Entries may choose. The zero value is fine.
type Options struct {
	Overwrite bool   // take the imported value where the two differ
	Language  string // of plain text in an entry that names no language; "" is English

	// Base is what the same source said when it was imported last; nil is not known.
	// Where the local entry still says that, only the source has changed, and what
	// it says now is taken over without a conflict.
	Base *entry.Entry

	// KeepDates is for a source that carries no dates, so that the imported ones are
	// those of the day it was read: an entry in which nothing else is taken over
	// keeps its own, and that is no conflict.
	KeepDates bool
}

// Entries lays an imported entry over the one that is there already, field by
// field. It leaves both as they are.
//
// What no import takes over is kept whatever happens: decisions, waivers,
// stewards. So is what this one has nothing to say about, texts in languages that
// it lacks, further sources, and what a person added to a list that still has all
// that the import would put there, in its order. The language of plain text is
// kept too: imported text in another comes beside it.
//
// Everything else that differs is a conflict, which goes to the local entry
// unless the options say otherwise. Where the entry lacks what the import would
// write, that too is one: nobody knows whether a person took it out. The updates
// are the places that Options.Base settled; they were all taken over. What the
// source took away since then stays.
//
// An entry that was renamed or removed is kept whole, even from Overwrite: what a
// person erased does not come back by an import. One that the source renamed or
// removed is kept whole likewise: whether it goes here too is for a person to say.
//
// Once an entry was overwritten, merging the same import again changes nothing
// and finds no conflict.
func Entries(local, imported entry.Entry, o Options) (merged entry.Entry, conflicts, updates []Conflict) {
	m := &merger{overwrite: o.Overwrite, main: cmpOr(local.Language, o.Language), from: cmpOr(imported.Language, o.Language), keepDates: o.KeepDates}
	if gone(local) || gone(imported) {
		m.overwrite = false
		scalar(m, "/status/stage", &local.Status.Stage, imported.Status.Stage)
		return local, m.conflicts, nil
	}
	if o.Base != nil {
		m.base = tree(*o.Base)
	}
	e := local
	scalar(m, "/id", &e.ID, imported.ID)
	scalar(m, "/name", &e.Name, imported.Name)
	m.words("/aliases", &e.Aliases, imported.Aliases)
	m.text("/description", &e.Description, imported.Description)
	scalar(m, "/website", &e.Website, imported.Website)
	scalar(m, "/url", &e.URL, imported.URL)
	scalar(m, "/format", &e.Format, imported.Format)
	scalar(m, "/published", &e.Published, imported.Published)
	m.words("/languages", &e.Languages, imported.Languages)
	m.words("/types", &e.Types, imported.Types)
	m.words("/sectors", &e.Sectors, imported.Sectors)
	m.words("/topics", &e.Topics, imported.Topics)
	elements(m, "/licenses", &e.Licenses, imported.Licenses, mergeLicense, func(l entry.License) string { return l.Expression })
	elements(m, "/repositories", &e.Repositories, imported.Repositories, mergeRepository, func(r entry.Repository) string { return r.URL })
	m.sbom(&e, imported.SBOM)
	elements(m, "/sdgs", &e.SDGs, imported.SDGs, mergeSDG, func(g entry.SDG) string { return strconv.Itoa(g.Goal) })
	m.words("/about", &e.About, imported.About)
	elements(m, "/organizations", &e.Organizations, imported.Organizations, mergeOrganization, func(o entry.Organization) string { return o.Name })
	scalar(m, "/contact_url", &e.ContactURL, imported.ContactURL)
	m.locations(&e, imported.Locations)
	m.standard(&e, imported.Standard)
	m.status(&e.Status, imported.Status)
	m.sameAs(&e, imported.SameAs)
	m.sources(&e, imported.Sources)
	return e, m.conflicts, m.updates
}

func gone(e entry.Entry) bool {
	return e.Status.Stage == entry.StageRenamed || e.Status.Stage == entry.StageRemoved
}

// cmpOr is the first language that is named, or else English.
func cmpOr(tags ...string) string { return cmp.Or(append(tags, "en")...) }

type merger struct {
	overwrite  bool
	main, from string // languages of plain text: local, imported
	dry        bool   // only count
	count      int
	conflicts  []Conflict
	updates    []Conflict
	base       *source.Node // what the source said before; nil is not known
	keepDates  bool
	taken      int // values that are the import's now
}

// differ notes a conflict and says whether to take what is imported. The values
// are nil where there are none.
func (m *merger) differ(at string, local, imported any) (take bool) {
	m.count++
	if m.dry {
		return false
	}
	c := Conflict{Pointer: at, Local: asJSON(local), Imported: asJSON(imported), Kept: Local}
	before, known := m.before(at)
	switch {
	case known && bytes.Equal(before, c.Local):
		c.Kept = Imported
		m.updates = append(m.updates, c)
	case m.overwrite:
		c.Kept = Imported
		fallthrough
	default:
		m.conflicts = append(m.conflicts, c)
	}
	if c.Kept == Imported {
		m.taken++
	}
	return c.Kept == Imported
}

// before is what the source said at a place when it was imported last.
func (m *merger) before(at string) (value json.RawMessage, known bool) {
	if m.base == nil {
		return nil, false
	}
	n := m.base
	for token := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch {
		case n.Kind == source.Map:
			n = n.Get(token)
		case n.Kind == source.List:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.Items) {
				n = nil
			} else {
				n = n.Items[i]
			}
		default:
			n = nil
		}
		if n == nil {
			return json.RawMessage("null"), true
		}
	}
	text, err := json.Marshal(n.Value())
	return text, err == nil
}

// tree is an entry as a file of it reads; nil where it is too long for one.
func tree(v any) *source.Node {
	data, err := entry.Encode(v, "")
	if err != nil {
		return nil
	}
	doc, found := source.Parse("", data)
	if len(found) > 0 {
		return nil
	}
	return doc.Root
}

// asJSON writes a part of an entry with the keys that it has in a file.
func asJSON(v any) json.RawMessage {
	null := json.RawMessage("null")
	if v == nil {
		return null
	}
	root := tree(map[string]any{"v": v})
	if root == nil {
		return null
	}
	text, err := json.Marshal(root.Get("v").Value())
	if err != nil {
		return null
	}
	return text
}

// orNil makes a blank value nil.
func orNil[T comparable](v T) any {
	var blank T
	if v == blank {
		return nil
	}
	return v
}

func listOrNil[T any](list []T) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func scalar[T comparable](m *merger, at string, local *T, imported T) {
	var blank T
	if imported == blank || *local == imported {
		return
	}
	if m.differ(at, orNil(*local), imported) {
		*local = imported
	}
}

func (m *merger) text(at string, local *entry.Text, imported entry.Text) {
	by := imported.ByLanguage(m.from)
	for _, tag := range slices.Sorted(maps.Keys(by)) {
		has, wants := local.In(tag, m.main), by[tag]
		if wants == "" || has == wants {
			continue
		}
		place := at
		if !local.IsPlain() || tag != m.main && !local.IsZero() {
			place += source.Pointer(tag)
		}
		if m.differ(place, orNil(has), wants) {
			*local = local.With(tag, m.main, wants)
		}
	}
}

// words merges a list of texts as one value: which of them belongs to which is
// anybody's guess.
func (m *merger) words(at string, local *[]string, imported []string) {
	if holdsAll(*local, imported, func(l, i string) bool { return l == i }) {
		return
	}
	if m.differ(at, listOrNil(*local), imported) {
		*local = slices.Clone(imported)
	}
}

// holdsAll reports whether a list has all of the imported ones, in their order,
// with others between them or none.
func holdsAll[T any](local, imported []T, same func(l, i T) bool) bool {
	for _, l := range local {
		if len(imported) > 0 && same(l, imported[0]) {
			imported = imported[1:]
		}
	}
	return len(imported) == 0
}

// elements merges a list of things with fields of their own. Lists of one length
// are merged pair by pair. Of others, the imported one is taken whole or not at
// all; where it is, things that are in both, by their key, keep what the import
// does not write.
func elements[T any](m *merger, at string, local *[]T, imported []T, merge func(m *merger, at string, l *T, i T), key func(T) string) {
	same := func(l, i T) bool {
		try := &merger{dry: true, main: m.main, from: m.from}
		merge(try, at, &l, i)
		return try.count == 0
	}
	if holdsAll(*local, imported, same) {
		return
	}
	if len(*local) == len(imported) {
		merged := slices.Clone(*local)
		for i := range merged {
			merge(m, at+index(i), &merged[i], imported[i])
		}
		*local = merged
		return
	}
	if !m.differ(at, listOrNil(*local), imported) {
		return
	}
	known := map[string][]T{}
	for _, l := range *local {
		known[key(l)] = append(known[key(l)], l)
	}
	merged := make([]T, len(imported))
	for i, one := range imported {
		k := key(one)
		if rest := known[k]; len(rest) > 0 {
			merged[i], known[k] = rest[0], rest[1:]
		}
		merge(m.quietly(), at+index(i), &merged[i], one)
	}
	*local = merged
}

// quietly is a merger that takes what is imported and tells nobody: the conflict
// about the list as a whole was noted.
func (m *merger) quietly() *merger {
	return &merger{overwrite: true, main: m.main, from: m.from}
}

func mergeLicense(m *merger, at string, l *entry.License, i entry.License) {
	scalar(m, at+"/expression", &l.Expression, i.Expression)
	scalar(m, at+"/url", &l.URL, i.URL)
	scalar(m, at+"/covers", &l.Covers, i.Covers)
}

func mergeRepository(m *merger, at string, l *entry.Repository, i entry.Repository) {
	scalar(m, at+"/name", &l.Name, i.Name)
	scalar(m, at+"/url", &l.URL, i.URL)
}

func mergeSDG(m *merger, at string, l *entry.SDG, i entry.SDG) {
	scalar(m, at+"/goal", &l.Goal, i.Goal)
	m.text(at+"/text", &l.Text, i.Text)
	m.words(at+"/evidence", &l.Evidence, i.Evidence)
}

func mergeOrganization(m *merger, at string, l *entry.Organization, i entry.Organization) {
	scalar(m, at+"/name", &l.Name, i.Name)
	scalar(m, at+"/role", &l.Role, i.Role)
	scalar(m, at+"/website", &l.Website, i.Website)
}

func (m *merger) sbom(e *entry.Entry, imported *entry.SBOM) {
	if imported == nil {
		return
	}
	var s entry.SBOM
	if e.SBOM != nil {
		s = *e.SBOM
	}
	scalar(m, "/sbom/url", &s.URL, imported.URL)
	scalar(m, "/sbom/as_of", &s.AsOf, imported.AsOf)
	if s != (entry.SBOM{}) {
		e.SBOM = &s
	}
}

func (m *merger) locations(e *entry.Entry, imported *entry.Locations) {
	if imported == nil {
		return
	}
	var l entry.Locations
	if e.Locations != nil {
		l = *e.Locations
	}
	m.words("/locations/developed_in", &l.DevelopedIn, imported.DevelopedIn)
	m.words("/locations/deployed_in", &l.DeployedIn, imported.DeployedIn)
	if l.DevelopedIn != nil || l.DeployedIn != nil {
		e.Locations = &l
	}
}

func (m *merger) standard(e *entry.Entry, imported *entry.Answers) {
	if imported == nil {
		return
	}
	var all entry.Answers
	if e.Standard != nil {
		all = *e.Standard
	}
	places := all.Places()
	for n, q := range imported.Places() {
		i := *q.Answer
		if i == nil {
			continue
		}
		at := "/standard" + source.Pointer(q.Key)
		l := places[n].Answer
		if *l == nil {
			if m.differ(at, nil, i) {
				taken := *i
				*l = &taken
				m.intoOtherLanguage(&taken.Text)
			}
			continue
		}
		a := **l
		scalar(m, at+"/answer", &a.Answer, i.Answer)
		m.text(at+"/text", &a.Text, i.Text)
		m.words(at+"/items", &a.Items, i.Items)
		m.words(at+"/evidence", &a.Evidence, i.Evidence)
		scalar(m, at+"/source", &a.Source, i.Source)
		scalar(m, at+"/as_of", &a.AsOf, i.AsOf)
		*l = &a
	}
	if len(all.Questions()) > 0 {
		e.Standard = &all
	}
}

// intoOtherLanguage says of an imported text what language it is in, where plain
// text of the local entry is in another.
func (m *merger) intoOtherLanguage(t *entry.Text) {
	var into entry.Text
	m.quietly().text("", &into, *t)
	*t = into
}

// status merges where the subject stands. Who recognised it, and where that is
// written, belong to the stage: with another stage they are taken or left
// together, even where the import has none.
func (m *merger) status(local *entry.Status, imported entry.Status) {
	defer func() {
		m.text("/status/reason", &local.Reason, imported.Reason)
		scalar(m, "/status/moved_to", &local.MovedTo, imported.MovedTo)
		scalar(m, "/status/review_by", &local.ReviewBy, imported.ReviewBy)
	}()
	if imported.Stage == "" || local.Stage == imported.Stage {
		scalar(m, "/status/recognised_by", &local.RecognisedBy, imported.RecognisedBy)
		if !m.keepDates || local.AsOf == "" {
			scalar(m, "/status/as_of", &local.AsOf, imported.AsOf)
		}
		scalar(m, "/status/url", &local.URL, imported.URL)
		return
	}
	for _, f := range []struct {
		at       string
		local    *string
		imported string
	}{
		{"/status/stage", &local.Stage, imported.Stage},
		{"/status/recognised_by", &local.RecognisedBy, imported.RecognisedBy},
		{"/status/as_of", &local.AsOf, imported.AsOf},
		{"/status/url", &local.URL, imported.URL},
	} {
		if *f.local != f.imported && m.differ(f.at, orNil(*f.local), orNil(f.imported)) {
			*f.local = f.imported
		}
	}
}

func (m *merger) sameAs(e *entry.Entry, imported *entry.SameAs) {
	if imported == nil {
		return
	}
	var s entry.SameAs
	if e.SameAs != nil {
		s = *e.SameAs
	}
	scalar(m, "/same_as/dpga", &s.DPGA, imported.DPGA)
	scalar(m, "/same_as/wikidata", &s.Wikidata, imported.Wikidata)
	scalar(m, "/same_as/purl", &s.PURL, imported.PURL)
	scalar(m, "/same_as/dial", &s.DIAL, imported.DIAL)
	if s != (entry.SameAs{}) {
		e.SameAs = &s
	}
}

// sources merges by address, or by name without one, and never takes one away.
func (m *merger) sources(e *entry.Entry, imported []entry.Source) {
	e.Sources = slices.Clone(e.Sources)
	var missing []entry.Source
	for _, s := range imported {
		i := slices.IndexFunc(e.Sources, func(l entry.Source) bool { return l.URL == s.URL && l.Name == s.Name })
		if i < 0 && s.URL != "" {
			i = slices.IndexFunc(e.Sources, func(l entry.Source) bool { return l.URL == s.URL })
		}
		if i < 0 {
			missing = append(missing, s)
			continue
		}
		at := "/sources" + index(i)
		scalar(m, at+"/name", &e.Sources[i].Name, s.Name)
		switch l := &e.Sources[i]; {
		case !m.keepDates || l.AsOf == "":
			scalar(m, at+"/as_of", &l.AsOf, s.AsOf)
		case m.taken > 0: // what was taken over is as of then
			l.AsOf = s.AsOf
		}
	}
	if missing != nil && m.differ("/sources", listOrNil(e.Sources), missing) {
		e.Sources = append(e.Sources, missing...)
	}
}

func index(i int) string { return source.Pointer(strconv.Itoa(i)) }
