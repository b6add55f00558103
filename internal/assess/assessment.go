// Package assess derives summaries and mappings from entries. What it writes is
// a pure function of the entry, the frameworks and the engine's version, and
// every mapping shows the words it rests on.
package assess

// Assessment is the bot's file beside an entry.
type Assessment struct {
	Schema   string    `yaml:"schema"` // "assessment/v1"
	Entry    string    `yaml:"entry"`  // such as "dpg/dhis2"
	Summary  *Summary  `yaml:"summary,omitempty"`
	Mappings []Mapping `yaml:"mappings"` // by code; strength 1 too
	Unknown  []Unknown `yaml:"unknown,omitempty"`
	Model    *Answer   `yaml:"model,omitempty"` // what a model answered, as far as it can be shown; nil if none was asked
	Made     Made      `yaml:"made"`
}

// Summary is plain prose, 300 characters at most.
type Summary struct {
	Language  string     `yaml:"language"`
	Engine    string     `yaml:"engine"` // offline or model; "person" for a person's own text
	Sentences []Sentence `yaml:"sentences"`
	Locked    *Locked    `yaml:"locked,omitempty"` // nil where nobody locked it
}

// Sentence is one sentence with the fields it was made from.
type Sentence struct {
	Text string   `yaml:"text"`
	From []string `yaml:"from"` // RFC 6901 pointers into the entry
}

// Mapping is a claim that the entry's words support a code. It never says that
// the product complies.
type Mapping struct {
	Code     string     `yaml:"code"`     // such as "dpi-safeguards/O3"
	Strength int        `yaml:"strength"` // 2 clear, 1 weak
	Engines  []string   `yaml:"engines"`  // which engines found it: offline, model
	Evidence []Evidence `yaml:"evidence"`
	Review   Review     `yaml:"review"`
}

// Evidence is a quote found verbatim in a field of the entry.
type Evidence struct {
	Pointer string `yaml:"pointer"`
	Quote   string `yaml:"quote"`
}

// Review is what people said of a mapping.
type Review struct {
	State string `yaml:"state"` // proposed, confirmed_by_steward, confirmed_by_registry, rejected
}

// Unknown is a question that the engine could not judge.
type Unknown struct {
	Framework string `yaml:"framework"`
	Reason    string `yaml:"reason"` // such as "language: no signals for pt"
}

// Made says what the assessment was derived from. It holds no date: the same
// input gives the same bytes.
type Made struct {
	Engine     string            `yaml:"engine"`     // name and version, such as "offline/1"
	Frameworks map[string]string `yaml:"frameworks"` // id to version
	Key        string            `yaml:"key"`        // SHA-256 over all that the answer depends on
}
