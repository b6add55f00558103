package disk_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

func open(t *testing.T, dir string) *disk.Folder {
	t.Helper()
	f, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWriteOnlyWhatChanged(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "made", "here"))
	for i, tt := range []struct {
		data    string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}, {"", true}, {"", false}} {
		changed, err := f.Write("a/b/c.json", []byte(tt.data))
		if err != nil || changed != tt.changed {
			t.Errorf("write %d of %q: changed %v, %v; want %v", i, tt.data, changed, err, tt.changed)
		}
		if got, _ := f.Read("a/b/c.json"); string(got) != tt.data {
			t.Errorf("write %d: the file holds %q, want %q", i, got, tt.data)
		}
	}
	if names, _ := f.Files(); !slices.Equal(names, []string{"a/b/c.json"}) {
		t.Errorf("the folder holds %q", names)
	}
}

// What an interrupted run left is cleared, and nothing else.
func TestOpenClearsLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".dpg-aside-x.json", "x.json", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	names, err := open(t, dir).Files()
	if err != nil || !slices.Equal(names, []string{".hidden", "x.json"}) {
		t.Errorf("left are %q, %v", names, err)
	}
}

// A name or a symbolic link never leads out of the folder.
func TestWriteStaysInside(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for _, name := range []string{"../x", "link/x", "/etc/x", "a/../../x"} {
		if _, err := f.Write(name, []byte("x")); err == nil {
			t.Errorf("Write(%q) is allowed", name)
		}
	}
	if names, _ := os.ReadDir(other); len(names) > 0 {
		t.Errorf("%d files were written through the link", len(names))
	}
}

// An error names the file and leaves nothing behind.
func TestWriteFails(t *testing.T) {
	f := open(t, t.TempDir())
	if _, err := f.Write("a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := f.Write("a/b", []byte("x")) // a is a file
	if err == nil || !strings.Contains(err.Error(), "a") {
		t.Errorf("error is %v, want one that names the file", err)
	}
	if names, _ := f.Files(); !slices.Equal(names, []string{"a"}) {
		t.Errorf("left are %q", names)
	}
}

// One run at a time has a folder; the next gets it as soon as it is let go.
func TestOneRunAtATime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders are not locked on Windows")
	}
	dir := t.TempDir()
	first, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".dpg-aside-x"), []byte("ha"), 0o644); err != nil {
		t.Fatal(err)
	}
	var busy *disk.BusyError
	if _, err := disk.Open(dir); !errors.As(err, &busy) || busy.Dir != dir {
		t.Errorf("a second opening: %v, want a BusyError", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".dpg-aside-x")); err != nil {
		t.Errorf("the file that the first is writing is gone: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := open(t, dir).Files(); err != nil || len(names) > 0 {
		t.Errorf("then there are %q, %v", names, err)
	}
}

// A file that a crash left aside does not stand in the way of the next.
func TestWriteFileAfterACrash(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".dpg-aside-report.json"), []byte("ha"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.WriteFile(filepath.Join(dir, "report.json"), []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if names, err := open(t, dir).Files(); err != nil || !slices.Equal(names, []string{"report.json"}) {
		t.Errorf("there are %q, %v", names, err)
	}
}

// A folder that others write in too is held and not looked through; what this
// package left at one name goes when asked.
func TestHold(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".dpg-aside-a", ".dpg-aside-b", "a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := disk.Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Sole() != (runtime.GOOS != "windows") {
		t.Errorf("Sole is %v", f.Sole())
	}
	for range 2 { // the second finds nothing
		if err := f.Settle("a"); err != nil {
			t.Error(err)
		}
	}
	if names, err := f.Files(); err != nil || !slices.Equal(names, []string{".dpg-aside-b", "a"}) {
		t.Errorf("left are %q, %v", names, err)
	}
	if !disk.Aside(".dpg-aside-b") || disk.Aside("a") {
		t.Error("Aside takes one for the other")
	}
	missing := filepath.Join(dir, "none")
	if f, err := disk.Hold(missing); err == nil {
		f.Close()
		t.Error("a folder that is not there was held")
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("and made")
	}
}

// What is written part by part is there whole, or what was there before is.
func TestWriteTo(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "sub", "large")
	for _, want := range []string{"one two", "three"} {
		if err := disk.WriteTo(name, func(w io.Writer) error {
			for part := range strings.SplitAfterSeq(want, " ") {
				if _, err := io.WriteString(w, part); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	err := disk.WriteTo(name, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return errors.New("the source ran dry")
	})
	if err == nil || !strings.Contains(err.Error(), "the source ran dry") {
		t.Errorf("error %v", err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "three" {
		t.Errorf("after a failure %q, %v; want what was there", got, err)
	}
	if left, err := os.ReadDir(filepath.Dir(name)); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
	err = disk.WriteTo(filepath.Dir(name), func(io.Writer) error { return nil })
	if err == nil || !strings.HasSuffix(err.Error(), "sub: it is a folder; name a file") {
		t.Errorf("writing to a folder: %v", err)
	}
}
