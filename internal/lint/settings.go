package lint

import (
	"errors"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var settings = &Rule{
	ID:       "settings",
	Severity: diag.Error,
	Summary:  "registry.yaml names kinds, frameworks, languages and a licence that are there",
	Doc: `registry.yaml says which kinds of entries and which frameworks are in use. One that is misspelt is not in use, and
what belongs to it silently drops out of the catalog. Languages are BCP 47 tags, since pages are served by them, and
the licence of the entries is an SPDX expression, since those who use the catalog go by it.`,
	CheckAll: func(p *RegistryPass) {
		if len(p.Registry.Select(func(name string) bool { return name == settingsFile })) == 0 {
			return // it goes by what is built in
		}
		d := p.ownFile(settingsFile)
		if d == nil {
			return
		}
		var kinds []string
		for _, k := range append(slices.Clone(p.Registry.Kinds), entry.Kinds...) {
			kinds = append(kinds, k.Name)
		}
		checkNames(p, d, "kinds", "kind of entry", kinds)
		frameworks := append(p.Registry.Frameworks.IDs(), builtinFrameworks()...)
		for _, name := range ownFrameworks(p.Registry) {
			frameworks = append(frameworks, frameworkID(name))
		}
		checkNames(p, d, "frameworks", "framework", frameworks)
		if tags := d.Source.Root.Get("languages"); tags != nil {
			for i, tag := range tags.Items {
				if text, _ := trim(tag.Text); tag.Kind == source.String && text != "" && !isLanguage(tag.Text) {
					hint := "look the tag up at https://www.iana.org/assignments/language-subtag-registry"
					if right := tagFor(text); right != "" {
						hint = "write " + quote(right)
					}
					p.Reportf(d, item("/languages", i), hint, "language %s is not a language tag such as en or pt-BR (BCP 47)", quote(tag.Text))
				}
			}
		}
		if l := d.Source.Root.Get("license"); l != nil && l.Kind == source.String {
			checkLicense(p, d, "/license", l.Text)
		}
	},
}

// checkNames holds a list of the settings to the names that there are.
func checkNames(p *RegistryPass, d *registry.Doc, key, what string, known []string) {
	list := d.Source.Root.Get(key)
	if list == nil {
		return
	}
	slices.Sort(known)
	known = slices.Compact(known)
	first := map[string]bool{}
	for i, n := range list.Items {
		switch text, _ := trim(n.Text); {
		case n.Kind != source.String || text == "":
		case !slices.Contains(known, n.Text):
			hint := didYouMean(p.near(d, n.Text, func() []string { return known }))
			if hint == "" {
				hint = "there are " + someOf(known)
			}
			p.Reportf(d, item("/"+key, i), hint, "there is no %s %s", what, quote(n.Text))
		case first[n.Text]:
			p.Reportf(d, item("/"+key, i), "delete it", "%s %s is given twice", what, quote(n.Text)).Severity = diag.Warning
		}
		first[n.Text] = true
	}
}

// checkLicense judges an expression outside of an entry.
func checkLicense(p *RegistryPass, d *registry.Doc, pointer, expression string) {
	text, _ := trim(expression)
	if text == "" {
		return
	}
	_, err := spdx.Parse(text)
	fault := (*spdx.Error)(nil)
	if !errors.As(err, &fault) {
		return
	}
	if r := spdx.Repair(text); r.Expression != "" || r.Candidates != nil {
		p.Reportf(d, pointer, repairHint(r), "licence %s is not an SPDX licence expression", quote(text))
		return
	}
	p.Reportf(d, pointer, lookUp, "licence %s: %s", quote(text), fault.Msg)
}
