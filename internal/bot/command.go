package bot

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A Command is one line of a comment that asks the bot for something.
type Command struct {
	Line   string // as it was written
	Verb   string // one of Verbs, or whatever stands there
	Entry  string // as it was written, "" if left out
	Code   string // of accept and reject
	Rule   string // of waive
	Until  string // of waive, a date
	Reason string // one line
	// Problem says why it cannot be followed; "" is that it can.
	Problem string
}

// Verbs are the commands that the bot knows, in the order that help lists them.
var Verbs = []string{"validate", "fix", "assess", "accept", "reject", "waive", "help"}

const (
	maxCommands = 10   // followed in one comment
	maxReason   = 1000 // characters
	wake        = "/dpg"
)

var (
	wakes      = regexp.MustCompile(`(?m)^/dpg(?:[ \t]|\r?$)`)
	ruling     = regexp.MustCompile(`^(?:(\S+) +)?(\S+) +because +(\S.*)$`)
	waiving    = regexp.MustCompile(`^(?:(\S+) +)?(\S+) +until +(\S+) +because +(\S.*)$`)
	markdownOf = parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(util.Prioritized(parser.NewCodeSpanParser(), 100), util.Prioritized(parser.NewRawHTMLParser(), 200)),
	)
)

// Commands finds the commands in a comment: lines of plain paragraphs that begin
// with "/dpg". What stands in code, in a quotation, in a list or in HTML is talk
// about commands. Of more than ten the rest is left out.
func Commands(comment string) []Command {
	if !wakes.MatchString(comment) || !utf8.ValidString(comment) {
		return nil
	}
	src := []byte(strings.ReplaceAll(comment, "\r\n", "\n"))
	doc := markdownOf.Parse(text.NewReader(src))
	var all []Command
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() != ast.KindParagraph {
			continue
		}
		hidden := spans(n)
		for i := range n.Lines().Len() {
			at := n.Lines().At(i)
			line := string(bytes.TrimRight(at.Value(src), " \t\n"))
			atStart := at.Start == 0 || src[at.Start-1] == '\n'
			if !atStart || !wakes.MatchString(line) || inAny(hidden, at.Start) {
				continue
			}
			if all = append(all, command(line)); len(all) == maxCommands {
				return all
			}
		}
	}
	return all
}

// A span is bytes of a text from start up to end.
type span struct{ start, end int }

// spans are the pieces of code and HTML in a paragraph.
func spans(paragraph ast.Node) []span {
	var all []span
	for n := paragraph.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.CodeSpan:
			first, ok := n.FirstChild().(*ast.Text)
			last, ok2 := n.LastChild().(*ast.Text)
			if ok && ok2 {
				all = append(all, span{first.Segment.Start, last.Segment.Stop})
			}
		case *ast.RawHTML:
			if k := n.Segments.Len(); k > 0 {
				all = append(all, span{n.Segments.At(0).Start, n.Segments.At(k - 1).Stop})
			}
		}
	}
	return all
}

func inAny(all []span, at int) bool {
	for _, s := range all {
		if s.start <= at && at < s.end {
			return true
		}
	}
	return false
}

// command reads one line.
func command(line string) Command {
	c := Command{Line: line}
	rest := strings.TrimSpace(strings.TrimPrefix(line, wake))
	c.Verb, rest, _ = strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
	rest = strings.TrimSpace(rest)
	switch c.Verb {
	case "validate", "fix", "assess", "help":
		if rest != "" {
			c.Problem = "nothing may follow " + c.Verb
		}
	case "accept", "reject":
		m := ruling.FindStringSubmatch(rest)
		if m == nil || !strings.Contains(m[2], "/") {
			c.Problem = "write it as: /dpg " + c.Verb + " ENTRY CODE because REASON, such as /dpg " + c.Verb + " my-project dpi-safeguards/O3 because the site says so; ENTRY may be left out where one entry is touched"
			break
		}
		c.Entry, c.Code, c.Reason = m[1], m[2], m[3]
	case "waive":
		m := waiving.FindStringSubmatch(rest)
		if m == nil {
			c.Problem = "write it as: /dpg waive ENTRY RULE until DATE because REASON, such as /dpg waive my-project link until 2026-12-31 because the site moves; ENTRY may be left out where one entry is touched"
			break
		}
		c.Entry, c.Rule, c.Until, c.Reason = m[1], m[2], m[3], m[4]
		if _, err := time.Parse(time.DateOnly, c.Until); err != nil {
			c.Problem = "until wants a date such as 2026-12-31"
		}
	default:
		c.Problem = unknownCommand
	}
	if n := utf8.RuneCountInString(c.Reason); n > maxReason {
		c.Problem = "the reason has " + strconv.Itoa(n) + " characters; at most " + strconv.Itoa(maxReason) + " fit"
	}
	return c
}

const unknownCommand = "there is no such command"

// known reports whether the verb is one of Verbs.
func (c Command) known() bool { return c.Problem != unknownCommand }
