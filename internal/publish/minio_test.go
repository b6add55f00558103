//go:build soak

package publish

import (
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// A real server says whether what the fake one lets pass is so: conditions, types,
// metadata, deletions.
func TestMinIO(t *testing.T) {
	m := newMinIO(t)
	p := m.place(t, "p")
	publish(t, p, first)
	p.holds(t, first, nil)
	if r := publish(t, p, first); len(r.Written) != 0 {
		t.Errorf("again: %s", r)
	}
	if wrote := m.since(); len(wrote) != len(first)+1 || wrote[len(wrote)-1] != "PUT p/"+manifestName {
		t.Errorf("a first time and a second wrote %q, want each file once and the manifest last", wrote)
	}
	publish(t, p, second)
	p.holds(t, second, nil)
	// What changed, in any order; then the manifest; then what is listed no more.
	wrote := m.since()
	want := []string{"PUT p/api/v1/dpgs/b.json", "PUT p/api/v1/index.json", "PUT p/api/v1/views/type/software.json"}
	if at := slices.Index(wrote, "PUT p/"+manifestName); at != len(want) || !slices.Equal(slices.Sorted(slices.Values(wrote[:at])), want) {
		t.Errorf("it wrote %q, want %q and then the manifest", wrote, want)
	} else {
		for _, w := range wrote[at+1:] {
			if !strings.HasPrefix(w, "POST ") && !strings.HasPrefix(w, "DELETE ") {
				t.Errorf("after the manifest came %q, want deletions only", w)
			}
		}
	}
	b := p.Target.(*Bucket)
	info, err := b.client.StatObject(t.Context(), bucketForTests, b.key(manifestName), minio.StatObjectOptions{})
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

// The program is killed, as the kernel kills, while it publishes to a real store: at
// its first request that writes, its last, and some between. What the manifest of
// before lists is there until the new one is, and the next run makes all of it good.
func TestMinIOKilled(t *testing.T) {
	m := newMinIO(t)
	program := filepath.Join(t.TempDir(), "dpgbot")
	if said, err := exec.Command("go", "build", "-o", program, "../../cmd/dpgbot").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	before, after := map[string]string{}, map[string]string{}
	for i := range 200 {
		name := fmt.Sprintf("api/v1/dpgs/entry-%d.json", i)
		before[name], after[name] = fmt.Sprintf(`{"id":"entry-%d"}`, i), fmt.Sprintf(`{"id":"entry-%d","name":%d}`, i, i/2)
	}
	for i := range 20 {
		before[fmt.Sprintf("api/v1/views/type/old-%d.json", i)] = "[]"
		after[fmt.Sprintf("api/v1/views/type/new-%d.json", i)] = "[]"
	}
	folder := t.TempDir()
	if _, err := catalogOf(t, after).Write(folder); err != nil {
		t.Fatal(err)
	}
	run := func(prefix string) ([]byte, error) {
		cmd := exec.Command(program, "publish", "--catalog", folder, "--to", "s3://"+bucketForTests+"/"+prefix+"?endpoint="+m.url)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+m.secrets.Key, "AWS_SECRET_ACCESS_KEY="+m.secrets.Secret)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		m.onKill(func() { cmd.Process.Kill() })
		err := cmd.Wait()
		return []byte(said.String()), err
	}
	for _, k := range []int{1, 2, 50, 150, 219, 220, 221, 222} {
		prefix := fmt.Sprintf("killed-%d", k)
		p := m.place(t, prefix)
		publish(t, p, before)
		m.since()
		m.killAt(k)
		said, err := run(prefix)
		m.killAt(0)
		var exit *exec.ExitError
		if died := errors.As(err, &exit) && exit.ExitCode() == -1; !died && k <= 221 {
			t.Errorf("killed at request %d it ended with %v: %s", k, err, said)
		}
		left := p.files()
		old, want := wholeOf(t, before), wholeOf(t, after)
		if left[manifestName] == old[manifestName] {
			for name := range old {
				if left[name] == "" {
					t.Errorf("killed at request %d, %s is gone and the manifest of before lists it", k, name)
				}
			}
		} else {
			for name := range want {
				if left[name] != want[name] {
					t.Errorf("killed at request %d, %s is not there and the new manifest lists it", k, name)
				}
			}
		}
		had := len(m.since())
		if said, err := run(prefix); err != nil {
			t.Fatalf("the run after the one killed at %d: %v\n%s", k, err, said)
		}
		p.holds(t, after, nil)
		// What had arrived is not sent again, but for what was on its way.
		needed := len(m.since())
		if all := len(after) + 1 + 20; needed > all-had+parallel {
			t.Errorf("killed at request %d, after %d writes of %d, %d more made it good", k, had, all, needed)
		}
		t.Logf("killed at request %d: %d writes had gone through, %d made it good", k, had, needed)
	}
}

// A store of MinIO, with a proxy before it that notes what is written and may kill
// the writer.
type minIO struct {
	url     string
	secrets Secrets
	client  *minio.Client

	mu     sync.Mutex
	wrote  []string
	seen   int // requests that write
	killed int // at which of them; 0 is never
	kill   func()
}

func newMinIO(t *testing.T) *minIO {
	t.Helper()
	program, err := exec.LookPath("minio")
	if err != nil {
		t.Fatal("minio is not here, so NOTHING WAS TRIED against a real store; make soak installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	m := &minIO{secrets: Secrets{Key: "someone", Secret: "hunter2hunter2"}}
	cmd := exec.Command(program, "server", "--quiet", "--address", at, "--console-address", "127.0.0.1:0", t.TempDir())
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+m.secrets.Key, "MINIO_ROOT_PASSWORD="+m.secrets.Secret, "CI=true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: at})
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !m.lets(r) {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	m.url = server.URL
	a, err := Parse("s3://" + bucketForTests + "/p?endpoint=" + m.url)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBucket(a, m.secrets, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.client = b.client
	for tries := 0; ; tries++ {
		if err = m.client.MakeBucket(t.Context(), bucketForTests, minio.MakeBucketOptions{}); err == nil {
			break
		}
		if tries == 60 {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	m.since()
	return m
}

// lets notes a request that writes, and reports false where the writer was killed
// before it.
func (m *minIO) lets(r *http.Request) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen++
	if m.killed > 0 && m.seen >= m.killed {
		for m.kill == nil { // the program is just being started
			m.mu.Unlock()
			time.Sleep(time.Millisecond)
			m.mu.Lock()
		}
		m.kill()
		return false
	}
	name := strings.TrimPrefix(r.URL.Path, "/"+bucketForTests+"/")
	m.wrote = append(m.wrote, r.Method+" "+name)
	return true
}

// since gives what was written since the last call.
func (m *minIO) since() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	wrote := m.wrote
	m.wrote = nil
	return wrote
}

func (m *minIO) killAt(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen, m.killed, m.kill = 0, n, nil
}

func (m *minIO) onKill(kill func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kill = kill
}

func (m *minIO) place(t *testing.T, prefix string) place {
	t.Helper()
	a, err := Parse("s3://" + bucketForTests + "/" + prefix + "?endpoint=" + m.url)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenBucket(a, m.secrets, nil)
	if err != nil {
		t.Fatal(err)
	}
	return place{Target: b, files: func() map[string]string {
		there, err := b.list(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for name := range there {
			o, err := b.client.GetObject(t.Context(), bucketForTests, b.key(name), minio.GetObjectOptions{})
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
	}}
}
