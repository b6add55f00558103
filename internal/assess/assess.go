package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/policy"
)

// Schema is what an assessment file says it is.
const Schema = "assessment/v1"

// Key is a digest of all that the assessment of an entry depends on but the file
// that a lock keeps: the entry, the frameworks, the engine and the languages.
func (o *Offline) Key(e *entry.Entry, settings *policy.Settings) string {
	data, err := yaml.Marshal(e)
	if err != nil { // plain data; only a bug gets here, and must not look like a match
		data = []byte(err.Error())
	}
	var languages []string
	if settings != nil {
		languages = settings.Languages
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n%s\n%s", Schema, EngineName, languages, o.fingerprint, data)
	return hex.EncodeToString(h.Sum(nil))
}

// Assess derives the assessment of one entry: what the engine finds, then what
// people decided, then the evidence check. The previous assessment, or nil,
// matters where a person locked a part of it, and for the model's answer in it,
// which is kept and joined in for as long as the same would be asked again.
func (o *Offline) Assess(e *entry.Entry, previous *Assessment, settings *policy.Settings) *Assessment {
	language := entryLanguage(e, settings)
	fs := fields(e, language)
	r := rulingsOf(e)
	a := &Assessment{
		Schema: Schema,
		Entry:  refOf(e).String(),
		Made:   Made{Engine: EngineName, Frameworks: map[string]string{}, Key: o.Key(e, settings)},
	}
	for id := range o.mapped {
		a.Made.Frameworks[id] = o.set[id].Version
	}
	if previous != nil && previous.Model != nil {
		a.Model, _ = o.asker(settings).Check(e, previous.Model)
	}
	if !r.noMappings {
		if !a.Model.answers() { // a model reads every language
			a.Unknown = o.unknown(fs, language)
		}
		a.Mappings = o.mappings(fs, previous, a.Model, r)
	}
	switch {
	case r.noSummary:
	case r.own != nil:
		a.Summary = ownSummary(r, language)
	case r.lockSummary && previous != nil:
		a.Summary = previous.Summary
	default:
		if a.Summary = a.Model.summary(settings); a.Summary == nil {
			a.Summary = summarize(e, o.set, settings)
		}
	}
	if r.lockSummary && a.Summary != nil {
		a.Summary = withLock(e, a.Summary)
	}
	// What the engine finds can be shown; this drops what a lock keeps of words
	// that the entry no longer has.
	a, _ = o.asker(settings).check(e, a)
	return a
}

// mappings are what the engines or the locked file say, ruled on by people.
func (o *Offline) mappings(fs []field, previous *Assessment, model *Answer, r rulings) []Mapping {
	byCode := map[string]Mapping{}
	if r.lockMappings && previous != nil {
		for _, m := range previous.Mappings {
			byCode[m.Code] = m
		}
	} else {
		for _, found := range o.rank(fs) {
			byCode[found.Code] = Mapping{
				Code: found.Code, Strength: found.Strength, Engines: []string{EngineOffline}, Evidence: found.Evidence,
			}
		}
		model.join(byCode)
	}
	for code, state := range r.states {
		m, found := byCode[code]
		switch {
		case state == StateRejected:
			continue
		case !found: // a person knows what no signal says
			m = Mapping{Code: code, Engines: []string{}, Evidence: []Evidence{}}
		}
		m.Strength = 2 // a person said so: that is clear
		byCode[code] = m
	}
	var all []Mapping
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		m := byCode[code]
		m.Review.State = r.state(code)
		all = append(all, m)
	}
	return all
}

// unknown says which frameworks could not be judged, wholly or for some codes:
// an empty list of mappings must not look like an answer. A text in several
// languages is judged if one of them has signals.
func (o *Offline) unknown(fs []field, language string) []Unknown {
	versions := map[string][]string{} // of one text: the languages it is in
	for _, f := range fs {
		if !f.low {
			versions[f.source] = append(versions[f.source], f.language)
		}
	}
	var all []Unknown
	for _, id := range slices.Sorted(maps.Keys(o.mapped)) {
		if len(versions) == 0 {
			all = append(all, Unknown{id, "text: there is nothing to read"})
			continue
		}
		missing := map[string]map[string]bool{} // language to codes
		for _, tags := range versions {
			for _, code := range o.mapped[id] {
				if slices.ContainsFunc(tags, func(t string) bool { return o.covered[t][code] }) {
					continue
				}
				l := tags[0]
				if slices.Contains(tags, language) {
					l = language
				}
				if missing[l] == nil {
					missing[l] = map[string]bool{}
				}
				missing[l][code] = true
			}
		}
		for _, l := range slices.Sorted(maps.Keys(missing)) {
			reason := "language: no signals for " + l
			if n := len(missing[l]); n > 20 && n < len(o.mapped[id]) {
				reason += fmt.Sprintf(" on %d codes", n)
			} else if n < len(o.mapped[id]) {
				var codes []string
				for _, full := range slices.Sorted(maps.Keys(missing[l])) {
					_, code, _ := framework.Split(full)
					codes = append(codes, code)
				}
				reason += " on " + strings.Join(codes, ", ")
			}
			all = append(all, Unknown{id, reason})
		}
	}
	return all
}

// entryLanguage is the base language of the entry's plain text.
func entryLanguage(e *entry.Entry, settings *policy.Settings) string {
	if e.Language != "" {
		return baseLanguage(e.Language)
	}
	return baseLanguage(settings.Language())
}

// refOf names an entry by what its file says.
func refOf(e *entry.Entry) entry.Ref {
	kind, _, _ := strings.Cut(e.Schema, "/")
	return entry.Ref{Kind: kind, ID: e.ID}
}
