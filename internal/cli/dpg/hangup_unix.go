//go:build unix

package dpg

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup sends SIGHUP to a channel, by which servers are told to look again.
func notifyHangup(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }
