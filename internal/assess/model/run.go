package model

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// maxFailures in a row end a run: an endpoint that is down is left in peace.
const maxFailures = 5

// A Job is one entry to ask about.
type Job struct {
	Ref      entry.Ref
	Entry    *entry.Entry
	Question *assess.Question
}

// A Result is what came of a job: an answer that passed the evidence check, or one
// that says why it failed.
type Result struct {
	Job     Job
	Answer  *assess.Answer
	Dropped []assess.Dropped // by the evidence check
	Err     error            // why it failed; nil if it did not
}

// A Tally counts what came of a run.
type Tally struct {
	Answered, Failed, Dropped int
	NotAsked                  int // when a limit was reached or the run was ended
}

// AskAll asks about all jobs, some at a time, checks each answer against the entry
// and hands it over at once, one after another, in the order in which they come.
// Reaching a limit is no error; the endpoint's failing again and again is, and so is
// an error of done.
func (c *Client) AskAll(ctx context.Context, jobs []Job, parallel int, asker *assess.Asker, done func(Result) error) (Tally, error) {
	var (
		mu    sync.Mutex
		t     Tally
		inRow int
		stop  error // nothing more is asked; what is under way comes to its end
	)
	stopped := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return stop != nil
	}
	finish := func(j Job, a *assess.Answer, err error) error {
		mu.Lock()
		defer mu.Unlock()
		r := Result{Job: j, Answer: a, Err: err}
		var failed *Failure
		switch {
		case errors.As(err, &failed):
			t.Failed++
			r.Answer = &assess.Answer{Name: c.conf.Model, Prompt: assess.PromptVersion, Key: j.Question.Key(c.conf.Model), Failed: failed.Kind}
			if r.Answer, _ = asker.Check(j.Entry, r.Answer); r.Answer == nil {
				return fmt.Errorf("%s: the question is not the entry's", j.Ref)
			}
			switch failed.Kind {
			case assess.FailedTimeOut, assess.FailedRateLimit, assess.FailedEndpoint, assess.FailedNotAccepted:
				inRow++
			}
		case errors.Is(err, ErrBudget):
			stop = err
			return nil
		case err != nil:
			return err
		default:
			if r.Answer, r.Dropped = asker.Check(j.Entry, a); r.Answer == nil {
				return fmt.Errorf("%s: the question is not the entry's", j.Ref)
			}
			inRow = 0
			t.Answered++
			t.Dropped += len(r.Dropped)
		}
		if err := done(r); err != nil {
			return err
		}
		switch {
		case failed == nil || stop != nil: // the first reason to stop is the one to tell
		case failed.Final:
			stop = fmt.Errorf("the model is asked nothing more: %w", failed)
		case inRow >= maxFailures:
			stop = fmt.Errorf("the model is asked nothing more after %d failures in a row: %w", inRow, failed)
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(parallel, 1))
	for _, j := range jobs {
		if ctx.Err() != nil || stopped() {
			break
		}
		g.Go(func() error {
			if ctx.Err() != nil || stopped() {
				return ctx.Err()
			}
			a, err := c.Ask(ctx, j.Question)
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			return finish(j, a, err)
		})
	}
	err := g.Wait()
	t.NotAsked = len(jobs) - t.Answered - t.Failed
	if err == nil && !errors.Is(stop, ErrBudget) {
		err = stop
	}
	return t, err
}
