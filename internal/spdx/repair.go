package spdx

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Repaired is what Repair makes of a string: an Expression, or a Question.
type Repaired struct {
	Expression string   // canonical, with no deprecated id; "" where there is a Question
	Question   string   // what only somebody who knows the work can say, in one line; "" where there is an Expression
	Candidates []string // expressions to choose from, the likelier first, a dozen at most; nil where nothing looks like what was meant
	Slip       bool     // Expression rests on taking a word of five letters or more for a misspelling
}

// Unrecognised is the Question about a string that looks like no licence at all.
const Unrecognised = "which licence is it? No name on the SPDX licence list is like that"

const (
	maxRepair     = 300 // bytes of a string that Repair looks at: longer than any licence's name, shorter than a licence's text
	maxCandidates = 12
	maxParts      = 8 // licences in one string
)

// Repair says which licence somebody meant by what they wrote: a name, an id
// with a slip, an address, several of these. It never guesses. "Apache 2" gives
// Apache-2.0; "CC BY-NC", which says no version, gives a question and the versions
// there are; so does "GPLv3", because only the owner of the work can say whether a
// later version may be used, and "MIT, CC0", which does not say whether both
// apply. An expression that is right comes back in canonical form, with
// successors for deprecated ids.
func Repair(s string) Repaired {
	s = strings.TrimFunc(s, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`"'“”‘’«».,;`, r)
	})
	switch {
	case s == "":
		return ask(nil, "which licence is it? none is written")
	case len(s) > maxRepair:
		return ask(nil, "which licence is it? this is longer than a licence's name")
	}
	if x, err := Parse(referencePrefix.ReplaceAllStringFunc(s, prefixCase)); err == nil {
		return renew(x)
	}
	if m := openEnd.FindStringSubmatch(s); m != nil { // half of it is missing, and may restrict
		rest := Repair(strings.TrimSuffix(s, m[0]))
		return ask(rest.options(), "which licence follows %q? None is written", strings.ToUpper(m[1]))
	}
	if urls := webAddress.FindAllString(s, maxParts); urls != nil || bareAddress.MatchString(s) {
		if urls == nil {
			urls, s = []string{s}, ""
		}
		return repairAddresses(urls, webAddress.ReplaceAllString(s, " "))
	}
	return repairText(s)
}

var referencePrefix = regexp.MustCompile(`(?i)\b(?:document|license|addition)ref-`)

// openEnd is an operator behind which a licence or an exception is missing.
var openEnd = regexp.MustCompile(`(?i)\s(and|or|with)$`)

// prefixCase spells the prefix of a reference as SPDX does.
func prefixCase(s string) string {
	return map[byte]string{'d': documentRef, 'l': "LicenseRef-", 'a': "AdditionRef-"}[s[0]|0x20]
}

func ask(candidates []string, format string, args ...any) Repaired {
	if len(candidates) > maxCandidates {
		candidates = candidates[:maxCandidates:maxCandidates]
	}
	return Repaired{Question: fmt.Sprintf(format, args...), Candidates: candidates}
}

// options are the expressions that an answer leaves open.
func (r Repaired) options() []string {
	if r.Expression != "" {
		return []string{r.Expression}
	}
	return r.Candidates
}

// answer makes one of ids what is meant; with several it asks which.
func answer(ids []string) Repaired {
	if len(ids) == 1 {
		return Repaired{Expression: ids[0]}
	}
	if base, ok := strings.CutSuffix(ids[0], "-only"); ok && len(ids) == 2 && ids[1] == base+"-or-later" {
		return askLater(ids, base)
	}
	return ask(ids, "which of these is meant?")
}

func askLater(candidates []string, base string) Repaired {
	return ask(candidates, "may a later version of %s be used? Write %s-or-later if so, %s-only if not; the notice in the source files says which", base, base, base)
}

// renew puts successors in the place of deprecated ids.
func renew(x Expr) Repaired {
	var question string
	options := alternatives(x, &question)
	switch {
	case question == "":
		return Repaired{Expression: x.String()}
	case len(options) == 1:
		return Repaired{Expression: options[0]}
	}
	return ask(options, "%s", question)
}

