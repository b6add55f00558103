package observe

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const secret = "ghp_verysecrettoken"

// A fakeHub answers as GitHub's API does, for repositories held in memory.
type fakeHub struct {
	*httptest.Server

	mu     sync.Mutex
	repos  map[string]*hubRepo // by "owner/name" in lower case
	left   int                 // requests until the limit; negative is no limit
	calls  []string            // "METHOD /path STATUS"
	tokens map[string]bool     // values of Authorization
}

type hubRepo struct {
	name     string // full; another than its key has moved
	commit   string // "" is an empty repository
	archived bool
	files    map[string]string // text by path; "link:", "dir:", "sub:" and "big:" say what is no plain file
	license  string            // SPDX id
	at       string            // path of the licence
}

func newHubServer(t *testing.T, repos map[string]*hubRepo) *fakeHub {
	t.Helper()
	h := &fakeHub{repos: repos, left: -1, tokens: map[string]bool{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *fakeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens[r.Header.Get("Authorization")] = true
	status, body := h.answer(r)
	tag := fmt.Sprintf("%q", sum(body)[:16])
	if status == 200 && r.Header.Get("If-None-Match") == tag {
		status, body = 304, nil
	}
	if status == 200 || status == 304 {
		w.Header().Set("ETag", tag)
	}
	if h.left == 0 {
		status, body = 403, []byte(`{"message":"API rate limit exceeded for 192.0.2.1"}`)
		w.Header().Set("X-RateLimit-Limit", "60")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
	} else if h.left > 0 && status != 304 {
		h.left--
	}
	if status == 301 {
		w.Header().Set("Location", string(body))
	}
	h.calls = append(h.calls, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, status))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body)
}

func (h *fakeHub) answer(r *http.Request) (int, []byte) {
	notFound := []byte(`{"message":"Not Found"}`)
	path := r.URL.Path
	if id, ok := strings.CutPrefix(path, "/repositories/"); ok {
		path = "/repos/" + strings.ReplaceAll(id, ".", "/")
	}
	parts := strings.SplitN(strings.TrimPrefix(path, "/repos/"), "/", 4)
	if len(parts) < 2 {
		return 404, notFound
	}
	key := strings.ToLower(parts[0] + "/" + parts[1])
	repo := h.repos[key]
	if repo == nil {
		return 404, notFound
	}
	if !strings.EqualFold(repo.name, key) && !strings.HasPrefix(r.URL.Path, "/repositories/") {
		return 301, []byte(h.URL + "/repositories/" + strings.Replace(repo.name, "/", ".", 1))
	}
	what := ""
	if len(parts) > 2 {
		what = parts[2]
	}
	rest := ""
	if len(parts) > 3 {
		rest = strings.Trim(parts[3], "/")
	}
	asJSON := func(v any) (int, []byte) {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return 200, data
	}
	switch what {
	case "":
		return asJSON(map[string]any{"full_name": repo.name, "archived": repo.archived, "default_branch": "main"})
	case "commits":
		if repo.commit == "" {
			return 409, []byte(`{"message":"Git Repository is empty."}`)
		}
		return 200, []byte(repo.commit)
	case "license":
		if repo.license == "" {
			return 404, notFound
		}
		return asJSON(map[string]any{"path": repo.at, "sha": "x", "size": 1, "license": map[string]any{"spdx_id": repo.license}})
	case "contents":
		if r.URL.Query().Get("ref") != repo.commit {
			return 404, notFound
		}
		if text, ok := repo.files[rest]; ok {
			object := h.file(rest, text)
			if enc, big := strings.CutPrefix(text, "big:"); big {
				object["encoding"], object["content"] = "none", enc[:0]
			} else {
				object["encoding"], object["content"] = "base64", base64.StdEncoding.EncodeToString([]byte(text))
			}
			return asJSON(object)
		}
		var list []any
		folders := map[string]bool{}
		for path, text := range repo.files {
			name, ok := strings.CutPrefix(path, rest+"/")
			if rest == "" {
				name, ok = path, true
			}
			if dir, _, below := strings.Cut(name, "/"); ok && below && !folders[dir] {
				folders[dir] = true
				list = append(list, map[string]any{"name": dir, "path": dir, "type": "dir", "size": 0})
			} else if ok && !below {
				list = append(list, h.file(path, text))
			}
		}
		if len(list) == 0 {
			return 404, notFound
		}
		return asJSON(list)
	}
	return 404, notFound
}

func (h *fakeHub) file(path, text string) map[string]any {
	o := map[string]any{"name": filepath.Base(path), "path": path, "sha": sum([]byte(text))[:40], "size": len(text), "type": "file", "download_url": h.URL + "/raw/" + path}
	switch {
	case strings.HasPrefix(text, "link:"):
		o["type"] = "symlink"
	case strings.HasPrefix(text, "sub:"):
		o["download_url"], o["size"], o["submodule_git_url"] = nil, 0, "https://example.org/x.git"
	case strings.HasPrefix(text, "big:"):
		o["size"] = 1<<20 + 1
	}
	return o
}

