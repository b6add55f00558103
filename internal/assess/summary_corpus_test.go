package assess

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// Sixty summaries, drawn with a fixed seed, are printed for a person to read cold:
//
//	go test ./internal/assess -run TestSummariesAreSound -v -args -draw -seed 5
var (
	draw = flag.Bool("draw", false, "print 60 summaries of the predecessor's entries, and those of the included resources")
	seed = flag.Uint64("seed", 5, "draw with this seed")
)

// A soundness is one thing that can be wrong with a summary and that a program can
// see. It says what is wrong, or "". The name is what a sentence of names and
// figures may hold beside plain words.
type soundness struct {
	name  string
	check func(e *entry.Entry, s *Summary, text string) string
	bad   []string // texts that it must find
}

var (
	markup    = regexp.MustCompile("[<>\\[\\]*_`#|\\\\~{}$]|&[a-z]+;")
	linkLike  = regexp.MustCompile(`(?i)://|www\.|\b[a-z0-9-]+\.(org|com|net|io|int|gov|edu)\b|@`)
	praising  = regexp.MustCompile(`(?i)\b(best|leading|world-class|innovative|unique|powerful|excellent|great|award|revolutionary|cutting|edge|state-of-the-art|easy|easily|simply|robust|seamless|ultimate|premier|successful|amazing|trusted|proven)\b`)
	emptySlot = regexp.MustCompile(`(?i)\(\s*\)|“\s*”|,\s*[,.]|\s[,.;:]|\b(of|in|for|on|under|and|or|is|are|was|the|a|an)\s*[.,]|<nil>|%!|\bnull\b|: ?\.`)
	badList   = regexp.MustCompile(`, and\b|\band\b[^.,]*\band\b[^.,]*\band\b|, ,|\band,`)
	vowelWord = regexp.MustCompile(`(?i)\b(an?) ([\p{L}]+)`)
	digits    = regexp.MustCompile(`\d+`)
	fullDate  = regexp.MustCompile(`\b\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) \d{4}\b`)
	cutEnd    = regexp.MustCompile(`(…|\.\.\.|\b(the|of|and|in|for|a|an|to|with|its|is|by|under|on))\.?$`)
)

// withoutNames takes out what is spelt as the entry spells it.
func withoutNames(e *entry.Entry, text string) string {
	if e.Name != "" {
		text = strings.ReplaceAll(text, e.Name, "Name")
	}
	for _, l := range e.Licenses {
		text = strings.ReplaceAll(text, l.Expression, "Licence")
	}
	return text
}

