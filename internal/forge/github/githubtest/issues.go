package githubtest

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A thread is what an issue and a pull request have in common.
type thread struct {
	number      int
	by          User
	title, body string
	closed      bool // of an issue; a pull request says so itself
	labels      []string
	comments    []*comment
	reactions   []reaction
	pull        *pull // nil for an issue
	at, edited  string
}

func (th *thread) text() any {
	if th.body == "" { // as GitHub says nothing
		return nil
	}
	return th.body
}

type comment struct {
	id         int64
	by         User
	body       string
	reactions  []reaction
	at, edited string
}

type reaction struct {
	by      User
	content string
}

func (s *Server) newThread(by User, title, body string) *thread {
	th := &thread{number: len(s.threads) + 1, by: by, title: title, body: body, labels: []string{}, at: s.now()}
	s.threads[th.number] = th
	return th
}

// OpenIssue opens an issue as somebody, and returns its number.
func (s *Server) OpenIssue(as, title, body string, labels ...string) int {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	th := s.newThread(s.somebody(as), title, body)
	th.labels = s.canonical(labels)
	return th.number
}

// EditIssue replaces the body of an issue or a pull request, as its author would.
func (s *Server) EditIssue(number int, body string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.must(number).body = body
}

// SetLabels sets the labels of an issue or a pull request, as a person would.
func (s *Server) SetLabels(number int, labels ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.must(number).labels = s.canonical(labels)
}

// Comment says something as somebody, and returns the comment's id.
func (s *Server) Comment(as string, number int, body string) int64 {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.say(s.must(number), s.somebody(as), body).id
}

func (s *Server) must(number int) *thread {
	s.t.Helper()
	th := s.threads[number]
	if th == nil {
		s.t.Fatalf("there is no issue or pull request %d", number)
	}
	return th
}

func (s *Server) say(th *thread, by User, body string) *comment {
	c := &comment{id: s.newID(), by: by, body: body, at: s.now()}
	th.comments = append(th.comments, c)
	return c
}

