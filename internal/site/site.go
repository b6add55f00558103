// Package site makes the pages that people read from a catalog, and serves a
// folder that holds one. Its pages need no script and ask nothing of anybody
// else's server.
package site

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/collate"
	xlanguage "golang.org/x/text/language"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

//go:embed front.html
var frontSource string

//go:embed style.css
var style string

var front = sync.OnceValues(func() (*template.Template, error) {
	t, err := template.New("front").Parse(frontSource)
	if err != nil {
		return nil, err
	}
	if _, err := t.New("entry").Parse(entrySource); err != nil {
		return nil, err
	}
	return t, nil
})

// language is that of the words around what entries say.
const language = "en"

// Pages makes the pages of a catalog: one at the root and the same under its
// language, whose address stays when others come; one for each entry under the
// language; and a sitemap of them all. The zero value is ready to use.
type Pages struct{}

// ups lead from the front pages to the root of the catalog, in the order of the
// lines of an entry.
var ups = [...]struct{ name, up string }{{"index.html", ""}, {language + "/index.html", "../"}}

// Entry makes the page of an entry, and its line on each of the front pages.
func (Pages) Entry(in catalog.PageInput) (catalog.EntryPage, error) {
	out := catalog.EntryPage{Path: pagePath(in.Entry.Path)}
	t, err := front()
	if err != nil {
		return out, err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "entry", entryPageOf(in)); err != nil {
		return out, fmt.Errorf("write the page of %s/%s: %w", in.Entry.Kind, in.Entry.ID, err)
	}
	out.Data = bytes.Clone(b.Bytes())
	if in.Item == nil {
		return out, nil
	}
	l := lineOf(*in.Item)
	for _, at := range ups {
		l.Up, l.API = at.up, at.up+"api/v1/"
		b.Reset()
		if err := t.ExecuteTemplate(&b, "line", l); err != nil {
			return out, fmt.Errorf("write the line of %s/%s: %w", in.Entry.Kind, in.Entry.ID, err)
		}
		out.Lines = append(out.Lines, bytes.Clone(b.Bytes()))
	}
	// As a reader looks for a name: whatever its case and accents.
	var key collate.Buffer
	out.Key = bytes.Clone(collate.New(xlanguage.English, collate.IgnoreCase).KeyFromString(&key, l.Name))
	return out, nil
}

// Rest adds the front pages and the sitemap.
func (Pages) Rest(c *catalog.Catalog) error {
	for i, at := range ups {
		page, err := frontPage(c, i)
		if err != nil {
			return err
		}
		if err := c.Add(at.name, page); err != nil {
			return err
		}
	}
	return addSitemap(c)
}

// frontPage says what is in a catalog and how to use it, in one of its forms.
func frontPage(c *catalog.Catalog, form int) ([]byte, error) {
	t, err := front()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	p, err := pageOf(c, form)
	if err != nil {
		return nil, err
	}
	size := 64 << 10
	for _, k := range p.Kinds {
		for _, l := range k.Entries {
			size += len(l) + 16
		}
	}
	b.Grow(size)
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write front page: %w", err)
	}
	return b.Bytes(), nil
}

// A page is what the template shows. Links are relative, so that a site may
// stand under any path.
type page struct {
	Style                             template.CSS
	Up, API                           string
	Name                              string
	Notice, Description, Attribution  phrase
	License, Publisher, PublisherURL  string
	ContactURL, Repository            string
	LegalURL, PrivacyURL, BaseURL     string
	Commit, Date                      string
	Kinds                             []kind
	Frameworks                        []frame
	Data                              any    // schema.org's words for the catalog
	Example, ExampleList, ExampleView string // paths for the lines that show the API
}

// A phrase is text with its language, where that is not the page's own.
type phrase struct{ Text, Lang string }

type kind struct {
	Title, ID, Path string
	Total           int
	Stages          []count
	Entries         []template.HTML // a line each, written already
}

type count struct {
	Name  string
	Total int
}

type line struct {
	Up, API                          string
	Name, Page, Path, Stage, License string
	About                            phrase // a person's words
	Derived                          phrase // a summary that a machine made of the entry's fields
}

type frame struct {
	ID, Path, Version, License string
	Name, Attribution          phrase
	Total                      int
	Lists                      []codeList
}

type codeList struct {
	Name  phrase
	Codes []code
}

// A code shows its number where there is one to speak of: where nothing is ever
// mapped to a list, a zero would look like an answer.
type code struct {
	Code, Path string
	Name       phrase
	Total      int
	Counted    bool
}

func pageOf(c *catalog.Catalog, form int) (page, error) {
	up := ups[form].up
	ix := c.Index
	p := page{
		Style: template.CSS(style), Up: up, API: up + "api/v1/",
		Name: ix.Name, Notice: phraseOf(ix.Notice), Description: phraseOf(ix.Description), Attribution: phraseOf(ix.Attribution),
		License: value(ix.License), Publisher: value(ix.Publisher.Name), PublisherURL: value(ix.Publisher.URL),
		ContactURL: value(ix.ContactURL), Repository: value(ix.Repository),
		LegalURL: value(ix.LegalURL), PrivacyURL: value(ix.PrivacyURL), BaseURL: baseOf(ix),
		Commit: value(ix.SourceCommit), Example: "dpgs/{id}.json", ExampleList: "index.json",
		ExampleView: "frameworks/{framework}/{id}.json",
	}
	p.Data = catalogData(ix)
	p.Date, _, _ = strings.Cut(value(ix.GeneratedAt), "T")
	for _, k := range ix.Kinds {
		of, err := kindOf(k, c.Facts[k.Name], form)
		if err != nil {
			return p, err
		}
		p.Kinds = append(p.Kinds, of)
		for _, f := range c.Facts[k.Name] {
			if f.Live() && strings.HasSuffix(p.Example, "{id}.json") {
				p.Example, p.ExampleList = f.Path, k.Path
			}
		}
	}
	for i, f := range c.Frameworks {
		p.Frameworks = append(p.Frameworks, frameOf(ix.Frameworks[i], f))
		for _, c := range f.Codes {
			if c.EntryCount > 0 && strings.HasSuffix(p.ExampleView, "{id}.json") {
				p.ExampleView = c.Path
			}
		}
	}
	return p, nil
}

