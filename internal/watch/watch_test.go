package watch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// A place is a local forge with a small registry on main, and the bot.
type place struct {
	t     *testing.T
	name  string
	dir   string
	local *forge.Local
	ada   *forge.Local // a contributor's view
	work  string       // Ada's clone

	mu   sync.Mutex
	done []string // what was done, in order
}

const goodEntry = `schema: resource/v1
id: %s
name: Guide %s
url: https://%s.example.org/
status: {stage: listed, as_of: 2026-01-15}
`

func newPlace(t *testing.T, name string) *place {
	t.Helper()
	testgit.Need(t)
	p := &place{t: t, name: name, dir: filepath.Join(t.TempDir(), "forge")}
	local, err := forge.InitLocal(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { local.Close() })
	p.local, p.ada = local, local.As(forge.User{Login: "ada", ID: 1})
	p.work = t.TempDir()
	p.git("init", "-q", "-b", "main")
	p.push("main", "registry/resources/first.yaml", fmt.Sprintf(goodEntry, "first", "First", "first"))
	return p
}

func (p *place) git(args ...string) string {
	p.t.Helper()
	return (&testgit.Work{Dir: p.work, Date: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)}).Git(p.t, args...)
}

// push commits a file to a branch, which begins at main.
func (p *place) push(branch, name, text string) (sha string) {
	p.t.Helper()
	if branch != "main" && p.git("branch", "--list", branch) == "" {
		p.git("branch", "-q", branch, "main")
	}
	if branch != "main" || p.git("branch", "--list", "main") != "" {
		p.git("checkout", "-q", branch)
	}
	at := filepath.Join(p.work, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.git("add", "-A")
	p.git("commit", "-q", "-m", "change "+name)
	p.git("push", "-q", filepath.Join(p.dir, "repo.git"), branch)
	return p.git("rev-parse", "HEAD")
}

// open pushes an entry to a branch of its own and opens a pull request of it.
func (p *place) open(id string) (number int, sha string) {
	p.t.Helper()
	sha = p.push(id, "registry/resources/"+id+".yaml", fmt.Sprintf(goodEntry, id, id, id))
	pr, err := p.ada.Open(p.t.Context(), forge.NewPullRequest{Title: "Add " + id, Head: id, Base: "main"})
	if err != nil {
		p.t.Fatal(err)
	}
	return pr.Number, sha
}

func (p *place) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, what)
}

func (p *place) did() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.done)
}

// repository is the place with the real bot at it.
func (p *place) repository() Repository {
	b := &bot.Bot{Forge: p.local, AsOf: "2026-06-30"}
	return Repository{
		Name: p.name, Forge: p.local, Outdated: b.Outdated,
		Review: func(ctx context.Context, number int) error {
			_, err := b.Review(ctx, number)
			p.note(fmt.Sprintf("review %d", number))
			return err
		},
		Sync: func(ctx context.Context) error {
			_, err := b.Sync(ctx)
			p.note("sync")
			return err
		},
	}
}

func (p *place) checked(sha string) bool {
	p.t.Helper()
	_, ok, err := p.local.Check(p.t.Context(), sha, bot.CheckName)
	if err != nil {
		p.t.Fatal(err)
	}
	return ok
}

// A running watcher.
type running struct {
	t    *testing.T
	w    *Watcher
	stop context.CancelFunc
	end  chan error
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func run(t *testing.T, opt Options, at net.Listener, repos ...Repository) *running {
	t.Helper()
	r := &running{t: t, end: make(chan error, 1), log: new(lockedBuffer)}
	opt.Poll, opt.Pause = cmp.Or(opt.Poll, time.Hour), cmp.Or(opt.Pause, time.Millisecond)
	opt.Secret, opt.Log, opt.Now = []byte(secret), slog.New(slog.NewJSONHandler(r.log, nil)), noon
	var err error
	if r.w, err = New(opt, repos...); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.end <- r.w.Run(ctx, at) }()
	t.Cleanup(stop)
	return r
}

// wait ends it and returns what Run said.
func (r *running) wait() error {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.end:
		return err
	case <-time.After(time.Minute):
		r.t.Fatalf("it does not stop:\n%s", r.log)
		return nil
	}
}

// until waits for something to come true.
func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not in half a minute: %s\n%s", what, r.log)
		}
	}
}

// A second watcher knows nothing of the first: it does what is left, and no more.
func TestRestart(t *testing.T) {
	p := newPlace(t, "here")
	one, oneSHA := p.open("one")
	r := run(t, Options{}, nil, p.repository())
	r.until("the first review", func() bool { return p.checked(oneSHA) })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := p.did(), []string{"sync", fmt.Sprintf("review %d", one)}; !slices.Equal(got, want) {
		t.Errorf("the first did %q, want %q", got, want)
	}
	comments, err := p.local.Comments(t.Context(), one)
	if err != nil || len(comments) != 1 {
		t.Errorf("%d comments on %d, %v", len(comments), one, err)
	}

	two, twoSHA := p.open("two")
	p.done = nil
	r = run(t, Options{Poll: 20 * time.Millisecond}, nil, p.repository())
	r.until("the second review", func() bool { return p.checked(twoSHA) })
	newSHA := p.push("one", "registry/resources/one.yaml", fmt.Sprintf(goodEntry, "one", "Better", "one"))
	r.until("a review of what was pushed, by looking", func() bool { return p.checked(newSHA) })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := p.did(), []string{"sync", fmt.Sprintf("review %d", two), fmt.Sprintf("review %d", one)}; !slices.Equal(got, want) {
		t.Errorf("the second did %q, want %q", got, want)
	}
}

