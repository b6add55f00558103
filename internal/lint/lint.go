// Package lint judges what people wrote by rules that a schema cannot state. A
// rule is data with a stable id, a case where it fires and one where it is quiet.
// Rules read the registry and nothing else: no clock, no network.
package lint

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Rule is one thing that can be wrong with entries. It has Check, CheckAll or
// both.
type Rule struct {
	ID       string        // kebab-case, kept for ever
	Severity diag.Severity // of its findings where neither the rule nor the policy says otherwise
	Summary  string        // what is right, in one line without a period
	Doc      string        // one paragraph in plain Markdown: why, and what to do
	Dated    bool          // needs Options.AsOf; without it nothing is judged

	Check    func(*Pass)         // looks at one entry
	CheckAll func(*RegistryPass) // looks across the registry
}

// Rules is the table of all rules, sorted by id. It is read only.
var Rules = []*Rule{
	blank,
	country,
	countryRepeated,
	crosswalk,
	dateRule,
	decision,
	duplicate,
	entrySize,
	fileName,
	frameworkCode,
	frameworkFile,
	hiddenCharacter,
	languageTag,
	licenseDeprecated,
	licenseID,
	licenseObserved,
	licensePolicy,
	link,
	linkHTTP,
	markupRule,
	personalContact,
	policyLicense,
	policySeverity,
	recognition,
	reference,
	repositoryObserved,
	reviewPassed,
	sbomObserved,
	sdg,
	sdgEvidence,
	settings,
	space,
	statusDate,
	textCut,
	tombstone,
	waiverExpired,
	waiverRule,
	waiverTerm,
}

// Lookup returns the rule of that id, or nil.
func Lookup(id string) *Rule { return find(Rules, id) }

