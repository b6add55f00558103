package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAll waits until all that was written to the file system of an open folder is
// on the disk; done is false where it has no such thing. The kernel tells of what
// could not be written since the folder was opened.
func syncAll(dir *os.File) (done bool, err error) {
	for {
		switch err := unix.Syncfs(int(dir.Fd())); {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
			return false, nil
		default:
			return err == nil, err
		}
	}
}
