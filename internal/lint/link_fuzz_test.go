package lint

import "testing"

// What is known for a link at a glance is one for the patterns too.
func FuzzPlainLink(f *testing.F) {
	for _, s := range []string{"https://a.example.org/x?y=1#z", "http://x.org", "https://1.2.3.4", "https://a-.org/", "https://localhost/", "https://a.b/http", "https://x.local", "https://a..org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plainLink(s) {
			if fault := faultOf(s); fault != nil {
				t.Errorf("plainLink(%q), but %s", s, fault.message)
			}
		}
	})
}
