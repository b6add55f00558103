package publiccode

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func skeleton(t *testing.T, x *catalog.Export, said Facts) ([]byte, []Software) {
	t.Helper()
	all, _, err := of(x, said)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Skeleton(all, said)
	if err != nil {
		t.Fatal(err)
	}
	return data, all
}

// As it is made it says what was known, and no more.
func TestSkeletonSaysNothingNew(t *testing.T) {
	for name, x := range map[string]*catalog.Export{"included": included(t), "hostile": build(t, software(hostileFacts))} {
		for _, said := range []Facts{nil, facts(t, "dhis2: {softwareType: website, platforms: [web], localisation: {localisationReady: false}}\none: {url: https://example.org/b}\n")} {
			data, before := skeleton(t, x, said)
			after, _, err := of(x, facts(t, string(data)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s (-before +with the skeleton):\n%s", name, diff)
			}
			again, _ := skeleton(t, x, facts(t, string(data)))
			if !bytes.Equal(data, again) {
				t.Errorf("%s: of itself it makes another:\n%s", name, cmp.Diff(string(data), string(again)))
			}
		}
	}
}

func hostileFacts(files map[string]string) {
	files["dpgs/one.yaml"] = "schema: dpg/v1\nid: one\nname: \"a\\n# b: c\\u2028d: \\u0085e\"\ntypes: [software]\ndescription: {en: 'x: y', fr: z}\n" +
		"repositories: [{url: 'https://example.org/a'}, {url: 'https://example.org/b'}]\nstatus: {stage: nominee}\n"
}

// Whoever fills in all that it asks for has the files that the entries allow.
func TestSkeletonFilledIn(t *testing.T) {
	x := included(t)
	data, before := skeleton(t, x, nil)
	var file yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	for e, err := range x.Live() {
		if err != nil {
			t.Fatal(err)
		}
		if all := repositories(*e); len(all) > 0 {
			urls[e.ID] = all[0]
		}
	}
	entries := file.Content[0].Content
	for i := 0; i < len(entries); i += 2 {
		fillIn(entries[i+1], urls[entries[i].Value])
	}
	filled, err := yaml.Marshal(&file)
	if err != nil {
		t.Fatal(err)
	}
	after, strange, err := of(x, facts(t, string(filled)))
	if err != nil || len(strange) > 0 {
		t.Fatal(strange, err)
	}
	written := 0
	for n, s := range after {
		for _, g := range s.Gaps {
			if g.In != InEntry {
				t.Errorf("%s lacks %s all the same: %s", s.Ref, g.Key, g.Why)
			}
		}
		entryToo := false
		for _, g := range before[n].Gaps {
			entryToo = entryToo || g.In == InEntry
		}
		if (s.File != nil) == entryToo {
			t.Errorf("%s has a file: %t, and its entry lacks something: %t", s.Ref, s.File != nil, entryToo)
		}
		if s.File != nil {
			written++
			if err := valid(t, s.File); err != nil {
				t.Errorf("%s: %v", s.Ref, err)
			}
		}
	}
	t.Logf("%d of %d entries have a file", written, len(after))
	if written < 30 {
		t.Errorf("only %d of %d entries have a file", written, len(after))
	}
}

// fillIn says something where nothing is said.
func fillIn(n *yaml.Node, url string) {
	for i := 0; i < len(n.Content); i += 2 {
		key, v := n.Content[i].Value, n.Content[i+1]
		if v.Kind == yaml.MappingNode {
			fillIn(v, url)
			continue
		}
		word := map[string]string{
			"url": url, "platforms": "web", "developmentStatus": "stable", "softwareType": "standalone/web", "type": "none", "shortDescription": "Short.",
			"longDescription": strings.Repeat("Long words. ", 20), "features": "Maps", "localisationReady": "true", "availableLanguages": "en",
		}[key]
		said := &yaml.Node{Kind: yaml.ScalarNode, Value: word}
		if v.Kind == yaml.SequenceNode {
			v.Content = append(v.Content, said)
		} else {
			*v = *said
		}
	}
}

func TestNoSkeletonWhereNothingHelps(t *testing.T) {
	reg := registry.FromFS(os.DirFS("../../../registry"))
	all, _, err := of(build(t, reg), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Gaps = nil
	}
	if data, err := Skeleton(all, nil); data != nil || err != nil {
		t.Errorf("%q, %v; want nothing", data, err)
	}
}
