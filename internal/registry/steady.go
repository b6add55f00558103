package registry

import (
	"slices"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Steady lets an open repository find its objects also after Git has put them into
// other packs, as it does by itself, in the background, after a commit or a push. Where
// objects are not in a folder it changes nothing.
func Steady(g *git.Repository) {
	if s, ok := g.Storer.(*filesystem.Storage); ok {
		packs, _ := s.ObjectPacks() // an error comes again where an object is asked for
		g.Storer = &steady{Storage: s, packs: packs}
	}
}

// A steady storage looks once more where an object is not where it was.
type steady struct {
	*filesystem.Storage
	packs []plumbing.Hash // as of the last look
}

// moved reports whether there are other packs than before, and makes them known.
func (s *steady) moved() bool {
	packs, err := s.ObjectPacks()
	if err != nil || slices.Equal(packs, s.packs) {
		return false
	}
	s.packs = packs
	s.Reindex()
	return true
}

// EncodedObject reads an object.
func (s *steady) EncodedObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	o, err := s.Storage.EncodedObject(kind, h)
	if err != nil && s.moved() {
		return s.Storage.EncodedObject(kind, h)
	}
	return o, err
}

// EncodedObjectSize tells the size of an object, in bytes.
func (s *steady) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	n, err := s.Storage.EncodedObjectSize(h)
	if err != nil && s.moved() {
		return s.Storage.EncodedObjectSize(h)
	}
	return n, err
}

// HasEncodedObject is nil where an object is there.
func (s *steady) HasEncodedObject(h plumbing.Hash) error {
	err := s.Storage.HasEncodedObject(h)
	if err != nil && s.moved() {
		return s.Storage.HasEncodedObject(h)
	}
	return err
}
