package framework

import (
	"cmp"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A Crosswalk says which codes of one framework have to do with which of others.
// It is a reading, made by whoever keeps the registry, and is shown to readers as
// "related". It is no part of a Set, so that no engine can take it for evidence.
type Crosswalk struct {
	Schema string     `yaml:"schema"` // "crosswalk/v1"
	ID     string     `yaml:"id"`     // kebab-case; the file's name
	Name   entry.Text `yaml:"name"`
	Notice entry.Text `yaml:"notice"`          // whose reading it is; shown wherever it is
	AsOf   string     `yaml:"as_of,omitempty"` // the date it was last gone over
	Rows   []Row      `yaml:"rows"`
}

// A Row is one code with what it is read to have to do with.
type Row struct {
	Code    string    `yaml:"code"` // full, such as "dpi-safeguards/O3"
	Related []Related `yaml:"related"`
}

// Related is a code of another framework, with the reason.
type Related struct {
	Code string     `yaml:"code"` // full
	Why  entry.Text `yaml:"why"`  // one sentence
}

// Within leaves out what names a code that the set has not: a registry need not use
// every framework. It returns nil where nothing is left.
func (c *Crosswalk) Within(set Set) *Crosswalk {
	there := func(full string) bool {
		_, _, err := set.Find(full)
		return err == nil
	}
	kept := *c
	kept.Rows = nil
	for _, r := range c.Rows {
		if !there(r.Code) {
			continue
		}
		r.Related = slices.DeleteFunc(slices.Clone(r.Related), func(x Related) bool { return !there(x.Code) })
		if len(r.Related) > 0 {
			kept.Rows = append(kept.Rows, r)
		}
	}
	if len(kept.Rows) == 0 {
		return nil
	}
	return &kept
}

// A Relation is a related code with the crosswalk that says so.
type Relation struct {
	Code      string
	Why       entry.Text
	Crosswalk string // id
}

// Relations gives what crosswalks relate to each full code, sorted by code and then
// by crosswalk. What a row says is read both ways.
func Relations(walks []*Crosswalk) map[string][]Relation {
	all := map[string][]Relation{}
	for _, w := range walks {
		for _, row := range w.Rows {
			for _, to := range row.Related {
				all[row.Code] = append(all[row.Code], Relation{to.Code, to.Why, w.ID})
				all[to.Code] = append(all[to.Code], Relation{row.Code, to.Why, w.ID})
			}
		}
	}
	same := func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Crosswalk, b.Crosswalk))
	}
	for code, rs := range all {
		slices.SortStableFunc(rs, same)
		all[code] = slices.CompactFunc(rs, func(a, b Relation) bool { return same(a, b) == 0 })
	}
	return all
}
