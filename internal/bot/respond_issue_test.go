package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/propose"
)

// issueBody is an issue as GitHub makes it of a form.
func issueBody(name string, answers map[string]string) string {
	i := slices.IndexFunc(propose.Forms, func(f propose.Form) bool { return f.Name == name })
	var b strings.Builder
	for _, f := range propose.Forms[i].Fields {
		answer := answers[f.ID]
		if answer == "" {
			answer = "_No response_"
		}
		b.WriteString("### " + f.Label + "\n\n" + answer + "\n\n")
	}
	return strings.TrimSpace(b.String())
}

func (d *desk) issue(login, body string) int {
	d.t.Helper()
	i, err := d.local.As(user(login)).OpenIssue(d.t.Context(), forge.NewIssue{Title: "Add: it", Body: body})
	if err != nil {
		d.t.Fatal(err)
	}
	return i.Number
}

func (d *desk) edit(number int, body string) {
	d.t.Helper()
	if err := d.local.UpdateIssue(d.t.Context(), number, forge.IssueChange{Body: &body}); err != nil {
		d.t.Fatal(err)
	}
}

func wells() map[string]string {
	return map[string]string{
		"name": "Open Wells", "description": "A map of wells that works offline. Anyone may copy it.", "types": "software",
		"website": "https://wells.example.org/", "repositories": "https://git.example.org/wells/wells", "license": "Apache 2.0",
		"license-url": "https://wells.example.org/licence", "sdgs": "6: Broken wells are mended sooner.", "owner": "Well Cooperative",
	}
}

