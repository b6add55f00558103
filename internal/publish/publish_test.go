package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

const manifestName = catalog.ManifestName

var day = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// first is a catalog, second one that changes a file, adds two and has two no more.
var (
	first = map[string]string{
		"index.html": "<p>one", "api/v1/index.json": `{"n":1}`, "api/v1/dpgs.json": `["a"]`, "api/v1/dpgs/a.json": `{"id":"a"}`,
		"api/v1/views/type/data.json": "[]", "nominee/a/index.json": "{}", "api/v1/csv/entries.csv": "id\na\n",
	}
	second = map[string]string{
		"index.html": "<p>one", "api/v1/index.json": `{"n":2}`, "api/v1/dpgs.json": `["a"]`, "api/v1/dpgs/a.json": `{"id":"a"}`,
		"api/v1/dpgs/b.json": `{"id":"b"}`, "api/v1/views/type/software.json": "[]", "api/v1/csv/entries.csv": "id\na\n",
	}
)

// catalogOf is a catalog of those files.
func catalogOf(t testing.TB, files map[string]string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Read(treeOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func treeOf(t testing.TB, files map[string]string) fstest.MapFS {
	t.Helper()
	commit := strings.Repeat("ab", 20)
	m := catalog.Manifest{Envelope: catalog.Envelope{SchemaVersion: "1.0"}, Origin: catalog.Origin{SourceCommit: &commit}, Files: []catalog.ManifestFile{}}
	tree := fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[name]))
		m.Files = append(m.Files, catalog.ManifestFile{Path: name, Bytes: len(files[name]), SHA256: hex.EncodeToString(sum[:])})
		tree[name] = &fstest.MapFile{Data: []byte(files[name])}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		t.Fatal(err)
	}
	tree[manifestName] = &fstest.MapFile{Data: b.Bytes()}
	return tree
}

// whole is what a reader finds where a catalog was published.
func wholeOf(t testing.TB, files map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, f := range treeOf(t, files) {
		out[name] = string(f.Data)
	}
	return out
}

// A place is where the tests publish, seen from outside.
type place struct {
	Target
	files func() map[string]string
	put   func(name, data string)
	hides []string // what stands there beside, as a rule
}

func places(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("folder", func(t *testing.T) { test(t, folderPlace(t)) })
	t.Run("branch", func(t *testing.T) { test(t, branchPlace(t, newForge(t))) })
	t.Run("branch at GitHub", func(t *testing.T) { test(t, branchPlace(t, newGitHub(t))) })
	t.Run("bucket", func(t *testing.T) { test(t, newStore(t).place(t, "some/where")) })
}

