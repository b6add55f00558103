package cli

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// RegistryFlag declares --registry.
func RegistryFlag(flags *flag.FlagSet) *string {
	return flags.String("registry", "registry", "the registry's `DIR`")
}

// JobsFlag declares --jobs, which says how many files are worked on at a time; 0
// is one a processor.
func JobsFlag(flags *flag.FlagSet) *int {
	n := new(jobs)
	flags.Var(n, "jobs", "work on `N` files at a time (default one a processor)")
	return (*int)(n)
}

type jobs int

func (n *jobs) String() string { return strconv.Itoa(int(*n)) }

func (n *jobs) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 1 || v > 1000 {
		return errors.New("it is not a number from 1 to 1000")
	}
	*n = jobs(v)
	return nil
}

// Load reads the registry in a folder. Unless the options say otherwise, findings
// name its files as the folder was named.
func Load(ctx context.Context, dir string, opt registry.Options) (*registry.Registry, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, Usagef("there is no registry folder %q here; --registry DIR names another", dir)
	}
	if opt.Prefix == "" {
		opt.Prefix = Prefix(dir)
	}
	return registry.Load(ctx, registry.FromFS(os.DirFS(dir)), opt)
}

// Prefix is how the paths of findings start for a registry in a folder.
func Prefix(dir string) string { return filepath.ToSlash(filepath.Clean(dir)) }

// Within gives the slash-separated path of name in dir, and whether it is there:
// by what both are called, or by where symbolic links on the way to them lead.
// Name need not exist.
func Within(dir, name string) (rel string, inside bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", false, err
	}
	if name, err = filepath.Abs(name); err != nil {
		return "", false, err
	}
	if rel, inside = below(dir, name); inside {
		return rel, true, nil
	}
	rel, inside = below(resolve(dir), filepath.Join(resolve(filepath.Dir(name)), filepath.Base(name)))
	return rel, inside, nil
}

func below(dir, name string) (string, bool) {
	rel, err := filepath.Rel(dir, name)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// resolve follows the links on the way to a name as far as there is something.
func resolve(name string) string {
	if to, err := filepath.EvalSymlinks(name); err == nil {
		return to
	}
	if up := filepath.Dir(name); up != name {
		return filepath.Join(resolve(up), filepath.Base(name))
	}
	return name
}

// Busy tells a person at a terminal what takes long, once it takes over a
// second. The function it returns ends that.
func (o *IO) Busy(what string) (done func()) {
	if !o.Terminal {
		return func() {}
	}
	t := time.AfterFunc(time.Second, func() { o.Say("%s ...", what) })
	return func() { t.Stop() }
}
