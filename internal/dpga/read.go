// Package dpga knows the formats of the predecessor, the registry that the
// Digital Public Goods Alliance kept until 2024: it reads its JSON files and
// makes entries of them, and accounts for every value on the way. What it reads
// is not judged: odd text is carried for lint to speak of.
package dpga

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The predecessor's folders, in the order of who keeps an id.
const (
	nominees = "nominees"           // subjects that are listed, as a DPG or as a nominee
	archive  = "archive"            // subjects that were withdrawn
	excluded = "excluded-nominees"  // subjects that were refused
	screened = "digitalpublicgoods" // what was found out about a subject, by the same file name
)

// ErrNone says that what was to be read is not the predecessor's files.
var ErrNone = errors.New("it has none of the folders nominees, archive, excluded-nominees, digitalpublicgoods")

// A Source is the predecessor's files as they were found.
type Source struct {
	files []*file // by path
}

// A file is one file of the source, and what Convert found out about it.
type file struct {
	folder string
	path   string // slash-separated, in the source
	name   string // base name without ".json", exactly as it was; "" if the file is not one of a subject
	root   *node  // nil if the file could not be read
	notes  []Note
	became string // path of the entry, or ""
}

func (f *file) note(why Reason, format string, args ...any) {
	f.notes = append(f.notes, Note{why, fmt.Sprintf(format, args...)})
}

// Read reads nominees/, digitalpublicgoods/, archive/ and excluded-nominees/ of
// a file system; any of them may be missing, but not all. Sub-folders are not
// looked into, as the predecessor did not. A file that cannot be read, or is not
// JSON, is noted in the report of Convert and does not stop the rest. Where files
// may come from strangers, give it the FS of an os.Root: it keeps links inside.
func Read(fsys fs.FS) (*Source, error) {
	s := &Source{}
	found := 0
	for _, folder := range []string{nominees, archive, excluded, screened} {
		names, err := fs.ReadDir(fsys, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the predecessor's files: %w", err)
		}
		found++
		for _, d := range names {
			s.files = append(s.files, readFile(fsys, folder, d.Name()))
		}
	}
	if found == 0 {
		return nil, ErrNone
	}
	slices.SortFunc(s.files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return s, nil
}

func readFile(fsys fs.FS, folder, base string) *file {
	f := &file{folder: folder, path: path.Join(folder, base)}
	name, isJSON := strings.CutSuffix(base, ".json")
	// Stat first, and follow links: opening a named pipe waits for ever.
	info, err := fs.Stat(fsys, f.path)
	switch {
	case err != nil:
		f.note(Unreadable, "%v", err)
	case info.IsDir():
		f.note(NotAnEntry, "it is a folder")
	case !info.Mode().IsRegular():
		f.note(NotAnEntry, "it is not a regular file")
	case !isJSON || name == "":
		f.note(NotAnEntry, "its name is not of the form name.json")
	default:
		f.name = name
		f.read(fsys)
	}
	return f
}

func (f *file) read(fsys fs.FS) {
	data, err := readBounded(fsys, f.path)
	if err != nil {
		f.note(Unreadable, "%v", err)
		return
	}
	f.parse(data)
}

func (f *file) parse(data []byte) {
	if len(data) > maxBytes {
		f.note(Unreadable, "it is over %d KiB", maxBytes>>10)
		return
	}
	var err error
	switch f.root, err = parseJSON(data); {
	case errors.Is(err, errDeep):
		f.note(Unreadable, "%v", err)
		return
	case err != nil:
		f.note(NotJSON, "%v", err)
		return
	}
	if f.root.kind != object {
		f.note(NotAnEntry, "it holds %s in JSON, not an object", f.root.kind)
	}
}

func readBounded(fsys fs.FS, name string) ([]byte, error) {
	r, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxBytes+1))
}

// readable reports whether an entry can be made from the file.
func (f *file) readable() bool { return f.root != nil && f.root.kind == object }

// clone copies the source, so that Convert can keep what it finds out in it.
func (s *Source) clone() *Source {
	c := &Source{files: make([]*file, len(s.files))}
	for i, f := range s.files {
		copied := *f
		copied.root = f.root.clone()
		copied.notes = slices.Clone(f.notes)
		c.files[i] = &copied
	}
	return c
}
