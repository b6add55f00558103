//go:build unix

package measure

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// Used is the processor's time that this program has had so far: on a shared machine
// the clock on the wall would tell of others.
func Used() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, os.NewSyscallError("getrusage", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// mostMemory is the most that a program which has ended had of it, in bytes; 0 is not known.
func mostMemory(ended *os.ProcessState) int64 {
	u, ok := ended.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin" || runtime.GOOS == "ios": // which count bytes, and the others kilobytes
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
