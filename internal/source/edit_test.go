package source_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// apply replaces what the edits name, last one first.
func apply(t testing.TB, doc *source.Document, edits []diag.Edit) string {
	t.Helper()
	text := string(doc.Bytes())
	for _, e := range slices.Backward(edits) {
		start, ok := doc.Offset(e.Start)
		end, ok2 := doc.Offset(e.End)
		if !ok || !ok2 || start > end || end > len(text) {
			t.Fatalf("edit %+v is not in the file", e)
		}
		text = text[:start] + e.Text + text[end:]
	}
	return text
}

func parse(t testing.TB, text string) *source.Document {
	t.Helper()
	doc, found := source.Parse("f.yaml", []byte(text))
	if len(found) > 0 {
		t.Fatalf("Parse(%q) finds %v", text, found)
	}
	return doc
}

const refused = "refused"

func TestRewrite(t *testing.T) {
	for _, tt := range []struct{ name, in, to, want string }{
		{"plain", "k: UK # c\n", "GB", "k: GB # c\n"},
		{"plain that needs quotes", "k: Norway\n", "NO", "k: \"NO\"\n"},
		{"plain that looks like a number", "k: x\n", "12", "k: \"12\"\n"},
		{"plain date stays plain", "k: 13.1.2023\n", "2023-01-13", "k: \"2023-01-13\"\n"},
		{"plain with a colon", "k: x\n", "a: b", "k: 'a: b'\n"},
		{"single quotes", "k: 'x'\n", "it's", "k: 'it''s'\n"},
		{"double quotes", "k: \"x\" # c\n", "say \"a\\b\"", "k: \"say \\\"a\\\\b\\\"\" # c\n"},
		{"single quotes cannot hold a line feed", "k: 'x'\n", "a\nb", "k: \"a\\nb\"\n"},
		{"in brackets", "k: [UK, 'b']\n", "GB", refused}, // k is a list
		{"comma", "k: x\n", "a, b", "k: 'a, b'\n"},
		{"plain on two lines", "k: x\n  y # c\nl: 1\n", "z", "k: z # c\nl: 1\n"},
		{"quoted on two lines", "k: \"x\n\n  y\"\nl: 1\n", "z", "k: \"z\"\nl: 1\n"},
		{"letters of two bytes before", "é: {ü: 1}\nk: Ünïcode\n", "é", "é: {ü: 1}\nk: é\n"},
		{"literal block", "k: | # c\n  x\n  y\n\nl: 1\n", "z", "k: | # c\n  z\n\nl: 1\n"},
		{"folded block, far in", "k: >-\n        x\n        y\n", "z", "k: >-\n        z\n"},
		{"block that keeps its end", "k: |+\n  x\n\n", "z", refused},
		{"block with spaces in front", "k: |2\n    x\n", "z", "k: |2\n  z\n"},
		{"tag", "k: !!str 12\n", "13", "k: !!str \"13\"\n"},
		{"anchor", "k: &x UK\n", "GB", "k: &x GB\n"},
		{"alias", "x: &x UK\nk: *x\n", "GB", refused},
		{"anchored and used", "k: &x UK\nl: *x\n", "GB", refused},
		{"null", "k:\n", "GB", refused},
		{"CR LF", "k: |\r\n  x\r\nl: 'a'\r\n", "z", "k: |\r\n  z\r\nl: 'a'\r\n"},
		{"byte order mark", "\ufeffk: UK\n", "GB", "\ufeffk: GB\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.in)
			got := refused
			if edits := doc.Rewrite("/k", tt.to); edits != nil {
				got = apply(t, doc, edits)
				if n := parse(t, got).Root.Get("k"); strings.TrimRight(n.Text, "\n") != tt.to && !strings.HasPrefix(tt.name, "letters") {
					t.Errorf("it reads as %q, want %q", n.Text, tt.to)
				}
			}
			if got != tt.want {
				t.Errorf("Rewrite of %q to %q gives %q, want %q", tt.in, tt.to, got, tt.want)
			}
		})
	}
}

