// Command mapping measures how well the offline engine agrees with people who
// labelled entries and practices, and how fast it is. It prints Markdown.
//
//	go run ./internal/bench/mapping        all figures
//	go run ./internal/bench/mapping -v     each disagreement too, with its evidence
//	go run ./internal/bench/mapping -draw SEED   entries that nobody labelled yet, in an order that
//	                                       the seed gives: those to label blind, the first first
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/bench/measure"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// The labels name codes without their framework.
const (
	principles = "dpi-safeguards"
	outcomes   = "dpg-charter"
)

func main() {
	data := flag.String("data", "../shared/data", "folder with dpga/ and eval/")
	verbose := flag.Bool("v", false, "list each disagreement")
	seed := flag.String("draw", "", "list entries that are not labelled, in the order of this seed, and measure nothing")
	flag.Parse()
	e := &eval{data: *data, verbose: *verbose, out: os.Stdout}
	work := e.run
	if *seed != "" {
		work = func() error { return e.draw(*seed) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "mapping:", err)
		os.Exit(3)
	}
}

type eval struct {
	data    string
	verbose bool
	out     io.Writer
	set     framework.Set
	engine  *assess.Offline
	entries map[string]*entry.Entry // by the predecessor's file name
}

// A part is entries that were labelled at one time.
type part struct {
	name   string
	labels []labels
}

// labels are what a reader gave one entry.
type labels struct {
	Set        string         `json:"set"` // of labels.jsonl
	ID         string         `json:"id"`
	Principles map[string]int `json:"principles"`
	Outcomes   map[string]int `json:"outcomes"`
}

func (l labels) of(framework string) map[string]int {
	if framework == outcomes {
		return l.Outcomes
	}
	return l.Principles
}

// A practice is a sentence of the safeguards framework that says what to do.
type practice struct {
	Text      string `json:"text"`
	Principle string `json:"principle"`
	Process   string `json:"process"`
}

func (e *eval) run() error {
	if _, err := os.Stat(filepath.Join(e.data, "eval")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("NOTHING WAS MEASURED: the labelled data are not in %s/eval", e.data)
	}
	reg, err := registry.Load(context.Background(), registry.FromFS(fstest.MapFS{}), registry.Options{})
	if err != nil {
		return err
	}
	e.set = reg.Frameworks
	e.engine = assess.NewOffline(e.set)
	if err := e.read(); err != nil {
		return err
	}
	own, err := readLabels("internal/bench/mapping/labels.jsonl")
	if err != nil {
		return err
	}
	given, err := readLabels(filepath.Join(e.data, "eval/mapping-dev.jsonl"))
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "Engine %s.\n", assess.EngineName)
	parts := []part{{"Development entries: signals were written with these in view", given}}
	for _, p := range []part{
		{"Labelled by this project, set a: read while signals were written", nil},
		{"Set b: labelled blind against the first signals, then used to mend them", nil},
		{"Set c: labelled blind against all signals but a last dozen mended after it", nil},
		{"Set d: labelled blind against all of those, then used to mend signals", nil},
		{"Set e: labelled with d, and read last of all", nil},
		{"Set f: labelled blind against all signals of offline/4, then used to mend them", nil},
	} {
		set := string(rune('a' + len(parts) - 1))
		for _, l := range own {
			if l.Set == set {
				p.labels = append(p.labels, l)
			}
		}
		parts = append(parts, p)
	}
	for _, part := range parts {
		fmt.Fprintf(e.out, "\n## %s: %d\n", part.name, len(part.labels))
		if err := e.agreement(part.labels); err != nil {
			return err
		}
	}
	if err := e.cross(parts); err != nil {
		return err
	}
	if err := e.practices(); err != nil {
		return err
	}
	e.evidence()
	return e.speed()
}

func (e *eval) read() error {
	src, err := dpga.Read(os.DirFS(filepath.Join(e.data, "dpga/dpga")))
	if err != nil {
		return err
	}
	converted, _, err := src.Convert(dpga.Options{})
	if err != nil {
		return err
	}
	e.entries = map[string]*entry.Entry{}
	for i := range converted {
		if c := &converted[i].Entry; c.Status.Live() {
			e.entries[c.SameAs.DPGA] = c
		}
	}
	return nil
}

func readLabels(name string) ([]labels, error) { return readLines[labels](name) }