// take gives the calls since it was asked last.
func (h *fakeHub) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}

func hubOptions(t *testing.T, h *fakeHub) Options {
	t.Helper()
	opt := testOptions(t, h.Server)
	opt.api, opt.Cache, opt.Jobs = h.URL+"/", t.TempDir(), 1
	return opt
}

const firstCommit, secondCommit = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"

func TestLookAtGitHub(t *testing.T) {
	mit := string(tag("MIT"))
	h := newHubServer(t, map[string]*hubRepo{
		"o/plain": {name: "o/Plain", commit: firstCommit, license: "MIT", at: "LICENSE", files: map[string]string{
			"LICENSE": mit, "README.md": "x", "COPYING": "link:LICENSE", "LICENSE.txt": "big:", "UNLICENSE": "sub:", "license": "x\x00y",
			"LICENSE \n- evil": mit, "LICENSES/MIT.txt": mit, "LICENSES/x.go": "x", "docs/LICENSE": mit,
		}},
		"o/old":      {name: "p/new"},
		"p/new":      {name: "p/new", commit: firstCommit, archived: true, license: "NOASSERTION", files: map[string]string{"LICENSE": mit}},
		"o/empty":    {name: "o/empty"},
		"o/bare":     {name: "o/bare", commit: firstCommit, license: "ISC", at: ".github/LICENSE.md", files: map[string]string{".github/LICENSE.md": string(tag("ISC")), "x": "y"}},
		"o/none":     {name: "o/none", commit: firstCommit, files: map[string]string{"x": "y"}},
		"o/nothing":  {name: "o/nothing", commit: firstCommit},
		"o/pathless": {name: "o/pathless", commit: firstCommit, license: "MIT", at: "../../LICENSE", files: map[string]string{"x": "y"}},
	})
	opt := hubOptions(t, h)
	opt.Token = secret
	base := "https://github.com/"
	tests := []struct {
		url  string
		want registry.ObservedRepository // without URL and day
		why  string
	}{
		{url: base + "o/plain", want: registry.ObservedRepository{State: "present", Commit: firstCommit, Forge: "MIT", More: 1, Files: []registry.ObservedFile{
			{Path: "COPYING", Skip: registry.SkipLink},
			{Path: "LICENSE", SHA256: sum([]byte(mit)), Expression: "MIT"},
			{Path: "LICENSE.txt", Skip: registry.SkipLarge},
			{Path: "UNLICENSE", Skip: registry.SkipKind},
			{Path: "license", Skip: registry.SkipBinary},
			{Path: "LICENSES/MIT.txt", SHA256: sum([]byte(mit)), Expression: "MIT"},
		}}},
		{url: base + "o/old.git", want: registry.ObservedRepository{State: "moved", MovedTo: base + "p/new", Archived: true, Commit: firstCommit, Files: []registry.ObservedFile{
			{Path: "LICENSE", SHA256: sum([]byte(mit)), Expression: "MIT"},
		}}},
		{url: base + "o/empty/", want: registry.ObservedRepository{State: "empty"}},
		{url: "http://www.github.com/o/bare/tree/main?tab=x", want: registry.ObservedRepository{State: "present", Commit: firstCommit, Forge: "ISC", Files: []registry.ObservedFile{
			{Path: ".github/LICENSE.md", SHA256: sum(tag("ISC")), Expression: "ISC"},
		}}},
		{url: base + "o/none", want: registry.ObservedRepository{State: "present", Commit: firstCommit}},
		{url: base + "o/nothing", want: registry.ObservedRepository{State: "present", Commit: firstCommit}},
		{url: base + "o/pathless", want: registry.ObservedRepository{State: "present", Commit: firstCommit, Forge: "MIT", More: 1}},
		{url: base + "o/gone", want: registry.ObservedRepository{State: "gone"}},
		{url: base + "o", why: "the address is that of an account on GitHub; give that of a repository"},
		{url: base + "..%2f/..", why: "the address is of no repository on GitHub"},
	}
	var urls []string
	for _, tt := range tests {
		urls = append(urls, tt.url)
	}
	reg := testRegistry(t, map[string][]string{"aid": urls}, nil)
	r := look(t, reg, opt)
	var missed []string
	for _, m := range r.Missed {
		missed = append(missed, m.URL+" "+m.Why)
	}
	seen := map[string]registry.ObservedRepository{}
	for _, o := range r.Seen[0].Observation.Repositories {
		for i := range o.Files {
			o.Files[i].Confidence = 0
		}
		seen[o.URL] = o
	}
	var want []string
	for _, tt := range tests {
		if tt.why != "" {
			want = append(want, tt.url+" "+tt.why)
			continue
		}
		tt.want.URL, tt.want.AsOf = tt.url, opt.AsOf
		if diff := cmp.Diff(tt.want, seen[tt.url]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.url, diff)
		}
	}
	if diff := cmp.Diff(want, missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if len(h.tokens) != 1 || !h.tokens["Bearer "+secret] {
		t.Errorf("Authorization was %v", h.tokens)
	}
	first := h.take()

	// Again: the head of each is asked for, and nothing came that was there.
	if again := look(t, reg, opt); !SameFacts(again.Seen[0].Observation, r.Seen[0].Observation) {
		t.Errorf("seen again: %+v", again.Seen[0].Observation)
	}
	second := h.take()
	if len(second) >= len(first) {
		t.Errorf("asked %d times, then %d times", len(first), len(second))
	}
	for _, call := range second {
		if strings.HasSuffix(call, " 200") {
			t.Errorf("fetched again: %s", call)
		}
	}
	// The next commit is read anew, what did not change in it is not sent.
	h.repos["o/plain"].commit = secondCommit
	h.repos["o/plain"].files["LICENSE"] = string(tag("ISC"))
	third := look(t, reg, opt).Seen[0].Observation
	if o := third.Repositories[0]; o.Commit != secondCommit || o.Files[1].Expression != "ISC" {
		t.Errorf("at the next commit: %+v", o)
	}

	// Nothing of the token is left anywhere.
	err := filepath.WalkDir(opt.Cache, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), secret) || strings.Contains(name, secret) {
			t.Errorf("the cache holds the token: %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", r); strings.Contains(text, secret) {
		t.Error("the report holds the token")
	}
}

