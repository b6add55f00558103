package serve

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// behind starts a server at a port of this machine, with a front or without, and
// gives its address.
func behind(t *testing.T, s *Server, front bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if front {
		l = s.Front(l)
	}
	server := &http.Server{Handler: s}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return at
}

// An answered request: what is the same whoever answers.
type answered struct {
	Status int
	Header http.Header
	Body   string
}

// talk sends bytes over one connection, in as many pieces as there are, and gives
// the answers to so many requests.
func talk(t *testing.T, at string, pieces []string, requests ...string) []answered {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for i, p := range pieces {
		if i > 0 {
			time.Sleep(20 * time.Millisecond) // so that they arrive one by one
		}
		if _, err := io.WriteString(c, p); err != nil {
			t.Fatal(err)
		}
	}
	var out []answered
	r := bufio.NewReader(c)
	for _, method := range requests {
		a, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q: %v", pieces, err)
		}
		data, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := http.ParseTime(a.Header.Get("Date")); a.StatusCode == 200 && (err != nil || time.Since(at).Abs() > time.Minute) {
			t.Errorf("%q: the date is %q", pieces, a.Header.Get("Date"))
		}
		a.Header.Del("Date")
		out = append(out, answered{a.StatusCode, a.Header, string(data)})
	}
	return out
}

// Whether a front stands before it or not, a server answers the same, to what the
// front takes and to what it leaves.
func TestFrontAnswersAsNetHTTP(t *testing.T) {
	var names []string
	for range 30 {
		names = append(names, "Open Guide")
	}
	s := New(load(t, t.TempDir(), names...), Options{Rate: 10_000, Now: time.Now})
	with, without := behind(t, s, true), behind(t, s, false)
	get := func(path string, lines ...string) string {
		return "GET " + path + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: example.org"}, lines...), "\r\n") + "\r\n\r\n"
	}
	const entry = "/api/v1/resources/entry-0.json"
	tag := talk(t, without, []string{get(entry)}, "GET")[0].Header.Get("Etag")
	if tag == "" {
		t.Fatal("an entry has no tag")
	}
	tests := []struct {
		name  string
		bytes string
		taken bool // by the front, as a plain GET; whether it holds the file is another matter
	}{
		{"an entry", get(entry), true},
		{"as wrk asks", "GET " + entry + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n", true},
		{"as a browser asks", get(entry, "Connection: keep-alive", "Accept: text/html,*/*;q=0.8", "Accept-Encoding: gzip, deflate, br", "Upgrade-Insecure-Requests: 1", "Cookie: a=b"), true},
		{"gzip refused", get("/api/v1/resources.json", "accept-encoding: gzip;q=0"), true},
		{"gzip", get("/api/v1/resources.json", "ACCEPT-ENCODING: br, gzip;q=0.5"), true},
		{"small and gzip", get("/api/v1/frameworks.json", "Accept-Encoding: gzip"), true},
		{"front page", get("/"), true},
		{"folder", get("/api/v1/"), true},
		{"folder without slash", get("/api/v1"), true},
		{"nothing there", get("/api/v1/none.json"), true},
		{"two slashes", get("//api/v1/index.json"), true},
		{"dots", get("/api/../secret"), true},
		{"hidden", get("/.git/config"), true},
		{"no host", "GET / HTTP/1.1\r\n\r\n", false},
		{"two hosts", get(entry, "Host: other.example"), false},
		{"a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", false},
		{"query", get(entry + "?x=1"), false},
		{"search", get("/api/v1/search?q=guide"), false},
		{"escaped", get("/api/v1/resources/entry%2D0.json"), false},
		{"absolute", get("http://example.org" + entry), false},
		{"it has it", get(entry, "If-None-Match: "+tag), false},
		{"it has another", get(entry, `if-none-match: "other"`), false},
		{"range", get(entry, "Range: bytes=0-9"), false},
		{"folded line", get(entry, "Accept: a,", " b"), false},
		{"space before the colon", get(entry, "Accept : a"), false},
		{"name that is none", get(entry, "Acc(ept: a"), false},
		{"control character", get(entry, "Accept: a\x01b"), false},
		{"letters of others", get(entry, "User-Agent: naïve"), false},
		{"two encodings", get(entry, "Accept-Encoding: br", "Accept-Encoding: gzip"), false},
		{"bare line feeds", "GET " + entry + " HTTP/1.1\nHost: example.org\n\n", false},
		{"a body by length", get(entry, "Content-Length: 0"), false},
		{"a body in pieces", get(entry, "Transfer-Encoding: chunked") + "0\r\n\r\n", false},
		{"both", get(entry, "Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n", false},
		{"close", get(entry, "Connection: close"), false},
		{"upgrade", get(entry, "Connection: Upgrade", "Upgrade: h2c"), false},
		{"expect", get(entry, "Expect: 100-continue"), false},
		{"HTTP/1.0", "GET " + entry + " HTTP/1.0\r\nHost: example.org\r\n\r\n", false},
		{"HTTP/2", "GET " + entry + " HTTP/2.0\r\nHost: example.org\r\n\r\n", false},
		{"lower case", "get " + entry + " HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
		{"HEAD", "HEAD " + entry + " HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
		{"OPTIONS", "OPTIONS " + entry + " HTTP/1.1\r\nHost: example.org\r\n\r\n", false},
		{"POST", "POST " + entry + " HTTP/1.1\r\nHost: example.org\r\nContent-Length: 3\r\n\r\nabc", false},
		{"a head beyond the room", get(entry, "Cookie: "+strings.Repeat("a", headRoom)), true}, // by what it is; it is not read to its end
		{"no HTTP", "hello\r\n\r\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, _, taken := plainGet([]byte(tt.bytes)); taken != tt.taken {
				t.Errorf("the front takes it: %v, want %v", taken, tt.taken)
			}
			method, _, _ := strings.Cut(tt.bytes, " ")
			ways := map[string][]string{"whole": {tt.bytes}, "in two pieces": {tt.bytes[:len(tt.bytes)/2], tt.bytes[len(tt.bytes)/2:]}}
			for way, pieces := range ways {
				want := talk(t, without, pieces, method)
				if diff := cmp.Diff(want, talk(t, with, pieces, method)); diff != "" {
					t.Errorf("%s (-without +with a front):\n%s", way, diff)
				}
			}
		})
	}
	t.Run("one after the other", func(t *testing.T) {
		all := get(entry) + get("/api/v1/resources.json", "Accept-Encoding: gzip") + get("/api/v1/search?q=guide") + get(entry)
		order := []string{"GET", "GET", "GET", "GET"}
		want := talk(t, without, []string{all}, order...)
		for cut := 1; cut < len(all); cut += 13 {
			if diff := cmp.Diff(want, talk(t, with, []string{all[:cut], all[cut:]}, order...)); diff != "" {
				t.Fatalf("cut at %d (-without +with a front):\n%s", cut, diff)
			}
		}
	})
}

// What the front takes for a plain GET is one for net/http too, with the same end.
func FuzzPlainGet(f *testing.F) {
	for _, seed := range []string{
		"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.1\r\n",
		"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", "GET //a/../b HTTP/1.1\r\nhost:x\r\nA_b:\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1]:80\r\nTE: a\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path, accepted, size, ok := plainGet(data)
		if !ok {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(data), len(data)+16)
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http cannot read %q: %v", data, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) > 0 || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Close {
			t.Errorf("%q has a body of %d bytes, or ends the connection", data, len(body))
		}
		if r.Method != "GET" || r.URL.Path != path || r.URL.RawQuery != "" || r.RequestURI != path || !r.ProtoAtLeast(1, 1) {
			t.Errorf("%q asks for %q, not %q", data, r.URL, path)
		}
		if got := r.Header.Get("Accept-Encoding"); got != accepted || len(r.Header.Values("Accept-Encoding")) > 1 {
			t.Errorf("%q accepts %q, not %q", data, got, accepted)
		}
		if left := in.Buffered(); left != len(data)-size {
			t.Errorf("%q ends %d bytes before its end, want %d", data, len(data)-size, left)
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "If-") || name == "Range" || name == "Upgrade" || name == "Expect" || name == "Trailer" {
				t.Errorf("%q has %s", data, name)
			}
		}
	})
}

