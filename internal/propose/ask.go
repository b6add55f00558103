package propose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// An Asker asks the place where a project keeps its source what it says of itself:
// its publiccode.yml, and GitHub's own record of it where it is there. It takes no
// token, and so sees what anybody may see. The zero Asker asks the public servers
// through the guard of package fetch.
type Asker struct {
	Client    *http.Client // nil is a guarded one
	GitHubAPI string       // "" is https://api.github.com
	GitHubRaw string       // "" is https://raw.githubusercontent.com
}

// maxAnswer bounds one answer, in bytes: what Publiccode takes.
const maxAnswer = source.MaxBytes

// askTime bounds one request.
const askTime = 15 * time.Second

var repositoryPart = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// Facts asks about the repository at an address, or reads the publiccode.yml that
// the address is of. A project that says nothing has no facts, and that is no
// error. Where an error is returned, so are the facts that were found all the same.
func (a Asker) Facts(ctx context.Context, address string) (Facts, error) {
	u, err := fetch.Parse(strings.TrimSpace(address))
	if err != nil {
		return Facts{}, err
	}
	if a.Client == nil {
		a.Client = fetch.New(fetch.Options{MaxBytes: maxAnswer, Timeout: askTime})
	}
	if base := path.Base(u.Path); base == "publiccode.yml" || base == "publiccode.yaml" {
		data, err := a.read(ctx, u.String())
		if err != nil || data == nil {
			return Facts{}, err
		}
		return Publiccode(data)
	}
	parts := strings.Split(strings.Trim(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git"), "/"), "/")
	if len(parts) < 2 {
		return Facts{}, nil
	}
	for _, p := range parts {
		if !repositoryPart.MatchString(p) || p == "." || p == ".." {
			return Facts{}, nil
		}
	}
	var own, hub Facts
	host := strings.ToLower(u.Hostname())
	if host == "github.com" || host == "www.github.com" {
		hub, err = a.github(ctx, parts[0], parts[1])
		var err2 error
		own, err2 = a.first(ctx, or(a.GitHubRaw, "https://raw.githubusercontent.com")+"/"+parts[0]+"/"+parts[1]+"/HEAD/")
		err = errors.Join(err, err2)
	} else {
		at := *u
		at.RawQuery, at.Fragment, at.RawFragment, at.RawPath = "", "", "", ""
		at.Path = "/" + strings.Join(parts, "/")
		raw := "/raw/HEAD/" // of Gitea and Forgejo
		if strings.Contains(host, "gitlab") {
			raw = "/-/raw/HEAD/"
		}
		own, err = a.first(ctx, at.String()+raw)
	}
	return Facts{
		Name: or(own.Name, hub.Name), Description: or(own.Description, hub.Description),
		Website: or(own.Website, hub.Website), License: or(own.License, hub.License), Repository: u.String(),
	}, err
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// first reads the first publiccode file that is in a folder.
func (a Asker) first(ctx context.Context, folder string) (Facts, error) {
	for _, name := range []string{"publiccode.yml", "publiccode.yaml"} {
		data, err := a.read(ctx, folder+name)
		if err != nil {
			return Facts{}, err
		}
		if data != nil {
			return Publiccode(data)
		}
	}
	return Facts{}, nil
}

// github reads the record that GitHub has of a repository.
func (a Asker) github(ctx context.Context, owner, name string) (Facts, error) {
	data, err := a.read(ctx, or(a.GitHubAPI, "https://api.github.com")+"/repos/"+url.PathEscape(owner)+"/"+url.PathEscape(name))
	if err != nil || data == nil {
		return Facts{}, err
	}
	var r struct {
		Name, Description, Homepage string
		License                     *struct {
			ID string `json:"spdx_id"`
		}
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Facts{}, fmt.Errorf("what GitHub says of %s/%s is not understood: %w", owner, name, err)
	}
	f := Facts{Name: line(r.Name, 200), Description: line(r.Description, textMax), Website: Address(r.Homepage)}
	if r.License != nil && r.License.ID != "NOASSERTION" {
		f.License = line(r.License.ID, lineMax)
	}
	return f, nil
}

// read gets a file; nil if it is not there, or not for everybody.
func (a Asker) read(ctx context.Context, address string) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", fetch.UserAgent)
	res, err := a.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized:
		return nil, nil
	default:
		return nil, fmt.Errorf("%s answers with status %d", req.URL.Hostname(), res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("%s answers with more than %d bytes", req.URL.Hostname(), maxAnswer)
	}
	return data, err
}

// line is a text on one line; "" if it is too long or has characters that cannot
// be seen.
func line(s string, limit int) string {
	s = oneLine(s)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return ""
	}
	return s
}

// Address is s where it is a link to the web that a reader may be given, without
// a name or password in it; "" where it is none.
func Address(s string) string {
	s = line(s, linkMax)
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return s
}
