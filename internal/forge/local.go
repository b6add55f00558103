package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Local is a forge in a folder, for a registry without a network and for trying
// things out. People clone repo.git, push to it and merge with Git itself, and
// read the rest with a pager:
//
//	repo.git/                           a bare repository
//	pulls/7/pull.yaml                   title, state, branches, labels
//	pulls/7/body.md                     the body, byte for byte
//	pulls/7/comments/1/comment.yaml     who wrote it
//	pulls/7/comments/1/body.md          what they wrote, byte for byte
//	pulls/7/lines/1/                    likewise, a remark on lines of a file
//	pulls/8/issue.yaml                  an issue, which has its number from the same row
//	people.yaml                         who may do what: "alice: {id: 7, permission: write}"
//	checks/SHA/dpg-registry_validate.json
//
// A pull request is merged once its head is in its base's history, and closed
// once its branch is gone without that; either is noticed, and written down for
// good, when the pull request is next read. A fork is a part of repo.git: the
// branch "fix" of the fork "alice" is refs/forks/alice/fix, and whoever plays
// Alice pushes there.
//
// One process may call it from many goroutines, and several processes may use it:
// what one does, others wait for. A process that is killed leaves at most files
// that the next removes or finishes; no number is lost.
type Local struct {
	*folder
	user User
}

// A folder is what every user of a local forge shares.
type folder struct {
	dir  string
	root *os.Root // reads go through it, so that no link leads out
	refs refs
	mu   sync.Mutex   // held while pulls or checks are read, or anything is written
	held *disk.Folder // repo.git, while mu is held
}

var _ Forge = (*Local)(nil)

const (
	repoDir    = "repo.git"
	newRepoDir = ".repo.git-new" // until it is whole
	pullsDir   = "pulls"
	checksDir  = "checks"
	peopleFile = "people.yaml"

	mainBranch = "main"

	// Bounds on what is read back; what is written is far below them.
	maxYAML = 1 << 20
	maxText = 4 * MaxBody // a character has at most 4 bytes
	maxJSON = 64 << 20

	maxWait = 10 * time.Second // for another process
)

// InitLocal makes a forge in a folder that is empty or not there, or completes or
// opens the one in it. Its default branch, main, is not there until it is pushed.
func InitLocal(dir string) (*Local, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", dir, disk.Explain(err))
	}
	held, err := disk.Hold(dir)
	if err != nil {
		return nil, err
	}
	defer held.Close() // it was opened for its lock
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !slices.Contains([]string{repoDir, newRepoDir, pullsDir, checksDir, peopleFile}, e.Name()) {
			return nil, fmt.Errorf("%s is not a forge and holds %q already; name an empty folder", dir, e.Name())
		}
	}
	if err := initRepo(dir); err != nil {
		return nil, fmt.Errorf("make %s: %w", filepath.Join(dir, repoDir), disk.Explain(err))
	}
	for _, name := range []string{pullsDir, checksDir} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	return OpenLocal(dir)
}

// initRepo makes repo.git unless it is there: aside, since go-git writes its files
// in place.
func initRepo(dir string) error {
	aside := filepath.Join(dir, newRepoDir)
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, repoDir, "HEAD")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	repo, err := git.PlainInitWithOptions(aside, &git.PlainInitOptions{
		Bare:        true,
		InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName(mainBranch)},
	})
	if err != nil {
		return err
	}
	cfg, err := repo.Config()
	if err != nil {
		return err
	}
	// The forge keeps these itself; a push must not move them.
	cfg.Raw.Section("receive").SetOption("hideRefs", "refs/pull")
	if err := repo.SetConfig(cfg); err != nil {
		return err
	}
	return os.Rename(aside, filepath.Join(dir, repoDir))
}

