// Package propose turns what people send without Git into entries and rulings:
// the answers of an issue form, a publiccode.yml, the flags of a command. What
// they send is text and stays text: it reaches a file through the encoder only.
package propose

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A Form is an issue form, as .github/ISSUE_TEMPLATE has it. A test holds that
// the two agree.
type Form struct {
	Name   string // of its file, without ".yml"
	Kind   string // of the entry it makes; "" makes none
	Fields []Field
}

// A Field is a question of a form.
type Field struct {
	ID       string // in the form's file
	Label    string // by which its answer is known in the issue
	Required bool
	Max      int      // characters an answer may have
	Options  []string // that may be chosen; nil is any text
	Multiple bool     // whether several options may be
}

const (
	lineMax = 300
	linkMax = 2000
	textMax = 4000
)

// Types and Formats are what the schemas allow; a test holds that.
var (
	Types   = entry.Types()
	Formats = []string{"article", "book", "case-study", "course", "dataset", "framework", "guide", "paper", "policy", "report", "standard", "tool", "toolkit", "video", "website"}
)

// What a correction may be about, besides a key of the entry.
const (
	AcceptMapping = "mapping: it is right"
	RejectMapping = "mapping: it is wrong"
	OwnSummary    = "summary"
)

// Corrected are the keys of an entry that a correction can change.
var Corrected = []string{"name", "description", "website", "url", "contact_url", "published", "license"}

// Forms are the issue forms. The first question of each is no other's.
var Forms = []Form{
	{Name: "dpg", Kind: "dpg", Fields: []Field{
		{ID: "name", Label: "Name of the digital public good", Required: true, Max: 200},
		{ID: "description", Label: "What it is, and whom it serves", Max: textMax},
		{ID: "types", Label: "Types", Required: true, Max: lineMax, Options: Types, Multiple: true},
		{ID: "website", Label: "Website", Max: linkMax},
		{ID: "repositories", Label: "Repositories", Max: textMax},
		{ID: "license", Label: "Licence", Max: lineMax},
		{ID: "license-url", Label: "Where the licence can be read", Max: linkMax},
		{ID: "sdgs", Label: "Sustainable Development Goals", Max: textMax},
		{ID: "owner", Label: "Owner", Max: lineMax},
		{ID: "id", Label: "Id", Max: 100},
	}},
	{Name: "resource", Kind: "resource", Fields: []Field{
		{ID: "name", Label: "Title of the resource", Required: true, Max: 200},
		{ID: "description", Label: "What it is, and whom it serves", Max: textMax},
		{ID: "url", Label: "Where it can be read", Required: true, Max: linkMax},
		{ID: "format", Label: "Format", Required: true, Max: lineMax, Options: Formats},
		{ID: "published", Label: "Published", Max: 20},
		{ID: "license", Label: "Licence", Max: lineMax},
		{ID: "owner", Label: "Publisher", Max: lineMax},
		{ID: "id", Label: "Id", Max: 100},
	}},
	{Name: "correction", Fields: []Field{
		{ID: "entry", Label: "Entry to correct", Required: true, Max: lineMax},
		{ID: "what", Label: "What is not right", Required: true, Max: lineMax, Options: slices.Concat(Corrected, []string{AcceptMapping, RejectMapping, OwnSummary})},
		{ID: "code", Label: "Code of the mapping", Max: lineMax},
		{ID: "value", Label: "What it should say", Max: textMax},
		{ID: "reason", Label: "Why, and where that can be checked", Required: true, Max: 1000},
	}},
}

// A Problem is something in an answer that its author has to change.
type Problem struct {
	ID      string // of the field
	Label   string // of the field
	Message string // one line; anything quoted in it is anybody's text
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Label, p.Message) }

// A Sheet is a form as somebody filled it in.
type Sheet struct {
	Form   Form
	values map[string]string
}

// Value is the answer to a field, without space around it; "" if there is none.
func (s Sheet) Value(id string) string { return s.values[id] }

