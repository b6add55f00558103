package githubtest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pull is a pull request; what people see of it is in its thread.
type pull struct {
	number          int
	from            *Repo
	head, sha, base string
	baseAt          string // where base was when it was last looked at
	state           string // "open", "closed" or "merged"
	draft           bool
	maintainers     bool // may push to a fork's branch
	mergedAt        string
	closedAt        string
	updatedAt       string
	lines           []*lineComment
	reviews         int
}

type lineComment struct {
	id         int64
	by         User
	path, body string
	start, end int // start is 0 for one line
	sha        string
	at         string
}

// NewPull is what OpenPull needs; As and Head are required.
type NewPull struct {
	As          string // login
	From        *Repo  // a fork; nil is the repository itself
	Head, Base  string // branches; "" for Base is the default one
	Title, Body string // "" for Title is Head
	Draft       bool
	// NoMaintainers says that maintainers may not push to the branch of a fork.
	NoMaintainers bool
}

// OpenPull opens a pull request as somebody, and returns its number.
func (s *Server) OpenPull(n NewPull) int {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.From == nil {
		n.From = s.Repo
	}
	p, refusal := s.open(s.somebody(n.As), n)
	if refusal != nil {
		s.t.Fatalf("open a pull request of %q: %v", n.Head, refusal.value)
	}
	return p.number
}

func (s *Server) open(by User, n NewPull) (*pull, *reply) {
	no := func(r reply) (*pull, *reply) { return nil, &r }
	n.Base = cmp.Or(n.Base, s.opt.DefaultBranch)
	head, base := n.From.Head(n.Head), s.Repo.Head(n.Base)
	switch {
	case head == "":
		return no(invalid("PullRequest", "head", "invalid", ""))
	case base == "":
		return no(invalid("PullRequest", "base", "invalid", ""))
	}
	if refusal := checkText("PullRequest", &n.Title, &n.Body); refusal != nil {
		return nil, refusal
	}
	if slices.ContainsFunc(s.pulls, func(p *pull) bool {
		return p.state == "open" && p.from == n.From && p.head == n.Head && p.base == n.Base
	}) {
		return no(invalid("PullRequest", "", "custom", fmt.Sprintf("A pull request already exists for %s:%s.", n.From.owner, n.Head)))
	}
	if _, err := s.tryGit(s.Repo.bare, "", nil, "merge-base", "--is-ancestor", head, base); err == nil {
		return no(invalid("PullRequest", "", "custom", fmt.Sprintf("No commits between %s and %s", n.Base, n.Head)))
	}
	th := s.newThread(by, cmp.Or(n.Title, n.Head), n.Body)
	p := &pull{number: th.number, from: n.From, head: n.Head, base: n.Base, baseAt: base, state: "open", draft: n.Draft, maintainers: !n.NoMaintainers && n.From.fork}
	th.pull = p
	s.pulls = append(s.pulls, p)
	s.takeHead(p, head)
	return p, nil
}

const (
	maxTitle = 256
	maxText  = 65536
)

// checkText refuses what GitHub has no room for, in characters.
func checkText(resource string, title, body *string) *reply {
	var r reply
	switch {
	case title != nil && utf8.RuneCountInString(*title) > maxTitle:
		r = invalid(resource, "title", "custom", "title is too long (maximum is 256 characters)")
	case body != nil && utf8.RuneCountInString(*body) > maxText:
		r = invalid(resource, "body", "custom", "body is too long (maximum is 65536 characters)")
	default:
		return nil
	}
	return &r
}

// Merge merges a pull request with a merge commit, as somebody pressed the button.
func (s *Server) Merge(number int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow()
	p := s.pull(number)
	if p == nil || p.state != "open" {
		s.t.Fatalf("pull request %d is not open", number)
	}
	base := s.Repo.Head(p.base)
	tree, err := s.tryGit(s.Repo.bare, "", nil, "merge-tree", "--write-tree", base, p.sha)
	if err != nil {
		s.t.Fatal(err)
	}
	tree, _, _ = strings.Cut(tree, "\n")
	s.git(s.Repo.bare, "", "update-ref", "refs/heads/"+p.base, s.git(s.Repo.bare, "", "commit-tree", tree, "-p", base, "-p", p.sha, "-m", "merge"))
	s.follow()
}

