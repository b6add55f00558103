package observe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A cache is a folder of what was fetched, so that what did not change is not
// fetched again. It holds nothing secret, and all of it may be deleted. The
// empty one keeps nothing.
type cache string

// maxCached bounds a file of the cache, in bytes.
const maxCached = 64 << 20

func (c cache) name(kind string, key ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(key, "\n")))
	return filepath.Join(string(c), kind+"-"+hex.EncodeToString(sum[:16])+".json")
}

// load reads into v; one that is damaged is as good as none.
func (c cache) load(name string, v any) bool {
	if c == "" {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCached))
	return err == nil && json.Unmarshal(data, v) == nil
}

// keep writes v. Where that fails, the next run is slower and nothing else.
func (c cache) keep(name string, v any) {
	if c == "" {
		return
	}
	if data, err := json.Marshal(v); err == nil && len(data) <= maxCached && os.MkdirAll(string(c), 0o700) == nil {
		_, _ = disk.WriteFile(name, data)
	}
}

// snapshot returns what was seen of an address, if it was at that commit.
func (c cache) snapshot(address, commit string) (snapshot, bool) {
	var s snapshot
	ok := c.load(c.name("repository", address), &s) && s.Commit == commit && s.State == registry.StatePresent
	return s, ok
}

func (c cache) keepSnapshot(address string, s snapshot) {
	s.State = registry.StatePresent // where it is now is asked every time
	c.keep(c.name("repository", address), s)
}

// conditional asks a server only for what changed since it was last asked, by the
// entity tags of its answers.
type conditional struct {
	cache cache
	who   string // tells answers to different askers apart; no secret
	next  http.RoundTripper
}

// An answer is a stored one.
type answer struct {
	ETag        string `json:"etag"`
	ContentType string `json:"content_type"`
	Body        []byte `json:"body"`
}

// maxAnswer bounds what is stored of one answer, in bytes.
const maxAnswer = 4 << 20

func (c *conditional) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.cache == "" || req.Method != http.MethodGet {
		return c.next.RoundTrip(req)
	}
	name := c.cache.name("answer", c.who, req.Header.Get("Accept"), req.URL.String())
	var had answer
	if c.cache.load(name, &had) && had.ETag != "" {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", had.ETag)
	}
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusNotModified && had.ETag != "":
		res.Body.Close()
		res.StatusCode, res.Status = http.StatusOK, "200 OK"
		res.Header.Set("Content-Type", had.ContentType)
		res.Header.Del("Content-Encoding")
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(had.Body)), int64(len(had.Body))
	case res.StatusCode == http.StatusOK && res.Header.Get("ETag") != "":
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
		if err != nil {
			res.Body.Close()
			return nil, err
		}
		if len(body) <= maxAnswer {
			c.cache.keep(name, answer{res.Header.Get("ETag"), res.Header.Get("Content-Type"), body})
		}
		res.Body = both{io.MultiReader(bytes.NewReader(body), res.Body), res.Body}
	}
	return res, nil
}

// both reads from one and closes the other.
type both struct {
	io.Reader
	io.Closer
}
