// Package sbom reads the SPDX document that a project keeps of its dependencies,
// and judges their licences by a policy. SPDX 2.2 and 2.3 are read, as JSON and
// as tag-value; whatever else is named in the error. It fetches nothing.
//
// A document is hostile until it is shown not to be, and the readers of
// tools-golang are made for friends: they hold a document several times over,
// stop at "packages": [null] with a nil pointer, and join a text of many lines in
// quadratic time. So a document is screened first. What says nothing of a
// dependency or of its licence, files and texts above all, is left behind while
// it is read; what is kept is counted and checked; tools-golang reads the rest.
package sbom

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	spdxjson "github.com/spdx/tools-golang/json"
	tools "github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/tagvalue"
)

// Bounds on a document. Past one of them Read returns an error.
const (
	MaxBytes    = 100 << 20 // of the whole file
	MaxPackages = 100_000
	maxValue    = 60 << 10 // bytes of one value that is kept; a line of tag-value past 64 KiB is too long for tools-golang
	maxKept     = 64 << 20 // bytes of all of them
	maxDepth    = 100      // lists and objects inside each other
)

// A Document is what an SPDX document says of packages and their licences.
type Document struct {
	Name         string
	Version      string            // as it stands there, such as "SPDX-2.3"
	Format       string            // "JSON" or "tag-value"
	Subject      *Package          // the one package that the document describes, where it names further ones; else nil
	Packages     []Package         // all but the subject, in the order of the document
	LicenseNames map[string]string // names of the document's own licences by LicenseRef-; those without a name are left out
}

// A Package is one dependency.
type Package struct {
	ID      string // without "SPDXRef-"; "" where the document gives none
	Name    string // the id where the document gives none
	Version string // "" is not known
	License string // the licence concluded, or else the one declared: an expression, "NONE" or "NOASSERTION"
}

const (
	noAssertion = "NOASSERTION"
	none        = "NONE"
)

// Read reads a document. The error says what is wrong with it, where, and what
// the file looks like if it is no SPDX document. No more than MaxBytes and one
// are read.
func Read(r io.Reader) (*Document, error) { return read(r, MaxBytes) }

func read(r io.Reader, most int64) (*Document, error) {
	in := &bounded{r: r, left: most}
	buf := bufio.NewReaderSize(in, sniffBytes)
	head, err := buf.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if rest, marked := bytes.CutPrefix(head, []byte("\ufeff")); marked {
		head = rest
		buf.Discard(len("\ufeff")) // it was just peeked at
	}
	form, err := sniff(head)
	if err != nil {
		return nil, err
	}
	var (
		screened []byte
		doc      *tools.Document
	)
	switch form {
	case formJSON:
		if screened, err = screenJSON(buf); err == nil {
			doc, err = spdxjson.Read(bytes.NewReader(screened))
		}
	default:
		if screened, err = screenTagValue(buf); err == nil {
			doc, err = tagvalue.Read(bytes.NewReader(screened))
		}
	}
	switch {
	case errors.Is(in.err, errTooLong): // the screen may have taken it for an end
		return nil, in.err
	case err != nil:
		return nil, err
	}
	return documentOf(doc, form), nil
}

// documentOf takes what is wanted out of the model of tools-golang.
func documentOf(doc *tools.Document, form string) *Document {
	out := &Document{Name: doc.DocumentName, Version: doc.SPDXVersion, Format: form, LicenseNames: map[string]string{}}
	for _, l := range doc.OtherLicenses {
		if l != nil && l.LicenseName != "" && l.LicenseName != noAssertion {
			out.LicenseNames[l.LicenseIdentifier] = l.LicenseName
		}
	}
	subject := subjectOf(doc)
	for _, p := range doc.Packages {
		if p == nil {
			continue
		}
		one := Package{
			ID: string(p.PackageSPDXIdentifier), Version: p.PackageVersion,
			Name:    cmp.Or(p.PackageName, string(p.PackageSPDXIdentifier)),
			License: cmp.Or(said(p.PackageLicenseConcluded), said(p.PackageLicenseDeclared), noAssertion),
		}
		if subject != "" && p.PackageSPDXIdentifier == subject {
			out.Subject = &one
			continue
		}
		out.Packages = append(out.Packages, one)
	}
	return out
}

// said is a licence that the document gives, or "" where it gives none.
func said(license string) string {
	if license = strings.TrimSpace(license); license == noAssertion {
		return ""
	}
	return license
}

// subjectOf is the package whose dependencies the document lists: the only one
// that it describes, among others. Where several are described, none is spared
// from judgement.
func subjectOf(doc *tools.Document) common.ElementID {
	ids := map[common.ElementID]int{}
	for _, p := range doc.Packages {
		if p != nil {
			ids[p.PackageSPDXIdentifier]++
		}
	}
	described := map[common.ElementID]bool{}
	for _, r := range doc.Relationships {
		if r == nil {
			continue
		}
		switch {
		case r.Relationship == common.TypeRelationshipDescribe && r.RefA.ElementRefID == documentID:
			described[r.RefB.ElementRefID] = true
		case r.Relationship == common.TypeRelationshipDescribeBy && r.RefB.ElementRefID == documentID:
			described[r.RefA.ElementRefID] = true
		}
	}
	if len(described) != 1 || len(doc.Packages) < 2 {
		return ""
	}
	for id := range described {
		if ids[id] == 1 {
			return id
		}
	}
	return ""
}

// documentID is that of every SPDX document, in relationships too.
const documentID = "DOCUMENT"

var errTooLong = fmt.Errorf("it is longer than %d MB, which is more than is read", MaxBytes>>20)

// bounded reads up to a limit, and remembers that there was more.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.err = errTooLong
		return 0, b.err
	}
	return n, err
}

// kept counts the bytes that a screen lets through.
type kept int

func (k *kept) value(s string) error {
	if len(s) > maxValue {
		return fmt.Errorf("the value is longer than %d bytes", maxValue)
	}
	if *k += kept(len(s)); *k > maxKept {
		return fmt.Errorf("the names and licences up to here are longer than %d MB together", maxKept>>20)
	}
	return nil
}

// count bounds how many there are of something.
func count(n int, what string) error {
	if n > MaxPackages {
		return fmt.Errorf("there are more than %d %s", MaxPackages, what)
	}
	return nil
}

// version checks spdxVersion.
func version(s string) error {
	switch s {
	case "SPDX-2.2", "SPDX-2.3":
		return nil
	}
	return fmt.Errorf("its version is %q; SPDX-2.2 and SPDX-2.3 are read", clip(s))
}

// elementID checks the id of a package, which relationships name.
func elementID(s string) error {
	if name, ok := strings.CutPrefix(s, "SPDXRef-"); !ok || name == "" || strings.ContainsAny(name, ": \t\"\\") {
		return fmt.Errorf(`%q is not of the form "SPDXRef-name"`, clip(s))
	}
	return nil
}

// clip keeps a hostile word from filling a message.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
