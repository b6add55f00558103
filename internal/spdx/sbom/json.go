package sbom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// The parts of a document that go on to tools-golang, with the keys of SPDX.
type (
	jsonDocument struct {
		SPDXVersion   string             `json:"spdxVersion"`
		SPDXID        string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Packages      []jsonPackage      `json:"packages"`
		Licenses      []jsonLicense      `json:"hasExtractedLicensingInfos"`
		Describes     []string           `json:"documentDescribes,omitempty"`
		Relationships []jsonRelationship `json:"relationships"`
	}
	jsonPackage struct {
		SPDXID           string `json:"SPDXID,omitempty"`
		Name             string `json:"name"`
		VersionInfo      string `json:"versionInfo,omitempty"`
		LicenseConcluded string `json:"licenseConcluded,omitempty"`
		LicenseDeclared  string `json:"licenseDeclared,omitempty"`
	}
	jsonLicense struct {
		ID   string `json:"licenseId"`
		Name string `json:"name,omitempty"`
	}
	jsonRelationship struct {
		Element string `json:"spdxElementId"`
		Related string `json:"relatedSpdxElement"`
		Type    string `json:"relationshipType"`
	}
)

// screenJSON reads a document token by token, so that no more of it is held than
// what is kept and one value, and writes the parts that are wanted.
func screenJSON(r io.Reader) ([]byte, error) {
	s := &jsonScreen{dec: json.NewDecoder(r)}
	// Numbers are left as they stand: one of a million digits is no business of ours.
	s.dec.UseNumber()
	if err := s.document(); err != nil {
		return nil, s.explain(err)
	}
	return json.Marshal(s.doc)
}

type jsonScreen struct {
	dec  *json.Decoder
	doc  jsonDocument
	kept kept
}

// explain puts the decoder's errors in words with their place.
func (s *jsonScreen) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the JSON ends after %d bytes, before the document does: the file is cut short", s.dec.InputOffset())
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON: at byte %d: %v", syntax.Offset, err)
	}
	return err
}

func (s *jsonScreen) document() error {
	strange := "" // a key of something else
	visit := func(key string) error {
		if strange == "" {
			strange = foreignKey(key)
		}
		if key == "sbom" { // what GitHub's API answers has the document under this key
			return at(key, s.object(s.part))
		}
		return s.part(key)
	}
	err := s.object(visit)
	if s.doc.SPDXVersion == "" && (err == nil || strange != "") {
		return foreign(strange)
	}
	if err != nil {
		return err
	}
	if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return fmt.Errorf("more follows after the document, at byte %d", s.dec.InputOffset())
	}
	if s.doc.SPDXID == "" {
		s.doc.SPDXID = "SPDXRef-" + documentID
	}
	return nil
}

// part reads one key of the document.
func (s *jsonScreen) part(key string) error {
	var err error
	switch key {
	case "spdxVersion":
		if err = s.text(&s.doc.SPDXVersion); err == nil {
			return version(s.doc.SPDXVersion)
		}
	case "SPDXID":
		err = s.id(&s.doc.SPDXID)
	case "name":
		err = s.text(&s.doc.Name)
	case "packages":
		err = s.list(s.pkg)
	case "hasExtractedLicensingInfos":
		err = s.list(s.license)
	case "relationships":
		err = s.list(s.relationship)
	case "documentDescribes":
		err = s.list(s.described)
	default:
		return s.skip()
	}
	return at(key, err)
}

func (s *jsonScreen) pkg() error {
	var p jsonPackage
	err := s.object(func(key string) error {
		switch key {
		case "SPDXID":
			return at(key, s.id(&p.SPDXID))
		case "name":
			return at(key, s.text(&p.Name))
		case "versionInfo":
			return at(key, s.text(&p.VersionInfo))
		case "licenseConcluded":
			return at(key, s.text(&p.LicenseConcluded))
		case "licenseDeclared":
			return at(key, s.text(&p.LicenseDeclared))
		}
		return s.skip()
	})
	if err != nil {
		return err
	}
	if p.SPDXID == "" && p.Name == "" {
		return errors.New("the package has neither a name nor an SPDXID")
	}
	s.doc.Packages = append(s.doc.Packages, p)
	return count(len(s.doc.Packages), "packages")
}

func (s *jsonScreen) license() error {
	var l jsonLicense
	err := s.object(func(key string) error {
		switch key {
		case "licenseId":
			return at(key, s.text(&l.ID))
		case "name":
			return at(key, s.text(&l.Name))
		}
		return s.skip()
	})
	if err != nil {
		return err
	}
	s.doc.Licenses = append(s.doc.Licenses, l)
	return count(len(s.doc.Licenses), "licences of its own")
}

