package schema_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/schemas"
)

type object = map[string]any

// readSchemas reads the schemas of what a registry consists of. Those of the
// published catalog are held by the tests beside the code that writes it.
func readSchemas(t *testing.T) map[string]object {
	t.Helper()
	names, err := fs.Glob(schemas.FS, "*.schema.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	all := make(map[string]object)
	for _, name := range names {
		if strings.HasPrefix(name, "catalog-") {
			continue
		}
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		var o object
		if err := json.Unmarshal(data, &o); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = o
	}
	return all
}

// visit calls see for every part of a schema with its pointer, in order.
func visit(v any, at string, see func(at string, o object)) {
	switch v := v.(type) {
	case object:
		see(at, v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			switch k {
			case "examples", "const", "enum": // values, not schemas
			default:
				visit(v[k], at+source.Pointer(k), see)
			}
		}
	case []any:
		for i, item := range v {
			visit(item, at+source.Pointer(string(rune('0'+i))), see)
		}
	}
}

// Editors show the description and the examples of every key.
func TestEveryPropertyHasDescriptionAndExamples(t *testing.T) {
	for name, root := range readSchemas(t) {
		visit(root, "", func(at string, o object) {
			for _, word := range []string{"/if", "/then", "/else"} {
				if strings.HasSuffix(at, word) || strings.Contains(at, word+"/") {
					return // narrows what is described elsewhere
				}
			}
			for _, holder := range []string{"properties", "patternProperties"} {
				properties, _ := o[holder].(object)
				for key, p := range properties {
					p, _ := p.(object)
					if d, _ := p["description"].(string); len(d) < 8 || !strings.HasSuffix(d, ".") && !strings.HasSuffix(d, "?") {
						t.Errorf("%s: %s/%s/%s: description %q is not a sentence", name, at, holder, key, d)
					}
					if examples, _ := p["examples"].([]any); len(examples) == 0 {
						t.Errorf("%s: %s/%s/%s: no examples", name, at, holder, key)
					}
				}
			}
		})
	}
}

// Every example, of a key or of a whole file, is right by the schema it stands in.
func TestExamplesAreRight(t *testing.T) {
	all := readSchemas(t)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, root := range all {
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(root["$id"].(string), doc); err != nil {
			t.Fatal(err)
		}
	}
	for name, root := range all {
		seen := 0
		visit(root, "", func(at string, o object) {
			examples, _ := o["examples"].([]any)
			if len(examples) == 0 {
				return
			}
			part, err := c.Compile(root["$id"].(string) + "#" + strings.ReplaceAll(escapeFragment(at), "%2F", "/"))
			if err != nil {
				t.Errorf("%s: %s: %v", name, at, err)
				return
			}
			for _, e := range examples {
				seen++
				if err := part.Validate(e); err != nil {
					t.Errorf("%s: %s: example %v: %v", name, at, e, err)
				}
			}
		})
		t.Logf("%s: %d examples", name, seen)
	}
}

// escapeFragment escapes the characters of a pointer that a URL cannot hold.
func escapeFragment(pointer string) string {
	return regexp.MustCompile(`[^A-Za-z0-9/$_.~-]`).ReplaceAllStringFunc(pointer, func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		}
		return b.String()
	})
}

// A definition that two schemas share by name must be the same in both: each
// schema stands alone for editors, and nothing else keeps the copies alike.
func TestSharedDefinitionsAreAlike(t *testing.T) {
	first := map[string]object{}
	for _, name := range slices.Sorted(maps.Keys(readSchemas(t))) {
		definitions, _ := readSchemas(t)[name]["$defs"].(object)
		for key, d := range definitions {
			d := d.(object)
			if key == "status" { // its stages differ by kind
				d = maps.Clone(d)
				properties := maps.Clone(d["properties"].(object))
				delete(properties, "stage")
				d["properties"] = properties
				delete(d, "examples")
			}
			if first[key] == nil {
				first[key] = d
			} else if diff := cmp.Diff(first[key], d); diff != "" {
				t.Errorf("%s: definition %q differs from another schema's:\n%s", name, key, diff)
			}
		}
	}
}

