package history

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// LastChanges is registry.Repo.LastChanges on what was kept, if any, and keeps what it
// found: only commits that came since are looked at. Where history was rewritten,
// all of it is.
func (c Cache) LastChanges(repo *registry.Repo, head *object.Commit) (map[string]registry.Stamp, error) {
	title := fmt.Sprintf("%q", repo.Folder)
	var kept stamps
	if !c.recall(stampsFile, title, kept.code) {
		kept = stamps{}
	}
	if kept.last != nil && kept.head == head.Hash.String() {
		return kept.last, nil
	}
	last, err := repo.LastChangesSince(head, kept.head, kept.last)
	if err == nil {
		kept = stamps{head.Hash.String(), last}
		_ = c.keep(stampsFile, title, kept.code) // without it the next run is slower
	}
	return last, err
}

const stampsFile = "stamps"
