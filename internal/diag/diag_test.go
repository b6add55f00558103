package diag_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var findings = []diag.Diagnostic{
	{Path: "registry/dpgs/b.yaml", Rule: "file-size", Severity: diag.Error, Message: "the file is over 1 MiB"},
	{
		Path: "registry/dpgs/a.yaml", Start: diag.Pos{Line: 4, Col: 5}, End: diag.Pos{Line: 4, Col: 8}, Pointer: "/licenses/0",
		Rule: "license-id", Severity: diag.Error, Message: `"GPL" is not an SPDX licence identifier`, Hint: "which version: GPL-2.0-only, GPL-3.0-only?",
	},
	{Path: "registry/dpgs/a.yaml", Start: diag.Pos{Line: 2, Col: 1}, Rule: "space", Severity: diag.Warning, Message: "name ends in a space"},
	{Path: "registry/dpgs/a.yaml", Start: diag.Pos{Line: 2, Col: 1}, Rule: "space", Severity: diag.Warning, Message: "name ends in a space"},
}

// Each format writes the same findings, sorted, repeats dropped.
func TestFormats(t *testing.T) {
	ds := diag.Sort(append([]diag.Diagnostic(nil), findings...))
	for _, tt := range []struct {
		name  string
		write func(*bytes.Buffer) error
		want  string
	}{
		{"text", func(b *bytes.Buffer) error { return diag.WriteText(b, ds, false) }, `registry/dpgs/a.yaml:2:1: warning: name ends in a space [space]
registry/dpgs/a.yaml:4:5: error: "GPL" is not an SPDX licence identifier [license-id]
	hint: which version: GPL-2.0-only, GPL-3.0-only?
registry/dpgs/b.yaml: error: the file is over 1 MiB [file-size]
`},
		{"github", func(b *bytes.Buffer) error { return diag.WriteGitHub(b, ds) }, `::warning file=registry/dpgs/a.yaml,line=2,col=1,title=space::name ends in a space
::error file=registry/dpgs/a.yaml,line=4,col=5,endLine=4,title=license-id::"GPL" is not an SPDX licence identifier%0Ahint: which version: GPL-2.0-only, GPL-3.0-only?
::error file=registry/dpgs/b.yaml,title=file-size::the file is over 1 MiB
`},
	} {
		var got bytes.Buffer
		if err := tt.write(&got); err != nil {
			t.Fatal(err)
		}
		if got.String() != tt.want {
			t.Errorf("%s is\n%swant\n%s", tt.name, got.String(), tt.want)
		}
	}
}

// Whatever an entry says, a finding stays on its line and is no command to the
// runner of GitHub Actions or to a terminal.
func TestHostileText(t *testing.T) {
	hostile := diag.Diagnostic{
		Path: "a\n::stop-commands::x,line=9.yaml", Start: diag.Pos{Line: 1, Col: 1}, Rule: "link",
		Message: "\x1b[2J\u202eevil\r\n::set-output name=a::b%0A\u2028", Hint: "::error::x\n::y",
		Related: []diag.Related{{Path: "\n::z", Start: diag.Pos{Line: 1, Col: 1}, Message: "\n::q"}},
	}
	var text, github, js bytes.Buffer
	for _, err := range []error{
		diag.WriteText(&text, []diag.Diagnostic{hostile}, true),
		diag.WriteGitHub(&github, []diag.Diagnostic{hostile}),
		diag.WriteJSON(&js, diag.NewReport([]diag.Diagnostic{hostile}, 1, "")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "::") || strings.Contains(line, "\x1b[2J") || strings.Contains(line, "\u202e") {
			t.Errorf("text has the line %q", line)
		}
	}
	if n := strings.Count(github.String(), "\n"); n != 1 {
		t.Errorf("one finding gives %d workflow commands: %q", n, github.String())
	}
	if !strings.Contains(github.String(), "file=a%0A%3A%3Astop-commands%3A%3Ax%2Cline=9.yaml,") {
		t.Errorf("the path is not escaped: %q", github.String())
	}
	if !json.Valid(js.Bytes()) {
		t.Errorf("not JSON: %s", js.Bytes())
	}
}

func TestTally(t *testing.T) {
	if got, want := diag.Tally(findings).String(), "2 errors, 2 warnings"; got != want {
		t.Errorf("Tally = %q, want %q", got, want)
	}
}
