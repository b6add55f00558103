package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/propose"
)

// Federation says how another registry's catalog is read.
type Federation struct {
	Origin   string // address of the folder that holds its api/; "" is what its index says, or where it was read
	Own      string // address of the registry that is imported into; "" is not known
	Language string // of the plain text of the registry that is imported into; "" is English
}

// notTaken are the keys of a published entry that no other registry takes over,
// each with why.
var notTaken = map[string]string{
	"assessment":     "assessments are made here, not taken over",
	"stewards":       "who may rule on an assessment here is for people here to say",
	"decisions":      "rulings are made here, not taken over",
	"waivers":        "waivers are given here, not taken over",
	"updated_at":     "",
	"updated_commit": "",
	"source_path":    "",
	"path":           "",
	"kind":           "",
	"schema":         "",
	// the envelope that full.ndjson has on each line
	"schema_version": "", "license": "", "attribution": "",
}

// ReadCatalog reads the catalog of another registry: the folder or address that
// holds api/v1/, or its index.json, full.json or full.ndjson. Where there are shards
// these are read, but for the last two. Each record says in
// its sources where it is from. Assessments, rulings, waivers and stewards are left
// out, and counted.
func ReadCatalog(ctx context.Context, s *Source, f Federation) (*Batch, error) {
	b := &Batch{}
	main := cmp.Or(f.Language, "en")
	var index catalog.Index
	records, err := b.whole(ctx, s, &index)
	if err != nil {
		return nil, err
	}
	origin := f.Origin
	if origin == "" && index.BaseURL != nil {
		origin = *index.BaseURL
	}
	if origin == "" && s.URL != "" {
		origin, _, _ = strings.Cut(s.URL, "api/v1/")
	}
	if origin != "" && !isAddress(origin) {
		b.note("", "the catalog says that it is published at %q, which is no address, and is left out", clip(origin))
		origin = ""
	}
	if origin == "" {
		b.note("", "it is not known where the catalog is published, so entries do not say where they are from; --origin says it")
	}
	f.Own, f.Language = strings.TrimSuffix(f.Own, "/"), main
	f.Origin = strings.TrimSuffix(origin, "/")
	if f.Own != "" && f.Origin == f.Own { // its own catalog brings back what was lost
		b.OwnIDs, f.Origin = true, ""
	}
	var l ledger
	for _, r := range records {
		b.Read++
		b.federate(r, f, index.Name, &l)
	}
	b.Notes = append(b.Notes, l.notes()...)
	return b, nil
}

// whole reads every entry, and the index if there is one. Where that leads on, or
// the source is a folder, the shards are read rather than the one large file.
func (b *Batch) whole(ctx context.Context, s *Source, index *catalog.Index) ([]published, error) {
	var name, at string
	var data []byte
	var err error
	if s.Folder {
		name, data, err = s.first(ctx, "api/v1/index.json", "index.json", "api/v1/full.json", "full.json")
		at, _ = path.Split(name)
	} else {
		name = s.Name
		data, err = s.read(ctx, "")
	}
	if err != nil {
		return nil, err
	}
	isIndex := path.Base(name) == "index.json"
	if !isIndex {
		if beside, err := s.read(ctx, at+"index.json"); err == nil {
			_ = json.Unmarshal(beside, index) // what is not understood of it is not needed
		}
		b.terms(index.Envelope)
		return b.entries(name, data)
	}
	if err := readJSON(name, data, index); err != nil {
		return nil, err
	}
	if index.SchemaVersion == "" {
		return nil, formatf("%s is not the index of a catalog: it has no schema_version", name)
	}
	b.terms(index.Envelope)
	name, data, err = s.first(ctx, at+shardsName, at+"full.json", at+"full.ndjson")
	if err != nil {
		return nil, err
	}
	if name == at+shardsName {
		return b.shards(ctx, s, at, data)
	}
	return b.entries(name, data)
}

func (b *Batch) terms(e catalog.Envelope) {
	if e.License != nil {
		b.License = *e.License
	}
	for _, tag := range slices.Sorted(maps.Keys(e.Attribution)) {
		if b.Credit == "" || tag == "en" {
			b.Credit = e.Attribution[tag]
		}
	}
}

// A published is one entry of a catalog before it is looked at.
type published struct {
	label, kind string
	id          string // to sort by; "" is not known
	raw         json.RawMessage
}