// ClosePull closes a pull request as somebody pressed the button.
func (s *Server) ClosePull(number int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pull(number)
	if p == nil || p.state != "open" {
		s.t.Fatalf("pull request %d is not open", number)
	}
	p.state, p.closedAt = "closed", s.now()
}

func (s *Server) pull(number int) *pull {
	if th := s.threads[number]; th != nil {
		return th.pull
	}
	return nil
}

func (r *Repo) value() obj {
	return obj{
		"id": r.id, "name": r.name, "full_name": r.fullName(), "fork": r.fork, "private": r.s.opt.Private, "archived": false,
		"owner": r.s.somebody(r.owner).value(), "default_branch": r.s.opt.DefaultBranch, "html_url": r.s.html(r.owner, r.name), "clone_url": r.s.html(r.owner, r.name) + ".git",
		"visibility": map[bool]string{true: "private", false: "public"}[r.s.opt.Private],
	}
}

func (s *Server) pullValue(p *pull) obj {
	th := s.threads[p.number]
	side := func(r *Repo, branch, sha string) obj {
		v := obj{"label": r.owner + ":" + branch, "ref": branch, "sha": sha, "user": s.somebody(r.owner).value(), "repo": nil}
		if s.repos[strings.ToLower(r.fullName())] == r {
			v["repo"] = r.value()
		}
		return v
	}
	v := obj{
		"id": int64(p.number) + 1_000_000, "number": p.number, "title": th.title, "body": th.text(), "user": th.by.value(), "draft": p.draft,
		"state": map[bool]string{true: "open", false: "closed"}[p.state == "open"], "merged": p.state == "merged", "merged_at": nil, "closed_at": nil,
		"head": side(p.from, p.head, p.sha), "base": side(s.Repo, p.base, p.baseAt), "labels": s.labelValues(th.labels),
		"maintainer_can_modify": p.maintainers, "html_url": s.html(s.Repo.owner, s.Repo.name, "pull", strconv.Itoa(p.number)),
		"created_at": th.at, "updated_at": cmp.Or(p.updatedAt, th.at),
	}
	if p.mergedAt != "" {
		v["merged_at"] = p.mergedAt
	}
	if p.closedAt != "" {
		v["closed_at"] = p.closedAt
	}
	return v
}

func (s *Server) getPull(c *call) reply {
	p := s.pull(c.number("pull_number"))
	if p == nil {
		return refuse(404, "Not Found")
	}
	return reply{status: 200, value: s.pullValue(p)}
}

func (s *Server) listPulls(c *call) reply {
	q := c.URL.Query()
	state := cmp.Or(q.Get("state"), "open")
	owner, branch, filtered := strings.Cut(q.Get("head"), ":")
	list := []any{}
	for _, p := range s.pulls {
		if state != "all" && (state == "open") != (p.state == "open") {
			continue
		}
		if filtered && (!strings.EqualFold(owner, p.from.owner) || branch != p.head) || q.Get("base") != "" && q.Get("base") != p.base {
			continue
		}
		list = append(list, s.pullValue(p))
	}
	// GitHub lists the newest first unless told otherwise.
	if cmp.Or(q.Get("sort"), "created") == "created" && q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	return reply{status: 200, value: list}
}

func (s *Server) createPull(c *call) reply {
	n := NewPull{From: s.Repo, Head: c.text("head"), Base: c.text("base"), Title: c.text("title"), Body: c.text("body")}
	n.Draft, _ = c.body["draft"].(bool)
	if may, ok := c.body["maintainer_can_modify"].(bool); ok {
		n.NoMaintainers = !may
	}
	if owner, branch, ok := strings.Cut(n.Head, ":"); ok {
		n.From, n.Head = s.repos[strings.ToLower(owner+"/"+s.Repo.name)], branch
		if n.From == nil {
			return invalid("PullRequest", "head", "invalid", "")
		}
	}
	if n.Title == "" {
		return invalid("PullRequest", "title", "missing_field", "")
	}
	p, refusal := s.open(c.who.User, n)
	if refusal != nil {
		return *refusal
	}
	return reply{status: 201, value: s.pullValue(p)}
}

