//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package disk

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks an open folder and reports false if another process, or another
// opening in this one, has it. It leaves no file behind, and the kernel ends the
// lock with the process. File systems without locks are taken as free.
func tryLock(dir *os.File) bool {
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return !errors.Is(err, syscall.EWOULDBLOCK)
		}
	}
}
