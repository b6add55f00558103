package match

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// A verdict is how well a part of a text is a copy of a template.
type verdict struct {
	template int
	doc      span    // words of the text, from the first match to the last
	matched  int     // words of the template that stand there
	needed   int     // words of the template that must
	cost     float64 // what the differences weigh, in words
	bad      []span  // words of the text that make it another licence
	lost     bool    // words are missing that make it another licence
}

// accepted reports whether the differences are of the kind that leaves a licence
// what it is.
func (v verdict) accepted() bool {
	return len(v.bad) == 0 && !v.lost && v.cost <= max(1.5, min(0.03*float64(v.needed), 40))
}

func (v verdict) confidence() float64 {
	return max(0, 1-v.cost/float64(max(v.needed, 1)))
}

// The words that change what a licence allows, wherever they are added or taken
// away. They stand for all words that begin with them where they end in "*".
const heavyWords = `not no nor never none non neither without unless except only must shall may cannot cant dont
prohibit* forbid* forbidden restrict* exclu* disallow* permit* permission* allow* grant* deny denied
commercial* noncommercial nonprofit profit* fee fees charge* royalt* paid pay payment* purchas* sell sold sale
military weapon* nuclear evil harm* ethic* surveillance government* law* illegal
require* condition* obligat* oblig* agree* terminat* revo* expire* consent* warrant* liab* indemnif*
academic education* evaluation research* personal internal private individual* military trial
advertis* acknowledg* endors* promot* attribution patent* trademark* sublicens* notice* disclos*
must* should mustnt maynt provided subject limit* exempt* waive* unmodified modified`

var heavy = newLexicon(heavyWords)

// A lexicon is a set of words and of beginnings of words.
type lexicon struct {
	whole map[string]bool
	stems [256][]string // by their first byte
	// Most words are in no lexicon, which can be told without looking for them: the
	// lengths of whole words, and the second bytes of stems, by their first byte, as
	// bits modulo 64.
	lengths [256]uint64
	seconds [256]uint64
}

func newLexicon(words string) *lexicon {
	l := &lexicon{whole: map[string]bool{}}
	for _, w := range strings.Fields(words) {
		if stem, ok := strings.CutSuffix(w, "*"); ok {
			l.stems[stem[0]] = append(l.stems[stem[0]], stem)
			l.seconds[stem[0]] |= 1 << (stem[1] % 64) // no stem is one letter
		} else {
			l.whole[w] = true
			l.lengths[w[0]] |= 1 << (len(w) % 64)
		}
	}
	return l
}

func (l *lexicon) has(w string) bool { return among(l, w) }

func among[T string | []byte](l *lexicon, w T) bool {
	if len(w) == 0 {
		return false
	}
	first := w[0]
	if len(w) > 1 && l.seconds[first]>>(w[1]%64)&1 != 0 {
		for _, s := range l.stems[first] {
			if len(w) >= len(s) && string(w[:len(s)]) == s {
				return true
			}
		}
	}
	return l.lengths[first]>>(len(w)%64)&1 != 0 && l.whole[string(w)]
}

// Words of one group stand for each other without changing a licence much, as
// long as no template says it better.
var groups = func() map[string]int {
	m := map[string]int{}
	for i, line := range strings.Split(`software program programs library package module code product file files script work source tool application project
holder holders owner owners author authors contributor contributors licensor licensors developer developers maintainer maintainers copyright
shall will must
may can
its their his her the a an any this these such
and or andor
merchantability mercantability merchantibility
copies copy
notice notices
condition conditions
disclaimer disclaimers
right rights
warranty warranties
damage damages`, "\n") {
		for w := range strings.FieldsSeq(line) {
			m[w] = i + 1
		}
	}
	return m
}()

// The words that may come and go at little cost.
var light = newLexicon(`a an the of in on to by and or its their his this that these those such is are be as at for from with it also which all any other
license version text file full following above below hereby herein s`)

