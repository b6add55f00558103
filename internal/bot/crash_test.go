package bot

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A stage is something that people do, and the run of the bot that follows.
type stage struct {
	name   string
	people func(d *desk)
	run    func(d *desk) error
}

func syncs(d *desk) error {
	_, err := d.bot.Sync(d.t.Context())
	return err
}

func reviews(number int) func(d *desk) error {
	return func(d *desk) error {
		_, err := d.bot.Review(d.t.Context(), number)
		return err
	}
}

// The bot is killed before each of its writes, and repairs what it left by running
// again.
func TestKilledAnywhere(t *testing.T) {
	bad := swap(t, entryFile("new", ""), "MIT", "Apache 2")
	few := "bot: {entries_per_pull_request: 2}\n"
	stages := []stage{
		{"first proposal", func(d *desk) {}, syncs},
		{"an entry changes", func(d *desk) {
			d.push("main", "", map[string]string{dpg("e000"): swap(d.t, entryFile("e000", ""), "works offline", "is encrypted")})
		}, syncs},
		{"a contributor proposes", func(d *desk) {
			d.open("topic", map[string]string{dpg("new"): bad})
		}, reviews(2)},
		{"and mends", func(d *desk) {
			d.push("topic", "", map[string]string{dpg("new"): entryFile("new", "")})
		}, reviews(2)},
		{"the bot's is merged, the next comes", func(d *desk) { d.merge(botBranch) }, syncs},
		{"a person closes it", func(d *desk) {
			if err := d.ada.ClosePullRequest(d.t.Context(), 3, ""); err != nil {
				d.t.Fatal(err)
			}
			d.push("main", "", map[string]string{dpg("e002"): swap(d.t, entryFile("e002", ""), "works offline", "is encrypted")})
		}, syncs},
		{"nothing is left", func(d *desk) {
			d.push("main", "", map[string]string{dpg("e002"): swap(d.t, entryFile("e002", ""), "nominee", "archived")})
		}, syncs},
		{"it comes back", func(d *desk) {
			d.push("main", "", map[string]string{dpg("e002"): entryFile("e002", "")})
		}, syncs},
	}
	files := entries(3)
	files["registry/registry.yaml"] = settingsFile(few)
	// What an undisturbed run writes in each stage, where it ends, and the forge as it
	// stood before the run.
	calm := newDesk(t, files)
	var steps []int
	var want []string
	var before []*desk
	for _, s := range stages {
		s.people(calm)
		before = append(before, calm.copied())
		done := len(calm.writes.done)
		if err := s.run(calm); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		steps = append(steps, len(calm.writes.done)-done)
		want = append(want, calm.state())
		calm.still(s.name+", again", func() { s.run(calm) })
	}
	t.Logf("an undisturbed run writes %q", calm.writes.done)
	kills := 0
	for i, s := range stages {
		if steps[i] == 0 {
			t.Errorf("%s: the bot does nothing, so there is nothing to disturb", s.name)
		}
		for k := 1; k <= steps[i]; k++ {
			d := before[i].copied()
			d.writes.failFrom = k
			if err := s.run(d); !errors.Is(err, errKilled) {
				t.Errorf("%s, killed before write %d: %v", s.name, k, err)
			}
			d.writes.failFrom = 0
			kills++
			if err := s.run(d); err != nil {
				t.Errorf("%s, killed before write %d, then: %v", s.name, k, err)
			}
			if diff := cmp.Diff(want[i], d.state()); diff != "" {
				t.Errorf("%s, killed before write %d: another end (-undisturbed +repaired):\n%s", s.name, k, diff)
			}
			d.still("another run", func() { s.run(d) })
		}
	}
	t.Logf("killed at %d places", kills)
}
