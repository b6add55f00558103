package history

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// format is raised with every change to what Read finds, or to how it is kept.
const format = 3

// maxCache bounds what is read of a kept log, in bytes: some million changes.
const maxCache = 1 << 30

// A Cache keeps a log from run to run, in a folder outside the repository. All of
// it may be deleted. The zero value keeps nothing.
type Cache struct {
	Dir string
}

// recall reads what is kept in a file with code, and reports whether that is whole
// and was made for what the title says.
func (c Cache) recall(file, title string, code func(*codec)) bool {
	if c.Dir == "" {
		return false
	}
	data, whole := disk.ReadSealed(filepath.Join(c.Dir, file), mark(file, title), maxCache)
	if !whole {
		return false
	}
	r := &codec{text: string(data)}
	code(r)
	return !r.bad && r.text == ""
}

// keep writes what code gives for recall. It is an error if it cannot; nothing is
// lost by that but time.
func (c Cache) keep(file, title string, code func(*codec)) error {
	if c.Dir == "" {
		return nil
	}
	w := &codec{writing: true, data: []byte(mark(file, title))}
	code(w)
	_, err := disk.WriteFile(filepath.Join(c.Dir, file), disk.Seal(w.data))
	return err
}

// mark is the first line of a file: what it was made for.
func mark(file, title string) string { return fmt.Sprintf("%s %d of %s\n", file, format, title) }

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
	if kept != nil && kept.Head == head.Hash.String() {
		return kept, nil
	}
	log, err := Read(ctx, repo, head, reg, kept)
	if err == nil {
		_ = c.Save(repo, reg, log)
	}
	return log, err
}

// Load gives the log that was kept for a registry, or nil where there is none that
// is whole.
func (c Cache) Load(repo *registry.Repo, reg *registry.Registry) *Log {
	log := new(Log)
	if !c.recall(logFile, logTitle(repo, reg), log.code) {
		return nil
	}
	return log
}

// Save keeps a log. It is an error if it cannot; nothing is lost by that but time.
func (c Cache) Save(repo *registry.Repo, reg *registry.Registry, log *Log) error {
	return c.keep(logFile, logTitle(repo, reg), log.code)
}
