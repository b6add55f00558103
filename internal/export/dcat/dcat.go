// Package dcat says what a catalog holds in the words of DCAT-AP 3, the profile of
// the W3C's Data Catalog Vocabulary that European data portals harvest. It writes
// no file; package rdf does.
//
// What is a dataset and what is not. DCAT's dataset is a collection of data that
// can be had in one form or another. So the catalog's own data are one dataset,
// with its JSON, lines and CSV as distributions. An entry is a dataset if one of
// its types is data or content. Software, standards, AI systems and the documents
// of the library are no data, and calling them so would put applications between
// the statistics of a portal: they are a dcat:Resource, which DCAT keeps for what
// it has no word for, and beside that what schema.org and FOAF call them. The
// catalog lists the one under dcat:dataset and the other under dcat:resource, and
// has a dcat:CatalogRecord of each dataset, with the date its entry was last changed.
// A portal that takes nothing but datasets gets those, and the catalog's own.
//
// Nothing is said that the entry does not say. Mappings to frameworks, which are
// readings of its words, are left to the catalog. A theme is given only where one of the portal's
// themes is plainly what the entry calls its sector.
package dcat

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/export/rdf"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// The vocabularies, by the prefix that DCAT-AP itself uses for them.
const (
	adms    = "http://www.w3.org/ns/adms#"
	dcat    = "http://www.w3.org/ns/dcat#"
	dct     = "http://purl.org/dc/terms/"
	foaf    = "http://xmlns.com/foaf/0.1/"
	rdfs    = "http://www.w3.org/2000/01/rdf-schema#"
	schema  = "http://schema.org/"
	skos    = "http://www.w3.org/2004/02/skos/core#"
	spdxRDF = "http://spdx.org/rdf/terms#"
	vcard   = "http://www.w3.org/2006/vcard/ns#"
	xsd     = "http://www.w3.org/2001/XMLSchema#"

	authority = "http://publications.europa.eu/resource/authority/"
	themes    = authority + "data-theme"
	goals     = "http://metadata.un.org/sdg"
	profile   = rdf.IRI("http://data.europa.eu/r5r/")
)

// Write says it of a catalog. It is an error if the registry has no base_url: DCAT
// names everything by its address.
//
// The entries are read twice. What is said of nodes that several may speak of, such
// as licences, web pages and the catalog itself, is put together first and kept, and
// what is said of an entry alone is written at once the second time.
func Write(w io.Writer, syntax rdf.Syntax, x *catalog.Export) ([]catalog.Note, error) {
	m, err := newMaker(x)
	if err != nil {
		return nil, err
	}
	shared := m.Graph
	m.catalog()
	first := shared.Subjects()
	err = m.each(func(subject rdf.IRI, own bool) {
		if !own {
			shared.Take(m.Graph, subject)
		}
	})
	if err != nil {
		return nil, err
	}
	notes := m.notes.In(noteOrder)
	m.Graph = shared
	m.vocabularies()

	out := rdf.NewWriter(w, syntax, shared)
	write := func(subjects []rdf.IRI) {
		for _, subject := range subjects {
			out.Node(shared, subject)
			shared.Drop(subject)
		}
	}
	write(first)
	err = m.each(func(subject rdf.IRI, own bool) {
		if own {
			out.Node(m.Graph, subject)
		} else {
			write([]rdf.IRI{subject})
		}
	})
	if err != nil {
		return nil, err
	}
	write(shared.Subjects())
	return notes, out.Close()
}

// each makes the graph of one live entry after the other, and visits its nodes while
// that is the graph. own is that no other entry speaks of the node.
func (m *maker) each(visit func(subject rdf.IRI, own bool)) error {
	for e, err := range m.export.Live() {
		if err != nil {
			return err
		}
		m.Graph = m.Empty()
		m.entry(*e)
		for _, subject := range m.Subjects() {
			visit(subject, m.own(e, subject))
		}
	}
	return nil
}

