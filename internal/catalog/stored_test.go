package catalog

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// notesOf writes files into a folder as a catalog does, and gives its notes.
func notesOf(tb testing.TB, dir, name string, files map[string]string) {
	tb.Helper()
	s, err := OpenStored(dir, name)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	if err := s.make(); err != nil {
		tb.Fatal(err)
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	if err := s.put(names, func(name string) *content { return contentOf([]byte(files[name])) }); err != nil {
		tb.Fatal(err)
	}
	s.settle(func(string) bool { return true })
}

func TestNotes(t *testing.T) {
	dir, name := t.TempDir(), filepath.Join(t.TempDir(), "notes")
	files := map[string]string{"a/b": "1", "a-b": "", "a/c/d": "three"}
	notesOf(t, dir, name, files)
	data, whole := disk.ReadSealed(name, notesTitle, maxRead)
	if !whole {
		t.Fatal("the notes are not whole")
	}
	n := readNotes(string(data))
	got := map[string][sha256.Size]byte{}
	for _, f := range n.files {
		if !f.listed || !f.known {
			t.Errorf("%q is noted as listed %t, known %t", f.Name, f.listed, f.known)
		}
		got[f.Name] = f.sum
	}
	want := map[string][sha256.Size]byte{}
	for name, text := range files {
		want[name] = sha256.Sum256([]byte(text))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums (-written +noted):\n%s", diff)
	}
	var folders []string
	for _, d := range n.folders {
		folders = append(folders, d.Name)
	}
	if diff := cmp.Diff([]string{"", "a/", "a/c/"}, folders); diff != "" {
		t.Errorf("folders (-want +noted):\n%s", diff)
	}
	for end := range data { // cut anywhere, it is none, or has fewer files
		if cut := readNotes(string(data[:end])); cut.whole && len(cut.files) >= len(n.files) {
			t.Errorf("the first %d of %d bytes are read as all of it", end, len(data))
		}
	}
}

// Notes that say what is not so, with a right checksum, never make a wrong file stand.
func TestNotesOfWhatChanged(t *testing.T) {
	dir, name := t.TempDir(), filepath.Join(t.TempDir(), "notes")
	notesOf(t, dir, name, map[string]string{"a/b": "1", "a/c": "2"})
	if err := os.WriteFile(filepath.Join(dir, "a/b"), []byte("3"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStored(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tt := range []struct {
		name, text string
		want       bool
	}{{"a/b", "1", false}, {"a/b", "3", true}, {"a/c", "2", true}, {"a/c", "1", false}, {"a/d", "", false}} {
		if got := s.has(fileSum{tt.name, len(tt.text), sha256.Sum256([]byte(tt.text))}); got != tt.want {
			t.Errorf("%s holds %q: %t, want %t", tt.name, tt.text, got, tt.want)
		}
	}
}

func FuzzNotes(f *testing.F) {
	name := filepath.Join(f.TempDir(), "notes")
	notesOf(f, f.TempDir(), name, map[string]string{"a/b": "1", "a/c": "2"})
	data, whole := disk.ReadSealed(name, notesTitle, maxRead)
	if !whole {
		f.Fatal("the notes are not whole")
	}
	f.Add(string(data))
	f.Fuzz(func(t *testing.T, text string) {
		n := readNotes(text)
		for i := range n.files {
			if i > 0 && n.files[i].Name <= n.files[i-1].Name {
				t.Errorf("%q and %q are not in order", n.files[i-1].Name, n.files[i].Name)
			}
		}
		if !n.whole && len(n.files)+len(n.folders) > 0 {
			t.Error("of notes that are not whole something is used")
		}
	})
}

// Several goroutines ask for one file that nobody has read yet; the race detector
// watches them.
func TestStoredIsAskedAtOnce(t *testing.T) {
	dir := t.TempDir()
	notesOf(t, dir, "", map[string]string{"a": "1"})
	s, err := OpenStored(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	right := fileSum{"a", 1, sha256.Sum256([]byte("1"))}
	wrong := fileSum{"a", 1, sha256.Sum256([]byte("2"))}
	var work errgroup.Group
	for range 16 {
		work.Go(func() error {
			if !s.has(right) || s.has(wrong) {
				return errors.New("it does not hold what was written")
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		t.Error(err)
	}
}
