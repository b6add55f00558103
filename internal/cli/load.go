package cli

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

// Prefix is how findings name the registry in a folder: as the folder was named.
func Prefix(dir string) string { return filepath.ToSlash(filepath.Clean(dir)) }

// Within says where a file or folder, there or not, stands in the registry's
// folder: "." is the folder itself. Links on the way are followed; a link that is
// named itself stands where it stands.
func Within(dir, name string) (rel string, inside bool, err error) {
	root, err := realPath(dir)
	if err != nil {
		return "", false, err
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", false, err
	}
	parent, err := realPath(filepath.Dir(abs))
	if err != nil {
		return "", false, err
	}
	whole, err := realPath(abs)
	if err != nil {
		return "", false, err
	}
	for _, at := range []string{filepath.Join(parent, filepath.Base(abs)), whole} {
		if rel, err := filepath.Rel(root, at); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true, nil
		}
	}
	return "", false, nil
}

// InGit reports whether a file or folder, there or not, stands in a folder that is
// Git's own: a .git, or a repository without a working tree.
func InGit(name string) (bool, error) {
	at, err := realPath(name)
	if err != nil {
		return false, err
	}
	for ; filepath.Dir(at) != at; at = filepath.Dir(at) {
		if strings.EqualFold(filepath.Base(at), ".git") {
			return true, nil
		}
		isGit := true
		for _, part := range []string{"HEAD", "objects", "refs"} {
			_, err := os.Stat(filepath.Join(at, part))
			isGit = isGit && err == nil
		}
		if isGit {
			return true, nil
		}
	}
	return false, nil
}

// realPath follows the links on the part of a path that is there.
func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for at, rest := abs, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, err := os.Stat(at); errors.Is(err, syscall.ELOOP) { // the other's error has no such name
			return "", circle(at)
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			return "", err
		}
	}
}

// circle says what is wrong with a link that never arrives.
func circle(name string) error {
	return Usagef("%q is a symbolic link that leads back to itself; name the folder that it should lead to", name)
}

// Open finds the registry in a folder. Unless the options say otherwise, findings
// name its files as the folder was named.
func Open(dir string, opt *registry.Options) (registry.Files, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, syscall.ELOOP) {
		return nil, circle(dir)
	}
	if err != nil || !info.IsDir() {
		return nil, Usagef("there is no registry folder %q here; --registry DIR names another", dir)
	}
	if opt.Prefix == "" {
		opt.Prefix = Prefix(dir)
	}
	return registry.FromFS(os.DirFS(dir)), nil
}

// Load reads the registry in a folder, as Open finds it.
func Load(ctx context.Context, dir string, opt registry.Options) (*registry.Registry, error) {
	files, err := Open(dir, &opt)
	if err != nil {
		return nil, err
	}
	return registry.Load(ctx, files, opt)
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
