package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// LiveRegistry is the address from which public projects read the DPGA's list
// today. Nobody promised its form; ReadDPGAAPI goes by how those projects read it.
const LiveRegistry = "https://app.digitalpublicgoods.net/api/v1/dpgs"

// Live says how the answer of the DPGA's live registry is read.
type Live struct {
	Origin string // address that it is from; "" is that of the source, or LiveRegistry
	AsOf   string // the day of reading, "2006-01-02"
}

// ReadDPGAAPI reads the list that the DPGA's live registry answers with: an array
// of records, or an object with one array in it. Keys that are not known are
// counted and left out.
func ReadDPGAAPI(ctx context.Context, s *Source, o Live) (*Batch, error) {
	data, err := s.read(ctx, "")
	if err != nil {
		return nil, err
	}
	if len(data) > maxTable {
		return nil, formatf("%s has %d bytes, and at most %d are read", s.Name, len(data), maxTable)
	}
	var root any
	if err := readJSON(s.Name, data, &root); err != nil {
		return nil, err
	}
	b := &Batch{KeepDates: true}
	list, at, err := b.list(s.Name, root)
	if err != nil {
		return nil, err
	}
	if len(list) > maxRecords {
		return nil, formatf("%s has %d records, and at most %d are read", s.Name, len(list), maxRecords)
	}
	if o.Origin == "" {
		o.Origin = s.URL
	}
	if o.Origin == "" {
		o.Origin = LiveRegistry
	}
	var l ledger
	seen := map[string]string{}
	for i, item := range list {
		b.Read++
		label := at + source.Pointer(strconv.Itoa(i))
		fields, ok := item.(map[string]any)
		if !ok {
			b.refuse(label, "", "it is not a JSON object")
			continue
		}
		b.live(&live{label: label, fields: fields, ledger: &l}, o, seen)
	}
	b.Notes = append(b.Notes, l.notes()...)
	return b, nil
}

// list finds the records: the document itself, or the one list in it.
func (b *Batch) list(name string, root any) (list []any, at string, err error) {
	switch root := root.(type) {
	case []any:
		return root, "", nil
	case map[string]any:
		var keys []string
		for _, k := range slices.Sorted(maps.Keys(root)) {
			if _, ok := root[k].([]any); ok {
				keys = append(keys, k)
			} else if !saysNothing(root[k]) {
				b.note(source.Pointer(clip(k)), "the key is not known here, and is left out")
			}
		}
		if len(keys) == 1 {
			return root[keys[0]].([]any), source.Pointer(clip(keys[0])), nil
		}
		return nil, "", formatf("%s is an object with %d lists in it; the records are a list, or an object with one", name, len(keys))
	}
	return nil, "", formatf("%s is neither a list of records nor an object with one in it", name)
}

// A live record gives its fields one after another, and notes what nobody asked for.
type live struct {
	label  string
	fields map[string]any
	ledger *ledger
}

func (r *live) take(key string) any {
	v := r.fields[key]
	delete(r.fields, key)
	return v
}

func (r *live) odd(at string, v any) {
	if !saysNothing(v) {
		r.ledger.add(r.label, at, "the value is not understood, and is left out")
	}
}

// text takes one text, or a number as it is written.
func (r *live) text(key string) string {
	switch v := r.take(key).(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case nil:
		return ""
	default:
		r.odd(source.Pointer(key), v)
		return ""
	}
}

// texts takes a list of texts, of objects that have the text at one of the inner
// keys, or one text in place of a list.
func (r *live) texts(key string, inner ...string) []string {
	v := r.take(key)
	at := source.Pointer(key)
	if s, ok := v.(string); ok {
		v = []any{s}
	}
	items, ok := v.([]any)
	if !ok {
		r.odd(at, v)
		return nil
	}
	var all []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for _, item := range items {
		switch item := item.(type) {
		case string:
			add(item)
		case json.Number:
			add(item.String())
		case map[string]any:
			found := false
			for _, k := range inner {
				switch v := item[k].(type) {
				case string:
					add(v)
				case json.Number:
					add(v.String())
				default:
					continue
				}
				delete(item, k)
				found = true
				break
			}
			if !found {
				r.odd(at+"/*", item)
				continue
			}
			for _, k := range slices.Sorted(maps.Keys(item)) {
				if !saysNothing(item[k]) {
					r.ledger.add(r.label, at+"/*"+source.Pointer(clip(k)), "the key is not known here, and is left out")
				}
			}
		default:
			r.odd(at+"/*", item)
		}
	}
	return all
}

