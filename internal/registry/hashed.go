package registry

import (
	"context"
	"runtime"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
	"golang.org/x/sync/errgroup"
)

// Hashed lists files once, each file that Load would read with its Git blob id. Of a folder
// in a repository it takes the ids that Git's index has, by the rules of Dirty;
// any other file is read. repo may be nil.
func Hashed(ctx context.Context, files Files, repo *Repo, jobs int) (Files, []Blob, error) {
	blobs, err := files.List()
	if err != nil {
		return nil, nil, err
	}
	var idx *index.Index
	var staged map[string]*index.Entry
	var tree plumbing.Hash
	missing := 0 // staged files that Load would read
	if repo != nil {
		idx, staged, missing = repo.staged()
		tree = repo.stagedTree(idx)
	}
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	work, running := errgroup.WithContext(ctx)
	work.SetLimit(jobs)
	for i := range blobs {
		b := &blobs[i]
		if b.Hash != "" || !loaded(*b) {
			continue
		}
		e := staged[b.Path]
		if e != nil && asGitLeft(idx, e, b.Size, b.ModTime) {
			b.Hash = e.Hash.String()
			continue
		}
		work.Go(func() error {
			if err := running.Err(); err != nil {
				return err
			}
			data, err := files.Read(b.Path)
			if err == nil {
				b.Hash = blobHash(data)
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, nil, err
	}
	for _, b := range blobs {
		if e := staged[b.Path]; !loaded(b) {
			continue
		} else if e == nil || e.Hash.String() != b.Hash {
			tree = plumbing.ZeroHash
		}
		missing--
	}
	if missing != 0 {
		tree = plumbing.ZeroHash
	}
	return &listed{files, blobs, tree}, blobs, nil
}

// staged gives Git's index with what it has of the registry's files, by their paths there,
// and how many of these Load would read. Without an index there are none, so that all is
// read.
func (r *Repo) staged() (idx *index.Index, files map[string]*index.Entry, loads int) {
	idx, err := r.Git.Storer.Index()
	if err != nil {
		return &index.Index{}, nil, 0
	}
	files = make(map[string]*index.Entry, len(idx.Entries))
	for _, e := range idx.Entries {
		name, ok := r.within(e.Name)
		if !ok {
			continue
		}
		if e.Mode.IsFile() && e.Mode != filemode.Symlink && loaded(Blob{Path: name}) {
			loads++
		}
		if !e.SkipWorktree {
			files[name] = e
		}
	}
	return idx, files, loads
}

// listed is files whose list is there.
type listed struct {
	Files
	blobs []Blob
	tree  plumbing.Hash // the tree of Git whose files these are, of those that Load reads; zero is not known
}

func (l *listed) List() ([]Blob, error) { return append([]Blob(nil), l.blobs...), nil }

// loaded reports whether Load would read a file.
func loaded(b Blob) bool {
	nested := strings.Contains(b.Path, "/")
	return !ignored(b.Path) && b.Mode.IsRegular() && strings.HasSuffix(b.Path, ".yaml") &&
		(nested || b.Path == settingsFile || b.Path == policyFile)
}

// Holds reports whether a commit holds the files of a registry that Hashed listed, and
// no others that Load would read.
func (r *Repo) Holds(c *object.Commit, files Files) (bool, error) {
	tree, err := r.tree(c)
	if err != nil {
		return false, err
	}
	if l, ok := files.(*listed); ok && !l.tree.IsZero() && l.tree == tree.Hash {
		return true, nil
	}
	blobs, err := files.List()
	if err != nil {
		return false, err
	}
	there, err := FromTree(tree).List()
	if err != nil {
		return false, err
	}
	hashes := map[string]string{}
	for _, b := range there {
		if loaded(b) {
			hashes[b.Path] = b.Hash
		}
	}
	n := 0
	for _, b := range blobs {
		if loaded(b) {
			if hashes[b.Path] != b.Hash {
				return false, nil
			}
			n++
		}
	}
	return n == len(hashes), nil
}