// canonical makes labels that are not there, and writes those that are as they were
// written first: GitHub knows no case in them.
func (s *Server) canonical(labels []string) []string {
	out := []string{}
	for _, l := range labels {
		i := slices.IndexFunc(s.labels, func(had string) bool { return strings.EqualFold(had, l) })
		if i < 0 {
			i = len(s.labels)
			s.labels = append(s.labels, l)
		}
		out = append(out, s.labels[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *Server) labelValues(labels []string) []any {
	list := []any{}
	for _, l := range labels {
		list = append(list, obj{"id": int64(1 + slices.Index(s.labels, l)), "name": l, "color": "ededed", "default": false, "description": "", "url": s.API() + "/repos/" + s.Repo.fullName() + "/labels/" + escape(l)})
	}
	return list
}

func (s *Server) issueValue(th *thread) obj {
	closed := th.closed
	v := obj{
		"id": int64(th.number) + 2_000_000, "number": th.number, "title": th.title, "body": th.text(), "user": th.by.value(),
		"labels": s.labelValues(th.labels), "comments": len(th.comments), "created_at": th.at, "updated_at": cmp.Or(th.edited, th.at), "closed_at": nil,
		"html_url": s.html(s.Repo.owner, s.Repo.name, "issues", strconv.Itoa(th.number)), "author_association": "NONE",
	}
	if th.pull != nil {
		closed = th.pull.state != "open"
		at := s.html(s.Repo.owner, s.Repo.name, "pull", strconv.Itoa(th.number))
		v["html_url"] = at
		v["pull_request"] = obj{"url": s.API() + "/repos/" + s.Repo.fullName() + "/pulls/" + strconv.Itoa(th.number), "html_url": at, "diff_url": at + ".diff", "patch_url": at + ".patch"}
	}
	v["state"] = map[bool]string{true: "closed", false: "open"}[closed]
	return v
}

func (s *Server) getIssue(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	return reply{status: 200, value: s.issueValue(th)}
}

func (s *Server) listIssues(c *call) reply {
	q := c.URL.Query()
	state, labels := cmp.Or(q.Get("state"), "open"), q.Get("labels")
	list := []any{}
	for _, n := range slices.Sorted(maps.Keys(s.threads)) {
		th := s.threads[n]
		v := s.issueValue(th)
		if state != "all" && v["state"] != state || q.Get("creator") != "" && !strings.EqualFold(q.Get("creator"), th.by.Login) {
			continue
		}
		fits := true
		if labels != "" {
			for want := range strings.SplitSeq(labels, ",") {
				fits = fits && slices.ContainsFunc(th.labels, func(l string) bool { return strings.EqualFold(l, want) })
			}
		}
		if fits {
			list = append(list, v)
		}
	}
	if q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	return reply{status: 200, value: list}
}

func (s *Server) createIssue(c *call) reply {
	title, body := c.text("title"), c.text("body")
	if refusal := checkText("Issue", &title, &body); refusal != nil {
		return *refusal
	}
	th := s.newThread(c.who.User, title, body)
	if labels, ok := c.texts("labels"); ok && s.mayWrite(c.who) { // from others they are dropped without a word
		th.labels = s.canonical(labels)
	}
	return reply{status: 201, value: s.issueValue(th)}
}

func (s *Server) updateIssue(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	if refusal := s.edit(c, th); refusal != nil {
		return *refusal
	}
	return reply{status: 200, value: s.issueValue(th)}
}

// edit does what a PATCH of an issue or a pull request says.
func (s *Server) edit(c *call, th *thread) *reply {
	if !s.mayWrite(c.who) && c.who.ID != th.by.ID {
		r := refuse(403, "Resource not accessible by integration")
		return &r
	}
	title, body := c.text("title"), c.text("body")
	if refusal := checkText("Issue", &title, &body); refusal != nil {
		return refusal
	}
	if _, ok := c.body["title"].(string); ok {
		th.title = title
	}
	if _, ok := c.body["body"]; ok {
		th.body = body
	}
	if labels, ok := c.texts("labels"); ok {
		for _, l := range labels {
			if len([]rune(l)) > 50 {
				r := invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
				return &r
			}
		}
		th.labels = s.canonical(labels)
	}
	switch state := c.text("state"); {
	case state == "" || th.pull != nil && th.pull.state == "merged":
	case th.pull == nil:
		th.closed = state == "closed"
	case state == "closed" && th.pull.state == "open":
		th.pull.state, th.pull.closedAt = "closed", s.now()
	case state == "open" && th.pull.state == "closed":
		if th.pull.from.Head(th.pull.head) == "" {
			r := invalid("PullRequest", "state", "invalid", "state cannot be changed. The branch was deleted.")
			return &r
		}
		th.pull.state, th.pull.closedAt = "open", ""
	}
	th.edited = s.now()
	return nil
}

func (s *Server) commentValue(c *comment) obj {
	return obj{
		"id": c.id, "user": c.by.value(), "body": c.body, "created_at": c.at, "updated_at": cmp.Or(c.edited, c.at), "author_association": "NONE",
		"html_url": s.html(s.Repo.owner, s.Repo.name, "issues", "0") + "#issuecomment-" + strconv.FormatInt(c.id, 10),
	}
}

func (s *Server) comment(id int) (*thread, *comment) {
	for _, th := range s.threads {
		for _, c := range th.comments {
			if c.id == int64(id) {
				return th, c
			}
		}
	}
	return nil, nil
}

func (s *Server) listComments(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	list := []any{}
	for _, said := range th.comments {
		list = append(list, s.commentValue(said))
	}
	return reply{status: 200, value: list}
}

func (s *Server) createComment(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	body := c.text("body")
	if refusal := checkText("IssueComment", nil, &body); refusal != nil {
		return *refusal
	}
	if strings.TrimSpace(body) == "" {
		return invalid("IssueComment", "body", "missing_field", "body cannot be blank")
	}
	return reply{status: 201, value: s.commentValue(s.say(th, c.who.User, body))}
}

func (s *Server) getComment(c *call) reply {
	_, said := s.comment(c.number("comment_id"))
	if said == nil {
		return refuse(404, "Not Found")
	}
	return reply{status: 200, value: s.commentValue(said)}
}

func (s *Server) updateComment(c *call) reply {
	_, said := s.comment(c.number("comment_id"))
	switch body := c.text("body"); {
	case said == nil:
		return refuse(404, "Not Found")
	case said.by.ID != c.who.ID && !s.mayWrite(c.who):
		return refuse(403, "Resource not accessible by integration")
	default:
		if refusal := checkText("IssueComment", nil, &body); refusal != nil {
			return *refusal
		}
		said.body, said.edited = body, s.now()
	}
	return reply{status: 200, value: s.commentValue(said)}
}

// react adds a reaction, unless the same is there.
func (s *Server) react(c *call, to *[]reaction) reply {
	r, status := reaction{c.who.User, c.text("content")}, 200
	if !slices.Contains(*to, r) {
		*to, status = append(*to, r), 201
	}
	return reply{status: status, value: obj{"id": s.newID(), "user": c.who.value(), "content": r.content, "created_at": s.now()}}
}

func (s *Server) reactToIssue(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	return s.react(c, &th.reactions)
}

func (s *Server) reactToComment(c *call) reply {
	_, said := s.comment(c.number("comment_id"))
	if said == nil {
		return refuse(404, "Not Found")
	}
	return s.react(c, &said.reactions)
}

func (s *Server) listLabels(*call) reply {
	return reply{status: 200, value: s.labelValues(s.labels)}
}

func (s *Server) createLabel(c *call) reply {
	if slices.ContainsFunc(s.labels, func(l string) bool { return strings.EqualFold(l, c.text("name")) }) {
		return invalid("Label", "name", "already_exists", "")
	}
	return reply{status: 201, value: s.labelValues(s.canonical([]string{c.text("name")}))[0]}
}

func (s *Server) addLabels(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	labels, _ := c.texts("labels")
	th.labels = s.canonical(append(labels, th.labels...))
	return reply{status: 200, value: s.labelValues(th.labels)}
}

func (s *Server) removeLabel(c *call) reply {
	th := s.threads[c.number("issue_number")]
	if th == nil {
		return refuse(404, "Not Found")
	}
	name, err := url.PathUnescape(c.vars["name"])
	if err != nil {
		return refuse(404, "Not Found")
	}
	i := slices.IndexFunc(th.labels, func(l string) bool { return strings.EqualFold(l, name) })
	if i < 0 {
		return refuse(404, "Label does not exist")
	}
	th.labels = slices.Delete(slices.Clone(th.labels), i, i+1)
	return reply{status: 200, value: s.labelValues(th.labels)}
}

// A Said is a comment, as a person reads it.
type Said struct {
	ID        int64
	By, Body  string   // login and Markdown
	Reactions []string // "LOGIN CONTENT", sorted
}

// Comments are what was said on an issue or a pull request, oldest first.
func (s *Server) Comments(number int) []Said {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Said
	for _, c := range s.must(number).comments {
		out = append(out, Said{c.id, c.by.Login, c.body, reactions(c.reactions)})
	}
	return out
}

func reactions(rs []reaction) []string {
	var out []string
	for _, r := range rs {
		out = append(out, r.by.Login+" "+r.content)
	}
	slices.Sort(out)
	return out
}

// State is everything a person could see, as text: branches with the trees that they
// hold, issues and pull requests with what was said, checks. Ids, dates and shas of
// commits are left out, so that two states can be compared.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	trees := map[string]string{}
	tree := func(sha string) string {
		if trees[sha] == "" {
			trees[sha], _ = s.tryGit(s.Repo.bare, "", nil, "rev-parse", sha+"^{tree}")
		}
		return trees[sha]
	}
	branches := s.Repo.branches()
	for _, name := range slices.Sorted(maps.Keys(branches)) {
		line("branch %s: tree %s", name, tree(branches[name]))
	}
	for _, n := range slices.Sorted(maps.Keys(s.threads)) {
		th := s.threads[n]
		state, what := map[bool]string{true: "closed", false: "open"}[th.closed], "issue"
		if p := th.pull; p != nil {
			state, what = p.state, fmt.Sprintf("pull request %s:%s into %s, tree %s,", p.from.fullName(), p.head, p.base, tree(p.sha))
		}
		line("%d: %s %s by %s: %q %q labels %q reactions %q", n, state, what, th.by.Login, th.title, th.body, th.labels, reactions(th.reactions))
		for _, c := range th.comments {
			line("%d: comment by %s: %q reactions %q", n, c.by.Login, c.body, reactions(c.reactions))
		}
		if th.pull != nil {
			for _, l := range th.pull.lines {
				line("%d: remark by %s on %s:%d-%d: %q", n, l.by.Login, l.path, l.start, l.end, l.body)
			}
		}
	}
	var last []string
	for _, r := range s.runs {
		if s.latest(r.sha, r.name) == r {
			last = append(last, fmt.Sprintf("check %s of tree %s: %s %q %q, %d annotations", r.name, tree(r.sha), r.conclusion, r.title, r.summary, len(r.notes)))
		}
	}
	for i, st := range s.statuses {
		if !slices.ContainsFunc(s.statuses[i+1:], func(o status) bool { return o.sha == st.sha && o.context == st.context }) {
			last = append(last, fmt.Sprintf("status %s of tree %s: %s %q", st.context, tree(st.sha), st.state, st.text))
		}
	}
	slices.Sort(last)
	for _, l := range last {
		line("%s", l)
	}
	return b.String()
}
