// Package testgit runs the real git program in tests, cut off from the settings of
// the machine and of the person who runs them.
package testgit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Work is a folder to run git in. The zero Work is the current folder.
type Work struct {
	Dir string
	// When commits are made. The zero time leaves that to git.
	Date time.Time
}

// Init makes an empty repository whose branch is main, in a folder that goes with
// the test, and whose first commit is made at date. Where there is no git the test
// is skipped, or fails if CI is "true".
func Init(t testing.TB, date time.Time) *Work {
	t.Helper()
	Need(t)
	w := &Work{Dir: t.TempDir(), Date: date}
	w.Git(t, "init", "-q", "-b", "main")
	return w
}

// Need skips a test where there is no git, and fails it if CI is "true".
func Need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("git is not installed")
	}
	t.Skip("SKIPPED: git is not installed, and this test compares with it")
}

// Git runs git, whose user is Ada, and gives its standard output without the white
// space around it. A failure ends the test.
func (w *Work) Git(t testing.TB, args ...string) string {
	t.Helper()
	return w.Feed(t, "", args...)
}

// Feed is Git with something to read on standard input.
func (w *Work) Feed(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = w.Dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	if !w.Date.IsZero() {
		date := w.Date.UTC().Format(time.RFC3339)
		cmd.Env = append(cmd.Env, "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Write makes a file, or deletes it if text is "". The name has slashes.
func (w *Work) Write(t testing.TB, name, text string) {
	t.Helper()
	name = filepath.Join(w.Dir, filepath.FromSlash(name))
	if text == "" {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Commit writes files ("" deletes one) and commits all there is.
func (w *Work) Commit(t testing.TB, files map[string]string) {
	t.Helper()
	for name, text := range files {
		w.Write(t, name, text)
	}
	w.Git(t, "add", "-A")
	w.Git(t, "commit", "-q", "--allow-empty", "-m", "c")
}

// Quote writes a path as git fast-import reads any, whatever bytes it is of.
func Quote(path string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(path) {
		fmt.Fprintf(&b, `\%03o`, path[i])
	}
	b.WriteByte('"')
	return b.String()
}
