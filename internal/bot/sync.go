package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

// A Synced says what a sync found on the default branch.
type Synced struct {
	Head     registry.Stamp
	Entries  int
	Findings diag.Count
	Proposed int // entries with a new assessment to propose
	Waiting  int // of those, how many wait for a pull request to merge
	Catalog  *catalog.Catalog
}

// Sync brings the bot's pull requests in line with the default branch, and makes
// the catalog of it. Nothing is written to the default branch.
func (b *Bot) Sync(ctx context.Context) (*Synced, error) {
	m, err := b.main(ctx)
	if err != nil {
		return nil, err
	}
	found, err := lint.Run(ctx, m.reg, lint.Options{AsOf: b.AsOf})
	if err != nil {
		return nil, err
	}
	out := &Synced{Head: registry.StampOf(m.head), Entries: len(m.reg.Docs), Findings: diag.Tally(found)}
	if m.reg.Settings.Bot.Does("assess") {
		if err := b.syncAssessments(ctx, m, out); err != nil {
			return nil, err
		}
	}
	out.Catalog, err = m.catalog(ctx)
	return out, err
}

// main is the default branch as it stands.
type mainBranch struct {
	name string
	head *object.Commit
	repo *registry.Repo
	reg  *registry.Registry
}

func (b *Bot) main(ctx context.Context) (*mainBranch, error) {
	name, err := b.Forge.DefaultBranch(ctx)
	if err != nil {
		return nil, err
	}
	sha, ok, err := b.Forge.Head(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("branch %q has no commit yet; push the registry to it first", name)
	}
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return nil, err
	}
	m := &mainBranch{name: name, repo: b.repo(g)}
	if m.head, err = g.CommitObject(plumbing.NewHash(sha)); err != nil {
		return nil, fmt.Errorf("head of %q: %w", name, err)
	}
	files, err := m.repo.Files(m.head)
	if err != nil {
		return nil, err
	}
	m.reg, err = registry.Load(ctx, files, registry.Options{Prefix: b.folder()})
	return m, err
}

func (m *mainBranch) catalog(ctx context.Context) (*catalog.Catalog, error) {
	changes, err := m.repo.LastChanges(m.head)
	if err != nil {
		return nil, err
	}
	head := registry.StampOf(m.head)
	return site.Build(ctx, catalog.Input{Registry: m.reg, Head: &head, Changes: changes})
}

// syncAssessments keeps the one pull request that proposes assessments.
func (b *Bot) syncAssessments(ctx context.Context, m *mainBranch, out *Synced) error {
	proposals, err := assess.Plan(ctx, m.reg)
	if err != nil {
		return err
	}
	if err := recheck(m.reg, proposals); err != nil {
		return err
	}
	out.Proposed = len(proposals)
	batch := proposals[:min(len(proposals), m.reg.Settings.Bot.PerPullRequest())]
	out.Waiting = len(proposals) - len(batch)
	p := purpose{
		name:   "assess",
		branch: m.reg.Settings.Bot.Prefix() + "assess",
		base:   m.name,
		files:  map[string][]byte{},
		parent: m.head,
	}
	for _, pr := range batch {
		p.files[path.Join(b.folder(), pr.Path)] = pr.Data
	}
	p.title, p.message, p.body = describe(m.reg, batch, out.Waiting)
	return b.keep(ctx, m.repo, p)
}

// recheck repeats the evidence check on what is about to be proposed, whoever
// made it.
func recheck(reg *registry.Registry, proposals []assess.Proposal) error {
	for _, p := range proposals {
		if p.Delete {
			continue
		}
		if _, dropped := assess.Check(reg.Entry(p.Ref).Entry, p.New, reg.Frameworks, reg.Settings); len(dropped) > 0 {
			return fmt.Errorf("the assessment of %s does not hold: %s: %s", p.Ref, dropped[0].Code, dropped[0].Reason)
		}
	}
	return nil
}

