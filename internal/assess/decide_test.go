package assess

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A decided is a registry in which people rule and the bot assesses, in turns.
type decided struct {
	t    *testing.T
	tree tree
	at   string // of the entry
	last []Proposal
}

// run lets the bot propose, and a maintainer merge what it proposes.
func (d *decided) run() []string {
	d.t.Helper()
	var lines []string
	d.last, lines = d.tree.plan(d.t)
	d.tree.apply(d.last)
	return lines
}

// rule adds decisions to the entry, each by who, as what, when and why.
func (d *decided) rule(rulings ...string) {
	text := d.tree[d.at]
	if !strings.Contains(text, "decisions:\n") {
		text += "decisions:\n"
	}
	for _, r := range rulings {
		text += "  - {" + r + ", date: 2026-01-02, reason: I know it well.}\n"
	}
	d.tree[d.at] = text
}

func (d *decided) edit(old, new string) {
	d.t.Helper()
	if !strings.Contains(d.tree[d.at], old) {
		d.t.Fatalf("%s does not hold %q", d.at, old)
	}
	d.tree[d.at] = strings.Replace(d.tree[d.at], old, new, 1)
}

// rename gives the entry another id, as a person would: the file moves with all it
// holds, and the old id leads to the new one.
func (d *decided) rename(from, to string) {
	text := d.tree[d.at]
	d.tree[d.at] = "schema: dpg/v1\nid: " + from + "\nname: " + from + "\ntypes: [software]\nstatus: {stage: renamed, moved_to: " + to + "}\n"
	d.at = "dpgs/" + to + ".yaml"
	d.tree[d.at] = strings.Replace(text, "id: "+from+"\n", "id: "+to+"\n", 1)
}

func (d *decided) assessment() *Assessment {
	d.t.Helper()
	name := "assessments/" + d.at
	doc, found := source.Parse(name, []byte(d.tree[name]))
	a := new(Assessment)
	if len(found) > 0 || d.tree[name] == "" {
		return nil
	}
	if err := doc.Decode(a); err != nil {
		d.t.Fatal(err)
	}
	return a
}

// says is what the file says, in short: "code state", then the summary.
func (d *decided) says() string {
	a := d.assessment()
	if a == nil {
		return "nothing"
	}
	var parts []string
	for _, m := range a.Mappings {
		parts = append(parts, strings.TrimPrefix(m.Code, "care/")+" "+m.Review.State)
	}
	if a.Summary == nil {
		return strings.Join(append(parts, "no summary"), "; ")
	}
	summary := summaryText(a.Summary)
	if l := a.Summary.Locked; l != nil {
		summary += " (locked"
		if len(l.Changed) > 0 {
			summary += ", changed " + strings.Join(l.Changed, " ")
		}
		summary += ")"
	}
	return strings.Join(append(parts, summary), "; ")
}

const (
	steward = "by: {github: someone, id: 7}, as: steward"
	keeper  = "by: {github: maintainer, id: 8}, as: registry"

	accept    = "ruling: accept, code: care/security, "
	reject    = "ruling: reject, code: care/security, "
	own       = "ruling: own-summary, text: It keeps secrets., "
	lock      = "ruling: lock, on: summary, "
	lockCodes = "ruling: lock, on: mappings, "
	optOut    = "ruling: opt-out, on: all, "
	optText   = "ruling: opt-out, on: summary, "
)

