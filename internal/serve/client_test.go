package serve

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Others' tools take the description of searches for what it says it is: a linter
// has nothing to say, and a client that is generated from it compiles and searches.
func TestSearchForOthers(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not here, so the description of searches was NOT LINTED and NO CLIENT was generated; apt-get install npm")
	}
	s := New(load(t, t.TempDir(), "Open Guide", "Another Guide", "A Third Guide", "Handbook"), Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	dir := t.TempDir()
	for _, from := range []string{"../site/testdata/client", "testdata/client"} {
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), []byte(body(t, ask(s, "GET", openAPIPath, nil))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "search.ts"), filepath.Join(dir, "read.ts")); err != nil { // what tsconfig.json compiles
		t.Fatal(err)
	}
	run := func(name string, args ...string) []byte {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		said, err := cmd.Output()
		if err != nil {
			if exit, ok := err.(*exec.ExitError); ok {
				said = append(said, exit.Stderr...)
			}
			t.Fatalf("%s %q: %v\n%s", name, args, err, said)
		}
		return said
	}
	tool := func(name string) string { return filepath.Join(dir, "node_modules", ".bin", name) }
	run(npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
	run(tool("spectral"), "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "openapi.json")
	run(tool("openapi-typescript"), "openapi.json", "--output", "generated.d.ts")
	run(tool("tsc"), "--project", "tsconfig.json")
	type read struct {
		Total, Pages, Refused int
		IDs, Forms, Kinds     []string
	}
	var got read
	if err := json.Unmarshal(run("node", "read.js", server.URL+"/api/v1"), &got); err != nil {
		t.Fatal(err)
	}
	want := read{Total: 3, Pages: 2, Refused: 400, IDs: []string{"entry-0", "entry-1"}, Forms: []string{"guide"}, Kinds: []string{"resource 3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the client (-want +got):\n%s", diff)
	}
}
