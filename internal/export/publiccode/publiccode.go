// Package publiccode writes publiccode.yml files, by which public bodies describe
// the software they share (https://yml.publiccode.tools), for the software in a
// catalog. It invents nothing: a file is written where every key that the standard
// asks for is known, and of the others it says which keys are missing.
//
// An entry has no words for some of these keys, such as the platforms a program
// runs on or who maintains it, so no entry suffices by itself. People say those in
// a file beside the registry, see Facts.
package publiccode

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// Version is that of the standard.
const Version = "0.5.0"

// Lengths that the standard sets, in characters.
const (
	maxShort = 150
	minLong  = 150
	maxLong  = 10000
)

// A File is a publiccode.yml with the keys that this package writes, in the order
// of the standard.
type File struct {
	Version           string                 `yaml:"publiccodeYmlVersion"`
	Name              string                 `yaml:"name"`
	URL               string                 `yaml:"url"`
	LandingURL        string                 `yaml:"landingURL,omitempty"`
	Organisation      *Body                  `yaml:"organisation,omitempty"`
	FundedBy          []Body                 `yaml:"fundedBy,omitempty"`
	Platforms         []string               `yaml:"platforms"`
	DevelopmentStatus string                 `yaml:"developmentStatus"`
	SoftwareType      string                 `yaml:"softwareType"`
	Description       map[string]Description `yaml:"description"`
	Legal             Legal                  `yaml:"legal"`
	Maintenance       Maintenance            `yaml:"maintenance"`
	Localisation      Localisation           `yaml:"localisation"`
}

// Body is an organisation.
type Body struct {
	Name string `yaml:"name"`
	URI  string `yaml:"uri,omitempty"`
}

// Description is what the software does, in one language.
type Description struct {
	Short         string   `yaml:"shortDescription,omitempty"` // one line, at most 150 characters
	Long          string   `yaml:"longDescription,omitempty"`  // 150 to 10,000 characters
	Documentation string   `yaml:"documentation,omitempty"`
	Features      []string `yaml:"features,omitempty"`
}

// Legal says on what terms it can be had.
type Legal struct {
	License string `yaml:"license"` // SPDX expression
}

// Maintenance says who looks after it.
type Maintenance struct {
	Type        string       `yaml:"type,omitempty"` // internal, contract, community, none
	Contractors []Contractor `yaml:"contractors,omitempty"`
	Contacts    []Contact    `yaml:"contacts,omitempty"`
}

// Contractor is who is paid for it.
type Contractor struct {
	Name    string `yaml:"name"`
	Until   string `yaml:"until"` // a date
	Website string `yaml:"website,omitempty"`
}

// Contact is a person who maintains it, as the standard asks. The registry names
// no persons, so these come from Facts alone.
type Contact struct {
	Name        string `yaml:"name"`
	Email       string `yaml:"email,omitempty"`
	Phone       string `yaml:"phone,omitempty"`
	Affiliation string `yaml:"affiliation,omitempty"`
}

// Localisation says which languages it speaks.
type Localisation struct {
	Ready     *bool    `yaml:"localisationReady"` // nil is not known
	Languages []string `yaml:"availableLanguages"`
}

// Known is what people say of one software entry beside its entry, in the words of
// the standard. Where both say something, this comes first, as it was written for
// this purpose; the name and the licence are the entry's.
type Known struct {
	URL               string                 `yaml:"url"` // one of the entry's repositories, where it has several
	Platforms         []string               `yaml:"platforms"`
	DevelopmentStatus string                 `yaml:"developmentStatus"`
	SoftwareType      string                 `yaml:"softwareType"`
	Description       map[string]Description `yaml:"description"`
	Maintenance       Maintenance            `yaml:"maintenance"`
	Localisation      Localisation           `yaml:"localisation"`
}

// Facts are what people say, by the id of the entry.
type Facts map[string]Known

// maxFacts bounds a file of facts, in bytes.
const maxFacts = 8 << 20

// ReadFacts reads a YAML file that has what is known by the id of an entry. A key
// that is none of Known is an error.
func ReadFacts(r io.Reader) (Facts, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFacts+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFacts {
		return nil, fmt.Errorf("it has more than %d bytes", maxFacts)
	}
	var f Facts
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, inWords(err)
	}
	return f, nil
}

