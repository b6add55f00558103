package published

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// Lists stand whole in one file and once more in pages, and several files tell the
// digests of others. What each says is noted as it is read, and compared at the end,
// so that no file is read twice.

// A listed is what a response with a list says of it. Of a list in pages, and of
// pages, it has what stands in them.
type listed struct {
	catalog.PagesResponse
	NextPath  *string           `json:"next_path"`
	PagesPath *string           `json:"pages_path"`
	Digest    *string           `json:"digest"`
	Items     []json.RawMessage `json:"items"` // instead of those that are embedded

	sums        []itemSum
	first, last json.RawMessage // of the items; nil where there are none
}

// An itemSum is the beginning of the SHA-256 of an item: enough to tell items apart.
type itemSum [16]byte

// A promise is what one file says of the list in another.
type promise struct {
	from, path string // both relative to api/v1/
	digest     string
	count      int // of items; -1 is not said
}

// note takes down what a response says of its list and of others'.
func (v *verifier) note(name string, data []byte, value any, report func(string, ...any)) {
	m, _ := value.(map[string]any)
	if m == nil {
		return
	}
	if items, isList := m["items"].([]any); isList {
		if total, told := m["total"].(json.Number); told && total.String() != strconv.Itoa(len(items)) {
			report("its total is %.30s, and it has %d items", total, len(items))
		}
	}
	promises := promisesOf(name, m)
	l := &listed{}
	if m["digest"] != nil || m["pages_path"] != nil || m["sorted_by"] != nil {
		if json.Unmarshal(data, l) != nil {
			l = &listed{} // its shape is told already
		}
	}
	is := promise{path: name, count: len(l.Items)}
	if l.Digest != nil {
		if is.digest = Digest(l.Items); is.digest != *l.Digest {
			report("its digest is %q, and that of its items is %q", *l.Digest, is.digest)
		}
	}
	paged := l.ListPath != "" || l.PagesPath != nil
	if paged {
		l.sum()
	}
	if is.count > 0 && l.ListPath != "" {
		l.first, l.last = slices.Clone(l.Items[0]), slices.Clone(l.Items[is.count-1])
	}
	summaries := l.Items
	l.Items = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	v.noted[name] = true
	v.promises = append(v.promises, promises...)
	if is.digest != "" {
		v.digests[name] = is
	}
	if paged {
		if len(l.SortedBy) > 0 {
			l.PagesResponse.Items = pagesOf(promises, summaries)
		}
		v.lists[name] = l
	}
}

// promisesOf gives what a response says of the lists in other files.
func promisesOf(name string, response map[string]any) (all []promise) {
	items, _ := response["items"].([]any)
	shards, _ := response["shards"].([]any) // of changes
	for _, x := range slices.Concat(items, shards) {
		item, _ := x.(map[string]any)
		to, named := item["path"].(string)
		digest, told := item["digest"].(string)
		if !named || !told {
			continue
		}
		p := promise{name, to, digest, -1}
		for _, key := range []string{"item_count", "entry_count"} {
			if n, ok := item[key].(json.Number); ok {
				if n, err := n.Int64(); err == nil {
					p.count = int(n)
				}
			}
		}
		all = append(all, p)
	}
	return all
}

// pagesOf keeps of an index what the comparison needs: the paths alone where some of
// its items are none, which their shape tells.
func pagesOf(promises []promise, items []json.RawMessage) (out []catalog.PageSummary) {
	for i, p := range promises {
		var s catalog.PageSummary
		if len(promises) != len(items) || json.Unmarshal(items[i], &s) != nil {
			s = catalog.PageSummary{}
		}
		s.Path = p.path
		out = append(out, s)
	}
	return out
}

// span compares the keys between which an index says that the items of a page are
// with those of its first and its last item.
func (l *listed) span(s catalog.PageSummary, page *listed, report func(string, ...any)) {
	id := slices.Index(l.SortedBy, "id")
	for _, end := range []struct {
		of    string
		item  json.RawMessage
		key   []string
		id    *string
		where string
	}{{"first", page.first, s.FirstKey, s.FirstID, "begins"}, {"last", page.last, s.LastKey, s.LastID, "ends"}} {
		want := keyOf(end.item, l.SortedBy)
		if want == nil || end.key == nil {
			continue
		}
		if !slices.Equal(want, end.key) {
			report("its %s_key says that %q %s with %s, and it %s with %s", end.of, s.Path, end.where, text(end.key), end.where, text(want))
		}
		var wantID *string
		if id >= 0 {
			wantID = &want[id]
		}
		if is, should := text(end.id), text(wantID); is != should {
			report("its %s_id says that %q %s with %s, and it %s with %s", end.of, s.Path, end.where, is, end.where, should)
		}
	}
}

