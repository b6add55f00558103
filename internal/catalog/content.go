package catalog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// A content is the bytes of one file, wherever they are.
type content struct {
	size  int
	sum   [sha256.Size]byte
	data  []byte                // nil where write has them
	write func(io.Writer) error // gives the same bytes each time
}

func contentOf(data []byte) *content {
	if data == nil {
		data = []byte{}
	}
	return &content{size: len(data), sum: sha256.Sum256(data), data: data}
}

// contentBy runs write once for size and sum.
func contentBy(write func(io.Writer) error) (*content, error) {
	sum := sha256.New()
	n := &counter{}
	if err := write(io.MultiWriter(sum, n)); err != nil {
		return nil, err
	}
	c := &content{size: n.n, write: buffered(write)}
	sum.Sum(c.sum[:0])
	return c, nil
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func (c *content) writeTo(w io.Writer) error {
	if c.data == nil {
		return c.write(w)
	}
	_, err := w.Write(c.data)
	return err
}

// buffered puts small writes together, as a list's rows are.
func buffered(write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		if err := write(b); err != nil {
			return err
		}
		return b.Flush()
	}
}

func (c *content) bytes() ([]byte, error) {
	if c.data != nil {
		return c.data, nil
	}
	var b bytes.Buffer
	b.Grow(c.size)
	err := c.write(&b)
	return b.Bytes(), err
}

// A Spool keeps on disk what memory should not hold until it is written where it
// belongs: the files of single entries, their rows in files about many, and other large
// files. It also holds open what an earlier run kept, as long as rows may be read of it.
type Spool struct {
	file *disk.Scratch

	mu    sync.Mutex
	size  int64
	later []io.Closer
}

// NewSpool makes a spool in a temporary file, which Close deletes.
func NewSpool() (*Spool, error) {
	f, err := disk.NewScratch("dpg-build-")
	if err != nil {
		return nil, err
	}
	return &Spool{file: f}, nil
}

// Close deletes the spool, and closes what was kept by an earlier run.
func (s *Spool) Close() error {
	err := s.file.Close()
	for _, f := range s.later {
		err = errors.Join(err, f.Close())
	}
	s.later = nil
	return err
}

func (s *Spool) closeLater(f io.Closer) { s.later = append(s.later, f) }

// keep moves the bytes of a file from memory to the spool.
func (s *Spool) keep(c *content) (*content, error) {
	at, err := s.put(c.data)
	if err != nil {
		return nil, err
	}
	size := c.size // the function must not hold c, which holds the bytes
	return &content{size: size, sum: c.sum, write: func(w io.Writer) error {
		data := make([]byte, size)
		if _, err := s.file.ReadAt(data, at); err != nil {
			return err
		}
		_, err := w.Write(data)
		return err
	}}, nil
}

// put writes bytes to the spool and says where. It may be called from several
// goroutines.
func (s *Spool) put(data []byte) (at int64, err error) {
	s.mu.Lock()
	at = s.size
	s.size += int64(len(data))
	s.mu.Unlock()
	_, err = s.file.WriteAt(data, at)
	return at, err
}

// hold moves rows from memory to the spool; a nil spool leaves them there.
func (s *Spool) hold(b *block) (err error) {
	if s == nil {
		b.data = bytes.Clone(b.data) // without the room that they grew in
		return nil
	}
	if b.at, err = s.put(b.data); err == nil {
		b.from, b.data = s.file, nil
	}
	return err
}

// putRows adds a response whose list under key is made of rows, one a line. The
// head is the response with that list empty; key is that of a value of the response
// or of an object in it.
//
// of names what the rows were made of.
func (b *builder) putRows(name string, head any, key string, of made, rows []row) error {
	return b.putLists(name, head, []string{key}, of, [][]row{rows})
}

// putLists is putRows for several lists, in the order in which they stand.
func (b *builder) putLists(name string, head any, keys []string, of made, lists [][]row) error {
	rest, err := encode(head)
	if err != nil {
		return err
	}
	var parts [][]byte
	for _, key := range keys {
		before, after, err := split(rest, key)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		parts, rest = append(parts, before), after
	}
	return b.addMade(apiFolder+"/"+name, of, append(parts, rest), func(w io.Writer) error {
		for i, part := range parts {
			if err := writeBetween(w, part, lists[i], nil); err != nil {
				return err
			}
		}
		_, err := w.Write(rest)
		return err
	})
}

// split cuts a response where its empty list under a key is. No text of a response
// holds a line break, so that nothing else looks like it.
func split(data []byte, key string) (before, after []byte, err error) {
	for _, indent := range []string{"\n  ", "\n    "} {
		at := indent + `"` + key + `": []`
		if before, after, found := bytes.Cut(data, []byte(at)); found {
			return append(bytes.Clone(before), at[:len(at)-2]...), after, nil
		}
	}
	return nil, nil, fmt.Errorf("there is no empty list under %q", key)
}

func writeBetween(w io.Writer, before []byte, rows []row, after []byte) error {
	if _, err := w.Write(before); err != nil {
		return err
	}
	if err := writeList(w, rows, "  "); err != nil {
		return err
	}
	_, err := w.Write(after)
	return err
}

// writeRows writes a list that is a response by itself.
func writeRows(w io.Writer, rows []row, indent string) error {
	if err := writeList(w, rows, indent); err != nil {
		return err
	}
	_, err := w.Write(newline)
	return err
}

func writeList(w io.Writer, rows []row, indent string) error {
	if len(rows) == 0 {
		_, err := io.WriteString(w, "[]")
		return err
	}
	first, next := []byte("[\n"+indent+"  "), []byte(",\n"+indent+"  ")
	sep := first
	err := readRows(rows, func(row []byte) error {
		if _, err := w.Write(sep); err != nil {
			return err
		}
		sep = next
		_, err := w.Write(row)
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n"+indent+"]")
	return err
}

// digestOf is the SHA-256 of a list's items as they stand in the response, without
// the white space between tokens. Two lists with one digest hold the same.
func digestOf(rows []row) (string, error) {
	sum, err := digestSum(rows)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

func digestSum(rows []row) (out [sha256.Size]byte, err error) {
	sum := sha256.New()
	sep := "["
	err = readRows(rows, func(row []byte) error {
		io.WriteString(sum, sep)
		sep = ","
		_, err := sum.Write(row)
		return err
	})
	if len(rows) == 0 {
		io.WriteString(sum, sep)
	}
	io.WriteString(sum, "]")
	sum.Sum(out[:0])
	return out, err
}
