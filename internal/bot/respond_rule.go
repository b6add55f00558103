package bot

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A docket holds the rulings of one comment or issue until they are proposed
// together.
type docket struct {
	subject *subject
	who     person
	files   map[string][]byte // of the default branch, by path in the registry's folder
	about   []entry.Ref
	lines   []string // Markdown, what is ruled
	titles  []string // plain words
}

// maxAsked is how many pull requests may be open at a time because people asked for
// them: anybody may fill in a form.
const maxAsked = 50

// asked reports whether a branch of the bot is one that somebody asked for.
func asked(prefix, branch string) bool {
	return strings.HasPrefix(branch, prefix+"issue-") || strings.HasPrefix(branch, prefix+"decide-")
}

// rule takes one ruling into the docket, or puts it on the pull request that brings
// the entry. Where it is taken and there is no text, settle gives that.
func (b *Bot) rule(ctx context.Context, d *docket, c Command) (taken bool, text string, err error) {
	ref, why := d.resolve(c.Entry)
	if why != "" {
		return false, why, nil
	}
	s := d.subject
	doc := s.main.reg.Entry(ref)
	onHead := doc == nil && s.merge != nil
	reg := s.main.reg
	if onHead {
		reg = s.merge.after
		doc = reg.Entry(ref)
	}
	if doc == nil || !doc.Whole() || doc.Broken {
		return false, "The entry " + diag.Code(ref.String(), 120) + " cannot be read as it is; mend it first.", nil
	}
	role := d.who.as(s.main.reg.Entry(ref))
	by := entry.Person{GitHub: d.who.Login, ID: d.who.ID}
	var edit func(text []byte) ([]byte, error)
	var title string
	switch c.Verb {
	case "waive":
		if lint.Lookup(c.Rule) == nil {
			return false, "There is no rule " + diag.Code(c.Rule, 80) + "; findings name theirs.", nil
		}
		if c.Until < b.AsOf {
			return false, diag.Code(c.Until, 20) + " has passed: it is " + b.AsOf + ".", nil
		}
		title = "Set " + c.Rule + " aside for " + ref.String()
		w := entry.Waiver{Rule: c.Rule, Reason: c.Reason, By: by, Until: c.Until}
		edit = func(text []byte) ([]byte, error) { return propose.Waive(doc.Path, text, w) }
	default:
		if _, _, err := s.main.reg.Frameworks.Find(c.Code); err != nil {
			return false, "There is no code " + diag.Code(c.Code, 120) + " in the frameworks of this registry.", nil
		}
		if c.Verb == "accept" && !proposes(s.main, reg, doc, c.Code) {
			return false, "Nothing maps " + diag.Code(ref.String(), 120) + " to " + diag.Code(c.Code, 120) + ", so there is nothing to accept.", nil
		}
		title = map[string]string{"accept": "Accept ", "reject": "Reject "}[c.Verb] + c.Code + " for " + ref.String()
		dec := entry.Decision{Ruling: c.Verb, Code: c.Code, By: by, As: role, Date: b.AsOf, Reason: c.Reason}
		edit = func(text []byte) ([]byte, error) { return propose.Decide(doc.Path, text, dec) }
	}
	line := "- " + diag.Code(title, 300) + ", because " + diag.Code(c.Reason, maxReason)
	if onHead {
		return b.ruleOnHead(ctx, d, doc, edit, title)
	}
	return b.take(ctx, d, doc, edit, title, line)
}

// proposes reports whether the bot reads a code in an entry, or proposed it.
func proposes(m *mainBranch, reg *registry.Registry, doc *registry.Doc, code string) bool {
	had, _ := assess.Read(m.reg)
	now := assess.NewOffline(m.reg.Frameworks).Assess(doc.Entry, had[doc.Ref], reg.Settings)
	for _, a := range []*assess.Assessment{had[doc.Ref], now} {
		if a != nil && slices.ContainsFunc(a.Mappings, func(m assess.Mapping) bool { return m.Code == code }) {
			return true
		}
	}
	return false
}

// take edits the file of an entry of the default branch, for settle to propose.
func (b *Bot) take(ctx context.Context, d *docket, doc *registry.Doc, edit func([]byte) ([]byte, error), title, line string) (taken bool, text string, err error) {
	m := d.subject.main
	name := strings.TrimPrefix(doc.Path, m.folder+"/")
	was := d.files[name]
	if was == nil {
		if was, err = m.files.Read(name); err != nil {
			return false, "", err
		}
	}
	is, why, err := b.edited(ctx, m.files, nil, name, was, edit)
	if err != nil || why != "" {
		return false, why, err
	}
	d.files[name] = is
	d.titles, d.lines = append(d.titles, title), append(d.lines, line)
	if !slices.Contains(d.about, doc.Ref) {
		d.about = append(d.about, doc.Ref)
	}
	return true, "", nil
}

// edited makes an edit and says why it cannot be, in Markdown.
func (b *Bot) edited(ctx context.Context, files registry.Files, rules *registry.Registry, name string, was []byte, edit func([]byte) ([]byte, error)) (is []byte, why string, err error) {
	is, err = edit(was)
	if errors.Is(err, propose.ErrSaid) {
		return nil, "Nothing was done: the entry says so already.", nil
	}
	if err != nil {
		return nil, "Nothing was done: " + diag.Code(err.Error(), 300) + ".", nil
	}
	bad, err := b.newErrors(ctx, laid{files, map[string][]byte{name: was}}, rules, name, is)
	if err != nil {
		return nil, "", err
	}
	if len(bad) > 0 {
		return nil, "Nothing was done, because the entry would then have an error: " + diag.Code(bad[0].Message, 300) + ".", nil
	}
	return is, "", nil
}

