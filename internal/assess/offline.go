package assess

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

// EngineName is the offline engine with its version. The version changes with
// every change to what the engine answers.
const EngineName = "offline/5"

// The engines by which a mapping or a summary came about.
const (
	EngineOffline = "offline"
	EngineModel   = "model"
	EnginePerson  = "person"
)

// maxHits bounds what is kept of one code in one field; more says nothing new.
const maxHits = 200

// Offline is the engine that needs no model: it looks for the frameworks'
// signals in the entry's words. It is made once for a set of frameworks and may
// be used by several goroutines.
type Offline struct {
	set         framework.Set
	codes       []string                   // full codes of all mapped lists, sorted
	matchers    map[string]*matcher        // by base language
	covered     map[string]map[string]bool // base language to full codes that have signals in it
	mapped      map[string][]string        // framework to its full codes in mapped lists
	needs       map[string][]float64       // by base language: of each code
	subjects    map[string]*subjectIndex   // by base language
	fingerprint string
	asked       askedWords // of a model, to tell whether its answer still fits
}

func (o *Offline) asker(settings *policy.Settings) *Asker { return &Asker{o.set, settings, o.asked} }

// NewOffline compiles the signals of all codes of mapped lists. A phrase that
// could match anything is passed over.
func NewOffline(set framework.Set) *Offline {
	o := &Offline{
		set: set, matchers: map[string]*matcher{},
		covered: map[string]map[string]bool{}, mapped: map[string][]string{},
		needs: map[string][]float64{}, subjects: map[string]*subjectIndex{},
	}
	type mappedCode struct {
		full string
		code *framework.Code
	}
	var codes []mappedCode
	for _, id := range set.IDs() {
		f := set[id]
		for i := range f.Codes {
			if l := f.List(f.Codes[i].List); l != nil && l.Mapped {
				codes = append(codes, mappedCode{id + "/" + f.Codes[i].Code, &f.Codes[i]})
			}
		}
	}
	slices.SortFunc(codes, func(a, b mappedCode) int { return strings.Compare(a.full, b.full) })
	at := make(map[string]int, len(codes))
	for i, c := range codes {
		at[c.full] = i
	}
	for i, c := range codes {
		o.codes = append(o.codes, c.full)
		id, _, _ := strings.Cut(c.full, "/")
		o.mapped[id] = append(o.mapped[id], c.full)
		for _, tag := range slices.Sorted(maps.Keys(c.code.Signals)) {
			o.compile(i, len(codes), baseLanguage(tag), c.code.Signals[tag])
		}
	}
	for _, language := range slices.Sorted(maps.Keys(o.matchers)) {
		if x := newSubjectIndex(set, at, language); x != nil {
			o.subjects[language] = x
		}
	}
	o.fingerprint = fingerprint(set)
	o.asked = newAskedWords(set)
	return o
}

func (o *Offline) compile(code, codes int, language string, s framework.Signals) {
	m := o.matchers[language]
	if m == nil {
		o.needs[language] = make([]float64, codes)
		m = new(matcher)
		o.matchers[language] = m
		o.covered[language] = map[string]bool{}
	}
	add := func(k kind, at string, phrases []string) {
		for _, p := range phrases {
			words := parsePhrase(p)
			if words == nil {
				continue
			}
			not := slices.ContainsFunc(words, func(w phraseWord) bool { return !w.stem && negates(language, w.key) })
			m.add(words, signal{code, k, at, not})
			if k != takesBack {
				o.covered[language][o.codes[code]] = true
			}
		}
	}
	if o.needs[language][code] = s.Need; s.Need <= 0 {
		o.needs[language][code] = 1
	}
	add(clear, "", s.Clear)
	add(weak, "", s.Weak)
	add(takesBack, "", s.Not)
	for _, at := range slices.Sorted(maps.Keys(s.Fields)) {
		add(clear, at, s.Fields[at])
	}
}

