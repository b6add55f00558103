package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

func TestChangesTable(t *testing.T) {
	const head = "| what changes | was | becomes |\n|---|---|---|\n"
	var many, counted strings.Builder
	for i := range maxItems + 2 {
		many.WriteString("  - t" + string(rune('a'+i)) + "\n")
	}
	for i := range maxFields + 2 {
		counted.WriteString("k" + string(rune('A'+i)) + ": 1\n")
	}
	tests := []struct{ name, was, is, want string }{
		{"nothing", "name: Aid\n", "# a remark\nname: \"Aid\"\n", ""},
		{"a text", "name: Aid\n", "name: First Aid\n", head + "| `name` | `Aid` | `First Aid` |\n\n"},
		{"a key more, a key less", "url: u\n", "name: Aid\n", head + "| `name` |  | `Aid` |\n| `url` | `u` |  |\n\n"},
		{"within a group", "status: {stage: nominee, as_of: 2026-01-01}\n", "status: {stage: dpg, as_of: 2026-01-01}\n", head + "| `status/stage` | `nominee` | `dpg` |\n\n"},
		{"a list", "types: [data, data, content]\n", "types: [content, data, software]\n", head + "| `types` | `data` | `software` |\n\n"},
		{"the order of a list", "types: [data, content]\n", "types: [content, data]\n", head + "| `types` | the same | in another order |\n\n"},
		{"a list that was not there", "a: 1\n", "a: 1\nb: [{url: x}]\n", head + "| `b` |  | `{\"url\":\"x\"}` |\n\n"},
		{"a list that becomes a text", "a: [x]\n", "a: x\n", head + "| `a` | `[\"x\"]` | `x` |\n\n"},
		{"an address of a person", "about: write to jane.doe@ngo.org now\n", "about: write to us\n", head + "| `about` | `write to j…@ngo.org now` | `write to us` |\n\n"},
		{"text that would be more", "a: x\n", "a: \"@team | <b>`\\n| y\"\n", head + "| `a` | `x` | `` @team \\| <b>` \\| y `` |\n\n"},
		{"a number that is none", "a: 1\n", "a: .nan\n", head + "| `a` | `1` | `.nan` |\n\n"},
		{"many items", "a: []\n", "a:\n" + many.String(), head + "| `a` |  | `ta`, `tb`, `tc`, `td`, `te`, `tf`, `tg`, `th`, `ti`, `tj`, `tk`, `tl` and 2 more |\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, changesTable(differing(written(t, tt.was), written(t, tt.is)))); diff != "" {
				t.Errorf("table differs (-want +got):\n%s", diff)
			}
		})
	}
	if got := changesTable(differing(written(t, counted.String()), written(t, "a: 1\n"))); !strings.HasSuffix(got, "\nAnd 3 fields more.\n\n") {
		t.Errorf("the table does not say how many fields it leaves out: %s", got)
	}
}

// written is a file of an entry as a load leaves it.
func written(t *testing.T, text string) *registry.Doc {
	t.Helper()
	doc, found := source.Parse("x.yaml", []byte(text))
	if len(found) > 0 {
		t.Fatal(found)
	}
	return &registry.Doc{Source: doc, Entry: &entry.Entry{}}
}

// A report shows what differs in an entry that was there, and nothing of what is
// erased.
func TestReviewShowsWhatChanges(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("aid"): entryFile("aid", ""), dpg("gone"): entryFile("gone", "website: https://private.example.org\n")})
	number := d.open("topic", map[string]string{
		dpg("aid"):  swap(t, entryFile("aid", ""), "MIT", "Apache-2.0"),
		dpg("gone"): "schema: dpg/v1\nid: gone\nstatus: {stage: removed, as_of: 2026-02-01, reason: Asked for.}\n",
		dpg("new"):  entryFile("new", ""),
	})
	d.review(number)
	comment := d.comment(number)
	if !strings.Contains(comment, "| `licenses` | `{\"expression\":\"MIT\",\"url\":\"https://aid.example.org/licence\"}` | `{\"expression\":\"Apache-2.0\",\"url\":\"https://aid.example.org/licence\"}` |\n\n") {
		t.Errorf("the comment does not show the change: %s", comment)
	}
	if n := strings.Count(comment, "| what changes |"); n != 1 || strings.Contains(comment, "private.example.org") {
		t.Errorf("%d tables in: %s", n, comment)
	}
}
