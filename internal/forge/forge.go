// Package forge is where pull requests live: a place that holds a Git repository,
// and talk about it. It knows nothing of registries; it does what it is told and
// says what is there. Whoever asks decides what a title or a comment says.
package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// A Forge holds one repository and its pull requests. Each method is one or a
// few requests to a forge on the network. Methods may be called from several
// goroutines. Branches are named without refs/heads/; a sha is the 40 lower-case
// hexadecimal digits of a commit.
type Forge interface {
	// DefaultBranch is the branch that pull requests are merged into.
	DefaultBranch(ctx context.Context) (string, error)
	// Git returns a repository that holds the objects of the default branch and of
	// the open pull requests, as they are now. Its reference refs/pull/7/head is the
	// HeadSHA of number 7 as last read. It is for reading, and by one goroutine.
	Git(ctx context.Context) (*git.Repository, error)
	// Head returns the commit a branch is at; ok is false if there is no such branch.
	Head(ctx context.Context, branch string) (sha string, ok bool, err error)

	// PullRequest returns one pull request, or ErrNotFound.
	PullRequest(ctx context.Context, number int) (PullRequest, error)
	// PullRequests lists those that match, by rising number.
	PullRequests(ctx context.Context, f Filter) ([]PullRequest, error)
	// Open makes a pull request. A second open one for the same head and base is
	// refused, as is one whose head adds nothing to its base.
	Open(ctx context.Context, n NewPullRequest) (PullRequest, error)
	// Update changes what c sets and leaves the rest.
	Update(ctx context.Context, number int, c Change) error
	// ClosePullRequest closes an open pull request without merging it, after saying
	// the reason in a comment unless it is "". One that is not open stays as it is.
	ClosePullRequest(ctx context.Context, number int, reason string) error

	// Issue returns one issue, or ErrNotFound; a pull request is none.
	Issue(ctx context.Context, number int) (Issue, error)
	// Issues lists those that match, by rising number.
	Issues(ctx context.Context, f IssueFilter) ([]Issue, error)
	// OpenIssue makes an issue. Issues and pull requests share their numbers.
	OpenIssue(ctx context.Context, n NewIssue) (Issue, error)
	// UpdateIssue changes what c sets and leaves the rest.
	UpdateIssue(ctx context.Context, number int, c IssueChange) error

	// AddLabels puts labels on a pull request or an issue, all at once, and leaves those
	// that it has.
	AddLabels(ctx context.Context, number int, labels []string) error
	// RemoveLabel takes one away and leaves the others. One that it does not have is no
	// error.
	RemoveLabel(ctx context.Context, number int, label string) error

	// Comments lists the comments on a pull request or an issue, oldest first.
	Comments(ctx context.Context, number int) ([]Comment, error)
	// Comment adds one.
	Comment(ctx context.Context, number int, body string) (Comment, error)
	// EditComment replaces the body of a comment.
	EditComment(ctx context.Context, number int, id int64, body string) error
	// React puts a reaction to a comment, or, if id is 0, to the pull request or
	// issue itself. Reacting twice is reacting once.
	React(ctx context.Context, number int, id int64, r Reaction) error
	// LineComments lists the remarks on lines of a pull request's files, oldest first.
	LineComments(ctx context.Context, number int) ([]LineComment, error)
	// CommentLines adds remarks on lines of the commit sha, which is the head, all at
	// once: a person gets one message. The lines must be ones the pull request shows;
	// where the forge takes the remarks for wrong all the same, the error is ErrRefused.
	CommentLines(ctx context.Context, number int, sha string, remarks []NewLineComment) error
	// Permission says what somebody may do in the repository.
	Permission(ctx context.Context, login string) (Permission, error)

	// SetCheck sets the check c.Name of a commit, in place of what it was.
	SetCheck(ctx context.Context, sha string, c Check) error
	// Check returns a check of a commit; ok is false if it was never set.
	Check(ctx context.Context, sha, name string) (c Check, ok bool, err error)

	// Commit makes a commit and puts a branch at it, if the branch is where the
	// caller saw it last; otherwise the error is a *MovedError. It returns the sha.
	// If nothing would differ from the parent, the error is ErrNoChange.
	Commit(ctx context.Context, n NewCommit) (sha string, err error)
	// Made reports whether whoever this Forge acts as made a commit of this repository.
	// It tells the bot's branches from ones that a person went on with; anybody who
	// may push can write such a commit too.
	Made(ctx context.Context, c *object.Commit) (bool, error)
	// DeleteBranch deletes a branch that is at the sha expected; one that is
	// elsewhere is a *MovedError, and one that is gone is no error.
	DeleteBranch(ctx context.Context, branch, expected string) error
}

