package disk

import (
	"errors"
	"io/fs"
)

// ErrIrregular says that there is something else than a file to read: a folder, a
// named pipe, a device.
var ErrIrregular = errors.New("it is not a regular file")

// OpenRegular opens a file of a folder that others may have filled. It asks first
// what it is: opening a named pipe waits for somebody to write into it, for ever
// and past any signal. The error is ErrIrregular where it is no regular file.
func OpenRegular(files fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrIrregular
	}
	return files.Open(name)
}