func (s *Server) updatePull(c *call) reply {
	p := s.pull(c.number("pull_number"))
	if p == nil {
		return refuse(404, "Not Found")
	}
	if refusal := s.edit(c, s.threads[p.number]); refusal != nil {
		return *refusal
	}
	return reply{status: 200, value: s.pullValue(p)}
}

func (s *Server) listReviewComments(c *call) reply {
	p := s.pull(c.number("pull_number"))
	if p == nil {
		return refuse(404, "Not Found")
	}
	list := []any{}
	for _, l := range p.lines {
		v := obj{
			"id": l.id, "user": l.by.value(), "path": l.path, "body": l.body, "line": l.end, "side": "RIGHT", "commit_id": p.sha, "original_commit_id": l.sha,
			"created_at": l.at, "updated_at": l.at, "html_url": s.html(s.Repo.owner, s.Repo.name, "pull", strconv.Itoa(p.number)) + "#discussion_r" + strconv.FormatInt(l.id, 10),
		}
		if l.start != 0 {
			v["start_line"], v["start_side"] = l.start, "RIGHT"
		}
		// Lines that a later commit changed are gone.
		if l.sha != p.sha && !s.shown(p, l.path, l.start, l.end) {
			delete(v, "line")
			delete(v, "start_line")
		}
		list = append(list, v)
	}
	return reply{status: 200, value: list}
}

func (s *Server) createReview(c *call) reply {
	p := s.pull(c.number("pull_number"))
	if p == nil {
		return refuse(404, "Not Found")
	}
	sha := cmp.Or(c.text("commit_id"), p.sha)
	bad := func(message string) reply {
		r := refuse(422, "Unprocessable Entity")
		r.value.(obj)["errors"] = []any{message}
		return r
	}
	own, err := s.tryGit(s.Repo.bare, "", nil, "rev-list", p.sha, "^"+p.baseAt)
	if err != nil || !slices.Contains(strings.Split(own, "\n"), sha) {
		return bad("The commit_id is not part of the pull request")
	}
	number := func(o obj, name string) int {
		n, _ := o[name].(float64)
		return int(n)
	}
	list, _ := c.body["comments"].([]any)
	var lines []*lineComment
	for _, v := range list {
		o, _ := v.(obj)
		l := &lineComment{by: c.who.User, start: number(o, "start_line"), end: number(o, "line"), sha: sha, at: s.now()}
		l.path, _ = o["path"].(string)
		l.body, _ = o["body"].(string)
		if !s.shown(p, l.path, l.start, l.end) {
			return bad("Line could not be resolved")
		}
		l.id = s.newID()
		lines = append(lines, l)
	}
	p.lines = append(p.lines, lines...)
	p.reviews++
	return reply{status: 200, value: obj{"id": s.newID(), "user": c.who.value(), "body": c.text("body"), "state": "COMMENTED", "commit_id": sha}}
}

// shown reports whether the page of a pull request shows these lines of a file.
func (s *Server) shown(p *pull, name string, start, end int) bool {
	diff, err := s.tryGit(s.Repo.bare, "", nil, "diff", "-U3", p.baseAt+"..."+p.sha, "--", ":(literal)"+name)
	if err != nil || diff == "" {
		return false
	}
	if start == 0 {
		start = end
	}
	for line := range strings.Lines(diff) {
		var a, b, from, n int
		if !strings.HasPrefix(line, "@@ ") {
			continue
		}
		hunk := strings.Fields(line)
		if _, err := fmt.Sscanf(hunk[1], "-%d,%d", &a, &b); err != nil {
			b = 1
		}
		if _, err := fmt.Sscanf(hunk[2], "+%d,%d", &from, &n); err != nil {
			n = 1
		}
		if start >= from && end < from+n && start <= end {
			return true
		}
	}
	return false
}
