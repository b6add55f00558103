package dpga

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// The types below are the predecessor's published JSON: its names, its nesting,
// its order of keys. A blank is "" or [] here, where it wrote "", [""] or nothing.
// It also published a person's name and address; that is not done again.

// A View is an entry in the predecessor's lists and, of a nominee, all of it.
type View struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Aliases       []string           `json:"aliases"`
	Description   string             `json:"description"`
	Website       string             `json:"website"`
	License       []ViewLicense      `json:"license"`
	SDGs          []ViewSDG          `json:"SDGs"`
	Sectors       []string           `json:"sectors"`
	Type          []string           `json:"type"`
	Repositories  []ViewRepository   `json:"repositories"`
	Organizations []ViewOrganization `json:"organizations"`
	Stage         string             `json:"stage"` // DPG or nominee
}

// ViewLicense is a licence; of an expression, all of it stands in SPDX.
type ViewLicense struct {
	SPDX       string `json:"spdx"`
	LicenseURL string `json:"licenseURL"`
}

// ViewSDG is a claim of a goal.
type ViewSDG struct {
	Number       int    `json:"SDGNumber"`
	EvidenceText string `json:"evidenceText,omitempty"`
	EvidenceURL  string `json:"evidenceURL,omitempty"` // often prose, or several addresses
}

// ViewRepository is where the source is kept.
type ViewRepository struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// ViewOrganization is a body with a part in the subject.
type ViewOrganization struct {
	Name    string `json:"name"`
	Website string `json:"website"`
	Role    string `json:"org_type"`
}

// A ScreenedView is all of a recognised entry. Screening is nil, and its keys
// are not there, where an entry answers none of the standard's questions.
type ScreenedView struct {
	View
	*Screening
}

// Screening is the answers to the standard of 2023.
type Screening struct {
	ClearOwnership struct {
		IsOwnershipExplicit string `json:"isOwnershipExplicit"`
		CopyrightURL        string `json:"copyrightURL"`
	} `json:"clearOwnership"`
	PlatformIndependence struct {
		MandatoryDepsCreateMoreRestrictions string `json:"mandatoryDepsCreateMoreRestrictions"`
		IsSoftwarePltIndependent            string `json:"isSoftwarePltIndependent"`
		PltIndependenceDesc                 string `json:"pltIndependenceDesc"`
	} `json:"platformIndependence"`
	Documentation struct {
		IsDocumentationAvailable string   `json:"isDocumentationAvailable"`
		DocumentationURL         []string `json:"documentationURL"`
	} `json:"documentation"`
	NonPII struct {
		CollectsNonPII             string `json:"collectsNonPII"`
		CheckNonPIIAccessMechanism string `json:"checkNonPIIAccessMechanism"`
		NonPIIAccessMechanism      string `json:"nonPIIAccessMechanism"`
	} `json:"NonPII"`
	Privacy struct {
		IsPrivacyCompliant    string   `json:"isPrivacyCompliant"`
		PrivacyComplianceList []string `json:"privacyComplianceList"`
		AdherenceSteps        []string `json:"adherenceSteps"`
	} `json:"privacy"`
	Standards struct {
		SupportStandards        string   `json:"supportStandards"`
		StandardsList           []string `json:"standardsList"`
		EvidenceStandardSupport []string `json:"evidenceStandardSupport"`
		ImplementBestPractices  string   `json:"implementBestPractices"`
		BestPracticesList       []string `json:"bestPracticesList"`
	} `json:"standards"`
	DoNoHarm struct {
		PreventHarm struct {
			StepsToPreventHarm string `json:"stepsToPreventHarm"`
			AdditionalInfo     string `json:"additionalInfoMechanismProcessesPolicies"`
		} `json:"preventHarm"`
		DataPrivacySecurity struct {
			CollectsPII                string   `json:"collectsPII"`
			TypesOfDataCollected       []string `json:"typesOfDataCollected"`
			ThirdPartyDataSharing      string   `json:"thirdPartyDataSharing"`
			DataSharingCircumstances   []string `json:"dataSharingCircumstances"`
			EnsurePrivacySecurity      string   `json:"ensurePrivacySecurity"`
			PrivacySecurityDescription string   `json:"privacySecurityDescription"`
		} `json:"dataPrivacySecurity"`
		InappropriateIllegalContent struct {
			CollectStoreDistribute            string `json:"collectStoreDistribute"`
			Type                              string `json:"type"`
			ContentFilter                     string `json:"contentFilter"`
			PolicyGuidelinesDocumentationLink string `json:"policyGuidelinesDocumentationLink"`
			IllegalContentDetection           string `json:"illegalContentDetection"`
			IllegalContentDetectionMechanism  string `json:"illegalContentDetectionMechanism"`
		} `json:"inappropriateIllegalContent"`
		ProtectionFromHarassment struct {
			UserInteraction                    string   `json:"userInteraction"`
			AddressSafetySecurityUnderageUsers string   `json:"addressSafetySecurityUnderageUsers"`
			StepsUnderageUsers                 []string `json:"stepsAddressRiskPreventSafetyUnderageUsers"`
			GriefAbuseHarassmentProtection     string   `json:"griefAbuseHarassmentProtection"`
			HarassmentProtectionSteps          []string `json:"harassmentProtectionSteps"`
		} `json:"protectionFromHarassment"`
	} `json:"doNoHarm"`
	Locations struct {
		DevelopmentCountries []string `json:"developmentCountries"` // English names, as the predecessor spelt them
		DeploymentCountries  []string `json:"deploymentCountries"`
	} `json:"locations"`
}

