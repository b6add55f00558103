package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// errDirty ends a walk that has found what it looked for.
var errDirty = errors.New("dirty")

// Dirty reports whether the registry's folder on disk, or what is staged of it,
// differs from a commit. Like git status it trusts sizes and times where they are
// as Git left them, and reads a file only where its time says nothing.
func (r *Repo) Dirty(dir string, head *object.Commit) (bool, error) {
	idx, err := r.Git.Storer.Index()
	if err != nil {
		return false, err
	}
	staged := map[string]*index.Entry{}
	for _, e := range idx.Entries {
		if name, ok := r.within(e.Name); ok && !ignored(name) {
			staged[name] = e
		}
	}
	if same, err := r.stagedIs(idx, staged, head); err != nil || !same {
		return !same, err
	}
	seen := 0
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && ignored(rel) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		e := staged[rel]
		if e == nil {
			return errDirty
		}
		seen++
		info, err := d.Info()
		if err != nil {
			return err
		}
		if asGitLeft(idx, e, info.Size(), info.ModTime()) {
			return nil
		}
		if !info.Mode().IsRegular() {
			if e.Mode.IsRegular() { // a link or a pipe stands in place of the file
				return errDirty
			}
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if blobHash(data) != e.Hash.String() {
			return errDirty
		}
		return nil
	})
	if errors.Is(err, errDirty) {
		return true, nil
	}
	return seen != len(staged), err
}

// asGitLeft reports whether a file has the size and time with which Git noted it. One as
// young as the index may have changed after Git looked, so that its time says nothing.
func asGitLeft(idx *index.Index, e *index.Entry, size int64, at time.Time) bool {
	return at.Equal(e.ModifiedAt) && uint32(size) == e.Size && at.Before(idx.ModTime)
}

// within gives a path relative to the registry folder.
func (r *Repo) within(name string) (string, bool) {
	if r.Folder == "" {
		return name, true
	}
	return strings.CutPrefix(name, r.Folder+"/")
}

// stagedTree is the tree of the registry's folder as it is staged, where Git noted
// that in its index, as it does for what was committed: that spares a walk. The zero hash
// is not known.
func (r *Repo) stagedTree(idx *index.Index) plumbing.Hash {
	if idx.Cache == nil {
		return plumbing.ZeroHash
	}
	// Each folder comes before those in it.
	left := idx.Cache.Entries
	var after func(n int) []index.TreeEntry // what is left after n folders with all in them
	after = func(n int) []index.TreeEntry {
		for ; n > 0 && len(left) > 0; n-- {
			inner := left[0].Trees
			left = left[1:]
			left = after(inner)
		}
		return left
	}
	if len(left) == 0 {
		return plumbing.ZeroHash
	}
	at := left[0]
	left = left[1:]
	for _, name := range strings.Split(r.Folder, "/") {
		if r.Folder == "" {
			break
		}
		inner := at.Trees
		for ; inner > 0 && len(left) > 0 && left[0].Path != name; inner-- {
			left = after(1)
		}
		if inner <= 0 || len(left) == 0 {
			return plumbing.ZeroHash
		}
		at, left = left[0], left[1:]
	}
	if at.Entries < 0 { // it changed since
		return plumbing.ZeroHash
	}
	return at.Hash
}

// stagedIs reports whether what is staged is what the commit has.
func (r *Repo) stagedIs(idx *index.Index, staged map[string]*index.Entry, head *object.Commit) (bool, error) {
	tree, err := r.tree(head)
	if err != nil {
		return false, err
	}
	if staged := r.stagedTree(idx); !staged.IsZero() && staged == tree.Hash {
		return true, nil
	}
	blobs, err := FromTree(tree).List()
	if err != nil {
		return false, err
	}
	n := 0
	for _, b := range blobs {
		if ignored(b.Path) {
			continue
		}
		n++
		if e := staged[b.Path]; e == nil || e.Hash.String() != b.Hash {
			return false, nil
		}
	}
	return n == len(staged), nil
}
