package assess

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A field is one text of an entry that may be quoted as evidence.
type field struct {
	pointer  string // RFC 6901, into the entry
	text     string
	language string // base language of the text
	source   string // pointer without a language tag: versions of one text share it
	low      bool   // a keyword rather than a statement: weak at most
	denied   bool   // beside an answer "no" that denies it
}

// fields lists what may be read, in the order in which evidence is preferred:
// what the subject is said to be, then what its owner answered, then its
// relevance to the goals, then keywords. Names of bodies, links and whatever
// the bot made are not among them.
func fields(e *entry.Entry, language string) []field {
	var l fieldList
	l.language = language
	if e.Format != "" { // a publication's name is a title, made of words
		l.plain(e.Name, "name")
	}
	l.text(e.Description, "description")
	for _, q := range e.Standard.Questions() {
		from := len(l.fields)
		l.text(q.Answer.Text, "standard", q.Key, "text")
		for i, item := range q.Answer.Items {
			l.plain(item, "standard", q.Key, "items", strconv.Itoa(i))
		}
		for i := from; i < len(l.fields); i++ {
			l.fields[i].denied = deniedBy(q)
		}
	}
	for i, g := range e.SDGs {
		l.text(g.Text, "sdgs", strconv.Itoa(i), "text")
	}
	from := len(l.fields)
	for i, s := range e.Topics {
		l.plain(s, "topics", strconv.Itoa(i))
	}
	for i, s := range e.Sectors {
		l.plain(s, "sectors", strconv.Itoa(i))
	}
	for i := from; i < len(l.fields); i++ {
		l.fields[i].low = true
	}
	return l.fields
}

type fieldList struct {
	language string
	fields   []field
}

func (l *fieldList) plain(text string, path ...string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	p := source.Pointer(path...)
	l.fields = append(l.fields, field{pointer: p, text: text, language: l.language, source: p})
}

func (l *fieldList) text(t entry.Text, path ...string) {
	if s := plainText(t); s != "" {
		l.plain(s, path...)
		return
	}
	by := t.ByLanguage("")
	for _, tag := range slices.Sorted(maps.Keys(by)) {
		if strings.TrimSpace(by[tag]) == "" {
			continue
		}
		l.fields = append(l.fields, field{
			pointer: source.Pointer(append(slices.Clone(path), tag)...), text: by[tag],
			language: baseLanguage(tag), source: source.Pointer(path...),
		})
	}
}

// plainText is the text that carries no language tag, or "".
func plainText(t entry.Text) string {
	const nowhere = "\x00" // no tag: a mapping has no text under it
	return t.In(nowhere, nowhere)
}

// deniedBy reports whether the answer takes back the words beside it. Where the
// question asks whether something delicate is done, "no" is the good answer and
// takes back nothing.
func deniedBy(q entry.Question) bool {
	switch q.Key {
	case "restrictive_dependency", "non_personal_data", "personal_data", "data_sharing", "user_content", "user_interaction":
		return false
	}
	return q.Answer.Answer == "no"
}

// baseLanguage is the language of a BCP 47 tag without script and region; "und"
// for what is no tag.
func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if len(base) < 2 || len(base) > 3 {
		return "und"
	}
	for _, c := range base {
		if c < 'a' || c > 'z' {
			return "und"
		}
	}
	return base
}
