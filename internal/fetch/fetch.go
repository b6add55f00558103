// Package fetch is the one guarded way to the network for addresses that somebody
// wrote into an entry. It speaks HTTP and HTTPS to public addresses and to nothing
// else, for as long and for as many bytes as it was told. What a name stands for
// is judged when the connection is made, so neither a redirect nor a name that
// resolves to something else the second time leads inside.
//
// It never uses a proxy, whatever the environment says: a proxy would look names
// up by itself, and the guard would judge nothing but the proxy's own address.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// UserAgent names this program to the servers that it asks.
const UserAgent = "dpg-registry/1 (+https://github.com/dpg-registry/dpg-registry)"

// Options bound what a client does. The zero value has the defaults.
type Options struct {
	MaxBytes     int64         // of one answer once unpacked; 0 is DefaultMaxBytes
	MaxRedirects int           // in a row; 0 is DefaultMaxRedirects
	Timeout      time.Duration // of one request with its redirects and its whole answer; 0 is DefaultTimeout
	// Pause is how long a host is left alone between the starts of two requests;
	// 0 is no pause.
	Pause time.Duration
	// Exception lets addresses pass that are refused otherwise. It is there for
	// tests, which need servers of their own: a test holds that no command sets it.
	Exception func(netip.AddrPort) bool
}

// The bounds of the zero Options.
const (
	DefaultMaxBytes     = 64 << 20
	DefaultMaxRedirects = 5
	DefaultTimeout      = 60 * time.Second
)

// maxHeader bounds the header of an answer, in bytes.
const maxHeader = 256 << 10

// New makes a client. It holds no cookies and no credentials.
func New(o Options) *http.Client {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxRedirects <= 0 {
		o.MaxRedirects = DefaultMaxRedirects
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	dialer := &net.Dialer{
		Timeout: min(o.Timeout, 10*time.Second),
		Control: func(_, address string, _ syscall.RawConn) error { return o.mayConnect(address) },
	}
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: o.mayFollow,
		Transport: &guarded{options: o, hosts: map[string]chan struct{}{}, next: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: maxHeader,
		}},
	}
}

// A Refusal is why something is not fetched.
type Refusal struct {
	What string // the address, host or URL, without credentials
	Why  string // such as "is a loopback address"
}

func (r *Refusal) Error() string { return fmt.Sprintf("%q %s", r.What, r.Why) }

// ErrTooLarge is returned by reading an answer, or by all answers of a Budget,
// past its bound.
var ErrTooLarge = errors.New("the answer is larger than is read")

// mayConnect judges the address that a name resolved to, right before the
// connection is made to that address and to no other.
func (o Options) mayConnect(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refusal{address, "is not an address with a port"}
	}
	why := Private(at.Addr())
	if why == "" || o.Exception != nil && o.Exception(at) {
		return nil
	}
	return &Refusal{at.Addr().String(), why + ", which is not on the public internet"}
}

func (o Options) mayFollow(req *http.Request, via []*http.Request) error {
	if len(via) > o.MaxRedirects {
		return &Refusal{plain(via[0].URL), fmt.Sprintf("redirects more than %d times", o.MaxRedirects)}
	}
	if err := check(req.URL); err != nil {
		return fmt.Errorf("redirected from %q: %w", plain(via[len(via)-1].URL), err)
	}
	if req.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https" {
		return &Refusal{plain(via[len(via)-1].URL), "redirects from https to http"}
	}
	if t, ok := req.Context().Value(trailKey{}).(*Trail); ok {
		t.add(via[len(via)-1].URL, req)
	}
	return nil
}

// Parse reads an address that may be fetched: http or https, with a host, without
// a user or a password. Fragments are dropped.
func Parse(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, &Refusal{clip(address), "is not an address that can be read"}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, check(u)
}

func check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return &Refusal{plain(u), "is not an address that begins with https:// or http://"}
	case u.Hostname() == "":
		return &Refusal{plain(u), "names no host"}
	case u.User != nil:
		return &Refusal{plain(u), "carries a user name or a password"}
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.Zone() != "" {
		return &Refusal{plain(u), "names a network interface"}
	}
	return nil
}

// plain is a URL as it may be shown: without its user, its query and its fragment,
// where secrets stand.
func plain(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path}
	if u.Opaque != "" { // such as "mailto:..."; it may hold anything
		shown = url.URL{Scheme: u.Scheme, Opaque: "..."}
	}
	return clip(shown.String())
}

