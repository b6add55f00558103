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
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Verdict is what a review comes to.
type Verdict struct {
	Conclusion forge.Conclusion // failure: something to mend; neutral: a person must look; success
	Findings   []diag.Diagnostic
	Reasons    []Reason  // why a person must look
	Previews   []Preview // of the first changed entries
	Doing      Doing
	Twins      []Twin       // the same subjects in other open pull requests
	Published  *Published   // nil where nothing could be published
	NewRules   *NewRules    // nil where no rule changes
	Suggested  []Suggestion // repairs of lines that the pull request shows
	Report     string       // Markdown: what the comment says, for a job summary
	URL        string       // where a person reads the pull request
	Entries    int          // changed entries that can be read
	Files      int          // changed files of the registry

	rules string                         // by which it was judged; see Bot.rules
	own   bool                           // the bot's own pull request
	plain bool                           // the forge takes no suggestions for this commit
	shown func(path string) map[int]bool // lines of a file that the pull request shows as added; nil shows none
}

// A Preview is what a changed entry will look like in the catalog.
type Preview struct {
	Entry      *entry.Entry
	Text       string             // its description in the registry's language
	Assessment *assess.Assessment // what the bot would propose; nil if the entry is not live
	Names      map[string]string  // titles of the codes in Assessment
	Licenses   []LicenseVerdict   // of a live entry
	Changes    []history.Field    // what differs from the entry on the base branch; nil where there is none
}

// Review judges a pull request by the rules of its base branch and reports: the
// check, the labels, the one comment, and suggestions where a repair is on lines
// that the pull request shows. It returns the verdict; nil, and a log line, where
// there is nothing for it to do.
//
// At a forge on the network it takes at most 12 requests the first time and 6 when
// nothing changed since, beside those that Git makes.
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
	// Before the objects are fetched, so that those of the others come too.
	var open []forge.PullRequest
	if !ours(pr) {
		if open, err = b.Forge.PullRequests(ctx, forge.Filter{State: forge.Open}); err != nil {
			return nil, err
		}
	}
	return b.reviewPull(ctx, pr, open, nil)
}

// reviewPull reviews one as it was read; open are the others, and comments those on
// it, nil to be asked for.
func (b *Bot) reviewPull(ctx context.Context, pr forge.PullRequest, open []forge.PullRequest, comments []forge.Comment) (*Verdict, error) {
	m, err := b.merge(ctx, pr)
	if err != nil {
		return nil, err
	}
	settings := m.before.Settings.Bot
	if !settings.Does("review") {
		b.logf("pull request %d is not reviewed: bot.behaviours in the settings leaves it out", pr.Number)
		return nil, nil
	}
	v, err := m.judge(ctx, pr, b.AsOf)
	if err != nil {
		return nil, err
	}
	if v.Twins, err = m.twins(ctx, pr, open); err != nil {
		return nil, err
	}
	if v.rules, err = b.rules(m.base); err != nil {
		return nil, err
	}
	v.Report, v.URL = v.report(pr), pr.URL
	var s reported
	if s.check, _, err = b.Forge.Check(ctx, pr.HeadSHA, CheckName); err != nil {
		return nil, err
	}
	if slices.Contains(pr.Labels, settings.Silent()) {
		b.logf("pull request %d has the label %q: only its check is set", pr.Number, settings.Silent())
		return v, b.run(ctx, v.checkActions(pr, s))
	}
	if s.comments = comments; s.comments == nil {
		if s.comments, err = b.Forge.Comments(ctx, pr.Number); err != nil {
			return nil, err
		}
	}
	// The comment is written after the suggestions: where it stands as it should,
	// they were made, or refused, which it says too.
	if c, _ := ownComment(s.comments, "review"); len(v.Suggested) > 0 && c.Body != v.comment(pr) {
		refused := *v
		refused.withoutSuggestions(pr)
		if c.Body == refused.comment(pr) {
			v = &refused
		} else if s.remarks, err = b.Forge.LineComments(ctx, pr.Number); err != nil {
			return nil, err
		}
	}
	err = b.run(ctx, v.actions(pr, s))
	if errors.Is(err, forge.ErrRefused) && !v.plain && len(v.Suggested) > 0 {
		b.logf("pull request %d goes without suggestions: %v", pr.Number, err)
		s.check = v.check() // which was set before
		v.withoutSuggestions(pr)
		err = b.run(ctx, v.actions(pr, s))
	}
	var moved *forge.MovedError
	if errors.As(err, &moved) {
		b.logf("pull request %d was pushed to meanwhile; what is left waits for the review of that", pr.Number)
		return v, nil
	}
	return v, err
}

// withoutSuggestions makes it a verdict that the forge took no suggestions of.
func (v *Verdict) withoutSuggestions(pr forge.PullRequest) {
	v.plain = true
	v.Report = v.report(pr)
}

// reported is what of a report stands on the forge.
type reported struct {
	check    forge.Check // zero if there is none
	comments []forge.Comment
	remarks  []forge.LineComment
}

func (v *Verdict) checkActions(pr forge.PullRequest, s reported) []Action {
	if check := v.check(); !reflect.DeepEqual(check, s.check) {
		return []Action{SetCheck{pr.HeadSHA, check}}
	}
	return nil
}

