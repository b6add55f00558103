package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// found lists findings as "path rule severity".
func found(v *Verdict) []string {
	var all []string
	for _, d := range v.Findings {
		all = append(all, d.Path+" "+d.Rule+" "+d.Severity.String())
	}
	return all
}

// why lists reasons as "what: where, where".
func why(v *Verdict) []string {
	var all []string
	for _, r := range v.Reasons {
		all = append(all, r.What+": "+strings.Join(r.Where, ", "))
	}
	return all
}

const decision = "decisions: [{ruling: reject, code: needs/N1, by: {github: ada, id: 1}, as: registry, date: 2026-02-01, reason: It does not.}]\n"

// recognised is an entry that says so.
func recognised(t *testing.T, id, by string) string {
	return swap(t, entryFile(id, ""), "stage: nominee", "stage: dpg, recognised_by: "+by+", url: https://body.example.org/"+id)
}

func TestReview(t *testing.T) {
	// Ada proposes. A number that is not hers is somebody else's, whatever the login.
	led := entryFile("led", "stewards: [{github: ada, id: 1}]\n"+decision)
	kept := entryFile("kept", "stewards: [{github: steve, id: 8}, {github: ada, id: 99}]\n")
	base := map[string]string{
		dpg("aid"):                    entryFile("aid", ""),
		dpg("led"):                    led,
		dpg("kept"):                   kept,
		dpg("good"):                   recognised(t, "good", "Body A"),
		".github/workflows/judge.yml": "name: Judge\n",
		"registry/resources/guide.yaml": `schema: resource/v1
id: guide
name: A guide to aid
description: How to set it up.
url: https://example.org/guide
format: guide
languages: [en]
licenses: [{expression: CC-BY-4.0}]
about: [dpg/aid]
status: {stage: listed, as_of: 2026-01-15}
sources: [{name: The guide, url: "https://example.org/guide", as_of: 2026-01-15}]
`,
	}
	unlicensed := swap(t, entryFile("new", ""), "MIT", "Apache 2")
	for _, tt := range []struct {
		name   string
		change map[string]string
		since  map[string]string // what base gets meanwhile
		want   forge.Conclusion
		found  []string
		why    []string
	}{
		{name: "a good entry", change: map[string]string{dpg("new"): entryFile("new", "")}, want: forge.Success},
		{
			name:   "findings",
			change: map[string]string{dpg("new"): swap(t, swap(t, entryFile("new", ""), "MIT", "Apache 2"), "status:", "locations: {deployed_in: [UK]}\nstatus:")},
			want:   forge.Failure,
			found:  []string{dpg("new") + " license-id error", dpg("new") + " country error"},
		},
		{
			name:   "not YAML at all",
			change: map[string]string{dpg("new"): "id: [\n"},
			want:   forge.Failure,
			found:  []string{dpg("new") + " yaml-syntax error"},
		},
		{
			name:   "an entry of a kind that is not in use is judged as such",
			change: map[string]string{"registry/nothings/new.yaml": entryFile("new", "")},
			want:   forge.Failure,
			found:  []string{"registry/nothings/new.yaml file-place error"},
		},
		{
			name:   "settings",
			change: map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [assess]}\n")},
			want:   forge.Neutral,
			why:    []string{"It changes the registry's settings: registry/registry.yaml"},
		},
		{
			name:   "a policy that turns its own entry's errors off",
			change: map[string]string{"registry/policy.yaml": policyFile("severities: {license-id: 'off', country: info}\n"), dpg("new"): unlicensed},
			want:   forge.Failure,
			found:  []string{dpg("new") + " license-id error"},
			why:    []string{"It changes the policy: registry/policy.yaml"},
		},
		{
			name:   "no policy any more",
			change: map[string]string{"registry/policy.yaml": gone},
			want:   forge.Neutral,
			why:    []string{"It changes the policy: registry/policy.yaml (deleted)"},
		},
		{
			name:   "a framework",
			change: map[string]string{"registry/frameworks/needs.yaml": swap(t, needsFile, "Keeps secrets", "Keeps them")},
			want:   forge.Neutral,
			why:    []string{"It changes a framework: registry/frameworks/needs.yaml"},
		},
		{
			name:   "stewards",
			change: map[string]string{dpg("aid"): entryFile("aid", "stewards: [{github: mallory, id: 2}]\n")},
			want:   forge.Neutral,
			why:    []string{"It changes who the stewards are: dpg/aid"},
		},
		{
			name:   "a new entry with a steward",
			change: map[string]string{dpg("new"): entryFile("new", "stewards: [{github: mallory, id: 2}]\n")},
			want:   forge.Neutral,
			why:    []string{"It changes who the stewards are: dpg/new"},
		},
		{
			name:   "stewards and decisions lost on the way to another folder",
			change: map[string]string{dpg("led"): gone, "registry/dpgs/l/led.yaml": entryFile("led", "")},
			want:   forge.Neutral,
			why:    []string{"It changes who the stewards are: dpg/led", "It changes decisions: dpg/led"},
		},
		{
			name:   "decisions",
			change: map[string]string{dpg("aid"): entryFile("aid", decision)},
			want:   forge.Neutral,
			why:    []string{"It changes decisions: dpg/aid"},
		},
		{
			name:   "words of an entry of which the proposer is a steward",
			change: map[string]string{dpg("led"): swap(t, led, "small clinics", "clinics")},
			want:   forge.Success,
		},
		{
			name:   "words of an entry that has other stewards",
			change: map[string]string{dpg("kept"): swap(t, kept, "small clinics", "clinics")},
			want:   forge.Neutral,
			why:    []string{"It changes an entry whose stewards did not propose this: dpg/kept (steve, ada)"},
		},
		{
			name:   "the same, made the proposer's own with it",
			change: map[string]string{dpg("kept"): entryFile("kept", "stewards: [{github: ada, id: 1}]\n")},
			want:   forge.Neutral,
			why: []string{"It changes who the stewards are: dpg/kept",
				"It changes an entry whose stewards did not propose this: dpg/kept (steve, ada)"},
		},
		{
			name:   "only the place of an entry that has other stewards",
			change: map[string]string{dpg("kept"): gone, "registry/dpgs/k/kept.yaml": kept},
			want:   forge.Success,
		},
		{
			name:   "a recognition",
			change: map[string]string{dpg("aid"): recognised(t, "aid", "Body A")},
			want:   forge.Neutral,
			why:    []string{"It says that somebody recognised this as a digital public good: dpg/aid (Body A)"},
		},
		{
			name:   "a new entry with a recognition",
			change: map[string]string{dpg("new"): recognised(t, "new", "Body A")},
			want:   forge.Neutral,
			why:    []string{"It says that somebody recognised this as a digital public good: dpg/new (Body A)"},
		},
		{
			name:   "a recognition by somebody else",
			change: map[string]string{dpg("good"): recognised(t, "good", "Body B")},
			want:   forge.Neutral,
			why:    []string{"It says that somebody recognised this as a digital public good: dpg/good (Body B)"},
		},
		{
			name:   "words of an entry that is recognised",
			change: map[string]string{dpg("good"): swap(t, recognised(t, "good", "Body A"), "small clinics", "clinics")},
			want:   forge.Success,
		},
		{
			name: "a waiver for its own error",
			change: map[string]string{dpg("new"): unlicensed +
				"waivers: [{rule: license-id, reason: It is fine., by: {github: mallory}, until: 2026-12-31}]\n"},
			want: forge.Neutral,
			why:  []string{"It changes which rules are set aside: dpg/new"},
		},
		{
			name:   "files that nobody reads",
			change: map[string]string{"registry/dpgs/.hidden.yaml": "x", "registry/dpgs/README.md": "x", "registry/assessments/dpgs/README.md": "x", "registry/NOTES": "x", "registry/observations/dpgs/README.md": "x"},
			want:   forge.Neutral,
			why: []string{
				"It changes files that the bot writes, to something the bot would not write: registry/assessments/dpgs/README.md, registry/observations/dpgs/README.md",
				"It changes files that are not entries: registry/NOTES, registry/dpgs/.hidden.yaml, registry/dpgs/README.md",
			},
		},
		{
			name:   "files outside the registry",
			change: map[string]string{".github/workflows/x.yaml": "x", "registry2/dpgs/new.yaml": entryFile("new", "")},
			want:   forge.Neutral,
			why:    []string{"It changes files outside the registry's folder: .github/workflows/x.yaml, registry2/dpgs/new.yaml"},
		},
		{
			name:   "what guards the registry is deleted",
			change: map[string]string{".github/workflows/judge.yml": gone},
			want:   forge.Neutral,
			why:    []string{"It changes files outside the registry's folder: .github/workflows/judge.yml (deleted)"},
		},
		{
			name:   "a link out of the registry",
			change: map[string]string{dpg("new"): "-> ../../README.md"},
			want:   forge.Failure,
			found:  []string{dpg("new") + " file-symlink error"},
		},
		{
			name:   "an entry that another refers to is deleted",
			change: map[string]string{dpg("aid"): gone},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " entry-deleted error", "registry/resources/guide.yaml reference error"},
		},
		{
			name:   "it is renamed with its id",
			change: map[string]string{dpg("aid"): gone, dpg("help"): swap(t, entryFile("aid", ""), "id: aid", "id: help")},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " entry-deleted error", "registry/resources/guide.yaml reference error"},
		},
		{
			name:   "only its file is renamed",
			change: map[string]string{dpg("aid"): gone, dpg("help"): entryFile("aid", "")},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " entry-deleted error", dpg("help") + " file-name error", "registry/resources/guide.yaml reference error"},
		},
		{
			name:   "it goes to a folder of its own",
			change: map[string]string{dpg("aid"): gone, "registry/dpgs/a/aid.yaml": entryFile("aid", "")},
			want:   forge.Success,
		},
		{
			name:   "it is archived",
			change: map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "stage: nominee", "stage: archived, reason: Nobody keeps it.")},
			want:   forge.Neutral,
			why:    []string{"It takes an entry out of the lists of the catalog: dpg/aid (archived)"},
		},
		{
			name:   "it is removed",
			change: map[string]string{dpg("aid"): "schema: dpg/v1\nid: aid\nstatus: {stage: removed, as_of: 2026-02-01, reason: Asked for.}\n"},
			want:   forge.Neutral,
			why:    []string{"It takes an entry out of the lists of the catalog: dpg/aid (removed)"},
		},
		{
			name:   "base got an entry with the same repository meanwhile",
			change: map[string]string{dpg("new"): entryFile("new", "")},
			since:  map[string]string{dpg("other"): swap(t, entryFile("other", ""), "git.example.org/other/other", "git.example.org/new/new")},
			want:   forge.Success,
			found:  []string{dpg("new") + " duplicate warning"},
		},
		{
			name:   "a later name than that of the one it repeats: the finding is on the changed file all the same",
			change: map[string]string{dpg("a-new"): swap(t, entryFile("a-new", ""), "Clinic a-new", "Clinic other")},
			since:  map[string]string{dpg("other"): entryFile("other", "")},
			want:   forge.Success,
			found:  []string{dpg("a-new") + " duplicate warning"},
		},
		{
			name:   "base got the same id meanwhile, in another folder",
			change: map[string]string{dpg("new"): entryFile("new", "")},
			since:  map[string]string{"registry/dpgs/a/new.yaml": entryFile("new", "")},
			want:   forge.Failure,
			found:  []string{dpg("new") + " duplicate error", dpg("new") + " duplicate warning", dpg("new") + " duplicate warning"},
		},
		{
			name:   "base changed the same file",
			change: map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "small clinics", "clinics")},
			since:  map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "little power", "power")},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " base-moved error"},
		},
		{
			name:   "base deleted the same file",
			change: map[string]string{dpg("led"): swap(t, entryFile("led", "stewards: [{github: ada, id: 1}]\n"+decision), "small clinics", "clinics")},
			since:  map[string]string{dpg("led"): gone},
			want:   forge.Failure,
			found:  []string{dpg("led") + " base-moved error"},
			why:    []string{"It changes who the stewards are: dpg/led", "It changes decisions: dpg/led"},
		},
		{
			name:   "base made the same change",
			change: map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "small clinics", "clinics"), dpg("new"): entryFile("new", "")},
			since:  map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "small clinics", "clinics")},
			want:   forge.Success,
		},
		{
			name:   "base got worse elsewhere, which is no fault of this",
			change: map[string]string{dpg("new"): entryFile("new", "")},
			since:  map[string]string{dpg("led"): swap(t, entryFile("led", ""), "MIT", "Apache 2")},
			want:   forge.Success,
		},
		{
			name:   "what refers to it was no better before",
			change: map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "small clinics", "clinics")},
			since:  map[string]string{"registry/resources/guide.yaml": swap(t, base["registry/resources/guide.yaml"], "[dpg/aid]", "[dpg/aid, dpg/nothing]")},
			want:   forge.Success,
		},
		{
			name:   "base's own policy is broken",
			change: map[string]string{dpg("new"): entryFile("new", "")},
			since:  map[string]string{"registry/policy.yaml": "schema: policy/v1\nlicences: {}\n"},
			want:   forge.Neutral,
			why:    []string{"The rules on `main` have errors themselves: registry/policy.yaml"},
		},
		{
			name:   "the whole registry is deleted",
			change: map[string]string{"registry": gone},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " entry-deleted error", dpg("good") + " entry-deleted error", dpg("kept") + " entry-deleted error", dpg("led") + " entry-deleted error", "registry/resources/guide.yaml entry-deleted error"},
			why: []string{
				"It changes the registry's settings: registry/registry.yaml (deleted)", "It changes the policy: registry/policy.yaml (deleted)",
				"It changes a framework: registry/frameworks/needs.yaml (deleted)",
			},
		},
		{
			name:   "the registry becomes a link",
			change: map[string]string{"registry": "-> /etc"},
			want:   forge.Failure,
			found:  []string{dpg("aid") + " entry-deleted error", dpg("good") + " entry-deleted error", dpg("kept") + " entry-deleted error", dpg("led") + " entry-deleted error", "registry/resources/guide.yaml entry-deleted error"},
			why: []string{
				"It changes the registry's settings: registry/registry.yaml (deleted)", "It changes the policy: registry/policy.yaml (deleted)",
				"It changes a framework: registry/frameworks/needs.yaml (deleted)", "It changes files outside the registry's folder: registry",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, base)
			number := d.open("topic", tt.change)
			if tt.since != nil {
				d.push("main", "", tt.since)
			}
			v := d.review(number)
			if v.Conclusion != tt.want {
				t.Errorf("conclusion is %s, want %s", v.Conclusion, tt.want)
			}
			if diff := cmp.Diff(tt.found, found(v)); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", diff, v.Findings)
			}
			if diff := cmp.Diff(tt.why, why(v)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			check, ok := d.check(d.pull(number).HeadSHA)
			if !ok || check.Conclusion != tt.want {
				t.Errorf("check is %+v, %v", check, ok)
			}
			d.annotated(v, check, "topic")
			comment := d.comment(number)
			if !strings.Contains(comment, v.Title()) || !strings.Contains(comment, "**Next: ") {
				t.Errorf("comment does not say the verdict and whose turn it is:\n%s", comment)
			}
			d.still("a second review", func() { d.review(number) })
			if testing.Verbose() {
				t.Log(comment)
			}
		})
	}
}

