package dpga

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A version is one text of a file in the predecessor's history, with the verdict
// of its own check by the schema of that day.
type version struct {
	Path    string
	ID      string
	Schema  string // "" where there was none
	Verdict string // valid, invalid, malformed, no_schema
	Errors  []struct{ Path, Keyword string }
}

// TestHistory judges every version of every file as the predecessor did, and
// imports each that was valid then.
func TestHistory(t *testing.T) {
	dir := realdata.Folder(t, "data/dpga/history")
	texts := map[string]string{}
	eachLine(t, filepath.Join(dir, "entries.jsonl.gz"), func(e struct{ ID, Text string }) { texts[e.ID] = e.Text })
	foreign := map[string]*schema.Foreign{}
	counts := map[string]int{}
	same, apart := 0, 0
	type pair struct{ text, schema string }
	judged := map[pair]judgement{}
	type place struct{ folder, text string }
	imported := map[place]bool{}
	eachLine(t, filepath.Join(dir, "verdicts.jsonl.gz"), func(v version) {
		text, ok := texts[v.ID]
		if !ok {
			t.Errorf("%s: the text %s is not there", v.Path, v.ID)
			return
		}
		if v.Schema != "" && foreign[v.Schema] == nil {
			data, err := os.ReadFile(filepath.Join(dir, "schemas", v.Schema+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if foreign[v.Schema], err = schema.CompileForeign(data); err != nil {
				t.Fatalf("schema %s: %v", v.Schema, err)
			}
		}
		got, ok := judged[pair{v.ID, v.Schema}]
		if !ok {
			got = judge(t, text, foreign[v.Schema])
			judged[pair{v.ID, v.Schema}] = got
		}
		counts[v.Verdict+" then, "+got.verdict+" now"]++
		if got.verdict != v.Verdict {
			t.Errorf("%s %s by schema %s is %s, the predecessor said %s", v.Path, v.ID, v.Schema, got.verdict, v.Verdict)
		}
		if v.Verdict == "invalid" {
			// For the log alone: two validators need not split one fault alike.
			if cmp.Equal(v.problems(), got.problems) {
				same++
			} else {
				apart++
				t.Logf("%s %s: by other words: then %q, now %q", v.Path, v.ID, v.problems(), got.problems)
			}
		}
		at := place{v.folder(t), v.ID}
		if v.Verdict != "valid" || imported[at] {
			return
		}
		imported[at] = true
		importVersion(t, at.folder, path.Base(v.Path), text)
	})
	rows := 0
	for _, verdict := range []string{"valid", "invalid", "malformed", "no_schema"} {
		n := counts[verdict+" then, "+verdict+" now"]
		rows += n
		t.Logf("%-10s %5d versions, alike", verdict, n)
	}
	if rows < 5000 {
		t.Errorf("%d versions judged alike, want some 5,566: %v", rows, counts)
	}
	t.Logf("%d schemas, %d texts; of the invalid %d by the same faults, %d by others; %d valid texts imported",
		len(foreign), len(texts), same, apart, len(imported))
}

// oldTypes are the files that had a version from the days when a subject could be
// a "product" or an "api". Those words have no one successor: they are carried, and
// the entry's schema speaks of them.
var oldTypes = []string{"dhis2", "gdl", "wikipedia"}

type judgement struct {
	verdict  string
	problems []string
}

// judge says of a text what the predecessor's check would.
func judge(t *testing.T, text string, by *schema.Foreign) judgement {
	t.Helper()
	root, err := parseJSON([]byte(text))
	if err != nil {
		return judgement{verdict: "malformed"}
	}
	if by == nil {
		return judgement{verdict: "no_schema"}
	}
	found, err := by.Judge(root.plain())
	if err != nil {
		t.Fatal(err)
	}
	j := judgement{verdict: "valid"}
	for _, p := range found {
		j.verdict = "invalid"
		j.problems = append(j.problems, p.Keyword+" "+p.Pointer)
	}
	slices.Sort(j.problems)
	return j
}

// plain gives a tree as the values that a JSON Schema is about. Of a key given
// twice the last counts, as it does in Convert.
func (n *node) plain() any {
	switch n.kind {
	case null:
		return nil
	case boolean:
		return n.text == "true"
	case number:
		return json.Number(n.text)
	case list:
		l := make([]any, 0, len(n.items))
		for _, item := range n.items {
			l = append(l, item.plain())
		}
		return l
	case object:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			m[f.key] = f.value.plain()
		}
		return m
	}
	return n.text
}

func (v version) problems() []string {
	var all []string
	for _, e := range v.Errors {
		all = append(all, e.Keyword+" "+e.Path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// folder is where a version's file would stand now: two folders had other names.
func (v version) folder(t *testing.T) string {
	switch folder := path.Dir(v.Path); folder {
	case nominees, archive, excluded, screened:
		return folder
	case "candidates":
		return nominees
	case "screening":
		return screened
	default:
		t.Fatalf("%s stands in a folder that nobody knows", v.Path)
		return ""
	}
}

// importVersion imports a tree that holds one text alone, with a subject beside it
// where the text is a screening record.
func importVersion(t *testing.T, folder, base, text string) {
	t.Helper()
	tree := fstest.MapFS{folder + "/" + base: &fstest.MapFile{Data: []byte(text)}}
	if folder == screened {
		tree[nominees+"/"+base] = &fstest.MapFile{Data: []byte(`{"name": "A subject", "type": ["software"], "stage": "DPG"}`)}
	}
	at := folder + "/" + base
	s, err := Read(tree)
	if err != nil {
		t.Errorf("%s: %v", at, err)
		return
	}
	made, report, err := s.Convert(Options{})
	if err != nil || len(made) != 1 {
		t.Errorf("%s was valid then and makes %d entries now, %v: %s", at, len(made), err, summary(report))
		return
	}
	if !slices.Contains(made[0].From, at) {
		t.Errorf("%s was valid then and is not in the entry made: %q", at, made[0].From)
	}
	checkAccounts(t, tree, report)
	data := checkEncoding(t, made[0])
	doc, found := source.Parse("registry/"+made[0].Path, data)
	if len(found) > 0 {
		t.Errorf("%s: %v", at, found)
		return
	}
	set, err := schema.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range set.Validate(kindOfEntry().Schema, doc) {
		if d.Rule == "schema-enum" && slices.Contains(oldTypes, strings.TrimSuffix(base, ".json")) && strings.HasPrefix(d.Pointer, "/types/") {
			t.Logf("%s: explained: %s", at, d.Message)
			continue
		}
		t.Errorf("%s became an entry with a finding: %v", at, d)
	}
}

func eachLine[T any](t *testing.T, name string, f func(T)) {
	t.Helper()
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&v); err != nil {
			t.Fatalf("%s: %v", filepath.Base(name), err)
		}
		f(v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