// ViewOf gives an entry in the predecessor's shape, under the id that it is to
// have there. Language is that of the registry's plain text; what a file says in
// several languages is given in that one where it can be had.
func ViewOf(e *entry.Entry, id, language string) View {
	w := wording{language}
	v := View{
		ID: id, Name: e.Name, Aliases: listed(e.Aliases), Description: w.of(e.Description), Website: e.Website,
		License: []ViewLicense{}, SDGs: []ViewSDG{}, Sectors: listed(e.Sectors), Type: []string{},
		Repositories: []ViewRepository{}, Organizations: []ViewOrganization{}, Stage: "nominee",
	}
	if e.Status.Stage == entry.StageDPG {
		v.Stage = "DPG"
	}
	for _, l := range e.Licenses {
		v.License = append(v.License, ViewLicense{l.Expression, l.URL})
	}
	for _, s := range e.SDGs {
		v.SDGs = append(v.SDGs, ViewSDG{s.Goal, w.of(s.Text), lines(s.Evidence)})
	}
	for _, t := range e.Types {
		if t == "ai-system" {
			t = "aimodel"
		}
		v.Type = append(v.Type, t)
	}
	for _, r := range e.Repositories {
		v.Repositories = append(v.Repositories, ViewRepository{r.Name, r.URL})
	}
	for _, o := range e.Organizations {
		v.Organizations = append(v.Organizations, ViewOrganization{o.Name, o.Website, o.Role})
	}
	return v
}

// ScreenedViewOf is ViewOf with the answers to the standard.
func ScreenedViewOf(e *entry.Entry, id, language string) ScreenedView {
	return ScreenedView{ViewOf(e, id, language), screeningOf(e, wording{language})}
}

