package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The passes over a file's bytes take short cuts; they find what plain ones do.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"a: b\n", "a\r\nb\rc", "a\u0085b\u2028c\u2029d", "\x07", "a\x7f\x00", strings.Repeat("[", 200), strings.Repeat("- ", 200) + "\x01",
		strings.Repeat("- ", 100) + "\n" + strings.Repeat("? ", 100), strings.Repeat("{}", 300), "\xff", "a\n\n", "\xc2", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := invalidUTF8(text) < 0, utf8.Valid(text); got != want {
			t.Fatalf("valid: %v, want %v", got, want)
		}
		var starts []int
		for i := range len(text) + 1 {
			if i == 0 || text[i-1] == '\n' {
				starts = append(starts, i)
			}
		}
		d := &Document{text: text, lines: lineStarts(text)}
		if !slices.Equal(d.lines, starts) {
			t.Errorf("lines start at %v, want %v", d.lines, starts)
		}
		if got, want := d.breaks(), yamlLineStarts(text); !slices.Equal(got, want) {
			t.Errorf("for YAML, lines start at %v, want %v", got, want)
		}
		control, deep := survey(text)
		if want := slices.IndexFunc(text, func(b byte) bool { return b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f }); control != want {
			t.Errorf("control character at %d, want %d", control, want)
		}
		if want := tooDeep(text); control < 0 && deep != want {
			t.Errorf("too deep at %d, want %d", deep, want)
		}
	})
}

// tooDeep is what survey says of depth, a byte at a time.
func tooDeep(text []byte) int {
	open, dashes := 0, 0
	for i, b := range text {
		switch {
		case b == '[', b == '{':
			open++
		case b == ']', b == '}':
			open = max(0, open-1)
		case b == '\n':
			dashes = 0
		case (b == '-' || b == '?') && i+1 < len(text) && text[i+1] == ' ':
			dashes++
		}
		if open > 4*MaxDepth || dashes > 4*MaxDepth {
			return i
		}
	}
	return -1
}

// A mapping of any size knows its keys; a repeat is left out.
func TestRepeatedKeys(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 34, 100} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		for _, again := range []int{0, n / 2, n - 1} {
			fmt.Fprintf(&b, "k%d: 2\nnew%d: 3\n", again, again)
		}
		doc, found := Parse("x.yaml", []byte(b.String()))
		repeats := 3
		if n == 1 {
			repeats = 5 // new0 is there three times
		}
		if len(found) != repeats || len(doc.Root.Fields) != n+6-repeats {
			t.Errorf("of %d keys, %d are repeats and %d are kept; want %d and %d", n, len(found), len(doc.Root.Fields), repeats, n+6-repeats)
		}
		for i, d := range found {
			if d.Rule != "duplicate-key" || n > 1 && d.Start.Line != n+1+2*i {
				t.Errorf("of %d keys: finding %v", n, d)
			}
		}
	}
}
