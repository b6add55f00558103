package diag_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// sarifRun is the part of a report that these tests look into.
type sarifRun struct {
	ColumnKind string
	Tool       struct {
		Driver struct {
			Rules []struct {
				ID   string
				Help *struct{ Text, Markdown string }
			}
		}
	}
	Results []sarifResult
}

type sarifResult struct {
	RuleID              string
	RuleIndex           int
	Level               string
	Message             struct{ Text string }
	Locations           []sarifLocation
	RelatedLocations    []sarifLocation
	PartialFingerprints map[string]string
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation struct{ URI, URIBaseID string }
		Region           region
	}
}

type region struct{ StartLine, StartColumn, EndLine, EndColumn int }

// writeSARIF writes a report, holds it to the format's schema, and reads it back.
func writeSARIF(t *testing.T, ds []diag.Diagnostic, opt diag.SARIF) sarifRun {
	t.Helper()
	var b bytes.Buffer
	if err := diag.WriteSARIF(&b, ds, opt); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(v); err != nil {
		t.Errorf("the report does not keep to SARIF 2.1.0: %v\n%s", err, b.String())
	}
	var log struct{ Runs []sarifRun }
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("the report has %d runs, want 1", len(log.Runs))
	}
	for _, r := range log.Runs[0].Results {
		if got := log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID; got != r.RuleID {
			t.Errorf("a finding of rule %s points at rule %s of the table", r.RuleID, got)
		}
	}
	return log.Runs[0]
}

func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const name = "testdata/sarif-2.1.0-rtm.5.json"
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(map[string]any{"version": "2.1.0", "runs": []any{map[string]any{}}}) == nil {
		t.Fatal("the schema takes a run without a tool: it is not looked at")
	}
	return s
}

func textOf(files map[string]string) func(string) []byte {
	return func(path string) []byte {
		if text, ok := files[path]; ok {
			return []byte(text)
		}
		return nil
	}
}

func TestSARIF(t *testing.T) {
	ds := diag.Sort(append([]diag.Diagnostic(nil), findings...))
	ds[0].Related = []diag.Related{{Path: "registry/dpgs/c.yaml", Start: diag.Pos{Line: 3, Col: 7}, Message: "first given here"}}
	run := writeSARIF(t, ds, diag.SARIF{
		Version: "v1.2.0", AsOf: "2026-01-20",
		Rules: []diag.RuleHelp{{ID: "license-id", Severity: diag.Error, Summary: "every licence is an SPDX expression", Help: "Licences are compared by `id`."}},
		Text:  textOf(map[string]string{"registry/dpgs/a.yaml": "schema: dpg/v1\nname: \"A \"\nlicenses:\n  - GPL\n", "registry/dpgs/c.yaml": "a: 1\nb: 2\nc: é🙂d\n"}),
	})
	if run.ColumnKind != "utf16CodeUnits" {
		t.Errorf("columns are counted in %q", run.ColumnKind)
	}
	var got []string
	for _, r := range run.Results {
		at := r.Locations[0].PhysicalLocation
		got = append(got, fmt.Sprintf("%s %s %s %v %q", r.Level, r.RuleID, at.ArtifactLocation.URI, at.Region, r.Message.Text))
		if at.ArtifactLocation.URIBaseID != "%SRCROOT%" {
			t.Errorf("a path is given from %q", at.ArtifactLocation.URIBaseID)
		}
	}
	want := []string{
		`warning space registry/dpgs/a.yaml {2 1 0 0} "name ends in a space"`,
		`error license-id registry/dpgs/a.yaml {4 5 4 8} "\"GPL\" is not an SPDX licence identifier\nhint: which version: GPL-2.0-only, GPL-3.0-only?"`,
		`error file-size registry/dpgs/b.yaml {1 0 0 0} "the file is over 1 MiB"`, // the whole file: code scanning wants a line
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(region{3, 6, 0, 0}, run.Results[0].RelatedLocations[0].PhysicalLocation.Region); diff != "" {
		t.Errorf("the other place differs (-want +got):\n%s", diff) // é is two bytes and one unit
	}
	var ids []string
	for _, r := range run.Tool.Driver.Rules {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"license-id", "space", "file-size"}, ids); diff != "" {
		t.Errorf("rules differ (-want +got):\n%s", diff)
	}
	if help := run.Tool.Driver.Rules[0].Help; help == nil || help.Markdown != "Licences are compared by `id`." {
		t.Errorf("the help is %+v", help)
	}

	// Nothing found is a report too: it closes what was open.
	if run := writeSARIF(t, nil, diag.SARIF{}); run.Results == nil || len(run.Results) != 0 {
		t.Errorf("without findings the results are %v", run.Results)
	}
}

