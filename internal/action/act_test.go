package action_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

// actProgram builds the program that runs workflows; it is pinned in a module of its
// own.
var actProgram = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-modfile=../tools/act/go.mod", "-n", "act").Output()
	return strings.TrimSpace(string(out)), err
})

const actionCommit = "1234567890123456789012345678901234567890"

// releaseOnce packs the release once for all tests.
var releaseOnce struct {
	sync.Once
	files map[string][]byte
}

// A stage is a fake GitHub that holds a registry of the template, with what it takes
// to run that registry's workflows as GitHub would.
type stage struct {
	*githubtest.Server
	t        *testing.T
	act      string
	releases string
	home     string
	stubs    []string // what takes the place of Actions, as act wants it
}

func newStage(t *testing.T) *stage {
	t.Helper()
	needs(t, "bash", "curl", "tar", "git")
	act, err := actProgram()
	if err != nil {
		t.Skipf("act cannot be built, which takes a network: go tool -modfile=internal/tools/act/go.mod act: %v", err)
	}
	dir := newRegistry(t, "--action", "dpg-registry/dpg-registry@"+actionCommit)
	files := filesOf(t, dir)
	releaseOnce.Do(func() { releaseOnce.files = release(t) })
	s := &stage{
		Server: githubtest.New(t, githubtest.Options{Files: files, PageSize: 100}),
		t:      t, act: act, releases: serve(t, releaseOnce.files), home: t.TempDir(),
	}
	s.AddUser("ada", "write")
	s.AddUser("mallory", "read")
	// act would ask which image to use, and run a container.
	write(t, filepath.Join(s.home, ".config", "act", "actrc"), "-P ubuntu-latest=-self-hosted\n")
	action := t.TempDir()
	for _, name := range []string{"action.yml", "internal/action/get.sh", "internal/action/run.sh", "internal/action/VERSION"} {
		data, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(action, filepath.FromSlash(name)), string(data))
	}
	// Of what others publish, two stand in for themselves. The upload says what it was
	// given; to set up Go fails, since there is a release.
	upload, setup := t.TempDir(), t.TempDir()
	write(t, filepath.Join(upload, "action.yml"), `name: upload
inputs: {path: {required: true}}
runs:
  using: composite
  steps:
    - run: ls "$WHERE"/api/v1/index.json "$WHERE"/heartbeat.json
      shell: bash
      env: {WHERE: "${{ inputs.path }}"}
`)
	write(t, filepath.Join(setup, "action.yml"), "name: setup\nruns:\n  using: composite\n  steps:\n    - run: exit 1\n      shell: bash\n")
	s.stubs = []string{
		"--local-repository", "dpg-registry/dpg-registry@" + actionCommit + "=" + action,
		"--local-repository", "actions/upload-pages-artifact@fc324d3547104276b827a68afc52ff2a11cc49c9=" + upload,
		"--local-repository", "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e=" + setup,
	}
	return s
}

// A run is one workflow with what started it.
type run struct {
	rev      string // commit of the repository whose workflow runs; "" is the default branch
	from     *githubtest.Repo
	event    string
	workflow string
	payload  any
	token    string
	args     []string
}

