package catalog

// The types below are the responses of api/v1, in the order of their keys. They
// are a promise for years: within v1 a key may be added, none is renamed, moved,
// dropped or given another type. schemas/catalog-*.schema.json says the same to
// readers, and a test holds the two together.
//
// Every key is always there. A value that nobody gave is null, a list without
// members is []. A group of keys, such as locations, is always an object; one that
// stands for a thing that may not be there, such as an assessment, is null without
// it. Text for people is an object by BCP 47 language tag, or null. Paths are
// relative to api/v1/, unless it is said otherwise. Times are RFC 3339 in UTC,
// dates are "2006-01-02"; both come from Git or from people.
//
// One key means one thing and has one shape wherever it stands:
//
//	name       text as it is spelt everywhere, such as a product's; title is text by language
//	code       framework and code, "dpi-safeguards/O3"; id is unique within what holds it
//	total      how many items the list beside it has; *_count is how many of something else
//	evidence   what people point at, links or words; quotes are the entry's own words
//	licenses, sdgs, status   objects as in an entry; a list has license_expressions and sdg_goals
//	path       where something is published; schema_path is where its schema is,
//	           pages_path where the index of its pages is: null for what is whole under 1 MiB

// SchemaVersion is the version of the responses' shape: its first number is that
// of the path, its second grows with additions.
const SchemaVersion = "1.0"

// Text is prose by BCP 47 language tag; nil is null.
type Text map[string]string

// An Envelope opens every response.
type Envelope struct {
	SchemaVersion string  `json:"schema_version"`
	License       *string `json:"license"`     // SPDX expression of what the registry's people wrote
	Attribution   Text    `json:"attribution"` // the credit asked for
}

// An Origin says what a response was built from. Both are null outside Git and
// in a tree with changes that are not committed.
type Origin struct {
	SourceCommit *string `json:"source_commit"`
	GeneratedAt  *string `json:"generated_at"` // when that commit was made
}

// Index is api/v1/index.json, where a reader starts.
type Index struct {
	Envelope
	Name        string             `json:"name"`
	Description Text               `json:"description"`
	Notice      Text               `json:"notice"`
	Publisher   Publisher          `json:"publisher"`
	ContactURL  *string            `json:"contact_url"`
	LegalURL    *string            `json:"legal_url"`
	PrivacyURL  *string            `json:"privacy_url"`
	BaseURL     *string            `json:"base_url"`
	Repository  *string            `json:"repository"`
	Languages   []string           `json:"languages"`
	Origin                         // of the whole catalog
	Kinds       []KindSummary      `json:"kinds"`
	Frameworks  []FrameworkSummary `json:"frameworks"`
	Breaks      []Break            `json:"breaks"`
	Links       []Link             `json:"links"`
}

// A Break is a change that hurt readers and was made all the same.
type Break struct {
	What   string  `json:"what"` // as a comparison of two catalogs names it
	Reason Text    `json:"reason"`
	Date   *string `json:"date"` // since when
}

// Publisher answers for the registry.
type Publisher struct {
	Name *string `json:"name"`
	URL  *string `json:"url"`
}

// KindSummary is one kind of entry with how many there are.
type KindSummary struct {
	Name       string  `json:"name"`
	Title      Text    `json:"title"`
	Plural     Text    `json:"plural"`
	Path       string  `json:"path"`        // of its list
	PagesPath  *string `json:"pages_path"`  // of the index of that list's pages
	SchemaPath string  `json:"schema_path"` // of the schema of its source files
	EntryCount int     `json:"entry_count"` // live entries: those in the list
	Stages     Stages  `json:"stages"`      // every entry
}

// Stages counts entries by stage. The stages that the registry knows are always
// there; a kind with further ones adds keys.
type Stages map[string]int

// A Link leads to another response. A path with a part in braces stands for
// many: the part takes an id.
type Link struct {
	Rel        string  `json:"rel"`
	Path       string  `json:"path"`
	SchemaPath *string `json:"schema_path"` // of the response's schema
}

// List is api/v1/<folder>.json: the live entries of one kind, by id.
type List struct {
	Envelope
	Kind      string  `json:"kind"`
	Total     int     `json:"total"`
	Digest    string  `json:"digest"` // of items, see digest
	PagesPath *string `json:"pages_path"`
	Items     []Item  `json:"items"`
}

