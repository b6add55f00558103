package registry

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// ErrShallow is returned where history is needed and a clone has only a part of it.
var ErrShallow = errors.New("the clone is shallow, so the history of entries is not there; " +
	"fetch all of it (in GitHub Actions: fetch-depth: 0), or do without dates, where a command has --no-history")

// A Repo is a Git repository with the place of the registry in it.
type Repo struct {
	Git    *git.Repository
	Folder string // slash-separated, of the registry in the repository; "" is the root
}

// FindRepo looks for the repository that holds a folder. It returns nil, nil
// where there is none.
func FindRepo(dir string) (*Repo, error) {
	g, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the Git repository of %s: %w", dir, err)
	}
	Steady(g)
	w, err := g.Worktree()
	if err != nil {
		return nil, fmt.Errorf("open the Git repository of %s: %w", dir, err)
	}
	folder, err := relative(w.Filesystem.Root(), dir)
	if err != nil {
		return nil, err
	}
	return &Repo{Git: g, Folder: folder}, nil
}

func relative(root, dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	// Both by their real names: a temporary folder is often behind a link.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return "", err
	}
	if rel == "." {
		return "", nil
	}
	return filepath.ToSlash(rel), nil
}

// Head is the commit that is checked out, or nil in a repository without one.
func (r *Repo) Head() (*object.Commit, error) {
	ref, err := r.Git.Head()
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.Git.CommitObject(ref.Hash())
}

// Commit finds a commit by hash, branch, tag or any other Git revision.
func (r *Repo) Commit(rev string) (*object.Commit, error) {
	h, err := r.Git.ResolveRevision(plumbing.Revision(rev))
	if err != nil {
		return nil, fmt.Errorf("revision %q is not known here: %w", rev, err)
	}
	return r.Git.CommitObject(*h)
}

// Files returns the registry's files as of a commit; an empty tree where the
// commit has none.
func (r *Repo) Files(c *object.Commit) (Files, error) {
	t, err := r.tree(c)
	if err != nil {
		return nil, err
	}
	return FromTree(t), nil
}

func (r *Repo) tree(c *object.Commit) (*object.Tree, error) {
	t, err := c.Tree()
	if err != nil {
		return nil, err
	}
	if r.Folder == "" {
		return t, nil
	}
	sub, err := t.Tree(r.Folder)
	if errors.Is(err, object.ErrDirectoryNotFound) {
		return &object.Tree{}, nil
	}
	return sub, err
}

// A Change is a file that differs between two commits. Paths are relative to
// the registry folder.
type Change struct {
	Path    string
	Deleted bool
}

// Changed lists the files of the registry that differ from one commit to
// another, sorted. Sub-trees that are the same are not opened.
func (r *Repo) Changed(from, to *object.Commit) ([]Change, error) {
	a, err := r.tree(from)
	if err != nil {
		return nil, err
	}
	b, err := r.tree(to)
	if err != nil {
		return nil, err
	}
	return r.changes(a, b)
}

func (r *Repo) changes(a, b *object.Tree) ([]Change, error) {
	var changes []Change
	err := r.diff("", a, b, func(path string, deleted bool) {
		changes = append(changes, Change{path, deleted})
	})
	return changes, err
}

// diff walks two trees side by side. Either may be nil.
func (r *Repo) diff(prefix string, a, b *object.Tree, emit func(path string, deleted bool)) error {
	return r.deltas(prefix, a, b, func(path string, _, after *object.TreeEntry) { emit(path, after == nil) })
}