// A slot is where a licence names somebody, with the words before and behind. The
// list has the name of the first user there; everybody else puts in another. Either
// may be nil.
type slot struct{ before, behind *regexp.Regexp }

func newSlot(before, behind string) slot {
	var s slot
	if before != "" {
		s.before = regexp.MustCompile(`(?:^| )(?:` + before + `)$`)
	}
	if behind != "" {
		s.behind = regexp.MustCompile(`^(?:` + behind + `)(?: |$)`)
	}
	return s
}

var slots = []slot{
	newSlot(`(?:the )?names?(?: of)?(?: the)?(?: and)?`, ``),
	newSlot(`(?:neither|nor|or|that) (?:the )?names? .{0,80}`, ``),
	newSlot(``, `(?:n?or|and) (?:the )?names? of`),
	newSlot(`provided(?: as is)? by(?: the)?`, ``),
	newSlot(``, `(?:and (?:its |their |his |the )?contributors )?as is`),
	newSlot(`event (?:shall|will|may)(?: the)?`, ``),
	newSlot(``, `(?:or (?:its |any |the )?contributors )?be (?:held )?liable`),
	newSlot(``, `(?:specifically |hereby |expressly )?disclaims?`),
	newSlot(``, `makes? no (?:representations?|warrant)`),
	newSlot(`(?:developed|created|written|contributed|provided|published|made|distributed) (?:in part )?(?:by|at)(?: the)?`, ``),
	newSlot(`(?:be called|nor may|contact|acknowledge|information (?:on|about)|visit|permission (?:of|from)|permission please contact|trademarks? of|property of|copyright by|behalf of)(?: the)?`, ``),
	newSlot(``, `may be used to (?:endorse|promote)`),
	newSlot(``, `(?:has|have) been advised`),
	newSlot(``, `(?:n?or|appear) (?:may )?(?:appear )?in their name`),
	newSlot(`(?:laws?|courts?) of(?: the)?(?: state of)?`, ``),
}

const (
	maxName    = 24  // words in a name that fills a slot
	maxRephras = 5   // words that may be put in other words at once
	maxAdded   = 600 // words that are looked at for copyright lines among them
)

// judge weighs the differences between a template and a text.
func (d *Detector) judge(m *memory, ti int, text []byte, doc []word, where span, edits []edit) verdict {
	t := &d.templates[ti]
	v := verdict{template: ti, doc: where, needed: len(t.words)}
	for _, o := range t.optional {
		v.needed -= o.to - o.from
	}
	v.needed = max(v.needed, len(t.words)/10, 1)
	v.matched = len(t.words)
	for _, e := range edits {
		v.matched -= e.t.to - e.t.from
	}
	for _, e := range edits {
		d.weigh(m, &v, t, text, doc, e)
		if v.cost > 8+0.05*float64(v.needed) {
			v.lost = true // far from it, whatever follows
			break
		}
	}
	return v
}

// kinds are what is asked of a word most often, as bits.
type kinds uint8

const (
	isHeavy kinds = 1 << iota
	isClaim       // in no copyright notice
	isPlace
	isMarker // may mark an item of a list
)

func kindsOf(w string) kinds {
	var k kinds
	if heavy.has(w) {
		k |= isHeavy
	}
	if claimWords.has(w) && w != "license" {
		k |= isClaim
	}
	if places.has(w) {
		k |= isPlace
	}
	if isListMarker(w) {
		k |= isMarker
	}
	return k
}