// A purpose is what one branch and its one pull request are for.
type purpose struct {
	name, branch, base   string
	parent               *object.Commit
	files                map[string][]byte // nil deletes
	title, message, body string
}

// key tells one proposal from another: what files it would leave behind.
func (p purpose) key() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		fmt.Fprintf(h, "%q %t %x\n", name, p.files[name] == nil, sha256.Sum256(p.files[name]))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// keep brings the branch and pull request of a purpose in line with what it
// proposes now: made, updated, closed when empty, or left to a person.
func (b *Bot) keep(ctx context.Context, repo *registry.Repo, p purpose) error {
	pulls, err := b.Forge.PullRequests(ctx, forge.Filter{HeadPrefix: p.branch})
	if err != nil {
		return err
	}
	var open, closed *forge.PullRequest
	for i, pr := range pulls {
		switch {
		case pr.Head != p.branch:
		case pr.State == forge.Open:
			open = &pulls[i]
		case pr.State == forge.Closed:
			closed = &pulls[i]
		}
	}
	at, exists, err := b.Forge.Head(ctx, p.branch)
	if err != nil {
		return err
	}
	if exists {
		theirs, err := b.personsCommit(repo, p.parent, at)
		if err != nil {
			return err
		}
		if theirs != "" {
			b.Log("branch %s holds commit %.7s of a person; it is left alone until it is merged or deleted", p.branch, theirs)
			return nil
		}
	}
	if len(p.files) == 0 {
		if open == nil {
			return nil
		}
		return b.run(ctx, []Action{ClosePull{open.Number, "Nothing is left to propose.", p.branch, at}})
	}
	body := marker(p.name, p.key()) + "\n" + p.body
	if open == nil && closed != nil && strings.HasPrefix(closed.Body, marker(p.name, p.key())) {
		b.Log("pull request %d proposed the same and was closed; it stays so until the proposal changes", closed.Number)
		return nil
	}
	var actions []Action
	if same, err := p.stands(repo, at); err != nil {
		return err
	} else if !same {
		actions = append(actions, PushCommit{forge.NewCommit{
			Branch: p.branch, Parent: p.parent.Hash.String(), ExpectedHead: at,
			Files: p.files, Message: p.message, When: p.parent.Committer.When,
		}})
	}
	switch {
	case open == nil:
		actions = append(actions, OpenPull{forge.NewPullRequest{Title: p.title, Body: body, Head: p.branch, Base: p.base}})
	case open.Body != body || open.Title != p.title:
		actions = append(actions, UpdatePull{open.Number, p.title, body})
	}
	if err := b.run(ctx, actions); err != nil {
		return err
	}
	return b.checkOwn(ctx, p.branch)
}

// checkOwn sets the check on the bot's pull request: on GitHub, one that is
// opened with the workflow's own token starts no workflow that would.
func (b *Bot) checkOwn(ctx context.Context, branch string) error {
	pulls, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open, HeadPrefix: branch})
	if err != nil {
		return err
	}
	for _, pr := range pulls {
		if pr.Head == branch {
			_, err := b.Review(ctx, pr.Number)
			return err
		}
	}
	return nil
}

// personsCommit returns a commit on the bot's branch that the bot did not make,
// or "". What is reachable from the base is not the branch's own.
func (b *Bot) personsCommit(repo *registry.Repo, base *object.Commit, at string) (string, error) {
	head, err := repo.Git.CommitObject(plumbing.NewHash(at))
	if err != nil {
		return "", err
	}
	fork, err := registry.MergeBase(base, head)
	if err != nil {
		return "", err
	}
	for c := head; fork == nil || c.Hash != fork.Hash; {
		if c.Committer.Email != forge.BotEmail || c.Author.Email != forge.BotEmail || c.NumParents() > 1 {
			return c.Hash.String(), nil
		}
		if c.NumParents() == 0 {
			break
		}
		if c, err = c.Parent(0); err != nil {
			return "", err
		}
	}
	return "", nil
}

