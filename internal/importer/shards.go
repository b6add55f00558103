package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	pub "github.com/dpg-registry/dpg-registry/internal/published"
)

const (
	// shardsName is where a catalog says which shards its entries are in, relative to
	// api/v1/.
	shardsName = "full/index.json"

	maxShards = 1 << 16
	maxShared = 1 << 30 // bytes of all shards
	// shardsAtOnce are read at a time: more would be a burden to a small server.
	shardsAtOnce = 4
)

// shards reads every entry from the shards that an index lists, each held against
// the digest that it tells. The entries come in the order of full.json.
func (b *Batch) shards(ctx context.Context, s *Source, at string, data []byte) ([]published, error) {
	var index catalog.FullShards
	if err := readJSON(at+shardsName, data, &index); err != nil {
		return nil, err
	}
	if err := readable(at+shardsName, index.Envelope); err != nil {
		return nil, err
	}
	if len(index.Items) > maxShards {
		return nil, formatf("%s lists %d shards, and at most %d are read", at+shardsName, len(index.Items), maxShards)
	}
	entries := 0
	for _, shard := range index.Items {
		if !fs.ValidPath(shard.Path) || shard.EntryCount < 0 || shard.EntryCount > maxRecords {
			return nil, formatf("%s lists a shard at %q with %d entries, which no catalog does", at+shardsName, clip(shard.Path), shard.EntryCount)
		}
		entries += shard.EntryCount
		if err := fewEnough(at+shardsName, entries); err != nil {
			return nil, err
		}
	}
	parts := make([][]published, len(index.Items))
	var read atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(shardsAtOnce)
	for n, shard := range index.Items {
		work.Go(func() (err error) {
			parts[n], err = readShard(ctx, s, at, shard, &read)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	records := slices.Concat(parts...)
	slices.SortStableFunc(records, func(x, y published) int { return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.id, y.id)) })
	return records, nil
}

// readShard reads the entries of one shard. read counts the bytes of all.
func readShard(ctx context.Context, s *Source, at string, shard catalog.FullShard, read *atomic.Int64) ([]published, error) {
	name := at + shard.Path
	data, err := s.read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, formatf("%s is not there, and %s lists it", name, at+shardsName)
	}
	if err != nil {
		return nil, err
	}
	if read.Add(int64(len(data))) > maxShared {
		return nil, formatf("the shards of %s are larger than the %d MiB that are read", s.Name, maxShared>>20)
	}
	var part struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := readJSON(name, data, &part); err != nil {
		return nil, err
	}
	if len(part.Items) != shard.EntryCount || pub.Digest(part.Items) != shard.Digest {
		return nil, formatf("%s is not as %s says; if it was published just now, run this again", name, at+shardsName)
	}
	var records []published
	for i, raw := range part.Items {
		p := published{label: fmt.Sprintf("%s#/items/%d", shard.Path, i), raw: raw}
		var known struct {
			Kind string `json:"kind"`
			ID   string `json:"id"`
		}
		if json.Unmarshal(raw, &known) == nil { // else it is refused in time
			p.kind, p.id = known.Kind, known.ID
		}
		records = append(records, p)
	}
	return records, nil
}
