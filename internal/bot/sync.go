package bot

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/policy"
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
	Fixes    int // entries with repairs to propose
	// Catalog is nil where files do not load as what they should be: nothing is
	// published then, and what was published before stands.
	Catalog *catalog.Catalog
}

// Sync brings the bot's pull requests in line with the default branch, and makes
// the catalog of it. Nothing is written to the default branch. Where it fails it
// keeps an issue open that says why.
//
// At a forge on the network a sync with nothing to do takes 2 requests, and 2 more
// for each pull request of the bot that is open, beside those that Git makes.
func (b *Bot) Sync(ctx context.Context) (*Synced, error) {
	out, err := b.sync(ctx)
	return out, b.health(ctx, err)
}

func (b *Bot) sync(ctx context.Context) (*Synced, error) {
	m, err := b.main(ctx)
	if err != nil {
		return nil, err
	}
	found, err := lint.Run(ctx, m.reg, lint.Options{AsOf: b.AsOf})
	if err != nil {
		return nil, err
	}
	out := &Synced{Head: registry.StampOf(m.head), Entries: len(m.reg.Docs), Findings: diag.Tally(found)}
	if bad := unsound(m.reg); len(bad) > 0 {
		// What the bot should do stands in these: it guesses at nothing.
		b.logf("%s on branch %q has errors; the bot proposes nothing until they are mended", quoted(bad), m.name)
	} else if err := b.propose(ctx, m, found, out); err != nil {
		return nil, err
	}
	out.Catalog, err = b.catalog(ctx, m, out.Findings)
	return out, err
}

// Catalog makes the catalog of the default branch, and proposes nothing. It is nil,
// and the log says why, where files do not load as what they should be.
func (b *Bot) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	m, err := b.main(ctx)
	if err != nil {
		return nil, err
	}
	return b.catalog(ctx, m, diag.Tally(m.reg.Findings))
}

// catalog returns nil, and a log line, where what people wrote cannot be published.
func (b *Bot) catalog(ctx context.Context, m *mainBranch, found diag.Count) (*catalog.Catalog, error) {
	if n := diag.Tally(m.reg.Findings).Errors; n > 0 {
		b.logf("there is no catalog until files on branch %q load without errors; now there are %d, in %s", m.name, n, withErrors(m.reg.Findings))
		return nil, nil
	}
	changes, err := m.repo.LastChanges(m.head)
	if err != nil {
		return nil, err
	}
	log, err := history.Read(ctx, m.repo, m.head, m.reg, nil)
	if err != nil {
		return nil, err
	}
	head := registry.StampOf(m.head)
	cat, err := site.Build(ctx, catalog.Input{Registry: m.reg, Head: &head, Changes: changes, History: log})
	if err != nil && found.Errors > 0 && ctx.Err() == nil { // two files of one id, a name that no file should have
		b.logf("there is no catalog until branch %q is mended: %v", m.name, err)
		return nil, nil
	}
	return cat, err
}

// withErrors names the first files that have errors, and counts the rest. The
// findings are sorted by path.
func withErrors(found []diag.Diagnostic) string {
	const most = 10
	var files []string
	for _, d := range found {
		if d.Severity == diag.Error && (len(files) == 0 || files[len(files)-1] != d.Path) {
			files = append(files, d.Path)
		}
	}
	s := quoted(files[:min(len(files), most)])
	if n := len(files) - most; n > 0 {
		s += " and " + plural(n, "more file", "more files")
	}
	return s
}

// A mainBranch is the default branch as it stands.
type mainBranch struct {
	name   string
	folder string // of the registry
	head   *object.Commit
	repo   *registry.Repo
	files  registry.Files
	reg    *registry.Registry
	desk   *desktop // nil where each purpose asks for itself
}

// purpose is an empty one of that name.
func (m *mainBranch) purpose(name string) purpose {
	return purpose{name: name, branch: m.reg.Settings.Bot.Prefix() + name, base: m.name, parent: m.head, files: map[string][]byte{}, desk: m.desk}
}

// purposes are the names of those that a sync keeps, in the order in which they get
// a pull request where not all may have one.
var purposes = [...]string{"assess", "fix"}