// State says how far a pull request is.
type State string

// A merged pull request is not also a closed one.
const (
	Open   State = "open"
	Closed State = "closed" // without having been merged
	Merged State = "merged"
)

// A User is somebody with an account on the forge.
type User struct {
	Login string `yaml:"login"`
	ID    int64  `yaml:"id,omitempty"` // stays when the login changes; 0 if the forge gives none
}

// A PullRequest is a proposal to merge Head into Base.
type PullRequest struct {
	Number         int
	Title          string // anything its author wrote, line ends too
	Body           string // likewise, Markdown
	State          State
	Head           string // branch
	HeadSHA        string // where the branch is, or was when the pull request was closed or merged
	HeadRepository string // the fork that Head is a branch of; "" for this repository
	Base           string // branch
	Author         User
	Own            bool     // opened by whoever this Forge acts as
	Labels         []string // sorted
	URL            string   // where a person reads it: a web page, or a folder
	// Draft says that its author does not want it merged yet.
	Draft bool
	// MayPush says that its author lets maintainers, the bot among them, commit to
	// Head in HeadRepository. It is true where that is this repository.
	MayPush bool
}

// A Filter chooses pull requests; the zero Filter chooses all.
type Filter struct {
	State State // "" for any
	// HeadPrefix is what the head branch starts with, and Head is all of it. A filter
	// that has either leaves forks out: their owners name branches as they like. Head
	// is cheap to ask for, however many pull requests there are.
	HeadPrefix, Head string
}

// Match reports whether the filter chooses p.
func (f Filter) Match(p PullRequest) bool {
	if f.State != "" && f.State != p.State {
		return false
	}
	if f.HeadPrefix == "" && f.Head == "" {
		return true
	}
	return p.HeadRepository == "" && strings.HasPrefix(p.Head, f.HeadPrefix) && (f.Head == "" || f.Head == p.Head)
}

// NewPullRequest is what Open needs.
type NewPullRequest struct {
	Title          string // at most MaxTitle characters, not blank
	Body           string // at most MaxBody characters
	Head           string // an existing branch
	HeadRepository string // the fork that Head is a branch of; "" for this repository
	Base           string // an existing branch
	Labels         []string
}

// A Change says what Update sets; nil leaves a thing as it is.
type Change struct {
	Title, Body *string
}

// An Issue is a matter that somebody raised.
type Issue struct {
	Number int
	Title  string // anything its author wrote, line ends too
	Body   string // likewise, Markdown
	State  State  // Open or Closed
	Author User
	Own    bool     // opened by whoever this Forge acts as
	Labels []string // sorted
	URL    string   // where a person reads it
}

// An IssueFilter chooses issues; the zero IssueFilter chooses all.
type IssueFilter struct {
	State State  // Open or Closed, "" for any
	Label string // one it must have, "" for any
	Own   bool   // only those opened by whoever this Forge acts as
}

// Match reports whether the filter chooses i.
func (f IssueFilter) Match(i Issue) bool {
	return (f.State == "" || f.State == i.State) && (f.Label == "" || slices.Contains(i.Labels, f.Label)) && (!f.Own || i.Own)
}

// NewIssue is what OpenIssue needs.
type NewIssue struct {
	Title  string // at most MaxTitle characters, not blank
	Body   string // at most MaxBody characters
	Labels []string
}

// An IssueChange says what UpdateIssue sets; nil leaves a thing as it is.
type IssueChange struct {
	Title, Body *string
	State       *State // Open or Closed
}

// A Reaction is a small sign under a comment.
type Reaction string

// The reactions that the bot uses, by GitHub's names.
const (
	ThumbsUp Reaction = "+1"       // done
	Confused Reaction = "confused" // not understood, or refused
	Eyes     Reaction = "eyes"     // seen
)

// Permission is what somebody may do in a repository, rising.
type Permission int

// The zero Permission is none.
const (
	NoPermission Permission = iota
	ReadPermission
	WritePermission // and to maintain
	AdminPermission
)

// A LineComment is a remark on lines of a file in a pull request.
type LineComment struct {
	ID     int64
	Author User
	Own    bool // written by whoever this Forge acts as
	NewLineComment
}

