package disk

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func stampOf(info fs.FileInfo) Stamp {
	s := Stamp{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Change, s.Inode = st.Ctim.Nano(), st.Ino
	}
	return s
}

// stampIn is the stamp of a file in an open folder, which need not be found again
// by its path.
func stampIn(dir *os.File, e fs.DirEntry) (Stamp, error) {
	var st unix.Stat_t
	for {
		switch err := unix.Fstatat(int(dir.Fd()), e.Name(), &st, unix.AT_SYMLINK_NOFOLLOW); err {
		case nil:
			return Stamp{Size: st.Size, ModTime: st.Mtim.Nano(), Change: st.Ctim.Nano(), Inode: st.Ino}, nil
		case unix.EINTR:
		default:
			return Stamp{}, &fs.PathError{Op: "stat", Path: e.Name(), Err: err}
		}
	}
}
