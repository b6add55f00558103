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
	dateRule,
	duplicate,
	entrySize,
	fileName,
	frameworkCode,
	languageTag,
	licenseDeprecated,
	licenseID,
	link,
	linkHTTP,
	personalContact,
	policySeverity,
	reference,
	reviewPassed,
	sdg,
	sdgEvidence,
	space,
	statusDate,
	waiverExpired,
	waiverRule,
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
}

func (o Options) wants(name string) bool { return o.Only == nil || o.Only(name) }

// Run judges a registry: the findings of loading it and those of the rules, with
// the policy's severities and the entries' waivers applied, sorted. The error is
// the context's.
//
// Severities and waivers reach findings of rules only. What does not load, or
// breaks its schema, is an error always.
func Run(ctx context.Context, reg *registry.Registry, opt Options) ([]diag.Diagnostic, error) {
	severities := map[string]diag.Severity{}
	off := map[string]bool{}
	if reg.Policy != nil {
		for id, s := range reg.Policy.Severities {
			if s == severityOff {
				off[id] = true
			} else if sev, err := diag.ParseSeverity(s); err == nil {
				severities[id] = sev
			}
		}
	}
	rules := slices.DeleteFunc(slices.Clone(Rules), func(r *Rule) bool {
		return off[r.ID] || r.Dated && opt.AsOf == ""
	})

	var docs []*registry.Doc
	for _, d := range reg.Docs {
		if d.Entry != nil && opt.wants(d.Path) {
			docs = append(docs, d)
		}
	}
	found := make([][]*diag.Diagnostic, len(docs))
	var across []*diag.Diagnostic
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(max(opt.Jobs, 0), runtime.GOMAXPROCS(0)))
	g.Go(func() error {
		p := &RegistryPass{Registry: reg, AsOf: opt.AsOf, Rules: Rules, wants: opt.wants}
		for _, r := range rules {
			if r.CheckAll != nil && gctx.Err() == nil {
				p.rule = r
				r.CheckAll(p)
			}
		}
		across = p.found
		return gctx.Err()
	})
	for i, d := range docs {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			p := &Pass{Registry: reg, Doc: d, Entry: d.Entry, AsOf: opt.AsOf, Rules: Rules, Strings: stringsOf(d.Source)}
			for _, r := range rules {
				if r.Check != nil && (len(p.Strings) <= MaxStrings || r == entrySize) {
					p.rule = r
					r.Check(p)
				}
			}
			found[i] = p.found
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}

	waived := waivers(reg, opt.AsOf)
	var out []diag.Diagnostic
	for _, ds := range append(found, across) {
		for _, d := range ds {
			if waived[waiverKey{d.Path, d.Rule}] {
				continue
			}
			if s, ok := severities[d.Rule]; ok {
				d.Severity = s
			}
			out = append(out, *d)
		}
	}
	echoed := echoes(out)
	for _, d := range reg.Findings {
		if opt.wants(d.Path) && !echoed(d) {
			out = append(out, d)
		}
	}
	return diag.Sort(out), ctx.Err()
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

type waiverKey struct{ path, rule string }

// waivers collects what entries set aside on the day, by file.
func waivers(reg *registry.Registry, asOf string) map[waiverKey]bool {
	set := map[waiverKey]bool{}
	if asOf == "" {
		return set
	}
	for _, d := range reg.Docs {
		if d.Entry == nil {
			continue
		}
		for _, w := range d.Entry.Waivers {
			if waivable(w.Rule) && isDate(w.Until) && w.Until >= asOf {
				set[waiverKey{d.Path, w.Rule}] = true
			}
		}
	}
	return set
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
		if d.Entry == nil {
			continue
		}
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
	var out []pointerTo
	for i, about := range d.Entry.About {
		if ref, err := entry.ParseRef(about); err == nil {
			out = append(out, pointerTo{item("/about", i), ref})
		}
	}
	if to := d.Entry.Status.MovedTo; to != "" {
		out = append(out, pointerTo{"/status/moved_to", entry.Ref{Kind: d.Kind.Name, ID: to}})
	}
	return out
}
