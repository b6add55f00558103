package published

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// inPages is the sample with a list of four items in two pages.
func inPages() map[string]string {
	const envelope = `"schema_version":"1.0","license":null,"attribution":null`
	sum := func(items string) string { return Digest(raw(items)) }
	files := maps.Clone(sample)
	files["api/v1/search.json"] = `{` + envelope + `,"total":4,"pages_path":"search/pages/index.json","items":[{"id":"a"}, {"id":"b"},{"id":"c"},{"id":"d"}]}`
	files["api/v1/search/pages/000001.json"] = fmt.Sprintf(`{%s,"list_path":"search.json","total":3,"next_path":"search/pages/000002.json","digest":%q,"items":[
		{"id": "a"},{"id":"b"},{"id":"c"}]}`, envelope, sum(`[{"id":"a"},{"id":"b"},{"id":"c"}]`))
	files["api/v1/search/pages/000002.json"] = fmt.Sprintf(`{%s,"list_path":"search.json","total":1,"next_path":null,"digest":%q,"items":[{"id":"d"}]}`, envelope, sum(`[{"id":"d"}]`))
	files["api/v1/search/pages/index.json"] = fmt.Sprintf(`{%s,"list_path":"search.json","sorted_by":["id"],"total":2,"items":[
		{"path":"search/pages/000001.json","item_count":3,"first_id":"a","last_id":"c","first_key":["a"],"last_key":["c"],"digest":%q},
		{"path":"search/pages/000002.json","item_count":1,"first_id":"d","last_id":"d","first_key":["d"],"last_key":["d"],"digest":%q}]}`,
		envelope, sum(`[{"id":"a"},{"id":"b"},{"id":"c"}]`), sum(`[{"id":"d"}]`))
	return files
}

func raw(items string) (list []json.RawMessage) {
	if err := json.Unmarshal([]byte(items), &list); err != nil {
		panic(err)
	}
	return list
}