// stands reports whether the branch already proposes just these files, on the
// present base or on an older one that they still fit.
func (p purpose) stands(repo *registry.Repo, at string) (bool, error) {
	if at == "" {
		return false, nil
	}
	head, err := repo.Git.CommitObject(plumbing.NewHash(at))
	if err != nil {
		return false, err
	}
	fork, err := registry.MergeBase(p.parent, head)
	if err != nil || fork == nil {
		return false, err
	}
	whole := &registry.Repo{Git: repo.Git}
	changes, err := whole.Changed(fork, head)
	if err != nil || len(changes) != len(p.files) {
		return false, err
	}
	files, err := whole.Files(head)
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		want, ours := p.files[c.Path]
		if !ours || c.Deleted != (want == nil) {
			return false, nil
		}
		if c.Deleted {
			continue
		}
		got, err := files.Read(c.Path)
		if err != nil || string(got) != string(want) {
			return false, err
		}
	}
	// A file that moved on in the base since would conflict.
	moved, err := whole.Changed(fork, p.parent)
	if err != nil {
		return false, err
	}
	for _, c := range moved {
		if _, ours := p.files[c.Path]; ours {
			return false, nil
		}
	}
	return true, nil
}

// describe writes the words of a pull request of assessments.
func describe(reg *registry.Registry, batch []assess.Proposal, waiting int) (title, message, body string) {
	if len(batch) == 0 {
		return "", "", ""
	}
	title = fmt.Sprintf("Assess %s", plural(len(batch), "entry", "entries"))
	if len(batch) == 1 {
		title = "Assess " + batch[0].Ref.String()
	}
	var ids []string
	for _, p := range batch {
		ids = append(ids, "- "+p.Ref.String())
	}
	message = fmt.Sprintf("assess: propose %s\n\n%s\n", plural(len(batch), "assessment", "assessments"), strings.Join(ids, "\n"))

	var b strings.Builder
	b.WriteString("The bot read these entries and proposes a summary and mappings for each. Every mapping shows the words it rests on; " +
		"it says what the entry claims, not that the product complies. " +
		"**Merging leaves them proposed.** To rule on one, add a decision to the entry.\n\n**Next: a maintainer.**\n\n")
	if waiting > 0 {
		fmt.Fprintf(&b, "%s more wait until this is merged.\n\n", plural(waiting, "entry", "entries"))
	}
	for i, p := range batch {
		section := change(reg, p)
		if b.Len()+len(section) > maxBytes-2000 {
			fmt.Fprintf(&b, "\n%d more are in the files of this pull request.\n", len(batch)-i)
			break
		}
		b.WriteString(section)
	}
	return title, message, b.String()
}

// change shows what one proposal changes, folded.
func change(reg *registry.Registry, p assess.Proposal) string {
	if p.New == nil {
		return fmt.Sprintf("**%s**: no longer live, so its assessment goes.\n\n", p.Ref)
	}
	names := map[string]string{}
	lang := reg.Settings.Language()
	had := map[string]int{}
	if p.Old != nil {
		for _, m := range p.Old.Mappings {
			had[m.Code] = m.Strength
		}
	}
	var added, gone []string
	for _, m := range p.New.Mappings {
		if _, c, err := reg.Frameworks.Find(m.Code); err == nil {
			names[m.Code] = c.Name.Best(lang, lang)
		}
		if had[m.Code] != m.Strength && m.Strength == 2 {
			added = append(added, m.Code)
		}
		delete(had, m.Code)
	}
	for code, strength := range had {
		if strength == 2 {
			gone = append(gone, code)
		}
	}
	slices.Sort(gone)
	line := fmt.Sprintf("**%s**", p.Ref)
	if len(added) > 0 {
		line += ": new " + strings.Join(added, ", ")
	}
	if len(gone) > 0 {
		line += "; no longer " + strings.Join(gone, ", ")
	}
	return line + "\n\n" + proposal(p.New, names)
}
