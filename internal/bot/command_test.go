package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		name, comment string
		want          []string // verb entry code rule until reason, or ! and the problem's first words
	}{
		{"plain", "/dpg validate", []string{"validate"}},
		{"among words", "Thanks!\n\n/dpg fix\nplease", []string{"fix"}},
		{"in the second line of a paragraph", "Thanks!\n/dpg fix", []string{"fix"}},
		{"line ends of Windows", "/dpg validate\r\n/dpg help\r\n", []string{"validate", "help"}},
		{"ruling", "/dpg reject open-map needs/N1 because it is  about maps", []string{"reject open-map needs/N1 it is  about maps"}},
		{"ruling on the only entry", "/dpg accept needs/N1 because yes", []string{"accept needs/N1 yes"}},
		{"ruling with a kind", "/dpg accept dpg/open-map needs/N1 because yes", []string{"accept dpg/open-map needs/N1 yes"}},
		{"because in the reason", "/dpg accept needs/N1 because not because of me", []string{"accept needs/N1 not because of me"}},
		{"ruling without a reason", "/dpg accept needs/N1", []string{"! write it as"}},
		{"ruling with an empty reason", "/dpg accept needs/N1 because ", []string{"! write it as"}},
		{"ruling without a code", "/dpg accept open-map because yes", []string{"! write it as"}},
		{"waiver", "/dpg waive open-map link until 2026-12-31 because it moves", []string{"waive open-map link 2026-12-31 it moves"}},
		{"waiver on the only entry", "/dpg waive link until 2026-12-31 because it moves", []string{"waive link 2026-12-31 it moves"}},
		{"waiver without end", "/dpg waive link because it moves", []string{"! write it as"}},
		{"waiver until no day", "/dpg waive link until 2026-02-30 because it moves", []string{"! until wants a date"}},
		{"unknown", "/dpg destroy", []string{"! there is no such command"}},
		{"other case", "/dpg Validate", []string{"! there is no such command"}},
		{"no verb", "/dpg", []string{"! there is no such command"}},
		{"too much", "/dpg fix everything", []string{"! nothing may follow"}},
		{"long reason", "/dpg accept needs/N1 because " + strings.Repeat("é", 1001), []string{"! the reason has 1001 characters"}},
		{"another word", "/dpgfix", nil},
		{"another program", "/other validate", nil},
		{"not at the start of the line", " /dpg fix", nil},
		{"in a sentence", "Write /dpg fix to mend it", nil},
		{"in a fence", "```\n/dpg fix\n```", nil},
		{"in a fence of tildes that is not closed", "~~~\n/dpg fix", nil},
		{"in a fence with another in it", "````\n```\n/dpg fix\n```\n````", nil},
		{"behind a fence", "```\nx\n```\n/dpg fix", []string{"fix"}},
		{"indented code", "    /dpg fix", nil},
		{"in code that spans lines", "`a\n/dpg fix\nb`", nil},
		{"in quoted code that spans lines", "``a\n/dpg fix\n`b``", nil},
		{"quoted", "> /dpg fix", nil},
		{"quoted without the sign", "> as you said\n/dpg fix", nil},
		{"below a quotation", "> as you said\n\n/dpg fix", []string{"fix"}},
		{"in a list", "- /dpg fix\n- x\n/dpg help", nil},
		{"in a comment of HTML", "<!--\n/dpg fix\n-->", nil},
		{"in a tag", "a <b title='\n/dpg fix\n'>", nil},
		{"in a folded part", "<details>\n/dpg fix\n</details>", nil},
		{"in a heading", "/dpg fix\n===", nil},
		{"not UTF-8", "/dpg fix\xff", nil},
		{"more than fit", strings.Repeat("/dpg help\n", 12), []string{"help", "help", "help", "help", "help", "help", "help", "help", "help", "help"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range Commands(tt.comment) {
				s := strings.Join(strings.Fields(strings.Join([]string{c.Verb, c.Entry, c.Code, c.Rule, c.Until}, " ")), " ")
				if c.Reason != "" {
					s += " " + c.Reason
				}
				if c.Problem != "" {
					s = "! " + c.Problem
				}
				got = append(got, s)
			}
			for i := range min(len(got), len(tt.want)) {
				if strings.HasPrefix(tt.want[i], "! ") && strings.HasPrefix(got[i], tt.want[i]) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Commands(%q) (-want +got):\n%s", tt.comment, diff)
			}
		})
	}
}

// A comment of the greatest length that forges take must not keep the bot busy.
func TestCommandsTakesLittleTime(t *testing.T) {
	for _, unit := range []string{">", "> ", "- ", "`", "``a`", "<", "<a ", "<!--", "[", "*", "\\", "\t", "1. ", "```\n", "/dpg fix\n", "\n\n/dpg x"} {
		s := "/dpg help\n\n" + strings.Repeat(unit, 65_000/len(unit))
		done := make(chan int, 1)
		go func() { done <- len(Commands(s)) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second): // a guard against hanging; it takes milliseconds
			t.Errorf("65,000 bytes of %q keep Commands busy", unit)
		}
	}
}

func FuzzCommands(f *testing.F) {
	for _, s := range []string{"/dpg validate", "> x\n/dpg fix", "```\n/dpg fix", "/dpg waive a b until 2026-01-01 because c", "`a\n/dpg fix`", "\x00/dpg fix", "<a\n/dpg fix>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range Commands(s) {
			if !strings.HasPrefix(c.Line, wake) || strings.ContainsAny(c.Line, "\n") {
				t.Errorf("Commands(%q) has the line %q", s, c.Line)
			}
			if c.Problem == "" && (c.Verb == "accept" || c.Verb == "reject") && (c.Reason == "" || c.Code == "") {
				t.Errorf("Commands(%q) has %+v without a code or a reason", s, c)
			}
		}
	})
}
