// Package action_test runs the scripts of the Action and the workflows of the
// template as GitHub would: with a shell, with act, against a fake GitHub, and with the
// real programs, packed as a release is.
package action_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const version = "v9.9.9"

// programs builds dpg and dpgbot once, for all tests; it returns their folder.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dpg-programs")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir+string(filepath.Separator), "./cmd/dpg", "./cmd/dpgbot")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := programs(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func built(t *testing.T) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// pack makes an archive of files by their names, as a release has.
func pack(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func hexSum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func archiveName(v string) string {
	return fmt.Sprintf("dpg-registry_%s_%s_%s.tar.gz", v, runtime.GOOS, runtime.GOARCH)
}

// serve answers with files by their paths, as the place of releases does.
func serve(t *testing.T, files map[string][]byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// release packs the real programs as release v9.9.9, and returns the files of it.
func release(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"dpg", "dpgbot"} {
		data, err := os.ReadFile(filepath.Join(built(t), name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	archive := pack(t, files)
	return map[string][]byte{
		"/" + version + "/" + archiveName(version): archive,
		"/" + version + "/SHA256SUMS":              []byte(hexSum(archive) + "  " + archiveName(version) + "\n"),
	}
}

// needs skips a test where a program is missing.
func needs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

// A result is what a script printed and what it handed on.
type result struct {
	code            int
	log             string
	output, summary string
	bin             string
}

// script runs get.sh or run.sh with inputs, in a folder.
func script(t *testing.T, name, dir string, env ...string) result {
	t.Helper()
	needs(t, "bash", "curl", "tar")
	temp := t.TempDir()
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	output, summary := filepath.Join(temp, "output"), filepath.Join(temp, "summary")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(here, "internal", "action", name))
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + temp, "RUNNER_TEMP=" + temp, "GITHUB_ACTION_PATH=" + here,
		"GITHUB_OUTPUT=" + output, "GITHUB_STEP_SUMMARY=" + summary, "GITHUB_REPOSITORY=octo/registry",
		"GITHUB_EVENT_NAME=workflow_dispatch", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
	}, env...)
	log, _ := cmd.CombinedOutput() // how it ended is in the exit code
	r := result{log: string(log), code: cmd.ProcessState.ExitCode(), bin: filepath.Join(temp, "dpg-registry")}
	if ctx.Err() != nil {
		t.Fatalf("%s hangs: %s", name, log)
	}
	for file, into := range map[string]*string{output: &r.output, summary: &r.summary} {
		data, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		*into = string(data)
	}
	return r
}

func TestGet(t *testing.T) {
	archive := pack(t, map[string][]byte{"dpg": []byte("#!/bin/sh\necho fine\n"), "dpgbot": []byte("#!/bin/sh\n"), "../../evil": []byte("x")})
	other := pack(t, map[string][]byte{"dpg": []byte("#!/bin/sh\necho evil\n"), "dpgbot": []byte("#!/bin/sh\n")})
	at := func(name string) string { return "/" + version + "/" + name }
	list := []byte(hexSum(archive) + "  " + archiveName(version) + "\n")
	whole := map[string][]byte{at(archiveName(version)): archive, at("SHA256SUMS"): list}
	for _, tt := range []struct {
		name   string
		files  map[string][]byte
		env    []string
		code   int
		source bool
		want   string // in the log
	}{
		{"the release", whole, nil, 0, false, "SHA-256 " + hexSum(archive)},
		{"the release that the caller pins", whole, []string{"INPUT_SHA256=" + hexSum(archive)}, 0, false, "SHA-256"},
		{"another than the caller pins", map[string][]byte{at(archiveName(version)): other, at("SHA256SUMS"): []byte(hexSum(other) + "  " + archiveName(version) + "\n")},
			[]string{"INPUT_SHA256=" + hexSum(archive)}, 1, false, "not the one that is expected"},
		{"one that the list does not have", map[string][]byte{at(archiveName(version)): other, at("SHA256SUMS"): list}, nil, 1, false, "not the one that is expected"},
		{"cut short", map[string][]byte{at(archiveName(version)): archive[:20], at("SHA256SUMS"): list}, nil, 1, false, "not the one that is expected"},
		{"a list without it", map[string][]byte{at(archiveName(version)): archive, at("SHA256SUMS"): []byte(hexSum(archive) + "  other.tar.gz\n")}, nil, 1, false, "does not list"},
		{"no list", map[string][]byte{at(archiveName(version)): archive}, nil, 1, false, "no SHA256SUMS"},
		{"no release", nil, nil, 0, true, "building from source: release v9.9.9 cannot be fetched"},
		{"source is wanted", whole, []string{"INPUT_VERSION=source"}, 0, true, "building from source"},
		{"a commit between releases", whole, []string{"INPUT_VERSION=v9.9.9-dev"}, 0, true, "building from source"},
		{"a version of another sort", whole, []string{"INPUT_VERSION=latest"}, 1, false, "not a release"},
		{"a version with a path", whole, []string{"INPUT_VERSION=v1/../../x"}, 1, false, "characters"},
		{"a version with a command", whole, []string{"INPUT_VERSION=v1$(touch evil)`touch evil`"}, 1, false, "characters"},
		{"a version with a second output", whole, []string{"INPUT_VERSION=v1\nbin=/evil"}, 1, false, "characters"},
		{"a machine of another sort", whole, []string{"RUNNER_ARCH=S390X"}, 0, true, "no release is made for this processor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			env := []string{"DPG_RELEASES=" + serve(t, tt.files), "DPG_VERSION=" + version}
			r := script(t, "get.sh", dir, append(env, tt.env...)...)
			if r.code != tt.code || !strings.Contains(r.log, tt.want) {
				t.Errorf("exit code %d, want %d with %q in:\n%s", r.code, tt.code, tt.want, r.log)
			}
			if got := strings.Contains(r.output, "source=true\n"); got != tt.source {
				t.Errorf("the outputs are %q; want source=true in them: %v", r.output, tt.source)
			}
			if strings.Count(r.output, "bin=") != 1 {
				t.Errorf("the outputs are %q; want bin once", r.output)
			}
			data, err := os.ReadFile(filepath.Join(r.bin, "dpg"))
			if got := err == nil; got != (tt.code == 0 && !tt.source) {
				t.Errorf("there is a program: %v", got)
			}
			if bytes.Contains(data, []byte("evil")) {
				t.Error("the wrong program is there")
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(r.bin)), "evil")); err == nil {
				t.Error("the archive wrote outside its folder")
			}
			if found, _ := os.ReadDir(dir); len(found) > 0 {
				t.Errorf("the folder of the repository holds %v", found)
			}
		})
	}
}

