package schema

import (
	"errors"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Removable reports whether the schema of that file name lets the value at a
// pointer go with its key: it is not one that must be there, nor one of the last
// that a list or mapping needs. In doubt the answer is no.
func (s *Set) Removable(name string, doc *source.Document, pointer string) bool {
	file, err := s.file(name)
	if _, exact := doc.Locate(pointer); err != nil || file == nil || !exact || pointer == "" {
		return false
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	parent, last := tokens[:len(tokens)-1], tokens[len(tokens)-1]
	err = file.compiled.Validate(without(doc.Root.Value(), tokens))
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err == nil
	}
	for _, leaf := range leavesOf(invalid, nil) {
		if !slices.Equal(leaf.InstanceLocation, parent) {
			continue
		}
		switch k := leaf.ErrorKind.(type) {
		case *kind.Required:
			if slices.Contains(k.Missing, last) {
				return false
			}
		case *kind.DependentRequired:
			if slices.Contains(k.Missing, last) {
				return false
			}
		case *kind.MinItems, *kind.MinProperties:
			return false
		}
	}
	return true
}

// without takes the value at a place out of a tree of plain values.
func without(v any, at []string) any {
	switch c := v.(type) {
	case map[string]any:
		if len(at) == 1 {
			delete(c, at[0])
		} else {
			c[at[0]] = without(c[at[0]], at[1:])
		}
	case []any:
		i, ok := itemNumber(at[0])
		if !ok || i >= len(c) {
			return v
		}
		if len(at) == 1 {
			return slices.Delete(c, i, i+1)
		}
		c[i] = without(c[i], at[1:])
	}
	return v
}