// lacks reports whether words of a template are missing, with none in their place,
// without which it is another licence. That is so of most templates that are tried,
// and told sooner than all their differences are weighed.
func (d *Detector) lacks(t *template, edits []edit) bool {
	for _, e := range edits {
		if e.d.from < e.d.to || e.t.to-e.t.from < 3 {
			continue
		}
		any, all := kinds(0), ^kinds(0)
		for i := e.t.from; i < e.t.to; i++ {
			if k := d.kinds[t.words[i]]; k|any == any && k&all == all {
				continue
			}
			at := span{i, i + 1}
			if !within(t.fill, at) && !within(t.optional, at) {
				any, all = any|d.kinds[t.words[i]], all&d.kinds[t.words[i]]
			}
		}
		if any&isHeavy != 0 && any&isClaim != 0 && all&(isPlace|isMarker) == 0 {
			return true
		}
	}
	return false
}

func overlap(a, b span) int { return max(0, min(a.to, b.to)-max(a.from, b.from)) }

// weigh adds one difference to the verdict.
func (d *Detector) weigh(m *memory, v *verdict, t *template, text []byte, doc []word, e edit) {
	var gone []string // what the template says and the text does not
	fills := false
	for _, f := range t.fill {
		if overlap(f, e.t) > 0 || f.from == e.t.to || f.to == e.t.from {
			fills = true
		}
	}
	optional := 0
	for i := e.t.from; i < e.t.to; i++ {
		at := span{i, i + 1}
		if within(t.fill, at) {
			continue
		}
		if within(t.optional, at) {
			optional++
			continue
		}
		gone = append(gone, d.names[t.words[i]])
	}
	v.cost += min(0.0005*float64(optional), 0.008)
	if e.d.to-e.d.from > maxAdded {
		v.cost += float64(e.d.to - e.d.from)
		v.fail(e.d, true)
		return
	}
	came, at := d.added(text, doc, e.d)
	if len(gone) == 0 && len(came) == 0 {
		return
	}
	if strings.Join(gone, "") == strings.Join(came, "") {
		v.cost += 0.01
		return
	}
	if len(came) > 0 && limitsAbroad(text[doc[at.from].start:doc[at.to-1].end]) {
		v.cost++
		v.fail(at, true)
		return
	}
	if ownerWords(gone) {
		gone = nil
	}
	came = withoutReserved(came)
	if len(gone) == 0 && len(came) == 0 {
		v.cost += 0.01
		return
	}
	if len(gone) == 0 && len(came) <= 40 && inMiddle(t.optional, e.t) && !isClause(strings.Join(came, " "), came) {
		v.cost += 0.3
		return
	}
	if len(came) > 0 && len(came) <= 40 && !hasNumberAfterVersion(gone) && ownerRun(text[doc[at.from].start:doc[at.to-1].end]) {
		// A copyright notice in the middle of a line.
		came = nil
		if len(gone) == 0 {
			return
		}
	}
	// A number or a letter at the start of a line counts as a list marker, though it
	// may be the end of "section 7." where the line happens to break.
	if slices.Equal(unmarked(gone), unmarked(came)) && (!d.afterVersion(t, e.t.from) || len(gone) == 0 && separated(text, doc, at.from)) {
		v.cost += 0.2
		return
	}
	if len(gone) == 0 && len(came) <= 10 && hasWebAddress(text[doc[at.from].start:doc[at.to-1].end]) && !saysMore(text[doc[at.from].start:doc[at.to-1].end]) {
		v.cost += 0.2
		return
	}
	heavyGone, heavyCame := heavyOf(gone), heavyOf(came)
	changes := heavyGone != heavyCame
	// A name may have a word of rights in it, such as that of the Free Software
	// Foundation; what stands where no name stood may have none.
	claimed := 0
	for _, w := range came {
		if rights.has(w) {
			claimed++
		}
	}
	named := len(came) <= maxName && len(gone) <= maxName && heavyCame == "" && heavyGone == "" && (claimed == 0 || claimed == 1 && len(gone) > 0)
	named = named && !slices.ContainsFunc(came, func(w string) bool { return strong.has(w) || strings.HasPrefix(w, "clause") })
	if named && (fills || d.inSlot(m, v.template, e) || len(gone) == 0 && d.permissionOf(t, e, came)) {
		v.cost += 0.05
		return
	}
	if len(gone) == len(came) {
		alike := 0.0
		for i := range gone {
			alike += difference(gone[i], came[i])
		}
		if alike < float64(len(gone)) && alike <= 3 {
			v.cost += alike
			if alike >= 1 && (changes || numbersDiffer(gone, came) || !d.besideNotice(text, doc, at, came) && d.otherWords(t, e, gone, came)) {
				v.fail(at, len(came) > 0)
			}
			return
		}
	}
	if address(gone) && address(came) {
		v.cost += 0.3
		return
	}
	cost := 0.0
	for _, words := range [][]string{gone, came} {
		sum := 0.0
		for _, w := range words {
			if light.has(w) {
				sum += 0.3
			} else {
				sum++
			}
		}
		cost = max(cost, sum)
	}
	v.cost += cost
	if changes || numbersDiffer(gone, came) || len(gone) > maxRephras || len(came) > maxRephras || !d.besideNotice(text, doc, at, came) && d.otherWords(t, e, gone, came) {
		v.fail(at, len(came) > 0)
	}
}

