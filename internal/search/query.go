package search

import (
	"fmt"
	"math/bits"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/typo"
)

// The bounds of a query.
const (
	MaxText    = 400 // characters of q
	MaxTerms   = 24  // words of q
	MaxValues  = 50  // values of one filter
	MaxPerPage = 100
	MaxPage    = 10_000
	perPage    = 20 // where the query does not say

	maxFacets      = 24  // so that a set of them is a word
	maxFacetValues = 100 // shown of one facet
	maxExpansions  = 64  // words that the last one may begin, and words that may have been meant
	taken          = 3   // a word in as many entries is taken as it is spelt
)

// own are the parameters that are no facet.
var own = []string{"q", "page", "per_page"}

// A Query is what to look for. Its zero value finds every entry.
type Query struct {
	Text    string
	Filters map[string][]string // values by facet: an entry has one or more of each facet's
	Page    int                 // from 1; 0 is 1
	PerPage int                 // 0 is 20
}

// A BadQuery says what is wrong with a query and what would be right.
type BadQuery struct {
	Parameter string // "" where it is none's
	Detail    string
}

func (e *BadQuery) Error() string { return e.Detail }

func bad(parameter, format string, args ...any) error {
	return &BadQuery{parameter, fmt.Sprintf(format, args...)}
}

// quote shows what somebody sent, in Go's notation and not in full.
func quote(s string) string { return strconv.Quote(cut(strings.ToValidUTF8(s, "?"), 60)) }

// Parse reads a query from the parameters of an address. The error is a BadQuery.
func (ix *Index) Parse(params url.Values) (Query, error) {
	q := Query{Filters: map[string][]string{}}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names) // of several mistakes the same one is told every time
	for _, name := range names {
		values := params[name]
		f := ix.facet(name)
		switch {
		case f >= 0:
			if err := ix.filter(&q, f, values); err != nil {
				return q, err
			}
		case !slices.Contains(own, name):
			return q, bad("", "there is no parameter %s; there are %s", quote(name), strings.Join(ix.Parameters(), ", "))
		case len(values) > 1:
			return q, bad(name, "%s is given %d times; it has one value", name, len(values))
		case name == "q":
			if err := text(values[0]); err != nil {
				return q, err
			}
			q.Text = values[0]
		default:
			most := MaxPage
			at := &q.Page
			if name == "per_page" {
				most, at = MaxPerPage, &q.PerPage
			}
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 || n > most {
				return q, bad(name, "%s is %s; it is a number from 1 to %d", name, quote(values[0]), most)
			}
			*at = n
		}
	}
	return q, nil
}

