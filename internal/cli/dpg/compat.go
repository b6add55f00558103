package dpg

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
)

var compatCommand = cli.Command{
	Name:    "compat",
	Args:    "SRC OUT",
	Summary: "make the predecessor's own files from its raw folders",
	Hidden:  true,
	Help: `
Writes into OUT, byte for byte, what the predecessor's generator made of a checkout
of publicgoods-candidates, SRC: dpgs, dpg, nominees and nominee. It is a measure
for the views of the catalog and not a way to publish. Where the generator would
have crashed, the file to blame is named, OUT stays as it was, and it exits 1.`,
	Examples: []string{"dpg compat ../publicgoods-candidates public"},
	Setup: func(*flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		return func(_ context.Context, o *cli.IO, args []string) error {
			if len(args) != 2 {
				return cli.Usagef("compat takes the folder to read and the folder to write")
			}
			return compat(o, args[0], args[1])
		}
	},
}

// oldFile is a file that the predecessor's generator has made, and clears away.
var oldFile = regexp.MustCompile(`^(dpgs|nominees|dpg/[^/]+|nominee/[^/]+)/index\.json$`)

func compat(o *cli.IO, from, to string) error {
	root, err := os.OpenRoot(from) // no link leads out of it
	if err != nil {
		return cli.Usagef("there is no folder %q", from)
	}
	defer root.Close()
	files, err := dpga.Compat(root.FS())
	var stop *dpga.StopError
	switch {
	case errors.As(err, &stop):
		o.Say("the predecessor would have stopped here, and %s stays as it was: %v", to, stop)
		return cli.ErrFound
	case errors.Is(err, dpga.ErrNone):
		return cli.Usagef("%q is no checkout of publicgoods-candidates: %v", from, err)
	case err != nil:
		return err
	}
	folder, err := disk.Open(to)
	if err != nil {
		return err
	}
	defer folder.Close()
	if _, err := folder.Read("api/v1/manifest.json"); !errors.Is(err, fs.ErrNotExist) {
		return cli.Usagef("%q holds a catalog, whose manifest would not be true any more; name another folder", to)
	}
	there, err := folder.Files()
	if err != nil {
		return err
	}
	written, removed := 0, 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		changed, err := folder.Write(name, files[name])
		if err != nil {
			return err
		}
		if changed {
			written++
		}
	}
	for _, name := range there {
		if oldFile.MatchString(name) && files[name] == nil {
			if err := folder.Remove(name); err != nil {
				return err
			}
			removed++
		}
	}
	o.Say("made %s: %s written, %d removed, %d as they were", to, plural(written, "file", "files"), removed, len(files)-written)
	return nil
}
