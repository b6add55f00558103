package assess

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/framework"
)

// EngineName is the offline engine with its version. The version changes with
// every change to what the engine answers.
const EngineName = "offline/1"

// The engines by which a mapping or a summary came about.
const (
	EngineOffline = "offline"
	EngineModel   = "model"
	EnginePerson  = "person"
)

// weakForClear is how many distinct weak phrases, in two sentences at least,
// together count as clear support.
const weakForClear = 3

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
	fingerprint string
}

// NewOffline compiles the signals of all codes of mapped lists. A phrase that
// could match anything is passed over.
func NewOffline(set framework.Set) *Offline {
	o := &Offline{
		set: set, matchers: map[string]*matcher{},
		covered: map[string]map[string]bool{}, mapped: map[string][]string{},
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
	for i, c := range codes {
		o.codes = append(o.codes, c.full)
		id, _, _ := strings.Cut(c.full, "/")
		o.mapped[id] = append(o.mapped[id], c.full)
		for _, tag := range slices.Sorted(maps.Keys(c.code.Signals)) {
			o.compile(i, baseLanguage(tag), c.code.Signals[tag])
		}
	}
	o.fingerprint = fingerprint(set)
	return o
}

func (o *Offline) compile(code int, language string, s framework.Signals) {
	m := o.matchers[language]
	if m == nil {
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
	Code     string // such as "dpi-safeguards/O3"
	Strength int    // 2 clear, 1 weak
	Score    int    // only for putting codes in order; see score
	Evidence []Evidence
}

// Map ranks the codes that a plain text speaks for, best first. Evidence has
// the pointer "". A language without signals gives none: see Speaks.
func (o *Offline) Map(text, language string) []Ranked {
	return o.rank([]field{{text: text, language: baseLanguage(language)}})
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
		if r, ok := weigh(fs, tokens, hits); ok {
			r.Code = o.codes[code]
			ranked = append(ranked, r)
		}
	}
	slices.SortStableFunc(ranked, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Strength, a.Strength), cmp.Compare(b.Score, a.Score), strings.Compare(a.Code, b.Code))
	})
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
		m.find(sentence, func(n, from, to int) {
			for _, s := range m.nodes[n].signals {
				if s.at != "" && f.source != s.at && !strings.HasPrefix(f.source, s.at+"/") {
					continue
				}
				h := hit{index, start + from, start + to, sentence[0].sentence, n, s.kind == clear && !f.low}
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

// weigh turns the hits of one code into a ranked answer. Strength is 2 for one
// clear phrase that can be quoted, or for three distinct weak phrases in two
// sentences at least; 1 for less. A code that cannot be quoted is no answer.
func weigh(fs []field, tokens [][]token, hits []hit) (Ranked, bool) {
	type quoted struct {
		hit
		quote string
	}
	var (
		quotes    []quoted
		phrases   = map[bool]map[string]bool{true: {}, false: {}} // clear or not, to "language node"
		sentences = map[[2]int]bool{}                             // of weak hits
		places    = map[string]bool{}
	)
	for _, h := range hits {
		f := fs[h.field]
		q, ok := quote(f.text, tokens[h.field], h.start, h.end)
		if !ok {
			continue
		}
		quotes = append(quotes, quoted{h, q})
		phrases[h.clear][fmt.Sprint(f.language, " ", h.node)] = true
		places[f.source] = true
		if !h.clear {
			sentences[[2]int{h.field, h.sentence}] = true
		}
	}
	if len(quotes) == 0 {
		return Ranked{}, false
	}
	r := Ranked{Strength: 1, Score: score(len(phrases[true]), len(phrases[false]), len(places)), Evidence: []Evidence{}}
	isClear := len(phrases[true]) > 0
	if isClear || len(phrases[false]) >= weakForClear && len(sentences) >= 2 {
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

// score puts codes in order: many clear phrases in many places come first.
func score(clear, weak, places int) int {
	return 10*min(clear, 10) + 2*min(weak, 10) + 3*min(places, 10)
}