func newMaker(x *catalog.Export) (*maker, error) {
	base := ""
	if b := x.Index.BaseURL; b != nil {
		base = string(rdf.Address(*b))
	}
	if base == "" || strings.ContainsAny(base, "?#") {
		return nil, errors.New("DCAT names everything by its address, and the registry has none: set base_url in registry.yaml to where the catalog is published")
	}
	g := rdf.New(map[string]string{
		"adms": adms, "dcat": dcat, "dct": dct, "foaf": foaf, "rdfs": rdfs, "schema": schema,
		"skos": skos, "spdx": spdxRDF, "vcard": vcard, "xsd": xsd,
	})
	m := &maker{Graph: g, export: x, base: strings.TrimSuffix(base, "/") + "/", main: "en", notes: catalog.Notes{}}
	if len(x.Index.Languages) > 0 {
		m.main = x.Index.Languages[0]
	}
	return m, nil
}

// own reports whether a node is a part of an entry's own file, which that entry
// alone speaks of.
func (m *maker) own(e *catalog.Entry, subject rdf.IRI) bool {
	return strings.HasPrefix(string(subject), string(m.api(e.Path))+"#")
}

type maker struct {
	*rdf.Graph
	export    *catalog.Export
	base      string // with a slash at its end
	main      string // the registry's language
	publisher rdf.IRI
	themes    map[string]bool // codes of the portal's themes that are in use
	goals     map[int]bool
	notes     catalog.Notes
}

// api is the address of something under api/v1/.
func (m *maker) api(name string) rdf.IRI { return rdf.IRI(m.base + "api/v1/" + name) }

func prop(vocabulary, name string) rdf.IRI { return rdf.IRI(vocabulary + name) }

// texts are words by language.
func texts(t catalog.Text) []rdf.Term {
	var all []rdf.Term
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		all = append(all, rdf.Text(t[lang], lang))
	}
	return all
}

func plain(s string) rdf.Literal { return rdf.Literal{Value: s} }

// catalog says what the catalog is, and of its own data that they are a dataset.
func (m *maker) catalog() {
	ix := m.export.Index
	it, data := m.api("index.json#catalog"), m.api("index.json#data")
	m.publisher = m.api("index.json#publisher")
	publisher := strings.TrimSpace(cmp.Or(value(ix.Publisher.Name), ix.Name, "Registry"))
	m.Add(m.publisher, rdf.Type, prop(foaf, "Agent"))
	m.Add(m.publisher, prop(foaf, "name"), plain(publisher))
	m.page(m.publisher, prop(foaf, "homepage"), value(ix.Publisher.URL))
	title := rdf.Text(cmp.Or(strings.TrimSpace(ix.Name), "Registry"), m.main)
	about := texts(ix.Description)
	if len(about) == 0 {
		about = []rdf.Term{rdf.Text("A registry of digital public goods and of resources about them.", "en")}
	}
	for _, node := range []rdf.IRI{it, data} {
		m.Add(node, prop(dct, "title"), title)
		m.Add(node, prop(dct, "description"), about...)
		m.Add(node, prop(dct, "publisher"), m.publisher)
		for _, lang := range ix.Languages {
			m.Add(node, prop(dct, "language"), m.language(lang))
		}
		if ix.GeneratedAt != nil {
			m.Add(node, prop(dct, "modified"), rdf.Literal{Value: *ix.GeneratedAt, Type: xsd + "dateTime"})
		}
		m.contact(node, it, value(ix.ContactURL), publisher)
	}
	m.Add(it, rdf.Type, prop(dcat, "Catalog"))
	m.Add(it, prop(foaf, "homepage"), rdf.IRI(m.base))
	m.Add(rdf.IRI(m.base), rdf.Type, prop(foaf, "Document"))
	m.Add(it, prop(dct, "license"), m.license(it, value(ix.License), "", nil))
	m.rights(it, it+"-rights", slices.Concat(texts(ix.Notice), texts(ix.Attribution))...)
	m.Add(it, prop(dcat, "themeTaxonomy"), rdf.IRI(themes))
	m.Add(it, prop(dcat, "dataset"), data)

	m.Add(data, rdf.Type, prop(dcat, "Dataset"))
	m.Add(data, prop(dct, "identifier"), plain(string(m.api("index.json"))))
	m.distributions(data)
}