// ruleOnHead puts a ruling on an entry that the pull request brings onto its branch.
func (b *Bot) ruleOnHead(ctx context.Context, d *docket, doc *registry.Doc, edit func([]byte) ([]byte, error), title string) (taken bool, text string, err error) {
	s := d.subject
	const later = "The entry is new in this pull request, to whose branch the bot may not push. Rule on it once it is merged."
	if !b.mayPush(s) {
		return false, later, nil
	}
	name := strings.TrimPrefix(doc.Path, s.merge.folder+"/")
	was, err := s.merge.head.Read(name)
	if err != nil {
		return false, "", err
	}
	is, why, err := b.edited(ctx, s.merge.files, s.merge.before, name, was, edit)
	if err != nil || why != "" {
		return false, why, err
	}
	if ok, err := b.push(ctx, s, d.who, "decide: "+title, map[string][]byte{name: is}); err != nil || !ok {
		return false, later, err
	}
	return true, "Done: the ruling stands on the branch of this pull request.", nil
}

// settle proposes what the docket holds in one pull request, and says so.
func (b *Bot) settle(ctx context.Context, d *docket, name string) (text string, err error) {
	if len(d.files) == 0 {
		return "", nil
	}
	m := d.subject.main
	p := m.purpose(name)
	for name, data := range d.files {
		p.files[path.Join(m.folder, name)] = data
	}
	p.credit = d.who.signature()
	p.title = d.titles[0]
	if len(d.titles) > 1 {
		p.title = "Rule on " + plural(len(d.about), "entry", "entries")
	}
	p.title = clip(p.title, 200)
	p.message = "decide: " + p.title + "\n"
	p.body = fmt.Sprintf("Asked for by %s in #%d:\n\n%s\n\n**Next: a maintainer**, who merges this if whoever is named has decided it and may.\n",
		diag.Code(d.who.Login, 60), d.subject.number, strings.Join(d.lines, "\n"))
	number, why, err := b.ask(ctx, m, p)
	if err != nil {
		return "", err
	}
	if number == 0 {
		return why, nil
	}
	return fmt.Sprintf("Done: #%d proposes it.", number), nil
}

func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + " …"
	}
	return s
}

// ask keeps the pull request of something that a person asked for, and returns its
// number; 0, and why, if there is none.
func (b *Bot) ask(ctx context.Context, m *mainBranch, p purpose) (number int, why string, err error) {
	prefix := m.reg.Settings.Bot.Prefix()
	open, err := b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open})
	if err != nil {
		return 0, "", err
	}
	p.desk = &desktop{open: open, limit: maxAsked}
	for _, pr := range open {
		if pr.Own && pr.HeadRepository == "" && asked(prefix, pr.Head) {
			p.desk.taken++
		}
	}
	full := p.desk.taken >= maxAsked
	if err := b.keep(ctx, m.repo, p); err != nil {
		return 0, "", err
	}
	open, err = b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open, Head: p.branch})
	if err != nil {
		return 0, "", err
	}
	for _, pr := range open {
		if p.has(pr) {
			return pr.Number, "", nil
		}
	}
	if full {
		return 0, fmt.Sprintf("It waits: %d pull requests that people asked for are open, and no more are opened until some of them are merged or closed.", maxAsked), nil
	}
	return 0, "The same was proposed before and closed, so it is not proposed again.", nil
}

// mayPush reports whether the bot may put commits on the pull request's branch.
func (b *Bot) mayPush(s *subject) bool {
	return s.pr != nil && s.merge != nil && s.pr.MayPush && !(s.pr.HeadRepository == "" && s.pr.Head == s.main.name)
}

// push puts a commit on the pull request's branch and reviews what came of it: a
// push with a workflow's own token starts no workflow that would. Files are by path
// in the registry's folder. It is not ok where the forge refuses: a workflow's token
// may not write to forks, whatever their owners allow.
func (b *Bot) push(ctx context.Context, s *subject, who person, message string, files map[string][]byte) (ok bool, err error) {
	at := s.merge.headCommit.Committer.When
	if first := time.Unix(1, 0); at.Before(first) {
		at = first
	}
	n := forge.NewCommit{
		Branch: s.pr.Head, Repository: s.pr.HeadRepository, Parent: s.pr.HeadSHA, ExpectedHead: s.pr.HeadSHA,
		Files: map[string][]byte{}, Message: clip(message, 200) + "\n", CoAuthors: who.signature(), When: at,
	}
	for name, data := range files {
		n.Files[path.Join(s.merge.folder, name)] = data
	}
	err = b.run(ctx, []Action{PushCommit{n}})
	if n.Repository != "" && (errors.Is(err, transport.ErrAuthorizationFailed) || errors.Is(err, transport.ErrAuthenticationRequired)) {
		b.logf("%v", err)
		return false, nil
	}
	if err != nil || b.DryRun {
		return true, err
	}
	if _, err := b.Review(ctx, s.number); err != nil {
		return true, err
	}
	return true, b.load(ctx, s)
}
