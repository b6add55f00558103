package match

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var (
	tagLine = regexp.MustCompile(`(?i)SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+:() \t-]{2,400})`)
	// What offers licences as a choice.
	choice = regexp.MustCompile(`at your (?:option|choice|discretion)|dual(?:ly)? licensed|(?:double|tri|triple|multi) licensed|either of (?:the|these|those)|under either|your choice|(?:either|any|one) (?:one )?of (?:the )?(?:following|these|those|two|three|above|licenses)|you may (?:choose|select|use either)|licensed under .{1,80} or |choose (?:either|one|between)|alternatively|under (?:a|an|the) .{2,40} license or (?:under |the |a )`)
	later  = regexp.MustCompile(`at your option any later version|at your option any later`)
)

// offers reports whether a sentence offers licences as a choice.
func offers(plain string) bool {
	if !mayOffer(plain) {
		return false
	}
	if strings.Contains(plain, "at your option any later") {
		plain = later.ReplaceAllString(plain, "")
	}
	return choice.MatchString(plain)
}

// mayOffer is a quick look before the slow one.
func mayOffer(plain string) bool {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(plain, p) })
	}
	return has("at your ", "either", "your choice", "choose", "select", "alternatively", "any of ", "one of ", "license or ") ||
		has("licensed") && (has("dual", "double", "tri", "multi") || has("licensed under ") && has(" or "))
}

// conclude makes the result of what was found.
func (d *Detector) conclude(m *memory, text []byte, doc []word, found, near []verdict) Result {
	var r Result
	for _, v := range found {
		r.Matches = append(r.Matches, d.match(doc, v))
	}
	var taken []Span
	for _, found := range r.Matches {
		taken = append(taken, found.Span)
	}
	tags, wrongTag := findTags(text, taken)
	for _, t := range tags {
		if !inside(taken, t.Span) {
			r.Matches = append(r.Matches, t)
			taken = append(taken, t.Span)
		}
	}
	byPlace := func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) }
	slices.SortFunc(taken, byPlace)
	rest := d.sentences(m, text, doc, taken)
	left, matched := 0, 0
	for _, s := range rest {
		if !s.idle {
			left += len(s.words)
		}
	}
	for _, v := range found {
		matched += v.doc.to - v.doc.from
	}
	amongOther := left > 150 && left > matched*3/2
	texts := slices.ContainsFunc(found, func(v verdict) bool { return d.templates[v.template].kind == Text })

	d.titles(rest, found)
	refs := d.references(text, rest)
	blocked, offered := "", false
	for i, s := range rest {
		plain := strings.Join(s.words, " ")
		choosing := offers(plain)
		offered = offered || choosing && !s.title
		part := text[s.at.Start:s.at.End]
		if limitsAbroad(part) && !amongOther || texts && !amongOther && (!s.idle && otherScript(part) && !ownsAbroad(part) || namesClosed(s.words)) ||
			strings.Contains(plain, "commons clause") {
			r.Unmatched = append(r.Unmatched, s.at)
			if blocked == "" {
				blocked = quote(text, s.at)
			}
			continue
		}
		if s.idle || speaks(s.words) && (disclaims(s.words) || permits(s.words) || isHarmless(plain, s.words)) {
			continue
		}
		// Of a sentence that names a licence, the name itself takes nothing away.
		words, referring := s.words, false
		if k := slices.IndexFunc(refs, func(m reference) bool { return m.sentence == i }); k >= 0 {
			words, referring = refs[k].beside, true
		}
		if choosing && !slices.ContainsFunc(withoutNoted(s.words), strong.has) {
			continue
		}
		words = withoutOpening(words)
		if texts && !amongOther && !referring && isClause(plain, words) || restricting(words, amongOther) && !(referring && !slices.ContainsFunc(words, strong.has) && !slices.Contains(words, "only") && !slices.Contains(words, "not")) {
			r.Unmatched = append(r.Unmatched, s.at)
			if blocked == "" {
				blocked = quote(text, s.at)
			}
			continue
		}
		if len(s.words) >= 4 && !referring {
			r.Unmatched = append(r.Unmatched, s.at)
		}
	}
	for _, ref := range refs {
		if titled := rest[ref.sentence].title; (titled || ref.title) && d.entitles(ref.Match, found, titled) {
			continue
		}
		r.Matches = append(r.Matches, ref.Match)
	}
	var changed *verdict
	for i, v := range near {
		t := d.templates[v.template]
		if t.kind == Text && (v.needed >= 30 || v.matched*10 >= v.needed*8) && matched < 20*v.matched {
			changed = &near[i]
			m := d.match(doc, v)
			if len(v.bad) > 0 {
				m.Confidence = min(m.Confidence, 0.5)
			}
			r.Matches = append(r.Matches, m)
			for _, b := range v.bad {
				r.Unmatched = append(r.Unmatched, Span{int(doc[b.from].start), int(doc[b.to-1].end)})
			}
		}
	}
	slices.SortStableFunc(r.Matches, func(a, b Match) int { return byPlace(a.Span, b.Span) })
	r.Unmatched = joinSpans(r.Unmatched)
	switch {
	case changed != nil:
		id := d.templates[changed.template].ids[0]
		if len(changed.bad) > 0 {
			b := changed.bad[0]
			r.Note = fmt.Sprintf("nearest to %s, but with other words: %s", id, quote(text, Span{int(doc[b.from].start), int(doc[b.to-1].end)}))
		} else {
			r.Note = fmt.Sprintf("nearest to %s, but words of it are missing or differ", id)
		}
		return r
	case blocked != "" && len(r.Matches) > 0:
		r.Note = "words beside the licence may restrict it: " + blocked
		return r
	case wrongTag != "":
		r.Note = wrongTag
		return r
	case len(r.Matches) == 0:
		r.Note = "no licence was found"
		return r
	}
	d.combine(&r, offered)
	return r
}

