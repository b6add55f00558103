package spdx

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// maxSuggest is how long a string Suggest looks at, in bytes: longer than any
// licence's name, shorter than a licence's text.
const maxSuggest = 150

// Suggest returns the expressions that somebody may have meant by a misspelt or
// informal name of one licence: "Apache 2" gives Apache-2.0; "GPLv3" gives
// GPL-3.0-only and GPL-3.0-or-later, because only the owner of the work can say
// which. It is empty where an answer would be a guess: a name without its
// version ("CC BY-SA"), several names at once, a name it does not know.
func Suggest(s string) (ids []string) {
	if len(s) > maxSuggest {
		return nil
	}
	if ids, known := named(s); known {
		return ids
	}
	words := normalise(s)
	if len(words) == 0 {
		return nil
	}
	return names().nearest(words)
}

// Named is Suggest for a name that is spelt right, and has one meaning: "Apache 2"
// gives Apache-2.0, while "Apahce 2" and "GPLv3" give "".
func Named(s string) (id string) {
	if len(s) > maxSuggest {
		return ""
	}
	if ids, _ := named(s); len(ids) == 1 {
		return ids[0]
	}
	return ""
}

// named looks a name up. A name that is known can still say nothing.
func named(s string) (ids []string, known bool) {
	if l, ok := Lookup(strings.TrimSpace(s)); ok {
		return current(l.ID), true
	}
	words := normalise(s)
	if len(words) == 0 {
		return nil, false
	}
	if ids, ok := names().exact[strings.Join(words, " ")]; ok {
		return ids, true
	}
	ids, known = names().anyOrder[sorted(words)]
	return ids, known
}

// current replaces a deprecated id by what succeeds it, if anything does.
func current(id string) []string {
	if to := Successors(id); to != nil {
		return to
	}
	return []string{id}
}