func screeningOf(e *entry.Entry, w wording) *Screening {
	if len(e.Standard.Questions()) == 0 && e.Locations == nil {
		return nil
	}
	var a entry.Answers
	if e.Standard != nil {
		a = *e.Standard
	}
	s := new(Screening)

	s.ClearOwnership.IsOwnershipExplicit = yesOrNo(a.Ownership)
	s.ClearOwnership.CopyrightURL = lines(given(a.Ownership).Evidence)

	p := &s.PlatformIndependence
	p.MandatoryDepsCreateMoreRestrictions = yesOrNo(a.RestrictiveDependency)
	p.IsSoftwarePltIndependent = yesOrNo(a.OpenAlternatives)
	p.PltIndependenceDesc = w.of(given(a.OpenAlternatives).Text)

	s.Documentation.IsDocumentationAvailable = yesOrNo(a.Documentation)
	s.Documentation.DocumentationURL = listed(given(a.Documentation).Evidence)

	s.NonPII.CollectsNonPII = yesOrNo(a.NonPersonalData)
	s.NonPII.CheckNonPIIAccessMechanism = yesOrNo(a.DataExport)
	s.NonPII.NonPIIAccessMechanism = w.of(given(a.DataExport).Text)

	s.Privacy.IsPrivacyCompliant = yesOrNo(a.Privacy)
	s.Privacy.PrivacyComplianceList = listed(given(a.Privacy).Items)
	s.Privacy.AdherenceSteps = listed(given(a.PrivacySteps).Items)

	s.Standards.SupportStandards = yesOrNo(a.Standards)
	s.Standards.StandardsList = listed(given(a.Standards).Items)
	s.Standards.EvidenceStandardSupport = listed(given(a.Standards).Evidence)
	s.Standards.ImplementBestPractices = yesOrNo(a.BestPractices)
	s.Standards.BestPracticesList = listed(given(a.BestPractices).Items)

	s.DoNoHarm.PreventHarm.StepsToPreventHarm = yesOrNo(a.HarmPrevention)
	s.DoNoHarm.PreventHarm.AdditionalInfo = w.of(given(a.HarmPrevention).Text)

	d := &s.DoNoHarm.DataPrivacySecurity
	d.CollectsPII = yesOrNo(a.PersonalData)
	d.TypesOfDataCollected = listed(given(a.PersonalData).Items)
	d.ThirdPartyDataSharing = yesOrNo(a.DataSharing)
	d.DataSharingCircumstances = listed(given(a.DataSharing).Items)
	d.EnsurePrivacySecurity = yesOrNo(a.DataSecurity)
	d.PrivacySecurityDescription = w.of(given(a.DataSecurity).Text)

	c := &s.DoNoHarm.InappropriateIllegalContent
	c.CollectStoreDistribute = yesOrNo(a.UserContent)
	c.Type = w.of(given(a.UserContent).Text)
	c.ContentFilter = yesOrNo(a.ContentPolicy)
	c.PolicyGuidelinesDocumentationLink = lines(given(a.ContentPolicy).Evidence)
	c.IllegalContentDetection = yesOrNo(a.IllegalContent)
	c.IllegalContentDetectionMechanism = w.of(given(a.IllegalContent).Text)

	h := &s.DoNoHarm.ProtectionFromHarassment
	h.UserInteraction = yesOrNo(a.UserInteraction)
	h.AddressSafetySecurityUnderageUsers = yesOrNo(a.UnderageSafety)
	h.StepsUnderageUsers = listed(given(a.UnderageSafety).Items)
	h.GriefAbuseHarassmentProtection = yesOrNo(a.HarassmentProtection)
	h.HarassmentProtectionSteps = listed(given(a.HarassmentProtection).Items)

	s.Locations.DevelopmentCountries, s.Locations.DeploymentCountries = []string{}, []string{}
	if l := e.Locations; l != nil {
		s.Locations.DevelopmentCountries = countryNames(l.DevelopedIn)
		s.Locations.DeploymentCountries = countryNames(l.DeployedIn)
	}
	return s
}

// wording picks one language of a text.
type wording struct{ language string }

func (w wording) of(t entry.Text) string { return t.Best(w.language, w.language) }

func given(a *entry.Answer) entry.Answer {
	if a == nil {
		return entry.Answer{}
	}
	return *a
}

// yesNo is the predecessor's spelling of an answer. It had no word for a question
// that was not asked or does not apply.
func yesOrNo(a *entry.Answer) string {
	switch given(a).Answer {
	case "yes":
		return "Yes"
	case "no":
		return "No"
	case "unknown":
		return "Unknown"
	}
	return ""
}

// countryNames leaves a code that is none as it is: a wrong fact that can be
// seen is better than one that is gone.
func countryNames(codes []string) []string {
	names := []string{}
	for _, code := range codes {
		name, ok := CountryName(code)
		if !ok {
			name = code
		}
		names = append(names, name)
	}
	return names
}

// lines joins what the predecessor kept in one string.
func lines(s []string) string { return strings.Join(s, "\n") }

func listed(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// CompareIDs orders entries as the predecessor's lists do: by the name of the
// file, in the order of ICU, where punctuation stands before digits and digits
// before letters.
func CompareIDs(a, b string) int {
	x, y := a+".json", b+".json"
	for x != "" && y != "" {
		r, n := utf8.DecodeRuneInString(x)
		s, m := utf8.DecodeRuneInString(y)
		if c := cmp.Or(cmp.Compare(rank(r), rank(s)), cmp.Compare(r, s)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

const punctuation = `_-,;:!?.'"()[]{}@*/\&#%`

func rank(r rune) int {
	if i := strings.IndexRune(punctuation, r); i >= 0 {
		return i
	}
	return len(punctuation)
}
