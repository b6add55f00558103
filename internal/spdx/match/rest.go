package match

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// A sentence is a stretch of words of a text that belongs to no licence found.
type sentence struct {
	words []string
	at    Span
	idle  bool // says nothing of rights: owners, titles, addresses
	title bool // is the title of a licence in the text
}

// sentences cuts what is left of a text, outside the taken spans of bytes, into
// sentences. A line break alone ends none, as texts are wrapped anywhere.
func (d *Detector) sentences(m *memory, text []byte, doc []word, taken []Span) []sentence {
	out, said := m.sentences[:0], m.said[:0]
	k := 0
	start := -1
	flush := func(end int) {
		if start >= 0 && end > start {
			s := sentence{at: Span{int(doc[start].start), int(doc[end-1].end)}}
			first := len(said)
			for _, w := range doc[start:end] {
				said = append(said, d.name(text, w))
			}
			s.words = said[first:len(said):len(said)]
			out = append(out, s)
		}
		start = -1
	}
	for i, w := range doc {
		for k < len(taken) && int(w.start) >= taken[k].End {
			k++
		}
		if k < len(taken) && int(w.start) >= taken[k].Start {
			flush(i)
			continue
		}
		if start >= 0 && (breaks(text[doc[i-1].end:w.start]) || i-start >= 400) {
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(doc))
	m.sentences, m.said = out, said
	for i := range out {
		s := &out[i]
		s.idle = d.isIdle(text, s)
	}
	return out
}

// breaks reports whether what stands between two words ends a sentence.
func breaks(between []byte) bool {
	lines := 0
	for i, c := range between {
		switch c {
		case '.', '!', '?', ':', ';':
			if i+1 == len(between) {
				return false // "2.0", "example.org"
			}
			if n := between[i+1]; n == ' ' || n == '\n' || n == '\t' || n == '\r' || n == '"' || n == ')' || n == '<' || n == '*' {
				return true
			}
		case '\n':
			if lines++; lines > 1 {
				return true
			}
		case '#', '|': // a heading or a cell of Markdown
			return true
		}
	}
	return bytes.Contains(between, []byte("</")) || bytes.Contains(between, []byte("\n=")) || bytes.Contains(between, []byte("\n-"))
}

// titleWords are those that titles of licences are made of.
var titleWords = newLexicon(`the a an of and or for this is in to with license licenses licensed agreement mit x11 expat bsd isc apache gnu general public lesser library affero
gpl lgpl agpl mozilla mpl eclipse epl creative commons attribution cc by sa share alike international unported zero cc0 boost software version v
new revised simplified modified original old clause style open source free zlib libpng png artistic sil font ofl unlicense wtfpl do what fuck you want documentation fdl gfdl
legal notice notices copyright copyrights terms conditions text full third party dependencies university illinois ncsa python foundation european union eupl
readme file code project about all rights reserved`)

// isIdle reports whether a sentence only names something: an owner, a title, an
// address, a heading.
func (d *Detector) isIdle(text []byte, s *sentence) bool {
	content := 0
	for _, w := range s.words {
		if !titleWords.has(w) && !(w[0] >= '0' && w[0] <= '9') {
			content++
		}
	}
	if content <= 1 && len(s.words) <= 14 && !slices.ContainsFunc(s.words, func(w string) bool { return strong.has(w) || w == "not" || w == "only" || w == "no" }) ||
		len(s.words) < 3 && !slices.ContainsFunc(s.words, func(w string) bool { return rights.has(w) || strong.has(w) }) {
		return true
	}
	idle := idleLines(text, s.at.Start, s.at.End)
	next := s.at.Start
	for line := range bytes.Lines(text[s.at.Start:s.at.End]) {
		from := next
		next += len(line)
		if countFields(trimmed(line)) == 0 {
			continue
		}
		to := from + len(bytes.TrimRight(line, "\r\n \t"))
		if !slices.ContainsFunc(idle, func(l Span) bool { return from >= l.Start && to <= l.End+1 }) {
			return false
		}
	}
	return true
}

// Words beside a licence that may take away what it gives.
var (
	strong = newLexicon(`prohibit* forbid* forbidden restrict* exclude* excludes excluding disallow* noncommercial nonprofit* hippocratic fee fees royalt* purchas*
military weapon* nuclear evil harm* ethic* surveillance academic* education* evaluation must mustnt shall cannot except unless agree agrees terminat* revo* exempt* obligat*
commercial* require* personal* internal* unlawful* illegal* outlaw* ban banned denied deny refus* discriminat* slave* trial* tobacco gambling police army armed`)
	weak    = newLexicon(`not no only nor never none non solely without may subject provided limited limitation* condition* clause* additional* further* addition*`)
	subject = newLexicon(`use* using usage user* software program* code license* licensed licensee* licensor* copy copies copying distribut* redistribut* modif* sell* sold sale work works product* purpose*
permission* permit* grant* right rights library package* derivative* deploy* compan* corporation* organization* government* person* individual* entit* business* employ* include* service* host* clause* condition*`)
	legal = newLexicon(`license* licensed licensee* licensor* permission* permit* grant* rights commercial* noncommercial redistribut* purpose* copies derivative* sublicens* prohibit* forbid*`)
)

// Beside a licence's own text any sentence may be a clause. It is held for one as
// soon as it has a word of those that rights are given and taken with.
var rights = newLexicon(`use* using* usage user* permission* permit* grant* sale sales sell* resale resell* sold distribut* redistribut* publish* modif* copies copying credit* pay* paid
free individual* compan* void expire* expir* invalid revoc* revok* indemnif* sue suing litigat* subscription* subscriber* household* seat* per production reserved need needs has have may can cannot could should would will not no
only never none nor without if when until while unless except licensee* licensor* condition* request* consent* authoriz* approv* must shall require* require entitle* waive* subject limit* please`)

// A pattern is how a sentence in plain words begins. One of the needed parts stands
// in every sentence that matches: most sentences can be told by that.
type pattern struct {
	need []string
	re   *regexp.Regexp
}

type patterns []pattern

func newPattern(start, need string) pattern {
	return pattern{strings.Split(need, "/"), regexp.MustCompile(`^(?:` + start + `)`)}
}

func (p pattern) match(plain string) bool {
	return slices.ContainsFunc(p.need, func(n string) bool { return strings.Contains(plain, n) }) && p.re.MatchString(plain)
}

func (ps patterns) match(plain string) bool {
	return slices.ContainsFunc(ps, func(p pattern) bool { return p.match(plain) })
}

// Sentences on where a thing comes from and what is where, though they have such words.
var provenance = patterns{
	newPattern(`.*can be found (?:at|in|on|here)`, "can be found"),
	newPattern(`.*consists of voluntary contributions made by many individuals`, "consists of voluntary"),
	newPattern(`for exact contribution history`, "for exact"),
	newPattern(`we recommend you read them`, "we recommend"),
	newPattern(`.*was inspired by`, "was inspired by"),
	newPattern(`code generated by the`, "code generated by"),
	newPattern(`.*(?:modifications|changes) by`, "s by"),
	newPattern(`.*is a project (?:by|of)`, "is a project"),
	newPattern(`.*copyright and related rights for .* are waived`, "are waived"),
	newPattern(`.*(?:externally maintained|have their own licenses|bundled|third party)`, "externally maintained/have their own licenses/bundled/third party"),
	newPattern(`.*(?:is|are) licensed (?:for use )?as follows`, "licensed"),
	newPattern(`.*(?:is|are) (?:itself )?(?:also )?covered by`, "covered by"),
	newPattern(`.*licensed according to the terms in`, "licensed according"),
	newPattern(`.*(?:is|are|was|were) (?:a )?(?:derivative work|derived|based|taken|adapted|ported|forked|copied|modified)(?: \w+)? (?:of|on|from|by)`, "is /are /was /were "),
	newPattern(`(?:based|derived|adapted|ported|modified|taken|copied|forked) (?:on|from|by)`, "based/derived/adapted/ported/modified/taken/copied/forked"),
	newPattern(`(?:\S+ ){1,8}(?:is|are) (?:free software )?(?:released|licensed|distributed|available|made available|covered|published|provided)(?: under| by)?(?: the| a| an)?(?: following)?(?: copyright| terms| license)?$`, " is / are "),
	newPattern(`.*write to the free software foundation`, "free software foundation"),
	newPattern(`.*do not edit$`, "do not edit"),
	newPattern(`only .* files?$`, "only "),
	newPattern(`(?:see|for (?:more )?(?:information|details)) .*`, "see /for "),
	newPattern(`(?:this|the following) (?:file|code|project|software|package|library|license|text|notice)s? .*(?:following|above|below)`, "following/above/below"),
}

// denies are words that no account of where something comes from needs.
var denies = newLexicon(`not no never none cannot must shall unless without if need needs require* prohibit* forbid* request* consent*`)

// isClause reports whether a sentence beside a licence's own text may be part of
// the terms.
func isClause(plain string, words []string) bool {
	for _, w := range words {
		if strong.has(w) {
			return true
		}
	}
	if !slices.ContainsFunc(words, rights.has) {
		return false
	}
	return !provenance.match(plain) || slices.ContainsFunc(words, denies.has) && !strings.HasSuffix(plain, "do not edit")
}

// Sentences that have such words and take nothing away.
var harmless = patterns{
	newPattern(`.*you may not use (?:this|these|the) [\w ]{1,40} except in compliance with the license`, "you may not use"),
	newPattern(`.*you may (?:obtain|find|get) a copy`, "a copy"),
	newPattern(`.*unless required by applicable law or agreed to in writing`, "unless required"),
	newPattern(`.*governing permissions and limitations`, "governing permissions"),
	newPattern(`everyone is permitted to copy and distribute verbatim copies of this license document`, "everyone is permitted"),
	newPattern(`(?:unless you explicitly state otherwise )?any contributions? (?:you )?(?:intentionally )?(?:submitted|made)`, "contribution"),
	newPattern(`by (?:contributing|submitting)`, "by contributing/by submitting"),
	newPattern(`.*without (?:any|even the implied) warranty`, "warranty"),
	newPattern(`.*(?:shall|should) (?:have received|be included)`, "have received/be included"),
	newPattern(`.*you should have received a copy`, "should have received"),
	newPattern(`if not (?:see|write)`, "if not"),
	newPattern(`all rights (?:are )?reserved`, "all right"),
	newPattern(`some rights reserved`, "some rights"),
	newPattern(`(?:this|the) (?:following |above )?(?:license|text|notice) (?:text |notice )?applies to `, "applies to"),
	newPattern(`(?:the|this) (?:above )?(?:license|notice)s? appl(?:y|ies) to`, "apply to/applies to"),
	newPattern(`this code is not standalone and requires a support library`, "not standalone"),
	newPattern(`(?:the published \w+ artifact|this (?:software|package|project|distribution|product)) (?:additionally )?(?:contains|includes|bundles) (?:code|software)`, "contain/include/bundle"),
	newPattern(`licenses of bundled dependencies`, "bundled"),
	newPattern(`(?:some|certain|parts|portions) [\w ]{0,40}may not be the copyright of`, "copyright"),
	newPattern(`no (?:external |outside )?contributions (?:are|will be|can be) (?:allowed|accepted) under licenses`, "contributions"),
}

// namesClosed reports whether a sentence, or a title or an address alone, names terms
// that are not those of an open licence, or says that a licence was changed.
func namesClosed(words []string) bool {
	for i, w := range words {
		switch w {
		case "proprietary", "eula":
			return true
		case "nc", "nd": // of Creative Commons
			if i > 0 && (words[i-1] == "by" || words[i-1] == "sa") {
				return true
			}
		}
	}
	return len(words) <= 6 && slices.Contains(words, "modified") && !slices.ContainsFunc(words, func(w string) bool { return w == "bsd" || !titleWords.has(w) && w != "modified" })
}

// isHarmless reports whether a sentence is one of those that licences are
// surrounded by, and says nothing stronger.
func isHarmless(plain string, words []string) bool {
	if rest, ok := strings.CutPrefix(plain, "all rights reserved "); ok && speaks(words[3:]) { // "..., not for production"
		return isHarmless(rest, words[3:])
	}
	for _, w := range words {
		if strong.has(w) {
			switch w {
			case "except", "unless", "shall", "agreed", "required", "requires":
			default:
				return false
			}
		}
	}
	return harmless.match(plain)
}

// speaks reports whether a sentence has a word that could give or take rights.
func speaks(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return rights.has(w) || strong.has(w) || weak.has(w) })
}

