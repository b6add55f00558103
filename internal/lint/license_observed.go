package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

var licenseObserved = &Rule{
	ID:       "license-observed",
	Severity: diag.Warning,
	Summary:  "the licence that an entry gives is the one whose text its repositories hold",
	Doc: `The bot reads the licence texts in an entry's repositories and notes what they are, with the commit and the day, in
observations/. Where such a text is of another licence than the entry gives, one of the two is wrong or out of date:
whoever relies on the entry would rely on the wrong terms. Correct the expression, or say with "covers" what each
licence is for. A text that cannot tell "only" from "or later" agrees with both, and a licence offered as a choice
agrees with the one whose text is there. If the entry is right all the same, say why in a waiver.`,
	Check: func(p *Pass) {
		seen := p.Registry.Observation(p.Doc)
		if seen == nil || !p.Entry.Status.Live() {
			return
		}
		reported := map[string]*diag.Diagnostic{} // by what they are about, since many repositories may say the same
		more := map[string]int{}
		for _, c := range CompareLicenses(p.Entry, seen) {
			if c.Verdict != VerdictDifferent && (c.Verdict != VerdictUnknown || c.Hint == "") {
				continue
			}
			if reported[c.Hint] != nil {
				more[c.Hint]++
				continue
			}
			pointer := "/licenses"
			if c.License >= 0 {
				pointer = item("/licenses", c.License, "expression")
			}
			d := p.Reportf(pointer, c.Hint, "%s", c.Reason)
			if c.Verdict == VerdictUnknown {
				d.Severity = diag.Info
			}
			reported[c.Hint] = d
		}
		for key, n := range more {
			repositories := "repositories"
			if n == 1 {
				repositories = "repository"
			}
			reported[key].Message += fmt.Sprintf(" (and likewise %d more %s)", n, repositories)
		}
	},
}

var repositoryObserved = &Rule{
	ID:       "repository-observed",
	Severity: diag.Warning,
	Summary:  "every repository is where the entry says, and open to changes",
	Doc: `The bot looks at an entry's repositories and notes in observations/ what it finds, with the day. One that has moved
answers under its old address only until somebody else takes the name: write the new address. One that is gone cannot
be checked or used by anybody: find out where the work is kept now, or whether the entry's stage should be "archived".
One that its owners archived gets no corrections any more, which those who rely on it should know.`,
	Check: func(p *Pass) {
		seen := p.Registry.Observation(p.Doc)
		if seen == nil || !p.Entry.Status.Live() {
			return
		}
		for i, r := range p.Entry.Repositories {
			o := seen.Repository(r.URL)
			at := item("/repositories", i, "url")
			switch {
			case o == nil:
			case o.State == registry.StateGone:
				p.Reportf(at, "give the address where it is kept now; if there is none, take the repository out or set the stage to archived",
					"repository %s was not there, or not for the public, on %s", quote(r.URL), o.AsOf)
			case o.State == registry.StateMoved:
				p.Reportf(at, "write "+quote(o.MovedTo), "repository %s has moved to %s, as seen on %s", quote(r.URL), quote(o.MovedTo), o.AsOf)
			}
			if o != nil && o.Archived {
				p.Reportf(at, "if the work goes on elsewhere, give that address; if it has ended, consider the stage archived",
					"repository %s is archived by its owners, as seen on %s", quote(r.URL), o.AsOf).Severity = diag.Info
			}
		}
	},
}

// A Verdict is what comes of comparing the licence an entry gives with the text in
// a repository.
type Verdict string

// The verdicts.
const (
	VerdictSame       Verdict = "same"       // the text is of just what is declared
	VerdictCompatible Verdict = "compatible" // the text is of what is declared, as far as it can tell, or of a part of it
	VerdictDifferent  Verdict = "different"  // the text is of something else
	VerdictUnknown    Verdict = "unknown"    // there is nothing to compare
)

// A LicenseComparison is a Verdict with its reason.
type LicenseComparison struct {
	Repository int // index in the entry
	License    int // index in the entry of the licence that it is about; -1 where the entry has none
	Verdict    Verdict
	Reason     string // in words, for those who keep the entry; one line
	Hint       string // what to do; "" where nothing is to be done
	// Expression is what the texts of the repository come to, in canonical form; ""
	// where they do not tell all.
	Expression string
}

