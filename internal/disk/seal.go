package disk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
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
	f, err := OpenRegular(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > max {
		return nil, false
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, false
	}
	return Unseal(data, title)
}
