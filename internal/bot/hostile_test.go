package bot

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// canary stands in every hostile text. Outside code spans nobody may meet it.
const canary = "zzevil"

// The HTML that the bot itself writes.
var ownHTML = []string{
	"<br>", "<sub>", "</sub>", "<details>", "<summary>", "</summary>", "</details>", "",
}

// checkMarkdown reports what a text does besides showing hostile text in code
// spans: links, images, mentions, HTML that is not the bot's.
func checkMarkdown(t *testing.T, source string) {
	t.Helper()
	src := []byte(source)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(src))
	html := func(raw string) {
		raw = regexp.MustCompile(`^<!-- dpg-registry:[a-z0-9 -]+ -->$`).ReplaceAllString(strings.TrimSpace(raw), "")
		for _, tag := range regexp.MustCompile(`<[^>]*>|[^<]+`).FindAllString(raw, -1) {
			if !slices.Contains(ownHTML, tag) && (strings.HasPrefix(tag, "<") || strings.Contains(tag, canary) || strings.Contains(tag, "@")) {
				t.Errorf("HTML %q is not the bot's", tag)
			}
		}
	}
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.Link, *ast.Image, *ast.AutoLink, *ast.FencedCodeBlock, *ast.CodeBlock, *ast.Blockquote, *east.Strikethrough, *east.TaskCheckBox:
			t.Errorf("there is a %s", n.Kind())
		case *ast.RawHTML:
			html(string(n.Segments.Value(src)))
		case *ast.HTMLBlock:
			html(string(n.Lines().Value(src)))
		case *east.TableRow:
			if cells := n.ChildCount(); cells != 4 {
				t.Errorf("a row has %d cells", cells)
			}
		case *ast.Text:
			if s := string(n.Value(src)); strings.Contains(s, canary) || strings.ContainsAny(s, "@`|") || regexp.MustCompile(`#\d`).MatchString(s) {
				t.Errorf("%q stands outside code spans", s)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A line of an entry must not become one of the bot's own.
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "::") || strings.HasPrefix(line, "/") || strings.HasPrefix(line, "@") {
			t.Errorf("a line starts as a command: %q", line)
		}
	}
	if strings.ContainsAny(source, "\u202e\u2066\u200f\x1b\x00\r") {
		t.Error("there are characters that turn text round or drive a terminal")
	}
}

// attacks are texts that mean something in Markdown, HTML, a log or a terminal.
var attacks = []string{
	"@everyone " + canary + " #1 GH-1 org/repo#1",
	"<img src=x onerror=alert(1)> <script>" + canary + "</script> <!-- " + canary + " -->",
	"[" + canary + "](https://evil.example) ![" + canary + "](https://evil.example/x.png) <https://evil.example> https://evil.example",
	"`" + canary + "` ``@" + canary + "`` ```\n@" + canary + "\n```",
	"| @" + canary + ` | \| @` + canary + ` \\| @` + canary + ` \\\| x`,
	`\`, "`", "``", "|", `\|`, `\\`, "` |", `|` + "`",
	canary + "\n\n# @" + canary + "\n\n- [ ] " + canary + "\n> " + canary,
	canary + "\r\n::error::" + canary + "\n::set-output name=x::" + canary,
	strings.Repeat(canary, 500),
	strings.Repeat("`", 400) + canary,
	"\u202e" + canary + "\u2066\u200f \x1b[31m \x00 \u2028@" + canary,
	"</details></summary><details open><summary>" + canary,
	"--> @" + canary + " <!--",
	"~~~\n" + canary + "\n~~~", "    @" + canary, "\t@" + canary, "$$" + canary + "$$", ":tada: " + canary + " **bold** _it_ ~~no~~",
	"\xff\xfe@" + canary,
}

// Hostile text is shown, and does nothing.
func TestCodeShowsAndDoesNothing(t *testing.T) {
	for _, attack := range attacks {
		checkCode(t, attack)
	}
}

func FuzzCode(f *testing.F) {
	for _, attack := range attacks {
		f.Add(attack)
	}
	f.Fuzz(func(t *testing.T, s string) { checkCode(t, strings.ReplaceAll(s, "(blank)", "")+canary) })
}