// forms are the files that hold the whole catalog, with the media type of each
// and its code in the European list of file types, or "" where that has none.
var forms = []struct{ name, media, code, title string }{
	{"full.json", "application/json", "JSON", "Everything as one JSON document"},
	{"full.ndjson", "application/x-ndjson", "", "Everything as JSON, one entry a line"},
	{"csv/entries.csv", "text/csv", "CSV", "Entries as a table"},
	{"csv/licenses.csv", "text/csv", "CSV", "Licences as a table"},
	{"csv/organizations.csv", "text/csv", "CSV", "Organisations as a table"},
	{"csv/countries.csv", "text/csv", "CSV", "Countries as a table"},
	{"csv/sdgs.csv", "text/csv", "CSV", "Claims of relevance to the Sustainable Development Goals as a table"},
	{"csv/mappings.csv", "text/csv", "CSV", "Mappings to frameworks as a table"},
	{"csv/sources.csv", "text/csv", "CSV", "Where the facts are from as a table"},
}

func (m *maker) distributions(data rdf.IRI) {
	license := value(m.export.Index.License)
	for _, f := range forms {
		address := m.api(f.name)
		d := address + "#distribution"
		m.Add(data, prop(dcat, "distribution"), d)
		m.Add(d, rdf.Type, prop(dcat, "Distribution"))
		m.Add(d, prop(dct, "title"), rdf.Text(f.title, "en"))
		m.resource(d, prop(dcat, "accessURL"), address)
		m.resource(d, prop(dcat, "downloadURL"), address)
		media := rdf.IRI("https://www.iana.org/assignments/media-types/" + f.media)
		m.Add(d, prop(dcat, "mediaType"), media)
		m.Add(media, rdf.Type, prop(dct, "MediaType"))
		if f.code != "" {
			format := rdf.IRI(authority + "file-type/" + f.code)
			m.Add(d, prop(dct, "format"), format)
			m.Add(format, rdf.Type, prop(dct, "MediaTypeOrExtent"))
		}
		m.Add(d, prop(dct, "license"), m.license(data, license, "", nil))
	}
}

// types are what the types of an entry are called elsewhere.
var types = map[string][]rdf.IRI{
	"software":  {schema + "SoftwareSourceCode"},
	"ai-system": {schema + "SoftwareApplication"},
	"standard":  {dct + "Standard"},
}

// isData are the types of an entry that are data to DCAT.
var isData = []string{"data", "content"}

// The notes, in the order they are given.
const (
	noteAddress     = "what stands for an address cannot be one, so it is left out"
	noteDescription = "a dataset of DCAT-AP has to have a description, and this entry has none, so it is no dataset there"
	noteLicense     = "the licence is no SPDX licence expression, so it is left out"
	noteLanguage    = "the language is no language tag that the European list has, so it is left out"
	noteCountry     = "the country is none that the European list has, so it is left out"
	noteDate        = "the date is none that RDF has, so it is left out"
)

var noteOrder = []string{noteAddress, noteDescription, noteLicense, noteLanguage, noteCountry, noteDate}

func (m *maker) note(e *catalog.Entry, text string) {
	name := "the registry itself"
	if e != nil {
		name = e.Kind + "/" + e.ID
	}
	m.notes.Add(text, name)
}

