package match

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match/vary"
)

func load(t testing.TB) *Detector {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// texts are the templates that are whole texts, under each id once.
func texts(d *Detector) []template {
	var out []template
	seen := map[string]bool{}
	for _, t := range d.templates {
		if t.kind == Text && !seen[t.ids[0]] {
			seen[t.ids[0]] = true
			out = append(out, t)
		}
	}
	return out
}

// said is a template as a text, in lines.
func said(d *Detector, t template) string { return vary.Rewrap(d.say(t.words), 78) }

// What is embedded was made with the reading of words that is in use.
func TestTextsAreCurrent(t *testing.T) {
	d := load(t)
	for _, tt := range d.templates {
		var got []uint16
		for _, w := range split(nil, []byte(d.say(tt.words)), d.words.id) {
			got = append(got, w.id)
		}
		if !slices.Equal(got, tt.words) {
			t.Errorf("%s: its words are read as others: run go generate ./internal/spdx/match", tt.ids[0])
		}
	}
}

// Every id of the list but those newer than its texts has a text.
func TestEveryIDHasAText(t *testing.T) {
	d := load(t)
	have := map[string]bool{}
	for _, tt := range d.templates {
		for _, id := range tt.ids {
			if tt.kind == Text {
				have[id] = true
			}
			_, known := spdx.Lookup(strings.TrimSuffix(id, "+"))
			if tt.kind == Exception {
				_, known = spdx.Exception(id)
			}
			if !known {
				t.Errorf("%s is no id of the list", id)
			}
		}
	}
	for _, l := range spdx.Licenses() {
		if !have[l.ID] && l.Name != "" { // without a name it is newer than the texts
			t.Errorf("%s has no text", l.ID)
		}
	}
}

func TestEveryTextIsFound(t *testing.T) {
	d := load(t)
	// Said without punctuation, their copyright notices read on into the next words.
	unreadable := map[string]bool{"DSDP": true, "IJG": true, "Net-SNMP": true, "TekHVC": true}
	for _, tt := range texts(d) {
		r := d.Detect([]byte(said(d, tt)))
		if r.Expression == "" && unreadable[tt.ids[0]] {
			continue
		}
		if !r.Same(tt.ids[0]) {
			t.Errorf("%s: found %q (%s)", tt.ids[0], r.Expression, r.Note)
		}
	}
}

// The ids that share their words are reported together, the likeliest first.
func TestSharedTexts(t *testing.T) {
	d := load(t)
	got := map[string][]string{}
	for _, tt := range texts(d) {
		if len(tt.ids) > 1 {
			got[tt.ids[0]] = tt.ids
		}
	}
	for _, want := range [][]string{
		{"GPL-2.0-only", "GPL-2.0-or-later", "GPL-2.0", "GPL-2.0+"},
		{"LGPL-3.0-only", "LGPL-3.0-or-later", "LGPL-3.0", "LGPL-3.0+"},
		{"AGPL-3.0-only", "AGPL-3.0-or-later", "AGPL-3.0"},
		{"MPL-2.0", "MPL-2.0-no-copyleft-exception"},
		{"OFL-1.1", "OFL-1.1-RFN", "OFL-1.1-no-RFN"},
		{"CAL-1.0", "CAL-1.0-Combined-Work-Exception"},
		{"SMLNJ", "StandardML-NJ"},
	} {
		if diff := cmp.Diff(want, got[want[0]]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want[0], diff)
		}
	}
	if r := d.Detect([]byte(said(d, d.templates[slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == "GPL-2.0-only" })]))); r.Expression != "GPL-2.0-only" || !slices.Contains(r.Alternatives, "GPL-2.0-or-later") {
		t.Errorf("GPL-2.0 text: found %q of %v", r.Expression, r.Alternatives)
	}
}

