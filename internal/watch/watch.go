// Package watch follows repositories for as long as it runs: it hears of what happens
// by web hooks and by asking now and then, and has the bot look at it. Nothing is
// remembered that matters: what was missed while it did not run, or could not be
// heard, is found in the state of things when it next asks.
package watch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// A Repository is one that is followed. Its functions are called by one goroutine,
// one at a time, and must do nothing where nothing is to be done.
type Repository struct {
	// Name is what logs and metrics call it, and at GitHub OWNER/NAME, by which web
	// hooks name it, in any case.
	Name    string
	Forge   forge.Forge // asked which pull requests and issues there are
	Review  func(ctx context.Context, number int) error
	Sync    func(ctx context.Context) error
	Respond func(ctx context.Context, number int) error // nil leaves comments and issues alone
	// Outdated lists those of the open pull requests whose review says something else by
	// now, given the rules that they were judged by as it returned them last, "" at
	// first; see bot.Bot. nil leaves each as it is until it is pushed to.
	Outdated func(ctx context.Context, pulls []forge.PullRequest, had string) (numbers []int, rules string, err error)
}

// Options say how to follow. Log and Now are required.
type Options struct {
	Poll time.Duration // how long between two looks at a repository; 0 is 5 minutes
	// Secret is what web hooks are signed with, at least MinSecret bytes; none at all
	// refuses them.
	Secret []byte
	Each   time.Duration // the longest that one piece of work may take; 0 is 10 minutes
	Grace  time.Duration // how long work may go on once all is to stop; 0 is 30 seconds
	Pause  time.Duration // before work that failed is tried again, doubled each time; 0 is 1 second
	Log    *slog.Logger
	Now    func() time.Time
}

// MinSecret is the length of the shortest secret that is taken, in bytes.
const MinSecret = 16

const (
	maxTries = 5               // of one piece of work, until the next look at its repository
	maxPause = 2 * time.Minute // between two tries
)

// A Watcher follows repositories.
type Watcher struct {
	opt        Options
	repos      []*followed
	byName     map[string]*followed
	deliveries *memory
	metrics    *metrics
	reading    chan struct{} // bounds the payloads that are read at a time
	stopping   atomic.Bool
	patience   time.Duration // with whoever is slow to send a header
}

// followed is a repository and what is known of it while this runs. All but the
// queue and asked belongs to the goroutine that works on it.
type followed struct {
	Repository
	queue *queue
	asked atomic.Bool       // the forge answered once
	seen  map[string]string // what pull requests and issues looked like when they were last queued
	head  string            // of the default branch when its sync was last queued
	day   string            // likewise; dated rules judge anew each day
	base  string            // head of the default branch that the open pull requests were last held to
	rules string            // what Outdated returned then
}

// New prepares to follow repositories.
func New(opt Options, repos ...Repository) (*Watcher, error) {
	switch {
	case opt.Log == nil || opt.Now == nil:
		return nil, errors.New("Options.Log or Options.Now is nil")
	case len(repos) == 0:
		return nil, errors.New("there is no repository to follow")
	case len(opt.Secret) > 0 && len(opt.Secret) < MinSecret:
		return nil, fmt.Errorf("the web hook's secret has %d bytes; make one of at least %d", len(opt.Secret), MinSecret)
	}
	opt.Poll = cmp.Or(opt.Poll, 5*time.Minute)
	opt.Each = cmp.Or(opt.Each, 10*time.Minute)
	opt.Grace = cmp.Or(opt.Grace, 30*time.Second)
	opt.Pause = cmp.Or(opt.Pause, time.Second)
	w := &Watcher{
		opt: opt, byName: map[string]*followed{}, deliveries: newMemory(maxDeliveries), metrics: newMetrics(),
		reading: make(chan struct{}, maxReading), patience: 5 * time.Second,
	}
	for _, r := range repos {
		key := strings.ToLower(r.Name)
		if w.byName[key] != nil {
			return nil, fmt.Errorf("%q is named twice; once is enough", r.Name)
		}
		f := &followed{Repository: r, queue: newQueue(), seen: map[string]string{}}
		w.byName[key], w.repos = f, append(w.repos, f)
	}
	return w, nil
}

