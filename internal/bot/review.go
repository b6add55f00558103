package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Verdict is what a review comes to.
type Verdict struct {
	Conclusion forge.Conclusion // failure: something to mend; neutral: a person must look; success
	Findings   []diag.Diagnostic
	Reasons    []Reason  // why a person must look
	Previews   []Preview // of the first changed entries
	Entries    int       // changed entries that can be read
	Files      int       // changed files of the registry
}

// A Preview is what a changed entry will look like in the catalog.
type Preview struct {
	Entry      *entry.Entry
	Text       string             // its description in the registry's language
	Assessment *assess.Assessment // what the bot would propose; nil if the entry is not live
	Names      map[string]string  // titles of the codes in Assessment
}

// Review judges a pull request by the rules of its base branch and reports: the
// check and the one comment. It returns the verdict; nil, and a log line, where
// there is nothing for it to do.
func (b *Bot) Review(ctx context.Context, number int) (*Verdict, error) {
	v, err := b.review(ctx, number)
	if errors.Is(err, forge.ErrNotFound) { // which names it already
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("review pull request %d: %w", number, err)
	}
	return v, nil
}

func (b *Bot) review(ctx context.Context, number int) (*Verdict, error) {
	pr, err := b.Forge.PullRequest(ctx, number)
	if err != nil {
		return nil, err
	}
	if pr.State != forge.Open {
		b.logf("pull request %d is %s; there is nothing to review", number, pr.State)
		return nil, nil
	}
	// A check belongs to a commit, whatever branch it is proposed for: one earned
	// under another branch's policy must not count for this one.
	main, err := b.Forge.DefaultBranch(ctx)
	if err != nil {
		return nil, err
	}
	if pr.Base != main {
		b.logf("pull request %d is for branch %q; only those for %q are reviewed", number, pr.Base, main)
		return nil, nil
	}
	m, err := b.merge(ctx, pr)
	if err != nil {
		return nil, err
	}
	if !m.before.Settings.Bot.Does("review") {
		b.logf("pull request %d is not reviewed: bot.behaviours in the settings leaves it out", number)
		return nil, nil
	}
	v, err := m.judge(ctx, pr.Base, b.AsOf)
	if err != nil {
		return nil, err
	}
	had, known, err := b.Forge.Check(ctx, pr.HeadSHA, CheckName)
	if err != nil {
		return nil, err
	}
	comments, err := b.Forge.Comments(ctx, number)
	if err != nil {
		return nil, err
	}
	if !known {
		had = forge.Check{}
	}
	return v, b.run(ctx, v.actions(pr, had, comments))
}

// actions are what the forge lacks of the verdict: had is the check that is there,
// zero if none is.
func (v *Verdict) actions(pr forge.PullRequest, had forge.Check, comments []forge.Comment) []Action {
	var actions []Action
	if check := v.check(); !reflect.DeepEqual(check, had) {
		actions = append(actions, SetCheck{pr.HeadSHA, check})
	}
	body := v.comment(pr)
	c, found := ownComment(comments, "review")
	// The bot's own pull request explains itself while nothing is wrong with it.
	needless := !found && ours(pr) && v.Conclusion == forge.Success
	if c.Body != body && !needless {
		actions = append(actions, PutComment{pr.Number, c.ID, body})
	}
	return actions
}

// ours reports whether the bot made a pull request.
func ours(pr forge.PullRequest) bool {
	return pr.Own && pr.HeadRepository == "" && strings.HasPrefix(pr.Body, markerStart)
}

func (m *merge) judge(ctx context.Context, base, asOf string) (*Verdict, error) {
	found, err := m.findings(ctx, base, asOf)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Files: len(m.changes), Findings: found, Reasons: m.reasons(base, found)}
	v.Previews, v.Entries = m.previews()
	switch {
	case diag.Tally(v.Findings).Errors > 0:
		v.Conclusion = forge.Failure
	case len(v.Reasons) > 0:
		v.Conclusion = forge.Neutral
	default:
		v.Conclusion = forge.Success
	}
	return v, nil
}

