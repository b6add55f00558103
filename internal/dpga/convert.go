package dpga

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

const (
	// DataAsOf is the day on which entries of the predecessor last changed. Its
	// repository was closed in 2024 without another change to them.
	DataAsOf = "2023-01-13"

	// Repository is where the predecessor kept its files.
	Repository = "https://github.com/DPGAlliance/publicgoods-candidates"

	// RecognisedBy is who recognised the predecessor's entries of stage "DPG".
	RecognisedBy = "DPGA"

	repositoryName = "Digital Public Goods Alliance, publicgoods-candidates"

	// The predecessor asked for English, in its forms and in its schemas.
	language = "en"
)

// Options are what a caller may choose. The zero value is fine.
type Options struct {
	AsOf string // "2006-01-02", the day the facts were so; "" is DataAsOf
}

// A Converted is one subject as an entry.
type Converted struct {
	Path  string   // in the registry's folder, such as "dpgs/dhis2.yaml"
	From  []string // files of the source that it was made from: the subject's, then its screening record
	Entry entry.Entry
}

// Convert makes one entry of each file in nominees/, archive/ and
// excluded-nominees/, in the order of their paths. A screening record belongs to
// the subject of the same file name: to the one in nominees/ if there is such a
// file, else to the one in archive/, else to the one in excluded-nominees/.
//
// The id is the file's name in kebab-case. Where two subjects would have one id,
// the subject in nominees/ keeps it, before one in archive/, before one in
// excluded-nominees/; in one folder, a name that is its own id goes before one
// that had to be changed, and then the first in order of the alphabet. The
// others' ids get "-archived", "-declined" or (in nominees/) "-nominee" added,
// and a number from 2 where that too is taken. The report says so.
//
// Text is carried as it is, not trimmed, in its order, with what it holds twice;
// only blanks are left out. same_as.dpga is the file's exact name.
//
// The error is about the options.
func (s *Source) Convert(o Options) ([]Converted, *Report, error) {
	if o.AsOf == "" {
		o.AsOf = DataAsOf
	}
	if _, err := time.Parse(time.DateOnly, o.AsOf); err != nil {
		return nil, nil, fmt.Errorf("as-of date %q is not of the form 2006-01-02", o.AsOf)
	}
	s = s.clone()
	ids := s.assignIDs()
	records, orphans := s.match()
	var made []Converted
	for _, f := range s.files {
		if ids[f] == "" {
			continue
		}
		c := Converted{Path: path.Join(kindOfEntry().Folder, ids[f]+".yaml"), From: []string{f.path}}
		c.Entry = subject(f, ids[f], o)
		f.became = c.Path
		if r := records[f]; r != nil {
			screening(r, &c.Entry)
			r.became = c.Path
			c.From = append(c.From, r.path)
		}
		made = append(made, c)
	}
	for _, f := range orphans {
		f.note(NoEntry, "there is no readable file of this name in %s/, %s/ or %s/", nominees, archive, excluded)
		f.root.drop(NoEntry, "")
	}
	slices.SortFunc(made, func(a, b Converted) int { return strings.Compare(a.Path, b.Path) })
	return made, s.report(o, len(made)), nil
}

func (s *Source) report(o Options, entries int) *Report {
	r := &Report{Schema: "import-report/v1", Source: Repository, AsOf: o.AsOf, Entries: entries, Files: []File{}, Conflicts: []merge.Conflict{}}
	for _, f := range s.files {
		rf := File{Path: f.path, Became: f.became, Notes: f.notes, Leaves: f.root.leaves()}
		if rf.Notes == nil {
			rf.Notes = []Note{}
		}
		if rf.Leaves == nil {
			rf.Leaves = []Leaf{}
		}
		r.Files = append(r.Files, rf)
	}
	r.count()
	return r
}

func kindOfEntry() entry.Kind {
	i := slices.IndexFunc(entry.Kinds, func(k entry.Kind) bool { return k.Name == "dpg" })
	return entry.Kinds[i]
}

// match finds the subject of each screening record.
func (s *Source) match() (records map[*file]*file, orphans []*file) {
	subjects := map[string]*file{}
	for _, folder := range []string{nominees, archive, excluded} {
		for _, f := range s.files {
			if f.folder == folder && f.name != "" && subjects[f.name] == nil {
				subjects[f.name] = f
			}
		}
	}
	records = map[*file]*file{}
	for _, f := range s.files {
		if f.folder != screened || !f.readable() {
			continue
		}
		if owner := subjects[f.name]; owner != nil && owner.readable() {
			records[owner] = f
		} else {
			orphans = append(orphans, f)
		}
	}
	return records, orphans
}

