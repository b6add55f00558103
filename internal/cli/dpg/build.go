package dpg

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/published"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/site"
)

var buildCommand = cli.Command{
	Name:    "build",
	Summary: "build the catalog: JSON files and a front page to publish anywhere",
	Help: `
Builds the whole catalog as static files. The same commit gives the same bytes:
dates come from Git. Outside Git, or while entries are changed and not committed,
source_commit and the dates of changes are null and there is no list of changes. Only files that changed are
written, the manifest last; a folder whose catalog would lose an id is left alone,
and so is one that holds other files and no catalog yet.

With --against nothing is written, and the exit code is 3, if it would break programs
that read an earlier catalog: a key or an id gone, a type changed, far fewer entries.
What is broken on purpose is named with its reason under "breaks" in registry.yaml.
Commit first: a build of what is not committed has no list of changes to compare.`,
	Examples: []string{
		"dpg build --out public",
		"dpg build --out public --no-history",
		"dpg build --out public --against https://example.org/registry/",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		dir := cli.RegistryFlag(flags)
		out := flags.String("out", "", "write the catalog to `DIR`")
		against := flags.String("against", "", "refuse to break what was published in a folder or at an address, `OLD`")
		noHistory := flags.Bool("no-history", false, "do without Git's history: the dates of changes are null, and there is no list of changes")
		full := flags.Bool("full", false, "make everything anew, whatever an earlier build left in the folder and in its cache")
		jobs := cli.JobsFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if *out == "" || len(args) > 0 {
				return cli.Usagef("name the folder to write with --out DIR")
			}
			if _, inside, err := cli.Within(*dir, *out); err != nil {
				return err
			} else if inside {
				return cli.Usagef("--out %q is in the registry folder %q, where files are entries; name one beside it", *out, *dir)
			}
			if inside, err := cli.InGit(*out); err != nil {
				return err
			} else if inside {
				return cli.Usagef("--out %q is in a folder of Git's own, which a catalog would break; name one beside it, such as public", *out)
			}
			done := o.Busy("building")
			defer done()
			// Nearly all that a build allocates is garbage at once: it is collected when
			// there is much of it, whatever the share of what is in use.
			tuned := os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == ""
			if tuned {
				defer debug.SetGCPercent(debug.SetGCPercent(-1))
				defer debug.SetMemoryLimit(debug.SetMemoryLimit(buildMemory(0)))
			}
			caches := cacheDir(*dir)
			if *full {
				caches = ""
			}
			stored, err := openStored(*out, caches)
			if err != nil {
				return err
			}
			defer stored.Close()
			spool, err := catalog.NewSpool()
			if err != nil {
				return err
			}
			defer spool.Close()
			src, err := catalogSource(ctx, o, *dir, *noHistory, *jobs)
			if err != nil {
				return err
			}
			if tuned {
				debug.SetMemoryLimit(buildMemory(len(src.Blobs)))
			}
			src.Input.Stored, src.Input.Spool, src.Program = stored, spool, programStamp()
			if caches != "" {
				src.Keep = filepath.Join(caches, "facts")
			}
			report, err := site.Publish(ctx, src, func(cat *catalog.Catalog) error {
				if *against == "" {
					return nil
				}
				before, err := openPublished(*against)
				if err != nil {
					return err
				}
				return hold(ctx, o, before, published.Built("this build", cat), cat.Breaks())
			})
			if err != nil {
				return err
			}
			done()
			o.Say("built %s: %s", *out, report)
			o.Next("dpg serve --dir %s", *out)
			return nil
		}
	},
}

// buildCatalog makes the catalog of the registry in a folder with its pages.
func buildCatalog(ctx context.Context, o *cli.IO, dir string, noHistory bool, jobs int) (*catalog.Catalog, error) {
	in, err := catalogInput(ctx, o, dir, noHistory, jobs)
	if err != nil {
		return nil, err
	}
	return site.Build(ctx, in)
}

