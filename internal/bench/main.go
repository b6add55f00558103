// Command bench measures whole runs of dpg, side by side with what people would
// use instead, in one go: machines are noisy, ratios less so. It prints a
// Markdown table of medians. What it cannot measure here it names.
//
//	go run ./internal/bench            up to 10,000 entries
//	go run ./internal/bench -large     100,000
//	go run ./internal/bench -n 2000    as many
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	large := flag.Bool("large", false, "measure 100,000 entries instead; takes minutes and 10 GB of disk")
	only := flag.Int("n", 0, "measure `N` entries instead")
	runs := flag.Int("runs", 5, "runs of each command, after one that does not count")
	flag.Parse()
	b := &bench{runs: *runs, out: os.Stdout}
	if err := b.all(*large, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(3)
	}
}

type bench struct {
	runs int
	out  io.Writer
	dir  string // everything that is made
	dpg  string
}

// A figure is the median of some runs.
type figure struct {
	wall, cpu time.Duration
	rss       int64 // bytes, the largest of the runs
}

func (b *bench) all(large bool, only int) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "dpg-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.dpg = filepath.Join(b.dir, "dpg")
	if err := b.sh("", "go", "build", "-o", b.dpg, "./cmd/dpg"); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "Medians of %d runs after one warm-up; whole processes. RSS is the largest seen.\n\n", b.runs)
	fmt.Fprintln(b.out, "| work | wall | CPU | RSS | beside | ratio |\n|---|---|---|---|---|---|")
	if err := b.imported(); err != nil {
		return err
	}
	sizes := []int{1_000, 10_000}
	if large {
		sizes = []int{100_000}
	}
	if only > 0 {
		sizes = []int{only}
	}
	for _, n := range sizes {
		if err := b.size(n); err != nil {
			return err
		}
	}
	return nil
}

// imported compares with ajv on the predecessor's own files.
func (b *bench) imported() error {
	data, err := filepath.Abs("../shared/data/dpga/dpga")
	if err != nil {
		return err
	}
	if _, err := os.Stat(data); err != nil {
		fmt.Fprintln(os.Stderr, "not measured: validate beside ajv, since the data folder ../shared is absent")
		return nil
	}
	tree := filepath.Join(b.dir, "imported", "registry")
	if err := b.sh("", b.dpg, "import", "dpga", data, "--registry", tree); err != nil {
		return err
	}
	npm := filepath.Join(b.dir, "npm")
	if err := os.MkdirAll(npm, 0o755); err != nil {
		return err
	}
	ajv := filepath.Join(npm, "node_modules", ".bin", "ajv")
	if err := b.sh(npm, "npm", "install", "--no-save", "--silent", "ajv-cli@3.1.0"); err != nil {
		fmt.Fprintln(os.Stderr, "not measured: ajv, which npm did not install:", err)
		ajv = ""
	}
	ours := []string{b.dpg, "validate", "--registry", tree}
	if ajv == "" {
		f, err := b.measure("", ours)
		if err != nil {
			return err
		}
		b.row("validate the imported 569 entries, all rules", f, "", figure{})
		return nil
	}
	theirs := []string{"sh", "-c", `"$1" test --valid -s "$2/schemas/nominee-schema.json" -d "$2/nominees/*.json" && "$1" test --valid -s "$2/schemas/screening-schema.json" -d "$2/digitalpublicgoods/*.json"`, "sh", ajv, data}
	f, g, err := b.pair("", ours, theirs)
	if err != nil {
		return err
	}
	b.row("validate the imported 569 entries, all rules", f, "ajv-cli 3.1.0, both schemas, 394 files", g)
	return nil
}

func (b *bench) size(n int) error {
	dir := filepath.Join(b.dir, fmt.Sprint(n))
	if err := b.sh("", "go", "run", "./internal/bench/gen", "-n", fmt.Sprint(n), "-out", dir); err != nil {
		return err
	}
	for _, git := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "all"}} {
		if err := b.sh(dir, "git", git...); err != nil {
			return err
		}
	}
	f, err := b.measure(dir, []string{b.dpg, "validate"})
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("validate %s generated entries, cold", thousands(n)), f, "", figure{})

	one, err := first(filepath.Join(dir, "registry", "dpgs", "00"))
	if err != nil {
		return err
	}
	if err := appendLine(one, "topics: [changed]\n"); err != nil {
		return err
	}
	if err := b.sh(dir, "git", "commit", "-q", "-a", "-m", "one"); err != nil {
		return err
	}
	f, g, err := b.pair(dir, []string{b.dpg, "validate", "--changed-since", "HEAD~1"}, []string{"git", "diff", "--name-only", "HEAD~1", "HEAD"})
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("validate --changed-since, one of %s, warm index", thousands(n)), f, "git diff --name-only", g)
	if err := b.build(dir, one, n); err != nil {
		return err
	}
	if n > 10_000 {
		return nil
	}
	return b.assess(dir, one, n)
}

