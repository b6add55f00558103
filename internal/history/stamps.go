package history

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/object"

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
	title := fmt.Sprintf("%q", repo.Folder)
	var kept stamps
	if !c.recall(stampsFile, title, &kept) {
		kept = stamps{}
	}
	if kept.Last != nil && kept.Head == head.Hash.String() {
		return kept.Last, nil
	}
	last, err := repo.LastChangesSince(head, func(hash string) map[string]registry.Stamp {
		if hash != kept.Head {
			return nil
		}
		return kept.Last
	})
	if err == nil {
		_ = c.keep(stampsFile, title, stamps{head.Hash.String(), last}) // without it the next run is slower
	}
	return last, err
}

const stampsFile = "stamps"