// A text written in another way is the same licence. Never is it another; a few
// may get no answer.
func TestRewrittenTexts(t *testing.T) {
	t.Parallel()
	d := load(t)
	n, missed := 0, 0
	for i, tt := range texts(d) {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		l, _ := spdx.Lookup(tt.ids[0])
		way := vary.Ways[i%len(vary.Ways)]
		for name, text := range map[string]string{way.Name: way.Write(r, said(d, tt), l.Name), "all": vary.All(r, said(d, tt), l.Name)} {
			n++
			switch got := d.Detect([]byte(text)); {
			case got.Same(tt.ids[0]) || slices.ContainsFunc(spdx.Successors(tt.ids[0]), got.Same):
			case got.Expression == "":
				missed++
			default:
				t.Errorf("%s, %s: found %q", tt.ids[0], name, got.Expression)
			}
		}
	}
	if missed*50 > n {
		t.Errorf("no answer for %d of %d texts, want at most one in fifty", missed, n)
	}
}

// A licence with a clause that takes something away is not that licence.
func TestClausesChangeTheLicence(t *testing.T) {
	t.Parallel()
	d := load(t)
	for _, id := range []string{"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Zlib", "BSL-1.0", "Unlicense", "CC0-1.0", "MPL-2.0", "CC-BY-4.0", "PostgreSQL", "WTFPL", "MIT-0", "NCSA"} {
		i := slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == id })
		text := said(d, d.templates[i])
		lines := strings.SplitAfter(text, "\n")
		for _, clause := range vary.Clauses {
			for place, at := range map[string]int{"start": 0, "middle": len(lines) / 2, "end": len(lines)} {
				with := strings.Join(lines[:at], "") + "\n" + clause + "\n" + strings.Join(lines[at:], "")
				if r := d.Detect([]byte(with)); r.Expression != "" {
					t.Errorf("%s with %q at the %s passes as %s", id, clause, place, r.Expression)
				}
			}
		}
	}
}

// The archives in testdata hold a text a file; its name is the expression wanted,
// "none" for none, then a colon and what the text is.
func TestTexts(t *testing.T) {
	d := load(t)
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			want, what, ok := strings.Cut(f.Name, ": ")
			if !ok {
				t.Fatalf("%s: %q names no expression", name, f.Name)
			}
			if want == "none" {
				want = ""
			}
			r := d.Detect(f.Data)
			if r.Expression != want {
				t.Errorf("%s: %s: found %q, want %q (%s)", filepath.Base(name), what, r.Expression, want, r.Note)
			}
		}
	}
}

