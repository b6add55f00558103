package catalog

import (
	"net/url"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// observationsOf publishes what was seen outside of an entry. It is told beside
// what the entry says now: what was seen of an address that it gives no more is
// left out.
func (b *builder) observationsOf(d *registry.Doc) *Observations {
	seen := b.in.Registry.Observation(d)
	if seen == nil {
		return nil
	}
	whole := lint.ConcludeLicense(d.Entry, seen)
	out := &Observations{LicenseExpression: known(whole.Expression), Agreement: string(whole.Verdict), Repositories: []ObservedRepository{}}
	for _, c := range lint.CompareLicenses(d.Entry, seen) {
		if o := seen.Repository(d.Entry.Repositories[c.Repository].URL); o != nil {
			out.Repositories = append(out.Repositories, observedRepository(o, c))
		}
	}
	if s := seen.SBOM; s != nil && d.Entry.SBOM != nil && s.URL == strings.TrimSpace(d.Entry.SBOM.URL) {
		out.SBOM = observedSBOM(s)
	}
	if len(out.Repositories) == 0 && out.SBOM == nil {
		return nil
	}
	out.UpdatedAt, out.UpdatedCommit = b.change(d.ObservationPath(b.in.Registry.Prefix))
	return out
}

func observedRepository(o *registry.ObservedRepository, c lint.LicenseComparison) ObservedRepository {
	return ObservedRepository{
		URL: known(o.URL), AsOf: known(o.AsOf), Presence: o.State, MovedTo: known(o.MovedTo), Archived: o.Archived,
		Commit: known(o.Commit), CommitURL: known(webPage(o, "")),
		LicenseExpression: known(c.Expression), ForgeLicense: known(o.Forge), Agreement: string(c.Verdict), Reason: observed(c.Reason),
		Files: each(o.Files, func(f registry.ObservedFile) ObservedFile {
			return ObservedFile{
				File: f.Path, URL: known(webPage(o, f.Path)), LicenseExpression: known(f.Expression),
				Alternatives: list(f.Alternatives), Skipped: known(f.Skip), SHA256: known(f.SHA256),
			}
		}),
	}
}

func observedSBOM(s *registry.ObservedSBOM) *ObservedSBOM {
	out := &ObservedSBOM{
		URL: known(s.URL), AsOf: known(s.AsOf), Presence: s.State, Reason: observed(s.Fault), JudgedAs: known(s.JudgedAs), More: s.More,
		Restrictions: each(s.Restrictions, func(r registry.ObservedRestriction) Restriction {
			return Restriction{r.License, r.Verdict, observed(r.Reason), list(r.Packages), r.More}
		}),
	}
	if s.State == registry.StatePresent {
		out.DependencyCount, out.NotAcceptedCount, out.UnknownCount = &s.Dependencies, &s.NotAccepted, &s.Unknown
	}
	return out
}

// observed is prose of those who look outside, who write in one language.
func observed(s string) Text { return text(entry.Plain(s), engineLanguage) }

// webPage is where people see a file of a repository at the commit that was read,
// or the whole repository for ""; "" where that is not known.
func webPage(o *registry.ObservedRepository, file string) string {
	at := o.URL
	if o.MovedTo != "" {
		at = o.MovedTo
	}
	u, err := url.Parse(at)
	if err != nil || o.Commit == "" || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git")
	// How forges that many know write such addresses. Others are not guessed.
	kind := "tree"
	if file != "" {
		kind = "blob"
	}
	switch strings.ToLower(strings.TrimPrefix(u.Host, "www.")) {
	case "github.com":
		return u.JoinPath(kind, o.Commit, file).String()
	case "gitlab.com":
		return u.JoinPath("-", kind, o.Commit, file).String()
	case "codeberg.org":
		return u.JoinPath("src/commit", o.Commit, file).String()
	}
	return ""
}
