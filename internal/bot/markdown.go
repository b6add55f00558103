package bot

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// code shows hostile text in Markdown: inside a code span there are no mentions,
// issue links, HTML or images. Text over limit characters is cut and marked. In a
// table it has to be a cell.
func code(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = strings.TrimSpace(string([]rune(s)[:limit])) + " …"
	}
	if s == "" {
		return "(blank)"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}

var escapedPipe = regexp.MustCompile(`(\\+)\|`)

// cell is code in a table, which is cut at pipes before code spans are looked for.
// A backslash keeps a pipe in its cell, but whether two before it do is read in
// several ways: a space parts the text's own from the pipe.
func cell(s string, limit int) string {
	s = escapedPipe.ReplaceAllString(code(s, limit), `$1 |`)
	return strings.ReplaceAll(s, "|", `\|`)
}

// fold hides detail under a line that opens on a click. The blank lines make
// the Markdown inside be read as such.
func fold(summary, detail string) string {
	return "<details><summary>" + summary + "</summary>\n\n" + strings.TrimRight(detail, "\n") + "\n\n</details>\n\n"
}

// some lists the first few of many, each as code.
func some(all []string, limit int) string {
	const most = 5
	var shown []string
	for _, s := range all[:min(len(all), most)] {
		shown = append(shown, code(s, limit))
	}
	list := strings.Join(shown, ", ")
	if len(all) > most {
		list += " and " + strconv.Itoa(len(all)-most) + " more"
	}
	return list
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
