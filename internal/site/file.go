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
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/disk"
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
func Snapshot(files fs.FS) (*Files, error) {
	f, err := disk.OpenRegular(files, "api/v1/manifest.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &Files{files: files, sums: map[string][sha256.Size]byte{}}
	if err := s.read(json.NewDecoder(io.LimitReader(f, maxManifest))); err != nil {
		return nil, fmt.Errorf("api/v1/manifest.json: %w", err)
	}
	return s, nil
}

// read takes the sums out of a manifest, a file at a time: whole it would be several
// times as large in memory as what is kept of it.
func (s *Files) read(in *json.Decoder) error {
	open := func(want json.Delim) error {
		if t, err := in.Token(); err != nil {
			return err
		} else if t != want {
			return fmt.Errorf("%v stands where %q should", t, want.String())
		}
		return nil
	}
	if err := open('{'); err != nil {
		return err
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return err
		}
		if key != "files" {
			var other json.RawMessage
			if err := in.Decode(&other); err != nil {
				return err
			}
			continue
		}
		if err := open('['); err != nil {
			return err
		}
		for in.More() {
			var it catalog.ManifestFile
			if err := in.Decode(&it); err != nil {
				return err
			}
			var sum [sha256.Size]byte
			if n, err := hex.Decode(sum[:], []byte(it.SHA256[:min(len(it.SHA256), 2*len(sum))])); err == nil && n == len(sum) {
				s.sums[it.Path] = sum
			}
		}
		if _, err := in.Token(); err != nil {
			return err
		}
	}
	_, err := in.Token()
	return err
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
	size := len(address) + len(f.plain.head) + len(f.plain.data) + len(f.gzip.head) + len(f.gzip.data)
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

// digests remembers the sums of large files. A file is known by its size and times
// and by which file it is, not by what a manifest says of its name: while a catalog
// is written its files come before its manifest, often of the same size.
type digests struct {
	mu    sync.Mutex
	known map[string]digested
}

type digested struct {
	info fs.FileInfo
	sum  string
}

// digest gives the SHA-256 of an open file, read once for as long as it stays the
// same file.
func (d *digests) digest(name string, f fs.File, data io.ReadSeeker) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	was, ok := d.known[name]
	d.mu.Unlock()
	if ok && os.SameFile(was.info, info) && was.info.ModTime().Equal(info.ModTime()) && was.info.Size() == info.Size() {
		return was.sum, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, data); err != nil {
		return "", err
	}
	if _, err := data.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	now := digested{info, hex.EncodeToString(sum.Sum(nil))}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[string]digested{}
	}
	d.known[name] = now
	return now.sum, nil
}

// content is a file as it is answered. The lists are headers, shared by answers.
type content struct {
	kind        []string
	plain, gzip form
}

type form struct {
	data        []byte // nil where there is no such form
	head        []byte // what goes before it to one who asks for no more than the file
	tag, length []string
}

func formOf(data []byte, tag string) form {
	return form{data: data, tag: []string{tag}, length: []string{strconv.Itoa(len(data))}}
}

// headOf writes the head of an answer, all but its date and the empty line.
func (c *content) headOf(f *form) []byte {
	h := make(http.Header, 12)
	Headers(h)
	c.headers(h, f)
	h["Content-Length"] = f.length
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // memory refuses nothing
	return b.Bytes()
}

// headers sets what a form of a file is sent with.
func (c *content) headers(h http.Header, f *form) {
	h["Content-Type"], h["Cache-Control"], h["Etag"] = c.kind, noCache, f.tag
	if c.gzip.data != nil {
		h["Vary"] = acceptEncoding
	}
	if f == &c.gzip {
		h["Content-Encoding"] = gzipped
	}
}

var (
	noCache        = []string{"no-cache"} // keep it, and ask whether it still holds
	acceptEncoding = []string{"Accept-Encoding"}
	gzipped        = []string{"gzip"}
)

func newContent(name string, data []byte, sum string) *content {
	c := &content{kind: []string{contentType(name)}, plain: formOf(data, tagOf(sum, false))}
	if len(data) >= smallFile && compressible(name) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(data); err == nil && z.Close() == nil && b.Len() < len(data) {
			c.gzip = formOf(bytes.Clone(b.Bytes()), tagOf(sum, true))
			c.gzip.head = c.headOf(&c.gzip)
		}
	}
	c.plain.head = c.headOf(&c.plain)
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
	f := &c.plain
	if c.gzip.data != nil && TakesGzip(r) && r.Header["Range"] == nil && r.Header["If-Match"] == nil {
		f = &c.gzip
	}
	c.headers(h, f)
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
		if takes, named := gzipIn(list); named {
			return takes
		}
	}
	return false
}

// gzipIn reports whether an Accept-Encoding takes gzip, and whether it names it.
func gzipIn(list string) (takes, named bool) {
	for part := range strings.SplitSeq(list, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q = strings.TrimPrefix(strings.TrimSpace(q), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return q == "" || err == nil && weight > 0, true
	}
	return false, false
}

// Held gives the answer to a GET of a path that asks for no more than a file: its
// head without the date and the empty line, and its body, which nobody may change.
// Accepted is the one Accept-Encoding of the request, "" for none. Both are nil
// where ServeHTTP has to answer.
func (s *Files) Held(address, accepted string) (head, body []byte) {
	c := s.kept.get(address)
	if c == nil {
		name, found := s.find(address)
		if found != aFile {
			return nil, nil
		}
		f, err := s.files.Open(name)
		if err != nil {
			return nil, nil
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() > keptFile {
			return nil, nil
		}
		if c, err = s.take(address, name, f); err != nil {
			return nil, nil
		}
	}
	if c.gzip.data != nil && accepted != "" {
		if takes, _ := gzipIn(accepted); takes {
			return c.gzip.head, c.gzip.data
		}
	}
	return c.plain.head, c.plain.data
}

// take reads a file that is small enough to be held, and holds it if the manifest
// names its bytes.
func (s *Files) take(address, name string, f io.Reader) (*content, error) {
	data, err := io.ReadAll(io.LimitReader(f, keptFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > keptFile {
		return nil, fmt.Errorf("%s grew while it was read", name)
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	c := newContent(name, data, digest)
	// Bytes that differ from the manifest's are those of a catalog that is being
	// written; its manifest comes last.
	if known, ok := s.sums[name]; ok && known == sum {
		s.kept.put(address, c)
	}
	return c, nil
}

func (s *Files) file(w http.ResponseWriter, r *http.Request, name string) {
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
		s.large(w, r, name, f)
		return
	}
	c, err := s.take(r.URL.Path, name, f)
	if err != nil {
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
	}
	c.answer(w, r)
}

// large sends a file without holding it.
func (s *Files) large(w http.ResponseWriter, r *http.Request, name string, f fs.File) {
	data, seekable := f.(io.ReadSeeker)
	if !seekable {
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
	}
	digest, err := s.hashed.digest(name, f, data)
	if err != nil {
		Problem(w, r, http.StatusInternalServerError, "the file could not be read")
		return
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
