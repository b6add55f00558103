package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// What a pull request may get of suggestions, ever: beyond that `dpg validate --fix`
// is less work for everybody.
const (
	maxSuggestions    = 30
	maxSuggestedLines = 40
	maxSuggestedBytes = 4000
)

// A Suggestion is a repair of lines that a pull request shows, to be taken with one
// click.
type Suggestion struct {
	Path        string
	First, Last int      // lines of the head, from 1
	Lines       []string // what to put in their place
	Findings    []diag.Diagnostic
	key         string // the same for the same repair of the same words, wherever they stand
}

// suggestions are what --fix would do to the changed files in one turn, as far as
// the lines are ones that the pull request shows.
func (m *merge) suggestions(found []diag.Diagnostic) []Suggestion {
	mendable := map[string][]diag.Diagnostic{}
	for _, d := range found {
		if len(d.Edits) > 0 {
			mendable[d.Path] = append(mendable[d.Path], d)
		}
	}
	var all []Suggestion
	for _, c := range m.changes {
		full := m.full(c.Path)
		of := mendable[full]
		if c.Deleted || m.clashes[c.Path] || len(of) == 0 {
			continue
		}
		text, err := m.head.Read(c.Path)
		if err != nil || len(text) > source.MaxBytes {
			continue // a finding says so
		}
		all = append(all, suggest(full, text, of, m.shown(full))...)
		if len(all) >= maxSuggestions {
			return all[:maxSuggestions]
		}
	}
	return all
}

// suggest turns the repairs of one file into suggestions.
func suggest(path string, text []byte, found []diag.Diagnostic, shown map[int]bool) []Suggestion {
	fixed, mended := fix.File(path, text, found)
	if len(mended) == 0 {
		return nil
	}
	was, is := splitLines(text), splitLines(fixed)
	list, ok := hunks(was, is)
	if !ok {
		return nil
	}
	var all []Suggestion
	times := map[string]int{}
	for _, h := range list {
		if h.a0 == h.a1 { // nothing is replaced: a forge wants a line all the same
			switch {
			case h.a0 > 0:
				h.a0, h.b0 = h.a0-1, h.b0-1
			case h.a1 < len(was):
				h.a1, h.b1 = h.a1+1, h.b1+1
			default:
				continue
			}
		}
		s := Suggestion{Path: path, First: h.a0 + 1, Last: h.a1, Lines: is[h.b0:h.b1]}
		for _, d := range mended {
			if slices.ContainsFunc(d.Edits, func(e diag.Edit) bool { return e.Start.Line <= s.Last && e.End.Line >= s.First }) {
				s.Findings = append(s.Findings, d)
			}
		}
		old, now := strings.Join(was[h.a0:h.a1], "\n"), strings.Join(s.Lines, "\n")
		same := path + "\x00" + old + "\x00" + now
		times[same]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", same, times[same]))
		s.key = hex.EncodeToString(sum[:8])
		if len(s.Findings) == 0 || !within(shown, s.First, s.Last) || !plainText(append(slices.Clone(was[h.a0:h.a1]), s.Lines...)) ||
			s.Last-s.First > maxSuggestedLines || len(s.Lines) > maxSuggestedLines || len(now) > maxSuggestedBytes || strings.ToValidUTF8(path, "") != path {
			continue
		}
		all = append(all, s)
	}
	return all
}

// remark is the suggestion as a forge takes it.
func (s Suggestion) remark() forge.NewLineComment {
	var b strings.Builder
	b.WriteString(marker("suggest", s.key) + "\n")
	for _, d := range s.Findings[:min(len(s.Findings), 5)] {
		fmt.Fprintf(&b, "%s: %s\n", diag.Code(d.Rule, 60), diag.Cell(d.Message, 300))
	}
	text := strings.Join(s.Lines, "\n")
	if len(s.Lines) > 0 {
		text += "\n"
	}
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	b.WriteString("\n" + fence + "suggestion\n" + text + fence + "\n")
	return forge.NewLineComment{Path: s.Path, StartLine: s.First, EndLine: s.Last, Body: b.String()}
}

// unsaid are the suggestions that the bot has not made on this pull request before.
// One that somebody resolved or answered is not repeated, nor is one whose lines
// have moved.
func unsaid(all []Suggestion, said []forge.LineComment) []forge.NewLineComment {
	made := map[string]bool{}
	for _, c := range said {
		if rest, ok := strings.CutPrefix(c.Body, markerStart+"suggest "); ok && c.Own {
			key, _, _ := strings.Cut(rest, " ")
			made[key] = true
		}
	}
	var remarks []forge.NewLineComment
	for _, s := range all {
		if !made[s.key] && len(made) < maxSuggestions {
			made[s.key] = true
			remarks = append(remarks, s.remark())
		}
	}
	return remarks
}
