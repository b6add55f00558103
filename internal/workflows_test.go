package internal

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/template"
)

// What a workflow may not do, beyond what actionlint looks at.

type workflow struct {
	On          yaml.Node      `yaml:"on"`
	Permissions yaml.Node      `yaml:"permissions"`
	Concurrency map[string]any `yaml:"concurrency"`
	Env         yaml.Node      `yaml:"env"`
	Defaults    yaml.Node      `yaml:"defaults"`
	Jobs        map[string]job `yaml:"jobs"`
}

type job struct {
	Uses        string    `yaml:"uses"`
	Permissions yaml.Node `yaml:"permissions"`
	Timeout     int       `yaml:"timeout-minutes"`
	Steps       []step    `yaml:"steps"`
}

type step struct {
	Uses string               `yaml:"uses"`
	Run  string               `yaml:"run"`
	With map[string]yaml.Node `yaml:"with"`
	Env  map[string]yaml.Node `yaml:"env"`
}

var pinned = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[0-9a-f]{40}$`)

// breaches are the rules that a workflow breaks, in words. Untrusted are the
// triggers that strangers set off while the token may write.
func breaches(data []byte) []string {
	var w workflow
	if err := yaml.Unmarshal(data, &w); err != nil {
		return []string{err.Error()}
	}
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	on := map[string]yaml.Node{}
	if w.On.Kind == yaml.MappingNode {
		_ = w.On.Decode(&on)
	} else { // a word, or a list of words
		for _, word := range regexp.MustCompile(`[a-z_]+`).FindAllString(flat(&w.On), -1) {
			on[word] = yaml.Node{}
		}
	}
	if _, ok := on["pull_request_target"]; ok {
		say("it runs on pull_request_target, with rights and on a stranger's word")
	}
	if grants := scopes(&w.Permissions); !slices.Equal(grants, []string{"contents: read"}) && !slices.Equal(grants, []string{"none"}) {
		say("at the top its permissions are %q; only contents: read may stand there", grants)
	}
	if w.Concurrency["group"] == nil {
		say("it names no concurrency group")
	}
	_, untrusted := on["pull_request"]
	_, trusted := on["workflow_run"]
	for _, id := range slices.Sorted(maps.Keys(w.Jobs)) {
		j := w.Jobs[id]
		grants := scopes(&j.Permissions)
		if len(grants) == 0 {
			say("job %s does not name its permissions", id)
		}
		writes := false
		for _, g := range grants {
			if g == "write-all" || g == "read-all" {
				say("job %s asks for %s", id, g)
			}
			writes = writes || strings.HasSuffix(g, ": write") || g == "write-all"
		}
		if untrusted && writes {
			say("job %s may write, and a pull request may change what it does", id)
		}
		if j.Timeout == 0 {
			say("job %s has no timeout-minutes", id)
		}
		if j.Uses != "" {
			say("job %s runs a workflow of elsewhere", id)
		}
		secrets := false
		for i, s := range j.Steps {
			where := fmt.Sprintf("job %s, step %d", id, i+1)
			if s.Uses != "" && s.Uses != "./" && !pinned.MatchString(s.Uses) {
				say("%s uses %s, which is not pinned to a commit", where, s.Uses)
			}
			if strings.Contains(s.Run, "${{") {
				say("%s puts an expression into a script; hand it over in env", where)
			}
			for _, n := range s.Env {
				secrets = secrets || strings.Contains(flat(&n), "secrets.")
			}
			for _, n := range s.With {
				secrets = secrets || strings.Contains(flat(&n), "secrets.")
			}
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				if keep := s.With["persist-credentials"]; keep.Value != "false" {
					say("%s leaves the token on disk; persist-credentials: false", where)
				}
				for _, key := range []string{"ref", "repository"} {
					if _, ok := s.With[key]; ok && trusted {
						say("%s checks out %s, and may run what a stranger wrote", where, key)
					}
				}
			}
			if trusted && regexp.MustCompile(`git +(fetch|checkout|clone|pull)|gh +pr +checkout|download`).MatchString(s.Run+" "+s.Uses) {
				say("%s takes something from the run that a stranger started", where)
			}
		}
		if secrets && writes {
			say("job %s holds a secret and may write; give each to a job of its own", id)
		}
		if secrets && (untrusted || trusted) {
			say("job %s hands a secret to what a stranger's pull request starts", id)
		}
	}
	if !w.Env.IsZero() && strings.Contains(flat(&w.Env), "${{") {
		say("env at the top holds an expression; give it to the step that needs it")
	}
	return out
}

// scopes are the permissions that a block grants: "none" for an empty one, nothing
// where there is no block.
func scopes(n *yaml.Node) []string {
	switch {
	case n.IsZero():
		return nil
	case n.Kind != yaml.MappingNode:
		return []string{n.Value}
	case len(n.Content) == 0:
		return []string{"none"}
	}
	var out []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, n.Content[i].Value+": "+n.Content[i+1].Value)
	}
	return out
}

func flat(n *yaml.Node) string {
	out := n.Value
	for _, c := range n.Content {
		out += " " + flat(c)
	}
	return out
}

func TestWorkflowsKeepTheRules(t *testing.T) {
	names, err := filepath.Glob("../.github/workflows/*.y*ml")
	if err != nil || len(names) < 8 {
		t.Fatalf("found the workflows %q, want at least 8 (%v)", names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range breaches(data) {
			t.Errorf("%s: %s", filepath.Base(name), b)
		}
	}
}

func TestTemplateWorkflowsKeepTheRules(t *testing.T) {
	files, err := template.Files(template.Options{
		Name: "R", Publisher: "P", Language: "en", Action: "dpg-registry/dpg-registry@" + strings.Repeat("ab", 20) + " # v1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, data := range files {
		if !strings.HasPrefix(name, ".github/workflows/") {
			continue
		}
		seen++
		if strings.Contains(string(data), "uses: ./") {
			t.Errorf("%s uses an Action of its own repository, which has none", name)
		}
		for _, b := range breaches(data) {
			t.Errorf("%s of the template: %s", name, b)
		}
	}
	if seen < 6 {
		t.Errorf("the template has %d workflows, want 6", seen)
	}
}

// Each rule, broken.
func TestWorkflowRulesBite(t *testing.T) {
	const good = `
