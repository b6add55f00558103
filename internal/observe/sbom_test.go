package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// document is an SPDX document of an application with these dependencies, each
// "name version licence".
func document(dependencies ...string) string {
	var b strings.Builder
	b.WriteString("SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: app\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app\n" +
		"PackageName: app\nSPDXID: SPDXRef-app\nPackageLicenseDeclared: NOASSERTION\n")
	for i, d := range dependencies {
		f := strings.SplitN(d, " ", 3)
		fmt.Fprintf(&b, "PackageName: %s\nSPDXID: SPDXRef-%d\nPackageVersion: %s\nPackageLicenseDeclared: %s\n", f[0], i, f[1], f[2])
	}
	return b.String()
}

const sbomPolicy = "schema: policy/v1\nlicenses:\n  software: {reason: Software has to be open., accepted: [{ids: [MIT, ISC]}]}\n"

// documented is an entry that points at a document.
func documented(id, sbom string, repositories ...string) string {
	s := "schema: dpg/v1\nid: " + id + "\nname: " + id + "\ntypes: [software]\nlicenses: [{expression: MIT}]\nstatus: {stage: nominee}\nsbom: {url: '" + sbom + "'}\n"
	if len(repositories) > 0 {
		s += "repositories:\n"
	}
	for _, r := range repositories {
		s += "  - {url: '" + r + "'}\n"
	}
	return s
}

