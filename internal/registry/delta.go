package registry

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A Delta is a file about an entry that differs from one commit to the next.
type Delta struct {
	Ref     entry.Ref
	Path    string // relative to the registry folder
	Derived string // the folder of the bot's file about the entry; "" where it is the entry itself
	Hash    string // Git blob id afterwards; "" where no plain file is left
}

// Deltas lists what a commit changed in the files of entries, assessments and
// observations, in order of their paths, compared with the commit before it on the first-parent
// line; all of them are new where parent is nil.
func (r *Repo) Deltas(parent, c *object.Commit, kinds []entry.Kind) ([]Delta, error) {
	var before *object.Tree
	if parent != nil {
		var err error
		if before, err = r.tree(parent); err != nil {
			return nil, err
		}
	}
	after, err := r.tree(c)
	if err != nil {
		return nil, err
	}
	if before != nil && before.Hash == after.Hash && !before.Hash.IsZero() {
		return nil, nil
	}
	place := loader{opt: Options{Kinds: kinds}}
	var out []Delta
	err = r.deltas("", before, after, func(path string, _, now *object.TreeEntry) {
		if d, ok := place.delta(path); ok {
			if now != nil && modeOf(now).IsRegular() {
				d.Hash = now.Hash.String()
			}
			out = append(out, d)
		}
	})
	return out, err
}

// Blob reads a file of Git by its id, one byte more than a file may have at most.
func (r *Repo) Blob(hash string) ([]byte, error) {
	b, err := r.Git.BlobObject(plumbing.NewHash(hash))
	if err != nil {
		return nil, err
	}
	in, err := b.Reader()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return readBounded(in, b.Size)
}

// FirstParents lists the commits from a commit back to the first on its
// first-parent line, newest first. It ends before a commit that until knows. The
// error is ErrShallow where the clone has no more of it.
func (r *Repo) FirstParents(head *object.Commit, until func(hash string) bool) ([]*object.Commit, error) {
	shallow, err := r.Git.Storer.Shallow()
	if err != nil {
		return nil, err
	}
	var out []*object.Commit
	for c := head; !until(c.Hash.String()); {
		if slices.Contains(shallow, c.Hash) {
			return nil, ErrShallow
		}
		out = append(out, c)
		if c.NumParents() == 0 {
			break
		}
		parent, err := c.Parent(0)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return nil, ErrShallow
		}
		if err != nil {
			return nil, err
		}
		c = parent
	}
	return out, nil
}

// delta tells whether a path is that of an entry's file or of one of the bot's about it.
func (l *loader) delta(path string) (Delta, bool) {
	if ignored(path) || !strings.HasSuffix(path, ".yaml") {
		return Delta{}, false
	}
	var doc Doc
	of, derived := path, ""
	for _, folder := range []string{AssessmentFolder, ObservationFolder} {
		if rest, ok := strings.CutPrefix(path, folder+"/"); ok {
			of, derived = rest, folder
		}
	}
	l.place(&doc, of)
	return Delta{Ref: doc.Ref, Path: path, Derived: derived}, doc.Ref.ID != ""
}
