package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// A row is the bytes that an entry has in a file about many entries, wherever they
// lie: those of a large registry are more than memory should hold. The zero value is
// none.
type row struct {
	in   *block
	off  int64 // in the block
	size uint32
	sum  uint32 // CRC-32C: what lies on a disk may have been damaged
}

// A block holds rows, as a rule those of one entry, one after the other.
type block struct {
	data []byte      // nil where from has them
	from io.ReaderAt // the spool or a kept file
	at   int64       // where in it the first row begins
	size int64       // of all rows
}

// add puts a row after the others of a block that is in memory.
func (b *block) add(data []byte) row {
	if len(data) == 0 {
		return row{}
	}
	r := row{b, b.size, uint32(len(data)), crc32.Checksum(data, castagnoli())}
	b.data = append(b.data, data...)
	b.size = int64(len(b.data))
	return r
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the library

// A KeptError says that what an earlier run kept was damaged after this one looked
// at it: to make the catalog without it is the way out.
type KeptError struct{ Err error }

func (e *KeptError) Error() string { return fmt.Sprintf("read what an earlier build kept: %v", e.Err) }

func (e *KeptError) Unwrap() error { return e.Err }

// A rowReader reads rows one after the other. Its zero value is ready to use.
type rowReader struct {
	// blocks is that whole blocks are read, for who wants most of their rows.
	blocks bool

	of   *block // that data is of
	data []byte
}

// read gives the bytes of a row, which are good until the next is read.
func (r *rowReader) read(x row) ([]byte, error) {
	if x.size == 0 {
		return nil, nil
	}
	if x.in.from == nil {
		return x.in.data[x.off:][:x.size], nil
	}
	var err error
	var data []byte
	if r.blocks {
		if r.of != x.in {
			err = r.fill(x.in, 0, x.in.size)
			r.of = x.in
		}
		data = r.data[x.off:][:x.size]
	} else {
		err = r.fill(x.in, x.off, int64(x.size))
		data = r.data
	}
	if err == nil && crc32.Checksum(data, castagnoli()) != x.sum {
		err = errors.New("it does not hold what was written")
	}
	if err != nil {
		r.of = nil
		if _, kept := x.in.from.(*keptFile); kept {
			return nil, &KeptError{err}
		}
		return nil, fmt.Errorf("read the temporary file of this build: %w", err)
	}
	return data, nil
}

func (r *rowReader) fill(b *block, off, size int64) error {
	r.data = slices.Grow(r.data[:0], int(size))[:size]
	_, err := b.from.ReadAt(r.data, b.at+off)
	return err
}

// writeRow writes the bytes of a row but for the first few.
func (r *rowReader) writeRow(w io.Writer, x row, but int) error {
	data, err := r.read(x)
	if err != nil || len(data) < but {
		return err
	}
	_, err = w.Write(data[but:])
	return err
}

// gather reads rows into memory, for who needs them more than once.
func gather(rows []row) ([]row, error) {
	size := 0
	for _, x := range rows {
		size += int(x.size)
	}
	all, out := &block{data: make([]byte, 0, size)}, make([]row, len(rows))
	var r rowReader
	for i, x := range rows {
		data, err := r.read(x)
		if err != nil {
			return nil, err
		}
		out[i] = all.add(data)
	}
	return out, nil
}

// rowsOf writes items as rows, in memory.
func rowsOf[T any](items []T) ([]row, error) {
	all, rows := &block{}, make([]row, len(items))
	for i, it := range items {
		data, err := compact(it)
		if err != nil {
			return nil, err
		}
		rows[i] = all.add(data)
	}
	return rows, nil
}

// bytesOf is a row by itself, in memory that nobody else uses.
func bytesOf(x row) ([]byte, error) {
	data, err := new(rowReader).read(x)
	return bytes.Clone(data), err
}