// findings are all those in changed files, and those that the change brings
// about in entries that refer to them.
func (m *merge) findings(ctx context.Context, base, asOf string) ([]diag.Diagnostic, error) {
	changed := map[string]bool{}
	var touched []entry.Ref
	for _, c := range m.changes {
		full := m.full(c.Path)
		changed[full] = true
		for _, d := range []*registry.Doc{m.before.At(full), m.after.At(full)} {
			if d != nil && !slices.Contains(touched, d.Ref) {
				touched = append(touched, d.Ref)
			}
		}
	}
	referring := map[string]bool{}
	for _, name := range lint.References(m.after, touched) {
		referring[name] = !changed[name]
	}
	for _, c := range m.changes { // what was seen of an entry speaks in findings on it
		if of, ok := strings.CutPrefix(c.Path, registry.ObservationFolder+"/"); ok && !changed[m.full(of)] {
			referring[m.full(of)] = true
		}
	}

	found, err := lint.Run(ctx, m.after, lint.Options{
		AsOf: asOf,
		Only: func(name string) bool { return changed[name] || referring[name] },
		New: func(name string) bool {
			d := m.after.At(name)
			return changed[name] && d != nil && m.before.Place(d.Ref) == nil
		},
	})
	if err != nil {
		return nil, err
	}
	then, err := lint.Run(ctx, m.before, lint.Options{AsOf: asOf, Only: func(name string) bool { return referring[name] }})
	if err != nil {
		return nil, err
	}
	type finding struct{ path, rule, message string }
	known := map[finding]bool{}
	for _, d := range then {
		known[finding{d.Path, d.Rule, d.Message}] = true
	}
	found = slices.DeleteFunc(found, func(d diag.Diagnostic) bool {
		return !changed[d.Path] && known[finding{d.Path, d.Rule, d.Message}]
	})
	if m.assesses() {
		_, unread := assess.Read(m.after)
		found = append(found, slices.DeleteFunc(unread, func(d diag.Diagnostic) bool { return !changed[d.Path] })...)
	}
	for _, c := range m.changes {
		full := m.full(c.Path)
		if d := m.before.At(full); c.Deleted && m.wasEntry(full) && m.after.Entry(d.Ref) == nil {
			found = append(found, diag.Diagnostic{
				Path: full, Rule: "entry-deleted", Severity: diag.Error,
				Message: fmt.Sprintf("entry %q is deleted or has got another id; an id is kept for ever, so that links to it do not break", d.Ref.ID),
				Hint: `bring the file back and give it status.stage "archived" to take it out of the lists, "removed" to erase what it says, ` +
					`or "renamed" with moved_to to lead to its new id`,
			})
		}
		if m.clashes[c.Path] {
			found = append(found, diag.Diagnostic{
				Path: full, Rule: "base-moved", Severity: diag.Error,
				Message: fmt.Sprintf("branch %q changed this file too since this pull request began, so nobody knows what merging makes of it", base),
				Hint:    fmt.Sprintf("merge branch %q into yours, settle what differs, and push", base),
			})
		}
	}
	return diag.Sort(found), nil
}

// maxPreviews bounds the comment: a change of hundreds of entries shows only some.
const maxPreviews = 10

// previews shows the first changed entries, and counts all.
func (m *merge) previews() (shown []Preview, total int) {
	lang := m.before.Settings.Language()
	for _, c := range m.changes {
		doc := m.after.At(m.full(c.Path))
		if doc == nil || !doc.Whole() {
			continue
		}
		if total++; total > maxPreviews {
			continue
		}
		p := Preview{Entry: doc.Entry, Names: map[string]string{}}
		p.Text = doc.Entry.Description.Best(lang, cmp.Or(doc.Entry.Language, lang))
		if doc.Entry.Status.Live() {
			p.Assessment = m.engine.Assess(doc.Entry, m.previous(doc), m.after.Settings)
			for _, mapping := range p.Assessment.Mappings {
				if _, c, err := m.after.Frameworks.Find(mapping.Code); err == nil {
					p.Names[mapping.Code] = c.Name.Best(lang, lang)
				}
			}
		}
		shown = append(shown, p)
	}
	return shown, total
}
