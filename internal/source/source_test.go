package source_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// What is not an entry's YAML is a finding with a place, and never a panic.
func TestParseFindings(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"good", "a: 1\nb: [x, y]\n", ""},
		{"empty", "", ""},
		{"only a comment", "# nothing\n", ""},
		{"duplicate key", "name: a\nid: b\nname: c\n",
			"f.yaml:3:1: error: key \"name\" is given twice [duplicate-key]\n\thint: keep one of the two\n\tf.yaml:1:1: first given here\n"},
		{"duplicate key after two-byte letters", "a: {é: 1, b: 2, b: 3}\n",
			"f.yaml:1:18: error: key \"b\" is given twice [duplicate-key]\n\thint: keep one of the two\n\tf.yaml:1:12: first given here\n"},
		{"lines as an editor counts them", "a: \"x\u2028y\"\nb: 1\nb: 2\n",
			"f.yaml:3:1: error: key \"b\" is given twice [duplicate-key]\n\thint: keep one of the two\n\tf.yaml:2:1: first given here\n"},
		{"not UTF-8", "name: caf\xe9\n",
			"f.yaml:1:10: error: byte 0xe9 is not UTF-8 [file-encoding]\n\thint: save the file as UTF-8\n"},
		{"NUL", "name: a\x00b\n",
			"f.yaml:1:8: error: control character U+0000 is not allowed [file-encoding]\n\thint: delete the character\n"},
		{"two documents", "a: 1\n---\nb: 2\n",
			"f.yaml:2:1: error: the file holds more than one YAML document [yaml-document]\n\thint: keep one entry a file\n"},
		{"alias in itself", "a: &x [1, *x]\n",
			"f.yaml:1:11: error: alias \"*x\" stands inside the value it names [yaml-alias]\n\thint: write the value out\n"},
		{"list as a key", "? [a]\n: b\n",
			"f.yaml:1:3: error: a key must be plain text [yaml-key]\n\thint: YAML's << and composed keys are not used here\n"},
		{"merge key", "a: &x {b: 1}\nc:\n  <<: *x\n",
			"f.yaml:3:3: error: a key must be plain text [yaml-key]\n\thint: YAML's << and composed keys are not used here\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, found := source.Parse("f.yaml", []byte(tt.in))
			var got bytes.Buffer
			if err := diag.WriteText(&got, found, false); err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("Parse(%q) finds\n%swant\n%s", tt.in, got.String(), tt.want)
			}
		})
	}
}

// Each bound holds, whatever the shape of the attack, and is named by its rule.
func TestParseBounds(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1, i-1)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"over 1 MiB", strings.Repeat("a", source.MaxBytes+1), "file-size"},
		{"brackets", strings.Repeat("[", 1<<20), "yaml-depth"},
		{"braces", strings.Repeat("{a: ", 1<<18), "yaml-depth"},
		{"dashes", strings.Repeat("- ", 1<<19), "yaml-depth"},
		{"question marks", strings.Repeat("? ", 1<<19), "yaml-depth"},
		{"indentation", indented(1000), "yaml-depth"},
		{"just too deep", strings.Repeat("[", source.MaxDepth+1) + strings.Repeat("]", source.MaxDepth+1), "yaml-depth"},
		{"billion laughs", laughs.String(), "yaml-alias"},
		{"many aliases", "a: &a 1\nb: [" + strings.Repeat("*a, ", source.MaxAliases+1) + "]\n", "yaml-alias"},
		{"many anchors", strings.Repeat("- &a b\n", 1<<17), "yaml-alias"},
		{"open quote", "a: \"" + strings.Repeat("x", 1<<19), "yaml-syntax"},
		{"tab", "a:\n\tb: 1\n", "yaml-syntax"},
		{"unknown alias", "a: *b\n", "yaml-syntax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, found := source.Parse("f.yaml", []byte(tt.in))
			if len(found) != 1 || found[0].Rule != tt.want {
				t.Errorf("Parse finds %+v, want one finding of rule %s", found, tt.want)
			}
		})
	}
}

func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestLocate(t *testing.T) {
	const in = "name: Ünïcode\nlicenses:\n  - {expression: \"MIT\", url: 'it''s'}\n  - expression: >\n      long\n\"a/b\": &x 5\nagain: *x\n"
	doc, found := source.Parse("f.yaml", []byte(in))
	if len(found) > 0 {
		t.Fatalf("Parse finds %v", found)
	}
	for _, tt := range []struct {
		pointer    string
		exact      bool
		start, end string
	}{
		{"", true, "1:1", "1:1"},
		{"/name", true, "1:7", "1:16"}, // two letters of two bytes each
		{"/licenses/0/expression", true, "3:18", "3:23"},
		{"/licenses/0/url", true, "3:30", "3:37"},
		{"/licenses/1/expression", true, "4:17", "4:17"},
		{"/licenses/7", false, "3:3", "3:3"},
		{"/licenses/x", false, "3:3", "3:3"},
		{"/a~1b", true, "6:8", "6:8"}, // an anchor is part of its value
		{"/again", true, "7:8", "7:10"},
		{"/none/at/all", false, "1:1", "1:1"},
	} {
		n, exact := doc.Locate(tt.pointer)
		start := fmt.Sprintf("%d:%d", n.Start().Line, n.Start().Col)
		end := fmt.Sprintf("%d:%d", n.End().Line, n.End().Col)
		if exact != tt.exact || start != tt.start || end != tt.end {
			t.Errorf("Locate(%q) = %s to %s, exact %v; want %s to %s, exact %v", tt.pointer, start, end, exact, tt.start, tt.end, tt.exact)
		}
	}
	if k := doc.KeyAt("/a~1b"); k == nil || k.Start() != (diag.Pos{Line: 6, Col: 1}) {
		t.Errorf("KeyAt(/a~1b) = %v, want the key at 6:1", k)
	}
}

// Countries and answers look like YAML 1.1's booleans; they are text here, and
// so are dates.
func TestValue(t *testing.T) {
	doc, _ := source.Parse("f.yaml", []byte("a: NO\nb: yes\nc: 2023-01-13\nd: true\ne: 0x10\nf: 1.5\ng: ~\nh: 99999999999999999999999\n"))
	got := fmt.Sprintf("%#v", doc.Root.Value())
	const want = `map[string]interface {}{"a":"NO", "b":"yes", "c":"2023-01-13", "d":true, "e":16, "f":1.5, "g":interface {}(nil), "h":1e+23}`
	if got != want {
		t.Errorf("Value() = %s, want %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1\n", "a: &x [*x]\n", "- - - [", "\ufeffa: \"\\u00e9\"\r\nb: |\n  x\n", "a: !!binary x", "%YAML 1.1\n---\na: b", "<<: {a: b}", "? a\n: b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, found := source.Parse("f.yaml", text)
		lines := bytes.Count(text, []byte("\n")) + 1
		inside := func(p diag.Pos) {
			if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Col > len(text)+1 {
				t.Errorf("position %v is outside a file of %d lines and %d bytes", p, lines, len(text))
			}
		}
		for _, d := range found {
			inside(d.Start)
		}
		var walk func(n *source.Node)
		walk = func(n *source.Node) {
			inside(n.Start())
			inside(n.End())
			for _, i := range n.Items {
				walk(i)
			}
			for _, f := range n.Fields {
				walk(f.Key)
				walk(f.Value)
			}
		}
		walk(doc.Root)
		doc.Root.Value()
		if len(found) == 0 {
			var v any
			_ = doc.Decode(&v)
		}
	})
}
