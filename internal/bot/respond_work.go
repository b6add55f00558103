package bot

import (
	"bytes"
	"context"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// work does what a command asks for on a pull request.
func (b *Bot) work(ctx context.Context, s *subject, c Command, who person) (taken bool, text string, err error) {
	switch {
	case s.pr == nil && c.Verb == "validate":
		return true, "Read again: what there is to change stands in the bot's other comment, if this is a form.", nil
	case s.pr == nil:
		return false, "This is for pull requests, and this is none.", nil
	case s.pr.State != forge.Open:
		return false, "Nothing was done: this pull request is " + string(s.pr.State) + ".", nil
	case s.merge == nil:
		return false, "Nothing was done: only pull requests for " + diag.Code(s.main.name, 80) + " are looked at.", nil
	}
	switch c.Verb {
	case "fix":
		return b.fixPull(ctx, s, who)
	case "assess":
		return b.assessPull(ctx, s, who)
	}
	v, err := b.Review(ctx, s.number)
	if err != nil || v == nil {
		return false, "Nothing was done: the settings of this registry leave reviews out.", err
	}
	return true, "Judged again: " + v.Title() + ".", nil
}

// fixPull mends the files that a pull request changes, by the base's rules.
func (b *Bot) fixPull(ctx context.Context, s *subject, who person) (taken bool, text string, err error) {
	m := s.merge
	mine := map[string]bool{}
	for _, c := range m.changes {
		full := m.full(c.Path)
		mine[full] = !c.Deleted && !m.clashes[c.Path] && m.after.At(full) != nil && plainPath.MatchString(c.Path)
	}
	outcome, err := fix.Registry(m.files, m.folder, func(files registry.Files) ([]diag.Diagnostic, error) {
		_, found, err := lint.Check(ctx, files, registry.Options{Prefix: m.folder, Rules: m.before},
			lint.Options{AsOf: b.AsOf, Only: func(p string) bool { return mine[p] }})
		return found, err
	})
	if err != nil {
		return false, "", err
	}
	files := map[string][]byte{}
	shown := ""
	for _, c := range slices.DeleteFunc(outcome.Changed, func(c fix.Change) bool { return !mine[c.Path] }) {
		files[c.Name] = c.New
		if section := fixed(c, outcome.Mended); len(shown)+len(section) < maxBytes/2 {
			shown += section
		}
	}
	if len(files) == 0 {
		return true, "Nothing here has a mistake with one right answer.", nil
	}
	ok := b.mayPush(s)
	if ok {
		if ok, err = b.push(ctx, s, who, "fix: mend "+plural(len(files), "entry", "entries"), files); err != nil {
			return false, "", err
		}
	}
	if !ok {
		if _, err := b.Review(ctx, s.number); err != nil { // it makes suggestions
			return false, "", err
		}
		return true, "The bot may not push to this branch. Its suggestions stand on the lines that this pull request changes; `dpg validate --fix` does the same on your machine:\n\n" + shown, nil
	}
	return true, "Done, on the branch of this pull request:\n\n" + shown, nil
}

// assessPull puts the assessments of the entries that a pull request changes beside
// them. The engine is the one that needs no model.
func (b *Bot) assessPull(ctx context.Context, s *subject, who person) (taken bool, text string, err error) {
	m := s.merge
	files := map[string][]byte{}
	for _, c := range m.changes {
		doc := m.after.At(m.full(c.Path))
		if doc == nil || !doc.Whole() || doc.Broken || !doc.Entry.Status.Live() || m.clashes[c.Path] || m.after.Entry(doc.Ref) != doc || !plainPath.MatchString(c.Path) {
			continue
		}
		_, data, err := m.engine.Derive(m.after, doc, m.previous(doc))
		if err != nil {
			return false, "", err
		}
		name := doc.AssessmentPath(m.folder)
		if had, err := m.head.Read(name); err != nil || !bytes.Equal(had, data) {
			files[name] = data
		}
	}
	if len(files) == 0 {
		return true, "Every assessment here is up to date.", nil
	}
	ok := b.mayPush(s)
	if ok {
		if ok, err = b.push(ctx, s, who, "assess: propose "+plural(len(files), "assessment", "assessments"), files); err != nil {
			return false, "", err
		}
	}
	if !ok {
		return true, "The bot may not push to this branch. Its report shows what it reads in the entries, and it proposes their assessments once this is merged.", nil
	}
	return true, "Done: " + plural(len(files), "assessment stands", "assessments stand") + " on the branch of this pull request.", nil
}
