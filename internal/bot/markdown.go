package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// code shows hostile text in Markdown: inside a code span there are no mentions,
// issue links, HTML or images. It works in a table cell too. Text over limit
// characters is cut and marked.
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
	return fence + strings.ReplaceAll(s, "|", `\|`) + fence
}

// fold hides detail under a line that opens on a click. The blank lines make
// the Markdown inside be read as such.
func fold(summary, detail string) string {
	return "<details><summary>" + summary + "</summary>\n\n" + strings.TrimRight(detail, "\n") + "\n\n</details>\n"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}
