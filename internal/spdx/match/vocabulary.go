package match

import "encoding/binary"

// A vocabulary finds the id of a word: an open hash table, as every word of every
// text is asked for. What is looked at for each word is small, to stay near the
// processor: the words themselves are kept apart, the common ones beside each other.
type vocabulary struct {
	mask    uint32
	slots   []slotOf
	entries []entry // the first is no word
}

type slotOf struct {
	hash uint32
	at   uint32 // in entries; 0 is free
}

type entry struct {
	start uint64 // the first eight bytes of the word, zeros behind a shorter one
	word  string
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
	for int(size) < 2*len(names) {
		size *= 2
	}
	v := vocabulary{size - 1, make([]slotOf, size), make([]entry, 1, len(names)+256)}
	add := func(word string, id uint16) {
		w := []byte(word)
		h := hashWord(w)
		at := h ^ h>>15
		for v.slots[at&v.mask].at != 0 {
			at++
		}
		v.slots[at&v.mask] = slotOf{h, uint32(len(v.entries))}
		v.entries = append(v.entries, entry{startOf(w), word, id})
	}
	for id, n := range names {
		if id > 0 && n != "" {
			add(n, uint16(id))
		}
	}
	for other, plain := range canonical() {
		id := v.id([]byte(plain), hashWord([]byte(plain)))
		if id != 0 && v.id([]byte(other), hashWord([]byte(other))) == 0 {
			add(other, id)
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

// id is that of a word in lower case with its hash, 0 for one that stands in no
// licence.
func (v *vocabulary) id(w []byte, h uint32) uint16 {
	for at := h ^ h>>15; ; at++ {
		s := v.slots[at&v.mask]
		if s.at == 0 {
			return 0
		}
		if s.hash != h {
			continue
		}
		e := &v.entries[s.at]
		if e.start == startOf(w) && len(e.word) == len(w) && (len(w) <= 8 || e.word == string(w)) {
			return e.id
		}
	}
}
