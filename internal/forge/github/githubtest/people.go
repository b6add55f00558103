package githubtest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A User is somebody with an account.
type User struct {
	Login string
	ID    int64
}

type account struct {
	User
	permission string // in the repository of the test: "none", "read", "write" or "admin"
}

// AddUser makes an account. permission is what it may do in the repository of the
// test: "read" (as anybody may in a public one), "write" or "admin". The owner of
// the repository is there from the start.
func (s *Server) AddUser(login, permission string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(login, permission)
}

func (s *Server) addUser(login, permission string) User {
	key := strings.ToLower(login)
	if s.users[key] == nil {
		s.users[key] = &account{User: User{login, s.newID()}}
	}
	s.users[key].permission = permission
	return s.users[key].User
}

// somebody is an account, made for a stranger at need.
func (s *Server) somebody(login string) User {
	if a := s.users[strings.ToLower(login)]; a != nil {
		return a.User
	}
	return s.addUser(login, "read")
}

func (u User) value() obj {
	kind := "User"
	if strings.HasSuffix(u.Login, "[bot]") {
		kind = "Bot"
	}
	return obj{"login": u.Login, "id": u.ID, "type": kind, "site_admin": false}
}

// kind is what sort of token somebody holds. GitHub lets each do different things.
type kind int

const (
	person   kind = iota // may not make check runs
	workflow             // may not ask who it is, nor open pull requests unless told
	appToken             // of an app's installation
)

type token struct {
	User
	kind   kind
	scopes map[string]string // "read" or "write" by permission; nil is all
	// classic is of a person's: one of the old sort.
	classic bool
}

// PersonToken makes a fine-grained token of somebody's own. It may do what they may,
// but make no check runs.
func (s *Server) PersonToken(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addToken("github_pat_", &token{User: s.somebody(login), kind: person})
}

// ClassicToken makes one of somebody's own of the old sort, which GitHub refuses check
// runs in other words.
func (s *Server) ClassicToken(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addToken("ghp_", &token{User: s.somebody(login), kind: person, classic: true})
}

// WorkflowToken makes a token as a workflow run has: github-actions[bot]'s. permissions
// are as under "permissions:" in a workflow, such as "contents: read"; without any it
// may do everything that such a token can.
func (s *Server) WorkflowToken(permissions ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &token{User: s.somebody("github-actions[bot]"), kind: workflow}
	if len(permissions) > 0 {
		t.scopes = map[string]string{}
	}
	for _, p := range permissions {
		name, level, _ := strings.Cut(p, ":")
		t.scopes[strings.TrimSpace(name)] = strings.TrimSpace(level)
	}
	return s.addToken("ghs_", t)
}

func (s *Server) addToken(prefix string, t *token) string {
	text := fmt.Sprintf("%sfake%040d", prefix, len(s.tokens)+1)
	s.tokens[text] = t
	return text
}

// Revoke makes a token unknown.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// app is a GitHub App that is installed on the repository.
type app struct {
	id           int64
	installation int64
	slug         string
	key          *rsa.PrivateKey
	handed       int // tokens
}

// AddApp makes an app, installs it on the repository, and returns its id and its
// private key, PEM. It acts as SLUG[bot].
func (s *Server) AddApp(slug string) (id int64, key []byte) {
	s.t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = &app{id: s.newID(), installation: s.newID(), slug: slug, key: private}
	s.addUser(slug+"[bot]", "write")
	return s.app.id, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
}

// signed reports whether a web token is signed by the app, for ten minutes at most.
func (a *app) signed(jwt string) bool {
	parts := strings.Split(jwt, ".")
	if a == nil || len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Issuer   json.RawMessage `json:"iss"`
		Issued   int64           `json:"iat"`
		Expiring int64           `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil {
		return false
	}
	return strings.Trim(string(claims.Issuer), `"`) == strconv.FormatInt(a.id, 10) && claims.Expiring-claims.Issued <= 660
}

// authenticate finds who asks. Nobody is nobody; a token that is not known is refused.
func (s *Server) authenticate(r *http.Request) (*token, *reply) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	_, text, _ := strings.Cut(header, " ")
	if _, password, ok := r.BasicAuth(); ok {
		text = password
	}
	if t := s.tokens[text]; t != nil {
		return t, nil
	}
	if s.app.signed(text) {
		return &token{User: User{s.app.slug, s.app.id}, kind: appToken, scopes: map[string]string{"app": "write"}}, nil
	}
	bad := refuse(401, "Bad credentials")
	return nil, &bad
}

