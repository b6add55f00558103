package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

const (
	fullFolder = "full"

	// shardEntries is how many entries a shard of the whole has at most on average:
	// some 500 KiB, and fewer where entries are large.
	shardEntries = 128
)

// FullShards is api/v1/full/index.json: where the shards of full.json are. Which
// shard an entry stands in comes from its kind and id alone, so that a change to one entry
// changes one shard. When the registry has doubled there are twice as many. None is over 1 MiB.
type FullShards struct {
	Envelope
	Total int         `json:"total"`
	Items []FullShard `json:"items"`
}

// FullShard says where a part of all entries is.
type FullShard struct {
	ID         string `json:"id"`
	Path       string `json:"path"`
	EntryCount int    `json:"entry_count"`
	Digest     string `json:"digest"` // of its items
}

// FullShardResponse is api/v1/full/<id>.json: every entry of a shard, by kind in the
// order of the index and then by id.
type FullShardResponse struct {
	Envelope
	ID     string  `json:"id"`
	Total  int     `json:"total"`
	Digest string  `json:"digest"`
	Items  []Entry `json:"items"`
}

// full writes every entry in one file, and the same in shards.
func (b *builder) full() error {
	full := Full{Envelope: b.envelope(), Origin: b.cat.origin, Entries: map[string][]Entry{}}
	for _, k := range b.in.Registry.Kinds {
		full.Entries[k.Name] = []Entry{}
	}
	keys := slices.Sorted(maps.Keys(full.Entries))
	var lists [][]row
	for _, key := range keys {
		lists = append(lists, each(b.kinds[key], func(f *Facts) row { return f.row }))
	}
	if err := b.putLists("full.json", full, keys, madeOf(partRow, b.all), lists); err != nil {
		return err
	}
	bits, shards := b.shards()
	out := FullShards{Envelope: b.envelope(), Total: len(shards)}
	for n, fs := range shards {
		rows, of := each(fs, func(f *Facts) row { return f.row }), madeOf(partRow, fs)
		id := fmt.Sprintf("%0*x", (bits+3)/4, n)
		if bits == 0 {
			id = "0"
		}
		s := FullShard{ID: id, Path: fullFolder + "/" + id + ".json", EntryCount: len(rows)}
		var err error
		if s.Digest, err = b.digest(s.Path, of, rows); err != nil {
			return err
		}
		if err := b.putRows(s.Path, FullShardResponse{b.envelope(), s.ID, len(rows), s.Digest, []Entry{}}, "items", of, rows); err != nil {
			return err
		}
		out.Items = append(out.Items, s)
	}
	return b.put(fullFolder+"/index.json", out)
}

// shards splits the entries in 2^bits parts, none over 1 MiB but for one that is a
// single larger entry.
func (b *builder) shards() (bits int, shards [][]*Facts) {
	for len(b.all) > shardEntries<<bits {
		bits++
	}
	for {
		shards = make([][]*Facts, 1<<bits)
		sizes, large := make([]int, 1<<bits), false
		for _, f := range b.all {
			sum := sha256.Sum256([]byte(f.Ref.String()))
			n := binary.BigEndian.Uint32(sum[:]) >> (32 - bits)
			shards[n] = append(shards[n], f)
			sizes[n] += inList(f.row)
			large = large || sizes[n] > pageRoom && len(shards[n]) > 1
		}
		// Where two large entries are alike in their hashes, more shards would not end it.
		if !large || len(shards) > len(b.all) {
			return bits, shards
		}
		bits++
	}
}
