package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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

var errElsewhere = errors.New("GitHub leads elsewhere, where the token must not go")

// oneHost sends nothing to anywhere else.
type oneHost struct {
	next http.RoundTripper
	host string
}

func (o *oneHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != o.host {
		return nil, fmt.Errorf("%w: to %q", errElsewhere, r.URL.Host)
	}
	return o.next.RoundTrip(r)
}

// A patient transport repeats what is safe to repeat, waits where GitHub says so, and asks
// again for what it has only whether it changed, which costs nothing of the rate
// limit. A write whose answer is lost is not repeated here: whoever wrote looks
// first whether it took effect.
type patient struct {
	next    http.RoundTripper
	host    string // of the API; what leads elsewhere is not followed
	now     func() time.Time
	timeout time.Duration // of one try
	maxWait time.Duration
	log     func(format string, args ...any)

	mu      sync.Mutex
	seen    map[string]*seen // by address
	held    int              // bytes in seen
	renamed bool             // it was said that the repository has another name
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

// maxHops is how often a request is sent on to another address.
const maxHops = 5

func (t *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.URL.String()
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	var old *seen
	if r.Method == http.MethodGet {
		t.mu.Lock()
		old = t.seen[key]
		t.mu.Unlock()
	}
	at, hops := r.URL, 0
	for try := 1; ; try++ {
		resp, body, err := t.try(r, at, old)
		if err == nil {
			if to, err := t.elsewhere(at, resp); err != nil {
				return nil, err
			} else if to != nil {
				if hops++; hops > maxHops {
					return nil, errors.New("GitHub leads in circles")
				}
				at = to
				try--
				continue
			}
		}
		wait, again := t.again(resp, body, err, read, try)
		if !again || try == maxTries || r.Context().Err() != nil {
			if err != nil {
				return nil, err
			}
			return t.keep(key, r, old, resp, body), nil
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

// try sends a request once, to an address, and reads the whole answer.
func (t *patient) try(r *http.Request, at *url.URL, old *seen) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), t.timeout)
	defer cancel()
	req := r.Clone(ctx)
	req.URL, req.Host = at, at.Host
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, nil, err
		}
		req.Body = body
	}
	if old != nil {
		req.Header.Set("If-None-Match", old.etag)
	}
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		defer resp.Body.Close()
		var body []byte
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
		if len(body) > maxAnswer {
			return nil, nil, fmt.Errorf("GitHub's answer has more than %d bytes", maxAnswer)
		}
		if err == nil {
			return resp, body, nil
		}
	}
	if ctx.Err() != nil && r.Context().Err() == nil {
		err = fmt.Errorf("GitHub did not answer within %s", t.timeout)
	}
	return nil, nil, err
}

// elsewhere is where a request is sent on to, nil if it is not: a renamed repository
// is found by its number. The request stays what it was, as GitHub wants it to.
func (t *patient) elsewhere(at *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := at.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return nil, fmt.Errorf("GitHub answered %d and no address to go on to", resp.StatusCode)
	}
	if to.Host != t.host || to.Scheme != at.Scheme {
		return nil, fmt.Errorf("%w: to %q", errElsewhere, to.Host)
	}
	t.mu.Lock()
	said := t.renamed
	t.renamed = true
	t.mu.Unlock()
	if !said {
		t.log("the repository has another name by now; GitHub still finds it, but with twice the requests: use the new name")
	}
	return to, nil
}

// again says whether to send a request once more, and after how long.
func (t *patient) again(resp *http.Response, body []byte, err error, read bool, try int) (time.Duration, bool) {
	pause := time.Duration(1<<try) * 100 * time.Millisecond
	if err != nil {
		return pause, read
	}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusTooManyRequests: // nothing was done, so a write may be sent again too
		wait, limited := t.limited(resp.Header)
		if !limited && bytes.Contains(bytes.ToLower(body), []byte("secondary rate limit")) {
			wait, limited = time.Minute, true // what GitHub asks for where it gives no number
		}
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
func (t *patient) keep(key string, r *http.Request, old *seen, resp *http.Response, body []byte) *http.Response {
	if resp.StatusCode == http.StatusNotModified && old != nil {
		resp.StatusCode, resp.Status, resp.Header, body = http.StatusOK, "200 OK", old.header.Clone(), old.body
	} else if etag := resp.Header.Get("ETag"); r.Method == http.MethodGet && resp.StatusCode == http.StatusOK && etag != "" {
		t.remember(key, &seen{etag, resp.Header.Clone(), body})
	}
	if resp.StatusCode < 300 {
		// The library would refuse the next request by itself where none is left, and not
		// wait however short that is.
		resp.Header.Del("X-RateLimit-Remaining")
		resp.Header.Del("X-RateLimit-Reset")
	}
	resp.Request = r
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp
}

func (t *patient) remember(key string, s *seen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if had := t.seen[key]; had != nil {
		t.held -= len(had.body)
	}
	if t.seen == nil || t.held+len(s.body) > maxSeen {
		t.seen, t.held = map[string]*seen{}, 0
	}
	t.seen[key] = s
	t.held += len(s.body)
}