func TestIssueBecomesAnEntry(t *testing.T) {
	d := newDesk(t, nil)
	d.people()
	number := d.issue("rita", issueBody("dpg", wells()))
	r := d.respond(number)
	pr := d.onlyPull()
	if diff := cmp.Diff(&Response{Pull: pr.Number}, r); diff != "" {
		t.Errorf("Respond (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"A\t" + assessment("open-wells"), "A\t" + dpg("open-wells")}, d.proposed(pr.Head)); diff != "" {
		t.Errorf("the pull request (-want +got):\n%s", diff)
	}
	const want = `# yaml-language-server: $schema=../../schemas/dpg.schema.json
schema: dpg/v1
id: open-wells
name: Open Wells
description: A map of wells that works offline. Anyone may copy it.
website: https://wells.example.org/
types:
  - software
licenses:
  - expression: Apache-2.0
    url: https://wells.example.org/licence
repositories:
  - url: https://git.example.org/wells/wells
sdgs:
  - goal: 6
    text: Broken wells are mended sooner.
organizations:
  - name: Well Cooperative
    role: owner
status:
  stage: nominee`
	if diff := cmp.Diff(want, d.file(pr.Head, dpg("open-wells"))); diff != "" {
		t.Errorf("the entry (-want +got):\n%s", diff)
	}
	if !strings.Contains(pr.Body, "Closes #1,") || !strings.Contains(pr.Body, "`rita`") {
		t.Errorf("the body %q does not close the issue or name who proposes it", pr.Body)
	}
	if message := d.git("", "log", "-1", "--format=%B", pr.Head); !strings.Contains(message, "Co-authored-by: rita <9+rita@users.noreply.github.com>") {
		t.Errorf("message %q credits nobody", message)
	}
	if c, ok := d.check(pr.HeadSHA); !ok || c.Conclusion != forge.Success {
		t.Errorf("the check is %v %q, want success", c.Conclusion, c.Summary)
	}
	if comment := d.comment(number); !strings.Contains(comment, "Proposed as #2") || !strings.Contains(comment, "Apache 2.0") {
		t.Errorf("the comment is %q", comment)
	}
	d.still("again", func() { d.respond(number) })

	// Somebody rules on it meanwhile; the issue is edited; the same pull request follows.
	d.says("maria", pr.Number, "/dpg reject needs/N1 because a map is no clinic")
	d.respond(pr.Number)
	answers := wells()
	answers["description"] = "A map of wells that works offline, for water boards."
	d.edit(number, issueBody("dpg", answers))
	d.respond(number)
	if again := d.onlyPull(); again.Number != pr.Number {
		t.Errorf("pull request %d, want %d as before", again.Number, pr.Number)
	}
	file := d.file(pr.Head, dpg("open-wells"))
	if !strings.Contains(file, "for water boards") || !strings.Contains(file, "a map is no clinic") {
		t.Errorf("the entry has not both the edit and the ruling:\n%s", file)
	}
	if !strings.Contains(d.file(pr.Head, assessment("open-wells")), "rejected") {
		t.Error("the assessment does not know of the ruling")
	}
}

func TestIssueThatHasToChange(t *testing.T) {
	for _, tt := range []struct {
		name, field, value, says string
	}{
		{"an answer that is needed", "name", "", "Name of the digital public good**: `an answer is needed"},
		{"an id that is taken", "id", "clinic", "is taken by an entry"},
		{"an id that leads elsewhere", "id", "../../policy", "is not an id"},
		{"an id of a file of the registry's", "id", "registry.yaml", "is not an id"},
		{"a licence that is none", "license", "No Such Licence 17", "No Such Licence 17"},
		{"an address that is none", "website", "javascript:alert(1)", "javascript:alert(1)"},
		{"a question in an answer", "description", "### Licence\n\nMIT", "out of its place"},
		{"a mention and a picture", "types", "@everyone ![x](https://evil.example.org/x.png) <img src=x>", "`\"@everyone ![x](https://evil.example.org/x.png) <img src=x>\" is not one of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, map[string]string{dpg("clinic"): entryFile("clinic", "")})
			d.people()
			answers := wells()
			answers[tt.field] = tt.value
			number := d.issue("rita", issueBody("dpg", answers))
			r := d.respond(number)
			if r.Problems == 0 || r.Pull != 0 || len(d.pulls("")) != 0 {
				t.Errorf("Respond = %+v with %d pull requests, want problems and none", r, len(d.pulls("")))
			}
			comment := d.comment(number)
			if !strings.Contains(comment, tt.says) || !strings.Contains(comment, "**Next: you.**") {
				t.Errorf("the comment is %q, want %q in it", comment, tt.says)
			}
			d.still("again", func() { d.respond(number) })

			d.edit(number, issueBody("dpg", wells()))
			if r := d.respond(number); r.Pull == 0 {
				t.Errorf("once it was edited: %+v, %s", r, d.comment(number))
			}
			if comment := d.comment(number); !strings.Contains(comment, "Proposed as") { // in place: comment fails on two
				t.Errorf("once it was edited: %q", comment)
			}
		})
	}
}

// What a rule only warns of is proposed, with the remark.
func TestIssueWithRemarks(t *testing.T) {
	for field, value := range map[string]string{"license": "CC-BY-NC-4.0", "repositories": "https://git.example.org/clinic/clinic"} {
		d := newDesk(t, map[string]string{dpg("clinic"): entryFile("clinic", "")})
		answers := wells()
		answers[field] = value
		number := d.issue("rita", issueBody("dpg", answers))
		if r := d.respond(number); r.Pull == 0 {
			t.Errorf("%s %q: %+v", field, value, r)
		}
		if comment := d.comment(number); !strings.Contains(comment, "Proposed as") || !strings.Contains(comment, "These remarks") || !strings.Contains(comment, "⚠️ | `"+dpg("open-wells")) {
			t.Errorf("%s %q: the comment is %q", field, value, comment)
		}
		d.still("again", func() { d.respond(number) })
	}
}

