package source

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The library's error says which construct it was in, and often names the line
// where that began, not the one with the slip. So where a file is no YAML, its
// lines are looked through for what people usually get wrong. A slip counts only
// if mending it, with the others, makes YAML of the file.

const (
	maxSlips    = 24       // lines that are tried, each with a reading of the file
	maxSlipFile = 48 << 10 // bytes of a file that is tried
)

// A slip is a line that is not YAML and how it would be.
type slip struct {
	line          int // from 0
	start, end    int // bytes of the line
	mended        string
	message, hint string
}

// slips finds what keeps a text from being YAML, nothing needless among it; none
// where it cannot tell.
func slips(text []byte) []slip {
	if len(text) > maxSlipFile {
		return nil
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if marks := conflictMarks(lines); marks != nil {
		return marks
	}
	all := suspects(lines)
	if len(all) == 0 || !readable(lines, all) {
		return nil
	}
	for i := 0; i < len(all); { // what the file can do without was no slip
		if without := slices.Delete(slices.Clone(all), i, i+1); readable(lines, without) {
			all = without
		} else {
			i++
		}
	}
	return all
}

// readable reports whether the lines, some of them mended, are one YAML document.
func readable(lines []string, mended []slip) bool {
	lines = slices.Clone(lines)
	for _, s := range mended {
		lines[s.line] = s.mended
	}
	var root yaml.Node
	return yaml.NewDecoder(strings.NewReader(strings.Join(lines, "\n"))).Decode(&root) == nil
}

// conflictMarks finds the lines that Git leaves where a merge needs a person.
func conflictMarks(lines []string) []slip {
	for i, l := range lines {
		if strings.HasPrefix(l, "<<<<<<< ") && slices.ContainsFunc(lines[i:], func(l string) bool { return strings.HasPrefix(l, ">>>>>>> ") }) {
			return []slip{{line: i, end: len(l), message: "a merge in Git left its marks here",
				hint: `keep what is right of the lines down to ">>>>>>>", and delete the three lines of marks`}}
		}
	}
	return nil
}

var (
	blockHead = regexp.MustCompile(`(?:^|[:\-] +)[|>][-+0-9]*[ \t]*(?:#.*)?$`)
	lineParts = regexp.MustCompile(`^((?: |- )*)(?:([A-Za-z_][\w-]*):(?:[ \t]+|$))?(.*)$`)
	noSpace   = regexp.MustCompile(`^((?: |- )*)([A-Za-z_][\w-]*)(?::([^\s/].*)|：[ \t]*(.+))$`)
	blanks    = regexp.MustCompile(`^[ \t\x{a0}\x{2000}-\x{200a}\x{202f}\x{3000}]+`)
	wideColon = regexp.MustCompile(`^((?: |- )*[A-Za-z_][\w-]*:)[\x{a0}\x{2000}-\x{200a}\x{202f}\x{3000}][ \t\x{a0}]*(.*)$`)
)

// suspects lists the lines that may be slips, at most one each.
func suspects(lines []string) []slip {
	var all []slip
	block := -1        // the indentation of the key of a block of text
	before := ""       // the last line that was not blank, mended
	levels := []int{0} // the columns where keys began so far
	for i, l := range lines {
		bare := strings.TrimLeft(l, " ")
		indent := len(l) - len(bare)
		if strings.TrimSpace(bare) == "" || bare[0] == '#' || block >= 0 && indent > block {
			continue
		}
		block = -1
		s, ok := suspect(l, before, next(lines[i+1:]))
		if !ok {
			s, ok = misindented(l, before, levels)
		}
		before = l
		if ok {
			s.line, before = i, s.mended
			if all = append(all, s); len(all) == maxSlips {
				return all
			}
		} else if blockHead.MatchString(l) {
			block = indent
		}
		if m := lineParts.FindStringSubmatchIndex(before); m[4] >= 0 {
			levels = append(levels, m[4])
		}
	}
	return all
}

func next(lines []string) string {
	for _, l := range lines {
		if b := strings.TrimSpace(l); b != "" && b[0] != '#' {
			return l
		}
	}
	return ""
}

func suspect(line, before, after string) (slip, bool) {
	whole := func(mended, message, hint string) (slip, bool) {
		return slip{end: len(line), mended: mended, message: message, hint: hint}, true
	}
	if lead := blanks.FindString(line); strings.Trim(lead, " ") != "" {
		at := strings.IndexFunc(lead, func(r rune) bool { return r != ' ' })
		r, size := utf8.DecodeRuneInString(lead[at:])
		what := fmt.Sprintf("U+%04X, a blank that looks like a space,", r)
		if r == '\t' {
			what = "a tab"
		}
		rest := line[len(lead):]
		mended := strings.Repeat(" ", len(indentOf(before))) + rest
		if opens(before) || strings.HasPrefix(rest, "- ") && !strings.HasPrefix(strings.TrimLeft(before, " "), "- ") {
			mended = strings.Repeat(" ", len(indentOf(before))+2) + rest
		} else if a := indentOf(after); strings.Trim(a, " ") == "" && strings.HasPrefix(strings.TrimLeft(before, " "), "- ") && !strings.HasPrefix(rest, "- ") {
			mended = strings.Repeat(" ", len(indentOf(before))+2) + rest
		}
		return slip{start: at, end: at + size, mended: mended, message: what + " indents this line", hint: "indent by spaces, two for each level"}, true
	}
	if m := wideColon.FindStringSubmatchIndex(line); m != nil {
		r, size := utf8.DecodeRuneInString(line[m[3]:])
		return slip{start: m[3], end: m[3] + size, mended: line[:m[3]] + " " + line[m[4]:],
			message: fmt.Sprintf("U+%04X, a blank that looks like a space, stands behind the colon", r), hint: "write a plain space"}, true
	}
	if m := noSpace.FindStringSubmatch(line); m != nil {
		mended := m[1] + m[2] + ": " + m[3] + m[4]
		return whole(mended, fmt.Sprintf("key %q and its value need a colon and a space between them", short(m[2])), "write "+short(strings.TrimSpace(mended)))
	}
	m := lineParts.FindStringSubmatchIndex(line)
	value := strings.TrimRight(line[m[6]:], " \t")
	if value == "" {
		return slip{}, false
	}
	at := m[6]
	quoted := func(text, message string) (slip, bool) {
		q := quoteLine(text)
		return slip{start: at, end: at + len(value), mended: line[:at] + q, message: message, hint: "put the text in quotes: " + short(q)}, true
	}
	switch c := value[0]; c {
	case '@', '`', '%', '*', ',', '?', '|', '>':
		if (c == '|' || c == '>') && blockHead.MatchString(line) {
			break
		}
		return quoted(value, fmt.Sprintf("a text that begins with %q needs quotes", value[:1]))
	case '"', '\'':
		if end := closing(value); end < 0 {
			if inner := strings.Count(value[1:], value[:1]); inner == 0 {
				return slip{start: at, end: at + len(value), mended: line[:at] + quoteLine(value[1:]),
					message: fmt.Sprintf("the quote %s is never closed", value[:1]), hint: "close it at the end of the text: " + short(quoteLine(value[1:]))}, true
			}
		} else if rest := strings.TrimLeft(value[end:], " \t"); rest != "" && rest[0] != '#' {
			text := value
			if last := value[len(value)-1]; last == c && len(value) > 1 && c == '\'' {
				text = value[1 : len(value)-1] // 'It's good': the quote inside is an apostrophe
			}
			return quoted(text, fmt.Sprintf("the text goes on behind its closing quote %s", value[:1]))
		}
	case '[', '{':
		if mended := quoteFields(value); mended != "" {
			return slip{start: at, end: at + len(value), mended: line[:at] + mended,
				message: "between { and } a text with a comma, a colon or a bracket in it needs quotes", hint: "write " + short(mended)}, true
		}
		open := unclosed(value)
		if open == "" {
			if end := strings.LastIndexAny(value, "]}"); end >= 0 && end < len(value)-1 && !strings.HasPrefix(strings.TrimLeft(value[end+1:], " \t"), "#") {
				return quoted(value, fmt.Sprintf("a text that begins with %q needs quotes", value[:1]))
			}
			if strings.HasPrefix(value, "[") && strings.Contains(value, "](") {
				return quoted(value, `a text that begins with "[" needs quotes`)
			}
			break
		}
		return slip{start: at, end: at + len(value), mended: line + open, message: fmt.Sprintf("%q is never closed", value[:1]), hint: fmt.Sprintf("add %q at the end of the list or mapping", open)}, true
	default:
		if i := strings.Index(value, ": "); i >= 0 || strings.HasSuffix(value, ":") && m[4] >= 0 {
			if m[4] >= 0 {
				return quoted(value, "a colon with a space behind it ends a key; inside a text it needs quotes")
			}
			return slip{start: at, end: at + len(value), mended: strings.ReplaceAll(line, ": ", " "),
				message: "a colon with a space behind it ends a key; inside a text it needs quotes",
				hint:    "put the whole text in quotes, from where it begins to where it ends"}, true
		}
	}
	return slip{}, false
}

// misindented is about a key that stands further in than the key with a value above
// it, or between two levels.
func misindented(line, before string, levels []int) (slip, bool) {
	m, above := lineParts.FindStringSubmatchIndex(line), lineParts.FindStringSubmatchIndex(before)
	if m[4] < 0 || above[4] < 0 || m[3] != len(indentOf(line)) {
		return slip{}, false
	}
	at, want := m[4], -1
	switch {
	case at > above[4] && above[6] < above[7]:
		want = above[4]
	case at < above[4] && !slices.Contains(levels, at):
		for _, l := range levels {
			if l < at && l > want {
				want = l
			}
		}
	}
	if want < 0 {
		return slip{}, false
	}
	return slip{end: at, mended: strings.Repeat(" ", want) + line[at:], message: fmt.Sprintf("this line is indented by %s, and the keys it belongs with by %d", spaces(at), want),
		hint: fmt.Sprintf("begin it in column %d", want+1)}, true
}

func spaces(n int) string {
	if n == 1 {
		return "1 space"
	}
	return fmt.Sprintf("%d spaces", n)
}

func indentOf(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, " "))]
}