// actions are what the forge lacks of the verdict.
func (v *Verdict) actions(pr forge.PullRequest, s reported) []Action {
	actions := v.checkActions(pr, s)
	body := v.comment(pr)
	c, found := ownComment(s.comments, "review")
	// The bot's own pull request explains itself while nothing is wrong with it.
	needless := !found && v.own && v.Conclusion == forge.Success
	if c.Body != body && !needless {
		if remarks := unsaid(v.Suggested, s.remarks); len(remarks) > 0 && !v.plain {
			actions = append(actions, Suggest{pr.Number, pr.HeadSHA, remarks})
		}
		actions = append(actions, PutComment{pr.Number, c.ID, body})
	}
	return append(actions, v.labelActions(pr)...)
}

// The labels of the bot: what it found, and whose turn it is.
const (
	labelGood    = "dpg: good"
	labelPerson  = "dpg: needs a person"
	labelChanges = "dpg: needs changes"
	nextYou      = "next: you"
	nextPerson   = "next: maintainer"
	nextBot      = "next: bot"
)

// OwnLabels are the labels that a review works out anew.
func OwnLabels() []string {
	return []string{labelGood, labelPerson, labelChanges, nextYou, nextPerson, nextBot}
}

// labels are those of the bot's that a pull request should have.
func (v *Verdict) labels() []string {
	switch {
	case v.Conclusion == forge.Failure && v.own:
		return []string{labelChanges, nextBot}
	case v.Conclusion == forge.Failure:
		return []string{labelChanges, nextYou}
	case v.Conclusion == forge.Neutral:
		return []string{labelPerson, nextPerson}
	}
	return []string{labelGood, nextPerson}
}

// labelActions add the labels that are missing, then take away the bot's stale ones, so
// that a pull request is never without. Others are not written at all: one that a person
// adds at the same moment stays.
func (v *Verdict) labelActions(pr forge.PullRequest) (actions []Action) {
	// A forge may have written a label in another case than ours, and tell none apart.
	among := func(list []string, label string) bool {
		return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, label) })
	}
	want := v.labels()
	missing := slices.DeleteFunc(slices.Clone(want), func(l string) bool { return among(pr.Labels, l) })
	if len(missing) > 0 {
		actions = append(actions, AddLabels{pr.Number, missing})
	}
	for _, l := range pr.Labels {
		if among(OwnLabels(), l) && !among(want, l) {
			actions = append(actions, RemoveLabel{pr.Number, l})
		}
	}
	return actions
}

// ours reports whether the bot made a pull request.
func ours(pr forge.PullRequest) bool {
	return pr.Own && pr.HeadRepository == "" && strings.HasPrefix(pr.Body, markerStart)
}

func (m *merge) judge(ctx context.Context, pr forge.PullRequest, asOf string) (*Verdict, error) {
	found, err := m.findings(ctx, pr.Base, asOf)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Files: len(m.changes), own: ours(pr), Doing: m.doing()}
	if v.own {
		// It answers for what it changes, not for what was wrong with an entry before.
		if found, err = m.notBefore(ctx, found, asOf); err != nil {
			return nil, err
		}
	}
	v.Findings, v.Reasons = found, m.reasons(pr, found)
	v.Previews, v.Entries = m.previews(asOf)
	v.shown = remember(m.shown)
	if !v.own {
		v.Suggested = m.suggestions(found)
	}
	if v.NewRules, err = m.newRules(ctx, asOf); err != nil {
		return nil, err
	}
	if v.Published, err = m.published(ctx); err != nil {
		return nil, err
	}
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
	if m.apart {
		found = append(found, diag.Diagnostic{
			Path: m.folder, Rule: "base-apart", Severity: diag.Error,
			Message: fmt.Sprintf("the pull request shares no commit with branch %q, so nobody can say what it changes", base),
			Hint:    fmt.Sprintf("begin a branch at %q, make your change there, and push that in place of this one", base),
		})
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

// remember keeps what a function of a path gives.
func remember[T any](of func(path string) T) func(path string) T {
	known := map[string]T{}
	return func(path string) T {
		v, ok := known[path]
		if !ok {
			v = of(path)
			known[path] = v
		}
		return v
	}
}

// notBefore leaves out the findings that the base has too.
func (m *merge) notBefore(ctx context.Context, found []diag.Diagnostic, asOf string) ([]diag.Diagnostic, error) {
	if len(found) == 0 {
		return nil, nil
	}
	changed := map[string]bool{}
	for _, c := range m.changes {
		changed[m.full(c.Path)] = true
	}
	then, err := lint.Run(ctx, m.before, lint.Options{AsOf: asOf, Only: func(name string) bool { return changed[name] }})
	return diag.Minus(found, then), err
}

// maxPreviews bounds the comment: a change of hundreds of entries shows only some.
const maxPreviews = 10

// previews shows the first changed entries, and counts all.
func (m *merge) previews(asOf string) (shown []Preview, total int) {
	lang := m.before.Settings.Language()
	for _, c := range m.changes {
		doc := m.after.At(m.full(c.Path))
		if doc == nil || !doc.Whole() {
			continue
		}
		if total++; total > maxPreviews {
			continue
		}
		p := Preview{Entry: doc.Entry, Names: map[string]string{}, Changes: differing(m.before.At(m.full(c.Path)), doc)}
		p.Text = doc.Entry.Description.Best(lang, cmp.Or(doc.Entry.Language, lang))
		if doc.Entry.Status.Live() {
			p.Licenses = licenseVerdicts(m.before.Policy, doc.Entry, asOf)
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
