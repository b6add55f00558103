// Package entry holds the typed form of what people write: one file, one subject.
// It knows the shape of entries, not whether they are right; schemas and rules do.
package entry

// An Entry is a subject of any kind. Fields that a kind does not have stay zero;
// its JSON Schema says which those are. The order of the fields is the canonical
// order of keys in a file.
//
// Times are dates, "2006-01-02". Countries are ISO 3166-1 alpha-2. Lists keep
// the order their author chose.
type Entry struct {
	Schema        string         `yaml:"schema"` // kind and version, such as "dpg/v1"
	ID            string         `yaml:"id"`     // kebab-case; the file's name; never used again for something else
	Name          string         `yaml:"name,omitempty"`
	Aliases       []string       `yaml:"aliases,omitempty"`
	Description   Text           `yaml:"description,omitempty"`
	Website       string         `yaml:"website,omitempty"`
	URL           string         `yaml:"url,omitempty"`       // of a resource: where it is read
	Format        string         `yaml:"format,omitempty"`    // of a resource: guide, paper, toolkit ...
	Published     string         `yaml:"published,omitempty"` // of a resource: a year, month or day
	Languages     []string       `yaml:"languages,omitempty"` // of a resource: BCP 47 tags it can be had in
	Types         []string       `yaml:"types,omitempty"`     // of a dpg: software, data, content, standard, ai-system
	Sectors       []string       `yaml:"sectors,omitempty"`
	Topics        []string       `yaml:"topics,omitempty"`
	Licenses      []License      `yaml:"licenses,omitempty"`
	Repositories  []Repository   `yaml:"repositories,omitempty"`
	SBOM          *SBOM          `yaml:"sbom,omitempty"` // of a dpg: the project's own list of what it depends on
	SDGs          []SDG          `yaml:"sdgs,omitempty"`
	About         []string       `yaml:"about,omitempty"` // entries "dpg/dhis2" and framework codes "dpi-safeguards/O3" it speaks of
	Organizations []Organization `yaml:"organizations,omitempty"`
	ContactURL    string         `yaml:"contact_url,omitempty"` // a page; never a person's address
	Stewards      []Person       `yaml:"stewards,omitempty"`    // who may rule on the assessment
	Locations     *Locations     `yaml:"locations,omitempty"`
	Standard      *Answers       `yaml:"standard,omitempty"` // answers per DPG Standard indicator
	Language      string         `yaml:"language,omitempty"` // BCP 47 tag of this file's plain text; "" is the registry's
	Status        Status         `yaml:"status"`
	SameAs        *SameAs        `yaml:"same_as,omitempty"`
	Sources       []Source       `yaml:"sources,omitempty"`
	Decisions     []Decision     `yaml:"decisions,omitempty"`
	Waivers       []Waiver       `yaml:"waivers,omitempty"`
}

// License is one licence with the part of the work that it covers.
type License struct {
	Expression string `yaml:"expression"`       // SPDX licence expression
	URL        string `yaml:"url,omitempty"`    // where its text stands for this work
	Covers     string `yaml:"covers,omitempty"` // a type of the entry, or "documentation"; "" is all of it
}

// Repository is where the source is kept.
type Repository struct {
	Name string `yaml:"name,omitempty"`
	URL  string `yaml:"url,omitempty"`
}

// SBOM is where a project keeps an SPDX document of its dependencies.
type SBOM struct {
	URL  string `yaml:"url"`
	AsOf string `yaml:"as_of,omitempty"` // the date it was made, or seen there
}

// SDG is a claim of relevance to a Sustainable Development Goal.
type SDG struct {
	Goal     int      `yaml:"goal"`               // 1 to 17
	Text     Text     `yaml:"text,omitempty"`     // in what way
	Evidence []string `yaml:"evidence,omitempty"` // links, or words that lead to the evidence
}

// Organization is a body with a part in the subject.
type Organization struct {
	Name    string `yaml:"name"`
	Role    string `yaml:"role"` // owner, maintainer, funder, implementer, publisher, author
	Website string `yaml:"website,omitempty"`
}

