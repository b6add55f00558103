package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// A document is an OpenAPI document as it is served, with a router for its paths.
type document struct {
	*openapi3.T
	router routers.Router
}

func described(t *testing.T, s *Server, address string) document {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body(t, ask(s, "GET", address, nil))))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Errorf("%s is not OpenAPI: %v", address, err)
	}
	doc.Servers = nil // the path begins where the router looks
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return document{doc, router}
}

// check holds an answer against what the document says of the address, relative to
// api/v1/, and reports which path that was.
func (d document) check(address string, status int, header http.Header, says string) (path string, err error) {
	asked := httptest.NewRequest("GET", address, nil)
	route, params, err := d.router.FindRoute(asked)
	if err != nil {
		return "", err
	}
	return route.Path, openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route},
		Status:                 status, Header: header, Body: io.NopCloser(strings.NewReader(says)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// shared holds an answer that is no file against the response of that status, which
// is the same for searches and for files.
func (d document) shared(status int, header http.Header, says string) error {
	for name, code := range statusOf {
		if code != fmt.Sprint(status) {
			continue
		}
		r := d.Components.Responses[name].Value
		for h := range r.Headers {
			if header.Get(h) == "" {
				return fmt.Errorf("%s has no header %s", name, h)
			}
		}
		if len(r.Content) == 0 {
			if says != "" {
				return fmt.Errorf("%s has a body of %d bytes", name, len(says))
			}
			return nil
		}
		media := r.Content.Get(header.Get("Content-Type"))
		if media == nil {
			return fmt.Errorf("%s is %q", name, header.Get("Content-Type"))
		}
		var v any
		if err := json.Unmarshal([]byte(says), &v); err != nil {
			return err
		}
		return media.Schema.Value.VisitJSON(v)
	}
	return fmt.Errorf("the status %d is not described", status)
}

// Every answer is one that a document describes: each file of the catalog, each
// search, and what is answered to questions that are not good ones.
func TestEveryAnswerIsDescribed(t *testing.T) {
	// Lines of JSON are text to the checker, as they are to the document.
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	t.Cleanup(func() { openapi3filter.UnregisterBodyDecoder("application/x-ndjson") })
	dir := t.TempDir()
	still := func() time.Time { return time.Unix(0, 0) }
	c := load(t, dir, "Open Guide", "Another Guide", "Third")
	s := New(c, Options{Now: still})
	files, searches := described(t, s, "/api/v1/openapi.json"), described(t, s, openAPIPath)
	data, err := os.ReadFile(filepath.Join(dir, "api", "v1", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest catalog.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, f := range append(manifest.Files, catalog.ManifestFile{Path: "api/v1/manifest.json"}) {
		rest, api := strings.CutPrefix(f.Path, "api/v1")
		if !api || rest == "/openapi.json" {
			continue
		}
		address := "/" + f.Path
		r := ask(s, "GET", address, nil)
		says := body(t, r)
		path, err := files.check(rest, r.StatusCode, r.Header, says)
		if err != nil || r.StatusCode != 200 {
			t.Errorf("GET %s: %d, %v", address, r.StatusCode, err)
		}
		met[path] = true
		head := ask(s, "HEAD", address, nil)
		for _, name := range []string{"Content-Type", "Content-Length", "Etag", "Cache-Control", "Vary"} {
			if head.Header.Get(name) != r.Header.Get(name) {
				t.Errorf("HEAD %s: %s = %q, GET has %q", address, name, head.Header.Get(name), r.Header.Get(name))
			}
		}
		if head.StatusCode != 200 || body(t, head) != "" {
			t.Errorf("HEAD %s: %d", address, head.StatusCode)
		}
		held := ask(s, "GET", address, http.Header{"If-None-Match": {r.Header.Get("ETag")}})
		if err := searches.shared(held.StatusCode, held.Header, body(t, held)); err != nil || held.StatusCode != 304 {
			t.Errorf("GET %s with its tag: %d, %v", address, held.StatusCode, err)
		}
	}
	for path := range files.Paths.Map() {
		if !met[path] && !strings.HasPrefix(path, "/dpgs/") && !strings.Contains(path, "changes") && !strings.Contains(path, "/views/{") &&
			!strings.Contains(path, "/{id}/pages/") { // only large views have those
			t.Errorf("no file was met that is described by %s", path)
		}
	}

	full := New(c, Options{Rate: 1, Now: still})
	for range burst {
		ask(full, "GET", "/api/v1/index.json", nil)
	}
	none := New(&Catalog{files: c.files, held: c.held}, Options{})
	long := "?q=" + strings.Repeat("a", maxAddress)
	tests := []struct {
		server          *Server
		method, address string
		status          int
	}{
		{s, "GET", "/api/v1/search?page=0", 400},
		{s, "GET", "/api/v1/search?q=%zz", 400},
		{s, "GET", "/api/v1/dpgs/none.json", 404},
		{s, "GET", "/api/v1/dpgs", 404},
		{s, "GET", "/api/v1/search/none", 404},
		{none, "GET", "/api/v1/search", 404},
		{none, "GET", "/api/v1/search/openapi.json", 404},
		{s, "POST", "/api/v1/search", 405},
		{s, "POST", "/api/v1/search/openapi.json", 405},
		{s, "DELETE", "/api/v1/index.json", 405},
		{s, "TRACE", "/api/v1/none.json", 405},
		{s, "GET", "/api/v1/search" + long, 414},
		{s, "GET", "/api/v1/index.json" + long, 414},
		{full, "GET", "/api/v1/search", 429},
		{full, "GET", "/api/v1/index.json", 429},
		{full, "POST", "/api/v1/index.json", 429},
		{full, "OPTIONS", "/api/v1/index.json", 429},
	}
	statuses := map[int]bool{304: true}
	for _, tt := range tests {
		r := ask(tt.server, tt.method, tt.address, nil)
		says := body(t, r)
		what := fmt.Sprintf("%s %.60s", tt.method, tt.address)
		if err := searches.shared(r.StatusCode, r.Header, says); err != nil || r.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d, %v", what, r.StatusCode, tt.status, err)
		}
		statuses[r.StatusCode] = true
		rest, _ := strings.CutPrefix(tt.address, "/api/v1")
		if path := strings.SplitN(rest, "?", 2)[0]; path == "/search" || path == "/search/openapi.json" {
			if _, err := searches.check(path, r.StatusCode, r.Header, says); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if tt.method == "GET" {
			head := ask(tt.server, "HEAD", tt.address, nil)
			if head.StatusCode != tt.status || body(t, head) != "" || head.Header.Get("Content-Type") != r.Header.Get("Content-Type") {
				t.Errorf("HEAD %.60s: %d %s, want %d and no body", tt.address, head.StatusCode, head.Header.Get("Content-Type"), tt.status)
			}
		}
	}
	for _, code := range statusOf {
		if !slices.ContainsFunc([]int{304, 400, 404, 405, 414, 429}, func(n int) bool { return fmt.Sprint(n) == code && statuses[n] }) {
			t.Errorf("nothing was answered with %s", code)
		}
	}
}
