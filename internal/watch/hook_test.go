package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

const secret = "0123456789abcdef-secret"

func sign(body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func opened(number int) string {
	return fmt.Sprintf(`{"action":"opened","pull_request":{"number":%d},"repository":{"full_name":"Octo/Registry","default_branch":"main"}}`, number)
}

// quiet is a watcher of octo/registry that is not running: what is delivered stays
// queued.
func quiet(t testing.TB, change func(*Options)) (*Watcher, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	opt := Options{Secret: []byte(secret), Log: slog.New(slog.NewJSONHandler(log, nil)), Now: noon}
	if change != nil {
		change(&opt)
	}
	w, err := New(opt, Repository{Name: "octo/registry", Respond: func(context.Context, int) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return w, log
}

func noon() time.Time { return time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC) }

// deliver sends a delivery as GitHub does; set changes it.
func deliver(h http.Handler, id, event, body string, set func(*http.Request)) (status int, text string) {
	r := httptest.NewRequest("POST", "/hook", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", sign(body))
	if set != nil {
		set(r)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func TestHook(t *testing.T) {
	body := opened(7)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	old := hmac.New(sha1.New, []byte(secret))
	old.Write([]byte(body))
	sha1Sum := "sha1=" + hex.EncodeToString(old.Sum(nil))

	for _, tt := range []struct {
		name, event, body string
		set               func(*http.Request)
		status            int
		waits             int // work in the queue afterwards
	}{
		{"signed", "pull_request", body, nil, 202, 1},
		{"signed, upper case", "pull_request", body, header("X-Hub-Signature-256", "sha256="+strings.ToUpper(sign(body)[7:])), 202, 1},
		{"content type with a charset", "pull_request", body, header("Content-Type", "application/json; charset=utf-8"), 202, 1},
		{"not signed", "pull_request", body, without("X-Hub-Signature-256"), 401, 0},
		{"signed with nothing", "pull_request", body, header("X-Hub-Signature-256", "sha256="), 401, 0},
		{"another payload's signature", "pull_request", body, header("X-Hub-Signature-256", sign(opened(8))), 401, 0},
		{"cut off", "pull_request", body, header("X-Hub-Signature-256", sign(body)[:60]), 401, 0},
		{"one bit off", "pull_request", body, header("X-Hub-Signature-256", flip(sign(body))), 401, 0},
		{"too long", "pull_request", body, header("X-Hub-Signature-256", sign(body)+"00"), 401, 0},
		{"no digits", "pull_request", body, header("X-Hub-Signature-256", "sha256="+strings.Repeat("g", 64)), 401, 0},
		{"no name", "pull_request", body, header("X-Hub-Signature-256", sign(body)[7:]), 401, 0},
		{"SHA-1 in its place", "pull_request", body, header("X-Hub-Signature-256", sha1Sum), 401, 0},
		{"SHA-1 only", "pull_request", body, func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", sha1Sum)
		}, 401, 0},
		{"two signatures", "pull_request", body, func(r *http.Request) {
			r.Header["X-Hub-Signature-256"] = []string{sign(opened(8)), sign(body)}
		}, 401, 0},
		{"form", "pull_request", body, header("Content-Type", "application/x-www-form-urlencoded"), 415, 0},
		{"no id", "pull_request", body, without("X-GitHub-Delivery"), 400, 0},
		{"long id", "pull_request", body, header("X-GitHub-Delivery", strings.Repeat("x", 101)), 400, 0},
		{"too much", "pull_request", `{"x":"` + strings.Repeat("y", maxPayload) + `"}`, nil, 413, 0},
		{"no JSON", "pull_request", "hello", nil, 400, 0},
		{"wrong shape", "pull_request", `{"action":"opened","pull_request":{"number":"7"}}`, nil, 400, 0},
		{"another repository", "pull_request", strings.Replace(body, "Octo/", "Evil/", 1), nil, 202, 0},
		{"no repository", "pull_request", `{"action":"opened","pull_request":{"number":7}}`, nil, 202, 0},
		{"ping", "ping", `{"zen":"x"}`, nil, 202, 0},
		{"not acted on", "star", `{"action":"created"}`, nil, 202, 0},
		{"read instead", "pull_request", body, func(r *http.Request) { r.Method = "GET" }, 405, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, log := quiet(t, nil)
			status, text := deliver(w.Handler(), "id-1", tt.event, tt.body, tt.set)
			if status != tt.status || w.repos[0].queue.len() != tt.waits {
				t.Errorf("answer %d %q with %d queued, want %d with %d", status, text, w.repos[0].queue.len(), tt.status, tt.waits)
			}
			if said := log.String() + text; strings.Contains(said, secret) {
				t.Errorf("the secret is told: %s", said)
			}
		})
	}
}

func flip(sig string) string {
	last := byte('0')
	if sig[len(sig)-1] == '0' {
		last = '1'
	}
	return sig[:len(sig)-1] + string(last)
}

func TestHookWithoutSecret(t *testing.T) {
	w, _ := quiet(t, func(o *Options) { o.Secret = nil })
	empty := hmac.New(sha256.New, nil)
	empty.Write([]byte(opened(7)))
	status, _ := deliver(w.Handler(), "id", "pull_request", opened(7), func(r *http.Request) {
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(empty.Sum(nil)))
	})
	if status != http.StatusNotFound || w.repos[0].queue.len() != 0 {
		t.Errorf("a hook signed with the empty secret: %d, %d queued", status, w.repos[0].queue.len())
	}
	if _, err := New(Options{Secret: []byte("short"), Log: slog.Default(), Now: noon}, Repository{Name: "x"}); err == nil {
		t.Error("a secret of five bytes is taken")
	}
}

// Where nobody answers comments, they are not queued.
func TestCommentsLeftAlone(t *testing.T) {
	comment := `{"action":"created","issue":{"number":3},"repository":{"full_name":"octo/registry"}}`
	w, _ := quiet(t, nil)
	if status, text := deliver(w.Handler(), "a", "issue_comment", comment, nil); status != 202 || text != "queued\n" {
		t.Errorf("answered: %d %q", status, text)
	}
	w.repos[0].Respond = nil
	if status, text := deliver(w.Handler(), "b", "issue_comment", comment, nil); status != 202 || w.repos[0].queue.len() != 1 {
		t.Errorf("left alone: %d %q, %d queued", status, text, w.repos[0].queue.len())
	}
}

// A delivery counts once; an equal one that waits already is not queued again.
func TestRepeatedDelivery(t *testing.T) {
	w, _ := quiet(t, nil)
	h := w.Handler()
	for i, tt := range []struct {
		id   string
		pull int
		want string
	}{
		{"a", 7, "queued"},
		{"a", 7, "delivered before"},
		{"a", 8, "delivered before"},
		{"b", 7, "coalesced"},
		{"c", 8, "queued"},
	} {
		if status, text := deliver(h, tt.id, "pull_request", opened(tt.pull), nil); status != 202 || strings.TrimSpace(text) != tt.want {
			t.Errorf("delivery %d: %d %q, want %q", i, status, text, tt.want)
		}
	}
	if n := w.repos[0].queue.len(); n != 2 {
		t.Errorf("%d queued, want 2", n)
	}
}

// However much comes while nothing can be done, only so much is kept.
func TestBurst(t *testing.T) {
	w, _ := quiet(t, func(o *Options) { o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	h := w.Handler()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	count := map[int]int{}
	for i := range 10_000 {
		status, _ := deliver(h, fmt.Sprintf("burst-%d", i), "pull_request", opened(i+1), nil)
		count[status]++
	}
	for i := range 10_000 { // remembered ids make room for new ones
		deliver(h, fmt.Sprintf("again-%d", i), "pull_request", opened(1), nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if count[202] != maxQueue || count[503] != 10_000-maxQueue || w.repos[0].queue.len() != maxQueue {
		t.Errorf("answers %v, %d queued", count, w.repos[0].queue.len())
	}
	if n := len(w.deliveries.has); n != maxDeliveries {
		t.Errorf("%d ids remembered, want %d", n, maxDeliveries)
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("20,000 deliveries left %d KiB on the heap", grown>>10)
	if grown > 8<<20 {
		t.Errorf("20,000 deliveries left %d bytes on the heap", grown)
	}
	// What did not fit makes the next look, and a refused delivery may come again.
	if _, ok := w.repos[0].queue.next(); !ok {
		t.Fatal("nothing is queued")
	}
	if last := w.repos[0].queue.list[maxQueue-1]; last.Kind != reconcile {
		t.Errorf("at the end waits %s, want a look", last)
	}
	w.repos[0].queue.next()
	if status, text := deliver(h, "burst-9999", "pull_request", opened(10_000), nil); status != 202 || text != "queued\n" {
		t.Errorf("delivered again: %d %q", status, text)
	}
	runtime.KeepAlive(w)
}

func TestMetrics(t *testing.T) {
	w, _ := quiet(t, nil)
	h := w.Handler()
	deliver(h, "a", "pull_request", opened(7), nil)
	deliver(h, "a", "pull_request", opened(7), nil)
	w.metrics.set("dpgbot_queue_length", 1, "repository", "a\"b\\c\nd")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	want := `# HELP dpgbot_deliveries_total Web hook deliveries, by what became of them.
# TYPE dpgbot_deliveries_total counter
dpgbot_deliveries_total{outcome="queued"} 1
dpgbot_deliveries_total{outcome="repeated"} 1
# HELP dpgbot_queue_length Work that waits.
# TYPE dpgbot_queue_length gauge
dpgbot_queue_length{repository="a\"b\\c\nd"} 1
dpgbot_queue_length{repository="octo/registry"} 1
# HELP dpgbot_queued_total Work that was to be queued, by whether it was.
# TYPE dpgbot_queued_total counter
dpgbot_queued_total{repository="octo/registry",outcome="queued"} 1
`
	if got := rec.Body.String(); got != want {
		t.Errorf("metrics:\n%s\nwant:\n%s", got, want)
	}
}

// Whoever sends a header a letter at a time is hung up on.
func TestSlowSender(t *testing.T) {
	w, _ := quiet(t, nil)
	w.patience = 200 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := w.server()
	go server.Serve(l)
	defer server.Close()
	for _, tt := range []struct{ name, begin string }{
		{"header", "POST /hook HTTP/1.1\r\nHost: x\r\nX-A: "},
		{"body", "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Hub-Signature-256: " + sign("x") + "\r\nContent-Length: 1000\r\n\r\n{"},
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(c, tt.begin); err != nil {
			t.Fatal(err)
		}
		// The server ends it; if it did not, the deadline would.
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
