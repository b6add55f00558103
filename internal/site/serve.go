package site

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Handler serves a built catalog: plain files, and index.html or index.json for
// a folder. It only reads. Files whose names start with a dot, symbolic links
// and lists of folders are not there for it.
//
// Give it the FS of an os.Root, which lets no name out of its folder.
func Handler(files fs.FS) http.Handler { return &Files{files: files} }

// Files answers for the files of a catalog.
type Files struct {
	files  fs.FS
	sums   map[string][sha256.Size]byte // what may be kept, by name; nil keeps nothing
	kept   cache
	hashed digests
}

// policy lets a page style itself and do nothing else: even if an entry's text
// came through as markup, it could load, run, frame and send nothing.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Headers(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		Problem(w, r, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	if c := s.kept.get(r.URL.Path); c != nil {
		c.answer(w, r)
		return
	}
	switch name, found := s.find(r.URL.Path); found {
	case aFile:
		s.file(w, r, name)
	case aFolder:
		s.redirect(w, r, name)
	default:
		s.missing(w, r)
	}
}

// What an address means.
type found int

const (
	nothing found = iota
	aFile
	aFolder // whose page has the same address with a slash at its end
)

// find gives what an address means, and its name.
func (s *Files) find(address string) (string, found) {
	name, folder, ok := nameOf(address)
	if !ok {
		return "", nothing
	}
	info, err := s.stat(name)
	switch {
	case err != nil:
		return "", nothing
	case info.IsDir():
		switch index := s.index(name); {
		case index == "":
			return "", nothing // at once: a slash would lead nowhere either
		case !folder:
			return name, aFolder
		default:
			return index, aFile
		}
	case folder, !info.Mode().IsRegular():
		return "", nothing
	}
	return name, aFile
}

// index is the file that stands for a folder; "" is none.
func (s *Files) index(folder string) string {
	for _, name := range []string{"index.html", "index.json"} {
		name = path.Join(folder, name)
		if info, err := s.stat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// nameOf gives the file that an address means, and whether it says folder by a
// slash at its end. An address that is not in its plain form means nothing.
func nameOf(address string) (name string, folder, ok bool) {
	name, rooted := strings.CutPrefix(address, "/")
	if !rooted {
		return "", false, false
	}
	if name == "" {
		return ".", true, true
	}
	name, folder = strings.CutSuffix(name, "/")
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", false, false
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return "", false, false
		}
	}
	return name, folder, true
}

// stat looks at a file without following a link anywhere on the way to it.
func (s *Files) stat(name string) (fs.FileInfo, error) {
	for i, r := range name {
		if r != '/' {
			continue
		}
		if info, err := fs.Lstat(s.files, name[:i]); err != nil || !info.IsDir() {
			return nil, fs.ErrNotExist
		}
	}
	return fs.Lstat(s.files, name)
}

// contentType is decided here, not by the machine's own table of types.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".json":
		return "application/json"
	case ".ndjson":
		return "application/x-ndjson"
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".atom":
		return "application/atom+xml"
	case ".xml":
		return "application/xml"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	}
	return "application/octet-stream"
}

// redirect adds the slash that relative links in a folder's page need. The
// address is relative, so that the site may stand under a path of a larger one.
func (s *Files) redirect(w http.ResponseWriter, r *http.Request, name string) {
	to := "./" + url.PathEscape(path.Base(name)) + "/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusMovedPermanently)
}

func (s *Files) missing(w http.ResponseWriter, r *http.Request) {
	detail := "there is no such file in this catalog; api/v1/index.json leads to all there are"
	if name, _, ok := nameOf(r.URL.Path); ok {
		if info, err := s.stat(name + ".json"); err == nil && info.Mode().IsRegular() {
			detail = "there is no such file in this catalog; " + name + ".json is there"
		}
	}
	Problem(w, r, http.StatusNotFound, detail)
}

// Headers sets what every answer carries: a page may style itself and do nothing
// else, and programs of any origin may read.
func Headers(h http.Header) {
	// The lists are shared between answers, which only ever replace them.
	h["Content-Security-Policy"] = always.policy
	h["X-Content-Type-Options"] = always.nosniff
	h["Referrer-Policy"] = always.referrer
	h["Cross-Origin-Resource-Policy"] = always.resource
	h["Access-Control-Allow-Origin"] = always.origin
	h["Access-Control-Expose-Headers"] = always.expose
}

var always = struct{ policy, nosniff, referrer, resource, origin, expose []string }{
	[]string{policy}, []string{"nosniff"}, []string{"no-referrer"}, []string{"cross-origin"}, []string{"*"}, []string{"ETag, Link, Retry-After"},
}

// Problem answers a program in its own words (RFC 9457) and a person in plain
// text. Of the request it tells nothing but what detail says.
func Problem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	var body []byte
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Content-Type", "application/problem+json")
		body, _ = json.Marshal(struct { // strings and a number: it cannot fail
			Type   string `json:"type"`
			Title  string `json:"title"`
			Status int    `json:"status"`
			Detail string `json:"detail"`
		}{"about:blank", http.StatusText(status), status, detail})
	} else {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		body = []byte(http.StatusText(status) + ": " + detail)
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, string(body)+"\n") // the reader may be gone
	}
}