// A column is in UTF-16 code units, where the text is known and reaches that far.
func TestSARIFColumns(t *testing.T) {
	text := "a: 1\n\u00e9: \U0001f642x\r\nlast"
	tests := []struct {
		name       string
		start, end diag.Pos
		want       region
	}{
		{"plain", diag.Pos{Line: 1, Col: 4}, diag.Pos{Line: 1, Col: 5}, region{1, 4, 1, 5}},
		{"é is two bytes, one unit", diag.Pos{Line: 2, Col: 3}, diag.Pos{Line: 2, Col: 4}, region{2, 2, 2, 3}},
		{"an emoji is four bytes, two units", diag.Pos{Line: 2, Col: 5}, diag.Pos{Line: 2, Col: 10}, region{2, 4, 2, 7}},
		{"no end", diag.Pos{Line: 3, Col: 2}, diag.Pos{}, region{3, 2, 0, 0}},
		{"an end that is the start", diag.Pos{Line: 3, Col: 2}, diag.Pos{Line: 3, Col: 2}, region{3, 2, 0, 0}},
		{"the end of the text", diag.Pos{Line: 3, Col: 1}, diag.Pos{Line: 3, Col: 5}, region{3, 1, 3, 5}},
		{"past the line", diag.Pos{Line: 1, Col: 99}, diag.Pos{Line: 9, Col: 9}, region{1, 5, 0, 0}},
		{"past the text", diag.Pos{Line: 99, Col: 2}, diag.Pos{}, region{99, 0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ds := []diag.Diagnostic{{Path: "a.yaml", Start: tt.start, End: tt.end, Rule: "x", Message: "m"}}
			run := writeSARIF(t, ds, diag.SARIF{Text: textOf(map[string]string{"a.yaml": text})})
			if got := run.Results[0].Locations[0].PhysicalLocation.Region; got != tt.want {
				t.Errorf("region is %v, want %v", got, tt.want)
			}
			run = writeSARIF(t, ds, diag.SARIF{})
			if got, want := run.Results[0].Locations[0].PhysicalLocation.Region, (region{StartLine: tt.start.Line}); got != want {
				t.Errorf("without the text, region is %v, want %v", got, want)
			}
		})
	}
}

// A finding is the same when lines or items come in front of it, and when its words
// name another day; it is another where its value, rule or file is.
func TestSARIFFingerprints(t *testing.T) {
	of := func(text string, d diag.Diagnostic) map[string]string {
		run := writeSARIF(t, []diag.Diagnostic{d}, diag.SARIF{Text: textOf(map[string]string{"a.yaml": text, "b.yaml": text})})
		return run.Results[0].PartialFingerprints
	}
	d := diag.Diagnostic{Path: "a.yaml", Start: diag.Pos{Line: 2, Col: 5}, Pointer: "/licenses/0", Rule: "x", Message: "before 2026-01-01"}
	before := of("licenses:\n  - GPL\nlast: 1\n", d)
	if before["primaryLocationLineHash"] == "" || before["finding/v1"] == "" {
		t.Fatalf("fingerprints are %v", before)
	}
	moved := d
	moved.Start.Line, moved.Pointer, moved.Message = 4, "/licenses/1", "before 2026-01-02"
	if diff := cmp.Diff(before, of("first: 1\nlicenses:\n  - MIT\n  - GPL\nlast: 1\n", moved)); diff != "" {
		t.Errorf("a finding that moved differs (-before +after):\n%s", diff)
	}
	if after := of("licenses:\n  - BSD\nlast: 1\n", d); after["primaryLocationLineHash"] == before["primaryLocationLineHash"] || after["finding/v1"] == before["finding/v1"] {
		t.Errorf("another value has the fingerprints %v too", after)
	}
	for _, change := range []func(*diag.Diagnostic){
		func(d *diag.Diagnostic) { d.Path = "b.yaml" },
		func(d *diag.Diagnostic) { d.Rule = "y" },
		func(d *diag.Diagnostic) { d.Pointer = "/types/0" },
	} {
		other := d
		change(&other)
		if after := of("licenses:\n  - GPL\nlast: 1\n", other); after["finding/v1"] == before["finding/v1"] {
			t.Errorf("%+v has the same fingerprint", other)
		}
	}
	twice := writeSARIF(t, []diag.Diagnostic{d, d}, diag.SARIF{}).Results
	if twice[0].PartialFingerprints["finding/v1"] == twice[1].PartialFingerprints["finding/v1"] {
		t.Error("two findings have one fingerprint")
	}
}

