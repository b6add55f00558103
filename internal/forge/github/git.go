package github

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/revlist"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/go-git/go-git/v5/storage/transactional"
	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A gitSide is what is known of the repository through Git.
type gitSide struct {
	fetching sync.Mutex      // held while objects are fetched
	objects  *memory.Storage // what was fetched, never changed; nil with a cache on disk

	mu    sync.Mutex
	heads map[string]bool // branches somebody asked for
	pulls map[int]string  // heads of open pull requests, as last read
}

// saw notes a pull request whose objects the next Git will hold.
func (g *gitSide) saw(p forge.PullRequest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.State == forge.Open {
		g.pulls[p.Number] = p.HeadSHA
	} else {
		delete(g.pulls, p.Number)
	}
}

func (g *gitSide) asked(branch string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.heads == nil {
		g.heads = map[string]bool{}
	}
	g.heads[branch] = true
}

func (f *Forge) address(repository string) string {
	if repository == "" {
		repository = f.opt.Owner + "/" + f.opt.Name
	}
	return f.server.JoinPath(repository + ".git").String()
}

func (f *Forge) auth(ctx context.Context) (transport.AuthMethod, error) {
	token, err := f.opt.Tokens.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	if token == "" {
		return nil, nil
	}
	return &githttp.BasicAuth{Username: "x-access-token", Password: token}, nil
}

// endpoint is where a repository is, and who talks with it. The client follows no
// redirect to another host, which would be given the token, and reads only so much.
func (f *Forge) endpoint(repository string) (transport.Transport, *transport.Endpoint, error) {
	ep, err := transport.NewEndpoint(f.address(repository))
	if err != nil {
		return nil, nil, err
	}
	bounded := &bounded{next: &oneHost{f.opt.transport(), f.server.Host}, most: f.opt.GitBytes}
	bounded.left.Store(f.opt.GitBytes)
	return githttp.NewClient(&http.Client{Transport: bounded, CheckRedirect: f.sameHost}), ep, nil
}

// bounded fails where answers, taken together, go on too long.
type bounded struct {
	next http.RoundTripper
	most int64
	left atomic.Int64
}

func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{resp.Body, b}
	}
	return resp, err
}

// tooMuch says that the Git server went beyond a bound, which it would do again.
type tooMuch string

func (e tooMuch) Error() string { return string(e) }

type boundedBody struct {
	io.ReadCloser
	of *bounded
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.of.left.Add(-int64(n)) < 0 {
		return 0, tooMuch(fmt.Sprintf("the Git server sends more than %d bytes", b.of.most))
	}
	return n, err
}

// talk bounds a talk with the Git server in time; ended puts its end into words.
func (f *Forge) talk(ctx context.Context) (in context.Context, ended func(error) error, end func()) {
	in, cancel := context.WithTimeout(ctx, f.opt.GitTime)
	return in, func(err error) error {
		if err != nil && in.Err() != nil && ctx.Err() == nil {
			return fmt.Errorf("the Git server was not done within %s", f.opt.GitTime)
		}
		return err
	}, cancel
}

func (f *Forge) sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Host != f.server.Host || req.URL.Scheme != f.server.Scheme {
		return fmt.Errorf("%w: to %q", errElsewhere, req.URL.Host)
	}
	if len(via) >= 5 {
		return errors.New("the Git server leads in circles")
	}
	return nil
}

// refs asks the Git server of a repository, "" for this one, where everything is. An
// empty one has nothing.
func (f *Forge) refs(ctx context.Context, repository string) (*packp.AdvRefs, error) {
	in, ended, end := f.talk(ctx)
	defer end()
	client, ep, err := f.endpoint(repository)
	if err != nil {
		return nil, err
	}
	// Asking changes nothing, so it may be asked again.
	for try := 1; ; try++ {
		adv, err := f.askRefs(in, client, ep)
		if err == nil || try == maxTries || in.Err() != nil || !passing(err) {
			return adv, f.explainGit(repository, ended(err))
		}
		select {
		case <-in.Done():
		case <-time.After(time.Duration(1<<try) * 100 * time.Millisecond):
		}
	}
}

