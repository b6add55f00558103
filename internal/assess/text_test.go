package assess

import (
	"strings"
	"testing"
)

// TestTokenize writes the tokens of a text as: a space between words, "+" between
// parts of one word, " | " between sentences and " || " between segments.
func TestTokenize(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"words", "Open source, for all.", "open source for all"},
		{"hyphen and apostrophe", "open-source women’s end-to-end", "open+source women+s end+to+end"},
		{"contraction", "It doesn't, can’t and won't; it isn'tx", "it does+not can+not and will+not | it isn+tx"},
		{"sentences", "One here. Two there! Three? Four", "one here | two there | three | four"},
		{"no sentence", "Data, e.g. names, of the U.S. Government under Art. 9 in v2.41 stay.", "data e+g names of the u+s government under art 9 in v2+41 stay"},
		{"no space after", "in this manner.Adopters say so", "in this manner | +adopters say so"},
		{"soft break", "open\nsource", "open source"},
		{"hard break", "open\n\nsource\n- data:\nopen\nData", "open | source | data | open | data"},
		{"link", "see https://a.b/open-source now (www.x.org) and me@x.org or github.com/x", "see || now || and || or"},
		{"link in words", "[data](https://x.org/a) stay", "data || stay"},
		{"not a link", "and/or 24/7 Node.js", "and+or 24+7 node+js"},
		{"composed", "CAFE\u0301 I\u0307", "caf\u00e9 i\u0307"},
		{"invisible", "pri\u00advacy \u200dopen", "privacy open"},
		{"control", "open \u202edata", "open || data"},
		{"zero", "open\x00data", "open || +data"},
		{"not UTF-8", "open\xffdata", "open || +data"},
		{"no spaces", "日本 語abc", "日 本 語 abc"},
		{"long word", strings.Repeat("a", 97) + " b", " b"},
		{"nothing", " . ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			tokens := tokenize(tt.text)
			for i, tok := range tokens {
				if i > 0 {
					switch before := tokens[i-1]; {
					case before.segment != tok.segment:
						b.WriteString(" || ")
					case before.sentence != tok.sentence:
						b.WriteString(" | ")
					case tok.word:
						b.WriteString(" ")
					}
				}
				if i > 0 && !tok.word {
					b.WriteString("+")
				}
				b.WriteString(tok.key)
			}
			if got := b.String(); got != tt.want {
				t.Errorf("tokenize(%q)\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestParsePhrase(t *testing.T) {
	tests := []struct {
		phrase string
		words  int // 0 is refused
	}{
		{"encrypt* data", 2},
		{"end-to-end encryption", 4},
		{"collects * data", 3},
		{"not ... collect", 3},
		{"... collect", 0},
		{"collect ...", 0},
		{"not ... ... collect", 0},
		{"*", 0},
		{" ", 0},
		{"...", 0},
		{strings.Repeat("data ", maxPhraseWords+1), 0},
	}
	for _, tt := range tests {
		if got := parsePhrase(tt.phrase); len(got) != tt.words {
			t.Errorf("parsePhrase(%q) has %d words, want %d", tt.phrase, len(got), tt.words)
		}
	}
}

func TestMatcherFindsOverlaps(t *testing.T) {
	var m matcher
	for _, p := range []string{"open data", "open *", "data", "open dat*", "data sets"} {
		m.add(parsePhrase(p), signal{})
	}
	found := map[string]int{}
	text := "open data sets"
	tokens := tokenize(text)
	m.find(tokens, func(_, start, end int) { found[text[tokens[start].start:tokens[end-1].end]]++ })
	if found["open data"] != 3 || found["data"] != 1 || found["data sets"] != 1 || len(found) != 3 {
		t.Errorf("found %v", found)
	}
}

func TestNegated(t *testing.T) {
	tests := []struct {
		text string // "[" and "]" enclose what may be denied
		want bool
	}{
		{"we do not [collect]", true},
		{"we do not ever under any circumstances [collect]", true},
		{"we do not, under any circumstances, [collect]", true},
		{"no, we [collect]", false},
		{"it is not slow, but we [collect]", false},
		{"it is not slow; we [collect]", false},
		{"it does not store names and later we [collect]", false},
		{"it does not only [collect]", false},
		{"[encryption] is not used", true},
		{"[encryption] is never used", true},
		{"[encryption] is used, not hashing", false},
		{"without any kind of [encryption]", true},
		{"it does not at this stage of its first release [collect]", true},
		{"it does not in most of the deployments that we know [collect]", false},
		{"it does not depend on one vendor for [encryption]", false},
		{"it does not need a licence to [encrypt]", true}, // near: who reads on would not be sure either
		{"it does not need any licence from anybody to [encrypt]", false},
		{"no record of any of our many users is ever [encrypted]", true},
		{"no record of our users leaves the phone and it is [encrypted]", false},
		{"no name is kept in the records, which are [encrypted]", false},
		{"we do not sell records, and every backup is [encrypted]", false},
		{"we have not been hacked, all records are [encrypted]", false},
	}
	for _, tt := range tests {
		text := strings.NewReplacer("[", "", "]", "").Replace(tt.text)
		from := strings.Index(tt.text, "[")
		tokens := tokenize(text)
		at := -1
		for i, tok := range tokens {
			if tok.start == from {
				at = i
			}
		}
		if at < 0 {
			t.Fatalf("%q marks no word", tt.text)
		}
		if got := negated("en", text, tokens, at, at+1); got != tt.want {
			t.Errorf("%q: denied %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestRecitesFrom(t *testing.T) {
	const none = -1
	for text, want := range map[string]int{
		"9.c Increase access":            0,
		"Target 4.3: Equal access":       0,
		"SDG 17.8 Innovation":            0,
		"18.2 no such goal":              none,
		"3 clinics use it":               none,
		"9. Our tool helps":              none,
		"We work on 9.c":                 none,
		"Target groups are nurses":       none,
		"15.30 is when the clinic shuts": 0, // a hint less is lost
		"We are aligned with Target 9.1, \"Develop infrastructure\"": 5,
		"geared toward 17.16 Enhance the global partnership":         2,
		"serves target 3.8 by bringing nurses to villages":           none, // the owner's own words
		"serves targets 3.7 and 3.8":                                 none,
		"licensed as CC BY 44.0 International":                       none,
	} {
		tokens := tokenize(text)
		if want == none {
			want = len(tokens)
		}
		if got := recitesFrom("en", text, tokens); got != want {
			t.Errorf("recitesFrom(%q) = %d, want %d", text, got, want)
		}
	}
}
