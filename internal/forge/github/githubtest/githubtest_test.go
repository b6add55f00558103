package githubtest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// a recorder is a test that notes what fails it.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	failed []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

// What breaks GitHub's description fails the test, from either side.
func TestHoldsToTheDescription(t *testing.T) {
	for _, tt := range []struct{ name, method, path, body, want string }{
		{"good", "GET", "/repos/octo/registry", "", ""},
		{"a ref with slashes", "GET", "/repos/octo/registry/git/ref/heads/a/b", "", ""},
		{"no such operation", "GET", "/repos/octo/registry/stargazers", "", "is in no operation"},
		{"no such method", "DELETE", "/repos/octo/registry/pulls", "", "is in no operation"},
		{"a field is missing", "POST", "/repos/octo/registry/issues/1/comments", `{}`, "request breaks GitHub's description"},
		{"a field of another type", "POST", "/repos/octo/registry/issues/1/comments", `{"body":1}`, "at /body"},
		{"51 annotations", "POST", "/repos/octo/registry/check-runs", `{"name":"n","head_sha":"0","output":{"title":"t","summary":"s","annotations":[` + strings.TrimSuffix(strings.Repeat(`{"path":"a","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"},`, 51), ",") + `]}}`, "at /output/annotations"},
		{"a query that is no number", "GET", "/repos/octo/registry/pulls?page=x", "", "page"},
		{"an unknown state", "GET", "/repos/octo/registry/pulls?state=merged", "", "state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			s := New(r, Options{})
			req, err := http.NewRequestWithContext(t.Context(), tt.method, s.API()+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+s.WorkflowToken())
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			got := strings.Join(r.failed, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("the test was failed with %q, want %q", got, tt.want)
			}
		})
	}
	described, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1/api/v3/repos/octo/registry/issues/comments/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := described.find(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := found.complete(200, obj{"id": "one"}); err == nil {
		t.Error("an answer of the wrong type was not refused")
	}
	if _, err := found.complete(418, obj{}); err == nil {
		t.Error("an answer that is not described was not refused")
	}
}

// Git itself fetches and pushes, with the right token only.
func TestGit(t *testing.T) {
	s := New(t, Options{})
	s.AddUser("ada", "read")
	s.AddUser("grace", "write")
	clone := t.TempDir()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = clone
		cmd.Env = append(s.gitEnv(), "GIT_ASKPASS=/bin/false")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	as := func(token string) string {
		return strings.Replace(s.URL(), "http://", "http://x-access-token:"+token+"@", 1) + "/octo/registry.git"
	}
	if out, err := git("clone", "-q", s.URL()+"/octo/registry.git", "."); err != nil {
		t.Fatalf("clone without a token: %v\n%s", err, out)
	}
	if err := os.WriteFile(clone+"/new", make([]byte, 3<<20), 0o644); err != nil { // sent in chunks
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add", "new"}, {"commit", "-qm", "new"}} {
		if out, err := git(args...); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	for _, tt := range []struct {
		who, url, ref string
		ok            bool
	}{
		{"nobody", s.URL() + "/octo/registry.git", "topic", false},
		{"a wrong token", as("ghp_wrong"), "topic", false},
		{"a reader", as(s.PersonToken("ada")), "topic", false},
		{"a workflow that may read", as(s.WorkflowToken("contents: read")), "topic", false},
		{"a writer to refs/pull", as(s.PersonToken("grace")), "refs/pull/1/head", false},
		{"a writer", as(s.PersonToken("grace")), "topic", true},
		{"a workflow", as(s.WorkflowToken("contents: write")), "other", true},
	} {
		ref := tt.ref
		if !strings.HasPrefix(ref, "refs/") {
			ref = "refs/heads/" + ref
		}
		if out, err := git("push", "-q", tt.url, "HEAD:"+ref); (err == nil) != tt.ok {
			t.Errorf("push by %s: %v, want it to work: %v\n%s", tt.who, err, tt.ok, out)
		}
	}
	n := s.OpenPull(NewPull{As: "grace", Head: "topic"})
	if out, err := git("fetch", "-q", "origin", fmt.Sprintf("refs/pull/%d/head", n)); err != nil {
		t.Errorf("fetch of the pull request: %v\n%s", err, out)
	}
	s.Merge(n)
	if !strings.Contains(s.State(), fmt.Sprintf("%d: merged pull request", n)) {
		t.Errorf("after Merge:\n%s", s.State())
	}
}
