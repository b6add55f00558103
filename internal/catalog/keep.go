package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// Keep keeps facts from run to run in a folder outside the repository. All of it may
// be deleted. What is damaged, of another version or made of anything else is not
// used: the entry is read again. It holds the entries of one registry as they are, and no more.
//
// Each file holds a run of entries in the order of the catalog, so that a change to one
// entry writes one file. It begins with the facts, under a checksum, and ends with the rows,
// each under its own: these are read where a file of the catalog has to be written. What of
// them was damaged is found then, and is a *KeptError. Rows of one sort lie one after the
// other, as they are read.
type Keep struct {
	dir     string
	general [sha256.Size]byte
	spool   *Spool // holds the files open; nil is that rows are in memory
	by      map[entry.Ref]*Facts
	runs    map[string][]*Facts // that stand in files, by name

	sums    map[string]sumOf // of files about many entries: what was told of them
	mu      sync.Mutex
	nowSums map[string]sumOf // and what is now
	newSums bool             // there are others now
}

// runsWanted is in how many files facts are kept, within a factor of two. At ten
// thousand entries with assessments each has some seventy, in 2 MB.
const runsWanted = 256

// maxKept bounds one of them, in bytes.
const maxKept = 1 << 30

// keepMagic changes with the form of kept facts, and with what facts mean.
const keepMagic = "dpg facts 4\n"

// OpenKeep reads the facts that are kept in a folder; "" keeps none. general is a
// hash of all that they depend on and that is of no single entry: the program,
// settings, policy and frameworks. Their rows stay where they are until the spool is
// closed; without one they are read too.
func OpenKeep(dir string, general [sha256.Size]byte, spool *Spool) *Keep {
	k := NewKeep(dir, general)
	if dir == "" {
		return k
	}
	k.spool = spool
	for _, name := range k.names() {
		k.read(name)
	}
	k.readSums()
	return k
}

// NewKeep is OpenKeep for a folder of which nothing is to be used.
func NewKeep(dir string, general [sha256.Size]byte) *Keep {
	return &Keep{dir: dir, general: general, by: map[entry.Ref]*Facts{}, runs: map[string][]*Facts{}, sums: map[string]sumOf{}, nowSums: map[string]sumOf{}}
}

// runPrefix begins the names of files that hold runs.
const runPrefix = "run-"

// names are those of the files that hold runs.
func (k *Keep) names() []string {
	all, _ := os.ReadDir(k.dir) // what cannot be read is not kept
	var names []string
	for _, e := range all {
		if strings.HasPrefix(e.Name(), runPrefix) && len(names) < 2*runsWanted {
			names = append(names, e.Name())
		}
	}
	return names
}

func (k *Keep) path(name string) string { return filepath.Join(k.dir, name) }

func (k *Keep) sumsName() string { return k.path("sums") }

// cut cuts entries into runs, by the names of their files. Where one ends depends on the
// entry there, by which it is named, and on how many there are within a factor of two.
func cut(fs []*Facts) map[string][]*Facts {
	bits := 2 // a run has four entries or so at least: fewer would be files of next to nothing
	for len(fs) > runsWanted<<bits {
		bits++
	}
	runs := map[string][]*Facts{}
	start := 0
	for i, f := range fs {
		sum := sha256.Sum256([]byte(f.Ref.String()))
		if binary.BigEndian.Uint32(sum[:])>>(32-bits) == 0 {
			runs[runPrefix+hex.EncodeToString(sum[:8])] = fs[start : i+1]
			start = i + 1
		}
	}
	if start < len(fs) {
		runs[runPrefix+"last"] = fs[start:]
	}
	return runs
}

func (k *Keep) readSums() {
	data, whole := disk.ReadSealed(k.sumsName(), string(k.head()), maxKept)
	if !whole {
		return
	}
	c := &codec{data: data}
	sums := map[string]sumOf{}
	for len(c.data) > 0 && !c.bad {
		var name string
		var s sumOf
		c.text(&name)
		s.code(c)
		sums[name] = s
	}
	if !c.bad {
		k.sums = sums
	}
}

func (s *sumOf) code(c *codec) {
	c.hash((*[sha256.Size]byte)(&s.of))
	c.number(&s.size)
	c.hash(&s.sum)
}

// A keptFile is one that holds facts, open for their rows.
type keptFile struct{ *os.File }

// read takes in one of the files, if it will do.
func (k *Keep) read(name string) {
	if info, err := os.Lstat(k.path(name)); err != nil || !info.Mode().IsRegular() {
		return
	}
	opened, err := os.Open(k.path(name))
	if err != nil {
		return
	}
	f := &keptFile{opened}
	all, ok := k.factsIn(f)
	if !ok || k.spool == nil {
		f.Close()
	} else {
		k.spool.closeLater(f)
	}
	if !ok {
		return
	}
	k.runs[name] = all
	for _, x := range all {
		k.by[x.Ref] = x
	}
}