func readLines[T any](name string) ([]T, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

func (e *eval) agreement(all []labels) error {
	for _, id := range []string{principles, outcomes} {
		counts := map[string]*count{}
		for _, c := range e.set[id].Codes {
			if l := e.set[id].List(c.List); l != nil && l.Mapped {
				counts[c.Code] = new(count)
			}
		}
		for _, l := range all {
			subject := e.entries[l.ID]
			if subject == nil {
				return fmt.Errorf("there is no entry %q", l.ID)
			}
			got := map[string]assess.Mapping{}
			for _, m := range e.engine.Assess(subject, nil, nil).Mappings {
				got[m.Code] = m
			}
			for _, code := range slices.Sorted(maps.Keys(counts)) {
				m, want := got[id+"/"+code], l.of(id)[code]
				counts[code].add(m.Strength == 2, want == 2)
				if e.verbose && (m.Strength == 2) != (want == 2) {
					fmt.Fprintf(e.out, "- %s %s: %d, labelled %d %q\n", l.ID, code, m.Strength, want, m.Evidence)
				}
			}
		}
		e.table(id, counts)
	}
	return nil
}

func (e *eval) table(id string, counts map[string]*count) {
	var all count
	macro := 0.0
	fmt.Fprintf(e.out, "\n| %s | right | too many | missed | F1 |\n|---|---|---|---|---|\n", id)
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		c := counts[code]
		all.right, all.more, all.missed = all.right+c.right, all.more+c.more, all.missed+c.missed
		macro += c.f1() / float64(len(counts))
		fmt.Fprintf(e.out, "| %s | %d | %d | %d | %.2f |\n", code, c.right, c.more, c.missed, c.f1())
	}
	fmt.Fprintf(e.out, "| all | %d | %d | %d | micro %.3f, macro %.3f |\n", all.right, all.more, all.missed, all.f1(), macro)
}

// cross measures on each set what comes of choosing each code's need by the other sets:
// what tuning would bring to entries that it never saw. The signals themselves were
// written by people and cannot be left out so; only a set that they did not read tells.
func (e *eval) cross(parts []part) error {
	grid := []float64{0.8, 1, 1.2, 1.5, 1.8, 2.2}
	const asIs = -1
	fmt.Fprintf(e.out, "\n## All sets together\n\n| needs | principles | outcomes |\n|---|---|---|\n")
	tables := map[float64]map[string][]count{} // by need: code to a count for each set
	for _, need := range append([]float64{asIs}, grid...) {
		engine := e.engine
		if need != asIs {
			engine = e.withNeed(need)
		}
		table := map[string][]count{}
		for at, p := range parts {
			for _, l := range p.labels {
				subject := e.entries[l.ID]
				if subject == nil {
					return fmt.Errorf("there is no entry %q", l.ID)
				}
				got := map[string]int{}
				for _, m := range engine.Assess(subject, nil, nil).Mappings {
					got[m.Code] = m.Strength
				}
				for _, id := range []string{principles, outcomes} {
					for _, code := range e.mapped(id) {
						full := id + "/" + code
						if table[full] == nil {
							table[full] = make([]count, len(parts))
						}
						table[full][at].add(got[full] == 2, l.of(id)[code] == 2)
					}
				}
			}
		}
		tables[need] = table
	}
	line := func(name string, choose func(full string, held int) float64) {
		fmt.Fprintf(e.out, "| %s |", name)
		for _, id := range []string{principles, outcomes} {
			var all count
			macro, codes := 0.0, e.mapped(id)
			for _, code := range codes {
				var one count
				full := id + "/" + code
				for held := range parts {
					one.join(tables[choose(full, held)][full][held])
				}
				all.join(one)
				macro += one.f1() / float64(len(codes))
			}
			fmt.Fprintf(e.out, " %.3f / %.3f |", all.f1(), macro)
		}
		fmt.Fprintln(e.out)
	}
	line("as they stand", func(string, int) float64 { return asIs })
	line("each code's chosen by the other sets", func(full string, held int) float64 {
		best, most := float64(asIs), -1.0
		for _, need := range append([]float64{asIs}, grid...) {
			var others count
			for at := range parts {
				if at != held {
					others.join(tables[need][full][at])
				}
			}
			if f := others.f1(); f > most { // what stands wins a tie
				best, most = need, f
			}
		}
		return best
	})
	return nil
}

