package dpg

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/template"
)

var initCommand = cli.Command{
	Name:    "init",
	Args:    "DIR",
	Summary: "begin a registry: settings, policy, workflows, forms",
	Help: `
Writes a new registry into a folder that is empty, or holds only .git: its settings
and policy, the workflows that run the bot at GitHub, and the pages that tell people
how to take part. Then it lists what a person has to click.

With --update it compares the folder with the template of this dpg and shows what
differs; with --write too, files that nobody changed since are brought up to date.
What a person changed or deleted is named and left, and nothing below registry/ is
looked at. Exits 1 if --update finds a difference and does not write.`,
	Examples: []string{
		`dpg init my-registry --name "Registry of Example Land" --publisher "Ministry of Examples"`,
		"dpg init . --update",
		"dpg init . --update --write",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var opt template.Options
		flags.StringVar(&opt.Name, "name", "", "what the registry is called, `NAME` (default the folder's)")
		flags.StringVar(&opt.Publisher, "publisher", "", "`WHO` answers for it (default the contributors)")
		flags.StringVar(&opt.Contact, "contact", "", "the `URL` of a page by which to reach them")
		flags.StringVar(&opt.BaseURL, "base-url", "", "the `URL` where the catalog will be, ending in a slash")
		flags.StringVar(&opt.Language, "language", "", "the language of plain text, as a `TAG` such as en or fr (default en)")
		flags.StringVar(&opt.Action, "action", "", "what the workflows use, `OWNER/REPO@COMMIT` (default the commit of this dpg)")
		update := flags.Bool("update", false, "show what differs from the template of this dpg")
		write := flags.Bool("write", false, "with --update, bring files up to date that nobody changed")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("name the folder of the registry, such as my-registry")
			}
			if *write && !*update {
				return cli.Usagef("--write goes with --update")
			}
			pinned := true
			if opt.Action == "" {
				opt.Action, pinned = template.Action(builtFrom())
			}
			if *update {
				if !pinned { // then what is there is better
					opt.Action = cmp.Or(actionOf(args[0]), opt.Action)
				}
				return updateRegistry(ctx, o, args[0], opt, *write)
			}
			return initRegistry(o, args[0], opt, pinned)
		}
	},
}

// builtFrom is the commit of this program; "" where it is unknown, or where there
// were changes that no commit has.
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			return ""
		}
	}
	return commit
}

var usesAction = regexp.MustCompile(`(?m)^ *- uses: (` + regexp.QuoteMeta(template.Repository) + `@\S+( # \S+)?)$`)

// actionOf is what the workflows of a registry use; "" if they do not say.
func actionOf(dir string) string {
	data, err := os.ReadFile(filepath.Join(dir, ".github", "workflows", "judge.yml"))
	if err != nil {
		return ""
	}
	if m := usesAction.FindSubmatch(data); m != nil {
		return string(m[1])
	}
	return ""
}

func initRegistry(o *cli.IO, dir string, opt template.Options, pinned bool) error {
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cli.Usagef("%q is not a folder to begin a registry in: %v", dir, err)
	}
	for _, e := range there {
		if e.Name() != ".git" {
			return cli.Usagef("%q is not empty, it holds %q; name a new folder, or use --update for a registry that is there", dir, e.Name())
		}
	}
	if opt.Name == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		opt.Name = filepath.Base(abs)
	}
	opt.Publisher = cmp.Or(opt.Publisher, "The contributors to "+opt.Name)
	opt.Language = cmp.Or(opt.Language, "en")
	if err := opt.Check(); err != nil {
		return cli.Usagef("%v", err)
	}
	files, err := template.Files(opt)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := disk.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), files[name]); err != nil {
			return err
		}
	}
	o.Say("made %s: %s", dir, plural(len(files), "file", "files"))
	if !pinned {
		o.Say("the workflows use %s, which can be moved: this dpg does not know its commit; --action OWNER/REPO@COMMIT pins it", opt.Action)
	}
	fmt.Fprint(o.Out, clicks)
	o.Next("git -C %s init && git -C %s add . && dpg validate --strict --registry %s", dir, dir, filepath.Join(dir, "registry"))
	return nil
}

// clicks are the settings that no file in a repository can make.
const clicks = `Once the folder is pushed to GitHub, a person with admin rights sets there:
  Settings > Actions > General > Workflow permissions
      "Allow GitHub Actions to create and approve pull requests": on, or the bot can propose nothing
  Settings > Actions > General > Approval for running fork pull request workflows
      "Require approval for first-time contributors", at least
  Settings > Pages > Build and deployment > Source
      "GitHub Actions", or the catalog is published nowhere
  Settings > Rules > Rulesets > New branch ruleset, for the default branch
      "Require a pull request before merging"
      "Require status checks to pass": dpg-registry/validate, after the first review has made it known
  Settings > Advanced Security > Private vulnerability reporting: on
To ask a model too:
  Settings > Secrets and variables > Actions
      variables DPG_MODEL and DPG_MODEL_URL, secret DPG_MODEL_KEY
`

func updateRegistry(ctx context.Context, o *cli.IO, dir string, opt template.Options, write bool) error {
	reg, err := cli.Load(ctx, filepath.Join(dir, "registry"), registry.Options{})
	if err != nil {
		return err
	}
	s := reg.Settings
	if s == nil || s.Name == "" {
		return cli.Usagef("%q has no settings to go by: registry/registry.yaml gives no name; is it a registry?", dir)
	}
	opt.Name, opt.Publisher = cmp.Or(opt.Name, s.Name), cmp.Or(opt.Publisher, s.Publisher.Name)
	opt.Contact, opt.BaseURL = cmp.Or(opt.Contact, s.ContactURL), cmp.Or(opt.BaseURL, s.BaseURL)
	opt.Language = cmp.Or(opt.Language, s.Language())
	if err := opt.Check(); err != nil {
		return cli.Usagef("%v", err)
	}
	files, err := template.Files(opt)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no link in it leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := template.Compare(root.FS(), files)
	if err != nil {
		return err
	}
	var left []template.Difference
	written := 0
	for _, d := range found {
		if write && (d.State == template.New || d.State == template.Outdated) {
			if _, err := disk.WriteFile(filepath.Join(dir, filepath.FromSlash(d.Path)), files[d.Path]); err != nil {
				return err
			}
			o.Say("wrote %s", d.Path)
			written++
			continue
		}
		switch d.State {
		case template.Changed:
			o.Say("%s was changed here and is left as it is", d.Path)
		case template.Deleted:
			o.Say("%s was deleted here and stays so", d.Path)
		}
		left = append(left, d)
		fmt.Fprint(o.Out, string(d.Diff))
	}
	if !write {
		return sayDifferences(o, dir, found)
	}
	before, err := root.ReadFile(template.SumsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = disk.WriteFile(filepath.Join(dir, filepath.FromSlash(template.SumsFile)), template.Record(before, files, left))
	o.Say("%s brought up to date, %s left as they are", plural(written, "file", "files"), plural(len(left), "file", "files"))
	return err
}

func sayDifferences(o *cli.IO, dir string, found []template.Difference) error {
	open := 0
	var kept []string
	for _, d := range found {
		switch d.State {
		case template.New, template.Outdated:
			open++
		default:
			kept = append(kept, d.Path)
		}
	}
	switch {
	case open == 0 && len(kept) == 0:
		o.Say("%s is as the template has it", dir)
		return nil
	case open == 0:
		o.Say("%s is up to date, but for what people changed: %s", dir, strings.Join(kept, ", "))
		return nil
	}
	o.Say("%s can be brought up to date with --write", plural(open, "file", "files"))
	return cli.ErrFound
}
