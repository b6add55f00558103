package bot

import (
	"strings"
	"testing"
)

// What people decided shows in the pull request: who, as what, when and why, and
// what it stands against.
func TestBodyShowsDecisions(t *testing.T) {
	hostile := "\"Kept @all</details><b> ](x)\""
	decide := func(rulings ...string) string {
		return "stewards: [{github: ann}]\ndecisions:\n  - {" + strings.Join(rulings, ", by: {github: ann}, as: steward, date: 2026-01-15, reason: "+hostile+"}\n  - {") +
			", by: {github: ann}, as: steward, date: 2026-01-15, reason: " + hostile + "}\n"
	}
	tests := []struct {
		name          string
		before, after string // of the entry, each merged with what the bot proposes of it
		want          []string
		not           []string
	}{
		{
			"proposed until somebody confirms", "", entryFile("e000", ""),
			[]string{"- **`needs/N1`** `Works offline`, proposed\n"}, []string{"confirmed", "New evidence", "locked"},
		},
		{
			"confirmed", entryFile("e000", ""), entryFile("e000", decide("ruling: accept, code: needs/N1")),
			[]string{"- **`needs/N1`** `Works offline`, confirmed by `ann` as `steward` on `2026-01-15` because: `Kept @all</details><b> ](x)`\n"},
			[]string{"New evidence"},
		},
		{
			"rejected", entryFile("e000", ""), entryFile("e000", decide("ruling: reject, code: needs/N1")),
			[]string{": no longer `needs/N1`", "- **`needs/N1`** `Works offline`, rejected by `ann` as `steward` on `2026-01-15` because: "},
			[]string{"New evidence"},
		},
		{
			"new evidence for what was rejected",
			entryFile("e000", decide("ruling: reject, code: needs/N1")),
			swap(t, entryFile("e000", decide("ruling: reject, code: needs/N1")), "during the visit.", "during the visit and it works offline in the hills."),
			[]string{
				"<details><summary>New evidence for 1 rejected code, which changes nothing</summary>\n\n- **`needs/N1`** stays rejected, though `/sdgs/0/text` says `",
				"no code with clear evidence comes or goes",
			},
			[]string{"new `needs/N1`"},
		},
		{
			"a locked text whose facts changed",
			entryFile("e000", decide("ruling: lock, on: summary")),
			swap(t, entryFile("e000", decide("ruling: lock, on: summary")), "expression: MIT", "expression: Apache-2.0"),
			[]string{"The summary is locked and stays, though its facts changed: `/licenses/0/expression`.\n", "Its licence is MIT.`"},
			[]string{"Its licence is Apache-2.0."},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil)
			if tt.before != "" {
				d.push("main", "", map[string]string{dpg("e000"): tt.before})
				d.sync()
				d.merge(botBranch)
			}
			d.push("main", "", map[string]string{dpg("e000"): tt.after})
			d.sync()
			body := d.onlyPull().Body
			for _, want := range tt.want {
				if !strings.Contains(body, want) {
					t.Errorf("the body does not say %q:\n%s", want, body)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(body, not) {
					t.Errorf("the body says %q:\n%s", not, body)
				}
			}
			checkMarkdown(t, body)
		})
	}
}

// An entry that gets another id takes its assessment along.
func TestBodyOfARename(t *testing.T) {
	lock := "stewards: [{github: ann}]\ndecisions: [{ruling: lock, on: summary, by: {github: ann}, as: steward, date: 2026-01-15, reason: Mine.}]\n"
	d := newDesk(t, map[string]string{dpg("e000"): entryFile("e000", lock)})
	d.sync()
	d.merge(botBranch)
	d.push("main", "", map[string]string{
		dpg("e000"):   "schema: dpg/v1\nid: e000\nname: Clinic e000\ntypes: [software]\nstatus: {stage: renamed, moved_to: clinic}\n",
		dpg("clinic"): swap(t, entryFile("e000", lock), "id: e000\n", "id: clinic\n"),
	})
	d.sync()
	body := d.onlyPull().Body
	for _, want := range []string{"**`dpg/e000`**: now `dpg/clinic`, and its assessment moves along.", "**`dpg/clinic`**: no code with clear evidence comes or goes"} {
		if !strings.Contains(body, want) {
			t.Errorf("the body does not say %q:\n%s", want, body)
		}
	}
	checkMarkdown(t, body)
}