// CompareLicenses compares what an entry declares with what was observed, for each
// of its repositories that was observed, in the entry's order.
func CompareLicenses(e *entry.Entry, seen *registry.Observation) []LicenseComparison {
	var all []LicenseComparison
	if seen == nil {
		return nil
	}
	d := declaredBy(e)
	for i, r := range e.Repositories {
		if o := seen.Repository(r.URL); o != nil {
			c := d.compare(o)
			c.Repository, c.Expression = i, d.conclude(o, c.Verdict)
			all = append(all, c)
		}
	}
	return all
}

// declared is what an entry says of its licences.
type declared struct {
	index    int      // the licence that a finding is about; -1 for none
	terms    []string // the licences of all its expressions, with exceptions
	loose    []string // families given by an old id that says nothing of later versions
	written  []string // the expressions
	exprs    []spdx.Expr
	readable bool
}

func (d declared) said() string {
	if len(d.written) == 1 {
		return "licence " + someOf(d.written)
	}
	return "licences " + someOf(d.written)
}

func declaredBy(e *entry.Entry) declared {
	d := declared{index: -1, readable: true}
	for i, l := range e.Licenses {
		text, _ := trim(l.Expression)
		expr, err := spdx.Parse(text)
		if err != nil {
			d.readable = false // another rule says so
			continue
		}
		if l.Covers == "" || l.Covers == "software" {
			if d.index < 0 {
				d.index = i
			}
		}
		d.written, d.exprs = append(d.written, l.Expression), append(d.exprs, expr)
		d.terms = append(d.terms, terms(expr)...)
		for _, id := range expr.Licenses() {
			if l, _ := spdx.Lookup(id); l.Deprecated && len(spdx.Successors(id)) > 1 {
				d.loose = append(d.loose, family(id))
			}
		}
	}
	if d.index < 0 && len(e.Licenses) > 0 {
		d.index = 0
	}
	return d
}

func (d declared) compare(o *registry.ObservedRepository) LicenseComparison {
	c := LicenseComparison{License: d.index, Verdict: VerdictUnknown}
	at := fmt.Sprintf("repository %s", quote(o.URL))
	if o.Commit != "" {
		at += fmt.Sprintf(" (commit %.7s, %s)", o.Commit, o.AsOf)
	}
	found, untold := detected(o)
	switch {
	case o.State == registry.StateGone:
		c.Reason = fmt.Sprintf("repository %s was not there on %s, so no licence text could be read", quote(o.URL), o.AsOf)
		return c // rule repository-observed says what to do
	case o.State == registry.StateEmpty:
		c.Reason = fmt.Sprintf("repository %s had no commit on %s", quote(o.URL), o.AsOf)
		return c
	case len(o.Files) == 0:
		c.Reason = at + " has no file that is named like a licence"
		c.Hint = "ask the owners to put the licence's text into a file LICENSE at the top of the repository"
		return c
	case len(found) == 0:
		c.Reason = fmt.Sprintf("%s: which licence it is cannot be told from the text of %s", at, someOf(untold))
		if o.Forge != "" {
			c.Reason += fmt.Sprintf("; the forge takes it for %s", quote(o.Forge))
		}
		c.Hint = "read that text: words that were added to a licence, or left out, make other terms of it"
		return c
	case len(d.terms) == 0 && d.readable:
		c.Reason = fmt.Sprintf("no licence is given, and %s holds the text of %s", at, inWords(found))
		c.Hint = "give the licence, such as " + quote(found[0].terms[0])
		return c
	case !d.readable:
		c.Reason = fmt.Sprintf("%s holds the text of %s; what the entry gives cannot be read as an expression", at, inWords(found))
		return c
	}
	var hit, exact, missed int
	var near string // declared: the same licence, with the other word on later versions
	for _, f := range found {
		for _, t := range f.terms {
			switch {
			case slices.Contains(d.terms, t):
				hit, exact = hit+1, exact+1
			case f.mayBe(d.terms), slices.Contains(d.loose, family(t)):
				hit++
			default:
				missed++
				for _, declared := range d.terms {
					if family(declared) == family(t) {
						near = declared
					}
				}
			}
		}
	}
	all := 0
	for _, t := range d.terms {
		if slices.ContainsFunc(found, func(f foundText) bool { return slices.Contains(f.terms, t) }) {
			all++
		}
	}
	switch {
	case missed == 0 && exact == hit && all == len(d.terms):
		c.Verdict = VerdictSame
		c.Reason = fmt.Sprintf("%s holds the text of %s, as the entry says", at, inWords(found))
	case hit > 0:
		c.Verdict = VerdictCompatible
		c.Reason = fmt.Sprintf("%s holds the text of %s, which agrees with the %s as far as a text can tell", at, inWords(found), d.said())
	case len(untold) > 0: // one that could not be told may be the one declared
		c.Reason = fmt.Sprintf("%s holds the text of %s, and texts that cannot be told (%s)", at, inWords(found), someOf(untold))
		c.Hint = "read those texts: the licence that the entry gives may be among them"
	default:
		c.Verdict = VerdictDifferent
		are := "is"
		if len(d.written) > 1 {
			are = "are"
		}
		c.Reason = fmt.Sprintf("%s %s given, but %s holds the text of %s", d.said(), are, at, inWords(found))
		c.Hint = fmt.Sprintf("if the repository is right, write %s; if the licences are for different parts, give each with covers; else ask the owners to mend the repository",
			quote(strings.Join(found[0].terms, " AND ")))
		if near != "" {
			c.Hint = fmt.Sprintf("the text says of later versions of the licence what %s does not; if the repository is right, write %s", quote(near), quote(found[0].terms[0]))
		}
	}
	return c
}

