package dpga

import (
	"cmp"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A Report says what became of every file of a Source and of every value in it.
// Its order depends on the files alone.
type Report struct {
	Schema  string  `json:"schema"`  // "import-report/v1"
	Source  string  `json:"source"`  // web address of the predecessor's repository
	AsOf    string  `json:"as_of"`   // the date the entries were given
	Entries int     `json:"entries"` // how many were made
	Leaves  Totals  `json:"leaves"`
	Counts  []Count `json:"counts"` // of notes and of leaves that were not simply carried, by reason
	Files   []File  `json:"files"`  // by path

	// Conflicts is where entries that were there already say something else, in
	// the order of the entries. Convert leaves it empty: it knows of no entries
	// but its own.
	Conflicts []merge.Conflict `json:"conflicts"`
}

// Totals are how many leaves there were of each action.
type Totals struct {
	Carried int `json:"carried"`
	Changed int `json:"changed"`
	Dropped int `json:"dropped"`
}

// A Count is how often a reason applied.
type Count struct {
	Why    Reason `json:"why"`
	Means  string `json:"means"`  // the reason in words
	Leaves int    `json:"leaves"` // values changed or dropped for it
	Files  int    `json:"files"`  // files with a note of it
}

// A File is what became of one file of the source.
type File struct {
	Path   string `json:"path"`   // slash-separated, in the source
	Became string `json:"became"` // path of the entry in the registry, "" if it became none
	Notes  []Note `json:"notes"`
	Leaves []Leaf `json:"leaves"` // every value that holds no other, in the order of the file
}

// A Note is about a file as a whole.
type Note struct {
	Why    Reason `json:"why"`
	Detail string `json:"detail"`
}

// A Leaf is what became of one value of a JSON file. Empty lists and empty
// objects count as values.
type Leaf struct {
	Pointer string `json:"pointer"` // RFC 6901, in the file; twice the same where a key is given twice
	Action  Action `json:"action"`
	To      string `json:"to"`               // RFC 6901, in the entry; "" if dropped
	Why     Reason `json:"why,omitempty"`    // "" if carried
	Detail  string `json:"detail,omitempty"` // never what a person could be reached by
}

// An Action is what was done with a value.
type Action string

// The actions.
const (
	Carried Action = "carried" // stands in the entry as it was
	Changed Action = "changed" // stands in the entry in another form
	Dropped Action = "dropped" // does not stand in the entry
)

// A Reason is a stable kebab-case word for why something is not as it was.
type Reason string

// Reasons for leaves.
const (
	Blank           Reason = "blank"
	UnknownKey      Reason = "unknown-key"
	DuplicateKey    Reason = "duplicate-key"
	PersonalContact Reason = "personal-contact"
	OddType         Reason = "odd-type"
	OtherType       Reason = "other-type"
	OlderLayout     Reason = "older-layout"
	HalfCharacter   Reason = "half-character"
	CountryToCode   Reason = "country-to-code"
	NotACountry     Reason = "not-a-country"
	AnswerWord      Reason = "answer-word"
	NotAnAnswer     Reason = "not-an-answer"
	TypeName        Reason = "type-name"
	StageName       Reason = "stage-name"
	StageOfFolder   Reason = "stage-of-folder"
	GoalTitle       Reason = "goal-title"
	OtherName       Reason = "other-name"
)

// Reasons for files.
const (
	Unreadable Reason = "unreadable"
	NotJSON    Reason = "not-json"
	NotAnEntry Reason = "not-an-entry"
	NoEntry    Reason = "no-entry"
	NoName     Reason = "no-name"
	IDSpelling Reason = "id-spelling"
	IDTaken    Reason = "id-taken"
)

// Means puts a reason in words.
func (r Reason) Means() string {
	switch r {
	case Blank:
		return "nothing is written there but white space, null, [] or {}"
	case UnknownKey:
		return "an entry has no place for this key"
	case DuplicateKey:
		return "the key is given again further down, and the last one counts"
	case PersonalContact:
		return "an entry does not hold how to reach a person"
	case OddType:
		return "this sort of value makes no sense there"
	case OtherType:
		return "another sort of value was asked for, but the meaning is plain"
	case OlderLayout:
		return "an older layout had this in another place"
	case HalfCharacter:
		return "half of a surrogate pair became U+FFFD"
	case CountryToCode:
		return "countries are written as ISO 3166-1 codes"
	case NotACountry:
		return "it does not name one country"
	case AnswerWord:
		return "answers are written yes, no or unknown"
	case NotAnAnswer:
		return "it is none of Yes, No and Unknown"
	case TypeName:
		return "the type has another name here"
	case StageName:
		return "the stage has another name here"
	case StageOfFolder:
		return "the folder says where the subject stands"
	case GoalTitle:
		return "the title of a goal follows from its number"
	case OtherName:
		return "the name in the nominee's own file stands"
	case Unreadable:
		return "the file could not be read"
	case NotJSON:
		return "the file is not JSON"
	case NotAnEntry:
		return "it is not a file of an entry"
	case NoEntry:
		return "a screening record without a subject makes no entry"
	case NoName:
		return "the subject has no name"
	case IDSpelling:
		return "the file's name was made a kebab-case id"
	case IDTaken:
		return "another subject has the id, so this one's was extended"
	}
	return string(r)
}

// outcome is what became of a leaf.
type outcome struct {
	action Action
	to     string
	why    Reason
	detail string
}

func (n *node) carry(to string) { n.fate = &outcome{Carried, to, "", ""} }
func (n *node) change(to string, why Reason, detail string) {
	n.fate = &outcome{Changed, to, why, detail}
}

// drop gives up the node and all in it that has no fate yet.
func (n *node) drop(why Reason, detail string) {
	if n == nil {
		return
	}
	if n.leaf() {
		if n.fate == nil {
			n.fate = &outcome{Dropped, "", why, detail}
		}
		return
	}
	for _, item := range n.items {
		item.drop(why, detail)
	}
	for _, f := range n.fields {
		f.value.drop(why, detail)
	}
}

// leaves lists the leaves of a file. What nobody has asked for has a key that
// nobody knows.
func (n *node) leaves() []Leaf {
	var all []Leaf
	var walk func(n *node, at string, rest Reason)
	walk = func(n *node, at string, rest Reason) {
		if n.leaf() {
			n.drop(rest, "")
			all = append(all, Leaf{at, n.fate.action, n.fate.to, n.fate.why, n.fate.detail})
			return
		}
		for i, item := range n.items {
			walk(item, at+index(i), rest)
		}
		last := map[string]int{}
		for i, f := range n.fields {
			last[f.key] = i
		}
		for i, f := range n.fields {
			rest := rest
			switch {
			case last[f.key] != i:
				rest = DuplicateKey
			case rest == UnknownKey && personal(f.key):
				rest = PersonalContact
			}
			walk(f.value, at+source.Pointer(f.key), rest)
		}
	}
	if n != nil {
		walk(n, "", UnknownKey)
	}
	return all
}

// personal reports the keys that held a person's name and mail address.
func personal(key string) bool { return key == "contact_name" || key == "contact_email" }

func (r *Report) count() {
	counts := map[Reason]*Count{}
	at := func(why Reason) *Count {
		if counts[why] == nil {
			counts[why] = &Count{Why: why, Means: why.Means()}
		}
		return counts[why]
	}
	for _, f := range r.Files {
		for _, n := range f.Notes {
			at(n.Why).Files++
		}
		for _, l := range f.Leaves {
			switch l.Action {
			case Carried:
				r.Leaves.Carried++
				continue
			case Changed:
				r.Leaves.Changed++
			case Dropped:
				r.Leaves.Dropped++
			}
			at(l.Why).Leaves++
		}
	}
	r.Counts = []Count{}
	for _, c := range counts {
		r.Counts = append(r.Counts, *c)
	}
	slices.SortFunc(r.Counts, func(a, b Count) int { return cmp.Compare(a.Why, b.Why) })
}
