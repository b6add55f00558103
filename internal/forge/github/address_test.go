package github

import (
	"strings"
	"testing"
)

// What stands in an address beside the address may be a secret, and no message shows it.
func TestAddressShowsNoSecret(t *testing.T) {
	for _, tt := range []struct{ address, want string }{
		{"https://github.example.org/api/v3/", ""},
		{"http://127.0.0.1:8080", ""},
		{"http://example.org/", "in the clear"},
		{"github.example.org", "is not an address such as"},
		{"https://user:hunter2@github.example.org/", "has no place in it"},
		{"https://user:hunter2@github.example.org:port/", "has no place in it"},
		{"https://github.example.org/?token=hunter2", "has no place in it"},
	} {
		_, err := address(tt.address)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("address(%q): %v, want %q", tt.address, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("address(%q) shows the secret: %v", tt.address, err)
		}
	}
}
