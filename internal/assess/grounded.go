package assess

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFrom bounds the fields that one sentence may name.
const maxFrom = 10

// ungrounded says why a sentence of a model does not stand; "" is that it does. It
// must be one whole plain sentence, name fields with text, and take every number
// and every name from them. A word counts as a name if it is written with a capital
// letter, which is strict on German and says nothing of scripts without capitals:
// in those, every word must stand in the fields.
func ungrounded(root *yaml.Node, name string, s Sentence) string {
	switch {
	case len(s.Text) > 4*MaxSummaryLetters || !plainProse(s.Text):
		return "a sentence is plain prose on one line, without links and markup"
	case !strings.HasSuffix(s.Text, ".") && !strings.HasSuffix(s.Text, "。") && !strings.HasSuffix(s.Text, "।"):
		return "a sentence ends with a full stop"
	case len(s.From) == 0:
		return "the sentence names no field"
	case len(s.From) > maxFrom:
		return fmt.Sprintf("a sentence names at most %d fields", maxFrom)
	}
	var said strings.Builder
	for _, p := range s.From {
		n := nodeAt(root, p)
		if n == nil || len(p) > 500 {
			return fmt.Sprintf("there is no field %q", firstBytes(p, 500))
		}
		if n.Kind != yaml.ScalarNode && p != "/types" && p != "/sectors" {
			return fmt.Sprintf("%q is no single field", p)
		}
		said.WriteString(n.Value + "\n")
		for _, c := range n.Content {
			said.WriteString(c.Value + "\n")
		}
	}
	stated := wordsOf(said.String())
	for i, w := range splitWords(s.Text) {
		key := strings.ToLower(w)
		switch {
		case stated[key]:
			continue
		case strings.ContainsFunc(w, unicode.IsDigit):
			return fmt.Sprintf("the number in %q is not in its fields", w)
		case numberWords[key]:
			return fmt.Sprintf("the number %q is not in its fields", w)
		case mixesScripts(w):
			return fmt.Sprintf("%q mixes letters of several scripts", w)
		case strings.ContainsFunc(w, caseless):
			return fmt.Sprintf("%q is not in its fields", w)
		case i == 0 && openers[key] && w[1:] == key[1:]:
			continue
		case strings.ContainsFunc(w, func(r rune) bool { return unicode.IsUpper(r) || unicode.IsTitle(r) }):
			return fmt.Sprintf("the name %q is not in its fields", w)
		}
	}
	low := " " + strings.Join(splitWords(strings.ToLower(s.Text)), " ") + " "
	for _, p := range praise {
		if strings.Contains(low, " "+p+" ") {
			return fmt.Sprintf("%q is praise, or a judgement that the registry does not make", p)
		}
	}
	if m := address.FindString(s.Text); m != "" && !strings.Contains(name, m) {
		return fmt.Sprintf("%q is an address", m)
	}
	if instructs(s.Text) {
		return "the words tell a reader what to do, and nothing about the subject"
	}
	return ""
}

// address finds what a reader's program may turn into a link by itself.
var address = regexp.MustCompile(`[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*\.\p{L}{2,}`)

// splitWords cuts a text into words and numbers. A dot, comma or apostrophe within
// one is a part of it: "1,500", "2.5", "Côte d'Ivoire"; a hyphen is not.
func splitWords(s string) []string {
	return wordPattern.FindAllString(s, -1)
}

var wordPattern = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+([.,][\p{N}]+|['’][\p{L}\p{M}]+)*`)

// wordsOf is the set of words of a text, lower-case, each also without what an
// apostrophe adds.
func wordsOf(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range splitWords(s) {
		w = strings.ToLower(w)
		set[w] = true
		if i := strings.IndexAny(w, "'’"); i > 0 {
			set[w[:i]] = true
		}
	}
	return set
}

// caseless reports whether a letter's script has no capitals, so that a name
// cannot be told from another word.
func caseless(r rune) bool { return unicode.Is(unicode.Lo, r) && r != 'ª' && r != 'º' }

// mixesScripts finds letters that only look like those around them.
func mixesScripts(w string) bool {
	latin, other := false, false
	for _, r := range w {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee):
			other = true
		case r >= 0x1d400 && r <= 0x1d7ff || r >= 0xff21 && r <= 0xff5a: // mathematical and wide letters
			return true
		}
	}
	return latin && other
}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

var (
	// numberWords are numbers in words, in the languages that registries are kept in
	// so far. "One" and "un" are articles and pronouns too, and so are left out.
	numberWords = words(`two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
		seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand
		thousands million millions billion billions dozen dozens half percent
		deux trois quatre cinq sept huit neuf dix onze douze vingt trente quarante cinquante soixante cent cents mille
		millier milliers milliard milliards douzaine moitié
		dos tres cuatro cinco siete ocho nueve diez once doce veinte treinta cuarenta cincuenta sesenta setenta ochenta
		noventa ciento cientos mil miles millón millones docena mitad`)

	// openers start a sentence with a capital letter and are no names.
	openers = words(`a an the it its this these that they their he she for in on at by with as to from of and or used
		users people anyone anybody each every some many both one
		le la les un une des il elle ils elles ce cette ces son sa ses pour dans avec par en
		el los las una unos unas este esta estos estas su sus para con por se`)

	// praise is what a registry does not say of an entry, whoever else does.
	praise = []string{
		"best", "leading", "leader", "world class", "cutting edge", "state of the art", "award winning", "innovative",
		"revolutionary", "groundbreaking", "powerful", "unique", "excellent", "outstanding", "amazing", "remarkable",
		"renowned", "trusted", "proven", "robust", "seamless", "seamlessly", "unparalleled", "premier", "pioneering",
		"game changing", "impressive", "superior", "ideal", "perfect", "comprehensive", "certified", "endorsed",
		"compliant", "complies", "approved", "guarantees", "guaranteed",
	}
)

// nodeAt is what an RFC 6901 pointer names, or nil.
func nodeAt(n *yaml.Node, pointer string) *yaml.Node {
	if !strings.HasPrefix(pointer, "/") || !utf8.ValidString(pointer) {
		return nil
	}
	for t := range strings.SplitSeq(pointer[1:], "/") {
		t = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == t {
					next = n.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(t); err == nil && i >= 0 && i < len(n.Content) && strconv.Itoa(i) == t {
				next = n.Content[i]
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}