// What people decide outlives whatever comes after it. Each case is a story; it says
// what the file says at its end, and then the bot has nothing more to say.
func TestDecisionsSurvive(t *testing.T) {
	const (
		found   = "security proposed"
		text    = "vault is software in the field of health. Its licence is MIT."
		sectors = "types: [software]\nsectors: [health]\n"
	)
	upper := func(s string) string { return strings.Replace(s, "vault is", "The project “vault” is", 1) }
	later := func(d *decided) { // all that may come after a decision
		d.run()
		olderEngine(d.tree, "assessments/"+d.at)
		d.run()
		d.edit("The clinic sends encrypted data", "Every clinic sends encrypted data")
		d.run()
		d.rename("vault", "safe")
		d.run()
		d.run()
	}
	tests := []struct {
		name  string
		story func(d *decided)
		want  string
	}{
		{"merging alone leaves it proposed", func(d *decided) { d.run(); d.run() }, found + "; " + upper(text)},
		{"a steward accepts", func(d *decided) { d.rule(accept + steward); later(d) }, "security confirmed_by_steward; " + upper(text)},
		{"the registry accepts", func(d *decided) { d.rule(accept + keeper); later(d) }, "security confirmed_by_registry; " + upper(text)},
		{"a steward rejects", func(d *decided) { d.rule(reject + steward); later(d) }, "security rejected; " + upper(text)},
		{"the later of two counts", func(d *decided) { d.rule(reject+steward, accept+keeper); later(d) }, "security confirmed_by_registry; " + upper(text)},
		{"a code that no signal finds is accepted", func(d *decided) {
			d.rule("ruling: accept, code: care/open, " + steward)
			later(d)
		}, "open confirmed_by_steward; " + found + "; " + upper(text)},
		{"a rejection stands against new evidence", func(d *decided) {
			d.rule(reject + steward)
			d.run()
			d.edit("to the ministry.", "to the ministry. It has role-based access control for everybody.")
			later(d)
		}, "security rejected; " + upper(text)},
		{"a rejection outlives the time in which nothing is found", func(d *decided) {
			d.rule(reject + steward)
			d.edit("encrypted data", "letters")
			d.run()
			d.edit("letters", "encrypted data")
			later(d)
		}, "security rejected; " + upper(text)},
		{"a rejection outlives an assessment that is lost", func(d *decided) {
			d.rule(reject + steward)
			d.run()
			delete(d.tree, vaultPath)
			later(d)
		}, "security rejected; " + upper(text)},
		{"a person lifts a rejection", func(d *decided) {
			before := d.tree[d.at]
			d.rule(reject + steward)
			d.run()
			d.tree[d.at] = before
			later(d)
		}, found + "; " + upper(text)},
		{"a summary of one's own", func(d *decided) { d.rule(own + steward); later(d) }, found + "; It keeps secrets."},
		{"a summary of one's own is taken back", func(d *decided) {
			before := d.tree[d.at]
			d.rule(own + steward)
			d.run()
			d.tree[d.at] = before
			later(d)
		}, found + "; " + upper(text)},
		{"a locked summary", func(d *decided) { d.run(); d.rule(lock + steward); later(d) }, found + "; " + upper(text) + " (locked)"},
		{"a locked summary stays when its facts change", func(d *decided) {
			d.run()
			d.rule(lock + steward)
			d.run()
			d.edit("expression: MIT", "expression: Apache-2.0")
			d.edit("sectors: [health]", "sectors: [education]")
			later(d)
		}, found + "; " + upper(text) + " (locked, changed /licenses/0/expression /sectors)"},
		{"a locked summary whose facts change back", func(d *decided) {
			d.run()
			d.rule(lock + steward)
			d.run()
			d.edit("expression: MIT", "expression: Apache-2.0")
			d.run()
			d.edit("expression: Apache-2.0", "expression: MIT")
			later(d)
		}, found + "; " + upper(text) + " (locked)"},
		{"a lock is lifted", func(d *decided) {
			d.run()
			before := d.tree[d.at]
			d.rule(lock + steward)
			d.run()
			d.tree[d.at] = before
			d.edit("expression: MIT", "expression: Apache-2.0")
			later(d)
		}, found + "; " + upper(strings.Replace(text, "MIT", "Apache-2.0", 1))},
		{"locked codes", func(d *decided) {
			d.run()
			d.rule(lockCodes + steward)
			d.run()
			d.edit("to the ministry.", "to the ministry. It is open source software.")
			d.run()
			d.run()
		}, found + "; " + upper(text)},
		{"no generated text at all", func(d *decided) { d.rule(optOut + steward); later(d) }, "no summary"},
		{"no generated summary", func(d *decided) { d.rule(optText + steward); later(d) }, found + "; no summary"},
		{"an own summary after opting out", func(d *decided) { d.rule(optText+steward, own+steward); later(d) }, found + "; It keeps secrets."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &decided{t: t, tree: testTree(t), at: "dpgs/vault.yaml"}
			d.edit("types: [software]\n", sectors+"stewards: [{github: someone, id: 7}]\n")
			tt.story(d)
			if got := d.says(); got != tt.want {
				t.Errorf("at the end the file says\n\t%s\nwant\n\t%s", got, tt.want)
			}
			if lines := d.run(); len(lines) > 0 {
				t.Errorf("one more run proposes %q", lines)
			}
			for _, f := range d.tree.load(t).Findings {
				t.Errorf("%s: %s", f.Path, f.Message)
			}
		})
	}
}

