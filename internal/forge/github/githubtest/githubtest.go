// Package githubtest is a fake GitHub for tests: one that remembers what it is told,
// and that stands on a real bare repository, so that what is pushed, refused or
// raced for is so by Git itself. Each request and each answer is held to GitHub's own
// description of its API (api.json.gz); one that breaks it fails the test, as does a
// call that the description does not list. The product never imports it.
//
//	s := githubtest.New(t, githubtest.Options{PageSize: 100})
//	fork := s.Fork("mallory")
//	fork.Commit("fix", map[string]string{"registry/dpgs/x.yaml": "id: x\n"}, "add x")
//	n := s.OpenPull(githubtest.NewPull{As: "mallory", From: fork, Head: "fix"})
//	s.Fail(githubtest.Fault{Operation: "issues/create-comment", Drop: true})
//	// GITHUB_API_URL=s.API() GITHUB_SERVER_URL=s.URL() GITHUB_TOKEN=s.WorkflowToken() dpgbot review --forge github:octo/registry --pr 1
//	s.Comments(n); s.Runs(fork.Head("fix")); s.State(); s.Requests().Count()
package githubtest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options say what the fake holds at first. The zero Options are a public repository
// octo/registry, whose branch main has one commit that adds README.md.
type Options struct {
	Owner, Name   string            // "" are octo and registry
	DefaultBranch string            // "" is main
	Files         map[string]string // of the first commit, by path; nil is a README.md
	Empty         bool              // there is no commit at all
	Private       bool              // reading needs a token
	// PageSize is the most that one answer lists, 0 for 3: small, so that whoever reads
	// the first page only is found out. Tests that count requests set GitHub's own 100.
	PageSize int
	// NoActionsPulls is a repository where Actions may not open pull requests, as
	// GitHub makes them.
	NoActionsPulls bool
}

// A Server is a fake GitHub. Its methods may be called from several goroutines;
// those that act as somebody fail the test where the fake refuses.
type Server struct {
	*Repo // the repository the test is about

	t       testing.TB
	opt     Options
	root    string // folder of the bare repositories
	http    *httptest.Server
	api     *description
	backend string        // git http-backend
	done    chan struct{} // closed when the test ends, for requests that hang

	mu       sync.Mutex
	ticks    int   // seconds since the beginning
	lastID   int64 // of whatever has an id
	repos    map[string]*Repo
	renamed  map[string]*Repo // by the names they had
	users    map[string]*account
	tokens   map[string]*token
	app      *app
	pulls    []*pull
	threads  map[int]*thread
	labels   []string
	rules    []any // of rulesets, for the default branch
	runs     []*run
	statuses []status
	faults   []*fault
	requests Requests
}

// backend is where git http-backend is.
var backend = sync.OnceValues(func() (string, error) {
	dir, err := exec.Command("git", "--exec-path").Output()
	return filepath.Join(strings.TrimSpace(string(dir)), "git-http-backend"), err
})

// New starts a fake GitHub, which stops when the test ends. It needs git; where
// that is missing the test is skipped, and fails under CI.
func New(t testing.TB, opt Options) *Server {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed; the fake GitHub stands on it")
	}
	opt.Owner, opt.Name = cmp.Or(opt.Owner, "octo"), cmp.Or(opt.Name, "registry")
	opt.DefaultBranch, opt.PageSize = cmp.Or(opt.DefaultBranch, "main"), cmp.Or(opt.PageSize, 3)
	if opt.Files == nil {
		opt.Files = map[string]string{"README.md": "# A registry\n"}
	}
	s := &Server{
		t: t, opt: opt, root: t.TempDir(), done: make(chan struct{}), lastID: 1000,
		repos: map[string]*Repo{}, renamed: map[string]*Repo{}, users: map[string]*account{},
		tokens: map[string]*token{}, threads: map[int]*thread{},
	}
	s.http = httptest.NewServer(s)
	var err error
	if s.api, err = describe(); err != nil {
		t.Fatal(err)
	}
	if s.backend, err = backend(); err != nil {
		t.Fatal(err)
	}
	s.addUser(opt.Owner, "admin")
	s.users["github-actions[bot]"] = &account{User{"github-actions[bot]", 41898282}, "write"}
	s.Repo = s.newRepo(opt.Owner, opt.Name)
	s.git("", "", "init", "-q", "--bare", "--initial-branch="+opt.DefaultBranch, s.Bare())
	s.Repo.configure()
	if !opt.Empty {
		s.Repo.Commit(opt.DefaultBranch, opt.Files, "begin")
	}
	t.Cleanup(func() {
		close(s.done)
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// URL is where pages and repositories are: GITHUB_SERVER_URL of a workflow.
func (s *Server) URL() string { return s.http.URL }

// API is where the REST API is: GITHUB_API_URL of a workflow.
func (s *Server) API() string { return s.http.URL + "/api/v3" }

// obj is a JSON object.
type obj = map[string]any

// now is a clock of the fake's own: each look is a second later.
func (s *Server) now() string {
	s.ticks++
	return time.Date(2024, 3, 1, 0, 0, s.ticks, 0, time.UTC).Format(time.RFC3339)
}

func (s *Server) newID() int64 {
	s.lastID++
	return s.lastID
}

// A call is a request that found its operation.
type call struct {
	*http.Request
	op   string
	repo *Repo // nil for what is about no repository
	who  *token
	vars map[string]string
	body obj
}

func (c *call) number(name string) int {
	n, _ := strconv.Atoi(c.vars[name])
	return n
}

func (c *call) text(name string) string {
	s, _ := c.body[name].(string)
	return s
}

// texts are the strings of a list in the body, and whether there is such a list.
func (c *call) texts(name string) ([]string, bool) {
	list, ok := c.body[name].([]any)
	out := []string{}
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case obj:
			name, _ := v["name"].(string)
			out = append(out, name)
		}
	}
	return out, ok
}

