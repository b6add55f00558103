package bot

import (
	"reflect"

	"github.com/dpg-registry/dpg-registry/internal/diag"
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
func (m *merge) reasons(base string, found []diag.Diagnostic) []Reason {
	onBase := diag.Code(base, 80)
	var (
		rules     = Reason{What: "The rules on " + onBase + " have errors themselves", Next: "Mend them there first, then push to this branch again: what is said here may be incomplete."}
		settings  = Reason{What: "It changes the registry's settings", Next: "This report goes by those on " + onBase + ". Merging puts the new ones in force."}
		policy    = Reason{What: "It changes the policy", Next: "This report goes by that on " + onBase + ". Run `dpg validate` on this branch to see what the new one says of every entry."}
		codes     = Reason{What: "It changes a framework", Next: "This report goes by those on " + onBase + ". Check the new text against its source; after the merge the bot proposes new assessments."}
		owned     = Reason{What: "It changes files that the bot writes, to something the bot would not write", Next: "Take that out of this pull request. To accept or reject a mapping, or to give a summary of your own, add a decision to the entry."}
		stewards  = Reason{What: "It changes who the stewards are", Next: "Make sure that each new one answers for the entry and agrees, and that who leaves knows of it."}
		waivers   = Reason{What: "It changes which rules are set aside", Next: "Read each waiver's reason and end, and decide whether they are good enough."}
		decisions = Reason{What: "It changes decisions", Next: "Make sure that whoever a decision names has made it, and may."}
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
		switch now := m.after.At(full); {
		case c.Path == "registry.yaml":
			add(&settings, full)
		case c.Path == "policy.yaml":
			add(&policy, full)
		case inFolder(c.Path, "frameworks"):
			add(&codes, full)
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
		case now == nil && !m.wasEntry(full) && !hasFinding[full]:
			add(&other, full)
		}
	}
	var all []Reason
	for _, r := range []Reason{rules, settings, policy, codes, owned, stewards, waivers, decisions, other, outside} {
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
