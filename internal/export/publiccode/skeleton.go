package publiccode

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Skeleton is a file of facts to fill in: what is known of each entry that lacks
// something, and beside it the keys to say the rest under, empty, each with the
// reason. As it is, it says nothing new. It is nil where no facts would help.
func Skeleton(all []Software, facts Facts) ([]byte, error) {
	var pairs [][]*yaml.Node
	for _, s := range all {
		n, err := skeletonOf(s, facts[s.ID])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Ref, err)
		}
		if n == nil {
			continue
		}
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: s.ID, HeadComment: comment(s.Name)}
		for _, g := range s.Gaps {
			if g.In == InEntry {
				key.HeadComment += "\n" + comment("to be said in the entry: "+g.Key+": "+g.Why)
			}
		}
		pairs = append(pairs, []*yaml.Node{key, n})
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	b.WriteString(guide())
	for i, p := range pairs { // with an empty line between
		if i > 0 {
			b.WriteString("\n")
		}
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		if err := errors.Join(enc.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: p}), enc.Close()); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// guide says how to fill it in.
func guide() string {
	return `# What dpg export publiccode --facts FILE takes. Say what you know and leave the rest:
# an empty key says nothing.
#
# platforms: [web, windows, mac, linux, android, ios], or other words
# developmentStatus: ` + strings.Join(statuses, ", ") + `
# softwareType: ` + strings.Join(softwares, ", ") + `
# maintenance/type: ` + strings.Join(maintenances, ", ") + `
#   internal and community go with contacts: [{name: A Person}], contract with
#   contractors: [{name: A Company, until: 2030-12-31}]
# localisation/localisationReady: true or false, availableLanguages: [en, pt-BR]
#
# The standard: https://yml.publiccode.tools

`
}

// skeletonOf is the part of one entry, nil where no facts would help.
func skeletonOf(s Software, known Known) (*yaml.Node, error) {
	n := new(yaml.Node)
	if err := n.Encode(known); err != nil {
		return nil, err
	}
	prune(n)
	helps := false
	for _, g := range s.Gaps {
		if g.In == InFacts {
			helps = true
			value := at(n, strings.Split(g.Key, "/"))
			if g.Why != noWord { // which is so of most
				value.LineComment = comment(g.Why)
			}
		}
	}
	if !helps {
		return nil, nil
	}
	arrange(n)
	return n, nil
}

// prune takes out what says nothing.
func prune(n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			prune(e)
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		v := n.Content[i+1]
		prune(v)
		if v.Kind == yaml.ScalarNode && (v.Value == "" || v.Tag == "!!null") || v.Kind != yaml.ScalarNode && len(v.Content) == 0 {
			continue
		}
		kept = append(kept, n.Content[i], v)
	}
	n.Content, n.Style = kept, 0
}

// lists are the keys that take one.
var lists = []string{"platforms", "features", "availableLanguages", "contacts", "contractors"}

// at is the value at a path, made where there is none yet.
func at(n *yaml.Node, path []string) *yaml.Node {
	for i, key := range path {
		var child *yaml.Node
		for j := 0; j < len(n.Content); j += 2 {
			if n.Content[j].Value == key {
				child = n.Content[j+1]
			}
		}
		if child == nil {
			switch {
			case i < len(path)-1:
				child = &yaml.Node{Kind: yaml.MappingNode}
			case slices.Contains(lists, key):
				child = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			default:
				child = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
			}
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, child)
		}
		n = child
	}
	return n
}

// keyOrder is that of the standard. Languages are in none of it, and stay as they are.
var keyOrder = []string{"url", "platforms", "developmentStatus", "softwareType", "description", "shortDescription", "longDescription", "documentation", "features",
	"maintenance", "type", "contractors", "contacts", "localisation", "localisationReady", "availableLanguages"}

func arrange(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	pairs := slices.Collect(slices.Chunk(n.Content, 2))
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int {
		return slices.Index(keyOrder, a[0].Value) - slices.Index(keyOrder, b[0].Value)
	})
	n.Content = slices.Concat(pairs...)
	for _, p := range pairs {
		arrange(p[1])
	}
}

// comment is a text as a comment of one line.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffd || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return "# " + oneLine(s)
}