// Once GitHub says that it is enough, it is asked no more, and what was skipped
// is said.
func TestGitHubLimit(t *testing.T) {
	repo := func(name string) *hubRepo {
		return &hubRepo{name: name, commit: firstCommit, files: map[string]string{"LICENSE": string(tag("MIT"))}}
	}
	h := newHubServer(t, map[string]*hubRepo{"o/a": repo("o/a"), "o/b": repo("o/b"), "o/c": repo("o/c")})
	h.left = 7 // one repository takes five
	opt := hubOptions(t, h)
	reg := testRegistry(t, map[string][]string{"a": {"https://github.com/o/a"}, "b": {"https://github.com/o/b"}, "c": {"https://github.com/o/c"}}, nil)
	r := look(t, reg, opt)
	if r.Seen[0].Observation == nil || len(r.Missed) != 2 {
		t.Fatalf("%+v", r)
	}
	for _, m := range r.Missed {
		if !m.Skipped || !strings.HasPrefix(m.Why, "GitHub's limit on requests is used up until ") || !strings.HasSuffix(m.Why, "; with a token in GITHUB_TOKEN it is much higher") {
			t.Errorf("%s: %+v", m.Ref, m)
		}
	}
	refused := 0
	for _, call := range h.take() {
		if strings.HasSuffix(call, " 403") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("GitHub had to say no %d times", refused)
	}
	h.left = -1
	if r := look(t, reg, opt); len(r.Missed) != 0 {
		t.Errorf("an hour later: %+v", r.Missed)
	}
}

// A token goes to the API and nowhere else, whatever redirects say; an answer that
// is another's words is shown to nobody.
func TestTokenStaysWithAPI(t *testing.T) {
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		w.WriteHeader(500)
	}))
	defer other.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/away"):
			http.Redirect(w, r, other.URL+"/x?token="+secret, http.StatusFound)
		case strings.Contains(r.URL.Path, "/wait"):
			w.WriteHeader(429)
		default:
			w.WriteHeader(422)
			fmt.Fprintf(w, `{"message":"%s \u001b[31m"}`, r.Header.Get("Authorization"))
		}
	}))
	defer api.Close()
	opt := testOptions(t, api, other)
	opt.api, opt.Token, opt.Jobs = api.URL+"/", secret, 1
	r := look(t, testRegistry(t, map[string][]string{"aid": {"https://github.com/o/away", "https://github.com/o/bad", "https://github.com/o/wait", "https://github.com/o/later"}}, nil), opt)
	want := []string{"GitHub answers 500 Internal Server Error", "GitHub answers 422 Unprocessable Entity", "GitHub asks to wait", "GitHub asks to wait"}
	for i, m := range r.Missed {
		if m.Why != want[i] {
			t.Errorf("%s: %q, want %q", m.URL, m.Why, want[i])
		}
	}
	if len(r.Missed) != len(want) {
		t.Errorf("missed %+v", r.Missed)
	}
	if len(got) != 1 || got[0] != "" {
		t.Errorf("the other host was given %q", got)
	}
}
