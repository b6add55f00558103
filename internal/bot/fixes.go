package bot

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// syncFixes keeps the one pull request that proposes what `dpg validate --fix` would
// do to the entries of the default branch. An entry is its people's: they may close
// it, and are not asked again about the same.
func (b *Bot) syncFixes(ctx context.Context, m *mainBranch, found []diag.Diagnostic, out *Synced) error {
	settings := m.reg.Settings.Bot
	p := m.purpose("fix")
	mendable := slices.ContainsFunc(found, func(d diag.Diagnostic) bool { return len(d.Edits) > 0 && m.reg.At(d.Path) != nil })
	if settings.Does("fix") && mendable {
		outcome, err := fix.Registry(m.files, m.reg.Prefix, func(files registry.Files) ([]diag.Diagnostic, error) {
			_, found, err := lint.Check(ctx, files, registry.Options{Prefix: m.folder}, lint.Options{AsOf: b.AsOf})
			return found, err
		})
		if err != nil {
			return err
		}
		changes := slices.DeleteFunc(outcome.Changed, func(c fix.Change) bool {
			if m.reg.At(c.Path) == nil { // the rules are for people to write
				return true
			}
			unfit := len(c.Name) > maxPath || !plainPath.MatchString(c.Name)
			if unfit {
				b.logf("nothing is proposed for %q: no forge takes every such name", c.Name)
			}
			return unfit
		})
		batch := changes[:min(len(changes), settings.PerPullRequest())]
		out.Fixes = len(changes)
		for _, c := range batch {
			p.files[path.Join(m.folder, c.Name)] = c.New
		}
		if len(batch) > 0 {
			p.title, p.message, p.body = describeFixes(batch, outcome.Mended, len(changes)-len(batch))
		}
	}
	return b.keep(ctx, m.repo, p)
}

// describeFixes writes the words of a pull request of repairs.
func describeFixes(batch []fix.Change, mended []diag.Diagnostic, waiting int) (title, message, body string) {
	title = "Mend " + plural(len(batch), "entry", "entries")
	names := make([]string, len(batch))
	for i, c := range batch {
		names[i] = "- " + c.Path
	}
	message = fmt.Sprintf("fix: mend %s\n\n%s\n", plural(len(batch), "entry", "entries"), strings.Join(names, "\n"))

	var b strings.Builder
	b.WriteString("These repairs have one right answer, so the bot proposes them: what `dpg validate --fix` does. Nothing else in the files changes.\n\n" +
		"**Next: a maintainer.**\n\n- If it looks right, merge it.\n- If it is not, close it: the bot proposes the same no more. " +
		"To keep one value as it is, give the entry a waiver of the rule, with a reason and an end.\n\n")
	if waiting > 0 {
		fmt.Fprintf(&b, "%s until this is merged.\n\n", plural(waiting, "more entry waits", "more entries wait"))
	}
	for i, c := range batch {
		section := fixed(c, mended)
		if b.Len()+len(section) > maxBytes-500 { // room for the key and the line below
			fmt.Fprintf(&b, "%s in the files of this pull request.\n", plural(len(batch)-i, "more is", "more are"))
			break
		}
		b.WriteString(section)
	}
	return title, message, b.String()
}

// fixed shows what is mended in one file, folded, with the lines before and after.
func fixed(c fix.Change, mended []diag.Diagnostic) string {
	const most = 20
	var lines []string
	for _, d := range mended {
		if d.Path == c.Path {
			lines = append(lines, "- "+diag.Code(d.Rule, 60)+": "+diag.Cell(d.Message, 300)+"\n")
		}
	}
	text := strings.Join(lines[:min(len(lines), most)], "")
	if more := len(lines) - most; more > 0 {
		text += fmt.Sprintf("- and %d more\n", more)
	}
	was, is := splitLines(c.Old), splitLines(c.New)
	changes, _ := hunks(was, is)
	text += "\n"
	for _, h := range changes[:min(len(changes), most)] {
		text += "- " + diag.Code(strings.TrimSpace(strings.Join(was[h.a0:h.a1], " ")), 200) + " becomes " +
			diag.Code(strings.TrimSpace(strings.Join(is[h.b0:h.b1], " ")), 200) + "\n"
	}
	return "**" + diag.Code(c.Path, 200) + "**: " + plural(c.Mended, "repair", "repairs") + "\n\n" + fold("What, and why", text)
}
