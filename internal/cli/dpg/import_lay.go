package dpg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/importer"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A target is the registry that is imported into.
type target struct {
	dir string
	dry bool // nothing is written
	// silent keeps what a dry run would do off standard output, where the report goes.
	silent bool

	folder   *disk.Folder // nil in a dry run into a folder that is not there
	tree     importer.Tree
	settings *policy.Settings // nil where they cannot be read: what is wrong with them is for validate to say
}

// emptyTree is a registry that is not there yet.
type emptyTree struct{}

func (emptyTree) Files() ([]string, error)    { return nil, nil }
func (emptyTree) Read(string) ([]byte, error) { return nil, fs.ErrNotExist }

const settingsFile = "registry.yaml"

// open takes the registry's folder, which no other run writes in until close. A
// folder without settings gets the first ones, if there are any to give.
func (t *target) open(o *cli.IO, first *policy.Settings) (err error) {
	_, missing := os.Stat(t.dir)
	switch {
	case first == nil && missing != nil:
		return cli.Usagef("there is no registry folder %q here; --registry DIR names another, dpg init makes one", t.dir)
	case !t.dry:
		t.folder, err = disk.Open(t.dir)
	case missing == nil:
		t.folder, err = disk.Hold(t.dir)
	}
	if err != nil {
		return err
	}
	t.tree = emptyTree{}
	if t.folder != nil {
		t.tree = t.folder
	}
	if err := t.configure(o, first); err != nil {
		t.close()
		return err
	}
	return nil
}

func (t *target) close() {
	if t.folder != nil {
		_ = t.folder.Close()
	}
}

// configure reads what the registry says about itself.
func (t *target) configure(o *cli.IO, first *policy.Settings) error {
	data, err := t.tree.Read(settingsFile)
	switch {
	case err == nil:
		s := &policy.Settings{}
		doc, found := source.Parse(settingsFile, data)
		if len(found) == 0 && doc.Decode(s) == nil {
			t.settings = s
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case first == nil:
		return cli.Usagef("%q is no registry: it has no %s; dpg init makes one", t.dir, settingsFile)
	}
	t.settings = first
	place := path.Join(cli.Prefix(t.dir), settingsFile)
	if t.dry {
		if !t.silent {
			fmt.Fprintln(o.Out, diag.OneLine("write "+place))
		}
		return nil
	}
	if data, err = entry.Encode(first, entry.SchemaPath("registry/"+settingsFile, "registry.schema.json")); err != nil {
		return err
	}
	if _, err := t.folder.Write(settingsFile, data); err != nil {
		return err
	}
	o.Say("wrote %s: say in it who publishes the registry", place)
	return nil
}

// address is where the registry publishes its catalog; "" is not known.
func (t *target) address() string {
	if t.settings == nil {
		return ""
	}
	return t.settings.BaseURL
}

// kinds are those in use in the registry.
func (t *target) kinds() []entry.Kind {
	if t.settings == nil {
		return entry.Kinds
	}
	var used []entry.Kind
	for _, name := range t.settings.Kinds {
		if k, ok := entry.KindNamed(name); ok {
			used = append(used, k)
		}
	}
	return used
}

// lay works out what a batch changes, says it, and does it unless this is a dry run.
func (t *target) lay(ctx context.Context, o *cli.IO, batch *importer.Batch, options importer.Options) (*importer.Plan, error) {
	options.Language = t.settings.Language()
	plan, err := importer.Prepare(ctx, t.tree, batch, options)
	if err != nil {
		return nil, err
	}
	prefix := cli.Prefix(t.dir)
	for _, out := range plan.Outcomes {
		place := path.Join(prefix, out.Path)
		switch {
		case out.Action == importer.Refused:
			o.Say("refused %s%s: %s", out.Record, quotedID(out.ID), out.Why)
		case out.Action == importer.LeftOut:
			o.Say("left out %s%s: %s", out.Record, quotedID(out.ID), out.Why)
		case out.Why != "":
			o.Say("%s%s is %s", out.Record, quotedID(out.ID), out.Why)
		}
		for _, c := range out.Conflicts {
			say(o, place, c)
		}
		for _, c := range out.Updates {
			o.Say("updated %s %s: it was %s, the source says %s now", place, c.Pointer, clip(c.Local), clip(c.Imported))
		}
	}
	rewrote := func(out importer.Outcome) {
		if out.Action == importer.Rewritten {
			o.Say("rewrote %s", path.Join(prefix, out.Path))
		}
	}
	if t.dry {
		verb := map[importer.Action]string{importer.Written: "write", importer.Rewritten: "rewrite"}
		for _, out := range plan.Outcomes {
			if v := verb[out.Action]; v != "" && !t.silent {
				fmt.Fprintln(o.Out, diag.OneLine(v+" "+path.Join(prefix, out.Path)))
			}
		}
	} else if err := plan.Write(ctx, t.folder, rewrote); err != nil {
		return nil, err
	}
	t.summary(o, plan, options.Overwrite)
	return plan, nil
}

func (t *target) summary(o *cli.IO, plan *importer.Plan, overwrite bool) {
	kept := plan.Count(importer.Kept)
	line := fmt.Sprintf("%s: %d written, %d rewritten, %d kept as they differ, %d as they were", plural(len(plan.Outcomes), "entry", "entries"),
		plan.Count(importer.Written), plan.Count(importer.Rewritten), kept, plan.Count(importer.Same))
	if n := plan.Count(importer.LeftOut); n > 0 {
		line += fmt.Sprintf(", %d left out", n)
	}
	if n := plan.Count(importer.Refused); n > 0 {
		line += fmt.Sprintf(", %d refused", n)
	}
	if t.dry {
		line += "; this was a dry run, and nothing is written"
	}
	o.Say("%s", line)
	if kept > 0 && !overwrite {
		o.Say("--overwrite takes the import's word where they differ")
	}
}

func quotedID(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", short(id))
}

// say names a conflict on one line.
func say(o *cli.IO, place string, c merge.Conflict) {
	if c.Why != "" {
		o.Say("kept %s: %s", place, c.Why)
		return
	}
	verb := map[merge.Side]string{merge.Local: "kept", merge.Imported: "replaced"}[c.Kept]
	o.Say("%s %s %s: it is %s, the import says %s", verb, place, c.Pointer, clip(c.Local), clip(c.Imported))
}

// clip keeps a value to what fits on a line; the report has all of it.
func clip(v json.RawMessage) string {
	if string(v) == "null" {
		return "not there"
	}
	return short(string(v))
}

func short(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// saveReport writes a report where the person asked for one.
func saveReport(o *cli.IO, name string, report any) error {
	if name == "" {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(report); err != nil {
		return err
	}
	if name == "-" {
		_, err := o.Out.Write(b.Bytes())
		return err
	}
	if _, err := disk.WriteFile(name, b.Bytes()); err != nil {
		return err
	}
	o.Say("what became of every value is in %s", name)
	return nil
}
