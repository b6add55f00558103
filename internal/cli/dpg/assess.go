package dpg

import (
	"context"
	"flag"
	"fmt"
	"path"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var assessCommand = cli.Command{
	Name:    "assess",
	Summary: "derive summaries and mappings, with their evidence",
	Help: `
Derives an assessment of every live entry, in registry/assessments: a summary where
the description is missing or long, and the framework codes that the entry's own
words support, each with the words. It needs no model and no network. What is up
to date is not touched. In a repository with the bot this is the bot's work: it
proposes the same files as a pull request.`,
	Examples: []string{
		"dpg assess",
		"dpg assess --dry-run",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		dir := cli.RegistryFlag(flags)
		dry := flags.Bool("dry-run", false, "list what would change, and write nothing")
		jobs := cli.JobsFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("assess takes no arguments: it works out by itself which entries changed")
			}
			return runAssess(ctx, o, *dir, *dry, *jobs)
		}
	},
}

func runAssess(ctx context.Context, o *cli.IO, dir string, dry bool, jobs int) error {
	done := o.Busy("assessing")
	defer done()
	reg, err := cli.Load(ctx, dir, registry.Options{Jobs: jobs})
	if err != nil {
		return err
	}
	proposals, err := assess.Plan(ctx, reg)
	if err != nil {
		return err
	}
	done()
	deleted := 0
	for _, p := range proposals {
		if p.Delete {
			deleted++
		}
	}
	if dry {
		for _, p := range proposals {
			fmt.Fprintln(o.Out, diag.OneLine(path.Join(reg.Prefix, p.Path)))
		}
		o.Say("%s: %s would be written, %d deleted", entries(reg), plural(len(proposals)-deleted, "assessment", "assessments"), deleted)
		return nil
	}
	folder, err := disk.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, p := range proposals {
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.Delete {
			err = folder.Remove(p.Path)
		} else {
			_, err = folder.Write(p.Path, p.Data)
		}
		if err != nil {
			return err
		}
	}
	o.Say("%s: %s written, %d deleted", entries(reg), plural(len(proposals)-deleted, "assessment", "assessments"), deleted)
	o.Next("dpg build --out public")
	return nil
}

func entries(reg *registry.Registry) string { return plural(len(reg.Docs), "entry", "entries") }