func find(rules []*Rule, id string) *Rule {
	for _, r := range rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Options say what to judge and when. The zero value judges all entries by the
// rules that need no date.
type Options struct {
	AsOf string                 // the day to judge at, "2006-01-02"; "" leaves dated rules and waivers out
	Only func(path string) bool // which files to report on; nil is all
	Jobs int                    // entries judged at a time; 0 is one a processor
	// New, when set, tells which files a change adds to the registry, so that hints
	// can say what to do before they are there; nil is that nobody knows.
	New func(path string) bool
	// NoEdits leaves Edits out of the findings of rules: where nobody will see them,
	// the places that they change need not be looked up.
	NoEdits bool
	// noPlaces leaves out where findings across entries stand, for who only counts
	// them: the files need not be read once more.
	noPlaces bool
	// Derived, when set, judges the bot's files, of which this package knows nothing.
	Derived func(*registry.Registry, *registry.Doc) []diag.Diagnostic
}

func (o Options) wants(name string) bool { return o.Only == nil || o.Only(name) }

func (o Options) jobs() int { return cmp.Or(max(o.Jobs, 0), runtime.GOMAXPROCS(0)) }

// Run judges a loaded registry: the findings of loading it and those of the
// rules, with the policy's severities and the entries' waivers applied, sorted.
// The error is the context's, or that of reading a file once more.
//
// Severities and waivers reach findings of rules only. What does not load, or
// breaks its schema, is an error always.
func Run(ctx context.Context, reg *registry.Registry, opt Options) ([]diag.Diagnostic, error) {
	r := newRun(reg, opt)
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(opt.jobs())
	for _, d := range append(slices.Clone(reg.Docs), reg.Derived...) {
		if running.Err() != nil {
			break
		}
		g.Go(func() error {
			r.file(d)
			return running.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return r.finish(ctx)
}

// Check loads a registry and judges it as Run does, a file at a time: what is
// read of a file is dropped once it is judged. The registry it returns has only
// the records of its entries.
func Check(ctx context.Context, files registry.Files, load registry.Options, opt Options) (*registry.Registry, []diag.Diagnostic, error) {
	var r *run
	var once sync.Once // the policy is known when the first file is read
	load.Each = func(reg *registry.Registry, d *registry.Doc) {
		once.Do(func() { r = newRun(reg, opt) })
		r.file(d)
	}
	reg, err := registry.Load(ctx, files, load)
	if err != nil {
		return nil, nil, err
	}
	once.Do(func() { r = newRun(reg, opt) }) // there was no file
	found, err := r.finish(ctx)
	return reg, found, err
}

// A run is one judging of a registry.
type run struct {
	reg        *registry.Registry
	opt        Options
	rules      []*Rule // those that apply
	severities map[string]diag.Severity

	mu    sync.Mutex
	found []diag.Diagnostic
}

func newRun(reg *registry.Registry, opt Options) *run {
	r := &run{reg: reg, opt: opt, severities: map[string]diag.Severity{}}
	off := map[string]bool{}
	if reg.Policy != nil {
		for id, s := range reg.Policy.Severities {
			if s == severityOff {
				off[id] = true
			} else if sev, err := diag.ParseSeverity(s); err == nil {
				r.severities[id] = sev
			}
		}
	}
	r.rules = slices.DeleteFunc(slices.Clone(Rules), func(rule *Rule) bool {
		return off[rule.ID] || rule.Dated && opt.AsOf == ""
	})
	return r
}

// file judges one file by the rules that look at no other, and gives what it added
// to the findings.
func (r *run) file(d *registry.Doc) []diag.Diagnostic {
	if !r.opt.wants(d.Path) {
		return nil
	}
	switch {
	case d.Derived && r.opt.Derived != nil:
		return r.add(nil, r.opt.Derived(r.reg, d))
	case d.Entry == nil:
		return nil
	}
	p := &Pass{Registry: r.reg, Doc: d, Entry: d.Entry, AsOf: r.opt.AsOf, Rules: Rules, Strings: stringsOf(d.Source), edits: edits(!r.opt.NoEdits)}
	for _, rule := range r.rules {
		if rule.Check != nil && (len(p.Strings) <= MaxStrings || rule == entrySize) {
			p.rule = rule
			rule.Check(p)
		}
	}
	found := make([]diag.Diagnostic, len(p.found))
	for i, f := range p.found {
		found[i] = *f
	}
	return r.add(d, found)
}

// add takes findings over, with the policy's severities and the waivers of the
// entry that they are on, and gives those that stand.
func (r *run) add(d *registry.Doc, found []diag.Diagnostic) []diag.Diagnostic {
	r.mu.Lock()
	defer r.mu.Unlock()
	var added []diag.Diagnostic
	for _, f := range found {
		if d != nil && d.Record != nil && waived(d.Record.Waivers, f.Rule, r.opt.AsOf) {
			continue
		}
		if s, ok := r.severities[f.Rule]; ok {
			f.Severity = s
		}
		added = append(added, f)
	}
	r.found = append(r.found, added...)
	return added
}

// finish looks across the entries and gives all findings.
func (r *run) finish(ctx context.Context) ([]diag.Diagnostic, error) {
	p := &RegistryPass{Registry: r.reg, AsOf: r.opt.AsOf, Rules: Rules, wants: r.opt.wants, isNew: r.opt.New, guesses: map[*registry.Doc]int{}, edits: edits(!r.opt.NoEdits)}
	for _, rule := range r.rules {
		if rule.CheckAll != nil && ctx.Err() == nil {
			p.rule = rule
			rule.CheckAll(p)
		}
	}
	if !r.opt.noPlaces {
		if err := p.locate(ctx, r.opt.jobs()); err != nil {
			return nil, err
		}
	}
	for _, f := range p.found {
		r.add(f.doc, []diag.Diagnostic{*f.Diagnostic})
	}
	echoed := echoes(r.found)
	for _, d := range r.reg.Findings {
		if r.opt.wants(d.Path) && !echoed(d) {
			r.found = append(r.found, d)
		}
	}
	return diag.Sort(r.found), ctx.Err()
}

// echoes tells which schema findings say of a value what an error of a rule says
// of it with more knowledge: one cause is one finding. A rule that the policy
// made a warning leaves the schema's error standing.
func echoes(found []diag.Diagnostic) func(diag.Diagnostic) bool {
	type place struct{ path, pointer string }
	errors := map[place]bool{}
	for _, d := range found {
		if d.Severity == diag.Error && d.Pointer != "" {
			errors[place{d.Path, d.Pointer}] = true
		}
	}
	return func(d diag.Diagnostic) bool {
		switch d.Rule {
		case "schema-pattern", "schema-enum", "schema-unknown-key", "schema-range", "schema-length", "schema":
			return errors[place{d.Path, d.Pointer}]
		}
		return false
	}
}

// waived reports whether an entry sets a rule aside on the day.
func waived(waivers []entry.Waiver, rule, asOf string) bool {
	return asOf != "" && slices.ContainsFunc(waivers, func(w entry.Waiver) bool {
		return w.Rule == rule && waivable(w.Rule) && isDate(w.Until) && w.Until >= asOf
	})
}

// waivable keeps a waiver from hiding what is wrong with waivers or that nothing
// was judged, and the policy from being waived by an entry.
func waivable(rule string) bool {
	return !strings.HasPrefix(rule, "waiver-") && !strings.HasPrefix(rule, "policy-") && rule != "entry-size"
}

// References returns the files of entries that refer to any of the given ones, by
// "about" or by "moved_to", sorted. A change is checked together with them.
func References(reg *registry.Registry, refs []entry.Ref) []string {
	var paths []string
	for _, d := range reg.Docs {
		for _, r := range outgoing(d) {
			if slices.Contains(refs, r.to) {
				paths = append(paths, d.Path)
				break
			}
		}
	}
	slices.Sort(paths)
	return paths
}

// A link from an entry to another.
type pointerTo struct {
	pointer string // of the value that holds it
	to      entry.Ref
}

// outgoing lists the entries that an entry refers to, there or not.
func outgoing(d *registry.Doc) []pointerTo {
	if d.Record == nil {
		return nil
	}
	var out []pointerTo
	for i, about := range d.Record.About {
		if ref, err := entry.ParseRef(about); err == nil {
			out = append(out, pointerTo{item("/about", i), ref})
		}
	}
	if to := d.Record.MovedTo; to != "" {
		out = append(out, pointerTo{"/status/moved_to", entry.Ref{Kind: d.Kind.Name, ID: to}})
	}
	return out
}
