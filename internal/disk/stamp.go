package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
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
	all := map[string]Stamp{}
	var left []string
	err := walk(f.name, "", func(name string, at Stamp) {
		if Aside(path.Base(name)) {
			left = append(left, name)
			return
		}
		all[name] = at
	})
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		if err := f.Remove(name); err != nil {
			return nil, fmt.Errorf("clear what an interrupted run left in %s: %w", f.name, Explain(err))
		}
	}
	return all, nil
}

func walk(dir, prefix string, visit func(name string, at Stamp)) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir():
			if err := walk(filepath.Join(dir, name), prefix+name+"/", visit); err != nil {
				return err
			}
		case e.Type().IsRegular():
			at, err := stampIn(d, e)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			visit(prefix+name, at)
		}
	}
	return nil
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
