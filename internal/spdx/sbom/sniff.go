package sbom

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// sniffBytes is how much of a file is looked at to tell what it is.
const sniffBytes = 64 << 10

const (
	formJSON     = "JSON"
	formTagValue = "tag-value"
)

const wanted = "an SPDX 2.2 or 2.3 document is wanted, as JSON or tag-value"

// looks says that a file is something else.
func looks(like string) error { return fmt.Errorf("it looks like %s; %s", like, wanted) }

var (
	spdxTag  = regexp.MustCompile(`(?m)^[ \t]*SPDXVersion[ \t]*:`)
	spdxYAML = regexp.MustCompile(`(?m)^["']?spdxVersion["']?[ \t]*:`)
	bomYAML  = regexp.MustCompile(`(?m)^["']?bomFormat["']?[ \t]*:`)
)

// sniff tells the two forms of SPDX from each other, and says what anything else
// looks like. The head is the beginning of the file, without a byte order mark.
func sniff(head []byte) (form string, err error) {
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(text) == 0:
		return "", fmt.Errorf("it is empty, or begins with nothing but white space; %s", wanted)
	case text[0] == '{':
		return formJSON, nil // whose keys tell the rest
	case text[0] == '[':
		return "", looks("a JSON list")
	case text[0] == '<':
		return "", looks(markup(text))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", looks("a ZIP archive or a spreadsheet")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "", looks("a gzip archive, to be unpacked first")
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return "", looks("text in UTF-16; it has to be UTF-8")
	case bytes.IndexByte(head, 0) >= 0:
		return "", looks("a binary file")
	case spdxTag.Match(head):
		return formTagValue, nil
	case spdxYAML.Match(head):
		return "", looks("SPDX in YAML")
	case bomYAML.Match(head):
		return "", looks("CycloneDX in YAML")
	case bytes.HasPrefix(text, []byte("bomFormat")):
		return "", looks("CycloneDX")
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return "", fmt.Errorf("it is not a known form of an SBOM, and begins with %q; %s", clip(string(bytes.TrimSpace(line))), wanted)
}

func markup(text []byte) string {
	lower := strings.ToLower(string(text))
	switch {
	case strings.Contains(lower, "cyclonedx.org/schema"):
		return "CycloneDX in XML"
	case strings.Contains(lower, "spdx.org/rdf"):
		return "SPDX in RDF/XML"
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"):
		return "a web page"
	case strings.Contains(lower, "swid"):
		return "a SWID tag"
	}
	return "XML"
}

// foreignKeys are keys at the top of other programs' JSON.
var foreignKeys = []struct{ key, what string }{
	{"bomFormat", "CycloneDX in JSON"},
	{"artifactRelationships", "Syft's own JSON"},
	{"lockfileVersion", "a lock file of npm"},
	{"@graph", "SPDX 3 in JSON-LD, or other linked data"},
	{"@context", "SPDX 3 in JSON-LD, or other linked data"},
	{"SchemaVersion", "a report of Trivy"},
}

// foreignKey says what has a key at its top; "" for a key that tells nothing.
func foreignKey(key string) string {
	for _, f := range foreignKeys {
		if f.key == key {
			return f.what
		}
	}
	return ""
}

// foreign says what a JSON object without an SPDX version is.
func foreign(like string) error {
	if like != "" {
		return looks(like)
	}
	return errors.New(`it is a JSON object without "spdxVersion"; ` + wanted)
}
