package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the tests of crashes, full disks and two runs at once work on.
const (
	clinicNotes = `schema: dpg/v1
id: clinic-notes
name: Clinic Notes
description: Free software for small clinics. It keeps patient records on a tablet and encrypts them with AES-256.
types: [software]
licenses: [{expression: Apache-2.0}]
status: {stage: nominee, as_of: 2026-01-15}
`
	openGuide = `schema: resource/v1
id: open-guide
name: Open Guide
url: https://guide.example.org/
status: {stage: listed, as_of: 2026-01-15}
`
)

// smallSettings makes a catalog of few files.
const smallSettings = `schema: registry/v1
name: Small
description: A registry for tests.
notice: Nothing in it is real.
publisher: {name: Ada, url: https://example.org}
contact_url: https://example.org/contact
base_url: https://example.org/
repository: https://example.org/repository
languages: [en]
kinds: [dpg, resource]
frameworks: [dpg-charter]
license: CC0-1.0
attribution: Ada
`

// predecessor is a small checkout of publicgoods-candidates.
var predecessor = map[string]string{
	"old/nominees/clinic-notes.json":       `{"name": "Clinic Notes", "type": ["software"], "license": [{"spdx": "Apache-2.0", "licenseURL": ""}], "stage": "nominee"}`,
	"old/nominees/open-map.json":           `{"name": "Open Map", "type": ["data"], "license": [{"spdx": "ODbL-1.0", "licenseURL": ""}], "stage": "DPG"}`,
	"old/digitalpublicgoods/open-map.json": `{"name": "Open Map", "locations": {"developmentCountries": ["Norway"], "deploymentCountries": []}}`,
}

// Builds of one folder at once end as one does, or say that another is at work.
func TestBuildsAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders are not locked on Windows")
	}
	dir := t.TempDir()
	for name, data := range map[string]string{"registry.yaml": smallSettings, "dpgs/clinic-notes.yaml": clinicNotes, "resources/open-guide.yaml": openGuide} {
		full := filepath.Join(dir, "registry", name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := run(t, dir, "dpg", "build", "--out", "alone"); code != 0 {
		t.Fatal(stderr)
	}
	var wait sync.WaitGroup
	built := make([]bool, 4)
	for i := range built {
		wait.Go(func() {
			stderr, code := again(t, dir, []string{"dpg", "build", "--out", "public"})
			built[i] = code == 0
			if code != 0 && (code != 3 || !strings.Contains(stderr, "another run is writing to public; wait until it ends, then run this again")) {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
	wait.Wait()
	if !slices.Contains(built, true) {
		t.Error("none of the builds finished")
	}
	want, err := tree(filepath.Join(dir, "alone"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tree(filepath.Join(dir, "public"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("builds at once (-alone +together):\n%s", diff)
	}
}

// again is run without *testing.T's Fatal, which other goroutines must not call.
func again(t *testing.T, dir string, args []string) (stderr string, code int) {
	var b bytes.Buffer
	c := exec.CommandContext(t.Context(), args[0], args[1:]...)
	c.Dir, c.Stderr = dir, &b
	c.Env = append(os.Environ(), environment(dir)...)
	if err := c.Run(); err != nil && c.ProcessState == nil {
		return err.Error(), -1
	}
	return b.String(), c.ProcessState.ExitCode()
}
