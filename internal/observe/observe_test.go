package observe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// All that a repository may hold under the names of licences, read from a real Git
// server that gives single files, one that only leaves out large ones, and one
// that gives all or nothing.
func TestLookThroughGit(t *testing.T) {
	big := make([]byte, 3<<20)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(big)
	bigText := bytes.Repeat([]byte("words of a licence that has no end "), 60_000)
	repository := map[string][]byte{
		"LICENSE":                tag("MIT"),
		"LICENSE-APACHE":         tag("Apache-2.0"),
		"COPYING.LESSER":         tag("LGPL-3.0-or-later"),
		"licence.md":             tag("ISC"),
		"UNLICENSE":              []byte("nothing that anybody knows\n"),
		"COPYING -> LICENSE":     nil,
		"LICENSE-2.0 -> /etc/pw": nil,
		"COPYING.bin":            []byte("MZ\x00\x00"),
		"LICENSE.html":           []byte("MZ\x00\x00"),
		"LICENSE.txt":            bigText,
		"LICENSE-3rdparty.txt":   tag("GPL-2.0-only"),
		"license.go":             []byte("package license\n"),
		"LICENSE \n- evil: x":    tag("Zlib"),
		"LICENSE-`rm -rf`":       tag("Zlib"),
		"LICENSE..txt":           tag("Zlib"),
		"LICENSES/MIT.txt":       tag("MIT"),
		"LICENSES/CC0-1.0.txt":   tag("CC0-1.0"),
		"LICENSES/notes.md":      tag("Zlib"),
		"docs/LICENSE":           tag("Zlib"),
		"src/main.c":             big,
	}
	want := []registry.ObservedFile{
		{Path: "COPYING", Skip: registry.SkipLink},
		{Path: "COPYING.LESSER", SHA256: sum(repository["COPYING.LESSER"]), Expression: "LGPL-3.0-or-later"},
		{Path: "LICENSE", SHA256: sum(repository["LICENSE"]), Expression: "MIT"},
		{Path: "LICENSE-2.0", Skip: registry.SkipLink},
		{Path: "LICENSE-APACHE", SHA256: sum(repository["LICENSE-APACHE"]), Expression: "Apache-2.0"},
		{Path: "LICENSE.html", Skip: registry.SkipBinary},
		{Path: "LICENSE.txt", Skip: registry.SkipLarge},
		{Path: "UNLICENSE", SHA256: sum(repository["UNLICENSE"])},
		{Path: "licence.md", SHA256: sum(repository["licence.md"]), Expression: "ISC"},
		{Path: "LICENSES/CC0-1.0.txt", SHA256: sum(repository["LICENSES/CC0-1.0.txt"]), Expression: "CC0-1.0"},
		{Path: "LICENSES/MIT.txt", SHA256: sum(repository["LICENSES/MIT.txt"]), Expression: "MIT"},
	}
	tests := []struct {
		name   string
		config map[string]string
		posts  int64
	}{
		{"single files", map[string]string{"uploadpack.allowFilter": "true", "uploadpack.allowAnySHA1InWant": "true"}, 2},
		{"filter", map[string]string{"uploadpack.allowFilter": "true"}, 1},
		{"plain", nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newGitServer(t)
			commit := s.commit(t, "aid", repository)
			for key, value := range tt.config {
				run(t, filepath.Join(s.root, "aid"), "config", key, value)
			}
			s.posts.Store(0)
			opt := testOptions(t, s.Server)
			reg := testRegistry(t, map[string][]string{"aid": {s.URL + "/aid"}}, nil)
			docs, err := Entries(reg, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Look(t.Context(), reg, docs, opt)
			if err != nil || len(r.Missed) > 0 {
				t.Fatalf("Look: %v, %v", err, r)
			}
			got := r.Seen[0].Observation.Repositories[0]
			for i := range got.Files {
				if c := got.Files[i].Confidence; c < 0 || c > 1 || (c > 0) != (got.Files[i].Expression != "") {
					t.Errorf("%s: confidence %v", got.Files[i].Path, c)
				}
				got.Files[i].Confidence = 0
			}
			whole := registry.ObservedRepository{
				URL: s.URL + "/aid", AsOf: "2026-01-31", State: registry.StatePresent, Commit: commit, Files: want,
				More: 3,
			}
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
			if n := s.posts.Load(); n != tt.posts {
				t.Errorf("%d packs were asked for, want %d", n, tt.posts)
			}
			// What is proposed can be read back as it was written.
			proposals, err := Plan(reg, r)
			if err != nil || len(proposals) != 1 || proposals[0].Path != "observations/dpgs/aid.yaml" {
				t.Fatalf("Plan: %v, %v", proposals, err)
			}
			back, err := reg.DecodeObservation("x.yaml", proposals[0].Data)
			if err != nil || !SameFacts(back, r.Seen[0].Observation) {
				t.Errorf("read back: %v, %v", back, err)
			}
		})
	}
}

