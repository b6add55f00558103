package registry_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// Whatever a tree holds, loading says what is wrong with each file and goes on.
func TestLoadReportsEveryFile(t *testing.T) {
	good := &fstest.MapFile{Data: []byte(yamlEntry("good", "Good"))}
	files := fstest.MapFS{
		"dpgs/good.yaml":         good,
		"dpgs/sub/deep.yaml":     {Data: []byte(yamlEntry("deep", "Deep"))},
		"dpgs/link.yaml":         {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink},
		"dpgs/pipe.yaml":         {Mode: fs.ModeNamedPipe},
		"dpgs/latin.yaml":        {Data: []byte("name: caf\xe9\n")},
		"dpgs/nul.yaml":          {Data: []byte("name: \x00\n")},
		"dpgs/big.yaml":          {Data: bytes.Repeat([]byte("#"), 2<<20)},
		"dpgs/twice.yaml":        {Data: []byte("id: twice\nid: twice\n")},
		"dpgs/deep.yaml":         {Data: []byte(strings.Repeat("[", 1<<20))},
		"dpgs/other.json":        {Data: []byte("{}")},
		"dpgs/.hidden.yaml":      {Data: []byte("{")},
		"dpgs/backup.yaml~":      {Data: []byte("{")},
		"dpgs/README.md":         {Data: []byte("{")},
		"dgps/typo.yaml":         {Data: []byte("{}")},
		"notes.md":               {Data: []byte("{")},
		"frameworks/broken.yaml": {Data: []byte("schema: framework/v2\n")},
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(files), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range reg.Findings {
		if got[d.Path] == "" {
			got[d.Path] = d.Rule
		}
		if d.Severity != diag.Error || d.Message == "" {
			t.Errorf("weak finding %+v", d)
		}
	}
	for name, want := range map[string]string{
		"registry/dpgs/link.yaml":         "file-symlink",
		"registry/dpgs/pipe.yaml":         "file-symlink",
		"registry/dpgs/latin.yaml":        "file-encoding",
		"registry/dpgs/nul.yaml":          "file-encoding",
		"registry/dpgs/big.yaml":          "file-size",
		"registry/dpgs/twice.yaml":        "duplicate-key",
		"registry/dpgs/deep.yaml":         "yaml-depth",
		"registry/dpgs/other.json":        "file-name",
		"registry/dgps/typo.yaml":         "file-place",
		"registry/frameworks/broken.yaml": "schema-enum",
	} {
		if got[name] != want {
			t.Errorf("%s: first finding is %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	for name, rule := range got {
		t.Errorf("%s: unexpected finding %s", name, rule)
	}
	if doc := reg.At("registry/dpgs/good.yaml"); doc == nil || doc.Entry == nil || doc.Entry.Name != "Good" {
		t.Errorf("the good entry is lost: %+v", doc)
	}
}

// A registry without settings, policy or frameworks uses what is built in; its
// own win.
func TestBuiltinAndOwn(t *testing.T) {
	own := fstest.MapFS{
		"registry.yaml": {Data: []byte("schema: registry/v1\nname: Mine\npublisher: {name: Me}\nlanguages: [fr]\nkinds: [dpg]\nframeworks: [dpi-safeguards, house]\nlicense: CC0-1.0\nattribution: Me\n")},
		"frameworks/house.yaml": {Data: []byte(`schema: framework/v1
id: house
name: House rules
version: "1"
source: {publisher: Me, url: "https://example.org/", license: CC0-1.0, attribution: Me}
lists: [{id: rules, name: Rules}]
codes: [{code: R1, list: rules, name: First, description: The first rule.}]
`)},
	}
	for _, tt := range []struct {
		name       string
		files      fs.FS
		frameworks string
		language   string
		kinds      int
	}{
		{"nothing of its own", fstest.MapFS{}, "dpg-charter dpg-standard dpi-safeguards sdgs", "en", 2},
		{"its own", own, "dpi-safeguards house", "fr", 1},
	} {
		reg, err := registry.Load(t.Context(), registry.FromFS(tt.files), registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(reg.Findings) > 0 {
			t.Errorf("%s: %v", tt.name, reg.Findings)
		}
		if got := strings.Join(reg.Frameworks.IDs(), " "); got != tt.frameworks {
			t.Errorf("%s: frameworks are %s, want %s", tt.name, got, tt.frameworks)
		}
		if reg.Settings.Language() != tt.language || len(reg.Kinds) != tt.kinds {
			t.Errorf("%s: language %s, %d kinds; want %s, %d", tt.name, reg.Settings.Language(), len(reg.Kinds), tt.language, tt.kinds)
		}
		if len(reg.Policy.Licenses) == 0 {
			t.Errorf("%s: no licence policy applies", tt.name)
		}
	}
}

// A symbolic link in a real folder is reported and never read.
func TestSymlinkOnDisk(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(secret, []byte(yamlEntry("secret", "Secret")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dpgs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "dpgs", "secret.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(secret), filepath.Join(dir, "resources")); err != nil {
		t.Fatal(err)
	}
	reg, err := registry.Load(t.Context(), registry.FromFS(os.DirFS(dir)), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(reg.Docs) > 0 && reg.Docs[0].Entry != nil {
		t.Errorf("the link was followed: %+v", reg.Docs[0].Entry)
	}
	if len(reg.Findings) == 0 {
		t.Error("the link is not reported")
	}
}