// inWords says of the first thing that is wrong where it is and what would be
// right, to people who have not read this program.
func inWords(err error) error {
	says := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " ")
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		says = wrong.Errors[0]
		where, what, _ := strings.Cut(says, ": ")
		if m := unknownKey.FindStringSubmatch(what); m != nil {
			return fmt.Errorf("%s: %q is no key of a file of facts here; dpg help export publiccode shows one", where, m[1])
		}
		if m := otherType.FindStringSubmatch(what); m != nil {
			is, wanted := kindOf(m[1]), "keys with their values"
			switch {
			case strings.HasPrefix(m[3], "[]"):
				wanted = "a list, such as [web, linux]"
			case strings.HasSuffix(m[3], "string"):
				wanted = "a text"
			case strings.HasSuffix(m[3], "bool"):
				wanted = "true or false"
			}
			if m[2] != "" {
				is += " (" + strconv.Quote(m[2]) + ")"
			}
			return fmt.Errorf("%s: here stands %s, and it is to be %s", where, is, wanted)
		}
	}
	return errors.New(says)
}

// How the reader of YAML puts it.
var (
	unknownKey = regexp.MustCompile(`^field (.*) not found in type \S+$`)
	otherType  = regexp.MustCompile("^cannot unmarshal (!!\\w+)(?: `([^`]*)`)? into (\\S+)$")
)

// kindOf is what a tag of YAML stands for.
func kindOf(tag string) string {
	switch tag {
	case "!!str":
		return "a text"
	case "!!seq":
		return "a list"
	case "!!map":
		return "a mapping"
	case "!!int", "!!float":
		return "a number"
	}
	return "a value"
}

// A Gap is a key that the standard asks for, and that nobody said or that was said
// in a way it does not take.
type Gap struct {
	Key string `json:"key"` // such as "maintenance/type"
	Why string `json:"why"`
	In  string `json:"in"` // where it is to be said: InEntry or InFacts
}

// Where a missing key is to be said.
const (
	InEntry = "entry"
	InFacts = "facts"
)

// A Software is an entry of type software with its file, or with what it lacks.
type Software struct {
	ID   string
	Ref  string // kind and id
	Name string // one line; may be ""
	File []byte // the file; nil where Gaps says why there is none
	Gaps []Gap
}

// Each looks at every live entry of type software, in the order of the catalog, and
// returns the ids in facts that are none of these, sorted. It ends with the first
// error, also of visit.
func Each(x *catalog.Export, facts Facts, visit func(Software) error) (strange []string, err error) {
	seen := map[string]bool{} // of facts
	for e, err := range x.Live() {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(e.Types, "software") {
			continue
		}
		known, said := facts[e.ID]
		if said {
			seen[e.ID] = true
		}
		f := fileOf(*e, known)
		s := Software{ID: e.ID, Ref: e.Kind + "/" + e.ID, Name: f.Name, Gaps: f.gaps(*e)}
		if len(s.Gaps) == 0 {
			if s.File, err = f.encode(e.Path); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Ref, err)
			}
		}
		if err := visit(s); err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(facts)) {
		if !seen[id] {
			strange = append(strange, id)
		}
	}
	return strange, nil
}

// fileOf puts together what is known.
func fileOf(e catalog.Entry, known Known) *File {
	f := &File{
		Version: Version, Name: oneLine(value(e.Name)), URL: known.URL, LandingURL: address(value(e.Website)),
		Platforms: known.Platforms, DevelopmentStatus: known.DevelopmentStatus, SoftwareType: known.SoftwareType,
		Description: map[string]Description{}, Legal: Legal{licenseOf(e)},
		Maintenance: known.Maintenance, Localisation: known.Localisation,
	}
	if urls := repositories(e); f.URL == "" && len(urls) == 1 {
		f.URL = urls[0]
	}
	for _, o := range e.Organizations {
		b := Body{oneLine(value(o.Name)), address(value(o.Website))}
		switch role := value(o.Role); {
		case b.Name == "":
		case role == "owner" && f.Organisation == nil:
			f.Organisation = &b
		case role == "funder":
			f.FundedBy = append(f.FundedBy, b)
		}
	}
	for lang, text := range e.Description {
		f.Description[lang] = describe(text)
	}
	for lang, d := range known.Description {
		own := f.Description[lang]
		f.Description[lang] = Description{
			Short: cmp.Or(d.Short, own.Short), Long: cmp.Or(d.Long, own.Long), Documentation: d.Documentation, Features: d.Features,
		}
	}
	// A language in which only a part is known is left out, if another has it all.
	if f.described() {
		maps.DeleteFunc(f.Description, func(lang string, d Description) bool { return len(descriptionGaps(lang, d)) > 0 })
	}
	return f
}

