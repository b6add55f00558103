package disk

import (
	"fmt"
	"io"
	"os"
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
