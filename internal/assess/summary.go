package assess

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// maxDescription is how long a description may be and still serve where a
// summary would stand.
const maxDescription = 300 // characters

// SummaryFirst reports whether a summary stands where the description would: that
// is missing, or longer than 300 characters. Else a person's own words come first
// and a summary second, marked as what it is.
func SummaryFirst(e *entry.Entry, settings *policy.Settings) bool {
	language := entryLanguage(e, settings)
	d := strings.TrimSpace(e.Description.Best(language, language))
	return d == "" || utf8.RuneCountInString(d) > maxDescription
}

// ownSummary is a person's text, as it is. One that is longer than a summary
// may be is for its author to shorten, not for the bot: then there is none.
func ownSummary(r rulings, language string) *Summary {
	s := &Summary{Language: language, Engine: EnginePerson}
	text, at := plainText(*r.own), r.ownAt
	if text == "" {
		by := r.own.ByLanguage("")
		var tag string
		for t := range by {
			if strings.TrimSpace(by[t]) == "" {
				continue
			}
			// The entry's language first, then the first tag.
			if tag == "" || baseLanguage(t) == language && baseLanguage(tag) != language ||
				(baseLanguage(t) == language) == (baseLanguage(tag) == language) && t < tag {
				tag = t
			}
		}
		if tag == "" {
			return nil
		}
		text, at, s.Language = by[tag], at+source.Pointer(tag), tag
	}
	if strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > MaxSummaryLetters {
		return nil
	}
	s.Sentences = []Sentence{{Text: text, From: []string{at}}}
	return s
}

// summarize makes a summary from fields where the description is missing or too
// long to be one. It gives none rather than a clumsy one: where a field it needs
// is missing or would not read as plain prose, and in a registry that is not
// read in English.
func summarize(e *entry.Entry, language string, settings *policy.Settings) *Summary {
	d := strings.TrimSpace(e.Description.Best(language, language))
	if d != "" && utf8.RuneCountInString(d) <= maxDescription || !readIn("en", settings) {
		return nil
	}
	what := whatItIs(e)
	if what == nil {
		return nil
	}
	used := whereUsed(e)
	if len(what.From) < 3 && used == nil && e.Format == "" {
		return nil // "X is software. It is licensed under MIT." helps nobody
	}
	s := &Summary{Language: "en", Engine: EngineOffline, Sentences: []Sentence{*what}}
	letters := utf8.RuneCountInString(what.Text)
	for _, more := range []*Sentence{used, licensed(e)} {
		if more == nil {
			continue
		}
		if letters += 1 + utf8.RuneCountInString(more.Text); letters > MaxSummaryLetters {
			break
		}
		s.Sentences = append(s.Sentences, *more)
	}
	return s
}

func readIn(language string, settings *policy.Settings) bool {
	if settings == nil || len(settings.Languages) == 0 {
		return language == "en"
	}
	return slices.ContainsFunc(settings.Languages, func(t string) bool { return baseLanguage(t) == language })
}

// whatItIs is the first sentence: name, types and sectors, or of a publication
// its format and topic.
func whatItIs(e *entry.Entry) *Sentence {
	if !plainName(e.Name) {
		return nil
	}
	var noun string
	from := []string{"/name"}
	switch {
	case len(e.Types) > 0:
		noun = typeNouns(e.Types)
		from = append(from, "/types")
	case e.Format != "":
		noun = withArticle(strings.ReplaceAll(e.Format, "-", " "))
		from = append(from, "/format")
	}
	if noun == "" {
		return nil
	}
	text := e.Name + " is " + noun
	if sectors := sectorWords(e.Sectors); sectors != "" {
		text += " for " + sectors
		from = append(from, "/sectors")
	}
	return &Sentence{Text: text + ".", From: from}
}

// typeNouns words the types of a digital public good; "" where one is not known.
func typeNouns(types []string) string {
	known := []struct{ name, noun string }{ // in the order of a sentence
		{"software", "software"},
		{"ai-system", "an AI system"},
		{"standard", "a standard"},
		{"data", "a source of data"},
		{"content", "a source of content"},
	}
	var nouns []string
	found := 0
	for _, k := range known {
		if slices.Contains(types, k.name) {
			nouns = append(nouns, k.noun)
			found++
		}
	}
	for _, t := range types {
		if !slices.ContainsFunc(known, func(k struct{ name, noun string }) bool { return k.name == t }) {
			return ""
		}
	}
	if n := len(nouns); n >= 2 && strings.HasSuffix(nouns[n-2], "of data") && strings.HasSuffix(nouns[n-1], "of content") {
		nouns = append(nouns[:n-2], "a source of data and content")
		if len(nouns) == 2 {
			return nouns[0] + " as well as " + nouns[1]
		}
	}
	return list(nouns)
}

