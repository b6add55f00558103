package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
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
	dir     string
	notes   string       // file to keep the sums in; "" keeps none
	folder  *disk.Folder // nil while there is no such folder
	folders []disk.Stamped
	files   []storedFile     // those that stood there, or were noted, by name; then those that came
	places  map[string]int32 // of files, by name
	noted   bool             // the notes are as they would be written
	touched map[string]bool  // folders, by name, with the slash at its end

	mu sync.Mutex // of the sums while several goroutines look
}

type storedFile struct {
	disk.Stamped
	sum    [sha256.Size]byte
	there  bool
	known  bool // what it holds: sum is of that
	listed bool // by the manifest, itself too
}

// OpenStored looks at a folder, there or not. Sums are kept from run to run in the
// file notes, which may be deleted; "" keeps none. The error is a *disk.BusyError if
// another run has the folder open.
func OpenStored(dir, notes string) (*Stored, error) {
	s := &Stored{dir: dir, notes: notes, touched: map[string]bool{}}
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
	noted := s.recall()
	seen, err := s.folder.Look(noted.listing())
	if err != nil {
		return err
	}
	s.take(seen, noted)
	// What the notes say that the manifest lists is so while that is the one of then.
	if f := s.file(manifestName); f != nil && f.listed && !s.stamped(journalName) && s.has(fileSum{manifestName, int(f.Stamp.Size), f.sum}) {
		return nil
	}
	listed, err := published(s.folder)
	if err != nil {
		return err
	}
	s.noted = false
	for i := range s.files {
		s.files[i].listed = listed[s.files[i].Name]
	}
	for name := range listed {
		s.slot(name).listed = true
	}
	return nil
}

// take merges what was seen with what was noted of it; both are sorted.
func (s *Stored) take(seen disk.Listing, noted notes) {
	s.folders, s.noted = seen.Folders, noted.whole && slices.Equal(seen.Folders, noted.folders)
	s.files = make([]storedFile, 0, max(len(seen.Files), len(noted.files))+64)
	s.places = make(map[string]int32, cap(s.files))
	for len(seen.Files) > 0 || len(noted.files) > 0 {
		var f storedFile
		switch {
		case len(noted.files) == 0 || len(seen.Files) > 0 && seen.Files[0].Name < noted.files[0].Name:
			f, s.noted = storedFile{Stamped: seen.Files[0], there: true}, false
			seen.Files = seen.Files[1:]
		case len(seen.Files) == 0 || noted.files[0].Name < seen.Files[0].Name:
			f, s.noted = noted.files[0], false
			f.there, f.known = false, false
			noted.files = noted.files[1:]
		default:
			f = noted.files[0]
			f.there = true
			if f.Stamp != seen.Files[0].Stamp || f.known && !f.Stamp.Before(noted.at) {
				f.Stamp, f.known, s.noted = seen.Files[0].Stamp, false, false
			}
			seen.Files, noted.files = seen.Files[1:], noted.files[1:]
		}
		s.places[f.Name] = int32(len(s.files))
		s.files = append(s.files, f)
	}
}

// file gives what is known of a file, nil where nothing is.
func (s *Stored) file(name string) *storedFile {
	i, known := s.places[name]
	if !known {
		return nil
	}
	return &s.files[i]
}

// stamped reports whether there was a regular file of a name.
func (s *Stored) stamped(name string) bool {
	f := s.file(name)
	return f != nil && f.there
}

