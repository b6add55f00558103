package bot

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// payloads reads GitHub's example payloads.
func payloads(t testing.TB) (all []struct {
	Event   string          `json:"event"`
	Payload json.RawMessage `json:"payload"`
}) {
	t.Helper()
	f, err := os.Open("testdata/webhooks.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// Every example is read without an error, and what each comes to is counted here.
func TestReadEventExamples(t *testing.T) {
	all := payloads(t)
	names := map[string]bool{}
	got := map[string]int{}
	for i, e := range all {
		names[e.Event] = true
		ev, err := ReadEvent(e.Event, e.Payload)
		if err != nil {
			t.Errorf("example %d, %s: %v", i, e.Event, err)
		}
		if ev.Work != nil {
			got[strings.TrimSpace(e.Event+" "+ev.Action)+": "+ev.Work.String()]++
		}
	}
	if len(all) != 329 || len(names) != 58 {
		t.Errorf("%d examples of %d events, want 329 of 58", len(all), len(names))
	}
	want := map[string]int{
		"check_suite rerequested: find-head ec26c3e": 2,
		"issue_comment created: respond 1":           5,
		"issue_comment edited: respond 1":            2,
		"issues edited: respond 1":                   3,
		"issues opened: respond 1":                   4,
		"issues reopened: respond 1":                 1,
		"pull_request closed: sync":                  2,
		"pull_request labeled: review 2":             2,
		"pull_request opened: review 2":              4,
		"pull_request ready_for_review: review 2":    3,
		"pull_request reopened: review 2":            2,
		"pull_request synchronize: review 2":         1,
		"pull_request unlabeled: review 2":           2,
		"push: sync":                                 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is done about the examples (-want +got):\n%s", diff)
	}
}

func TestReadEvent(t *testing.T) {
	const sha = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
	repo := `"repository":{"full_name":"Octo/Registry","default_branch":"trunk"}`
	for _, tt := range []struct {
		name, event, body string
		want              string // the work, "" for none
		err               string
	}{
		{"ping", "ping", `{"zen":"Keep it simple",` + repo + `}`, "", ""},
		{"pull request opened", "pull_request", `{"action":"opened","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request pushed to", "pull_request", `{"action":"synchronize","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request reopened", "pull_request", `{"action":"reopened","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request edited", "pull_request", `{"action":"edited","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request labelled", "pull_request", `{"action":"labeled","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request unlabelled", "pull_request", `{"action":"unlabeled","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request ready", "pull_request", `{"action":"ready_for_review","pull_request":{"number":7},` + repo + `}`, "review 7", ""},
		{"pull request closed", "pull_request", `{"action":"closed","pull_request":{"number":7},` + repo + `}`, "sync", ""},
		{"pull request assigned", "pull_request", `{"action":"assigned","pull_request":{"number":7},` + repo + `}`, "", ""},
		{"default branch pushed", "push", `{"ref":"refs/heads/trunk",` + repo + `}`, "sync", ""},
		{"default branch deleted", "push", `{"ref":"refs/heads/trunk","deleted":true,` + repo + `}`, "", ""},
		{"other branch pushed", "push", `{"ref":"refs/heads/main",` + repo + `}`, "", ""},
		{"tag of the same name", "push", `{"ref":"refs/tags/trunk",` + repo + `}`, "", ""},
		{"comment", "issue_comment", `{"action":"created","issue":{"number":3},"sender":{"type":"User"},` + repo + `}`, "respond 3", ""},
		{"comment edited", "issue_comment", `{"action":"edited","issue":{"number":3},` + repo + `}`, "respond 3", ""},
		{"comment of a bot", "issue_comment", `{"action":"created","issue":{"number":3},"sender":{"type":"Bot"},` + repo + `}`, "", ""},
		{"comment deleted", "issue_comment", `{"action":"deleted","issue":{"number":3},` + repo + `}`, "", ""},
		{"issue opened", "issues", `{"action":"opened","issue":{"number":4},` + repo + `}`, "respond 4", ""},
		{"issue edited", "issues", `{"action":"edited","issue":{"number":4},` + repo + `}`, "respond 4", ""},
		{"issue closed", "issues", `{"action":"closed","issue":{"number":4},` + repo + `}`, "", ""},
		{"workflow run of a pull request", "workflow_run", `{"action":"completed","workflow_run":{"event":"pull_request","head_sha":"` + sha + `","pull_requests":[]},` + repo + `}`, "find-head ec26c3e", ""},
		{"workflow run of a push", "workflow_run", `{"action":"completed","workflow_run":{"event":"push","head_sha":"` + sha + `"},` + repo + `}`, "", ""},
		{"workflow run begins", "workflow_run", `{"action":"requested","workflow_run":{"event":"pull_request","head_sha":"` + sha + `"},` + repo + `}`, "", ""},
		{"own check asked for again", "check_run", `{"action":"rerequested","check_run":{"name":"dpg-registry/validate","head_sha":"` + sha + `"},` + repo + `}`, "find-head ec26c3e", ""},
		{"other check asked for again", "check_run", `{"action":"rerequested","check_run":{"name":"build","head_sha":"` + sha + `"},` + repo + `}`, "", ""},
		{"unknown event", "deployment", `{"action":7,"pull_request":"x"}`, "", ""},

		{"no JSON", "pull_request", `payload=%7B%7D`, "", "not a JSON object"},
		{"null", "pull_request", `null`, "", "not a JSON object"},
		{"list", "push", `[]`, "", "not a JSON object"},
		{"cut off", "push", `{"ref":"refs/heads/tr`, "", "not a JSON object"},
		{"two values", "push", `{}{}`, "", "not a JSON object"},
		{"number is text", "pull_request", `{"action":"opened","pull_request":{"number":"7; rm -rf"}}`, "", `"pull_request.number"`},
		{"number is a fraction", "pull_request", `{"action":"opened","pull_request":{"number":7.5}}`, "", `"pull_request.number"`},
		{"number is huge", "pull_request", `{"action":"opened","pull_request":{"number":4294967296}}`, "", "4294967296"},
		{"number is missing", "pull_request", `{"action":"opened"}`, "", "0 is not the number"},
		{"number is negative", "issues", `{"action":"opened","issue":{"number":-1}}`, "", "-1 is not the number"},
		{"head is an option", "workflow_run", `{"action":"completed","workflow_run":{"event":"pull_request","head_sha":"--upload-pack=x"}}`, "", "--upload-pack=x"},
		{"deep", "push", `{"ref":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "", "not a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ev, err := ReadEvent(tt.event, []byte(tt.body))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if ev.Work != nil {
				got = ev.Work.String()
			}
			if got != tt.want {
				t.Errorf("work %q, want %q", got, tt.want)
			}
			if strings.Contains(tt.body, repo) && ev.Repository != "Octo/Registry" {
				t.Errorf("repository %q", ev.Repository)
			}
		})
	}
}

func FuzzReadEvent(f *testing.F) {
	names := slices.Sorted(maps.Keys(eventParts))
	for _, e := range payloads(f) {
		if i := slices.Index(names, e.Event); i >= 0 {
			f.Add(byte(i), []byte(e.Payload))
		}
	}
	f.Fuzz(func(t *testing.T, i byte, data []byte) {
		ev, err := ReadEvent(names[int(i)%len(names)], data)
		if err != nil && ev != (Event{}) {
			t.Errorf("an event beside the error %v", err)
		}
		if w := ev.Work; w != nil && (w.Kind == WorkReview || w.Kind == WorkRespond) && w.Number < 1 || len(ev.Repository) > 200 || len(ev.Action) > 200 {
			t.Errorf("event %s", fmt.Sprintf("%+v", ev))
		}
	})
}
