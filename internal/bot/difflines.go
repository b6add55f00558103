package bot

import (
	"slices"
	"strings"
)

// A hunk replaces the lines [a0, a1) of one text by the lines [b0, b1) of another;
// lines count from 0.
type hunk struct{ a0, a1, b0, b1 int }

// maxCompared bounds the work of comparing two texts, in pairs of lines.
const maxCompared = 1 << 20

// splitLines gives the lines of a text without their ends.
func splitLines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// hunks compares two texts by their longest common sequence of lines. ok is false
// where that is too much work.
func hunks(a, b []string) (list []hunk, ok bool) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if len(x)*len(y) > maxCompared {
		return nil, false
	}
	// common[i][j] is how many lines x[i:] and y[j:] have in common.
	width := len(y) + 1
	common := make([]int32, (len(x)+1)*width)
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		if i < len(x) && j < len(y) && x[i] == y[j] {
			i, j = i+1, j+1
			continue
		}
		h := hunk{a0: i, b0: j}
		for (i < len(x) || j < len(y)) && (i == len(x) || j == len(y) || x[i] != y[j]) {
			if j == len(y) || i < len(x) && common[(i+1)*width+j] >= common[i*width+j+1] {
				i++
			} else {
				j++
			}
		}
		list = append(list, hunk{h.a0 + head, i + head, h.b0 + head, j + head})
	}
	return list, true
}

// shownLines tells which lines of a changed file its diff shows as added, by their
// numbers from 1. Where the texts are too different to be compared, only those
// that the old text has nowhere are counted: they are shown in any case.
func shownLines(old, now []byte) map[int]bool {
	a, b := splitLines(old), splitLines(now)
	shown := map[int]bool{}
	list, ok := hunks(a, b)
	if !ok {
		had := make(map[string]bool, len(a))
		for _, line := range a {
			had[line] = true
		}
		for i, line := range b {
			if !had[line] {
				shown[i+1] = true
			}
		}
		return shown
	}
	for _, h := range list {
		for i := h.b0; i < h.b1; i++ {
			shown[i+1] = true
		}
	}
	return shown
}

// firstShown is the first line of a set, 0 of an empty one.
func firstShown(shown map[int]bool) int {
	first := 0
	for n := range shown {
		if first == 0 || n < first {
			first = n
		}
	}
	return first
}

// within reports whether all lines from first to last are in a set.
func within(shown map[int]bool, first, last int) bool {
	if last-first > len(shown) {
		return false
	}
	for n := first; n <= last; n++ {
		if !shown[n] {
			return false
		}
	}
	return true
}

// longestRun is the length of the longest run of a byte in a text.
func longestRun(text string, of byte) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// plainText reports whether a forge shows lines as they are.
func plainText(lines []string) bool {
	return !slices.ContainsFunc(lines, func(s string) bool {
		return strings.ToValidUTF8(s, "") != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	})
}
