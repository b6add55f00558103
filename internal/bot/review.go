package bot

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Verdict is what a review comes to.
type Verdict struct {
	Conclusion forge.Conclusion // failure: findings; neutral: a person must look; success
	Findings   []diag.Diagnostic
	Person     []string // why a person must look, one reason a line; plain text, code spans for what was read
	Previews   []Preview
	Files      int // changed files of the registry
}

// A Preview is what a changed entry will look like in the catalog.
type Preview struct {
	Path       string
	Entry      *entry.Entry
	Text       string             // its description in the registry's language
	Assessment *assess.Assessment // what the bot would propose; nil if the entry is not live
	Names      map[string]string  // titles of the codes in Assessment
}

// Review judges a pull request by the rules of its base branch and reports: the
// check and the one comment. It returns the verdict; nil where the pull request
// is not open.
func (b *Bot) Review(ctx context.Context, number int) (*Verdict, error) {
	pr, err := b.Forge.PullRequest(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("pull request %d: %w", number, err)
	}
	if pr.State != forge.Open {
		b.Log("pull request %d is %s; there is nothing to review", number, pr.State)
		return nil, nil
	}
	v, err := b.judge(ctx, pr)
	if err != nil {
		return nil, fmt.Errorf("review pull request %d: %w", number, err)
	}
	had, known, err := b.Forge.Check(ctx, pr.HeadSHA, CheckName)
	if err != nil {
		return nil, err
	}
	comments, err := b.Forge.Comments(ctx, number)
	if err != nil {
		return nil, err
	}
	var actions []Action
	if check := v.check(); !known || !reflect.DeepEqual(check, had) {
		actions = append(actions, SetCheck{pr.HeadSHA, check})
	}
	if !b.ours(pr) { // its own pull request explains itself
		body := v.comment(pr)
		if c, found := ownComment(comments, "review"); !found || c.Body != body {
			actions = append(actions, PutComment{number, c.ID, body})
		}
	}
	return v, b.run(ctx, actions)
}

// ours reports whether the bot made a pull request.
func (b *Bot) ours(pr forge.PullRequest) bool {
	return pr.Own && pr.HeadRepository == "" && strings.HasPrefix(pr.Body, "<!-- dpg-registry:")
}

// sides are the two ends of a pull request.
type sides struct {
	repo       *registry.Repo
	base, head *object.Commit
	changes    []registry.Change // in the registry folder, since both parted
	outside    bool              // whether anything else changed too
}

func (b *Bot) sides(ctx context.Context, pr forge.PullRequest) (*sides, error) {
	g, err := b.Forge.Git(ctx)
	if err != nil {
		return nil, err
	}
	s := &sides{repo: b.repo(g)}
	base, ok, err := b.Forge.Head(ctx, pr.Base)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("base branch %q is gone", pr.Base)
	}
	if s.base, err = g.CommitObject(plumbing.NewHash(base)); err != nil {
		return nil, fmt.Errorf("base branch %q: %w", pr.Base, err)
	}
	if s.head, err = g.CommitObject(plumbing.NewHash(pr.HeadSHA)); err != nil {
		return nil, fmt.Errorf("head commit %.7s: %w", pr.HeadSHA, err)
	}
	fork, err := registry.MergeBase(s.base, s.head)
	if err != nil {
		return nil, err
	}
	if fork == nil {
		return nil, fmt.Errorf("branch %q has no history in common with %q", pr.Head, pr.Base)
	}
	if s.changes, err = s.repo.Changed(fork, s.head); err != nil {
		return nil, err
	}
	all, err := (&registry.Repo{Git: g}).Changed(fork, s.head)
	if err != nil {
		return nil, err
	}
	s.outside = len(all) > len(s.changes)
	return s, nil
}

func (b *Bot) judge(ctx context.Context, pr forge.PullRequest) (*Verdict, error) {
	s, err := b.sides(ctx, pr)
	if err != nil {
		return nil, err
	}
	baseFiles, err := s.repo.Files(s.base)
	if err != nil {
		return nil, err
	}
	headFiles, err := s.repo.Files(s.head)
	if err != nil {
		return nil, err
	}
	before, err := registry.Load(ctx, baseFiles, registry.Options{Prefix: b.folder()})
	if err != nil {
		return nil, err
	}
	after, err := registry.Load(ctx, registry.Overlay(baseFiles, headFiles, s.changes),
		registry.Options{Prefix: b.folder(), Rules: before})
	if err != nil {
		return nil, err
	}
	v := &Verdict{Files: len(s.changes)}
	if v.Findings, err = b.findings(ctx, s, before, after); err != nil {
		return nil, err
	}
	v.Person = b.person(s, before, after)
	v.Previews = previews(s, before, after)
	switch {
	case diag.Tally(v.Findings).Errors > 0:
		v.Conclusion = forge.Failure
	case len(v.Person) > 0:
		v.Conclusion = forge.Neutral
	default:
		v.Conclusion = forge.Success
	}
	return v, nil
}