func folderPlace(t *testing.T) place {
	dir := t.TempDir()
	return place{
		Target: Folder(dir),
		files: func() map[string]string {
			out := map[string]string{}
			err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := os.ReadFile(name)
				rel, _ := filepath.Rel(dir, name)
				out[filepath.ToSlash(rel)] = string(data)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		},
		put: func(name, data string) {
			name = filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(data), 0o644)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// newForge is a local forge whose default branch has a commit.
func newForge(t *testing.T) *forge.Local {
	t.Helper()
	f, err := forge.InitLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Commit(t.Context(), forge.NewCommit{Branch: "main", When: day, Message: "begin", Files: map[string][]byte{"registry/registry.yaml": []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	return f
}

// newGitHub is a forge at the fake GitHub, which stands on real Git.
func newGitHub(t *testing.T) forge.Forge {
	t.Helper()
	s := githubtest.New(t, githubtest.Options{})
	opt := github.Options{
		Owner: "octo", Name: "registry", Tokens: github.StaticToken(s.WorkflowToken()), Push: true,
		API: s.API(), Server: s.URL(), Now: func() time.Time { return day }, Log: t.Logf,
	}
	opt.Login, opt.UserID = github.Workflow()
	f, err := github.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func branchPlace(t *testing.T, f forge.Forge) place {
	b := &Branch{Forge: f, Name: "gh-pages", When: day}
	return place{
		Target: b,
		files:  func() map[string]string { return branchFiles(t, f, b.Name) },
		put: func(name, data string) {
			head, _, err := f.Head(t.Context(), b.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Commit(t.Context(), forge.NewCommit{Branch: b.Name, Parent: head, ExpectedHead: head, When: day, Message: "by hand", Files: map[string][]byte{name: []byte(data)}}); err != nil {
				t.Fatal(err)
			}
		},
		hides: []string{noJekyll},
	}
}

func branchFiles(t *testing.T, f forge.Forge, branch string) map[string]string {
	t.Helper()
	out := map[string]string{}
	head, ok, err := f.Head(t.Context(), branch)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return out
	}
	repo, err := f.Git(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there, err := readTree(repo, head)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range there {
		data, err := readBlob(repo, file.hash)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

// holds compares what is there with a catalog and what stands beside it.
func (p place) holds(t *testing.T, files, beside map[string]string) {
	t.Helper()
	want, got := wholeOf(t, files), p.files()
	maps.Copy(want, beside)
	for _, name := range p.hides {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is there (-want +got):\n%s", diff)
	}
}

func publish(t *testing.T, p Target, files map[string]string) Report {
	t.Helper()
	r, err := p.Publish(t.Context(), catalogOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	r.Commit = ""
	slices.Sort(r.Written)
	return r
}

func TestOnlyWhatChanged(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		beside := map[string]string{"CNAME": "example.org", "api/v1/notes.txt": "by hand"}
		p.put("CNAME", "example.org")
		all := append(slices.Sorted(maps.Keys(first)), manifestName)
		slices.Sort(all)
		if diff := cmp.Diff(Report{Written: all}, publish(t, p, first)); diff != "" {
			t.Errorf("the first time (-want +got):\n%s", diff)
		}
		p.put("api/v1/notes.txt", "by hand")
		p.holds(t, first, beside)
		if diff := cmp.Diff(Report{Unchanged: len(all)}, publish(t, p, first)); diff != "" {
			t.Errorf("again (-want +got):\n%s", diff)
		}
		want := Report{
			Written:   []string{"api/v1/dpgs/b.json", "api/v1/index.json", manifestName, "api/v1/views/type/software.json"},
			Removed:   []string{"api/v1/views/type/data.json", "nominee/a/index.json"},
			Unchanged: 4,
		}
		if diff := cmp.Diff(want, publish(t, p, second)); diff != "" {
			t.Errorf("a change (-want +got):\n%s", diff)
		}
		p.holds(t, second, beside)
		// Somebody damages a file, so that what the manifest says of it is not so.
		p.put("api/v1/dpgs.json", `["x"]`)
		if diff := cmp.Diff(Report{Written: []string{"api/v1/dpgs.json"}, Unchanged: 7}, publish(t, p, second)); diff != "" {
			t.Errorf("a repair (-want +got):\n%s", diff)
		}
		p.holds(t, second, beside)
	})
}

func TestNoIDIsLost(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		publish(t, p, second)
		_, err := p.Publish(t.Context(), catalogOf(t, first))
		var lost *catalog.LostError
		if !errors.As(err, &lost) || !slices.Equal(lost.IDs, []string{"dpgs/b"}) {
			t.Errorf("Publish = %v, want a LostError of dpgs/b", err)
		}
		p.holds(t, second, nil)
	})
}

func TestOthersFilesStay(t *testing.T) {
	tests := []struct{ name, file, data, want string }{
		{"in the way", "api/v1/dpgs.json", "mine", "in the way, not made by an earlier build"},
		{"no place for a catalog", "thesis.tex", "mine", "it holds no catalog, but 1 file not made by a build"},
		{"not a manifest", manifestName, "[]", "is not a manifest of this program"},
		{"a hostile manifest", manifestName, `{"schema_version":"1.0","files":[{"path":"../../etc/passwd"}]}`, `lists "../../etc/passwd"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			places(t, func(t *testing.T, p place) {
				p.put(tt.file, tt.data)
				before := p.files()
				_, err := p.Publish(t.Context(), catalogOf(t, first))
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Publish = %v, want an error with %q", err, tt.want)
				}
				if diff := cmp.Diff(before, p.files()); diff != "" {
					t.Errorf("something was written (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// Whatever two publishers do to each other, what stands in the end is one catalog.
func TestTwoPublishersAtOnce(t *testing.T) {
	other := maps.Clone(second)
	other["api/v1/index.json"] = `{"n":3}`
	other["api/v1/views/type/content.json"] = "[]"
	delete(other, "api/v1/views/type/software.json")
	places(t, func(t *testing.T, p place) {
		publish(t, p, first)
		for range 10 {
			var wg sync.WaitGroup
			for _, files := range []map[string]string{second, other} {
				c := catalogOf(t, files)
				wg.Go(func() {
					var busy *disk.BusyError
					if _, err := p.Publish(t.Context(), c); err != nil && !errors.As(err, &busy) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			got := p.files()
			for _, name := range p.hides {
				delete(got, name)
			}
			if a, b := cmp.Diff(wholeOf(t, second), got), cmp.Diff(wholeOf(t, other), got); a != "" && b != "" {
				t.Fatalf("neither catalog stands; against one (-want +got):\n%s\nagainst the other:\n%s", a, b)
			}
		}
	})
}

// A reader of the folder who finds a file missing finds another manifest as well.
func TestFolderReader(t *testing.T) {
	p := folderPlace(t)
	dir := string(p.Target.(Folder))
	// No id is in one of them alone, so that they may follow each other.
	a, b := maps.Clone(first), maps.Clone(second)
	delete(b, "api/v1/dpgs/b.json")
	publish(t, p, a)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	looked := 0
	wg.Go(func() {
		for ; ctx.Err() == nil; looked++ {
			manifest, err := os.ReadFile(filepath.Join(dir, manifestName))
			if err != nil {
				t.Error(err)
				return
			}
			var m catalog.Manifest
			if err := json.Unmarshal(manifest, &m); err != nil {
				t.Error(err)
				return
			}
			for _, f := range m.Files {
				if _, err := os.Stat(filepath.Join(dir, f.Path)); err != nil {
					if now, again := os.ReadFile(filepath.Join(dir, manifestName)); again != nil || bytes.Equal(now, manifest) {
						t.Errorf("the manifest that stands lists a file that does not: %v", err)
						return
					}
				}
			}
		}
	})
	for range 50 {
		publish(t, p, b)
		publish(t, p, a)
	}
	stop()
	wg.Wait()
	if looked == 0 {
		t.Error("the reader never looked")
	}
}

func TestBranchHistory(t *testing.T) {
	f := newForge(t)
	b := &Branch{Forge: f, Name: "gh-pages", When: day}
	log := func() (n int, author, message string) {
		t.Helper()
		repo, err := f.Git(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head, _, err := f.Head(t.Context(), b.Name)
		if err != nil {
			t.Fatal(err)
		}
		for sha := plumbing.NewHash(head); ; n++ {
			c, err := repo.CommitObject(sha)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				author, message = c.Author.Email, c.Message
			}
			if len(c.ParentHashes) == 0 {
				return n + 1, author, message
			}
			sha = c.ParentHashes[0]
		}
	}
	publish(t, b, first)
	publish(t, b, first)
	n, author, message := log()
	if n != 1 || author != forge.BotEmail || !strings.HasPrefix(message, "publish: the catalog of commit abababababab\n") {
		t.Errorf("after the same twice: %d commits, the last by %s: %q", n, author, message)
	}
	publish(t, b, second)
	if n, _, _ := log(); n != 2 {
		t.Errorf("after a change: %d commits, want 2", n)
	}
	b.Squash = true
	third := maps.Clone(second)
	third["index.html"] = "<p>two"
	publish(t, b, third)
	if n, _, _ := log(); n != 1 {
		t.Errorf("after a squash: %d commits, want 1", n)
	}
	want := wholeOf(t, third)
	want[noJekyll] = ""
	if diff := cmp.Diff(want, branchFiles(t, f, b.Name)); diff != "" {
		t.Errorf("after a squash (-want +got):\n%s", diff)
	}
}

func TestBranchIsNotTheDefaultOne(t *testing.T) {
	f := newForge(t)
	before := branchFiles(t, f, "main")
	_, err := (&Branch{Forge: f, Name: "main", When: day}).Publish(t.Context(), catalogOf(t, first))
	if err == nil || !strings.Contains(err.Error(), "default branch") {
		t.Errorf("Publish = %v, want an error about the default branch", err)
	}
	if diff := cmp.Diff(before, branchFiles(t, f, "main")); diff != "" {
		t.Error(diff)
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		in   string
		want Address
		err  string
	}{
		{"public", Address{Kind: FolderKind, Folder: "public"}, ""},
		{"./branch:x", Address{Kind: FolderKind, Folder: "./branch:x"}, ""},
		{"branch:gh-pages", Address{Kind: BranchKind, Branch: "gh-pages"}, ""},
		{"branch:", Address{}, "cannot name a branch"},
		{"branch:a..b", Address{}, "cannot name a branch"},
		{"s3://catalogs", Address{Kind: BucketKind, Bucket: "catalogs"}, ""},
		{"s3://catalogs/a/b/?endpoint=https://s3.example.org&region=eu-1", Address{Kind: BucketKind, Bucket: "catalogs", Prefix: "a/b", Endpoint: "https://s3.example.org", Region: "eu-1"}, ""},
		{"s3://key:hunter2@catalogs/a", Address{}, "environment only"},
		{"s3://catalogs/a?secret=hunter2", Address{}, "environment only"},
		{"s3://catalogs/a?endpoint=https://key:hunter2@s3.example.org", Address{}, "not a server's address"},
		{"s3://catalogs/a?endpoint=https://s3.example.org/x?hunter2", Address{}, "not a server's address"},
		{"s3://catalogs/../a", Address{}, "not a plain path"},
		{"s3://Catalogs/a", Address{}, "cannot name a bucket"},
		{"s3:catalogs", Address{}, "named as s3://"},
		{"https://example.org/hunter2", Address{}, "nothing can be published there"},
		{" ", Address{}, "blank"},
	}
	for _, tt := range tests {
		got, err := Parse(tt.in)
		switch {
		case tt.err == "" && err != nil, tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("Parse(%q) = %v, want an error with %q", tt.in, err, tt.err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("Parse(%q) repeats a secret: %v", tt.in, err)
		case err == nil:
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.in, diff)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"public", "branch:gh-pages", "s3://b/p?endpoint=http://h:1&region=r", "s3://%zz", "s3://u@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := Parse(in)
		if err != nil {
			return
		}
		if a.Kind == BucketKind {
			if a.Prefix != "" && !fs.ValidPath(a.Prefix) {
				t.Errorf("Parse(%q): prefix %q leads elsewhere", in, a.Prefix)
			}
			if _, err := OpenBucket(a, Secrets{Key: "k", Secret: "s"}, nil); err != nil {
				t.Errorf("Parse(%q) gives an address that cannot be opened: %v", in, err)
			}
		}
	})
}
