//go:build !linux

package disk

import (
	"io/fs"
	"os"
)

func stampOf(info fs.FileInfo) Stamp {
	return Stamp{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
}

func stampIn(_ *os.File, e fs.DirEntry) (Stamp, error) {
	info, err := e.Info()
	if err != nil {
		return Stamp{}, err
	}
	return stampOf(info), nil
}
