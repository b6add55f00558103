package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

// load builds a catalog with an entry for each name into a folder, and makes it
// ready.
func load(t testing.TB, dir string, names ...string) *Catalog {
	t.Helper()
	tree := fstest.MapFS{"registry.yaml": {Data: []byte("schema: registry/v1\nname: Test\npublisher: {name: Nobody}\nlanguages: [en]\nlicense: CC0-1.0\nattribution: Nobody\n")}}
	for i, name := range names {
		id := fmt.Sprintf("entry-%d", i)
		tree["resources/"+id+".yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"schema: resource/v1\nid: %s\nname: %s\nurl: https://%s.example.org/\nstatus: {stage: listed, as_of: 2026-01-15}\n", id, name, id)}
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(tree), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := site.Build(context.Background(), catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cat.Write(dir); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	c, err := Load(context.Background(), root.FS(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Searchable() || c.Entries() != len(names) {
		t.Fatalf("%d entries can be searched, want %d", c.Entries(), len(names))
	}
	return c
}

func ask(h http.Handler, method, target string, header http.Header) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every answer, to good questions and bad ones, is as openapi.json has it.
func TestAnswersAreAsDescribed(t *testing.T) {
	s := New(load(t, t.TempDir(), "Open Guide", "<b>Bold</b> & Co", "Another Guide"), Options{Rate: 1000, Now: func() time.Time { return time.Unix(0, 0) }})
	doc := described(t, s, openAPIPath)
	tests := []struct {
		query  string
		status int
		says   string
	}{
		{"", 200, `"total":3`},
		{"q=guide", 200, `"total":2`},
		{"q=giude+&kind=resource", 200, `"forms":["guide"]`},
		{"q=bold", 200, `\u003cb\u003eBold\u003c/b\u003e \u0026 Co`},
		{"q=%3Cscript%3Ealert(1)%3C/script%3E", 200, `"q":"\u003cscript\u003ealert(1)`},
		{"q=(a%2B)%2B%24.*%5B", 200, `"total"`},
		{"q=%00%01%1b%5B31m", 200, `"q":"\u0000\u0001\u001b[31m"`},
		{"q=zzzz", 200, `"items":[]`},
		{"page=10000&per_page=100", 200, `"items":[]`},
		{"page=-1", 400, `page is \"-1\"`},
		{"page=100000000000000000000", 400, "from 1 to 10000"},
		{"kind=none", 400, "here it is one of dpg, resource"},
		{"nothing=1", 400, "there is no parameter"},
		{"q=%zz", 400, "cannot be read"},
		{"q=a;b", 400, "cannot be read"},
		{"q=" + strings.Repeat("word+", 1000), 400, "q has 5000 characters"},
		{"q=" + strings.Repeat("a", 1<<20), 414, "it may have 8192"},
	}
	for _, tt := range tests {
		name := tt.query[:min(len(tt.query), 40)]
		t.Run(name, func(t *testing.T) {
			r := ask(s, "GET", searchPath+"?"+tt.query, nil)
			says := body(t, r)
			if r.StatusCode != tt.status || !strings.Contains(says, tt.says) || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%d %.300s, want %d and %q", r.StatusCode, says, tt.status, tt.says)
			}
			if len(says) > 64<<10 {
				t.Errorf("the answer has %d bytes", len(says))
			}
			matches(t, doc, r, says)
		})
	}
	// A browser shows the programs of other sites only the headers that it is told to.
	exposed := strings.Split(ask(s, "GET", searchPath, nil).Header.Get("Access-Control-Expose-Headers"), ", ")
	for _, name := range []string{"ETag", "Link", "Retry-After"} {
		if !slices.Contains(exposed, name) {
			t.Errorf("%s is not among the headers %q that programs of other sites may see", name, exposed)
		}
	}
	limited := New(s.current.Load(), Options{Rate: 1, Now: func() time.Time { return time.Unix(0, 0) }})
	for range burst {
		ask(limited, "GET", searchPath, nil)
	}
	r := ask(limited, "GET", searchPath, nil)
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "1" {
		t.Errorf("the request over the limit: %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	matches(t, doc, r, body(t, r))
}

// matches holds an answer to a search against the description.
func matches(t *testing.T, d document, r *http.Response, says string) {
	t.Helper()
	if _, err := d.check("/search", r.StatusCode, r.Header, says); err != nil {
		t.Errorf("the answer is not as described: %v", err)
	}
}

// A description that no answer could break would hold nothing.
func TestDescriptionBites(t *testing.T) {
	s := New(load(t, t.TempDir(), "Open Guide"), Options{})
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body(t, ask(s, "GET", openAPIPath, nil))))
	if err != nil {
		t.Fatal(err)
	}
	schema := doc.Paths.Value("/search").Get.Responses.Value("200").Value.Content.Get("application/json").Schema.Value
	var answer map[string]any
	if err := json.Unmarshal([]byte(body(t, ask(s, "GET", searchPath, nil))), &answer); err != nil {
		t.Fatal(err)
	}
	if err := schema.VisitJSON(answer); err != nil {
		t.Errorf("as it is: %v", err)
	}
	for key := range answer {
		was := answer[key]
		delete(answer, key)
		if schema.VisitJSON(answer) == nil {
			t.Errorf("without %s it is still as described", key)
		}
		answer[key] = was
	}
}

// Files and searches have tags, are compressed for those who can read that, and
// are not sent again to those who have them.
func TestConditionalAndCompressed(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("Guide %d", i))
	}
	s := New(load(t, t.TempDir(), names...), Options{})
	for _, target := range []string{searchPath + "?q=guide", "/api/v1/full.json", "/api/v1/full.ndjson", "/", openAPIPath} {
		for range 2 { // from the disk, then from memory
			plain := ask(s, "GET", target, nil)
			want := body(t, plain)
			packed := ask(s, "GET", target, http.Header{"Accept-Encoding": {"br;q=1.0, gzip;q=0.8"}})
			z, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatalf("%s is not compressed: %v", target, err)
			}
			got, err := io.ReadAll(z)
			if err != nil || !bytes.Equal(got, []byte(want)) {
				t.Errorf("%s compressed is another file, %v", target, err)
			}
			tags := []string{plain.Header.Get("ETag"), packed.Header.Get("ETag")}
			if tags[0] == tags[1] || tags[0] == "" || packed.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: tags %q, Vary %q", target, tags, packed.Header.Get("Vary"))
			}
			for i, tag := range tags {
				h := http.Header{"If-None-Match": {tag}}
				if i == 1 {
					h.Set("Accept-Encoding", "gzip")
				}
				if r := ask(s, "GET", target, h); r.StatusCode != 304 || body(t, r) != "" {
					t.Errorf("%s with its tag %s: %d", target, tag, r.StatusCode)
				}
			}
			for _, no := range []string{"gzip;q=0", "identity", "br"} {
				if r := ask(s, "GET", target, http.Header{"Accept-Encoding": {no}}); r.Header.Get("Content-Encoding") != "" || body(t, r) != want {
					t.Errorf("%s for %q is compressed", target, no)
				}
			}
			if r := ask(s, "HEAD", target, nil); r.StatusCode != 200 || body(t, r) != "" {
				t.Errorf("HEAD %s: %d", target, r.StatusCode)
			}
		}
	}
	r := ask(s, "OPTIONS", searchPath, nil)
	if r.StatusCode != 204 || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("OPTIONS: %d %v", r.StatusCode, r.Header)
	}
	if r := ask(s, "POST", searchPath, nil); r.StatusCode != 405 || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("POST: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
}

