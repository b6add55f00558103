package githubtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

// A Repo is a bare repository, the one of the test or a fork of it.
type Repo struct {
	s           *Server
	id          int64
	owner, name string
	bare        string // folder
	fork        bool
}

// newRepo names a repository; the caller makes its folder.
func (s *Server) newRepo(owner, name string) *Repo {
	r := &Repo{s: s, id: s.newID(), owner: owner, name: name, bare: s.folder(owner + "/" + name)}
	s.repos[strings.ToLower(r.fullName())] = r
	return r
}

// configure sets what GitHub's own server does.
func (r *Repo) configure() {
	file, err := os.OpenFile(filepath.Join(r.bare, "config"), os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		// Nobody may push to refs/pull.
		_, err = file.WriteString("[core]\n\tfsync = none\n[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n[receive]\n\thideRefs = refs/pull\n\tautogc = false\n[gc]\n\tauto = 0\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		r.s.t.Fatal(err)
	}
}

func (r *Repo) fullName() string { return r.owner + "/" + r.name }

// FullName is OWNER/NAME.
func (r *Repo) FullName() string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.fullName()
}

// Bare is the folder of the bare repository, for git and for a look.
func (r *Repo) Bare() string { return r.bare }

// Commit makes a commit on a branch, which is made from the default one if it is not
// there, as somebody who pushed it, and returns its sha. A file is deleted by "".
func (r *Repo) Commit(branch string, files map[string]string, message string) (sha string) {
	r.s.t.Helper()
	parent := r.Head(branch)
	if parent == "" {
		parent = r.Head(r.s.opt.DefaultBranch)
	}
	// One process for all of it, for there are thousands of commits, and there may be
	// thousands of files.
	var b strings.Builder
	fmt.Fprintf(&b, "commit refs/heads/%s\nmark :1\ncommitter Ada <ada@example.org> 1709251200 +0000\ndata %d\n%s\n\n", branch, len(message)+1, message)
	if parent != "" {
		fmt.Fprintf(&b, "from %s\n", parent)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if text := files[name]; text == "" {
			fmt.Fprintf(&b, "D %s\n", testgit.Quote(name))
		} else {
			fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", testgit.Quote(name), len(text), text)
		}
	}
	b.WriteString("get-mark :1\ndone\n")
	sha, err := r.s.tryGit(r.bare, b.String(), nil, "fast-import", "--quiet", "--force", "--done")
	if err != nil {
		r.s.t.Fatal(err)
	}
	return sha
}

// Head is where a branch is, "" if there is none.
func (r *Repo) Head(branch string) string {
	sha, err := r.s.tryGit(r.bare, "", nil, "rev-parse", "-q", "--verify", "refs/heads/"+branch+"^{commit}")
	if err != nil {
		return ""
	}
	return sha
}

// Move puts a branch at a commit, wherever it was; "" deletes it.
func (r *Repo) Move(branch, sha string) {
	r.s.t.Helper()
	if sha == "" {
		r.s.git(r.bare, "", "update-ref", "-d", "refs/heads/"+branch)
		return
	}
	r.s.git(r.bare, "", "update-ref", "refs/heads/"+branch, sha)
}

// File is what a file holds at a commit or a branch; ok is false if there is none.
func (r *Repo) File(rev, name string) (text string, ok bool) {
	out, err := r.s.rawGit(r.bare, "", nil, "cat-file", "blob", rev+":"+name)
	return out, err == nil
}

// Protect refuses pushes to a branch, as a protected one does.
func (r *Repo) Protect(branch string) {
	r.s.t.Helper()
	hook := fmt.Sprintf("#!/bin/sh\nwhile read -r old new ref; do\n\tif [ \"$ref\" = %s ]; then\n\t\techo \"error: GH006: Protected branch update failed for $ref.\" >&2\n\t\texit 1\n\tfi\ndone\n", "'refs/heads/"+branch+"'")
	if err := os.WriteFile(filepath.Join(r.bare, "hooks", "pre-receive"), []byte(hook), 0o755); err != nil {
		r.s.t.Fatal(err)
	}
}

// Fork makes somebody's fork of the repository.
func (s *Server) Fork(owner string) *Repo {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.somebody(owner)
	r := s.newRepo(owner, s.Repo.name)
	r.fork = true
	s.git("", "", "clone", "-q", "--bare", s.Repo.bare, r.bare)
	r.configure()
	return r
}

// DeleteFork deletes a fork; its pull requests stay.
func (s *Server) DeleteFork(r *Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repos, strings.ToLower(r.fullName()))
	os.RemoveAll(r.bare)
}

// Rename gives the repository another name. What is asked of the old one is sent on.
func (s *Server) Rename(name string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.Repo
	old := strings.ToLower(r.fullName())
	delete(s.repos, old)
	s.renamed[old] = r
	r.name = name
	s.repos[strings.ToLower(r.fullName())] = r
	to := s.folder(r.fullName())
	if err := os.Rename(r.bare, to); err != nil {
		s.t.Fatal(err)
	}
	r.bare = to
}

