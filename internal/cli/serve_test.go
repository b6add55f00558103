//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
)

const guide = `schema: resource/v1
id: open-guide
name: Open Guide
url: https://guide.example.org/
status: {stage: listed, as_of: 2026-01-15}
`

// registryOf makes a folder with a registry of one entry in it.
func registryOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "registry", "resources"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "registry", "resources", "open-guide.yaml"), []byte(guide), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A server is dpg serve, running.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stdout strings.Builder
	stderr transcript
	read   chan struct{} // closed when standard error is read to its end
}

// A transcript is text that one goroutine writes while others read it.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.WriteString(line + "\n")
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// start runs dpg serve in a folder and waits until it says where it answers.
func start(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{t: t, read: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	s.cmd = exec.CommandContext(ctx, "dpg", append([]string{"serve"}, args...)...)
	s.cmd.Dir, s.cmd.Stdout = dir, &s.stdout
	s.cmd.Env = append(os.Environ(), environment(dir)...)
	s.cmd.Env = append(s.cmd.Env, "TMPDIR="+dir)
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(s.read)
		defer close(ready)
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			s.stderr.add(lines.Text())
			if at := address.FindString(lines.Text()); at != "" {
				select {
				case ready <- at:
				default:
				}
			}
		}
	}()
	if s.url = <-ready; s.url == "" {
		s.cmd.Wait()
		t.Fatalf("dpg serve %q said no address: %s", args, s.stderr.String())
	}
	return s
}

// stop sends a signal and holds that the server ends well.
func (s *server) stop(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
	<-s.read
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("after %s: %v; it said %s", sig, err, s.stderr.String())
	}
	if s.stdout.Len() > 0 {
		s.t.Errorf("serve wrote to standard output: %q", s.stdout.String())
	}
	if !strings.HasSuffix(s.stderr.String(), "\nstopped\n") {
		s.t.Errorf("after %s it said %q", sig, s.stderr.String())
	}
}

