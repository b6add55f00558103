package dpgbot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// A world holds every repository that the registry of this project names, at a
// real Git server of this machine.
type world struct {
	*httptest.Server
	root  string
	dir   string // a copy of the registry, with the addresses of that server
	armed atomic.Bool
	asked func(*http.Request) // told of each request while armed; set before the first
}

// newWorld copies the registry, and makes a repository of every address in it. The
// licences go round: the one declared, another, none, and a repository that is gone.
func newWorld(t *testing.T) (*world, int) {
	t.Helper()
	w := &world{root: t.TempDir(), dir: filepath.Join(t.TempDir(), "registry")}
	testgit.Need(t)
	git := testgit.Work{Dir: w.root}
	backend := &cgi.Handler{
		Path: filepath.Join(git.Git(t, "--exec-path"), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + w.root, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: io.Discard,
	}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.asked != nil && w.armed.Load() {
			w.asked(r)
		}
		backend.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	if err := os.CopyFS(w.dir, os.DirFS("../../../registry")); err != nil {
		t.Fatal(err)
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(os.DirFS(w.dir)), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, d := range reg.Docs {
		if d.Entry == nil || len(d.Entry.Repositories) == 0 {
			continue
		}
		file := filepath.Join(w.dir, filepath.FromSlash(strings.TrimPrefix(d.Path, reg.Prefix+"/")))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// One address may be the beginning of another.
		all := slices.SortedFunc(slices.Values(d.Entry.Repositories), func(a, b entry.Repository) int { return len(b.URL) - len(a.URL) })
		for _, r := range all {
			if made[r.URL] == "" {
				n := len(made)
				made[r.URL] = fmt.Sprintf("%s/r%d.git", w.URL, n)
				files := ""
				switch declared := d.Entry.Licenses; {
				case n%4 == 2:
				case n%4 == 1 || len(declared) == 0:
					files = license("Beerware")
				default:
					files = license(declared[0].Expression)
				}
				if n%4 != 3 { // that one is gone
					name := path.Base(made[r.URL])
					git.Git(t, "init", "-q", "--bare", "-b", "main", name)
					git.Feed(t, "commit refs/heads/main\ncommitter A <a@example.org> 1767225600 +0000\ndata 1\nc\n"+files, "-C", name, "fast-import", "--quiet")
				}
			}
			data = bytes.ReplaceAll(data, []byte(r.URL), []byte(made[r.URL]))
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w, len(made)
}

func license(expression string) string {
	text := "SPDX-License-Identifier: " + expression + "\n"
	return fmt.Sprintf("M 100644 inline LICENSE\ndata %d\n%s\n", len(text), text)
}

// run is dpgbot observe on the copy, with the guard's exception for the server.
func (w *world) run(ctx context.Context, asOf string) (out, told string, err error) {
	jobs := 4
	r := observing{
		botFlags: &botFlags{folder: w.dir, asOf: asOf}, jobs: &jobs, timeout: time.Minute, mib: 100, cache: "none",
		client: fetch.New(fetch.Options{Exception: func(at netip.AddrPort) bool { return at.String() == w.Listener.Addr().String() }}),
	}
	var stdout, stderr bytes.Buffer
	err = r.run(ctx, &cli.IO{Out: &stdout, Err: &stderr})
	return stdout.String(), stderr.String(), err
}

func (w *world) files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Join(w.dir, registry.ObservationFolder), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		all[name] = string(data)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// The whole of the registry that is included here: every repository is told of once,
// a second run changes nothing, and one that is interrupted is carried on.
func TestObserveWholeRegistry(t *testing.T) {
	w, repositories := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := map[string]bool{}
	lock := make(chan struct{}, 1)
	w.asked = func(r *http.Request) {
		lock <- struct{}{}
		defer func() { <-lock }()
		if asked[r.URL.Path] = true; len(asked) > repositories {
			cancel() // a half of it, with a pack for each
		}
	}
	w.armed.Store(true)
	out, told, err := w.run(ctx, "2026-01-31")
	if !errors.Is(err, context.Canceled) || !strings.Contains(told, "were looked at; the next run begins with the others") {
		t.Fatalf("interrupted: %v\n%s", err, told)
	}
	first := w.files(t)
	if len(first) == 0 || strings.Contains(out, "interrupted") {
		t.Fatalf("%d files after the interruption:\n%s", len(first), out)
	}

	w.armed.Store(false)
	out, told, err = w.run(t.Context(), "2026-02-01")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(told)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if !strings.Contains(told, ", 0 failed, 0 skipped") || len(lines) != repositories || !slices.IsSortedFunc(lines, func(a, b string) int {
		return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1])
	}) {
		t.Errorf("%d lines for %d repositories, or not by entry:\n%s", len(lines), repositories, out)
	}
	for _, word := range []string{"same", "different", "unknown", "gone"} {
		if !strings.Contains(out, word+" ") {
			t.Errorf("nothing is %s:\n%s", word, out)
		}
	}
	second := w.files(t)
	if len(second) <= len(first) {
		t.Errorf("%d files, %d after the interruption", len(second), len(first))
	}
	for name, data := range first {
		if second[name] != data {
			t.Errorf("%s was written again, on another day:\n%s", name, cmp.Diff(data, second[name]))
		}
	}
	again, told, err := w.run(t.Context(), "2026-02-28")
	if err != nil || !strings.Contains(told, "0 observations written, 0 deleted") {
		t.Errorf("again: %v\n%s", err, told)
	}
	if diff := cmp.Diff(second, w.files(t)); diff != "" {
		t.Errorf("a second run changes files:\n%s", diff)
	}
	if len(strings.Split(strings.TrimSpace(again), "\n")) != len(lines) {
		t.Error("a second run tells of fewer repositories")
	}
}
