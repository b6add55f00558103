package lint

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var personalContact = &Rule{
	ID:       "personal-contact",
	Severity: diag.Warning,
	Summary:  "no text holds a person's e-mail address or telephone number",
	Doc: `What is written here is published and copied for ever, while people change their jobs and their minds. Give a
page where the project can be reached in "contact_url" instead of an e-mail address or a telephone number. An
address in "contact_url" or behind "mailto:" is an error, a role address such as info@ a warning but in "contact_url".
Findings do not repeat a person's address in full.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			switch s.Field {
			case "schema", "purl", "expression", "github":
				continue
			}
			for _, c := range contactsIn(s.Text) {
				if c.role && s.Field == "contact_url" {
					continue // what the field is for, if there is no page
				}
				const hint = "give a page where the project can be reached, in contact_url"
				d := p.ReportWithinf(s.Pointer, c.start, c.end-c.start, hint, "%s %s %s", c.what, quote(c.shown), c.why)
				if !c.role && (c.linked || s.Field == "contact_url") {
					d.Severity = diag.Error
				}
			}
		}
	},
}

// A contact is an address found in a text.
type contact struct {
	start, end int
	what, why  string
	shown      string // what a message may repeat of it
	role       bool   // not of a person, such as info@
	linked     bool   // behind "mailto:" or "tel:"
}

// Bounds on what is looked for. A longer text breaks its schema anyway, and after
// so many findings in one text somebody will read it whole.
const (
	longestText = 100_000 // bytes
	maxContacts = 10
)

// MaskContacts gives a text with the addresses of people as findings show them. What
// stands behind more of them than anybody looks for is left out.
func MaskContacts(text string) string {
	found := contactsIn(text)
	slices.SortFunc(found, func(a, b contact) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	var b strings.Builder
	at := 0
	for _, c := range found {
		if c.role || c.start < at {
			continue
		}
		b.WriteString(text[at:c.start] + c.shown)
		at = c.end
	}
	end := min(len(text), longestText) // nobody looked behind it
	if len(found) >= maxContacts {
		end = at
	}
	b.WriteString(text[at:end])
	if end < len(text) {
		b.WriteString(" …")
	}
	return b.String()
}

// contactsIn finds e-mail addresses and telephone numbers, in no order. Most texts
// have neither, and patterns are slow to find that out: each is tried only where
// a sign that it cannot do without is there.
func contactsIn(text string) []contact {
	text = text[:min(len(text), longestText)]
	mail, number := strings.IndexByte(text, '@') >= 0 || mayBeVeiled(text), digits(text) >= fewestDigits
	if !mail && !number {
		return nil
	}
	links := sync.OnceValue(func() [][]int { return spans(anyLink, text) })
	var found []contact
	if mail {
		found = eMails(text, links)
	}
	if number {
		found = append(found, phones(text, links)...)
	}
	return found
}

// mayBeVeiled looks for what the pattern veiled has behind a bracket.
func mayBeVeiled(text string) bool {
	if strings.IndexByte(text, '[') < 0 && strings.IndexByte(text, '(') < 0 {
		return false
	}
	for i := range len(text) - 1 {
		if text[i] != '[' && text[i] != '(' {
			continue
		}
		switch rest := strings.TrimPrefix(text[i+1:], " "); {
		case rest == "":
		case rest[0] == '@', len(rest) > 1 && strings.EqualFold(rest[:2], "at"):
			return true
		}
	}
	return false
}

var (
	anyLink = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s<>"]+|\bwww\.[^\s<>"]+`)
	eMail   = regexp.MustCompile(`[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\b`)
	// veiled is an address written so that machines should not find it.
	veiled = regexp.MustCompile(`(?i)[a-z0-9._%+-]+ ?[\[(] ?(?:at|@) ?[\])] ?[a-z0-9-]+(?:(?:\.| ?[\[(] ?(?:dot|\.) ?[\])] ?)[a-z0-9-]+)+`)
	// retina is a file name such as logo@2x.png.
	retina = regexp.MustCompile(`(?i)@[0-9]x\.`)
)

func eMails(text string, links func() [][]int) []contact {
	var found []contact
	for _, m := range eMail.FindAllStringIndex(text, -1) {
		if len(found) == maxContacts {
			return found
		}
		address := text[m[0]:m[1]]
		local, domain, _ := strings.Cut(strings.ToLower(address), "@")
		before := text[:m[0]]
		switch {
		case retina.MatchString(address), inAuthority(m[0], text, links()):
			continue // the user name of a link is rule "link"'s
		case local == "git", strings.HasSuffix(before, "@"):
			continue // git@host:path, @name@host
		case domain == "example.org", domain == "example.com", domain == "example.net":
			continue // set aside by RFC 2606 for this
		}
		c := contact{
			start: m[0], end: m[1], what: "e-mail address", why: "may be a person's", shown: masked(local) + "@" + domain,
			linked: endsFold(before, "mailto:"),
		}
		if roleAddress(local) {
			c.role, c.what, c.shown, c.why = true, "role address", address, "would be better as a page"
		}
		found = append(found, c)
	}
	if !mayBeVeiled(text) {
		return found
	}
	for _, m := range veiled.FindAllStringIndex(text, maxContacts) {
		found = append(found, contact{
			start: m[0], end: m[1], what: "e-mail address", why: "may be a person's, and is easily read by machines", shown: masked(text[m[0]:m[1]]),
		})
	}
	return found
}

// endsFold reports whether s ends with a word, whatever its case.
func endsFold(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[len(s)-len(word):], word)
}

// masked keeps a report, which is public too, from spreading the address.
func masked(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n] + "…"
}

