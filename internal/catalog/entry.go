package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// entryOf gives the published form of an entry. Of a removed one nothing is
// published but its id, stage, date and reason, whatever its file still holds.
func (b *builder) entryOf(d *registry.Doc, a *assess.Assessment) Entry {
	e, main := d.Entry, b.language(d.Entry)
	out := Entry{
		ID: d.Ref.ID, Kind: d.Kind.Name, Path: entryPath(d),
		SourcePath: d.Path,
	}
	out.UpdatedAt, out.UpdatedCommit = b.change(strings.TrimPrefix(d.Path, b.in.Registry.Prefix+"/"))
	if e.Status.Stage == entry.StageRemoved {
		out.Status = statusOf(entry.Status{
			Stage: e.Status.Stage, AsOf: e.Status.AsOf, Reason: e.Status.Reason,
		}, main)
		return withoutNulls(out)
	}
	out.Schema = known(e.Schema)
	out.Name = known(e.Name)
	out.Aliases = e.Aliases
	out.Description = text(e.Description, main)
	out.Website = known(e.Website)
	out.URL = known(e.URL)
	out.Format = known(e.Format)
	out.Published = known(e.Published)
	out.Languages = e.Languages
	out.Types = e.Types
	out.Sectors = e.Sectors
	out.Topics = e.Topics
	out.Licenses = each(e.Licenses, func(l entry.License) License {
		return License{l.Expression, known(l.URL), known(l.Covers)}
	})
	out.Repositories = each(e.Repositories, func(r entry.Repository) Repository {
		return Repository{known(r.Name), known(r.URL)}
	})
	if s := e.SBOM; s != nil {
		out.SBOM = &SBOM{known(s.URL), known(s.AsOf)}
	}
	out.SDGs = each(e.SDGs, func(s entry.SDG) SDG {
		return SDG{s.Goal, text(s.Text, main), list(s.Evidence)}
	})
	out.About = e.About
	out.Organizations = each(e.Organizations, func(o entry.Organization) Organization {
		return Organization{known(o.Name), known(o.Role), known(o.Website)}
	})
	out.ContactURL = known(e.ContactURL)
	out.Stewards = each(e.Stewards, personOf)
	if l := e.Locations; l != nil {
		out.Locations = Locations{l.DevelopedIn, l.DeployedIn}
	}
	out.Standard = standardOf(e.Standard, main)
	out.Language = known(main)
	out.Status = statusOf(e.Status, main)
	if s := e.SameAs; s != nil {
		out.SameAs = SameAs{known(s.DPGA), known(s.Wikidata), known(s.PURL), known(s.DIAL)}
	}
	out.Sources = each(e.Sources, func(s entry.Source) Source {
		return Source{known(s.Name), known(s.URL), known(s.AsOf)}
	})
	out.Decisions = each(e.Decisions, func(d entry.Decision) Decision {
		return Decision{
			Ruling: d.Ruling, Code: known(d.Code), Text: text(d.Text, main), On: known(d.On),
			By: personOf(d.By), As: known(d.As), Date: known(d.Date), Reason: text(entry.Plain(d.Reason), main),
		}
	})
	out.Waivers = each(e.Waivers, func(w entry.Waiver) Waiver {
		return Waiver{w.Rule, text(entry.Plain(w.Reason), main), personOf(w.By), known(w.Until)}
	})
	out.Assessment = b.assessmentOf(d, a)
	out.Observations = b.observationsOf(d)
	return withoutNulls(out)
}

// withoutNulls makes every list of an entry one that is written as [].
func withoutNulls(e Entry) Entry {
	for _, l := range []*[]string{&e.Aliases, &e.Languages, &e.Types, &e.Sectors, &e.Topics, &e.About, &e.Locations.DevelopedIn, &e.Locations.DeployedIn} {
		*l = list(*l)
	}
	e.Licenses = list(e.Licenses)
	e.Repositories = list(e.Repositories)
	e.SDGs = list(e.SDGs)
	e.Organizations = list(e.Organizations)
	e.Stewards = list(e.Stewards)
	e.Sources = list(e.Sources)
	e.Decisions = list(e.Decisions)
	e.Waivers = list(e.Waivers)
	return e
}

