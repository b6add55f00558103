package github

import (
	"bytes"
	"context"
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

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/revlist"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/google/go-github/v60/github"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// A gitSide is what is known of the repository through Git.
type gitSide struct {
	mu    sync.Mutex
	repo  *git.Repository
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

// session opens a talk with the Git server of a repository. The client follows no
// redirect to another host, which would be given the token.
func (f *Forge) endpoint(repository string) (transport.Transport, *transport.Endpoint, error) {
	ep, err := transport.NewEndpoint(f.address(repository))
	if err != nil {
		return nil, nil, err
	}
	base := f.opt.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	return githttp.NewClient(&http.Client{Transport: base, CheckRedirect: f.sameHost}), ep, nil
}

func (f *Forge) sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Host != f.server.Host || req.URL.Scheme != f.server.Scheme {
		return fmt.Errorf("the Git server leads to %s, where the token must not go", req.URL.Host)
	}
	if len(via) >= 5 {
		return errors.New("the Git server leads in circles")
	}
	return nil
}

// refs asks the Git server where everything is. An empty repository has nothing.
func (f *Forge) refs(ctx context.Context) (*packp.AdvRefs, error) {
	client, ep, err := f.endpoint("")
	if err != nil {
		return nil, err
	}
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
	return adv, f.explainGit("", err)
}

func (f *Forge) explainGit(repository string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return &SetupError{fmt.Sprintf("the Git server of %s refuses the token", f.address(repository)), "give it the permission \"contents\", to write where the bot proposes something", err}
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fmt.Errorf("there is no repository %s, or the token may not see it", f.address(repository))
	}
	return fmt.Errorf("Git at %s: %w", f.address(repository), err)
}

