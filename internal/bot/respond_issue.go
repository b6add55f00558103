package bot

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// respondIssue turns an issue that was made with a form into a pull request, or
// says what to change in it: in one comment that is edited in place.
func (b *Bot) respondIssue(ctx context.Context, issue forge.Issue, comment int64, out *Response) error {
	sheet, problems, ok := propose.Read(issue.Body)
	if !ok || issue.Own || issue.State != forge.Open || comment != 0 && !b.retries(ctx, issue, comment) {
		return nil
	}
	m, err := b.main(ctx)
	if err != nil {
		return err
	}
	if bad := unsound(m.reg); len(bad) > 0 {
		b.logf("%s on branch %q has errors; the bot proposes nothing until they are mended", quoted(bad), m.name)
		return nil
	}
	p := &wish{bot: b, main: m, issue: issue, sheet: sheet, problems: problems}
	if len(problems) == 0 {
		if sheet.Form.Kind == "" {
			err = p.correct(ctx)
		} else {
			err = p.add(ctx)
		}
		if err != nil {
			return err
		}
	}
	text, err := p.answer(ctx, out)
	if err != nil {
		return err
	}
	comments, err := b.Forge.Comments(ctx, issue.Number)
	if err != nil {
		return err
	}
	body := marker("issue", "") + "\n" + text
	if c, _ := ownComment(comments, "issue"); c.Body != body {
		return b.run(ctx, []Action{Say{issue.Number, c.ID, body}})
	}
	return nil
}

// retries reports whether a comment asks for the issue to be read again.
func (b *Bot) retries(ctx context.Context, issue forge.Issue, id int64) bool {
	comments, err := b.Forge.Comments(ctx, issue.Number)
	return err == nil && slices.ContainsFunc(comments, func(c forge.Comment) bool {
		return c.ID == id && slices.ContainsFunc(Commands(c.Body), func(c Command) bool { return c.Verb == "validate" && c.Problem == "" })
	})
}

// A wish is what becomes of a form.
type wish struct {
	bot      *Bot
	main     *mainBranch
	issue    forge.Issue
	sheet    propose.Sheet
	problems []propose.Problem // to change in the issue
	findings []diag.Diagnostic // of the new entry
	mended   []diag.Diagnostic
	refused  string // Markdown: why a person has to do it
	purpose  *purpose
}

func (p *wish) problem(id, format string, args ...any) {
	label := id
	for _, f := range p.sheet.Form.Fields {
		if f.ID == id {
			label = f.Label
		}
	}
	p.problems = append(p.problems, propose.Problem{Label: label, Message: fmt.Sprintf(format, args...)})
}

// add makes a new entry.
func (p *wish) add(ctx context.Context) error {
	b, m := p.bot, p.main
	if _, ok := m.reg.Kind(p.sheet.Form.Kind); !ok {
		p.refused = "This registry lists nothing of this kind."
		return nil
	}
	e, problems := p.sheet.Entry()
	p.problems = problems
	if len(problems) > 0 {
		return nil
	}
	if lacks := e.Description.IsZero() || e.Website == "" || len(e.Licenses) == 0; lacks && b.Lookup != nil && len(e.Repositories) > 0 {
		facts, err := b.Lookup(ctx, e.Repositories[0].URL)
		if err != nil {
			b.logf("what the project says of itself is left out: %s", diag.OneLine(err.Error()))
		}
		facts.Fill(e)
	}
	if strings.HasPrefix(p.issue.URL, "https://") {
		e.Sources = []entry.Source{{Name: fmt.Sprintf("Proposal, issue %d", p.issue.Number), URL: p.issue.URL}}
	}
	ref := entry.Ref{Kind: p.sheet.Form.Kind, ID: e.ID}
	if d := m.reg.Place(ref); d != nil {
		field := "id"
		p.problem(field, "%q is taken by an entry that is there already; if it is the same, correct that one, or else give another id", e.ID)
		return nil
	}
	name, data, err := propose.File(e)
	if err != nil {
		return err
	}
	if err := p.keepRulings(ctx, name, e); err != nil {
		return err
	}
	if len(e.Decisions)+len(e.Waivers) > 0 {
		if name, data, err = propose.File(e); err != nil {
			return err
		}
	}
	full := path.Join(m.folder, name)
	files := laid{m.files, map[string][]byte{name: data}}
	outcome, err := fix.Registry(files, m.folder, func(files registry.Files) ([]diag.Diagnostic, error) {
		_, found, err := lint.Check(ctx, files, registry.Options{Prefix: m.folder}, lint.Options{
			AsOf: b.AsOf, Only: func(p string) bool { return p == full }, New: func(p string) bool { return p == full },
		})
		return found, err
	})
	if err != nil {
		return err
	}
	for _, c := range outcome.Changed {
		if c.Name == name {
			files.text[name], p.mended = c.New, outcome.Mended
		}
	}
	p.findings = outcome.Left
	if diag.Tally(p.findings).Errors > 0 {
		return nil
	}
	reg, err := registry.Load(ctx, files, registry.Options{Prefix: m.folder})
	if err != nil {
		return err
	}
	doc := reg.At(full)
	if doc == nil || !doc.Whole() {
		return fmt.Errorf("the entry made of issue %d cannot be read", p.issue.Number)
	}
	_, assessment, err := assess.NewOffline(reg.Frameworks).Derive(reg, doc, nil)
	if err != nil {
		return err
	}
	p.propose("Add "+ref.String(), map[string][]byte{name: files.text[name], doc.AssessmentPath(m.folder): assessment})
	return nil
}

