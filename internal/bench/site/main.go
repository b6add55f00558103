// Command site measures dpg build beside Hugo: how many files a second each writes
// from the same entries, in turn, into empty folders. Hugo renders the site in the
// folder hugo, with a page for each page that dpg build writes for an entry or a
// value of a facet, and lists. It needs hugo, from Debian.
//
//	go run ./internal/bench/site            10,000 entries
//	go run ./internal/bench/site -n 1000
//
// Each takes what is in its nature: dpg build reads and judges YAML files, reads
// Git's history, works out changes and writes SHA-256 sums; Hugo reads the same
// YAML as front matter.
package main

import (
	"bytes"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/bench/measure"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

//go:embed all:hugo
var site embed.FS

func main() {
	n := flag.Int("n", 10_000, "how many entries")
	runs := flag.Int("runs", 3, "runs of each, after one that does not count")
	flag.Parse()
	if *n < 1 || *runs < 1 {
		fmt.Fprintln(os.Stderr, "site: -n and -runs are 1 at least")
		os.Exit(2)
	}
	if err := compare(*n, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(3)
	}
}

func compare(n, runs int) error {
	version, err := exec.Command("hugo", "version").Output()
	if err != nil {
		return fmt.Errorf("hugo is not here, so NOTHING WAS MEASURED: apt-get install hugo (%w)", err)
	}
	b, err := measure.New()
	if err != nil {
		return err
	}
	defer b.Close()
	dir, err := b.Registry(n)
	if err != nil {
		return err
	}
	source := filepath.Join(b.Dir, "hugo")
	if err := write(source, filepath.Join(dir, "registry", "dpgs")); err != nil {
		return err
	}
	our, their := made{out: filepath.Join(dir, "public")}, made{out: filepath.Join(source, "public")}
	for i := range runs + 1 {
		if err := our.run(b, i > 0, dir, b.DPG, "build", "--out", our.out); err != nil {
			return err
		}
		if err := their.run(b, i > 0, source, "hugo", "--quiet", "--destination", their.out); err != nil {
			return err
		}
	}
	if err := complete(their.out, n); err != nil {
		return err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(version)), " BuildDate")
	fmt.Printf("Medians of %d runs after one warm-up, in turn, from %s entries into empty folders; %s.\n\n", runs, measure.Thousands(n), name)
	fmt.Println("| program | files | MB | wall | CPU | RSS | files a second | files in a second of CPU |\n|---|---|---|---|---|---|---|---|")
	our.row("dpg build")
	their.row("hugo")
	f, g := our.median(), their.median()
	fmt.Printf("\ndpg build writes %.2f of Hugo's files a second, and %.2f in a second of CPU.\n",
		rate(our.files, f.Wall.Seconds())/rate(their.files, g.Wall.Seconds()), rate(our.files, f.CPU.Seconds())/rate(their.files, g.CPU.Seconds()))
	return nil
}

// made is what runs of one program wrote.
type made struct {
	out     string
	files   int
	bytes   int64
	figures []measure.Figure
}

func (m *made) run(b *measure.Bench, counts bool, dir string, command ...string) error {
	if err := os.RemoveAll(m.out); err != nil {
		return err
	}
	f, err := b.Once(dir, command...)
	if err != nil {
		return err
	}
	if counts {
		m.figures = append(m.figures, f)
	}
	m.files, m.bytes = 0, 0
	return filepath.WalkDir(m.out, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		m.files, m.bytes = m.files+1, m.bytes+info.Size()
		return nil
	})
}

func (m *made) median() measure.Figure { return measure.Median(m.figures) }

func (m *made) row(name string) {
	f := m.median()
	fmt.Printf("| %s | %s | %d | %.1f s | %.1f s | %d MB | %.0f | %.0f |\n", name, measure.Thousands(m.files), m.bytes>>20,
		f.Wall.Seconds(), f.CPU.Seconds(), f.RSS>>20, rate(m.files, f.Wall.Seconds()), rate(m.files, f.CPU.Seconds()))
}

func rate(files int, seconds float64) float64 { return float64(files) / seconds }

// write makes the Hugo site, with a page of content for each entry.
func write(source, entries string) error {
	layouts, err := fs.Sub(site, "hugo")
	if err != nil {
		return err
	}
	if err := os.CopyFS(source, layouts); err != nil {
		return err
	}
	// The pages look as ours do, and weigh as much.
	style, err := os.ReadFile(filepath.Join("internal", "site", "style.css"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(source, "layouts", "partials", "style.css"), style, 0o644); err != nil {
		return err
	}
	content := filepath.Join(source, "content", "dpgs")
	if err := os.MkdirAll(content, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(entries, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		page, err := pageOf(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return os.WriteFile(filepath.Join(content, strings.TrimSuffix(d.Name(), ".yaml")+".md"), page, 0o644)
	})
}

// pageOf gives an entry's file as Hugo reads it: the same YAML under a key of its
// own, since some of its keys mean something else to Hugo, and the values that the
// entry is listed under.
func pageOf(data []byte) ([]byte, error) {
	var e entry.Entry
	if err := yaml.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\ntitle: %q\n", e.Name)
	list := func(key string, values []string) {
		fmt.Fprintf(&b, "%s:\n", key)
		for _, v := range values {
			fmt.Fprintf(&b, "  - %q\n", v)
		}
	}
	list("kinds", e.Types)
	list("sectors", e.Sectors)
	var licenses, goals, organizations []string
	for _, l := range e.Licenses {
		licenses = append(licenses, l.Expression)
	}
	for _, s := range e.SDGs {
		goals = append(goals, fmt.Sprint(s.Goal))
	}
	for _, o := range e.Organizations {
		organizations = append(organizations, o.Name)
	}
	list("licenses", licenses)
	list("goals", goals)
	list("organizations", organizations)
	if e.Locations != nil {
		list("countries", append(e.Locations.DevelopedIn, e.Locations.DeployedIn...))
	}
	b.WriteString("entry:\n")
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString("  " + line)
		}
	}
	b.WriteString("---\n")
	return b.Bytes(), nil
}

// complete holds that Hugo made every page, so that no template that gives nothing
// makes it fast.
func complete(out string, n int) error {
	for _, pattern := range []string{"dpgs/*/index.html", "dpgs/*/index.json", "nominee/dpgs/*/index.json", "organizations/*/index.json"} {
		names, err := filepath.Glob(filepath.Join(out, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		if len(names) != n {
			return fmt.Errorf("hugo wrote %d of %s, want %d", len(names), pattern, n)
		}
		for _, name := range names {
			if info, err := os.Stat(name); err != nil || info.Size() < 300 {
				return errors.Join(err, fmt.Errorf("%s is nearly empty", name))
			}
		}
	}
	return nil
}
