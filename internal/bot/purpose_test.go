package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// What to do follows from what is wanted and what stands, and from nothing else.
func TestPurposeActions(t *testing.T) {
	wanted := purpose{
		name: "assess", branch: "b", base: "main", title: "T", message: "m", body: "text",
		files:  map[string][]byte{"f": []byte("x"), "g": nil},
		parent: &object.Commit{Committer: object.Signature{When: time.Unix(1e9, 0)}},
	}
	nothing := wanted
	nothing.files = nil
	body := marker("assess", wanted.key()) + "\ntext"
	pull := func(number int, body string) *forge.PullRequest {
		return &forge.PullRequest{Number: number, Title: "T", Body: body}
	}
	const remark = "comment on pull request 7"
	said := func(theirs string) forge.Comment {
		return forge.Comment{ID: 3, Body: standing{theirs: theirs, said: forge.Comment{ID: 3}}.leftAlone()}
	}
	const push, open = "commit 2 files to b", `open pull request "T"`
	for _, tt := range []struct {
		name  string
		p     purpose
		s     standing
		want  []string
		leave bool
	}{
		{"nothing there", wanted, standing{}, []string{push, open}, false},
		{"only the branch", wanted, standing{at: "1", holds: true}, []string{open}, false},
		{"a branch with something else", wanted, standing{at: "1"}, []string{push, open}, false},
		{"all there", wanted, standing{at: "1", holds: true, open: pull(7, body)}, nil, false},
		{"an older proposal", wanted, standing{at: "1", open: pull(7, "old")}, []string{push, "update pull request 7"}, false},
		{"older words", wanted, standing{at: "1", holds: true, open: pull(7, "old")}, []string{"update pull request 7"}, false},
		{"a person's commit", wanted, standing{at: "1", theirs: "2", open: pull(7, "old")}, []string{remark}, true},
		{"a person's commit and nothing to propose", nothing, standing{at: "1", theirs: "2", open: pull(7, body)}, []string{remark}, true},
		{"a person's commit, told", wanted, standing{at: "1", theirs: "2", open: pull(7, "old"), said: said("2")}, nil, true},
		{"another commit of a person", wanted, standing{at: "1", theirs: "3", open: pull(7, "old"), said: said("2")}, []string{"edit the " + remark}, true},
		{"a person's commit without a pull request", wanted, standing{at: "1", theirs: "2"}, nil, true},
		{"a person's commit is gone", wanted, standing{at: "1", holds: true, open: pull(7, body), said: said("2")}, []string{"edit the " + remark}, false},
		{"a person's commit was gone before", wanted, standing{at: "1", holds: true, open: pull(7, body), said: said("")}, nil, false},
		{"closed by a person", wanted, standing{at: "1", holds: true, closed: pull(7, body)}, nil, true},
		{"another one closed by a person", wanted, standing{at: "1", closed: pull(7, "old")}, []string{push, open}, false},
		{"one closed and one open", wanted, standing{at: "1", holds: true, closed: pull(6, body), open: pull(7, body)}, nil, false},
		{"nothing to propose", nothing, standing{}, nil, false},
		{"no longer", nothing, standing{at: "1", open: pull(7, body)}, []string{"update pull request 7", "close pull request 7", "delete branch b"}, false},
		{"no longer, killed after the first step", nothing, standing{at: "1", open: pull(7, marker("assess", "")+"\ntext")}, []string{"close pull request 7", "delete branch b"}, false},
		{"no longer, killed after the second", nothing, standing{at: "1", closed: pull(7, marker("assess", "")+"\ntext")}, []string{"delete branch b"}, false},
		{"wanted again", wanted, standing{closed: pull(7, marker("assess", "")+"\ntext")}, []string{push, open}, false},
	} {
		actions, leave := tt.p.actions(tt.s)
		var got []string
		for _, a := range actions {
			got = append(got, fmt.Sprint(a))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || (leave != "") != tt.leave {
			t.Errorf("%s: leave = %q, actions (-want +got):\n%s", tt.name, leave, diff)
		}
	}
}
