// Package fix repairs what has one right answer, and lays files out. It edits the
// bytes that a person wrote: comments, the order of keys and the way values are
// quoted stay. What it gives back is read again, and what would change more than
// was meant is not done.
package fix

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Apply makes edits to a text. Of edits that overlap, the one that begins first is
// made and the others are returned; an edit that is given twice is made once. An
// edit of a place that the text does not have is an error.
func Apply(text []byte, edits []diag.Edit) (fixed []byte, skipped []diag.Edit, err error) {
	starts := lineStarts(text)
	var set splices
	for _, e := range slices.SortedStableFunc(slices.Values(edits), compareEdits) {
		s, err := toSplice(text, starts, e)
		if err != nil {
			return nil, nil, err
		}
		if !set.add(s) {
			skipped = append(skipped, e)
		}
	}
	return set.apply(text), skipped, nil
}

// File makes the edits that the findings on a file hold, and returns the text and
// the findings that are mended by it. Edits that get into each other's way wait for
// another turn: judge the new text, and call File again.
//
// The findings must be of this very text. A file that does not parse is returned as
// it is.
func File(path string, text []byte, found []diag.Diagnostic) (fixed []byte, mended []diag.Diagnostic) {
	before, unread := source.Parse(path, text)
	if len(unread) > 0 {
		return text, nil
	}
	starts := lineStarts(text)
	var all []candidate
	for _, d := range found {
		if d.Path != path || len(d.Edits) == 0 {
			continue
		}
		c := candidate{finding: d}
		for _, e := range d.Edits {
			s, err := toSplice(text, starts, e)
			if err != nil {
				break
			}
			c.splices = append(c.splices, s)
		}
		if len(c.splices) == len(d.Edits) {
			all = append(all, c)
		}
	}
	if fixed, mended, ok := try(before, all); ok {
		return fixed, mended
	}
	// Something is not as it should be: find out which, one at a time.
	var good []candidate
	fixed = text
	for _, c := range all[:min(len(all), maxTries)] {
		if with, done, ok := try(before, append(slices.Clone(good), c)); ok && len(done) > len(good) {
			good, fixed, mended = append(good, c), with, done
		}
	}
	return fixed, mended
}

// maxTries bounds how often File reads a file again.
const maxTries = 100

// A candidate is a finding with its edits, which are made all or none.
type candidate struct {
	finding diag.Diagnostic
	splices []splice
}

// try makes what edits it can, and reports whether nothing else changes.
func try(before *source.Document, all []candidate) (fixed []byte, mended []diag.Diagnostic, ok bool) {
	var set splices
	meant := new(mark)
	for _, c := range all {
		trial := slices.Clone(set)
		made := true
		for _, s := range c.splices {
			made = made && trial.add(s)
		}
		if made {
			set = trial
			mended = append(mended, c.finding)
			meant.add(c.finding.Pointer)
		}
	}
	if len(mended) == 0 {
		return before.Bytes(), nil, true
	}
	fixed = set.apply(before.Bytes())
	after, unread := source.Parse(before.Path, fixed)
	if len(unread) > 0 || !same(before.Root, after.Root, meant) {
		return nil, nil, false
	}
	had, err := comments(before, set)
	if err != nil {
		return nil, nil, false
	}
	has, err := comments(after, nil)
	return fixed, mended, err == nil && slices.Equal(had, has)
}

// A splice replaces bytes by their offsets.
type splice struct {
	start, end int
	text       string
}

// splices are in the order of their places, and do not overlap.
type splices []splice

// add reports whether a splice is among them now.
func (all *splices) add(s splice) bool {
	i, _ := slices.BinarySearchFunc(*all, s, func(a, b splice) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return a.end - b.end
	})
	if i < len(*all) && (*all)[i] == s {
		return true
	}
	if i > 0 && ((*all)[i-1].end > s.start || (*all)[i-1].start == s.start) {
		return false
	}
	if i < len(*all) && (s.end > (*all)[i].start || s.start == (*all)[i].start) {
		return false
	}
	*all = slices.Insert(*all, i, s)
	return true
}

func (all splices) apply(text []byte) []byte {
	var out []byte
	at := 0
	for _, s := range all {
		out = append(append(out, text[at:s.start]...), s.text...)
		at = s.end
	}
	return append(out, text[at:]...)
}

// covers reports whether a place is deleted or replaced.
func (all splices) covers(start, end int) bool {
	return slices.ContainsFunc(all, func(s splice) bool { return s.start <= start && end <= s.end })
}

func compareEdits(a, b diag.Edit) int {
	if a.Start.Line != b.Start.Line {
		return a.Start.Line - b.Start.Line
	}
	return a.Start.Col - b.Start.Col
}

func toSplice(text []byte, starts []int, e diag.Edit) (splice, error) {
	start, ok := offset(text, starts, e.Start)
	end, ok2 := offset(text, starts, e.End)
	if !ok || !ok2 || start > end {
		return splice{}, fmt.Errorf("there is no text from %d:%d to %d:%d to edit", e.Start.Line, e.Start.Col, e.End.Line, e.End.Col)
	}
	return splice{start, end, e.Text}, nil
}

func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

func offset(text []byte, starts []int, p diag.Pos) (int, bool) {
	if p.Line < 1 || p.Line > len(starts) || p.Col < 1 {
		return 0, false
	}
	end := len(text)
	if p.Line < len(starts) {
		end = starts[p.Line] - 1
	}
	at := starts[p.Line-1] + p.Col - 1
	return at, at <= end
}

// comments lists the comments of a file, sorted, but for those that the splices
// take away.
func comments(doc *source.Document, gone splices) ([]string, error) {
	tokens, err := doc.Tokens()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, t := range tokens {
		text := ""
		switch {
		case gone.covers(t.Start, t.End):
		case t.Style == source.Comment:
			text = t.Text
		case t.Style.Block():
			_, text = blockHead(doc.Bytes()[t.Start:t.Body])
		}
		if text = string(bytes.TrimRight([]byte(text), " \t\r")); text != "" {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all, nil
}
