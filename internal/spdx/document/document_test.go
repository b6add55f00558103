package document

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	tools "github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdxlib"
	"golang.org/x/tools/txtar"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
	"github.com/dpg-registry/dpg-registry/internal/spdx/sbom"
)

var update = flag.Bool("update", false, "write what the tests get into testdata")

var stamp = registry.Stamp{Commit: strings.Repeat("ab", 20), At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

func build(t *testing.T, files registry.Files, head *registry.Stamp) *catalog.Export {
	t.Helper()
	reg, err := registry.Load(context.Background(), files, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := catalog.ExportOf(catalog.Input{Registry: reg, Head: head})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func tree(files map[string]string) registry.Files {
	fs := fstest.MapFS{}
	for name, data := range files {
		fs[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return registry.FromFS(fs)
}

// written is the document of a catalog. tools-golang reads it: it must be valid to
// its own checks, and be written by it with the same bytes.
func written(t *testing.T, x *catalog.Export) ([]byte, *tools.Document, []catalog.Note) {
	t.Helper()
	var b, again bytes.Buffer
	notes, err := Write(&b, x)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatalf("tools-golang cannot read it: %v\n%s", err, b.String())
	}
	if err := spdxjson.Write(doc, &again, spdxjson.Indent("  "), spdxjson.EscapeHTML(false)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), again.String()); diff != "" {
		t.Errorf("tools-golang writes it otherwise (-written +tools-golang):\n%s", diff)
	}
	if err := spdxlib.ValidateDocument(doc); err != nil {
		t.Errorf("tools-golang finds it invalid: %v", err)
	}
	ids, err := spdxlib.GetDescribedPackageIDs(doc)
	if err != nil || len(ids) != len(doc.Packages) {
		t.Errorf("it describes %d of %d packages, %v", len(ids), len(doc.Packages), err)
	}
	valid(t, doc)
	return b.Bytes(), doc, notes
}

// valid holds a document to what SPDX 2.3 says of its fields and tools-golang does
// not check.
func valid(t *testing.T, doc *tools.Document) {
	t.Helper()
	own, ids := map[string]bool{}, map[string]bool{}
	for _, l := range doc.OtherLicenses {
		if own[l.LicenseIdentifier] || l.ExtractedText == "" {
			t.Errorf("licence %+v stands twice or has no text", l)
		}
		own[l.LicenseIdentifier] = true
	}
	for _, p := range doc.Packages {
		id := string(p.PackageSPDXIdentifier)
		if ids[id] || idString.MatchString(id) {
			t.Errorf("id %q stands twice, or is none", id)
		}
		ids[id] = true
		if strings.ContainsAny(p.PackageName, "\r\n") || p.PackageName == "" || p.PackageDownloadLocation == "" {
			t.Errorf("package %+v lacks what every package has", p)
		}
		if p.PackageLicenseDeclared == noAssertion {
			continue
		}
		x, err := spdx.Parse(p.PackageLicenseDeclared)
		if err != nil || uses(x, "AdditionRef-") || uses(x, "DocumentRef-") {
			t.Errorf("%s declares %q: %v", id, p.PackageLicenseDeclared, err)
			continue
		}
		for _, l := range ownLicenses(x) {
			if !own[l] {
				t.Errorf("%s declares %s, of which the document says nothing", id, l)
			}
		}
	}
	if strings.Contains(doc.DocumentNamespace, "#") || !strings.Contains(doc.DocumentNamespace, "://") {
		t.Errorf("namespace %q", doc.DocumentNamespace)
	}
}

func TestIncludedRegistry(t *testing.T) {
	c := build(t, registry.FromFS(os.DirFS("../../../registry")), &stamp)
	data, doc, notes := written(t, c)
	live := 0
	for _, k := range c.Index.Kinds {
		live += k.EntryCount
	}
	if len(doc.Packages) != live || live == 0 {
		t.Errorf("%d packages for %d live entries", len(doc.Packages), live)
	}
	if again, _, _ := written(t, build(t, registry.FromFS(os.DirFS("../../../registry")), &stamp)); !bytes.Equal(data, again) {
		t.Error("a second time it differs")
	}
	for _, n := range notes {
		t.Logf("%s: %s", n.Text, strings.Join(n.Entries, ", "))
	}
	// What is written here is an SBOM to those who read one.
	read, err := sbom.Read(bytes.NewReader(data))
	if err != nil || len(read.Packages) != live {
		t.Errorf("as an SBOM it has %d packages, %v", len(read.Packages), err)
	}
}

func TestGolden(t *testing.T) {
	const name = "testdata/document.txtar"
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, want := map[string]string{}, map[string]string{}
	var in []txtar.File
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want-") {
			want[f.Name] = string(f.Data)
			continue
		}
		in = append(in, f)
		files[f.Name] = string(f.Data)
	}
	data, _, notes := written(t, build(t, tree(files), &stamp))
	var said strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&said, "%s: %s\n", n.Text, strings.Join(n.Entries, ", "))
	}
	got := map[string]string{"want-document.json": string(data), "want-notes": said.String()}
	if *update {
		a.Files = append(in, txtar.File{Name: "want-notes", Data: []byte(got["want-notes"])},
			txtar.File{Name: "want-document.json", Data: []byte(got["want-document.json"])})
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const one = "schema: dpg/v1\nid: one\nname: One\ntypes: [software]\nstatus: {stage: dpg}\n"

func settings(more string) string {
	return "schema: registry/v1\nname: A registry\npublisher: {name: P}\nlanguages: [en]\nattribution: A\n" + more
}

func TestRefuses(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		head  *registry.Stamp
		want  string
	}{
		{"no commit", map[string]string{"dpgs/one.yaml": one}, nil, "commit what is changed"},
		{"other licence", map[string]string{"dpgs/one.yaml": one, "registry.yaml": settings("license: CC-BY-4.0\n")}, &stamp, `under "CC-BY-4.0"`},
		{"nothing live", map[string]string{"dpgs/one.yaml": strings.Replace(one, "stage: dpg", "stage: archived", 1)}, &stamp, "no live entry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Write(io.Discard, build(t, tree(tt.files), tt.head)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNamespace(t *testing.T) {
	tests := []struct{ base, want string }{
		{"base_url: https://example.org/sub/\n", "https://example.org/sub/spdx/" + stamp.Commit},
		{"base_url: https://example.org\n", "https://example.org/spdx/" + stamp.Commit},
		{"base_url: 'https://example.org/#here'\n", "https://spdx.org/spdxdocs/A-registry-" + stamp.Commit},
		{"base_url: not an address\n", "https://spdx.org/spdxdocs/A-registry-" + stamp.Commit},
		{"", "https://spdx.org/spdxdocs/A-registry-" + stamp.Commit},
	}
	for _, tt := range tests {
		_, doc, _ := written(t, build(t, tree(map[string]string{"dpgs/one.yaml": one, "registry.yaml": settings("license: CC0-1.0\n" + tt.base)}), &stamp))
		if doc.DocumentNamespace != tt.want {
			t.Errorf("%q: namespace = %q, want %q", tt.base, doc.DocumentNamespace, tt.want)
		}
	}
}

// Whatever an entry says, what is written is a document.
func TestHostile(t *testing.T) {
	const evil = `"\"a\\b\n}\u0000<script>\u202e"`
	_, _, notes := written(t, build(t, tree(map[string]string{
		"dpgs/evil.yaml": "schema: dpg/v1\nid: evil\nname: " + evil + "\ndescription: " + evil + "\nwebsite: " + evil + "\ntypes: [software]\n" +
			"licenses: [{expression: " + evil + ", url: " + evil + "}, {expression: MIT}]\nrepositories: [{url: " + evil + "}, {url: 'javascript:alert(1)'}]\n" +
			"organizations: [{role: owner, name: " + evil + "}]\nsame_as: {purl: " + evil + ", wikidata: " + evil + "}\nstatus: {stage: dpg}\n",
		"dpgs/a_b.yaml": "schema: dpg/v1\nid: a_b\nname: ''\ntypes: [software]\nstatus: {stage: dpg}\n",
	}), &stamp))
	var texts []string
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	if want := []string{noteExpression, noteAddress, notePURL, noteWikidata, noteQuotes}; !slices.Equal(texts, want) {
		t.Errorf("notes = %q, want %q", texts, want)
	}
}
