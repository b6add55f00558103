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

// A phraseWord is a word of a phrase; a stem matches any ending.
type phraseWord struct {
	key  string
	stem bool
}

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
		tokens := tokenize(chunk)
		for i, t := range tokens {
			stem := i == len(tokens)-1 && strings.HasSuffix(chunk, "*")
			words = append(words, phraseWord{t.key, stem})
			letters = letters || t.key != ""
		}
	}
	if !letters || len(words) > maxPhraseWords {
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

// negationWindow is how many words back a negation still reaches.
const negationWindow = 3

// negated reports whether the words from start to end are denied where they
// stand: "does not use encryption", "encryption is not used". "not only",
// "No, it is" and a "but" in between deny nothing.
func negated(language, text string, sentence []token, start, end int) bool {
	for i := start - 1; i >= 0 && i >= start-negationWindow; i-- {
		if language == "en" && sentence[i].key == "but" {
			break
		}
		if denies(language, text, sentence, i) {
			return true
		}
	}
	if language != "en" {
		return false
	}
	for i := end; i < min(end+2, len(sentence)); i++ {
		switch sentence[i].key {
		case "not":
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
	if t.end < len(text) && text[t.end] == ',' {
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
