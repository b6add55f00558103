package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// Elsewhere knows the entries of a registry that were not loaded with it.
type Elsewhere interface {
	// Find gives the path of an entry, relative to the registry folder.
	Find(ref entry.Ref) (path string, ok bool)
	// IDs lists all ids of a kind, in order of their files.
	IDs(kind string) []string
}

// TreeHash is the id of the registry's folder in a commit; "" where it has none.
func (r *Repo) TreeHash(c *object.Commit) (string, error) {
	t, err := r.tree(c)
	if err != nil || t.Hash.IsZero() {
		return "", err
	}
	return t.Hash.String(), nil
}

// ChangedFrom is Changed from a registry folder's tree, by its id, instead of a
// commit; "" is an empty one.
func (r *Repo) ChangedFrom(tree string, to *object.Commit) ([]Change, error) {
	var a *object.Tree
	if tree != "" {
		var err error
		if a, err = r.Git.TreeObject(plumbing.NewHash(tree)); err != nil {
			return nil, err
		}
	}
	b, err := r.tree(to)
	if err != nil {
		return nil, err
	}
	return r.changes(a, b)
}

// Pick returns the named files of a commit, with those by which the registry
// governs itself. Names that are not there are passed over. It opens only the
// trees on the way.
func (r *Repo) Pick(c *object.Commit, names []string) (Files, error) {
	t, err := r.tree(c)
	if err != nil {
		return nil, err
	}
	p := &picked{repo: r, hashes: map[string]plumbing.Hash{}}
	for _, e := range t.Entries {
		if e.Mode.IsFile() {
			p.add(e.Name, &e)
		}
	}
	rules, err := t.Tree(frameworkFolder)
	if err != nil && !errors.Is(err, object.ErrDirectoryNotFound) {
		return nil, err
	}
	if err == nil {
		for _, e := range rules.Entries {
			if e.Mode.IsFile() {
				p.add(path.Join(frameworkFolder, e.Name), &e)
			}
		}
	}
	wanted := map[string]map[string]bool{} // names by folder
	for _, name := range names {
		dir, base := path.Split(name)
		if wanted[dir] == nil {
			wanted[dir] = map[string]bool{}
		}
		wanted[dir][base] = true
	}
	for dir, bases := range wanted {
		folder, err := t.Tree(path.Clean(dir))
		if errors.Is(err, object.ErrDirectoryNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range folder.Entries {
			if e := &folder.Entries[i]; bases[e.Name] && e.Mode != filemode.Dir {
				p.add(dir+e.Name, e)
			}
		}
	}
	return p, nil
}

type picked struct {
	mu     sync.Mutex // see gitTree
	repo   *Repo
	blobs  []Blob
	hashes map[string]plumbing.Hash
}

func (p *picked) add(name string, e *object.TreeEntry) {
	if _, again := p.hashes[name]; again {
		return
	}
	p.hashes[name] = e.Hash
	p.blobs = append(p.blobs, Blob{Path: name, Hash: e.Hash.String(), Mode: modeOf(e)})
}

func (p *picked) List() ([]Blob, error) { return p.blobs, nil }

func (p *picked) Read(name string) ([]byte, error) {
	hash, ok := p.hashes[name]
	if !ok {
		return nil, fmt.Errorf("read %q: %w", name, fs.ErrNotExist)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := p.repo.Git.BlobObject(hash)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	f, err := b.Reader()
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	defer f.Close()
	return readBounded(f, b.Size)
}
