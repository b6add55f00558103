package github

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxTries is how often a request is sent at most.
const maxTries = 4

// authorized adds the token to what goes to the API, and to nothing else: a
// redirect may lead anywhere.
type authorized struct {
	next   http.RoundTripper
	host   string
	tokens Tokens
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != a.host {
		return a.next.RoundTrip(r)
	}
	token, err := a.tokens.Token(r.Context())
	if err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	r = r.Clone(r.Context())
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return a.next.RoundTrip(r)
}

// A patient transport repeats what is safe to repeat, waits where GitHub says so, and asks
// again for what it has only whether it changed, which costs nothing of the rate
// limit. A write whose answer is lost is not repeated here: whoever wrote looks
// first whether it took effect.
type patient struct {
	next    http.RoundTripper
	now     func() time.Time
	maxWait time.Duration
	log     func(format string, args ...any)

	mu   sync.Mutex
	seen map[string]*seen // by address
	held int              // bytes in seen
}

// seen is an answer to a GET that has a version.
type seen struct {
	etag   string
	header http.Header
	body   []byte
}

// maxSeen bounds the answers that are kept, in bytes; beyond it they are dropped and
// asked for anew.
const maxSeen = 32 << 20

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 64 << 20

func (t *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.URL.String()
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	var old *seen
	if r.Method == http.MethodGet {
		t.mu.Lock()
		old = t.seen[key]
		t.mu.Unlock()
	}
	for try := 1; ; try++ {
		req := r.Clone(r.Context())
		if r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			req.Body = body
		}
		if old != nil {
			req.Header.Set("If-None-Match", old.etag)
		}
		resp, err := t.next.RoundTrip(req)
		wait, again := t.again(resp, err, read, try)
		if !again || try == maxTries || r.Context().Err() != nil {
			if err != nil {
				return nil, err
			}
			return t.keep(key, r, old, resp)
		}
		if resp != nil {
			io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
			resp.Body.Close()
		}
		if wait >= time.Second {
			t.log("GitHub asks to wait %s", wait.Round(time.Second))
		}
		timer := time.NewTimer(wait)
		select {
		case <-r.Context().Done():
			timer.Stop()
			return nil, r.Context().Err()
		case <-timer.C:
		}
	}
}

// again says whether to send a request once more, and after how long.
func (t *patient) again(resp *http.Response, err error, read bool, try int) (time.Duration, bool) {
	pause := time.Duration(1<<try) * 100 * time.Millisecond
	if err != nil {
		return pause, read
	}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusTooManyRequests: // nothing was done, so a write may be sent again too
		wait, limited := t.limited(resp.Header)
		return wait, limited && wait <= t.maxWait
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return pause, read
	}
	return 0, false
}

// limited reads GitHub's two rate limits: a secondary one says how long to wait, the
// primary one when it starts anew.
func (t *patient) limited(h http.Header) (time.Duration, bool) {
	if s := h.Get("Retry-After"); s != "" {
		n, err := strconv.Atoi(s)
		return time.Duration(max(n, 0)) * time.Second, err == nil
	}
	if h.Get("X-RateLimit-Remaining") != "0" {
		return 0, false
	}
	at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	return max(time.Unix(at, 0).Sub(t.now()), 0) + time.Second, true
}

// keep remembers a versioned answer, or gives the one remembered.
func (t *patient) keep(key string, r *http.Request, old *seen, resp *http.Response) (*http.Response, error) {
	if resp.StatusCode == http.StatusNotModified && old != nil {
		resp.Body.Close()
		header := old.header.Clone()
		for name, values := range resp.Header { // the rate limit's are the new ones
			if strings.HasPrefix(name, "X-Ratelimit-") {
				header[name] = values
			}
		}
		resp.StatusCode, resp.Status, resp.Header = http.StatusOK, "200 OK", header
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(old.body)), int64(len(old.body))
		return resp, nil
	}
	etag := resp.Header.Get("ETag")
	if r.Method != http.MethodGet || resp.StatusCode != http.StatusOK || etag == "" {
		resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errLong
	}
	t.mu.Lock()
	if t.held+len(body) > maxSeen {
		t.seen, t.held = nil, 0
	}
	if t.seen == nil {
		t.seen = map[string]*seen{}
	}
	if had := t.seen[key]; had != nil {
		t.held -= len(had.body)
	}
	t.seen[key] = &seen{etag, resp.Header.Clone(), body}
	t.held += len(body)
	t.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

var errLong = fmt.Errorf("GitHub's answer has more than %d bytes", maxAnswer)

// bounded fails where an answer goes on too long.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
