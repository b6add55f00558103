// Package document writes a catalog as an SPDX 2.3 document, with the model and
// the writer of tools-golang: one package a live entry. It says in notes what
// SPDX 2.3 has no words for, and invents nothing: what is not known is
// NOASSERTION. The same catalog gives the same bytes.
package document

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	spdxjson "github.com/spdx/tools-golang/json"
	tools "github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

const noAssertion = "NOASSERTION"

// Write writes the document of a catalog as JSON. It is an error if the catalog is
// of no commit, which is where the document's name and date come from; if its
// data are under another licence than the one SPDX asks of every document; or if
// there is no entry to describe.
//
// The entries are read twice: first for the licences of their own, which a
// document lists as a whole, then each for its package.
func Write(w io.Writer, x *catalog.Export) ([]catalog.Note, error) {
	ix := x.Index
	switch {
	case ix.SourceCommit == nil || ix.GeneratedAt == nil:
		return nil, errors.New("an SPDX document carries the id and the date of the commit it is made from: commit what is changed, then export")
	case value(ix.License) != tools.DataLicense:
		return nil, fmt.Errorf("an SPDX document has to be under %s, and this registry's data are under %q (license in registry.yaml): export another format",
			tools.DataLicense, value(ix.License))
	}
	m := &maker{index: ix, notes: catalog.Notes{}}
	if err := m.readLicenses(x); err != nil {
		return nil, err
	}
	if len(m.described) == 0 {
		return nil, errors.New("there is no live entry, and an SPDX document has to describe something")
	}
	// What comes before the packages and behind them is written with one of each
	// that no entry can be.
	head := &tools.Document{
		SPDXVersion: tools.Version, DataLicense: tools.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: oneLine(ix.Name), DocumentNamespace: namespace(ix), DocumentComment: m.comment(),
		CreationInfo: &tools.CreationInfo{
			LicenseListVersion: listVersion(), Created: *ix.GeneratedAt, Creators: m.creators(),
		},
		OtherLicenses: m.otherLicenses(),
		Packages:      []*tools.Package{{}},
		Relationships: []*tools.Relationship{describes("-")},
	}
	p := &parts{w: w}
	before, between, after, err := around(head)
	if err != nil {
		return nil, err
	}
	p.write(before)
	for e, err := range x.Live() {
		if err != nil {
			return nil, err
		}
		p.element(m.pkg(*e))
	}
	p.end(between)
	for _, id := range m.described {
		p.element(describes(id))
	}
	p.end(after)
	return m.notes.In(noteOrder), p.err
}

func describes(id common.ElementID) *tools.Relationship {
	return &tools.Relationship{
		RefA:         common.MakeDocElementID("", "DOCUMENT"),
		RefB:         common.DocElementID{ElementRefID: id},
		Relationship: common.TypeRelationshipDescribe,
	}
}

// indent stands before the elements of a list of the document.
const indent = "    "

// element writes one of them as tools-golang has it in a document.
func element(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(indent, "  ")
	err := enc.Encode(v)
	return append([]byte("\n"+indent), bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), err
}

// around cuts a document at its one package and its one relationship.
func around(doc *tools.Document) (before, between, after []byte, err error) {
	var b bytes.Buffer
	pkg, err := element(doc.Packages[0])
	if err != nil {
		return nil, nil, nil, err
	}
	relationship, err := element(doc.Relationships[0])
	if err != nil {
		return nil, nil, nil, err
	}
	if err := spdxjson.Write(doc, &b, spdxjson.Indent("  "), spdxjson.EscapeHTML(false)); err != nil {
		return nil, nil, nil, err
	}
	// A text has no line break as it is written, so that no text is either of them.
	before, rest, one := bytes.Cut(b.Bytes(), pkg)
	between, after, two := bytes.Cut(rest, relationship)
	if !one || !two {
		return nil, nil, nil, errors.New("tools-golang writes packages or relationships otherwise than this program")
	}
	return before, between, after, nil
}

// parts writes a document part by part. The first error stays.
type parts struct {
	w     io.Writer
	begun bool // an element of the list has been written
	err   error
}

func (p *parts) write(data []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(data)
	}
}