// A finding calls text that misses a pattern by the pattern's title.
func TestEveryPatternHasAName(t *testing.T) {
	for name, root := range readSchemas(t) {
		titles := map[string]string{}
		used := map[string]string{}
		visit(root, "", func(at string, o object) {
			if p, ok := o["pattern"].(string); ok {
				title, _ := o["title"].(string)
				if title == "" {
					t.Errorf("%s: %s: a pattern without a title", name, at)
				}
				if other, ok := titles[p]; ok && other != title {
					t.Errorf("%s: pattern %q is a %q and a %q", name, p, other, title)
				}
				titles[p] = title
			}
			patterns, _ := o["patternProperties"].(object)
			for p := range patterns {
				used[p] = at
			}
			if o["type"] == "object" && o["properties"] != nil && o["additionalProperties"] == nil &&
				!strings.Contains(at, "/if") && !strings.Contains(at, "/else") {
				t.Errorf("%s: %s: keys that nobody knows are let through", name, at)
			}
		})
		for p, at := range used {
			if titles[p] == "" {
				// The shape of the keys needs a name too; a definition with the
				// same pattern gives it.
				t.Errorf("%s: %s: pattern %q of keys has no name", name, at, p)
			}
		}
	}
}

// What Go decodes and what the schemas allow are the same keys, at every depth.
func TestKeysMatchGoTypes(t *testing.T) {
	all := readSchemas(t)
	resourceOnly := []string{"url", "format", "published", "languages", "about"}
	dpgOnly := []string{"website", "types", "repositories", "sbom", "locations", "standard"}
	tests := []struct {
		schema  string
		of      any
		tag     string
		without []string // keys of the Go type that this kind does not have
	}{
		{"dpg", entry.Entry{}, "yaml", resourceOnly},
		{"resource", entry.Entry{}, "yaml", dpgOnly},
		{"registry", policy.Settings{}, "yaml", nil},
		{"policy", policy.Policy{}, "yaml", nil},
		{"framework", framework.Framework{}, "yaml", nil},
		{"crosswalk", framework.Crosswalk{}, "yaml", nil},
		{"assessment", assess.Assessment{}, "yaml", nil},
		{"observation", registry.Observation{}, "yaml", nil},
		{"report", diag.Report{}, "json", nil},
	}
	for _, tt := range tests {
		t.Run(tt.schema, func(t *testing.T) {
			root := all[tt.schema+".schema.json"]
			sameKeys(t, root, root, reflect.TypeOf(tt.of), tt.tag, tt.schema, tt.without)
		})
	}
}

func sameKeys(t *testing.T, root, o object, typ reflect.Type, tag, at string, without []string) {
	t.Helper()
	for {
		if ref, ok := o["$ref"].(string); ok {
			o = root["$defs"].(object)[strings.TrimPrefix(ref, "#/$defs/")].(object)
			continue
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
			continue
		}
		break
	}
	if typ == reflect.TypeOf(entry.Text{}) || typ == reflect.TypeOf(diag.Severity(0)) {
		return
	}
	switch typ.Kind() {
	case reflect.Slice:
		items, _ := o["items"].(object)
		if items == nil {
			t.Errorf("%s: %s in Go, no items in the schema", at, typ)
			return
		}
		sameKeys(t, root, items, typ.Elem(), tag, at+"[]", nil)
	case reflect.Map:
		found := false
		for _, holder := range []string{"patternProperties", "properties"} {
			values, _ := o[holder].(object)
			for key, v := range values {
				found = true
				sameKeys(t, root, v.(object), typ.Elem(), tag, at+"."+key, nil)
			}
		}
		if !found {
			t.Errorf("%s: %s in Go, no values in the schema", at, typ)
		}
	case reflect.Struct:
		properties, _ := o["properties"].(object)
		inGo := map[string]reflect.Type{}
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get(tag), ",")
			if key == "" {
				t.Errorf("%s: field %s has no %s key", at, typ.Field(i).Name, tag)
			}
			if !slices.Contains(without, key) {
				inGo[key] = typ.Field(i).Type
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(inGo)), slices.Sorted(maps.Keys(properties))); diff != "" {
			t.Errorf("%s: keys (-Go +schema):\n%s", at, diff)
			return
		}
		for key, field := range inGo {
			sameKeys(t, root, properties[key].(object), field, tag, at+"."+key, nil)
		}
	default:
		kinds := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number", reflect.Bool: "boolean"}
		want := []any{kinds[typ.Kind()]}
		got := []any{o["type"]}
		if branches, ok := o["anyOf"].([]any); ok { // such as a date or null
			got = nil
			for _, b := range branches {
				b := b.(object)
				if ref, ok := b["$ref"].(string); ok {
					b = root["$defs"].(object)[strings.TrimPrefix(ref, "#/$defs/")].(object)
				}
				got = append(got, b["type"])
			}
		}
		if !slices.Contains(got, want[0]) {
			t.Errorf("%s: %s in Go, type %v in the schema", at, typ, got)
		}
	}
}

