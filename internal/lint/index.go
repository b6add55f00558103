package lint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// An index says which files of a registry hold a key: a name, a repository, an
// id, or a reference to one. It holds 64-bit hashes, sorted, so that it is read
// from disk in one piece and searched as it is. Two keys of one hash cost a look
// at one file more and nothing else.
type index struct {
	tree  string   // id of the registry folder's Git tree
	files []string // paths relative to the registry folder; "" is a file that is gone
	keys  []keyAt  // by hash, then file
}

type keyAt struct {
	hash uint64
	file uint32
}

// The sorts of keys.
const (
	idKey    = "id "
	refKey   = "ref "   // "about" of another entry
	movedKey = "moved " // "moved_to"
)

// indexKeys lists the keys of an entry, those of its place first.
func indexKeys(d *registry.Doc) []string {
	keys := []string{idKey + d.Ref.String()}
	if d.Record == nil {
		return keys
	}
	eachMention(d, func(key string, _ mention) { keys = append(keys, key) })
	for _, r := range outgoing(d) {
		sort := refKey
		if r.pointer == "/status/moved_to" {
			sort = movedKey
		}
		keys = append(keys, sort+r.to.String())
	}
	return keys
}

// hashKey must be the same in every process and version: FNV-1a.
func hashKey(key string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * prime
	}
	return h
}

// with gives the files that hold a key.
func (x *index) with(key string) []string {
	hash := hashKey(key)
	i, _ := slices.BinarySearchFunc(x.keys, hash, func(k keyAt, h uint64) int { return cmp.Compare(k.hash, h) })
	var files []string
	for ; i < len(x.keys) && x.keys[i].hash == hash; i++ {
		if f := x.files[x.keys[i].file]; f != "" {
			files = append(files, f)
		}
	}
	return files
}

// replace takes the keys of some files out and puts those of documents in, whose
// paths start with prefix.
func (x *index) replace(gone map[string]bool, docs []*registry.Doc, prefix string) {
	for i, f := range x.files {
		if gone[f] {
			x.files[i] = ""
		}
	}
	// Files keep their order, so that the same tree gives the same bytes.
	old := x.files
	number := make([]uint32, len(old))
	x.files = nil
	for _, f := range old {
		if f != "" {
			x.files = append(x.files, f)
		}
	}
	for _, d := range docs {
		x.files = append(x.files, strings.TrimPrefix(d.Path, prefix+"/"))
	}
	slices.Sort(x.files)
	at := make(map[string]uint32, len(x.files))
	for i, f := range x.files {
		at[f] = uint32(i)
	}
	for i, f := range old {
		number[i] = at[f]
	}
	kept := x.keys[:0]
	for _, k := range x.keys {
		if old[k.file] != "" {
			kept = append(kept, keyAt{k.hash, number[k.file]})
		}
	}
	for _, d := range docs {
		file := at[strings.TrimPrefix(d.Path, prefix+"/")]
		for _, key := range indexKeys(d) {
			kept = append(kept, keyAt{hashKey(key), file})
		}
	}
	slices.SortFunc(kept, func(a, b keyAt) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.file, b.file)) })
	x.keys = slices.Compact(kept)
}

var errIndex = errors.New("the index is of another version, or damaged")

// indexMagic changes with the format and with what a key is.
const indexMagic = "dpg key index 2\n"

// encode writes the index: magic, tree, counts, paths, keys, checksum; numbers
// are little-endian.
func (x *index) encode() []byte {
	paths := strings.Join(x.files, "\n")
	b := make([]byte, 0, len(indexMagic)+40+12+len(paths)+12*len(x.keys)+4)
	b = append(b, indexMagic...)
	b = append(b, x.tree...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(paths)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(x.files)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(x.keys)))
	b = append(b, paths...)
	for _, k := range x.keys {
		b = binary.LittleEndian.AppendUint64(b, k.hash)
		b = binary.LittleEndian.AppendUint32(b, k.file)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// decodeIndex reads what encode wrote, and nothing else.
func decodeIndex(b []byte) (*index, error) {
	const head = len(indexMagic) + 40 + 12
	if len(b) < head+4 || !bytes.HasPrefix(b, []byte(indexMagic)) {
		return nil, errIndex
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errIndex
	}
	x := &index{tree: string(b[len(indexMagic) : len(indexMagic)+40])}
	counts := body[head-12 : head]
	paths, files, keys := binary.LittleEndian.Uint32(counts), binary.LittleEndian.Uint32(counts[4:]), binary.LittleEndian.Uint32(counts[8:])
	if uint64(len(body)) != uint64(head)+uint64(paths)+12*uint64(keys) {
		return nil, errIndex
	}
	rest := body[head:]
	if paths > 0 {
		x.files = strings.Split(string(rest[:paths]), "\n")
	}
	if uint32(len(x.files)) != files {
		return nil, errIndex
	}
	x.keys = make([]keyAt, keys)
	for i := range x.keys {
		at := rest[int(paths)+12*i:]
		x.keys[i] = keyAt{binary.LittleEndian.Uint64(at), binary.LittleEndian.Uint32(at[8:])}
		if x.keys[i].file >= files {
			return nil, errIndex
		}
	}
	return x, nil
}

// A view is the registry as an index has it, but for some changed files. It is
// what a partly loaded registry knows of the rest.
type view struct {
	index *index
	kinds map[string]string // folder of a kind by its name
	gone  map[string]bool   // files of the index that are not there or have changed
	here  map[entry.Ref]string
}

// Find gives the path of an entry that is not loaded.
func (v *view) Find(ref entry.Ref) (string, bool) {
	if name, ok := v.here[ref]; ok {
		return name, true
	}
	for _, f := range v.index.with(idKey + ref.String()) {
		if !v.gone[f] && strings.HasPrefix(f, v.kinds[ref.Kind]+"/") && entry.FileID(f) == ref.ID {
			return f, true
		}
	}
	return "", false
}

// IDs lists all ids of a kind, in order of their files.
func (v *view) IDs(kind string) []string {
	var files []string
	for _, f := range v.index.files {
		if strings.HasPrefix(f, v.kinds[kind]+"/") && !v.gone[f] {
			files = append(files, f)
		}
	}
	for ref, f := range v.here {
		if ref.Kind == kind {
			files = append(files, f)
		}
	}
	slices.Sort(files)
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = entry.FileID(f)
	}
	return ids
}

var _ registry.Elsewhere = (*view)(nil)