// Line is Value on one line.
func (s Sheet) Line(id string) string { return oneLine(s.values[id]) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// noResponse is what GitHub puts for a question that was left out.
const noResponse = "_No response_"

const heading = "### "

// Read reads the body of an issue that was made with a form. It is not ok if the
// body is none: it does not begin with the first question of one. A form that
// cannot be told apart from other text, with a question twice or out of order,
// has problems and no values.
func Read(body string) (s Sheet, problems []Problem, ok bool) {
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	body = strings.TrimLeft(body, "\n ")
	first, _, _ := strings.Cut(body, "\n")
	label, isHeading := strings.CutPrefix(first, heading)
	i := slices.IndexFunc(Forms, func(f Form) bool { return isHeading && f.Fields[0].Label == strings.TrimSpace(label) })
	if i < 0 {
		return Sheet{}, nil, false
	}
	s = Sheet{Form: Forms[i], values: map[string]string{}}
	if !utf8.ValidString(body) {
		return s, []Problem{{s.Form.Fields[0].ID, s.Form.Fields[0].Label, "the text is not UTF-8"}}, true
	}
	answers, problems := s.split(body)
	if len(problems) > 0 {
		return s, problems, true
	}
	s, problems = Answer(s.Form, answers)
	return s, problems, true
}

// Answer fills a form in with answers by the ids of its fields.
func Answer(form Form, answers map[string]string) (Sheet, []Problem) {
	s := Sheet{Form: form, values: map[string]string{}}
	var problems []Problem
	for _, f := range form.Fields {
		value, problem := f.Check(answers[f.ID])
		if problem != "" {
			problems = append(problems, Problem{f.ID, f.Label, problem})
		}
		s.values[f.ID] = value
	}
	return s, problems
}

// FormNamed returns the form of that name.
func FormNamed(name string) (Form, bool) {
	i := slices.IndexFunc(Forms, func(f Form) bool { return f.Name == name })
	if i < 0 {
		return Form{}, false
	}
	return Forms[i], true
}

// split cuts a body at the questions. A heading that is no question is part of
// the answer it stands in.
func (s Sheet) split(body string) (answers map[string]string, problems []Problem) {
	answers = map[string]string{}
	last, id := -1, ""
	for line := range strings.Lines(body) {
		label, is := strings.CutPrefix(strings.TrimSpace(line), heading)
		at := -1
		if is && strings.HasPrefix(line, heading) {
			at = slices.IndexFunc(s.Form.Fields, func(f Field) bool { return f.Label == strings.TrimSpace(label) })
		}
		if at < 0 {
			answers[id] += line
			continue
		}
		f := s.Form.Fields[at]
		switch _, twice := answers[f.ID]; {
		case twice:
			return nil, []Problem{{f.ID, f.Label, "this question stands in the issue twice; take the one out that belongs to an answer"}}
		case at < last:
			return nil, []Problem{{f.ID, f.Label, "this question stands out of its place; put the questions into the order of the form"}}
		}
		last, id = at, f.ID
		answers[id] = ""
	}
	return answers, nil
}

// Check returns an answer without space around it, or what is wrong with it.
func (f Field) Check(text string) (value, problem string) {
	value = strings.TrimSpace(text)
	if value == noResponse || value == "None" && f.Options != nil {
		value = ""
	}
	switch n := utf8.RuneCountInString(value); {
	case value == "" && f.Required:
		return "", "an answer is needed"
	case n > f.Max:
		return "", fmt.Sprintf("the answer has %d characters; at most %d fit", n, f.Max)
	}
	if f.Options == nil || value == "" {
		return value, ""
	}
	chosen := []string{value}
	if f.Multiple {
		chosen = list(value)
	}
	for _, c := range chosen {
		if !slices.Contains(f.Options, c) {
			return "", fmt.Sprintf("%q is not one of %s", c, strings.Join(f.Options, ", "))
		}
	}
	return value, ""
}

// list cuts "software, data".
func list(s string) []string {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}