func (m *maker) entry(e catalog.Entry) {
	file := m.api(e.Path)
	it := file + "#entry"
	main := cmp.Or(value(e.Language), m.main)
	about := texts(e.Description)
	if len(about) == 0 && e.Assessment != nil && e.Assessment.Summary != nil {
		about = texts(e.Assessment.Summary.Text)
	}
	dataset := slices.ContainsFunc(e.Types, func(t string) bool { return slices.Contains(isData, t) })
	if dataset && len(about) == 0 {
		m.note(&e, noteDescription)
		dataset = false
	}
	catalogued := m.api("index.json#catalog")
	m.Add(it, rdf.Type, prop(dcat, "Resource"))
	if dataset {
		m.Add(it, rdf.Type, prop(dcat, "Dataset"))
		m.Add(catalogued, prop(dcat, "dataset"), it)
	} else {
		m.Add(catalogued, prop(dcat, "resource"), it)
	}
	for _, t := range e.Types {
		for _, class := range types[t] {
			m.Add(it, rdf.Type, class)
		}
	}
	if len(e.Types) == 0 {
		m.Add(it, rdf.Type, prop(foaf, "Document"))
	}
	m.Add(it, prop(dct, "title"), rdf.Text(cmp.Or(strings.TrimSpace(value(e.Name)), e.ID), main))
	for _, a := range e.Aliases {
		m.Add(it, prop(dct, "alternative"), rdf.Text(a, main))
	}
	m.Add(it, prop(dct, "description"), about...)
	for _, w := range slices.Concat(e.Sectors, e.Topics) {
		m.Add(it, prop(dcat, "keyword"), rdf.Text(w, main))
	}
	for _, s := range e.Sectors {
		if code := themeOf[strings.ToLower(s)]; code != "" {
			m.Add(it, prop(dcat, "theme"), m.theme(code))
		}
	}
	for _, s := range e.SDGs {
		m.Add(it, prop(dct, "subject"), m.goal(s.Goal))
	}
	for _, lang := range e.Languages {
		m.Add(it, prop(dct, "language"), m.languageOf(&e, lang))
	}
	m.places(it, e)
	m.bodies(it, file, e)
	m.pages(it, e)
	m.identifiers(it, file, e)
	m.licenses(it, file, e, dataset)
	if p := value(e.Published); p != "" {
		if t := dateType(p); t != "" {
			m.Add(it, prop(dct, "issued"), rdf.Literal{Value: p, Type: t})
		} else {
			m.note(&e, noteDate)
		}
	}
	m.standing(it, file, e)
	if dataset {
		m.record(it, file, e)
	}
}

// record is the registry's note of a dataset, apart from what that is about. DCAT-AP
// wants its date, so without Git's history there is none, and has records of
// datasets, services and catalogs alone, so there is none of anything else.
func (m *maker) record(it, file rdf.IRI, e catalog.Entry) {
	if e.UpdatedAt == nil {
		return
	}
	r := file + "#record"
	m.Add(m.api("index.json#catalog"), prop(dcat, "record"), r)
	m.Add(r, rdf.Type, prop(dcat, "CatalogRecord"))
	m.Add(r, prop(foaf, "primaryTopic"), it)
	m.Add(r, prop(dct, "modified"), rdf.Literal{Value: *e.UpdatedAt, Type: xsd + "dateTime"})
	m.Add(r, prop(dct, "identifier"), plain(string(file)))
	m.Add(r, prop(dct, "language"), m.languageOf(&e, cmp.Or(value(e.Language), m.main)))
	m.Add(r, prop(dct, "conformsTo"), profile)
	m.Add(profile, rdf.Type, prop(dct, "Standard"))
}

// places are where it is used and where it comes from.
func (m *maker) places(it rdf.IRI, e catalog.Entry) {
	add := func(property rdf.IRI, codes []string) {
		for _, code := range codes {
			region, err := language.ParseRegion(code)
			// Kosovo's code is of nobody's list but this registry's and CLDR's.
			if err != nil || !region.IsCountry() || code == "XK" {
				m.note(&e, noteCountry)
				continue
			}
			place := rdf.IRI(authority + "country/" + region.ISO3())
			m.Add(it, property, place)
			m.Add(place, rdf.Type, prop(dct, "Location"))
		}
	}
	add(prop(dct, "spatial"), e.Locations.DeployedIn)
	add(prop(schema, "countryOfOrigin"), e.Locations.DevelopedIn)
}

// roles are the properties by which an organisation stands to an entry. The first
// of publisher, owner and maintainer is its publisher, of which DCAT-AP has one.
var roles = map[string]rdf.IRI{
	"owner": dct + "creator", "author": dct + "creator", "maintainer": schema + "maintainer",
	"funder": schema + "funder", "implementer": dct + "contributor", "publisher": schema + "publisher",
}

