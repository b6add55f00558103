package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// ObservationSchema is what the file of an Observation says it is.
const ObservationSchema = "observation/v1"

// An Observation is the bot's file of what was seen outside about one entry. It
// holds facts with their dates, not judgements; rules compare them with the entry.
type Observation struct {
	Schema       string               `yaml:"schema"`                 // ObservationSchema
	Entry        string               `yaml:"entry"`                  // such as "dpg/dhis2"
	Repositories []ObservedRepository `yaml:"repositories,omitempty"` // in the entry's order
	SBOM         *ObservedSBOM        `yaml:"sbom,omitempty"`         // of the document that the entry points at; nil where nothing is known of it
}

// An ObservedRepository is what was seen of one repository.
type ObservedRepository struct {
	URL      string `yaml:"url"`                // as the entry has it
	AsOf     string `yaml:"as_of"`              // the day on which these facts were first seen, "2006-01-02"
	State    string `yaml:"state"`              // see the constants
	MovedTo  string `yaml:"moved_to,omitempty"` // for StateMoved: where it is now
	Archived bool   `yaml:"archived,omitempty"` // its owners closed it to changes
	Commit   string `yaml:"commit,omitempty"`   // that the files were read at, in hexadecimal; "" where there is none
	// Forge is the licence that the forge says it has, an SPDX id; "" where it
	// says nothing, or nothing that is one.
	Forge string         `yaml:"forge_license,omitempty"`
	Files []ObservedFile `yaml:"files,omitempty"` // licence texts, by path
	More  int            `yaml:"more_files,omitempty"`
}

// The states of an ObservedRepository.
const (
	StatePresent = "present"
	StateMoved   = "moved" // the address leads to MovedTo for good
	StateEmpty   = "empty" // there, without a commit
	StateGone    = "gone"  // not there, or not for the public
)

// An ObservedFile is a licence text in a repository.
type ObservedFile struct {
	Path   string `yaml:"path"`              // in the repository, slash-separated
	SHA256 string `yaml:"sha256,omitempty"`  // of its bytes, in hexadecimal; "" where Skipped
	Skip   string `yaml:"skipped,omitempty"` // why it was not read: see the constants
	// Expression is the SPDX expression of the text; "" where it cannot be told.
	Expression string `yaml:"expression,omitempty"`
	// Alternatives are all the expressions that fit as well, Expression first; nil
	// where there is only the one.
	Alternatives []string `yaml:"alternatives,omitempty"`
	Confidence   float64  `yaml:"confidence,omitempty"` // 0 to 1, two decimals
}

// Why a file that is named like a licence was not read.
const (
	SkipLink   = "symbolic link"
	SkipBinary = "binary"
	SkipLarge  = "too large"
	SkipKind   = "not a file"
)

// Main reports whether the file speaks of the repository as a whole. Those in
// LICENSES are of its parts as well.
func (f ObservedFile) Main() bool { return !strings.Contains(f.Path, "/") }

// An ObservedSBOM is what was seen of the SPDX document of an entry's dependencies,
// and what the policy of that day made of their licences. The counts are of the
// day AsOf: a project that gains a dependency under a licence that is accepted
// makes no new fact of it.
type ObservedSBOM struct {
	URL    string `yaml:"url"`             // as the entry has it
	AsOf   string `yaml:"as_of"`           // the day on which these facts were first seen, "2006-01-02"
	State  string `yaml:"state"`           // StatePresent, StateGone or StateUnreadable
	Fault  string `yaml:"fault,omitempty"` // for StateUnreadable: why it cannot be read, in words
	SHA256 string `yaml:"sha256,omitempty"`
	// JudgedAs is the type of work that the policy was asked about; "" where the
	// document was not read. So are the counts 0 then.
	JudgedAs     string `yaml:"judged_as,omitempty"`
	Dependencies int    `yaml:"dependencies,omitempty"`
	NotAccepted  int    `yaml:"not_accepted,omitempty"`
	Unknown      int    `yaml:"unknown,omitempty"`
	// Restrictions are the licences that create one, the gravest first.
	Restrictions []ObservedRestriction `yaml:"restrictions,omitempty"`
	More         int                   `yaml:"more_restrictions,omitempty"` // licences that are not listed
}

// StateUnreadable is the state of an ObservedSBOM that is there, and is no document
// that can be read.
const StateUnreadable = "unreadable"

// An ObservedRestriction is a licence of dependencies that the policy does not
// accept, or of which it cannot say so.
type ObservedRestriction struct {
	License  string   `yaml:"license"` // as it is written there, in canonical form where it is an expression; "NONE" or "NOASSERTION"
	Verdict  string   `yaml:"verdict"` // policy.StateNotAccepted or policy.StateUnknown
	Reason   string   `yaml:"reason"`  // why, in words
	Packages []string `yaml:"packages"`
	More     int      `yaml:"more_packages,omitempty"` // that are not listed
}

// Clone copies the observation, so that changing it leaves the first one alone.
func (o *Observation) Clone() *Observation {
	if o == nil {
		return nil
	}
	c := *o
	c.Repositories = slices.Clone(o.Repositories)
	if o.SBOM != nil {
		sbom := *o.SBOM
		c.SBOM = &sbom
	}
	return &c
}

// Repository returns what was seen of the repository at an address, as an entry
// has it, or nil.
func (o *Observation) Repository(url string) *ObservedRepository {
	url = strings.TrimSpace(url)
	for i := range o.Repositories {
		if o.Repositories[i].URL == url {
			return &o.Repositories[i]
		}
	}
	return nil
}

// Observation returns what was seen of an entry, or nil. It stands where the
// entry's own place says; elsewhere it is of none.
func (r *Registry) Observation(d *Doc) *Observation { return r.observed[d.ObservationPath(r.Prefix)] }

// ObservationPath is where the observation of an entry stands, relative to the
// registry folder. It mirrors the entry's own place, sub-folders included.
func (d *Doc) ObservationPath(prefix string) string {
	return ObservationFolder + "/" + strings.TrimPrefix(d.Path, prefix+"/")
}

// DecodeObservation reads an observation; the bytes may be anybody's.
func (r *Registry) DecodeObservation(name string, data []byte) (*Observation, error) {
	doc, found := source.Parse(name, data)
	if len(found) == 0 {
		found = r.schemas.Validate(observationFile, doc)
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("%s: %s", name, found[0].Message)
	}
	o := new(Observation)
	return o, doc.Decode(o)
}

const observationFile = "observation.schema.json"

// observe takes in what was read, before the entries are: rules compare the two.
func (l *loader) observe(tasks []*task, seen map[*task]*Observation) {
	for _, t := range tasks {
		if t.doc.Hash == "" {
			continue
		}
		l.reg.Observed = append(l.reg.Observed, t.doc)
		o := seen[t]
		if t.doc.Broken || t.doc.Source == nil || o.Schema == "" {
			continue
		}
		if o.Entry != t.doc.Ref.String() {
			n, _ := t.doc.Source.Locate("/entry")
			t.found = append(t.found, diag.Diagnostic{
				Path: t.doc.Path, Start: n.Start(), End: n.End(), Pointer: "/entry", Rule: "observation-file", Severity: diag.Error,
				Message: fmt.Sprintf("entry %q is not %q, which the file's place says", o.Entry, t.doc.Ref),
				Hint:    "delete the file; the bot writes it again",
			})
			t.doc.Broken = true
			continue
		}
		l.reg.observed[t.blob.Path] = o
	}
}
