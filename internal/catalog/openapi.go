package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/schemas"
)

// openAPIName is the description of the whole for programs, relative to api/v1/.
const openAPIName = "openapi.json"

// The parts of an OpenAPI 3.1 document that are used here.
type (
	openAPI struct {
		OpenAPI    string                       `json:"openapi"`
		Info       openAPIInfo                  `json:"info"`
		Servers    []map[string]string          `json:"servers"`
		Tags       []map[string]string          `json:"tags"`
		Paths      map[string]openAPIPath       `json:"paths"`
		Components map[string]map[string]schema `json:"components"`
	}
	openAPIInfo struct {
		Title       string            `json:"title"`
		Version     string            `json:"version"`
		Description string            `json:"description"`
		Contact     map[string]string `json:"contact"`
		License     map[string]string `json:"license,omitempty"`
		Attribution Text              `json:"x-attribution"` // the credit asked for, as in the responses
	}
	openAPIPath struct {
		Get openAPIOperation `json:"get"`
	}
	openAPIOperation struct {
		ID          string                     `json:"operationId"`
		Summary     string                     `json:"summary"`
		Description string                     `json:"description"`
		Tags        []string                   `json:"tags"`
		Parameters  []openAPIParameter         `json:"parameters,omitempty"`
		Responses   map[string]openAPIResponse `json:"responses"`
	}
	openAPIParameter struct {
		Name        string `json:"name"`
		In          string `json:"in"`
		Required    bool   `json:"required"`
		Description string `json:"description"`
		Schema      schema `json:"schema"`
		Example     string `json:"example,omitempty"`
	}
	openAPIResponse struct {
		Description string                  `json:"description"`
		Content     map[string]openAPIMedia `json:"content,omitempty"`
	}
	openAPIMedia struct {
		Schema  schema `json:"schema"`
		Example any    `json:"example,omitempty"`
	}
	schema = map[string]any
)

// unschemed says what the responses are that no JSON Schema describes, by the
// name of their link.
var unschemed = map[string]struct{ title, about string }{
	"changes-feed": {"A feed of changes", "The newest changes as an Atom feed."},
	"csv":          {"About the CSV tables", "Columns, licence and credit of the tables, as the W3C's CSV on the Web has them."},
	"csv-table":    {"A CSV table", "One table, in RFC 4180's form. A value that office programs would run as a formula has an apostrophe before it."},
	"full-lines":   {"Every entry, a line each", "The responses for each entry, one JSON object a line."},
	"schema":       {"A JSON Schema", "JSON Schema 2020-12 of a response or of a source file."},
}

// openAPI writes the description of the interface: one operation for each link of
// the index that stands under api/v1/, with the schemas that are published and
// examples from this catalog. There is nothing to keep in step by hand.
func (b *builder) openAPI() error {
	links := b.cat.Index.Links
	parts, err := components()
	if err != nil {
		return err
	}
	doc := openAPI{
		OpenAPI: "3.1.0", Info: b.openAPIInfo(), Servers: []map[string]string{b.server()},
		Tags:  []map[string]string{{"name": "catalog", "description": "Plain files; every one answers GET."}},
		Paths: map[string]openAPIPath{}, Components: map[string]map[string]schema{},
	}
	times := map[string]int{}
	for _, l := range links {
		times[l.Rel]++
	}
	var used []string
	for _, l := range links {
		if strings.HasPrefix(l.Path, "../") || l.Path == openAPIName {
			continue
		}
		op, err := b.operation(l, parts, times[l.Rel] > 1)
		if err != nil {
			return err
		}
		doc.Paths["/"+l.Path] = openAPIPath{op}
		if l.SchemaPath != nil {
			used = append(used, componentName(*l.SchemaPath))
		}
	}
	doc.Components["schemas"] = reachable(parts, used)
	return b.put(openAPIName, doc)
}

func (b *builder) openAPIInfo() openAPIInfo {
	ix := b.cat.Index
	info := openAPIInfo{
		Attribution: ix.Attribution,
		Title:       ix.Name, Version: SchemaVersion, Contact: map[string]string{"name": ix.Name},
		Description: "A catalog of digital public goods as plain files. Within version 1 keys are added, never renamed, moved, dropped or given another type: " +
			"pass over keys that you do not know. A key is always there; what nobody knows is null, a list without members is []. " +
			"Every JSON response names its licence and the credit asked for. A list that may be large is published whole, at X.json, and in pages under 1 MiB each, " +
			"which X/pages/index.json lists: pages_path beside the path of a list leads there, and is null where there are none since the whole is under 1 MiB.",
	}
	if info.Title == "" {
		info.Title = "Registry"
		info.Contact["name"] = info.Title
	}
	if p := ix.Publisher.Name; p != nil {
		info.Contact["name"] = *p
	}
	if u := ix.ContactURL; u != nil && strings.HasPrefix(*u, "https://") {
		info.Contact["url"] = *u
	}
	if ix.License != nil {
		info.License = map[string]string{"name": *ix.License, "identifier": *ix.License}
	}
	return info
}