// subject makes the entry of a file in nominees/, archive/ or excluded-nominees/.
func subject(f *file, id string, o Options) entry.Entry {
	n := f.root
	e := entry.Entry{
		Schema:   kindOfEntry().Name + "/v1",
		ID:       id,
		Language: language,
		SameAs:   &entry.SameAs{DPGA: f.name},
		Sources:  []entry.Source{{Name: repositoryName, URL: Repository, AsOf: o.AsOf}},
	}
	e.Name = word(n.get("name"), "/name")
	if e.Name == "" {
		f.note(NoName, "give it one before it is published")
	}
	e.Aliases = words(n.get("aliases"), "/aliases")
	e.Description = entry.Plain(word(n.get("description"), "/description"))
	e.Website = word(n.get("website"), "/website")
	e.Types = types(n.get("type"))
	e.Sectors = words(n.get("sectors"), "/sectors")
	e.Licenses = licenses(n.get("license"))
	e.Repositories = repositories(n)
	e.SDGs = sdgs(n.get("SDGs"))
	e.Organizations = organizations(n.get("organizations"))
	e.Status = status(f.folder, n.get("stage"), o)
	return e
}

func status(folder string, stage *node, o Options) entry.Status {
	s := entry.Status{AsOf: o.AsOf}
	said := ""
	if stage != nil && stage.kind == text {
		said = stage.text
	}
	switch {
	case folder == archive:
		s.Stage = entry.StageArchived
	case folder == excluded:
		s.Stage = entry.StageDeclined
	case said == "DPG":
		s.Stage, s.RecognisedBy, s.URL = entry.StageDPG, RecognisedBy, Repository
		stage.change("/status/stage", StageName, "")
		return s
	default:
		s.Stage = entry.StageNominee
		if said == "nominee" {
			stage.carry("/status/stage")
			return s
		}
	}
	switch {
	case stage == nil:
	case isBlank(stage):
		stage.drop(Blank, "")
	case folder == archive && said == "archive":
		stage.change("/status/stage", StageName, "")
	case stage.kind == text:
		stage.change("/status/stage", StageOfFolder, fmt.Sprintf("%q", clip(said)))
	default:
		stage.drop(OddType, "")
	}
	return s
}

func types(n *node) []string {
	ts := words(n, "/types")
	if n == nil {
		return ts
	}
	rename := func(n *node) {
		if n.kind == text && n.text == "aimodel" && n.fate != nil {
			n.change(n.fate.to, TypeName, "")
		}
	}
	rename(n)
	for _, item := range n.items {
		rename(item)
	}
	for i, t := range ts {
		if t == "aimodel" {
			ts[i] = "ai-system"
		}
	}
	return ts
}

func licenses(n *node) []entry.License {
	var ls []entry.License
	each(n, func(n *node) {
		at := "/licenses" + index(len(ls))
		var l entry.License
		if n.kind == object {
			l.Expression = word(n.get("spdx"), at+"/expression")
			l.URL = word(n.get("licenseURL"), at+"/url")
		} else { // the oldest files have a list of identifiers, or one
			l.Expression = older(n, at+"/expression")
		}
		if l != (entry.License{}) {
			ls = append(ls, l)
		}
	})
	return ls
}

func repositories(n *node) []entry.Repository {
	var rs []entry.Repository
	each(n.get("repositories"), func(n *node) {
		at := "/repositories" + index(len(rs))
		if n.kind != object {
			odd(n)
			return
		}
		r := entry.Repository{Name: word(n.get("name"), at+"/name"), URL: word(n.get("url"), at+"/url")}
		if r != (entry.Repository{}) {
			rs = append(rs, r)
		}
	})
	// An older layout has one address.
	if url := older(n.get("repositoryURL"), "/repositories"+index(len(rs))+"/url"); url != "" {
		rs = append(rs, entry.Repository{URL: url})
	}
	return rs
}

func organizations(n *node) []entry.Organization {
	var os []entry.Organization
	each(n, func(n *node) {
		at := "/organizations" + index(len(os))
		if n.kind != object {
			odd(n)
			return
		}
		o := entry.Organization{
			Name:    word(n.get("name"), at+"/name"),
			Role:    word(n.get("org_type"), at+"/role"),
			Website: word(n.get("website"), at+"/website"),
		}
		if o != (entry.Organization{}) {
			os = append(os, o)
		}
	})
	return os
}

func sdgs(n *node) []entry.SDG {
	var gs []entry.SDG
	each(n, func(n *node) {
		at := "/sdgs" + index(len(gs))
		var g entry.SDG
		switch n.kind {
		case object:
			g.Goal = goal(n.get("SDGNumber"), at+"/goal")
			g.Text = entry.Plain(word(n.get("evidenceText"), at+"/text"))
			g.Evidence = some(n.get("evidenceURL"), at+"/evidence")
		case list: // an older layout: [3, "Good Health and Well-Being"]
			for i, part := range n.items {
				switch {
				case i == 0:
					g.Goal = goal(part, at+"/goal")
				case i == 1 && part.kind == text && !isBlank(part):
					part.drop(GoalTitle, "")
				default:
					odd(part)
				}
			}
		default:
			g.Goal = goal(n, at+"/goal")
		}
		if g.Goal != 0 || !g.Text.IsZero() || g.Evidence != nil {
			gs = append(gs, g)
		}
	})
	return gs
}

