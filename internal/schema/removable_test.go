package schema_test

import (
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

func TestRemovable(t *testing.T) {
	set, err := schema.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const file = `
schema: dpg/v1
id: a
name: ""
aliases: ["", b]
website: ""
types: [""]
licenses: [{expression: "", url: ""}, {expression: MIT}]
description: {en: "", fr: x}
locations: {deployed_in: [KE]}
status: {stage: nominee, url: ""}
`
	doc, found := source.Parse("a.yaml", []byte(file))
	if len(found) > 0 {
		t.Fatal(found)
	}
	for _, tt := range []struct {
		pointer string
		want    bool
	}{
		{"/website", true},
		{"/aliases", true},
		{"/aliases/0", true},
		{"/licenses/0", true},
		{"/licenses/0/url", true},
		{"/status/url", true},
		{"/description/en", true},
		{"/locations", true},
		{"/locations/deployed_in", true},
		{"/licenses/0/expression", false},
		{"/name", false},
		{"/types/0", false},
		{"/types", false},
		{"/status/stage", false},
		{"/nothing", false},
		{"", false},
	} {
		if got := set.Removable("dpg.schema.json", doc, tt.pointer); got != tt.want {
			t.Errorf("Removable(%q) = %v, want %v", tt.pointer, got, tt.want)
		}
	}
	if set.Removable("no.schema.json", doc, "/website") {
		t.Error("a value is removable by a schema that is not there")
	}
}