const entryText = `schema: dpg/v1
id: maps
name: Maps
description: Maps of roads and rivers that anybody may use.
types: [software]
licenses:
  - {expression: MIT, url: https://example.org/LICENSE}
repositories: [{url: https://git.example.org/maps/maps}]
sdgs:
  - {goal: 9, text: Roads are planned with it., evidence: [https://example.org/impact]}
status: {stage: nominee, as_of: 2026-01-15}
`

// newRegistry makes a registry of its own with dpg init, with one entry.
func newRegistry(t *testing.T, more ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "registry")
	cmd := exec.Command(filepath.Join(built(t), "dpg"), append([]string{"init", dir, "--name", "Maps"}, more...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dpg init: %v: %s", err, out)
	}
	write(t, filepath.Join(dir, "registry", "dpgs", "maps.yaml"), entryText)
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		entry  string
		env    []string
		code   int
		log    string
		output string
	}{
		{"a good registry", entryText, []string{"INPUT_COMMAND=validate"}, 0, "0 errors", "findings=0\n"},
		{"a mistake", strings.Replace(entryText, "MIT", "Apache 2", 1), []string{"INPUT_COMMAND=validate"}, 1,
			"::error file=registry/dpgs/maps.yaml,line=7", "findings=1\n"},
		{"a warning", strings.Replace(entryText, "Maps of", "Maps  of", 1) + "waivers: []\naliases: [' M']\n", []string{"INPUT_COMMAND=validate", "INPUT_STRICT=true"}, 1, "::warning", "findings=1\n"},
		{"another report", entryText, []string{"INPUT_COMMAND=validate", "INPUT_FORMAT=sarif", "INPUT_OUT=x.sarif"}, 0, "", "report=x.sarif\n"},
		{"a catalog", entryText, []string{"INPUT_COMMAND=build", "INPUT_OUT=public"}, 0, "built public", "catalog=public\n"},
		{"a catalog nowhere", entryText, []string{"INPUT_COMMAND=build"}, 2, "needs the input out", ""},
		{"assessments", entryText, []string{"INPUT_COMMAND=assess", "INPUT_ARGS=--dry-run"}, 0, "maps", ""},
		{"arguments line by line", entryText, []string{"INPUT_COMMAND=validate", "INPUT_ARGS=--as-of\n2026-02-03\n"}, 0, "as of 2026-02-03", ""},
		{"arguments that are no script", entryText, []string{"INPUT_COMMAND=validate", "INPUT_ARGS=$(touch evil)"}, 2, "$(touch evil)", ""},
		{"a folder that is no script", entryText, []string{"INPUT_COMMAND=validate", "INPUT_REGISTRY=`touch evil`; touch evil"}, 2, "no registry folder", ""},
		{"a second output", entryText, []string{"INPUT_COMMAND=build", "INPUT_OUT=public\nreport=/evil"}, 2, "line break", ""},
		{"no such command", entryText, []string{"INPUT_COMMAND=$(touch evil)"}, 2, "command is one of", ""},
		{"review without a pull request", entryText, []string{"INPUT_COMMAND=review", "GITHUB_EVENT_PATH=/dev/null", "INPUT_TOKEN=ghs_secret"}, 3, "not what GitHub sends", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := newRegistry(t)
			write(t, filepath.Join(dir, "registry", "dpgs", "maps.yaml"), tt.entry)
			r := script(t, "run.sh", dir, append([]string{"DPG_BIN=" + built(t), "INPUT_TOKEN=ghs_veryverysecret"}, tt.env...)...)
			if r.code != tt.code || !strings.Contains(r.log, tt.log) || !strings.Contains(r.output, tt.output) {
				t.Errorf("exit code %d, want %d with %q in the log and %q in the outputs:\n%s\noutputs: %s", r.code, tt.code, tt.log, tt.output, r.log, r.output)
			}
			if strings.Contains(r.log+r.output+r.summary, "secret") {
				t.Error("the token is in what was printed")
			}
			if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
				t.Error("an input was run")
			}
			if strings.Contains(r.output, "evil") {
				t.Errorf("an input made an output: %q", r.output)
			}
		})
	}
}

// The programs that read files and ask models have no token of the forge.
func TestRunHidesTheToken(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"dpg", "dpgbot"} {
		write(t, filepath.Join(dir, name), "#!/bin/sh\nenv\n")
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		command string
		sees    bool
	}{
		{"validate", false}, {"build", false}, {"assess", false},
		{"review", true}, {"respond", true}, {"sync", true}, {"observe", true}, {"publish", true},
	} {
		r := script(t, "run.sh", dir, "DPG_BIN="+dir, "INPUT_COMMAND="+tt.command, "INPUT_TOKEN=ghs_mark", "GITHUB_TOKEN=ghs_mark", "GH_TOKEN=ghs_mark",
			"INPUT_OUT=x", "INPUT_BASE_URL=branch:gh-pages", "GITHUB_EVENT_PATH=/dev/null")
		if r.code != 0 {
			t.Errorf("%s: exit code %d: %s", tt.command, r.code, r.log)
		}
		if got := strings.Contains(r.log+r.summary, "ghs_mark"); got != tt.sees {
			t.Errorf("%s sees the token: %v, want %v", tt.command, got, tt.sees)
		}
	}
}
