package action_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
	"github.com/dpg-registry/dpg-registry/internal/propose"
)

// filesOf reads a folder, by slash-separated paths.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// documented are the permissions that .github/ACTION.md gives a command, as its table
// has them.
func documented(t *testing.T, command string) []string {
	t.Helper()
	text, err := os.ReadFile("../../.github/ACTION.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 4 && strings.TrimSpace(cells[1]) == command {
			var all []string
			for _, m := range regexp.MustCompile("`([a-z-]+: [a-z]+)`").FindAllStringSubmatch(cells[3], -1) {
				all = append(all, m[1])
			}
			return all
		}
	}
	t.Fatalf(".github/ACTION.md has no row for %s", command)
	return nil
}

// modelOf answers each question of a model's with one text.
func modelOf(t *testing.T, text string) string {
	t.Helper()
	content, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":{"total_tokens":900}}`, content)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// songs has no repository, so that nothing is fetched to observe it.
const songs = `schema: dpg/v1
id: songs
name: Songs
description: Songs that anybody may sing.
types: [content]
licenses:
  - {expression: CC-BY-4.0, url: https://example.org/LICENSE}
sdgs:
  - {goal: 4, text: Children learn them., evidence: [https://example.org/impact]}
status: {stage: nominee, as_of: 2026-01-15}
`

// Every command of the Action, with every input that it takes, to its end: the real
// script and programs, a token that may do what the documentation says and no more, and
// the outputs that the steps after it read.
func TestEveryCommand(t *testing.T) {
	t.Parallel()
	needs(t, "bash", "git")
	made := newRegistry(t)
	write(t, filepath.Join(made, "registry", "dpgs", "songs.yaml"), songs)
	s := githubtest.New(t, githubtest.Options{Files: filesOf(t, made), PageSize: 100})
	s.AddUser("ada", "write")
	fork := s.Fork("mallory")
	sha := fork.Commit("rivers", map[string]string{"registry/dpgs/rivers.yaml": mistaken}, "rivers")
	proposed := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "rivers"})
	var form strings.Builder
	answers := map[string]string{
		"name": "Open Wells", "description": "A map of wells that works offline. Anyone may copy it.", "types": "software",
		"website": "https://wells.example.org/", "license": "Apache 2.0", "license-url": "https://wells.example.org/licence",
		"sdgs": "6: Broken wells are mended sooner.", "owner": "Well Cooperative",
	}
	for _, f := range propose.Forms {
		for _, field := range f.Fields {
			if answer := answers[field.ID]; f.Name == "dpg" && answer != "" {
				fmt.Fprintf(&form, "### %s\n\n%s\n\n", field.Label, answer)
			}
		}
	}
	issue := s.OpenIssue("mallory", "Add: Open Wells", form.String())
	event := filepath.Join(t.TempDir(), "event.json")
	write(t, event, fmt.Sprintf(`{"action":"opened","issue":{"number":%d},"sender":{"login":"mallory","type":"User"},"repository":{"full_name":"octo/registry"}}`, issue))

	dir := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("git", "clone", "-q", s.Bare(), dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	pull := func(number int) map[string]string {
		return map[string]string{"pull-request-number": strconv.Itoa(number), "pull-request-url": s.URL() + "/octo/registry/pull/" + strconv.Itoa(number)}
	}
	with := func(more map[string]string, pairs ...string) map[string]string {
		for i := 0; i < len(pairs); i += 2 {
			more[pairs[i]] = pairs[i+1]
		}
		return more
	}
	for _, tt := range []struct {
		row  string // of the documentation
		env  []string
		code int
		log  string
		want map[string]string // outputs; "" is any value
		file string            // one that is made, in the folder
	}{
		{"`validate`", []string{"INPUT_AS_OF=2026-02-03", "INPUT_CHANGED_SINCE=HEAD", "INPUT_STRICT=true", "INPUT_FORMAT=markdown", "INPUT_OUT=report.md"}, 0, "as of 2026-02-03",
			map[string]string{"findings": "0", "report": "report.md"}, "report.md"},
		{"`build`", []string{"INPUT_OUT=built", "INPUT_ARGS=--no-history"}, 0, "built built", map[string]string{"catalog": "built"}, "built/api/v1/index.json"},
		{"`assess`", []string{"INPUT_OUT=answers", "INPUT_MODEL=m", "DPG_MODEL_KEY=k", "INPUT_ARGS=--max-requests\n5",
			"INPUT_MODEL_URL=" + modelOf(t, `{"mappings":[],"summary":[]}`)}, 0, "2 answers", nil, "answers/assessments/dpgs/maps.yaml"},
		{"`review`, on `pull_request`", []string{"INPUT_AS_OF=2026-02-03", "GITHUB_EVENT_NAME=pull_request", "INPUT_PULL_REQUEST=" + strconv.Itoa(proposed)}, 1, "::error file=registry/dpgs/rivers.yaml",
			with(pull(proposed), "findings", "1", "report", ""), ""},
		{"`review`, on `workflow_run`", []string{"INPUT_HEAD_SHA=" + sha, "INPUT_HEAD_REPOSITORY=mallory/registry"}, 1, "::error file=registry/dpgs/rivers.yaml",
			with(pull(proposed), "findings", "1", "report", ""), ""},
		{"`review`, with `pull-request: outdated`", []string{"INPUT_AS_OF=2026-02-03", "INPUT_PULL_REQUEST=outdated"}, 0, "1 pull requests reviewed again", nil, ""},
		{"`respond`", []string{"INPUT_AS_OF=2026-02-03", "GITHUB_EVENT_NAME=issues", "GITHUB_EVENT_PATH=" + event, "INPUT_ARGS=--offline"}, 0, "proposed as pull request 3", pull(3), ""},
		{"`sync`", []string{"INPUT_AS_OF=2026-02-03", "INPUT_ASSESSMENTS=answers", "INPUT_OUT=public"}, 0, "published to public", with(pull(3), "catalog", "public"), "public/heartbeat.json"},
		{"`observe`", []string{"INPUT_AS_OF=2026-02-03", "INPUT_ARGS=--entry\nsongs\n--cache\nnone"}, 0, "every observation is up to date", pull(3), ""},
		{"`publish`", []string{"INPUT_BASE_URL=branch:gh-pages", "INPUT_ARGS=--squash"}, 0, "is on branch gh-pages", nil, ""},
		{"`publish`", []string{"INPUT_BASE_URL=here"}, 0, "published to here", map[string]string{"catalog": "here"}, "here/api/v1/manifest.json"},
	} {
		command, _, _ := strings.Cut(strings.Trim(tt.row, "`"), "`")
		if strings.Contains(tt.row, "outdated") {
			policy, _ := s.File("main", "registry/policy.yaml")
			s.Repo.Commit("main", map[string]string{"registry/policy.yaml": policy + "# another\n"}, "another policy")
		}
		env := append([]string{"DPG_BIN=" + built(t), "GITHUB_ACTIONS=true", "GITHUB_API_URL=" + s.API(), "GITHUB_SERVER_URL=" + s.URL(), "INPUT_REGISTRY=registry",
			"INPUT_COMMAND=" + command, "INPUT_TOKEN=" + s.WorkflowToken(documented(t, tt.row)...)}, tt.env...)
		r := script(t, "run.sh", dir, env...)
		if r.code != tt.code || !strings.Contains(r.log, tt.log) {
			t.Errorf("%s: exit code %d, want %d with %q in:\n%s", tt.row, r.code, tt.code, tt.log, r.log)
		}
		got := map[string]string{}
		for line := range strings.Lines(r.output) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			got[name] = value
		}
		if report, there := got["report"]; there {
			if !filepath.IsAbs(report) {
				report = filepath.Join(dir, report)
			}
			if data, err := os.ReadFile(report); err != nil || len(data) == 0 {
				t.Errorf("%s: the report is %q, %v", tt.row, data, err)
			}
		}
		for name, want := range tt.want {
			if value, there := got[name]; !there || want != "" && value != want {
				t.Errorf("%s: output %s is %q, want %q", tt.row, name, value, want)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("%s: outputs that nobody asked for: %q", tt.row, got)
		}
		if tt.file != "" {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(tt.file))); err != nil {
				t.Errorf("%s: %v", tt.row, err)
			}
		}
	}
	if c := s.Comments(proposed); len(c) != 1 {
		t.Errorf("the review made %d comments, want 1", len(c))
	}
	if s.Head("gh-pages") == "" || s.Head("dpg-bot/assess") == "" {
		t.Errorf("the catalog or the assessments are on no branch:\n%s", s.State())
	}
	if text, _ := s.File("dpg-bot/assess", "registry/assessments/dpgs/maps.yaml"); !strings.Contains(text, "name: m\n") {
		t.Errorf("the model's answer is not proposed:\n%s", text)
	}
}