// passing reports whether an error of the Git server may be gone the next time.
func passing(err error) bool {
	var much tooMuch
	if errors.As(err, &much) {
		return false
	}
	for _, lasting := range []error{
		transport.ErrAuthenticationRequired, transport.ErrAuthorizationFailed, transport.ErrRepositoryNotFound, errElsewhere,
	} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return true
}

func (f *Forge) askRefs(ctx context.Context, client transport.Transport, ep *transport.Endpoint) (*packp.AdvRefs, error) {
	auth, err := f.auth(ctx)
	if err != nil {
		return nil, err
	}
	s, err := client.NewUploadPackSession(ep, auth)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return packp.NewAdvRefs(), nil
	}
	return adv, err
}

func (f *Forge) explainGit(repository string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		if repository != "" {
			return &SetupError{fmt.Sprintf("the token may not push to %s", repository),
				"a fork takes commits from a person's token only, where its pull request allows edits by maintainers", err}
		}
		return &SetupError{fmt.Sprintf("the Git server of %s refuses the token", f.address(repository)), "give it the permission \"contents\", to write where the bot proposes something", err}
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fmt.Errorf("there is no repository %s, or the token may not see it", f.address(repository))
	}
	return fmt.Errorf("Git at %s: %w", f.address(repository), err)
}

// DefaultBranch is what HEAD of the repository names.
func (f *Forge) DefaultBranch(ctx context.Context) (string, error) {
	adv, err := f.refs(ctx, "")
	if err != nil {
		return "", err
	}
	if branch, ok := headOf(adv); ok {
		return branch, nil
	}
	// Without a commit Git says nothing of HEAD.
	repo, _, err := f.api.Repositories.Get(ctx, f.opt.Owner, f.opt.Name)
	if err != nil {
		return "", fmt.Errorf("repository %s/%s: %w", f.opt.Owner, f.opt.Name, explain(err))
	}
	return repo.GetDefaultBranch(), forge.CheckBranch(repo.GetDefaultBranch())
}

func headOf(adv *packp.AdvRefs) (string, bool) {
	if adv.Capabilities == nil {
		return "", false
	}
	for _, v := range adv.Capabilities.Get(capability.SymRef) {
		if branch, ok := strings.CutPrefix(v, "HEAD:refs/heads/"); ok && forge.CheckBranch(branch) == nil {
			return branch, true
		}
	}
	return "", false
}

// Head asks the Git server.
func (f *Forge) Head(ctx context.Context, branch string) (sha string, ok bool, err error) {
	if err := forge.CheckBranch(branch); err != nil {
		return "", false, err
	}
	f.git.asked(branch)
	adv, err := f.refs(ctx, "")
	if err != nil {
		return "", false, err
	}
	hash, ok := adv.References["refs/heads/"+branch]
	if !ok {
		return "", false, nil
	}
	return hash.String(), true, nil
}

// Git fetches what is new of the default branch, of the branches that somebody asked
// for, and of the open pull requests that somebody read. What it returns stays as it
// is, whatever is fetched later.
func (f *Forge) Git(ctx context.Context) (*git.Repository, error) {
	adv, err := f.refs(ctx, "")
	if err != nil {
		return nil, err
	}
	f.git.fetching.Lock()
	defer f.git.fetching.Unlock()
	store, err := f.openObjects()
	if err != nil {
		return nil, err
	}
	at := map[plumbing.ReferenceName]plumbing.Hash{} // zero for what is gone
	if main, ok := headOf(adv); ok {
		at["refs/heads/"+plumbing.ReferenceName(main)] = adv.References["refs/heads/"+main]
	}
	f.git.mu.Lock()
	for branch := range f.git.heads {
		at["refs/heads/"+plumbing.ReferenceName(branch)] = adv.References["refs/heads/"+branch]
	}
	for n, sha := range f.git.pulls {
		at[plumbing.ReferenceName(fmt.Sprintf("refs/pull/%d/head", n))] = plumbing.NewHash(sha)
	}
	f.git.mu.Unlock()
	var wants []plumbing.Hash
	for _, hash := range at {
		if !hash.IsZero() && store.HasEncodedObject(hash) != nil && !slices.Contains(wants, hash) {
			wants = append(wants, hash)
		}
	}
	if len(wants) > 0 {
		slices.SortFunc(wants, func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })
		if err := f.fetch(ctx, store, wants); err != nil {
			return nil, f.explainGit("", err)
		}
	}
	main, ok := headOf(adv)
	if !ok {
		main = "main" // of an empty repository; Git wants one
	}
	if err := store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.NewBranchReferenceName(main))); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(at)) {
		if at[name].IsZero() {
			err = store.RemoveReference(name)
		} else {
			err = store.SetReference(plumbing.NewHashReference(name, at[name]))
		}
		if err != nil {
			return nil, err
		}
	}
	if m, ok := store.(*memory.Storage); ok {
		f.git.objects = m
	}
	return git.Open(store, nil)
}