// fingerprint tells one content of the frameworks from another, whatever the
// order of their codes.
func fingerprint(set framework.Set) string {
	h := sha256.New()
	for _, id := range set.IDs() {
		f := *set[id]
		f.Codes = slices.Clone(f.Codes)
		slices.SortStableFunc(f.Codes, func(a, b framework.Code) int { return strings.Compare(a.Code, b.Code) })
		f.Lists = slices.Clone(f.Lists)
		slices.SortStableFunc(f.Lists, func(a, b framework.List) int { return strings.Compare(a.ID, b.ID) })
		data, err := yaml.Marshal(&f)
		if err != nil { // plain data; only a bug gets here, and must not look like a match
			data = []byte(err.Error())
		}
		fmt.Fprintf(h, "%q %d\n", id, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Ranked is a code that a text speaks for, with how strongly.
type Ranked struct {
	Code     string     // such as "dpi-safeguards/O3"
	Strength int        // 2 clear, 1 weak
	Score    float64    // from 0 to 1, only for putting codes in order: it is no probability
	Evidence []Evidence // may be empty for a weak candidate of Map
}

// Map ranks the codes that a plain text speaks for, best first. Beside what the
// text supports, codes whose subject it shares are candidates of strength 1.
// Evidence has the pointer "". A language without signals gives none: see Speaks.
func (o *Offline) Map(text, language string) []Ranked {
	language = baseLanguage(language)
	f := field{text: text, language: language}
	ranked := o.rank([]field{f})
	x := o.subjects[language]
	if x == nil {
		return ranked
	}
	by := map[string]Ranked{}
	for _, r := range ranked {
		by[r.Code] = r
	}
	tokens := tokenize(text)
	ranked = ranked[:0]
	for i, n := range x.compare(language, tokens, len(o.codes)) {
		r, supported := by[o.codes[i]]
		if !supported && n.score < minNear {
			continue
		}
		if !supported {
			r = Ranked{Code: o.codes[i], Strength: 1, Evidence: []Evidence{}}
			if q, ok := quote(text, tokens, n.token, n.token+1); ok {
				r.Evidence = append(r.Evidence, Evidence{Quote: q})
			}
		}
		// Support says what is claimed, nearness what it is about: the text of a
		// practice claims nothing, and is put in its place by the second.
		r.Score = 1 - (1-supportShare*r.Score)*(1-n.score)
		ranked = append(ranked, r)
	}
	sortRanked(ranked)
	return ranked
}

// MapEntry ranks the codes that an entry's words speak for, best first, as Assess
// finds them. No ruling of a person plays a part.
func (o *Offline) MapEntry(e *entry.Entry, settings *policy.Settings) []Ranked {
	ranked := o.rank(fields(e, entryLanguage(e, settings)))
	sortRanked(ranked)
	return ranked
}

const (
	minNear      = 0.005 // below it, a text and a code have next to nothing in common
	supportShare = 0.5   // of a score for support, beside nearness
)

func sortRanked(ranked []Ranked) {
	slices.SortStableFunc(ranked, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Strength, a.Strength), strings.Compare(a.Code, b.Code))
	})
}

// Speaks reports whether any code has signals in a language.
func (o *Offline) Speaks(language string) bool { return len(o.covered[baseLanguage(language)]) > 0 }

// A hit is a phrase that was found.
type hit struct {
	field, start, end int // tokens of the field
	sentence          int
	node              int // of the language's matcher: which phrase
	clear             bool
}

// rank reads all fields and gives the codes that have evidence, best first.
func (o *Offline) rank(fs []field) []Ranked {
	found := make([][]hit, len(o.codes))
	tokens := make([][]token, len(fs))
	for i, f := range fs {
		m := o.matchers[f.language]
		if m == nil {
			continue
		}
		tokens[i] = tokenize(f.text)
		o.read(i, f, m, tokens[i], found)
	}
	var ranked []Ranked
	for code, hits := range found {
		if len(hits) == 0 {
			continue
		}
		if r, ok := weigh(fs, tokens, hits, func(language string) float64 { return o.needs[language][code] }); ok {
			r.Code = o.codes[code]
			ranked = append(ranked, r)
		}
	}
	sortRanked(ranked)
	return ranked
}

