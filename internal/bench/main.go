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
	"path/filepath"

	"github.com/dpg-registry/dpg-registry/internal/bench/measure"
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
	*measure.Bench
	runs int
	out  io.Writer
}

func (b *bench) all(large bool, only int) error {
	var err error
	if b.Bench, err = measure.New(); err != nil {
		return err
	}
	defer b.Close()
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
	tree := filepath.Join(b.Dir, "imported", "registry")
	if err := b.Do("", b.DPG, "import", "dpga", data, "--registry", tree); err != nil {
		return err
	}
	npm := filepath.Join(b.Dir, "npm")
	if err := os.MkdirAll(npm, 0o755); err != nil {
		return err
	}
	ajv := filepath.Join(npm, "node_modules", ".bin", "ajv")
	if err := b.Do(npm, "npm", "install", "--no-save", "--silent", "ajv-cli@3.1.0"); err != nil {
		fmt.Fprintln(os.Stderr, "not measured: ajv, which npm did not install:", err)
		ajv = ""
	}
	ours := []string{b.DPG, "validate", "--registry", tree}
	if ajv == "" {
		f, err := b.measure("", ours)
		if err != nil {
			return err
		}
		b.row("validate the imported 569 entries, all rules", f, "", measure.Figure{})
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
	dir, err := b.Registry(n)
	if err != nil {
		return err
	}
	f, err := b.measure(dir, []string{b.DPG, "validate"})
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("validate %s generated entries, cold", measure.Thousands(n)), f, "", measure.Figure{})

	one, err := first(filepath.Join(dir, "registry", "dpgs", "00"))
	if err != nil {
		return err
	}
	if err := appendLine(one, "topics: [changed]\n"); err != nil {
		return err
	}
	if err := b.Do(dir, "git", "commit", "-q", "-a", "-m", "one"); err != nil {
		return err
	}
	f, g, err := b.pair(dir, []string{b.DPG, "validate", "--changed-since", "HEAD~1"}, []string{"git", "diff", "--name-only", "HEAD~1", "HEAD"})
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("validate --changed-since, one of %s, warm index", measure.Thousands(n)), f, "git diff --name-only", g)
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
	out, cache := filepath.Join(b.Dir, "out"), filepath.Join(b.Dir, "cache")
	var whole, some, none []measure.Figure
	command := []string{b.DPG, "build", "--out", out}
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
		f, err := b.Once(dir, command...)
		if err != nil {
			return err
		}
		whole = append(whole, f)
		if err := appendLine(one, fmt.Sprintf("contact_url: https://example.org/%d\n", i)); err != nil {
			return err
		}
		if err := b.Do(dir, "git", "commit", "-q", "-a", "-m", "one"); err != nil {
			return err
		}
		if f, err = b.Once(dir, command...); err != nil {
			return err
		}
		some = append(some, f)
		if f, err = b.Once(dir, command...); err != nil {
			return err
		}
		none = append(none, f)
		if err := b.Do(dir, "git", "reset", "-q", "--hard", "HEAD~1"); err != nil {
			return err
		}
	}
	all := measure.Median(whole)
	b.row(fmt.Sprintf("build %s generated entries into an empty folder", measure.Thousands(n)), all, "", measure.Figure{})
	for _, x := range []struct {
		work string
		f    measure.Figure
	}{{"build, one changed of " + measure.Thousands(n), measure.Median(some)}, {"build, none changed of " + measure.Thousands(n), measure.Median(none)}} {
		b.row(x.work, x.f, fmt.Sprintf("from nothing; of its CPU %.3f", x.f.CPU.Seconds()/all.CPU.Seconds()), all)
	}
	return nil
}

// assess compares assessing one changed entry with assessing all.
func (b *bench) assess(dir, one string, n int) error {
	reset := func() error { return os.RemoveAll(filepath.Join(dir, "registry", "assessments")) }
	var all []measure.Figure
	for range b.runs {
		if err := reset(); err != nil {
			return err
		}
		f, err := b.Once(dir, b.DPG, "assess")
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	var some []measure.Figure
	for range b.runs {
		if err := appendLine(one, "# touched\n"); err != nil {
			return err
		}
		f, err := b.Once(dir, b.DPG, "assess")
		if err != nil {
			return err
		}
		some = append(some, f)
	}
	b.row(fmt.Sprintf("assess one changed of %s", measure.Thousands(n)), measure.Median(some), "assess all of them", measure.Median(all))
	return nil
}

func (b *bench) row(work string, f measure.Figure, beside string, g measure.Figure) {
	ratio := ""
	if beside != "" {
		ratio = fmt.Sprintf("%.3f", f.Wall.Seconds()/g.Wall.Seconds())
		beside = fmt.Sprintf("%s: %.3f s", beside, g.Wall.Seconds())
	}
	fmt.Fprintf(b.out, "| %s | %.3f s | %.3f s | %d MB | %s | %s |\n", work, f.Wall.Seconds(), f.CPU.Seconds(), f.RSS>>20, beside, ratio)
}

func (b *bench) measure(dir string, command []string) (measure.Figure, error) {
	f, _, err := b.pair(dir, command, nil)
	return f, err
}

// pair runs two commands in turn, so that a noisy minute meets both.
func (b *bench) pair(dir string, command, other []string) (f, g measure.Figure, err error) {
	var fs, gs []measure.Figure
	for i := range b.runs + 1 {
		one, err := b.Once(dir, command...)
		if err != nil {
			return f, g, err
		}
		var two measure.Figure
		if other != nil {
			if two, err = b.Once(dir, other...); err != nil {
				return f, g, err
			}
		}
		if i > 0 { // the first fills the caches
			fs, gs = append(fs, one), append(gs, two)
		}
	}
	return measure.Median(fs), measure.Median(gs), nil
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
