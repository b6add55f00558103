package lint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// maxSummary is how many characters a summary may have; a longer one is not shown.
const maxSummary = 300

var decision = &Rule{
	ID:       "decision",
	Severity: diag.Warning,
	Summary:  "decisions agree with each other, are by those who may take them, and can be shown",
	Doc: `A decision outlives every run of the bot, so it has to be clear. Only one of the stewards of the entry decides as
steward; a maintainer writes "as: registry". A code is accepted or rejected, not both: of two such rulings the later
in the list counts, and the earlier is better deleted. A summary of one's own has 300 characters at most and is plain
text, without links and markup, or it is not shown. Where an entry gets another id its decisions move along: those left
behind rule on nothing.`,
	Check: func(p *Pass) {
		ruled := map[string]int{}
		known := !p.misread("/stewards", source.List)
		for i := range p.Entry.Stewards {
			at := item("/stewards", i)
			known = known && !p.misread(at, source.Map) && !p.misread(at+"/github", source.String)
		}
		for i, d := range p.Entry.Decisions {
			at := item("/decisions", i)
			if d.As == "steward" && d.By.GitHub != "" && known && !isSteward(p.Entry.Stewards, d.By) {
				p.Reportf(at+"/by", `add the account to "stewards" if it answers for this entry; a maintainer of the registry writes as: registry`,
					"%s decides as steward and is not among the stewards of this entry", quote(d.By.GitHub)).Severity = diag.Error
			}
			if s := p.Entry.Status; s.Stage == entry.StageRenamed {
				p.Reportf(at, "move it to "+quote(s.MovedTo)+", or delete it if it stands there",
					"this entry leads to %s, so a decision here rules on nothing", quote(s.MovedTo))
				continue
			}
			switch d.Ruling {
			case "accept", "reject":
				before, seen := ruled[d.Code]
				if seen && p.Entry.Decisions[before].Ruling != d.Ruling {
					word := map[string]string{"accept": "accepted", "reject": "rejected"}
					f := p.Reportf(at+"/ruling", "delete the decision that no longer holds", "code %s is %s here but %s further up; the last one counts",
						quote(d.Code), word[d.Ruling], word[p.Entry.Decisions[before].Ruling])
					f.Related = related(p.Doc, item("/decisions", before, "ruling"), "decided first here")
				}
				ruled[d.Code] = i
			case "own-summary":
				checkSummary(p, at+"/text", d.Text)
			}
		}
	},
}

// isSteward compares accounts by their number where both give one, since logins
// change hands.
func isSteward(stewards []entry.Person, who entry.Person) bool {
	return slices.ContainsFunc(stewards, func(s entry.Person) bool {
		if s.ID != 0 && who.ID != 0 {
			return s.ID == who.ID
		}
		return strings.EqualFold(s.GitHub, who.GitHub)
	})
}

// checkSummary judges a summary in each language that it is given in.
func checkSummary(p *Pass, pointer string, text entry.Text) {
	const plain = ""
	by := text.ByLanguage(plain)
	for _, tag := range slices.Sorted(maps.Keys(by)) {
		at, in := pointer, ""
		if tag != plain {
			at, in = pointer+source.Pointer(tag), " in "+quote(tag)
		}
		s, _ := trim(by[tag])
		if n := utf8.RuneCountInString(s); n > maxSummary {
			p.Reportf(at, fmt.Sprintf("shorten it to %d characters; the description of the entry may say more", maxSummary),
				"the summary%s has %d characters, so it is not shown", in, n)
			continue
		}
		if m := markup.FindString(s); m != "" {
			p.Reportf(at, "write plain sentences", "the summary%s holds %s; links and markup have no place in it", in, quote(m))
		}
	}
}

// markup is what is not plain text: links, tags, Markdown, a second line.
var markup = regexp.MustCompile(`(?i)https?://\S*|www\.\S+|<[a-z/!][^>]*>|!?\[[^\]]*\]\([^)]*\)|\*\*|__|` + "`" + `|\n`)
