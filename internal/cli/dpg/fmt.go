package dpg

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var fmtCommand = cli.Command{
	Name:    "fmt",
	Args:    "[FILE...]",
	Summary: "lay entries out in one way, comments and all",
	Help: `
Sets every entry, or only the files and folders named, in by two spaces a level,
takes white space off the ends of lines, ends lines as Unix does, and puts the
line first that tells editors the schema. Comments, the order of keys, quotes and
brackets stay, and so does what the entry says. Prints the files that it changes.

A file that is not YAML is left as it is, with what is wrong with it.`,
	Examples: []string{
		"dpg fmt",
		"dpg fmt registry/dpgs/dhis2.yaml",
		"dpg fmt --check",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var f formatter
		dir := cli.RegistryFlag(flags)
		flags.BoolVar(&f.check, "check", false, "change nothing; fail if a file would change")
		return func(ctx context.Context, o *cli.IO, files []string) error {
			f.dir, f.files = *dir, files
			return f.run(ctx, o)
		}
	},
}

type formatter struct {
	dir   string
	files []string
	check bool
}

func (f *formatter) run(ctx context.Context, o *cli.IO) error {
	only, err := onlyFiles(f.dir, f.files)
	if err != nil {
		return err
	}
	opt := registry.Options{}
	files, err := cli.Open(f.dir, &opt)
	if err != nil {
		return err
	}
	done := o.Busy("laying out")
	defer done()
	blobs, err := files.List()
	if err != nil {
		return err
	}
	slices.SortFunc(blobs, func(a, b registry.Blob) int { return strings.Compare(a.Path, b.Path) })
	var changed []fix.Change
	looked, refused := 0, 0
	for _, b := range blobs {
		name := path.Join(opt.Prefix, b.Path)
		kind, ok := entryFile(b)
		if !ok || only != nil && !only(name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		looked++
		if !b.Mode.IsRegular() { // whoever opens a pipe may wait for ever
			refused++
			o.Say("%s is not a plain file; put a plain file here", name)
			continue
		}
		old, err := files.Read(b.Path)
		if err != nil {
			return err
		}
		text, err := fix.Format(name, old, entry.SchemaPath("registry/"+b.Path, kind.Schema))
		if err != nil {
			refused++
			if err := sayUnformatted(o, err); err != nil {
				return err
			}
			continue
		}
		if !bytes.Equal(text, old) {
			changed = append(changed, fix.Change{Name: b.Path, Path: name, Old: old, New: text})
		}
	}
	if looked == 0 && len(f.files) > 0 {
		return cli.Usagef("there is no entry in %q", f.files)
	}
	if !f.check {
		if err := writeChanges(ctx, f.dir, changed); err != nil {
			return err
		}
	}
	done()
	for _, c := range changed {
		fmt.Fprintln(o.Out, diag.OneLine(c.Path))
	}
	verb := "laid out anew"
	if f.check {
		verb = "would be laid out anew"
	}
	summary := fmt.Sprintf("%s: %d %s", plural(looked, "entry", "entries"), len(changed), verb)
	if refused > 0 {
		summary += fmt.Sprintf(", %d left as they are for what is wrong with them", refused)
	}
	o.Say("%s", summary)
	if refused > 0 || f.check && len(changed) > 0 {
		if f.check && len(changed) > 0 {
			o.Next("dpg fmt")
		}
		return cli.ErrFound
	}
	o.Next("dpg validate")
	return nil
}

// entryFile reports whether a file has the place of a person's entry, and of which
// kind.
func entryFile(b registry.Blob) (entry.Kind, bool) {
	base := path.Base(b.Path)
	if path.Ext(base) != ".yaml" || strings.HasPrefix(base, ".") {
		return entry.Kind{}, false
	}
	for _, k := range entry.Kinds {
		if strings.HasPrefix(b.Path, k.Folder+"/") {
			return k, true
		}
	}
	return entry.Kind{}, false
}

// sayUnformatted tells why a file was left as it is.
func sayUnformatted(o *cli.IO, err error) error {
	var unreadable *fix.Unreadable
	if errors.As(err, &unreadable) {
		return diag.WriteText(o.Err, unreadable.Findings, false)
	}
	o.Say("%v", err)
	return nil
}

// writeChanges puts changed texts in their places. A file that is no longer what it was
// when it was read stays as it is, and is an error.
func writeChanges(ctx context.Context, dir string, changes []fix.Change) (err error) {
	if len(changes) == 0 {
		return nil
	}
	folder, err := disk.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	for _, c := range changes {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, err := folder.Read(c.Name)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, c.Old) {
			return fmt.Errorf("%s changed meanwhile; run this again", c.Path)
		}
		if _, err := folder.Write(c.Name, c.New); err != nil {
			return err
		}
	}
	return nil
}
