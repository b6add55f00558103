package published

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// Severity says how much a reader is hurt by a difference.
type Severity string

// The severities, falling. What is breaking stops programs that kept to the
// promise of api/v1; what is notable changes what they say; the rest adds to it.
const (
	Breaking Severity = "breaking"
	Notable  Severity = "notable"
	Harmless Severity = "harmless"
)

// A Difference is one thing that a reader would notice.
type Difference struct {
	Severity Severity `json:"severity"`
	Path     string   `json:"path"` // of the file, relative to api/v1/
	What     string   `json:"what"`
	// Break names a breaking difference, for an exception to name: such as
	// "key-gone entry.sbom.url" or "id-lost dpgs/dhis2".
	Break string `json:"break,omitempty"`
}

// MinShare is the share of live entries of a kind that must be left: with fewer, a
// build has lost some by mistake more often than not.
const MinShare = 0.9

// Compare lists what differs between two catalogs, by severity, path and text.
func Compare(ctx context.Context, before, after *Site) ([]Difference, error) {
	c := comparison{}
	if err := c.before.load(ctx, before); err != nil {
		return nil, err
	}
	if err := c.after.load(ctx, after); err != nil {
		return nil, err
	}
	c.files()
	c.entries()
	c.counts()
	c.shapes()
	order := []Severity{Breaking, Notable, Harmless}
	slices.SortFunc(c.out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity)),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(c.out), nil
}

// An edition is one of the two catalogs.
type edition struct {
	sums    map[string]string         // of every file
	index   catalog.Index             //
	entries map[string]*catalog.Entry // by path relative to api/v1/
	shapes  map[string]*shape         // by sort of response
}

type comparison struct {
	before, after edition
	out           []Difference
}

func (c *comparison) add(s Severity, path, what, broken string) {
	c.out = append(c.out, Difference{s, path, what, broken})
}

// load reads what is compared: the list of files, and every response once.
func (e *edition) load(ctx context.Context, s *Site) error {
	m, err := s.manifest(ctx)
	if err != nil {
		return err
	}
	e.sums, e.entries, e.shapes = map[string]string{}, map[string]*catalog.Entry{}, map[string]*shape{}
	for _, f := range m.Files {
		e.sums[f.Path] = f.SHA256
		sort := response(f.Path)
		if sort == "" || sort == "full" || sort == "full-shard" { // which say again what the entries say
			continue
		}
		data, err := s.read(ctx, f.Path, int64(f.Bytes))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s lacks %s, which its manifest lists; dpg verify says what else is wrong", s, f.Path)
		}
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", f.Path, s, err)
		}
		value, err := decode(data)
		if err != nil {
			return fmt.Errorf("%s of %s is not JSON (%w); dpg verify says what else is wrong", f.Path, s, err)
		}
		if e.shapes[sort] == nil {
			e.shapes[sort] = &shape{}
		}
		e.shapes[sort].see(value)
		// A key of another type is left out, and told by the shapes.
		switch sort {
		case "index":
			_ = json.Unmarshal(data, &e.index)
		case "entry":
			entry := new(catalog.Entry)
			_ = json.Unmarshal(data, entry)
			e.entries[strings.TrimPrefix(f.Path, apiFolder)] = entry
		}
	}
	return nil
}

// files compares what there is beside entries.
func (c *comparison) files() {
	api := func(sums map[string]string) map[string]bool {
		names := map[string]bool{}
		for name := range sums {
			// How many pages and shards there are goes with how many entries there are.
			rest, ok := strings.CutPrefix(name, apiFolder)
			if sort := response(name); ok && sort != "entry" && sort != "full-shard" && !isPage(sort) {
				names[rest] = true
			}
		}
		return names
	}
	was, is := api(c.before.sums), api(c.after.sums)
	for name := range was {
		if is[name] {
			continue
		}
		// A view of a code, a licence or a country comes and goes with what stands in it.
		if dir, _ := path.Split(name); dir != "" && dir != "frameworks/" && dir != "views/" {
			c.add(Notable, name, "it is gone", "")
		} else {
			c.add(Breaking, name, "it is gone", "file-gone "+name)
		}
	}
	for name := range is {
		if !was[name] {
			c.add(Harmless, name, "it is new", "")
		}
	}
}

// entries compares entries by id.
func (c *comparison) entries() {
	for name, was := range c.before.entries {
		is := c.after.entries[name]
		if is == nil {
			id := strings.TrimSuffix(name, ".json")
			c.add(Breaking, name, "the id is gone; it should answer for ever, if only to say that it was removed", "id-lost "+id)
			continue
		}
		if was.Status.Stage != is.Status.Stage {
			c.add(Notable, name, fmt.Sprintf("its stage was %q and is %q", was.Status.Stage, is.Status.Stage), "")
		}
		for _, f := range []struct {
			what    string
			was, is any
		}{
			{"name", was.Name, is.Name},
			{"licences", was.Licenses, is.Licenses},
			{"website", was.Website, is.Website},
			{"types", was.Types, is.Types},
			{"other names", was.SameAs, is.SameAs},
			{"codes", codes(was), codes(is)},
		} {
			if a, b := text(f.was), text(f.is); a != b {
				c.add(Notable, name, fmt.Sprintf("its %s: %s before, %s now", f.what, a, b), "")
			}
		}
		if c.before.sums[apiFolder+name] != c.after.sums[apiFolder+name] && !slices.ContainsFunc(c.out, func(d Difference) bool { return d.Path == name }) {
			c.add(Harmless, name, "it says other things", "")
		}
	}
	for name, is := range c.after.entries {
		if c.before.entries[name] == nil {
			c.add(Harmless, name, fmt.Sprintf("entry %q is new", is.ID), "")
		}
	}
}