// Of a large repository little is fetched where the server can leave things out.
func TestFilterSparesBytes(t *testing.T) {
	big := make([]byte, 3<<20)
	rng := rand.NewChaCha8([32]byte{2})
	rng.Read(big)
	s := newGitServer(t)
	s.commit(t, "aid", map[string][]byte{"LICENSE": tag("MIT"), "big.bin": big})
	reg := testRegistry(t, map[string][]string{"aid": {s.URL + "/aid"}}, nil)
	opt := testOptions(t, s.Server)
	opt.EntryBytes = 100 << 10
	if r := look(t, reg, opt); len(r.Missed) != 1 || r.Missed[0].Why != fetch.ErrTooLarge.Error() {
		t.Errorf("without a filter: %+v", r)
	}
	run(t, filepath.Join(s.root, "aid"), "config", "uploadpack.allowFilter", "true")
	if r := look(t, reg, opt); len(r.Missed) != 0 {
		t.Errorf("large files left out: %+v", r.Missed)
	}
	run(t, filepath.Join(s.root, "aid"), "config", "uploadpack.allowAnySHA1InWant", "true")
	if r := look(t, reg, opt); len(r.Missed) != 0 {
		t.Errorf("single files: %+v", r.Missed)
	}
}

// An observation is rewritten when a fact changes, and for nothing else; what did
// not change is not fetched again.
func TestLookAgain(t *testing.T) {
	s := newGitServer(t)
	first := s.commit(t, "aid", map[string][]byte{"LICENSE": tag("MIT")})
	opt := testOptions(t, s.Server)
	opt.Cache = filepath.Join(t.TempDir(), "cache")
	urls := map[string][]string{"aid": {s.URL + "/aid"}}
	reg := testRegistry(t, urls, nil)
	plan := func(reg *registry.Registry) []Proposal {
		t.Helper()
		r := look(t, reg, opt)
		if len(r.Missed) > 0 {
			t.Fatal(r.Missed)
		}
		p, err := Plan(reg, r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan(reg)
	if len(p) != 1 || p[0].New.Repositories[0].Commit != first {
		t.Fatalf("first: %+v", p)
	}
	posts := s.posts.Load()
	if again := plan(reg); s.posts.Load() != posts || len(again) != 1 || !bytes.Equal(again[0].Data, p[0].Data) {
		t.Errorf("a second look at the same commit asks for %d packs, and proposes %s", s.posts.Load()-posts, again[0].Data)
	}

	reg = testRegistry(t, urls, map[string]string{p[0].Path: string(p[0].Data)})
	opt.AsOf = "2026-02-28"
	if p := plan(reg); len(p) != 0 {
		t.Errorf("another day: %s", p[0].Data)
	}
	s.commit(t, "aid", map[string][]byte{"main.c": []byte("int x;\n")})
	if p := plan(reg); len(p) != 0 {
		t.Errorf("another commit with the same texts: %s", p[0].Data)
	}
	second := s.commit(t, "aid", map[string][]byte{"LICENSE": tag("ISC")})
	p = plan(reg)
	if len(p) != 1 || p[0].New.Repositories[0].Commit != second || p[0].New.Repositories[0].AsOf != "2026-02-28" || p[0].New.Repositories[0].Files[0].Expression != "ISC" {
		t.Errorf("another text: %+v", p)
	}

	// An entry that ended loses its file; one that cannot be read keeps it.
	ended := testRegistry(t, nil, map[string]string{
		"dpgs/aid.yaml":              "schema: dpg/v1\nid: aid\nname: A\ntypes: [software]\nstatus: {stage: archived, reason: x}\n",
		"dpgs/bid.yaml":              "schema: dpg/v1\nid: bid\nname: [\n",
		"observations/dpgs/aid.yaml": string(p[0].Data),
		"observations/dpgs/bid.yaml": strings.Replace(string(p[0].Data), "dpg/aid", "dpg/bid", 1),
		"observations/dpgs/cid.yaml": strings.Replace(string(p[0].Data), "dpg/aid", "dpg/cid", 1),
	})
	gone, err := Plan(ended, &Report{})
	if err != nil || len(gone) != 2 || !gone[0].Delete || gone[0].Path != "observations/dpgs/aid.yaml" || gone[1].Path != "observations/dpgs/cid.yaml" {
		t.Errorf("ended: %+v, %v", gone, err)
	}
}

// What cannot be looked at now stays as it was seen last, and stops nobody else.
func TestFailureStopsNothing(t *testing.T) {
	s := newGitServer(t)
	s.commit(t, "good", map[string][]byte{"LICENSE": tag("MIT")})
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }))
	defer broken.Close()
	opt := testOptions(t, s.Server, broken)
	known := "schema: observation/v1\nentry: dpg/both\nrepositories:\n  - {url: '" + broken.URL + "/x', as_of: 2025-05-05, state: present, files: [{path: LICENSE, expression: ISC}]}\n"
	reg := testRegistry(t, map[string][]string{
		"bad":  {broken.URL + "/x"},
		"both": {broken.URL + "/x", s.URL + "/good", s.URL + "/good"},
		"odd":  {"git@example.org:a/b.git", "ftp://example.org/", "http://me:secret@example.org/", "http://10.0.0.1/x"},
		"good": {s.URL + "/good"},
	}, map[string]string{"observations/dpgs/both.yaml": known})
	calls := 0
	opt.Each = func(done, all int) {
		if calls++; done != calls || all != 4 {
			t.Errorf("progress %d of %d at call %d", done, all, calls)
		}
	}
	r := look(t, reg, opt)
	var got []string
	for _, m := range r.Missed {
		got = append(got, fmt.Sprintf("%s %v %s", m.Ref, m.Skipped, m.Why))
	}
	want := []string{
		"dpg/bad false the server answers 500 Internal Server Error",
		"dpg/both false the server answers 500 Internal Server Error",
		`dpg/odd false "git@example.org:a/b.git" is not an address that can be read`,
		`dpg/odd false "ftp://example.org/" is not an address that begins with https:// or http://`,
		`dpg/odd false "http://example.org/" carries a user name or a password`,
		`dpg/odd false "10.0.0.1" is a private address, which is not on the public internet`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	both := r.Seen[1].Observation
	if len(both.Repositories) != 2 || both.Repositories[0].AsOf != "2025-05-05" || both.Repositories[1].AsOf != "2026-01-31" {
		t.Errorf("both: %+v", both)
	}
	if calls != 4 {
		t.Errorf("progress was told %d times", calls)
	}
	if _, err := Entries(reg, []string{"nobody"}, 0); err == nil {
		t.Error("an entry that is not there is found")
	}
	if docs, err := Entries(reg, []string{"good", "dpg/bad"}, 0); err != nil || len(docs) != 2 {
		t.Errorf("Entries picks %v, %v", docs, err)
	}
}

