package registry

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Blob is one file of a tree that is not read yet.
type Blob struct {
	Path    string // slash-separated, relative to the registry folder
	Mode    fs.FileMode
	Size    int64
	ModTime time.Time // zero in Git, which has none
	Hash    string    // Git's blob id; "" where reading the file will tell
}

// Files is a tree of files to load a registry from. Read may be called from
// several goroutines.
type Files interface {
	List() ([]Blob, error)
	Read(name string) ([]byte, error)
}

// FromFS reads a registry from a folder, such as os.DirFS("registry").
// Symbolic links are listed and never followed.
func FromFS(fsys fs.FS) Files { return folder{fsys} }

type folder struct{ fsys fs.FS }

func (f folder) List() ([]Blob, error) {
	var blobs []Blob
	err := fs.WalkDir(f.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && ignored(name) {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // deleted while we looked
			return nil
		}
		if err != nil {
			return err
		}
		blobs = append(blobs, Blob{Path: name, Mode: info.Mode(), Size: info.Size(), ModTime: info.ModTime()})
		return nil
	})
	return blobs, err
}

func (f folder) Read(name string) ([]byte, error) {
	file, err := f.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var size int64
	if info, err := file.Stat(); err == nil {
		size = info.Size()
	}
	return readBounded(file, size)
}

// readBounded reads one byte more than a file may have, so that its size is a
// finding of package source and never a matter of memory. size is a guess that
// saves copying; 0 is none.
func readBounded(r io.Reader, size int64) ([]byte, error) {
	r = io.LimitReader(r, source.MaxBytes+1)
	if size <= 0 || size > source.MaxBytes {
		return io.ReadAll(r)
	}
	var b bytes.Buffer
	b.Grow(int(size) + bytes.MinRead) // room to see the end without growing
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// FromTree reads a registry from a Git tree, without a work tree.
func FromTree(t *object.Tree) Files { return &gitTree{tree: t} }

type gitTree struct {
	mu     sync.Mutex // go-git's object storage is not made for parallel readers
	tree   *object.Tree
	hashes map[string]plumbing.Hash // of files by path; nil until listed
}

func (g *gitTree) List() ([]Blob, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.list()
}

func (g *gitTree) list() ([]Blob, error) {
	var blobs []Blob
	hashes := map[string]plumbing.Hash{}
	walker := object.NewTreeWalker(g.tree, true, nil)
	defer walker.Close()
	// Nothing is checked out: a name that no disk should have is for the rules to
	// judge, and must not keep the rest from being read.
	walker.SkipPathValidation()
	for {
		name, e, err := walker.Next()
		if err == io.EOF {
			g.hashes = hashes
			return blobs, nil
		}
		if err != nil {
			return nil, err
		}
		if e.Mode == filemode.Dir {
			continue
		}
		b := Blob{Path: name, Hash: e.Hash.String(), Mode: modeOf(&e)}
		blobs = append(blobs, b)
		hashes[name] = e.Hash
	}
}

func (g *gitTree) Read(name string) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hashes == nil {
		if _, err := g.list(); err != nil {
			return nil, err
		}
	}
	hash, ok := g.hashes[name]
	if !ok {
		return nil, fmt.Errorf("read %q: %w", name, fs.ErrNotExist)
	}
	// Under a plain name: go-git refuses those it would not check out.
	f, err := g.tree.TreeEntryFile(&object.TreeEntry{Name: "file", Mode: filemode.Regular, Hash: hash})
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	r, err := f.Reader()
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	defer r.Close()
	return readBounded(r, f.Size)
}

func modeOf(e *object.TreeEntry) fs.FileMode {
	switch e.Mode {
	case filemode.Symlink:
		return fs.ModeSymlink
	case filemode.Submodule:
		return fs.ModeIrregular
	}
	return 0
}

// blobHash is the id that Git gives to a file with these bytes.
func blobHash(data []byte) string {
	h := sha1.New()
	io.WriteString(h, "blob "+strconv.Itoa(len(data))+"\x00")
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// ignored says which names are nobody's business: dot files and what editors leave.
func ignored(name string) bool {
	base := path.Base(name)
	return base[0] == '.' || base[len(base)-1] == '~'
}

// Subset is some files of a tree, which has listed them.
func Subset(of Files, blobs []Blob) Files { return subset{of, blobs} }

type subset struct {
	Files
	blobs []Blob
}

func (s subset) List() ([]Blob, error) { return s.blobs, nil }

// Overlay is base with the given changes taken from head: what a branch will be
// once it is merged, even where base has moved on.
func Overlay(base, head Files, changes []Change) Files {
	o := overlay{base: base, head: head, changed: make(map[string]bool, len(changes))}
	for _, c := range changes {
		o.changed[c.Path] = true
	}
	return o
}

type overlay struct {
	base, head Files
	changed    map[string]bool // changed in head, deleted ones too
}

func (o overlay) List() ([]Blob, error) {
	below, err := o.base.List()
	if err != nil {
		return nil, err
	}
	above, err := o.head.List()
	if err != nil {
		return nil, err
	}
	blobs := slices.DeleteFunc(below, func(b Blob) bool { return o.changed[b.Path] })
	for _, b := range above {
		if o.changed[b.Path] {
			blobs = append(blobs, b)
		}
	}
	return blobs, nil
}

func (o overlay) Read(name string) ([]byte, error) {
	if o.changed[name] {
		return o.head.Read(name)
	}
	return o.base.Read(name)
}