func (s *Server) gitEnv() []string {
	return append(os.Environ(), "HOME="+s.root, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=2024-03-01T00:00:00Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org", "GIT_COMMITTER_DATE=2024-03-01T00:00:00Z")
}

// serveGit answers OWNER/NAME.git/... by git http-backend.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), ".git/")
	service := rest
	if rest == "info/refs" {
		service = "info/" + r.URL.Query().Get("service")
	}
	if !ok || !slices.Contains([]string{"info/git-upload-pack", "info/git-receive-pack", "git-upload-pack", "git-receive-pack"}, service) {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	note := Request{Operation: service, Method: r.Method, Path: name}
	f := s.fault(service)
	if f.strike(s, w, r, note) {
		return
	}
	status, env := s.gitMay(w, r, name, service)
	if status != http.StatusOK {
		note.Status = status
		s.note(note)
		w.WriteHeader(status)
		return
	}
	// CGI wants to know how long a body is.
	if r.ContentLength < 0 {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "the request is too long", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
	}
	note.Status = http.StatusOK
	s.note(note)
	var complaints bytes.Buffer
	backend := &cgi.Handler{Path: s.backend, Dir: s.root, Env: env, Stderr: &complaints, Logger: log.New(io.Discard, "", 0)}
	answer := http.ResponseWriter(w)
	if f != nil && f.Drop {
		answer = &lost{header: http.Header{}}
	}
	r.Header.Del("Authorization") // the backend has no use for it
	backend.ServeHTTP(answer, r)
	if service == "git-receive-pack" {
		s.mu.Lock()
		s.follow()
		s.mu.Unlock()
	}
	f.drop()
}

// lost takes an answer that nobody gets.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
func (l *lost) WriteHeader(int)             {}

// gitMay says whether Git's request may go on, and what the backend must know.
func (s *Server) gitMay(w http.ResponseWriter, r *http.Request, name, service string) (int, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to := s.renamed[strings.ToLower(name)]; to != nil {
		u := *r.URL
		u.Path = "/" + to.fullName() + ".git" + strings.TrimPrefix(r.URL.Path, "/"+name+".git")
		w.Header().Set("Location", s.http.URL+u.RequestURI())
		return http.StatusMovedPermanently, nil
	}
	who, refusal := s.authenticate(r)
	if refusal != nil || who == nil && (s.opt.Private || strings.HasSuffix(service, "git-receive-pack")) {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		return http.StatusUnauthorized, nil
	}
	repo := s.repos[strings.ToLower(name)]
	if repo == nil {
		return http.StatusNotFound, nil
	}
	if strings.HasSuffix(service, "git-receive-pack") && !s.mayPush(who, repo) {
		return http.StatusForbidden, nil
	}
	s.follow()
	env := append(s.gitEnv(), "GIT_PROJECT_ROOT="+s.root, "GIT_HTTP_EXPORT_ALL=1", "PATH_TRANSLATED="+repo.bare+strings.TrimPrefix(r.URL.Path, "/"+name+".git"))
	if who != nil {
		env = append(env, "REMOTE_USER="+who.Login)
	}
	return http.StatusOK, env
}

// mayPush: to a fork may its owner, and whoever may write here where a pull request
// from it says so. The token of a workflow run is good for one repository only.
func (s *Server) mayPush(who *token, repo *Repo) bool {
	if who == nil || who.scopes != nil && who.scopes["contents"] != "write" {
		return false
	}
	if !repo.fork {
		return s.mayWrite(who)
	}
	if strings.EqualFold(who.Login, repo.owner) {
		return true
	}
	return who.kind == person && s.mayWrite(who) && slices.ContainsFunc(s.pulls, func(p *pull) bool {
		return p.from == repo && p.state == "open" && p.maintainers
	})
}

// branches are where all branches of a repository are.
func (r *Repo) branches() map[string]string {
	out := map[string]string{}
	text, err := r.s.tryGit(r.bare, "", nil, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
	if err != nil {
		return out
	}
	for line := range strings.Lines(text) {
		sha, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " refs/heads/")
		out[name] = sha
	}
	return out
}

// follow brings the pull requests up to where the branches are.
func (s *Server) follow() {
	if !slices.ContainsFunc(s.pulls, func(p *pull) bool { return p.state == "open" }) {
		return
	}
	at := map[*Repo]map[string]string{}
	where := func(r *Repo, branch string) string {
		if at[r] == nil {
			at[r] = r.branches()
		}
		return at[r][branch]
	}
	for _, p := range s.pulls {
		if p.state != "open" {
			continue
		}
		base := where(s.Repo, p.base)
		head := p.sha
		gone := s.repos[strings.ToLower(p.from.fullName())] != p.from // a deleted fork
		if !gone {
			head = where(p.from, p.head)
		}
		if head != "" && head != p.sha {
			s.takeHead(p, head)
		}
		if base != "" && base != p.baseAt {
			p.baseAt = base
			if _, err := s.tryGit(s.Repo.bare, "", nil, "merge-base", "--is-ancestor", p.sha, base); err == nil {
				p.state, p.mergedAt, p.closedAt = "merged", s.now(), s.now()
				continue
			}
		}
		if head == "" || base == "" {
			p.state, p.closedAt = "closed", s.now()
		}
	}
}

// takeHead puts a pull request at a commit of its branch.
func (s *Server) takeHead(p *pull, sha string) {
	ref := "refs/pull/" + strconv.Itoa(p.number) + "/head"
	if p.from != s.Repo {
		s.git(s.Repo.bare, "", "fetch", "-q", "--no-tags", p.from.bare, "+"+sha+":"+ref)
	} else {
		s.git(s.Repo.bare, "", "update-ref", ref, sha)
	}
	p.sha, p.updatedAt = sha, s.now()
}