func TestVerifyPages(t *testing.T) {
	const list, index, one, two = "api/v1/search.json", "api/v1/search/pages/index.json", "api/v1/search/pages/000001.json", "api/v1/search/pages/000002.json"
	d := func(items string) string { return Digest(raw(items)) }
	for _, tt := range []struct {
		name, file, old, new string
		want                 []string
	}{
		{name: "whole", file: list, want: nil},
		{"an item of the whole is another", list, `{"id":"c"}`, `{"id":"x"}`, []string{
			index + `: item 3 of its pages is not that of "search.json"`}},
		{"the whole has more", list, `{"id":"d"}`, `{"id":"d"},{"id":"e"}`, []string{
			index + `: its pages have 4 items, and "search.json" has 5`,
			list + `: its total is 4, and it has 5 items`}},
		{"the whole does not say so", list, `"search/pages/index.json"`, `null`, []string{
			index + `: "search.json", whose pages it lists, does not name it as its pages_path`}},
		{"a page changed", two, `{"id":"d"}`, `{"id":"x"}`, []string{
			two + fmt.Sprintf(`: its digest is %q, and that of its items is %q`, d(`[{"id":"d"}]`), d(`[{"id":"x"}]`)),
			index + fmt.Sprintf(`: it says that the digest of "search/pages/000002.json" is %q, and it is %q`, d(`[{"id":"d"}]`), d(`[{"id":"x"}]`)),
			index + `: item 4 of its pages is not that of "search.json"`}},
		{"pages that end early", one, `"search/pages/000002.json"`, `null`, []string{
			index + `: after "search/pages/000001.json" comes "search/pages/000002.json", and its next_path is null`}},
		{"pages that do not end", two, `"next_path":null`, `"next_path":"search/pages/000001.json"`, []string{
			index + `: after "search/pages/000002.json" comes null, and its next_path is "search/pages/000001.json"`}},
		{"a wrong count", index, `"item_count":3`, `"item_count":4`, []string{
			index + `: it says that "search/pages/000001.json" has 4 items, and it has 3`}},
		{"a wrong first key", index, `"first_key":["d"]`, `"first_key":["c"]`, []string{
			index + `: its first_key says that "search/pages/000002.json" begins with ["c"], and it begins with ["d"]`}},
		{"a wrong last key", index, `"last_key":["c"]`, `"last_key":["c","d"]`, []string{
			index + `: its last_key says that "search/pages/000001.json" ends with ["c","d"], and it ends with ["c"]`}},
		{"a wrong id", index, `"last_id":"c"`, `"last_id":null`, []string{
			index + `: its last_id says that "search/pages/000001.json" ends with null, and it ends with "c"`}},
		{"keys of something else", index, `"sorted_by":["id"]`, `"sorted_by":["name"]`, nil}, // no item has a name: nothing to hold them against
		{"a total that is another", list, `"total":4`, `"total":5`, []string{
			list + `: its total is 5, and it has 4 items`}},
		{"an index's total that is another", index, `"total":2`, `"total":1000000000000000000000`, []string{
			index + `: its total is 1000000000000000000000, and it has 2 items`}},
		{"a page of another list", two, `"list_path":"search.json"`, `"list_path":"dpgs.json"`, []string{
			index + `: "search/pages/000002.json", which it lists, is a page of "dpgs.json"`}},
		{"a page that is none", index, `"path":"search/pages/000002.json"`, `"path":"dpgs/a.json"`, []string{
			index + `: "dpgs/a.json", which it lists, is no page`,
			index + `: after "search/pages/000001.json" comes "dpgs/a.json", and its next_path is "search/pages/000002.json"`,
			index + `: it tells the digest of "dpgs/a.json", which has none`}},
		{"a page that is missing", two, "*", "", []string{
			index + `: its "path" leads to "search/pages/000002.json", which is no file of the catalog`,
			one + `: its "next_path" leads to "search/pages/000002.json", which is no file of the catalog`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := inPages()
			switch {
			case tt.old == "*":
				delete(files, tt.file)
			case !strings.Contains(files[tt.file], tt.old):
				t.Fatalf("%s has no %q", tt.file, tt.old)
			default:
				files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			}
			got := problems(t, publish(t, files))
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Pages come and go with the length of a list: that hurts nobody who goes by pages_path.
func TestComparePages(t *testing.T) {
	before := inPages()
	after := maps.Clone(before)
	for name := range after {
		if strings.Contains(name, "/pages/") {
			delete(after, name)
		}
	}
	after["api/v1/search.json"] = strings.Replace(after["api/v1/search.json"], `"search/pages/index.json"`, `null`, 1)
	for _, tt := range []struct {
		name     string
		old, now map[string]string
	}{{"they go", before, after}, {"they come", after, before}} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := Compare(t.Context(), Folder("old", publish(t, tt.old)), Folder("new", publish(t, tt.now)))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range found {
				if d.Severity == Breaking || strings.Contains(d.Path, "/pages/") {
					t.Errorf("%s %s: %s", d.Severity, d.Path, d.What)
				}
			}
		})
	}
}

// What a program of today writes is what verify takes for whole, the pages of the
// manifest too.
func TestManifestPages(t *testing.T) {
	files := publish(t, sample)
	var m catalog.Manifest
	if err := json.Unmarshal(files[manifestName].Data, &m); err != nil {
		t.Fatal(err)
	}
	page, index := "manifest/pages/000001.json", "manifest/pages/index.json"
	items, err := json.Marshal(m.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, items, want string }{
		{"the same", string(items), ""},
		{"another size", strings.Replace(string(items), `"bytes":`, `"bytes":1`, 1), `item 1 of its pages is not that of "manifest.json"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := maps.Clone(sample)
			digest := Digest(raw(tt.items))
			all["api/v1/"+page] = fmt.Sprintf(`{"list_path":"manifest.json","next_path":null,"digest":%q,"items":%s}`, digest, tt.items)
			all["api/v1/"+index] = fmt.Sprintf(`{"list_path":"manifest.json","sorted_by":["path"],"total":1,"items":[{"path":%q,"item_count":%d,"digest":%q}]}`, page, len(m.Files), digest)
			tree := publish(t, all)
			var now catalog.Manifest
			if err := json.Unmarshal(tree[manifestName].Data, &now); err != nil {
				t.Fatal(err)
			}
			now.PagesPath = &index
			if tree[manifestName].Data, err = json.Marshal(now); err != nil {
				t.Fatal(err)
			}
			v, err := Verify(t.Context(), Folder("x", tree), 2, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, p := range v.Problems {
				got += p.What
			}
			if got != tt.want {
				t.Errorf("problems: %q, want %q", got, tt.want)
			}
		})
	}
}