// deltas is diff with what stands in either tree; one of the two may be nil.
func (r *Repo) deltas(prefix string, a, b *object.Tree, emit func(path string, before, after *object.TreeEntry)) error {
	ea, eb := entries(a), entries(b)
	for len(ea) > 0 || len(eb) > 0 {
		var x, y *object.TreeEntry
		switch {
		case len(eb) == 0 || len(ea) > 0 && ea[0].Name < eb[0].Name:
			x, ea = &ea[0], ea[1:]
		case len(ea) == 0 || eb[0].Name < ea[0].Name:
			y, eb = &eb[0], eb[1:]
		default:
			x, y, ea, eb = &ea[0], &eb[0], ea[1:], eb[1:]
		}
		if x != nil && y != nil && x.Hash == y.Hash && x.Mode == y.Mode {
			continue
		}
		name := prefix + cmp.Or(x, y).Name
		isDir := func(e *object.TreeEntry) bool { return e != nil && e.Mode == filemode.Dir }
		file := func(e *object.TreeEntry) *object.TreeEntry {
			if isDir(e) {
				return nil
			}
			return e
		}
		if before, after := file(x), file(y); before != nil || after != nil {
			emit(name, before, after)
		}
		if isDir(x) || isDir(y) {
			ta, err := r.subtree(x)
			if err != nil {
				return err
			}
			tb, err := r.subtree(y)
			if err != nil {
				return err
			}
			if err := r.deltas(name+"/", ta, tb, emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// entries returns a tree's entries in order of their names; Git's own order
// puts a folder as if its name ended in "/".
func entries(t *object.Tree) []object.TreeEntry {
	if t == nil {
		return nil
	}
	es := slices.Clone(t.Entries)
	slices.SortFunc(es, func(a, b object.TreeEntry) int { return cmp.Compare(a.Name, b.Name) })
	return es
}

func (r *Repo) subtree(e *object.TreeEntry) (*object.Tree, error) {
	if e == nil || e.Mode != filemode.Dir {
		return nil, nil
	}
	return r.Git.TreeObject(e.Hash)
}

// A Stamp is the commit that last changed something, with its committer's date.
type Stamp struct {
	Commit string
	At     time.Time // UTC
}

// StampOf returns a commit's stamp.
func StampOf(c *object.Commit) Stamp {
	return Stamp{Commit: c.Hash.String(), At: c.Committer.When.UTC()}
}

// LastChanges finds, for each file of the registry at a commit, the commit on
// the first-parent line that last changed it: when it reached this branch.
// Paths are relative to the registry folder. It returns ErrShallow where
// history is cut off before all are found.
func (r *Repo) LastChanges(head *object.Commit) (map[string]Stamp, error) {
	t, err := r.tree(head)
	if err != nil {
		return nil, err
	}
	files, err := FromTree(t).List()
	if err != nil {
		return nil, err
	}
	missing := make(map[string]bool, len(files))
	for _, b := range files {
		missing[b.Path] = true
	}
	shallow, err := r.Git.Storer.Shallow()
	if err != nil {
		return nil, err
	}
	stamps := make(map[string]Stamp, len(files))
	for c := head; len(missing) > 0; {
		if slices.Contains(shallow, c.Hash) {
			return nil, ErrShallow
		}
		parent, err := r.changedIn(c, func(path string, deleted bool) {
			if !deleted && missing[path] {
				stamps[path] = StampOf(c)
				delete(missing, path)
			}
		})
		if err != nil {
			return nil, err
		}
		if parent == nil {
			break
		}
		c = parent
	}
	return stamps, nil
}

// LastChangesSince is LastChanges where that of an earlier commit is known. Commits
// before that one are not looked at; where it is not on the first-parent line, nothing
// is known.
func (r *Repo) LastChangesSince(head *object.Commit, before string, known map[string]Stamp) (map[string]Stamp, error) {
	if known == nil {
		return r.LastChanges(head)
	}
	met := false
	commits, err := r.FirstParents(head, func(hash string) bool { met = hash == before; return met })
	if !met {
		return r.LastChanges(head)
	}
	if err != nil {
		return nil, err
	}
	stamps := maps.Clone(known)
	for _, c := range slices.Backward(commits) {
		_, err := r.changedIn(c, func(path string, deleted bool) {
			if delete(stamps, path); !deleted {
				stamps[path] = StampOf(c)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return stamps, nil
}

// changedIn tells what a commit changed in the registry's files, and gives the commit
// before it on the first-parent line; nil where it is the first.
func (r *Repo) changedIn(c *object.Commit, emit func(path string, deleted bool)) (parent *object.Commit, err error) {
	var before *object.Tree
	if c.NumParents() > 0 {
		if parent, err = c.Parent(0); err != nil {
			return nil, err
		}
		if before, err = r.tree(parent); err != nil {
			return nil, err
		}
	}
	after, err := r.tree(c)
	if err != nil {
		return nil, err
	}
	return parent, r.diff("", before, after, emit)
}

// MergeBase is the newest commit that both have in their history; nil if none.
func MergeBase(a, b *object.Commit) (*object.Commit, error) {
	bases, err := a.MergeBase(b)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(bases) == 0 {
		return nil, nil
	}
	return bases[0], nil
}