var soundnesses = []soundness{
	{"length: 300 characters at most, and more than none", func(_ *entry.Entry, _ *Summary, text string) string {
		if n := utf8.RuneCountInString(text); n > 300 || n < 20 {
			return fmt.Sprintf("%d characters", n)
		}
		return ""
	}, []string{strings.Repeat("It is so. ", 40), "Short."}},
	{"each sentence ends with one full stop", func(_ *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences {
			if !strings.HasSuffix(x.Text, ".") || strings.HasSuffix(x.Text, "..") {
				return x.Text
			}
		}
		return ""
	}, []string{"Vault is software in the field of health", "Vault is software in the field of health.."}},
	{"no sentence is cut off", func(_ *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences {
			if m := cutEnd.FindString(strings.TrimSuffix(x.Text, ".")); m != "" {
				return m
			}
		}
		return ""
	}, []string{"Vault is software in the field of.", "Vault is software in the…"}},
	{"no link", func(e *entry.Entry, _ *Summary, text string) string {
		return linkLike.FindString(withoutNames(e, text))
	},
		[]string{"Vault is software, see https://vault.example.", "Vault is software of vault.org today."}},
	{"no praise", func(e *entry.Entry, _ *Summary, text string) string {
		return praising.FindString(withoutNames(e, text))
	},
		[]string{"Vault is the leading software in the field of health."}},
	{"no double spaces, line breaks or space before a stop", func(_ *entry.Entry, _ *Summary, text string) string {
		return regexp.MustCompile(`\s\s|[^\S ]|\s[.,)]`).FindString(text)
	}, []string{"Vault is  software of some sort.", "Vault is software .", "Vault is\nsoftware of some sort."}},
	{"brackets and quotation marks are balanced", func(_ *entry.Entry, _ *Summary, text string) string {
		if !balanced(text) || strings.Count(text, "“") != strings.Count(text, "”") || strings.Contains(text, `"`) {
			return text
		}
		return ""
	}, []string{"Vault (Files is software of some sort.", "“Vault is software of some sort."}},
	{"a or an as the word asks", func(_ *entry.Entry, _ *Summary, text string) string {
		for _, m := range vowelWord.FindAllStringSubmatch(text, -1) {
			word := strings.ToLower(m[2])
			vowel := strings.ContainsRune("aeiou", rune(word[0]))
			for _, like := range []string{"uni", "use", "eu", "one"} {
				vowel = vowel && !strings.HasPrefix(word, like)
			}
			if vowel != (strings.ToLower(m[1]) == "an") {
				return m[0]
			}
		}
		return ""
	}, []string{"Vault is a article of some sort.", "Vault is an source of data today."}},
	{"no word stands twice running", func(_ *entry.Entry, _ *Summary, text string) string {
		words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' })
		for i := 1; i < len(words); i++ {
			if words[i] == words[i-1] {
				return words[i] + " " + words[i]
			}
		}
		return ""
	}, []string{"Vault is software software of some sort."}},
	{"no software is software: the noun does not repeat the name", func(e *entry.Entry, _ *Summary, text string) string {
		return regexp.MustCompile(`(?i)\b(software”? is software|standard”? is a standard|guide”? is a guide|data”? is a source of data|content”? is a source of content|report”? is a report|framework”? is a framework|policy”? is a policy)\b`).FindString(text)
	}, []string{"Vault Software is software in the field of health.", "The “Vault guide” is a guide on open data."}},
	{"no clause stands twice", func(_ *entry.Entry, s *Summary, text string) string {
		seen := map[string]bool{}
		for _, x := range regexp.MustCompile(`[.,;]\s*`).Split(strings.ToLower(text), -1) {
			if x != "" && seen[x] && len(strings.Fields(x)) > 2 {
				return x
			}
			seen[x] = true
		}
		return ""
	}, []string{"Vault is software today. Vault is software today."}},
	{"each sentence begins with a capital or a figure", func(_ *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences {
			first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(x.Text, "“"))
			if !unicode.IsUpper(first) && !unicode.IsDigit(first) {
				return x.Text
			}
		}
		return ""
	}, []string{"vault is software of some sort."}},
	{"no Markdown and no HTML", func(_ *entry.Entry, _ *Summary, text string) string { return markup.FindString(text) },
		[]string{"Vault is *fine* software today.", "Vault is <b>software</b> today.", "Vault is software &amp; data."}},
	{"a figure carries its date", func(e *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences {
			t := withoutNames(e, x.Text)
			if strings.Contains(t, "Sustainable Development Goal") || strings.HasPrefix(t, "It was published ") {
				continue // the number is a name, or itself the date
			}
			if digits.MatchString(t) && !fullDate.MatchString(t) {
				return x.Text
			}
		}
		return ""
	}, []string{"It was in use in 7 countries."}},
	{"lists read as lists", func(_ *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences { // a title in brackets may hold an "and" of its own
			if m := badList.FindString(regexp.MustCompile(`\([^()]*\)`).ReplaceAllString(x.Text, "")); m != "" {
				return m
			}
		}
		return ""
	}, []string{"Vault is software in the fields of health, and aid.", "Vault is used in a and b and c and d today."}},
	{"no empty slot", func(_ *entry.Entry, _ *Summary, text string) string { return emptySlot.FindString(text) },
		[]string{"Vault is software in the field of .", "It was in use in Kenya, , and Peru.", "The project “” is software today."}},
	{"every sentence names fields that are there", func(e *entry.Entry, s *Summary, _ string) string {
		for _, x := range s.Sentences {
			if len(x.From) == 0 {
				return x.Text
			}
		}
		return ""
	}, nil},
}

