package dpg

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/realdata"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

var every = flag.Bool("every", false, "build after every step of the replay, not after a few")

// A registry that takes in 200 commits of its predecessor, one after the other, and
// keeps one folder up to date, publishes what a build from nothing makes of it.
func TestReplayedBuild(t *testing.T) {
	dir := realdata.Folder(t, "data/dpga")
	texts := map[string]string{}
	eachObject(t, filepath.Join(dir, "history", "entries.jsonl.gz"), func(v struct{ ID, Text string }) { texts[v.ID] = v.Text })
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	from, out := filepath.Join(root, "from"), filepath.Join(root, "out")
	repo := testgit.Init(t, time.Time{})
	to := filepath.Join(repo.Dir, "registry")
	lay := func(name, id, link string) {
		t.Helper()
		name = filepath.Join(from, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(name)
		var err error
		if link != "" {
			err = os.Symlink(link, name)
		} else {
			err = os.WriteFile(name, []byte(texts[id]), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	eachObject(t, filepath.Join(dir, "replay", "base.json.gz"), func(base struct {
		Tree map[string]placedText
	}) {
		for name, at := range base.Tree {
			lay(name, at.ID, at.Link)
		}
	})
	run := func(args ...string) (string, int) {
		var said, failed bytes.Buffer
		code := program.Main(args, strings.NewReader(""), &said, &failed)
		return said.String() + failed.String(), code
	}
	built, refused := 0, 0
	build := func(step int) {
		t.Helper()
		if text, code := run("import", "dpga", from, "--registry", to, "--as-of", "2021-07-01"); code > 1 {
			refused++
			t.Logf("step %d cannot be imported: %s", step, text)
			return
		}
		repo.Commit(t, nil)
		text, code := run("build", "--registry", to, "--out", out)
		if code != 0 {
			t.Fatalf("step %d: build = %d: %s", step, code, text)
		}
		built++
		t.Logf("step %d: %s", step, strings.TrimSpace(text))
		cat, err := buildCatalog(context.Background(), &cli.IO{Out: io.Discard, Err: io.Discard}, to, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, name := range cat.Names() {
			names[name] = true
			want, err := cat.File(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("step %d: %s is not as a whole build makes it, %v", step, name, err)
			}
		}
		err = filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
			if rel, _ := filepath.Rel(out, name); err == nil && !d.IsDir() && !names[filepath.ToSlash(rel)] {
				t.Errorf("step %d: %s is left", step, rel)
			}
			return err
		})
		if err != nil || t.Failed() {
			t.Fatal(err)
		}
	}
	build(0)
	wanted := map[int]bool{}
	for r := rand.New(rand.NewPCG(1, 2)); len(wanted) < 5; {
		wanted[1+r.IntN(200)] = true
	}
	steps := 0
	eachObject(t, filepath.Join(dir, "replay", "steps.jsonl.gz"), func(s struct {
		Changes []struct{ Op, Path, ID, Link string }
	}) {
		steps++
		for _, c := range s.Changes {
			if c.Op == "D" {
				_ = os.Remove(filepath.Join(from, filepath.FromSlash(c.Path)))
			} else {
				lay(c.Path, c.ID, c.Link)
			}
		}
		if *every || wanted[steps] {
			build(steps)
		}
	})
	if steps != 200 || built < 4 || refused > built {
		t.Errorf("%d steps, %d built, %d refused", steps, built, refused)
	}
}

// placedText is a file of a tree: a text by its id, or a link.
type placedText struct{ ID, Link string }

func (p *placedText) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &p.ID)
	}
	var link struct{ Link string }
	err := json.Unmarshal(data, &link)
	p.Link = link.Link
	return err
}

// eachObject reads each line of JSON of a compressed file.
func eachObject[T any](t *testing.T, name string, visit func(T)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bufio.NewReader(z))
	for {
		var v T
		if err := dec.Decode(&v); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		visit(v)
	}
}