// keepRulings takes over what people decided on the branch meanwhile.
func (p *wish) keepRulings(ctx context.Context, name string, e *entry.Entry) error {
	sha, ok, err := p.bot.Forge.Head(ctx, p.branch())
	if err != nil || !ok {
		return err
	}
	g, err := p.bot.Forge.Git(ctx)
	if err != nil {
		return err
	}
	c, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return err
	}
	files, err := p.bot.repo(g).Files(c)
	if err != nil {
		return err
	}
	reg, err := registry.Load(ctx, files, registry.Options{Prefix: p.main.folder})
	if err != nil {
		return err
	}
	if d := reg.At(path.Join(p.main.folder, name)); d != nil && d.Whole() {
		e.Decisions, e.Waivers = d.Entry.Decisions, d.Entry.Waivers
	}
	return nil
}

func (p *wish) branch() string {
	return p.main.reg.Settings.Bot.Prefix() + fmt.Sprintf("issue-%d", p.issue.Number)
}

// propose sets what the pull request holds. Files are by path in the registry's
// folder.
func (p *wish) propose(title string, files map[string][]byte) {
	q := p.main.purpose(fmt.Sprintf("issue-%d", p.issue.Number))
	for name, data := range files {
		q.files[path.Join(p.main.folder, name)] = data
	}
	q.credit = person{User: p.issue.Author}.signature()
	q.title = clip(title, 200)
	q.message = fmt.Sprintf("registry: %s\n\nAs issue #%d asks.\n", q.title, p.issue.Number)
	q.body = fmt.Sprintf("Closes #%d, in which %s proposes this by a form. The bot wrote the file from the answers; nothing else is in it.\n\n"+
		"**Next: a maintainer**, who reads it and merges it. To change something, edit the issue: this pull request follows.\n",
		p.issue.Number, diag.Code(p.issue.Author.Login, 60))
	p.purpose = &q
}

