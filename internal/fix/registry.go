package fix

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// MaxRounds is how often Registry judges and mends: one repair can make way for
// another.
const MaxRounds = 5

// An Outcome is what Registry did, in memory.
type Outcome struct {
	Changed []Change          // sorted by path
	Mended  []diag.Diagnostic // in the order they were mended; places are of the text at that time
	Left    []diag.Diagnostic // what is found in the mended files
}

// A Change is the new text of a file.
type Change struct {
	Name     string // slash-separated, in the registry folder
	Path     string // as findings name it
	Old, New []byte
	Mended   int // how many findings are mended by it
}

// Registry mends what judge finds in a registry until nothing is left that can be,
// at most MaxRounds times. It writes nothing. What the bot owns is left alone: it
// is made again, not mended.
//
// The prefix is what findings put before the names of files.
func Registry(files registry.Files, prefix string, judge func(registry.Files) ([]diag.Diagnostic, error)) (*Outcome, error) {
	out := new(Outcome)
	now := &mendedFiles{Files: files, text: map[string][]byte{}}
	changes := map[string]*Change{}
	var err error
	if out.Left, err = judge(now); err != nil {
		return nil, err
	}
	for range MaxRounds {
		byPath := map[string][]diag.Diagnostic{}
		for _, d := range out.Left {
			if len(d.Edits) > 0 {
				byPath[d.Path] = append(byPath[d.Path], d)
			}
		}
		next := &mendedFiles{Files: files, text: map[string][]byte{}}
		for name, text := range now.text { // a judge may still be reading now
			next.text[name] = text
		}
		progress := false
		for p, found := range byPath {
			name := strings.TrimPrefix(p, path.Clean(prefix)+"/")
			if top, _, _ := strings.Cut(name, "/"); top == registry.AssessmentFolder || top == registry.ObservationFolder {
				continue
			}
			old, err := now.Read(name)
			if err != nil {
				return nil, err
			}
			text, mended := File(p, old, found)
			if len(mended) == 0 || bytes.Equal(text, old) {
				continue
			}
			progress = true
			next.text[name] = text
			c := changes[name]
			if c == nil {
				c = &Change{Name: name, Path: p, Old: old}
				changes[name] = c
			}
			c.New, c.Mended = text, c.Mended+len(mended)
			out.Mended = append(out.Mended, mended...)
		}
		if !progress {
			break
		}
		now = next
		if out.Left, err = judge(now); err != nil {
			return nil, err
		}
	}
	for _, c := range changes {
		out.Changed = append(out.Changed, *c)
	}
	slices.SortFunc(out.Changed, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(out.Mended, func(a, b diag.Diagnostic) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// mendedFiles are the files of a folder, some with another text.
type mendedFiles struct {
	registry.Files
	text map[string][]byte
}

func (m *mendedFiles) List() ([]registry.Blob, error) {
	blobs, err := m.Files.List()
	if err != nil {
		return nil, err
	}
	for i, b := range blobs {
		if text, ok := m.text[b.Path]; ok {
			blobs[i].Size, blobs[i].Hash = int64(len(text)), ""
		}
	}
	return blobs, nil
}

func (m *mendedFiles) Read(name string) ([]byte, error) {
	if text, ok := m.text[name]; ok {
		return text, nil
	}
	return m.Files.Read(name)
}
