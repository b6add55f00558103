//go:build soak

package publish

import (
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// A real server says whether what the fake one lets pass is so: conditions, types,
// metadata, deletions.
func TestMinIO(t *testing.T) {
	program, err := exec.LookPath("minio")
	if err != nil {
		t.Skip("SKIPPED: minio is not installed: go install github.com/minio/minio@latest")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	cmd := exec.Command(program, "server", "--quiet", "--address", at, "--console-address", "127.0.0.1:0", t.TempDir())
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER=someone", "MINIO_ROOT_PASSWORD=hunter2hunter2", "CI=true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	a, err := Parse("s3://catalogs/p?endpoint=http://" + at)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBucket(a, Secrets{Key: "someone", Secret: "hunter2hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		if err = b.client.MakeBucket(t.Context(), "catalogs", minio.MakeBucketOptions{}); err == nil {
			break
		}
		if tries == 60 {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	read := func() map[string]string {
		there, err := b.list(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for name := range there {
			o, err := b.client.GetObject(t.Context(), "catalogs", b.key(name), minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(o)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(data)
		}
		return files
	}
	p := place{Target: b, files: read}
	publish(t, p, first)
	p.holds(t, first, nil)
	if r := publish(t, p, first); len(r.Written) != 0 {
		t.Errorf("again: %s", r)
	}
	publish(t, p, second)
	p.holds(t, second, nil)
	info, err := b.client.StatObject(t.Context(), "catalogs", b.key(manifestName), minio.StatObjectOptions{})
	if err != nil || info.ContentType != "application/json" || info.Metadata.Get("Cache-Control") != "no-cache" {
		t.Errorf("the manifest has type %q and cache control %q, %v", info.ContentType, info.Metadata.Get("Cache-Control"), err)
	}
	// Somebody else moves the manifest: the one who looked before is told.
	files, manifest, err := contents(catalogOf(t, first))
	if err != nil {
		t.Fatal(err)
	}
	r := &round{Bucket: b, files: files, manifest: manifest}
	for _, etag := range []string{"", "d41d8cd98f00b204e9800998ecf8427e"} {
		if _, err := r.putManifest(t.Context(), etag); err != errOther {
			t.Errorf("a manifest put over one with ETag %q: %v, want %v", etag, err, errOther)
		}
	}
	third := maps.Clone(second)
	third["index.html"] = "<p>three"
	publish(t, p, third)
	p.holds(t, third, nil)
}
