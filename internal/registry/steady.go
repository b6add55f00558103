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

// A steady storage looks once more where an object is not where it was. Like the one in
// it, it is not for several goroutines at a time.
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

// again reads, and once more where that failed and there are other packs by then.
func again[T any](s *steady, read func() (T, error)) (T, error) {
	v, err := read()
	if err != nil && s.moved() {
		return read()
	}
	return v, err
}

// EncodedObject reads an object.
func (s *steady) EncodedObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	return again(s, func() (plumbing.EncodedObject, error) { return s.Storage.EncodedObject(kind, h) })
}

// DeltaObject reads an object as it is packed, which is how it is sent.
func (s *steady) DeltaObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	return again(s, func() (plumbing.EncodedObject, error) { return s.Storage.DeltaObject(kind, h) })
}

// EncodedObjectSize tells the size of an object, in bytes.
func (s *steady) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	return again(s, func() (int64, error) { return s.Storage.EncodedObjectSize(h) })
}

// HasEncodedObject is nil where an object is there.
func (s *steady) HasEncodedObject(h plumbing.Hash) error {
	_, err := again(s, func() (struct{}, error) { return struct{}{}, s.Storage.HasEncodedObject(h) })
	return err
}
