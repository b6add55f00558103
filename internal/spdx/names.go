package spdx

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/typo"
)

// current replaces a deprecated id by what succeeds it, if anything does.
func current(id string) []string {
	if to := Successors(id); to != nil {
		return to
	}
	return []string{id}
}

// A nameIndex finds ids by the normalised words of their ids, names and aliases.
type nameIndex struct {
	spelt    map[string][]string // words in order, with those that come twice
	exact    map[string][]string // words in order
	anyOrder map[string][]string // words sorted
	families map[string][]string // words without versions, sorted: ids that are not deprecated
	entries  []nameEntry         // in a fixed order
	spelling []string            // every word of names and phrases, sorted
}

type nameEntry struct {
	words []string
	ids   []string
}

// aliases are common names that neither the id nor the list's name leads to,
// and names without a version of licences that have only one.
const aliases = `
expat                       MIT
mit expat                   MIT
bsd 0                       0BSD
bsd 0 clause                0BSD
free bsd                    BSD-2-Clause
bsd 1                       BSD-1-Clause
bsd 2                       BSD-2-Clause
simplified bsd              BSD-2-Clause
freebsd                     BSD-2-Clause
bsd 3                       BSD-3-Clause
new bsd                     BSD-3-Clause
modified bsd                BSD-3-Clause
revised bsd                 BSD-3-Clause
bsd new                     BSD-3-Clause
bsd 4                       BSD-4-Clause
original bsd                BSD-4-Clause
old bsd                     BSD-4-Clause
boost                       BSL-1.0
boost software              BSL-1.0
boost 1                     BSL-1.0
apache software 2           Apache-2.0
apache software 1.1         Apache-1.1
asl 2                       Apache-2.0
cc0                         CC0-1.0
cc zero                     CC0-1.0
cc0 domain dedication      CC0-1.0
odbl                        ODbL-1.0
odc odbl                    ODbL-1.0
odbl database               ODbL-1.0
pddl                        PDDL-1.0
odc domain dedication       PDDL-1.0
odc by                      ODC-By-1.0
odc pddl                    PDDL-1.0
unlicence                   Unlicense
lppl 1.3                    LPPL-1.3c
gnu affero 3                AGPL-3.0
gnu lesser 3                LGPL-3.0
gnu lesser 2.1              LGPL-2.1
gnu library 2               LGPL-2.0
gnu documentation 1.3       GFDL-1.3
gnu documentation 1.2       GFDL-1.2
gnu documentation 1.1       GFDL-1.1
free documentation 1.3      GFDL-1.3
free documentation 1.2      GFDL-1.2
free documentation 1.1      GFDL-1.1
fdl 1.3                     GFDL-1.3
fdl 1.2                     GFDL-1.2
fdl 1.1                     GFDL-1.1
ogl 3                       OGL-UK-3.0
ogl 2                       OGL-UK-2.0
ogl 2                       OGL-Canada-2.0
open government 3           OGL-UK-3.0
open government 2           OGL-UK-2.0
open government 2           OGL-Canada-2.0
uk open government 3        OGL-UK-3.0
uk open government 2        OGL-UK-2.0
uk open government 1        OGL-UK-1.0
etalab 2                    etalab-2.0
ouverte 2                   etalab-2.0
ouverte etalab 2            etalab-2.0
european union 1.2          EUPL-1.2
european union 1.1          EUPL-1.1
european union 1            EUPL-1.0
zlib libpng                 Zlib
wtfpl 2                     WTFPL
open font 1.1               OFL-1.1
open font 1                 OFL-1.0
sil 1.1                     OFL-1.1
nlod 2                      NLOD-2.0
nlod 1                      NLOD-1.0
mulan psl 2                 MulanPSL-2.0
mulan psl 1                 MulanPSL-1.0
universal permissive        UPL-1.0
upl                         UPL-1.0
perl 5                      Artistic-1.0-Perl OR GPL-1.0-or-later
same terms as perl          Artistic-1.0-Perl OR GPL-1.0-or-later
same terms as perl itself   Artistic-1.0-Perl OR GPL-1.0-or-later
`

