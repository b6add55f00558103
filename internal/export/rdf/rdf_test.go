package rdf

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAddress(t *testing.T) {
	tests := []struct {
		in   string
		want IRI
	}{
		{"https://example.org", "https://example.org"},
		{" https://example.org/a?b=c#d\n", "https://example.org/a?b=c#d"},
		{"https://example.org/a b", "https://example.org/a%20b"},
		{"https://example.org/<x>\"{|}\\^`", "https://example.org/%3Cx%3E%22%7B%7C%7D%5C%5E%60"},
		{"https://example.org/é/100%/%C3%A9", "https://example.org/é/100%25/%C3%A9"},
		{"https://exämple.org/", "https://exämple.org/"},
		{"http://[::1]:8080/x[1]", "http://[::1]:8080/x%5B1%5D"},
		{"http://example.org/#a#b", "http://example.org/#a%23b"},
		{"http://example.org/a\u2028b\u202e", "http://example.org/a%E2%80%A8b%E2%80%AE"},
		{"https://http/https", "https://http/https"},
		{"", ""},
		{"example.org", ""},
		{"/a", ""},
		{"javascript:alert(1)", ""},
		{"https:///a", ""},
		{"https://user:secret@example.org/", ""},
		{"https://exa mple.org/", ""},
		{"https://<x>/", ""},
		{"http://%C3%A9.org/", ""},
		{"https://example.org/\xff", ""},
		{"git@example.org:x.git", ""},
	}
	for _, tt := range tests {
		if got := Address(tt.in); got != tt.want {
			t.Errorf("Address(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

const shortened = "http://example.org/ns#"

func TestWritten(t *testing.T) {
	g := New(map[string]string{"ex": shortened})
	g.Add("http://example.org/b", shortened+"p", Text("a \"quote\" \\ \n\r\t\x00\u007f", "en-GB"), Text("x", "en . <"), Literal{Value: "1", Type: shortened + "number"})
	g.Add("http://example.org/b", Type, IRI(shortened+"C"), IRI("http://example.org/ns#not/short"))
	g.Add("http://example.org/a", shortened+"p", IRI("http://example.org/b"), IRI(""), Literal{}, Literal{Value: "\xff"})
	g.Add("", shortened+"p", Literal{Value: "of nothing"})
	want := `@prefix ex: <http://example.org/ns#> .

<http://example.org/b> a <http://example.org/ns#not/short>,
        ex:C ;
    ex:p "1"^^ex:number,
        "a \"quote\" \\ \n\r\t\u0000\u007F"@en-GB,
        "x" .

<http://example.org/a> ex:p "` + "\ufffd" + `",
        <http://example.org/b> .
`
	var b bytes.Buffer
	if err := g.Write(&b, Turtle); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("Turtle is\n%s\nwant\n%s", b.String(), want)
	}
	if got := g.Len(); got != 7 {
		t.Errorf("Len() = %d, want 7", got)
	}
}

// Whatever is written stays in its literal, and no address says more than one.
func FuzzText(f *testing.F) {
	f.Add(`"""`, "en", "https://example.org/")
	f.Add("\\\" . <a> <b> <c> .", "en-", "https://example.org/> <x")
	f.Add("\u2028\r\n", "x-y", "http://[::1]/#a#b")
	f.Fuzz(func(t *testing.T, words, lang, link string) {
		a := Address(link)
		if strings.ContainsAny(string(a), "<>\"{}|\\^` \t\r\n") || !utf8.ValidString(string(a)) {
			t.Errorf("Address(%q) = %q, which is no IRI", link, a)
		}
		if again := Address(string(a)); again != a {
			t.Errorf("Address(%q) = %q, and of that %q", link, a, again)
		}
		g := New(map[string]string{"ex": shortened})
		g.Add("http://example.org/a", shortened+"p", Text(words, lang), a)
		var ttl, ld bytes.Buffer
		if err := g.Write(&ttl, Turtle); err != nil {
			t.Fatal(err)
		}
		if err := g.Write(&ld, JSONLD); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(ld.Bytes()) {
			t.Errorf("not JSON: %s", ld.Bytes())
		}
		if n := strings.Count(ttl.String(), "\n"); words != "" && n != 3+len(g.properties("http://example.org/a")[0].objects)-1 {
			t.Errorf("%d lines for one node: %s", n, ttl.String())
		}
	})
}