// A file that the manifest does not know is read anew every time.
func TestOutsideTheManifest(t *testing.T) {
	dir := t.TempDir()
	s := New(load(t, dir, "Open Guide"), Options{})
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(dir+"/heartbeat.json", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := body(t, ask(s, "GET", "/heartbeat.json", nil)); got != want {
			t.Errorf("heartbeat.json = %q, want %q", got, want)
		}
	}
}

// While a catalog is built anew twenty times into the folder that is served, every
// request is answered, and no answer mixes two of them.
func TestRebuiltUnderLoad(t *testing.T) {
	const rebuilds, entries = 20, 25
	dir := t.TempDir()
	// In one catalog the names of all entries begin with the same word.
	build := func(n int) *Catalog {
		names := make([]string, entries)
		for i := range names {
			names[i] = fmt.Sprintf("Generation%d Guide %d", n, i)
		}
		return load(t, dir, names...)
	}
	s := New(build(0), Options{Now: time.Now})
	at := behind(t, s, true)
	generation := regexp.MustCompile(`Generation[0-9]+`)
	paths := []string{"/api/v1/search?q=guide&per_page=100", "/api/v1/resources.json", "/api/v1/full.json", "/api/v1/full.ndjson",
		"/api/v1/resources/entry-7.json", "/en/resources/entry-7.html", "/index.html", "/api/v1/search.json"}
	stop := make(chan struct{})
	var asking sync.WaitGroup
	var answers atomic.Int64
	seen := make([]map[string]bool, 4)
	for i := range seen {
		seen[i] = map[string]bool{}
		client := &http.Client{Transport: &http.Transport{DisableCompression: i%2 == 0}, Timeout: 30 * time.Second}
		defer client.CloseIdleConnections()
		asking.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				time.Sleep(time.Millisecond) // the builds need the processor too
				path := paths[(n+i)%len(paths)]
				r, err := client.Get("http://" + at + path)
				if err != nil {
					t.Errorf("%s was dropped: %v", path, err)
					return
				}
				data, err := io.ReadAll(r.Body)
				r.Body.Close()
				if r.StatusCode != 200 || err != nil {
					t.Errorf("%s: %d, %v", path, r.StatusCode, err)
					continue
				}
				answers.Add(1)
				found := map[string]int{}
				for _, g := range generation.FindAllString(string(data), -1) {
					found[g]++
				}
				if len(found) != 1 {
					t.Errorf("%s is of %v, want one catalog", path, found)
				}
				for g, times := range found {
					seen[i][g] = true
					if strings.HasSuffix(path, ".json") && !strings.Contains(path, "entry-") && times < entries {
						t.Errorf("%s has %d of %d entries", path, times, entries)
					}
				}
				// The tag is of these bytes and no others.
				if tag, sum := r.Header.Get("ETag"), sha256.Sum256(data); tag != fmt.Sprintf(`"%x"`, sum[:16]) && tag != fmt.Sprintf(`"%x-gz"`, sum[:16]) {
					t.Errorf("%s has the tag %s, and its bytes %x", path, tag, sum[:16])
				}
			}
		})
	}
	for n := 1; n <= rebuilds; n++ {
		s.Swap(build(n))
		for had := answers.Load(); answers.Load() < had+40 && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	asking.Wait()
	all := map[string]bool{}
	for _, m := range seen {
		maps.Copy(all, m)
	}
	if len(all) != rebuilds+1 {
		t.Errorf("%d catalogs were seen, want each of %d", len(all), rebuilds+1)
	}
	t.Logf("%d requests were answered while %d catalogs came", answers.Load(), rebuilds)
}

