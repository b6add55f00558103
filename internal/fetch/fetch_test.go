package fetch

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrivate(t *testing.T) {
	tests := []struct {
		addr string
		why  string // part of it; "" is public
	}{
		{"93.184.216.34", ""},
		{"140.82.121.4", ""},
		{"172.15.255.255", ""},
		{"172.32.0.0", ""},
		{"100.63.255.255", ""},
		{"100.128.0.0", ""},
		{"2606:50c0:8000::153", ""},
		{"2a01:4f8::1", ""},
		{"127.0.0.1", "loopback"},
		{"127.255.255.254", "loopback"},
		{"10.1.2.3", "private"},
		{"172.16.0.1", "private"},
		{"172.31.255.255", "private"},
		{"192.168.1.1", "private"},
		{"169.254.1.1", "link-local"},
		{"169.254.169.254", "metadata"},
		{"169.254.170.2", "metadata"},
		{"100.100.100.200", "metadata"},
		{"fd00:ec2::254", "metadata"},
		{"100.64.0.1", "carrier"},
		{"0.0.0.0", "unspecified"},
		{"0.1.2.3", "unspecified"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"255.255.255.255", "reserved"},
		{"240.0.0.1", "reserved"},
		{"198.18.0.1", "benchmarks"},
		{"192.0.2.1", "documentation"},
		{"::", "unspecified"},
		{"::1", "loopback"},
		{"fe80::1", "link-local"},
		{"fe80::1%eth0", "link-local"},
		{"fc00::1", "private"},
		{"fdff::1", "private"},
		{"fec0::1", "private"},
		{"ff02::1", "multicast"},
		{"2001:db8::1", "documentation"},
		{"4000::1", "reserved"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:10.0.0.1", "private"},
		{"::ffff:169.254.169.254", "metadata"},
		{"::ffff:8.8.8.8", ""},
		{"::ffff:0:10.0.0.1", "private address in another spelling"},
		{"::7f00:1", "loopback address in another spelling"},
		{"64:ff9b::7f00:1", "loopback address in another spelling"},
		{"64:ff9b::a9fe:a9fe", "metadata address in another spelling"},
		{"64:ff9b::808:808", ""},
		{"64:ff9b:1::808:808", "local translation"},
		{"2002:7f00:1::", "loopback address in another spelling"},
		{"2002:c0a8:101::1", "private address in another spelling"},
		{"2002:808:808::1", ""},
		{"2001:0:7f00:1::1", "reserved"}, // Teredo
	}
	for _, tt := range tests {
		got := Private(netip.MustParseAddr(tt.addr))
		if (got == "") != (tt.why == "") || !strings.Contains(got, tt.why) {
			t.Errorf("Private(%s) = %q, want %q", tt.addr, got, tt.why)
		}
	}
	if Private(netip.Addr{}) == "" {
		t.Error("no address at all counts as public")
	}
}

func TestParse(t *testing.T) {
	tests := []struct{ address, want, why string }{
		{"https://example.org/a#b", "https://example.org/a", ""},
		{" http://example.org:8080/a?b=c ", "http://example.org:8080/a?b=c", ""},
		{"ftp://example.org/", "", "begins with https:// or http://"},
		{"file:///etc/passwd", "", "begins with https:// or http://"},
		{"git@example.org:a/b.git", "", "is not an address that can be read"},
		{"javascript:alert(1)", "", "begins with https:// or http://"},
		{"https:///a", "", "names no host"},
		{"https://me:secret@example.org/", "", "carries a user name"},
		{"https://[fe80::1%25eth0]/", "", "network interface"},
		{"", "", "begins with"},
		{"https://exa\nmple.org/", "", "is not an address that can be read"},
	}
	for _, tt := range tests {
		u, err := Parse(tt.address)
		switch {
		case tt.why == "" && (err != nil || u.String() != tt.want):
			t.Errorf("Parse(%q) = %v, %v, want %s", tt.address, u, err, tt.want)
		case tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)):
			t.Errorf("Parse(%q) error = %v, want one with %q", tt.address, err, tt.why)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("Parse(%q) shows the password: %v", tt.address, err)
		}
	}
}

// only lets a test server pass, and no other of this machine.
func only(servers ...*httptest.Server) func(netip.AddrPort) bool {
	return func(at netip.AddrPort) bool {
		for _, s := range servers {
			if s.Listener.Addr().String() == at.String() {
				return true
			}
		}
		return false
	}
}

func get(ctx context.Context, c *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return string(data), err
}

func TestClientRefusesThisMachine(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]"} {
		_, err := get(t.Context(), New(Options{}), "http://"+host+":"+port+"/")
		var refusal *Refusal
		// Where this machine has no IPv6, the system refuses before the guard can.
		if err == nil || !errors.As(err, &refusal) && strings.Contains(host, "127") {
			t.Errorf("GET %s: %v, want a refusal", host, err)
		}
	}
	if asked > 0 {
		t.Errorf("the server was asked %d times", asked)
	}
}

