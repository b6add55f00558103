package disk_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

func fileOf(name, data string) disk.File {
	return disk.File{Name: name, Data: func(w io.Writer) error {
		_, err := io.WriteString(w, data)
		return err
	}}
}

// Few files, more than are synced one by one, and more than one batch: all are
// written whole, over what was there and what a crash left, and told by their stamps.
func TestReplaceAll(t *testing.T) {
	for _, n := range []int{0, 1, 20, 65, 8200} {
		dir := t.TempDir()
		f := open(t, dir)
		for name, data := range map[string]string{"a/1.json": "old", "a/.dpg-aside-2.json": "left by a crash", "other": "stays"} {
			if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]string{"other": "stays"}
		if n < 2 {
			want["a/1.json"] = "old"
		}
		var files []disk.File
		for i := range n {
			name := fmt.Sprintf("%s/%d.json", []string{"a", "b/c", fmt.Sprintf("d/%d", i), "a", "."}[i%5], i)
			if i == 2 || i == 1 {
				name = fmt.Sprintf("a/%d.json", i)
			}
			name = path.Clean(name)
			data := strings.Repeat(name, i%7)
			want[name], files = data, append(files, fileOf(name, data))
		}
		slices.SortFunc(files, func(x, y disk.File) int { return strings.Compare(x.Name, y.Name) })
		stamps, err := f.ReplaceAll(files, 3)
		if err != nil || len(stamps) != n {
			t.Fatalf("%d files: %d stamps, %v", n, len(stamps), err)
		}
		for i, file := range files {
			if at, err := disk.StampOf(filepath.Join(dir, file.Name)); err != nil || at != stamps[i] {
				t.Fatalf("%d files: the stamp of %s is %v, %v, told is %v", n, file.Name, at, err, stamps[i])
			}
		}
		got := map[string]string{}
		names, err := f.Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := f.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			if n >= 3 || !disk.Aside(path.Base(name)) { // one is left where nobody wrote
				got[name] = string(data)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d files (-want +got):\n%s", n, diff)
		}
	}
}

// Where one cannot be written no file is half, none is left aside, and the error names
// that one.
func TestReplaceAllFails(t *testing.T) {
	half := disk.File{Name: "b/bad", Data: func(w io.Writer) error {
		_, err := io.WriteString(w, "ha")
		return errors.Join(err, errors.New("no more"))
	}}
	for _, tt := range []struct {
		name string
		bad  disk.File
	}{
		{"half its bytes", half},
		{"a file is where a folder should be", fileOf("file/bad", "x")},
		{"a folder is where it should be", fileOf("dir", "x")},
		{"outside", fileOf("../bad", "x")},
		{"through a link", fileOf("link/bad", "x")},
	} {
		for _, n := range []int{3, 600} {
			dir, other := t.TempDir(), t.TempDir()
			f := open(t, dir)
			if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"file", "dir/kept", "a/1"} {
				if _, err := f.Write(name, []byte("old")); err != nil {
					t.Fatal(err)
				}
			}
			var files []disk.File
			for i := range n {
				files = append(files, fileOf(fmt.Sprint("a/", i), "new"))
			}
			_, err := f.ReplaceAll(append(files, tt.bad), 2)
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, tt.bad.Name)) {
				t.Errorf("%s, with %d more: error is %v, want one that names %s", tt.name, n, err, tt.bad.Name)
			}
			names, err := f.Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				data, err := f.Read(name)
				if err != nil || disk.Aside(path.Base(name)) || !slices.Contains([]string{"old", "new"}, string(data)) {
					t.Errorf("%s, with %d more: %s holds %q, %v", tt.name, n, name, data, err)
				}
			}
			if left, _ := os.ReadDir(other); len(left) > 0 {
				t.Errorf("%s: %d files were written through the link", tt.name, len(left))
			}
		}
	}
}