// A reply is an answer before it is completed to what the description requires.
type reply struct {
	status int
	value  any    // obj, []any for a list that is paged, or nil
	wrap   string // the property that a paged list stands in, "" for none
}

func refuse(status int, format string, args ...any) reply {
	return reply{status: status, value: obj{"message": fmt.Sprintf(format, args...), "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)}}
}

// invalid is a 422 that names a field, as GitHub's do.
func invalid(resource, field, code, message string) reply {
	r := refuse(422, "Validation Failed")
	e := obj{"resource": resource, "code": code}
	if field != "" {
		e["field"] = field
	}
	if message != "" {
		e["message"] = message
	}
	r.value.(obj)["errors"] = []any{e}
	return r
}

// handlers answer the operations, with the server locked.
var handlers = map[string]func(*Server, *call) reply{
	"actions/get-github-actions-default-workflow-permissions-repository": (*Server).workflowPermissions,
	"apps/create-installation-access-token":                              (*Server).makeInstallationToken,
	"apps/get-repo-installation":                                         (*Server).getInstallation,
	"checks/create":                                                      (*Server).createRun,
	"checks/list-annotations":                                            (*Server).listAnnotations,
	"checks/list-for-ref":                                                (*Server).listRuns,
	"checks/update":                                                      (*Server).updateRun,
	"git/create-blob":                                                    (*Server).createBlob,
	"git/create-commit":                                                  (*Server).createCommit,
	"git/create-ref":                                                     (*Server).createRef,
	"git/create-tree":                                                    (*Server).createTree,
	"git/delete-ref":                                                     (*Server).deleteRef,
	"git/get-ref":                                                        (*Server).getRef,
	"git/list-matching-refs":                                             (*Server).listRefs,
	"git/update-ref":                                                     (*Server).updateRef,
	"issues/add-labels":                                                  (*Server).addLabels,
	"issues/create":                                                      (*Server).createIssue,
	"issues/create-comment":                                              (*Server).createComment,
	"issues/create-label":                                                (*Server).createLabel,
	"issues/get":                                                         (*Server).getIssue,
	"issues/get-comment":                                                 (*Server).getComment,
	"issues/list-comments":                                               (*Server).listComments,
	"issues/list-for-repo":                                               (*Server).listIssues,
	"issues/list-labels-for-repo":                                        (*Server).listLabels,
	"issues/remove-label":                                                (*Server).removeLabel,
	"issues/update":                                                      (*Server).updateIssue,
	"issues/update-comment":                                              (*Server).updateComment,
	"licenses/get-for-repo":                                              (*Server).getLicense,
	"pulls/create":                                                       (*Server).createPull,
	"pulls/create-review":                                                (*Server).createReview,
	"pulls/get":                                                          (*Server).getPull,
	"pulls/list":                                                         (*Server).listPulls,
	"pulls/list-review-comments":                                         (*Server).listReviewComments,
	"pulls/update":                                                       (*Server).updatePull,
	"reactions/create-for-issue":                                         (*Server).reactToIssue,
	"reactions/create-for-issue-comment":                                 (*Server).reactToComment,
	"repos/create-commit-status":                                         (*Server).createStatus,
	"repos/get":                                                          (*Server).getRepo,
	"repos/get-branch-protection":                                        (*Server).getProtection,
	"repos/get-branch-rules":                                             (*Server).getRules,
	"repos/get-collaborator-permission-level":                            (*Server).getPermission,
	"repos/get-content":                                                  (*Server).getContent,
	"repos/get-pages":                                                    (*Server).getPages,
	"repos/list-commit-statuses-for-ref":                                 (*Server).listStatuses,
	"users/get-authenticated":                                            (*Server).getUser,
}

// maxBody bounds what the fake reads of one request to the API, in bytes.
const maxBody = 64 << 20

// ServeHTTP answers the API below /api/v3/ and Git everywhere else.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	for token := range s.tokens {
		if strings.Contains(r.URL.String(), token) {
			s.t.Errorf("%s %s: a token stands in the address", r.Method, r.URL.Path)
		}
	}
	s.mu.Unlock()
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3/"); ok {
		s.serveAPI(w, r, rest)
		return
	}
	s.serveGit(w, r)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, rest string) {
	s.mu.Lock()
	to := s.elsewhere(r, rest)
	s.mu.Unlock()
	if to != "" {
		code := http.StatusMovedPermanently
		if r.Method != http.MethodGet {
			code = http.StatusTemporaryRedirect
		}
		s.note(Request{Operation: "redirect", Method: r.Method, Path: rest, Status: code})
		w.Header().Set("Location", to)
		w.WriteHeader(code)
		return
	}
	// The address that redirects lead to is in no description.
	if byID, ok := strings.CutPrefix(rest, "repositories/"); ok {
		id, tail, _ := strings.Cut(byID, "/")
		s.mu.Lock()
		for _, repo := range s.repos {
			if strconv.FormatInt(repo.id, 10) == id {
				rest = strings.TrimSuffix("repos/"+repo.fullName()+"/"+tail, "/")
			}
		}
		s.mu.Unlock()
		u := *r.URL
		u.Path, u.RawPath = "/api/v3/"+rest, ""
		r = r.Clone(r.Context())
		r.URL = &u
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request is too long", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	found, err := s.api.find(r)
	if err != nil {
		s.t.Errorf("%s %s is in no operation of the description: %v", r.Method, r.URL.Path, err)
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	if err := found.validateRequest(data); err != nil {
		s.t.Errorf("%s: request breaks GitHub's description: %v\n%.2000s", found.op, err, data)
	}
	c := &call{Request: r, op: found.op, vars: found.vars}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &c.body); err != nil {
			s.t.Errorf("%s: body is not a JSON object: %v", c.op, err)
		}
	}
	req := Request{Operation: c.op, Method: r.Method, Path: rest, Conditional: r.Header.Get("If-None-Match") != ""}
	f := s.fault(c.op)
	if f.strike(s, w, r, req) {
		return
	}
	s.mu.Lock()
	answer := s.handle(c)
	page, header := s.paged(c, answer)
	s.mu.Unlock()
	status, body := answer.status, []byte(nil)
	if page != nil {
		if body, err = found.complete(status, page); err != nil {
			s.t.Errorf("%s: the fake's answer breaks GitHub's description: %v\n%.2000s", c.op, err, body)
		}
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("X-GitHub-Request-Id", "FAKE")
	header.Set("X-RateLimit-Limit", "5000")
	header.Set("X-RateLimit-Remaining", "4999")
	header.Set("X-RateLimit-Reset", "1709251200")
	if r.Method == http.MethodGet && status == http.StatusOK {
		etag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(append([]byte(header.Get("Link")), body...)))
		header.Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			status, body = http.StatusNotModified, nil
			header.Del("Content-Type")
		}
	}
	req.Status = status
	s.note(req)
	f.drop()
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	w.Write(body)
}

