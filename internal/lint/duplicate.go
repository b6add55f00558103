package lint

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var duplicate = &Rule{
	ID:       "duplicate",
	Severity: diag.Warning,
	Summary:  "one subject has one entry",
	Doc: `Two entries of a kind that share a name, an alias or a repository are usually the same subject, written twice or
under an old name; entries that are archived or declined count too. Bring them together: add to the one that is there
instead of making another, or, where both are there, keep one and give the other the stage "renamed" with "moved_to". An id in two files is an error. Names are compared without case,
accents and punctuation, repositories without scheme, "www." and ".git".`,
	CheckAll: func(p *RegistryPass) {
		groups := newGroups()
		for _, d := range p.Registry.Docs {
			groups.add(idKey+d.Ref.String(), mention{doc: d, pointer: "/id", what: "id", value: d.Ref.ID})
			eachMention(d, groups.add)
		}
		reported := map[[2]*registry.Doc]bool{} // a pair of entries, once for each sort of thing
		for _, what := range []string{idKey, "name ", "repository "} {
			clear(reported)
			for _, key := range groups.order {
				if strings.HasPrefix(key, what) {
					reportGroup(p, groups.by[key], reported)
				}
			}
		}
	},
}

// eachMention gives the names and repositories of an entry, each with the key
// that another entry would share.
func eachMention(d *registry.Doc, visit func(key string, m mention)) {
	if d.Record == nil {
		return
	}
	kind := d.Kind.Name
	if key := fold(d.Record.Name); key != "" {
		visit("name "+kind+"/"+key, mention{d, "/name", "name", d.Record.Name})
	}
	for i, alias := range d.Record.Aliases {
		if key := fold(alias); key != "" {
			visit("name "+kind+"/"+key, mention{d, item("/aliases", i), "alias", alias})
		}
	}
	for i, address := range d.Record.Repositories {
		if key := CanonicalRepository(address); key != "" {
			visit("repository "+kind+"/"+key, mention{d, item("/repositories", i, "url"), "repository", address})
		}
	}
}

// Mentions gives what an entry says that should be its own: a key that any other
// entry of the same subject shares, such as one with the same repository under
// another address, what it is, and the value as written.
func Mentions(d *registry.Doc, visit func(key, what, value string)) {
	eachMention(d, func(key string, m mention) { visit(key, m.what, m.value) })
}

// A mention is a place where an entry gives something that should be its own.
type mention struct {
	doc     *registry.Doc
	pointer string
	what    string
	value   string
}

type groups struct {
	by    map[string][]mention
	order []string
}

func newGroups() *groups { return &groups{by: map[string][]mention{}} }

// add keeps one mention a file: what a file says twice is no matter of two.
func (g *groups) add(key string, m mention) {
	ms := g.by[key]
	if len(ms) == 0 {
		g.order = append(g.order, key)
	}
	if len(ms) == 0 || ms[len(ms)-1].doc != m.doc {
		g.by[key] = append(ms, m)
	}
}

// reportGroup reports each mention against the first; the first itself only where
// it is the one that somebody waits for.
func reportGroup(p *RegistryPass, ms []mention, reported map[[2]*registry.Doc]bool) {
	if len(ms) < 2 {
		return
	}
	first, seen := ms[0], false
	for _, m := range ms[1:] {
		if p.Wants(m.doc.Path) {
			seen = true
			reportPair(p, m, first, reported)
		}
	}
	if !seen && p.Wants(first.doc.Path) {
		reportPair(p, first, ms[1], reported)
	}
}

func reportPair(p *RegistryPass, m, other mention, reported map[[2]*registry.Doc]bool) {
	pair := [2]*registry.Doc{m.doc, other.doc}
	if reported[pair] || m.what != "id" && movedBetween(m.doc, other.doc) {
		return
	}
	reported[pair] = true
	hint := sameHint(p, m.doc, other.doc)
	if m.what == "id" {
		hint = "give one of the two another id and file name"
	}
	of := quote(other.doc.Ref.String())
	if r := other.doc.Record; r != nil && r.Stage != "" && !(entry.Status{Stage: r.Stage}).Live() {
		of += " (" + r.Stage + ")"
	}
	message := fmt.Sprintf("%s %s is that of %s too", m.what, quote(m.value), of)
	if m.what == "id" {
		message = fmt.Sprintf("id %s is taken by another file", quote(m.value))
	}
	d := p.report(m.doc, m.pointer, hint, message)
	d.related = &place{other.doc, other.pointer, "the other " + other.what}
	if m.what == "id" {
		d.Severity = diag.Error
	}
}

// sameHint says what to do with two entries that may be of one subject. One that
// was never published need not become a tombstone.
func sameHint(p *RegistryPass, a, b *registry.Doc) string {
	isNew := func(d *registry.Doc) bool { return p.isNew != nil && p.isNew(d.Path) }
	if isNew(b) {
		a, b = b, a
	}
	switch {
	case isNew(a) && isNew(b):
		return "is it the same? then keep one of the two; if it is not, same_as can say what each is elsewhere"
	case isNew(a):
		return "is it the same? then edit " + quote(b.Path) + " instead; if it is not, same_as can say what each is elsewhere"
	}
	return `if it is the same, keep one and give the other stage "renamed" and "moved_to"`
}

// movedBetween reports whether one of the two says that the other stands for it.
func movedBetween(a, b *registry.Doc) bool {
	to := func(from, to *registry.Doc) bool {
		return from.Record != nil && from.Record.MovedTo != "" && from.Ref.Kind == to.Ref.Kind &&
			from.Record.Stage == entry.StageRenamed && from.Record.MovedTo == to.Ref.ID
	}
	return to(a, b) || to(b, a)
}

// CanonicalRepository reduces the address of a repository to what makes it the
// same one, such as "github.com/dhis2/dhis2-core"; "" is no repository. A page of an
// account on a known forge is none, since unrelated work is kept there.
func CanonicalRepository(address string) string {
	text, _ := trim(address)
	if strings.IndexByte(text, '@') < 0 {
		// no address for Git, which the pattern takes its time to find out
	} else if m := gitAddress.FindStringSubmatch(text); m != nil {
		text = "https://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil { // a name or password is not to be repeated in a finding
		return ""
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	name := strings.Trim(u.Path, "/")
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".git"), "/")
	if name == "" {
		return ""
	}
	switch host {
	case "github.com", "gitlab.com", "bitbucket.org", "codeberg.org":
		name = strings.ToLower(name) // these do not tell cases apart
		owner, repository, _ := strings.Cut(name, "/")
		if repository == "" || owner == "orgs" || owner == "users" {
			return ""
		}
	}
	if u.RawQuery != "" { // gitweb and the like name the repository there
		name += "?" + u.RawQuery
	}
	return host + "/" + name
}
