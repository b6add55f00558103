package registry_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"

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

// Whichever way an object is asked for first after it moved, it is found.
func TestEveryWayToObjectsThatMove(t *testing.T) {
	for name, ask := range map[string]func(storer.EncodedObjectStorer, plumbing.Hash) error{
		"EncodedObject": func(s storer.EncodedObjectStorer, h plumbing.Hash) error {
			_, err := s.EncodedObject(plumbing.BlobObject, h)
			return err
		},
		"DeltaObject": func(s storer.EncodedObjectStorer, h plumbing.Hash) error {
			_, err := s.(storer.DeltaObjectStorer).DeltaObject(plumbing.AnyObject, h)
			return err
		},
		"EncodedObjectSize": func(s storer.EncodedObjectStorer, h plumbing.Hash) error {
			_, err := s.EncodedObjectSize(h)
			return err
		},
		"HasEncodedObject": func(s storer.EncodedObjectStorer, h plumbing.Hash) error { return s.HasEncodedObject(h) },
	} {
		t.Run(name, func(t *testing.T) {
			w := testgit.Init(t, time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC))
			commit := func(name string) plumbing.Hash {
				if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(name), 0o644); err != nil {
					t.Fatal(err)
				}
				w.Git(t, "add", name)
				w.Git(t, "commit", "-q", "-m", name)
				return plumbing.NewHash(w.Git(t, "rev-parse", "HEAD:"+name))
			}
			first := commit("a.yaml")
			w.Git(t, "gc", "-q", "--prune=now")
			repo, err := registry.FindRepo(w.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := ask(repo.Git.Storer, first); err != nil { // its packs are known now
				t.Fatal(err)
			}
			second := commit("b.yaml")
			w.Git(t, "gc", "-q", "--prune=now")
			if err := ask(repo.Git.Storer, second); err != nil {
				t.Error(err)
			}
			if err := ask(repo.Git.Storer, plumbing.ZeroHash); !errors.Is(err, plumbing.ErrObjectNotFound) {
				t.Errorf("an object that is nowhere: %v", err)
			}
		})
	}
}