// server is where the paths begin. Without an address in the settings it is the
// folder that the document itself stands in.
func (b *builder) server() map[string]string {
	at := "."
	if base := b.cat.Index.BaseURL; base != nil {
		at = strings.TrimSuffix(*base, "/") + "/" + apiFolder
	}
	return map[string]string{"url": at, "description": "The published catalog."}
}

var parameter = regexp.MustCompile(`\{([a-z]+)\}`)

func (b *builder) operation(l Link, parts map[string]schema, several bool) (openAPIOperation, error) {
	op := openAPIOperation{ID: "get" + pascal(l.Rel), Tags: []string{"catalog"}, Responses: map[string]openAPIResponse{}}
	folder, _, _ := strings.Cut(strings.TrimSuffix(l.Path, ".json"), "/")
	if several { // a list and an entry for each kind
		op.ID += pascal(folder)
	}
	media := openAPIMedia{Schema: schema{"type": "string"}}
	sample := b.samples[l.Path]
	if l.SchemaPath != nil {
		name := componentName(*l.SchemaPath)
		part, ok := parts[name]
		if !ok {
			return op, fmt.Errorf("link %q names the schema %q, which is not there", l.Path, *l.SchemaPath)
		}
		op.Summary, _ = part["title"].(string)
		op.Description, _ = part["description"].(string)
		media.Schema = schema{"$ref": "#/components/schemas/" + name}
		if sample.data != nil {
			var err error
			if media.Example, err = brief(sample.data, l.Rel == "entry"); err != nil {
				return op, err
			}
		}
	} else {
		about, ok := unschemed[l.Rel]
		if !ok {
			return op, fmt.Errorf("link %q has neither a schema nor words for %s", l.Path, openAPIName)
		}
		op.Summary, op.Description = about.title, about.about
		if path.Ext(l.Path) == ".json" {
			media.Schema = schema{"type": "object", "additionalProperties": true}
		}
	}
	if several {
		op.Summary += " (" + folder + ")"
	}
	op.Responses["200"] = openAPIResponse{"The file. Lists in an example are cut to their first item.", map[string]openAPIMedia{mediaType(l.Path): media}}
	values := match(l.Path, sample.path)
	for i, p := range parameter.FindAllStringSubmatch(l.Path, -1) {
		q := openAPIParameter{Name: p[1], In: "path", Required: true, Description: "As the path of an item has it.", Schema: schema{"type": "string"}}
		if values != nil {
			q.Example = values[i]
		}
		op.Parameters = append(op.Parameters, q)
	}
	if len(op.Parameters) > 0 {
		op.Responses["404"] = openAPIResponse{Description: "There is no such file."}
	}
	return op, nil
}

func mediaType(name string) string {
	switch {
	case path.Ext(name) == ".csv":
		return "text/csv"
	case path.Ext(name) == ".ndjson":
		return "application/x-ndjson"
	case path.Ext(name) == ".atom":
		return "application/atom+xml"
	}
	return "application/json"
}

// A sample is a response to show as an example.
type sample struct {
	path string
	data []byte // JSON
}

// sampled gives examples of responses, from a catalog of their own: that of the most
// telling entry of each kind, and of the first change. So what is described keeps its
// bytes, whatever comes and goes beside these.
func (b *builder) sampled() (map[string]sample, error) {
	in := b.in
	in.Findings, in.Pages, in.Spool, in.Stored, in.Keep, in.Head = nil, nil, nil, nil, nil, nil
	if h := in.History; h != nil {
		in.History = &history.Log{Head: h.Head, Changes: h.Changes[:min(1, len(h.Changes))]}
	}
	small := newBuilder(in)
	small.samples = map[string]sample{}
	for kind, fs := range b.kinds {
		if len(fs) > 0 {
			best := fs[0]
			for _, f := range fs {
				if f.tells > best.tells {
					best = f
				}
			}
			small.kinds[kind] = []*Facts{best}
		}
	}
	small.order()
	if err := small.whole(); err != nil {
		return nil, err
	}
	for _, f := range small.all {
		opening, err := compact(b.envelope())
		if err != nil {
			return nil, err
		}
		opening[len(opening)-1] = ','
		row, err := bytesOf(f.row)
		if err != nil {
			return nil, err
		}
		small.remember(f.Path, append(opening, row[1:]...))
	}
	return small.samples, nil
}

// remember keeps a response as the example of its link: of a view one with
// entries, where there is any, and otherwise the first.
func (b *builder) remember(name string, data []byte) {
	if b.samples == nil {
		return
	}
	for _, l := range b.templates {
		if match(l.Path, name) == nil {
			continue
		}
		best, there := b.samples[l.Path]
		if !there || emptyItems(best.data) && !emptyItems(data) {
			b.samples[l.Path] = sample{name, data}
		}
		return
	}
}

