package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// Every list that may be larger than 1 MiB is published whole, at X.json, and in
// pages, with X/pages/index.json saying where these are. Wherever a response names a
// list by path, pages_path beside it names that index; it is null where there is none
// since the whole is under 1 MiB. The whole list names it too.

const (
	pageFolder = "pages"

	// maxPage bounds a page of a list, in bytes, but for one that is a single larger
	// item.
	maxPage = 1 << 20
	// pageRoom is what of it items may take: the rest is for what stands around them.
	// A list whose items take no more has no pages, unless it always has; see listing.
	pageRoom = maxPage - 64<<10
	// manifestRoom is the same in pages of the manifest. A mirror fetches those that
	// changed, so that small ones save it more.
	manifestRoom = 128 << 10
)

// ListPages is api/v1/<folder>/pages/index.json: where the pages of the list of a
// kind are. It is PagesResponse with the kind.
type ListPages struct {
	Envelope
	Kind     string        `json:"kind"`
	ListPath string        `json:"list_path"`
	SortedBy []string      `json:"sorted_by"`
	Total    int           `json:"total"`
	Items    []PageSummary `json:"items"` // in the order of the list
}

// PagesResponse is X/pages/index.json: where the pages of X.json are, a list or view.
type PagesResponse struct {
	Envelope
	ListPath string        `json:"list_path"` // of the whole list
	SortedBy []string      `json:"sorted_by"` // keys of its items; see PageSummary
	Total    int           `json:"total"`
	Items    []PageSummary `json:"items"` // in the order of the list
}

// PageSummary says where a page of a list is, and what it spans.
type PageSummary struct {
	Path      string  `json:"path"`
	ItemCount int     `json:"item_count"`
	FirstID   *string `json:"first_id"` // null in the page of an empty list, and where items have no id
	LastID    *string `json:"last_id"`
	// FirstKey and LastKey are what the first and the last item have under the keys
	// that the list is sorted by; empty in the page of an empty list.
	FirstKey []string `json:"first_key"`
	LastKey  []string `json:"last_key"`
	Digest   string   `json:"digest"` // of its items
}

// ListPage is api/v1/<folder>/pages/<number>.json: a part of the list of a kind. It
// is Page with the kind.
type ListPage struct {
	Envelope
	Kind     string  `json:"kind"`
	ListPath string  `json:"list_path"`
	Total    int     `json:"total"` // of its items
	NextPath *string `json:"next_path"`
	Digest   string  `json:"digest"`
	Items    []Item  `json:"items"`
}

// Page is a part of a list or view, under 1 MiB.
type Page[T any] struct {
	Envelope
	ListPath string  `json:"list_path"`
	Total    int     `json:"total"` // of its items
	NextPath *string `json:"next_path"`
	Digest   string  `json:"digest"` // of its items, see digest
	Items    []T     `json:"items"`
}

// A listing is a list to publish in pages.
type listing struct {
	path   string   // of the whole, relative to api/v1/
	kind   string   // of a list of one kind; "" else
	sorted []string // keys that the list is sorted by
	count  int
	row    func(i int) row
	key    func(i int) []string    // what the item of a row has under sorted
	made   func(from, to int) made // names what rows were made of; nil says nothing
	always bool                    // in pages also where one would do
	room   int                     // for rows in a page, in bytes; 0 is pageRoom
}

// of gives a listing its rows: those that entries have in files which take a part.
func (l listing) of(p part, from []*Facts, row func(int) row) listing {
	l.count, l.row = len(from), row
	l.made = func(a, z int) made { return madeOf(p, from[a:z]) }
	if l.key == nil {
		l.sorted = []string{"kind", "id"}
		l.key = func(i int) []string { return []string{from[i].Ref.Kind, from[i].Ref.ID} }
	}
	return l
}

// pagesPath is where the index of the pages of a list is.
func pagesPath(list string) string {
	return strings.TrimSuffix(list, ".json") + "/" + pageFolder + "/index.json"
}

