package observe

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

const githubHost = "github.com"

// A limit is why GitHub is not asked any more in this run.
type limit struct{ why string }

func (l *limit) Error() string { return l.why }

// hub reads repositories through GitHub's API.
type hub struct {
	client *github.Client
	cache  cache
	token  bool

	mu      sync.Mutex
	limited *limit // once GitHub has said that it is enough
}

// newHub makes a client of the API at base, "https://api.github.com/" if empty.
// The token goes to that host and to no other, wherever it redirects.
func newHub(opt *Options) (*hub, error) {
	base := opt.api
	if base == "" {
		base = "https://api.github.com/"
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	who := "anybody"
	if opt.Token != "" {
		who = "somebody"
	}
	own := *opt.Client // with its bounds, redirects judged as by the guard
	own.Transport = &conditional{cache: cache(opt.Cache), who: who, next: &bearer{opt.Token, u, opt.Client.Transport}}
	c := github.NewClient(&own)
	c.BaseURL = u
	return &hub{client: c, cache: cache(opt.Cache), token: opt.Token != ""}, nil
}

// bearer adds a token to the requests to one host.
type bearer struct {
	token string
	to    *url.URL
	next  http.RoundTripper
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.token != "" && req.URL.Host == b.to.Host && req.URL.Scheme == b.to.Scheme {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(req)
}

var hubName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// hubRepository reads from an address which repository of GitHub it is.
func hubRepository(u *url.URL) (owner, name string, err error) {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return "", "", errors.New("the address is that of an account on GitHub; give that of a repository")
	}
	owner, name = parts[0], strings.TrimSuffix(parts[1], ".git")
	if !hubName.MatchString(owner) || !hubName.MatchString(strings.TrimPrefix(name, ".")) {
		return "", "", errors.New("the address is of no repository on GitHub")
	}
	return owner, name, nil
}

func (h *hub) isLimited() *limit {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.limited
}

// judge turns an error of the API into one that can be shown: without a word of
// the answer, which may be anybody's.
func (h *hub) judge(ctx context.Context, err error) error {
	var rate *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var answer *github.ErrorResponse
	var why string
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &rate):
		why = "GitHub's limit on requests is used up"
		if at := rate.Rate.Reset; !at.IsZero() {
			why += " until " + at.UTC().Format("15:04") + " UTC"
		}
	case errors.As(err, &abuse):
		why = "GitHub asks to wait"
	case errors.As(err, &answer):
		if answer.Response.StatusCode != http.StatusTooManyRequests {
			return &status{answer.Response.StatusCode}
		}
		why = "GitHub asks to wait"
	default:
		return err
	}
	if !h.token {
		why += "; with a token in GITHUB_TOKEN it is much higher"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.limited == nil {
		h.limited = &limit{why}
	}
	return h.limited
}

// A status is an answer that is no success.
type status struct{ code int }

func (s *status) Error() string {
	return fmt.Sprintf("GitHub answers %d %s", s.code, http.StatusText(s.code))
}

func statusIs(err error, codes ...int) bool {
	var s *status
	if errors.As(err, &s) {
		for _, c := range codes {
			if s.code == c {
				return true
			}
		}
	}
	return false
}

// viaAPI reads the licence files of a repository on GitHub at the head of its
// default branch.
func (h *hub) viaAPI(ctx context.Context, u *url.URL) (snapshot, error) {
	owner, name, err := hubRepository(u)
	if err != nil {
		return snapshot{}, err
	}
	if l := h.isLimited(); l != nil {
		return snapshot{}, l
	}
	repo, _, err := h.client.Repositories.Get(ctx, owner, name)
	err = h.judge(ctx, err)
	if statusIs(err, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons) {
		return snapshot{State: registry.StateGone}, nil
	}
	if err != nil {
		return snapshot{}, err
	}
	s := snapshot{State: registry.StatePresent, Archived: repo.GetArchived()}
	if full := repo.GetFullName(); !strings.EqualFold(full, owner+"/"+name) {
		o, n, ok := strings.Cut(full, "/")
		if !ok || !hubName.MatchString(o) || !hubName.MatchString(strings.TrimPrefix(n, ".")) {
			return snapshot{}, errors.New("GitHub's answer names no repository")
		}
		owner, name = o, n
		s.State, s.MovedTo = registry.StateMoved, "https://"+githubHost+"/"+full
	}
	commit, _, err := h.client.Repositories.GetCommitSHA1(ctx, owner, name, "HEAD", "")
	err = h.judge(ctx, err)
	if statusIs(err, http.StatusConflict, http.StatusUnprocessableEntity) { // no commit yet
		if s.State == registry.StatePresent {
			s.State = registry.StateEmpty
		}
		return s, nil
	}
	if err != nil {
		return snapshot{}, err
	}
	if !isCommit.MatchString(commit) {
		return snapshot{}, errors.New("GitHub's answer names no commit")
	}
	s.Commit = commit
	key := "https://" + githubHost + "/" + strings.ToLower(owner+"/"+name)
	if kept, ok := h.cache.snapshot(key, commit); ok {
		s.Files, s.More, s.Forge = kept.Files, kept.More, kept.Forge
		return s, nil
	}
	if err := h.files(ctx, owner, name, &s); err != nil {
		return snapshot{}, err
	}
	h.cache.keepSnapshot(key, s)
	return s, nil
}

var isCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// files reads what is named like a licence at the commit, and what GitHub itself
// takes for one.
func (h *hub) files(ctx context.Context, owner, name string, s *snapshot) error {
	root, err := h.list(ctx, owner, name, "", s.Commit)
	if err != nil {
		return err
	}
	top, more := choose(root, speaksOfWhole, maxTop)
	s.More = more
	var parts []listed
	for _, l := range root {
		if l.name == partsDir && l.skip == skipFolder {
			below, err := h.list(ctx, owner, name, partsDir, s.Commit)
			if err != nil {
				return err
			}
			parts, more = choose(below, speaksOfPart, maxParts)
			s.More += more
		}
	}
	for _, part := range []struct {
		dir  string
		list []listed
	}{{"", top}, {partsDir, parts}} {
		for _, l := range part.list {
			if l.skip == skipFolder {
				continue
			}
			f, err := h.read(ctx, owner, name, s.Commit, part.dir, l)
			if err != nil {
				return err
			}
			s.Files = append(s.Files, f)
		}
	}
	// GitHub's own word is of the default branch, which may have moved on; it is a
	// second opinion, and finds a licence under another name or in another folder.
	said, _, err := h.client.Repositories.License(ctx, owner, name)
	err = h.judge(ctx, err)
	if statusIs(err, http.StatusNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if id, ok := spdx.Lookup(said.GetLicense().GetSPDXID()); ok {
		s.Forge = id.ID
	}
	if len(s.Files) > 0 || said.Path == nil {
		return nil
	}
	dir, base := path.Split(said.GetPath())
	if !fitsPath(dir) || !isPlain(base) {
		s.More++
		return nil
	}
	l := listed{name: base, hash: said.GetSHA(), size: int64(said.GetSize())}
	f, err := h.read(ctx, owner, name, s.Commit, dir, l)
	if statusIs(err, http.StatusNotFound) {
		return nil
	}
	if err == nil {
		s.Files = append(s.Files, f)
	}
	return err
}

// fitsPath reports whether a folder is one that a file of the registry may name.
func fitsPath(dir string) bool {
	for _, part := range strings.Split(strings.Trim(dir, "/"), "/") {
		if part != "" && !isPlain(strings.TrimPrefix(part, ".")) {
			return false
		}
	}
	return len(dir) < 200
}

// skipFolder marks what is a folder in a listing.
const skipFolder = "folder"

func (h *hub) list(ctx context.Context, owner, name, dir, commit string) ([]listed, error) {
	_, all, _, err := h.client.Repositories.GetContents(ctx, owner, name, dir, &github.RepositoryContentGetOptions{Ref: commit})
	err = h.judge(ctx, err)
	if statusIs(err, http.StatusNotFound) { // a commit without files
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []listed
	for _, c := range all {
		if c == nil {
			continue
		}
		l := listed{name: c.GetName(), hash: c.GetSHA(), size: int64(c.GetSize())}
		switch c.GetType() {
		case "file":
			// A submodule is shown as a file that cannot be had.
			if c.SubmoduleGitURL != nil || c.DownloadURL == nil {
				l.skip = registry.SkipKind
			} else if l.size > maxText {
				l.skip = registry.SkipLarge
			}
		case "symlink":
			l.skip = registry.SkipLink
		case "dir":
			l.skip = skipFolder
		default:
			l.skip = registry.SkipKind
		}
		list = append(list, l)
	}
	return list, nil
}

func (h *hub) read(ctx context.Context, owner, name, commit, dir string, l listed) (file, error) {
	if l.skip != "" {
		return l.read(dir, nil), nil
	}
	c, _, _, err := h.client.Repositories.GetContents(ctx, owner, name, path.Join(dir, l.name), &github.RepositoryContentGetOptions{Ref: commit})
	if err = h.judge(ctx, err); err != nil {
		return file{}, err
	}
	if c == nil || c.GetType() != "file" {
		l.skip = registry.SkipKind
		return l.read(dir, nil), nil
	}
	if c.GetEncoding() == "none" { // of files over 1 MB
		l.skip = registry.SkipLarge
		return l.read(dir, nil), nil
	}
	text, err := c.GetContent()
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) || err != nil && !fetch.Failed(err) {
		return file{}, errors.New("GitHub's answer holds no file that can be read")
	}
	return l.read(dir, []byte(text)), err
}
