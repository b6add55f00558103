// Command release builds what a release holds: the programs for each system, a template
// of a registry, and their checksums. The same commit gives the same bytes, wherever
// and whenever it is built with the same Go.
//
//	go run ./internal/action/release VERSION DIR [OS/ARCH ...]
//
// It is run at the root of a clean checkout whose internal/action/VERSION is VERSION.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const usage = "usage: release VERSION DIR [OS/ARCH ...]"

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(3)
	}
}

// targets are the systems that there are programs for, as OS/ARCH.
func targets() []string {
	return []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}
}

// A file is one of an archive.
type file struct {
	name string
	mode fs.FileMode
	data []byte
}

func run(version, dist string, only []string) error {
	said, err := os.ReadFile("internal/action/VERSION")
	if err != nil {
		return fmt.Errorf("this is not the root of the repository: %w", err)
	}
	if v := strings.TrimSpace(string(said)); v != version {
		return fmt.Errorf("the version is %q and internal/action/VERSION says %q; the Action of this commit would fetch the wrong release", version, v)
	}
	// A program tells the commit it was built from, which the template pins. What is not
	// committed would make that a lie, and a file that this wrote would too: all is
	// built before anything is written.
	dirty, err := git("status", "--porcelain")
	if err != nil {
		return err
	}
	if dirty != "" {
		first, _, _ := strings.Cut(dirty, "\n")
		return fmt.Errorf("the checkout is not clean: %q; commit it or put it away", first)
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return err
	}
	when, err := date()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "dpg-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	made := map[string][]byte{}
	if len(only) == 0 {
		only = targets()
	}
	for _, target := range only {
		if !slices.Contains(targets(), target) {
			return fmt.Errorf("target %q is not one of %s", target, strings.Join(targets(), ", "))
		}
		system, arch, _ := strings.Cut(target, "/")
		fmt.Printf("building for %s on %s\n", system, arch)
		files, err := programs(filepath.Join(work, system+"-"+arch), system, arch)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("dpg-registry_%s_%s_%s.tar.gz", version, system, arch)
		if made[name], err = tarball(files, when); err != nil {
			return err
		}
	}
	action := fmt.Sprintf("dpg-registry/dpg-registry@%s # %s", commit, version)
	files, err := template(work, action)
	if err != nil {
		return err
	}
	if made["registry-template.zip"], err = zipped(files, when); err != nil {
		return err
	}
	return write(dist, made)
}

func git(args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("git", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// date is the commit's: the date of every file.
func date() (time.Time, error) {
	text, err := git("log", "-1", "--format=%ct")
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// build makes both programs for a system in a folder.
func build(dir, system, arch string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", dir+string(filepath.Separator), "./cmd/dpg", "./cmd/dpgbot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build for %s on %s: %w\n%s", system, arch, err, out)
	}
	return nil
}

func programs(dir, system, arch string) ([]file, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := build(dir, system, arch); err != nil {
		return nil, err
	}
	exe := ""
	if system == "windows" {
		exe = ".exe"
	}
	var files []file
	for _, f := range []struct {
		from, name string
		mode       fs.FileMode
	}{{dir, "dpg" + exe, 0o755}, {dir, "dpgbot" + exe, 0o755}, {".", "LICENSE", 0o644}, {".", "NOTICE", 0o644}} {
		data, err := os.ReadFile(filepath.Join(f.from, f.name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{f.name, f.mode, data})
	}
	return files, nil
}

func tarball(files []file, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		head := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: when, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(head); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	err = errors.Join(t.Close(), z.Close())
	return b.Bytes(), err
}

// template is what dpg init makes, by a program of this commit, which may be built
// already.
func template(work, action string) ([]file, error) {
	here, dir := filepath.Join(work, runtime.GOOS+"-"+runtime.GOARCH), filepath.Join(work, "registry-template")
	if _, err := os.Stat(here); err != nil {
		if _, err := programs(here, runtime.GOOS, runtime.GOARCH); err != nil {
			return nil, err
		}
	}
	if out, err := exec.Command(filepath.Join(here, "dpg"), "init", dir, "--name", "My registry", "--action", action).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("dpg init: %w\n%s", err, out)
	}
	var files []file
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error { // in the order of names
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		files = append(files, file{filepath.ToSlash(rel), 0o644, data})
		return err
	})
	return files, err
}

func zipped(files []file, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		head := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when}
		head.SetMode(f.mode)
		w, err := z.CreateHeader(head)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// write puts the files into a folder, and the list of their checksums last.
func write(dist string, made map[string][]byte) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	var sums bytes.Buffer
	names := make([]string, 0, len(made))
	for name := range made {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dist, name), made[name], 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(made[name]), name)
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(dist, "SHA256SUMS"), sums.Bytes(), 0o644)
}