// run plays a workflow and returns its log; ok is whether it ended well.
func (s *stage) run(r run) (log string, ok bool) {
	s.t.Helper()
	from := s.Repo
	if r.from != nil {
		from = r.from
	}
	if r.rev == "" {
		r.rev = s.Head("main")
	}
	dir := filepath.Join(s.t.TempDir(), "work")
	for _, args := range [][]string{
		{"clone", "-q", from.Bare(), dir},
		{"-C", dir, "checkout", "-q", r.rev},
		{"-C", dir, "remote", "set-url", "origin", "https://github.com/octo/registry.git"},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			s.t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	event := filepath.Join(s.t.TempDir(), "event.json")
	data, err := json.Marshal(r.payload)
	if err != nil {
		s.t.Fatal(err)
	}
	write(s.t, event, string(data))
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.act, append([]string{
		r.event, "-W", filepath.Join(".github", "workflows", r.workflow), "-e", event, "-P", "ubuntu-latest=-self-hosted",
		"-s", "GITHUB_TOKEN=" + r.token, "--env", "GITHUB_API_URL=" + s.API(), "--env", "GITHUB_SERVER_URL=" + s.URL(),
		"--env", "GITHUB_REPOSITORY=octo/registry",
		"--env", "DPG_RELEASES=" + s.releases, "--env", "DPG_VERSION=" + version,
	}, append(s.stubs, r.args...)...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"), "XDG_CONFIG_HOME=" + filepath.Join(s.home, ".config")}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		s.t.Fatalf("%s hangs:\n%s", r.workflow, out)
	}
	if strings.Contains(string(out), r.token) {
		s.t.Errorf("%s shows the token:\n%s", r.workflow, out)
	}
	for _, root := range []string{dir, s.home} {
		_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(d.Name(), "pwned") {
				s.t.Errorf("%s ran what somebody wrote into a title, a branch or a file: %s", r.workflow, name)
			}
			return nil
		})
	}
	return string(out), err == nil
}

// check is the named check of a commit; the zero Run if there is none.
func (s *stage) check(sha string) githubtest.Run {
	s.t.Helper()
	for _, r := range s.Runs(sha) {
		if r.Name == "dpg-registry/validate" {
			return r
		}
	}
	return githubtest.Run{}
}

// hostile is text that would be run, or taken for a command to Actions, by whoever
// puts it into a script or a log as it is.
const hostile = "$(touch pwned)`touch pwned`\"; touch pwned; '\n::set-output name=findings::0\n::add-mask::registry\n::error::all is lost\r\n${{ secrets.GITHUB_TOKEN }}"

// grant makes a token that may do what a job of a workflow asks for, and no more.
func (s *stage) grant(name, job string) string {
	s.t.Helper()
	text, _ := s.File("main", ".github/workflows/"+name)
	var w struct {
		Jobs map[string]struct{ Permissions map[string]string }
	}
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for scope, level := range w.Jobs[job].Permissions {
		all = append(all, scope+": "+level)
	}
	if len(all) == 0 {
		s.t.Fatalf("job %s of %s asks for nothing", job, name)
	}
	return s.WorkflowToken(all...)
}

func pullEvent(number int, branch, sha, base string) map[string]any {
	return map[string]any{
		"action": "opened", "number": number,
		"pull_request": map[string]any{
			"number": number, "title": hostile, "body": hostile,
			"head": map[string]any{"ref": branch, "sha": sha, "repo": map[string]any{"full_name": "mallory/registry", "fork": true}},
			"base": map[string]any{"ref": "main", "sha": base},
		},
		"repository": map[string]any{"full_name": "octo/registry", "name": "registry", "owner": map[string]any{"login": "octo"}, "default_branch": "main"},
	}
}

func runEvent(repository, branch, sha string) map[string]any {
	return map[string]any{
		"action": "completed",
		"workflow_run": map[string]any{
			"event": "pull_request", "conclusion": "success", "name": hostile, "display_title": hostile,
			"head_branch": branch, "head_sha": sha, "head_repository": map[string]any{"full_name": repository},
			"pull_requests": []any{},
			"head_commit":   map[string]any{"message": hostile},
		},
		"repository": map[string]any{"full_name": "octo/registry", "name": "registry", "owner": map[string]any{"login": "octo"}, "default_branch": "main"},
	}
}

const mistaken = `schema: dpg/v1
id: rivers
name: Rivers
description: Levels of rivers that anybody may use.
types: [data]
licenses:
  - {expression: Apache 2, url: https://example.org/LICENSE}
repositories: [{url: https://git.example.org/rivers/rivers}]
sdgs:
  - {goal: 6, text: Floods are foreseen., evidence: [https://example.org/impact]}
status: {stage: nominee, as_of: 2026-01-15}
`

