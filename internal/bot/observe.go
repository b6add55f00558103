package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/observe"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const observePurpose = "observe"

// Observing says what to look at outside.
type Observing struct {
	Options observe.Options // Known is the bot's to set
	Only    []string        // ids of entries; nil is all
	DryRun  bool            // proposes nothing
}

// An Observed says what came of looking outside.
type Observed struct {
	Head     registry.Stamp
	Registry *registry.Registry
	Report   *observe.Report    // nil where the settings switch it off, or files have errors
	Proposed []observe.Proposal // by path
	Waiting  int                // of those, how many wait for a pull request to merge
}

// Observe looks at what the default branch's entries name outside, and keeps the
// one pull request that proposes what was seen. What that pull request proposes
// already is known, so that it changes only when a fact does.
func (b *Bot) Observe(ctx context.Context, o Observing) (*Observed, error) {
	m, err := b.main(ctx)
	if err != nil {
		return nil, err
	}
	out := &Observed{Head: registry.StampOf(m.head), Registry: m.reg}
	if bad := unsound(m.reg); len(bad) > 0 {
		b.logf("%s on branch %q has errors; the bot looks at nothing until they are mended", quoted(bad), m.name)
		return out, nil
	}
	settings := m.reg.Settings.Bot
	p := purpose{name: observePurpose, branch: settings.Prefix() + observePurpose, base: m.name, parent: m.head, files: map[string][]byte{}, facts: map[string][]byte{}}
	if p.branch == m.name {
		return nil, errors.New("bot.branch_prefix in the settings makes the default branch one of the bot's; choose another")
	}
	if !settings.Does(observePurpose) {
		b.logf("nothing is looked at: bot.behaviours in the settings leaves out %q", observePurpose)
		if o.DryRun {
			return out, nil
		}
		return out, b.keep(ctx, m.repo, p)
	}
	pending, err := b.pending(ctx, m, p)
	if err != nil {
		return nil, err
	}
	o.Options.Known = func(d *registry.Doc) *registry.Observation {
		if known := pending[d.Ref]; known != nil {
			return known
		}
		return m.reg.Observation(d)
	}
	docs, err := observe.Entries(m.reg, o.Only, o.Options.Of)
	if err != nil {
		return nil, err
	}
	if out.Report, err = observe.Look(ctx, m.reg, docs, o.Options); err != nil {
		return nil, err
	}
	// What was proposed of entries that were not looked at this time stays proposed.
	all := observe.Report{Seen: slices.Clone(out.Report.Seen)}
	looked := map[entry.Ref]bool{}
	for _, d := range docs {
		looked[d.Ref] = true
	}
	every, err := observe.Entries(m.reg, nil, observe.Everything)
	if err != nil {
		return nil, err
	}
	for _, d := range every {
		if known := pending[d.Ref]; known != nil && !looked[d.Ref] {
			all.Seen = append(all.Seen, observe.Seen{Doc: d, Observation: known})
		}
	}
	if out.Proposed, err = observe.Plan(m.reg, &all); err != nil {
		return nil, err
	}
	out.Proposed = slices.DeleteFunc(out.Proposed, func(p observe.Proposal) bool {
		unfit := len(p.Path) > maxPath || !plainPath.MatchString(p.Path)
		if unfit {
			b.logf("nothing is proposed for %q: its name has other characters than letters, digits, hyphens and dots, or is too long", p.Path)
		}
		return unfit
	})
	// Those that are proposed already come first, so that the pull request stays
	// what people may have read.
	batch := slices.Clone(out.Proposed)
	slices.SortStableFunc(batch, func(x, y observe.Proposal) int {
		return rank(pending[x.Ref] != nil) - rank(pending[y.Ref] != nil)
	})
	batch = batch[:min(len(batch), settings.PerPullRequest())]
	slices.SortFunc(batch, func(x, y observe.Proposal) int { return strings.Compare(x.Path, y.Path) })
	out.Waiting = len(out.Proposed) - len(batch)
	if o.DryRun {
		return out, nil
	}
	for _, pr := range batch {
		at := path.Join(m.folder, pr.Path)
		p.files[at] = pr.Data
		if p.facts[at], err = observe.Facts(pr); err != nil {
			return nil, err
		}
	}
	if p.desk, err = b.look(ctx, settings); err != nil {
		return nil, err
	}
	if len(batch) > 0 {
		p.title, p.message, p.body = describeSeen(m.reg, batch, out.Waiting)
	}
	return out, b.keep(ctx, m.repo, p)
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// pending are the observations that the bot's own branch proposes. What a person
// put there is not the bot's to take for seen.
func (b *Bot) pending(ctx context.Context, m *mainBranch, p purpose) (map[entry.Ref]*registry.Observation, error) {
	s, err := b.standing(ctx, m.repo, p)
	if err != nil || s.at == "" || s.theirs != "" {
		return nil, err
	}
	head, err := m.repo.Git.CommitObject(plumbing.NewHash(s.at))
	if err != nil {
		return nil, err
	}
	fork, err := registry.MergeBase(m.head, head)
	if err != nil || fork == nil {
		return nil, err
	}
	changes, err := m.repo.Changed(fork, head)
	if err != nil {
		return nil, err
	}
	files, err := m.repo.Files(head)
	if err != nil {
		return nil, err
	}
	all := map[entry.Ref]*registry.Observation{}
	for _, c := range changes {
		if c.Deleted || !inFolder(c.Path, registry.ObservationFolder) {
			continue
		}
		data, err := files.Read(c.Path)
		if err != nil {
			return nil, err
		}
		seen, err := m.reg.DecodeObservation(c.Path, data)
		if err != nil {
			continue // it is looked at anew
		}
		if ref, err := entry.ParseRef(seen.Entry); err == nil {
			all[ref] = seen
		}
	}
	return all, nil
}

// describeSeen writes the words of a pull request of observations.
func describeSeen(reg *registry.Registry, batch []observe.Proposal, waiting int) (title, message, body string) {
	title = "Note what was seen of " + plural(len(batch), "entry", "entries")
	if len(batch) == 1 {
		title = "Note what was seen of " + batch[0].Ref.String()
	}
	var ids []string
	for _, p := range batch {
		ids = append(ids, "- "+p.Ref.String())
	}
	message = fmt.Sprintf("observe: note what was seen of %s\n\n%s\n", plural(len(batch), "entry", "entries"), strings.Join(ids, "\n"))

	var b strings.Builder
	b.WriteString("The bot looked at what " + plural(len(batch), "entry names", "entries name") + " outside, and proposes to note whether their repositories are there, which licence the texts in them are " +
		"(with the commit and the day), and which dependencies their SPDX documents list under licences that create restrictions. These are facts beside the entries; the entries stay as they are.\n\n" +
		"**Next: a maintainer.**\n\n" +
		"- Merge it to keep these facts. Where one does not agree with its entry, `dpg validate` says so from then on.\n" +
		"- To put a difference right, correct the entry, or ask the owners to correct the repository. If the entry is right all the same, waive `license-observed` or `sbom-observed` in it with the reason.\n" +
		"- If you close it, the bot proposes nothing more until a fact changes.\n\n")
	if waiting > 0 {
		fmt.Fprintf(&b, "%s until this is merged.\n\n", plural(waiting, "more entry waits", "more entries wait"))
	}
	// Differences first: they are what a person has to read.
	different := func(p observe.Proposal) bool {
		return slices.ContainsFunc(compareSeen(reg, p), func(c lint.LicenseComparison) bool { return c.Verdict == lint.VerdictDifferent }) ||
			!p.Delete && p.New.SBOM != nil && lint.JudgeSBOM(p.New.SBOM) == lint.SBOMRestricted
	}
	ordered := slices.Clone(batch)
	slices.SortStableFunc(ordered, func(x, y observe.Proposal) int { return rank(different(x)) - rank(different(y)) })
	for i, p := range ordered {
		section := seenOf(reg, p)
		if b.Len()+len(section) > maxBytes-500 { // room for the key and the line below
			fmt.Fprintf(&b, "%s in the files of this pull request.\n", plural(len(ordered)-i, "more is", "more are"))
			break
		}
		b.WriteString(section)
	}
	return title, message, b.String()
}

func compareSeen(reg *registry.Registry, p observe.Proposal) []lint.LicenseComparison {
	d := reg.Entry(p.Ref)
	if p.Delete || d == nil {
		return nil
	}
	return lint.CompareLicenses(d.Entry, p.New)
}

// verdictWords say in a word how a repository's licence stands to the entry's.
var verdictWords = map[lint.Verdict]string{
	lint.VerdictSame:       "✅ the same",
	lint.VerdictCompatible: "✅ agrees",
	lint.VerdictDifferent:  "⚠️ different",
	lint.VerdictUnknown:    "❔ not known",
}

// seenOf shows what was seen of one entry.
func seenOf(reg *registry.Registry, p observe.Proposal) string {
	const most = 10
	head := "**" + diag.Code(p.Ref.String(), 200) + "**"
	if p.Delete {
		return head + ": no longer looked at, so its observation goes.\n\n"
	}
	var b strings.Builder
	b.WriteString(head + "\n\n")
	all := compareSeen(reg, p)
	for _, c := range all[:min(len(all), most)] {
		if c.Verdict == lint.VerdictUnknown && c.Hint == "" {
			continue // the lines below say why
		}
		fmt.Fprintf(&b, "- %s: %s", verdictWords[c.Verdict], diag.Code(c.Reason, 600))
		if c.Verdict == lint.VerdictDifferent {
			fmt.Fprintf(&b, ". To do: %s", diag.Code(c.Hint, 600))
		}
		b.WriteString("\n")
	}
	for _, r := range p.New.Repositories[:min(len(p.New.Repositories), most)] {
		switch {
		case r.State == registry.StateMoved:
			fmt.Fprintf(&b, "- ⚠️ %s has moved to %s\n", diag.Code(r.URL, 200), diag.Code(r.MovedTo, 200))
		case r.State == registry.StateGone:
			fmt.Fprintf(&b, "- ⚠️ %s is gone, or not for the public\n", diag.Code(r.URL, 200))
		}
		if r.Archived {
			fmt.Fprintf(&b, "- %s is archived by its owners\n", diag.Code(r.URL, 200))
		}
	}
	if s := p.New.SBOM; s != nil {
		sign := map[lint.SBOMVerdict]string{lint.SBOMAccepted: "✅", lint.SBOMUntold: "❔"}[lint.JudgeSBOM(s)]
		fmt.Fprintf(&b, "- %s dependencies: %s\n", cmp.Or(sign, "⚠️"), diag.Code(lint.DescribeSBOM(s), 600))
	}
	if over := max(len(all), len(p.New.Repositories)) - most; over > 0 {
		fmt.Fprintf(&b, "- and %s\n", plural(over, "more repository", "more repositories"))
	}
	b.WriteString("\n")
	return b.String()
}