// pagePath is where its pages are.
func pagePath(list string) string { return path.Dir(pagesPath(list)) + "/{number}.json" }

func numbered(list string, n int) string {
	return strings.Replace(pagePath(list), "{number}", fmt.Sprintf("%06d", n+1), 1)
}

// after is the page after another; "" after the last.
func after(list string, n, pages int) string {
	if n+1 == pages {
		return ""
	}
	return numbered(list, n+1)
}

// pages writes a list in pages, and gives the path of their index: nil where
// there are none, as the whole is no larger than one.
//
// Where a page ends depends on the items near there and not on how many come before,
// so that most pages keep their bytes when an entry comes or goes, unless that makes
// a page more or less.
func (b *builder) pages(l listing) (*string, error) {
	large := l.always || l.bytes() > pageRoom
	if !large && b.samples == nil { // examples show what a page is like all the same
		return nil, nil
	}
	ends := l.ends()
	var summaries []PageSummary
	for n, from := range starts(ends) {
		name, of, rows := numbered(l.path, n), made{}, l.rows(from, ends[n])
		if l.made != nil {
			of = l.made(from, ends[n])
		}
		digest, err := b.digest(name, of, rows)
		if err != nil {
			return nil, err
		}
		s := l.summary(n, digest, from, ends[n])
		head := b.page(l, s, after(l.path, n, len(ends)))
		also, err := encode(head)
		if err != nil {
			return nil, err
		}
		if err := b.putMade(name, of, string(also), "items", func() (any, []row, error) { return head, l.rows(from, ends[n]), nil }); err != nil {
			return nil, err
		}
		summaries = append(summaries, s)
	}
	rows, err := rowsOf(summaries)
	if err != nil {
		return nil, err
	}
	at := pagesPath(l.path)
	if err := b.putRows(at, b.pageIndex(l, len(rows)), "items", made{}, rows); err != nil || !large {
		return nil, err
	}
	return &at, nil
}

// sortedPages writes a list whole and in pages where its order is known only when all
// of it was read: list does that, and is called only where what of names has changed.
func (b *builder) sortedPages(name string, of made, list func() (listing, error), whole func(items int, pages *string) any) error {
	type sorted struct {
		listing
		ends      []int
		summaries []PageSummary
	}
	read := sync.OnceValues(func() (s sorted, err error) {
		l, err := list()
		if err != nil {
			return s, err
		}
		l.path = name
		s.ends = l.ends()
		for n, from := range starts(s.ends) {
			digest, err := digestOf(l.rows(from, s.ends[n]))
			if err != nil {
				return s, err
			}
			s.summaries = append(s.summaries, l.summary(n, digest, from, s.ends[n]))
		}
		s.listing = l
		s.key = nil // and all that it is made of: this stays until the catalog is written
		return s, nil
	})
	count, _, err := b.in.Keep.sum("pages of "+name, of, func() (int, [sha256.Size]byte, error) {
		s, err := read()
		return len(s.ends), [sha256.Size]byte{}, err
	})
	if err != nil {
		return err
	}
	at := pagesPath(name)
	if err := b.putMade(name, of, "", "items", func() (any, []row, error) {
		s, err := read()
		if err != nil {
			return nil, nil, err
		}
		return whole(s.count, &at), s.rows(0, s.count), nil
	}); err != nil {
		return err
	}
	for n := range count {
		if err := b.putMade(numbered(name, n), of, "", "items", func() (any, []row, error) {
			s, err := read()
			if err != nil {
				return nil, nil, err
			}
			return b.page(s.listing, s.summaries[n], after(name, n, count)), s.rows(starts(s.ends)[n], s.ends[n]), nil
		}); err != nil {
			return err
		}
	}
	return b.putMade(at, of, "", "items", func() (any, []row, error) {
		s, err := read()
		if err != nil {
			return nil, nil, err
		}
		rows, err := rowsOf(s.summaries)
		return b.pageIndex(s.listing, count), rows, err
	})
}

