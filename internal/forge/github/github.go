// Package github is the forge at github.com, or at a GitHub server of one's own.
//
// Talk goes through GitHub's REST API. Branches are read, moved and deleted through
// Git itself, whose protocol names the commit that a branch must be at: the API
// cannot, and would overwrite what a person pushed a moment ago.
package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// Tokens hands out the token for the next request. A token of an app's
// installation lives for an hour, so it is asked for each time.
type Tokens interface {
	Token(ctx context.Context) (string, error)
}

// StaticToken is a token that stays: the one of a workflow run, or a person's.
type StaticToken string

// Token returns t; an empty one is no error, and sends none.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String keeps the token out of what is printed.
func (StaticToken) String() string { return "(token)" }

// GoString does the same for %#v.
func (StaticToken) GoString() string { return "(token)" }

// Options say which repository, and how to get there. Owner and Name are required.
type Options struct {
	Owner, Name string
	Tokens      Tokens // nil reads what anybody may read
	// Login and UserID are whoever the token acts as. An empty Login is asked for
	// once, which the token of a workflow or an app may not do: Workflow and AppUser
	// name theirs.
	Login  string
	UserID int64

	API    string // address of the REST API; "" is https://api.github.com/
	Server string // address of the pages and repositories; "" is https://github.com/
	// Cache is a folder for Git objects, kept between runs; "" keeps them in memory.
	Cache string
	// Push makes commits here and pushes them. Otherwise they are made through the
	// API, and GitHub signs them.
	Push bool

	Timeout  time.Duration // of one request to the API, 0 for 30 seconds
	GitTime  time.Duration // of one talk with the Git server, 0 for 10 minutes
	GitBytes int64         // the most that it may send in one, 0 for 2 GiB

	Transport http.RoundTripper // nil is http.DefaultTransport
	Now       func() time.Time  // required, to wait as long as a rate limit says
	MaxWait   time.Duration     // the longest such wait, 0 for a minute; beyond it the error says when
	Log       func(format string, args ...any)
}

// Workflow is who the token of a workflow run acts as.
func Workflow() (login string, id int64) { return "github-actions[bot]", 41898282 }

// A Forge is one repository at GitHub.
type Forge struct {
	opt    Options
	api    *github.Client
	server *url.URL
	git    gitSide

	mu       sync.Mutex
	user     forge.User                // whoever acts; zero until asked for
	checks   map[checkKey]*remoteCheck // the last seen of each
	statuses bool                      // the token may not make check runs
}

var _ forge.Forge = (*Forge)(nil)

// Open prepares to use a repository. It sends nothing yet.
func Open(opt Options) (*Forge, error) {
	if !plainName(opt.Owner) || !plainName(opt.Name) {
		return nil, fmt.Errorf("%q is not a repository at GitHub; write OWNER/NAME", opt.Owner+"/"+opt.Name)
	}
	if opt.Now == nil {
		return nil, errors.New("Options.Now is nil")
	}
	if opt.Tokens == nil {
		opt.Tokens = StaticToken("")
	}
	opt.MaxWait, opt.Timeout = cmp.Or(opt.MaxWait, time.Minute), cmp.Or(opt.Timeout, 30*time.Second)
	opt.GitTime, opt.GitBytes = cmp.Or(opt.GitTime, 10*time.Minute), cmp.Or(opt.GitBytes, 2<<30)
	api, err := address(cmp.Or(opt.API, "https://api.github.com/"))
	if err != nil {
		return nil, fmt.Errorf("address of the API: %w", err)
	}
	server, err := address(cmp.Or(opt.Server, "https://github.com/"))
	if err != nil {
		return nil, fmt.Errorf("address of the server: %w", err)
	}
	f := &Forge{opt: opt, server: server, checks: map[checkKey]*remoteCheck{}, user: forge.User{Login: opt.Login, ID: opt.UserID}}
	f.api = github.NewClient(&http.Client{Transport: &patient{
		next: &authorized{next: opt.transport(), host: api.Host, tokens: opt.Tokens},
		host: api.Host, now: opt.Now, timeout: opt.Timeout, maxWait: opt.MaxWait, log: f.logf,
	}})
	f.api.BaseURL, f.api.UserAgent = api, "dpgbot"
	f.git.pulls = map[int]string{}
	return f, nil
}

func (o Options) transport() http.RoundTripper {
	if o.Transport == nil {
		return http.DefaultTransport
	}
	return o.Transport
}

func (f *Forge) logf(format string, args ...any) {
	if f.opt.Log != nil {
		f.opt.Log(format, args...)
	}
}

// address reads a base address; one without TLS is for this machine alone.
func address(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err == nil && (u.User != nil || u.RawQuery != "") || err != nil && strings.Contains(s, "@") {
		return nil, errors.New("it holds more than an address such as https://api.github.com/; a name, a password or a token has no place in it")
	}
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not an address such as https://api.github.com/", s)
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("%q would send the token in the clear; it must begin with https://", s)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	return u, nil
}

// plainName reports whether s can be an owner's or a repository's name.
func plainName(s string) bool {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 100 && strings.Trim(s, ".") != ""
}