func (m *maker) bodies(it, file rdf.IRI, e catalog.Entry) {
	published := -1
	for _, role := range []string{"publisher", "owner", "maintainer"} {
		if published < 0 {
			published = slices.IndexFunc(e.Organizations, func(o catalog.Organization) bool {
				return value(o.Role) == role && strings.TrimSpace(value(o.Name)) != ""
			})
		}
	}
	for i, o := range e.Organizations {
		name, role := strings.TrimSpace(value(o.Name)), roles[value(o.Role)]
		if name == "" || role == "" {
			continue
		}
		body := rdf.IRI(fmt.Sprintf("%s#organization-%d", file, i+1))
		m.Add(it, role, body)
		if i == published {
			m.Add(it, prop(dct, "publisher"), body)
		}
		m.Add(body, rdf.Type, prop(foaf, "Agent"), prop(foaf, "Organization"))
		m.Add(body, prop(foaf, "name"), plain(name))
		if a := m.address(&e, value(o.Website)); a != "" {
			m.page(body, prop(foaf, "homepage"), string(a))
		}
	}
}

func (m *maker) pages(it rdf.IRI, e catalog.Entry) {
	for _, a := range []*string{e.Website, e.URL} {
		if a := m.address(&e, value(a)); a != "" {
			m.page(it, prop(dcat, "landingPage"), string(a))
		}
	}
	for _, r := range e.Repositories {
		if a := m.address(&e, value(r.URL)); a != "" {
			m.resource(it, prop(schema, "codeRepository"), a)
		}
	}
	if a := m.address(&e, value(e.ContactURL)); a != "" {
		m.contact(it, it, string(a), cmp.Or(strings.TrimSpace(value(e.Name)), e.ID))
	}
}

// contact says where to turn: a page, never a person.
func (m *maker) contact(node, owner rdf.IRI, address, name string) {
	a := rdf.Address(address)
	if a == "" {
		return
	}
	c := owner + "-contact"
	m.Add(node, prop(dcat, "contactPoint"), c)
	m.Add(c, rdf.Type, prop(vcard, "Kind"), prop(vcard, "Organization"))
	m.Add(c, prop(vcard, "fn"), plain(name))
	m.Add(c, prop(vcard, "hasURL"), a)
}

var wikidataID = regexp.MustCompile(`^Q[1-9][0-9]*$`)

// identifiers are its own and those that others have for it.
func (m *maker) identifiers(it, file rdf.IRI, e catalog.Entry) {
	m.Add(it, prop(dct, "identifier"), plain(string(file)))
	for _, id := range []struct {
		scheme, agency string
		value          *string
	}{
		{"dpga", "Digital Public Goods Alliance, registry of 2023", e.SameAs.DPGA},
		{"dial", "Digital Impact Exchange", e.SameAs.DIAL},
		{"purl", "Package URL", e.SameAs.PURL},
		{"wikidata", "Wikidata", e.SameAs.Wikidata},
	} {
		if id.value == nil {
			continue
		}
		node := file + rdf.IRI("#identifier-"+id.scheme)
		m.Add(it, prop(adms, "identifier"), node)
		m.Add(node, rdf.Type, prop(adms, "Identifier"))
		m.Add(node, prop(skos, "notation"), plain(*id.value))
		m.Add(node, prop(adms, "schemaAgency"), plain(id.agency))
		if id.scheme == "wikidata" && wikidataID.MatchString(*id.value) {
			m.Add(it, prop(schema, "sameAs"), rdf.IRI("http://www.wikidata.org/entity/"+*id.value))
		}
	}
}

// licenses are those of the thing itself. DCAT-AP has them at the distributions
// of a dataset, each one licence at most: where several are for the data, which
// of them is for what is said in words.
func (m *maker) licenses(it, file rdf.IRI, e catalog.Entry, dataset bool) {
	var all, ofData []rdf.IRI
	var said []rdf.Term
	for i, l := range e.Licenses {
		node := m.license(file+rdf.IRI(fmt.Sprintf("#license-%d", i+1)), l.Expression, value(l.URL), &e)
		if node == "" {
			continue
		}
		if !slices.Contains(all, node) {
			all = append(all, node)
		}
		covers := value(l.Covers)
		if (covers == "" || slices.Contains(isData, covers)) && !slices.Contains(ofData, node) {
			ofData = append(ofData, node)
		}
		said = append(said, rdf.Text(l.Expression+" covers "+cmp.Or(covers, "the work as a whole"), "en"))
	}
	for _, node := range all {
		m.Add(it, prop(dct, "license"), node)
	}
	if len(said) > 1 {
		m.rights(it, file+"#rights", said...)
	}
	if !dataset {
		return
	}
	n := 0
	for _, a := range append([]*string{e.Website}, repositoryURLs(e)...) {
		address := rdf.Address(value(a))
		if address == "" {
			continue
		}
		n++
		d := file + rdf.IRI(fmt.Sprintf("#distribution-%d", n))
		m.Add(it, prop(dcat, "distribution"), d)
		m.Add(d, rdf.Type, prop(dcat, "Distribution"))
		m.resource(d, prop(dcat, "accessURL"), address)
		if len(ofData) == 1 {
			m.Add(d, prop(dct, "license"), ofData[0])
		} else if len(said) > 1 {
			m.rights(d, file+"#rights", said...)
		}
	}
}

