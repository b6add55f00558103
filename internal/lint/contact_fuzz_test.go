package lint

import (
	"strings"
	"testing"
)

// What saves the patterns for telephone numbers from running misses nothing that
// they would find.
func FuzzPhonesAreNotMissed(f *testing.F) {
	for _, s := range []string{
		"tel 0123 456789", "Telephone: +44 20 1234 5678", "intel 01234567", "call us at 555-123-4567", "x(555) 123-4567",
		"éfax 01234567", "a_555-123-4567", "1555-123-4567", "(5555) 123-4567", "WhatsApp no. (0)1234567",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if american.MatchString(s) && !mayBeAmerican(s) {
			t.Errorf("mayBeAmerican(%q) is false, and the pattern matches", s)
		}
		// Patterns take the long s for an s. Nobody writes "ſms".
		if named.MatchString(s) && !mayBeNamed(s) && !strings.ContainsRune(s, 'ſ') {
			t.Errorf("mayBeNamed(%q) is false, and the pattern matches", s)
		}
		if linkLike.MatchString(s) && !likeLink(s) {
			t.Errorf("likeLink(%q) is false, and the pattern matches", s)
		}
	})
}
