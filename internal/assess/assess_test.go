package assess

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata")

func parse(t testing.TB, name string, data []byte, v any) {
	t.Helper()
	doc, found := source.Parse(name, data)
	if len(found) > 0 {
		t.Fatalf("%s: %s", name, found[0].Message)
	}
	if err := doc.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// testSet is the frameworks of testdata.
func testSet(t testing.TB) framework.Set {
	t.Helper()
	data, err := os.ReadFile("testdata/framework.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := new(framework.Framework)
	parse(t, "framework.yaml", data, f)
	return framework.Set{f.ID: f}
}

// TestAssess holds each archive's assessment to its "want". The key differs with
// every edit, so it is not among it.
func TestAssess(t *testing.T) {
	set := testSet(t)
	names, err := filepath.Glob("testdata/case/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var (
				e        entry.Entry
				previous *Assessment
				want     *txtar.File
			)
			for i, f := range archive.Files {
				switch f.Name {
				case "entry.yaml":
					parse(t, f.Name, f.Data, &e)
				case "previous.yaml":
					previous = new(Assessment)
					parse(t, f.Name, f.Data, previous)
				case "want":
					want = &archive.Files[i]
				default:
					t.Fatalf("unknown file %q", f.Name)
				}
			}
			a := NewOffline(set).Assess(&e, previous, nil)
			holds(t, &e, a, set)
			if len(a.Made.Key) != 64 || a.Made.Key != NewOffline(set).Key(&e, nil) {
				t.Errorf("key %q is not Key's", a.Made.Key)
			}
			a.Made.Key = ""
			got, err := entry.Encode(a, "")
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				want.Data = got
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want.Data), string(got)); diff != "" {
				t.Errorf("assessment differs (-want +got):\n%s", diff)
			}
		})
	}
}

// holds checks what is true of every assessment, by its own reading of the entry.
func holds(t testing.TB, e *entry.Entry, a *Assessment, set framework.Set) {
	t.Helper()
	data, err := entry.Encode(e, "")
	if err != nil {
		t.Fatal(err)
	}
	doc, found := source.Parse("entry.yaml", data)
	at := func(pointer string) string {
		n, exact := doc.Locate(pointer)
		if !exact {
			t.Errorf("pointer %q leads nowhere", pointer)
		}
		return n.Text
	}
	for _, m := range a.Mappings {
		if _, _, err := set.Find(m.Code); err != nil {
			t.Error(err)
		}
		if m.Review.State == StateProposed && len(m.Evidence) == 0 || len(m.Evidence) > MaxQuotes {
			t.Errorf("%s has %d pieces of evidence", m.Code, len(m.Evidence))
		}
		for _, ev := range m.Evidence {
			n := len(strings.Fields(ev.Quote))
			if len(found) == 0 && !strings.Contains(at(ev.Pointer), ev.Quote) {
				t.Errorf("%s: %q does not stand at %s", m.Code, ev.Quote, ev.Pointer)
			}
			if n > MaxQuoteWords || n < MinQuoteWords && !strings.ContainsFunc(ev.Quote, unspaced) {
				t.Errorf("%s: %q has %d words", m.Code, ev.Quote, n)
			}
		}
	}
	if a.Summary != nil {
		var all []string
		for _, s := range a.Summary.Sentences {
			all = append(all, s.Text)
			if len(s.From) == 0 {
				t.Errorf("sentence %q rests on nothing", s.Text)
			}
			for _, p := range s.From {
				if len(found) == 0 {
					at(p)
				}
			}
		}
		if n := utf8.RuneCountInString(strings.Join(all, " ")); n > MaxSummaryLetters || n == 0 {
			t.Errorf("summary of %d characters", n)
		}
	}
	if again, dropped := Check(e, a, set, nil); len(dropped) > 0 {
		t.Errorf("the check drops %v", dropped)
	} else if diff := cmp.Diff(a.Mappings, again.Mappings); diff != "" && len(a.Mappings) > 0 {
		t.Errorf("the check changes what stands:\n%s", diff)
	}
}