// Item is what a list tells of an entry.
type Item struct {
	ID                 string   `json:"id"`
	Kind               string   `json:"kind"`
	Path               string   `json:"path"`
	Name               *string  `json:"name"`
	Description        Text     `json:"description"`
	SummaryText        Text     `json:"summary_text"`   // of the assessment; null where there is none
	SummaryFirst       bool     `json:"summary_first"`  // whether it stands first, for a description that is missing or long
	SummaryEngine      *string  `json:"summary_engine"` // offline, model or person; null where there is none
	Types              []string `json:"types"`
	Sectors            []string `json:"sectors"`
	LicenseExpressions []string `json:"license_expressions"`
	SDGGoals           []int    `json:"sdg_goals"` // claimed
	Status             Status   `json:"status"`
	MappedCodes        []string `json:"mapped_codes"` // with strength 2 and not rejected
	UpdatedAt          *string  `json:"updated_at"`
}

// EntryResponse is api/v1/<folder>/<id>.json.
type EntryResponse struct {
	Envelope
	Entry
}

// Entry is an entry of any kind: every key that a source file may have, with
// what the registry adds. Keys that a kind does not have stay null or [].
type Entry struct {
	ID            string         `json:"id"`
	Kind          string         `json:"kind"`
	Path          string         `json:"path"`
	Schema        *string        `json:"schema"` // of the source file, such as "dpg/v1"
	Name          *string        `json:"name"`
	Aliases       []string       `json:"aliases"`
	Description   Text           `json:"description"`
	Website       *string        `json:"website"`
	URL           *string        `json:"url"`
	Format        *string        `json:"format"`
	Published     *string        `json:"published"`
	Languages     []string       `json:"languages"`
	Types         []string       `json:"types"`
	Sectors       []string       `json:"sectors"`
	Topics        []string       `json:"topics"`
	Licenses      []License      `json:"licenses"`
	Repositories  []Repository   `json:"repositories"`
	SBOM          *SBOM          `json:"sbom"` // null where the entry points at none
	SDGs          []SDG          `json:"sdgs"`
	About         []string       `json:"about"`
	Organizations []Organization `json:"organizations"`
	ContactURL    *string        `json:"contact_url"`
	Stewards      []Person       `json:"stewards"`
	Locations     Locations      `json:"locations"`
	Standard      Standard       `json:"standard"`
	Language      *string        `json:"language"` // of the source file's plain text
	Status        Status         `json:"status"`
	SameAs        SameAs         `json:"same_as"`
	Sources       []Source       `json:"sources"`
	Decisions     []Decision     `json:"decisions"`
	Waivers       []Waiver       `json:"waivers"`
	Assessment    *Assessment    `json:"assessment"`
	Observations  *Observations  `json:"observations"` // null where nothing was seen yet
	SourcePath    string         `json:"source_path"`  // of the source file in its Git repository
	UpdatedAt     *string        `json:"updated_at"`   // last change of the source file; the assessment has its own
	UpdatedCommit *string        `json:"updated_commit"`
}

// License is a licence of the work or of a part of it.
type License struct {
	Expression string  `json:"expression"`
	URL        *string `json:"url"`
	Covers     *string `json:"covers"` // null is all of it
}

// Repository is where the source is kept.
type Repository struct {
	Name *string `json:"name"`
	URL  *string `json:"url"`
}

// SBOM is where the project keeps an SPDX document of its dependencies.
type SBOM struct {
	URL  *string `json:"url"`
	AsOf *string `json:"as_of"`
}

// SDG is a claim of relevance to a goal.
type SDG struct {
	Goal     int      `json:"goal"`
	Text     Text     `json:"text"`
	Evidence []string `json:"evidence"`
}

// Organization is a body with a part in the subject.
type Organization struct {
	Name    *string `json:"name"`
	Role    *string `json:"role"`
	Website *string `json:"website"`
}

// Person is a forge account.
type Person struct {
	GitHub *string `json:"github"`
	ID     *int64  `json:"id"`
}

// Locations are ISO 3166-1 alpha-2 codes.
type Locations struct {
	DevelopedIn []string `json:"developed_in"`
	DeployedIn  []string `json:"deployed_in"`
}

// Status is where the subject stands, and by whose word.
type Status struct {
	Stage        string  `json:"stage"`
	RecognisedBy *string `json:"recognised_by"`
	AsOf         *string `json:"as_of"`
	URL          *string `json:"url"`
	Reason       Text    `json:"reason"`
	MovedTo      *string `json:"moved_to"`
	ReviewBy     *string `json:"review_by"`
}