// correct changes an entry, or rules on it.
func (p *wish) correct(ctx context.Context) error {
	b, m, s := p.bot, p.main, p.sheet
	permission, err := b.Forge.Permission(ctx, p.issue.Author.Login)
	if err != nil {
		return err
	}
	who := person{User: p.issue.Author, writes: permission >= forge.WritePermission, proposed: true}
	d := &docket{subject: &subject{number: p.issue.Number, main: m}, who: who, files: map[string][]byte{}}
	ref, why := d.resolve(strings.TrimPrefix(s.Line("entry"), "@"))
	if why != "" {
		p.problem("entry", "there is no one entry %q; give its id as its address in the catalog has it, such as dpg/open-map", s.Line("entry"))
		return nil
	}
	doc := m.reg.Entry(ref)
	if doc == nil || !doc.Whole() || doc.Broken {
		p.refused = "The entry cannot be read as it is, so a person has to mend it first."
		return nil
	}
	what, value := s.Value("what"), s.Line("value")
	role := who.as(doc)
	by := entry.Decision{By: entry.Person{GitHub: who.Login, ID: who.ID}, As: role, Date: b.AsOf, Reason: s.Line("reason")}
	edit := func(text []byte) ([]byte, error) { return propose.Decide(doc.Path, text, by) }
	title := "Correct " + ref.String()
	switch what {
	case propose.AcceptMapping, propose.RejectMapping:
		by.Ruling, by.Code = "accept", s.Line("code")
		if what == propose.RejectMapping {
			by.Ruling = "reject"
		}
		if _, _, err := m.reg.Frameworks.Find(by.Code); err != nil {
			p.problem("code", "there is no code %q in the frameworks of this registry; a code is written such as dpi-safeguards/O3", by.Code)
			return nil
		}
		if role == "" {
			p.refused = "A mapping is for a steward of the entry or a maintainer to rule on. Whoever agrees writes here:\n\n" +
				fence("/dpg "+by.Ruling+" "+ref.String()+" "+by.Code+" because "+clip(diag.OneLine(by.Reason), maxReason))
			return nil
		}
		if by.Ruling == "accept" && !proposes(m, m.reg, doc, by.Code) {
			p.problem("code", "nothing maps this entry to %q, so there is nothing to confirm", by.Code)
			return nil
		}
	case propose.OwnSummary:
		if value == "" {
			p.problem("value", "an answer is needed: the summary that is right")
			return nil
		}
		by.Ruling, by.Text = "own-summary", entry.Plain(value)
		if role == "" {
			p.refused = "A summary is for a steward of the entry or a maintainer to set, by a decision in the entry's file."
			return nil
		}
	default:
		if value == "" {
			p.problem("value", "an answer is needed: what %q should say", what)
			return nil
		}
		edit = func(text []byte) ([]byte, error) { return propose.Correct(doc.Path, text, what, value) }
	}
	name := strings.TrimPrefix(doc.Path, m.folder+"/")
	was, err := m.files.Read(name)
	if err != nil {
		return err
	}
	is, why, err := b.edited(ctx, m.files, nil, name, was, edit)
	if err != nil {
		return err
	}
	if why != "" {
		p.refused = why
		return nil
	}
	p.propose(title, map[string][]byte{name: is})
	p.purpose.body += "\nThe reason given: " + diag.Code(by.Reason, maxReason) + "\n"
	return nil
}

// fence shows text as it is, for somebody to copy.
func fence(s string) string {
	f := "```"
	for strings.Contains(s, f) {
		f += "`"
	}
	return f + "text\n" + s + "\n" + f + "\n"
}

// answer opens the pull request, if there is something to propose, and says in
// Markdown how things are.
func (p *wish) answer(ctx context.Context, out *Response) (string, error) {
	const again = "\nEdit the text of this issue; the bot then looks again. Or write `/dpg validate` here.\n"
	var t strings.Builder
	switch {
	case len(p.problems) > 0:
		out.Problems = len(p.problems)
		fmt.Fprintf(&t, "## ❌ %s to change before this can be proposed\n\n**Next: you.**\n\n", plural(len(p.problems), "thing", "things"))
		for _, x := range p.problems {
			fmt.Fprintf(&t, "- **%s**: %s\n", x.Label, diag.Code(x.Message, 400))
		}
		t.WriteString(again)
		return t.String(), nil
	case diag.Tally(p.findings).Errors > 0:
		v := Verdict{Conclusion: forge.Failure, Findings: p.findings}
		out.Problems = diag.Tally(p.findings).Errors
		fmt.Fprintf(&t, "## ❌ %s to change before this can be proposed\n\n**Next: you.** These are about the file that the bot made of your answers:\n\n%s", plural(out.Problems, "thing", "things"), v.table())
		t.WriteString(again)
		return t.String(), nil
	case p.purpose == nil:
		return "## ⚠️ The bot cannot propose this\n\n**Next: a maintainer.** " + p.refused + "\n", nil
	}
	number, why, err := p.bot.ask(ctx, p.main, *p.purpose)
	if err != nil {
		return "", err
	}
	if number == 0 {
		return "## ⚠️ Nothing is proposed now\n\n" + why + "\n", nil
	}
	out.Pull = number
	fmt.Fprintf(&t, "## ✅ Proposed as #%d\n\n**Next: a maintainer**, who reads it and merges it. To change something, edit the text of this issue: the pull request follows.\n", number)
	if len(p.findings) > 0 {
		t.WriteString("\nThese remarks do not stand in the way; mend them if you can:\n\n" + (&Verdict{Findings: p.findings}).table())
	}
	if len(p.mended) > 0 {
		t.WriteString("\nThe bot wrote these otherwise than you did:\n\n")
		for _, d := range p.mended[:min(len(p.mended), 20)] {
			fmt.Fprintf(&t, "- %s\n", diag.Code(d.Message+"; "+d.Hint, 400))
		}
	}
	return t.String(), nil
}