// among lists those of the names that are known here, sorted, as they are already. It
// may be called on nil.
func (s *Stored) among(files map[string]*content) []string {
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(files))
	for i := range s.files {
		f := &s.files[i]
		if i > 0 && f.Name < s.files[i-1].Name { // what came since is in no order
			break
		}
		if files[f.Name] != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// slot is file with room for what may come to be known.
func (s *Stored) slot(name string) *storedFile {
	if f := s.file(name); f != nil {
		return f
	}
	if s.places == nil {
		s.places = map[string]int32{}
	}
	s.places[name] = int32(len(s.files))
	s.files = append(s.files, storedFile{Stamped: disk.Stamped{Name: name}})
	return &s.files[len(s.files)-1]
}

// gone gives the names that the manifest before lists and a catalog has not, sorted.
func (s *Stored) gone(has func(name string) bool) (names []string) {
	for i := range s.files {
		if f := &s.files[i]; f.listed && f.Name != manifestName && !has(f.Name) {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// empty reports whether no manifest lists anything.
func (s *Stored) empty() bool {
	return !slices.ContainsFunc(s.files, func(f storedFile) bool { return f.listed })
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
	at := s.file(f.path)
	if at == nil || !at.there || at.Stamp.Size != int64(f.size) {
		return false
	}
	s.mu.Lock()
	known, is := at.known, at.sum
	s.mu.Unlock()
	if known {
		return is == f.sum
	}
	h := sha256.New()
	if s.folder.CopyTo(h, f.path) != nil {
		return false
	}
	h.Sum(is[:0])
	s.mu.Lock()
	at.sum, at.known, s.noted = is, true, false
	s.mu.Unlock()
	return is == f.sum
}

// stands reports whether anything stands at a name. What is no regular file, such as
// a link, is an error: nobody knows where it leads.
func (s *Stored) stands(name string) (bool, error) {
	if s.stamped(name) {
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
	if len(names) == 0 {
		return nil
	}
	s.noted = false
	files := make([]disk.File, 0, len(names))
	for _, name := range names {
		f := s.slot(name)
		f.known = false
		s.touch(name)
		files = append(files, disk.File{Name: name, Data: data(name).writeTo})
	}
	stamps, err := s.folder.ReplaceAll(files, runtime.GOMAXPROCS(0))
	if err != nil {
		return err
	}
	for i, name := range names {
		f := s.slot(name)
		f.Stamp, f.sum, f.there, f.known = stamps[i], data(name).sum, true, true
	}
	return nil
}

// drop removes a file and the folders that it leaves empty; these also where
// the file is gone already, since a run may have ended in between.
func (s *Stored) drop(name string) (gone bool, err error) {
	s.noted = false
	s.touch(name)
	if f := s.file(name); f != nil {
		f.there, f.listed = false, false
	}
	return remove(s.folder, name)
}

// touch notes that the folder of a file has other names in it now, and those above,
// where it may be new, or gone.
func (s *Stored) touch(name string) {
	for name != "" {
		name = name[:1+strings.LastIndexByte(name[:len(name)-1], '/')]
		if s.touched[name] {
			return
		}
		s.touched[name] = true
	}
}

// notesTitle changes with the form of the notes.
const notesTitle = "dpg stored 2\n"

// notes are what was noted at the end of an earlier run.
type notes struct {
	whole   bool
	at      disk.Stamp // of the notes themselves
	folders []disk.Stamped
	files   []storedFile // sorted by name
}

// listing is what is to be relied on.
func (n notes) listing() disk.Listing {
	l := disk.Listing{Folders: slices.Clone(n.folders), Files: make([]disk.Stamped, len(n.files))}
	for i := range l.Folders {
		if s := &l.Folders[i].Stamp; !s.Before(n.at) {
			*s = disk.Stamp{}
		}
	}
	for i, f := range n.files {
		l.Files[i] = f.Stamped
	}
	return l
}

// settle notes what stands in the folder for the next run, with the names that the
// manifest lists. Where that fails, it is slower and nothing else.
func (s *Stored) settle(listed func(name string) bool) {
	if s.notes == "" || s.noted {
		return
	}
	files := make([]*storedFile, 0, len(s.files))
	for i := range s.files {
		f := &s.files[i]
		if f.listed = listed(f.Name); f.there {
			files = append(files, f)
		}
	}
	byName := func(x, y *storedFile) int { return strings.Compare(x.Name, y.Name) }
	if !slices.IsSortedFunc(files, byName) {
		slices.SortFunc(files, byName)
	}
	touched, err := s.folder.StampFolders(slices.Sorted(maps.Keys(s.touched)))
	if err != nil {
		return
	}
	folders := slices.DeleteFunc(slices.Clone(s.folders), func(d disk.Stamped) bool { return s.touched[d.Name] })
	for name, stamp := range touched {
		folders = append(folders, disk.Stamped{Name: name, Stamp: stamp})
	}
	slices.SortFunc(folders, func(x, y disk.Stamped) int { return strings.Compare(x.Name, y.Name) })
	b := append(make([]byte, 0, len(files)*(sha256.Size+96)+len(folders)*80), notesTitle...)
	b = binary.AppendUvarint(b, uint64(len(folders)))
	for _, d := range folders {
		b = appendStamped(b, d)
	}
	for _, f := range files {
		b = appendStamped(b, f.Stamped)
		flags := byte(0)
		if f.listed {
			flags |= 1
		}
		if f.known {
			flags |= 2
		}
		b = append(append(b, flags), f.sum[:]...)
	}
	_, _ = disk.WriteFile(s.notes, disk.Seal(b))
}

func appendStamped(b []byte, s disk.Stamped) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.Name)))
	b = append(b, s.Name...)
	for _, n := range []uint64{uint64(s.Stamp.Size), uint64(s.Stamp.ModTime), uint64(s.Stamp.Change), s.Stamp.Inode} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// recall reads the notes; none where they are not whole.
func (s *Stored) recall() notes {
	if s.notes == "" {
		return notes{}
	}
	at, err := disk.StampOf(s.notes)
	if err != nil {
		return notes{}
	}
	data, whole := disk.ReadSealed(s.notes, notesTitle, maxRead)
	if !whole {
		return notes{}
	}
	n := readNotes(string(data))
	n.at = at
	return n
}

// readNotes reads notes, which may be anything: those that are not sorted are none.
// The names in them are parts of one text.
func readNotes(text string) (n notes) {
	// Parts are cut off the text's front; bad is set where it is too short.
	bad := false
	cut := func(n uint64) (part string) {
		if n > uint64(len(text)) {
			bad, n = true, uint64(len(text))
		}
		part, text = text[:n], text[n:]
		return part
	}
	number := func() (v uint64) {
		b := cut(8)
		for i := range len(b) {
			v |= uint64(b[i]) << (8 * i)
		}
		return v
	}
	count := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			b := cut(1)
			if bad || shift > 56 {
				bad = true
				return 0
			}
			v |= uint64(b[0]&0x7f) << shift
			if b[0] < 0x80 {
				return v
			}
		}
	}
	stamped := func() (s disk.Stamped) {
		s.Name = cut(count())
		s.Stamp = disk.Stamp{Size: int64(number()), ModTime: int64(number()), Change: int64(number()), Inode: number()}
		return s
	}
	const least = 1 + 32 // bytes of what is stamped
	folders := count()
	if bad || folders > uint64(len(text))/least {
		return notes{}
	}
	n.folders = make([]disk.Stamped, folders)
	for i := range n.folders {
		n.folders[i] = stamped()
		bad = bad || i > 0 && n.folders[i].Name <= n.folders[i-1].Name
	}
	n.files = make([]storedFile, 0, len(text)/(least+1+sha256.Size+24)+64)
	for text != "" && !bad {
		f := storedFile{Stamped: stamped()}
		if flags := cut(1); !bad {
			f.listed, f.known = flags[0]&1 != 0, flags[0]&2 != 0
		}
		bad = copy(f.sum[:], cut(sha256.Size)) < sha256.Size || bad || len(n.files) > 0 && f.Name <= n.files[len(n.files)-1].Name
		n.files = append(n.files, f)
	}
	if bad {
		return notes{}
	}
	n.whole = true
	return n
}
