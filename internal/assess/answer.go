package assess

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

// An Answer is what a model answered about an entry, as far as it can be shown
// from the entry. It stands in the assessment beside what both engines come to
// together, so that anybody can make that again without the model.
type Answer struct {
	Name     string     `yaml:"name"`              // the model, as the endpoint calls it
	Prompt   string     `yaml:"prompt"`            // version of the words it was asked in, such as "prompt/1"
	Key      string     `yaml:"key"`               // SHA-256 over all that it was asked; see Question.Key
	Failed   string     `yaml:"failed,omitempty"`  // one of Failures: there is no answer, and the offline one stands
	Dropped  int        `yaml:"dropped,omitempty"` // parts of the answer that the evidence check dropped
	Mappings []Finding  `yaml:"mappings"`          // by code
	Summary  []Sentence `yaml:"summary,omitempty"`
}

// A Finding is a code that a model gave, with the words it rests on.
type Finding struct {
	Code     string     `yaml:"code"`
	Strength int        `yaml:"strength"` // 2 clear, 1 weak
	Evidence []Evidence `yaml:"evidence"`
}

// Why there is no answer of a model.
const (
	FailedTimeOut     = "time-out"     // no whole answer in the time allowed
	FailedRateLimit   = "rate-limit"   // too many requests, again and again
	FailedEndpoint    = "endpoint"     // not reached, or an error of its own
	FailedTooLarge    = "too-large"    // more bytes than are read
	FailedCutOff      = "cut-off"      // the answer ends in the middle
	FailedRefused     = "refused"      // the model or a filter would not answer
	FailedNotAsAsked  = "not-as-asked" // not JSON, or of another shape
	FailedNotAccepted = "not-accepted" // the endpoint does not take the key, the model or the request
)

// Failures lists them.
func Failures() []string {
	return []string{
		FailedTimeOut, FailedRateLimit, FailedEndpoint, FailedTooLarge,
		FailedCutOff, FailedRefused, FailedNotAsAsked, FailedNotAccepted,
	}
}

// Bounds on an answer. One that is over them is not worth a look.
const (
	MaxAnswerMappings  = 200
	MaxAnswerQuotes    = 20 // of one code
	MaxAnswerSentences = 20
	maxCodesOfQuote    = 3 // a quote that speaks for more codes speaks for none
	maxDroppedCount    = 10_000
)

// answers reports whether there is an answer, perhaps an empty one.
func (a *Answer) answers() bool { return a != nil && a.Failed == "" }

func (a *Answer) says(code string) bool {
	return a.answers() && slices.ContainsFunc(a.Mappings, func(f Finding) bool { return f.Code == code })
}

// summary is the model's, in the language in which it was asked for.
func (a *Answer) summary(settings *policy.Settings) *Summary {
	if !a.answers() || len(a.Summary) == 0 {
		return nil
	}
	return &Summary{Language: settings.Language(), Engine: EngineModel, Sentences: a.Summary}
}

// join adds what a model found to what the offline engine did. Where both found a
// code, its strength is the greater of both and its quotes come from both in turn.
func (a *Answer) join(byCode map[string]Mapping) {
	if !a.answers() {
		return
	}
	for _, f := range a.Mappings {
		m, both := byCode[f.Code]
		if !both {
			byCode[f.Code] = Mapping{Code: f.Code, Strength: f.Strength, Engines: []string{EngineModel}, Evidence: f.Evidence}
			continue
		}
		m.Engines = []string{EngineOffline, EngineModel}
		m.Strength = max(m.Strength, f.Strength)
		m.Evidence = inTurn(m.Evidence, f.Evidence)
		byCode[f.Code] = m
	}
}

// inTurn takes from two lists of quotes by turns, and none that says what one
// before it says.
func inTurn(a, b []Evidence) []Evidence {
	all := []Evidence{}
	add := func(from []Evidence, i int) {
		if i < len(from) && len(all) < MaxQuotes && !slices.ContainsFunc(all, from[i].overlaps) {
			all = append(all, from[i])
		}
	}
	for i := range max(len(a), len(b)) {
		add(a, i)
		add(b, i)
	}
	return all
}

// overlaps reports whether one quote holds the other.
func (ev Evidence) overlaps(other Evidence) bool {
	return ev.Pointer == other.Pointer && (strings.Contains(ev.Quote, other.Quote) || strings.Contains(other.Quote, ev.Quote))
}

