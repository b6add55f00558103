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

// recall reads into a value what is kept in a file, and reports whether that is whole
// and was made for what the title says.
func (c Cache) recall(file, title string, into any) bool {
	if c.Dir == "" {
		return false
	}
	f, err := os.Open(filepath.Join(c.Dir, file))
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCache))
	if err != nil {
		return false
	}
	_, text, _ := bytes.Cut(data, []byte("\n"))
	return bytes.HasPrefix(data, mark(file, title, text)) && json.Unmarshal(text, into) == nil
}

// keep writes a value for recall. It is an error if it cannot; nothing is lost by
// that but time.
func (c Cache) keep(file, title string, value any) error {
	if c.Dir == "" {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = disk.WriteFile(filepath.Join(c.Dir, file), append(mark(file, title, text), text...))
	return err
}

// mark is the first line of a file: what it was made for, and a check of what follows.
func mark(file, title string, text []byte) []byte {
	sum := sha256.Sum256(text)
	return fmt.Appendf(nil, "%s %d of %s; %s\n", file, format, title, hex.EncodeToString(sum[:]))
}

const logFile = "history"

// logTitle is what a log is of.
func logTitle(repo *registry.Repo, reg *registry.Registry) string {
	title := fmt.Sprintf("%q:", repo.Folder)
	for _, k := range reg.Kinds {
		title += fmt.Sprintf(" %q in %q", k.Name, k.Folder)
	}
	return title
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
	log := new(Log)
	if !c.recall(logFile, logTitle(repo, reg), log) {
		return nil
	}
	return log
}

// Save keeps a log. It is an error if it cannot; nothing is lost by that but time.
func (c Cache) Save(repo *registry.Repo, reg *registry.Registry, log *Log) error {
	return c.keep(logFile, logTitle(repo, reg), log)
}
