package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// refs are the references of a bare repository on disk. go-git locks them in a
// way of its own, which a git push does not see; these follow Git's protocol: who
// makes NAME.lock may change NAME, and does so by renaming.
//
// Git's lock outlasts a crash and says nothing of who made it. One made here says
// so in its first line, and is made by whoever holds the repository's folder, a
// lock that ends with the process. Whoever holds the folder next therefore knows
// that such a file is nobody's any more; the file lockList says where to look.
type refs struct{ root *os.Root }

const packedRefs = "packed-refs"

// lockList is in the repository while a reference is being changed, and every lock
// is a hard link to it: a line that says whose it is, then the names of the files
// that are locked.
const (
	lockList = "dpg-locks"
	lockMark = "dpg-registry is changing what is named here; this file goes when it is done, or when it next runs\n"
)

// What waits for a lock waits this long, about a second in all.
const (
	lockTries = 50
	lockPause = 20 * time.Millisecond

	maxLockList = 4096 // bytes; two names
)

// read returns the sha a reference is at, or "".
func (r refs) read(name string) (string, error) {
	info, err := r.root.Stat(name)
	switch {
	case missing(err) || err == nil && info.IsDir():
		packed, err := r.packed()
		return packed.find(name), err
	case err != nil:
		return "", err
	}
	data, err := readFile(r.root, name, 4096)
	if missing(err) { // packed between the two looks
		packed, err := r.packed()
		return packed.find(name), err
	}
	if err != nil {
		return "", err
	}
	sha := strings.TrimSpace(string(data))
	if err := CheckSHA(sha); err != nil {
		return "", fmt.Errorf("reference %s: %w", name, err)
	}
	return sha, nil
}

// missing reports an error that says a file or a folder above it is not there.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// A packedList is the packed-refs file.
type packedList struct{ lines []string }

func (r refs) packed() (packedList, error) {
	data, err := readFile(r.root, packedRefs, 64<<20)
	if missing(err) {
		return packedList{}, nil
	}
	if err != nil {
		return packedList{}, err
	}
	return packedList{strings.SplitAfter(string(data), "\n")}, nil
}

// cut returns the sha and name on a line, or "" for a comment or a peeled tag.
func (packedList) cut(line string) (sha, name string) {
	sha, name, _ = strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	if CheckSHA(sha) != nil {
		return "", ""
	}
	return sha, name
}

func (p packedList) find(name string) string {
	for _, line := range p.lines {
		if sha, n := p.cut(line); n == name {
			return sha
		}
	}
	return ""
}

// below returns a reference in the folder name, or "".
func (p packedList) below(name string) string {
	for _, line := range p.lines {
		if _, n := p.cut(line); strings.HasPrefix(n, name+"/") {
			return n
		}
	}
	return ""
}

// without returns the file less one branch. Only tags take a second line.
func (p packedList) without(name string) []byte {
	var b strings.Builder
	for _, line := range p.lines {
		if _, n := p.cut(line); n != name {
			b.WriteString(line)
		}
	}
	return []byte(b.String())
}

// move puts a reference at a sha if it is at *old, "" meaning that it must not
// exist; if old is nil it may be anywhere. If it is elsewhere, moved says where.
// The folder held is the repository's.
func (r refs) move(ctx context.Context, held *disk.Folder, name string, old *string, sha string) (at string, moved bool, err error) {
	if err := r.clearWay(name); err != nil {
		return "", false, err
	}
	locks, err := r.lock(ctx, held, name)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, locks.release()) }()
	at, err = r.read(name)
	if err != nil || at == sha && old == nil {
		return at, false, err
	}
	if old != nil && at != *old {
		return at, true, nil
	}
	_, err = held.Write(name, []byte(sha+"\n"))
	return sha, false, err
}

// clearWay makes the folders of a reference, and finds out what Git forbids: two
// references of which one would be a folder of the other.
func (r refs) clearWay(name string) error {
	packed, err := r.packed()
	if err != nil {
		return err
	}
	clash := func(other string) error {
		return fmt.Errorf("%s and %s cannot both exist: one is a folder of the other", name, other)
	}
	for dir := path.Dir(name); strings.Count(dir, "/") > 1; dir = path.Dir(dir) {
		at, err := r.read(dir)
		if err != nil {
			return err
		}
		if at != "" {
			return clash(dir)
		}
	}
	if other := packed.below(name); other != "" {
		return clash(other)
	}
	if info, err := r.root.Stat(name); err == nil && info.IsDir() {
		if other := r.removeEmpty(name); other != "" {
			return clash(other)
		}
	}
	return r.root.MkdirAll(path.Dir(name), 0o755)
}

