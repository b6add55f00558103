package match

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// A reference is a sentence that names a licence as that of the thing.
type reference struct {
	Match
	sentence int      // which of the sentences
	beside   []string // the words of the sentence that are not of its licences' names
	title    bool     // the sentence is a name alone
}

// A phrase is a way to name a licence, without the words that add nothing.
type phrase struct {
	words  []string
	id     string
	family bool // a GNU licence: what follows says whether later versions may be used
}

var aliases = map[string]string{
	"MIT":          "mit/expat/mit x11/x11 mit/mit expat",
	"Apache-2.0":   "apache 2/asl 2/apache software 2/apache software foundation 2/al 2/apachev2/2 apache",
	"BSD-3-Clause": "bsd 3 clause/3 clause bsd/three clause bsd/new bsd/modified bsd/revised bsd/bsd 3/bsd three clause/bsd new",
	"BSD-2-Clause": "bsd 2 clause/2 clause bsd/two clause bsd/simplified bsd/freebsd/bsd 2/bsd simplified",
	"ISC":          "isc/internet systems consortium",
	"MPL-2.0":      "mozilla public 2/mpl 2/mozilla public mpl 2/2 mozilla public/mpl2",
	"MPL-1.1":      "mozilla public 1 1/mpl 1 1",
	"EPL-1.0":      "eclipse public 1/epl 1", "EPL-2.0": "eclipse public 2/epl 2/eclipse public epl 2",
	"BSL-1.0":  "boost software 1/boost 1/boost software",
	"CC0-1.0":  "cc0/cc0 1/creative commons zero/creative commons cc0/cc zero/creative commons 0/cc0 1 universal/creative commons cc0 1 universal/creative commons zero 1 universal",
	"EUPL-1.1": "eupl 1 1/european union public 1 1", "EUPL-1.2": "eupl 1 2/european union public 1 2/european union public eupl 1 2",
	"Unlicense": "unlicense", "WTFPL": "wtfpl/do what fuck you want to public", "Zlib": "zlib", "0BSD": "0bsd/zero clause bsd/bsd zero clause",
	"OFL-1.1": "sil open font 1 1/ofl 1 1/open font 1 1/sil ofl 1 1/sil open font ofl 1 1", "ODbL-1.0": "odbl/odbl 1/open database/open data commons open database/open database odbl",
	"NCSA": "ncsa/university illinois ncsa open source", "Artistic-2.0": "artistic 2", "PostgreSQL": "postgresql", "Python-2.0": "python software foundation/psf",
	"CDDL-1.0": "cddl 1/common development and distribution 1", "PDDL-1.0": "pddl/open data commons public domain dedication and",
	"ODC-By-1.0": "odc by/open data commons attribution", "BlueOak-1.0.0": "blue oak model 1",
}

var gnuNames = map[string]string{
	"GPL":  "gnu general public/gpl/gnu gpl/gnu general public gpl/gnu public/general public",
	"LGPL": "gnu lesser general public/lgpl/gnu lgpl/gnu lesser general public lgpl/lesser general public/gnu library general public",
	"AGPL": "gnu affero general public/agpl/gnu agpl/gnu affero general public agpl/affero general public/affero gpl/gnu affero gpl",
	"GFDL": "gnu free documentation/gfdl/gnu fdl/fdl/gnu free documentation fdl/gnu free documentation gfdl",
}

var gnuVersions = map[string][]string{"GPL": {"1.0", "2.0", "3.0"}, "LGPL": {"2.0", "2.1", "3.0"}, "AGPL": {"1.0", "3.0"}, "GFDL": {"1.1", "1.2", "1.3"}}

var ccNames = map[string]string{
	"BY": "attribution", "BY-SA": "attribution sharealike/attribution share alike", "BY-NC": "attribution noncommercial/attribution non commercial",
	"BY-ND": "attribution noderivatives/attribution no derivatives/attribution noderivs", "BY-NC-SA": "attribution noncommercial sharealike/attribution non commercial share alike/attribution noncommercial share alike/attribution non commercial sharealike",
	"BY-NC-ND": "attribution noncommercial noderivatives/attribution non commercial no derivatives/attribution noncommercial noderivs",
}

