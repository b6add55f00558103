package match

import (
	"cmp"
	"slices"
)

// gram is how many words in a row a fingerprint is made of.
const gram = 5

// An index finds the templates that share runs of words with a text.
type index struct {
	mask     uint32
	keys     []uint32 // hash of a run; 0 is free
	heads    []int32  // first posting of keys[i]; the others follow it, by template
	tails    []int32  // just past the last
	postings []posting
	sampled  []int32 // how many runs of each template are in the index
	needed   []int32 // how many words of each must stand in a text
	wanted   []int32 // how many of the runs a text must share to be worth a look
}

type posting struct{ template, pos uint16 }

// A hit is a run of words that a text and a template share.
type hit struct{ tpos, dpos int32 }

func hashOf(w []uint16) uint64 {
	h := uint64(14695981039346656037)
	for _, id := range w[:gram] {
		h = (h ^ uint64(id)) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return h
}

// every says which runs of a template are in the index, those whose hash it
// divides: of long texts few are enough.
func every(words int) uint64 {
	switch {
	case words <= 64:
		return 1
	case words <= 120:
		return 2
	case words <= 800:
		return 4
	}
	return 16
}

func newIndex(templates []template) *index {
	total := 0
	for _, t := range templates {
		total += len(t.words) / int(every(len(t.words)))
	}
	size := uint32(1024)
	for int(size) < 2*total {
		size *= 2
	}
	x := &index{
		mask: size - 1, keys: make([]uint32, size), heads: make([]int32, size), tails: make([]int32, size),
		sampled: make([]int32, len(templates)),
	}
	type link struct {
		posting
		next int32
	}
	links := make([]link, 0, total+total/8)
	add := func(template, pos int, run []uint16) {
		h := hashOf(run)
		if h&(every(len(templates[template].words))-1) != 0 {
			return
		}
		at, next := x.find(h), int32(-1)
		if x.keys[at] != 0 {
			next = x.heads[at]
			// A run that comes again in the same template would point to two places.
			if links[next].template == uint16(template) {
				return
			}
		}
		x.keys[at], x.heads[at] = key(h), int32(len(links))
		links = append(links, link{posting{template: uint16(template), pos: uint16(pos)}, next})
		x.sampled[template]++
	}
	for i, t := range templates {
		for p := 0; p+gram <= len(t.words); p++ {
			add(i, p, t.words[p:])
		}
		// What comes before and behind a part that may be absent is a run as well.
		for _, o := range t.optional {
			if o.from < gram || o.to+gram > len(t.words) || o.to-o.from > 40 {
				continue
			}
			across := slices.Concat(t.words[o.from-gram+1:o.from], t.words[o.to:o.to+gram-1])
			for k := 0; k+gram <= len(across); k++ {
				add(i, o.from-gram+1+k, across[k:])
			}
		}
	}
	x.wanted, x.needed = make([]int32, len(templates)), make([]int32, len(templates))
	for i, t := range templates {
		needed := len(t.words)
		for _, o := range t.optional {
			needed -= o.to - o.from
		}
		x.needed[i] = int32(needed)
		x.wanted[i] = max(1, int32(least*float64(x.sampled[i])*float64(needed)/float64(len(t.words))))
	}
	x.postings = make([]posting, 0, len(links))
	for at, k := range x.keys {
		if k == 0 {
			continue
		}
		n := x.heads[at]
		x.heads[at] = int32(len(x.postings))
		for ; n >= 0; n = links[n].next {
			x.postings = append(x.postings, links[n].posting)
		}
		x.tails[at] = int32(len(x.postings))
		slices.Reverse(x.postings[x.heads[at]:]) // the links go from the last template to the first
	}
	return x
}

func key(h uint64) uint32 { return uint32(h>>32) | 1 }

func (x *index) find(h uint64) uint32 {
	k := key(h)
	for at := uint32(h>>3) & x.mask; ; at = (at + 1) & x.mask {
		if x.keys[at] == k || x.keys[at] == 0 {
			return at
		}
	}
}

// A region is a stretch of a text that shares runs with a template in the same
// order: a copy of the template, or of a good part of it.
type region struct {
	template int
	hits     []hit
	first    int32 // dpos of the first hit
	diagonal int32 // dpos - tpos of the last hit
	size     int32 // number of hits
}

// shared is about how many words the template and the text share there.
func (r region) shared(templates []template) int {
	return int(r.size) * int(every(len(templates[r.template].words)))
}

// least is the share of a template's runs, but for those of parts that may be
// absent, below which it is not looked at.
const least = 0.4

// count counts the runs that each template shares with a text.
func (x *index) count(m *memory, doc []uint16) {
	if m.counts == nil {
		m.counts = make([]int32, len(x.sampled))
	}
	counts := m.counts
	clear(counts)
	found, places := m.found[:0], m.places[:0] // runs, and where in the text
next:
	for p := 0; p+gram <= len(doc); p++ {
		for q := gram - 1; q >= 0; q-- {
			if doc[p+q] == 0 { // no licence has this word
				p += q
				continue next
			}
		}
		at := x.find(hashOf(doc[p:]))
		if x.keys[at] == 0 {
			continue
		}
		found, places = append(found, at), append(places, int32(p))
		for _, post := range x.postings[x.heads[at]:x.tails[at]] {
			counts[post.template]++
		}
	}
	m.found, m.places = found, places
	for i, n := range counts {
		if n < x.wanted[i] {
			counts[i] = 0 // not worth a look
		}
	}
}

// candidates is how many templates are tried on a text as a whole.
const candidates = 6

// best are the templates likeliest to be the text counted last as a whole, the
// likeliest first: those that share many words with it and lack few.
func (x *index) best(m *memory, templates []template) []ranked {
	top := m.top[:0]
	for i, n := range m.counts {
		if n == 0 {
			continue
		}
		// Of runs that come again in the text one counts.
		shared := len(templates[i].words) * int(min(n, x.sampled[i])) / int(x.sampled[i])
		r := ranked{i, shared, shared - max(0, int(x.needed[i])-shared)}
		at := len(top)
		for at > 0 && r.score > top[at-1].score {
			at--
		}
		if at < candidates {
			top = slices.Insert(top, at, r)
			top = top[:min(len(top), candidates)]
		}
	}
	m.top = top
	return top
}

// hits lists the runs that one template shares with the text counted last.
func (x *index) hits(m *memory, template int) []hit {
	hits := m.hits[:0]
	for n, at := range m.found {
		run := x.postings[x.heads[at]:x.tails[at]]
		low, high := 0, len(run)
		for low < high {
			if mid := (low + high) / 2; int(run[mid].template) < template {
				low = mid + 1
			} else {
				high = mid
			}
		}
		if low < len(run) && int(run[low].template) == template {
			hits = append(hits, hit{int32(run[low].pos), m.places[n]})
		}
	}
	m.hits = hits
	return hits
}

// A ranked template shares about so many words with a text. The score is less by
// those that it lacks.
type ranked struct{ template, shared, score int }

// gather lists the hits of every template worth a look, each template's beside
// each other in the order of the text, and those templates, the ones with the most
// shared words first.
func (x *index) gather(m *memory, templates []template) []ranked {
	if m.ends == nil {
		m.ends = make([]int32, len(x.sampled))
	}
	order := m.order[:0]
	total := int32(0)
	for t, n := range m.counts {
		m.ends[t] = total
		if n > 0 {
			total += n
			order = append(order, ranked{template: t, shared: int(n) * int(every(len(templates[t].words)))})
		}
	}
	m.all = slices.Grow(m.all[:0], int(total))[:total]
	for n, at := range m.found {
		d := m.places[n]
		for _, p := range x.postings[x.heads[at]:x.tails[at]] {
			if m.counts[p.template] > 0 {
				m.all[m.ends[p.template]] = hit{int32(p.pos), d}
				m.ends[p.template]++
			}
		}
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.shared, a.shared), cmp.Compare(a.template, b.template))
	})
	m.order = order
	return order
}

