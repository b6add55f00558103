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

// opened is an open folder. What is in it need not be found by its whole path.
type opened struct {
	*os.File
	fd int // asking the file for it each time is a system call
}

func openedOf(d *os.File) opened { return opened{d, int(d.Fd())} }

// stamp is the stamp of what stands at a path in the folder, and the type of that; of
// its mode nothing else is told.
func (o opened) stamp(name string) (Stamp, fs.FileMode, error) {
	var st unix.Stat_t
	for {
		switch err := unix.Fstatat(o.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err {
		case nil:
			return Stamp{Size: st.Size, ModTime: st.Mtim.Nano(), Change: st.Ctim.Nano(), Inode: st.Ino}, typeOf(st.Mode), nil
		case unix.EINTR:
		default:
			return Stamp{}, 0, &fs.PathError{Op: "stat", Path: name, Err: err}
		}
	}
}

func typeOf(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	}
	return fs.ModeIrregular
}
