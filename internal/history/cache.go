package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// format is raised with every change to what Read finds, or to how it is kept.
const format = 2

// maxCache bounds what is read of a kept log, in bytes: some million changes.
const maxCache = 1 << 30

// A Cache keeps a log from run to run, in a folder outside the repository. All of
// it may be deleted. The zero value keeps nothing.
type Cache struct {
	Dir string
}

func (c Cache) file() string { return filepath.Join(c.Dir, "history") }

// mark opens a kept log: what it was made for, and a check of what follows.
func mark(repo *registry.Repo, reg *registry.Registry, log []byte) []byte {
	sum := sha256.Sum256(log)
	var kinds string
	for _, k := range reg.Kinds {
		kinds += fmt.Sprintf(" %q in %q", k.Name, k.Folder)
	}
	return fmt.Appendf(nil, "history %d of %q:%s; %s\n", format, repo.Folder, kinds, hex.EncodeToString(sum[:]))
}

// Read is Read on the log that was kept, if any, and keeps what it found. Where
// that cannot be kept, the next run is slower and nothing else.
func (c Cache) Read(ctx context.Context, repo *registry.Repo, head *object.Commit, reg *registry.Registry) (*Log, error) {
	kept := c.Load(repo, reg)
	log, err := Read(ctx, repo, head, reg, kept)
	if err == nil && (kept == nil || kept.Head != log.Head) {
		_ = c.Save(repo, reg, log)
	}
	return log, err
}

// Load gives the log that was kept for a registry, or nil where there is none that
// is whole.
func (c Cache) Load(repo *registry.Repo, reg *registry.Registry) *Log {
	if c.Dir == "" {
		return nil
	}
	f, err := os.Open(c.file())
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCache))
	if err != nil {
		return nil
	}
	_, text, _ := bytes.Cut(data, []byte("\n"))
	if !bytes.HasPrefix(data, mark(repo, reg, text)) {
		return nil
	}
	log := new(Log)
	if json.Unmarshal(text, log) != nil {
		return nil
	}
	return log
}

// Save keeps a log. It is an error if it cannot; nothing is lost by that but time.
func (c Cache) Save(repo *registry.Repo, reg *registry.Registry, log *Log) error {
	if c.Dir == "" {
		return nil
	}
	text, err := json.Marshal(log)
	if err != nil {
		return err
	}
	_, err = disk.WriteFile(c.file(), append(mark(repo, reg, text), text...))
	return err
}
