package disk

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A Stamped is what was seen under a name: slash-separated, below the folder that was
// looked at. That of a folder ends with a slash; "" is the folder itself.
type Stamped struct {
	Name  string
	Stamp Stamp
}

// A Listing is what stands in a folder: the folders, and the regular files in all of
// them, sorted by name. The stamp of a folder is from before it was read.
type Listing struct {
	Folders, Files []Stamped
}

// Look lists what stands in the folder, and clears what an interrupted run left. Where
// a folder has the stamp by which it was noted, the same names stand in it, and it is not
// read again; the stamps of its files are looked at all the same, since a file may be
// written in place. The zero Listing notes nothing; a folder is noted with the zero
// Stamp where its own is not to be relied on.
func (f *Folder) Look(noted Listing) (Listing, error) {
	l := &look{f: f, noted: noted, folders: make([]Stamp, len(noted.Folders)), files: make([]Stamp, len(noted.Files))}
	l.arrange()
	info, err := f.lock.Stat()
	if err != nil {
		return Listing{}, err
	}
	if err := l.folder(openedOf(f.lock), "", "", stampOf(info)); err != nil {
		return Listing{}, err
	}
	for _, name := range l.left {
		if err := f.Remove(name); err != nil {
			return Listing{}, fmt.Errorf("clear what an interrupted run left in %s: %w", f.name, Explain(err))
		}
	}
	return Listing{merge(noted.Folders, l.folders, l.moreFolders), merge(noted.Files, l.files, l.moreFiles)}, nil
}

// look is one look. What was noted and is there still has its stamp in folders and
// files, at the same place; the zero Stamp is for what is gone.
type look struct {
	f              *Folder
	noted          Listing
	places         map[string]int32 // of noted folders, by name
	inFiles        within
	inFolders      within
	folders, files []Stamp

	mu                     sync.Mutex
	moreFolders, moreFiles []Stamped
	left                   []string // files aside
}

// within is what was noted in each folder: for folder n these are the places
// all[from[n]:from[n+1]], in order of their names.
type within struct{ from, all []int32 }

func (w within) of(n int32) []int32 { return w.all[w.from[n]:w.from[n+1]] }

func (l *look) arrange() {
	l.places = make(map[string]int32, len(l.noted.Folders))
	for i, d := range l.noted.Folders {
		l.places[d.Name] = int32(i)
	}
	l.inFiles = l.by(l.noted.Files)
	l.inFolders = l.by(l.noted.Folders)
}

// by finds the folder of each. What is in none that was noted stays out.
func (l *look) by(all []Stamped) within {
	in := make([]int32, len(all))
	w := within{from: make([]int32, len(l.noted.Folders)+1)}
	last, at := "?", int32(-1)
	for i, s := range all {
		in[i] = -1
		if s.Name == "" {
			continue
		}
		dir := s.Name[:1+strings.LastIndexByte(s.Name[:len(s.Name)-1], '/')]
		if dir != last {
			last, at = dir, -1
			if n, known := l.places[dir]; known {
				at = n
			}
		}
		if in[i] = at; at >= 0 {
			w.from[at+1]++
		}
	}
	for n := range len(l.noted.Folders) {
		w.from[n+1] += w.from[n]
	}
	w.all = make([]int32, w.from[len(l.noted.Folders)])
	next := slices.Clone(w.from)
	for i, n := range in {
		if n >= 0 {
			w.all[next[n]] = int32(i)
			next[n]++
		}
	}
	return w
}

// A folder with fewer names is looked at from the one that it is in: opening it would
// cost more.
const fewNames = 8

// folder looks at a folder, of which at is open: itself, or one that it is in.
func (l *look) folder(at opened, rel, name string, stamp Stamp) error {
	n, known := l.places[name]
	if known {
		l.folders[n] = stamp
	} else {
		l.mu.Lock()
		l.moreFolders = append(l.moreFolders, Stamped{name, stamp})
		l.mu.Unlock()
	}
	same := known && stamp.Change != 0 && stamp == l.noted.Folders[n].Stamp
	if !same || rel != "" && len(l.inFiles.of(n))+len(l.inFolders.of(n)) > fewNames {
		d, err := os.Open(filepath.Join(l.f.name, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil {
			return err
		}
		defer d.Close()
		at, rel = openedOf(d), ""
	}
	if !same {
		return l.read(at, name, n, known)
	}
	files, folders := l.inFiles.of(n), l.inFolders.of(n)
	return several(len(files)+len(folders), func(k int) error {
		if k < len(files) {
			i := files[k]
			s, mode, err := at.stamp(rel + l.noted.Files[i].Name[len(name):])
			if err == nil && mode.IsRegular() {
				l.files[i] = s
			}
			return present(err)
		}
		below := l.noted.Folders[folders[k-len(files)]].Name
		base := below[len(name):]
		s, mode, err := at.stamp(rel + base[:len(base)-1])
		if err == nil && mode.IsDir() {
			return l.folder(at, rel+base, below, s)
		}
		return present(err)
	})
}

// present is an error but for that of what is not there.
func present(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// read looks at all names of an open folder.
func (l *look) read(at opened, name string, n int32, known bool) error {
	bases, err := at.Readdirnames(-1)
	if err != nil {
		return err
	}
	slices.Sort(bases)
	var files []int32
	if known {
		files = l.inFiles.of(n)
	}
	return several(len(bases), func(k int) error {
		base := bases[k]
		s, mode, err := at.stamp(base)
		switch {
		case err != nil:
			return present(err)
		case mode.IsDir():
			return l.folder(at, base+"/", name+base+"/", s)
		case !mode.IsRegular():
			return nil
		}
		place, there := slices.BinarySearchFunc(files, base, func(i int32, base string) int {
			return cmp.Compare(l.noted.Files[i].Name[len(name):], base)
		})
		if there && !Aside(base) {
			l.files[files[place]] = s
			return nil
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if Aside(base) {
			l.left = append(l.left, name+base)
		} else {
			l.moreFiles = append(l.moreFiles, Stamped{name + base, s})
		}
		return nil
	})
}

// several does n things, those of a long list by several goroutines.
func several(n int, do func(k int) error) error {
	const run = 256
	if n <= run {
		for k := range n {
			if err := do(k); err != nil {
				return err
			}
		}
		return nil
	}
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for start := 0; start < n; start += run {
		work.Go(func() error {
			for k := start; k < min(start+run, n); k++ {
				if err := do(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// merge gives what was noted and is there, and what is there besides, sorted.
func merge(noted []Stamped, now []Stamp, more []Stamped) []Stamped {
	slices.SortFunc(more, func(x, y Stamped) int { return cmp.Compare(x.Name, y.Name) })
	all := make([]Stamped, 0, len(noted)+len(more))
	for i, s := range noted {
		if now[i] == (Stamp{}) {
			continue
		}
		for len(more) > 0 && more[0].Name < s.Name {
			all, more = append(all, more[0]), more[1:]
		}
		all = append(all, Stamped{s.Name, now[i]})
	}
	return append(all, more...)
}

// StampFolders gives the stamps of folders as they are now, by their names in a
// Listing; one that is not there any more has none.
func (f *Folder) StampFolders(names []string) (map[string]Stamp, error) {
	stamps := map[string]Stamp{}
	at := openedOf(f.lock)
	for _, name := range names {
		switch s, mode, err := at.stamp(path.Clean(name)); {
		case present(err) != nil:
			return nil, err
		case err == nil && mode.IsDir():
			stamps[name] = s
		}
	}
	return stamps, nil
}
