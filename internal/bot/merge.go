package bot

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A merge is what a pull request would make of its base branch: the changes of
// its head laid over the base as it is now.
type merge struct {
	folder        string            // of the registry
	changes       []registry.Change // of the registry's files since head left base; paths relative to folder
	outside       []string          // other files that changed, by path in the repository, and if they were deleted
	own           bool              // the bot made the pull request and every commit of it
	form          bool              // it was made of an issue form
	apart         bool              // head has no history in common with base: nothing of it is looked at
	clashes       map[string]bool   // changed files that base changed too, to something else; paths relative to folder
	before, after *registry.Registry
	files         registry.Files // of after
	head          registry.Files // of the head commit
	fork          registry.Files // of the commit at which head left base
	repo          *registry.Repo
	base          *object.Commit
	headCommit    *object.Commit
	engine        *assess.Offline // with the base's frameworks
}

func (b *Bot) merge(ctx context.Context, pr forge.PullRequest) (*merge, error) {
	sha, ok, err := b.Forge.Head(ctx, pr.Base)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("base branch %q is gone", pr.Base)
	}
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return nil, err
	}
	base, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return nil, fmt.Errorf("base branch %q at %.7s: %w", pr.Base, sha, err)
	}
	head, err := g.CommitObject(plumbing.NewHash(pr.HeadSHA))
	if err != nil {
		return nil, fmt.Errorf("head commit %.7s: %w", pr.HeadSHA, err)
	}
	fork, err := registry.MergeBase(base, head)
	if err != nil {
		return nil, err
	}
	m := &merge{folder: b.folder(), clashes: map[string]bool{}}
	if fork == nil { // whoever has a pull request open can push that
		m.apart, fork, head = true, base, base
	}
	if ours(pr) && !m.apart {
		theirs, err := b.personsCommit(ctx, fork, head)
		if err != nil {
			return nil, err
		}
		m.own = theirs == ""
	}
	whole, repo := &registry.Repo{Git: g}, b.repo(g)
	m.repo, m.base, m.headCommit = repo, base, head
	changes, err := whole.Changed(fork, head)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		name, in := c.Path, true
		if m.folder != "." {
			name, in = strings.CutPrefix(c.Path, m.folder+"/")
		}
		if in {
			m.changes = append(m.changes, registry.Change{Path: name, Deleted: c.Deleted})
		} else if c.Deleted {
			m.outside = append(m.outside, c.Path+" (deleted)")
		} else {
			m.outside = append(m.outside, c.Path)
		}
	}
	moved, err := repo.Changed(fork, base)
	if err != nil {
		return nil, err
	}
	apart, err := repo.Changed(base, head)
	if err != nil {
		return nil, err
	}
	m.clashes = both(paths(m.changes), both(paths(moved), paths(apart)))

	baseFiles, err := repo.Files(base)
	if err != nil {
		return nil, err
	}
	if m.head, err = repo.Files(head); err != nil {
		return nil, err
	}
	if m.fork, err = repo.Files(fork); err != nil {
		return nil, err
	}
	m.files = registry.Overlay(baseFiles, m.head, m.changes)
	if m.before, err = registry.Load(ctx, baseFiles, registry.Options{Prefix: m.folder}); err != nil {
		return nil, err
	}
	m.form = ours(pr) && strings.HasPrefix(pr.Head, m.before.Settings.Bot.Prefix()+"issue-")
	m.after, err = registry.Load(ctx, m.files, registry.Options{Prefix: m.folder, Rules: m.before})
	if err != nil {
		return nil, err
	}
	m.engine = assess.NewOffline(m.before.Frameworks)
	return m, nil
}

func paths(changes []registry.Change) map[string]bool {
	set := make(map[string]bool, len(changes))
	for _, c := range changes {
		set[c.Path] = true
	}
	return set
}

func both(a, b map[string]bool) map[string]bool {
	set := map[string]bool{}
	for name := range a {
		if b[name] {
			set[name] = true
		}
	}
	return set
}