func pkt(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }

const someCommit = "3d3c42e5aac5ba805825da76410c181273ba90b1"

func advertise(w io.Writer) {
	io.WriteString(w, pkt("# service=git-upload-pack\n")+"0000"+
		pkt(someCommit+" HEAD\x00side-band-64k shallow agent=x\n")+pkt(someCommit+" refs/heads/main\n")+"0000")
}

// Servers that mean no good, or do not know better: each costs one repository, in
// bounded time and bytes, and says why.
func TestHostileServers(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { advertise(w) }))
	defer inside.Close()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	page := func(path string, f http.HandlerFunc) { mux.HandleFunc(path, f) }
	refs := func(name string) {
		page("/"+name+"/info/refs", func(w http.ResponseWriter, r *http.Request) { advertise(w) })
	}
	until := func(r *http.Request, f func() error) {
		for r.Context().Err() == nil && f() == nil {
		}
	}
	refs("endless")
	page("/endless/git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pkt("shallow "+someCommit)+"0000"+pkt("NAK\n")+pkt("\x01PACK\x00\x00\x00\x02\x00\x20\x00\x00"))
		var blob bytes.Buffer
		writeObject(&blob, 3, []byte("endless"))
		block := []byte(pkt("\x01" + strings.Repeat(blob.String(), 500)))
		until(r, func() error { _, err := w.Write(block); return err })
	})
	page("/endlessrefs/info/refs", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pkt("# service=git-upload-pack\n")+"0000"+pkt(someCommit+" HEAD\x00shallow\n"))
		n := 0
		until(r, func() error {
			var lines strings.Builder
			for range 500 {
				n++
				lines.WriteString(pkt(fmt.Sprintf("%s refs/heads/b%d\n", someCommit, n)))
			}
			_, err := io.WriteString(w, lines.String())
			return err
		})
	})
	refs("chatty")
	page("/chatty/git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pkt("shallow "+someCommit)+"0000"+pkt("NAK\n"))
		block := strings.Repeat(pkt("\x02still counting\n"), 2000)
		until(r, func() error { _, err := io.WriteString(w, block); return err })
	})
	page("/drip/info/refs", func(w http.ResponseWriter, r *http.Request) {
		until(r, func() error {
			w.Write([]byte("a")) // "aaaa" is a line of 43,690 bytes
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Millisecond):
			}
			return nil
		})
	})
	refs("garbage")
	page("/garbage/git-upload-pack", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "what is this") })
	refs("nothing")
	page("/nothing/git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pkt("shallow "+someCommit)+"0000"+pkt("NAK\n")+pkt("\x01PACK\x00\x00\x00\x02\x00\x00\x00\x00")+"0000")
	})
	refs("bomb")
	page("/bomb/git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, pkt("shallow "+someCommit)+"0000"+pkt("NAK\n")+pkt("\x01PACK\x00\x00\x00\x02\x00\x00\x00\x01"+string(objectHeader(3, 1<<40))))
	})
	page("/page/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>a project's page</html>") })
	page("/site/info/refs", http.NotFound)
	page("/site", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>a project's page</html>") })
	page("/busy/info/refs", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	page("/closed/info/refs", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "token=secret \x1b[31m", http.StatusForbidden)
	})
	page("/inside/info/refs", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL+"/a/info/refs?service=git-upload-pack", http.StatusMovedPermanently)
	})
	page("/loop/info/refs", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop/info/refs?service=git-upload-pack", http.StatusFound)
	})

	tests := []struct{ name, why string }{
		{"bomb", "the answer is larger than is read"},
		{"busy", "the server answers 503 Service Unavailable"},
		{"chatty", "the answer is larger than is read"},
		{"closed", "the server answers 403 Forbidden"},
		{"endless", "the answer is larger than is read"},
		{"endlessrefs", "the answer is larger than is read"},
		{"garbage", errNoPack.Error()},
		{"inside", `"127.0.0.1" is a loopback address, which is not on the public internet`},
		{"loop", "*"},
		{"nothing", "the server left out what it was asked for, or it is too large"},
		{"page", errNoRepository.Error()},
		{"site", errNoRepository.Error()},
	}
	urls := map[string][]string{}
	for _, tt := range tests {
		urls[tt.name] = []string{s.URL + "/" + tt.name}
	}
	opt := testOptions(t, s)
	opt.EntryBytes, opt.Jobs = 2<<20, len(tests)
	slow := opt
	slow.Entry = 300 * time.Millisecond
	if r := look(t, testRegistry(t, map[string][]string{"drip": {s.URL + "/drip"}}, nil), slow); len(r.Missed) != 1 || r.Missed[0].Why != "no whole answer came in time" {
		t.Errorf("drip: %+v", r)
	}
	r := look(t, testRegistry(t, urls, nil), opt)
	if len(r.Missed) != len(tests) {
		t.Fatalf("%d of %d are missed: %+v", len(r.Missed), len(tests), r.Missed)
	}
	for i, tt := range tests {
		m := r.Missed[i]
		if m.Ref.ID != tt.name || m.Why != tt.why && tt.why != "*" || m.Why == "" || strings.ContainsAny(m.Why, "\n\x1b") || strings.Contains(m.Why, "secret") {
			t.Errorf("%s: %q, want %q", m.Ref.ID, m.Why, tt.why)
		}
		if r.Seen[i].Observation != nil {
			t.Errorf("%s: something was seen: %+v", tt.name, r.Seen[i].Observation)
		}
	}
}

