// Package serve answers for a catalog over HTTP: its files, and searches in it. It
// holds readers to a rate and queries to a size, and takes a new catalog in without
// dropping a request. It only reads, knows no accounts and keeps no log.
package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/search"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

const (
	searchPath  = "/api/v1/search"
	openAPIPath = searchPath + "/openapi.json"

	// maxAddress bounds a request's path and query, in bytes.
	maxAddress = 8 << 10
)

// A Catalog is one state of a catalog, ready to answer.
type Catalog struct {
	files   http.Handler
	held    holder        // nil where nothing is held
	index   *search.Index // nil where the catalog has no files for it
	openAPI []byte
}

// A holder answers from memory what asks for no more than a file.
type holder interface {
	Held(address, accepted string) (head, body []byte)
}

// Load makes ready the catalog whose root is files. One without the files that a
// search needs can be served all the same; Searchable tells.
func Load(ctx context.Context, files fs.FS, jobs int) (*Catalog, error) {
	var c Catalog
	snapshot, err := site.Snapshot(files)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.files = site.Handler(files)
	case err != nil:
		return nil, err
	default:
		c.files, c.held = snapshot, snapshot
	}
	if c.index, err = search.Read(ctx, files, jobs); search.Missing(err) {
		c.index = nil
		return &c, nil
	} else if err != nil {
		return nil, err
	}
	c.openAPI, err = OpenAPI(c.index)
	return &c, err
}

// Searchable reports whether the catalog has the files that a search needs.
func (c *Catalog) Searchable() bool { return c.index != nil }

// Entries is how many entries a search may find.
func (c *Catalog) Entries() int {
	if c.index == nil {
		return 0
	}
	return c.index.Len()
}

// Options are the limits of a Server.
type Options struct {
	// Rate is how many requests a second one address may make, over ten seconds; 0
	// is any number.
	Rate int
	// TrustedProxies may say in X-Forwarded-For for whom they ask. From anybody
	// else that is hearsay.
	TrustedProxies []netip.Prefix
	// Now is the time; nil only where Rate is 0 and there is no Front.
	Now func() time.Time
}

// A Server answers with the catalog that it was last given.
type Server struct {
	options Options
	limiter *limiter // nil where there is no limit
	current atomic.Pointer[Catalog]
}

// New makes a server that answers with a catalog.
func New(c *Catalog, options Options) *Server {
	s := &Server{options: options}
	if options.Rate > 0 {
		s.limiter = newLimiter(options.Rate)
	}
	s.current.Store(c)
	return s
}

// Swap answers requests from now on with another catalog. Those that have begun
// end with the one they began with.
func (s *Server) Swap(c *Catalog) { s.current.Store(c) }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site.Headers(w.Header())
	if s.limiter != nil {
		if wait := s.limiter.take(s.client(r), s.options.Now()); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
			site.Problem(w, r, http.StatusTooManyRequests, fmt.Sprintf("one address may ask %d times a second here; try again in %d seconds", s.options.Rate, wait))
			return
		}
	}
	if n := len(r.URL.RawQuery) + len(r.URL.Path); n > maxAddress {
		site.Problem(w, r, http.StatusRequestURITooLong, fmt.Sprintf("the address has %d bytes; it may have %d", n, maxAddress))
		return
	}
	if r.Method == http.MethodOptions {
		// A browser asks before a conditional request from another origin.
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "If-None-Match, Range")
		h.Set("Access-Control-Max-Age", "86400")
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	c := s.current.Load()
	switch r.URL.Path {
	case searchPath, openAPIPath:
		c.query(w, r)
	default:
		c.files.ServeHTTP(w, r)
	}
}

// query answers a search and its description.
func (c *Catalog) query(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		site.Problem(w, r, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	if c.index == nil {
		site.Problem(w, r, http.StatusNotFound, "this catalog was built without full.ndjson, so there is nothing to search in; dpg build writes it")
		return
	}
	if r.URL.Path == openAPIPath {
		answer(w, r, c.openAPI)
		return
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		site.Problem(w, r, http.StatusBadRequest, "the query cannot be read: parameters are parted by & and what is not a letter is written as %XX")
		return
	}
	q, err := c.index.Parse(params)
	if err != nil {
		var bad *search.BadQuery
		if !errors.As(err, &bad) {
			site.Problem(w, r, http.StatusInternalServerError, "the query could not be answered")
			return
		}
		site.Problem(w, r, http.StatusBadRequest, bad.Detail)
		return
	}
	data, err := json.Marshal(c.index.Search(q)) // "<" is written as \u003c
	if err != nil {
		site.Problem(w, r, http.StatusInternalServerError, "the answer could not be written")
		return
	}
	w.Header().Set("Link", `<`+strings.TrimPrefix(openAPIPath, "/api/v1/")+`>; rel="service-desc"`)
	answer(w, r, append(data, '\n'))
}

// answer sends JSON that was made for this request.
func answer(w http.ResponseWriter, r *http.Request, data []byte) {
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:16])
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	compressed := len(data) >= 1<<10 && site.TakesGzip(r)
	if compressed {
		tag += "-gz"
	}
	tag += `"`
	h.Set("ETag", tag)
	if site.Holds(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if compressed {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err == nil {
			if _, err = z.Write(data); err == nil {
				err = z.Close()
			}
		}
		if err != nil {
			site.Problem(w, r, http.StatusInternalServerError, "the answer could not be compressed")
			return
		}
		data = b.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // the reader may be gone
	}
}
