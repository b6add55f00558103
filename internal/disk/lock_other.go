//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package disk

import "os"

// tryLock cannot lock a folder on this system; that no file is written by two at
// once then rests on the system's refusal to remove one that is open.
func tryLock(*os.File) (free, sole bool) { return true, false }