func repositoryURLs(e catalog.Entry) []*string {
	var all []*string
	for _, r := range e.Repositories {
		all = append(all, r.URL)
	}
	return all
}

// license is the node of a licence: the name that SPDX gives to one of its list,
// or one of our own for what is put together. It is "" where there is none.
func (m *maker) license(own rdf.IRI, expression, text string, e *catalog.Entry) rdf.IRI {
	if expression == "" {
		return ""
	}
	x, err := spdx.Parse(expression)
	if err != nil {
		m.note(e, noteLicense)
		return ""
	}
	node := own
	if x.Op == spdx.Single && !x.Plus && x.Exception == "" && !strings.Contains(x.License, "Ref-") {
		node = rdf.IRI("http://spdx.org/licenses/" + x.License)
	} else if e == nil {
		node = own + "-license"
	}
	m.Add(node, rdf.Type, prop(dct, "LicenseDocument"))
	m.Add(node, prop(dct, "identifier"), plain(x.String()))
	m.Add(node, prop(dct, "title"), plain(x.String()))
	if node == own {
		m.Add(node, prop(rdfs, "seeAlso"), rdf.Address(text))
	}
	return node
}

func (m *maker) rights(node, own rdf.IRI, said ...rdf.Term) {
	if len(said) == 0 {
		return
	}
	m.Add(node, prop(dct, "rights"), own)
	m.Add(own, rdf.Type, prop(dct, "RightsStatement"))
	m.Add(own, prop(rdfs, "label"), said...)
}

// standing says who recognised it, and when, as a statement of provenance.
func (m *maker) standing(it, file rdf.IRI, e catalog.Entry) {
	by := strings.TrimSpace(value(e.Status.RecognisedBy))
	if by == "" {
		return
	}
	said := "Recognised as a digital public good by " + by
	if d := value(e.Status.AsOf); d != "" {
		said += ", as of " + d
	}
	node := file + "#status"
	m.Add(it, prop(dct, "provenance"), node)
	m.Add(node, rdf.Type, prop(dct, "ProvenanceStatement"))
	m.Add(node, prop(rdfs, "label"), rdf.Text(said, "en"))
	if a := m.address(&e, value(e.Status.URL)); a != "" {
		m.Add(node, prop(rdfs, "seeAlso"), a)
	}
}

// page links to something to read.
func (m *maker) page(node, property rdf.IRI, address string) {
	a := rdf.Address(address)
	if a == "" {
		return
	}
	m.Add(node, property, a)
	m.Add(a, rdf.Type, prop(foaf, "Document"))
}

// resource links to something that can be had.
func (m *maker) resource(node, property, address rdf.IRI) {
	m.Add(node, property, address)
	m.Add(address, rdf.Type, prop(rdfs, "Resource"))
}

// address is one that an entry names, or "" with a note.
func (m *maker) address(e *catalog.Entry, s string) rdf.IRI {
	a := rdf.Address(s)
	if a == "" && s != "" {
		m.note(e, noteAddress)
	}
	return a
}

// dateType is the datatype of a date, which may be a year or a month alone, or ""
// if it is none.
func dateType(s string) rdf.IRI {
	for _, form := range []struct {
		layout string
		name   rdf.IRI
	}{{"2006", xsd + "gYear"}, {"2006-01", xsd + "gYearMonth"}, {time.DateOnly, xsd + "date"}} {
		if _, err := time.Parse(form.layout, s); err == nil {
			return form.name
		}
	}
	return ""
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
