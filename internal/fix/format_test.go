package fix_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/fix"
)

const (
	entryPath = "registry/dpgs/x.yaml"
	dpgSchema = "../../schemas/dpg.schema.json"
	schemaTop = "# yaml-language-server: $schema=" + dpgSchema + "\n"
)

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"as it should be", schemaTop + "a: 1\nb:\n  - c: 2\n    d: [e, f]\n", schemaTop + "a: 1\nb:\n  - c: 2\n    d: [e, f]\n"},
		{"the first line", "a: 1\n", schemaTop + "a: 1\n"},
		{"blank lines above all", "\n\na: 1\n", schemaTop + "a: 1\n"},
		{"another schema", "# yaml-language-server: $schema=../x.json\n\na: 1\n", schemaTop + "\na: 1\n"},
		{"the schema's line further down", "# about\n#yaml-language-server: $schema=../x.json\na: 1\n", schemaTop + "# about\na: 1\n"},
		{"a schema on the web", "# yaml-language-server: $schema=https://x.example.org/dpg.schema.json\na: 1\n", "# yaml-language-server: $schema=https://x.example.org/dpg.schema.json\na: 1\n"},
		{"another schema on the web", "# yaml-language-server: $schema=https://x.example.org/y.json\na: 1\n", schemaTop + "a: 1\n"},
		{"a comment that only looks like it", "a: 1\n# yaml-language-server: $schema=x\n", schemaTop + "a: 1\n# yaml-language-server: $schema=x\n"},
		{"line ends", "\ufeffa: 1\r\nb: |\r\n  x\r\nc: 'y\r\n  z'\r\n", schemaTop + "a: 1\nb: |\n  x\nc: 'y\n  z'\n"},
		{"end of file", "a: 1", schemaTop + "a: 1\n"},
		{"end of file with blank lines", "a: 1  \n\n \n", schemaTop + "a: 1\n"},
		{"white space", "a:   1\t# c  \nb :\t2\n  \nc:  [x,\ty ]   # d\n", schemaTop + "a: 1 # c\nb: 2\n\nc: [x, y ]   # d\n"},
		{"indentation", "a:\n    b:\n        c: 1\n    d:\n     - e\n     -   f: 1\n         g: 2\n", schemaTop + "a:\n  b:\n    c: 1\n  d:\n    - e\n    - f: 1\n      g: 2\n"},
		{"list below its key", "a:\n- b\n- c: 1\n  d:\n  - e\nf: 1\n", schemaTop + "a:\n  - b\n  - c: 1\n    d:\n      - e\nf: 1\n"},
		{"lists in lists", "a:\n-   - b\n    -    - c\n- \n  - d\n", schemaTop + "a:\n  - - b\n    - - c\n  -\n    - d\n"},
		{"value on its own line", "a:\n   b\nc:\n      [d]\ne:\n   - \n       f\n", schemaTop + "a:\n  b\nc:\n  [d]\ne:\n  -\n    f\n"},
		{"text over lines", "a: b\n   c \n\n         d\ne: \"f\n g \\\n   h\"\n", schemaTop + "a: b\n  c\n\n  d\ne: \"f\n  g \\\n  h\"\n"},
		{"escaped space at the end of a line", "a: \"b\\ \n   c\"\n", schemaTop + "a: \"b\\ \n  c\"\n"},
		{"blocks", "a:\n    b: |   # c\n        d \n          e\n\n         f\n    g: >-\n         h\n", schemaTop + "a:\n  b: | # c\n    d \n      e\n\n     f\n  g: >-\n    h\n"},
		{"block that is set in by a number", "a:\n    b: |4-\n           d\n        e\n", schemaTop + "a:\n  b: |2-\n       d\n    e\n"},
		{"block in a list", "a:\n- |\n b\n- >+\n   c\n\n- d\n", schemaTop + "a:\n  - |\n    b\n  - >+\n    c\n\n  - d\n"},
		{"block that keeps its end", "a: |+\n  b\n\n\n", schemaTop + "a: |+\n  b\n\n\n"},
		{"block without a line feed at its end", "a: |\n  b", schemaTop + "a: |-\n  b\n"},
		{"empty blocks", "a: |\n\nb: |+\n\n\nc: >-\nd: 1\n", schemaTop + "a: |\n\nb: |+\n\n\nc: >-\nd: 1\n"},
		{"brackets over lines", "a: [\nb, # c\n   {d: e,\n f: g}\n  ]\nh: {\n  i: [\n j\n  ]\n}\n", schemaTop + "a: [\n    b, # c\n    {d: e,\n      f: g}\n  ]\nh: {\n    i: [\n      j\n    ]\n  }\n"},
		{"brackets that open together", "a: [{\nb: 1\n}, {\nb: 2\n}]\n", schemaTop + "a: [{\n    b: 1\n  }, {\n    b: 2\n  }]\n"},
		{"the file in braces", "{\n\"a\": 1,\n  \"b\": [\n2]\n}\n", schemaTop + "{\n  \"a\": 1,\n  \"b\": [\n    2]\n}\n"},
		{"anchors and tags", "a:   &x   1\n&y b:\n   &z\n   c: !!str   2\nd: *x\n*x : 3\n", schemaTop + "a: &x 1\n&y b:\n  &z\n  c: !!str 2\nd: *x\n*x : 3\n"},
		{"document marks", "%YAML 1.1\n---   # c\na: 1\n...\n", schemaTop + "%YAML 1.1\n--- # c\na: 1\n...\n"},
		{"comments at keys", "a: 1\n   # above b, wrongly set in\nb:\n# below b\n    # of c\n    c: 1\n    # of the end of b\n# of d\nd: 1\n# end\n", schemaTop + "a: 1\n# above b, wrongly set in\nb:\n# below b\n  # of c\n  c: 1\n  # of the end of b\n# of d\nd: 1\n# end\n"},
		{"comments at lists", "a:\n# of b\n- b\n# of c\n- c\n# of d\nd:\n    # - nothing yet\ne: 1\n", schemaTop + "a:\n  # of b\n  - b\n  # of c\n  - c\n# of d\nd:\n  # - nothing yet\ne: 1\n"},
		{"comment below a block", "a:\n    b: |\n        c\n       # no text\n    # of d\n    d: 1\n", schemaTop + "a:\n  b: |\n    c\n  # no text\n  # of d\n  d: 1\n"},
		{"no comment", "a: b#c\nd: 'e # f'\ng: http://h#i\n", schemaTop + "a: b#c\nd: 'e # f'\ng: http://h#i\n"},
		{"letters of several bytes", "é:\n    日本:   ü # ç\n", schemaTop + "é:\n  日本: ü # ç\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := fix.Format(entryPath, []byte(tt.in), dpgSchema)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("Format(%q) differs (-want +got):\n%s", tt.in, diff)
			}
			again, err := fix.Format(entryPath, got, dpgSchema)
			if err != nil || string(again) != string(got) {
				t.Errorf("Format of that gives %q, error %v", again, err)
			}
		})
	}
}

