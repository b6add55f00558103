package lint

import (
	"bytes"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var textCut = &Rule{
	ID:       "text-cut",
	Severity: diag.Warning,
	Summary:  "no text loses words to a sign of YAML",
	Doc: `In a text without quotes a blank and "#" begin a comment, so that of "We are #1 in health" only "We are" is left; "!" and "&" at
the start take the first word away. A comment with a space behind its "#" is not meant, nor "&" where the name is used again.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			n, exact := p.Doc.Source.Locate(s.Pointer)
			if !exact || n.Kind != source.String {
				continue
			}
			start, ok := p.Doc.Source.Offset(n.Start())
			text := p.Doc.Source.Bytes()
			if !ok || start >= len(text) {
				continue
			}
			line, _, _ := bytes.Cut(text[start:], []byte("\n"))
			switch line[0] {
			case '"', '\'', '|', '>', '*':
			case '!', '&':
				word, _, more := strings.Cut(string(line), " ")
				if !more || strings.HasPrefix(word, "!!") || word == "!" || line[0] == '&' && bytes.Contains(text, []byte("*"+word[1:])) {
					continue
				}
				p.Reportf(s.Pointer, "put the whole text in quotes", "%s is not part of %s: to YAML a word that begins with %q is no text", quote(word), quote(s.Field), word[:1])
			default:
				end, ok := p.Doc.Source.Offset(n.End())
				if !ok || end <= start || end >= len(text) {
					continue
				}
				rest, _, _ := bytes.Cut(text[end:], []byte("\n"))
				lost := bytes.TrimSpace(rest)
				if len(lost) > 1 && lost[0] == '#' && lost[1] != ' ' && lost[1] != '\t' && lost[1] != '#' && lost[1] != '!' {
					p.Reportf(s.Pointer, `put the whole text in quotes; or, if it is a comment, write a space behind "#"`,
						"%s is not part of %s: to YAML a blank and \"#\" begin a comment", quote(string(lost)), quote(s.Field))
				}
			}
		}
	},
}