var (
	plainModel = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$`)
	promptName = regexp.MustCompile(`^prompt/[0-9]+$`)
)

// CheckModelName says what is wrong with the name of a model; nil is nothing.
func CheckModelName(name string) error {
	if len(name) > 200 || !plainModel.MatchString(name) {
		return fmt.Errorf("model %q is not a name of letters, digits and . _ : / @ + - of at most 200 characters", firstBytes(name, 200))
	}
	return nil
}

// Check is the evidence check of a model's answer: the offline engine's, and what only
// a model gets wrong. It returns what stands, with what does not and why, or nil
// where the answer is not about this entry as it is now. It does not change answer,
// and of what it returned drops nothing more.
func (asker *Asker) Check(e *entry.Entry, answer *Answer) (*Answer, []Dropped) {
	q := asker.Question(e)
	switch {
	case q == nil:
		return nil, []Dropped{{Reason: "nothing is asked of a model about this entry"}}
	case CheckModelName(answer.Name) != nil:
		return nil, []Dropped{{Reason: CheckModelName(answer.Name).Error()}}
	case !promptName.MatchString(answer.Prompt) || len(answer.Prompt) > 20 || answer.Key != q.Key(answer.Name):
		return nil, []Dropped{{Reason: "the model's answer was made from other words than those of the entry, the frameworks and the prompt as they are now"}}
	}
	kept := &Answer{Name: answer.Name, Prompt: answer.Prompt, Key: answer.Key, Mappings: []Finding{}}
	kept.Dropped = min(max(answer.Dropped, 0), maxDroppedCount)
	if answer.Failed != "" {
		if !slices.Contains(Failures(), answer.Failed) {
			return nil, []Dropped{{Reason: fmt.Sprintf("%q is not a way in which a model fails", answer.Failed)}}
		}
		kept.Failed = answer.Failed
		return kept, nil
	}
	c := newChecker(e, asker.settings)
	kept.Mappings = c.findings(answer.Mappings, asker.set)
	kept.Summary = c.prose(e, q, answer.Summary)
	kept.Dropped = min(kept.Dropped+len(c.dropped), maxDroppedCount)
	return kept, c.dropped
}

// findings are the codes that stand, sorted.
func (c *checker) findings(all []Finding, set framework.Set) []Finding {
	kept := []Finding{}
	if len(all) > MaxAnswerMappings {
		c.drop(Dropped{Reason: fmt.Sprintf("an answer has at most %d codes", MaxAnswerMappings)})
		return kept
	}
	if c.ruling.noMappings {
		if len(all) > 0 {
			c.drop(Dropped{Reason: "the entry opts out of mappings"})
		}
		return kept
	}
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.Code] {
			c.drop(Dropped{Code: f.Code, Reason: "the code is given twice"})
			continue
		}
		seen[f.Code] = true
		if f, ok := c.finding(f, set); ok {
			kept = append(kept, f)
		}
	}
	kept = c.stretched(kept)
	slices.SortFunc(kept, func(a, b Finding) int { return strings.Compare(a.Code, b.Code) })
	return kept
}

func (c *checker) finding(f Finding, set framework.Set) (Finding, bool) {
	refuse := func(format string, args ...any) (Finding, bool) {
		c.drop(Dropped{Code: f.Code, Reason: fmt.Sprintf(format, args...)})
		return Finding{}, false
	}
	fw, code, err := set.Find(f.Code)
	if err != nil {
		return refuse("%v", err)
	}
	if l := fw.List(code.List); l == nil || !l.Mapped {
		return refuse("list %q is not one that entries are mapped to", code.List)
	}
	if f.Strength != 1 && f.Strength != 2 {
		return refuse("strength %d is not 1 or 2", f.Strength)
	}
	if len(f.Evidence) > MaxAnswerQuotes {
		return refuse("an answer has at most %d quotes for a code", MaxAnswerQuotes)
	}
	kept := Finding{Code: f.Code, Strength: 1, Evidence: []Evidence{}}
	for _, ev := range f.Evidence {
		reason := c.evidence(ev)
		switch {
		case reason != "":
		case len(kept.Evidence) == MaxQuotes:
			reason = fmt.Sprintf("a code has at most %d quotes", MaxQuotes)
		case slices.ContainsFunc(kept.Evidence, ev.overlaps):
			reason = "another quote of the code holds these words or is held by them"
		case c.fields[ev.Pointer].denied:
			reason = `the answer "no" stands beside these words`
		case instructs(ev.Quote):
			reason = "the words tell a reader what to do, and nothing about the subject"
		}
		if reason != "" {
			c.drop(Dropped{Code: f.Code, Pointer: ev.Pointer, Quote: ev.Quote, Reason: reason})
			continue
		}
		if !c.fields[ev.Pointer].low { // a keyword is a hint, whatever a model makes of it
			kept.Strength = f.Strength
		}
		kept.Evidence = append(kept.Evidence, ev)
	}
	if len(kept.Evidence) == 0 {
		return refuse("no evidence stands")
	}
	return kept, true
}

// stretched drops quotes that are given for more codes than one statement can
// support: a model that obeys a text gives the same words for everything.
func (c *checker) stretched(all []Finding) []Finding {
	type place struct{ finding, quote int }
	bad := map[place]bool{}
	for i, f := range all {
		for j, ev := range f.Evidence {
			codes := 0
			for _, other := range all {
				if slices.ContainsFunc(other.Evidence, ev.overlaps) {
					codes++
				}
			}
			bad[place{i, j}] = codes > maxCodesOfQuote
		}
	}
	kept := []Finding{}
	for i, f := range all {
		evidence := []Evidence{}
		for j, ev := range f.Evidence {
			if bad[place{i, j}] {
				c.drop(Dropped{Code: f.Code, Pointer: ev.Pointer, Quote: ev.Quote, Reason: fmt.Sprintf("the same words are given for more than %d codes", maxCodesOfQuote)})
				continue
			}
			evidence = append(evidence, ev)
		}
		if f.Evidence = evidence; len(evidence) > 0 {
			kept = append(kept, f)
		} else {
			c.drop(Dropped{Code: f.Code, Reason: "no evidence stands"})
		}
	}
	return kept
}

var instruction = regexp.MustCompile(`(?i)\b(ignore|disregard|forget|override|bypass)\b[^.]{0,60}\b(instructions?|prompts?|rules|above|previous|prior)\b` +
	`|\b(system|assistant|developer) (prompt|message)\b` +
	`|\bmap (me|us|it|this|them|everything)\b[^.]{0,40}\b(to|onto|under)\b` +
	`|\b(all|every|each) (the )?(codes?|principles?|outcomes?|mappings?)\b` +
	`|\b(as an? (ai|language model)|language model)\b[^.]{0,40}\b(must|should|shall|will|answer|respond|output)\b` +
	`|\b(answer|respond|reply|output)\b[^.]{0,30}\b(strength|json|mappings?|codes?)\b`)

// instructs reports whether words speak to whoever reads for the bot. It knows the
// usual ways only; what it misses must still be said by the entry, word for word.
func instructs(quote string) bool {
	return instruction.MatchString(strings.Join(strings.Fields(quote), " "))
}

// prose is what stands of a model's summary. A sentence may lean on the first, so
// without the first there is none.
func (c *checker) prose(e *entry.Entry, q *Question, all []Sentence) []Sentence {
	if len(all) == 0 {
		return nil
	}
	refuse := func(text, reason string) { c.drop(Dropped{Quote: text, Reason: reason}) }
	if !q.Summary {
		refuse("", "no summary is wanted of this entry")
		return nil
	}
	if len(all) > MaxAnswerSentences {
		refuse("", fmt.Sprintf("a summary has at most %d sentences", MaxAnswerSentences))
		return nil
	}
	var root yaml.Node
	if err := root.Encode(e); err != nil {
		refuse("", "the entry cannot be written as YAML")
		return nil
	}
	var kept []Sentence
	letters := -1
	for i, s := range all {
		n := letters + 1 + utf8.RuneCountInString(s.Text)
		reason := ungrounded(&root, e.Name, s)
		switch {
		case i > 0 && len(kept) == 0:
			reason = "the first sentence does not stand, on which this one may lean"
		case reason == "" && n > MaxSummaryLetters:
			reason = fmt.Sprintf("a summary has at most %d characters", MaxSummaryLetters)
		}
		if reason != "" {
			refuse(s.Text, reason)
			continue
		}
		letters = n
		kept = append(kept, s)
	}
	return kept
}