// catalogInput reads the registry in a folder, with dates from Git where the
// folder is as its commit has it.
func catalogInput(ctx context.Context, o *cli.IO, dir string, noHistory bool, jobs int) (catalog.Input, error) {
	src, err := catalogSource(ctx, o, dir, noHistory, jobs)
	if err != nil {
		return src.Input, err
	}
	in := src.Input
	if in.Registry, err = registry.Load(ctx, src.Files, src.Load); err != nil {
		return in, err
	}
	if src.Log != nil {
		in.History, err = src.Log(in.Registry)
	}
	return in, err
}

// catalogSource looks at the registry in a folder, with dates from Git where the
// folder is as its commit has it. Its entries are not read yet.
func catalogSource(ctx context.Context, o *cli.IO, dir string, noHistory bool, jobs int) (site.Source, error) {
	var src site.Source
	repo, err := registry.FindRepo(dir)
	if err != nil {
		return src, err
	}
	// Paths in the catalog are those in the repository, wherever it is checked out.
	src.Load = registry.Options{Prefix: "registry", Jobs: jobs}
	if repo != nil {
		src.Load.Prefix = cmp.Or(repo.Folder, ".")
	}
	files, err := cli.Open(dir, &src.Load)
	if err != nil {
		return src, err
	}
	if src.Files, src.Blobs, err = registry.Hashed(ctx, files, repo, jobs); err != nil {
		return src, err
	}
	if repo == nil {
		o.Say("%s is not in a Git repository: source_commit and dates of changes are null, and there is no list of changes", dir)
		return src, nil
	}
	head, err := repo.Head()
	if err != nil {
		return src, err
	}
	if head == nil {
		o.Say("the repository has no commit yet: source_commit and dates of changes are null, and there is no list of changes")
		return src, nil
	}
	same, err := repo.Holds(head, src.Files)
	if err != nil {
		return src, err
	}
	if !same {
		o.Say("%s has changes that are not committed: source_commit and dates of changes are null, and there is no list of changes", dir)
		return src, nil
	}
	stamp := registry.StampOf(head)
	src.Input.Head = &stamp
	if noHistory {
		return src, nil
	}
	log := history.Cache{Dir: cacheDir(dir)}
	if src.Input.Changes, err = log.LastChanges(repo, head); err != nil {
		return src, fmt.Errorf("history of %s: %w", dir, err)
	}
	src.Log = func(reg *registry.Registry) (*history.Log, error) {
		all, err := log.Read(ctx, repo, head, reg)
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", dir, err)
		}
		return all, nil
	}
	return src, nil
}

// buildMemory is what a build tries to do with, in bytes. Some nine kilobytes for each
// entry are in use at once; the rest is what may be collected later. With little more than
// what is in use, half of the time goes into collecting.
func buildMemory(files int) int64 {
	const many = 20_000 // from there on less for each: memory is dearer than time
	return 96<<20 + 20<<10*int64(min(files, many)) + 16<<10*int64(max(files-many, 0))
}

// openStored opens the folder that a catalog is written to, with what is noted of
// it.
func openStored(out, caches string) (*catalog.Stored, error) {
	notes := ""
	if caches != "" {
		name := filepath.Base(cacheDir(out)) // by the folder's own path
		notes = filepath.Join(caches, "stored-"+name)
	}
	stored, err := catalog.OpenStored(out, notes)
	if err != nil {
		return nil, fmt.Errorf("publish to %s: %w", out, err)
	}
	return stored, nil
}

// programStamp names the program that runs: what another one kept, it does not use. A
// program that was built from changes that are not committed has its file's
// time and size as well.
func programStamp() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	at, err := disk.StampOf(name)
	if err != nil {
		return ""
	}
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return fmt.Sprintf("%q %s %d %d %d", name, version, at.Size, at.ModTime, at.Inode)
}
