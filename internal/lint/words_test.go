package lint

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ISO 3166-1 has 249 countries and territories; Kosovo is the 250th.
func TestCountryCount(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if isCountry(string(a) + string(b)) {
				n++
			}
		}
	}
	if n != 250 {
		t.Errorf("isCountry takes %d codes, want 250", n)
	}
}

func TestCountryCode(t *testing.T) {
	tests := []struct{ in, want string }{
		{"ke", "KE"}, {"KEN", "KE"}, {"404", "KE"}, {"Kenya", "KE"}, {"UK", "GB"}, {"United Kingdom", "GB"}, {"EL", "GR"},
		{"Cote d’Ivoire", "CI"}, {"the Gambia", "GM"}, {"ZR", "CD"}, {"Kosovo", "XK"}, {"United States of America", "US"},
		{"", ""}, {"EU", ""}, {"Global", ""}, {"Africa", ""}, {"Congo", ""}, {"SU", ""}, {"Korea", ""},
	}
	for _, tt := range tests {
		if got := countryCode(tt.in); got != tt.want {
			t.Errorf("countryCode(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCanonicalRepository(t *testing.T) {
	const same = "github.com/dhis2/dhis2-core"
	tests := []struct{ in, want string }{
		{"https://github.com/dhis2/dhis2-core", same},
		{"http://www.GitHub.com/DHIS2/dhis2-core.git/", same},
		{"git@github.com:dhis2/dhis2-core.git", same},
		{"ssh://git@github.com/dhis2/dhis2-core", same},
		{"git://github.com/dhis2/dhis2-core.git", same},
		{"https://github.com/dhis2/dhis2-core#readme", same},
		{"https://github.com/dhis2", ""},
		{"https://github.com/orgs/dhis2/repositories", ""},
		{"https://github.com/", ""},
		{"https://git.example.org/A/b", "git.example.org/A/b"},
		{"https://git.example.org/?p=a.git", ""},
		{"https://git.example.org/web?p=a.git", "git.example.org/web?p=a.git"},
		{"https://me:secret@git.example.org/a", ""},
		{"", ""}, {"on request", ""}, {"%", ""},
	}
	for _, tt := range tests {
		if got := CanonicalRepository(tt.in); got != tt.want {
			t.Errorf("CanonicalRepository(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	tests := []struct{ in, want string }{
		{"OpenG2P", "openg2p"}, {"Open-G2P ", "openg2p"}, {"Côte d'Ivoire", "cotedivoire"}, {"Ａ１", "a1"}, {"!!", ""}, {"\xff", ""},
		{"हिंदी", "हिंदी"},
	}
	for _, tt := range tests {
		if got := fold(tt.in); got != tt.want {
			t.Errorf("fold(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// What the rule must tell apart: an address of a person, and everything that
// has a number or an at sign in it.
func TestContacts(t *testing.T) {
	tests := []struct {
		in   string
		want []string // as shown in messages
	}{
		{"write to jane.doe@ngo.org.", []string{"j…@ngo.org"}},
		{"élodie@ngo.org", []string{"l…@ngo.org"}},
		{"mailto:info@ngo.org", []string{"info@ngo.org"}},
		{"data-protection@ngo.org", []string{"data-protection@ngo.org"}},
		{"dev.patel@ngo.org", []string{"d…@ngo.org"}},
		{"jane [at] ngo [dot] org", []string{"j…"}},
		{"jane(at)ngo.org", []string{"j…"}},
		{"https://x.org/?to=jane@ngo.org", []string{"j…@ngo.org"}},
		{"git@github.com:owner/repo.git", nil},
		{"@jane@mastodon.social", nil},
		{"you@example.org", nil},
		{"logo@2x.png", nil},
		{"npm install left-pad@1.3.0", nil},
		{"https://jane:pw@host.org/", nil},
		{"https://medium.com/@jane/post", nil},
		{"available (at cost) online.org", nil},

		{"+254 712 345 678", []string{"+25…"}},
		{"call +1 (415) 555-0132 now", []string{"+1 …"}},
		{"Tel: 020 7946 0958", []string{"020…"}},
		{"WhatsApp 0712345678", []string{"071…"}},
		{"(415) 555-0132", []string{"(41…"}},
		{"415-555-0132", []string{"415…"}},
		{"v1.2.0+20130313144700", nil},
		{"+250 000 000 people", nil},
		{"over +1,000,000,000 users", nil},
		{"2019-2020 and 2021-10-04 and 04/10/2021", nil},
		{"ISBN 978-3-16-148410-0 and ISBN: 3-16-148410-X", nil},
		{"https://doi.org/10.1000/415-555-0132", nil},
		{"doi:10.1145/3411764.3445518", nil},
		{"ORCID 0000-0002-1825-0097, ISSN 2049-3630", nil},
		{"192.168.100.200 and C++11 2011 2014 2017", nil},
		{"mobile 4.0.1, phone 12", nil},
		{"https://maps.org/@-1.2921,36.8219,15z?tel=415-555-0132", nil},
		{"123-456-7890-1234", nil},
		{"the fax (2019-2020) is gone", nil},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range contactsIn(tt.in) {
			got = append(got, c.shown)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("contactsIn(%q) differ (-want +got):\n%s", tt.in, diff)
		}
	}
}

// The hint is the whole correction, so each is judged to be a link itself.
func TestFaultOf(t *testing.T) {
	const none = "no fault"
	tests := []struct{ in, hint string }{
		{"https://dhis2.org", none},
		{"http://dhis2.org:8080/a?b=c#d", none},
		{"HTTPS://DHIS2.org/", none},
		{"https://web.archive.org/web/2020/https://dhis2.org/", none},
		{"https://x.org/?u=https://y.org", none},
		{"https://x.org/a_(b),c;d", none},
		{"https://bücher.example/ä", none},
		{"https://मिसाल.example/", none},
		{"mailto:info@x.org", none},
		{"tel:+254", none},
		{"dhis2.org", `write "https://dhis2.org"`},
		{"www.dhis2.org/a", `write "https://www.dhis2.org/a"`},
		{"//dhis2.org", `write "https://dhis2.org"`},
		{"dhis2.org:8080/a", `write "https://dhis2.org:8080/a"`},
		{"https//dhis2.org", `write "https://dhis2.org"`},
		{"https:dhis2.org", `write "https://dhis2.org"`},
		{"https:/dhis2.org/a", `write "https://dhis2.org/a"`},
		{"https:///dhis2.org", `write "https://dhis2.org"`},
		{"https;//dhis2.org", `write "https://dhis2.org"`},
		{"htps://dhis2.org", `write "https://dhis2.org"`},
		{"hhttps://dhis2.org", `write "https://dhis2.org"`},
		{"https：//dhis2.org", `write "https://dhis2.org"`},
		{"backend：https://dhis2.org", `write "https://dhis2.org"`},
		{"https://https://dhis2.org", `write "https://dhis2.org"`},
		{"http://https://dhis2.org", `write "https://dhis2.org"`},
		{"git@github.com:a/b.git", `write "https://github.com/a/b"`},
		{"git://github.com/a/b.git", `write "https://github.com/a/b"`},
		{"ssh://git@github.com/a/b.git", `write "https://github.com/a/b"`},
		{"https://me:secret@x.org/a", `write "https://x.org/a"`},
		{"https://a.org, https://b.org", "keep one; others may stand in a list, such as evidence or sources"},
		{"https://a.org;https://b.org", "keep one; others may stand in a list, such as evidence or sources"},
		{"https://a.orghttps://b.org", "keep one; others may stand in a list, such as evidence or sources"},
		{"https://a.org see page 3", "end the link before it, or copy the address from a browser"},
		{"https://a.org/<b>", "end the link before it, or copy the address from a browser"},
		{"https://a.org/%zz", "copy the address from a browser"},
		{"https://a..org/", "copy the address from a browser"},
		{"https://-a.org/", "copy the address from a browser"},
		{"https://", wholeAddress},
		{"https:", wholeAddress},
		{"see https://a.org/b", `write "https://a.org/b"`},
		{"N/A", wholeAddress},
		{"see the website", wholeAddress},
		{"javascript:alert(1)", wholeAddress},
		{"data:text/html,x", wholeAddress},
		{"file:///etc/passwd", wholeAddress},
		{"ftp://a.org/", wholeAddress},
		{"https://intranet/a", wholeAddress},
		{"http://localhost:3000/", "write the name of a public site"},
		{"localhost:3000", wholeAddress},
		{"http://printer.local/", "write the name of a public site"},
		{"http://10.0.0.1/", "write the name of a public site"},
		{"http://[::1]/", "write the name of a public site"},
		{"http://2130706433/", "write the name of a public site"},
		{"http://0x7f.1/", "write the name of a public site"},
	}
	for _, tt := range tests {
		got := none
		if f := faultOf(tt.in); f != nil {
			got = f.hint
		}
		if got != tt.hint {
			t.Errorf("faultOf(%q) gives hint %q, want %q", tt.in, got, tt.hint)
		}
	}
}

// FuzzText holds what reads hostile text to its bounds.
func FuzzText(f *testing.F) {
	for _, s := range []string{"https://a.org, https://b", "git@x:y", "jane [at] x.org", "+1 (415) 555-0132", "tel:1", "：", "\xff@\xff.org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range contactsIn(s) {
			if c.start < 0 || c.end > len(s) || c.start >= c.end {
				t.Errorf("contactsIn(%q) found a contact from %d to %d", s, c.start, c.end)
			}
		}
		faultOf(s)
		CanonicalRepository(s)
		countryCode(s)
		tagFor(s)
		fold(s)
		if ascii(s) && fold(s) != fold(s+"\u0300") { // an accent, which has no short cut and does not count
			t.Errorf("fold(%q) = %q, and %q with an accent", s, fold(s), fold(s+"\u0300"))
		}
	})
}

func TestMaskContacts(t *testing.T) {
	tests := []struct{ in, want string }{
		{"nothing of the kind", "nothing of the kind"},
		{"ask jane.doe@ngo.org or info@ngo.org, soon", "ask j…@ngo.org or info@ngo.org, soon"},
		{"jane.doe@ngo.org, jane.doe@ngo.org", "j…@ngo.org, j…@ngo.org"},
		{strings.Repeat("x", longestText) + "jane.doe@ngo.org", strings.Repeat("x", longestText) + " …"},
		{strings.Repeat("jane.doe@ngo.org ", maxContacts+1) + "end", strings.TrimSuffix(strings.Repeat("j…@ngo.org ", maxContacts), " ") + " …"},
	}
	for _, tt := range tests {
		if got := MaskContacts(tt.in); got != tt.want {
			t.Errorf("MaskContacts(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