// A report follows the branch: one comment, edited in place.
func TestOneComment(t *testing.T) {
	d := newDesk(t, nil)
	number := d.open("topic", map[string]string{dpg("new"): swap(t, entryFile("new", ""), "MIT", "Apache 2")})
	impostor := marker("review", "") + "\n## ✅ Good\n"
	if _, err := d.ada.Comment(t.Context(), number, impostor); err != nil {
		t.Fatal(err)
	}
	d.review(number)
	if got := d.comment(number); !strings.Contains(got, "1 thing to mend") {
		t.Errorf("comment is\n%s", got)
	}
	first := d.pull(number).HeadSHA
	d.push("topic", "", map[string]string{dpg("new"): entryFile("new", "")})
	d.review(number)
	if got := d.comment(number); !strings.Contains(got, "## ✅ Good\n") {
		t.Errorf("comment is\n%s", got)
	}
	if c, _ := d.check(first); c.Conclusion != forge.Failure {
		t.Errorf("the check of the first commit became %s", c.Conclusion)
	}
	want := []string{"set check", "suggest", "comment", "add labels", "set check", "edit comment", "add labels", "remove label", "remove label"}
	if diff := cmp.Diff(want, d.writes.done); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	all, err := d.local.Comments(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Body != impostor {
		t.Errorf("somebody else's comment was touched: %+v", all)
	}
	d.still("a third review", func() { d.review(number) })
	// Somebody with write access edits it: the next run mends it.
	if err := d.local.EditComment(t.Context(), number, all[1].ID, marker("review", "")+"\n## ✅ Perfect\n"); err != nil {
		t.Fatal(err)
	}
	d.review(number)
	if got := d.comment(number); !strings.Contains(got, "## ✅ Good\n") {
		t.Errorf("comment is\n%s", got)
	}
}

// Who proposes what is there already is led to it.
func TestNewDuplicate(t *testing.T) {
	d := newDesk(t, entries(2))
	for name, tt := range map[string]struct{ id, want string }{
		"a new one":  {"aaa", `then edit "registry/dpgs/e001.yaml" instead`},
		"an old one": {"e000", `keep one and give the other stage "renamed"`},
	} {
		v := d.review(d.open("b-"+tt.id, map[string]string{dpg(tt.id): swap(t, entryFile(tt.id, ""), "name: Clinic "+tt.id, "name: Clinic e001")}))
		if len(v.Findings) != 1 || v.Findings[0].Rule != "duplicate" || !strings.Contains(v.Findings[0].Hint, tt.want) {
			t.Errorf("%s: findings are %+v, want the hint %q", name, v.Findings, tt.want)
		}
	}
}

func TestNothingToReview(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(d *desk) int
		log     string
	}{
		{"closed", func(d *desk) int {
			n := d.open("topic", map[string]string{dpg("new"): "x"})
			if err := d.ada.ClosePullRequest(d.t.Context(), n, ""); err != nil {
				d.t.Fatal(err)
			}
			return n
		}, "is closed"},
		{"merged", func(d *desk) int {
			n := d.open("topic", map[string]string{dpg("new"): entryFile("new", "")})
			d.merge("topic")
			return n
		}, "is merged"},
		{"for another branch, whose policy is lax", func(d *desk) int {
			d.push("lax", "refs/heads/main", map[string]string{"registry/policy.yaml": policyFile("severities: {license-id: 'off'}\n")})
			d.push("topic", "refs/heads/lax", map[string]string{dpg("new"): swap(d.t, entryFile("new", ""), "MIT", "Apache 2")})
			pr, err := d.ada.Open(d.t.Context(), forge.NewPullRequest{Title: "t", Head: "topic", Base: "lax"})
			if err != nil {
				d.t.Fatal(err)
			}
			return pr.Number
		}, `for branch "lax"`},
		{"a registry whose settings leave reviews out", func(d *desk) int {
			d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [assess]}\n")})
			return d.open("topic", map[string]string{dpg("new"): "x", "registry/registry.yaml": settingsFile("")})
		}, "bot.behaviours"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil)
			number := tt.prepare(d)
			d.still("review", func() {
				if v := d.review(number); v != nil {
					t.Errorf("verdict is %+v", v)
				}
			})
			if !d.logged(tt.log) {
				t.Errorf("the log does not say %q: %q", tt.log, d.log)
			}
		})
	}
	d := newDesk(t, nil)
	if _, err := d.bot.Review(t.Context(), 99); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Review of a pull request that is not there: %v", err)
	}
}