// NewLineComment is what CommentLines needs of each remark.
type NewLineComment struct {
	Path      string // slash-separated
	StartLine int    // from 1, in the file at the head
	EndLine   int    // StartLine or later; in a listing 0 if the lines are gone since
	Body      string // Markdown; where it holds a suggestion, of what to put in place of the lines
}

// A Comment is a remark on a pull request or an issue.
type Comment struct {
	ID     int64
	Author User
	Own    bool   // written by whoever this Forge acts as
	Body   string // anything its author wrote; Markdown
}

// Conclusion is what a check says.
type Conclusion string

// Neutral neither passes nor fails a commit.
const (
	Success Conclusion = "success"
	Neutral Conclusion = "neutral"
	Failure Conclusion = "failure"
)

// A Check is a verdict on one commit.
type Check struct {
	Name        string       `json:"name"` // such as "dpg-registry/validate", at most 80 bytes
	Conclusion  Conclusion   `json:"conclusion"`
	Title       string       `json:"title"`   // one line, not blank
	Summary     string       `json:"summary"` // Markdown, at most MaxBody characters
	Annotations []Annotation `json:"annotations"`
}

// Level is how much an annotation matters.
type Level string

// The levels, rising.
const (
	NoticeLevel  Level = "notice"
	WarningLevel Level = "warning"
	FailureLevel Level = "failure"
)

