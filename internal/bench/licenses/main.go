// Command licenses measures how well package match knows licences: real LICENSE
// files of a locked set of npm packages, the texts of the SPDX licence list
// written in other ways, licences with a clause added, and its speed beside
// go-license-detector. It needs npm and its registry; where they are missing it
// says what was not measured and fails.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bench/measure"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match/vary"
)

func main() {
	cache := flag.String("cache", "", "`DIR` to keep the npm packages in (default: a folder of the user's cache)")
	from := flag.String("from", "internal/bench/licenses", "`DIR` with npm/package-lock.json and the module peer")
	peer := flag.Bool("peer", true, "time go-license-detector too")
	verbose := flag.Bool("v", false, "list every text that is not answered as labelled")
	flag.Parse()
	if err := run(os.Stdout, *from, *cache, *peer, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, from, cache string, peer, verbose bool) error {
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		cache = filepath.Join(user, "dpg-registry-eval-licenses")
	}
	began := time.Now()
	d, err := match.Load()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "load: %v\n", time.Since(began).Round(time.Millisecond))
	modules, err := install(from, cache)
	if err != nil {
		return fmt.Errorf("the npm packages are absent, nothing was measured: %w", err)
	}
	texts, err := listTexts(filepath.Join(modules, "spdx-license-list", "spdx-full.json"))
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	files, err := realFiles(w, d, modules, verbose)
	if err != nil {
		return err
	}
	perturbed(w, d, texts, verbose)
	clauses(w, d, texts, verbose)
	return speed(w, d, files, from, cache, peer)
}

// install unpacks the locked packages, once.
func install(from, cache string) (string, error) {
	lock, err := os.ReadFile(filepath.Join(from, "npm", "package-lock.json"))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, fmt.Sprintf("%x", sha256.Sum256(lock))[:16])
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		return modules, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(from, "npm", name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "install", "--no-save", "--ignore-scripts", "--legacy-peer-deps", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	fmt.Fprintf(os.Stderr, "installing the packages into %s (minutes, once)\n", dir)
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return modules, os.WriteFile(filepath.Join(dir, "installed"), nil, 0o644)
}

type text struct {
	id, name, words string
	osi             bool
}

func listTexts(file string) ([]text, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list map[string]struct {
		Name, LicenseText string
		OSIApproved       bool
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []text
	for _, id := range slices.Sorted(maps.Keys(list)) {
		l := list[id]
		out = append(out, text{id, l.Name, l.LicenseText, l.OSIApproved})
	}
	return out, nil
}

// A file is a licence file of a package.
type file struct {
	path, label string
	text        []byte
}

var licenseFile = regexp.MustCompile(`(?i)^(?:licen[sc]e|copying|unlicense)[^/]*$`)

// gather lists every distinct licence file with the licence its package.json
// names. A file of several in one package holds one of the licences its package
// is offered under, and is labelled by all of them.
func gather(modules string) ([]file, error) {
	var out []file
	seen := map[[32]byte]bool{}
	err := filepath.WalkDir(modules, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() != "package.json" {
			return err
		}
		dir := filepath.Dir(p)
		if up := filepath.Base(filepath.Dir(dir)); up != "node_modules" && !strings.HasPrefix(up, "@") {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var m struct {
			License  any
			Licenses any
		}
		if json.Unmarshal(data, &m) != nil {
			return nil
		}
		label, _ := m.License.(string)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !licenseFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".js") {
				continue
			}
			path := filepath.Join(dir, e.Name())
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if sum := sha256.Sum256(text); !seen[sum] {
				seen[sum] = true
				out = append(out, file{path, label, text})
			}
		}
		return nil
	})
	return out, err
}

// A reading is what a person found a file to be, where package.json says something
// else of it.
type reading struct{ is, why string }

var readings = map[string]reading{
	"@zxing/library/LICENSE":           {"Apache-2.0 AND BSD-3-Clause-No-Nuclear-Warranty", "package.json says MIT; the file has these two texts"},
	"atob/LICENSE.DOCS":                {"CC-BY-3.0", "the licence of the documentation"},
	"axe-core/LICENSE-3RD-PARTY.txt":   {"MIT AND ISC", "the licences of what it includes"},
	"ghost-cursor/LICENSE":             {"MIT", "package.json says ISC, npm's default; the text is MIT"},
	"jsbn/LICENSE":                     {"MIT-Wu", "Tom Wu's own variant, which the list knows by its author"},
	"libphonenumber-js/LICENSE.Apache": {"Apache-2.0", "the licence of the data"},
	"quill-delta/LICENSE":              {"BSD-3-Clause", "package.json says MIT; title and text are BSD"},
	"rc/LICENSE.BSD":                   {"BSD-2-Clause-FreeBSD", "with the sentence on views of the FreeBSD Project"},
}