// Where a repository is, is a fact of its own.
func TestStates(t *testing.T) {
	g := newGitServer(t)
	g.commit(t, "new.git", map[string][]byte{"LICENSE": tag("MIT")})
	run(t, g.root, "init", "-q", "--bare", "-b", "main", "empty")
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	to := func(from, target string, code int) {
		mux.HandleFunc(from+"/info/refs", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target+"/info/refs?"+r.URL.RawQuery, code)
		})
	}
	to("/old", g.URL+"/new.git", 301)
	to("/older", "/old", 308)
	to("/now", g.URL+"/new.git", 302)
	to("/twisted", "/now", 301)
	mux.HandleFunc("/private/info/refs", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) })
	mux.HandleFunc("/private", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sign_in", http.StatusFound) })
	mux.HandleFunc("/sign_in", func(w http.ResponseWriter, r *http.Request) {})
	tests := []struct{ url, state, movedTo string }{
		{g.URL + "/new.git", "present", ""},
		{g.URL + "/new.git/", "present", ""},
		{g.URL + "/empty", "empty", ""},
		{s.URL + "/old", "moved", g.URL + "/new"},
		{s.URL + "/older", "moved", g.URL + "/new"},
		{s.URL + "/now", "present", ""},
		{s.URL + "/twisted", "present", ""},
		{s.URL + "/gone", "gone", ""},
		{s.URL + "/private", "gone", ""},
	}
	var urls []string
	for _, tt := range tests {
		urls = append(urls, tt.url)
	}
	r := look(t, testRegistry(t, map[string][]string{"aid": urls}, nil), testOptions(t, g.Server, s))
	if len(r.Missed) > 0 {
		t.Fatal(r.Missed)
	}
	for i, tt := range tests {
		got := r.Seen[0].Observation.Repositories[i]
		if got.URL != tt.url || got.State != tt.state || got.MovedTo != tt.movedTo {
			t.Errorf("%s: state %q to %q, want %q to %q", tt.url, got.State, got.MovedTo, tt.state, tt.movedTo)
		}
		if texts := len(got.Files); (texts == 1) != slices.Contains([]string{"present", "moved"}, tt.state) {
			t.Errorf("%s: %d texts", tt.url, texts)
		}
	}
}