// maxHaves bounds how far back, in commits of a branch, the server is told what is
// here: enough to meet where it was overwritten.
const maxHaves = 64

// fetch adds the commits wanted, with all they lead to.
func (f *Forge) fetch(ctx context.Context, store storage.Storer, wants []plumbing.Hash) error {
	in, ended, end := f.talk(ctx)
	defer end()
	client, ep, err := f.endpoint("")
	if err != nil {
		return err
	}
	var into storer.Storer = store
	if m, ok := store.(*memory.Storage); ok {
		into = &capped{m, f.opt.GitBytes, f.opt.GitBytes}
	}
	// All tries together have the one bound.
	for try := 1; ; try++ {
		err := f.fetchOnce(in, client, ep, store, into, wants)
		if err == nil || try == maxTries || in.Err() != nil || !passing(err) {
			return ended(err)
		}
		select {
		case <-in.Done():
		case <-time.After(time.Duration(1<<try) * 100 * time.Millisecond):
		}
	}
}

func (f *Forge) fetchOnce(ctx context.Context, client transport.Transport, ep *transport.Endpoint, store storage.Storer, into storer.Storer, wants []plumbing.Hash) error {
	auth, err := f.auth(ctx)
	if err != nil {
		return err
	}
	s, err := client.NewUploadPackSession(ep, auth)
	if err != nil {
		return err
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(ctx) // the session follows a renamed repository here
	if err != nil {
		return err
	}
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	req.Wants = wants
	if req.Haves, err = haves(store); err != nil {
		return err
	}
	answer, err := s.UploadPack(ctx, req)
	if err != nil {
		return err
	}
	defer answer.Close()
	var pack io.Reader = answer
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	if pack, err = counted(pack); err != nil {
		return err
	}
	return packfile.UpdateObjectStorage(into, pack)
}

// maxObjects is how many objects one fetch may bring. go-git makes room for as many as
// the first bytes of a pack say.
const maxObjects = 10_000_000

// counted returns a pack that does not say to have more than maxObjects.
func counted(pack io.Reader) (io.Reader, error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(pack, head); err != nil {
		return nil, err
	}
	if n := binary.BigEndian.Uint32(head[8:]); n > maxObjects {
		return nil, tooMuch(fmt.Sprintf("the Git server sends %d objects; at most %d are taken", n, maxObjects))
	}
	return io.MultiReader(bytes.NewReader(head), pack), nil
}

// capped is memory for objects that ends: a small pack can unfold to a large one.
type capped struct {
	*memory.Storage
	most, left int64 // bytes
}

// SetEncodedObject keeps an object, if there is room.
func (c *capped) SetEncodedObject(o plumbing.EncodedObject) (plumbing.Hash, error) {
	if c.left -= o.Size(); c.left < 0 {
		return plumbing.ZeroHash, tooMuch(fmt.Sprintf("the Git server sends more than %d bytes once unpacked", c.most))
	}
	return c.Storage.SetEncodedObject(o)
}

// haves are the commits that the references lead to, and some before them.
func haves(store storage.Storer) ([]plumbing.Hash, error) {
	refs, err := store.IterReferences()
	if err != nil {
		return nil, err
	}
	seen := map[plumbing.Hash]bool{}
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		hash := ref.Hash()
		for range maxHaves {
			c, err := object.GetCommit(store, hash)
			if err != nil || seen[hash] { // an object that is not there is not had
				break
			}
			seen[hash] = true
			if len(c.ParentHashes) == 0 {
				break
			}
			hash = c.ParentHashes[0]
		}
		return nil
	})
	return slices.SortedFunc(maps.Keys(seen), func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) }), err
}

