package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

const (
	// keptFile is how large a file may be to be held in memory, in bytes. Larger
	// ones go from the disk to the reader.
	keptFile = 4 << 20
	// keptFiles bounds what is held in all.
	keptFiles = 64 << 20
	// smallFile is below what compression gains, in bytes.
	smallFile = 1 << 10
	// maxManifest bounds the manifest, in bytes: some hundred for each file.
	maxManifest = 256 << 20
)

// Snapshot serves a catalog like Handler, and holds files that the manifest names
// in memory once they are asked for, compressed too. Make another one when the
// manifest changes. It is an error if there is no manifest that can be read.
func Snapshot(files fs.FS) (http.Handler, error) {
	f, err := files.Open("api/v1/manifest.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m catalog.Manifest
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&m); err != nil {
		return nil, fmt.Errorf("api/v1/manifest.json: %w", err)
	}
	s := &server{files: files, sums: make(map[string]catalog.ManifestFile, len(m.Files))}
	for _, it := range m.Files {
		s.sums[it.Path] = it
	}
	return s, nil
}

// A cache holds answers by the path of their address. When it is full it starts
// anew: what is asked for often is soon back.
type cache struct {
	mu    sync.RWMutex
	size  int
	files map[string]*content
}

func (c *cache) get(address string) *content {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.files[address]
}

func (c *cache) put(address string, f *content) {
	size := len(address) + len(f.plain.data) + len(f.gzip.data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil || c.size+size > keptFiles {
		c.files, c.size = map[string]*content{}, 0
	}
	if c.files[address] == nil {
		c.files[address] = f
		c.size += size
	}
}

// content is a file as it is answered. The lists are headers, shared by answers.
type content struct {
	kind        []string
	plain, gzip form
}

type form struct {
	data        []byte // nil where there is no such form
	tag, length []string
}

func formOf(data []byte, tag string) form {
	return form{data, []string{tag}, []string{strconv.Itoa(len(data))}}
}

var (
	noCache        = []string{"no-cache"} // keep it, and ask whether it still holds
	acceptEncoding = []string{"Accept-Encoding"}
	gzipped        = []string{"gzip"}
)

func newContent(name string, data []byte, sum string) *content {
	c := &content{kind: []string{contentType(name)}, plain: formOf(data, tagOf(sum, false))}
	if len(data) < smallFile || !compressible(name) {
		return c
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil || z.Close() != nil || b.Len() >= len(data) {
		return c
	}
	c.gzip = formOf(bytes.Clone(b.Bytes()), tagOf(sum, true))
	return c
}

// tagOf names a file's bytes as they are sent: the two forms have two names.
func tagOf(sum string, compressed bool) string {
	if compressed {
		return `"` + sum[:32] + `-gz"`
	}
	return `"` + sum[:32] + `"`
}

func compressible(name string) bool { return path.Ext(name) != ".png" }

func (c *content) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = c.kind, noCache
	f := &c.plain
	if c.gzip.data != nil {
		h["Vary"] = acceptEncoding
		if TakesGzip(r) && r.Header["Range"] == nil && r.Header["If-Match"] == nil {
			f = &c.gzip
			h["Content-Encoding"] = gzipped
		}
	}
	h["Etag"] = f.tag
	if r.Header["If-None-Match"] != nil || r.Header["If-Match"] != nil || r.Header["Range"] != nil {
		if f == &c.gzip {
			h["Content-Length"] = f.length // taken away again where nothing is sent
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
		return
	}
	h["Content-Length"] = f.length
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.data) // the reader may be gone
	}
}

// TakesGzip reports whether a reader asked for gzip.
func TakesGzip(r *http.Request) bool {
	for _, list := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(list, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.TrimSpace(name) != "gzip" {
				continue
			}
			q = strings.TrimPrefix(strings.TrimSpace(q), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			return q == "" || err == nil && weight > 0
		}
	}
	return false
}

func (s *server) file(w http.ResponseWriter, r *http.Request, name string) {
	f, err := s.files.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			s.missing(w, r)
			return
		}
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > keptFile {
		s.large(w, r, name, f, info.Size())
		return
	}
	data, err := io.ReadAll(io.LimitReader(f, keptFile+1))
	if err != nil || len(data) > keptFile {
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	c := newContent(name, data, digest)
	// Bytes that differ from the manifest's are those of a catalog that is being
	// written; its manifest comes last.
	if s.sums[name].SHA256 == digest {
		s.kept.put(r.URL.Path, c)
	}
	c.answer(w, r)
}

// large sends a file without holding it.
func (s *server) large(w http.ResponseWriter, r *http.Request, name string, f fs.File, size int64) {
	data, seekable := f.(io.ReadSeeker)
	if !seekable {
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
	}
	known := s.sums[name]
	digest := known.SHA256
	if len(digest) != 2*sha256.Size || int64(known.Bytes) != size {
		sum := sha256.New()
		if _, err := io.Copy(sum, data); err != nil {
			Problem(w, r, http.StatusInternalServerError, "the file could not be read")
			return
		}
		digest = hex.EncodeToString(sum.Sum(nil))
		if _, err := data.Seek(0, io.SeekStart); err != nil {
			Problem(w, r, http.StatusInternalServerError, "the file could not be read")
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h["Cache-Control"] = noCache
	if !compressible(name) || !TakesGzip(r) || r.Header["Range"] != nil {
		if compressible(name) {
			h["Vary"] = acceptEncoding
		}
		h.Set("ETag", tagOf(digest, false))
		http.ServeContent(w, r, "", time.Time{}, data)
		return
	}
	h["Vary"] = acceptEncoding
	h.Set("ETag", tagOf(digest, true))
	if Holds(r, tagOf(digest, true)) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Encoding"] = gzipped
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return
	}
	if _, err := io.Copy(z, data); err == nil { // otherwise the missing end tells the reader
		_ = z.Close()
	}
}

// Holds reports whether a reader has what a tag names already.
func Holds(r *http.Request, tag string) bool {
	for _, list := range r.Header["If-None-Match"] {
		for part := range strings.SplitSeq(list, ",") {
			if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == tag {
				return true
			}
		}
	}
	return false
}
