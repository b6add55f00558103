package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
)

// ChangesResponse is api/v1/changes.json: what happened of late, and where the
// whole of it is. It is there only where the catalog was built with Git's history.
//
// Who copies the catalog remembers the last change that they have seen: its seq,
// and its commit, kind and id. Next time they read the shards from that seq on. If
// the change of that seq is another one, the registry's history was rewritten, and
// they start anew.
type ChangesResponse struct {
	Envelope
	LastSeq int           `json:"last_seq"` // 0 where nothing happened yet
	Shards  []ChangeShard `json:"shards"`   // from the first change on
	Newest  []Change      `json:"newest"`   // the last ones, the latest first
}

// ChangeShard says where a run of changes is. All but the last are full: their
// bytes stay for as long as history and the envelope do.
type ChangeShard struct {
	Path     string `json:"path"`
	FirstSeq int    `json:"first_seq"`
	LastSeq  int    `json:"last_seq"`
	Digest   string `json:"digest"` // of its items, see digest
}

// ShardResponse is api/v1/changes/<number>.json: a run of changes, by seq.
type ShardResponse struct {
	Envelope
	FirstSeq int      `json:"first_seq"`
	LastSeq  int      `json:"last_seq"`
	Total    int      `json:"total"`
	Digest   string   `json:"digest"`
	Items    []Change `json:"items"`
}

// Change is what one commit did to one entry. It names the entry and says nothing
// else of it, so that what is removed is not told here for ever.
type Change struct {
	Seq       int      `json:"seq"`    // from 1, one more with each change
	Action    string   `json:"action"` // added, changed, renamed, removed
	Kind      string   `json:"kind"`
	ID        string   `json:"id"`
	Fields    []string `json:"fields"`   // of changed: RFC 6901 pointers into the source file; /assessment and /observations are the bot's
	Stage     *string  `json:"stage"`    // afterwards; null where the file is gone without a word
	Reason    Text     `json:"reason"`   // of the stage, for those that are not live
	MovedTo   *string  `json:"moved_to"` // the id that stands for it
	Commit    string   `json:"commit"`
	ChangedAt string   `json:"changed_at"` // when it was committed
}

const (
	shardSize   = 1000 // changes in a full shard: some 300 KiB
	newestCount = 100  // in changes.json and in the feed
	shardFolder = "changes"
	feedName    = "changes.atom"
)

// shardPath names the shard that begins after so many full ones. Names sort as
// numbers do.
func shardPath(n int) string { return fmt.Sprintf("%s/%06d.json", shardFolder, n+1) }

// changes writes what happened to entries, oldest first in shards of one size.
func (b *builder) changes() error {
	if b.in.History == nil {
		return nil
	}
	log := b.in.History.Changes
	out := ChangesResponse{Envelope: b.envelope(), LastSeq: len(log), Shards: []ChangeShard{}, Newest: []Change{}}
	n := 0
	for part := range slices.Chunk(log, shardSize) {
		rows, err := rowsOf(each(part, b.changeOf))
		if err != nil {
			return err
		}
		digest, err := digestOf(rows)
		if err != nil {
			return err
		}
		s := ShardResponse{
			Envelope: b.envelope(), FirstSeq: part[0].Seq, LastSeq: part[len(part)-1].Seq, Total: len(rows), Digest: digest, Items: []Change{},
		}
		if err := b.putRows(shardPath(n), s, "items", made{}, rows); err != nil {
			return err
		}
		out.Shards = append(out.Shards, ChangeShard{shardPath(n), s.FirstSeq, s.LastSeq, s.Digest})
		n++
	}
	for _, c := range slices.Backward(log[max(0, len(log)-newestCount):]) {
		out.Newest = append(out.Newest, b.changeOf(c))
	}
	if err := b.put("changes.json", out); err != nil {
		return err
	}
	feed, err := b.feed(out.Newest)
	if err != nil {
		return err
	}
	return b.cat.Add(apiFolder+"/"+feedName, feed)
}

func (b *builder) changeOf(c history.Change) Change {
	out := Change{
		Seq: c.Seq, Action: c.Action, Kind: c.Ref.Kind, ID: c.Ref.ID, Fields: list(c.Fields), Stage: known(c.Stage),
		MovedTo: known(c.MovedTo), Commit: c.Commit, ChangedAt: c.At.UTC().Format(time.RFC3339),
	}
	for language, reason := range c.Reason {
		if reason == "" {
			continue
		}
		if out.Reason == nil {
			out.Reason = Text{}
		}
		out.Reason[cmp.Or(language, b.in.Registry.Settings.Language())] = reason
	}
	return out
}

