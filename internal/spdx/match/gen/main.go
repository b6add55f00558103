// Command gen writes texts.bin, the licence texts that package match knows, from
// an npm package of a fixed version and the notices that some licences ask for.
// It needs npm and its registry; what it writes is committed, so that building
// and testing need neither.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dpg-registry/dpg-registry/internal/spdx"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

const textsPackage = "spdx-license-list@6.12.0"

func main() {
	out := flag.String("out", "texts.bin", "file to write")
	from := flag.String("from", "", "spdx-full.json of the package, unpacked already; downloaded with npm if empty")
	flag.Parse()
	if err := run(*out, *from); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out, from string) error {
	if from == "" {
		dir, err := os.MkdirTemp("", "spdx-texts-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cmd := exec.Command("npm", "install", "--silent", "--ignore-scripts", "--no-save", "--prefix", dir, textsPackage)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("npm install %s: %w", textsPackage, err)
		}
		from = filepath.Join(dir, "node_modules", "spdx-license-list", "spdx-full.json")
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var list map[string]struct{ LicenseText string }
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	sources := group(list)
	besides := exceptions(sources)
	for _, s := range sources {
		sources = append(sources, others(s)...)
	}
	for i := range sources {
		mark(&sources[i])
	}
	sources = append(sources, besides...)
	sources = append(sources, notices()...)
	var b bytes.Buffer
	if err := match.Pack(&b, sources); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d ids, %d texts and notices, %d bytes\n", len(list), len(sources), b.Len())
	return os.WriteFile(out, b.Bytes(), 0o644)
}

// group puts the ids of one text together, the likeliest first: the ones in use
// before the deprecated, the plain before those that say more than the text does.
func group(list map[string]struct{ LicenseText string }) []match.Source {
	byText := map[string]*match.Source{}
	var order []string
	for _, id := range slices.SortedFunc(maps.Keys(list), likelier) {
		text := list[id].LicenseText
		key := strings.Join(strings.FieldsFunc(strings.ToLower(copyrightLine.ReplaceAllString(text, "")), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}), " ")
		if f := family(id); f != "" {
			key = f // their texts differ in nothing but a line break or a spelling
		}
		if s, ok := byText[key]; ok {
			s.IDs = append(s.IDs, id)
			continue
		}
		byText[key] = &match.Source{IDs: []string{id}, Kind: match.Text, Text: text}
		order = append(order, key)
	}
	sources := make([]match.Source, 0, len(order))
	for _, key := range order {
		sources = append(sources, *byText[key])
	}
	slices.SortFunc(sources, func(a, b match.Source) int {
		return cmp.Or(cmp.Compare(rank(a.IDs[0]), rank(b.IDs[0])), cmp.Compare(a.IDs[0], b.IDs[0]))
	})
	return sources
}

var copyrightLine = regexp.MustCompile(`(?im)^[ \t]*(portions )?copyright (\(c\)|©|\d|<)[^.\n]*$`)

// family is the licence of which an id is the -only, the -or-later or the
// deprecated spelling.
func family(id string) string {
	if !strings.HasPrefix(id, "GPL-") && !strings.HasPrefix(id, "LGPL-") && !strings.HasPrefix(id, "AGPL-") && !strings.HasPrefix(id, "GFDL-") {
		return ""
	}
	if strings.Contains(id, "-with-") {
		return ""
	}
	f := strings.SplitN(id, "-", 3)
	return f[0] + "-" + strings.TrimSuffix(f[1], "+")
}

func likelier(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// rank puts the ids in use first, then the deprecated ones.
func rank(id string) int {
	l, known := spdx.Lookup(id)
	switch {
	case strings.HasSuffix(id, "+"), !known:
		return 2
	case l.Deprecated:
		return 1
	}
	return 0
}
