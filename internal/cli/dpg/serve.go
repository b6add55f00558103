package dpg

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/serve"
)

var serveCommand = cli.Command{
	Name:    "serve",
	Summary: "serve a catalog over HTTP, and answer searches in it",
	Help: `
Serves a built catalog until interrupted, or builds the registry's own into a
temporary folder first. It listens on this machine only, unless --addr says more.
Where the port is taken, the next free one is used; port 0 is any that is free.

Beside the files it answers /api/v1/search?q=WORDS, with filters such as kind, sdg,
license and country, and counts for each; /api/v1/search/openapi.json describes it.

A catalog that is built anew into the folder, or moved into its place, is taken in
within seconds once all of it is there, and so is a new commit of the registry; SIGHUP
has it looked for at once. Requests go on meanwhile.

One address may ask --rate times a second. Behind a proxy, name it with
--trusted-proxy, so that X-Forwarded-For is believed from it and from nobody else.`,
	Examples: []string{
		"dpg serve",
		"dpg serve --dir public --addr 127.0.0.1:9000",
		"dpg serve --dir public --addr 10.0.0.5:8080 --trusted-proxy 10.0.0.0/24",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		s := &serving{}
		flags.Func("trusted-proxy", "believe X-Forwarded-For from `NETWORK`, such as 10.0.0.0/24; may be repeated", s.trust)
		registryDir := cli.RegistryFlag(flags)
		flags.StringVar(&s.dir, "dir", "", "serve the catalog in `DIR` instead of building one")
		noHistory := flags.Bool("no-history", false, "do without Git's history: the dates of changes are null")
		addr := flags.String("addr", "127.0.0.1:8080", "listen on `ADDRESS`")
		flags.IntVar(&s.options.Rate, "rate", 100, "let one address ask `N` times a second; 0 is any number")
		flags.DurationVar(&s.poll, "poll", 2*time.Second, "look for a new catalog every `INTERVAL`; 0 is only at SIGHUP")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			switch {
			case len(args) > 0:
				return cli.Usagef("serve takes no arguments; name a folder with --dir DIR")
			case s.options.Rate < 0 || s.options.Rate > 1_000_000:
				return cli.Usagef("--rate %d is not between 0 and 1000000", s.options.Rate)
			case s.poll < 0 || s.poll > 0 && s.poll < 100*time.Millisecond:
				return cli.Usagef("--poll %s is neither 0 nor 100ms or more", s.poll)
			}
			s.options.Now = cli.Now
			if s.dir != "" {
				return s.run(ctx, o, *addr)
			}
			temporary, err := os.MkdirTemp("", "dpg-serve-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(temporary)
			s.dir = temporary
			s.build = func(ctx context.Context, o *cli.IO) error {
				cat, err := buildCatalog(ctx, o, *registryDir, *noHistory, 0)
				if err != nil {
					return err
				}
				_, err = cat.Write(temporary)
				return err
			}
			s.commit = func() (string, error) {
				repo, err := registry.FindRepo(*registryDir)
				if err != nil || repo == nil {
					return "", err
				}
				head, err := repo.Head()
				if err != nil || head == nil {
					return "", err
				}
				return head.Hash.String(), nil
			}
			return s.run(ctx, o, *addr)
		}
	},
}

// serving is a catalog that is served, and where newer ones come from.
type serving struct {
	dir     string
	options serve.Options
	poll    time.Duration

	// build writes the registry's catalog into dir, and commit names what it was
	// built from ("" outside Git); nil where somebody else writes it.
	build  func(context.Context, *cli.IO) error
	commit func() (string, error)

	built    string            // the commit that dir is built from
	manifest [sha256.Size]byte // of the catalog that is served
	root     *os.Root          // dir, as it was when that catalog was taken in
	before   *os.Root          // that of the catalog before, which an answer under way may still read
}

func (s *serving) closeRoots() {
	for _, r := range []*os.Root{s.root, s.before} {
		if r != nil {
			r.Close()
		}
	}
}

// trust takes an address or a range of them.
func (s *serving) trust(text string) error {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/24", text)
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	s.options.TrustedProxies = append(s.options.TrustedProxies, p)
	return nil
}

// maxConnections bounds what all readers hold open at one time.
const maxConnections = 4096

func (s *serving) run(ctx context.Context, o *cli.IO, addr string) error {
	// From the first: a hangup that nobody waits for ends a process.
	hangup := make(chan os.Signal, 1)
	notifyHangup(hangup)
	defer signal.Stop(hangup)
	done := o.Busy("building")
	defer done()
	if s.build != nil {
		var err error
		if s.built, err = s.commit(); err != nil {
			return err
		}
		if err := s.build(ctx, o); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return cli.Usagef("there is no folder %q to serve; dpg build --out %s makes one", s.dir, s.dir)
	}
	s.root = root
	defer s.closeRoots()
	if !holdsCatalog(root) {
		return cli.Usagef("%q holds no catalog; run dpg build --out %s first", s.dir, s.dir)
	}
	s.manifest = manifestOf(root)
	cat, err := serve.Load(ctx, root.FS(), 0)
	if err != nil {
		return err
	}
	l, err := listen(addr)
	if err != nil {
		return err
	}
	done()
	handler := serve.New(cat, s.options)
	o.Say("serving %s on http://%s/ (the API starts at http://%s/api/v1/index.json)", s.dir, l.Addr(), l.Addr())
	if !cat.Searchable() {
		o.Say("this catalog has no api/v1/full.ndjson, so it cannot be searched; dpg build writes one")
	}
	front := handler.Front(netutil.LimitListener(l, maxConnections))
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // what readers do wrong is told to them
	}
	watching, end := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(watching, o, handler, hangup)
	}()
	defer func() { // before the folder goes
		end()
		<-watched
	}()
	answered := make(chan struct{}) // closed once those who had asked have their answers
	stop := context.AfterFunc(ctx, func() {
		defer close(answered)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(grace)
		front.Wait(grace)
	})
	defer stop()
	if err := server.Serve(front); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-answered
	o.Say("stopped")
	return nil
}

