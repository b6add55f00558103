package template

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func testOptions(change func(*Options)) Options {
	o := Options{Name: "R", Publisher: "P", Language: "en", Action: "o/r@" + strings.Repeat("ab", 20)}
	if change != nil {
		change(&o)
	}
	return o
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Options)
		want   string // "" for none
	}{
		{"the least", nil, ""},
		{"all", func(o *Options) {
			o.Contact, o.BaseURL, o.Action = "https://x.org/c", "https://x.org/r/", o.Action+" # v1.2.3"
		}, ""},
		{"another script", func(o *Options) { o.Name = "Реестр благ" }, ""},
		{"blank name", func(o *Options) { o.Name = " " }, "blank"},
		{"long name", func(o *Options) { o.Name = strings.Repeat("n", 201) }, "at most 200"},
		{"name of two lines", func(o *Options) { o.Name = "a\nb" }, "do not print"},
		{"name turned round", func(o *Options) { o.Name = "a\u202eb" }, "do not print"},
		{"name with a tag", func(o *Options) { o.Name = "<script>" }, "Markdown"},
		{"name with a link", func(o *Options) { o.Publisher = "[x](y)" }, "Markdown"},
		{"contact that runs", func(o *Options) { o.Contact = "javascript:alert(1)" }, "web address"},
		{"contact with a quote", func(o *Options) { o.Contact = "https://x.org/`y`" }, "web address"},
		{"address without its slash", func(o *Options) { o.BaseURL = "https://x.org" }, "slash"},
		{"no language", func(o *Options) { o.Language = "" }, "language"},
		{"Action with a second line", func(o *Options) { o.Action = "o/r@x\n        with: {}" }, "OWNER/REPO"},
		{"Action without a commit", func(o *Options) { o.Action = "o/r" }, "OWNER/REPO"},
	} {
		err := testOptions(tt.change).Check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Each state of a file, and that what is recorded keeps telling a person's change from
// an old template.
func TestCompare(t *testing.T) {
	old, err := Files(testOptions(nil))
	if err != nil {
		t.Fatal(err)
	}
	now, err := Files(testOptions(func(o *Options) { o.Action = "o/r@" + strings.Repeat("cd", 20) }))
	if err != nil {
		t.Fatal(err)
	}
	dir := fstest.MapFS{}
	for name, data := range old {
		dir[name] = &fstest.MapFile{Data: data}
	}
	const outdated, changed, deleted = ".github/workflows/judge.yml", ".github/workflows/review.yml", ".github/workflows/sync.yml"
	dir[changed] = &fstest.MapFile{Data: append(slices.Clone(old[changed]), "# ours\n"...)}
	dir["registry/registry.yaml"] = &fstest.MapFile{Data: []byte("ours\n")}
	delete(dir, deleted)
	now["new.md"] = []byte("new\n")

	states := func(record []byte) map[string]State {
		t.Helper()
		dir[SumsFile] = &fstest.MapFile{Data: record}
		found, err := Compare(dir, now)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]State{}
		for _, d := range found {
			got[d.Path] = d.State
			if (len(d.Diff) == 0) != (d.State == Deleted) {
				t.Errorf("%s: the diff is %q", d.Path, d.Diff)
			}
		}
		return got
	}
	want := map[string]State{
		outdated: Outdated, changed: Changed, deleted: Deleted, "new.md": New,
		".github/workflows/assess.yml": Outdated, ".github/workflows/rejudge.yml": Outdated, ".github/workflows/respond.yml": Outdated,
	}
	if got := states(old[SumsFile]); !maps.Equal(got, want) {
		t.Errorf("Compare found %v, want %v", got, want)
	}
	// Without a record nobody knows who wrote what differs: it is a person's.
	for name, s := range states(nil) {
		if s == Outdated {
			t.Errorf("%s counts as an old template's though nothing is recorded", name)
		}
	}

	left := []Difference{{Path: changed, State: Changed}, {Path: deleted, State: Deleted}}
	for name := range want {
		if name != changed && name != deleted {
			dir[name] = &fstest.MapFile{Data: now[name]}
		}
	}
	record := Record(old[SumsFile], now, left)
	want = map[string]State{changed: Changed, deleted: Deleted}
	if got := states(record); !maps.Equal(got, want) {
		t.Errorf("after writing, Compare found %v, want %v", got, want)
	}
	if again := Record(record, now, left); !bytes.Equal(again, record) {
		t.Errorf("the record changes:\n%s\nto:\n%s", record, again)
	}
}
