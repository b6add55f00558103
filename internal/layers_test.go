package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dpg-registry/dpg-registry/"

// layers is the one direction of imports: a package imports only packages on
// lines above its own. Packages on one line do not know each other.
var layers = [][]string{
	{"schemas", "registry", ".", "internal/realdata", "internal/testclient", "internal/testgit"},
	{"internal/disk", "internal/fetch", "internal/typo"},
	{"internal/diag"},
	{"internal/spdx"},
	{"internal/spdx/match", "internal/spdx/match/vary"},
	{"internal/source"},
	{"internal/schema"},
	{"internal/entry"},
	{"internal/framework"},
	{"internal/policy"},
	{"internal/spdx/sbom"},
	{"internal/merge"},
	{"internal/dpga"},
	{"internal/registry"},
	{"internal/history"},
	{"internal/lint"},
	{"internal/fix"},
	{"internal/assess"},
	{"internal/assess/model"},
	{"internal/observe"},
	{"internal/catalog"},
	{"internal/export/rdf"},
	{"internal/spdx/document", "internal/export/dcat", "internal/export/publiccode", "internal/export/sqlite"},
	{"internal/published"},
	{"internal/search"},
	{"internal/site"},
	{"internal/serve"},
	{"internal/forge"},
	{"internal/forge/forgetest", "internal/forge/github"},
	{"internal/forge/github/githubtest"},
	{"internal/propose"},
	{"internal/publish", "internal/importer"},
	{"internal/bot"},
	{"internal/template"},
	{"internal/watch"},
	{"internal/cli"},
	{"internal/cli/dpg", "internal/cli/dpgbot"},
	{"cmd/dpg", "cmd/dpgbot"},
}

// outside are folders of programs that are run by hand and imported by nobody.
var outside = []string{
	"internal/action/release",
	"internal/bench",
	"internal/forge/github/githubtest/openapi",
	"internal/spdx/gen",
	"internal/spdx/match/gen",
	"internal/tools",
}

// testOnly are packages that tests share, and that no program may come to hold.
var testOnly = []string{"internal/forge/forgetest", "internal/forge/github/githubtest", "internal/realdata", "internal/testclient", "internal/testgit"}

func TestOnlyTestsImportTests(t *testing.T) {
	seen := 0
	eachGoFile(t, func(name string, f *ast.File) {
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			dep, ours := strings.CutPrefix(path, module)
			if !ours || !slices.Contains(testOnly, dep) {
				continue
			}
			seen++
			if !strings.HasSuffix(name, "_test.go") && !slices.Contains(testOnly, filepath.ToSlash(filepath.Dir(name))) {
				t.Errorf("%s imports %s, which is for tests", name, dep)
			}
		}
	})
	if seen == 0 {
		t.Error("no test imports these packages: the test looks for the wrong thing")
	}
}

func TestImportsGoOneWay(t *testing.T) {
	line := map[string]int{}
	for i, l := range layers {
		for _, p := range l {
			line[p] = i
		}
	}
	seen := 0
	eachGoFile(t, func(name string, f *ast.File) {
		pkg := filepath.ToSlash(filepath.Dir(name))
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		own, known := line[pkg]
		if !known {
			t.Errorf("%s: package %s has no line in layers", name, pkg)
			return
		}
		seen++
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			dep, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			if at, known := line[dep]; !known || at >= own {
				t.Errorf("%s imports %s, which does not stand above %s", name, dep, pkg)
			}
		}
	})
	if seen == 0 {
		t.Fatal("no Go file was looked at")
	}
}

// Same commit, same bytes: the clock stands in one file.
func TestClockStandsInOneFile(t *testing.T) {
	const allowed = "internal/cli/clock.go"
	found := false
	eachGoFile(t, func(name string, f *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Name != "time" || !slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				return true
			}
			if name == allowed {
				found = true
			} else {
				t.Errorf("%s reads the clock with time.%s; only %s may", name, sel.Sel.Name, allowed)
			}
			return true
		})
	})
	if !found {
		t.Errorf("%s does not read the clock: the test looks for the wrong thing", allowed)
	}
}

// Mains are wiring: everything else can be tested.
func TestMainsAreShort(t *testing.T) {
	for _, name := range []string{"../cmd/dpg/main.go", "../cmd/dpgbot/main.go"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "\n"); n >= 20 {
			t.Errorf("%s has %d lines, want fewer than 20", name, n)
		}
	}
}

func eachGoFile(t *testing.T, visit func(name string, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || slices.Contains(outside, rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || rel == "internal/layers_test.go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		visit(rel, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