// removeEmpty removes the empty folders that deleted branches leave, and returns
// a reference found there, or "".
func (r refs) removeEmpty(dir string) string {
	entries, err := fs.ReadDir(r.root.FS(), dir)
	if err != nil {
		return ""
	}
	found := ""
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			name = r.removeEmpty(name)
		}
		if found == "" {
			found = name
		}
	}
	if found == "" {
		r.root.Remove(dir)
	}
	return found
}

// remove deletes a reference that is at old. If it is elsewhere, moved says
// where; if it is gone, at is "" and moved false.
func (r refs) remove(ctx context.Context, held *disk.Folder, name, old string) (at string, moved bool, err error) {
	if at, err := r.read(name); err != nil || at == "" {
		return "", false, err
	}
	if err := r.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return "", false, err
	}
	// Nothing is packed until the loose one is gone too: otherwise an older value
	// would come back.
	locks, err := r.lock(ctx, held, name, packedRefs)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, locks.release()) }()
	at, err = r.read(name)
	if err != nil || at == "" || at != old {
		return at, at != "", err
	}
	packed, err := r.packed()
	if err != nil {
		return "", false, err
	}
	if packed.find(name) != "" { // it goes first, for the same reason
		if _, err := held.Write(packedRefs, packed.without(name)); err != nil {
			return "", false, err
		}
	}
	return "", false, held.Remove(name)
}

// refLocks are NAME.lock files that this process made.
type refLocks struct {
	held  *disk.Folder
	names []string // of the locks
}

// lock makes NAME.lock for each name, waiting a little for another who has one.
func (r refs) lock(ctx context.Context, held *disk.Folder, names ...string) (*refLocks, error) {
	locks := &refLocks{held: held}
	if held.Sole() {
		if _, err := held.Write(lockList, []byte(lockMark+strings.Join(names, "\n")+"\n")); err != nil {
			return nil, err
		}
		locks.names = []string{lockList}
	}
	for _, name := range names {
		if err := r.lockOne(ctx, held, name+".lock"); err != nil {
			return nil, errors.Join(err, locks.release())
		}
		// The list goes last, when nothing needs it any more.
		locks.names = append([]string{name + ".lock"}, locks.names...)
	}
	return locks, nil
}

func (r refs) lockOne(ctx context.Context, held *disk.Folder, lock string) error {
	for range lockTries {
		err := r.makeLock(held, lock)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
	return fmt.Errorf("%s exists: somebody is changing %s, or git was stopped before it could remove that file; if no git runs there, remove it",
		path.Join(r.root.Name(), lock), strings.TrimSuffix(lock, ".lock"))
}

// makeLock makes a lock unless it is there. Where nobody can tell whose a lock is,
// because the system cannot lock folders or the disk has no hard links, it is an
// empty file as Git's is.
func (r refs) makeLock(held *disk.Folder, lock string) error {
	if held.Sole() {
		err := r.root.Link(lockList, lock)
		if errors.Is(err, fs.ErrExist) && r.marked(lock) { // the list that named it was lost
			err = errors.Join(held.Remove(lock), r.root.Link(lockList, lock))
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	f, err := r.root.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// marked reports whether a lock says that it is one of these. Git's hold a sha or
// nothing yet.
func (r refs) marked(lock string) bool {
	data, err := readFile(r.root, lock, maxLockList)
	return err == nil && bytes.HasPrefix(data, []byte(lockMark))
}

// release ends the locks, what is locked being as it should.
func (l *refLocks) release() error {
	var errs []error
	for _, name := range l.names {
		errs = append(errs, l.held.Remove(name))
	}
	return errors.Join(errs...)
}

// recover ends the locks of a run that was killed. A lock that does not say that
// it is one of these is Git's, and stays.
func (r refs) recover(held *disk.Folder) error {
	if !held.Sole() {
		return nil
	}
	if err := held.Settle(lockList); err != nil {
		return err
	}
	list, err := readFile(r.root, lockList, maxLockList)
	if missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path.Join(r.root.Name(), lockList), err)
	}
	names, ours := strings.CutPrefix(string(list), lockMark)
	if !ours {
		return fmt.Errorf("%s is not what this program writes there; move it away", path.Join(r.root.Name(), lockList))
	}
	for name := range strings.Lines(names) {
		name = strings.TrimSuffix(name, "\n")
		if name != packedRefs && !(strings.HasPrefix(name, "refs/") && plumbing.ReferenceName(name).Validate() == nil) {
			continue // nothing that was locked
		}
		if err := held.Settle(name); err != nil {
			return err
		}
		if r.marked(name + ".lock") {
			if err := held.Remove(name + ".lock"); err != nil {
				return err
			}
		}
	}
	return held.Remove(lockList)
}

// branchRef is the full name of a branch.
func branchRef(branch string) string { return plumbing.NewBranchReferenceName(branch).String() }