// What judges changes on the default branch, or it gets an entry that a pull request
// brings: those that this is about are reviewed again, in their order, and no others;
// also where it happened while nothing ran.
func TestBaseMoves(t *testing.T) {
	p := newPlace(t, "octo/registry")
	policy := "schema: policy/v1\nlicenses: {software: [{expression: MIT, accepted_from: 2020-01-01, reason: %s}]}\n"
	p.push("main", "registry/policy.yaml", fmt.Sprintf(policy, "first"))
	one, oneSHA := p.open("one")
	two, twoSHA := p.open("two")
	check := func(sha string) forge.Check {
		c, _, err := p.local.Check(t.Context(), sha, bot.CheckName)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{}, at, p.repository())
	r.until("both reviews", func() bool { return p.checked(oneSHA) && p.checked(twoSHA) })
	pushes := 0
	pushed := func() { // and GitHub says so
		t.Helper()
		pushes++
		body := `{"ref":"refs/heads/main","deleted":false,"repository":{"full_name":"octo/registry","default_branch":"main"}}`
		if got := post(t, at, fmt.Sprint("push-", pushes), "push", body); got != 202 {
			t.Fatalf("delivery: %d", got)
		}
	}
	syncs := func() int {
		n := 0
		for _, d := range p.did() {
			if d == "sync" {
				n++
			}
		}
		return n
	}
	idle := func(want int) func() bool {
		return func() bool { return syncs() >= want && r.w.repos[0].queue.len() == 0 }
	}

	p.push("main", "registry/resources/third.yaml", fmt.Sprintf(goodEntry, "third", "Third", "third"))
	pushed()
	r.until("a sync of what was merged", idle(2))
	was := check(oneSHA)
	p.push("main", "registry/policy.yaml", fmt.Sprintf(policy, "second"))
	pushed()
	r.until("reviews by another policy", func() bool { return check(oneSHA).Summary != was.Summary && check(twoSHA).Summary != was.Summary })
	p.push("main", "registry/resources/two.yaml", fmt.Sprintf(goodEntry, "two", "Other", "other"))
	pushed()
	r.until("a review of the clash", func() bool { return check(twoSHA).Conclusion == forge.Failure })
	r.until("all is done", idle(4))
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	reviews := func() []string {
		return slices.DeleteFunc(p.did(), func(d string) bool { return d == "sync" })
	}
	review := func(numbers ...int) (all []string) {
		for _, n := range numbers {
			all = append(all, fmt.Sprintf("review %d", n))
		}
		return all
	}
	if got, want := reviews(), review(one, two, one, two, two); !slices.Equal(got, want) {
		t.Errorf("it did %q, want %q", got, want)
	}

	p.done = nil
	was = check(twoSHA)
	p.push("main", "registry/policy.yaml", fmt.Sprintf(policy, "third"))
	r = run(t, Options{}, nil, p.repository())
	r.until("reviews of what changed meanwhile", func() bool { return check(twoSHA).Summary != was.Summary })
	r.until("all is done", func() bool { return r.w.repos[0].queue.len() == 0 })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := reviews(), review(one, two); !slices.Equal(got, want) {
		t.Errorf("after a restart it did %q, want %q", got, want)
	}
}