// read collects the hits of one field, sentence by sentence.
func (o *Offline) read(index int, f field, m *matcher, tokens []token, found [][]hit) {
	var (
		hits  = make([][]hit, len(o.codes)) // of one sentence
		backs = make([][]hit, len(o.codes))
		kept  = make([]int, len(o.codes))
		dirty []int // codes with something in hits or backs
	)
	for start := 0; start < len(tokens); {
		end := start + 1
		for end < len(tokens) && tokens[end].sentence == tokens[start].sentence {
			end++
		}
		sentence := tokens[start:end]
		if pointsElsewhere(f.language, sentence) {
			start = end
			continue
		}
		recited := len(sentence)
		if f.low {
			recited = 0
		} else if strings.HasPrefix(f.source, "/sdgs/") {
			recited = recitesFrom(f.language, f.text, sentence)
		}
		m.find(sentence, func(n, from, to int) {
			for _, s := range m.nodes[n].signals {
				if s.at != "" && f.source != s.at && !strings.HasPrefix(f.source, s.at+"/") {
					continue
				}
				h := hit{index, start + from, start + to, sentence[0].sentence, n, s.kind == clear && to <= recited}
				if s.kind == takesBack {
					backs[s.code] = append(backs[s.code], h)
				} else if !s.not && (f.denied || negated(f.language, f.text, sentence, from, to)) {
					continue
				} else {
					hits[s.code] = append(hits[s.code], h)
				}
				dirty = append(dirty, s.code)
			}
		})
		for _, code := range dirty {
			for _, h := range outermost(hits[code], backs[code]) {
				if kept[code] < maxHits {
					kept[code]++
					found[code] = append(found[code], h)
				}
			}
			hits[code], backs[code] = hits[code][:0], backs[code][:0]
		}
		dirty = dirty[:0]
		start = end
	}
}

// recitesFrom says from which token on a sentence recites an SDG target: the words
// are the United Nations', not the owner's. It is 0 where the sentence starts as a
// target does, "9.c Increase access to ICT", and the number of tokens where it recites
// none. Further on, "aligned with Target 9.1, "Develop", only a capital after the
// target's number tells its text from the owner's own words about it.
func recitesFrom(language, text string, sentence []token) int {
	first := 0
	if language == "en" && (sentence[0].key == "target" || sentence[0].key == "indicator" || sentence[0].key == "sdg") {
		first = 1
	}
	for i := range sentence {
		if i+1 == len(sentence) || !numbersTarget(text, sentence[i], sentence[i+1]) {
			continue
		}
		if i <= first {
			return 0
		}
		if i+2 < len(sentence) {
			if r, _ := utf8.DecodeRuneInString(text[sentence[i+2].start:]); unicode.IsUpper(r) {
				return i
			}
		}
	}
	return len(sentence)
}

// numbersTarget reports whether two tokens are the number of a target, 9.c or 17.16.
func numbersTarget(text string, goal, target token) bool {
	if target.start != goal.end+1 || text[goal.end] != '.' || len(target.key) > 2 {
		return false
	}
	n, err := strconv.Atoi(goal.key)
	return err == nil && n >= 1 && n <= 17
}

