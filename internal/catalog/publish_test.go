package catalog

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, c *Catalog, dir string) WriteReport {
	t.Helper()
	report, err := c.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// onDisk lists the files of a folder.
func onDisk(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, err = filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func put(t *testing.T, dir, name, data string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "CNAME", "example.org")
	first := build(t, small(t, nil))
	report := write(t, first, dir)
	if diff := cmp.Diff(len(first.Names()), len(report.Written)); diff != "" || report.Unchanged != 0 {
		t.Errorf("the first time: %+v", report)
	}
	if got, want := report.Written[len(report.Written)-1], manifestName; got != want {
		t.Errorf("the last file written is %s, want %s", got, want)
	}
	// Again: nothing. What others put there: still there.
	put(t, dir, "api/v1/notes.txt", "by hand")
	report = write(t, first, dir)
	if len(report.Written)+len(report.Removed) != 0 || report.Unchanged != len(first.Names()) {
		t.Errorf("the second time: %+v", report)
	}
	want := append(first.Names(), "CNAME", "api/v1/notes.txt")
	slices.Sort(want)
	if diff := cmp.Diff(want, onDisk(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// A change touches what it has to do with and nothing else.
	second := build(t, small(t, func(files map[string]string) {
		files["dpgs/deep/beta.yaml"] = strings.Replace(files["dpgs/deep/beta.yaml"], "stage: nominee", "stage: archived", 1)
	}))
	report = write(t, second, dir)
	wantReport := WriteReport{
		Written: []string{
			"api/v1/csv/entries.csv", "api/v1/dpgs.json", "api/v1/dpgs/beta.json", "api/v1/dpgs/pages/000001.json", "api/v1/dpgs/pages/index.json", "api/v1/full.json", "api/v1/full.ndjson", "api/v1/full/0.json", "api/v1/full/index.json",
			"api/v1/index.json", "api/v1/search.json", "api/v1/search/pages/000001.json", "api/v1/search/pages/index.json", "api/v1/stats.json", "api/v1/status.json", "api/v1/views.json",
			"api/v1/views/type.json", "nominees/index.json", "api/v1/manifest/pages/000001.json", "api/v1/manifest/pages/index.json", manifestName,
		},
		Removed:   []string{"api/v1/views/type/content.json", "nominee/beta/index.json"},
		Unchanged: len(second.Names()) - 21,
	}
	if diff := cmp.Diff(wantReport, report); diff != "" {
		t.Errorf("a change (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(dir, "nominee")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder is left: %v", err)
	}
}

func TestWriteKeepsIDs(t *testing.T) {
	dir := t.TempDir()
	write(t, build(t, small(t, nil)), dir)
	before, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	without := build(t, small(t, func(files map[string]string) {
		delete(files, "dpgs/old.yaml")
		delete(files, "resources/guide.yaml")
	}))
	_, err = without.Write(dir)
	var lost *LostError
	if !errors.As(err, &lost) {
		t.Fatalf("Write = %v, want a LostError", err)
	}
	if diff := cmp.Diff([]string{"dpgs/old", "resources/guide"}, lost.IDs); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if !strings.Contains(err.Error(), `dpgs/old, resources/guide`) || !strings.Contains(err.Error(), `status.stage "removed"`) {
		t.Errorf("the error does not say what to do: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || string(after) != string(before) {
		t.Errorf("something was written: %v", err)
	}
	// With a tombstone it goes through, and the id goes on answering.
	tomb := build(t, small(t, func(files map[string]string) {
		files["dpgs/old.yaml"] = "schema: dpg/v1\nid: old\nstatus: {stage: removed, as_of: 2026-01-02, reason: Asked for.}\n"
	}))
	write(t, tomb, dir)
	var e EntryResponse
	data, err := os.ReadFile(filepath.Join(dir, "api/v1/dpgs/old.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Status.Stage != "removed" || e.Name != nil {
		t.Errorf("the tombstone is %s, %v", data, err)
	}
	// A kind that is not in use any more loses ids too.
	unused := build(t, small(t, func(files map[string]string) {
		files["registry.yaml"] = strings.Replace(files["registry.yaml"], "[dpg, resource]", "[dpg]", 1)
	}))
	if _, err := unused.Write(dir); !errors.As(err, &lost) {
		t.Errorf("Write without a kind = %v, want a LostError", err)
	}
}

func TestWriteRefusesWhatIsNotItsOwn(t *testing.T) {
	tests := []struct{ name, file, data, want string }{
		{"a file in the way", "dpgs/index.json", "[]", "1 file stands in the way, not made by an earlier build: dpgs/index.json"},
		{"no manifest", "api/v1/manifest.json", "[]", "is not a manifest"},
		{"a manifest that lists others' files", "api/v1/manifest.json", `{"schema_version":"1.0","files":[{"path":"../x"}]}`, `lists "../x"`},
		{"a manifest that lists hidden files", "api/v1/manifest.json", `{"schema_version":"1.0","files":[{"path":".git/config"}]}`, `lists ".git/config"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, tt.file, tt.data)
			_, err := build(t, small(t, nil)).Write(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Write = %v, want an error with %q", err, tt.want)
			}
			if diff := cmp.Diff([]string{tt.file}, onDisk(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// A run that was cut off leaves files that no manifest lists. The next one, of
// another commit, knows them by the journal and sets everything right.
func TestWriteAfterACrash(t *testing.T) {
	dir := t.TempDir()
	first := build(t, small(t, nil))
	write(t, first, dir)
	put(t, dir, journalName, "api/v1/dpgs/new.json\napi/v1/frameworks/mini/P9.json\nnominee/new/index.json\n../../etc/passwd\n")
	put(t, dir, "api/v1/dpgs/new.json", "an earlier version")
	put(t, dir, "api/v1/frameworks/mini/P9.json", "a code that did not last")
	second := build(t, small(t, func(files map[string]string) {
		files["dpgs/new.yaml"] = "schema: dpg/v1\nid: new\nname: New\ntypes: [software]\nstatus: {stage: nominee}\n"
	}))
	report := write(t, second, dir)
	if diff := cmp.Diff([]string{"api/v1/frameworks/mini/P9.json"}, report.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(second.Names(), onDisk(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWriteIsNotLedAstray(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "api")); err != nil {
		t.Skipf("SKIPPED, no symbolic links here: %v", err)
	}
	if _, err := build(t, small(t, nil)).Write(dir); err == nil {
		t.Error("Write through a link = nil, want an error")
	}
	if got := onDisk(t, outside); len(got) > 0 {
		t.Errorf("files were written outside: %q", got)
	}
}
