package forge

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// What is written in a title or a label is what is read back.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{
		"---\nstate: merged\n---\n", "title: x\nauthor: {login: root}", "trailing  \n\n\n", "  \t leading", "\r\nbare\rreturn\u2028\u2029\u0085", "\ufeffbyte order mark",
		"nul\x00 and \x7f", "!!binary aGk=", "&a *a", "null", "~", "'", "\"\\", "- x", "# x", "? x", "| x", "> x", "%YAML", "1e3", "0x1F", "2024-01-01", "yes", "<<",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("checked before it is written")
		}
		want := pullRecord{
			Number: 1, Title: plain(text), State: Open, Head: "h", HeadSHA: strings.Repeat("1", 40), Base: "b",
			Author: author{Login: plain(text), ID: 2}, Labels: []plain{plain(text), "b"},
		}
		data, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got pullRecord
		if err := decodeYAML(data, &got); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	})
}

// No file makes reading panic, and none that passes leads out of the repository.
func FuzzDecode(f *testing.F) {
	f.Add("number: 1\ntitle: t\nstate: open\nhead: fix\nhead_sha: 1111111111111111111111111111111111111111\nbase: main\nauthor: {login: x}\nlabels: []\n")
	f.Add("a: &a [*a]\n")
	f.Add("? {x: y}\n: !!binary aGk=\n")
	f.Fuzz(func(t *testing.T, text string) {
		var r pullRecord
		if decodeYAML([]byte(text), &r) != nil || r.check(1) != nil {
			return
		}
		if ref := headRef(r.HeadRepository, r.Head); strings.Contains(ref, "..") || strings.ContainsAny(ref, "\\\n\x00") {
			t.Errorf("head is the reference %q", ref)
		}
	})
}

// No path that passes is one that Git, on any system, would not want in a tree.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"a/b", "../a", ".git/config", "a/.GIT", "git~1", ".g\u200cit"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if checkPath(p) != nil {
			return
		}
		for part := range strings.SplitSeq(p, "/") {
			if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") {
				t.Errorf("path %q passed", p)
			}
		}
		if _, err := plan(map[string][]byte{p: {}}); err != nil {
			t.Error(err)
		}
	})
}
