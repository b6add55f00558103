package fix_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

func pos(line, col int) diag.Pos { return diag.Pos{Line: line, Col: col} }

func TestApply(t *testing.T) {
	const text = "one\ntwo\nthree"
	edit := func(l1, c1, l2, c2 int, s string) diag.Edit {
		return diag.Edit{Start: pos(l1, c1), End: pos(l2, c2), Text: s}
	}
	for _, tt := range []struct {
		name    string
		edits   []diag.Edit
		want    string
		skipped int
		wrong   bool
	}{
		{"none", nil, text, 0, false},
		{"in any order", []diag.Edit{edit(3, 1, 3, 6, "3"), edit(1, 1, 1, 4, "1")}, "1\ntwo\n3", 0, false},
		{"over lines", []diag.Edit{edit(1, 4, 2, 4, "")}, "one\nthree", 0, false},
		{"overlap", []diag.Edit{edit(1, 1, 2, 2, "x"), edit(2, 1, 2, 4, "y")}, "xwo\nthree", 1, false},
		{"one in the other", []diag.Edit{edit(2, 1, 2, 2, "y"), edit(1, 1, 3, 1, "x\n")}, "x\nthree", 1, false},
		{"side by side", []diag.Edit{edit(1, 1, 1, 2, "x"), edit(1, 2, 1, 3, "y")}, "xye\ntwo\nthree", 0, false},
		{"twice", []diag.Edit{edit(1, 1, 1, 4, "x"), edit(1, 1, 1, 4, "x")}, "x\ntwo\nthree", 0, false},
		{"two at one place", []diag.Edit{edit(1, 1, 1, 4, "x"), edit(1, 1, 1, 4, "y")}, "x\ntwo\nthree", 1, false},
		{"two put in at one place", []diag.Edit{edit(1, 4, 1, 4, "x"), edit(1, 4, 1, 4, "y")}, "onex\ntwo\nthree", 1, false},
		{"at the end", []diag.Edit{edit(3, 6, 3, 6, "\n")}, text + "\n", 0, false},
		{"past the line", []diag.Edit{edit(1, 1, 1, 5, "")}, "", 0, true},
		{"past the end", []diag.Edit{edit(4, 1, 4, 1, "x")}, "", 0, true},
		{"no place", []diag.Edit{{}}, "", 0, true},
		{"backwards", []diag.Edit{edit(2, 1, 1, 1, "x")}, "", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, skipped, err := fix.Apply([]byte(text), tt.edits)
			if (err != nil) != tt.wrong || string(got) != tt.want || len(skipped) != tt.skipped {
				t.Errorf("Apply = %q, %d skipped, error %v; want %q, %d, error %v", got, len(skipped), err, tt.want, tt.skipped, tt.wrong)
			}
		})
	}
}

// An edit that would do more than its finding says is not made, and does not keep
// others from being made.
func TestFileGuards(t *testing.T) {
	const text = "a: UK\nb: [x, y]\nc:\n  d: '' # e\nf: 1\n"
	finding := func(pointer string, l1, c1, l2, c2 int, s string) diag.Diagnostic {
		return diag.Diagnostic{Path: entryPath, Pointer: pointer, Edits: []diag.Edit{{Start: pos(l1, c1), End: pos(l2, c2), Text: s}}}
	}
	good := finding("/a", 1, 4, 1, 6, "GB")
	for _, tt := range []struct {
		name   string
		bad    diag.Diagnostic
		want   string
		mended int
	}{
		{"good", finding("/f", 5, 4, 5, 5, "2"), "a: GB\nb: [x, y]\nc:\n  d: '' # e\nf: 2\n", 2},
		{"mapping that holds nothing else", finding("/c/d", 3, 1, 5, 1, ""), "a: GB\nb: [x, y]\nf: 1\n", 2},
		{"other value", finding("/f", 2, 5, 2, 6, "z"), "", 1},
		{"no YAML", finding("/f", 5, 4, 5, 5, "["), "", 1},
		{"new key", finding("/f", 5, 5, 5, 5, "\ng: 2"), "", 1},
		{"comment made", finding("/f", 5, 5, 5, 5, " # x"), "", 1},
		{"comment lost", finding("/c/d", 4, 6, 4, 12, "1"), "a: GB\nb: [x, y]\nc:\n  d: 1\nf: 1\n", 2}, // it stood in what was replaced
		{"comment swallowed", finding("/c/d", 4, 7, 4, 7, "\\' # e"), "", 1},
		{"no place", finding("/f", 9, 1, 9, 2, ""), "", 1},
		{"other file", diag.Diagnostic{Path: "x", Edits: good.Edits}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = strings.Replace(text, "UK", "GB", 1)
			}
			got, mended := fix.File(entryPath, []byte(text), []diag.Diagnostic{good, tt.bad})
			if string(got) != want || len(mended) != tt.mended {
				t.Errorf("File = %q, %d mended; want %q, %d", got, len(mended), want, tt.mended)
			}
		})
	}
}

