package fix_test

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// included are the entries of the registry in this repository, by path.
func included(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, k := range entry.Kinds {
		names, err := filepath.Glob("../../registry/" + k.Folder + "/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.ToSlash(strings.TrimPrefix(name, filepath.FromSlash("../../")))] = string(data)
		}
	}
	if len(files) < 20 {
		t.Fatalf("the registry has %d entries", len(files))
	}
	return files
}

// imported are the predecessor's entries as the import writes them.
func imported(t testing.TB) map[string]string {
	t.Helper()
	dir, err := filepath.Abs("../../../shared/data/dpga/dpga")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SKIPPED, no real input: folder shared/data/dpga/dpga is not beside the repository")
	}
	src, err := dpga.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := src.Convert(dpga.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, c := range made {
		name := "registry/" + c.Path
		data, err := entry.Encode(c.Entry, schemaOf(t, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

// schemaOf is the path from an entry to its schema.
func schemaOf(t testing.TB, name string) string {
	t.Helper()
	for _, k := range entry.Kinds {
		if strings.HasPrefix(name, "registry/"+k.Folder+"/") {
			return entry.SchemaPath(name, k.Schema)
		}
	}
	t.Fatalf("%s is of no kind", name)
	return ""
}

// What the programs write is laid out already.
func TestFormatOfCanonical(t *testing.T) {
	check := func(t *testing.T, files map[string]string) {
		for name, text := range files {
			got, err := fix.Format(name, []byte(text), schemaOf(t, name))
			if err != nil {
				t.Error(err)
				continue
			}
			if diff := cmp.Diff(text, string(got)); diff != "" {
				t.Errorf("%s changes (-is +becomes):\n%s", name, diff)
			}
		}
		t.Logf("%d files", len(files))
	}
	t.Run("included", func(t *testing.T) { check(t, included(t)) })
	t.Run("imported", func(t *testing.T) { check(t, imported(t)) })
}

// checkFormat holds what is true of every file that Format takes.
func checkFormat(t testing.TB, name string, text []byte) (formatted []byte, err error) {
	t.Helper()
	got, err := fix.Format(name, text, schemaOf(t, name))
	if err != nil {
		return nil, err
	}
	again, err := fix.Format(name, got, schemaOf(t, name))
	if err != nil {
		t.Fatalf("Format of\n%q gives\n%q, and of that error %v", text, got, err)
	}
	if diff := cmp.Diff(string(got), string(again)); diff != "" {
		t.Fatalf("Format of\n%q gives\n%q, and of that (-once +twice):\n%s", text, got, diff)
	}
	before, _ := source.Parse(name, text)
	after, found := source.Parse(name, got)
	if len(found) > 0 {
		t.Fatalf("Format of\n%q gives\n%q, which finds %v", text, got, found)
	}
	if diff := cmp.Diff(outline(before.Root), outline(after.Root)); diff != "" {
		t.Fatalf("Format of\n%q gives\n%q, which differs:\n%s", text, got, diff)
	}
	tokens, err := after.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, tok := range append(tokens, source.Token{Start: len(got), End: len(got)}) {
		between := string(got[at:tok.Start])
		if strings.ContainsAny(between, "\t\r") || strings.Contains(between, " \n") {
			t.Fatalf("Format of\n%q gives\n%q, with tabs or spaces at a line's end", text, got)
		}
		at = tok.End
	}
	if !strings.HasPrefix(string(got), "# yaml-language-server: $schema=") || !strings.HasSuffix(string(got), "\n") {
		t.Fatalf("Format of\n%q gives\n%q, without the first line or the last line feed", text, got)
	}
	return got, nil
}

// outline writes a tree down with the order of its keys.
func outline(n *source.Node) string {
	var b strings.Builder
	var walk func(n *source.Node)
	walk = func(n *source.Node) {
		fmt.Fprintf(&b, "%s %q (", n.Kind, n.Text)
		for _, f := range n.Fields {
			fmt.Fprintf(&b, "%q: ", f.Key.Text)
			walk(f.Value)
		}
		for _, item := range n.Items {
			walk(item)
		}
		b.WriteString(")\n")
	}
	walk(n)
	return b.String()
}

// A scribe writes a tree in one of many ways that people do. Choices that show in
// the laid out file come from shape, and white space that must not from space.
type scribe struct {
	b            strings.Builder
	shape, space *rand.Rand
	lineEnd      string
	comments     int
}

func (s *scribe) blanks(most int) string { return strings.Repeat(" ", s.space.IntN(most+1)) }

func (s *scribe) comment(indent int) {
	if s.shape.IntN(6) == 0 {
		s.comments++
		s.b.WriteString(strings.Repeat(" ", indent) + fmt.Sprintf("# note %d: 'a' [b] \"c", s.comments) + s.blanks(2) + s.lineEnd)
	}
	if s.shape.IntN(12) == 0 {
		s.b.WriteString(s.lineEnd)
	}
}

func (s *scribe) endLine() {
	if s.shape.IntN(8) == 0 {
		s.comments++
		fmt.Fprintf(&s.b, " # side %d", s.comments)
	}
	s.b.WriteString(s.blanks(2) + s.lineEnd)
}

// block writes the fields or items of n, set in by indent; the cursor is at the
// start of a line, or where the first of them goes.
func (s *scribe) block(n *source.Node, indent int, inline bool) {
	pad := func() {
		if !inline {
			s.comment(indent)
			s.b.WriteString(strings.Repeat(" ", indent))
		}
		inline = false
	}
	for _, f := range n.Fields {
		pad()
		s.b.WriteString(f.Key.Text + s.blanks(1) + ":")
		s.value(f.Value, indent, false)
	}
	for _, item := range n.Items {
		pad()
		s.b.WriteString("-")
		s.value(item, indent, true)
	}
}

func (s *scribe) value(n *source.Node, indent int, dash bool) {
	whole := len(n.Fields)+len(n.Items) > 0
	switch {
	case whole && s.shape.IntN(4) > 0:
		in := indent + 1 + s.space.IntN(4)
		switch {
		case dash && s.shape.IntN(8) > 0: // on the dash's line
			in = indent + 1 + 1 + s.space.IntN(3)
			s.b.WriteString(strings.Repeat(" ", in-indent-1))
			s.block(n, in, true)
			return
		case !dash && len(n.Items) > 0 && s.space.IntN(2) == 0:
			in = indent // a list below its key
		}
		s.endLine()
		s.block(n, in, false)
	case n.Kind == source.List || n.Kind == source.Map:
		s.b.WriteString(" " + s.blanks(2))
		s.flow(n, indent)
		s.endLine()
	case n.Kind == source.String && strings.TrimSpace(n.Text) == n.Text && n.Text != "" && !strings.Contains(n.Text, "\n") && s.shape.IntN(5) == 0:
		s.b.WriteString(" " + s.blanks(1) + []string{"|-", ">-"}[s.shape.IntN(2)])
		s.endLine()
		in := indent + 1 + s.space.IntN(5)
		s.b.WriteString(strings.Repeat(" ", in) + n.Text + s.lineEnd)
	default:
		if s.shape.IntN(10) == 0 {
			s.endLine()
			s.b.WriteString(strings.Repeat(" ", indent+1+s.space.IntN(4)))
		} else {
			s.b.WriteString(" " + s.blanks(2))
		}
		s.scalar(n, indent)
		s.endLine()
	}
}

func (s *scribe) scalar(n *source.Node, indent int) {
	if n.Kind != source.String {
		s.b.WriteString(n.Text)
		return
	}
	text := strings.ReplaceAll(n.Text, "'", "''")
	if s.shape.IntN(3) == 0 { // over two lines
		if i := strings.Index(text, " "); i > 0 && !strings.HasPrefix(text[i:], "  ") {
			text = text[:i] + s.blanks(2) + s.lineEnd + strings.Repeat(" ", indent+1+s.space.IntN(4)) + text[i+1:]
		}
	}
	s.b.WriteString("'" + text + "'")
}

func (s *scribe) flow(n *source.Node, indent int) {
	open, end := "[", "]"
	if n.Kind == source.Map {
		open, end = "{", "}"
	}
	lines := s.shape.IntN(2) == 0
	s.b.WriteString(open)
	newLine := func() {
		if lines {
			s.endLine()
			s.comment(s.space.IntN(9))
			s.b.WriteString(strings.Repeat(" ", indent+1+s.space.IntN(7)))
		}
	}
	each := func(i, last int, write func()) {
		newLine()
		write()
		if i < last {
			s.b.WriteString(", ")
		}
	}
	for i, f := range n.Fields {
		each(i, len(n.Fields)-1, func() {
			s.b.WriteString(f.Key.Text + ": ")
			s.inFlow(f.Value, indent)
		})
	}
	for i, item := range n.Items {
		each(i, len(n.Items)-1, func() { s.inFlow(item, indent) })
	}
	newLine()
	s.b.WriteString(end)
}

func (s *scribe) inFlow(n *source.Node, indent int) {
	if n.Kind == source.List || n.Kind == source.Map {
		s.flow(n, indent)
		return
	}
	s.scalar(n, indent)
}

var every = flag.Bool("every", false, "try all that chance makes of files, not a third of it")

// some is how much of what chance makes is tried.
func some(n int) int {
	if *every {
		return n
	}
	return n / 3
}

// However a person sets a file in, it comes out the same, and nothing is lost.
func TestFormatOfManyHands(t *testing.T) {
	files := included(t)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for seed := range uint64(some(300)) {
		name := names[int(seed)%len(names)]
		doc, _ := source.Parse(name, []byte(files[name]))
		var first string
		for hand := range uint64(3) {
			s := &scribe{shape: rand.New(rand.NewPCG(seed, 1)), space: rand.New(rand.NewPCG(seed, 100+hand)), lineEnd: []string{"\n", "\r\n"}[hand%2]}
			s.block(doc.Root, 0, false)
			text := s.b.String()
			written, found := source.Parse(name, []byte(text))
			if len(found) > 0 || outline(written.Root) != outline(doc.Root) {
				t.Fatalf("seed %d, hand %d: the test writes what it does not mean: %v\n%s", seed, hand, found, text)
			}
			got, err := checkFormat(t, name, []byte(text))
			if err != nil {
				t.Fatalf("seed %d, hand %d: %v\n%s", seed, hand, err, text)
			}
			if n := strings.Count(string(got), "# note") + strings.Count(string(got), "# side"); n != s.comments {
				t.Fatalf("seed %d, hand %d: %d comments of %d are left\n%s", seed, hand, n, s.comments, got)
			}
			if hand == 0 {
				first = string(got)
			} else if diff := cmp.Diff(first, string(got)); diff != "" {
				t.Fatalf("seed %d, hand %d: white space shows (-hand 0 +hand %d):\n%s", seed, hand, hand, diff)
			}
		}
	}
}

// Damage by chance: what Format takes keeps its meaning.
func TestFormatOfMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	bits := []string{" ", "  ", "\n", "\n\n", "- ", ": ", "#", " # c\n", "'", "\"", "|\n", ">-\n", "[", "]", "{", "}", ", ", "x", "é", "\t", "\r\n", "&x ", "*x", "!!str ", "\\", "?", "\u00a0", "\u2028", "---\n"}
	taken, refused := 0, 0
	tries := some(30_000)
	for range tries {
		b := seeds[r.IntN(len(seeds))]
		for range 1 + r.IntN(4) {
			i := r.IntN(len(b) + 1)
			j := min(len(b), i+r.IntN(3))
			b = b[:i] + bits[r.IntN(len(bits))] + b[j:]
		}
		if _, err := checkFormat(t, entryPath, []byte(b)); err == nil {
			taken++
		} else if strings.Contains(err.Error(), "without changing") {
			refused++
			if testing.Verbose() {
				t.Logf("refused: %q", b)
			}
		}
	}
	t.Logf("%d laid out, %d refused for what they would become", taken, refused)
	if taken < tries/6 || refused > taken/100 {
		t.Errorf("%d are laid out, %d refused", taken, refused)
	}
}

var seeds = []string{
	"a: 1\nb: [x, y, {c: d}]\nc:\n  - e: f\n    g: |\n      text\n\n      more\n  - h\n# c\nd: 'q'\n",
	"a: |2\n   x\n  y \nb: >-\n    folded\n    text\n\nc: \" q \" # c\n",
	"a:\n- - a\n  - b\n-\n  e: f\n# g\n",
	"{a: 1, b: [\n  x, # c\n  y\n], c: }\n",
	"k: &x foo\nl: !!str 12\nm: *x\n&y n: *x\n",
	"a:\n- x\n- y: 1\n  z: 2\nb: plain over\n  lines\nc: \"quoted \\\n  over\"\n",
	"a: |+\n  x\n\n\nb: |\n\nc: >+\n\n  y\n",
	"\ufeffa: \u00a0x\u00a0\r\nb: |\r\n  x\r\n",
	"a: \"\\u00e9\\x41\\\n  b\"\nb: 'it''s'\n",
	"a: |\n  x\nb: 2\n  # c\nd: 3\n",
	"%YAML 1.1\n--- # c\na:\n   b:\n        c: 1\n   # d\n...\n",
}

func FuzzFormat(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = checkFormat(t, entryPath, text)
	})
}

// tree makes files of texts by path for a registry, without the folder's name.
func tree(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[strings.TrimPrefix(name, "registry/")] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}
