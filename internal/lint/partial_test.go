package lint_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

// whole is an entry of which no rule has anything to say.
const whole = `
schema: dpg/v1
id: a
name: A
aliases: [Aid A]
description: {en: "An aid", fr: "Une aide"}
website: https://a.example.org/
types: [software]
licenses: [{expression: MIT, url: "https://a.example.org/l"}, {expression: Apache-2.0}]
repositories: [{name: a, url: "https://a.example.org/r"}]
sdgs: [{goal: 3, text: It helps, evidence: ["https://a.example.org/e"]}, {goal: 4, text: It teaches}]
organizations: [{name: A, role: owner, website: "https://a.example.org/"}]
stewards: [{github: ann, id: 1}]
locations: {developed_in: [NO], deployed_in: [FR, DE]}
standard: {privacy: {answer: yes, items: [GDPR], evidence: ["https://a.example.org/p"]}}
language: en
status: {stage: dpg, recognised_by: DPGA, as_of: 2023-01-13, url: "https://a.example.org/s"}
same_as: {wikidata: Q1}
sources: [{name: A, url: "https://a.example.org/", as_of: 2023-01-13}]
decisions: [{ruling: accept, code: dpi-safeguards/O3, by: {github: ann, id: 1}, as: steward, date: 2023-01-13, reason: It is so}]
waivers: [{rule: link-http, reason: No other, by: {github: ann, id: 1}, until: 2026-02-01}]
`

// A value of the wrong sort is one finding, of the schema, wherever it stands: no
// rule takes it for a value that is missing, or another value for it.
func TestWrongSortIsOneFinding(t *testing.T) {
	for _, text := range []string{whole, strings.Replace(whole, "{stage: dpg, ", "{stage: archived, reason: It has ended, ", 1)} {
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			t.Fatal(err)
		}
		if got := judged(t, []byte(text)); len(got) > 0 {
			t.Fatalf("the entry has findings: %v", got)
		}
		wrongs := []yaml.Node{
			{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.SequenceNode}}},
			{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "x"}, {Kind: yaml.SequenceNode}}},
			{Kind: yaml.ScalarNode, Value: "wrong"},
		}
		tried := 0
		var each func(n *yaml.Node, at string)
		each = func(n *yaml.Node, at string) {
			for i, c := range n.Content {
				if n.Kind == yaml.MappingNode && i%2 == 0 {
					continue
				}
				here := fmt.Sprintf("%s/%d", at, i)
				if n.Kind == yaml.MappingNode {
					here = at + "/" + n.Content[i-1].Value
				}
				was := *c
				for _, wrong := range wrongs {
					if wrong.Kind == was.Kind || at == "" && n.Content[i-1].Value == "schema" || wrong.Kind == yaml.ScalarNode && was.ShortTag() == "!!int" {
						continue
					}
					if here == "/description" && wrong.Kind == yaml.ScalarNode || textMapping(here) && wrong.Kind == yaml.MappingNode {
						continue // a text by language
					}
					*c = wrong
					data, err := yaml.Marshal(&root)
					if err != nil {
						t.Fatal(err)
					}
					tried++
					for _, d := range judged(t, data) {
						if !strings.HasPrefix(d.Rule, "schema") {
							t.Errorf("%s: %s [%s]", here, d.Message, d.Rule)
						}
					}
				}
				*c = was
				each(c, here)
			}
		}
		each(root.Content[0], "")
		if tried < 100 {
			t.Errorf("only %d values were tried", tried)
		}
	}
}

func textMapping(at string) bool {
	return strings.HasSuffix(at, "/text") || strings.HasSuffix(at, "/reason")
}

// Next to a value of the wrong sort everything else is judged, in its own place.
func TestAllAtOnce(t *testing.T) {
	const text = `schema: dpg/v1
id: a
name: [A]
description: [An aid]
types: [software]
licenses:
  - MIT
  - {expression: Apache 2}
aliases: [{}, " x"]
locations: {deployed_in: [null, UK]}
status: {stage: dpg, url: ["https://a.example.org/"]}
`
	var got []string
	for _, d := range judged(t, []byte(text)) {
		got = append(got, fmt.Sprintf("%s %s", d.Pointer, d.Rule))
	}
	want := []string{
		"/name schema-type", "/description schema-type", "/licenses/0 schema-type", "/licenses/1/expression license-id",
		"/aliases/0 schema-type", "/aliases/1 space", "/locations/deployed_in/0 schema-type", "/locations/deployed_in/1 country",
		"/status recognition", "/status/url schema-type",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

func judged(t *testing.T, entry []byte) []diag.Diagnostic {
	t.Helper()
	found, err := lint.Run(t.Context(), loadFS(t, fstest.MapFS{"dpgs/a.yaml": {Data: entry}}), lint.Options{AsOf: "2026-01-15"})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
