package cli

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// RegistryFlag declares --registry.
func RegistryFlag(flags *flag.FlagSet) *string {
	return flags.String("registry", "registry", "the registry's `DIR`")
}

// Load reads the registry in a folder. Unless the options say otherwise, findings
// name its files as the folder was named.
func Load(ctx context.Context, dir string, opt registry.Options) (*registry.Registry, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, Usagef("there is no registry folder %q here; --registry DIR names another", dir)
	}
	if opt.Prefix == "" {
		opt.Prefix = filepath.ToSlash(filepath.Clean(dir))
	}
	return registry.Load(ctx, registry.FromFS(os.DirFS(dir)), opt)
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