// relationship keeps those that say what the document describes. There may be
// many times more of the others.
func (s *jsonScreen) relationship() error {
	var r jsonRelationship
	before := s.kept
	err := s.object(func(key string) error {
		switch key {
		case "spdxElementId":
			return at(key, s.text(&r.Element))
		case "relatedSpdxElement":
			return at(key, s.text(&r.Related))
		case "relationshipType":
			return at(key, s.text(&r.Type))
		}
		return s.skip()
	})
	if err != nil {
		return err
	}
	if !describes(r.Element, r.Type, r.Related) {
		s.kept = before
		return nil
	}
	s.doc.Relationships = append(s.doc.Relationships, r)
	return count(len(s.doc.Relationships), "described packages")
}

func (s *jsonScreen) described() error {
	var id string
	if err := s.id(&id); err != nil || id == "" {
		return err
	}
	s.doc.Describes = append(s.doc.Describes, id)
	return count(len(s.doc.Describes), "described packages")
}

// describes reports whether a relationship says that the document describes one
// of its packages.
func describes(element, kind, related string) bool {
	const document = "SPDXRef-" + documentID
	switch kind {
	case "DESCRIBES":
		return element == document && elementID(related) == nil
	case "DESCRIBED_BY":
		return related == document && elementID(element) == nil
	}
	return false
}

// at says where in the document an error is.
func at(place string, err error) error {
	if err == nil {
		return nil
	}
	var deeper *placed
	if errors.As(err, &deeper) {
		return &placed{place + "/" + deeper.place, deeper.err}
	}
	return &placed{place, err}
}

type placed struct {
	place string
	err   error
}

func (p *placed) Error() string { return p.place + ": " + p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// object reads an object and calls visit at each value. A key that stands twice
// is an error: readers differ in which of the two they believe.
func (s *jsonScreen) object(visit func(key string) error) error {
	tok, err := s.dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("%s stands where an object should", kindOf(tok))
	}
	var seen [len(wantedKeys)]bool
	for s.dec.More() {
		tok, err := s.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string) // the decoder lets nothing else through
		if i := slices.Index(wantedKeys[:], key); i >= 0 {
			if seen[i] {
				return fmt.Errorf("the key %q stands twice", key)
			}
			seen[i] = true
		}
		if err := visit(key); err != nil {
			return err
		}
	}
	_, err = s.dec.Token()
	return err
}

// wantedKeys are the keys that a screen looks at.
var wantedKeys = [...]string{
	"sbom", "spdxVersion", "SPDXID", "name", "packages", "hasExtractedLicensingInfos", "documentDescribes", "relationships",
	"versionInfo", "licenseConcluded", "licenseDeclared", "licenseId", "spdxElementId", "relatedSpdxElement", "relationshipType",
}

// list reads a list and calls visit at each of its values; null is an empty one.
func (s *jsonScreen) list(visit func() error) error {
	tok, err := s.dec.Token()
	if err != nil || tok == nil {
		return err
	}
	if tok != json.Delim('[') {
		return fmt.Errorf("%s stands where a list should", kindOf(tok))
	}
	for i := 0; s.dec.More(); i++ {
		if err := visit(); err != nil {
			return at(strconv.Itoa(i), err)
		}
	}
	_, err = s.dec.Token()
	return err
}

// text reads a string that is kept; null is an empty one.
func (s *jsonScreen) text(to *string) error {
	tok, err := s.dec.Token()
	if err != nil || tok == nil {
		return err
	}
	text, ok := tok.(string)
	if !ok {
		return fmt.Errorf("%s stands where text should", kindOf(tok))
	}
	*to = text
	return s.kept.value(text)
}

func (s *jsonScreen) id(to *string) error {
	if err := s.text(to); err != nil || *to == "" {
		return err
	}
	return elementID(*to)
}

// skip passes over a value.
func (s *jsonScreen) skip() error {
	for depth := 0; ; {
		tok, err := s.dec.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return fmt.Errorf("lists and objects stand more than %d deep in each other, at byte %d", maxDepth, s.dec.InputOffset())
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func kindOf(tok json.Token) string {
	switch tok := tok.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "text"
	case json.Delim:
		if tok == '[' {
			return "a list"
		}
		return "an object"
	}
	return "a number"
}
