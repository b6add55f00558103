package entry

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Text is prose for people: written as a plain string in the registry's main
// language, or as a mapping by BCP 47 language tag. The zero Text is no text.
type Text struct {
	plain string
	by    map[string]string
}

// Plain is text in the registry's main language.
func Plain(s string) Text { return Text{plain: s} }

// IsZero reports whether nothing is written; yaml.v3 then leaves the key out.
func (t Text) IsZero() bool { return t.plain == "" && len(t.by) == 0 }

// In returns the text in lang. A plain string counts as being in main.
// It returns "" where there is none.
func (t Text) In(lang, main string) string {
	if t.by != nil {
		return t.by[lang]
	}
	if lang == main {
		return t.plain
	}
	return ""
}

// Best returns the text in lang or else in main or else in the first language
// by tag.
func (t Text) Best(lang, main string) string {
	if t.by == nil {
		return t.plain
	}
	for _, l := range []string{lang, main} {
		if s := t.by[l]; s != "" {
			return s
		}
	}
	for _, l := range slices.Sorted(maps.Keys(t.by)) {
		if s := t.by[l]; s != "" {
			return s
		}
	}
	return ""
}

// ByLanguage returns the text as a mapping by language tag, the form that the
// catalog publishes; nil where there is no text.
func (t Text) ByLanguage(main string) map[string]string {
	switch {
	case t.by != nil:
		return t.by
	case t.plain != "":
		return map[string]string{main: t.plain}
	}
	return nil
}

// UnmarshalYAML takes a string or a mapping of strings. The error is a
// *yaml.TypeError, upon which the rest of the file is read all the same.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.AliasNode:
		return t.UnmarshalYAML(n.Alias)
	case yaml.MappingNode:
		return n.Decode(&t.by)
	case yaml.ScalarNode:
		t.plain = n.Value
		return nil
	}
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: text is a string or a mapping by language", n.Line)}}
}

// MarshalYAML writes the text as it was read.
func (t Text) MarshalYAML() (any, error) {
	if t.by != nil {
		return t.by, nil
	}
	return t.plain, nil
}

// IsPlain reports whether the text is written as one string, not by language. The
// zero Text is plain.
func (t Text) IsPlain() bool { return t.by == nil }

// With returns the text with what it says in lang replaced, and what it says in
// other languages as it was. A plain string counts as being in main, and stays
// plain where that will do.
func (t Text) With(lang, main, s string) Text {
	if len(t.by) == 0 && lang == main {
		return Plain(s)
	}
	by := make(map[string]string, len(t.by)+2)
	if t.by == nil && t.plain != "" {
		by[main] = t.plain
	}
	maps.Copy(by, t.by)
	by[lang] = s
	return Text{by: by}
}