// SameAs names the subject in other catalogs.
type SameAs struct {
	DPGA     *string `json:"dpga"`
	Wikidata *string `json:"wikidata"`
	PURL     *string `json:"purl"`
	DIAL     *string `json:"dial"`
}

// Source says where facts come from.
type Source struct {
	Name *string `json:"name"`
	URL  *string `json:"url"`
	AsOf *string `json:"as_of"`
}

// Decision is a person's ruling.
type Decision struct {
	Ruling string  `json:"ruling"`
	Code   *string `json:"code"`
	Text   Text    `json:"text"`
	On     *string `json:"on"`
	By     Person  `json:"by"`
	As     *string `json:"as"`
	Date   *string `json:"date"`
	Reason Text    `json:"reason"`
}

// Waiver sets one rule aside until a date.
type Waiver struct {
	Rule   string  `json:"rule"`
	Reason Text    `json:"reason"`
	By     Person  `json:"by"`
	Until  *string `json:"until"`
}

// Answer is an owner's answer to one question of the DPG Standard.
type Answer struct {
	Indicator string   `json:"indicator"` // code in the framework "dpg-standard"
	Answer    *string  `json:"answer"`
	Text      Text     `json:"text"`
	Items     []string `json:"items"`
	Evidence  []string `json:"evidence"`
	Source    *string  `json:"source"`
	AsOf      *string  `json:"as_of"`
}

// Standard holds the answers by question, in the order of the indicators; null
// for a question that the entry does not answer.
type Standard struct {
	Ownership             *Answer `json:"ownership"`
	RestrictiveDependency *Answer `json:"restrictive_dependency"`
	OpenAlternatives      *Answer `json:"open_alternatives"`
	Documentation         *Answer `json:"documentation"`
	NonPersonalData       *Answer `json:"non_personal_data"`
	DataExport            *Answer `json:"data_export"`
	Privacy               *Answer `json:"privacy"`
	PrivacySteps          *Answer `json:"privacy_steps"`
	Standards             *Answer `json:"standards"`
	BestPractices         *Answer `json:"best_practices"`
	HarmPrevention        *Answer `json:"harm_prevention"`
	PersonalData          *Answer `json:"personal_data"`
	DataSharing           *Answer `json:"data_sharing"`
	DataSecurity          *Answer `json:"data_security"`
	UserContent           *Answer `json:"user_content"`
	ContentPolicy         *Answer `json:"content_policy"`
	IllegalContent        *Answer `json:"illegal_content"`
	UserInteraction       *Answer `json:"user_interaction"`
	UnderageSafety        *Answer `json:"underage_safety"`
	HarassmentProtection  *Answer `json:"harassment_protection"`
}

// Assessment is what an engine derived from the entry's words, and what people
// said of that.
type Assessment struct {
	Summary       *Summary  `json:"summary"`
	Mappings      []Mapping `json:"mappings"` // by code; weak and rejected ones too
	Unknown       []Unknown `json:"unknown"`
	Engine        *string   `json:"engine"` // name and version
	UpdatedAt     *string   `json:"updated_at"`
	UpdatedCommit *string   `json:"updated_commit"`
}

// Summary is plain prose with the fields that each sentence was made from.
type Summary struct {
	Text      Text       `json:"text"`
	Engine    *string    `json:"engine"`
	Sentences []Sentence `json:"sentences"`
	First     bool       `json:"summary_first"` // whether it stands first, for a description that is missing or long
}

// Sentence is one sentence of a summary.
type Sentence struct {
	Text Text     `json:"text"`
	From []string `json:"from"` // RFC 6901 pointers into the entry
}

// Mapping is a claim that the entry's words support a code. It never says that
// the product complies.
type Mapping struct {
	Code         string   `json:"code"`
	Path         *string  `json:"path"` // null where the framework is not published here
	Title        Text     `json:"title"`
	Strength     int      `json:"strength"` // 2 clear, 1 weak
	Engines      []string `json:"engines"`
	Quotes       []Quote  `json:"quotes"`
	State        string   `json:"state"`
	RelatedCodes []string `json:"related_codes"` // of other frameworks, as crosswalks read them; no evidence
}

// Quote is words found verbatim in a field of the entry. The pointer is that of
// the source file; where it leads to text by language, the quote stands in one of
// the languages.
type Quote struct {
	Pointer string `json:"pointer"`
	Quote   string `json:"quote"`
}

