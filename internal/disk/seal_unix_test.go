//go:build unix

package disk_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// A named pipe where something was kept is none of it, and nobody waits for who writes
// into it.
func TestReadSealedOfAPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "kept")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, whole := disk.ReadSealed(name, "title\n", 100); whole {
		t.Error("ReadSealed of a named pipe is whole")
	}
}