// exceptionTitle are the words of which the titles of exceptions are made.
const exceptionTitle = "special exception exceptions linking runtime library additional permission"

// untitled reports whether a word of a sentence is none that any title may have.
func (s *sentence) untitled(w string) bool {
	return (!titleWords.has(w) || w == "or" && s.at.Start > 0) && !isListMarker(w)
}

// maxTitle is the most words of a licence's title.
const maxTitle = 24

// titles marks the sentences that are the title of a licence that was found: the
// words of its name on the list, or of its id.
func (d *Detector) titles(rest []sentence, found []verdict) {
	if len(found) == 0 {
		return
	}
	others := false // sentences that have words of no title
	for i := range rest {
		if s := &rest[i]; len(s.words) <= maxTitle {
			if slices.ContainsFunc(s.words, s.untitled) {
				others = true
			} else {
				s.idle, s.title = true, true
			}
		}
	}
	for i, v := range found {
		if !others || slices.ContainsFunc(found[:i], func(f verdict) bool { return f.template == v.template }) {
			continue
		}
		words := map[string]bool{}
		for _, id := range d.templates[v.template].ids {
			l, known := spdx.Lookup(id)
			if !known {
				l.ID, l.Name = id, exceptionTitle
			}
			split(nil, []byte(l.ID+" "+l.Name), func(w []byte, hash uint32) uint16 {
				words[d.names[d.words.id(w, hash)]] = true
				words[string(w)] = true
				return 0
			})
		}
		for i := range rest {
			s := &rest[i]
			if !s.title && len(s.words) <= maxTitle && !slices.ContainsFunc(s.words, func(w string) bool { return !words[w] && s.untitled(w) }) {
				s.idle, s.title = true, true
			}
		}
	}
}

// entitles reports whether a name that stands alone is the title of a licence
// that was found, though it is the name of another: one of its family, or, where
// the whole sentence is the found one's name, any.
func (d *Detector) entitles(name Match, found []verdict, whole bool) bool {
	other := false
	for _, v := range found {
		t := d.templates[v.template]
		if slices.Contains(t.ids, name.License) {
			return false
		}
		family, _, _ := strings.Cut(name.License, "-")
		other = other || t.kind == Text && (whole || strings.HasPrefix(t.ids[0], family))
	}
	return other
}