// goal reads a goal's number; 0 is none.
func goal(n *node, to string) int {
	switch {
	case n == nil:
		return 0
	case n.kind == number || n.kind == text && !isBlank(n):
		if i, err := strconv.Atoi(n.text); err == nil && i != 0 {
			if n.kind == number {
				n.carry(to)
			} else {
				n.change(to, OtherType, "")
			}
			return i
		}
	}
	odd(n)
	return 0
}

// screening adds to an entry what its screening record says.
func screening(f *file, e *entry.Entry) {
	n := f.root
	if name := n.get("name"); name != nil && name.kind == text && !isBlank(name) {
		if name.text == e.Name {
			name.carry("/name")
		} else {
			name.drop(OtherName, fmt.Sprintf("%q", clip(name.text)))
		}
	} else {
		odd(name)
	}
	answers := &entry.Answers{}
	given := false
	for _, q := range questions {
		if a := q.read(n); a != nil {
			*q.Field(answers) = a
			given = true
		}
	}
	if given {
		e.Standard = answers
	}
	places := n.get("locations")
	if places != nil && (places.kind != object || places.leaf()) {
		odd(places)
	}
	l := entry.Locations{
		DevelopedIn: codes(places.get("developmentCountries"), "/locations/developed_in"),
		DeployedIn:  codes(places.get("deploymentCountries"), "/locations/deployed_in"),
	}
	if l.DevelopedIn != nil || l.DeployedIn != nil {
		e.Locations = &l
	}
}

func codes(n *node, to string) []string {
	var all []string
	each(n, func(n *node) {
		if n.kind != text || isBlank(n) {
			odd(n)
			return
		}
		code, ok := CountryCode(n.text)
		if !ok {
			n.drop(NotACountry, fmt.Sprintf("%q", clip(n.text)))
			return
		}
		n.change(to+index(len(all)), CountryToCode, code)
		all = append(all, code)
	})
	return all
}

// each calls f for the items of a list, or for the node itself where there is
// one thing and no list.
func each(n *node, f func(*node)) {
	switch {
	case n == nil:
	case n.leaf() && (n.kind == list || n.kind == object):
		n.drop(Blank, "")
	case n.kind == list:
		for _, item := range n.items {
			if item.leaf() && (item.kind == list || item.kind == object) {
				item.drop(Blank, "")
				continue
			}
			f(item)
		}
	default:
		f(n)
	}
}

// word takes one text. It returns "" where there is none.
func word(n *node, to string) string {
	switch {
	case n == nil:
		return ""
	case isBlank(n), n.kind == list, n.kind == object:
		odd(n)
		return ""
	case n.kind != text:
		n.change(to, OtherType, n.kind.String())
	case n.halved:
		n.change(to, HalfCharacter, "")
	default:
		n.carry(to)
	}
	return n.text
}

// words takes a list of texts, or one text in place of a list.
func words(n *node, to string) []string {
	var all []string
	each(n, func(item *node) {
		s := word(item, to+index(len(all)))
		if s == "" {
			return
		}
		if item == n && item.fate.action == Carried {
			item.change(item.fate.to, OtherType, "one text, not a list")
		}
		all = append(all, s)
	})
	return all
}

// some takes one text as a list of one, or a list after all.
func some(n *node, to string) []string {
	if n != nil && n.kind == list {
		return words(n, to)
	}
	if s := word(n, to+"/0"); s != "" {
		return []string{s}
	}
	return nil
}

// older takes one text from a place that an older layout had.
func older(n *node, to string) string {
	s := word(n, to)
	if s != "" && n.fate.action == Carried {
		n.change(to, OlderLayout, "")
	}
	return s
}

// isBlank reports a value that says nothing.
func isBlank(n *node) bool {
	switch n.kind {
	case null:
		return true
	case text:
		return strings.TrimSpace(n.text) == ""
	case list, object:
		return n.leaf()
	}
	return false
}

// odd drops a value that cannot be used: because it is blank, or because it is
// of the wrong sort.
func odd(n *node) {
	switch {
	case n == nil:
	case isBlank(n):
		n.drop(Blank, "")
	default:
		n.drop(OddType, n.kind.String())
	}
}

func index(i int) string { return source.Pointer(strconv.Itoa(i)) }

// clip keeps what is quoted in a report short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