// scopes are the permissions of which a token needs one, by the start of an
// operation's name; the first that fits counts.
var scopes = []struct {
	prefix string
	any    []string
}{
	{"actions/", []string{"administration"}},
	{"apps/", []string{"app"}},
	{"checks/", []string{"checks"}},
	{"git/", []string{"contents"}},
	{"pulls/", []string{"pull-requests"}},
	{"issues/create-label", []string{"issues"}},
	{"issues/create-comment", []string{"issues", "pull-requests"}},
	{"issues/update", []string{"issues", "pull-requests"}},
	{"issues/add-labels", []string{"issues", "pull-requests"}},
	{"issues/remove-label", []string{"issues", "pull-requests"}},
	{"issues/", []string{"issues"}},
	{"reactions/", []string{"issues", "pull-requests"}},
	{"repos/create-commit-status", []string{"statuses"}},
	{"repos/get-branch-protection", []string{"administration"}},
}

// authorize refuses what the token may not do. What anybody may read in a public
// repository, any token may.
func (s *Server) authorize(c *call) *reply {
	write := c.Method != http.MethodGet
	if c.who == nil {
		if write || c.op == "users/get-authenticated" {
			r := refuse(401, "Requires authentication")
			return &r
		}
		return nil
	}
	notAccessible := func() *reply {
		by := map[kind]string{person: "personal access token", workflow: "integration", appToken: "integration"}[c.who.kind]
		r := refuse(403, "Resource not accessible by %s", by)
		return &r
	}
	switch {
	case c.op == "users/get-authenticated" && c.who.kind != person:
		return notAccessible()
	case strings.HasPrefix(c.op, "apps/") && c.who.scopes["app"] == "":
		r := refuse(401, "A JSON web token could not be decoded")
		return &r
	case write && strings.HasPrefix(c.op, "checks/") && c.who.classic:
		r := refuse(403, "You must authenticate via a GitHub App.")
		return &r
	case write && strings.HasPrefix(c.op, "checks/") && c.who.kind == person:
		return notAccessible()
	}
	if write && c.who.scopes != nil {
		i := slices.IndexFunc(scopes, func(x struct {
			prefix string
			any    []string
		}) bool {
			return strings.HasPrefix(c.op, x.prefix)
		})
		if i < 0 || !slices.ContainsFunc(scopes[i].any, func(name string) bool { return c.who.scopes[name] == "write" }) {
			return notAccessible()
		}
	}
	if c.op == "pulls/create" && c.who.kind == workflow && s.opt.NoActionsPulls {
		r := refuse(403, "GitHub Actions is not permitted to create or approve pull requests.")
		return &r
	}
	// Anybody may say something; the rest is for those who may write.
	talk := []string{"issues/create", "issues/create-comment", "issues/update-comment", "issues/update", "pulls/create", "pulls/update", "pulls/create-review", "reactions/create-for-issue", "reactions/create-for-issue-comment"}
	if write && c.repo != nil && !s.mayWrite(c.who) && !slices.Contains(talk, c.op) {
		if c.who.kind == person {
			return notAccessible()
		}
		r := refuse(404, "Not Found")
		return &r
	}
	return nil
}

func (s *Server) mayWrite(t *token) bool {
	if t == nil {
		return false
	}
	a := s.users[strings.ToLower(t.Login)]
	return a != nil && (a.permission == "write" || a.permission == "admin")
}

func (s *Server) getUser(c *call) reply {
	v := c.who.value()
	v["user_view_type"] = "private"
	return reply{status: 200, value: v}
}

func (s *Server) getPermission(c *call) reply {
	a := s.users[strings.ToLower(c.vars["username"])]
	if a == nil {
		return refuse(404, "%s is not a user", c.vars["username"])
	}
	p := cmp.Or(a.permission, "none")
	if p == "none" && !s.opt.Private {
		p = "read"
	}
	user := a.value()
	user["role_name"] = p
	return reply{status: 200, value: obj{"permission": p, "role_name": p, "user": user}}
}

func (s *Server) getInstallation(*call) reply {
	return reply{status: 200, value: obj{"id": s.app.installation, "app_id": s.app.id, "app_slug": s.app.slug, "account": s.users[strings.ToLower(s.opt.Owner)].value()}}
}

func (s *Server) makeInstallationToken(c *call) reply {
	if c.number("installation_id") != int(s.app.installation) {
		return refuse(404, "Not Found")
	}
	s.app.handed++
	text := s.addToken("ghs_", &token{User: s.somebody(s.app.slug + "[bot]"), kind: appToken})
	// Far from now by any clock, as the fake has none.
	return reply{status: 201, value: obj{"token": text, "expires_at": "2999-01-01T00:00:00Z"}}
}

func (s *Server) workflowPermissions(*call) reply {
	return reply{status: 200, value: obj{"default_workflow_permissions": "read", "can_approve_pull_request_reviews": !s.opt.NoActionsPulls}}
}
