package githubtest

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed api.json.gz
var packed []byte

// A description is GitHub's own of its API, cut down to what the bot calls.
type description struct{ router routers.Router }

// describe reads the description once, which takes longer than most tests.
var describe = sync.OnceValues(readDescription)

func readDescription() (*description, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("GitHub's description: %w", err)
	}
	// What has slashes in it finds no route otherwise.
	open := strings.NewReplacer("{ref}", "{ref:.+}", "{path}", "{path:.+}", "{branch}", "{branch:.+}")
	for _, name := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		if to := open.Replace(name); to != name {
			item := doc.Paths.Value(name)
			doc.Paths.Delete(name)
			doc.Paths.Set(to, item)
		}
	}
	doc.Servers = openapi3.Servers{{URL: "/api/v3"}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, err
	}
	return &description{router}, nil
}

// found is the operation that a request is one of.
type found struct {
	op    string
	vars  map[string]string
	input *openapi3filter.RequestValidationInput
}

func (d *description) find(r *http.Request) (*found, error) {
	route, vars, err := d.router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	options := &openapi3filter.Options{
		MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true, RejectWhenRequestBodyNotSpecified: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
	options.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		return fmt.Sprintf("at /%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason)
	})
	return &found{route.Operation.OperationID, vars, &openapi3filter.RequestValidationInput{
		Request: r, PathParams: vars, Route: route,
		Options: options,
	}}, nil
}

func (f *found) validateRequest(body []byte) error {
	f.input.Request.Body = io.NopCloser(bytes.NewReader(body))
	return openapi3filter.ValidateRequest(context.Background(), f.input)
}

// complete makes JSON of an answer, adds what the description requires of it and the
// fake has no use for, and holds it to the description.
func (f *found) complete(status int, value any) ([]byte, error) {
	described := f.input.Route.Operation.Responses.Status(status)
	if described == nil {
		// GitHub describes few of its refusals; the others look like those.
		if m, ok := value.(obj); ok && status >= 400 && m["message"] != nil {
			return json.Marshal(value)
		}
		return nil, fmt.Errorf("status %d is not described", status)
	}
	if media := described.Value.Content.Get("application/json"); media != nil {
		value = fill(media.Schema, value, 0)
	}
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: f.input, Status: status, Options: f.input.Options,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
	// Where headers are described they are all optional.
	return body, openapi3filter.ValidateResponse(context.Background(), answer.SetBodyBytes(asDescribed(body)))
}

// asDescribed puts right the one place where GitHub itself is known not to answer as
// it describes: a pull request whose fork was deleted comes from no repository.
func asDescribed(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"repo":null`)) {
		return body
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, p := range list {
		p, _ := p.(obj)
		head, _ := p["head"].(obj)
		base, _ := p["base"].(obj)
		if head != nil && head["repo"] == nil && base != nil {
			head["repo"] = base["repo"]
		}
	}
	out, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return out
}

// fill adds to a value what its schema requires and it lacks.
func fill(ref *openapi3.SchemaRef, v any, depth int) any {
	s := ref.Value
	if depth > 12 {
		return v
	}
	for _, part := range s.AllOf {
		v = fill(part, v, depth+1)
	}
	for _, choice := range [][]*openapi3.SchemaRef{s.OneOf, s.AnyOf} {
		if i := slices.IndexFunc(choice, func(r *openapi3.SchemaRef) bool { return r.Value != nil && fits(r.Value, v) }); i >= 0 {
			return fill(choice[i], v, depth+1)
		}
	}
	switch v := v.(type) {
	case obj:
		for name, value := range v {
			if p := s.Properties[name]; p != nil && value != nil {
				v[name] = fill(p, value, depth+1)
			}
		}
		for _, name := range s.Required {
			if _, has := v[name]; !has {
				v[name] = least(s.Properties[name], depth+1)
			}
		}
	case []any:
		for i := range v {
			if s.Items != nil {
				v[i] = fill(s.Items, v[i], depth+1)
			}
		}
	}
	return v
}

func fits(s *openapi3.Schema, v any) bool {
	switch v.(type) {
	case obj:
		return s.Type.Is("object") || len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) > 0
	case []any:
		return s.Type.Is("array")
	case string:
		return s.Type.Is("string")
	}
	return false
}

// least is the least value that a schema allows.
func least(ref *openapi3.SchemaRef, depth int) any {
	if ref == nil || ref.Value == nil {
		return nil
	}
	s := ref.Value
	switch {
	case s.Nullable:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AllOf) > 0:
		return fill(ref, obj{}, depth)
	case len(s.OneOf) > 0:
		return least(s.OneOf[0], depth)
	case len(s.AnyOf) > 0:
		return least(s.AnyOf[0], depth)
	case s.Type.Is("object"):
		return fill(ref, obj{}, depth)
	case s.Type.Is("array"):
		return []any{}
	case s.Type.Is("boolean"):
		return false
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 0
	case s.Type.Is("string") && s.Format == "uri":
		return "https://github.example/"
	case s.Type.Is("string") && s.Format == "date-time":
		return "2024-03-01T00:00:00Z"
	case s.Type.Is("string"):
		return ""
	}
	return nil
}
