package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

const (
	pageFolder = "pages"
	fullFolder = "full"

	// maxPage bounds a page of a list, in bytes; see pages.
	maxPage = 1 << 20
	// shardEntries is how many entries a shard of the whole has at most on average:
	// some 500 KiB.
	shardEntries = 128
)

// FullShards is api/v1/full/index.json: where the shards of full.json are. Which
// shard an entry stands in comes from its kind and id alone, so that a change to one entry
// changes one shard. When the registry has doubled there are twice as many.
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
	bits := 0
	for len(b.all) > shardEntries<<bits {
		bits++
	}
	shards := make([][]*Facts, 1<<bits)
	for _, f := range b.all {
		sum := sha256.Sum256([]byte(f.Ref.String()))
		n := binary.BigEndian.Uint32(sum[:]) >> (32 - bits)
		shards[n] = append(shards[n], f)
	}
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

// ListPages is api/v1/<folder>/pages/index.json: where the pages of a list are.
type ListPages struct {
	Envelope
	Kind  string        `json:"kind"`
	Total int           `json:"total"`
	Items []PageSummary `json:"items"` // in the order of the list
}

// PageSummary says where a page of a list is, and which ids it spans.
type PageSummary struct {
	Path      string  `json:"path"`
	ItemCount int     `json:"item_count"`
	FirstID   *string `json:"first_id"` // null in the page of an empty list
	LastID    *string `json:"last_id"`
	Digest    string  `json:"digest"` // of its items
}

// ListPage is api/v1/<folder>/pages/<number>.json: a part of a list, under 1 MiB.
type ListPage struct {
	Envelope
	Kind     string  `json:"kind"`
	Total    int     `json:"total"` // of its items
	NextPath *string `json:"next_path"`
	Digest   string  `json:"digest"`
	Items    []Item  `json:"items"`
}

// pages writes a list in pages. Where one ends depends on the items near there and
// not on how many come before, so that most pages keep their bytes when an entry
// comes or goes, unless that makes a page more or less.
func (b *builder) pages(k entry.Kind, live []*Facts) error {
	chunks := paged(live)
	out := ListPages{Envelope: b.envelope(), Kind: k.Name, Total: len(chunks)}
	name := func(n int) string { return fmt.Sprintf("%s/%s/%06d.json", k.Folder, pageFolder, n+1) }
	for n, chunk := range chunks {
		rows, of := each(chunk, func(f *Facts) row { return f.item }), madeOf(partItem, chunk)
		digest, err := b.digest(name(n), of, rows)
		if err != nil {
			return err
		}
		page := ListPage{Envelope: b.envelope(), Kind: k.Name, Total: len(rows), Digest: digest, Items: []Item{}}
		if n+1 < len(chunks) {
			page.NextPath = known(name(n + 1))
		}
		if err := b.putRows(name(n), page, "items", of, rows); err != nil {
			return err
		}
		s := PageSummary{Path: name(n), ItemCount: len(rows), Digest: page.Digest}
		if len(chunk) > 0 {
			s.FirstID, s.LastID = known(chunk[0].Ref.ID), known(chunk[len(chunk)-1].Ref.ID)
		}
		out.Items = append(out.Items, s)
	}
	return b.put(k.Folder+"/"+pageFolder+"/index.json", out)
}

// paged cuts a list where a page is half full and an id's hash says so, or where it
// is full. There is one page at least.
func paged(live []*Facts) [][]*Facts {
	const room = maxPage - 64<<10 // the rest is for the envelope
	var chunks [][]*Facts
	start, size := 0, 0
	for i, f := range live {
		n := int(f.item.size) + len(",\n    ")
		if i > start && size+n > room {
			chunks, start, size = append(chunks, live[start:i]), i, 0
		}
		size += n
		if sum := sha256.Sum256([]byte(f.Ref.ID)); size > room/2 && sum[0] == 0 {
			chunks, start, size = append(chunks, live[start:i+1]), i+1, 0
		}
	}
	if start < len(live) || len(chunks) == 0 {
		chunks = append(chunks, live[start:])
	}
	return chunks
}
