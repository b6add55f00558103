package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dpg-registry/dpg-registry/internal/cli/dpg"
	"github.com/dpg-registry/dpg-registry/internal/cli/dpgbot"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts' files that cmp compares with")

// TestMain lets the test binary play the programs: on PATH it is called dpg and
// dpgbot, and then runs as they do, with a process, streams and an exit code.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dpg":    func() { os.Exit(dpg.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"dpgbot": func() { os.Exit(dpgbot.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScript plays the scripts: each is an archive of files with the commands
// that people would type on top.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			for _, v := range environment(e.WorkDir) {
				name, value, _ := strings.Cut(v, "=")
				e.Setenv(name, value)
			}
			e.Values[modelKey{}] = new(fakeModel)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"endpoint":    endpoint,
			"asked":       asked,
			"manyentries": manyEntries,
			"exits":       exits,
			"sametree":    sameTree,
			"isjson":      isJSON,
			"tally":       tally,
		},
	})
}

// environment keeps a person's own settings out, and makes Git's commits the same
// everywhere.
func environment(home string) []string {
	return []string{
		"HOME=" + home, "TERM=dumb", "NO_COLOR=",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(home),
		"GIT_AUTHOR_NAME=Ada Author", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=2026-01-15T12:00:00Z",
		"GIT_COMMITTER_NAME=Ada Author", "GIT_COMMITTER_EMAIL=ada@example.org", "GIT_COMMITTER_DATE=2026-01-15T12:00:00Z",
		"GIT_TERMINAL_PROMPT=0",
	}
}

// exits N COMMAND runs a command that must end with exit code N.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// sameTree A B holds that two folders have the same files with the same bytes.
func sameTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] sametree FOLDER FOLDER")
	}
	a, err := tree(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := tree(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(a) == 0 {
		ts.Fatalf("%s has no files", args[0])
	}
	switch diff := cmp.Diff(a, b); {
	case neg && diff == "":
		ts.Fatalf("%s and %s are the same", args[0], args[1])
	case !neg && diff != "":
		ts.Fatalf("%s differs from %s:\n%s", args[0], args[1], diff)
	}
}

// tree reads a folder's files by their slash-separated paths.
func tree(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	return files, err
}

// isJSON FILE holds that a file is one JSON document and nothing else.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] isjson FILE")
	}
	if json.Valid([]byte(ts.ReadFile(args[0]))) == neg {
		ts.Fatalf("%s: JSON is %t", args[0], !neg)
	}
}

// tally N GLOB holds that so many files or folders match.
func tally(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tally COUNT GLOB")
	}
	names, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if strconv.Itoa(len(names)) != args[0] {
		ts.Fatalf("%d match %s, want %s: %q", len(names), args[1], args[0], names)
	}
}

// run runs a program in a folder and returns what it wrote and its exit code.
func run(t *testing.T, dir, program string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	c := exec.CommandContext(t.Context(), program, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &err
	c.Env = append(os.Environ(), environment(dir)...)
	var exit *exec.ExitError
	if failed := c.Run(); failed != nil && !errors.As(failed, &exit) {
		t.Fatalf("%s %q: %v", program, args, failed)
	}
	return out.String(), err.String(), c.ProcessState.ExitCode()
}

var listed = regexp.MustCompile(`(?m)^\t(\S+(?: \S+)?)  +\S`)

// Each command that a program lists tells how it is used, by help and by -h
// alike, refuses a flag it does not know, and is played in a script.
func TestEveryCommandIsHelpful(t *testing.T) {
	var scripts bytes.Buffer
	names, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(data)
	}
	dir := t.TempDir()
	for _, program := range []string{"dpg", "dpgbot"} {
		overview, stderr, code := run(t, dir, program, "help")
		if code != 0 || stderr != "" {
			t.Fatalf("%s help exits %d and says %q", program, code, stderr)
		}
		commands := listed.FindAllStringSubmatch(overview, -1)
		if len(commands) < 5 {
			t.Fatalf("%s help lists %d commands:\n%s", program, len(commands), overview)
		}
		for _, c := range commands {
			command := c[1]
			t.Run(program+" "+command, func(t *testing.T) {
				words := strings.Fields(command)
				help, stderr, code := run(t, dir, program, append([]string{"help"}, words...)...)
				if code != 0 || stderr != "" {
					t.Errorf("help %s exits %d and says %q", command, code, stderr)
				}
				for _, want := range []string{program + " " + command + ": ", "\nUsage:\n\n\t" + program + " " + command, "\nExamples:\n\n\t"} {
					if !strings.Contains(help, want) {
						t.Errorf("help %s has no %q:\n%s", command, want, help)
					}
				}
				for line := range strings.Lines(help) {
					if n := len(strings.TrimRight(line, "\n")); n > 110 {
						t.Errorf("help %s has a line of %d characters: %q", command, n, line)
					}
				}
				flagged, stderr, code := run(t, dir, program, append(words, "-h")...)
				if code != 0 || stderr != "" || flagged != help {
					t.Errorf("%s -h exits %d, says %q, and differs from help %s:\n%s", command, code, stderr, command, cmp.Diff(help, flagged))
				}
				stdout, stderr, code := run(t, dir, program, append(words, "--no-such-flag")...)
				want := fmt.Sprintf("hint: %s help %s shows", program, command)
				if code != 2 || stdout != "" || !strings.Contains(stderr, "no-such-flag") || !strings.Contains(stderr, want) {
					t.Errorf("%s --no-such-flag exits %d with %q on stdout and %q on stderr", command, code, stdout, stderr)
				}
				if played := regexp.MustCompile(`(?m)^(!? ?exec|exits \d) ` + program + " " + command + `\b`); !played.Match(scripts.Bytes()) {
					t.Errorf("no script plays %s %s", program, command)
				}
			})
		}
	}
}