func emptyItems(data []byte) bool { return bytes.Contains(data, []byte("\n  \"items\": []")) }

// match gives the values of a template's parameters in a path, never nil where
// the path is one of the template's.
func match(template, name string) []string {
	want, have := strings.Split(template, "/"), strings.Split(name, "/")
	if len(want) != len(have) {
		return nil
	}
	values := []string{}
	for i, w := range want {
		before, rest, open := strings.Cut(w, "{")
		if !open {
			if w != have[i] {
				return nil
			}
			continue
		}
		_, after, _ := strings.Cut(rest, "}")
		value, begins := strings.CutPrefix(have[i], before)
		value, ends := strings.CutSuffix(value, after)
		if !begins || !ends || value == "" {
			return nil
		}
		values = append(values, value)
	}
	return values
}

// brief is a response with its lists cut to their first item. Lists within an item
// stay whole, and so does an entry.
func brief(data []byte, whole bool) (json.RawMessage, error) {
	if whole {
		return data, nil
	}
	return short(data, 2)
}

// short cuts the lists of an object and, to a depth, those of objects in it.
func short(data []byte, depth int) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil { // the brace
		return nil, err
	}
	out := []byte{'{'}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		switch {
		case value[0] == '[':
			var items []json.RawMessage
			if err := json.Unmarshal(value, &items); err != nil {
				return nil, err
			}
			if len(items) > 1 {
				value = slices.Concat([]byte{'['}, items[0], []byte{']'})
			}
		case value[0] == '{' && depth > 1:
			if value, err = short(value, depth-1); err != nil {
				return nil, err
			}
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		quoted, err := compact(key)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, quoted...), ':'), value...)
	}
	return append(out, '}'), nil
}

const refPrefix = "#/$defs/"

// components gives every schema of a response, and every definition within one,
// by a name of its own. A definition that several schemas have alike is one; of
// those that differ each has the name of its schema before its own. They are the
// program's own, so they are made once; nobody may change them.
var components = sync.OnceValues(func() (map[string]schema, error) {
	names, err := fs.Glob(schemas.FS, "catalog-*.schema.json")
	if err != nil {
		return nil, err
	}
	roots := map[string]schema{}
	forms := map[string]map[string]bool{} // by the name of a definition
	for _, name := range names {
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			return nil, err
		}
		var root schema
		if err := json.Unmarshal(data, &root); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		roots[componentName(name)] = root
		for def, v := range definitions(root) {
			form, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			if forms[def] == nil {
				forms[def] = map[string]bool{}
			}
			forms[def][string(form)] = true
		}
	}
	// What leads to a definition of several forms is of several forms itself.
	own := map[string]bool{}
	for def, f := range forms {
		own[def] = len(f) > 1
	}
	for changed := true; changed; {
		changed = false
		for def, f := range forms {
			for form := range f {
				for other := range forms {
					if own[other] && !own[def] && strings.Contains(form, `"`+refPrefix+other+`"`) {
						own[def], changed = true, true
					}
				}
			}
		}
	}
	out := map[string]schema{}
	for name, root := range roots {
		title := func(def string) string {
			if own[def] {
				return name + pascal(def)
			}
			return pascal(def)
		}
		for def, v := range definitions(root) {
			out[title(def)] = renamed(v, title).(schema)
		}
		delete(root, "$defs")
		delete(root, "$schema")
		delete(root, "$id")
		out[name] = renamed(root, title).(schema)
	}
	return out, nil
})

func definitions(root schema) map[string]any {
	defs, _ := root["$defs"].(map[string]any)
	return defs
}

// renamed points every reference at its component.
func renamed(v any, title func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if ref, ok := x.(string); ok && key == "$ref" {
				v[key] = "#/components/schemas/" + title(strings.TrimPrefix(ref, refPrefix))
				continue
			}
			v[key] = renamed(x, title)
		}
	case []any:
		for i, x := range v {
			v[i] = renamed(x, title)
		}
	}
	return v
}

// reachable leaves out the components that nothing leads to.
func reachable(parts map[string]schema, from []string) map[string]schema {
	out := map[string]schema{}
	for len(from) > 0 {
		name := from[len(from)-1]
		from = from[:len(from)-1]
		if _, done := out[name]; done {
			continue
		}
		out[name] = parts[name]
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				if ref, ok := v["$ref"].(string); ok {
					from = append(from, path.Base(ref))
				}
				for _, x := range v {
					walk(x)
				}
			case []any:
				for _, x := range v {
					walk(x)
				}
			}
		}
		walk(parts[name])
	}
	return out
}

// componentName is "FacetView" for "catalog-facet-view.schema.json", in any
// folder.
func componentName(file string) string {
	return pascal(strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "catalog-"), ".schema.json"))
}

func pascal(s string) string {
	var b bytes.Buffer
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