// Run follows the repositories until ctx is done. Then it takes no more work, lets
// what is being done go on for Options.Grace, and returns; work that had to be broken
// off, or would not end, is an error. Web hooks and questions after its health are
// answered at the listener, which it closes; nil is none.
func (w *Watcher) Run(ctx context.Context, at net.Listener) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	served := make(chan error, 1)
	server := w.server()
	if at != nil {
		go func() { served <- server.Serve(netutil.LimitListener(at, maxConnections)) }()
	}
	var work sync.WaitGroup
	for _, r := range w.repos {
		work.Go(func() { w.follow(ctx, hard, r) })
	}

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
		failed = fmt.Errorf("the server for web hooks stopped: %w", failed)
	}
	w.stopping.Store(true)
	w.opt.Log.Info("stopping", "grace", w.opt.Grace.String())
	if at != nil {
		bound, done := context.WithTimeout(hard, min(w.opt.Grace, 5*time.Second))
		if err := server.Shutdown(bound); err != nil {
			server.Close()
		}
		done()
	}
	if failed != nil { // the rest does not know yet that it is over
		return errors.Join(failed, w.end(&work, cancel, 0))
	}
	return w.end(&work, cancel, w.opt.Grace)
}

// end waits for work to end, breaks off what takes longer than grace, and leaves
// behind what does not end even then.
func (w *Watcher) end(work *sync.WaitGroup, cancel func(), grace time.Duration) error {
	ended := make(chan struct{})
	go func() { work.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(grace):
	}
	cancel()
	select {
	case <-ended:
		return fmt.Errorf("work took longer than %s to end and was broken off; the next run does it again", grace)
	case <-time.After(maxEnd):
		return fmt.Errorf("work was broken off, and did not end within %s; the next run does it again", maxEnd)
	}
}

// maxEnd is how long work may take to notice that it was broken off.
const maxEnd = 5 * time.Second

// follow does a repository's work, in the order it came. No work is begun once ctx
// is done; hard ends what was begun.
func (w *Watcher) follow(ctx, hard context.Context, r *followed) {
	look := time.NewTicker(w.opt.Poll)
	defer look.Stop()
	r.queue.add(bot.Work{Kind: reconcile})
	for ctx.Err() == nil && hard.Err() == nil {
		select { // however much there is to do, it looks in time
		case <-look.C:
			r.queue.add(bot.Work{Kind: reconcile})
		default:
		}
		if item, ok := r.queue.next(); ok {
			w.insist(ctx, hard, r, item)
			continue
		}
		select {
		case <-ctx.Done():
		case <-hard.Done():
		case <-look.C:
			r.queue.add(bot.Work{Kind: reconcile})
		case <-r.queue.wake:
		}
	}
}