// Unknown is a question that the engine could not judge.
type Unknown struct {
	Framework string `json:"framework"`
	Reason    Text   `json:"reason"`
}

// Observations are dated facts that were fetched from outside, beside what the
// entry says. Nobody vouches for more than that they were seen so.
type Observations struct {
	// LicenseExpression is what the texts in the repositories come to for the whole
	// work; null where they do not tell all of it.
	LicenseExpression *string              `json:"license_expression"`
	Agreement         string               `json:"agreement"` // of the declared licences with the texts: same, compatible, different or unknown
	Repositories      []ObservedRepository `json:"observed_repositories"`
	SBOM              *ObservedSBOM        `json:"observed_sbom"`
	UpdatedAt         *string              `json:"updated_at"` // last change of the observations' file
	UpdatedCommit     *string              `json:"updated_commit"`
}

// ObservedRepository is what was seen of one repository of the entry.
type ObservedRepository struct {
	URL               *string        `json:"url"`
	AsOf              *string        `json:"as_of"`    // the day on which it was first seen so
	Presence          string         `json:"presence"` // present, moved, empty or gone
	MovedTo           *string        `json:"moved_to"`
	Archived          bool           `json:"archived"`
	Commit            *string        `json:"observed_commit"` // that the texts were read at
	CommitURL         *string        `json:"observed_commit_url"`
	LicenseExpression *string        `json:"license_expression"`       // what its texts come to
	ForgeLicense      *string        `json:"forge_license_expression"` // what the forge takes it for
	Agreement         string         `json:"agreement"`
	Reason            Text           `json:"reason"` // of the agreement, in words
	Files             []ObservedFile `json:"license_files"`
}

// ObservedFile is a licence text in a repository.
type ObservedFile struct {
	File              string   `json:"file"` // its path in the repository
	URL               *string  `json:"url"`  // at that commit; null where the forge's form of addresses is not known
	LicenseExpression *string  `json:"license_expression"`
	Alternatives      []string `json:"alternative_expressions"` // all that fit the text as well
	Skipped           *string  `json:"skipped"`                 // why it was not read
	SHA256            *string  `json:"sha256"`
}

// ObservedSBOM is what was seen of the SPDX document that an entry points at, and
// what the policy of that day made of the dependencies' licences.
type ObservedSBOM struct {
	URL              *string       `json:"url"`
	AsOf             *string       `json:"as_of"`
	Presence         string        `json:"presence"` // present, unreadable or gone
	Reason           Text          `json:"reason"`   // why it cannot be read
	JudgedAs         *string       `json:"judged_as"`
	DependencyCount  *int          `json:"dependency_count"` // null where it was not read, as the other counts
	NotAcceptedCount *int          `json:"not_accepted_count"`
	UnknownCount     *int          `json:"unknown_count"`
	Restrictions     []Restriction `json:"restrictions"` // the licences that create one, the gravest first
	More             int           `json:"more_count"`   // such licences that are not listed
}

// Restriction is a licence of dependencies that the policy does not accept, or of
// which it cannot say so.
type Restriction struct {
	License      string   `json:"dependency_license"` // as the document has it; "NONE" and "NOASSERTION" too
	Verdict      string   `json:"verdict"`            // not-accepted or unknown
	Reason       Text     `json:"reason"`
	Dependencies []string `json:"dependencies"` // by name
	More         int      `json:"more_count"`   // dependencies that are not listed
}

// Frameworks is api/v1/frameworks.json.
type Frameworks struct {
	Envelope
	Total      int                `json:"total"`
	Items      []FrameworkSummary `json:"items"`
	Crosswalks []Crosswalk        `json:"crosswalks"` // by id
}

// Crosswalk says which codes have to do with which of other frameworks. It is a
// reading, whose the notice says, and no evidence of anything.
type Crosswalk struct {
	ID     string         `json:"id"`
	Title  Text           `json:"title"`
	Notice Text           `json:"notice"`
	AsOf   *string        `json:"as_of"` // the date it was last gone over
	Rows   []CrosswalkRow `json:"rows"`
}

// CrosswalkRow is one code with what it is read to have to do with.
type CrosswalkRow struct {
	Code    string    `json:"code"`
	Related []Related `json:"related"`
}