// openObjects opens what was fetched, to add to it: the folder, or a copy of what is
// in memory, so that whoever reads the old one is not disturbed.
func (f *Forge) openObjects() (storage.Storer, error) {
	if f.opt.Cache == "" {
		m := memory.NewStorage()
		if had := f.git.objects; had != nil {
			maps.Copy(m.Objects, had.Objects)
			maps.Copy(m.Commits, had.Commits)
			maps.Copy(m.Trees, had.Trees)
			maps.Copy(m.Blobs, had.Blobs)
			maps.Copy(m.Tags, had.Tags)
			maps.Copy(m.ReferenceStorage, had.ReferenceStorage)
		}
		return m, nil
	}
	// Its configuration names no remote, so that no token ever stands in it.
	dir := filepath.Join(f.opt.Cache, f.opt.Owner, f.opt.Name+".git")
	repo, err := git.PlainOpen(dir)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		repo, err = git.PlainInit(dir, true)
	}
	if err != nil {
		return nil, fmt.Errorf("the cache %s: %w", dir, err)
	}
	registry.Steady(repo)
	return repo.Storer, nil
}

// madeBy ends the message of each commit that is made through the API, where GitHub
// writes the author: by it the bot knows its own commits.
const madeBy = "Made-by: " + forge.BotName

// hubEmail is the address that GitHub commits with for others.
const hubEmail = "noreply@github.com"

// Made goes by the line that Commit adds, in a commit that GitHub made; or by the
// bot's address, where it pushed.
func (f *Forge) Made(_ context.Context, c *object.Commit) (bool, error) {
	if c.Committer.Email == forge.BotEmail && c.Author.Email == forge.BotEmail {
		return true, nil
	}
	return c.Committer.Email == hubEmail && slices.Contains(strings.Split(c.Message, "\n"), madeBy), nil
}

// Commit makes a commit through the API and moves the branch through Git. To a fork,
// and where Options.Push says so, it pushes the commit itself.
func (f *Forge) Commit(ctx context.Context, n forge.NewCommit) (string, error) {
	sha, err := f.commit(ctx, n)
	var moved *forge.MovedError
	if err != nil && !errors.As(err, &moved) && !errors.Is(err, forge.ErrNoChange) {
		return "", fmt.Errorf("commit to branch %q: %w", n.Branch, err)
	}
	return sha, err
}

func (f *Forge) commit(ctx context.Context, n forge.NewCommit) (string, error) {
	if err := forge.CheckBranch(n.Branch); err != nil {
		return "", err
	}
	for _, sha := range []string{n.Parent, n.ExpectedHead} {
		if sha != "" {
			if err := forge.CheckSHA(sha); err != nil {
				return "", err
			}
		}
	}
	repo, err := f.Git(ctx)
	if err != nil {
		return "", err
	}
	// Made here first, whichever way it goes: that says whether it changes anything,
	// and its objects are what a push sends.
	objects := transactional.NewStorage(repo.Storer, memory.NewStorage())
	local, err := forge.WriteCommit(ctx, objects, n)
	if err != nil {
		return "", err
	}
	if f.opt.Push || n.Repository != "" || n.Parent == "" {
		return local.String(), f.move(ctx, n.Repository, n.Branch, n.ExpectedHead, local.String(), objects)
	}
	// Before anything is sent, and again when the branch moves.
	if at, _, err := f.Head(ctx, n.Branch); err != nil {
		return "", err
	} else if at != n.ExpectedHead {
		return "", &forge.MovedError{Branch: n.Branch, Want: n.ExpectedHead, Got: at}
	}
	here, err := object.GetCommit(objects, local)
	if err != nil {
		return "", err
	}
	sha, err := f.commitByAPI(ctx, repo, n, here.TreeHash)
	if err != nil {
		return "", err
	}
	return sha, f.move(ctx, "", n.Branch, n.ExpectedHead, sha, nil)
}

