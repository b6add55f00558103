// Package measure runs programs for the benches and says what a run took. Only the
// programs under internal/bench import it.
package measure

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Figure is what one run of a program took, or the median of some runs.
type Figure struct {
	Wall, CPU time.Duration // CPU is of the program and those it waited for
	RSS       int64         // bytes, the largest there was; 0 where the system does not tell
}

// A Bench has a folder of its own, in which programs are built and run.
type Bench struct {
	Dir string // everything that is made; Close deletes it
	DPG string // the program dpg, built from the tree it is run in

	env []string
}

// New makes the folder and builds dpg. The working folder is the repository's root.
func New() (*Bench, error) {
	dir, err := os.MkdirTemp("", "dpg-bench-")
	if err != nil {
		return nil, err
	}
	b := &Bench{Dir: dir, DPG: filepath.Join(dir, "dpg")}
	cache, err := exec.Command("go", "env", "GOCACHE").Output() // XDG_CACHE_HOME would move it
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("go env: %w", err)
	}
	b.env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GOCACHE="+strings.TrimSpace(string(cache)),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=b", "GIT_AUTHOR_EMAIL=b@example.org", "GIT_COMMITTER_NAME=b", "GIT_COMMITTER_EMAIL=b@example.org")
	if err := b.Do("", "go", "build", "-trimpath", "-o", b.DPG, "./cmd/dpg"); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close deletes what the bench made.
func (b *Bench) Close() { os.RemoveAll(b.Dir) }

// Registry makes a Git repository with a registry of n made-up entries, and gives
// its folder.
func (b *Bench) Registry(n int) (string, error) {
	dir := filepath.Join(b.Dir, fmt.Sprint(n))
	if err := b.Do("", "go", "run", "./internal/bench/gen", "-n", fmt.Sprint(n), "-out", dir); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "all"}} {
		if err := b.Do(dir, "git", args...); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// Do runs a program that is not measured.
func (b *Bench) Do(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, b.env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// Once runs a command and says what it took. An exit code of 1 is findings, and no
// error.
func (b *Bench) Once(dir string, command ...string) (Figure, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, b.env
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if s := cmd.ProcessState; s == nil || s.ExitCode() > 1 || s.ExitCode() < 0 {
		return Figure{}, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	ended := cmd.ProcessState
	return Figure{Wall: wall, CPU: ended.UserTime() + ended.SystemTime(), RSS: mostMemory(ended)}, nil
}

// Median is the middle of each of the figures' times by itself, and the largest
// of their memory.
func Median(fs []Figure) Figure {
	var walls, cpus []time.Duration
	var m Figure
	for _, f := range fs {
		walls, cpus = append(walls, f.Wall), append(cpus, f.CPU)
		m.RSS = max(m.RSS, f.RSS)
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	m.Wall, m.CPU = walls[len(fs)/2], cpus[len(fs)/2]
	return m
}

// Thousands writes a number as people do: 10,000.
func Thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