// full is the path of a file of the registry as findings have it.
func (m *merge) full(name string) string { return path.Join(m.folder, name) }

// had returns what the base says of an entry, which may have stood in another
// folder; zero if nothing that can be read.
func (m *merge) had(now *registry.Doc) entry.Entry {
	d := m.before.At(now.Path)
	if d == nil || !d.Whole() {
		d = m.before.Entry(now.Ref)
	}
	if d == nil {
		return entry.Entry{}
	}
	return *d.Entry
}

// shown tells which lines of a changed file, by its path in findings, the pull
// request shows as added.
func (m *merge) shown(full string) map[int]bool {
	name := strings.TrimPrefix(full, m.folder+"/")
	now, err := m.head.Read(name)
	if err != nil {
		return nil
	}
	old, err := m.fork.Read(name)
	if err != nil { // it is new
		old = m.renamedFrom(now)
	}
	return shownLines(old, now)
}

// renamedFrom gives the deleted file that a new one was most likely made from, nil if
// there is none: a forge shows a renamed file by what changed in it. Where it would
// not take the two for one, it shows more, which does no harm.
func (m *merge) renamedFrom(now []byte) (old []byte) {
	const most = 50 // deleted files that are looked at
	lines := map[string]bool{}
	for _, line := range splitLines(now) {
		lines[line] = true
	}
	best, looked := len(lines)/4, 0
	for _, c := range m.changes {
		if !c.Deleted || looked == most {
			continue
		}
		looked++
		text, err := m.fork.Read(c.Path)
		if err != nil {
			continue
		}
		common := 0
		for _, line := range splitLines(text) {
			if lines[line] {
				common++
			}
		}
		if common > best {
			best, old = common, text
		}
	}
	return old
}

// assesses reports whether files that the bot writes are among the changes.
func (m *merge) assesses() bool {
	for _, c := range m.changes {
		if inFolder(c.Path, registry.AssessmentFolder) {
			return true
		}
	}
	return false
}

func inFolder(name, folder string) bool { return strings.HasPrefix(name, folder+"/") }

// derivedAgain reports whether a changed assessment is what the engine makes of
// the entry beside it, or gone because there is none to make. What the base's
// file says is kept where a person locked it. A model's answer is the base's too,
// or one that the bot proposes, which is checked again here; anybody else's is
// nothing that the bot would write.
func (m *merge) derivedAgain(c registry.Change) bool {
	doc := m.after.At(m.full(strings.TrimPrefix(c.Path, registry.AssessmentFolder+"/")))
	live := doc != nil && doc.Whole() && doc.Entry.Status.Live()
	if c.Deleted {
		return doc == nil || doc.Whole() && !live
	}
	for _, d := range m.after.Derived {
		if d.Path == m.full(c.Path) {
			if !live || m.after.Entry(d.Ref) != doc {
				return false
			}
			previous := m.previous(doc)
			if m.own {
				if proposed := assess.Of(m.after, d); proposed != nil && proposed.Model != nil {
					if previous == nil {
						previous = new(assess.Assessment)
					}
					previous.Model = proposed.Model
				}
			}
			_, want, err := m.engine.Derive(m.after, doc, previous)
			return err == nil && bytes.Equal(want, d.Source.Bytes())
		}
	}
	return false
}

// previous is what the base has of an entry's assessment, nil if nothing: a person
// may have locked it, and a model's answer stands in it.
func (m *merge) previous(doc *registry.Doc) *assess.Assessment {
	at := m.full(doc.AssessmentPath(m.folder))
	for _, d := range m.before.Derived {
		if d.Path == at {
			return assess.Of(m.before, d)
		}
	}
	return nil
}

// unsound lists the files by which a registry judges and is judged that have
// errors themselves.
func unsound(reg *registry.Registry) []string {
	var files []string
	for _, d := range reg.Findings {
		name := strings.TrimPrefix(d.Path, reg.Prefix+"/")
		if governs(name) && d.Severity == diag.Error && (len(files) == 0 || files[len(files)-1] != d.Path) {
			files = append(files, d.Path)
		}
	}
	return files
}