func checkCode(t *testing.T, s string) {
	t.Helper()
	inLine := "## " + diag.Code(s, 300) + "\n\n" + diag.Code(s, 300) + "\n\n- " + diag.Code(s, 300) + "\n  - **" + diag.Code(s, 300) + "** and " + diag.Code(s, 300) + "\n\n" +
		fold("detail", "- "+diag.Code(s, 300)) + "after\n"
	checkMarkdown(t, inLine)
	table := "| | where | rule | what to do |\n|---|---|---|---|\n| x | " + diag.Cell(s, 300) + " | " + diag.Cell(s, 300) + " | " + diag.Cell(s, 300) + "<br>" + diag.Cell(s, 300) + " |\n\n"
	checkMarkdown(t, table)
	// Other readers of tables cut at each pipe without a backslash just before it,
	// or with an even number of them.
	row := strings.Split(table, "\n")[2]
	if n := len(regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\|`).FindAllString(row, -1)); n != 5 {
		t.Errorf("a row is cut at %d pipes, want 5: %s", n, row)
	}
	if strings.Contains(row, `\\|`) {
		t.Errorf("a pipe with two backslashes is read in two ways: %s", row)
	}
	// A plain text is shown as it is.
	if regexp.MustCompile(`^[a-z ]{1,50}$`).MatchString(s) && strings.TrimSpace(s) == s && !strings.Contains(s, "  ") && diag.Code(s, 300) != "`"+s+"`" {
		t.Errorf("diag.Code(%q) = %q", s, diag.Code(s, 300))
	}
}

// yamlText writes any text as a YAML scalar.
func yamlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "?") {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r < 0x2070:
			b.WriteString(`\u` + hex4(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

func hex4(r rune) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15]})
}

// A hostile pull request, on a forge with hostile names: everything the bot writes
// about it is its own words and code spans.
func TestHostilePullRequest(t *testing.T) {
	d := newDesk(t, entries(1))
	d.main = "@" + canary + "`<b>|#1"
	d.git("", "branch", "-m", "main", d.main)
	d.git("", "symbolic-ref", "HEAD", "refs/heads/"+d.main)
	files := map[string]string{
		"registry/assessments/dpgs/@" + canary + " #1 <b>`|.yaml": "x",
		"registry/@" + canary + "\n#1|`<b>":                       "x",
		"@" + canary + "/<img src=x>`|\n::error::":                "x",
		"registry/frameworks/@" + canary + "`|.yaml":              needsFile,
		"registry/dpgs/@" + canary + "\n::error::x #1`|<b>.yaml":  entryFile("new", "stewards: [{github: x}]\n"),
		"registry/dpgs/\x1b[31m\u202e" + canary + ".yaml":         entryFile("newer", "stewards: [{github: x}]\n"),
		"registry/@" + canary + "/x.yaml":                         "x",
	}
	for i, attack := range attacks {
		id := "h" + string(rune('a'+i))
		text := yamlText(attack)
		files[dpg(id)] = `schema: dpg/v1
id: ` + id + `
name: ` + text + `
aliases: [` + text + `]
description: ` + yamlText("It works offline, "+attack+" and it is encrypted by "+attack+" all day and night.") + `
website: ` + text + `
types: [software, ` + text + `]
sectors: [` + text + `]
licenses: [{expression: ` + text + `, url: ` + text + `}]
repositories: [{url: ` + text + `}]
sdgs: [{goal: 3, text: ` + text + `, evidence: [` + text + `]}]
organizations: [{name: ` + text + `, role: ` + text + `}]
locations: {deployed_in: [` + text + `]}
status: {stage: nominee, as_of: ` + text + `}
about: [` + text + `]
waivers: [{rule: ` + text + `, reason: ` + text + `, by: {github: ` + text + `}, until: ` + text + `}]
` + text + `: ` + text + "\n"
	}
	d.push("t@"+canary+"`<b>|#1", "refs/heads/"+d.main, files)
	number := d.openPull("t@"+canary+"`<b>|#1", "@"+canary+" #1 <b>`\n::error::x")
	v := d.review(number)
	if v.Conclusion != forge.Failure || len(v.Findings) < 2*len(attacks) {
		t.Errorf("verdict is %s with %d findings", v.Conclusion, len(v.Findings))
	}
	comment := d.comment(number)
	checkMarkdown(t, comment)
	if n := strings.Count(comment, canary); n < 50 {
		t.Errorf("the comment shows hostile text %d times; the test does not test much", n)
	}
	check, _ := d.check(d.pull(number).HeadSHA)
	checkMarkdown(t, check.Summary)
	d.still("a second review", func() { d.review(number) })
	if testing.Verbose() {
		t.Log(comment)
	}
}

// The same merged, by mistake: the bot's own pull request is as harmless, and its
// branch holds plain names only.
func TestHostileMain(t *testing.T) {
	files := map[string]string{
		"registry/dpgs/@" + canary + " #1`|<b>.yaml":              entryFile("good", ""),
		"registry/dpgs/x:" + canary + ".yaml":                     entryFile("x", ""),
		"registry/dpgs/" + strings.Repeat(canary, 40) + ".yaml":   entryFile("x", ""),
		"registry/dpgs/" + canary + "\n\nCo-authored-by: x.yaml":  entryFile("x", ""),
		"registry/assessments/dpgs/@" + canary + "`|\n #1 x.yaml": "x",
		"registry/dpgs/@" + canary + "/ok.yaml":                   entryFile("ok", ""),
	}
	for i, attack := range attacks {
		id := "h" + string(rune('a'+i))
		text := entryFile(id, "")
		text = swap(t, text, "name: Clinic "+id, "name: "+yamlText(canary+" "+attack))
		text = swap(t, text, "description: Free software", "description: "+yamlText("It works offline, "+attack+" and it is encrypted by "+attack+" all day and night.")+"\n#")
		files[dpg(id)] = text
	}
	d := newDesk(t, files)
	s := d.sync()
	pr := d.onlyPull()
	checkMarkdown(t, pr.Body)
	if !strings.Contains(pr.Body, canary) {
		t.Error("the body shows no hostile text; the test does not test much")
	}
	if message := d.git("", "log", "-1", "--format=%B", botBranch); strings.Contains(message, canary) || strings.ContainsAny(message, "@#<") {
		t.Errorf("commit message is %q", message)
	}
	if strings.Contains(pr.Title, canary) {
		t.Errorf("title is %q", pr.Title)
	}
	for _, name := range d.proposed(botBranch) {
		if strings.Contains(name, canary) {
			t.Errorf("%q is proposed", name)
		}
	}
	if s.Findings.Errors == 0 {
		t.Error("nothing was found")
	}
	d.still("a second sync", func() { d.sync() })
	if testing.Verbose() {
		t.Log(pr.Body)
	}
}
