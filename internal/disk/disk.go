// Package disk writes files whole or not at all: aside, synced, then renamed.
// A reader never meets half a file, a crash leaves the old one, and a symbolic
// link never leads a write out of the folder it was meant for.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// asidePrefix marks files being written. A crash can leave one behind; Open
// removes them.
const asidePrefix = ".dpg-aside-"

// A Folder is a folder that files are written in.
type Folder struct {
	name string
	root *os.Root
}

// Open makes the folder if need be and clears what an interrupted run left in it.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{name: dir, root: root}
	if err := f.sweep(); err != nil {
		root.Close()
		return nil, err
	}
	return f, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Write puts data at name, a slash-separated path in the folder, with the folders
// it needs, mode 0644. A file that already holds the same bytes is not touched;
// changed says whether it was.
func (f *Folder) Write(name string, data []byte) (changed bool, err error) {
	old, err := f.Read(name)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := f.write(name, data); err != nil {
		return false, fmt.Errorf("write %s: %w", filepath.Join(f.name, name), err)
	}
	return true, nil
}

func (f *Folder) write(name string, data []byte) error {
	dir := path.Dir(name)
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Two writers of one file would be a bug; O_EXCL makes it an error.
	aside := path.Join(dir, asidePrefix+path.Base(name))
	w, err := f.root.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
		f.root.Remove(aside)
		return err
	}
	if err := f.root.Rename(aside, name); err != nil {
		f.root.Remove(aside)
		return err
	}
	return f.syncDir(dir)
}

// Read returns what stands at name.
func (f *Folder) Read(name string) ([]byte, error) {
	r, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Remove deletes the file at name; one that is not there is no error.
func (f *Folder) Remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Files lists the regular files below the folder, sorted, slash-separated.
func (f *Folder) Files() ([]string, error) {
	var names []string
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

func (f *Folder) sweep() error {
	names, err := f.Files()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), asidePrefix) {
			if err := f.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// syncDir makes a rename last through a power cut. Not every file system lets
// a folder be synced, and those that refuse keep their own promises.
func (f *Folder) syncDir(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// WriteFile writes one file anywhere, as Folder.Write does.
func WriteFile(name string, data []byte) (changed bool, err error) {
	f, err := openBare(filepath.Dir(name))
	if err != nil {
		return false, err
	}
	defer f.Close()
	return f.Write(filepath.Base(name), data)
}

// openBare is Open without the sweep: the folder may be somebody's home.
func openBare(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{name: dir, root: root}, nil
}
