package dpga

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var (
	update = flag.Bool("update", false, "write what the tests get into testdata")
	every  = flag.Bool("every", false, "hold every step of the replay to what the predecessor made, not one in four and where it stopped")
)

// TestConvert runs the archives in testdata: the predecessor's files, then each
// entry under "want/", then the notes of files and what was not simply carried
// in "want/report".
func TestConvert(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			input := fstest.MapFS{}
			var in, want []txtar.File
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "want/") {
					want = append(want, f)
				} else {
					in = append(in, f)
					input[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			made, report := convert(t, input)
			checkAccounts(t, input, report)
			checkPointers(t, made, report)
			var got []txtar.File
			for _, c := range made {
				got = append(got, txtar.File{Name: "want/" + c.Path, Data: checkEncoding(t, c)})
			}
			got = append(got, txtar.File{Name: "want/report", Data: []byte(summary(report))})
			if *update {
				a.Files = append(in, got...)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			text := func(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }
			if diff := cmp.Diff(text(want), text(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func convert(t *testing.T, fsys fs.FS) ([]Converted, *Report) {
	t.Helper()
	s, err := Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	made, report, err := s.Convert(Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, second, err := s.Convert(Options{AsOf: DataAsOf})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report, second); diff != "" {
		t.Errorf("the second report differs: (-first +second)\n%s", diff)
	}
	if diff := cmp.Diff(made, again, cmp.AllowUnexported(entry.Text{})); diff != "" {
		t.Errorf("the second conversion differs: (-first +second)\n%s", diff)
	}
	return made, report
}

// summary is the report without the leaves that were simply carried.
func summary(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d entries; %d carried, %d changed, %d dropped\n", r.Entries, r.Leaves.Carried, r.Leaves.Changed, r.Leaves.Dropped)
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n%s -> %q\n", f.Path, f.Became)
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "\t%s: %s\n", n.Why, n.Detail)
		}
		for _, l := range f.Leaves {
			if l.Action != Carried {
				b.WriteString(strings.TrimRight(fmt.Sprintf("\t%s %s %s -> %q %s", l.Action, l.Why, l.Pointer, l.To, l.Detail), " ") + "\n")
			}
		}
	}
	return b.String()
}

// checkEncoding encodes an entry and reads it back, as the command does.
func checkEncoding(t *testing.T, c Converted) []byte {
	t.Helper()
	data, err := entry.Encode(&c.Entry, entry.SchemaPath("registry/"+c.Path, kindOfEntry().Schema))
	if err != nil {
		t.Fatalf("%s: %v", c.Path, err)
	}
	doc, found := source.Parse(c.Path, data)
	if len(found) > 0 {
		t.Errorf("%s: %v", c.Path, found)
		return data
	}
	var back entry.Entry
	if err := doc.Decode(&back); err != nil {
		t.Errorf("%s: %v", c.Path, err)
		return data
	}
	if diff := cmp.Diff(c.Entry, back, cmp.AllowUnexported(entry.Text{})); diff != "" {
		t.Errorf("%s reads back as another entry: (-made +read)\n%s", c.Path, diff)
	}
	if c.Entry.ID != entry.FileID(c.Path) {
		t.Errorf("%s holds id %q", c.Path, c.Entry.ID)
	}
	return data
}

// checkAccounts holds the report to naming exactly the files that are there, and
// exactly the values that stand in them, as another reading finds them: the two
// sets of (file, pointer) are one set, and each is named once.
func checkAccounts(t *testing.T, fsys fs.FS, r *Report) {
	t.Helper()
	type leaf struct{ File, Pointer string }
	want, got := map[leaf]int{}, map[leaf]int{}
	for _, folder := range []string{nominees, archive, excluded, screened} {
		found, err := fs.ReadDir(fsys, folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, d := range found {
			name := folder + "/" + d.Name()
			want[leaf{File: name, Pointer: "the file"}]++
			for at, n := range leavesOf(fsys, name) {
				want[leaf{name, at}] += n
			}
		}
	}
	var totals Totals
	for _, f := range r.Files {
		got[leaf{File: f.Path, Pointer: "the file"}]++
		unread := slices.ContainsFunc(f.Notes, func(n Note) bool { return n.Why == Unreadable || n.Why == NotJSON || n.Why == NotAnEntry })
		if unread && len(f.Leaves) == 0 {
			for at := range leavesOf(fsys, f.Path) { // its note accounts for all of it
				delete(want, leaf{f.Path, at})
			}
		}
		for _, l := range f.Leaves {
			if l.Why != DuplicateKey {
				got[leaf{f.Path, l.Pointer}]++
			}
			switch l.Action {
			case Carried:
				totals.Carried++
			case Changed:
				totals.Changed++
			case Dropped:
				totals.Dropped++
			}
			if (l.Action == Carried) != (l.Why == "") || (l.Action == Dropped) != (l.To == "") {
				t.Errorf("%s: %+v does not add up", f.Path, l)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the report's values differ: (-files +report)\n%s", diff)
	}
	if totals != r.Leaves {
		t.Errorf("totals are %+v, the leaves sum up to %+v", r.Leaves, totals)
	}
}

// leavesOf reads the values of one file, without this package's reader.
func leavesOf(fsys fs.FS, name string) map[string]int {
	leaves := map[string]int{}
	info, err := fs.Stat(fsys, name)
	if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(name, ".json") {
		return leaves
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil || len(data) > maxBytes {
		return leaves
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // 1e999 is JSON, and no float64
	if dec.Decode(&v) == nil {
		plainLeaves(v, "", leaves)
	}
	return leaves
}

func plainLeaves(v any, at string, into map[string]int) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			plainLeaves(value, at+source.Pointer(key), into)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, value := range v {
			plainLeaves(value, at+index(i), into)
		}
		if len(v) > 0 {
			return
		}
	}
	into[at]++
}

// checkPointers holds every leaf's "to" to a place that is in the entry.
func checkPointers(t *testing.T, made []Converted, r *Report) {
	t.Helper()
	docs := map[string]*source.Document{}
	for _, c := range made {
		data, err := entry.Encode(&c.Entry, "")
		if err != nil {
			t.Fatal(err)
		}
		docs[c.Path], _ = source.Parse(c.Path, data)
	}
	for _, f := range r.Files {
		for _, l := range f.Leaves {
			if l.To == "" {
				continue
			}
			doc := docs[f.Became]
			if doc == nil {
				t.Errorf("%s became %q, which was not made", f.Path, f.Became)
			} else if _, exact := doc.Locate(l.To); !exact {
				t.Errorf("%s: %s went to %s of %s, where nothing is", f.Path, l.Pointer, l.To, f.Became)
			}
		}
	}
}

func TestReadNothing(t *testing.T) {
	if _, err := Read(fstest.MapFS{"README.md": &fstest.MapFile{}}); err == nil {
		t.Error("a folder without the predecessor's folders is taken for its data")
	}
}

func TestAsOf(t *testing.T) {
	s, err := Read(fstest.MapFS{"nominees/x.json": &fstest.MapFile{Data: []byte(`{"name":"X","stage":"DPG"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	made, report, err := s.Convert(Options{AsOf: "2024-08-19"})
	if err != nil {
		t.Fatal(err)
	}
	if e := made[0].Entry; e.Status.AsOf != "2024-08-19" || e.Sources[0].AsOf != "2024-08-19" || report.AsOf != "2024-08-19" {
		t.Errorf("the date given is not used: %+v", e)
	}
	if _, _, err := s.Convert(Options{AsOf: "yesterday"}); err == nil || !strings.Contains(err.Error(), `"yesterday"`) {
		t.Errorf("Convert(yesterday): %v", err)
	}
}

// TestHostileFiles holds Read to passing over what it cannot use.
func TestHostileFiles(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	files := map[string]string{
		"bom.json":     "\ufeff{}",
		"bytes.json":   "{\"name\":\"\xff\"}",
		"cut.json":     `{"name": "A", }`,
		"deep.json":    `{"name":` + deep + `}`,
		"deepest.json": strings.Repeat("[", 1<<17),
		"list.json":    `[{"name":"B"}]`,
		"more.json":    `{} {}`,
		"null.json":    `null`,
		"large.json":   `{"name":"` + strings.Repeat("x", maxBytes) + `"}`,
		"README.md":    "not read",
		".json":        `{}`,
	}
	input := fstest.MapFS{
		"nominees/pipe.json":     &fstest.MapFile{Mode: fs.ModeNamedPipe},
		"nominees/sub/deep.json": &fstest.MapFile{Data: []byte(`{}`)},
		"nominees/good.json":     &fstest.MapFile{Data: []byte(`{"name":"Good"}`)},
	}
	for name, text := range files {
		input["nominees/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	made, report := convert(t, input)
	if len(made) != 1 || made[0].Entry.ID != "good" {
		t.Errorf("made %+v, want only good", made)
	}
	for _, f := range report.Files {
		if f.Path != "nominees/good.json" && (len(f.Notes) != 1 || f.Became != "") {
			t.Errorf("%s became %q with notes %v, want nothing and one", f.Path, f.Became, f.Notes)
		}
		for _, n := range f.Notes {
			t.Logf("%s: %s: %s", f.Path, n.Why, n.Detail)
		}
	}
}

func TestKebab(t *testing.T) {
	tests := []struct{ name, want string }{
		{"dhis2", "dhis2"},
		{"nmf.earth", "nmf-earth"},
		{"mUzima", "muzima"},
		{"@firma", "firma"},
		{"libreoffice.-libreoffice-", "libreoffice-libreoffice"},
		{"santé__mpi", "sante-mpi"},
		{"x-", "x"},
		{"İstanbul", "istanbul"},
		{"-", "subject-3973e022"},
		{"数字", "subject-c16ec927"},
		{strings.Repeat("ab-", 50), strings.TrimSuffix(strings.Repeat("ab-", 33), "-") + "-a"},
	}
	for _, tt := range tests {
		if got := kebab(tt.name); got != tt.want {
			t.Errorf("kebab(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestReasons holds every reason to having words.
func TestReasons(t *testing.T) {
	seen := map[string]Reason{}
	for _, r := range []Reason{
		Blank, UnknownKey, DuplicateKey, PersonalContact, OddType, OtherType, OlderLayout, HalfCharacter, CountryToCode,
		NotACountry, AnswerWord, NotAnAnswer, TypeName, StageName, StageOfFolder, GoalTitle, OtherName,
		Unreadable, NotJSON, NotAnEntry, NoEntry, NoName, IDSpelling, IDTaken,
	} {
		words := r.Means()
		if words == string(r) || seen[words] != "" {
			t.Errorf("reason %q means %q", r, words)
		}
		seen[words] = r
	}
}

// TestQuestions holds the table to one row for each answer of an entry.
func TestQuestions(t *testing.T) {
	for _, q := range questions {
		a := &entry.Answers{}
		*q.Field(a) = &entry.Answer{Answer: "yes"}
		given := a.Questions()
		if len(given) != 1 || given[0].Key != q.Key {
			t.Errorf("question %q sets %+v", q.Key, given)
		}
	}
	all := &entry.Answers{}
	for _, q := range questions {
		*q.Field(all) = &entry.Answer{}
	}
	keys := func() (ks []string) {
		for _, q := range all.Questions() {
			ks = append(ks, q.Key)
		}
		return ks
	}()
	if len(keys) != len(questions) {
		t.Errorf("%d questions give %d answers: %q", len(questions), len(keys), keys)
	}
}

// fixtures is the predecessor's files in testdata, all in one tree.
func fixtures(t *testing.T) fstest.MapFS {
	t.Helper()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	tree := fstest.MapFS{}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasPrefix(f.Name, "want/") {
				tree[f.Name] = &fstest.MapFile{Data: f.Data}
			}
		}
	}
	return tree
}

func TestRealData(t *testing.T) {
	fsys := os.DirFS(realdata.Folder(t, "data/dpga/dpga"))
	made, report := convert(t, fsys)
	checkAccounts(t, fsys, report)
	checkPointers(t, made, report)
	stages := map[string]int{}
	with := 0
	for _, c := range made {
		stages[c.Entry.Status.Stage]++
		if len(c.From) == 2 {
			with++
		}
		checkEncoding(t, c)
	}
	wantStages := map[string]int{entry.StageDPG: 165, entry.StageNominee: 63, entry.StageArchived: 300, entry.StageDeclined: 41}
	if diff := cmp.Diff(wantStages, stages); diff != "" {
		t.Errorf("stages: (-want +got)\n%s", diff)
	}
	if with != 164 {
		t.Errorf("%d entries have a screening record, want 164: two records have no subject", with)
	}
	var orphans, odd []string
	for _, f := range report.Files {
		for _, n := range f.Notes {
			if n.Why == NoEntry {
				orphans = append(orphans, f.Path)
			}
		}
		for _, l := range f.Leaves {
			switch l.Why {
			case NotACountry, UnknownKey, OddType, NotAnAnswer, DuplicateKey, HalfCharacter:
				if !slices.Contains(orphans, f.Path) {
					odd = append(odd, fmt.Sprintf("%s %s %s %s", l.Why, f.Path, l.Pointer, l.Detail))
				}
			}
		}
	}
	wantOrphans := []string{"digitalpublicgoods/public-utility-data-liberation-project.json", "digitalpublicgoods/yallakhedmeh.json"}
	if diff := cmp.Diff(wantOrphans, orphans); diff != "" {
		t.Errorf("records without a subject: (-want +got)\n%s", diff)
	}
	if len(odd) > 0 {
		t.Errorf("lost without need: %q", odd)
	}
	if len(report.Files) < 700 || report.Leaves.Carried < 10000 {
		t.Errorf("the report is about %d files with %+v, which is not all of the data", len(report.Files), report.Leaves)
	}
	t.Logf("%d entries of %d files, leaves %+v", report.Entries, len(report.Files), report.Leaves)
	for _, c := range report.Counts {
		t.Logf("%-18s %5d leaves %4d files: %s", c.Why, c.Leaves, c.Files, c.Means)
	}
}

// TestRealCarried compares what the report calls carried with the files: the same
// text must stand in the entry.
func TestRealCarried(t *testing.T) {
	fsys := os.DirFS(realdata.Folder(t, "data/dpga/dpga"))
	made, report := convert(t, fsys)
	docs := map[string]*source.Document{}
	for _, c := range made {
		docs[c.Path], _ = source.Parse(c.Path, checkEncoding(t, c))
	}
	compared := 0
	for _, f := range report.Files {
		data, err := fs.ReadFile(fsys, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		root, err := parseJSON(data)
		if err != nil {
			continue // README.md
		}
		texts := map[string]string{}
		var walk func(n *node, at string)
		walk = func(n *node, at string) {
			texts[at] = n.text
			for i, item := range n.items {
				walk(item, at+index(i))
			}
			for _, f := range n.fields {
				walk(f.value, at+source.Pointer(f.key))
			}
		}
		walk(root, "")
		for _, l := range f.Leaves {
			if l.Action != Carried {
				continue
			}
			compared++
			n, exact := docs[f.Became].Locate(l.To)
			if !exact || n.Text != texts[l.Pointer] {
				t.Errorf("%s %s: %q became %q at %s", f.Path, l.Pointer, texts[l.Pointer], n.Text, l.To)
			}
		}
	}
	t.Logf("%d values compared", compared)
}

func TestCountries(t *testing.T) {
	names := map[string]string{}
	for _, c := range countries {
		if other := names[c.code]; other != "" {
			t.Errorf("%s is the code of %q and %q", c.code, other, c.name)
		}
		names[c.code] = c.name
		if got, ok := CountryCode(c.name); !ok || got != c.code {
			t.Errorf("CountryCode(%q) = %q, %v, want %q", c.name, got, ok, c.code)
		}
		if got, ok := CountryName(c.code); !ok || got != c.name {
			t.Errorf("CountryName(%q) = %q, %v, want %q", c.code, got, ok, c.name)
		}
	}
	for _, c := range otherNames {
		if got, ok := CountryCode(c.name); !ok || got != c.code || names[c.code] == "" {
			t.Errorf("CountryCode(%q) = %q, %v, want %q", c.name, got, ok, c.code)
		}
	}
	tests := []struct{ name, want string }{
		{"KOSOVO", "XK"},
		{"VietNam", "VN"},
		{"Sénégal", "SN"},
		{"Saint Vincent and The Grenadines", "VC"},
		{"Global", ""},
		{"Africa", ""},
		{"Netherlands Antilles", ""},
		{"", ""},
		{" - ", ""},
		{strings.Repeat("Norway", 1000), ""},
	}
	for _, tt := range tests {
		if got, ok := CountryCode(tt.name); got != tt.want || ok != (tt.want != "") {
			t.Errorf("CountryCode(%.40q) = %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

// TestRealCountries holds the table to the predecessor's own.
func TestRealCountries(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(realdata.Folder(t, "data/dpga/dpga"), "countries.json"))
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Countries    []string
		Replacements map[string]string
	}
	if err := json.Unmarshal(data, &theirs); err != nil {
		t.Fatal(err)
	}
	var without []string
	for _, name := range theirs.Countries {
		code, ok := CountryCode(name)
		if !ok {
			without = append(without, name)
			continue
		}
		if back, _ := CountryName(code); back != name {
			t.Errorf("%q is %s, which is %q", name, code, back)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(theirs.Replacements)) {
		to := theirs.Replacements[name]
		code, ok := CountryCode(name)
		if !ok && to == "" {
			continue // a sentence that they deleted
		}
		if back, _ := CountryName(code); !ok || back != to {
			t.Errorf("%q is %q here, %q there", name, back, to)
		}
	}
	if diff := cmp.Diff([]string{"Netherlands Antilles"}, without); diff != "" {
		t.Errorf("names without a code: (-want +got)\n%s", diff)
	}
	t.Logf("%d names, %d replacements", len(theirs.Countries), len(theirs.Replacements))
}