// Person is a forge account. The id is what counts: logins change hands.
type Person struct {
	GitHub string `yaml:"github"`
	ID     int64  `yaml:"id,omitempty"` // numeric account id; 0 is not known
}

// Locations are ISO 3166-1 alpha-2 codes, plus XK for Kosovo.
type Locations struct {
	DevelopedIn []string `yaml:"developed_in,omitempty"`
	DeployedIn  []string `yaml:"deployed_in,omitempty"`
}

// Status is where the subject stands, and by whose word.
type Status struct {
	Stage        string `yaml:"stage"`                   // see Stages
	RecognisedBy string `yaml:"recognised_by,omitempty"` // for stage "dpg": who recognised it
	AsOf         string `yaml:"as_of,omitempty"`         // the date this was so
	URL          string `yaml:"url,omitempty"`           // where that can be read
	Reason       Text   `yaml:"reason,omitempty"`        // why archived, declined or removed
	MovedTo      string `yaml:"moved_to,omitempty"`      // for stage "renamed": the id that stands for it now
	ReviewBy     string `yaml:"review_by,omitempty"`     // when somebody should look again
}

// Types lists what a digital public good can be, as its schema does.
func Types() []string { return []string{"software", "data", "content", "standard", "ai-system"} }

// The stages of a status. An entry is live in the first three.
const (
	StageNominee  = "nominee"
	StageDPG      = "dpg"
	StageListed   = "listed" // of a resource
	StageArchived = "archived"
	StageDeclined = "declined"
	StageRenamed  = "renamed"
	StageRemoved  = "removed" // all but id, reason and date is erased
)

// Live reports whether the entry takes part in the catalog's lists and views.
func (s Status) Live() bool {
	return s.Stage == StageNominee || s.Stage == StageDPG || s.Stage == StageListed
}

// SameAs names the subject in other catalogs.
type SameAs struct {
	DPGA     string `yaml:"dpga,omitempty"`     // file name in the DPGA's 2023 registry, without ".json"
	Wikidata string `yaml:"wikidata,omitempty"` // "Q" and a number
	PURL     string `yaml:"purl,omitempty"`     // package URL
	DIAL     string `yaml:"dial,omitempty"`     // slug in the Digital Impact Exchange
}

// Source says where facts of the entry come from.
type Source struct {
	Name string `yaml:"name,omitempty"`
	URL  string `yaml:"url,omitempty"`
	AsOf string `yaml:"as_of,omitempty"` // the date the source was read or made
}

// Decision is a person's ruling. It survives every re-run.
type Decision struct {
	Ruling string `yaml:"ruling"`         // accept, reject, own-summary, lock, opt-out
	Code   string `yaml:"code,omitempty"` // for accept and reject: such as "dpi-safeguards/O3"
	Text   Text   `yaml:"text,omitempty"` // for own-summary
	On     string `yaml:"on,omitempty"`   // for lock and opt-out: summary, mappings or all
	By     Person `yaml:"by"`
	As     string `yaml:"as"` // steward or registry
	Date   string `yaml:"date"`
	Reason string `yaml:"reason"`
}

// Waiver sets one rule aside for this entry until a date.
type Waiver struct {
	Rule   string `yaml:"rule"`
	Reason string `yaml:"reason"`
	By     Person `yaml:"by"`
	Until  string `yaml:"until"` // last day it holds
}

// Answer is what the entry's owner says to one question of the DPG Standard.
// Unknown, not asked and not applicable are three answers, not one blank.
type Answer struct {
	Answer   string   `yaml:"answer,omitempty"`   // yes, no, unknown, not-asked, not-applicable; "" for an open question
	Text     Text     `yaml:"text,omitempty"`     // in the owner's words
	Items    []string `yaml:"items,omitempty"`    // where the question asks for a list
	Evidence []string `yaml:"evidence,omitempty"` // links, or words that lead to the evidence
	Source   string   `yaml:"source,omitempty"`   // who says so, if not the entry's sources
	AsOf     string   `yaml:"as_of,omitempty"`
}