var lettersAndSpaces = regexp.MustCompile(`^\p{L}[\p{L} -]+$`)

// plainSector bounds the length apart from the pattern: counted repeats make one
// that takes long to compile at every start.
func plainSector(s string) bool {
	return utf8.RuneCountInString(s) <= 40 && lettersAndSpaces.MatchString(s)
}

// sectorWords words the sectors, "" where one of them would not read as the
// name of a sector.
func sectorWords(sectors []string) string {
	var words []string
	for _, s := range sectors {
		if s = strings.TrimSpace(s); !plainSector(s) {
			return ""
		}
		switch strings.ToLower(s) {
		case "other", "others", "all", "any", "none", "various", "general", "multiple", "unknown":
			return ""
		}
		s = lowerWords(s)
		if strings.HasSuffix(s, " sector") || strings.Contains(s, " and ") && len(sectors) > 1 {
			return "" // one "and" inside another is hard to read
		}
		if !slices.Contains(words, s) {
			words = append(words, s)
		}
	}
	switch n := len(words); {
	case n == 0:
		return ""
	case n == 1:
		return "the " + words[0] + " sector"
	case n <= 3:
		return "the " + list(words) + " sectors"
	default:
		return fmt.Sprintf("%d sectors, among them %s", n, list(words[:3]))
	}
}

// lowerWords puts words in the middle of a sentence: "Health" becomes "health",
// "ICT" stays.
func lowerWords(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		upper := 0
		for _, r := range w {
			if unicode.IsUpper(r) {
				upper++
			}
		}
		if upper == 1 {
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " ")
}

// whereUsed is the sentence on countries, dated by the source of the facts.
func whereUsed(e *entry.Entry) *Sentence {
	if e.Locations == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, c := range e.Locations.DeployedIn {
		if c = strings.TrimSpace(c); c != "" {
			seen[c] = true
		}
	}
	if len(seen) == 0 {
		return nil
	}
	date, at := factsDate(e)
	if date == "" {
		return nil // a count without a date grows false by itself
	}
	countries := "1 country"
	if n := len(seen); n > 1 {
		countries = strconv.Itoa(n) + " countries"
	}
	return &Sentence{
		Text: "As of " + date + ", it was deployed in " + countries + ".",
		From: []string{"/locations/deployed_in", at},
	}
}

// factsDate is the date of the entry's facts: of its first dated source, or
// else of its status.
func factsDate(e *entry.Entry) (words, pointer string) {
	for i, s := range e.Sources {
		if d := dateWords(s.AsOf); d != "" {
			return d, source.Pointer("sources", strconv.Itoa(i), "as_of")
		}
	}
	return dateWords(e.Status.AsOf), "/status/as_of"
}

var isoDate = regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})$`)

// dateWords writes "2023-01-13" as "13 January 2023"; "" for what is no date.
func dateWords(s string) string {
	m := isoDate.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	months := []string{"January", "February", "March", "April", "May", "June", "July",
		"August", "September", "October", "November", "December"}
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return ""
	}
	return fmt.Sprintf("%d %s %s", day, months[month-1], m[1])
}

var licenseWords = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+() :-]*$`)

func plainLicense(s string) bool { return len(s) <= 80 && licenseWords.MatchString(s) }

// licensed is the sentence on licences, which are spelt as SPDX spells them.
func licensed(e *entry.Entry) *Sentence {
	var expressions, from []string
	for i, l := range e.Licenses {
		if !plainLicense(l.Expression) {
			return nil
		}
		if !slices.Contains(expressions, l.Expression) {
			expressions = append(expressions, l.Expression)
			from = append(from, source.Pointer("licenses", strconv.Itoa(i), "expression"))
		}
	}
	if n := len(expressions); n == 0 || n > 4 {
		return nil
	}
	return &Sentence{Text: "It is licensed under " + list(expressions) + ".", From: from}
}

// plainName reports whether a name can stand in a sentence as it is.
func plainName(s string) bool {
	if s == "" || utf8.RuneCountInString(s) > 80 || !plainProse(s) || strings.ContainsAny(s, "&\";:!?=^%/") {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	if !unicode.IsLetter(first) && !unicode.IsDigit(first) || last == '.' || last == ',' {
		return false
	}
	for _, r := range s {
		if !wordRune(r) && !strings.ContainsRune(" -.,'’()+", r) {
			return false
		}
	}
	return true
}

// withArticle puts "a" or "an" before a noun; "" for what is no plain noun.
func withArticle(noun string) string {
	if !plainSector(noun) {
		return ""
	}
	noun = lowerWords(noun)
	for _, consonant := range []string{"uni", "use", "eu", "one"} { // "a use case", "a unit"
		if strings.HasPrefix(noun, consonant) {
			return "a " + noun
		}
	}
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// list joins words as a sentence does: "a", "a and b", "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