// outermost drops hits that a "not" phrase overlaps, and those that lie inside
// another of at least their weight: "privacy" in "privacy policy" is one hit.
func outermost(hits, backs []hit) []hit {
	hits = slices.DeleteFunc(hits, func(h hit) bool {
		return slices.ContainsFunc(backs, func(b hit) bool { return b.start < h.end && h.start < b.end })
	})
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), -compareBool(a.clear, b.clear))
	})
	var kept []hit
	end, clearEnd := -1, -1 // how far the hits so far reach
	for _, h := range hits {
		if h.clear && h.end <= clearEnd || !h.clear && h.end <= end {
			continue
		}
		end = max(end, h.end)
		if h.clear {
			clearEnd = max(clearEnd, h.end)
		}
		kept = append(kept, h)
	}
	return kept
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// pointsElsewhere reports whether a sentence only says where to look, such as
// "Please see our privacy policy": it claims nothing. A long one may claim
// something on the way.
func pointsElsewhere(language string, sentence []token) bool {
	if language != "en" {
		return false
	}
	longest := 8 // words
	if sentence[0].key == "please" && len(sentence) > 1 {
		sentence, longest = sentence[1:], 20
	}
	if len(sentence) > longest {
		return false
	}
	switch sentence[0].key {
	case "see", "refer", "visit", "check", "click", "link", "links", "yes":
		return true
	}
	return false
}

// A phraseID names a phrase of one language.
type phraseID struct {
	language string
	node     int
}

// weigh turns the hits of one code into a ranked answer. Each distinct phrase
// counts once; what stands in one field counts for little over twice the need of the
// code, so that one long answer does not outweigh all others. Strength is 2 where
// the need is met. A keyword counts though it is too short to be quoted; a code
// that cannot be quoted at all is no answer.
func weigh(fs []field, tokens [][]token, hits []hit, need func(language string) float64) (Ranked, bool) {
	type quoted struct {
		hit
		quote string
	}
	var (
		quotes   []quoted
		isClear  bool
		counted  = map[phraseID]bool{}
		spoken   = map[[2]int]bool{} // sentences and keywords
		support  float64
		byField  = map[string]float64{}
		language = ""
	)
	slices.SortStableFunc(hits, func(a, b hit) int { return -compareBool(a.clear, b.clear) })
	for _, h := range hits {
		f := fs[h.field]
		q, ok := quote(f.text, tokens[h.field], h.start, h.end)
		if !ok && !f.low {
			continue
		}
		if ok {
			quotes = append(quotes, quoted{h, q})
			isClear = isClear || h.clear
		}
		spoken[[2]int{h.field, h.sentence}] = true
		if language == "" {
			language = f.language
		}
		k := weak
		if h.clear {
			k = clear
		}
		id := phraseID{f.language, h.node}
		if counted[id] {
			continue
		}
		counted[id] = true
		if byField[f.source] < 2*need(f.language) {
			byField[f.source] += k.support()
			support += k.support()
		}
	}
	if len(quotes) == 0 {
		return Ranked{}, false
	}
	n := need(language)
	r := Ranked{Strength: 1, Score: support / (support + n), Evidence: []Evidence{}}
	if support >= n-1e-9 && (isClear || len(spoken) > 1) { // one sentence of hints is a hint
		r.Strength = 2
	}
	quotes = slices.DeleteFunc(quotes, func(q quoted) bool { return q.clear != isClear })
	slices.SortStableFunc(quotes, func(a, b quoted) int { // longer phrases say more
		return cmp.Or(cmp.Compare(b.end-b.start, a.end-a.start), cmp.Compare(a.field, b.field), cmp.Compare(a.start, b.start))
	})
	said := map[string]bool{}
	for _, distinct := range []bool{true, false} { // first one of each sentence, then any
		for _, q := range quotes {
			ev := Evidence{fs[q.field].pointer, q.quote}
			place := fmt.Sprint(q.field, " ", q.sentence)
			if len(r.Evidence) == MaxQuotes || said[q.quote] || distinct && said[place] {
				continue
			}
			if slices.ContainsFunc(r.Evidence, func(old Evidence) bool {
				return old.Pointer == ev.Pointer && (strings.Contains(old.Quote, ev.Quote) || strings.Contains(ev.Quote, old.Quote))
			}) {
				continue
			}
			said[q.quote], said[place] = true, true
			r.Evidence = append(r.Evidence, ev)
		}
	}
	return r, true
}