func TestCheckDrops(t *testing.T) {
	set := testSet(t)
	e := &entry.Entry{
		Schema: "dpg/v1", ID: "vault", Name: "Vault", Website: "https://example.org/all/of/it",
		Description: entry.Plain("We send encrypted data to the clinic."),
		Decisions:   []entry.Decision{{Ruling: "accept", Code: "care/open", As: "registry"}},
	}
	proposed := Review{State: StateProposed}
	good := Mapping{
		Code: "care/security", Strength: 2, Engines: []string{EngineOffline}, Review: proposed,
		Evidence: []Evidence{{"/description", "We send encrypted data"}},
	}
	tests := []struct {
		name   string
		change func(*Mapping)
		reason string // "" stands
	}{
		{"stands", func(m *Mapping) {}, ""},
		{"code", func(m *Mapping) { m.Code = "care/nothing" }, `framework "care" has no code "nothing"`},
		{"list", func(m *Mapping) { m.Code = "care/leak" }, `list "risks" is not one that entries are mapped to`},
		{"strength", func(m *Mapping) { m.Strength = 3 }, "strength 3 is not 1 or 2"},
		{"state", func(m *Mapping) { m.Review.State = StateConfirmedBySteward }, `review state "confirmed_by_steward" is not "proposed", which the entry's decisions give`},
		{"invented", func(m *Mapping) { m.Evidence[0].Quote = "We send all the data" }, "the words do not stand in the field"},
		{"case", func(m *Mapping) { m.Evidence[0].Quote = "we send encrypted data" }, "the words do not stand in the field"},
		{"cut word", func(m *Mapping) { m.Evidence[0].Quote = "send encrypted data to the clin" }, "the words do not stand in the field"},
		{"short", func(m *Mapping) { m.Evidence[0].Quote = "encrypted data" }, "a quote has 3 to 30 words and at most 400 bytes"},
		{"pointer", func(m *Mapping) { m.Evidence[0].Pointer = "/standard/privacy/text" }, `"/standard/privacy/text" is no field with text that may be quoted`},
		{"link", func(m *Mapping) { m.Evidence[0].Pointer = "/website" }, `"/website" is no field with text that may be quoted`},
		{"none", func(m *Mapping) { m.Evidence = nil }, "no evidence stands"},
		{"no model", func(m *Mapping) { m.Engines = []string{EngineOffline, EngineModel} }, "the file holds no answer of a model on this code"},
		{"none but accepted", func(m *Mapping) {
			m.Code, m.Evidence, m.Review.State = "care/open", nil, StateConfirmedByRegistry
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good
			m.Evidence = slices.Clone(good.Evidence)
			tt.change(&m)
			kept, dropped := Check(e, &Assessment{Mappings: []Mapping{m}}, set, nil)
			if tt.reason == "" {
				if len(dropped) > 0 || len(kept.Mappings) != 1 {
					t.Errorf("dropped %v", dropped)
				}
				return
			}
			if len(kept.Mappings) > 0 || len(dropped) == 0 || dropped[0].Reason != tt.reason {
				t.Errorf("kept %v, dropped %v; want reason %q", kept.Mappings, dropped, tt.reason)
			}
		})
	}
}

func TestCheckSummary(t *testing.T) {
	e := &entry.Entry{Schema: "dpg/v1", ID: "vault", Name: "Vault", Types: []string{"software"}}
	tests := []struct {
		name, text, from, reason string
	}{
		{"stands", "Vault is software.", "/types/0", ""},
		{"no such field", "Vault is software.", "/sectors", `there is no field "/sectors"`},
		{"no such item", "Vault is software.", "/types/01", `there is no field "/types/01"`},
		{"link", "See https://example.org now.", "/name", "a sentence is plain prose on one line, without links and markup"},
		{"markup", "Vault is [soft]ware.", "/name", "a sentence is plain prose on one line, without links and markup"},
		{"long", strings.Repeat("Vault is ", 34) + "big.", "/name", "a summary has at most 300 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Summary{Language: "en", Engine: EngineOffline, Sentences: []Sentence{{tt.text, []string{tt.from}}}}
			kept, dropped := Check(e, &Assessment{Summary: s}, framework.Set{}, nil)
			switch {
			case tt.reason == "" && (len(dropped) > 0 || kept.Summary == nil):
				t.Errorf("dropped %v", dropped)
			case tt.reason != "" && (kept.Summary != nil || len(dropped) != 1 || dropped[0].Reason != tt.reason):
				t.Errorf("kept %v, dropped %v; want reason %q", kept.Summary, dropped, tt.reason)
			}
		})
	}
}

