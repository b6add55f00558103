package serve

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// headRoom is how large a request may be that the front reads itself, in bytes.
	headRoom = 4 << 10
	// sendRoom is up to which size an answer is copied to go out in one piece.
	sendRoom = 64 << 10
	// firstTime is how long a connection may wait before its first request, idleTime
	// how long after one, and writeTime how long an answer may take to be read.
	firstTime = 10 * time.Second
	idleTime  = 2 * time.Minute
	writeTime = 2 * time.Minute
)

// A Front stands before an http.Server, which accepts from it. It answers by itself
// what nearly all requests are: a plain GET of a file that is held in memory. With
// anything else, a letter out of place suffices, it hands the connection over with
// all that it read and never sees it again: what requests mean is net/http's to say.
//
// It is worth its lines since a file in memory costs next to nothing, and making
// and writing a map of headers, and watching for a reader who hangs up, several
// times that: internal/bench/serve measures it beside nginx.
type Front struct {
	server *Server
	l      net.Listener
	handed chan handed
	closed chan struct{} // closed by Close
	close  func() error  // once
	date   atomic.Pointer[date]

	mu      sync.Mutex
	conns   map[net.Conn]bool // those that lie still or are answered here
	serving sync.WaitGroup
	room    sync.Pool // of *[]byte
}

// handed is a connection for the http.Server, or why there is none.
type handed struct {
	conn net.Conn
	err  error
}

// date is the line of the answers of one second.
type date struct {
	second int64
	line   []byte // with the empty line that ends a head
}

// Front begins to accept from a listener. The server's options need a clock.
func (s *Server) Front(l net.Listener) *Front {
	f := &Front{server: s, l: l, handed: make(chan handed), closed: make(chan struct{}), conns: map[net.Conn]bool{}}
	f.close = sync.OnceValue(func() error {
		f.mu.Lock()
		close(f.closed)
		for c := range f.conns {
			// Who waits for a request gets no more; an answer that is under way ends.
			_ = c.SetReadDeadline(time.Unix(1, 0)) // it may be closed
		}
		f.mu.Unlock()
		return l.Close()
	})
	go f.accept()
	return f
}

// Accept gives a connection that the front does not answer itself.
func (f *Front) Accept() (net.Conn, error) {
	select {
	case h := <-f.handed:
		return h.conn, h.err
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// Addr is where the listener listens.
func (f *Front) Addr() net.Addr { return f.l.Addr() }

// Close stops listening. Answers that have begun go on; Wait waits for them.
func (f *Front) Close() error { return f.close() }

// Wait waits until the answers that had begun before Close are sent, or the
// context ends.
func (f *Front) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		f.serving.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		for c := range f.conns {
			c.Close()
		}
		return ctx.Err()
	}
}

func (f *Front) accept() {
	for {
		c, err := f.l.Accept()
		if err != nil {
			f.hand(nil, err) // the http.Server knows what passes, and waits before it asks again
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if !f.enter(c) {
			c.Close()
			return
		}
		go func() {
			defer f.serving.Done()
			f.converse(c)
		}()
	}
}

func (f *Front) hand(c net.Conn, err error) {
	select {
	case f.handed <- handed{c, err}:
	case <-f.closed:
		if c != nil {
			c.Close()
		}
	}
}

// enter notes a connection; it reports false after Close.
func (f *Front) enter(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
		return false
	default:
	}
	f.conns[c] = true
	f.serving.Add(1)
	return true
}

func (f *Front) leave(c net.Conn) {
	f.mu.Lock()
	delete(f.conns, c)
	f.mu.Unlock()
}

// converse answers a connection's requests until there is one that it leaves to
// net/http, or none.
func (f *Front) converse(c net.Conn) {
	addr := addressOf(c.RemoteAddr().String())
	if f.server.trusted(addr) { // it asks for others, whom its headers name
		f.leave(c)
		f.hand(c, nil)
		return
	}
	client := network(addr)
	buf := make([]byte, 0, headRoom)
	still := firstTime
	for {
		for len(buf) == 0 {
			// The order of these two and of what Close does lets no deadline be lost.
			_ = c.SetReadDeadline(f.server.options.Now().Add(still))
			select {
			case <-f.closed:
				f.leave(c)
				c.Close()
				return
			default:
			}
			n, err := c.Read(buf[:cap(buf)])
			buf = buf[:n]
			if n == 0 && err != nil {
				f.leave(c)
				c.Close()
				return
			}
		}
		path, accepted, size, ok := plainGet(buf)
		var head, body []byte
		if ok {
			head, body = f.answer(client, path, accepted)
		}
		if head == nil {
			f.leave(c)
			_ = c.SetDeadline(time.Time{}) // net/http sets its own
			f.hand(&begun{Conn: c, read: buf}, nil)
			return
		}
		if err := f.send(c, head, body); err != nil {
			f.leave(c)
			c.Close()
			return
		}
		buf = buf[:copy(buf, buf[size:])] // what came after it
		still = idleTime
	}
}

