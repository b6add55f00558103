package importer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// fuzz holds of anything that is read: no record is lost, what is written stays
// below the folders of entries and can be read back, and importing it again finds
// nothing to do.
func fuzz(f *testing.F, seeds []string, read func(context.Context, *importer.Source) (*importer.Batch, error)) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := read(t.Context(), stream(string(data)))
		if err != nil {
			if !errors.Is(err, importer.ErrFormat) {
				t.Errorf("error %v, want an ErrFormat", err)
			}
			return
		}
		if b.Read != len(b.Records)+len(b.Refused) {
			t.Fatalf("%d records were read, %d kept, %d refused", b.Read, len(b.Records), len(b.Refused))
		}
		p, folder := plan(t, nil, b, importer.Options{})
		if len(p.Outcomes) != b.Read {
			t.Fatalf("%d records became %d outcomes", b.Read, len(p.Outcomes))
		}
		if err := p.Write(t.Context(), folder, nil); err != nil {
			t.Fatal(err)
		}
		names, _ := folder.Files()
		for _, name := range names {
			text, _ := folder.Read(name)
			if _, found := source.Parse(name, text); len(found) > 0 {
				t.Errorf("%s: %s\n%s", name, found[0].Message, text)
			}
			kind, base, _ := strings.Cut(name, "/")
			if name != "registry.yaml" && (kind != "dpgs" && kind != "resources" || strings.ContainsAny(base, `/\`) || strings.HasPrefix(base, ".")) {
				t.Errorf("a file is called %q", name)
			}
		}
		again, err := importer.Prepare(t.Context(), folder, b, importer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range again.Outcomes {
			if was := p.Outcomes[i]; was.Action == importer.Written && o.Action != importer.Same {
				t.Errorf("%s %q was written, and is then %s: %s %s", o.Record, o.ID, o.Action, o.Why, conflicts(o))
			}
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	fuzz(f, []string{
		"kind,id,name,types,licenses,sdgs,stage,dpga_id\r\ndpg,a,'=A,software|data,MIT,3|4,dpg,a\r\n",
		"\xff\xfen\x00a\x00m\x00e\x00\n\x00A\x00\n\x00", "name;description\n\"A\";\"b\nc\"\n", "name\tdeployed_in\nCaf\xe9\tNorway\n", "name,name\n", "id\n../x\n\x00\n",
	}, func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
		return importer.ReadCSV(ctx, s, importer.Table{AsOf: "2026-01-15", Origin: "https://a.example.org/t.csv"})
	})
}

func FuzzReadDPGAAPI(f *testing.F) {
	fuzz(f, []string{
		`[{"dpgId": 1, "slug": "a", "name": "A", "openLicense": ["MIT"], "sdgs": [{"number": 3}], "deploymentCountries": ["Norway"], "ownerName": "X", "openStandards": ["Y"]}]`,
		`{"data": [{"slug": "a", "openlicenses": [{"openLicense": "MIT"}]}, 3, null, {"name": {"en": []}}]}`, `[[[]]]`, `{"a": []}`,
	}, func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
		return importer.ReadDPGAAPI(ctx, s, importer.Live{AsOf: "2026-01-15"})
	})
}

func FuzzReadCatalog(f *testing.F) {
	fuzz(f, []string{
		`{"schema_version": "1.0", "entries": {"dpg": [{"id": "a", "kind": "dpg", "name": "A", "description": {"en": "x", "fr": "y"}, "status": {"stage": "dpg"}, "standard": {"privacy": {"answer": "yes"}}, "updated_at": "2026-01-15T12:00:00Z"}]}}`,
		`{"schema_version": "1.0", "entries": {"resource": [{"id": "a", "name": "A", "language": "fr", "description": {"fr": "x"}, "sources": [{"url": "https://b.example.org/api/v1/resources/a.json"}]}, [], 3, {"id": 3}]}}`,
		`{"schema_version": "1.0", "entries": {"dpg": [{"id": "a", "name": "A", "status": 3, "licenses": [null, 3], "locations": {"deployed_in": [1]}, "same_as": []}]}}`,
	}, func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
		return importer.ReadCatalog(ctx, s, importer.Federation{Origin: "https://b.example.org/"})
	})
}

func FuzzReadPubliccode(f *testing.F) {
	fuzz(f, []string{
		"name: A\nurl: https://git.example.org/a\ndescription: {en: {shortDescription: x, localisedName: B}, it: {longDescription: y}}\nlegal: {license: MIT, repoOwner: C}\n",
		"name: {a: b}\ndescription: [en]\nlegal: x\n", "name: A\ndescription: {en: &a {shortDescription: x}, it: *a}\n",
	}, func(ctx context.Context, s *importer.Source) (*importer.Batch, error) {
		return importer.ReadPubliccode(ctx, s, importer.Project{AsOf: "2026-01-15"})
	})
}

func FuzzReadColumns(f *testing.F) {
	f.Add([]byte("columns: {name: Title}\nvalues: {types: software}\nsplit: \";\"\n"))
	f.Add([]byte("columns: [a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := importer.ReadColumns("columns.yaml", data)
		if err == nil {
			_, err = importer.ReadCSV(t.Context(), stream("name,Title\nA,B\n"), table)
		}
		if err != nil && !errors.Is(err, importer.ErrFormat) {
			t.Errorf("error %v, want an ErrFormat", err)
		}
	})
}