// Every name that a kind gives for its schema is there.
func TestKindsHaveSchemas(t *testing.T) {
	all := readSchemas(t)
	for _, k := range entry.Kinds {
		root := all[k.Schema]
		if root == nil {
			t.Errorf("kind %q: no schema %q", k.Name, k.Schema)
			continue
		}
		got := root["properties"].(object)["schema"].(object)["const"]
		if got != k.Name+"/v1" {
			t.Errorf("%s: schema is %v, want %s/v1", k.Schema, got, k.Name)
		}
	}
}

// What the canonical encoder writes of a full entry passes the schema.
func TestEncodedEntryPasses(t *testing.T) {
	person := entry.Person{GitHub: "someone", ID: 1}
	e := entry.Entry{
		Schema: "dpg/v1", ID: "dhis2", Name: "123", Types: []string{"software"},
		Description: entry.Plain("2023-01-13"),
		Licenses:    []entry.License{{Expression: "MIT"}},
		SDGs:        []entry.SDG{{Goal: 3, Text: entry.Plain("yes")}},
		Locations:   &entry.Locations{DevelopedIn: []string{"NO"}},
		Standard:    &entry.Answers{Privacy: &entry.Answer{Answer: "no", AsOf: "2023-01-13"}},
		Status:      entry.Status{Stage: entry.StageDPG, AsOf: "2023-01-13"},
		Decisions:   []entry.Decision{{Ruling: "lock", On: "all", By: person, As: "steward", Date: "2024-05-02", Reason: "on"}},
		Waivers:     []entry.Waiver{{Rule: "x", Reason: "null", By: person, Until: "2024-05-02"}},
	}
	text, err := entry.Encode(e, entry.SchemaPath("registry/dpgs/dhis2.yaml", "dpg.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, found := source.Parse("x.yaml", text)
	if len(found) > 0 {
		t.Fatal(found)
	}
	if ds := builtin(t).Validate("dpg.schema.json", doc); len(ds) > 0 {
		t.Errorf("%v\n%s", ds, text)
	}
}

// A report as it is written passes its schema.
func TestReportPasses(t *testing.T) {
	var b strings.Builder
	r := diag.NewReport([]diag.Diagnostic{
		{Path: "a.yaml", Rule: "schema", Message: "x", Related: []diag.Related{{Path: "b.yaml"}}},
		{Path: "a.yaml", Start: diag.Pos{Line: 1, Col: 2}, Rule: "schema", Severity: diag.Error, Message: "x", Hint: "y"},
	}, 2, "")
	if err := diag.WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	doc, found := source.Parse("report.yaml", []byte(b.String()))
	if len(found) > 0 {
		t.Fatal(found)
	}
	if ds := builtin(t).Validate("report.schema.json", doc); len(ds) > 0 {
		t.Error(ds)
	}
}