func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	answer, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// Serve builds the registry's catalog, answers on a port that is free, and on an
// interrupt stops and leaves nothing behind.
func TestServe(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := registryOf(t)
			s := start(t, dir, "--addr", "127.0.0.1:0")
			status, body := s.get("api/v1/resources/open-guide.json")
			if status != http.StatusOK || !json.Valid([]byte(body)) || !strings.Contains(body, "Open Guide") {
				t.Errorf("the entry: %d %s", status, body)
			}
			if status, body := s.get(""); status != http.StatusOK || !strings.Contains(body, "<!DOCTYPE html>") {
				t.Errorf("the front page: %d %.100s", status, body)
			}
			if status, _ := s.get("registry/resources/open-guide.yaml"); status != http.StatusNotFound {
				t.Errorf("a file outside the catalog: %d", status)
			}
			s.stop(sig)
			if left, _ := filepath.Glob(filepath.Join(dir, "dpg-serve-*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// Serve shows a folder that was built, and takes the next port where one is taken.
func TestServeFolder(t *testing.T) {
	dir := registryOf(t)
	if _, stderr, code := run(t, dir, "dpg", "build", "--out", "public"); code != 0 {
		t.Fatalf("build exits %d: %s", code, stderr)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	s := start(t, dir, "--dir", "public", "--addr", at)
	if s.url == "http://"+at+"/" {
		t.Errorf("two servers at %s", at)
	}
	if status, body := s.get("api/v1/index.json"); status != http.StatusOK || !json.Valid([]byte(body)) {
		t.Errorf("the index: %d %.100s", status, body)
	}
	s.stop(os.Interrupt)

	for _, addr := range []string{"8080", "127.0.0.1:http-alt-x", "127.0.0.1:70000"} {
		if stdout, stderr, code := run(t, dir, "dpg", "serve", "--dir", "public", "--addr", addr); code != 2 || stdout != "" || !strings.Contains(stderr, addr) {
			t.Errorf("--addr %s exits %d and says %q", addr, code, stderr)
		}
	}
}

// eventually waits for an answer of the server to hold something.
func (s *server) eventually(path, want string) {
	s.t.Helper()
	var body string
	for range 2000 {
		if _, body = s.get(path); strings.Contains(body, want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Errorf("%s never said %q; it says %.300s, and the server %q", path, want, body, s.stderr.String())
}

// A server takes in what is built anew into its folder, and what a registry holds
// at a hangup.
func TestServeTakesIn(t *testing.T) {
	second := strings.NewReplacer("open-guide", "open-handbook", "Open Guide", "Open Handbook", "guide.", "handbook.").Replace(guide)
	// A folder may be taken away and another put in its place, file by file or at once:
	// an empty one is no newer catalog, nor is one of which a part is there.
	t.Run("another folder", func(t *testing.T) {
		t.Parallel()
		dir := registryOf(t)
		public, next := filepath.Join(dir, "public"), filepath.Join(dir, "next")
		build := func(to string) {
			if _, stderr, code := run(t, dir, "dpg", "build", "--out", to); code != 0 {
				t.Fatalf("build exits %d: %s", code, stderr)
			}
		}
		build(public)
		s := start(t, dir, "--dir", "public", "--addr", "127.0.0.1:0", "--poll", "100ms")
		s.eventually("api/v1/search?q=open", `"total":1`)
		said := func(what string) {
			t.Helper()
			for end := time.Now().Add(time.Minute); !strings.Contains(s.stderr.String(), what); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the server never said %q; it said %s", what, s.stderr.String())
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "registry", "resources", "open-handbook.yaml"), []byte(second), 0o644); err != nil {
			t.Fatal(err)
		}
		build(next)
		if err := os.RemoveAll(public); err != nil {
			t.Fatal(err)
		}
		said("the catalog from before is still served: stat public")
		s.eventually("api/v1/search?q=open", `"total":1`)
		for _, name := range []string{"index.html", "api/v1/manifest.json"} { // as a copy may begin
			data, err := os.ReadFile(filepath.Join(next, name))
			if err == nil {
				err = os.MkdirAll(filepath.Join(public, filepath.Dir(name)), 0o755)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(public, name), data, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		said("public is not whole yet: ")
		s.eventually("api/v1/search?q=open", `"total":1`)
		if err := os.RemoveAll(public); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, public); err != nil {
			t.Fatal(err)
		}
		s.eventually("api/v1/search?q=open", `"total":2`)
		s.eventually("api/v1/resources.json", "Open Handbook")
		s.stop(os.Interrupt)
		if n := strings.Count(s.stderr.String(), "a new catalog is served"); n != 1 {
			t.Errorf("a new catalog is said to be served %d times, want once: %s", n, s.stderr.String())
		}
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		dir := registryOf(t)
		build := func() {
			if _, stderr, code := run(t, dir, "dpg", "build", "--out", "public"); code != 0 {
				t.Fatalf("build exits %d: %s", code, stderr)
			}
		}
		build()
		s := start(t, dir, "--dir", "public", "--addr", "127.0.0.1:0", "--poll", "100ms")
		s.eventually("api/v1/search?q=opne+guid", `"total":1`)
		if err := os.WriteFile(filepath.Join(dir, "registry", "resources", "open-handbook.yaml"), []byte(second), 0o644); err != nil {
			t.Fatal(err)
		}
		build()
		s.eventually("api/v1/search?q=open", `"total":2`)
		s.eventually("api/v1/resources.json", "Open Handbook")
		// What cannot be read is said, and the catalog from before stays.
		for name, data := range map[string]string{"full.ndjson": "[]\n", "manifest.json": "{}"} {
			if err := os.WriteFile(filepath.Join(dir, "public", "api", "v1", name), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for end := time.Now().Add(time.Minute); !strings.Contains(s.stderr.String(), "still served") && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		s.eventually("api/v1/search?q=open", `"total":2`)
		s.stop(os.Interrupt)
		if n := strings.Count(s.stderr.String(), "the catalog from before is still served"); n != 1 {
			t.Errorf("it is said %d times that a catalog cannot be read: %s", n, s.stderr.String())
		}
	})
	t.Run("hangup", func(t *testing.T) {
		t.Parallel()
		dir := registryOf(t)
		s := start(t, dir, "--addr", "127.0.0.1:0", "--poll", "0")
		if err := os.WriteFile(filepath.Join(dir, "registry", "resources", "open-handbook.yaml"), []byte(second), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.eventually("api/v1/search?q=open", `"total":2`)
		s.stop(os.Interrupt)
	})
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		dir := registryOf(t)
		s := start(t, dir, "--addr", "127.0.0.1:0", "--rate", "1")
		s.eventually("api/v1/search", `"status":429`)
		s.stop(os.Interrupt)
		for _, args := range [][]string{{"--rate", "-1"}, {"--poll", "1ms"}, {"--trusted-proxy", "nobody"}} {
			if stdout, stderr, code := run(t, dir, "dpg", append([]string{"serve"}, args...)...); code != 2 || stdout != "" || !strings.Contains(stderr, args[1]) {
				t.Errorf("%q exits %d and says %q", args, code, stderr)
			}
		}
	})
}

// An interrupt of work that has an end is no success.
func TestInterrupt(t *testing.T) {
	program := cli.Program{Name: "waiter", Commands: []cli.Command{{
		Name: "wait",
		Setup: func(*flag.FlagSet) func(context.Context, *cli.IO, []string) error {
			return func(ctx context.Context, _ *cli.IO, _ []string) error {
				if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
					return err
				}
				<-ctx.Done()
				return fmt.Errorf("wait: %w", ctx.Err())
			}
		},
	}}}
	var stdout, stderr strings.Builder
	code := program.Main([]string{"wait"}, strings.NewReader(""), &stdout, &stderr)
	if code != cli.Broken || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "waiter: interrupted; ") {
		t.Errorf("interrupted, it exits %d and says %q", code, stderr.String())
	}
}
