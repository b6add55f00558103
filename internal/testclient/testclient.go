// Package testclient holds an OpenAPI document to what others' tools make of it: a
// linter, and a client generator from npm.
package testclient

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed client
var client embed.FS

// Run lints a document, generates a client from it, compiles a program that uses it,
// and gives what the program prints for an address. The program is a file of
// TypeScript that imports ./generated. Where npm is not here the test is skipped.
func Run(t testing.TB, document []byte, program, address string) []byte {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not here, so the OpenAPI document was NOT LINTED and NO CLIENT was generated; apt-get install npm")
	}
	dir := t.TempDir()
	files, err := fs.Sub(client, "client")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(program)
	err = errors.Join(err, os.CopyFS(dir, files), os.WriteFile(filepath.Join(dir, "openapi.json"), document, 0o644),
		os.WriteFile(filepath.Join(dir, "read.ts"), source, 0o644)) // what tsconfig.json compiles
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		said, err := cmd.Output()
		if err != nil {
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				said = append(said, exit.Stderr...)
			}
			t.Fatalf("%s %q: %v\n%s", name, args, err, said)
		}
		return said
	}
	tool := func(name string) string { return filepath.Join(dir, "node_modules", ".bin", name) }
	if err := os.Symlink(filepath.Join(tools(t, npm, files), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run(tool("spectral"), "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "openapi.json")
	run(tool("openapi-typescript"), "openapi.json", "--output", "generated.d.ts")
	run(tool("tsc"), "--project", "tsconfig.json")
	return run("node", "read.js", address)
}

// tools is a folder with the packages of a lock file. They are installed once and kept
// in the user's cache, as Go keeps modules: that takes longer than using them.
func tools(t testing.TB, npm string, files fs.FS) string {
	t.Helper()
	list, err := fs.ReadFile(files, "package.json")
	lock, err2 := fs.ReadFile(files, "package-lock.json")
	cache, noHome := os.UserCacheDir()
	if noHome != nil { // there is no home
		cache = t.TempDir()
	}
	cache = filepath.Join(cache, "dpg-registry-tests")
	if err := errors.Join(err, err2, os.MkdirAll(cache, 0o755)); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(cache, fmt.Sprintf("npm-%x", sha256.Sum256(append(list, lock...))))
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	// Aside, so that what is kept is whole; another test may be quicker.
	aside, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(aside)
	err = errors.Join(os.WriteFile(filepath.Join(aside, "package.json"), list, 0o644), os.WriteFile(filepath.Join(aside, "package-lock.json"), lock, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = aside
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, said)
	}
	if err := os.Rename(aside, kept); err != nil {
		if _, there := os.Stat(kept); there != nil {
			t.Fatal(err)
		}
	}
	return kept
}