// elsewhere is the address that a request about a repository's old name is sent to.
func (s *Server) elsewhere(r *http.Request, rest string) string {
	parts := strings.SplitN(rest, "/", 4)
	if len(parts) < 3 || parts[0] != "repos" {
		return ""
	}
	repo := s.renamed[strings.ToLower(parts[1]+"/"+parts[2])]
	if repo == nil {
		return ""
	}
	to := s.API() + "/repositories/" + strconv.FormatInt(repo.id, 10)
	if len(parts) == 4 {
		to += "/" + parts[3]
	}
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	return to
}

func (s *Server) handle(c *call) reply {
	var refusal *reply
	if c.who, refusal = s.authenticate(c.Request); refusal != nil {
		return *refusal
	}
	if owner, ok := c.vars["owner"]; ok {
		c.repo = s.repos[strings.ToLower(owner+"/"+c.vars["repo"])]
		if c.repo == nil || c.who == nil && s.opt.Private {
			return refuse(404, "Not Found")
		}
	}
	if refusal := s.authorize(c); refusal != nil {
		return *refusal
	}
	s.follow()
	h := handlers[c.op]
	if h == nil {
		s.t.Errorf("the fake does not know the operation %s", c.op)
		return refuse(404, "Not Found")
	}
	return h(s, c)
}