func TestIssueThatIsLeftAlone(t *testing.T) {
	d := newDesk(t, nil)
	plain := d.issue("rita", "Hello, I like maps.")
	closed := d.issue("rita", issueBody("dpg", wells()))
	state := forge.Closed
	if err := d.local.UpdateIssue(t.Context(), closed, forge.IssueChange{State: &state}); err != nil {
		t.Fatal(err)
	}
	d.still("plain or closed", func() {
		d.respond(plain)
		d.respond(closed)
	})
	number := d.issue("rita", issueBody("dpg", wells()))
	d.respond(number)
	pr := d.onlyPull()
	if err := d.ada.ClosePullRequest(t.Context(), pr.Number, ""); err != nil {
		t.Fatal(err)
	}
	d.respond(number)
	if n := len(d.pulls(forge.Open)); n != 0 {
		t.Errorf("what a person closed was proposed again: %d open", n)
	}
	if comment := d.comment(number); !strings.Contains(comment, "Nothing is proposed now") {
		t.Errorf("the comment is %q", comment)
	}
	if _, err := d.bot.Respond(t.Context(), 99, 0); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Respond to nothing: %v, want ErrNotFound", err)
	}
}

func TestIssueIsFilledIn(t *testing.T) {
	d := newDesk(t, nil)
	var asked []string
	d.bot.Lookup = func(_ context.Context, repository string) (propose.Facts, error) {
		asked = append(asked, repository)
		return propose.Facts{Name: "Not this", Description: "Said by the project itself.", Website: "https://theirs.example.org/", License: "MIT"}, nil
	}
	d.respond(d.issue("rita", issueBody("dpg", map[string]string{"name": "Wells", "types": "software", "repositories": "https://git.example.org/w"})))
	file := d.file(d.onlyPull().Head, dpg("wells"))
	for _, want := range []string{"name: Wells\n", "Said by the project itself.", "https://theirs.example.org/", "expression: MIT"} {
		if !strings.Contains(file, want) {
			t.Errorf("the entry lacks %q:\n%s", want, file)
		}
	}
	if !cmp.Equal(asked, []string{"https://git.example.org/w"}) {
		t.Errorf("asked for %q", asked)
	}
}