func TestLimiter(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	l := newLimiter(2)
	allowed := func(addr netip.Addr, second int64, asks int) (n int) {
		for range asks {
			if l.take(addr, time.Unix(second, 0)) == 0 {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		name string
		addr netip.Addr
		at   int64
		want int
	}{
		{"ten seconds' worth at once", a, 1000, 20}, {"no more in the same second", a, 1000, 0}, {"another is not held", b, 1000, 20},
		{"two a second later", a, 1001, 2}, {"a clock set back gives nothing", a, 10, 0}, {"all of it after a while", a, 5000, 20},
	} {
		if got := allowed(tt.addr, tt.at, 30); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	for i := range 10 * maxClients {
		l.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Unix(5000, 0))
	}
	if n := len(l.now) + len(l.before); n > 2*maxClients {
		t.Errorf("the limiter remembers %d addresses, want %d at most", n, 2*maxClients)
	}
}

func TestClient(t *testing.T) {
	s := &Server{options: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	tests := []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"by itself", "192.0.2.7:99", nil, "192.0.2.7"},
		{"hearsay", "192.0.2.7:99", []string{"198.51.100.1"}, "192.0.2.7"},
		{"through a proxy", "10.0.0.1:99", []string{"198.51.100.1"}, "198.51.100.1"},
		{"through two", "10.0.0.1:99", []string{"203.0.113.5, 198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"nonsense before what is known", "10.0.0.1:99", []string{"<script>, 10.0.0.2"}, "10.0.0.2"},
		{"a proxy for itself", "10.0.0.1:99", nil, "10.0.0.1"},
		{"one network of IPv6", "[2001:db8:1:2:3:4:5:6]:99", nil, "2001:db8:1:2::"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.7]:99", nil, "192.0.2.7"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		r.Header["X-Forwarded-For"] = tt.forwarded
		if got := s.client(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A catalog without the lines of JSON is served, and says why it cannot be searched.
func TestWithoutSearch(t *testing.T) {
	c, err := Load(context.Background(), fstest.MapFS{"api/v1/index.json": {Data: []byte("{}")}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := New(c, Options{})
	if r := ask(s, "GET", searchPath, nil); r.StatusCode != 404 || !strings.Contains(body(t, r), "full.ndjson") {
		t.Errorf("a search: %d", r.StatusCode)
	}
	if r := ask(s, "GET", "/api/v1/index.json", nil); r.StatusCode != 200 {
		t.Errorf("a file: %d", r.StatusCode)
	}
}
