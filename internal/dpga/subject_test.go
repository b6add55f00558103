package dpga

import (
	"strings"
	"testing"
)

func TestSubject(t *testing.T) {
	e, from, err := Subject(
		[]byte(`{"name":"Vax","description":"Tracks vaccines.","SDGs":[{"SDGNumber":3,"evidenceText":"Fewer fall ill."}]}`),
		[]byte(`{"name":"Vax","doNoHarm":{"dataPrivacySecurity":{"privacySecurityDescription":"All is encrypted."}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Description.Best("en", "en"); got != "Tracks vaccines." {
		t.Errorf("description %q", got)
	}
	for pointer, want := range map[string]string{
		"/name":                        "/entry/name",
		"/description":                 "/entry/description",
		"/sdgs/0/text":                 "/entry/SDGs/0/evidenceText",
		"/standard/data_security/text": "/screening/doNoHarm/dataPrivacySecurity/privacySecurityDescription",
	} {
		if from[pointer] != want {
			t.Errorf("%s came from %q, want %q", pointer, from[pointer], want)
		}
	}
}

func TestSubjectRefuses(t *testing.T) {
	for _, tt := range []struct{ nominee, record, want string }{
		{`[]`, ``, "entry: it holds a list in JSON, not an object"},
		{`{"name":"Vax"}`, `"no"`, "screening: it holds text in JSON, not an object"},
		{`{"name":"` + strings.Repeat("x", maxBytes) + `"}`, ``, "entry: it is over 256 KiB"},
		{strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat(`}`, 1000), ``, "entry: "},
	} {
		var record []byte
		if tt.record != "" {
			record = []byte(tt.record)
		}
		_, _, err := Subject([]byte(tt.nominee), record)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Subject(%.20s, %s): %v, want %q", tt.nominee, tt.record, err, tt.want)
		}
	}
}