// One address's requests count whoever answers them, and each once.
func TestFrontCounts(t *testing.T) {
	began := time.Now() // and it stands still
	s := New(load(t, t.TempDir(), "Open Guide"), Options{Rate: 2, Now: func() time.Time { return began }})
	at := behind(t, s, true)
	ask := func(path string) int {
		return talk(t, at, []string{"GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"}, "GET")[0].Status
	}
	want := map[string]int{"/api/v1/resources/entry-0.json": 200, "/none": 404, "/api/v1/search": 200}
	for i := range 2 * burst {
		for _, path := range [][]string{{"/none"}, {"/api/v1/resources/entry-0.json"}, {"/api/v1/search"}}[i%3] {
			if got := ask(path); got != want[path] {
				t.Fatalf("request %d, %s: %d, want %d", i, path, got, want[path])
			}
		}
	}
	for path := range want {
		if got := ask(path); got != http.StatusTooManyRequests {
			t.Errorf("over the limit, %s: %d", path, got)
		}
	}
}

// A trusted proxy is counted as those it asks for, through a front too.
func TestFrontBehindProxy(t *testing.T) {
	began := time.Now()
	s := New(load(t, t.TempDir(), "Open Guide"), Options{Rate: 1, Now: func() time.Time { return began },
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	at := behind(t, s, true)
	for i := range 3 * burst {
		want, client := 200, fmt.Sprintf("192.0.2.%d", i%2)
		if i >= 2*burst {
			want = http.StatusTooManyRequests
		}
		got := talk(t, at, []string{"GET /api/v1/resources/entry-0.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + client + "\r\n\r\n"}, "GET")
		if got[0].Status != want {
			t.Fatalf("request %d, for %s: %d, want %d", i, client, got[0].Status, want)
		}
	}
}

// A server that stops ends what lies still and finishes what it sends.
func TestFrontStops(t *testing.T) {
	dir := t.TempDir()
	s := New(load(t, dir, "Open Guide"), Options{Now: time.Now})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := s.Front(l)
	server := &http.Server{Handler: s}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(front) }()
	still, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer still.Close()
	if _, err := io.WriteString(still, "GET /api/v1/index.json HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(still)
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(dir + "/api/v1/index.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, a); got != string(want) {
		t.Errorf("the index has %d bytes, want %d", len(got), len(want))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := front.Wait(ctx); err != nil {
		t.Errorf("a connection that lay still kept it from stopping: %v", err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Error(err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the connection that lay still: %v, want its end", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}
