package propose

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
)

// askServer is a server on this machine, and an Asker that may reach it through
// the guard.
func askServer(t *testing.T, files map[string]string) (Asker, string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Authorization"])+len(r.Header["Cookie"]) > 0 {
			t.Error("a secret was sent")
		}
		switch text, ok := files[r.URL.Path]; {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(text, "-> "):
			http.Redirect(w, r, text[3:], http.StatusFound)
		case text == "busy":
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			fmt.Fprint(w, text)
		}
	}))
	t.Cleanup(s.Close)
	own := netip.MustParseAddrPort(s.Listener.Addr().String())
	client := fetch.New(fetch.Options{MaxBytes: maxAnswer, Timeout: 10 * time.Second, Exception: func(a netip.AddrPort) bool { return a == own }})
	return Asker{Client: client, GitHubAPI: s.URL + "/api", GitHubRaw: s.URL + "/raw"}, s.URL
}

func TestAsk(t *testing.T) {
	const publiccode = "name: Wells\nlandingURL: https://wells.example.org\nlegal: {license: MIT}\n"
	const record = `{"name": "wells", "description": "Maps wells.", "homepage": "https://hub.example.org", "license": {"spdx_id": "Apache-2.0"}}`
	for _, tt := range []struct {
		name, address string // {s} is the server
		files         map[string]string
		want          Facts
		fails         string
	}{
		{"GitHub and publiccode.yml", "https://github.com/w/wells.git", map[string]string{"/api/repos/w/wells": record, "/raw/w/wells/HEAD/publiccode.yml": publiccode},
			Facts{"Wells", "Maps wells.", "https://wells.example.org", "https://github.com/w/wells.git", "MIT"}, ""},
		{"GitHub alone", "https://github.com/w/wells", map[string]string{"/api/repos/w/wells": record},
			Facts{"wells", "Maps wells.", "https://hub.example.org", "https://github.com/w/wells", "Apache-2.0"}, ""},
		{"GitHub knows no licence", "https://github.com/w/wells", map[string]string{"/api/repos/w/wells": `{"name": "wells", "license": {"spdx_id": "NOASSERTION"}}`},
			Facts{Name: "wells", Repository: "https://github.com/w/wells"}, ""},
		{"GitHub is hostile", "https://github.com/w/wells", map[string]string{"/api/repos/w/wells": `{"name": "a\u202eb", "description": "a\u0000", "homepage": "javascript:x", "license": null}`},
			Facts{Repository: "https://github.com/w/wells"}, ""},
		{"GitHub has had enough", "https://github.com/w/wells", map[string]string{"/api/repos/w/wells": "busy", "/raw/w/wells/HEAD/publiccode.yaml": publiccode},
			Facts{"Wells", "", "https://wells.example.org", "https://github.com/w/wells", "MIT"}, "status 429"},
		{"another forge", "{s}/w/wells", map[string]string{"/w/wells/raw/HEAD/publiccode.yml": publiccode}, Facts{"Wells", "", "https://wells.example.org", "{s}/w/wells", "MIT"}, ""},
		{"the file itself", "{s}/x/publiccode.yml", map[string]string{"/x/publiccode.yml": publiccode}, Facts{"Wells", "", "https://wells.example.org", "", "MIT"}, ""},
		{"nothing is there", "{s}/w/wells", nil, Facts{Repository: "{s}/w/wells"}, ""},
		{"no repository", "{s}/", nil, Facts{}, ""},
		{"a path that leads elsewhere", "{s}/../x/..%2f..%2fsecret", nil, Facts{}, ""},
		{"too large", "{s}/x/publiccode.yml", map[string]string{"/x/publiccode.yml": "name: " + strings.Repeat("a", maxAnswer)}, Facts{}, "larger"},
		{"sent inside", "{s}/x/publiccode.yml", map[string]string{"/x/publiccode.yml": "-> http://127.0.0.1:9/"}, Facts{}, "127.0.0.1"},
		{"another scheme", "file:///etc/passwd", nil, Facts{}, "file"},
		{"a secret in the address", "https://user:pass@github.com/a/b", nil, Facts{}, "github.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, server := askServer(t, tt.files)
			fill := func(s string) string { return strings.ReplaceAll(s, "{s}", server) }
			tt.want.Repository = fill(tt.want.Repository)
			got, err := a.Facts(t.Context(), fill(tt.address))
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error %v, want %q", err, tt.fails)
			}
			if err != nil && strings.Contains(err.Error(), "pass@") {
				t.Errorf("the error %v shows a secret", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Facts (-want +got):\n%s", diff)
			}
		})
	}
}

// Without an exception nothing on this machine is reached.
func TestAskIsGuarded(t *testing.T) {
	reached := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	if _, err := (Asker{}).Facts(t.Context(), s.URL+"/x/publiccode.yml"); err == nil || reached {
		t.Errorf("error %v, and the server was reached: %t", err, reached)
	}
}
