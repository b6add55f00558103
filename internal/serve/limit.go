package serve

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// client is the address that a request is counted for: the one that asks, or the
// last one in X-Forwarded-For that is no trusted proxy where a trusted proxy asks.
// Of IPv6 it is the network of 64 bits, which one reader has whole.
func (s *Server) client(r *http.Request) netip.Addr {
	addr := addressOf(r.RemoteAddr)
	if s.trusted(addr) {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			addr = hop.Unmap().WithZone("")
			if !s.trusted(addr) {
				break
			}
		}
	}
	return network(addr)
}

// addressOf reads an address with a port. All whose address is not known share one.
func addressOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// network is what an address is counted as.
func network(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if net, err := addr.Prefix(64); err == nil {
			return net.Addr()
		}
	}
	return addr
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, p := range s.options.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

const (
	// burst is over how many seconds a rate holds.
	burst = 10
	// maxClients bounds each of the limiter's two tables.
	maxClients = 8192
)

// A limiter gives each address so many requests a second, and as many as burst
// seconds bring at once. When its table is full it begins another and keeps the
// one before, so its memory is bounded; whoever comes from more addresses than both
// hold is not held by a limit for each address anyway.
type limiter struct {
	rate int

	mu          sync.Mutex
	now, before map[netip.Addr]bucket
}

type bucket struct {
	left int
	at   int64 // Unix seconds
}

func newLimiter(rate int) *limiter {
	return &limiter{rate: rate, now: map[netip.Addr]bucket{}}
}

// take counts one request. It gives 0 where it is one of those allowed, or else
// after how many seconds there will be another.
func (l *limiter) take(addr netip.Addr, at time.Time) (wait int) {
	second := at.Unix()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.now[addr]
	if !ok {
		if b, ok = l.before[addr]; !ok {
			b = bucket{l.rate * burst, second}
		}
		if len(l.now) >= maxClients {
			l.before, l.now = l.now, map[netip.Addr]bucket{}
		}
	}
	if passed := min(second-b.at, burst); passed > 0 {
		b.left = min(b.left+int(passed)*l.rate, l.rate*burst)
	}
	b.at = max(b.at, second) // a clock that is set back gives nothing
	if b.left == 0 {
		wait = 1
	} else {
		b.left--
	}
	l.now[addr] = b
	return wait
}

// give takes a request that take allowed out of the count.
func (l *limiter) give(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.now[addr]; ok {
		b.left = min(b.left+1, l.rate*burst)
		l.now[addr] = b
	}
}
