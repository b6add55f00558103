// Package realdata finds the real input that some tests are run on: a folder
// "shared" beside the repository. The repository is whole without it.
package realdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Folder is where something of the real input lies, named with slashes ("" for all
// of it). The test is skipped, with words that name it, where that is not there.
func Folder(t testing.TB, name string) string {
	t.Helper()
	dir, ok := Find(t, name)
	if !ok {
		t.Skipf("SKIPPED, no real input: ../shared/%s is not beside the repository", name)
	}
	return dir
}

// Find is Folder for a test that can do with less: it says where real input would
// be, and whether it is.
func Find(t testing.TB, name string) (dir string, ok bool) {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			break
		}
		if at == filepath.Dir(at) {
			t.Fatal("there is no go.mod above the package")
		}
		at = filepath.Dir(at)
	}
	dir = filepath.Join(at, "..", "shared", filepath.FromSlash(name))
	_, err = os.Stat(dir)
	return dir, err == nil
}