func TestFormatWithoutSchema(t *testing.T) {
	const text = "# c\na: 1\n"
	got, err := fix.Format(entryPath, []byte(text), "")
	if err != nil || string(got) != text {
		t.Errorf("Format(%q) = %q, error %v; want it as it is", text, got, err)
	}
}

// What cannot be laid out is refused, with its place.
func TestFormatRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		unreadable     bool
	}{
		{"no YAML", "a: 1\nb: [\n", "registry/dpgs/x.yaml:2:4: this is not YAML", true},
		{"key twice", "a: 1\na: 2\n", `registry/dpgs/x.yaml:2:1: key "a" is given twice`, true},
		{"empty", "", "does not hold keys with values", false},
		{"only a comment", "# c\n", "does not hold keys with values", false},
		{"list", "- a\n", "does not hold keys with values", false},
		{"question mark", "a: 1\n? b\n: 2\n", "registry/dpgs/x.yaml:2:1: ", false},
		{"odd line end", "a: 1 # b\u2028c: 2\n", "registry/dpgs/x.yaml:1:9: ", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := fix.Format(entryPath, []byte(tt.in), dpgSchema)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Format(%q) = %q, error %v; want an error with %q", tt.in, got, err, tt.want)
			}
			var unreadable *fix.Unreadable
			if errors.As(err, &unreadable) != tt.unreadable {
				t.Errorf("error %v is an Unreadable: %v, want %v", err, !tt.unreadable, tt.unreadable)
			}
		})
	}
}
