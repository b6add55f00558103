package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// WorkKind is what an event asks the bot to look at.
type WorkKind string

// An event says only where to look. What to do there is worked out from the state
// of things, so an event that comes late, twice or not at all does no harm.
const (
	WorkReview   WorkKind = "review"    // the pull request Number
	WorkFindHead WorkKind = "find-head" // the open pull requests whose head is SHA
	WorkRespond  WorkKind = "respond"   // what was said on the pull request or issue Number
	WorkSync     WorkKind = "sync"      // the default branch
)

// Work is one place to look at. It can be compared: equal work needs doing once.
type Work struct {
	Kind   WorkKind
	Number int    // of WorkReview and WorkRespond
	SHA    string // of WorkFindHead
}

// String is for logs.
func (w Work) String() string {
	switch w.Kind {
	case WorkReview, WorkRespond:
		return fmt.Sprintf("%s %d", w.Kind, w.Number)
	case WorkFindHead:
		return fmt.Sprintf("%s %.7s", w.Kind, w.SHA)
	}
	return string(w.Kind)
}

// An Event is what the bot takes from a web hook's payload.
type Event struct {
	Repository string // OWNER/NAME as GitHub spells it; "" if the event is about none
	Action     string // such as "opened"; "" where events of its name have none
	Work       *Work  // nil if there is nothing to do
}

// payload is all that is read of one: numbers, names of commits and branches, and
// what happened. No text that a person wrote comes in this way.
type payload struct {
	Action     string `json:"action"`
	Ref        string `json:"ref"`
	Deleted    bool   `json:"deleted"`
	Repository struct {
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	Sender struct {
		Type string `json:"type"`
	} `json:"sender"`
	PullRequest struct {
		Number int64 `json:"number"`
	} `json:"pull_request"`
	Issue struct {
		Number int64 `json:"number"`
	} `json:"issue"`
	WorkflowRun struct {
		Event   string `json:"event"`
		HeadSHA string `json:"head_sha"`
	} `json:"workflow_run"`
	CheckRun struct {
		Name    string `json:"name"`
		HeadSHA string `json:"head_sha"`
	} `json:"check_run"`
	CheckSuite struct {
		HeadSHA string `json:"head_sha"`
	} `json:"check_suite"`
}

// eventParts are the keys that an event of a name is read by. Others are not even
// decoded: some events use the same keys for other things.
var eventParts = map[string][]string{
	"push":          {"ref", "deleted"},
	"pull_request":  {"action", "pull_request"},
	"issue_comment": {"action", "issue", "sender"},
	"issues":        {"action", "issue", "sender"},
	"workflow_run":  {"action", "workflow_run"},
	"check_run":     {"action", "check_run"},
	"check_suite":   {"action", "check_suite"},
	"ping":          {},
}

// ReadEvent reads the payload of the event of that name, as GitHub sends it to a web
// hook and puts it into GITHUB_EVENT_PATH. An event that the bot does not act on is
// none of its business and no error; a payload that is not shaped as the event's is.
// How long a payload may be is for the caller to bound.
func ReadEvent(name string, data []byte) (Event, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil || keys == nil {
		return Event{}, errors.New("the payload is not a JSON object")
	}
	parts, known := eventParts[name]
	if !known {
		return Event{}, nil
	}
	only := map[string]json.RawMessage{}
	for _, key := range append([]string{"repository"}, parts...) {
		if raw, there := keys[key]; there {
			only[key] = raw
		}
	}
	data, err := json.Marshal(only)
	if err != nil {
		return Event{}, fmt.Errorf("event %q: %w", name, err)
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		at := ""
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			at = wrong.Field
		}
		return Event{}, fmt.Errorf("%q in the payload of the event %q is not what GitHub puts there", at, name)
	}
	work, err := p.work(name)
	if err != nil {
		return Event{}, fmt.Errorf("event %q: %w", name, err)
	}
	return Event{Repository: clipName(p.Repository.FullName), Action: clipName(p.Action), Work: work}, nil
}

// work is the table of what is done about what.
func (p *payload) work(event string) (*Work, error) {
	switch event + " " + p.Action {
	case "push ":
		if branch, ok := strings.CutPrefix(p.Ref, "refs/heads/"); ok && branch == p.Repository.DefaultBranch && !p.Deleted {
			return &Work{Kind: WorkSync}, nil
		}
	case "pull_request opened", "pull_request synchronize", "pull_request reopened", "pull_request edited", "pull_request labeled",
		"pull_request unlabeled", "pull_request ready_for_review":
		return numbered(WorkReview, p.PullRequest.Number)
	case "pull_request closed": // the next of the bot's may open now
		return &Work{Kind: WorkSync}, nil
	case "issue_comment created", "issue_comment edited", "issues opened", "issues edited", "issues reopened":
		if p.Sender.Type == "Bot" { // its own answers among them
			return nil, nil
		}
		return numbered(WorkRespond, p.Issue.Number)
	case "workflow_run completed": // its list of pull requests is empty for forks, so the head has to do
		if p.WorkflowRun.Event == "pull_request" {
			return headed(p.WorkflowRun.HeadSHA)
		}
	case "check_run rerequested":
		if p.CheckRun.Name == CheckName {
			return headed(p.CheckRun.HeadSHA)
		}
	case "check_suite rerequested":
		return headed(p.CheckSuite.HeadSHA)
	}
	return nil, nil
}

func numbered(kind WorkKind, n int64) (*Work, error) {
	if n < 1 || n > math.MaxInt32 {
		return nil, fmt.Errorf("%d is not the number of a pull request or an issue", n)
	}
	return &Work{Kind: kind, Number: int(n)}, nil
}

func headed(sha string) (*Work, error) {
	if err := forge.CheckSHA(sha); err != nil {
		return nil, err
	}
	return &Work{Kind: WorkFindHead, SHA: sha}, nil
}

// clipName bounds what ends up in logs.
func clipName(s string) string { return s[:min(len(s), 200)] }
