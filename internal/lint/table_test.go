package lint_test

import (
	"fmt"
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

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

const rulesFile = "../../.github/RULES.md"

// The table that people read is made from the rules. Run with -update to make it
// anew.
func TestRulesFile(t *testing.T) {
	want := rulesTable()
	if *update {
		if err := os.MkdirAll(filepath.Dir(rulesFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(rulesFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale; run: go test ./internal/lint -run TestRulesFile -update\n(-want +got):\n%s", rulesFile, diff)
	}
}

func rulesTable() string {
	var b strings.Builder
	b.WriteString(`# Rules

Every finding ends in the id of its rule, in square brackets. ` + "`dpg explain RULE`" + ` says why a rule is there and what to do.

Errors fail a check; warnings fail it only with ` + "`--strict`" + `; infos never do. A registry sets the severity of a rule, or turns
it off, under ` + "`severities`" + ` in policy.yaml, and an entry sets one aside for a time under ` + "`waivers`" + `.

| rule | severity | what is right | judged |
|---|---|---|---|
`)
	row := func(r *lint.Rule, judged string) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, strings.ReplaceAll(r.Summary, "|", `\|`), judged)
	}
	for _, r := range lint.Rules {
		judged := "always"
		if r.Dated {
			judged = "as of a day"
		}
		row(r, judged)
	}
	b.WriteString(`
What follows is found before the rules look: files that cannot be read, or that break the schema of their kind. These are
errors always. The policy does not change them, and they cannot be set aside.

| finding | severity | what is right | judged |
|---|---|---|---|
`)
	for _, r := range lint.Others {
		judged := "always"
		switch r.ID {
		case "base-apart", "base-moved":
			judged = "in a pull request"
		case "entry-deleted":
			judged = "in a change"
		}
		row(r, judged)
	}
	b.WriteString("\nThis file is made from the rules by `go test ./internal/lint -run TestRulesFile -update`.\n")
	return b.String()
}

// The table of what no rule finds is as good as that of the rules.
func TestOthers(t *testing.T) {
	for i, r := range lint.Others {
		if i > 0 && lint.Others[i-1].ID >= r.ID {
			t.Errorf("%s does not stand behind %s", r.ID, lint.Others[i-1].ID)
		}
		if r.Summary == "" || strings.HasSuffix(r.Summary, ".") || strings.Contains(r.Summary, "\n") {
			t.Errorf("%s: Summary %q is not one line without a period", r.ID, r.Summary)
		}
		if len(r.Doc) < 80 || strings.Contains(r.Doc, "\n\n") || !strings.HasSuffix(r.Doc, ".") {
			t.Errorf("%s: Doc is not one whole paragraph", r.ID)
		}
		if r.Check != nil || r.CheckAll != nil || r.Severity != diag.Error {
			t.Errorf("%s is no error that somebody else finds", r.ID)
		}
		if lint.Lookup(r.ID) != nil || lint.Explain(r.ID) != r {
			t.Errorf("Explain(%q) does not return it, or a rule has its id", r.ID)
		}
	}
	if lint.Explain("license-id") != lint.Lookup("license-id") || lint.Explain("no-such-rule") != nil {
		t.Error("Explain does not find a rule, or finds one that is none")
	}
}

// Every finding that any package makes can be explained, and nothing is explained
// that nobody finds. The ids are looked for in the source: those that are written
// where a finding is made, and those that are handed to a function which makes it.
func TestEveryFindingCanBeExplained(t *testing.T) {
	emitted := map[string]string{} // id to where it is written
	for dir, files := range packages(t, "../..") {
		ids, unclear := emittedIDs(files)
		for id := range ids {
			emitted[id] = dir
		}
		for _, where := range unclear {
			t.Errorf("%s: the rule of this finding is no constant that this test can follow", where)
		}
	}
	for _, want := range []string{"duplicate-key", "schema-required", "entry-deleted", "assessment-file", "file-place"} {
		if emitted[want] == "" {
			t.Errorf("%s is not found in the source: the test looks in the wrong place", want)
		}
	}
	for id, dir := range emitted {
		if lint.Explain(id) == nil {
			t.Errorf("package %s makes findings of %q, which nothing explains: add it to lint.Others", dir, id)
		}
	}
	for _, r := range lint.Others {
		if emitted[r.ID] == "" {
			t.Errorf("%s is explained, and nobody finds it", r.ID)
		}
	}
}

type sourceFile struct {
	fset *token.FileSet
	*ast.File
}

// packages parses the project's Go files, tests left out, by folder.
func packages(t *testing.T, root string) map[string][]sourceFile {
	t.Helper()
	all := map[string][]sourceFile{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch base := filepath.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		all[dir] = append(all[dir], sourceFile{fset, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// emittedIDs collects the ids of the findings of one package: what stands behind
// the key Rule of a diag.Diagnostic, or behind rule of a struct that becomes one. A
// value that comes from a parameter is looked for where the function is called.
// What is copied from another finding or rule has been found there.
func emittedIDs(files []sourceFile) (ids map[string]bool, unclear []string) {
	ids = map[string]bool{}
	constants := map[string]string{}
	type parameter struct {
		function string
		at       int
	}
	var handed []parameter
	value := func(e ast.Expr) (string, bool) {
		switch e := e.(type) {
		case *ast.BasicLit:
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		case *ast.Ident:
			s, ok := constants[e.Name]
			return s, ok
		}
		return "", false
	}
	for _, f := range files {
		ast.Inspect(f.File, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
				for i, name := range spec.Names {
					if s, ok := spec.Values[i].(*ast.BasicLit); ok && s.Kind == token.STRING {
						constants[name.Name], _ = strconv.Unquote(s.Value)
					}
				}
			}
			return true
		})
	}
	for _, f := range files {
		for _, decl := range f.Decls {
			within, _ := decl.(*ast.FuncDecl)
			ast.Inspect(decl, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok || !makesFinding(lit) {
					return true
				}
				for _, elt := range lit.Elts {
					kv, ok := elt.(*ast.KeyValueExpr)
					if !ok {
						continue
					}
					key, ok := kv.Key.(*ast.Ident)
					if !ok || key.Name != "Rule" && key.Name != "rule" {
						continue
					}
					if s, ok := value(kv.Value); ok {
						ids[s] = true
						continue
					}
					switch v := kv.Value.(type) {
					case *ast.SelectorExpr: // rule.ID, or the Rule of another finding
						continue
					case *ast.Ident:
						if at := parameterOf(within, v.Name); at >= 0 {
							handed = append(handed, parameter{within.Name.Name, at})
							continue
						}
					}
					unclear = append(unclear, f.fset.Position(kv.Pos()).String())
				}
				return true
			})
		}
	}
	for _, f := range files {
		ast.Inspect(f.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			var name string
			switch fn := call.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				name = fn.Sel.Name
			}
			for _, p := range handed {
				if p.function != name || p.at >= len(call.Args) {
					continue
				}
				if s, ok := value(call.Args[p.at]); ok {
					ids[s] = true
				} else {
					unclear = append(unclear, f.fset.Position(call.Pos()).String())
				}
			}
			return true
		})
	}
	return ids, unclear
}

// makesFinding reports whether a literal is a finding, or one of a package's own
// that becomes one. Waivers name rules too, and make none.
func makesFinding(lit *ast.CompositeLit) bool {
	switch t := lit.Type.(type) {
	case nil: // within a list of findings
		return true
	case *ast.SelectorExpr:
		return t.Sel.Name == "Diagnostic"
	case *ast.Ident:
		return slices.Contains([]string{"Diagnostic", "found"}, t.Name)
	}
	return false
}

// parameterOf is the place of a parameter in a function, or -1.
func parameterOf(fn *ast.FuncDecl, name string) int {
	if fn == nil {
		return -1
	}
	i := 0
	for _, field := range fn.Type.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}
