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
	cells    []cell
	filter   []uint64 // a bit for some of the hash of each run; most runs of a text are in no cell
	postings []posting
	sampled  []int32 // how many runs of each template are in the index
	needed   []int32 // how many words of each must stand in a text
	wanted   []int32 // how many of the runs a text must share to be worth a look
}

// A cell is of one run of words: its postings, by template, are those from head to
// before tail. What is asked for together stands together.
type cell struct {
	key        uint32 // of the run's hash; 0 is free
	head, tail int32
}

type posting struct{ template, pos uint16 }

// A run of words of a text that some template has too: its cell, and where it stands.
type run struct {
	cell uint32
	pos  int32
}

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
		mask: size - 1, cells: make([]cell, size), filter: make([]uint64, filterBits/64),
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
		if x.cells[at].key != 0 {
			next = x.cells[at].head
			// A run that comes again in the same template would point to two places.
			if links[next].template == uint16(template) {
				return
			}
		}
		bit := filterBit(h)
		x.filter[bit/64] |= 1 << (bit % 64)
		x.cells[at].key, x.cells[at].head = key(h), int32(len(links))
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
	for at := range x.cells {
		c := &x.cells[at]
		if c.key == 0 {
			continue
		}
		n := c.head
		c.head = int32(len(x.postings))
		for ; n >= 0; n = links[n].next {
			x.postings = append(x.postings, links[n].posting)
		}
		c.tail = int32(len(x.postings))
		slices.Reverse(x.postings[c.head:]) // the links go from the last template to the first
	}
	return x
}

const filterBits = 1 << 20

func filterBit(h uint64) uint64 { return h >> 24 % filterBits }

func key(h uint64) uint32 { return uint32(h>>32) | 1 }

func (x *index) find(h uint64) uint32 {
	k := key(h)
	for at := uint32(h>>3) & x.mask; ; at = (at + 1) & x.mask {
		if c := x.cells[at].key; c == k || c == 0 {
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

// look lists the runs of a text that templates have.
func (x *index) look(m *memory, doc []uint16) {
	runs := m.runs[:0]
	known := 0 // words in a row that some licence has
	for i, id := range doc {
		if known++; id == 0 {
			known = 0
		}
		if known < gram {
			continue
		}
		p := i - gram + 1
		h := hashOf(doc[p:])
		if bit := filterBit(h); x.filter[bit/64]>>(bit%64)&1 == 0 {
			continue
		}
		if at := x.find(h); x.cells[at].key != 0 {
			runs = append(runs, run{at, int32(p)})
		}
	}
	m.runs = runs
}

// within are the runs that stand in a part of the text looked at last.
func (m *memory) within(part span) []run {
	place := func(r run, pos int) int { return int(r.pos) - pos }
	low, _ := slices.BinarySearchFunc(m.runs, part.from, place)
	high, _ := slices.BinarySearchFunc(m.runs, max(part.from, part.to-gram+1), place)
	return m.runs[low:high]
}

// count counts the runs that each template shares with a part of the text looked at
// last. Of a run that comes again one counts.
func (x *index) count(m *memory, part span) {
	if m.counts == nil {
		m.counts, m.seen = make([]int32, len(x.sampled)), make([]uint64, len(x.cells)/64+1)
	}
	m.from, m.found = int32(part.from), m.within(part)
	counts := m.counts
	clear(counts)
	for _, r := range m.found {
		if word, bit := r.cell/64, uint64(1)<<(r.cell%64); m.seen[word]&bit == 0 {
			m.seen[word] |= bit
			c := &x.cells[r.cell]
			for _, post := range x.postings[c.head:c.tail] {
				counts[post.template]++
			}
		}
	}
	for _, r := range m.found {
		m.seen[r.cell/64] = 0
	}
	for i, n := range counts {
		if n < x.wanted[i] {
			counts[i] = 0 // not worth a look
		}
	}
}

// candidates is how many templates are tried on a text as a whole.
const candidates = 6

// best are the templates likeliest to be the text counted last as a whole, the
// likeliest first: those that share many of its words and lack few.
func (x *index) best(m *memory, templates []template, words int) []ranked {
	top := m.top[:0]
	for i, n := range m.counts {
		if n == 0 {
			continue
		}
		shared := min(words, len(templates[i].words)*int(min(n, x.sampled[i]))/int(x.sampled[i]))
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

// place is where a run stands in a template, -1 where it does not.
func (x *index) place(r run, template int) int32 {
	c := &x.cells[r.cell]
	// The last posting of this template or one before. Which half it is in cannot be
	// foreseen: the step is written so that it needs no jump.
	run, at := x.postings[c.head:c.tail], 0
	for n := len(run); n > 1; {
		half := n / 2
		if next := at + half; int(run[next].template) <= template {
			at = next
		}
		n -= half
	}
	if int(run[at].template) != template {
		return -1
	}
	return int32(run[at].pos)
}

// exact is a hit from which the template and the text counted last go on alike, to the
// end of the template and back to its start or nearly, as they do in most files; nil
// where there is none. It is looked for in the middle, so that a text of many licences
// falls into halves.
func (x *index) exact(m *memory, t *template, ti int, doc []uint16) []hit {
	middle := len(m.found) / 2
	for i := range m.found {
		r := m.found[(middle+i)%len(m.found)]
		tpos := x.place(r, ti)
		if tpos < 0 {
			continue
		}
		tp, dp := int(tpos), int(r.pos-m.from)
		ahead := len(t.words) - tp
		if dp+ahead > len(doc) || !slices.Equal(t.words[tp:], doc[dp:dp+ahead]) {
			return nil
		}
		for tp > 0 && dp > 0 && t.words[tp-1] == doc[dp-1] {
			tp, dp = tp-1, dp-1
		}
		if tp > fewWords {
			return nil
		}
		m.hits = append(m.hits[:0], hit{tpos, r.pos - m.from})
		return m.hits
	}
	return nil
}

// hits lists the runs that one template shares with the text counted last.
func (x *index) hits(m *memory, template int) []hit {
	hits := m.hits[:0]
	for _, r := range m.found {
		if pos := x.place(r, template); pos >= 0 {
			hits = append(hits, hit{pos, r.pos - m.from})
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
		m.ends, m.totals = make([]int32, len(x.sampled)), make([]int32, len(x.sampled))
	}
	clear(m.totals)
	for _, r := range m.found {
		for _, p := range x.postings[x.cells[r.cell].head:x.cells[r.cell].tail] {
			if m.counts[p.template] > 0 {
				m.totals[p.template]++
			}
		}
	}
	order := m.order[:0]
	total := int32(0)
	for t, n := range m.totals {
		m.ends[t] = total
		if n > 0 {
			total += n
			order = append(order, ranked{template: t, shared: int(n) * int(every(len(templates[t].words)))})
		}
	}
	m.all = slices.Grow(m.all[:0], int(total))[:total]
	for _, r := range m.found {
		for _, p := range x.postings[x.cells[r.cell].head:x.cells[r.cell].tail] {
			if m.counts[p.template] > 0 {
				m.all[m.ends[p.template]] = hit{int32(p.pos), r.pos - m.from}
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
	return m.all[end-m.totals[template] : end]
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