// A whole licence with an exception below it.
func TestExceptions(t *testing.T) {
	d := load(t)
	text := func(id string) string {
		i := slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == id })
		if i < 0 {
			t.Fatalf("there is no text of %s", id)
		}
		return said(d, d.templates[i])
	}
	for _, tt := range []struct{ licence, exception, want string }{
		{"Apache-2.0", "LLVM-exception", "Apache-2.0 WITH LLVM-exception"},
		{"Apache-2.0", "Swift-exception", "Apache-2.0 WITH Swift-exception"},
		{"GPL-3.0-only", "GCC-exception-3.1", "GPL-3.0-only WITH GCC-exception-3.1"},
		{"GPL-2.0-only", "GCC-exception-2.0", "GPL-2.0-only WITH GCC-exception-2.0"},
		{"GPL-2.0-only", "Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"GPL-3.0-only", "Autoconf-exception-3.0", "GPL-3.0-only WITH Autoconf-exception-3.0"},
		{"GPL-2.0-only", "Autoconf-exception-2.0", "GPL-2.0-only WITH Autoconf-exception-2.0"},
		{"GPL-2.0-only", "GPL-2.0-with-bison-exception", "GPL-2.0-only WITH Bison-exception-2.2"},
		{"GPL-3.0-only", "Font-exception-2.0", "GPL-3.0-only WITH Font-exception-2.0"},
		{"AGPL-3.0-only", "openvpn-openssl-exception", "AGPL-3.0-only WITH openvpn-openssl-exception"},
		{"LGPL-2.1-only", "Libtool-exception", "LGPL-2.1-only WITH Libtool-exception"},
		{"MIT", "LLVM-exception", ""},
		{"MIT", "Classpath-exception-2.0", ""},
	} {
		for _, with := range []string{
			text(tt.licence) + "\n\n" + text(tt.exception),
			text(tt.exception) + "\n\n" + text(tt.licence),
		} {
			r := d.Detect([]byte(with))
			if r.Expression != tt.want {
				t.Errorf("%s and %s: found %q, want %q (%s)", tt.licence, tt.exception, r.Expression, tt.want, r.Note)
			}
			// What takes something away does so here as well.
			if r := d.Detect([]byte(with + "\n\nThis exception is void for banks.\n")); r.Expression != "" {
				t.Errorf("%s and %s with a limit: found %q", tt.licence, tt.exception, r.Expression)
			}
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	d := load(t)
	mit := said(d, d.templates[slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == "MIT" })])
	wide := func(order binary.AppendByteOrder, mark []byte) []byte {
		for _, u := range utf16.Encode([]rune(mit)) {
			mark = order.AppendUint16(mark, u)
		}
		return mark
	}
	random := make([]byte, 1<<16)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for _, tt := range []struct {
		name string
		text []byte
		want string // an expression, or "": a part of the note
		note string
	}{
		{"empty", nil, "", "no licence was found"},
		{"blank", []byte(" \n\t\r\n"), "", "no licence was found"},
		{"random bytes", random, "", "not a text file"},
		{"NUL bytes", []byte(strings.ReplaceAll(mit, " ", "\x00")), "", "NUL"},
		{"ELF", append([]byte("\x7fELF\x02\x01\x01\x00"), mit...), "", "not a text file"},
		{"UTF-8 with a mark", []byte("\ufeff" + mit), "MIT", ""},
		{"UTF-16 little endian", wide(binary.LittleEndian, []byte{0xff, 0xfe}), "MIT", ""},
		{"UTF-16 big endian", wide(binary.BigEndian, []byte{0xfe, 0xff}), "MIT", ""},
		{"UTF-16 cut in a pair", append(wide(binary.LittleEndian, []byte{0xff, 0xfe}), 'x'), "MIT", ""},
		{"Latin-1 owner", []byte("Copyright (c) 2001 Jos\xe9 Mu\xf1oz\n\n" + mit), "MIT", ""},
		{"too long", bytes.Repeat([]byte("a "), MaxText/2+1), "", "longer than"},
		{"one word without end", bytes.Repeat([]byte("a"), MaxText), "", "no licence"},
		{"one line without end", bytes.Repeat([]byte("copyright (c) the software is provided as is "), 5000), "", ""},
		{"tags without end", bytes.Repeat([]byte("<p><br>"), 200000), "", "no licence"},
		{"brackets without end", bytes.Repeat([]byte("<p "), 100000), "", "no licence"},
	} {
		got := d.Detect(tt.text)
		if got.Expression != tt.want || !strings.Contains(got.Note, tt.note) {
			t.Errorf("%s: found %q (%s), want %q (...%s...)", tt.name, got.Expression, got.Note, tt.want, tt.note)
		}
	}
}