func realFiles(w io.Writer, d *match.Detector, modules string, verbose bool) ([]file, error) {
	files, err := gather(modules)
	if err != nil {
		return nil, err
	}
	var right, abstained, other, unlabelled, more, mislabelled int
	var lines []string
	for _, f := range files {
		rel, _ := filepath.Rel(modules, f.path)
		rel = filepath.ToSlash(rel)
		r := d.Detect(f.text)
		want, err := spdx.Parse(f.label)
		switch {
		case f.label == "" || err != nil:
			unlabelled++
			lines = append(lines, fmt.Sprintf("no label  %s: package.json says %q, found %q", rel, f.label, r.Expression))
		case agrees(r, want):
			right++
		case readings[rel].is != "" && r.Expression == readings[rel].is:
			right++
			mislabelled++
			lines = append(lines, fmt.Sprintf("mislabelled %s: labelled %s, is %s: %s", rel, f.label, r.Expression, readings[rel].why))
		case r.Expression == "":
			abstained++
			lines = append(lines, fmt.Sprintf("abstained %s: labelled %s: %s", rel, f.label, r.Note))
		case holds(r, want):
			more++
			lines = append(lines, fmt.Sprintf("more      %s: labelled %s, found %s", rel, f.label, r.Expression))
		default:
			other++
			lines = append(lines, fmt.Sprintf("other     %s: labelled %s, found %s", rel, f.label, r.Expression))
		}
	}
	labelled := len(files) - unlabelled
	fmt.Fprintf(w, "(a) %d distinct licence files, %d labelled by package.json: %d as labelled (%d of them as a person read them), %d where the file holds further licences or one of several, %d abstained, %d others: %.2f %%\n",
		len(files), labelled, right, mislabelled, more, abstained, other, 100*float64(right+more)/float64(labelled))
	slices.Sort(lines)
	for _, l := range lines {
		if verbose || !strings.HasPrefix(l, "no label") {
			fmt.Fprintln(w, "   ", l)
		}
	}
	return files, nil
}

// agrees reports whether a result is the labelled expression, in any order and
// whatever the spelling of a GNU licence.
func agrees(r match.Result, want spdx.Expr) bool {
	return slices.ContainsFunc(append([]string{r.Expression}, r.Alternatives...), func(s string) bool {
		e, err := spdx.Parse(s)
		return err == nil && e.Op == want.Op && slices.Equal(set(e), set(want))
	})
}

// holds reports whether the file is one of the labelled licences, or has them and
// others beside.
func holds(r match.Result, want spdx.Expr) bool {
	for _, s := range append([]string{r.Expression}, r.Alternatives...) {
		e, err := spdx.Parse(s)
		if err != nil {
			continue
		}
		found, asked := set(e), set(want)
		if !slices.ContainsFunc(found, func(id string) bool { return !slices.Contains(asked, id) }) ||
			!slices.ContainsFunc(asked, func(id string) bool { return !slices.Contains(found, id) }) {
			return true
		}
	}
	return false
}

