package lint

import "testing"

// What is taken for plain at a glance has nothing hidden in it.
func FuzzPlainText(f *testing.F) {
	for _, s := range []string{"a b", "é – “x”…", "a\u00adb", "a\nb\tc", "\u202e", "\u2027\u2028", "\u0300", "\u00a0", "\x7f\x80", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain, breaks := plainText(s)
		if !plain {
			return
		}
		if at := hidden(s, true); len(at) > 0 {
			t.Errorf("plainText(%q) is true, and byte %d is hidden", s, at[0])
		}
		if at := hidden(s, false); (len(at) > 0) != breaks {
			t.Errorf("plainText(%q) sees breaks: %v; %d bytes are hidden outside of prose", s, breaks, len(at))
		}
	})
}
