package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// noJekyll tells GitHub Pages to serve the files of a branch as they are.
const noJekyll = ".nojekyll"

// A Branch is one of a forge's repository that holds a catalog and nothing else, such
// as gh-pages. Each publication that changes something is one commit by the bot, so
// that readers of the branch see all of it or nothing.
type Branch struct {
	Forge forge.Forge
	Name  string
	// Squash makes that commit one without a parent: the branch keeps no history. What
	// was published before is lost to readers of the branch once Git tidies up.
	Squash bool
	When   time.Time // written into the commit
}

func (b *Branch) String() string { return "branch " + b.Name }

// tries is how often a publication begins again because somebody else published.
const tries = 20

// Publish commits what changed. Where somebody else moves the branch meanwhile, it
// looks again and goes on top of that.
func (b *Branch) Publish(ctx context.Context, c *catalog.Catalog) (Report, error) {
	r, err := b.publish(ctx, c)
	if err != nil {
		return r, fmt.Errorf("publish to %s: %w", b, err)
	}
	return r, nil
}

func (b *Branch) publish(ctx context.Context, c *catalog.Catalog) (Report, error) {
	main, err := b.Forge.DefaultBranch(ctx)
	if err != nil {
		return Report{}, err
	}
	if b.Name == main {
		return Report{}, errors.New("it is the default branch, which holds the registry; name another, such as gh-pages")
	}
	var moved *forge.MovedError
	for range tries {
		var report Report
		if report, err = b.once(ctx, c); err == nil || !errors.As(err, &moved) {
			return report, err
		}
	}
	return Report{}, fmt.Errorf("others keep publishing there; run again once they are done: %w", err)
}

// once commits on top of the branch as it is now.
func (b *Branch) once(ctx context.Context, c *catalog.Catalog) (Report, error) {
	var report Report
	head, _, err := b.Forge.Head(ctx, b.Name)
	if err != nil {
		return report, err
	}
	repo, err := b.Forge.Git(ctx)
	if err != nil {
		return report, err
	}
	there, err := readTree(repo, head)
	if err != nil {
		return report, err
	}
	files, manifest, err := contents(c)
	if err != nil {
		return report, err
	}
	before := map[string]string{}
	published, ok := there[catalog.ManifestName]
	if ok {
		data, err := readBlob(repo, published.hash)
		if err != nil {
			return report, fmt.Errorf("%s: %w", catalog.ManifestName, err)
		}
		if before, err = c.Succeed(data); err != nil {
			return report, err
		}
	}
	all := append(files, file{name: catalog.ManifestName, data: manifest})
	ours := map[string]bool{}
	change := map[string][]byte{}
	var inTheWay []string
	for _, f := range all {
		ours[f.name] = true
		was, stands := there[f.name]
		if stands && was.plain && was.hash == plumbing.ComputeHash(plumbing.BlobObject, f.data) {
			report.Unchanged++
			continue
		}
		if _, known := before[f.name]; stands && !known && f.name != catalog.ManifestName {
			inTheWay = append(inTheWay, f.name)
		}
		report.Written = append(report.Written, f.name)
		change[f.name] = append([]byte{}, f.data...) // nil would delete
	}
	if err := unclaimed(inTheWay); err != nil {
		return report, err
	}
	var others []string // files that are nobody's business here
	for name := range there {
		if ours[name] {
			continue
		}
		if _, known := before[name]; known {
			change[name] = nil
			report.Removed = append(report.Removed, name)
		} else {
			others = append(others, name)
		}
	}
	if !ok {
		if err := vacant(append([]string{}, others...)); err != nil {
			return report, err
		}
	}
	if _, stands := there[noJekyll]; !stands {
		change[noJekyll] = []byte{}
	}
	sortReport(&report)
	if len(change) == 0 {
		return report, nil
	}
	n := forge.NewCommit{
		Branch: b.Name, Parent: head, ExpectedHead: head, Files: change,
		Message: message(c), When: b.When,
	}
	if b.Squash {
		n.Parent = ""
		if n.Files, err = whole(repo, all, there, others); err != nil {
			return report, err
		}
	}
	report.Commit, err = b.Forge.Commit(ctx, n)
	if errors.Is(err, forge.ErrNoChange) { // the files deleted were gone already
		err = nil
	}
	return report, err
}

// message says what was published.
func message(c *catalog.Catalog) string {
	if commit := c.SourceCommit(); commit != "" {
		return fmt.Sprintf("publish: the catalog of commit %.12s\n\nSource-Commit: %s", commit, commit)
	}
	return "publish: a catalog of no commit"
}

// whole is every file of a branch that begins anew: the catalog's, and those of
// others as they are.
func whole(repo *git.Repository, all []file, there map[string]treeFile, others []string) (map[string][]byte, error) {
	files := map[string][]byte{noJekyll: {}}
	for _, f := range all {
		files[f.name] = append([]byte{}, f.data...)
	}
	for _, name := range others {
		if !there[name].plain {
			return nil, fmt.Errorf("%q is no plain file, and cannot be kept with --squash; remove it from the branch", name)
		}
		data, err := readBlob(repo, there[name].hash)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		files[name] = append([]byte{}, data...)
	}
	return files, nil
}

// A treeFile is what a commit has at a name.
type treeFile struct {
	hash  plumbing.Hash
	plain bool // a file; not a link or another repository
}

const (
	maxFiles = 2_000_000 // looked at in one place
	maxDepth = 100       // folders in folders
	maxBytes = 512 << 20 // of one file
)

// readTree lists the files of a commit, none for "". It is bounded, since anybody who
// may push can have made the trees.
func readTree(repo *git.Repository, sha string) (map[string]treeFile, error) {
	files := map[string]treeFile{}
	if sha == "" {
		return files, nil
	}
	commit, err := repo.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", sha, err)
	}
	seen := 0 // folders too: one may stand in another many times over
	var walk func(hash plumbing.Hash, dir string, depth int) error
	walk = func(hash plumbing.Hash, dir string, depth int) error {
		tree, err := object.GetTree(repo.Storer, hash)
		if err != nil {
			return fmt.Errorf("folder %q: %w", dir, err)
		}
		for _, e := range tree.Entries {
			name := path.Join(dir, e.Name)
			if seen++; seen > maxFiles || depth >= maxDepth || e.Name == "" || strings.Contains(e.Name, "/") {
				return fmt.Errorf("at %q the commit has more files or deeper folders than any catalog", name)
			}
			if e.Mode == filemode.Dir {
				if err := walk(e.Hash, name, depth+1); err != nil {
					return err
				}
				continue
			}
			files[name] = treeFile{e.Hash, e.Mode.IsFile() && e.Mode != filemode.Symlink}
		}
		return nil
	}
	return files, walk(commit.TreeHash, "", 0)
}

func readBlob(repo *git.Repository, hash plumbing.Hash) ([]byte, error) {
	blob, err := repo.BlobObject(hash)
	if err != nil {
		return nil, err
	}
	if blob.Size > maxBytes {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", blob.Size, maxBytes)
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, maxBytes))
	return b.Bytes(), errors.Join(err, r.Close())
}