// Answers are the questions that the DPG Standard's indicators ask. The number
// is the indicator, as in the framework "dpg-standard".
type Answers struct {
	Ownership             *Answer `yaml:"ownership,omitempty"`              // 3: is ownership clearly stated
	RestrictiveDependency *Answer `yaml:"restrictive_dependency,omitempty"` // 4: is anything closed needed
	OpenAlternatives      *Answer `yaml:"open_alternatives,omitempty"`      // 4: can what is closed be replaced
	Documentation         *Answer `yaml:"documentation,omitempty"`          // 5
	NonPersonalData       *Answer `yaml:"non_personal_data,omitempty"`      // 6: is there any
	DataExport            *Answer `yaml:"data_export,omitempty"`            // 6: can it be had in an open format
	Privacy               *Answer `yaml:"privacy,omitempty"`                // 7: is it lawful; items: the laws
	PrivacySteps          *Answer `yaml:"privacy_steps,omitempty"`          // 7: steps taken
	Standards             *Answer `yaml:"standards,omitempty"`              // 8: items: open standards
	BestPractices         *Answer `yaml:"best_practices,omitempty"`         // 8: items: practices and principles
	HarmPrevention        *Answer `yaml:"harm_prevention,omitempty"`        // 9
	PersonalData          *Answer `yaml:"personal_data,omitempty"`          // 9a: is any collected; items: which
	DataSharing           *Answer `yaml:"data_sharing,omitempty"`           // 9a: with third parties; items: when
	DataSecurity          *Answer `yaml:"data_security,omitempty"`          // 9a: how it is kept safe
	UserContent           *Answer `yaml:"user_content,omitempty"`           // 9b: is content collected, stored, passed on
	ContentPolicy         *Answer `yaml:"content_policy,omitempty"`         // 9b: what is inappropriate
	IllegalContent        *Answer `yaml:"illegal_content,omitempty"`        // 9b: how it is found and removed
	UserInteraction       *Answer `yaml:"user_interaction,omitempty"`       // 9c: do people meet
	UnderageSafety        *Answer `yaml:"underage_safety,omitempty"`        // 9c
	HarassmentProtection  *Answer `yaml:"harassment_protection,omitempty"`  // 9c
}

// A Question is one question with its answer and the indicator it belongs to.
type Question struct {
	Key       string // as in a file, such as "data_export"
	Indicator string // code in the framework "dpg-standard", such as "9a"
	Answer    *Answer
}

// Questions lists the answers that are given, in the order of the indicators.
// A nil Answers has none.
func (a *Answers) Questions() []Question {
	if a == nil {
		return nil
	}
	var given []Question
	for _, p := range a.Places() {
		if *p.Answer != nil {
			given = append(given, Question{p.Key, p.Indicator, *p.Answer})
		}
	}
	return given
}

// A Place is where one question's answer stands in an Answers.
type Place struct {
	Key       string   // as in a file, such as "data_export"
	Indicator string   // code in the framework "dpg-standard", such as "9a"
	Answer    **Answer // the field itself; it holds nil where nothing is answered
}

// Places lists where the answers to all questions stand, in the order of the
// indicators and the same for any Answers.
func (a *Answers) Places() []Place {
	return []Place{
		{"ownership", "3", &a.Ownership},
		{"restrictive_dependency", "4", &a.RestrictiveDependency},
		{"open_alternatives", "4", &a.OpenAlternatives},
		{"documentation", "5", &a.Documentation},
		{"non_personal_data", "6", &a.NonPersonalData},
		{"data_export", "6", &a.DataExport},
		{"privacy", "7", &a.Privacy},
		{"privacy_steps", "7", &a.PrivacySteps},
		{"standards", "8", &a.Standards},
		{"best_practices", "8", &a.BestPractices},
		{"harm_prevention", "9", &a.HarmPrevention},
		{"personal_data", "9a", &a.PersonalData},
		{"data_sharing", "9a", &a.DataSharing},
		{"data_security", "9a", &a.DataSecurity},
		{"user_content", "9b", &a.UserContent},
		{"content_policy", "9b", &a.ContentPolicy},
		{"illegal_content", "9b", &a.IllegalContent},
		{"user_interaction", "9c", &a.UserInteraction},
		{"underage_safety", "9c", &a.UnderageSafety},
		{"harassment_protection", "9c", &a.HarassmentProtection},
	}
}
