package github_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/forge/github/githubtest"
)

// packet is a line of Git's protocol.
func packet(data string) string { return fmt.Sprintf("%04x%s", len(data)+4, data) }

// endlessRefs is a repository that has branches without end.
func endlessRefs(w io.Writer) error {
	if _, err := io.WriteString(w, packet("# service=git-upload-pack\n")+"0000"+packet(strings.Repeat("1", 40)+" HEAD\x00symref=HEAD:refs/heads/main side-band-64k\n")); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if _, err := io.WriteString(w, packet(fmt.Sprintf("%040d refs/heads/b%09d\n", i+1, i))); err != nil {
			return err
		}
	}
}

// endlessPack says that it has so many files, and never ends.
func endlessPack(objects string) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, packet("NAK\n")+packet("\x01PACK\x00\x00\x00\x02"+objects)); err != nil {
			return err
		}
		noise := rand.New(rand.NewPCG(1, 2)) // does not pack
		for {
			var b bytes.Buffer
			b.WriteString("\x01\xb0\xee\x05") // a blob of 12,000 bytes, in the way packs write it
			z := zlib.NewWriter(&b)
			data := make([]byte, 12000)
			for i := range data {
				data[i] = byte(noise.Uint32())
			}
			z.Write(data)
			z.Close()
			if _, err := io.WriteString(w, packet(b.String())); err != nil {
				return err
			}
		}
	}
}

// slowly sends one packet, and another now and then.
func slowly(first, then string) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, first); err != nil {
			return err
		}
		for {
			if _, err := io.WriteString(w, then); err != nil {
				return err
			}
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func TestGitIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name, at string
		send     func(io.Writer) error
		want     string
	}{
		{"branches without end", "info/refs", endlessRefs, "sends more than 1048576 bytes"},
		{"a pack without end", "git-upload-pack", endlessPack("\x00\x01\x00\x00"), "sends more than 1048576 bytes"},
		{"a pack of all objects there can be", "git-upload-pack", endlessPack("\xff\xff\xff\xff"), "4294967295 objects"},
		{"branches that trickle", "info/refs", slowly(packet("# service=git-upload-pack\n")+"0000"+packet(strings.Repeat("1", 40)+" HEAD\x00side-band-64k\n"), packet(strings.Repeat("2", 40)+" refs/heads/x\n")), "was not done within 2s"},
		{"a pack that trickles", "git-upload-pack", slowly(packet("NAK\n"), packet("\x02still counting\n")), "was not done within 2s"},
		{"no pack at all", "git-upload-pack", func(io.Writer) error { return nil }, ""},
	} {
		for _, cache := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, cache %v", tt.name, cache), func(t *testing.T) {
				t.Parallel()
				s := githubtest.New(t, githubtest.Options{})
				bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, tt.at) {
						s.ServeHTTP(w, r)
						return
					}
					kind := "result"
					if tt.at == "info/refs" {
						kind = "advertisement"
					}
					w.Header().Set("Content-Type", "application/x-git-upload-pack-"+kind)
					tt.send(w)
				}))
				t.Cleanup(bad.Close)
				opt := options(t, s)
				opt.Server, opt.GitBytes, opt.GitTime = bad.URL, 1<<20, time.Minute
				if strings.Contains(tt.want, "2s") {
					opt.GitTime = 2 * time.Second
				}
				if cache {
					opt.Cache = t.TempDir()
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				f := open(t, opt)
				_, err := f.Git(ctx)
				if err == nil || !strings.Contains(err.Error(), tt.want) || ctx.Err() != nil {
					t.Errorf("Git = %v, want it to say %q", err, tt.want)
				}
				// What was cut short does no harm.
				opt.Server, opt.GitBytes, opt.GitTime = s.URL(), 0, 0
				f = open(t, opt)
				repo, err := f.Git(ctx)
				if err != nil {
					t.Fatalf("Git of a good server afterwards = %v", err)
				}
				if head, err := repo.Head(); err != nil || head.Hash().String() != s.Head("main") {
					t.Errorf("HEAD = %v, %v", head, err)
				}
			})
		}
	}
}