// The way of a stranger's pull request: the first workflow annotates and can write
// nothing, the second sets the check.
func TestReviewAndJudge(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	fork := s.Fork("mallory")
	branch := "x;$(touch${IFS}pwned)`id`"
	sha := fork.Commit(branch, map[string]string{"registry/dpgs/rivers.yaml": mistaken}, hostile)
	number := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: branch, Title: "Rivers $(touch pwned) `touch pwned` ::add-mask::x", Body: hostile})
	before := s.State()

	log, ok := s.run(run{event: "pull_request", workflow: "review.yml", payload: pullEvent(number, branch, sha, s.Head("main")), token: s.grant("review.yml", "review")})
	if ok {
		t.Errorf("the review passes an entry with a mistake:\n%s", log)
	}
	// The summary and the outputs are files, which act reads itself. What a step that
	// fails printed last, act may lose; so the annotation is looked for without act.
	for _, want := range []string{"registry/dpgs/rivers.yaml", "Apache 2", "::set-output:: findings=1"} {
		if !strings.Contains(log, want) {
			t.Errorf("the review does not say %q:\n%s", want, log)
		}
	}
	event := filepath.Join(t.TempDir(), "event.json")
	data, err := json.Marshal(pullEvent(number, branch, sha, s.Head("main")))
	if err != nil {
		t.Fatal(err)
	}
	write(t, event, string(data))
	r := script(t, "run.sh", t.TempDir(), "DPG_BIN="+built(t), "INPUT_COMMAND=review", "INPUT_TOKEN="+s.grant("review.yml", "review"), "GITHUB_ACTIONS=true",
		"GITHUB_API_URL="+s.API(), "GITHUB_SERVER_URL="+s.URL(), "GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event)
	if r.code != 1 || !strings.Contains(r.log, "file=registry/dpgs/rivers.yaml") {
		t.Errorf("exit code %d, want 1 with an annotation at registry/dpgs/rivers.yaml:\n%s", r.code, r.log)
	}
	if after := s.State(); after != before {
		t.Errorf("the review, whose token reads, changed:\n%s\nto:\n%s", before, after)
	}

	judge := run{event: "workflow_run", workflow: "judge.yml", payload: runEvent("mallory/registry", branch, sha), token: s.grant("judge.yml", "judge")}
	if log, ok = s.run(judge); ok {
		t.Errorf("the judge passes an entry with a mistake:\n%s", log)
	}
	if c := s.check(sha); c.Conclusion != "failure" {
		t.Errorf("the check is %+v, want a failure; the log:\n%s", c, log)
	}
	if n := len(s.Comments(number)); n != 1 {
		t.Errorf("there are %d comments, want 1", n)
	}
	// Mended, it passes; and an event about the commit before does nothing.
	better := fork.Commit(branch, map[string]string{"registry/dpgs/rivers.yaml": strings.NewReplacer("Apache 2", "CC-BY-4.0").Replace(mistaken)}, "mend")
	judge.payload = runEvent("mallory/registry", branch, better)
	if log, ok = s.run(judge); !ok || s.check(better).Conclusion == "failure" {
		t.Errorf("the judge refuses what is mended, %+v:\n%s", s.check(better), log)
	}

	// From here on without act, which takes its time. Judged again, an event of the
	// commit before, and one that names another repository or a name that is none: all
	// change nothing.
	settled := s.State()
	for _, tt := range []struct{ name, repository, sha, want string }{
		{"the same", "mallory/registry", better, "Good"},
		{"the commit before", "mallory/registry", sha, "nothing to review"},
		{"another repository", "octo/registry", better, "nothing to review"},
		{"a repository that is a script", "$(touch evil)`touch evil`", better, "nothing to review"},
		{"a commit that is a script", "mallory/registry", "$(touch evil)", "not a commit's sha"},
		{"a commit that is a flag", "mallory/registry", "--help", "not a commit's sha"},
	} {
		dir := t.TempDir()
		event := filepath.Join(t.TempDir(), "event.json")
		data, err := json.Marshal(runEvent(tt.repository, branch, tt.sha))
		if err != nil {
			t.Fatal(err)
		}
		write(t, event, string(data))
		env := []string{"DPG_BIN=" + built(t), "INPUT_COMMAND=review", "INPUT_TOKEN=" + judge.token, "GITHUB_ACTIONS=true",
			"GITHUB_API_URL=" + s.API(), "GITHUB_SERVER_URL=" + s.URL(), "GITHUB_EVENT_NAME=workflow_run", "GITHUB_EVENT_PATH=" + event}
		byEvent := script(t, "run.sh", dir, env...)
		byInput := script(t, "run.sh", dir, append(env, "INPUT_HEAD_REPOSITORY="+tt.repository, "INPUT_HEAD_SHA="+tt.sha)...)
		for _, r := range []result{byEvent, byInput} {
			if !strings.Contains(r.log, tt.want) || s.State() != settled {
				t.Errorf("%s: want %q and no change, got:\n%s\n%s", tt.name, tt.want, r.log, s.State())
			}
		}
		if found, _ := os.ReadDir(dir); len(found) > 0 {
			t.Errorf("%s: the folder of the repository holds %v", tt.name, found)
		}
	}
}

