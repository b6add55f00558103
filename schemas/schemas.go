// Package schemas holds the JSON Schemas (2020-12) of every file that a registry
// consists of, and of the report that a run writes. Each schema stands alone, so
// that an editor can open it by a relative path without a network; definitions
// that several of them share are repeated, and a test keeps them alike.
package schemas

import "embed"

// FS holds the schemas by file name, such as "dpg.schema.json".
//
//go:embed *.schema.json
var FS embed.FS
