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

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/disk"
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
//	checks/SHA/dpg-registry_validate.json
//
// A pull request is merged once its head is in its base's history, and closed
// once its branch is gone without that; either is noticed, and written down for
// good, when the pull request is next read. A fork is a part of repo.git: the
// branch "fix" of the fork "alice" is refs/forks/alice/fix, and whoever plays
// Alice pushes there.
//
// One process may call it from many goroutines. Two processes never get the same
// number or lose a branch's move; if both change the text of one pull request at
// once, the later one wins whole.
type Local struct {
	*folder
	user User
}

// A folder is what every user of a local forge shares.
type folder struct {
	dir  string
	root *os.Root // reads go through it, so that no link leads out
	refs refs
	mu   sync.Mutex // held while pulls or checks are read or written
}

var _ Forge = (*Local)(nil)

const (
	repoDir   = "repo.git"
	pullsDir  = "pulls"
	checksDir = "checks"

	mainBranch = "main"

	// Bounds on what is read back; what is written is far below them.
	maxYAML = 1 << 20
	maxText = 4 * MaxBody // a character has at most 4 bytes
	maxJSON = 64 << 20
)

// InitLocal makes a forge in a folder that is empty or not there, or completes or
// opens the one in it. Its default branch, main, is not there until it is pushed.
func InitLocal(dir string) (*Local, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !slices.Contains([]string{repoDir, pullsDir, checksDir}, e.Name()) {
			return nil, fmt.Errorf("%s is not a forge and holds %q already; name an empty folder", dir, e.Name())
		}
	}
	for _, name := range []string{repoDir, pullsDir, checksDir} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	repo, err := git.PlainInitWithOptions(filepath.Join(dir, repoDir), &git.PlainInitOptions{
		Bare:        true,
		InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName(mainBranch)},
	})
	if errors.Is(err, git.ErrRepositoryAlreadyExists) {
		return OpenLocal(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", filepath.Join(dir, repoDir), err)
	}
	cfg, err := repo.Config()
	if err != nil {
		return nil, err
	}
	// The forge keeps these itself; a push must not move them.
	cfg.Raw.Section("receive").SetOption("hideRefs", "refs/pull")
	if err := repo.SetConfig(cfg); err != nil {
		return nil, err
	}
	return OpenLocal(dir)
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
	if _, err := l.Git(context.Background()); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close lets go of the folder, for every user of it.
func (f *folder) Close() error { return errors.Join(f.refs.root.Close(), f.root.Close()) }

// As returns the same forge with somebody else using it; at first the bot does.
func (l *Local) As(u User) *Local { return &Local{folder: l.folder, user: u} }

// DefaultBranch returns the branch that repo.git/HEAD names.
func (l *Local) DefaultBranch(context.Context) (string, error) {
	data, err := readFile(l.refs.root, "HEAD", 4096)
	if err != nil {
		return "", err
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref: refs/heads/")
	if !ok || checkBranch(branch) != nil {
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
	return repo, nil
}

// Head returns the commit a branch is at.
func (l *Local) Head(_ context.Context, branch string) (sha string, ok bool, err error) {
	if err := checkBranch(branch); err != nil {
		return "", false, err
	}
	sha, err = l.refs.read(branchRef(branch))
	return sha, sha != "", err
}

// Commit adds the objects to repo.git and moves the branch as git push would.
func (l *Local) Commit(ctx context.Context, n NewCommit) (string, error) {
	if err := checkBranch(n.Branch); err != nil {
		return "", err
	}
	for _, sha := range []string{n.Parent, n.ExpectedHead} {
		if sha != "" {
			if err := checkSHA(sha); err != nil {
				return "", err
			}
		}
	}
	// Before anything is written, and again when the branch moves.
	if at, _, err := l.Head(ctx, n.Branch); err != nil {
		return "", err
	} else if at != n.ExpectedHead {
		return "", &MovedError{n.Branch, n.ExpectedHead, at}
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return "", err
	}
	hash, err := writeCommit(ctx, repo.Storer, n)
	if err != nil {
		return "", fmt.Errorf("commit to branch %q: %w", n.Branch, err)
	}
	at, moved, err := l.refs.move(ctx, branchRef(n.Branch), &n.ExpectedHead, hash.String())
	if err != nil {
		return "", err
	}
	if moved {
		return "", &MovedError{n.Branch, n.ExpectedHead, at}
	}
	return hash.String(), nil
}

// DeleteBranch deletes a branch; the default branch is refused.
func (l *Local) DeleteBranch(ctx context.Context, branch, expected string) error {
	if err := checkBranch(branch); err != nil {
		return err
	}
	if err := checkSHA(expected); err != nil {
		return err
	}
	if main, err := l.DefaultBranch(ctx); err != nil {
		return err
	} else if branch == main {
		return fmt.Errorf("%q is the default branch, which is not deleted", branch)
	}
	at, moved, err := l.refs.remove(ctx, branchRef(branch), expected)
	if err == nil && moved {
		err = &MovedError{branch, expected, at}
	}
	return err
}

// hasCommit says what is wrong if sha is not a commit in repo.git.
func (l *Local) hasCommit(ctx context.Context, sha string) error {
	if err := checkSHA(sha); err != nil {
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

// next makes the folder with the next number in dir. Making a folder either works
// or finds it there, so that no two processes get one number.
func (f *folder) next(dir string) (int, error) {
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	ns, err := f.numbered(dir)
	if err != nil {
		return 0, err
	}
	n := 1
	if len(ns) > 0 {
		n = ns[len(ns)-1] + 1
	}
	for {
		err := f.root.Mkdir(path.Join(dir, strconv.Itoa(n)), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return n, err
		}
		n++
	}
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