var names = sync.OnceValue(func() *nameIndex {
	found, spelt := map[string][]string{}, map[string][]string{}
	var order [][]string
	whole := func(name string, ids ...string) {
		key := strings.Join(allWords(name), " ")
		for _, id := range ids {
			if key != "" && !slices.Contains(spelt[key], id) {
				spelt[key] = append(spelt[key], id)
			}
		}
	}
	add := func(words []string, ids ...string) {
		if len(words) == 0 {
			return
		}
		key := strings.Join(words, " ")
		if _, ok := found[key]; !ok {
			order = append(order, words)
		}
		for _, id := range ids {
			if !slices.Contains(found[key], id) {
				found[key] = append(found[key], id)
			}
		}
	}
	for _, l := range loaded().licenses {
		add(normalise(l.ID), current(l.ID)...)
		whole(l.ID, current(l.ID)...)
		// The names of deprecated ids say "only", which the ids never did.
		if l.Deprecated {
			continue
		}
		words := normalise(l.Name)
		add(words, l.ID)
		whole(l.Name, l.ID)
		id := normalise(l.ID)
		if both := union(words, id); len(both) > len(words) { // "Mozilla Public License 2.0 (MPL-2.0)"
			add(both, current(l.ID)...)
		}
		if len(id) > 2 && id[0] == "cc" { // "Attribution 4.0 International", "BY-SA 3.0"
			add(id[1:], l.ID)
		}
		// "GNU General Public License v3.0" leaves open which of the two it is.
		if short, ok := strings.CutSuffix(strings.Join(words, " "), " only"); ok {
			add(strings.Fields(short), l.ID, strings.TrimSuffix(l.ID, "-only")+"-or-later")
		}
	}
	for line := range strings.Lines(aliases) {
		if name, id, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			add(normalise(name), current(strings.TrimSpace(id))...)
			whole(name, current(strings.TrimSpace(id))...)
		}
	}
	x := &nameIndex{spelt: spelt, exact: map[string][]string{}, anyOrder: map[string][]string{}, families: map[string][]string{}}
	spelling := map[string]bool{}
	for _, words := range order {
		ids := found[strings.Join(words, " ")]
		x.exact[strings.Join(words, " ")] = ids
		x.entries = append(x.entries, nameEntry{words, ids})
		for _, w := range words {
			spelling[w] = true
		}
		if key := sorted(words); x.anyOrder[key] == nil {
			x.anyOrder[key] = ids
		}
		for _, id := range ids {
			key := familyKey(words)
			if key != "" && !slices.Contains(x.families[key], id) {
				x.families[key] = append(x.families[key], id)
			}
		}
	}
	for _, ids := range x.families {
		slices.SortFunc(ids, likelier)
	}
	for _, p := range phrases {
		for _, w := range strings.Fields(p[0]) {
			spelling[w] = true
		}
	}
	for _, w := range strings.Fields(fillers + weak) {
		spelling[w] = true
	}
	x.spelling = slices.Sorted(maps.Keys(spelling))
	return x
})

// ids finds what words name, in this order or any.
func (x *nameIndex) ids(words []string) []string {
	if ids, ok := x.exact[strings.Join(words, " ")]; ok {
		return ids
	}
	return x.anyOrder[sorted(words)]
}

// familyKey is a name without its version. The 0 of MIT-0 is none.
func familyKey(words []string) string {
	if base, ok := cutEnd(words, "or", "later"); ok {
		words = base
	}
	return sorted(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return isNumber(w) && w != "0" || w == "only" }))
}

func isNumber(w string) bool { return w != "" && '0' <= w[0] && w[0] <= '9' }

// family asks for the version of a licence that is named without one, or with
// one that there is not.
func (x *nameIndex) family(words []string) (Repaired, bool) {
	ids := x.families[familyKey(words)]
	if len(ids) == 0 {
		return Repaired{}, false
	}
	var numbers []string
	for _, w := range words {
		if isNumber(w) {
			numbers = append(numbers, w)
		}
	}
	if slices.Contains(words, "later") { // what was left out is the number alone
		if later := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.HasSuffix(id, "-only") }); len(later) > 0 {
			ids = later
		}
	}
	switch {
	case len(numbers) == 1:
		return ask(ids, "which version is meant? The SPDX licence list has no %s of it", numbers[0]), true
	case len(numbers) > 1:
		return ask(ids, "which version is meant? Two are named"), true
	case len(ids) == 1:
		return ask(ids, "is it %s? The SPDX licence list has no other version, and none is given", ids[0]), true
	}
	return ask(ids, "which version is meant? None is given"), true
}

// likelier orders the versions of a licence: those that the OSI approved first,
// then the newest.
func likelier(a, b string) int {
	la, _ := Lookup(a)
	lb, _ := Lookup(b)
	if la.OSI != lb.OSI {
		if la.OSI {
			return -1
		}
		return 1
	}
	va, vb := versionOf(a), versionOf(b)
	return cmp.Or(slices.Compare(vb, va), cmp.Compare(a, b))
}

