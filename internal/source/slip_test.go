package source_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// What keeps a file from being YAML is named where it stands, all of it at once,
// with what to write. What is right elsewhere in the file is not named.
func TestParseSlips(t *testing.T) {
	const head = "schema: dpg/v1\nwebsite: https://example.org # with a port: 80\ntypes: [software]\n" +
		"status:\n  stage: nominee\n  as_of: 2026-01-15\nlicenses:\n  - expression: MIT\n    url: https://example.org/it's\n" // nine lines
	const not = "f.yaml:%: error: this is not YAML: "
	for _, tt := range []struct{ name, in, want string }{
		{"colon", "description: Health: for all.\n", not + "a colon with a space behind it ends a key; inside a text it needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"Health: for all.\"\n"},
		{"colon and a quote", "description: Say \"A\": it's B.\n", not + "a colon with a space behind it ends a key; inside a text it needs quotes [yaml-syntax]\n\thint: put the text in quotes: 'Say \"A\": it''s B.'\n"},
		{"at", "name: @home\n", not + "a text that begins with \"@\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"@home\"\n"},
		{"backtick", "name: `home`\n", not + "a text that begins with \"`\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"`home`\"\n"},
		{"star", "name: *new* home\n", not + "a text that begins with \"*\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"*new* home\"\n"},
		{"link of Markdown", "website: [here](https://example.org)\n", not + "a text that begins with \"[\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"[here](https://example.org)\"\n"},
		{"behind a quote", "name: \"Open\" source\n", not + "the text goes on behind its closing quote \" [yaml-syntax]\n\thint: put the text in quotes: '\"Open\" source'\n"},
		{"apostrophe", "name: 'It's good'\n", not + "the text goes on behind its closing quote ' [yaml-syntax]\n\thint: put the text in quotes: \"It's good\"\n"},
		{"open quote", "name: \"Open source\n", not + "the quote \" is never closed [yaml-syntax]\n\thint: close it at the end of the text: \"Open source\"\n"},
		{"open bracket", "topics: [a, b\n", not + "\"[\" is never closed [yaml-syntax]\n\thint: add \"]\" at the end of the list or mapping\n"},
		{"open brackets", "topics: [{a: b, c: [d\n", not + "\"[\" is never closed [yaml-syntax]\n\thint: add \"]}]\" at the end of the list or mapping\n"},
		{"in braces", "sdgs:\n  - {goal: 3, text: Health: for {all}, url: https://example.org}\n", "f.yaml:11:5: error: this is not YAML: between { and } a text with a comma, a colon or a bracket in it needs quotes [yaml-syntax]\n\thint: write {goal: 3, text: \"Health: for {all}\", url: \"https://example.org\"}\n"},
		{"no space", "name:Home\n", "f.yaml:10:1: error: this is not YAML: key \"name\" and its value need a colon and a space between them [yaml-syntax]\n\thint: write name: Home\n"},
		{"wide colon", "name：Home\n", "f.yaml:10:1: error: this is not YAML: key \"name\" and its value need a colon and a space between them [yaml-syntax]\n\thint: write name: Home\n"},
		{"no-break space", "name:\u00a0Home\n", "f.yaml:10:6: error: this is not YAML: U+00A0, a blank that looks like a space, stands behind the colon [yaml-syntax]\n\thint: write a plain space\n"},
		{"tab", "topics:\n\t- a\n", "f.yaml:11:1: error: this is not YAML: a tab indents this line [yaml-syntax]\n\thint: indent by spaces, two for each level\n"},
		{"indented", "name: Home\n language: en\n", "f.yaml:11:1: error: this is not YAML: this line is indented by 1 space, and the keys it belongs with by 0 [yaml-syntax]\n\thint: begin it in column 1\n"},
		{"merge", "<<<<<<< HEAD\nname: A\n=======\nname: B\n>>>>>>> theirs\n", "f.yaml:10:1: error: this is not YAML: a merge in Git left its marks here [yaml-syntax]\n\thint: keep what is right of the lines down to \">>>>>>>\", and delete the three lines of marks\n"},
		{"two at once", "name: @home\nid: 'it's'\n", not + "a text that begins with \"@\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"@home\"\n" +
			"f.yaml:11:5: error: this is not YAML: the text goes on behind its closing quote ' [yaml-syntax]\n\thint: put the text in quotes: \"it's\"\n"},
		{"Windows lines", "name: @home\r\n", not + "a text that begins with \"@\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"@home\"\n"},
		{"a colon in a block is right", "description: |\n  Note: 'it's' @home\nname: @home\n", "f.yaml:12:7: error: this is not YAML: a text that begins with \"@\" needs quotes [yaml-syntax]\n\thint: put the text in quotes: \"@home\"\n"},
		{"further lines", "description: One\n  two: three\n", "f.yaml:11:1: error: this is not YAML: this line is indented by 2 spaces, and the keys it belongs with by 0 [yaml-syntax]\n\thint: begin it in column 1\n"},
		{"nothing known", "? [\n", "f.yaml:10:1: error: this is not YAML: did not find expected node content [yaml-syntax]\n\thint: look at this line and the one above it for a missing quote, a tab, or a colon inside plain text\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, found := source.Parse("f.yaml", []byte(head+tt.in))
			var got bytes.Buffer
			if err := diag.WriteText(&got, found, false); err != nil {
				t.Fatal(err)
			}
			key, _, _ := strings.Cut(tt.in, ":")
			want := strings.Replace(tt.want, "%", fmt.Sprintf("10:%d", len(key)+3), 1) // where the value begins
			if got.String() != want {
				t.Errorf("Parse(%q) finds\n%swant\n%s", tt.in, got.String(), want)
			}
		})
	}
}