// findings are all those in changed files, and those that the change brings
// about elsewhere.
func (b *Bot) findings(ctx context.Context, s *sides, before, after *registry.Registry) ([]diag.Diagnostic, error) {
	changed := map[string]bool{}
	for _, c := range s.changes {
		changed[path.Join(b.folder(), c.Path)] = true
	}
	now, err := lint.Run(ctx, after, lint.Options{AsOf: b.AsOf})
	if err != nil {
		return nil, err
	}
	then, err := lint.Run(ctx, before, lint.Options{AsOf: b.AsOf})
	if err != nil {
		return nil, err
	}
	type finding struct{ path, rule, message string }
	known := map[finding]bool{}
	for _, d := range then {
		known[finding{d.Path, d.Rule, d.Message}] = true
	}
	found := slices.DeleteFunc(now, func(d diag.Diagnostic) bool {
		return !changed[d.Path] && known[finding{d.Path, d.Rule, d.Message}]
	})
	_, unread := assess.Read(after)
	for _, d := range unread {
		if changed[d.Path] {
			found = append(found, d)
		}
	}
	for _, d := range before.Docs {
		if changed[d.Path] && after.At(d.Path) == nil {
			found = append(found, diag.Diagnostic{
				Path: d.Path, Rule: "entry-deleted", Severity: diag.Error,
				Message: fmt.Sprintf("entry %q is deleted or moved away, and what points to it breaks", d.Ref.ID),
				Hint:    "keep the file: stage archived takes it out of the lists; stage removed erases what it says; stage renamed, with moved_to, leads to its new id",
			})
		}
	}
	return diag.Sort(found), nil
}

// person lists why somebody with a right to must look, however clean the change is.
func (b *Bot) person(s *sides, before, after *registry.Registry) []string {
	var why []string
	if s.outside {
		why = append(why, "It changes files outside the registry's folder.")
	}
	for _, c := range s.changes {
		top, _, nested := strings.Cut(c.Path, "/")
		full := path.Join(b.folder(), c.Path)
		switch {
		case c.Path == "registry.yaml":
			why = append(why, "It changes the registry's settings. It was judged by those of the base branch.")
		case c.Path == "policy.yaml":
			why = append(why, "It changes the policy. It was judged by that of the base branch.")
		case top == "frameworks":
			why = append(why, "It changes a framework, "+code(c.Path, 100)+". It was judged by those of the base branch.")
		case top == registry.AssessmentFolder:
			if !derivedAgain(before, after, full) {
				why = append(why, "It changes a file that the bot owns, "+code(c.Path, 100)+", to something the bot would not write.")
			}
		case top == "observations" || !nested:
			why = append(why, "It changes "+code(c.Path, 100)+", which is not an entry.")
		default:
			why = append(why, rulings(before.At(full), after.At(full))...)
		}
	}
	return slices.Compact(why)
}

// rulings names changes in an entry that give or take rights or set rules aside.
func rulings(old, now *registry.Doc) []string {
	var was, is entry.Entry
	if old != nil && old.Entry != nil {
		was = *old.Entry
	}
	if now == nil || now.Entry == nil {
		return nil
	}
	is = *now.Entry
	var why []string
	note := func(changed bool, what string) {
		if changed {
			why = append(why, "It changes the "+what+" of "+code(now.Ref.String(), 120)+".")
		}
	}
	note(len(was.Stewards)+len(is.Stewards) > 0 && !reflect.DeepEqual(was.Stewards, is.Stewards), "stewards")
	note(len(was.Waivers)+len(is.Waivers) > 0 && !reflect.DeepEqual(was.Waivers, is.Waivers), "waivers")
	note(len(was.Decisions)+len(is.Decisions) > 0 && !reflect.DeepEqual(was.Decisions, is.Decisions), "decisions")
	return why
}

// derivedAgain reports whether a bot-owned file says what the engine makes of
// the entry beside it. The base's file is what a lock keeps.
func derivedAgain(before, after *registry.Registry, full string) bool {
	for _, d := range after.Derived {
		if d.Path != full {
			continue
		}
		doc := after.Entry(d.Ref)
		if doc == nil {
			return false
		}
		old, _ := assess.Read(before)
		_, want, err := assess.NewOffline(after.Frameworks).Derive(after, doc, old[d.Ref])
		return err == nil && bytes.Equal(want, d.Source.Bytes())
	}
	// Deleted: right if the entry is no longer live.
	for _, d := range after.Docs {
		if path.Join(after.Prefix, d.AssessmentPath(after.Prefix)) == full {
			return d.Entry != nil && !d.Entry.Status.Live()
		}
	}
	return true
}

// maxPreviews bounds the comment: a change of hundreds of files shows only some.
const maxPreviews = 10

func previews(s *sides, before, after *registry.Registry) []Preview {
	var list []Preview
	engine := assess.NewOffline(after.Frameworks)
	for _, c := range s.changes {
		doc := after.At(path.Join(after.Prefix, c.Path))
		if doc == nil || doc.Entry == nil || len(list) == maxPreviews {
			continue
		}
		p := Preview{Path: doc.Path, Entry: doc.Entry, Names: map[string]string{}}
		lang := before.Settings.Language()
		p.Text = doc.Entry.Description.Best(lang, cmp.Or(doc.Entry.Language, lang))
		if doc.Entry.Status.Live() {
			p.Assessment = engine.Assess(doc.Entry, nil, after.Settings)
			for _, m := range p.Assessment.Mappings {
				if _, c, err := after.Frameworks.Find(m.Code); err == nil {
					p.Names[m.Code] = c.Name.Best(lang, lang)
				}
			}
		}
		list = append(list, p)
	}
	return list
}
