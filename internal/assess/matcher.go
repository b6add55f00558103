package assess

import (
	"slices"
	"strings"
)

// maxPhraseWords bounds a signal; a longer one would only ever match the text it
// was copied from.
const maxPhraseWords = 12

// A matcher finds all phrases of one language in one pass. It is a tree of
// words: every phrase is a path from the root. A walk starts at each word of
// the text and ends with the sentence, so the time is linear in the text.
type matcher struct {
	nodes []node
}

type node struct {
	words   map[string]int // the next word to its node
	stems   map[string]int // the next word without its "*" to its node
	lengths []int          // of stems, sorted
	gap     int            // the node after "..."; 0 is none
	signals []signal       // of the phrases that end here
}

// A signal is what a phrase says of one code.
type signal struct {
	code int    // index in Offline.codes
	kind kind   // what it says
	at   string // pointer below which it holds; "" is everywhere
	not  bool   // the phrase holds a negation of its own
}

type kind int8

const (
	takesBack kind = iota
	weak
	clear
)

// support is how much phrases of a kind count.
func (k kind) support() float64 {
	switch k {
	case clear:
		return 1
	case weak:
		return 0.4
	}
	return 0
}

// A phraseWord is a word of a phrase; a stem matches any ending, a gap up to
// maxGap words.
type phraseWord struct {
	key  string
	stem bool
	gap  bool
}

const maxGap = 4

// parsePhrase takes a phrase apart as texts are taken apart. It returns nil for
// one that could match anything, or that is too long.
func parsePhrase(phrase string) []phraseWord {
	var words []phraseWord
	letters := false
	for chunk := range strings.FieldsSeq(phrase) {
		if chunk == "*" {
			words = append(words, phraseWord{stem: true})
			continue
		}
		if chunk == "..." {
			if !letters || words[len(words)-1].gap {
				return nil // it would only widen the quote
			}
			words = append(words, phraseWord{gap: true})
			continue
		}
		tokens := tokenize(chunk)
		for i, t := range tokens {
			stem := i == len(tokens)-1 && strings.HasSuffix(chunk, "*")
			words = append(words, phraseWord{key: t.key, stem: stem})
			letters = letters || t.key != ""
		}
	}
	if !letters || len(words) > maxPhraseWords || words[len(words)-1].gap {
		return nil
	}
	return words
}

func (m *matcher) add(words []phraseWord, s signal) {
	if len(m.nodes) == 0 {
		m.nodes = []node{{}}
	}
	at := 0
	for _, w := range words {
		n := &m.nodes[at]
		if w.gap {
			if n.gap == 0 {
				n.gap = len(m.nodes)
				m.nodes = append(m.nodes, node{})
			}
			at = m.nodes[at].gap
			continue
		}
		to := &n.words
		if w.stem {
			to = &n.stems
			if i, found := slices.BinarySearch(n.lengths, len(w.key)); !found {
				n.lengths = slices.Insert(n.lengths, i, len(w.key))
			}
		}
		if *to == nil {
			*to = map[string]int{}
		}
		next, known := (*to)[w.key]
		if !known {
			next = len(m.nodes)
			(*to)[w.key] = next
			m.nodes = append(m.nodes, node{})
		}
		at = next
	}
	if n := &m.nodes[at]; !slices.Contains(n.signals, s) {
		n.signals = append(n.signals, s)
	}
}

// find calls emit for every phrase in a sentence: the node it ends at and the
// tokens it spans.
func (m *matcher) find(sentence []token, emit func(node, start, end int)) {
	if len(m.nodes) == 0 {
		return
	}
	for i := range sentence {
		m.walk(0, sentence, i, i, emit)
	}
}

func (m *matcher) walk(at int, sentence []token, start, end int, emit func(node, start, end int)) {
	n := &m.nodes[at]
	if len(n.signals) > 0 {
		emit(at, start, end)
	}
	if end == len(sentence) {
		return
	}
	if n.gap > 0 {
		for to := end; to <= min(end+maxGap, len(sentence)-1); to++ {
			m.walk(n.gap, sentence, start, to, emit)
		}
	}
	key := sentence[end].key
	if next, ok := n.words[key]; ok {
		m.walk(next, sentence, start, end+1, emit)
	}
	for _, l := range n.lengths {
		if l > len(key) {
			break
		}
		if next, ok := n.stems[key[:l]]; ok {
			m.walk(next, sentence, start, end+1, emit)
		}
	}
}