// A bound on bytes is one on everything that a fetch reads.
func TestGitBytes(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	var noise bytes.Buffer
	for i := range 60_000 {
		fmt.Fprintf(&noise, "%x", i*i*2654435761)
	}
	s.Commit("main", map[string]string{"big": noise.String()}, "big")
	opt := options(t, s)
	opt.GitBytes = 64 << 10
	if _, err := open(t, opt).Git(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Errorf("Git = %v", err)
	}
	opt.GitBytes = 0
	if _, err := open(t, opt).Git(t.Context()); err != nil {
		t.Errorf("Git within 2 GiB = %v", err)
	}
}

// A pack that is small and unfolds to much is one too many for memory.
func TestUnfolding(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	for i := range 4 {
		s.Commit("main", map[string]string{"zeros": strings.Repeat("0", 1<<20+i)}, "zeros")
	}
	opt := options(t, s)
	opt.GitBytes = 1 << 20
	if _, err := open(t, opt).Git(t.Context()); err == nil || !strings.Contains(err.Error(), "once unpacked") {
		t.Errorf("Git = %v", err)
	}
	opt.Cache = t.TempDir() // on disk they stay packed
	if _, err := open(t, opt).Git(t.Context()); err != nil {
		t.Errorf("Git with a cache = %v", err)
	}
}

// No token and no key is ever written down or said.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	cache := t.TempDir()
	var secrets []string
	look := func(what, text string) {
		t.Helper()
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a secret: %.300q", what, text)
			}
		}
	}
	note := func(err error) {
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&said, "%v\n%+v\n%#v\n", err, err, err)
			if many, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range many.Unwrap() {
					fmt.Fprintf(&said, "%v\n", e)
				}
			}
		}
	}
	kinds := map[string]func(*world){
		"workflow": func(w *world) {},
		"pushing":  func(w *world) { w.opt.Push = true },
		"person":   func(w *world) { w.opt.Tokens, w.opt.Login = github.StaticToken(w.PersonToken("octo")), "" },
		"app": func(w *world) {
			id, key := w.AddApp("dpg-bot")
			for line := range strings.Lines(string(key)) {
				if len(line) > 60 {
					secrets = append(secrets, strings.TrimSpace(line))
				}
			}
			note(github.AsApp(t.Context(), &w.opt, id, key))
			note(github.AsApp(t.Context(), &github.Options{Owner: "octo", Name: "registry", API: w.API()}, id, key[:900]))
		},
	}
	runs := 0
	for kind, set := range kinds {
		for _, fault := range []githubtest.Fault{{Nth: 1 << 30}, {Status: 401, Times: -1}, {Status: 403, Body: `{"message":"Resource not accessible by integration"}`, Times: -1}, {Refuse: true, Times: -1}, {Status: 301, Header: http.Header{"Location": {"http://elsewhere.invalid/"}}, Times: -1}} {
			w := newWorld(t, func(o *github.Options) {
				o.Cache = filepath.Join(cache, kind)
				o.Log = func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) }
			})
			set(w)
			token, err := w.opt.Tokens.Token(t.Context())
			if err != nil || token == "" {
				t.Fatalf("%s: no token: %v", kind, err)
			}
			secrets = append(secrets, token)
			fmt.Fprintf(&said, "%v %+v %#v\n", w.opt.Tokens, w.opt.Tokens, w.opt.Tokens)
			w.Forge = open(t, w.opt)
			w.Fail(fault)
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			for _, tt := range writes {
				note(tt.do(ctx, w))
			}
			_, err = w.Git(ctx)
			note(err)
			_, err = w.PullRequests(ctx, forge.Filter{})
			note(err)
			cancel()
			runs++
			look("the state", w.State())
		}
	}
	look("what was said", said.String())
	files := 0
	err := filepath.WalkDir(cache, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(name)
		look(name, string(data))
		return err
	})
	if err != nil || files == 0 || said.Len() == 0 {
		t.Errorf("looked at %d files and %d bytes said: %v", files, said.Len(), err)
	}
	t.Logf("%d runs, %d files and %d bytes said hold none of %d secrets", runs, files, said.Len(), len(secrets))
}
