package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// What is read of other pull requests at most, to look for the same subject there.
const (
	maxOthers       = 200 // pull requests, the newest
	maxOtherEntries = 100 // changed entries of each
)

// A Twin is an entry of another open pull request that may be of the same subject.
type Twin struct {
	Entry  entry.Ref // here
	Number int       // of the other pull request
	Other  entry.Ref // there
	What   string    // they share: entry, name, alias or repository
	Value  string
}

func (t Twin) markdown() string {
	if t.What == "entry" {
		return fmt.Sprintf("- #%d changes %s too.\n", t.Number, diag.Code(t.Other.String(), 100))
	}
	return fmt.Sprintf("- #%d has %s with the %s %s, which %s has too.\n",
		t.Number, diag.Code(t.Other.String(), 100), t.What, diag.Code(t.Value, 120), diag.Code(t.Entry.String(), 100))
}

// twins looks for the subjects of the changed entries in other open pull requests,
// whose heads are read as Git objects. The comment of the other pull request says
// the same of this one.
func (m *merge) twins(ctx context.Context, pr forge.PullRequest, open []forge.PullRequest) ([]Twin, error) {
	mine := map[string]Twin{}
	for _, c := range m.changes {
		d := m.after.At(m.full(c.Path))
		if d == nil || d.Derived || d.Record == nil {
			continue
		}
		mine["id "+d.Ref.String()] = Twin{Entry: d.Ref, What: "entry"}
		lint.Mentions(d, func(key, what, value string) {
			if _, there := mine[key]; !there {
				mine[key] = Twin{Entry: d.Ref, What: what, Value: value}
			}
		})
	}
	if len(mine) == 0 {
		return nil, nil
	}
	var all []Twin
	seen := 0
	for _, other := range slices.Backward(open) {
		if other.Number == pr.Number || other.State != forge.Open || other.Base != pr.Base || ours(other) {
			continue
		}
		if seen++; seen > maxOthers {
			break
		}
		docs, err := m.changedBy(ctx, other)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			found := map[entry.Ref]bool{} // one reason for each pair
			check := func(key, _, value string) {
				t, there := mine[key]
				if !there || found[t.Entry] {
					return
				}
				found[t.Entry] = true
				t.Number, t.Other = other.Number, d.Ref
				all = append(all, t)
			}
			check("id "+d.Ref.String(), "", "")
			lint.Mentions(d, check)
		}
	}
	slices.SortFunc(all, func(a, b Twin) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(a.Other.String()+" "+a.Entry.String(), b.Other.String()+" "+b.Entry.String())
	})
	return all, nil
}

// changedBy reads the entries that another pull request adds or changes, as far as
// their records. What cannot be read there is that pull request's own matter.
func (m *merge) changedBy(ctx context.Context, other forge.PullRequest) ([]*registry.Doc, error) {
	head, err := m.repo.Git.CommitObject(plumbing.NewHash(other.HeadSHA))
	if err != nil { // its branch is gone, or it was pushed to a moment ago
		return nil, ctx.Err()
	}
	fork, err := registry.MergeBase(m.base, head)
	if err != nil || fork == nil {
		return nil, err
	}
	changes, err := m.repo.Changed(fork, head)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range changes {
		if !c.Deleted && m.isEntry(c.Path) && len(names) < maxOtherEntries {
			names = append(names, c.Path)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	reg, err := m.part(ctx, head, names)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(reg.Docs, func(d *registry.Doc) bool { return d.Record == nil }), nil
}

// isEntry reports whether a file, named relative to the registry's folder, is in the
// folder of a kind that is in use.
func (m *merge) isEntry(name string) bool {
	return slices.ContainsFunc(m.before.Kinds, func(k entry.Kind) bool { return inFolder(name, k.Folder) })
}

// part loads some files of a commit, by the base's rules.
func (m *merge) part(ctx context.Context, at *object.Commit, names []string) (*registry.Registry, error) {
	files, err := m.repo.Pick(at, names)
	if err != nil {
		return nil, err
	}
	return registry.Load(ctx, files, registry.Options{Prefix: m.folder, Rules: m.before})
}
