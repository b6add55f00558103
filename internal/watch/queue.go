package watch

import (
	"slices"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/bot"
)

// reconcile is the work that finds out what else there is.
const reconcile bot.WorkKind = "reconcile"

// maxQueue is how much work of one repository waits at most. Work is done from the
// state of things, so equal work waits once, and a queue is long only where as many
// pull requests changed.
const maxQueue = 1000

// A queue holds the work of one repository in the order it came. Work that waits
// already is not added again: when its turn comes, it sees the latest state.
type queue struct {
	mu     sync.Mutex
	list   []bot.Work
	has    map[bot.Work]bool
	wake   chan struct{} // holds one token while there may be something in list
	missed bool          // something did not fit
}

func newQueue() *queue { return &queue{has: map[bot.Work]bool{}, wake: make(chan struct{}, 1)} }

// outcome is what became of work that was to be added.
type outcome string

const (
	queued    outcome = "queued"
	coalesced outcome = "coalesced" // the same waits already
	refused   outcome = "refused"   // the queue is full
)

// add puts work at the end. Where it does not fit, the repository is reconciled once
// there is room, which finds what was missed.
func (q *queue) add(w bot.Work) outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.has[w] {
		return coalesced
	}
	if len(q.list) >= maxQueue {
		q.missed = true
		return refused
	}
	q.list = append(q.list, w)
	q.has[w] = true
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return queued
}

// next takes the first; ok is false if there is none.
func (q *queue) next() (w bot.Work, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return bot.Work{}, false
	}
	w = q.list[0]
	q.list = slices.Delete(q.list, 0, 1)
	delete(q.has, w)
	if again := (bot.Work{Kind: reconcile}); q.missed && !q.has[again] {
		q.list, q.missed = append(q.list, again), false
		q.has[again] = true
	}
	return w, true
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}
