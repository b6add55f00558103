package match

import (
	"cmp"
	_ "embed"
	"slices"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

//go:generate go run ./gen -out texts.bin

// texts.bin is what Pack made of the texts of the SPDX licence list and the
// notices that licences ask for.
//
//go:embed texts.bin
var packed []byte

// A Detector knows the texts of the SPDX licence list. It does not change once
// loaded: any number of goroutines may use one.
type Detector struct {
	templates []template
	names     []string // words by id; 0 is no word
	words     vocabulary
	index     *index
	kinds     []kinds   // of the words by id
	old       []bool    // templates of deprecated ids
	pool      sync.Pool // of *memory
}

// Load unpacks the licence texts that are built in, once in a process; later
// calls return the same Detector. An error means that the program was built from
// damaged data.
func Load() (*Detector, error) { return loaded() }

var loaded = sync.OnceValues(func() (*Detector, error) {
	templates, names, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	d := &Detector{
		templates: templates, names: names, words: newVocabulary(names), index: newIndex(templates),
		pool: sync.Pool{New: func() any { return new(memory) }},
	}
	d.kinds = make([]kinds, len(names))
	for id, w := range names {
		d.kinds[id] = kindsOf(w)
	}
	d.old = make([]bool, len(templates))
	for i, t := range templates {
		l, _ := spdx.Lookup(t.ids[0])
		d.old[i] = l.Deprecated
	}
	return d, nil
})

// How many templates are laid along the same words, and of how many of them every
// difference is weighed.
const (
	tries    = 16
	judgings = 6
)

// Detect says which licence a text is. It never fails: of a text that cannot be
// read, the Note of the Result says why.
func (d *Detector) Detect(text []byte) Result {
	text, problem := decode(text)
	if problem != "" {
		return Result{Note: problem}
	}
	m := d.pool.Get().(*memory)
	defer d.pool.Put(m)
	m.words = split(m.words[:0], text, d.words.id)
	doc := content(text, m.words)
	found, near := d.find(m, text, doc)
	return d.conclude(m, text, doc, found, near)
}

// content leaves out the copyright notices, which may stand anywhere.
func content(text []byte, words []word) []word {
	owners := ownerLines(text)
	if len(owners) == 0 {
		return words
	}
	left, next := words[:0], 0 // words[next:] are still where they were
	for _, o := range owners {
		from := next + before(words[next:], o.Start)
		left = append(left, words[next:from]...)
		next = from + before(words[from:], o.End)
	}
	return append(left, words[next:]...)
}

// before is how many of the words start before a byte of the text.
func before(words []word, at int) int {
	n, _ := slices.BinarySearchFunc(words, at, func(w word, at int) int { return int(w.start) - at })
	return n
}

// find lists the licences in a text, in its order, and of the places where none
// is accepted the one that comes nearest.
func (d *Detector) find(m *memory, text []byte, doc []word) (found, near []verdict) {
	m.ids = slices.Grow(m.ids[:0], len(doc))
	for _, w := range doc {
		m.ids = append(m.ids, w.id)
	}
	f := finding{Detector: d, m: m, text: text, doc: doc}
	d.index.look(m, m.ids)
	f.search(span{0, len(doc)})
	byPlace := func(x, y verdict) int { return cmp.Compare(x.doc.from, y.doc.from) }
	slices.SortFunc(f.found, byPlace)
	slices.SortFunc(f.near, byPlace)
	return f.found, f.near
}

// fewWords beside a licence are its title and its owner.
const fewWords = 12

// A finding is what is found in one text.
type finding struct {
	*Detector
	m     *memory
	text  []byte
	doc   []word
	found []verdict
	near  []verdict
}

// search looks for licences among some words of the text. Where one says its part
// of them to the letter, or nearly, what is before and behind is searched in turn.
func (f *finding) search(part span) {
	for part.to-part.from >= gram {
		doc, ids := f.doc[part.from:part.to], f.m.ids[part.from:part.to]
		f.index.count(f.m, part)
		top := f.index.best(f.m, f.templates, len(doc))
		if len(top) == 0 {
			return
		}
		v, ok := f.plain(f.m, f.text, doc, ids, top)
		if !ok {
			found, near := f.weighed(f.m, f.text, doc, ids)
			for _, v := range found {
				f.found = append(f.found, v.moved(part.from))
			}
			for _, v := range near {
				f.near = append(f.near, v.moved(part.from))
			}
			return
		}
		v = v.moved(part.from)
		f.found = append(f.found, v)
		if part.to-part.from-(v.doc.to-v.doc.from) <= fewWords {
			return
		}
		before, behind := span{part.from, v.doc.from}, span{v.doc.to, part.to}
		if before.to-before.from > behind.to-behind.from {
			before, behind = behind, before
		}
		f.search(before) // the shorter, so that calls are never deep
		part = behind
	}
}

// moved is the verdict on words that stand further behind.
func (v verdict) moved(by int) verdict {
	v.doc = span{v.doc.from + by, v.doc.to + by}
	for i, b := range v.bad {
		v.bad[i] = span{b.from + by, b.to + by}
	}
	return v
}

// weighed lays every template that may be there along some words of a text, and
// weighs those that lie best.
func (d *Detector) weighed(m *memory, text []byte, doc []word, ids []uint16) (found, near []verdict) {
	var all []verdict
	var accepted []verdict
	judged := make([]uint8, len(doc)/16+1) // how often the words around a place were
	for _, l := range d.lay(m, ids) {
		middle := (l.where.from + l.where.to) / 2 / 16
		beaten := slices.ContainsFunc(accepted, func(v verdict) bool {
			return overlap(v.doc, l.where)*10 >= (l.where.to-l.where.from)*9 && float64(l.matched) <= v.worth()
		})
		if beaten || judged[middle] >= judgings {
			continue
		}
		judged[middle]++
		v := d.judge(m, l.template, text, doc, l.where, l.edits)
		if d.old[l.template] {
			v.cost += outdated
		}
		all = append(all, v)
		if v.accepted() {
			accepted = append(accepted, v)
		}
	}
	slices.SortStableFunc(all, func(x, y verdict) int {
		return cmp.Or(cmp.Compare(y.worth(), x.worth()), cmp.Compare(x.template, y.template))
	})
	for _, v := range all {
		if v.accepted() && !slices.ContainsFunc(found, func(f verdict) bool { return overlaps(f.doc, v.doc) }) {
			found = append(found, v)
		}
	}
	for _, v := range all {
		taken := func(f verdict) bool { return overlaps(f.doc, v.doc) }
		if !v.accepted() && v.isNear() && !slices.ContainsFunc(found, taken) && !slices.ContainsFunc(near, taken) {
			near = append(near, v)
		}
	}
	return found, near
}

// A laid template lies along words of a text.
type laid struct {
	template int
	where    span
	edits    []edit
	matched  int // words of the template that are there
	differ   int // words that are not, and others in their place
}

// lay lays templates along the text counted last, and lists the likeliest first.
func (d *Detector) lay(m *memory, ids []uint16) []laid {
	var all []laid
	done := make([]uint8, len(ids)/16+1) // how often the words around a place were tried
	type good struct {
		where  span
		shared int
	}
	var goods []good
	// Beside a template that fits well, little is to be hoped of those that share
	// less with the text.
	beside := func(reach span, shared int) bool {
		for _, g := range goods {
			if g.where.from <= reach.from && reach.to <= g.where.to && shared*20 < g.shared*17 {
				return true
			}
		}
		return false
	}
	q := queue{x: d.index, m: m, templates: d.templates, order: d.index.gather(m, d.templates), heap: m.heap[:0]}
	for {
		r, ok := q.next(beside)
		if !ok {
			break
		}
		t := &d.templates[r.template]
		shared := r.shared(d.templates)
		if beside(span{int(r.hits[0].dpos), int(r.hits[len(r.hits)-1].dpos) + gram}, shared) {
			continue
		}
		middle := int(r.hits[len(r.hits)/2].dpos) / 16
		if done[middle] >= tries {
			continue
		}
		// A passage that comes again and again makes many hits, but no licence.
		hits := m.chain(r.hits)
		if int32(len(hits)) < d.index.wanted[r.template] {
			continue
		}
		done[middle]++
		where, edits := m.align(t.words, ids, hits)
		matched, hopeless := present(t, edits)
		if hopeless {
			continue
		}
		l := laid{r.template, where, slices.Clone(edits), matched, differing(t, edits)}
		all = append(all, l)
		if l.differ*25 <= l.matched {
			goods = append(goods, good{where, shared})
		}
	}
	m.heap = q.heap
	slices.SortStableFunc(all, func(a, b laid) int { return cmp.Compare(b.matched-2*b.differ, a.matched-2*a.differ) })
	return all
}

// plain is the usual case done quickly: words of which a part is one licence, to
// the letter or nearly so. Of the templates likeliest to be it the one that says
// the most of it with the fewest differences is taken.
func (d *Detector) plain(m *memory, text []byte, doc []word, ids []uint16, top []ranked) (best verdict, ok bool) {
	full := 0 // the score of a template that says all but a word or two
	counted := false
	defer func() {
		if counted {
			m.bag.empty(ids)
		}
	}()
	for i, r := range top {
		t := &d.templates[r.template]
		if full > 0 && r.score < full-3 {
			break // it cannot say more
		}
		// Runs are but sampled, so that a score is right to a few of them. One that says
		// more of the text may lack what may be absent.
		if r.score < top[0].score-8-top[0].score/8 && r.shared <= top[0].shared+8 {
			continue
		}
		if i > 0 {
			if !counted {
				counted = true
				m.bag.fill(ids, len(d.names))
			}
			shared := m.bag.shared(t.words)
			if ok && float64(shared) <= best.worth() || int(d.index.needed[r.template])-shared > mayDiffer(t) {
				continue // it cannot say as much, or lacks too much, wherever it lies
			}
		}
		hits := d.index.exact(m, t, r.template, ids)
		if hits == nil {
			hits = m.chain(d.index.hits(m, r.template))
		}
		where, edits := m.align(t.words, ids, hits)
		if differing(t, edits) > mayDiffer(t) {
			continue
		}
		if d.lacks(t, edits) {
			continue
		}
		v := d.judge(m, r.template, text, doc, where, edits)
		if d.old[r.template] {
			v.cost += outdated
		}
		if !v.accepted() || v.cost > trifle || ok && v.worth() <= best.worth() {
			continue
		}
		best, ok = v, true
		if v.cost <= 0.02 && len(doc) == v.matched {
			break
		}
		if v.cost <= 0.02 && len(doc)-v.matched <= 2 {
			full = r.score
		}
	}
	return best, ok
}

// mayDiffer is how many words may differ where all of them are weighed.
func mayDiffer(t *template) int { return 24 + len(t.words)/8 }

// differing counts the words that differ, but for those that may be absent.
func differing(t *template, edits []edit) int {
	n := 0
	for _, e := range edits {
		n += max(e.t.to-e.t.from, e.d.to-e.d.from)
		for _, o := range t.optional {
			n -= overlap(o, e.t)
		}
	}
	return n
}

// outdated is what a deprecated id costs: whoever may choose names the one in use.
const outdated = 0.6

// trifle is what names, titles and a word or two may cost.
const trifle = 1.7

// present counts the words of a template that are there. It is hopeless where they
// are so few that it can be neither the licence nor what it was made from.
func present(t *template, edits []edit) (matched int, hopeless bool) {
	matched = len(t.words)
	missing := 0
	for _, e := range edits {
		matched -= e.t.to - e.t.from
		missing += e.t.to - e.t.from
		for _, o := range t.optional {
			missing -= overlap(o, e.t)
		}
	}
	needed := len(t.words)
	for _, o := range t.optional {
		needed -= o.to - o.from
	}
	return matched, missing*2 > needed
}

// worth orders verdicts on the same words: the one that explains the most of
// them, with the fewest differences.
func (v verdict) worth() float64 {
	return float64(v.matched) - 6*v.cost
}

// isNear reports whether so much of a licence is there that it must have been
// made from it.
func (v verdict) isNear() bool {
	return v.matched*4 >= v.needed*3
}

func overlaps(a, b span) bool {
	o := overlap(a, b)
	return o*4 > min(a.to-a.from, b.to-b.from)
}