// hitsOf are those of a template, as gathered.
func (m *memory) hitsOf(template int) []hit {
	end := m.ends[template]
	return m.all[end-m.counts[template] : end]
}

// split cuts the hits of a template into regions. Those with too few hits to be
// worth a look are left out.
func (x *index) split(m *memory, t *template, ti int) []region {
	all := m.regions[:0]
	hits := m.hitsOf(ti)
	m.into = slices.Grow(m.into[:0], len(hits))[:len(hits)]
	open := m.open[:0]
	size := int32(len(t.words))
	slack := max(60, size/4)
	for i, h := range hits {
		diagonal := h.dpos - h.tpos
		// The region that lies closest. The latest used stands last, so that lone hits
		// elsewhere, of which a long licence has many, push none out of reach.
		into, best := -1, slack+1
		for k := len(open) - 1; k >= 0 && k >= len(open)-8; k-- {
			r := &all[open[k]]
			if away := abs(diagonal - r.diagonal); away < best && h.dpos-r.first <= 2*size+slack {
				into, best = k, away
			}
		}
		var at int
		if into >= 0 {
			at = open[into]
			open = append(slices.Delete(open, into, into+1), at)
		} else {
			at = len(all)
			all = append(all, region{template: ti, first: h.dpos})
			open = append(open, at)
		}
		all[at].diagonal = diagonal
		all[at].size++
		m.into[i] = int32(at)
	}
	m.open = open
	if len(all) == 1 {
		all[0].hits = hits
	} else if slices.ContainsFunc(all, func(r region) bool { return r.size >= x.wanted[ti] }) {
		sorted := make([]hit, len(hits))
		from := 0
		for i := range all {
			all[i].hits = sorted[from:from]
			from += int(all[i].size)
		}
		for i, h := range hits {
			r := &all[m.into[i]]
			r.hits = append(r.hits, h)
		}
	}
	m.regions = all
	return slices.DeleteFunc(all, func(r region) bool { return r.size < x.wanted[ti] })
}

