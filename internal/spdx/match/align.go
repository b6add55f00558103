package match

import "slices"

// An edit is a place where a text differs from a template: the template's words
// t stand there as the text's words d. Either may be empty.
type edit struct{ t, d span }

// An aligner lays texts along templates. It keeps its memory between uses.
type aligner struct {
	cost  []int32
	back  []uint8
	edits []edit
	// Of chain.
	diagonals   []int32
	tails, prev []int32
	chained     []hit
}

// A memory is what looking at a text needs and is kept for the next one.
type memory struct {
	aligner
	words  []word
	ids    []uint16
	counts []int32
	runs   []run    // of the text, as look leaves them
	found  []run    // those of the part counted last
	from   int32    // where that part begins
	seen   []uint64 // a bit for each cell; all zero but while counting
	top    []ranked
	hits   []hit
	bag    bag
	slots  map[slotKey]uint32
	// Of sentences.
	sentences []sentence
	said      []string
	// Of gather, split and queue.
	totals  []int32
	ends    []int32
	order   []ranked
	all     []hit
	into    []int32
	open    []int
	regions []region
	heap    []region
}

// A bag says how often each word stands in a part of a text.
type bag struct {
	holds []uint16 // by the id of a word
	taken []uint16 // all zero but while counting
}

// fill puts words in. There are so many different ones.
func (b *bag) fill(ids []uint16, different int) {
	if b.holds == nil {
		b.holds, b.taken = make([]uint16, different), make([]uint16, different)
	}
	for _, id := range ids {
		if b.holds[id] < 1<<16-1 {
			b.holds[id]++
		}
	}
}

// empty takes out the words put in last.
func (b *bag) empty(ids []uint16) {
	for _, id := range ids {
		b.holds[id] = 0
	}
}

// shared is the most words of a template that can match words of the part.
func (b *bag) shared(words []uint16) int {
	n := 0
	for _, w := range words {
		if b.taken[w] < b.holds[w] {
			b.taken[w]++
			n++
		}
	}
	for _, w := range words {
		b.taken[w] = 0
	}
	return n
}

// maxCells bounds the work on one gap between places that match: beyond it the
// gap counts as words replaced by other words.
const maxCells = 1 << 16

// align lays the template along the region of the text that its hits point at.
// The hits go forward in both, as chain leaves them. The result is the words of the text from the first that matches to the last,
// and every difference between. What the template has before or behind is an edit
// without words of the text.
func (a *aligner) align(t []uint16, doc []uint16, hits []hit) (span, []edit) {
	a.edits = a.edits[:0]
	ti, di := int(hits[0].tpos), int(hits[0].dpos)
	for ti > 0 && di > 0 && t[ti-1] == doc[di-1] {
		ti, di = ti-1, di-1
	}
	start := a.head(t[:ti], doc[:di])
	ti, di = int(hits[0].tpos), int(hits[0].dpos)
	for _, h := range hits {
		tp, dp := int(h.tpos), int(h.dpos)
		if tp < ti || dp < di {
			continue
		}
		a.gap(t, doc, span{ti, tp}, span{di, dp})
		ti, di = tp, dp
		for ti < len(t) && di < len(doc) && t[ti] == doc[di] {
			ti, di = ti+1, di+1
		}
	}
	end := a.tail(t, doc, ti, di)
	return span{start, end}, merge(a.edits, t)
}

// chain keeps the most hits that go forward in both. Hits are in the order of the
// text. Of two places of the text that share the same run of the template, the
// one that lies better with the rest is kept. The result is good until the next call.
func (a *aligner) chain(hits []hit) []hit {
	forward := 1
	for forward < len(hits) && hits[forward-1].tpos < hits[forward].tpos {
		forward++
	}
	if forward >= len(hits) {
		return hits
	}
	diagonals := a.diagonals[:0]
	for _, h := range hits {
		diagonals = append(diagonals, h.dpos-h.tpos)
	}
	a.diagonals = diagonals
	slices.Sort(diagonals)
	middle := diagonals[len(diagonals)/2]
	tails := a.tails[:0] // place of the last hit of the best chain of each length
	prev := slices.Grow(a.prev[:0], len(hits))[:len(hits)]
	for i, h := range hits {
		n, high := 0, len(tails)
		for n < high {
			if mid := (n + high) / 2; hits[tails[mid]].tpos < h.tpos {
				n = mid + 1
			} else {
				high = mid
			}
		}
		same := n < len(tails) && hits[tails[n]].tpos == h.tpos
		before := middle
		prev[i] = -1
		if n > 0 {
			prev[i] = tails[n-1]
			before = hits[tails[n-1]].dpos - hits[tails[n-1]].tpos
		}
		switch {
		case n == len(tails):
			tails = append(tails, int32(i))
		case same && abs(h.dpos-h.tpos-before) >= abs(hits[tails[n]].dpos-h.tpos-before):
			// The one before lies better.
		default:
			tails[n] = int32(i)
		}
	}
	out := slices.Grow(a.chained[:0], len(tails))[:len(tails)]
	a.tails, a.prev, a.chained = tails, prev, out
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, prev[i] {
		out[n] = hits[i]
	}
	return out
}