// alternatives are the expressions without deprecated ids that x may stand for.
// question is set at the first id that is deprecated.
func alternatives(x Expr, question *string) []string {
	if x.Op != Single {
		var parts [][]string
		for _, arg := range x.Args {
			parts = append(parts, alternatives(arg, question))
		}
		return product(parts, x.Op)
	}
	id := x.License
	if x.Plus {
		id += "+"
	}
	with := ""
	if x.Exception != "" {
		with = " WITH " + x.Exception
		if next := Successors(x.Exception); len(next) == 1 {
			with, *question = " WITH "+next[0], cmp.Or(*question, "which exception is meant?")
		}
	}
	next := Successors(id)
	if next == nil {
		if l, ok := Lookup(x.License); ok && l.Deprecated {
			*question = cmp.Or(*question, fmt.Sprintf("which licences does %s stand for? SPDX has given it up without a successor", l.ID))
			return nil
		}
		return []string{id + with}
	}
	if with != "" && slices.ContainsFunc(next, func(s string) bool { return strings.Contains(s, " WITH ") }) {
		*question = cmp.Or(*question, fmt.Sprintf("%s names an exception already: which of the two applies?", id))
		return next
	}
	if len(next) == 2 {
		*question = cmp.Or(*question, askLater(nil, x.License).Question)
	}
	*question = cmp.Or(*question, "which is meant?")
	var all []string
	for _, s := range next {
		all = append(all, s+with)
	}
	return all
}

// product joins one of each part in every way, up to a bound; nil where a part
// leaves nothing to choose.
func product(parts [][]string, op Op) []string {
	rows := [][]Expr{nil}
	for _, options := range parts {
		var next [][]Expr
		for _, row := range rows {
			for _, o := range options {
				if x, err := Parse(o); err == nil && len(next) < maxCandidates {
					next = append(next, append(slices.Clone(row), x))
				}
			}
		}
		rows = next
	}
	var all []string
	for _, row := range rows {
		joined := Expr{Op: op, Args: row}
		if x, err := Parse(joined.nested()); err == nil {
			all = append(all, x.String())
		}
	}
	return all
}

// nested writes every group in parentheses.
func (x Expr) nested() string {
	if x.Op == Single {
		return x.String()
	}
	var args []string
	for _, arg := range x.Args {
		args = append(args, "("+arg.String()+")")
	}
	return strings.Join(args, []string{And: " AND ", Or: " OR "}[x.Op])
}

// repairText repairs what holds no address.
func repairText(s string) Repaired {
	s = orLater.ReplaceAllString(noise.ReplaceAllString(s, " "), "+")
	if r, ok := special(s); ok {
		return r
	}
	if r, ok := whole(s); ok {
		return r
	}
	if r, ok := several(s); ok {
		return r
	}
	if r, ok := withException(s); ok {
		return r
	}
	if r, ok := known(s); ok {
		return r
	}
	if r, ok := bracketed(s); ok {
		return r
	}
	if r, ok := misspelt(s); ok {
		return r
	}
	if r, ok := partly(s); ok {
		return r
	}
	return resembling(s)
}

// whole answers for a name to the word, with another or the id in brackets
// perhaps. What looks like a separator is a part of it: "zlib/libpng".
func whole(s string) (Repaired, bool) {
	if ids := names().spelt[strings.Join(allWords(s), " ")]; ids != nil { // with repetitions: "CC BY 4.0, CC BY-SA 4.0" is a list
		return answer(ids), true
	}
	m := brackets.FindStringSubmatch(s)
	if m == nil {
		return Repaired{}, false
	}
	outside, ok := whole(m[1])
	if !ok {
		return Repaired{}, false
	}
	inside, ok := part(strings.TrimSpace(m[2]))
	if !ok || strings.TrimSpace(m[3]) != "" {
		return Repaired{}, false
	}
	r := agree(outside, inside)
	return r, len(r.Candidates) < len(outside.options())+len(inside.options())
}

// orLater is what several would take for two licences.
var orLater = regexp.MustCompile(`(?i),?\s+(?:or|and)\s+(?:\(?at your option\)?,?\s+)?(?:any\s+)?(?:later|newer|above|greater|higher)(?:\s+versions?)?\b`)

