package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/schema"
)

func TestForeign(t *testing.T) {
	const draft7 = `{"$schema": "http://json-schema.org/draft-07/schema", "$id": "", `
	tests := []struct {
		name, schema, value string
		want                []schema.Problem
	}{
		{"fine", draft7 + `"type": "object"}`, `{}`, nil},
		{"all at once", draft7 + `"required": ["a", "b"], "properties": {"c/d": {"type": "string"}}}`, `{"c/d": 1}`,
			[]schema.Problem{{"", "required"}, {"/c~1d", "type"}}},
		{"items as a list is of draft-07", draft7 + `"items": [{"type": "string"}]}`, `[1, 2]`, []schema.Problem{{"/0", "type"}}},
		{"one choice", draft7 + `"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}`, `["a", 1]`, []schema.Problem{{"/1", "anyOf"}}},
		{"a reference within", draft7 + `"definitions": {"x": {"enum": [1]}}, "items": {"$ref": "#/definitions/x"}}`, `[1, 2]`, []schema.Problem{{"/1", "enum"}}},
		{"large numbers", draft7 + `"type": "integer"}`, `123456789012345678901234567890`, nil},
		{"false", `false`, `1`, []schema.Problem{{"", ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := schema.CompileForeign([]byte(tt.schema))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.value))
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Judge(v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestForeignRefuses(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{} {}`, `{"type": "word"}`, `{"$ref": "https://example.org/x"}`, `{"$ref": "file:///etc/passwd"}`,
		`{"$schema": "https://example.org/draft"}`,
	} {
		if _, err := schema.CompileForeign([]byte(text)); err == nil {
			t.Errorf("CompileForeign(%s) is fine", text)
		}
	}
}
