package dpga

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// TestMerge runs the archives in testdata/merge: the entry that is there, what is
// imported, the conflicts between them, and the entry after --overwrite.
func TestMerge(t *testing.T) {
	archives, err := filepath.Glob("testdata/merge/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) < 2 || a.Files[0].Name != "local.yaml" || a.Files[1].Name != "imported.yaml" {
				t.Fatal("the archive begins with local.yaml and imported.yaml")
			}
			local, imported := decode(t, a.Files[0].Data), decode(t, a.Files[1].Data)
			conflicts, overwritten := checkMerge(t, local, imported)
			var b strings.Builder
			for _, c := range conflicts {
				fmt.Fprintf(&b, "%s: %s | %s\n", c.Pointer, c.Local, c.Imported)
			}
			got := []txtar.File{
				a.Files[0], a.Files[1],
				{Name: "want/conflicts", Data: []byte(b.String())},
				{Name: "want/overwritten.yaml", Data: encode(t, overwritten)},
			}
			if *update {
				a.Files = got
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			text := func(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }
			if diff := cmp.Diff(text(a.Files), text(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, text []byte) entry.Entry {
	t.Helper()
	doc, found := source.Parse("x.yaml", text)
	if len(found) > 0 {
		t.Fatal(found)
	}
	var e entry.Entry
	if err := doc.Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

func encode(t *testing.T, e entry.Entry) []byte {
	t.Helper()
	data, err := entry.Encode(e, "")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkMerge merges both ways and holds the results to what is true of any two
// entries.
func checkMerge(t *testing.T, local, imported entry.Entry) (conflicts []merge.Conflict, overwritten entry.Entry) {
	t.Helper()
	was, would := encode(t, local), encode(t, imported)
	merged, conflicts, _ := merge.Entries(local, imported, merge.Options{})
	if diff := cmp.Diff(string(was), string(encode(t, merged))); diff != "" {
		t.Errorf("%s: a merge without overwriting changed the entry: (-was +is)\n%s", local.ID, diff)
	}
	overwritten, replaced, _ := merge.Entries(local, imported, merge.Options{Overwrite: true})
	if !bytes.Equal(was, encode(t, local)) || !bytes.Equal(would, encode(t, imported)) {
		t.Errorf("%s: Merge changed what it was given", local.ID)
	}
	if local.Status.Stage == entry.StageRenamed || local.Status.Stage == entry.StageRemoved {
		if diff := cmp.Diff(string(was), string(encode(t, overwritten))); diff != "" {
			t.Errorf("%s: overwriting changed an entry that stays as it is: %s", local.ID, diff)
		}
		return conflicts, overwritten
	}
	if (len(conflicts) == 0) != (len(replaced) == 0) || (len(conflicts) == 0) != bytes.Equal(was, encode(t, overwritten)) {
		t.Errorf("%s: %d conflicts, %d replaced; overwriting changes the entry: %v", local.ID, len(conflicts), len(replaced), !bytes.Equal(was, encode(t, overwritten)))
	}
	for _, c := range conflicts {
		if c.Kept != merge.Local || bytes.Equal(c.Local, c.Imported) {
			t.Errorf("%s: odd conflict %+v", local.ID, c)
		}
	}
	// Overwriting, then importing again, changes nothing.
	again, left, _ := merge.Entries(overwritten, imported, merge.Options{Overwrite: true})
	if diff := cmp.Diff(string(encode(t, overwritten)), string(encode(t, again))); diff != "" || len(left) > 0 {
		t.Errorf("%s: a second import finds %+v and changes (-first +second)\n%s", local.ID, left, diff)
	}
	// What is the person's alone is never touched.
	for _, pair := range [][2]any{
		{local.Decisions, overwritten.Decisions}, {local.Waivers, overwritten.Waivers}, {local.Stewards, overwritten.Stewards},
		{local.ContactURL, overwritten.ContactURL}, {local.Topics, overwritten.Topics}, {local.Language, overwritten.Language},
		{local.Status.Reason, overwritten.Status.Reason}, {local.Status.ReviewBy, overwritten.Status.ReviewBy},
		{local.Description.In("fr", local.Language), overwritten.Description.In("fr", local.Language)},
	} {
		if diff := cmp.Diff(pair[0], pair[1], cmp.AllowUnexported(entry.Text{})); diff != "" {
			t.Errorf("%s: overwriting lost what the import never writes: (-local +merged)\n%s", local.ID, diff)
		}
	}
	for _, l := range local.Sources {
		if !slices.ContainsFunc(overwritten.Sources, func(s entry.Source) bool { return s.URL == l.URL }) {
			t.Errorf("%s: overwriting lost the source %q", local.ID, l.URL)
		}
	}
	return conflicts, overwritten
}

// An edit is something a person does to an entry.
type edit struct {
	name string
	do   func(e *entry.Entry)
}

var person = entry.Person{GitHub: "someone", ID: 12345}

// additions conflict with no import.
var additions = []edit{
	{"decision", func(e *entry.Entry) {
		e.Decisions = append(e.Decisions, entry.Decision{Ruling: "lock", On: "all", By: person, As: "steward", Date: "2025-02-03", Reason: "right as it is"})
	}},
	{"waiver", func(e *entry.Entry) {
		e.Waivers = append(e.Waivers, entry.Waiver{Rule: "sdg-evidence", Reason: "looked for", By: person, Until: "2027-01-01"})
	}},
	{"steward", func(e *entry.Entry) { e.Stewards = append(e.Stewards, person) }},
	{"contact", func(e *entry.Entry) { e.ContactURL = "https://example.org/contact" }},
	{"topic", func(e *entry.Entry) { e.Topics = append(e.Topics, "maps") }},
	{"french", func(e *entry.Entry) { e.Description = e.Description.With("fr", "en", "Une carte.") }},
	{"french goal", func(e *entry.Entry) {
		for i := range e.SDGs {
			e.SDGs[i].Text = e.SDGs[i].Text.With("fr", "en", "Un but.")
		}
	}},
	{"covers", func(e *entry.Entry) {
		for i := range e.Licenses {
			e.Licenses[i].Covers = "software"
		}
	}},
	{"same as", func(e *entry.Entry) { e.SameAs.Wikidata = "Q42" }},
	{"source before", func(e *entry.Entry) {
		e.Sources = append([]entry.Source{{URL: "https://example.org/about"}}, e.Sources...)
	}},
	{"review", func(e *entry.Entry) { e.Status.ReviewBy = "2027-01-01" }},
	{"reason", func(e *entry.Entry) { e.Status.Reason = entry.Plain("as its owner asked") }},
	{"alias", func(e *entry.Entry) { e.Aliases = append([]string{"Another name"}, e.Aliases...) }},
	{"repository", func(e *entry.Entry) {
		e.Repositories = append(e.Repositories, entry.Repository{URL: "https://example.org/code"})
	}},
	{"country", func(e *entry.Entry) {
		if e.Locations == nil {
			e.Locations = &entry.Locations{}
		}
		e.Locations.DeployedIn = append(e.Locations.DeployedIn, "XK")
	}},
	{"who answered", func(e *entry.Entry) {
		for _, q := range e.Standard.Questions() {
			q.Answer.Source, q.Answer.AsOf = "its owner", "2025-02-03"
		}
	}},
}

// changes conflict with the import that made the entry.
var changes = []edit{
	{"name", func(e *entry.Entry) { e.Name += " II" }},
	{"no name", func(e *entry.Entry) { e.Name = "" }},
	{"description", func(e *entry.Entry) { e.Description = entry.Plain("Another one.") }},
	{"language", func(e *entry.Entry) { e.Language, e.Description = "fr", entry.Plain("Une carte.") }},
	{"no types", func(e *entry.Entry) { e.Types = nil }},
	{"licence", func(e *entry.Entry) { e.Licenses = []entry.License{{Expression: "MIT", Covers: "software"}} }},
	{"first goal gone", func(e *entry.Entry) {
		if len(e.SDGs) > 0 {
			e.SDGs = e.SDGs[1:]
		}
	}},
	{"no organization", func(e *entry.Entry) { e.Organizations = nil }},
	{"no place", func(e *entry.Entry) { e.Locations = nil }},
	{"no answers", func(e *entry.Entry) { e.Standard = nil }},
	{"answers", func(e *entry.Entry) {
		for _, q := range e.Standard.Questions() {
			q.Answer.Answer, q.Answer.Items = "not-applicable", []string{"other"}
		}
	}},
	{"stage", func(e *entry.Entry) { e.Status.Stage, e.Status.RecognisedBy = "archived", "Somebody" }},
	{"not the same", func(e *entry.Entry) { e.SameAs = nil }},
	{"no source", func(e *entry.Entry) { e.Sources = nil }},
	{"date", func(e *entry.Entry) {
		for i := range e.Sources {
			e.Sources[i].AsOf = "2020-01-01"
		}
	}},
}

// TestMergeEdits makes edits of each sort, alone and together, to what was
// imported, and imports again.
func TestMergeEdits(t *testing.T) {
	conflicting := map[string]int{}
	for _, made := range importedTrees(t) {
		r := rand.New(rand.NewPCG(1, 2))
		for n, c := range made {
			imported, text := c.Entry, encode(t, c.Entry)
			quiet := func(name string, edits ...edit) {
				local := decode(t, text)
				for _, e := range edits {
					e.do(&local)
				}
				if conflicts, _ := checkMerge(t, local, imported); len(conflicts) > 0 {
					t.Errorf("%s: %s is in conflict: %+v", c.Path, name, conflicts)
				}
			}
			quiet("nothing")
			quiet("every addition", additions...)
			// Each alone for few entries; of many, for some, and one for each of the others.
			add, change := additions, changes
			many := len(made) > 50 && n > 5
			if many && n%3 != 0 {
				continue // all of them would take long and say no more
			}
			if many {
				add, change = pick(r, additions), pick(r, changes)
			}
			for _, a := range add {
				quiet(a.name, a)
			}
			for _, ch := range change {
				local := decode(t, text)
				for _, a := range additions {
					if r.IntN(2) == 0 {
						a.do(&local)
					}
				}
				ch.do(&local)
				conflicts, overwritten := checkMerge(t, local, imported)
				conflicting[ch.name] += len(conflicts)
				checkSchema(t, c, overwritten)
			}
		}
		// Two entries that have nothing to do with each other.
		for i := range made {
			checkMerge(t, made[i].Entry, made[(i+1)%len(made)].Entry)
		}
		t.Logf("%d entries edited and imported again", len(made))
	}
	for _, ch := range changes {
		if conflicting[ch.name] == 0 {
			t.Errorf("%s is never in conflict", ch.name)
		}
	}
}

func pick(r *rand.Rand, from []edit) []edit { return []edit{from[r.IntN(len(from))]} }

func importedTrees(t *testing.T) [][]Converted {
	t.Helper()
	var trees [][]Converted
	fixture := fixtures(t)
	made, _ := convert(t, fixture)
	trees = append(trees, made)
	if dir, ok := realdata.Find(t, "data/dpga/dpga"); ok {
		made, _ := convert(t, os.DirFS(dir))
		trees = append(trees, made)
	} else {
		t.Logf("SKIPPED for the real data, which is absent: %s", dir)
	}
	return trees
}

// checkSchema holds an entry that was overwritten to having no findings but those
// that the import has by itself.
func checkSchema(t *testing.T, c Converted, overwritten entry.Entry) {
	t.Helper()
	set, err := schema.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	findings := func(e entry.Entry) map[string]bool {
		doc, found := source.Parse(c.Path, encode(t, e))
		if len(found) > 0 {
			t.Fatal(found)
		}
		all := map[string]bool{}
		for _, d := range set.Validate(kindOfEntry().Schema, doc) {
			all[d.Rule+": "+d.Message] = true
		}
		return all
	}
	before := findings(c.Entry)
	for f := range findings(overwritten) {
		if !before[f] {
			t.Errorf("%s, overwritten, has a finding: %s", c.Path, f)
		}
	}
}

func TestMergeLanguage(t *testing.T) {
	imported := entry.Entry{Language: "en", Description: entry.Plain("A map.")}
	local := entry.Entry{Description: entry.Plain("Une carte.")}
	got, conflicts, _ := merge.Entries(local, imported, merge.Options{Overwrite: true, Language: "fr"})
	want := map[string]string{"en": "A map.", "fr": "Une carte."}
	if diff := cmp.Diff(want, got.Description.ByLanguage("fr")); diff != "" || len(conflicts) != 1 || conflicts[0].Pointer != "/description/en" {
		t.Errorf("conflicts %+v, (-want +got)\n%s", conflicts, diff)
	}
}
