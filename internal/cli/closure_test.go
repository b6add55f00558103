package cli_test

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dpg-registry/dpg-registry/"

// What a program may do follows from what it is linked with: dpg holds nothing
// that could write to a forge, and dpgbot nothing that could ask a model.
func TestWhatProgramsAreMadeOf(t *testing.T) {
	tests := []struct {
		program string
		has     []string // so that the walk is seen to arrive
		not     *regexp.Regexp
	}{
		{"cmd/dpg", []string{"internal/cli/dpg", "internal/registry", "internal/diag"},
			regexp.MustCompile(`^(internal/(forge|bot)|internal/cli/dpgbot)(/|$)|/go-github/|/oauth2(/|$)`)},
		{"cmd/dpgbot", []string{"internal/cli/dpgbot", "internal/forge", "internal/bot", "internal/assess"},
			regexp.MustCompile(`^internal/cli/dpg$|(?i)(openai|anthropic|ollama|genai|mistral|langchain|cohere|bedrock|huggingface|llama)`)},
	}
	for _, tt := range tests {
		t.Run(tt.program, func(t *testing.T) {
			from := imports(t, tt.program)
			for _, want := range tt.has {
				if _, found := from[want]; !found {
					t.Errorf("%s is not made of %s: the test looks in the wrong place", tt.program, want)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(from)) {
				if tt.not.MatchString(name) {
					t.Errorf("%s must not be made of %s, which %s imports", tt.program, name, from[name])
				}
			}
		})
	}
}

// imports lists what a package is made of, each with one that imports it: the
// module's own packages by their folders, with all that they import, and others
// by the path of their import. Files for other systems and build tags count too.
func imports(t *testing.T, start string) map[string]string {
	t.Helper()
	from := map[string]string{start: ""}
	for todo := []string{start}; len(todo) > 0; {
		pkg := todo[0]
		todo = todo[1:]
		dir := filepath.Join("..", "..", filepath.FromSlash(pkg))
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, f.Name()), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				name, ours := strings.CutPrefix(name, module)
				if _, seen := from[name]; seen {
					continue
				}
				from[name] = pkg
				if ours {
					todo = append(todo, name)
				}
			}
		}
	}
	return from
}
