package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// A store is an S3 server in memory.
type store struct {
	backend gofakes3.Backend
	url     string
	handler http.Handler

	mu     sync.Mutex
	before func(*http.Request) error // asked before each request that writes; an error hangs up
	after  func()                    // told after each
}

const bucketForTests = "catalogs"

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{backend: s3mem.New()}
	if err := s.backend.CreateBucket(bucketForTests); err != nil {
		t.Fatal(err)
	}
	s.handler = gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.handler.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(r); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	s.handler.ServeHTTP(w, r)
	if after != nil {
		after()
	}
}

func (s *store) hooks(before func(*http.Request) error, after func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

func (s *store) place(t *testing.T, prefix string) place {
	t.Helper()
	a, err := Parse("s3://" + bucketForTests + "/" + prefix + "?endpoint=" + s.url + "&region=eu-1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBucket(a, Secrets{Key: "someone", Secret: "hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return place{
		Target: b,
		files:  func() map[string]string { return s.files(t, prefix+"/") },
		put: func(name, data string) {
			// As somebody with another client would. This server keeps the metadata of an
			// object that is overwritten, which no real one does.
			if _, err := s.backend.DeleteObject(bucketForTests, prefix+"/"+name); err != nil {
				t.Fatal(err)
			}
			if _, err := b.client.PutObject(t.Context(), bucketForTests, prefix+"/"+name, strings.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func (s *store) files(t *testing.T, prefix string) map[string]string {
	t.Helper()
	list, err := s.backend.ListBucket(bucketForTests, &gofakes3.Prefix{HasPrefix: true, Prefix: prefix}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range list.Contents {
		o, err := s.backend.GetObject(bucketForTests, c.Key, nil)
		if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) { // gone since it was listed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(o.Contents)
		o.Contents.Close()
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(c.Key, prefix)] = string(data)
	}
	return out
}

func TestBucketHeaders(t *testing.T) {
	s := newStore(t)
	p := s.place(t, "p")
	var mu sync.Mutex
	got := map[string][2]string{}
	s.hooks(func(r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(r.URL.String()+r.Header.Get("Authorization"), "hunter2") {
			t.Error("the secret itself was sent")
		}
		got[r.URL.Path] = [2]string{r.Header.Get("Content-Type"), r.Header.Get("Cache-Control")}
		return nil
	}, nil)
	publish(t, p, first)
	for name, want := range map[string][2]string{
		"index.html":             {"text/html; charset=utf-8", "public, max-age=300"},
		"api/v1/dpgs.json":       {"application/json", "public, max-age=300"},
		"api/v1/csv/entries.csv": {"text/csv; charset=utf-8", "public, max-age=300"},
		manifestName:             {"application/json", "no-cache"},
	} {
		if got := got["/"+bucketForTests+"/p/"+name]; got != want {
			t.Errorf("%s is put with type and cache control %q, want %q", name, got, want)
		}
	}
	// Nothing is put beside the prefix.
	if got := len(s.files(t, "")); got != len(first)+1 {
		t.Errorf("there are %d objects, want %d", got, len(first)+1)
	}
}

// Whenever anybody looks, every file that the manifest lists is there, and the
// manifest is written once, after all others but what is deleted.
func TestBucketReader(t *testing.T) {
	s := newStore(t)
	p := s.place(t, "p")
	var mu sync.Mutex
	looked := 0
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		looked++
		files := p.files()
		manifest, ok := files[manifestName]
		if !ok {
			return
		}
		var m catalog.Manifest
		if err := json.Unmarshal([]byte(manifest), &m); err != nil {
			t.Error(err)
		}
		for _, f := range m.Files {
			if _, ok := files[f.Path]; !ok {
				t.Errorf("the manifest lists %s, which is not there", f.Path)
			}
		}
	}
	s.hooks(nil, look)
	publish(t, p, first)
	publish(t, p, second)
	if looked != len(first)+1+4+2 {
		t.Errorf("%d requests wrote, want one for each file: %d", looked, len(first)+1+4+2)
	}
}

// Killed at any request that writes, before or after it took effect, the next run
// ends as one that was not.
func TestBucketKilled(t *testing.T) {
	killed := errors.New("killed")
	for _, late := range []bool{false, true} {
		finished := false
		for k := 1; !finished && k < 50; k++ {
			s := newStore(t)
			p := s.place(t, "p")
			publish(t, p, first)
			ctx, kill := context.WithCancel(t.Context())
			var mu sync.Mutex
			n := 0
			s.hooks(func(r *http.Request) error {
				mu.Lock()
				defer mu.Unlock()
				if n++; n < k {
					return nil
				}
				if n == k && late {
					// It arrives, and nobody hears of it.
					s.handler.ServeHTTP(httptest.NewRecorder(), r)
				}
				kill()
				return killed
			}, nil)
			_, err := p.Publish(ctx, catalogOf(t, second))
			kill()
			s.hooks(nil, nil)
			if finished = err == nil; finished && k < 6 {
				t.Fatalf("only %d requests wrote", k-1)
			}
			// Another commit comes in between as well: what the killed one left is nobody's else.
			if k%2 == 0 {
				third := maps.Clone(first)
				third["api/v1/index.json"] = `{"n":9}`
				third["api/v1/dpgs/b.json"] = `{"id":"b"}` // the killed one may have published it
				publish(t, p, third)
				p.holds(t, third, nil)
			}
			publish(t, p, second)
			p.holds(t, second, nil)
		}
		if !finished {
			t.Error("no run was let finish")
		}
	}
}

// A store whose ETags are no sums, as where it encrypts, costs a question for each
// file, and not an upload.
func TestBucketOpaqueETags(t *testing.T) {
	s := newStore(t)
	p := s.place(t, "p")
	publish(t, p, first)
	inner := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if r.URL.Query().Has("list-type") {
			body = bytes.ReplaceAll(body, []byte("<ETag>"), []byte("<ETag>sealed"))
		}
		maps.Copy(w.Header(), rec.Header())
		if r.Method != http.MethodHead {
			w.Header().Del("Content-Length")
		}
		w.WriteHeader(rec.Code)
		w.Write(body)
	})
	if diff := cmp.Diff(Report{Unchanged: len(first) + 1}, publish(t, p, first)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

func TestBucketRefusals(t *testing.T) {
	a := Address{Kind: BucketKind, Bucket: bucketForTests}
	if _, err := OpenBucket(a, Secrets{Key: "someone"}, nil); err == nil || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("without a secret: %v", err)
	}
	s := newStore(t)
	b, err := OpenBucket(Address{Kind: BucketKind, Bucket: "nowhere", Endpoint: s.url, Region: "eu-1"}, Secrets{"someone", "hunter2", "hunter3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Publish(t.Context(), catalogOf(t, first))
	if err == nil || !strings.Contains(err.Error(), `no bucket "nowhere"`) || strings.Contains(err.Error(), "hunter") {
		t.Errorf("no bucket: %v", err)
	}
	if names := slices.Collect(maps.Keys(s.files(t, ""))); len(names) > 0 {
		t.Errorf("there is %q", names)
	}
}
