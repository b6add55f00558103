package dpg

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/export/publiccode"
)

var exportPubliccodeCommand = cli.Command{
	Name:    "export publiccode",
	Summary: "write a publiccode.yml for each software entry that says enough",
	Help: `
Writes DIR/ID/publiccode.yml, version ` + publiccode.Version + ` of the standard, for each live entry of
type software of which all is known that the standard asks for. The others are
listed on standard error, each with the keys that are missing; --format json
lists all of them, with the reasons, on standard output. Nothing is invented: a long
description is the entry's own, a short one that or its first sentence, both only
if the standard takes them by their length.

Entries have no words for what the standard wants to know of a program's use and
upkeep: platforms, developmentStatus, softwareType, description/LANG/features,
maintenance and localisation. Where you know them, put them in a YAML file, by the
id of the entry and in the words of the standard, and name it with --facts:

	dhis2:
	  platforms: [web, android]
	  developmentStatus: stable
	  softwareType: standalone/web
	  description: {en: {features: [Charts, Maps]}}
	  maintenance: {type: community, contacts: [{name: A Person}]}
	  localisation: {localisationReady: true, availableLanguages: [en, fr]}

--missing writes such a file for the entries that lack something: what is known, and
the keys to fill in, each with its reason. What only the entry itself can say, such
as its repository, stands there as a comment. A shortDescription, a longDescription
or, of several repositories, the url may stand there too. Files for other entries that
are in DIR already stay.`,
	Examples: []string{
		"dpg export publiccode --out publiccode --missing facts.yaml   # fill it in, then:",
		"dpg export publiccode --out publiccode --facts facts.yaml",
		"dpg export publiccode --out publiccode --format json | jq '.incomplete[] | {ref, keys: [.missing[].key]}'",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		e := newExporter(flags, "write to folders in `DIR`")
		e.noHistory = true // the files have no dates
		facts := flags.String("facts", "", "what entries have no words for, in a YAML `FILE`")
		missing := flags.String("missing", "", "write what is to be filled in to a new `FILE`, for --facts")
		format := cli.OneOf{Value: "text", Allowed: []string{"text", "json"}}
		flags.Var(&format, "format", "`FORMAT` of the list of what is missing: text, json")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if err := e.ready(args); err != nil {
				return err
			}
			if *e.out == "" {
				return cli.Usagef("name the folder to write to with --out DIR")
			}
			if err := newFile(*e.dir, *missing); err != nil {
				return err
			}
			known, err := readFacts(*facts)
			if err != nil {
				return err
			}
			x, err := e.open(ctx, o)
			if err != nil {
				return err
			}
			defer x.Close()
			all, strange, err := writePubliccode(*e.out, x, known)
			if err != nil {
				return err
			}
			if len(strange) > 0 {
				note(o, *facts+" speaks of what is no live entry of type software", strange)
			}
			written := 0
			for _, s := range all {
				if len(s.Gaps) == 0 {
					written++
				}
			}
			if *missing != "" {
				if err := writeMissing(o, *missing, all, known); err != nil {
					return err
				}
			}
			if format.Value == "json" {
				err = listPubliccode(o, all)
			} else {
				err = showPubliccode(o, all)
			}
			if err != nil {
				return err
			}
			sayMissing(o, all)
			o.Say("%s of %s in %s; %s", plural(written, "publiccode.yml", "publiccode.yml"), plural(len(all), "software entry", "software entries"), *e.out,
				plural(len(all)-written, "lacks keys", "lack keys"))
			return nil
		}
	},
}

// newFile reports a mistake in the name of a file that people are to fill in: what
// they have filled in already is not written over.
func newFile(dir, name string) error {
	if name == "" {
		return nil
	}
	if _, inside, err := cli.Within(dir, name); err != nil {
		return err
	} else if inside {
		return cli.Usagef("--missing %q is in the registry folder %q, where files are entries; name one beside it", name, dir)
	}
	if _, err := os.Lstat(name); err == nil {
		return cli.Usagef("there is a file %q already; name a new one with --missing, and that one with --facts", name)
	}
	return nil
}