// What a project is built from is fetched, judged and noted; again only where a
// fact changes; and not fetched again where it did not change.
func TestLookAtSBOM(t *testing.T) {
	body := document("lib 1.0 MIT", "db 2.1 BUSL-1.1", "db 2.2 BUSL-1.1", "odd 3 NOASSERTION", "engine 1 SSPL-1.0 AND MIT")
	etag, sent := `"1"`, atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent.Add(1)
		io.WriteString(w, body)
	}))
	defer s.Close()
	opt := testOptions(t, s)
	opt.Cache = filepath.Join(t.TempDir(), "cache")
	address := s.URL + "/app.spdx"
	files := map[string]string{"policy.yaml": sbomPolicy, "dpgs/app.yaml": documented("app", address)}
	plan := func() []Proposal {
		t.Helper()
		reg := testRegistry(t, nil, files)
		if len(reg.Findings) > 0 {
			t.Fatalf("what was written is not fit to be read: %v", reg.Findings)
		}
		r := look(t, reg, opt)
		if len(r.Missed) > 0 {
			t.Fatalf("missed: %v", r.Missed)
		}
		p, err := Plan(reg, r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan()
	if len(p) != 1 || p[0].Path != "observations/dpgs/app.yaml" || p[0].New.Repositories != nil {
		t.Fatalf("proposed: %+v", p)
	}
	want := &registry.ObservedSBOM{
		URL: address, AsOf: "2026-01-31", State: registry.StatePresent, SHA256: sum([]byte(body)), JudgedAs: "software",
		Dependencies: 5, NotAccepted: 3, Unknown: 1,
		Restrictions: []registry.ObservedRestriction{
			{License: "BUSL-1.1", Verdict: "not-accepted", Reason: "Software has to be open.", Packages: []string{"db"}},
			{License: "SSPL-1.0 AND MIT", Verdict: "not-accepted", Reason: "SSPL-1.0: Software has to be open.", Packages: []string{"engine"}},
			{License: "NOASSERTION", Verdict: "unknown", Reason: "the document does not say what licence it is under", Packages: []string{"odd"}},
		},
	}
	if diff := cmp.Diff(want, p[0].New.SBOM); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
	files[p[0].Path] = string(p[0].Data)

	opt.AsOf = "2026-02-28"
	if p := plan(); len(p) != 0 || sent.Load() != 1 {
		t.Errorf("another day: %d documents sent, proposed %+v", sent.Load(), p)
	}
	etag, body = `"2"`, document("lib 1.1 MIT", "more 0.1 ISC", "db 2.3 BUSL-1.1", "db 2.4 BUSL-1.1", "odd 3 NOASSERTION", "engine 1 SSPL-1.0 AND MIT")
	if p := plan(); len(p) != 0 || sent.Load() != 2 {
		t.Errorf("other versions, and one more that is accepted: %d sent, proposed %+v", sent.Load(), p)
	}
	files["policy.yaml"] = strings.Replace(sbomPolicy, "ISC", "ISC, BUSL-1.1", 1)
	if p = plan(); len(p) != 1 || p[0].New.SBOM.NotAccepted != 1 || p[0].New.SBOM.AsOf != "2026-02-28" || p[0].New.SBOM.Dependencies != 6 {
		t.Errorf("another policy: %+v", p)
	}
	// What was asked for alone leaves the rest as it is.
	opt.Of = Repositories
	if docs, err := Entries(testRegistry(t, nil, files), nil, opt.Of); err != nil || len(docs) != 0 {
		t.Errorf("an entry without a repository is looked at for its repositories: %v, %v", docs, err)
	}
	if p := plan(); len(p) != 0 {
		t.Errorf("repositories only: %+v", p)
	}
	// An entry that gives no document any more loses what was seen of it.
	opt.Of = 0
	files["dpgs/app.yaml"] = strings.Replace(files["dpgs/app.yaml"], "sbom:", "website: https://example.org\n#", 1)
	if p := plan(); len(p) != 1 || !p[0].Delete {
		t.Errorf("without a document: %+v", p)
	}
}

// Facts are the same whenever and from whichever bytes they were seen.
func TestFactsOfSBOM(t *testing.T) {
	one := registry.Observation{Schema: registry.ObservationSchema, Entry: "dpg/a", SBOM: &registry.ObservedSBOM{
		URL: "https://a.example.org/x", AsOf: "2026-01-01", State: registry.StatePresent, SHA256: sum(nil), JudgedAs: "software", Dependencies: 3,
	}}
	other := one.Clone()
	other.SBOM.AsOf, other.SBOM.SHA256, other.SBOM.Dependencies = "2026-02-02", sum([]byte("x")), 4
	a, err := Facts(Proposal{Path: "observations/dpgs/a.yaml", New: &one})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Facts(Proposal{Path: "observations/dpgs/a.yaml", New: other})
	if err != nil || string(a) != string(b) || !SameFacts(&one, other) {
		t.Errorf("facts differ (%v):\n%s\n%s", err, a, b)
	}
	if one.SBOM.AsOf != "2026-01-01" {
		t.Error("taking the facts changed what was seen")
	}
	other.SBOM.Unknown = 1
	if b, err = Facts(Proposal{Path: "observations/dpgs/a.yaml", New: other}); err != nil || string(a) == string(b) || SameFacts(&one, other) {
		t.Errorf("another fact is the same: %v", err)
	}
}

// Documents that mean no good, or are none: each costs one entry, in bounded time
// and bytes; what is there and no document is a fact, what did not come is none.
func TestHostileSBOMs(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, document()) }))
	defer inside.Close()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	body := func(name, text string) {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
	}
	status := func(name string, code int) {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
	}
	body("page", "<!doctype html><title>Sign in</title>")
	body("cyclonedx", `{"bomFormat": "CycloneDX", "components": []}`)
	body("empty", "")
	body("nulls", `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[null]}`)
	body("evil", `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"x","packages":[{"SPDXID":"SPDXRef-a","name":"\u001b[31m\n::error::x\u202e","licenseDeclared":"not\n\u001ba licence"},{"SPDXID":"SPDXRef-b","name":"`+strings.Repeat("x", 5000)+`","licenseDeclared":"`+strings.Repeat("y", 5000)+`"}]}`)
	body("words", "\x1b[31mhello\n::error::x")
	status("gone", 404)
	status("closed", 401)
	status("broken", 500)
	status("forbidden", 403)
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"spdxVersion":"SPDX-2.3","files":[`)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(`{"fileName":"x"},`, 1000)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10000")
		io.WriteString(w, `{"spdxVersion":"SPDX-2.3",`)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"spdxVersion":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) })

	tests := []struct{ name, state, says string }{ // a state and its fault, or why it is missed
		{"broken", "", "the server answers 500 Internal Server Error"},
		{"closed", registry.StateGone, ""},
		{"cyclonedx", registry.StateUnreadable, "it looks like CycloneDX in JSON"},
		{"empty", registry.StateUnreadable, "it is empty"},
		{"endless", "", "the answer is larger than is read"},
		{"evil", registry.StatePresent, ""},
		{"forbidden", "", "the server answers 403 Forbidden"},
		{"gone", registry.StateGone, ""},
		{"inside", "", `"127.0.0.1" is a loopback address, which is not on the public internet`},
		{"nulls", registry.StateUnreadable, "*"},
		{"page", registry.StateUnreadable, "it looks like a web page"},
		{"short", "", "unexpected EOF"},
		{"words", registry.StateUnreadable, "it is not a known form of an SBOM"},
	}
	files := map[string]string{"policy.yaml": sbomPolicy}
	for _, tt := range tests {
		files["dpgs/"+tt.name+".yaml"] = documented(tt.name, s.URL+"/"+tt.name)
	}
	opt := testOptions(t, s)
	opt.EntryBytes, opt.Jobs = 2<<20, len(tests)
	slow := opt
	slow.Entry = 300 * time.Millisecond
	waits := testRegistry(t, nil, map[string]string{"policy.yaml": sbomPolicy, "dpgs/slow.yaml": documented("slow", s.URL+"/slow")})
	if r := look(t, waits, slow); len(r.Missed) != 1 || r.Missed[0].Why != "no whole answer came in time" || r.Seen[0].Observation != nil {
		t.Errorf("slow: %+v", r)
	}
	reg := testRegistry(t, nil, files)
	r := look(t, reg, opt)
	why := map[string]string{}
	for _, m := range r.Missed {
		why[m.Ref.ID] = m.Why
		if m.Of != SBOMs || m.Skipped {
			t.Errorf("%s: %+v", m.Ref.ID, m)
		}
	}
	for i, tt := range tests {
		var state, says string
		if o := r.Seen[i].Observation; o != nil {
			state, says = o.SBOM.State, o.SBOM.Fault
		}
		says += why[tt.name]
		if state != tt.state || tt.says != "*" && !strings.HasPrefix(says, tt.says) || tt.says == "" && says != "" || strings.ContainsAny(says, "\n\x1b\u202e") {
			t.Errorf("%s: %q %q, want %q %q", tt.name, state, says, tt.state, tt.says)
		}
	}
	// Whatever stands in a document, the file that is made of it can be read.
	proposals, err := Plan(reg, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proposals {
		back, err := reg.DecodeObservation(p.Path, p.Data)
		if err != nil || !SameFacts(back, p.New) {
			t.Errorf("%s: read back: %v\n%s", p.Path, err, p.Data)
		}
		if strings.ContainsAny(string(p.Data), "\x1b\u202e") || len(p.Data) > 4<<10 {
			t.Errorf("%s: %q", p.Path, p.Data)
		}
	}
}

// Of a document with thousands of restrictions a bounded part is noted, and how
// much is not.
func TestManyRestrictions(t *testing.T) {
	var all []string
	for i := range 2000 {
		all = append(all, fmt.Sprintf("lib-%d 1 LicenseRef-%d", i, i%100), fmt.Sprintf("bad-%d 1 NONE", i))
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, document(all...)) }))
	defer s.Close()
	reg := testRegistry(t, nil, map[string]string{"policy.yaml": sbomPolicy, "dpgs/app.yaml": documented("app", s.URL)})
	r := look(t, reg, testOptions(t, s))
	o := r.Seen[0].Observation.SBOM
	if o.NotAccepted != 2000 || o.Unknown != 2000 || len(o.Restrictions) != maxRestrictions || o.More != 101-maxRestrictions {
		t.Errorf("%d not accepted, %d unknown, %d listed, %d more", o.NotAccepted, o.Unknown, len(o.Restrictions), o.More)
	}
	if first := o.Restrictions[0]; first.License != "NONE" || len(first.Packages) != maxNamed || first.More != 2000-maxNamed {
		t.Errorf("the first is %q with %d named and %d more", first.License, len(first.Packages), first.More)
	}
	if p, err := Plan(reg, r); err != nil || len(p) != 1 {
		t.Errorf("Plan: %v, %v", p, err)
	} else if _, err := reg.DecodeObservation("x.yaml", p[0].Data); err != nil {
		t.Error(err)
	}
}

// Without a list for software in the policy there is nothing to judge by; what was
// known stays.
func TestNoListForDependencies(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	reg := testRegistry(t, nil, map[string]string{
		"policy.yaml":                "schema: policy/v1\nlicenses: {data: {reason: D, accepted: [{ids: [CC0-1.0]}]}}\n",
		"dpgs/app.yaml":              documented("app", s.URL),
		"observations/dpgs/app.yaml": "schema: observation/v1\nentry: dpg/app\nsbom: {url: '" + s.URL + "', as_of: 2025-01-01, state: gone}\n",
	})
	r := look(t, reg, testOptions(t, s))
	if len(r.Missed) != 1 || !r.Missed[0].Skipped || !strings.Contains(r.Missed[0].Why, "keeps no list") || r.Seen[0].Changed {
		t.Errorf("%+v, changed %v", r.Missed, r.Seen[0].Changed)
	}
	if o := r.Seen[0].Observation; o == nil || o.SBOM == nil || o.SBOM.AsOf != "2025-01-01" {
		t.Errorf("what was known is %+v", o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, reg, nil, testOptions(t, s)); err == nil {
		t.Error("a run that was interrupted ends well")
	}
}
