package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// WriteCommit adds the blobs, trees and commit of n to s and moves no branch. It
// reads and writes only the folders that lead to changed files. The same n gives
// the same sha.
func WriteCommit(ctx context.Context, s storer.EncodedObjectStorer, n NewCommit) (plumbing.Hash, error) {
	root, err := plan(n.Files)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	message, err := n.FullMessage()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	c := object.Commit{Message: message}
	c.Author, err = n.signature()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	c.Committer = c.Author
	var base plumbing.Hash
	if n.Parent != "" {
		parent, err := object.GetCommit(s, plumbing.NewHash(n.Parent))
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("parent %s: %w", n.Parent, err)
		}
		c.ParentHashes = []plumbing.Hash{parent.Hash}
		base = parent.TreeHash
	}
	w := treeWriter{ctx: ctx, s: s}
	tree, err := w.tree(base, root, "")
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if tree.IsZero() { // only the root may be empty
		if tree, err = w.store(&object.Tree{}); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	if tree == base || n.Parent == "" && len(n.Files) == 0 {
		return plumbing.ZeroHash, ErrNoChange
	}
	c.TreeHash = tree
	return w.store(&c)
}

func (n NewCommit) signature() (object.Signature, error) {
	author := n.Author
	if author == (Signature{}) {
		author = Signature{BotName, BotEmail}
	}
	if err := author.Check(); err != nil {
		return object.Signature{}, err
	}
	// Git's own tools refuse dates before 1970.
	if n.When.Unix() <= 0 {
		return object.Signature{}, fmt.Errorf("commit date %s is not after 1970", n.When.Format(time.RFC3339))
	}
	return object.Signature{Name: author.Name, Email: author.Email, When: n.When.UTC().Truncate(time.Second)}, nil
}

// Check refuses what would end the line or the address in a commit.
func (s Signature) Check() error {
	bad := func(text string) bool {
		return strings.TrimSpace(text) != text || text == "" || !utf8.ValidString(text) ||
			strings.ContainsFunc(text, func(r rune) bool { return r == '<' || r == '>' || unicode.IsControl(r) })
	}
	if bad(s.Name) || bad(s.Email) || strings.ContainsRune(s.Email, ' ') {
		return fmt.Errorf("%q <%q> cannot sign a commit: name and address are one line without angle brackets", s.Name, s.Email)
	}
	return nil
}

var trailer = regexp.MustCompile(`^[A-Za-z0-9-]+: \S`)

// FullMessage is the commit's message with its trailers, which Git looks for in the
// last paragraph only.
func (n NewCommit) FullMessage() (string, error) {
	text := strings.TrimSpace(n.Message)
	if text == "" || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", fmt.Errorf("%q cannot be a commit message: it is text of at least one line", n.Message)
	}
	author := n.Author
	if author == (Signature{}) {
		author = Signature{BotName, BotEmail}
	}
	var lines []string
	for _, s := range n.CoAuthors {
		if err := s.Check(); err != nil {
			return "", err
		}
		line := fmt.Sprintf("Co-authored-by: %s <%s>", s.Name, s.Email)
		if s != author && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return text + "\n", nil
	}
	gap := "\n\n"
	if i := strings.LastIndex(text, "\n\n"); i >= 0 {
		last := strings.Split(text[i+2:], "\n")
		if !slices.ContainsFunc(last, func(l string) bool { return !trailer.MatchString(l) }) {
			gap = "\n"
		}
	}
	return text + gap + strings.Join(lines, "\n") + "\n", nil
}

// A change is what a commit does at one name: to the file there, or below it, or
// both, when a file gives way to a folder.
type change struct {
	file  bool   // the name itself is written or deleted
	data  []byte // nil deletes
	below map[string]*change
}

// writes reports whether anything below is written rather than deleted.
func (c *change) writes() bool {
	for _, sub := range c.below {
		if sub.file && sub.data != nil || sub.writes() {
			return true
		}
	}
	return false
}

// plan arranges changed files by folder.
func plan(files map[string][]byte) (*change, error) {
	root := &change{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := checkPath(name); err != nil {
			return nil, err
		}
		c := root
		for part := range strings.SplitSeq(name, "/") {
			if c.below == nil {
				c.below = map[string]*change{}
			}
			if c.below[part] == nil {
				c.below[part] = &change{}
			}
			c = c.below[part]
		}
		c.file, c.data = true, files[name]
	}
	return root, nil
}

const (
	maxPath = 1024 // bytes; keeps a hostile path from nesting without end
	maxPart = 255  // bytes in a file name, on every common file system
)

