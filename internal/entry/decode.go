package entry

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// UnmarshalYAML fills what can be filled. A value of the wrong sort leaves its
// field zero, an item of the wrong sort leaves a zero item, so that every other
// item keeps the place it has in the file; the error is then a *yaml.TypeError.
func (e *Entry) UnmarshalYAML(n *yaml.Node) error {
	type plain Entry // without this method
	var errs []string
	if n = fit(n, entryType, &errs); n.Kind != yaml.MappingNode {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: an entry is a mapping", n.Line)}}
	}
	switch err := n.Decode((*plain)(e)).(type) {
	case nil:
	case *yaml.TypeError:
		errs = append(errs, err.Errors...)
	default:
		return err
	}
	if len(errs) > 0 {
		return &yaml.TypeError{Errors: errs}
	}
	return nil
}

var (
	entryType = reflect.TypeFor[Entry]()
	textType  = reflect.TypeFor[Text]()
)

// fit gives a tree in which every item of a list can be read as what the list
// holds: the library leaves an item out that cannot, null too, and what follows
// it moves up. What fits is not copied.
func fit(n *yaml.Node, t reflect.Type, errs *[]string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var of func(i int) *yaml.Node // child i, made to fit
	switch {
	case t == textType:
		return n
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		fields := fieldTypes()[t]
		of = func(i int) *yaml.Node {
			if i%2 == 0 || fields[n.Content[i-1].Value] == nil {
				return n.Content[i]
			}
			return fit(n.Content[i], fields[n.Content[i-1].Value], errs)
		}
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		of = func(i int) *yaml.Node { return fitItem(n.Content[i], t.Elem(), errs) }
	default:
		return n
	}
	fitted := n
	for i, c := range n.Content {
		f := of(i)
		if f == c {
			continue
		}
		if fitted == n {
			whole := *n
			whole.Content = append([]*yaml.Node(nil), n.Content...)
			fitted = &whole
		}
		fitted.Content[i] = f
	}
	return fitted
}

// fitItem is fit of an item of a list; one that cannot be read becomes blank.
func fitItem(n *yaml.Node, t reflect.Type, errs *[]string) *yaml.Node {
	f := fit(n, t, errs)
	want, blank := yaml.MappingNode, yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: f.Line, Column: f.Column}
	if t.Kind() == reflect.String {
		want, blank = yaml.ScalarNode, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Line: f.Line, Column: f.Column}
	}
	null := f.Kind == yaml.ScalarNode && f.ShortTag() == "!!null"
	if f.Kind == want && !null {
		return f
	}
	*errs = append(*errs, fmt.Sprintf("line %d: this item is not of the sort that its list holds", f.Line))
	return &blank
}

// fieldTypes maps each struct within an Entry to the types of its fields by key.
var fieldTypes = sync.OnceValue(func() map[reflect.Type]map[string]reflect.Type {
	all := map[reflect.Type]map[string]reflect.Type{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t == textType || all[t] != nil {
			return
		}
		all[t] = map[string]reflect.Type{}
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			all[t][key] = t.Field(i).Type
			add(t.Field(i).Type)
		}
	}
	add(entryType)
	return all
})