func TestSummaryFirst(t *testing.T) {
	for _, tt := range []struct {
		letters int
		want    bool
	}{{0, true}, {1, false}, {300, false}, {301, true}} {
		e := &entry.Entry{Description: entry.Plain(strings.Repeat("é", tt.letters))}
		if got := SummaryFirst(e, nil); got != tt.want {
			t.Errorf("a description of %d characters: summary first %v, want %v", tt.letters, got, tt.want)
		}
	}
}

func TestPlaceNames(t *testing.T) {
	for code, want := range map[string]string{
		"KE": "Kenya", "NL": "the Netherlands", "CD": "the Democratic Republic of the Congo", "BA": "Bosnia and Herzegovina",
		"TR": "Türkiye", "PS": "Palestine", "GW": "Guinea-Bissau", "LC": "Saint Lucia", "XK": "Kosovo", "US": "the United States",
		"": "", "ke": "", "KEN": "", "ZZ": "", "404": "", "UK": "", "K\x00": "",
	} {
		if got := placeName(code); got != want {
			t.Errorf("placeName(%q) = %q, want %q", code, got, want)
		}
	}
}

func TestHasField(t *testing.T) {
	e := &entry.Entry{
		Name: "Vault", Types: []string{"software", ""}, Licenses: []entry.License{{Expression: "MIT"}},
		Description: entry.Text{}.With("fr", "en", "Un coffre."), Locations: &entry.Locations{DeployedIn: []string{"KE"}},
		Standard: &entry.Answers{Privacy: &entry.Answer{Answer: "yes"}},
	}
	for pointer, want := range map[string]bool{
		"/name": true, "/types": true, "/types/0": true, "/licenses/0/expression": true, "/description/fr": true,
		"/locations/deployed_in": true, "/standard/privacy/answer": true,
		"": false, "name": false, "/": false, "/Name": false, "/website": false, "/types/01": false, "/types/-1": false, "/types/2": false,
		"/licenses/0/url": false, "/licenses/expression": false, "/description/en": false, "/name/0": false, "/standard/privacy/text": false,
		"/name/": false, "/locations/developed_in": false, "/types/0/0": false,
	} {
		if got := hasField(e, pointer); got != want {
			t.Errorf("hasField(%q) = %v, want %v", pointer, got, want)
		}
	}
}

func TestSummaryOnlyWhereItIsRead(t *testing.T) {
	e := &entry.Entry{Schema: "dpg/v1", ID: "cofre", Name: "Cofre", Types: []string{"software"}, Sectors: []string{"health"}}
	if s := NewOffline(framework.Set{}).Assess(e, nil, &policy.Settings{Languages: []string{"pt"}}).Summary; s != nil {
		t.Errorf("a Portuguese registry got the English summary %v", s)
	}
}

func TestKeySeesWhatMatters(t *testing.T) {
	base := func() (*entry.Entry, framework.Set, *policy.Settings) {
		return &entry.Entry{Schema: "dpg/v1", ID: "vault"}, testSet(t), &policy.Settings{Name: "A", Languages: []string{"en"}}
	}
	e, set, settings := base()
	want := NewOffline(set).Key(e, settings)
	tests := []struct {
		name   string
		change func(*entry.Entry, framework.Set, *policy.Settings)
		same   bool
	}{
		{"nothing", func(*entry.Entry, framework.Set, *policy.Settings) {}, true},
		{"name of the registry", func(_ *entry.Entry, _ framework.Set, s *policy.Settings) { s.Name = "B" }, true},
		{"order of codes", func(_ *entry.Entry, set framework.Set, _ *policy.Settings) { slices.Reverse(set["care"].Codes) }, true},
		{"entry", func(e *entry.Entry, _ framework.Set, _ *policy.Settings) { e.Name = "V" }, false},
		{"languages", func(_ *entry.Entry, _ framework.Set, s *policy.Settings) { s.Languages = []string{"fr"} }, false},
		{"signals", func(_ *entry.Entry, set framework.Set, _ *policy.Settings) {
			set["care"].Codes[0].Signals["en"].Clear[0] = "other words"
		}, false},
	}
	for _, tt := range tests {
		e, set, settings := base()
		tt.change(e, set, settings)
		if got := NewOffline(set).Key(e, settings); (got == want) != tt.same {
			t.Errorf("%s: same key %v, want %v", tt.name, got == want, tt.same)
		}
	}
}