func TestRunBounds(t *testing.T) {
	s := newGitServer(t)
	s.commit(t, "aid", map[string][]byte{"LICENSE": tag("MIT")})
	opt := testOptions(t, s.Server)
	opt.AllBytes, opt.Jobs = 700, 1
	r := look(t, testRegistry(t, map[string][]string{"a": {s.URL + "/aid"}, "b": {s.URL + "/aid"}, "c": {s.URL + "/aid"}}, nil), opt)
	skipped := 0
	for _, m := range r.Missed {
		if m.Skipped {
			skipped++
		}
	}
	if len(r.Missed) == 0 || skipped == 0 {
		t.Errorf("a run past its bytes goes on: %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reg := testRegistry(t, map[string][]string{"a": {s.URL + "/aid"}}, nil)
	if _, err := Look(ctx, reg, reg.Docs, opt); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := Look(t.Context(), reg, reg.Docs, Options{}); err == nil {
		t.Error("without a detector it looks")
	}
}

// The whole way with a licence's own words, and with a clause that nobody may add
// and keep the name.
func TestLookReadsWords(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	s := newGitServer(t)
	s.commit(t, "plain", map[string][]byte{"LICENSE": apache})
	s.commit(t, "more", map[string][]byte{"LICENSE": append(slices.Clone(apache), "\n\nThe Software shall not be used by any military, nor sold.\n"...)})
	r := look(t, testRegistry(t, map[string][]string{"aid": {s.URL + "/plain", s.URL + "/more"}}, nil), testOptions(t, s.Server))
	if len(r.Missed) > 0 {
		t.Fatal(r.Missed)
	}
	of := r.Seen[0].Observation.Repositories
	if f := of[0].Files[0]; f.Expression != "Apache-2.0" || f.Confidence < 0.9 {
		t.Errorf("the plain text: %+v", f)
	}
	if f := of[1].Files[0]; f.Expression != "" {
		t.Errorf("with a clause added: %+v", f)
	}
}

// A host that is down costs the run three entries' time, however many name it.
func TestSilentHost(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	g := newGitServer(t)
	g.commit(t, "good", map[string][]byte{"LICENSE": tag("MIT")})
	urls := map[string][]string{}
	for i := range 6 {
		urls[fmt.Sprint("a", i)] = []string{s.URL + "/x"}
	}
	urls["b"] = []string{g.URL + "/good"}
	opt := testOptions(t, s, g.Server)
	opt.Jobs, opt.Entry = 1, 400*time.Millisecond
	r := look(t, testRegistry(t, urls, nil), opt)
	failed, skipped := 0, 0
	for _, m := range r.Missed {
		switch {
		case !m.Skipped && m.Why == "no whole answer came in time":
			failed++
		case m.Skipped && strings.HasSuffix(m.Why, "did not answer 3 times in this run"):
			skipped++
		default:
			t.Errorf("missed: %+v", m)
		}
	}
	if failed != 3 || skipped != 3 {
		t.Errorf("%d failed, %d skipped", failed, skipped)
	}
	if last := r.Seen[len(r.Seen)-1]; last.Doc.Ref.ID != "b" || last.Observation == nil {
		t.Errorf("another host was left out: %+v", last)
	}
}

// Whoever interrupts a run keeps what was seen until then, and goes on with what
// was not.
func TestInterrupted(t *testing.T) {
	var interrupt atomic.Pointer[context.CancelFunc]
	interrupted := func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		interrupt.Store(&cancel)
		return ctx
	}
	g := newGitServer(t)
	g.commit(t, "good", map[string][]byte{"LICENSE": tag("MIT")})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*interrupt.Load())()
		<-r.Context().Done()
	}))
	defer s.Close()
	urls := map[string][]string{"a": {g.URL + "/good"}, "b": {g.URL + "/good"}, "c": {s.URL + "/x"}, "d": {g.URL + "/good"}}
	opt := testOptions(t, s, g.Server)
	opt.Jobs = 1
	seen := func(reg *registry.Registry, ctx context.Context) (names []string, proposals []Proposal, err error) {
		docs, err := Entries(reg, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, failed := Look(ctx, reg, docs, opt)
		for _, s := range r.Seen {
			names = append(names, s.Doc.Ref.ID)
		}
		if len(r.Missed) > 0 && failed != nil {
			t.Errorf("missed: %+v", r.Missed)
		}
		p, err := Plan(reg, r)
		if err != nil {
			t.Fatal(err)
		}
		return names, p, failed
	}
	names, proposals, err := seen(testRegistry(t, urls, nil), interrupted())
	if !errors.Is(err, context.Canceled) || !slices.Equal(names, []string{"a", "b"}) || len(proposals) != 2 {
		t.Fatalf("interrupted: %v, seen %v, %d proposals", err, names, len(proposals))
	}
	files := map[string]string{}
	for _, p := range proposals {
		files[p.Path] = string(p.Data)
	}
	// What is unknown comes first: c, which stands before d, interrupts this one too.
	if names, _, err := seen(testRegistry(t, urls, files), interrupted()); !errors.Is(err, context.Canceled) || len(names) != 0 {
		t.Errorf("interrupted again: %v, seen %v", err, names)
	}
	urls["c"] = nil
	if names, proposals, err := seen(testRegistry(t, urls, files), t.Context()); err != nil || !slices.Equal(names, []string{"a", "b", "d"}) || len(proposals) != 1 {
		t.Errorf("in the end: %v, seen %v, %d proposals", err, names, len(proposals))
	}
}