func TestClientUsesNoProxy(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "here") }))
	defer s.Close()
	t.Setenv("HTTP_PROXY", "http://203.0.113.1:3128")
	t.Setenv("http_proxy", "http://203.0.113.1:3128")
	if tr := New(Options{}).Transport.(*guarded).next.(*http.Transport); tr.Proxy != nil {
		t.Error("the client has a proxy")
	}
	if got, err := get(t.Context(), New(Options{Exception: only(s)}), s.URL); got != "here" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRedirects(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "secret of this machine") }))
	defer inside.Close()
	mux := http.NewServeMux()
	outside := httptest.NewServer(mux)
	defer outside.Close()
	to := func(path, location string, code int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(code)
		})
	}
	to("/inside", inside.URL+"/", 302)
	to("/name", strings.Replace(inside.URL, "127.0.0.1", "localhost", 1), 302)
	to("/loop", "/loop", 302)
	to("/file", "file:///etc/passwd", 302)
	to("/gopher", "gopher://example.org/", 302)
	to("/password", strings.Replace(outside.URL, "http://", "http://me:secret@", 1)+"/ok", 302)
	to("/moved", "/ok", 301)
	to("/twice", "/moved", 302)
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.UserAgent()) })

	c := New(Options{Exception: only(outside)})
	for path, why := range map[string]string{
		"/inside":   "loopback",
		"/name":     "loopback",
		"/loop":     "redirects more than 5 times",
		"/file":     "begins with https:// or http://",
		"/gopher":   "begins with https:// or http://",
		"/password": "carries a user name",
	} {
		body, err := get(t.Context(), c, outside.URL+path)
		if err == nil || !strings.Contains(Explain(err), why) {
			t.Errorf("%s: %q, %v; want an error with %q", path, body, err, why)
		}
		if err != nil && strings.Contains(Explain(err), "secret") {
			t.Errorf("%s: the error shows the password: %v", path, err)
		}
	}

	ctx, trail := WithTrail(t.Context())
	if got, err := get(ctx, c, outside.URL+"/twice"); got != UserAgent || err != nil {
		t.Errorf("/twice gives %q, %v", got, err)
	}
	want := []Hop{
		{outside.URL + "/twice", outside.URL + "/moved", false},
		{outside.URL + "/moved", outside.URL + "/ok", true},
	}
	if got := trail.Hops(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("trail = %v, want %v", got, want)
	}
}

func TestRedirectToPlainHTTP(t *testing.T) {
	from, _ := url.Parse("https://example.org/a")
	to, _ := url.Parse("http://example.org/a")
	err := Options{MaxRedirects: 5}.mayFollow(&http.Request{URL: to}, []*http.Request{{URL: from}})
	if err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("error = %v", err)
	}
	if err := (Options{MaxRedirects: 5}).mayFollow(&http.Request{URL: from}, []*http.Request{{URL: to}}); err != nil {
		t.Errorf("from http to https: %v", err)
	}
}

// What a name stands for is judged when the connection is made: a name that was
// public a moment ago is refused once it leads inside.
func TestNameThatChangesItsMind(t *testing.T) {
	o := Options{}
	if err := o.mayConnect("93.184.216.34:443"); err != nil {
		t.Errorf("a public address: %v", err)
	}
	for _, at := range []string{"127.0.0.1:443", "[::ffff:10.0.0.1]:80", "[fe80::1%lo]:80", "somewhere:80"} {
		if err := o.mayConnect(at); err == nil {
			t.Errorf("%s passes", at)
		}
	}
}

func TestBounds(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 32<<10)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			w.Write([]byte("."))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/endless", endless)
	mux.HandleFunc("/drip", drip)
	mux.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 600)) })
	s := httptest.NewServer(mux)
	defer s.Close()

	if _, err := get(t.Context(), New(Options{Exception: only(s), MaxBytes: 1 << 20}), s.URL+"/endless"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an endless answer: %v", err)
	}
	_, err := get(t.Context(), New(Options{Exception: only(s), Timeout: 100 * time.Millisecond}), s.URL+"/drip")
	if got := Explain(err); got != "no whole answer came in time" {
		t.Errorf("a dripping answer: %q (%v)", got, err)
	}

	all := NewBudget(1500, nil)
	ctx := WithBudget(t.Context(), NewBudget(1000, all))
	c := New(Options{Exception: only(s)})
	if _, err := get(ctx, c, s.URL+"/small"); err != nil {
		t.Errorf("within the budget: %v", err)
	}
	if _, err := get(ctx, c, s.URL+"/small"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("past its own budget: %v", err)
	}
	if _, err := get(WithBudget(t.Context(), NewBudget(1000, all)), c, s.URL+"/small"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("past the shared budget: %v", err)
	}
	if all.Left() != 0 {
		t.Errorf("%d bytes are left", all.Left())
	}
}

func TestPause(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer s.Close()
	c := New(Options{Exception: only(s), Pause: time.Hour})
	if _, err := get(t.Context(), c, s.URL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, c, s.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second request within the pause: %v", err)
	}
	c = New(Options{Exception: only(s), Pause: time.Millisecond})
	for range 3 {
		if _, err := get(t.Context(), c, s.URL); err != nil {
			t.Error(err)
		}
	}
}

func TestExplainShowsNoQuery(t *testing.T) {
	err := &url.Error{Op: "Get", URL: "https://example.org/?token=secret", Err: errors.New("EOF")}
	if got := Explain(fmt.Errorf("fetch: %w", err)); strings.Contains(got, "secret") {
		t.Errorf("Explain shows %q", got)
	}
}

// The exception is for tests: no file of the program may set it.
func TestNobodySetsTheException(t *testing.T) {
	looked := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || filepath.ToSlash(name) == "../../internal/fetch/fetch.go" {
			return nil
		}
		looked++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Exception" && importsFetch(f) {
					t.Errorf("%s sets Exception", name)
				}
			case *ast.SelectorExpr:
				if n.Sel.Name == "Exception" && importsFetch(f) {
					t.Errorf("%s uses Exception", name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 50 {
		t.Errorf("only %d files were looked at", looked)
	}
}

func importsFetch(f *ast.File) bool {
	for _, imp := range f.Imports {
		if strings.HasSuffix(imp.Path.Value, `/internal/fetch"`) {
			return true
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://example.org/", "http://[::1]/", "https://a:b@c/", "//x", "https://%41/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err != nil {
			return
		}
		if u.User != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("Parse(%q) = %q", s, u)
		}
	})
}
