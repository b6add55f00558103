package registry_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// Git packs objects in the background while a program reads them: loose ones into a
// pack, and packs into another. They are found all the same.
func TestObjectsThatMove(t *testing.T) {
	w := testgit.Init(t, time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC))
	var blobs []string
	commit := func() {
		name := fmt.Sprintf("%d.yaml", len(blobs))
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		w.Git(t, "add", name)
		w.Git(t, "commit", "-q", "-m", name)
		blobs = append(blobs, w.Git(t, "rev-parse", "HEAD:"+name))
	}
	for range 3 {
		commit()
	}
	repo, err := registry.FindRepo(w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(){
		func() {},
		func() { w.Git(t, "gc", "-q", "--prune=now") },
		func() { commit(); w.Git(t, "gc", "-q", "--prune=now") },
		commit,
		func() { w.Git(t, "repack", "-q", "-a", "-d") },
	} {
		change()
		for n, hash := range blobs {
			if data, err := repo.Blob(hash); err != nil || string(data) != fmt.Sprintf("%d.yaml", n) {
				t.Errorf("after change %d, blob %d is %q, %v", i, n, data, err)
			}
		}
		if head, err := repo.Head(); err != nil || head.NumParents() != 1 {
			t.Errorf("after change %d the head is %v, %v", i, head, err)
		}
	}
	if _, err := repo.Blob(plumbing.ZeroHash.String()); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("an object that is nowhere: %v", err)
	}
}
