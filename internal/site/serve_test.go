package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// serve writes a catalog to disk, with things beside it that are nobody's
// business, and gives the handler that serves it.
func serve(t *testing.T) http.Handler {
	t.Helper()
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if _, err := build(t).Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"secret.txt": "secret", "out/.hidden": "secret", "out/.git/config": "secret", "out/page.bin": "x",
		"out/empty/.keep": "secret",
	} {
		name = filepath.Join(parent, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out/link.txt": "../secret.txt", "out/inside.txt": ".hidden", "out/folder": ".git"} {
		if err := os.Symlink(to, filepath.Join(parent, link)); err != nil {
			t.Logf("no symbolic links here, so they are NOT TESTED: %v", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return Handler(root.FS())
}

// A folder without a page of its own is not there, with a slash or without, and
// the answer names the list that is.
func TestFolderWithoutAPage(t *testing.T) {
	h := serve(t)
	for address, want := range map[string]string{
		"/api/v1/dpgs":  "api/v1/dpgs.json is there",
		"/api/v1/dpgs/": "api/v1/dpgs.json is there",
		"/empty":        "leads to all there are",
	} {
		r := get(h, "GET", address, nil)
		if text := body(t, r); r.StatusCode != 404 || r.Header.Get("Location") != "" || !strings.Contains(text, want) {
			t.Errorf("GET %s = %d %s, want 404 and %q", address, r.StatusCode, text, want)
		}
	}
}

func get(h http.Handler, method, path string, header http.Header) *http.Response {
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path = path // as it stands, without what a client would tidy
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestHandler(t *testing.T) {
	h := serve(t)
	tests := []struct {
		path, kind string
		status     int
		says       string
	}{
		{"/", "text/html; charset=utf-8", 200, "<!DOCTYPE html>"},
		{"/en/", "text/html; charset=utf-8", 200, "<!DOCTYPE html>"},
		{"/index.html", "text/html; charset=utf-8", 200, "<!DOCTYPE html>"},
		{"/dpgs/", "application/json", 200, `"stage":"DPG"`},
		{"/dpg/alpha/", "application/json", 200, `"id": "alpha"`},
		{"/api/v1/", "application/json", 200, `"kinds"`},
		{"/api/v1/dpgs.json", "application/json", 200, `"digest"`},
		{"/page.bin", "application/octet-stream", 200, "x"},
		{"/api/v1/dpgs/none.json", "application/problem+json", 404, `"status":404`},
		{"/api/v1/schemas/", "application/problem+json", 404, "Not Found"},
		{"/api/../secret.txt", "application/problem+json", 404, "Not Found"},
		{"/none", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/../secret.txt", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/.hidden", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/.git/config", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/link.txt", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/inside.txt", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/folder/config", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/empty/", "text/plain; charset=utf-8", 404, "Not Found"},
		{"//dpgs/", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/dpgs//", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/index.html/", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/index.html/x", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/dpgs\\index.json", "text/plain; charset=utf-8", 404, "Not Found"},
		{"/dpgs\x00", "text/plain; charset=utf-8", 404, "Not Found"},
		{"", "text/plain; charset=utf-8", 404, "Not Found"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			r := get(h, "GET", tt.path, nil)
			says := body(t, r)
			if r.StatusCode != tt.status || r.Header.Get("Content-Type") != tt.kind || !strings.Contains(says, tt.says) {
				t.Errorf("GET %q = %d, %q, %.80q, want %d, %q, %q", tt.path, r.StatusCode, r.Header.Get("Content-Type"), says, tt.status, tt.kind, tt.says)
			}
			if strings.Contains(says, "secret") {
				t.Errorf("GET %q gives a secret away", tt.path)
			}
			for key, want := range map[string]string{
				"Content-Security-Policy":     policy,
				"X-Content-Type-Options":      "nosniff",
				"Referrer-Policy":             "no-referrer",
				"Access-Control-Allow-Origin": "*",
			} {
				if got := r.Header.Get(key); got != want {
					t.Errorf("%s = %q, want %q", key, got, want)
				}
			}
			head := get(h, "HEAD", tt.path, nil)
			if head.StatusCode != tt.status || body(t, head) != "" {
				t.Errorf("HEAD %q = %d, want %d and no body", tt.path, head.StatusCode, tt.status)
			}
		})
	}
}

func TestHandlerRedirects(t *testing.T) {
	h := serve(t)
	r := get(h, "GET", "/dpg/alpha", nil)
	if got := r.Header.Get("Location"); r.StatusCode != 301 || got != "./alpha/" {
		t.Errorf("GET /dpg/alpha = %d to %q, want 301 to %q", r.StatusCode, got, "./alpha/")
	}
}

func TestHandlerConditional(t *testing.T) {
	h := serve(t)
	tag := get(h, "GET", "/api/v1/dpgs.json", nil).Header.Get("ETag")
	if len(tag) != 34 {
		t.Fatalf("ETag = %q", tag)
	}
	r := get(h, "GET", "/api/v1/dpgs.json", http.Header{"If-None-Match": {tag}})
	if r.StatusCode != http.StatusNotModified || body(t, r) != "" || r.Header.Get("ETag") != tag {
		t.Errorf("with the tag: %d", r.StatusCode)
	}
	if r = get(h, "GET", "/api/v1/dpgs.json", http.Header{"If-None-Match": {`"other"`}}); r.StatusCode != 200 {
		t.Errorf("with another tag: %d", r.StatusCode)
	}
	if other := get(h, "GET", "/api/v1/index.json", nil).Header.Get("ETag"); other == tag {
		t.Error("two files have one tag")
	}
	if r = get(h, "GET", "/api/v1/dpgs.json", http.Header{"Range": {"bytes=0-0"}}); r.StatusCode != 206 || body(t, r) != "{" {
		t.Errorf("a range: %d", r.StatusCode)
	}
}

func TestHandlerOnlyReads(t *testing.T) {
	h := serve(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		r := get(h, method, "/api/v1/index.json", nil)
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s = %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
		var problem struct{ Status int }
		if err := json.Unmarshal([]byte(body(t, r)), &problem); err != nil || problem.Status != 405 {
			t.Errorf("%s: the answer is no problem: %v", method, err)
		}
	}
}

// The tag of a large file is of its bytes, also where another catalog's file of the
// same size has come and its manifest has not.
func TestTagOfLargeFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "api", "v1", "full.json")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(letter byte) {
		t.Helper()
		data := bytes.Repeat([]byte{letter}, keptFile+1)
		if err := os.WriteFile(name+".new", data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	put('a')
	sum := sha256.Sum256(bytes.Repeat([]byte{'a'}, keptFile+1))
	manifest := fmt.Sprintf(`{"schema_version":"1.0","files":[{"path":"api/v1/full.json","bytes":%d,"sha256":"%x"}]}`, keptFile+1, sum)
	if err := os.WriteFile(filepath.Join(dir, "api", "v1", "manifest.json"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	h, err := Snapshot(root.FS())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, want := get(h, "GET", "/api/v1/full.json", nil).Header.Get("ETag"), fmt.Sprintf(`"%x"`, sum[:16]); got != want {
			t.Errorf("ETag = %s, want %s", got, want)
		}
	}
	put('b')
	other := sha256.Sum256(bytes.Repeat([]byte{'b'}, keptFile+1))
	if got, want := get(h, "GET", "/api/v1/full.json", nil).Header.Get("ETag"), fmt.Sprintf(`"%x"`, other[:16]); got != want {
		t.Errorf("after another file came, ETag = %s, want %s", got, want)
	}
}

// What is no manifest is an error, and what is odd in one keeps nothing.
func TestSnapshotReadsManifest(t *testing.T) {
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("x")))
	tests := []struct {
		name, manifest string
		kept           int
		wrong          bool
	}{
		{"whole", `{"schema_version":"1.0","files":[{"path":"a","bytes":1,"sha256":"` + sum + `"},{"path":"b","bytes":1,"sha256":"` + sum + `"}],"more":{"a":[1]}}`, 2, false},
		{"no files", `{}`, 0, false},
		{"a sum that is none", `{"files":[{"path":"a","sha256":"zz"},{"path":"b","sha256":"` + sum[:10] + `"},{"path":"c"}]}`, 0, false},
		{"a list", `[]`, 0, true},
		{"files that are no list", `{"files":{"a":1}}`, 0, true},
		{"a file that is none", `{"files":[7]}`, 0, true},
		{"cut off", `{"files":[{"path":"a","sha256":"` + sum + `"}`, 0, true},
		{"nothing", ``, 0, true},
	}
	for _, tt := range tests {
		s, err := Snapshot(fstest.MapFS{"api/v1/manifest.json": {Data: []byte(tt.manifest)}})
		if (err != nil) != tt.wrong {
			t.Errorf("%s: %v, want an error: %v", tt.name, err, tt.wrong)
		} else if err == nil && len(s.sums) != tt.kept {
			t.Errorf("%s: %d sums are kept, want %d", tt.name, len(s.sums), tt.kept)
		}
	}
}