// versionOf is the numbers in an id.
func versionOf(id string) []int {
	var v []int
	for _, n := range strings.FieldsFunc(id, func(r rune) bool { return r < '0' || r > '9' }) {
		i, err := strconv.Atoi(n)
		if err != nil {
			break
		}
		v = append(v, i)
	}
	return v
}

// within finds the names, with or without version, that have the most of the
// words, and at least half; extra is the words that all of them leave over.
func (x *nameIndex) within(words []string) (ids, extra []string) {
	most := 0
	try := func(name []string, found []string) {
		n := len(name)
		if n < most || 2*n < len(words) || slices.ContainsFunc(name, func(w string) bool { return !slices.Contains(words, w) }) {
			return
		}
		left := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(name, w) })
		switch {
		case n > most:
			most, ids, extra = n, nil, left
		case !slices.Equal(left, extra):
			extra = nil
		}
		for _, id := range found {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	for _, e := range x.entries {
		try(e.words, e.ids)
	}
	exact := most
	for _, key := range slices.Sorted(maps.Keys(x.families)) {
		if name := strings.Fields(key); len(name) > exact { // with its version a name says more
			try(name, x.families[key])
		}
	}
	return ids, extra
}

// around finds the names that have all of the words and more; nil where they are
// too many to choose from.
func (x *nameIndex) around(words []string) []string {
	var ids []string
	for _, e := range x.entries {
		if slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(e.words, w) }) {
			continue
		}
		for _, id := range e.ids {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > maxCandidates {
		return nil
	}
	slices.SortFunc(ids, likelier)
	return ids
}

// spell takes words that stand in no name for slips of those that do. Numbers are
// never corrected. It is "" where nothing was corrected, or a word could be two;
// short says that a word has fewer than five letters.
func (x *nameIndex) spell(words []string) (text string, short bool) {
	corrected := false
	for i, w := range words {
		if _, known := slices.BinarySearch(x.spelling, w); known || isNumber(w) || w == "+" {
			continue
		}
		best, word, tie := 99, "", false
		for _, known := range x.spelling {
			switch d := slip(w, known); {
			case d < best:
				best, word, tie = d, known, false
			case d == best && d < 99:
				tie = true
			}
		}
		if best == 99 {
			continue // a word of another sort, such as a person's name
		}
		if tie {
			return "", false
		}
		words[i], corrected = word, true
		short = short || min(utf8.RuneCountInString(w), utf8.RuneCountInString(word)) < 5
	}
	if !corrected {
		return "", false
	}
	return strings.Join(words, " "), short
}

// exceptionsNamed finds exceptions by the words of their ids, with or without the
// version.
func exceptionsNamed(s string) []string {
	words := normalise(s)
	if len(words) == 0 {
		return nil
	}
	var exact, family []string
	for _, id := range slices.Sorted(maps.Keys(loaded().exceptions)) {
		x := loaded().exceptions[id]
		if x.Deprecated {
			continue
		}
		switch own := normalise(x.ID); {
		case sorted(own) == sorted(words):
			exact = append(exact, x.ID)
		case familyKey(own) == familyKey(words):
			family = append(family, x.ID)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return family
}

// slip counts the slips between two different words: 1 or 2, or 99 if they are
// different words and not two spellings of one.
func slip(a, b string) int {
	const different = 99
	if strings.ContainsAny(a+b, "0123456789") || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return different
	}
	x, y := []rune(a), []rune(b)
	d := typo.Distance(x, y, 2)
	switch short := min(len(a), len(b)); {
	case short >= 8 && d <= 2, short >= 4 && d == 1:
		return d
	case short == 3 && d == 1 && slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))): // two letters swapped
		return d
	}
	return different
}

// union is the words of a, and those of b that a has not.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, w := range b {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

func sorted(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), " ")
}

// fillers say nothing about which licence is meant. "Unported", "generic" and
// "international" are what Creative Commons calls having no country.
const fillers = " the license licence licenses licences licensed licencing licensing under a an of and for version versions v ver vers gnu public unported international generic universal "

// weak words are left out only where a name is not known with them: "MIT open
// source licence" is MIT, and "Open Software License 3.0" is not "License 3.0".
const weak = " software open source free project text terms agreement code content data documentation is this work in to either dual all released distributed available use osi approved "