// noise is what package managers put around a name.
var noise = regexp.MustCompile(`(?i)\blicense\s*::|\bosi approved\s*(::)?|\+\s*file\s+licen[cs]e\b|\bspdx-license-identifier\s*:|\blicen[cs]e\s*:`)

// special answers for words that say something else than the name of a licence.
func special(s string) (Repaired, bool) {
	if commonsClause.MatchString(s) {
		return ask(nil, "which licence is it, as a whole? The Commons Clause takes rights away, so with it a licence is written LicenseRef- and a name of its own"), true
	}
	switch strings.Join(strings.Fields(strings.ToLower(strings.Map(letterOrSpace, s))), " ") {
	case "none", "no", "no license", "no licence", "noassertion", "unknown", "n a", "na", "tbd", "todo", "null", "nil", "not specified", "unspecified", "not applicable":
		return ask(nil, "which licence is it? Without one, nobody may use the work"), true
	case "proprietary", "commercial", "all rights reserved", "copyright", "copyrighted", "closed", "closed source", "freeware":
		return ask(nil, "is there an open licence? These words give no right to use the work"), true
	case "unlicensed":
		return ask([]string{"Unlicense"}, "is it the Unlicense, or is there no licence?"), true
	case "public domain", "publicdomain", "pd", "in the public domain", "public domain dedication":
		return ask([]string{"CC0-1.0", "Unlicense", "PDDL-1.0"}, "by which text was the work put in the public domain?"), true
	case "other", "custom", "own", "various", "multiple", "mixed", "see license", "see licence", "see license file", "see licence file", "license", "licence", "open source", "opensource", "open", "free", "free software", "foss", "floss", "oss", "open license", "open licence", "copyleft", "osi", "osi approved":
		return ask(nil, "which licence is it? Many are of that sort"), true
	case "cc", "creative commons", "creativecommons", "creative commons license", "creative commons licence", "cc license", "cc licence":
		return ask([]string{"CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0"}, "which Creative Commons licence is it, and which version?"), true
	}
	return Repaired{}, false
}

var commonsClause = regexp.MustCompile(`(?i)\bcommons[\s-]+clause\b`)

func letterOrSpace(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return r
	}
	return ' '
}

// known answers for a name that is spelt right, whole or without its version.
func known(s string) (Repaired, bool) {
	words := normalise(s)
	if r, ok := knownWords(words); ok {
		return r, true
	}
	plain := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.Contains(weak, " "+w+" ") })
	if len(plain) == 0 || len(plain) == len(words) {
		return Repaired{}, false
	}
	return knownWords(plain)
}

func knownWords(words []string) (Repaired, bool) {
	x := names()
	if ids := x.ids(words); ids != nil {
		return answer(ids), true
	}
	// Only the GNU licences have ids for "or later" and "only"; for the others
	// there is "+", and that only this version applies goes without saying.
	if base, ok := cutEnd(words, "or", "later"); ok {
		ids := x.ids(base)
		if i := slices.IndexFunc(ids, func(id string) bool { return strings.HasSuffix(id, "-or-later") }); i >= 0 && len(ids) == 2 {
			return Repaired{Expression: ids[i]}, true // by a name that only an alias knows
		}
		if len(ids) == 1 && !strings.Contains(ids[0], " ") && !strings.HasSuffix(ids[0], "+") {
			return Repaired{Expression: ids[0] + "+"}, true
		}
	}
	if base, ok := cutEnd(words, "only"); ok {
		ids := x.ids(base)
		if i := slices.IndexFunc(ids, func(id string) bool { return strings.HasSuffix(id, "-only") }); i >= 0 && len(ids) == 2 {
			return Repaired{Expression: ids[i]}, true
		}
		if len(ids) == 1 {
			return Repaired{Expression: ids[0]}, true
		}
	}
	return x.family(words)
}

func cutEnd(words []string, end ...string) ([]string, bool) {
	n := len(words) - len(end)
	if n < 1 || !slices.Equal(words[n:], end) {
		return nil, false
	}
	return words[:n], true
}

