package lint

import (
	"regexp"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var languageTag = &Rule{
	ID:       "language-tag",
	Severity: diag.Error,
	Summary:  "every language is a BCP 47 tag",
	Doc: `Languages are written as BCP 47 tags: ` + "`en`, `fr`, `pt-BR`, `zh-Hans`" + `. That holds for "language", "languages" and the
keys of a text that is given in several languages. A browser and a screen reader choose by them.`,
	Check: func(p *Pass) {
		if p.Entry.Language != "" {
			checkTag(p, "/language", p.Entry.Language, p.Reportf)
		}
		for i, tag := range p.Entry.Languages {
			checkTag(p, item("/languages", i), tag, p.Reportf)
		}
		eachText(p.Doc.Source.Root, "", func(pointer string, text *source.Node) {
			for _, f := range text.Fields {
				checkTag(p, pointer+source.Pointer(f.Key.Text), f.Key.Text, p.ReportKeyf)
			}
		})
	},
}

func checkTag(p *Pass, pointer, tag string, report func(pointer, hint, format string, args ...any) *diag.Diagnostic) {
	text, _ := trim(tag)
	if text == "" || isLanguage(tag) {
		return
	}
	hint := "look the tag up at https://www.iana.org/assignments/language-subtag-registry"
	if right := tagFor(text); right != "" {
		hint = "write " + quote(right)
	}
	report(pointer, hint, "language %s is not a language tag such as en or pt-BR (BCP 47)", quote(tag))
}

// tagShape leaves out "_", which the library takes and browsers do not.
var tagShape = regexp.MustCompile(`^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$`)

func isLanguage(tag string) bool {
	const longest = 100
	if len(tag) > longest || !tagShape.MatchString(tag) {
		return false
	}
	_, err := language.Parse(tag)
	return err == nil
}

// tagFor finds the tag of a language's name or of a tag spelt with "_".
func tagFor(s string) string {
	if tag := strings.ReplaceAll(s, "_", "-"); isLanguage(tag) {
		return language.Make(tag).String()
	}
	return languageNames()[fold(s)]
}

// languageNames maps the names of languages, in English and in their own, folded,
// to their tags.
var languageNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for _, t := range display.Supported.Tags() {
		if base, conf := t.Base(); conf == language.Exact {
			bare := language.Make(base.String())
			names[fold(display.English.Languages().Name(bare))] = base.String()
			names[fold(display.Self.Name(bare))] = base.String()
		}
	}
	delete(names, "")
	return names
})

// isTextField knows the keys whose value is a text that may be given by language.
func isTextField(key string) bool { return key == "description" || key == "reason" || key == "text" }

func eachText(n *source.Node, pointer string, f func(pointer string, text *source.Node)) {
	for _, field := range n.Fields {
		if field.Value.Kind != source.Map && field.Value.Kind != source.List {
			continue
		}
		at := pointer + source.Pointer(field.Key.Text)
		if field.Value.Kind == source.Map && isTextField(field.Key.Text) {
			f(at, field.Value)
			continue
		}
		eachText(field.Value, at, f)
	}
	for i, it := range n.Items {
		if it.Kind == source.Map || it.Kind == source.List {
			eachText(it, item(pointer, i), f)
		}
	}
}
