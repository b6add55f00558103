package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// Stored is a folder that a catalog is written to, with what stands in it now. While
// it is open no other run writes there.
//
// What a file holds is told by its SHA-256. That of an earlier run stands where the
// file's stamp is the one that was noted then; any other file is read once more. So a file that
// somebody changed, cut or deleted is found, and written again.
type Stored struct {
	dir    string
	notes  string       // file to keep the sums in; "" keeps none
	folder *disk.Folder // nil while there is no such folder
	stamps map[string]disk.Stamp
	listed map[string]bool // by the manifest, itself too

	mu   sync.Mutex
	sums map[string][sha256.Size]byte // of what was read, or is known
}

// OpenStored looks at a folder, there or not. Sums are kept from run to run in the
// file notes, which may be deleted; "" keeps none. The error is a *disk.BusyError if
// another run has the folder open.
func OpenStored(dir, notes string) (*Stored, error) {
	s := &Stored{dir: dir, notes: notes, stamps: map[string]disk.Stamp{}, sums: map[string][sha256.Size]byte{}, listed: map[string]bool{}}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stored) open() (err error) {
	if s.folder, err = disk.Make(s.dir); err != nil {
		return err
	}
	if s.stamps, err = s.folder.Stamps(); err != nil {
		return err
	}
	noted, manifest := s.recall()
	manifest.size = int(s.stamps[manifestName].Size)
	if noted[manifestName] && s.stamps[journalName] == (disk.Stamp{}) && s.has(manifest) {
		s.listed = noted
		return nil
	}
	s.listed, err = published(s.folder)
	return err
}

// make makes the folder where there is none.
func (s *Stored) make() error {
	if s.folder != nil {
		return nil
	}
	return s.open()
}

// Close lets go of the folder.
func (s *Stored) Close() error {
	if s.folder == nil {
		return nil
	}
	return s.folder.Close()
}

// has reports whether a file holds these bytes. It may be called from several
// goroutines, while nothing is written.
func (s *Stored) has(f fileSum) bool {
	if s == nil {
		return false
	}
	stamp, there := s.stamps[f.path]
	if !there || stamp.Size != int64(f.size) {
		return false
	}
	s.mu.Lock()
	sum, known := s.sums[f.path]
	s.mu.Unlock()
	if known {
		return sum == f.sum
	}
	h := sha256.New()
	if s.folder.CopyTo(h, f.path) != nil {
		return false
	}
	h.Sum(sum[:0])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[f.path] = sum
	return sum == f.sum
}

// stands reports whether anything stands at a name. What is no regular file, such as
// a link, is an error: nobody knows where it leads.
func (s *Stored) stands(name string) (bool, error) {
	if _, there := s.stamps[name]; there {
		return true, nil
	}
	switch _, err := s.folder.Read(name); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// content is what a file holds.
func (s *Stored) content(f fileSum) *content {
	return &content{size: f.size, sum: f.sum, write: func(w io.Writer) error {
		sum := sha256.New()
		if err := s.folder.CopyTo(io.MultiWriter(w, sum), f.path); err != nil {
			return err
		}
		if !bytes.Equal(sum.Sum(nil), f.sum[:]) {
			return fmt.Errorf("%s changed while it was read; run this again", f.path)
		}
		return nil
	}}
}

// put writes files, several at a time.
func (s *Stored) put(names []string, data func(name string) *content) error {
	var files []disk.File
	for _, name := range names {
		delete(s.sums, name)
		files = append(files, disk.File{Name: name, Data: data(name).writeTo})
	}
	stamps, err := s.folder.ReplaceAll(files, runtime.GOMAXPROCS(0))
	if err != nil {
		return err
	}
	for i, name := range names {
		s.stamps[name], s.sums[name] = stamps[i], data(name).sum
	}
	return nil
}

// notesMagic changes with the form of the notes.
const notesMagic = "dpg stored 1\n"

// settle notes the sums of the catalog's files for the next run. Where that fails,
// it is slower and nothing else.
func (s *Stored) settle(names []string) {
	if s.notes == "" {
		return
	}
	slices.Sort(names)
	b := append(make([]byte, 0, len(names)*(sha256.Size+96)), notesMagic...)
	for _, name := range names {
		sum, known := s.sums[name]
		if !known {
			continue
		}
		at := s.stamps[name]
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		for _, n := range []uint64{uint64(at.Size), uint64(at.ModTime), uint64(at.Change), at.Inode} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		b = append(b, sum[:]...)
	}
	_, _ = disk.WriteFile(s.notes, checked(b))
}

// recall takes over the sums of files that are as they were, and gives the names
// that were noted, with the manifest as it was.
func (s *Stored) recall() (names map[string]bool, manifest fileSum) {
	if s.notes == "" {
		return nil, manifest
	}
	at, err := disk.StampOf(s.notes)
	if err != nil || at.Size > maxRead {
		return nil, manifest
	}
	data, err := os.ReadFile(s.notes)
	if err != nil {
		return nil, manifest
	}
	data, whole := unchecked(data, notesMagic)
	if !whole {
		return nil, manifest
	}
	names, sums := make(map[string]bool, len(s.stamps)), make(map[string][sha256.Size]byte, len(s.stamps))
	for len(data) > 0 {
		n, used := binary.Uvarint(data)
		if used <= 0 || uint64(len(data)-used) < n || uint64(len(data)-used)-n < 32+sha256.Size {
			return nil, manifest
		}
		name := string(data[used : used+int(n)])
		data = data[used+int(n):]
		var v [4]uint64
		for i := range v {
			v[i] = binary.LittleEndian.Uint64(data[8*i:])
		}
		stamp := disk.Stamp{Size: int64(v[0]), ModTime: int64(v[1]), Change: int64(v[2]), Inode: v[3]}
		names[name] = true
		if name == manifestName {
			manifest = fileSum{path: name, sum: [sha256.Size]byte(data[32:])}
		}
		if s.stamps[name] == stamp && stamp.Before(at) {
			sums[name] = [sha256.Size]byte(data[32:])
		}
		data = data[32+sha256.Size:]
	}
	s.sums = sums
	return names, manifest
}

// checked adds a checksum, and unchecked takes it off again with the magic: whole
// tells whether it was right.
func checked(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func unchecked(b []byte, magic string) (rest []byte, whole bool) {
	if len(b) < len(magic)+4 || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, false
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, false
	}
	return body[len(magic):], true
}
