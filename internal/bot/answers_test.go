package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// handedOver gives the assessment files of a registry as a run with a model leaves
// them, each changed as wished; a model finds in each entry what its words do say.
func handedOver(t *testing.T, files map[string]string, change func(id string, a *assess.Answer)) map[string]string {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, all := range []map[string]string{smallRegistry, files} {
		for name, text := range all {
			if rel, in := strings.CutPrefix(name, "registry/"); in {
				fsys[rel] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
			}
		}
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(fsys), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	asker, engine := assess.NewAsker(reg.Frameworks, reg.Settings), assess.NewOffline(reg.Frameworks)
	out := map[string]string{}
	for _, d := range reg.Docs {
		a := &assess.Answer{
			Name: "m", Prompt: assess.PromptVersion, Key: asker.Question(d.Entry).Key("m"),
			Mappings: []assess.Finding{{Code: "needs/N2", Strength: 2, Evidence: []assess.Evidence{{Pointer: "/description", Quote: "keeps patient records on a tablet"}}}},
		}
		if change != nil {
			change(d.Ref.ID, a)
		}
		_, data, err := engine.DeriveWith(reg, d, nil, a)
		if err != nil {
			t.Fatal(err)
		}
		out[d.AssessmentPath(reg.Prefix)] = string(data)
	}
	return out
}

// handOver puts files into a folder for the next sync; "-> X" is a link to X.
func (d *desk) handOver(files map[string]string) {
	d.t.Helper()
	dir := d.t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			d.t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(text, "-> "); link {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { root.Close() })
	d.bot.Answers = registry.FromFS(root.FS())
}

// What a model answered is proposed once, stays proposed when no run brings it
// again, lands, and stays on main.
func TestSyncProposesAnswers(t *testing.T) {
	files := entries(3)
	d := newDesk(t, files)
	given := handedOver(t, files, nil)
	delete(given, "assessments/dpgs/e002.yaml")
	d.handOver(given)
	if s := d.sync(); s.Proposed != 3 {
		t.Errorf("%+v", s)
	}
	if got := d.file(botBranch, assessment("e000")); got+"\n" != given["assessments/dpgs/e000.yaml"] || !strings.Contains(got, "- model") {
		t.Errorf("proposed:\n%s\nwant:\n%s", got, given["assessments/dpgs/e000.yaml"])
	}
	if got := d.file(botBranch, assessment("e002")); strings.Contains(got, "model") {
		t.Errorf("an answer that was not given is proposed:\n%s", got)
	}
	pr := d.onlyPull()
	if c, _ := d.check(pr.HeadSHA); c.Conclusion != forge.Success {
		t.Errorf("the check of the bot's own pull request is %q: %s", c.Conclusion, c.Summary)
	}
	d.still("the same again", func() { d.sync() })
	d.bot.Answers = nil
	d.still("a sync without the folder", func() { d.sync() })

	d.merge(botBranch)
	d.sync()
	if open := d.pulls(forge.Open); len(open) > 0 {
		t.Errorf("after the merge %d pull requests are open", len(open))
	}

	// Other words: the answer was about others, and goes by a proposal.
	d.push("main", "", map[string]string{dpg("e000"): swap(t, files[dpg("e000")], "small clinics", "big clinics")})
	d.sync()
	if got := d.file(botBranch, assessment("e000")); strings.Contains(got, "model") {
		t.Errorf("an answer about other words stays:\n%s", got)
	}
}

// Anything may lie in the folder. The bot takes what the entries' words bear out,
// names the rest, and comes to the assessment by itself.
func TestSyncTakesNothingHostile(t *testing.T) {
	files := entries(9)
	good := handedOver(t, files, nil)["assessments/dpgs/e000.yaml"]
	at := func(id string) string { return "assessments/dpgs/" + id + ".yaml" }
	of := func(id string, change func(*assess.Answer)) string {
		return handedOver(t, files, func(is string, a *assess.Answer) {
			if is == id {
				change(a)
			}
		})[at(id)]
	}
	quote := func(text, was, is string) string { return swap(t, text, was, is) }
	all := handedOver(t, files, nil)
	given := map[string]string{
		at("e000"):                           good,
		at("e001"):                           quote(all[at("e001")], "state: proposed", "state: confirmed_by_registry"),
		at("e002"):                           quote(all[at("e002")], "needs/N2", "needs/N9"),
		at("e003"):                           quote(all[at("e003")], "keeps patient records on a tablet", "keeps patient records on an island"),
		at("e004"):                           "-> ../../../../../../../../../../etc/passwd",
		at("e005"):                           all[at("e005")] + strings.Repeat("# more\n", 1<<18),
		at("e006"):                           quote(all[at("e006")], "entry: dpg/e006", "entry: dpg/e000"),
		at("e007"):                           "\x00\xff\x1b[2J{{{ &a [*a, *a]",
		at("e008"):                           of("e008", func(a *assess.Answer) { a.Key = strings.Repeat("0", 64) }) + "model: {name: m, prompt: prompt/1, key: " + strings.Repeat("0", 64) + ", mappings: []}\n",
		at("nobody"):                         good,
		"assessments/../dpgs/e000.yaml":      entryFile("e000", ""),
		"assessments/dpgs/e000.yaml.sh":      "rm -rf /",
		"assessments/dpgs/\x1b[31m\n::error": "x",
		"dpgs/e000.yaml":                     entryFile("e000", "stewards: [{github: mallory, id: 666}]\n"),
		"registry.yaml":                      settingsFile(""),
		".github/workflows/x.yml":            "on: push",
		"link":                               "-> /",
	}
	d := newDesk(t, files)
	d.handOver(given)
	d.sync()
	plain := newDesk(t, files)
	plain.sync()
	for i, name := range []string{"e001", "e002", "e003", "e004", "e005", "e006", "e007", "e008"} {
		got := d.file(botBranch, assessment(name))
		if i == 0 { // the answer stands, the state does not
			if got+"\n" != all[at(name)] {
				t.Errorf("%s:\n%s", name, got)
			}
			continue
		}
		if i <= 2 { // an answer of which nothing stands
			if !strings.Contains(got, "dropped: ") || strings.Contains(got, "- model") {
				t.Errorf("%s:\n%s", name, got)
			}
			continue
		}
		if want := plain.file(botBranch, assessment(name)); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
	if got := d.file(botBranch, assessment("e000")); got+"\n" != good {
		t.Errorf("the good one:\n%s", got)
	}
	if n := len(d.proposed(botBranch)); n != 9 {
		t.Errorf("%d files are proposed: %v", n, d.proposed(botBranch))
	}
	log := strings.Join(d.log, "\n")
	for _, want := range []string{
		`not taken from "assessments/dpgs/e001.yaml": "needs/N2": review state "confirmed_by_registry" is not "proposed", which the entry's decisions give`,
		`not taken from "assessments/dpgs/e002.yaml": "needs/N9": framework "needs" has no code "N9"`,
		`not taken from "assessments/dpgs/e003.yaml": "needs/N2" at "/description" "keeps patient records on an island": the words do not stand in the field`,
		`not taken from "assessments/dpgs/e004.yaml": it is no plain file`,
		`not taken from "assessments/dpgs/e005.yaml": it has `,
		`not taken from "assessments/dpgs/e006.yaml": entry "dpg/e000" is not "dpg/e006", which its place says`,
		`not taken from "assessments/dpgs/e007.yaml": it is not YAML`,
		`not taken from "assessments/dpgs/e008.yaml": `,
		`not taken from "assessments/dpgs/nobody.yaml": no live entry has its assessment there`,
		`not taken from "dpgs/e000.yaml": only files under assessments/ are taken`,
		`not taken from "registry.yaml": only files under assessments/ are taken`,
		`not taken from "link": only files under assessments/ are taken`,
		`not taken from "assessments/dpgs/\x1b[31m\n::error": no live entry has its assessment there`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
	body := d.onlyPull().Body
	for _, never := range []string{"mallory", "\x1b", "N9", "island"} {
		if strings.Contains(body, never) {
			t.Errorf("the body holds %q:\n%s", never, body)
		}
	}
}

// A model's answer in anybody else's pull request is nothing that the bot would write.
func TestReviewOfForgedAnswers(t *testing.T) {
	files := entries(1)
	d := newDesk(t, files)
	number := d.open("forged", map[string]string{assessment("e000"): handedOver(t, files, nil)["assessments/dpgs/e000.yaml"]})
	if v := d.review(number); v.Conclusion == forge.Success {
		t.Errorf("a forged answer passes: %s", d.comment(number))
	}
	if c := d.comment(number); !strings.Contains(c, "It changes files that the bot writes, to something the bot would not write") {
		t.Errorf("the comment is:\n%s", c)
	}
}
