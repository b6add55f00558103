package forge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Each case is what a killed run, or somebody else, left in repo.git; then a branch
// is committed to, and the files that are left are counted.
func TestLeftLocks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders are not locked on Windows, so nobody can tell whose a lock is")
	}
	const sha = "1111111111111111111111111111111111111111\n"
	fix, other := "refs/heads/fix", "refs/heads/other"
	list := func(names ...string) string { return lockMark + strings.Join(names, "\n") + "\n" }
	for name, tt := range map[string]struct {
		left map[string]string // by path in repo.git
		want []string          // files that stay
		err  string            // "" if the commit works
	}{
		"nothing":                        {},
		"list half written":              {left: map[string]string{".dpg-aside-" + lockList: "dpg"}},
		"list only":                      {left: map[string]string{lockList: list(fix)}},
		"list and lock":                  {left: map[string]string{lockList: list(fix), fix + ".lock": list(fix)}},
		"another branch's":               {left: map[string]string{lockList: list(other), other + ".lock": list(other)}},
		"two locks":                      {left: map[string]string{lockList: list(fix, packedRefs), fix + ".lock": list(fix, packedRefs), packedRefs + ".lock": list(fix, packedRefs)}},
		"value half written":             {left: map[string]string{lockList: list(fix), fix + ".lock": list(fix), "refs/heads/.dpg-aside-fix": sha[:7]}},
		"lock whose list is lost":        {left: map[string]string{fix + ".lock": list(fix)}},
		"git's lock, on the list":        {left: map[string]string{lockList: list(fix), fix + ".lock": ""}, want: []string{fix + ".lock"}, err: "fix.lock exists"},
		"git's lock with a value":        {left: map[string]string{fix + ".lock": sha}, want: []string{fix + ".lock"}, err: "fix.lock exists"},
		"git's lock on another branch":   {left: map[string]string{lockList: list(other), other + ".lock": sha}, want: []string{other + ".lock"}},
		"list that names what is no ref": {left: map[string]string{lockList: list("../checks/x", "config", "/etc/passwd", "refs/../config"), "config.lock": list(fix)}, want: []string{"config.lock"}},
		"list of somebody else":          {left: map[string]string{lockList: "milk\n"}, want: []string{lockList}, err: "move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			at := d.topic(t, "fix")
			for name, data := range tt.left {
				if err := os.WriteFile(filepath.Join(d.bare, filepath.FromSlash(name)), []byte(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err := d.Commit(t.Context(), NewCommit{Branch: "fix", Parent: at, ExpectedHead: at, When: day, Message: "m", Files: map[string][]byte{"f": []byte("x")}})
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("Commit: %v, want %q", err, tt.err)
			}
			var stay []string
			for _, pattern := range []string{"*.lock", "refs/heads/*.lock", "dpg-*", ".dpg-*", "refs/heads/.dpg-*"} {
				names, err := filepath.Glob(filepath.Join(d.bare, filepath.FromSlash(pattern)))
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range names {
					rel, err := filepath.Rel(d.bare, n)
					if err != nil {
						t.Fatal(err)
					}
					stay = append(stay, filepath.ToSlash(rel))
				}
			}
			if !slices.Equal(stay, tt.want) {
				t.Errorf("left are %q, want %q", stay, tt.want)
			}
		})
	}
}

// A branch that a killed run locked can be pushed to once the forge was opened.
func TestOpeningEndsLocks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders are not locked on Windows, so nobody can tell whose a lock is")
	}
	d := newDesk(t)
	d.topic(t, "fix")
	list := []byte(lockMark + "refs/heads/fix\n")
	if err := errors.Join(os.WriteFile(filepath.Join(d.bare, lockList), list, 0o644),
		os.WriteFile(filepath.Join(d.bare, "refs", "heads", "fix.lock"), list, 0o644)); err != nil {
		t.Fatal(err)
	}
	push := func() error {
		cmd := exec.CommandContext(t.Context(), "git", "push", "-q", "-f", "origin", "origin/main:fix")
		cmd.Dir = d.clone
		return cmd.Run()
	}
	if push() == nil {
		t.Fatal("git pushes under a lock")
	}
	again, err := OpenLocal(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := push(); err != nil {
		t.Errorf("git push after opening: %v", err)
	}
}

// Two processes and git push change one branch at once: each change that was said
// to be made is in its history.
func TestPushesAtOnce(t *testing.T) {
	d := newDesk(t)
	start := d.topic(t, "race")
	other, err := OpenLocal(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const each = 8
	var mu sync.Mutex
	var made []string
	add := func(sha string) {
		mu.Lock()
		defer mu.Unlock()
		made = append(made, sha)
	}
	var wg sync.WaitGroup
	for i, l := range []*Local{d.Local, other} {
		wg.Go(func() {
			for n := 0; n < each; {
				at, _, err := l.Head(t.Context(), "race")
				if err != nil {
					t.Error(err)
					return
				}
				sha, err := l.Commit(t.Context(), NewCommit{Branch: "race", Parent: at, ExpectedHead: at, When: day,
					Message: "m", Files: map[string][]byte{fmt.Sprintf("%d-%d", i, n): []byte("x")}})
				var moved *MovedError
				switch {
				case errors.As(err, &moved):
				case err != nil:
					t.Error(err)
					return
				default:
					add(sha)
					n++
				}
			}
		})
	}
	clone := filepath.Join(t.TempDir(), "clone")
	gitIn(t, d.dir, "", "clone", "-q", "-b", "race", d.bare, clone)
	for n := range each {
		for try := 1; ; try++ {
			gitIn(t, clone, "", "fetch", "-q")
			gitIn(t, clone, "", "reset", "-q", "--hard", "origin/race")
			gitIn(t, clone, "", "commit", "-q", "--allow-empty", "-m", fmt.Sprint(n))
			cmd := exec.CommandContext(t.Context(), "git", "push", "-q", "origin", "race")
			cmd.Dir = clone
			if cmd.Run() == nil {
				add(gitIn(t, clone, "", "rev-parse", "HEAD"))
				break
			}
			if try == 200 {
				t.Fatal("git never got its turn")
			}
			time.Sleep(time.Millisecond)
		}
	}
	wg.Wait()
	history := strings.Fields(gitIn(t, d.bare, "", "rev-list", start+"..race"))
	slices.Sort(history)
	slices.Sort(made)
	if len(made) != 3*each || !slices.Equal(history, made) {
		t.Errorf("%d changes were made and %d are in the history", len(made), len(history))
	}
	d.fsck(t)
}
