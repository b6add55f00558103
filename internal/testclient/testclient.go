// Package testclient holds an OpenAPI document to what others' tools make of it: a
// linter, and a client generator from npm.
package testclient

import (
	"embed"
	"errors"
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
	run(npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
	run(tool("spectral"), "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "openapi.json")
	run(tool("openapi-typescript"), "openapi.json", "--output", "generated.d.ts")
	run(tool("tsc"), "--project", "tsconfig.json")
	return run("node", "read.js", address)
}