func summaryText(s *Summary) string {
	var parts []string
	for _, x := range s.Sentences {
		parts = append(parts, x.Text)
	}
	return strings.Join(parts, " ")
}

// unsound lists what is wrong with a summary.
func unsound(e *entry.Entry, s *Summary) []string {
	var wrong []string
	for _, c := range soundnesses {
		if m := c.check(e, s, summaryText(s)); m != "" {
			wrong = append(wrong, c.name+": "+m)
		}
	}
	return wrong
}

// The checks themselves: each finds what it is for.
func TestSoundnessFinds(t *testing.T) {
	e := &entry.Entry{Name: "Vault"}
	for _, c := range soundnesses {
		for _, bad := range c.bad {
			s := &Summary{Sentences: []Sentence{{Text: bad, From: []string{"/name"}}}}
			if c.check(e, s, bad) == "" {
				t.Errorf("%s: finds nothing in %q", c.name, bad)
			}
		}
		good := &Summary{Sentences: []Sentence{
			{"Vault is software and an AI system in the fields of health and education.", []string{"/name"}},
			{"As of 13 January 2023, it was in use in Kenya, Peru and Nepal.", []string{"/name"}},
			{"Its licence is GPL-3.0.", []string{"/name"}},
		}}
		e := &entry.Entry{Name: "Vault", Licenses: []entry.License{{Expression: "GPL-3.0"}}}
		if m := c.check(e, good, summaryText(good)); m != "" {
			t.Errorf("%s: finds %q in %q", c.name, m, summaryText(good))
		}
	}
}

// Every summary of the predecessor's live entries is sound, and nearly every entry
// has one. With -draw it prints sixty.
func TestSummariesAreSound(t *testing.T) {
	entries := predecessor(t)
	o := NewOffline(builtin(t))
	ids := slices.Sorted(maps.Keys(entries))
	made := map[string]*Summary{}
	for _, id := range ids {
		s := o.Assess(entries[id], nil, nil).Summary
		if s == nil {
			t.Logf("none: %q", entries[id].Name)
			continue
		}
		made[id] = s
		for _, wrong := range unsound(entries[id], s) {
			t.Errorf("%s: %s", id, wrong)
		}
	}
	t.Logf("%d of %d entries have a summary", len(made), len(ids))
	if len(made) < len(ids)*95/100 {
		t.Errorf("only %d of %d entries have a summary", len(made), len(ids))
	}
	if *draw {
		drawn := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return made[id] == nil })
		rand.New(rand.NewPCG(2026, *seed)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
		for i, id := range drawn[:min(60, len(drawn))] {
			t.Logf("%2d. %s", i+1, summaryText(made[id]))
		}
	}
}

// The entries of the included registry, resources among them, likewise.
func TestIncludedSummariesAreSound(t *testing.T) {
	reg, err := registry.Load(t.Context(), registry.FromFS(os.DirFS("../../registry")), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := NewOffline(reg.Frameworks)
	all, kinds := map[string]int{}, map[string]int{}
	for _, d := range reg.Docs {
		if !d.Entry.Status.Live() {
			continue
		}
		all[d.Kind.Name]++
		s := o.Assess(d.Entry, nil, reg.Settings).Summary
		if s == nil {
			t.Logf("none: %q", d.Entry.Name)
			continue
		}
		kinds[d.Kind.Name]++
		for _, wrong := range unsound(d.Entry, s) {
			t.Errorf("%s: %s", d.Ref, wrong)
		}
		if *draw && d.Kind.Name == "resource" {
			t.Logf("%s", summaryText(s))
		}
	}
	for kind, n := range all {
		t.Logf("%d of %d entries of kind %s have a summary", kinds[kind], n, kind)
		if kinds[kind] < n*3/4 { // a resource whose title says it all has none
			t.Errorf("only %d of %d entries of kind %s have a summary", kinds[kind], n, kind)
		}
	}
}
