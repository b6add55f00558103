//go:build !unix

package dpg

import "os"

// notifyHangup does nothing: there is no such signal here.
func notifyHangup(chan<- os.Signal) {}