// propose keeps the pull requests of a sync.
func (b *Bot) propose(ctx context.Context, m *mainBranch, found []diag.Diagnostic, out *Synced) error {
	settings := m.reg.Settings.Bot
	for _, name := range purposes {
		if settings.Prefix()+name == m.name {
			return errors.New("bot.branch_prefix in the settings makes the default branch one of the bot's; choose another")
		}
	}
	var err error
	if m.desk, err = b.look(ctx, settings); err != nil {
		return err
	}
	if err := b.syncAssessments(ctx, m, out); err != nil {
		return err
	}
	return b.syncFixes(ctx, m, found, out)
}

// look lists the open pull requests, once for all purposes.
func (b *Bot) look(ctx context.Context, settings policy.Bot) (*desktop, error) {
	open, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	if err != nil {
		return nil, err
	}
	d := &desktop{open: open, limit: settings.OpenPullRequests()}
	for _, pr := range open {
		if pr.Own && pr.HeadRepository == "" && strings.HasPrefix(pr.Head, settings.Prefix()) && !asked(settings.Prefix(), pr.Head) {
			d.taken++
		}
	}
	return d, nil
}

// errNoCommit is a repository that nobody has begun to use.
var errNoCommit = errors.New("has no commit yet")

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
		return nil, fmt.Errorf("branch %q %w; push the registry to it first", name, errNoCommit)
	}
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return nil, err
	}
	m := &mainBranch{name: name, folder: b.folder(), repo: b.repo(g)}
	if m.head, err = g.CommitObject(plumbing.NewHash(sha)); err != nil {
		return nil, fmt.Errorf("head of %q: %w", name, err)
	}
	files, err := m.repo.Files(m.head)
	if err != nil {
		return nil, err
	}
	m.files = files
	if blobs, err := files.List(); err != nil {
		return nil, err
	} else if len(blobs) == 0 {
		return nil, fmt.Errorf("branch %q has no folder %q; name the folder that holds the registry", name, m.folder)
	}
	m.reg, err = registry.Load(ctx, files, registry.Options{Prefix: m.folder})
	return m, err
}

// syncAssessments keeps the one pull request that proposes assessments.
func (b *Bot) syncAssessments(ctx context.Context, m *mainBranch, out *Synced) error {
	settings := m.reg.Settings.Bot
	p := m.purpose("assess")
	if settings.Does("assess") {
		answers, err := b.answers(ctx, m, p.branch)
		if err != nil {
			return err
		}
		proposals, err := assess.PlanWith(ctx, m.reg, answers)
		if err != nil {
			return err
		}
		proposals = slices.DeleteFunc(proposals, func(p assess.Proposal) bool {
			why := unfit(m.reg, p)
			if why != "" {
				b.logf("nothing is proposed for %q: %s", p.Path, why)
			}
			return why != ""
		})
		batch := proposals[:min(len(proposals), settings.PerPullRequest())]
		out.Proposed = len(proposals)
		out.Waiting = len(proposals) - len(batch)
		for _, pr := range batch {
			p.files[path.Join(m.folder, pr.Path)] = pr.Data
			p.credit = append(p.credit, credited(m.reg, pr)...)
		}
		if len(batch) > 0 {
			p.title, p.message, p.body = describe(m.reg, batch, out.Waiting)
		}
	}
	return b.keep(ctx, m.repo, p)
}

// credited are the people whose rulings an assessment takes up for the first time.
func credited(reg *registry.Registry, p assess.Proposal) []forge.Signature {
	if p.Delete {
		return nil
	}
	state := func(a *assess.Assessment, code string) string {
		if a != nil {
			for _, m := range a.Mappings {
				if m.Code == code {
					return m.Review.State
				}
			}
		}
		return ""
	}
	var people []forge.Signature
	for _, d := range reg.Entry(p.Ref).Entry.Decisions {
		if d.Code == "" || state(p.New, d.Code) == state(p.Old, d.Code) || state(p.New, d.Code) == assess.StateProposed || d.By.ID <= 0 {
			continue
		}
		who := forge.Signature{Name: d.By.GitHub, Email: fmt.Sprintf("%d+%s@users.noreply.github.com", d.By.ID, d.By.GitHub)}
		if plainLogin.MatchString(d.By.GitHub) && !slices.Contains(people, who) {
			people = append(people, who)
		}
	}
	return people
}

// plainLogin is what an account at GitHub is called.
var plainLogin = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)

