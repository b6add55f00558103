package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Foreign is a schema of somebody else's, by which plain JSON is judged: no
// file of a registry, so there are no lines to name and no words to find. It is
// safe for concurrent use.
type Foreign struct{ compiled *jsonschema.Schema }

// A Problem is one thing about a JSON value that a schema does not allow.
type Problem struct {
	Pointer string // RFC 6901, to the value
	Keyword string // of the schema, such as "required" or "enum"
}

// CompileForeign compiles one schema. Its "$schema" says the draft; without one it
// is 2020-12. An "$id" that is blank counts as none. A reference that leads out of
// the schema is an error, and formats are not checked.
func CompileForeign(text []byte) (*Foreign, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if raw, ok := doc.(object); ok && raw["$id"] == "" {
		delete(raw, "$id")
	}
	const name = "https://schema.invalid/"
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // no scheme: nothing is fetched
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	return &Foreign{compiled}, nil
}

// Judge lists what a value breaks, by pointer and then by keyword; nil is nothing.
// The value is of the types that jsonschema.UnmarshalJSON gives: nil, bool, string,
// json.Number, []any and map[string]any. Of a choice between branches (anyOf and
// the like), the choice is listed and the branches are not.
func (f *Foreign) Judge(v any) ([]Problem, error) {
	err := f.compiled.Validate(v)
	if err == nil {
		return nil, nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil, fmt.Errorf("judge by a schema: %w", err)
	}
	var all []Problem
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		keyword := ""
		if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
			keyword = path[0]
		}
		choice := keyword == "anyOf" || keyword == "oneOf" || keyword == "not"
		if len(e.Causes) == 0 || choice {
			all = append(all, Problem{source.Pointer(e.InstanceLocation...), keyword})
			return
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(invalid)
	slices.SortFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Keyword, b.Keyword))
	})
	return slices.Compact(all), nil
}
