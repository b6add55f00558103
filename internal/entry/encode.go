package entry

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Encode writes the canonical form of an entry, or of any other file of the
// registry: keys in the order of the struct, two spaces, and a first line that
// tells editors the schema. schemaPath is relative to the file, such as
// "../../schemas/dpg.schema.json".
func Encode(v any, schemaPath string) ([]byte, error) {
	var b bytes.Buffer
	if schemaPath != "" {
		b.WriteString("# yaml-language-server: $schema=" + schemaPath + "\n")
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return indentTabs(b.Bytes()), nil
}

// SchemaPath is the path from a file of the registry to a schema beside it:
// registry/dpgs/x.yaml has "../../schemas/dpg.schema.json".
func SchemaPath(file, schema string) string {
	return strings.Repeat("../", strings.Count(file, "/")) + "schemas/" + schema
}