// described reports whether one language has all that is asked.
func (f *File) described() bool {
	for lang, d := range f.Description {
		if len(descriptionGaps(lang, d)) == 0 {
			return true
		}
	}
	return false
}

// describe takes the entry's own words for what they are long enough for: all of
// them as the long description, and the short one where they, or their first
// sentence, are short enough.
func describe(text string) Description {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	var d Description
	if n >= minLong && n <= maxLong {
		d.Long = text
	}
	if line := oneLine(text); utf8.RuneCountInString(line) <= maxShort {
		d.Short = line
	} else if first := firstSentence(line); utf8.RuneCountInString(first) <= maxShort {
		d.Short = first
	}
	return d
}

// sentenceEnd is a full stop with what may follow it, and a capital after that.
var sentenceEnd = regexp.MustCompile(`[\pL\pN)]{3,}[.!?] \p{Lu}`)

// firstSentence is the text up to the first full stop behind a word of three
// letters or more, so that "e.g." and "Dr." end none; the whole text if there is
// none.
func firstSentence(text string) string {
	at := sentenceEnd.FindStringIndex(text)
	if at == nil {
		return text
	}
	_, last := utf8.DecodeLastRuneInString(text[:at[1]])
	return strings.TrimRight(text[:at[1]-last], " ")
}

// licenseOf is the licence of the software: of all of the work, or of that part.
// Where several are, all of them apply.
func licenseOf(e catalog.Entry) string {
	var all []spdx.Expr
	said := map[string]bool{}
	for _, l := range e.Licenses {
		if covers := value(l.Covers); covers != "" && covers != "software" {
			continue
		}
		x, err := spdx.Parse(l.Expression)
		if err != nil || strings.Contains(x.String(), "Ref-") {
			return "" // a licence of somebody's own means nothing without its text
		}
		args := []spdx.Expr{x}
		if x.Op == spdx.And {
			args = x.Args
		}
		for _, a := range args {
			if s := a.String(); !said[s] {
				said[s] = true
				all = append(all, a)
			}
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0].String()
	}
	return spdx.Expr{Op: spdx.And, Args: all}.String()
}