// build compares building after one changed entry, and with nothing changed, with
// building from nothing. Most of the last is waiting for the disk, so the ratio of
// CPU is told too.
func (b *bench) build(dir, one string, n int) error {
	out, cache := filepath.Join(b.dir, "out"), filepath.Join(b.dir, "cache")
	var whole, some, none []figure
	command := []string{b.dpg, "build", "--out", out}
	runs := b.runs
	if n > 1_000 {
		runs = min(runs, 3)
	}
	for i := range runs {
		for _, old := range []string{out, cache} {
			if err := os.RemoveAll(old); err != nil {
				return err
			}
		}
		f, err := b.once(dir, command)
		if err != nil {
			return err
		}
		whole = append(whole, f)
		if err := appendLine(one, fmt.Sprintf("contact_url: https://example.org/%d\n", i)); err != nil {
			return err
		}
		if err := b.sh(dir, "git", "commit", "-q", "-a", "-m", "one"); err != nil {
			return err
		}
		if f, err = b.once(dir, command); err != nil {
			return err
		}
		some = append(some, f)
		if f, err = b.once(dir, command); err != nil {
			return err
		}
		none = append(none, f)
		if err := b.sh(dir, "git", "reset", "-q", "--hard", "HEAD~1"); err != nil {
			return err
		}
	}
	all := median(whole)
	b.row(fmt.Sprintf("build %s generated entries into an empty folder", thousands(n)), all, "", figure{})
	for _, x := range []struct {
		work string
		f    figure
	}{{"build, one changed of " + thousands(n), median(some)}, {"build, none changed of " + thousands(n), median(none)}} {
		b.row(x.work, x.f, fmt.Sprintf("from nothing; of its CPU %.3f", x.f.cpu.Seconds()/all.cpu.Seconds()), all)
	}
	return nil
}

// assess compares assessing one changed entry with assessing all.
func (b *bench) assess(dir, one string, n int) error {
	reset := func() error { return os.RemoveAll(filepath.Join(dir, "registry", "assessments")) }
	var all []figure
	for range b.runs {
		if err := reset(); err != nil {
			return err
		}
		f, err := b.once(dir, []string{b.dpg, "assess"})
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	var some []figure
	for range b.runs {
		if err := appendLine(one, "# touched\n"); err != nil {
			return err
		}
		f, err := b.once(dir, []string{b.dpg, "assess"})
		if err != nil {
			return err
		}
		some = append(some, f)
	}
	b.row(fmt.Sprintf("assess one changed of %s", thousands(n)), median(some), "assess all of them", median(all))
	return nil
}

func (b *bench) row(work string, f figure, beside string, g figure) {
	ratio := ""
	if beside != "" {
		ratio = fmt.Sprintf("%.3f", f.wall.Seconds()/g.wall.Seconds())
		beside = fmt.Sprintf("%s: %.3f s", beside, g.wall.Seconds())
	}
	fmt.Fprintf(b.out, "| %s | %.3f s | %.3f s | %d MB | %s | %s |\n", work, f.wall.Seconds(), f.cpu.Seconds(), f.rss>>20, beside, ratio)
}

func (b *bench) measure(dir string, command []string) (figure, error) {
	f, _, err := b.pair(dir, command, nil)
	return f, err
}

// pair runs two commands in turn, so that a noisy minute meets both.
func (b *bench) pair(dir string, command, other []string) (f, g figure, err error) {
	var fs, gs []figure
	for i := range b.runs + 1 {
		one, err := b.once(dir, command)
		if err != nil {
			return f, g, err
		}
		var two figure
		if other != nil {
			if two, err = b.once(dir, other); err != nil {
				return f, g, err
			}
		}
		if i > 0 { // the first fills the caches
			fs, gs = append(fs, one), append(gs, two)
		}
	}
	return median(fs), median(gs), nil
}

func (b *bench) once(dir string, command []string) (figure, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, b.env()
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	// Findings are an exit code of 1; only what could not run is an error.
	if s := cmd.ProcessState; s == nil || s.ExitCode() > 1 || s.ExitCode() < 0 {
		return figure{}, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	f := figure{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.rss = r.Maxrss * 1024
	}
	return f, nil
}

func median(fs []figure) figure {
	slices.SortFunc(fs, func(a, b figure) int { return int(a.wall - b.wall) })
	m := fs[len(fs)/2]
	for _, f := range fs {
		m.rss = max(m.rss, f.rss)
	}
	return m
}

func (b *bench) sh(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, b.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *bench) env() []string {
	return append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(b.dir, "cache"), "GOCACHE="+goCache(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=b", "GIT_AUTHOR_EMAIL=b@example.org", "GIT_COMMITTER_NAME=b", "GIT_COMMITTER_EMAIL=b@example.org")
}

// goCache is the build cache of the caller: XDG_CACHE_HOME would move it.
func goCache() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func first(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(names) == 0 {
		return "", fmt.Errorf("%s has no entry", dir)
	}
	return names[0], nil
}

func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}