func text(s string) error {
	if !utf8.ValidString(s) {
		return bad("q", "q is not UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > MaxText {
		return bad("q", "q has %d characters; it may have %d", n, MaxText)
	}
	if n := len(words(s)); n > MaxTerms {
		return bad("q", "q has %d words; it may have %d", n, MaxTerms)
	}
	return nil
}

func (ix *Index) filter(q *Query, f int, values []string) error {
	name := ix.facets[f].name
	if len(values) > MaxValues {
		return bad(name, "%s is given %d times; it may be %d times", name, len(values), MaxValues)
	}
	for _, v := range values {
		var id string
		if n := ix.facets[f].fold[strings.ToLower(cut(v, 200))]; n != 0 {
			id = ix.values[n-1].id
		} else if known, ok := canonical(name, v); ok {
			id = known
		} else {
			return bad(name, "%s is %s; %s", name, quote(v), ix.valid(f))
		}
		if !slices.Contains(q.Filters[name], id) {
			q.Filters[name] = append(q.Filters[name], id)
		}
	}
	return nil
}

// valid names the values of a facet.
func (ix *Index) valid(f int) string {
	var ids []string
	for id := range ix.facets[f].values {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "no entry here has one"
	}
	sort.Slice(ids, func(i, j int) bool {
		a, errA := strconv.Atoi(ids[i])
		b, errB := strconv.Atoi(ids[j])
		if errA == nil && errB == nil {
			return a < b
		}
		return ids[i] < ids[j]
	})
	const most = 60
	more := ""
	if len(ids) > most {
		ids, more = ids[:most], fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return "here it is one of " + strings.Join(ids, ", ") + more
}

func (ix *Index) facet(name string) int {
	return slices.IndexFunc(ix.facets, func(f *facet) bool { return f.name == name })
}

// Parameters lists what a query may say.
func (ix *Index) Parameters() []string {
	out := slices.Clone(own)
	for _, f := range ix.facets {
		out = append(out, f.name)
	}
	return out
}

// A Result is a page of what was found, as it is answered.
type Result struct {
	catalog.Envelope
	Query     Asked   `json:"query"`
	Total     int     `json:"total"`
	Page      int     `json:"page"`
	PerPage   int     `json:"per_page"`
	PageCount int     `json:"page_count"`
	Partial   bool    `json:"partial"` // no entry has all the words, so those with most of them are here
	Words     []Word  `json:"words"`
	Items     []Item  `json:"items"` // the best first; equals by kind and id
	Facets    []Facet `json:"facets"`
}

// Asked is the query as it was understood.
type Asked struct {
	Text    string              `json:"q"`
	Filters map[string][]string `json:"filters"`
}

// A Word is a word of the query with those that it stood for.
type Word struct {
	Word  string   `json:"word"`
	Forms []string `json:"forms"` // in the order of their alphabet; itself among them where an entry has it
}

// An Item is one entry that was found.
type Item struct {
	ID      string  `json:"id"`
	Kind    string  `json:"kind"`
	Path    string  `json:"path"` // relative to api/v1/
	Name    *string `json:"name"`
	Snippet *string `json:"snippet"` // plain text
	Score   float64 `json:"score"`   // for this query only
}

// A Facet counts, for each value of a property, the entries that a filter for that
// value would leave: its own filter set aside, all others in force.
type Facet struct {
	Facet      string  `json:"facet"`
	ValueCount int     `json:"value_count"` // also those that are not shown
	Values     []Value `json:"values"`      // the most frequent first
}

// A Value is one value of a facet.
type Value struct {
	ID       string  `json:"id"`
	Name     *string `json:"name"`
	Count    int     `json:"count"`
	Selected bool    `json:"selected"`
}

// scratch is the memory of one search. All of it is zero between searches.
type scratch struct {
	score   []float32
	has     []uint32 // which words of the query an entry has
	touched []uint32
	word    []float32 // best score for one word of several forms
	seen    []uint32
	counts  []uint32
	chosen  []bool
}

type form struct {
	term   uint32
	weight float32
}

type hit struct {
	score float32
	doc   uint32
}

// before orders hits: the better first, of equals the one that comes first in the
// catalog.
func (h hit) before(o hit) bool {
	return h.score > o.score || h.score == o.score && h.doc < o.doc
}

// Search gives a page of the entries that a query finds, ranked by BM25 over
// weighted fields, with counts for every facet. A word that hardly any entry has
// also stands for those that differ by a letter (two in long words), and the last
// one, where nothing follows it, for words that begin with it.
func (ix *Index) Search(q Query) Result {
	q.Page, q.PerPage = max(1, q.Page), min(max(q.PerPage, 0), MaxPerPage)
	if q.PerPage == 0 {
		q.PerPage = perPage
	}
	s, _ := ix.scratch.Get().(*scratch)
	if s == nil {
		n := len(ix.docs)
		s = &scratch{score: make([]float32, n), has: make([]uint32, n), word: make([]float32, n),
			counts: make([]uint32, len(ix.values)), chosen: make([]bool, len(ix.values))}
	}
	defer ix.scratch.Put(s)
	out := Result{Envelope: ix.envelope, Query: Asked{q.Text, q.Filters}, Page: q.Page, PerPage: q.PerPage,
		Words: []Word{}, Items: []Item{}, Facets: []Facet{}}
	if out.Query.Filters == nil {
		out.Query.Filters = map[string][]string{}
	}
	all := words(q.Text)
	last := len(all) - 1
	open := last >= 0 && !strings.HasSuffix(strings.TrimRight(q.Text, ".,;:!?"), " ")
	matched := map[string]bool{}
	for i, w := range all {
		if i >= MaxTerms {
			break
		}
		if slices.Contains(all[:i], w) && !(i == last && open) {
			continue
		}
		forms := ix.forms(w, i == last && open)
		word := Word{Word: w, Forms: []string{}}
		for _, f := range forms {
			word.Forms = append(word.Forms, ix.terms[f.term])
			matched[ix.terms[f.term]] = true
		}
		slices.Sort(word.Forms)
		ix.rank(s, len(out.Words), forms)
		out.Words = append(out.Words, word)
	}
	hits := ix.choose(s, q, &out)
	from := min((q.Page-1)*q.PerPage, len(hits))
	for _, h := range hits[from:min(from+q.PerPage, len(hits))] {
		d := &ix.docs[h.doc]
		out.Items = append(out.Items, Item{d.id, d.kind, d.path, known(d.name), known(snippet(d.text, matched)), float64(int(h.score*1000+0.5)) / 1000})
	}
	out.PageCount = (out.Total + q.PerPage - 1) / q.PerPage
	ix.count(s, q, &out)
	for _, d := range s.touched {
		s.score[d], s.has[d] = 0, 0
	}
	s.touched = s.touched[:0]
	return out
}

// forms gives the words of the index that a word of a query stands for, at most
// maxExpansions beside itself.
func (ix *Index) forms(word string, open bool) []form {
	var out []form
	at, here := slices.BinarySearch(ix.terms, word)
	if here {
		out = append(out, form{uint32(at), 1})
	}
	if open {
		var begun []form
		for i := at; i < len(ix.terms) && strings.HasPrefix(ix.terms[i], word); i++ {
			if ix.terms[i] != word {
				begun = append(begun, form{uint32(i), prefixWeight})
			}
		}
		out = append(out, ix.frequent(begun)...)
	}
	if limit := edits(word); limit > 0 && (!here || len(ix.lists[at]) < taken) && len(out) <= 1 {
		out = append(out, ix.frequent(ix.near(word, limit))...)
	}
	return out
}

// frequent keeps the forms that count most and then those in most entries.
func (ix *Index) frequent(forms []form) []form {
	if len(forms) <= maxExpansions {
		return forms
	}
	slices.SortFunc(forms, func(x, y form) int {
		if x.weight != y.weight {
			if x.weight > y.weight {
				return -1
			}
			return 1
		}
		if d := len(ix.lists[y.term]) - len(ix.lists[x.term]); d != 0 {
			return d
		}
		return int(x.term) - int(y.term)
	})
	return forms[:maxExpansions]
}

// near finds the words at most limit edits away.
func (ix *Index) near(word string, limit int) []form {
	letterSet, runes := letters(word), []rune(word)
	var out []form
	for l := max(1, len(runes)-limit); l <= min(maxWord, len(runes)+limit); l++ {
		for _, t := range ix.byLength[l] {
			if bits.OnesCount32(ix.masks[t]^letterSet) > 2*limit || ix.terms[t] == word {
				continue
			}
			switch typo.Distance(runes, []rune(ix.terms[t]), limit) {
			case 1:
				out = append(out, form{t, oneEditWeight})
			case 2:
				if limit >= 2 {
					out = append(out, form{t, twoEditsWeight})
				}
			}
		}
	}
	return out
}

// rank adds to every entry's score what one word of the query, the i-th, is worth
// there. Of several forms the best counts.
func (ix *Index) rank(s *scratch, i int, forms []form) {
	bit := uint32(1) << i
	touch := func(doc uint32, score float32) {
		if s.has[doc] == 0 {
			s.touched = append(s.touched, doc)
		}
		s.has[doc] |= bit
		s.score[doc] += score
	}
	if len(forms) == 1 {
		weight := forms[0].weight * ix.idf[forms[0].term]
		for _, p := range ix.lists[forms[0].term] {
			touch(p.doc, weight*p.impact)
		}
		return
	}
	for _, f := range forms {
		weight := f.weight * ix.idf[f.term]
		for _, p := range ix.lists[f.term] {
			if s.word[p.doc] == 0 {
				s.seen = append(s.seen, p.doc)
			}
			s.word[p.doc] = max(s.word[p.doc], weight*p.impact)
		}
	}
	for _, d := range s.seen {
		touch(d, s.word[d])
		s.word[d] = 0
	}
	s.seen = s.seen[:0]
}

// choose goes once over the entries that have the words: it counts facets and
// keeps the best up to the page that is asked for, in order.
func (ix *Index) choose(s *scratch, q Query, out *Result) []hit {
	var filters uint32
	for f, facet := range ix.facets {
		for _, id := range q.Filters[facet.name] {
			filters |= 1 << f // a value that no entry has leaves none
			if v, ok := facet.values[id]; ok {
				s.chosen[v] = true
			}
		}
	}
	best := make(top, 0, 64)
	most := q.Page * q.PerPage
	consider := func(d uint32) {
		values := ix.has[ix.begins[d]:ix.begins[d+1]]
		if filters != 0 {
			missing := filters
			for _, v := range values {
				if s.chosen[v] {
					missing &^= 1 << ix.values[v].facet
				}
			}
			if missing != 0 {
				// With one filter failed, it still counts for that facet.
				if missing&(missing-1) == 0 {
					f := bits.TrailingZeros32(missing)
					for _, v := range values {
						if ix.values[v].facet == f {
							s.counts[v]++
						}
					}
				}
				return
			}
		}
		for _, v := range values {
			s.counts[v]++
		}
		out.Total++
		best = best.keep(hit{s.score[d], d}, most)
	}
	if len(out.Words) == 0 && q.Text == "" {
		for d := range ix.docs {
			consider(uint32(d))
		}
	} else {
		need := 0
		for _, d := range s.touched {
			need = max(need, bits.OnesCount32(s.has[d]))
		}
		out.Partial = need > 0 && need < len(out.Words)
		if len(s.touched) > len(ix.docs)/8 { // in the order of memory
			for d := range ix.docs {
				if need > 0 && bits.OnesCount32(s.has[d]) == need {
					consider(uint32(d))
				}
			}
		} else {
			for _, d := range s.touched {
				if bits.OnesCount32(s.has[d]) == need {
					consider(d)
				}
			}
		}
	}
	slices.SortFunc(best, func(x, y hit) int {
		if x.before(y) {
			return -1
		}
		return 1
	})
	return best
}

// top is a heap of hits with the worst of them first.
type top []hit

// keep adds a hit, and drops the worst where there would be more than most.
func (t top) keep(h hit, most int) top {
	if len(t) < most {
		t = append(t, h)
		for i := len(t) - 1; i > 0; {
			up := (i - 1) / 2
			if !t[up].before(t[i]) {
				break
			}
			t[up], t[i] = t[i], t[up]
			i = up
		}
		return t
	}
	if !h.before(t[0]) {
		return t
	}
	t[0] = h
	for i := 0; ; {
		worst := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < len(t) && t[worst].before(t[c]) {
				worst = c
			}
		}
		if worst == i {
			return t
		}
		t[i], t[worst] = t[worst], t[i]
		i = worst
	}
}

// count makes the facets of what was counted, and clears the counts.
func (ix *Index) count(s *scratch, q Query, out *Result) {
	values := make([][]Value, len(ix.facets))
	for n, v := range ix.values {
		if s.counts[n] > 0 || s.chosen[n] {
			values[v.facet] = append(values[v.facet], Value{v.id, v.name, int(s.counts[n]), s.chosen[n]})
		}
		s.counts[n], s.chosen[n] = 0, false
	}
	for f, vs := range values {
		if vs == nil {
			vs = []Value{}
		}
		slices.SortFunc(vs, func(x, y Value) int {
			if x.Count != y.Count {
				return y.Count - x.Count
			}
			return strings.Compare(x.ID, y.ID)
		})
		out.Facets = append(out.Facets, Facet{ix.facets[f].name, len(vs), vs[:min(len(vs), maxFacetValues)]})
	}
}