// A fork that edits the workflows, the settings and the policy, and has a report of its
// own that says all is good, changes nothing in what the judge says.
func TestForkCannotJudgeItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	fork := s.Fork("mallory")
	good := "name: Review\non: [pull_request]\npermissions: write-all\njobs:\n  review:\n    runs-on: ubuntu-latest\n    steps:\n" +
		"      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1\n" +
		"      - run: |\n          echo '{\"conclusion\": \"success\", \"findings\": []}' > report.json\n" +
		"          curl --fail -sS -X POST -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \"$GITHUB_API_URL/repos/octo/registry/statuses/$SHA\" " +
		"-d '{\"state\":\"success\",\"context\":\"dpg-registry/validate\"}'\n        env:\n          TOKEN: ${{ secrets.GITHUB_TOKEN }}\n          SHA: ${{ github.event.pull_request.head.sha }}\n"
	policy, _ := s.File("main", "registry/policy.yaml")
	sha := fork.Commit("good", map[string]string{
		".github/workflows/review.yml": good,
		".github/workflows/judge.yml":  strings.Replace(good, "[pull_request]", "[workflow_run]", 1),
		"report.json":                  `{"conclusion": "success", "findings": []}`,
		"dpg-report.md":                "all is good",
		"registry/policy.yaml":         policy + "severities: {license-id: 'off'}\n",
		"registry/dpgs/rivers.yaml":    mistaken,
	}, "all is good")
	number := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "good"})

	// Its own workflow runs, with a token that cannot write. That it was refused is in
	// the fake's record: what a step that fails printed last, act may lose.
	before := s.State()
	s.Reset()
	log, ok := s.run(run{from: fork, rev: sha, event: "pull_request", workflow: "review.yml", payload: pullEvent(number, "good", sha, s.Head("main")), token: s.grant("review.yml", "review")})
	want := githubtest.Requests{{Operation: "repos/create-commit-status", Method: "POST", Path: "repos/octo/registry/statuses/" + sha, Status: 403}}
	if got := s.Requests().Writes(); ok || s.State() != before || !slices.Equal(got, want) {
		t.Errorf("the fork's own workflow asked to write %+v, want %+v, or wrote:\n%s", got, want, log)
	}
	log, ok = s.run(run{event: "workflow_run", workflow: "judge.yml", payload: runEvent("mallory/registry", "good", sha), token: s.grant("judge.yml", "judge")})
	if c := s.check(sha); ok || c.Conclusion != "failure" {
		t.Errorf("the check is %+v, want a failure; the log:\n%s", c, log)
	}
	if c := s.Comments(number); len(c) != 1 || !strings.Contains(c[0].Body, "license-id") {
		t.Errorf("the comments are %+v, want one with license-id", c)
	}
}

