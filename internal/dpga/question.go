package dpga

import (
	"fmt"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A question says where a screening record has what an entry keeps as one
// answer. The names are keys of the record, in the object Block; "" is none.
type question struct {
	Key      string                                // in the entry's answers
	Field    func(a *entry.Answers) **entry.Answer // the same, in Go
	Block    []string                              // path to the object
	Answer   string                                // "Yes", "No", "Unknown" or ""
	Text     string                                // prose
	Items    string                                // a list
	Evidence string                                // a list, or one text
	OneText  bool                                  // Evidence is one text
}

// questions are all of a screening record but its name and its locations, in
// its order.
var questions = []question{
	{Key: "ownership", Field: func(a *entry.Answers) **entry.Answer { return &a.Ownership },
		Block: []string{"clearOwnership"}, Answer: "isOwnershipExplicit", Evidence: "copyrightURL", OneText: true},
	{Key: "restrictive_dependency", Field: func(a *entry.Answers) **entry.Answer { return &a.RestrictiveDependency },
		Block: []string{"platformIndependence"}, Answer: "mandatoryDepsCreateMoreRestrictions"},
	{Key: "open_alternatives", Field: func(a *entry.Answers) **entry.Answer { return &a.OpenAlternatives },
		Block: []string{"platformIndependence"}, Answer: "isSoftwarePltIndependent", Text: "pltIndependenceDesc"},
	{Key: "documentation", Field: func(a *entry.Answers) **entry.Answer { return &a.Documentation },
		Block: []string{"documentation"}, Answer: "isDocumentationAvailable", Evidence: "documentationURL"},
	{Key: "non_personal_data", Field: func(a *entry.Answers) **entry.Answer { return &a.NonPersonalData },
		Block: []string{"NonPII"}, Answer: "collectsNonPII"},
	{Key: "data_export", Field: func(a *entry.Answers) **entry.Answer { return &a.DataExport },
		Block: []string{"NonPII"}, Answer: "checkNonPIIAccessMechanism", Text: "nonPIIAccessMechanism"},
	{Key: "privacy", Field: func(a *entry.Answers) **entry.Answer { return &a.Privacy },
		Block: []string{"privacy"}, Answer: "isPrivacyCompliant", Items: "privacyComplianceList"},
	{Key: "privacy_steps", Field: func(a *entry.Answers) **entry.Answer { return &a.PrivacySteps },
		Block: []string{"privacy"}, Items: "adherenceSteps"},
	{Key: "standards", Field: func(a *entry.Answers) **entry.Answer { return &a.Standards },
		Block: []string{"standards"}, Answer: "supportStandards", Items: "standardsList", Evidence: "evidenceStandardSupport"},
	{Key: "best_practices", Field: func(a *entry.Answers) **entry.Answer { return &a.BestPractices },
		Block: []string{"standards"}, Answer: "implementBestPractices", Items: "bestPracticesList"},
	{Key: "harm_prevention", Field: func(a *entry.Answers) **entry.Answer { return &a.HarmPrevention },
		Block: []string{"doNoHarm", "preventHarm"}, Answer: "stepsToPreventHarm", Text: "additionalInfoMechanismProcessesPolicies"},
	{Key: "personal_data", Field: func(a *entry.Answers) **entry.Answer { return &a.PersonalData },
		Block: []string{"doNoHarm", "dataPrivacySecurity"}, Answer: "collectsPII", Items: "typesOfDataCollected"},
	{Key: "data_sharing", Field: func(a *entry.Answers) **entry.Answer { return &a.DataSharing },
		Block: []string{"doNoHarm", "dataPrivacySecurity"}, Answer: "thirdPartyDataSharing", Items: "dataSharingCircumstances"},
	{Key: "data_security", Field: func(a *entry.Answers) **entry.Answer { return &a.DataSecurity },
		Block: []string{"doNoHarm", "dataPrivacySecurity"}, Answer: "ensurePrivacySecurity", Text: "privacySecurityDescription"},
	{Key: "user_content", Field: func(a *entry.Answers) **entry.Answer { return &a.UserContent },
		Block: []string{"doNoHarm", "inappropriateIllegalContent"}, Answer: "collectStoreDistribute", Text: "type"},
	{Key: "content_policy", Field: func(a *entry.Answers) **entry.Answer { return &a.ContentPolicy },
		Block: []string{"doNoHarm", "inappropriateIllegalContent"}, Answer: "contentFilter", Evidence: "policyGuidelinesDocumentationLink", OneText: true},
	{Key: "illegal_content", Field: func(a *entry.Answers) **entry.Answer { return &a.IllegalContent },
		Block: []string{"doNoHarm", "inappropriateIllegalContent"}, Answer: "illegalContentDetection", Text: "illegalContentDetectionMechanism"},
	{Key: "user_interaction", Field: func(a *entry.Answers) **entry.Answer { return &a.UserInteraction },
		Block: []string{"doNoHarm", "protectionFromHarassment"}, Answer: "userInteraction"},
	{Key: "underage_safety", Field: func(a *entry.Answers) **entry.Answer { return &a.UnderageSafety },
		Block: []string{"doNoHarm", "protectionFromHarassment"}, Answer: "addressSafetySecurityUnderageUsers", Items: "stepsAddressRiskPreventSafetyUnderageUsers"},
	{Key: "harassment_protection", Field: func(a *entry.Answers) **entry.Answer { return &a.HarassmentProtection },
		Block: []string{"doNoHarm", "protectionFromHarassment"}, Answer: "griefAbuseHarassmentProtection", Items: "harassmentProtectionSteps"},
}

// read takes the question's answer from a record. It returns nil where all of
// it is blank: then nobody says whether the question was asked. Text beside a
// blank answer is kept, without an answer.
func (q question) read(record *node) *entry.Answer {
	block := record
	for _, key := range q.Block {
		block = block.get(key)
	}
	if block == nil {
		// Whatever stands on the way there in place of an object.
		for n, keys := record, q.Block; n != nil && len(keys) > 0; keys = keys[1:] {
			if n = n.get(keys[0]); n != nil && n.kind != object {
				odd(n)
			}
		}
		return nil
	}
	if block.kind != object || block.leaf() {
		odd(block)
		return nil
	}
	at := "/standard/" + q.Key
	var a entry.Answer
	answer := q.part(block, q.Answer)
	a.Answer = readAnswer(answer, at+"/answer")
	if n := q.part(block, q.Text); n != nil && n.kind == list {
		// A fault in its schema let lists in where it meant text.
		a.Items = words(n, at+"/items")
		for _, item := range n.items {
			if item.fate != nil && item.fate.action == Carried {
				item.change(item.fate.to, OtherType, "a list, not one text")
			}
		}
	} else {
		a.Text = entry.Plain(word(n, at+"/text"))
	}
	if q.Items != "" {
		a.Items = words(block.get(q.Items), at+"/items")
	}
	// Some answered in prose.
	if answer != nil && answer.fate != nil && answer.fate.why == NotAnAnswer && a.Text.IsZero() {
		a.Text = entry.Plain(answer.text)
		answer.change(at+"/text", NotAnAnswer, "")
	}
	if n := q.part(block, q.Evidence); q.OneText {
		a.Evidence = some(n, at+"/evidence")
	} else {
		a.Evidence = words(n, at+"/evidence")
	}
	if a.Answer == "" && a.Text.IsZero() && a.Items == nil && a.Evidence == nil {
		return nil
	}
	return &a
}

func (q question) part(block *node, key string) *node {
	if key == "" {
		return nil
	}
	return block.get(key)
}

// readAnswer takes an answer. It returns "" where there is none.
func readAnswer(n *node, to string) string {
	switch {
	case n == nil:
		return ""
	case n.kind == boolean:
		n.change(to, AnswerWord, "")
		if n.text == "true" {
			return "yes"
		}
		return "no"
	case n.kind != text || isBlank(n):
		odd(n)
		return ""
	}
	switch word := strings.ToLower(n.text); word {
	case "yes", "no", "unknown":
		n.change(to, AnswerWord, "")
		return word
	}
	n.drop(NotAnAnswer, fmt.Sprintf("%q", clip(n.text)))
	return ""
}