// answers are those of models that stand: what the bot proposed on its branch
// before, so that it is not forgotten while it waits to be merged, and over it what
// this run was given.
func (b *Bot) answers(ctx context.Context, m *mainBranch, branch string) (map[entry.Ref]*assess.Answer, error) {
	all, err := b.proposedAnswers(ctx, m, branch)
	if err != nil || b.Answers == nil {
		return all, err
	}
	given, refused, err := assess.Offered(ctx, m.reg, b.Answers)
	if err != nil {
		return nil, fmt.Errorf("read the assessments that were handed over: %w", err)
	}
	const most = 50
	for _, r := range refused[:min(len(refused), most)] {
		b.logf("not taken from %q: %s", r.Path, r.Reason)
	}
	if n := len(refused) - most; n > 0 {
		b.logf("%s not taken, likewise", plural(n, "more file or part was", "more files or parts were"))
	}
	b.logf("%s taken", plural(len(given), "answer of a model was", "answers of a model were"))
	for ref, a := range given {
		if a.Failed == "" || all[ref] == nil {
			all[ref] = a
		}
	}
	return all, nil
}

// proposedAnswers reads the bot's branch, unless a person pushed to it.
func (b *Bot) proposedAnswers(ctx context.Context, m *mainBranch, branch string) (map[entry.Ref]*assess.Answer, error) {
	none := map[entry.Ref]*assess.Answer{}
	sha, ok, err := b.Forge.Head(ctx, branch)
	if err != nil || !ok {
		return none, err
	}
	g, err := b.Forge.Git(ctx) // again: it fetches the branch once it was asked where that is
	if err != nil {
		return nil, err
	}
	repo := b.repo(g)
	head, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return nil, fmt.Errorf("branch %q at %.7s: %w", branch, sha, err)
	}
	fork, err := registry.MergeBase(m.head, head)
	if err != nil || fork == nil {
		return none, err
	}
	if theirs, err := b.personsCommit(ctx, fork, head); err != nil || theirs != "" {
		return none, err
	}
	changes, err := repo.Changed(fork, head)
	if err != nil {
		return nil, err
	}
	var blobs []registry.Blob
	for _, c := range changes {
		if !c.Deleted && inFolder(c.Path, registry.AssessmentFolder) {
			blobs = append(blobs, registry.Blob{Path: c.Path})
		}
	}
	files, err := repo.Files(head)
	if err != nil {
		return nil, err
	}
	all, _, err := assess.Offered(ctx, m.reg, registry.Subset(files, blobs))
	return all, err
}

// plainPath is what files with ids are named; no forge refuses it and no reader
// trips over it. The lint rule file-name says so of others.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$`)

const maxPath = 200 // bytes

// unfit says why something is not proposed, whoever made it; "" is that it may be.
func unfit(reg *registry.Registry, p assess.Proposal) string {
	if len(p.Path) > maxPath || !plainPath.MatchString(p.Path) {
		return "its name has other characters than letters, digits, hyphens and dots, or is too long"
	}
	if p.Delete {
		return ""
	}
	if _, dropped := assess.Check(reg.Entry(p.Ref).Entry, p.New, reg.Frameworks, reg.Settings); len(dropped) > 0 {
		return fmt.Sprintf("what it says of %q does not hold: %s", dropped[0].Code, dropped[0].Reason)
	}
	return ""
}

func quoted(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("%q", name))
	}
	return strings.Join(all, ", ")
}