// keyOf is what an item has under the keys that its list is sorted by; nil where that
// is not text under each.
func keyOf(item json.RawMessage, sortedBy []string) []string {
	var m map[string]any
	if json.Unmarshal(item, &m) != nil {
		return nil
	}
	var key []string
	for _, k := range sortedBy {
		s, isText := m[k].(string)
		if !isText {
			return nil
		}
		key = append(key, s)
	}
	return key
}

func (l *listed) sum() {
	for _, item := range l.Items {
		l.sums = append(l.sums, sumOf(item))
	}
}

func sumOf(item []byte) itemSum {
	var b bytes.Buffer
	if json.Compact(&b, item) != nil {
		return itemSum{}
	}
	sum := sha256.Sum256(b.Bytes())
	return itemSum(sum[:])
}

// Digest is the SHA-256 of a list as responses tell it: of its items as they stand
// there, without white space between tokens. The items have to be JSON.
func Digest(items []json.RawMessage) string {
	b := bytes.NewBuffer([]byte("["))
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		_ = json.Compact(b, item)
	}
	b.WriteByte(']')
	sum := sha256.Sum256(b.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// manifest checks the shape of the manifest, which it does not list itself, and notes
// its list, without its pages, which these cannot list.
func (v *verifier) manifest(m *catalog.Manifest, text []byte) error {
	value, err := decode(text)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", manifestName, v.site, err)
	}
	if err := v.shape(strings.TrimPrefix(manifestName, apiFolder), value, func(format string, args ...any) {
		v.out.Problems = append(v.out.Problems, Problem{manifestName, fmt.Sprintf(format, args...)})
	}); err != nil {
		return err
	}
	if m.PagesPath == nil {
		return nil
	}
	l := &listed{PagesPath: m.PagesPath}
	for _, f := range m.Files {
		if strings.HasPrefix(f.Path, catalog.ManifestPages) {
			continue
		}
		data, err := json.Marshal(f)
		if err != nil {
			return err
		}
		l.sums = append(l.sums, sumOf(data))
	}
	v.lists[strings.TrimPrefix(manifestName, apiFolder)] = l
	return nil
}

// pages compares what files say of each other's lists.
func (v *verifier) pages() {
	report := func(name, format string, args ...any) {
		v.out.Problems = append(v.out.Problems, Problem{apiFolder + name, fmt.Sprintf(format, args...)})
	}
	for _, p := range v.promises {
		is, there := v.digests[p.path]
		switch {
		case !v.noted[p.path]: // it is missing or damaged, which is told already
		case !there:
			report(p.from, "it tells the digest of %q, which has none", p.path)
		case is.digest != p.digest:
			report(p.from, "it says that the digest of %q is %q, and it is %q", p.path, p.digest, is.digest)
		case p.count >= 0 && p.count != is.count:
			report(p.from, "it says that %q has %d items, and it has %d", p.path, p.count, is.count)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.lists)) {
		index := v.lists[name]
		whole := v.lists[index.ListPath]
		switch {
		case len(index.SortedBy) == 0: // a page or a list, not an index
			continue
		case whole == nil && v.noted[index.ListPath], whole != nil && (whole.PagesPath == nil || *whole.PagesPath != name):
			report(name, "%q, whose pages it lists, does not name it as its pages_path", index.ListPath)
			continue
		case whole == nil:
			continue
		}
		v.addUp(name, index, whole, func(format string, args ...any) { report(name, format, args...) })
	}
}

// addUp compares the pages of an index with the whole list.
func (v *verifier) addUp(name string, index, whole *listed, report func(string, ...any)) {
	var sums []itemSum
	for i, s := range index.PagesResponse.Items {
		page := v.lists[s.Path]
		if page == nil && !v.noted[s.Path] {
			return // as above
		}
		if page == nil || len(page.SortedBy) > 0 {
			report("%q, which it lists, is no page", s.Path)
			return
		}
		if page.ListPath != index.ListPath {
			report("%q, which it lists, is a page of %q", s.Path, page.ListPath)
		}
		next := ""
		if i+1 < len(index.PagesResponse.Items) {
			next = index.PagesResponse.Items[i+1].Path
		}
		if is := text(page.NextPath); is != text(nullable(next)) {
			report("after %q comes %s, and its next_path is %s", s.Path, text(nullable(next)), is)
		}
		if v.digests[s.Path].digest == s.Digest { // else it is told that the page is another
			index.span(s, page, report)
		}
		sums = append(sums, page.sums...)
	}
	if len(sums) != len(whole.sums) {
		report("its pages have %d items, and %q has %d", len(sums), index.ListPath, len(whole.sums))
		return
	}
	for i := range sums {
		if sums[i] != whole.sums[i] {
			report("item %d of its pages is not that of %q", i+1, index.ListPath)
			return
		}
	}
}

// nullable is nil for "".
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