// maxInline is how many bytes of a file are sent along with its name.
const maxInline = 1 << 20

// commitByAPI makes the tree and the commit. No branch leads to them yet, so doing
// it twice leaves nothing behind that anybody sees. want is the tree as made here.
func (f *Forge) commitByAPI(ctx context.Context, repo *git.Repository, n forge.NewCommit, want plumbing.Hash) (string, error) {
	parent, err := repo.CommitObject(plumbing.NewHash(n.Parent))
	if err != nil {
		return "", fmt.Errorf("parent %s: %w", n.Parent, err)
	}
	root, err := parent.Tree()
	if err != nil {
		return "", err
	}
	var entries []*github.TreeEntry
	for _, name := range slices.Sorted(maps.Keys(n.Files)) {
		data := n.Files[name]
		mode, kind := "100644", "blob"
		had, err := root.FindEntry(name)
		switch {
		case err == nil && had.Mode == filemode.Executable:
			mode = "100755"
		case err != nil && data == nil: // deleting what is not there
			continue
		}
		e := &github.TreeEntry{Path: &name, Mode: &mode, Type: &kind}
		switch text := string(data); {
		case data == nil:
		case len(data) <= maxInline && utf8.Valid(data) && !strings.Contains(text, "\x00"):
			e.Content = &text
		default: // JSON has no room for what is not text
			sha, err := f.blob(ctx, data)
			if err != nil {
				return "", err
			}
			e.SHA = &sha
		}
		entries = append(entries, e)
	}
	var tree *github.Tree
	err = f.twice(ctx, func() (err error) {
		tree, _, err = f.api.Git.CreateTree(ctx, f.opt.Owner, f.opt.Name, parent.TreeHash.String(), entries)
		return err
	})
	if err != nil {
		return "", explain(err)
	}
	if tree.GetSHA() != want.String() {
		return "", fmt.Errorf("GitHub made the tree %q of it and not %s", tree.GetSHA(), want)
	}
	message, err := n.FullMessage()
	if err != nil {
		return "", err
	}
	// In the paragraph of trailers, if there is one.
	gap := "\n"
	if len(n.CoAuthors) > 0 {
		gap = ""
	}
	message += gap + madeBy + "\n"
	var made *github.Commit
	err = f.twice(ctx, func() (err error) {
		made, _, err = f.api.Git.CreateCommit(ctx, f.opt.Owner, f.opt.Name,
			&github.Commit{Message: &message, Tree: tree, Parents: []*github.Commit{{SHA: &n.Parent}}}, nil)
		return err
	})
	if err != nil {
		return "", explain(err)
	}
	return made.GetSHA(), forge.CheckSHA(made.GetSHA())
}

// blob makes an object of a file's content.
func (f *Forge) blob(ctx context.Context, data []byte) (string, error) {
	text, encoding := base64.StdEncoding.EncodeToString(data), "base64"
	var made *github.Blob
	err := f.twice(ctx, func() (err error) {
		made, _, err = f.api.Git.CreateBlob(ctx, f.opt.Owner, f.opt.Name, &github.Blob{Content: &text, Encoding: &encoding})
		return err
	})
	return made.GetSHA(), explain(err)
}

// DeleteBranch deletes through Git, which names the commit that it must be at.
func (f *Forge) DeleteBranch(ctx context.Context, branch, expected string) error {
	if err := errors.Join(forge.CheckBranch(branch), forge.CheckSHA(expected)); err != nil {
		return err
	}
	if main, err := f.DefaultBranch(ctx); err != nil {
		return err
	} else if branch == main {
		return fmt.Errorf("%q is the default branch, which is not deleted", branch)
	}
	at, there, err := f.Head(ctx, branch)
	if err != nil || !there {
		return err
	}
	if at != expected {
		return &forge.MovedError{Branch: branch, Want: expected, Got: at}
	}
	err = f.move(ctx, "", branch, expected, "", nil)
	var moved *forge.MovedError
	if errors.As(err, &moved) && moved.Got == "" {
		return nil
	}
	return err
}

