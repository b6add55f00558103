package dpgbot

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/publish"
)

var publishCommand = cli.Command{
	Name:    "publish",
	Summary: "put the catalog in a folder, on a Git branch, or in a bucket",
	Help: `
Publishes the catalog of the forge's default branch, or with --catalog one that dpg
build wrote. Only what changed is written, each file whole; the manifest follows
the files that it lists, and what it lists no more is removed after it. A run that
was cut off is made good by the next one. Nothing is written if an id would be lost,
or if files of others stand in the way.

--to names the place, one of

  DIR                  a folder
  branch:NAME          a branch of the forge's repository, such as gh-pages: one
                       commit by the bot for each time that something changed
  s3://BUCKET/PREFIX   a bucket of an object store; ?endpoint=https://HOST names a
                       store other than Amazon's, &region=REGION where it lies

A bucket is opened with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a key that
does not last, AWS_SESSION_TOKEN; AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and
AWS_REGION stand in for what --to leaves out.
` + environment,
	Examples: []string{
		"dpgbot publish --forge github:OWNER/REPO --to branch:gh-pages",
		"dpgbot publish --forge ./forge --to ./public",
		`dpgbot publish --catalog public --to "s3://catalogs/registry?endpoint=https://s3.example.org"`,
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var p publishing
		flags.StringVar(&p.forge, "forge", "", "the `FORGE`: github:OWNER/REPO, or a folder made by dpgbot forge init")
		flags.StringVar(&p.cache, "git-cache", "", "keep Git objects from GitHub in `DIR` between runs (default in memory)")
		flags.StringVar(&p.folder, "registry", "registry", "the registry's `DIR` within the repository")
		flags.StringVar(&p.to, "to", "", "publish to `PLACE`: DIR, branch:NAME or s3://BUCKET/PREFIX")
		flags.StringVar(&p.catalog, "catalog", "", "publish what dpg build wrote to `DIR`")
		flags.BoolVar(&p.squash, "squash", false, "of a branch: keep no history, one commit without a parent")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("publish takes no arguments; name the place with --to")
			}
			return p.run(ctx, o)
		}
	},
}

type publishing struct {
	botFlags
	to, catalog string
	squash      bool
}

func (p *publishing) run(ctx context.Context, o *cli.IO) error {
	address, err := publish.Parse(p.to)
	switch {
	case p.to == "":
		return cli.Usagef("name the place with --to: %s", publish.Forms)
	case err != nil: // without what was given, which may hold a secret
		return cli.Usagef("--to: %v", err)
	case p.squash && address.Kind != publish.BranchKind:
		return cli.Usagef("--squash is about the history of a branch; leave it out, or publish --to branch:NAME")
	case p.forge == "" && (p.catalog == "" || address.Kind == publish.BranchKind):
		return cli.Usagef("name the forge with --forge github:OWNER/REPO or --forge DIR")
	}
	if err := p.apart(address); err != nil {
		return err
	}
	// A commit of a catalog is pushed: through GitHub's API each file is a request.
	p.push = true
	target, err := p.target(ctx, o, address)
	if err != nil {
		return err
	}
	done := o.Busy("publishing")
	defer done()
	c, err := p.source(ctx, o)
	if err != nil {
		return err
	}
	if c == nil { // the log says why
		o.Say("nothing is published to %s, and what is there stays", target)
		return cli.ErrFound
	}
	report, err := target.Publish(ctx, c)
	if err != nil {
		return err
	}
	done()
	if report.Commit != "" {
		o.Say("commit %.7s is on %s", report.Commit, target)
	}
	o.Say("published to %s: %s", target, report)
	if address.Kind == publish.FolderKind {
		o.Next("dpg serve --dir %s", address.Folder)
	}
	return nil
}

// apart refuses a folder where a catalog would break something else.
func (p *publishing) apart(a publish.Address) error {
	if a.Kind != publish.FolderKind {
		return nil
	}
	for _, other := range []struct{ flag, dir string }{{"forge", p.forge}, {"catalog", p.catalog}} {
		if other.dir == "" {
			continue
		}
		if _, inside, err := cli.Within(other.dir, a.Folder); err != nil {
			return err
		} else if inside {
			return cli.Usagef("--to %q is in --%s %q; name a folder of its own", a.Folder, other.flag, other.dir)
		}
	}
	if inside, err := cli.InGit(a.Folder); err != nil {
		return err
	} else if inside {
		return cli.Usagef("--to %q is in a folder of Git's own, which a catalog would break; name a folder of its own", a.Folder)
	}
	return nil
}

func (p *publishing) target(ctx context.Context, o *cli.IO, a publish.Address) (publish.Target, error) {
	switch a.Kind {
	case publish.BranchKind:
		f, err := p.openForge(ctx, o)
		if err != nil {
			return nil, err
		}
		return &publish.Branch{Forge: f, Name: a.Branch, Squash: p.squash, When: cli.Now()}, nil
	case publish.BucketKind:
		a.Endpoint = cmp.Or(a.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
		a.Region = cmp.Or(a.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
		b, err := publish.OpenBucket(a, publish.Secrets{
			Key: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), Token: os.Getenv("AWS_SESSION_TOKEN"),
		}, nil)
		if err != nil {
			return nil, cli.Usagef("--to %s: %v", a.Bucket, err)
		}
		return b, nil
	}
	return publish.Folder(a.Folder), nil
}

// source is what to publish; nil where the default branch has no catalog.
func (p *publishing) source(ctx context.Context, o *cli.IO) (*catalog.Catalog, error) {
	if p.catalog == "" {
		bt, err := p.open(ctx, o)
		if err != nil {
			return nil, err
		}
		return bt.Catalog(ctx)
	}
	root, err := os.OpenRoot(p.catalog)
	if err != nil {
		return nil, disk.Explain(err)
	}
	c, err := catalog.Read(root.FS())
	if err = errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("--catalog %s: %w", p.catalog, err)
	}
	return c, nil
}