// An Annotation is a remark on lines of a file at the checked commit. Lines and
// columns count from 1.
type Annotation struct {
	Path        string `json:"path"` // slash-separated
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`     // StartLine or later
	StartColumn int    `json:"start_column"` // 0 if unknown, or if the lines differ
	EndColumn   int    `json:"end_column"`   // likewise
	Level       Level  `json:"level"`
	Title       string `json:"title"`
	Message     string `json:"message"` // not blank
}

// A Signature names somebody in a commit.
type Signature struct{ Name, Email string }

// The bot, as it signs commits.
const (
	BotName  = "dpg-bot"
	BotEmail = "dpg-bot@users.noreply.github.com"
)

// NewCommit is what Commit needs.
type NewCommit struct {
	Branch string // moved to the commit, or made
	// Repository is the fork that Branch is of; "" is this repository. A forge takes
	// such a commit only where PullRequest.MayPush says so.
	Repository string
	Parent     string // sha whose files the commit starts from; "" for a commit without a parent
	// ExpectedHead is the sha the branch must be at, "" if it must not exist. It need
	// not be the parent: a branch is rebuilt on a newer base that way.
	ExpectedHead string
	// Files maps clean slash-separated paths to whole contents; nil deletes, and
	// deleting what is not there does nothing. New files are not executable.
	Files     map[string][]byte
	Message   string
	Author    Signature   // also the committer; zero is the bot
	CoAuthors []Signature // become Co-authored-by trailers
	When      time.Time   // required; written in whole seconds, UTC
}

// What a forge takes at most, in characters. They are GitHub's limits, and every
// forge holds them, so that what works in a folder works there.
const (
	MaxTitle = 256
	MaxBody  = 65_536

	maxCheckName = 80 // bytes
	maxLabel     = 50
)

var (
	// ErrNotFound says that there is no such pull request, issue or comment.
	ErrNotFound = errors.New("not found")
	// ErrRefused says that the forge takes what it was given for wrong, and would again.
	ErrRefused = errors.New("refused")
	// ErrNoChange says that a commit would have the same files as its parent.
	ErrNoChange = errors.New("the commit would change nothing")
)

// A MovedError says that a branch is not where the caller expected it, because
// somebody else moved, made or deleted it.
type MovedError struct {
	Branch    string
	Want, Got string // shas; "" for no such branch
}

func (e *MovedError) Error() string {
	at := func(sha string) string { return cmp.Or(sha, "nowhere") }
	return fmt.Sprintf("branch %q moved: it was expected at %s and is at %s", e.Branch, at(e.Want), at(e.Got))
}

// CheckBranch says why name cannot be a branch, or nil.
func CheckBranch(name string) error {
	ref := plumbing.NewBranchReferenceName(name)
	if ref.Validate() != nil || name == "HEAD" || len(name) > 200 || !utf8.ValidString(name) {
		return fmt.Errorf("%q cannot name a branch; see git help check-ref-format", name)
	}
	return nil
}

// CheckSHA says why sha cannot be a commit's, or nil.
func CheckSHA(sha string) error {
	if !plumbing.IsHash(sha) || strings.ToLower(sha) != sha {
		return fmt.Errorf("%q is not a commit's sha: 40 lower-case hexadecimal digits", sha)
	}
	return nil
}

func checkTitle(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("the title is blank")
	}
	return checkText("title", s, MaxTitle)
}

func checkText(what, s string, most int) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("the %s is not UTF-8", what)
	}
	if n := utf8.RuneCountInString(s); n > most {
		return fmt.Errorf("the %s has %d characters; at most %d fit", what, n, most)
	}
	return nil
}

// CheckLabels returns labels sorted, each once, never nil.
func CheckLabels(labels []string) ([]string, error) {
	for _, l := range labels {
		if strings.TrimSpace(l) == "" {
			return nil, errors.New("a label is blank")
		}
		if err := checkText("label", l, maxLabel); err != nil {
			return nil, err
		}
	}
	sorted := append([]string{}, labels...)
	slices.Sort(sorted)
	return slices.Compact(sorted), nil
}

// Check says what of it no forge takes, or nil.
func (n NewPullRequest) Check() error {
	return errors.Join(NewIssue{Title: n.Title, Body: n.Body}.Check(), CheckBranch(n.Base), CheckBranch(n.Head))
}

// Check says what of it no forge takes, or nil.
func (n NewIssue) Check() error {
	return errors.Join(checkTitle(n.Title), checkText("body", n.Body, MaxBody))
}

// Check says what of it no forge takes, or nil.
func (c IssueChange) Check() error {
	if c.Title != nil {
		if err := checkTitle(*c.Title); err != nil {
			return err
		}
	}
	if c.State != nil && *c.State != Open && *c.State != Closed {
		return fmt.Errorf("state %q is not one of closed, open", *c.State)
	}
	if c.Body != nil {
		return checkText("body", *c.Body, MaxBody)
	}
	return nil
}

// Check says what of it no forge takes, or nil.
func (r Reaction) Check() error {
	switch r {
	case ThumbsUp, Confused, Eyes:
		return nil
	}
	return fmt.Errorf("reaction %q is not one of %q, %q, %q", string(r), ThumbsUp, Confused, Eyes)
}

// Check says what of it no forge takes, or nil.
func (c NewLineComment) Check() error {
	switch {
	case c.Path == "" || !utf8.ValidString(c.Path):
		return fmt.Errorf("a remark has the path %q, which no file has", c.Path)
	case c.StartLine < 1 || c.EndLine < c.StartLine:
		return fmt.Errorf("a remark on %q has lines %d to %d; they count from 1", c.Path, c.StartLine, c.EndLine)
	}
	return CheckComment(c.Body)
}

// Check says what of it no forge takes, or nil.
func (c Check) Check() error {
	if err := checkCheckName(c.Name); err != nil {
		return err
	}
	switch c.Conclusion {
	case Success, Neutral, Failure:
	default:
		return fmt.Errorf("conclusion %q is not one of failure, neutral, success", c.Conclusion)
	}
	if err := checkTitle(c.Title); err != nil {
		return err
	}
	if err := checkText("summary", c.Summary, MaxBody); err != nil {
		return err
	}
	for _, a := range c.Annotations {
		if err := a.Check(); err != nil {
			return err
		}
	}
	return nil
}

func checkCheckName(name string) error {
	if name == "" || len(name) > maxCheckName || !utf8.ValidString(name) {
		return fmt.Errorf("%q cannot name a check: 1 to %d bytes of UTF-8 can", name, maxCheckName)
	}
	return nil
}

// Check says what of it no forge takes, or nil.
func (a Annotation) Check() error {
	switch {
	case a.Path == "" || !utf8.ValidString(a.Path):
		return fmt.Errorf("an annotation has the path %q, which no file has", a.Path)
	case a.StartLine < 1 || a.EndLine < a.StartLine:
		return fmt.Errorf("an annotation of %q has lines %d to %d; they count from 1", a.Path, a.StartLine, a.EndLine)
	case a.StartColumn < 0 || a.EndColumn < 0:
		return fmt.Errorf("an annotation of %q has columns %d to %d; they count from 1, and 0 is unknown", a.Path, a.StartColumn, a.EndColumn)
	case a.Level != NoticeLevel && a.Level != WarningLevel && a.Level != FailureLevel:
		return fmt.Errorf("an annotation of %q has the level %q, which is not one of failure, notice, warning", a.Path, a.Level)
	case strings.TrimSpace(a.Message) == "":
		return fmt.Errorf("an annotation of %q has no message", a.Path)
	}
	if err := checkText("annotation's title", a.Title, MaxTitle); err != nil {
		return err
	}
	return checkText("annotation's message", a.Message, MaxBody)
}