// A queue hands out the regions where copies of templates may be, those with the
// most shared words first, without looking for the regions of a template before
// its turn.
type queue struct {
	x         *index
	m         *memory
	templates []template
	order     []ranked // the templates whose regions are not known yet
	heap      []region
}

// next is the next region. A template whose regions skip is not worth a look, by
// where its hits lie and how many words it shares, has none.
func (q *queue) next(skip func(reach span, shared int) bool) (region, bool) {
	for len(q.order) > 0 && (len(q.heap) == 0 || q.heap[0].shared(q.templates) <= q.order[0].shared) {
		r := q.order[0]
		q.order = q.order[1:]
		hits := q.m.hitsOf(r.template)
		if skip(span{int(hits[0].dpos), int(hits[len(hits)-1].dpos) + gram}, r.shared) {
			continue
		}
		for _, found := range q.x.split(q.m, &q.templates[r.template], r.template) {
			q.push(found)
		}
	}
	if len(q.heap) == 0 {
		return region{}, false
	}
	top, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	for i := 0; ; {
		best := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < last && q.before(child, best) {
				best = child
			}
		}
		if best == i {
			return top, true
		}
		q.heap[i], q.heap[best] = q.heap[best], q.heap[i]
		i = best
	}
}

func (q *queue) push(r region) {
	q.heap = append(q.heap, r)
	for i := len(q.heap) - 1; i > 0 && q.before(i, (i-1)/2); i = (i - 1) / 2 {
		q.heap[i], q.heap[(i-1)/2] = q.heap[(i-1)/2], q.heap[i]
	}
}

func (q *queue) before(i, j int) bool {
	a, b := &q.heap[i], &q.heap[j]
	return cmp.Or(
		cmp.Compare(b.shared(q.templates), a.shared(q.templates)),
		cmp.Compare(q.x.sampled[a.template], q.x.sampled[b.template]),
		cmp.Compare(a.template, b.template),
		cmp.Compare(a.first, b.first),
	) < 0
}

func abs(n int32) int32 {
	if n < 0 {
		return -n
	}
	return n
}
