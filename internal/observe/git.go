package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// errNoRepository says that an address answers, but not as a Git repository.
var errNoRepository = errors.New("there is a page, but no Git repository that can be read over HTTP; give the address that git clone takes")

// errNoPack says that what came is not what was asked for.
var errNoPack = errors.New("the server's answer holds no Git objects that can be read")

const infoRefs = "/info/refs"

// viaGit reads the licence files of a repository at the head of its default
// branch, over Git's own protocol: the last commit with its folders, then the
// files; all in one where the server knows no better. Nothing is written to disk.
func (w *watcher) viaGit(ctx context.Context, u *url.URL) (snapshot, error) {
	ctx, trail := fetch.WithTrail(ctx)
	address := strings.TrimSuffix(u.String(), "/")
	endpoint, err := transport.NewEndpoint(address)
	if err != nil {
		return snapshot{}, err
	}
	session, err := githttp.NewClient(w.opt.Client).NewUploadPackSession(endpoint, nil)
	if err != nil {
		return snapshot{}, err
	}
	defer session.Close()

	s := snapshot{State: registry.StatePresent}
	refs, err := session.AdvertisedReferencesContext(ctx)
	if to := movedTo(u, trail.Hops()); to != "" {
		s.State, s.MovedTo = registry.StateMoved, to
	}
	switch status := statusOf(err); {
	case err == nil:
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return snapshot{State: registry.StateEmpty}, nil
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusUnauthorized, status == http.StatusUnavailableForLegalReasons:
		return w.missing(ctx, u)
	case status != 0:
		return snapshot{}, fmt.Errorf("the server answers %d %s", status, http.StatusText(status))
	case ctx.Err() != nil:
		return snapshot{}, ctx.Err()
	case fetch.Failed(err):
		return snapshot{}, err
	default:
		return snapshot{}, errNoRepository
	}
	head, ok := headOf(refs)
	if !ok {
		return snapshot{State: registry.StateEmpty}, nil
	}
	s.Commit = head.String()
	if kept, ok := w.cache.snapshot(address, s.Commit); ok {
		s.Files, s.More = kept.Files, kept.More
		return s, nil
	}
	r := &remote{session: session, capabilities: refs.Capabilities, objects: objects{}}
	if err := r.files(ctx, head, &s); err != nil {
		return snapshot{}, err
	}
	w.cache.keepSnapshot(address, s)
	return s, nil
}

// missing tells a repository that is gone from an address that never was one.
func (w *watcher) missing(ctx context.Context, u *url.URL) (snapshot, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return snapshot{}, err
	}
	res, err := w.opt.Client.Do(req)
	if err != nil {
		return snapshot{}, err
	}
	res.Body.Close()
	switch res.StatusCode {
	case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		return snapshot{State: registry.StateGone}, nil
	case http.StatusOK:
		if redirected(u, res.Request.URL) { // such as to a page that asks to sign in
			return snapshot{State: registry.StateGone}, nil
		}
		return snapshot{}, errNoRepository
	}
	return snapshot{}, fmt.Errorf("the server answers %d %s", res.StatusCode, http.StatusText(res.StatusCode))
}

func redirected(from, to *url.URL) bool {
	return plainAddress(from.Host, from.Path) != plainAddress(to.Host, to.Path)
}

// statusOf is the HTTP status that an error of go-git stands for; 0 is none.
func statusOf(err error) int {
	var answer *githttp.Err
	var unexpected *plumbing.UnexpectedError
	switch {
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return http.StatusNotFound
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return http.StatusUnauthorized
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return http.StatusForbidden
	case errors.As(err, &unexpected) && errors.As(unexpected.Err, &answer), errors.As(err, &answer):
		return answer.StatusCode()
	}
	return 0
}

// movedTo is where an address leads for good; "" is nowhere else. One redirect
// that is not for good, and nobody knows.
func movedTo(from *url.URL, hops []fetch.Hop) string {
	var to *url.URL
	for _, h := range hops {
		next, err := url.Parse(h.To)
		if err != nil || !h.Permanent || !strings.HasSuffix(next.Path, infoRefs) {
			return ""
		}
		to = next
	}
	if to == nil {
		return ""
	}
	to.RawQuery, to.Fragment, to.RawPath = "", "", ""
	to.Path = strings.TrimSuffix(to.Path, infoRefs)
	if !redirected(from, to) {
		return "" // to https, or with .git behind
	}
	if !strings.HasSuffix(from.Path, ".git") {
		to.Path = strings.TrimSuffix(to.Path, ".git")
	}
	return to.String()
}

// plainAddress is an address as far as it tells one repository from another.
func plainAddress(host, path string) string {
	path = strings.TrimSuffix(strings.TrimRight(path, "/"), ".git")
	return strings.ToLower(host + path)
}

// headOf is the commit that a clone would check out.
func headOf(refs *packp.AdvRefs) (plumbing.Hash, bool) {
	if refs.Head != nil && !refs.Head.IsZero() {
		return *refs.Head, true
	}
	for _, name := range []string{"refs/heads/main", "refs/heads/master"} {
		if h, ok := refs.References[name]; ok {
			return h, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refs.References)) {
		if strings.HasPrefix(name, "refs/heads/") {
			return refs.References[name], true
		}
	}
	return plumbing.ZeroHash, false
}