// The hash of a line is the one that GitHub's upload computes; where they differ,
// it warns. Here it is computed the slow way.
func TestSARIFLineHash(t *testing.T) {
	const empty = "c129715d7a2bc9a3:1" // as GitHub's own tests have it
	for _, text := range []string{
		"", "\n", "a", " a\t\nb\n  c", "a\r\nb\rc\n\n", strings.Repeat("- item\n", 40), "é: 🙂\n" + strings.Repeat("x", 250) + "\nend", "\ufeffa\n \n",
	} {
		want := slowHashes(text)
		var ds []diag.Diagnostic
		for i := range want {
			ds = append(ds, diag.Diagnostic{Path: "a", Start: diag.Pos{Line: i + 1, Col: 1}, Rule: "x", Message: "m"})
		}
		var got []string
		for _, r := range writeSARIF(t, ds, diag.SARIF{Text: textOf(map[string]string{"a": text})}).Results {
			got = append(got, r.PartialFingerprints["primaryLocationLineHash"])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hashes of %.30q differ (-want +got):\n%s", text, diff)
		}
		if text == "" && got[0] != empty {
			t.Errorf("the hash of no text is %s, want %s", got[0], empty)
		}
	}
}

func slowHashes(text string) []string {
	var hashes []string
	count := map[string]int{}
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	for i := range lines {
		rest := strings.NewReplacer(" ", "", "\t", "").Replace(strings.Join(lines[i:], "\n"))
		numbers := append(utf16.Encode([]rune(rest)), 65535)
		sum := new(big.Int)
		for j := range 100 {
			sum.Mul(sum, big.NewInt(37))
			if j < len(numbers) {
				sum.Add(sum, big.NewInt(int64(numbers[j])))
			}
		}
		hash := new(big.Int).Mod(sum, new(big.Int).Lsh(big.NewInt(1), 64)).Text(16)
		count[hash]++
		hashes = append(hashes, fmt.Sprintf("%s:%d", hash, count[hash]))
	}
	return hashes
}

// Whatever a file is called and an entry says, the report is one, its paths are
// URIs, and nothing in its messages is a link or stands for an argument.
func TestSARIFHostile(t *testing.T) {
	run := writeSARIF(t, []diag.Diagnostic{
		{Path: "a b/%2e\n\"<é>:#?.yaml", Start: diag.Pos{Line: 1, Col: 1}, Rule: "x", Message: "{0} and [a](https://evil.example) \x1b[2J\u202e\n::error::", Hint: "{"},
		{Path: "/srv/registry/dpgs/a.yaml", Rule: "\n", Message: ""},
		{Path: "\xff.yaml", Rule: "x", Message: "\xff"},
		{Path: "c:d.yaml", Rule: "x", Message: "m"},
	}, diag.SARIF{})
	var uris []string
	for _, r := range run.Results {
		a := r.Locations[0].PhysicalLocation.ArtifactLocation
		uris = append(uris, a.URIBaseID+" "+a.URI)
	}
	want := []string{"%SRCROOT% a%20b/%252e%0A%22%3C%C3%A9%3E:%23%3F.yaml", " file:///srv/registry/dpgs/a.yaml", "%SRCROOT% %FF.yaml", "%SRCROOT% ./c:d.yaml"}
	if diff := cmp.Diff(want, uris); diff != "" {
		t.Errorf("URIs differ (-want +got):\n%s", diff)
	}
	if got, want := run.Results[0].Message.Text, "{{0}} and [a] (https://evil.example) \ufffd[2J\ufffd\n::error::\nhint: {{"; got != want {
		t.Errorf("message is %q, want %q", got, want)
	}
}

func FuzzSARIF(f *testing.F) {
	f.Add("a.yaml", "é: 🙂\r\nb", 1, 4, "/a/0", "{x}")
	f.Add("\xff", "\r\n\r", 3, -1, "", "\n")
	f.Fuzz(func(t *testing.T, path, text string, line, col int, pointer, message string) {
		d := diag.Diagnostic{Path: path, Start: diag.Pos{Line: line, Col: col}, End: diag.Pos{Line: line, Col: col + 3}, Pointer: pointer, Rule: "x", Message: message}
		var b bytes.Buffer
		if err := diag.WriteSARIF(&b, []diag.Diagnostic{d}, diag.SARIF{Text: func(string) []byte { return []byte(text) }}); err != nil || !json.Valid(b.Bytes()) {
			t.Errorf("WriteSARIF gives error %v and %q", err, b.String())
		}
	})
}