func (p *parts) element(v any) {
	if p.begun {
		p.write([]byte(","))
	}
	p.begun = true
	data, err := element(v)
	if p.err == nil {
		p.err = err
	}
	p.write(data)
}

// end ends a list with what comes behind it.
func (p *parts) end(data []byte) {
	p.begun = false
	p.write(data)
}

// maker holds what the parts of one document have in common.
type maker struct {
	index     catalog.Index
	described []common.ElementID
	refs      map[ref]string
	users     map[ref][]string // the entries that say so, in the order of the catalog
	notes     catalog.Notes
}

// The notes, in the order they are given.
const (
	noteSeveral    = "several licences are declared, which SPDX 2.3 can only join by AND; what each covers stands in licenseComments"
	noteExpression = "the licence is no SPDX licence expression, so none is declared"
	noteAddition   = "AdditionRef- is of SPDX 3 and cannot be said in 2.3, so no licence is declared"
	noteElsewhere  = "DocumentRef- names another SPDX document, of which nothing is known here, so no licence is declared"
	noteRenamed    = "one LicenseRef- stands for licences at different addresses, so each got a number of its own"
	noteAddress    = "what stands for an address cannot be one, so it is left out"
	notePURL       = "same_as.purl is no package URL, so it is left out"
	noteWikidata   = "same_as.wikidata is no id of Wikidata, so it is left out"
	noteConcluded  = "what was observed is a licence that is not on the SPDX list, so none is concluded"
	noteQuotes     = "double quotes in an organisation's name are written as single ones, which every reader of SPDX understands"
)

var noteOrder = []string{noteSeveral, noteExpression, noteAddition, noteElsewhere, noteRenamed, noteAddress, notePURL, noteWikidata, noteConcluded, noteQuotes}

func (m *maker) note(e catalog.Entry, text string) { m.notes.Add(text, nameOf(e)) }

// declared is what an entry says of its licences, as far as SPDX 2.3 can.
type declared struct {
	parts []part
	fault string // the note that says why nothing can be declared; "" where it can
}

type part struct {
	expr spdx.Expr
	url  string // where its text is; "" is not known
}

// A ref is a licence of somebody's own: LicenseRef- means something only beside
// its text.
type ref struct{ id, url string }

// readLicenses parses the licences of all entries and gives each licence of
// somebody's own an id that means one thing in the whole document.
func (m *maker) readLicenses(x *catalog.Export) error {
	urls := map[string][]string{} // id as written to the addresses it is used for
	m.users = map[ref][]string{}
	for e, err := range x.Live() {
		if err != nil {
			return err
		}
		m.described = append(m.described, elementID(*e))
		d := read(*e)
		if d.fault != "" {
			continue
		}
		for _, p := range d.parts {
			for _, id := range ownLicenses(p.expr) {
				r, name := ref{id, p.url}, nameOf(*e)
				all := m.users[r]
				if len(all) == 0 {
					urls[id] = append(urls[id], p.url)
				}
				if len(all) == 0 || all[len(all)-1] != name {
					m.users[r] = append(all, name)
				}
			}
		}
	}
	m.refs = map[ref]string{}
	for _, id := range slices.Sorted(maps.Keys(urls)) {
		slices.Sort(urls[id])
		n := 0
		for _, url := range urls[id] {
			name := id
			for len(urls[id]) > 1 && urls[name] != nil {
				n++
				name = fmt.Sprintf("%s-%d", id, n)
			}
			m.refs[ref{id, url}] = name
		}
	}
	return nil
}

// read takes an entry's licences apart.
func read(e catalog.Entry) declared {
	var d declared
	for _, l := range e.Licenses {
		x, err := spdx.Parse(l.Expression)
		switch {
		case err != nil:
			d.fault = cmp.Or(d.fault, noteExpression)
		case uses(x, "AdditionRef-"):
			d.fault = cmp.Or(d.fault, noteAddition)
		case uses(x, "DocumentRef-"):
			d.fault = cmp.Or(d.fault, noteElsewhere)
		}
		d.parts = append(d.parts, part{x, value(l.URL)})
	}
	return d
}

