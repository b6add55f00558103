package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// ManifestName is where the manifest stands in a catalog.
const ManifestName = manifestName

// maxRead bounds a file that is read back, in bytes.
const maxRead = 512 << 20

// Read takes a catalog from the folder that it was built to, to publish it
// elsewhere: its files, which must be those that its manifest lists, and nothing
// beside them. Frameworks, Facts and Full are empty. It is an error if a file has
// changed since it was built.
func Read(files fs.FS) (*Catalog, error) {
	data, err := readWhole(files, manifestName, maxRead)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; name the folder that dpg build wrote", manifestName)
	}
	if err != nil {
		return nil, err
	}
	m, err := readManifest(data)
	if err != nil {
		return nil, err
	}
	c := newCatalog(len(m.Files))
	c.origin = m.Origin
	c.Index.Envelope = m.Envelope
	for _, f := range m.Files {
		data, err := readWhole(files, f.Path, int64(f.Bytes))
		if err != nil {
			return nil, fmt.Errorf("%q, which the manifest lists, cannot be read: %w", f.Path, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("%q is not as the manifest lists it: it has changed since; build the catalog again", f.Path)
		}
		if err := c.Add(f.Path, data); err != nil {
			return nil, err
		}
	}
	// What a newer program adds to a manifest would be lost on the way.
	if made, err := c.File(manifestName); err != nil {
		return nil, err
	} else if !sameJSON(made, data) {
		return nil, fmt.Errorf("%s is not as this version writes it; build the catalog again with this version", manifestName)
	}
	c.read = contentOf(data)
	return c, nil
}

// sameJSON compares two texts but for the white space between their tokens, which
// versions of this program put elsewhere.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func readWhole(files fs.FS, name string, most int64) ([]byte, error) {
	f, err := disk.OpenRegular(files, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, min(max(most, 0), maxRead)+1))
	if err == nil && int64(len(data)) > most {
		err = errors.New("it is longer than listed")
	}
	return data, err
}

// Succeed reads the manifest of what is published now, and says with which SHA-256
// it lists each file. The error is a *LostError if the catalog would lose an id.
func (c *Catalog) Succeed(manifest []byte) (before map[string]string, err error) {
	m, err := readManifest(manifest)
	if err != nil {
		return nil, err
	}
	before = map[string]string{}
	var gone []string
	for _, f := range m.Files {
		if before[f.Path] = f.SHA256; c.files[f.Path] == nil {
			gone = append(gone, f.Path)
		}
	}
	if lost := lost(gone); len(lost) > 0 {
		return nil, &LostError{lost}
	}
	return before, nil
}

// SourceCommit is the commit that the catalog was built of, "" where it was none.
func (c *Catalog) SourceCommit() string {
	if c.origin.SourceCommit == nil {
		return ""
	}
	return *c.origin.SourceCommit
}
