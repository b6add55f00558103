package importer

import (
	"context"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Project says how a publiccode.yml is read.
type Project struct {
	ID       string // of the entry; "" is one made of the name
	Origin   string // address of the file; "" is that of the source, or the repository's
	AsOf     string // the day of reading, "2006-01-02"
	Language string // of the registry's plain text; "" is English
}

// ReadPubliccode reads a publiccode.yml, by which a project describes itself. Facts
// are taken as package propose takes them, and with them what it says of itself in
// other languages and who owns the repository. Everything else is noted and left
// out: above all the people to contact.
func ReadPubliccode(ctx context.Context, s *Source, o Project) (*Batch, error) {
	data, err := s.read(ctx, "")
	if err != nil {
		return nil, err
	}
	if len(data) > source.MaxBytes {
		return nil, formatf("%s has %d bytes, and at most %d are read", s.Name, len(data), source.MaxBytes)
	}
	facts, err := propose.Publiccode(data)
	if err != nil {
		return nil, formatf("%s: %v", s.Name, err)
	}
	doc, _ := source.Parse(s.Name, data)
	b := &Batch{Read: 1, KeepDates: true}
	e := entry.Entry{Schema: "dpg/v1", ID: o.ID, Types: []string{"software"}} // it describes nothing else
	facts.Fill(&e)
	u := &used{at: map[string]bool{}}
	for at, has := range map[string]bool{
		"/name": e.Name != "", "/url": len(e.Repositories) > 0, "/landingURL": e.Website != "", "/legal/license": len(e.Licenses) > 0,
	} {
		u.at[at] = has
	}
	if main := orEnglish(o.Language); doc.Root.Get("description") != nil {
		e.Description = u.description(doc.Root.Get("description"), main)
		e.Aliases = u.aliases(doc.Root.Get("description"), e.Name)
	}
	e.Organizations = u.organizations(doc.Root)
	u.at["/publiccodeYmlVersion"] = true
	u.rest(b, doc.Root, "")
	if e.ID == "" {
		e.ID = propose.ID(e.Name)
	}
	if e.Name == "" {
		b.refuse("the file", e.ID, "it has no name that is one short line")
		return b, nil
	}
	if why := propose.CheckID(e.ID); why != "" {
		b.refuse("the file", e.ID, "%s; give another with --id", why)
		return b, nil
	}
	r := Record{Label: "the file", Entry: e, Origin: o.Origin}
	if r.Origin == "" {
		r.Origin = s.URL
	}
	from := entry.Source{Name: "publiccode.yml", URL: r.Origin, AsOf: o.AsOf}
	if from.URL == "" {
		from.URL = facts.Repository
	}
	r.Entry.Sources = []entry.Source{from}
	b.Records = []Record{r}
	return b, nil
}

func orEnglish(tag string) string {
	if tag == "" {
		return "en"
	}
	return tag
}

// used are the places of a file that became part of the entry.
type used struct{ at map[string]bool }

// text takes a short text of one line.
func (u *used) text(root *source.Node, keys ...string) string {
	n := root
	for _, k := range keys {
		if n == nil || n.Kind != source.Map {
			return ""
		}
		n = n.Get(k)
	}
	if n == nil || n.Kind != source.String || unfit(n.Text) != "" {
		return ""
	}
	s := strings.Join(strings.Fields(n.Text), " ")
	if len(s) > 300 {
		return ""
	}
	u.at[source.Pointer(keys...)] = true
	return s
}

// organizations are whoever owns the software and who pays for it. The owner is
// the organisation of version 0.5 of the standard, or else what earlier ones called
// the owner of the repository.
func (u *used) organizations(root *source.Node) (all []entry.Organization) {
	owner := u.organization(root.Get("organisation"), "/organisation", "owner")
	if before := u.text(root, "legal", "repoOwner"); owner.Name == "" {
		owner = entry.Organization{Name: before, Role: "owner"}
	} else if before != owner.Name {
		delete(u.at, "/legal/repoOwner")
	}
	if owner.Name != "" {
		all = append(all, owner)
	}
	if list := root.Get("fundedBy"); list != nil && list.Kind == source.List {
		taken := 0
		for _, n := range list.Items {
			if funder := u.organization(n, "/fundedBy", "funder"); funder.Name != "" {
				all, taken = append(all, funder), taken+1
			}
		}
		u.at["/fundedBy"] = taken == len(list.Items)
	}
	return all
}

// organization reads one with its name and its address; the name is "" where there
// is none to take.
func (u *used) organization(n *source.Node, at, role string) entry.Organization {
	o := entry.Organization{Role: role}
	own := used{at: map[string]bool{}}
	if o.Name = own.text(n, "name"); o.Name == "" {
		return o
	}
	// The standard wants a URI, which need not lead to a page.
	if uri := own.text(n, "uri"); propose.Address(uri) != "" {
		o.Website = uri
	} else {
		delete(own.at, "/uri")
	}
	for key := range own.at {
		u.at[at+key] = true
	}
	return o
}

// description is what the project says in each language: the short one, or else the
// long one.
func (u *used) description(n *source.Node, main string) entry.Text {
	by := map[string]string{}
	if n.Kind != source.Map {
		return entry.Text{}
	}
	for _, f := range n.Fields {
		tag := f.Key.Text
		if f.Value.Kind != source.Map || !isTag(tag) {
			continue
		}
		for _, key := range []string{"shortDescription", "longDescription"} {
			words := f.Value.Get(key)
			if words == nil || words.Kind != source.String || strings.TrimSpace(words.Text) == "" || unfit(words.Text) != "" || len([]rune(words.Text)) > 4000 {
				continue
			}
			by[tag] = strings.TrimSpace(words.Text)
			u.at[source.Pointer("description", tag, key)] = true
			break
		}
	}
	return textOf(by, main)
}

// aliases are the names that it has in other languages.
func (u *used) aliases(n *source.Node, name string) []string {
	var all []string
	if n.Kind != source.Map {
		return nil
	}
	for _, f := range n.Fields {
		s := (&used{map[string]bool{}}).text(n, f.Key.Text, "localisedName")
		if s == "" {
			continue
		}
		u.at[source.Pointer("description", f.Key.Text, "localisedName")] = true
		if s != name && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// isTag reports what may be the tag of a language.
func isTag(s string) bool {
	if len(s) < 2 || len(s) > 35 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}

// rest notes what became no part of the entry.
func (u *used) rest(b *Batch, n *source.Node, at string) {
	for _, f := range n.Fields {
		here := at + source.Pointer(f.Key.Text)
		if u.at[here] || f.Value.Kind == source.Null {
			continue
		}
		if f.Value.Kind == source.Map && u.below(here) {
			u.rest(b, f.Value, here)
			continue
		}
		why := "an entry has no place for it, and it is left out"
		switch {
		case here == "/maintenance":
			why = "people to contact are not taken over"
		case slices.Contains([]string{"/name", "/url", "/landingURL", "/legal/license"}, here):
			why = "the value is not understood, and is left out"
		}
		start := f.Key.Start()
		b.Notes = append(b.Notes, Note{start.Line, start.Col, here, why})
	}
}

// below reports whether something in a mapping became part of the entry.
func (u *used) below(at string) bool {
	for k, yes := range u.at {
		if yes && strings.HasPrefix(k, at+"/") {
			return true
		}
	}
	return false
}