// checkPath refuses paths that are not clean, that lead out of the tree or into
// Git's own folder on any system, or that not every system can check out.
func checkPath(name string) error {
	switch {
	case name == "" || len(name) > maxPath || !utf8.ValidString(name):
		return fmt.Errorf("%q cannot be a path: 1 to %d bytes of UTF-8 can", name, maxPath)
	case strings.ContainsAny(name, `\:`) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf(`path %q has a backslash, a colon or a control character; separate folders by "/"`, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return fmt.Errorf("path %q is not a clean path from the top of the repository", name)
		case len(part) > maxPart:
			return fmt.Errorf("path %q has a part of %d bytes; at most %d fit", name, len(part), maxPart)
		case gitsOwn(part):
			return fmt.Errorf("path %q has the part %q, which belongs to Git", name, part)
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return fmt.Errorf("path %q has a part that ends in a dot or a space, which Windows drops", name)
		}
	}
	return nil
}

// gitsOwn reports names that some system takes for .git or .gitmodules: macOS
// ignores case and invisible characters, Windows has short names (git~1) and
// ignores dots and spaces at the end.
func gitsOwn(part string) bool {
	folded := strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, part))
	folded = strings.TrimRight(folded, ". ")
	short := strings.HasPrefix(folded, "git~") || strings.HasPrefix(folded, "gitmod~") || strings.HasPrefix(folded, "gi7eba~")
	return short || folded == ".git" || folded == ".gitmodules"
}

// emptyTree is the tree that Git knows without storing it.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

type treeWriter struct {
	ctx context.Context
	s   storer.EncodedObjectStorer
}

// tree writes the tree base, changed by c, and returns its hash: zero if it has
// become empty. dir is its path, for messages. A zero base is an empty tree.
func (w treeWriter) tree(base plumbing.Hash, c *change, dir string) (plumbing.Hash, error) {
	if err := w.ctx.Err(); err != nil {
		return plumbing.ZeroHash, err
	}
	entries := map[string]object.TreeEntry{}
	if !base.IsZero() && base != plumbing.NewHash(emptyTree) {
		old, err := object.GetTree(w.s, base)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("folder %q: tree %s: %w", dir, base, err)
		}
		for _, e := range old.Entries {
			if _, twice := entries[e.Name]; twice {
				return plumbing.ZeroHash, fmt.Errorf("folder %q: tree %s has two entries named %q", dir, base, e.Name)
			}
			entries[e.Name] = e
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.below)) {
		old := entries[name] // the zero entry has a zero hash
		now, err := w.entry(old, name, c.below[name], strings.TrimPrefix(dir+"/"+name, "/"))
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if now.Hash.IsZero() {
			delete(entries, name)
		} else {
			entries[name] = now
		}
	}
	if len(entries) == 0 {
		return plumbing.ZeroHash, nil
	}
	t := object.Tree{Entries: slices.SortedFunc(maps.Values(entries), compareEntries)}
	return w.store(&t)
}

// compareEntries is Git's order: a folder sorts as if its name ended in a slash.
func compareEntries(a, b object.TreeEntry) int {
	key := func(e object.TreeEntry) string {
		if e.Mode == filemode.Dir {
			return e.Name + "/"
		}
		return e.Name
	}
	return cmp.Compare(key(a), key(b))
}

// entry returns what stands at a name after the change c, or an entry with a zero
// hash for nothing.
func (w treeWriter) entry(old object.TreeEntry, name string, c *change, full string) (object.TreeEntry, error) {
	var nothing object.TreeEntry
	isFolder := !old.Hash.IsZero() && old.Mode == filemode.Dir
	if c.file && c.data == nil {
		if isFolder {
			return nothing, fmt.Errorf("%q is a folder; delete the files in it", full)
		}
		old = nothing // it gives way to what is written below, if anything
	}
	now := old
	if len(c.below) > 0 && (isFolder || c.writes()) {
		var base plumbing.Hash
		switch {
		case isFolder:
			base = old.Hash
		case !old.Hash.IsZero():
			return nothing, fmt.Errorf("%q is not a folder; nothing can be written below it", full)
		}
		hash, err := w.tree(base, c, full)
		if err != nil {
			return nothing, err
		}
		now = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}
	}
	if !c.file || c.data == nil {
		return now, nil
	}
	if !now.Hash.IsZero() && now.Mode == filemode.Dir {
		return nothing, fmt.Errorf("%q is a folder; no file can be written there", full)
	}
	hash, err := w.blob(c.data)
	if err != nil {
		return nothing, err
	}
	// A symbolic link becomes a plain file: text must not turn into a link's target.
	mode := filemode.Regular
	if old.Mode == filemode.Executable {
		mode = filemode.Executable
	}
	return object.TreeEntry{Name: name, Mode: mode, Hash: hash}, nil
}

func (w treeWriter) blob(data []byte) (plumbing.Hash, error) {
	o := w.s.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	o.SetSize(int64(len(data)))
	out, err := o.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	_, err = out.Write(data)
	if err := errors.Join(err, out.Close()); err != nil {
		return plumbing.ZeroHash, err
	}
	return w.s.SetEncodedObject(o)
}

func (w treeWriter) store(o interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	out := w.s.NewEncodedObject()
	if err := o.Encode(out); err != nil {
		return plumbing.ZeroHash, err
	}
	return w.s.SetEncodedObject(out)
}