// live makes a record of one of the live registry's.
func (b *Batch) live(r *live, o Live, seen map[string]string) {
	number, slug := r.text("dpgId"), r.text("slug")
	e := entry.Entry{Schema: "dpg/v1", Name: r.text("name"), Website: r.text("website")}
	id := slug
	if propose.CheckID(id) != "" {
		id = propose.ID(slug)
	}
	if id == "" {
		id = propose.ID(e.Name)
	}
	e.ID = id
	if t := r.text("description"); t != "" {
		e.Description = entry.Plain(t)
	}
	for _, l := range append(r.texts("openLicense", "openLicense"), r.texts("openlicenses", "openLicense")...) {
		one := entry.License{Expression: l}
		if !slices.Contains(e.Licenses, one) {
			e.Licenses = append(e.Licenses, one)
		}
	}
	for _, s := range r.texts("sdgs", "number") {
		n, ok := number1to17(s)
		if !ok {
			r.ledger.add(r.label, "/sdgs/*", fmt.Sprintf("goal %q is no number from 1 to 17, and is left out", clip(s)))
			continue
		}
		e.SDGs = append(e.SDGs, entry.SDG{Goal: n})
	}
	for _, s := range r.texts("deploymentCountries") {
		code, ok := countryCode(s)
		if !ok {
			r.ledger.add(r.label, "/deploymentCountries/*", fmt.Sprintf("country %q is neither a code nor the name of one country, and is left out", clip(s)))
			continue
		}
		if e.Locations == nil {
			e.Locations = &entry.Locations{}
		}
		e.Locations.DeployedIn = append(e.Locations.DeployedIn, code)
	}
	if owner := r.text("ownerName"); owner != "" {
		e.Organizations = []entry.Organization{{Name: owner, Role: "owner"}}
	}
	if items := r.texts("openStandards"); items != nil {
		e.Standard = &entry.Answers{Standards: &entry.Answer{Items: items}}
	}
	e.Status = r.status(o)
	for _, k := range slices.Sorted(maps.Keys(r.fields)) {
		if !saysNothing(r.fields[k]) {
			r.ledger.add(r.label, source.Pointer(clip(k)), "the key is not known here, and is left out")
		}
	}
	if why := propose.CheckID(e.ID); why != "" {
		if e.ID == "" {
			why = "it has no slug and no name of which an id could be made"
		}
		b.refuse(r.label, slug, "%s", why)
		return
	}
	if e.Name == "" {
		b.refuse(r.label, e.ID, "it has no name")
		return
	}
	if first := seen[e.ID]; first != "" {
		b.refuse(r.label, e.ID, "%s has the id %q already", first, e.ID)
		return
	}
	seen[e.ID] = r.label
	e.Language = "en"
	from := entry.Source{Name: "Digital Public Goods Alliance, registry", URL: o.Origin, AsOf: o.AsOf}
	if number != "" {
		from.Name += ", dpgId " + clip(number)
	}
	e.Sources = []entry.Source{from}
	rec := Record{Label: r.label, Entry: e}
	if slug != "" { // the registry of 2023 named its files likewise
		rec.Keys = []string{key("same_as.dpga", slug)}
	}
	b.Records = append(b.Records, rec)
}

// status is what the list says by naming a record: that it is recognised. A record
// that says of itself that it is something else is not taken for that.
func (r *live) status(o Live) entry.Status {
	switch stage := r.text("stage"); strings.ToLower(stage) {
	case "", entry.StageDPG:
		return entry.Status{Stage: entry.StageDPG, RecognisedBy: dpga.RecognisedBy, AsOf: o.AsOf, URL: o.Origin}
	case entry.StageNominee:
		return entry.Status{Stage: entry.StageNominee, AsOf: o.AsOf, URL: o.Origin}
	default:
		r.ledger.add(r.label, "/stage", fmt.Sprintf("stage %q is neither dpg nor nominee, and no recognition is noted", clip(stage)))
		return entry.Status{}
	}
}

func number1to17(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= 17
}
