package dpga

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/realdata"
)

// What the generator's language does with keys, numbers and text.
func TestCompat(t *testing.T) {
	tree := fstest.MapFS{
		"nominees/b.json":           {Data: []byte(`{"name":"B <&> \u00e9\u2028","stage":"nominee","n":[1.0,1e21,-0,0.5],"e":[],"o":{},"9":1,"name":"B"}`)},
		"nominees/@a.json":          {Data: []byte(`{"name":"A","stage":"nominee"}`)},
		"nominees/1.json":           {Data: []byte(`{"name":"\"\\\/\u0001\b\f\n\r\t\ud83d\ude00","stage":"DPG","id":"own"}`)},
		"nominees/storyweaver.json": {Data: []byte(`{"stage":"DPG"}`)},
		"nominees/.hidden.json":     {Data: []byte(`no JSON`)},
		"nominees/README.md":        {Data: []byte(`no JSON`)},
		"digitalpublicgoods/1.json": {Data: []byte(`{"name":"other","stage":"mine","clearOwnership":{"isOwnershipExplicit":"Yes"}}`)},
	}
	got, err := Compat(tree)
	if err != nil {
		t.Fatal(err)
	}
	a, b := "{\n  \"id\": \"@a\",\n  \"name\": \"A\",\n  \"stage\": \"nominee\"\n}\n",
		"{\n  \"9\": 1,\n  \"id\": \"b\",\n  \"name\": \"B\",\n  \"stage\": \"nominee\",\n  \"n\": [\n    1,\n    1e+21,\n    0,\n    0.5\n  ],\n  \"e\": [],\n  \"o\": {}\n}\n"
	one := "{\n  \"id\": \"own\",\n  \"name\": \"\\\"\\\\/\\u0001\\b\\f\\n\\r\\t😀\",\n  \"stage\": \"%\"\n}\n"
	inList := func(objects ...string) string {
		for i, o := range objects {
			objects[i] = "  " + strings.ReplaceAll(strings.TrimSuffix(o, "\n"), "\n", "\n  ")
		}
		return "[\n" + strings.Join(objects, ",\n") + "\n]\n"
	}
	story := "{\n  \"id\": \"storyweaver\",\n  \"stage\": \"DPG\"\n}\n"
	want := map[string]string{
		"nominee/@a/index.json":      a,
		"nominee/b/index.json":       b,
		"nominees/index.json":        inList(a, b),
		"dpg/storyweaver/index.json": story,
		"dpg/1/index.json":           strings.Replace(one, "\"%\"\n", "\"mine\",\n  \"clearOwnership\": {\n    \"isOwnershipExplicit\": \"Yes\"\n  }\n", 1),
		"dpgs/index.json":            inList(strings.Replace(one, "%", "DPG", 1), story),
	}
	texts := map[string]string{}
	for name, data := range got {
		texts[name] = string(data)
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Where the predecessor would have crashed it is said in words.
func TestCompatStops(t *testing.T) {
	for _, tt := range []struct{ name, nominee, screening, want string }{
		{"no screening file", `{"stage":"DPG"}`, "", `digitalpublicgoods/a.json: it is not there; an entry whose stage is "DPG" needs its screening file`},
		{"a comma too many", `{"stage":"DPG",}`, "{}", `nominees/a.json: it is not JSON: line 1 column 16: invalid character '}' looking for beginning of object key string`},
		{"a screening file that is a list", `{"stage":"DPG"}`, "[]", `digitalpublicgoods/a.json: it holds a list; an object is wanted`},
		{"half a character", `{"stage":"\ud83d"}`, "{}", `nominees/a.json: it has half of a surrogate pair in a text`},
		{"too long", `{"stage":"` + strings.Repeat("x", maxBytes) + `"}`, "{}", `nominees/a.json: it has more than 262144 bytes, which no entry needs`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := fstest.MapFS{"nominees/a.json": {Data: []byte(tt.nominee)}}
			if tt.screening != "" {
				tree["digitalpublicgoods/a.json"] = &fstest.MapFile{Data: []byte(tt.screening)}
			}
			_, err := Compat(tree)
			var stop *StopError
			if !errors.As(err, &stop) || stop.Error() != tt.want {
				t.Errorf("Compat = %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := Compat(fstest.MapFS{"x": {}}); !errors.Is(err, ErrNone) {
		t.Errorf("Compat of another folder = %v, want ErrNone", err)
	}
}

// The raw folders give what the predecessor published, to the byte.
func TestCompatExpected(t *testing.T) {
	got, err := Compat(os.DirFS(realdata.Folder(t, "data/dpga/dpga")))
	if err != nil {
		t.Fatal(err)
	}
	expected := os.DirFS(realdata.Folder(t, "data/dpga/api_expected"))
	want := map[string]bool{}
	err = fs.WalkDir(expected, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == indexName { // the root was written by hand
			return err
		}
		want[name] = true
		data, err := fs.ReadFile(expected, name)
		if !bytes.Equal(data, got[name]) {
			t.Errorf("%s differs", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range got {
		if !want[name] {
			t.Errorf("%s is not expected", name)
		}
	}
	if len(want) != 230 {
		t.Errorf("%d files were compared, want 230", len(want))
	}
}

// A place in the predecessor's tree: the Git id of a file, or a link.
type place struct{ ID, Link string }

func (p *place) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.ID) == nil {
		return nil
	}
	var link struct{ Link string }
	err := json.Unmarshal(data, &link)
	p.Link = link.Link
	return err
}

type expectation struct {
	DPGs, Nominees, Files int
	DPGsSHA256            string `json:"dpgs_sha256"`
	NomineesSHA256        string `json:"nominees_sha256"`
	Digest                string `json:"api_digest"`
	Error                 string
}

// 200 commits in a row, as they were made: after each the files have the digests of
// what the predecessor's generator made.
func TestCompatReplay(t *testing.T) {
	dir := realdata.Folder(t, "data/dpga")
	texts := map[string]string{}
	eachLine(t, filepath.Join(dir, "history", "entries.jsonl.gz"), func(v struct{ ID, Text string }) { texts[v.ID] = v.Text })
	var base struct {
		Tree   map[string]place
		Expect expectation
	}
	f, err := os.Open(filepath.Join(dir, "replay", "base.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&base); err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	lay := func(name string, at place) {
		if at.Link != "" {
			tree[name] = &fstest.MapFile{Data: []byte(at.Link), Mode: fs.ModeSymlink}
			return
		}
		text, ok := texts[at.ID]
		if !ok {
			t.Fatalf("%s: there is no text %s", name, at.ID)
		}
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, at := range base.Tree {
		lay(name, at)
	}
	// Most files are the same from step to step: they are read once.
	known := map[string]*node{}
	read := func(fsys fs.FS, name string) (*node, error) {
		data, err := fs.ReadFile(fsys, name)
		if n := known[string(data)]; err == nil && n != nil {
			return n, nil
		}
		n, err := readObject(fsys, name)
		known[string(data)] = n
		return n, err
	}
	generate := func() (map[string][]byte, error) { return generate(tree, read) }
	checkReplay(t, 0, generate, base.Expect)
	steps, stops, held := 0, 0, 0
	eachLine(t, filepath.Join(dir, "replay", "steps.jsonl.gz"), func(s struct {
		Seq     int
		Changes []struct{ Op, Path, ID, Link string }
		Expect  expectation
	}) {
		for _, c := range s.Changes {
			if c.Op == "D" {
				delete(tree, c.Path)
			} else {
				lay(c.Path, place{c.ID, c.Link})
			}
		}
		steps++
		if s.Expect.Error != "" {
			stops++
		}
		if *every || steps%4 == 0 || s.Expect.Error != "" {
			checkReplay(t, s.Seq, generate, s.Expect)
			held++
		}
	})
	if steps != 200 || stops == 0 {
		t.Errorf("%d steps, %d of them where the predecessor stopped, want 200 and some", steps, stops)
	}
	t.Logf("%d steps, %d of them where the predecessor stopped; held %d to what it made", steps, stops, held)
}

func checkReplay(t *testing.T, seq int, generate func() (map[string][]byte, error), want expectation) {
	t.Helper()
	files, err := generate()
	if want.Error != "" {
		var stop *StopError
		if !errors.As(err, &stop) || want.Error != "ENOENT "+stop.Path {
			t.Errorf("step %d: Compat = %v, want an end for %s", seq, err, want.Error)
		}
		return
	}
	if err != nil {
		t.Errorf("step %d: %v", seq, err)
		return
	}
	got := expectation{Files: len(files)}
	whole := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		text := hex.EncodeToString(sum[:])
		whole.Write([]byte(name + "\x00" + text + "\n"))
		switch one, _, _ := strings.Cut(name, "/"); {
		case name == path.Join("dpgs", indexName):
			got.DPGsSHA256 = text
		case name == path.Join("nominees", indexName):
			got.NomineesSHA256 = text
		case one == "dpg":
			got.DPGs++
		default:
			got.Nominees++
		}
	}
	got.Digest = hex.EncodeToString(whole.Sum(nil))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("step %d (-want +got):\n%s", seq, diff)
	}
}
