package lint

import (
	"strings"
	"unicode"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var space = &Rule{
	ID:       "space",
	Severity: diag.Warning,
	Summary:  "no text begins or ends with white space",
	Doc: `White space at either end is nearly always left over from copying. It cannot be seen, yet it makes two
names differ and a link fail. The line feed that ends a YAML block is not meant.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			written := strings.TrimRight(s.Text, "\n")
			text, front := trim(written)
			if text == "" || text == written {
				continue
			}
			if !strings.ContainsFunc(written[:front]+written[front+len(text):], unicode.IsSpace) {
				continue // nothing but hidden characters, which are the matter of another rule
			}
			where := "begins and ends"
			switch {
			case front == 0:
				where = "ends"
			case front+len(text) == len(written):
				where = "begins"
			}
			d := p.Reportf(s.Pointer, "delete it", "%s %s with white space", quote(written), where)
			d.Edits = p.edits.of(func() []diag.Edit { return p.Doc.Source.Trim(s.Pointer, front, front+len(text)) })
		}
	},
}
