// Package framework holds lists of codes that entries are mapped to or refer to:
// the DPG Charter's outcomes, the DPI safeguards, the DPG Standard, the SDGs, or
// a registry's own. The codes are data; none stands in Go.
package framework

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A Framework is one versioned list of codes, one file.
type Framework struct {
	Schema  string     `yaml:"schema"` // "framework/v1"
	ID      string     `yaml:"id"`     // kebab-case, such as "dpi-safeguards"; the file's name
	Name    entry.Text `yaml:"name"`
	Version string     `yaml:"version"`         // of the framework itself, in its publisher's spelling
	AsOf    string     `yaml:"as_of,omitempty"` // the date that version was published or read
	Source  Source     `yaml:"source"`
	Lists   []List     `yaml:"lists"`
	Codes   []Code     `yaml:"codes"`
}

// Source credits where the codes come from.
type Source struct {
	Publisher   string     `yaml:"publisher"`
	URL         string     `yaml:"url"`
	License     string     `yaml:"license"`     // SPDX expression; of the codes and titles, and so of this file
	Attribution entry.Text `yaml:"attribution"` // the credit that a reader must be shown
}

// A List is a sort of code within a framework, such as principles or risks.
type List struct {
	ID     string     `yaml:"id"` // kebab-case plural, such as "principles"
	Name   entry.Text `yaml:"name"`
	Mapped bool       `yaml:"mapped,omitempty"` // whether the bot maps entries to its codes
}

// A Code is one member of a list.
type Code struct {
	Code        string              `yaml:"code"`                // unique in the framework; kept for ever
	Printed     string              `yaml:"printed,omitempty"`   // the code as the source prints it, where that differs
	List        string              `yaml:"list"`                // id of its List
	Group       string              `yaml:"group,omitempty"`     // such as "foundational"
	Parent      string              `yaml:"parent,omitempty"`    // code that this one is a part of
	Name        entry.Text          `yaml:"name"`                // the source's title
	Description entry.Text          `yaml:"description"`         // in this project's words
	URL         string              `yaml:"url,omitempty"`       // where the source speaks of it
	Relations   map[string][]string `yaml:"relations,omitempty"` // list id to codes of this framework
	Signals     map[string]Signals  `yaml:"signals,omitempty"`   // by language; what the offline engine looks for
}

// Signals are the words that speak for a code in one language. A phrase matches
// whole words, whatever their case; a word that ends in "*" matches any ending, and
// "..." stands for up to four words of any sort.
type Signals struct {
	Need   float64             `yaml:"need,omitempty"`   // how many clear phrases make strength 2; 0 is 1
	About  []string            `yaml:"about,omitempty"`  // words of the code's subject; they put texts in order and are no support
	Clear  []string            `yaml:"clear,omitempty"`  // a phrase that counts as one; where Need is 1, it alone is strength 2
	Weak   []string            `yaml:"weak,omitempty"`   // a phrase that counts as a part of one: strength 1 alone
	Not    []string            `yaml:"not,omitempty"`    // a phrase that takes back what it overlaps
	Fields map[string][]string `yaml:"fields,omitempty"` // pointer of an answer, such as "/standard/data_security", to phrases that are clear there
}

// A Set is the frameworks of a registry, by id.
type Set map[string]*Framework

// IDs lists the frameworks in order.
func (s Set) IDs() []string { return slices.Sorted(maps.Keys(s)) }

// Split takes a full code, such as "dpi-safeguards/O3", apart.
func Split(full string) (framework, code string, ok bool) {
	framework, code, ok = strings.Cut(full, "/")
	return framework, code, ok && framework != "" && code != "" && !strings.Contains(code, "/")
}

// Find looks up a full code. The error names what is there instead.
func (s Set) Find(full string) (*Framework, *Code, error) {
	id, code, ok := Split(full)
	if !ok {
		return nil, nil, fmt.Errorf("%q is not of the form framework/code, such as dpi-safeguards/O3", full)
	}
	f := s[id]
	if f == nil {
		return nil, nil, fmt.Errorf("there is no framework %q; there are %s", id, strings.Join(s.IDs(), ", "))
	}
	if c := f.Code(code); c != nil {
		return f, c, nil
	}
	return nil, nil, fmt.Errorf("framework %q has no code %q", id, code)
}

// Code returns the code of that name, or nil.
func (f *Framework) Code(code string) *Code {
	for i := range f.Codes {
		if f.Codes[i].Code == code {
			return &f.Codes[i]
		}
	}
	return nil
}

// List returns the list of that id, or nil.
func (f *Framework) List(id string) *List {
	for i := range f.Lists {
		if f.Lists[i].ID == id {
			return &f.Lists[i]
		}
	}
	return nil
}