// entries finds the entries in full.json or full.ndjson.
func (b *Batch) entries(name string, data []byte) ([]published, error) {
	if err := mustUTF8(name, data); err != nil {
		return nil, err
	}
	var records []published
	if strings.HasSuffix(name, ".ndjson") {
		n := 0
		for line := range bytes.Lines(data) {
			n++
			if line = bytes.TrimSpace(line); len(line) > 0 {
				records = append(records, published{label: fmt.Sprintf("line %d", n), raw: line})
			}
		}
	} else {
		var full struct {
			catalog.Envelope
			Entries map[string][]json.RawMessage `json:"entries"`
		}
		if err := readJSON(name, data, &full); err != nil {
			return nil, err
		}
		if full.Entries == nil || full.SchemaVersion == "" {
			return nil, formatf("%s is not full.json of a catalog: it has no schema_version and entries; name the folder or address that holds api/v1/", name)
		}
		if err := readable(name, full.Envelope); err != nil {
			return nil, err
		}
		if b.License == "" {
			b.terms(full.Envelope)
		}
		for _, kind := range slices.Sorted(maps.Keys(full.Entries)) {
			for i, raw := range full.Entries[kind] {
				records = append(records, published{label: fmt.Sprintf("/entries/%s/%d", kind, i), kind: kind, raw: raw})
			}
		}
	}
	return records, fewEnough(name, len(records))
}

func readable(name string, e catalog.Envelope) error {
	if strings.HasPrefix(e.SchemaVersion, "1.") {
		return nil
	}
	return formatf("%s is of version %q of the catalog's format; this program reads version 1", name, e.SchemaVersion)
}

func fewEnough(name string, entries int) error {
	if entries <= maxRecords {
		return nil
	}
	return formatf("%s has %d entries, and at most %d are read", name, entries, maxRecords)
}

// federate makes a record of a published entry.
func (b *Batch) federate(p published, f Federation, credit string, l *ledger) {
	var e catalog.Entry
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(p.raw))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil || raw == nil {
		b.refuse(p.label, "", "it is not a JSON object")
		return
	}
	if err := json.Unmarshal(p.raw, &e); err != nil {
		var odd *json.UnmarshalTypeError
		if !errors.As(err, &odd) {
			b.refuse(p.label, "", "it is not understood: %v", err)
			return
		}
		// The rest of it is filled in all the same; the comparison names what is not.
	}
	kind := cmp.Or(e.Kind, p.kind)
	if _, ok := entry.KindNamed(kind); !ok {
		b.refuse(p.label, e.ID, "kind %q is not known to this program", clip(kind))
		return
	}
	if why := propose.CheckID(e.ID); why != "" {
		b.refuse(p.label, e.ID, "%s", why)
		return
	}
	made := entryOf(&e, kind, f.Language)
	if made.Name == "" && !gone(&made) {
		b.refuse(p.label, e.ID, "it has no name")
		return
	}
	b.missed(p.label, raw, &e, l)
	r := Record{Label: p.label, Entry: made}
	k, _ := entry.KindNamed(kind)
	r.Entry.Sources = slices.DeleteFunc(r.Entry.Sources, func(s entry.Source) bool {
		id, ours := strings.CutPrefix(s.URL, f.Own+"/api/v1/"+k.Folder+"/")
		if f.Own == "" || !ours {
			return false
		}
		r.Here = strings.TrimSuffix(id, ".json") // it comes back: no entry is its own source
		return true
	})
	if f.Origin != "" && !gone(&made) {
		r.Origin = f.Origin + "/api/v1/" + k.Folder + "/" + e.ID + ".json"
		from := entry.Source{Name: credit, URL: r.Origin}
		if e.UpdatedAt != nil && len(*e.UpdatedAt) >= len("2006-01-02") && isDate((*e.UpdatedAt)[:10]) {
			from.AsOf = (*e.UpdatedAt)[:10]
		}
		if !slices.ContainsFunc(r.Entry.Sources, func(s entry.Source) bool { return s.URL == r.Origin }) {
			r.Entry.Sources = append(r.Entry.Sources, from)
		}
	}
	b.Records = append(b.Records, r)
}

