package forge

import (
	"container/heap"
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// ancestor reports whether commit a is b or in its history. It walks back from
// both, newest first, until only common history is left, so that its work grows
// with what the two do not share. Wrong dates cost time, not truth: a commit
// between b and a is never in a's own history, so none is left out.
func ancestor(ctx context.Context, s storer.EncodedObjectStorer, a, b plumbing.Hash) (bool, error) {
	if a == b {
		return true, nil
	}
	w := walk{s: s, sides: map[plumbing.Hash]side{}, queued: map[plumbing.Hash]bool{}}
	if err := w.visit(a, fromA); err != nil {
		return false, err
	}
	if err := w.visit(b, fromB); err != nil {
		return false, err
	}
	for w.live > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		c := heap.Pop(&w.queue).(*object.Commit)
		delete(w.queued, c.Hash)
		from := w.sides[c.Hash]
		if from != shared {
			w.live--
		}
		for _, parent := range c.ParentHashes {
			if err := w.visit(parent, from); err != nil {
				return false, err
			}
		}
		if w.sides[a]&fromB != 0 {
			return true, nil
		}
	}
	return false, nil
}

// A side says whose history a commit is in.
type side uint8

const (
	fromA side = 1 << iota
	fromB
	shared = fromA | fromB
)

type walk struct {
	s      storer.EncodedObjectStorer
	sides  map[plumbing.Hash]side
	queued map[plumbing.Hash]bool
	queue  byDate
	live   int // queued commits that are not shared
}

func (w *walk) visit(h plumbing.Hash, from side) error {
	old := w.sides[h]
	now := old | from
	if now == old {
		return nil
	}
	w.sides[h] = now
	if w.queued[h] {
		if now == shared {
			w.live--
		}
		return nil
	}
	c, err := object.GetCommit(w.s, h)
	if err != nil {
		return err
	}
	heap.Push(&w.queue, c)
	w.queued[h] = true
	if now != shared {
		w.live++
	}
	return nil
}

// byDate is a heap of commits with the newest on top.
type byDate []*object.Commit

func (q byDate) Len() int           { return len(q) }
func (q byDate) Less(i, j int) bool { return q[i].Committer.When.After(q[j].Committer.When) }
func (q byDate) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDate) Push(x any)        { *q = append(*q, x.(*object.Commit)) }
func (q *byDate) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