// phrases lists every way to name a licence that is understood, by its first word,
// the longest first.
var phrases = sync.OnceValue(func() map[string][]phrase {
	seen := map[string]bool{}
	all := map[string][]phrase{}
	add := func(name, id string, family bool) {
		words := plainName(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+' }))
		key := strings.Join(words, " ")
		if len(words) == 0 || seen[key] {
			return
		}
		seen[key] = true
		all[words[0]] = append(all[words[0]], phrase{words, id, family})
	}
	for f, names := range gnuNames {
		for n := range strings.SplitSeq(names, "/") {
			for _, v := range gnuVersions[f] {
				add(n+" "+v, f+"-"+v, true)
				add(v+" "+n, f+"-"+v, true)
				add(strings.ReplaceAll(n, " ", "")+v, f+"-"+v, true)
			}
		}
	}
	for kind, names := range ccNames {
		for _, v := range []string{"1.0", "2.0", "2.5", "3.0", "4.0"} {
			id := "CC-" + kind + "-" + v
			short := strings.ReplaceAll(kind, "-", " ")
			for n := range strings.SplitSeq(names, "/") {
				for _, form := range []string{"creative commons " + n + " " + v, n + " " + v, "creative commons " + n + " " + v + " international", "creative commons " + n + " " + v + " unported",
					"creative commons " + n + " cc " + short + " " + v, n + " " + v + " international", n + " " + v + " unported", "creative commons " + n + " international " + v, "creative commons " + n + " international public " + v} {
					add(form, id, false)
				}
			}
			add("cc "+short+" "+v, id, false)
			add("creative commons "+short+" "+v, id, false)
			add("creative commons cc "+short+" "+v, id, false)
		}
	}
	for _, l := range spdx.Licenses() {
		for n := range strings.SplitSeq(aliases[l.ID], "/") {
			if n != "" {
				add(n, l.ID, false)
			}
		}
	}
	for _, l := range spdx.Licenses() {
		// One plain word, such as "Fair" or "Ruby", is no sign of a licence.
		if l.Deprecated || !strings.ContainsAny(l.ID, "-0123456789") {
			continue
		}
		if w := plainName(strings.FieldsFunc(strings.ToLower(l.ID), func(r rune) bool { return r == '-' || r == '.' })); len(w) > 1 {
			add(l.ID, l.ID, false)
		}
		if w := plainName(strings.Fields(strings.ToLower(l.Name))); len(w) > 2 {
			add(l.Name, l.ID, false)
		}
	}
	for _, p := range all {
		slices.SortFunc(p, func(a, b phrase) int { return len(b.words) - len(a.words) })
	}
	return all
})

var versioned = regexp.MustCompile(`^(gpl|lgpl|agpl|gfdl|apache|mpl|epl|eupl|bsd|cc0|v)v?(\d)$`)

// plainName leaves out the words that add nothing to a licence's name, and takes
// "v3", "gplv3" and "3.0" apart the same way everywhere.
func plainName(words []string) []string {
	var out []string
	for _, w := range words {
		switch w {
		case "the", "license", "licence", "licenses", "version", "v", "ver", "of", "terms", "a", "an", "version.", "and", "under", "as", "or":
			if w == "or" || w == "and" {
				break
			}
			continue
		}
		if last := w[len(w)-1]; last < '0' || last > '9' {
			out = append(out, w)
			continue
		}
		if m := versioned.FindStringSubmatch(w); m != nil {
			if m[1] != "v" {
				out = append(out, m[1])
			}
			w = m[2]
		}
		if w == "0" && len(out) > 0 && len(out[len(out)-1]) == 1 && unicode.IsDigit(rune(out[len(out)-1][0])) {
			continue // 3.0 is 3
		}
		out = append(out, w)
	}
	return out
}

// states are the words that make of a name a statement.
var states = newLexicon(`license licensed licenses released release distributed available under covered governed provided published offered terms copyright dedicated`)

// unsaid are words that make a sentence with a licence's name something else.
var unsaid = newLexicon(`not compatible incompatible similar unlike instead formerly previously was were dependency dependencies depends`)

// references finds the sentences that name a licence.
func (d *Detector) references(text []byte, rest []sentence) []reference {
	var out []reference
	heading := -2 // the sentence before was a heading "License"
	for i, s := range rest {
		says := slices.ContainsFunc(s.words, states.has) || heading == i-1
		if len(s.words) <= 3 && slices.Contains(s.words, "license") {
			heading = i
		}
		signed := bytesHaveSign(text[s.at.Start:min(len(text), s.at.End+8)])
		if !says && !signed || len(s.words) > 120 || slices.ContainsFunc(s.words, unsaid.has) {
			continue
		}
		words := plainName(s.words)
		first := len(out)
		var others []string
		for k := 0; k < len(words); k++ {
			p, n := longest(words[k:])
			if n == 0 || n == 1 && !signed && heading != i && heading != i-1 && !beside(s.words, words[k]) {
				others = append(others, words[k])
				continue
			}
			m := Match{Span: s.at, License: p.id, Kind: Reference, Confidence: 0.8}
			k += n - 1
			if p.family {
				var used int
				m.License, m.Alternatives, used = familyID(p.id, words[k+1:], text[s.at.Start:min(len(text), s.at.End+2)])
				k += used
			}
			out = append(out, reference{Match: m, sentence: i})
		}
		for k := range out[first:] {
			r := &out[first+k]
			r.beside = others
			r.title = len(s.words) <= 16 && !slices.ContainsFunc(others, func(w string) bool { return !titleWords.has(w) && (w[0] < '0' || w[0] > '9') }) &&
				!slices.ContainsFunc(s.words, func(w string) bool {
					return w == "under" || w == "licensed" || w == "released" || w == "distributed" || w == "available"
				})
		}
	}
	return out
}

func bytesHaveSign(b []byte) bool {
	s := string(b)
	return strings.Contains(s, "©") || strings.Contains(s, "(c)") || strings.Contains(s, "(C)")
}

// beside reports whether a word of the sentence stands next to one that makes it
// a licence's name.
func beside(words []string, name string) bool {
	for i, w := range words {
		if w != name {
			continue
		}
		for _, j := range []int{i - 2, i - 1, i + 1} {
			if j >= 0 && j < len(words) {
				switch words[j] {
				case "license", "licensed", "under", "licenses":
					return true
				}
			}
		}
	}
	return false
}

func longest(words []string) (phrase, int) {
	for _, p := range phrases()[words[0]] {
		if len(p.words) <= len(words) && slices.Equal(p.words, words[:len(p.words)]) {
			return p, len(p.words)
		}
	}
	return phrase{}, 0
}

// familyID says which id of a GNU licence is meant, by the words that follow its
// name, and how many of them say so.
func familyID(base string, behind []string, text []byte) (string, []string, int) {
	next := strings.Join(behind[:min(len(behind), 8)], " ")
	if strings.HasPrefix(next, "only") {
		return base + "-only", nil, 1
	}
	for _, l := range []string{"or later", "or newer", "or any later", "or at your option any later", "or above", "or higher", "or greater", "+"} {
		if strings.HasPrefix(next, l) {
			return base + "-or-later", nil, len(strings.Fields(l))
		}
	}
	if plusSign.Match(text) {
		return base + "-or-later", nil, 0
	}
	return base + "-only", []string{base + "-only", base + "-or-later"}, 0
}

var plusSign = regexp.MustCompile(`(?i)gpl[ -]?v?\d(?:\.\d)?\+`)
