package assess

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// Locked says of a locked summary what it rested on when the bot first met the
// lock. The text stays whatever becomes of its facts; the bot notes the change.
type Locked struct {
	Facts   map[string]string `yaml:"facts"`             // digest of what each field said, by pointer; "" for no such field
	Changed []string          `yaml:"changed,omitempty"` // pointers of fields that say something else now, sorted
}

// withLock is a summary with the state of its facts. What they were stands in the
// file from the first time on.
func withLock(e *entry.Entry, s *Summary) *Summary {
	now := map[string]string{}
	for _, sentence := range s.Sentences {
		for _, p := range sentence.From {
			now[p] = factDigest(e, p)
		}
	}
	l := &Locked{Facts: now}
	if s.Locked != nil && len(s.Locked.Facts) > 0 {
		l.Facts = s.Locked.Facts
	}
	for _, p := range slices.Sorted(maps.Keys(l.Facts)) {
		if factDigest(e, p) != l.Facts[p] {
			l.Changed = append(l.Changed, p)
		}
	}
	kept := *s
	kept.Locked = l
	return &kept
}

// factDigest is a short digest of what a field says. It tells a change, and need
// withstand nobody: who writes the entry may change the fact itself.
func factDigest(e *entry.Entry, pointer string) string {
	v, ok := fieldAt(e, pointer)
	if !ok {
		return ""
	}
	data, err := yaml.Marshal(v)
	if err != nil { // plain data; only a bug gets here, and must not look like a match
		data = []byte(err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