// repositories are the addresses of source code that an entry names, each once.
func repositories(e catalog.Entry) []string {
	var all []string
	for _, r := range e.Repositories {
		if a := address(value(r.URL)); a != "" && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// The words that the standard knows.
var (
	statuses     = []string{"concept", "development", "beta", "stable", "obsolete"}
	softwares    = []string{"standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web", "standalone/backend", "standalone/other", "addon", "library", "configurationFiles"}
	maintenances = []string{"internal", "contract", "community", "none"}
)

const noWord = "entries have no key for it; say it in a file of facts"

// gaps lists what the standard asks for and the file has not, in its order.
func (f *File) gaps(e catalog.Entry) []Gap {
	var all []Gap
	add := func(key, why string) { all = append(all, Gap{key, why, InFacts}) }
	ask := func(key, why string) { all = append(all, Gap{key, why, InEntry}) }
	oneOf := func(key, got string, want []string) {
		switch {
		case got == "":
			add(key, noWord)
		case !slices.Contains(want, got):
			add(key, fmt.Sprintf("%q is none of %s", got, strings.Join(want, ", ")))
		}
	}
	if f.Name == "" {
		ask("name", "the entry has no name")
	}
	switch urls := repositories(e); {
	case len(urls) == 0:
		ask("url", "the entry names no repository with a web address")
	case f.URL == "":
		add("url", fmt.Sprintf("the entry names %d repositories; say in a file of facts which it is: %s", len(urls), some(urls)))
	case !slices.Contains(urls, f.URL):
		add("url", fmt.Sprintf("%q is no repository of the entry", f.URL))
	}
	if len(words(f.Platforms)) == 0 {
		add("platforms", noWord)
	}
	oneOf("developmentStatus", f.DevelopmentStatus, statuses)
	oneOf("softwareType", f.SoftwareType, softwares)
	all = append(all, f.wordGaps()...)
	if f.Legal.License == "" {
		ask("legal/license", "the entry has no SPDX expression of listed licences for the software")
	}
	oneOf("maintenance/type", f.Maintenance.Type, maintenances)
	all = append(all, f.maintenanceGaps()...)
	if f.Localisation.Ready == nil {
		add("localisation/localisationReady", noWord)
	}
	if len(words(f.Localisation.Languages)) == 0 {
		add("localisation/availableLanguages", noWord)
	}
	for _, tag := range f.Localisation.Languages {
		if _, err := language.Parse(tag); err != nil {
			add("localisation/availableLanguages", fmt.Sprintf("%q is no language tag", tag))
		}
	}
	return all
}

// some are the first of several addresses.
func some(urls []string) string {
	const most = 5
	if len(urls) > most {
		return fmt.Sprintf("%s or %d more", strings.Join(urls[:most], ", "), len(urls)-most)
	}
	return strings.Join(urls, " or ")
}

func (f *File) wordGaps() []Gap {
	if len(f.Description) == 0 {
		return []Gap{{"description", "the entry has no description", InEntry}}
	}
	var all []Gap
	for _, lang := range slices.Sorted(maps.Keys(f.Description)) {
		all = append(all, descriptionGaps(lang, f.Description[lang])...)
	}
	return all
}

func descriptionGaps(lang string, d Description) []Gap {
	var all []Gap
	add := func(key, why string) { all = append(all, Gap{"description/" + lang + "/" + key, why, InFacts}) }
	if _, err := language.Parse(lang); err != nil {
		return []Gap{{"description", fmt.Sprintf("%q is no language tag", lang), InEntry}}
	}
	switch n := utf8.RuneCountInString(d.Short); {
	case n == 0:
		add("shortDescription", fmt.Sprintf("the description and its first sentence have more than %d characters", maxShort))
	case n > maxShort:
		add("shortDescription", fmt.Sprintf("it has %d characters, of %d at most", n, maxShort))
	case strings.ContainsFunc(d.Short, unicode.IsControl):
		add("shortDescription", "it is not one line")
	}
	switch n := utf8.RuneCountInString(d.Long); {
	case n == 0:
		add("longDescription", fmt.Sprintf("the description has fewer than %d characters, or more than %d", minLong, maxLong))
	case n < minLong || n > maxLong:
		add("longDescription", fmt.Sprintf("it has %d characters, of %d to %d", n, minLong, maxLong))
	}
	if len(words(d.Features)) == 0 {
		add("features", noWord)
	}
	if d.Documentation != "" && address(d.Documentation) == "" {
		add("documentation", fmt.Sprintf("%q is no web address", d.Documentation))
	}
	return all
}

func (f *File) maintenanceGaps() []Gap {
	var all []Gap
	add := func(key, why string) { all = append(all, Gap{"maintenance/" + key, why, InFacts}) }
	m := f.Maintenance
	switch m.Type {
	case "contract":
		if len(m.Contractors) == 0 {
			add("contractors", "a contract is with somebody; say it in a file of facts")
		}
	case "internal", "community":
		if len(m.Contacts) == 0 {
			add("contacts", "the registry names no persons; say in a file of facts who maintains it")
		}
	}
	if len(m.Contractors) > 0 && m.Type != "contract" {
		add("contractors", fmt.Sprintf("they are for type \"contract\", not %q", m.Type))
	}
	for _, c := range m.Contractors {
		if strings.TrimSpace(c.Name) == "" {
			add("contractors", "one has no name")
		}
		if _, err := time.Parse(time.DateOnly, c.Until); err != nil {
			add("contractors", fmt.Sprintf("until %q is no date such as 2026-01-31", c.Until))
		}
		if c.Website != "" && address(c.Website) == "" {
			add("contractors", fmt.Sprintf("%q is no web address", c.Website))
		}
	}
	for _, c := range m.Contacts {
		if strings.TrimSpace(c.Name) == "" {
			add("contacts", "one has no name")
		}
	}
	return all
}

// encode writes the file. The path is that of the entry in the catalog.
func (f *File) encode(path string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Made of api/v1/%s by dpg export publiccode. The standard: https://yml.publiccode.tools\n", path)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(f), enc.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// words are those that are not blank.
func words(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// address is a web address, or "" if it is none.
func address(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return ""
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