// The Atom feed of RFC 4287, with what of it is used here.
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr,omitempty"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Author  string      `xml:"author>name"`
		Rights  string      `xml:"rights,omitempty"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	atomEntry struct {
		ID      string     `xml:"id"`
		Title   string     `xml:"title"`
		Updated string     `xml:"updated"`
		Links   []atomLink `xml:"link"`
		Summary string     `xml:"summary,omitempty"`
	}
)

// feed writes the newest changes for feed readers. Where nothing answers for an
// entry any more, its shard does: RFC 4287 wants a link.
func (b *builder) feed(newest []Change) ([]byte, error) {
	s, main := b.in.Registry.Settings, b.in.Registry.Settings.Language()
	base := s.BaseURL // relative links are resolved against where the feed was read
	if base != "" {
		base = strings.TrimSuffix(base, "/") + "/" + apiFolder + "/"
	}
	feed := atomFeed{
		Lang: main, ID: urn(cmp.Or(s.Repository, s.BaseURL, s.Name)), Title: cmp.Or(strings.TrimSpace(s.Name), "Registry") + ": changes",
		// A feed must have a time; of one in which nothing happened it is no use.
		Updated: "1970-01-01T00:00:00Z", Author: cmp.Or(strings.TrimSpace(s.Publisher.Name), strings.TrimSpace(s.Name), "Registry"),
		Rights: strings.TrimSpace(strings.Join([]string{s.License, s.Attribution}, " ")),
		Links: []atomLink{
			{"self", "application/atom+xml", base + feedName},
			{"alternate", "application/json", base + "changes.json"},
		},
	}
	for _, c := range newest {
		// Committers' clocks differ: the last change need not be the latest.
		feed.Updated = max(feed.Updated, c.ChangedAt)
		e := atomEntry{ID: urn(c.Commit + " " + c.Kind + "/" + c.ID), Updated: c.ChangedAt, Summary: c.summary(main)}
		name, to := c.ID, shardPath((c.Seq-1)/shardSize)
		if f := b.factsOf(entry.Ref{Kind: c.Kind, ID: c.ID}); f != nil {
			name, to = cmp.Or(strings.TrimSpace(f.Name), c.ID), f.Path
		}
		e.Title, e.Links = name+": "+c.Action, []atomLink{{"alternate", "application/json", base + to}}
		feed.Entries = append(feed.Entries, e)
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	enc := xml.NewEncoder(&out)
	enc.Indent("", "  ")
	if err := enc.Encode(feed); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// factsOf finds the facts of an entry; nil where there is none.
func (b *builder) factsOf(ref entry.Ref) *Facts {
	fs := b.kinds[ref.Kind]
	i, found := slices.BinarySearchFunc(fs, ref.ID, func(f *Facts, id string) int { return strings.Compare(f.Ref.ID, id) })
	if !found {
		return nil
	}
	return fs[i]
}

// summary says in a line what happened.
func (c Change) summary(main string) string {
	var parts []string
	if len(c.Fields) > 0 {
		parts = append(parts, "changed: "+strings.Join(each(c.Fields, func(f string) string { return strings.TrimPrefix(f, "/") }), ", "))
	}
	if c.Stage != nil {
		parts = append(parts, "stage: "+*c.Stage)
	}
	if c.MovedTo != nil {
		parts = append(parts, "now under: "+*c.MovedTo)
	}
	if reason := c.Reason.best(main); reason != "" {
		parts = append(parts, "reason: "+reason)
	}
	return strings.Join(parts, "; ")
}

// urn names something for ever, wherever the catalog is published: a UUID of
// version 5 (RFC 9562), of the name in the namespace for addresses.
func urn(name string) string {
	namespace := []byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	sum := sha1.Sum(append(namespace, name...))
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u)
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// changeLinks are those of the index, where there are changes.
func (b *builder) changeLinks(schema func(string) *string) []Link {
	if b.in.History == nil {
		return nil
	}
	return []Link{
		{"changes", "changes.json", schema("changes")},
		{"changes-shard", path.Join(shardFolder, "{number}.json"), schema("changes-shard")},
		{"changes-feed", feedName, nil},
	}
}
