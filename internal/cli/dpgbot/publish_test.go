package dpgbot

import (
	"bytes"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// The whole way to a bucket, with credentials from the environment, none of which
// comes out again.
func TestPublishToBucket(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("catalogs"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer srv.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_SESSION_TOKEN": "hunter3",
		"AWS_ENDPOINT_URL_S3": srv.URL, "AWS_REGION": "eu-1",
	} {
		t.Setenv(name, value)
	}
	const page = "<p>a catalog"
	built := t.TempDir()
	// The SHA-256 is that of the page.
	manifest := `{
  "schema_version": "1.0",
  "license": null,
  "attribution": null,
  "source_commit": null,
  "generated_at": null,
  "pages_path": null,
  "files": [
    {
      "path": "index.html",
      "bytes": 12,
      "sha256": "SUM"
    }
  ]
}
`
	put := func(name, data string) {
		t.Helper()
		name = filepath.Join(built, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("index.html", page)
	put("api/v1/manifest.json", strings.Replace(manifest, "SUM", "d492c9cfcfa3e4ab5e649cc8ad5953401df24ff3fc3987dcae30125cce75b2d1", 1))
	for _, want := range []string{"2 files written, 0 removed, 0 as they were", "0 files written, 0 removed, 2 as they were"} {
		var out, said bytes.Buffer
		code := Main([]string{"publish", "--catalog", built, "--to", "s3://catalogs/registry"}, strings.NewReader(""), &out, &said)
		if code != 0 || out.Len() > 0 || said.String() != "published to s3://catalogs/registry: "+want+"\n" {
			t.Errorf("publish exits %d and says %q %q, want %q", code, &out, &said, want)
		}
	}
	o, err := backend.GetObject("catalogs", "registry/index.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Contents.Close()
	if got, err := io.ReadAll(o.Contents); err != nil || string(got) != page {
		t.Errorf("published: %q, %v", got, err)
	}
	// A store that is not there, and one that is none.
	for _, to := range []string{"s3://nowhere/x", "s3://catalogs/x?endpoint=http://127.0.0.1:1"} {
		var said bytes.Buffer
		code := Main([]string{"publish", "--catalog", built, "--to", to}, strings.NewReader(""), &said, &said)
		if code != 3 || strings.Contains(said.String(), "hunter") {
			t.Errorf("publish to %s exits %d, want 3, and says %s", to, code, &said)
		}
	}
}