// mapped are the codes that entries are mapped to, sorted.
func (e *eval) mapped(id string) []string {
	var codes []string
	for _, c := range e.set[id].Codes {
		if l := e.set[id].List(c.List); l != nil && l.Mapped {
			codes = append(codes, c.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// withNeed is the engine as it would be if every code needed as much.
func (e *eval) withNeed(need float64) *assess.Offline {
	set := maps.Clone(e.set)
	for id := range set {
		f := *set[id]
		f.Codes = slices.Clone(f.Codes)
		for i := range f.Codes {
			f.Codes[i].Signals = maps.Clone(f.Codes[i].Signals)
			for language, s := range f.Codes[i].Signals {
				s.Need = need
				f.Codes[i].Signals[language] = s
			}
		}
		set[id] = &f
	}
	return assess.NewOffline(set)
}

// draw lists the recognised, screened entries that are in no set yet. The order is that
// of the SHA-256 of the seed, a colon and the entry's file name.
func (e *eval) draw(seed string) error {
	known := map[string]bool{}
	for _, name := range []string{"internal/bench/mapping/labels.jsonl", filepath.Join(e.data, "eval/mapping-dev.jsonl")} {
		all, err := readLabels(name)
		if err != nil {
			return err
		}
		for _, l := range all {
			known[l.ID] = true
		}
	}
	screened, err := os.ReadDir(filepath.Join(e.data, "dpga/dpga/digitalpublicgoods"))
	if err != nil {
		return err
	}
	if err := e.read(); err != nil {
		return err
	}
	type drawn struct{ digest, id string }
	var all []drawn
	for _, f := range screened {
		id := strings.TrimSuffix(f.Name(), ".json")
		if subject := e.entries[id]; subject != nil && subject.Status.Stage == entry.StageDPG && !known[id] {
			all = append(all, drawn{fmt.Sprintf("%x", sha256.Sum256([]byte(seed+":"+id))), id})
		}
	}
	slices.SortFunc(all, func(a, b drawn) int { return strings.Compare(a.digest, b.digest) })
	for _, d := range all {
		fmt.Fprintln(e.out, d.id)
	}
	return nil
}

// count compares strength 2 with label 2.
type count struct{ right, more, missed int }

func (c *count) add(got, want bool) {
	switch {
	case got && want:
		c.right++
	case got:
		c.more++
	case want:
		c.missed++
	}
}

func (c *count) join(o count) {
	c.right, c.more, c.missed = c.right+o.right, c.more+o.more, c.missed+o.missed
}

// f1 is 1 for a code that nobody gave and that was not missed.
func (c *count) f1() float64 {
	if c.right+c.more+c.missed == 0 {
		return 1
	}
	return float64(2*c.right) / float64(2*c.right+c.more+c.missed)
}

// practices ranks the principles for texts that say what to do. The framework's own
// list of processes helps to place them, and each was taken from the page of a process:
// so the second line shows what is left without that process.
func (e *eval) practices() error {
	all, err := readLines[practice](filepath.Join(e.data, "eval/practices-dev.jsonl"))
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "\n## Practices: %d\n", len(all))
	e.place("with the whole framework", all, e.verbose, func(practice) *assess.Offline { return e.engine })
	engines := map[string]*assess.Offline{}
	e.place("without the process it was taken from", all, false, func(p practice) *assess.Offline {
		if engines[p.Process] == nil {
			engines[p.Process] = e.without(p.Process)
		}
		return engines[p.Process]
	})
	return nil
}

func (e *eval) place(name string, all []practice, verbose bool, engine func(practice) *assess.Offline) {
	first, three := 0, 0
	for _, p := range all {
		at := -1
		var order []string
		for _, r := range engine(p).Map(p.Text, "en") {
			id, code, _ := framework.Split(r.Code)
			if id != principles {
				continue
			}
			if code == p.Principle {
				at = len(order)
			}
			order = append(order, code)
		}
		if at == 0 {
			first++
		}
		if at >= 0 && at < 3 {
			three++
		}
		if verbose && at != 0 {
			fmt.Fprintf(e.out, "- %s at %d of %v: %s\n", p.Principle, at+1, order[:min(4, len(order))], p.Text)
		}
	}
	n := float64(len(all))
	fmt.Fprintf(e.out, "\nRight principle first %.2f (%d), in the first three %.2f (%d), %s.\n", float64(first)/n, first, float64(three)/n, three, name)
}

// without is the engine as it would be had the source not spoken of a process. One that
// is printed under several codes is one process.
func (e *eval) without(process string) *assess.Offline {
	set := maps.Clone(e.set)
	f := *set[principles]
	f.Codes = slices.Clone(f.Codes)
	titles := map[string]bool{}
	base := func(code string) string { b, _, _ := strings.Cut(code, "~"); return b }
	for _, c := range f.Codes {
		if base(c.Code) == process {
			titles[c.Name.In("en", "en")] = true
		}
	}
	f.Codes = slices.DeleteFunc(f.Codes, func(c framework.Code) bool {
		return c.List == "processes" && (base(c.Code) == process || titles[c.Name.In("en", "en")])
	})
	set[principles] = &f
	return assess.NewOffline(set)
}

// evidence looks for every quote in the entry by itself, and measures quotes.
func (e *eval) evidence() {
	quotes, found := 0, 0
	var words []int
	for _, name := range slices.Sorted(maps.Keys(e.entries)) {
		subject := e.entries[name]
		a := e.engine.Assess(subject, nil, nil)
		_, dropped := assess.Check(subject, a, e.set, nil)
		found -= len(dropped)
		for _, m := range a.Mappings {
			for _, ev := range m.Evidence {
				quotes++
				found++
				words = append(words, len(strings.Fields(ev.Quote)))
			}
		}
	}
	slices.Sort(words)
	fmt.Fprintf(e.out, "\n## Evidence\n\n%d quotes in %d entries, %.1f %% verbatim at their pointer; median %d words, longest %d.\n",
		quotes, len(e.entries), 100*float64(found)/float64(quotes), words[len(words)/2], words[len(words)-1])
}

// speed counts the processor's time, since other programs may run beside this one.
func (e *eval) speed() error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	began, err := measure.Used()
	if err != nil {
		return err
	}
	n, took := 0, time.Duration(0)
	for took < 3*time.Second {
		for _, subject := range e.entries {
			e.engine.Assess(subject, nil, nil)
			n++
		}
		now, err := measure.Used()
		if err != nil {
			return err
		}
		took = now - began
	}
	fmt.Fprintf(e.out, "\n## Speed\n\n%.0f entries a second of one core's time.\n", float64(n)/took.Seconds())
	return nil
}
