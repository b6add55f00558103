package dpgbot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const someSHA = "0123456789abcdef0123456789abcdef01234567"

func TestReadEvent(t *testing.T) {
	for _, tt := range []struct {
		name, event     string
		number          pullNumber
		sha, repository string
		err             string
	}{
		{"pull request", `{"action": "opened", "pull_request": {"number": 7, "head": {"sha": "x"}}}`, 7, "", "", ""},
		{"workflow run", `{"workflow_run": {"head_sha": "` + someSHA + `", "head_repository": {"full_name": "mallory/r"}, "pull_requests": [{"number": 3}]}}`, 0, someSHA, "mallory/r", ""},
		{"run and pull request", `{"pull_request": {"number": 7}, "workflow_run": {"head_sha": "` + someSHA + `", "head_repository": {"full_name": "o/r"}}}`, 0, someSHA, "o/r", ""},
		{"fork that is gone", `{"workflow_run": {"head_sha": "` + someSHA + `", "head_repository": null}}`, 0, "", "", "fork may be gone"},
		{"sha that is none", `{"workflow_run": {"head_sha": "--help", "head_repository": {"full_name": "o/r"}}}`, 0, "--help", "o/r", "not a commit's sha"},
		{"number that is none", `{"pull_request": {"number": -1}}`, 0, "", "", "names no pull request"},
		{"number beyond bounds", `{"pull_request": {"number": 1e99}}`, 0, "", "", "not what GitHub sends"},
		{"push", `{"ref": "refs/heads/main"}`, 0, "", "", "names no pull request"},
		{"list", `[]`, 0, "", "", "not what GitHub sends"},
		{"nothing", ``, 0, "", "", "not what GitHub sends"},
		{"depth", strings.Repeat(`{"pull_request":`, 20_000), 0, "", "", "not what GitHub sends"},
	} {
		p := pullFlags{event: filepath.Join(t.TempDir(), "event.json")}
		if err := os.WriteFile(p.event, []byte(tt.event), 0o600); err != nil {
			t.Fatal(err)
		}
		err := p.check()
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
		if p.number != tt.number || p.sha != tt.sha || p.repository != tt.repository {
			t.Errorf("%s: read %d, %q, %q; want %d, %q, %q", tt.name, p.number, p.sha, p.repository, tt.number, tt.sha, tt.repository)
		}
	}
}

// What a step hands on is one line, whatever is in it.
func TestStepOutputs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "outputs")
	var s stepOutputs
	s.pull(7, "https://example.org/7\nreport=/evil\r\n")
	if err := s.write(name); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if want := "pull-request-number=7\npull-request-url=https://example.org/7report=/evil\n"; string(got) != want || err != nil {
		t.Errorf("the outputs are %q (%v), want %q", got, err, want)
	}
}
