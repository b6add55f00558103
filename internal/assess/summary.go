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
	"github.com/dpg-registry/dpg-registry/internal/framework"
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

// summarize makes a summary from fields: what it is, for whom, where it is used and
// under which licence. It gives none rather than a clumsy one: where a field it
// needs is missing or would not read as plain prose, and in a registry that is not
// read in English. The set gives the titles of the goals that an entry names.
func summarize(e *entry.Entry, set framework.Set, settings *policy.Settings) *Summary {
	if !readIn("en", settings) {
		return nil
	}
	what := whatItIs(e, set)
	if what == nil {
		return nil
	}
	used, published := whereUsed(e), publishedWhen(e)
	license := licensed(e)
	bare := !slices.ContainsFunc(what.From, func(p string) bool { return p != "/name" && p != "/types" && p != "/format" })
	if bare && used == nil && published == nil && (e.Format == "" || license == nil) {
		return nil // "X is software. Its licence is MIT." helps nobody
	}
	s := &Summary{Language: "en", Engine: EngineOffline, Sentences: []Sentence{*what}}
	letters := utf8.RuneCountInString(what.Text)
	for _, more := range []*Sentence{used, published, license} {
		if more == nil {
			continue
		}
		n := 1 + utf8.RuneCountInString(more.Text)
		if letters+n > MaxSummaryLetters {
			continue
		}
		letters += n
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

// whatItIs is the first sentence: name, types and fields of work or else goals, or
// of a publication its format and topics.
func whatItIs(e *entry.Entry, set framework.Set) *Sentence {
	if len(e.Types) == 0 {
		return whatItIsAbout(e)
	}
	subject, is := subjectOf(e.Name), typeWords(e.Types)
	if subject == "" || is == "" {
		return nil
	}
	s := &Sentence{Text: subject + " " + is, From: []string{"/name", "/types"}}
	if fields := fieldWords(e.Sectors); fields != "" {
		s.Text += fields
		s.From = append(s.From, "/sectors")
	} else if goals, from := goalWords(e, set); goals != "" {
		s.Text += " meant to serve " + goals
		s.From = append(s.From, from...)
	}
	s.Text += "."
	return s
}

// whatItIsAbout is the first sentence on a publication. One whose title says what
// it is, such as a guide, is not called that again.
func whatItIsAbout(e *entry.Entry) *Sentence {
	subject, format := quotedTitle(e.Name), strings.ReplaceAll(e.Format, "-", " ")
	noun := withArticle(format)
	if subject == "" || noun == "" {
		return nil
	}
	s := &Sentence{Text: subject + " is " + noun, From: []string{"/name", "/format"}}
	about := topicWords(e.Topics, e.Name)
	if title := strings.ToLower(e.Name); strings.HasSuffix(title, format) || strings.HasSuffix(title, format+"s") {
		if about == "" {
			return nil
		}
		s.Text, s.From = subject+" deals with", []string{"/name"}
	} else if about != "" && format == "tool" {
		s.Text += " for"
	} else if about != "" {
		s.Text += " on"
	}
	if about != "" {
		s.Text += " " + about
		s.From = append(s.From, "/topics")
	}
	s.Text += "."
	return s
}

// subjectOf is a name as the subject of a sentence. One that starts in lower case,
// or that reads as common words or as many things, is set off as a name.
func subjectOf(name string) string {
	if !plainName(name) {
		return ""
	}
	words := strings.Fields(name)
	first, _ := utf8.DecodeRuneInString(name)
	last := words[len(words)-1]
	initial, _ := utf8.DecodeRuneInString(last)
	plural := strings.HasSuffix(last, "s") && last != strings.ToUpper(last) &&
		!slices.ContainsFunc([]string{"ss", "us", "is", "ics"}, func(end string) bool { return strings.HasSuffix(last, end) })
	switch {
	case unicode.IsLower(first), len(words) > 1 && (unicode.IsLower(initial) || plural):
		return "The project “" + name + "”"
	}
	return name
}

// quotedTitle is the title of a publication as the subject of a sentence.
func quotedTitle(name string) string {
	if name == "" || utf8.RuneCountInString(name) > 120 || !plainProse(name) || strings.ContainsAny(name, "“”\"") || !balanced(name) {
		return ""
	}
	return "“" + name + "”"
}

// balanced reports whether every bracket that opens is closed.
func balanced(s string) bool {
	open := 0
	for _, r := range s {
		switch r {
		case '(':
			open++
		case ')':
			if open--; open < 0 {
				return false
			}
		}
	}
	return open == 0
}

// typeWords words the types of a digital public good, with the verb; "" where one
// is not known. Data and content are offered, whatever the name calls them: a
// portal is no data, and "Open Data is data" says nothing.
func typeWords(types []string) string {
	known := []struct{ name, noun string }{ // in the order of a sentence
		{"software", "software"},
		{"ai-system", "an AI system"},
		{"standard", "a standard"},
		{"data", "data"},
		{"content", "content"},
	}
	var is, offers []string
	for _, t := range types {
		if !slices.ContainsFunc(known, func(k struct{ name, noun string }) bool { return k.name == t }) {
			return ""
		}
	}
	for _, k := range known {
		switch {
		case !slices.Contains(types, k.name):
		case k.name == "data" || k.name == "content":
			offers = append(offers, k.noun)
		default:
			is = append(is, k.noun)
		}
	}
	if len(is) >= 2 && is[0] == "software" && is[1] == "an AI system" { // one thing, not two
		is = slices.Replace(is, 0, 2, "AI software")
	}
	switch {
	case len(is) == 0 && len(offers) == 0:
		return ""
	case len(offers) == 0:
		return "is " + list(is)
	case len(is) == 0:
		return "offers " + list(offers)
	}
	return "is " + list(is) + " that offers " + list(offers)
}

var lettersAndSpaces = regexp.MustCompile(`^\p{L}[\p{L} -]+$`)

// plainSector bounds the length apart from the pattern: counted repeats make one
// that takes long to compile at every start.
func plainSector(s string) bool {
	return utf8.RuneCountInString(s) <= 40 && lettersAndSpaces.MatchString(s)
}

// fieldWords is the end of a sentence that says in which fields of work a thing is
// used. A sector that does not read as the name of a field is left out: what stands
// is true without it. Where one is a group of people, the sentence says "concerned with".
func fieldWords(sectors []string) string {
	var plain, double []string // without and with "and" in them
	of, ofMany := " in the field of ", " in the fields of "
	for _, s := range sectors {
		s = strings.Join(strings.Fields(strings.NewReplacer("&", " and ", "/", " and ").Replace(s)), " ")
		s = strings.TrimSuffix(strings.TrimSuffix(s, " sector"), " Sector")
		if !plainSector(s) || strings.Count(s, " and ") > 1 || slices.Contains(noField, strings.ToLower(s)) {
			continue
		}
		if strings.HasSuffix(strings.ToLower(s), "groups") { // people are no field of work
			of, ofMany = " concerned with ", " concerned with "
		}
		into, names := &plain, []string{s}
		if first, second, two := strings.Cut(s, " and "); two && !strings.Contains(first+second, " ") {
			names = []string{first, second} // "water and sanitation" in a list with others
		} else if two {
			into = &double
		}
		for _, name := range names {
			if name = lowerWords(name); !slices.Contains(*into, name) {
				*into = append(*into, name)
			}
		}
	}
	const most = 4
	if len(plain) >= most {
		double = nil
	}
	words := plain[:min(len(plain), most)]
	switch {
	case len(words) == 0 && len(double) == 0:
		return ""
	case len(words) == 0:
		return of + double[0]
	case len(double) > 0:
		return ofMany + list(words) + " as well as " + double[0]
	case len(words) == 1:
		return of + words[0]
	}
	return ofMany + list(words)
}

// noField are sectors that name no field of work.
var noField = []string{
	"other", "others", "all", "any", "none", "various", "general", "multiple", "unknown", "not applicable",
	"big data", "data", "digital", "technology", "tech", "management", "resource management", "platform", "platform creation",
	"data management and policy", "software", "innovation",
}

// topicWords says what a publication is about, in its entry's own spelling; "" where
// its title says all of it. A short name that nobody wrote in capitals, such as
// "ict4d", is left out.
func topicWords(topics []string, title string) string {
	var words []string
	inTitle := strings.Fields(strings.ToLower(title))
	news := false
	for _, t := range topics {
		t = strings.TrimSpace(t)
		spelt := strings.ContainsAny(strings.ToLower(t), "aeiouy") || t == strings.ToUpper(t)
		if plainSector(t) && spelt && !strings.Contains(t, " and ") && !slices.Contains(words, t) && len(words) < 3 {
			words = append(words, t)
			news = news || slices.ContainsFunc(strings.Fields(strings.ToLower(t)), func(w string) bool { return !slices.Contains(inTitle, w) })
		}
	}
	if !news {
		return ""
	}
	return list(words)
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

// goalWords names the Sustainable Development Goals that an entry says it serves, with
// their titles: bare numbers say nothing to a newcomer. Of more than three it gives the
// number, and names two, those with evidence first.
func goalWords(e *entry.Entry, set framework.Set) (words string, from []string) {
	at, evidenced := map[int]string{}, map[int]bool{}
	var goals []int
	for i, g := range e.SDGs {
		if g.Goal >= 1 && g.Goal <= 17 && at[g.Goal] == "" {
			at[g.Goal] = source.Pointer("sdgs", strconv.Itoa(i), "goal")
			goals = append(goals, g.Goal)
			evidenced[g.Goal] = len(g.Evidence) > 0 || !g.Text.IsZero()
		}
	}
	const most = 3
	shown := slices.Clone(goals)
	if len(goals) > most {
		if proven := slices.DeleteFunc(slices.Clone(goals), func(g int) bool { return !evidenced[g] }); len(proven) >= 2 {
			shown = proven
		}
		shown = shown[:2]
	}
	var titled []string
	for _, g := range shown {
		title := goalTitle(set, g)
		if title == "" {
			return "", nil
		}
		titled = append(titled, strconv.Itoa(g)+" ("+title+")")
	}
	for _, g := range goals {
		from = append(from, at[g])
	}
	switch len(goals) {
	case 0:
		return "", nil
	case 1:
		return "Sustainable Development Goal " + titled[0], from
	case 2, most:
		return "Sustainable Development Goals " + list(titled), from
	}
	return strconv.Itoa(len(goals)) + " Sustainable Development Goals, among them " + list(titled), from
}

// goalTitle is the English title of a goal; "" where the frameworks in use have
// none that reads as plain prose.
func goalTitle(set framework.Set, goal int) string {
	_, code, err := set.Find("sdgs/" + strconv.Itoa(goal))
	if err != nil {
		return ""
	}
	title := code.Name.Best("en", "en")
	if utf8.RuneCountInString(title) > 60 || !plainProse(title) || strings.ContainsAny(title, "().") {
		return ""
	}
	return title
}

// whereUsed is the sentence on countries, dated by the source of the facts.
func whereUsed(e *entry.Entry) *Sentence {
	if e.Locations == nil {
		return nil
	}
	var places []string
	seen := map[string]bool{}
	named := true
	for _, c := range e.Locations.DeployedIn {
		if c = strings.TrimSpace(c); c == "" || seen[c] {
			continue
		}
		seen[c] = true
		place := placeName(c)
		named = named && place != ""
		places = append(places, place)
	}
	if len(places) == 0 {
		return nil
	}
	date, at := factsDate(e)
	if date == "" {
		return nil // a list without a date grows false by itself
	}
	if len(places) > 1 && slices.ContainsFunc(places, func(p string) bool { return strings.Contains(p, " and ") }) {
		named = false // one "and" inside another is hard to read
	}
	const most, states = 4, 193 // the members of the United Nations; a longer list has territories
	byName := func(a, b string) int {
		return strings.Compare(strings.TrimPrefix(a, "the "), strings.TrimPrefix(b, "the "))
	}
	slices.SortFunc(places, byName)
	where := list(places)
	switch n := len(places); {
	case named && n <= most:
	case n == 1:
		return nil
	case n > states:
		where = strconv.Itoa(n) + " countries and territories"
	default:
		where = strconv.Itoa(n) + " countries"
	}
	return &Sentence{
		Text: "As of " + date + ", it was in use in " + where + ".",
		From: []string{"/locations/deployed_in", at},
	}
}

// placeName is the English name of a country as it stands in a sentence; "" for
// what is no code, and for names that would have to be turned round.
func placeName(code string) string {
	name := entry.Country(code)
	switch code { // those that take an article
	case "AE", "BS", "CD", "CF", "CG", "DO", "GB", "GM", "KM", "MV", "NL", "PH", "SB", "MH", "US", "VA":
		return "the " + name
	case "GW", "TL": // a hyphen of their own
		return name
	}
	if strings.ContainsAny(name, "(-") || strings.HasSuffix(name, "Islands") || !plainProse(name) {
		return ""
	}
	return name
}

var dayOrLess = regexp.MustCompile(`^(\d{4})(-\d{2})?(-\d{2})?$`)

// publishedWhen is the sentence on when a publication came out.
func publishedWhen(e *entry.Entry) *Sentence {
	m := dayOrLess.FindStringSubmatch(e.Published)
	if m == nil || e.Format == "" {
		return nil
	}
	when := "in " + m[1]
	if m[3] != "" {
		if when = dateWords(e.Published); when == "" {
			return nil
		}
		when = "on " + when
	} else if m[2] != "" {
		_, month, ok := strings.Cut(dateWords(e.Published+"-01"), " ")
		if !ok {
			return nil
		}
		when = "in " + month
	}
	return &Sentence{Text: "It was published " + when + ".", From: []string{"/published"}}
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
	joined := false
	for i, l := range e.Licenses {
		if !plainLicense(l.Expression) {
			return nil
		}
		if !slices.Contains(expressions, l.Expression) {
			joined = joined || strings.Contains(l.Expression, " ")
			expressions = append(expressions, l.Expression)
			from = append(from, source.Pointer("licenses", strconv.Itoa(i), "expression"))
		}
	}
	switch n := len(expressions); {
	case n == 0, n > 4, n > 1 && joined: // "A OR B and C" could be read two ways
		return nil
	case n == 1:
		return &Sentence{Text: "Its licence is " + expressions[0] + ".", From: from}
	}
	return &Sentence{Text: "Its licences are " + list(expressions) + ".", From: from}
}

// plainName reports whether a name can stand in a sentence as it is.
func plainName(s string) bool {
	if s == "" || utf8.RuneCountInString(s) > 80 || !plainProse(s) || strings.ContainsAny(s, "&\";:!?=^%/") || !balanced(s) {
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