func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// guarded bounds what comes back, and leaves hosts some rest.
type guarded struct {
	options Options
	next    http.RoundTripper

	mu    sync.Mutex
	hosts map[string]chan struct{} // a token each; whoever holds it may ask
}

func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := check(req.URL); err != nil {
		closeBody(req)
		return nil, err
	}
	if err := g.wait(req.Context(), req.URL.Host); err != nil {
		closeBody(req)
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", UserAgent)
	res, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	budget, _ := req.Context().Value(budgetKey{}).(*Budget)
	res.Body = &bounded{ReadCloser: res.Body, left: g.options.MaxBytes, budget: budget}
	return res, nil
}

// closeBody does what a RoundTripper owes even where it fails.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// wait takes the host's token, which comes back after the pause.
func (g *guarded) wait(ctx context.Context, host string) error {
	if g.options.Pause <= 0 {
		return nil
	}
	g.mu.Lock()
	token := g.hosts[host]
	if token == nil {
		token = make(chan struct{}, 1)
		token <- struct{}{}
		g.hosts[host] = token
	}
	g.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-token:
		time.AfterFunc(g.options.Pause, func() { token <- struct{}{} })
		return nil
	}
}

// bounded is the body of an answer.
type bounded struct {
	io.ReadCloser
	left   int64
	budget *Budget
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	if b.budget != nil && !b.budget.spend(int64(n)) {
		return 0, ErrTooLarge
	}
	return n, err
}

// A Budget bounds the bytes of several answers together. It may be shared by
// goroutines, and may draw on another one that they share.
type Budget struct {
	left   atomic.Int64
	parent *Budget
}

// NewBudget makes a budget of so many bytes, all of which count against parent
// too; nil is none.
func NewBudget(bytes int64, parent *Budget) *Budget {
	b := &Budget{parent: parent}
	b.left.Store(bytes)
	return b
}

// Left is how many bytes may still be read; never less than 0.
func (b *Budget) Left() int64 { return max(b.left.Load(), 0) }

func (b *Budget) spend(n int64) bool {
	ok := b.left.Add(-n) >= 0
	if b.parent != nil && !b.parent.spend(n) {
		ok = false
	}
	return ok
}

type budgetKey struct{}

// WithBudget bounds all answers to the requests of a context.
func WithBudget(ctx context.Context, b *Budget) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// A Trail notes where a request was sent on to. It may be shared by goroutines.
type Trail struct {
	mu   sync.Mutex
	hops []Hop
}

// A Hop is one redirect.
type Hop struct {
	From, To  string // URLs
	Permanent bool   // answered with 301 or 308: the old address is not meant to be used again
}

type trailKey struct{}

// WithTrail makes a context whose requests note their redirects.
func WithTrail(ctx context.Context) (context.Context, *Trail) {
	t := new(Trail)
	return context.WithValue(ctx, trailKey{}, t), t
}

// Hops lists the redirects so far, in order.
func (t *Trail) Hops() []Hop {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Hop(nil), t.hops...)
}

func (t *Trail) add(from *url.URL, next *http.Request) {
	code := 0
	if next.Response != nil {
		code = next.Response.StatusCode
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hops = append(t.hops, Hop{from.String(), next.URL.String(), code == http.StatusMovedPermanently || code == http.StatusPermanentRedirect})
}

// Failed reports whether an error is one of getting an answer, and not of what
// the answer says.
func Failed(err error) bool {
	var refusal *Refusal
	var network net.Error
	var of *url.Error
	return errors.As(err, &refusal) || errors.As(err, &network) || errors.As(err, &of) ||
		errors.Is(err, ErrTooLarge) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Explain says in words why a fetch failed, on one line and without what stood in
// queries, headers or credentials.
func Explain(err error) string {
	var refusal *Refusal
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	var op *net.OpError
	var of *url.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Error()
	case errors.Is(err, ErrTooLarge):
		return ErrTooLarge.Error()
	case errors.Is(err, context.Canceled):
		return "the run was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "no whole answer came in time"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host %q", clip(dns.Name))
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no whole answer came in time"
	case errors.As(err, &dns):
		return fmt.Sprintf("host %q could not be looked up", clip(dns.Name))
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection could be made: " + clip(op.Err.Error())
	case errors.As(err, &of): // its own text has the URL, query and all
		return clip(of.Err.Error())
	}
	return clip(err.Error())
}
