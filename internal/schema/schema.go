// Package schema judges files by the project's JSON Schemas and says what is
// wrong in words and in a place. It looks at the shape of a file alone: whether
// a licence exists or a link can be one is for the lint rules.
package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
	"github.com/dpg-registry/dpg-registry/schemas"
)

// A Set is schemas by file name, each compiled when it is first asked for: a
// registry without resources need not wait for their schema. It is safe for
// concurrent use.
type Set struct {
	files map[string]func() (*file, error) // by file name
}

// A file is one compiled schema.
type file struct {
	compiled *jsonschema.Schema
	raw      object                 // what it says of itself goes into hints
	nouns    func() map[string]noun // by pattern
}

// object is a schema, or a part of one, as it is written.
type object = map[string]any

// A noun says what text that matches a pattern is called.
type noun struct {
	title    string // such as "Date"
	examples []string
	pattern  *regexp.Regexp
}

var builtin = sync.OnceValues(func() (*Set, error) {
	return open(schemas.FS, func(name string) bool { return !strings.HasPrefix(name, "catalog-") })
})

// Builtin returns the project's own schemas of files that people and the bot
// write. Those of the catalog's responses are not among them.
func Builtin() (*Set, error) { return builtin() }

// Compile compiles the files *.schema.json of a folder. Each names itself by
// "$id"; a reference that leads out of the folder is an error. Of the formats,
// only "date" is checked: links are for a lint rule, which says more.
func Compile(fsys fs.FS) (*Set, error) {
	s, err := open(fsys, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if _, err := s.files[name](); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func open(fsys fs.FS, wanted func(name string) bool) (*Set, error) {
	names, err := fs.Glob(fsys, "*.schema.json")
	if err != nil {
		return nil, err
	}
	s := &Set{files: make(map[string]func() (*file, error), len(names))}
	for _, name := range names {
		if wanted(name) {
			s.files[name] = sync.OnceValues(func() (*file, error) {
				f, err := compile(fsys, name)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				return f, nil
			})
		}
	}
	return s, nil
}

func compile(fsys fs.FS, name string) (*file, error) {
	raw, id, err := read(fsys, name)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(folder{fsys})
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: func(any) error { return nil }})
	if err := c.AddResource(id, raw); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(id)
	if err != nil {
		return nil, err
	}
	f := &file{compiled: compiled, raw: raw}
	f.nouns = sync.OnceValue(func() map[string]noun { // for findings only
		nouns := map[string]noun{}
		learn(nouns, raw)
		return nouns
	})
	return f, nil
}

// read reads a schema, which has to be called what it calls itself.
func read(fsys fs.FS, name string) (raw object, id string, err error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, "", err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, "", err
	}
	raw, _ = doc.(object)
	id, _ = raw["$id"].(string)
	if path.Base(id) != name {
		return nil, "", fmt.Errorf("$id is %q, which does not end in the file's name", id)
	}
	return raw, id, nil
}

// A folder is where references lead, and nowhere else: nothing is fetched.
type folder struct{ fsys fs.FS }

func (f folder) Load(url string) (any, error) {
	raw, id, err := read(f.fsys, path.Base(url))
	if err != nil || id != url {
		return nil, fmt.Errorf("%q is no schema of this folder", url)
	}
	return raw, nil
}

// Prepare compiles the schema of that file name, if there is one, for those who
// will ask for it soon.
func (s *Set) Prepare(name string) { _, _ = s.file(name) }

// file returns nil where there is no such schema.
func (s *Set) file(name string) (*file, error) {
	f := s.files[name]
	if f == nil {
		return nil, nil
	}
	return f()
}

// of finds the schema of an "$id"; nil is none.
func (s *Set) of(id string) *file {
	if f, err := s.file(path.Base(id)); err == nil && f != nil && f.raw["$id"] == id {
		return f
	}
	return nil
}

