package catalog

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/schemas"
)

const recordedShape = "testdata/v1-shape.txt"

const shapeHead = `# Every key of the responses of api/v1 and every column of its tables, with its type.
# The tests add to this file with -update and never take away from it: what goes
# or changes hurts programs that read the catalog, and needs a v2 (or an exception by hand).
`

// A key of v1 stays, with its type, for as long as there is a v1. What is new is
// recorded with -update; what is gone has to be taken out by hand, by somebody who
// means it.
func TestShapeOfV1(t *testing.T) {
	got := v1Shape(t)
	data, err := os.ReadFile(recordedShape)
	if err != nil && !*update {
		t.Fatal(err)
	}
	broken, added := compareShapes(parseShape(string(data)), got)
	for _, line := range broken {
		t.Errorf("v1 breaks: %s", line)
	}
	if *update && len(broken) == 0 {
		var out strings.Builder
		out.WriteString(shapeHead)
		for _, key := range slices.Sorted(maps.Keys(got)) {
			fmt.Fprintf(&out, "%s: %s\n", key, got[key])
		}
		if err := os.WriteFile(recordedShape, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, line := range added {
		t.Errorf("v1 has %s, which is not recorded: go test ./internal/catalog -run TestShapeOfV1 -update", line)
	}
}

// compareShapes lists what of a recorded shape is not so any more, and what is new.
func compareShapes(recorded, now map[string]string) (broken, added []string) {
	for _, key := range slices.Sorted(maps.Keys(recorded)) {
		switch is, there := now[key]; {
		case !there:
			broken = append(broken, fmt.Sprintf("%s is gone", key))
		case is != recorded[key]:
			broken = append(broken, fmt.Sprintf("%s was %s and is %s", key, recorded[key], is))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if _, there := recorded[key]; !there {
			added = append(added, key)
		}
	}
	return broken, added
}

func parseShape(text string) map[string]string {
	shape := map[string]string{}
	for line := range strings.Lines(text) {
		if key, typ, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			shape[key] = typ
		}
	}
	return shape
}

// The comparison sees what would hurt.
func TestCompareShapes(t *testing.T) {
	recorded := map[string]string{"entry /id": "string", "entry /url": "null or string"}
	for _, tt := range []struct {
		name         string
		now          map[string]string
		broken, more int
	}{
		{"the same", maps.Clone(recorded), 0, 0},
		{"a key gone", map[string]string{"entry /id": "string"}, 1, 0},
		{"null where there was none", map[string]string{"entry /id": "null or string", "entry /url": "null or string"}, 1, 0},
		{"renamed", map[string]string{"entry /id": "string", "entry /address": "null or string"}, 1, 1},
		{"added", map[string]string{"entry /id": "string", "entry /url": "null or string", "entry /x": "string"}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			broken, added := compareShapes(recorded, tt.now)
			if len(broken) != tt.broken || len(added) != tt.more {
				t.Errorf("broken %q, added %q, want %d and %d", broken, added, tt.broken, tt.more)
			}
		})
	}
}

// v1Shape is the type of every place in the responses, by the response's schema
// and the path to it: a key, "[]" for what a list holds, "{}" for what an object
// holds under keys that are data.
func v1Shape(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(schemas.FS, "catalog-*.schema.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d schemas of responses, %v", len(names), err)
	}
	shape := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		sort := strings.TrimSuffix(strings.TrimPrefix(name, "catalog-"), ".schema.json")
		r := shapeReader{t, root, func(at, typ string) { shape[sort+" "+at] = typ }}
		r.read("", root, true, nil)
	}
	for _, table := range (&builder{in: small(t, nil)}).csvTables() {
		for _, column := range table.columns {
			shape["csv/"+table.name+".csv "+column] = "column"
		}
	}
	return shape
}

type shapeReader struct {
	t    *testing.T
	root map[string]any
	emit func(at, typ string)
}

// read emits a place and what is within it.
func (r shapeReader) read(at string, schema map[string]any, always bool, within []string) {
	forms := r.forms(at, schema, within)
	var types []string
	for _, f := range forms {
		types = append(types, f.types...)
	}
	slices.Sort(types)
	typ := strings.Join(slices.Compact(types), " or ")
	if typ == "" {
		r.t.Errorf("%q has no type", at)
	}
	if !always {
		typ += ", not always"
	}
	if at != "" {
		r.emit(at, typ)
	}
	for _, f := range forms {
		required, _ := f.schema["required"].([]any)
		if properties, ok := f.schema["properties"].(map[string]any); ok {
			for key, of := range properties {
				r.read(at+"/"+key, of.(map[string]any), slices.Contains(required, any(key)), f.within)
			}
		}
		if items, ok := f.schema["items"].(map[string]any); ok {
			r.read(at+"[]", items, true, f.within)
		}
		if values, ok := f.schema["additionalProperties"].(map[string]any); ok {
			r.read(at+"{}", values, true, f.within)
		}
	}
}

// A form is one of the schemas that a value may follow.
type form struct {
	schema map[string]any
	types  []string
	within []string // the definitions that led to it
}

// forms follows references and alternatives.
func (r shapeReader) forms(at string, schema map[string]any, within []string) []form {
	if ref, ok := schema["$ref"].(string); ok {
		if slices.Contains(within, ref) {
			return nil // a shape within itself
		}
		name, local := strings.CutPrefix(ref, "#/$defs/")
		defs, _ := r.root["$defs"].(map[string]any)
		def, ok := defs[name].(map[string]any)
		if !local || !ok {
			r.t.Fatalf("%q: there is no %q", at, ref)
		}
		return r.forms(at, def, append(slices.Clone(within), ref))
	}
	var out []form
	for _, group := range []string{"oneOf", "anyOf"} {
		several, _ := schema[group].([]any)
		for _, one := range several {
			out = append(out, r.forms(at, one.(map[string]any), within)...)
		}
	}
	if types := typesOf(schema); len(types) > 0 {
		out = append(out, form{schema, types, within})
	}
	return out
}

func typesOf(schema map[string]any) []string {
	switch typ := schema["type"].(type) {
	case string:
		return []string{typ}
	case []any:
		var types []string
		for _, one := range typ {
			types = append(types, one.(string))
		}
		return types
	}
	return nil
}
