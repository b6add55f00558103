package source_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

func TestAppend(t *testing.T) {
	item := map[string]any{"a": "x, [y] # z", "b": []int{1, 2}}
	for _, tt := range []struct{ name, in, want string }{
		{"missing", "k: 1\n", "k: 1\nl:\n  - a: 'x, [y] # z'\n    b:\n      - 1\n      - 2\n"},
		{"missing, without a last line feed", "k: 1", "k: 1\nl:\n  - a: 'x, [y] # z'\n    b:\n      - 1\n      - 2"},
		{"missing, behind a block of text", "k: |\n  x\n", "k: |\n  x\nl:\n  - a: 'x, [y] # z'\n    b:\n      - 1\n      - 2\n"},
		{"missing, behind a block that keeps its end", "k: |+\n  x\n\n", refused},
		{"brackets", "l: [z]\nk: 1\n", "l: [z, {a: 'x, [y] # z', b: [1, 2]}]\nk: 1\n"},
		{"brackets on lines", "l: [\n  z, # c\n]\n", "l: [\n  z, {a: 'x, [y] # z', b: [1, 2]}, # c\n]\n"},
		{"lines", "l:\n  - z # c\n\nk: 1\n", "l:\n  - z # c\n  - a: 'x, [y] # z'\n    b:\n      - 1\n      - 2\n\nk: 1\n"},
		{"a map", "l: {z: 1}\n", refused},
		{"a text", "l: z\n", refused},
		{"the file is a list", "- l\n", refused},
		{"aliases", "k: &a [z]\nl: *a\n", refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.in)
			edits := doc.Append("l", item)
			got := refused
			if edits != nil {
				got = apply(t, doc, edits)
			}
			if got != tt.want {
				t.Errorf("Append to %q:\n%q, want\n%q", tt.in, got, tt.want)
			}
		})
	}
}

// Real entries take a ruling: each reads afterwards as before with one item more.
func TestAppendToTheRegistry(t *testing.T) {
	files, err := filepath.Glob("../../registry/*s/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d entries, %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, string(text))
		for _, key := range []string{"decisions", "sources"} {
			if doc.Root.Get(key) == nil && key == "sources" {
				continue
			}
			edits := doc.Append(key, map[string]string{"url": "https://example.org/", "as_of": "2026-01-31"})
			if len(edits) != 1 {
				t.Errorf("%s: nothing can be added to %q", name, key)
			}
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, s := range []string{"k: 1\n", "l: [z]\n", "l:\n- z\n", "l:\n", "l: # c\nk: |\n x\n", "? l\n: - z\n", "l: [\n]\n", "l:\n  - - z\n    - y\n", "\"l\": ['z']\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		doc, found := source.Parse("f.yaml", []byte(in))
		if len(found) > 0 {
			return
		}
		edits := doc.Append("l", map[string]string{"a": "x"})
		if edits == nil {
			return
		}
		after, found := source.Parse("f.yaml", []byte(apply(t, doc, edits)))
		if len(found) > 0 {
			t.Fatalf("%q: %v", in, found)
		}
		was, is := doc.Root.Value().(map[string]any), after.Root.Value().(map[string]any)
		old, _ := was["l"].([]any)
		want := append(append([]any{}, old...), map[string]any{"a": "x"})
		if !reflect.DeepEqual(is["l"], want) {
			t.Errorf("%q becomes %v, want %v", in, is["l"], want)
		}
		delete(was, "l")
		delete(is, "l")
		if !reflect.DeepEqual(was, is) {
			t.Errorf("%q: other keys become %v", in, is)
		}
	})
}
