package assess

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// builtin is the frameworks that a registry without its own has.
func builtin(t *testing.T) framework.Set {
	t.Helper()
	reg, err := registry.Load(t.Context(), registry.FromFS(fstest.MapFS{}), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg.Frameworks
}

// predecessor is all entries of the predecessor, by its file names.
func predecessor(t *testing.T) map[string]*entry.Entry {
	t.Helper()
	src, err := dpga.Read(os.DirFS(realdata.Folder(t, "data/dpga/dpga")))
	if err != nil {
		t.Fatal(err)
	}
	converted, _, err := src.Convert(dpga.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*entry.Entry{}
	for i := range converted {
		if e := &converted[i].Entry; e.Status.Live() {
			all[e.SameAs.DPGA] = e
		}
	}
	return all
}

// TestPredecessorsEntries assesses every live entry of the predecessor: what
// comes out holds, and is the same the second time.
func TestPredecessorsEntries(t *testing.T) {
	entries := predecessor(t)
	set := builtin(t)
	o := NewOffline(set)
	mappings, quotes, clearly, summaries := 0, 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		a := o.Assess(e, nil, nil)
		holds(t, e, a, set)
		for _, m := range a.Mappings {
			mappings++
			quotes += len(m.Evidence)
			if m.Strength == 2 {
				clearly++
			}
		}
		if a.Summary != nil {
			summaries++
			for _, s := range a.Summary.Sentences {
				t.Logf("%s: %s", name, s.Text)
			}
		}
	}
	t.Logf("%d entries, %d mappings (%d clear), %d quotes, all verbatim, %d summaries", len(entries), mappings, clearly, quotes, summaries)
	if len(entries) < 200 {
		t.Errorf("only %d entries were read", len(entries))
	}
}

// TestLabelledEntries logs how well the engine agrees with entries that people
// labelled: strength 2 against label 2.
func TestLabelledEntries(t *testing.T) {
	f, err := os.Open(filepath.Join(realdata.Folder(t, "data/eval"), "mapping-dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries := predecessor(t)
	o := NewOffline(builtin(t))
	groups := map[string]map[string]*agreement{"dpi-safeguards": {}, "dpg-charter": {}}
	for id, codes := range groups {
		for _, full := range o.mapped[id] {
			_, code, _ := strings.Cut(full, "/")
			codes[code] = new(agreement)
		}
		if len(codes) == 0 {
			t.Skipf("SKIPPED: the built-in frameworks have no mapped codes of %q", id)
		}
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var label struct {
			ID         string
			Principles map[string]int
			Outcomes   map[string]int
		}
		if err := json.Unmarshal(lines.Bytes(), &label); err != nil {
			t.Fatal(err)
		}
		e := entries[label.ID]
		if e == nil {
			t.Fatalf("there is no entry %q", label.ID)
		}
		got := map[string]int{}
		for _, m := range o.Assess(e, nil, nil).Mappings {
			got[m.Code] = m.Strength
		}
		for id, codes := range groups {
			want := label.Principles
			if id == "dpg-charter" {
				want = label.Outcomes
			}
			for code, a := range codes {
				a.count(got[id+"/"+code] == 2, want[code] == 2)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		var all agreement
		macro := 0.0
		codes := groups[id]
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			a := codes[code]
			all.both, all.only, all.missed = all.both+a.both, all.only+a.only, all.missed+a.missed
			macro += a.f1() / float64(len(codes))
			t.Logf("%s/%-28s precision %.2f recall %.2f F1 %.2f (%d right, %d too many, %d missed)",
				id, code, a.precision(), a.recall(), a.f1(), a.both, a.only, a.missed)
		}
		t.Logf("%s: micro precision %.3f recall %.3f F1 %.3f, macro F1 %.3f", id, all.precision(), all.recall(), all.f1(), macro)
	}
}

type agreement struct{ both, only, missed int }

func (a *agreement) count(got, want bool) {
	switch {
	case got && want:
		a.both++
	case got:
		a.only++
	case want:
		a.missed++
	}
}

func (a *agreement) precision() float64 { return share(a.both, a.both+a.only) }
func (a *agreement) recall() float64    { return share(a.both, a.both+a.missed) }
func (a *agreement) f1() float64        { return share(2*a.both, 2*a.both+a.only+a.missed) }

// share is 1 for nothing of nothing: a code that nobody gave was not missed.
func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