// codes are those that stand in views.
func codes(e *catalog.Entry) []string {
	out := []string{}
	if e.Assessment != nil {
		for _, m := range e.Assessment.Mappings {
			if m.Strength == 2 && m.State != "rejected" {
				out = append(out, m.Code)
			}
		}
	}
	return out
}

// text is a value on one line, of a bounded length.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if r := []rune(string(data)); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return string(data)
}

// counts looks for a kind that shrank.
func (c *comparison) counts() {
	is := map[string]int{}
	for _, k := range c.after.index.Kinds {
		is[k.Name] = k.EntryCount
	}
	for _, k := range c.before.index.Kinds {
		n, there := is[k.Name]
		switch {
		case !there:
			c.add(Breaking, "index.json", fmt.Sprintf("kind %q is gone", k.Name), "kind-gone "+k.Name)
		case float64(n) < MinShare*float64(k.EntryCount):
			c.add(Breaking, k.Path, fmt.Sprintf("it had %d entries and has %d; fewer than %.0f %% are left", k.EntryCount, n, MinShare*100), "entries-lost "+k.Name)
		}
	}
}

// shapes compares the keys and types of each sort of response.
func (c *comparison) shapes() {
	for _, sort := range slices.Sorted(maps.Keys(c.before.shapes)) {
		if is := c.after.shapes[sort]; is != nil {
			c.shape(sort, sort, c.before.shapes[sort], is)
		}
	}
}

// open are the keys whose objects have keys that come and go: languages, stages,
// kinds, lists.
var open = map[string]bool{
	"title": true, "plural": true, "description": true, "notice": true, "attribution": true, "source_attribution": true,
	"summary_text": true, "text": true, "reason": true, "stages": true, "entries": true, "relations": true,
	"by_type": true, "by_sector": true, "by_license": true, "by_country": true, "by_sdg": true, "by_code": true,
}

func (c *comparison) shape(sort, at string, was, is *shape) {
	if gone := slices.DeleteFunc(slices.Sorted(maps.Keys(is.types)), func(t string) bool { return t == "null" || was.types[t] }); len(gone) > 0 && len(was.types) > 0 && (len(was.types) > 1 || !was.types["null"]) {
		c.add(Breaking, sort, fmt.Sprintf("%s was %s and now is %s too", at, kinds(was), strings.Join(gone, " or ")), "type-changed "+at)
	} else if at == sort && is.types["null"] && !was.types["null"] && len(was.types) > 0 { // a whole response, not a key of one
		c.add(Breaking, sort, fmt.Sprintf("%s was %s and now is null", at, kinds(was)), "type-changed "+at)
	} else if is.types["null"] && !was.types["null"] && len(was.types) > 0 && !open[path.Ext("."+at)] {
		c.add(Notable, sort, fmt.Sprintf("%s, always there before, is null in places", at), "")
	}
	if was.objects > 0 && is.objects > 0 {
		for _, key := range slices.Sorted(maps.Keys(was.keys)) {
			child := was.keys[key]
			if child.seen == was.objects && (is.keys[key] == nil || is.keys[key].seen < is.objects) && !open[last(at)] {
				c.add(Breaking, sort, fmt.Sprintf("%s.%s, always there before, is missing", at, key), "key-gone "+at+"."+key)
			}
			if is.keys[key] != nil {
				c.shape(sort, at+"."+key, child, is.keys[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(is.keys)) {
			if was.keys[key] == nil && !open[last(at)] {
				c.add(Harmless, sort, fmt.Sprintf("%s.%s is a new key", at, key), "")
			}
		}
	}
	if was.items != nil && is.items != nil {
		c.shape(sort, at+"[]", was.items, is.items)
	}
}

func last(at string) string {
	return strings.TrimSuffix(at[strings.LastIndexByte(at, '.')+1:], "[]")
}

// A shape is what values at one place of a response look like.
type shape struct {
	seen    int // how many values there were
	types   map[string]bool
	objects int
	keys    map[string]*shape
	items   *shape
}

func kinds(s *shape) string { return strings.Join(slices.Sorted(maps.Keys(s.types)), " or ") }

func (s *shape) see(v any) {
	s.seen++
	if s.types == nil {
		s.types = map[string]bool{}
	}
	switch v := v.(type) {
	case nil:
		s.types["null"] = true
	case bool:
		s.types["boolean"] = true
	case json.Number:
		s.types["number"] = true
	case string:
		s.types["string"] = true
	case []any:
		s.types["list"] = true
		if s.items == nil {
			s.items = &shape{}
		}
		for _, x := range v {
			s.items.see(x)
		}
	case map[string]any:
		s.types["object"] = true
		s.objects++
		if s.keys == nil {
			s.keys = map[string]*shape{}
		}
		for key, x := range v {
			if s.keys[key] == nil {
				s.keys[key] = &shape{}
			}
			s.keys[key].see(x)
		}
	}
}