// A remote is a repository at the other end of a session.
type remote struct {
	session      transport.UploadPackSession
	capabilities *capability.List
	objects      objects
}

// files finds the licence files of a commit.
func (r *remote) files(ctx context.Context, head plumbing.Hash, s *snapshot) error {
	first := r.request(head)
	single := r.capabilities.Supports(capability.AllowReachableSHA1InWant)
	switch {
	case !r.capabilities.Supports(capability.Filter):
	case single:
		first.Filter = packp.FilterBlobNone()
	default: // whole, but for what is no licence by its size
		first.Filter = packp.FilterBlobLimit(1, packp.BlobLimitPrefixMebi)
	}
	if r.capabilities.Supports(capability.Shallow) {
		first.Depth = packp.DepthCommits(1)
		if err := first.Capabilities.Set(capability.Shallow); err != nil {
			return err
		}
	}
	if err := r.fetch(ctx, first); err != nil {
		return err
	}
	commit := new(object.Commit)
	if err := r.decode(head, commit); err != nil {
		return err
	}
	root, parts, err := r.list(commit.TreeHash)
	if err != nil {
		return err
	}
	top, more := choose(root, speaksOfWhole, maxTop)
	below, moreBelow := choose(parts, speaksOfPart, maxParts)
	s.More = more + moreBelow

	// What the filter left out, if the server gives single files.
	second := r.request()
	for _, l := range append(slices.Clone(top), below...) {
		h := plumbing.NewHash(l.hash)
		if l.skip == "" && r.objects[h] == nil && !slices.Contains(second.Wants, h) {
			second.Wants = append(second.Wants, h)
		}
	}
	if len(second.Wants) > 0 && single && first.Filter != "" {
		if err := r.fetch(ctx, second); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		dir  string
		list []listed
	}{{"", top}, {partsDir, below}} {
		for _, l := range part.list {
			s.Files = append(s.Files, r.file(part.dir, l))
		}
	}
	return nil
}

func (r *remote) file(dir string, l listed) file {
	o := r.objects[plumbing.NewHash(l.hash)]
	if l.skip != "" || o == nil || o.Type() != plumbing.BlobObject {
		if l.skip == "" {
			l.skip = registry.SkipLarge // all that is smaller is here
		}
		return l.read(dir, nil)
	}
	data, err := content(o)
	if err != nil {
		l.skip = registry.SkipKind
	}
	return l.read(dir, data)
}

func content(o *plumbing.MemoryObject) ([]byte, error) {
	in, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// list gives what is at the top of a commit, and in its folder LICENSES.
func (r *remote) list(tree plumbing.Hash) (root, parts []listed, err error) {
	t := new(object.Tree)
	if err := r.decode(tree, t); err != nil {
		return nil, nil, err
	}
	for _, e := range t.Entries {
		if e.Mode != filemode.Dir {
			root = append(root, entryOf(e))
			continue
		}
		if e.Name == partsDir {
			below := new(object.Tree)
			if err := r.decode(e.Hash, below); err != nil {
				return nil, nil, err
			}
			for _, e := range below.Entries {
				if e.Mode != filemode.Dir {
					parts = append(parts, entryOf(e))
				}
			}
		}
	}
	return root, parts, nil
}

func entryOf(e object.TreeEntry) listed {
	l := listed{name: e.Name, hash: e.Hash.String(), size: -1}
	switch e.Mode {
	case filemode.Symlink:
		l.skip = registry.SkipLink
	case filemode.Submodule:
		l.skip = registry.SkipKind
	}
	return l
}

// decode reads an object that was sent.
func (r *remote) decode(h plumbing.Hash, into interface {
	Decode(plumbing.EncodedObject) error
}) error {
	o := r.objects[h]
	if o == nil {
		return errors.New("the server left out what it was asked for, or it is too large")
	}
	if err := into.Decode(o); err != nil {
		return errors.New("the server sent something that is no commit and no folder")
	}
	return nil
}

func (r *remote) request(wants ...plumbing.Hash) *packp.UploadPackRequest {
	req := packp.NewUploadPackRequestFromCapabilities(r.capabilities)
	req.Wants = wants
	return req
}

// fetch asks for a pack and takes it in.
func (r *remote) fetch(ctx context.Context, req *packp.UploadPackRequest) error {
	if req.Filter != "" {
		if err := req.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
	}
	if req.Capabilities.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	res, err := r.session.UploadPack(ctx, req)
	if err != nil {
		return plainly(ctx, err)
	}
	defer res.Close()
	var pack io.Reader = res
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, res)
	}
	return plainly(ctx, readPack(ctx, pack, r.objects))
}

// plainly says of an error no more than may be shown, and of what a context's end
// led to that the context ended.
func plainly(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	var wrapped *plumbing.UnexpectedError // which hides what it wraps
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if code := statusOf(err); code != 0 {
		return fmt.Errorf("the server answers %d %s", code, http.StatusText(code))
	}
	if err == nil || fetch.Failed(err) {
		return err
	}
	return errNoPack // what was wrong with it may be the server's own words
}