// answer gives what to send; no head where net/http has to.
func (f *Front) answer(client netip.Addr, path, accepted string) (head, body []byte) {
	s := f.server
	held := s.current.Load().held
	if held == nil {
		return nil, nil
	}
	if s.limiter != nil && s.limiter.take(client, s.options.Now()) > 0 {
		return nil, nil // it will be told so
	}
	if head, body = held.Held(path, accepted); head == nil && s.limiter != nil {
		s.limiter.give(client) // it will be counted
	}
	return head, body
}

func (f *Front) send(c net.Conn, head, body []byte) error {
	now := f.server.options.Now()
	_ = c.SetWriteDeadline(now.Add(writeTime)) // a closed connection says so when it is written to
	room, _ := f.room.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	defer f.room.Put(room)
	all := append(append((*room)[:0], head...), f.dateLine(now)...)
	if len(body) <= sendRoom {
		all = append(all, body...)
		body = nil
	}
	*room = all
	if _, err := c.Write(all); err != nil || body == nil {
		return err
	}
	_, err := c.Write(body)
	return err
}

func (f *Front) dateLine(now time.Time) []byte {
	d := f.date.Load()
	if second := now.Unix(); d == nil || d.second != second {
		d = &date{second, []byte("Date: " + now.UTC().Format(http.TimeFormat) + "\r\n\r\n")}
		f.date.Store(d)
	}
	return d.line
}

// begun is a connection of which something was read already.
type begun struct {
	net.Conn
	read []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.read) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.read)
	if b.read = b.read[n:]; len(b.read) == 0 {
		b.read = nil
	}
	return n, nil
}

// plainGet reads the first request in data if it is a GET of a plain path, whole
// and in the common form: lines that end with CRLF, each name of letters and
// hyphens, nothing but printable ASCII, one Host, no header that asks for more than
// the file or that could say that a body follows. It gives the path, what the
// request accepts as encoding and how many bytes it has.
func plainGet(data []byte) (path, accepted string, size int, ok bool) {
	rest, found := bytes.CutPrefix(data, []byte("GET "))
	if !found {
		return "", "", 0, false
	}
	at := bytes.IndexByte(rest, ' ')
	if at < 1 || rest[0] != '/' {
		return "", "", 0, false
	}
	for _, b := range rest[:at] {
		if !pathByte[b] {
			return "", "", 0, false
		}
	}
	path = string(rest[:at])
	if rest, found = bytes.CutPrefix(rest[at:], []byte(" HTTP/1.1\r\n")); !found {
		return "", "", 0, false
	}
	host, encoded := false, false
	for {
		end := bytes.IndexByte(rest, '\r')
		if end < 0 || end+1 >= len(rest) || rest[end+1] != '\n' {
			return "", "", 0, false
		}
		line := rest[:end]
		rest = rest[end+2:]
		if len(line) == 0 {
			return path, accepted, len(data) - len(rest), host
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 {
			return "", "", 0, false
		}
		name, value := line[:colon], bytes.Trim(line[colon+1:], " ")
		for _, b := range name {
			if !nameByte[b] {
				return "", "", 0, false
			}
		}
		for _, b := range value {
			if b < ' ' || b > '~' {
				return "", "", 0, false
			}
		}
		switch {
		case equal(name, "host"):
			if host || len(value) == 0 {
				return "", "", 0, false
			}
			for _, b := range value {
				if !hostByte[b] {
					return "", "", 0, false
				}
			}
			host = true
		case equal(name, "accept-encoding"):
			if encoded {
				return "", "", 0, false
			}
			accepted, encoded = string(value), true
		case equal(name, "connection"):
			if !equal(value, "keep-alive") {
				return "", "", 0, false
			}
		case beyond(name):
			return "", "", 0, false
		}
	}
}

// beyond reports whether a header asks for more than a file as it is, or could say
// that there is more to a request than its head.
func beyond(name []byte) bool {
	if len(name) > 3 && equal(name[:3], "if-") {
		return true
	}
	for _, other := range []string{"content-length", "transfer-encoding", "range", "upgrade", "expect", "te", "trailer", "http2-settings", "proxy-connection"} {
		if equal(name, other) {
			return true
		}
	}
	return false
}

// equal compares ASCII, small being in lower case.
func equal(text []byte, small string) bool {
	if len(text) != len(small) {
		return false
	}
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != small[i] {
			return false
		}
	}
	return true
}

// The bytes that may stand in a path, in a header's name and in a host.
var (
	pathByte = bytesOf("/._-~")
	nameByte = bytesOf("-_")
	hostByte = bytesOf(".-:[]_")
)

// bytesOf is a set of the ASCII letters and digits and some more.
func bytesOf(more string) (set [256]bool) {
	for b := range set {
		c := byte(b)
		set[b] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || bytes.IndexByte([]byte(more), c) >= 0
	}
	return set
}
