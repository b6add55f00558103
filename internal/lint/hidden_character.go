package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var hiddenCharacter = &Rule{
	ID:       "hidden-character",
	Severity: diag.Error,
	Summary:  "no text holds characters that cannot be seen",
	Doc: `Control characters, marks that turn the direction of writing around, zero-width characters and the like cannot be seen, yet they
make a text read as another than it is, two names differ, and a link lead elsewhere. It does not matter whether they are written as
such or as an escape (` + "`\\u202E`" + `). Joiners stand where a script or an emoji needs them, direction marks (U+200E, U+200F) beside
right-to-left letters, zero width spaces between words of scripts that write none; line feeds and tabs belong to prose and to YAML
blocks. Soft hyphens and zero width spaces that nobody needs are taken out by ` + "`--fix`" + `.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			checkHidden(s, p.Doc.Source, p.Reportf, p.ReportWithinf, p.edits)
		}
	},
	// The files by which the registry governs itself.
	CheckAll: func(p *RegistryPass) {
		for _, name := range p.Registry.Select(func(name string) bool {
			return name == settingsFile || name == "policy.yaml" || path.Dir(name) == frameworkFolder
		}) {
			d := p.ownFile(name)
			if d == nil {
				continue
			}
			report := func(pointer, hint, format string, args ...any) *diag.Diagnostic {
				return p.Reportf(d, pointer, hint, format, args...)
			}
			for _, s := range stringsOf(d.Source) {
				checkHidden(s, d.Source, report, func(pointer string, offset, length int, hint, format string, args ...any) *diag.Diagnostic {
					return within(report(pointer, hint, format, args...), d.Source, offset, length)
				}, p.edits)
			}
		}
	},
}

// maxHidden is how many sorts of hidden characters are reported of one text.
const maxHidden = 10

func checkHidden(s String, doc *source.Document,
	report func(pointer, hint, format string, args ...any) *diag.Diagnostic,
	reportWithin func(pointer string, offset, length int, hint, format string, args ...any) *diag.Diagnostic,
	edits edits,
) {
	plain, breaks := plainText(s.Text)
	if plain && !breaks {
		return
	}
	text, front := trim(s.Text)
	if text == "" {
		return // blank, which is said already
	}
	prose := proseField.MatchString(s.Pointer)
	if !prose {
		n, exact := doc.Locate(s.Pointer)
		prose = exact && isBlock(doc, n)
	}
	if plain && prose {
		return
	}
	at := map[rune][]int{}
	var order []rune
	for _, i := range hidden(s.Text, prose) {
		r, _ := utf8.DecodeRuneInString(s.Text[i:])
		if unicode.IsSpace(r) && (i < front || i >= front+len(text)) {
			continue // white space at the ends is the matter of another rule
		}
		if at[r] == nil {
			order = append(order, r)
		}
		at[r] = append(at[r], i)
	}
	for _, r := range order[:min(len(order), maxHidden)] {
		times, hint := "", "delete it, or write what was meant"
		if n := len(at[r]); n > 1 {
			times = fmt.Sprintf(", %d times", n)
		}
		switch {
		case needless(r):
			hint = "delete it"
		case r == '\n' || r == '\t':
			hint = "write it on one line, with spaces"
		}
		d := reportWithin(s.Pointer, at[r][0], utf8.RuneLen(r), hint, "%s holds %s, which cannot be seen%s", quote(s.Field), characterName(r), times)
		if needless(r) {
			d.Edits = edits.of(func() []diag.Edit { return withoutCharacter(doc, s, r, at[r]) })
		}
	}
}

// within narrows a finding to length bytes at an offset of the value's text.
func within(d *diag.Diagnostic, doc *source.Document, offset, length int) *diag.Diagnostic {
	n, exact := doc.Locate(d.Pointer)
	if !exact {
		return d
	}
	if start, ok := n.Within(offset); ok {
		d.Start, d.End = start, start
		if last, ok := n.Within(offset + length - 1); ok {
			d.End = diag.Pos{Line: last.Line, Col: last.Col + 1}
		}
	}
	return d
}

// proseField matches pointers of texts that may have several lines.
var proseField = regexp.MustCompile(`/(description|reason|text|notice|note|notes|attribution|items|evidence|signals)(/|$)`)

// isBlock reports whether a text stands on lines of its own below "|" or ">".
func isBlock(doc *source.Document, n *source.Node) bool {
	i, ok := doc.Offset(n.Start())
	return ok && i < len(doc.Bytes()) && (doc.Bytes()[i] == '|' || doc.Bytes()[i] == '>')
}

// plainText is the quick answer for nearly all texts: those of ASCII, Latin letters,
// dashes and quotation marks. breaks is whether there are line feeds or tabs among
// them, which only prose may have.
func plainText(s string) (plain, breaks bool) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case ' ' <= c && c < 0x7f:
			i++
			continue
		case c == '\n', c == '\t':
			breaks = true
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if latin := r >= 0xa0 && r < 0x300 && r != '\u00ad'; !latin && (r < '\u2010' || r > '\u2027') {
			return false, breaks
		}
		i += n
	}
	return true, breaks
}

// characterName is such as "U+202E RIGHT-TO-LEFT OVERRIDE".
func characterName(r rune) string {
	name := runenames.Name(r)
	switch {
	case r == '\n':
		name = "LINE FEED"
	case r == '\t':
		name = "TABULATION"
	case unicode.IsControl(r):
		return fmt.Sprintf("U+%04X, a control character", r)
	case noncharacter(r):
		return fmt.Sprintf("U+%04X, a noncharacter", r)
	case name == "":
		return fmt.Sprintf("U+%04X, an unassigned character", r)
	}
	return fmt.Sprintf("U+%04X %s", r, name)
}

// needless characters change nothing that a reader sees when they go.
func needless(r rune) bool {
	return slices.Contains([]rune{'\u00ad', '\u200b', '\u2060', '\ufeff'}, r)
}

// withoutCharacter takes every r at the given offsets out of a text.
func withoutCharacter(doc *source.Document, s String, r rune, at []int) []diag.Edit {
	var kept strings.Builder
	from := 0
	for _, i := range at {
		kept.WriteString(s.Text[from:i])
		from = i + utf8.RuneLen(r)
	}
	kept.WriteString(s.Text[from:])
	if text, _ := trim(kept.String()); text == "" {
		return nil
	}
	n, _ := doc.Locate(s.Pointer)
	if !strings.Contains(kept.String(), "\n") {
		if edits := doc.Rewrite(s.Pointer, kept.String()); edits != nil {
			return edits
		}
	}
	// On several lines: the character itself, where it is written as such.
	var edits []diag.Edit
	for _, i := range at {
		start, ok := n.Within(i)
		offset, there := doc.Offset(start)
		if !ok || !there || !strings.HasPrefix(string(doc.Bytes()[offset:min(len(doc.Bytes()), offset+utf8.UTFMax)]), string(r)) {
			return nil
		}
		edits = append(edits, diag.Edit{Start: start, End: diag.Pos{Line: start.Line, Col: start.Col + utf8.RuneLen(r)}})
	}
	return edits
}

// hidden gives the offsets of characters that should not be in a text. Prose may
// have line feeds and tabs.
func hidden(s string, prose bool) []int {
	var found []int
	runes := []rune(s)
	rightToLeft := sync.OnceValue(func() bool {
		return slices.ContainsFunc(runes, func(r rune) bool { return unicode.In(r, rightToLeftScripts...) })
	})
	at := 0
	for i, r := range runes {
		bad := false
		switch {
		case r == '\n' || r == '\t':
			bad = !prose
		case r == '\u200c' || r == '\u200d':
			bad = !joins(runes, i)
		case r == '\u200b':
			bad = !unicode.In(before(runes, i), unspaced...) || !unicode.In(after(runes, i), unspaced...)
		case r == '\u200e' || r == '\u200f' || r == '\u061c':
			bad = !rightToLeft()
		case unicode.Is(unicode.Variation_Selector, r):
			bad = !varies(runes, i)
		case r >= 0xe0020 && r <= 0xe007f:
			bad = !inFlag(runes, i)
		default:
			bad = unseen(r)
		}
		if bad {
			found = append(found, at)
		}
		at += utf8.RuneLen(r)
	}
	return found
}

// unseen is true of what no text needs, whatever stands around it.
func unseen(r rune) bool {
	switch {
	case r == '\u2028', r == '\u2029': // line and paragraph separator
		return true
	case unicode.Is(unicode.Cf, r): // but for signs that enclose numbers, and those that place hieroglyphs
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r) && (r < 0x13430 || r > 0x1343f)
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r): // Hangul fillers and the like
		return true
	}
	return unicode.IsControl(r) || noncharacter(r)
}

func noncharacter(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) }

// joins reports whether a joiner or non-joiner stands where it does something: next
// to letters that join, or between two emoji.
func joins(s []rune, i int) bool {
	prev, next := before(s, i), after(s, i)
	if unicode.In(prev, joiningScripts...) {
		// A letter may be shown in the form that it has within a word.
		return s[i] == '\u200d' || unicode.In(next, joiningScripts...)
	}
	if s[i] == '\u200c' {
		return false
	}
	return unicode.In(next, joiningScripts...) || pictured(prev) && pictured(next)
}

// varies reports whether a variation selector stands behind something that has
// variants: not behind a space or another one, nor behind a letter of scripts with
// capitals.
func varies(s []rune, i int) bool {
	if i == 0 {
		return false
	}
	r := s[i-1]
	return unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsDigit(r) || unicode.Is(unicode.Lo, r) || unicode.Is(unicode.Sk, r)
}

// inFlag reports whether a tag character spells a flag, behind a black one and up
// to the tag that ends it.
func inFlag(s []rune, i int) bool {
	tag := func(r rune) bool { return r >= 0xe0020 && r < 0xe007f }
	const longest = 8 // "gbeng" and some
	start, end := i, i
	for start > 0 && i-start < longest && tag(s[start-1]) {
		start--
	}
	for end < len(s) && end-start < longest && tag(s[end]) {
		end++
	}
	return start > 0 && s[start-1] == 0x1f3f4 && end > start && end < len(s) && s[end] == 0xe007f
}

// before is the character in front that a joiner acts on: marks and selectors
// belong to what they follow. 0 is none.
func before(s []rune, i int) rune {
	for i--; i >= 0; i-- {
		if !unicode.Is(unicode.M, s[i]) && !skinTone(s[i]) || unicode.In(s[i], joiningScripts...) {
			return s[i]
		}
	}
	return 0
}

func after(s []rune, i int) rune {
	if i+1 < len(s) {
		return s[i+1]
	}
	return 0
}

func skinTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// pictured is true of what emoji are made of.
func pictured(r rune) bool { return unicode.Is(unicode.So, r) || r == '\u2194' || r == '\u2195' }

// What the tables of scripts are for; read only.
var (
	rightToLeftScripts = []*unicode.RangeTable{
		unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam, unicode.Mandaic,
		unicode.Samaritan, unicode.Hanifi_Rohingya,
	}
	joiningScripts = []*unicode.RangeTable{
		unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Adlam, unicode.Mandaic, unicode.Hanifi_Rohingya, unicode.Manichaean,
		unicode.Mongolian, unicode.Phags_Pa, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
		unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
		unicode.Tibetan, unicode.Balinese, unicode.Javanese, unicode.Sundanese, unicode.Tai_Tham, unicode.Cham, unicode.Chakma,
		unicode.Meetei_Mayek, unicode.Limbu, unicode.Lepcha, unicode.Newa, unicode.Tirhuta, unicode.Grantha,
	}
	unspaced = []*unicode.RangeTable{unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Tai_Tham, unicode.Javanese, unicode.Balinese}
)
