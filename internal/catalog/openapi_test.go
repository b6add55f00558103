package catalog

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The document says of every published file what it is, and shows nothing that
// its own schema would refuse.
func TestOpenAPI(t *testing.T) {
	schema := closed(t)
	c := build(t, small(t, nil))
	var doc struct {
		OpenAPI string
		Info    struct {
			License map[string]string
		}
		Servers []struct{ URL string }
		Paths   map[string]struct {
			Get struct {
				OperationID string
				Responses   map[string]struct {
					Content map[string]struct {
						Schema  map[string]any
						Example json.RawMessage
					}
				}
			}
		}
		Components struct{ Schemas map[string]any }
	}
	data := file(t, c, "api/v1/openapi.json")
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Servers[0].URL != "https://example.org/sub/api/v1" && doc.Servers[0].URL != "." {
		t.Errorf("openapi = %q, servers = %v", doc.OpenAPI, doc.Servers)
	}
	for _, ref := range strings.Split(string(data), `"$ref": "`)[1:] {
		ref, _, _ = strings.Cut(ref, `"`)
		if _, ok := doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]; !ok {
			t.Errorf("%q leads nowhere", ref)
		}
	}
	ids, examples := map[string]bool{}, 0
	for p, item := range doc.Paths {
		if id := item.Get.OperationID; ids[id] {
			t.Errorf("two operations are %q", id)
		}
		ids[item.Get.OperationID] = true
		for kind, media := range item.Get.Responses["200"].Content {
			name := schemaOf(apiFolder + p)
			if name == "" {
				continue
			}
			if want := "#/components/schemas/" + componentName(name); kind != "application/json" || media.Schema["$ref"] != want {
				t.Errorf("%s is %s, %v, want %s", p, kind, media.Schema, want)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(media.Example))
			if err != nil {
				t.Errorf("%s has no example: %v", p, err)
				continue
			}
			examples++
			if err := schema(name).Validate(v); err != nil {
				t.Errorf("example of %s: %v", p, err)
			}
		}
	}
	if examples != 37 {
		t.Errorf("%d examples, want 37: one for every response in JSON", examples)
	}
	for _, name := range c.Names() {
		rest, api := strings.CutPrefix(name, apiFolder+"/")
		if !api || rest == openAPIName {
			continue
		}
		var fits []string
		for p := range doc.Paths {
			if match(p[1:], rest) != nil {
				fits = append(fits, p)
			}
		}
		fits = slices.DeleteFunc(fits, func(p string) bool { // a fixed path goes first
			return len(fits) > 1 && strings.Contains(p, "{")
		})
		if len(fits) != 1 {
			t.Errorf("%s is described by %q, want one path", name, fits)
		}
	}
	// What the example of an entry shows is an entry of this catalog, whole.
	var shown, published any
	for _, item := range []struct {
		data []byte
		to   *any
	}{{doc.Paths["/dpgs/{id}.json"].Get.Responses["200"].Content["application/json"].Example, &shown}, {file(t, c, "api/v1/dpgs/alpha.json"), &published}} {
		if err := json.Unmarshal(item.data, item.to); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(published, shown); diff != "" {
		t.Errorf("the example of an entry (-published +example):\n%s", diff)
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		template, name string
		want           []string
	}{
		{"index.json", "index.json", []string{}},
		{"dpgs/{id}.json", "dpgs/a.b.json", []string{"a.b"}},
		{"frameworks/{framework}/{id}.json", "frameworks/sdgs/3.json", []string{"sdgs", "3"}},
		{"schemas/{name}.schema.json", "schemas/x.schema.json", []string{"x"}},
		{"schemas/{name}.schema.json", "schemas/x.json", nil},
		{"dpgs/{id}.json", "dpgs/.json", nil},
		{"dpgs/{id}.json", "dpgs/a/b.json", nil},
		{"dpgs/{id}.json", "resources/a.json", nil},
		{"index.json", "other.json", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, match(tt.template, tt.name)); diff != "" {
			t.Errorf("match(%q, %q) (-want +got):\n%s", tt.template, tt.name, diff)
		}
	}
	if got := componentName(path.Join("schemas", "catalog-facet-view.schema.json")); got != "FacetView" {
		t.Errorf("componentName = %q", got)
	}
}