func TestTrim(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"double quotes", "k: \"  a b \" # c\n", "k: \"a b\" # c\n"},
		{"single quotes", "k: ' it''s '' '\n", "k: 'it''s '''\n"},
		{"plain with a no-break space", "k: \u00a0a\u00a0b\u00a0\n", "k: a\u00a0b\n"},
		{"plain that then needs quotes", "k: \u00a012\n", "k: \"12\"\n"},
		{"escapes", "k: \"\\ta\\n\"\n", "k: \"a\"\n"},
		{"rare escape", "k: \"\\xa0a\"\n", "k: \"a\"\n"},
		{"quotes over two lines", "k: \" a\n  b \"\n", "k: \"a\n  b\"\n"},
		{"plain over two lines", "k: \u00a0a\n  b\u00a0\n", "k: a\n  b\n"},
		{"plain over two lines that needs quotes", "k: \u00a0- a\n  b\n", refused},
		{"literal block", "k: |\n  a  \n  b \t\n\nl: 1\n", "k: |\n  a  \n  b\n\nl: 1\n"},
		{"literal block with space in front", "k: |2\n\n    a\n     b\n", "k: |2\n  a\n     b\n"},
		{"block, blank lines in front", "k: >-\n\n\n   a\n   b\n", "k: >-\n   a\n   b\n"},
		{"block of CR LF", "k: |-\r\n  a \r\n", "k: |-\r\n  a\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.in)
			text := doc.Root.Get("k").Text
			left := strings.TrimSpace(text)
			from := strings.Index(text, left)
			got := refused
			if edits := doc.Trim("/k", from, from+len(left)); edits != nil {
				got = apply(t, doc, edits)
				if n := parse(t, got).Root.Get("k"); strings.TrimSuffix(n.Text, "\n") != left {
					t.Errorf("it reads as %q, want %q", n.Text, left)
				}
			}
			if got != tt.want {
				t.Errorf("Trim of %q gives %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	for _, tt := range []struct{ name, in, pointer, want string }{
		{"key", "a: 1\nb: 2 # c\nc: 3\n", "/b", "a: 1\nc: 3\n"},
		{"last key, no line feed", "a: 1\nb: 2", "/b", "a: 1\n"},
		{"key without a value", "a: 1\nb:\nc: 3\n", "/b", "a: 1\nc: 3\n"},
		{"only key", "a:\n  b: 1\n", "/a/b", refused},
		{"key with a mapping", "a: 1\nb:\n  c: {d: [1, 2]} # x\n\ne: 1\n", "/b", "a: 1\n\ne: 1\n"},
		{"key with a block", "b: |\n  x\n\n  y\nc: 1\n", "/b", "c: 1\n"},
		{"comment of its own stays", "a: 1\n# c\nb: 2\nd: 3\n", "/b", "a: 1\n# c\nd: 3\n"},
		{"comment would become text", "a: |\n  x\nb: 2\n  # c\nd: 3\n", "/b", refused},
		{"first key of an item", "- a: 1\n  b: 2\n- c\n", "/0/a", "- b: 2\n- c\n"},
		{"first key of an item, a comment between", "- a: 1\n  # c\n  b: 2\n", "/0/a", refused},
		{"second key of an item", "- a: 1\n  b: 2\n", "/0/b", "- a: 1\n"},
		{"item", "a:\n  - x # c\n  - y\n  - z\n", "/a/1", "a:\n  - x # c\n  - z\n"},
		{"first item", "a:\n- x # c\n- y\nb: 1\n", "/a/0", "a:\n- y\nb: 1\n"},
		{"first item beside a dash", "- - x\n  - y\n", "/0/0", "- - y\n"},
		{"item that is a mapping", "- a: 1\n  b: 2\n- c: 3\n", "/0", "- c: 3\n"},
		{"dash alone", "-\n  a: 1\n- c: 3\n", "/0", "- c: 3\n"},
		{"in brackets, first", "a: [x, y, z] # c\n", "/a/0", "a: [y, z] # c\n"},
		{"in brackets, middle", "a: [x , \"y,\" , z]\n", "/a/1", "a: [x , z]\n"},
		{"in brackets, last", "a: [x, y, 'z']\n", "/a/2", "a: [x, y]\n"},
		{"in brackets, alone", "a: [x]\n", "/a/0", "a: []\n"},
		{"in braces", "a: {x: 1, y: {z: 2}, w: }\n", "/a/y", "a: {x: 1, w: }\n"},
		{"in braces, no value", "a: {x: 1, y}\n", "/a/y", "a: {x: 1}\n"},
		{"brackets over lines", "a: [\n  x, # c\n  y, # d\n  z\n]\n", "/a/1", "a: [\n  x, # c\n  z\n]\n"},
		{"brackets over lines, last", "a: [\n  x,\n  y\n]\n", "/a/1", "a: [\n  x,\n]\n"},
		{"brackets over lines, a comment in the way", "a: [x, # c\n  y]\n", "/a/1", refused},
		{"aliases", "a: &x [x, y]\nb: *x\n", "/a/0", refused},
		{"not there", "a: 1\n", "/b", refused},
		{"the file", "a: 1\n", "", refused},
		{"explicit key", "? a\n: 1\n? b\n: 2\n", "/b", refused},
		{"CR LF", "a: 1\r\nb: 2\r\nc: 3\r\n", "/b", "a: 1\r\nc: 3\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.in)
			got := refused
			if edits := doc.Remove(tt.pointer); edits != nil {
				got = apply(t, doc, edits)
			}
			if got != tt.want {
				t.Errorf("Remove(%q) of %q gives %q, want %q", tt.pointer, tt.in, got, tt.want)
			}
		})
	}
}

