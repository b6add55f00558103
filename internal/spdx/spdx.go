// Package spdx knows the identifiers of the SPDX licence list and reads SPDX
// licence expressions. It says what an identifier is and what somebody may have
// meant by a string that is none; whether a licence is accepted is the policy's.
package spdx

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:generate go run ./gen -out ids.txt

// ids.txt holds one line on its sources, then an id a line with its flags
// (l licence, x exception, o approved by the OSI, d deprecated, n too new for
// the source of names and approvals), its name and the address of its text.
//
//go:embed ids.txt
var idsText string

// A License is one identifier of the SPDX licence list.
type License struct {
	ID         string // in the list's own spelling, such as "Apache-2.0"
	Name       string // full name, such as "Apache License 2.0"; "" for an id newer than ListVersion
	OSI        bool   // approved by the Open Source Initiative; false too where that is not known yet
	Deprecated bool   // no longer to be used; see Successors
	URL        string // where SPDX found its text, such as "https://www.apache.org/licenses/LICENSE-2.0"; "" where Name is
}

// A LicenseException is one identifier of the SPDX list of exceptions, which
// stand behind WITH in an expression.
type LicenseException struct {
	ID         string // in the list's own spelling, such as "LLVM-exception"
	Deprecated bool
}

type list struct {
	version    string
	licenses   []License                   // sorted by id, whatever the case
	byID       map[string]int              // id in lower case to place in licenses
	exceptions map[string]LicenseException // by id in lower case
}

var loaded = sync.OnceValue(func() *list {
	l := &list{byID: map[string]int{}, exceptions: map[string]LicenseException{}}
	head, rows, _ := strings.Cut(idsText, "\n")
	head, _, _ = strings.Cut(head, "\t")
	l.version, _, _ = strings.Cut(strings.TrimPrefix(head, "SPDX License List "), " ")
	for row := range strings.Lines(rows) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if len(f) != 4 { // a test holds the file to this
			continue
		}
		id, flags, name, url := f[0], f[1], f[2], f[3]
		deprecated := strings.Contains(flags, "d")
		if strings.Contains(flags, "x") {
			l.exceptions[strings.ToLower(id)] = LicenseException{id, deprecated}
			continue
		}
		l.byID[strings.ToLower(id)] = len(l.licenses)
		l.licenses = append(l.licenses, License{id, name, strings.Contains(flags, "o"), deprecated, url})
	}
	return l
})

// ListVersion is the version of the SPDX licence list in use, such as "3.28.0".
// A few ids that were added to the list since are known too.
func ListVersion() string { return loaded().version }

// Licenses returns the whole list, deprecated identifiers included, sorted by
// id without regard to case.
func Licenses() []License { return slices.Clone(loaded().licenses) }

// Lookup finds a licence by its identifier, in upper or lower case. It takes
// identifiers only, no "+" and no expression; white space is not trimmed.
func Lookup(id string) (License, bool) {
	l := loaded()
	if len(id) > maxID {
		return License{}, false
	}
	i, ok := l.byID[strings.ToLower(id)]
	if !ok {
		return License{}, false
	}
	return l.licenses[i], true
}

// Exception finds an exception by its identifier, in upper or lower case.
func Exception(id string) (LicenseException, bool) {
	if len(id) > maxID {
		return LicenseException{}, false
	}
	x, ok := loaded().exceptions[strings.ToLower(id)]
	return x, ok
}

// maxID is more bytes than any identifier of the list has. It keeps hostile
// text from being copied just to be looked up.
const maxID = 128

// Successors returns what to write instead of a deprecated licence or
// exception: expressions of which one fits, in a fixed order. Only the owner of
// the work can say which. It is nil for identifiers that are not deprecated and
// for those without a successor.
func Successors(id string) []string {
	base, plus := strings.CutSuffix(id, "+")
	if x, ok := Exception(id); ok && x.Deprecated {
		return successors(x.ID)
	}
	l, ok := Lookup(base)
	if !ok || !l.Deprecated {
		return nil
	}
	only, hasOnly := Lookup(l.ID + "-only")
	later, hasLater := Lookup(l.ID + "-or-later")
	switch {
	case hasOnly && hasLater && plus:
		return []string{later.ID}
	case hasOnly && hasLater:
		return []string{only.ID, later.ID}
	case plus:
		return nil
	}
	return successors(l.ID)
}

// successors holds the ids that were deprecated for another reason than the
// missing -only or -or-later, each with the reason SPDX gives.
func successors(id string) []string {
	gnu := func(version, exception string) []string {
		return []string{"GPL-" + version + "-only WITH " + exception, "GPL-" + version + "-or-later WITH " + exception}
	}
	switch id {
	// An exception is written with WITH since version 2.0 of the list.
	case "GPL-2.0-with-autoconf-exception":
		return gnu("2.0", "Autoconf-exception-2.0")
	case "GPL-2.0-with-bison-exception":
		return gnu("2.0", "Bison-exception-2.2")
	case "GPL-2.0-with-classpath-exception":
		return gnu("2.0", "Classpath-exception-2.0")
	case "GPL-2.0-with-font-exception":
		return gnu("2.0", "Font-exception-2.0")
	case "GPL-2.0-with-GCC-exception":
		return gnu("2.0", "GCC-exception-2.0")
	case "GPL-3.0-with-autoconf-exception":
		return gnu("3.0", "Autoconf-exception-3.0")
	case "GPL-3.0-with-GCC-exception":
		return gnu("3.0", "GCC-exception-3.1")
	case "eCos-2.0":
		return []string{"GPL-2.0-or-later WITH eCos-exception-2.0"}
	case "wxWindows":
		return []string{"LGPL-2.0-or-later WITH WxWindows-exception-3.1"}
	// The text turned out to be that of another id.
	case "BSD-2-Clause-FreeBSD":
		return []string{"BSD-2-Clause-Views"}
	case "BSD-2-Clause-NetBSD":
		return []string{"BSD-2-Clause"}
	case "bzip2-1.0.5":
		return []string{"bzip2-1.0.6"}
	case "Nunit":
		return []string{"zlib-acknowledgement"}
	case "StandardML-NJ":
		return []string{"SMLNJ"}
	case "Nokia-Qt-exception-1.1":
		return []string{"Qt-LGPL-exception-1.1"}
	}
	return nil // Net-SNMP was a stack of licences that differs from work to work
}
