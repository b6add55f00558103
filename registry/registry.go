// Package registry embeds the frameworks and the licence policy that stand in
// this folder. A registry that has none of its own is judged by them. It holds
// data only; internal/registry reads it.
package registry

import "embed"

// FS holds policy.yaml, frameworks/*.yaml and frameworks/crosswalk/*.yaml, by the
// paths they have in this folder. Entries are left out: they belong to this registry alone.
//
//go:embed frameworks/*.yaml frameworks/crosswalk/*.yaml policy.yaml
var FS embed.FS
