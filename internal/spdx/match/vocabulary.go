package match

import "encoding/binary"

// A vocabulary finds the id of a word: an open hash table, as every word of every
// text is asked for.
type vocabulary struct {
	mask  uint32
	slots []entry
}

type entry struct {
	start uint64 // the first eight bytes of the word, zeros behind a shorter one
	word  string // "" is free
	id    uint16
}

// startOf is the first eight bytes of a word as a number.
func startOf(w []byte) uint64 {
	if len(w) >= 8 {
		return binary.LittleEndian.Uint64(w)
	}
	n := uint64(0)
	for i, c := range w {
		n |= uint64(c) << (8 * i)
	}
	return n
}

// newVocabulary knows the words under their ids, and other spellings of them.
func newVocabulary(names []string) vocabulary {
	size := uint32(1024)
	for int(size) < 3*len(names) {
		size *= 2
	}
	v := vocabulary{size - 1, make([]entry, size)}
	for id, n := range names {
		if id > 0 && n != "" {
			v.slots[v.find([]byte(n), hashWord([]byte(n)))] = entry{startOf([]byte(n)), n, uint16(id)}
		}
	}
	for other, plain := range canonical() {
		if id := v.id([]byte(plain), hashWord([]byte(plain))); id != 0 {
			v.slots[v.find([]byte(other), hashWord([]byte(other)))] = entry{startOf([]byte(other)), other, id}
		}
	}
	return v
}

// The hash of a word is FNV-1a of its bytes in lower case.
const (
	hashStart = 2166136261
	hashStep  = 16777619
)

func hashWord(w []byte) uint32 {
	h := uint32(hashStart)
	for _, c := range w {
		h = (h ^ uint32(c)) * hashStep
	}
	return h
}

func (v *vocabulary) find(w []byte, h uint32) uint32 {
	start := startOf(w)
	for at := (h ^ h>>15) & v.mask; ; at = (at + 1) & v.mask {
		// The bytes of the word itself are elsewhere: for a short one there is no need.
		e := &v.slots[at]
		if e.word == "" || e.start == start && len(e.word) == len(w) && (len(w) <= 8 || e.word == string(w)) {
			return at
		}
	}
}

// id is that of a word in lower case with its hash, 0 for one that stands in no
// licence.
func (v *vocabulary) id(w []byte, h uint32) uint16 { return v.slots[v.find(w, h)].id }
