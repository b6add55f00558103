package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
)

// A Source is where something is read from: a file, a folder, a stream or an
// address.
type Source struct {
	Name   string // for people
	URL    string // of the web; "" is none
	Folder bool

	// read gives a file beside the source, or in it where it is a folder; "" is the
	// source itself. The error is fs.ErrNotExist where there is none.
	read func(ctx context.Context, name string) ([]byte, error)
}

// IsURL reports whether an argument is an address rather than a file.
func IsURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// Stream is what r gives, once.
func Stream(name string, r io.Reader) *Source {
	return &Source{Name: name, read: func(_ context.Context, file string) ([]byte, error) {
		if file != "" {
			return nil, fs.ErrNotExist
		}
		return readAtMost(r)
	}}
}

// Local is a file or a folder on this disk. No link leads out of the folder that
// is read from.
func Local(name string) (*Source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	dir, own := filepath.Dir(name), filepath.Base(name)
	if info.IsDir() {
		dir, own = name, ""
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", name)
	}
	return &Source{Name: name, Folder: info.IsDir(), read: func(_ context.Context, file string) ([]byte, error) {
		if file == "" && own != "" { // the person named it: it may be a link
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return readAtMost(f)
		}
		if file == "" {
			return nil, formatf("%s is a folder, and one file is read; name that", name)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		info, err := root.Stat(file) // first: opening a named pipe waits for ever
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%q is not a regular file", filepath.Join(dir, file))
		}
		f, err := root.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAtMost(f)
	}}, nil
}

// Web is an address. The client should be one of package fetch.
func Web(client *http.Client, address string) (*Source, error) {
	u, err := fetch.Parse(address)
	if err != nil {
		return nil, err
	}
	u.Fragment = ""
	last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	return &Source{Name: u.Redacted(), URL: u.String(), Folder: !strings.Contains(last, "."), read: func(ctx context.Context, file string) ([]byte, error) {
		at := *u
		if file != "" {
			at.RawQuery = ""
			if strings.Contains(last, ".") {
				at.Path = strings.TrimSuffix(at.Path, last)
			}
			at = *at.JoinPath(file)
		}
		return get(ctx, client, &at)
	}}, nil
}

func get(ctx context.Context, client *http.Client, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", fetch.UserAgent)
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", u.Redacted(), fetch.Explain(err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
		return nil, fmt.Errorf("%s answers with status %d: %w", u.Redacted(), res.StatusCode, fs.ErrNotExist)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers with status %d", u.Redacted(), res.StatusCode)
	}
	return readAtMost(res.Body)
}

var errLarge = fmt.Errorf("it is larger than the %d MiB that are read", MaxBytes>>20)

func readAtMost(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err == nil && len(data) > MaxBytes {
		err = errLarge
	}
	return data, err
}

// first reads the first of several files that is there.
func (s *Source) first(ctx context.Context, names ...string) (name string, data []byte, err error) {
	for _, name := range names {
		data, err := s.read(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return name, data, err
	}
	return "", nil, formatf("%s has none of %s", s.Name, strings.Join(names, ", "))
}

// mustUTF8 says where text stops being UTF-8.
func mustUTF8(name string, data []byte) error {
	if utf8.Valid(data) {
		return nil
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			line := 1 + bytes.Count(data[:i], []byte("\n"))
			return formatf("%s:%d:%d: byte 0x%02x is not UTF-8", name, line, i-bytes.LastIndexByte(data[:i], '\n'), data[i])
		}
		i += n
	}
	return nil
}