// watch takes in newer catalogs until the context ends. What cannot be read is
// said once, and the catalog from before goes on being served.
func (s *serving) watch(ctx context.Context, o *cli.IO, handler *serve.Server, hangup <-chan os.Signal) {
	var tick <-chan time.Time
	if s.poll > 0 {
		ticker := time.NewTicker(s.poll)
		defer ticker.Stop()
		tick = ticker.C
	}
	said := ""
	for {
		now := false
		select {
		case <-ctx.Done():
			return
		case <-tick:
		case <-hangup:
			now = true
		}
		err := s.renew(ctx, o, handler, now)
		switch {
		case err == nil || ctx.Err() != nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			o.Say("the catalog from before is still served: %s", said)
		}
	}
}

// renew takes in a newer catalog if there is one. now has the registry built
// again, whatever its commit is.
func (s *serving) renew(ctx context.Context, o *cli.IO, handler *serve.Server, now bool) error {
	if s.build != nil {
		commit, err := s.commit()
		if err != nil {
			return err
		}
		if now || commit != s.built {
			quiet := *o
			quiet.Err = io.Discard
			if err := s.build(ctx, &quiet); err != nil {
				return err
			}
			s.built = commit
		}
	}
	root, err := s.folder()
	if err != nil {
		return err
	}
	sum := manifestOf(root)
	if root == s.root && sum == s.manifest {
		return nil
	}
	cat, err := s.load(ctx, root, sum)
	if err != nil {
		if root != s.root {
			root.Close()
		}
		return err
	}
	handler.Swap(cat)
	s.manifest = sum
	if root != s.root {
		if s.before != nil {
			s.before.Close()
		}
		s.before, s.root = s.root, root
	}
	o.Say("a new catalog is served, with %d entries to search", cat.Entries())
	return nil
}

// folder is the folder as its name leads to it now: another than the one that is
// served if somebody has moved a new one into its place, or turned a link to it.
func (s *serving) folder() (*os.Root, error) {
	there, err := os.Stat(s.dir)
	if err != nil {
		return nil, err
	}
	is, err := s.root.Stat(".")
	if err != nil {
		return nil, err
	}
	if os.SameFile(is, there) {
		return s.root, nil
	}
	return os.OpenRoot(s.dir)
}

// load reads a catalog that differs from the one that is served. The error is that
// it is not all there, as while it is copied or removed file by file.
func (s *serving) load(ctx context.Context, root *os.Root, sum [sha256.Size]byte) (*serve.Catalog, error) {
	if sum == ([sha256.Size]byte{}) && s.manifest != sum {
		return nil, fmt.Errorf("%s has no %s any more", s.dir, manifestName)
	}
	if !holdsCatalog(root) {
		return nil, fmt.Errorf("%s holds no catalog any more", s.dir)
	}
	if sum != ([sha256.Size]byte{}) {
		if err := searchable(root); err != nil {
			return nil, fmt.Errorf("%s is not whole yet: %w", s.dir, err)
		}
	}
	return serve.Load(ctx, root.FS(), 0)
}

const (
	manifestName = "api/v1/manifest.json"
	searchedName = "api/v1/full.ndjson" // what a search looks through
)

// searchable reports an error where the file that searches need is not as long as
// the manifest says: a program that copies folders may write the manifest before it.
func searchable(root *os.Root) error {
	f, err := disk.OpenRegular(root.FS(), manifestName)
	if err != nil {
		return err
	}
	defer f.Close()
	var m catalog.Manifest
	if err := json.NewDecoder(f).Decode(&m); err != nil {
		return fmt.Errorf("%s: %w", manifestName, err)
	}
	for _, file := range m.Files {
		if file.Path != searchedName {
			continue
		}
		info, err := root.Stat(searchedName)
		if err != nil {
			return err
		}
		if info.Size() != int64(file.Bytes) {
			return fmt.Errorf("%s has %d bytes; the manifest says %d", searchedName, info.Size(), file.Bytes)
		}
	}
	return nil
}

// manifestOf is the digest of the manifest, which is written last and tells one
// catalog from another; zero where there is none.
func manifestOf(root *os.Root) (sum [sha256.Size]byte) {
	f, err := disk.OpenRegular(root.FS(), manifestName)
	if err != nil {
		return sum
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// holdsCatalog reports whether there is anything to start from.
func holdsCatalog(root *os.Root) bool {
	for _, name := range []string{"api/v1/index.json", "index.html"} {
		if info, err := root.Stat(name); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// listen takes the address, or one of the next twenty ports where it is taken.
func listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, cli.Usagef("--addr %q is not of the form 127.0.0.1:8080", addr)
	}
	first, err := strconv.Atoi(port)
	if err != nil || first < 0 || first > 65535 {
		return nil, cli.Usagef("--addr %q has no port between 0 and 65535", addr)
	}
	for p := first; ; p++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) || p == first+20 || p == 65535 {
			return l, err
		}
	}
}
