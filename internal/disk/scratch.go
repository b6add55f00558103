package disk

import (
	"errors"
	"io/fs"
	"os"
)

// A Scratch is a temporary file for what memory should not hold. Nobody else sees
// it, and nothing of it is left.
type Scratch struct{ file *os.File }

// NewScratch makes one in the system's folder for such. Where the system lets an open file be
// deleted, a crash leaves none either.
func NewScratch(prefix string) (*Scratch, error) {
	f, err := os.CreateTemp("", prefix)
	if err != nil {
		return nil, Explain(err)
	}
	_ = os.Remove(f.Name()) // else Close does
	return &Scratch{f}, nil
}

// WriteAt is as that of os.File.
func (s *Scratch) WriteAt(p []byte, off int64) (int, error) { return s.file.WriteAt(p, off) }

// ReadAt is as that of os.File.
func (s *Scratch) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// Close deletes the file.
func (s *Scratch) Close() error {
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// ScratchFolder makes a temporary folder, for who has to write a file by its name.
// Remove deletes it with all that is in it; a crash leaves it.
func ScratchFolder(prefix string) (dir string, remove func() error, err error) {
	dir, err = os.MkdirTemp("", prefix)
	if err != nil {
		return "", nil, Explain(err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}