// DefaultBranch is what HEAD of the repository names.
func (f *Forge) DefaultBranch(ctx context.Context) (string, error) {
	adv, err := f.refs(ctx)
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
	adv, err := f.refs(ctx)
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
// for, and of the open pull requests that somebody read.
func (f *Forge) Git(ctx context.Context) (*git.Repository, error) {
	adv, err := f.refs(ctx)
	if err != nil {
		return nil, err
	}
	f.git.mu.Lock()
	defer f.git.mu.Unlock()
	if f.git.repo == nil {
		if f.git.repo, err = f.openRepo(); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	if main, ok := headOf(adv); ok {
		names["refs/heads/"+main] = true
	}
	for branch := range f.git.heads {
		names["refs/heads/"+branch] = true
	}
	for n := range f.git.pulls {
		names[fmt.Sprintf("refs/pull/%d/head", n)] = true
	}
	var specs []config.RefSpec
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at, there := adv.References[name]
		if !there {
			if err := f.git.repo.Storer.RemoveReference(plumbing.ReferenceName(name)); err != nil {
				return nil, err
			}
			continue
		}
		if ref, err := f.git.repo.Storer.Reference(plumbing.ReferenceName(name)); err == nil && ref.Hash() == at {
			continue
		}
		specs = append(specs, config.RefSpec("+"+name+":"+name))
	}
	if len(specs) == 0 {
		return f.git.repo, nil
	}
	auth, err := f.auth(ctx)
	if err != nil {
		return nil, err
	}
	remote := git.NewRemote(f.git.repo.Storer, &config.RemoteConfig{Name: "origin", URLs: []string{f.address("")}})
	err = remote.FetchContext(ctx, &git.FetchOptions{RefSpecs: specs, Auth: auth, Tags: git.NoTags, Force: true})
	if err != nil && !errors.Is(err, git.NoErrAlreadyUpToDate) {
		return nil, f.explainGit("", err)
	}
	return f.git.repo, nil
}

// openRepo opens the folder for objects, or makes one; its configuration names no
// remote, so that no token ever stands in it.
func (f *Forge) openRepo() (*git.Repository, error) {
	if f.opt.Cache == "" {
		return git.Init(memory.NewStorage(), nil)
	}
	dir := filepath.Join(f.opt.Cache, f.opt.Owner, f.opt.Name+".git")
	repo, err := git.PlainOpen(dir)
	if !errors.Is(err, git.ErrRepositoryNotExists) {
		return repo, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return git.PlainInit(dir, true)
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
	local, err := forge.WriteCommit(ctx, repo.Storer, n)
	if err != nil {
		return "", err
	}
	if f.opt.Push || n.Repository != "" || n.Parent == "" {
		return local.String(), f.move(ctx, n.Repository, n.Branch, n.ExpectedHead, local.String(), repo)
	}
	// Before anything is sent, and again when the branch moves.
	if at, _, err := f.Head(ctx, n.Branch); err != nil {
		return "", err
	} else if at != n.ExpectedHead {
		return "", &forge.MovedError{Branch: n.Branch, Want: n.ExpectedHead, Got: at}
	}
	sha, err := f.commitByAPI(ctx, repo, n)
	if err != nil {
		return "", err
	}
	return sha, f.move(ctx, "", n.Branch, n.ExpectedHead, sha, nil)
}

// commitByAPI makes the tree and the commit. No branch leads to them yet, so doing
// it twice leaves nothing behind that anybody sees.
func (f *Forge) commitByAPI(ctx context.Context, repo *git.Repository, n forge.NewCommit) (string, error) {
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
		if data != nil {
			text := string(data)
			e.Content = &text
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
// it. The server does so only if the branch is where it is said to be. With a
// repository, the objects that the server lacks are sent along.
func (f *Forge) move(ctx context.Context, repository, branch, from, to string, with *git.Repository) error {
	client, ep, err := f.endpoint(repository)
	if err != nil {
		return err
	}
	auth, err := f.auth(ctx)
	if err != nil {
		return err
	}
	s, err := client.NewReceivePackSession(ep, auth)
	if err != nil {
		return f.explainGit(repository, err)
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		adv, err = packp.NewAdvRefs(), nil
	}
	if err != nil {
		return f.explainGit(repository, err)
	}
	name := plumbing.NewBranchReferenceName(branch)
	where := func(adv *packp.AdvRefs) string {
		if h, ok := adv.References[name.String()]; ok {
			return h.String()
		}
		return ""
	}
	if at := where(adv); at != from {
		return &forge.MovedError{Branch: branch, Want: from, Got: at}
	}
	req := packp.NewReferenceUpdateRequest()
	if err := req.Capabilities.Set(capability.ReportStatus); err != nil {
		return err
	}
	req.Commands = []*packp.Command{{Name: name, Old: plumbing.NewHash(from), New: plumbing.NewHash(to)}}
	if to != "" {
		pack, err := packOf(with, adv, to)
		if err != nil {
			return err
		}
		req.Packfile = io.NopCloser(pack)
	}
	report, err := s.ReceivePack(ctx, req)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Refused, or the answer was lost: where is it now?
	now, lerr := f.at(ctx, repository, name)
	if lerr != nil {
		return f.explainGit(repository, errors.Join(err, lerr))
	}
	switch {
	case now == to:
		return nil
	case now != from:
		return &forge.MovedError{Branch: branch, Want: from, Got: now}
	}
	if report != nil {
		for _, c := range report.CommandStatuses {
			if c.Status != "ok" {
				return fmt.Errorf("%s refuses to move branch %q: %s", f.address(repository), branch, clip(c.Status, 300))
			}
		}
	}
	return f.explainGit(repository, err)
}

func (f *Forge) at(ctx context.Context, repository string, name plumbing.ReferenceName) (string, error) {
	client, ep, err := f.endpoint(repository)
	if err != nil {
		return "", err
	}
	auth, err := f.auth(ctx)
	if err != nil {
		return "", err
	}
	s, err := client.NewUploadPackSession(ep, auth)
	if err != nil {
		return "", err
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if h, ok := adv.References[name.String()]; ok {
		return h.String(), nil
	}
	return "", nil
}

// packOf holds the objects that lead to a commit and that the server does not
// advertise; none where the server has made it itself.
func packOf(repo *git.Repository, adv *packp.AdvRefs, to string) (io.Reader, error) {
	var out bytes.Buffer
	if repo == nil {
		_, err := packfile.NewEncoder(&out, memory.NewStorage(), false).Encode(nil, 0)
		return &out, err
	}
	var have []plumbing.Hash
	for _, h := range adv.References {
		if repo.Storer.HasEncodedObject(h) == nil {
			have = append(have, h)
		}
	}
	send, err := revlist.Objects(repo.Storer, []plumbing.Hash{plumbing.NewHash(to)}, have)
	if err != nil {
		return nil, err
	}
	_, err = packfile.NewEncoder(&out, repo.Storer, false).Encode(send, 10)
	return &out, err
}
