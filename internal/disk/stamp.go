package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Stamp is by what a file is told to be as it was, without reading it.
type Stamp struct {
	Size    int64 // bytes
	ModTime int64 // nanoseconds, as the file system has it
	Change  int64 // when anything of the file changed; no program can set it; 0 where the system does not tell
	Inode   uint64
}

// stampSlack is more than the steps in which file systems tell time.
const stampSlack = 20 * time.Millisecond

// Before reports whether a file with this stamp was at rest by the time that another
// was written: one that changed in the same step of the clock may change again and
// keep its stamp.
func (s Stamp) Before(other Stamp) bool {
	return max(s.ModTime, s.Change)+int64(stampSlack) < other.ModTime
}

// StampOf is the stamp of a file anywhere; symbolic links are not followed.
func StampOf(name string) (Stamp, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return Stamp{}, err
	}
	return stampOf(info), nil
}

// Stamps gives the stamps of the regular files below the folder, by slash-separated
// name, and clears what an interrupted run left.
func (f *Folder) Stamps() (map[string]Stamp, error) {
	w := &walk{all: map[string]Stamp{}}
	w.work.SetLimit(runtime.GOMAXPROCS(0))
	err := w.folder(f.name, "")
	if err = errors.Join(err, w.work.Wait()); err != nil {
		return nil, err
	}
	all, left := w.all, w.left
	for _, name := range left {
		if err := f.Remove(name); err != nil {
			return nil, fmt.Errorf("clear what an interrupted run left in %s: %w", f.name, Explain(err))
		}
	}
	return all, nil
}

// A walk takes stamps, in several folders at a time.
type walk struct {
	work errgroup.Group
	mu   sync.Mutex
	all  map[string]Stamp
	left []string // files aside
}

func (w *walk) folder(dir, prefix string) error {
	folders, err := w.files(dir, prefix)
	if err != nil {
		return err
	}
	for _, name := range folders {
		below := func() error { return w.folder(filepath.Join(dir, name), prefix+name+"/") }
		if w.work.TryGo(below) {
			continue
		}
		if err := below(); err != nil {
			return err
		}
	}
	return nil
}

// files notes the files of a folder and gives the folders in it.
func (w *walk) files(dir, prefix string) (folders []string, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	stamps := make([]Stamp, len(entries))
	for i, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		} else if e.Type().IsRegular() && !Aside(e.Name()) {
			if stamps[i], err = stampIn(d, e); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, e := range entries {
		switch name := prefix + e.Name(); {
		case !e.Type().IsRegular():
		case Aside(e.Name()):
			w.left = append(w.left, name)
		case stamps[i] != Stamp{}: // it is there still
			w.all[name] = stamps[i]
		}
	}
	return folders, nil
}

// CopyTo writes what stands at name to w.
func (f *Folder) CopyTo(w io.Writer, name string) error {
	r, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	if info, err := r.Stat(); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	_, err = io.Copy(w, r)
	return err
}