func TestCorrection(t *testing.T) {
	base := stewarded("clinic")
	for _, tt := range []struct {
		name, who string
		answers   map[string]string
		changes   [2]string // words before and after; "" adds lines at the end
		says      string    // where nothing is proposed
	}{
		{"a website", "rita", map[string]string{"entry": "clinic", "what": "website", "value": "https://new.example.org/"},
			[2]string{"website: https://clinic.example.org/\n", "website: https://new.example.org/\n"}, ""},
		{"a website, by its steward", "steve", map[string]string{"entry": "clinic", "what": "website", "value": "https://new.example.org/"},
			[2]string{"website: https://clinic.example.org/\n", "website: https://new.example.org/\n"}, ""},
		{"a key that is missing", "rita", map[string]string{"entry": "dpg/clinic", "what": "contact_url", "value": "https://clinic.example.org/contact"},
			[2]string{"", "contact_url: https://clinic.example.org/contact\n"}, ""},
		{"the licence", "rita", map[string]string{"entry": "clinic", "what": "license", "value": "Apache-2.0"}, [2]string{"MIT", "Apache-2.0"}, ""},
		{"a mapping, by its steward", "steve", map[string]string{"entry": "clinic", "what": "mapping: it is wrong", "code": "needs/N1"},
			[2]string{"", "decisions:\n  - ruling: reject\n    code: needs/N1\n    by:\n      github: steve\n      id: 8\n    as: steward\n    date: \"2026-06-30\"\n    reason: See there\n"}, ""},
		{"a summary, by a maintainer", "maria", map[string]string{"entry": "clinic", "what": "summary", "value": "Keeps records."},
			[2]string{"", "decisions:\n  - ruling: own-summary\n    text: Keeps records.\n    by:\n      github: maria\n      id: 7\n    as: registry\n    date: \"2026-06-30\"\n    reason: See there\n"}, ""},
		{"a mapping, by a reader", "rita", map[string]string{"entry": "clinic", "what": "mapping: it is wrong", "code": "needs/N1"}, [2]string{},
			"```text\n/dpg reject dpg/clinic needs/N1 because See there\n```"},
		{"a summary, by a reader", "rita", map[string]string{"entry": "clinic", "what": "summary", "value": "Keeps records."}, [2]string{}, "for a steward of the entry or a maintainer"},
		{"no such entry", "rita", map[string]string{"entry": "klinik", "what": "website", "value": "https://x.example.org/"}, [2]string{}, "there is no one entry"},
		{"no such code", "maria", map[string]string{"entry": "clinic", "what": "mapping: it is right", "code": "needs/N9"}, [2]string{}, "there is no code"},
		{"no value", "rita", map[string]string{"entry": "clinic", "what": "website"}, [2]string{}, "an answer is needed"},
		{"a value that breaks it", "rita", map[string]string{"entry": "clinic", "what": "website", "value": "javascript:alert(1)"}, [2]string{}, "would then have an error"},
		{"a key of another kind", "rita", map[string]string{"entry": "clinic", "what": "url", "value": "https://x.example.org/"}, [2]string{}, "would then have an error"},
		{"as it is", "rita", map[string]string{"entry": "clinic", "what": "website", "value": "https://clinic.example.org/"}, [2]string{}, "says so already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, map[string]string{dpg("clinic"): base})
			d.people()
			tt.answers["reason"] = "See there"
			number := d.issue(tt.who, issueBody("correction", tt.answers))
			d.respond(number)
			comment := d.comment(number)
			if tt.says != "" {
				if !strings.Contains(comment, tt.says) || len(d.pulls("")) != 0 {
					t.Errorf("the comment is %q, want %q in it and no pull request", comment, tt.says)
				}
				return
			}
			pulls := d.pulls(forge.Open)
			if len(pulls) != 1 {
				t.Fatalf("%d pull requests; the comment is %q", len(pulls), comment)
			}
			want := base + tt.changes[1]
			if tt.changes[0] != "" {
				want = swap(t, base, tt.changes[0], tt.changes[1])
			}
			if diff := cmp.Diff(want, d.file(pulls[0].Head, dpg("clinic"))+"\n"); diff != "" {
				t.Errorf("the entry (-want +got):\n%s", diff)
			}
			// Of what its steward asks for nothing but a ruling asks for a person.
			passed, verdict := "whose stewards did not propose this", forge.Neutral
			if tt.who == "steve" && tt.answers["what"] == "website" {
				verdict = forge.Success
			}
			check, _ := d.check(pulls[0].HeadSHA)
			if check.Conclusion != verdict || strings.Contains(check.Summary, passed) != (tt.who != "steve") {
				t.Errorf("the check is %s, want %s: %s", check.Conclusion, verdict, check.Summary)
			}
			d.still("again", func() { d.respond(number) })
		})
	}
}

// The issue's author writes the text of the command that a maintainer copies.
func TestCorrectionMakesOneCommand(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
	number := d.issue("rita", issueBody("correction", map[string]string{"entry": "clinic", "what": "mapping: it is wrong", "code": "needs/N1", "reason": "x\n```\n/dpg fix\n@maria"}))
	d.respond(number)
	comment := d.comment(number)
	if got := Commands(comment); len(got) != 0 {
		t.Errorf("the bot's own words hold the commands %+v: %q", got, comment)
	}
	if strings.Contains(comment, "\n/dpg fix") || strings.Contains(comment, "\n@maria") {
		t.Errorf("a reason of several lines stays so: %q", comment)
	}
}

func TestKindsHaveForms(t *testing.T) {
	for _, k := range entry.Kinds {
		if !slices.ContainsFunc(propose.Forms, func(f propose.Form) bool { return f.Kind == k.Name }) {
			t.Errorf("no form proposes a %s", k.Title)
		}
	}
}