// negates reports whether a word takes back what follows it. A language that is
// not here has no negations: its signals' "not" phrases must do.
func negates(language, word string) bool {
	switch language {
	case "en":
		switch word {
		case "no", "not", "never", "without", "cannot", "nor", "neither":
			return true
		}
	case "fr":
		switch word {
		case "ne", "n", "pas", "sans", "jamais", "aucun", "aucune", "ni":
			return true
		}
	case "es":
		switch word {
		case "no", "sin", "nunca", "ningún", "ninguna", "ni":
			return true
		}
	case "pt":
		switch word {
		case "não", "sem", "nunca", "nenhum", "nenhuma", "nem":
			return true
		}
	}
	return false
}

// negationWindow is how many words back a negation still reaches. Words that only
// strengthen it, as in "does not ever under any circumstances collect", are not
// counted; maxNegationReach bounds them. Up to verbWindow words back a verb is still
// denied where nothing in between starts another thought: "does not at this stage of
// its roll-out collect".
const (
	negationWindow   = 3
	verbWindow       = 6
	maxNegationReach = 12
)

// turns reports whether a word starts a thought of its own, which a negation far
// before it says nothing of: "does not need a licence to encrypt".
func turns(word string) bool {
	switch word {
	case "and", "so", "that", "which", "who", "whose", "because", "since", "while", "when", "where", "if", "as", "to",
		"for", "by", "with", "through", "via", "using", "instead", "rather", "is", "are":
		return true
	}
	return false
}

// copula reports whether a word ties a subject to what is said of it.
func copula(word string) bool {
	switch word {
	case "is", "are", "was", "were", "be", "been", "being", "gets":
		return true
	}
	return false
}

// strengthens reports whether a word stands between a negation and what it denies
// without saying anything itself.
func strengthens(language, word string) bool {
	if language != "en" {
		return false
	}
	switch word {
	case "ever", "under", "any", "circumstance", "circumstances", "in", "way", "ways", "at", "all", "by", "default", "yet",
		"currently", "presently", "directly", "actively", "knowingly", "intentionally", "itself", "themselves", "whatsoever",
		"a", "an", "the", "kind", "sort", "form", "of", "our", "its", "their", "your", "need", "require", "requires", "to":
		return true
	}
	return false
}

// negated reports whether the words from start to end are denied where they
// stand: "does not use encryption", "encryption is not used". "not only",
// "No, it is" and a "but" in between deny nothing.
func negated(language, text string, sentence []token, start, end int) bool {
	var (
		counted = 0
		said    = false // a word that ties what is denied to its subject: "no record is ever encrypted"
		turned  = false // something in between starts another thought
	)
	for i := start - 1; i >= 0 && i >= start-maxNegationReach && counted < verbWindow; i-- {
		word := sentence[i].key
		if language == "en" && (word == "but" || word == "however" || word == "although" || word == "unless" || word == "except") {
			break
		}
		if denies(language, text, sentence, i) {
			verb := word == "not" || word == "never"
			if counted < negationWindow || language == "en" && !turned && (verb || said) {
				return true
			}
		}
		switch {
		case language == "en" && counted == 0 && copula(word):
			said = true
		case !strengthens(language, word):
			counted++
			turned = turned || turns(word)
		case word == "to" || word == "by":
			turned = true
		case counted == 0:
			continue
		}
		if after := sentence[i].end; after < len(text) {
			switch text[after] {
			case ';':
				return trailing(language, text, sentence, end)
			case ',', ':', '(', ')':
				turned = true
			}
		}
	}
	return trailing(language, text, sentence, end)
}

// trailing reports whether the words that end before a place are denied after it:
// "encryption is not used".
func trailing(language, text string, sentence []token, end int) bool {
	if language != "en" {
		return false
	}
	for i := end; i < min(end+2, len(sentence)); i++ {
		switch sentence[i].key {
		case "not", "never":
			return denies(language, text, sentence, i)
		case "is", "are", "was", "were", "will", "does", "do", "has", "have", "can":
		default:
			return false
		}
	}
	return false
}

func denies(language, text string, sentence []token, i int) bool {
	t := sentence[i]
	if !negates(language, t.key) {
		return false
	}
	if t.end < len(text) && text[t.end] == ',' && t.key != "not" && t.key != "never" {
		return false
	}
	if i+1 < len(sentence) {
		switch sentence[i+1].key {
		case "only", "just", "merely":
			return false
		}
	}
	return true
}
