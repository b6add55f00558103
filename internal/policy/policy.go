package policy

// A Policy is the rules of a registry as data, policy.yaml.
type Policy struct {
	Schema     string                `yaml:"schema"`               // "policy/v1"
	Severities map[string]string     `yaml:"severities,omitempty"` // rule id to error, warning, info or off
	Licenses   map[string]Acceptance `yaml:"licenses,omitempty"`   // by type of the work: software, data, content, standard, ai-system
}

// Acceptance says which licences a type of work may carry.
type Acceptance struct {
	Reason   string     `yaml:"reason"` // one sentence that a contributor understands
	Source   string     `yaml:"source,omitempty"`
	Accepted []Accepted `yaml:"accepted"`
}

// Accepted is a set of licences that are accepted in a span of time.
type Accepted struct {
	IDs    []string `yaml:"ids"`              // SPDX licence ids
	Since  string   `yaml:"since,omitempty"`  // first day; "" is always
	Until  string   `yaml:"until,omitempty"`  // last day; "" is open
	Reason string   `yaml:"reason,omitempty"` // why, where it differs from that of the list
	Source string   `yaml:"source,omitempty"` // where that can be read, where it differs from that of the list
}
