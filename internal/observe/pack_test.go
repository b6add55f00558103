package observe

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
)

// objectHeader says of an object in a pack what it is and how long.
func objectHeader(kind byte, size int64) []byte {
	b := []byte{kind<<4 | byte(size&0xf)}
	for size >>= 4; size > 0; size >>= 7 {
		b[len(b)-1] |= 0x80
		b = append(b, byte(size&0x7f))
	}
	return b
}

func writeObject(w *bytes.Buffer, kind byte, data []byte) {
	w.Write(objectHeader(kind, int64(len(data))))
	writeZlib(w, data)
}

func writeZlib(w io.Writer, data []byte) {
	z := zlib.NewWriter(w)
	z.Write(data)
	z.Close()
}

func pack(count int, body []byte) []byte {
	head := append([]byte("PACK\x00\x00\x00\x02"), binary.BigEndian.AppendUint32(nil, uint32(count))...)
	p := append(head, body...)
	sum := sha1.Sum(p)
	return append(p, sum[:]...)
}

func hashOf(data string) plumbing.Hash {
	return plumbing.ComputeHash(plumbing.BlobObject, []byte(data))
}

// uleb writes a number as deltas do.
func uleb(n uint64) []byte {
	var b []byte
	for {
		c := byte(n & 0x7f)
		if n >>= 7; n == 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func TestReadPack(t *testing.T) {
	base := strings.Repeat("a licence text ", 20)
	change := func(target uint64, copies int) []byte { // "x", then the base so many times
		d := append(uleb(uint64(len(base))), uleb(target)...)
		d = append(d, 1, 'x')
		for range copies {
			d = append(d, 0x80|0x10|0x20, byte(len(base)), byte(len(base)>>8))
		}
		return d
	}
	once := "x" + base
	var body bytes.Buffer
	writeObject(&body, 3, []byte(base)) // at 12
	ofs := body.Len()
	d := change(uint64(len(once)), 1)
	body.Write(objectHeader(6, int64(len(d))))
	body.WriteByte(byte(ofs)) // how far back the base is
	writeZlib(&body, d)
	// One whose base comes after it.
	later := "x" + once
	d2 := append(append(uleb(uint64(len(once))), uleb(uint64(len(later)))...), 1, 'x', 0x80|0x10|0x20, byte(len(once)), byte(len(once)>>8))
	var front bytes.Buffer
	h := hashOf(once)
	front.Write(objectHeader(7, int64(len(d2))))
	front.Write(h[:])
	writeZlib(&front, d2)
	front.Write(body.Bytes())

	got := objects{}
	if ofs > 127 {
		t.Fatal("the offset needs more than a byte")
	}
	if err := readPack(t.Context(), bytes.NewReader(pack(3, front.Bytes())), got); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{base, once, later} {
		o := got[hashOf(text)]
		if o == nil {
			t.Fatalf("a text of %d bytes is missing", len(text))
		}
		if data, err := content(o); err != nil || string(data) != text {
			t.Errorf("got %q, %v", data, err)
		}
	}
}

func TestPackBounds(t *testing.T) {
	base := strings.Repeat("b", 0xffff)
	var grown bytes.Buffer // a small delta that makes 64 MiB of it
	writeObject(&grown, 3, []byte(base))
	d := append(uleb(uint64(len(base))), uleb(64<<20)...)
	for range 1000 {
		d = append(d, 0x80|0x10|0x20, 0xff, 0xff)
	}
	grown.Write(objectHeader(7, int64(len(d))))
	h := hashOf(base)
	grown.Write(h[:])
	writeZlib(&grown, d)

	var longer bytes.Buffer // more than it says
	longer.Write(objectHeader(3, 10))
	writeZlib(&longer, make([]byte, 10_000))
	var shorter bytes.Buffer // less than it says
	shorter.Write(objectHeader(3, 10))
	writeZlib(&shorter, make([]byte, 5))
	var large bytes.Buffer // not kept
	writeObject(&large, 3, make([]byte, maxText+1))

	tests := []struct {
		name  string
		pack  []byte
		kept  int
		fails bool
		large bool
	}{
		{"delta that grows", pack(2, grown.Bytes()), 1, false, false},
		{"longer than it says", pack(1, longer.Bytes()), 0, true, false},
		{"shorter than it says", pack(1, shorter.Bytes()), 0, true, false},
		{"large", pack(1, large.Bytes()), 0, false, false},
		{"says to be huge", pack(1, objectHeader(3, 1<<50)), 0, true, true},
		{"says to have many", pack(1<<31, nil), 0, true, true},
		{"cut", pack(2, grown.Bytes())[:40], 0, true, false},
		{"empty", nil, 0, true, false},
		{"no pack", []byte("<html>"), 0, true, false},
	}
	for _, tt := range tests {
		got := objects{}
		err := readPack(t.Context(), bytes.NewReader(tt.pack), got)
		if (err != nil) != tt.fails || errors.Is(err, fetch.ErrTooLarge) != tt.large || !tt.fails && len(got) != tt.kept {
			t.Errorf("%s: %d objects, %v", tt.name, len(got), err)
		}
	}
}

func FuzzReadPack(f *testing.F) {
	var body bytes.Buffer
	writeObject(&body, 3, []byte("text"))
	writeObject(&body, 2, []byte("100644 LICENSE\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add(pack(2, body.Bytes()))
	f.Add(pack(1, objectHeader(6, 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := objects{}
		if err := readPack(t.Context(), bytes.NewReader(data), got); err != nil {
			return
		}
		r := &remote{objects: got}
		for h, o := range got {
			if h != o.Hash() {
				t.Errorf("object %s is kept as %s", o.Hash(), h)
			}
			if o.Type() == plumbing.TreeObject {
				_, _, _ = r.list(h) // must come back
			}
		}
	})
}
