package observe

import (
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

// run runs git in a folder, without anybody's settings.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=2025-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_COMMITTER_DATE=2025-01-01T00:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// A gitServer serves the bare repositories of a folder as git http-backend does.
type gitServer struct {
	*httptest.Server
	root  string
	posts atomic.Int64 // packs asked for
}

func newGitServer(t testing.TB) *gitServer {
	t.Helper()
	s := &gitServer{root: t.TempDir()}
	backend := &cgi.Handler{
		Path:   filepath.Join(run(t, s.root, "--exec-path"), "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"},
		Stderr: io.Discard, Logger: log.New(io.Discard, "", 0), // clients that hang up are the point
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.posts.Add(1)
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// commit puts files on the main branch of a repository, which it makes if need be.
// A file "name -> target" is a symbolic link; one of nil is deleted.
func (s *gitServer) commit(t testing.TB, name string, files map[string][]byte) (commit string) {
	t.Helper()
	bare := filepath.Join(s.root, name)
	if _, err := os.Stat(bare); err != nil {
		run(t, s.root, "init", "-q", "--bare", "-b", "main", name)
	}
	work := t.TempDir()
	run(t, work, "clone", "-q", bare, ".")
	run(t, work, "checkout", "-q", "-B", "main")
	for path, data := range files {
		path, target, link := strings.Cut(path, " -> ")
		at := filepath.Join(work, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(target, at)
		case data == nil:
			err = os.Remove(at)
		default:
			err = os.WriteFile(at, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, work, "add", "-A")
	run(t, work, "commit", "-q", "--allow-empty", "-m", "x")
	run(t, work, "push", "-q", "origin", "main")
	return run(t, work, "rev-parse", "HEAD")
}

// only lets servers of this test pass the guard, and nothing else of this machine.
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

func testOptions(t testing.TB, servers ...*httptest.Server) Options {
	t.Helper()
	d, err := match.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Detector: d, AsOf: "2026-01-31", Entry: 20 * time.Second,
		Client: fetch.New(fetch.Options{Exception: only(servers...), Timeout: 20 * time.Second}),
	}
}

// testRegistry is a registry of entries by id, each with its repositories, and
// whatever other files are given by path.
func testRegistry(t testing.TB, repositories map[string][]string, more map[string]string) *registry.Registry {
	t.Helper()
	files := fstest.MapFS{}
	for id, urls := range repositories {
		text := "schema: dpg/v1\nid: " + id + "\nname: " + id + "\ntypes: [software]\nlicenses: [{expression: MIT}]\nstatus: {stage: nominee}\nrepositories:\n"
		for _, u := range urls {
			text += "  - {url: '" + u + "'}\n"
		}
		files["dpgs/"+id+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range more {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func look(t testing.TB, reg *registry.Registry, opt Options) *Report {
	t.Helper()
	docs, err := Entries(reg, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Look(t.Context(), reg, docs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A tag is a licence text in brief that the detector knows at once.
func tag(expression string) []byte {
	return []byte("SPDX-License-Identifier: " + expression + "\n")
}
