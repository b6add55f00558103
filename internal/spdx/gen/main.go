// Command gen writes ids.txt, the SPDX licence list that package spdx embeds,
// from three npm packages of fixed versions. It needs npm and its registry; what
// it writes is committed, so that building and testing need neither.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	listPackage       = "spdx-license-list@6.12.0" // names, addresses and OSI flags
	idsPackage        = "spdx-license-ids@3.0.24"  // which ids are deprecated
	exceptionsPackage = "spdx-exceptions@2.5.0"
)

func main() {
	out := flag.String("out", "ids.txt", "file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	dir, err := os.MkdirTemp("", "spdx-gen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var in input
	for _, p := range []struct {
		name  string
		files map[string]any
	}{
		{listPackage, map[string]any{"spdx.json": &in.list, "readme.md": &in.readme, "package.json": &in.listMeta}},
		{idsPackage, map[string]any{"index.json": &in.ids, "deprecated.json": &in.deprecated, "package.json": &in.idsMeta}},
		{exceptionsPackage, map[string]any{"index.json": &in.exceptions, "deprecated.json": &in.deprecatedExceptions, "package.json": &in.exceptionsMeta}},
	} {
		if err := fetch(dir, p.name, p.files); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	text, err := in.render()
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

// fetch fills the targets from the files of a package: JSON by decoding, a
// *string by its text.
func fetch(dir, name string, targets map[string]any) error {
	dest, err := os.MkdirTemp(dir, "pack-")
	if err != nil {
		return err
	}
	cmd := exec.Command("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dest, name)
	cmd.Dir, cmd.Stderr = dest, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm pack: %w", err)
	}
	packs, err := filepath.Glob(filepath.Join(dest, "*.tgz"))
	if err != nil || len(packs) != 1 {
		return errors.Join(err, fmt.Errorf("npm pack left %d packages, want 1", len(packs)))
	}
	f, err := os.Open(packs[0])
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	missing := maps.Clone(targets)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(h.Name, "package/")
		target, ok := missing[file]
		if !ok {
			continue
		}
		delete(missing, file)
		text, err := io.ReadAll(io.LimitReader(r, 16<<20))
		if err != nil {
			return err
		}
		if s, ok := target.(*string); ok {
			*s = string(text)
		} else if err := json.Unmarshal(text, target); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the package lacks %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

type meta struct {
	Name, Version, License string
}

func (m meta) String() string { return fmt.Sprintf("%s %s (%s)", m.Name, m.Version, m.License) }

type input struct {
	readme string
	list   map[string]struct {
		Name string
		URL  string // where the text stands; one for each id
		OSI  bool   `json:"osiApproved"`
	}
	ids, deprecated                  []string
	exceptions, deprecatedExceptions []string
	listMeta, idsMeta                meta
	exceptionsMeta                   meta
}

var listVersion = regexp.MustCompile(`License List version (\d+\.\d+(?:\.\d+)? \(\d{4}-\d\d-\d\d\))`)

func (in *input) render() ([]byte, error) {
	version := listVersion.FindStringSubmatch(in.readme)
	if version == nil {
		return nil, errors.New("the readme of " + listPackage + " names no version of the list")
	}
	// The ids package follows a later version of the list than the package with
	// the names: ids it alone has get no name. The other way round only the old
	// "GPL-2.0+" spellings may differ, which an expression reads as GPL-2.0 and "+".
	both := slices.Concat(in.ids, in.deprecated)
	for _, id := range slices.Sorted(maps.Keys(in.list)) {
		if !slices.Contains(both, id) && !slices.Contains(both, strings.TrimSuffix(id, "+")) {
			return nil, fmt.Errorf("%s lacks %s of %s", idsPackage, id, listPackage)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "SPDX License List %s, and ids added since\tfrom npm packages %s, %s, %s\tSPDX License List: (c) Linux Foundation and its contributors\n",
		version[1], in.listMeta, in.idsMeta, in.exceptionsMeta)
	row := func(id, flags, name, url string) error {
		if strings.ContainsAny(id+flags+name+url, "\t\r\n") {
			return fmt.Errorf("%q holds a tab or a line break", id)
		}
		_, err := fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", id, flags, name, url)
		return err
	}
	slices.SortFunc(both, fold)
	for _, id := range both {
		flags := "l"
		l, named := in.list[id]
		switch {
		case !named:
			flags += "n"
		case l.OSI:
			flags += "o"
		}
		if slices.Contains(in.deprecated, id) {
			flags += "d"
		}
		if err := row(id, flags, l.Name, strings.TrimSpace(l.URL)); err != nil {
			return nil, err
		}
	}
	exceptions := slices.Concat(in.exceptions, in.deprecatedExceptions)
	slices.SortFunc(exceptions, fold)
	for _, id := range exceptions {
		flags := "x"
		if slices.Contains(in.deprecatedExceptions, id) {
			flags += "d"
		}
		if err := row(id, flags, "", ""); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func fold(a, b string) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
}