// TestRegistry plays the archives of testdata: the files of a registry, those that
// the repairs change as "want/...", and what is found after them as "want/left".
func TestRegistry(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("Glob finds %d cases, error %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := map[string]string{}, map[string]string{}
			for _, f := range a.Files {
				if changed, ok := strings.CutPrefix(f.Name, "want/"); ok {
					want[changed] = string(f.Data)
				} else {
					files[f.Name] = string(f.Data)
				}
			}
			out := mend(t, files)
			got := map[string]string{}
			for _, c := range out.Changed {
				got[c.Path] = string(c.New)
			}
			for _, d := range out.Left { // their words are for package lint's tests
				got["left"] += fmt.Sprintf("%s:%d:%d [%s]\n", d.Path, d.Start.Line, d.Start.Col, d.Rule)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

const asOf = "2026-01-20"

func judge(t testing.TB) func(registry.Files) ([]diag.Diagnostic, error) {
	return func(files registry.Files) ([]diag.Diagnostic, error) {
		_, found, err := lint.Check(t.Context(), files, registry.Options{}, lint.Options{AsOf: asOf})
		return found, err
	}
}

func mend(t testing.TB, files map[string]string) *fix.Outcome {
	t.Helper()
	out, err := fix.Registry(registry.FromFS(tree(files)), "registry", judge(t))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What the import wrote of real people's answers has little to mend; what is
// mended stays mended, and nothing gets worse.
func TestRegistryOfRealInput(t *testing.T) {
	t.Run("included", func(t *testing.T) {
		if out := mend(t, included(t)); len(out.Changed) > 0 {
			t.Errorf("%d files of the example registry change", len(out.Changed))
		}
	})
	t.Run("imported", func(t *testing.T) { checkMend(t, imported(t)) })
}

// checkMend holds what is true of every repair, and returns how many were made.
func checkMend(t testing.TB, files map[string]string) int {
	t.Helper()
	before, err := judge(t)(registry.FromFS(tree(files)))
	if err != nil {
		t.Fatal(err)
	}
	out := mend(t, files)
	next := maps.Clone(files)
	had, has := perFile(before), perFile(out.Left)
	for _, c := range out.Changed {
		if c.Path != "registry/"+c.Name || files[c.Path] != string(c.Old) {
			t.Fatalf("%s: the change starts from another text", c.Path)
		}
		next[c.Path] = string(c.New)
		wrong, more := revealed(before, out, c.Path)
		if len(wrong) > 0 || has[c.Path] > had[c.Path]-c.Mended+more {
			t.Fatalf("%s: %d findings, %d mended, and then %d, new ones: %q\n%s\nbecomes\n%s", c.Path, had[c.Path], c.Mended, has[c.Path], wrong, c.Old, c.New)
		}
		if had[c.Path] == 0 {
			t.Fatalf("%s: nothing was wrong, yet it changes", c.Path)
		}
		old, _ := source.Parse(c.Path, c.Old)
		now, found := source.Parse(c.Path, c.New)
		if len(found) > 0 {
			t.Fatalf("%s: %v\n%s", c.Path, found, c.New)
		}
		left := map[string]int{}
		for _, n := range noteCounts(t, now) {
			left[n]++
		}
		lines := strings.Count(string(c.Old), "\n") - strings.Count(string(c.New), "\n")
		lost := 0
		for _, n := range noteCounts(t, old) {
			if left[n]--; left[n] < 0 {
				lost++
			}
		}
		if lost > lines {
			t.Fatalf("%s: %d comments are gone with %d lines\n%s\nbecomes\n%s", c.Path, lost, lines, c.Old, c.New)
		}
	}
	for p, n := range has {
		if !slices.ContainsFunc(out.Changed, func(c fix.Change) bool { return c.Path == p }) && n > had[p] {
			t.Fatalf("%s: %d findings, before %d, and it did not change", p, n, had[p])
		}
	}
	if again := mend(t, next); len(again.Changed) > 0 && len(out.Mended) < fix.MaxRounds {
		t.Fatalf("%s: mended again\n%s\nbecomes\n%s", again.Changed[0].Path, again.Changed[0].Old, again.Changed[0].New)
	}
	return len(out.Mended)
}

// revealed lists what is found in a file only after its repairs. That is right where
// a value was mended: now that it can be read, more rules judge it.
func revealed(before []diag.Diagnostic, out *fix.Outcome, file string) (wrong []string, n int) {
	known, mended := map[string]int{}, map[string]bool{}
	for _, d := range before {
		if d.Path == file {
			known[d.Rule+d.Message]++
		}
	}
	for _, d := range out.Mended {
		if d.Path == file {
			mended[path.Dir(d.Pointer)] = true
		}
	}
	for _, d := range out.Left {
		if d.Path != file {
			continue
		}
		if known[d.Rule+d.Message]--; known[d.Rule+d.Message] >= 0 {
			continue
		}
		n++
		if !mended[path.Dir(d.Pointer)] || d.Rule == "schema-required" || d.Rule == "schema-count" {
			wrong = append(wrong, fmt.Sprintf("%d:%d: %s: %s [%s]", d.Start.Line, d.Start.Col, d.Pointer, d.Message, d.Rule))
		}
	}
	return wrong, n
}

func perFile(found []diag.Diagnostic) map[string]int {
	n := map[string]int{}
	for _, d := range found {
		n[d.Path]++
	}
	return n
}

func noteCounts(t testing.TB, doc *source.Document) (all []string) {
	t.Helper()
	tokens, err := doc.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range tokens {
		if tok.Style == source.Comment {
			all = append(all, strings.TrimSpace(tok.Text))
		}
	}
	return all
}

// Slips as people make them, by chance and in every style, in entries that are
// right otherwise: all are mended, or left as they are.
func TestRegistryOfSlips(t *testing.T) {
	files := included(t)
	names := slices.Sorted(maps.Keys(files))
	r := rand.New(rand.NewPCG(5, 6))
	slips := []struct{ from, to string }{
		{"- GB\n", "- UK # it is\n"}, {"- KE\n", "- Kenya\n"}, {"- IN\n", "- IND\n"}, {"- US\n", "- 'US'\n      - US\n"}, {"- NG\n", "- ng\n"},
		{"  - expression: MIT\n", "  - expression: mit\n"}, {"Apache-2.0", "Apache 2"}, {"BSD-3-Clause", "'BSD-3-clause '"},
		{"name: ", "name: \u00a0"}, {"url: https://", "url: https：//"}, {"website: https://", "website: https;//"},
		{"sectors:\n", "sectors:\n  - ''\n"}, {"status:\n", "language: ''\nstatus:\n  url: \" \" # c\n"}, {"topics:\n", "topics:\n  -   \"data \" # d\n"},
		{"status:\n", "contact_url: |2\n\n     https://example.org/x \nstatus:\n"}, {"\n", "\r\n"}, {"types:\n", "aliases: ['', \"\", x ]\ntypes:\n"},
		{"aliases:\n", "aliases:\n  - '' # e\n  # f\n"}, {"sdgs:\n", "sdgs:\n  - text: ''\n    # g\n    goal: 1\n"}, {"locations:\n", "locations:\n  developed_in: [UK, GB , uk, 'GB',\n    England ] # h\n"},
	}
	mended := 0
	for range 10 {
		damaged := map[string]string{}
		for _, name := range names {
			text := files[name]
			for range 1 + r.IntN(3) {
				s := slips[r.IntN(len(slips))]
				text = strings.Replace(text, s.from, s.to, 1+r.IntN(2))
			}
			if r.IntN(4) == 0 { // anywhere
				i := r.IntN(len(text))
				text = text[:i] + []string{" ", "\u00a0", "'", "# x\n", "\n", "-", "[", "\t"}[r.IntN(8)] + text[i:]
			}
			damaged[name] = text
		}
		mended += checkMend(t, damaged)
	}
	t.Logf("%d mended", mended)
	if mended < 500 {
		t.Errorf("only %d were mended", mended)
	}
}

// A registry's file of settings is mended as well, what the bot made is not.
func TestRegistryLeavesDerived(t *testing.T) {
	judged := 0
	out, err := fix.Registry(registry.FromFS(os.DirFS("../../registry")), "registry", func(files registry.Files) ([]diag.Diagnostic, error) {
		judged++
		var found []diag.Diagnostic
		for _, p := range []string{"registry/assessments/dpgs/dhis2.yaml", "registry/dpgs/dhis2.yaml"} {
			data, err := files.Read(strings.TrimPrefix(p, "registry/"))
			if err != nil {
				return nil, err
			}
			doc, _ := source.Parse(p, data)
			found = append(found, diag.Diagnostic{Path: p, Pointer: "/schema", Edits: doc.Rewrite("/schema", fmt.Sprint("turn ", judged))})
		}
		return found, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changed) != 1 || out.Changed[0].Path != "registry/dpgs/dhis2.yaml" || out.Changed[0].Mended != fix.MaxRounds {
		t.Errorf("Registry changes %+v, want the entry alone, %d times", out.Changed, fix.MaxRounds)
	}
}
