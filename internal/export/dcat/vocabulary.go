package dcat

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/export/rdf"
)

func (m *maker) language(tag string) rdf.IRI { return m.languageOf(nil, tag) }

// languageOf is a language's name in the European list, which has them by the
// three letters of ISO 639.
func (m *maker) languageOf(e *catalog.Entry, tag string) rdf.IRI {
	t, err := language.Parse(tag)
	base, sure := t.Base()
	if err != nil || sure == language.No || len(base.ISO3()) != 3 {
		m.note(e, noteLanguage)
		return ""
	}
	node := rdf.IRI(authority + "language/" + strings.ToUpper(base.ISO3()))
	m.Add(node, rdf.Type, prop(dct, "LinguisticSystem"))
	return node
}

// themeOf are the sectors that are plainly one of the themes of European portals.
// Sectors that lie across several, such as humanitarian work, have none.
var themeOf = map[string]string{
	"agriculture": "AGRI", "fisheries": "AGRI", "food": "AGRI", "forestry": "AGRI",
	"economy": "ECON", "finance": "ECON",
	"culture": "EDUC", "education": "EDUC", "sport": "EDUC",
	"energy":  "ENER",
	"climate": "ENVI", "environment": "ENVI",
	"government": "GOVE", "public sector": "GOVE",
	"health":  "HEAL",
	"justice": "JUST", "public safety": "JUST",
	"cities": "REGI", "regions": "REGI",
	"social protection": "SOCI", "population": "SOCI",
	"science": "TECH", "technology": "TECH",
	"transport": "TRAN",
}

// themeNames are the themes' own, as far as they are used here.
var themeNames = map[string]string{
	"AGRI": "Agriculture, fisheries, forestry and food", "ECON": "Economy and finance", "EDUC": "Education, culture and sport",
	"ENER": "Energy", "ENVI": "Environment", "GOVE": "Government and public sector", "HEAL": "Health",
	"JUST": "Justice, legal system and public safety", "REGI": "Regions and cities", "SOCI": "Population and society",
	"TECH": "Science and technology", "TRAN": "Transport",
}

func (m *maker) theme(code string) rdf.IRI {
	if m.themes == nil {
		m.themes = map[string]bool{}
	}
	m.themes[code] = true
	return rdf.IRI(themes + "/" + code)
}

func (m *maker) goal(n int) rdf.IRI {
	if n < 1 || n > 17 {
		return ""
	}
	if m.goals == nil {
		m.goals = map[int]bool{}
	}
	m.goals[n] = true
	return rdf.IRI(goals + "/" + strconv.Itoa(n))
}

// vocabularies says of the themes and goals in use what they are called, for
// readers that do not hold the lists.
func (m *maker) vocabularies() {
	m.Add(themes, rdf.Type, prop(skos, "ConceptScheme"))
	m.Add(themes, prop(dct, "title"), rdf.Text("Data theme", "en"))
	for _, code := range slices.Sorted(maps.Keys(m.themes)) {
		node := m.theme(code)
		m.Add(node, rdf.Type, prop(skos, "Concept"))
		m.Add(node, prop(skos, "inScheme"), rdf.IRI(themes))
		m.Add(node, prop(skos, "prefLabel"), rdf.Text(themeNames[code], "en"))
	}
	names := map[string]catalog.Text{}
	for _, f := range m.export.Frameworks {
		if f.ID == "sdgs" {
			for _, c := range f.Codes {
				names[c.ID] = c.Title
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(m.goals)) {
		node := m.goal(n)
		m.Add(node, rdf.Type, prop(skos, "Concept"))
		name := texts(names[strconv.Itoa(n)])
		if len(name) == 0 {
			name = []rdf.Term{rdf.Text("Sustainable Development Goal "+strconv.Itoa(n), "en")}
		}
		m.Add(node, prop(skos, "prefLabel"), name...)
	}
}
