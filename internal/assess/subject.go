package assess

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/french"
	"github.com/kljensen/snowball/spanish"

	"github.com/dpg-registry/dpg-registry/internal/framework"
)

// A subjectIndex compares a text with what the frameworks themselves say of
// their codes: a code's title and description, its vocabulary, and the titles and
// descriptions of the codes that are related to it. Words are compared by stem, and
// weigh the more the fewer descriptions use them. It says what a text is
// about, not what it claims: so it only puts codes in order.
type subjectIndex struct {
	stem     func(string) string
	words    map[string]int // stem to word
	idf      []float64
	everyday map[string]bool  // words; see everyday
	topics   map[string][]int // stems of a term of codes' vocabularies to those codes
	postings [][]posting      // by word
	code     []int            // by description: index in Offline.codes
	own      []bool           // by description: of the code itself
}

type posting struct {
	description int
	weight      float64
}

// stemmer returns what takes words of a language to their stems; nil for a
// language without one.
func stemmer(language string) func(string) string {
	switch language {
	case "en":
		return func(w string) string { return english.Stem(w, false) }
	case "fr":
		return func(w string) string { return french.Stem(w, false) }
	case "es":
		return func(w string) string { return spanish.Stem(w, false) }
	}
	return nil
}

// small reports whether a word says nothing about a subject.
func small(language, w string) bool {
	switch language {
	case "en":
		return english.IsStopWord(w)
	case "fr":
		return french.IsStopWord(w)
	case "es":
		return spanish.IsStopWord(w)
	}
	return false
}

// everyday lists words, as they are written, that stand in what is written about any
// public good of this kind. Sharing no other word with a description is no likeness.
func everyday(language string) []string {
	switch language {
	case "en":
		return strings.Fields(`people person persons data information project projects country countries nation nations government
			governments platform platforms technology technologies digital system systems service services user users software tool
			tools partner partners water world organisation organisations organization organizations solution solutions application
			applications programme programmes program programs product products use work need help provide support public global
			new important`)
	case "fr":
		return strings.Fields(`personne personnes données information informations projet projets pays gouvernement gouvernements
			plateforme plateformes technologie technologies numérique système systèmes service services utilisateur utilisateurs
			logiciel logiciels outil outils partenaire partenaires eau monde organisation organisations solution solutions
			application applications programme programmes public`)
	case "es":
		return strings.Fields(`persona personas datos información proyecto proyectos país países gobierno gobiernos plataforma
			plataformas tecnología tecnologías digital sistema sistemas servicio servicios usuario usuarios software herramienta
			herramientas socio socios agua mundo organización organizaciones solución soluciones aplicación aplicaciones programa
			programas público`)
	}
	return nil
}

// A description is one text about a code.
type description struct {
	code       int
	own        bool
	parts      []string
	vocabulary []string // of the code itself
}

// newSubjectIndex reads what is said in one language; nil where that is nothing.
func newSubjectIndex(set framework.Set, codes map[string]int, language string) *subjectIndex {
	stem := stemmer(language)
	if stem == nil {
		return nil
	}
	x := &subjectIndex{stem: stem, words: map[string]int{}, topics: map[string][]int{}, everyday: map[string]bool{}}
	for _, w := range everyday(language) {
		x.everyday[w] = true
	}
	var counts []map[int]float64
	in := map[int]int{} // word to the descriptions that use it
	for _, d := range describe(set, codes, language) {
		for _, term := range d.vocabulary {
			key := strings.Join(x.terms(language, term), " ")
			if key != "" && !slices.Contains(x.topics[key], d.code) {
				x.topics[key] = append(x.topics[key], d.code)
			}
		}
		n := map[int]float64{}
		for i, part := range d.parts {
			weight := 1.0
			if i == 0 { // the title
				weight = 2
			}
			for _, w := range x.terms(language, part) {
				id, known := x.words[w]
				if !known {
					id = len(x.words)
					x.words[w] = id
				}
				n[id] += weight
			}
		}
		if len(n) == 0 {
			continue
		}
		for id := range n {
			in[id]++
		}
		counts = append(counts, n)
		x.code = append(x.code, d.code)
		x.own = append(x.own, d.own)
	}
	if len(counts) == 0 {
		return nil
	}
	x.idf = make([]float64, len(x.words))
	x.postings = make([][]posting, len(x.words))
	for id := range x.idf {
		x.idf[id] = math.Log(1 + float64(len(counts))/float64(in[id]))
	}
	for at, n := range counts {
		ids := make([]int, 0, len(n))
		for id := range n {
			ids = append(ids, id)
		}
		slices.Sort(ids) // sums of fractions depend on the order
		length := 0.0
		for _, id := range ids {
			n[id] = (1 + math.Log(n[id])) * x.idf[id]
			length += n[id] * n[id]
		}
		for _, id := range ids {
			x.postings[id] = append(x.postings[id], posting{at, n[id] / math.Sqrt(length)})
		}
	}
	return x
}