// otherWords reports whether what came says something that what is gone did not:
// a word that is neither light nor of a kind with one that is gone, nor the same
// but for a letter or two, nor of the licence's title. What is gone with its "with"
// is another thing as well.
func (d *Detector) otherWords(t *template, e edit, gone, came []string) bool {
	titled := e.t.from == 0 || slices.ContainsFunc(t.optional, func(o span) bool { return o.from <= e.t.to && e.t.from <= o.to })
	for _, w := range came {
		known := light.has(w) || noticeWords.has(w) || titled && titleWords.has(w) || len(unmarked([]string{w})) == 0 ||
			len(w) > 3 && strings.Contains(strings.ToLower(t.ids[0]), w) ||
			slices.ContainsFunc(gone, func(g string) bool { return difference(g, w) < 1 })
		if !known {
			return true
		}
	}
	return slices.Contains(gone, "with") && !slices.Contains(came, "with")
}

// noticeWords are what copyright notices are made of, when a line break takes them
// apart.
var noticeWords = newLexicon("all rights reserved copyright copyrights portions created c â")

// besideNotice reports whether words of a text go on with a copyright notice that
// stands on the line before, or are a heading of a word or two.
func (d *Detector) besideNotice(text []byte, doc []word, at span, came []string) bool {
	if at.from >= at.to {
		return false
	}
	var before, behind []byte
	if at.from > 0 {
		before = text[doc[at.from-1].end:doc[at.from].start]
	} else {
		before = text[:doc[at.from].start]
	}
	if at.to < len(doc) {
		behind = text[doc[at.to-1].end:doc[at.to].start]
	}
	for line := range bytes.Lines(before) {
		if isOwnerLine(undecorated(line)) {
			return true
		}
	}
	return len(came) <= 2 && breaks(before) && breaks(behind) &&
		!slices.ContainsFunc(came, func(w string) bool { return strong.has(w) || strings.HasPrefix(w, "clause") })
}

// permissionOf reports whether words name whose written permission is asked for.
func (d *Detector) permissionOf(t *template, e edit, came []string) bool {
	return came[0] == "of" && e.t.from >= 2 && d.names[t.words[e.t.from-1]] == "permission" && d.names[t.words[e.t.from-2]] == "written"
}

var (
	webAddress = regexp.MustCompile(`https?://|www\.|\w\.(?:org|com|net)\b`)
	version    = newLexicon("version v ver license licence gpl lgpl agpl by sa nc nd cc public")
)

func hasWebAddress(part []byte) bool {
	for _, sign := range [...]string{"http", "www.", ".org", ".com", ".net"} {
		if bytes.Contains(part, []byte(sign)) {
			return webAddress.Match(part)
		}
	}
	return false
}