func writeMissing(o *cli.IO, name string, all []publiccode.Software, known publiccode.Facts) error {
	data, err := publiccode.Skeleton(all, known)
	if err != nil {
		return err
	}
	if data == nil {
		o.Say("no facts are missing, so %s is not written", name)
		return nil
	}
	if _, err := disk.WriteFile(name, data); err != nil {
		return err
	}
	o.Say("wrote %s: fill it in, then name it with --facts", name)
	return nil
}

func readFacts(name string) (publiccode.Facts, error) {
	if name == "" {
		return nil, nil
	}
	f, err := openNamed(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cli.Usagef("there is no file %q", name)
	}
	if err != nil {
		return nil, fmt.Errorf("--facts %q: %w", name, err)
	}
	defer f.Close()
	known, err := publiccode.ReadFacts(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return known, nil
}

// publiccodePath is where a file goes in the folder. An id is a file's name: the
// catalog takes no other.
func publiccodePath(s publiccode.Software) string { return s.ID + "/publiccode.yml" }

// writePubliccode writes the files, and returns what there is to tell of each entry,
// without its file.
func writePubliccode(dir string, x *catalog.Export, known publiccode.Facts) (all []publiccode.Software, strange []string, err error) {
	var folder *disk.Folder
	defer func() {
		if folder != nil {
			folder.Close()
		}
	}()
	strange, err = publiccode.Each(x, known, func(s publiccode.Software) error {
		data := s.File
		s.File = nil
		all = append(all, s)
		if data == nil {
			return nil
		}
		if folder == nil {
			if folder, err = disk.Open(dir); err != nil {
				return err
			}
		}
		_, err := folder.Write(publiccodePath(s), data)
		return err
	})
	return all, strange, err
}

// showPubliccode lists on standard error which keys each entry lacks.
func showPubliccode(o *cli.IO, all []publiccode.Software) error {
	w := tabwriter.NewWriter(o.Err, 0, 0, 2, ' ', 0)
	for _, s := range all {
		var keys []string
		for _, g := range s.Gaps {
			keys = append(keys, g.Key)
		}
		if len(keys) > 0 {
			fmt.Fprintf(w, "%s\tlacks %s\n", oneLine(s.Ref), oneLine(strings.Join(keys, ", ")))
		}
	}
	return w.Flush()
}

// sayMissing counts the entries that lack a key, the most first.
func sayMissing(o *cli.IO, all []publiccode.Software) {
	count := map[string]int{}
	for _, s := range all {
		seen := map[string]bool{}
		for _, g := range s.Gaps {
			if !seen[g.Key] {
				seen[g.Key] = true
				count[g.Key]++
			}
		}
	}
	keys := slices.Sorted(maps.Keys(count))
	slices.SortStableFunc(keys, func(a, b string) int { return count[b] - count[a] })
	var parts []string
	for _, k := range keys[:min(len(keys), shownKeys)] {
		parts = append(parts, fmt.Sprintf("%s %d", oneLine(k), count[k]))
	}
	if more := len(keys) - shownKeys; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more keys", more))
	}
	if len(parts) > 0 {
		o.Say("how many lack what: %s", strings.Join(parts, ", "))
	}
}

// shownKeys is how many keys are counted to people: languages make many.
const shownKeys = 20

// listPubliccode lists what was written and what lacks what, as JSON.
func listPubliccode(o *cli.IO, all []publiccode.Software) error {
	type written struct {
		Ref  string `json:"ref"`
		Path string `json:"path"` // in the folder
	}
	type incomplete struct {
		Ref     string           `json:"ref"`
		Missing []publiccode.Gap `json:"missing"`
	}
	list := struct {
		Standard   string       `json:"standard_version"`
		Written    []written    `json:"written"`
		Incomplete []incomplete `json:"incomplete"`
	}{publiccode.Version, []written{}, []incomplete{}}
	for _, s := range all {
		if len(s.Gaps) == 0 {
			list.Written = append(list.Written, written{s.Ref, publiccodePath(s)})
		} else {
			list.Incomplete = append(list.Incomplete, incomplete{s.Ref, s.Gaps})
		}
	}
	enc := json.NewEncoder(o.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}
