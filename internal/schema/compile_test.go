package schema_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Shapes that the project's own schemas do not use today, or rarely.
func TestValidateOtherShapes(t *testing.T) {
	tests := []struct{ name, schema, text, rule, message string }{
		{"branch of the value's type", `"oneOf": [{"type": "string"}, {"type": "object", "required": ["b"]}]`, "a: 1", "schema-required", `key "b" is missing`},
		{"branch that a constant names", `"anyOf": [
			{"type": "object", "properties": {"kind": {"const": "x"}}, "required": ["kind", "p", "q"]},
			{"type": "object", "properties": {"kind": {"const": "y"}, "n": {"type": "integer"}, "m": {"type": "integer"}}, "required": ["kind"]}]`,
			"{kind: x, p: 1}", "schema-required", `key "q" is missing`},
		{"no branch of the value's type", `"oneOf": [{"type": "string"}, {"type": "array"}]`, "a: 1", "schema-type", "the file must be text or a list, not a mapping"},
		{"two branches at once", `"oneOf": [{"type": "object"}, {"required": ["a"]}]`, "a: 1", "schema", "the file can be read in two ways"},
		{"not", `"properties": {"a": {"not": {"const": 1}}}`, "a: 1", "schema", `a does not have the shape that is asked for`},
		{"unique", `"properties": {"a": {"uniqueItems": true}}`, "a: [1, 1]", "schema", `a does not have the shape that is asked for by "uniqueItems" of the schema`},
		{"minimum", `"properties": {"a": {"minimum": 3}}`, "a: 1", "schema-range", "a is 1; it must be 3 or more"},
		{"maximum", `"properties": {"a": {"maximum": 3}}`, "a: 4.5", "schema-range", "a is 4.5; it must be 3 or less"},
		{"dependent", `"dependentRequired": {"a": ["b"]}`, "a: 1", "schema-required", `key "b" is missing`},
		{"blank file", `"minLength": 1`, `""`, "schema-length", "the file is blank"},
		{"short", `"properties": {"a": {"minLength": 3}}`, "a: xy", "schema-length", "a has 2 characters; at least 3 are needed"},
		{"few", `"properties": {"a": {"minItems": 3}}`, "a: [1]", "schema-count", "a has 1 item; it needs at least 3"},
		{"crowded", `"maxProperties": 1`, "{a: 1, b: 2}", "schema-count", "the file has 2 keys; at most 1 are allowed"},
		{"nameless pattern", `"properties": {"a": {"pattern": "^x"}}`, "a: y", "schema-pattern", `"y" is not written in the form of a`},
		{"nothing allowed", `"properties": {"a": false}`, "a: 1", "schema-unknown-key", `key "a" does not belong here`},
		{"list at the top", `"items": {"items": {"type": "string"}}`, "[[a, 1]]", "schema-type", "item 2 of item 1 must be text, not a whole number"},
		{"key that is no plain word", `"patternProperties": {"": {"type": "string"}}`, `"a.b\n": 1`, "schema-type", `"a.b\n" must be text, not a whole number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := schema.Compile(fstest.MapFS{"x.schema.json": {Data: []byte(`{"$id": "https://example.org/x.schema.json", ` + tt.schema + `}`)}})
			if err != nil {
				t.Fatal(err)
			}
			doc, found := source.Parse("x.yaml", []byte(tt.text))
			if len(found) > 0 {
				t.Fatal(found)
			}
			ds := set.Validate("x.schema.json", doc)
			if len(ds) != 1 || ds[0].Rule != tt.rule || ds[0].Message != tt.message {
				t.Errorf("got %v\nwant %s: %s", ds, tt.rule, tt.message)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := []struct{ name, schema, want string }{
		{"text that is not JSON", `{`, "x.schema.json"},
		{"a schema without its name", `{"type": "object"}`, "$id"},
		{"a reference to elsewhere", `{"$id": "https://example.org/x.schema.json", "$ref": "https://example.org/y.schema.json"}`, "y.schema.json"},
		{"a reference to a file", `{"$id": "https://example.org/x.schema.json", "$ref": "file:///etc/passwd"}`, "file"},
		{"a word that is no type", `{"$id": "https://example.org/x.schema.json", "type": "text"}`, "x.schema.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schema.Compile(fstest.MapFS{"x.schema.json": {Data: []byte(tt.schema)}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Compile: %v, want an error that names %q", err, tt.want)
			}
		})
	}
}

// A schema may refer to another one in its folder, however they are asked for.
func TestCompileReference(t *testing.T) {
	set, err := schema.Compile(fstest.MapFS{
		"x.schema.json": {Data: []byte(`{"$id": "https://example.org/x.schema.json", "properties": {"a": {"$ref": "y.schema.json"}}}`)},
		"y.schema.json": {Data: []byte(`{"$id": "https://example.org/y.schema.json", "title": "Short word", "type": "string", "pattern": "^.{1,3}$"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := source.Parse("x.yaml", []byte("a: long"))
	ds := set.Validate("x.schema.json", doc)
	if len(ds) != 1 || ds[0].Rule != "schema-pattern" || !strings.Contains(ds[0].Message, "short word") {
		t.Errorf("got %v, want one finding that names a short word", ds)
	}
	if ds := set.Validate("z.schema.json", doc); len(ds) != 1 || !strings.Contains(ds[0].Message, `no schema "z.schema.json"`) {
		t.Errorf("got %v, want one finding that the schema is not there", ds)
	}
}