// move puts a branch that is at one commit, "" for none, at another, "" to delete
// it. The server does so only if the branch is where it is said to be. With objects,
// those that the server lacks are sent along.
func (f *Forge) move(ctx context.Context, repository, branch, from, to string, with storer.EncodedObjectStorer) error {
	name := plumbing.NewBranchReferenceName(branch)
	var err error
	for try := 1; try <= maxTries; try++ {
		var report *packp.ReportStatus
		var at string
		at, report, err = f.push(ctx, repository, name, from, to, with)
		if err == nil && report != nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && at == from {
			err = errors.New("the Git server said nothing")
		}
		if err != nil { // refused, or the answer was lost: where is it now?
			adv, lerr := f.refs(ctx, repository)
			if lerr != nil {
				return errors.Join(err, lerr)
			}
			at = branchAt(adv, name)
			if at == to {
				return nil
			}
		}
		if at == to && try > 1 { // it took effect later than it was looked for
			return nil
		}
		if at != from {
			return &forge.MovedError{Branch: branch, Want: from, Got: at}
		}
		if report != nil {
			for _, c := range report.CommandStatuses {
				if c.Status != "ok" {
					return fmt.Errorf("%s refuses to move branch %q: %s", f.address(repository), branch, clip(c.Status, 300))
				}
			}
		}
		if !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1<<try) * 100 * time.Millisecond):
		}
	}
	return err
}

func branchAt(adv *packp.AdvRefs, name plumbing.ReferenceName) string {
	if h, ok := adv.References[name.String()]; ok {
		return h.String()
	}
	return ""
}

// push asks once for the move of a branch. Where the branch is elsewhere it says so
// and asks for nothing.
func (f *Forge) push(ctx context.Context, repository string, name plumbing.ReferenceName, from, to string, with storer.EncodedObjectStorer) (at string, report *packp.ReportStatus, err error) {
	in, ended, end := f.talk(ctx)
	defer end()
	client, ep, err := f.endpoint(repository)
	if err != nil {
		return "", nil, err
	}
	auth, err := f.auth(in)
	if err != nil {
		return "", nil, err
	}
	s, err := client.NewReceivePackSession(ep, auth)
	if err != nil {
		return "", nil, err
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(in)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		adv, err = packp.NewAdvRefs(), nil
	}
	if err != nil {
		return "", nil, f.explainGit(repository, ended(err))
	}
	if at = branchAt(adv, name); at != from {
		return at, nil, nil
	}
	req := packp.NewReferenceUpdateRequest()
	if err := req.Capabilities.Set(capability.ReportStatus); err != nil {
		return at, nil, err
	}
	req.Commands = []*packp.Command{{Name: name, Old: plumbing.NewHash(from), New: plumbing.NewHash(to)}}
	if to != "" {
		pack, err := packOf(with, adv, to)
		if err != nil {
			return at, nil, err
		}
		req.Packfile = io.NopCloser(pack)
	}
	report, err = s.ReceivePack(in, req)
	return at, report, f.explainGit(repository, ended(err))
}

// packOf holds the objects that lead to a commit and that the server does not
// advertise; none where the server has made it itself.
func packOf(objects storer.EncodedObjectStorer, adv *packp.AdvRefs, to string) (io.Reader, error) {
	var out bytes.Buffer
	if objects == nil {
		_, err := packfile.NewEncoder(&out, memory.NewStorage(), false).Encode(nil, 0)
		return &out, err
	}
	var have []plumbing.Hash
	for _, h := range adv.References {
		if objects.HasEncodedObject(h) == nil {
			have = append(have, h)
		}
	}
	send, err := revlist.Objects(objects, []plumbing.Hash{plumbing.NewHash(to)}, have)
	if err != nil {
		return nil, err
	}
	_, err = packfile.NewEncoder(&out, objects, false).Encode(send, 10)
	return &out, err
}