// TestOrderDoesNotMatter assesses with codes in other orders and from many
// goroutines at once; the bytes are always the same.
func TestOrderDoesNotMatter(t *testing.T) {
	e := &entry.Entry{
		Schema: "dpg/v1", ID: "vault",
		Description: entry.Plain("We send encrypted data by open standards. Anonymised open data comes from an API, and a password is needed."),
	}
	encode := func(a *Assessment) string {
		data, err := entry.Encode(a, "")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	want := encode(NewOffline(testSet(t)).Assess(e, nil, nil))
	for _, procs := range []int{1, 2, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		set := testSet(t)
		slices.Reverse(set["care"].Codes)
		o := NewOffline(set)
		results := make(chan string)
		for range 8 {
			go func() { results <- encode(o.Assess(e, nil, nil)) }()
		}
		for range 8 {
			if diff := cmp.Diff(want, <-results); diff != "" {
				t.Fatalf("differs with %d processors:\n%s", procs, diff)
			}
		}
	}
}

// TestHostileTexts gives the engine texts of the largest size a file may have.
func TestHostileTexts(t *testing.T) {
	set := testSet(t)
	o := NewOffline(set)
	fill := func(s string) string { return strings.Repeat(s, source.MaxBytes/len(s)) }
	for name, text := range map[string]string{
		"one word":       fill("a"),
		"one letter":     fill("a "),
		"one signal":     fill("privacy "),
		"signals joined": fill("open-data-"),
		"no spaces":      fill("open.source."),
		"full stops":     fill(". "),
		"denials":        fill("no not without "),
		"at signs":       fill("@."),
		"links":          fill("https://a.b/c "),
		"schemes":        fill("a://"),
		"spaces":         fill(" \n"),
		"marks":          fill("e\u0301"),
		"only marks":     fill("\u0301"),
		"joiners":        fill("\u200d"),
		"controls":       fill("\x00\x1b[2J"),
		"not UTF-8":      fill("\xff\xfeopen data "),
		"overrides":      fill("open data \u202e"),
		"contractions":   fill("don't "),
		"no words":       fill("日本語"),
		"emoji":          fill("👩‍💻 open data "),
	} {
		t.Run(name, func(t *testing.T) {
			e := &entry.Entry{Schema: "dpg/v1", ID: "vault", Name: text, Description: entry.Plain(text)}
			holds(t, e, o.Assess(e, nil, nil), set)
			text = text[:len(text)/8] // Map reads as Assess does; the race detector is slow
			for _, r := range o.Map(text, "en") {
				for _, ev := range r.Evidence {
					if !standsIn(text, ev.Quote) {
						t.Errorf("%s: %q does not stand in the text", r.Code, ev.Quote)
					}
				}
			}
		})
	}
}

func TestMap(t *testing.T) {
	got := NewOffline(testSet(t)).Map("Clinics send encrypted data on personal matters, with passwords and firewalls. Some of it becomes open data later.", "en-GB")
	want := []Ranked{
		{Code: "care/security", Strength: 2, Evidence: []Evidence{{"", "Clinics send encrypted data on personal matters, with passwords and firewalls"}}},
		{Code: "care/open", Strength: 1, Evidence: []Evidence{{"", "Some of it becomes open data later"}}},
		// Support for nothing, but a word is of its subject.
		{Code: "care/privacy", Strength: 1, Evidence: []Evidence{{"", "Clinics send encrypted data on personal matters, with passwords and firewalls"}}},
	}
	before := 1.0
	for i, r := range got {
		if r.Score <= 0 || r.Score >= before {
			t.Errorf("%s has score %v after %v", r.Code, r.Score, before)
		}
		before, got[i].Score = r.Score, 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Map differs (-want +got):\n%s", diff)
	}
}

// TestMapByRelatedCodes places texts that claim nothing: by stems of a code's
// vocabulary, and by what is said of a code that is related to it.
func TestMapByRelatedCodes(t *testing.T) {
	o := NewOffline(testSet(t))
	for text, want := range map[string]string{
		"Let representatives of all villages vote on it.": "care/council",
		"Punish whoever is selling people's records.":     "care/privacy",
	} {
		got := o.Map(text, "en")
		if len(got) == 0 || got[0].Code != want || got[0].Strength != 1 || len(got[0].Evidence) != 1 {
			t.Errorf("Map(%q) = %v, want %s first, with strength 1", text, got, want)
		}
	}
	if got := o.Map("Zebras graze.", "en"); len(got) > 0 {
		t.Errorf("a text about nothing of the kind gives %v", got)
	}
	if got := o.Map("We send encrypted data.", "de"); len(got) > 0 || o.Speaks("de") {
		t.Errorf("a language without signals gives %v", got)
	}
}

// TestMapTopics places texts of a few words: the code whose own vocabulary has them is
// the nearest. A word that every entry uses is no likeness, and alone finds nothing.
func TestMapTopics(t *testing.T) {
	set := builtin(t)
	o := NewOffline(framework.Set{"dpi-safeguards": set["dpi-safeguards"]})
	for text, want := range map[string]string{
		"grievance":             "dpi-safeguards/F8",
		"consent":               "dpi-safeguards/F6",
		"encryption":            "dpi-safeguards/O4",
		"access control":        "dpi-safeguards/O4",
		"open standards":        "dpi-safeguards/O9",
		"funding":               "dpi-safeguards/O8",
		"marginalised groups":   "dpi-safeguards/F2",
		"low bandwidth":         "dpi-safeguards/F3",
		"vendor lock-in":        "dpi-safeguards/F9",
		"data minimisation":     "dpi-safeguards/O3",
		"steering committee":    "dpi-safeguards/O7",
		"vulnerability reports": "dpi-safeguards/O4",
	} {
		if got := o.Map(text, "en"); len(got) == 0 || got[0].Code != want {
			t.Errorf("Map(%q) = %v, want %s first", text, got, want)
		}
	}
	o = NewOffline(set)
	for _, text := range []string{"water", "partners", "countries", "people", "data", "government", "The platform of a project."} {
		if got := o.Map(text, "en"); slices.ContainsFunc(got, func(r Ranked) bool { return len(r.Evidence) == 0 || r.Strength == 2 }) {
			t.Errorf("Map(%q) = %v, want nothing by nearness alone", text, got)
		}
	}
}

func FuzzAssess(f *testing.F) {
	set := testSet(f)
	o := NewOffline(set)
	f.Add("We send encrypted data to the clinic; open-data, privacy!", "en")
	f.Add("doesn't collect personal data \u202e https://x.y/z", "fr-CA")
	f.Add("日本語 encrypted data\u00ad\u200d é.g. U.S. Law", "")
	f.Fuzz(func(t *testing.T, text, language string) {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\u0085\u2028\u2029\ufeff") {
			return // no file holds it, or YAML's own rewriting of line ends hides the words
		}
		e := &entry.Entry{
			Schema: "dpg/v1", ID: "vault", Name: text, Language: language, Description: entry.Plain(text),
			Standard: &entry.Answers{DataSecurity: &entry.Answer{Items: []string{text, text + text}}},
			Sectors:  []string{text},
		}
		holds(t, e, o.Assess(e, nil, nil), set)
	})
}

func BenchmarkAssess(b *testing.B) {
	o := NewOffline(testSet(b))
	sentence := "The clinic sends encrypted data to the ministry and publishes open data about its work every month. "
	for _, n := range []int{1, 100, 10_000} {
		e := &entry.Entry{Schema: "dpg/v1", ID: "vault", Description: entry.Plain(strings.Repeat(sentence, n))}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n * len(sentence)))
			for b.Loop() {
				o.Assess(e, nil, nil)
			}
		})
	}
}