var (
	// separator is what stands between two licences. Its groups are: says neither, says OR, says AND.
	separator = regexp.MustCompile(`(?i)(\s+and\s*/\s*or\s+|\s*[,;]\s*(?:and\s*/\s*or\s+)|\n|\s+\+\s+|\s*/\s*|\s+plus\s+)|(\s*,?\s+or\s+|\s*\|\|?\s*|\s+ou\s+|\s+oder\s+)|(\s*,?\s+and\s+|\s*&&?\s*|\s+et\s+|\s+und\s+)|(\s*[,;]\s*)`)
	choice    = regexp.MustCompile(`(?i)\b(dual|dually|double|multi|triple|either)\b`)
)

// An enumeration is a string taken apart at what stands between licences.
type enumeration struct {
	texts              []string
	unclear, ors, ands int // separators of each sort
}

func enumerate(s string) (enumeration, bool) {
	var l enumeration
	seps := separator.FindAllStringSubmatchIndex(s, maxParts)
	if len(seps) == 0 || len(seps) >= maxParts {
		return l, false
	}
	from := 0
	for _, m := range seps {
		l.texts = append(l.texts, s[from:m[0]])
		from = m[1]
		switch {
		case m[2] >= 0:
			l.unclear++
		case m[4] >= 0:
			l.ors++
		case m[6] >= 0:
			l.ands++
		} // a comma is what the last word of the list is
	}
	l.texts = append(l.texts, s[from:])
	if choice.MatchString(s) {
		if l.ands > 0 { // "dual licensed under X and Y" may well mean OR
			l.unclear++
		}
		for i, text := range l.texts {
			l.texts[i] = choice.ReplaceAllString(text, " ")
		}
	}
	for i, text := range l.texts {
		l.texts[i] = strings.TrimSpace(text)
	}
	return l, true
}

// op is the operator of a list, if it has one.
func (l enumeration) op() (Op, bool) {
	switch {
	case l.unclear > 0:
	case l.ors > 0 && l.ands == 0:
		return Or, true
	case l.ands > 0 && l.ors == 0:
		return And, true
	}
	return Single, false
}

// several answers for a list of licences, each of which is known.
func several(s string) (Repaired, bool) {
	l, ok := enumerate(s)
	if !ok {
		return Repaired{}, false
	}
	var questions []string
	var parts [][]string
	for _, text := range l.texts {
		r, ok := part(text)
		if !ok {
			return Repaired{}, false
		}
		if q, _, _ := strings.Cut(r.Question, "?"); q != "" {
			questions = append(questions, fmt.Sprintf("%s: %s?", text, q))
		}
		parts = append(parts, r.options())
	}
	if op, clear := l.op(); clear {
		if all := product(parts, op); len(questions) > 0 {
			return ask(all, "%s", strings.Join(questions, " ")), true
		} else if len(all) == 1 {
			return Repaired{Expression: all[0]}, true
		}
	}
	var both []string
	ands, ors := product(parts, And), product(parts, Or)
	for i := range min(len(ands), len(ors)) {
		both = append(both, ands[i], ors[i])
	}
	questions = append(questions, "do all of the licences apply (AND), or may one be chosen (OR)?")
	return ask(both, "%s", strings.Join(questions, " ")), true
}

// partly asks about the licences of a list that are not known, where others are.
func partly(s string) (Repaired, bool) {
	l, ok := enumerate(s)
	if !ok {
		return Repaired{}, false
	}
	var unknown []string
	for _, text := range l.texts {
		if _, ok := part(text); !ok {
			unknown = append(unknown, fmt.Sprintf("%q", clip(text)))
		}
	}
	if 2*len(unknown) > len(l.texts) {
		return Repaired{}, false
	}
	return ask(nil, "which licence is %s? The other names in this list are known", strings.Join(unknown, ", and which ")), true
}

// part answers for one of several licences: an id, an exception's expression or
// a known name that is not empty.
func part(s string) (Repaired, bool) {
	if s == "" {
		return Repaired{}, false
	}
	if x, err := Parse(s); err == nil {
		r := renew(x)
		return r, len(r.options()) > 0
	}
	if r, ok := withException(s); ok {
		return r, len(r.options()) > 0
	}
	if r, ok := known(s); ok {
		return r, len(r.options()) > 0
	}
	r, ok := bracketed(s)
	return r, ok && r.Expression != ""
}