// learn takes from a schema what its patterns are called.
func learn(nouns map[string]noun, v any) {
	switch v := v.(type) {
	case object:
		expression, isText := v["pattern"].(string)
		title, hasTitle := v["title"].(string)
		if isText && hasTitle && title != "" {
			if re, err := regexp.Compile(expression); err == nil { // or it would not have compiled
				nouns[expression] = noun{title, texts(v["examples"]), re}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			learn(nouns, v[k])
		}
	case []any:
		for _, child := range v {
			learn(nouns, child)
		}
	}
}

// noun finds what text is called that matches an expression of the schema at a
// location.
func (s *Set) noun(location, expression string) (noun, bool) {
	id, _, _ := strings.Cut(location, "#")
	f := s.of(id)
	if f == nil {
		return noun{}, false
	}
	n, ok := f.nouns()[expression]
	return n, ok
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Validate judges a document by the schema of that file name, such as
// "dpg.schema.json". The findings are errors, in the order of diag.Sort. A very
// long list is cut, with a last finding that says so.
func (s *Set) Validate(name string, doc *source.Document) []diag.Diagnostic {
	file, err := s.file(name)
	if file == nil {
		message := fmt.Sprintf("there is no schema %q to judge this file by", name)
		if err != nil {
			message = fmt.Sprintf("the schema to judge this file by cannot be used: %v", err)
		}
		return []diag.Diagnostic{{Path: doc.Path, Rule: ruleOther, Severity: diag.Error, Message: message}}
	}
	err = file.compiled.Validate(doc.Root.Value())
	if err == nil {
		return nil
	}
	f := &finder{set: s, doc: doc, fields: make(map[*source.Node]map[string]source.Field)}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		f.walk(invalid)
	} else {
		f.add(found{rule: ruleOther, message: "the file cannot be judged by its schema"})
	}
	return f.settle()
}

// part returns the part of a schema that a location such as
// "https://.../dpg.schema.json#/$defs/status/then" names, or nil.
func (s *Set) part(location string) object {
	id, tokens := splitLocation(location)
	return s.follow(id, tokens)
}

func (s *Set) follow(id string, tokens []string) object {
	f := s.of(id)
	if f == nil {
		return nil
	}
	var v any = f.raw
	for _, t := range tokens {
		switch c := v.(type) {
		case object:
			v = c[t]
		case []any:
			i, err := strconv.Atoi(t)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	o, _ := v.(object)
	return o
}

func splitLocation(location string) (id string, tokens []string) {
	id, fragment, _ := strings.Cut(location, "#")
	if fragment == "" {
		return id, nil
	}
	for t := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
		if plain, err := url.PathUnescape(t); err == nil {
			t = plain
		}
		if strings.Contains(t, "~") {
			t = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
		}
		tokens = append(tokens, t)
	}
	return id, tokens
}

// property returns what a schema says of one key, references within the file
// followed, or nil. A branch such as "then" does not repeat what stands above it.
func (s *Set) property(location, key string) object {
	id, tokens := splitLocation(location)
	for {
		properties, _ := s.follow(id, tokens)["properties"].(object)
		if p, ok := properties[key].(object); ok {
			return s.resolve(id, p)
		}
		if len(tokens) == 0 || !isBranch(tokens[len(tokens)-1]) {
			return nil
		}
		tokens = tokens[:len(tokens)-1]
	}
}

// resolve lays a schema over the one that it refers to: what is said at the
// place of use is nearer to the point.
func (s *Set) resolve(id string, o object) object {
	ref, _ := o["$ref"].(string)
	if !strings.HasPrefix(ref, "#") {
		return o
	}
	target := s.part(id + ref)
	merged := make(object, len(target)+len(o))
	for k, v := range target {
		merged[k] = v
	}
	for k, v := range o {
		merged[k] = v
	}
	return merged
}

func isBranch(token string) bool {
	switch token {
	case "then", "else", "allOf", "anyOf", "oneOf":
		return true
	}
	_, err := strconv.Atoi(token)
	return err == nil
}

// condition returns why the branch around a location asks for something that
// the rest of the schema does not, or "" outside of a branch.
func (s *Set) condition(location string) (reason string, conditional bool) {
	id, tokens := splitLocation(location)
	for n := len(tokens); n > 0; n-- {
		if t := tokens[n-1]; t != "then" && t != "else" {
			continue
		}
		conditional = true
		if d, ok := s.follow(id, tokens[:n])["description"].(string); ok {
			return d, true
		}
	}
	return "", conditional
}
