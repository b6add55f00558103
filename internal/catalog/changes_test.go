package catalog

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
)

// happened is a log of n changes to made-up entries.
func happened(n int) *history.Log {
	log := &history.Log{}
	for i := range n {
		log.Changes = append(log.Changes, history.Change{
			Seq: i + 1, Action: history.Added, Ref: entry.Ref{Kind: "dpg", ID: fmt.Sprint("e", i)}, Stage: "nominee",
			Commit: strings.Repeat("ab", 20), At: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC),
		})
	}
	return log
}

// A full shard keeps its bytes; who goes on from a seq finds the rest.
func TestShards(t *testing.T) {
	in := small(t, nil)
	var before map[string][]byte
	var described []byte
	for _, n := range []int{0, 1, shardSize - 1, shardSize, shardSize + 1, 3*shardSize + 7} {
		in.History = happened(n)
		c := build(t, in)
		var index ChangesResponse
		decodeFile(t, c, "api/v1/changes.json", &index)
		if index.LastSeq != n || len(index.Shards) != (n+shardSize-1)/shardSize || len(index.Newest) != min(n, newestCount) {
			t.Fatalf("of %d changes: last_seq %d, %d shards, %d newest", n, index.LastSeq, len(index.Shards), len(index.Newest))
		}
		if n > 0 && index.Newest[0].Seq != n {
			t.Errorf("of %d changes the newest is %d", n, index.Newest[0].Seq)
		}
		if described != nil && !bytes.Equal(described, file(t, c, "api/v1/openapi.json")) {
			t.Errorf("openapi.json changed with %d changes", n)
		}
		if n > 0 {
			described = file(t, c, "api/v1/openapi.json")
		}
		seq, files := 0, map[string][]byte{}
		for i, s := range index.Shards {
			var shard ShardResponse
			decodeFile(t, c, "api/v1/"+s.Path, &shard)
			files[s.Path] = file(t, c, "api/v1/"+s.Path)
			if s.FirstSeq != seq+1 || shard.FirstSeq != s.FirstSeq || shard.LastSeq != s.LastSeq || shard.Digest != s.Digest || shard.Total != len(shard.Items) {
				t.Errorf("shard %d of %d changes is %+v in the index and has %d to %d", i, n, s, shard.FirstSeq, shard.LastSeq)
			}
			rows, err := rowsOf(shard.Items)
			if err != nil {
				t.Fatal(err)
			}
			if digest, err := digestOf(rows); err != nil || digest != s.Digest {
				t.Errorf("shard %d has the digest %s, %v; the index says %s", i, digest, err, s.Digest)
			}
			for _, item := range shard.Items {
				if seq++; item.Seq != seq {
					t.Fatalf("shard %d has seq %d where %d is due", i, item.Seq, seq)
				}
			}
			if full := len(shard.Items) == shardSize; full != (s.LastSeq == (i+1)*shardSize) || !full && i+1 < len(index.Shards) {
				t.Errorf("shard %d of %d changes ends with %d", i, n, s.LastSeq)
			}
		}
		if seq != n {
			t.Errorf("the shards have %d changes of %d", seq, n)
		}
		for name, data := range before {
			if bytes.Contains(data, fmt.Appendf(nil, `"total": %d,`, shardSize)) && !bytes.Equal(data, files[name]) {
				t.Errorf("%s was full, and changed with %d changes", name, n)
			}
		}
		before = files
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if len(files[name]) > 1<<20 {
				t.Errorf("%s has %d bytes, want at most 1 MiB", name, len(files[name]))
			}
		}
	}
}

func decodeFile(t *testing.T, c *Catalog, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(file(t, c, name), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// What RFC 4287 asks of a feed, whatever stands in the registry.
func TestFeed(t *testing.T) {
	const hostile = "]]></title><script>\x01\u202e&amp;"
	for name, in := range map[string]Input{
		"small": small(t, nil),
		"hostile": small(t, func(files map[string]string) {
			files["dpgs/alpha.yaml"] = "schema: dpg/v1\nid: alpha\nname: " + fmt.Sprintf("%q", strings.ReplaceAll(hostile, "\x01", "")) + "\ntypes: [software]\nstatus: {stage: dpg}\n"
			files["registry.yaml"] = "schema: registry/v1\nname: \" \"\nkinds: [dpg, resource]\n"
		}),
		"empty": func() Input { in := small(t, nil); in.History = &history.Log{}; return in }(),
	} {
		t.Run(name, func(t *testing.T) {
			data := file(t, build(t, in), "api/v1/changes.atom")
			var feed atomFeed
			if err := xml.Unmarshal(data, &feed); err != nil {
				t.Fatalf("%v\n%s", err, data)
			}
			if len(feed.Entries) != len(in.History.Changes) {
				t.Errorf("%d entries of %d changes", len(feed.Entries), len(in.History.Changes))
			}
			ids := map[string]bool{feed.ID: true}
			if feed.Title == "" || feed.Author == "" || feed.Links[0].Rel != "self" {
				t.Errorf("title %q, author %q, links %v", feed.Title, feed.Author, feed.Links)
			}
			times := []string{feed.Updated}
			for _, e := range feed.Entries {
				if ids[e.ID] || !strings.HasPrefix(e.ID, "urn:uuid:") || strings.TrimSpace(e.Title) == "" || len(e.Links) != 1 {
					t.Errorf("entry %+v", e)
				}
				ids[e.ID] = true
				times = append(times, e.Updated)
				if e.Updated > feed.Updated {
					t.Errorf("an entry is of %s, the feed of %s", e.Updated, feed.Updated)
				}
			}
			for _, at := range times {
				if _, err := time.Parse(time.RFC3339, at); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The name of a change is a UUID that others compute alike.
func TestURN(t *testing.T) {
	// python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "https://example.org/"))'
	if got, want := urn("https://example.org/"), "urn:uuid:527dda32-a0de-5105-a042-cb475b5f7d11"; got != want {
		t.Errorf("urn = %s, want %s", got, want)
	}
}

// An id keeps answering: a removed one with stage, date and reason, a renamed one
// with all it has and the id that stands for it.
func TestIDsKeepAnswering(t *testing.T) {
	c := build(t, small(t, nil))
	var gone, moved EntryResponse
	decodeFile(t, c, "api/v1/dpgs/gone.json", &gone)
	if s := gone.Status; gone.Name != nil || s.Stage != "removed" || *s.AsOf != "2024-02-03" || s.Reason["en"] != "The owner asked for it." {
		t.Errorf("a removed id answers with %+v", gone)
	}
	decodeFile(t, c, "api/v1/dpgs/moved.json", &moved)
	if diff := cmp.Diff([]any{"Moved", []string{"data"}, "renamed", "alpha"}, []any{*moved.Name, moved.Types, moved.Status.Stage, *moved.Status.MovedTo}); diff != "" {
		t.Errorf("a renamed id answers with (-want +got):\n%s", diff)
	}
}
