package watch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/bot"
)

const (
	maxPayload    = 5 << 20 // bytes; GitHub sends up to 25 MiB, of which the bot needs a few hundred bytes
	maxReading    = 16      // payloads that are read at a time
	maxDeliveries = 10_000  // ids that are remembered
)

// Handler answers POST /hook, and GET /healthz, /readyz and /metrics.
func (w *Watcher) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", w.hook)
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { say(rw, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", w.ready)
	mux.HandleFunc("GET /metrics", func(rw http.ResponseWriter, _ *http.Request) {
		for _, r := range w.repos {
			w.metrics.set("dpgbot_queue_length", float64(r.queue.len()), "repository", r.Name)
		}
		rw.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		rw.Write(w.metrics.text()) // made before, so that a slow reader holds up nobody
	})
	return mux
}

func say(rw http.ResponseWriter, status int, text string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	rw.WriteHeader(status)
	io.WriteString(rw, text+"\n")
}

// ready tells whether each repository's forge has answered since this began.
func (w *Watcher) ready(rw http.ResponseWriter, _ *http.Request) {
	var waits []string
	for _, r := range w.repos {
		if !r.asked.Load() {
			waits = append(waits, r.Name)
		}
	}
	switch {
	case w.stopping.Load():
		say(rw, http.StatusServiceUnavailable, "stopping")
	case len(waits) > 0:
		say(rw, http.StatusServiceUnavailable, "not asked yet: "+strings.Join(waits, ", "))
	default:
		say(rw, http.StatusOK, "ok")
	}
}

// hook takes what GitHub delivers. It only queues: an answer never waits for work.
func (w *Watcher) hook(rw http.ResponseWriter, r *http.Request) {
	status, result, text := w.deliver(rw, r)
	w.metrics.add("dpgbot_deliveries_total", 1, "outcome", result)
	w.opt.Log.Info("delivery", "outcome", result, "status", status, "id", clip(r.Header.Get("X-GitHub-Delivery")), "event", clip(r.Header.Get("X-GitHub-Event")))
	if status == http.StatusServiceUnavailable {
		rw.Header().Set("Retry-After", "30")
	}
	say(rw, status, text)
}

// deliver returns the answer and, for the counters, one word for it.
func (w *Watcher) deliver(rw http.ResponseWriter, r *http.Request) (status int, result, text string) {
	if len(w.opt.Secret) == 0 {
		return http.StatusNotFound, "off", "web hooks are off: no secret is set"
	}
	if w.stopping.Load() {
		return http.StatusServiceUnavailable, "stopping", "stopping"
	}
	want, ok := signature(r.Header)
	if !ok {
		return http.StatusUnauthorized, "unsigned", "X-Hub-Signature-256 is missing or is not sha256= with 64 hexadecimal digits; set the web hook's secret"
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, "content-type", "set the web hook's content type to application/json"
	}
	select {
	case w.reading <- struct{}{}:
		defer func() { <-w.reading }()
	default:
		return http.StatusServiceUnavailable, "busy", "too many deliveries at a time"
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxPayload))
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		return http.StatusRequestEntityTooLarge, "too-long", fmt.Sprintf("the payload is longer than %d bytes", maxPayload)
	} else if err != nil {
		return http.StatusBadRequest, "broken", "the payload did not arrive whole"
	}
	mac := hmac.New(sha256.New, w.opt.Secret)
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), want) {
		return http.StatusUnauthorized, "wrong-signature", "the signature does not fit; the web hook has another secret"
	}
	id := r.Header.Get("X-GitHub-Delivery")
	if id == "" || len(id) > 100 {
		return http.StatusBadRequest, "malformed", "X-GitHub-Delivery is missing or too long"
	}
	ev, err := bot.ReadEvent(r.Header.Get("X-GitHub-Event"), body)
	if err != nil {
		return http.StatusBadRequest, "malformed", err.Error()
	}
	to := w.byName[strings.ToLower(ev.Repository)]
	switch {
	case ev.Work == nil:
		return http.StatusAccepted, "ignored", "nothing to do"
	case to == nil:
		return http.StatusAccepted, "not-followed", "this repository is not followed here"
	case ev.Work.Kind == bot.WorkRespond && to.Respond == nil:
		return http.StatusAccepted, "ignored", "comments and issues are not answered here"
	case !w.deliveries.add(id):
		return http.StatusAccepted, "repeated", "delivered before"
	}
	o := w.add(to, *ev.Work)
	if o == refused {
		w.deliveries.drop(id) // so that it may be delivered again
		return http.StatusServiceUnavailable, string(o), "the queue is full"
	}
	return http.StatusAccepted, string(o), string(o)
}

// signature reads the one header that counts. GitHub's older one is SHA-1, and never
// taken in its place.
func signature(h http.Header) ([]byte, bool) {
	values := h.Values("X-Hub-Signature-256")
	if len(values) != 1 {
		return nil, false
	}
	digits, ok := strings.CutPrefix(values[0], "sha256=")
	sum, err := hex.DecodeString(digits)
	return sum, ok && err == nil && len(sum) == sha256.Size
}

// clip bounds what strangers put into the log.
func clip(s string) string { return s[:min(len(s), 100)] }

// A memory knows the last so many ids.
type memory struct {
	mu   sync.Mutex
	has  map[string]bool
	ring []string
	at   int
}

func newMemory(size int) *memory { return &memory{has: map[string]bool{}, ring: make([]string, size)} }

// add remembers an id; it reports false if it was there.
func (m *memory) add(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has[id] {
		return false
	}
	delete(m.has, m.ring[m.at])
	m.ring[m.at] = strings.Clone(id)
	m.has[m.ring[m.at]] = true
	m.at = (m.at + 1) % len(m.ring)
	return true
}

// drop forgets an id.
func (m *memory) drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.has, id)
}