// OpenLocal opens the forge that InitLocal made in dir.
func OpenLocal(dir string) (*Local, error) {
	for _, name := range []string{repoDir + "/HEAD", pullsDir, checksDir} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not a forge, it has no %s; run \"dpgbot forge init %s\" first", dir, name, dir)
		} else if err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	bare, err := root.OpenRoot(repoDir)
	if err != nil {
		root.Close()
		return nil, err
	}
	f := &folder{dir: dir, root: root, refs: refs{bare}}
	l := &Local{folder: f, user: User{Login: BotName}}
	leave, err := l.enter(context.Background()) // a branch that a killed run locked can be pushed to again
	if err == nil {
		leave()
		_, err = l.Git(context.Background())
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close lets go of the folder, for every user of it.
func (f *folder) Close() error { return errors.Join(f.refs.root.Close(), f.root.Close()) }

// enter waits until no other goroutine and no other process is at work in the
// forge, and ends what a killed one left. The function it returns must be called.
func (f *folder) enter(ctx context.Context) (leave func(), err error) {
	f.mu.Lock()
	defer func() {
		if err != nil {
			f.mu.Unlock()
		}
	}()
	held, err := f.hold(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.refs.recover(held); err != nil {
		held.Close()
		return nil, fmt.Errorf("clear what an interrupted run left in %s: %w", f.dir, err)
	}
	f.held = held
	return func() {
		f.held = nil
		held.Close() // it was opened for its lock
		f.mu.Unlock()
	}, nil
}

// hold takes repo.git. What others do in a forge is short, so they are waited for.
func (f *folder) hold(ctx context.Context) (*disk.Folder, error) {
	for wait := time.Second; ; wait += time.Second {
		held, err := disk.Hold(f.full(repoDir))
		var busy *disk.BusyError
		if !errors.As(err, &busy) || wait == maxWait {
			return held, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// As returns the same forge with somebody else using it; at first the bot does.
func (l *Local) As(u User) *Local { return &Local{folder: l.folder, user: u} }

// DefaultBranch returns the branch that repo.git/HEAD names.
func (l *Local) DefaultBranch(context.Context) (string, error) {
	data, err := readFile(l.refs.root, "HEAD", 4096)
	if err != nil {
		return "", err
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref: refs/heads/")
	if !ok || CheckBranch(branch) != nil {
		return "", fmt.Errorf("%s does not name a branch; \"git symbolic-ref HEAD refs/heads/main\" in that folder would", filepath.Join(l.dir, repoDir, "HEAD"))
	}
	return branch, nil
}

// Git opens repo.git anew: an open one does not see what is pushed and packed later.
func (l *Local) Git(context.Context) (*git.Repository, error) {
	name := filepath.Join(l.dir, repoDir)
	repo, err := git.PlainOpen(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	registry.Steady(repo)
	return repo, nil
}

// Head returns the commit a branch is at.
func (l *Local) Head(_ context.Context, branch string) (sha string, ok bool, err error) {
	if err := CheckBranch(branch); err != nil {
		return "", false, err
	}
	sha, err = l.refs.read(branchRef(branch))
	return sha, sha != "", err
}

// Commit adds the objects to repo.git and moves the branch as git push would.
func (l *Local) Commit(ctx context.Context, n NewCommit) (string, error) {
	if err := CheckBranch(n.Branch); err != nil {
		return "", err
	}
	for _, sha := range []string{n.Parent, n.ExpectedHead} {
		if sha != "" {
			if err := CheckSHA(sha); err != nil {
				return "", err
			}
		}
	}
	if err := checkHead(n.Repository, n.Branch); err != nil {
		return "", err
	}
	ref := headRef(n.Repository, n.Branch)
	// Before anything is written, and again when the branch moves.
	if at, err := l.refs.read(ref); err != nil {
		return "", err
	} else if at != n.ExpectedHead {
		return "", &MovedError{n.Branch, n.ExpectedHead, at}
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return "", err
	}
	hash, err := WriteCommit(ctx, repo.Storer, n)
	if err != nil {
		return "", fmt.Errorf("commit to branch %q in %s: %w", n.Branch, l.full(repoDir), disk.Explain(err))
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	at, moved, err := l.refs.move(ctx, l.held, ref, &n.ExpectedHead, hash.String())
	if err != nil {
		return "", err
	}
	if moved {
		return "", &MovedError{n.Branch, n.ExpectedHead, at}
	}
	return hash.String(), nil
}

// Made goes by the bot's address, which Commit signs with.
func (l *Local) Made(_ context.Context, c *object.Commit) (bool, error) {
	return c.Committer.Email == BotEmail && c.Author.Email == BotEmail, nil
}

// DeleteBranch deletes a branch; the default branch is refused.
func (l *Local) DeleteBranch(ctx context.Context, branch, expected string) error {
	if err := CheckBranch(branch); err != nil {
		return err
	}
	if err := CheckSHA(expected); err != nil {
		return err
	}
	if main, err := l.DefaultBranch(ctx); err != nil {
		return err
	} else if branch == main {
		return fmt.Errorf("%q is the default branch, which is not deleted", branch)
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	at, moved, err := l.refs.remove(ctx, l.held, branchRef(branch), expected)
	if err == nil && moved {
		err = &MovedError{branch, expected, at}
	}
	return err
}

// hasCommit says what is wrong if sha is not a commit in repo.git.
func (l *Local) hasCommit(ctx context.Context, sha string) error {
	if err := CheckSHA(sha); err != nil {
		return err
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return err
	}
	if _, err := object.GetCommit(repo.Storer, plumbing.NewHash(sha)); err != nil {
		return fmt.Errorf("commit %s: %w", sha, err)
	}
	return nil
}

// read returns a file of the forge, of at most so many bytes.
func (f *folder) read(name string, most int64) ([]byte, error) {
	data, err := readFile(f.root, name, most)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", f.full(name), err)
	}
	return data, err
}

// write puts files into a folder of the forge, each whole, in the order given.
func (f *folder) write(dir string, files ...file) error {
	if err := f.root.MkdirAll(dir, 0o755); err != nil { // fails where a link leads out
		return err
	}
	to, err := disk.Open(f.full(dir))
	if err != nil {
		return err
	}
	defer to.Close()
	for _, file := range files {
		if _, err := to.Write(file.name, file.data); err != nil {
			// A folder that was made for it goes again; one that holds something stays.
			_ = f.root.Remove(dir)
			return err
		}
	}
	return nil
}

type file struct {
	name string
	data []byte
}

// writeYAML writes one file of a folder.
func (f *folder) writeYAML(dir, name string, v any) error {
	data, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	return f.write(dir, file{name, data})
}

// readYAML reads a file into v, and holds it to v's keys.
func (f *folder) readYAML(name string, v any) error {
	data, err := f.read(name, maxYAML)
	if err != nil {
		return err
	}
	if err := decodeYAML(data, v); err != nil {
		return fmt.Errorf("read %s: %w", f.full(name), err)
	}
	return nil
}

func decodeYAML(data []byte, v any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(v); err == io.EOF {
		return errors.New("it is empty")
	} else if err != nil {
		return err
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		return errors.New("it has more than one YAML document")
	}
	return nil
}

// full is where a person finds a file of the forge.
func (f *folder) full(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// numbered lists the folders in dir that are named by a number, rising. Others are
// none of the forge's business.
func (f *folder) numbered(dir string) ([]int, error) {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ns []int
	for _, e := range entries {
		n, err := strconv.ParseInt(e.Name(), 10, 32)
		if err == nil && n > 0 && strconv.FormatInt(n, 10) == e.Name() && e.IsDir() {
			ns = append(ns, int(n))
		}
	}
	slices.Sort(ns)
	return ns, nil
}

// next makes the folder with the next number in dir, the one above the last that
// holds its record. A killed run may have made it and not finished: nobody has
// seen that number, so it is not lost. The caller has entered the forge; where
// that keeps no other process out, a folder that is there may be another's work,
// and making a new one is how a number is taken.
func (f *folder) next(dir, record string) (int, error) {
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	ns, err := f.numbered(dir)
	if err != nil {
		return 0, err
	}
	last := 0
	for _, n := range ns {
		_, err := f.root.Lstat(path.Join(dir, strconv.Itoa(n), record))
		if err == nil || !f.held.Sole() {
			last = n
		} else if !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	for n := last + 1; ; n++ {
		name := path.Join(dir, strconv.Itoa(n))
		err := f.root.Mkdir(name, 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return n, err
		}
		if f.held.Sole() && f.unfinished(name) {
			return n, nil
		}
	}
}

// unfinished reports whether a folder holds no more than what a killed run writes
// before the record.
func (f *folder) unfinished(dir string) bool {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() != bodyFile && !disk.Aside(e.Name())
	})
}

// readFile reads a regular file of at most so many bytes. It does not open what
// is not one: a pipe would keep it waiting for ever.
func readFile(root *os.Root, name string, most int64) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	r, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return data, err
}