// language is that of an entry's plain text.
func (b *builder) language(e *entry.Entry) string {
	return cmp.Or(e.Language, b.in.Registry.Settings.Language())
}

func personOf(p entry.Person) Person { return Person{known(p.GitHub), known(p.ID)} }

func statusOf(s entry.Status, main string) Status {
	return Status{
		Stage: s.Stage, RecognisedBy: known(s.RecognisedBy), AsOf: known(s.AsOf), URL: known(s.URL),
		Reason: text(s.Reason, main), MovedTo: known(s.MovedTo), ReviewBy: known(s.ReviewBy),
	}
}

// standardOf gives the answers by question.
func standardOf(a *entry.Answers, main string) Standard {
	questions := a.Questions()
	by := make(map[string]*Answer, len(questions))
	for _, q := range questions {
		by[q.Key] = &Answer{
			Indicator: q.Indicator, Answer: known(q.Answer.Answer), Text: text(q.Answer.Text, main),
			Items: list(q.Answer.Items), Evidence: list(q.Answer.Evidence),
			Source: known(q.Answer.Source), AsOf: known(q.Answer.AsOf),
		}
	}
	return Standard{
		Ownership:             by["ownership"],
		RestrictiveDependency: by["restrictive_dependency"],
		OpenAlternatives:      by["open_alternatives"],
		Documentation:         by["documentation"],
		NonPersonalData:       by["non_personal_data"],
		DataExport:            by["data_export"],
		Privacy:               by["privacy"],
		PrivacySteps:          by["privacy_steps"],
		Standards:             by["standards"],
		BestPractices:         by["best_practices"],
		HarmPrevention:        by["harm_prevention"],
		PersonalData:          by["personal_data"],
		DataSharing:           by["data_sharing"],
		DataSecurity:          by["data_security"],
		UserContent:           by["user_content"],
		ContentPolicy:         by["content_policy"],
		IllegalContent:        by["illegal_content"],
		UserInteraction:       by["user_interaction"],
		UnderageSafety:        by["underage_safety"],
		HarassmentProtection:  by["harassment_protection"],
	}
}

func (b *builder) assessmentOf(d *registry.Doc, a *assess.Assessment) *Assessment {
	if a == nil {
		return nil
	}
	out := &Assessment{Engine: known(a.Made.Engine)}
	out.UpdatedAt, out.UpdatedCommit = b.change(d.AssessmentPath(b.in.Registry.Prefix))
	if s := a.Summary; s != nil {
		out.Summary = summaryOf(s, b.language(d.Entry))
		out.Summary.First = assess.SummaryFirst(d.Entry, b.in.Registry.Settings)
	}
	out.Mappings = each(a.Mappings, func(m assess.Mapping) Mapping {
		title, path := b.code(m.Code)
		return Mapping{
			Code: m.Code, Path: path, Title: title, Strength: m.Strength,
			Engines: list(m.Engines), Quotes: quotesOf(m.Evidence), State: m.Review.State,
			RelatedCodes: b.relatedCodes(m.Code),
		}
	})
	slices.SortStableFunc(out.Mappings, func(x, y Mapping) int { return cmp.Compare(x.Code, y.Code) })
	out.Unknown = each(a.Unknown, func(u assess.Unknown) Unknown {
		return Unknown{u.Framework, text(entry.Plain(u.Reason), engineLanguage)}
	})
	return out
}

// engineLanguage is that of the reasons that engines give.
const engineLanguage = "en"

// relatedCodes are those that crosswalks relate to a code, each once.
func (b *builder) relatedCodes(full string) []string {
	return slices.Compact(each(b.related[full], func(r framework.Relation) string { return r.Code }))
}

