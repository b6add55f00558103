package disk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The law of this package: nobody else writes files. What is excepted says why.
func TestOnlyDiskWrites(t *testing.T) {
	excepted := map[string]string{
		"internal/forge/local.go MkdirAll":          "empty folders hold nothing to break",
		"internal/forge/local.go Mkdir":             "making a folder is how a number is taken",
		"internal/forge/local.go os.Rename":         "a new repository, made aside by go-git",
		"internal/forge/local.go os.RemoveAll":      "the same, where making it was interrupted",
		"internal/forge/refs.go MkdirAll":           "folders of Git's references",
		"internal/forge/refs.go OpenFile":           "Git's own protocol of lock files",
		"internal/forge/refs.go Link":               "Git's own protocol of lock files",
		"internal/forge/github/git.go MkdirAll":     "the folder of a repository that go-git makes",
		"internal/catalog/keep.go os.Remove":        "a cache, which may go at any time",
		"internal/cli/dpgbot/dpgbot.go os.OpenFile": "the summary of a workflow run, which its steps add to",
		"internal/observe/cache.go os.MkdirAll":     "the folder of a cache",
		"internal/cli/dpg/serve.go os.MkdirTemp":    "a temporary folder that ends with the command",
		"internal/cli/dpg/serve.go os.RemoveAll":    "the same folder",
	}
	functions := []string{"WriteFile", "Create", "CreateTemp", "MkdirTemp", "Mkdir", "MkdirAll", "Rename", "Remove", "RemoveAll",
		"OpenFile", "Chmod", "Chown", "Chtimes", "Link", "Symlink", "Truncate", "CopyFS"}
	methods := []string{"WriteFile", "OpenFile", "Rename", "Mkdir", "MkdirAll", "Link", "Symlink", "Chmod"}
	byHand := []string{"internal/disk", "internal/tools", "internal/bench", "internal/spdx/gen", "internal/spdx/match/gen", // the last four: programs nobody imports
		"internal/forge/github/githubtest", "internal/testclient", "internal/testgit", "internal/action/release"} // and what only tests import
	seen := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Join("..", ".."), name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || slices.Contains(byHand, rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		seen++
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			what := ""
			switch x, _ := sel.X.(*ast.Ident); {
			case x != nil && x.Name == "os" && slices.Contains(functions, sel.Sel.Name):
				what = rel + " os." + sel.Sel.Name
			case x != nil && (x.Name == "os" || x.Name == "disk"):
			case slices.Contains(methods, sel.Sel.Name):
				what = rel + " " + sel.Sel.Name
			}
			if what == "" || excepted[what] != "" || excepted[strings.Replace(what, " os.", " ", 1)] != "" {
				return true
			}
			t.Errorf("%s: files are written by internal/disk only, whole or not at all", what)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no Go file was looked at")
	}
}