// insist does one piece of work, again where it fails. What follows waits for it:
// the order is kept. What fails each time is left for the next look.
func (w *Watcher) insist(ctx, hard context.Context, r *followed, item bot.Work) {
	log := w.opt.Log.With("repository", r.Name, "work", item.String())
	pause := w.opt.Pause
	for try := 1; ; try++ {
		began := w.opt.Now()
		bound, cancel := context.WithTimeout(hard, w.opt.Each)
		err := w.do(bound, r, item)
		late := bound.Err() != nil && hard.Err() == nil
		cancel()
		took := w.opt.Now().Sub(began)
		w.metrics.add("dpgbot_work_seconds_total", took.Seconds(), "repository", r.Name, "kind", string(item.Kind))
		switch {
		case err == nil:
			log.Info("done", "seconds", took.Seconds())
			w.metrics.add("dpgbot_work_total", 1, "repository", r.Name, "kind", string(item.Kind), "outcome", "done")
			w.metrics.set("dpgbot_last_success_timestamp_seconds", float64(w.opt.Now().Unix()), "repository", r.Name)
			return
		case hard.Err() != nil:
			log.Warn("broken off", "error", err.Error())
			return
		case late:
			err = fmt.Errorf("it took longer than %s: %w", w.opt.Each, err)
		}
		w.metrics.add("dpgbot_work_total", 1, "repository", r.Name, "kind", string(item.Kind), "outcome", "failed")
		if try == maxTries {
			log.Error("given up until the next look", "tries", try, "error", err.Error())
			r.forget(item)
			return
		}
		log.Warn("failed", "try", try, "again_in", pause.String(), "error", err.Error())
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		case <-hard.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// forget lets the next look take for new what could not be done.
func (r *followed) forget(item bot.Work) {
	switch item.Kind {
	case bot.WorkSync:
		r.head = ""
	case bot.WorkReview:
		delete(r.seen, pullKey(item.Number))
	case bot.WorkRespond:
		delete(r.seen, pullKey(item.Number))
		delete(r.seen, issueKey(item.Number))
	}
}

func (w *Watcher) do(ctx context.Context, r *followed, item bot.Work) error {
	switch item.Kind {
	case reconcile:
		return w.reconcile(ctx, r)
	case bot.WorkSync:
		if err := r.Sync(ctx); err != nil {
			return err
		}
		if r.Outdated == nil {
			return nil
		}
		main, err := r.Forge.DefaultBranch(ctx)
		if err != nil {
			return err
		}
		head, ok, err := r.Forge.Head(ctx, main)
		if err != nil || !ok || head == r.base {
			return err
		}
		pulls, err := r.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
		if err != nil {
			return err
		}
		return w.outdated(ctx, r, head, pulls)
	case bot.WorkReview:
		return r.Review(ctx, item.Number)
	case bot.WorkRespond:
		return r.Respond(ctx, item.Number)
	case bot.WorkFindHead:
		pulls, err := r.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
		if err != nil {
			return err
		}
		for _, p := range pulls {
			if p.HeadSHA == item.SHA {
				w.add(r, bot.Work{Kind: bot.WorkReview, Number: p.Number})
			}
		}
		return nil
	}
	return fmt.Errorf("%q is no kind of work", item.Kind)
}

// reconcile compares what there is with what was last seen, and queues what differs.
// At first nothing was seen: then the default branch is synced, each open pull
// request is reviewed whose head lacks its check, and what people said is read.
func (w *Watcher) reconcile(ctx context.Context, r *followed) error {
	main, err := r.Forge.DefaultBranch(ctx)
	if err != nil {
		return err
	}
	head, ok, err := r.Forge.Head(ctx, main)
	if err != nil {
		return err
	}
	pulls, err := r.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	if err != nil {
		return err
	}
	var issues []forge.Issue
	if r.Respond != nil {
		if issues, err = r.Forge.Issues(ctx, forge.IssueFilter{State: forge.Open}); err != nil {
			return err
		}
	}
	r.asked.Store(true)

	if day := w.opt.Now().UTC().Format(time.DateOnly); ok && (head != r.head || day != r.day) {
		if w.add(r, bot.Work{Kind: bot.WorkSync}) != refused {
			r.head, r.day = head, day
		}
	}
	seen := map[string]string{} // what is closed now is not carried over
	own := bot.OwnLabels()
	for _, p := range pulls {
		// What the bot itself put there is no news.
		labels := slices.DeleteFunc(slices.Clone(p.Labels), func(l string) bool { return slices.Contains(own, l) })
		key, look := pullKey(p.Number), lookOf(p.HeadSHA, p.Base, p.Draft, labels)
		was, known := r.seen[key]
		fits := true
		if !known && r.Respond != nil {
			fits = w.add(r, bot.Work{Kind: bot.WorkRespond, Number: p.Number}) != refused
		}
		if p.Base == main && was != look {
			has := false
			if !known {
				if _, has, err = r.Forge.Check(ctx, p.HeadSHA, bot.CheckName); err != nil {
					return err
				}
			}
			fits = fits && (has || w.add(r, bot.Work{Kind: bot.WorkReview, Number: p.Number}) != refused)
		}
		if fits {
			seen[key] = look
		}
	}
	for _, i := range issues {
		key, look := issueKey(i.Number), lookOf(i.Title, i.Body, i.Labels)
		if r.seen[key] == look || w.add(r, bot.Work{Kind: bot.WorkRespond, Number: i.Number}) != refused {
			seen[key] = look
		}
	}
	r.seen = seen
	if r.Outdated == nil || !ok || head == r.base {
		return nil
	}
	return w.outdated(ctx, r, head, pulls)
}

// outdated queues a review of those pull requests, of all that are open, whose reviews
// say something else now that the default branch is at head.
func (w *Watcher) outdated(ctx context.Context, r *followed, head string, pulls []forge.PullRequest) error {
	numbers, rules, err := r.Outdated(ctx, pulls, r.rules)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if w.add(r, bot.Work{Kind: bot.WorkReview, Number: n}) == refused {
			return nil // the next look takes it up from here
		}
	}
	r.base, r.rules = head, rules
	return nil
}

func pullKey(number int) string  { return fmt.Sprintf("pull %d", number) }
func issueKey(number int) string { return fmt.Sprintf("issue %d", number) }

// lookOf is short however long the parts are, and differs where they do.
func lookOf(parts ...any) string {
	data, err := json.Marshal(parts)
	if err != nil { // none of the parts can fail
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

func (w *Watcher) add(r *followed, item bot.Work) outcome {
	if item.Kind == bot.WorkRespond && r.Respond == nil {
		return coalesced
	}
	o := r.queue.add(item)
	w.metrics.add("dpgbot_queued_total", 1, "repository", r.Name, "outcome", string(o))
	if o == refused {
		w.opt.Log.Warn("the queue is full; what is missed now is found by the next look", "repository", r.Name, "work", item.String())
	}
	return o
}

// server has a time for everything, so that nobody keeps a connection for nothing.
func (w *Watcher) server() *http.Server {
	return &http.Server{
		Handler:           w.Handler(),
		ReadHeaderTimeout: w.patience,
		ReadTimeout:       3 * w.patience,
		WriteTimeout:      3 * w.patience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(w.opt.Log.Handler(), slog.LevelWarn),
	}
}

// maxConnections bounds who is listened to at a time.
const maxConnections = 200