// page is a page without its items.
func (b *builder) page(l listing, s PageSummary, next string) any {
	p := Page[json.RawMessage]{Envelope: b.envelope(), ListPath: l.path, Total: s.ItemCount, NextPath: known(next), Digest: s.Digest, Items: []json.RawMessage{}}
	if l.kind == "" {
		return p
	}
	return ListPage{p.Envelope, l.kind, p.ListPath, p.Total, p.NextPath, p.Digest, []Item{}}
}

// pageIndex is the index of so many pages without these.
func (b *builder) pageIndex(l listing, pages int) any {
	p := PagesResponse{b.envelope(), l.path, l.sorted, pages, []PageSummary{}}
	if l.kind == "" {
		return p
	}
	return ListPages{p.Envelope, l.kind, p.ListPath, p.SortedBy, p.Total, p.Items}
}

func (l listing) summary(n int, digest string, from, to int) PageSummary {
	s := PageSummary{Path: numbered(l.path, n), ItemCount: to - from, FirstKey: []string{}, LastKey: []string{}, Digest: digest}
	if from == to {
		return s
	}
	s.FirstKey, s.LastKey = l.key(from), l.key(to-1)
	if n := slices.Index(l.sorted, "id"); n >= 0 {
		s.FirstID, s.LastID = &s.FirstKey[n], &s.LastKey[n]
	}
	return s
}

func (l listing) rows(from, to int) []row {
	rows := make([]row, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, l.row(i))
	}
	return rows
}

// inList is what a row takes in a list, in bytes.
func inList(x row) int { return int(x.size) + len(",\n    ") }

func (l listing) bytes() (n int) {
	for i := range l.count {
		n += inList(l.row(i))
	}
	return n
}

// ends cuts a list where a page is half full and the hash of an item's key says
// so, or where it is full. There is one page at least. The larger an item is the
// likelier it ends its page, so that hardly any page is cut by being full.
func (l listing) ends() (ends []int) {
	const cuts = 16 // by hash in as many bytes as a page has room for, on average
	room := cmp.Or(l.room, pageRoom)
	start, size := 0, 0
	for i := range l.count {
		n := inList(l.row(i))
		if i > start && size+n > room {
			ends, start, size = append(ends, i), i, 0
		}
		size += n
		if size <= room/2 {
			continue
		}
		sum := sha256.Sum256([]byte(strings.Join(l.key(i), "/")))
		if uint64(binary.BigEndian.Uint32(sum[:]))*uint64(room) < uint64(n)*cuts<<32 {
			ends, start, size = append(ends, i+1), i+1, 0
		}
	}
	if start < l.count || len(ends) == 0 {
		ends = append(ends, l.count)
	}
	return ends
}

// starts are where the pages begin that end there.
func starts(ends []int) []int { return append([]int{0}, ends[:len(ends)-1]...) }

// ManifestPages is the folder of the manifest's pages. They are to be put where
// they are read after what they list, and before the manifest.
const ManifestPages = apiFolder + "/manifest/" + pageFolder + "/"

// manifestPages lists in pages what the manifest lists: all files but the pages
// themselves.
func (b *builder) manifestPages() error {
	c := b.cat
	names := c.paths()
	if b.samples != nil {
		names = []string{sampleFile}
	}
	all, rows := &block{data: make([]byte, 0, len(names)*192)}, make([]row, len(names))
	var line []byte
	for i, name := range names {
		line = c.manifestLine(line[:0], name)
		rows[i] = all.add(line)
	}
	_, err := b.pages(listing{
		path: manifestFile, sorted: []string{"path"}, count: len(names), always: true, room: manifestRoom,
		row: func(i int) row { return rows[i] },
		key: func(i int) []string { return names[i : i+1] },
	})
	return err
}
