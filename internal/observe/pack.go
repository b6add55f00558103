package observe

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
)

// Bounds on what one repository may make of this machine's memory and time,
// however small the pack that it sends.
const (
	maxText     = 1 << 20   // bytes of a licence text
	maxTree     = 8 << 20   // bytes of a folder's listing
	maxKept     = 128 << 20 // bytes of all objects that are kept
	maxInflated = 1 << 30   // bytes of all objects, unpacked and let go
	maxObjects  = 4_000_000
	maxRounds   = 64 // over deltas whose base comes later in the pack
)

// objects are what came of packs, by hash. Only what may be needed is kept:
// commits, folders and small files.
type objects map[plumbing.Hash]*plumbing.MemoryObject

// A packReader takes a pack apart. go-git's own parser would keep all of it.
type packReader struct {
	into     objects
	byOffset map[int64]*plumbing.MemoryObject
	kept     int64
	pending  []delta
}

// A delta is an object given as the change of another.
type delta struct {
	at, base int64         // offsets in the pack; base is 0 where ref names it
	ref      plumbing.Hash // of the base
	data     []byte
}

// readPack adds the objects of a pack. The error is fetch.ErrTooLarge past a
// bound, the context's, or says that the pack is none.
func readPack(ctx context.Context, r io.Reader, into objects) error {
	p := &packReader{into: into, byOffset: map[int64]*plumbing.MemoryObject{}}
	s := packfile.NewScanner(r)
	_, count, err := s.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return fetch.ErrTooLarge
	}
	inflated := int64(0)
	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := s.NextObjectHeader()
		if err != nil {
			return err
		}
		if h.Length < 0 || h.Length > maxInflated-inflated {
			return fetch.ErrTooLarge
		}
		inflated += h.Length
		if h.Length > largest(h.Type) {
			if _, _, err := s.NextObject(io.Discard); err != nil {
				return err
			}
			continue
		}
		var buf bytes.Buffer
		if _, _, err := s.NextObject(&buf); err != nil {
			return err
		}
		if int64(buf.Len()) != h.Length {
			return errors.New("an object of the pack is shorter than it says")
		}
		if err := p.take(h, buf.Bytes()); err != nil {
			return err
		}
	}
	return p.settle(ctx)
}

// largest is the most bytes of an object that is kept.
func largest(t plumbing.ObjectType) int64 {
	if t == plumbing.TreeObject {
		return maxTree
	}
	return maxText
}

func (p *packReader) take(h *packfile.ObjectHeader, data []byte) error {
	switch h.Type {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject:
		return p.keep(h.Offset, h.Type, data)
	case plumbing.OFSDeltaObject:
		return p.resolve(delta{at: h.Offset, base: h.OffsetReference, data: data}, true)
	case plumbing.REFDeltaObject:
		return p.resolve(delta{at: h.Offset, ref: h.Reference, data: data}, true)
	}
	return nil // tags, which nobody asked for
}

func (p *packReader) keep(at int64, t plumbing.ObjectType, data []byte) error {
	if p.kept += int64(len(data)); p.kept > maxKept {
		return fetch.ErrTooLarge
	}
	o := new(plumbing.MemoryObject)
	o.SetType(t)
	if _, err := o.Write(data); err != nil {
		return err
	}
	p.byOffset[at] = o
	p.into[o.Hash()] = o
	return nil
}

// resolve applies a delta to its base. One whose base is not kept is not kept
// either; one whose base may still come is put aside.
func (p *packReader) resolve(d delta, aside bool) error {
	base := p.byOffset[d.base]
	if d.base == 0 {
		base = p.into[d.ref]
	}
	if base == nil {
		if aside && d.base == 0 {
			if p.kept += int64(len(d.data)); p.kept > maxKept {
				return fetch.ErrTooLarge
			}
			p.pending = append(p.pending, d)
		}
		return nil
	}
	if size, ok := targetSize(d.data); !ok || size > uint64(largest(base.Type())) {
		return nil
	}
	r, err := base.Reader()
	if err != nil {
		return err
	}
	from, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	data, err := packfile.PatchDelta(from, d.data)
	if err != nil {
		return err
	}
	return p.keep(d.at, base.Type(), data)
}

// settle resolves what was put aside, as long as that gets anywhere.
func (p *packReader) settle(ctx context.Context) error {
	for range maxRounds {
		todo := p.pending
		p.pending = nil
		for _, d := range todo {
			if err := ctx.Err(); err != nil {
				return err
			}
			if p.into[d.ref] == nil {
				p.pending = append(p.pending, d)
			} else if err := p.resolve(d, false); err != nil {
				return err
			}
		}
		if len(p.pending) == 0 || len(p.pending) == len(todo) {
			return nil
		}
	}
	return nil
}

// targetSize reads from the head of a delta how large its result will be.
func targetSize(delta []byte) (size uint64, ok bool) {
	for range 2 { // the base's size stands first
		size, delta, ok = leb128(delta)
		if !ok {
			return 0, false
		}
	}
	return size, true
}

func leb128(data []byte) (n uint64, rest []byte, ok bool) {
	for i, b := range data {
		if i == 9 {
			break
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return n, data[i+1:], true
		}
	}
	return 0, nil, false
}