// keptHead is how long the beginning of such a file is: the magic, the general hash and how
// many bytes of facts follow.
const keptHead = len(keepMagic) + sha256.Size + 8

func (k *Keep) factsIn(f *keptFile) (all []*Facts, ok bool) {
	info, err := f.Stat()
	if err != nil || info.Size() > maxKept || info.Size() < int64(keptHead+crc32.Size) {
		return nil, false
	}
	head := make([]byte, keptHead)
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head[:keptHead-8], k.head()) {
		return nil, false
	}
	size := binary.LittleEndian.Uint64(head[keptHead-8:])
	if size > uint64(info.Size())-uint64(keptHead+crc32.Size) {
		return nil, false
	}
	data := slices.Grow(head, int(size)+crc32.Size)[:keptHead+int(size)+crc32.Size]
	if _, err := io.ReadFull(f, data[keptHead:]); err != nil {
		return nil, false
	}
	at := int64(len(data))
	data, whole := disk.Unseal(data, keepMagic)
	if !whole {
		return nil, false
	}
	c := &codec{data: data[keptHead-len(keepMagic):], words: map[string]string{}, rows: &block{from: f, at: at, size: info.Size() - at}}
	if k.spool == nil {
		c.rows.data, c.rows.from = make([]byte, c.rows.size), nil
		if _, err := f.ReadAt(c.rows.data, at); err != nil {
			return nil, false
		}
	}
	c.columns()
	for len(c.data) > 0 && !c.bad {
		x := new(Facts)
		x.code(c)
		all = append(all, x)
	}
	return all, !c.bad
}

func (k *Keep) head() []byte { return append([]byte(keepMagic), k.general[:]...) }

// write writes a file of facts with their rows. Where that cannot be done none stands
// there, and nothing is lost but time.
func (k *Keep) write(name string, fs []*Facts) {
	c := &codec{writing: true, reader: rowReader{blocks: true}, column: map[string]*column{}}
	for _, f := range fs {
		f.code(c)
	}
	facts := c.data
	c.data = binary.LittleEndian.AppendUint64(k.head(), 0)
	rows := c.columns()
	c.data = append(c.data, facts...)
	binary.LittleEndian.PutUint64(c.data[keptHead-8:], uint64(len(c.data)-keptHead))
	if c.bad || len(c.data)+len(rows) > maxKept {
		_ = os.Remove(k.path(name))
		return
	}
	_, _ = disk.WriteFile(k.path(name), append(disk.Seal(c.data), rows...))
}

// Find gives the facts that were made of these inputs, a hash of all that they
// depend on and that is of the entry; nil where there are none.
func (k *Keep) Find(ref entry.Ref, inputs [sha256.Size]byte) *Facts {
	if f := k.by[ref]; f != nil && f.inputs == inputs {
		return f
	}
	return nil
}

// Save keeps the facts of a catalog for the next run, with the inputs and judgements
// of those that are new. Where that fails, it is slower and nothing else.
func (k *Keep) Save(c *Catalog, note func(*Facts) (inputs [sha256.Size]byte, judged Judged, ok bool)) {
	if k.dir == "" {
		return
	}
	var all []*Facts
	for _, kind := range slices.Sorted(maps.Keys(c.Facts)) {
		for _, f := range c.Facts[kind] {
			if k.by[f.Ref] != f {
				inputs, judged, ok := note(f)
				if !ok {
					continue
				}
				f.inputs, f.Judged, f.altered = inputs, judged, true
			}
			all = append(all, f)
		}
	}
	runs := cut(all)
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		fs := runs[name]
		if slices.Equal(k.runs[name], fs) && !slices.ContainsFunc(fs, func(f *Facts) bool { return f.altered }) {
			continue
		}
		k.write(name, fs)
	}
	for _, name := range k.names() {
		if runs[name] == nil {
			_ = os.Remove(k.path(name))
		}
	}
	if k.newSums || len(k.sums) != len(k.nowSums) {
		c := &codec{writing: true, data: k.head()}
		for _, name := range slices.Sorted(maps.Keys(k.nowSums)) {
			s := k.nowSums[name]
			c.text(&name)
			s.code(c)
		}
		_, _ = disk.WriteFile(k.sumsName(), disk.Seal(c.data))
	}
}

// Judged is what a check found in the files of one entry, and for how long that
// holds: dated rules find other things on other days.
type Judged struct {
	Count diag.Count
	AsOf  string // the day it was judged at; "" where dated rules were not
	Until string // the first day on which it may be otherwise; "" is never
}

// On reports whether the judgement holds on a day.
func (j Judged) On(day string) bool {
	return j.AsOf == day || j.AsOf != "" && j.AsOf < day && (j.Until == "" || day < j.Until)
}

// Stands reports whether the facts' own files stand in a folder as they should.
func (f *Facts) Stands(s *Stored) bool {
	for i := range f.files {
		o := &f.files[i]
		if !s.has(o.fileSum) {
			return false
		}
		o.content = s.content(o.fileSum)
	}
	return true
}
