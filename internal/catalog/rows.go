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

// A block holds rows: those of one entry, or all those of a kept file.
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

// A rowReader reads rows. Its zero value is ready to use.
type rowReader struct {
	// blocks is that whole blocks are read, for who wants most of their rows.
	blocks bool

	of   *block // that data is the whole of
	data []byte
}

// atOnce bounds what is read at a time of rows that lie one after the other, in bytes.
const atOnce = 256 << 10

// readRows visits the bytes of rows, which are good until the next is visited. Rows that
// lie one after the other are read together.
func readRows(rows []row, visit func([]byte) error) error {
	var r rowReader
	for len(rows) > 0 {
		first := rows[0]
		n, size := 1, int64(first.size)
		lies := first.in != nil && first.in.from != nil
		for lies && n < len(rows) && (rows[n].size == 0 || rows[n].in == first.in && rows[n].off == first.off+size && size+int64(rows[n].size) <= atOnce) {
			size += int64(rows[n].size)
			n++
		}
		if n > 1 {
			if err := r.fill(first.in, first.off, size); err != nil {
				return first.in.failed(err)
			}
			for _, x := range rows[:n] {
				var data []byte
				if x.size > 0 {
					data = r.data[x.off-first.off:][:x.size]
					if err := x.check(data); err != nil {
						return err
					}
				}
				if err := visit(data); err != nil {
					return err
				}
			}
			rows = rows[n:]
			continue
		}
		data, err := r.read(first)
		if err == nil {
			err = visit(data)
		}
		if err != nil {
			return err
		}
		rows = rows[1:]
	}
	return nil
}

// read gives the bytes of a row, which are good until the next is read.
func (r *rowReader) read(x row) ([]byte, error) {
	switch {
	case x.size == 0:
		return nil, nil
	case x.in.from == nil:
		return x.in.data[x.off:][:x.size], nil
	case !r.blocks:
		if err := r.fill(x.in, x.off, int64(x.size)); err != nil {
			return nil, x.in.failed(err)
		}
		return r.data, x.check(r.data)
	case r.of != x.in:
		r.of = nil
		if err := r.fill(x.in, 0, x.in.size); err != nil {
			return nil, x.in.failed(err)
		}
		r.of = x.in
	}
	data := r.data[x.off:][:x.size]
	return data, x.check(data)
}

func (r *rowReader) fill(b *block, off, size int64) error {
	r.data = slices.Grow(r.data[:0], int(size))[:size]
	_, err := b.from.ReadAt(r.data, b.at+off)
	return err
}

// check compares what was read with what was written.
func (x row) check(data []byte) error {
	if crc32.Checksum(data, castagnoli()) != x.sum {
		return x.in.failed(errors.New("it does not hold what was written"))
	}
	return nil
}

// failed says of what the rows of a block cannot be read.
func (b *block) failed(err error) error {
	if _, kept := b.from.(*keptFile); kept {
		return &KeptError{err}
	}
	return fmt.Errorf("read the temporary file of this build: %w", err)
}

// gather reads rows into memory, for who needs them more than once.
func gather(rows []row) ([]row, error) {
	size := 0
	for _, x := range rows {
		size += int(x.size)
	}
	all, out := &block{data: make([]byte, 0, size)}, make([]row, len(rows))
	i := 0
	err := readRows(rows, func(data []byte) error {
		out[i] = all.add(data)
		i++
		return nil
	})
	return out, err
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