func TestSyncWorkflow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := run{event: "push", workflow: "sync.yml", token: s.grant("sync.yml", "sync"), args: []string{"-j", "sync"}, payload: map[string]any{
		"ref": "refs/heads/main", "after": s.Head("main"), "head_commit": map[string]any{"id": s.Head("main"), "message": hostile},
		"repository": map[string]any{"full_name": "octo/registry", "name": "registry", "owner": map[string]any{"login": "octo"}, "default_branch": "main"},
	}}
	log, ok := s.run(r)
	if !ok || !strings.Contains(log, "public/api/v1/index.json") {
		t.Errorf("the sync does not publish:\n%s", log)
	}
	if s.Head("dpg-bot/assess") == "" {
		t.Errorf("the sync proposes nothing:\n%s\n%s", log, s.State())
	}
	if !strings.Contains(log, "pull-request-number") {
		t.Errorf("the sync hands on no pull request:\n%s", log)
	}
	once := s.State()
	if log, ok = s.run(r); !ok || s.State() != once {
		t.Errorf("a second sync changes:\n%s\nto:\n%s\n%s", once, s.State(), log)
	}
}

// Another policy on the default branch: what is open is judged by it.
func TestRejudgeWorkflow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	fork := s.Fork("mallory")
	sha := fork.Commit("rivers", map[string]string{"registry/dpgs/rivers.yaml": mistaken}, "rivers")
	number := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "rivers", Title: hostile, Body: hostile})
	event := filepath.Join(t.TempDir(), "event.json")
	write(t, event, "{}")
	script(t, "run.sh", t.TempDir(), "DPG_BIN="+built(t), "INPUT_COMMAND=review", "INPUT_TOKEN="+s.grant("judge.yml", "judge"), "GITHUB_ACTIONS=true",
		"GITHUB_API_URL="+s.API(), "GITHUB_SERVER_URL="+s.URL(), "GITHUB_EVENT_PATH="+event, "INPUT_PULL_REQUEST="+strconv.Itoa(number))
	if c := s.check(sha); c.Conclusion != "failure" || !strings.Contains(c.Summary, "license-id") {
		t.Fatalf("the first check is %+v, want a failure for license-id", c)
	}
	policy, _ := s.File("main", "registry/policy.yaml")
	s.Repo.Commit("main", map[string]string{"registry/policy.yaml": policy + "severities: {license-id: 'off'}\n"}, "another policy")
	rejudge := run{event: "push", workflow: "rejudge.yml", token: s.grant("rejudge.yml", "rejudge"), payload: map[string]any{
		"ref": "refs/heads/main", "after": s.Head("main"), "head_commit": map[string]any{"id": s.Head("main"), "message": hostile},
		"repository": map[string]any{"full_name": "octo/registry", "name": "registry", "owner": map[string]any{"login": "octo"}, "default_branch": "main"},
	}}
	log, ok := s.run(rejudge)
	if c := s.check(sha); !ok || strings.Contains(c.Summary, "license-id") {
		t.Errorf("the check by another policy is %+v:\n%s", c, log)
	}
	if n := len(s.Comments(number)); n != 1 {
		t.Errorf("there are %d comments, want 1", n)
	}
}

// The default branch need not be called main, and a push to another one does nothing.
func TestSyncOfTheDefaultBranchOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, tt := range []struct {
		main string
		runs bool
	}{{"trunk", false}, {"main", true}} {
		s.Reset()
		log, ok := s.run(run{event: "push", workflow: "sync.yml", token: s.grant("sync.yml", "sync"), args: []string{"-j", "sync"}, payload: map[string]any{
			"ref": "refs/heads/main", "after": s.Head("main"),
			"repository": map[string]any{"full_name": "octo/registry", "name": "registry", "owner": map[string]any{"login": "octo"}, "default_branch": tt.main},
		}})
		if ran := len(s.Requests().API()) > 0; !ok || ran != tt.runs {
			t.Errorf("a push to main where %s is the default branch: the sync ran is %v, want %v:\n%s", tt.main, ran, tt.runs, log)
		}
	}
}