// unmarked leaves out the words that could be list markers.
func unmarked(words []string) []string {
	var out []string
	for _, w := range words {
		if !isListMarker(w) {
			out = append(out, w)
		}
	}
	return out
}

// isListMarker reports whether a word could mark an item of a list.
func isListMarker(w string) bool {
	if len(w) > 4 {
		return false
	}
	return len(w) == 1 || len(w) <= 2 && strings.Trim(w, "0123456789") == "" || strings.Trim(w, "ivx") == ""
}

// separated reports whether a sentence or a line ends before a word of the text.
func separated(text []byte, doc []word, i int) bool {
	return i > 0 && i < len(doc) && bytes.ContainsAny(text[doc[i-1].end:doc[i].start], ".;:\n")
}

// inMiddle reports whether an edit lies inside one of the spans.
func inMiddle(spans []span, s span) bool {
	for _, o := range spans {
		if o.from < s.from && s.to < o.to {
			return true
		}
	}
	return false
}

// ownerWords reports whether words of a template are a copyright notice, which a
// text may lack.
func ownerWords(words []string) bool {
	owner, year := false, false
	for _, w := range words {
		owner = owner || w == "copyright"
		year = year || len(w) == 4 && (strings.HasPrefix(w, "19") || strings.HasPrefix(w, "20"))
		if claimWords.has(w) && w != "license" {
			return false
		}
	}
	return owner && year
}

// withoutReserved leaves out "all rights reserved", which changes nothing.
func withoutReserved(words []string) []string {
	for i := 0; i+2 < len(words); i++ {
		if words[i] == "all" && words[i+1] == "rights" && words[i+2] == "reserved" {
			return slices.Concat(words[:i], withoutReserved(words[i+3:]))
		}
	}
	return words
}

var ownerStart = regexp.MustCompile(`(?i)^(?:[^\s]+\s+){0,6}?[“"']?(?:copyright|copr\.?|©|\(c\)|&copy;)`)

// ownerRun reports whether a run of words is a copyright notice that does not
// stand at the start of a line.
func ownerRun(run []byte) bool {
	return (bytes.ContainsAny(run, "©0123456789[<") || bytes.Contains(run, []byte("(c)")) || bytes.Contains(run, []byte("(C)"))) && ownerStart.Match(run) && !claims(run) && !saysMore(reserved.ReplaceAll(run, nil))
}

func hasNumberAfterVersion(words []string) bool {
	for i, w := range words {
		if i > 0 && version.has(words[i-1]) && w[0] >= '0' && w[0] <= '9' {
			return true
		}
	}
	return false
}

// afterVersion reports whether the words before a place of the template make a
// number there the version of a licence.
func (d *Detector) afterVersion(t *template, at int) bool {
	for i := max(0, at-2); i < at; i++ {
		if version.has(d.names[t.words[i]]) {
			return true
		}
	}
	return false
}

func (v *verdict) fail(at span, added bool) {
	if added {
		v.bad = append(v.bad, at)
	} else {
		v.lost = true
	}
	v.cost++
}

func within(spans []span, s span) bool {
	for _, o := range spans {
		if o.from <= s.from && s.to <= o.to {
			return true
		}
	}
	return false
}

// added lists the words of the text in a span that say something: copyright lines
// and the like, which may stand anywhere, are left out. It also narrows the span.
func (d *Detector) added(text []byte, doc []word, s span) ([]string, span) {
	if s.from == s.to {
		return nil, s
	}
	idle := idleLines(text, int(doc[s.from].start), int(doc[s.to-1].end))
	var out []string
	at := span{s.to, s.from}
	for i := s.from; i < s.to; i++ {
		w := doc[i]
		skip := false
		for _, l := range idle {
			if int(w.start) >= l.Start && int(w.end) <= l.End {
				skip = true
				break
			}
		}
		if skip {
			continue
		}
		out = append(out, d.name(text, w))
		at = span{min(at.from, i), max(at.to, i+1)}
	}
	return out, at
}