// head lays the template's first words t along the end of doc and returns where
// in the text the match begins.
func (a *aligner) head(t, doc []uint16) int {
	if len(t) == 0 {
		return len(doc)
	}
	from := max(0, len(doc)-len(t)-24)
	if window := len(doc) - from; window == 0 || len(t)*window > maxCells {
		a.edits = append(a.edits, edit{span{0, len(t)}, span{len(doc), len(doc)}})
		return len(doc)
	}
	return a.trace(t, doc, span{0, len(t)}, span{from, len(doc)}, true, false).from
}

// tail is head at the other end.
func (a *aligner) tail(t, doc []uint16, ti, di int) int {
	if ti == len(t) {
		return di
	}
	to := min(len(doc), di+len(t)-ti+24)
	if to == di || (len(t)-ti)*(to-di) > maxCells {
		a.edits = append(a.edits, edit{span{ti, len(t)}, span{di, di}})
		return di
	}
	return a.trace(t, doc, span{ti, len(t)}, span{di, to}, false, true).to
}

// gap lays words between two places that match along each other.
func (a *aligner) gap(t, doc []uint16, ts, ds span) {
	for ts.from < ts.to && ds.from < ds.to && t[ts.to-1] == doc[ds.to-1] {
		ts.to, ds.to = ts.to-1, ds.to-1
	}
	switch {
	case ts.from == ts.to && ds.from == ds.to:
	case ts.from == ts.to, ds.from == ds.to, (ts.to-ts.from)*(ds.to-ds.from) > maxCells:
		a.edits = append(a.edits, edit{ts, ds})
	default:
		a.trace(t, doc, ts, ds, false, false)
	}
}

// The costs of the alignment. Another word in a word's place is cheaper than one
// less and one more, so that what stands for what can be told.
const (
	costOne  = 2
	costSwap = 3
)

// trace finds the cheapest way from t to doc in the spans and adds its edits. With
// freeStart or freeEnd the words of doc before the first or behind the last match
// cost nothing and belong to no edit. It returns the words of doc that were used.
func (a *aligner) trace(t, doc []uint16, ts, ds span, freeStart, freeEnd bool) span {
	n, m := ts.to-ts.from, ds.to-ds.from
	w := m + 1
	a.cost = slices.Grow(a.cost[:0], 2*w)[:2*w]
	a.back = slices.Grow(a.back[:0], (n+1)*w)[:(n+1)*w]
	const (
		diagonal = iota
		up       // a word of t is missing
		left     // a word of doc is added
		stop
	)
	row, last := a.cost[:w], a.cost[w:]
	for j := range w {
		row[j], a.back[j] = int32(j*costOne), left
		if freeStart {
			row[j], a.back[j] = 0, stop
		}
	}
	a.back[0] = stop
	words := doc[ds.from:ds.to]
	for i := 1; i <= n; i++ {
		row, last = last, row
		above, here, way := last[:len(words)+1], row[:len(words)+1], a.back[i*w:][:len(words)+1]
		corner, before := above[0], above[0]+costOne
		here[0], way[0] = before, up
		tw := t[ts.from+i-1]
		for j, dw := range words {
			best, from := corner, uint8(diagonal)
			if tw != dw {
				best += costSwap
			}
			corner = above[j+1]
			if c := corner + costOne; c < best {
				best, from = c, up
			}
			if c := before + costOne; c < best {
				best, from = c, left
			}
			here[j+1], way[j+1], before = best, from, best
		}
	}
	j := m
	if freeEnd {
		j = 0
		for k, c := range row {
			if c < row[j] {
				j = k
			}
		}
	}
	used := span{ds.from, ds.from + j}
	first := len(a.edits)
	i := n
	for i > 0 || j > 0 {
		way := a.back[i*w+j]
		if way == stop {
			break
		}
		te, de := ts.from+i, ds.from+j
		switch way {
		case diagonal:
			i, j = i-1, j-1
			if t[ts.from+i] == doc[ds.from+j] {
				continue
			}
		case up:
			i--
		case left:
			j--
		}
		e := edit{span{ts.from + i, te}, span{ds.from + j, de}}
		if k := len(a.edits); k > first && a.edits[k-1].t.from == e.t.to && a.edits[k-1].d.from == e.d.to {
			a.edits[k-1].t.from, a.edits[k-1].d.from = e.t.from, e.d.from
		} else {
			a.edits = append(a.edits, e)
		}
	}
	used.from = ds.from + j
	slices.Reverse(a.edits[first:])
	return used
}

// merge joins differences with one lone word between them, which matches by
// chance as often as not.
func merge(edits []edit, t []uint16) []edit {
	out := edits[:0]
	for _, e := range edits {
		if n := len(out); n > 0 {
			l := &out[n-1]
			between := e.t.from - l.t.to
			if between <= 0 || between == 1 && e.d.from-l.d.to == 1 && size(*l)+size(e) > 3 {
				l.t.to, l.d.to = e.t.to, e.d.to
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

func size(e edit) int { return max(e.t.to-e.t.from, e.d.to-e.d.from) }
