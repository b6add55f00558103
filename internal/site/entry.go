package site

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

//go:embed entry.html
var entrySource string

// pagePath is where the page of an entry is, relative to the catalog's root:
// "en/dpgs/dhis2.html" for "dpgs/dhis2.json".
func pagePath(path string) string {
	return language + "/" + strings.TrimSuffix(path, ".json") + ".html"
}

// An entryPage is what the page of one entry shows.
type entryPage struct {
	Style                                       template.CSS
	Up, API, Registry, Canonical                string
	Name, Standing, MovedTo, Updated, License   string
	Live                                        bool
	Derived                                     bool // the summary is a machine's
	About, Notice, Description, Summary, Reason phrase
	Attribution                                 phrase
	Facts                                       []fact
	Goals                                       []goal
	Codes                                       []mapped
	Data                                        any // schema.org's words for it; nil where there is nothing to tell
	E                                           catalog.Entry
}

// A fact is a row of what is known. What nobody knows has no row.
type fact struct {
	Name   string
	Values []named
}

type named struct{ Text, URL, Note string }

type goal struct {
	Goal  int
	Path  string
	About phrase
	Links []string
}

type mapped struct {
	Code, Path, State string
	Title             phrase
	Quotes            []string
}

func entryPageOf(in catalog.PageInput) entryPage {
	ix, e := *in.Index, *in.Entry
	p := entryPage{
		Style: template.CSS(style), Up: "../../", API: "../../api/v1/", Registry: ix.Name, E: e,
		Name: value(e.Name), Standing: standing(e.Status), Updated: value(e.UpdatedAt), License: value(ix.License),
		Live:   live(e),
		Notice: phraseOf(ix.Notice), Description: phraseOf(e.Description), Reason: phraseOf(e.Status.Reason), Attribution: phraseOf(ix.Attribution),
	}
	if p.Name == "" {
		p.Name = e.ID
	}
	if ix.BaseURL != nil {
		p.Canonical = baseOf(ix) + pagePath(e.Path)
	}
	// A link only to where a page is.
	if in.Moved {
		p.MovedTo = value(e.Status.MovedTo)
	}
	if a := e.Assessment; a != nil {
		if a.Summary != nil {
			p.Summary = phraseOf(a.Summary.Text)
			p.Derived = value(a.Summary.Engine) != assess.EnginePerson
		}
		for _, m := range a.Mappings {
			if m.Strength < 2 || m.State == "rejected" {
				continue
			}
			row := mapped{Code: m.Code, Path: value(m.Path), State: strings.ReplaceAll(m.State, "_", " "), Title: phraseOf(m.Title)}
			for _, q := range m.Quotes {
				row.Quotes = append(row.Quotes, q.Quote)
			}
			p.Codes = append(p.Codes, row)
		}
	}
	p.About = p.Description
	if p.About.Text == "" {
		p.About = p.Summary
	}
	p.About.Text = oneLine(p.About.Text)
	p.Facts = factsOf(e)
	for _, s := range e.SDGs {
		g := goal{Goal: s.Goal, Path: "frameworks/sdgs.json", About: phraseOf(s.Text)}
		switch {
		case in.HasView(fmt.Sprintf("sdgs/%d", s.Goal)):
			g.Path = fmt.Sprintf("frameworks/sdgs/%d.json", s.Goal)
		case !in.HasView("sdgs"): // the framework is not in use
			g.Path = "frameworks.json"
		}
		for _, link := range s.Evidence {
			if webAddress(link) {
				g.Links = append(g.Links, link)
			}
		}
		p.Goals = append(p.Goals, g)
	}
	if p.Live {
		p.Data = linkedData(ix, e, p.Canonical)
	}
	return p
}

func live(e catalog.Entry) bool { return entry.Status{Stage: e.Status.Stage}.Live() }

// factsOf lists the short facts of an entry, in the order of its keys.
func factsOf(e catalog.Entry) []fact {
	var out []fact
	add := func(name string, values ...named) {
		var known []named
		for _, v := range values {
			if !webAddress(v.URL) {
				v.URL = ""
			}
			if v.Text != "" {
				known = append(known, v)
			}
		}
		if len(known) > 0 {
			out = append(out, fact{name, known})
		}
	}
	words := func(all []string) (out []named) {
		for _, s := range all {
			out = append(out, named{Text: s})
		}
		return out
	}
	add("Also called", words(e.Aliases)...)
	add("Website", named{Text: value(e.Website), URL: value(e.Website)})
	add("Read it", named{Text: value(e.URL), URL: value(e.URL)})
	add("Format", named{Text: value(e.Format)})
	add("Published", named{Text: value(e.Published)})
	add("Languages", words(languages(e.Languages))...)
	add("Type", words(e.Types)...)
	add("Sectors", words(e.Sectors)...)
	add("Topics", words(e.Topics)...)
	var values []named
	for _, l := range e.Licenses {
		values = append(values, named{l.Expression, value(l.URL), value(l.Covers)})
	}
	add("Licence", values...)
	add("Licence seen", licensesSeen(e)...)
	values = nil
	for _, r := range e.Repositories {
		values = append(values, named{value(r.URL), value(r.URL), notes(value(r.Name), whereabouts(e, value(r.URL)))})
	}
	add("Source code", values...)
	add("Dependencies", dependenciesSeen(e)...)
	values = nil
	for _, o := range e.Organizations {
		values = append(values, named{value(o.Name), value(o.Website), value(o.Role)})
	}
	add("Organisations", values...)
	add("Contact", named{Text: value(e.ContactURL), URL: value(e.ContactURL)})
	add("Developed in", words(countries(e.Locations.DevelopedIn))...)
	add("Deployed in", words(countries(e.Locations.DeployedIn))...)
	values = nil
	for _, s := range e.Sources {
		name := value(s.Name)
		if name == "" {
			name = value(s.URL)
		}
		values = append(values, named{name, value(s.URL), value(s.AsOf)})
	}
	add("Where this comes from", values...)
	return out
}

// countries are the names of codes, sorted, and codes that have none as they are.
func countries(codes []string) []string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = cmp.Or(entry.Country(code), code)
	}
	if len(names) > 1 {
		collate.New(xlanguage.English).SortStrings(names)
	}
	return names
}

// languages are the names of language tags, and tags that have none as they are.
func languages(tags []string) []string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = tag
		t, err := xlanguage.Parse(tag)
		if _, known := t.Base(); err == nil && known != xlanguage.No {
			names[i] = cmp.Or(display.English.Tags().Name(t), tag)
		}
	}
	return names
}

func notes(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "; ")
}

// webAddress reports whether a text may stand as a link: others, such as
// javascript:, are shown and lead nowhere.
func webAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}
