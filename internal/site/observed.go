package site

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// How much of what was observed a page shows; the entry's JSON has it all.
const (
	shownSeen  = 3 // repositories
	shownTexts = 3 // licence texts of one
	shownRules = 3 // licences that create restrictions
)

// licensesSeen says in a line for each repository what its licence texts are,
// beside what the entry declares.
func licensesSeen(e catalog.Entry) []named {
	if e.Observations == nil {
		return nil
	}
	var declared []string
	for _, l := range e.Licenses {
		declared = append(declared, l.Expression)
	}
	said := "No licence declared"
	if len(declared) > 0 {
		said = "Declared " + strings.Join(declared, " and ")
	}
	var all []named
	for _, r := range e.Observations.Repositories {
		if r.Presence == registry.StateGone || r.Presence == registry.StateEmpty {
			continue // nothing was there to read
		}
		whose := "the repository"
		if len(e.Repositories) > 1 {
			whose = value(r.URL)
		}
		if commit := value(r.Commit); len(commit) > 7 {
			whose += " at " + commit[:7]
		}
		all = append(all, named{
			Text: fmt.Sprintf("%s; %s: %s, seen %s", said, whose, textsOf(r), value(r.AsOf)),
			URL:  value(r.CommitURL), Note: agreement(r.Agreement),
		})
		said = "the same"
	}
	if more := len(all) - shownSeen; more > 0 {
		all = append(all[:shownSeen], named{Text: fmt.Sprintf("and %d more", more)})
	}
	return all
}

// textsOf lists what the licence texts of a repository are.
func textsOf(r catalog.ObservedRepository) string {
	var all []string
	for _, f := range r.Files {
		switch {
		case f.Skipped != nil:
			all = append(all, f.File+" was not read")
		case len(f.Alternatives) > 1:
			all = append(all, f.File+" says "+strings.Join(f.Alternatives, " or "))
		case f.LicenseExpression != nil:
			all = append(all, f.File+" says "+*f.LicenseExpression)
		default:
			all = append(all, f.File+" cannot be told")
		}
	}
	if len(all) == 0 {
		return "no licence text"
	}
	if more := len(all) - shownTexts; more > 0 {
		all = append(all[:shownTexts], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

func agreement(verdict string) string {
	switch lint.Verdict(verdict) {
	case lint.VerdictSame:
		return "the same"
	case lint.VerdictCompatible:
		return "they agree"
	case lint.VerdictDifferent:
		return "they differ"
	}
	return ""
}

// whereabouts is what was seen of a repository beside its licence.
func whereabouts(e catalog.Entry, url string) string {
	if e.Observations == nil {
		return ""
	}
	var all []string
	for _, r := range e.Observations.Repositories {
		if value(r.URL) != strings.TrimSpace(url) {
			continue
		}
		switch r.Presence {
		case registry.StateGone:
			all = append(all, "not there")
		case registry.StateEmpty:
			all = append(all, "without a commit")
		case registry.StateMoved:
			all = append(all, "moved to "+value(r.MovedTo))
		}
		if r.Archived {
			all = append(all, "archived by its owners")
		}
		if len(all) > 0 {
			all = append(all, "seen "+value(r.AsOf))
		}
		break
	}
	return strings.Join(all, ", ")
}

// dependenciesSeen says what the policy made of the project's own list of
// dependencies.
func dependenciesSeen(e catalog.Entry) []named {
	if e.SBOM == nil {
		return nil
	}
	v := named{Text: "listed by the project", URL: value(e.SBOM.URL), Note: value(e.SBOM.AsOf)}
	if e.Observations == nil || e.Observations.SBOM == nil {
		return []named{v}
	}
	s := e.Observations.SBOM
	v.Note = "seen " + value(s.AsOf)
	switch {
	case s.Presence == registry.StateGone:
		v.Text = "the list is not there"
	case s.DependencyCount == nil:
		v.Text = "the list cannot be read"
	default:
		v.Text = fmt.Sprintf("%d listed, %d under licences that the policy does not accept, %d under ones that nobody can tell",
			*s.DependencyCount, number(s.NotAcceptedCount), number(s.UnknownCount))
		var worst []string
		for _, r := range s.Restrictions[:min(len(s.Restrictions), shownRules)] {
			what := r.License
			if len(r.Dependencies) > 0 {
				what += ": " + r.Dependencies[0]
			}
			if more := len(r.Dependencies) + r.More - 1; more > 0 {
				what += " and " + strconv.Itoa(more) + " more"
			}
			worst = append(worst, what)
		}
		if len(worst) > 0 {
			v.Note = strings.Join(worst, "; ") + "; " + v.Note
		}
	}
	return []named{v}
}

func number(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