// name is a word of the text in its plain spelling.
func (d *Detector) name(text []byte, w word) string {
	if w.id != 0 {
		return d.names[w.id]
	}
	plain := strings.ToLower(string(text[w.start:w.end]))
	if strings.ContainsAny(plain, "-'’`") { // "non-profits" is as one word as "nonprofits"
		plain = strings.NewReplacer("-", "", "'", "", "’", "", "`", "").Replace(plain)
	}
	return plain
}

func heavyOf(words []string) string {
	var out []string
	for _, w := range words {
		if heavy.has(w) {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

// inSlot reports whether a template names somebody in the place of an edit.
func (d *Detector) inSlot(m *memory, ti int, e edit) bool {
	return d.slotsAt(m, ti, e.t.from, true)&d.slotsAt(m, ti, e.t.to, false) != 0
}

// maxPlaces is how many places of templates a memory keeps the slots of.
const maxPlaces = 1 << 14

// slotsAt says which slots the words of a template before or behind a place are
// of, one bit for each. Texts differ from templates in the same few places.
func (d *Detector) slotsAt(m *memory, ti, place int, before bool) uint32 {
	key := slotKey{int32(ti), int32(place), before}
	if bits, ok := m.slots[key]; ok {
		return bits
	}
	words := d.templates[ti].words
	var said string
	if before {
		said = d.say(words[max(0, place-8):place])
	} else {
		said = d.say(words[place:min(len(words), place+8)])
	}
	bits := uint32(0)
	for i, s := range slots {
		re := s.behind
		if before {
			re = s.before
		}
		if re == nil || re.MatchString(said) {
			bits |= 1 << i
		}
	}
	if m.slots == nil || len(m.slots) == maxPlaces {
		m.slots = map[slotKey]uint32{}
	}
	m.slots[key] = bits
	return bits
}

type slotKey struct {
	template, place int32
	before          bool
}

func (d *Detector) say(ids []uint16) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(d.names[id])
	}
	return b.String()
}

// difference is how far a word is from another that stands in its place: 0 for
// the same, 1 for another word.
func difference(a, b string) float64 {
	switch {
	case a == b:
		return 0
	case groups[a] != 0 && groups[a] == groups[b]:
		return 0.3
	case heavy.has(a) != heavy.has(b):
		return 1
	case typo(a, b):
		return 0.3
	}
	return 1
}

// typo reports whether two longer words differ by a letter or two.
func typo(a, b string) bool {
	if len(a) < 5 || len(b) < 5 || a[0] != b[0] && a[1] != b[1] && a[1:] != b && b[1:] != a || strings.ContainsAny(a+b, "0123456789") {
		return false
	}
	allowed := 1
	if len(a) > 8 {
		allowed = 2
	}
	// What is left when the common start and end are taken away.
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= allowed && len(b) <= allowed
}

// numbersDiffer reports whether the numbers in two runs of words are others: the
// version of a licence is a number.
func numbersDiffer(a, b []string) bool {
	return numbers(a) != numbers(b)
}

func numbers(words []string) string {
	var out []string
	for _, w := range words {
		if w[0] >= '0' && w[0] <= '9' && len(w) < 4 { // a year is no version
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

var places = newLexicon(`inc 51 59 675 franklin temple mass ave street st fifth floor suite 330 place boston cambridge ma usa 02110 1301 02111 1307 02139 020 1335 steet
http www org com net fsf gnu licenses license html htm txt php opensource old mit bsd apache creativecommons legalcode by sa nc nd zero 1 0 2 3 4 mozilla mpl spdx index co uk io github scripts sil ofl 31 february 150 5th fl`)

// address reports whether the words are of an address in the street or the web.
func address(words []string) bool {
	for _, w := range words {
		if !places.has(w) {
			return false
		}
	}
	return true
}