var withWord = regexp.MustCompile(`(?i)\s+(?:with|w/)\s+`)

// withException answers for a licence and a known exception.
func withException(s string) (Repaired, bool) {
	at := withWord.FindStringIndex(s)
	if at == nil {
		return Repaired{}, false
	}
	left, ok := known(s[:at[0]])
	if !ok {
		return Repaired{}, false
	}
	exceptions := exceptionsNamed(s[at[1]:])
	if len(exceptions) == 0 {
		return Repaired{}, false
	}
	var all []string
	for _, l := range left.options() {
		for _, e := range exceptions {
			if x, err := Parse(l + " WITH " + e); err == nil {
				all = append(all, x.String())
			}
		}
	}
	switch {
	case len(all) == 1:
		return Repaired{Expression: all[0]}, true
	case left.Question != "":
		return ask(all, "%s", left.Question), true
	}
	return ask(all, "which exception is meant?"), true
}

// brackets are the last that a string has.
var brackets = regexp.MustCompile(`^(.*)\(([^()]+)\)([^()]*)$`)

// bracketed answers for a name with another name, or the id, in brackets.
func bracketed(s string) (Repaired, bool) {
	m := brackets.FindStringSubmatch(s)
	if m == nil {
		return Repaired{}, false
	}
	inside, ok := part(strings.TrimSpace(m[2]))
	if !ok {
		return Repaired{}, false
	}
	outside, ok := special(m[1] + " " + m[3])
	if !ok {
		if outside, ok = known(m[1] + " " + m[3]); !ok {
			return ask(inside.options(), "is the licence %s, and nothing else?", orList(inside.options())), true
		}
	}
	return agree(outside, inside), true
}

// agree takes two answers about one licence together: where both leave a choice
// it is what they have in common.
func agree(a, b Repaired) Repaired {
	var common []string
	for _, o := range a.options() {
		if slices.Contains(b.options(), o) {
			common = append(common, o)
		}
	}
	switch {
	case len(common) > 0 && a.Expression+b.Expression != "":
		return Repaired{Expression: common[0]}
	case len(common) > 1:
		return ask(common, "%s", a.Question)
	}
	return ask(slices.Concat(a.options(), b.options()), "which of the two is meant?")
}

// misspelt answers for a name with a slip of the pen in it.
func misspelt(s string) (Repaired, bool) {
	corrected, short := names().spell(split(strings.ToLower(s)))
	if corrected == "" {
		return Repaired{}, false
	}
	r, ok := known(corrected)
	switch {
	case !ok:
		return Repaired{}, false
	case r.Expression == "":
		return r, true
	case short:
		return ask(r.options(), "did you mean %s?", r.Expression), true
	}
	r.Slip = true
	return r, true
}

// resembling asks about the licences whose names hold all the words, or most of
// whose words are here.
func resembling(s string) Repaired {
	words := normalise(s)
	if len(words) == 0 {
		return ask(nil, Unrecognised)
	}
	if ids, extra := names().within(words); len(ids) > 0 {
		changed := slices.ContainsFunc(extra, func(w string) bool { return strings.Contains(changes, " "+w+" ") })
		if changed {
			return ask(ids, "is it the licence word for word? One that was changed is written LicenseRef- and a name of its own")
		}
		if extra == nil {
			return ask(ids, "is %s meant? No licence has this name", orList(ids))
		}
		return ask(ids, "what does %q add? If it is nothing, %s may be meant", clip(strings.Join(extra, " ")), orList(ids))
	}
	if ids := names().around(words); len(ids) > 0 {
		return ask(ids, "is %s meant?", orList(ids))
	}
	return ask(nil, Unrecognised)
}

func orList(ids []string) string {
	if len(ids) != 1 {
		return "one of these"
	}
	return ids[0]
}

// changes are words that say that a licence is not the one it is named after.
const changes = " modified changed adapted custom customised customized variant style like type based derived similar amended extended restricted "
