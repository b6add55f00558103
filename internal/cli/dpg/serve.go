package dpg

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

var serveCommand = cli.Command{
	Name:    "serve",
	Summary: "serve a catalog over HTTP",
	Help: `
Serves a built catalog until interrupted, or builds the registry's own into a
temporary folder first. It listens on this machine only, unless --addr says more.
Where the port is taken, the next free one is used; port 0 is any that is free.`,
	Examples: []string{
		"dpg serve",
		"dpg serve --dir public --addr 127.0.0.1:9000",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		registryDir := cli.RegistryFlag(flags)
		dir := flags.String("dir", "", "serve the catalog in `DIR` instead of building one")
		noHistory := flags.Bool("no-history", false, "do without Git's history: the dates of changes are null")
		addr := flags.String("addr", "127.0.0.1:8080", "listen on `ADDRESS`")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("serve takes no arguments; name a folder with --dir DIR")
			}
			if *dir != "" {
				return serve(ctx, o, *dir, *addr)
			}
			done := o.Busy("building")
			defer done()
			cat, err := buildCatalog(ctx, o, *registryDir, *noHistory, 0)
			if err != nil {
				return err
			}
			temporary, err := os.MkdirTemp("", "dpg-serve-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(temporary)
			if _, err := cat.Write(temporary); err != nil {
				return err
			}
			done()
			return serve(ctx, o, temporary, *addr)
		}
	},
}

func serve(ctx context.Context, o *cli.IO, dir, addr string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return cli.Usagef("there is no folder %q to serve; dpg build --out %s makes one", dir, dir)
	}
	defer root.Close()
	if !holdsCatalog(root) {
		return cli.Usagef("%q holds no catalog; run dpg build --out %s first", dir, dir)
	}
	l, err := listen(addr)
	if err != nil {
		return err
	}
	o.Say("serving %s on http://%s/ (the API starts at http://%s/api/v1/index.json)", dir, l.Addr(), l.Addr())
	server := &http.Server{
		Handler:           site.Handler(root.FS()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	answered := make(chan struct{}) // closed once those who had asked have their answers
	stop := context.AfterFunc(ctx, func() {
		defer close(answered)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(grace)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-answered
	o.Say("stopped")
	return nil
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
