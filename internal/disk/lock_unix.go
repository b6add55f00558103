//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package disk

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks an open folder; free is false if another process, or another
// opening in this one, has it. It leaves no file behind, and the kernel ends the
// lock with the process. File systems without locks are taken as free, but then
// nobody vouches that this opening is the sole one.
func tryLock(dir *os.File) (free, sole bool) {
	for {
		switch err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, false
		default:
			return true, err == nil
		}
	}
}