func (d *Detector) match(doc []word, v verdict) Match {
	t := d.templates[v.template]
	m := Match{Span: Span{int(doc[v.doc.from].start), int(doc[v.doc.to-1].end)}, License: t.ids[0], Kind: t.kind, Confidence: v.confidence()}
	if len(t.ids) > 1 {
		m.Alternatives = slices.Clone(t.ids)
	}
	return m
}

// quote shows a part of the text in one line.
func quote(text []byte, at Span) string {
	q := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[at.Start:min(at.End, at.Start+160)]), "")), " ")
	return fmt.Sprintf("%q", q)
}

func inside(spans []Span, s Span) bool {
	return slices.ContainsFunc(spans, func(o Span) bool { return s.Start < o.End && o.Start < s.End })
}

// joinSpans sorts spans and joins those that touch.
func joinSpans(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End+3 {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// findTags reads the declarations in a text. The second result says what is wrong
// with one that is no expression.
func findTags(text []byte, taken []Span) (tags []Match, wrong string) {
	if !mayTag(text) {
		return nil, "" // the expression below is slow
	}
	for _, m := range tagLine.FindAllSubmatchIndex(text, 1000) {
		// A tag ends with its line, but lines may have been joined.
		fields := strings.Fields(string(text[m[2]:m[3]]))
		parsed := false
		for n := min(len(fields), 24); n > 0 && !parsed; n-- {
			declared := strings.TrimRight(strings.Join(fields[:n], " "), " -.")
			if strings.Count(declared, ")") > strings.Count(declared, "(") {
				declared = strings.TrimSuffix(declared, ")")
			}
			if e, err := spdx.Parse(declared); err == nil {
				parsed = true
				tags = append(tags, Match{Span: Span{m[0], m[3]}, License: e.String(), Kind: Tag, Confidence: 1})
			}
		}
		if !parsed && !inside(taken, Span{m[0], m[3]}) {
			wrong = fmt.Sprintf("the tag declares %q, which is no expression of known licences", strings.Join(fields, " "))
		}
	}
	return tags, wrong
}

// mayTag reports whether "SPDX-" stands in a text, or "spdx-". A hyphen is rarer than
// any of the letters.
func mayTag(text []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], '-')
		if n < 0 {
			return false
		}
		if i += n; i >= 4 && (string(text[i-4:i]) == "SPDX" || string(text[i-4:i]) == "spdx") {
			return true
		}
	}
}

// combine makes one expression of the matches.
func (d *Detector) combine(r *Result, offered bool) {
	type part struct {
		ids  []string // the likeliest first
		kind Kind
	}
	var parts []part
	add := func(m Match) {
		ids := m.Alternatives
		if len(ids) == 0 {
			ids = []string{m.License}
		}
		for i, p := range parts {
			both := slices.DeleteFunc(slices.Clone(p.ids), func(id string) bool { return !slices.Contains(ids, id) })
			if len(both) == 0 {
				continue
			}
			if m.Kind == Reference && len(ids) > 1 {
				return // a name without "only" or "or later" says no more than the text
			}
			// What both can mean: a notice says which of the ids of a text is meant.
			parts[i].ids = both
			return
		}
		parts = append(parts, part{slices.Clone(ids), m.Kind})
	}
	r.Confidence = 1
	for _, kind := range []Kind{Text, Header, Reference} {
		for _, m := range r.Matches {
			if m.Kind == kind {
				if _, is := exceptionOf(m); !is {
					add(m)
				}
				r.Confidence = min(r.Confidence, m.Confidence)
			}
		}
	}
	// The LGPL of version 3 is written on top of the GPL: both texts are one licence.
	has := func(id string) int {
		return slices.IndexFunc(parts, func(p part) bool { return p.kind == Text && slices.Contains(p.ids, id) })
	}
	if gpl := has("GPL-3.0-only"); gpl >= 0 && has("LGPL-3.0-only") >= 0 {
		parts = slices.Delete(parts, gpl, gpl+1)
	}
	var tags []string
	for _, m := range r.Matches {
		if m.Kind == Tag && !slices.Contains(tags, m.License) {
			tags = append(tags, m.License)
		}
	}
	if len(tags) > 0 {
		declared := tags[0]
		if len(tags) > 1 {
			declared = "(" + strings.Join(tags, ") AND (") + ")"
			if e, err := spdx.Parse(declared); err == nil {
				declared = e.String()
			}
		}
		for _, p := range parts {
			if !slices.ContainsFunc(p.ids, func(id string) bool { return names(declared, id) }) {
				r.Confidence, r.Note = 0, fmt.Sprintf("the tag declares %s, the text is %s", declared, p.ids[0])
				return
			}
		}
		r.Expression, r.Note = declared, "declared by a tag"
		if len(parts) > 0 {
			r.Note = "declared by a tag, as the text says"
		}
		return
	}
	var why string
	licences := make([][]string, len(parts))
	for i, p := range parts {
		licences[i] = p.ids
	}
	if licences, why = d.withExceptions(licences, r.Matches); why != "" {
		r.Confidence, r.Note = 0, why
		return
	}
	all := []string{""}
	op := " AND "
	if offered {
		op = " OR "
	}
	for i, ids := range licences {
		var next []string
		for _, prefix := range all {
			for _, id := range ids {
				if i > 0 {
					id = prefix + op + id
				}
				if len(next) < 64 {
					next = append(next, id)
				}
			}
		}
		all = next
	}
	r.Expression = all[0]
	if len(all) > 1 {
		r.Alternatives = all
		r.Note = "the words are the same for each of the alternatives"
	}
}