// missed notes what the catalog says of an entry and its record does not.
func (b *Batch) missed(label string, raw map[string]any, e *catalog.Entry, l *ledger) {
	data, err := json.Marshal(e)
	if err != nil {
		return
	}
	var kept map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&kept) != nil {
		return
	}
	for key, why := range notTaken {
		if v, has := raw[key]; has && why != "" && !saysNothing(v) {
			l.add(label, "/"+key, why)
		}
		delete(raw, key)
	}
	l.compare(label, "", raw, kept, 0)
}

// str is a text that may be null.
func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func each[S, T any](s []S, f func(S) T) []T {
	var out []T
	for _, v := range s {
		out = append(out, f(v))
	}
	return out
}

// some is nil for a list without members, as a file has it.
func some[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

// entryOf is what a published entry was made of, without what is not taken over.
func entryOf(e *catalog.Entry, kind, main string) entry.Entry {
	own := cmp.Or(str(e.Language), main)
	text := func(t catalog.Text) entry.Text { return textOf(t, own) }
	out := entry.Entry{
		Schema: kind + "/v1", ID: e.ID, Name: str(e.Name), Aliases: some(e.Aliases), Description: text(e.Description),
		Website: str(e.Website), URL: str(e.URL), Format: str(e.Format), Published: str(e.Published), Languages: some(e.Languages),
		Types: some(e.Types), Sectors: some(e.Sectors), Topics: some(e.Topics), About: some(e.About), ContactURL: str(e.ContactURL),
		Status: entry.Status{
			Stage: e.Status.Stage, RecognisedBy: str(e.Status.RecognisedBy), AsOf: str(e.Status.AsOf), URL: str(e.Status.URL),
			Reason: text(e.Status.Reason), MovedTo: str(e.Status.MovedTo), ReviewBy: str(e.Status.ReviewBy),
		},
	}
	if own != main {
		out.Language = own
	}
	out.Licenses = each(e.Licenses, func(l catalog.License) entry.License {
		return entry.License{Expression: l.Expression, URL: str(l.URL), Covers: str(l.Covers)}
	})
	out.Repositories = each(e.Repositories, func(r catalog.Repository) entry.Repository {
		return entry.Repository{Name: str(r.Name), URL: str(r.URL)}
	})
	if e.SBOM != nil {
		out.SBOM = &entry.SBOM{URL: str(e.SBOM.URL), AsOf: str(e.SBOM.AsOf)}
	}
	out.SDGs = each(e.SDGs, func(s catalog.SDG) entry.SDG {
		return entry.SDG{Goal: s.Goal, Text: text(s.Text), Evidence: some(s.Evidence)}
	})
	out.Organizations = each(e.Organizations, func(o catalog.Organization) entry.Organization {
		return entry.Organization{Name: str(o.Name), Role: str(o.Role), Website: str(o.Website)}
	})
	if l := e.Locations; len(l.DevelopedIn)+len(l.DeployedIn) > 0 {
		out.Locations = &entry.Locations{DevelopedIn: some(l.DevelopedIn), DeployedIn: some(l.DeployedIn)}
	}
	out.Standard = answersOf(e.Standard, text)
	if s := (entry.SameAs{DPGA: str(e.SameAs.DPGA), Wikidata: str(e.SameAs.Wikidata), PURL: str(e.SameAs.PURL), DIAL: str(e.SameAs.DIAL)}); s != (entry.SameAs{}) {
		out.SameAs = &s
	}
	out.Sources = each(e.Sources, func(s catalog.Source) entry.Source {
		return entry.Source{Name: str(s.Name), URL: str(s.URL), AsOf: str(s.AsOf)}
	})
	return out
}

// answersOf goes by the keys, which a published entry and a file share.
func answersOf(s catalog.Standard, text func(catalog.Text) entry.Text) *entry.Answers {
	data, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	by := map[string]*catalog.Answer{}
	if json.Unmarshal(data, &by) != nil {
		return nil
	}
	var out entry.Answers
	given := false
	for _, p := range out.Places() {
		if a := by[p.Key]; a != nil {
			*p.Answer = &entry.Answer{
				Answer: str(a.Answer), Text: text(a.Text), Items: some(a.Items), Evidence: some(a.Evidence), Source: str(a.Source), AsOf: str(a.AsOf),
			}
			given = true
		}
	}
	if !given {
		return nil
	}
	return &out
}
