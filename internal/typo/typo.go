// Package typo tells what a misspelt word was most likely meant to be.
package typo

import (
	"cmp"
	"slices"
	"strings"
)

// Distance counts the edits (a letter added, left out, changed, or two neighbours
// in turn) from one word to another: the optimal string alignment distance. It
// gives limit+1 as soon as it is more than limit.
func Distance(a, b []rune, limit int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	var room [3][64]int // most words fit, and searches ask for thousands
	before, last, row := room[0][:], room[1][:], room[2][:]
	if n := len(a) + 1; n > len(row) {
		before, last, row = make([]int, n), make([]int, n), make([]int, n)
	}
	for j := range len(a) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(b); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(a); j++ {
			cost := 1
			if a[j-1] == b[i-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[j-1] == b[i-2] && a[j-2] == b[i-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			best = min(best, d)
		}
		if best > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(a)], limit+1)
}

// longest bounds, in bytes, the words that Near compares: what is longer is a text.
const longest = 100

// Near gives up to three of the known words that s is likely to be a slip of: all of
// them equally near, by name. A short word is only ever a slip of case.
func Near(s string, known []string) []string {
	if s == "" || len(s) > longest {
		return nil
	}
	word := []rune(strings.ToLower(s))
	limit := len(word) / 4
	type guess struct {
		word string
		far  int
	}
	var guesses []guess
	for _, k := range known {
		if k == "" || len(k) > longest {
			continue
		}
		if d := Distance(word, []rune(strings.ToLower(k)), limit); d <= limit {
			guesses = append(guesses, guess{k, d})
		}
	}
	slices.SortFunc(guesses, func(a, b guess) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.word, b.word))
	})
	var out []string
	for _, g := range guesses {
		if len(out) == 3 || g.far > guesses[0].far {
			break
		}
		out = append(out, g.word)
	}
	return out
}
