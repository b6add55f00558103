// Package dpgregistry embeds the files of this repository that a new registry begins
// with: the workflows, forms and templates that this repository uses itself. It holds
// data only; internal/template makes a registry of it.
package dpgregistry

import "embed"

// FS holds the folder .github and the version of the Action, by their paths here.
//
//go:embed all:.github internal/action/VERSION
var FS embed.FS