// uses reports whether an expression has an id with a prefix. An id that begins
// with one, behind "DocumentRef-x:", counts too.
func uses(x spdx.Expr, prefix string) bool {
	if strings.Contains(x.Exception, prefix) || strings.HasPrefix(x.License, prefix) {
		return true
	}
	return slices.ContainsFunc(x.Args, func(arg spdx.Expr) bool { return uses(arg, prefix) })
}

func ownLicenses(x spdx.Expr) []string {
	return slices.DeleteFunc(x.Licenses(), func(id string) bool { return !strings.HasPrefix(id, "LicenseRef-") })
}

// expression is what an entry declares, with the ids of this document.
func (m *maker) expression(e catalog.Entry, d declared) string {
	if d.fault != "" {
		m.note(e, d.fault)
		return noAssertion
	}
	var all []spdx.Expr
	said := map[string]bool{}
	for _, p := range d.parts {
		x := m.rename(e, p)
		args := []spdx.Expr{x}
		if x.Op == spdx.And {
			args = x.Args
		}
		for _, arg := range args {
			if s := arg.String(); !said[s] {
				said[s] = true
				all = append(all, arg)
			}
		}
	}
	if len(d.parts) > 1 {
		m.note(e, noteSeveral)
	}
	switch len(all) {
	case 0:
		return noAssertion
	case 1:
		return all[0].String()
	}
	return spdx.Expr{Op: spdx.And, Args: all}.String()
}

// rename gives a part's expression with the ids of this document.
func (m *maker) rename(e catalog.Entry, p part) spdx.Expr {
	var walk func(x spdx.Expr) spdx.Expr
	walk = func(x spdx.Expr) spdx.Expr {
		if name, own := m.refs[ref{x.License, p.url}]; own && name != x.License {
			x.License = name
			m.note(e, noteRenamed)
		}
		x.Args = slices.Clone(x.Args)
		for i := range x.Args {
			x.Args[i] = walk(x.Args[i])
		}
		return x
	}
	return walk(p.expr)
}

// licenseComments says what an expression cannot: which licence is for what, and
// where its text stands.
func (m *maker) licenseComments(e catalog.Entry, d declared) string {
	var all []string
	for i, l := range e.Licenses {
		s := l.Expression
		if d.fault == "" {
			s = m.rename(e, d.parts[i]).String()
		}
		switch covers := value(l.Covers); {
		case covers != "":
			s += " covers " + covers
		case len(e.Licenses) > 1:
			s += " covers the work as a whole"
		case d.fault == "" && l.URL == nil:
			continue // the expression says it all
		}
		if d.fault != "" {
			s = "as the entry has it: " + s
		}
		if l.URL != nil {
			s += ", text at " + *l.URL
		}
		all = append(all, oneLine(s))
	}
	return strings.Join(all, "; ")
}

// otherLicenses lists the licences of somebody's own. Their texts are not here:
// the registry holds none.
func (m *maker) otherLicenses() []*tools.OtherLicense {
	var all []*tools.OtherLicense
	for r, name := range m.refs {
		l := &tools.OtherLicense{
			LicenseIdentifier: name, LicenseName: noAssertion,
			ExtractedText:  "The registry does not hold the text of this licence.",
			LicenseComment: fmt.Sprintf("Written as %s by %s.", r.id, strings.Join(m.users[r], ", ")),
		}
		if address := address(r.url); address != "" {
			l.ExtractedText += " It is at " + address
			l.LicenseCrossReferences = []string{address}
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *tools.OtherLicense) int { return cmp.Compare(a.LicenseIdentifier, b.LicenseIdentifier) })
	return all
}

// concluded is what the licence texts in the entry's repositories come to. Where
// nobody looked, or the texts do not tell all, nothing is concluded.
func (m *maker) concluded(e catalog.Entry) string {
	if e.Observations == nil || e.Observations.LicenseExpression == nil {
		return noAssertion
	}
	x, err := spdx.Parse(*e.Observations.LicenseExpression)
	if err != nil || uses(x, "LicenseRef-") || uses(x, "DocumentRef-") || uses(x, "AdditionRef-") {
		m.note(e, noteConcluded) // the bot writes none such, but its file may be anybody's
		return noAssertion
	}
	return x.String()
}

