package propose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

func TestDecide(t *testing.T) {
	const base = "schema: dpg/v1 # c\nid: x\n"
	reject := entry.Decision{Ruling: "reject", Code: "needs/N1", By: entry.Person{GitHub: "maria", ID: 7}, As: "registry", Date: "2026-06-30", Reason: "no: never"}
	const block = `  - ruling: reject
    code: needs/N1
    by:
      github: maria
      id: 7
    as: registry
    date: "2026-06-30"
    reason: 'no: never'
`
	const flow = `{ruling: reject, code: needs/N1, by: {github: maria, id: 7}, as: registry, date: "2026-06-30", reason: 'no: never'}`
	const other = "{ruling: accept, code: needs/N2, by: {github: ada}, as: steward, date: 2026-01-01, reason: yes it is}"
	mine := strings.Replace(flow, "reject", "accept", 1)
	theirs := strings.Replace(mine, "id: 7", "id: 8", 1)
	for _, tt := range []struct{ name, in, want string }{
		{"no list", base, base + "decisions:\n" + block},
		{"no list and comments at the end", base + "# end\n\n", base + "# end\ndecisions:\n" + block + "\n"},
		{"a key without a value", base + "decisions: # none\nwaivers: []\n", base + "decisions: # none\n" + block + "waivers: []\n"},
		{"an empty list", base + "decisions: []\n", base + "decisions: [" + flow + "]\n"},
		{"a list in brackets", base + "decisions: [" + other + "] # d\n", base + "decisions: [" + other + ", " + flow + "] # d\n"},
		{"a list of lines", base + "decisions:\n  - " + other + " # d\nwaivers: []\n", base + "decisions:\n  - " + other + " # d\n" + block + "waivers: []\n"},
		{"a list that is not set in", base + "decisions:\n- " + other + "\nwaivers: []\n", base + "decisions:\n- " + other + "\n" + strings.ReplaceAll(block[2:], "\n  ", "\n") + "waivers: []\n"},
		{"said already", base + "decisions: [" + flow + "]\n", "the entry says so already"},
		{"one's own other ruling goes", base + "decisions: [" + mine + ", " + other + "]\n", base + "decisions: [" + other + ", " + flow + "]\n"},
		{"somebody else's stays", base + "decisions: [" + theirs + "]\n", base + "decisions: [" + theirs + ", " + flow + "]\n"},
		{"an entry in brackets", "{schema: dpg/v1, id: x}\n", "the file is laid out so that only a person can change it; add this by hand"},
		{"no list but a text", base + "decisions: none\n", "x.yaml does not have the shape of an entry"},
		{"not YAML", "a: [", "x.yaml:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := Decide("x.yaml", []byte(tt.in), reject)
			got := string(out)
			if err != nil {
				got = err.Error()
				if strings.HasPrefix(got, tt.want) {
					return
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Decide (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCorrect(t *testing.T) {
	const base = "schema: dpg/v1\nid: x\nname: 'Old' # c\nlicenses:\n  - expression: MIT # l\n"
	for _, tt := range []struct{ name, key, value, want string }{
		{"a text", "name", "New: one", strings.Replace(base, "'Old'", "'New: one'", 1)},
		{"lines become one", "name", "New\n  one", strings.Replace(base, "'Old'", "'New one'", 1)},
		{"a key that is missing", "website", "https://x.example.org/#a", base + "website: https://x.example.org/#a\n"},
		{"a value that looks like a key", "description", "x\nstatus: {stage: dpg}", base + "description: 'x status: {stage: dpg}'\n"},
		{"the licence", "license", "Apache-2.0", strings.Replace(base, "MIT", "Apache-2.0", 1)},
		{"as it is", "name", "Old", "the entry says so already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := Correct("x.yaml", []byte(base), tt.key, tt.value)
			got := string(out)
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Correct (-want +got):\n%s", diff)
			}
		})
	}
}