on: {pull_request: {}}
permissions: {contents: read}
concurrency: {group: x}
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {persist-credentials: false}
      - run: echo "$TITLE"
        env: {TITLE: "${{ github.event.pull_request.title }}"}
`
	if got := breaches([]byte(good)); len(got) > 0 {
		t.Fatalf("a good workflow breaks %q", got)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"trigger with rights", "{pull_request: {}}", "pull_request_target", "pull_request_target"},
		{"trigger with rights in a list", "{pull_request: {}}", "[push, pull_request_target]", "pull_request_target"},
		{"all rights", "permissions: {contents: read}\nconcurrency", "permissions: write-all\nconcurrency", "at the top"},
		{"no rights named", "permissions: {contents: read}\nconcurrency", "concurrency", "at the top"},
		{"no rights named in a job", "    permissions: {contents: read}\n", "", "does not name its permissions"},
		{"a stranger's workflow that writes", "    permissions: {contents: read}", "    permissions: {contents: read, checks: write}", "may write"},
		{"no concurrency", "concurrency: {group: x}\n", "", "concurrency"},
		{"no end", "    timeout-minutes: 5\n", "", "timeout-minutes"},
		{"a tag", "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "not pinned"},
		{"a short commit", "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@3d3c42e", "not pinned"},
		{"a container", "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "docker://alpine:3", "not pinned"},
		{"credentials on disk", "{persist-credentials: false}", "{fetch-depth: 0}", "persist-credentials"},
		{"an expression in a script", `echo "$TITLE"`, `echo "${{ github.event.pull_request.title }}"`, "expression"},
		{"a checkout of the head", "on: {pull_request: {}}", "on: {workflow_run: {}}", ""},
		{"a secret for strangers", `"${{ github.event.pull_request.title }}"`, `"${{ secrets.KEY }}"`, "secret"},
		{"another's workflow", "    timeout-minutes: 5", "    timeout-minutes: 5\n    uses: o/r/.github/workflows/x.yml@main", "elsewhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.from, tt.to, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			if tt.want == "" { // the same workflow is safe until it takes the head
				if got := breaches([]byte(text)); len(got) > 0 {
					t.Fatalf("got %q, want none", got)
				}
				text = strings.Replace(text, "persist-credentials: false", "persist-credentials: false, ref: '${{ github.event.workflow_run.head_sha }}'", 1)
				tt.want = "checks out ref"
			}
			if got := strings.Join(breaches([]byte(text)), "\n"); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q among them", got, tt.want)
			}
		})
	}
}

// The Action hands every input over in the environment, and pins what it uses.
func TestActionKeepsTheRules(t *testing.T) {
	data, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Inputs  map[string]struct{ Description string } `yaml:"inputs"`
		Outputs map[string]struct{ Description, Value string }
		Runs    struct{ Steps []step }
	}
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	if want := []string{"catalog", "findings", "pull-request-number", "pull-request-url", "report"}; !slices.Equal(slices.Sorted(maps.Keys(a.Outputs)), want) {
		t.Errorf("the outputs are %q, want %q", slices.Sorted(maps.Keys(a.Outputs)), want)
	}
	handed := map[string]bool{}
	for i, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %d puts an expression into a script", i+1)
		}
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("step %d uses %s, which is not pinned to a commit", i+1, s.Uses)
		}
		for name, n := range s.Env {
			input, ok := strings.CutPrefix(n.Value, "${{ inputs.")
			if !ok {
				continue
			}
			input = strings.TrimSuffix(input, " }}")
			handed[input] = true
			if want := "INPUT_" + strings.ToUpper(strings.ReplaceAll(input, "-", "_")); name != want {
				t.Errorf("input %q is handed over as %s, want %s", input, name, want)
			}
		}
	}
	script := ""
	for _, name := range []string{"get.sh", "run.sh"} {
		text, err := os.ReadFile("action/" + name)
		if err != nil {
			t.Fatal(err)
		}
		script += string(text)
	}
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for name, input := range a.Inputs {
		if !kebab.MatchString(name) || input.Description == "" {
			t.Errorf("input %q is not in kebab-case, or not described", name)
		}
		if !handed[name] || !strings.Contains(script, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))) {
			t.Errorf("input %q reaches no script", name)
		}
	}
	if strings.Contains(script, "eval ") {
		t.Error("a script evaluates text")
	}
}

// What ACTION.md says a command needs is what the workflows ask for.
func TestActionPermissionsAreThoseOfTheWorkflows(t *testing.T) {
	page, err := os.ReadFile("../.github/ACTION.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	asked := map[string]bool{} // COMMAND FILE
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !strings.HasPrefix(line, "| `") {
			continue
		}
		command := quoted.FindStringSubmatch(cells[0])[1]
		file := quoted.FindStringSubmatch(cells[3])
		if file == nil {
			continue
		}
		var want []string
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			want = append(want, m[1])
		}
		data, err := os.ReadFile("../.github/workflows/" + file[1])
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(data, &w); err != nil {
			t.Fatal(err)
		}
		for id, j := range w.Jobs {
			for _, s := range j.Steps {
				if n := s.With["command"]; s.Uses != "./" || n.Value != command {
					continue
				}
				asked[command+" "+file[1]] = true
				got := scopes(&j.Permissions)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s: job %s with command %s asks for %q; ACTION.md says %q", file[1], id, command, got, want)
				}
			}
		}
	}
	if len(asked) < 5 {
		t.Errorf("ACTION.md and the workflows agree on %v; want 5 of them", asked)
	}
}
