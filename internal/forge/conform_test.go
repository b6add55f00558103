package forge_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/forge/forgetest"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

func TestLocalConforms(t *testing.T) {
	for _, packed := range []bool{false, true} {
		t.Run(map[bool]string{false: "loose", true: "packed"}[packed], func(t *testing.T) {
			testgit.Need(t)
			dir := filepath.Join(t.TempDir(), "forge")
			l, err := forge.InitLocal(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			git := func(args ...string) string {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), "git", args...)
				cmd.Dir = filepath.Join(dir, "repo.git")
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "LC_ALL=C")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("git %q: %v\n%s", args, err, out)
				}
				return string(out)
			}
			_, err = l.Commit(t.Context(), forge.NewCommit{
				Branch: "main", Message: "start", When: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Author: forge.Signature{Name: "Ada", Email: "ada@example.org"},
				Files: map[string][]byte{"README.md": []byte("hello\n"), "registry/dpgs/one.yaml": []byte("id: one\n")},
			})
			if err != nil {
				t.Fatal(err)
			}
			if packed {
				git("gc", "-q") // objects and references are in packs now
			}
			forgetest.Run(t, l, forgetest.Differs{})
			if out := git("fsck", "--strict", "--no-dangling"); out != "" {
				t.Errorf("git fsck --strict: %s", out)
			}
		})
	}
}