func TestReviewErrors(t *testing.T) {
	d := newDesk(t, nil)
	other := d.open("topic", map[string]string{dpg("new"): entryFile("new", "")})
	d.git("", "update-ref", "-d", "refs/heads/main")
	if _, err := d.bot.Review(t.Context(), other); err == nil || !strings.Contains(err.Error(), `base branch "main" is gone`) {
		t.Errorf("Review without a base: %v", err)
	}
}

// A change and its undoing: there are commits and no change.
func TestEmptyPullRequest(t *testing.T) {
	d := newDesk(t, nil)
	number := d.open("topic", map[string]string{dpg("new"): "x"})
	d.push("topic", "", map[string]string{dpg("new"): gone})
	v := d.review(number)
	if v.Conclusion != forge.Success || v.Files != 0 || !strings.Contains(d.comment(number), "## ✅ Nothing in the registry changes\n") {
		t.Errorf("verdict is %+v, comment\n%s", v, d.comment(number))
	}
}

// The bot's own files may come from a contributor if they say what the bot would.
func TestAssessmentsInPullRequests(t *testing.T) {
	aid := longFile(t, "aid", "")
	d := newDesk(t, map[string]string{dpg("aid"): aid, dpg("old"): swap(t, entryFile("old", ""), "nominee", "archived")})
	d.sync()
	d.merge("dpg-bot/assess")
	right := d.file("main", assessment("aid")) + "\n"
	stale := swap(t, right, "dpg/aid", "dpg/old")
	const byHand = "It changes files that the bot writes, to something the bot would not write: "
	for _, tt := range []struct {
		name   string
		change map[string]string
		want   forge.Conclusion
		why    []string
	}{
		{"with its entry, as the bot would", map[string]string{
			dpg("new"): entryFile("new", ""), assessment("new"): derived(t, d, "new"),
		}, forge.Success, nil},
		{"strength by hand", map[string]string{assessment("aid"): swap(t, right, "strength: 2", "strength: 1")},
			forge.Neutral, []string{byHand + assessment("aid")}},
		{"praise by hand", map[string]string{assessment("aid"): swap(t, right, "text: ", "text: The best. ")},
			forge.Neutral, []string{byHand + assessment("aid")}},
		{"deleted", map[string]string{assessment("aid"): gone}, forge.Neutral, []string{byHand + assessment("aid")}},
		{"deleted with its entry archived", map[string]string{
			assessment("aid"): gone, dpg("aid"): swap(t, aid, "nominee", "archived"),
		}, forge.Neutral, []string{"It takes an entry out of the lists of the catalog: dpg/aid (archived)"}},
		{"for an archived entry", map[string]string{assessment("old"): stale}, forge.Neutral, []string{byHand + assessment("old")}},
		{"beside no entry", map[string]string{"registry/assessments/dpgs/a/aid.yaml": right},
			forge.Failure, []string{byHand + "registry/assessments/dpgs/a/aid.yaml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			branch := "topic-" + strings.ReplaceAll(strings.ReplaceAll(tt.name, " ", "-"), ",", "")
			number := d.open(branch, tt.change)
			v := d.review(number)
			if v.Conclusion != tt.want {
				t.Errorf("conclusion is %s, want %s: %v", v.Conclusion, tt.want, v.Findings)
			}
			if diff := cmp.Diff(tt.why, why(v)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// longFile is an entry whose description is so long that the bot makes a summary.
func longFile(t *testing.T, id, more string) string {
	return swap(t, entryFile(id, more), "needs little power.", "needs little power. "+strings.Repeat("It has been in use for years. ", 10))
}

// derived is the assessment that the bot writes for an entry of that id.
func derived(t *testing.T, d *desk, id string) string {
	t.Helper()
	other := newDesk(t, map[string]string{dpg(id): entryFile(id, "")})
	other.sync()
	return other.file("dpg-bot/assess", assessment(id)) + "\n"
}

// A lock keeps what the base has, and only that.
func TestLockedAssessment(t *testing.T) {
	lock := "decisions: [{ruling: lock, on: summary, by: {github: ada, id: 1}, as: registry, date: 2026-02-01, reason: It is good.}]\n"
	d := newDesk(t, map[string]string{dpg("aid"): longFile(t, "aid", "")})
	d.sync()
	d.merge("dpg-bot/assess")
	d.push("main", "", map[string]string{dpg("aid"): longFile(t, "aid", lock)})
	d.sync()
	d.merge("dpg-bot/assess")
	right := d.file("main", assessment("aid")) + "\n"
	worse := d.open("worse", map[string]string{assessment("aid"): swap(t, right, "text: ", "text: The best. ")})
	if v := d.review(worse); v.Conclusion != forge.Neutral {
		t.Errorf("a locked summary was changed by hand: %s", v.Conclusion)
	}
}

// A kind that the base does not use is not judged as if it did.
func TestKindNotInUse(t *testing.T) {
	d := newDesk(t, map[string]string{"registry/registry.yaml": swap(t, settingsFile(""), "[dpg, resource]", "[resource]")})
	number := d.open("topic", map[string]string{dpg("new"): entryFile("new", ""), "registry/registry.yaml": settingsFile("")})
	v := d.review(number)
	if diff := cmp.Diff([]string{dpg("new") + " file-name error"}, found(v)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestRegistryAtTheRoot(t *testing.T) {
	root := map[string]string{}
	for name, text := range smallRegistry {
		root[strings.TrimPrefix(name, "registry/")] = text
	}
	root["dpgs/aid.yaml"] = entryFile("aid", "")
	d := emptyDesk(t)
	d.bot.Folder = "."
	d.push("main", "", root)
	number := d.open("topic", map[string]string{"dpgs/new.yaml": swap(t, entryFile("new", ""), "MIT", "Apache 2"), "dpgs/aid.yaml": gone, "README.md": "x"})
	v := d.review(number)
	if diff := cmp.Diff([]string{"dpgs/aid.yaml entry-deleted error", "dpgs/new.yaml license-id error"}, found(v)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"It changes files that are not entries: README.md"}, why(v)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	s := d.sync()
	if s.Findings.Errors > 0 || s.Proposed != 1 || s.Catalog == nil {
		t.Errorf("Sync: %+v", s)
	}
	if diff := cmp.Diff([]string{"A\tassessments/dpgs/aid.yaml"}, d.proposed("dpg-bot/assess")); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	if c, _ := d.check(d.head("dpg-bot/assess")); c.Conclusion != forge.Success {
		t.Errorf("the check of the bot's own pull request is %q", c.Conclusion)
	}
}

// A report on hundreds of files is one that a forge takes and a reader bears.
func TestLargePullRequest(t *testing.T) {
	d := newDesk(t, nil)
	files := map[string]string{}
	for i := range 300 {
		id := fmt.Sprintf("e%03d-%s", i, strings.Repeat("long-", 20)+"x")
		text := swap(t, swap(t, entryFile(id, ""), "MIT", strings.Repeat("Ünbekannte Lizenz `` ", 20)+id), "[software]", "[software, 🐘🐘🐘🐘]")
		files[dpg(id)] = swap(t, text, "Free software", "Überall "+strings.Repeat("🐘", 3000)+" free software")
	}
	number := d.open("topic", files)
	v := d.review(number)
	comment := d.comment(number)
	if len(comment) > maxBytes || !utf8.ValidString(comment) || !strings.HasSuffix(comment, "</sub>\n") {
		t.Errorf("comment has %d bytes and ends in %q", len(comment), comment[max(0, len(comment)-100):])
	}
	if opened, closed := strings.Count(comment, "<details>"), strings.Count(comment, "</details>"); opened != closed {
		t.Errorf("%d folds are opened and %d closed", opened, closed)
	}
	for _, want := range []string{fmt.Sprintf("%d things to mend", diag.Tally(v.Findings).Errors), "more: `dpg validate` lists them all.", "changed entries are without a preview here."} {
		if !strings.Contains(comment, want) {
			t.Errorf("comment does not say %q", want)
		}
	}
	if c, _ := d.check(d.pull(number).HeadSHA); len(c.Annotations) != maxAnnotations || len(c.Summary) > maxBytes {
		t.Errorf("check has %d annotations and a summary of %d bytes", len(c.Annotations), len(c.Summary))
	}
	d.still("a second review", func() { d.review(number) })
}

// Previews are left out before the end of the report is.
func TestLongPreviews(t *testing.T) {
	long := strings.Repeat("🐘", 500)
	p := Preview{Entry: &entry.Entry{Name: long}, Text: long, Assessment: &assess.Assessment{}, Names: map[string]string{}}
	for i := range 2 * maxMappings {
		p.Assessment.Mappings = append(p.Assessment.Mappings, assess.Mapping{
			Code: fmt.Sprintf("needs/%d", i), Strength: 2, Review: assess.Review{State: assess.StateProposed},
			Evidence: []assess.Evidence{{Pointer: "/description", Quote: long}},
		})
	}
	v := &Verdict{Conclusion: forge.Success, Previews: slices.Repeat([]Preview{p}, maxPreviews), Entries: 300, Files: 300}
	comment := v.comment(forge.PullRequest{Base: "main", HeadSHA: strings.Repeat("0", 40)})
	shown := strings.Count(comment, "### ")
	if len(comment) > maxBytes || shown == 0 || shown == maxPreviews || !strings.HasSuffix(comment, "</sub>\n") {
		t.Errorf("%d previews in %d bytes", shown, len(comment))
	}
	for _, want := range []string{fmt.Sprintf("%d changed entries are without a preview here.", 300-shown), fmt.Sprintf("- and %d more\n", maxMappings)} {
		if !strings.Contains(comment, want) {
			t.Errorf("comment does not say %q", want)
		}
	}
}

// Somebody may push a branch with a history of its own over the one that they
// proposed. The answer is to them; an error would be tried again and again, and keep
// others waiting.
func TestHistoryOfItsOwn(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("aid"): entryFile("aid", "")})
	number := d.open("topic", map[string]string{dpg("new"): entryFile("new", "")})
	tree := d.git("", "mktree")
	d.git("", "update-ref", "refs/heads/topic", d.git("", "commit-tree", "-m", "alone", tree))
	v := d.review(number)
	if diff := cmp.Diff([]string{"registry base-apart error"}, found(v)); diff != "" || v.Conclusion != forge.Failure {
		t.Errorf("conclusion %s; findings (-want +got):\n%s", v.Conclusion, diff)
	}
	if diff := cmp.Diff([]string(nil), why(v)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if comment := d.comment(number); !strings.Contains(comment, "shares no commit") || !strings.Contains(comment, "**Next: you.**") {
		t.Errorf("the comment is %q", comment)
	}
	d.still("a second review", func() { d.review(number) })
	d.people()
	d.says("ada", number, "/dpg fix\n/dpg assess\n/dpg validate")
	d.respond(number)
	if answer := d.lastAnswer(number); strings.Contains(answer, "Done") {
		t.Errorf("the answer is %q", answer)
	}
}

// An entry that is removed has no name any more, and one that says nothing no preview.
func TestPreviewOfLittle(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("aid"): entryFile("aid", "")})
	number := d.open("topic", map[string]string{
		dpg("aid"):   "schema: dpg/v1\nid: aid\nstatus: {stage: removed, as_of: 2026-02-01, reason: Asked for.}\n",
		dpg("blank"): "schema: dpg/v1\nx: y\n",
	})
	d.review(number)
	comment := d.comment(number)
	if n := strings.Count(comment, "### "); n != 1 || !strings.Contains(comment, "show `aid`\n\nstage `removed`\n") || strings.Contains(comment, "(blank)") {
		t.Errorf("the comment has %d previews: %s", n, comment)
	}
}

// What a forge refuses must not keep a report from being written.
func TestReportOfWhatAForgeRefuses(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	d := newDesk(t, nil)
	number := d.open("topic", map[string]string{
		dpg("\xff\nnew"): entryFile("new", ""),
		dpg("new"):       swap(t, entryFile("new", ""), "MIT", long),
		dpg("blank"):     "",
	})
	if v := d.review(number); v.Conclusion != forge.Failure {
		t.Errorf("conclusion is %s", v.Conclusion)
	}
	if !strings.Contains(d.comment(number), "to mend") {
		t.Error("there is no comment")
	}
	d.still("a second review", func() { d.review(number) })
}
