package assess

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

// Bounds on evidence and summaries, for every engine.
const (
	MinQuoteWords     = 3
	MaxQuoteWords     = 30
	MaxQuotes         = 3   // for one code
	MaxSummaryLetters = 300 // characters of all sentences with the spaces between them
	maxQuoteBytes     = 400
	wantedQuoteWords  = 20 // what the offline engine widens a quote to
	wantedBefore      = 8  // of which so many before the hit
)

// quote widens a hit, tokens[start:end], to something that can be read alone:
// up to 20 words of its sentence, at word bounds. It reports false where the
// text has too little around the hit to be evidence.
func quote(text string, tokens []token, start, end int) (string, bool) {
	w := window{text: text, tokens: tokens, lo: start, hi: end}
	sentence := func(a, b token) bool { return a.sentence == b.sentence }
	for !w.tokens[w.lo].word && w.back(sentence) {
	}
	for w.hi < len(tokens) && !tokens[w.hi].word && w.forward(sentence) {
	}
	w.words = 1
	for _, t := range tokens[w.lo+1 : w.hi] {
		if t.word {
			w.words++
		}
	}
	for n := w.words; w.words < min(n+wantedBefore, wantedQuoteWords) && w.wordBack(sentence); {
	}
	for w.words < wantedQuoteWords && w.wordForward(sentence) {
	}
	for w.words < wantedQuoteWords && w.wordBack(sentence) {
	}
	segment := func(a, b token) bool { return a.segment == b.segment }
	for w.words < MinQuoteWords && w.wordForward(segment) {
	}
	for w.words < MinQuoteWords && w.wordBack(segment) {
	}
	q := text[tokens[w.lo].start:tokens[w.hi-1].end]
	n := countWords(q)
	return q, n >= MinQuoteWords && n <= MaxQuoteWords && len(q) <= maxQuoteBytes
}

type window struct {
	text   string
	tokens []token
	lo, hi int
	words  int
}

func (w *window) back(same func(a, b token) bool) bool {
	if w.lo == 0 || !same(w.tokens[w.lo-1], w.tokens[w.lo]) || w.bytes(w.lo-1, w.hi) > maxQuoteBytes {
		return false
	}
	w.lo--
	return true
}

func (w *window) forward(same func(a, b token) bool) bool {
	if w.hi == len(w.tokens) || !same(w.tokens[w.hi-1], w.tokens[w.hi]) || w.bytes(w.lo, w.hi+1) > maxQuoteBytes {
		return false
	}
	w.hi++
	return true
}

// wordBack takes in the whole word before, or nothing.
func (w *window) wordBack(same func(a, b token) bool) bool {
	lo := w.lo
	for w.back(same) {
		if w.tokens[w.lo].word {
			w.words++
			return true
		}
	}
	w.lo = lo
	return false
}

// wordForward takes in the whole word after, or nothing.
func (w *window) wordForward(same func(a, b token) bool) bool {
	hi := w.hi
	for w.forward(same) {
		if w.hi == len(w.tokens) || w.tokens[w.hi].word {
			w.words++
			return true
		}
		if !same(w.tokens[w.hi-1], w.tokens[w.hi]) {
			w.words++
			return true
		}
	}
	w.hi = hi
	return false
}

func (w *window) bytes(lo, hi int) int { return w.tokens[hi-1].end - w.tokens[lo].start }

// Dropped is a part of an assessment that cannot be shown from the entry.
type Dropped struct {
	Code    string // of the mapping; "" where the summary is meant
	Pointer string // of the evidence; "" where the whole mapping or sentence is meant
	Quote   string // the quote or the sentence
	Reason  string // lower case, for a log line or a report
}

// Check is the evidence check that every engine's answer passes, and that
// whoever proposes an assessment repeats. It returns what of the assessment
// stands, and what does not and why: each code must exist, each quote must stand
// word for word in a field that may be quoted, each state must be what the
// entry's decisions say, each sentence must rest on fields that are there. A
// mapping without evidence stands only by a person's decision. It does not
// change a.
func Check(e *entry.Entry, a *Assessment, set framework.Set, settings *policy.Settings) (*Assessment, []Dropped) {
	asker := &Asker{set: set, settings: settings}
	if a.Model != nil {
		asker.words = newAskedWords(set)
	}
	return asker.check(e, a)
}

// check is Check, and saves writing down the rules where there are many entries.
func (asker *Asker) check(e *entry.Entry, a *Assessment) (*Assessment, []Dropped) {
	set, settings := asker.set, asker.settings
	c := newChecker(e, settings)
	kept := *a
	if a.Model != nil {
		kept.Model, c.dropped = asker.Check(e, a.Model)
	}
	c.model = kept.Model
	kept.Mappings = []Mapping{}
	seen := map[string]bool{}
	for _, m := range a.Mappings {
		if seen[m.Code] {
			c.drop(Dropped{Code: m.Code, Reason: "the code is given twice"})
			continue
		}
		seen[m.Code] = true
		if m, ok := c.mapping(m, set); ok {
			kept.Mappings = append(kept.Mappings, m)
		}
	}
	kept.Summary = c.summary(e, a.Summary)
	return &kept, c.dropped
}

type checker struct {
	texts   map[string]string // what may be quoted, by pointer
	fields  map[string]field  // the same, with what else is known of it
	ruling  rulings
	model   *Answer // what of the model's answer stands; nil if nothing
	dropped []Dropped
}

