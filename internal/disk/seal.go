package disk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// Seal ends what is kept for a later run with a checksum.
func Seal(kept []byte) []byte {
	return binary.LittleEndian.AppendUint32(kept, checksum(kept))
}

// Unseal gives what stands between the title, with which the kept bytes begin, and
// their checksum. It reports false where either is another: what is damaged, cut or of
// another version is not used.
func Unseal(sealed []byte, title string) (rest []byte, whole bool) {
	end := len(sealed) - crc32.Size
	if end < len(title) || !bytes.HasPrefix(sealed, []byte(title)) || binary.LittleEndian.Uint32(sealed[end:]) != checksum(sealed[:end]) {
		return nil, false
	}
	return sealed[len(title):end], true
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// ReadSealed is Unseal on a file of max bytes at most. It reports false also where
// there is none that can be read.
func ReadSealed(name, title string, max int64) (rest []byte, whole bool) {
	data, _, err := ReadKept(name, max)
	if err != nil {
		return nil, false
	}
	return Unseal(data, title)
}

// ReadKept reads a file of max bytes at most that an earlier run left anywhere, and
// tells what was known of it before. What stands there may by now be something else:
// the error is ErrIrregular for that, a symbolic link included, and a longer file is
// an error too. As with OpenRegular, it is asked first what it is.
func ReadKept(name string, max int64) ([]byte, fs.FileInfo, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, ErrIrregular
	}
	if info.Size() > max {
		return nil, nil, fmt.Errorf("%s has %d bytes; %d are read at most", name, info.Size(), max)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, info, nil
}
