// Package match says which licence a text is, by the SPDX matching guidelines:
// case, layout, punctuation, bullets, comment markers, copyright lines and the
// names a licence leaves to be filled in make no difference; any other word does.
//
// It judges words, never file names, and rather says nothing than a wrong thing:
// a licence with a clause added, or one the list does not know, has no expression.
//
// A text is read once into numbers, one for each word that some licence has, without
// its copyright notices. Runs of five such words are looked up in an index of all
// templates, of which long ones have but a sample there. The templates that share the
// most and lack the least are tried first, in steps that each cost more and leave
// fewer: how many of the template's words the text has at all, in any order; whether
// both go on to the letter from a shared run; an alignment between the shared runs;
// whether a word that matters is missing; and only then what every difference means.
// What stands before and behind a licence that was found is searched in turn. Where
// none is there nearly to the letter, all templates that may be there are laid along
// the text and the best are weighed. Last, the sentences that belong to no licence are
// asked whether they take something away. Of one text nothing is kept for the next but
// the room that it took.
package match

import "slices"

// MaxText is the most bytes of text that Detect looks at. A longer text is not
// looked at in part: half a text may lack the clause that matters.
const MaxText = 4 << 20

// A Kind says what in a text speaks of a licence.
type Kind string

// The kinds, the strongest first.
const (
	Text      Kind = "text"      // the licence's own words
	Header    Kind = "header"    // the notice that a licence asks for at the head of a file
	Reference Kind = "reference" // a sentence that names a licence, such as "released under the MIT License"
	Exception Kind = "exception" // a permission beside a licence, which goes with it by WITH
	Tag       Kind = "tag"       // SPDX-License-Identifier: what somebody declared
)

// A Span is a part of the text, in bytes: Start is the first, End is just past
// the last. The bytes are those of the text given to Detect; for UTF-16 they are
// those of the text as UTF-8, without its byte order mark.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// A Match is a licence found in a part of the text.
type Match struct {
	Span
	// License is an SPDX licence id, of an exception its id or, of a tag, a whole
	// expression.
	License string `json:"license"`
	// Alternatives is every id whose text is the same to the letter, License
	// first; nil where there is only the one.
	Alternatives []string `json:"alternatives,omitempty"`
	Kind         Kind     `json:"kind"`
	// Confidence is between 0 and 1: the share of the licence's words that stand
	// in the text as they should.
	Confidence float64 `json:"confidence"`
}

// A Result is what is known of one text.
type Result struct {
	// Expression is the SPDX expression of the whole text; "" where none can be
	// given, for the reason in Note. Licences that stand beside each other are
	// joined with AND, those the text offers as a choice with OR.
	Expression string
	// Alternatives is every expression that fits the text equally, the most likely
	// (Expression) first; nil where there is only the one. The text of a GNU
	// licence alone cannot tell "only" from "or later".
	Alternatives []string
	// Confidence is between 0 and 1, that of the weakest match; 0 where there is
	// no Expression.
	Confidence float64
	// Matches are the licences found, in the order of the text. They may be there
	// without an Expression: a licence with a clause added is still named here.
	Matches []Match
	// Unmatched are the parts that say something and belong to no match.
	Unmatched []Span
	// Note says in plain words what a reader should know: why there is no
	// expression, what the choice among Alternatives rests on. "" where there is
	// nothing to say.
	Note string
}

// Same reports whether the id is the expression or one of its alternatives.
func (r Result) Same(id string) bool {
	return id != "" && (id == r.Expression || slices.Contains(r.Alternatives, id))
}
