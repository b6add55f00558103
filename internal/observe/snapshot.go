package observe

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A snapshot is what a repository holds of interest at one commit.
type snapshot struct {
	State    string `json:"state"` // as in registry.ObservedRepository
	MovedTo  string `json:"-"`
	Archived bool   `json:"-"`
	Commit   string `json:"commit"`
	Forge    string `json:"forge,omitempty"` // the licence that the forge says it is
	Files    []file `json:"files"`
	More     int    `json:"more,omitempty"`
}

// A file is one that is named like a licence.
type file struct {
	Path string `json:"path"`
	Skip string `json:"skip,omitempty"` // as in registry.ObservedFile
	Data []byte `json:"data,omitempty"`
}

// A listed file is a candidate of which nothing is known but its listing.
type listed struct {
	name string
	hash string
	size int64  // bytes; -1 is not known
	skip string // as in registry.ObservedFile
}

// How many files of one repository are read at most.
const (
	maxTop   = 20 // at the top
	maxParts = 40 // in the folder LICENSES
	partsDir = "LICENSES"
)

var (
	// licenseName is what files with the terms of a whole repository are named.
	licenseName = regexp.MustCompile(`(?is)^(un)?(licen[cs]e|copying)([-_. ].*)?$`)
	// notTerms are such names of other things: what third parties say, templates.
	notTerms = regexp.MustCompile(`(?i)third|3rd|depend|vendor|notice|header|template|report|check`)
	// plainName keeps names that nobody should have out of files and reports.
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._+()-]{0,99}$`)
)

func isPlain(name string) bool { return plainName.MatchString(name) && !strings.Contains(name, "..") }

// textExtensions are those of files that people read, in lower case. What is
// written in capitals, as in COPYING.LESSER, is a word and no extension.
var textExtensions = []string{"", ".txt", ".text", ".md", ".markdown", ".rst", ".adoc", ".asciidoc", ".html", ".htm", ".org"}

// speaksOfWhole reports whether a file at the top of a repository is named like
// its terms.
func speaksOfWhole(name string) bool {
	if !licenseName.MatchString(name) || notTerms.MatchString(name) {
		return false
	}
	ext := path.Ext(name)
	return ext != strings.ToLower(ext) || slices.Contains(textExtensions, ext) || strings.Trim(ext, ".0123456789") == ""
}

// speaksOfPart reports whether a file of the folder LICENSES holds a licence, as
// the REUSE specification has it.
func speaksOfPart(name string) bool { return path.Ext(name) == ".txt" }

// choose picks what to read of a listing, sorted by name, and counts what is left
// out: past the bound, or with a name that is not shown to anybody.
func choose(all []listed, wanted func(string) bool, most int) (chosen []listed, more int) {
	for _, l := range all {
		switch {
		case !wanted(l.name):
		case !isPlain(l.name):
			more++
		default:
			chosen = append(chosen, l)
		}
	}
	slices.SortFunc(chosen, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	if over := len(chosen) - most; over > 0 {
		return chosen[:most], more + over
	}
	return chosen, more
}

// read makes a file of what a listing promised. Only plain text is kept.
func (l listed) read(dir string, data []byte) file {
	f := file{Path: path.Join(dir, l.name), Skip: l.skip}
	switch {
	case f.Skip != "":
	case len(data) > maxText:
		f.Skip = registry.SkipLarge
	case isBinary(data):
		f.Skip = registry.SkipBinary
	default:
		f.Data = data
	}
	return f
}

// isBinary takes what has a zero byte for no text, unless it says to be UTF-16.
func isBinary(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return false
	}
	return bytes.IndexByte(data, 0) >= 0
}