// pointers lists every value but the root.
func pointers(n *source.Node, at string) []string {
	var all []string
	for _, f := range n.Fields {
		p := at + source.Pointer(f.Key.Text)
		all = append(append(all, p), pointers(f.Value, p)...)
	}
	for i, item := range n.Items {
		p := fmt.Sprintf("%s/%d", at, i)
		all = append(append(all, p), pointers(item, p)...)
	}
	return all
}

// expect writes a tree down, with one value replaced, or left out where to is nil.
func expect(n *source.Node, at, pointer string, to *string) (string, bool) {
	if at == pointer {
		if to == nil {
			return "", false
		}
		return fmt.Sprintf("text %q\n", *to), true
	}
	var b strings.Builder
	switch n.Kind {
	case source.Map:
		b.WriteString("{\n")
		for _, f := range n.Fields {
			if v, ok := expect(f.Value, at+source.Pointer(f.Key.Text), pointer, to); ok {
				fmt.Fprintf(&b, "%q: %s", f.Key.Text, v)
			}
		}
		b.WriteString("}\n")
	case source.List:
		b.WriteString("[\n")
		for i, item := range n.Items {
			if v, ok := expect(item, fmt.Sprintf("%s/%d", at, i), pointer, to); ok {
				b.WriteString(v)
			}
		}
		b.WriteString("]\n")
	default:
		fmt.Fprintf(&b, "%s %q\n", n.Kind, n.Text)
	}
	return b.String(), true
}