// inAuthority reports whether a place is in front of a link's host.
func inAuthority(at int, text string, links [][]int) bool {
	for _, l := range links {
		if at < l[0] || at >= l[1] {
			continue
		}
		if _, rest, ok := strings.Cut(text[l[0]:l[1]], "://"); ok {
			host := l[1] - len(rest)
			end := strings.IndexAny(rest, "/?#")
			return end < 0 || at < host+end
		}
	}
	return false
}

// roleAddress knows the local parts that stand for a task, "x-support" among them.
func roleAddress(local string) bool {
	local, _, _ = strings.Cut(local, "+")
	for _, part := range roleSplit.Split(local, -1) {
		if strings.Contains(roles, " "+part+" ") {
			return true
		}
	}
	return false
}

var roleSplit = regexp.MustCompile(`[_-]`)

const roles = " abuse accessibility admin administration api bonjour business coc community compliance conduct contact contacto" +
	" contato copyright data datenschutz dataprotection dev developer developers devs dpo editor editors email enquiries enquiry events" +
	" feedback foundation general github grievance hello help helpdesk hr info informacion information inquiries inquiry it jobs kontakt" +
	" legal license licenses licensing mail marketing media member membership news newsletter noreply office opensource ops partner" +
	" partners partnerships postmaster press privacy privacyofficer programme project publications questions reply research sales" +
	" secretariat security service services sos suggestions support tech team training web webmaster "

var (
	international = regexp.MustCompile(`\+[1-9][0-9 ().\-]{6,22}[0-9]`)
	named         = regexp.MustCompile(`(?i)\b(?:tel|telephone|phone|mobile|cell|fax|whatsapp|call us|sms)\b(?: (?:no\.?|number|at|on))?[ .:#]{0,3}(\(?\+?[0-9][0-9 ().\-]{5,20}[0-9])`)
	american      = regexp.MustCompile(`\([0-9]{3}\) ?[0-9]{3}[-. ][0-9]{4}|\b[0-9]{3}-[0-9]{3}-[0-9]{4}\b`)
	// otherNumbers are books, articles and researchers.
	otherNumbers = regexp.MustCompile(`(?i)\b(?:isbn|issn|doi|orcid|pmid)\b[-: 0-9]*[0-9x./-]+|\b10\.[0-9]{4,9}/\S+`)
	dates        = regexp.MustCompile(`^\(?(?:[0-9]{4} ?[-–./ ] ?[0-9]{4}|[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{4})\)?$`)
	rounded      = regexp.MustCompile(`^\+?[0-9]{1,3}(?:[ .]000)+$`) // +250 000 000 people
)

// phoneWords are those of the pattern named.
var phoneWords = strings.Split("tel,telephone,phone,mobile,cell,fax,whatsapp,call us,sms", ",")

// mayBeNamed looks for what the pattern named begins with: one of its words that
// is no part of another, as "tel" is of "Intel" and "telecommunication".
func mayBeNamed(text string) bool {
	for i := range len(text) {
		if i > 0 && inWord(text[i-1]) || strings.IndexByte("TPMCFWStpmcfws", text[i]) < 0 {
			continue
		}
		for _, w := range phoneWords {
			if end := i + len(w); end <= len(text) && strings.EqualFold(text[i:end], w) && (end == len(text) || !inWord(text[end])) {
				return true
			}
		}
	}
	return false
}

// inWord knows the bytes that patterns take for a part of a word.
func inWord(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_'
}

// mayBeAmerican looks for what the pattern american has first: three digits and
// then a bracket or a hyphen.
func mayBeAmerican(text string) bool {
	run := 0
	for i := range len(text) {
		switch b := text[i]; {
		case '0' <= b && b <= '9':
			run++
			continue
		case run == 3 && (b == '-' || b == ')'):
			return true
		}
		run = 0
	}
	return false
}

// fewestDigits is how many digits the shortest telephone number has that is found.
const fewestDigits = 7

func phones(text string, links func() [][]int) []contact {
	var found []contact
	var taken [][]int
	others := sync.OnceFunc(func() { taken = append(append(taken, links()...), spans(otherNumbers, text)...) })
	add := func(start, end int) {
		if len(found) == maxContacts {
			return
		}
		others()
		number := text[start:end]
		for _, l := range taken {
			if start < l[1] && l[0] < end {
				return
			}
		}
		if start > 0 && joined(text[start-1]) || end < len(text) && joined(text[end]) || dates.MatchString(number) || rounded.MatchString(number) {
			return
		}
		if n := digits(number); n < fewestDigits || n > 15 || number[0] == '+' && n < 9 {
			return
		}
		taken = append(taken, []int{start, end})
		found = append(found, contact{
			start: start, end: end, what: "telephone number", why: "may be a person's", shown: number[:3] + "…",
			linked: endsFold(text[:start], "tel:"),
		})
	}
	if strings.ContainsRune(text, '+') {
		for _, m := range international.FindAllStringIndex(text, -1) {
			add(m[0], m[1])
		}
	}
	if mayBeNamed(text) {
		for _, m := range named.FindAllStringSubmatchIndex(text, -1) {
			add(m[2], m[3])
		}
	}
	if mayBeAmerican(text) {
		for _, m := range american.FindAllStringIndex(text, -1) {
			add(m[0], m[1])
		}
	}
	return found
}

// joined reports whether a byte beside a number makes it part of something else,
// such as a version, a share or a file name.
func joined(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return strings.IndexByte("-_/%=&#@+", b) >= 0
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			n++
		}
	}
	return n
}

func spans(re *regexp.Regexp, text string) [][]int { return re.FindAllStringIndex(text, -1) }
