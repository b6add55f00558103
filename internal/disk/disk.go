// Package disk writes files whole or not at all: aside, synced, then renamed.
// A reader never meets half a file, a crash leaves the old one, and a symbolic
// link never leads a write out of the folder it was meant for. One run at a time
// writes to a folder; its lock ends with the process, so a crash leaves none.
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
	"syscall"
	"time"
)

// asidePrefix marks files being written. A crash can leave one behind; whoever
// has the folder next removes it.
const asidePrefix = ".dpg-aside-"

// Another run is waited for this long, a second in all: small ones end sooner,
// and a person should not wait for a big one without knowing.
const (
	lockTries = 50
	lockPause = 20 * time.Millisecond
)

// A Folder is a folder that files are written in, by nobody else meanwhile.
type Folder struct {
	name string
	root *os.Root
	lock *os.File // the folder itself; closing it ends the lock
	sole bool
}

// Open makes the folder if need be and clears what an interrupted run left in it.
// The error is a *BusyError if another run has the folder open.
func Open(dir string) (*Folder, error) {
	f, err := openBare(dir)
	if err != nil {
		return nil, err
	}
	if err := f.sweep(); err != nil {
		f.Close()
		return nil, fmt.Errorf("clear what an interrupted run left in %s: %w", dir, Explain(err))
	}
	return f, nil
}

// Make is Open without clearing what an interrupted run left; Look does that.
func Make(dir string) (*Folder, error) { return openBare(dir) }

// Hold is Open for a folder that is there and that other programs write in too:
// nothing in it is looked through or cleared.
func Hold(dir string) (*Folder, error) { return hold(dir) }

// Sole reports whether the kernel vouches that no other run has the folder. It is
// false where the system or its file system has no such locks: then nobody knows.
func (f *Folder) Sole() bool { return f.sole }

// Close lets go of the folder.
func (f *Folder) Close() error { return errors.Join(f.lock.Close(), f.root.Close()) }

// A BusyError says that another run is writing to a folder.
type BusyError struct {
	Dir string // as it was named
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another run is writing to %s; wait until it ends, then run this again", e.Dir)
}

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
		return false, fmt.Errorf("write %s: %w", filepath.Join(f.name, name), Explain(err))
	}
	return true, nil
}

func (f *Folder) write(name string, data []byte) error {
	return f.replace(name, func(w io.Writer) error { _, err := w.Write(data); return err })
}

var errFolder = errors.New("it is a folder; name a file")

// replace puts what write writes at name, once all of it is written.
func (f *Folder) replace(name string, write func(io.Writer) error) error {
	dir := path.Dir(name)
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if info, err := f.root.Lstat(name); err == nil && info.IsDir() { // of which renaming says "file exists"
		return &fs.PathError{Op: "write", Path: name, Err: errFolder}
	}
	aside := asideOf(name)
	// While this run has the folder, one that is there is what a crash left. It is
	// removed and not written to: it may be a link.
	if err := f.root.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := f.root.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(write(w), w.Sync(), w.Close()); err != nil {
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
	r, err := OpenRegular(f.root.FS(), name)
	if errors.Is(err, ErrIrregular) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Remove deletes the file at name; one that is not there is no error.
func (f *Folder) Remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", filepath.Join(f.name, name), Explain(err))
	}
	return nil
}

// Settle removes what an interrupted Write of name left aside.
func (f *Folder) Settle(name string) error {
	aside := asideOf(name)
	if _, err := f.root.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
		return nil // also where nothing can be written
	}
	return f.Remove(aside)
}

// Aside reports whether a file of this name, without folders, is one that is being
// written or that an interrupted run left.
func Aside(base string) bool { return strings.HasPrefix(base, asidePrefix) }

// asideOf is where the file name is written before it is renamed.
func asideOf(name string) string { return path.Join(path.Dir(name), asidePrefix+path.Base(name)) }

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
		if Aside(path.Base(name)) {
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

// WriteTo is WriteFile for what is too much for memory: write is called once, and
// what it returns an error about is not there. A file that is the same is written anew.
func WriteTo(name string, write func(io.Writer) error) error {
	f, err := openBare(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.replace(filepath.Base(name), write); err != nil {
		return fmt.Errorf("write %s: %w", name, Explain(err))
	}
	return nil
}

// openBare is Open without the sweep: the folder may be somebody's home.
func openBare(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", dir, Explain(err))
	}
	return hold(dir)
}

func hold(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder %s: %w", dir, Explain(err))
	}
	lock, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("open the folder %s: %w", dir, Explain(err))
	}
	f := &Folder{name: dir, root: root, lock: lock}
	for range lockTries {
		var free bool
		if free, f.sole = tryLock(lock); free {
			return f, nil
		}
		time.Sleep(lockPause)
	}
	f.Close()
	return nil, &BusyError{dir}
}

// Explain leaves out the names of files that only this package, or one that writes
// as it does, knows, and says what to do about an error that is the machine's.
func Explain(err error) error {
	var in *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &in):
		err = in.Err
	case errors.As(err, &link):
		err = link.Err
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w; make room on that disk and run this again, files that were there are whole", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; name a folder on another disk, or mount this one for writing", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; name another folder, or let this user write to it", err)
	}
	return err
}
