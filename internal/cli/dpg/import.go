package dpg

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/merge"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

var importCommand = cli.Command{
	Name:    "import dpga",
	Args:    "DIR",
	Summary: "import the DPGA's registry of 2023 (publicgoods-candidates)",
	Help: `
Reads the folders nominees, digitalpublicgoods, archive and excluded-nominees of a
checkout of DPGAlliance/publicgoods-candidates and writes one entry of each
subject: nominee and screening record merged, countries as ISO codes, personal
contacts dropped, the predecessor's id kept in same_as.dpga. A folder without a
registry.yaml gets a first one.

Importing again merges field by field. Decisions, waivers, stewards and whatever
else the import never writes are kept in any case. Where an entry says something
else than the import would, the entry is right: the place is named, here and in
the report, and the file is not touched. --overwrite takes the import's word in
those places; a file that is written anew loses its comments, and is named.
Entries that were renamed or removed are left alone.`,
	Examples: []string{
		"dpg import dpga ../publicgoods-candidates --registry registry",
		"dpg import dpga ../publicgoods-candidates --report report.json",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var i importDPGA
		dir := cli.RegistryFlag(flags)
		flags.StringVar(&i.report, "report", "", "write what became of every value to `FILE`, as JSON")
		flags.StringVar(&i.asOf, "as-of", dpga.DataAsOf, "the `DATE` that the facts are of")
		flags.BoolVar(&i.overwrite, "overwrite", false, "where an entry differs, take what the import says")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("import dpga takes one folder, a checkout of publicgoods-candidates")
			}
			i.from, i.to = args[0], *dir
			return i.run(ctx, o)
		}
	},
}

type importDPGA struct {
	from, to, report, asOf string
	overwrite              bool
}

func (i *importDPGA) run(ctx context.Context, o *cli.IO) error {
	done := o.Busy("importing")
	defer done()
	root, err := os.OpenRoot(i.from) // a stranger's checkout: no link leads out of it
	if err != nil {
		return cli.Usagef("there is no folder %q", i.from)
	}
	defer root.Close()
	source, err := dpga.Read(root.FS())
	if errors.Is(err, dpga.ErrNone) {
		return cli.Usagef("%q is no checkout of publicgoods-candidates: %v", i.from, err)
	}
	if err != nil {
		return err
	}
	entries, report, err := source.Convert(dpga.Options{AsOf: i.asOf})
	if err != nil {
		return cli.Usagef("%v", err)
	}
	if len(entries) == 0 {
		return cli.Usagef("%q is no checkout of publicgoods-candidates: no file in it describes a subject", i.from)
	}
	if report.Conflicts, err = i.write(ctx, o, entries); err != nil {
		return err
	}
	done()
	if i.report != "" {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
		if _, err := disk.WriteFile(i.report, b.Bytes()); err != nil {
			return err
		}
		o.Say("what became of every value is in %s", i.report)
	}
	o.Say("%d values carried, %d changed, %d dropped", report.Leaves.Carried, report.Leaves.Changed, report.Leaves.Dropped)
	o.Next("dpg validate --registry %s", i.to)
	return nil
}

// write puts the entries where they belong, over those that are there.
func (i *importDPGA) write(ctx context.Context, o *cli.IO, entries []dpga.Converted) ([]merge.Conflict, error) {
	folder, err := disk.Open(i.to)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	settings, err := i.settings(o, folder)
	if err != nil {
		return nil, err
	}
	kind, _ := entry.KindNamed("dpg")
	at, err := placed(folder, kind)
	if err != nil {
		return nil, err
	}
	options := merge.Options{Overwrite: i.overwrite, Language: settings.Language()}
	conflicts := []merge.Conflict{}
	written, merged, kept := 0, 0, 0
	for _, c := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := cmp.Or(at[c.Entry.ID], c.Path)
		old, err := folder.Read(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		isNew := err != nil
		data, found, err := lay(c.Entry, name, kind, old, isNew, options)
		if err != nil {
			return nil, err
		}
		place := path.Join(cli.Prefix(i.to), name)
		for _, f := range found {
			f.Path = name
			conflicts = append(conflicts, f)
			say(o, place, f)
		}
		changed, err := folder.Write(name, data)
		switch {
		case err != nil:
			return nil, err
		case changed && isNew:
			written++
		case changed:
			o.Say("rewrote %s", place)
			merged++
		case len(found) > 0:
			kept++
		}
	}
	o.Say("%s: %d written, %d rewritten, %d kept as they differ, %d as they were", plural(len(entries), "entry", "entries"),
		written, merged, kept, len(entries)-written-merged-kept)
	if kept > 0 && !i.overwrite {
		o.Say("--overwrite takes the import's word where they differ")
	}
	return conflicts, nil
}

