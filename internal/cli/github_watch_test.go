//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

const hookSecret = "a-secret-of-the-hook"

// watcher is dpgbot watch, running.
type watcher struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string // where it listens
	said  transcript
	ended chan struct{} // closed when standard error is read to its end
}

func (w *watcher) log() string { return w.said.String() }

// watch runs dpgbot watch and waits until it listens.
func watch(t *testing.T, env []string, args ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, ended: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	w.cmd = exec.CommandContext(ctx, "dpgbot", append([]string{"watch", "--listen", "127.0.0.1:0"}, args...)...)
	w.cmd.Dir = t.TempDir()
	w.cmd.Env = append(append(os.Environ(), environment(w.cmd.Dir)...), env...)
	pipe, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(w.ended)
		defer close(address)
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			w.said.add(lines.Text())
			var line struct{ Msg, Address string }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Errorf("log line %q is not JSON: %v", lines.Text(), err)
			}
			if line.Msg == "listening" {
				address <- line.Address
			}
		}
	}()
	at, ok := <-address
	if !ok {
		t.Fatalf("dpgbot watch %q ended: %s", args, w.log())
	}
	w.url = "http://" + at
	return w
}

func (w *watcher) get(path string) (int, string) {
	w.t.Helper()
	resp, err := http.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (w *watcher) deliver(id, event, body string) int {
	w.t.Helper()
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(body))
	req, err := http.NewRequest("POST", w.url+"/hook", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (w *watcher) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("not in time: %s\n%s", what, w.log())
		}
	}
}

// stop interrupts it and holds that it ends well.
func (w *watcher) stop() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	<-w.ended
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("stopped with %v:\n%s", err, w.log())
	}
}

// The watcher reviews what was there when it began, and what it hears of, at GitHub.
func TestWatchGitHub(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{Files: map[string]string{"registry/resources/open-guide.yaml": guide}, PageSize: 100})
	fork := s.Fork("mallory")
	entry := func(id string) map[string]string {
		return map[string]string{"registry/resources/" + id + ".yaml": strings.ReplaceAll(strings.ReplaceAll(guide, "open-guide", id), "guide.example", id+".example")}
	}
	fork.Commit("one", entry("one"), "add one")
	first := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "one"})
	token := s.WorkflowToken()
	w := watch(t, []string{
		"GITHUB_API_URL=" + s.API(), "GITHUB_SERVER_URL=" + s.URL(), "GITHUB_TOKEN=" + token, "GITHUB_ACTIONS=true",
		"DPG_WEBHOOK_SECRET=" + hookSecret,
	}, "--forge", "github:octo/registry", "--poll", "1h")
	w.until("the first review", func() bool { return len(s.Runs(fork.Head("one"))) == 1 && len(s.Comments(first)) == 1 })
	if code, body := w.get("/readyz"); code != 200 {
		t.Errorf("readyz: %d %s", code, body)
	}

	fork.Commit("two", entry("two"), "add two")
	second := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "two"})
	body := fmt.Sprintf(`{"action":"opened","pull_request":{"number":%d,"title":"$(touch x)"},"repository":{"full_name":"Octo/Registry","default_branch":"main"}}`, second)
	for range 3 {
		if code := w.deliver("one-id", "pull_request", body); code != 202 {
			t.Errorf("delivery: %d", code)
		}
	}
	w.until("the second review", func() bool { return len(s.Runs(fork.Head("two"))) == 1 && len(s.Comments(second)) == 1 })
	if _, text := w.get("/metrics"); !strings.Contains(text, `dpgbot_deliveries_total{outcome="repeated"} 2`) {
		t.Errorf("metrics:\n%s", text)
	}
	w.stop()
	if n := len(s.Comments(first)); n != 1 {
		t.Errorf("%d comments on the first", n)
	}
	for _, secret := range []string{token, hookSecret} {
		if strings.Contains(w.log(), secret) {
			t.Errorf("the log holds a secret:\n%s", w.log())
		}
	}
}

// Looking again where nothing changed asks next to nothing.
func TestWatchPollsLittle(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{Files: map[string]string{"registry/resources/open-guide.yaml": guide}, PageSize: 100})
	w := watch(t, []string{
		"GITHUB_API_URL=" + s.API(), "GITHUB_SERVER_URL=" + s.URL(), "GITHUB_TOKEN=" + s.WorkflowToken(), "GITHUB_ACTIONS=true",
	}, "--forge", "github:octo/registry", "--poll", "1s")
	looks := func() int { return strings.Count(w.log(), `"msg":"done"`) }
	w.until("a look after the first sync", func() bool { return looks() >= 4 }) // its own pull request is new to it once
	s.Reset()
	before := looks()
	w.until("two more looks", func() bool { return looks() >= before+2 })
	n := looks() - before
	w.stop()
	api := s.Requests().API()
	t.Logf("%d looks: %v", n, s.Requests().Count())
	for _, r := range api {
		if r.Status != http.StatusNotModified {
			t.Errorf("%s answered %d, want 304", r.Operation, r.Status)
		}
	}
	// One for pull requests, one for issues; one more look may have been under way.
	if len(api) > 2*(n+1) {
		t.Errorf("%d requests for %d looks, want two each:\n%s", len(api), n, s.Requests())
	}
}

