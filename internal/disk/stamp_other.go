//go:build !linux

package disk

import (
	"io/fs"
	"os"
	"path/filepath"
)

func stampOf(info fs.FileInfo) Stamp {
	return Stamp{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
}

// opened is an open folder.
type opened struct{ *os.File }

func openedOf(d *os.File) opened { return opened{d} }

// stamp is the stamp of what stands at a path in the folder, and its mode.
func (o opened) stamp(name string) (Stamp, fs.FileMode, error) {
	info, err := os.Lstat(filepath.Join(o.Name(), filepath.FromSlash(name)))
	if err != nil {
		return Stamp{}, 0, err
	}
	return stampOf(info), info.Mode(), nil
}
