package dpg

import (
	"cmp"
	"context"
	"flag"
	"fmt"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
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

With --against nothing is written if it would break programs that read an earlier
catalog: a key or an id gone, a type changed, far fewer entries. What is broken on
purpose is named with its reason under "breaks" in registry.yaml.`,
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
			in, err := catalogInput(ctx, o, *dir, *noHistory, *jobs)
			if err != nil {
				return err
			}
			cat, err := site.Build(ctx, in)
			if err != nil {
				return err
			}
			if *against != "" {
				before, err := openPublished(*against)
				if err != nil {
					return err
				}
				if err := hold(ctx, o, before, published.Built("this build", cat), in.Registry.Settings.Breaks); err != nil {
					return err
				}
			}
			report, err := cat.Write(*out)
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
	var in catalog.Input
	repo, err := registry.FindRepo(dir)
	if err != nil {
		return in, err
	}
	// Paths in the catalog are those in the repository, wherever it is checked out.
	prefix := "registry"
	if repo != nil {
		prefix = cmp.Or(repo.Folder, ".")
	}
	if in.Registry, err = cli.Load(ctx, dir, registry.Options{Prefix: prefix, Jobs: jobs}); err != nil {
		return in, err
	}
	if repo == nil {
		o.Say("%s is not in a Git repository: source_commit and dates of changes are null, and there is no list of changes", dir)
		return in, nil
	}
	head, err := repo.Head()
	if err != nil {
		return in, err
	}
	if head == nil {
		o.Say("the repository has no commit yet: source_commit and dates of changes are null, and there is no list of changes")
		return in, nil
	}
	same, err := repo.Same(in.Registry, head)
	if err != nil {
		return in, err
	}
	if !same {
		o.Say("%s has changes that are not committed: source_commit and dates of changes are null, and there is no list of changes", dir)
		return in, nil
	}
	stamp := registry.StampOf(head)
	in.Head = &stamp
	if noHistory {
		return in, nil
	}
	if in.Changes, err = repo.LastChanges(head); err == nil {
		in.History, err = history.Cache{Dir: cacheDir(dir)}.Read(ctx, repo, head, in.Registry)
	}
	if err != nil {
		return in, fmt.Errorf("history of %s: %w", dir, err)
	}
	return in, nil
}
