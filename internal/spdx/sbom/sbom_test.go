package sbom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/tagvalue"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var update = flag.Bool("update", false, "write what the tests get into testdata")

// builtinPolicy is the policy that every registry starts with.
func builtinPolicy(t testing.TB) *policy.Policy {
	t.Helper()
	reg, err := registry.Load(context.Background(), registry.FromFS(fstest.MapFS{}), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reg.Policy
}

// show is a report in few words, or the error.
func show(doc *Document, p *policy.Policy, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	r := Judge(doc, p, "software", "2026-01-15")
	fmt.Fprintf(&b, "%q, %s, %s", r.Document, r.SPDXVersion, r.Form)
	if r.Subject != nil {
		fmt.Fprintf(&b, ", of %q", *r.Subject)
	}
	fmt.Fprintf(&b, ": %d = %d accepted, %d not, %d unknown\n", r.Dependencies, r.Accepted, r.NotAccepted, r.Unknown)
	for _, g := range r.Licenses {
		fmt.Fprintf(&b, "%d %s %s:", g.Count, g.License, g.State)
		for _, p := range g.Packages {
			fmt.Fprintf(&b, " %s", strings.TrimSpace(p.Name+" "+value(p.Version)))
		}
		if g.Restrict {
			fmt.Fprintf(&b, "\n\t%s", g.Reason)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCases(t *testing.T) {
	p := builtinPolicy(t)
	names, err := filepath.Glob("testdata/case/*.txtar")
	if err != nil || len(names) < 30 {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Read(bytes.NewReader(a.Files[0].Data))
		if strings.HasPrefix(filepath.Base(name), "error-") != (err != nil) {
			t.Errorf("%s: error %v", name, err)
		}
		got := show(doc, p, err)
		if *update {
			a.Files = append(a.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if len(a.Files) != 2 {
			t.Fatalf("%s has no answer; -update writes it", name)
		}
		if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What `npm sbom` wrote for a project of two dependencies, in both of its forms.
func TestNPM(t *testing.T) {
	read := func(name string) (*Document, error) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return Read(f)
	}
	doc, err := read("testdata/npm.spdx.json")
	if err != nil {
		t.Fatal(err)
	}
	r := Judge(doc, builtinPolicy(t), "software", "2026-01-15")
	if r.Subject == nil || *r.Subject != "clinic-notes" || r.Dependencies != 15 || r.Restricting() {
		t.Errorf("report = %+v, want 15 dependencies of clinic-notes, all accepted", r)
	}
	if _, err := read("testdata/npm.cdx.json"); err == nil || !strings.Contains(err.Error(), "CycloneDX in JSON") {
		t.Errorf("CycloneDX: error %v", err)
	}
}

// A screen may leave things out and must not change what is left: of a document
// that tools-golang can read by itself, the same comes out either way.
func TestScreenKeeps(t *testing.T) {
	for _, name := range []string{"json-2.2", "json-2.3", "described-all", "alone", "tag-value-2.2"} {
		a, err := txtar.ParseFile("testdata/case/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		in := a.Files[0].Data
		got, err := Read(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		form, read := formJSON, spdxjson.Read
		if strings.HasPrefix(name, "tag") {
			form, read = formTagValue, tagvalue.Read
		}
		whole, err := read(bytes.NewReader(in))
		if err != nil {
			t.Fatalf("%s: tools-golang: %v", name, err)
		}
		want := documentOf(whole, form)
		want.Version = got.Version // tools-golang gives 2.2 out as 2.3
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-tools-golang +screened):\n%s", name, diff)
		}
	}
}

// endless repeats a text until so many bytes are read.
type endless struct {
	head, text, tail string
	left             int
	rest             string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.left <= 0 && e.rest == "" {
		n := copy(p, e.tail)
		e.tail = e.tail[n:]
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
	n := 0
	for n < len(p) && (e.left > 0 || e.rest != "") {
		if e.rest == "" {
			e.rest = e.text
			e.left -= len(e.text)
		}
		k := copy(p[n:], e.rest)
		e.rest = e.rest[k:]
		n += k
	}
	return n, nil
}

// Documents made to use up memory or time end in an error, or in a report, and
// what they make the program hold at a time stays far below what they could.
func TestHostile(t *testing.T) {
	const json = `{"spdxVersion": "SPDX-2.3", `
	const most = 70 << 20 // as large as a case may come; past it stands the bound on the whole file
	const small = 4 << 20 // where size adds nothing to the case
	tests := []struct {
		name             string
		head, text, tail string
		size             int
		want             string // in the error; "" is none
	}{
		{"files", json + `"files": [`, `{"fileName": "./x", "checksums": [{"a": 1}]},`, `{}]}`, small, ""},
		{"as many packages as may be", json + `"packages": [`, `{"name":"a","licenseDeclared":"MIT"},`, `{"name":"z"}]}`, (MaxPackages - 1) * 37, ""},
		{"lists in lists", json + `"x": `, strings.Repeat("[", 1024), ``, small, "more than 100 deep"},
		{"objects in objects", json + `"x": `, `{"a":`, ``, small, "more than 100 deep"},
		{"objects in a package", json + `"packages": [{"a": `, `{"a":`, ``, small, "more than 100 deep"},
		{"lists above all", `[`, strings.Repeat("[", 1024), ``, small, "looks like a JSON list"},
		{"packages", json + `"packages": [`, `{"name":"a"},`, `{"name":"a"}]}`, small, "more than 100000 packages"},
		{"empty packages", json + `"packages": [`, `{},`, ``, small, "neither a name nor"},
		{"null relationships", json + `"relationships": [`, `null,`, ``, small, "null stands where an object should"},
		{"relationships", json + `"relationships": [`, `{"spdxElementId":"SPDXRef-a","relatedSpdxElement":"SPDXRef-b","relationshipType":"CONTAINS"},`, `{}]}`, small, ""},
		{"described", json + `"documentDescribes": [`, `"SPDXRef-a",`, ``, small, "more than 100000 described packages"},
		{"licences", json + `"hasExtractedLicensingInfos": [`, `{"licenseId":"LicenseRef-a"},`, ``, small, "more than 100000 licences"},
		{"keys", json, `"k": 0, `, `"z": 0}`, small, ""},
		{"long name", json + `"name": "`, strings.Repeat("x", 1024), `"}`, small, "longer than 61440 bytes"},
		{"long names", json + `"packages": [`, `{"name": "` + strings.Repeat("x", 60<<10) + `"},`, ``, most, "longer than 64 MB together"},
		{"long number", json + `"x": `, strings.Repeat("9", 1024), `}`, small, ""},
		{"parentheses", json + `"packages": [{"name":"a","licenseDeclared":"`, "(", `"}]}`, 50 << 10, ""},
		{"texts", "SPDXVersion: SPDX-2.3\nDocumentComment: <text>", "x\n", "</text>", small, ""},
		{"text that is kept", "SPDXVersion: SPDX-2.3\nDocumentName: <text>", "x\n", "</text>", small, "longer than 61440 bytes"},
		{"spaces that are kept", "SPDXVersion: SPDX-2.3\nDocumentName: <text>x", " \n", "y</text>", small, "longer than 61440 bytes"},
		{"line", "SPDXVersion: SPDX-2.3\nDocumentComment: ", strings.Repeat("x", 1024), "", 17 << 20, "longer than 16 MB"},
		{"tag packages", "SPDXVersion: SPDX-2.3\n", "PackageName: a\nSPDXID: SPDXRef-a\n", "", small, "more than 100000 packages"},
		{"white space", "", " \n", "", small, "begins with nothing but white space"},
	}
	p := builtinPolicy(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			doc, err := Read(&endless{head: tt.head, text: tt.text, tail: tt.tail, left: tt.size})
			runtime.ReadMemStats(&after)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			case err != nil && len(err.Error()) > 1000:
				t.Errorf("the error has %d bytes", len(err.Error()))
			case err == nil:
				Judge(doc, p, "software", "")
			}
			// HeapSys is what was ever asked of the system: an upper bound of what was held.
			if after.HeapSys > 1<<30 {
				t.Errorf("the heap came to %d MB", after.HeapSys>>20)
			}
		})
	}
}

// The bound on the whole file holds to the byte, wherever it falls.
func TestBound(t *testing.T) {
	for _, in := range []string{
		`{"spdxVersion": "SPDX-2.3", "comment": "` + strings.Repeat("x", 200<<10) + `"}`,
		`{"spdxVersion": "SPDX-2.3", "files": [` + strings.Repeat(`{},`, 50<<10) + `{}]}`,
		"SPDXVersion: SPDX-2.3\nDocumentName: x\n" + strings.Repeat("FileName: x\n", 20<<10),
		"SPDXVersion: SPDX-2.3\nDocumentComment: <text>" + strings.Repeat("x\n", 50<<10) + "</text>",
	} {
		if _, err := read(strings.NewReader(in), int64(len(in))); err != nil {
			t.Errorf("%.60s: as long as it may be: error %v", in, err)
		}
		if _, err := read(strings.NewReader(in), int64(len(in))-1); !errors.Is(err, errTooLong) {
			t.Errorf("%.60s: one byte more: error %v, want %v", in, err, errTooLong)
		}
	}
}

// The report is the same however the packages stand in the document.
func TestOrder(t *testing.T) {
	p := builtinPolicy(t)
	doc := &Document{Packages: []Package{
		{ID: "1", Name: "b", License: "MIT"}, {ID: "2", Name: "a", License: "SSPL-1.0"}, {ID: "3", Name: "a", Version: "1", License: "mit"},
		{ID: "4", Name: "a", License: "NOASSERTION"}, {ID: "5", Name: "c", License: "(MIT)"},
	}}
	back := &Document{}
	for i := range doc.Packages {
		back.Packages = append(back.Packages, doc.Packages[len(doc.Packages)-1-i])
	}
	one, other := Judge(doc, p, "software", ""), Judge(back, p, "software", "")
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("(-forward +back):\n%s", diff)
	}
	if len(one.Licenses) != 3 {
		t.Errorf("%d groups, want 3: one licence is one group, however it is written", len(one.Licenses))
	}
}

func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/case/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	p := builtinPolicy(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		doc, err := Read(bytes.NewReader(in))
		if err != nil {
			if len(err.Error()) > 10000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			return
		}
		r := Judge(doc, p, "software", "2026-01-15")
		sum := 0
		for _, g := range r.Licenses {
			sum += g.Count
			if g.Count != len(g.Packages) || g.License == "" {
				t.Errorf("group %+v", g)
			}
		}
		if sum != r.Dependencies || r.Accepted+r.NotAccepted+r.Unknown != sum {
			t.Errorf("%d packages in groups, of %d", sum, r.Dependencies)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