// baseOf is what addresses of the catalog begin with. Without one in the
// settings a reader has to put the site's own.
func baseOf(ix catalog.Index) string {
	base := value(ix.BaseURL)
	if base == "" {
		base = "https://YOUR-SITE/"
	}
	return strings.TrimSuffix(base, "/") + "/"
}

func kindOf(k catalog.KindSummary, entries []*catalog.Facts, form int) (kind, error) {
	out := kind{Title: phraseOf(k.Plural).Text, ID: k.Name, Path: k.Path, Total: k.EntryCount}
	for _, s := range []count{
		{"recognised", k.Stages[entry.StageDPG]},
		{"nominated", k.Stages[entry.StageNominee]},
		{"listed", k.Stages[entry.StageListed]},
		{"archived", k.Stages[entry.StageArchived]},
		{"declined", k.Stages[entry.StageDeclined]},
		{"renamed", k.Stages[entry.StageRenamed]},
		{"removed", k.Stages[entry.StageRemoved]},
	} {
		if s.Total > 0 {
			out.Stages = append(out.Stages, s)
		}
	}
	type listed struct {
		by   *catalog.Facts
		line template.HTML
	}
	byName := make([]listed, 0, len(entries))
	err := catalog.PageLines(entries, form, func(f *catalog.Facts, line []byte) error {
		byName = append(byName, listed{f, template.HTML(line)}) // the template of a line escaped it
		return nil
	})
	slices.SortFunc(byName, func(a, b listed) int {
		return cmp.Or(bytes.Compare(a.by.PageKey, b.by.PageKey), strings.Compare(a.by.Ref.ID, b.by.Ref.ID))
	})
	out.Entries = make([]template.HTML, 0, len(byName))
	for _, l := range byName {
		out.Entries = append(out.Entries, l.line)
	}
	return out, err
}

func lineOf(it catalog.Item) line {
	about, derived := aboutOf(it)
	name := value(it.Name)
	if name == "" {
		name = it.ID
	}
	return line{
		Name: name, Page: pagePath(it.Path), Path: it.Path, Stage: standing(it.Status), License: strings.Join(it.LicenseExpressions, ", "), About: about, Derived: derived,
	}
}

// standing says in words where an entry stands, by whose word and since when.
func standing(s catalog.Status) string {
	words := s.Stage
	switch s.Stage {
	case entry.StageDPG:
		words = "recognised"
		if by := value(s.RecognisedBy); by != "" {
			words += " by " + oneLine(by)
		}
	case entry.StageNominee:
		words = "nominated"
	}
	if date := value(s.AsOf); date != "" {
		words += ", " + date
	}
	return words
}

// aboutOf gives what a list says of an entry: a person's words first, and a summary
// in their place only where they are missing or too long for a list. What no person
// wrote is marked. A summary is short already, and stands uncut.
func aboutOf(it catalog.Item) (about, derived phrase) {
	words, summary := phraseOf(it.Description), phraseOf(it.SummaryText)
	words.Text, summary.Text = oneLine(words.Text), strings.Join(strings.Fields(summary.Text), " ")
	byPerson := value(it.SummaryEngine) == assess.EnginePerson
	switch {
	case summary.Text == "":
		return words, phrase{}
	case it.SummaryFirst && byPerson, words.Text == "" && byPerson:
		return summary, phrase{}
	case it.SummaryFirst, words.Text == "":
		return phrase{}, summary
	case byPerson:
		return words, phrase{}
	}
	return words, summary
}

func frameOf(s catalog.FrameworkSummary, f catalog.Framework) frame {
	out := frame{
		ID: f.ID, Path: s.Path, Version: value(f.Version), License: value(f.SourceLicense),
		Name: phraseOf(f.Title), Attribution: phraseOf(f.SourceAttribution), Total: s.EntryCount,
	}
	for _, l := range f.Lists {
		list := codeList{Name: phraseOf(l.Title)}
		for _, c := range f.Codes {
			if c.List == l.ID {
				list.Codes = append(list.Codes, code{c.ID, c.Path, phraseOf(c.Title), c.EntryCount, l.Mapped || c.EntryCount > 0})
			}
		}
		out.Lists = append(out.Lists, list)
	}
	return out
}

// phraseOf takes the page's language where it can be had, or else the first by
// tag.
func phraseOf(t catalog.Text) phrase {
	if s := t[language]; s != "" {
		return phrase{Text: s}
	}
	var best phrase
	for lang, s := range t {
		if s != "" && (best.Lang == "" || lang < best.Lang) {
			best = phrase{s, lang}
		}
	}
	return best
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// oneLine is the beginning of a text without its line breaks.
func oneLine(s string) string {
	const most = 180
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	cut := string([]rune(s)[:most])
	if i := strings.LastIndexByte(cut, ' '); i > most/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:.") + "…"
}