// names reports whether an expression names an id.
func names(expr, id string) bool {
	return slices.Contains(strings.FieldsFunc(expr, func(r rune) bool { return r == ' ' || r == '(' || r == ')' }), id)
}

// exceptionOf is the exception that a match found, if it did. The list has some
// under deprecated ids that name a licence too, such as
// GPL-2.0-with-classpath-exception.
func exceptionOf(m Match) (id string, is bool) {
	if m.Kind == Exception {
		return m.License, true
	}
	if !strings.Contains(m.License, "-with-") {
		return "", false
	}
	for _, s := range spdx.Successors(m.License) {
		if x, err := spdx.Parse(s); err == nil && x.Exception != "" {
			return x.Exception, true
		}
	}
	return "", false
}

// besides reports whether an exception is one from the terms of a licence.
func besides(exception, licence string) bool {
	family, _, _ := strings.Cut(licence, "-")
	switch exception {
	case "LLVM-exception", "Swift-exception":
		return licence == "Apache-2.0"
	}
	return family == "GPL" || family == "LGPL" || family == "AGPL"
}

// listed is the id under which the list has the text of an exception; "" for none.
func (d *Detector) listed(m Match) string {
	exception, _ := exceptionOf(m)
	for _, t := range d.templates {
		if id, is := exceptionOf(Match{License: t.ids[0], Kind: t.kind}); is && t.kind == Text && id == exception {
			return t.ids[0]
		}
	}
	return ""
}

// withExceptions puts the exceptions behind the licences that they are from, each
// of which may be one of several ids. It says why where that cannot be told. An
// exception of which the list has an id with its licence may stand alone.
func (d *Detector) withExceptions(licences [][]string, matches []Match) (with [][]string, why string) {
	given := map[int]string{}
	for _, m := range matches {
		exception, is := exceptionOf(m)
		if !is {
			continue
		}
		at := -1
		for i, ids := range licences {
			if besides(exception, ids[0]) {
				if at >= 0 {
					return nil, fmt.Sprintf("the text has %s, and several licences that it may belong to", exception)
				}
				at = i
			}
		}
		switch {
		case at < 0 && len(licences) == 0:
			if id := d.listed(m); id != "" {
				return [][]string{{id}}, ""
			}
			return nil, fmt.Sprintf("the text is %s, without a licence that it belongs to", exception)
		case at < 0:
			return nil, fmt.Sprintf("the text has %s, and no licence that it belongs to", exception)
		case given[at] != "" && given[at] != exception:
			return nil, fmt.Sprintf("the text has both %s and %s", given[at], exception)
		}
		given[at] = exception
	}
	with = slices.Clone(licences)
	for i, ids := range licences {
		if given[i] == "" {
			continue
		}
		with[i] = nil
		for _, id := range ids {
			if x, err := spdx.Parse(id + " WITH " + given[i]); err == nil {
				with[i] = append(with[i], x.String())
			}
		}
	}
	return with, ""
}