// permits reports whether a sentence only allows, such as "you can use it for
// commercial projects".
func permits(words []string) bool {
	if len(words) < 3 || words[0] != "you" || words[1] != "can" && words[1] != "may" && words[1] != "are" {
		return false
	}
	return !slices.ContainsFunc(words, func(w string) bool {
		return strong.has(w) && !strings.HasPrefix(w, "commercial") || w == "not" || w == "no" || w == "only" || w == "if" || w == "provided" || w == "without" || w == "long" || w == "under"
	})
}

// withoutNoted leaves out the "except" of "except as noted" anywhere in a sentence:
// what is noted says for itself what it is.
func withoutNoted(words []string) []string {
	for i, w := range words {
		if (w == "except" || w == "unless") && i+2 < len(words) && (words[i+1] == "as" || words[i+1] == "where" || words[i+1] == "otherwise") {
			switch words[i+2] {
			case "noted", "stated", "specified", "indicated", "mentioned":
				return slices.Concat(words[:i], words[i+3:])
			}
		}
	}
	return words
}

// withoutOpening leaves out "except where otherwise noted" at the start of a sentence.
func withoutOpening(words []string) []string {
	if len(words) == 0 || words[0] != "except" && words[0] != "unless" {
		return words
	}
	for i, w := range words[:min(len(words), 5)] {
		switch w {
		case "noted", "stated", "specified", "indicated", "mentioned":
			return words[i+1:]
		}
	}
	return words
}

// disclaims reports whether a sentence only says that there is no warranty.
func disclaims(words []string) bool {
	about := false
	for i, w := range words {
		about = about || strings.HasPrefix(w, "warrant") || strings.HasPrefix(w, "liab") || w == "is" && i > 0 && words[i-1] == "as"
		if strong.has(w) && w != "shall" && w != "except" || strings.HasPrefix(w, "use") && w != "use" || w == "only" {
			return false
		}
	}
	return about && !slices.Contains(words, "may")
}

// restricting reports whether a sentence may take away rights. Among much other
// text, such as that of a manual, it must speak of licensing as well.
func restricting(words []string, amongOther bool) bool {
	s, w, about, law := false, false, false, false
	for _, x := range words {
		s = s || strong.has(x)
		w = w || weak.has(x)
		about = about || subject.has(x)
		law = law || legal.has(x)
	}
	if amongOther {
		return (s || w && about) && law
	}
	return s || w && about
}
