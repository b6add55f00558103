package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// names is what a listing names.
func names(l disk.Listing) (all []string) {
	for _, s := range append(append([]disk.Stamped(nil), l.Folders...), l.Files...) {
		all = append(all, s.Name)
	}
	return all
}

// Whatever somebody does to a folder, looking with notes of it finds what looking
// without them does.
func TestLookAgain(t *testing.T) {
	fill := func(t *testing.T, dir string, files map[string]string) {
		t.Helper()
		for name, text := range files {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	large := map[string]string{"a/b/one": "1", "a/two": "22", "a-b/three": "3", "four": "4", "empty/x": ""}
	for i := range 700 { // more than one goroutine looks at
		large["many/"+time.Unix(int64(i), 0).UTC().Format("150405")+"/index"] = "i"
	}
	for _, tt := range []struct {
		name string
		do   func(dir string) error
	}{
		{"nothing", func(string) error { return nil }},
		{"a file grew", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a/b/one"), []byte("11"), 0o644) }},
		{"a file was written in place with as many bytes", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a/b/one"), []byte("2"), 0o644) }},
		{"a file was cut", func(dir string) error { return os.Truncate(filepath.Join(dir, "a/two"), 0) }},
		{"a file went", func(dir string) error { return os.Remove(filepath.Join(dir, "a/two")) }},
		{"a folder went", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "a")) }},
		{"a file came", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a-b/new"), nil, 0o644) }},
		{"a file came before all", func(dir string) error { return os.WriteFile(filepath.Join(dir, "0"), nil, 0o644) }},
		{"a folder came", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "a/b/c/d"), 0o755) }},
		{"a file among many", func(dir string) error { return os.WriteFile(filepath.Join(dir, "many/000321/new"), nil, 0o644) }},
		{"a file became a link", func(dir string) error {
			name := filepath.Join(dir, "a/two")
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Symlink("b/one", name)
		}},
		{"a folder became a link to itself elsewhere", func(dir string) error {
			if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "z")); err != nil {
				return err
			}
			return os.Symlink("z", filepath.Join(dir, "a"))
		}},
		{"a folder became a file", func(dir string) error {
			if err := os.RemoveAll(filepath.Join(dir, "many")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "many"), nil, 0o644)
		}},
		{"an interrupted run", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "many/000321/.dpg-aside-x"), nil, 0o644)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, large)
			f := open(t, dir)
			defer f.Close()
			noted, err := f.Look(disk.Listing{})
			if err != nil {
				t.Fatal(err)
			}
			if len(noted.Files) != len(large) {
				t.Fatalf("%d files were seen, want %d", len(noted.Files), len(large))
			}
			tick(t)
			if err := tt.do(dir); err != nil {
				t.Fatal(err)
			}
			got, err := f.Look(noted)
			if err != nil {
				t.Fatal(err)
			}
			want, err := f.Look(disk.Listing{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Files, got.Files); diff != "" {
				t.Errorf("files (-without notes +with them):\n%s", diff)
			}
			if diff := cmp.Diff(names(want), names(got)); diff != "" {
				t.Errorf("names (-without notes +with them):\n%s", diff)
			}
			if _, err := os.Lstat(filepath.Join(dir, "many/000321/.dpg-aside-x")); err == nil {
				t.Error("what an interrupted run left is still there")
			}
		})
	}
}

// Notes may say anything.
func TestLookWithOddNotes(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a/x"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	defer f.Close()
	want, err := f.Look(disk.Listing{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		noted disk.Listing
		want  disk.Listing
	}{
		{"names that are none", disk.Listing{
			Folders: []disk.Stamped{{Name: ""}, {Name: "a/"}, {Name: "b/"}},
			Files:   []disk.Stamped{{Name: ""}, {Name: "/"}, {Name: "a/y"}, {Name: "b/x"}, {Name: "c/d/e"}},
		}, want},
		{"the folder itself is not noted", disk.Listing{Folders: want.Folders[1:], Files: want.Files}, want},
		// What a folder is noted by tells that these are its names: nothing is looked for besides.
		{"a folder in one that is as it was is not noted", disk.Listing{Folders: want.Folders[:1], Files: want.Files}, disk.Listing{Folders: want.Folders[:1], Files: []disk.Stamped{}}},
	} {
		got, err := f.Look(tt.noted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSeal(t *testing.T) {
	sealed := disk.Seal([]byte("title\nbody"))
	name := filepath.Join(t.TempDir(), "kept")
	for _, tt := range []struct {
		name, title string
		data        []byte
		max         int64
		want        string
		whole       bool
	}{
		{"whole", "title\n", sealed, 100, "body", true},
		{"another title", "other\n", sealed, 100, "", false},
		{"cut", "title\n", sealed[:len(sealed)-1], 100, "", false},
		{"longer", "title\n", append(append([]byte(nil), sealed...), 'x'), 100, "", false},
		{"another byte", "title\n", append([]byte("title\nBody"), sealed[10:]...), 100, "", false},
		{"empty", "title\n", nil, 100, "", false},
		{"no more than a title and a part", "title\n", []byte("title\nab"), 100, "", false},
		{"too large", "title\n", sealed, int64(len(sealed) - 1), "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(name, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, whole := disk.ReadSealed(name, tt.title, tt.max)
			if string(got) != tt.want || whole != tt.whole {
				t.Errorf("ReadSealed = %q, %t, want %q, %t", got, whole, tt.want, tt.whole)
			}
		})
	}
	if _, whole := disk.ReadSealed(filepath.Join(filepath.Dir(name), "none"), "title\n", 100); whole {
		t.Error("ReadSealed of no file is whole")
	}
	// A link is not what an earlier run left, whatever it leads to. For a named pipe,
	// which would have the reader wait, see plain.txtar.
	if err := os.WriteFile(name, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(name), "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if _, _, err := disk.ReadKept(link, 100); !errors.Is(err, disk.ErrIrregular) {
		t.Errorf("ReadKept of a link = %v, want ErrIrregular", err)
	}
	if got, info, err := disk.ReadKept(name, 100); string(got) != string(sealed) || err != nil || info.Size() != int64(len(sealed)) {
		t.Errorf("ReadKept = %q, %v, want %q", got, err, sealed)
	}
}

// tick waits until the clock of the file system goes on, which is coarse: what is
// changed then has another stamp.
func tick(t *testing.T) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "probe")
	var first disk.Stamp
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		switch at, err := disk.StampOf(name); {
		case err != nil:
			t.Fatal(err)
		case first == disk.Stamp{}:
			first = at
		case at != first:
			return
		}
	}
	t.Fatal("the clock of the file system stands still")
}
