package action_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// checkout copies this repository, as it is on disk, to a folder, and commits it as
// release v9.9.9.
func checkout(t *testing.T, dir string) {
	t.Helper()
	list, err := exec.Command("git", "-C", "../..", "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("this is no checkout of Git's, of which releases are made: %v", err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if errors.Is(err, os.ErrNotExist) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	write(t, filepath.Join(dir, "internal/action/VERSION"), version+"\n")
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "release"}} {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_DATE=2026-01-15T12:00:00Z", "GIT_COMMITTER_DATE=2026-01-15T12:00:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
}

// makeRelease runs the program that the release workflow runs, in a checkout.
func makeRelease(t *testing.T, dir, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A release of the real sources: the same bytes from another folder, a clean commit in
// the programs, the commit in the template; and the Action installs it, or refuses to.
func TestRelease(t *testing.T) {
	t.Parallel()
	needs(t, "git", "bash", "curl", "tar")
	host := runtime.GOOS + "/" + runtime.GOARCH
	root := t.TempDir()
	one, two := filepath.Join(root, "one"), filepath.Join(root, "elsewhere", "two")
	checkout(t, one)
	checkout(t, two)
	program := filepath.Join(root, "release")
	if out, err := exec.Command("go", "build", "-o", program, "./release").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, dir := range []string{one, two} {
		if out, err := makeRelease(t, dir, program, version, "dist", host); err != nil {
			t.Fatalf("release: %v: %s", err, out)
		}
	}
	files := filesOf(t, filepath.Join(one, "dist"))
	names := slices.Sorted(maps.Keys(files))
	if want := []string{"SHA256SUMS", archiveName(version), "registry-template.zip"}; !slices.Equal(names, want) {
		t.Fatalf("the release has %q, want %q", names, want)
	}
	again := filesOf(t, filepath.Join(two, "dist"))
	for name, data := range files {
		if again[name] != data {
			t.Errorf("%s has other bytes when it is built in another folder", name)
		}
	}
	var inside []string
	z, err := gzip.NewReader(strings.NewReader(files[archiveName(version)]))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		inside = append(inside, fmt.Sprintf("%s %o %s", h.Name, h.Mode, h.ModTime.UTC().Format("2006-01-02")))
	}
	if want := []string{"dpg 755 2026-01-15", "dpgbot 755 2026-01-15", "LICENSE 644 2026-01-15", "NOTICE 644 2026-01-15"}; runtime.GOOS != "windows" && !slices.Equal(inside, want) {
		t.Errorf("the archive has %q, want %q", inside, want)
	}
	head, err := exec.Command("git", "-C", one, "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	commit := strings.TrimSpace(string(head))
	t.Run("template", func(t *testing.T) {
		data := files["registry-template.zip"]
		z, err := zip.NewReader(strings.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := z.Open(".github/workflows/sync.yml")
		if err != nil {
			t.Fatal(err)
		}
		defer text.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(text); err != nil || !strings.Contains(b.String(), "uses: dpg-registry/dpg-registry@"+commit+" # "+version+"\n") {
			t.Errorf("the template does not use the Action at %s: %v\n%s", commit, err, b.String())
		}
	})

	at := func(name string) string { return "/" + version + "/" + name }
	whole := map[string][]byte{}
	for name, data := range files {
		whole[at(name)] = []byte(data)
	}
	without := func(name string) map[string][]byte {
		m := maps.Clone(whole)
		delete(m, at(name))
		return m
	}
	tampered := maps.Clone(whole)
	bad := []byte(files[archiveName(version)])
	bad[len(bad)/2] ^= 1
	tampered[at(archiveName(version))] = bad
	unlisted := maps.Clone(whole)
	unlisted[at("SHA256SUMS")] = []byte(strings.Join(slices.DeleteFunc(strings.SplitAfter(files["SHA256SUMS"], "\n"), func(line string) bool {
		return strings.Contains(line, ".tar.gz")
	}), ""))
	for _, tt := range []struct {
		name   string
		files  map[string][]byte
		code   int
		source bool
		log    string
	}{
		{"as it is", whole, 0, false, "release " + version + ", SHA-256"},
		{"tampered with", tampered, 1, false, "not the one that is expected"},
		{"not in the list", unlisted, 1, false, "does not list"},
		{"no list", without("SHA256SUMS"), 1, false, "no SHA256SUMS"},
		{"not found", without(archiveName(version)), 0, true, "building from source: release " + version + " cannot be fetched"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := script(t, "get.sh", t.TempDir(), "DPG_RELEASES="+serve(t, tt.files), "DPG_VERSION="+version)
			if r.code != tt.code || !strings.Contains(r.log, tt.log) || strings.Contains(r.output, "source=true\n") != tt.source {
				t.Errorf("exit code %d, want %d with %q in:\n%s\noutputs: %s", r.code, tt.code, tt.log, r.log, r.output)
			}
			out, err := exec.Command(filepath.Join(r.bin, "dpg"), "--version").CombinedOutput()
			switch installed := tt.code == 0 && !tt.source; {
			case installed && (err != nil || !strings.Contains(string(out), commit) || strings.Contains(string(out), "with changes")):
				t.Errorf("dpg --version says %q, %v, want commit %s without changes", out, err, commit)
			case !installed && err == nil:
				t.Errorf("there is a program, which says %q", out)
			}
		})
	}

	t.Run("refused", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			args []string
			want string
		}{
			{"another version", []string{"v9.9.8", "dist", host}, `internal/action/VERSION says "v9.9.9"`},
			{"another system", []string{version, "dist", "plan9/amd64"}, `target "plan9/amd64" is not one of linux/amd64`},
		} {
			if out, err := makeRelease(t, two, program, tt.args...); err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("%s: %v, want %q in %s", tt.name, err, tt.want, out)
			}
		}
		write(t, filepath.Join(two, "cmd", "dpg", "new.go"), "package main\n")
		if out, err := makeRelease(t, two, program, version, "dist", host); err == nil || !strings.Contains(out, "not clean") {
			t.Errorf("with a file that is not committed: %v: %s", err, out)
		}
	})
}