// Events that come late or in another order end in the same state.
func TestOutOfOrder(t *testing.T) {
	p := newPlace(t, "octo/registry")
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{}, at, p.repository())
	r.until("ready", func() bool { return status(t, at, "/readyz") == 200 && len(p.did()) == 1 })
	number, oldSHA := p.open("one")
	newSHA := p.push("one", "registry/resources/one.yaml", fmt.Sprintf(goodEntry, "one", "Better", "one"))
	for i, event := range []struct{ name, body string }{
		{"workflow_run", fmt.Sprintf(`{"action":"completed","workflow_run":{"event":"pull_request","head_sha":%q},"repository":{"full_name":"octo/registry"}}`, newSHA)},
		{"pull_request", strings.Replace(opened(number), "opened", "synchronize", 1)},
		{"pull_request", opened(number)},
		{"workflow_run", fmt.Sprintf(`{"action":"completed","workflow_run":{"event":"pull_request","head_sha":%q},"repository":{"full_name":"octo/registry"}}`, oldSHA)},
	} {
		if got := post(t, at, fmt.Sprint("id-", i), event.name, event.body); got != 202 {
			t.Errorf("event %d: %d", i, got)
		}
	}
	r.until("a check of the newest commit", func() bool { return p.checked(newSHA) })
	r.until("all is done", func() bool { return r.w.repos[0].queue.len() == 0 })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if p.checked(oldSHA) {
		t.Error("the old commit was checked after the new one was pushed")
	}
	if comments, err := p.local.Comments(t.Context(), number); err != nil || len(comments) != 1 {
		t.Errorf("%d comments, %v", len(comments), err)
	}
	if strings.Contains(r.log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func status(t *testing.T, at net.Listener, path string) int {
	t.Helper()
	resp, err := http.Get("http://" + at.Addr().String() + path)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func post(t *testing.T, at net.Listener, id, event, body string) int {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+at.Addr().String()+"/hook", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-Hub-Signature-256": sign(body)} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// One repository whose work hangs holds up neither the other nor the answers.
func TestOneHangs(t *testing.T) {
	stuck, well := newPlace(t, "octo/stuck"), newPlace(t, "octo/well")
	_, sha := well.open("one")
	hangs := stuck.repository()
	hangs.Sync = func(ctx context.Context) error {
		stuck.note("sync")
		<-ctx.Done()
		return ctx.Err()
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Grace: 50 * time.Millisecond}, at, hangs, well.repository())
	r.until("one hangs", func() bool { return len(stuck.did()) == 1 })
	r.until("the other is reviewed", func() bool { return well.checked(sha) })
	body := strings.Replace(opened(1), "Octo/Registry", "octo/stuck", 1)
	// What hangs hangs until the stop: that there is an answer at all says that it was not waited for.
	if got := post(t, at, "a", "pull_request", body); got != 202 {
		t.Errorf("answer %d", got)
	}
	if status(t, at, "/healthz") != 200 {
		t.Error("not healthy")
	}
	if err := r.wait(); err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("stopped with %v, want that work was broken off", err)
	}
	if got := stuck.did(); len(got) != 1 {
		t.Errorf("after the stop it did %q", got)
	}
	noneLeft(t)
}

// What is begun is ended; what waits is not begun.
func TestStopDuringWork(t *testing.T) {
	p := newPlace(t, "here")
	p.open("one")
	repo := p.repository()
	begun, finish := make(chan bool, 1), make(chan bool)
	sync := repo.Sync
	repo.Sync = func(ctx context.Context) error {
		begun <- true
		<-finish
		return errors.Join(ctx.Err(), sync(ctx))
	}
	r := run(t, Options{}, nil, repo)
	<-begun
	r.stop()
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	if err := r.wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if got := p.did(); !slices.Equal(got, []string{"sync"}) {
		t.Errorf("it did %q, want the sync alone", got)
	}
	noneLeft(t)
}

// noneLeft fails if a goroutine of this package is left behind.
func noneLeft(t *testing.T) {
	t.Helper()
	var left []string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		left = nil
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "internal/watch.(*Watcher)") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("left behind:\n%s", strings.Join(left, "\n\n"))
}

// What fails is tried again before anything else, a few times, and again by the next
// look; equal work that comes meanwhile is done once.
func TestFailures(t *testing.T) {
	p := newPlace(t, "here")
	number, sha := p.open("one")
	repo := p.repository()
	review := repo.Review
	var mu sync.Mutex
	failures := maxTries + 2
	repo.Review = func(ctx context.Context, n int) error {
		mu.Lock()
		failures--
		fails := failures >= 0
		mu.Unlock()
		if fails {
			p.note("failed")
			return errors.New("the forge is away")
		}
		return review(ctx, n)
	}
	r := run(t, Options{Poll: 50 * time.Millisecond}, nil, repo)
	r.until("the review", func() bool { return p.checked(sha) })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	want := append([]string{"sync"}, slices.Repeat([]string{"failed"}, maxTries+2)...)
	want = append(want, fmt.Sprintf("review %d", number))
	if got := p.did(); !slices.Equal(got, want) {
		t.Errorf("it did %q, want %q", got, want)
	}
	if n := strings.Count(r.log.String(), "given up until the next look"); n != 1 {
		t.Errorf("given up %d times:\n%s", n, r.log)
	}
	if !strings.Contains(string(r.w.metrics.text()), fmt.Sprintf(`dpgbot_work_total{repository="here",kind="review",outcome="failed"} %d`, maxTries+2)) {
		t.Errorf("metrics:\n%s", r.w.metrics.text())
	}
}

// Work that takes too long is broken off, and counts as failed.
func TestTooLong(t *testing.T) {
	p := newPlace(t, "here")
	repo := p.repository()
	first := true
	repo.Sync = func(ctx context.Context) error {
		if first {
			first = false
			<-ctx.Done()
			return ctx.Err()
		}
		p.note("sync")
		return nil
	}
	r := run(t, Options{Each: 300 * time.Millisecond}, nil, repo)
	r.until("the second try", func() bool { return len(p.did()) == 1 })
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.log.String(), "it took longer than 300ms") {
		t.Errorf("log:\n%s", r.log)
	}
}