func newChecker(e *entry.Entry, settings *policy.Settings) *checker {
	c := &checker{texts: map[string]string{}, fields: map[string]field{}, ruling: rulingsOf(e)}
	for _, f := range fields(e, entryLanguage(e, settings)) {
		c.texts[f.pointer], c.fields[f.pointer] = f.text, f
	}
	return c
}

func (c *checker) drop(d Dropped) { c.dropped = append(c.dropped, d) }

func (c *checker) mapping(m Mapping, set framework.Set) (Mapping, bool) {
	refuse := func(format string, args ...any) (Mapping, bool) {
		c.drop(Dropped{Code: m.Code, Reason: fmt.Sprintf(format, args...)})
		return Mapping{}, false
	}
	f, code, err := set.Find(m.Code)
	if err != nil {
		return refuse("%v", err)
	}
	if l := f.List(code.List); m.Review.State == StateProposed && (l == nil || !l.Mapped) {
		return refuse("list %q is not one that entries are mapped to", code.List)
	}
	if c.ruling.noMappings {
		return refuse("the entry opts out of mappings")
	}
	if m.Strength != 1 && m.Strength != 2 {
		return refuse("strength %d is not 1 or 2", m.Strength)
	}
	if slices.Contains(m.Engines, EngineModel) && !c.ruling.lockMappings && !c.model.says(m.Code) {
		return refuse("the file holds no answer of a model on this code")
	}
	if want := c.ruling.state(m.Code); m.Review.State != want {
		return refuse("review state %q is not %q, which the entry's decisions give", m.Review.State, want)
	}
	evidence := m.Evidence
	m.Evidence = []Evidence{}
	for _, ev := range evidence {
		reason := c.evidence(ev)
		if reason == "" && len(m.Evidence) == MaxQuotes {
			reason = fmt.Sprintf("a code has at most %d quotes", MaxQuotes)
		}
		if reason != "" {
			c.drop(Dropped{Code: m.Code, Pointer: ev.Pointer, Quote: ev.Quote, Reason: reason})
			continue
		}
		m.Evidence = append(m.Evidence, ev)
	}
	if len(m.Evidence) == 0 && m.Review.State == StateProposed {
		return refuse("no evidence stands")
	}
	return m, true
}

// evidence says what is wrong with one piece; "" is nothing.
func (c *checker) evidence(ev Evidence) string {
	text, ok := c.texts[ev.Pointer]
	if !ok {
		return fmt.Sprintf("%q is no field with text that may be quoted", ev.Pointer)
	}
	if n := countWords(ev.Quote); n < MinQuoteWords || n > MaxQuoteWords || len(ev.Quote) > maxQuoteBytes {
		return fmt.Sprintf("a quote has %d to %d words and at most %d bytes", MinQuoteWords, MaxQuoteWords, maxQuoteBytes)
	}
	if strings.ContainsFunc(ev.Quote, unsafeRune) {
		return "the quote holds a character that cannot be seen"
	}
	if !standsIn(text, ev.Quote) {
		return "the words do not stand in the field"
	}
	return ""
}

// standsIn reports whether quote is found in text without cutting a word.
func standsIn(text, quote string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], quote)
		if i < 0 {
			return false
		}
		i += at
		if cutsNothing(text, i) && cutsNothing(text, i+len(quote)) {
			return true
		}
		at = i + 1
	}
}

// cutsNothing reports whether no word of the text runs across a place in it.
func cutsNothing(text string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	return !wordRune(before) || !wordRune(after) && !invisible(after) || unspaced(before) || unspaced(after)
}

func (c *checker) summary(e *entry.Entry, s *Summary) *Summary {
	if s == nil {
		return nil
	}
	refuse := func(text, reason string) {
		c.drop(Dropped{Quote: text, Reason: reason})
	}
	if c.ruling.noSummary {
		refuse("", "the entry opts out of a summary")
		return nil
	}
	if c.ruling.lockSummary {
		return s // a person read it and chose to keep it
	}
	if s.Engine == EngineModel {
		if !c.model.answers() || !reflect.DeepEqual(s.Sentences, c.model.Summary) {
			refuse("", "the file holds no answer of a model with this summary")
			return nil
		}
		return s // Check has read it
	}
	kept := *s
	kept.Sentences = nil
	letters := -1
	for _, sentence := range s.Sentences {
		missing := slices.IndexFunc(sentence.From, func(p string) bool { return !hasField(e, p) })
		switch n := letters + 1 + utf8.RuneCountInString(sentence.Text); {
		case len(sentence.From) == 0:
			refuse(sentence.Text, "the sentence names no field")
		case missing >= 0:
			refuse(sentence.Text, fmt.Sprintf("there is no field %q", sentence.From[missing]))
		case n > MaxSummaryLetters:
			refuse(sentence.Text, fmt.Sprintf("a summary has at most %d characters", MaxSummaryLetters))
		case s.Engine != EnginePerson && !plainProse(sentence.Text):
			refuse(sentence.Text, "a sentence is plain prose on one line, without links and markup")
		default:
			letters = n
			kept.Sentences = append(kept.Sentences, sentence)
		}
	}
	if len(kept.Sentences) == 0 {
		return nil
	}
	return &kept
}

// plainProse reports whether a text means the same in Markdown, in HTML and on
// a terminal.
func plainProse(s string) bool {
	return s != "" && s == strings.TrimSpace(s) &&
		!strings.ContainsAny(s, "<>[]*_`#|\\~@{}$\n\r\t") && !strings.Contains(s, "://") &&
		!strings.Contains(strings.ToLower(s), "www.") &&
		!strings.ContainsFunc(s, unsafeRune) && utf8.ValidString(s)
}
