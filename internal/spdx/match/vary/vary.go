// Package vary writes licence texts in other ways: such that leave a licence what
// it is, and with clauses that do not. It is for tests and evaluations only.
package vary

import (
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"strings"
)

// A Way is one way to write a text that leaves its licence the same. The same
// numbers from r give the same text.
type Way struct {
	Name  string
	Write func(r *rand.Rand, text, title string) string
}

// Ways are all of them.
var Ways = []Way{
	{"rewrap", func(r *rand.Rand, text, _ string) string { return Rewrap(text, 40+r.IntN(80)) }},
	{"unwrap", func(_ *rand.Rand, text, _ string) string { return Rewrap(text, 1<<20) }},
	{"fill in", fill},
	{"upper case", func(_ *rand.Rand, text, _ string) string { return strings.ToUpper(text) }},
	{"lower case", func(_ *rand.Rand, text, _ string) string { return strings.ToLower(text) }},
	{"quotes", quotes},
	{"bullets", bullets},
	{"comment", comment},
	{"title added", func(r *rand.Rand, text, title string) string { return title + "\n\n" + text }},
	{"title removed", untitle},
	{"owner added", func(r *rand.Rand, text, _ string) string {
		return fmt.Sprintf("Copyright (c) %d %s\nAll rights reserved.\n\n%s", year(r), name(r), text)
	}},
	{"blanks", blanks},
	{"markdown", markdown},
	{"html", asHTML},
	{"spelling", spelling},
}

// All writes a text in several ways at once.
func All(r *rand.Rand, text, title string) string {
	text = fill(r, text, title)
	text = quotes(r, text, title)
	text = spelling(r, text, title)
	if r.IntN(2) == 0 {
		text = bullets(r, text, title)
	}
	text = Rewrap(text, 50+r.IntN(60))
	switch r.IntN(4) {
	case 0:
		return comment(r, text, title)
	case 1:
		return asHTML(r, text, title)
	case 2:
		return markdown(r, text, title)
	}
	return text
}

var paragraph = regexp.MustCompile(`\n[ \t]*\n+`)

// Rewrap breaks the lines of every paragraph anew.
func Rewrap(text string, width int) string {
	var b strings.Builder
	for i, p := range paragraph.Split(text, -1) {
		if i > 0 {
			b.WriteString("\n\n")
		}
		n := 0
		for j, w := range strings.Fields(p) {
			switch {
			case j == 0:
			case n+1+len(w) > width:
				b.WriteByte('\n')
				n = 0
			default:
				b.WriteByte(' ')
				n++
			}
			b.WriteString(w)
			n += len(w)
		}
	}
	return b.String()
}

var names = []string{"Jane Doe", "Acme Corporation", "The Example Authors", "Université de Genève", "Ministry of Health", "Ada L. Lovelace <ada@example.org>", "Foo Bar, Inc.", "the Widget project and its contributors"}

func name(r *rand.Rand) string { return names[r.IntN(len(names))] }

func year(r *rand.Rand) int { return 1995 + r.IntN(30) }

var (
	yearSlot = regexp.MustCompile(`(?i)<(?:year|yyyy|years?|date)>|\[(?:yyyy|year)\]|\{(?:yyyy|year)\}`)
	nameSlot = regexp.MustCompile(`(?i)<(?:copyright holders?|owner|name of author|copyright owner|name|author|holder|organization|owner organization name|your name|name of copyright owner|license holder)>|\[(?:name of copyright owner|fullname|owner|name|copyright holders?)\]|\{(?:name of copyright owner|owner|name)\}`)
)

func fill(r *rand.Rand, text, _ string) string {
	text = yearSlot.ReplaceAllLiteralString(text, fmt.Sprint(year(r)))
	return nameSlot.ReplaceAllLiteralString(text, name(r))
}

func quotes(r *rand.Rand, text, _ string) string {
	switch r.IntN(4) {
	case 0:
		return strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'").Replace(text)
	case 1:
		open := false
		return strings.NewReplacer("'", "’").Replace(regexp.MustCompile(`"`).ReplaceAllStringFunc(text, func(string) string {
			open = !open
			if open {
				return "“"
			}
			return "”"
		}))
	case 2:
		return strings.ReplaceAll(text, `"`, "''")
	}
	return strings.NewReplacer(`"`, "", "“", "", "”", "").Replace(text)
}

var bullet = regexp.MustCompile(`(?m)^([ \t]*)(?:\d{1,2}\.|\(?[a-z]\)|\*|-|•)[ \t]+`)

func bullets(r *rand.Rand, text, _ string) string {
	marks := []string{"* ", "- ", "• ", "1) ", "(b) ", ""}
	mark := marks[r.IntN(len(marks))]
	return bullet.ReplaceAllString(text, "${1}"+mark)
}