// seenTexts is how many licence texts of one repository are named.
const seenTexts = 5

// seenLicenses says what a conclusion rests on: which text is what, in which
// repository, at which commit, seen on which day.
func seenLicenses(e catalog.Entry) string {
	if e.Observations == nil {
		return ""
	}
	var all []string
	for _, r := range e.Observations.Repositories {
		at := "repository " + value(r.URL)
		if commit := value(r.Commit); commit != "" {
			at += " at commit " + commit
		}
		at += ", seen " + value(r.AsOf) + ": "
		var texts []string
		for _, f := range r.Files {
			says := "cannot be told"
			switch {
			case f.Skipped != nil:
				says = "was not read (" + *f.Skipped + ")"
			case len(f.Alternatives) > 1:
				says = "is one of " + strings.Join(f.Alternatives, ", ")
			case f.LicenseExpression != nil:
				says = "is " + *f.LicenseExpression
			}
			texts = append(texts, f.File+" "+says)
		}
		switch {
		case r.Presence == registry.StateGone:
			at += "not there"
		case len(texts) == 0:
			at += "no licence text"
		}
		if more := len(texts) - seenTexts; more > 0 {
			texts = append(texts[:seenTexts], fmt.Sprintf("and %d more", more))
		}
		all = append(all, oneLine(at+strings.Join(texts, ", ")))
	}
	if len(all) == 0 {
		return ""
	}
	return "Observed: " + strings.Join(all, "; ")
}

// joined puts sentences behind one another.
func joined(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), ". ")
}

func (m *maker) pkg(e catalog.Entry) *tools.Package {
	d := read(e)
	p := &tools.Package{
		PackageName:           cmp.Or(oneLine(value(e.Name)), e.ID),
		PackageSPDXIdentifier: elementID(e),
		// The registry looks at no file of the work.
		FilesAnalyzed: false, IsFilesAnalyzedTagPresent: true,
		PackageDownloadLocation: noAssertion,
		PackageHomePage:         m.address(e, cmp.Or(value(e.Website), value(e.URL))),
		PackageLicenseDeclared:  m.expression(e, d),
		PackageLicenseComments:  joined(m.licenseComments(e, d), seenLicenses(e)),
		PackageLicenseConcluded: m.concluded(e),
		PackageCopyrightText:    noAssertion,
		PackageDescription:      m.words(e.Description),
		PackageComment:          m.page(e),
	}
	var more []string
	for _, r := range e.Repositories {
		switch address := m.address(e, value(r.URL)); {
		case address == "":
		case p.PackageDownloadLocation == noAssertion:
			p.PackageDownloadLocation = address
		default:
			more = append(more, address)
		}
	}
	if len(more) > 0 {
		p.PackageSourceInfo = "Further repositories: " + strings.Join(more, ", ")
	}
	if name := m.body(e, "publisher", "maintainer", "owner"); name != "" {
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: name}
	} else {
		p.PackageSupplier = &common.Supplier{Supplier: noAssertion}
	}
	if name := m.body(e, "author", "owner"); name != "" {
		p.PackageOriginator = &common.Originator{OriginatorType: "Organization", Originator: name}
	}
	p.PackageExternalReferences = m.externalRefs(e)
	return p
}

var (
	packageURL = regexp.MustCompile(`^pkg:[A-Za-z0-9.+-]+/[^\s]+$`)
	wikidataID = regexp.MustCompile(`^Q[1-9][0-9]*$`)
)

func (m *maker) externalRefs(e catalog.Entry) []*tools.PackageExternalReference {
	var all []*tools.PackageExternalReference
	switch purl := value(e.SameAs.PURL); {
	case purl == "":
	case packageURL.MatchString(purl):
		all = append(all, &tools.PackageExternalReference{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl,
		})
	default:
		m.note(e, notePURL)
	}
	switch id := value(e.SameAs.Wikidata); {
	case id == "":
	case wikidataID.MatchString(id):
		all = append(all, &tools.PackageExternalReference{
			Category: common.CategoryOther, RefType: "wikidata", Locator: "http://www.wikidata.org/entity/" + id,
		})
	default:
		m.note(e, noteWikidata)
	}
	return all
}