// describe writes the words of a pull request of assessments.
func describe(reg *registry.Registry, batch []assess.Proposal, waiting int) (title, message, body string) {
	var ids []string
	gone := 0
	for _, p := range batch {
		id := "- " + p.Ref.String()
		if p.Delete {
			gone++
			id += ", which goes"
		}
		ids = append(ids, id)
	}
	read := len(batch) - gone
	title = titleOf(batch, read, gone)
	message = fmt.Sprintf("assess: %s\n\n%s\n", strings.ToLower(title[:1])+title[1:], strings.Join(ids, "\n"))

	var b strings.Builder
	if read > 0 {
		b.WriteString("The bot read " + plural(read, "entry", "entries") + " and proposes what the catalog should say of each: a summary where one helps, and the codes that its words speak for, each with those words. " +
			"A code says what the entry claims, not that the product complies.\n\n")
	}
	if gone > 0 {
		b.WriteString(plural(gone, "entry is no longer listed, so its assessment goes.", "entries are no longer listed, so their assessments go.") + "\n\n")
	}
	b.WriteString("**Next: a maintainer.**\n\n- If it looks right, merge it.")
	if read > 0 {
		b.WriteString(" The catalog then shows these codes as proposed, until somebody confirms them.\n" +
			"- To accept or reject a code, or to write a summary of your own, add a decision to the entry, with your account, the day and your reason, and the bot changes this pull request. Such as:\n" +
			"  `" + sampleDecision(batch) + "`\n")
	} else {
		b.WriteString("\n")
	}
	b.WriteString("- If you close it, the bot proposes nothing more until one of these entries changes.\n\n")
	if waiting > 0 {
		fmt.Fprintf(&b, "%s until this is merged.\n\n", plural(waiting, "more entry waits", "more entries wait"))
	}
	for i, p := range batch {
		section := change(reg, p)
		if b.Len()+len(section) > maxBytes-500 { // room for the key and the line below
			fmt.Fprintf(&b, "%s in the files of this pull request.\n", plural(len(batch)-i, "more is", "more are"))
			break
		}
		b.WriteString(section)
	}
	return title, message, b.String()
}

// titleOf says what a pull request does: read entries are assessed, the assessments
// of gone ones go.
func titleOf(batch []assess.Proposal, read, gone int) string {
	switch {
	case len(batch) == 1 && gone == 1:
		return "Remove the assessment of " + batch[0].Ref.String()
	case len(batch) == 1:
		return "Assess " + batch[0].Ref.String()
	case read == 0:
		return "Remove " + plural(gone, "assessment", "assessments")
	case gone > 0:
		return "Assess " + plural(read, "entry", "entries") + " and remove " + plural(gone, "assessment", "assessments")
	}
	return "Assess " + plural(read, "entry", "entries")
}

// plainCode is a code that needs no quotes in YAML.
var plainCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*/[A-Za-z0-9.-]+$`)

// sampleDecision is a decision that an entry can take as it is, on one of the codes
// that are proposed where there is one. Its date is fixed: the same proposal has
// the same words on every day.
func sampleDecision(batch []assess.Proposal) string {
	ruling, reason := "ruling: own-summary, text: What it does in one plain sentence.", "Ours is clearer."
	for _, p := range batch {
		if i := slices.IndexFunc(clearCodes(p.New), plainCode.MatchString); i >= 0 {
			ruling, reason = "ruling: reject, code: "+clearCodes(p.New)[i], "It is about something else."
			break
		}
	}
	return "decisions: [{" + ruling + ", by: {github: your-account}, as: registry, date: 2026-01-01, reason: " + reason + "}]"
}

// change shows what one proposal changes, folded.
func change(reg *registry.Registry, p assess.Proposal) string {
	line := "**" + diag.Code(p.Ref.String(), 200) + "**"
	if p.Delete {
		return line + ": " + wentAway(reg, p.Ref) + "\n\n"
	}
	names := map[string]string{}
	lang := reg.Settings.Language()
	was, is := clearCodes(p.Old), clearCodes(p.New)
	for _, m := range p.New.Mappings {
		if _, c, err := reg.Frameworks.Find(m.Code); err == nil {
			names[m.Code] = c.Name.Best(lang, lang)
		}
	}
	added := slices.DeleteFunc(slices.Clone(is), func(c string) bool { return slices.Contains(was, c) })
	gone := slices.DeleteFunc(slices.Clone(was), func(c string) bool { return slices.Contains(is, c) })
	var what []string
	if len(added) > 0 {
		what = append(what, "new "+some(added, 100))
	}
	if len(gone) > 0 {
		what = append(what, "no longer "+some(gone, 100))
	}
	if len(what) == 0 {
		what = []string{"no code with clear evidence comes or goes"}
	}
	return line + ": " + strings.Join(what, "; ") + "\n\n" + keptText(p.New.Summary) +
		standsAnyway(p.Old, p.New) + proposal(p.New, names, reg.Entry(p.Ref).Entry.Decisions)
}

// clearCodes lists the codes with clear support that nobody rejected; a nil
// assessment has none.
func clearCodes(a *assess.Assessment) []string {
	if a == nil {
		return nil
	}
	var codes []string
	for _, m := range a.Mappings {
		if m.Strength == 2 && m.Review.State != assess.StateRejected {
			codes = append(codes, m.Code)
		}
	}
	return codes
}