// foundText is a licence text that could be told.
type foundText struct {
	path     string
	expr     spdx.Expr
	terms    []string
	readings []spdx.Expr // every expression that fits, where there are several
}

// mayBe reports whether another reading of the text is among what is declared.
func (f foundText) mayBe(declared []string) bool {
	return slices.ContainsFunc(f.readings, func(x spdx.Expr) bool {
		return slices.ContainsFunc(terms(x), func(t string) bool { return slices.Contains(declared, t) })
	})
}

// detected lists the texts of a repository that could be told, and the paths of
// those that could not. The texts of its parts count where there is none of the whole.
func detected(o *registry.ObservedRepository) (found []foundText, untold []string) {
	main := slices.ContainsFunc(o.Files, registry.ObservedFile.Main)
	for _, f := range o.Files {
		if f.Main() != main {
			continue
		}
		expr, err := spdx.Parse(f.Expression)
		if f.Expression == "" || err != nil {
			untold = append(untold, f.Path)
			continue
		}
		t := foundText{path: f.Path, expr: expr, terms: terms(expr)}
		for _, a := range f.Alternatives {
			if x, err := spdx.Parse(a); err == nil {
				t.readings = append(t.readings, x)
			}
		}
		found = append(found, t)
	}
	return found, untold
}

// inWords lists what texts are of, each once, with the file that says so.
func inWords(found []foundText) string {
	const most = 5
	var names []string
	said := map[string]bool{}
	for _, f := range found {
		name := quoteAll(f.terms, "and")
		if !said[name] {
			said[name] = true
			names = append(names, name+" in "+quote(f.path))
		}
	}
	if n := len(names) - most; n > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// terms lists the licences of an expression in the spelling that compares: "or
// later" as -or-later where the list has that, and exceptions with their licence.
func terms(x spdx.Expr) []string {
	if x.Op != spdx.Single {
		var all []string
		for _, arg := range x.Args {
			for _, t := range terms(arg) {
				if !slices.Contains(all, t) {
					all = append(all, t)
				}
			}
		}
		return all
	}
	id, suffix := x.License, "-only"
	if x.Plus {
		suffix = "-or-later"
	}
	// GPL-3.0 and GPL-3.0+ are the old spellings of these.
	if l, ok := spdx.Lookup(id + suffix); ok {
		id = l.ID
	} else if x.Plus {
		id += "+"
	}
	if x.Exception != "" {
		id += " WITH " + x.Exception
	}
	return []string{id}
}

// family is a licence without what it says of later versions.
func family(term string) string {
	id, exception, _ := strings.Cut(term, " WITH ")
	for _, suffix := range []string{"-only", "-or-later", "+"} {
		id = strings.TrimSuffix(id, suffix)
	}
	return id + " " + exception
}