// Many licences in one long text are all found, in their order.
func TestManyLicences(t *testing.T) {
	d := load(t)
	var text strings.Builder
	var want []string
	for i := range 60 {
		id := []string{"MIT", "ISC", "BSD-3-Clause", "Zlib"}[i%4]
		k := slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == id })
		fmt.Fprintf(&text, "\n---\nname-%d\n\n%s\n", i, said(d, d.templates[k]))
		want = append(want, id)
	}
	r := d.Detect([]byte(text.String()))
	var got []string
	for i, m := range r.Matches {
		got = append(got, m.License)
		if i > 0 && m.Start < r.Matches[i-1].End {
			t.Errorf("match %d starts before the one before it ends", i)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Expression != "MIT AND ISC AND BSD-3-Clause AND Zlib" {
		t.Errorf("found %q (%s)", r.Expression, r.Note)
	}
}

func TestDetectorIsShared(t *testing.T) {
	d := load(t)
	all := texts(d)
	want := make([]Result, 40)
	for i := range want {
		want[i] = d.Detect([]byte(said(d, all[i*7])))
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range want {
				i = (i*11 + g) % len(want)
				if diff := cmp.Diff(want[i], d.Detect([]byte(said(d, all[i*7])))); diff != "" {
					t.Errorf("%s: found otherwise beside others:\n%s", all[i*7].ids[0], diff)
				}
			}
		})
	}
	wg.Wait()
}

func TestPackAndUnpack(t *testing.T) {
	var b bytes.Buffer
	if err := Pack(&b, []Source{
		{IDs: []string{"A", "B"}, Kind: Text, Text: "Copyright (c) 2001 X.\n\nTitle here\n\nthe one <year> licence of them, and the end", Optional: []Span{{23, 33}}, Fill: []Span{{43, 49}}},
		{IDs: []string{"C"}, Kind: Header, Text: "the one licence of them, and the end"},
	}); err != nil {
		t.Fatal(err)
	}
	got, names, err := unpack(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	d := Detector{names: names}
	if s := d.say(got[0].words); s != "title here the one year license of them and the end" {
		t.Errorf("the first reads %q", s)
	}
	if len(got) != 2 || !slices.Equal(got[0].optional, []span{{0, 2}}) || !slices.Equal(got[0].fill, []span{{4, 5}}) || got[1].kind != Header {
		t.Errorf("unpacked %+v", got)
	}
	for n := range b.Len() {
		if _, _, err := unpack(b.Bytes()[:n]); err == nil {
			t.Errorf("the first %d bytes of %d are taken for the whole", n, b.Len())
		}
	}
}

// Whatever is detected, the spans lie in the text and a second look says the same.
func FuzzDetect(f *testing.F) {
	d, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	for i, t := range texts(d) {
		if len(t.words) < 400 {
			text := said(d, t)
			f.Add([]byte(text))
			f.Add([]byte(vary.Ways[i%len(vary.Ways)].Write(rand.New(rand.NewPCG(uint64(i), 3)), text, t.ids[0])))
		}
	}
	if a, err := txtar.ParseFile("testdata/snippets.txtar"); err == nil {
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := d.Detect(text)
		n := len(text)
		if u, problem := decode(text); problem == "" {
			n = len(u)
		}
		for _, m := range r.Matches {
			if m.Start < 0 || m.Start >= m.End || m.End > n || m.Confidence < 0 || m.Confidence > 1 {
				t.Errorf("match %+v in a text of %d bytes", m, n)
			}
		}
		for _, s := range r.Unmatched {
			if s.Start < 0 || s.Start >= s.End || s.End > n {
				t.Errorf("unmatched %+v in a text of %d bytes", s, n)
			}
		}
		if r.Expression != "" {
			if _, err := spdx.Parse(r.Expression); err != nil {
				t.Errorf("found %q: %v", r.Expression, err)
			}
		}
		if diff := cmp.Diff(r, d.Detect(text)); diff != "" {
			t.Errorf("a second look (-first +second):\n%s", diff)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	d := load(b)
	for _, id := range []string{"MIT", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-only"} {
		k := slices.IndexFunc(d.templates, func(t template) bool { return t.ids[0] == id })
		text := []byte(said(d, d.templates[k]))
		b.Run(id, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				d.Detect(text)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		templates, names, err := unpack(packed)
		if err != nil {
			b.Fatal(err)
		}
		newVocabulary(names)
		newIndex(templates)
	}
}
