// Package published reads a catalog as those who rely on it do: from its files,
// wherever they are. It checks that they are whole and agree with each other, and
// says what a reader would notice between two of them.
package published

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// A Site is where a catalog was published.
type Site struct {
	name string
	read func(ctx context.Context, name string, most int64) ([]byte, error)
	// list names every file below api/; nil where that cannot be asked.
	list func() ([]string, error)
}

// String is where it is, for people.
func (s *Site) String() string { return s.name }

const (
	apiFolder    = "api/v1/"
	manifestName = apiFolder + "manifest.json"
	openAPIName  = "openapi.json"

	// maxFile bounds one file, in bytes.
	maxFile = 512 << 20
)

// Folder is a catalog in a folder; name is how to speak of it.
func Folder(name string, files fs.FS) *Site {
	read := func(_ context.Context, file string, most int64) ([]byte, error) {
		f, err := disk.OpenRegular(files, file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAtMost(f, most)
	}
	list := func() (names []string, err error) {
		err = fs.WalkDir(files, "api", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names = append(names, name)
			}
			return err
		})
		return names, err
	}
	return &Site{name, read, list}
}

// Built is a catalog that is not published yet.
func Built(name string, c *catalog.Catalog) *Site {
	read := func(_ context.Context, file string, _ int64) ([]byte, error) { return c.File(file) }
	return &Site{name, read, nil}
}

// Web is a catalog at an address: that of the folder that holds api/.
func Web(client *http.Client, at *url.URL) *Site {
	base := *at
	base.RawQuery, base.Fragment = "", ""
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	read := func(ctx context.Context, file string, most int64) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(file).String(), nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
			return nil, fs.ErrNotExist
		case resp.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("the server answered %s", resp.Status)
		}
		return readAtMost(resp.Body, most)
	}
	return &Site{base.Redacted(), read, nil}
}

var errLong = errors.New("it is longer than said")

func readAtMost(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = errLong
	}
	return data, err
}

// manifest reads the list of files.
func (s *Site) manifest(ctx context.Context) (*catalog.Manifest, error) {
	m, _, err := s.manifestText(ctx)
	return m, err
}

// manifestText is manifest with the bytes it was read from.
func (s *Site) manifestText(ctx context.Context) (*catalog.Manifest, []byte, error) {
	data, err := s.read(ctx, manifestName, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s has no %s, so it is no published catalog; name the folder or address that holds api/", s, manifestName)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s of %s: %w", manifestName, s, err)
	}
	var m catalog.Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.SchemaVersion == "" {
		return nil, nil, fmt.Errorf("%s of %s is not a manifest of a catalog", manifestName, s)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !fs.ValidPath(f.Path) || f.Path == "." {
			return nil, nil, fmt.Errorf("%s of %s lists a file at %.200q, which is no path below the catalog's folder", manifestName, s, f.Path)
		}
		if f.Bytes < 0 || f.Bytes > maxFile {
			return nil, nil, fmt.Errorf("%s of %s lists %.200q with %d bytes; no catalog has a file of more than %d", manifestName, s, f.Path, f.Bytes, maxFile)
		}
		if seen[f.Path] {
			return nil, nil, fmt.Errorf("%s of %s lists %.200q twice", manifestName, s, f.Path)
		}
		seen[f.Path] = true
	}
	return &m, data, nil
}

// response is the sort of a file of the API, by the name of its schema without
// "catalog-"; "" is one that is no JSON response.
func response(name string) string {
	rest, api := strings.CutPrefix(name, apiFolder)
	dir, base := path.Split(rest)
	if !api || !strings.HasSuffix(base, ".json") || dir == "schemas/" || rest == openAPIName {
		return ""
	}
	switch {
	case strings.HasSuffix(dir, "/pages/") && !strings.HasPrefix(dir, "frameworks/pages/"):
		return page(dir, base == "index.json")
	case dir == "":
		return strings.TrimSuffix(base, ".json")
	case dir == "frameworks/":
		return "framework"
	case strings.HasPrefix(dir, "frameworks/"):
		return "view"
	case dir == "views/":
		return "facet"
	case strings.HasPrefix(dir, "views/"):
		return "facet-view"
	case dir == "csv/":
		return ""
	case dir == "changes/":
		return "changes-shard"
	case dir == "full/" && base == "index.json":
		return "full-shards"
	case dir == "full/":
		return "full-shard"
	}
	return "entry"
}

// page is the sort of what stands in a folder of pages: the index or a page.
func page(dir string, index bool) string {
	of, depth := "list", strings.Count(dir, "/")
	switch top, _, _ := strings.Cut(dir, "/"); top {
	case "frameworks":
		of = "view"
	case "views":
		of = map[bool]string{true: "facet", false: "facet-view"}[depth == 3]
	case "identifiers", "search", "manifest":
		of = top
	}
	switch {
	case !index:
		return of + "-page"
	case of == "list":
		return "list-pages"
	}
	return "pages"
}

// isPage tells the sorts of pages: how many there are goes with how many entries
// there are, and of most lists there are none while they are short.
func isPage(sort string) bool { return sort == "pages" || strings.HasSuffix(sort, "-page") }

// decode reads JSON, numbers as they are written.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows after the JSON")
	}
	return v, nil
}