func summaryOf(s *assess.Summary, main string) *Summary {
	language := cmp.Or(s.Language, main)
	var parts []string
	for _, sentence := range s.Sentences {
		parts = append(parts, strings.TrimSpace(sentence.Text))
	}
	out := &Summary{
		Engine: known(s.Engine),
		Sentences: each(s.Sentences, func(s assess.Sentence) Sentence {
			return Sentence{text(entry.Plain(s.Text), language), list(s.From)}
		}),
	}
	if joined := strings.TrimSpace(strings.Join(parts, " ")); joined != "" {
		out.Text = Text{language: joined}
	}
	return out
}

func quotesOf(es []assess.Evidence) []Quote {
	return each(es, func(e assess.Evidence) Quote { return Quote{e.Pointer, e.Quote} })
}

// code gives the title of a code and the path of its view; both nil where its
// framework is not in use here.
func (b *builder) code(full string) (Text, *string) {
	f, c, err := b.in.Registry.Frameworks.Find(full)
	if err != nil {
		return nil, nil
	}
	path := viewPath(f.ID, c.Code)
	return b.text(c.Name), &path
}

// item is what a list tells of an entry.
func (b *builder) item(e Entry) Item {
	it := Item{
		ID: e.ID, Kind: e.Kind, Path: e.Path, Name: e.Name, Description: e.Description,
		Types: e.Types, Sectors: e.Sectors, LicenseExpressions: []string{}, SDGGoals: []int{}, MappedCodes: []string{},
		Status: e.Status, UpdatedAt: e.UpdatedAt,
	}
	for _, l := range e.Licenses {
		if !slices.Contains(it.LicenseExpressions, l.Expression) {
			it.LicenseExpressions = append(it.LicenseExpressions, l.Expression)
		}
	}
	for _, s := range e.SDGs {
		it.SDGGoals = append(it.SDGGoals, s.Goal)
	}
	slices.Sort(it.SDGGoals)
	it.SDGGoals = slices.Compact(it.SDGGoals)
	if a := e.Assessment; a != nil {
		if a.Summary != nil {
			it.SummaryText, it.SummaryFirst, it.SummaryEngine = a.Summary.Text, a.Summary.First, a.Summary.Engine
		}
		for _, m := range a.Mappings {
			if m.inView() {
				it.MappedCodes = append(it.MappedCodes, m.Code)
			}
		}
		it.MappedCodes = slices.Compact(it.MappedCodes)
	}
	return it
}

// inView reports whether a mapping puts its entry in the view of its code: it is
// clear, nobody rejected it, and there is such a view.
func (m Mapping) inView() bool {
	return m.Strength >= 2 && m.State != stateRejected && m.Path != nil
}

const (
	stateRejected = "rejected"
	stateClaimed  = "claimed" // by the entry itself, not by an engine
)

// change gives the time and the commit of a file's last change. The path is
// relative to the registry folder.
func (b *builder) change(path string) (at, commit *string) {
	s, ok := b.in.Changes[path]
	if !ok {
		return nil, nil
	}
	return known(stampTime(s)), known(s.Commit)
}

// text is prose that stands in a file whose plain text is in the registry's
// language.
func (b *builder) text(t entry.Text) Text { return text(t, b.in.Registry.Settings.Language()) }

// text publishes prose by language, without the languages that hold nothing.
func text(t entry.Text, main string) Text {
	out := Text{}
	for lang, s := range t.ByLanguage(main) {
		if s != "" {
			out[lang] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// known is a pointer to a value, or nil for the zero value, which means that
// nobody gave one.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// list is never nil, so that it is written as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func each[S, T any](s []S, f func(S) T) []T {
	out := make([]T, 0, len(s))
	for _, v := range s {
		out = append(out, f(v))
	}
	return out
}

// entryPath is where an entry is published, relative to api/v1/.
func entryPath(d *registry.Doc) string { return d.Kind.Folder + "/" + d.Ref.ID + ".json" }

// viewPath is where the view of a code is published, relative to api/v1/.
func viewPath(framework, code string) string {
	return frameworkFolder + "/" + framework + "/" + code + ".json"
}

// credit says whose words a framework's codes are.
func (b *builder) credit(f *framework.Framework) Credit {
	return Credit{known(f.Source.License), b.text(f.Source.Attribution)}
}