func comment(r *rand.Rand, text, _ string) string {
	kinds := [][3]string{{"", "// ", ""}, {"", "# ", ""}, {"/*\n", " * ", "\n */"}, {"", "-- ", ""}, {"", ";; ", ""}, {"", "% ", ""}, {"<!--\n", "  ", "\n-->"}, {"", "> ", ""}}
	k := kinds[r.IntN(len(kinds))]
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = k[1] + l
	}
	return k[0] + strings.Join(lines, "\n") + k[2] + "\n"
}

// untitle takes away a first line that is short and stands alone.
func untitle(_ *rand.Rand, text, _ string) string {
	head, rest, ok := strings.Cut(strings.TrimSpace(text), "\n\n")
	if ok && len(strings.Fields(head)) <= 8 && !strings.Contains(head, "\n") && len(rest) > 200 {
		return rest
	}
	return text
}

func blanks(r *rand.Rand, text, _ string) string {
	text = strings.ReplaceAll(text, "\n", "\r\n")
	if r.IntN(2) == 0 {
		text = strings.ReplaceAll(text, "\r\n", "  \r\n\t")
	}
	return strings.NewReplacer(". ", ".  ", "-", "–").Replace(text) + "\r\n\f\r\n"
}

func markdown(r *rand.Rand, text, title string) string {
	if r.IntN(2) == 0 {
		return "```\n" + text + "\n```\n"
	}
	return "# " + title + "\n\n" + regexp.MustCompile(`"([^"\n]{1,30})"`).ReplaceAllString(text, `**"$1"**`)
}

func asHTML(_ *rand.Rand, text, title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html><head><title>%s</title><style>p {margin: 0}</style></head>\n<body>\n", html.EscapeString(title))
	for _, p := range paragraph.Split(text, -1) {
		fmt.Fprintf(&b, "<p>%s</p>\n", strings.ReplaceAll(html.EscapeString(p), "\n", "<br>\n"))
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// spelling uses the other spellings that the matching guidelines allow.
func spelling(_ *rand.Rand, text, _ string) string {
	return regexp.MustCompile(`(?i)\b(license[sd]?|authorized|organization|acknowledgment|http://|copyright holder|sublicense|noninfringement|merchantability|center|fulfill)\b`).ReplaceAllStringFunc(text, func(w string) string {
		to := map[string]string{"license": "licence", "licensed": "licenced", "licenses": "licences", "authorized": "authorised", "organization": "organisation", "acknowledgment": "acknowledgement",
			"copyright holder": "copyright owner", "sublicense": "sub-license", "noninfringement": "non-infringement", "center": "centre", "fulfill": "fulfil"}[strings.ToLower(w)]
		switch {
		case to == "":
			return w
		case w == strings.ToUpper(w):
			return strings.ToUpper(to)
		}
		return to
	})
}

// Clauses take away what a licence gives. None is of a licence on the SPDX list.
var Clauses = []string{
	"The Software shall not be used by any branch of the armed forces of any country.",
	"Use of this software for commercial purposes is prohibited without a separate agreement.",
	"This license is granted for academic research and teaching only.",
	"You may not use this work to train machine learning models.",
	"The Software may be used for Good, and must not be used for Evil.",
	"Organisations with more than fifty employees need to buy a commercial licence from the author.",
	"“Commons Clause” License Condition v1.0: the License does not grant to you the right to Sell the Software.",
	"Redistribution in app stores is forbidden.",
	"Users must send a copy of every modification to the author within thirty days.",
	"The permissions above do not extend to persons or companies in the gambling or tobacco industry.",
	"You may not provide the software to third parties as a hosted or managed service.",
	"This software is licensed for non-commercial use only.",
	"Anyone who uses this program agrees to pay the author a fee of ten dollars a year.",
	"Excluded from this grant are law enforcement agencies and their contractors.",
	"Permission is granted for personal use; any other use needs written consent.",
	"The use of this software in nuclear facilities is not permitted.",
	"This software is free for individuals; companies should contact sales@example.com.",
	"Not for resale.",
	"Use in production requires a subscription.",
	"You may not remove the logo from the user interface.",
	"The above permission is void for residents of Atlantis.",
	"Distribution on physical media is reserved to the author.",
	"If you use this software, you have to credit the author on your website.",
	"Permission is limited to evaluation purposes for ninety days.",
	"This permission expires on 31 December 2030.",
	"Modifications have to be published under the same terms.",
	"Vegans only.",
	"For educational purposes only.",
	"Licensee will indemnify the author.",
	"Do not use this for evil.",
	"Students may use it free of charge, everyone else pays.",
	"Sale of copies is the author's sole privilege.",
}
