package history

import (
	"bytes"
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

// stamps is what LastChanges keeps.
type stamps struct {
	Head string                    `json:"head"`
	Last map[string]registry.Stamp `json:"last"`
}

// LastChanges is registry.Repo.LastChanges on what was kept, if any, and keeps what it
// found: only commits that came since are looked at. Where history was rewritten,
// all of it is.
func (c Cache) LastChanges(repo *registry.Repo, head *object.Commit) (map[string]registry.Stamp, error) {
	kept := c.loadStamps(repo)
	if kept != nil && kept.Head == head.Hash.String() {
		return kept.Last, nil
	}
	last, err := repo.LastChangesSince(head, func(hash string) map[string]registry.Stamp {
		if kept == nil || hash != kept.Head {
			return nil
		}
		return kept.Last
	})
	if err == nil {
		c.saveStamps(repo, &stamps{head.Hash.String(), last})
	}
	return last, err
}

func (c Cache) stampsFile() string { return filepath.Join(c.Dir, "stamps") }

func markStamps(repo *registry.Repo, text []byte) []byte {
	sum := sha256.Sum256(text)
	return fmt.Appendf(nil, "stamps %d of %q; %s\n", format, repo.Folder, hex.EncodeToString(sum[:]))
}

func (c Cache) loadStamps(repo *registry.Repo) *stamps {
	if c.Dir == "" {
		return nil
	}
	f, err := os.Open(c.stampsFile())
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCache))
	if err != nil {
		return nil
	}
	_, text, _ := bytes.Cut(data, []byte("\n"))
	kept := new(stamps)
	if !bytes.HasPrefix(data, markStamps(repo, text)) || json.Unmarshal(text, kept) != nil || kept.Last == nil {
		return nil
	}
	return kept
}

// saveStamps keeps what was found; where it cannot, the next run is slower.
func (c Cache) saveStamps(repo *registry.Repo, s *stamps) {
	if c.Dir == "" {
		return
	}
	if text, err := json.Marshal(s); err == nil {
		_, _ = disk.WriteFile(c.stampsFile(), append(markStamps(repo, text), text...))
	}
}
