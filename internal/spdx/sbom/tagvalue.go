package sbom

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// screenTagValue reads a document line by line and writes the tags that are
// wanted: those of the document, then of its packages, then of its own licences.
func screenTagValue(r *bufio.Reader) ([]byte, error) {
	s := &tagScreen{r: r}
	for {
		tag, value, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := s.pair(tag, value); err != nil {
			return nil, fmt.Errorf("line %d: %w", s.began, err)
		}
	}
	if err := s.endPackage(); err != nil {
		return nil, fmt.Errorf("line %d: %w", s.line, err)
	}
	if !s.versioned {
		return nil, looks("tag-value without SPDXVersion")
	}
	return bytes.Join([][]byte{s.document.Bytes(), s.packages.Bytes(), s.describes.Bytes(), s.licenses.Bytes()}, nil), nil
}

// A section is what the tags of a line belong to; it goes on until a tag opens
// another.
type section int

const (
	ofDocument section = iota
	ofPackage
	ofLicense
	ofOther // a file, a snippet, a review
)

type tagScreen struct {
	r           *bufio.Reader
	line, began int // lines read; the line at which the pair began
	kept        kept

	in              section
	versioned       bool
	named, numbered bool // the package at hand has a name, an id
	packaged        int  // how many there were of each
	licensed        int
	described       int

	document, packages, licenses, describes bytes.Buffer
}

// pair keeps a tag or drops it.
func (s *tagScreen) pair(tag, value string) error {
	switch tag {
	case "PackageName":
		if err := s.endPackage(); err != nil {
			return err
		}
		if value == "" {
			return errors.New("PackageName is empty")
		}
		s.in, s.named = ofPackage, true
		s.packaged++
		if err := count(s.packaged, "packages"); err != nil {
			return err
		}
		return s.keep(&s.packages, tag, value)
	case "LicenseID":
		s.in = ofLicense
		s.licensed++
		if err := count(s.licensed, "licences of its own"); err != nil {
			return err
		}
		return s.keep(&s.licenses, tag, value)
	case "FileName", "SnippetSPDXID", "SnippetSPDXIdentifier", "Reviewer":
		s.in = ofOther
		return nil
	case "Relationship":
		f := strings.Fields(value)
		if len(f) != 3 || !describes(f[0], f[1], f[2]) {
			return nil
		}
		s.described++
		if err := count(s.described, "described packages"); err != nil {
			return err
		}
		return s.keep(&s.describes, tag, strings.Join(f, " "))
	}
	switch s.in {
	case ofDocument:
		switch tag {
		case "SPDXVersion":
			if s.versioned {
				return errors.New("SPDXVersion stands a second time")
			}
			s.versioned = true
			if err := version(value); err != nil {
				return err
			}
			return s.keep(&s.document, tag, value)
		case "SPDXID":
			return s.id(&s.document, tag, value)
		case "DocumentName":
			return s.keep(&s.document, tag, value)
		}
	case ofPackage:
		switch tag {
		case "SPDXID":
			if s.numbered {
				return errors.New("the package has a second SPDXID")
			}
			s.numbered = true
			return s.id(&s.packages, tag, value)
		case "PackageVersion", "PackageLicenseConcluded", "PackageLicenseDeclared":
			return s.keep(&s.packages, tag, value)
		}
	case ofLicense:
		if tag == "LicenseName" {
			return s.keep(&s.licenses, tag, value)
		}
	}
	return nil
}

// endPackage checks the package that was at hand.
func (s *tagScreen) endPackage() error {
	if s.named && !s.numbered {
		return errors.New("the package before has no SPDXID")
	}
	s.named, s.numbered = false, false
	return nil
}

func (s *tagScreen) keep(to *bytes.Buffer, tag, value string) error {
	if err := s.kept.value(value); err != nil {
		return fmt.Errorf("%s: %w", tag, err)
	}
	fmt.Fprintf(to, "%s: %s\n", tag, value)
	return nil
}

func (s *tagScreen) id(to *bytes.Buffer, tag, value string) error {
	if err := elementID(value); err != nil {
		return fmt.Errorf("%s: %w", tag, err)
	}
	return s.keep(to, tag, value)
}

// next reads a pair. A value is the text between <text> and </text>, which may
// go over lines, or what is left of the line. Values are given on one line and
// without "<text>", as no name or licence has another; those of tags that nobody
// looks at are left out.
func (s *tagScreen) next() (tag, value string, err error) {
	for {
		line, err := s.readLine()
		if err != nil {
			return "", "", err
		}
		s.began = s.line
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		tag, rest, ok := strings.Cut(line, ":")
		if !ok {
			return "", "", fmt.Errorf(`line %d: %q is not of the form "Tag: value"`, s.line, clip(line))
		}
		tag = strings.TrimSpace(tag)
		wanted := slices.Contains(wantedTags, tag)
		_, text, long := strings.Cut(rest, "<text>")
		if !long {
			if !wanted {
				rest = ""
			}
			return tag, oneLine(rest), nil
		}
		var b strings.Builder
		for {
			part, _, closed := strings.Cut(text, "</text>")
			if wanted {
				if b.Len()+len(part) > maxValue {
					return "", "", fmt.Errorf("line %d: %s: the value is longer than %d bytes", s.began, tag, maxValue)
				}
				b.WriteString(part)
				b.WriteByte(' ')
			}
			if closed {
				return tag, oneLine(b.String()), nil
			}
			text, err = s.readLine()
			if errors.Is(err, io.EOF) {
				return "", "", fmt.Errorf("the text that begins in line %d is never closed by </text>: the file is cut short", s.began)
			}
			if err != nil {
				return "", "", err
			}
		}
	}
}

// wantedTags are the tags whose values are looked at.
var wantedTags = []string{
	"SPDXVersion", "SPDXID", "DocumentName", "PackageName", "PackageVersion", "PackageLicenseConcluded", "PackageLicenseDeclared",
	"LicenseID", "LicenseName", "Relationship",
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "<text>", " ")), " ")
}

// maxLine is the length of a line of which the beginning would not do: the end of
// a text may stand at its end.
const maxLine = 16 << 20

// readLine reads a line without its end.
func (s *tagScreen) readLine() (string, error) {
	var line []byte
	for {
		part, err := s.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return "", fmt.Errorf("line %d is longer than %d MB", s.line+1, maxLine>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) == 0:
			return "", io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		default:
			s.line++
			return strings.TrimRight(string(line), "\r\n"), nil
		}
	}
}