func set(e spdx.Expr) []string {
	ids := e.Licenses()
	for i, id := range ids {
		// An old label without "only" or "or later" is fulfilled by either.
		id = strings.TrimSuffix(id, "+")
		for _, suffix := range []string{"-only", "-or-later"} {
			id = strings.TrimSuffix(id, suffix)
		}
		ids[i] = id
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// perturbed writes every text of the list in every way.
func perturbed(w io.Writer, d *match.Detector, texts []text, verbose bool) {
	var osi, all tally
	ways := append(slices.Clone(vary.Ways), vary.Way{Name: "all at once", Write: vary.All})
	byWay := map[string]*tally{}
	for _, t := range texts {
		for n, way := range ways {
			r := rand.New(rand.NewPCG(uint64(n), 7))
			got := d.Detect([]byte(way.Write(r, t.words, t.name)))
			outcome := judge(got, t.id)
			all.add(outcome)
			if t.osi {
				osi.add(outcome)
			}
			if byWay[way.Name] == nil {
				byWay[way.Name] = &tally{}
			}
			byWay[way.Name].add(outcome)
			if outcome == wrong || verbose && outcome == nothing {
				fmt.Fprintf(w, "    %s %s, %s: found %q (%s)\n", outcome, t.id, way.Name, got.Expression, got.Note)
			}
		}
	}
	fmt.Fprintf(w, "(b) OSI-approved texts, %d ways each: %v\n", len(ways), osi)
	fmt.Fprintf(w, "(c) all texts, %d ways each: %v\n", len(ways), all)
	for _, way := range ways {
		fmt.Fprintf(w, "    %-14s %v\n", way.Name, *byWay[way.Name])
	}
}

type outcome string

const (
	right   outcome = "right"
	nothing outcome = "nothing"
	wrong   outcome = "wrong"
)

func judge(r match.Result, id string) outcome {
	switch {
	case r.Same(id):
		return right
	case slices.ContainsFunc(spdx.Successors(id), r.Same):
		return right // the id in use for a deprecated one
	case r.Expression == "":
		return nothing
	}
	return wrong
}

type tally struct{ right, nothing, wrong int }

func (t *tally) add(o outcome) {
	switch o {
	case right:
		t.right++
	case nothing:
		t.nothing++
	case wrong:
		t.wrong++
	}
}

func (t tally) String() string {
	n := t.right + t.nothing + t.wrong
	return fmt.Sprintf("%d of %d right (%.2f %%), %d abstained, %d wrong", t.right, n, 100*float64(t.right)/float64(n), t.nothing, t.wrong)
}

var paragraphs = regexp.MustCompile(`\n[ \t]*\n`)

// clauses adds a restricting clause to every OSI-approved text.
func clauses(w io.Writer, d *match.Detector, texts []text, verbose bool) {
	passed, n := 0, 0
	for _, t := range texts {
		if !t.osi {
			continue
		}
		for _, c := range vary.Clauses {
			breaks := paragraphs.FindAllStringIndex(t.words, -1)
			middle := len(t.words)
			if len(breaks) > 0 {
				middle = breaks[len(breaks)/2][1]
			}
			for place, with := range []string{
				c + "\n\n" + t.words,
				t.words[:middle] + "\n\n" + c + "\n\n" + t.words[middle:],
				t.words + "\n\n" + c + "\n",
				strings.TrimSpace(t.words) + " " + c,
			} {
				n++
				if got := d.Detect([]byte(with)); got.Expression != "" {
					passed++
					fmt.Fprintf(w, "    clause %q, place %d of %s passed as %s\n", c, place, t.id, got.Expression)
				}
			}
		}
	}
	fmt.Fprintf(w, "(d) OSI-approved texts with one of %d clauses at the start, in the middle, at the end or on the last line: %d of %d passed as the plain licence\n", len(vary.Clauses), passed, n)
}

// speed times both detectors on the real files, one core each.
func speed(w io.Writer, d *match.Detector, files []file, from, cache string, peer bool) error {
	total := 0
	for _, f := range files {
		total += len(f.text)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	best := time.Duration(1<<63 - 1)
	for range 5 {
		began, err := measure.Used()
		if err != nil {
			return err
		}
		for _, f := range files {
			d.Detect(f.text)
		}
		ended, err := measure.Used()
		if err != nil {
			return err
		}
		best = min(best, ended-began)
	}
	own := float64(total) / 1e6 / best.Seconds()
	fmt.Fprintf(w, "(e) %d files, %.2f MB, one core, processor time: %.1f MB/s (best of 5)", len(files), float64(total)/1e6, own)
	if !peer {
		fmt.Fprintln(w)
		return nil
	}
	program := filepath.Join(cache, "peer")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join(from, "peer")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintln(w)
		return fmt.Errorf("build go-license-detector: %w\n%s", err, out)
	}
	var names bytes.Buffer
	for _, f := range files {
		fmt.Fprintln(&names, f.path)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdin, cmd.Stderr = &names, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintln(w)
		return fmt.Errorf("go-license-detector: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	took, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	if err != nil || len(lines) != len(files)+1 {
		fmt.Fprintln(w)
		return fmt.Errorf("go-license-detector answered %d lines for %d files, the last %q", len(lines), len(files), lines[len(lines)-1])
	}
	theirs := float64(total) / 1e6 / time.Duration(took).Seconds()
	fmt.Fprintf(w, "; go-license-detector 4.3.0: %.2f MB/s; %.0f times as fast\n", theirs, own/theirs)
	return nil
}