// A nameIndex finds ids by the normalised words of their ids, names and aliases.
type nameIndex struct {
	exact    map[string][]string // words in order
	anyOrder map[string][]string // words sorted
	entries  []nameEntry         // in a fixed order, for nearest
	known    map[string]bool     // every word of entries
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
bsd 2                       BSD-2-Clause
simplified bsd              BSD-2-Clause
freebsd                     BSD-2-Clause
bsd 3                       BSD-3-Clause
new bsd                     BSD-3-Clause
modified bsd                BSD-3-Clause
revised bsd                 BSD-3-Clause
bsd 4                       BSD-4-Clause
original bsd                BSD-4-Clause
boost                       BSL-1.0
boost software              BSL-1.0
cc0                         CC0-1.0
cc zero                     CC0-1.0
odbl                        ODbL-1.0
odc odbl                    ODbL-1.0
pddl                        PDDL-1.0
odc by                      ODC-By-1.0
unlicence                   Unlicense
lppl 1.3                    LPPL-1.3c
gnu affero 3                AGPL-3.0
gnu lesser 3                LGPL-3.0
gnu lesser 2.1              LGPL-2.1
gnu library 2               LGPL-2.0
ogl 3                       OGL-UK-3.0
open government 3           OGL-UK-3.0
`

var names = sync.OnceValue(func() *nameIndex {
	found := map[string][]string{}
	var order [][]string
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
		// The names of deprecated ids say "only", which the ids never did.
		if l.Deprecated {
			continue
		}
		words := normalise(l.Name)
		add(words, l.ID)
		// "GNU General Public License v3.0" leaves open which of the two it is.
		if short, ok := strings.CutSuffix(strings.Join(words, " "), " only"); ok {
			add(strings.Fields(short), l.ID, strings.TrimSuffix(l.ID, "-only")+"-or-later")
		}
	}
	for line := range strings.Lines(aliases) {
		if f := strings.Fields(line); len(f) > 1 {
			add(normalise(strings.Join(f[:len(f)-1], " ")), current(f[len(f)-1])...)
		}
	}
	x := &nameIndex{exact: map[string][]string{}, anyOrder: map[string][]string{}, known: map[string]bool{}}
	for _, words := range order {
		ids := found[strings.Join(words, " ")]
		if len(ids) > 2 { // a name of that many says nothing
			ids = nil
		}
		x.exact[strings.Join(words, " ")] = ids
		x.entries = append(x.entries, nameEntry{words, ids})
		for _, w := range words {
			x.known[w] = true
		}
		if key := sorted(words); x.anyOrder[key] == nil {
			x.anyOrder[key] = ids
		}
	}
	return x
})

// nearest finds the one name that differs by a slip of the pen. Numbers and
// short words must be the same: "CC-BY-3.0-US" is not a slip for "CC-BY-3.0-DE".
// So must words that stand in some name: "LGPL" is not a slip for "NGPL".
func (x *nameIndex) nearest(words []string) []string {
	best, bestIDs, tie := 3, []string(nil), false
	for _, e := range x.entries {
		d := x.slips(words, e.words, best)
		switch {
		case d > best || d == 0:
		case d < best:
			best, bestIDs, tie = d, e.ids, false
		case !slices.Equal(bestIDs, e.ids):
			tie = true
		}
	}
	if best == 3 || tie {
		return nil
	}
	return bestIDs
}

// slips counts the slips in a that make it differ from the name b, or returns a number above most.
func (x *nameIndex) slips(a, b []string, most int) int {
	if len(a) != len(b) {
		return most + 1
	}
	sum := 0
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if x.known[a[i]] {
			return most + 1
		}
		if sum += slip(a[i], b[i]); sum > most {
			return most + 1
		}
	}
	return sum
}

// slip counts the slips between two different words: 1 or 2, or 99 if they are
// different words and not two spellings of one.
func slip(a, b string) int {
	const different = 99
	if strings.ContainsAny(a+b, "0123456789") || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return different
	}
	d, swapped := distance([]rune(a), []rune(b))
	switch short := min(len(a), len(b)); {
	case short >= 8 && d <= 2, short >= 4 && d == 1, short == 3 && len(a) == len(b) && d == 1 && swapped:
		return d
	}
	return different
}

// distance is the number of letters to insert, delete, change or swap with their
// neighbour; swapped says that a swap is among them.
func distance(a, b []rune) (d int, swapped bool) {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] && rows[i-2][j-2]+1 < rows[i][j] {
				rows[i][j], swapped = rows[i-2][j-2]+1, true
			}
		}
	}
	return rows[len(a)][len(b)], swapped
}

func sorted(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), " ")
}

// fillers say nothing about which licence is meant. "Unported", "generic" and
// "international" are what Creative Commons calls having no country.
const fillers = " the license licence licenses licensed under a version v ver gnu public unported international generic universal "

// phrases that name the same thing in more words. Both sides are normalised, so
// that a name and an id meet in the middle.
var phrases = [...][2]string{
	{"general public", "gpl"},
	{"affero gpl", "agpl"},
	{"lesser gpl", "lgpl"},
	{"library gpl", "lgpl"},
	{"creative commons", "cc"},
	{"attribution", "by"},
	{"share alike", "sa"},
	{"sharealike", "sa"},
	{"non commercial", "nc"},
	{"noncommercial", "nc"},
	{"no derivatives", "nd"},
	{"noderivatives", "nd"},
	{"no derivs", "nd"},
	{"noderivs", "nd"},
	{"open database", "odbl"},
	{"open data commons", "odc"},
	{"or newer", "or later"},
	{"or greater", "or later"},
	{"or any later", "or later"},
	{"and later", "or later"},
	{"cc zero", "cc 0"},
}

// normalise takes a name apart into the words that tell licences apart: small
// letters, numbers on their own ("gplv3" is "gpl", "3") and without a final
// ".0", no fillers, no word twice.
func normalise(s string) []string {
	padded := " " + strings.Join(split(strings.ToLower(s)), " ") + " "
	for _, p := range phrases {
		padded = strings.ReplaceAll(padded, " "+p[0]+" ", " "+p[1]+" ")
	}
	var words []string
	for _, w := range strings.Fields(padded) {
		if strings.Contains(fillers, " "+w+" ") || slices.Contains(words, w) {
			continue
		}
		words = append(words, w)
	}
	return words
}

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