// opens reports whether a line ends with a key whose value stands below it.
func opens(line string) bool {
	return strings.HasSuffix(strings.TrimRight(line, " \t"), ":")
}

// closing is where a quoted text at the start of s ends, or -1.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\':
			i++
		case s[i] != s[0]:
		case s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

var fieldStart = regexp.MustCompile(`(?:^\{|, *)([a-z_]+): +`)

// quoteFields puts the texts between braces in quotes where they need it, or
// returns "" where none does or s is no mapping of plain texts on one line.
func quoteFields(s string) string {
	if !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") {
		return ""
	}
	fields := fieldStart.FindAllStringSubmatchIndex(s, -1)
	var out strings.Builder
	done, changed := 0, false
	for i, m := range fields {
		end := len(s) - 1
		if i+1 < len(fields) {
			end = fields[i+1][0]
		}
		text := s[m[1]:end]
		out.WriteString(s[done:m[1]])
		if text != "" && !strings.Contains("\"'[{", text[:1]) && strings.ContainsAny(text, `:{}[],`) {
			text, changed = quoteLine(text), true
		}
		out.WriteString(text)
		done = end
	}
	if !changed {
		return ""
	}
	return out.String() + s[done:]
}

// unclosed are the brackets that a value in brackets lacks at its end.
func unclosed(s string) string {
	var open []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ']', '}':
			if n := len(open); n > 0 && open[n-1] == c {
				open = open[:n-1]
			}
		case '"', '\'':
			if before := s[i-1]; before == ' ' || before == '[' || before == '{' || before == ',' {
				if n := closing(s[i:]); n > 0 {
					i += n - 1
				}
			}
		}
	}
	slices.Reverse(open)
	return string(open)
}

// quoteLine writes a text of one line as a YAML scalar in quotes, the plainer of the
// two sorts.
func quoteLine(text string) string {
	if strings.ContainsAny(text, `"\`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return `"` + text + `"`
}

// short cuts a long text for a hint.
func short(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	cut := []byte(s[:most])
	for !utf8.Valid(cut) && len(cut) > 0 {
		cut = cut[:len(cut)-1]
	}
	return string(bytes.TrimSpace(cut)) + "…" + s[len(s)-1:]
}