// lay returns what a file should hold: the imported entry, or the one that is
// there with the import laid over it. A file in which nothing has to change keeps
// its bytes, and with them its comments.
func lay(imported entry.Entry, name string, kind entry.Kind, old []byte, isNew bool, options merge.Options) ([]byte, []merge.Conflict, error) {
	schemaPath := entry.SchemaPath("registry/"+name, kind.Schema)
	if isNew {
		data, err := entry.Encode(imported, schemaPath)
		return data, nil, err
	}
	whole := func(why string) []merge.Conflict {
		null := json.RawMessage("null")
		return []merge.Conflict{{Local: null, Imported: null, Kept: merge.Local, Why: why}}
	}
	doc, found := source.Parse(name, old)
	if len(found) > 0 {
		return old, whole(fmt.Sprintf("the file cannot be read: line %d: %s", found[0].Start.Line, found[0].Message)), nil
	}
	var local entry.Entry
	if err := doc.Decode(&local); err != nil {
		return old, whole(fmt.Sprintf("the file cannot be read: %v", err)), nil
	}
	if !strings.HasPrefix(local.Schema, kind.Name+"/") {
		return old, whole(fmt.Sprintf("the file is of %q, not of %q", local.Schema, imported.Schema)), nil
	}
	before, err := entry.Encode(local, schemaPath)
	if err != nil {
		return nil, nil, err
	}
	merged, conflicts, _ := merge.Entries(local, imported, options)
	after, err := entry.Encode(merged, schemaPath)
	if err != nil {
		return nil, nil, err
	}
	if bytes.Equal(before, after) {
		return old, conflicts, nil
	}
	// What the file holds beyond an entry would be lost in writing it.
	back, found := source.Parse(name, before)
	if len(found) > 0 || !reflect.DeepEqual(said(doc.Root.Value()), said(back.Root.Value())) {
		options.Overwrite = false
		_, conflicts, _ = merge.Entries(local, imported, options)
		return old, append(whole("the file holds keys or values that an entry has no place for, and writing it would lose them"), conflicts...), nil
	}
	return after, conflicts, nil
}

// said leaves out of a value what says nothing: an entry is written without it.
func said(v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for k, child := range v {
			if child = said(child); child != nil {
				kept[k] = child
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, child := range v {
			kept[i] = said(child)
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case string:
		if v == "" {
			return nil
		}
	case int64: // an id of 0 is not known
		if v == 0 {
			return nil
		}
	}
	return v
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
	const most = 80
	switch {
	case string(v) == "null":
		return "not there"
	case len(v) <= most:
		return string(v)
	}
	return strings.ToValidUTF8(string(v[:most]), "") + "…"
}

// placed finds the files of a kind's entries by id: any sub-folder will do.
func placed(folder *disk.Folder, kind entry.Kind) (map[string]string, error) {
	names, err := folder.Files()
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for _, name := range names {
		if !strings.HasPrefix(name, kind.Folder+"/") || path.Ext(name) != ".yaml" {
			continue
		}
		// The file that stands where the import would put it goes first.
		if id := entry.FileID(name); at[id] == "" || path.Dir(name) == kind.Folder {
			at[id] = name
		}
	}
	return at, nil
}

const settingsFile = "registry.yaml"

// settings reads what the registry says about itself, and writes a first
// registry.yaml where there is none.
func (i *importDPGA) settings(o *cli.IO, folder *disk.Folder) (*policy.Settings, error) {
	data, err := folder.Read(settingsFile)
	switch {
	case err == nil:
		s := &policy.Settings{}
		doc, found := source.Parse(settingsFile, data)
		if len(found) > 0 || doc.Decode(s) != nil {
			return nil, nil // what is wrong with it is for validate to say
		}
		return s, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	s := &policy.Settings{
		Schema:      "registry/v1",
		Name:        "Imported registry",
		Notice:      entry.Plain("Imported from the Digital Public Goods Alliance's publicgoods-candidates. It grants no recognition to anything it lists."),
		Publisher:   policy.Publisher{Name: "Not named yet"},
		Languages:   []string{"en"},
		Kinds:       []string{"dpg"},
		License:     "Unlicense",
		Attribution: "Digital Public Goods Alliance, publicgoods-candidates (" + dpga.Repository + ")",
	}
	if data, err = entry.Encode(s, entry.SchemaPath("registry/"+settingsFile, "registry.schema.json")); err != nil {
		return nil, err
	}
	if _, err := folder.Write(settingsFile, data); err != nil {
		return nil, err
	}
	o.Say("wrote %s: say in it who publishes the registry", path.Join(cli.Prefix(i.to), settingsFile))
	return s, nil
}
