package main

import (
	"regexp"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

// A part is something that may be absent from the texts of the ids it fits: what
// the SPDX guidelines call optional, and what people leave out without changing
// the licence.
type part struct {
	ids  *regexp.Regexp
	text *regexp.Regexp
}

func rule(ids, text string) part {
	return part{regexp.MustCompile(`^(?:` + ids + `)$`), regexp.MustCompile(`(?is)` + strings.ReplaceAll(text, " ", `\s+`))}
}

var optional = []part{
	// Appendices that say how to apply a licence.
	rule(`Apache-2\.0|ECL-2\.0|SHL-.*|Pixar`, `END OF TERMS AND CONDITIONS.*$`),
	rule(`Apache-2\.0|ECL-2\.0|SHL-.*|Pixar`, `APPENDIX:? How to apply.*$`),
	rule(`A?GPL-.*|LGPL-2.*|GFDL.*|copyleft-next.*`, `END OF TERMS AND CONDITIONS`),
	rule(`A?GPL-.*|LGPL-2.*`, `(Appendix:? )?How to Apply These Terms to Your New.*$`),
	rule(`GFDL-.*`, `(ADDENDUM:? )?How to use this License for your documents.*$`),
	// The first one is the licence itself, the GPL it builds on may stand elsewhere.
	rule(`LGPL-3\.0.*`, `GNU GENERAL PUBLIC LICENSE\s+Version 3, 29 June 2007\s+.*$`),
	rule(`GPL-.*|LGPL-.*|AGPL-.*|GFDL-.*|WTFPL|Artistic-2\.0`, `Everyone is permitted to copy and distribute verbatim[^.]*\.`),
	rule(`LGPL-2\.1.*|LGPL-2\.0.*`, `\[This is the first released version of [^\]]*\]`),
	rule(`MPL-1.*|MPL-2.*|SISSL.*|CDDL.*|EPL-2\.0|RPSL.*|SugarCRM.*|CPAL.*|gSOAP.*|Nokia|OSET.*|APSL.*|RPL.*|NOSL|SPL-1.0|YPL.*|zlib-acknowledgement|Sleepycat`, `\n[ \t]*EXHIBIT A\b[^\n]{0,80}\n.*$`),
	rule(`MPL-2\.0.*`, `\n[ \t]*Exhibit B\b[^\n]{0,80}\n.*$`),
	rule(`CDDL-.*`, `NOTICE PURSUANT TO SECTION 9.*$`),
	rule(`EUPL-.*`, `\n[ \t]*(Appendix|Annex)[ \t]*\n.*$`),
	rule(`MS-.*`, `Microsoft (Public|Reciprocal) License \(MS-.?.?L\)`),
	// Creative Commons: what its own pages show around the legal code.
	rule(`CC-.*-4\.0`, `Creative Commons Corporation \(“Creative Commons”\) is not a law firm.*?(Creative Commons Attribution[^\n]* 4\.0 International Public License)`),
	rule(`CC-.*-4\.0`, `Creative Commons is not a party to its public licenses.*$`),
	rule(`CC-.*|CC0.*`, `CREATIVE COMMONS CORPORATION IS NOT A LAW FIRM.*?(RESULTING FROM ITS USE|PROVIDED HEREUNDER|FROM THE USE OF THIS DOCUMENT[^.]*)\.`),
	rule(`CC-.*`, `(Creative Commons Notice\s+)?Creative Commons is not a party to this License.*$`),
	rule(`CC-.*|CC0.*`, `Creative Commons Legal Code`),
	rule(`OD.*|PDDL.*`, `^.{0,80}?Preamble.*?\n\s*\n`),
	rule(`OFL-.*`, `This license is copied below[^\n]*\n[^\n]*OFL`),
	rule(`Unlicense`, `For more information, please refer to.*$`),
	rule(`WTFPL`, `^.*?TERMS AND CONDITIONS FOR COPYING, DISTRIBUTION AND MODIFICATION`),
	rule(`BSD-.*|ISC`, `All rights reserved\.?`),
	rule(`PostgreSQL`, `^.*?(Permission to use)`),
	rule(`BSL-1\.0`, `^.*?2003`),
	rule(`NCSA`, `Developed by:.*?(Permission is hereby)`),
	rule(`Beerware`, `"THE BEER-WARE LICENSE" \(Revision 42\):`),
	rule(`Ruby`, `^[^\n]*\n`),
}

var (
	fillIn    = regexp.MustCompile(`(?i)<[^<>\n]{2,80}>|\[[^\[\]\n]*(year|yyyy|name|owner|holder|insert|date|organi|licensor|author)[^\[\]\n]*\]|\{[^{}\n]*(year|yyyy|name|owner)[^{}\n]*\}|_{4,}`)
	blankLine = regexp.MustCompile(`\n[ \t]*\n`)
)

// An insertion is a sentence or a clause that some copies of a licence have and
// the list's has not: it is put in, and may be absent.
type insertion struct {
	ids   *regexp.Regexp
	after *regexp.Regexp
	words string
}

func insert(ids, after, words string) insertion {
	r := rule(ids, after)
	return insertion{r.ids, r.text, words}
}

var insertions = []insertion{
	insert(`MIT|X11|NCSA`, `The above copyright notice and this permission notice`, " (including the next paragraph)"),
	insert(`BSD-[23]-Clause`, `Redistribution and use`, " of this software"),
	insert(`CC-.*-4\.0`, `will be considered the .Licensor\.?.\.?`, " The text of the Creative Commons public licenses is dedicated to the public domain under the CC0 Public Domain Dedication."),
	insert(`CC-.*-4\.0`, `Considerations for licensors:.*?any exceptions or limitations? to copyright\. More considerations(?: for licensors)?`, " wiki.creativecommons.org/Considerations_for_licensors"),
	insert(`CC-.*-4\.0`, `More considerations for the public`, " wiki.creativecommons.org/Considerations_for_licensees"),
	insert(`MIT`, `NONINFRINGEMENT`, " of third party rights"),
	insert(`MIT-0`, `to permit persons to whom the Software is furnished to do so`, ", subject to the following conditions"),
}

// A variant is another way to say the same, as far as the list's own template
// allows for it or earlier versions of the licence said it: the text with old
// instead is known under the same ids.
type variant struct {
	ids *regexp.Regexp
	old *regexp.Regexp
	new string
}

func say(ids, old, new string) variant {
	r := rule(ids, old)
	return variant{r.ids, r.text, new}
}

var variants = []variant{
	say(`BSD-3-Clause`, `Neither the name of the copyright holder nor the names of its contributors may be used`, `The name <name> may not be used`),
	say(`BSD-3-Clause`, `Neither the name of the copyright holder nor the names of its contributors may be used`, `The names of its contributors may not be used`),
	say(`BSD-3-Clause`, `Neither the name of the copyright holder nor the names of its contributors may be used`, `The name of the author may not be used`),
	say(`BSD-3-Clause`, `Neither the name of the copyright holder nor the names of its contributors may be used`, `Neither the names of the copyright holders nor the names of its contributors may be used`),
	say(`BSD-3-Clause`, `Neither the name of the copyright holder nor the names of its contributors may be used`, `Neither the name of <name>, nor <name>, nor the names of its contributors may be used`),
	say(`LGPL-3\.0.*`, `GNU GENERAL PUBLIC LICENSE\s+Version 3, 29 June 2007\s+.*$`, ``), // the GPL it builds on stands in a file of its own
	say(`ISC`, `ISC DISCLAIMS`, `THE AUTHOR DISCLAIMS`),
}

// others makes the variants of a source.
func others(s match.Source) []match.Source {
	var out []match.Source
	for _, v := range variants {
		if v.ids.MatchString(s.IDs[0]) && v.old.MatchString(s.Text) {
			out = append(out, match.Source{IDs: s.IDs, Kind: s.Kind, Text: v.old.ReplaceAllLiteralString(s.Text, v.new)})
		}
	}
	return out
}

// mark finds what may vary in a text.
func mark(s *match.Source) {
	for _, n := range insertions {
		if at := n.after.FindStringIndex(s.Text); at != nil && n.ids.MatchString(s.IDs[0]) {
			s.Text = s.Text[:at[1]] + n.words + s.Text[at[1]:]
			s.Optional = append(s.Optional, match.Span{Start: at[1], End: at[1] + len(n.words)})
			for i := range s.Optional[:len(s.Optional)-1] {
				if o := &s.Optional[i]; o.Start >= at[1] {
					o.Start, o.End = o.Start+len(n.words), o.End+len(n.words)
				}
			}
		}
	}
	for _, at := range fillIn.FindAllStringIndex(s.Text, -1) {
		if strings.Contains(s.Text[at[0]:at[1]], "://") {
			continue
		}
		s.Fill = append(s.Fill, match.Span{Start: at[0], End: at[1]})
	}
	// A title is what stands before the first blank lines, as long as it is short
	// and no sentence.
	for from := 0; from < len(s.Text)/3; {
		end := len(s.Text)
		if at := blankLine.FindStringIndex(s.Text[from:]); at != nil {
			end = from + at[1]
		}
		line := strings.TrimSpace(s.Text[from:end])
		n := len(strings.Fields(line))
		if n > 14 || strings.HasSuffix(line, ".") && n > 6 || strings.HasSuffix(line, ";") || strings.HasSuffix(line, ",") {
			break
		}
		s.Optional = append(s.Optional, match.Span{Start: from, End: end})
		from = end
	}
	for _, id := range s.IDs[:1] {
		for _, p := range optional {
			if !p.ids.MatchString(id) {
				continue
			}
			for _, at := range p.text.FindAllStringSubmatchIndex(s.Text, -1) {
				end := at[1]
				// A group at the end only marks where the part ends.
				if n := len(at); n > 2 && at[n-1] == at[1] && strings.HasSuffix(p.text.String(), ")") {
					end = at[n-2]
				}
				s.Optional = append(s.Optional, match.Span{Start: at[0], End: end})
			}
		}
	}
}
