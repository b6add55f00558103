package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// A File is what ReplaceAll writes at a name, a slash-separated path in the folder.
type File struct {
	Name string
	Data func(io.Writer) error // called once, perhaps from another goroutine
}

const (
	// A batch is what stands aside at one time: disks need room for it, and a killed
	// run leaves no more.
	batchFiles = 8192
	// Up to so many files are synced one by one, all at a time: the disk writes them
	// together. For more it costs less to sync the file system, others' files too.
	fewFiles = 64
	// More than these are written by several goroutines, a run of names each.
	inTurn, runFiles = 512, 128
)

// ReplaceAll is Write for many files, jobs of them at a time, whatever stands at their
// names now and without all their bytes in memory. It gives their stamps. The bytes of a
// file are on the disk before it has its name, and when this returns all the names are,
// as far as the file system lets folders be synced; but the disk is waited for a few
// times in all and not twice for each file. After an error some of the files are
// replaced, and nothing is left aside.
func (f *Folder) ReplaceAll(files []File, jobs int) ([]Stamp, error) {
	stamps := make([]Stamp, 0, len(files))
	for batch := range slices.Chunk(files, batchFiles) {
		t := &together{f: f, files: batch, stamps: make([]Stamp, len(batch)), jobs: max(jobs, 1)}
		if err := t.replace(); err != nil {
			return nil, err
		}
		stamps = append(stamps, t.stamps...)
	}
	return stamps, f.syncDirs(files)
}

// together is a batch.
type together struct {
	f      *Folder
	files  []File
	stamps []Stamp
	jobs   int
}

func (t *together) replace() error {
	err := t.each(t.aside)
	if err == nil {
		err = t.sync()
	}
	if err == nil {
		err = t.each(t.rename)
	}
	if err != nil {
		for _, file := range t.files { // those that have their name by now are not aside
			_ = t.f.root.Remove(asideOf(file.Name))
		}
	}
	return err
}

// each visits the files, those of one folder one after the other with that folder
// open: finding it anew for every step would cost more than the step.
func (t *together) each(visit func(dir *os.Root, n int) error) error {
	var work errgroup.Group
	work.SetLimit(t.jobs)
	if len(t.files) <= inTurn {
		work.SetLimit(1)
	}
	for start := 0; start < len(t.files); {
		dir, end := path.Dir(t.files[start].Name), start+1
		for end < len(t.files) && end < start+runFiles && path.Dir(t.files[end].Name) == dir {
			end++
		}
		from := start
		work.Go(func() error {
			n := from
			err := t.f.within(dir, func(root *os.Root) (err error) {
				for ; n < end && err == nil; n++ {
					err = visit(root, n)
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("write %s: %w", filepath.Join(t.f.name, t.files[max(n-1, from)].Name), Explain(err))
			}
			return nil
		})
		start = end
	}
	return work.Wait()
}

// within opens a folder in the folder, and makes it if need be.
func (f *Folder) within(dir string, do func(*os.Root) error) error {
	root, err := f.root.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.root.MkdirAll(dir, 0o755); err == nil {
			root, err = f.root.OpenRoot(dir)
		}
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}

func (t *together) aside(dir *os.Root, n int) error {
	aside := asidePrefix + path.Base(t.files[n].Name)
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	w, err := dir.OpenFile(aside, flags, 0o644)
	if errors.Is(err, fs.ErrExist) { // what a crash left; see replace
		if err := dir.Remove(aside); err != nil {
			return err
		}
		w, err = dir.OpenFile(aside, flags, 0o644)
	}
	if err != nil {
		return err
	}
	return errors.Join(t.files[n].Data(w), w.Close())
}

// sync waits until all that stands aside is on the disk.
func (t *together) sync() error {
	if len(t.files) > fewFiles {
		switch done, err := syncAll(t.f.lock); {
		case err != nil:
			return fmt.Errorf("write to %s: %w", t.f.name, Explain(err))
		case done:
			return nil
		}
	}
	var work errgroup.Group
	work.SetLimit(fewFiles)
	for _, file := range t.files {
		work.Go(func() error {
			if err := t.f.syncFile(asideOf(file.Name)); err != nil {
				return fmt.Errorf("write %s: %w", filepath.Join(t.f.name, file.Name), Explain(err))
			}
			return nil
		})
	}
	return work.Wait()
}

func (f *Folder) syncFile(name string) error {
	// Some systems sync what is open for writing only.
	w, err := f.root.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(w.Sync(), w.Close())
}

func (t *together) rename(dir *os.Root, n int) error {
	base := path.Base(t.files[n].Name)
	if err := dir.Rename(asidePrefix+base, base); err != nil {
		return err
	}
	info, err := dir.Lstat(base)
	if err != nil {
		return err
	}
	t.stamps[n] = stampOf(info)
	return nil
}

// syncDirs makes the renames last, and the folders that were made for them.
func (f *Folder) syncDirs(files []File) error {
	if len(files) > fewFiles {
		switch done, err := syncAll(f.lock); {
		case err != nil:
			return fmt.Errorf("write to %s: %w", f.name, Explain(err))
		case done:
			return nil
		}
	}
	seen := map[string]bool{}
	var work errgroup.Group
	work.SetLimit(fewFiles)
	for _, file := range files {
		for dir := path.Dir(file.Name); !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			work.Go(func() error { return f.syncDir(dir) })
		}
	}
	return work.Wait()
}