// phrases that name the same thing in more words. Both sides are normalised, so
// that a name and an id meet in the middle.
var phrases = [...][2]string{
	{"general public", "gpl"},
	{"affero gpl", "agpl"},
	{"affero", "agpl"},
	{"lesser gpl", "lgpl"},
	{"library gpl", "lgpl"},
	{"lesser", "lgpl"},
	{"creative commons", "cc"},
	{"creativecommons", "cc"},
	{"ccby", "cc by"},
	{"ccbysa", "cc by sa"},
	{"ccbync", "cc by nc"},
	{"bysa", "by sa"},
	{"bync", "by nc"},
	{"bynd", "by nd"},
	{"byncsa", "by nc sa"},
	{"byncnd", "by nc nd"},
	{"attribution", "by"},
	{"namensnennung", "by"},
	{"reconocimiento", "by"},
	{"atribución", "by"},
	{"atribuição", "by"},
	{"paternité", "by"},
	{"share alike", "sa"},
	{"weitergabe unter gleichen bedingungen", "sa"},
	{"partage dans les mêmes conditions", "sa"},
	{"partage à l identique", "sa"},
	{"compartir igual", "sa"},
	{"compartirigual", "sa"},
	{"compartilhaigual", "sa"},
	{"pas d utilisation commerciale", "nc"},
	{"nicht kommerziell", "nc"},
	{"no comercial", "nc"},
	{"nocomercial", "nc"},
	{"não comercial", "nc"},
	{"nãocomercial", "nc"},
	{"keine bearbeitungen", "nd"},
	{"keine bearbeitung", "nd"},
	{"pas de modification", "nd"},
	{"sin obras derivadas", "nd"},
	{"sinderivadas", "nd"},
	{"sem derivações", "nd"},
	{"sharealike", "sa"},
	{"non commercial", "nc"},
	{"noncommercial", "nc"},
	{"no derivative works", "nd"},
	{"no derivatives", "nd"},
	{"no derivative", "nd"},
	{"no derivs", "nd"},
	{"noderivatives", "nd"},
	{"noderivative", "nd"},
	{"noderivs", "nd"},
	{"open database", "odbl"},
	{"open data commons", "odc"},
	{"or newer", "or later"},
	{"or greater", "or later"},
	{"or any later", "or later"},
	{"and later", "or later"},
	{"or above", "or later"},
	{"or higher", "or later"},
	{"or any newer", "or later"},
	{"or at your option any later", "or later"},
	{"intergovernmental organizations", "igo"},
	{"intergovernmental organization", "igo"},
	{"intergovernmental organisations", "igo"},
	{"two clause", "2 clause"},
	{"three clause", "3 clause"},
	{"four clause", "4 clause"},
	{"cc zero", "cc0"},
	{"cc 0", "cc0"}, // 0 is no version
}

// normalise takes a name apart into the words that tell licences apart: small
// letters, numbers on their own ("gplv3" is "gpl", "3") and without a final
// ".0", no fillers, no word twice.
func normalise(s string) []string {
	var words []string
	for _, w := range allWords(s) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// allWords is normalise with the words that come twice.
func allWords(s string) []string {
	padded := " " + strings.Join(split(atLeast.ReplaceAllString(strings.ToLower(s), "$1 or later ")), " ") + " "
	for _, p := range phrases {
		padded = strings.ReplaceAll(padded, " "+p[0]+" ", " "+p[1]+" ")
	}
	return slices.DeleteFunc(strings.Fields(padded), func(w string) bool { return strings.Contains(fillers, " "+w+" ") })
}

// atLeast is how R and some package managers say "or later": "GPL (>= 2)".
var atLeast = regexp.MustCompile(`[>≥]=?\s*(\d+(?:\.\d+)*)`)

func split(s string) []string {
	var words []string
	for i := 0; i < len(s); {
		n := strings.IndexFunc(s[i:], func(r rune) bool { return unicode.IsLetter(r) || '0' <= r && r <= '9' || r == '+' })
		if n < 0 {
			break
		}
		i += n
		start := i
		switch c := s[i]; {
		case c == '+':
			i++
			words = append(words, "or", "later")
		case '0' <= c && c <= '9':
			for i < len(s) && ('0' <= s[i] && s[i] <= '9' || s[i] == '.' && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9') {
				i++
			}
			number := s[start:i]
			for strings.HasSuffix(number, ".0") {
				number = strings.TrimSuffix(number, ".0")
			}
			words = append(words, number)
		default:
			end := strings.IndexFunc(s[i:], func(r rune) bool { return !unicode.IsLetter(r) })
			if end < 0 {
				end = len(s) - i
			}
			i += end
			w := s[start:i]
			// The v of "gplv3".
			if i < len(s) && '0' <= s[i] && s[i] <= '9' && len(w) > 1 {
				w = strings.TrimSuffix(w, "v")
			}
			words = append(words, w)
		}
	}
	return words
}