// Related is a code of another framework that a crosswalk relates to this one.
type Related struct {
	Code      string `json:"code"`
	Path      string `json:"path"` // of its view
	Title     Text   `json:"title"`
	Reason    Text   `json:"reason"`
	Crosswalk string `json:"crosswalk"` // id, in frameworks.json
}

// FrameworkSummary is one framework with how much it is used.
type FrameworkSummary struct {
	ID         string  `json:"id"`
	Path       string  `json:"path"`
	Title      Text    `json:"title"`
	Version    *string `json:"version"`
	URL        *string `json:"url"`
	CodeCount  int     `json:"code_count"`
	EntryCount int     `json:"entry_count"` // entries that stand in one or more of its views
	Credit
}

// Credit says whose words a framework's codes and titles are.
type Credit struct {
	SourceLicense     *string `json:"source_license"`
	SourceAttribution Text    `json:"source_attribution"`
}

// Framework is api/v1/frameworks/<framework>.json.
type Framework struct {
	Envelope
	ID            string  `json:"id"`
	Title         Text    `json:"title"`
	Version       *string `json:"version"`
	AsOf          *string `json:"as_of"`
	PublisherName *string `json:"publisher_name"`
	URL           *string `json:"url"`
	Credit
	Lists []CodeList `json:"lists"`
	Codes []Code     `json:"codes"` // in the framework's own order
}

// CodeList is a sort of code.
type CodeList struct {
	ID     string `json:"id"`
	Title  Text   `json:"title"`
	Mapped bool   `json:"mapped"` // whether entries are mapped to its codes
}

// Code is one code with how many entries stand in its view.
type Code struct {
	CodeInfo
	Path       string  `json:"path"`       // of its view
	PagesPath  *string `json:"pages_path"` // of the index of the view's pages
	EntryCount int     `json:"entry_count"`
}

// CodeInfo is what a framework says of a code.
type CodeInfo struct {
	ID          string              `json:"id"`      // unique in the framework
	Code        string              `json:"code"`    // framework and id, such as "dpi-safeguards/O3"
	Printed     *string             `json:"printed"` // as the source prints it, where that differs
	Title       Text                `json:"title"`
	Description Text                `json:"description"`
	List        string              `json:"list"`
	Group       *string             `json:"group"`
	Parent      *string             `json:"parent"` // in full
	URL         *string             `json:"url"`
	Relations   map[string][]string `json:"relations"` // list to codes of the same framework, in full
	Related     []Related           `json:"related"`   // codes of other frameworks, as crosswalks read them
}

// View is api/v1/frameworks/<framework>/<code>.json: the live entries whose
// words speak for a code.
type View struct {
	Envelope
	Framework string `json:"framework"`
	CodeInfo
	Credit
	Total     int        `json:"total"`
	Digest    string     `json:"digest"` // of items, see digest
	PagesPath *string    `json:"pages_path"`
	Items     []ViewItem `json:"items"`
}

// ViewItem is an entry in a view with the words it is there for.
type ViewItem struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`
	Path   string  `json:"path"`
	Name   *string `json:"name"`
	State  string  `json:"state"` // of the mapping; "claimed" where the entry itself says so
	Quotes []Quote `json:"quotes"`
}

// Full is api/v1/full.json: every entry, live or not, by the name of its kind.
type Full struct {
	Envelope
	Origin
	Entries map[string][]Entry `json:"entries"`
}

// StatusResponse is api/v1/status.json.
type StatusResponse struct {
	Envelope
	Origin
	Kinds    []KindStatus `json:"kinds"`
	Findings *Findings    `json:"findings"` // null where nobody looked
}

// KindStatus counts the entries of a kind.
type KindStatus struct {
	Name       string `json:"name"`
	EntryCount int    `json:"entry_count"` // live entries
	Stages     Stages `json:"stages"`
}

// Findings counts what was found when the registry was last checked.
type Findings struct {
	AsOf     *string `json:"as_of"` // the day it was judged at; null where rules that need one were left out
	Errors   int     `json:"errors"`
	Warnings int     `json:"warnings"`
	Infos    int     `json:"infos"`
}

// Manifest is api/v1/manifest.json: every other file of the catalog, by path.
type Manifest struct {
	Envelope
	Origin
	PagesPath *string        `json:"pages_path"`
	Files     []ManifestFile `json:"files"`
}

// ManifestFile is one file. Its path is relative to the root of the catalog, the
// folder that holds api/.
type ManifestFile struct {
	Path   string `json:"path"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"` // lower-case hexadecimal
}
