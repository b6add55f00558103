package bot

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Reason is why a person with a right to must look at a change, however clean
// it is.
type Reason struct {
	What  string   // Markdown, a sentence without its full stop
	Where []string // files or entries that it is about; anything anybody wrote
	Next  string   // Markdown: what to do, in whole sentences
}

func (r Reason) markdown() string {
	return "- **" + r.What + "**: " + some(r.Where, 100) + ". " + r.Next + "\n"
}

// reasons lists them in a fixed order, each once with all it is about. A file that
// is no entry is left out where a finding says so.
func (m *merge) reasons(pr forge.PullRequest, found []diag.Diagnostic) []Reason {
	onBase := diag.Code(pr.Base, 80)
	var (
		rules     = Reason{What: "The rules on " + onBase + " have errors themselves", Next: "Mend them there first, then push to this branch again: what is said here may be incomplete."}
		settings  = Reason{What: "It changes the registry's settings", Next: "This report goes by those on " + onBase + ". Merging puts the new ones in force."}
		policy    = Reason{What: "It changes the policy", Next: "This report goes by that on " + onBase + ". Run `dpg validate` on this branch to see what the new one says of every entry."}
		codes     = Reason{What: "It changes a framework", Next: "This report goes by those on " + onBase + ". Check the new text against its source; after the merge the bot proposes new assessments."}
		owned     = Reason{What: "It changes files that the bot writes, to something the bot would not write", Next: "Take that out of this pull request. To accept or reject a mapping, or to give a summary of your own, add a decision to the entry."}
		stewards  = Reason{What: "It changes who the stewards are", Next: "Make sure that each new one answers for the entry and agrees, and that who leaves knows of it."}
		waivers   = Reason{What: "It changes which rules are set aside", Next: "Read each waiver's reason and end, and decide whether they are good enough."}
		decisions = Reason{What: "It changes decisions", Next: "Make sure that whoever a decision names has made it, and may."}
		tended    = Reason{What: "It changes an entry whose stewards did not propose this", Next: "Make sure that they know of it and agree."}
		claims    = Reason{What: "It says that somebody recognised this as a digital public good", Next: "Follow the link of its status, and make sure that whoever is named says so there."}
		leaves    = Reason{What: "It takes an entry out of the lists of the catalog", Next: "Make sure that its reason holds, and that who answers for it knows of it."}
		other     = Reason{What: "It changes files that are not entries", Next: "The bot did not look into them: read them yourself."}
		outside   = Reason{What: "It changes files outside the registry's folder", Where: m.outside, Next: "The bot did not look into them: read them yourself, workflows and scripts above all."}
	)
	rules.Where = unsound(m.before)
	hasFinding := map[string]bool{}
	for _, d := range found {
		hasFinding[d.Path] = true
	}
	add := func(r *Reason, where string) { r.Where = append(r.Where, where) }
	for _, c := range m.changes {
		full := m.full(c.Path)
		ruling := full // said of what rules, whose end is easy to miss
		if c.Deleted {
			ruling += " (deleted)"
		}
		switch now := m.after.At(full); {
		case c.Path == "registry.yaml":
			add(&settings, ruling)
		case c.Path == "policy.yaml":
			add(&policy, ruling)
		case inFolder(c.Path, "frameworks"):
			add(&codes, ruling)
		case inFolder(c.Path, registry.AssessmentFolder):
			if !m.derivedAgain(c) {
				add(&owned, full)
			}
		case inFolder(c.Path, registry.ObservationFolder):
			// What was seen outside cannot be made again here: only the bot's own
			// commits on its own branch are taken for it.
			if !m.own {
				add(&owned, full)
			}
		case m.clashes[c.Path] && m.before.At(full) != nil:
			// A finding already. The base's own changes would be laid at this pull
			// request's door; it is looked at again once the two are settled.
		case now != nil && now.Whole(): // one that cannot be read is a finding
			was, is, name := m.had(now), now.Entry, now.Ref.String()
			if differ(was.Stewards, is.Stewards) {
				add(&stewards, name)
			}
			if differ(was.Waivers, is.Waivers) {
				add(&waivers, name)
			}
			if differ(was.Decisions, is.Decisions) {
				add(&decisions, name)
			}
			if who := m.stewardsPassedBy(pr, was, *is); who != "" {
				add(&tended, name+" ("+who+")")
			}
			if by := recognition(is.Status); by != "" && by != recognition(was.Status) {
				add(&claims, name+" ("+is.Status.RecognisedBy+")")
			}
			if was.Status.Live() && !is.Status.Live() {
				add(&leaves, name+" ("+is.Status.Stage+")")
			}
		case now == nil && !m.wasEntry(full) && !hasFinding[full]:
			add(&other, full)
		}
	}
	var all []Reason
	for _, r := range []Reason{rules, settings, policy, codes, owned, stewards, waivers, decisions, tended, claims, leaves, other, outside} {
		if len(r.Where) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// wasEntry reports whether an entry that could be read stood at a path of the base.
func (m *merge) wasEntry(full string) bool {
	d := m.before.At(full)
	return d != nil && d.Whole()
}

// differ compares two lists; none and an empty one are the same.
func differ[T any](a, b []T) bool { return len(a)+len(b) > 0 && !reflect.DeepEqual(a, b) }

// stewardsPassedBy names the stewards that an entry has, where it changes and the
// one who proposes that is none of them; "" otherwise. What the bot makes for
// anybody who fills in a form is a stranger's change too; its repairs and the
// rulings that it writes down for people are not.
func (m *merge) stewardsPassedBy(pr forge.PullRequest, was, is entry.Entry) string {
	if len(was.Stewards) == 0 || reflect.DeepEqual(was, is) || m.own && !m.form {
		return ""
	}
	credit := "" // whom the bot's commit names: the one who filled in the form
	if m.own {
		message := strings.TrimSpace(m.headCommit.Message)
		credit = message[strings.LastIndexByte(message, '\n')+1:]
	}
	var names []string
	for _, s := range was.Stewards {
		if s.ID != 0 && strings.Contains(credit, fmt.Sprintf(" <%d+", s.ID)) {
			return ""
		}
		// Logins change hands, numbers do not.
		if s.ID != 0 && s.ID == pr.Author.ID || s.ID == 0 && strings.EqualFold(s.GitHub, pr.Author.Login) {
			return ""
		}
		names = append(names, s.GitHub)
	}
	return strings.Join(names, ", ")
}

// recognition is what a status says of who recognised an entry, to compare; "" if
// it says that of nobody.
func recognition(s entry.Status) string {
	if s.Stage != entry.StageDPG {
		return ""
	}
	return strings.Join([]string{s.RecognisedBy, s.AsOf, s.URL}, "\n")
}