// checkEdits makes every edit there is of a file and holds that nothing changes
// but what the edit is about.
func checkEdits(t testing.TB, text string) (made int) {
	doc, found := source.Parse("f.yaml", []byte(text))
	if len(found) > 0 {
		return 0
	}
	all := pointers(doc.Root, "")
	for _, p := range all[:min(len(all), 60)] {
		n, _ := doc.Locate(p)
		check := func(what string, edits []diag.Edit, to *string) {
			if edits == nil {
				return
			}
			made++
			after := apply(t, doc, edits)
			got, found := source.Parse("f.yaml", []byte(after))
			if len(found) > 0 {
				t.Fatalf("%s of %q in\n%q gives\n%q, which finds %+v", what, p, text, after, found)
			}
			want, _ := expect(doc.Root, "", p, to)
			have, _ := expect(got.Root, "", "none", nil)
			if want != have {
				t.Fatalf("%s of %q in\n%q gives\n%q (-want +got):\n%s", what, p, text, after, cmp.Diff(want, have))
			}
		}
		check("Remove", doc.Remove(p), nil)
		if n.Kind == source.List || n.Kind == source.Map {
			continue
		}
		// A block keeps its line feed.
		ending := ""
		if isBlock(doc, n) && strings.HasSuffix(n.Text, "\n") {
			ending = n.Text[len(strings.TrimRight(n.Text, "\n")):]
			ending = ending[:min(1, len(ending))]
		}
		for _, to := range []string{"GB", "NO", "a: [b, \"c\"] #'", "é\u00a0"} {
			want := to + ending
			check("Rewrite", doc.Rewrite(p, to), &want)
		}
		body := strings.TrimRight(n.Text, "\n")
		left := strings.TrimSpace(body)
		if from := strings.Index(body, left); left != "" {
			want := left + ending
			check("Trim", doc.Trim(p, from, from+len(left)), &want)
		}
	}
	return made
}

func isBlock(doc *source.Document, n *source.Node) bool {
	tokens, err := doc.Tokens()
	if err != nil {
		return false
	}
	for _, t := range tokens {
		if at, _ := doc.Offset(n.Start()); t.Start >= at && t.Text == n.Text {
			return t.Style.Block()
		}
	}
	return false
}

var seeds = []string{
	"a: 1\nb: [x, y, {c: d}]\nc:\n  - e: f\n    g: |\n      text\n\n      more\n  - h\n# c\nd: 'q'\n",
	"a: |2\n   x\n  y \nb: >-\n    folded\n    text\n\nc: \" q \" # c\n",
	"- - a\n  - b\n- ? c\n  : d\n-\n  e: f\n",
	"{a: 1, b: [\n  x, # c\n  y\n], c: }\n",
	"k: &x foo\nl: !!str 12\nm: *x\n",
	"a:\n- x\n- y: 1\n  z: 2\nb: plain over\n  lines\nc: \"quoted \\\n  over\"\n",
	"a: |+\n  x\n\n\nb: |\n\nc: >+\n\n  y\n",
	"\ufeffa: \u00a0x\u00a0\r\nb: |\r\n  x\r\n",
	"a: \"\\u00e9\\x41\\\n  b\"\nb: 'it''s'\n",
	"a: |\n  x\nb: 2\n  # c\nd: 3\n",
}

// What people and editors do to files, by chance: the edits stay exact.
func TestEditsOfMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bits := []string{" ", "  ", "\n", "\n\n", "- ", ": ", "#", " # c\n", "'", "\"", "|\n", ">-\n", "[", "]", "{", "}", ", ", "x", "é", "\t", "\r\n", "&x ", "*x", "!!str ", "\\", "?", "\u00a0", "\u2028"}
	made := 0
	for _, s := range seeds {
		made += checkEdits(t, s)
		for range 1000 {
			b := s
			for range 1 + r.IntN(4) {
				i := r.IntN(len(b) + 1)
				j := min(len(b), i+r.IntN(3))
				b = b[:i] + bits[r.IntN(len(bits))] + b[j:]
			}
			made += checkEdits(t, b)
		}
	}
	t.Logf("%d edits made", made)
	if made < 5_000 {
		t.Errorf("only %d edits were made", made)
	}
}

func FuzzEdits(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkEdits(t, text) })
}
