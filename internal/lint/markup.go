package lint

import (
	"regexp"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var markupRule = &Rule{
	ID:       "markup",
	Severity: diag.Warning,
	Summary:  "texts are plain, without HTML or links of Markdown",
	Doc: `Pages, tables and data portals show a text letter by letter, so tags, character references such as "&amp;" and links of Markdown
are read as they are typed. They mostly come along when a web page is copied. Links have keys of their own.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			if strings.HasPrefix(s.Pointer, "/decisions/") {
				continue // the matter of rule "decision"
			}
			if at := markedUp.FindStringIndex(s.Text); at != nil {
				p.ReportWithinf(s.Pointer, at[0], at[1]-at[0], "write plain text; a link goes into a key of its own, such as website or evidence",
					"%s holds %s, which is shown as it is typed", quote(s.Field), quote(s.Text[at[0]:at[1]]))
			}
		}
	},
}

// markedUp matches what nobody writes in plain text: "<name of the ministry>" and
// "a < b" do not.
var markedUp = regexp.MustCompile(`(?i)</?(?:a|abbr|b|blockquote|br|code|div|em|font|h[1-6]|hr|i|iframe|img|li|ol|p|pre|script|span|strong|style|sub|sup|table|td|th|tr|u|ul)(?:\s[^<>]{0,500})?/?>` +
	`|&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[mn]dash|hellip|#\d{1,6}|#x[0-9a-f]{1,6});|\]\(https?://`)