func TestWatchFolder(t *testing.T) {
	dir := registryOf(t)
	for _, c := range [][]string{
		{"git", "init", "-q", "-b", "main"}, {"git", "add", "registry"}, {"git", "commit", "-q", "-m", "begin"},
		{"dpgbot", "forge", "init", "forge"}, {"git", "push", "-q", "forge/repo.git", "main"},
	} {
		if _, stderr, code := run(t, dir, c[0], c[1:]...); code != 0 {
			t.Fatalf("%q: %s", c, stderr)
		}
	}
	w := watch(t, nil, "--forge", filepath.Join(dir, "forge"), "--publish", filepath.Join(dir, "public"), "--poll", "1s")
	there := func(name string) func() bool {
		return func() bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	}
	w.until("the catalog", there("public/heartbeat.json"))
	second := strings.ReplaceAll(strings.ReplaceAll(guide, "open-guide", "second"), "guide.example", "second.example")
	if err := os.WriteFile(filepath.Join(dir, "registry/resources/second.yaml"), []byte(second), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"git", "add", "registry"}, {"git", "commit", "-q", "-m", "add second"}, {"git", "push", "-q", "forge/repo.git", "main"}} {
		if _, stderr, code := run(t, dir, c[0], c[1:]...); code != 0 {
			t.Fatalf("%q: %s", c, stderr)
		}
	}
	w.until("the catalog of what was pushed", there("public/api/v1/resources/second.json"))
	if code, _ := w.get("/healthz"); code != 200 {
		t.Errorf("healthz: %d", code)
	}
	if code := w.deliver("id", "ping", "{}"); code != 404 {
		t.Errorf("a web hook without a secret: %d, want 404", code)
	}
	w.stop()
}

// The doctor finds what is not set up, mends the labels, and writes nothing else.
func TestDoctorGitHub(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{PageSize: 100, NoActionsPulls: true, Files: map[string]string{
		"registry/resources/open-guide.yaml": guide,
		".github/workflows/sync.yml":         "on: push\njobs:\n  sync:\n    steps:\n      - uses: actions/checkout@v4\n      - run: dpgbot sync --forge github:octo/registry\n",
	}})
	doctor := func(token string, args ...string) (string, string, int) {
		t.Helper()
		t.Setenv("GITHUB_API_URL", s.API())
		t.Setenv("GITHUB_SERVER_URL", s.URL())
		t.Setenv("GITHUB_TOKEN", token)
		t.Setenv("GITHUB_ACTIONS", "true")
		return run(t, t.TempDir(), "dpgbot", append([]string{"doctor", "--forge", "github:octo/registry"}, args...)...)
	}
	state := s.State()
	out, stderr, code := doctor(s.WorkflowToken("contents: read", "statuses: write"))
	if code != 1 {
		t.Errorf("exits %d: %s", code, stderr)
	}
	for _, want := range []string{
		`ok    registry folder "registry": 1 entries, 0 errors, 0 warnings`,
		`ok    a workflow runs dpgbot sync: sync.yml`,
		`warn  no workflow in .github/workflows runs dpgbot review`,
		`warn  actions that are not pinned to a commit: "actions/checkout@v4" in sync.yml`,
		`ok    the token may not do "checks: write"; "statuses: write" serves in its place`,
		`fail  the token may not do "contents: write", for branches of its own`,
		`fail  the token may not do "pull-requests: write"`,
		`fail  workflows may not open pull requests`,
		`do: tick "Allow GitHub Actions to create and approve pull requests" under Settings, Actions, General`,
		`warn  Pages are off`,
		`warn  the default branch is not protected`,
		`warn  labels that are missing: "dpg: good"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if s.State() != state {
		t.Errorf("the doctor changed something:\n%s\nwas\n%s", s.State(), state)
	}

	s.Protect("main")
	out, stderr, _ = doctor(s.WorkflowToken(), "--fix")
	for _, want := range []string{
		`ok    the token may do "checks: write"`, `ok    the token may do "contents: write"`, `ok    the bot's labels are there`,
		`warn  the default branch is protected, but does not require the check "` + bot.CheckName + `"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s\n%s", want, out, stderr)
		}
	}
	// A ruleset is found as well as branch protection, and by a token that may not ask for
	// the latter. This one is on the second page.
	s.Require("build")
	s.Require("build", bot.CheckName)
	if out, _, _ = doctor(s.WorkflowToken()); !strings.Contains(out, `ok    nothing is merged without the check "`+bot.CheckName+`"`) {
		t.Errorf("with a ruleset:\n%s", out)
	}
	out, _, _ = doctor(s.WorkflowToken())
	if !strings.Contains(out, `ok    the token may do "issues: write"`) {
		t.Errorf("with labels there:\n%s", out)
	}
	if n := strings.Count(stderr, "made label"); n != 7 {
		t.Errorf("made %d labels: %s", n, stderr)
	}
}