// me returns whoever acts.
func (f *Forge) me(ctx context.Context) (forge.User, error) {
	f.mu.Lock()
	user := f.user
	f.mu.Unlock()
	if user.Login != "" {
		return user, nil
	}
	u, _, err := f.api.Users.Get(ctx, "")
	if err != nil {
		return user, fmt.Errorf("who the token belongs to: %w", explain(err))
	}
	user = userOf(u)
	f.mu.Lock()
	f.user = user
	f.mu.Unlock()
	return user, nil
}

func userOf(u *github.User) forge.User { return forge.User{Login: u.GetLogin(), ID: u.GetID()} }

func isUser(u *github.User, me forge.User) bool {
	if me.ID != 0 {
		return u.GetID() == me.ID
	}
	return strings.EqualFold(u.GetLogin(), me.Login)
}

// A SetupError says what somebody with rights over the repository must change
// there before the bot can work.
type SetupError struct {
	What string // what GitHub refused, in words
	Do   string // where to click
	err  error
}

func (e *SetupError) Error() string { return e.What + "; " + e.Do }
func (e *SetupError) Unwrap() error { return e.err }

// A LimitError says that GitHub takes no more requests for now, and that waiting
// would take longer than Options.MaxWait.
type LimitError struct {
	text string // says until when
	err  error
}

func (e *LimitError) Error() string { return e.text }
func (e *LimitError) Unwrap() error { return e.err }

// explain puts GitHub's refusals into words. What it wraps is kept.
func explain(err error) error {
	var limit *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var resp *github.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		return &LimitError{fmt.Sprintf("GitHub's limit of %d requests an hour is used up until %s; run again after that",
			limit.Rate.Limit, limit.Rate.Reset.UTC().Format("15:04 UTC")), err}
	case errors.As(err, &abuse):
		return &LimitError{fmt.Sprintf("GitHub asks to slow down; run again in %s", cmp.Or(abuse.GetRetryAfter(), time.Minute)), err}
	case !errors.As(err, &resp) || resp.Response == nil:
		return err
	}
	switch message := strings.ToLower(resp.Message); {
	case resp.Response.StatusCode == http.StatusUnauthorized:
		return &SetupError{"GitHub does not know the token", "it may have expired: make a new one, and set it as GITHUB_TOKEN", err}
	case strings.Contains(message, "not permitted to create or approve pull requests"):
		return &SetupError{"GitHub Actions may not open pull requests in this repository",
			"tick \"Allow GitHub Actions to create and approve pull requests\" under Settings, Actions, General", err}
	case resp.Response.StatusCode == http.StatusForbidden && strings.Contains(message, "not accessible"):
		return &SetupError{fmt.Sprintf("the token may not %s", asked(resp)), "give it that permission: in a workflow under \"permissions:\", for a token of your own where it was made", err}
	case resp.Response.StatusCode == http.StatusForbidden && strings.Contains(message, "archived"):
		return &SetupError{"the repository is archived, so nothing can be changed in it", "unarchive it under Settings", err}
	case resp.Response.StatusCode == http.StatusTooManyRequests || strings.Contains(message, "secondary rate limit"):
		return &LimitError{"GitHub asks to slow down; run again in some minutes", err}
	case resp.Response.StatusCode == http.StatusNotFound || resp.Response.StatusCode == http.StatusGone:
		return fmt.Errorf("%s: %w", asked(resp), forge.ErrNotFound)
	}
	text := resp.Message
	for _, e := range resp.Errors {
		if m := cmp.Or(e.Message, e.Code); m != "" {
			text += ": " + strings.TrimSpace(e.Field+" "+m)
		}
	}
	return &refusal{asked(resp), resp.Response.StatusCode, text, err}
}

// A refusal is an answer of GitHub's that is not one of those with words of their own.
type refusal struct {
	asked  string
	status int
	text   string
	err    error
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: GitHub answered %d, %q", r.asked, r.status, clip(r.text, 300))
}
func (r *refusal) Unwrap() error { return r.err }

// asked names a request: method and path, without host and query.
func asked(resp *github.ErrorResponse) string {
	r := resp.Response.Request
	if r == nil || r.URL == nil {
		return "request"
	}
	return r.Method + " " + r.URL.Path
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// status is the HTTP status of the answer that an error stands for, 0 if it is not
// known whether there was one.
func status(err error) int {
	var resp *github.ErrorResponse
	if errors.As(err, &resp) && resp.Response != nil {
		return resp.Response.StatusCode
	}
	return 0
}

// unsure reports whether a write that failed with err may have taken effect all
// the same: its answer was lost, or came from a machine on the way.
func unsure(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	var limit *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	if errors.As(err, &limit) || errors.As(err, &abuse) {
		return false
	}
	s := status(err)
	return s == 0 || s >= 500
}

// pages calls list for each page, until there is none left or list says stop.
func pages(list func(github.ListOptions) (*github.Response, error)) error {
	opt := github.ListOptions{PerPage: 100}
	for range maxPages {
		resp, err := list(opt)
		if err != nil {
			return explain(err)
		}
		if resp == nil || resp.NextPage == 0 {
			return nil
		}
		opt.Page = resp.NextPage
	}
	return fmt.Errorf("the list has more than %d pages; that is more than the bot reads", maxPages)
}

// maxPages bounds a list that never ends: 30,000 things.
const maxPages = 300