// An upgrade of the engine proposes an entry only for codes that changed, and of a
// decided code changes nothing.
func TestUpgradeProposesWhatChanged(t *testing.T) {
	d := &decided{t: t, tree: testTree(t), at: "dpgs/vault.yaml"}
	d.rule(reject + keeper)
	d.run()
	for _, at := range []string{vaultPath, boxPath} {
		olderEngine(d.tree, at)
	}
	if lines := d.run(); len(lines) > 0 {
		t.Errorf("an upgrade with the same answers proposes %q", lines)
	}
	d.tree[boxPath] = strings.Replace(d.tree[boxPath], "strength: 2", "strength: 1", 1)
	if lines, want := d.run(), []string{"change " + boxPath}; !slices.Equal(lines, want) {
		t.Errorf("an upgrade with one other answer proposes %q, want %q", lines, want)
	}
	if got := d.says(); !strings.HasPrefix(got, "security rejected") {
		t.Errorf("after the upgrade the file says %q", got)
	}
}

func TestNewEvidence(t *testing.T) {
	ev := func(quotes ...string) (all []Evidence) {
		for _, q := range quotes {
			all = append(all, Evidence{"/description", q})
		}
		return all
	}
	rejected := func(quotes ...string) *Assessment {
		return &Assessment{Mappings: []Mapping{{Code: "care/open", Evidence: ev(quotes...), Review: Review{State: StateRejected}}}}
	}
	proposed := rejected("what it says")
	proposed.Mappings[0].Review.State = StateProposed
	tests := []struct {
		name        string
		before, now *Assessment
		want        []Evidence
	}{
		{"the first time", nil, rejected("what it says"), nil},
		{"just rejected", proposed, rejected("what it says"), nil},
		{"as before", rejected("what it says"), rejected("what it says"), nil},
		{"quoted more widely", rejected("what it says"), rejected("and what it says now"), nil},
		{"one more", rejected("what it says"), rejected("what it says", "and another thing"), ev("and another thing")},
		{"nothing before", &Assessment{}, rejected("what it says"), ev("what it says")},
		{"not rejected", &Assessment{}, proposed, nil},
		{"gone", rejected("what it says"), &Assessment{}, nil},
	}
	for _, tt := range tests {
		var got []Evidence
		for _, m := range NewEvidence(tt.before, tt.now) {
			got = append(got, m.Evidence...)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Of every decision the entry keeps who, as what, when and why.
func TestDecisionsNameWho(t *testing.T) {
	d := &decided{t: t, tree: testTree(t), at: "dpgs/vault.yaml"}
	d.rule(accept + steward)
	reg := d.tree.load(t)
	got := reg.Entry(entry.Ref{Kind: "dpg", ID: "vault"}).Entry.Decisions
	want := []entry.Decision{{
		Ruling: "accept", Code: "care/security", By: entry.Person{GitHub: "someone", ID: 7}, As: "steward", Date: "2026-01-02", Reason: "I know it well.",
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry.Text{})); diff != "" {
		t.Errorf("decisions differ (-want +got):\n%s", diff)
	}
	for _, part := range []string{", by: {github: someone, id: 7}", ", as: steward", ", date: 2026-01-02", ", reason: I know it well."} {
		f := testTree(t)
		e := decided{t: t, tree: f, at: d.at}
		e.tree[d.at] = strings.Replace(d.tree[d.at], part, "", 1)
		if len(f.load(t).Findings) == 0 {
			t.Errorf("a decision without %q is let through", part)
		}
	}
}
