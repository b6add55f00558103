package dpg

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/published"
)

// openPublished opens a catalog in a folder or at an address.
func openPublished(at string) (*published.Site, error) {
	if strings.HasPrefix(at, "http://") || strings.HasPrefix(at, "https://") {
		u, err := fetch.Parse(at)
		if err != nil {
			return nil, cli.Usagef("%v", err)
		}
		client := fetch.New(fetch.Options{MaxBytes: 512 << 20, Timeout: 2 * time.Minute})
		return published.Web(client, u), nil
	}
	info, err := os.Stat(at)
	switch {
	case at == "" || errors.Is(err, fs.ErrNotExist):
		return nil, cli.Usagef("there is no folder %q; name the one that holds api/, or an address that begins with https://", at)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, cli.Usagef("%q is a file; name the folder that holds api/, or its address", at)
	}
	root, err := os.OpenRoot(at) // no link leads out of it
	if err != nil {
		return nil, err
	}
	return published.Folder(at, root.FS()), nil
}

func formatFlag(flags *flag.FlagSet) *string {
	return flags.String("format", "text", "write `FORMAT`: text or json")
}

func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return cli.Usagef("--format %q is not one of json, text", format)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

var verifyCommand = cli.Command{
	Name:    "verify",
	Args:    "DIR|URL",
	Summary: "check a published catalog: manifest, schemas and links",
	Help: `
Reads every file that the manifest of a catalog lists, and checks that it has the
size and the SHA-256 it says, that responses have the shape of their schemas, the
manifest too, that the files that name a commit name the same, that pages add up to
their lists, with the counts, keys and digests that are told of them, and that links
within the catalog lead to a file of it. In a folder, files below api/ that no
manifest lists are named too. Exits 1 if something is wrong.

To check that a catalog was made from the commit it names, build that commit and
compare the two manifests: the same commit gives the same bytes. Only public
addresses are asked; a server on this machine is checked by its folder.`,
	Examples: []string{
		"dpg verify public",
		"dpg verify https://example.org/registry/",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		format := formatFlag(flags)
		jobs := cli.JobsFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("verify takes one folder or address")
			}
			if err := checkFormat(*format); err != nil {
				return err
			}
			site, err := openPublished(args[0])
			if err != nil {
				return err
			}
			done := o.Busy("checking")
			defer done()
			v, err := published.Verify(ctx, site, *jobs, nil)
			if err != nil {
				return err
			}
			done()
			if *format == "json" {
				if err := writeJSON(o.Out, v); err != nil {
					return err
				}
			} else {
				for _, p := range v.Problems {
					if _, err := fmt.Fprintln(o.Out, diag.OneLine(p.Path+": "+p.What)); err != nil {
						return err
					}
				}
			}
			commit := "no commit"
			if v.SourceCommit != nil {
				commit = "commit " + *v.SourceCommit
			}
			o.Say("%s, of %s: %s, %d bytes, %s, %s", site, commit, plural(v.Files, "file", "files"), v.Bytes,
				plural(v.Links, "link", "links"), plural(len(v.Problems), "problem", "problems"))
			if len(v.Problems) > 0 {
				return cli.ErrFound
			}
			return nil
		}
	},
}

var diffCommand = cli.Command{
	Name:    "diff",
	Args:    "OLD NEW",
	Summary: "say what readers of a catalog would notice between two of them",
	Help: `
Compares two published catalogs, each a folder or an address, as those who read
them do. Breaking is what stops a program that kept to the promise of api/v1: a key
or an id gone, a type changed, far fewer entries. Notable is what changes answers:
another licence, stage or code. Harmless is what adds. Exits 1 if something breaks.`,
	Examples: []string{
		"dpg diff https://example.org/registry/ public",
		"dpg diff --format json old new",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		format := formatFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 2 {
				return cli.Usagef("diff takes two folders or addresses, the older first")
			}
			if err := checkFormat(*format); err != nil {
				return err
			}
			var sites [2]*published.Site
			for i, at := range args {
				var err error
				if sites[i], err = openPublished(at); err != nil {
					return err
				}
			}
			done := o.Busy("comparing")
			defer done()
			found, err := published.Compare(ctx, sites[0], sites[1])
			if err != nil {
				return err
			}
			done()
			if *format == "json" {
				err = writeJSON(o.Out, append([]published.Difference{}, found...))
			} else {
				err = writeDifferences(o.Out, found)
			}
			if err != nil {
				return err
			}
			o.Say("%s", tally(found))
			if slices.ContainsFunc(found, isBreaking) {
				return cli.ErrFound
			}
			return nil
		}
	},
}

func isBreaking(d published.Difference) bool { return d.Severity == published.Breaking }

func tally(found []published.Difference) string {
	n := map[published.Severity]int{}
	for _, d := range found {
		n[d.Severity]++
	}
	return fmt.Sprintf("%d breaking, %d notable, %d harmless", n[published.Breaking], n[published.Notable], n[published.Harmless])
}

func writeDifferences(w io.Writer, found []published.Difference) error {
	for _, d := range found {
		line := fmt.Sprintf("%s: %s: %s", d.Severity, d.Path, d.What)
		if d.Break != "" {
			line += " [" + d.Break + "]"
		}
		if _, err := fmt.Fprintln(w, diag.OneLine(line)); err != nil {
			return err
		}
	}
	return nil
}

// hold refuses a new catalog that breaks what was published before, but for the
// breaks that the registry's settings name.
func hold(ctx context.Context, o *cli.IO, before, after *published.Site, accepted []policy.Break) error {
	found, err := published.Compare(ctx, before, after)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, b := range accepted {
		named[b.What] = true
	}
	found = slices.DeleteFunc(found, func(d published.Difference) bool { return !isBreaking(d) || named[d.Break] })
	if len(found) == 0 {
		return nil
	}
	if err := writeDifferences(o.Err, found); err != nil {
		return err
	}
	return fmt.Errorf("this would break programs that read %s: %s; mend it, or name it under \"breaks\" in registry.yaml with the reason",
		before, plural(len(found), "breaking change", "breaking changes"))
}