// body is the first organisation that has the first of the roles that any has.
func (m *maker) body(e catalog.Entry, roles ...string) string {
	for _, role := range roles {
		for _, o := range e.Organizations {
			name := oneLine(value(o.Name))
			if value(o.Role) != role || name == "" {
				continue
			}
			if plain := unescaped(name); plain != name {
				m.note(e, noteQuotes)
				return plain
			}
			return name
		}
	}
	return ""
}

// unescaped is a name without the characters that JSON escapes. tools-golang
// v0.5.7 reads suppliers, originators and creators without taking escapes back,
// so that a name in quotes would come back with backslashes.
func unescaped(name string) string {
	return oneLine(strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\':
			return '/'
		case r < ' ', r == utf8.RuneError:
			return ' '
		}
		return r
	}, name))
}

func (m *maker) creators() []common.Creator {
	all := []common.Creator{{CreatorType: "Tool", Creator: "dpg-export-" + catalog.SchemaVersion}}
	if name := unescaped(value(m.index.Publisher.Name)); name != "" {
		all = append(all, common.Creator{CreatorType: "Organization", Creator: name})
	}
	return all
}

func (m *maker) comment() string {
	all := []string{"One package stands for one live entry of the registry, which says what others declare. " +
		"A licence is concluded only where the texts in the entry's repositories were observed and tell all of it; licenseComments name commit and day."}
	for _, t := range []catalog.Text{m.index.Notice, m.index.Attribution} {
		if s := m.words(t); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, "\n")
}

// words takes prose in the registry's first language that has it.
func (m *maker) words(t catalog.Text) string {
	for _, lang := range slices.Concat(m.index.Languages, []string{"en"}, slices.Sorted(maps.Keys(t))) {
		if s := t[lang]; s != "" {
			return s
		}
	}
	return ""
}

// page says where the entry is published.
func (m *maker) page(e catalog.Entry) string {
	const api = "api/v1/"
	if base := base(m.index); base != "" {
		return "Entry: " + base + api + e.Path
	}
	return "Entry: " + api + e.Path + " in the catalog"
}

func (m *maker) address(e catalog.Entry, s string) string {
	a := address(s)
	if a == "" && s != "" {
		m.note(e, noteAddress)
	}
	return a
}

// address is a web address as it is written, or "" if it is none.
func address(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsFunc(s, unsafe) {
		return ""
	}
	return s
}

// unsafe reports characters that no address has as they are.
func unsafe(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"\\^`{|}", r) }

// base is what the addresses of the catalog begin with, or "".
func base(ix catalog.Index) string {
	s := address(value(ix.BaseURL))
	if s == "" || strings.ContainsAny(s, "?#") {
		return ""
	}
	return strings.TrimSuffix(s, "/") + "/"
}

// namespace is the document's own name in the world: one for each commit. A
// registry without an address takes one where SPDX keeps room for all.
func namespace(ix catalog.Index) string {
	if base := base(ix); base != "" {
		return base + "spdx/" + *ix.SourceCommit
	}
	return "https://spdx.org/spdxdocs/" + url.PathEscape(strings.ReplaceAll(oneLine(ix.Name), " ", "-")) + "-" + *ix.SourceCommit
}

// listVersion is that of the licence list with the two numbers that SPDX 2.3
// allows.
func listVersion() string {
	numbers := strings.Split(spdx.ListVersion(), ".")
	return strings.Join(numbers[:min(2, len(numbers))], ".")
}

var idString = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// elementID is an entry's id in the document. A character that SPDX does not take
// is put otherwise, with a sum that keeps two ids apart.
func elementID(e catalog.Entry) common.ElementID {
	id := e.Kind + "." + e.ID
	if plain := idString.ReplaceAllString(id, "-"); plain != id {
		sum := sha256.Sum256([]byte(id))
		id = plain + "-" + hex.EncodeToString(sum[:8])
	}
	return common.ElementID(id)
}

func nameOf(e catalog.Entry) string { return e.Kind + "/" + e.ID }

// oneLine is a text for a field of SPDX that has one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
