// Package policy holds what one registry has decided: who it is, and by which
// dated rules it judges. Both are data; nothing of one registry stands in Go.
package policy

import "github.com/dpg-registry/dpg-registry/internal/entry"

// Settings are what registry.yaml says about this registry.
type Settings struct {
	Schema      string     `yaml:"schema"` // "registry/v1"
	Name        string     `yaml:"name"`
	Description entry.Text `yaml:"description,omitempty"`
	Notice      entry.Text `yaml:"notice,omitempty"` // shown above everything, such as "this is an example"
	Publisher   Publisher  `yaml:"publisher"`
	ContactURL  string     `yaml:"contact_url,omitempty"`
	BaseURL     string     `yaml:"base_url,omitempty"`   // where the catalog is published; may have a sub-path; ends in "/"
	Repository  string     `yaml:"repository,omitempty"` // the Git repository's web address
	Languages   []string   `yaml:"languages"`            // BCP 47 tags; the first is that of plain text
	Kinds       []string   `yaml:"kinds"`                // names of entry kinds in use
	Frameworks  []string   `yaml:"frameworks"`           // ids of frameworks in use
	License     string     `yaml:"license"`              // SPDX expression of the entries
	Attribution string     `yaml:"attribution"`          // the credit that users of the catalog are asked for
	Logo        string     `yaml:"logo,omitempty"`
	LegalURL    string     `yaml:"legal_url,omitempty"`
	PrivacyURL  string     `yaml:"privacy_url,omitempty"`
	Bot         Bot        `yaml:"bot,omitempty"`
	Breaks      []Break    `yaml:"breaks,omitempty"`
}

// A Break is a change of the published catalog that hurts its readers, and that the
// registry's people decided on all the same. A build that compares with what was
// published before lets it pass; the catalog tells its readers.
type Break struct {
	What   string     `yaml:"what"` // as the comparison names it, such as "id-lost dpgs/dhis2"
	Reason entry.Text `yaml:"reason"`
	Date   string     `yaml:"date"` // since when
}

// Publisher answers for the registry.
type Publisher struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url,omitempty"`
}

// Bot says what the bot does here, and how much of it at once.
type Bot struct {
	Behaviours            []string `yaml:"behaviours,omitempty"`               // of "review", "assess", "fix", "observe"
	EntriesPerPullRequest int      `yaml:"entries_per_pull_request,omitempty"` // 1 to 25; 0 is 25
	BranchPrefix          string   `yaml:"branch_prefix,omitempty"`            // "" is "dpg-bot/"
	PullRequests          int      `yaml:"pull_requests,omitempty"`            // of the bot, open at a time: 1 to 20; 0 is 5
	SilentLabel           string   `yaml:"silent_label,omitempty"`             // "" is "dpg: silent"
}

// Language is the language of plain text.
func (s *Settings) Language() string {
	if s == nil || len(s.Languages) == 0 {
		return "en"
	}
	return s.Languages[0]
}

// PerPullRequest is how many entries one pull request of the bot may touch.
func (b Bot) PerPullRequest() int {
	if b.EntriesPerPullRequest < 1 || b.EntriesPerPullRequest > 25 {
		return 25
	}
	return b.EntriesPerPullRequest
}

// OpenPullRequests is how many pull requests of the bot may be open at a time.
func (b Bot) OpenPullRequests() int {
	if b.PullRequests < 1 || b.PullRequests > 20 {
		return 5
	}
	return b.PullRequests
}

// Silent is the label that keeps the bot quiet on a pull request.
func (b Bot) Silent() string {
	if b.SilentLabel == "" {
		return "dpg: silent"
	}
	return b.SilentLabel
}

// Prefix starts the name of every branch of the bot.
func (b Bot) Prefix() string {
	if b.BranchPrefix == "" {
		return "dpg-bot/"
	}
	return b.BranchPrefix
}

// Does reports whether a behaviour is on. No list means all are.
func (b Bot) Does(behaviour string) bool {
	for _, s := range b.Behaviours {
		if s == behaviour {
			return true
		}
	}
	return len(b.Behaviours) == 0
}
