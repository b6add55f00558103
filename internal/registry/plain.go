package registry

import (
	"fmt"
	"path"
)

// notPlain is the rule that finds what is no plain file: links, pipes, devices.
const notPlain = "file-symlink"

// Plain is an error where something stands in place of an entry or of another file
// that a registry is made of, and is no plain file: a link, a pipe, a device. It is
// never opened. Whoever makes something of the whole registry cannot do without it.
func (r *Registry) Plain() error {
	for _, d := range r.Findings {
		if d.Rule == notPlain && path.Ext(d.Path) == ".yaml" {
			return fmt.Errorf("%s: %s; %s", d.Path, d.Message, d.Hint)
		}
	}
	return nil
}