// describe lists what the frameworks say of each mapped code, in a fixed order.
func describe(set framework.Set, codes map[string]int, language string) []description {
	var all []description
	for _, id := range set.IDs() {
		f := set[id]
		sorted := slices.Clone(f.Codes)
		slices.SortStableFunc(sorted, func(a, b framework.Code) int { return strings.Compare(a.Code, b.Code) })
		for _, c := range sorted {
			text := []string{c.Name.In(language, "en"), c.Description.In(language, "en")}
			if at, mapped := codes[id+"/"+c.Code]; mapped {
				s := c.Signals[language]
				own := slices.Clone(text)
				vocabulary := s.About
				if len(vocabulary) == 0 {
					vocabulary = slices.Concat(s.Clear, s.Weak)
				}
				own = append(own, strings.ReplaceAll(strings.Join(vocabulary, " "), "*", ""))
				all = append(all, description{at, true, own, vocabulary})
				continue
			}
			for _, list := range slices.Sorted(maps.Keys(c.Relations)) {
				for _, related := range c.Relations[list] {
					if at, mapped := codes[id+"/"+related]; mapped {
						all = append(all, description{at, false, text, nil})
					}
				}
			}
		}
	}
	return all
}

// terms are the stems of a text's words that say something.
func (x *subjectIndex) terms(language, text string) []string {
	var all []string
	for _, t := range tokenize(text) {
		if len(t.key) > 1 && !small(language, t.key) {
			all = append(all, x.stem(t.key))
		}
	}
	return all
}

// near is how close a text is to a code's subject, and the token that shows it best.
type near struct {
	score float64 // from 0, nothing in common, towards 1
	token int
}

// compare puts all codes beside a text; the answer is by index in Offline.codes.
func (x *subjectIndex) compare(language string, tokens []token, codes int) []near {
	type word struct {
		count float64
		token int  // its first
		tells bool // it stands in another form than everyday words do: "personal", not "person"
	}
	found := map[int]*word{}
	var order []int
	ids := map[string]int{} // of words seen; -1 is of none
	for i, t := range tokens {
		id, seen := ids[t.key]
		if !seen {
			id = -1
			if len(t.key) > 1 && !small(language, t.key) {
				if known, ok := x.words[x.stem(t.key)]; ok {
					id = known
				}
			}
			ids[t.key] = id
		}
		if id < 0 {
			continue
		}
		if w := found[id]; w != nil {
			w.count++
			w.tells = w.tells || !x.everyday[t.key]
			continue
		}
		found[id] = &word{1, i, !x.everyday[t.key]}
		order = append(order, id)
	}
	length := 0.0
	for _, id := range order {
		w := (1 + math.Log(found[id].count)) * x.idf[id]
		length += w * w
	}
	sums := make([]float64, len(x.code))
	best := make([]float64, len(x.code))
	shows := make([]int, len(x.code))
	told := make([]bool, len(x.code))
	for _, id := range order {
		w := (1 + math.Log(found[id].count)) * x.idf[id] / math.Sqrt(length)
		for _, p := range x.postings[id] {
			v := w * p.weight
			sums[p.description] += v
			told[p.description] = told[p.description] || found[id].tells
			if v > best[p.description] {
				best[p.description], shows[p.description] = v, found[id].token
			}
		}
	}
	for d := range sums {
		if !told[d] {
			sums[d] = 0
		}
	}
	answer := x.combine(sums, shows, codes)
	for code, part := range x.named(language, tokens) {
		if answer[code].score > 0 {
			answer[code].score = 1 - (1-answer[code].score)*(1-topicShare*part)
		}
	}
	return answer
}

// combine makes one figure of what is said of each code: its own description, and
// the three related ones that are closest.
func (x *subjectIndex) combine(sums []float64, shows []int, codes int) []near {
	answer := make([]near, codes)
	top := make([]float64, codes)
	related := make([][]float64, codes)
	for d, s := range sums {
		if s == 0 {
			continue
		}
		c := x.code[d]
		if x.own[d] {
			answer[c].score += ownShare * s
		} else {
			related[c] = append(related[c], s)
		}
		if s > top[c] {
			top[c], answer[c].token = s, shows[d]
		}
	}
	for c, r := range related {
		slices.SortFunc(r, func(a, b float64) int { return cmp.Compare(b, a) })
		share := 1.0
		for _, s := range r[:min(len(r), 3)] {
			answer[c].score += share * s
			share /= 2
		}
	}
	for c := range answer {
		answer[c].score = 1 - math.Exp(-answer[c].score)
	}
	return answer
}

// A text of at most maxTopicWords words that say something is taken for a topic: a code
// whose own vocabulary has it, or a part of it, is nearer than others, however much
// else its vocabulary holds. topicShare is by how much.
const (
	maxTopicWords = 4
	topicShare    = 0.7
)

// named says how large a part of a short text is a term of each code's vocabulary.
func (x *subjectIndex) named(language string, tokens []token) map[int]float64 {
	var terms []string
	for _, t := range tokens {
		if len(t.key) > 1 && !small(language, t.key) {
			if len(terms) == maxTopicWords {
				return nil
			}
			terms = append(terms, x.stem(t.key))
		}
	}
	best := map[int]float64{}
	for from := range terms {
		for to := from + 1; to <= len(terms); to++ {
			for _, code := range x.topics[strings.Join(terms[from:to], " ")] {
				best[code] = max(best[code], float64(to-from)/float64(len(terms)))
			}
		}
	}
	return best
}

// ownShare is how much a code's own description counts beside the closest of those
// that are related to it.
const ownShare = 2
