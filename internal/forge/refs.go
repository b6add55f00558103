package forge

import (
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
)

// refs are the references of a bare repository on disk. go-git locks them in a
// way of its own, which a git push does not see; these follow Git's protocol: who
// makes NAME.lock may change NAME, and does so by renaming.
type refs struct{ root *os.Root }

const packedRefs = "packed-refs"

// What waits for a lock waits this long, about a second in all.
const (
	lockTries = 50
	lockPause = 20 * time.Millisecond
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
	if err := checkSHA(sha); err != nil {
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
	if checkSHA(sha) != nil {
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
func (r refs) move(ctx context.Context, name string, old *string, sha string) (at string, moved bool, err error) {
	if err := r.clearWay(name); err != nil {
		return "", false, err
	}
	lock, err := r.lock(ctx, name)
	if err != nil {
		return "", false, err
	}
	defer lock.release()
	at, err = r.read(name)
	if err != nil || at == sha && old == nil {
		return at, false, err
	}
	if old != nil && at != *old {
		return at, true, nil
	}
	return sha, false, lock.replace([]byte(sha + "\n"))
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
func (r refs) remove(ctx context.Context, name, old string) (at string, moved bool, err error) {
	if at, err := r.read(name); err != nil || at == "" {
		return "", false, err
	}
	if err := r.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return "", false, err
	}
	lock, err := r.lock(ctx, name)
	if err != nil {
		return "", false, err
	}
	defer lock.release()
	at, err = r.read(name)
	if err != nil || at == "" || at != old {
		return at, at != "", err
	}
	// The packed one goes first, and nothing is packed until the loose one is gone
	// too: otherwise an older value would come back.
	packedLock, err := r.lock(ctx, packedRefs)
	if err != nil {
		return "", false, err
	}
	defer packedLock.release()
	packed, err := r.packed()
	if err != nil {
		return "", false, err
	}
	if packed.find(name) != "" {
		// Not through the lock file: it must outlast the loose one.
		if err := r.root.WriteFile(packedRefs+".new", packed.without(name), 0o644); err != nil {
			return "", false, err
		}
		if err := r.root.Rename(packedRefs+".new", packedRefs); err != nil {
			return "", false, err
		}
	}
	if err := r.root.Remove(name); err != nil && !missing(err) {
		return "", false, err
	}
	return "", false, nil
}

// A refLock is a NAME.lock that this process made.
type refLock struct {
	root *os.Root
	name string // the file it locks
	file *os.File
}

// lock makes name.lock, waiting a little for another who has it.
func (r refs) lock(ctx context.Context, name string) (*refLock, error) {
	for range lockTries {
		f, err := r.root.OpenFile(name+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			return &refLock{r.root, name, f}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
	lock := path.Join(r.root.Name(), name+".lock")
	return nil, fmt.Errorf("%s exists: somebody is changing %s, or a crash left it; if so, remove it", lock, name)
}

// replace makes data the content of the locked file, which ends the lock.
func (l *refLock) replace(data []byte) error {
	_, err := l.file.Write(data)
	if err := errors.Join(err, l.file.Sync(), l.file.Close()); err != nil {
		return err
	}
	l.file = nil
	if err := l.root.Rename(l.name+".lock", l.name); err != nil {
		l.root.Remove(l.name + ".lock")
		return err
	}
	return nil
}

// release ends the lock and leaves the file as it is; after replace it does nothing.
func (l *refLock) release() {
	if l.file == nil { // a lock that is there now is somebody else's
		return
	}
	l.file.Close()
	l.root.Remove(l.name + ".lock")
}

// branchRef is the full name of a branch.
func branchRef(branch string) string { return plumbing.NewBranchReferenceName(branch).String() }
