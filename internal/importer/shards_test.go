package importer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/published"
)

// A catalog is read from its shards, in the order of the whole; what does not agree
// with what the index of the shards says is not taken.
func TestReadCatalogInShards(t *testing.T) {
	digest := func(items string) string {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(items), &list); err != nil {
			t.Fatal(err)
		}
		return published.Digest(list)
	}
	const zero, one = `[{"kind": "dpg", "id": "c", "name": "C", "status": {"stage": "nominee"}}, {"kind":"resource","id":"a","name":"R","url":"https://example.org","status":{"stage":"listed"}}]`,
		`[{"kind":"dpg","id":"b","name":"B","status":{"stage":"nominee"}}]`
	files := map[string]string{
		"api/v1/index.json": `{"schema_version":"1.0","name":"Other","base_url":"https://other.example.org/"}`,
		"api/v1/full/index.json": fmt.Sprintf(`{"schema_version":"1.0","total":2,"items":[
			{"id":"0","path":"full/0.json","entry_count":2,"digest":%q},{"id":"1","path":"full/1.json","entry_count":1,"digest":%q}]}`, digest(zero), digest(one)),
		"api/v1/full/0.json": `{"schema_version":"1.0","items":` + zero + `}`,
		"api/v1/full/1.json": `{"schema_version":"1.0","items":` + one + `}`,
	}
	const index = "api/v1/full/index.json"
	for _, tt := range []struct {
		name, file, old, new string
		want                 []string // ids
		fails                string
	}{
		{name: "whole", file: index, want: []string{"dpg/b", "dpg/c", "resource/a"}},
		{"no shards, but full.json", index, "*", "", []string{"dpg/f"}, ""},
		{"another entry", "api/v1/full/1.json", `"B"`, `"X"`, nil, "api/v1/full/1.json is not as api/v1/full/index.json says; if it was published just now"},
		{"an entry less", "api/v1/full/1.json", one, `[]`, nil, "api/v1/full/1.json is not as"},
		{"another count", index, `"entry_count":1`, `"entry_count":2`, nil, "api/v1/full/1.json is not as"},
		{"a shard that is gone", "api/v1/full/1.json", "*", "", nil, "api/v1/full/1.json is not there"},
		{"a shard elsewhere", index, `full/1.json`, `../../../etc/passwd`, nil, `lists a shard at "../../../etc/passwd"`},
		{"too many", index, `"entry_count":1`, `"entry_count":200000`, nil, "at most 200000 are read"},
		{"a negative count", index, `"entry_count":1`, `"entry_count":-1`, nil, "which no catalog does"},
		{"a later version", index, `"1.0"`, `"2.0"`, nil, `is of version "2.0"`},
		{"no JSON", "api/v1/full/0.json", `{"schema_version"`, `{`, nil, "api/v1/full/0.json:1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := maps.Clone(files)
			files["api/v1/full.json"] = `{"schema_version":"1.0","entries":{"dpg":[{"id":"f","name":"F","status":{"stage":"nominee"}}]}}`
			switch {
			case tt.old == "*":
				delete(files, tt.file)
			case !strings.Contains(files[tt.file], tt.old):
				t.Fatalf("%s has no %q", tt.file, tt.old)
			default:
				files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			}
			dir := t.TempDir()
			for name, text := range files {
				name = filepath.Join(dir, filepath.FromSlash(name))
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := importer.Local(dir)
			if err != nil {
				t.Fatal(err)
			}
			b, err := importer.ReadCatalog(t.Context(), s, importer.Federation{})
			if tt.fails != "" {
				if err == nil || !errors.Is(err, importer.ErrFormat) || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("ReadCatalog = %v, want an error with %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range b.Records {
				kind, _, _ := strings.Cut(r.Entry.Schema, "/")
				got = append(got, kind+"/"+r.Entry.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || len(b.Refused) > 0 {
				t.Errorf("read (-want +got):\n%s\nrefused %v", diff, b.Refused)
			}
		})
	}
}