// paged cuts a list to the page that is asked for and says where the others are.
func (s *Server) paged(c *call, r reply) (any, http.Header) {
	header := http.Header{}
	list, ok := r.value.([]any)
	if !ok {
		return r.value, header
	}
	q := c.URL.Query()
	page, _ := strconv.Atoi(cmp.Or(q.Get("page"), "1"))
	size, _ := strconv.Atoi(cmp.Or(q.Get("per_page"), "30"))
	size = max(1, min(size, s.opt.PageSize))
	total := len(list)
	last := max(1, (total+size-1)/size)
	from := min(max(page-1, 0)*size, total)
	list = list[from:min(from+size, total)]
	var links []string
	link := func(rel string, n int) {
		u := *c.URL
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel=%q`, s.http.URL, u.RequestURI(), rel))
	}
	if page > 1 {
		link("prev", page-1)
		link("first", 1)
	}
	if page < last {
		link("next", page+1)
		link("last", last)
	}
	if len(links) > 0 {
		header.Set("Link", strings.Join(links, ", "))
	}
	if r.wrap != "" {
		return obj{"total_count": total, r.wrap: list}, header
	}
	return list, header
}

// A Request is one that the fake was sent.
type Request struct {
	// Operation is GitHub's name of it, such as "pulls/create"; for Git it is
	// "git-upload-pack", "git-receive-pack", or "info/" and one of these. What was sent
	// to another address is "redirect".
	Operation   string
	Method      string
	Path        string // without the start that all have
	Status      int    // what was answered, 0 if nothing was
	Conditional bool   // asked only whether something changed
}

// Git reports whether it is Git's own traffic rather than a request to the API.
func (r Request) Git() bool {
	return strings.HasPrefix(strings.TrimPrefix(r.Operation, "info/"), "git-")
}

// Requests are requests in the order they came.
type Requests []Request

// API are those to the API.
func (rs Requests) API() Requests {
	return slices.DeleteFunc(slices.Clone(rs), Request.Git)
}

// Writes are those to the API that may change something.
func (rs Requests) Writes() Requests {
	return slices.DeleteFunc(rs.API(), func(r Request) bool { return r.Method == http.MethodGet })
}

// Count is how many there are of each operation.
func (rs Requests) Count() map[string]int {
	n := map[string]int{}
	for _, r := range rs {
		n[r.Operation]++
	}
	return n
}

// String lists the operations with how often each came, sorted, and the sum of those
// to the API.
func (rs Requests) String() string {
	var b strings.Builder
	n := rs.Count()
	for _, op := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(&b, "%4d %s\n", n[op], op)
	}
	fmt.Fprintf(&b, "%4d to the API\n", len(rs.API()))
	return b.String()
}

func (s *Server) note(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// Requests are those that came since the start or since Reset.
func (s *Server) Requests() Requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Reset forgets the requests that came, and the faults.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.faults = nil, nil
}

// git runs git in a folder of the fake, cut off from the machine's own settings.
func (s *Server) git(dir, stdin string, args ...string) string {
	s.t.Helper()
	out, err := s.tryGit(dir, stdin, nil, args...)
	if err != nil {
		s.t.Errorf("fake GitHub: %v", err)
	}
	return out
}

// tryGit is git with more of an environment, and the error. Of what is printed the
// last line end is dropped.
func (s *Server) tryGit(dir, stdin string, env []string, args ...string) (string, error) {
	out, err := s.rawGit(dir, stdin, env, args...)
	return strings.TrimSuffix(out, "\n"), err
}

func (s *Server) rawGit(dir, stdin string, env []string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = cmp.Or(dir, s.root)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(s.gitEnv(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

func (s *Server) html(parts ...string) string {
	return s.http.URL + "/" + strings.Join(parts, "/")
}

func (s *Server) folder(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name)+".git")
}

func escape(s string) string { return url.PathEscape(s) }
