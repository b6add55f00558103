package match

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What the functions of owner.go do, as expressions, which are too slow.
var (
	reStartsNotice = regexp.MustCompile(`^(?:[A-Za-z][\w ,'-]{0,50}? )?(?i:copyright|copr\.?|©|&copy;|\(c\)|copyleft)[ \t]*(?:(?i:by )|\([cC]\)|©|&copy;|\d|\\\()|^(?i:copyright|copr\.?|©|&copy;|\(c\)|copyleft)(?:[ \t]*[:,]?[ \t]*(?:[\d(©<\[{%*_]|&copy;|[–-][ \t]*\d)|[ \t]*:?[ \t]+\p{Lu}\p{Ll}|[ \t]+the [A-Z][a-z])`)
	reNotOwner     = regexp.MustCompile(`(?i)^(?:the )?copyright (?:notices?|laws?|holders?|owners?|licen[sc]e|and|interests?|in the|statements?|protection|infringement|permission|on|treaties|is (?:hereby|disclaimed)|rights?|or|disclaimer|status|terms|grant|patent|trademark|statutes?|acts?|licensors?|agreement|term)\b`)
	reLicenceFirst = regexp.MustCompile(`^(?i:mit|isc|bsd|apache|l?gpl|agpl|mpl|cc0|wtfpl|unlicense|0bsd|licen[sc]ed?)\b`)
	reLetterC      = regexp.MustCompile(`^\([cC]\)`)
	reNamed        = regexp.MustCompile(`^(?i:copyright|copr\.?)[ \t]*:?[ \t]+(?:the )?\p{Lu}`)
	reYear         = regexp.MustCompile(`\b(?:19|20)\d\d\b`)
)

func TestOwnerLinesAreThoseOfTheExpressions(t *testing.T) {
	parts := strings.Fields(`Copyright copyright COPYRIGHT copr. Copr (c) (C) © &copy; &COPY; copyleft by By 2019 1987 2019-2021 20190 : , the The <year> [name] {x} %s * _ \\( – - -2001
Jane Doe ÉCOLE École éa Portions of it's holders holder notice license licence licenses law in is hereby disclaimed MIT BSD-3 mit_ ISC 0bsd cc0 é and or on rights . ; '`)
	r := rand.New(rand.NewPCG(4, 2))
	blanks := []string{" ", " ", " ", "", "\t", "  "}
	for range 200_000 {
		var b strings.Builder
		for range 1 + r.IntN(7) {
			b.WriteString(parts[r.IntN(len(parts))])
			b.WriteString(blanks[r.IntN(len(blanks))])
		}
		if r.IntN(20) == 0 {
			b.WriteString(strings.Repeat("a b", 15) + " (c) 2001")
		}
		line := []byte(b.String())
		for _, tt := range []struct {
			name string
			re   *regexp.Regexp
			got  bool
		}{
			{"startsNotice", reStartsNotice, startsNotice(line)},
			{"notOwner", reNotOwner, notOwner(line)},
			{"licenceFirst", reLicenceFirst, licenceFirst(line)},
			{"letterC", reLetterC, letterC(line)},
			{"named", reNamed, named(line)},
			{"hasYear", reYear, hasYear(line)},
		} {
			if want := tt.re.Match(line); tt.got != want {
				t.Fatalf("%s(%q) = %v, want %v", tt.name, line, tt.got, want)
			}
		}
	}
}

// What withoutAddresses leaves out.
var reAddress = regexp.MustCompile(`[\w.+-]+@[\w.-]+|(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)+/\S*`)

func TestAddressesAreThoseOfTheExpression(t *testing.T) {
	parts := strings.Fields(`a b2 _ - -- . .. + @ / // : http https http:// https:// www www. example.org example.org/ a.b a.b/c .a a. a- -a é ” ( ) < > jane jane.doe+x@ @example.org mailto: ; ,`)
	r := rand.New(rand.NewPCG(5, 2))
	blanks := []string{"", "", "", " ", "\t", "\n"}
	for range 200_000 {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(parts[r.IntN(len(parts))])
			b.WriteString(blanks[r.IntN(len(blanks))])
		}
		part := []byte(b.String())
		// A part that has none of these signs is not looked at.
		if !bytes.ContainsAny(part, "@/") && !bytes.Contains(part, []byte("www.")) {
			continue
		}
		if got, want := withoutAddresses(part), reAddress.ReplaceAll(part, nil); !bytes.Equal(got, want) {
			t.Fatalf("withoutAddresses(%q) = %q, want %q", part, got, want)
		}
	}
}
